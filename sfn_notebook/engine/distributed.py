"""Distributed Map: a Map Run whose iterations are executions of their own.

The state reads its items (from its input, or by a `read` command that the driver answers), starts a child `Engine` for each item or
batch, counts failures against the tolerated ones, and may hand the results to a `write` command. Children share the clock with their
parent (`World`) but have their own histories, so the parent's holds only `MapRunStarted` and its end. A child that needs neither time
nor tasks begins and ends within one step and is dropped at once unless its history shall be kept: a million items do not need a
million histories.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sfn_notebook.engine import log as kinds
from sfn_notebook.engine.dataflow import Value, compile_template_value, compile_value
from sfn_notebook.engine.failing import named
from sfn_notebook.engine.fanout import compile_map as compile_inline
from sfn_notebook.engine.flow_jsonata import compile_distributed_items as jsonata_items
from sfn_notebook.engine.flow_jsonata import compile_selector as jsonata_selector
from sfn_notebook.engine.flow_jsonpath import compile_distributed_items as jsonpath_items
from sfn_notebook.engine.flow_jsonpath import compile_selector as jsonpath_selector
from sfn_notebook.engine.frames import BUSY, ENTER, RESUME, RETRY, Failure, Outcome
from sfn_notebook.engine.limits import Limits, Names
from sfn_notebook.engine.model import Program, Run, State
from sfn_notebook.engine.numbers import percentage, whole
from sfn_notebook.engine.task import too_large_text
from sfn_notebook.errors import Json
from sfn_notebook.lang.environment import EvaluationFailure
from sfn_notebook.strictjson import json_size

if TYPE_CHECKING:
    from sfn_notebook.engine.execution import Engine
    from sfn_notebook.engine.frames import Frame

MOST_CONCURRENT = 10_000
MOST_BATCH_BYTES = 262_144
EXCEEDED = "The specified tolerated failure threshold was exceeded"
COUNTS = ("pending", "running", "succeeded", "failed", "timedOut", "aborted")
_COUNT_OF_STATUS = {"SUCCEEDED": "succeeded", "FAILED": "failed", "TIMED_OUT": "timedOut", "ABORTED": "aborted"}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a Distributed Map's fields were compiled to; each closure takes (effective input, frame)."""

    state: State
    program: Program
    kind: str
    label: str
    items: Callable[[Json, Frame], list[Any] | dict[str, Any]]
    selector: Callable[..., Json] | None
    concurrency: Value | None
    count: Value | None
    percentage: Value | None
    reader: Value | None
    batcher: Value | None
    writer: Value | None


