"""What a debugger shows where it stands: `Where`, with the stages of the data flow and what each of them changed.

Everything is read from the recording: the events up to the position, and the engine set back to the moment at which the state began.
The stages are recomputed by `engine.inspect`; where random numbers or task tokens are involved, what was recorded takes their place.
Nothing here moves the debugger or calls a handler.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sfn_notebook.engine.frames import Frame
from sfn_notebook.engine.inspect import MISSING, WITH_RESULT, inspect_state
from sfn_notebook.engine.task import parse_resource
from sfn_notebook.errors import Json, Span
from sfn_notebook.history.compare import Change, json_diff
from sfn_notebook.history.events import Event
from sfn_notebook.history.places import Place, place_text
from sfn_notebook.history.records import Visit
from sfn_notebook.history.snapshot import Alarm
from sfn_notebook.sim.handlers import CallRecord
from sfn_notebook.sim.line import Line, PendingTask, beginning, inside, visit_at
from sfn_notebook.sim.recording import Recording
from sfn_notebook.strictjson import json_text

if TYPE_CHECKING:
    from sfn_notebook.api.machine import StateMachine
    from sfn_notebook.engine.model import State

AGAINST = {
    "afterInputPath": "input",
    "afterParameters": "afterInputPath",
    "afterArguments": "input",
    "afterItemsPath": "afterInputPath",
    "afterResultSelector": "result",
    "afterResultPath": "input",
    "variables": "variables before",
}
"""Stage -> the stage that it is compared with; `output` is compared with the one before it."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a state's data flow.

    Attributes:
        name: as in AWS's inspectionData, then `output` and `variables`.
        value: the data after it.
        against: the stage that it is compared with; "" for data that comes from outside.
        changes: what it changed.
        error: why the stages end here, or None.
    """

    name: str
    value: Json
    against: str = ""
    changes: tuple[Change, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Where:
    """What there is to see at a position.

    Attributes:
        position: number of events so far.
        event: the last of them.
        state: name of the state that it belongs to; None between states.
        type: its type.
        place: the way through Map and Parallel states, from the outside in: (state, index).
        visit: id of its StateEntered event.
        status: of the visit: RUNNING, SUCCEEDED, FAILED, CAUGHT, ...
        phase: how far a running state is: "entered", "scheduled", "started", "failed", ...
        attempt: number of the attempt, from 1.
        input: what the state was given.
        data: what it has got so far, or the last payload seen.
        variables: those that it can read.
        context: the context object.
        definition: the state's definition.
        pointer: JSON Pointer of it.
        lines: where it stands in the source.
        source: those lines.
        stages: its data flow so far.
        pending: tasks that wait for an answer.
        timers: what time will bring.
        calls: what its handlers printed and raised.
    """

    position: int
    event: Event | None
    status: str
    place: Place
    data: Json
    variables: dict[str, Json]
    state: str | None = None
    type: str | None = None
    visit: int | None = None
    phase: str = ""
    attempt: int = 1
    input: Json = None
    error: str | None = None
    cause: str | None = None
    context: Mapping[str, Json] = field(default_factory=dict)
    definition: Mapping[str, Json] = field(default_factory=dict)
    pointer: str = ""
    lines: Span | None = None
    source: str = ""
    stages: tuple[Stage, ...] = ()
    pending: tuple[PendingTask, ...] = ()
    timers: tuple[Alarm, ...] = ()
    calls: tuple[CallRecord, ...] = ()

    @property
    def path(self) -> str:
        """The place as text: `Orders[3]/Checks[0]`."""
        return place_text(self.place)

    @property
    def time(self) -> datetime | None:
        """The time of the last event."""
        return None if self.event is None else self.event.get("timestamp")

    def __str__(self) -> str:
        return "\n".join(_lines(self))


def _lines(where: Where) -> Iterator[str]:
    kind = where.event["type"] if where.event else "before the start"
    place = f" in {where.path}" if where.path else ""
    state = (
        f'"{where.state}" ({where.type}){place}, {where.phase or where.status}' if where.state else f"no state{place}"
    )
    attempt = f", attempt {where.attempt}" if where.attempt > 1 else ""
    yield f"event {where.position} {kind}: {state}{attempt}"
    if where.error is not None:
        yield f"  error {where.error}: {_short(where.cause)}"
    for stage in where.stages:
        yield f"  {stage.name:<20} {_short(stage.value)}"
        if stage.error is not None:
            yield f"    ! {stage.error}"
        for change in stage.changes[:5]:
            yield f"    {change}"
    if not where.stages:
        yield f"  data {_short(where.data)}"
    for name, value in where.variables.items():
        yield f"  ${name} = {_short(value)}"
    for task in where.pending:
        yield f"  waits: {task}"
    for timer in where.timers:
        yield f"  at {timer.time:%Y-%m-%d %H:%M:%S}: {timer.what} {timer.state}".rstrip()
    for call in where.calls:
        if call.printed:
            yield f"  printed: {call.printed.rstrip()}"
        if call.traceback:
            yield call.traceback.rstrip()


def _short(value: Json, most: int = 90) -> str:
    text = json_text(value)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def context_of(recording: Recording, position: int, visit: Visit) -> dict[str, Json]:
    """Give the context object that a visit sees."""
    frame = inside(recording, position, visit.id)
    if frame is None:
        token = _token(recording, visit)
        began = beginning(recording, visit.id, visit.name)
        if began is None:
            return {}
        frame = _entered(began, visit, token)
    return frame.context()


def _token(recording: Recording, visit: Visit) -> str:
    """Give the task token of a visit's last attempt; "" where none was issued. The engine is somewhere else afterwards."""
    if visit.type != "Task":
        return ""
    state = next(state for state in recording.program.states if state.name == visit.name)
    service = parse_resource(state.definition["Resource"])
    if service.pattern == "request" and not service.outside:
        return ""
    frame = inside(recording, visit.task_attempts[-1].event if visit.task_attempts else visit.id, visit.id)
    return "" if frame is None else frame.token


