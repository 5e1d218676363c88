"""Rules that the field table answers: what may stand where, what must, and of which type and range.

Unknown fields: one that is misspelt, or that belongs to another state type or the other query language, is an error as on AWS. One
that nobody knows is a warning, because AWS adds fields and a checker that calls a new one wrong is worse than none.
"""

from __future__ import annotations

from collections.abc import Iterator

from sfn_notebook.asl.document import kind_of
from sfn_notebook.asl.fields import (
    JSONPATH,
    KINDS,
    LANGUAGES,
    MAX_DEFINITION,
    MAX_NAME,
    OBJECTS,
    STATE_TYPES,
    Field,
    fields_of,
)
from sfn_notebook.asl.jsontext import unescape
from sfn_notebook.asl.rule import SCHEMA, Machine, Problem, Thing, at, named, near, quoted
from sfn_notebook.asl.substitutions import has_placeholder
from sfn_notebook.errors import Json, Severity

UNKNOWN_FIELD = "UNKNOWN_FIELD"
INVALID_LABEL = "INVALID_LABEL_NAME"
INVALID_STATE_NAME = "INVALID_STATE_NAME"


def states_are_objects(machine: Machine) -> Iterator[Problem]:
    """Every entry of States is an object with a Type that exists."""
    for scope in machine.graph.scopes:
        states = scope.definition.get("States")
        if not isinstance(states, dict):
            continue
        if not states:
            yield Problem(f"{scope.pointer}/States", "there are no states", hint="a workflow has at least one state")
        for name, pointer in scope.states.items():
            state = states[name]
            if isinstance(state, dict) and state.get("Type") in STATE_TYPES:
                continue
            if not isinstance(state, dict):
                hint = _stray_field(name)
                yield Problem(
                    pointer,
                    f'state "{name}" must be an object, found {kind_of(state)}',
                    hint=hint,
                    key=hint is not None,
                )
            else:
                yield from _type_of_state(name, pointer, state, machine)


def _stray_field(name: str) -> str | None:
    if name in OBJECTS["StateMachine"]:
        return f'"{name}" belongs beside "States", not inside it'
    return None


def _type_of_state(name: str, pointer: str, state: dict[str, Json], machine: Machine) -> Iterator[Problem]:
    if "Type" not in state:
        yield Problem(
            pointer,
            "These fields are required: [Type]",
            hint=f'state "{name}" needs one of {", ".join(STATE_TYPES)}',
            key=True,
        )
        return
    found = state["Type"]
    if not isinstance(found, str) or (found not in STATE_TYPES and not has_placeholder(found)):
        hint = machine.hints.did_you_mean(found, STATE_TYPES)
        hint = hint or "the types are " + ", ".join(STATE_TYPES)
        yield Problem(f"{pointer}/Type", f'state "{name}" has the unknown type {quoted(found)}', hint=hint)


def required_fields(machine: Machine) -> Iterator[Problem]:
    """Every object has the fields that it needs; all that are missing come in one message, as on AWS."""
    for thing in machine.things:
        missing: list[str] = []
        if not thing.body.keys() >= thing.table.needed:
            missing = [name for name in thing.table.required if name not in thing.body]
        if thing.kind == "Map" and not {"ItemProcessor", "Iterator"} & thing.body.keys():
            missing.append("ItemProcessor")
        if missing:
            hint = _looks_like(missing, thing) or f"{_whose(thing, machine)} needs {' and '.join(missing)}"
            yield Problem(thing.pointer, f"These fields are required: [{', '.join(missing)}]", hint=hint, key=True)


def _whose(thing: Thing, machine: Machine) -> str:
    return named(thing.pointer, machine) if thing.pointer == (thing.state or "") else f"the {thing.kind}"


def _looks_like(missing: list[str], thing: Thing) -> str | None:
    for name in missing:
        close = near(name, [key for key in thing.body if key not in OBJECTS[thing.kind]])
        if close:
            return f'"{close}" looks like it'
    return None


def known_fields(machine: Machine) -> Iterator[Problem]:
    """Every field exists for its object, state type and query language."""
    for thing, name, _ in machine.doubtful:
        if name not in thing.table.names and not (name in OBJECTS[thing.kind] and _is_misplaced(thing, machine)):
            yield _unknown(thing, name, machine)


def _is_misplaced(thing: Thing, machine: Machine) -> bool:
    """Tell whether a JSONPath state stands in a JSONata machine; then its language is the error, not its JSONata fields."""
    return thing.language == JSONPATH and machine.language != JSONPATH


