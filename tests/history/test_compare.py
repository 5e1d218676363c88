"""Two executions side by side."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sfn_notebook.history.compare import diff, json_diff
from sfn_notebook.history.visits import fold

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab c", max_size=2), inner, max_size=3),
    max_leaves=8,
)


def _changes(a: Any, b: Any, **options: Any) -> list[tuple[str, str, Any, Any]]:
    return [(c.path, c.kind, c.a, c.b) for c in json_diff(a, b, **options)]


def test_fields_that_changed_came_or_went_have_paths() -> None:
    a = {"x": 1, "y": {"z": [1, 2]}, "gone": True, "odd key": 1}
    b = {"x": 2, "y": {"z": [1, 3]}, "new": None, "odd key": 2}
    assert sorted(_changes(a, b)) == [
        ("$.gone", "removed", True, None),
        ("$.new", "added", None, None),
        ("$.x", "changed", 1, 2),
        ("$.y.z[1]", "changed", 2, 3),
        ('$["odd key"]', "changed", 1, 2),
    ]


def test_an_item_that_came_into_a_list_is_one_change() -> None:
    assert _changes([1, 2, 3], [1, 9, 2, 3]) == [("$[1]", "added", None, 9)]
    assert _changes([{"a": 1}, {"a": 2}], [{"a": 2}]) == [("$[0]", "removed", {"a": 1}, None)]


def test_numbers_are_equal_by_value_and_truth_is_no_number() -> None:
    assert _changes([1, 0], [1.0, 0.0]) == []
    assert _changes(1, True) == [("$", "changed", 1, True)]


def test_ignored_keys_do_not_count_anywhere() -> None:
    assert _changes({"a": {"id": 1}, "id": 2}, {"a": {"id": 3}}, ignore=("id",)) == []


def test_payloads_may_be_nested_deeper_than_python_likes_to_recurse() -> None:
    a: Any = 1
    b: Any = 2
    for _ in range(5000):
        a, b = [a], [b]
    assert len(json_diff(a, b)) == 1


@given(JSON, JSON)
def test_a_difference_is_empty_exactly_for_equal_values(a: Any, b: Any) -> None:
    assert json_diff(a, copy.deepcopy(a)) == []
    assert bool(json_diff(a, b)) == bool(json_diff(b, a))
    if not json_diff(a, b):
        assert a == b


def _line(new_writer: Any, *names: str, **payload: str) -> Any:
    w = new_writer()
    previous = 0
    for name in names:
        previous = w.add("PassStateEntered", previous, name=name, input=payload.get(name, "{}"))
        previous = w.add("PassStateExited", previous, name=name, output=payload.get(name, "{}"))
    w.add("ExecutionSucceeded", previous, output="{}")
    return fold(w.events)


def test_the_same_is_the_same(new_writer: Any) -> None:
    found = diff(_line(new_writer, "A", "B"), _line(new_writer, "A", "B"))
    assert found.same
    assert str(found) == "the same way with the same data"
    assert found.fields.empty
    assert found.states["name"].tolist() == ["A", "B"]


def test_where_the_ways_part_and_meet_again(new_writer: Any) -> None:
    found = diff(_line(new_writer, "A", "B", "Z"), _line(new_writer, "A", "C", "D", "Z"))
    assert [(p.after, p.a, p.b) for p in found.partings] == [("A", "B", "C")]
    assert str(found).startswith("the ways part after A: B | C")
    states = found.states
    assert states["name"].tolist() == ["A", "B", "C", "D", "Z"]
    assert states["visit_b"].isna().tolist() == [False, True, False, False, False]


def test_one_that_ends_early_parts_at_its_end(new_writer: Any) -> None:
    found = diff(_line(new_writer, "A", "B"), _line(new_writer, "A"))
    assert str(found.partings[0]) == "after A: B | the end"
    assert str(diff([], _line(new_writer, "A")).partings[0]) == "at the start: the end | A"


def test_a_changed_field_is_new_where_it_is_first_seen(new_writer: Any) -> None:
    a = _line(new_writer, "A", "B", A='{"x": 1}', B='{"y": [1, 5]}')
    b = _line(new_writer, "A", "B", A='{"x": 2}', B='{"y": [2, 6]}')
    fields = diff(a, b).fields
    shown = fields[["state", "payload", "field", "a", "b", "new"]].to_numpy().tolist()
    assert shown == [
        ["A", "input", "$.x", 1, 2, True],
        ["A", "output", "$.x", 1, 2, False],
        ["B", "input", "$.y[0]", 1, 2, False],
        ["B", "input", "$.y[1]", 5, 6, True],
        ["B", "output", "$.y[0]", 1, 2, False],
        ["B", "output", "$.y[1]", 5, 6, False],
    ]
    assert str(diff(a, b)).splitlines() == ["the same way", "A input $.x: 1 → 2", "B input $.y[1]: 5 → 6"]
    assert diff(a, b, ignore=("x", "y")).same


def test_outcomes_that_differ_are_told(new_writer: Any) -> None:
    w = new_writer()
    failed = w.chain(w.add("TaskStateEntered", 0, name="T"), "TaskScheduled", "TaskFailed", error="E")
    w.add("ExecutionFailed", failed, error="E")
    good = new_writer()
    good.add("TaskStateExited", good.chain(good.add("TaskStateEntered", 0, name="T"), "TaskScheduled"), name="T")
    found = diff(fold(good.events), fold(w.events))
    assert not found.same
    assert "T: SUCCEEDED | FAILED E" in str(found)


def test_iterations_are_matched_by_index_and_branches_by_their_first_state(new_synthesiser: Any) -> None:
    plan = [("map", [("plain",)], 4, 40, 0, False), ("parallel", [[("plain",)], [("plain",), ("plain",)]], 0, False)]
    a, b = (fold(new_synthesiser(seed).play(plan)) for seed in (1, 2))
    found = diff(a, b)
    assert not found.partings
    assert all(x and y and x.name == y.name for x, y in found.pairs)
    assert all(x.place == y.place for x, y in found.pairs if x and y and x.iteration is not None)
    assert len(found.pairs) == len(a) == len(b)


def test_iterations_that_only_one_has_are_no_parting(new_synthesiser: Any) -> None:
    short, long = (fold(new_synthesiser(0).play([("map", [("plain",)], items, 1, 0, False)])) for items in (1, 3))
    found = diff(short, long)
    assert not found.partings
    assert [x is None for x, _ in found.pairs] == [False, False, True, True]


def test_long_loops_are_matched_at_both_ends(new_writer: Any) -> None:
    a = _line(new_writer, *["A", "B"] * 1100, "C", "Z")
    b = _line(new_writer, *["A", "B"] * 1100, "D", "D", "Z")
    found = diff(a, b)
    assert [(p.after, p.a, p.b) for p in found.partings] == [("B", "C", "D")]
    assert found.pairs[-1][0] is not None
    assert found.pairs[-1][1] is not None


def test_frames_of_no_difference_keep_their_dtypes(new_writer: Any) -> None:
    usual = diff(_line(new_writer, "A", A="1"), _line(new_writer, "A", A="2"))
    empty = diff([], [])
    assert empty.same
    assert empty.states.dtypes.astype(str).to_dict() == usual.states.dtypes.astype(str).to_dict()
    assert empty.fields.dtypes.astype(str).to_dict() == usual.fields.dtypes.astype(str).to_dict()


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_every_visit_of_the_last_runs_is_in_exactly_one_pair(new_synthesiser: Any, one: int, other: int) -> None:
    plan = [("map", [("task", 1, "flaky"), ("plain",)], 3, 2, 1, True), ("task", 0, "caught")]
    a, b = (fold(new_synthesiser(seed).play(plan)) for seed in (one, other))
    found = diff(a, b)
    for index, visits in enumerate((a, b)):
        members = [pair[index].id for pair in found.pairs if pair[index] is not None]  # type: ignore[union-attr]
        assert len(members) == len(set(members))
        assert set(members) <= {visit.id for visit in visits}
    assert diff(a, a).same
