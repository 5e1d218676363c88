"""The states that need nobody: Pass, Choice, Succeed, Fail and Wait.

Each `compile_…` gives the closure that performs the state for a frame. States that take no time write both of their events in one go:
appending to the log is a good part of what a loop costs. When an expression fails, the Entered event is written first, so that the
failure stands behind it, as on AWS.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sfn_notebook.engine import log as kinds
from sfn_notebook.engine.choice import compile_choices
from sfn_notebook.engine.clock import parse_seconds, parse_timestamp
from sfn_notebook.engine.dataflow import compile_value
from sfn_notebook.engine.flow_jsonpath import compile_text
from sfn_notebook.engine.frames import BUSY, ENTER, Failure
from sfn_notebook.engine.numbers import unresolved
from sfn_notebook.errors import Json
from sfn_notebook.lang.environment import EvaluationFailure
from sfn_notebook.strictjson import json_text

if TYPE_CHECKING:
    from sfn_notebook.engine.execution import Engine
    from sfn_notebook.engine.frames import Frame
    from sfn_notebook.engine.model import Run, State

STRIDE = kinds.STRIDE


def compile_pass(state: State, here: dict[str, State]) -> Run:
    """Compile a Pass state."""
    transform = _pass_transform(state)
    if state.flow.assign is not None:
        return _slow_pass(state, transform)
    name, following = state.name, state.next
    entered, exited = kinds.ENTERED["Pass"], kinds.EXITED["Pass"]
    factor, constant = state.flow.growth or (0, 0)
    unknown = state.flow.growth is None

    def run(engine: Engine, frame: Frame) -> bool:
        data = frame.data
        if transform is None:
            output = data
        else:
            try:
                output = transform(data, frame)
                bound = factor * frame.bound + constant
                if unknown or bound > engine.payload_limit:
                    bound = engine.measure(output, frame)
            except (EvaluationFailure, Failure):
                engine.enter(frame)
                raise
            frame.bound = bound
        log = engine.log
        event = len(log) // STRIDE + 1
        now = engine.now
        log.extend((frame.prev, now, entered, name, data, event, now, exited, name, output))
        frame.prev = event + 1
        frame.data = output
        if following is None:
            return engine.finish(frame)
        frame.state = following
        return True

    return run


def _pass_transform(state: State) -> Callable[[Json, Frame], Json] | None:
    """Give input -> output of a Pass state; None when nothing changes."""
    result, complete = _pass_result(state), state.flow.complete
    if complete is None:
        return result
    if result is None:
        return lambda data, frame: complete(data, data, frame)
    return lambda data, frame: complete(data, result(data, frame), frame)


def _pass_result(state: State) -> Callable[[Json, Frame], Json] | None:
    """Give input -> result of a Pass state: its literal Result, else its effective input; None when that is the input."""
    if "Result" not in state.definition or state.language == "JSONata":
        return state.flow.effective
    result = state.definition["Result"]
    return lambda data, frame: result


def _slow_pass(state: State, transform: Callable[[Json, Frame], Json] | None) -> Run:
    """Compile a Pass state that assigns variables."""
    result = _pass_result(state)

    def run(engine: Engine, frame: Frame) -> bool:
        engine.enter(frame)
        data = frame.data
        output = data if transform is None else transform(data, frame)
        assigned = engine.assigned(frame, data if result is None else result(data, frame))
        return engine.leave(frame, output, assigned=assigned)

    return run


def compile_choice(state: State, here: dict[str, State]) -> Run:
    """Compile a Choice state: the first rule that matches gives the next state, and its own Assign and Output."""
    choose = compile_choices(state, here)
    effective, complete = state.flow.effective, state.flow.complete
    name = state.name
    entered, exited = kinds.ENTERED["Choice"], kinds.EXITED["Choice"]
    plain = complete is None and state.flow.assign is None and not choose.custom
    select = choose.select

    def run(engine: Engine, frame: Frame) -> bool:
        data = frame.data
        if not plain or effective is not None:
            return careful(engine, frame)
        try:
            following, _ = select(data, frame)
        except (EvaluationFailure, Failure):
            engine.enter(frame)
            raise
        log = engine.log
        event = len(log) // STRIDE + 1
        now = engine.now
        log.extend((frame.prev, now, entered, name, data, event, now, exited, name, data))
        frame.prev = event + 1
        frame.state = following
        return True

    def careful(engine: Engine, frame: Frame) -> bool:
        engine.enter(frame)
        data = frame.data if effective is None else effective(frame.data, frame)
        following, rule = select(data, frame)
        assign = state.flow.assign if rule is None else rule.assign
        finish = complete if rule is None or rule.output is None else rule.output
        output = data if finish is None else finish(data, data, frame)
        assigned = None if assign is None else engine.assigned(frame, data, assign)
        return engine.leave(frame, output, assigned=assigned, following=following)

    return run


def compile_succeed(state: State, here: dict[str, State]) -> Run:
    """Compile a Succeed state: it ends its scope with its output."""
    effective, complete = state.flow.effective, state.flow.complete

    def run(engine: Engine, frame: Frame) -> bool:
        engine.enter(frame)
        data = frame.data if effective is None else effective(frame.data, frame)
        return engine.leave(frame, data if complete is None else complete(data, data, frame))

    return run


def compile_fail(state: State, here: dict[str, State]) -> Run:
    """Compile a Fail state: absent Error and Cause stay absent (recorded)."""
    if state.language == "JSONata":
        error, cause = (compile_value(state.definition, field, "JSONata") for field in ("Error", "Cause"))
    else:
        error, cause = (compile_text(state.definition, field) for field in ("Error", "Cause"))

    def run(engine: Engine, frame: Frame) -> bool:
        engine.enter(frame)
        raise Failure(*(None if f is None else _text(f(frame.data, frame)) for f in (error, cause)))

    return run


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise EvaluationFailure(f"The Error and Cause of a Fail state must be text, but found: {json_text(value)}")
    return value


def compile_wait(state: State, here: dict[str, State]) -> Run:
    """Compile a Wait state in its four forms (and JSONata's expressions for two of them)."""
    until = _wait_end(state)
    effective, complete, assign = state.flow.effective, state.flow.complete, state.flow.assign

    def run(engine: Engine, frame: Frame) -> bool:
        if frame.phase == ENTER:
            engine.enter(frame)
            data = frame.data if effective is None else effective(frame.data, frame)
            end = until(data, frame, engine.now)
            if end > engine.now:
                frame.phase = BUSY
                engine.wake_at(end, frame)
                return False
        data = frame.data if effective is None else effective(frame.data, frame)
        assigned = None if assign is None else engine.assigned(frame, data)
        return engine.leave(frame, data if complete is None else complete(data, data, frame), assigned=assigned)

    return run


def _wait_end(state: State) -> Callable[[Json, Frame, int], int]:
    """Give (effective input, frame, now) -> the moment when the wait ends, in milliseconds."""
    definition, jsonata = state.definition, state.language == "JSONata"
    if isinstance(definition.get("Seconds"), str) and not jsonata:
        return _unresolved(definition["Seconds"], state.name)
    if "Seconds" in definition and not jsonata:
        duration = int(definition["Seconds"] * 1000)
        return lambda data, frame, now: now + duration
    field = "Seconds" if "Seconds" in definition or "SecondsPath" in definition else "Timestamp"
    read = parse_seconds if field == "Seconds" else parse_timestamp
    value = compile_value(definition, field, state.language)
    path = definition.get(f"{field}Path")
    assert value is not None

    def end(data: Json, frame: Frame, now: int) -> int:
        try:
            found = value(data, frame)
        except EvaluationFailure as failure:
            if path is None:
                raise
            raise EvaluationFailure(f"The {field}Path parameter does not reference an input value: {path}") from failure
        return read(found, now, path, field)

    return end


def _unresolved(value: str, state: str) -> Callable[[Json, Frame, int], int]:
    def end(data: Json, frame: Frame, now: int) -> int:
        raise unresolved(value, "Seconds", state)

    return end
