"""Where the service differs from JSONata, or from the libraries that implement it."""

import random
import re
import uuid
from collections.abc import Callable

import pytest

from sfn_notebook.errors import ExpressionError, Json
from sfn_notebook.lang.jsonata import UnsupportedExpression, compile_jsonata

D3137 = "threw an error during evaluation. D3137: "


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1/0", "Infinity"),
        ("-1/0", "-Infinity"),
        ("0/0", "NaN"),
        ("[1/0, 1]", ["Infinity", 1]),
        ("1e308 * 10", "Infinity"),
        ("$floor(1/0)", "Infinity"),
        ("1/0 > 5", True),
        ("$random(42)", 0.7275636800328681),
        ("$random(42.9)", 0.7275636800328681),
        ("$formatNumber(0.125, '0.00')", "0.12"),
        ("$formatNumber(0.135, '0.00')", "0.14"),
        ("$formatNumber(2.675, '0.00')", "2.68"),
        ("$round(2.5)", 2),
        ("$round(3.5)", 4),
        ("$round(2.675, 2)", 2.68),
        ("$round(25, -1)", 20),
        ("$string(1e20)", "100000000000000000000"),
        ("$string(1e21)", "1e+21"),
        ("$string(0.1 + 0.2)", "0.3"),
        ("10000000000000000000000001", 1e25),
        ("9007199254740993 + 0", 9007199254740992),
        ("$replace('\u00a0 a', /^\\s+/, '')", "\u00a0 a"),
        ("$replace(' \ta', /^\\s+/, '')", "a"),
        ("$contains('\u0663', /\\d/)", False),
        ("$length('a😀b')", 3),
        ("$substring('a😀b', 0, 3)", "a😀"),
        ("$substring('a😀b', 1, 1)", "\ufffd"),
        ("$substring('a😀b', 0, 2) & $substring('a😀b', 2)", "a😀b"),
        ("$substring('hello', -3, 2)", "ll"),
        ("$substring('hello', -10, 2)", "he"),
        ("$substring('hello', 1, -1)", ""),
        ("$count($split('😀', ''))", 2),
        ("$sort(['\U0001f600', '\uffee'])", ["\U0001f600", "\uffee"]),
        ("'\U0001f600' < '\uffee'", True),
        ("$lowercase('ß')", "ß"),
        ("$decodeUrlComponent('a+b%2B%E6')", "a b+\ufffd"),
        ("$base64decode('YWJ')", "ab"),
        ("$base64encode('é')", "w6k="),
        ("$parse('{\"a\": [1, 2.0, 1e2, null]}')", {"a": [1, 2, 100, None]}),
        ("$parse(\"{'a': 'it\\\\'s \\\"so\\\"'}\")", {"a": 'it\'s "so"'}),
        ("$parse('9223372036854775807')", 9223372036854775807),
        ("$parse('9223372036854775808')", 9.223372036854775808e18),
        ("$partition([1, 2, 3, 4, 5], 2)", [[1, 2], [3, 4], [5]]),
        ("$partition([1, 2], 1.9)", [[1], [2]]),
        ("$partition([1, 2])", [[1, 2]]),
        ("$range(1, 10, 3)", [1, 4, 7, 10]),
        ("$range(3, 1, -1)", [3, 2, 1]),
        ("$range(1.9, 3.2, 1)", [1, 2, 3]),
        ("$range(2, 2, 5)", 2),
        ("$hash('a', 'MD5')", "0cc175b9c0f1b6a831c399e269772661"),
        ("$hash('é', 'SHA-1')", "bf15be717ac1b080b4f1c456692825891ff5073d"),
        ("$now()", "2023-11-14T22:13:20.500Z"),
        ("$millis()", 1700000000500),
        ("$toMillis($now()) = $millis()", True),
        ("$now('[Y0001]-[M01]-[D01]')", "2023-11-14"),
        ("$toMillis('2024-02-29T12:00:00')", 1709208000000),
        ("$toMillis('2024-02-29T12:00:00.1239+02:00')", 1709200800123),
        ("$toMillis('10:30', '[H01]:[m01]')", 1699957800000),
        ("$toMillis('24/12', '[D01]/[M01]')", 1703376000000),
        ("$fromMillis(0, '[H01]:[m01] [P]', '+0530')", "05:30 am"),
        ("$parseInteger('abc', '0')", "NaN"),
        ("$map([7], function($v) { $v })", 7),
        ("$filter([7, 8], function($v) { $v > 7 })", 8),
        ("$sort([{'k': 1, 'n': 'a'}, {'k': 1, 'n': 'b'}], function($l, $r) { $l.k > $r.k }).n", ["a", "b"]),
        ("$distinct([1, true, '1', 1.0, {'a': 1}, {'a': 1}])", [1, True, "1", {"a": 1}]),
        ("$boolean([0, 0])", False),
        ("$append([], $map([], function($v) { $v })[])", []),
    ],
)
def test_what_the_service_gives(evaluate: Callable[..., Json], text: str, value: Json) -> None:
    result = evaluate(text)
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    "text",
    ["$partition([], 2)", "$partition([1], 0)", "$partition([1], -0.5)", "$range(1, 5, 0)", "$range(5, 1, 1)", "$max([])", "$keys({})"],
)  # fmt: skip
def test_what_gives_nothing(reason: Callable[..., str], text: str) -> None:
    assert reason(text) == "returned nothing (undefined)."


