"""Choice rules: the 39 comparison operators, And, Or, Not, and JSONata's Condition.

A rule is compiled to a predicate (data, frame) -> bool. A value of another type than the operator's makes the comparison false, never
an error (recorded); a `Variable` that is not there fails the execution, except with `IsPresent`. Adding an operator is one entry in
`OPERATORS` (which then also has its `…Path` form) or in `TESTS`.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sfn_notebook.engine.clock import read_iso
from sfn_notebook.engine.dataflow import Assign, Complete
from sfn_notebook.engine.flow_jsonata import compile_rule
from sfn_notebook.engine.flow_jsonpath import compile_assign
from sfn_notebook.engine.frames import Failure
from sfn_notebook.errors import ExpressionError, Json
from sfn_notebook.lang.environment import EvaluationFailure, PathFailure
from sfn_notebook.lang.jsonpath import compile_path

if TYPE_CHECKING:
    from sfn_notebook.engine.frames import Frame
    from sfn_notebook.engine.model import State

Predicate = Callable[[Json, "Frame"], bool]
Test = Callable[[Any, Any], bool]


@dataclass(frozen=True, slots=True)
class Rule:
    """One top-level rule: its predicate, the state that it leads to, and what it does to data."""

    holds: Predicate
    next: State
    assign: Assign | None
    output: Complete | None


@dataclass(frozen=True, slots=True)
class Choices:
    """All rules of a Choice state; `custom` says that some rule has an Assign or Output of its own."""

    select: Callable[[Json, Frame], tuple[State, Rule | None]]
    custom: bool


def is_number(value: Json) -> bool:
    """Say whether a JSON value is a number (a boolean is none)."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_timestamp(value: Json) -> bool:
    """Say whether a JSON value is text that reads as an ISO-8601 date-time with offset."""
    return isinstance(value, str) and read_iso(value) is not None


def _is_text(value: Json) -> bool:
    return isinstance(value, str)


def _is_boolean(value: Json) -> bool:
    return isinstance(value, bool)


def _of(check: Callable[[Json], bool], compare: Test, key: Callable[[Any], Any] | None = None) -> Test:
    if key is None:
        return lambda a, b: check(a) and check(b) and compare(a, b)
    return lambda a, b: check(a) and check(b) and compare(key(a), key(b))


def _exact_moment(text: str) -> tuple[int | None, str]:
    """Give a timestamp as something comparable to the last recorded digit (the clock itself has milliseconds)."""
    fraction = re.search(r"\.(\d+)", text)
    return read_iso(text), (fraction[1] if fraction else "").ljust(9, "0")


_ORDERS: dict[str, Test] = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "GreaterThan": operator.gt,
    "LessThanEquals": operator.le,
    "GreaterThanEquals": operator.ge,
}
OPERATORS: dict[str, Test] = {
    **{f"String{name}": _of(_is_text, order) for name, order in _ORDERS.items()},
    **{f"Numeric{name}": _of(is_number, order) for name, order in _ORDERS.items()},
    **{f"Timestamp{name}": _of(is_timestamp, order, _exact_moment) for name, order in _ORDERS.items()},
    "BooleanEquals": _of(_is_boolean, operator.eq),
}
"""Operators with a `…Path` form: (value of Variable, operand) -> bool."""

TESTS: dict[str, Callable[[Json], bool]] = {
    "IsNull": lambda value: value is None,
    "IsNumeric": is_number,
    "IsString": _is_text,
    "IsBoolean": _is_boolean,
    "IsTimestamp": is_timestamp,
}
"""Type tests: the operand says whether the test shall hold."""


def wildcard(pattern: str) -> re.Pattern[str]:
    r"""Compile the pattern of `StringMatches`: `*` is any run of characters, `\*` a star, `\\` a backslash."""
    parts = re.findall(r"\\.|\*|[^\\*]+|\\", pattern, re.DOTALL)
    text = "".join(
        ".*" if part == "*" else re.escape(part[1:] if len(part) == 2 and part[0] == "\\" else part) for part in parts
    )
    return re.compile(text, re.DOTALL)


