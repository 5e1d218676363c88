"""What a state does to data, as a few closures, whichever query language it speaks.

A `Flow` is compiled from a state's fields by `flow_jsonpath` or `flow_jsonata`; the modules that run states only call it:

    input ── effective ──► what the state works on ── (task, children) ──► result ── complete ──► output
                                                                              └───── assign ────► variables

`effective` and `complete` may be None, which means "unchanged", so that a bare state costs nothing. Every closure takes the frame as
the environment of expressions (variables, context object, random numbers). All of them read the variables as they were when the
state was entered; assigned values are put in place afterwards, together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

from sfn_notebook.engine import flow_jsonata, flow_jsonpath
from sfn_notebook.errors import Json

if TYPE_CHECKING:
    from sfn_notebook.engine.frames import Frame

Effective = Callable[[Json, "Frame"], Json]
"""(input, frame) -> what the state works on."""
Complete = Callable[[Json, Json, "Frame"], Json]
"""(input, result, frame) -> output."""
Assign = Callable[[Json, Json, "Frame"], dict[str, Json]]
"""(input, result, frame) -> the variables to assign."""
Value = Callable[[Json, "Frame"], Json]
"""(effective input, frame) -> the value of one field, such as `TimeoutSeconds`."""


@dataclass(frozen=True, slots=True)
class Flow:
    """The data flow of one state.

    Attributes:
        view: input -> what `InputPath` leaves of it, for the fields that read it beside Parameters (`TimeoutSecondsPath`).
        growth: (a, b) such that the JSON size of a Pass state's output is at most a × input + b bytes; None where unknown.
    """

    view: Effective | None = None
    effective: Effective | None = None
    complete: Complete | None = None
    assign: Assign | None = None
    growth: tuple[int, int] | None = (1, 0)


def _of(language: str) -> ModuleType:
    return flow_jsonata if language == "JSONata" else flow_jsonpath


def compile_flow(definition: dict[str, Json], language: str) -> Flow:
    """Compile the data-flow fields of one state.

    Raises:
        ExpressionError: a path, template or expression is malformed.
    """
    return Flow(*_of(language).compile_parts(definition))


def compile_value(definition: dict[str, Json], field: str, language: str) -> Value | None:
    """Compile a field that may be written as itself or as an expression; None when the state does not have it."""
    compiled: Value | None = _of(language).compile_value(definition, field)
    return compiled


def compile_template_value(value: Json, field: str, language: str) -> Value:
    """Compile an object with expressions inside, such as the Parameters or Arguments of an ItemReader."""
    compiled: Value = _of(language).compile_template_value(value, field)
    return compiled


def compile_catch_output(rule: dict[str, Json], language: str, index: int) -> Complete:
    """Compile what the next state of a Catch rule receives: (input, error output, frame) -> output."""
    compiled: Complete = _of(language).compile_catch_output(rule, index)
    return compiled


def compile_catch_assign(rule: dict[str, Json], language: str, index: int) -> Assign | None:
    """Compile the `Assign` of a Catch rule."""
    compiled: Assign | None = _of(language).compile_catch_assign(rule, index)
    return compiled