@pytest.mark.parametrize(
    ("text", "ending"),
    [
        ("1/0 + 1", "D1001: Number out of range: null"),
        ("0/0 + 1", 'T2001: The left side of the "+" operator must evaluate to a number'),
        ("$eval('1')", "T1006: Attempted to invoke a non-function"),
        ("$partition([1], -2)", "D3137: Second argument must be zero or greater"),
        ("$partition(1, 2)", 'T0412: Argument 1 of function "partition" must be an array of undefined'),
        ("$partition([1], 'a')", 'T0410: Argument 2 of function "partition" does not match function signature'),
        ("$range()", 'T0410: Argument 1 of function "range" does not match function signature'),
        ("$hash(1, 'MD5')", 'T0410: Argument 1 of function "hash" does not match function signature'),
        (
            "$hash('a', 'md5')",
            "D3137: Hash algorithm 'md5' must be one of SHA-1, SHA-384, SHA-256, SHA-512, MD5",
        ),
        ("$uuid(1)", 'T0410: Argument 1 of function "uuid" does not match function signature'),
        ("$random('a')", 'T0410: Argument 1 of function "random" does not match function signature'),
        ("$parse('NaN')", "D3137: Invalid JSON"),
        ("$parse('')", "D3137: Invalid JSON"),
        ("$parse('1 2')", "D3137: Invalid JSON"),
        ("$parse('1e400')", "D3137: Invalid JSON"),
        ('$parse(\'{"a": 1, "a": 2}\')', "D3137: Invalid JSON"),
        ("$parse(1)", 'T0410: Argument 1 of function "parse" does not match function signature'),
        ("$decodeUrlComponent('%zz')", 'D3140: Malformed URL passed to $decodeUrlComponent(): "%zz"'),
        (
            "$toMillis('2024-01-01 10:00:00')",
            (
                "D3110: The argument of the toMillis function must be an ISO 8601 formatted timestamp."
                ' Given "2024-01-01 10:00:00"'
            ),
        ),
        ("$number('1e400')", 'D3030: Unable to cast value to a number: "1e400"'),
        ("$string(1/0)", "D3001: Attempting to invoke string function on Infinity or NaN"),
        ("$replace('abc', '', 'x')", "D3010: Second argument of replace function cannot be an empty string"),
        ("$match('abc', /x*/)", "D1004: Regular expression matches zero length string"),
    ],
)
def test_what_the_service_refuses_when_it_evaluates(reason: Callable[..., str], text: str, ending: str) -> None:
    assert reason(text) == f"threw an error during evaluation. {ending}"


def test_broken_base64_is_an_internal_error(reason: Callable[..., str]) -> None:
    assert reason("$base64decode('!!!')") == "threw an internal error during evaluation."


