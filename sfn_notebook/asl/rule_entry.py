"""One line of the rule table: a rule, what it finds, and a wrong and a right example, which are its test and its documentation."""

from __future__ import annotations

from dataclasses import dataclass

from sfn_notebook.asl.rule import NO_SAMPLE, SCHEMA, Rule
from sfn_notebook.errors import Json, Severity

MARK = "»"
"""Stands in a wrong example where the diagnostic must be."""


@dataclass(frozen=True)
class Entry:
    """One kind of finding.

    Attributes:
        rule: the rule that finds it.
        title: what is found, for people.
        says: a part of the message.
        wrong: a definition that has it, with MARK at the place.
        right: a definition that the rule has nothing against.
        code: the code of the diagnostic.
        severity: ERROR or WARNING.
        workflow_type: what both examples are checked as.
        sample: a sample input for both examples.
    """

    rule: Rule
    title: str
    says: str
    wrong: str
    right: str
    code: str = SCHEMA
    severity: Severity = Severity.ERROR
    workflow_type: str = "STANDARD"
    sample: Json = NO_SAMPLE

    @property
    def place(self) -> tuple[int, int]:
        """Give line and column of the mark."""
        before = self.wrong.partition(MARK)[0]
        return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1

    @property
    def wrong_text(self) -> str:
        """Give the wrong example without the mark."""
        return self.wrong.replace(MARK, "", 1)


def machine(*states: str, start: str = "A", top: str = "") -> str:
    """Write a definition with one line for each state."""
    return f'{{{top}"StartAt": "{start}",\n "States": {{\n  ' + ",\n  ".join(states) + "\n}}"


def task(fields: str, name: str = "A", resource: str = "arn:aws:states:::aws-sdk:s3:listBuckets") -> str:
    """Write a Task that ends."""
    return f'"{name}": {{"Type": "Task", "Resource": "{resource}", {fields}"End": true}}'


def jsonata(fields: str, kind: str = "Pass") -> str:
    """Write a JSONata machine of one state."""
    return machine(f'"A": {{"Type": "{kind}", {fields}, "End": true}}', top='"QueryLanguage": "JSONata", ')


END = '"Z": {"Type": "Succeed"}'
LAMBDA = "arn:aws:lambda:us-east-1:123456789012:function:f"
