"""How an execution is put into rows."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from itertools import pairwise
from typing import Any

import pytest

from sfn_notebook.render.gantt import arrange, draw, outline
from sfn_notebook.render.svg import themed_svg
from sfn_notebook.render.theme import DARK, LIGHT, Status

from .executions import at, fanned, retried, visit


def _tips(svg: str) -> list[str]:
    return [e.text or "" for e in ET.fromstring(svg).iter() if e.tag.endswith("title")]


def test_each_state_has_a_row_and_attempts_lie_inside_their_visit() -> None:
    found = arrange(retried())
    assert [row.label for row in found.rows] == ["Call", "Which?", "Broken"]
    call = found.rows[0].bars[0]
    assert [(piece.start, piece.end, piece.status) for piece in call.tries] == [
        (0, 2, Status.FAILED),
        (4, 6, Status.SUCCEEDED),
    ]
    assert (found.begin, found.length) == (at(0), 8)
    assert "↻ 1" in found.rows[0].note


def test_a_loop_stays_in_one_row() -> None:
    visits = [visit(n, "A" if n % 2 else "B", n, n + 1, next=n + 1) for n in range(1, 41)]
    found = arrange(visits)
    assert [(row.label, len(row.bars), row.lanes) for row in found.rows] == [("A", 20, 1), ("B", 20, 1)]


def test_what_runs_beside_each_other_is_packed_under_each_other() -> None:
    found = arrange(fanned(8))
    assert [(row.label, row.depth, row.lanes) for row in found.rows] == [
        ("Each", 0, 1),
        ("items", 1, 4),
        ("Work", 1, 4),
    ]
    for row in found.rows:
        for lane in range(row.lanes):
            bars = sorted((bar.start, bar.end) for bar in row.bars if bar.lane == lane)
            assert all(before[1] <= after[0] for before, after in pairwise(bars))


@pytest.mark.parametrize(("items", "width"), [(1000, 40), (1000, 1), (20_000, 1000)])
def test_a_map_of_many_items_is_counted_instead(items: int, width: int) -> None:
    found = arrange(fanned(items, width=width))
    assert [row.label for row in found.rows] == ["Each", "items", "Work"]
    work = found.rows[2]
    assert work.density is not None
    assert max(work.density) == pytest.approx(width, rel=0.01)
    assert f"✖ {items // 10}" in work.note
    mass = sum(work.density) * found.length / len(work.density)
    assert mass == pytest.approx(2 * items, rel=0.01)  # each item took 2 seconds
    svg = themed_svg(draw(found, "t"))
    assert len(svg) < 120_000
    assert any("failed around here" in tip for tip in _tips(svg))


def test_the_critical_path_is_marked_on_what_the_execution_waited_for() -> None:
    rows = {row.label: row.critical for row in arrange(retried()).rows}
    assert rows == {"Call": [(0, 6)], "Which?": [(6, 6)], "Broken": [(6, 8)]}
    svg = themed_svg(draw(arrange(retried()), "t"))
    assert any("on the critical path for 6 s" in tip for tip in _tips(svg))


def test_iterations_without_records_are_read_from_what_ran_in_them() -> None:
    visits = fanned(8)
    visits[0].iterations = []
    assert [(row.label, len(row.bars)) for row in arrange(visits).rows] == [("Each", 1), ("items", 8), ("Work", 8)]


def test_more_states_than_anybody_reads_are_cut_with_a_word() -> None:
    found = arrange([visit(n, f"S{n}", n, n + 1, next=n + 1) for n in range(1, 201)])
    assert (len(found.rows), found.more) == (80, 120)
    assert "… and 120 more rows" in themed_svg(draw(found, "t"))
    assert outline(found, "t").endswith("… and 120 more rows")


def test_states_nested_deeper_than_python_likes_to_recurse_are_no_problem() -> None:
    visits = [visit(n, f"S{n}", n, 9000 - n, type="Parallel", parent=n - 1) for n in range(1, 3001)]
    assert arrange(visits).more == 2920


def test_nothing_instant_and_running_are_shown_too() -> None:
    assert outline(arrange([]), "t") == "t: nothing has run"
    assert themed_svg(draw(arrange([]), "t")).startswith("<svg")
    instant = arrange([visit(1, "A", 0, 0)])
    assert "A" in themed_svg(draw(instant, "t"))
    assert "0 ms" in outline(instant, "t")
    running = arrange([visit(1, "A", 0, 5, next=2), visit(2, "B", 5, None, type="Wait")])
    assert running.rows[1].bars[0].status is Status.WAITING
    assert visit(1, "A", 0, None).exited is None


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_failures_show_a_mark_and_their_cause_in_both_themes(theme: Any) -> None:
    svg = themed_svg(draw(arrange(retried()), "orders", theme), theme=theme)
    assert any("✖ failed after 2 s" in tip and "Boom: it did" in tip for tip in _tips(svg))
    assert any("attempt 1 of 2" in tip and "Busy" in tip for tip in _tips(svg))
    assert theme["failed-line"] in svg


def test_the_text_form_has_a_cell_for_each_moment() -> None:
    lines = outline(arrange(retried()), "orders").splitlines()
    assert lines[0] == "orders: 8 s"
    assert lines[1].startswith("Call   │████")
    assert lines[3].endswith("✖│ 2 s")
    assert len({line.index("│") for line in lines[1:]}) == 1
