"""The checker: run every rule over a definition and place what they find in its text.

`RULES` is the whole list. A rule is a generator function that takes a `Machine` and yields `Problem`s (see `asl.rule`); its docstring
says what must hold. Adding one is writing the function in the module of its subject and adding one entry here. Rules do not depend
on each other or on their order: the result is sorted by position.
"""

from __future__ import annotations

from collections.abc import Iterable

from sfn_notebook.asl import rules_fields, rules_flow, rules_text
from sfn_notebook.asl.document import Document
from sfn_notebook.asl.rule import Machine, Problem, Rule
from sfn_notebook.errors import Diagnostic, Severity

RULES: tuple[Rule, ...] = (
    rules_fields.definition_size,
    rules_fields.duplicate_keys,
    rules_fields.required_fields,
    rules_fields.states_are_objects,
    rules_fields.known_fields,
    rules_fields.field_types,
    rules_fields.query_languages,
    rules_fields.state_names,
    rules_flow.start_exists,
    rules_flow.targets_exist,
    rules_flow.next_or_end,
    rules_flow.states_are_reachable,
    rules_flow.has_an_end,
    rules_flow.choices_not_empty,
    rules_flow.choice_rules,
    rules_flow.wait_has_one_form,
    rules_flow.one_of_two,
    rules_flow.branches_not_empty,
    rules_flow.distributed_maps,
    rules_flow.error_names,
    rules_text.expressions,
    rules_text.jsonata,
    rules_text.timestamps,
    rules_text.resources,
    rules_text.item_readers,
    rules_text.placeholders,
)
"""Every rule, in no particular order."""


def check(
    document: Document, *, strict: bool = False, workflow_type: str = "STANDARD", rules: Iterable[Rule] = RULES
) -> tuple[Diagnostic, ...]:
    """Find everything that is wrong with a definition.

    Args:
        document: the definition with its text.
        strict: unresolved placeholders are errors.
        workflow_type: STANDARD or EXPRESS, as CreateStateMachine takes it.
        rules: the rules to run.

    Returns:
        The diagnostics, sorted by position, then severity.
    """
    machine = Machine(document, workflow_type, strict)
    found = {_placed(problem, document) for rule in rules for problem in rule(machine)}
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
