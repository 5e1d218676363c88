"""A definition as nodes, edges and scopes, ready to draw.

Owns the reading of a definition for pictures: every state becomes a node, every way out of it an edge, every list of states a
scope. It never raises on a half-broken definition: what cannot be followed is left out or marked missing. Colours, shapes and
formats are decided elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sfn_notebook.errors import Json
from sfn_notebook.render.labels import expression

DEEPEST = 60
"""Scopes nested deeper than this are not drawn; nobody reads them, and drawing must not run out of stack."""


@dataclass(slots=True)
class Scope:
    """One list of states: the machine's own, a branch of a Parallel, the processor of a Map."""

    pointer: str
    start: str | None
    nodes: list[Node] = field(default_factory=list)
    missing: list[Node] = field(default_factory=list)


@dataclass(slots=True)
class Node:
    """One state. `key` is its JSON pointer, unique; a missing state has the type "missing"."""

    key: str
    name: str
    type: str
    state: Json
    scopes: list[Scope] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    ends: bool = False


@dataclass(slots=True)
class Edge:
    """One way out of a state: kind is "next", "choice", "default" or "catch"; `target` is the key of a node."""

    source: str
    target: str
    kind: str
    index: int = 0
    condition: str = ""
    errors: tuple[str, ...] = ()


def read(definition: Json) -> Scope:
    """Read the top scope of a definition."""
    return _scope(definition, "", 0)


def _scope(holder: Json, pointer: str, depth: int) -> Scope:
    states = holder.get("States") if isinstance(holder, dict) else None
    states = states if isinstance(states, dict) else {}
    keys = {name: f"{pointer}/States/{escape_pointer(name)}" for name in states}
    scope = Scope(pointer, None)
    for name, state in states.items():
        scope.nodes.append(_node(name, state if isinstance(state, dict) else {}, keys, scope, depth))
    start = holder.get("StartAt") if isinstance(holder, dict) else None
    scope.start = _key(start, keys, scope) if start is not None or states else None
    return scope


def escape_pointer(name: str) -> str:
    """Escape one step of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")


def _key(target: Json, keys: dict[str, str], scope: Scope) -> str:
    """Find the key of the state that `target` names, making a missing node where there is none."""
    if isinstance(target, str) and target in keys:
        return keys[target]
    name = target if isinstance(target, str) else f"{target!r}"
    key = f"{scope.pointer}/missing/{escape_pointer(name)}"
    if all(node.key != key for node in scope.missing):
        scope.missing.append(Node(key, name, "missing", {}))
    return key


def _node(name: str, state: dict[str, Json], keys: dict[str, str], scope: Scope, depth: int) -> Node:
    kind = state.get("Type")
    node = Node(keys[name], name, kind if isinstance(kind, str) else "unknown", state)
    node.scopes = [_scope(inner, pointer, depth + 1) for pointer, inner in _inner(state, node.key)] if depth < DEEPEST else []
    for index, rule in enumerate(_rules(state, "Choices")):
        if "Next" in rule:
            node.edges.append(Edge(node.key, _key(rule["Next"], keys, scope), "choice", index, summarise(rule)))
    if "Default" in state:
        node.edges.append(Edge(node.key, _key(state["Default"], keys, scope), "default"))
    if "Next" in state:
        node.edges.append(Edge(node.key, _key(state["Next"], keys, scope), "next"))
    for index, rule in enumerate(_rules(state, "Catch")):
        if "Next" in rule:
            errors = rule.get("ErrorEquals")
            names = tuple(str(error) for error in errors) if isinstance(errors, list) else ()
            node.edges.append(Edge(node.key, _key(rule["Next"], keys, scope), "catch", index, errors=names))
    node.ends = node.type == "Succeed" or state.get("End") is True
    return node


def _inner(state: dict[str, Json], pointer: str) -> list[tuple[str, Json]]:
    branches = state.get("Branches")
    found = [(f"{pointer}/Branches/{i}", branch) for i, branch in enumerate(branches)] if isinstance(branches, list) else []
    return found + [(f"{pointer}/{key}", state[key]) for key in ("ItemProcessor", "Iterator") if isinstance(state.get(key), dict)][:1]


def _rules(state: dict[str, Json], key: str) -> list[dict[str, Json]]:
    rules = state.get(key)
    return [rule for rule in rules if isinstance(rule, dict)] if isinstance(rules, list) else []


def summarise(rule: Json) -> str:
    """Put a choice rule into a few words."""
    if not isinstance(rule, dict):
        return ""
    if "Condition" in rule:
        return expression(rule["Condition"], 120)
    for key, word in (("And", " and "), ("Or", " or ")):
        if isinstance(rule.get(key), list):
            return word.join(f"({text})" if " or " in text and key == "And" else text for text in map(summarise, rule[key]))
    if "Not" in rule:
        return f"not ({summarise(rule['Not'])})"
    return " ".join(str(value) for key, value in rule.items() if key not in {"Next", "Assign", "Output", "Comment"})