def _entered(frame: Frame, visit: Visit, token: str) -> Frame:
    """Copy a frame that is about to enter a state as it is right after."""
    engine = frame.engine
    new = Frame(engine, frame.state, frame.data, frame.variables, frame.prev, frame.bound)
    new.join, new.index, new.item = frame.join, frame.index, frame.item
    new.entered, new.entered_at, new.before = visit.id, engine.now, frame.prev
    new.retries = [visit.attempts - 1]
    new.token = token
    return new


# ---- stages


def stages_of(recording: Recording, visit: Visit) -> tuple[Stage, ...]:
    """Give the stages of a visit's data flow, as far as it has come."""
    frame = beginning(recording, visit.id, visit.name)
    if frame is None:
        return (Stage("input", visit.input),)
    before = frame.variables
    result, token = _result(recording, visit), _token(recording, visit)
    frame = beginning(recording, visit.id, visit.name)
    assert frame is not None
    engine = frame.engine
    drawn = engine.drawn
    try:
        found = inspect_state(frame.state, _entered(frame, visit, token), result)
    finally:
        engine.drawn = drawn
    values = dict(found.stages)
    _put_recorded(values, visit)
    if visit.output_text is not None:
        values["output"] = visit.output
    held = {**before, **(visit.assigned or {})}
    if held:
        values["variables"] = held
    stages = list(_compared(values, before))
    if found.raised is not None and visit.output_text is None:
        stages.append(Stage("error", visit.error, error=getattr(found.raised, "message", str(found.raised))))
    elif visit.error is not None:
        stages.append(Stage("error", {"Error": visit.error, "Cause": visit.cause}, error=visit.error))
    return tuple(stages)


def _put_recorded(values: dict[str, Json], visit: Visit) -> None:
    """Let what a task was really given take the place of what was computed."""
    if visit.task_attempts and visit.task_attempts[-1].parameters_text is not None:
        for stage in ("afterParameters", "afterArguments"):
            if stage in values:
                values[stage] = visit.task_attempts[-1].parameters


