"""Values while an expression is evaluated: what JSON has, plus undefined, sequences and functions.

Data of the workflow is used as it is and never changed. Whatever an expression builds itself is a `Sequence`, an `Array` or
an `Object`, subclasses that carry JSONata's marks; `plain` turns exactly those back into lists and dicts, so that a big
input that only passes through is handed on by reference. Numbers follow JavaScript: doubles, written without a fraction
where there is none. This module knows no syntax and no function of the language.
"""

from __future__ import annotations

import decimal
import math
from json.encoder import encode_basestring
from typing import Any, Final

from sfn_notebook.errors import Json
from sfn_notebook.lang.jsonata.failures import MEMORY_LIMIT, JsonataError, LimitReached

MEMORY: Final = 6_990_256
"""Bytes that one value may hold: the service takes 873,782 numbers (8 each) and no more, and 2^22 but not 2^23 characters."""

Value = Any
"""A Json value, UNDEFINED, or a function. The same alias trick as errors.Json."""


class Undefined:
    """The type of `UNDEFINED`, which an expression gives where it finds nothing. It is not null."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNDEFINED"


UNDEFINED: Final = Undefined()


class Array(list[Any]):
    """A list that an expression built. `cons` marks one written with brackets inside a path, which is not flattened."""

    cons = False


class Sequence(Array):
    """The results of a path or a mapping: one result stands for itself and none for undefined, see `unwrap`.

    `keep` is set by `[]` behind a step: one result stays a list. `tuples` marks a stream of bindings for `@`, `#` and `%`.
    """

    keep = False
    tuples = False


class Object(dict[str, Any]):
    """An object that an expression built."""


class Function:
    """What can be called; `arity` is the number of arguments that it wants when it is handed to $map and the like."""

    __slots__ = ("arity",)

    def __init__(self, arity: int) -> None:
        self.arity = arity


class NotJson(Exception):
    """The result holds a function."""


def unwrap(value: Value, *, keep: bool = False) -> Value:
    """Give what a sequence stands for; any other value stands for itself."""
    if type(value) is Sequence and not value.tuples:
        if keep:
            value.keep = True
        if len(value) == 1 and not value.keep:
            return value[0]
        if not value:
            return UNDEFINED
    return value


def is_number(value: Value) -> bool:
    """Tell whether `value` is a number that can be worked with: NaN is none, and infinity is an error."""
    kind = type(value)
    if kind is int:
        return True
    if kind is float:
        if value - value != 0:
            if value != value:
                return False
            raise JsonataError("D1001", value=value)
        return True
    return False


def number(value: float) -> int | float:
    """Give the number as the service prints it: an int where it has no fraction and fits in 64 bits."""
    if type(value) is float and value.is_integer() and -9.3e18 < value < 9.3e18:
        whole = int(value)
        return whole if -(2**63) <= whole < 2**63 else value
    return value


def double(value: float) -> float:
    """Give the double that JavaScript would hold for a JSON number."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def truthy(value: Value) -> bool:
    """Cast as $boolean does; undefined is false. A list is true if one of its items is."""
    kind = type(value)
    if kind is bool:
        return bool(value)
    if isinstance(value, list):
        return any(truthy(item) for item in value)
    if isinstance(value, str | dict):
        return len(value) > 0
    if kind is int or kind is float:
        return is_number(value) and value != 0
    return False


def equal(left: Value, right: Value) -> bool:
    """Compare deeply: 1 equals 1.0, true does not equal 1; bounded, because values may share parts many times."""
    pending = [(left, right)]
    budget = MEMORY // 8
    while pending:
        a, b = pending.pop()
        budget -= 1
        if budget < 0:
            raise LimitReached(MEMORY_LIMIT)
        if isinstance(a, list):
            if not isinstance(b, list) or len(a) != len(b):
                return False
            pending.extend(zip(a, b, strict=True))
        elif isinstance(a, dict):
            if not isinstance(b, dict) or a.keys() != b.keys():
                return False
            pending.extend((item, b[key]) for key, item in a.items())
        elif isinstance(a, bool) or isinstance(b, bool) or isinstance(a, Function):
            if a is not b:
                return False
        elif a != b:
            return False
    return True


