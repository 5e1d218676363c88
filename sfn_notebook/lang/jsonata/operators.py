"""The operators of JSONata: arithmetic, comparison, `&`, `in`, `and`, `or` and ranges.

Numbers are doubles: whole ones are kept as ints while that is exact, and a division by zero gives infinity or NaN, which no
other operator accepts. Strings are ordered by UTF-16 units. Undefined makes arithmetic undefined and comparisons of equality
false.
"""

# ruff: noqa: ARG001 - every operator takes the frame

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from sfn_notebook.lang.jsonata.failures import JsonataError
from sfn_notebook.lang.jsonata.runtime import DEPTH, Frame, Node, too_deep
from sfn_notebook.lang.jsonata.values import (
    UNDEFINED,
    Sequence,
    Value,
    double,
    equal,
    is_number,
    less,
    number,
    stringify,
    truthy,
)


def logical(symbol: str, left: Node, right: Node) -> Node:
    """Compile `and` or `or`: the right side is evaluated only if it decides."""
    decisive = symbol == "or"

    def node(item: Value, frame: Frame, depth: int) -> Value:
        if depth >= DEPTH:
            too_deep()
        try:
            if truthy(left(item, frame, depth + 1)) is decisive:
                return decisive
            return truthy(right(item, frame, depth + 1))
        except JsonataError as error:
            error.token = error.token or symbol
            raise

    return node


def span(left: Node, right: Node) -> Node:
    """Compile `left..right`: the whole numbers between, as far as the memory of the service reaches."""

    def node(item: Value, frame: Frame, depth: int) -> Value:
        if depth >= DEPTH:
            too_deep()
        start, end = left(item, frame, depth + 1), right(item, frame, depth + 1)
        for value, code in ((start, "T2003"), (end, "T2004")):
            if value is not UNDEFINED and not (is_number(value) and number(value) == math.floor(value)):
                raise JsonataError(code, value=value)
        if start is UNDEFINED or end is UNDEFINED or start > end:
            return UNDEFINED
        size = int(end) - int(start) + 1
        if size > 10_000_000:
            raise JsonataError("D2014", value=size)
        frame.run.hold(8 * size)
        frame.run.spend(size // 10)
        return Sequence(range(int(start), int(end) + 1))

    return node


def _arithmetic(symbol: str, work: Callable[[Any, Any], Any]) -> Callable[[Value, Value, Frame], Value]:
    def node(left: Value, right: Value, frame: Frame) -> Value:
        if left is not UNDEFINED and not is_number(left):
            raise JsonataError("T2001", token=symbol, value=left)
        if right is not UNDEFINED and not is_number(right):
            raise JsonataError("T2002", token=symbol, value=right)
        if left is UNDEFINED or right is UNDEFINED:
            return UNDEFINED
        return work(left, right)

    return node


_EXACT = 2**53


def _exactly(work: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Do it with ints while the result is exact as a double, and with doubles beyond."""

    def calculate(left: float, right: float) -> float:
        result = work(left, right)
        if type(result) is int:
            return result if -_EXACT <= result <= _EXACT else number(work(double(left), double(right)))
        return number(result)

    return calculate


def _divide(left: float, right: float) -> float:
    if right == 0:
        return math.nan if left == 0 else math.copysign(math.inf, left) * math.copysign(1, right)
    return number(double(left) / double(right))


def _remainder(left: float, right: float) -> float:
    return math.nan if right == 0 else number(math.fmod(double(left), double(right)))


def _comparison(symbol: str, work: Callable[[Any, Any], bool]) -> Callable[[Value, Value, Frame], Value]:
    strict = symbol in {"<", ">"}
    upwards = symbol in {"<", "<="}

    def node(left: Value, right: Value, frame: Frame) -> Value:
        left_kind, right_kind = _comparable(left), _comparable(right)
        if not left_kind or not right_kind:
            raise JsonataError("T2010", token=symbol, value=right if left_kind in {"s", "n"} else left)
        if left is UNDEFINED or right is UNDEFINED:
            return UNDEFINED
        if left_kind != right_kind:
            raise JsonataError("T2009", token=symbol, value=left, value2=right)
        if left_kind == "n":
            return work(left, right)
        if strict:
            return less(left, right) if upwards else less(right, left)
        return not (less(right, left) if upwards else less(left, right))

    return node


def _comparable(value: Value) -> str:
    if isinstance(value, str):
        return "s"
    if type(value) is int or type(value) is float:
        return "n"
    return "u" if value is UNDEFINED else ""


def _same(left: Value, right: Value, frame: Frame) -> Value:
    return left is not UNDEFINED and right is not UNDEFINED and equal(left, right)


def _different(left: Value, right: Value, frame: Frame) -> Value:
    return left is not UNDEFINED and right is not UNDEFINED and not equal(left, right)


def _concatenate(left: Value, right: Value, frame: Frame) -> Value:
    first = "" if left is UNDEFINED else stringify(left)
    second = "" if right is UNDEFINED else stringify(right)
    frame.run.hold(len(first) + len(second))
    return first + second


def _contains(left: Value, right: Value, frame: Frame) -> Value:
    if left is UNDEFINED or right is UNDEFINED:
        return False
    if isinstance(left, list | dict):  # JavaScript compares the identity of those
        return any(left is item for item in (right if isinstance(right, list) else [right]))
    return any(equal(left, item) for item in (right if isinstance(right, list) else [right]))


OPERATORS: dict[str, Callable[[Value, Value, Frame], Value]] = {
    "+": _arithmetic("+", _exactly(operator.add)),
    "-": _arithmetic("-", _exactly(operator.sub)),
    "*": _arithmetic("*", _exactly(operator.mul)),
    "/": _arithmetic("/", _divide),
    "%": _arithmetic("%", _remainder),
    "=": _same,
    "!=": _different,
    "<": _comparison("<", operator.lt),
    "<=": _comparison("<=", operator.le),
    ">": _comparison(">", operator.gt),
    ">=": _comparison(">=", operator.ge),
    "&": _concatenate,
    "in": _contains,
}
