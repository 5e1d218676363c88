"""The source text of a definition: its value, its format, and the place of every key and value in it.

`parse` takes text, `read` also takes a dict or a path. Both give a `Document`, or raise a `DefinitionError` with one diagnostic
that says where the text breaks, what was expected, and what to do. The text is kept byte for byte.

A text that starts with `{` or `[` is JSON and nothing else: AWS accepts only JSON there, and YAML's flow style would read a comma
too many or single quotes without a word. Any other text is YAML. Values come from the fast parsers; positions are computed when
somebody first asks. This module knows nothing of states: see `asl.check`.
"""

from __future__ import annotations

import difflib
import json
import math
import os
import re
from pathlib import Path
from typing import Any

from sfn_notebook.asl import jsontext, yamltext
from sfn_notebook.asl.document import Document, kind_of, start_of
from sfn_notebook.asl.jsontext import Complaint, Lines, Offsets
from sfn_notebook.errors import CommandError, DefinitionError, Diagnostic, Json, Severity

__all__ = ["MAX_DEPTH", "MAX_LENGTH", "Document", "from_value", "parse", "read"]

MAX_LENGTH = 4 * 1024 * 1024
"""Longer texts are refused unread. AWS takes 1 MiB, which `asl.check` reports; this bound only keeps a wrong file from hanging."""

MAX_DEPTH = 200
"""Levels of nesting. A Map inside a Map costs five, so that this is far beyond anything readable."""

SYNTAX = "INVALID_JSON_DESCRIPTION"
SHAPE = "SCHEMA_VALIDATION_FAILED"
NOT_AN_OBJECT = "Definition must be a valid JSON object"
SUFFIXES = (".json", ".yaml", ".yml", ".asl")

