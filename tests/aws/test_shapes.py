"""Mocked results against the API models of services."""

from __future__ import annotations

from typing import Any

import pytest

from sfn_notebook.aws.shapes import misfit, response_shape

PUT = "arn:aws:states:::events:putEvents"
START = "arn:aws:states:::states:startExecution"
ENCRYPT = "arn:aws:states:::aws-sdk:kms:encrypt"


@pytest.mark.parametrize(
    ("resource", "result", "problem"),
    [
        (ENCRYPT, {"CiphertextBlob": 5}, "Field 'CiphertextBlob' must be a string"),
        (ENCRYPT, {"CiphertextBlob": ""}, "Field 'CiphertextBlob' is smaller than the minimum length"),
        (ENCRYPT, {"CiphertextBlob": "x" * 7000}, "Field 'CiphertextBlob' exceeds the maximum length"),
        (PUT, {"Entries": [{"EventId": "a"}, {"EventId": []}]}, "Field 'EventId' must be a string"),
        (PUT, {"Entries": {"EventId": "a"}}, "Field 'Entries' must be an array"),
        (PUT, {"Entries": ["a"]}, "Field 'Entries' must be an object"),
        (PUT, {"FailedEntryCount": True}, "Field 'FailedEntryCount' must be a number"),
        (PUT, [], "The mocked result must be a JSON object"),
        (START, {"ExecutionArn": "a", "StartDate": 1.5}, "Field 'StartDate' must be a string"),
        ("arn:aws:states:::aws-sdk:s3:getObject", {"DeleteMarker": "no"}, "Field 'DeleteMarker' must be a boolean"),
        ("arn:aws:states:::aws-sdk:s3:getObject", {"Metadata": {"k": 1}}, "Field 'k' must be a string"),
        (
            "arn:aws:states:::aws-sdk:sqs:receiveMessage",
            {"Messages": [{"MessageId": None}]},
            "Field 'MessageId' must be a string",
        ),
    ],
)
def test_a_result_that_the_service_cannot_give_is_named(resource: str, result: Any, problem: str) -> None:
    assert misfit(resource, result) == problem
    assert misfit(resource, result, "PRESENT") == problem
    assert misfit(resource, result, "NONE") is None


def test_required_members_count_in_strict_mode_only_and_are_capitalised() -> None:
    assert misfit(START, {"executionArn": "a", "startDate": "b"}) == "Required field 'ExecutionArn' is missing"
    assert misfit(START, {"executionArn": "a", "startDate": "b"}, "PRESENT") is None
    assert misfit(START, {"ExecutionArn": "a", "StartDate": "b"}) is None


@pytest.mark.parametrize(
    ("resource", "result"),
    [
        (PUT, {}),
        (PUT, {"unknown": 1, "SdkHttpMetadata": {"HttpStatusCode": 200}}),
        ("arn:aws:states:::lambda:invoke", {"Payload": {"any": ["json"]}, "StatusCode": 200}),
        ("arn:aws:states:::dynamodb:getItem", {"Item": {"id": {"S": "a"}, "n": {"N": "5"}}}),
        ("arn:aws:lambda:us-east-1:123456789012:function:f", "text"),
        ("arn:aws:states:us-east-1:123456789012:activity:a", 5),
        ("arn:aws:states:::sqs:sendMessage.waitForTaskToken", [1]),
        ("arn:aws:states:::states:startExecution.sync:2", {"Output": {}}),
        ("arn:aws:states:::http:invoke", {"ResponseBody": 1}),
        ("arn:aws:states:::aws-sdk:nosuchservice:list", {"A": 1}),
        ("arn:aws:states:::aws-sdk:kms:noSuchAction", {"CiphertextBlob": 1}),
        ("arn:aws:states:::aws-sdk:s3:deleteBucket", {"A": 1}),
    ],
)
def test_what_fits_or_has_no_model_is_let_through(resource: str, result: Any) -> None:
    assert misfit(resource, result) is None


def test_the_payload_of_the_plain_sdk_call_is_text() -> None:
    assert misfit("arn:aws:states:::aws-sdk:lambda:invoke", {"Payload": {}}) == "Field 'Payload' must be a string"


@pytest.mark.parametrize(
    ("service", "operation", "shape"),
    [
        ("cognitoidentityprovider", "listUsers", "ListUsersResponse"),
        ("sfn", "describeExecution", "DescribeExecutionOutput"),
    ],
)
def test_services_go_by_their_sdk_names(service: str, operation: str, shape: str) -> None:
    found = response_shape(f"arn:aws:states:::aws-sdk:{service}:{operation}")
    assert found is not None
    assert found[0].name == shape