def less(left: str, right: str) -> bool:
    """Order strings by UTF-16 units, which differs from Python's order beyond the Basic Multilingual Plane."""
    if left.isascii() or right.isascii():
        return left < right
    return utf16(left) < utf16(right)


def utf16(text: str) -> bytes:
    """Give the UTF-16 units of `text`, two bytes each, halves of pairs included."""
    return text.encode("utf-16-be", "surrogatepass")


def from_utf16(units: bytes) -> str:
    """Undo `utf16`; pairs become characters again, single halves stay."""
    return units.decode("utf-16-be", "surrogatepass")


def well_formed(text: str) -> str:
    """Join the halves of pairs, and put U+FFFD where only one half is left, so that the text can be written as UTF-8."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return utf16(text).decode("utf-16-be", "replace")
    return text


def plain(value: Value, budget: list[int] | None = None) -> Json:
    """Turn a result into JSON without touching data that came from outside.

    Raises:
        NotJson: the result holds a function.
        LimitReached: the result is larger than one value may be.
    """
    kind = type(value)
    if kind is str:
        return well_formed(value)
    if kind is float:
        if value - value != 0:
            return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
        return number(value)
    if kind is int:
        return value if -(2**63) <= value < 2**63 else double(value)
    if kind is Object or kind is Sequence or kind is Array:
        budget = budget or [MEMORY // 8]
        budget[0] -= len(value)
        if budget[0] < 0:
            raise LimitReached(MEMORY_LIMIT)
        if kind is Object:
            return {well_formed(key): plain(item, budget) for key, item in value.items()}
        return [plain(item, budget) for item in value]
    if isinstance(value, Function):
        raise NotJson
    return value


def number_text(value: float) -> str:
    """Write a number as JavaScript does after rounding it to 15 significant digits.

    >>> number_text(1e20), number_text(1e21), number_text(0.1 + 0.2), number_text(1e-7)
    ('100000000000000000000', '1e+21', '0.3', '1e-7')
    """
    if type(value) is int and -(10**15) < value < 10**15:
        return str(value)
    rounded = float(f"{value:.15g}")
    value = rounded if math.isfinite(rounded) else value
    sign, digits, exponent = decimal.Decimal(repr(value)).normalize().as_tuple()
    text = "".join(map(str, digits))
    point = len(text) + int(exponent)
    if text == "0":
        return "0"
    if 0 < point <= 21:
        text = text.ljust(point, "0")
        text = text[:point] + ("." + text[point:] if text[point:] else "")
    elif -6 < point <= 0:
        text = "0." + "0" * -point + text
    else:
        text = text[0] + ("." + text[1:] if text[1:] else "") + f"e{point - 1:+d}"
    return "-" + text if sign else text


def stringify(value: Value, *, pretty: bool = False) -> str:
    """Give the text of $string: JSON, functions empty, numbers with at most 15 significant digits."""
    if type(value) is str:
        return value
    if isinstance(value, Function):
        return ""
    if type(value) is float and value - value != 0:
        raise JsonataError("D3001", value=value)
    return _write(value, "\n" if pretty else "", [MEMORY])


def _write(value: Value, newline: str, budget: list[int]) -> str:
    """Write JSON; `newline` is a line feed and the indentation so far, or "" for text without blanks."""
    if value is None or type(value) is bool:
        text = "null" if value is None else "true" if value else "false"
    elif isinstance(value, str):
        text = encode_basestring(value)
    elif isinstance(value, Function):
        text = '""'
    elif isinstance(value, dict | list) and not value:
        text = "{}" if isinstance(value, dict) else "[]"
    elif isinstance(value, dict | list):
        return _write_items(value, newline, budget)
    else:
        is_number(value)
        text = number_text(value)
    budget[0] -= 32 + len(text)
    if budget[0] < 0:
        raise LimitReached(MEMORY_LIMIT)
    return text


def _write_items(value: dict[str, Value] | list[Value], newline: str, budget: list[int]) -> str:
    inner = newline and newline + "  "
    separator = "," + inner
    if isinstance(value, list):
        return f"[{inner}{separator.join([_write(item, inner, budget) for item in value])}{newline}]"
    colon = ": " if newline else ":"
    pairs = [f"{_write(key, '', budget)}{colon}{_write(item, inner, budget)}" for key, item in value.items()]
    return f"{{{inner}{separator.join(pairs)}{newline}}}"
