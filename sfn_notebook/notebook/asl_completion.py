"""What may stand at the cursor in a definition that is being written: field names, state names, allowed values.

Pure text in, proposals out; nothing of IPython. `asl_cursor` finds the place of the cursor in a tree of objects and arrays; what an
object is (a Task, a Retrier, a branch …) follows from its place and its Type, and what may stand in it from the field table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sfn_notebook.asl.fields import JSONPATH, STATE_TYPES, Field, fields_of, language_of
from sfn_notebook.asl.integrations import INTEGRATIONS
from sfn_notebook.notebook.asl_cursor import Cursor, Node, scan

ERROR_NAMES: Final = (
    "States.ALL", "States.TaskFailed", "States.Timeout", "States.HeartbeatTimeout", "States.Permissions", "States.Runtime",
    "States.DataLimitExceeded", "States.BranchFailed", "States.NoChoiceMatched", "States.IntrinsicFailure",
    "States.ParameterPathFailure", "States.ResultPathMatchFailure", "States.QueryEvaluationError", "States.ItemReaderFailed",
    "States.ResultWriterFailed", "States.ExceedToleratedFailureThreshold",
)  # fmt: skip

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


def propose(text: str, cursor: int) -> Proposals:
    """Say what may stand at offset `cursor` of a definition's text."""
    at = scan(text, cursor)
    if at is None:
        return Proposals()
    found = _values(at) if at.node.is_array or at.key is not None else _keys(at)
    wanted = at.fragment.casefold()
    quote = "" if at.in_string else at.quote
    items = []
    for proposal in found:
        bare = proposal.text in ("true", "false")
        if proposal.text.casefold().startswith(wanted) and not (bare and at.in_string):
            items.append(Proposal(proposal.text if bare else f"{quote}{proposal.text}{quote}", proposal.doc))
    return Proposals(at.fragment, tuple(items))


# --- what a node is ------------------------------------------------------------------------------------------------------


def _kind(node: Node | None) -> str:
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


def _language(node: Node | None) -> str:
    """Give the query language that holds at a node: that of the state around it, else that of the machine."""
    while node is not None:
        said = node.text("QueryLanguage")
        if said is not None:
            return language_of({"QueryLanguage": said})
        node = node.parent
    return JSONPATH


# --- proposals -----------------------------------------------------------------------------------------------------------


def _keys(at: Cursor) -> Iterator[Proposal]:
    kind = _kind(at.node)
    if kind == "States":
        yield from (Proposal(name, "a state that is referred to but missing") for name in _missing(at.node))
        return
    for name, found in _fields(kind, _language(at.node)).items():
        if name not in at.node.members:
            yield Proposal(name, found.doc)


def _values(at: Cursor) -> Iterator[Proposal]:
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


def _state_names(node: Node, key: str) -> list[str]:
    """Give the states that a transition from here may lead to: its scope's, without the state itself."""
    if key == "StartAt":
        states = node.members.get("States")
        return list(states.members) if isinstance(states, Node) else []
    inner: Node | None = node
    while inner is not None and _kind(inner.parent) != "States":
        inner = inner.parent
    if inner is None or inner.parent is None:
        return []
    own = {inner.key} if inner is node else set()
    return [name for name in inner.parent.members if name not in own]


def _missing(states: Node) -> list[str]:
    """Give the states of a scope that something leads to and nothing defines."""
    wanted = dict[str, None]()
    if states.parent is not None:
        wanted[states.parent.text("StartAt") or ""] = None
    for state in states.members.values():
        if isinstance(state, Node):
            wanted.update(dict.fromkeys(_targets(state)))
    return [name for name in wanted if name and name not in states.members]


def _targets(node: Node) -> Iterator[str]:
    yield from (found for key in _TARGETS if (found := node.text(key)) is not None)
    for key, value in node.members.items():
        if key in ("Catch", "Choices") and isinstance(value, Node):
            yield from (found for item in value.items if isinstance(item, Node) if (found := item.text("Next")))
