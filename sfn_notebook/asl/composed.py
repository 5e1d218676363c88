"""A text made of another one: definitions that stand inside strings of a template, or with their placeholders filled in.

A `Composed` text remembers for each of its characters where that stands in the source, so that what is wrong in the inner text is
shown in the outer one: in the CloudFormation template, behind its escapes and indentation, or at the placeholder whose value it is.
Texts are aligned character by character, once, when they are read. It knows neither JSON nor templates, only quotes and escapes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_LONGEST_ESCAPE = 12


@dataclass(frozen=True, slots=True)
class Composed:
    """A text and, for each character and its end, the offset in the source."""

    text: str
    offsets: Sequence[int]

    def at(self, offset: int) -> int:
        """Give the source offset of a character."""
        return self.offsets[max(0, min(offset, len(self.text)))]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Give start and end in the source of text[start:end]."""
        first = self.at(start)
        if end <= start:
            return first, first
        last, behind = self.at(end - 1), self.at(end)
        return first, max(first + 1, behind if last < behind <= last + _LONGEST_ESCAPE else last + 1)


def whole(text: str) -> Composed:
    """Take a text as it is."""
    return Composed(text, range(len(text) + 1))


def constant(text: str, offset: int) -> Composed:
    """Take a text that all stands for one place of the source."""
    return Composed(text, [offset] * (len(text) + 1))


def joined(parts: Iterable[Composed]) -> Composed:
    """Put texts one behind the other."""
    texts: list[str] = []
    offsets: list[int] = []
    last = 0
    for part in parts:
        texts.append(part.text)
        offsets.extend(part.offsets[: len(part.text)])
        last = part.offsets[len(part.text)]
    offsets.append(last)
    return Composed("".join(texts), offsets)


def aligned(value: str, source: str, start: int, end: int) -> Composed:
    r"""Find each character of the string `value` in its spelling source[start:end]: quoted, plain, or a YAML block.

    >>> aligned('a"b', r'"a\\"b"', 0, 6).offsets
    [1, 2, 4, 5]
    """
    quote = source[start : start + 1]
    at = start
    if quote in ("|", ">"):
        at = source.find("\n", start, end) + 1 or end
    elif quote in ("'", '"'):
        at += 1
    escapes = quote == '"'
    offsets: list[int] = []
    for character in value:
        at = _skipped(character, source, at, end, escapes=escapes)
        offsets.append(min(at, max(start, end - 1)))
        at += _width(source, at) if escapes and source[at : at + 1] == "\\" else 1
        if character in " \n" and source[at - 1 : at] in "\r\n":
            at = _indented(source, at, end, quote)
    offsets.append(min(at, end))
    return Composed(value, offsets)


def _skipped(character: str, source: str, at: int, end: int, *, escapes: bool) -> int:
    """Step over what the spelling has and the value has not: indentation, line ends, the second of two quotes."""
    while at < end and source[at] != character:
        if escapes and source[at] == "\\":
            if source[at + 1 : at + 2] != "\n":
                return at
            at += 1
        elif source[at] in "\r\n" and character in " \n":
            return at
        at += 1
    return at


def _indented(source: str, at: int, end: int, quote: str) -> int:
    """Step over the indentation of a line of a quoted or plain scalar, where it is no part of the value."""
    if quote in ("|", ">"):
        return at
    while at < end and source[at] in " \t":
        at += 1
    return at


_WIDTHS = {"u": 6, "U": 10, "x": 4}


def _width(source: str, at: int) -> int:
    """Give how long the escape at `at` is; a surrogate pair is one."""
    kind = source[at + 1 : at + 2]
    if kind == "u" and source[at + 2 : at + 4].lower() in ("d8", "d9", "da", "db") and source[at + 6 : at + 8] == "\\u":
        return 12
    return _WIDTHS.get(kind, 2)


def filled(inner: Composed, pieces: Iterable[tuple[int, int, str]]) -> Composed:
    """Replace pieces of a text, given as (start, end, new text) from left to right."""
    parts: list[Composed] = []
    done = 0
    for start, end, text in pieces:
        parts.append(Composed(inner.text[done:start], inner.offsets[done : start + 1]))
        parts.append(constant(text, inner.offsets[start]))
        done = end
    parts.append(Composed(inner.text[done:], inner.offsets[done:]))
    return joined(parts)
