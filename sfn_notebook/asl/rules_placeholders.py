"""Rules on what a text needs before AWS takes it: placeholders filled in, comments taken out.

A well-formed `${Name}` that nothing fills in is a warning; its value is exempt from the other rules. One that only looks like a
placeholder is an error where a state, an ARN or a time belongs, because there nothing else can be meant. In a payload it is a
warning at most, because shells and other tools write `${…}` too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sfn_notebook.asl.fields import fields_of
from sfn_notebook.asl.jsontext import escape
from sfn_notebook.asl.rule import Machine, Problem, at, quoted
from sfn_notebook.asl.substitutions import NO_PLACEHOLDER, PLACEHOLDER, has_placeholder
from sfn_notebook.errors import Json, Severity

UNRESOLVED = "UNRESOLVED_PLACEHOLDER"
MALFORMED = "MALFORMED_PLACEHOLDER"
COMMENTS = "JSON_COMMENT"


def placeholders(machine: Machine) -> Iterator[Problem]:
    """Every `${Name}` that nothing fills in is told once, at its first place; an error when the check is strict."""
    document = machine.document
    if "${" not in document.text:
        return  # what a template's own functions left is filled in by the deployment
    found: dict[str, tuple[str, int, int]] = {}
    for pointer, value in _strings(machine):
        if "${" in value:
            jsonata = value.startswith("{%")
            for match in PLACEHOLDER.finditer(value):
                if jsonata and _PAIR.search(match.group(1)):
                    continue  # groups by a key, as in `$items.${name: price}`
                place, offset, count = found.get(match.group(1), (pointer, match.start(), 0))
                found[match.group(1)] = place, offset, count + 1
    severity = Severity.ERROR if machine.strict else Severity.WARNING
    for name, (pointer, offset, count) in found.items():
        if document.filled.issuperset(name.split(",")):
            continue
        times = "" if count == 1 else f", used {count} times"
        hint = "CloudFormation or SAM fills it in; give substitutions to try it here"
        message = f"the placeholder ${{{name}}} is not filled in{times}"
        yield Problem(pointer, message, UNRESOLVED, severity, offset=offset, hint=hint)


_PAIR = re.compile(r"(?<!:):(?!:)")


def _strings(machine: Machine) -> list[tuple[str, str]]:
    """Give every string with a dollar sign and a brace with its place, in the order of the text."""
    found: list[tuple[str, str]] | None = machine.memo.get("braced")
    if found is None:
        found = machine.memo["braced"] = []
        _gather(machine.definition, [], found)
    return found


def _gather(value: Json, trail: list[str | int], found: list[tuple[str, str]]) -> None:
    for key, inner in value.items() if value.__class__ is dict else enumerate(value):
        kind = inner.__class__
        if kind is str:
            if "{" in inner and "$" in inner:
                steps = [escape(str(step)) for step in (*trail, key)]
                found.append(("/" + "/".join(steps), inner))
        elif kind is dict or kind is list:
            trail.append(key)
            _gather(inner, trail, found)
            trail.pop()


_LOOKS_LIKE = re.compile(r"\$\{(?:[^{}]*$|\s*\}|\s+[\w.:]+\s*\}|[\w.:]+\s+\})|(?<![\w$])\$\s+\{[\w.:]+\}")
_STRICT_KINDS = ("state", "timestamp", "integer", "number", "boolean")


def malformed_placeholders(machine: Machine) -> Iterator[Problem]:
    """A placeholder has a name and a closing brace, without blanks."""
    text = machine.document.text
    if NO_PLACEHOLDER.search(text) is None:
        return
    strict: set[str] = set()
    named: set[str] = set()  # leads to a state that is really called so
    names = _state_names(machine)
    for thing in machine.things:
        allowed = fields_of(thing.kind, thing.language)
        for name, value in thing.body.items():
            if isinstance(value, str) and "{" in value and name in allowed:
                field = allowed[name]
                if name == "Resource" or (field.kind in _STRICT_KINDS and value not in names):
                    strict.add(at(thing, name))
                elif value in names:
                    named.add(at(thing, name))
    for pointer, value in _strings(machine):
        if value.startswith(("{%", "States.")) or pointer.endswith("/Comment") or pointer in named:
            continue
        match = _LOOKS_LIKE.search(value)
        severe = pointer in strict
        if match is None and severe and not has_placeholder(value):
            match = re.search(r"\$\{", value)
        if match is not None:
            message = f"this is no placeholder: {quoted(match.group()[:40])}"
            severity = Severity.ERROR if severe else Severity.WARNING
            hint = "write ${Name}: letters, digits, and . : - _ behind the first"
            yield Problem(pointer, message, MALFORMED, severity, offset=match.start(), hint=hint)


def _state_names(machine: Machine) -> set[str]:
    """Give the names of all states, wherever they are."""
    bodies = (thing.body.get("States") for thing in machine.things)
    return {name for states in bodies if isinstance(states, dict) for name in states}


def comments(machine: Machine) -> Iterator[Problem]:
    """A JSON definition has no comments."""
    for notice in machine.document.notices:
        span = machine.document.place(notice.offset, notice.length)
        yield Problem("", notice.message, COMMENTS, Severity.WARNING, hint=notice.hint, span=span)
