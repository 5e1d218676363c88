"""The machine's graph with many executions on it."""

from __future__ import annotations

from typing import Any

import pytest

from sfn_notebook.render.digraph import make_digraph
from sfn_notebook.render.dot import dot_source
from sfn_notebook.render.processmap import missing, percent, process_map_dot, process_outline, process_overlay
from sfn_notebook.render.theme import DARK, LIGHT

from .executions import attempt, visit

MACHINE = {
    "StartAt": "Check",
    "States": {
        "Check": {"Type": "Task", "Resource": "arn:x", "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Sorry"}], "Next": "Big?"},
        "Big?": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.n", "NumericGreaterThan": 5, "Next": "Slow"}],
            "Default": "Done",
        },
        "Slow": {"Type": "Wait", "Seconds": 60, "Next": "Done"},
        "Sorry": {"Type": "Fail"},
        "Never": {"Type": "Pass", "Next": "Done"},
        "Done": {"Type": "Succeed"},
    },
}  # fmt: skip


def _run(number: int) -> list[Any]:
    if number % 10 == 0:
        return [
            visit(1, "Check", 0, 1, status="CAUGHT", error="E", next=2),
            visit(2, "Sorry", 1, 1, type="Fail", status="FAILED"),
        ]
    check = visit(1, "Check", 0, 1 + number % 3, next=2)
    if number % 10 == 1:
        check.task_attempts = [attempt(1, 0, 1, "FAILED"), attempt(2, 1, 2)]
    slow = [visit(3, "Slow", 3, 63, type="Wait", next=4)] if number % 2 else []
    choice = visit(2, "Big?", 3, 3, type="Choice", next=3 if slow else 4)
    return [check, choice, *slow, visit(4, "Done", 63, 63, type="Succeed")]


RUNS = {f"e{n}": _run(n) for n in range(100)}


def test_every_way_and_every_end_is_counted() -> None:
    overlay = process_overlay(RUNS)
    assert overlay.edges == {
        ("", "Check"): 100,
        ("Check", "Sorry"): 10,
        ("Check", "Big?"): 90,
        ("Big?", "Slow"): 50,
        ("Big?", "Done"): 40,
        ("Slow", "Done"): 50,
    }
    assert overlay.caught == {("Check", "Sorry"): 10}
    assert overlay.ends == {"Done": 90}
    assert overlay.leaving("Big?") == 90


def test_states_carry_times_and_rates() -> None:
    states = process_overlay(RUNS).states
    assert states["Slow"].notes == ("1 min each time", "53% of the time")
    assert states["Slow"].shade == "heat-4"
    assert states["Check"].notes == ("p50 2 s · p95 3 s", "3% of the time", "✖ 10% failed, all caught", "↻ 10% retried")
    assert states["Big?"].notes == ()
    assert "Never" not in states


def test_the_picture_has_numbers_on_ways_and_fades_what_never_happened() -> None:
    dot = process_map_dot(MACHINE, RUNS, title="orders")
    assert "50 · 56 %" in dot
    assert "10 · 10 %" in dot
    assert "p50 2 s · p95 3 s" in dot
    never = next(line for line in dot.splitlines() if '"/States/Never" [' in line)
    assert "sfn-not-reached" in never
    assert process_map_dot(MACHINE, RUNS) == process_map_dot(MACHINE, RUNS)


def test_ways_taken_more_often_are_wider() -> None:
    widths = {
        line.split(" [")[0].strip(): float(line.split('penwidth="')[1].split('"')[0])
        for line in process_map_dot(MACHINE, RUNS).splitlines()
        if "penwidth" in line and "->" in line
    }
    assert widths['"/States/Check" -> "/States/Big?"'] > widths['"/States/Big?" -> "/States/Slow"'] > 1


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_it_is_drawn_in_both_themes(theme: Any) -> None:
    graph = make_digraph(process_map_dot(MACHINE, RUNS, theme=theme), theme=theme)
    assert theme["heat-4-fill"] in graph.svg()


def test_states_that_the_definition_no_longer_has_are_named() -> None:
    runs = {"a": [visit(1, "Old", 0, 1, next=2), visit(2, "Check", 1, 2)]}
    assert missing(MACHINE, runs) == ["Old"]
    assert "Old" not in process_map_dot(MACHINE, runs)
    assert missing(MACHINE, RUNS) == []


def test_the_text_form_lists_ways_by_how_often_they_were_taken() -> None:
    lines = process_outline(RUNS, "orders").splitlines()
    assert lines[0] == "orders: 100 executions"
    choice = lines.index("Big? ×90")
    assert lines[choice + 1 : choice + 3] == ["    → Slow  50 (56%)", "    → Done  40 (44%)"]
    assert "    → Sorry  10 (10%, 10 by a catcher)" in lines


def test_no_executions_give_a_faded_graph() -> None:
    assert process_overlay({}).edges == {}
    assert "sfn-taken" not in process_map_dot(MACHINE, {})
    assert process_map_dot(MACHINE, {}) != dot_source(MACHINE)


def test_a_rate_is_never_rounded_to_nothing() -> None:
    assert [percent(x) for x in (0, 0.0004, 0.0123, 0.0994, 0.0996, 0.5, 1)] == [
        "0%",
        "<0.1%",
        "1.2%",
        "9.9%",
        "10%",
        "50%",
        "100%",
    ]
