"""Where the cursor is in a definition that is being written, in JSON or YAML.

The text may be broken, as it is while somebody types: a tolerant scan builds a tree of objects and arrays, each with its key in the
object around it, and remembers in which of them the cursor stands, and whether a key or a value is being written there. JSON is read
piece by piece, YAML line by line by its indentation; inline YAML (`{…}`, `[…]`) counts as a scalar. Knows nothing of ASL.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_PIECE = re.compile(r'"(?:[^"\\\n]|\\.)*"?|[{}\[\]:,]|[^\s{}\[\]:,"]+')
_YAML_LINE = re.compile(
    r"(?P<indent> *)(?P<dashes>(?:- *)*)(?:(?P<key>[^\s#:'\"{\[][^:]*?|\"[^\"]*\"|'[^']*') *:(?P<value> .*|$))?(?P<rest>.*)"
)


@dataclass(eq=False, slots=True)
class Node:
    """An object or array of the text; `key` is its key in the object around it."""

    is_array: bool
    parent: Node | None = None
    key: str | None = None
    members: dict[str, str | Node | None] = field(default_factory=dict)
    items: list[str | Node] = field(default_factory=list)

    def text(self, key: str) -> str | None:
        """Give the member with this key where it is text."""
        value = self.members.get(key)
        return value if isinstance(value, str) else None


@dataclass(slots=True)
class Cursor:
    """The place of the cursor.

    Attributes:
        node: the object or array that it is in.
        key: the key whose value is being written; None where a key is.
        fragment: what stands before the cursor of the word that it is in.
        in_string: it is between quotes.
        quote: what goes around a text here.
    """

    node: Node
    key: str | None
    fragment: str
    in_string: bool
    quote: str = '"'


# --- scanning ------------------------------------------------------------------------------------------------------------


class _Scanner:
    def __init__(self, cursor: int) -> None:
        self.cursor = cursor
        self.root: Node | None = None
        self.node: Node | None = None
        self.key: str | None = None
        self.role = "value"
        self.at: Cursor | None = None

    def take(self, piece: str, start: int) -> None:
        here = self.at is None and self._holds_cursor(piece, start)
        if self.at is None and (here or start >= self.cursor) and self.node is not None:
            self._mark(piece[: self.cursor - start] if here else "")
        if piece in "{[":
            self._open(is_array=piece == "[")
        elif piece in "}]":
            self._close()
        elif piece == ":":
            self.role = "value"
        elif piece == ",":
            self.role, self.key = ("value" if self.node and self.node.is_array else "key"), None
        elif not here:
            self._word(piece.strip('"') if piece[0] == '"' else piece, is_text=piece[0] == '"')
        elif self.role == "value":
            self.role = "done"

    def finish(self) -> None:
        if self.at is None and self.node is not None:
            self._mark("")

    def _holds_cursor(self, piece: str, start: int) -> bool:
        end = start + len(piece)
        if piece[0] == '"':
            closed = len(piece) > 1 and piece[-1] == '"'
            return start < self.cursor < end or (not closed and self.cursor == end)
        return piece not in "{}[]:," and start < self.cursor <= end

    def _mark(self, written: str) -> None:
        assert self.node is not None
        in_value = self.node.is_array or self.role == "value"
        in_string = written[:1] == '"'
        self.at = Cursor(self.node, (self.key or "") if in_value else None, written.lstrip('"'), in_string)

    def _open(self, *, is_array: bool) -> None:
        made = Node(is_array, self.node, self.key if self.node and not self.node.is_array else None)
        self._put(made)
        self.root = self.root or made
        self.node, self.key, self.role = made, None, "value" if is_array else "key"

    def _close(self) -> None:
        if self.node is not None:
            self.key = self.node.key
            self.node, self.role = self.node.parent, "done"

    def _word(self, word: str, *, is_text: bool) -> None:
        node = self.node
        if node is None:
            return
        if not node.is_array and is_text and (self.role in ("key", "done")):
            self.key, self.role = word, "colon"
            node.members.setdefault(word, None)
            return
        self._put(word)
        self.role = "done"

    def _put(self, value: str | Node) -> None:
        if self.node is None:
            return
        if self.node.is_array:
            self.node.items.append(value)
        elif self.key is not None:
            self.node.members[self.key] = value


def scan(text: str, cursor: int) -> Cursor | None:
    """Find out where offset `cursor` is; None where that is outside of any object."""
    if not text.lstrip().startswith(("{", "[")):
        return _scan_yaml(text, cursor)
    scanner = _Scanner(cursor)
    for match in _PIECE.finditer(text):
        scanner.take(match.group(), match.start())
    scanner.finish()
    return scanner.at


# --- YAML ----------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Level:
    """An open object or array, the column that its members start at, and the key that waits for its value."""

    indent: int
    node: Node
    key: str | None = None


def _scan_yaml(text: str, cursor: int) -> Cursor | None:
    levels = [_Level(0, Node(is_array=False))]
    at, found, start = None, False, 0
    for line in text.splitlines(keepends=True) or [""]:
        here = start <= cursor < start + len(line) or cursor == start + len(line) == len(text)
        if here and not found:
            at, found = _yaml_cursor(line[: cursor - start], levels), True
        elif line.strip() and not line.lstrip().startswith("#"):
            _yaml_line(line.rstrip(), levels)
        start += len(line)
    return at if found else _yaml_cursor("", levels)


def _yaml_cursor(before: str, levels: list[_Level]) -> Cursor | None:
    if "#" in before or "{" in before:
        return None
    match = _YAML_LINE.fullmatch(before)
    if match is None:
        return None
    level = _enter(match, levels)
    if match["key"] is None:
        word = match["rest"]
        is_key = not level.node.is_array
        return Cursor(level.node, None if is_key else "", word.lstrip("\"'"), word[:1] in ("'", '"'), "")
    level.node.members.setdefault(match["key"].strip("\"'"), None)
    value = match["value"].strip()
    return Cursor(level.node, match["key"].strip("\"'"), value.lstrip("\"'"), value[:1] in ("'", '"'), "")


def _yaml_line(line: str, levels: list[_Level]) -> None:
    match = _YAML_LINE.fullmatch(line)
    if match is None:
        return
    level = _enter(match, levels)
    if match["key"] is None:
        if level.node.is_array:
            level.node.items.append(match["rest"].strip("\"' "))
        return
    key, value = match["key"].strip("\"'"), match["value"].strip()
    level.node.members[key] = value.strip("\"'") if value else None
    level.key = None if value else key


def _enter(match: re.Match[str], levels: list[_Level]) -> _Level:
    """Open and close levels until the one that a line's key or item stands in is on top."""
    indent = len(match["indent"])
    for dash in re.finditer(r"- *", match["dashes"]):
        array = _level_at(indent, levels, is_array=True)
        indent += len(dash.group())
        if match["key"] is None and not match["rest"]:
            return array
        if match["key"] is None:
            return array if not match["rest"].strip() or _is_scalar_item(array) else _push_item(array, indent, levels)
        _push_item(array, indent, levels)
    return _level_at(indent, levels, is_array=False)


