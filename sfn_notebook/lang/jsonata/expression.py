"""Compiled expressions: what the rest of the project holds.

`compile_jsonata` parses, refuses what the service refuses when a definition is created, and compiles to a closure; the same
text gives the same `Expression`. An expression holds nothing that changes, so threads may share it. What it raises has AWS's
words; the caller knows the field and adds it with `QueryEvaluationFailure.at`.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from sfn_notebook.errors import Json
from sfn_notebook.lang.jsonata import arrays, format_number, numeric, pictures, service, strings, syntax
from sfn_notebook.lang.jsonata.compiler import Compiler
from sfn_notebook.lang.jsonata.failures import (
    DEPTH_LIMIT,
    InternalError,
    JsonataError,
    LimitReached,
    QueryEvaluationFailure,
)
from sfn_notebook.lang.jsonata.runtime import Frame, Native, Node, Run
from sfn_notebook.lang.jsonata.syntax import (
    RESERVED,
    TooDeep,
    Tree,
    UnsupportedExpression,
    check,
    free_variables,
    parse,
)
from sfn_notebook.lang.jsonata.values import UNDEFINED, NotJson, plain

BUILTINS: Mapping[str, Native] = MappingProxyType(
    strings.FUNCTIONS
    | numeric.FUNCTIONS
    | arrays.FUNCTIONS
    | pictures.FUNCTIONS
    | format_number.FUNCTIONS
    | service.FUNCTIONS
)
"""Every function that an expression can call; there is no $eval."""

_COMPILER = Compiler(BUILTINS)


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression.

    Attributes:
        text: the expression without `{%` and `%}`.
        variables: the state variables that it refers to.
    """

    text: str
    variables: frozenset[str]
    _node: Node = field(repr=False, compare=False)

    def evaluate(
        self, bindings: Mapping[str, Json], random: Callable[[], random.Random], now: float | None = None
    ) -> Json:
        """Give the value as plain JSON; data from `bindings` is handed on by reference and never changed.

        Args:
            bindings: the state variables by name, and `states`.
            random: gives the generator for $random, $uuid and $shuffle; called at most once, when it is needed.
            now: what $now and $millis give, in seconds since 1970.

        Raises:
            QueryEvaluationFailure: there is no usable value; the message says why in AWS's words.
        """
        run = Run(random, now or 0.0)
        try:
            value = self._node(UNDEFINED, Frame(dict(bindings), None, run), 1)
            if value is UNDEFINED:
                raise QueryEvaluationFailure("returned nothing (undefined).", "undefined", self.text)
            return plain(value)
        except NotJson:
            raise QueryEvaluationFailure("returned an unsupported result type.", "unsupported", self.text) from None
        except JsonataError as error:
            raise self._threw(f". {error.code}: {error.text()}") from None
        except LimitReached as limit:
            raise self._threw(f": {limit.text}", limit=True) from None
        except RecursionError:
            raise self._threw(f": {DEPTH_LIMIT}", limit=True) from None
        except InternalError:
            reason = "threw an internal error during evaluation."
            raise QueryEvaluationFailure(reason, "threw", self.text) from None

    def _threw(self, ending: str, *, limit: bool = False) -> QueryEvaluationFailure:
        kind = "limit" if limit else "threw"
        return QueryEvaluationFailure(f"threw an error during evaluation{ending}", kind, self.text)  # type: ignore[arg-type]


def compile_jsonata(text: str) -> Expression:
    """Compile an expression, given without `{%` and `%}`.

    Raises:
        ExpressionError: the service would refuse a definition with this expression; `UnsupportedExpression` is the kind that it
            reports as UNSUPPORTED_JSONATA_EXPRESSION, any other as INVALID_JSONATA_EXPRESSION.
    """
    return _compile(text.strip())


def unsupported(text: str) -> tuple[UnsupportedExpression, ...]:
    """Give every reference that the service does not support in an expression; `compile_jsonata` raises the first.

    Raises:
        ExpressionError: the text cannot be read.
    """
    text = text.strip()
    return tuple(syntax.unsupported(syntax.parse(text), text))


@functools.lru_cache(maxsize=1024)
def _compile(text: str) -> Expression:
    try:
        tree = parse(text)
        check(tree, text)
        return Expression(text, frozenset(_state_variables(tree)), _COMPILER.compile(tree))
    except (TooDeep, RecursionError):
        return Expression(text, frozenset(), _too_deep)


def _too_deep(*_: object) -> Json:
    raise LimitReached(DEPTH_LIMIT)


def _state_variables(tree: Tree) -> set[str]:
    return free_variables(tree) - {RESERVED} - BUILTINS.keys() - {"eval"}


def variable_names(text: str) -> set[str]:
    """Give the state variables that an expression refers to: neither its own, nor functions, nor `$states`."""
    return set(compile_jsonata(text).variables)
