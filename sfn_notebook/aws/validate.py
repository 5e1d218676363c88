"""Asking AWS what it thinks of a definition, and laying its answer beside ours.

`ask` calls ValidateStateMachineDefinition, which needs no state machine and no role, and turns its diagnostics into ours: the place
that AWS names as a path in the definition becomes a line and column of the source, in YAML and templates too. `merge` joins both lists
by position and says for each finding who found it. Placeholders that are not filled in go to AWS as they are, and it will say so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sfn_notebook.asl.document import Document
from sfn_notebook.aws.problems import problem
from sfn_notebook.aws.session import connect
from sfn_notebook.errors import Diagnostic, Severity

HERE: Final = "sfn-notebook"
AWS: Final = "AWS"
MOST: Final = 100
"""The most diagnostics that the service gives."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A finding and who found it: HERE, AWS, or both."""

    diagnostic: Diagnostic
    by: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.diagnostic} ({' and '.join(self.by)})"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What AWS answered: whether it would take the definition, its diagnostics, and whether it has more of them."""

    ok: bool
    diagnostics: tuple[Diagnostic, ...]
    truncated: bool = False


def ask(
    document: Document,
    session: Any = None,
    *,
    workflow_type: str = "STANDARD",
    profile: str | None = None,
    region: str | None = None,
    endpoint_url: str | None = None,
) -> Verdict:
    """Let AWS check a definition.

    Args:
        document: the definition.
        session: a boto3 session, or a Step Functions client; a session of our own by default.
        workflow_type: STANDARD or EXPRESS.
        profile: a profile of the AWS configuration, instead of a session.
        region: where to ask.
        endpoint_url: another endpoint than AWS.

    Raises:
        AwsError: the call was refused or never reached AWS.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    client, where = session, ""
    if not hasattr(session, "validate_state_machine_definition"):
        access = connect(session, profile=profile, region=region, endpoint_url=endpoint_url)
        client, where = access.client("stepfunctions"), access.where
    try:
        answer = client.validate_state_machine_definition(
            definition=text_for_aws(document), type=workflow_type, severity="WARNING", maxResults=MOST
        )
    except (ClientError, BotoCoreError) as error:
        raise problem(error, "ValidateStateMachineDefinition", where=where) from error
    found = tuple(_placed(item, document) for item in answer.get("diagnostics", ()))
    return Verdict(answer.get("result") == "OK", found, bool(answer.get("truncated")))


def text_for_aws(document: Document) -> str:
    """Give the definition as AWS takes it: its own text where that is JSON, else its value as JSON."""
    if document.format == "json" and not document.notices:
        return document.definition_text
    return json.dumps(document.value, ensure_ascii=False)


def _placed(item: Mapping[str, Any], document: Document) -> Diagnostic:
    pointer = str(item.get("location") or "").rstrip("/")
    severity = Severity.WARNING if item.get("severity") == "WARNING" else Severity.ERROR
    span = document.locate(pointer if not pointer or pointer.startswith("/") else f"/{pointer}")
    length = span.end_column - span.column if span.line == span.end_line else 1
    code, message = str(item.get("code", "")), str(item.get("message", ""))
    return Diagnostic(code, severity, message, pointer, span.line, span.column, None, max(1, length))


def merge(ours: Iterable[Diagnostic], theirs: Iterable[Diagnostic]) -> list[Judged]:
    """Join both lists, sorted by position; a finding of both (same place and code) stands once, in our words."""
    left = list(theirs)
    judged: list[Judged] = []
    for mine in ours:
        same = next((other for other in left if (other.pointer, other.code) == (mine.pointer, mine.code)), None)
        if same is not None:
            left.remove(same)
        judged.append(Judged(mine, (HERE, AWS) if same is not None else (HERE,)))
    judged += [Judged(other, (AWS,)) for other in left]
    return sorted(judged, key=lambda each: (each.diagnostic.line, each.diagnostic.column, each.diagnostic.code))
