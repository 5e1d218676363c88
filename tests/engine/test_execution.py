"""The engine as a step machine: commands out, outcomes in, time on demand; nothing happens by itself."""

from typing import Any

import pytest

from sfn_notebook import RunError
from sfn_notebook.engine import log
from sfn_notebook.engine.execution import Engine
from sfn_notebook.engine.frames import Outcome
from sfn_notebook.engine.limits import Limits, Names
from sfn_notebook.engine.program import compile_program

QUEUE = "arn:aws:states:::sqs:sendMessage"
START = 1_735_689_600_000
OK = Outcome("succeeded", {"ok": True})


def engine(states: dict[str, Any], data: Any = None, **limits: Any) -> Engine:
    program = compile_program({"StartAt": next(iter(states)), "States": states})
    return Engine(program, {} if data is None else data, Names("m", "r"), Limits(**limits), START, 1)


def types(found: Engine) -> list[str]:
    return [event["type"] for event in log.events(found.log)]


def task(**fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": QUEUE, "End": True, **fields}


def parallel_tasks(count: int = 2, **fields: Any) -> dict[str, Any]:
    branches = [{"StartAt": f"T{n}", "States": {f"T{n}": task(**fields)}} for n in range(count)]
    return {"M": {"Type": "Parallel", "Branches": branches, "End": True}}


def test_nothing_but_the_start_happens_before_the_first_drain() -> None:
    found = engine({"T": task()})
    assert types(found) == ["ExecutionStarted"]
    assert found.take_calls() == []


def test_a_drain_runs_up_to_the_commands_and_no_further() -> None:
    found = engine({"T": task(Parameters={"v": 1}, TimeoutSeconds=9)}, {"k": 1})
    found.drain()
    assert types(found) == ["ExecutionStarted", "TaskStateEntered", "TaskScheduled", "TaskStarted"]
    (call,) = found.take_calls()
    assert (call.task, call.state, call.input, call.attempt, call.path, call.timeout) == (3, "T", {"v": 1}, 1, (), 9)
    assert call.service.resource_type == "sqs"
    assert found.take_calls() == []
    size = len(found.log)
    found.drain()
    assert len(found.log) == size


def test_an_outcome_takes_effect_at_the_next_drain() -> None:
    found = engine({"T": task()})
    found.drain()
    (call,) = found.take_calls()
    found.answer(call.task, OK)
    assert found.status == "RUNNING"
    found.drain()
    assert (found.status, found.output) == ("SUCCEEDED", {"ok": True})


def test_an_answer_to_nobody_a_second_answer_and_a_late_one_are_ignored() -> None:
    found = engine({"T": task()})
    found.drain()
    (call,) = found.take_calls()
    found.answer(999, OK)
    found.answer(call.task, OK)
    found.answer(call.task, Outcome("failed", error="Late"))
    found.drain()
    found.answer(call.task, Outcome("failed", error="Later"))
    assert found.status == "SUCCEEDED"
    assert types(found).count("TaskSucceeded") == 1


def test_a_delayed_outcome_comes_with_its_tick() -> None:
    found = engine({"T": task()})
    found.drain()
    (call,) = found.take_calls()
    found.answer(call.task, OK, 2.5)
    found.drain()
    assert found.status == "RUNNING"
    assert found.tick()
    assert found.now == START + 2500
    found.drain()
    assert found.status == "SUCCEEDED"
    assert not found.tick()


def test_ties_in_time_break_by_the_order_of_the_answers() -> None:
    found = engine(parallel_tasks(3))
    found.drain()
    calls = found.take_calls()
    for call in (calls[2], calls[0], calls[1]):
        found.answer(call.task, OK, 5)
    while found.status == "RUNNING":
        found.drain()
        found.tick()
    raw = list(log.events(found.log))
    entered = {
        event["id"]: event["stateEnteredEventDetails"]["name"] for event in raw if event["type"] == "TaskStateEntered"
    }
    exits = [event["stateExitedEventDetails"]["name"] for event in raw if event["type"] == "TaskStateExited"]
    assert set(entered.values()) == {"T0", "T1", "T2"}
    assert exits == ["T2", "T0", "T1"]


def test_time_never_jumps_to_the_timeout_of_a_task_that_waits_for_the_outside() -> None:
    found = engine({"T": task(TimeoutSeconds=30, HeartbeatSeconds=10)})
    found.drain()
    (call,) = found.take_calls()
    call.frame.outside = True
    assert not found.tick()
    assert not found.tick(START + 9_999)
    assert found.tick(START + 10_000)
    found.drain()
    assert found.status == "FAILED"
    assert types(found)[-2] == "TaskTimedOut"


def test_a_heartbeat_moves_its_own_timeout_and_not_the_other() -> None:
    found = engine({"T": task(TimeoutSeconds=25, HeartbeatSeconds=10)})
    found.drain()
    (call,) = found.take_calls()
    call.frame.outside = True
    for second in (8, 16, 24):
        assert not found.tick(START + second * 1000)
        found.pass_time(START + second * 1000)
        found.heartbeat(call.task)
    assert found.tick(START + 26_000)
    assert found.now == START + 25_000


def test_commands_of_an_aborted_branch_are_void() -> None:
    states = parallel_tasks(2)
    states["M"]["Branches"].append({"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "E"}}})
    found = engine(states)
    found.drain()
    assert found.status == "FAILED"
    assert found.take_calls() == []


def test_a_failure_voids_the_outcomes_of_siblings_that_are_on_their_way() -> None:
    found = engine(parallel_tasks(2))
    found.drain()
    first, second = found.take_calls()
    found.answer(second.task, OK, 10)
    found.answer(first.task, Outcome("failed", error="E"))
    found.drain()
    assert found.status == "FAILED"
    assert not found.tick()


def test_an_abort_ends_the_execution_for_good() -> None:
    found = engine({"W": {"Type": "Wait", "Seconds": 60, "End": True}})
    found.drain()
    found.abort("Stopped", "by hand")
    assert found.status == "ABORTED"
    assert types(found) == ["ExecutionStarted", "WaitStateEntered", "ExecutionAborted"]
    assert list(log.events(found.log))[-1]["executionAbortedEventDetails"] == {"error": "Stopped", "cause": "by hand"}
    found.abort("Again", "")
    assert not found.tick()
    assert len(types(found)) == 3


def test_execution_aborted_points_at_nothing() -> None:
    found = engine({"W": {"Type": "Wait", "Seconds": 60, "End": True}})
    found.drain()
    found.abort()
    last = list(log.events(found.log))[-1]
    assert (last["previousEventId"], last["executionAbortedEventDetails"]) == (0, {})


def test_a_stop_point_stops_before_the_next_state_and_can_be_moved() -> None:
    states: dict[str, Any] = {
        "A": {"Type": "Pass", "Next": "B"},
        "B": {"Type": "Pass", "Next": "C"},
        "C": {"Type": "Succeed"},
    }
    found = engine(states)
    found.stop_at = 3 * log.STRIDE
    found.reset_fence()
    found.drain()
    assert types(found) == ["ExecutionStarted", "PassStateEntered", "PassStateExited"]
    found.stop_at = 0
    found.reset_fence()
    found.drain()
    assert found.status == "SUCCEEDED"


def test_a_drain_does_not_begin_a_state_behind_the_stop_point() -> None:
    found = engine({"A": {"Type": "Pass", "Next": "C"}, "C": {"Type": "Succeed"}})
    found.stop_at = log.STRIDE
    found.reset_fence()
    found.drain()
    assert types(found) == ["ExecutionStarted"]


def test_an_input_above_the_limit_is_refused_before_anything_runs() -> None:
    with pytest.raises(RunError, match="takes at most 10"):
        engine({"P": {"Type": "Pass", "End": True}}, {"k": "0123456789"}, payload=10)


def test_children_that_wait_for_the_same_moment_resume_in_the_order_of_their_waits() -> None:
    branches = [
        {"StartAt": f"W{n}", "States": {f"W{n}": {"Type": "Wait", "Seconds": 5, "End": True}}} for n in range(4)
    ]
    found = engine({"M": {"Type": "Parallel", "Branches": branches, "End": True}})
    while found.status == "RUNNING":
        found.drain()
        found.tick()
    exits = [
        event["stateExitedEventDetails"]["name"]
        for event in log.events(found.log)
        if event["type"] == "WaitStateExited"
    ]
    assert exits == ["W0", "W1", "W2", "W3"]


def test_what_is_ready_drains_before_time_advances() -> None:
    slow = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1, "End": True}}}
    long = {
        "StartAt": "P0",
        "States": {f"P{n}": {"Type": "Pass", "Next": f"P{n + 1}"} for n in range(50)} | {"P50": {"Type": "Succeed"}},
    }
    found = engine({"M": {"Type": "Parallel", "Branches": [slow, long], "End": True}})
    found.drain()
    assert types(found)[-1] == "SucceedStateExited"
    assert found.now == START
