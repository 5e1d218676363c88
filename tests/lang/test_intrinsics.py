"""The intrinsic functions: their values, their limits, and how a call is read."""

import random
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfn_notebook.errors import ExpressionError
from sfn_notebook.lang.environment import Environment, EvaluationFailure, IntrinsicFailure
from sfn_notebook.lang.functions import INTRINSICS
from sfn_notebook.lang.intrinsics import compile_intrinsic


def surroundings(**variables: Any) -> Environment:
    return SimpleNamespace(
        variables=variables, context=lambda: {"Execution": {"Name": "run-1"}}, random=lambda: random.Random(7)
    )


def call(text: str, data: Any = None, **variables: Any) -> Any:
    return compile_intrinsic(text).evaluate(data, surroundings(**variables))


def failure_of(text: str, data: Any = None) -> IntrinsicFailure:
    with pytest.raises(IntrinsicFailure) as failure:
        call(text, data)
    return failure.value


def test_the_table_holds_the_eighteen_functions() -> None:
    assert len(INTRINSICS) == 18


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("States.Format('Hello {}, {}!', 'Ann', 2)", "Hello Ann, 2!"),
        ("States.Format('no place')", "no place"),
        ("States.Format('{}{}', true, null)", "truenull"),
        ("States.Format('{}', $.order)", "{id=7, tags=[a, b]}"),
        (r"States.Format('\{ {} \} \' \\', 1)", r"{ 1 } ' \ ".rstrip()),
        ("States.Format($.template, 'x')", "<x>"),
        ("States.Format('s3://${bucket}/{}', 'k')", "s3://${bucket}/k"),
        ("States.StringToJson('[1, 2.5, null]')", [1, 2.5, None]),
        ("States.StringToJson('')", None),
        ("States.JsonToString($.order)", '{"id":7,"tags":["a","b"]}'),
        ("States.JsonToString('é')", '"é"'),
        ("States.Array()", []),
        ("States.Array(1, 'a', $.order.id, -1.5e2)", [1, "a", 7, -150.0]),
        ("States.ArrayPartition($.numbers, 2)", [[1, 2], [3, 4], [5]]),
        ("States.ArrayPartition($.numbers, 2.6)", [[1, 2], [3, 4], [5]]),
        ("States.ArrayPartition($.empty, 3)", []),
        ("States.ArrayContains($.numbers, 3.0)", True),
        ("States.ArrayContains(States.Array(true), 1)", False),
        ("States.ArrayContains($.numbers, '3')", False),
        ("States.ArrayContains(States.Array($.order), $.order)", True),
        ("States.ArrayRange(1, 9, 2)", [1, 3, 5, 7, 9]),
        ("States.ArrayRange(5, 1, -2)", [5, 3, 1]),
        ("States.ArrayRange(5, 1, 1)", []),
        ("States.ArrayRange(3, 3, -1)", [3]),
        ("States.ArrayRange(1.6, 1.4, 1)", [1]),
        ("States.ArrayRange(5.4, -0.6, -2.4)", [5, 3, 1]),
        ("States.ArrayGetItem($.numbers, 4)", 5),
        ("States.ArrayLength($.numbers)", 5),
        ("States.ArrayLength($.empty)", 0),
        ("States.ArrayUnique($.mixed)", [1, True, "1", None, [1], {"a": 1}]),
        ("States.Base64Encode('Data to encode')", "RGF0YSB0byBlbmNvZGU="),
        ("States.Base64Decode('RGF0YSB0byBlbmNvZGU=')", "Data to encode"),
        ("States.Base64Decode('w6k')", "é"),
        ("States.Hash('abc', 'MD5')", "900150983cd24fb0d6963f7d28e17f72"),
        ("States.Hash('abc', 'SHA-1')", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        ("States.Hash('', 'SHA-256')", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("States.JsonMerge($.order, $.other, false)", {"id": 8, "tags": ["a", "b"], "more": 1}),
        ("States.MathAdd(2, 3)", 5),
        ("States.MathAdd(-1.5, 0)", -1),
        ("States.MathAdd(2.5, 0)", 3),
        ("States.MathAdd(-2.5, 0)", -2),
        ("States.MathAdd(1.5, 1.51)", 4),
        ("States.MathAdd(0.49999999999999994, 0)", 0),
        ("States.MathAdd(9007199254740993, 0)", 9007199254740993),
        ("States.StringSplit('a,b;;c', ',;')", ["a", "b", "c"]),
        ("States.StringSplit(' , ', ',')", [" ", " "]),
        ("States.StringSplit(',,', ',')", []),
        ("States.StringSplit('abc', '')", ["abc"]),
        ("States.StringSplit('', ',')", []),
        ("States.ArrayGetItem(States.StringSplit($$.Execution.Name, '-'), 1)", "1"),
        ("  States.MathAdd ( 1 , States.MathAdd(1,1) ) ", 3),
        ("States.Array($.items[?(@.a == 'x, )')].a, $['odd, name)'])", [["x, )"], 1]),
        ("States.ArrayLength($.numbers[1:])", 4),
    ],
)
def test_values(text: str, value: Any) -> None:
    data = {
        "order": {"id": 7, "tags": ["a", "b"]},
        "other": {"id": 8, "more": 1},
        "template": "<{}>",
        "numbers": [1, 2, 3, 4, 5],
        "empty": [],
        "mixed": [1, 1.0, True, "1", None, [1], [1.0], {"a": 1}, {"a": 1}, None],
        "items": [{"a": "x, )"}, {"a": "y"}],
        "odd, name)": 1,
    }
    result = call(text, data)
    assert result == value
    assert repr(result) == repr(value)


