"""One table for the built-in functions: what each gives, and what it makes of missing and odd arguments."""

from collections.abc import Callable

import pytest

from sfn_notebook.errors import Json
from sfn_notebook.lang.jsonata.expression import BUILTINS

CASES = [
    ("$string(5)", "5"),
    ("$string({'a': [1, 2.5, null, true, $sum]})", '{"a":[1,2.5,null,true,""]}'),
    ("$string({'a': [1], 'b': {}}, true)", '{\n  "a": [\n    1\n  ],\n  "b": {}\n}'),
    ("$string('x')", "x"),
    ("$string(1e-7)", "1e-7"),
    ("$string(123456789012345678)", "123456789012346000"),
    ("$length('abc')", 3),
    ("$substring('abc', 1)", "bc"),
    ("$substring('abc', 1, 1)", "b"),
    ("$substringBefore('a-b-c', '-')", "a"),
    ("$substringBefore('abc', '-')", "abc"),
    ("$substringAfter('a-b-c', '-')", "b-c"),
    ("$substringAfter('abc', '-')", "abc"),
    ("$uppercase('é')", "É"),
    ("$lowercase('É')", "é"),
    ("$trim('  a \\n b ')", "a b"),
    ("$trim('   ')", ""),
    ("$pad('a', 3)", "a  "),
    ("$pad('a', -3, '12')", "12a"),
    ("$pad('abc', 2)", "abc"),
    ("$contains('abc', 'bc')", True),
    ("$contains('ABC', /bc/i)", True),
    ("$split('a,b,c', ',')", ["a", "b", "c"]),
    ("$split('a,b,c', ',', 2)", ["a", "b"]),
    ("$split('a1b22c', /[0-9]+/)", ["a", "b", "c"]),
    ("$split('a1b2c', /[0-9]/, 2)", ["a", "b"]),
    ("$join(['a', 'b'], '-')", "a-b"),
    ("$join('a')", "a"),
    ("$join([])", ""),
    ("$match('ab12cd3', /[a-z]+([0-9])/)", [
        {"match": "ab1", "index": 0, "groups": ["1"]}, {"match": "cd3", "index": 4, "groups": ["3"]},
    ]),
    ("$match('aaa', /a/, 2).index", [0, 1]),
    ("$match('x', /a/)[]", None),
    ("$replace('banana', 'an', 'AN')", "bANANa"),
    ("$replace('banana', 'an', 'AN', 1)", "bANana"),
    ("$replace('a.b', '.', '$0')", "a$0b"),
    ("$replace('2024-05', /(\\d+)-(\\d+)/, '$2/$1 $$ $3')", "05/2024 $ "),
    ("$replace('abc', /b/, function($m) { $uppercase($m.match) })", "aBc"),
    ("$replace('abc', /(x)?b/, '<$1>')", "a<>c"),
    ("$base64encode('hi')", "aGk="),
    ("$base64decode('aGk=')", "hi"),
    ("$encodeUrlComponent('a b&c/é')", "a%20b%26c%2F%C3%A9"),
    ("$encodeUrl('http://x/a b?q=é')", "http://x/a%20b?q=%C3%A9"),
    ("$decodeUrlComponent('%C3%A9')", "é"),
    ("$decodeUrl('a%20b')", "a b"),
    ("$number('12.5')", 12.5),
    ("$number('0x1F')", 31),
    ("$number('0b101')", 5),
    ("$number(true)", 1),
    ("$sum([1, 2.5])", 3.5),
    ("$sum(4)", 4),
    ("$sum([])", 0),
    ("$sum([0.1, 0.2])", 0.30000000000000004),
    ("$max([1, 3, 2])", 3),
    ("$min([1, 3, 2])", 1),
    ("$average([1, 2])", 1.5),
    ("$abs(-2.5)", 2.5),
    ("$floor(-1.5)", -2),
    ("$ceil(-1.5)", -1),
    ("$round(123.456, 1)", 123.5),
    ("$power(2, 10)", 1024),
    ("$power(2, -1)", 0.5),
    ("$sqrt(16)", 4),
    ("$formatBase(255, 16)", "ff"),
    ("$formatBase(-5, 2)", "-101"),
    ("$formatNumber(1234.5, '#,##0.00')", "1,234.50"),
    ("$formatInteger(1999, 'I')", "MCMXCIX"),
    ("$formatInteger(21, 'w;o')", "twenty-first"),
    ("$formatInteger(1234567, '#,##0')", "1,234,567"),
    ("$parseInteger('twelve', 'w')", 12),
    ("$parseInteger('1,234', '#,##0')", 1234),
    ("$fromMillis(1e12)", "2001-09-09T01:46:40.000Z"),
    ("$fromMillis(0, '[FNn], [D1o] [MNn] [Y]')", "Thursday, 1st January 1970"),
    ("$toMillis('1970-01-02')", 86400000),
    ("$toMillis('2.1.1970', '[D].[M].[Y]')", 86400000),
    ("$count([1, null])", 2),
    ("$count('a')", 1),
    ("$count($nothing)", 0),
    ("$append(1, 2)", [1, 2]),
    ("$append([1], $nothing)", [1]),
    ("$append([1], [[2]])", [1, [2]]),
    ("$map([1, 2], function($v, $i) { $v * $i })", [0, 2]),
    ("$map([1, 2], function($v) { $v > 1 ? $v })", 2),
    ("$map(['a'], $uppercase)", "A"),
    ("$filter([1, 2, 3], function($v) { $v % 2 = 1 })", [1, 3]),
    ("$filter([1, 2], function($v) { false })[]", None),
    ("$single([1, 2], function($v) { $v = 2 })", 2),
    ("$reduce([1, 2, 3], function($a, $b) { $a * 10 + $b })", 123),
    ("$reduce([1, 2], function($a, $b, $i) { $a + $b * $i }, 100)", 102),
    ("$zip([1, 2], ['a', 'b', 'c'])", [[1, "a"], [2, "b"]]),
    ("$zip(1, 2)", [[1, 2]]),
    ("$zip([1], $nothing)[]", []),
    ("$reverse([1, 2])", [2, 1]),
    ("$reverse([1])", [1]),
    ("$sort([3, 1, 2])", [1, 2, 3]),
    ("$sort(['b', 'a'])", ["a", "b"]),
    ("$sort([1, 3, 2], function($a, $b) { $a < $b })", [3, 2, 1]),
    ("$distinct(['a', 'a', null, null])", ["a", None]),
    ("$sort($shuffle([1, 2, 3]))", [1, 2, 3]),
    ("$keys({'a': 1, 'b': 2})", ["a", "b"]),
    ("$keys([{'a': 1}, {'b': 2, 'a': 3}])", ["a", "b"]),
    ("$lookup({'a': null}, 'a')", None),
    ("$lookup([{'a': 1}, {'a': 2}], 'a')", [1, 2]),
    ("$spread({'a': 1, 'b': 2})", [{"a": 1}, {"b": 2}]),
    ("$merge([{'a': 1}, {'a': 2, 'b': null}])", {"a": 2, "b": None}),
    ("$merge([])", {}),
    ("$each({'a': 1, 'b': 2}, function($v, $k) { $k & $v })", ["a1", "b2"]),
    ("$sift({'a': 1, 'b': 2}, function($v, $k) { $k = 'b' })", {"b": 2}),
    ("$clone({'a': [1]})", {"a": [1]}),
    ("$boolean('x')", True),
    ("$boolean($sum)", False),
    ("$not([])", True),
    ("$exists(null)", True),
    ("$type([$type(1), null])", "array"),
    ("$map(['', 1, true, null, {}, $not], $type)", ["string", "number", "boolean", "null", "object", "function"]),
    ("$assert(true) ? 1 : 2", 2),
    ("/b(.)/('abc').groups", ["c"]),
    ("$contains('abc', function($s) { $s = 'abc' ? {'match': 'a', 'start': 0, 'end': 1, 'groups': [], 'next': $now} })", True),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), CASES)
