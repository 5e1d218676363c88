"""JSONata inside a definition: what AWS refuses when the machine is created, with the caret in the expression."""

from __future__ import annotations

import pytest

from sfn_notebook.asl.check import check
from sfn_notebook.asl.source import parse
from sfn_notebook.errors import Diagnostic


def diagnostics_of(output: str) -> tuple[Diagnostic, ...]:
    text = (
        '{"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": {"Type": "Pass",\n"Output": '
        + output
        + ', "End": true}}}'
    )
    return check(parse(text))


@pytest.mark.parametrize(
    ("output", "code", "column"),
    [
        ('"{% $states.input. %}"', "INVALID_JSONATA_EXPRESSION", 29),
        ('"{% name %}"', "UNSUPPORTED_JSONATA_EXPRESSION", 15),
        ('{"deep": ["{% $ %}"]}', "UNSUPPORTED_JSONATA_EXPRESSION", 25),
    ],
)
def test_a_refused_expression_is_found_at_its_character(output: str, code: str, column: int) -> None:
    (found,) = diagnostics_of(output)
    assert (found.code, found.line, found.column) == (code, 2, column)


@pytest.mark.parametrize(
    "output", ['"{% $states.input.name %}"', '"{% ${Placeholder} %}"', '"no expression {% $ %}"', "7", "null"]
)
def test_expressions_that_the_service_takes_and_plain_values_are_left_alone(output: str) -> None:
    assert [d for d in diagnostics_of(output) if d.code not in ("UNRESOLVED_PLACEHOLDER", "NOT_EVALUATED")] == []


@pytest.mark.parametrize(("output", "reason"), [('"{% 1"', "does not close"), ('"1 %}"', "does not open")])
def test_delimiters_come_in_pairs(output: str, reason: str) -> None:
    (found,) = diagnostics_of(output)
    assert (found.code, found.line, found.column) == ("SCHEMA_VALIDATION_FAILED", 2, 11)
    assert found.message == f"JSONata string must start with {{% and end with %}}: this one {reason}"
