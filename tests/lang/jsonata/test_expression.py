import copy
import pickle
import random
import sys
import threading
from collections.abc import Callable

import pytest

from sfn_notebook.errors import Json
from sfn_notebook.lang.jsonata import QueryEvaluationFailure, compile_jsonata, variable_names

ORDER = {
    "id": "o-1",
    "note": None,
    "lines": [
        {"sku": "pen", "qty": 3, "tags": ["red"]},
        {"sku": "ink", "qty": 1, "tags": ["blue", "dark"]},
        {"sku": "pad", "qty": 2, "tags": []},
    ],
    "grid": [[1, 2], [3], []],
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$states.input.id", "o-1"),
        ("$states.input.note", None),
        ("$exists($states.input.note)", True),
        ("$exists($states.input.absent)", False),
        ("$states.input.lines.sku", ["pen", "ink", "pad"]),
        ("$states.input.lines[0].sku", "pen"),
        ("$states.input.lines[-1].sku", "pad"),
        ("$states.input.lines[qty > 1].sku", ["pen", "pad"]),
        ("$states.input.lines[qty > 2].sku", "pen"),
        ("$states.input.lines[qty > 2].sku[]", ["pen"]),
        ("$states.input.lines[[0..1]].qty", [3, 1]),
        ("$states.input.lines.tags", ["red", "blue", "dark"]),
        ("$states.input.lines.tags[0]", ["red", "blue"]),
        ("($states.input.lines.tags)[0]", "red"),
        ("$states.input.grid", [[1, 2], [3], []]),
        ("$states.input.grid[0]", [1, 2]),
        ("$states.input.lines^(qty).sku", ["ink", "pad", "pen"]),
        ("$states.input.lines^(>qty, sku).sku", ["pen", "pad", "ink"]),
        ("$states.input.lines{sku: qty}", {"pen": 3, "ink": 1, "pad": 2}),
        ("$states.input.lines{$string(qty > 1): sku}", {"true": ["pen", "pad"], "false": "ink"}),
        ("$states.input.lines.{'s': sku, 'x': absent}", [{"s": "pen"}, {"s": "ink"}, {"s": "pad"}]),
        ("$states.input.lines.(qty * 2)", [6, 2, 4]),
        ("$states.input.lines#$i[$i > 0].sku", ["ink", "pad"]),
        ("$states.input.lines#$i.{'n': $i, 's': sku}[1]", {"n": 1, "s": "ink"}),
        ("$states.input.lines@$l.{'sku': $l.sku, 'order': id}[0]", {"sku": "pen", "order": "o-1"}),
        ("$states.input.lines.tags.{'tag': $, 'sku': %.sku}", [
            {"tag": "red", "sku": "pen"}, {"tag": "blue", "sku": "ink"}, {"tag": "dark", "sku": "ink"},
        ]),
        ("$states.input.lines.*[0]", ["pen", "ink", "pad"]),
        ("$count($states.input.**)", 18),
        ("[1, [2, 3], $states.input.grid[0]]", [1, [2, 3], 1, 2]),
        ("[[$states.input.grid[0]]]", [[1, 2]]),
        ("[1..4]", [1, 2, 3, 4]),
        ("[4..1]", []),
        ("{'a': 1, 'b': [$states.input.id]}", {"a": 1, "b": ["o-1"]}),
        ("$states.input.id & '/' & 1 & true & null & $states.input.absent", "o-1/1truenull"),
        ("1 + 2 * 3 - 4 / 2", 5),
        ("7 % 4", 3),
        ("5.5 % 2", 1.5),
        ("-$states.input.lines[0].qty", -3),
        ("1 = 1.0", True),
        ("true = 1", False),
        ("{'a': [1]} = {'a': [1.0]}", True),
        ("'a' != 'b'", True),
        ("$nothing = $nothing", False),
        ("$nothing != 1", False),
        ("2 in [1, 2]", True),
        ("2 in 2", True),
        ("1 < 2 and 'a' <= 'b'", True),
        ("0 or ''", False),
        ("[0, 1] or false", True),
        ("[0] or {}", False),
        ("1 > 2 ? 'a' : 'b'", "b"),
        ("($a := 1; $b := $a + 1; $a + $b)", 3),
        ("($a := 1; ($a := 2; $a) + $a)", 3),
        ("($f := function($x, $y) { $x & $y }; $f('a'))", "a"),
        ("($twice := function($f) { function($x) { $f($f($x)) } }; $twice(function($n) { $n * 3 })(2))", 18),
        ("($with9 := $append(?, 9); $with9([3, 4]))", [3, 4, 9]),
        ("($first := $substring(?, 0, 3); $first('abcdef'))", "abc"),
        ("' a ' ~> $trim ~> $uppercase", "A"),
        ("($clean := $trim ~> $uppercase; $clean(' a '))", "A"),
        ("'a,b' ~> $split(',')", ["a", "b"]),
        ("$states.input ~> |lines|{'ok': true}, ['tags', 'sku']|", {
            **ORDER, "lines": [{"qty": 3, "ok": True}, {"qty": 1, "ok": True}, {"qty": 2, "ok": True}],
        }),
        ("$states.input.lines.sku ~> $map(function($s, $i, $all) { $s & $i & $count($all) })", ["pen03", "ink13", "pad23"]),
        ("($loop := function($n, $acc) { $n = 0 ? $acc : $loop($n - 1, $acc + $n) }; $loop(1000, 0))", 500500),
        ("/* a comment */ 'x'", "x"),
        ("$states.input.lines[0].`sku`", "pen"),
    ],
)  # fmt: skip
def test_what_the_language_gives(evaluate: Callable[..., Json], text: str, value: Json) -> None:
    before = copy.deepcopy(ORDER)
    assert evaluate(text, states={"input": ORDER}) == value
    assert before == ORDER


