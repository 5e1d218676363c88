"""An execution that waits: callbacks, activities, human approval with an escalation, time that passes on command, saving in mid-run."""

import json
from pathlib import Path
from typing import Any

import pytest

from sfn_notebook import PENDING, Execution, RunError, StateMachine, TaskError

TOKEN = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
QUEUE = "arn:aws:states:::sqs:sendMessage"
ACTIVITY = "arn:aws:states:us-east-1:123456789012:activity:approve"

APPROVAL: dict[str, Any] = {
    "StartAt": "Ask",
    "States": {
        "Ask": {
            "Type": "Task", "Resource": TOKEN, "TimeoutSeconds": 3600,
            "Parameters": {"MessageBody": {"token.$": "$$.Task.Token", "amount.$": "$.amount"}},
            "Catch": [
                {"ErrorEquals": ["States.Timeout"], "ResultPath": "$.late", "Next": "Escalate"},
                {"ErrorEquals": ["Rejected"], "ResultPath": "$.why", "Next": "Refused"},
            ],
            "ResultPath": "$.answer", "Next": "Approved",
        },
        "Escalate": {"Type": "Task", "Resource": ACTIVITY, "HeartbeatSeconds": 600, "TimeoutSeconds": 86400, "ResultPath": "$.boss", "Next": "Approved"},
        "Approved": {"Type": "Succeed"},
        "Refused": {"Type": "Fail", "Error": "Refused", "CausePath": "$.why.Cause"},
    },
}  # fmt: skip


def approval() -> Execution:
    return StateMachine.load(APPROVAL, name="approval").run({"amount": 5}, seed=1)


def elapsed(execution: Execution) -> float:
    raw = execution.history.raw
    return float((raw[-1]["timestamp"] - raw[0]["timestamp"]).total_seconds())


def types(execution: Execution) -> list[str]:
    return [event["type"] for event in execution.history.raw]


# ---- human approval


def test_a_run_that_needs_an_answer_is_running_and_says_what_it_waits_for() -> None:
    execution = approval()
    assert (execution.status, execution.output, execution.error) == ("RUNNING", None, None)
    (task,) = execution.pending
    assert (task.state, task.resource) == ("Ask", TOKEN)
    assert task.input == {"MessageBody": {"token": task.token, "amount": 5}}
    assert elapsed(execution) == 0


def test_an_answer_lets_it_go_on() -> None:
    execution = approval()
    token = execution.pending[0].token
    assert execution.send_task_success(token, {"by": "Ann"}) is execution
    assert execution.status == "SUCCEEDED"
    assert execution.output == {"amount": 5, "answer": {"by": "Ann"}}
    assert execution.pending == []


def test_a_refusal_is_a_failure_of_the_task() -> None:
    execution = approval()
    execution.send_task_failure(execution.pending[0].token, "Rejected", "too expensive")
    assert (execution.status, execution.error, execution.cause) == ("FAILED", "Refused", "too expensive")


def test_a_failure_without_error_and_cause_has_neither() -> None:
    execution = approval()
    execution.send_task_failure(execution.pending[0].token)
    assert execution.status == "FAILED"
    assert (execution.error, execution.cause) == (None, None)


def test_nobody_answers_and_the_boss_is_asked() -> None:
    execution = approval()
    execution.advance(3599)
    assert [task.state for task in execution.pending] == ["Ask"]
    execution.advance(1)
    assert [task.state for task in execution.pending] == ["Escalate"]
    assert "TaskTimedOut" in types(execution)
    execution.send_task_success(execution.pending[0].token, "fine")
    assert execution.output["boss"] == "fine"
    assert execution.output["late"]["Error"] == "States.Timeout"


def test_time_passes_between_question_and_answer() -> None:
    execution = approval()
    execution.advance(120)
    execution.send_task_success(execution.pending[0].token, {})
    assert elapsed(execution) == 120


def test_heartbeats_keep_a_task_alive() -> None:
    execution = approval().advance(3600)
    for _ in range(5):
        (task,) = execution.pending
        execution.advance(599)
        assert execution.status == "RUNNING"
        assert execution.send_task_heartbeat(task.token) is execution
    execution.advance(600)
    assert (execution.status, execution.error) == ("FAILED", "States.Timeout")
    assert types(execution)[-2] == "ActivityTimedOut"


