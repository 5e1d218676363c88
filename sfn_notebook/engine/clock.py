"""Moments and durations on the virtual clock: whole milliseconds since 1970, UTC.

Reads what Wait states accept, with the error texts recorded from the service, and writes the timestamps of the context object.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from sfn_notebook.engine.frames import Failure
from sfn_notebook.errors import Json
from sfn_notebook.lang.environment import EvaluationFailure

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOST_SECONDS = 99_999_999
_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d(?::?\d\d)?(?::?\d\d)?)", re.ASCII
)


def iso(milliseconds: int) -> str:
    """Write a moment as the context object shows it: ISO-8601, UTC, milliseconds only where there are some."""
    moment = EPOCH + timedelta(milliseconds=milliseconds)
    return moment.isoformat(timespec="milliseconds" if milliseconds % 1000 else "seconds").replace("+00:00", "Z")


def read_iso(text: str) -> int | None:
    """Read an ISO-8601 extended date-time with offset into milliseconds; None when it is not one (or no such day exists)."""
    match = _ISO.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    try:
        moment = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0), tzinfo=UTC)
    except ValueError:
        return None
    shift = _offset_minutes(offset)
    if shift is None:
        return None
    whole = int((moment - EPOCH).total_seconds()) * 1000 + int((fraction or "0").ljust(3, "0")[:3])
    return whole - shift * 60_000


def _offset_minutes(text: str) -> int | None:
    if text == "Z":
        return 0
    digits = text[1:].replace(":", "").ljust(4, "0")
    hours, minutes = int(digits[:2]), int(digits[2:4])
    if hours > 18 or minutes > 59:
        return None
    return (hours * 60 + minutes) * (-1 if text[0] == "-" else 1)


def parse_seconds(value: Json, now: int, path: str | None, field: str) -> int:
    """Read the seconds of a Wait state and give the moment when it ends.

    Raises:
        EvaluationFailure: with the text recorded from the service, for what comes from `SecondsPath`.
        Failure: `States.QueryEvaluationError`, for what a JSONata expression gave.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        _refuse(path, field, f"cannot be parsed as a long value: {path} == {_shown(value)}", "number", value)
    if value != int(value) and path is not None:
        _refuse(path, field, f"cannot be parsed as a long value: {path} == {_shown(value)}", "number", value)
    if value < 0:
        _refuse(path, field, f"references a negative value: {path} == {_shown(value)}", "positive number", value)
    if value > MOST_SECONDS:
        _refuse(
            path,
            field,
            f"references a value above {MOST_SECONDS}: {path} == {_shown(value)}",
            f"number up to {MOST_SECONDS}",
            value,
        )
    return now + int(value) * 1000


def parse_timestamp(value: Json, now: int, path: str | None, field: str) -> int:
    """Read the timestamp of a Wait state in milliseconds; raises as `parse_seconds` does."""
    moment = read_iso(value) if isinstance(value, str) else None
    if moment is None and path is not None:
        text = f"does not reference a valid ISO-8601 extended offset date-time format string: {path} == {_shown(value)}"
        raise EvaluationFailure(f"The TimestampPath parameter {text}")
    if moment is None:
        text = f"The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string: {_shown(value)}"
        raise Failure("States.QueryEvaluationError", text, evaluation=True, location="Timestamp", own=True, inside=True)
    return moment


def _refuse(path: str | None, field: str, recorded: str, expected: str, value: Json) -> None:
    if path is not None:
        raise EvaluationFailure(f"The {field}Path parameter {recorded}")
    text = f"The {field} field returned an unexpected result. Expected a {expected}, but found: {_shown(value)}"
    raise Failure("States.QueryEvaluationError", text, evaluation=True, location=field, own=True)


def _shown(value: Json) -> str:
    from sfn_notebook.strictjson import json_text

    return value if isinstance(value, str) else json_text(value)