def _is_scalar_item(array: _Level) -> bool:
    """Guess what a half-written item will be: text where the items before are, or where the array is one of error names."""
    before = array.node.items
    return isinstance(before[0], str) if before else array.node.key == "ErrorEquals"


def _push_item(array: _Level, indent: int, levels: list[_Level]) -> _Level:
    made = Node(is_array=False, parent=array.node)
    array.node.items.append(made)
    levels.append(_Level(indent, made))
    return levels[-1]


def _level_at(indent: int, levels: list[_Level], *, is_array: bool) -> _Level:
    while len(levels) > 1 and (
        levels[-1].indent > indent
        or (
            levels[-1].indent == indent
            and levels[-1].node.is_array != is_array
            and not _opens(levels[-1], is_array=is_array)
        )
    ):
        levels.pop()
    top = levels[-1]
    if top.node.is_array == is_array and (top.indent == indent or top.key is None):
        return top
    if top.key is not None and not top.node.is_array and (indent > top.indent or is_array):
        made = Node(is_array, top.node, top.key)
        top.node.members[top.key] = made
        top.key = None
        levels.append(_Level(indent, made))
    return levels[-1]


def _opens(level: _Level, *, is_array: bool) -> bool:
    """Say whether an array may start right below a key, at the key's own column."""
    return is_array and not level.node.is_array and level.key is not None
