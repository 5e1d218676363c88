"""A definition's text and value together, and the place of everything in it.

A `Document` is what `asl.source` gives. Its positions are computed when somebody first asks, by one scan of the text; a YAML text
comes with them. Places are asked for by JSON Pointer (RFC 6901). No reading and no rules live here.

A definition may be a part of its text: an object in a template, or a text inside a string of one (`inner`). Pointers then start at
the definition, while lines and columns are those of the whole text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sfn_notebook.asl import jsontext
from sfn_notebook.asl.composed import Composed
from sfn_notebook.asl.jsontext import Complaint, Lines, Offsets, Places, SpanMap
from sfn_notebook.errors import Json, Span

MAX_SINGLE = 60
"""After so many questions for a place the whole text is scanned at once."""
_SPACE = re.compile(r"[\ufeff\s]*")


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A key that stands a second time in the same object; the last one counts."""

    pointer: str
    span: Span


@dataclass(frozen=True, slots=True)
class Document:
    """A definition's text and the plain JSON value in it.

    Attributes:
        text: the source, byte for byte; for a dict its JSON text, indented by 2.
        value: the JSON object.
        format: "json" or "yaml".
        name: what the source is called in messages, such as a file name.
        inner: the definition's own text where it is not the whole source: inside a string, filled in, or without comments.
        partial: the definition is an object inside the source.
        notices: what was put up with in reading; offsets are those of the source.
        filled: names of placeholders that a deployment fills in.
        logical_id: which machine of a template it is.
        workflow_type: STANDARD or EXPRESS where the template says so.
    """

    text: str
    value: dict[str, Json]
    format: str
    name: str | None = None
    _lazy: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    inner: Composed | None = field(default=None, repr=False)
    partial: bool = False
    notices: tuple[Complaint, ...] = ()
    filled: frozenset[str] = frozenset()
    logical_id: str | None = None
    workflow_type: str | None = None

    @property
    def definition_text(self) -> str:
        """Give the text of the definition alone: what would be sent to AWS, but for YAML, which AWS takes as JSON only."""
        if self.partial:
            return json.dumps(self.value, indent=2, ensure_ascii=False)
        return self.inner.text if self.inner is not None else self.text

    @property
    def spans(self) -> Mapping[str, Span]:
        """Where each value stands, by JSON Pointer."""
        return self._maps()[0]

    @property
    def key_spans(self) -> Mapping[str, Span]:
        """Where each key stands, by the JSON Pointer of its value."""
        return self._maps()[1]

    @property
    def duplicates(self) -> tuple[Duplicate, ...]:
        """The keys that are given twice in one object, in the order of the text."""
        if not self._lazy.get("repeated", True):
            return ()
        maps = self._maps()
        return tuple(
            Duplicate(pointer, maps[2].span(*self._outer(*span))) for pointer, span in self._lazy["offsets"].repeated
        )

    def locate(self, pointer: str, *, key: bool = False) -> Span:
        """Give the span of the value (or key) at `pointer`, or of the nearest thing around it that stands in the text."""
        start, end = self._offsets_at(pointer, key=key)
        return self._line_map().span(*self._outer(start, end))

    def locate_inside(self, pointer: str, offset: int) -> Span:
        """Give the place of character `offset` of the string at `pointer`, seen through quotes and escapes."""
        start, end = self._offsets_at(pointer)
        text = self.inner.text if self.inner is not None else self.text
        at = min(start + _raw_offset(text[start:end], offset), max(start, end - 1))
        return self._line_map().span(*self._outer(at, at + 1))

    def _offsets_at(self, pointer: str, *, key: bool = False) -> tuple[int, int]:
        """Find one place: in the scanned text, or by way of the few containers that lead there."""
        offsets: Offsets | None = self._lazy.get("offsets")
        asked = self._lazy["asked"] = self._lazy.get("asked", 0) + 1
        if offsets is None and (asked > MAX_SINGLE or self._lazy.get("repeated", True)):
            self._maps()
            offsets = self._lazy["offsets"]
        if offsets is not None:
            if key and pointer in offsets.keys:
                return offsets.keys[pointer]
            while pointer and pointer not in offsets.values:
                pointer = pointer.rpartition("/")[0]
            return offsets.values[pointer]
        places: Places | None = self._lazy.get("places")
        if places is None:
            text = self.inner.text if self.inner is not None else self.text
            places = self._lazy["places"] = Places(text, start_of(text))
        existing, value = self._existing(pointer)
        found = places.key_at(pointer) if key and existing == pointer else None
        return found or places.value_at(existing, value)

    def _existing(self, pointer: str) -> tuple[str, Json]:
        """Cut a pointer to what there is; give the value there too."""
        value: Json = self.value
        at = 0
        for step in pointer.split("/")[1:]:
            try:
                value = value[int(step)] if isinstance(value, list) else value[jsontext.unescape(step)]
            except (KeyError, IndexError, ValueError, TypeError):
                return pointer[:at], value
            at += len(step) + 1
        return pointer, value

    def place(self, start: int, length: int = 1) -> Span:
        """Give the span of a piece of the source."""
        return self._line_map().span(start, start + length)

    def _line_map(self) -> Lines:
        lines: Lines | None = self._lazy.get("lines")
        if lines is None:
            lines = self._lazy["lines"] = Lines(self.text)
        return lines

    def _outer(self, start: int, end: int) -> tuple[int, int]:
        return self.inner.span(start, end) if self.inner is not None else (start, end)

    def _maps(self) -> tuple[SpanMap, SpanMap, Lines]:
        maps: tuple[SpanMap, SpanMap, Lines] | None = self._lazy.get("maps")
        if maps is None:
            if "offsets" not in self._lazy:
                text = self.inner.text if self.inner is not None else self.text
                self._lazy["offsets"] = jsontext.scan(text, start_of(text))
            offsets: Offsets = self._lazy["offsets"]
            lines = self._line_map()
            move = self.inner.span if self.inner is not None else None
            maps = SpanMap(offsets.values, lines, move), SpanMap(offsets.keys, lines, move), lines
            self._lazy["maps"] = maps
        return maps


def start_of(text: str) -> int:
    """Give the offset of the first character that is neither space nor a byte order mark."""
    match = _SPACE.match(text)
    return match.end() if match else 0


def _raw_offset(raw: str, offset: int) -> int:
    """Translate an offset in a string's value into one in its source spelling."""
    if raw[:1] == '"':
        at = raw.find("\\", 1, 1 + offset)
        if at < 0:
            return 1 + offset
        offset -= at - 1
        for _ in range(offset):
            if raw[at : at + 1] != "\\":
                at += 1
            elif raw[at + 1 : at + 2] != "u":
                at += 2
            else:
                at += 12 if re.match(r"\\u[dD][89abAB]..\\u", raw[at:]) else 6
        return at
    if raw[:1] == "'":
        return 1 + offset
    return offset if "\n" not in raw and raw[:1] not in ("{", "[") else 0


def kind_of(value: Json) -> str:
    """Name the JSON type of `value` for a message."""
    if value is None:
        return "null"
    names: dict[type, str] = {
        bool: "a boolean",
        dict: "an object",
        list: "an array",
        str: "a string",
        int: "a number",
        float: "a number",
    }
    return names.get(type(value), f"a {type(value).__name__}")
