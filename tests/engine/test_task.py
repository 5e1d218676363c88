"""The Task state: what each family of resources writes, its data, its timers, its failures."""

from typing import Any

import pytest

from sfn_notebook import PENDING, After, Execution, Outcomes, Raw, StateMachine, TaskError
from sfn_notebook.engine.task import parse_resource

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:price"
ACTIVITY = "arn:aws:states:us-east-1:123456789012:activity:approve"
QUEUE = "arn:aws:states:::sqs:sendMessage"


def run(resource: str, handler: Any, data: Any = None, **fields: Any) -> Execution:
    reachable = {rule["Next"]: {"Type": "Pass", "End": True} for rule in fields.get("Catch", ())}
    state = {"Type": "Task", "Resource": resource, "End": True, **fields}
    machine = StateMachine.load({"StartAt": "T", "States": {"T": state, **reachable}})
    return machine.run(data, {"T": handler}, seed=1)


def told(execution: Execution) -> list[tuple[int, int, str, dict[str, Any] | None]]:
    rows = []
    for event in execution.history.raw:
        details = next((value for key, value in event.items() if key.endswith("EventDetails")), None)
        if details is not None:
            details = {key: value for key, value in details.items() if not key.endswith("Details") and key != "roleArn"}
        rows.append((event["id"], event["previousEventId"], event["type"], details))
    return rows


def types(execution: Execution) -> list[str]:
    return [event["type"] for event in execution.history.raw]


def seconds(execution: Execution) -> float:
    raw = execution.history.raw
    return float((raw[-1]["timestamp"] - raw[0]["timestamp"]).total_seconds())


# ---- resources


@pytest.mark.parametrize(
    ("resource", "family", "resource_type", "action", "pattern"),
    [
        (FUNCTION, "lambda", "", "", "request"),
        (f"{FUNCTION}:$LATEST", "lambda", "", "", "request"),
        ("arn:aws-cn:lambda:cn-north-1:123456789012:function:f", "lambda", "", "", "request"),
        (ACTIVITY, "activity", "", "", "request"),
        ("arn:aws:states:::lambda:invoke", "task", "lambda", "invoke", "request"),
        ("arn:aws:states:::lambda:invoke.waitForTaskToken", "task", "lambda", "invoke.waitForTaskToken", "token"),
        (QUEUE, "task", "sqs", "sendMessage", "request"),
        (f"{QUEUE}.waitForTaskToken", "task", "sqs", "sendMessage.waitForTaskToken", "token"),
        ("arn:aws:states:::states:startExecution.sync", "task", "states", "startExecution.sync", "sync"),
        ("arn:aws:states:::states:startExecution.sync:2", "task", "states", "startExecution.sync:2", "sync"),
        ("arn:aws:states:::aws-sdk:dynamodb:getItem", "task", "aws-sdk:dynamodb", "getItem", "request"),
        ("arn:aws:states:::http:invoke", "task", "http", "invoke", "request"),
    ],
)
def test_a_resource_names_family_type_action_and_pattern(
    resource: str, family: str, resource_type: str, action: str, pattern: str
) -> None:
    service = parse_resource(resource)
    assert (service.family, service.resource_type, service.action, service.pattern) == (
        family, resource_type, action, pattern,
    )  # fmt: skip
    assert service.outside is (pattern == "token" or family == "activity")


# ---- events of each family


def test_a_lambda_function_by_arn() -> None:
    assert told(run(FUNCTION, {"price": 2}, {"sku": "a"})) == [
        (1, 0, "ExecutionStarted", {"input": '{"sku":"a"}'}),
        (2, 0, "TaskStateEntered", {"name": "T", "input": '{"sku":"a"}'}),
        (3, 2, "LambdaFunctionScheduled", {"resource": FUNCTION, "input": '{"sku":"a"}'}),
        (4, 3, "LambdaFunctionStarted", None),
        (5, 4, "LambdaFunctionSucceeded", {"output": '{"price":2}'}),
        (6, 5, "TaskStateExited", {"name": "T", "output": '{"price":2}'}),
        (7, 6, "ExecutionSucceeded", {"output": '{"price":2}'}),
    ]


def test_a_failing_lambda_function() -> None:
    assert told(run(FUNCTION, TaskError("Boom", "why")))[4:] == [
        (5, 4, "LambdaFunctionFailed", {"error": "Boom", "cause": "why"}),
        (6, 5, "ExecutionFailed", {"error": "Boom", "cause": "why"}),
    ]


