"""The vocabulary of execution histories: event types, their detail members, and how to read one event.

An event is a dict in the shape of boto3's `get_execution_history`: `timestamp`, `type`, `id`, `previousEventId` and at most
one `<x>EventDetails` dict, in which payloads (`input`, `output`, `parameters`, each assigned variable) are JSON text.
This module must not know how events belong together: `places` follows the chain, `visits` folds it.

Everything here accepts what it does not know: a future event type, a missing detail member, a payload that the service cut.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import orjson

from sfn_notebook.errors import Json

Event: TypeAlias = Mapping[str, Any]
"""One history event; `Any` because its detail member depends on its type."""

STATE_TYPES: Final = ("Task", "Pass", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map")
"""The state types, in the order that frames use for their categories."""

TERMINAL: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ExecutionSucceeded": "SUCCEEDED",
        "ExecutionFailed": "FAILED",
        "ExecutionTimedOut": "TIMED_OUT",
        "ExecutionAborted": "ABORTED",
    }
)
"""Event type that ends an execution -> the status that it leaves."""

ENTERED: Final[Mapping[str, str]] = MappingProxyType({f"{kind}StateEntered": kind for kind in STATE_TYPES})
EXITED: Final[Mapping[str, str]] = MappingProxyType(
    {f"{kind}StateExited": kind for kind in STATE_TYPES if kind != "Fail"}
)
"""`...StateEntered` / `...StateExited` event type -> state type. A Fail state is entered and never exited."""

STATE_ABORTED: Final[Mapping[str, str]] = MappingProxyType(
    {f"{kind}StateAborted": kind for kind in ("Task", "Wait", "Parallel", "Map")}
)

SCHEDULED: Final = frozenset({"TaskScheduled", "LambdaFunctionScheduled", "ActivityScheduled"})
STARTED: Final = frozenset({"TaskStarted", "LambdaFunctionStarted", "ActivityStarted"})
SUCCEEDED: Final = frozenset({"TaskSucceeded", "LambdaFunctionSucceeded", "ActivitySucceeded"})
TIMED_OUT: Final = frozenset({"TaskTimedOut", "LambdaFunctionTimedOut", "ActivityTimedOut"})
FAILED: Final = frozenset(
    {
        "TaskFailed",
        "TaskStartFailed",
        "TaskSubmitFailed",
        "LambdaFunctionFailed",
        "LambdaFunctionScheduleFailed",
        "LambdaFunctionStartFailed",
        "ActivityFailed",
        "ActivityScheduleFailed",
    }
)
"""What can become of a task attempt, by event type."""


def _member(event_type: str) -> str | None:
    """Name the detail member of a known event type; None where the service sends none."""
    if event_type.endswith(("StateEntered", "StateExited")):
        return "stateEnteredEventDetails" if event_type.endswith("Entered") else "stateExitedEventDetails"
    if event_type in _BARE:
        return None
    return f"{event_type[0].lower()}{event_type[1:]}EventDetails"


_BARE = frozenset(
    {
        "LambdaFunctionStarted",
        "MapRunAborted",
        "MapRunSucceeded",
        "MapStateAborted",
        "MapStateFailed",
        "MapStateSucceeded",
        "ParallelStateAborted",
        "ParallelStateFailed",
        "ParallelStateStarted",
        "ParallelStateSucceeded",
        "TaskStateAborted",
        "WaitStateAborted",
    }
)

EVENT_TYPES: Final = (
    *("ExecutionStarted", "ExecutionSucceeded", "ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted"),
    "ExecutionRedriven",
    *ENTERED,
    *EXITED,
    *STATE_ABORTED,
    *("TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded", "TaskFailed", "TaskTimedOut"),
    *("TaskStartFailed", "TaskSubmitFailed"),
    *("LambdaFunctionScheduled", "LambdaFunctionStarted", "LambdaFunctionSucceeded", "LambdaFunctionFailed"),
    *("LambdaFunctionTimedOut", "LambdaFunctionScheduleFailed", "LambdaFunctionStartFailed"),
    *("ActivityScheduled", "ActivityStarted", "ActivitySucceeded", "ActivityFailed", "ActivityTimedOut"),
    "ActivityScheduleFailed",
    *("ParallelStateStarted", "ParallelStateSucceeded", "ParallelStateFailed"),
    *("MapStateStarted", "MapStateSucceeded", "MapStateFailed"),
    *("MapIterationStarted", "MapIterationSucceeded", "MapIterationFailed", "MapIterationAborted"),
    *("MapRunStarted", "MapRunSucceeded", "MapRunFailed", "MapRunAborted", "MapRunRedriven"),
    "EvaluationFailed",
)
"""The 62 event types of the service, in the order that frames use for their categories."""

MEMBERS: Final[Mapping[str, str | None]] = MappingProxyType({name: _member(name) for name in EVENT_TYPES})
"""Event type -> name of its detail member, or None."""

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


def details(event: Event) -> Mapping[str, Any]:
    """Return the detail member of an event, an empty mapping where there is none."""
    member = MEMBERS.get(event.get("type", ""), "")
    if member is None:
        return _NOTHING
    found = event.get(member) if member else next((v for k, v in event.items() if k.endswith("EventDetails")), None)
    return found if type(found) is dict or isinstance(found, Mapping) else _NOTHING


def entered_type(event_type: str) -> str | None:
    """Return the state type that a `...StateEntered` event enters, also one that this version does not know."""
    return event_type[: -len("StateEntered")] if event_type.endswith("StateEntered") else None


def ordered(events: Iterable[Event]) -> Sequence[Event]:
    """Return the events by ascending id (`reverseOrder=True` gives them the other way round); a list in order is not copied."""
    rows = events if isinstance(events, Sequence) else list(events)
    ids = [event.get("id", 0) for event in rows]
    try:
        return rows if all(a < b for a, b in itertools.pairwise(ids)) else sorted(rows, key=lambda e: e.get("id", 0))
    except TypeError:  # ids that do not compare: keep the order that was given
        return rows


def parse(text: str | None) -> Json:
    """Return the value of a JSON text, None for None, and the text itself where it is not JSON (the service cuts payloads)."""
    if text is None:
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(text)  # NaN and lone surrogates, which orjson refuses
    except (ValueError, RecursionError):
        return text


def as_text(value: Json) -> str | None:
    """Return a payload as JSON text, whether the source gave text (boto3) or an already parsed value (a log record)."""
    return value if value is None or isinstance(value, str) else json.dumps(value, separators=(",", ":"))
