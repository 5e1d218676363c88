"""Paths: which are accepted, what they find, what they write, and how they fail."""

import copy
import pickle
import random
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfn_notebook.errors import ExpressionError
from sfn_notebook.lang.environment import Environment, PathFailure, ReferencePathFailure
from sfn_notebook.lang.jsonpath import chain, compile_path, compile_reference

ORDER = {
    "id": "o-1",
    "total": 12.5,
    "delivery-partner": "p",
    "été": 1,
    "a.b": 2,
    "it's": 3,
    "none": None,
    "customer": {"name": "Ann", "address": {"city": "Bern"}},
    "items": [
        {"sku": "A", "count": 1, "paid": True},
        {"sku": "B", "count": 0},
        {"sku": "b-2", "count": 3, "paid": None},
    ],
    "matrix": [[1, 2], [3, 4]],
}


def surroundings(**variables: Any) -> Environment:
    return SimpleNamespace(
        variables=variables, context=lambda: {"Execution": {"Id": "arn"}}, random=lambda: random.Random(1)
    )


def find(path: str, data: Any = ORDER, **variables: Any) -> Any:
    return compile_path(path).evaluate(data, surroundings(**variables))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$", ORDER),
        ("$.id", "o-1"),
        ("$['id']", "o-1"),
        ('$["id"]', "o-1"),
        ("$.customer.address.city", "Bern"),
        ("$['customer']['address'].city", "Bern"),
        ("$.['customer'].name", "Ann"),
        ("$.items[0].sku", "A"),
        ("$.items[-1].sku", "b-2"),
        ("$.matrix[1][0]", 3),
        ("$.delivery-partner", "p"),
        ("$.été", 1),
        ("$['a.b']", 2),
        (r"$['it\'s']", 3),
        ('$["it\'s"]', 3),
        ("$.none", None),
        ("$.items.length()", 3),
        ("$['id', 'été', 'absent']", {"id": "o-1", "été": 1}),
    ],
)
def test_a_definite_path_gives_the_value(path: str, value: Any) -> None:
    compiled = compile_path(path)
    assert compiled.definite
    assert compiled.evaluate(ORDER, surroundings()) == value


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("$.items[*].sku", ["A", "B", "b-2"]),
        ("$.items.*.sku", ["A", "B", "b-2"]),
        ("$.customer.*", ["Ann", {"city": "Bern"}]),
        ("$.items[0,2].sku", ["A", "b-2"]),
        ("$.items[0,9].sku", ["A"]),
        ("$.items[1:].sku", ["B", "b-2"]),
        ("$.items[:1].sku", ["A"]),
        ("$.items[-2:].sku", ["B", "b-2"]),
        ("$.items[::2].sku", ["A", "b-2"]),
        ("$..sku", ["A", "B", "b-2"]),
        ("$..city", ["Bern"]),
        ("$.customer..*", ["Ann", {"city": "Bern"}, "Bern"]),
        ("$..[0]", [{"sku": "A", "count": 1, "paid": True}, [1, 2], 1, 3]),
        ("$.items[?(@.count == 0)].sku", ["B"]),
        ("$.items[?(@.count == 1)].sku", ["A"]),
        ("$.items[?(@.paid == true)].sku", ["A"]),
        ("$.items[?(@.paid == null)].sku", ["b-2"]),
        ("$.items[?(@.paid)].sku", ["A", "b-2"]),
        ("$.items[?(!@.paid)].sku", ["B"]),
        ("$.items[?(@.count >= 1 && @.paid == true)].sku", ["A"]),
        ("$.items[?(@.count < 1 || @.count > 2)].sku", ["B", "b-2"]),
        ("$.items[?((@.count < 1 || @.count > 2) && @.sku != 'B')].sku", ["b-2"]),
        ('$.items[?(@.sku == "A")].count', [1]),
        ("$.items[?(@.sku < 'B')].sku", ["A"]),
        ("$.items[?(@.sku > 1)].sku", []),
        ("$.items[?(@.sku == A)].count", [1]),
        ("$.items[?(@.paid != true)].sku", ["B", "b-2"]),
        ("$.items[?(@.count <= 1e0)].sku", ["A", "B"]),
        ("$.items[?(@.sku in ['A', \"b-2\"])].sku", ["A", "b-2"]),
        ("$.items[?(@.count nin [0, 1.0])].sku", ["b-2"]),
        ("$.items[?(@.sku =~ /b.*/i)].sku", ["B", "b-2"]),
        ("$.items[?(@.sku =~ /b/)].sku", []),
        ("$.items[?(@.sku == $.items[1].sku)].count", [0]),
        ("$.items[?(@['count'] == 3)].sku", ["b-2"]),
        ("$.matrix[?(@[0] == 3)]", [[3, 4]]),
        ("$.matrix[*][?(@ > 2)]", [3, 4]),
        ("$.customer[?(@.name == 'Ann')].name", ["Ann"]),
        ("$..[?(@.count == 3)].sku", ["b-2"]),
        (
            "$.items[*]['sku', 'count']",
            [{"sku": "A", "count": 1}, {"sku": "B", "count": 0}, {"sku": "b-2", "count": 3}],
        ),
        ("$.absent[*]", []),
        ("$.absent[1:]", []),
        ("$.absent[?(@.a == 1)]", []),
        ("$.absent..x", []),
        ("$.id[*]", []),
    ],
)
def test_an_indefinite_path_gives_a_list(path: str, values: list[Any]) -> None:
    compiled = compile_path(path)
    assert not compiled.definite
    assert compiled.evaluate(ORDER, surroundings()) == values


