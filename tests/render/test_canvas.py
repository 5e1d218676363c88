"""Scales, ticks and shapes of charts."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfn_notebook.render.canvas import (
    Canvas,
    Scale,
    clock_words,
    duration_step,
    duration_ticks,
    fitted,
    log_ticks,
    runs,
    utc,
)
from sfn_notebook.render.svg import themed_svg
from sfn_notebook.render.theme import DARK, LIGHT


@given(st.floats(1e-5, 1e9))
def test_ticks_are_round_few_and_inside(high: float) -> None:
    ticks = duration_ticks(high)
    assert ticks[0] == 0
    assert 1 <= len(ticks) <= 8
    assert ticks[-1] <= high * 1.001
    assert duration_step(high) >= high * 0.999


def test_steps_beyond_a_second_are_the_ones_people_think_in() -> None:
    assert [duration_step(s) for s in (0.03, 0.7, 3, 40, 500, 50_000, 100_000)] == [0.05, 1, 5, 60, 600, 86400, 172800]


@given(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6), st.booleans())
def test_a_scale_keeps_order_and_its_ends(low: float, high: float, logarithmic: bool) -> None:
    low, high = sorted((low, high + 1e6))
    scale = Scale(low, high, 10, 110, logarithmic)
    assert scale(low) == pytest.approx(10)
    assert scale(high) == pytest.approx(110)
    assert scale(low - 1) == 10
    assert scale(low) <= scale((low + high) / 2) <= scale(high)


def test_logarithmic_ticks_lie_inside() -> None:
    assert list(log_ticks(0.005, 700)) == [0.01, 0.1, 1, 10, 60, 600]


@given(st.lists(st.integers(0, 2)))
def test_stretches_cover_exactly_what_is_not_empty(counts: list[int]) -> None:
    covered = [at for first, last in runs(counts) for at in range(first, last)]
    assert covered == [at for at, count in enumerate(counts) if count]
    assert all(before[1] < after[0] for before, after in pairwise(runs(counts)))


def test_times_are_written_as_far_as_they_differ() -> None:
    def shown(step: timedelta, count: int = 3) -> list[str]:
        times = [datetime(2026, 3, 1, tzinfo=UTC) + step * n for n in range(count)]
        return [clock_words(times)(time) for time in times]

    assert shown(timedelta(days=1)) == ["01 Mar", "02 Mar", "03 Mar"]
    assert shown(timedelta(hours=8)) == ["00:00", "08:00", "16:00"]
    assert shown(timedelta(hours=12)) == ["01 Mar", "12:00", "02 Mar"]
    assert shown(timedelta(seconds=5)) == ["00:00:00", "00:00:05", "00:00:10"]


def test_times_without_a_zone_count_as_utc() -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert utc(noon.replace(tzinfo=None)) == noon == utc(noon.astimezone(timezone(timedelta(hours=5))))


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_what_is_written_is_text_wherever_it_comes_from(theme: object) -> None:
    nasty = '<script>alert("1")</script> & \x00 \ud800'
    canvas = Canvas(100, LIGHT if theme is LIGHT else DARK)
    canvas.text(0, 0, nasty, tip=nasty + "\nline two")
    canvas.rect(0, 0, 5, 5, "task-fill", tip=nasty)
    canvas.circle(1, 1, 1, "task-fill", tip=nasty)
    canvas.polygon([(0, 0), (1, 1), (1, 0)], "task-fill", tip=nasty)
    canvas.line(0, 0, 1, 1, "edge", tip=nasty)
    root = ET.fromstring(themed_svg(canvas.raw(50)))
    assert not [element for element in root.iter() if element.tag.endswith("script")]
    tips = [element.text or "" for element in root.iter() if element.tag.endswith("title")]
    assert sum('<script>alert("1")</script>' in tip for tip in tips) == 5
    assert sum("\nline two" in tip for tip in tips) == 1


def test_long_texts_are_cut_to_their_room() -> None:
    assert fitted("x" * 100, 70).endswith("…")
    assert len(fitted("x" * 100, 70)) < 15
    assert fitted("short", 70) == "short"