def _compared(values: dict[str, Json], before: dict[str, Json]) -> Iterator[Stage]:
    known = {**values, "variables before": before}
    last = ""
    for name, value in values.items():
        against = last if name == "output" else AGAINST.get(name, "")
        if against not in known:
            against = ""
        same = not against or known[against] is value
        yield Stage(name, value, against, () if same else tuple(json_diff(known[against], value)))
        last = name


def _result(recording: Recording, visit: Visit) -> Json:
    """Give the result that a visit has got: a task's answer, or what iterations or branches gave."""
    if visit.type not in WITH_RESULT:
        return MISSING
    if visit.type == "Task":
        last = visit.task_attempts[-1] if visit.task_attempts else None
        return last.output if last is not None and last.status == "SUCCEEDED" else MISSING
    if visit.status != "SUCCEEDED" or visit.end_event is None:
        return MISSING
    if visit.map_run_arn is not None:
        return _map_run_result(recording, visit)
    if visit.length == 0:
        return []
    frame = inside(recording, visit.end_event - 2, visit.id)  # before the state's own Succeeded and Exited events
    return MISSING if frame is None or frame.fan is None else frame.fan.results


def _map_run_result(recording: Recording, visit: Visit) -> Json:
    """Give the result of a Distributed Map: its children's outputs, or what writing them gave."""
    assert visit.end_event is not None
    runs = recording.at(visit.end_event).engine.map_runs
    run = next((run for run in runs if run.arn == visit.map_run_arn), None)
    if run is None:  # performed as it was recorded, without children
        return visit.output
    if run.plan.writer is None:
        return run.results
    frame = inside(recording, visit.end_event - 3, visit.id)  # before MapRunSucceeded and the state's own two events
    return MISSING if frame is None else getattr(frame.outcome, "output", MISSING)


# ---- putting it together


def where(machine: StateMachine, line: Line, position: int) -> Where:
    """Describe a position of a line."""
    recording, view = line.recording, line.view(position)
    pending = tuple(line.pending(position))
    fold = line.fold(position)
    visit = visit_at(fold)
    common: dict[str, Any] = {"variables": view.variables, "pending": pending, "timers": view.timers}
    if visit is None:
        return Where(
            position, fold.event, view.status, view.place, view.data, error=view.error, cause=view.cause, **common
        )
    state = _state(machine, visit)
    lines = machine.document.locate(state.pointer) if state else None
    return Where(
        position, fold.event, visit.status, visit.place, view.data, **common,
        state=visit.name, type=visit.type, visit=visit.id, phase=_phase(visit), attempt=visit.attempts,
        input=visit.input, error=visit.error, cause=visit.cause,
        context=context_of(recording, position, visit),
        definition=state.definition if state else {}, pointer=state.pointer if state else "", lines=lines,
        source=_source(machine, lines), stages=stages_of(recording, visit),
        calls=tuple(_calls(recording.answering.responder.records, visit, recording)),
    )  # fmt: skip


def _phase(visit: Visit) -> str:
    if visit.status != "RUNNING":
        return ""
    if visit.failure is not None:
        return "failed"
    if visit.task_attempts:
        last = visit.task_attempts[-1]
        if last.status != "RUNNING":
            return last.status.lower()
        return "submitted" if last.submitted else "started" if last.started else "scheduled"
    return "started" if visit.runs else "entered"


def _calls(calls: list[CallRecord], visit: Visit, recording: Recording) -> Iterator[CallRecord]:
    """Give the records of the handler calls of a visit; of those that were made twice, the last."""
    name = recording.head.engine.names.execution
    by_task = {call.task: call for call in calls if call.execution == name and call.state == visit.name}
    ended = (attempt.event for attempt in visit.task_attempts if attempt.status != "RUNNING")
    return (by_task[event] for event in ended if event in by_task)


def _state(machine: StateMachine, visit: Visit) -> State | None:
    return next((s for s in machine.program.states if s.name == visit.name and s.type == visit.type), None)


def _source(machine: StateMachine, lines: Span | None) -> str:
    if lines is None:
        return ""
    return "\n".join(machine.document.text.split("\n")[lines.line - 1 : lines.end_line])
