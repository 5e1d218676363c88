"""The stages of one state visit, recomputed: AWS's `inspectionData`.

Owns the order of the stages and their names (input, afterInputPath, afterParameters, afterArguments, result, ...). It writes no
semantics: each stage is the data flow of a state that has this one field only, compiled by `dataflow`, so a run and its inspection
cannot disagree. A run records no stages; whoever wants them calls `inspect_state` with a frame whose `data` and `variables` are those
at entry, and with the state's result where it has one.

Values are plain JSON. A stage that fails ends the list: `raised` says why, and what came before it stays to be looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sfn_notebook.engine import flow_jsonata, flow_jsonpath
from sfn_notebook.engine.dataflow import Flow, compile_flow, compile_value
from sfn_notebook.engine.distributed import MapRun
from sfn_notebook.engine.frames import Failure
from sfn_notebook.engine.numbers import percentage, whole
from sfn_notebook.errors import Json
from sfn_notebook.lang.environment import EvaluationFailure

if TYPE_CHECKING:
    from sfn_notebook.engine.frames import Frame
    from sfn_notebook.engine.model import State

MISSING: Any = object()
"""Stands for "there is none" where null is a value."""

WITH_RESULT = frozenset({"Task", "Parallel", "Map"})
"""States that wait for a result; a Pass state makes its own."""


@dataclass(slots=True)
class Inspection:
    """What is known of one visit.

    Attributes:
        stages: AWS's stage names and their values, in the order of processing.
        iterations: how many items a Map has; None for other states, and where an ItemReader's items are not known.
        output: what the next state gets, as far as the data-flow fields decide it; MISSING without a result.
        raised: why the stages end early, or None.
    """

    stages: dict[str, Json] = field(default_factory=dict)
    iterations: int | None = None
    output: Json = MISSING
    raised: EvaluationFailure | Failure | None = None


Read = Callable[[dict[str, Json]], list[Json]]
"""(an ItemReader with its fields evaluated) -> the items that it finds."""


def inspect_state(state: State, frame: Frame, result: Json = MISSING, *, read: Read | None = None) -> Inspection:
    """Recompute the stages of one visit.

    Args:
        state: the state.
        frame: its surroundings at entry: `data` is the input, `variables` those in scope.
        result: the result of the task or of the children; MISSING when there was none.
        read: what answers an ItemReader; without it, the items that one reads are not known.

    Returns:
        The stages as far as they go.
    """
    found = Inspection({"input": frame.data})
    try:
        effective = _input_side(state, frame, found.stages)
        if state.type == "Map":
            _map_side(state, frame, effective, read, found)
        if state.type == "Pass":
            _output_side(state, frame, effective, found)
        elif state.type in WITH_RESULT and result is not MISSING:
            found.stages["result"] = result
            _output_side(state, frame, result, found)
    except (EvaluationFailure, Failure) as raised:
        found.raised = raised
    return found


def _only(state: State, name: str) -> Flow:
    """Compile the data flow of a state of this type with one field."""
    definition = state.definition
    return compile_flow(
        {"Type": state.type, **({name: definition[name]} if name in definition else {})}, state.language
    )


def _input_side(state: State, frame: Frame, stages: dict[str, Json]) -> Json:
    """Go from the input to what the state works on; for a Pass state that is its result."""
    if state.type == "Pass" and "Result" in state.definition and state.language != "JSONata":
        stages["result"] = state.definition["Result"]  # what would fill the input is not evaluated then
        return state.definition["Result"]
    if state.language == "JSONata":
        arguments = _only(state, "Arguments").effective
        if arguments is None:
            return frame.data
        stages["afterArguments"] = arguments(frame.data, frame)
        return stages["afterArguments"]
    view = _only(state, "InputPath").effective
    data = stages["afterInputPath"] = frame.data if view is None else view(frame.data, frame)
    if state.type in ("Pass", "Task", "Parallel"):
        fill = _only(state, "Parameters").effective
        data = stages["afterParameters"] = data if fill is None else fill(data, frame)
    return data


def _output_side(state: State, frame: Frame, result: Json, found: Inspection) -> None:
    """Go from the result to the output."""
    if state.language == "JSONata":
        output = _only(state, "Output").complete
        found.output = result if output is None else output(frame.data, result, frame)
        return
    for name, stage in (("ResultSelector", "afterResultSelector"), ("ResultPath", "afterResultPath")):
        step = _only(state, name).complete
        result = found.stages[stage] = result if step is None else step(frame.data, result, frame)
    output = _only(state, "OutputPath").complete
    found.output = result if output is None else output(frame.data, result, frame)


# ---- Map


def _map_side(state: State, frame: Frame, data: Json, read: Read | None, found: Inspection) -> None:
    """Find the items, what each iteration gets, and the numbers that govern the iterations."""
    definition, stages = state.definition, found.stages
    processor = definition.get("ItemProcessor") or definition.get("Iterator") or {}
    if processor.get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED":
        _distributed_items(state, frame, data, read, found)
    else:
        _inline_items(state, frame, data, found)
    stages["maxConcurrency"] = _number(state, "MaxConcurrency", data, frame, whole) or 0
    count = _number(state, "ToleratedFailureCount", data, frame, whole)
    if count is not None:
        stages["toleratedFailureCount"] = count
    share = _number(state, "ToleratedFailurePercentage", data, frame, lambda value, _, rule: percentage(value, rule))
    if share is not None:
        stages["toleratedFailurePercentage"] = share


def _number(
    state: State, name: str, data: Json, frame: Frame, read: Callable[[Json, str, dict[str, Json]], Any]
) -> Any:
    value = compile_value(state.definition, name, state.language)
    return None if value is None else read(value(data, frame), name, state.definition)


def _inline_items(state: State, frame: Frame, data: Json, found: Inspection) -> None:
    flow = flow_jsonata if state.language == "JSONata" else flow_jsonpath
    items = flow.compile_items(state.definition)(data, frame)
    found.iterations = len(items)
    if flow is flow_jsonpath:
        found.stages["afterItemsPath"] = items
    select = flow.compile_selector(state.definition)
    if select is not None:
        found.stages["afterItemSelector"] = [select(data, frame, index, item) for index, item in enumerate(items)]


def _distributed_items(state: State, frame: Frame, data: Json, read: Read | None, found: Inspection) -> None:
    """Let a Map Run that never starts take the items; those of an ItemReader are known only when it is answered."""
    plan = state.plan
    assert plan is not None
    if plan.reader is not None:
        if read is None:
            return
        call = plan.reader(data, frame)
        items: Json = read(call)
        if "ItemsPointer" in call["ReaderConfig"]:
            found.stages["afterItemsPointer"] = items
    else:
        items = plan.items(data, frame)
        if state.language != "JSONata":
            found.stages["afterItemsPath"] = items
    single = MapRun(frame.engine, frame, replace(plan, batcher=None))
    single.take_items(items, data)
    found.iterations = single.total
    if plan.selector is not None:
        found.stages["afterItemSelector"] = [single.selected(index, data) for index in range(single.total)]
    if plan.batcher is not None:
        batched = MapRun(frame.engine, frame, plan)
        batched.take_items(items, data)
        found.stages["afterItemBatcher"] = batched.inputs
