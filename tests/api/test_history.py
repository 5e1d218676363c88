"""`History`: the same whether it comes from a run, from events or from a file."""

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sfn_notebook import CommandError, History, Outcomes, RunError, StateMachine, TaskError

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


# --- answers, fetching, display ------------------------------------------------------------------------------------------

NIGHT = "2026-03-01T02:00:00Z"


def failed() -> History:
    outcomes = Outcomes([TaskError("Busy", "ü"), TaskError("Broken", "x"), {"items": []}])
    return StateMachine.load(DEFINITION).run({"pin": 98765}, {"T": outcomes}, seed=1, start=NIGHT).history


def test_the_answers_of_one_history() -> None:
    found = history()
    assert list(found.summary()["state"][:1]) == ["W"]
    assert found.critical_path()["name"].tolist()[0] == "T"
    assert found.quotas()["events"].tolist() == [len(found)]
    assert found.cost().type == "STANDARD"
    assert found.cost().transitions == 7
    assert "T" in str(found.timeline())
    assert "W" in found.durations().text


@pytest.mark.parametrize("name", ["cost", "diff"])
def test_an_answer_shows_its_text(name: str) -> None:
    found = history()
    answer: Any = found.cost() if name == "cost" else found.diff(failed())
    assert answer._repr_mimebundle_()["text/plain"] == str(answer)
    assert "\n" in str(answer) or "part" in str(answer)


def test_a_failure_shows_its_text() -> None:
    found = failed().failure
    assert found is not None
    assert str(found) in found._repr_mimebundle_()["text/plain"]  # type: ignore[attr-defined]
    assert [fault.handling for fault in found.handled] == ["retried", "caught"]


def test_diff_takes_runs_too_and_refuses_the_rest() -> None:
    machine = StateMachine.load(DEFINITION)
    one, other = (machine.run({}, {"T": {"items": [1], "at": n}}, seed=1) for n in (1, 2))
    assert one.history.diff(one).same
    assert not one.history.diff(other).same
    assert one.history.diff(other, ignore="at").same
    with pytest.raises(CommandError, match="diff takes another History or Execution, but found 5"):
        one.history.diff(5)  # type: ignore[arg-type]


@pytest.mark.parametrize("frame", ["events", "states", "attempts", "iterations", "transitions"])
def test_whoever_gets_a_frame_gets_the_accessor_with_it(frame: str) -> None:
    assert type(getattr(history(), frame).sfn).__name__ == "SfnAccessor"
    assert str(history().states.sfn.timeline()).startswith("timeline")


def test_a_theme_that_is_none_is_refused() -> None:
    with pytest.raises(CommandError, match="theme is one of 'auto', 'light', 'dark', but found 'drak'"):
        history().timeline(theme="drak")


def test_fields_are_masked_in_a_copy() -> None:
    found = failed()
    masked = found.redact(["$.pin"])
    assert masked.overview.input == {"pin": "***"}
    assert found.overview.input == {"pin": 98765}
    assert "98765" not in json.dumps(masked.raw, default=str)


def test_a_history_shows_status_timeline_and_visits() -> None:
    shown = failed()._repr_mimebundle_()
    assert shown["text/plain"].startswith("✖ FAILED  an execution · 2 state visits · 11 events")
    assert "<svg" in shown["text/html"]
    assert shown["image/svg+xml"].startswith("<svg")
    assert set(failed()._repr_mimebundle_(include=["text/plain"])) == {"text/plain"}
    assert History.from_events([])._repr_mimebundle_()["text/plain"].startswith("▶ RUNNING  an execution")


def test_a_machine_is_only_known_to_what_was_fetched() -> None:
    with pytest.raises(CommandError, match="was not fetched from AWS"):
        history().machine_as_ran()
    with pytest.raises(CommandError, match="Map Runs cannot be asked for"):
        history().map_runs()


# --- logs ----------------------------------------------------------------------------------------------------------------


def record(number: int, kind: str, execution: str, **details: Any) -> dict[str, Any]:
    return {
        "id": str(number), "type": kind, "details": details, "previous_event_id": str(number - 1),
        "event_timestamp": str(1772366400000 + number), "redrive_count": "0",
        "execution_arn": f"arn:aws:states:eu-west-1:123456789012:express:quick:{execution}:0000-1111",
    }  # fmt: skip


def records(name: str = "q-1") -> list[dict[str, Any]]:
    return [
        record(1, "ExecutionStarted", name, input='{"pin":98765}', inputDetails={"truncated": False}),
        record(2, "PassStateEntered", name, name="P", input='{"pin":98765}', inputDetails={"truncated": False}),
        record(3, "PassStateExited", name, name="P", output="{}", outputDetails={"truncated": False}),
        record(4, "ExecutionSucceeded", name, output="{}"),
    ]


def test_an_express_execution_is_read_from_records_text_and_a_file(tmp_path: Path) -> None:
    text = "\n".join(json.dumps(found) for found in records())
    (tmp_path / "quick.jsonl").write_text(text)
    for source in (records(), text, tmp_path / "quick.jsonl", str(tmp_path / "quick.jsonl")):
        found = History.from_logs(source)
        assert (found.name, found.status, len(found), found.notice) == ("q-1", "SUCCEEDED", 4, None)
        assert found.cost().type == "EXPRESS"
    assert History.from_logs(text, redact="$.pin").overview.input == {"pin": "***"}


def test_what_the_log_lacks_is_said() -> None:
    found = History.from_logs(records()[:3])
    assert found.notice is not None
    assert "best effort" in found.notice
    assert "best effort" in repr(found)
    assert "best effort" in found._repr_mimebundle_()["text/html"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ([*records(), *records("q-2")], "belong to 2 executions"),
        ([], "no log records of Step Functions"),
        ("absent.jsonl", "cannot be read as log records"),
        ('{"level": "INFO"}', "no log records of Step Functions"),
        ('{"level": "INFO"}\n{"level": "INFO"}', "none of 2 log records"),
    ],
)
def test_logs_that_are_not_of_one_execution_are_refused(source: Any, message: str) -> None:
    with pytest.raises(RunError, match=message):
        History.from_logs(source)
