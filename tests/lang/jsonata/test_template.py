import random

import pytest

from sfn_notebook.errors import ExpressionError, Json
from sfn_notebook.lang.jsonata import (
    QueryEvaluationFailure,
    UnsupportedExpression,
    compile_tree,
    expect,
    is_expression,
    strip_expression,
    type_name,
)


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        ("{% 1 %}", True), ("{%%}", True), ("{%\n$a\n%}", True),
        (" {% 1 %}", False), ("{% 1 %} ", False), ("{% 1", False), ("1 %}", False), ("{%}", False), ("", False), (1, False),
        ({"{%": "%}"}, False),
    ],
)  # fmt: skip
def test_expressions_start_and_end_exactly(value: Json, answer: bool) -> None:
    assert is_expression(value) is answer


def test_blanks_around_an_expression_are_not_part_of_it() -> None:
    assert strip_expression("{%  $a + 1\n%}") == "$a + 1"


def test_expressions_anywhere_in_a_tree_are_evaluated() -> None:
    tree = {
        "a": "{% $x %}",
        "b": [1, "{% $x + 1 %}", {"c": "{% [$x] %}"}],
        "d": "$x",
        "e": " {% $x %} ",
        "{% $x %}": None,
    }
    template = compile_tree(tree, "Output")
    assert not template.constant
    assert [place for place, _ in template.expressions] == ["Output/a", "Output/b[1]", "Output/b[2]/c"]
    assert template.variables == {"x"}
    assert template.evaluate({"x": 1}, random.Random) == {**tree, "a": 1, "b": [1, 2, {"c": [1]}]}
    assert tree["a"] == "{% $x %}"


def test_a_tree_without_expressions_is_given_as_it_is() -> None:
    tree = {"a": [1, {"b": "x"}]}
    template = compile_tree(tree, "Output")
    assert template.constant
    assert template.evaluate({}, random.Random) is tree
    assert template.variables == frozenset()


def test_parts_without_expressions_are_shared() -> None:
    tree = {"fixed": {"deep": [1]}, "a": "{% 1 %}"}
    assert compile_tree(tree, "Output").evaluate({}, random.Random)["fixed"] is tree["fixed"]


@pytest.mark.parametrize(
    ("tree", "field", "location", "message"),
    [
        ("{% $x %}", "Items", "Items", "The JSONata expression '$x' specified for the field 'Items'"),
        ({"a": {"b": ["{% 1 %}", "{% $x %}"]}}, "Assign", "Assign/a/b[1]",
         "The JSONata expression '$x' specified for the field 'Assign/a/b[1]'"),
        ([["{%$x%}"]], "Choices[0]/Output", "Choices[0]/Output[0][0]",
         "The JSONata expression '$x' specified for the field 'Choices[0]/Output[0][0]'"),
    ],
)  # fmt: skip
def test_a_failure_names_its_place(tree: Json, field: str, location: str, message: str) -> None:
    with pytest.raises(QueryEvaluationFailure) as caught:
        compile_tree(tree, field).evaluate({}, random.Random)
    assert caught.value.location == location
    assert caught.value.message == f"{message} returned nothing (undefined)."


def test_a_refused_expression_is_shown_as_it_was_written() -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_tree({"a": "{% 1 + %}"}, "Output")
    assert (caught.value.expression, caught.value.position) == ("{% 1 + %}", 6)
    with pytest.raises(UnsupportedExpression) as refused:
        compile_tree("{% 1 + total %}", "Output")
    assert refused.value.expression[refused.value.position :] == "total %}"


@pytest.mark.parametrize(
    ("value", "kind", "quoted"),
    [
        (True, "boolean", "true"), (1, "number", "1"), (2.5, "number", "2.5"), (None, "null", "null"),
        ("é", "string", '"é"'), ({"foo": ["bar"]}, "object", '{"foo":["bar"]}'),
    ],
)  # fmt: skip
def test_a_value_of_the_wrong_type_is_quoted(value: Json, kind: str, quoted: str) -> None:
    assert type_name(value) == kind
    with pytest.raises(QueryEvaluationFailure) as caught:
        expect(value, "array", "$x", "Items")
    assert caught.value.message == (
        "The JSONata expression '$x' specified for the field 'Items' returned an unexpected result type."
        f" Expected 'array', but was '{kind}' for value: {quoted}"
    )
    assert compile_tree("{% $x %}", "Items").unexpected("array", value).message == caught.value.message


def test_a_value_of_the_right_type_passes() -> None:
    expect([], "array", "[]", "Items")
    expect(0, "number", "0", "Seconds")