def test_a_service() -> None:
    named = {"resourceType": "sqs", "resource": "sendMessage"}
    execution = run(QUEUE, {"MessageId": "m"}, {"text": "hi"}, Parameters={"MessageBody.$": "$.text"})
    assert told(execution) == [
        (1, 0, "ExecutionStarted", {"input": '{"text":"hi"}'}),
        (2, 0, "TaskStateEntered", {"name": "T", "input": '{"text":"hi"}'}),
        (3, 2, "TaskScheduled", {**named, "region": "us-east-1", "parameters": '{"MessageBody":"hi"}'}),
        (4, 3, "TaskStarted", named),
        (5, 4, "TaskSucceeded", {**named, "output": '{"MessageId":"m"}'}),
        (6, 5, "TaskStateExited", {"name": "T", "output": '{"MessageId":"m"}'}),
        (7, 6, "ExecutionSucceeded", {"output": '{"MessageId":"m"}'}),
    ]


def test_a_service_that_reports_its_submission() -> None:
    execution = run("arn:aws:states:::states:startExecution.sync:2", {"Status": "SUCCEEDED"})
    assert types(execution)[2:6] == ["TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded"]
    assert [event["previousEventId"] for event in execution.history.raw] == [0, 0, 2, 3, 4, 5, 6, 7]


def test_an_activity() -> None:
    execution = run(ACTIVITY, {"ok": True}, {"doc": 1}, TimeoutSeconds=60, HeartbeatSeconds=10)
    assert told(execution)[2:5] == [
        (
            3,
            2,
            "ActivityScheduled",
            {"resource": ACTIVITY, "timeoutInSeconds": 60, "heartbeatInSeconds": 10, "input": '{"doc":1}'},
        ),
        (4, 3, "ActivityStarted", {}),
        (5, 4, "ActivitySucceeded", {"output": '{"ok":true}'}),
    ]
    assert types(run(ACTIVITY, TaskError("No", "because")))[3:] == [
        "ActivityStarted",
        "ActivityFailed",
        "ExecutionFailed",
    ]


def test_credentials_and_timeouts_stand_in_the_scheduled_event() -> None:
    fields: dict[str, Any] = {
        "Credentials": {"RoleArn.$": "$.role"}, "TimeoutSecondsPath": "$.most", "HeartbeatSecondsPath": "$.beat", "Parameters": {},
    }  # fmt: skip
    data = {"role": "arn:aws:iam::123456789012:role/r", "most": 20, "beat": 5}
    details = told(run(QUEUE, {}, data, **fields))[2][3]
    assert details is not None
    assert details["taskCredentials"] == {"roleArn": "arn:aws:iam::123456789012:role/r"}
    assert (details["timeoutInSeconds"], details["heartbeatInSeconds"]) == (20, 5)


# ---- data


def test_the_stages_of_the_data_flow_come_in_their_order() -> None:
    seen: list[Any] = []

    def handler(value: Any) -> Any:
        seen.append(value)
        return {"answer": value["n"] * 2, "noise": "x"}

    fields: dict[str, Any] = {
        "InputPath": "$.in", "Parameters": {"n.$": "$.number", "fixed": "$.number"},
        "ResultSelector": {"double.$": "$.answer", "state.$": "$$.State.Name"}, "ResultPath": "$.result", "OutputPath": "$.result",
    }  # fmt: skip
    execution = run(QUEUE, handler, {"in": {"number": 4}, "out": 1}, **fields)
    assert seen == [{"n": 4, "fixed": "$.number"}]
    assert execution.output == {"double": 8, "state": "T"}


