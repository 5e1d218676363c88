"""What the service stops is stopped here, by counting and not by the clock."""

import random
import sys
import threading
import time
from collections.abc import Callable

import pytest

from sfn_notebook.errors import Json
from sfn_notebook.lang.jsonata import QueryEvaluationFailure, compile_jsonata
from sfn_notebook.lang.jsonata.backtracking import program

TIME = "threw an error during evaluation: Expression evaluation timeout: Check for infinite loop"
MEMORY = (
    "threw an error during evaluation: Expression evaluation memory limit exceeded: Check for excessive memory usage"
)
DEPTH = (
    "threw an error during evaluation: Stack overflow error: Check for non-terminating recursive function."
    " Consider rewriting as tail-recursive"
)
HOSTILE = f"$contains('{'a' * 40}b', /^(a+)+$/)"


def test_sums_end_where_the_memory_of_the_service_ends(
    evaluate: Callable[..., Json], reason: Callable[..., str]
) -> None:
    assert evaluate("$sum([1..873782])") == 873782 * 873783 // 2
    assert reason("$sum([1..873783])") == MEMORY
    assert reason("$sum([1..9999999])") == MEMORY
    assert reason("[1..10000001]").startswith("threw an error during evaluation. D2014: ")


def test_strings_end_there_too(evaluate: Callable[..., Json], reason: Callable[..., str]) -> None:
    doubling = "($p := function($s, $n) { $n = 0 ? $s : $p($s & $s, $n - 1) }; $length($p('x', %d)))"
    assert evaluate(doubling % 22) == 2**22
    assert reason(doubling % 23) == MEMORY


@pytest.mark.parametrize(
    "text",
    [
        "$pad('', 7000000)",
        "$join($map([1..1000], function($i) { $pad('', 10000) }))",
        "$replace($pad('', 100000, 'a'), 'a', $pad('', 100))",
        "$replace($pad('', 100000, 'a'), /a/, $pad('', 1000))",
        "$range(1, 10000000, 1)",
        "$map([1..2000], function($i) { $pad('', 1000000) }) ~> $count",
        "($twice := function($v, $n) { $n = 0 ? $v : $twice($append($v, $v), $n - 1) }; $twice([1], 24))",
        "($share := function($v, $n) { $n = 0 ? $v : $share([[$v], [$v]], $n - 1) }; $share(1, 40))",
        "($share := function($v, $n) { $n = 0 ? $v : $share([[$v], [$v]], $n - 1) }; $string($share(1, 40)))",
    ],
)
def test_whatever_grows_is_stopped(reason: Callable[..., str], text: str) -> None:
    assert reason(text) == MEMORY


@pytest.mark.parametrize(
    "text",
    [
        "($f := function($x) { $f($x + 1) }; $f(1))",
        "$map([1..800], function($a) { $map([1..800], function($b) { $a * $b }) }) ~> $count",
        "$count([1..1000].([1..1000]))",
        "[1..2000][$ in [1..2000]]",
        "[1..3000]^(-$) ~> $map(function($v) { $filter([1..3000], function($w) { $w = $v }) }) ~> $count",
        "($g := function($v, $n) { $n = 0 ? $v : $g({'a': [$v], 'b': [$v]}, $n - 1) }; $count($g(1, 60).**))",
    ],
)
def test_whatever_does_not_end_is_stopped_after_a_number_of_steps(reason: Callable[..., str], text: str) -> None:
    started = time.monotonic()
    assert reason(text) in {TIME, MEMORY}
    assert time.monotonic() - started < 5


def test_the_budget_does_not_depend_on_the_machine() -> None:
    fits = compile_jsonata("$count($map([1..100000], function($x) { $x * 2 }))")
    assert {fits.evaluate({}, random.Random) for _ in range(2)} == {100000}


