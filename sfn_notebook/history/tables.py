"""Recordings as Arrow tables and back: what a Parquet data set holds.

Two tables. `events` has one row an event, with the columns of `history.frames.events_frame` under the same names, so that what is written
in SQL and in pandas reads alike, and with the execution in front. `executions` has one row an execution, also one without events. Reading
gives back the very events: a field that has no column, or a value that does not fit its column, goes as JSON into `other`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

from sfn_notebook.errors import Json, MissingExtra, RunError
from sfn_notebook.history.events import MEMBERS, Event, as_text, ordered
from sfn_notebook.history.places import Chain, Scope, Stay, place_text
from sfn_notebook.history.recording import Recording

Table: TypeAlias = Any
"""A pyarrow.Table; pyarrow is an optional package without types."""

_TEXTS: Final = {
    "name": "name",
    "input": "input",
    "output": "output",
    "parameters": "parameters",
    "error": "error",
    "cause": "cause",
    "location": "location",
    "resourceType": "resource_type",
    "resource": "resource",
    "region": "region",
    "workerName": "worker_name",
    "mapRunArn": "map_run_arn",
    "roleArn": "role_arn",
    "stateMachineAliasArn": "state_machine_alias_arn",
    "stateMachineVersionArn": "state_machine_version_arn",
}
_OBJECTS: Final = {"assignedVariables": "assigned_variables", "taskCredentials": "task_credentials"}
_INTEGERS: Final = {
    "timeoutInSeconds": "timeout_in_seconds",
    "heartbeatInSeconds": "heartbeat_in_seconds",
    "index": "index",
    "length": "length",
    "redriveCount": "redrive_count",
}
_FLAGS: Final = {
    "inputDetails": "input_truncated",
    "outputDetails": "output_truncated",
    "assignedVariablesDetails": "variables_truncated",
}
"""Detail field of the API -> column, by what the column holds: text, JSON text of an object, an integer, `truncated` of an object."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_WIDEST: Final = 2**63
_REST: Final = ".details"
"""Key in `other` of detail fields that fit no column."""

_COMMON: Final = frozenset({"timestamp", "type", "id", "previousEventId"})

_PLACE: Final = ("execution_arn", "execution", "execution_started")
"""Columns in front of each event: which execution it belongs to. ARN and start together are unique; a name may come again."""


def arrow() -> Any:
    """Import pyarrow.

    Raises:
        MissingExtra: it is not installed.
    """
    from importlib import import_module

    try:
        import_module("pyarrow.parquet")
        return import_module("pyarrow")
    except ImportError:
        raise MissingExtra("Parquet needs pyarrow: pip install 'sfn-notebook[parquet]'") from None


def digest(recording: Recording) -> str:
    """Give a short text that changes with anything in the history, to see whether it was written already."""
    import orjson

    try:
        data = orjson.dumps(recording.events, option=orjson.OPT_SORT_KEYS, default=str)
    except TypeError:
        data = json.dumps(recording.events, sort_keys=True, default=str).encode()
    return hashlib.blake2b(data, digest_size=10).hexdigest()


def identity(recording: Recording) -> tuple[str, int | None]:
    """Give what tells an execution from all others: its ARN and its start, because a name may be used again."""
    return recording.arn, _ticks(recording.started)


def identities(executions: Table) -> dict[tuple[str, int | None], str]:
    """Give the digest of each execution in a table.

    Raises:
        RunError: it is no table of executions.
    """
    try:
        columns = [_values(executions[name]) for name in ("execution_arn", "execution_started", "digest")]
    except KeyError as error:
        raise RunError(f"this is no table of executions: {error}") from error
    return {(arn, started): sign for arn, started, sign in zip(*columns, strict=True)}


# ---- to tables


def executions_table(recordings: Sequence[Recording]) -> Table:
    """Make the table with one row an execution.

    | column | type | meaning |
    |---|---|---|
    | execution_arn, execution | text | its ARN and name |
    | execution_started, ended | time | none where unknown or still open |
    | machine_arn, version_arn, alias_arn | text | what ran |
    | status | text | RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED, PENDING_REDRIVE |
    | events, redrive_count | integer | |
    | error, cause | text | of one that did not succeed |
    | map_run_arn, item_count | text, integer | of a Map Run's child |
    | notice | text | why events are missing or incomplete |
    | digest | text | changes with the history |
    """
    pa = arrow()
    glances = [recording.overview for recording in recordings]
    columns = {
        "execution_arn": (pa.string(), [r.arn for r in recordings]),
        "execution": (pa.string(), [r.name for r in recordings]),
        "execution_started": (_time(pa), [_ticks(r.started) for r in recordings]),
        "ended": (_time(pa), [_ticks(r.ended) for r in recordings]),
        "machine_arn": (pa.string(), [r.machine_arn for r in recordings]),
        "version_arn": (pa.string(), [r.version_arn for r in recordings]),
        "alias_arn": (pa.string(), [r.alias_arn for r in recordings]),
        "status": (pa.string(), [r.status for r in recordings]),
        "events": (pa.int64(), [len(r.events) for r in recordings]),
        "redrive_count": (pa.int64(), [r.redrive_count for r in recordings]),
        "error": (pa.string(), [_clean(g.error) for g in glances]),
        "cause": (pa.string(), [_clean(g.cause) for g in glances]),
        "map_run_arn": (pa.string(), [r.map_run_arn for r in recordings]),
        "item_count": (pa.int64(), [r.item_count for r in recordings]),
        "notice": (pa.string(), [_clean(r.notice) for r in recordings]),
        "digest": (pa.string(), [digest(r) for r in recordings]),
    }
    return pa.table({name: pa.array(values, kind) for name, (kind, values) in columns.items()})


