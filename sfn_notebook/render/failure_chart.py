"""Failures over time: how many executions started when and how they ended, and since when which failure happens.

The upper part counts executions by start time and status, the lower one failures by kind (module `history.clusters`), a row each.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from sfn_notebook.errors import Json
from sfn_notebook.history.clusters import faults, template
from sfn_notebook.history.failure import Failure
from sfn_notebook.history.trend import words
from sfn_notebook.render.canvas import BLOCKS, SMALL, Canvas, clock_words, duration_step, fitted, text_width, utc
from sfn_notebook.render.chart import Chart
from sfn_notebook.render.gantt import WIDTH
from sfn_notebook.render.labels import shorten, width_of
from sfn_notebook.render.theme import AUTO, LIGHT, MARKS, Status, Theme

if TYPE_CHECKING:
    import pandas as pd

_MOST_CLUSTERS: Final = 8
_BINS: Final = 48

_ORDER: Final = ("SUCCEEDED", "RUNNING", "ABORTED", "TIMED_OUT", "FAILED")
_LOOKS: Final[Mapping[str, tuple[str, str]]] = {
    "SUCCEEDED": ("succeeded", MARKS[Status.SUCCEEDED]),
    "RUNNING": ("running", MARKS[Status.RUNNING]),
    "ABORTED": ("aborted", MARKS[Status.ABORTED]),
    "TIMED_OUT": ("waiting", "⏱"),
    "FAILED": ("failed", MARKS[Status.FAILED]),
}
"""Status of an execution -> (palette role, mark)."""


@dataclass(frozen=True, slots=True)
class _Bins:
    starts: list[datetime]
    width: timedelta
    counts: dict[str, list[int]]
    """Status -> number of executions that started in each bin."""
    clusters: list[tuple[str, list[int]]]
    """What failed -> number in each bin, the most frequent first."""
    fatal: dict[str, list[int]]
    """The part of `clusters` that ended executions."""
    others: int = 0

    @property
    def totals(self) -> list[int]:
        return [sum(column) for column in zip(*self.counts.values(), strict=True)]


def failures_over_time(
    table: pd.DataFrame,
    reports: Mapping[str, Failure | None] | None = None,
    *,
    title: str = "failures over time",
    theme: Theme = AUTO,
) -> Chart:
    """Show how many executions started when and how they ended, and below since when which failure happens.

    Args:
        table: an executions frame.
        reports: execution -> what went wrong in it, for the lower part.
        title: heading.
        theme: `AUTO` follows the page.
    """
    bins = _binned(table, reports or {})
    return Chart(
        title,
        _failures_text(bins, title),
        lambda look: _draw_failures(bins, title, look),
        lambda: _failures_spec(bins),
        theme,
    )


def _binned(table: pd.DataFrame, reports: Mapping[str, Failure | None]) -> _Bins:
    begun = table[table["started"].notna()]
    times = [utc(time) for time in begun["started"].dt.to_pydatetime()] if len(begun) else []
    if not times:
        return _Bins([], timedelta(0), {}, [], {})
    step = duration_step(max((max(times) - min(times)).total_seconds() / (_BINS - 1), 1.0))
    first = math.floor(min(times).timestamp() / step) * step
    size = int((max(times).timestamp() - first) // step) + 1
    counts: dict[str, list[int]] = {status: [0] * size for status in _ORDER}
    for time, status in zip(times, begun["status"].astype(object), strict=True):
        counts.setdefault(str(status), [0] * size)[int((time.timestamp() - first) // step)] += 1
    where = {
        str(name): int((time.timestamp() - first) // step) for name, time in zip(begun["execution"], times, strict=True)
    }
    found: dict[str, list[int]] = {}
    fatal: dict[str, list[int]] = {}
    for execution, report in reports.items():
        for fault in faults(report):
            if execution in where:
                shape = template(fault.cause)
                label = f"{fault.state or 'execution'}: {fault.error or 'failed'}" + (f", {shape}" if shape else "")
                found.setdefault(label, [0] * size)[where[execution]] += 1
                fatal.setdefault(label, [0] * size)[where[execution]] += fault.handling is None
    ranked = sorted(found.items(), key=lambda item: -sum(item[1]))
    start = min(times).fromtimestamp(first, tz=times[0].tzinfo)
    return _Bins(
        [start + timedelta(seconds=step * at) for at in range(size)],
        timedelta(seconds=step),
        {status: row for status, row in counts.items() if any(row)},
        ranked[:_MOST_CLUSTERS],
        fatal,
        max(0, len(ranked) - _MOST_CLUSTERS),
    )


def _draw_failures(bins: _Bins, title: str, theme: Theme) -> str:
    canvas = Canvas(WIDTH, theme)
    canvas.text(8, 14, fitted(title, WIDTH * 0.45), bold=True)
    if not bins.starts:
        canvas.text(8, 36, "no execution has started", role="muted")
        return canvas.raw(52)
    left, right, top, room = (330.0 if bins.clusters else 60.0), WIDTH - 92.0, 40, 110
    width = min(40.0, (right - left) / len(bins.starts))
    _draw_legend(canvas, bins)
    peak = max(bins.totals)
    for count in sorted({peak, (peak + 1) // 2}):
        y = top + room * (1 - count / peak)
        canvas.line(left, y, right, y, "branch-line")
        canvas.text(left - 6, y, f"{count:,}", role="muted", size=SMALL, anchor="end")
    stacked = [0.0] * len(bins.starts)
    for status in [s for s in _ORDER if s in bins.counts] + [s for s in bins.counts if s not in _ORDER]:
        role, mark = _LOOKS.get(status, ("aborted", "?"))
        for at, count in enumerate(bins.counts[status]):
            if count:
                height = room * count / peak
                y = top + room - stacked[at] - height
                tip = f"{_when(bins, at)}\n{mark} {count:,} of {bins.totals[at]:,} {status}"
                canvas.rect(left + at * width + 0.5, y, width - 1, height, f"{role}-fill", line=f"{role}-line", tip=tip)
                stacked[at] += height
    canvas.line(left, top + room, right, top + room, "edge")
    y = _draw_times(canvas, bins, left, width, top + room)
    return canvas.raw(_draw_clusters(canvas, bins, left, width, y) + 6)


def _draw_legend(canvas: Canvas, bins: _Bins) -> None:
    x = WIDTH - 8.0
    for status in reversed([s for s in _ORDER if s in bins.counts]):
        role, mark = _LOOKS[status]
        label = f"{mark} {sum(bins.counts[status]):,} {status}"
        x -= text_width(label, SMALL)
        canvas.text(x, 14, label, size=SMALL)
        canvas.rect(x - 15, 9, 10, 10, f"{role}-fill", line=f"{role}-line")
        x -= 28


def _when(bins: _Bins, at: int) -> str:
    begin = bins.starts[at]
    return f"{begin:%Y-%m-%d %H:%M:%S} UTC, {words(bins.width)}"


def _draw_times(canvas: Canvas, bins: _Bins, left: float, width: float, y: float) -> float:
    every = max(1, math.ceil(70 / width))
    chosen = list(range(0, len(bins.starts), every))
    write = clock_words(
        [bins.starts[at] for at in chosen] if len(chosen) > 1 else [bins.starts[0], bins.starts[0] + bins.width]
    )
    for at in chosen:
        x = left + at * width
        canvas.line(x, y, x, y + 4, "edge")
        canvas.text(x, y + 13, write(bins.starts[at]), role="muted", size=SMALL, anchor="middle" if at else "start")
    canvas.text(left - 6, y + 13, f"{bins.starts[0]:%Y-%m-%d}", role="muted", size=SMALL, anchor="end")
    return y + 34


def _draw_clusters(canvas: Canvas, bins: _Bins, left: float, width: float, y: float) -> float:
    peak = max((max(row) for _, row in bins.clusters), default=1)
    for label, row in bins.clusters:
        canvas.text(8, y, fitted(label, left - 20, SMALL), size=SMALL, tip=label)
        canvas.line(left, y, left + width * len(row), y, "branch-line")
        for at, count in enumerate(row):
            if count:
                radius = 2.5 + 6 * math.sqrt(count / peak)
                ended = bins.fatal[label][at]
                role = "failed" if ended else "caught"
                tip = f"{_when(bins, at)}\n{count:,} times {label}\n{_fate(count, ended)}"
                canvas.circle(left + (at + 0.5) * width, y, radius, f"{role}-fill", line=f"{role}-line", tip=tip)
        canvas.text(WIDTH - 8, y, _fate(sum(row), sum(bins.fatal[label])), role="muted", size=SMALL, anchor="end")
        y += 21
    if bins.others:
        canvas.text(8, y, f"… and {bins.others} more kinds of failure", role="muted", size=SMALL)
        y += 18
    return y


def _fate(count: int, ended: int) -> str:
    parts = [f"{MARKS[Status.FAILED]} {ended:,}"] if ended else []
    return " ".join([*parts, *([f"{MARKS[Status.CAUGHT]} {count - ended:,}"] if count > ended else [])])


def _failures_text(bins: _Bins, title: str) -> str:
    if not bins.starts:
        return f"{title}: no execution has started"
    lines = [f"{title}: from {bins.starts[0]:%Y-%m-%d %H:%M:%S} UTC, {words(bins.width)} a column"]
    rows = [(f"{_LOOKS.get(s, ('', '?'))[1]} {s}", row) for s, row in bins.counts.items()] + bins.clusters
    room = min(44, max(width_of(label) for label, _ in rows))
    for label, row in rows:
        name = shorten(label, room)
        cells = "".join(BLOCKS[math.ceil(count / max(row) * 8)] for count in row)
        lines.append(
            f"{name}{' ' * (room - width_of(name))} │{cells}│ {_fate(sum(row), sum(bins.fatal[label])) if label in bins.fatal else f'{sum(row):,}'}"
        )
    return "\n".join(lines)


def _failures_spec(bins: _Bins) -> dict[str, Json]:
    below = [0] * len(bins.starts)
    values: list[Json] = []
    for status, row in bins.counts.items():
        for at, begin in enumerate(bins.starts):
            if row[at]:
                span = {"start": begin.isoformat(), "end": (begin + bins.width).isoformat()}
                values.append(
                    {**span, "status": status, "count": row[at], "from": below[at], "to": below[at] + row[at]}
                )
                below[at] += row[at]
    shown = [status for status in _ORDER if status in bins.counts]
    scale = {"domain": shown, "range": [LIGHT[f"{_LOOKS[status][0]}-line"] for status in shown]}
    return {
        "width": 640,
        "data": {"values": values},
        "mark": {"type": "rect", "tooltip": {"content": "data"}, "stroke": "white"},
        "encoding": {
            "x": {"field": "start", "type": "temporal", "title": None},
            "x2": {"field": "end"},
            "y": {"field": "from", "type": "quantitative", "title": "executions"},
            "y2": {"field": "to"},
            "color": {"field": "status", "type": "nominal", "scale": scale},
        },
    }