def test_an_advance_of_nothing_changes_nothing_and_a_finished_execution_stays_as_it_is() -> None:
    execution = approval()
    size = len(execution.history)
    execution.advance(0)
    assert len(execution.history) == size
    execution.send_task_success(execution.pending[0].token, {})
    raw = execution.history.raw
    assert execution.advance(99_999).history.raw == raw


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), "5", None, True])
def test_time_passes_by_a_number_of_seconds(seconds: Any) -> None:
    with pytest.raises(RunError, match="advance needs a number of seconds"):
        approval().advance(seconds)


# ---- tokens


@pytest.mark.parametrize("send", ["send_task_success", "send_task_failure", "send_task_heartbeat"])
def test_an_unknown_token_is_refused_and_the_pending_ones_are_named(send: str) -> None:
    execution = approval()
    arguments: tuple[Any, ...] = ({},) if send == "send_task_success" else ()
    with pytest.raises(RunError, match="no task waits for the token 'wrong'") as caught:
        getattr(execution, send)("wrong", *arguments)
    assert execution.pending[0].token[:8] in str(caught.value)
    assert execution.status == "RUNNING"


def test_a_token_is_good_for_one_answer() -> None:
    execution = approval()
    token = execution.pending[0].token
    execution.send_task_success(token, {})
    with pytest.raises(RunError, match="no task waits for the token"):
        execution.send_task_success(token, {})
    assert types(execution).count("TaskSucceeded") == 1


def test_the_token_of_an_attempt_that_timed_out_is_void() -> None:
    execution = approval()
    token = execution.pending[0].token
    execution.advance(3600)
    with pytest.raises(RunError, match="no task waits"):
        execution.send_task_success(token, {})


def test_an_answer_that_is_no_json_is_refused_and_the_task_still_waits() -> None:
    execution = approval()
    with pytest.raises(RunError, match="the output holds a set"):
        execution.send_task_success(execution.pending[0].token, {1})
    assert len(execution.pending) == 1


def test_the_answer_is_copied() -> None:
    execution = approval()
    answer: dict[str, Any] = {"list": [1]}
    execution.send_task_success(execution.pending[0].token, answer)
    answer["list"].append(2)
    assert execution.output["answer"] == {"list": [1]}


def test_several_tasks_wait_at_once_and_are_answered_in_any_order() -> None:
    task = {"Type": "Task", "Resource": TOKEN, "Parameters": {"token.$": "$$.Task.Token", "item.$": "$"}, "End": True}
    definition = {
        "StartAt": "M",
        "States": {"M": {"Type": "Map", "ItemProcessor": {"StartAt": "T", "States": {"T": task}}, "End": True}},
    }
    execution = StateMachine.load(definition).run(["a", "b", "c"], seed=1)
    waiting = {pending.input["item"]: pending.token for pending in execution.pending}
    assert set(waiting) == {"a", "b", "c"}
    assert len(set(waiting.values())) == 3
    for item in ("b", "c", "a"):
        execution.send_task_success(waiting[item], item.upper())
    assert execution.output == ["A", "B", "C"]


def test_other_branches_go_on_in_the_meantime() -> None:
    branches = [
        {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": TOKEN, "End": True}}},
        {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 60, "End": True}}},
    ]
    definition = {"StartAt": "P", "States": {"P": {"Type": "Parallel", "Branches": branches, "End": True}}}
    execution = StateMachine.load(definition).run(seed=1)
    assert "WaitStateExited" in types(execution)
    execution.send_task_success(execution.pending[0].token, 1)
    assert execution.output == [1, {}]
    assert elapsed(execution) == 60


