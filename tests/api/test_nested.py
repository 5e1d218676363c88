"""A machine that starts another one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sfn_notebook import DefinitionError, RunError, StateMachine, TaskError

CHILD_ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:child"
CHILD = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 30, "Next": "T"},
         "T": {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f", "End": True}}}  # fmt: skip


def parent(pattern: str, **fields: Any) -> StateMachine:
    state = {"Type": "Task", "Resource": f"arn:aws:states:::states:startExecution{pattern}",
             "Parameters": {"StateMachineArn": CHILD_ARN, "Input": {"n": 1}, "Name": "c-1"}, "End": True, **fields}  # fmt: skip
    return StateMachine.load({"StartAt": "Start", "States": {"Start": state}}, name="parent")


def child() -> StateMachine:
    return StateMachine.load(CHILD, name="child")


@pytest.mark.parametrize("key", ["Start", "child", CHILD_ARN, "arn:aws:states:::states:startExecution.sync:2"])
def test_a_machine_is_bound_by_state_name_own_name_arn_or_resource(key: str) -> None:
    execution = parent(".sync:2").run({}, {key: child(), "T": lambda event: event["n"] + 1}, seed=1)
    assert execution.status == "SUCCEEDED"
    assert (execution.output["Output"], execution.output["Input"], execution.output["Status"]) == (
        2,
        {"n": 1},
        "SUCCEEDED",
    )
    assert execution.output["Name"] == "c-1"
    assert [(one.machine.name, one.output) for one in execution.nested] == [("child", 2)]


def test_sync_gives_texts_and_takes_the_time_that_the_child_takes() -> None:
    execution = parent(".sync").run({}, {"child": child(), "T": {"done": True}}, seed=1)
    assert json.loads(execution.output["Output"]) == {"done": True}
    assert json.loads(execution.output["Input"]) == {"n": 1}
    events = execution.history.raw
    assert (events[-1]["timestamp"] - events[0]["timestamp"]).total_seconds() == 30
    assert [event["type"] for event in events[2:6]] == [
        "TaskScheduled",
        "TaskStarted",
        "TaskSubmitted",
        "TaskSucceeded",
    ]


def test_request_response_does_not_wait_for_the_child() -> None:
    execution = parent("").run({}, {"child": child(), "T": 1}, seed=1)
    assert "Output" not in execution.output
    assert execution.output["ExecutionArn"].endswith(":execution:child:c-1")
    assert execution.history.raw[-1]["timestamp"] == execution.history.raw[0]["timestamp"]


def test_a_child_that_fails_fails_the_task_with_its_description() -> None:
    execution = parent(".sync").run({}, {"child": child(), "T": TaskError("Boom", "it broke")}, seed=1)
    assert (execution.status, execution.error) == ("FAILED", "States.TaskFailed")
    cause = json.loads(execution.cause or "")
    assert (cause["Status"], cause["Error"], cause["Cause"]) == ("FAILED", "Boom", "it broke")


def test_an_unknown_machine_fails_the_task_as_the_service_does() -> None:
    execution = parent(".sync").run({}, {"other": StateMachine.load(CHILD, name="other"), "T": 1}, seed=1)
    assert execution.error == "StepFunctions.StateMachineDoesNotExistException"


def test_the_same_seed_gives_the_same_children() -> None:
    runs = [parent(".sync:2").run({}, {"child": child(), "T": 5}, seed=3) for _ in range(2)]
    assert runs[0].history.raw == runs[1].history.raw
    assert runs[0].nested[0].history.raw == runs[1].nested[0].history.raw


def test_a_machine_that_starts_itself_for_ever_is_stopped() -> None:
    machine = parent(".sync")
    with pytest.raises(RunError, match="levels deep"):
        machine.run({}, {CHILD_ARN: machine}, seed=1)


def test_an_express_run_refuses_what_express_workflows_do_not_have() -> None:
    with pytest.raises(DefinitionError, match="sync"):
        parent(".sync").run({}, {"Start": 1}, type="EXPRESS")