def test_a_filter_tells_true_from_one_and_missing_from_null() -> None:
    data = [{"a": True}, {"a": 1}, {"a": 1.0}, {"a": None}, {}]
    assert find("$[?(@.a == 1)]", data) == [{"a": 1}, {"a": 1.0}]
    assert find("$[?(@.a == true)]", data) == [{"a": True}]
    assert find("$[?(@.a == null)]", data) == [{"a": None}]
    assert find("$[?(@.a != 1)]", data) == [{"a": True}, {"a": None}, {}]


def test_a_path_may_start_at_the_context_or_at_a_variable() -> None:
    assert find("$$.Execution.Id") == "arn"
    assert find("$$") == {"Execution": {"Id": "arn"}}
    assert find("$order.items[0]", order={"items": [7]}) == 7
    assert find("$order.items[*]", order={"items": [7, 8]}) == [7, 8]
    assert find("$naïve_1", naïve_1=5) == 5
    roots = [compile_path(path).root for path in ("$.a", "$$.a", "$a.b", "$[0]")]
    assert roots == ["$", "$$", "$a", "$"]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("$.X", "No results for path: $['X']"),
        ("$.no.such.path", "Missing property in path $['no']"),
        ("$.customer.address.zip", "No results for path: $['customer']['address']['zip']"),
        ("$.customer.no.zip", "Missing property in path $['customer']['no']"),
        ("$.items[7].sku", "No results for path: $['items'][7]['sku']"),
        ("$.id[0]", 'Filter: [0] can only be applied to arrays. Current context is: "o-1"'),
        ("$.none[0]", "The path $['none'] is null"),
        ("$['a', 'b'].c", "Multi properties can only be used as path leafs: $['a', 'b']"),
        ("$$.Nope", "No results for path: $['Nope']"),
        ("$nope", "No results for path: $['nope']"),
    ],
)
def test_a_definite_path_that_finds_nothing_fails_with_the_reason(path: str, reason: str) -> None:
    with pytest.raises(PathFailure) as failure:
        find(path)
    assert (failure.value.path, failure.value.reason) == (path, reason)
    assert failure.value.message == f"Invalid path '{path}' : {reason}"
    assert failure.value.error == "States.Runtime"


