"""From a text to plain JSON: the two parsers, and everything that is refused on the way.

A text that starts with `{` or `[` is JSON and nothing else: AWS accepts only JSON there, and YAML's flow style would read a comma
too many or single quotes without a word. Any other text is YAML. What cannot be used raises `RefusedError` with an offset; what no
parser should see (binary, far too long) raises a `DefinitionError` at once. Values come from the fast parsers.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from sfn_notebook.asl import jsontext, yamltext
from sfn_notebook.asl.jsontext import Complaint, Lines, Offsets
from sfn_notebook.errors import DefinitionError, Diagnostic, Json, Severity

MAX_LENGTH = 4 * 1024 * 1024
"""Longer texts are refused unread. AWS takes 1 MiB, which `asl.check` reports; this bound only keeps a wrong file from hanging."""

MAX_DEPTH = 200
"""Levels of nesting. A Map inside a Map costs five, so that this is far beyond anything readable."""

SYNTAX = "INVALID_JSON_DESCRIPTION"
SHAPE = "SCHEMA_VALIDATION_FAILED"
NOT_AN_OBJECT = "Definition must be a valid JSON object"

_SURROGATE_ESCAPE = re.compile(r"\\(?:u([dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL)
_TEMPLATE = re.compile(r"^(?:Resources|stepFunctions)[ \t]*:", re.MULTILINE)


class RefusedError(Exception):
    """A text that is no JSON or YAML; `complaint` says why and where."""

    def __init__(self, complaint: Complaint, code: str = SYNTAX) -> None:
        self.complaint = complaint
        self.code = code
        super().__init__(complaint.message)


def load_json(text: str, start: int, lazy: dict[str, Any]) -> Json:
    """Read the JSON that starts at `start`; notes in `lazy` whether a key stands twice."""
    body, repeated = text[start:] if start else text, False
    try:
        try:
            value = _STRICT.decode(body)
        except _RepeatedKeyError:
            value, repeated = _LENIENT.decode(body), True
    except json.JSONDecodeError as error:
        shifted = json.JSONDecodeError(error.msg, text, error.pos + start)
        raise RefusedError(jsontext.explain(text, shifted)) from None
    except RecursionError:
        raise RefusedError(_too_deep(text, start)) from None
    except _NotFiniteError as error:
        raise RefusedError(_find_number(text, start, error.spelling)) from None
    except ValueError:  # an integer beyond the interpreter's limit on digits
        found = re.compile(r"\d{4000,}").search(text, start)
        raise RefusedError(
            Complaint("this number has more digits than can be read", found.start() if found else start)
        ) from None
    if text.count("{") + text.count("[") > MAX_DEPTH and _deeper_than(value, MAX_DEPTH):
        raise RefusedError(_too_deep(text, start))
    _refuse_surrogate_escapes(text)
    lazy["repeated"] = repeated
    return value


def load_yaml(text: str, lazy: dict[str, Any]) -> Json:
    """Read YAML; notes the offsets in `lazy`."""
    body = text.lstrip("\ufeff")
    shift = len(text) - len(body)
    try:
        value, offsets = yamltext.load(body, MAX_DEPTH, tags=_TEMPLATE.search(body) is not None)
    except yamltext.YamlTextError as problem:
        found = problem.complaint
        code = SHAPE if found.message == NOT_AN_OBJECT else SYNTAX
        raise RefusedError(Complaint(found.message, found.offset + shift, found.hint, found.length), code) from None
    if "*" in text and _deeper_than(value, MAX_DEPTH):
        raise RefusedError(Complaint(f"aliases nest this text deeper than {MAX_DEPTH} levels", shift))
    lazy["offsets"] = offsets if not shift else _shifted(offsets, shift)
    lazy["repeated"] = bool(offsets.repeated)
    return value


def undecoded(text: str) -> Complaint | None:
    """Blame the decoding where a broken text holds replacement characters; in a sound text they may be meant."""
    offset = text.find("\ufffd")
    if offset < 0:
        return None
    return Complaint("the text is binary or in another encoding: found U+FFFD", offset, "save it as UTF-8")


def _shifted(offsets: Offsets, by: int) -> Offsets:
    def move(span: tuple[int, int]) -> tuple[int, int]:
        return span[0] + by, span[1] + by

    return Offsets(
        {pointer: move(span) for pointer, span in offsets.values.items()},
        {pointer: move(span) for pointer, span in offsets.keys.items()},
        [(pointer, move(span)) for pointer, span in offsets.repeated],
    )


class _RepeatedKeyError(Exception):
    """An object gives a key twice."""


def _once(items: list[tuple[str, Json]]) -> dict[str, Json]:
    made = dict(items)
    if len(made) != len(items):
        raise _RepeatedKeyError
    return made


class _NotFiniteError(Exception):
    def __init__(self, spelling: str) -> None:
        self.spelling = spelling
        super().__init__(spelling)


def _no_constant(spelling: str) -> Json:
    raise _NotFiniteError(spelling)


def _finite(spelling: str) -> float:
    number = float(spelling)
    if not math.isfinite(number):
        raise _NotFiniteError(spelling)
    return number


_STRICT = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant, parse_float=_finite)
_LENIENT = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite)


def _find_number(text: str, start: int, spelling: str) -> Complaint:
    """Find the NaN, Infinity or far too large number outside of strings."""
    offset = start
    while match := jsontext.TOKEN.match(text, offset):
        offset = match.end()
        if match.group(3) == spelling:
            begin = match.start(3)
            if spelling.lstrip("-")[0].isdigit():
                return Complaint(f"{spelling[:40]} is too large for a JSON number", begin, None, len(spelling))
            return Complaint(
                f"{spelling} is no JSON value",
                begin,
                "JSON has neither NaN nor Infinity; use null or a string",
                len(spelling),
            )
    return Complaint(f"{spelling[:40]} is no JSON value", start)


def _too_deep(text: str, start: int) -> Complaint:
    """Find the bracket that opens one level too many."""
    depth, offset = 0, start
    while match := jsontext.TOKEN.match(text, offset):
        offset = match.end()
        mark = match.group(2)
        if mark in ("{", "["):
            depth += 1
            if depth > MAX_DEPTH:
                return Complaint(f"the text is nested deeper than {MAX_DEPTH} levels", match.start(2))
        elif mark in ("}", "]"):
            depth -= 1
    return Complaint(f"the text is nested deeper than {MAX_DEPTH} levels", start)


def _deeper_than(value: Json, limit: int) -> bool:
    """Tell whether `value` nests deeper than `limit`, level by level, so without recursion."""
    level = [value]
    for _ in range(limit + 1):
        inner: list[Json] = []
        for container in level:
            children = container.values() if isinstance(container, dict) else container
            inner.extend([child for child in children if child.__class__ is dict or child.__class__ is list])
        if not inner:
            return False
        level = inner
    return True


def refuse_hopeless(text: str, name: str | None) -> None:
    """Refuse what no parser should see: far too long, binary, or no text at all."""
    if len(text) > MAX_LENGTH:
        size = f"the text has {len(text) / 2**20:.1f} MiB; a definition may have 1 MiB"
        raise definition_error(
            "", name, Complaint(size, 0, "give large data as input, not as part of the definition"), SHAPE
        )
    if "\0" in text:
        raise definition_error(
            "", name, Complaint("the text is binary, not a definition", 0, "found a NUL character"), SYNTAX
        )
    try:
        text.encode()
    except UnicodeEncodeError as error:
        complaint = Complaint(
            f"found the lone surrogate U+{ord(text[error.start]):04X}", error.start, "the text was decoded wrongly"
        )
        raise definition_error(text.encode("utf-8", "replace").decode(), name, complaint, SYNTAX) from None


def _refuse_surrogate_escapes(text: str) -> None:
    r"""Refuse `\ud800` without its other half: no text holds such a character, so that nothing could store or send it."""
    if "\\" not in text or ("\\ud" not in text and "\\uD" not in text):
        return
    high: re.Match[str] | None = None
    for match in _SURROGATE_ESCAPE.finditer(text):
        code = match.group(1)
        is_low = code is not None and code[1] in "cdefCDEF"
        if high is not None:
            if not (is_low and match.start() == high.end()):
                raise RefusedError(_lone(high))
            high = None
        elif is_low:
            raise RefusedError(_lone(match))
        elif code is not None:
            high = match
    if high is not None:
        raise RefusedError(_lone(high))


def _lone(match: re.Match[str]) -> Complaint:
    return Complaint(f"{match.group()} is one half of a surrogate pair", match.start(), "write the character itself", 6)


def refuse_strange(value: Json, name: str | None) -> None:
    """Refuse a Python value that is no JSON, naming the place; without recursion, and safe from cycles."""
    waiting: list[tuple[str, Json, int]] = [("", value, 0)]
    while waiting:
        pointer, item, depth = waiting.pop()
        problem = _strange(item, depth)
        if problem:
            place = f' at "{pointer}"' if pointer else ""
            raise definition_error("", name, Complaint(problem + place, 0), SYNTAX, pointer)
        if isinstance(item, dict):
            waiting.extend((f"{pointer}/{jsontext.escape(str(key))}", child, depth + 1) for key, child in item.items())
        elif isinstance(item, list | tuple):
            waiting.extend((f"{pointer}/{i}", child, depth + 1) for i, child in enumerate(item))


def _strange(item: Json, depth: int) -> str | None:
    if depth > MAX_DEPTH:
        return f"the value is nested deeper than {MAX_DEPTH} levels"
    if isinstance(item, dict):
        bad = next((key for key in item if not isinstance(key, str)), None)
        return None if bad is None else f"the key {bad!r} is not a string"
    if isinstance(item, float) and not math.isfinite(item):
        return f"{item} is no JSON value"
    if isinstance(item, str) and not item.isascii():
        try:
            item.encode()
        except UnicodeEncodeError:
            return "the string holds a lone surrogate"
    if item is None or isinstance(item, str | int | float | list | tuple):
        return None
    return f"a {type(item).__name__} is no JSON value"


def definition_error(
    text: str, name: str | None, complaint: Complaint, code: str = SYNTAX, pointer: str = ""
) -> DefinitionError:
    """Make the error of a text that cannot be used."""
    line, column = Lines(text).at(complaint.offset) if text else (0, 0)
    diagnostic = Diagnostic(
        code, Severity.ERROR, complaint.message, pointer, line, column, complaint.hint, complaint.length
    )
    return DefinitionError([diagnostic], text or None, name)