@pytest.mark.parametrize(
    ("fields", "given", "output"),
    [
        ({"InputPath": None}, {}, {"r": 1}),
        ({"InputPath": "$.a"}, {"b": 2}, {"r": 1}),
        ({"OutputPath": None}, {"a": {"b": 2}}, {}),
        ({"ResultPath": None}, {"a": {"b": 2}}, {"a": {"b": 2}}),
        ({"ResultPath": "$.a.c"}, {"a": {"b": 2}}, {"a": {"b": 2, "c": {"r": 1}}}),
        ({"ResultPath": "$.a"}, {"a": {"b": 2}}, {"a": {"r": 1}}),
        ({"ResultPath": "$.x.y"}, {"a": {"b": 2}}, {"a": {"b": 2}, "x": {"y": {"r": 1}}}),
        ({"ResultPath": "$.a", "OutputPath": "$.a.r"}, {"a": {"b": 2}}, 1),
        ({"InputPath": "$.a", "ResultPath": "$.c"}, {"b": 2}, {"a": {"b": 2}, "c": {"r": 1}}),
        ({"InputPath": "$$.Execution.Input.a.b"}, 2, {"r": 1}),
        ({"Parameters": {}}, {}, {"r": 1}),
        ({"Parameters": {"s.$": "States.Format('{}!', $.a.b)"}}, {"s": "2!"}, {"r": 1}),
        ({"ResultSelector": {"x.$": "$.r"}, "ResultPath": "$.a"}, {"a": {"b": 2}}, {"a": {"x": 1}}),
    ],
)
def test_paths_of_a_task(fields: dict[str, Any], given: Any, output: Any) -> None:
    seen: list[Any] = []

    def handler(value: Any) -> Any:
        seen.append(value)
        return {"r": 1}

    execution = run(QUEUE, handler, {"a": {"b": 2}}, **fields)
    assert execution.status == "SUCCEEDED", execution.cause
    assert seen == [given]
    assert execution.output == output


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({"InputPath": "$.x"}, "Invalid path '$.x' : No results for path: $['x']"),
        ({"OutputPath": "$.x"}, "Invalid path '$.x' : No results for path: $['x']"),
        ({"TimeoutSecondsPath": "$.x"}, "Invalid path '$.x' : No results for path: $['x']"),
        ({"InputPath": "$.x.y.z"}, "Invalid path '$.x.y.z' : Missing property in path $['x']"),
        (
            {"Parameters": {"v.$": "$.x"}},
            "The JSONPath '$.x' specified for the field 'v.$' could not be found in the input '{\"a\":1}'",
        ),
        (
            {"ResultSelector": {"v.$": "$.x"}},
            "The JSONPath '$.x' specified for the field 'v.$' could not be found in the input '{\"r\":1}'",
        ),
    ],
)
def test_a_path_that_finds_nothing_is_a_runtime_error_with_the_text_of_the_service(fields: Any, cause: str) -> None:
    execution = run(QUEUE, {"r": 1}, {"a": 1}, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Never"}], **fields)
    assert (execution.status, execution.error) == ("FAILED", "States.Runtime")
    prefix = "An error occurred while executing the state 'T' (entered at the event id #2). "
    assert execution.cause == prefix + cause
    assert types(execution)[-1] == "ExecutionFailed"


def test_result_path_onto_something_that_is_no_object_fails() -> None:
    execution = run(QUEUE, {"r": 1}, {"a": 5}, ResultPath="$.a.b")
    assert execution.status == "FAILED"
    assert execution.error == "States.ReferencePathConflict"


# ---- time


def test_an_answer_takes_no_time_unless_it_says_so() -> None:
    assert seconds(run(QUEUE, {})) == 0
    assert seconds(run(QUEUE, After(90.5, {}))) == 90.5


@pytest.mark.parametrize(
    ("resource", "event", "named"),
    [
        (QUEUE, "TaskTimedOut", {"resourceType": "sqs", "resource": "sendMessage"}),
        (FUNCTION, "LambdaFunctionTimedOut", {}),
        (ACTIVITY, "ActivityTimedOut", {}),
    ],
)
def test_a_late_answer_is_a_timeout_at_the_very_second(resource: str, event: str, named: dict[str, str]) -> None:
    execution = run(resource, After(31, {}), TimeoutSeconds=30)
    assert (execution.status, execution.error, execution.cause) == ("FAILED", "States.Timeout", None)
    assert told(execution)[-2][2:] == (event, {**named, "error": "States.Timeout"})
    assert told(execution)[-1][3] == {"error": "States.Timeout"}
    assert seconds(execution) == 30


def test_an_answer_in_time_is_no_timeout() -> None:
    execution = run(QUEUE, After(29, {"ok": 1}), TimeoutSeconds=30)
    assert execution.output == {"ok": 1}
    assert seconds(execution) == 29


def test_a_missed_heartbeat_is_a_timeout_without_cause() -> None:
    execution = run(f"{QUEUE}.waitForTaskToken", After(20, {}), TimeoutSeconds=30, HeartbeatSeconds=5)
    assert (execution.error, execution.cause) == ("States.Timeout", None)
    assert types(execution)[-2] == "TaskTimedOut"
    assert seconds(execution) == 5


def test_a_timeout_is_retried_and_caught_like_other_errors() -> None:
    retry = [{"ErrorEquals": ["States.Timeout"], "IntervalSeconds": 10}]
    execution = run(QUEUE, Outcomes([After(99, {}), After(3, {"ok": 1})]), TimeoutSeconds=5, Retry=retry)
    assert execution.output == {"ok": 1}
    assert seconds(execution) == 5 + 10 + 3
    catch = [{"ErrorEquals": ["States.Timeout"], "Next": "Late"}]
    assert run(QUEUE, After(99, {}), TimeoutSeconds=5, Catch=catch).output == {"Error": "States.Timeout", "Cause": ""}


def test_timers_of_an_attempt_that_is_over_do_nothing_to_the_next_state() -> None:
    states: dict[str, Any] = {
        "T": {"Type": "Task", "Resource": QUEUE, "TimeoutSeconds": 10, "HeartbeatSeconds": 8, "Next": "W"},
        "W": {"Type": "Wait", "Seconds": 100, "Next": "U"},
        "U": {"Type": "Task", "Resource": QUEUE, "TimeoutSeconds": 10, "End": True},
    }
    machine = StateMachine.load({"StartAt": "T", "States": states})
    execution = machine.run(None, {"T": After(2, {}), "U": After(9, {"ok": 1})}, seed=1)
    assert execution.output == {"ok": 1}
    assert seconds(execution) == 111


@pytest.mark.parametrize("value", [0, -1, "x", None, True, []])
def test_a_timeout_path_to_something_that_is_no_number_of_seconds_fails_the_execution(value: Any) -> None:
    execution = run(QUEUE, {}, {"t": value}, TimeoutSecondsPath="$.t")
    assert (execution.status, execution.error) == ("FAILED", "States.Runtime")


def test_the_machine_itself_may_time_out() -> None:
    states = {"W": {"Type": "Wait", "Seconds": 60, "End": True}}
    execution = StateMachine.load({"StartAt": "W", "TimeoutSeconds": 30, "States": states}).run(seed=1)
    assert (execution.status, execution.error) == ("TIMED_OUT", "States.Timeout")
    assert seconds(execution) == 30


# ---- tokens and context


def test_a_task_token_is_in_the_context_of_its_own_attempt_only() -> None:
    tokens: list[str] = []

    def handler(value: Any) -> Any:
        tokens.append(value["token"])
        raise TaskError("Again")

    fields: dict[str, Any] = {
        "Parameters": {"token.$": "$$.Task.Token"},
        "Retry": [{"ErrorEquals": ["Again"], "MaxAttempts": 2}],
    }
    run(f"{QUEUE}.waitForTaskToken", Raw(handler), **fields)
    assert len(tokens) == len(set(tokens)) == 3


def test_the_context_of_a_task() -> None:
    parameters = {"Parameters": {"all.$": "$$"}}
    seen: list[Any] = []

    def handler(value: Any) -> Any:
        seen.append(value["all"])
        return 1

    run(QUEUE, handler, {"k": 1}, **parameters)
    (context,) = seen
    assert set(context) == {"Execution", "StateMachine", "State"}
    assert set(context["Execution"]) == {"Id", "Input", "StartTime", "Name", "RoleArn", "RedriveCount"}
    assert context["Execution"]["Input"] == {"k": 1}
    assert context["Execution"]["Id"].endswith(f":{context['StateMachine']['Name']}:{context['Execution']['Name']}")
    assert context["State"] == {"Name": "T", "EnteredTime": "2025-01-01T00:00:00Z", "RetryCount": 0}


def test_a_sync_task_has_a_token_too() -> None:
    resource = "arn:aws:states:::states:startExecution.sync"
    execution = run(resource, {"ok": 1}, Parameters={"Input": {"Token.$": "$$.Task.Token"}})
    assert execution.status == "SUCCEEDED"


def test_a_task_left_to_the_outside_keeps_the_execution_running() -> None:
    execution = run(QUEUE, PENDING, TimeoutSeconds=30)
    assert execution.status == "RUNNING"
    assert [task.state for task in execution.pending] == ["T"]
    assert types(execution)[-1] == "TaskStarted"
