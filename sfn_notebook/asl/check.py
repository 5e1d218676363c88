"""The checker: run every rule over a definition and place what they find in its text.

A rule is a generator function that takes a `Machine` and yields `Problem`s (see `asl.rule`); its docstring says what must hold.
Adding one is writing the function in the module of its subject and adding one entry, with its examples, to the table
(`asl.rulebook`). Rules do not depend on each other or on their order: the result is sorted by position.
"""

from __future__ import annotations

from collections.abc import Iterable

from sfn_notebook.asl.document import Document
from sfn_notebook.asl.rule import NO_SAMPLE, Machine, Problem, Rule
from sfn_notebook.asl.rulebook import BOOK
from sfn_notebook.asl.rules_advice import ADVICE
from sfn_notebook.errors import Diagnostic, Json, Severity

RULES: tuple[Rule, ...] = tuple(dict.fromkeys(entry.rule for entry in BOOK))
"""Every rule, in no particular order."""


def check(
    document: Document,
    *,
    strict: bool = False,
    workflow_type: str = "STANDARD",
    sample: Json = NO_SAMPLE,
    advice: bool = True,
    rules: Iterable[Rule] = RULES,
) -> tuple[Diagnostic, ...]:
    """Find everything that is wrong with a definition.

    Args:
        document: the definition with its text.
        strict: unresolved placeholders are errors.
        workflow_type: STANDARD or EXPRESS, as CreateStateMachine takes it.
        sample: an input from which the data flow is followed; without it the input may hold anything.
        advice: also give what is true of many working machines (`ADVICE`).
        rules: the rules to run.

    Returns:
        The diagnostics, sorted by position, then severity.
    """
    machine = Machine(document, workflow_type, strict=strict, sample=sample)
    found: set[Diagnostic] = set()
    for rule in rules:
        for problem in rule(machine):
            if advice or problem.code not in ADVICE:
                found.add(_placed(problem, document))
    return tuple(sorted(found, key=_order))


def _order(diagnostic: Diagnostic) -> tuple[int, int, bool, str, str]:
    is_warning = diagnostic.severity is not Severity.ERROR
    return diagnostic.line, diagnostic.column, is_warning, diagnostic.code, diagnostic.message


def _placed(problem: Problem, document: Document) -> Diagnostic:
    """Turn a problem into a diagnostic with its line and column."""
    if problem.span is not None:
        span = problem.span
    elif problem.offset is not None:
        span = document.locate_inside(problem.pointer, problem.offset)
    else:
        span = document.locate(problem.pointer, key=problem.key)
    length = span.end_column - span.column if span.line == span.end_line else 1
    return Diagnostic(
        problem.code,
        problem.severity,
        problem.message,
        problem.pointer,
        span.line,
        span.column,
        problem.hint,
        max(1, length),
    )
