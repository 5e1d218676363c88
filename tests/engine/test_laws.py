"""Laws that hold for every machine: hypothesis writes the machines, the inputs and what the tasks answer.

A generated machine always ends: states lead to later ones only. Nearly everything else may happen: nesting, retries, catches, waits,
timeouts, answers that never come, paths that find nothing.
"""

from __future__ import annotations

import copy
import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from sfn_notebook import History, StateMachine
from sfn_notebook.engine import log
from sfn_notebook.engine.execution import Engine
from sfn_notebook.engine.frames import Outcome
from sfn_notebook.engine.freeze import freeze, thaw
from sfn_notebook.engine.limits import Limits, Names
from sfn_notebook.engine.program import compile_program
from sfn_notebook.engine.task import TaskCall

START = 1_735_689_600_000
DEPTH = 2
RESOURCES = (
    "arn:aws:lambda:us-east-1:123456789012:function:f", "arn:aws:states:::sqs:sendMessage", "arn:aws:states:::lambda:invoke",
    "arn:aws:states:us-east-1:123456789012:activity:a", "arn:aws:states:::states:startExecution.sync:2",
    "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
)  # fmt: skip
ERRORS = ("A", "B", "States.Timeout", "States.TaskFailed", "Lambda.Unknown")
TERMINAL = {"ExecutionSucceeded", "ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted"}
INPUT = {"a": {"b": 1, "c": [1, {"d": None}]}, "items": [3, 1, 2], "none": [], "n": 2, "text": "x"}


# ---- machines


