"""The timeline of one execution: a row per state, a bar per visit, in it a bar per attempt.

Owns the arrangement: rows follow the nesting, visits of one state share a row (a loop is seen as a loop), and visits that run
beside each other are packed under each other. Where that would be more than anybody can read, as with a Map of a thousand items,
the row shows how many ran at each moment instead, with the failures marked. So a picture never has more rows than the machine has
states, and never more than some hundred bars a row.

Arranging is apart from drawing: `arrange` gives rows of plain data, `draw` and `outline` show them as SVG and as text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from sfn_notebook.history.critical import spans_of, walk
from sfn_notebook.history.places import place_text
from sfn_notebook.history.records import Attempt, Visit
from sfn_notebook.history.trend import words
from sfn_notebook.render.canvas import SMALL, Canvas, Scale, duration_ticks, fitted, runs, text_width, utc
from sfn_notebook.render.labels import shorten, width_of
from sfn_notebook.render.overlay import status_of
from sfn_notebook.render.theme import AUTO, MARKS, RETRIED, Status, Theme

WIDTH: Final = 900
_MOST_LANES: Final = 12
_MOST_BARS: Final = 120
_MOST_ROWS: Final = 80
_SLICES: Final = 240
_CELLS: Final = 48
"""Characters of the text form."""

_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_BAD: Final = frozenset({Status.FAILED, Status.CAUGHT})


@dataclass(slots=True)
class Bar:
    """One visit or iteration; times in seconds from the beginning."""

    start: float
    end: float
    status: Status
    tip: str
    lane: int = 0
    tries: list[Bar] = field(default_factory=list)
    """The attempts inside a visit, if there was more than one, or one that waited."""


@dataclass(slots=True)
class Row:
    """One row: a state, or the items of a Map. `density` is set where bars would be too many: how many ran in each slice."""

    label: str
    depth: int
    bars: list[Bar]
    lanes: int = 1
    density: list[float] | None = None
    note: str = ""
    tip: str = ""
    critical: list[tuple[float, float]] = field(default_factory=list)
    """When the execution was waiting for this state and nothing else."""

    @property
    def height(self) -> float:
        """The pixels that the row takes."""
        if self.density is not None:
            return 36
        return 22 if self.lanes == 1 else 8 + self.lanes * self.lane

    @property
    def lane(self) -> float:
        """The pixels from one lane to the next."""
        return 9 if self.lanes <= 6 else 6


@dataclass(slots=True)
class Timeline:
    """All rows of one execution."""

    rows: list[Row]
    begin: datetime | None
    length: float
    more: int = 0
    """Rows left out."""


def arrange(visits: Iterable[Visit]) -> Timeline:
    """Put the visits of one execution into rows."""
    found = [visit for visit in visits if visit.entered is not None]
    times = [utc(t) for v in found for t in (v.entered, v.exited) if t is not None]
    if not times:
        return Timeline([], None, 0.0)
    begin, end = min(times), max(times)
    length = (end - begin).total_seconds()
    clock = _Clock(begin, length)
    inner: dict[str | None, dict[str, list[Visit]]] = {}
    names = {visit.id: visit.name for visit in found}
    for visit in found:
        inner.setdefault(names.get(visit.parent), {}).setdefault(visit.name, []).append(visit)
    critical = _critical(found, names, begin)
    rows: list[Row] = []
    stack = [(name, members, 0) for name, members in reversed(inner.get(None, {}).items())]
    placed: set[str] = set()
    while stack:
        name, members, depth = stack.pop()
        if name in placed:  # names are unique in a machine, but a history is not bound to that
            continue
        placed.add(name)
        rows += _state_rows(members, depth, clock, inner.get(name, {}))
        rows[-1 if rows[-1].label == name else -2].critical = critical.get(name, [])
        stack += [(child, visits_, depth + 1) for child, visits_ in reversed(inner.get(name, {}).items())]
    return Timeline(rows[:_MOST_ROWS], begin, length, max(0, len(rows) - _MOST_ROWS))


def _critical(visits: list[Visit], names: dict[int, str], begin: datetime) -> dict[str, list[tuple[float, float]]]:
    """Give the pieces of the critical path of each state, in seconds from the beginning; neighbours joined."""
    found: dict[str, list[tuple[float, float]]] = {}
    zero = (begin - _EPOCH) / _MICROSECOND
    for leg in walk(spans_of(visits)):
        pieces = found.setdefault(names[leg.id], [])
        start, end = (leg.start - zero) / 1e6, (leg.end - zero) / 1e6
        if pieces and start - pieces[-1][1] < 1e-3:
            start = pieces.pop()[0]
        pieces.append((start, end))
    return found


@dataclass(frozen=True, slots=True)
class _Clock:
    begin: datetime
    length: float

    def at(self, time: datetime | None) -> float:
        return self.length if time is None else (utc(time) - self.begin).total_seconds()


def _state_rows(members: list[Visit], depth: int, clock: _Clock, inside: dict[str, list[Visit]]) -> list[Row]:
    bars = [_bar(visit, clock) for visit in members]
    kind = members[0].type
    rows = [_packed(members[0].name, depth, bars, clock.length, "visits", kind)]
    if kind == "Map" and inside:
        items = _items(members, [visit for visits in inside.values() for visit in visits], clock)
        if len(items) > 1:
            rows.append(_packed("items", depth + 1, items, clock.length, "items", f"iterations of {members[0].name}"))
    return rows


def _bar(visit: Visit, clock: _Clock) -> Bar:
    start, end, status = clock.at(visit.entered), clock.at(visit.exited), status_of(visit.status)
    if status is Status.RUNNING and visit.type == "Wait":
        status = Status.WAITING
    where = "/".join(filter(None, (place_text(visit.place), visit.name)))
    lines = [
        f"{where} · {visit.type}",
        f"{MARKS[status]} {status.value} after {_words(end - start)}",
        f"from +{_words(start)}",
    ]
    lines += [f"{visit.attempts} attempts"] if visit.attempts > 1 else []
    lines += (
        [": ".join(shorten(part, 200) for part in (visit.error, visit.cause) if part)]
        if visit.error or visit.cause
        else []
    )
    tries = [_try(attempt, visit, clock) for attempt in visit.task_attempts]
    return Bar(
        start,
        max(start, end),
        status,
        "\n".join(lines),
        tries=tries if len(tries) > 1 or _queued(tries, start, end) else [],
    )


def _queued(tries: list[Bar], start: float, end: float) -> bool:
    """Say whether a single attempt leaves so much of its visit empty that it is worth showing."""
    return bool(tries) and (tries[0].end - tries[0].start) < 0.9 * (end - start)


def _try(attempt: Attempt, visit: Visit, clock: _Clock) -> Bar:
    start, end = clock.at(attempt.started or attempt.scheduled or visit.entered), clock.at(attempt.ended)
    status = status_of(attempt.status)
    lines = [
        f"{visit.name} · attempt {attempt.number} of {visit.attempts}",
        f"{MARKS[status]} {status.value}, ran {_words(end - start)}",
    ]
    if attempt.scheduled and attempt.started:
        lines.append(f"queued {_words(clock.at(attempt.started) - clock.at(attempt.scheduled))}")
    if attempt.error:
        lines.append(": ".join(shorten(part, 200) for part in (attempt.error, attempt.cause) if part))
    return Bar(start, max(start, end), status, "\n".join(lines))


def _items(maps: list[Visit], inside: list[Visit], clock: _Clock) -> list[Bar]:
    """Give a bar per iteration, from its own record or, in what came from a frame, from what ran in it."""
    recorded = [one for visit in maps for one in visit.iterations]
    if recorded:
        return [
            _item(place_text(one.place), one.status, clock.at(one.started), clock.at(one.ended), one.error)
            for one in recorded
        ]
    groups: dict[tuple[object, ...], list[Visit]] = {}
    for visit in inside:
        groups.setdefault((visit.parent, visit.run, visit.place), []).append(visit)
    return [
        _item(
            place_text(group[0].place),
            group[-1].status,
            min(clock.at(v.entered) for v in group),
            max(clock.at(v.exited) for v in group),
            group[-1].error,
        )
        for group in groups.values()
    ]


def _item(where: str, word: str, start: float, end: float, error: str | None) -> Bar:
    status = status_of(word)
    tip = f"{where}\n{MARKS[status]} {status.value} after {_words(end - start)}\nfrom +{_words(start)}"
    return Bar(start, max(start, end), status, tip + (f"\n{error}" if error else ""))


def _packed(label: str, depth: int, bars: list[Bar], length: float, what: str, tip: str) -> Row:
    """Lay bars that overlap under each other, or count them where they are too many."""
    ends: list[float] = []
    for bar in sorted(bars, key=lambda b: (b.start, b.end)):
        lane = next((n for n, end in enumerate(ends) if end <= bar.start), None)
        if lane is None:
            lane = len(ends)
            ends.append(0.0)
        bar.lane, ends[lane] = lane, bar.end
        if len(ends) > _MOST_LANES and len(bars) > _MOST_LANES:
            break
    row = Row(label, depth, bars, max(1, len(ends)), tip=tip)
    if len(ends) > _MOST_LANES or len(bars) > _MOST_BARS:
        row.density = _density(bars, length, _SLICES)
    row.note = _note(bars, what)
    return row


def _note(bars: list[Bar], what: str) -> str:
    longest = max(bar.end - bar.start for bar in bars)
    retries = sum(max(0, len(bar.tries) - 1) for bar in bars)
    failed = sum(bar.status in _BAD for bar in bars)
    parts = [_words(longest)] if len(bars) == 1 else [f"{len(bars):,} {what}", f"≤ {_words(longest)}"]
    parts += [f"{RETRIED} {retries}"] if retries else []
    parts += [f"{MARKS[Status.FAILED]} {failed}"] if failed and len(bars) > 1 else []
    return " · ".join(parts)


def _density(bars: Sequence[Bar], length: float, slices: int) -> list[float]:
    """Count how many bars cover each slice of time on average."""
    if length <= 0:
        return [float(len(bars))] * slices
    step = length / slices
    counts = [0.0] * (slices + 1)
    slopes = [0.0] * (slices + 2)
    for bar in bars:
        first, last = min(int(bar.start / step), slices - 1), min(int(bar.end / step), slices - 1)
        if first == last:
            counts[first] += max((bar.end - bar.start) / step, 0.02)
            continue
        counts[first] += first + 1 - bar.start / step
        counts[last] += bar.end / step - last
        slopes[first + 1] += 1
        slopes[last] -= 1
    running = 0.0
    for at in range(slices):
        running += slopes[at]
        counts[at] += running
    return counts[:slices]


def _words(seconds: float) -> str:
    return words(timedelta(seconds=seconds))


# --- drawing -------------------------------------------------------------------------------------------------------------


def draw(timeline: Timeline, title: str, theme: Theme = AUTO) -> str:
    """Draw a timeline as SVG, as an engine would."""
    canvas = Canvas(WIDTH, theme)
    labels = min(230.0, max((12 + 14 * r.depth + text_width(r.label) for r in timeline.rows), default=60.0) + 12)
    notes = min(190.0, max((text_width(r.note, SMALL) for r in timeline.rows), default=40.0) + 14)
    scale = Scale(0, timeline.length or 1e-3, labels, WIDTH - notes - 8)
    top = _heading(canvas, timeline, title)
    bottom = top + sum(row.height for row in timeline.rows)
    _axis(canvas, scale, timeline, top)
    y = top
    for number, row in enumerate(timeline.rows):
        if number % 2:
            canvas.rect(0, y, WIDTH, row.height, "group-fill", opacity=0.7)
        y += row.height
    _grid(canvas, scale, timeline, top, bottom)
    y = top
    for row in timeline.rows:
        _draw_row(canvas, row, y, scale, labels)
        y += row.height
    if timeline.more:
        canvas.text(8, y + 10, f"… and {timeline.more} more rows", role="muted", size=SMALL)
        y += 20
    return canvas.raw(y + 8)


def _heading(canvas: Canvas, timeline: Timeline, title: str) -> float:
    canvas.text(8, 14, fitted(title, WIDTH * 0.5), bold=True)
    if timeline.begin is not None:
        canvas.text(
            WIDTH - 8,
            14,
            f"━ critical path    {_words(timeline.length)} from {timeline.begin:%Y-%m-%d %H:%M:%S} UTC",
            role="muted",
            size=SMALL,
            anchor="end",
        )
    return 46


def _axis(canvas: Canvas, scale: Scale, timeline: Timeline, top: float) -> None:
    for tick in duration_ticks(timeline.length or 1e-3):
        canvas.text(scale(tick), top - 11, _words(tick) if tick else "0", role="muted", size=SMALL, anchor="middle")


def _grid(canvas: Canvas, scale: Scale, timeline: Timeline, top: float, bottom: float) -> None:
    for tick in duration_ticks(timeline.length or 1e-3):
        canvas.line(scale(tick), top - 3, scale(tick), bottom, "branch-line")


def _draw_row(canvas: Canvas, row: Row, y: float, scale: Scale, labels: float) -> None:
    middle = y + row.height / 2
    x = 8 + 14 * row.depth
    canvas.text(
        x,
        middle,
        fitted(row.label, labels - x - 6),
        role="muted" if row.label == "items" else "text",
        tip=f"{row.label} · {row.tip}",
    )
    canvas.text(scale.right + 8, middle, fitted(row.note, WIDTH - scale.right - 12, SMALL), role="muted", size=SMALL)
    if row.density is not None:
        _draw_density(canvas, row, y, scale)
    else:
        for bar in row.bars:
            _draw_bar(canvas, bar, y + 4 + bar.lane * row.lane, 12 if row.lanes == 1 else row.lane - 2, scale)
    for begin, end in row.critical:
        if scale(end) - scale(begin) >= 0.5:
            under = y + row.height - 2.5
            tip = f"{row.label} on the critical path for {_words(end - begin)}"
            canvas.line(scale(begin), under, scale(end), under, "text", width=2, tip=tip)


def _draw_bar(canvas: Canvas, bar: Bar, y: float, height: float, scale: Scale) -> None:
    left, right = scale(bar.start), scale(bar.end)
    role = bar.status.value.replace(" ", "-")
    inner = [piece for piece in bar.tries if scale(piece.end) - scale(piece.start) > 0.3 or len(bar.tries) < 20]
    canvas.rect(left, y, max(right - left, 2), height, f"{role}-fill", line=f"{role}-line", tip=bar.tip, radius=2)
    for piece in inner:
        colour = piece.status.value.replace(" ", "-")
        begin, end = scale(piece.start), scale(piece.end)
        canvas.rect(begin, y + 2, max(end - begin, 1.5), height - 4, f"{colour}-line", tip=piece.tip, radius=1)
        if piece.status in _BAD and height > 8 and piece is not bar.tries[-1] and end - begin > 11:
            canvas.text(
                (begin + end) / 2,
                y + height / 2,
                MARKS[piece.status],
                role="surface",
                size=8,
                anchor="middle",
                tip=piece.tip,
            )
    if bar.status is not Status.SUCCEEDED and height > 8:
        at = right + 3 if right + 14 < scale.right else left - 12
        canvas.text(at, y + height / 2, MARKS[bar.status], role=f"{role}-line", size=SMALL, tip=bar.tip)


def _draw_density(canvas: Canvas, row: Row, y: float, scale: Scale) -> None:
    """Draw how many ran at each moment as an area, with a mark for each moment at which something failed."""
    assert row.density is not None
    peak = max(row.density) or 1.0
    base, room = y + row.height - 5, row.height - 16
    width = (scale.right - scale.left) / len(row.density)
    tip = f"{row.label}: {row.note}" + (f"\nat most about {_count(peak)} at once" if peak >= 1 else "")
    stretches = list(runs(row.density))
    for first, last in stretches:
        points = [(scale.left + first * width, base)]
        for at in range(first, last):
            level = base - max(1.0, room * row.density[at] / peak)
            points += [(scale.left + at * width, level), (scale.left + (at + 1) * width, level)]
        canvas.polygon([*points, (scale.left + last * width, base)], "running-fill", line="running-line", tip=tip)
    if peak >= 1:
        label, x = f"{_count(peak)} at once", scale.left + stretches[0][0] * width
        room_left = x - scale.left > text_width(label, 8.5) + 8
        canvas.text(
            x - 5 if room_left else x + 4,
            y + 13 if room_left else y + 7,
            label,
            role="muted",
            size=8.5,
            anchor="end" if room_left else "start",
        )
    failed: dict[int, list[Bar]] = {}
    for bar in row.bars:
        if bar.status in _BAD or any(piece.status in _BAD for piece in bar.tries):
            failed.setdefault(int(scale(bar.end) / 7), []).append(bar)
    for group in failed.values():
        fatal = [bar for bar in group if bar.status in _BAD]
        role = "failed-line" if fatal else "caught-line"
        x = scale((fatal or group)[0].end)
        words_ = f"{len(fatal)} failed" if fatal else f"{len(group)} retried"
        canvas.polygon(
            [(x - 3, y + 2), (x + 3, y + 2), (x, y + 8)],
            role,
            tip=f"{words_} around here, such as\n{(fatal or group)[0].tip}",
        )
        canvas.line(x, y + 8, x, base, role)


def _count(peak: float) -> str:
    return f"{peak:,.0f}" if peak >= 9.5 else f"{peak:.2g}"


# --- text ----------------------------------------------------------------------------------------------------------------


def outline(timeline: Timeline, title: str) -> str:
    """Write a timeline as text: a line per row, a character per moment, as high as many ran; ✖ where something failed."""
    if not timeline.rows:
        return f"{title}: nothing has run"
    shown = [("  " * row.depth + row.label) for row in timeline.rows]
    room = min(30, max(width_of(label) for label in shown))
    lines = [f"{title}: {_words(timeline.length)}"]
    for row, label in zip(timeline.rows, shown, strict=True):
        name = shorten(label, room)
        lines.append(f"{name}{' ' * (room - width_of(name))} │{_cells(row, timeline.length)}│ {row.note}")
    if timeline.more:
        lines.append(f"… and {timeline.more} more rows")
    return "\n".join(lines)


def _cells(row: Row, length: float) -> str:
    counts = _density(row.bars, length, _CELLS)
    peak = max(1.0, *counts)
    cells = [" " if count <= 0 else _BLOCKS[min(7, int(count / peak * 7.999))] for count in counts]
    for bar in row.bars:
        if bar.status in _BAD:
            at = int(bar.end / length * _CELLS) if length > 0 else 0
            cells[min(at, _CELLS - 1)] = MARKS[bar.status]
    return "".join(cells)
