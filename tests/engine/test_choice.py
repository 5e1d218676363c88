"""The 39 comparison operators, And, Or, Not: one table of what holds and what does not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfn_notebook import StateMachine
from sfn_notebook.engine.choice import OPERATORS, TESTS, wildcard

JAN, FEB = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"
JAN_EAST = "2026-01-01T02:00:00+02:00"
NO_TEXT: tuple[Any, ...] = (None, 1, 1.5, True, [], {}, ["a"])
NO_NUMBER: tuple[Any, ...] = (None, "1", True, [], {}, "NaN")
NO_MOMENT: tuple[Any, ...] = (
    None,
    1,
    "2026-01-01",
    "2026-01-01 00:00:00Z",
    "2026-01-01T00:00:00",
    "2026-02-30T00:00:00Z",
    "now",
    True,
    [],
)
NO_BOOLEAN: tuple[Any, ...] = (None, 0, 1, "true", [], {})

ORDERED: list[tuple[str, Any, Any, str]] = [
    ("String", "a", "b", "<"),
    ("String", "b", "b", "="),
    ("String", "b", "a", ">"),
    ("String", "B", "a", "<"),
    ("String", "a", "ab", "<"),
    ("String", "", "", "="),
    ("String", "10", "9", "<"),
    ("Numeric", 1, 2, "<"),
    ("Numeric", 1, 1.0, "="),
    ("Numeric", 0.1, 0.1, "="),
    ("Numeric", 2, 1.5, ">"),
    ("Numeric", -1, 0, "<"),
    ("Timestamp", JAN, FEB, "<"),
    ("Timestamp", JAN, JAN_EAST, "="),
    ("Timestamp", FEB, JAN_EAST, ">"),
    ("Timestamp", "2026-01-01T00:00:00.001Z", JAN, ">"),
    ("Timestamp", "2026-01-01T00:00:00.000000001Z", JAN, ">"),
    ("Timestamp", "2026-01-01T00:00:00.100Z", "2026-01-01T00:00:00.1Z", "="),
]
HOLDS = {"Equals": "=", "LessThan": "<", "GreaterThan": ">", "LessThanEquals": "<=", "GreaterThanEquals": ">="}


def holds(rule: dict[str, Any], data: Any) -> bool:
    states = {
        "C": {"Type": "Choice", "Choices": [{**rule, "Next": "Yes"}], "Default": "No"},
        "Yes": {"Type": "Pass", "Result": True, "End": True},
        "No": {"Type": "Pass", "Result": False, "End": True},
    }
    execution = StateMachine.load({"StartAt": "C", "States": states}).run(data, seed=1)
    assert execution.status == "SUCCEEDED", execution.cause
    return bool(execution.output)


def test_there_are_39_operators() -> None:
    assert len(OPERATORS) * 2 + len(TESTS) + len({"IsPresent", "StringMatches"}) == 39


@pytest.mark.parametrize("path", ["", "Path"], ids=["literal", "path"])
@pytest.mark.parametrize("order", HOLDS)
@pytest.mark.parametrize(("kind", "left", "right", "relation"), ORDERED)
def test_orders_of_text_numbers_and_moments(
    kind: str, left: Any, right: Any, relation: str, order: str, path: str
) -> None:
    operand = "$.right" if path else right
    rule = {"Variable": "$.left", f"{kind}{order}{path}": operand}
    assert holds(rule, {"left": left, "right": right}) is (relation in HOLDS[order])


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        *(("String", "a", value) for value in NO_TEXT),
        *(("Numeric", 1, value) for value in NO_NUMBER),
        *(("Timestamp", JAN, value) for value in NO_MOMENT),
    ],
)
def test_another_type_on_either_side_is_false_and_never_an_error(kind: str, good: Any, bad: Any) -> None:
    for order in HOLDS:
        assert not holds({"Variable": "$.v", f"{kind}{order}": good}, {"v": bad})
        for left, right in ((good, bad), (bad, good), (bad, bad)):
            assert not holds({"Variable": "$.v", f"{kind}{order}Path": "$.w"}, {"v": left, "w": right})


@pytest.mark.parametrize(
    ("value", "operand", "expected"), [(True, True, True), (False, False, True), (True, False, False)]
)
def test_booleans_equal_themselves(value: bool, operand: bool, expected: bool) -> None:
    assert holds({"Variable": "$.v", "BooleanEquals": operand}, {"v": value}) is expected
    assert holds({"Variable": "$.v", "BooleanEqualsPath": "$.w"}, {"v": value, "w": operand}) is expected


@pytest.mark.parametrize("value", NO_BOOLEAN)
def test_nothing_else_equals_a_boolean(value: Any) -> None:
    assert not holds({"Variable": "$.v", "BooleanEquals": True}, {"v": value})
    assert not holds({"Variable": "$.v", "BooleanEquals": False}, {"v": value})
    assert not holds({"Variable": "$.v", "BooleanEqualsPath": "$.v"}, {"v": value})
    assert not holds({"Variable": "$.v", "NumericEquals": 1}, {"v": True})


@pytest.mark.parametrize(
    ("test", "values"),
    [
        ("IsNull", [None]),
        ("IsString", ["", "a", JAN, FEB, JAN_EAST]),
        ("IsNumeric", [0, 1, -1.5]),
        ("IsBoolean", [True, False]),
        ("IsTimestamp", [JAN, FEB, JAN_EAST]),
    ],
)
def test_type_tests_hold_for_their_type_and_their_operand_turns_them_around(test: str, values: list[Any]) -> None:
    others = [None, "", "a", 0, 1, -1.5, True, False, JAN, FEB, JAN_EAST, [], {}, [1], {"a": 1}]
    for value in others:
        expected = any(type(value) is type(good) and value == good for good in values)
        assert holds({"Variable": "$.v", test: True}, {"v": value}) is expected
        assert holds({"Variable": "$.v", test: False}, {"v": value}) is not expected


@pytest.mark.parametrize(
    ("path", "present"),
    [
        ("$.v", True),
        ("$.none", True),
        ("$.w", False),
        ("$.v.deep", False),
        ("$.list[0]", True),
        ("$.list[5]", False),
        ("$$.State.Name", True),
    ],
)
def test_presence_counts_null_as_present(path: str, present: bool) -> None:
    data = {"v": 1, "none": None, "list": [0]}
    assert holds({"Variable": path, "IsPresent": True}, data) is present
    assert holds({"Variable": path, "IsPresent": False}, data) is not present


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("log-*.txt", ["log-1.txt", "log-.txt", "log-a/b.txt"], ["log-1.txt2", "xlog-1.txt", "log-1xtxt"]),
        ("*", ["", "anything", "a\nb"], []),
        ("", [""], ["a"]),
        ("a*b*c", ["abc", "aXbYc", "abbc"], ["ab", "acb"]),
        (r"a\*b", ["a*b"], ["axb", r"a\*b"]),
        (r"a\\b", ["a\\b"], [r"a\\b"]),
        ("[ab]?(x)+.", ["[ab]?(x)+."], ["a", "axx1"]),
        ("ü*", ["über"], ["uber"]),
    ],
)
def test_patterns_know_the_star_and_the_backslash_only(pattern: str, yes: list[str], no: list[str]) -> None:
    for text in yes:
        assert holds({"Variable": "$.v", "StringMatches": pattern}, {"v": text}), text
    for text in no:
        assert not holds({"Variable": "$.v", "StringMatches": pattern}, {"v": text}), text
    for value in NO_TEXT:
        assert not holds({"Variable": "$.v", "StringMatches": pattern}, {"v": value})


@given(st.text(st.sampled_from("ab*\\.["), max_size=8))
def test_a_pattern_whose_specials_are_escaped_matches_exactly_itself(text: str) -> None:
    pattern = wildcard(text.replace("\\", r"\\").replace("*", r"\*"))
    assert pattern.fullmatch(text)
    assert not pattern.fullmatch(text + "x")


@pytest.mark.parametrize("a", [True, False])
@pytest.mark.parametrize("b", [True, False])
def test_and_or_not_combine_and_nest(a: bool, b: bool) -> None:
    data = {"a": a, "b": b}
    first, second = ({"Variable": f"$.{name}", "BooleanEquals": True} for name in "ab")
    assert holds({"And": [first, second]}, data) is (a and b)
    assert holds({"Or": [first, second]}, data) is (a or b)
    assert holds({"Not": first}, data) is (not a)
    assert holds({"Not": {"And": [first, {"Or": [second, {"Not": first}]}]}}, data) is not (a and (b or not a))


def test_and_or_stop_early_so_that_presence_guards_what_follows() -> None:
    guard = {"Variable": "$.x", "IsPresent": True}
    use = {"Variable": "$.x", "NumericGreaterThan": 1}
    assert not holds({"And": [guard, use]}, {})
    assert holds({"And": [guard, use]}, {"x": 2})
    assert holds({"Or": [{"Not": guard}, use]}, {})


def test_variables_context_and_nested_paths_are_compared() -> None:
    assert holds({"Variable": "$$.State.Name", "StringEquals": "C"}, {})
    assert holds({"Variable": "$.a[1].b", "NumericLessThanPath": "$.c"}, {"a": [0, {"b": 1}], "c": 2})
