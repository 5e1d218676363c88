"""Laws that hold for any text and any data."""

import copy
import math
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from sfn_notebook.errors import ExpressionError, Json
from sfn_notebook.lang.jsonata import QueryEvaluationFailure, compile_jsonata, compile_tree, is_expression
from sfn_notebook.lang.jsonata.compiler import Compiler
from sfn_notebook.lang.jsonata.expression import BUILTINS
from sfn_notebook.lang.jsonata.runtime import Frame, Run
from sfn_notebook.lang.jsonata.service import java_random
from sfn_notebook.lang.jsonata.syntax import parse
from sfn_notebook.lang.jsonata.values import UNDEFINED, number_text, plain

SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
NAMES = st.sampled_from(["a", "b", "c"])
DATA = st.recursive(
    SCALARS | st.text(max_size=5), lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=3)
)
TOKENS = [
    "$a", "$b", "$", "$$", "a", "b", "`c d`", "1", "2.5", "'s'", '"t"', "null", "true", "(", ")", "[", "]", "{", "}", ".", ",",
    ";", ":", ":=", "?", "+", "-", "*", "/", "%", "&", "=", "!=", "<", "<=", ">", ">=", "and", "or", "in", "~>", "..", "^", "**",
    "@$x", "#$i", "|", "function", "$sum", "$map", "$string", "/a+/i", "??", "!", "\\", "\u00e9", "😀", "/*", "*/",
]  # fmt: skip


def outcome(text: str, data: dict[str, Json]) -> Json:
    """Give the value of an expression or the words of its failure."""
    try:
        return compile_jsonata(text).evaluate(data, lambda: random.Random(1), 0.0)
    except (ExpressionError, QueryEvaluationFailure) as failure:
        return str(failure)


@given(st.text(max_size=30))
def test_any_text_compiles_or_is_refused(text: str) -> None:
    outcome(text, {})


@settings(deadline=None)
@given(st.lists(st.sampled_from(TOKENS), max_size=12), st.dictionaries(NAMES, DATA, max_size=3))
def test_any_tokens_compile_or_are_refused_and_leave_the_data_alone(tokens: list[str], data: dict[str, Json]) -> None:
    before = copy.deepcopy(data)
    assert outcome(" ".join(tokens), data) == outcome(" ".join(tokens), data)
    assert before == data


FORMS = st.recursive(
    st.sampled_from(["$a", "$b", "$c", "1", "0", "2.5", "'x'", "null", "true", "[]", "{}", "$a.a", "$b.b", "$c.c.a"]),
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from("+-*/%&=<>") | st.sampled_from(["and", "or", "in", "!="]), inner),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("{{'a': {}, 'b': {}}}".format, inner, inner),
        st.builds("({}).{}".format, inner, NAMES),
        st.builds("({})[{}]".format, inner, inner),
        st.builds("$map({}, function($v) {{ {} }})".format, inner, inner),
        st.builds("({})^({})".format, inner, NAMES),
        st.builds("({}){{$string($): {}}}".format, inner, inner),
        st.builds("${}({})".format, st.sampled_from(["sum", "count", "string", "keys", "sort", "type", "not", "merge"]), inner),
        st.builds("({} ? {} : {})".format, inner, inner, inner),
    ),
    max_leaves=6,
)  # fmt: skip


@settings(deadline=None)
@given(FORMS, st.dictionaries(NAMES, DATA, max_size=3))
def test_evaluating_twice_gives_the_same_and_changes_nothing(text: str, data: dict[str, Json]) -> None:
    before = copy.deepcopy(data)
    first = outcome(text, data)
    assert outcome(text, data) == first
    assert before == data


@settings(deadline=None)
@given(
    st.lists(NAMES, max_size=4).map(lambda names: ".".join(["$a", *names]))
    | st.builds("{{'a': $a.{}, 'b': $b}}".format, NAMES),
    st.dictionaries(NAMES, DATA, max_size=3),
)
def test_short_cuts_give_what_the_general_way_gives(text: str, data: dict[str, Json]) -> None:
    def run(compiler: Compiler) -> Json:
        value = compiler.compile(parse(text))(UNDEFINED, Frame(dict(data), None, Run(random.Random, 0.0)), 1)
        return value if value is UNDEFINED else plain(value)

    assert run(Compiler(BUILTINS, shortcuts=False)) == run(Compiler(BUILTINS))


ODD = [
    "1/0", "0/0", "-1/0", "1e300", "-2", "2.5", "''", "'0'", "'[Y]'", "'#,##0'", "null", "true", "[]", "[1,2]", "['a']", "{}",
    "$nope", "/a/", "/(a)|b/i", "$sum", "function($x){$x}", "function($x,$y){$x}", "'😀é'", "[null]", "'w'", "'+9999'", "'[ZN]'",
    "{'zero-digit':''}",
]  # fmt: skip


@settings(max_examples=400)
@given(st.sampled_from(sorted(BUILTINS)), st.lists(st.sampled_from(ODD), max_size=4))
def test_odd_arguments_fail_in_the_service_s_words_only(name: str, arguments: list[str]) -> None:
    outcome(f"${name}({', '.join(arguments)})", {})


@given(DATA)
def test_data_is_given_back_as_it_is(value: Json) -> None:
    assert outcome("$a", {"a": value}) == value
    assert outcome("{'v': $a}", {"a": value}) == {"v": value}
    assert outcome("$clone({'v': $a}).v[]", {"a": [value, value]}) is not None


@given(DATA.filter(lambda value: not is_expression(value)))
def test_trees_without_expressions_are_constant(value: Json) -> None:
    template = compile_tree(value, "Output")
    assert template.evaluate({}, random.Random) is value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_written_so_that_they_can_be_read_again(value: Json) -> None:
    rounded = float(f"{value:.15g}")
    assert float(number_text(value)) == (rounded if math.isfinite(rounded) else value)


@given(st.integers(-(2**63), 2**63 - 1))
def test_seeded_random_numbers_lie_between_zero_and_one(seed: int) -> None:
    assert 0 <= java_random(seed) < 1
