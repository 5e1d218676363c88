"""What a history tells of its tasks, and how two histories differ."""

from __future__ import annotations

from typing import Any

import pytest

from sfn_notebook import After, RunError, StateMachine, TaskError
from sfn_notebook.sim.differences import differences
from sfn_notebook.sim.past import Past

SQS = "arn:aws:states:::sqs:sendMessage"
TASK = {"Type": "Task", "Resource": SQS, "End": True, "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 1}]}


def machine(state: dict[str, Any]) -> StateMachine:
    return StateMachine.load({"StartAt": "T", "States": {"T": state}})


def test_a_past_knows_each_attempt_with_its_outcome_and_duration() -> None:
    handlers = {"T": lambda data, context: After(context["Attempt"], failing(context["Attempt"]))}
    raw = machine({**TASK, "TimeoutSeconds": 60}).run({"a": 1}, handlers, seed=1).history.raw
    past = Past(raw)
    assert (past.input, past.status) == ({"a": 1}, "SUCCEEDED")
    visit = past.visit((), "T", 0)
    assert visit is not None
    first, second = visit.attempts
    assert first.outcome is not None
    assert second.outcome is not None
    assert (first.outcome.kind, first.outcome.error, first.outcome.event) == ("failed", "Busy", "TaskFailed")
    assert (second.outcome.kind, second.outcome.output, second.ended - second.scheduled) == (
        "succeeded",
        {"n": 2},
        2000,
    )
    assert first.limits == (60, None)
    assert past.visit((), "T", 1) is None


def failing(attempt: int) -> Any:
    return TaskError("Busy", "later") if attempt == 1 else {"n": attempt}


def test_visits_of_iterations_are_kept_apart() -> None:
    inner = {"StartAt": "I", "States": {"I": {**TASK, "Retry": []}}}
    raw = (
        machine({"Type": "Map", "ItemProcessor": inner, "End": True})
        .run(["x", "y"], {"I": lambda data: data})
        .history.raw
    )
    past = Past(raw)
    found = [past.visit((("T", index),), "I", 0) for index in (0, 1)]
    assert [visit.attempts[0].outcome.output for visit in found if visit and visit.attempts[0].outcome] == ["x", "y"]


def test_a_history_without_beginning_is_refused() -> None:
    with pytest.raises(RunError, match="must begin with the event ExecutionStarted"):
        Past([{"type": "TaskStateEntered", "id": 5, "previousEventId": 4}])


def test_equal_histories_do_not_differ_whatever_their_ids_and_times() -> None:
    raw = machine(TASK).run({}, {"T": 1}, seed=1).history.raw
    moved = [{**event, "timestamp": None} for event in raw]
    assert differences(raw, moved, {}) == []


def test_a_changed_payload_is_named_by_branch_event_field_and_path() -> None:
    inner = {"StartAt": "I", "States": {"I": {**TASK, "Retry": []}}}
    fan = machine({"Type": "Map", "ItemProcessor": inner, "End": True})
    one = fan.run([1, 2], {"I": lambda data: {"n": data}}, seed=1).history.raw
    other = fan.run([1, 2], {"I": lambda data: {"n": data * (1 + data // 2)}}, seed=1).history.raw
    found = [str(difference) for difference in differences(one, other, {})]
    assert found == [
        "MapStateExited of T, output $[1].n: 2 → 4",
        "ExecutionSucceeded, output $[1].n: 2 → 4",
        "T[1]: TaskSucceeded of I, output $.n: 2 → 4",
        "T[1]: TaskStateExited of I, output $.n: 2 → 4",
    ]


def test_missing_and_extra_events_are_named() -> None:
    task = machine(TASK)
    good = task.run({}, {"T": 1}, seed=1).history.raw
    bad = task.run({}, {"T": TaskError("E", "c")}, seed=1).history.raw
    found = differences(good, bad, {})
    assert [(d.kind, d.type) for d in found] == [
        ("missing", "TaskSucceeded"), ("missing", "TaskStateExited"), ("missing", "ExecutionSucceeded"),
        ("extra", "TaskFailed"), ("extra", "ExecutionFailed"),
    ]  # fmt: skip
    assert [d.recorded for d in found][:3] == [5, 6, 7]


def test_keys_may_be_ignored_and_tokens_differ_rightly() -> None:
    one = [
        {
            "type": "TaskScheduled",
            "id": 1,
            "previousEventId": 0,
            "taskScheduledEventDetails": {"parameters": '{"t":"aaa","i":1}'},
        }
    ]
    other = [
        {
            "type": "TaskScheduled",
            "id": 1,
            "previousEventId": 0,
            "taskScheduledEventDetails": {"parameters": '{"t":"bbb","i":2}'},
        }
    ]
    assert len(differences(one, other, {})) == 2
    assert len(differences(one, other, {}, tokens={"bbb"})) == 1
    assert differences(one, other, {}, tokens={"bbb"}, ignore=["i"]) == []


def test_event_ids_in_causes_do_not_count() -> None:
    def ended(number: int) -> list[dict[str, Any]]:
        cause = f"An error occurred while executing the state 'S' (entered at the event id #{number}). Oops"
        return [
            {"type": "ExecutionFailed", "id": 9, "previousEventId": 0, "executionFailedEventDetails": {"cause": cause}}
        ]

    assert differences(ended(3), ended(7), {}) == []
