"""Points in time as people write them."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pandas as pd
import pytest

from sfn_notebook.aws.times import moment
from sfn_notebook.errors import CommandError

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("7d", datetime(2026, 3, 3, 12, tzinfo=UTC)),
        ("12h", datetime(2026, 3, 10, 0, tzinfo=UTC)),
        ("90 minutes", datetime(2026, 3, 10, 10, 30, tzinfo=UTC)),
        ("5m", datetime(2026, 3, 10, 11, 55, tzinfo=UTC)),
        ("30s", datetime(2026, 3, 10, 11, 59, 30, tzinfo=UTC)),
        ("1.5H", datetime(2026, 3, 10, 10, 30, tzinfo=UTC)),
        ("2 weeks", datetime(2026, 2, 24, 12, tzinfo=UTC)),
        (timedelta(days=1), datetime(2026, 3, 9, 12, tzinfo=UTC)),
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-01T10:00:00Z", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        (" 2026-03-01 10:00+02:00 ", datetime(2026, 3, 1, 8, tzinfo=UTC)),
        (date(2026, 3, 1), datetime(2026, 3, 1, tzinfo=UTC)),
        (datetime(2026, 3, 1, 10), datetime(2026, 3, 1, 10, tzinfo=UTC)),
        (datetime(2026, 3, 1, 10, tzinfo=timezone(timedelta(hours=2))), datetime(2026, 3, 1, 8, tzinfo=UTC)),
        (pd.Timestamp("2026-03-01", tz="UTC"), datetime(2026, 3, 1, tzinfo=UTC)),
        (None, None),
    ],
)
def test_times_and_ages_become_utc(value: Any, expected: datetime | None) -> None:
    assert moment(value, NOW) == expected


@pytest.mark.parametrize("value", ["", "yesterday", "5 months", "7", "d", "2026-13-01", "1e9d", "9" * 30 + "d", 7, 1.5])
def test_anything_else_is_refused_with_what_is_possible(value: Any) -> None:
    with pytest.raises(
        CommandError, match=r'^until= takes a datetime, ISO text .* or an age such as "7d" or "12h", but found'
    ):
        moment(value, NOW, "until")
