"""Breakpoints: which events stop, and how conditions are read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sfn_notebook.errors import CommandError
from sfn_notebook.history.snapshot import Active, Snapshot, snapshot
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
    points = Breakpoints(STATES)
    points.add(when=text)
    assert (points.hit(entered("Pay"), lambda: seen(data, limit=3)) is not None) is holds


def test_a_predicate_gets_the_snapshot() -> None:
    assert condition(lambda view: view.data["n"] == 1)(seen({"n": 1}), dict)


def test_an_unreadable_condition_is_refused_when_it_is_set() -> None:
    with pytest.raises(CommandError, match=r"the condition '\$\.\[' cannot be read"):
        Breakpoints(STATES).add("$.[")


@pytest.mark.parametrize(
    "text",
    [
        "$$.State.Name = 'Pay'",
        "$states.context.State.Name = 'Pay'",
        "$$.State.Name = 'Pay' and $.n = 1",
        "$$.State.Name",
    ],
)
def test_a_condition_may_ask_for_the_context_object(text: str) -> None:
    points = Breakpoints(STATES)
    points.add(when=text)
    assert points.hit(entered("Pay"), lambda: seen({"n": 1}), lambda: {"State": {"Name": "Pay"}}) is not None
    assert (points.hit(entered("Pay"), lambda: seen({"n": 1}), lambda: {"State": {"Name": ""}})) is None


def test_dollar_signs_in_strings_are_no_context_object() -> None:
    points = Breakpoints(STATES)
    points.add(when="$.x = '$$' and $$.State.Name = \"Pay\" and `$$` = 1")
    context = {"State": {"Name": "Pay"}}
    assert points.hit(entered("Pay"), lambda: seen({"x": "$$", "$$": 1}), lambda: context) is not None
    assert points.hit(entered("Pay"), lambda: seen({"x": "$states.context", "$$": 1}), lambda: context) is None


def test_the_context_object_is_built_only_for_a_condition_that_asks_for_it() -> None:
    def never() -> dict[str, Any]:
        raise AssertionError

    points = Breakpoints(STATES)
    points.add(when="$.n = 1")
    assert points.hit(entered("Pay"), lambda: seen({"n": 1}), never) is not None


def test_a_condition_that_cannot_be_evaluated_says_so_until_it_can() -> None:
    points = Breakpoints(STATES)
    one = points.add(when="$nofunc($.x) or $.n")
    assert points.hit(entered("Pay"), lambda: seen({"x": 1})) is None
    assert "cannot be evaluated: $nofunc($.x) or $.n: threw an error" in str(one)
    points.remove(one)
    one = points.add(when="$.n > 1")
    assert points.hit(entered("Pay"), lambda: seen({"n": "x"})) is None
    assert one.problem is not None
    assert points.hit(entered("Pay"), lambda: seen({})) is None
    assert one.problem is None


def test_a_mistake_in_a_condition_is_told_of_what_was_written() -> None:
    with pytest.raises(CommandError, match=r"'\$\.a\[' cannot be read: Expected \"\]\" before end of expression"):
        Breakpoints(STATES).add(when="$.a[")
    with pytest.raises(CommandError, match=r"JSONata compares with ="):
        Breakpoints(STATES).add(when="$.n == 2")
    with pytest.raises(
        CommandError, match="a breakpoint is on a state's name, a condition or a predicate, but found 5"
    ):
        Breakpoints(STATES).add(5)  # type: ignore[arg-type]


def test_an_error_of_a_state_is_not_that_of_another() -> None:
    shot = replace(seen(), here=2, active=(active("Pay"),))
    points = Breakpoints(STATES)
    points.add("Ship", error=True)
    assert points.hit(failed("Busy"), lambda: shot) is None
    pay = points.add("Pay", error="Busy")
    assert points.hit(failed("Busy"), lambda: shot) is pay
    assert points.hit(failed("Other"), lambda: shot) is None
    assert points.hit(entered("Pay"), lambda: shot) is None


def active(name: str) -> Active:
    return Active(2, name, "Task", (), None, "failed", 1, None, None, None, None, {})


def test_conditions_give_values_too() -> None:
    assert compile_condition("$.a[0]")({"a": [7]}, {}, dict) == 7


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
