"""Breakpoints: which events stop, and how conditions are read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sfn_notebook.errors import CommandError
from sfn_notebook.history.snapshot import Snapshot, snapshot
from sfn_notebook.sim.breakpoints import Breakpoints, compile_condition, condition
from sfn_notebook.strictjson import json_text

STATES = ["Pay", "Ship"]
EMPTY = snapshot([])


def seen(data: Any = None, **variables: Any) -> Snapshot:
    texts = {name: json_text(value) for name, value in variables.items()}
    return replace(EMPTY, data_text=json_text(data), variables_text=texts)


def entered(name: str) -> dict[str, Any]:
    return {"type": "TaskStateEntered", "id": 2, "stateEnteredEventDetails": {"name": name}}


def failed(error: str) -> dict[str, Any]:
    return {"type": "TaskFailed", "id": 5, "taskFailedEventDetails": {"error": error}}


@pytest.mark.parametrize(
    ("text", "data", "holds"),
    [
        ("$.total", {"total": 3}, True),
        ("$.total", {"total": 0}, False),
        ("$.total", {}, False),
        ("$.orders[?(@.total > 5)]", {"orders": [{"total": 9}]}, True),
        ("$.orders[?(@.total > 5)]", {"orders": [{"total": 1}]}, False),
        ("$.total > 5", {"total": 9}, True),
        ("$.total > 5", {"total": 5}, False),
        ("$.total > 5", {"total": "x"}, False),
        ("total = 9", {"total": 9}, True),
        ("{% $states.input.total > 5 %}", {"total": 9}, True),
        ("$count($) > 1", [1, 2], True),
        ("$count($) > 1", [1], False),
        ("$limit > 2", {}, True),
        ("$limit", {}, True),
    ],
)
def test_conditions_may_be_paths_or_expressions(text: str, data: Any, holds: bool) -> None:
    assert condition(text)(seen(data, limit=3)) is holds


def test_a_predicate_gets_the_snapshot() -> None:
    assert condition(lambda view: view.data["n"] == 1)(seen({"n": 1}))


def test_an_unreadable_condition_is_refused_when_it_is_set() -> None:
    with pytest.raises(CommandError, match=r"the condition '\$\.\[' cannot be read"):
        Breakpoints(STATES).add("$.[")


def test_conditions_give_values_too() -> None:
    assert compile_condition("$.a[0]")({"a": [7]}, {}) == 7


def test_a_state_stops_where_it_is_entered() -> None:
    points = Breakpoints(STATES)
    points.add("Pay")
    assert points.hit(entered("Pay"), lambda: seen()) is not None
    assert points.hit(entered("Ship"), lambda: seen()) is None
    assert (
        points.hit({"type": "TaskStateExited", "id": 3, "stateExitedEventDetails": {"name": "Pay"}}, lambda: seen())
        is None
    )


def test_a_state_with_a_condition_stops_only_where_it_holds() -> None:
    points = Breakpoints(STATES)
    points.add("Pay", when="$.total > 5")
    assert points.hit(entered("Pay"), lambda: seen({"total": 6})) is not None
    assert points.hit(entered("Pay"), lambda: seen({"total": 5})) is None


def test_errors_stop_by_name_or_any() -> None:
    points = Breakpoints(STATES)
    named = points.add(error="Busy")
    assert points.hit(failed("Busy"), lambda: seen()) is named
    assert points.hit(failed("Other"), lambda: seen()) is None
    any_error = points.add(error=True)
    assert points.hit(failed("Other"), lambda: seen()) is any_error
    assert points.hit({"type": "TaskSucceeded", "id": 5}, lambda: seen()) is None


def test_what_is_off_does_not_stop() -> None:
    points = Breakpoints(STATES)
    points.add("Pay").enabled = False
    assert points.hit(entered("Pay"), lambda: seen()) is None


def test_an_unknown_state_is_refused_with_the_nearest() -> None:
    with pytest.raises(CommandError, match=r'there is no state "Pey"; did you mean "Pay"\?'):
        Breakpoints(STATES).add("Pey")


def test_a_breakpoint_on_nothing_is_refused() -> None:
    with pytest.raises(CommandError, match="needs a state, an error or a condition"):
        Breakpoints(STATES).add()


def test_breakpoints_are_removed_by_number_state_or_themselves() -> None:
    points = Breakpoints(STATES)
    first, second, third = points.add("Pay"), points.add("Ship"), points.add(error=True)
    points.remove(first.number)
    points.remove("Ship")
    points.remove(third)
    assert len(points) == 0
    with pytest.raises(CommandError, match=f"no breakpoint {second.number}"):
        points.remove(second.number)


def test_toggle_sets_and_takes_away() -> None:
    points = Breakpoints(STATES)
    assert points.toggle("Pay") is True
    assert "Pay" in points
    assert points.toggle("Pay") is False
    assert "Pay" not in points


def test_breakpoints_are_saved_without_predicates() -> None:
    points = Breakpoints(STATES)
    points.add("Pay", when="$.a")
    points.add(error=True).enabled = False
    points.add(lambda view: True)
    again = Breakpoints(STATES)
    again.load(points.to_json())
    assert [str(one) for one in again] == ["1: state Pay when $.a", "2: any error (off)"]


def test_a_copy_is_changed_apart() -> None:
    points = Breakpoints(STATES)
    points.add("Pay")
    points.copy().clear()
    assert str(points) == "<Breakpoints: 1: state Pay>"
