"""Histories as pandas frames, with the same columns and dtypes whatever the data, also for an empty history.

Each function documents its frame column by column; module `columns` holds the dtypes of the kinds named there. What is given
is either one history (`events`, or the `visits` of its fold) or a mapping execution -> history, which gives one frame with
the execution as its first column: far cheaper than many frames put together.

Paths are written `Orders[3]/Checks[0]`: iteration 3 of the Map state Orders, in it branch 0 of the Parallel state Checks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from sfn_notebook.history import columns as c
from sfn_notebook.history.events import (
    EVENT_TYPES,
    MEMBERS,
    STATE_TYPES,
    Event,
    as_text,
    details,
    ordered,
)
from sfn_notebook.history.places import Branches, Chain, Scope, Stay, place_text
from sfn_notebook.history.records import ATTEMPT_STATUSES, ITERATION_STATUSES, VISIT_STATUSES, Attempt, Iteration, Visit

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")
OneOrMany: TypeAlias = Iterable[T] | Mapping[str, Iterable[T]]
"""One history, or a mapping execution -> history."""

_DETAIL_COLUMNS: Final[Mapping[str, tuple[str, c.Builder]]] = {
    "name": ("name", c.text),
    "input": ("input", c.text),
    "output": ("output", c.text),
    "assignedVariables": ("assigned_variables", c.text),
    "parameters": ("parameters", c.text),
    "error": ("error", c.text),
    "cause": ("cause", c.text),
    "location": ("location", c.text),
    "resourceType": ("resource_type", c.text),
    "resource": ("resource", c.text),
    "region": ("region", c.text),
    "timeoutInSeconds": ("timeout_in_seconds", c.maybe),
    "heartbeatInSeconds": ("heartbeat_in_seconds", c.maybe),
    "taskCredentials": ("task_credentials", c.text),
    "workerName": ("worker_name", c.text),
    "index": ("index", c.maybe),
    "length": ("length", c.maybe),
    "mapRunArn": ("map_run_arn", c.text),
    "redriveCount": ("redrive_count", c.maybe),
    "roleArn": ("role_arn", c.text),
    "stateMachineAliasArn": ("state_machine_alias_arn", c.text),
    "stateMachineVersionArn": ("state_machine_version_arn", c.text),
    "inputDetails": ("input_truncated", c.flag),
    "outputDetails": ("output_truncated", c.flag),
    "assignedVariablesDetails": ("variables_truncated", c.flag),
}
"""Detail field of the API -> (column, kind). `state` of EvaluationFailed is in the column `state` of every event."""

_PAYLOADS: Final = frozenset({"input", "output", "parameters", "assignedVariables", "taskCredentials", "cause"})
_TEXT: Final = {str, type(None)}
_TRUNCATED: Final = frozenset({"inputDetails", "outputDetails", "assignedVariablesDetails"})


def _histories(given: OneOrMany[T]) -> tuple[list[tuple[str, list[T]]], bool]:
    if isinstance(given, Mapping):
        return [(str(key), list(rows)) for key, rows in given.items()], True
    return [("", list(given))], False


def _keyed(pairs: list[tuple[str, list[T]]], columns: dict[str, c.Array], *, many: bool) -> pd.DataFrame:
    if many:
        keys = [key for key, rows in pairs for _ in rows]
        columns = {"execution": c.text(keys), **columns}
    return c.frame(columns)


def events_frame(events: OneOrMany[Event], branches: Branches | None = None) -> pd.DataFrame:
    """Return one row per event, by ascending id; payloads stay JSON text.

    | column | kind | meaning |
    |---|---|---|
    | id, previous_id | integer | the event and the one that led to it |
    | timestamp | time | |
    | type | category | the 62 event types of the service, and unknown ones that occur |
    | state | text | the state that the event belongs to; of an iteration the Map; none for the execution's own events |
    | visit | maybe | id of that state's StateEntered event |
    | path | text | Map iterations and Parallel branches around it, "" at the top |
    | name | text | as the event gives it (entered, exited, iterations) |
    | input, output, parameters, assigned_variables | text | JSON text |
    | error, cause, location | text | `location`: the field whose evaluation failed |
    | resource_type, resource, region | text | |
    | timeout_in_seconds, heartbeat_in_seconds | maybe | |
    | task_credentials, worker_name | text | credentials as JSON text |
    | index, length, redrive_count | maybe | of the iteration, of the Map, of the redrive |
    | map_run_arn, role_arn, state_machine_alias_arn, state_machine_version_arn | text | |
    | input_truncated, output_truncated, variables_truncated | flag | the service cut the payload |
    | other | text | fields that this version does not know, as JSON text |
    """
    pairs, many = _histories(events)
    pairs = [(key, list(ordered(rows))) for key, rows in pairs]
    rows = [event for _, history in pairs for event in history]
    columns: dict[str, c.Array] = {
        "id": c.integer([event.get("id", 0) for event in rows]),
        "previous_id": c.integer([event.get("previousEventId", 0) for event in rows]),
        "timestamp": c.time([event.get("timestamp") for event in rows]),
        "type": c.category(EVENT_TYPES)([event.get("type") for event in rows]),
        **_whereabouts(pairs, branches),
        **_detail_columns(rows),
    }
    return _keyed(pairs, columns, many=many)


def _whereabouts(pairs: list[tuple[str, list[Event]]], branches: Branches | None) -> dict[str, c.Array]:
    names: list[str | None] = []
    visits: list[int | None] = []
    paths: list[str] = []
    for _, history in pairs:
        follow = Chain(branches).follow
        texts: dict[Scope, str] = {}
        for event in history:
            here = follow(event)
            scope, stay = (here.scope, here) if isinstance(here, Stay) else (here, here.owner)
            path = texts.get(scope)
            if path is None:
                path = texts[scope] = place_text(scope.place)
            paths.append(path)
            names.append(stay.name if stay else None)
            visits.append(stay.id if stay else None)
    return {"state": c.text(names), "visit": c.maybe(visits), "path": c.text(paths)}


def _detail_columns(rows: list[Event]) -> dict[str, c.Array]:
    """Build the detail columns from the events of each type at once: only fields that a type has are ever looked at."""
    groups: dict[str, tuple[list[int], list[Mapping[str, Any]]]] = {}
    for row, event in enumerate(rows):
        event_type = event.get("type", "")
        group = groups.get(event_type)
        if group is None:
            group = groups[event_type] = ([], [])
        member = MEMBERS.get(event_type, "")
        detail = event.get(member) if member else details(event) if member == "" else None
        if detail:
            group[0].append(row)
            group[1].append(detail)
    parts: dict[str, list[c.Part]] = {}
    other: dict[int, dict[str, Any]] = {}
    for where, found in groups.values():
        for key in set().union(*found):
            values = [detail.get(key) for detail in found]
            if key in _DETAIL_COLUMNS:
                parts.setdefault(key, []).append((where, _plain(key, values)))
            elif key != "state":
                for row, value in zip(where, values, strict=True):
                    other.setdefault(row, {})[key] = value
    size = len(rows)
    built = {name: c.sparse(kind, size, parts.get(key, ())) for key, (name, kind) in _DETAIL_COLUMNS.items()}
    return {
        **built,
        "other": c.sparse(c.text, size, [(list(other), [as_text(o) for o in other.values()])] if other else ()),
    }


def _plain(key: str, values: list[Any]) -> list[Any]:
    if key in _TRUNCATED:
        return [value.get("truncated") if isinstance(value, dict) else None for value in values]
    if key in _PAYLOADS and not set(map(type, values)) <= _TEXT:
        return [as_text(value) for value in values]
    return values


def durations(events: pd.DataFrame) -> pd.DataFrame:
    """Pair each StateExited event of an events frame with its StateEntered event, by the chain and not by order.

    | column | kind | meaning |
    |---|---|---|
    | execution | text | only if `events` has it |
    | state | text | |
    | entered, exited | integer | ids of the two events |
    | duration | span | |
    """
    import numpy as np
    import pandas as pd

    ids = events["id"].to_numpy()
    run = pd.factorize(events["execution"])[0] if "execution" in events else np.zeros(len(ids), dtype="i8")
    keys = run * (ids.max(initial=0) + 1)
    types = events["type"].cat
    exits = np.array([name.endswith("StateExited") for name in types.categories], dtype="?")[types.codes.to_numpy()]
    visits = events["visit"].to_numpy(dtype="i8", na_value=0)
    at = np.flatnonzero(exits & (visits > 0))
    order = np.argsort(keys + ids, kind="stable")
    row = order[np.searchsorted(keys + ids, keys[at] + visits[at], sorter=order).clip(max=max(len(ids) - 1, 0))]
    known = ids[row] == visits[at]  # the entry may have been filtered out
    at, row = at[known], row[known]
    ticks = events["timestamp"].array.asi8
    result = {"execution": events["execution"].array[at]} if "execution" in events else {}
    result |= {"state": events["state"].array[at], "entered": ids[row], "exited": ids[at]}
    return pd.DataFrame({**result, "duration": (ticks[at] - ticks[row]).view("m8[us]")})


def _size(text: str | None) -> int | None:
    if text is None:
        return None
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


_STATES: Final[c.Table] = {
    "name": (c.text, attrgetter("name")),
    "type": (c.category(STATE_TYPES), attrgetter("type")),
    "path": (c.text, lambda v: place_text(v.place)),
    "iteration": (c.maybe, attrgetter("iteration")),
    "entered": (c.time, attrgetter("entered")),
    "exited": (c.time, attrgetter("exited")),
    "duration": c.LATER,
    "status": (c.category(VISIT_STATUSES), attrgetter("status")),
    "attempts": (c.integer, attrgetter("attempts")),
    "input": (c.value, attrgetter("input")),
    "output": (c.value, attrgetter("output")),
    "variables": (c.value, attrgetter("assigned")),
    "error": (c.text, attrgetter("error")),
    "cause": (c.text, attrgetter("cause")),
    "input_bytes": (c.maybe, lambda v: _size(v.input_text)),
    "output_bytes": (c.maybe, lambda v: _size(v.output_text)),
    "visit": (c.integer, attrgetter("id")),
    "parent": (c.integer, attrgetter("parent")),
    "run": (c.integer, attrgetter("run")),
    "next": (c.maybe, attrgetter("next")),
}


def states_frame(visits: OneOrMany[Visit]) -> pd.DataFrame:
    """Return one row per state visit, by entry.

    | column | kind | meaning |
    |---|---|---|
    | name | text | of the state |
    | type | category | Task, Pass, Choice, Wait, Succeed, Fail, Parallel, Map |
    | path | text | Map iterations and Parallel branches around it, "" at the top |
    | iteration | maybe | index of the innermost Map iteration around it |
    | entered, exited | time | `exited` also of a visit that failed or was aborted; none while running |
    | duration | span | |
    | status | category | SUCCEEDED, FAILED, CAUGHT (failed, a catcher took over), ABORTED, TIMED_OUT, RUNNING |
    | attempts | integer | how often its work was tried, at least 1 |
    | input, output, variables | value | parsed; `variables` are those that the state assigned |
    | error, cause | text | of a visit that failed or was caught |
    | input_bytes, output_bytes | maybe | size of the JSON text in UTF-8 |
    | visit | integer | id of the StateEntered event |
    | parent | integer | `visit` of the Map or Parallel around it, 0 at the top |
    | run | integer | which run of that Map or Parallel, from 1 |
    | next | maybe | `visit` that followed |
    """
    pairs, many = _histories(visits)
    rows = [visit for _, history in pairs for visit in history]
    return _keyed(pairs, c.build(_STATES, rows, [("duration", "entered", "exited")]), many=many)


_ATTEMPTS: Final[c.Table] = {
    "name": (c.text, lambda r: r[0].name),
    "path": (c.text, lambda r: place_text(r[0].place)),
    "iteration": (c.maybe, lambda r: r[0].iteration),
    "attempt": (c.integer, lambda r: r[1].number),
    "status": (c.category(ATTEMPT_STATUSES), lambda r: r[1].status),
    "kind": (c.category(("Task", "LambdaFunction", "Activity")), lambda r: r[1].kind),
    "resource_type": (c.text, lambda r: r[1].resource_type),
    "resource": (c.text, lambda r: r[1].resource),
    "scheduled": (c.time, lambda r: r[1].scheduled),
    "started": (c.time, lambda r: r[1].started),
    "submitted": (c.time, lambda r: r[1].submitted),
    "ended": (c.time, lambda r: r[1].ended),
    "queued": c.LATER,
    "ran": c.LATER,
    "duration": c.LATER,
    "parameters": (c.value, lambda r: r[1].parameters),
    "output": (c.value, lambda r: r[1].output),
    "error": (c.text, lambda r: r[1].error),
    "cause": (c.text, lambda r: r[1].cause),
    "visit": (c.integer, lambda r: r[0].id),
    "event": (c.integer, lambda r: r[1].event),
}


def attempts_frame(visits: OneOrMany[Visit]) -> pd.DataFrame:
    """Return one row per attempt of a Task, by visit and attempt.

    | column | kind | meaning |
    |---|---|---|
    | name, path, iteration | text, text, maybe | of the visit |
    | attempt | integer | 1 is the first; the retry number is one less |
    | status | category | SUCCEEDED, FAILED, TIMED_OUT, ABORTED, RUNNING |
    | kind | category | Task (integration), LambdaFunction (function by ARN), Activity |
    | resource_type, resource | text | |
    | scheduled, started, submitted, ended | time | `submitted`: of `.sync` and callback integrations |
    | queued | span | from scheduled to started |
    | ran | span | from started to ended |
    | duration | span | from scheduled to ended |
    | parameters, output | value | parsed; what the task was called with and what it answered |
    | error, cause | text | |
    | visit | integer | id of the StateEntered event |
    | event | integer | id of the Scheduled event |
    """
    pairs, many = _histories(visits)
    found = [(key, [(visit, one) for visit in history for one in visit.task_attempts]) for key, history in pairs]
    rows: list[tuple[Visit, Attempt]] = [row for _, history in found for row in history]
    spans = [("queued", "scheduled", "started"), ("ran", "started", "ended"), ("duration", "scheduled", "ended")]
    return _keyed(found, c.build(_ATTEMPTS, rows, spans), many=many)


_ITERATIONS: Final[c.Table] = {
    "name": (c.text, attrgetter("name")),
    "path": (c.text, lambda i: place_text(i.place)),
    "index": (c.integer, attrgetter("index")),
    "run": (c.integer, attrgetter("run")),
    "status": (c.category(ITERATION_STATUSES), attrgetter("status")),
    "started": (c.time, attrgetter("started")),
    "ended": (c.time, attrgetter("ended")),
    "duration": c.LATER,
    "error": (c.text, attrgetter("error")),
    "cause": (c.text, attrgetter("cause")),
    "visit": (c.integer, attrgetter("visit")),
    "event": (c.integer, attrgetter("event")),
}


def iterations_frame(visits: OneOrMany[Visit]) -> pd.DataFrame:
    """Return one row per Map iteration in the history itself (a Distributed Map's are executions of their own).

    | column | kind | meaning |
    |---|---|---|
    | name | text | of the Map state |
    | path | text | of the iteration, its own step included |
    | index | integer | of the item |
    | run | integer | which run of the Map, from 1: a retry starts all iterations again |
    | status | category | SUCCEEDED, FAILED, ABORTED, TIMED_OUT, RUNNING |
    | started, ended | time | |
    | duration | span | |
    | error, cause | text | |
    | visit | integer | `visit` of the Map |
    | event | integer | id of the MapIterationStarted event |
    """
    pairs, many = _histories(visits)
    found = [(key, [one for visit in history for one in visit.iterations]) for key, history in pairs]
    rows: list[Iteration] = [row for _, history in found for row in history]
    return _keyed(found, c.build(_ITERATIONS, rows, [("duration", "started", "ended")]), many=many)


_TRANSITIONS: Final[c.Table] = {
    "source": (c.text, lambda r: r[0].name if r[0] else None),
    "target": (c.text, lambda r: r[1].name),
    "kind": (c.category(("start", "next", "catch")), lambda r: _transition_kind(r[0])),
    "path": (c.text, lambda r: place_text(r[1].place)),
    "iteration": (c.maybe, lambda r: r[1].iteration),
    "at": (c.time, lambda r: r[1].entered),
    "source_visit": (c.maybe, lambda r: r[0].id if r[0] else None),
    "target_visit": (c.integer, lambda r: r[1].id),
}


def _transition_kind(source: Visit | None) -> str:
    if source is None:
        return "start"
    return "catch" if source.status == "CAUGHT" else "next"


def _transitions(visits: list[Visit]) -> Iterator[tuple[Visit | None, Visit]]:
    before = {visit.next: visit for visit in visits if visit.next is not None}
    for visit in visits:
        yield before.get(visit.id), visit


def transitions_frame(visits: OneOrMany[Visit]) -> pd.DataFrame:
    """Return one row per way into a state, by time.

    | column | kind | meaning |
    |---|---|---|
    | source | text | the state before; none where the execution, an iteration or a branch starts |
    | target | text | the state that was entered |
    | kind | category | start, next, catch (a catcher led there) |
    | path, iteration | text, maybe | of the target |
    | at | time | when the target was entered |
    | source_visit, target_visit | maybe, integer | ids of the StateEntered events |
    """
    pairs, many = _histories(visits)
    found = [(key, list(_transitions(history))) for key, history in pairs]
    rows = [row for _, history in found for row in history]
    return _keyed(found, c.build(_TRANSITIONS, rows), many=many)