class MapRun:
    """One Map Run under way or ended.

    Attributes:
        arn: its ARN.
        total: number of items.
        children: child executions whose histories were kept, by index.
        counts: items by outcome, named as in DescribeMapRun.
        executions: child executions by outcome, likewise.
        letters: one letter per child: "." not started, R running, else the first letter of its status.
    """

    def __init__(self, engine: Engine, frame: Frame, plan: Plan) -> None:
        self.engine = engine
        self.frame = frame
        self.plan = plan
        self.stage = "reading"
        self.status = "RUNNING"
        self.failure: Failure | None = None
        """Why the stage is "failed"."""
        self.started = engine.now
        self.stopped: int | None = None
        self.number = len(engine.map_runs)
        self.uuid = str(UUID(int=engine.draw().getrandbits(128), version=4))
        names = engine.names
        base = f"arn:{names.partition}:states:{names.region}:{names.account}"
        self.arn = f"{base}:mapRun:{names.machine}/{plan.label}:{self.uuid}"
        self.inputs: list[Json] = []
        """What each child gets, before the ItemSelector (with an ItemBatcher: as it gets it)."""
        self.keys: list[str] | None = None
        self.sizes: list[int] | None = None
        """Items per child, where they are batched."""
        self.source = "STATE_DATA"
        self.total = 0
        self.next = 0
        self.limit = MOST_CONCURRENT
        self.tolerated_count = 0
        self.tolerated_percentage = 0.0
        self.active: dict[int, Engine] = {}
        self.results: list[Json] = []
        self.children: dict[int, Engine] = {}
        self.records: list[dict[str, Json]] = []
        self.counts = dict.fromkeys(COUNTS, 0)
        self.executions = dict.fromkeys(COUNTS, 0)
        self.letters = bytearray()

    # ---- items

    def take_items(self, items: list[Json] | dict[str, Json], data: Json) -> None:
        """Begin to run children for these items."""
        if isinstance(items, dict):
            self.keys = list(items)
            items = [{"Key": key, "Value": value} for key, value in items.items()]
        self.inputs = items
        self.total = len(items)
        if self.plan.batcher is not None:
            self._batch(self.plan.batcher(data, self.frame), data)
        self.results = [None] * len(self.inputs)
        self.counts["pending"] = self.total
        self.executions["pending"] = len(self.inputs)
        self.letters = bytearray(b"." * len(self.inputs))
        self.stage = "running"

    def _batch(self, rule: dict[str, Json], data: Json) -> None:
        """Group the items, each after the ItemSelector, into batches of at most so many items and bytes."""
        most = whole(rule.get("MaxItemsPerBatch") or 0, "MaxItemsPerBatch", None) or len(self.inputs) or 1
        room = whole(rule.get("MaxInputBytesPerBatch") or 0, "MaxInputBytesPerBatch", None) or MOST_BATCH_BYTES
        frame_size = json_size({"Items": [], **({"BatchInput": rule["BatchInput"]} if "BatchInput" in rule else {})})
        batches: list[list[Json]] = []
        used = 0
        for index in range(len(self.inputs)):
            item = self.selected(index, data)
            size = json_size(item) + 1
            if not batches or len(batches[-1]) >= most or used + size > room:
                batches.append([])
                used = frame_size
            batches[-1].append(item)
            used += size
        extra = {"BatchInput": rule["BatchInput"]} if "BatchInput" in rule else {}
        self.inputs = [{**extra, "Items": batch} for batch in batches]
        self.sizes = [len(batch) for batch in batches]

    def selected(self, index: int, data: Json) -> Json:
        """Give the item as the ItemSelector makes it."""
        item = self.inputs[index]
        if self.plan.selector is None:
            return item
        more: dict[str, Json] = {"Source": self.source}
        if self.keys is not None:
            more["Key"] = self.keys[index]
            item = item["Value"]
        return self.plan.selector(data, self.frame, index, item, more)

    # ---- children

    def pump(self) -> None:
        """Start children until as many run as may, or an end is reached."""
        engine, plan = self.engine, self.plan
        data = view(self.frame)
        names = engine.names
        limits = Limits.of(
            plan.kind, enforced=engine.payload_limit != float("inf"), transitions=engine.limits.transitions
        )
        machine = f"{names.machine}/{plan.label}"
        while self.stage == "running" and self.next < len(self.inputs) and len(self.active) < self.limit:
            index = self.next
            self.next += 1
            value = self.inputs[index] if self.sizes is not None else self.selected(index, data)
            name = f"{self.uuid[:8]}-{index:08d}"
            child = new_child(
                self,
                value,
                Names(machine, name, plan.kind, names.region, names.account, names.partition),
                limits,
                index,
            )
            self.active[index] = child
            self._count(index, "pending", "running")
            child.run_ready()
            if child.status != "RUNNING":
                self._ended(index, child)
            else:
                child.set_deadline()
        if self.stage == "running" and not self.active and self.next >= len(self.inputs):
            self.stage = "done"

    def child_ended(self, child: Engine) -> None:
        """Take note of a child that has ended, start further ones, and wake the state when all is done."""
        index = child.index
        if self.active.get(index) is not child:
            return
        self._ended(index, child)
        if self.stage == "running":
            try:
                self.pump()
            except (Failure, EvaluationFailure) as failure:
                self.abort()
                self.stage, self.failure = "failed", named(self.frame, failure)
        if self.stage != "running":
            self.frame.phase = RESUME
            self.engine.make_ready(self.frame)

    def _ended(self, index: int, child: Engine) -> None:
        del self.active[index]
        self._count(index, "running", _COUNT_OF_STATUS[child.status])
        if child.status == "SUCCEEDED":
            self.results[index] = child.output
        else:
            error = child.failure.output() if child.failure else {"Error": None, "Cause": None}
            self.results[index] = {"Status": child.status, **error}
        if self.plan.writer is not None:
            self.records.append(self._record(index, child))
        self._keep(index, child)
        if child.status != "SUCCEEDED" and self._too_many():
            self.stage = "exceeded"

    def _keep(self, index: int, child: Engine) -> None:
        keep = self.engine.keep_children
        if keep == "all" or (keep == "failed" and child.status != "SUCCEEDED"):
            self.children[index] = child

    def _record(self, index: int, child: Engine) -> dict[str, Json]:
        failure = child.failure
        return {
            "index": index, "name": child.names.execution, "arn": child.names.execution_arn, "status": child.status,
            "input": child.input, "output": child.output, "error": failure.error if failure else None,
            "cause": failure.cause if failure else None, "start": child.start, "stop": child.now,
            "machine": child.names.machine_arn,
        }  # fmt: skip

    def _count(self, index: int, source: str, target: str) -> None:
        items = 1 if self.sizes is None else self.sizes[index]
        self.counts[source] -= items
        self.counts[target] += items
        self.executions[source] -= 1
        self.executions[target] += 1
        self.letters[index] = ord(target[0].upper())

    def _too_many(self) -> bool:
        """Say whether more items have failed than are tolerated; a threshold of 0 counts as not set (recorded)."""
        failed = self.counts["failed"] + self.counts["timedOut"] + self.counts["aborted"]
        if not self.tolerated_count and not self.tolerated_percentage:
            return failed > 0
        if self.tolerated_count and failed > self.tolerated_count:
            return True
        return bool(self.tolerated_percentage) and failed * 100 > self.tolerated_percentage * self.total

    def abort(self) -> None:
        """Stop all children; gives up what has not begun."""
        for index, child in list(self.active.items()):
            child.abort()
            del self.active[index]
            self._count(index, "running", "aborted")
            self._keep(index, child)
        if self.status == "RUNNING":
            self.close("ABORTED")

    def close(self, status: str) -> None:
        """Note the end of the Map Run."""
        self.status = status
        self.stopped = self.engine.now

    def describe(self) -> dict[str, Json]:
        """Give the Map Run as DescribeMapRun does (times in milliseconds since 1970)."""
        return {
            "mapRunArn": self.arn, "executionArn": self.engine.names.execution_arn, "status": self.status,
            "startDate": self.started, "stopDate": self.stopped, "maxConcurrency": self.limit,
            "toleratedFailurePercentage": self.tolerated_percentage, "toleratedFailureCount": self.tolerated_count,
            "itemCounts": {**self.counts, "total": self.total, "resultsWritten": len(self.records)},
            "executionCounts": {**self.executions, "total": len(self.inputs), "resultsWritten": len(self.records)},
        }  # fmt: skip


