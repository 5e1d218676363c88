"""Counts and percentages that a definition gives as numbers, as numeric text, or by a path (the texts are recorded)."""

from __future__ import annotations

from sfn_notebook.errors import Json, RunError
from sfn_notebook.lang.environment import EvaluationFailure


def unresolved(value: str, field: str, state: str) -> RunError:
    """Say that a number is still a placeholder, which can be drawn and checked but not run."""
    name = value.removeprefix("${").removesuffix("}")
    return RunError(
        f'"{field}" of state "{state}" is {value!r} where a number is needed; '
        f'load the machine with substitutions={{"{name}": 60}} or the number that you mean'
    )


def whole(value: Json, field: str, definition: dict[str, Json] | None) -> int:
    """Read a count such as MaxConcurrency: numeric text counts, also from a path (recorded)."""
    path = definition.get(f"{field}Path") if definition else None
    try:
        number = int(value) if isinstance(value, str) else value
    except ValueError:
        number = None
    if isinstance(number, bool) or not isinstance(number, int | float) or number != int(number):
        shown = f'"{value}"' if isinstance(value, str) else value
        where = f": {path}" if path else ""
        raise EvaluationFailure(
            f"The {field}{'Path' if path else ''} field refers to value {shown} which is not a valid integer{where}"
        )
    if number < 0:
        raise EvaluationFailure(f"{field} cannot be negative.")
    return int(number)


def percentage(value: Json, definition: dict[str, Json]) -> float:
    """Read ToleratedFailurePercentage."""
    path = definition.get("ToleratedFailurePercentagePath")
    try:
        number = float(value) if isinstance(value, str) else value
    except ValueError:
        number = None
    if isinstance(number, bool) or not isinstance(number, int | float):
        shown = f'"{value}"' if isinstance(value, str) else value
        field = f"ToleratedFailurePercentage{'Path' if path else ''}"
        where = f": {path}" if path else ""
        raise EvaluationFailure(f"The {field} field refers to value {shown} which is not a valid float{where}")
    if not 0 <= number <= 100:
        raise EvaluationFailure("ToleratedFailurePercentage must be between 0 and 100.")
    return float(number)
