"""`History`: the same whether it comes from a run, from events or from a file."""

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sfn_notebook import History, Outcomes, RunError, StateMachine, TaskError

QUEUE = "arn:aws:states:::sqs:sendMessage"
DEFINITION: dict[str, Any] = {
    "StartAt": "T",
    "States": {
        "T": {
            "Type": "Task", "Resource": QUEUE, "Retry": [{"ErrorEquals": ["Busy"]}],
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "M"}], "Next": "M",
        },
        "M": {
            "Type": "Map", "ItemsPath": "$.items", "End": True,
            "ItemProcessor": {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 2, "Next": "P"}, "P": {"Type": "Pass", "End": True}}},
        },
    },
}  # fmt: skip


def history() -> History:
    outcomes = Outcomes([TaskError("Busy", "ü"), {"items": [1, 2]}])
    return StateMachine.load(DEFINITION).run({}, {"T": outcomes}, seed=1).history


def test_a_history_is_the_list_of_its_events() -> None:
    found = history()
    assert len(found) == len(found.raw) == len(list(found))
    assert [event["id"] for event in found] == list(range(1, len(found) + 1))


def test_events_alone_give_the_same_history() -> None:
    local = history()
    other = History.from_events(copy.deepcopy(local.raw))
    assert other.raw == local.raw
    assert other.visits == local.visits
    assert other.at(7) == local.at(7)


def test_a_file_gives_the_same_history(tmp_path: Path) -> None:
    local = history()
    local.to_json(tmp_path / "h.json")
    other = History.from_json(tmp_path / "h.json")
    assert other.raw == local.raw
    assert other.visits == local.visits
    assert "ü" in (tmp_path / "h.json").read_text(encoding="utf-8")


def test_the_answer_of_the_aws_command_line_is_read(tmp_path: Path) -> None:
    events = [
        {"timestamp": "2026-01-02T03:04:05.678000+01:00", "type": "ExecutionStarted", "id": 1, "previousEventId": 0},
        {"timestamp": 1767323045.678, "type": "ExecutionAborted", "id": 2, "previousEventId": 0},
    ]
    (tmp_path / "h.json").write_text(json.dumps({"events": events, "nextToken": None}))
    found = History.from_json(tmp_path / "h.json")
    assert [event["timestamp"] for event in found] == [
        datetime(2026, 1, 2, 2, 4, 5, 678000, tzinfo=UTC),
        datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nope", "cannot be read as a history"),
        ("5", "holds no history"),
        ("{}", 'the key "events"'),
        ('{"events": 5}', "holds no history"),
        ("[5]", "element 0 is no history event"),
        ('[{"type": "X"}]', "needs at least type and id"),
        ('[{"timestamp": "yesterday", "type": "X", "id": 1}]', "timestamp"),
    ],
)
def test_a_file_that_holds_no_history_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "h.json").write_text(text)
    with pytest.raises(RunError, match=message):
        History.from_json(tmp_path / "h.json")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot be read"):
        History.from_json(tmp_path / "absent.json")


def test_an_empty_history_is_one_too() -> None:
    empty = History.from_events([])
    assert len(empty) == 0
    assert empty.visits == []
    assert empty.failure is None
    assert repr(empty) == "<History: 0 events, last empty>"


def test_a_repr_says_how_it_ended() -> None:
    assert repr(history()) == f"<History: {len(history())} events, last ExecutionSucceeded>"


def test_a_history_of_a_run_does_not_change_while_the_run_goes_on() -> None:
    resource = f"{QUEUE}.waitForTaskToken"
    machine = StateMachine.load({"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": resource, "End": True}}})
    execution = machine.run(seed=1)
    early = execution.history
    execution.send_task_success(execution.pending[0].token, 1)
    assert len(early.raw) == 5


@pytest.mark.parametrize("frame", ["events", "states", "attempts", "iterations", "transitions"])
def test_frames_are_the_same_for_a_run_and_for_its_events(frame: str) -> None:
    pandas = pytest.importorskip("pandas")
    local, other = history(), History.from_events(copy.deepcopy(history().raw))
    pandas.testing.assert_frame_equal(getattr(local, frame), getattr(other, frame))
    assert len(getattr(local, frame)) > 0