@pytest.mark.parametrize(
    ("text", "reason_given"),
    [
        ("$nothing", "returned nothing (undefined)."),
        ("$states.input.a.b", "returned nothing (undefined)."),
        ("1 > 2 ? 'a'", "returned nothing (undefined)."),
        ("function($x) { $x }", "returned an unsupported result type."),
        ("{'f': $sum}", "returned an unsupported result type."),
        ("{'r': /a/}", "returned an unsupported result type."),
        ("$nothing()", "threw an error during evaluation. T1006: Attempted to invoke a non-function"),
        (
            "$states.input.($sum(1)).id(2)",
            "threw an error during evaluation. T1006: Attempted to invoke a non-function",
        ),
        (
            "$states.input.sum([1])",
            "threw an error during evaluation. T1005: Attempted to invoke a non-function. Did you mean $sum?",
        ),
        ("$nothing(?)", "threw an error during evaluation. T1008: Attempted to partially apply a non-function"),
        (
            "1 ~> 2",
            (
                "threw an error during evaluation."
                " T2006: The right side of the function application operator ~> must be a function"
            ),
        ),
        (
            "1 + 'a'",
            'threw an error during evaluation. T2002: The right side of the "+" operator must evaluate to a number',
        ),
        (
            "null * 2",
            'threw an error during evaluation. T2001: The left side of the "*" operator must evaluate to a number',
        ),
        (
            "1 < 'a'",
            (
                'threw an error during evaluation. T2009: The values 1 and "a" either side of operator "<"'
                " must be of the same data type"
            ),
        ),
        (
            "true > false",
            (
                'threw an error during evaluation. T2010: The expressions either side of operator ">"'
                " must evaluate to numeric or string values"
            ),
        ),
        ("-'a'", 'threw an error during evaluation. D1002: Cannot negate a non-numeric value: "a"'),
        (
            "['a'..2]",
            (
                "threw an error during evaluation."
                " T2003: The left side of the range operator (..) must evaluate to an integer"
            ),
        ),
        (
            "[1..2.5]",
            (
                "threw an error during evaluation."
                " T2004: The right side of the range operator (..) must evaluate to an integer"
            ),
        ),
        (
            "{1: 2}",
            "threw an error during evaluation. T1003: Key in object structure must evaluate to a string; got: 1",
        ),
        (
            "{'a': 1, 'a': 2}",
            'threw an error during evaluation. D1009: Multiple key definitions evaluate to same key: "a"',
        ),
        (
            "$abs('x')",
            'threw an error during evaluation. T0410: Argument 1 of function "abs" does not match function signature',
        ),
        (
            "$abs(1, 2)",
            'threw an error during evaluation. T0410: Argument 2 of function "abs" does not match function signature',
        ),
        (
            "$sum(['a'])",
            'threw an error during evaluation. T0412: Argument 1 of function "sum" must be an array of "numbers"',
        ),
        (
            "$states.input.$uppercase()",
            (
                "threw an error during evaluation."
                ' T0411: Context value is not a compatible type with argument 1 of function "uppercase"'
            ),
        ),
        (
            "($f := function($n)<n:n>{ $n }; $f('a'))",
            'threw an error during evaluation. T0410: Argument 1 of function "f" does not match function signature',
        ),
        ("$error('no stock')", "threw an error during evaluation. D3137: no stock"),
        ("$assert(1 = 2, 'odd')", "threw an error during evaluation. D3141: odd"),
        (
            "$number('a')",
            'threw an error during evaluation. D3030: Unable to cast value to a number: "a"',
        ),
        (
            "$states.input ~> |$|3|",
            (
                "threw an error during evaluation."
                " T2011: The insert/update clause of the transform expression must evaluate to an object: 3"
            ),
        ),
        (
            "[{'a': 1}, {'a': 'x'}]^(a)",
            'threw an error during evaluation. T2007: Type mismatch when comparing values 1 and "x" in order-by clause',
        ),
    ],
)
def test_failures_speak_as_the_service_does(reason: Callable[..., str], text: str, reason_given: str) -> None:
    assert reason(text, states={"input": {"id": 1}}) == reason_given


