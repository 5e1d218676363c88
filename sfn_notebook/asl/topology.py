"""The machine as a graph: states as nodes, transitions as edges, and the tree of scopes that holds them.

Drawing, debugging and checking all start here. A scope is the machine itself, one branch of a Parallel, or the processor of a Map;
a transition never leaves its scope. Nodes and edges come in the order of the text. Nothing raises: what is broken (a target that does
not exist, a state that is no object, a missing StartAt) is kept as data, so that half a definition can be drawn while it is written.

`summarise_condition` gives the short text of a Choice rule for an edge's label. No text positions and no rules live here. Nodes,
edges and scopes are never changed; their classes are not frozen, because that makes the making of one four times as slow.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from sfn_notebook.asl.fields import COMBINATORS, OPERATORS, language_of
from sfn_notebook.asl.jsontext import escape
from sfn_notebook.errors import Json


@dataclass(slots=True, unsafe_hash=True)
class StateNode:
    """One state.

    Attributes:
        name: its name; unique over the whole machine in a valid definition, but not in every text.
        type: its Type, or "" where there is none that is a string.
        pointer: JSON Pointer of the state, which is unique always.
        scope: pointer of the scope that holds it ("" for the machine itself).
        query_language: JSONPath or JSONata.
        resource: the Resource of a Task, or None.
        terminal: the scope can end here: End, Succeed or Fail.
        definition: the state as it is written; {} where it is no object.
    """

    name: str
    type: str
    pointer: str
    scope: str
    query_language: str
    resource: str | None = None
    terminal: bool = False
    definition: Mapping[str, Json] = field(default_factory=dict, repr=False)


@dataclass(slots=True, unsafe_hash=True)
class Edge:
    """One transition.

    Attributes:
        source: name of the state that it leaves.
        target: name of the state that it goes to, as written, even where there is no such state.
        kind: "next", "default", "choice" or "catch".
        pointer: JSON Pointer of the field that holds the target.
        source_pointer: pointer of the state that it leaves.
        target_pointer: pointer of the state that it goes to; None where the scope has no such state.
        index: which rule or catcher, from 0; None for next and default.
        condition: the Choice rule as written, or the text of its JSONata condition; None for the other kinds.
        errors: the error names of a catcher.
    """

    source: str
    target: str
    kind: str
    pointer: str
    source_pointer: str
    target_pointer: str | None = None
    index: int | None = None
    condition: Json = None
    errors: tuple[str, ...] = ()


@dataclass(slots=True, unsafe_hash=True)
class Scope:
    """One set of states that transitions stay in.

    Attributes:
        pointer: JSON Pointer of the object with StartAt and States; "" for the machine.
        kind: "top", "branch" or "processor".
        owner: pointer of the Parallel or Map state that it belongs to; None for the machine.
        index: which branch, from 0; None otherwise.
        start: StartAt as written; None where there is none that is a string.
        start_pointer: pointer of the start state; None where there is no such state.
        states: pointers of its states by name, in the order of the text.
        definition: the object as written.
    """

    pointer: str
    kind: str
    owner: str | None = None
    index: int | None = None
    start: str | None = None
    start_pointer: str | None = None
    states: Mapping[str, str] = field(default_factory=dict)
    definition: Mapping[str, Json] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Topology:
    """All scopes, nodes and edges of a machine; scopes and nodes in the order in which a reader meets them."""

    scopes: tuple[Scope, ...]
    nodes: tuple[StateNode, ...]
    edges: tuple[Edge, ...]

    @cached_property
    def by_pointer(self) -> Mapping[str, StateNode]:
        """The nodes by their pointer."""
        return {node.pointer: node for node in self.nodes}

    @cached_property
    def by_name(self) -> Mapping[str, StateNode]:
        """The nodes by name; the first one where a name is given twice."""
        found: dict[str, StateNode] = {}
        for node in self.nodes:
            found.setdefault(node.name, node)
        return found

    @cached_property
    def scope_by_pointer(self) -> Mapping[str, Scope]:
        """The scopes by their pointer."""
        return {scope.pointer: scope for scope in self.scopes}

    @cached_property
    def _leaving(self) -> Mapping[str, tuple[Edge, ...]]:
        found: dict[str, list[Edge]] = {}
        for edge in self.edges:
            found.setdefault(edge.source_pointer, []).append(edge)
        return {pointer: tuple(edges) for pointer, edges in found.items()}

    @cached_property
    def _inner(self) -> Mapping[str | None, tuple[Scope, ...]]:
        found: dict[str | None, list[Scope]] = {}
        for scope in self.scopes:
            found.setdefault(scope.owner, []).append(scope)
        return {owner: tuple(scopes) for owner, scopes in found.items()}

    def edges_from(self, pointer: str) -> tuple[Edge, ...]:
        """Give the transitions that leave the state at `pointer`."""
        return self._leaving.get(pointer, ())

    def scopes_of(self, pointer: str) -> tuple[Scope, ...]:
        """Give the branches or the processor of the state at `pointer`."""
        return self._inner.get(pointer, ())

    def nodes_of(self, scope: Scope) -> tuple[StateNode, ...]:
        """Give the states of one scope."""
        return tuple(self.by_pointer[pointer] for pointer in scope.states.values())

    def reachable(self, scope: Scope) -> frozenset[str]:
        """Give the pointers of the states that the scope's start leads to."""
        waiting = [scope.start_pointer] if scope.start_pointer is not None else []
        seen = set(waiting)
        while waiting:
            for edge in self._leaving.get(waiting.pop(), ()):
                if edge.target_pointer is not None and edge.target_pointer not in seen:
                    seen.add(edge.target_pointer)
                    waiting.append(edge.target_pointer)
        return frozenset(seen)


