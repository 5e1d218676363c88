"""Strict JSON at the borders: text, sizes and copies.

Owns how a value becomes JSON text (compact, UTF-8, as the service writes it), how many bytes that takes, how text becomes a value,
and the one copy that is made where values enter or leave a run. It knows nothing of ASL. orjson does the work; what it refuses or
would silently change (NaN, integers above 64 bits, lone surrogates) goes the slow and careful way through the standard library.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

import orjson

from sfn_notebook.errors import Json, RunError

_PASS = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS | orjson.OPT_PASSTHROUGH_DATACLASS
_DEEPEST = 250


class NotJson(RunError):
    """A value that is given to or returned into a run cannot be written as JSON; the message says where and how to convert it."""


def json_text(value: Json) -> str:
    """Write a JSON value as compact text, non-ASCII characters as themselves, as the service does."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def json_size(value: Json) -> int:
    """Count the UTF-8 bytes of the compact JSON text, which is what the service's payload limits count."""
    try:
        return len(orjson.dumps(value))
    except TypeError:
        return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass"))


def parse_json(text: str | bytes, what: str = "the input") -> Json:
    """Read JSON text; raise `NotJson` with line, column and the offending line when it is not JSON."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        from sfn_notebook.errors import caret

        picture = caret(error.doc, error.lineno, error.colno)
        raise NotJson(
            f"{what} is not JSON: {error.msg.lower()} at line {error.lineno}, column {error.colno}\n{picture}"
        ) from None
    except _Constant as error:
        raise NotJson(f"{what} is not JSON: {error} is no JSON value; use null or a string") from None
    except RecursionError:
        raise NotJson(f"{what} is nested too deeply to be read") from None
    except UnicodeDecodeError as error:
        raise NotJson(f"{what} is not JSON: {error}") from None


class _Constant(ValueError):
    pass


def _refuse_constant(name: str) -> None:
    raise _Constant(name)


def copy_json(value: Any, what: str = "the value") -> Json:
    """Copy a value as strict JSON, so that neither side can change the other's data.

    Converted on the way: tuples to lists; numpy and pandas scalars to plain numbers; numpy arrays and pandas Series to lists;
    datetime, date and time to ISO-8601 text; Decimal to int where it is whole, else to float; UUID, Path and Enum to text or value;
    dataclass and Mapping to objects.

    Args:
        value: what a caller gave or a handler returned.
        what: how an error message names it.

    Raises:
        NotJson: for NaN and infinity, sets, bytes, DataFrames, keys that are no text, cycles and anything else that is not JSON.
    """
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return value
    try:
        text = orjson.dumps(value, option=_PASS)
    except TypeError:
        return _careful(value, what, "$", 0)
    if b"null" in text:  # a NaN has become null in silence
        return _careful(value, what, "$", 0)
    return orjson.loads(text)


def _careful(value: Any, what: str, path: str, depth: int) -> Json:
    if depth > _DEEPEST:
        raise NotJson(f"{what} is nested deeper than {_DEEPEST} levels or contains itself, at {path[:80]}")
    if value is None or (isinstance(value, str | bool) and not isinstance(value, Enum)):
        return value if type(value) in (str, bool, type(None)) else str(value)
    if type(value) is int:
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise NotJson(f"{what} holds {value} at {path}, which JSON cannot write; use None or a string in its place")
        return float(value)
    if isinstance(value, Mapping):
        return {_key(key, what, path): _careful(item, what, f"{path}.{key}", depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_careful(item, what, f"{path}[{index}]", depth + 1) for index, item in enumerate(value)]
    return _careful(_converted(value, what, path), what, path, depth + 1)


def _key(key: Any, what: str, path: str) -> str:
    if isinstance(key, str):
        return str(key)
    raise NotJson(
        f"{what} has the key {key!r} of type {type(key).__name__} at {path}; keys of a JSON object are text: use str(key)"
    )


def _converted(value: Any, what: str, path: str) -> Any:
    """Turn one value of a type that JSON lacks into one that it has, or say how the caller can."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, int):  # a subclass of int
        return int(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, UUID | PurePath):
        return str(value)
    if hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
        return {name: getattr(value, name) for name in value.__dataclass_fields__}
    name = type(value).__name__
    module = type(value).__module__.partition(".")[0]
    if module == "pandas" and name == "DataFrame":
        raise NotJson(f"{what} holds a DataFrame at {path}; convert it with df.to_dict('records')")
    if module in ("numpy", "pandas") and hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, set | frozenset):
        raise NotJson(
            f"{what} holds a {name} at {path}, and JSON has no sets; convert it with sorted(...) or list(...)"
        )
    if isinstance(value, bytes | bytearray | memoryview):
        raise NotJson(f"{what} holds bytes at {path}; convert them with .decode() or base64.b64encode(...).decode()")
    raise NotJson(
        f"{what} holds a {type(value).__module__}.{name} at {path}, which is not JSON; convert it to plain values"
    )
