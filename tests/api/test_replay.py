"""Replay and backtest: the same machine does the same, an edited one shows what would have been."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from sfn_notebook import PENDING, After, DefinitionError, History, Outcomes, RunError, StateMachine, TaskError
from sfn_notebook.api.executions import Executions
from sfn_notebook.api.replay import backtest, replay

SQS = "arn:aws:states:::sqs:sendMessage"
ORDER: dict[str, Any] = {
    "StartAt": "Load",
    "States": {
        "Load": {"Type": "Task", "Resource": SQS, "ResultPath": "$.order", "Next": "Check"},
        "Check": {"Type": "Choice", "Choices": [{"Variable": "$.order.total", "NumericGreaterThan": 10, "Next": "Pay"}], "Default": "Free"},
        "Pay": {"Type": "Task", "Resource": SQS, "TimeoutSeconds": 20, "End": True},
        "Free": {"Type": "Succeed"},
    },
}  # fmt: skip


def edited(**changes: Any) -> StateMachine:
    definition = copy.deepcopy(ORDER)
    for state, fields in changes.items():
        definition["States"].setdefault(state, {}).update(fields)
    return StateMachine.load(definition)


def run(total: int, pay: Any = "paid") -> Any:
    return StateMachine.load(ORDER).run({}, {"Load": {"total": total}, "Pay": pay}, seed=1)


def test_the_same_machine_does_the_same() -> None:
    execution = run(20)
    found = replay(StateMachine.load(ORDER), History.from_events(execution.history.raw))
    assert found.same
    assert (found.verdict, found.execution.output, str(found)) == ("same", "paid", "same: SUCCEEDED → SUCCEEDED")
    assert len(found.frame) == 0


def test_an_edited_machine_shows_where_it_goes_another_way() -> None:
    machine = edited(Check={"Choices": [{"Variable": "$.order.total", "NumericGreaterThan": 50, "Next": "Pay"}]})
    found = replay(machine, run(20).history)
    assert found.verdict == "changed"
    assert [str(d) for d in found.differences[:2]] == [
        "missing TaskStateEntered of Pay",
        "missing TaskScheduled of Pay",
    ]
    assert "SucceedStateEntered" in found.frame["type"].to_list()


def test_a_fix_is_seen_and_so_is_what_it_breaks() -> None:
    failed = run(20, TaskError("Busy", "")).history
    retried = edited(Pay={"Catch": [{"ErrorEquals": ["Busy"], "Next": "Free"}]})
    assert replay(retried, failed).verdict == "fixed"
    rule = {"Variable": "$.order.total", "IsString": True, "Next": "Pay"}
    wrong = edited(Check={"Choices": [rule]}, Free={"Type": "Fail"})
    assert replay(wrong, run(20).history).verdict == "broken"


def test_a_task_that_was_never_called_is_missing_unless_a_handler_answers_it() -> None:
    machine = edited(Check={"Choices": [{"Variable": "$.order.total", "NumericGreaterThan": 1, "Next": "Pay"}]})
    history = run(5).history
    found = replay(machine, history)
    assert (found.verdict, found.missing, found.execution.status) == ("unknown", ("Pay",), "RUNNING")
    assert "no recorded outcome for Pay" in str(found)
    assert replay(machine, history, {"Pay": 1}).execution.output == 1


def test_recorded_durations_meet_changed_timeouts() -> None:
    slow = run(20, After(15, "late")).history
    assert replay(StateMachine.load(ORDER), slow).same
    assert replay(edited(Pay={"TimeoutSeconds": 10}), slow).execution.error == "States.Timeout"


def test_payload_keys_can_be_ignored() -> None:
    machine = edited(Load={"ResultSelector": {"total.$": "$.total", "at": "now"}})
    history = run(5).history
    assert not replay(machine, history).same
    assert replay(machine, history, ignore=["at"]).same


def test_an_aborted_and_a_waiting_run_end_where_they_ended() -> None:
    machine = StateMachine.load(ORDER)
    waiting = run(20, PENDING)
    assert replay(machine, waiting.history).verdict == "same"
    waiting.engine.abort("Stopped", "by hand")
    found = replay(machine, History.from_events(waiting.history.raw))
    assert (found.same, found.execution.status, found.before) == (True, "ABORTED", "ABORTED")


def test_heartbeats_that_kept_a_task_alive_need_not_be_known() -> None:
    machine = StateMachine.load({"StartAt": "C", "States": {"C": {
        "Type": "Task", "Resource": f"{SQS}.waitForTaskToken", "HeartbeatSeconds": 10, "End": True}}})  # fmt: skip
    execution = machine.run({})
    token = execution.pending[0].token
    execution.advance(8).send_task_heartbeat(token).advance(8).send_task_success(token, 1)
    assert replay(machine, execution.history).same


def test_a_history_that_does_not_begin_at_the_start_is_refused() -> None:
    with pytest.raises(RunError, match="must begin with the event ExecutionStarted"):
        replay(StateMachine.load(ORDER), History.from_events(run(5).history.raw[2:]))


def test_a_distributed_map_is_repeated_with_or_without_its_children() -> None:
    inner = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, "StartAt": "T",
             "States": {"T": {"Type": "Task", "Resource": SQS, "End": True}}}  # fmt: skip
    machine = StateMachine.load({"StartAt": "D", "States": {"D": {"Type": "Map", "ItemProcessor": inner, "End": True}}})
    execution = machine.run([1, 2], {"T": lambda data: {"n": data}}, seed=1)
    alone = replay(machine, History.from_events(execution.history.raw))
    whole = replay(machine, execution)
    assert (alone.same, whole.same) == (True, True)
    assert alone.execution.output == whole.execution.output == [{"n": 1}, {"n": 2}]
    assert len(whole.execution.engine.map_runs) == 1
    assert alone.execution.engine.map_runs == []


def test_backtest_gives_a_row_for_each_execution() -> None:
    histories = [run(5).history, run(20), run(20, TaskError("Busy", "")), History.from_events(run(5).history.raw[1:])]
    machine = edited(
        Pay={"Catch": [{"ErrorEquals": ["Busy"], "Next": "Free"}]},
        Check={"Choices": [{"Variable": "$.order.total", "NumericGreaterThan": 1, "Next": "Pay"}]},
    )
    found = backtest(machine, histories)
    assert found["verdict"].to_list() == ["unknown", "same", "fixed", "unknown"]
    assert found["before"].to_list()[:3] == ["SUCCEEDED", "SUCCEEDED", "FAILED"]
    assert found["error_before"].to_list()[2] == "Busy"
    assert found["missing"].to_list()[0] == "Pay"
    assert found["first"].to_list()[2] == "missing ExecutionFailed"
    assert list(backtest(machine, Executions.of(histories[:2]))["differences"])[1] == 0


def test_a_wrong_definition_is_refused_before_anything_is_run() -> None:
    machine = StateMachine.load({"StartAt": "X", "States": {}})
    with pytest.raises(DefinitionError):
        backtest(machine, [])


@pytest.mark.parametrize("seed", range(8))
def test_random_delays_before_retries_are_those_that_were_recorded(seed: int) -> None:
    retry = [{"ErrorEquals": ["Boom"], "IntervalSeconds": 20, "MaxAttempts": 2, "JitterStrategy": "FULL"}]
    function = "arn:aws:lambda:us-east-1:123456789012:function:f"
    first = {"Type": "Task", "Resource": function, "Retry": retry, "Next": "B"}
    states = {"A": first, "B": {"Type": "Task", "Resource": function, "End": True}}
    machine = StateMachine.load({"StartAt": "A", "TimeoutSeconds": 25, "States": states})
    execution = machine.run({}, {"A": Outcomes([TaskError("Boom"), TaskError("Boom"), 1]), "B": 2}, seed=seed)
    assert machine.replay(execution.history).same
    assert machine.replay(execution).same
