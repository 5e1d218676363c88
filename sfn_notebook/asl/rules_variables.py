"""Rules on variables: which are set when a state reads them, names that are taken, and what `$states` holds where.

Expressions of a state see the variables as they were when it was entered, so a state's own Assign counts only from the next state on.
A Map or Parallel hands its variables down to the states inside; a Distributed Map does not. AWS takes a definition that reads what
may be undefined and fails the execution instead [recorded], hence warnings; a name that an outer scope uses is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sfn_notebook.asl.fields import JSONPATH
from sfn_notebook.asl.jsontext import escape
from sfn_notebook.asl.routes import route
from sfn_notebook.asl.rule import Machine, Problem, Text, Thing, at
from sfn_notebook.asl.rules_maps import mode_of
from sfn_notebook.asl.substitutions import has_placeholder, leaves_open
from sfn_notebook.asl.topology import Edge, Scope
from sfn_notebook.errors import ExpressionError, Json, Severity
from sfn_notebook.lang import jsonata
from sfn_notebook.lang.template import variable_names as path_variables

UNDEFINED = "UNDEFINED_VARIABLE"
DUPLICATE = "DUPLICATE_VARIABLE_NAME"
UNSUPPORTED = "UNSUPPORTED_JSONATA_EXPRESSION"

Names = frozenset[str]
_NONE: Names = frozenset()


def assigned(holder: Json, language: str) -> Names:
    """Give the variables that a state, rule or catcher sets."""
    assign = holder.get("Assign") if isinstance(holder, dict) else None
    if not isinstance(assign, dict):
        return _NONE
    return frozenset(key.removesuffix(".$") if language == JSONPATH else key for key in assign)


def variables_of(text: Text) -> Names:
    """Give the variables that an expression reads; none where it cannot be read."""
    value = text.text
    if not isinstance(value, str) or text.kind == "reference":
        return _NONE
    if value.startswith("$.") and value.rfind("$") == 0:
        return _NONE  # most of them
    may_name = "$" in value if text.kind == "jsonata" else _MAY_NAME.search(value)
    if not may_name or (leaves_open(value) if text.kind == "jsonata" else has_placeholder(value)):
        return _NONE
    try:
        if text.kind == "jsonata":
            return jsonata.compile_jsonata(jsonata.strip_expression(value)).variables
        return path_variables(value)
    except (ExpressionError, RecursionError):
        return _NONE


_MAY_NAME = re.compile(r"(?<![\w$])\$[^\W\d]")


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is known of variables when a state is entered: set on every path, and set on some."""

    always: Names
    sometimes: Names


def duplicate_variables(machine: Machine) -> Iterator[Problem]:
    """No scope sets a variable that a scope around it sets too."""
    setting = [thing for thing in machine.things if "Assign" in thing.body]
    if not setting:
        return
    own: dict[str, dict[str, str]] = {scope.pointer: {} for scope in machine.graph.scopes}
    for thing in setting:
        assign = thing.body["Assign"]
        node = machine.graph.by_pointer.get(thing.state or "")
        if not isinstance(assign, dict) or node is None:
            continue
        for key in assign:
            name = key.removesuffix(".$") if thing.language == JSONPATH else key
            own[node.scope].setdefault(name, f"{at(thing, 'Assign')}/{escape(key)}")
    for scope in machine.graph.scopes:
        for name, pointer in own[scope.pointer].items():
            outer = _outer_holder(name, scope, own, machine)
            if outer is not None:
                message = f'the variable "{name}" exists in an outer scope'
                hint = f"choose another name: {outer} sets it, and an inner scope can only read it"
                yield Problem(pointer, message, DUPLICATE, key=True, hint=hint)


def _outer_holder(name: str, scope: Scope, own: Mapping[str, Mapping[str, str]], machine: Machine) -> str | None:
    while scope.owner is not None and not _is_distributed(scope, machine):
        outer = machine.graph.scope_by_pointer[machine.graph.by_pointer[scope.owner].scope]
        if name in own[outer.pointer]:
            return own[outer.pointer][name]
        scope = outer
    return None


def _is_distributed(scope: Scope, machine: Machine) -> bool:
    return (
        scope.kind == "processor" and mode_of(machine.graph.by_pointer[scope.owner or ""].definition) == "DISTRIBUTED"
    )


def undefined_variables(machine: Machine) -> Iterator[Problem]:
    """A variable is set on every path to a state that reads it."""
    reads: dict[str, list[tuple[Text, Names]]] = {}
    for text in machine.texts:
        names = variables_of(text)
        if names and text.thing.state is not None:
            reads.setdefault(text.thing.state, []).append((text, names))
    if not reads:
        return
    entered: dict[str, _Seen] = {}
    for scope in machine.graph.scopes:
        entered.update(_flow(scope, _handed_down(scope, entered, machine), machine))
    for state, texts in reads.items():
        seen = entered.get(state)
        if seen is None:
            continue
        for text, names in texts:
            for name in sorted(names - seen.always):
                if not _guarded(text, name):
                    yield _undefined(text, name, state, seen, machine)


def _guarded(text: Text, name: str) -> bool:
    """Tell whether the expression asks itself whether the variable exists."""
    return text.kind == "jsonata" and re.search(rf"\$exists\s*\(\s*\${re.escape(name)}\b", text.text) is not None


def _handed_down(scope: Scope, entered: Mapping[str, _Seen], machine: Machine) -> _Seen:
    if scope.owner is None or _is_distributed(scope, machine):
        return _Seen(_NONE, _NONE)
    return entered.get(scope.owner, _Seen(_NONE, _NONE))