def events_table(recordings: Sequence[Recording]) -> Table:
    """Make the table with one row an event; columns as in `events_frame`, and `execution_arn`, `execution`, `execution_started`."""
    pa = arrow()
    size = sum(len(recording.events) for recording in recordings)
    names = (*_TEXTS.values(), *_OBJECTS.values(), *_INTEGERS.values(), *_FLAGS.values(), "other")
    columns: dict[str, list[Any]] = {name: [None] * size for name in names}
    heads: dict[str, list[Any]] = {name: [] for name in (*_PLACE, "id", "previous_id", "timestamp", "type", *_WHERE)}
    row = 0
    for recording in recordings:
        for name, value in zip(_PLACE, (recording.arn, recording.name, _ticks(recording.started)), strict=True):
            heads[name] += [value] * len(recording.events)
        for name, values in _whereabouts(recording.events).items():
            heads[name] += values
        for event in recording.events:
            _write(event, row, heads, columns)
            row += 1
    kinds = {
        **dict.fromkeys((*_INTEGERS.values(), "id", "previous_id", "visit"), pa.int64()),
        **dict.fromkeys(_FLAGS.values(), pa.bool_()),
        **dict.fromkeys(("timestamp", "execution_started"), _time(pa)),
    }
    return pa.table(
        {name: pa.array(values, kinds.get(name, pa.string())) for name, values in (heads | columns).items()}
    )


_WHERE: Final = ("state", "visit", "path")


def _whereabouts(events: Iterable[Event]) -> dict[str, list[Any]]:
    """Say for each event in which state it happened, and in which Map iterations and Parallel branches."""
    found: dict[str, list[Any]] = {name: [] for name in _WHERE}
    follow = Chain().follow
    texts: dict[Scope, str | None] = {}
    for event in events:
        try:
            here = follow(event)
        except (TypeError, KeyError):  # a name that is no text, an event without a type: only hand-made ones are so odd
            for values in found.values():
                values.append(None)
            continue
        scope, stay = (here.scope, here) if isinstance(here, Stay) else (here, here.owner)
        if scope not in texts:
            texts[scope] = _clean(place_text(scope.place))
        found["state"].append(_text(stay.name) if stay else None)
        found["visit"].append(_integer(stay.id) if stay else None)
        found["path"].append(texts[scope])
    return found


def _write(event: Event, row: int, heads: dict[str, list[Any]], columns: dict[str, list[Any]]) -> None:
    """Spread one event over the columns; what does not fit goes to `other`."""
    kind = event.get("type")
    member = MEMBERS.get(kind) if isinstance(kind, str) else None
    rest: dict[str, Json] = {key: value for key, value in event.items() if key not in _COMMON and key != member}
    for key, column, test in _HEADS:
        value = event.get(key)
        fits = test(value)
        heads[column].append((_ticks(value) if column == "timestamp" else value) if fits else None)
        if not fits and key in event:
            rest[key] = value
    detail = event.get(member) if member else None
    if member in event and not (isinstance(detail, dict) and detail):
        rest[str(member)] = detail
    elif detail:
        left = {}
        for field, value in detail.items():
            found = _COLUMN.get(field)
            put = found[1](value) if found else None
            if found is None or put is None:
                left[field] = value
            else:
                columns[found[0]][row] = put
        if left:
            rest[_REST] = left
    if rest:
        columns["other"][row] = json.dumps(rest, default=str)


def _is_integer(value: Any) -> bool:
    return type(value) is int and -_WIDEST <= value < _WIDEST


_HEADS: Final[tuple[tuple[str, str, Callable[[Any], bool]], ...]] = (
    ("id", "id", _is_integer),
    ("previousEventId", "previous_id", _is_integer),
    ("timestamp", "timestamp", lambda value: isinstance(value, datetime)),
    ("type", "type", lambda value: _text(value) is not None),
)


