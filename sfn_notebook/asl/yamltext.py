"""YAML text as a JSON value with positions.

Built from the parser's events, not from its object constructors: no recursion, no Python objects, and full say over what a plain
scalar means. Only what JSON can say comes out. Plain scalars follow JSON's own spelling (`null`, `~`, `true`, `false`, numbers), so
timestamps, `on`, `yes` and `010` stay strings. Anchors, aliases and merge keys work, within a bound on what they expand to;
tags, keys that are no strings, several documents and `.nan` are refused with their place. It knows nothing of ASL.
"""

from __future__ import annotations

import math
import re
from typing import Any

from sfn_notebook.asl.jsontext import Complaint, Offsets, drop_dead, escape
from sfn_notebook.errors import Json

MAX_EXPANDED = 200_000
"""How many values a document may hold once its aliases are written out: far above any definition, far below a bomb."""

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_WORDS: dict[str, Json] = {"": None, "~": None, "null": None, "Null": None, "NULL": None,
                           "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}  # fmt: skip
_MERGE = object()
_CORE = "tag:yaml.org,2002:"
_NOTHING = object()


class YamlTextError(Exception):
    """The YAML text cannot be used; `complaint` says why. Callers turn it into a DefinitionError."""

    def __init__(self, complaint: Complaint) -> None:
        self.complaint = complaint
        super().__init__(complaint.message)


def load(text: str, max_depth: int, *, tags: bool = False) -> tuple[Json, Offsets]:
    """Read the one YAML document in `text`; raises YamlTextError.

    With `tags`, those of CloudFormation are read as what they stand for: `!Ref X` as {"Ref": "X"}, `!GetAtt A.B` as
    {"Fn::GetAtt": ["A", "B"]}.
    """
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    builder = _Builder(text, max_depth, tags=tags)
    try:
        for event in yaml.parse(text, Loader=loader):
            builder.take(event)
    except yaml.YAMLError as error:
        raise YamlTextError(_explain(text, error)) from None
    if builder.value is _NOTHING:
        raise YamlTextError(Complaint("Definition must be a valid JSON object", 0, "the text holds only comments"))
    if builder.dead:
        drop_dead(builder.found, builder.dead)
    return builder.value, builder.found


class _Open:
    """A mapping or sequence whose end event has not come yet."""

    __slots__ = (
        "anchor",
        "begin",
        "function",
        "is_map",
        "key",
        "key_span",
        "merges",
        "outer",
        "pointer",
        "size",
        "value",
    )

    def __init__(self, pointer: str, begin: int, anchor: str | None, function: str | None, *, is_map: bool) -> None:
        self.outer = pointer
        self.pointer = f"{pointer}/{function}" if function else pointer
        self.function = function
        self.begin = begin
        self.anchor = anchor
        self.is_map = is_map
        self.value: Json = {} if is_map else []
        self.key: Any = _NOTHING
        self.key_span = (0, 0)
        self.merges: list[Json] = []
        self.size = 1


class _Builder:
    """Takes parser events one by one; `value` and `found` hold what they add up to."""

    def __init__(self, text: str, max_depth: int, *, tags: bool) -> None:
        self.text = text
        self.max_depth = max_depth
        self.tags = tags
        self.value: Json = _NOTHING
        self.found = Offsets()
        self.stack: list[_Open] = []
        self.anchors: dict[str, tuple[Json, int]] = {}
        self.documents = 0
        self.end = 0
        self.dead: list[tuple[int, int]] = []

    def take(self, event: Any) -> None:
        """Act on one event of the parser."""
        kind = type(event).__name__
        if kind in ("MappingStartEvent", "SequenceStartEvent"):
            self._open(event, is_map=kind == "MappingStartEvent")
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            self._close(event)
        elif kind == "ScalarEvent":
            self._scalar(event)
        elif kind == "AliasEvent":
            self._alias(event)
        elif kind == "DocumentStartEvent":
            self.documents += 1
            if self.documents > 1:
                raise _problem("the text holds a second YAML document", event, "one text holds one definition", 3)

    def _open(self, event: Any, *, is_map: bool) -> None:
        self._check_tag(event, "map" if is_map else "seq")
        if len(self.stack) >= self.max_depth:
            raise _problem(f"the text is nested deeper than {self.max_depth} levels", event, None)
        if self.stack and self.stack[-1].is_map and self.stack[-1].key is _NOTHING:
            raise _problem("a key is a mapping or a list, not a string", event, 'quote it if it is text: "{…}"')
        anchor = event.anchor
        if anchor is not None:
            self.anchors.pop(anchor, None)
        self.stack.append(_Open(self._pointer(), event.start_mark.index, anchor, self._function(event), is_map=is_map))

    def _close(self, event: Any) -> None:
        top = self.stack.pop()
        for merged in top.merges:
            top.value = {**merged, **top.value}
        # A block's end mark stands at the next token; the end of its last child is what a reader would call its end.
        flow_end = event.end_mark.index if event.start_mark.index != event.end_mark.index else 0
        end = self.end = max(flow_end, self.end, top.begin)
        self.found.values[top.pointer] = self.found.values[top.outer] = top.begin, end
        value = {top.function: top.value} if top.function else top.value
        self._emit(value, top.size, top.anchor, event)

    def _scalar(self, event: Any) -> None:
        span = (event.start_mark.index, event.end_mark.index)
        top = self.stack[-1] if self.stack else None
        if top is not None and top.is_map and top.key is _NOTHING:
            self._key(top, event, span)
            return
        function = self._function(event)
        if function is not None:
            self._call(function, event, span)
            return
        value = self._resolve(event)
        self.end = max(self.end, span[1])
        self.found.values[self._pointer()] = span
        self._emit(value, 1, event.anchor, event)

    def _function(self, event: Any) -> str | None:
        """Give the intrinsic function that a tag of a template is short for."""
        tag = event.tag
        if not self.tags or tag is None or not tag.startswith("!") or tag == "!":
            return None
        name = tag[1:]
        return name if name in ("Ref", "Condition") else f"Fn::{name}"

    def _call(self, function: str, event: Any, span: tuple[int, int]) -> None:
        """Take a scalar behind a tag, such as `!Sub text`."""
        text = event.value
        start = span[0] + len(event.tag)
        while start < span[1] and self.text[start] in " \t":
            start += 1
        self.end = max(self.end, span[1])
        pointer = self._pointer()
        self.found.values[pointer] = self.found.values[f"{pointer}/{function}"] = start, span[1]
        argument = text.split(".", 1) if function == "Fn::GetAtt" else text
        self._emit({function: argument}, 2, event.anchor, event)

    def _key(self, top: _Open, event: Any, span: tuple[int, int]) -> None:
        key: Any = self._resolve(event)
        if key == "<<" and event.implicit[0]:
            top.key = _MERGE
            return
        if not isinstance(key, str):
            raise _problem(
                f"the key {event.value or '(nothing)'} is not a string",
                event,
                f'quote it: "{event.value}"',
                span[1] - span[0],
            )
        pointer = f"{top.pointer}/{escape(key)}"
        if key in top.value:
            self.found.repeated.append((pointer, span))
            self.dead.append(self.found.values.pop(pointer))
        if event.anchor is not None:
            self.anchors[event.anchor] = key, 1
        self.found.keys[pointer] = span
        self.end = max(self.end, span[1])
        top.key, top.key_span = key, span

    def _alias(self, event: Any) -> None:
        span = (event.start_mark.index, event.end_mark.index)
        if event.anchor not in self.anchors:
            inside = any(frame.anchor == event.anchor for frame in self.stack)
            message = (
                f"the alias *{event.anchor} refers to itself"
                if inside
                else f"no anchor &{event.anchor} stands before this alias"
            )
            raise _problem(message, event, None, span[1] - span[0])
        value, size = self.anchors[event.anchor]
        if self.stack and self.stack[-1].is_map and self.stack[-1].key is _NOTHING:
            raise _problem("a key cannot be an alias", event, "write the key out", span[1] - span[0])
        self.end = max(self.end, span[1])
        self.found.values[self._pointer()] = span
        self._emit(value, size, None, event)

    def _emit(self, value: Json, size: int, anchor: str | None, event: Any) -> None:
        """Put a finished value where it belongs."""
        if anchor is not None:
            self.anchors[anchor] = value, size
        if not self.stack:
            self.value = value
            return
        top = self.stack[-1]
        top.size += size
        if top.size > MAX_EXPANDED:
            raise _problem(
                f"aliases make this text more than {MAX_EXPANDED:,} values long", event, "write less with aliases"
            )
        if not top.is_map:
            top.value.append(value)
            return
        if top.key is _MERGE:
            self._merge(top, value, event)
        else:
            top.value[top.key] = value
        top.key = _NOTHING

    def _merge(self, top: _Open, value: Json, event: Any) -> None:
        sources = value if isinstance(value, list) else [value]
        if not all(isinstance(source, dict) for source in sources):
            raise _problem("a merge key (<<) takes a mapping or a list of mappings", event, None)
        top.merges.extend(sources)

    def _pointer(self) -> str:
        """Give the pointer of the value that comes next."""
        if not self.stack:
            return ""
        top = self.stack[-1]
        if not top.is_map:
            return f"{top.pointer}/{len(top.value)}"
        return f"{top.pointer}/{'<<' if top.key is _MERGE else escape(top.key)}"

    def _check_tag(self, event: Any, *allowed: str) -> None:
        tag = event.tag
        if self._function(event) is not None:
            return
        if tag is None or tag == "!" or (tag.startswith(_CORE) and tag[len(_CORE) :] in allowed):
            return
        shown = "!!" + tag[len(_CORE) :] if tag.startswith(_CORE) else tag
        raise _problem(
            f"the YAML tag {shown} has no meaning in a definition",
            event,
            "tags such as !Sub belong to CloudFormation templates",
            len(shown),
        )

    def _resolve(self, event: Any) -> Json:
        """Give the JSON value of a scalar."""
        self._check_tag(event, "str", "int", "float", "bool", "null")
        text: str = event.value
        if event.tag in ("!", _CORE + "str") or (event.tag is None and not event.implicit[0]):
            return text
        if text in _WORDS:
            return _WORDS[text]
        match = _NUMBER.fullmatch(text)
        if match is None:
            if _NOT_FINITE.fullmatch(text):
                raise _problem(f"{text} is not a JSON number", event, "JSON has neither NaN nor Infinity", len(text))
            return text
        if len(text) > 4000:
            raise _problem("this number has more digits than can be read", event, "quote it if it is text", len(text))
        if match.group(1) is None and match.group(2) is None:
            return int(text)
        number = float(text)
        if not math.isfinite(number):
            raise _problem(f"{text[:40]} is too large for a JSON number", event, None, len(text))
        return number


def _problem(message: str, event: Any, hint: str | None, length: int = 1) -> YamlTextError:
    return YamlTextError(Complaint(message, event.start_mark.index, hint, length))


def _explain(text: str, error: Any) -> Complaint:
    """Say what the YAML parser stumbled over, where, and the likely cause."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        position = getattr(error, "position", 0)
        return Complaint(
            f"the text is no YAML: {getattr(error, 'reason', None) or str(error).splitlines()[0]}", position
        )
    offset = min(mark.index, len(text))
    problem = error.problem or "cannot be read"
    context = f" {error.context}" if getattr(error, "context", None) else ""
    tab = text.rfind("\t", text.rfind("\n", 0, offset) + 1, offset + 1)
    if tab >= 0 and not text[text.rfind("\n", 0, offset) + 1 : tab].strip():
        return Complaint("found a tab where YAML wants spaces", tab, "indent with spaces")
    hint = None
    if "mapping values are not allowed" in problem:
        hint = "check the indentation, and quote text that holds a colon"
    elif "cannot start any token" in problem and offset < len(text):
        hint = f"quote text that starts with {text[offset]}"
    return Complaint(f"the text is no YAML:{context} {problem}".replace(":  ", ": "), offset, hint)