def _unknown(thing: Thing, name: str, machine: Machine) -> Problem:
    pointer, refused = at(thing, name), f"Field '{name}' is not supported"
    field = OBJECTS[thing.kind].get(name)
    if field is not None and field.language is not None:
        message = f"The QueryLanguage is set to '{thing.language}', but field '{name}' is only supported for the '{field.language}' QueryLanguage"
        return Problem(pointer, message, key=True, hint=_other_language(thing, name))
    if thing.kind in ("ItemProcessor", "Branch") and name == "QueryLanguage":
        return Problem(pointer, refused, key=True, hint="set it on each state inside, or on the whole machine")
    meant = near(name, fields_of(thing.kind, thing.language))
    if meant:
        return Problem(pointer, refused, key=True, hint=f'did you mean "{meant}"?')
    if thing.kind in STATE_TYPES:
        holders = [kind for kind in STATE_TYPES if name in OBJECTS[kind]]
        if holders:
            hint = f"a {thing.kind} state has no {name}; it is a field of {', '.join(holders)}"
            return Problem(pointer, refused, key=True, hint=hint)
    hint = (
        machine.hints.did_you_mean(name, fields_of(thing.kind, thing.language))
        or "AWS refuses fields that it does not know"
    )
    where = f"a {thing.kind} state" if thing.kind in STATE_TYPES else f"the {thing.kind}"
    return Problem(
        pointer,
        f'the field "{name}" is not one that {where} is known to have',
        UNKNOWN_FIELD,
        Severity.WARNING,
        key=True,
        hint=hint,
    )


_TWINS = {"Parameters": "Arguments", "ResultSelector": "Output", "Result": "Output", "OutputPath": "Output", "ItemsPath": "Items",
          "Arguments": "Parameters", "Output": "ResultSelector, ResultPath or OutputPath", "Items": "ItemsPath",
          "InputPath": "$states.input in Arguments or Output", "Condition": "Variable with an operator", "Variable": "Condition", "ResultPath": "Output or Assign"}  # fmt: skip


def _other_language(thing: Thing, name: str) -> str | None:
    twin = _TWINS.get(name) or (name.removesuffix("Path") if name.endswith("Path") else None)
    if twin is None or thing.language not in LANGUAGES:
        return None
    return f"in {thing.language} use {twin}"


def field_types(machine: Machine) -> Iterator[Problem]:
    """Every field's value is of its type, in its range, or one of the words that it allows."""
    for thing, name, value in machine.doubtful:
        field = thing.table.fields.get(name)
        if field is None or (name == "Type" and thing.kind in STATE_TYPES):
            continue
        if not _fits(field, value):
            yield from _field(thing, field, value, machine)


def _fits(field: Field, value: Json) -> bool:
    """Tell whether a value is right beyond doubt; if not, it may still be."""
    kind = value.__class__
    if kind is str:
        if field.values:
            return value in field.values
        return field.kind == "string" and (field.low or 0) <= len(value) and field.high is None
    if kind is list:
        if field.kind == "strings":
            return set(map(type, value)) <= {str}
        return field.kind == "array" and field.shape is not None and set(map(type, value)) <= {dict}
    if kind is int and field.kind in ("integer", "number"):
        return (field.low is None or value >= field.low) and (field.high is None or value <= field.high)
    return kind is bool and field.kind == "boolean"


def _field(thing: Thing, field: Field, value: Json, machine: Machine) -> Iterator[Problem]:
    pointer = at(thing, field.name)
    if has_placeholder(value) or (value is None and field.nullable):
        return
    if _is_expression(field, thing, value):
        return
    if not _KIND_TESTS[field.kind](value):
        wanted = KINDS[field.kind]
        if field.expression and thing.language != JSONPATH:
            wanted += " or a {% … %} expression"
        yield Problem(pointer, f"{field.name} must be {wanted}, found {_shown(value)}", hint=_type_hint(field, value))
        return
    if field.values and value not in field.values:
        hint = machine.hints.did_you_mean(value, field.values) or "use " + " or ".join(field.values)
        yield Problem(pointer, f"{field.name} cannot be {quoted(value)}", hint=hint)
    yield from _range(pointer, field, value)
    if field.kind == "strings" or field.shape is not None:
        yield from _items(pointer, field, value)


def _is_expression(field: Field, thing: Thing, value: Json) -> bool:
    if thing.language == JSONPATH or not isinstance(value, str):
        return False
    return field.expression and value.startswith("{%") and value.endswith("%}")