def test_uuid_is_of_version_4_and_follows_the_generator(evaluate: Callable[..., Json]) -> None:
    first, second = evaluate("$uuid()"), evaluate("[$uuid(), $uuid()]")
    assert uuid.UUID(first).version == 4
    assert second[0] == first
    assert second[0] != second[1]


def test_random_numbers_come_from_the_generator_that_is_given() -> None:
    expression = compile_jsonata("[$random(), $random()]")
    expected = random.Random(3)
    assert expression.evaluate({}, lambda: random.Random(3)) == [expected.random(), expected.random()]


def test_the_generator_is_only_made_where_it_is_needed() -> None:
    def generator() -> random.Random:
        raise AssertionError

    assert compile_jsonata("1 + 1").evaluate({}, generator) == 2


def test_the_time_is_read_anew_in_every_evaluation() -> None:
    expression = compile_jsonata("$millis()")
    assert [expression.evaluate({}, random.Random, now) for now in (1.0, 2.0, 1e9)] == [1000, 2000, 10**12]


@pytest.mark.parametrize(
    ("text", "name", "position"),
    [
        ("phone", "phone", 0),
        ("1 + phone.mobile", "phone", 4),
        ("$", "$", 0),
        ("$$.a", "$$", 0),
        ("[1, *]", "*", 4),
        ("$sum(prices)", "prices", 5),
        ("{'a': b}", "b", 6),
    ],
)
def test_references_without_a_context_are_refused_when_a_definition_is_created(
    text: str, name: str, position: int
) -> None:
    with pytest.raises(UnsupportedExpression) as caught:
        compile_jsonata(text)
    where = "" if name == "$$" else " at the top level"
    assert caught.value.message == f"Reference to '{name}'{where} is not supported."
    assert caught.value.position == position


@pytest.mark.parametrize("text", ["$a.phone", "$a[phone = 1]", "$a.($)", "$a{b: c}", "$a^(b)", "$a ~> |b|{'c': d}|"])
def test_names_inside_a_path_have_a_context(text: str) -> None:
    assert compile_jsonata(text).text == text


@pytest.mark.parametrize(
    ("text", "message", "position"),
    [
        ("a[1,2)", 'Expected "]", got ","', 3),
        ('"unterminated', "String literal must be terminated by a matching quote", 13),
        ("1 +", "Unexpected end of expression", 3),
        ('{"a":}', 'The symbol "}" cannot be used as a unary operator', 5),
        ("$x :=", "Unexpected end of expression", 5),
        ('$match("a", /abc', "No terminating / in regular expression", 16),
        ("($a", 'Expected ")" before end of expression', 3),
        ("$a ?? 1", 'The symbol "?" cannot be used as a unary operator', 4),
        ("$a ?: 1", 'The symbol ":" cannot be used as a unary operator', 4),
        ("$a ! 1", 'Unknown operator: "!"', 3),
        ("'\\q'", 'Unsupported escape sequence: \\"q"', 2),
        ("'\\u00g0'", "The escape sequence \\u must be followed by 4 hex digits", 2),
        ("$a.1", "The literal value 1 cannot be used as a step within a path expression", 4),
        ("1 := 2", "The left side of := must be a variable name (start with $)", 1),
        ("$a /* x", "Comment has no closing tag", 7),
        ("`abc", "Quoted property name must be terminated with a backquote (`)", 4),
        ("$a $b", 'Syntax error: "b"', 4),
        ("function(x) { 1 }", 'Parameter "x" of function definition must be a variable name (start with $)', 10),
        ("", "Unexpected end of expression", 0),
        ("'a\\", "String literal must be terminated by a matching quote", 3),
    ],
)
def test_bad_syntax_is_told_in_the_service_s_words(text: str, message: str, position: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_jsonata(text)
    assert caught.value.message == message
    assert caught.value.position == position


def test_a_bad_pattern_is_found_when_the_expression_is_compiled() -> None:
    with pytest.raises(ExpressionError, match=re.escape("Invalid regular expression /[z-a]/")):
        compile_jsonata("$contains('a', /[z-a]/)")
