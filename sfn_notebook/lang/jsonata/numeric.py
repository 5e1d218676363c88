"""The numeric functions of JSONata. Rounding is half to even on the digits that a number is written with [measured]."""

from __future__ import annotations

import decimal
import math

from sfn_notebook.lang.jsonata.failures import JsonataError
from sfn_notebook.lang.jsonata.runtime import Native
from sfn_notebook.lang.jsonata.values import UNDEFINED, Value, double, number


def total(items: Value) -> Value:
    """$sum."""
    return UNDEFINED if items is UNDEFINED else _added(items)


def _added(items: list[Value]) -> float:
    """Add from left to right, as doubles do."""
    if all(type(item) is int for item in items):
        whole = sum(items)
        if -(2**53) <= whole <= 2**53:
            return whole
    result = 0.0
    for item in items:
        result += double(item)
    return number(result)


def maximum(items: Value) -> Value:
    """$max."""
    return UNDEFINED if items is UNDEFINED or not items else max(items)


def minimum(items: Value) -> Value:
    """$min."""
    return UNDEFINED if items is UNDEFINED or not items else min(items)


def average(items: Value) -> Value:
    """$average."""
    return UNDEFINED if items is UNDEFINED or not items else number(_added(items) / len(items))


def absolute(value: Value) -> Value:
    """$abs."""
    return value if value is UNDEFINED else number(abs(value))


def floor(value: Value) -> Value:
    """$floor."""
    return value if value is UNDEFINED or not math.isfinite(value) else number(float(math.floor(value)))


def ceiling(value: Value) -> Value:
    """$ceil."""
    return value if value is UNDEFINED or not math.isfinite(value) else number(float(math.ceil(value)))


def rounded(value: Value, digits: Value) -> Value:
    """$round: `digits` behind the point; a negative number of them rounds to tens and beyond."""
    if value is UNDEFINED or not math.isfinite(value):
        return value
    return number(float(half_even(value, 0 if digits is UNDEFINED else int(digits))))


def half_even(value: float, digits: int) -> decimal.Decimal:
    """Round the decimal that `value` is written as."""
    digits = max(-400, min(digits, 400))
    with decimal.localcontext() as context:
        context.prec = 1500
        return decimal.Decimal(repr(value)).quantize(decimal.Decimal(1).scaleb(-digits), decimal.ROUND_HALF_EVEN)


def square_root(value: Value) -> Value:
    """$sqrt."""
    if value is UNDEFINED:
        return UNDEFINED
    if value < 0:
        raise JsonataError("D3060", value=value)
    return number(math.sqrt(double(value)))


def power(value: Value, exponent: Value) -> Value:
    """$power."""
    if value is UNDEFINED:
        return UNDEFINED
    try:
        result = math.pow(double(value), double(exponent)) if exponent is not UNDEFINED else math.nan
    except (OverflowError, ValueError):
        result = math.inf
    if not math.isfinite(result):
        raise JsonataError("D3061", value=value, exp=None if exponent is UNDEFINED else exponent)
    return number(result)


def format_base(value: Value, radix: Value) -> Value:
    """$formatBase."""
    if value is UNDEFINED:
        return UNDEFINED
    base = 10 if radix is UNDEFINED else int(rounded(radix, UNDEFINED))
    if not 2 <= base <= 36:
        raise JsonataError("D3100", value=base)
    rest = abs(int(rounded(value, UNDEFINED)))
    digits = ""
    while rest or not digits:
        rest, digit = divmod(rest, base)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return "-" + digits if value < 0 and digits != "0" else digits


FUNCTIONS = {
    "sum": Native(total, "a<n>"),
    "max": Native(maximum, "a<n>"),
    "min": Native(minimum, "a<n>"),
    "average": Native(average, "a<n>"),
    "abs": Native(absolute, "n-"),
    "floor": Native(floor, "n-"),
    "ceil": Native(ceiling, "n-"),
    "round": Native(rounded, "n-n?"),
    "sqrt": Native(square_root, "n-"),
    "power": Native(power, "n-n"),
    "formatBase": Native(format_base, "n-n?"),
}
