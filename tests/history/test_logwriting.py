"""Histories written as the log records of Express executions, and read back."""

from __future__ import annotations

import json

import pytest

from sfn_notebook import StateMachine, TaskError
from sfn_notebook.errors import CommandError
from sfn_notebook.history.logrecords import recordings_of_log
from sfn_notebook.history.logwriting import log_records

ARN = "arn:aws:states:us-east-1:123456789012:express:m:e:e"
TASK = {
    "Type": "Task",
    "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f",
    "TimeoutSeconds": 5,
    "End": True,
}
MAP = {
    "StartAt": "M",
    "States": {"M": {"Type": "Map", "ItemProcessor": {"StartAt": "T", "States": {"T": TASK}}, "End": True}},
}


def events(*, fail: bool = False) -> list[dict[str, object]]:
    answer = TaskError("Boom", "why") if fail else {"n": 1}
    return StateMachine.load(MAP).run([1, 2], {"T": answer}, seed=1, type="EXPRESS").history.raw


@pytest.mark.parametrize("fail", [False, True])
def test_what_is_written_at_level_all_is_read_back_as_the_same_events(fail: bool) -> None:
    written = [json.dumps(record) for record in log_records(events(fail=fail), ARN)]
    (found,) = recordings_of_log(written)
    assert [{**event, "timestamp": None} for event in found.events] == [
        {**event, "timestamp": None} for event in events(fail=fail)
    ]
    assert [event["timestamp"] for event in found.events] == [event["timestamp"] for event in events(fail=fail)]


def test_a_record_has_the_names_and_texts_of_the_service() -> None:
    record = list(log_records(events(), ARN))[5]
    assert record["id"] == "6"
    assert record["type"] == "TaskStateEntered"
    assert record["previous_event_id"] == "4"
    assert record["event_timestamp"] == "1735689600000"
    assert record["execution_arn"] == ARN
    assert set(record["details"]) == {"name", "input", "input_details"}


def test_lower_levels_keep_only_what_went_wrong() -> None:
    assert [r["type"] for r in log_records(events(fail=True), ARN, level="FATAL")] == ["ExecutionFailed"]
    kept = {r["type"] for r in log_records(events(fail=True), ARN, level="ERROR")}
    assert kept >= {"LambdaFunctionFailed", "MapIterationFailed", "ExecutionFailed"}
    assert not any("Entered" in kind for kind in kept)
    assert list(log_records(events(), ARN, level="OFF")) == []


def test_payloads_are_left_out_on_request() -> None:
    text = json.dumps(list(log_records(events(), ARN, include_execution_data=False)))
    assert '"input"' not in text
    assert '"output"' not in text


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(CommandError, match="WARN"):
        list(log_records([], ARN, level="WARN"))
