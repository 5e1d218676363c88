"""Is it getting slower?"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfn_notebook.errors import CommandError
from sfn_notebook.history.trend import trend, words

START = datetime(2026, 3, 1, tzinfo=UTC)


def _table(seconds: list[float], hours: float = 1, **more: Any) -> pd.DataFrame:
    starts = [START + timedelta(hours=hours * n) for n in range(len(seconds))]
    rows = {"started": starts, "duration": pd.to_timedelta(seconds, unit="s"), "status": "SUCCEEDED"}
    return pd.DataFrame({**rows, **more})


def _noisy(count: int, growth: float, seed: int) -> list[float]:
    chance = random.Random(seed)
    return [10 * (1 + growth * n / count) * chance.lognormvariate(0, 0.2) for n in range(count)]


def test_growing_durations_are_named_with_their_slope() -> None:
    found = trend(_table([10 + n / 24 for n in range(24 * 10)]))
    assert found.verdict == "slower"
    assert found.per_day.total_seconds() == pytest.approx(1, rel=1e-3)
    assert found.change == pytest.approx(1, rel=0.01)
    assert str(found).startswith(
        "getting slower: +100% from first to last, 1 s more each day (median 15 s, 240 executions"
    )


def test_shrinking_durations_are_faster() -> None:
    found = trend(_table([20 - n / 24 for n in range(24 * 10)]))
    assert (found.verdict, round(found.change, 1)) == ("faster", -0.5)
    assert "1 s less each day" in str(found)


def test_a_few_wild_executions_do_not_make_a_trend() -> None:
    seconds = [10 + n % 3 for n in range(100)]
    seconds[-1] = seconds[-2] = 10_000
    assert trend(_table([float(s) for s in seconds])).verdict == "steady"


def test_what_is_no_chance_but_tiny_is_steady_too() -> None:
    found = trend(_table([100 + n / 100 for n in range(100)]))
    assert found.chance < 0.01
    assert found.verdict == "steady"


def test_few_or_simultaneous_executions_say_nothing() -> None:
    assert str(trend(_table([1, 2, 3]))) == "cannot tell: 3 finished executions, at least 8 are needed"
    assert trend(_table([])).verdict == "unknown"
    assert "started at the same moment" in str(trend(_table([1.0, 2.0] * 10, hours=0)))


def test_only_what_succeeded_counts() -> None:
    table = _table([10.0] * 50 + [float(n) for n in range(50)])
    table["status"] = ["SUCCEEDED"] * 50 + ["FAILED"] * 50
    assert (trend(table).count, trend(table).verdict) == (50, "steady")


def test_one_state_of_a_states_frame() -> None:
    frame = _table([1.0 + n for n in range(20)] * 2, name=["A", "B"] * 20).rename(columns={"started": "entered"})
    assert trend(frame, "A").count == 20
    assert "visits of A" in str(trend(frame, "A"))
    with pytest.raises(CommandError, match="no visit of state 'C'; states are A, B"):
        trend(frame, "C")
    with pytest.raises(CommandError, match="needs a states frame with the column name"):
        trend(_table([1.0]), "A")
    with pytest.raises(CommandError, match="needs the columns started or entered, and duration, but found a"):
        trend(pd.DataFrame({"a": [1]}))


@given(st.integers(30, 1500), st.integers(0, 10_000))
def test_a_doubling_is_seen_through_noise_whatever_the_number(count: int, seed: int) -> None:
    assert trend(_table(_noisy(count, 1.0, seed))).verdict == "slower"


@given(st.floats(0.1, 100), st.integers(0, 100))
def test_the_verdict_does_not_depend_on_the_unit(factor: float, seed: int) -> None:
    seconds = _noisy(60, 0.5, seed)
    assert trend(_table(seconds)).verdict == trend(_table([s * factor for s in seconds])).verdict


TIMES = {
    0: "0 ms",
    0.0005: "0.5 ms",
    0.0123: "12 ms",
    0.9996: "1 s",
    1.234: "1.23 s",
    59.96: "1 min",
    185: "3 min 5 s",
    7800: "2 h 10 min",
    4.5 * 86400: "4.5 days",
    -1: "-1 s",
}


@pytest.mark.parametrize(("seconds", "text"), TIMES.items())
def test_times_in_words(seconds: float, text: str) -> None:
    assert words(timedelta(seconds=seconds)) == text