def new_child(run: MapRun, value: Json, names: Names, limits: Limits, index: int) -> Engine:
    """Start the child execution of one item or batch."""
    parent = run.engine
    if json_size(value) > limits.payload:
        raise Failure("States.DataLimitExceeded", too_large_text(run.plan.state.name))
    child = type(parent)(run.plan.program, value, names, limits, parent.world.now, 0, run)
    child.seed = f"{parent.seed}/{run.number}/{index}"
    child.index = index
    child.keep_children = parent.keep_children
    return child


def view(frame: Frame) -> Json:
    """Give what InputPath leaves of the frame's input."""
    stage = frame.state.flow.view
    return frame.data if stage is None else stage(frame.data, frame)


def compile_map(state: State, here: dict[str, State]) -> Run:
    """Compile a Map state of either mode."""
    processor = state.definition.get("ItemProcessor") or state.definition.get("Iterator") or {}
    if processor.get("ProcessorConfig", {}).get("Mode") != "DISTRIBUTED":
        return compile_inline(state, here)
    plan = state.plan = _plan(state, processor)

    def run(engine: Engine, frame: Frame) -> bool:
        if frame.phase in (ENTER, RETRY):
            if frame.phase == ENTER:
                engine.enter(frame)
            return _begin(engine, frame, plan)
        map_run = frame.map_run
        assert map_run is not None
        if map_run.stage == "reading":
            return _read(engine, frame, map_run, frame.outcome)
        if map_run.stage == "writing":
            return _written(engine, frame, map_run, frame.outcome)
        return _step(engine, frame, map_run)

    return run