@pytest.mark.parametrize(
    "text",
    [
        "States.StringToJson('{')",
        "States.StringToJson('NaN')",
        "States.StringToJson('1e999')",
        "States.StringToJson(1)",
        "States.ArrayPartition($.numbers, 0)",
        "States.ArrayPartition($.numbers, 0.6)",
        "States.ArrayPartition($.numbers, '2')",
        "States.ArrayPartition('text', 2)",
        "States.ArrayRange(1, 1001, 1)",
        "States.ArrayRange(1, 10, 0)",
        "States.ArrayRange(1, 10, 0.49)",
        "States.ArrayRange('a', 10, 1)",
        "States.ArrayRange(1, 1e300, 1)",
        "States.ArrayGetItem($.numbers, 3)",
        "States.ArrayGetItem($.numbers, -1)",
        "States.ArrayGetItem($.numbers, true)",
        "States.ArrayLength('abc')",
        "States.ArrayUnique(1)",
        "States.ArrayContains(1, 1)",
        "States.Base64Encode(1)",
        "States.Base64Encode($.long)",
        "States.Base64Decode('&&&')",
        "States.Hash('abc', 'SHA-3')",
        "States.Hash($.long, 'MD5')",
        "States.JsonMerge($, $, true)",
        "States.JsonMerge($, 1, false)",
        "States.MathAdd('1', 1)",
        "States.MathAdd(null, 1)",
        "States.MathAdd(true, 1)",
        "States.MathRandom(1, 1)",
        "States.MathRandom(1.4, 1.6)",
        "States.MathRandom(1, 9, 'seed')",
        "States.StringSplit('a', 1)",
        "States.Format($.two, 1)",
    ],
)
def test_unsuitable_arguments_fail_with_the_whole_expression(text: str) -> None:
    failure = failure_of(text, {"numbers": [1, 2, 3], "long": "x" * 10_001, "two": "{}{}"})
    assert failure.error == "States.Runtime"
    name = text.partition("(")[0]
    assert failure.message == f"The function '{text}' had the following error: Invalid arguments in {name}"


def test_a_failure_in_a_nested_call_names_the_inner_function_and_quotes_the_outer_text() -> None:
    failure = failure_of("States.Array(States.MathAdd('x', 1))")
    assert failure.call == "States.Array(States.MathAdd('x', 1))"
    assert failure.reason == "Invalid arguments in States.MathAdd"


def test_a_path_that_finds_nothing_is_named() -> None:
    assert failure_of("States.Format('{}', $.nope)", {"other": 1}).message == (
        "The function 'States.Format('{}', $.nope)' had the following error: "
        "The JsonPath argument for the field '$.nope' could not be found in the input '{\"other\":1}'"
    )


def test_a_template_from_the_data_may_be_malformed() -> None:
    assert "matching '}' not found for '{'" in failure_of("States.Format($, 1)", "a { b").message


def test_exactly_the_limits_are_allowed() -> None:
    assert len(call("States.ArrayRange(1, 1000, 1)")) == 1_000
    assert len(call("States.Hash($, 'MD5')", "x" * 10_000)) == 32
    nested = "States.Array(" * 10 + ")" * 10
    assert call(nested) == [[[[[[[[[[]]]]]]]]]]
    with pytest.raises(ExpressionError, match="more than 10 deep"):
        compile_intrinsic(f"States.Array({nested})")


def test_random_functions_take_their_numbers_from_the_environment() -> None:
    assert call("States.UUID()") == call("States.UUID()")
    assert call("States.UUID()")[14] == "4"
    assert call("States.MathRandom(0, 1000)") == random.Random(7).randrange(0, 1000)
    seeded = [call(f"States.MathRandom(-5, 5, {seed})") for seed in range(50)]
    assert seeded == [call(f"States.MathRandom(-5, 5, {seed})") for seed in range(50)]
    assert set(seeded) == set(range(-5, 5))


