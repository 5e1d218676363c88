"""Rules on text that looks like a path or a function where nothing evaluates it: AWS's own three warnings, and one more.

In a payload template only a key that ends in `.$` is evaluated, in a field only one that ends in `Path`, and in the Result of a Pass
state nothing at all. The texts of templates were found when the definition was walked (`Machine.literals`). A text that cannot be read
as a path or function is taken for a text.
"""

from __future__ import annotations

from collections.abc import Iterator

from sfn_notebook.asl.fields import JSONPATH, OBJECTS
from sfn_notebook.asl.jsontext import escape
from sfn_notebook.asl.rule import Machine, Problem, at, looks_evaluated, quoted
from sfn_notebook.asl.substitutions import has_placeholder
from sfn_notebook.errors import ExpressionError, Json, Severity
from sfn_notebook.lang.template import compile_expression

NO_DOLLAR = "NO_DOLLAR"
NO_PATH = "NO_PATH"
COLLIDING = "COLLIDING_KEYS"
STATIC = "PASS_RESULT_IS_STATIC"
_HAVE_PATH = {
    kind: frozenset(name for name, field in OBJECTS[kind].items() if field.kind == "string" and f"{name}Path" in OBJECTS[kind])
    for kind in ("Fail", "ChoiceRule")
}  # fmt: skip
"""The fields that take any text, and have a twin that takes a path."""


def literals(machine: Machine) -> Iterator[Problem]:
    """In a payload template, the key of a path or an intrinsic function ends in `.$`."""
    for text in machine.literals:
        if text.kind == "literal" and _is_expression(text.text, machine):
            message = f'the field "{text.name}" is the text {quoted(text.text)} and is not evaluated'
            hint = f'write "{text.name}.$" to evaluate it'
            yield Problem(text.pointer, message, NO_DOLLAR, Severity.WARNING, key=True, hint=hint)


def colliding_keys(machine: Machine) -> Iterator[Problem]:
    """A payload template does not give a key both with `.$` and without."""
    for text in machine.literals:
        if text.kind == "collision":
            message = f'"{text.name}" and "{text.name[:-2]}" give the same field'
            yield Problem(text.pointer, message, COLLIDING, Severity.WARNING, key=True, hint="remove one of them")


def plain_fields(machine: Machine) -> Iterator[Problem]:
    """A field that takes a path ends in Path; its twin takes the text as it is."""
    for thing in machine.of(*_HAVE_PATH):
        if thing.language != JSONPATH:
            continue
        names = _HAVE_PATH[thing.kind]
        for name, value in thing.body.items():
            if name in names and looks_evaluated(value) and _is_expression(value, machine):
                message = f"{name} is the text {quoted(value)}, not what is found there"
                yield Problem(at(thing, name), message, NO_PATH, Severity.WARNING, key=True, hint=f"use {name}Path")


def static_results(machine: Machine) -> Iterator[Problem]:
    """The Result of a Pass state is a constant without paths and functions."""
    for thing in machine.of("Pass"):
        if thing.language == JSONPATH and "Result" in thing.body:
            for pointer, value in _texts(at(thing, "Result"), thing.body["Result"]):
                if _is_expression(value, machine):
                    message = f"a Result is a constant: {quoted(value)} is not evaluated"
                    yield Problem(
                        pointer, message, STATIC, Severity.WARNING, hint="use Parameters, with .$ behind the key"
                    )


def _texts(place: str, value: Json) -> Iterator[tuple[str, str]]:
    """Give the texts of a tree that look as if they were evaluated."""
    waiting = [(place, value)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend((f"{place}/{escape(key)}", inner) for key, inner in value.items())
        elif isinstance(value, list):
            waiting.extend((f"{place}/{i}", inner) for i, inner in enumerate(value))
        elif looks_evaluated(value):
            yield place, value


def _is_expression(text: str, machine: Machine) -> bool:
    if has_placeholder(text):
        return False
    if text.startswith("$"):
        return not isinstance(machine.path(text), ExpressionError)
    try:
        compile_expression(text, "")
    except (ExpressionError, RecursionError):
        return False
    return True