def test_evaluation_goes_as_deep_as_the_service_does_and_no_deeper(
    evaluate: Callable[..., Json], reason: Callable[..., str]
) -> None:
    chain = "+".join(["1"] * 100)
    assert evaluate(chain) == 100
    assert reason(chain + "+1") == DEPTH
    recursive = "($f := function($n) { $n = 0 ? 0 : 1 + $f($n - 1) }; $f(%d))"
    assert evaluate(recursive % 31) == 31
    assert reason(recursive % 32) == DEPTH
    assert evaluate("(" * 99 + "1" + ")" * 99) == 1
    assert reason("(" * 100 + "1" + ")" * 100) == DEPTH
    assert reason(recursive % 10_000) == DEPTH
    assert evaluate("($f := function($n) { $n = 0 ? 0 : $f($n - 1) }; $f(10000))") == 0


def test_a_text_too_deep_to_be_parsed_fails_when_it_is_evaluated(reason: Callable[..., str]) -> None:
    assert reason("(" * 5000 + "1" + ")" * 5000) == DEPTH
    assert reason("+".join(["1"] * 5000)) == DEPTH


def test_deep_data_does_not_bring_the_interpreter_down(reason: Callable[..., str]) -> None:
    deep: list[Json] = []
    for _ in range(100_000):
        deep = [deep]
    assert reason("$string($x)", x=deep) == DEPTH
    assert reason("($f := function($v, $n) { $n = 0 ? $v : $f([[$v]], $n - 1) }; $f(1, 20000))") == DEPTH
    while deep:
        deep = deep[0]
    assert sys.getrecursionlimit() < 10_000


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("^(a+)+$", "a" * 40 + "b"),
        ("(a|aa)+$", "a" * 60 + "b"),
        ("(a|a)*b", "a" * 40),
        ("(x+x+)+y", "x" * 40),
        ("^(([a-z])+.)+[A-Z]([a-z])+$", "a" * 40),
    ],
)
def test_hostile_patterns_run_out_of_time_as_on_the_service(
    reason: Callable[..., str], pattern: str, text: str
) -> None:
    started = time.monotonic()
    assert reason(f"$contains($s, /{pattern}/)", s=text) == TIME
    assert time.monotonic() - started < 4


def test_the_same_patterns_are_fine_on_texts_that_they_can_decide(evaluate: Callable[..., Json]) -> None:
    assert evaluate("$contains($s, /^(a+)+$/)", s="a" * 3000) is True
    assert evaluate("$contains($s, /^(a+)+$/)", s="a" * 12 + "b") is False
    assert evaluate("$contains($s, /^([a-z]+,?)+$/)", s="abc,def,ghi," * 50) is True


def test_what_cannot_be_counted_is_stopped_by_the_clock(reason: Callable[..., str]) -> None:
    started = time.monotonic()
    assert reason("$contains($s, /(?=a)(a|aa)+$/)", s="a" * 60 + "b") == TIME
    assert time.monotonic() - started < 4


@pytest.mark.parametrize(
    ("pattern", "text", "exceeds"),
    [
        ("a{2,3}(b|c)*d", "aabcbcbd", False),
        ("(?:a|b)+?c", "abab" * 20, False),
        ("(a*)*", "bbb", False),
        ("(a*)*b", "a" * 40, True),
        (r"^(\w+\s?)*$", "word " * 30 + "!", True),
        (r"^(\w+\s?)*$", "word " * 30, False),
        (r"(?P<n>a+)+\b!", "a" * 40, True),
        ("(a++)+b", "a" * 40, False),
    ],
)
def test_searches_are_counted_without_being_done(pattern: str, text: str, exceeds: bool) -> None:
    assert program(pattern, ignore_case=False, multiline=False).exceeds(text) is exceeds


def test_eight_threads_with_hostile_expressions_end_in_time() -> None:
    found = []

    def work(text: str) -> None:
        try:
            compile_jsonata(text).evaluate({}, random.Random)
        except QueryEvaluationFailure as failure:
            found.append(failure.reason)

    texts = [HOSTILE, "$sum([1..9999999])"] * 4
    threads = [threading.Thread(target=work, args=(text,)) for text in texts]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - started < 4
    assert sorted(found) == sorted([TIME, MEMORY] * 4)
