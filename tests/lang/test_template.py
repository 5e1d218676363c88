"""Payload templates: what is evaluated, what stays, how failures and bounds come out."""

import json
import pickle
import random
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfn_notebook.errors import ExpressionError
from sfn_notebook.lang.environment import Environment, IntrinsicFailure, TemplateFailure
from sfn_notebook.lang.template import compile_expression, compile_template, expressions, variable_names

DATA = {"a": 1, "b": {"c": [1, 2, {"d": "x"}]}, "e": None}


def surroundings(**variables: Any) -> Environment:
    return SimpleNamespace(
        variables=variables, context=lambda: {"State": {"Name": "S"}}, random=lambda: random.Random(1)
    )


def build(template: Any, data: Any = DATA, **variables: Any) -> Any:
    return compile_template(template).evaluate(data, surroundings(**variables))


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ({"x.$": "$.a"}, {"x": 1}),
        ({"x.$": "$.a", "y.$": "$.e"}, {"x": 1, "y": None}),
        ({"x.$": "$.b.c[2].d", "y": "$.a"}, {"x": "x", "y": "$.a"}),
        ({"all.$": "$"}, {"all": DATA}),
        ({"n.$": "$$.State.Name", "v.$": "$v.w"}, {"n": "S", "v": 5}),
        ({"f.$": "States.Format('{}-{}', $.a, $v.w)"}, {"f": "1-5"}),
        ({"in": {"ner": {"x.$": "$.a", "k": [1]}}}, {"in": {"ner": {"x": 1, "k": [1]}}}),
        ({"list": ["$.a", {"x.$": "$.a"}, [{"y.$": "$.e"}]]}, {"list": ["$.a", {"x": 1}, [{"y": None}]]}),
        ([{"x.$": "$.a"}, 2], [{"x": 1}, 2]),
        ({"many.$": "$.b.c[0:2]", "none.$": "$.zzz[*]"}, {"many": [1, 2], "none": []}),
        ({".$": "$.a"}, {"": 1}),
        ({"$": "$.a"}, {"$": "$.a"}),
    ],
)
def test_values(template: Any, value: Any) -> None:
    assert build(template, v={"w": 5}) == value


def test_keys_keep_their_order_and_constants_their_identity() -> None:
    constant = {"deep": [1, 2]}
    built = build({"z": constant, "y.$": "$.a", "x": 3, "w.$": "$.b.c"})
    assert list(built) == ["z", "y", "x", "w"]
    assert built["z"] is constant
    assert built["w"] is DATA["b"]["c"]  # type: ignore[index]


@pytest.mark.parametrize("template", [{}, [], 1, None, "$.a", {"a": {"b": ["$.c", {}]}}])
def test_a_template_without_dynamic_parts_is_its_own_value(template: Any) -> None:
    compiled = compile_template(template)
    assert compiled.constant
    assert compiled.evaluate(DATA, surroundings()) is template


def test_results_of_two_evaluations_are_independent() -> None:
    compiled = compile_template({"k": 1, "x.$": "$.a"})
    first = compiled.evaluate(DATA, surroundings())
    first["new"] = 1
    assert compiled.evaluate(DATA, surroundings()) == {"k": 1, "x": 1}


@pytest.mark.parametrize(
    "template",
    [
        {"value.$": "$.no"},
        {"first.$": "$.a", "value.$": "$.no"},
        {"k": 1, "value.$": "$.no"},
        {"deep": [{"value.$": "$.no"}]},
    ],
)
def test_a_path_that_finds_nothing_names_its_key_and_the_input(template: Any) -> None:
    with pytest.raises(TemplateFailure) as failure:
        build(template, {"a": "é"})
    assert failure.value.message == (
        "The JSONPath '$.no' specified for the field 'value.$' could not be found in the input '{\"a\":\"é\"}'"
    )
    assert failure.value.error == "States.Runtime"
    assert pickle.loads(pickle.dumps(failure.value)).message == failure.value.message


def test_the_first_missing_path_is_the_one_reported() -> None:
    with pytest.raises(TemplateFailure, match=r"'\$\.m' specified for the field 'two\.\$'"):
        build({"one.$": "$.a", "two.$": "$.m", "three.$": "$.n"})