def _range(pointer: str, field: Field, value: Json) -> Iterator[Problem]:
    if field.low is None and field.high is None:
        return
    size = len(value) if isinstance(value, str) else value
    unit = " characters long" if isinstance(value, str) else ""
    low, high = field.low, field.high
    code = INVALID_LABEL if field.name == "Label" else SCHEMA
    if low is not None and size < low:
        yield Problem(pointer, f"{field.name} must be at least {low:,.0f}{unit}, found {quoted(value)}", code)
    if high is not None and size > high:
        yield Problem(pointer, f"{field.name} must be at most {high:,.0f}{unit}, found {quoted(value)}", code)


def _items(pointer: str, field: Field, value: Json) -> Iterator[Problem]:
    if not isinstance(value, list):
        return
    wanted = str if field.kind == "strings" else dict
    for i, item in enumerate(value):
        if not isinstance(item, wanted) and not has_placeholder(item):
            what = "a string" if wanted is str else "an object"
            yield Problem(f"{pointer}/{i}", f"each entry of {field.name} must be {what}, found {kind_of(item)}")


def _integer(value: Json) -> bool:
    return not isinstance(value, bool) and (isinstance(value, int) or (isinstance(value, float) and value.is_integer()))


def _number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _string(value: Json) -> bool:
    return isinstance(value, str)


_KIND_TESTS = {
    "string": _string,
    "boolean": lambda value: isinstance(value, bool),
    "integer": _integer,
    "number": _number,
    "object": lambda value: isinstance(value, dict),
    "template": lambda value: isinstance(value, dict),
    "payload": lambda value: value is not None,
    "array": lambda value: isinstance(value, list),
    "strings": lambda value: isinstance(value, list),
    "collection": lambda value: isinstance(value, list | dict),
    "any": lambda _value: True,
    "state": _string,
    "path": _string,
    "reference": _string,
    "single": _string,
    "items": _string,
    "expression": _string,
    "timestamp": _string,
}


def _shown(value: Json) -> str:
    kind = kind_of(value)
    return kind if isinstance(value, dict | list) or value is None else f"{kind}: {quoted(value)}"


def _type_hint(field: Field, value: Json) -> str | None:
    if isinstance(value, str) and field.kind in ("integer", "number", "boolean"):
        bare = value.strip().lower()
        if bare in ("true", "false") or bare.replace(".", "", 1).lstrip("-").isdigit():
            return f"write {bare} without quotes"
        if value.startswith("$") and any(field.name + "Path" in OBJECTS[kind] for kind in ("Task", "Wait", "Map")):
            return f"use {field.name}Path for a path"
    if field.kind == "array" and isinstance(value, dict):
        return "put it in [ ]"
    return None


def query_languages(machine: Machine) -> Iterator[Problem]:
    """No state is JSONPath in a JSONata machine."""
    if machine.language == JSONPATH:
        return
    for node in machine.graph.nodes:
        if node.definition.get("QueryLanguage") == JSONPATH:
            message = "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine"
            yield Problem(
                f"{node.pointer}/QueryLanguage",
                message,
                hint="let the machine be JSONPath and choose JSONata state by state",
            )


def state_names(machine: Machine) -> Iterator[Problem]:
    """State names are short enough, and unique over the whole machine."""
    first: dict[str, str] = {}
    for node in machine.graph.nodes:
        if not node.name:
            yield Problem(node.pointer, "a state has an empty name", INVALID_STATE_NAME, key=True)
        if len(node.name) > MAX_NAME:
            message = f"the name of a state may have {MAX_NAME} characters, this one has {len(node.name)}"
            yield Problem(node.pointer, message, INVALID_STATE_NAME, key=True)
        if node.name in first and isinstance(node.definition, dict):
            message = f'the state name "{node.name}" is used twice'
            hint = f"names are unique over the whole machine, branches included; the other one is at {first[node.name]}"
            yield Problem(node.pointer, message, "DUPLICATE_STATE_NAME", key=True, hint=hint)
        first.setdefault(node.name, node.pointer)


def duplicate_keys(machine: Machine) -> Iterator[Problem]:
    """No object gives a key twice."""
    for repeated in machine.document.duplicates:
        name = unescape(repeated.pointer.rpartition("/")[2])
        is_state = repeated.pointer.rpartition("/")[0].endswith("/States")
        code = "DUPLICATE_STATE_NAME" if is_state else "DUPLICATE_KEY"
        yield Problem(
            repeated.pointer,
            f'the key "{name}" stands twice in the same object',
            code,
            key=True,
            hint="only the last one counts",
            span=repeated.span,
        )


def definition_size(machine: Machine) -> Iterator[Problem]:
    """The definition is not larger than AWS takes."""
    size = len(machine.document.text.encode())
    if size > MAX_DEFINITION:
        yield Problem("", f"the definition has {size:,} bytes; AWS takes at most {MAX_DEFINITION:,}", SCHEMA)
