"""JSON text as a place: where each key and value stands, and what is wrong where the text is not JSON.

The values themselves come from the standard library's parser, written in C. This module only answers the two questions that it
leaves open. `scan` walks the tokens of a text that is known to be JSON, once, without recursion, and notes the offsets of every
key and value under its JSON Pointer. `explain` turns a parser error into what a person would say: the comma is missing, the
brace of line 3 is never closed, these are single quotes. It knows nothing of ASL.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, TypeAlias

from sfn_notebook.errors import Span

TOKEN = re.compile(r'[ \t\n\r]*(?:("(?:[^"\\]|\\.)*")|([\[\]{},:])|([^\s\[\]{},:"]+))', re.DOTALL)
"""A string, a punctuation mark, or anything else: numbers, literals, and rubbish in a broken text."""


def escape(key: str) -> str:
    """Write `key` as one step of a JSON Pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1") if "~" in key or "/" in key else key


def unescape(step: str) -> str:
    """Read one step of a JSON Pointer as the key that it names."""
    return step.replace("~1", "/").replace("~0", "~") if "~" in step else step


FEW_LINES = 20
"""So many lines are counted one by one."""


class Lines:
    """Turn offsets of a text into lines and columns, both from 1; the table of lines is made only for many questions."""

    __slots__ = ("_asked", "_starts", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts: list[int] = []
        self._asked = 0

    def at(self, offset: int) -> tuple[int, int]:
        """Give the line and column of `offset`."""
        if self._starts:
            line = bisect_right(self._starts, offset)
            return line, offset - self._starts[line - 1] + 1
        self._asked += 1
        if self._asked > FEW_LINES:
            lengths = map(len, self._text.split("\n")[:-1])
            self._starts = [total + i for i, total in enumerate(accumulate(lengths, initial=0))]
        return self._text.count("\n", 0, offset) + 1, offset - self._text.rfind("\n", 0, offset)

    def span(self, start: int, end: int) -> Span:
        """Give the span of text[start:end]."""
        line, column = self.at(start)
        if start <= end and self._text.find("\n", start, end) < 0:
            return Span(line, column, line, column + end - start)
        return Span(line, column, *self.at(end))


class SpanMap(Mapping[str, Span]):
    """Spans by JSON Pointer; offsets become lines and columns only when one is asked for."""

    __slots__ = ("_lines", "_move", "_offsets")

    def __init__(
        self,
        offsets: Mapping[str, tuple[int, int]],
        lines: Lines,
        move: Callable[[int, int], tuple[int, int]] | None = None,
    ) -> None:
        self._offsets = offsets
        self._lines = lines
        self._move = move

    def __getitem__(self, pointer: str) -> Span:
        start, end = self._offsets[pointer]
        return self._lines.span(*(self._move(start, end) if self._move is not None else (start, end)))

    def __iter__(self) -> Iterator[str]:
        return iter(self._offsets)

    def __len__(self) -> int:
        return len(self._offsets)

    def offsets(self, pointer: str) -> tuple[int, int] | None:
        """Give start and end of the text at `pointer`, or None."""
        return self._offsets.get(pointer)


@dataclass(frozen=True, slots=True)
class Offsets:
    """What `scan` and its YAML twin find: start and end of each value and key, and the keys that were given twice."""

    values: dict[str, tuple[int, int]] = field(default_factory=dict)
    keys: dict[str, tuple[int, int]] = field(default_factory=dict)
    repeated: list[tuple[str, tuple[int, int]]] = field(default_factory=list)


def scan(text: str, start: int = 0) -> Offsets:
    """Find every key and value of the JSON `text`.

    Where a key is given twice, the last one counts, as it does for the value; the earlier ones' inner positions are dropped.
    """
    found = Offsets()
    stack: list[_Open] = []
    dead: list[tuple[int, int]] = []
    pointer, key_wanted, position = "", False, start
    while match := TOKEN.match(text, position):
        position = match.end()
        begin = match.start(match.lastindex or 0)
        mark = match.group(2)
        if mark == ":":
            key_wanted = False
        elif mark == ",":
            top = stack[-1]
            top.index += 1
            key_wanted = top.is_object
            pointer = top.pointer if key_wanted else f"{top.pointer}/{top.index}"
        elif mark in ("{", "["):
            stack.append(_Open(pointer, begin, is_object=mark == "{"))
            key_wanted = mark == "{"
            pointer = pointer if key_wanted else f"{pointer}/0"
        elif mark in ("}", "]"):
            top = stack.pop()
            found.values[top.pointer] = top.begin, position
            key_wanted = False
        elif key_wanted:
            top = stack[-1]
            key = text[begin + 1 : position - 1]
            if "\\" in key:
                key = json.loads(text[begin:position], strict=False)
            pointer = f"{top.pointer}/{escape(key)}"
            if key in top.names:
                dead.append(found.values.pop(pointer))
                found.repeated.append((pointer, (begin, position)))
            top.names.add(key)
            found.keys[pointer] = begin, position
        else:
            found.values[pointer] = begin, position
    if dead:
        drop_dead(found, dead)
    return found


class Places:
    r"""Finds single keys and values of a JSON text without repeated keys, without reading all that stands before them.

    What the text spells only once, as it does the name of most states, is found by its spelling, and so is what the value there
    spells only once. Other members are read one by one, by the parser in C.

    What is quoted in the text is that string: behind a closing quote there is neither a letter nor `$`, and a quote inside a string
    has a backslash before it. Only `\u` and `\/` could spell it differently; a text that has them is read from the start.
    """

    __slots__ = ("_ends", "_keys", "_known", "_literal", "_scan", "_top", "_unread", "text")

    def __init__(self, text: str, start: int) -> None:
        self.text = text
        self._scan: Callable[[str, int], tuple[Any, int]] = _DECODER.scan_once  # type: ignore[attr-defined]  # typeshed leaves it out
        self._top: Place = (-1, -1, start)
        self._ends = {start: len(text)}
        self._literal = "\\" not in text or ("\\u" not in text and "\\/" not in text)
        self._keys: dict[tuple[str, int], Place | None] = {}
        self._known: dict[str, dict[str, Place]] = {}
        self._unread: dict[str, Iterator[tuple[str, Place]]] = {}

    def key_at(self, pointer: str) -> tuple[int, int] | None:
        """Give start and end of the key at a pointer that exists; None for an item and for the whole."""
        place, at = self._top, 0
        while at < len(pointer):
            place, at = self._nearer(pointer, at, place)
        return place[:2] if place[0] >= 0 else None

    def value_at(self, pointer: str, value: object) -> tuple[int, int]:
        """Give start and end of the value at a pointer, which exists and leads to `value`."""
        place, at = self._top, 0
        while True:
            found = self._only_string(value, place[2]) if isinstance(value, str) else None
            if found is not None:
                return found
            if at == len(pointer):
                return place[2], self._scan(self.text, place[2])[1]
            place, at = self._nearer(pointer, at, place)

    def _nearer(self, pointer: str, at: int, place: Place) -> tuple[Place, int]:
        """Find the innermost key on the way from `at` that the value there has only once, else the next one; tell what leads there."""
        end = len(pointer) if self._literal else 0
        while end > at:
            cut = pointer.rfind("/", 0, end)
            found = self._only_key(pointer[cut + 1 : end], place[2])
            if found is not None:
                return found, end
            end = cut
        end = pointer.find("/", at + 1)
        end = len(pointer) if end < 0 else end
        found = self._member(pointer[:at], place[2], pointer[at + 1 : end])
        return (found, end) if found is not None else (place, len(pointer))

    def _only_string(self, value: str, start: int) -> tuple[int, int] | None:
        """Find a string that stands once in the value at `start`; None where that cannot be told by its spelling."""
        if not self._literal or not _PLAIN.fullmatch(value):
            return None
        text, until, quoted = self.text, self._end_of(start), f'"{value}"'
        at = text.find(quoted, start, until)
        end = at + len(quoted)
        if at < 0 or text[at - 1] == "\\" or text.find(quoted, end, until) >= 0:
            return None
        return at, end

    def _only_key(self, name: str, start: int) -> Place | None:
        """Find a key that stands once in the value at `start`; None where that cannot be told by its spelling."""
        if (name, start) in self._keys:
            return self._keys[name, start]
        found = None
        if _PLAIN.fullmatch(name) and not name.isdecimal() and "~" not in name:
            text, until, quoted = self.text, self._end_of(start), f'"{name}"'
            at = text.find(quoted, start, until)
            while at >= 0:
                end = at + len(quoted)
                colon = _COLON.match(text, end)
                if colon is not None and text[at - 1] != "\\":
                    if found is not None:
                        found = None
                        break
                    found = at, end, colon.end()
                at = text.find(quoted, end, until)
        self._keys[name, start] = found
        return found

    def _end_of(self, start: int) -> int:
        if start not in self._ends:
            self._ends[start] = self._scan(self.text, start)[1]
        return self._ends[start]

    def _member(self, parent: str, start: int, name: str) -> Place | None:
        """Find one member of the object, or item of the array, that starts at `start`; go on reading where the last search ended."""
        if parent not in self._known:
            self._known[parent] = {}
            self._unread[parent] = self._children(start)
        known = self._known[parent]
        if name in known:
            return known[name]
        for other, place in self._unread[parent]:
            known[other] = place
            if other == name:
                return place
        return None

    def _children(self, start: int) -> Iterator[tuple[str, Place]]:
        """Give the members of the object, or the items of the array, that starts at `start`, by escaped key or index."""
        text, scan, index = self.text, self._scan, 0
        is_object = text[start] == "{"
        if not is_object and text[start] != "[":
            return
        position = _AFTER.match(text, start + 1).end()  # type: ignore[union-attr]  # matches the empty text too
        while text[position] not in "}]":
            key_start = key_end = -1
            name = str(index)
            if is_object:
                key_start = position
                key, key_end = scan(text, position)
                name = escape(key)
                position = _AFTER.match(text, key_end).end()  # type: ignore[union-attr]  # as above
            yield name, (key_start, key_end, position)
            index += 1
            position = _AFTER.match(text, scan(text, position)[1]).end()  # type: ignore[union-attr]  # as above


Place: TypeAlias = tuple[int, int, int]
_DECODER = json.JSONDecoder(strict=False)
_PLAIN = re.compile(r'[\w$][^"\\]*')
"""A string that stands in a text as it is."""
_COLON = re.compile(r"[ \t\n\r]*:[ \t\n\r]*")
_AFTER = re.compile(r"[ \t\n\r]*(?:[:,][ \t\n\r]*)?")
"""What stands between a bracket, key or value and what comes next, in a text that is known to be JSON."""


class _Open:
    """An object or array whose end has not been seen yet."""

    __slots__ = ("begin", "index", "is_object", "names", "pointer")

    def __init__(self, pointer: str, begin: int, *, is_object: bool) -> None:
        self.pointer = pointer
        self.begin = begin
        self.is_object = is_object
        self.index = 0
        self.names: set[str] = set()


def drop_dead(found: Offsets, dead: list[tuple[int, int]]) -> None:
    """Drop what was noted inside the values that a later equal key replaced."""
    merged: list[tuple[int, int]] = []
    for begin, end in sorted(dead):
        if not merged or begin >= merged[-1][1]:
            merged.append((begin, end))
    starts = [begin for begin, _ in merged]
    for table in (found.values, found.keys):
        for pointer, (begin, _) in list(table.items()):
            i = bisect_right(starts, begin) - 1
            if i >= 0 and begin < merged[i][1]:
                del table[pointer]


# --- what is wrong with a text that is not JSON ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with a text, at which offset, and what to do about it."""

    message: str
    offset: int
    hint: str | None = None
    length: int = 1


_PYTHON_WORDS = {
    "True": "true",
    "False": "false",
    "None": "null",
    "TRUE": "true",
    "FALSE": "false",
    "NULL": "null",
    "undefined": "null",
}
_NUMBER_START = re.compile(r"[+.]?\d")
_WORD = re.compile(r"[^\s\[\]{},:\"']+")


def explain(text: str, error: json.JSONDecodeError) -> Complaint:
    """Say in a person's words what the JSON parser stumbled over."""
    message, offset = error.msg, error.pos
    if message.startswith("Unterminated string"):
        return Complaint(
            "the string that starts here is never closed", offset, 'close it with "', _to_line_end(text, offset)
        )
    if message.startswith("Invalid control character"):
        return _control_character(text, offset)
    if message.startswith("Invalid \\"):
        hint = 'write \\\\ for a backslash; JSON knows \\" \\\\ \\/ \\b \\f \\n \\r \\t and \\uXXXX'
        return Complaint("this is no escape that JSON knows: " + text[offset : offset + 2], offset, hint, 2)
    before = _Before(text, offset)
    if message.startswith("Illegal trailing comma"):  # Python 3.13 points at the comma itself
        return _trailing_comma(offset)
    found = text[before.next : before.next + 1]
    if not found:
        return before.never_closed(text)
    if before.torn is not None:
        return _torn(text, before.torn)
    if message.startswith("Extra data"):
        return _after_the_end(text, before.next, found)
    return _common_slip(text, before, found) or _misplaced(text, before, found, message)


def _torn(text: str, at: int) -> Complaint:
    """Complain about a word that starts like a JSON value but goes on as none, such as 01 or nullx."""
    match = TOKEN.match(text, at)
    length = match.end() - at if match else 1
    hint = (
        "write it as in 12, -3.5 or 1e6" if text[at] in "-0123456789" else "write it in double quotes if it is a string"
    )
    return Complaint(f"{_shown(text, at)} is no JSON value", at, hint, length)


def _common_slip(text: str, before: _Before, found: str) -> Complaint | None:
    """Recognise what people write when they mean JSON: comments, single quotes, trailing commas, words of other languages."""
    at = before.next
    if found == "#" or text.startswith(("//", "/*"), at):
        return Complaint(
            "JSON has no comments", at, 'move the text to a "Comment" field, or write the definition in YAML'
        )
    if found == "'":
        return Complaint("found a single quote where JSON wants a double one", at, "write \"…\" in place of '…'")
    if found in "“”„‘’":
        return Complaint(f"found the typographic quote {found}", at, 'use the plain double quote "')
    if found in "}]" and before.last == ",":
        return _trailing_comma(before.end - 1)
    if found in "}]" and before.open and found != before.closer:
        line, column = Lines(text).at(before.open[-1])
        opener = text[before.open[-1]]
        return Complaint(f"found {found} where the {opener} of line {line}, column {column} wants {before.closer}", at)
    return None


def _misplaced(text: str, before: _Before, found: str, message: str) -> Complaint:
    at, word = before.next, _WORD.match(text, before.next)
    shown = _shown(text, at)
    length = max(1, len(word.group()) if word else 1)
    if message.startswith("Expecting ','"):
        return _missing_comma(text, before, shown, length)
    if message.startswith("Expecting ':'"):
        return Complaint(f"expected : after the key, found {shown}", at, 'an object is written {"key": value}', length)
    if message.startswith("Expecting property name"):
        if found == ",":
            return Complaint("found a second comma", at, "remove it")
        hint = f'write "{word.group()}"' if word else 'a key is a string in double quotes, as in {"key": value}'
        return Complaint(f"expected a key in double quotes, found {shown}", at, hint, length)
    if word and word.group() in _PYTHON_WORDS:
        return Complaint(f"{word.group()} is no JSON value", at, f"write {_PYTHON_WORDS[word.group()]}", length)
    if _NUMBER_START.match(text, at):
        return Complaint(f"{shown} is no JSON number", at, "write it as in 12, -3.5 or 1e6", length)
    if found == "," and before.last == ",":
        return Complaint("found a second comma", at, "remove it")
    quote = f'write "{word.group()}" if it is a string' if word else None
    return Complaint(f"expected a value, found {shown}", at, quote, length)


def _missing_comma(text: str, before: _Before, shown: str, length: int) -> Complaint:
    line, column = Lines(text).at(before.end)
    if text[before.next] == ":":
        return Complaint(
            f"expected , or {before.closer or '}'} after the value, found :", before.next, "one key has one value"
        )
    if shown[0] in '"{[' or shown[:1].isalnum() or shown[0] == "-":
        return Complaint(
            f"a comma is missing before {shown}", before.next, f"add it at line {line}, column {column}", length
        )
    return Complaint(f"expected , or {before.closer} after the value, found {shown}", before.next, None, length)


def _after_the_end(text: str, at: int, found: str) -> Complaint:
    hint = "one } or ] too many, or closed too early" if found in "}]" else "a definition is one JSON object"
    return Complaint(f"the definition ends before this: found {_shown(text, at)} after it", at, hint)


def _trailing_comma(offset: int) -> Complaint:
    return Complaint("found a trailing comma after the last value", offset, "remove it")


def _control_character(text: str, offset: int) -> Complaint:
    start = offset
    while start > 0 and text[start - 1] not in "\n\r":
        start -= 1
    quote = text.rfind('"', start, offset)
    if text[offset] in "\n\r":
        start = quote if quote >= 0 else offset
        return Complaint(
            "this string is not closed before the end of its line",
            start,
            'close it with ", or write \\n',
            offset - start,
        )
    what = "a tab" if text[offset] == "\t" else f"the control character U+{ord(text[offset]):04X}"
    return Complaint(
        f"found {what} inside a string",
        offset,
        "write \\t" if text[offset] == "\t" else f"write \\u{ord(text[offset]):04x}",
    )


def _shown(text: str, at: int) -> str:
    """Quote the token at `at`, cut to a readable length."""
    match = TOKEN.match(text, at)
    token = match.group().strip() if match else text[at]
    return token if len(token) <= 40 else token[:39] + "…"


def _to_line_end(text: str, offset: int) -> int:
    end = text.find("\n", offset)
    return min(80, (len(text) if end < 0 else end) - offset)


class _Before:
    """The tokens before an offset: the last one, where it ends, where the next one starts, and what is still open."""

    __slots__ = ("closer", "end", "last", "next", "open", "torn")

    def __init__(self, text: str, offset: int) -> None:
        self.open: list[int] = []
        self.torn: int | None = None
        self.last, self.end = "", 0
        position = 0
        while (match := TOKEN.match(text, position)) and match.start(match.lastindex or 0) < offset:
            begin, position = match.start(match.lastindex or 0), match.end()
            if position > offset and match.lastindex == 3:
                self.torn = begin
            self.last, self.end = text[begin:position] if match.lastindex == 2 else "value", position
            if self.last in ("{", "["):
                self.open.append(begin)
            elif self.last in ("}", "]") and self.open:
                self.open.pop()
        gap = re.compile(r"[ \t\n\r]*").match(text, max(offset, self.end))
        self.next = gap.end() if gap else offset
        self.closer = "" if not self.open else "}" if text[self.open[-1]] == "{" else "]"

    def never_closed(self, text: str) -> Complaint:
        """Complain that the text ends too early, and name what is open."""
        if not self.open:
            return Complaint("the text ends where a value was expected", self.end)
        line, column = Lines(text).at(self.open[-1])
        opener = text[self.open[-1]]
        message = f"the text ends, but the {opener} of line {line}, column {column} is never closed"
        return Complaint(message, len(text.rstrip()), f"add {self.closer}")
