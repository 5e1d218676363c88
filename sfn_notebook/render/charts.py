"""Charts of executions: the timeline of one, and how long states take.

The timeline is arranged in `gantt`, failures over time are in `failure_chart`, shapes and scales in `canvas`, and how a chart
shows itself in `chart`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from sfn_notebook.errors import Json
from sfn_notebook.history.analysis import is_frame, rows_of
from sfn_notebook.history.frames import OneOrMany
from sfn_notebook.history.places import place_text
from sfn_notebook.history.records import Visit
from sfn_notebook.history.trend import words
from sfn_notebook.render import gantt
from sfn_notebook.render.canvas import (
    BLOCKS,
    SMALL,
    Canvas,
    Scale,
    duration_ticks,
    fitted,
    log_ticks,
    runs,
    text_width,
    utc,
)
from sfn_notebook.render.chart import MOST_POINTS, Chart, status_colours
from sfn_notebook.render.failure_chart import failures_over_time
from sfn_notebook.render.labels import shorten, width_of
from sfn_notebook.render.overlay import status_of
from sfn_notebook.render.theme import AUTO, LIGHT, Theme

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Chart", "durations", "failures_over_time", "timeline"]

_WIDTH: Final = gantt.WIDTH
_MOST_STATES: Final = 40
_STEP: Final = re.compile(r"(.+?)\[(\d+)\](?:/|$)")


# --- one execution over time ---------------------------------------------------------------------------------------------


def timeline(given: Iterable[Visit] | pd.DataFrame, *, title: str = "timeline", theme: Theme = AUTO) -> Chart:
    """Show one execution over time: a row per state, a bar per visit, attempts inside, thousands of items summed up.

    Args:
        given: the visits of one history, or a states frame of one execution (which knows nothing of single attempts).
        title: heading.
        theme: `AUTO` follows the page.
    """
    visits = visits_of(given) if is_frame(given) else list(cast("Iterable[Visit]", given))
    rows = gantt.arrange(visits)
    return Chart(
        title,
        gantt.outline(rows, title),
        lambda look: gantt.draw(rows, title, look),
        lambda: _timeline_spec(visits),
        theme,
    )


def visits_of(states: Any) -> list[Visit]:
    """Give visits as far as a states frame tells them."""
    import pandas as pd

    names = (
        "visit",
        "name",
        "type",
        "path",
        "parent",
        "run",
        "iteration",
        "entered",
        "exited",
        "status",
        "error",
        "cause",
    )
    cells = states[[*names, "attempts"]].astype(object)
    rows = cells.where(cells.notna(), None).sort_values("visit").itertuples(index=False)
    return [
        Visit(
            id=row.visit,
            name=row.name,
            type=row.type,
            place=tuple((name, int(index)) for name, index in _STEP.findall(row.path or "")),
            parent=row.parent,
            run=row.run,
            iteration=row.iteration,
            entered=None if row.entered is None else pd.Timestamp(row.entered).to_pydatetime(),
            input_text=None,
            exited=None if row.exited is None else pd.Timestamp(row.exited).to_pydatetime(),
            status=row.status or "RUNNING",
            error=row.error,
            cause=row.cause,
            runs=row.attempts,
        )
        for row in rows
    ]


def _timeline_spec(visits: list[Visit]) -> dict[str, Json]:
    found = [visit for visit in visits if visit.entered is not None]
    last = max((utc(t) for v in found for t in (v.entered, v.exited) if t), default=None)
    values = [
        {
            "state": visit.name,
            "path": place_text(visit.place),
            "start": utc(visit.entered).isoformat(),
            "end": utc(visit.exited or last or visit.entered).isoformat(),
            "status": status_of(visit.status).value,
            "attempts": visit.attempts,
            "error": visit.error,
        }
        for visit in found[:MOST_POINTS]
        if visit.entered
    ]
    colours = status_colours(status_of(visit.status) for visit in found)
    return {
        "width": 640,
        "data": {"values": values},
        "params": [{"name": "zoom", "select": {"type": "interval", "encodings": ["x"]}, "bind": "scales"}],
        "mark": {"type": "bar", "tooltip": {"content": "data"}, "fillOpacity": 0.8},
        "encoding": {
            "x": {"field": "start", "type": "temporal", "title": None},
            "x2": {"field": "end"},
            "y": {"field": "state", "type": "nominal", "sort": None, "title": None},
            "color": colours,
            "stroke": colours,
        },
    }


# --- durations -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Durations:
    state: str
    seconds: list[float]
    p50: float
    p95: float

    @property
    def note(self) -> str:
        middle, high, most = (words(timedelta(seconds=s)) for s in (self.p50, self.p95, self.seconds[-1]))
        return f"p50 {middle} · p95 {high} · max {most} · {len(self.seconds):,} visits"


def durations(given: OneOrMany[Visit] | pd.DataFrame, *, title: str = "durations", theme: Theme = AUTO) -> Chart:
    """Show how the durations of each state are distributed, with median and 95th percentile; the slowest state first.

    Args:
        given: the visits of one history, a mapping execution -> visits, or a states frame.
        title: heading.
        theme: `AUTO` follows the page.
    """
    rows = rows_of(given)
    rows = rows[rows["ended"]]
    groups = ((rows["end"] - rows["start"]) / 1e6).groupby(rows["state"], observed=True)
    found = []
    for name, values in groups:
        seconds = sorted(values.tolist())
        found.append(_Durations(str(name), seconds, float(values.quantile(0.5)), float(values.quantile(0.95))))
    found.sort(key=lambda d: (-d.p95, -d.p50, d.state))
    instants = [d.state for d in found if d.seconds[-1] == 0]
    found = [d for d in found if d.seconds[-1] > 0]
    rest = f"no time at all: {', '.join(instants)}" if instants else ""
    return Chart(
        title,
        _durations_text(found, title, rest),
        lambda look: _draw_durations(found, title, rest, look),
        lambda: _durations_spec(found),
        theme,
    )


def _duration_scale(found: Sequence[_Durations], left: float, right: float) -> Scale:
    """Take a logarithmic scale where the longest would squeeze the others to nothing."""
    high = max((d.seconds[-1] for d in found), default=0.0) or 1e-3
    least = min((s for d in found for s in d.seconds if s > 0), default=high)
    middle = sorted(d.p50 for d in found if d.p50 > 0)
    wide = bool(middle) and high > 50 * max(middle[(len(middle) - 1) // 2], least)
    return Scale(max(least * 0.7, 1e-6) if wide else 0.0, high * (1.3 if wide else 1.02), left, right, logarithmic=wide)


def _draw_durations(found: Sequence[_Durations], title: str, rest: str, theme: Theme) -> str:
    canvas = Canvas(_WIDTH, theme)
    shown = found[:_MOST_STATES]
    left = min(220.0, max((text_width(d.state) for d in shown), default=60.0) + 22)
    right = _WIDTH - min(290.0, max((text_width(d.note, SMALL) for d in shown), default=60.0) + 18)
    scale = _duration_scale(shown, left, right)
    canvas.text(8, 14, fitted(title, _WIDTH * 0.6), bold=True)
    canvas.text(_WIDTH - 8, 14, _duration_legend(logarithmic=scale.logarithmic), role="muted", size=SMALL, anchor="end")
    top, height = 46, 34
    bottom = top + height * len(shown)
    ticks = list(log_ticks(scale.low, scale.high)) if scale.logarithmic else duration_ticks(scale.high)
    for tick in ticks:
        canvas.line(scale(tick), top - 3, scale(tick), bottom, "branch-line")
        label = words(timedelta(seconds=tick)) if tick else "0"
        canvas.text(scale(tick), top - 11, label, role="muted", size=SMALL, anchor="middle")
    for number, row in enumerate(shown):
        y = top + number * height
        canvas.line(left, y + height - 5, right, y + height - 5, "branch-line")
        canvas.text(8, y + height / 2 + 4, fitted(row.state, left - 14), tip=row.state)
        canvas.text(right + 10, y + height / 2 + 4, row.note, role="muted", size=SMALL)
        _draw_ridge(canvas, row, y + height - 5, height - 10, scale)
    if len(found) > len(shown):
        canvas.text(8, bottom + 10, f"… and {len(found) - len(shown)} more states", role="muted", size=SMALL)
        bottom += 20
    if rest:
        canvas.text(8, bottom + 12, fitted(rest, _WIDTH - 16, SMALL), role="muted", size=SMALL, tip=rest)
        bottom += 20
    return canvas.raw(bottom + 8)


def _duration_legend(*, logarithmic: bool) -> str:
    return "┃ median  ╎ 95th percentile" + ("  · logarithmic" if logarithmic else "")


def _draw_ridge(canvas: Canvas, row: _Durations, base: float, room: float, scale: Scale) -> None:
    """Draw a histogram as an area; a handful of values as dots."""
    tip = f"{row.state}\n{row.note}"
    if len(row.seconds) <= 12 or row.seconds[0] == row.seconds[-1]:
        for seconds in dict.fromkeys(row.seconds):
            canvas.circle(
                scale(seconds),
                base - room * 0.4,
                4,
                "task-fill",
                line="task-line",
                tip=f"{row.state}\n{words(timedelta(seconds=seconds))}",
            )
    else:
        slices = max(20, min(80, len(row.seconds) // 4))
        width = (scale.right - scale.left) / slices
        counts = [0] * slices
        for seconds in row.seconds:
            counts[min(slices - 1, int((scale(seconds) - scale.left) / width))] += 1
        peak = max(counts)
        for first, last in runs(counts):
            points = [(scale.left + first * width, base)]
            for at in range(first, last):
                level = base - max(1.5, room * counts[at] / peak)
                points += [(scale.left + at * width, level), (scale.left + (at + 1) * width, level)]
            canvas.polygon([*points, (scale.left + last * width, base)], "task-fill", line="task-line", tip=tip)
    canvas.line(scale(row.p50), base, scale(row.p50), base - room, "text", width=2, tip=tip)
    canvas.line(scale(row.p95), base, scale(row.p95), base - room, "text", width=1.2, dashes="3,2", tip=tip)


def _durations_text(found: Sequence[_Durations], title: str, rest: str) -> str:
    if not found and rest:
        return f"{title}: {rest}"
    if not found:
        return f"{title}: nothing has ended"
    room = min(30, max(width_of(d.state) for d in found))
    slices = 40
    scale = _duration_scale(found, 0, slices)
    lines = [
        f"{title} from {words(timedelta(seconds=scale.low))} to {words(timedelta(seconds=scale.high))}"
        + (", logarithmic" if scale.logarithmic else "")
    ]
    for row in found:
        counts = [0] * slices
        for seconds in row.seconds:
            counts[min(slices - 1, int(scale(seconds)))] += 1
        cells = "".join(BLOCKS[math.ceil(count / max(counts) * 8)] for count in counts)
        name = shorten(row.state, room)
        lines.append(f"{name}{' ' * (room - width_of(name))} │{cells}│ {row.note}")
    return "\n".join([*lines, rest] if rest else lines)


def _durations_spec(found: Sequence[_Durations]) -> dict[str, Json]:
    every = max(1, math.ceil(sum(len(d.seconds) for d in found) / MOST_POINTS))
    values = [{"state": d.state, "seconds": s} for d in found for s in [*d.seconds[:-1:every], d.seconds[-1]]]
    scale = _duration_scale(found, 0, 1)
    axis: dict[str, Json] = {"field": "seconds", "type": "quantitative", "title": "seconds"}
    if scale.logarithmic:
        axis["scale"] = {"type": "log"}
        values = [{**value, "seconds": max(float(str(value["seconds"])), scale.low)} for value in values]
    return {
        "width": 640,
        "data": {"values": values},
        "params": [{"name": "zoom", "select": {"type": "interval", "encodings": ["x"]}, "bind": "scales"}],
        "mark": {
            "type": "tick",
            "tooltip": {"content": "data"},
            "thickness": 1.5,
            "opacity": 0.5,
            "color": LIGHT["task-line"],
        },
        "encoding": {"x": axis, "y": {"field": "state", "type": "nominal", "sort": None, "title": None}},
    }