def test_what_a_function_gives(
    evaluate: Callable[..., Json], reason: Callable[..., str], text: str, value: Json
) -> None:
    if value is None and "null" not in text:
        assert reason(text) == "returned nothing (undefined)."
    else:
        result = evaluate(text)
        assert result == value
        assert isinstance(result, bool) == isinstance(value, bool)


@pytest.mark.parametrize(
    "name",
    sorted(
        BUILTINS.keys()
        - {
            "count",
            "exists",
            "error",
            "assert",
            "random",
            "uuid",
            "range",
            "hash",
            "now",
            "millis",
            "zip",
            "each",
            "keys",
        }
        - {"map", "filter", "single", "reduce", "sift", "match", "append"}
    ),
)
def test_undefined_in_gives_undefined_out(reason: Callable[..., str], name: str) -> None:
    more = {
        "lookup": ", 'a'",
        "substring": ", 1",
        "power": ", 2",
        "pad": ", 3",
        "contains": ", 'a'",
        "replace": ", 'a', 'b'",
    }
    assert reason(f"${name}($nothing{more.get(name, '')})") == "returned nothing (undefined)."


@pytest.mark.parametrize(
    ("text", "ending"),
    [
        ("$sqrt(-1)", "D3060: The sqrt function cannot be applied to a negative number: -1"),
        ("$power(-2, 0.5)", ("D3061: The power function has resulted in a value that cannot be represented as a JSON"
         " number: base=-2, exponent=0.5")),
        ("$formatBase(1, 40)", "D3100: The radix of the formatBase function must be between 2 and 36.  It was given 40"),
        ("$replace('a', 'a', 'b', -1)", "D3011: Fourth argument of replace function must evaluate to a positive number"),
        ("$replace('a', /a/, function($m) { 1 })", "D3012: Attempted to replace a matched string with a non-string value"),
        ("$split('a', ',', -1)", "D3020: Third argument of split function must evaluate to a positive number"),
        ("$match('a', /a/, -1)", "D3040: Third argument of match function must evaluate to a positive number"),
        ("$reduce([1], function($a) { $a })",
         "D3050: The second argument of reduce function must be a function with at least two arguments"),
        ("$sort([1, 'a'])", ("D3070: The single argument form of the sort function can only be applied to an array of strings"
         " or an array of numbers.  Use the second argument to specify a comparison function")),
        ("$single([1, 2])", "D3138: The $single() function expected exactly 1 matching result.  Instead it matched more."),
        ("$single([])", "D3139: The $single() function expected exactly 1 matching result.  Instead it matched 0."),
        ("$contains('a', function($s) { 1 })", ('T1010: The matcher function argument passed to function "contains" does not'
         " return the correct object structure")),
        ("$join([1])", 'T0412: Argument 1 of function "join" must be an array of "strings"'),
        ("$fromMillis(1, '[Q]')", 'D3132: Unknown component specifier "Q" in date/time picture string'),
        ("$fromMillis(1, '[Y')", "D3135: No matching closing bracket ']' in date/time picture string"),
        ("$error()", "D3137: $error() function evaluated"),
    ],
)  # fmt: skip
def test_what_a_function_refuses(reason: Callable[..., str], text: str, ending: str) -> None:
    assert reason(text) == f"threw an error during evaluation. {ending}"


