"""Fields that hold expressions: how `{% %}` is recognised, and trees of JSON with expressions anywhere inside.

A failure is given the place of its expression as AWS writes it: `Output/a/b[0]`, keys after a slash and positions in
brackets, and the expression without the delimiters and the blanks inside them.
"""

# ruff: noqa: ARG005 - every part takes the same three arguments

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sfn_notebook.errors import ExpressionError, Json
from sfn_notebook.lang.environment import compact
from sfn_notebook.lang.jsonata.arrays import type_name
from sfn_notebook.lang.jsonata.expression import Expression, compile_jsonata
from sfn_notebook.lang.jsonata.failures import QueryEvaluationFailure

Bindings = Mapping[str, Json]
Generator = Callable[[], random.Random]
_Evaluate = Callable[[Bindings, Generator, float | None], Json]


def is_expression(value: Json) -> bool:
    """Tell whether a value is a string that starts with exactly `{%` and ends with exactly `%}`."""
    return isinstance(value, str) and len(value) >= 4 and value.startswith("{%") and value.endswith("%}")


def strip_expression(value: str) -> str:
    """Give the expression inside `{% %}`, as AWS quotes it.

    >>> strip_expression("{% $a %}")
    '$a'
    """
    return value[2:-2].strip()


def expect(value: Json, kind: str, expression: str, location: str) -> None:
    """Check that a value has the JSON type that a field needs: array, boolean, null, number, object or string.

    Raises:
        QueryEvaluationFailure: it has another one.
    """
    if type_name(value) != kind:
        raise unexpected(kind, value, expression, location)


def unexpected(kind: str, value: Json, expression: str, location: str) -> QueryEvaluationFailure:
    """Give the failure of a field that needs the type `kind` and got `value`."""
    found = type_name(value)
    reason = f"returned an unexpected result type. Expected '{kind}', but was '{found}' for value: {compact(value)}"
    return QueryEvaluationFailure(reason, "type", expression, location)


@dataclass(frozen=True, slots=True)
class JsonataTemplate:
    """A compiled tree.

    Attributes:
        field: where the tree stands in its state, such as `Output` or `Choices[0]/Assign`.
        constant: True if no expression is inside; `evaluate` then gives the tree itself.
        expressions: the expressions inside with their places, in the order of evaluation.
    """

    field: str
    constant: bool
    expressions: tuple[tuple[str, Expression], ...]
    _evaluate: _Evaluate = dataclasses.field(repr=False, compare=False)

    @property
    def variables(self) -> frozenset[str]:
        """Give the state variables that the tree refers to."""
        return frozenset().union(*(expression.variables for _, expression in self.expressions))

    def evaluate(self, bindings: Bindings, random: Generator, now: float | None = None) -> Json:
        """Give the tree with every expression replaced by its value; `Expression.evaluate` explains the arguments.

        Raises:
            QueryEvaluationFailure: an expression has no usable value; message and location are complete.
        """
        return self._evaluate(bindings, random, now)

    def unexpected(self, kind: str, value: Json) -> QueryEvaluationFailure:
        """Give the failure of a field that needs another type than its one expression gave: array, boolean, number ..."""
        text = self.expressions[0][1].text if self.expressions else ""
        return unexpected(kind, value, text, self.field)


def compile_tree(value: Json, field: str) -> JsonataTemplate:
    """Compile a tree of JSON with expressions anywhere inside.

    Raises:
        ExpressionError: an expression is refused; its `expression` is the whole string with the delimiters.
    """
    expressions: list[tuple[str, Expression]] = []
    evaluate = _compile(value, field, expressions)
    return JsonataTemplate(field, not expressions, tuple(expressions), evaluate)


def _compile(value: Json, place: str, expressions: list[tuple[str, Expression]]) -> _Evaluate:
    if is_expression(value):
        return _leaf(value, place, expressions)
    before = len(expressions)
    if isinstance(value, dict):
        parts = {key: _compile(item, f"{place}/{key}", expressions) for key, item in value.items()}
        if len(expressions) > before:
            return lambda bindings, random, now: {key: part(bindings, random, now) for key, part in parts.items()}
    elif isinstance(value, list):
        items = [_compile(item, f"{place}[{index}]", expressions) for index, item in enumerate(value)]
        if len(expressions) > before:
            return lambda bindings, random, now: [item(bindings, random, now) for item in items]
    return lambda bindings, random, now: value


def _leaf(value: str, place: str, expressions: list[tuple[str, Expression]]) -> _Evaluate:
    text = strip_expression(value)
    try:
        expression = compile_jsonata(text)
    except ExpressionError as error:
        offset = value.index(text, 2) if text else 2
        raise type(error)(error.message, value, error.position + offset) from None
    expressions.append((place, expression))

    def leaf(bindings: Bindings, random: Generator, now: float | None) -> Json:
        try:
            return expression.evaluate(bindings, random, now)
        except QueryEvaluationFailure as failure:
            raise failure.at(text, place) from None

    return leaf