def test_a_key_of_something_that_is_no_object_names_what_was_found() -> None:
    for value, name in [("x", "java.lang.String"), (1, "java.lang.Integer"), (1.5, "java.lang.Double"), (None, "null")]:
        with pytest.raises(PathFailure, match=f"property \\['b'\\] in path \\$\\['a'\\] but found '{name}'"):
            find("$.a.b", {"a": value})


def test_a_failure_survives_pickling() -> None:
    with pytest.raises(PathFailure) as failure:
        find("$.X")
    again = pickle.loads(pickle.dumps(failure.value))
    assert (type(again), again.path, again.message) == (PathFailure, "$.X", failure.value.message)


@pytest.mark.parametrize(
    ("path", "position"),
    [
        ("", 0),
        ("a.b", 0),
        ("$.", 1),
        ("$.a.", 3),
        ("$.a..", 3),
        ("$x.", 2),
        ("$ .a b", 5),
        ("$.a[b]", 4),
        ("$.a['b]", 4),
        ("$.a.sum()", 4),
        ("$.a.length().b", 12),
        ("$.a[?(@.b ~ 1)]", 10),
        ("$.a | $.b", 4),
        ("$.a`len`", 3),
    ],
)
def test_what_is_no_path_is_refused_with_its_position(path: str, position: int) -> None:
    with pytest.raises(ExpressionError) as error:
        compile_path(path)
    assert error.value.position == position
    assert error.value.expression == path


@pytest.mark.parametrize(
    "path", ["$.a[1", "$.a[]", "$.a[?(1 == @.b)]", "$.a[::0]", "$.a[?(@.b =~ /(/)]", "$.a[*].length()", "$..", "$[?()]"]
)
def test_what_the_parser_refuses_is_an_expression_error_too(path: str) -> None:
    with pytest.raises(ExpressionError):
        compile_path(path)


def test_chain_gives_the_keys_of_plain_paths_below_the_data_only() -> None:
    assert chain(compile_path("$")) == ()
    assert chain(compile_path("$.a['b'][-1]")) == ("a", "b", -1)
    assert [chain(compile_path(path)) for path in ("$$.a", "$v.a", "$.a[*]", "$.a[0,1]")] == [None] * 4


def test_a_plain_path_does_not_import_jsonpath_ng() -> None:
    code = (
        "import sys; from sfn_notebook.lang.jsonpath import compile_path as c;"
        "c('$.a.b[0]'); assert 'jsonpath_ng' not in sys.modules; c('$.a[*]'); assert 'jsonpath_ng' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# Reference paths


@pytest.mark.parametrize(
    ("path", "base", "written"),
    [
        ("$", {"a": 1}, 9),
        ("$.b", {"a": 1}, {"a": 1, "b": 9}),
        ("$.a", {"a": 1, "b": 2}, {"a": 9, "b": 2}),
        ("$.x.y", {"a": 1}, {"a": 1, "x": {"y": 9}}),
        ("$.x.y", {"x": {"z": 1}}, {"x": {"z": 1, "y": 9}}),
        ("$.x.y.z", {}, {"x": {"y": {"z": 9}}}),
        ("$.a[1]", {"a": [1, 2]}, {"a": [1, 9]}),
        ("$.a[0].b", {"a": [{"c": 1}]}, {"a": [{"c": 1, "b": 9}]}),
        ("$['x y']", {}, {"x y": 9}),
    ],
)
def test_put_writes_along_the_path(path: str, base: Any, written: Any) -> None:
    before = copy.deepcopy(base)
    assert compile_reference(path).put(base, 9) == written
    assert base == before


@pytest.mark.parametrize(
    ("path", "base"),
    [
        ("$.a", "text"),
        ("$.a", [1]),
        ("$.a", None),
        ("$.a.b", {"a": 1}),
        ("$.a.b", []),
        ("$.a[2]", {"a": [1]}),
        ("$.a.b.c", {"a": "x"}),
    ],
)
def test_put_fails_where_something_on_the_way_is_no_object(path: str, base: Any) -> None:
    with pytest.raises(ReferencePathFailure) as failure:
        compile_reference(path).put(base, 9)
    assert failure.value.message.startswith(f"Unable to apply ReferencePath {path} to input ")
    assert failure.value.error == "States.ReferencePathConflict"
    assert isinstance(failure.value, PathFailure)


def test_the_text_of_a_conflict_quotes_the_input_as_json() -> None:
    with pytest.raises(ReferencePathFailure, match=r'^Unable to apply ReferencePath \$\.result to input "one"$'):
        compile_reference("$.result").put("one", 1)


@pytest.mark.parametrize(
    ("path", "position"), [("$.a[*]", 3), ("$..a", 1), ("$.a[-1]", 3), ("$.a[1:]", 3), ("$$.a", 0), ("$var", 0)]
)
def test_a_reference_path_names_one_node_of_the_data(path: str, position: int) -> None:
    with pytest.raises(ExpressionError) as error:
        compile_reference(path)
    assert error.value.position == position


# Laws

names = st.text(min_size=1, max_size=8)
keys = st.lists(names, min_size=1, max_size=5)
scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
json_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3)
)


