"""The data flow of JSONata states: Arguments, Output, Assign, with `$states` and the state's variables.

`$states` holds input, context and, where there is one, result or errorOutput. Expressions are compiled once by `lang.jsonata`; a
failure becomes `States.QueryEvaluationError` with the field path that AWS names (`Output/result`) as its location.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sfn_notebook.engine.frames import Failure
from sfn_notebook.errors import Json
from sfn_notebook.lang.jsonata import JsonataTemplate, compile_tree, expect, is_expression, strip_expression
from sfn_notebook.strictjson import json_text

if TYPE_CHECKING:
    from sfn_notebook.engine.frames import Frame

Growth = tuple[int, int] | None
_OTHER_STATES = re.compile(r"\$states(?!\s*\.\s*(?:input|result|errorOutput)\b)")
"""Any use of `$states` that may reach the context object, which is costly enough to build only on demand."""
_RESULT_TYPES = ("Task", "Parallel", "Map")


class Template:
    """A compiled tree together with what it needs of a frame."""

    __slots__ = ("constant", "needs_context", "tree", "value")

    def __init__(self, value: Json, field: str) -> None:
        self.value = value
        self.tree: JsonataTemplate = compile_tree(value, field)
        self.constant = self.tree.constant
        self.needs_context = any(_OTHER_STATES.search(expression.text) for _, expression in self.tree.expressions)

    def evaluate(self, frame: Frame, data: Json, **more: Json) -> Json:
        """Evaluate for a frame: `data` is `$states.input`, `more` are the further members of `$states`."""
        states: dict[str, Json] = {"input": data, **more}
        if self.needs_context:
            states["context"] = frame.context()
        return self.tree.evaluate({**frame.variables, "states": states}, frame.random, frame.engine.now / 1000)

    def expect(self, value: Json, kind: str) -> Json:
        """Give the value when it has the JSON type, else fail with AWS's text."""
        text = strip_expression(self.value) if is_expression(self.value) else str(self.value)
        expect(value, kind, text, self.tree.field)
        return value


def compile_parts(definition: dict[str, Json]) -> tuple[Any, Any, Any, Any, Growth]:
    """Give (view, effective, complete, assign, growth) of one state."""
    effective = _field(definition, "Arguments")
    has_result = definition["Type"] in _RESULT_TYPES
    complete = _result_field(definition, "Output", has_result=has_result)
    assign = _result_field(definition, "Assign", has_result=has_result)
    plain = "Output" not in definition
    return None, effective, complete, assign, (1, 0) if plain else None


def _field(definition: dict[str, Json], field: str) -> Callable[[Json, Frame], Json] | None:
    if field not in definition:
        return None
    template = Template(definition[field], field)
    if template.constant:
        value = definition[field]
        return lambda data, frame: value
    return lambda data, frame: template.evaluate(frame, data)


def _result_field(
    definition: dict[str, Json], field: str, *, has_result: bool
) -> Callable[[Json, Json, Frame], Json] | None:
    if field not in definition:
        return None
    template = Template(definition[field], field)
    if template.constant:
        value = definition[field]
        return lambda data, result, frame: value
    if has_result:
        return lambda data, result, frame: template.evaluate(frame, data, result=result)
    return lambda data, result, frame: template.evaluate(frame, data)


def compile_value(definition: dict[str, Json], field: str) -> Callable[[Json, Frame], Json] | None:
    """Compile one field that takes an expression, such as `TimeoutSeconds` or `Items`."""
    return _field(definition, field)


def compile_catch_output(rule: dict[str, Json], index: int) -> Callable[[Json, Json, Frame], Json]:
    """Compile a Catch rule's `Output`; without one the error output is passed on."""
    if "Output" not in rule:
        return lambda data, error, frame: error
    template = Template(rule["Output"], f"Catch[{index}]/Output")
    return lambda data, error, frame: template.evaluate(frame, data, errorOutput=error)


def compile_catch_assign(rule: dict[str, Json], index: int) -> Callable[[Json, Json, Frame], Json] | None:
    """Compile the `Assign` of a Catch rule; `$states.errorOutput` holds the error."""
    if "Assign" not in rule:
        return None
    template = Template(rule["Assign"], f"Catch[{index}]/Assign")
    return lambda data, error, frame: template.evaluate(frame, data, errorOutput=error)


def compile_rule(rule: dict[str, Json], index: int) -> tuple[Any, Any, Any]:
    """Compile one Choice rule to (predicate, output, assign); the condition must give true or false."""
    template = Template(rule["Condition"], f"Choices[{index}]/Condition")

    def holds(data: Json, frame: Frame) -> bool:
        return template.expect(template.evaluate(frame, data), "boolean") is True

    output = _result_field(rule, "Output", has_result=False)
    assign = _result_field(rule, "Assign", has_result=False)
    return holds, output, assign


def compile_credentials(value: Json) -> Callable[[Json, Frame], Json]:
    """Compile `Credentials` into the `taskCredentials` of the Scheduled event."""
    template = Template(value, "Credentials")
    return lambda data, frame: {"roleArn": template.evaluate(frame, data).get("RoleArn")}


def compile_items(definition: dict[str, Json]) -> Callable[[Json, Frame], list[Json]]:
    """Compile Items: (input, frame) -> the array to iterate over; without the field it is the state's input."""
    if "Items" not in definition:
        return _items_from_input
    template = Template(definition["Items"], "Items")

    def items(data: Json, frame: Frame) -> list[Json]:
        found: list[Json] = template.expect(template.evaluate(frame, data), "array")
        return found

    return items


def _items_from_input(data: Json, frame: Frame) -> list[Json]:
    if not isinstance(data, list):
        text = f"Map state input must be an array but was: {json_text(data)}"
        raise Failure("States.QueryEvaluationError", text, evaluation=True, own=True)
    return data


def compile_distributed_items(definition: dict[str, Json]) -> Callable[[Json, Frame], Any]:
    """Compile Items for a Distributed Map, which also takes an object."""
    template = Template(definition["Items"], "Items") if "Items" in definition else None

    def items(data: Json, frame: Frame) -> Json:
        found = data if template is None else template.evaluate(frame, data)
        if isinstance(found, list | dict):
            return found
        return _items_from_input(found, frame) if template is None else template.expect(found, "array")

    return items


def compile_template_value(value: Json, field: str) -> Callable[[Json, Frame], Json]:
    """Compile a tree with expressions that stands inside another field."""
    template = Template(value, field)
    return lambda data, frame: template.evaluate(frame, data)


def compile_selector(definition: dict[str, Json]) -> Callable[..., Json] | None:
    """Compile ItemSelector: (input, frame, index, item, more of `Map.Item`) -> its input."""
    if "ItemSelector" not in definition:
        return None
    template = Template(definition["ItemSelector"], "ItemSelector")

    def select(data: Json, frame: Frame, index: int, item: Json, more: dict[str, Json] | None = None) -> Json:
        frame.item = {"Index": index, "Value": item, **(more or {})}
        try:
            return template.evaluate(frame, data)
        finally:
            frame.item = None

    return select