def topology(definition: Json, language: str | None = None) -> Topology:
    """Read the graph off a definition, however broken it is; `language` overrides the machine's query language."""
    nodes: list[StateNode] = []
    edges: list[Edge] = []
    language = language or language_of(definition)
    scopes = [_scope(definition, "", "top")]
    waiting = [(scopes[0], iter(scopes[0].states.items()))]
    while waiting:
        scope, states = waiting[-1]
        inner: list[Scope] = []
        for name, pointer in states:
            node = _node(name, pointer, scope, language)
            nodes.append(node)
            _add_edges(node, scope.states, edges)
            if node.type not in _SIMPLE:
                inner = _inner_scopes(node)
                break  # what is inside comes first
        else:
            waiting.pop()
        scopes.extend(reversed(inner))
        waiting.extend((each, iter(each.states.items())) for each in reversed(inner))
    return Topology(_in_order(scopes, nodes), tuple(nodes), tuple(edges))


_SIMPLE = frozenset(("Task", "Pass", "Choice", "Wait", "Succeed", "Fail"))
"""Types of states without states inside."""


def _in_order(scopes: list[Scope], nodes: list[StateNode]) -> tuple[Scope, ...]:
    """Order scopes by their owner's place, branches by their index."""
    if len(scopes) == 1:
        return tuple(scopes)
    place = {node.pointer: i for i, node in enumerate(nodes)}
    return tuple(
        sorted(scopes, key=lambda scope: (-1 if scope.owner is None else place[scope.owner], scope.index or 0))
    )


def _scope(definition: Json, pointer: str, kind: str, owner: str | None = None, index: int | None = None) -> Scope:
    body = definition if isinstance(definition, dict) else {}
    states = body.get("States")
    pointers = {name: f"{pointer}/States/{escape(name)}" for name in states} if isinstance(states, dict) else {}
    start = body.get("StartAt")
    start = start if isinstance(start, str) else None
    return Scope(pointer, kind, owner, index, start, pointers.get(start) if start is not None else None, pointers, body)


def _node(name: str, pointer: str, scope: Scope, language: str) -> StateNode:
    state = scope.definition["States"][name]
    body = state if isinstance(state, dict) else {}
    type_, resource = body.get("Type"), body.get("Resource")
    type_ = type_ if isinstance(type_, str) else ""
    return StateNode(
        name,
        type_,
        pointer,
        scope.pointer,
        language_of(body, language) if "QueryLanguage" in body else language,
        resource if isinstance(resource, str) else None,
        type_ in ("Succeed", "Fail") or body.get("End") is True,
        body,
    )


def _inner_scopes(node: StateNode) -> list[Scope]:
    body, abilities = node.definition, _ABILITIES.get(node.type, _ANY)
    branches = body.get("Branches") if "branch" in abilities else None
    found = [
        _scope(branch, f"{node.pointer}/Branches/{i}", "branch", node.pointer, i)
        for i, branch in enumerate(branches if isinstance(branches, list) else ())
    ]
    processors = [name for name in ("ItemProcessor", "Iterator") if name in body] if "iterate" in abilities else []
    return found + [_scope(body[name], f"{node.pointer}/{name}", "processor", node.pointer) for name in processors]