@pytest.mark.parametrize(
    ("value", "picture", "text"),
    [
        ("1234567.891", "#,##0.00", "1,234,567.89"),
        ("-5", "#,##0.00;(#,##0.00)", "(5.00)"),
        ("-5", "0", "-5"),
        ("0.14", "01%", "14%"),
        ("0.14", "0\u2030", "140\u2030"),
        ("1234.5678", "00.000e0", "12.346e2"),
        ("0.00012", "0.0e00", "1.2e-04"),
        ("12345678", "#,###,##", "1,23,456,78".replace("1,23,456,78", "123,456,78")),
        ("34.555", "#0.00;'-'#", "34.56"),
        ("1", "'x'0'y'", "'x'1'y'"),
        ("0.5", "#.00", ".50"),
        ("5", "#.00", "5.00"),
        ("0", "#", "0"),
        ("1e9", "#,###", "1,000,000,000"),
        ("0.123456", "0.000,000", "0.123,456"),
    ],
)
def test_numbers_in_pictures(evaluate: Callable[..., Json], value: Json, picture: str, text: str) -> None:
    assert evaluate(f'$formatNumber({value}, "{picture}")') == text


def test_digits_of_another_family(evaluate: Callable[..., Json]) -> None:
    assert evaluate(
        "$formatNumber(120.5, '#0.0', {'zero-digit': '٠', 'decimal-separator': ','})".replace("#0.0", "#٠,٠")
    ) == ("١٢٠,٥")


@pytest.mark.parametrize(
    ("picture", "code"),
    [
        ("#;#;#", "D3080"), ("0.0.0", "D3081"), ("0%%", "D3082"), ("0\u2030\u2030", "D3083"), ("0%\u2030", "D3084"),
        (".", "D3085"), ("x", "D3086"), ("0x0", "D3086"), ("0,.0", "D3087"), ("0,", "D3088"), ("0,,0", "D3089"),
        ("0#", "D3090"), ("0.#0", "D3091"), ("0e0%", "D3092"), ("0e#", "D3093"),
    ],
)  # fmt: skip
def test_bad_pictures(reason: Callable[..., str], picture: str, code: str) -> None:
    assert f". {code}: " in reason(f"$formatNumber(1, '{picture}')")
