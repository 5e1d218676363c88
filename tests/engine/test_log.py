"""Events as boto3 gives them: shapes of details, payload text, timestamps, and which members an event has."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from sfn_notebook import StateMachine
from sfn_notebook.engine import log

FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:price"


def history_of(states: dict[str, Any], data: Any = None, handlers: Any = None) -> list[dict[str, Any]]:
    definition = {"StartAt": next(iter(states)), "States": states}
    return StateMachine.load(definition, name="orders").run(data, handlers, name="run-1", seed=1).history.raw


def test_the_first_and_the_last_event_have_every_member_of_the_service() -> None:
    first, *_, last = history_of({"A": {"Type": "Pass", "End": True}}, {"ü": 1})
    start = datetime(2025, 1, 1, tzinfo=UTC)
    assert first == {
        "timestamp": start,
        "type": "ExecutionStarted",
        "id": 1,
        "previousEventId": 0,
        "executionStartedEventDetails": {
            "input": '{"ü":1}',
            "inputDetails": {"truncated": False},
            "roleArn": "arn:aws:iam::123456789012:role/sfn-notebook",
        },
    }
    assert last == {
        "timestamp": start,
        "type": "ExecutionSucceeded",
        "id": 4,
        "previousEventId": 3,
        "executionSucceededEventDetails": {"output": '{"ü":1}', "outputDetails": {"truncated": False}},
    }


def test_timestamps_are_aware_and_move_with_the_virtual_clock() -> None:
    raw = history_of({"W": {"Type": "Wait", "Seconds": 90, "End": True}})
    assert [event["timestamp"] for event in raw] == [
        datetime(2025, 1, 1, 0, minute, second, tzinfo=UTC) for minute, second in ((0, 0), (0, 0), (1, 30), (1, 30))
    ]


def test_assigned_variables_are_json_text_one_by_one() -> None:
    states = {"A": {"Type": "Pass", "Assign": {"n": 1, "text": "t", "object": {"k": [None]}}, "End": True}}
    exited = history_of(states)[2]["stateExitedEventDetails"]
    assert exited["assignedVariables"] == {"n": "1", "text": '"t"', "object": '{"k":[null]}'}
    assert exited["assignedVariablesDetails"] == {"truncated": False}


def test_a_state_that_assigns_nothing_has_no_assigned_variables() -> None:
    assert "assignedVariables" not in history_of({"A": {"Type": "Pass", "End": True}})[2]["stateExitedEventDetails"]


def test_details_members_are_named_after_the_type_as_boto3_does() -> None:
    states: dict[str, Any] = {
        "M": {
            "Type": "Map",
            "Next": "P",
            "ItemProcessor": {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": FUNCTION, "End": True}}},
        },
        "P": {
            "Type": "Parallel",
            "Next": "C",
            "Branches": [{"StartAt": "B", "States": {"B": {"Type": "Pass", "End": True}}}],
        },
        "C": {"Type": "Choice", "Choices": [{"Variable": "$", "IsPresent": True, "Next": "F"}]},
        "F": {"Type": "Fail", "Error": "E"},
    }
    member_of = {
        event["type"]: [key for key in event if key.endswith("Details")] for event in history_of(states, [1], {"T": 2})
    }
    assert member_of == {
        "ExecutionStarted": ["executionStartedEventDetails"],
        "MapStateEntered": ["stateEnteredEventDetails"],
        "MapStateStarted": ["mapStateStartedEventDetails"],
        "MapIterationStarted": ["mapIterationStartedEventDetails"],
        "TaskStateEntered": ["stateEnteredEventDetails"],
        "LambdaFunctionScheduled": ["lambdaFunctionScheduledEventDetails"],
        "LambdaFunctionStarted": [],
        "LambdaFunctionSucceeded": ["lambdaFunctionSucceededEventDetails"],
        "TaskStateExited": ["stateExitedEventDetails"],
        "MapIterationSucceeded": ["mapIterationSucceededEventDetails"],
        "MapStateSucceeded": [],
        "MapStateExited": ["stateExitedEventDetails"],
        "ParallelStateEntered": ["stateEnteredEventDetails"],
        "ParallelStateStarted": [],
        "PassStateEntered": ["stateEnteredEventDetails"],
        "PassStateExited": ["stateExitedEventDetails"],
        "ParallelStateSucceeded": [],
        "ParallelStateExited": ["stateExitedEventDetails"],
        "ChoiceStateEntered": ["stateEnteredEventDetails"],
        "ChoiceStateExited": ["stateExitedEventDetails"],
        "FailStateEntered": ["stateEnteredEventDetails"],
        "ExecutionFailed": ["executionFailedEventDetails"],
    }  # fmt: skip


@pytest.mark.parametrize(
    "data", [None, 0, "", [], {}, "text", [1, None], {"a": {"b": 1.5}}, 1e100, 'quote" \\ \n \u2028 ü 🙂']
)
def test_payload_text_reads_back_as_the_value(data: Any) -> None:
    entered = history_of({"A": {"Type": "Pass", "End": True}}, {"d": data})[1]["stateEnteredEventDetails"]
    assert json.loads(entered["input"]) == {"d": data}


def test_events_can_be_read_piecewise_and_one_by_one() -> None:
    states = {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "End": True}}
    execution = StateMachine.load({"StartAt": "A", "States": states}).run(seed=1)
    flat = execution.engine.log
    everything = list(log.events(flat))
    assert [event["id"] for event in everything] == [1, 2, 3, 4, 5, 6]
    assert list(log.events(flat, 2, 4)) == everything[1:4]
    assert log.event(flat, 5) == everything[4]
    assert list(log.events(flat, 7)) == []


def test_every_kind_of_event_is_one_that_the_service_has_and_names_its_details_as_it_does() -> None:
    boto3 = pytest.importorskip("boto3")
    client = boto3.client("stepfunctions", region_name="us-east-1")
    event = client.meta.service_model.operation_model("GetExecutionHistory").output_shape.members["events"].member
    types = set(event.members["type"].enum)
    for kind in log.KINDS:
        assert kind.type in types
        assert kind.member == "" or kind.member in event.members


def test_details_hold_only_what_the_service_has_in_them() -> None:
    boto3 = pytest.importorskip("boto3")
    client = boto3.client("stepfunctions", region_name="us-east-1")
    event = client.meta.service_model.operation_model("GetExecutionHistory").output_shape.members["events"].member
    states: dict[str, Any] = {
        "T": {
            "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "TimeoutSeconds": 30, "HeartbeatSeconds": 5,
            "Parameters": {"t.$": "$$.Task.Token"}, "Credentials": {"RoleArn": "arn:aws:iam::123456789012:role/r"}, "Next": "L",
        },
        "L": {"Type": "Task", "Resource": FUNCTION, "TimeoutSeconds": 3, "Assign": {"a.$": "$"}, "Next": "A"},
        "A": {
            "Type": "Task", "Resource": "arn:aws:states:us-east-1:123456789012:activity:a", "TimeoutSeconds": 3, "HeartbeatSeconds": 1,
            "End": True,
        },
    }  # fmt: skip
    for found in history_of(states, {}, {"*": 1}):
        for member, details in found.items():
            shape = event.members[member]
            if shape.type_name == "structure":
                assert set(details) <= set(shape.members), found