def _add_edges(node: StateNode, states: Mapping[str, str], found: list[Edge]) -> None:
    """Add the transitions that leave a state."""
    name, pointer, body = node.name, node.pointer, node.definition
    abilities = _ABILITIES.get(node.type, _ANY)
    if "choose" in abilities:
        for i, rule in _going(body.get("Choices")):
            place, condition = f"{pointer}/Choices/{i}/Next", rule.get("Condition", rule)
            found.append(Edge(name, rule["Next"], "choice", place, pointer, states.get(rule["Next"]), i, condition))
        if isinstance(target := body.get("Default"), str):
            found.append(Edge(name, target, "default", f"{pointer}/Default", pointer, states.get(target)))
    if "go on" in abilities and isinstance(target := body.get("Next"), str):
        found.append(Edge(name, target, "next", f"{pointer}/Next", pointer, states.get(target)))
    if "Catch" in body and "catch" in abilities:
        for i, catcher in _going(body.get("Catch")):
            place, target, errors = f"{pointer}/Catch/{i}/Next", catcher["Next"], _strings(catcher.get("ErrorEquals"))
            found.append(Edge(name, target, "catch", place, pointer, states.get(target), i, None, errors))


_ANY = frozenset(("go on", "catch", "choose", "branch", "iterate"))
"""What a state of an unknown type may do."""
_ABILITIES: Mapping[str, frozenset[str]] = {
    "Task": frozenset(("go on", "catch")),
    "Pass": frozenset(("go on",)),
    "Wait": frozenset(("go on",)),
    "Choice": frozenset(("choose",)),
    "Parallel": frozenset(("go on", "catch", "branch")),
    "Map": frozenset(("go on", "catch", "iterate")),
    "Succeed": frozenset(),
    "Fail": frozenset(),
}


def _going(listing: Json) -> list[tuple[int, dict[str, Json]]]:
    """Give the rules or catchers that name a target."""
    if not isinstance(listing, list):
        return []
    return [(i, item) for i, item in enumerate(listing) if isinstance(item, dict) and isinstance(item.get("Next"), str)]


def _strings(value: Json) -> tuple[str, ...]:
    return tuple([item for item in value if isinstance(item, str)]) if isinstance(value, list) else ()


# --- the text of a condition ---------------------------------------------------------------------------------------------

_SIGNS = {"Equals": "==", "LessThan": "<", "GreaterThan": ">", "LessThanEquals": "≤", "GreaterThanEquals": "≥"}
_IS = {
    "IsNull": "null",
    "IsPresent": "present",
    "IsNumeric": "a number",
    "IsString": "a string",
    "IsBoolean": "a boolean",
    "IsTimestamp": "a timestamp",
}


def summarise_condition(rule: Json, limit: int = 60) -> str:
    """Say what a Choice rule asks, in short: `total > 100 and vip`.

    Takes a whole rule, or the JSONata text of its condition; what is longer than `limit` is cut with an ellipsis.
    """
    text = " ".join(_condition(rule, 0).split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _condition(rule: Json, depth: int) -> str:
    if isinstance(rule, str):
        bare = rule.strip()
        return bare[2:-2].strip() if bare.startswith("{%") and bare.endswith("%}") else bare
    if not isinstance(rule, dict) or depth > 20:
        return "…"
    if "Condition" in rule:
        condition = rule["Condition"]
        return _condition(condition, depth) if isinstance(condition, str) else json.dumps(condition, default=str)
    for combinator in COMBINATORS:
        if combinator in rule:
            return _combined(combinator, rule[combinator], depth)
    operator = next((name for name in rule if name in OPERATORS), None)
    if operator is None:
        return "…"
    return _comparison(_bare(rule.get("Variable")), operator, rule[operator])


def _combined(combinator: str, inside: Json, depth: int) -> str:
    if combinator == "Not":
        return f"not ({_condition(inside, depth + 1)})"
    word = f" {combinator.lower()} "
    parts = [_condition(part, depth + 1) for part in inside] if isinstance(inside, list) else ["…"]
    joined = word.join(parts)
    return f"({joined})" if depth and len(parts) > 1 else joined


def _comparison(variable: str, operator: str, operand: Json) -> str:
    if operator in _IS:
        return f"{variable} is {'' if operand is True else 'not '}{_IS[operator]}"
    is_path = operator.endswith("Path")
    relation = operator.removesuffix("Path")
    for family in ("String", "Numeric", "Timestamp", "Boolean"):
        relation = relation.removeprefix(family)
    if operator == "BooleanEquals" and isinstance(operand, bool):
        return variable if operand else f"not {variable}"
    shown = _bare(operand) if is_path else json.dumps(operand, ensure_ascii=False, default=str)
    return f"{variable} {'matches' if relation == 'Matches' else _SIGNS.get(relation, relation)} {shown}"


def _bare(path: Json) -> str:
    """Drop the `$.` that nearly every path starts with."""
    if not isinstance(path, str):
        return "…"
    return path[2:] if path.startswith("$.") and len(path) > 2 else path