_SURROGATE_ESCAPE = re.compile(r"\\(?:u([dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL)


def parse(text: str, *, name: str | None = None) -> Document:
    """Read the JSON or YAML text of a definition.

    Args:
        text: the whole text; a byte order mark is tolerated.
        name: what to call the source in messages.

    Raises:
        DefinitionError: the text is no JSON object; its one diagnostic says why and where.
    """
    _refuse_hopeless(text, name)
    start = start_of(text)
    if start == len(text):
        raise _error(text, name, Complaint(NOT_AN_OBJECT, 0, "the text is empty"), SHAPE)
    is_json = text[start] in "{["
    lazy: dict[str, Any] = {}
    try:
        value = _load_json(text, start, lazy) if is_json else _load_yaml(text, lazy)
    except _RefusedError as refused:
        raise _error(text, name, _undecoded(text) or refused.complaint, refused.code) from None
    if not isinstance(value, dict):
        hint = f'found {kind_of(value)}; a definition starts as in {{"StartAt": …, "States": {{…}}}}'
        raise _error(text, name, Complaint(NOT_AN_OBJECT, start, hint), SHAPE)
    return Document(text, value, "json" if is_json else "yaml", name, lazy)


def from_value(value: Json, *, name: str | None = None) -> Document:
    """Make a document of a definition that is a dict already; its text is the dict as JSON, indented by 2.

    Raises:
        DefinitionError: the value is no dict, or holds something that JSON cannot say.
    """
    _refuse_strange(value, name)
    if not isinstance(value, dict):
        raise _error("", name, Complaint(NOT_AN_OBJECT, 0, f"found {kind_of(value)}"), SHAPE)
    text = json.dumps(value, indent=2, ensure_ascii=False)
    _refuse_hopeless(text, name)
    return Document(text, json.loads(text), "json", name, {"repeated": False})


def read(source: Json | os.PathLike[str], *, name: str | None = None) -> Document:
    """Read a definition from a dict, a path, or JSON or YAML text.

    A string of one line that names a file, or ends as definition files do, is a path; anything else is text.

    Raises:
        DefinitionError: the file or text is no definition.
        CommandError: the source is something that cannot be read from yet, such as an ARN.
    """
    if isinstance(source, os.PathLike):
        return _read_file(Path(source), name)
    if isinstance(source, bytes | bytearray):
        return parse(_decode(bytes(source), name), name=name)
    if not isinstance(source, str):
        return from_value(source, name=name)
    if "\n" not in source and "\r" not in source:
        line = source.strip()
        if line.startswith("arn:"):
            return _read_arn(line)
        if _names_a_file(line):
            return _read_file(Path(line), name)
    return parse(source, name=name)


# --- reading -------------------------------------------------------------------------------------------------------------


class _RefusedError(Exception):
    def __init__(self, complaint: Complaint, code: str = SYNTAX) -> None:
        self.complaint = complaint
        self.code = code
        super().__init__(complaint.message)


def _load_json(text: str, start: int, lazy: dict[str, Any]) -> Json:
    repeated: list[bool] = []

    def pairs(items: list[tuple[str, Json]]) -> dict[str, Json]:
        made = dict(items)
        if len(made) != len(items):
            repeated.append(True)
        return made

    body = text[start:] if start else text
    try:
        value = json.loads(body, object_pairs_hook=pairs, parse_constant=_no_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        shifted = json.JSONDecodeError(error.msg, text, error.pos + start)
        raise _RefusedError(jsontext.explain(text, shifted)) from None
    except RecursionError:
        raise _RefusedError(_too_deep(text, start)) from None
    except _NotFiniteError as error:
        raise _RefusedError(_find_number(text, start, error.spelling)) from None
    except ValueError:  # an integer beyond the interpreter's limit on digits
        found = re.compile(r"\d{4000,}").search(text, start)
        raise _RefusedError(
            Complaint("this number has more digits than can be read", found.start() if found else start)
        ) from None
    if _deeper_than(value, MAX_DEPTH):
        raise _RefusedError(_too_deep(text, start))
    _refuse_surrogate_escapes(text)
    lazy["repeated"] = bool(repeated)
    return value


def _load_yaml(text: str, lazy: dict[str, Any]) -> Json:
    body = text.lstrip("\ufeff")
    shift = len(text) - len(body)
    try:
        value, offsets = yamltext.load(body, MAX_DEPTH)
    except yamltext.YamlTextError as problem:
        found = problem.complaint
        code = SHAPE if found.message == NOT_AN_OBJECT else SYNTAX
        raise _RefusedError(Complaint(found.message, found.offset + shift, found.hint, found.length), code) from None
    if "*" in text and _deeper_than(value, MAX_DEPTH):
        raise _RefusedError(Complaint(f"aliases nest this text deeper than {MAX_DEPTH} levels", shift))
    lazy["offsets"] = offsets if not shift else _shifted(offsets, shift)
    lazy["repeated"] = bool(offsets.repeated)
    return value


def _undecoded(text: str) -> Complaint | None:
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


def _refuse_hopeless(text: str, name: str | None) -> None:
    """Refuse what no parser should see: far too long, binary, or no text at all."""
    if len(text) > MAX_LENGTH:
        size = f"the text has {len(text) / 2**20:.1f} MiB; a definition may have 1 MiB"
        raise _error("", name, Complaint(size, 0, "give large data as input, not as part of the definition"), SHAPE)
    if "\0" in text:
        raise _error("", name, Complaint("the text is binary, not a definition", 0, "found a NUL character"), SYNTAX)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        complaint = Complaint(
            f"found the lone surrogate U+{ord(text[error.start]):04X}", error.start, "the text was decoded wrongly"
        )
        raise _error(text.encode("utf-8", "replace").decode(), name, complaint, SYNTAX) from None


def _refuse_surrogate_escapes(text: str) -> None:
    r"""Refuse `\ud800` without its other half: no text holds such a character, so that nothing could store or send it."""
    if "\\ud" not in text and "\\uD" not in text:
        return
    high: re.Match[str] | None = None
    for match in _SURROGATE_ESCAPE.finditer(text):
        code = match.group(1)
        is_low = code is not None and code[1] in "cdefCDEF"
        if high is not None:
            if not (is_low and match.start() == high.end()):
                raise _RefusedError(_lone(high))
            high = None
        elif is_low:
            raise _RefusedError(_lone(match))
        elif code is not None:
            high = match
    if high is not None:
        raise _RefusedError(_lone(high))


def _lone(match: re.Match[str]) -> Complaint:
    return Complaint(f"{match.group()} is one half of a surrogate pair", match.start(), "write the character itself", 6)


def _refuse_strange(value: Json, name: str | None) -> None:
    """Refuse a Python value that is no JSON, naming the place; without recursion, and safe from cycles."""
    waiting: list[tuple[str, Json, int]] = [("", value, 0)]
    while waiting:
        pointer, item, depth = waiting.pop()
        problem = _strange(item, depth)
        if problem:
            place = f' at "{pointer}"' if pointer else ""
            raise _error("", name, Complaint(problem + place, 0), SYNTAX, pointer)
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


# --- files ---------------------------------------------------------------------------------------------------------------


def _names_a_file(line: str) -> bool:
    if not line or line[0] in "{[" or len(line) > 1000 or "\0" in line:
        return False
    if line.lower().endswith(SUFFIXES):
        return True
    try:
        return Path(line).expanduser().exists()
    except (OSError, ValueError, RuntimeError):
        return False


def _read_arn(arn: str) -> Document:
    """The single place that will learn to fetch a definition from AWS."""
    raise CommandError(f"loading a definition from AWS is not supported yet: {arn}")


def _read_file(path: Path, name: str | None) -> Document:
    shown = name or str(path)
    try:
        path = path.expanduser()
        if path.is_dir():
            raise _error(
                "", None, Complaint(f"{path} is a directory, not a definition", 0, _inside(path)), "FILE_NOT_READABLE"
            )
        size = path.stat().st_size
        if size > 4 * MAX_LENGTH:
            _refuse_hopeless_size(size, shown)
        data = path.read_bytes()
    except FileNotFoundError:
        raise _error("", None, Complaint(f"there is no file {path}", 0, _near(path)), "FILE_NOT_FOUND") from None
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _error("", None, Complaint(f"cannot read {path}: {reason}", 0), "FILE_NOT_READABLE") from None
    return parse(_decode(data, shown), name=shown)


def _refuse_hopeless_size(size: int, name: str) -> None:
    complaint = Complaint(f"the file has {size / 2**20:.1f} MiB; a definition may have 1 MiB", 0)
    raise _error("", name, complaint, SHAPE)


def _decode(data: bytes, name: str | None) -> str:
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        if b"\0" in data[:8192]:
            raise _error("", name, Complaint("the file is binary, not a definition", 0), SYNTAX) from None
        good = data[: error.start].decode(encoding, "replace")
        text = data.decode(encoding, "replace")
        complaint = Complaint(
            f"the byte 0x{data[error.start]:02X} is no {encoding.upper()}", len(good), "save the file as UTF-8"
        )
        raise _error(text, name, complaint, SYNTAX) from None


def _near(path: Path) -> str | None:
    folder = path.parent
    if not folder.is_dir():
        return f"there is no folder {folder} either"
    names = _names(folder)
    close = difflib.get_close_matches(path.name, names, n=3, cutoff=0.6)
    if close:
        return "did you mean " + " or ".join(str(folder / name) for name in close) + "?"
    return _inside(folder)


def _names(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in folder.iterdir())
    except OSError:
        return []


def _inside(folder: Path) -> str | None:
    names = [name for name in _names(folder) if name.lower().endswith(SUFFIXES)]
    return f"{folder} holds {', '.join(names[:5])}" if names else f"{folder} holds no .json, .yaml, .yml or .asl file"


# --- small things --------------------------------------------------------------------------------------------------------


def _error(text: str, name: str | None, complaint: Complaint, code: str, pointer: str = "") -> DefinitionError:
    line, column = Lines(text).at(complaint.offset) if text else (0, 0)
    diagnostic = Diagnostic(
        code, Severity.ERROR, complaint.message, pointer, line, column, complaint.hint, complaint.length
    )
    return DefinitionError([diagnostic], text or None, name)
