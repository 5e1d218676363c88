"""A sheet to draw charts on, in the manner of the graph engines: plain SVG in palette colours, which `svg` then makes fit for a page.

Owns shapes with tooltips, scales, and axes of time and duration. Colours are named by role and sizes given in pixels of the final
picture. It knows no histories: `gantt` and `charts` do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import escape
from itertools import pairwise
from typing import Final

from sfn_notebook.render.labels import shorten, visible, width_of
from sfn_notebook.render.theme import AUTO, Theme

FONT_SIZE: Final = 12
SMALL: Final = 10.5
_POINTS_PER_PIXEL: Final = 1 / 1.2
"""`svg` takes lengths as an engine writes them, in points, and gives them 1.2 pixels each."""

_CHARACTER: Final = 0.56
"""Width of a character as a part of the font size."""

_SECONDS: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200)
_DAY: Final = 86400

BLOCKS: Final = " ▁▂▃▄▅▆▇█"
"""Eighths of a character cell."""


def number(value: float) -> str:
    """Write a coordinate shortly."""
    return f"{value:.1f}".removesuffix(".0")


def text_width(text: str, size: float = FONT_SIZE) -> float:
    """Estimate how wide a text is drawn."""
    return width_of(text) * size * _CHARACTER


def fitted(text: str, room: float, size: float = FONT_SIZE) -> str:
    """Shorten a text so that it fits."""
    return shorten(visible(text), max(3, int(room / (size * _CHARACTER))))


@dataclass
class Canvas:
    """What is drawn so far."""

    width: float
    theme: Theme = AUTO
    parts: list[str] = field(default_factory=list)

    def rect(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        fill: str | None,
        *,
        line: str | None = None,
        tip: str = "",
        radius: float = 0,
        opacity: float = 1,
    ) -> None:
        """Draw a box; `fill` and `line` are roles."""
        corner = f' rx="{number(radius)}"' if radius else ""
        box = (
            f'<rect x="{number(x)}" y="{number(y)}" width="{number(max(width, 0.5))}" height="{number(height)}"{corner}'
        )
        self._add(f"{box}{self._paint(fill, line, opacity)}/>", tip)

    def polygon(
        self, points: Sequence[tuple[float, float]], fill: str, *, line: str | None = None, tip: str = ""
    ) -> None:
        """Draw a filled area."""
        corners = " ".join(f"{number(x)},{number(y)}" for x, y in points)
        self._add(f'<polygon points="{corners}"{self._paint(fill, line, 1)}/>', tip)

    def circle(self, x: float, y: float, radius: float, fill: str, *, line: str | None = None, tip: str = "") -> None:
        """Draw a dot."""
        dot = f'<circle cx="{number(x)}" cy="{number(y)}" r="{number(radius)}"{self._paint(fill, line, 1)}/>'
        self._add(dot, tip)

    def line(
        self,
        x1: float,
        y1: float,
        x2: float,
        y2: float,
        role: str,
        *,
        width: float = 1,
        dashes: str = "",
        tip: str = "",
    ) -> None:
        """Draw a straight line."""
        ends = f'x1="{number(x1)}" y1="{number(y1)}" x2="{number(x2)}" y2="{number(y2)}"'
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        self._add(f'<line {ends} stroke="{self.theme[role]}" stroke-width="{number(width)}"{dashed}/>', tip)

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        role: str = "text",
        size: float = FONT_SIZE,
        anchor: str = "start",
        bold: bool = False,
        tip: str = "",
    ) -> None:
        """Write a line of text; `y` is its middle."""
        weight = ' font-weight="bold"' if bold else ""
        at = f'x="{number(x)}" y="{number(y + size * 0.35)}" text-anchor="{anchor}" font-size="{number(size)}"'
        self._add(f'<text {at}{weight} fill="{self.theme[role]}">{escape(visible(words))}</text>', tip)

    def raw(self, height: float) -> str:
        """Give the drawing as an engine would."""
        size = f'width="{self.width * _POINTS_PER_PIXEL:.0f}pt" height="{height * _POINTS_PER_PIXEL:.0f}pt"'
        ground = (
            f'<rect x="0" y="0" width="{number(self.width)}" height="{number(height)}" fill="{self.theme["surface"]}"/>'
        )
        names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
        box = f'viewBox="0 0 {number(self.width)} {number(height)}"'
        return f"<svg {names} {size} {box}>{ground}{''.join(self.parts)}</svg>"

    def _paint(self, fill: str | None, line: str | None, opacity: float) -> str:
        inside = f' fill="{self.theme[fill]}"' if fill else ' fill="none"'
        around = f' stroke="{self.theme[line]}"' if line else ""
        return inside + around + (f' fill-opacity="{opacity:.2f}"' if opacity < 1 else "")

    def _add(self, shape: str, tip: str) -> None:
        if tip:
            title = escape(visible(tip)).replace("\n", "&#10;")
            shape = f'<g><a xlink:title="{title}">{shape}</a></g>'
        self.parts.append(shape)


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps values to pixels, straight or by their logarithm."""

    low: float
    high: float
    left: float
    right: float
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        """Give the pixel of a value; values outside stand at the ends."""
        if self.logarithmic:
            low, high, value = (math.log10(max(v, 1e-12)) for v in (self.low, self.high, value))
        else:
            low, high = self.low, self.high
        part = (value - low) / (high - low) if high > low else 0.0
        return self.left + min(1.0, max(0.0, part)) * (self.right - self.left)


