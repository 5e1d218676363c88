"""The verbs of `StateMachine` that hand over to the debugger and to replay."""

from __future__ import annotations

from typing import Any

from sfn_notebook import Debugger, StateMachine

STATES: dict[str, Any] = {
    "Ask": {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:ask", "End": True}
}
TASK: dict[str, Any] = {"StartAt": "Ask", "States": STATES}


def _twice(data: dict[str, Any]) -> int:
    return int(data["n"]) * 2


def test_debug_gives_a_debugger_before_the_first_state() -> None:
    debugger = StateMachine.load(TASK).debug({"n": 21}, {"Ask": _twice})
    assert isinstance(debugger, Debugger)
    assert [event["type"] for event in debugger.events] == ["ExecutionStarted"]
    assert debugger.run_to().execution.output == 42
    assert repr(debugger) == "<Debugger 'StateMachine': event 7 of 7, ExecutionSucceeded; SUCCEEDED>"
    assert repr(debugger.seek(2)) == (
        "<Debugger 'StateMachine': event 2 of 7, TaskStateEntered of \"Ask\"; RUNNING, later SUCCEEDED>"
    )


def test_replay_of_an_edited_machine_tells_the_difference() -> None:
    execution = StateMachine.load(TASK).run({"n": 21}, {"Ask": _twice})
    ask = {**STATES["Ask"], "ResultPath": "$.answer"}
    edited = {"StartAt": "Ask", "States": {"Ask": ask}}
    assert StateMachine.load(TASK).replay(execution).same
    found = StateMachine.load(edited).replay(execution)
    assert not found.same
    assert found.execution.output == {"n": 21, "answer": 42}


def test_backtest_gives_a_row_per_execution() -> None:
    machine = StateMachine.load(TASK)
    runs = [machine.run({"n": 1}, {"Ask": _twice}), machine.run({}, {"Ask": _twice})]
    mended = StateMachine.load(dict(TASK))
    rows = mended.backtest(runs)
    assert rows["verdict"].astype(str).tolist() == ["same", "same"]
    assert rows["before"].tolist() == ["SUCCEEDED", "FAILED"]
