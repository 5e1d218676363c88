"""What a context object that is given for a test of one state may hold, in the words of the service's TestState."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sfn_notebook.errors import Json

CONTEXT: Mapping[str, Mapping[str, type]] = {
    "Execution": {
        "Id": str, "Input": object, "Name": str, "RoleArn": str, "StartTime": str, "RedriveCount": int, "RedriveTime": str,
    },
    "State": {"EnteredTime": str, "Name": str, "RetryCount": int},
    "StateMachine": {"Id": str, "Name": str},
    "Task": {"Token": str},
}  # fmt: skip
"""Members of a context object and their types."""

_NOUNS = {str: "a string", int: "a number"}


def context_problems(context: Json, *, waits: bool) -> Iterator[str]:
    """Yield what is wrong with a context object; `waits` says that the state under test gets a task token."""
    if not isinstance(context, dict):
        yield "Context object must be a JSON object"
        return
    if "Map" in context:
        yield "'Map' field is not supported when mocking a Context object"
    for name, value in context.items():
        if name not in CONTEXT:
            yield f"Field '{name}' is not allowed"
        elif not isinstance(value, dict):
            yield f"{name} must be an object"
        else:
            yield from _member_problems(name, value)
    if "Task" in context and not waits:
        where = "a Task state with a '.sync' or '.waitForTaskToken' service integration pattern"
        yield f"Context object contains 'Task' when state is not {where}"


def _member_problems(name: str, given: dict[str, Json]) -> Iterator[str]:
    for member, value in given.items():
        expected = CONTEXT[name].get(member)
        if expected is None:
            yield f"Field '{member}' is not allowed"
        elif not has_type(value, expected):
            yield f"{name}.{member} must be {_NOUNS[expected]}"


def has_type(value: Any, expected: type) -> bool:
    """Say whether a value has a type; true and false are no numbers."""
    return isinstance(value, expected) and not (expected is int and isinstance(value, bool))
