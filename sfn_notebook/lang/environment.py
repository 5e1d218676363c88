"""What an expression sees besides its data, and how it says that it cannot be evaluated.

Owns `Environment`, which the engine implements (state variables, the context object, a deterministic source of randomness),
`Evaluate`, the one shape of everything that this package compiles, and the failures of evaluation with AWS's texts. It knows
nothing of states or histories: whoever runs a state puts the sentence "An error occurred while executing the state …" in
front of `message`.

Bad syntax is no failure in this sense: it is found when an expression is compiled, as `errors.ExpressionError`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from typing import ClassVar, Protocol, TypeAlias

from sfn_notebook.errors import Json


class Environment(Protocol):
    """The surroundings of one evaluation."""

    @property
    def variables(self) -> Mapping[str, Json]:
        """Give the state variables in scope, by name without the dollar sign."""

    def context(self) -> dict[str, Json]:
        """Give the context object, which paths call `$$`."""

    def random(self) -> random.Random:
        """Give a fresh generator whose numbers depend on the execution alone."""


Evaluate: TypeAlias = Callable[[Json, Environment], Json]
"""`(data, environment) -> value`: every path, template and intrinsic is compiled to one of these."""


class EvaluationFailure(Exception):
    """An expression could not be evaluated at run time.

    Attributes:
        message: AWS's text, without the sentence that names the state.
        error: the error name that the state fails with.
    """

    error: ClassVar[str] = "States.Runtime"

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


class PathFailure(EvaluationFailure):
    """A path found nothing: `path` is its text as written, `reason` what was missing."""

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"Invalid path '{path}' : {reason}")

    def __reduce__(self) -> tuple[type[PathFailure], tuple[str, str]]:
        return type(self), (self.path, self.reason)


class ReferencePathFailure(PathFailure):
    """A result has no place in the input, because something on the way is no object."""

    error: ClassVar[str] = "States.ReferencePathConflict"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.message = reason
        self.args = (reason,)


class TemplateFailure(EvaluationFailure):
    """A path in a payload template found nothing: `field` is the key that holds it, such as `value.$`."""

    def __init__(self, path: str, field: str, data: Json) -> None:
        self.path = path
        self.field = field
        self.data = data
        super().__init__(
            f"The JSONPath '{path}' specified for the field '{field}' could not be found in the input '{compact(data)}'"
        )

    def __reduce__(self) -> tuple[type[TemplateFailure], tuple[str, str, Json]]:
        return type(self), (self.path, self.field, self.data)


class IntrinsicFailure(EvaluationFailure):
    """A function cannot work with its arguments: `call` is the whole expression as written, `reason` what is wrong."""

    def __init__(self, call: str, reason: str) -> None:
        self.call = call
        self.reason = reason
        super().__init__(f"The function '{call}' had the following error: {reason}")

    def __reduce__(self) -> tuple[type[IntrinsicFailure], tuple[str, str]]:
        return type(self), (self.call, self.reason)


def compact(value: Json) -> str:
    """Write `value` as JSON without blanks, as AWS quotes data in its texts."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
