"""Points in time as people write them: a datetime, ISO text, or an age such as "7d"."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, TypeAlias

from sfn_notebook.errors import CommandError

Moment: TypeAlias = datetime | date | timedelta | str
"""What `since=` and `until=` take."""

_AGE: Final = re.compile(
    r"\s*(\d+(?:\.\d+)?)\s*(s|sec|seconds?|m|min|minutes?|h|hours?|d|days?|w|weeks?)\s*", re.IGNORECASE
)
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment(value: Moment | None, now: datetime, option: str = "since") -> datetime | None:
    """Give a point in time as UTC; one without a zone counts as UTC, as all times in frames do.

    Args:
        value: a datetime or date, an age (timedelta, or text such as "7d", "12h", "30m", "2w"), ISO-8601 text, or None.
        now: what ages are counted back from.
        option: how messages call it.

    Raises:
        CommandError: the text is none of these.
    """
    if value is None or isinstance(value, datetime):
        return None if value is None else _aware(value)
    if isinstance(value, timedelta):
        return _aware(now) - value
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC)
    if isinstance(value, str):
        age = _AGE.fullmatch(value)
        try:
            if age:
                return _aware(now) - timedelta(**{_UNITS[age[2][0].lower()]: float(age[1])})
            return _aware(datetime.fromisoformat(value.strip()))
        except (ValueError, OverflowError):
            pass
    raise CommandError(
        f'{option}= takes a datetime, ISO text such as "2026-01-31" or an age such as "7d" or "12h", but found {value!r:.80}'
    )


def _aware(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
