"""Which variables each state of a definition refers to, as DescribeStateMachine's `variableReferences` tells.

Reads a definition; it needs neither a correct machine nor a compiled one, and expressions that cannot be read count for nothing. The
rules of the service, as recorded: states that refer to none are left out; states inside a Map or Parallel stand for themselves, not
for the state around them; names that a state assigns are no references.

In a JSONPath state a variable stands where a path may stand: in `Variable` and fields whose name ends in `Path` (a `ResultPath` names
a place and no value), in keys of templates that end in `.$`, inside intrinsic functions. In a JSONata state it stands in any text
between `{%` and `%}`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sfn_notebook.errors import ExpressionError, Json
from sfn_notebook.lang import jsonata
from sfn_notebook.lang.template import variable_names as jsonpath_names

_INNER = ("Branches", "ItemProcessor", "Iterator")
"""Fields that hold further scopes of states."""

_TEMPLATES = frozenset({"Parameters", "ItemSelector", "ResultSelector", "BatchInput", "Assign", "Credentials"})
"""Fields that hold a payload template: in it only keys that end in `.$` are dynamic."""

_LITERAL = frozenset({"Result", "Comment"})
"""Fields of a state whose content is data, whatever it looks like."""


def variable_references(definition: dict[str, Json]) -> dict[str, list[str]]:
    """Give the variables that states refer to: state name -> sorted names of variables.

    >>> variable_references({"StartAt": "A", "States": {"A": {"Type": "Wait", "SecondsPath": "$pause", "End": True}}})
    {'A': ['pause']}
    """
    found: dict[str, list[str]] = {}
    _scope(definition, str(definition.get("QueryLanguage", "JSONPath")), found)
    return found


def _scope(scope: Json, language: str, found: dict[str, list[str]]) -> None:
    states = scope.get("States") if isinstance(scope, dict) else None
    for name, state in (states if isinstance(states, dict) else {}).items():
        if not isinstance(state, dict):
            continue
        own = {field: value for field, value in state.items() if field not in _INNER and field not in _LITERAL}
        read = _jsonata if state.get("QueryLanguage", language) == "JSONata" else _jsonpath
        names = set(read(own))
        if names:
            found[name] = sorted(names)
        branches = state.get("Branches")
        for inner in (*(branches if isinstance(branches, list) else ()), *(state.get(field) for field in _INNER[1:])):
            _scope(inner, language, found)


def _jsonata(value: Json) -> Iterator[str]:
    """Yield the variables of every expression in a tree."""
    if jsonata.is_expression(value):
        yield from _names(jsonata.variable_names, jsonata.strip_expression(value))
    for _, item in _items(value):
        yield from _jsonata(item)


def _jsonpath(value: Json) -> Iterator[str]:
    """Yield the variables of every path in the fields of a state, of its rules and of the objects in it."""
    for field, item in _items(value):
        if field == "ResultPath":
            continue
        if field in _TEMPLATES:
            yield from _template(item)
        elif field == "Variable" or field.endswith("Path"):
            yield from _names(jsonpath_names, item)
        else:
            yield from _jsonpath(item)


def _template(value: Json) -> Iterator[str]:
    for key, item in _items(value):
        if key.endswith(".$"):
            yield from _names(jsonpath_names, item)
        else:
            yield from _template(item)


def _items(value: Json) -> Iterator[tuple[str, Json]]:
    """Yield the members of an object or the elements of an array, these under the key ""."""
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        for item in value:
            yield "", item


def _names(read: Callable[[str], set[str] | frozenset[str]], text: Json) -> set[str] | frozenset[str]:
    try:
        return read(text) if isinstance(text, str) else frozenset()
    except ExpressionError:
        return frozenset()
