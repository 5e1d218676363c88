"""Dates and whole numbers in pictures: $now, $millis, $fromMillis, $toMillis, $formatInteger, $parseInteger.

The pictures of XPath (`[Y0001]-[M01]`, `Ww;o`) are read by `jsonata-python`; only this module and `syntax` know that library.
The time is the one that the run was given, never the clock's.
"""

from __future__ import annotations

import calendar
import datetime as dt
import math
import re
from typing import Any

from sfn_notebook.lang.jsonata.failures import CATALOGUE, InternalError, JsonataError
from sfn_notebook.lang.jsonata.runtime import Call, Native
from sfn_notebook.lang.jsonata.values import UNDEFINED, Value, number

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_ISO = re.compile(
    r"(\d{4})(?:-([01]\d)(?:-([0-3]\d))?)?(?:T([0-2]\d):([0-5]\d):([0-5]\d))?(\.\d+)?(?:([+-])([0-2]\d):?([0-5]\d)|Z)?",
    re.ASCII,
)


def now(call: Call, picture: Value, zone: Value) -> Value:
    """$now."""
    return from_millis(_milliseconds(call), picture, zone)


def millis(call: Call) -> Value:
    """$millis."""
    return _milliseconds(call)


def _milliseconds(call: Call) -> int:
    return math.floor(call.run.now * 1000 + 1e-6)


def from_millis(value: Value, picture: Value, zone: Value) -> Value:
    """$fromMillis: ISO 8601 without a picture."""
    if value is UNDEFINED:
        return UNDEFINED
    offset = None if zone is UNDEFINED else zone
    if picture is UNDEFINED and offset is None:
        moment = _EPOCH + dt.timedelta(milliseconds=math.floor(value))
        return (
            moment.strftime("%Y").rjust(4, "0")
            + moment.strftime("-%m-%dT%H:%M:%S.")
            + f"{moment.microsecond // 1000:03}Z"
        )
    return _with_library("format_datetime", math.floor(value), None if picture is UNDEFINED else picture, offset)


def to_millis(call: Call, text: Value, picture: Value) -> Value:
    """$toMillis: ISO 8601 without a picture; no offset means UTC [measured]."""
    if text is UNDEFINED:
        return UNDEFINED
    if picture is UNDEFINED:
        return _iso_to_millis(text)
    text, picture = _complete(call, text, picture)
    result = _with_library("parse_datetime", text, picture)
    return UNDEFINED if result is None else result


def _iso_to_millis(text: str) -> int:
    found = _ISO.fullmatch(text)
    if found is None:
        raise JsonataError("D3110", value=text)
    year, month, day, hour, minute, second = (
        int(part or default) for part, default in zip(found.groups()[:6], (1, 1, 1, 0, 0, 0), strict=True)
    )
    try:
        dt.date(year, month, day)
    except ValueError:
        raise JsonataError("D3110", value=text) from None
    seconds = calendar.timegm((year, month, day, hour, minute, second))
    if found[8]:
        offset = (int(found[9]) * 60 + int(found[10])) * 60
        seconds -= offset if found[8] == "+" else -offset
    return seconds * 1000 + int(float(found[7] or 0) * 1000 + 1e-9)


def _complete(call: Call, text: str, picture: str) -> tuple[str, str]:
    """Put today's date, or this year, in front of a text that leaves it out."""
    components = {found[:1] for found in re.findall(r"(?<!\[)\[\s*(\w[^\]]*)\]", picture)}
    if components & set("YXxWwd"):
        return text, picture
    missing = "[Y0001] " if components & set("MD") else "[Y0001]-[M01]-[D01] "
    return _with_library("format_datetime", _milliseconds(call), missing, None) + text, missing + picture


def format_integer(value: Value, picture: Value) -> Value:
    """$formatInteger."""
    if value is UNDEFINED or picture is UNDEFINED:
        return UNDEFINED
    return _with_library("format_integer", math.floor(value), picture)


def parse_integer(text: Value, picture: Value) -> Value:
    """$parseInteger: NaN where the picture cannot read the text [measured]."""
    if text is UNDEFINED or picture is UNDEFINED:
        return UNDEFINED
    try:
        return number(_with_library("parse_integer", text, picture))
    except (KeyError, ValueError, TypeError, IndexError, AttributeError, NotImplementedError):
        return math.nan


def _with_library(name: str, *arguments: Any) -> Any:
    """Call the library, and give its complaints the codes that they have in the catalogue."""
    from sfn_notebook.lang.jsonata.syntax import library

    try:
        return getattr(library().datetimeutils.DateTimeUtils, name)(*arguments)
    except RuntimeError as error:
        if isinstance(error, RecursionError):
            raise
        raise _coded(str(error)) from None
    except KeyError as error:
        if name == "parse_integer":
            raise
        raise JsonataError("D3132", value=str(error.args[0])) from None
    except (AttributeError, NotImplementedError, TypeError, IndexError):  # the library trips over an odd picture
        if name == "parse_integer":
            raise
        raise InternalError from None


def _coded(message: str) -> JsonataError:
    """Find the code of a message of the library by its first words."""
    for code in ("D3130", "D3131", "D3132", "D3133", "D3134", "D3135", "D3136"):
        if message.startswith(CATALOGUE[code].split(" {{")[0][:40]):
            return JsonataError(code, value=None)  # the library does not tell which character it is
    return JsonataError("D3137", message=message)


FUNCTIONS = {
    "now": Native(now, "s?s?", needs_call=True),
    "millis": Native(millis, "", needs_call=True),
    "fromMillis": Native(from_millis, "n-s?s?"),
    "toMillis": Native(to_millis, "s-s?", needs_call=True),
    "formatInteger": Native(format_integer, "n-s"),
    "parseInteger": Native(parse_integer, "s-s"),
}