def bracketed(key: str) -> str:
    return "['" + key.replace("\\", "\\\\").replace("'", "\\'") + "']"


@given(keys, json_values, st.dictionaries(names, scalars, max_size=3))
def test_what_put_wrote_is_what_the_path_reads_and_the_base_stays(
    path: list[str], value: Any, base: dict[str, Any]
) -> None:
    base.pop(path[0], None)
    before = copy.deepcopy(base)
    reference = compile_reference("$" + "".join(map(bracketed, path)))
    written = reference.put(base, value)
    assert reference.keys == tuple(path)
    assert reference.evaluate(written, surroundings()) == value
    assert base == before
    assert all(written[key] is item for key, item in base.items())


@given(names)
def test_a_quoted_name_reads_its_key_in_plain_and_in_long_paths(name: str) -> None:
    assert find(f"${bracketed(name)}", {name: [4]}) == [4]
    assert find(f"${bracketed(name)}[*]", {name: [4]}) == [4]
    assert find(f"$[?(@{bracketed(name)} == 4)]", [{name: 4}, {name: 5}]) == [{name: 4}]
    assert find(f"$[?(@.a == {bracketed(name)[1:-1]})]", [{"a": name}, {"a": 1}]) == [{"a": name}]


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="$.@[]()?*,:'\"=<>!&|~/ab1- \\é\n", max_size=25) | st.text(max_size=20))
def test_any_text_compiles_or_is_an_expression_error(text: str) -> None:
    for candidate in (text, f"${text}", f"$.a[?(@.{text})]"):
        outcome = attempt(candidate)
        if isinstance(outcome, ExpressionError):
            assert 0 <= outcome.position <= len(candidate)
        if isinstance(outcome, PathFailure):
            assert outcome.path == candidate
            assert compile_path(candidate).definite


def attempt(path: str) -> Any:
    try:
        return find(path, a=1, ab=2)
    except (ExpressionError, PathFailure) as error:
        return error


@pytest.mark.parametrize(
    "text",
    [
        "$" + ".a" * 5_000,
        "$" + "[0]" * 3_000,
        "$" + "[" * 10_000,
        "$.a[?(" + "(" * 5_000,
        "$.a[?(" + "(" * 40 + "@.b" + ")" * 40 + ")]",
        "$" + "[*]" * 3_000,
        "$.a[?(" + " || ".join(["@.b == 1"] * 200) + ")]",
        "$" + ".." * 5_000,
        "$['" + "\\'" * 5_000,
        "$.a[?(@.x in [" + "1," * 5_000,
        "$." + "a" * 30_000,
        "$.a[?(@.b=~/" + "(" * 5_000,
    ],
)
def test_long_and_deep_texts_end_soon(text: str) -> None:
    assert isinstance(attempt(text), list | ExpressionError | PathFailure)


def test_deep_data_is_walked_without_recursion() -> None:
    data: Any = {"x": 1}
    for _ in range(5_000):
        data = {"a": data}
    assert find("$..x", data) == [1]