def compile_choices(state: State, here: dict[str, State]) -> Choices:
    """Compile the rules of a Choice state.

    Raises:
        ExpressionError: a rule holds a malformed path or condition.
    """
    rules = tuple(_rule(rule, state.language, here, index) for index, rule in enumerate(state.definition["Choices"]))
    default = here[state.definition["Default"]] if "Default" in state.definition else None

    def select(data: Json, frame: Frame) -> tuple[State, Rule | None]:
        for rule in rules:
            if rule.holds(data, frame):
                return rule.next, rule
        if default is None:
            raise no_choice()
        return default, None

    return Choices(select, any(rule.assign or rule.output for rule in rules))


def no_choice() -> Failure:
    """Say that no rule holds and there is no Default."""
    text = "Failed to transition out of the state. The state does not point to a next state."
    return Failure("States.NoChoiceMatched", text, own=True)


def _rule(rule: dict[str, Json], language: str, here: dict[str, State], index: int) -> Rule:
    if language == "JSONata":
        holds, output, assign = compile_rule(rule, index)
        return Rule(holds, here[rule["Next"]], assign, output)
    return Rule(compile_predicate(rule), here[rule["Next"]], compile_assign(rule.get("Assign"), "Assign"), None)


def compile_predicate(rule: dict[str, Json]) -> Predicate:
    """Compile one JSONPath rule, nested ones included."""
    if "And" in rule:
        parts = tuple(compile_predicate(part) for part in rule["And"])
        return lambda data, frame: all(part(data, frame) for part in parts)
    if "Or" in rule:
        parts = tuple(compile_predicate(part) for part in rule["Or"])
        return lambda data, frame: any(part(data, frame) for part in parts)
    if "Not" in rule:
        inner = compile_predicate(rule["Not"])
        return lambda data, frame: not inner(data, frame)
    name = next((key for key in rule if key in _ALL_OPERATORS), None)
    if name is None:
        raise ExpressionError("a Choice rule has no comparison operator", str(sorted(rule)))
    return _comparison(name, rule[name], rule["Variable"])


def _comparison(name: str, operand: Json, variable: str) -> Predicate:
    path = compile_path(variable)
    if name == "IsPresent":
        return _presence(path.evaluate, bool(operand))
    read = _required(path.evaluate, variable)
    if name in TESTS:
        test, expected = TESTS[name], bool(operand)
        return lambda data, frame: test(read(data, frame)) is expected
    if name == "StringMatches":
        match = wildcard(operand).fullmatch
        return lambda data, frame: isinstance(value := read(data, frame), str) and match(value) is not None
    if name in OPERATORS:
        return _constant(OPERATORS[name], read, operand)
    compare, other = OPERATORS[name.removesuffix("Path")], _required(compile_path(operand).evaluate, operand)
    return lambda data, frame: compare(read(data, frame), other(data, frame))


def _constant(compare: Test, read: Callable[[Json, Frame], Json], operand: Json) -> Predicate:
    return lambda data, frame: compare(read(data, frame), operand)


def _presence(evaluate: Callable[[Json, Any], Json], expected: bool) -> Predicate:  # noqa: FBT001 - it is the operand
    def holds(data: Json, frame: Frame) -> bool:
        try:
            evaluate(data, frame)
        except PathFailure:
            return not expected
        return expected

    return holds


def _required(evaluate: Callable[[Json, Any], Json], text: str) -> Callable[[Json, Frame], Json]:
    def read(data: Json, frame: Frame) -> Json:
        try:
            return evaluate(data, frame)
        except PathFailure as failure:
            message = f"Invalid path '{text}': The choice state's condition path references an invalid value."
            raise EvaluationFailure(message) from failure

    return read


_ALL_OPERATORS = (
    frozenset(OPERATORS) | {f"{name}Path" for name in OPERATORS} | frozenset(TESTS) | {"IsPresent", "StringMatches"}
)
assert len(_ALL_OPERATORS) == 39