def test_a_handler_may_leave_a_task_of_any_kind_to_the_outside() -> None:
    definition = {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": QUEUE, "End": True}}}
    execution = StateMachine.load(definition).run(None, {"T": PENDING}, seed=1)
    assert [task.state for task in execution.pending] == ["T"]


def test_a_task_without_a_token_of_its_own_that_is_left_to_the_outside_can_be_answered() -> None:
    task = {"Type": "Task", "Resource": QUEUE, "End": True}
    branches = [{"StartAt": name, "States": {name: task}} for name in "AB"]
    definition = {"StartAt": "P", "States": {"P": {"Type": "Parallel", "Branches": branches, "End": True}}}
    execution = StateMachine.load(definition).run(None, {"*": PENDING}, seed=1)
    tokens = {pending.state: pending.token for pending in execution.pending}
    assert len(set(tokens.values())) == 2
    execution.send_task_success(tokens["B"], "b").send_task_success(tokens["A"], "a")
    assert execution.output == ["a", "b"]


def test_a_bound_handler_answers_a_callback_at_once() -> None:
    execution = StateMachine.load(APPROVAL).run({"amount": 5}, {"Ask": {"by": "robot"}}, seed=1)
    assert execution.output["answer"] == {"by": "robot"}


# ---- saving


def test_an_execution_is_saved_in_mid_run_and_goes_on_elsewhere(tmp_path: Path) -> None:
    original = approval().advance(1800)
    original.save(tmp_path / "run.json")
    copy = Execution.load(tmp_path / "run.json")
    assert (copy.status, copy.name, copy.arn, copy.seed) == (
        original.status,
        original.name,
        original.arn,
        original.seed,
    )
    assert copy.pending == original.pending
    assert copy.history.raw == original.history.raw
    for execution in (original, copy):
        execution.advance(1800)
        execution.send_task_success(execution.pending[0].token, "fine")
    assert copy.history.raw == original.history.raw
    assert copy.output == original.output


def test_a_saved_execution_is_one_json_document(tmp_path: Path) -> None:
    approval().save(tmp_path / "run.json")
    saved = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert saved["format"] == 1
    assert saved["definition"] == APPROVAL


def test_handlers_are_bound_anew_when_an_execution_is_loaded(tmp_path: Path) -> None:
    definition = {
        "StartAt": "Ask",
        "States": {
            "Ask": {"Type": "Task", "Resource": TOKEN, "Next": "Ship"},
            "Ship": {"Type": "Task", "Resource": QUEUE, "End": True},
        },
    }
    StateMachine.load(definition).run(seed=1).save(tmp_path / "run.json")
    copy = Execution.load(tmp_path / "run.json", {"Ship": {"shipped": True}})
    assert copy.send_task_success(copy.pending[0].token, {}).output == {"shipped": True}
    unbound = Execution.load(tmp_path / "run.json")
    with pytest.raises(RunError, match='state "Ship" needs a handler'):
        unbound.send_task_success(unbound.pending[0].token, {})


def test_a_finished_execution_can_be_saved_too(tmp_path: Path) -> None:
    failed = StateMachine.load({"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "E", "Cause": "c"}}}).run(
        seed=1
    )
    failed.save(tmp_path / "run.json")
    copy = Execution.load(tmp_path / "run.json")
    assert (copy.status, copy.error, copy.cause) == ("FAILED", "E", "c")
    assert copy.history.raw == failed.history.raw


def test_the_source_text_survives_saving(tmp_path: Path) -> None:
    text = "# by hand\nStartAt: S\nStates:\n  S: {Type: Succeed}\n"
    StateMachine.load(text).run(seed=1).save(tmp_path / "run.json")
    assert Execution.load(tmp_path / "run.json").machine.source == text


@pytest.mark.parametrize("text", ["", "[]", "{}", "nope", '{"format": 99}', '{"format": 1}', '"x"'])
def test_what_is_no_saved_execution_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.json").write_text(text)
    with pytest.raises(RunError, match=r"bad\.json"):
        Execution.load(tmp_path / "bad.json")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="absent"):
        Execution.load(tmp_path / "absent.json")


# ---- what it hands out


def test_input_and_output_are_copies() -> None:
    execution = StateMachine.load({"StartAt": "S", "States": {"S": {"Type": "Succeed"}}}).run({"k": [1]}, seed=1)
    execution.input["k"].append(2)
    assert execution.input == {"k": [1]}
    execution.output["k"].append(3)
    assert execution.history.raw[-1]["executionSucceededEventDetails"]["output"] == '{"k":[1]}'


def test_the_history_grows_with_the_execution() -> None:
    execution = approval()
    early = execution.history
    execution.send_task_success(execution.pending[0].token, {})
    assert len(early) == 5
    assert len(execution.history) > 5
    assert execution.history.raw[:5] == early.raw


def test_an_exception_of_a_later_handler_is_in_the_records() -> None:
    definition = {
        "StartAt": "Ask",
        "States": {
            "Ask": {"Type": "Task", "Resource": TOKEN, "Next": "Ship"},
            "Ship": {"Type": "Task", "Resource": QUEUE, "End": True},
        },
    }
    execution = StateMachine.load(definition).run(None, {"Ship": TaskError("Lost")}, seed=1)
    execution.send_task_success(execution.pending[0].token, {})
    assert execution.error == "Lost"
    assert [call.state for call in execution.calls] == ["Ship"]


def test_an_interrupted_run_can_be_resumed_without_asking_anybody_twice() -> None:
    asked: list[str] = []

    def first(event: Any) -> Any:
        asked.append("first")
        return event

    def second(event: Any) -> Any:
        asked.append("second")
        if asked.count("second") == 1:
            raise KeyboardInterrupt
        return "done"

    task = "arn:aws:lambda:us-east-1:123456789012:function:f"
    states = {"A": {"Type": "Task", "Resource": task, "Next": "W"}, "W": {"Type": "Wait", "Seconds": 60, "Next": "B"},
              "B": {"Type": "Task", "Resource": task, "End": True}}  # fmt: skip
    stopped = StateMachine.load({"StartAt": "A", "States": states}).run({}, {"A": first, "B": second}, seed=7)
    assert stopped.status == "ABORTED"
    assert stopped.history.raw[-1]["type"] == "ExecutionAborted"
    resumed = stopped.resume()
    assert (resumed.status, resumed.output) == ("SUCCEEDED", "done")
    assert asked == ["first", "second", "second"]
    assert resumed.history.raw[: len(stopped.history) - 1] == stopped.history.raw[:-1]
    assert stopped.status == "ABORTED"
    with pytest.raises(RunError, match="ABORTED"):
        resumed.resume()


def test_resuming_repeats_the_answers_from_outside_and_the_time_that_passed() -> None:
    def interrupted(event: Any) -> Any:
        raise KeyboardInterrupt

    callback = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
    states = {"A": {"Type": "Task", "Resource": callback, "TimeoutSeconds": 600, "HeartbeatSeconds": 90, "Next": "B"},
              "B": {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f", "End": True}}  # fmt: skip
    execution = StateMachine.load({"StartAt": "A", "States": states}).run({}, {"B": interrupted}, seed=7)
    token = execution.pending[0].token
    execution.advance(60).send_task_heartbeat(token).advance(60).send_task_success(token, {"approved": True})
    assert execution.status == "ABORTED"
    resumed = execution.resume({"B": lambda event: event})
    assert resumed.output == {"approved": True}
    assert resumed.history.raw[: len(execution.history) - 1] == execution.history.raw[:-1]


# ---- real time


class Clock:
    """Time that passes when somebody sleeps, or when told."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("sfn_notebook.sim.driver.time", clock)
    return clock


WAITS = {
    "StartAt": "Wait",
    "States": {
        "Wait": {"Type": "Wait", "Seconds": 30, "Next": "Task"},
        "Task": {
            "Type": "Task",
            "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f",
            "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 8}],
            "TimeoutSeconds": 600,
            "End": True,
        },
    },
}


def test_in_real_time_waits_are_slept_and_the_history_is_the_same(clock: Clock) -> None:
    class Busy(Exception):
        pass

    calls: list[Any] = []

    def handler(event: Any) -> str:
        calls.append(event)
        clock.now += 5  # a handler takes real time, which counts
        if len(calls) % 2:
            raise Busy
        return "done"

    machine = StateMachine.load(WAITS)
    slow = machine.run({}, {"Task": handler}, seed=1, realtime=True)
    assert clock.slept == [30, 3]
    quick = machine.run({}, {"Task": handler}, seed=1)
    assert slow.history.raw == quick.history.raw
    assert clock.slept == [30, 3]


def test_what_was_waited_for_before_an_interrupt_is_not_waited_for_again(clock: Clock) -> None:
    interrupted: list[Any] = []

    def handler(event: Any) -> str:
        if not interrupted:
            interrupted.append(event)
            raise KeyboardInterrupt
        return "done"

    execution = StateMachine.load(WAITS).run({}, {"Task": handler}, seed=1, realtime=True)
    assert (execution.status, sum(clock.slept)) == ("ABORTED", 30)
    assert execution.resume().status == "SUCCEEDED"
    assert sum(clock.slept) == 30


def test_in_real_time_the_clock_is_not_pushed(clock: Clock) -> None:
    execution = StateMachine.load(APPROVAL).run({"amount": 5}, seed=1, realtime=True)
    execution.advance(60)
    assert sum(clock.slept) == 60
    execution.advance(3600)
    assert sum(clock.slept) == 3660
