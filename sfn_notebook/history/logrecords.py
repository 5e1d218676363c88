"""Log records of Step Functions as history events: the only history that an Express execution has.

A record is JSON: `id`, `type`, `details`, `previous_event_id`, `event_timestamp`, `execution_arn`, `redrive_count`, all scalars as text.
Here it becomes an event in the shape of `get_execution_history`. Records come in any order, some twice, some never: levels below ALL
leave events out, delivery is best effort, and a record that is too long is cut. What is missing is said, not invented.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sfn_notebook.errors import Json, RunError
from sfn_notebook.history.events import MEMBERS, TERMINAL, details
from sfn_notebook.history.overview import overview
from sfn_notebook.history.recording import Recording

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBERS: Final = frozenset({"index", "length", "timeoutInSeconds", "heartbeatInSeconds", "redriveCount"})
_TEXTS: Final = frozenset({"input", "output", "parameters", "cause", "error"})
_SCALAR: Final = re.compile(
    r'"(id|type|previous_event_id|event_timestamp|execution_arn|redrive_count)"\s*:\s*"([^"\\]*)"'
)
_SNAKE: Final = re.compile(r"_([a-z0-9])")
_CUT: Final = "the log service cut events that were too long"

ERROR_ONLY: Final = "logged below level ALL: events of what went well are not in the log"
NO_DATA: Final = "logged without execution data: inputs and outputs are not in the log"
GAPS: Final = "some events are not in the log: it is delivered at best effort, and some minutes late"


def recordings_of_log(records: Iterable[str | Mapping[str, Any]]) -> list[Recording]:
    """Group log records by execution, each as a recording, newest first.

    Args:
        records: the messages as text, parsed records, or what holds them: rows of Logs Insights and events of `filter_log_events`.
            Lines that are no records of Step Functions are left out.

    Raises:
        RunError: there are records, but none of Step Functions.
    """
    found: dict[str, dict[int, dict[str, Any]]] = {}
    redriven: dict[str, int] = {}
    cut: set[str] = set()
    seen = 0
    for record in records:
        seen += 1
        message = _message(record)
        parsed, whole = _parsed(message)
        event = _event(parsed)
        if event is None:
            continue
        arn = str(parsed["execution_arn"])
        known = found.setdefault(arn, {}).get(event["id"])
        if known is None or (whole and len(known) < len(event)):
            found[arn][event["id"]] = event
        redriven[arn] = max(redriven.get(arn, 0), _number(parsed.get("redrive_count")) or 0)
        if not whole or not details_whole(event):
            cut.add(arn)
    if seen and not found:
        raise RunError(f"none of {seen} log records is one of Step Functions: each has execution_arn, id and type")
    rows = [_recording(arn, list(events.values()), redriven[arn], cut=arn in cut) for arn, events in found.items()]
    return sorted(rows, key=lambda row: row.started or _EPOCH, reverse=True)


def details_whole(event: Mapping[str, Any]) -> bool:
    """Whether no payload of an event was cut."""
    return not any(isinstance(v, Mapping) and v.get("truncated") is True for v in details(event).values())


def _recording(arn: str, events: list[dict[str, Any]], redrive_count: int, *, cut: bool) -> Recording:
    events.sort(key=lambda event: event["id"])
    parts = arn.split(":")
    base, machine = ":".join(parts[:5]), parts[6].partition("/")[0] if len(parts) > 7 else ""
    glance = overview(events)
    return Recording(
        arn,
        parts[7] if len(parts) > 7 else arn,
        glance.status,
        events,
        f"{base}:stateMachine:{machine}" if machine else None,
        glance.started,
        glance.ended,
        redrive_count,
        notice=_notice(events, cut=cut),
    )


def _notice(events: Sequence[Mapping[str, Any]], *, cut: bool) -> str | None:
    types = {event["type"] for event in events}
    notices = []
    if not any(kind.endswith("StateEntered") for kind in types):
        notices.append(ERROR_ONLY)
    elif events[0]["id"] != 1 or events[-1]["id"] != len(events) or types.isdisjoint(TERMINAL):
        notices.append(GAPS)
    if "ExecutionStarted" in types and not any(
        key in details(event) for event in events for key in ("input", "output", "parameters")
    ):
        notices.append(NO_DATA)
    if cut:
        notices.append(_CUT)
    return "; ".join(notices) or None


# ---- one record


def _message(record: str | Mapping[str, Any]) -> str | Mapping[str, Any]:
    """Find the record in what holds it."""
    if isinstance(record, Mapping) and "execution_arn" not in record:
        inner = record.get("@message", record.get("message"))
        return inner if isinstance(inner, str | Mapping) else ""
    if isinstance(record, Sequence) and not isinstance(record, str):  # a row of Logs Insights: [{field, value}, …]
        return next((str(cell.get("value", "")) for cell in record if cell.get("field") == "@message"), "")
    return record


def _parsed(message: str | Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """Read a record; of one that was cut in the middle, the scalars that are left. Also say whether it was whole."""
    if isinstance(message, Mapping):
        return message, True
    try:
        value = json.loads(message)
    except ValueError:
        return dict(_SCALAR.findall(message)), False
    return (value, True) if isinstance(value, dict) else ({}, True)


def _event(record: Mapping[str, Any]) -> dict[str, Any] | None:
    number, kind = _number(record.get("id")), record.get("type")
    if number is None or not isinstance(kind, str) or not record.get("execution_arn"):
        return None
    event: dict[str, Any] = {
        "timestamp": _timestamp(record.get("event_timestamp")),
        "type": kind,
        "id": number,
        "previousEventId": _number(record.get("previous_event_id")) or 0,
    }
    member = MEMBERS.get(kind, f"{kind[:1].lower()}{kind[1:]}EventDetails")
    found = record.get("details")
    if member is not None and isinstance(found, Mapping) and found:
        event[member] = dict(_fields(found))
    return event


def _fields(found: Mapping[str, Any]) -> Iterator[tuple[str, Json]]:
    for name, value in found.items():
        key = _SNAKE.sub(lambda match: match[1].upper(), name)
        if key in _NUMBERS:
            number = _number(value)
            yield key, value if number is None else number
        elif key in _TEXTS and not isinstance(value, str):
            yield key, json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        elif key == "assignedVariables" and isinstance(value, Mapping):
            yield key, {k: v if isinstance(v, str) else json.dumps(v, separators=(",", ":")) for k, v in value.items()}
        else:
            yield key, value


def _number(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def _timestamp(value: Any) -> datetime | None:
    """Read milliseconds since 1970, as text or number."""
    number = _number(value)
    if number is not None:
        try:
            return _EPOCH + timedelta(milliseconds=number)
        except OverflowError:
            return None
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def lines_of(text: str) -> Iterator[str | Mapping[str, Any]]:
    """Yield the records in a text: JSON Lines, a JSON list, or the answer of `aws logs get-query-results` or `filter-log-events`."""
    try:
        value = json.loads(text)
    except ValueError:
        yield from (line for line in text.splitlines() if line.strip())
        return
    if isinstance(value, dict) and "execution_arn" not in value:
        value = next((value[key] for key in ("results", "events") if isinstance(value.get(key), list)), [])
    yield from value if isinstance(value, list) else [value]
