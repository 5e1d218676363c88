"""What may stand at the cursor in a definition that is being written: field names, state names, allowed values.

Pure text in, proposals out; nothing of IPython. The JSON may be broken, as it is while somebody types: a tolerant scan builds a tree of
objects and arrays and remembers where in it the cursor is. What an object is (a Task, a Retrier, a branch …) follows from its place
and its Type, and what may stand in it from the field table. Definitions in YAML get no proposals.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from sfn_notebook.asl.fields import JSONPATH, STATE_TYPES, Field, fields_of, language_of
from sfn_notebook.asl.integrations import INTEGRATIONS

ERROR_NAMES: Final = (
    "States.ALL", "States.TaskFailed", "States.Timeout", "States.HeartbeatTimeout", "States.Permissions", "States.Runtime",
    "States.DataLimitExceeded", "States.BranchFailed", "States.NoChoiceMatched", "States.IntrinsicFailure",
    "States.ParameterPathFailure", "States.ResultPathMatchFailure", "States.QueryEvaluationError", "States.ItemReaderFailed",
    "States.ResultWriterFailed", "States.ExceedToleratedFailureThreshold",
)  # fmt: skip

_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"?|[{}\[\]:,]|[^\s{}\[\]:,"]+')
_TARGETS = ("Next", "Default", "StartAt")


@dataclass(frozen=True, slots=True)
class Proposal:
    """One thing that may stand at the cursor: its text, with quotes where the cursor is outside of any, and a word on it."""

    text: str
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Proposals:
    """What may stand at the cursor in place of `fragment`, which stands before it already."""

    fragment: str = ""
    items: tuple[Proposal, ...] = ()


@dataclass(eq=False, slots=True)
class _Node:
    """An object or array of the text; `key` is its key in the object around it."""

    is_array: bool
    parent: _Node | None = None
    key: str | None = None
    members: dict[str, str | _Node | None] = field(default_factory=dict)
    items: list[str | _Node] = field(default_factory=list)

    def text(self, key: str) -> str | None:
        value = self.members.get(key)
        return value if isinstance(value, str) else None


@dataclass(slots=True)
class _Cursor:
    node: _Node
    key: str | None
    """The key whose value is being written; None where a key is."""
    fragment: str
    in_string: bool


def propose(text: str, cursor: int) -> Proposals:
    """Say what may stand at offset `cursor` of a definition's text."""
    root, at = _scan(text, cursor)
    if root is None or at is None:
        return Proposals()
    found = _values(at) if at.node.is_array or at.key is not None else _keys(at)
    wanted = at.fragment.casefold()
    quote = "" if at.in_string else '"'
    items = []
    for proposal in found:
        bare = proposal.text in ("true", "false")
        if proposal.text.casefold().startswith(wanted) and not (bare and at.in_string):
            items.append(Proposal(proposal.text if bare else f"{quote}{proposal.text}{quote}", proposal.doc))
    return Proposals(at.fragment, tuple(items))


# --- scanning ------------------------------------------------------------------------------------------------------------


class _Scanner:
    def __init__(self, cursor: int) -> None:
        self.cursor = cursor
        self.root: _Node | None = None
        self.node: _Node | None = None
        self.key: str | None = None
        self.role = "value"
        self.at: _Cursor | None = None

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
        self.at = _Cursor(self.node, (self.key or "") if in_value else None, written.lstrip('"'), in_string)

    def _open(self, *, is_array: bool) -> None:
        made = _Node(is_array, self.node, self.key if self.node and not self.node.is_array else None)
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

    def _put(self, value: str | _Node) -> None:
        if self.node is None:
            return
        if self.node.is_array:
            self.node.items.append(value)
        elif self.key is not None:
            self.node.members[self.key] = value


def _scan(text: str, cursor: int) -> tuple[_Node | None, _Cursor | None]:
    scanner = _Scanner(cursor)
    for match in _TOKEN.finditer(text):
        scanner.take(match.group(), match.start())
    scanner.finish()
    return scanner.root, scanner.at


