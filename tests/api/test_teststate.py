"""`try_state` answers as TestState does: the data, the error handling, the refusals."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

from sfn_notebook import CommandError, StateMachine
from sfn_notebook.api.testrequest import RequestError, machine_of_state
from sfn_notebook.api.teststate import try_state

LAMBDA = "arn:aws:states:::lambda:invoke"
ROLE = "arn:aws:iam::210987654321:role/tester"
TASK = {"Type": "Task", "Resource": LAMBDA, "Parameters": {"FunctionName": "f", "Payload.$": "$"}, "End": True}
BRANCH = {"StartAt": "In", "States": {"In": {"Type": "Pass", "End": True}}}
PARALLEL = {"Type": "Parallel", "Branches": [BRANCH], "End": True}
MAP = {
    "Type": "Map",
    "ItemsPath": "$.list",
    "ItemProcessor": {**BRANCH, "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}},
    "End": True,
}


def attempt(state: dict[str, Any], **request: Any) -> dict[str, Any]:
    answer = try_state(StateMachine.load(machine_of_state(state)), seed=1, **request)
    for member in ("output",):
        if member in answer:
            answer[member] = json.loads(answer[member])
    return answer


def shown(state: dict[str, Any], **request: Any) -> dict[str, Any]:
    data = attempt(state, inspection_level="DEBUG", **request)["inspectionData"]
    return {name: json.loads(value) if isinstance(value, str) else value for name, value in data.items()}


def refusal(state: dict[str, Any], **request: Any) -> tuple[str, str]:
    with pytest.raises(RequestError) as caught:
        attempt(state, **request)
    return caught.value.code, caught.value.message


# ---- what a state does


def test_a_pass_state_gives_output_and_next_state() -> None:
    answer = attempt({"Type": "Pass", "Result": {"a": 1}, "ResultPath": "$.r", "Next": "Then"}, input={"b": 2})
    assert answer == {"status": "SUCCEEDED", "output": {"b": 2, "r": {"a": 1}}, "nextState": "Then"}


def test_output_and_data_are_json_text() -> None:
    answer = try_state(
        StateMachine.load(machine_of_state({"Type": "Succeed"})), input=[1, "é"], inspection_level="TRACE"
    )
    assert answer["output"] == '[1,"é"]'
    assert answer["inspectionData"] == {"input": '[1,"é"]', "afterInputPath": '[1,"é"]'}


def test_text_is_json_text_as_in_the_api() -> None:
    answer = attempt(TASK, input='{"a": [1]}', mock={"result": '{"StatusCode": 200}'}, variables='{"v": 1}')
    assert answer["output"] == {"StatusCode": 200}


def test_a_mocked_task_shows_its_stages() -> None:
    assert shown({**TASK, "ResultPath": "$.r"}, input={"a": 1}, mock={"result": {"Payload": 5}}) == {
        "input": {"a": 1},
        "afterInputPath": {"a": 1},
        "afterParameters": {"FunctionName": "f", "Payload": {"a": 1}},
        "result": {"Payload": 5},
        "afterResultSelector": {"Payload": 5},
        "afterResultPath": {"a": 1, "r": {"Payload": 5}},
    }


def test_info_shows_no_stages() -> None:
    assert "inspectionData" not in attempt(TASK, mock={"result": {}})


def test_variables_are_those_after_the_state() -> None:
    state = {**TASK, "Assign": {"new.$": "$.Payload", "old.$": "States.MathAdd($old, 1)"}}
    assert shown(state, mock={"result": {"Payload": 5}}, variables={"old": 1, "kept": 0})["variables"] == {
        "old": 2,
        "kept": 0,
        "new": 5,
    }
    assert "variables" not in shown(TASK, mock={"result": {}}, variables={})


@pytest.mark.parametrize(
    ("data", "following"),
    [({"n": 1}, "One"), ({"n": 2}, "Other")],
)
def test_a_choice_gives_the_state_of_its_rule_or_the_default(data: Any, following: str) -> None:
    rule = {"Variable": "$.n", "NumericEquals": 1, "Next": "One"}
    answer = attempt({"Type": "Choice", "Choices": [rule], "Default": "Other"}, input=data)
    assert answer == {"status": "SUCCEEDED", "output": data, "nextState": following}


def test_a_choice_rule_assigns() -> None:
    rule = {"Condition": "{% true %}", "Next": "One", "Assign": {"a": "{% $states.input %}"}, "Output": 7}
    state = {"Type": "Choice", "QueryLanguage": "JSONata", "Choices": [rule]}
    assert attempt(state, input=3)["output"] == 7
    assert shown(state, input=3) == {"input": 3, "variables": {"a": 3}}


def test_a_wait_is_over_at_once_and_its_field_is_checked() -> None:
    state = {"Type": "Wait", "SecondsPath": "$.s", "Next": "Then"}
    assert attempt(state, input={"s": 99_999_999})["nextState"] == "Then"
    failed = attempt(state, input={"s": -1})
    assert (failed["status"], failed["error"]) == ("FAILED", "States.Runtime")
    assert failed["cause"] == "The SecondsPath parameter references a negative value: $.s == -1"


def test_a_fail_state_gives_what_it_has() -> None:
    assert attempt({"Type": "Fail", "Error": "E"}) == {"status": "FAILED", "error": "E"}


def test_a_cause_does_not_name_the_state() -> None:
    answer = attempt({"Type": "Pass", "InputPath": "$.none", "End": True}, inspection_level="DEBUG")
    assert answer["cause"].startswith("Invalid path '$.none'")
    assert answer["inspectionData"] == {"input": "{}"}


def test_a_field_that_only_the_schedule_needs_fails_the_task() -> None:
    answer = attempt({**TASK, "TimeoutSecondsPath": "$.none"}, mock={"result": {}})
    assert (answer["status"], answer["error"]) == ("FAILED", "States.Runtime")


def test_a_state_inside_another_can_be_tested_by_its_name() -> None:
    machine = StateMachine.load({"StartAt": "P", "States": {"P": PARALLEL}})
    assert try_state(machine, "In", input=5)["output"] == "5"


# ---- errors

RETRY = [
    {"ErrorEquals": ["A"], "MaxAttempts": 1},
    {"ErrorEquals": ["B"], "IntervalSeconds": 3, "BackoffRate": 2, "MaxAttempts": 4},
]
CATCH = [
    {"ErrorEquals": ["A"], "Next": "H"},
    {"ErrorEquals": ["States.ALL"], "Next": "I", "ResultPath": "$.e", "Assign": {"c.$": "$.Cause"}},
]
ERROR = {"errorOutput": {"error": "B", "cause": "why"}}


def test_an_error_is_retriable_while_attempts_are_left() -> None:
    answer = attempt({**TASK, "Retry": RETRY, "Catch": CATCH}, mock=ERROR, state_configuration={"retrierRetryCount": 2})
    assert answer == {"status": "RETRIABLE", "error": "B", "cause": "why"}
    details = shown({**TASK, "Retry": RETRY}, mock=ERROR, state_configuration={"retrierRetryCount": 2})["errorDetails"]
    assert details == {"retryIndex": 1, "retryBackoffIntervalSeconds": 12}


def test_an_error_is_caught_when_no_attempt_is_left() -> None:
    request: dict[str, Any] = {"mock": ERROR, "state_configuration": {"retrierRetryCount": 4}, "input": {"a": 1}}
    answer = attempt({**TASK, "Retry": RETRY, "Catch": CATCH}, **request)
    caught = {"a": 1, "e": {"Error": "B", "Cause": "why"}}
    assert answer == {"status": "CAUGHT_ERROR", "error": "B", "cause": "why", "nextState": "I", "output": caught}
    data = shown({**TASK, "Retry": RETRY, "Catch": CATCH}, **request)
    assert data["errorDetails"] == {"catchIndex": 1}
    assert data["variables"] == {"c": "why"}
    assert "result" not in data


def test_an_error_that_nobody_takes_fails() -> None:
    assert attempt({**TASK, "Retry": RETRY[:1]}, mock=ERROR) == {"status": "FAILED", "error": "B", "cause": "why"}
    assert "errorDetails" not in shown(TASK, mock=ERROR)


def test_an_error_of_a_catch_rule_replaces_the_first_one() -> None:
    rule = {"ErrorEquals": ["B"], "Next": "H", "Output": "{% $none %}"}
    state = {"Type": "Task", "QueryLanguage": "JSONata", "Resource": LAMBDA, "Catch": [rule], "End": True}
    answer = attempt(state, mock=ERROR)
    assert (answer["status"], answer["error"]) == ("FAILED", "States.QueryEvaluationError")
    assert "'Catch[0]/Output'" in answer["cause"]


def test_an_expression_that_fails_can_be_caught_too() -> None:
    rule = {"ErrorEquals": ["States.QueryEvaluationError"], "Next": "H"}
    state = {
        "Type": "Task",
        "QueryLanguage": "JSONata",
        "Resource": LAMBDA,
        "Output": "{% $none %}",
        "Catch": [rule],
        "End": True,
    }
    assert attempt(state, mock={"result": {}})["status"] == "CAUGHT_ERROR"


# ---- Map and Parallel


def test_a_parallel_takes_its_result_and_shows_the_output_side_only() -> None:
    data = shown({**PARALLEL, "InputPath": "$.a", "ResultPath": "$.r"}, input={"a": 1}, mock={"result": [5]})
    assert data == {"input": {"a": 1}, "afterResultSelector": [5], "afterResultPath": {"a": 1, "r": [5]}}


def test_a_map_compares_failures_with_what_it_tolerates() -> None:
    request: dict[str, Any] = {"input": {"list": [1, 2, 3, 4]}, "mock": {"result": [0, 0, 0, 0]}}

    def status(failed: int, **fields: Any) -> str:
        answer = attempt({**MAP, **fields}, state_configuration={"mapIterationFailureCount": failed}, **request)
        return str(answer.get("error", answer["status"]))

    exceeded = "States.ExceedToleratedFailureThreshold"
    assert status(4) == "SUCCEEDED"
    assert status(2, ToleratedFailureCount=2) == "SUCCEEDED"
    assert status(3, ToleratedFailureCount=2) == exceeded
    assert status(2, ToleratedFailurePercentage=50) == "SUCCEEDED"
    assert status(3, ToleratedFailurePercentage=50) == exceeded


def test_a_map_shows_its_items_and_numbers() -> None:
    data = shown({**MAP, "MaxConcurrency": 2, "ToleratedFailureCount": 1}, input={"list": [1]}, mock={"result": ["x"]})
    assert data["afterItemsPath"] == [1]
    assert (data["maxConcurrency"], data["toleratedFailureCount"]) == (2, 1)
    assert "result" not in data


@pytest.mark.parametrize(
    ("kind", "source", "items"),
    [
        ("JSON", "[1, 2]", [1, 2]),
        ("JSON", [1, 2], [1, 2]),
        ("JSONL", "1\n2\n", [1, 2]),
        ("CSV", "a,b\n1,2\n3", [{"a": "1", "b": "2"}, {"a": "3", "b": ""}]),
    ],
)
def test_what_a_reader_reads_can_be_given(kind: str, source: Any, items: Any) -> None:
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": kind, **({"CSVHeaderLocation": "FIRST_ROW"} if kind == "CSV" else {})},
        "Parameters": {"Bucket": "b", "Key": "k"},
    }
    state = {**MAP, "ItemReader": reader, "ItemSelector": {"v.$": "$$.Map.Item.Value"}}
    data = shown(state, mock={"result": []}, state_configuration={"mapItemReaderData": source})
    assert data["afterItemSelector"] == [{"v": item} for item in items]


def test_a_listing_can_be_given() -> None:
    reader = {"Resource": "arn:aws:states:::s3:listObjectsV2", "Parameters": {"Bucket": "b"}}
    state = {**MAP, "ItemReader": reader, "ItemSelector": {"v.$": "$$.Map.Item.Value.Key"}}
    data = shown(state, mock={"result": []}, state_configuration={"mapItemReaderData": [{"Key": "x"}]})
    assert data["afterItemSelector"] == [{"v": "x"}]


@pytest.mark.parametrize("resource", ["arn:aws:states:::s3:getObject", "arn:aws:states:::s3:listObjectsV2"])
def test_a_source_that_cannot_be_read_fails_the_map(resource: str) -> None:
    reader = {
        "Resource": resource,
        "ReaderConfig": {"InputType": "JSON"},
        "Parameters": {"Bucket": "b", "Key": "k"},
    }
    answer = attempt({**MAP, "ItemReader": reader}, mock={"result": []}, state_configuration={"mapItemReaderData": "{"})
    assert (answer["status"], answer["error"]) == ("FAILED", "States.ItemReaderFailed")


# ---- context object


def test_the_context_object_is_that_of_an_express_execution() -> None:
    state = {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $states.context %}", "End": True}
    context = attempt(state, input={"a": 1}, role_arn=ROLE)["output"]
    assert context["Execution"]["Input"] == {"a": 1}
    assert context["Execution"]["RoleArn"] == ROLE
    assert ":210987654321:express:StateMachine:" in context["Execution"]["Id"]
    assert "RedriveCount" not in context["Execution"]
    assert context["State"] == {"Name": "StateName", "EnteredTime": "2025-01-01T00:00:00Z"}
    assert attempt(state)["output"]["Execution"]["RoleArn"] is None


def test_a_mocked_context_object_is_taken_as_it_is() -> None:
    context = {"Execution": {"Name": "n"}, "Task": {"Token": "t"}}
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": {"all.$": "$$"},
        "End": True,
    }
    assert shown(state, mock={"result": 1}, context=context)["afterParameters"] == {"all": context}


def test_a_token_is_made_up_for_a_task_that_needs_one() -> None:
    state = {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "End": True}
    data = shown({**state, "Parameters": {"t.$": "$$.Task.Token"}}, mock={"result": 1})
    assert data["afterParameters"]["t"]


def test_the_retries_so_far_are_in_the_context_object() -> None:
    state = {**TASK, "Parameters": {"n.$": "$$.State.RetryCount"}, "Retry": RETRY[1:]}
    assert shown(state, mock={"result": {}}, state_configuration={"retrierRetryCount": 2})["afterParameters"] == {
        "n": 2
    }


@pytest.mark.parametrize(
    ("context", "problem"),
    [
        ({"Other": {}}, "Field 'Other' is not allowed"),
        ({"State": {"Other": 1}}, "Field 'Other' is not allowed"),
        ({"StateMachine": {"Name": 5}}, "StateMachine.Name must be a string"),
        ({"State": {"RetryCount": True}}, "State.RetryCount must be a number"),
        ({"State": []}, "State must be an object"),
        ({"Map": {"Item": {}}}, "'Map' field is not supported when mocking a Context object"),
        ([], "Context object must be a JSON object"),
    ],
)
def test_a_context_object_that_cannot_be_is_refused(context: Any, problem: str) -> None:
    assert refusal(TASK, mock={"result": {}}, context=context) == (
        "ValidationException",
        f"Invalid Context object provided: {problem}",
    )


def test_a_token_belongs_to_the_patterns_that_wait() -> None:
    code, message = refusal(TASK, mock={"result": {}}, context={"Task": {"Token": "t"}})
    assert code == "ValidationException"
    assert "contains 'Task' when state is not a Task state with a '.sync' or '.waitForTaskToken'" in message


# ---- refusals


@pytest.mark.parametrize(
    ("state", "request_", "code", "message"),
    [
        (TASK, {}, "ValidationException", "RoleArn must be specified when testing a Task state"),
        (
            {"Type": "Succeed"},
            {"mock": ERROR},
            "ValidationException",
            "State type 'Succeed' is not supported when a mock is specified",
        ),
        (PARALLEL, {"mock": {"result": {}}}, "ValidationException", "Mocked result must be an array."),
        (MAP, {"mock": {"result": 5}}, "ValidationException", "Mocked result must be an array."),
        (
            {**MAP, "ResultWriter": {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "b"}}},
            {"mock": {"result": []}},
            "ValidationException",
            "Mocked result must be a JSON object.",
        ),
        (
            MAP,
            {"mock": {"result": [1]}, "input": {"list": [1]}, "state_configuration": {"mapIterationFailureCount": 2}},
            "ValidationException",
            "Map iteration failure count must be less than or equal to the number of Map iterations",
        ),
        (
            TASK,
            {"mock": {"result": {"StatusCode": "200"}}},
            "ValidationException",
            "Mock result schema validation error: Field 'StatusCode' must be a number",
        ),
        (
            TASK,
            {"mock": {"result": {}, **ERROR}},
            "ValidationException",
            "A test mock should have only one of the following fields: [result, errorOutput].",
        ),
        (
            {"Type": "Pass", "End": True},
            {"name": "Nobody"},
            "ValidationException",
            "State not found in definition",
        ),
    ],
)
def test_what_the_service_refuses_is_refused_in_its_words(
    state: dict[str, Any], request_: dict[str, Any], code: str, message: str
) -> None:
    assert refusal(state, **request_) == (code, message)


@pytest.mark.parametrize("state", [MAP, PARALLEL])
def test_maps_and_parallels_need_a_mock(state: dict[str, Any]) -> None:
    code, message = refusal(state, role_arn=ROLE)
    assert code == "InvalidDefinition"
    assert message.startswith("TestState API does not support Map or Parallel states.")


@pytest.mark.parametrize(
    ("request_", "line"),
    [
        ({"name": ""}, "Invalid length for parameter stateName, value: 0, valid min length: 1"),
        (
            {"mock": {"results": 1}},
            'Unknown parameter in mock: "results", must be one of: result, errorOutput, fieldValidationMode',
        ),
        (
            {"state_configuration": {"retrierRetryCount": -1}},
            "Invalid value for parameter stateConfiguration.retrierRetryCount, value: -1, valid min value: 0",
        ),
        (
            {"state_configuration": {"mapIterationFailureCount": "1"}},
            (
                "Invalid type for parameter stateConfiguration.mapIterationFailureCount, value: 1, "
                "type: <class 'str'>, valid types: <class 'int'>"
            ),
        ),
    ],
)
def test_what_a_client_refuses_is_refused_in_its_words(request_: dict[str, Any], line: str) -> None:
    assert refusal(TASK, **request_) == ("ParamValidationError", f"Parameter validation failed:\n{line}")


@pytest.mark.parametrize(
    "request_",
    [
        {"inspection_level": "ALL"},
        {"mock": {"result": {}, "fieldValidationMode": "LAX"}},
        {"mock": {"errorOutput": {"cause": "c"}}},
        {"mock": {}},
        {"mock": {"result": "{"}},
        {"mock": {"result": {}}, "variables": [1]},
        {"mock": {"result": {}}, "variables": "NaN"},
        {"context": {}},
        {"mock": {"result": {}}, "input": ["x" * 300_000]},
    ],
)
def test_other_requests_that_make_no_sense_are_refused(request_: dict[str, Any]) -> None:
    assert refusal(TASK, **request_)[0] == "ValidationException"


def test_input_that_is_no_json_text_is_refused() -> None:
    assert refusal({"Type": "Succeed"}, input="{")[0] == "InvalidExecutionInput"


def test_the_state_that_causes_an_error_lies_inside() -> None:
    known = {"mock": ERROR, "state_configuration": {"errorCausedByState": "In"}}
    assert attempt(PARALLEL, **known)["status"] == "FAILED"
    assert refusal(PARALLEL, mock=ERROR, state_configuration={"errorCausedByState": "Out"})[0] == "ValidationException"


def test_a_wrong_definition_is_refused_with_place_and_code() -> None:
    code, message = refusal({"Type": "Nothing"})
    assert code == "InvalidDefinition"
    assert message.startswith("Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: ")
    assert " at /States/StateName/Type'" in message


@pytest.mark.parametrize(
    "resource", ["arn:aws:states:us-east-1:123456789012:activity:a", "arn:aws:states:::states:startExecution.sync"]
)
def test_what_only_a_mock_can_answer_needs_one(resource: str) -> None:
    assert refusal({"Type": "Task", "Resource": resource, "End": True}, role_arn=ROLE)[0] == "InvalidDefinition"


def test_nobody_is_called_and_the_message_says_what_to_do() -> None:
    with pytest.raises(CommandError, match="give its answer with mock=") as caught:
        attempt(TASK, role_arn=ROLE)
    assert not isinstance(caught.value, RequestError)


def test_a_refusal_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(RequestError("C", "m")))
    assert (error.code, error.message, str(error)) == ("C", "m", "m (C)")


def test_the_same_seed_gives_the_same_answer() -> None:
    state = {"Type": "Pass", "Parameters": {"id.$": "States.UUID()"}, "End": True}
    assert attempt(state) == attempt(state)


def test_a_lone_state_keeps_the_states_that_it_leads_to() -> None:
    made = machine_of_state({"Type": "Choice", "Choices": [{"Next": "A"}], "Default": "B"})
    assert made["StartAt"] == "StateName"
    assert set(made["States"]) == {"StateName", "A", "B"}