def test_variables_are_known() -> None:
    compiled = compile_intrinsic("States.Array($a, States.MathAdd($b.c, 1), $.d, $$.e, $a[0])")
    assert compiled.variables == {"a", "b"}
    assert call("States.MathAdd($b.c, 1)", b={"c": 2}) == 3


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("States.format('a')", 0, 'there is no function "States.format"; did you mean "States.Format"?'),
        ("States.ArrayLen($)", 0, 'there is no function "States.ArrayLen"; did you mean "States.ArrayLength"?'),
        ("Format('a')", 0, 'there is no function "Format"'),
        ("States.Array(States.Nothing())", 13, 'there is no function "States.Nothing"'),
        ("States.MathAdd(1)", 0, '"States.MathAdd" takes 2 arguments, found 1'),
        ("States.MathRandom(1, 2, 3, 4)", 0, '"States.MathRandom" takes 2 to 3 arguments, found 4'),
        ("States.Format()", 0, '"States.Format" takes at least 1 arguments, found 0'),
        ("States.UUID(1)", 0, '"States.UUID" takes 0 arguments, found 1'),
        ("States.Format('{} {}', 1)", 0, 'the template of "States.Format" has 2 "{}" for 1 values'),
        ("States.Format('{', 1)", 0, "Invalid template in States.Format: matching '}' not found for '{'"),
        ("States.Array(1, )", 16, "a function or value is missing"),
        ("States.Array(1, 2", 17, '")" or "," is missing, the text ends'),
        ("States.Array(1 2)", 15, '")" or "," is missing, found "2"'),
        ("States.Array", 12, '"(" is missing, the text ends'),
        ("States.Array(1) x", 16, 'unexpected "x" behind the call'),
        ("States.Array('x)", 13, "this text has no closing quote"),
        (r"States.Array('a\nb')", 15, 'unknown escape "\\n"'),
        ('States.Array("x")', 13, 'a function or value is missing, found """'),
        ("States.Array(word)", 13, 'unexpected word "word"; text goes between single quotes'),
        ("States.Array($.a[b])", 17, 'unexpected word "b"'),
        ("States.Array($.a, $.)", 19, 'no name follows the "."'),
        ("States.Array(01)", 13, "a function or value is missing"),
        ("States.Array(1e999)", 13, "this number is too large"),
        ("", 0, "a function or value is missing, the text ends"),
    ],
)
def test_what_is_no_call_is_refused_with_its_position(text: str, position: int, message: str) -> None:
    with pytest.raises(ExpressionError) as error:
        compile_intrinsic(text)
    assert message in error.value.message
    assert (error.value.position, error.value.expression) == (position, text)


# Laws


def quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("{", "\\{").replace("}", "\\}") + "'"


@given(st.text())
def test_an_escaped_text_comes_back(text: str) -> None:
    assert call(f"States.Array({quoted(text)})") == [text]
    assert call(f"States.Format({quoted(text)})") == text
    assert call(f"States.Format('<{{}}>', {quoted(text)})") == f"<{text}>"


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=50))
def test_base64_round_trip(text: str) -> None:
    assert call("States.Base64Decode(States.Base64Encode($))", text) == text


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@given(json_values)
def test_json_text_round_trip(value: Any) -> None:
    assert repr(call("States.StringToJson(States.JsonToString($))", value)) == repr(value)


@given(st.lists(json_values, max_size=8))
def test_unique_items_are_a_subsequence_without_repetition(values: list[Any]) -> None:
    unique = call("States.ArrayUnique($)", values)
    assert call("States.ArrayUnique($)", unique) == unique
    assert all(call("States.ArrayContains($[0], $[1])", [unique, value]) for value in values)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="States.ArryFomt()',{}\\$.[]1-e né", max_size=30))
def test_any_text_compiles_or_is_an_expression_error(text: str) -> None:
    for candidate in (text, f"States.Array({text})", f"States.Format({text}"):
        outcome = attempt(candidate)
        if isinstance(outcome, ExpressionError):
            assert 0 <= outcome.position <= len(candidate)
        if isinstance(outcome, EvaluationFailure):
            assert outcome.message.startswith("The function '")


def attempt(text: str) -> Any:
    try:
        return call(text, {"a": 1})
    except (ExpressionError, EvaluationFailure) as error:
        return error


@pytest.mark.parametrize(
    "text",
    [
        "States.Array(" * 5_000,
        "States.Array(" + "1," * 5_000 + "1)",
        "States.Array('" + "\\'" * 5_000 + "')",
        "States.Array($" + "[" * 10_000,
        "States.Format('" + "{}" * 5_000 + "')",
        "States.Array(" + "9" * 10_000 + ")",
        "States." + "A" * 10_000 + "()",
    ],
)
def test_long_and_deep_texts_end_soon(text: str) -> None:
    assert isinstance(attempt(text), list | ExpressionError)


@pytest.mark.parametrize("function", ["States.JsonToString($)", "States.Format('{}', $)"])
def test_data_nested_beyond_measure_fails_as_a_failure(function: str) -> None:
    data: Any = []
    for _ in range(100_000):
        data = [data]
    with pytest.raises(IntrinsicFailure):
        call(function, data)
    while data:
        data = data[0]