def optional(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Give the strategy's value sometimes, None (for "leave the field out") mostly."""
    return st.none() | st.none() | strategy


def fields(**strategies: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Give some of the fields; the text "null" stands for a null path."""

    def present(found: dict[str, Any]) -> dict[str, Any]:
        return {name: None if value == "null" else value for name, value in found.items() if value is not None}

    return st.fixed_dictionaries({name: optional(strategy) for name, strategy in strategies.items()}).map(present)


PATHS = st.sampled_from(["$", "null", "$$.Execution.Input", "$$.Execution.Input.a", "$$", "$.text"])
TEMPLATES = st.sampled_from([
    {"v.$": "$", "w": {"k.$": "$$.State.Name"}},
    {"e.$": "$$.Execution.Input.a", "items.$": "$$.Execution.Input.items"},
    {"s.$": "States.Format('{}-{}', $$.Execution.Name, States.UUID())", "r.$": "States.MathRandom(0, 1000)"},
    {"array.$": "States.Array($, 1)", "fixed": [1, "$.a"]},
    {"gone.$": "$.no.such.thing"},
])  # fmt: skip
FLOW = {
    "InputPath": PATHS, "Parameters": TEMPLATES, "OutputPath": st.sampled_from(["$", "$$.Execution.Input", "null", "$[*]", "$.r"]),
    "ResultPath": st.sampled_from(["$", "$.r", "$.a.r", "null", "$.deep.er"]),
}  # fmt: skip
SELECT = {"ResultSelector": st.sampled_from([{"all.$": "$"}, {"k": 1}, {"all.$": "$", "n": 2}, {"x.$": "$.absent"}])}
ASSIGN = {"Assign": st.sampled_from([{"seen.$": "$"}, {"n": 1, "name.$": "$$.State.Name"}])}
JSONATA = st.sampled_from([
    "{% $states.input %}", {"all": "{% $states.input %}", "who": "{% $states.context.State.Name %}"}, "{% $states.input.no.such %}",
    "{% [1..3] %}", {"u": "{% $uuid() %}", "r": "{% $random() %}"}, "{% $string($states.context.State.EnteredTime) %}", 5, {"k": [1, {"j": 2}]},
    "{% $states.context.Execution.Input.items[0] %}", "{% 1 + 'a' %}",
])  # fmt: skip
RETRY = st.lists(
    st.fixed_dictionaries(
        {"ErrorEquals": st.sampled_from([["States.ALL"], ["States.TaskFailed"], ["A", "B"], ["States.Timeout"]])},
        optional={
            "IntervalSeconds": st.integers(1, 5), "MaxAttempts": st.integers(0, 3), "BackoffRate": st.sampled_from([1, 1.5, 2.0]),
            "MaxDelaySeconds": st.integers(6, 9), "JitterStrategy": st.sampled_from(["FULL", "NONE"]),
        },
    ),
    min_size=1, max_size=2, unique_by=lambda rule: str(rule["ErrorEquals"]),
).map(lambda rules: sorted(rules, key=lambda rule: rule["ErrorEquals"] == ["States.ALL"]))  # fmt: skip


@dataclass
class Writer:
    """Draws one machine; names are unique over all its scopes."""

    draw: Callable[[st.SearchStrategy[Any]], Any]
    names: int = 0

    def scope(self, depth: int) -> dict[str, Any]:
        count = self.draw(st.integers(2, 5) if depth == DEPTH else st.integers(1, 3 if depth else 2))
        first = self.names
        self.names += count
        names = [f"S{first + index}" for index in range(count)]
        states = {name: self.state(names[index + 1 :], depth) for index, name in enumerate(names)}
        return {"StartAt": names[0], "States": states}

    def state(self, later: list[str], depth: int) -> dict[str, Any]:
        kinds = ["Pass", "Task", "Task", "Wait", *(["Map", "Parallel"] if depth else [])]
        kinds += ["Choice"] if later else ["Succeed", "Fail"]
        kind = self.draw(st.sampled_from(kinds))
        jsonata = kind in ("Pass", "Task", "Succeed") and self.draw(st.integers(0, 3)) == 0
        filled = self._jsonata(kind) if jsonata else getattr(self, f"_{kind.lower()}")(later, depth)
        state: dict[str, Any] = {"Type": kind, **filled}
        if kind in ("Pass", "Task", "Wait", "Map", "Parallel"):
            state |= {"Next": later[0]} if later else {"End": True}
        if kind in ("Task", "Map", "Parallel"):
            if self.draw(st.booleans()):
                state["Retry"] = self.draw(RETRY)
            if later and self.draw(st.booleans()):
                state["Catch"] = [
                    {"ErrorEquals": errors, "Next": later[0]} if jsonata else self.catch(later, errors)
                    for errors in self.draw(st.sampled_from([(["A"], ["States.ALL"]), (["States.TaskFailed"],)]))
                ]
        for holder in (state, *state.get("Catch", ())):
            if "Assign" in holder:  # a scope may not assign what an outer one has
                holder["Assign"] = {f"d{depth}{name}": value for name, value in holder["Assign"].items()}
        return state

    def _jsonata(self, kind: str) -> dict[str, Any]:
        found: dict[str, Any] = {"QueryLanguage": "JSONata"} | self.drawn(Output=JSONATA)
        if kind == "Task":
            found |= {"Resource": self.draw(st.sampled_from(RESOURCES))}
            found |= self.drawn(Arguments=JSONATA, TimeoutSeconds=st.sampled_from([4, "{% 2 + 3 %}"]))
        if kind != "Succeed":
            found |= self.drawn(Assign=st.just({"seen": "{% $states.input %}", "r": "{% $random() %}"}))
        return found

    def catch(self, later: list[str], errors: list[str]) -> dict[str, Any]:
        rule = {"ErrorEquals": errors, "Next": self.draw(st.sampled_from(later))}
        return rule | self.draw(fields(ResultPath=FLOW["ResultPath"], Assign=st.just({"error.$": "$.Error"})))  # type: ignore[no-any-return]

    def drawn(self, **strategies: st.SearchStrategy[Any]) -> dict[str, Any]:
        return self.draw(fields(**strategies))  # type: ignore[no-any-return]

    def _pass(self, later: list[str], depth: int) -> dict[str, Any]:
        return self.drawn(**FLOW, **ASSIGN, Result=st.sampled_from([1, "text", {"r": [1, 2]}, [], False]))

    def _task(self, later: list[str], depth: int) -> dict[str, Any]:
        timeouts = st.sampled_from([{}, {"TimeoutSeconds": 4}, {"TimeoutSeconds": 6, "HeartbeatSeconds": 3}])
        found: dict[str, Any] = {"Resource": self.draw(st.sampled_from(RESOURCES)), **self.draw(timeouts)}
        return found | self.drawn(**FLOW, **SELECT, **ASSIGN)

    def _wait(self, later: list[str], depth: int) -> dict[str, Any]:
        forms = [
            {"Seconds": 0},
            {"Seconds": 3},
            {"Timestamp": "2025-01-01T00:00:05Z"},
            {"SecondsPath": "$$.Execution.Input.n"},
        ]
        return self.draw(st.sampled_from(forms)) | self.drawn(InputPath=PATHS, **ASSIGN)  # type: ignore[no-any-return]

    def _choice(self, later: list[str], depth: int) -> dict[str, Any]:
        rules: list[dict[str, Any]] = [
            {"Variable": "$.n", "IsPresent": True},
            {"Variable": "$$.Execution.Input.n", "NumericGreaterThan": 5},
            {"And": [{"Variable": "$.r", "IsPresent": True}, {"Not": {"Variable": "$.r", "IsNull": True}}]},
        ]
        chosen = self.draw(st.lists(st.sampled_from(rules), min_size=1, max_size=2, unique_by=str))
        return {
            "Choices": [{**rule, "Next": self.draw(st.sampled_from(later))} for rule in chosen],
            "Default": later[0],
        }

    def _succeed(self, later: list[str], depth: int) -> dict[str, Any]:
        return self.drawn(InputPath=PATHS)

    def _fail(self, later: list[str], depth: int) -> dict[str, Any]:
        return self.drawn(Error=st.sampled_from(["A", "B"]), CausePath=st.just("$$.State.Name"))

    def _map(self, later: list[str], depth: int) -> dict[str, Any]:
        items = ["$$.Execution.Input.items", "$$.Execution.Input.items", "$$.Execution.Input.none", "$.items"]
        found: dict[str, Any] = {"ItemProcessor": self.scope(depth - 1), "ItemsPath": self.draw(st.sampled_from(items))}
        if self.draw(st.integers(0, 3)) == 0:
            kind = self.draw(st.sampled_from(["STANDARD", "EXPRESS"]))
            found["ItemProcessor"]["ProcessorConfig"] = {"Mode": "DISTRIBUTED", "ExecutionType": kind}
            batcher = st.sampled_from([{"MaxItemsPerBatch": 2}, {"MaxItemsPerBatch": 1, "BatchInput": {"b": 1}}])
            found |= self.drawn(ToleratedFailureCount=st.integers(0, 2), ItemBatcher=batcher)
        selector = st.just({"v.$": "$$.Map.Item.Value", "i.$": "$$.Map.Item.Index"})
        flow = {name: strategy for name, strategy in FLOW.items() if name != "Parameters"}
        return found | self.drawn(MaxConcurrency=st.integers(0, 3), ItemSelector=selector, **flow, **SELECT, **ASSIGN)

    def _parallel(self, later: list[str], depth: int) -> dict[str, Any]:
        branches = [self.scope(depth - 1) for _ in range(self.draw(st.integers(1, 3)))]
        return {"Branches": branches} | self.drawn(**FLOW, **SELECT, **ASSIGN)


@st.composite
def machines(draw: Callable[[st.SearchStrategy[Any]], Any]) -> dict[str, Any]:
    return Writer(draw).scope(DEPTH)


# ---- answers


def outcome_of(call: TaskCall, seed: int) -> tuple[Outcome, float]:
    """Answer a task by what it is and by the seed alone, so that any two runs agree."""
    chance = random.Random(f"{seed}/{call.frame.engine.index}/{call.state}/{call.path}/{call.attempt}")
    delay = chance.choice([0, 0, 0, 1, 2, 5])
    kind = chance.random()
    if kind < 0.6:
        submitted = {"SubmittedAt": 1} if call.service.pattern != "request" else None
        return Outcome(
            "succeeded", chance.choice([{"r": [1]}, 5, None, [], {"a": {"b": 2}}]), submitted=submitted
        ), delay
    if kind < 0.9:
        return Outcome("failed", error=chance.choice(ERRORS), cause=chance.choice(["why", None])), delay
    return Outcome("never"), 0


def begin(definition: dict[str, Any], seed: int) -> Engine:
    program = compile_program(definition)
    return Engine(program, copy.deepcopy(INPUT), Names("laws", "run"), Limits.of("STANDARD"), START, seed)


def go(engine: Engine, seed: int, after_step: Callable[[Engine], Engine]) -> Engine:
    """Run an engine to its end; whatever `after_step` gives goes on in its place."""
    while engine.status == "RUNNING":
        engine.drain()
        engine = after_step(engine)
        calls = engine.take_calls()
        for call in calls:
            call.frame.engine.answer(call.task, *outcome_of(call, seed))
        if not calls and engine.status == "RUNNING" and not engine.ready and not engine.tick():
            raise AssertionError("nothing is left to do, and yet it runs")
        engine = after_step(engine)
    return engine


def run(definition: dict[str, Any], seed: int = 1) -> Engine:
    return go(begin(definition, seed), seed, lambda engine: engine)


def raw(engine: Engine) -> list[dict[str, Any]]:
    return list(log.events(engine.log))


# ---- the laws


@given(machines())
@settings(max_examples=60)
def test_generated_machines_are_accepted_by_the_checks_of_definitions(definition: dict[str, Any]) -> None:
    assert [str(diagnostic) for diagnostic in StateMachine.load(definition).errors] == []


@given(machines(), st.integers(0, 5))
@settings(max_examples=150)
def test_every_run_ends_and_its_history_is_well_formed(definition: dict[str, Any], seed: int) -> None:
    engine = run(definition, seed)
    assert engine.status in ("SUCCEEDED", "FAILED", "TIMED_OUT")
    event(engine.status)
    assert_well_formed(raw(engine), engine)


def assert_well_formed(events: list[dict[str, Any]], engine: Engine) -> None:
    assert [found["id"] for found in events] == list(range(1, len(events) + 1))
    assert all(found["previousEventId"] < found["id"] for found in events)
    moments = [found["timestamp"] for found in events]
    assert moments == sorted(moments)
    assert events[0]["type"] == "ExecutionStarted"
    assert [found["type"] in TERMINAL for found in events] == [False] * (len(events) - 1) + [True]
    count = Counter(found["type"] for found in events)
    troubled = [kind for kind in count if kind.endswith(("Failed", "Aborted", "TimedOut"))]
    for kind in ("Pass", "Task", "Choice", "Wait", "Succeed", "Parallel", "Map"):
        entered, exited = count[f"{kind}StateEntered"], count[f"{kind}StateExited"]
        assert exited <= entered
        assert exited == entered or troubled
    assert count["MapIterationStarted"] >= sum(
        count[f"MapIteration{end}"] for end in ("Succeeded", "Failed", "Aborted")
    )
    if engine.status == "SUCCEEDED":
        assert count["MapIterationStarted"] == sum(
            count[f"MapIteration{end}"] for end in ("Succeeded", "Failed", "Aborted")
        )
    assert engine.tasks == {}
    assert not engine.ready


@given(machines(), st.integers(0, 5))
@settings(max_examples=60)
def test_the_same_seed_gives_the_same_history(definition: dict[str, Any], seed: int) -> None:
    assert raw(run(definition, seed)) == raw(run(copy.deepcopy(definition), seed))


@given(machines(), st.integers(0, 3))
@settings(max_examples=100)
def test_a_run_that_is_written_down_and_read_back_at_every_step_ends_the_same(
    definition: dict[str, Any], seed: int
) -> None:
    program = compile_program(copy.deepcopy(definition))
    steps = 0

    def reopened(engine: Engine) -> Engine:
        nonlocal steps
        steps += 1
        return thaw(program, json.loads(json.dumps(freeze(engine))))

    interrupted = go(begin(definition, seed), seed, reopened)
    whole = run(definition, seed)
    assert raw(interrupted) == raw(whole)
    assert (interrupted.status, interrupted.output) == (whole.status, whole.output)
    assert steps >= 2


@given(machines(), st.integers(0, 3))
@settings(max_examples=60)
def test_what_has_been_logged_never_changes_and_neither_does_definition_or_input(
    definition: dict[str, Any], seed: int
) -> None:
    before = copy.deepcopy(definition)
    seen: list[str] = []

    def look(engine: Engine) -> Engine:
        ended = engine.status != "RUNNING"
        for number in range(len(seen) + 1, len(engine.log) // log.STRIDE + (0 if ended else 1)):
            seen.append(json.dumps(log.event(engine.log, number), default=str))
        return engine

    engine = go(begin(definition, seed), seed, look)
    assert [json.dumps(found, default=str) for found in raw(engine)][: len(seen)] == seen
    assert definition == before
    assert engine.input == INPUT


@given(machines(), st.integers(0, 3))
@settings(max_examples=60)
def test_a_history_reads_the_same_from_its_events_alone(definition: dict[str, Any], seed: int) -> None:
    engine = run(definition, seed)
    local = History.of_log(engine.log)
    copied = History.from_events(copy.deepcopy(raw(engine)))
    assert copied.visits == local.visits
    assert copied.raw == local.raw
    entered = [found for found in raw(engine) if found["type"].endswith("StateEntered")]
    assert len(local.visits) == len(entered)


@given(machines(), st.integers(0, 3), st.integers(1, 40))
@settings(max_examples=60)
def test_a_run_can_stop_at_any_event_and_go_on_as_if_it_had_not(definition: dict[str, Any], seed: int, at: int) -> None:
    def look_up(engine: Engine) -> Engine:
        engine.stop_at = 0
        engine.reset_fence()
        return engine

    engine = begin(definition, seed)
    engine.stop_at = at * log.STRIDE
    engine.reset_fence()
    engine.drain()
    assert raw(go(look_up(engine), seed, lambda found: found)) == raw(run(definition, seed))


@given(machines(), st.integers(0, 2), st.integers(0, 30))
@settings(max_examples=60)
def test_an_abort_at_any_moment_leaves_a_well_formed_history(definition: dict[str, Any], seed: int, at: int) -> None:
    steps = 0

    def stop(engine: Engine) -> Engine:
        nonlocal steps
        steps += 1
        if steps == at:
            engine.abort("Stopped", "by hand")
        return engine

    engine = go(begin(definition, seed), seed, stop)
    events = raw(engine)
    assert events[-1]["type"] in TERMINAL
    if engine.status == "ABORTED":
        assert events[-1]["executionAbortedEventDetails"] == {"error": "Stopped", "cause": "by hand"}
        size = len(engine.log)
        assert not engine.tick()
        engine.drain()
        assert engine.take_calls() == []
        assert len(engine.log) == size


@given(machines(), st.integers(0, 3))
@settings(max_examples=40)
def test_a_tight_limit_of_events_is_kept_whatever_happens(definition: dict[str, Any], seed: int) -> None:
    whole = raw(run(definition, seed))
    for most in {3, len(whole) // 2, len(whole) - 1, len(whole)}:
        if most < 3:
            continue
        program = compile_program(definition)
        engine = Engine(program, copy.deepcopy(INPUT), Names("laws", "run"), Limits(events=most), START, seed)
        found = raw(go(engine, seed, lambda same: same))
        assert len(found) <= most
        if most == len(whole):
            assert found == whole
        elif len(found) == most and whole[most - 1]["type"] not in TERMINAL:
            assert found[-1]["type"] == "ExecutionFailed"
            assert found[: most - 1] == whole[: most - 1]


PASSES = fields(
    InputPath=st.sampled_from(
        ["$.a", "$.a.c", "$$.Execution.Input", "$.text", "null", "$..b", "$.items[0:2]", "$$.State"]
    ),
    Parameters=st.sampled_from([{"v.$": "$"}, {"v.$": "$", "w.$": "$"}, {"k": "ünï", "s.$": "States.JsonToString($)"}]),
    Result=st.sampled_from([1, "ü" * 20, {"r": [1, 2]}]),
    ResultPath=st.sampled_from(
        ["$.r", "$.a.r", "$.ä['long key \\'quoted\\'']", "null", "$.deep.er.still", "$.items[0]"]
    ),
    OutputPath=st.sampled_from(["$.a", "$.r", "$.deep", "$$.Execution.Input", "null", "$['a','n']"]),
)


@given(st.lists(PASSES, min_size=1, max_size=6), st.integers(-2, 2), st.integers(0, 5))
@settings(max_examples=300)
def test_the_bound_that_stands_in_for_the_size_of_data_is_never_too_low_and_never_refuses_what_fits(
    flows: list[dict[str, Any]], offset: int, pick: int
) -> None:
    states: dict[str, Any] = {f"P{n}": {"Type": "Pass", **flow, "Next": f"P{n + 1}"} for n, flow in enumerate(flows)}
    program = compile_program({"StartAt": "P0", "States": states | {f"P{len(flows)}": {"Type": "Succeed"}}})

    def run_within(limit: float) -> Engine:
        engine = Engine(program, copy.deepcopy(INPUT), Names("laws", "run"), Limits(payload=limit), START, 1)
        engine.drain()
        return engine

    free = raw(run_within(float("inf")))
    outputs = [found["stateExitedEventDetails"]["output"] for found in free if found["type"].endswith("StateExited")]
    sizes = [len(output.encode()) for output in outputs] or [0]
    limit = max(sizes[pick % len(sizes)] + offset, len(json.dumps(INPUT, separators=(",", ":"))))
    engine = run_within(limit)
    if max(sizes) > limit:
        assert engine.failure is not None
        assert engine.failure.error == "States.DataLimitExceeded"
        first = next(n for n, size in enumerate(sizes) if size > limit)
        assert len(engine.log) // log.STRIDE == 1 + 2 * first + 2
    else:
        assert raw(engine) == free
