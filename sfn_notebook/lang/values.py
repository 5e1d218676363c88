"""What JSON values mean to the expression languages: equality, and the text that Java gives them.

Owns the comparisons and printing that JSONPath filters, intrinsic functions and Choice rules share. The service runs on the
JVM and some of that shows: `States.Format` prints an object as `{key=value}`. Python's own rules would differ (True == 1,
True is an int), so nothing in this package compares JSON values with `==` where a boolean may meet a number.
"""

from __future__ import annotations

import math
from decimal import Decimal

from sfn_notebook.errors import Json


def is_number(value: Json) -> bool:
    """Tell whether `value` is a JSON number; a boolean is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def json_equal(a: Json, b: Json) -> bool:
    """Compare as JSON does: 1 equals 1.0, true does not equal 1, objects regardless of the order of their keys.

    >>> json_equal([1, {"a": None}], [1.0, {"a": None}]), json_equal(True, 1)
    (True, False)
    """
    pending = [(a, b)]
    while pending:
        a, b = pending.pop()
        if isinstance(a, bool) or isinstance(b, bool):
            if a is not b:
                return False
        elif isinstance(a, dict) and isinstance(b, dict):
            if len(a) != len(b):
                return False
            for key, value in a.items():
                if key not in b:
                    return False
                pending.append((value, b[key]))
        elif isinstance(a, list) and isinstance(b, list):
            if len(a) != len(b):
                return False
            pending.extend(zip(a, b, strict=True))
        elif a != b:
            return False
    return True


def java_text(value: Json) -> str:
    """Print `value` as the service does inside a text: strings bare, objects as `{key=value}`, lists as `[a, b]`.

    >>> java_text({"Arg1": 1, "Arg2": ["x", None]})
    '{Arg1=1, Arg2=[x, null]}'
    """
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={java_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(java_text, value)) + "]"
    return java_number(value)


def java_number(value: float) -> str:
    """Print a number as `Double.toString` or `Long.toString` does: 1.0E10 where Python says 10000000000.0."""
    if not isinstance(value, float):
        return str(value)
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value) if "e" not in repr(value) else f"{value:f}"
    exact = Decimal(repr(value))  # the shortest text that reads back as the number
    sign, digits, _ = exact.as_tuple()
    shortest = "".join(map(str, digits)).rstrip("0")
    return f"{'-' * sign}{shortest[0]}.{shortest[1:] or '0'}E{exact.adjusted()}"
