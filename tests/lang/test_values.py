"""Equality of JSON values, and the text that Java gives them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfn_notebook.lang.values import is_number, java_text, json_equal

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (1, 1.0),
        (0, -0.0),
        ([1, {"a": 2.0}], [1.0, {"a": 2}]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        (None, None),
        ("é", "é"),
    ],
)
def test_equal_values(a: Any, b: Any) -> None:
    assert json_equal(a, b)
    assert json_equal(b, a)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (True, 1),
        (False, 0),
        (False, None),
        ("1", 1),
        ([1], [True]),
        ([1], [1, 1]),
        ({"a": 1}, {"a": True}),
        ({"a": 1}, {"b": 1}),
        ({"a": None}, {}),
        ([], {}),
        ("", None),
    ],
)
def test_different_values(a: Any, b: Any) -> None:
    assert not json_equal(a, b)
    assert not json_equal(b, a)


@given(json_values, json_values)
def test_equality_is_reflexive_and_symmetric(a: Any, b: Any) -> None:
    assert json_equal(a, a)
    assert json_equal(a, b) is json_equal(b, a)


def test_deep_values_compare_without_recursion() -> None:
    a: Any = 1
    b: Any = 1
    for _ in range(20_000):
        a, b = [a], [b]
    assert json_equal(a, b)


def test_a_boolean_is_no_number() -> None:
    assert [is_number(value) for value in (1, 1.5, True, "1", None)] == [True, True, False, False, False]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("as it is", "as it is"),
        (None, "null"),
        (True, "true"),
        (10, "10"),
        (1.0, "1.0"),
        (0.001, "0.001"),
        (1234567.5, "1234567.5"),
        (1e7, "1.0E7"),
        (1.5e-5, "1.5E-5"),
        (1e-6, "1.0E-6"),
        (-1e-7, "-1.0E-7"),
        (1e23, "1.0E23"),
        (-1.25e300, "-1.25E300"),
        ({"Arg1": 1, "Arg2": []}, "{Arg1=1, Arg2=[]}"),
        ([1, "a", None, {"b": False}], "[1, a, null, {b=false}]"),
        ({}, "{}"),
    ],
)
def test_java_text(value: Any, text: str) -> None:
    assert java_text(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_text_of_a_number_reads_back_as_the_number(number: float) -> None:
    assert float(java_text(number)) == number