def test_data_that_is_no_object_fails_as_a_missing_path() -> None:
    for data in ("text", [1], 5, None):
        with pytest.raises(TemplateFailure):
            build({"x.$": "$.a"}, data)


def test_a_missing_context_or_variable_path_fails_in_the_same_words() -> None:
    for path in ("$$.State.Nope", "$v", "$w.x"):
        with pytest.raises(TemplateFailure) as failure:
            build({"x.$": path}, {}, w={})
        assert failure.value.message.startswith(f"The JSONPath '{path}' specified for the field 'x.$'")


def test_a_single_expression_names_its_field() -> None:
    with pytest.raises(TemplateFailure, match=r"^The JSONPath '\$.ErrorX' specified for the field 'ErrorPath' could"):
        compile_expression("$.ErrorX", "ErrorPath").evaluate({}, surroundings())
    with pytest.raises(IntrinsicFailure):
        compile_expression("States.Format('{}', $.x)", "CausePath").evaluate({}, surroundings())
    assert compile_expression("$.a", "ErrorPath").evaluate(DATA, surroundings()) == 1


@pytest.mark.parametrize(
    "template",
    [
        {"x.$": "a"},
        {"x.$": 1},
        {"x.$": None},
        {"x.$": {"y": 1}},
        {"x.$": ""},
        {"l": [{"x.$": "$."}]},
        {"x.$": "States.Nope()"},
    ],
)
def test_a_dynamic_key_needs_a_path_or_a_function(template: Any) -> None:
    with pytest.raises(ExpressionError):
        compile_template(template)


def test_a_template_nested_too_deeply_is_an_expression_error() -> None:
    template: Any = {"x.$": "$.a"}
    for _ in range(250):
        template = {"in": template}
    with pytest.raises(ExpressionError, match='"Parameters" is nested more than 200 deep'):
        compile_template(template)


def test_expressions_tell_where_they_stand() -> None:
    template = {"a.$": "$.x", "b": [1, {"c.$": "$.y"}], "d": "$.z", "e": {"f.$": 5}}
    assert list(expressions(template)) == [(("a.$",), "$.x"), (("b", 1, "c.$"), "$.y"), (("e", "f.$"), 5)]


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("$foo.bar", {"foo"}),
        ("$foo[*]", {"foo"}),
        ("$.foo", set()),
        ("$$.foo", set()),
        ("plain", set()),
        ("States.Format('{}', States.MathAdd($a, $b.c))", {"a", "b"}),
        ({"x.$": "$foo", "y": {"z.$": "$bar.q", "literal": "$no"}, "l": [{"m.$": "$last"}]}, {"foo", "bar", "last"}),
        ({}, set()),
        (None, set()),
    ],
)
def test_variable_names(value: Any, names: set[str]) -> None:
    assert variable_names(value) == names


def test_no_bound_is_claimed_where_none_is_known() -> None:
    unknown = ["$v", "$$", "$..a", "States.Format('{}', $.a)", "States.MathAdd($v, 1)", "States.JsonToString($)"]
    assert [compile_template({"x.$": text}).growth for text in unknown] == [None] * len(unknown)
    assert compile_template({"x.$": "$.a", "y.$": "$v"}).growth is None


names = st.text(max_size=4)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
)
bounded = st.sampled_from(
    [
        "$",
        "$.a",
        "$.b",
        "States.MathAdd($.n, 7)",
        "States.MathAdd($.n, $.m)",
        "States.ArrayLength($.l)",
        "States.UUID()",
    ]
)
templates = st.recursive(
    st.dictionaries(names.map(lambda name: name + ".$"), bounded, max_size=4)
    | json_values.filter(lambda v: ".$" not in str(v)),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(names.filter(lambda n: not n.endswith(".$")), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(
    templates,
    json_values,
    json_values,
    st.floats(-1e308, 1e308) | st.integers(),
    st.integers(),
    st.lists(json_values, max_size=3),
)
def test_the_output_never_exceeds_the_bound(template: Any, a: Any, b: Any, n: float, m: int, items: list[Any]) -> None:
    data = {"a": a, "b": b, "n": n, "m": m, "l": items}
    compiled = compile_template(template)
    assert compiled.growth is not None
    factor, rest = compiled.growth
    assert size(compiled.evaluate(data, surroundings())) <= factor * size(data) + rest


def size(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))
