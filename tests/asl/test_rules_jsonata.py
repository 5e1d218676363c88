"""JSONata inside a definition: what AWS refuses when the machine is created, with the caret in the expression."""

from __future__ import annotations

import pytest

from sfn_notebook.asl.check import check
from sfn_notebook.asl.source import parse
from sfn_notebook.errors import Diagnostic


def check_strictly(output: str) -> tuple[Diagnostic, ...]:
    return diagnostics_of(output, strict=True)


def diagnostics_of(output: str, *, strict: bool = False) -> tuple[Diagnostic, ...]:
    text = (
        '{"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": {"Type": "Pass",\n"Output": '
        + output
        + ', "End": true}}}'
    )
    return check(parse(text), strict=strict)


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


def test_every_name_that_there_is_not_is_found() -> None:
    found = diagnostics_of('"{% aaa + [1, bbb] %}"')
    assert [(d.code, d.column, d.message) for d in found] == [
        ("UNSUPPORTED_JSONATA_EXPRESSION", 15, "Reference to 'aaa' at the top level is not supported."),
        ("UNSUPPORTED_JSONATA_EXPRESSION", 25, "Reference to 'bbb' at the top level is not supported."),
    ]


def test_a_placeholder_inside_a_string_is_told_and_the_rest_is_judged() -> None:
    found = diagnostics_of("\"{% '${Bucket}' & name %}\"")
    assert [(d.code, d.column) for d in found] == [
        ("UNRESOLVED_PLACEHOLDER", 16),
        ("UNSUPPORTED_JSONATA_EXPRESSION", 29),
    ]
    assert [d.severity.value for d in check_strictly("\"{% '${Bucket}' %}\"")] == ["ERROR"]


@pytest.mark.parametrize(
    "output",
    [
        '"{% ${Given} & name %}"',
        "\"{% $match($states.input.a, /'/) & ${Given} & '/' %}\"",
        '"{% $states.input.a[${Index}] %}"',
    ],
)
def test_what_a_placeholder_outside_of_strings_will_say_is_not_known(output: str) -> None:
    assert {d.code for d in diagnostics_of(output)} == {"UNRESOLVED_PLACEHOLDER"}


@pytest.mark.parametrize(
    "output", ['"{% $states.input.items.${name:price} %}"', '"{% $states.input.items{name:price} %}"']
)
def test_a_group_is_no_placeholder(output: str) -> None:
    assert diagnostics_of(output) == ()