def duration_ticks(high: float, count: int = 6) -> list[float]:
    """Give round seconds from 0 to `high`, at most about `count` steps."""
    step = duration_step(high / count)
    return [at * step for at in range(int(high / step + 1e-9) + 1)]


def duration_step(least: float) -> float:
    """Give a round step of seconds that is not less than `least`."""
    if least < 1:
        power = 10.0 ** math.floor(math.log10(max(least, 1e-6)))
        return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * 0.999)
    if least <= _SECONDS[-1]:
        return next(step for step in _SECONDS if step >= least)
    days = least / _DAY
    power = 10.0 ** math.floor(math.log10(days))
    return _DAY * next(factor * power for factor in (1, 2, 5, 10) if factor * power >= days * 0.999)


def log_ticks(low: float, high: float) -> Iterator[float]:
    """Give seconds that divide a logarithmic axis: powers of ten, and beyond a minute the times people think in."""
    for value in (
        1e-6,
        1e-5,
        1e-4,
        1e-3,
        1e-2,
        1e-1,
        1,
        10,
        60,
        600,
        3600,
        6 * 3600,
        _DAY,
        10 * _DAY,
        100 * _DAY,
        1000 * _DAY,
    ):
        if low <= value <= high:
            yield value


def runs(counts: Sequence[float]) -> Iterator[tuple[int, int]]:
    """Give the stretches without an empty slice."""
    first = None
    for at, count in enumerate([*counts, 0]):
        if count and first is None:
            first = at
        elif not count and first is not None:
            yield first, at
            first = None


def clock_words(times: Sequence[datetime]) -> Callable[[datetime], str]:
    """Choose how to write the times of an axis: as much as is needed to tell them apart."""
    steps = [b - a for a, b in pairwise(times)]
    step = min(steps, default=timedelta(days=1))
    one_day = len({time.date() for time in times}) == 1
    if step >= timedelta(days=1):
        return lambda time: f"{time:%d %b}"
    clock = "%H:%M" if step >= timedelta(minutes=1) else "%H:%M:%S"
    return lambda time: time.strftime(clock if one_day or time.time() != datetime.min.time() else "%d %b")


def utc(time: datetime) -> datetime:
    """Give a time in UTC; a naive one counts as UTC."""
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
