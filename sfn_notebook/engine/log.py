"""The event log of a run, and its form as the service gives it.

The engine appends to one flat list, `STRIDE` entries an event: previousEventId, time (milliseconds since 1970, UTC), kind, subject,
payload. The id of an event is its position. Payloads are references to values that nobody changes, so appending costs no copy;
the dict that boto3 would give, with its JSON text, is built when somebody asks for it.

A kind is an index into `KINDS`: the event type of AWS, the name of its details member, and how subject and payload become
details. Adding an event type is one entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import NamedTuple

from sfn_notebook.errors import Json
from sfn_notebook.strictjson import json_text

STRIDE = 5
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Shape(Enum):
    """How the subject and payload of an event become its details."""

    BARE = "no details member"
    DETAILS = "subject is the details dict, or None for an empty one"
    INPUT = "subject: name or details; payload: JSON value under `input`"
    OUTPUT = "subject: name or details; payload: JSON value under `output`"
    ASSIGNED = "subject: name; payload: [output, assigned variables]"
    PARAMETERS = "subject: details; payload: JSON value under `parameters`"
    INDEX = "subject: name; payload: index"
    LENGTH = "payload: length"


class Kind(NamedTuple):
    """One kind of event."""

    type: str
    member: str
    shape: Shape


KINDS: list[Kind] = []


def _kind(event_type: str, member: str, shape: Shape) -> int:
    KINDS.append(Kind(event_type, member, shape))
    return len(KINDS) - 1


def _member(event_type: str) -> str:
    return event_type[0].lower() + event_type[1:] + "EventDetails"


def _own(event_type: str, shape: Shape) -> int:
    return _kind(event_type, _member(event_type), shape)


EXECUTION_STARTED = _own("ExecutionStarted", Shape.INPUT)
EXECUTION_SUCCEEDED = _own("ExecutionSucceeded", Shape.OUTPUT)
EXECUTION_FAILED = _own("ExecutionFailed", Shape.DETAILS)
EXECUTION_TIMED_OUT = _own("ExecutionTimedOut", Shape.DETAILS)
EXECUTION_ABORTED = _own("ExecutionAborted", Shape.DETAILS)
EVALUATION_FAILED = _own("EvaluationFailed", Shape.DETAILS)

STATE_TYPES = ("Pass", "Task", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map")
ENTERED = {t: _kind(f"{t}StateEntered", "stateEnteredEventDetails", Shape.INPUT) for t in STATE_TYPES}
EXITED = {t: _kind(f"{t}StateExited", "stateExitedEventDetails", Shape.OUTPUT) for t in STATE_TYPES if t != "Fail"}
EXITED_ASSIGNED = {
    t: _kind(f"{t}StateExited", "stateExitedEventDetails", Shape.ASSIGNED) for t in EXITED if t != "Succeed"
}
ABORTED = {t: _kind(f"{t}StateAborted", "", Shape.BARE) for t in ("Task", "Wait", "Parallel", "Map")}
STARTED = {"Parallel": _kind("ParallelStateStarted", "", Shape.BARE), "Map": _own("MapStateStarted", Shape.LENGTH)}
SUCCEEDED = {t: _kind(f"{t}StateSucceeded", "", Shape.BARE) for t in ("Parallel", "Map")}
FAILED = {t: _kind(f"{t}StateFailed", "", Shape.BARE) for t in ("Parallel", "Map")}
ITERATION_STARTED = _own("MapIterationStarted", Shape.INDEX)
ITERATION_SUCCEEDED = _own("MapIterationSucceeded", Shape.INDEX)
ITERATION_FAILED = _own("MapIterationFailed", Shape.INDEX)
ITERATION_ABORTED = _own("MapIterationAborted", Shape.INDEX)
MAP_RUN_STARTED = _own("MapRunStarted", Shape.DETAILS)
MAP_RUN_SUCCEEDED = _kind("MapRunSucceeded", "", Shape.BARE)
MAP_RUN_FAILED = _own("MapRunFailed", Shape.DETAILS)
MAP_RUN_ABORTED = _kind("MapRunAborted", "", Shape.BARE)

TASK_SCHEDULED = _own("TaskScheduled", Shape.PARAMETERS)
TASK_STARTED = _own("TaskStarted", Shape.DETAILS)
TASK_SUBMITTED = _own("TaskSubmitted", Shape.OUTPUT)
TASK_SUCCEEDED = _own("TaskSucceeded", Shape.OUTPUT)
TASK_FAILED = _own("TaskFailed", Shape.DETAILS)
TASK_TIMED_OUT = _own("TaskTimedOut", Shape.DETAILS)
TASK_START_FAILED = _own("TaskStartFailed", Shape.DETAILS)
TASK_SUBMIT_FAILED = _own("TaskSubmitFailed", Shape.DETAILS)
LAMBDA_SCHEDULED = _own("LambdaFunctionScheduled", Shape.INPUT)
LAMBDA_STARTED = _kind("LambdaFunctionStarted", "", Shape.BARE)
LAMBDA_SUCCEEDED = _own("LambdaFunctionSucceeded", Shape.OUTPUT)
LAMBDA_FAILED = _own("LambdaFunctionFailed", Shape.DETAILS)
LAMBDA_TIMED_OUT = _own("LambdaFunctionTimedOut", Shape.DETAILS)
LAMBDA_SCHEDULE_FAILED = _own("LambdaFunctionScheduleFailed", Shape.DETAILS)
LAMBDA_START_FAILED = _own("LambdaFunctionStartFailed", Shape.DETAILS)
ACTIVITY_SCHEDULED = _own("ActivityScheduled", Shape.INPUT)
ACTIVITY_STARTED = _own("ActivityStarted", Shape.DETAILS)
ACTIVITY_SUCCEEDED = _own("ActivitySucceeded", Shape.OUTPUT)
ACTIVITY_FAILED = _own("ActivityFailed", Shape.DETAILS)
ACTIVITY_TIMED_OUT = _own("ActivityTimedOut", Shape.DETAILS)
ACTIVITY_SCHEDULE_FAILED = _own("ActivityScheduleFailed", Shape.DETAILS)

KIND_OF_TYPE = {kind.type: index for index, kind in enumerate(KINDS) if kind.shape is not Shape.ASSIGNED}


def timestamp(milliseconds: int) -> datetime:
    """Give the moment as an aware datetime in UTC."""
    return EPOCH + timedelta(milliseconds=milliseconds)


def events(log: list[Json], first: int = 1, last: int | None = None) -> Iterator[dict[str, Json]]:
    """Yield the events with ids `first` to `last` (both included) exactly as `get_execution_history` of boto3 gives them."""
    end = len(log) // STRIDE if last is None else last
    text = _Texts().text
    told, moment = None, EPOCH
    for number in range(first, end + 1):
        at = (number - 1) * STRIDE
        previous, time, kind, subject, payload = log[at : at + STRIDE]
        if time != told:
            told, moment = time, timestamp(time)
        name, member, shape = KINDS[kind]
        found = {"timestamp": moment, "type": name, "id": number, "previousEventId": previous}
        if shape is not Shape.BARE:
            found[member] = _DETAILS[shape](subject, payload, text)
        yield found


def event(log: list[Json], number: int) -> dict[str, Json]:
    """Give the event with the id `number` as boto3 would."""
    return next(events(log, number, number))


class _Texts:
    """Writes payloads as JSON; the same one twice in a row, as it leaves a state and enters the next, is written once."""

    __slots__ = ("_last", "_text")

    def __init__(self) -> None:
        self._last: Json = self
        self._text = ""

    def text(self, payload: Json) -> str:
        """Give the JSON text of a payload."""
        if payload is not self._last:
            self._last, self._text = payload, json_text(payload)
        return self._text


_Text = Callable[[Json], str]


def _plain(subject: Json, _payload: Json, _text: _Text) -> dict[str, Json]:
    return {"name": subject} if isinstance(subject, str) else dict(subject) if subject else {}


def _parameters(subject: Json, payload: Json, text: _Text) -> dict[str, Json]:
    return {**_plain(subject, None, text), "parameters": text(payload)}


def _input(subject: Json, payload: Json, text: _Text) -> dict[str, Json]:
    if isinstance(subject, str):
        return {"name": subject, "input": text(payload), "inputDetails": {"truncated": False}}
    return {**_plain(subject, None, text), "input": text(payload), "inputDetails": {"truncated": False}}


def _output(subject: Json, payload: Json, text: _Text) -> dict[str, Json]:
    if isinstance(subject, str):
        return {"name": subject, "output": text(payload), "outputDetails": {"truncated": False}}
    return {**_plain(subject, None, text), "output": text(payload), "outputDetails": {"truncated": False}}


def _assigned(subject: Json, payload: Json, text: _Text) -> dict[str, Json]:
    output, assigned = payload
    variables = {name: json_text(value) for name, value in assigned.items()}
    more = {"assignedVariables": variables, "assignedVariablesDetails": {"truncated": False}}
    return {**_output(subject, output, text), **more}


_DETAILS: dict[Shape, Callable[[Json, Json, _Text], dict[str, Json]]] = {
    Shape.DETAILS: _plain,
    Shape.INPUT: _input,
    Shape.OUTPUT: _output,
    Shape.ASSIGNED: _assigned,
    Shape.PARAMETERS: _parameters,
    Shape.INDEX: lambda subject, payload, _: {**_plain(subject, None, _), "index": payload},
    Shape.LENGTH: lambda _subject, payload, _: {"length": payload},
}