def _plan(state: State, processor: dict[str, Json]) -> Plan:
    from sfn_notebook.engine.model import Program

    definition, language = state.definition, state.language
    jsonata = language == "JSONata"
    return Plan(
        state,
        Program(processor, (), state.starts[0], None),
        processor["ProcessorConfig"].get("ExecutionType", "STANDARD"),
        str(definition.get("Label") or state.name)[:40],
        (jsonata_items if jsonata else jsonpath_items)(definition),
        (jsonata_selector if jsonata else jsonpath_selector)(definition),
        compile_value(definition, "MaxConcurrency", language),
        compile_value(definition, "ToleratedFailureCount", language),
        compile_value(definition, "ToleratedFailurePercentage", language),
        _reader(definition, language),
        _batcher(definition, language),
        _writer(definition, language),
    )


def _reader(definition: dict[str, Json], language: str) -> Value | None:
    if "ItemReader" not in definition:
        return None
    reader = definition["ItemReader"]
    config = _with_paths(reader.get("ReaderConfig", {}), "ItemReader/ReaderConfig", language)
    field = "Arguments" if language == "JSONata" else "Parameters"
    arguments = compile_template_value(reader.get(field, {}), f"ItemReader/{field}", language)
    resource = reader["Resource"]
    return lambda data, frame: {
        "Resource": resource,
        "Arguments": arguments(data, frame),
        "ReaderConfig": config(data, frame),
    }


def _batcher(definition: dict[str, Json], language: str) -> Value | None:
    if "ItemBatcher" not in definition:
        return None
    batcher = dict(definition["ItemBatcher"])
    given = batcher.pop("BatchInput", None)
    rule = _with_paths(batcher, "ItemBatcher", language)
    if given is None:
        return rule
    template = compile_template_value(given, "ItemBatcher/BatchInput", language)
    return lambda data, frame: {**rule(data, frame), "BatchInput": template(data, frame)}


def _writer(definition: dict[str, Json], language: str) -> Value | None:
    if "ResultWriter" not in definition:
        return None
    writer = definition["ResultWriter"]
    field = "Arguments" if language == "JSONata" else "Parameters"
    arguments = compile_template_value(writer.get(field, {}), f"ResultWriter/{field}", language)
    fixed = {key: writer[key] for key in ("Resource", "WriterConfig") if key in writer}
    return lambda data, frame: {**fixed, "Arguments": arguments(data, frame)}


def _with_paths(fields: dict[str, Json], where: str, language: str) -> Value:
    """Compile an object whose members may be written as references (`MaxItemsPath`) or, in JSONata, as expressions."""
    if language == "JSONata":
        names = fields.get("CSVHeaders")
        if not isinstance(names, list):
            return compile_template_value(fields, where, language)
        evaluate = compile_template_value({key: fields[key] for key in fields if key != "CSVHeaders"}, where, language)
        return lambda data, frame: {**evaluate(data, frame), "CSVHeaders": names}  # the names are taken literally
    plain = {key: value for key, value in fields.items() if not key.endswith("Path")}
    paths = {key[:-4]: compile_value(fields, key[:-4], language) for key in fields if key.endswith("Path")}
    return lambda data, frame: {**plain, **{key: read(data, frame) for key, read in paths.items() if read is not None}}


