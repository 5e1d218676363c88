"""Is it getting slower? A slope of duration over start time that a few wild executions cannot bend, and a verdict in words.

The slope is Theil and Sen's, the median of the slopes between all pairs; whether there is a trend at all is Mann and Kendall's
test, which asks only whether later ones tend to be longer. Many executions are first reduced to medians of neighbours, so that
the work stays small. A verdict needs both: a trend that is no chance, and a change that is worth a word.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sfn_notebook.errors import CommandError

if TYPE_CHECKING:
    import pandas as pd

FEWEST: Final = 8
"""Executions below which nothing is said."""

_MOST: Final = 400
_CHANCE: Final = 0.01
_WORTH_A_WORD: Final = 0.05


@dataclass(frozen=True, slots=True)
class Trend:
    """How durations develop.

    Attributes:
        verdict: "slower", "faster", "steady" or "unknown" (too few, or all at once).
        count: how many durations were looked at.
        median: of all durations.
        per_day: the slope: by how much a duration grows in a day.
        change: what that makes from the first start to the last, as a share of the duration at the beginning.
        over: time from the first start to the last.
        chance: probability of seeing such a trend in durations without one.
        what: whose durations these are.
    """

    verdict: str
    count: int
    median: timedelta
    per_day: timedelta
    change: float
    over: timedelta
    chance: float
    what: str = "executions"

    def __str__(self) -> str:
        if self.verdict == "unknown" and self.count >= FEWEST:
            return f"cannot tell: all {self.count} {self.what} started at the same moment"
        if self.verdict == "unknown":
            return f"cannot tell: {self.count} finished {self.what}, at least {FEWEST} are needed"
        middle = f"median {words(self.median)}, {self.count} {self.what} over {words(self.over)}"
        if self.verdict == "steady":
            return f"steady: no trend that stands out from chance ({middle})"
        return (
            f"getting {self.verdict}: {self.change:+.0%} from first to last, "
            f"{words(abs(self.per_day))} {'more' if self.verdict == 'slower' else 'less'} each day ({middle})"
        )


def words(span: timedelta) -> str:
    """Write a time in the unit that suits it: `850 ms`, `1.2 s`, `3 min 5 s`, `2 h 10 min`, `4.5 days`."""
    seconds = span.total_seconds()
    if seconds < 0:
        return "-" + words(-span)
    if seconds < 0.9995:
        milliseconds = seconds * 1000
        return (
            f"{milliseconds:.0f} ms"
            if milliseconds >= 10 or milliseconds == int(milliseconds)
            else f"{milliseconds:.1f} ms"
        )
    if seconds < 59.95:
        return f"{seconds:.3g} s"
    if seconds < 3599.5:
        return _two(round(seconds), 60, "min", "s")
    if seconds < 86400 * 2:
        return _two(round(seconds / 60), 60, "h", "min")
    return f"{seconds / 86400:.3g} days"


def _two(count: int, base: int, large: str, small: str) -> str:
    whole, rest = divmod(count, base)
    return f"{whole} {large} {rest} {small}" if rest else f"{whole} {large}"


def trend(frame: pd.DataFrame, state: str | None = None) -> Trend:
    """Say whether executions, or the visits of one state, are getting slower.

    Args:
        frame: an executions frame (`started`, `duration`, `status`) or a states frame (`entered` in place of `started`).
            Only what succeeded is looked at: what failed or was caught may have ended early.
        state: name of a state, for a states frame.

    Raises:
        CommandError: the frame has no such columns, or no such state.
    """
    began = next((name for name in ("started", "entered") if name in frame.columns), None)
    if began is None or "duration" not in frame.columns:
        raise CommandError(f"a trend needs the columns started or entered, and duration, but found {_named(frame)}")
    if state is not None:
        frame = _of_state(frame, state)
    if "status" in frame.columns:
        frame = frame[frame["status"] == "SUCCEEDED"]
    frame = frame[frame["duration"].notna() & frame[began].notna()].sort_values(began, kind="stable")
    times: Any = frame[began].astype("datetime64[us, UTC]").array
    starts = times.asi8 / 1e6
    spans = frame["duration"].astype("timedelta64[us]").to_numpy().astype("i8") / 1e6
    what = "executions" if began == "started" else f"visits of {state}" if state else "state visits"
    return _judge(starts, spans, what)


def _named(frame: pd.DataFrame) -> str:
    return ", ".join(map(str, list(frame.columns)[:8])) or "no columns"


def _of_state(frame: pd.DataFrame, state: str) -> pd.DataFrame:
    if "name" not in frame.columns:
        raise CommandError(
            f"the trend of one state needs a states frame with the column name, but found {_named(frame)}"
        )
    found = frame[frame["name"] == state]
    if not len(found):
        names = ", ".join(sorted(map(str, frame["name"].dropna().unique()))[:10]) or "none"
        raise CommandError(f"no visit of state {state!r}; states are {names}")
    return found


def _judge(starts: Any, spans: Any, what: str) -> Trend:
    import numpy as np

    count = len(starts)
    median = timedelta(seconds=float(np.median(spans))) if count else timedelta(0)
    over = timedelta(seconds=float(starts[-1] - starts[0])) if count else timedelta(0)
    if count < FEWEST or not over:
        return Trend("unknown", count, median, timedelta(0), 0.0, over, 1.0, what)
    x, y = _thinned(starts - starts[0]), _thinned(spans)
    later, earlier = np.triu_indices(len(x), 1)[::-1]
    run, rise = x[later] - x[earlier], y[later] - y[earlier]
    apart = run > 0
    slope = float(np.median(rise[apart] / run[apart])) if apart.any() else 0.0
    chance = _chance(float(np.sign(rise[apart]).sum()), y)
    start_level = float(np.median(y - slope * x))
    change = slope * float(starts[-1] - starts[0]) / start_level if start_level > 0 else 0.0
    matters = chance < _CHANCE and abs(change) >= _WORTH_A_WORD
    verdict = "steady" if not matters else "slower" if change > 0 else "faster"
    return Trend(verdict, count, median, timedelta(seconds=slope * 86400), change, over, chance, what)


def _thinned(values: Any) -> Any:
    """Reduce many values to medians of neighbours."""
    import numpy as np

    if len(values) <= _MOST:
        return values
    return np.array([np.median(part) for part in np.array_split(values, _MOST)])


def _chance(score: float, values: Any) -> float:
    """Give the probability of a Mann-Kendall score at least this far from zero, with the usual correction for ties."""
    import numpy as np

    count = len(values)
    ties = np.unique(values, return_counts=True)[1].astype("f8")
    variance = (count * (count - 1) * (2 * count + 5) - (ties * (ties - 1) * (2 * ties + 5)).sum()) / 18
    if variance <= 0:
        return 1.0
    return math.erfc(max(0.0, abs(score) - 1) / math.sqrt(variance) / math.sqrt(2))
