import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from sfn_notebook.asl.check import check
from sfn_notebook.asl.source import parse
from sfn_notebook.aws.validate import AWS, HERE, ask, merge, text_for_aws
from sfn_notebook.errors import AwsError, Diagnostic, Severity

TEXT = '{"StartAt": "A",\n "States": {"A": {"Type": "Task", "Resource": "arn:aws:states:::dynamodb:query",\n  "End": true}}}'


@pytest.fixture
def stub() -> Iterator[Stubber]:
    client = boto3.client("stepfunctions", region_name="eu-west-1")
    with Stubber(client) as found:
        yield found
        found.assert_no_pending_responses()


def answer(*diagnostics: dict[str, Any], result: str = "FAIL", truncated: bool = False) -> dict[str, Any]:
    return {"result": result, "diagnostics": list(diagnostics), "truncated": truncated}


def finding(
    location: str, message: str, severity: str = "ERROR", code: str = "SCHEMA_VALIDATION_FAILED"
) -> dict[str, Any]:
    return {"severity": severity, "code": code, "message": message, "location": location}


def test_what_aws_says_gets_a_place_in_the_source(stub: Stubber) -> None:
    said = answer(finding("/States/A/Resource", "not recognized"), finding("/States/A", "hm", "WARNING", "ODD"))
    asked = {"definition": TEXT, "type": "EXPRESS", "severity": "WARNING", "maxResults": 100}
    stub.add_response("validate_state_machine_definition", said, asked)
    verdict = ask(parse(TEXT), stub.client, workflow_type="EXPRESS")
    assert not verdict.ok
    assert [(d.line, d.column, d.severity, d.message) for d in verdict.diagnostics] == [
        (2, TEXT.split("\n")[1].index('"arn') + 1, Severity.ERROR, "not recognized"),
        (2, 18, Severity.WARNING, "hm"),
    ]


def test_places_at_the_root_or_unknown_are_the_nearest_that_exists(stub: Stubber) -> None:
    said = answer(finding("/", "whole"), finding("/States/A/Nowhere/0", "deep"), truncated=True)
    stub.add_response("validate_state_machine_definition", said)
    verdict = ask(parse(TEXT), stub.client)
    assert verdict.truncated
    assert [(d.line, d.column) for d in verdict.diagnostics] == [(1, 1), (2, 18)]


def test_yaml_and_comments_go_to_aws_as_json(stub: Stubber) -> None:
    document = parse("StartAt: A\nStates:\n  A: {Type: Succeed}\n")
    stub.add_response("validate_state_machine_definition", answer(result="OK"))
    assert ask(document, stub.client).ok
    assert json.loads(text_for_aws(document)) == document.value
    assert json.loads(text_for_aws(parse('{"StartAt": "A" // x\n}'))) == {"StartAt": "A"}


def test_merging_says_who_found_what(stub: Stubber) -> None:
    document = parse(TEXT)
    said = answer(finding("/States/A/Resource", "in AWS's words"), finding("/States/A/End", "only there", code="ODD"))
    stub.add_response("validate_state_machine_definition", said)
    mine = [*check(document), Diagnostic("OURS", Severity.WARNING, "only here", "", 1, 1)]
    judged = merge(mine, ask(document, stub.client).diagnostics)
    assert [(each.diagnostic.code, each.by) for each in judged] == [
        ("OURS", (HERE,)),
        ("SCHEMA_VALIDATION_FAILED", (HERE, AWS)),
        ("ODD", (AWS,)),
    ]
    assert "not recognized" in judged[1].diagnostic.message
    assert str(judged[2]).endswith("(AWS)")


def test_a_refused_call_is_one_error(stub: Stubber) -> None:
    stub.add_client_error("validate_state_machine_definition", "AccessDeniedException", "no")
    with pytest.raises(AwsError, match="ValidateStateMachineDefinition"):
        ask(parse(TEXT), stub.client)


def test_a_session_makes_its_own_client(monkeypatch: pytest.MonkeyPatch, stub: Stubber) -> None:
    stub.add_response("validate_state_machine_definition", answer(result="OK"))
    session = boto3.Session(region_name="eu-west-1")
    monkeypatch.setattr(session, "client", lambda *_args, **_options: stub.client)
    assert ask(parse(TEXT), session).ok