def _begin(engine: Engine, frame: Frame, plan: Plan) -> bool:
    """Write the start of the Map Run; go on with the items, or ask for them."""
    data = view(frame)
    items = None if plan.reader is not None else plan.items(data, frame)
    definition = plan.state.definition
    limit = 0 if plan.concurrency is None else whole(plan.concurrency(data, frame), "MaxConcurrency", definition)
    engine.write(frame, kinds.STARTED["Map"], None, 0 if items is None else len(items))
    map_run = MapRun(engine, frame, plan)
    map_run.limit = limit or MOST_CONCURRENT
    if plan.count is not None:
        map_run.tolerated_count = whole(plan.count(data, frame), "ToleratedFailureCount", definition)
    if plan.percentage is not None:
        map_run.tolerated_percentage = percentage(plan.percentage(data, frame), definition)
    engine.map_runs.append(map_run)
    engine.write(frame, kinds.MAP_RUN_STARTED, {"mapRunArn": map_run.arn}, None)
    frame.map_run = map_run
    frame.phase = BUSY
    frame.stamp += 1
    if items is None:
        assert plan.reader is not None
        call = plan.reader(data, frame)
        map_run.source = _source(call)
        engine.issue_io(frame, "read", map_run.number, call)
        return False
    map_run.take_items(items, data)
    map_run.pump()
    return _step(engine, frame, map_run)


def _source(call: dict[str, Json]) -> str:
    arguments = call["Arguments"]
    return "S3://" + "/".join(str(arguments[key]) for key in ("Bucket", "Key", "Prefix") if key in arguments)


def _read(engine: Engine, frame: Frame, map_run: MapRun, outcome: Outcome) -> bool:
    """Go on with what the reader gave."""
    frame.phase = BUSY
    if outcome.kind != "succeeded":
        return _failed(engine, frame, map_run, Failure(outcome.error or "States.ItemReaderFailed", outcome.cause))
    map_run.take_items(outcome.output, view(frame))
    map_run.pump()
    return _step(engine, frame, map_run)


def _step(engine: Engine, frame: Frame, map_run: MapRun) -> bool:
    """Do what follows from how far the children have come."""
    if map_run.stage == "running":
        return False
    if map_run.stage == "exceeded":
        return _failed(engine, frame, map_run, Failure("States.ExceedToleratedFailureThreshold", EXCEEDED))
    if map_run.failure is not None:
        map_run.close("FAILED")
        frame.map_run = None
        raise map_run.failure
    writer = map_run.plan.writer
    if writer is not None:
        map_run.stage = "writing"
        call = {**writer(view(frame), frame), "MapRunArn": map_run.arn, "Children": map_run.records}
        frame.phase = BUSY
        engine.issue_io(frame, "write", map_run.number, call)
        return False
    return _succeeded(engine, frame, map_run, map_run.results)


def _written(engine: Engine, frame: Frame, map_run: MapRun, outcome: Outcome) -> bool:
    if outcome.kind != "succeeded":
        return _failed(engine, frame, map_run, Failure(outcome.error or "States.ResultWriterFailed", outcome.cause))
    return _succeeded(engine, frame, map_run, outcome.output)


def _succeeded(engine: Engine, frame: Frame, map_run: MapRun, result: Json) -> bool:
    map_run.close("SUCCEEDED")
    frame.map_run = None
    engine.write(frame, kinds.MAP_RUN_SUCCEEDED, None, None)
    engine.append(frame.prev, kinds.SUCCEEDED["Map"], None, None)
    return engine.complete(frame, result)


def _failed(engine: Engine, frame: Frame, map_run: MapRun, failure: Failure) -> bool:
    map_run.close("FAILED")
    map_run.abort()
    frame.map_run = None
    engine.write(frame, kinds.MAP_RUN_FAILED, failure.details(), None)
    raise failure