def _flow(scope: Scope, at_start: _Seen, machine: Machine) -> dict[str, _Seen]:
    """Follow the transitions until nothing changes."""
    if scope.start_pointer is None:
        return {}
    entered = {scope.start_pointer: at_start}
    waiting = [scope.start_pointer]
    while waiting:
        pointer = waiting.pop()
        here = entered[pointer]
        for edge in machine.graph.edges_from(pointer):
            if edge.target_pointer is None:
                continue
            set_here = set_by(edge, machine)
            leaving = _Seen(here.always | set_here, here.sometimes | set_here)
            before = entered.get(edge.target_pointer)
            if before is not None:
                leaving = _Seen(before.always & leaving.always, before.sometimes | leaving.sometimes)
            if leaving != before:
                entered[edge.target_pointer] = leaving
                waiting.append(edge.target_pointer)
    return entered


def set_by(edge: Edge, machine: Machine) -> Names:
    """Give the variables that are set on a transition: a rule's or catcher's own, or the state's."""
    node = machine.graph.by_pointer[edge.source_pointer]
    holder: Json = node.definition
    if edge.kind in ("choice", "catch"):
        listing = holder.get("Choices" if edge.kind == "choice" else "Catch")
        holder = listing[edge.index] if isinstance(listing, list) and edge.index is not None else {}
    return assigned(holder, node.query_language)


def _undefined(text: Text, name: str, state: str, seen: _Seen, machine: Machine) -> Problem:
    value = text.text
    offset = max(0, value.find(f"${name}")) if isinstance(value, str) else None
    called = machine.graph.by_pointer[state].name
    if name in seen.sometimes:
        way = route(machine.graph, None, state, avoid=lambda edge: name in set_by(edge, machine))
        message = f'the variable "{name}" is not guaranteed to be set in state "{called}"'
        hint: str | None = f"nothing sets it on the way {way}" if way else "not every path to this state sets it"
    else:
        message = f'the variable "{name}" cannot be set in state "{called}"'
        hint = _why_never(name, state, machine)
    return Problem(text.pointer, message, UNDEFINED, Severity.WARNING, offset=offset, hint=hint)


def _why_never(name: str, state: str, machine: Machine) -> str | None:
    node = machine.graph.by_pointer[state]
    if name in assigned(node.definition, node.query_language):
        return "a state sees its own Assign only from the next state on"
    scope = machine.graph.scope_by_pointer[node.scope]
    setters = [other for other in machine.graph.nodes if name in _sets(other.definition, other.query_language)]
    while scope.owner is not None:
        outer = machine.graph.scope_by_pointer[machine.graph.by_pointer[scope.owner].scope]
        if _is_distributed(scope, machine) and any(other.scope == outer.pointer for other in setters):
            return "a Distributed Map does not see the variables outside of it; pass it on with ItemSelector"
        scope = outer
    if not setters:
        known = {name for other in machine.graph.nodes for name in _sets(other.definition, other.query_language)}
        return machine.hints.did_you_mean(name, known) or "no state assigns it"
    first = setters[0]
    if first.scope != node.scope:
        return f'only "{first.name}" sets it, whose scope ends with its branch or iteration; hand it on as output'
    return f'"{first.name}" sets it, but no path leads from there to here'


def _sets(state: Mapping[str, Json], language: str) -> Names:
    found = assigned(state, language)
    for listing in (state.get("Choices"), state.get("Catch")):
        for holder in listing if isinstance(listing, list) else ():
            found |= assigned(holder, language)
    return found


# --- $states -------------------------------------------------------------------------------------------------------------

_STATES = re.compile(r"\$states\s*\.\s*(\w+)")
_LITERAL = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|/\*.*?\*/", re.DOTALL)
_MEMBERS = ("input", "result", "errorOutput", "context")


def states_members(machine: Machine) -> Iterator[Problem]:
    """`$states.result` is read behind a Task, Map or Parallel only, `$states.errorOutput` in a Catch only."""
    for text in machine.texts:
        if text.kind != "jsonata" or "$states" not in text.text or leaves_open(text.text):
            continue
        used = _STATES.findall(text.text)
        if all(member in _MEMBERS and _unavailable(member, text.field, text.thing) is None for member in used):
            continue
        bare = _LITERAL.sub(lambda match: " " * len(match.group()), text.text)
        for match in _STATES.finditer(bare):
            member, reason = match.group(1), _unavailable(match.group(1), text.field, text.thing)
            if member not in _MEMBERS:
                hint = machine.hints.did_you_mean(member, _MEMBERS) or "it has input, result, errorOutput and context"
                message = f"$states has no {member}"
                yield Problem(text.pointer, message, UNDEFINED, Severity.WARNING, offset=match.start(1), hint=hint)
            elif reason is not None:
                message = f"$states.{member} does not exist here: {reason}"
                yield Problem(text.pointer, message, UNSUPPORTED, offset=match.start())


def _unavailable(member: str, field: str, thing: Thing) -> str | None:
    if member == "errorOutput" and thing.kind != "Catcher":
        return "only the Assign and Output of a Catch have it"
    if member != "result":
        return None
    if thing.kind == "Catcher":
        return "a Catch has $states.errorOutput instead"
    if thing.kind not in ("Task", "Map", "Parallel"):
        return "only a Task, Map or Parallel state has a result"
    return None if field in ("Output", "Assign") else f"{field} is evaluated before there is a result"