# --- what a node is ------------------------------------------------------------------------------------------------------


def _kind(node: _Node | None) -> str:
    """Name the object kind of a node as the field table does; "" where it is none, "States" for a map of states."""
    if node is None:
        return ""
    if node.parent is None:
        return "" if node.is_array else "StateMachine"
    owner, key = node.parent, node.key
    if owner.is_array:
        owner, key = owner.parent or owner, owner.key
    if key == "States" and not node.parent.is_array:
        return "States"
    kind = _kind(owner)
    if kind == "States":
        type_ = node.text("Type")
        return type_ if type_ in STATE_TYPES else "State"
    found = _fields(kind, _language(owner)).get(key or "")
    return found.shape or "" if found else ""


def _fields(kind: str, language: str) -> Mapping[str, Field]:
    if kind != "State":
        return fields_of(kind, language)
    merged = dict[str, Field]()
    for type_ in STATE_TYPES:
        merged = {**fields_of(type_, language), **merged}
    return merged


def _language(node: _Node | None) -> str:
    """Give the query language that holds at a node: that of the state around it, else that of the machine."""
    while node is not None:
        said = node.text("QueryLanguage")
        if said is not None:
            return language_of({"QueryLanguage": said})
        node = node.parent
    return JSONPATH


# --- proposals -----------------------------------------------------------------------------------------------------------


def _keys(at: _Cursor) -> Iterator[Proposal]:
    kind = _kind(at.node)
    if kind == "States":
        yield from (Proposal(name, "a state that is referred to but missing") for name in _missing(at.node))
        return
    for name, found in _fields(kind, _language(at.node)).items():
        if name not in at.node.members:
            yield Proposal(name, found.doc)


def _values(at: _Cursor) -> Iterator[Proposal]:
    owner, key = (at.node.parent, at.node.key) if at.node.is_array else (at.node, at.key)
    if key == "ErrorEquals":
        yield from (Proposal(name, "error name") for name in ERROR_NAMES)
        return
    if owner is None or at.node.is_array:
        return
    found = _fields(_kind(owner), _language(owner)).get(key or "")
    if found is None:
        return
    if found.kind == "state":
        yield from (Proposal(name, "state") for name in _state_names(owner, key or ""))
    elif found.kind == "boolean":
        yield from (Proposal("true"), Proposal("false"))
    elif key == "Resource":
        yield from (Proposal(arn, "service integration") for arn in _resources())
    yield from (Proposal(value) for value in found.values)


def _resources() -> Iterator[str]:
    for service, actions in INTEGRATIONS.items():
        yield from (f"arn:aws:states:::{service}:{action}" for action in actions)
    yield "arn:aws:states:::aws-sdk:"


def _state_names(node: _Node, key: str) -> list[str]:
    """Give the states that a transition from here may lead to: its scope's, without the state itself."""
    if key == "StartAt":
        states = node.members.get("States")
        return list(states.members) if isinstance(states, _Node) else []
    inner: _Node | None = node
    while inner is not None and _kind(inner.parent) != "States":
        inner = inner.parent
    if inner is None or inner.parent is None:
        return []
    own = {inner.key} if inner is node else set()
    return [name for name in inner.parent.members if name not in own]


def _missing(states: _Node) -> list[str]:
    """Give the states of a scope that something leads to and nothing defines."""
    wanted = dict[str, None]()
    if states.parent is not None:
        wanted[states.parent.text("StartAt") or ""] = None
    for state in states.members.values():
        if isinstance(state, _Node):
            wanted.update(dict.fromkeys(_targets(state)))
    return [name for name in wanted if name and name not in states.members]


def _targets(node: _Node) -> Iterator[str]:
    yield from (found for key in _TARGETS if (found := node.text(key)) is not None)
    for key, value in node.members.items():
        if key in ("Catch", "Choices") and isinstance(value, _Node):
            yield from (found for item in value.items if isinstance(item, _Node) if (found := item.text("Next")))