def _text(value: Any) -> str | None:
    """Give a text that UTF-8 can hold; None for anything else, such as one with a lone surrogate."""
    if type(value) is not str:
        return None
    if value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return None
    return value


def _object(value: Any) -> str | None:
    return json.dumps(value) if isinstance(value, dict) and _json_only(value) else None


def _json_only(value: Mapping[str, Any]) -> bool:
    return all(isinstance(item, str | int | bool | None) for item in value.values())


def _integer(value: Any) -> int | None:
    return value if _is_integer(value) else None


def _flag(value: Any) -> bool | None:
    alone = isinstance(value, dict) and len(value) == 1 and isinstance(value.get("truncated"), bool)
    return value["truncated"] if alone else None


_COLUMN: Final[Mapping[str, tuple[str, Callable[[Any], Any]]]] = {
    **{field: (column, _text) for field, column in _TEXTS.items()},
    **{field: (column, _object) for field, column in _OBJECTS.items()},
    **{field: (column, _integer) for field, column in _INTEGERS.items()},
    **{field: (column, _flag) for field, column in _FLAGS.items()},
}
"""Detail field -> its column, and what gives the value for it, or None where it does not fit."""


def _clean(value: Json) -> str | None:
    text = as_text(value)
    return text if text is None else text.encode("utf-8", "replace").decode()


def _time(pa: Any) -> Any:
    return pa.timestamp("us", "UTC")


def _ticks(value: datetime | None) -> int | None:
    if value is None:
        return None
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    return (aware - _EPOCH) // _MICROSECOND


# ---- from tables


def recordings_of(executions: Table, events: Table) -> list[Recording]:
    """Make recordings of the two tables of a batch. An execution whose events are not there becomes a row with a notice."""
    histories = _histories(events)
    found = []
    for row in _rows(executions):
        started = _time_of(row["execution_started"])
        history = histories.get((row["execution_arn"], row["execution_started"]), [])
        notice = row.get("notice")
        if len(history) != (row.get("events") or 0):
            notice = f"{len(history)} of its {row.get('events')} events are in the data set"
        found.append(
            Recording(
                row["execution_arn"],
                row["execution"],
                row["status"],
                history,
                row.get("machine_arn"),
                started,
                _time_of(row.get("ended")),
                row.get("redrive_count") or 0,
                row.get("map_run_arn"),
                row.get("item_count"),
                row.get("version_arn"),
                row.get("alias_arn"),
                notice,
            )
        )
    return found


def _rows(table: Table) -> list[dict[str, Any]]:
    """Give rows with times as microseconds: pyarrow's datetimes are slow, and of another zone class."""
    columns = {name: _values(table[name]) for name in table.column_names}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _values(column: Any) -> list[Any]:
    pa = arrow()
    if pa.types.is_timestamp(column.type):
        column = column.cast(_time(pa)).cast(pa.int64())
    return column.to_pylist()  # type: ignore[no-any-return]


def _time_of(ticks: int | None) -> datetime | None:
    return None if ticks is None else _EPOCH + timedelta(microseconds=ticks)


def _histories(table: Table) -> dict[tuple[str, int | None], list[Any]]:
    ids, previous, times, kinds = (_values(table[name]) for name in ("id", "previous_id", "timestamp", "type"))
    detail: list[dict[str, Any]] = [{} for _ in ids]
    for field, column, read in _READERS:
        if column in table.column_names and table[column].null_count < len(ids):
            for row, value in enumerate(table[column].to_pylist()):
                if value is not None:
                    detail[row][field] = read(value)
    others: list[str | None] = table["other"].to_pylist() if "other" in table.column_names else [None] * len(ids)
    found: dict[tuple[str, int | None], list[Any]] = {}
    keys = zip(_values(table["execution_arn"]), _values(table["execution_started"]), strict=True)
    for row, key in enumerate(keys):
        head = {"timestamp": _time_of(times[row]), "type": kinds[row], "id": ids[row], "previousEventId": previous[row]}
        event = {name: value for name, value in head.items() if value is not None}
        other = others[row]
        if other:
            rest = json.loads(other)
            detail[row].update(rest.pop(_REST, {}))
            event.update(rest)
        if detail[row]:
            event[MEMBERS[event["type"]] or ""] = detail[row]
        found.setdefault(key, []).append(event)
    return {
        key: list(ordered(events)) for key, events in found.items()
    }  # whoever rewrote a file may have sorted it otherwise


def _same(value: Any) -> Any:
    return value


_READERS: Final[tuple[tuple[str, str, Callable[[Any], Any]], ...]] = (
    *((field, column, _same) for field, column in (_TEXTS | _INTEGERS).items()),
    *((field, column, json.loads) for field, column in _OBJECTS.items()),
    *((field, column, lambda value: {"truncated": value}) for field, column in _FLAGS.items()),
)
