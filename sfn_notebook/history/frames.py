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
    parse,
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
    cells: dict[str, list[Any]] = {}
    other: dict[int, dict[str, Any]] = {}
    for where, found in groups.values():
        for key in set().union(*found):
            if key in _DETAIL_COLUMNS:
                column = cells.get(key) or cells.setdefault(key, [None] * len(rows))
                _fill(column, key, where, found)
            elif key != "state":
                for row, detail in zip(where, found, strict=True):
                    if key in detail:
                        other.setdefault(row, {})[key] = detail[key]
    nothing = [None] * len(rows)
    built = {name: kind(cells.get(key, nothing)) for key, (name, kind) in _DETAIL_COLUMNS.items()}
    return {**built, "other": c.text([as_text(other.get(row)) for row in range(len(rows))] if other else nothing)}


def _fill(column: list[Any], key: str, where: list[int], found: list[Mapping[str, Any]]) -> None:
    if key in _TRUNCATED:
        for row, detail in zip(where, found, strict=True):
            given = detail.get(key)
            column[row] = given.get("truncated") if isinstance(given, Mapping) else None
    elif key in _PAYLOADS:
        for row, detail in zip(where, found, strict=True):
            value = detail.get(key)
            column[row] = value if type(value) is str else as_text(value)
    else:
        for row, detail in zip(where, found, strict=True):
            column[row] = detail.get(key)


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

    types = events["type"].cat
    exit_codes = np.array([name.endswith("StateExited") for name in types.categories], dtype="?")
    at = np.flatnonzero(exit_codes[types.codes.to_numpy()] & events["visit"].notna().to_numpy())
    visit = events["visit"].array.to_numpy(dtype="i8", na_value=0)[at]  # type: ignore[call-overload]
    ids = events["id"].to_numpy()
    ticks = events["timestamp"].array.asi8
    starts = np.append(0, np.flatnonzero(np.diff(ids) <= 0) + 1)  # where a next execution begins
    base = starts[np.searchsorted(starts, at, side="right") - 1] if len(ids) else at
    row = base + visit - ids[base] if len(ids) else at
    fits = (row < len(ids)) & (row >= 0)
    row = np.where(fits, row, 0)
    if len(ids) and not (ids[row] == visit).all():  # ids with gaps
        row = _rows_of(ids, starts, base, visit)
    result = {"state": events["state"].array[at], "entered": visit, "exited": ids[at]}
    if "execution" in events:
        result = {"execution": events["execution"].array[at], **result}
    return pd.DataFrame({**result, "duration": (ticks[at] - ticks[row]).view("m8[us]")})