def test_the_message_holds_the_expression_and_its_field_once_it_is_known() -> None:
    with pytest.raises(QueryEvaluationFailure) as caught:
        compile_jsonata(" $nothing ").evaluate({}, random.Random)
    failure = caught.value
    assert str(failure) == failure.message == "The JSONata expression '$nothing' returned nothing (undefined)."
    placed = failure.at("$nothing", "Output/v")
    assert placed.message == (
        "The JSONata expression '$nothing' specified for the field 'Output/v' returned nothing (undefined)."
    )
    assert (placed.kind, placed.location, placed.error) == ("undefined", "Output/v", "States.QueryEvaluationError")
    again = pickle.loads(pickle.dumps(placed))
    assert (again.message, again.kind, again.location) == (placed.message, placed.kind, placed.location)


def test_a_variable_hides_the_function_of_its_name(reason: Callable[..., str]) -> None:
    failing = "threw an error during evaluation. T1006: Attempted to invoke a non-function"
    assert reason("$count([1, 2])", count=5) == failing


def test_data_that_only_passes_through_is_handed_on_by_reference(evaluate: Callable[..., Json]) -> None:
    payload = {"big": [1, 2, 3]}
    assert evaluate("$states.input", states={"input": payload}) is payload
    result = evaluate("{'again': $states.input, 'list': [$states.input.big]}", states={"input": payload})
    assert result["again"] is payload
    assert type(result) is dict
    assert type(result["list"]) is list


def test_results_hold_plain_types_only(evaluate: Callable[..., Json]) -> None:
    def plain(value: Json) -> None:
        assert type(value) in {dict, list, str, int, float, bool, type(None)}
        for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            plain(item)

    plain(evaluate("{'a': $map([1, 2], function($v) { {'v': [$v]} }), 'b': $parse('[{}]'), 'c': [1..2][]}"))


def test_an_expression_is_compiled_once() -> None:
    assert compile_jsonata("$a + 1") is compile_jsonata(" $a + 1 ")


def test_importing_the_parser_leaves_the_recursion_limit_alone() -> None:
    compile_jsonata("$a + 2")
    assert sys.getrecursionlimit() < 10_000


def test_threads_share_an_expression() -> None:
    expression = compile_jsonata("($n := $k; $f := function($x) { $x = 0 ? $n : $f($x - 1) }; $map([1..20], $f))")
    wrong = []

    def work(k: int) -> None:
        for _ in range(30):
            if expression.evaluate({"k": k}, random.Random) != [k] * 20:
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("1 + 2", set()),
        ("$a + $b.c", {"a", "b"}),
        ("$states.input.x & $states.context.State.Name", set()),
        ("$sum($items.price)", {"items"}),
        ("($x := $a; $x + $y)", {"a", "y"}),
        ("($x := 1; $x) + $x", {"x"}),
        ("$map($list, function($v, $i) { $v + $i + $offset })", {"list", "offset"}),
        ("$list@$l#$i.{'a': $l.x, 'n': $i, 'o': $outer}", {"list", "outer"}),
        ("$list[$ = $wanted]^(>$weight){$key: $value}", {"list", "wanted", "weight", "key", "value"}),
        ("$input ~> |a|{'b': $new}, $old|", {"input", "new", "old"}),
        ("$eval('1')", set()),
        ("$states.input.a.b#$i[$i = 1]", set()),
        ("$states.input.a@$l.b@$m[$l.x = $m.y]", set()),
        ("$states.input.a[$i = 0]#$i[$i = 1].($i)", {"i"}),
        ("$f($l)@$l.b", {"f", "l"}),
    ],
)
def test_variable_names_are_those_of_the_state(text: str, names: set[str]) -> None:
    assert variable_names(text) == names
    assert compile_jsonata(text).variables == names
