"""Express executions out of their log."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from sfn_notebook.aws import express
from sfn_notebook.aws.arns import arn_of
from sfn_notebook.aws.executions import fetch_executions
from sfn_notebook.aws.express import express_recordings
from sfn_notebook.aws.fetch import fetch_definition, fetch_history, fetch_recording
from sfn_notebook.aws.problems import CallFailed
from sfn_notebook.aws.quota import Caller
from sfn_notebook.aws.session import connect
from sfn_notebook.history.logrecords import ERROR_ONLY, GAPS

from .conftest import FakeClock
from .fake_service import BASE, START, FakeAws

QUICK = f"{BASE}:stateMachine:quick"
GROUP = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/vendedlogs/states/quick:*"


def arn(name: str, machine: str = "quick") -> str:
    return f"{BASE}:express:{machine}:{name}:0000-{name}"


def log(
    aws: FakeAws, name: str, start: datetime = START, states: int = 2, machine: str = "quick", end: str = "Succeeded"
) -> None:
    """Put the records of an execution in the log, newest first, as text with text in it."""
    kinds: list[tuple[str, dict[str, Any]]] = [
        ("ExecutionStarted", {"input": '{"a":1}', "inputDetails": {"truncated": False}, "roleArn": "r"})
    ]
    for number in range(states):
        kinds.append(("PassStateEntered", {"name": f"S{number}", "input": "{}", "inputDetails": {"truncated": False}}))
        kinds.append(("PassStateExited", {"name": f"S{number}", "output": "{}", "outputDetails": {"truncated": False}}))
    kinds.append((f"Execution{end}", {"output": "{}"} if end == "Succeeded" else {"error": "E", "cause": "C"}))
    for index, (kind, details) in reversed(list(enumerate(kinds))):
        at = start + timedelta(milliseconds=10 * index)
        record = {
            "id": str(index + 1),
            "type": kind,
            "details": details,
            "previous_event_id": "0" if index < 2 else str(index),
            "event_timestamp": str(round(at.timestamp() * 1000)),
            "execution_arn": arn(name, machine),
            "redrive_count": "0",
        }
        aws.world.logs.append((at.timestamp(), json.dumps(record)))


@pytest.fixture(autouse=True)
def quick(aws: FakeAws) -> None:
    destination = {"cloudWatchLogsLogGroup": {"logGroupArn": GROUP}}
    logging = {"level": "ALL", "includeExecutionData": True, "destinations": [destination]}
    aws.world.machines[QUICK] = {
        "name": "quick",
        "type": "EXPRESS",
        "definition": "{}",
        "loggingConfiguration": logging,
    }


def test_one_express_execution_has_the_shape_of_any_history(aws: FakeAws, there: dict[str, Any]) -> None:
    log(aws, "q-1")
    log(aws, "q-2")
    found = fetch_recording(arn("q-1"), since=START, **there)
    assert (found.name, found.status, found.machine_arn, found.notice, found.closed) == (
        "q-1",
        "SUCCEEDED",
        QUICK,
        None,
        True,
    )
    assert [event["id"] for event in found.events] == [1, 2, 3, 4, 5, 6]
    assert found.events[0] == {
        "timestamp": START,
        "type": "ExecutionStarted",
        "id": 1,
        "previousEventId": 0,
        "executionStartedEventDetails": {"input": '{"a":1}', "inputDetails": {"truncated": False}, "roleArn": "r"},
    }
    assert found.events[1]["stateEnteredEventDetails"]["name"] == "S0"


def test_an_express_machine_gives_a_batch_newest_first(aws: FakeAws, there: dict[str, Any]) -> None:
    for number in range(6):
        log(aws, f"q-{number}", START + timedelta(minutes=number), end="Failed" if number % 2 else "Succeeded")
    log(aws, "other", START, machine="quicker")
    options = {"progress": False, "now": START + timedelta(hours=1), **there}
    assert [row.name for row in fetch_executions(QUICK, **options)] == ["q-5", "q-4", "q-3", "q-2", "q-1", "q-0"]
    assert [row.name for row in fetch_executions(QUICK, "FAILED", limit=2, **options)] == ["q-5", "q-3"]
    window = fetch_executions(QUICK, since=START + timedelta(minutes=1), until=START + timedelta(minutes=3), **options)
    assert [(row.name, row.notice) for row in window] == [("q-3", None), ("q-2", None), ("q-1", None)]


def test_chosen_fields_are_masked_in_express_histories_too(aws: FakeAws, there: dict[str, Any]) -> None:
    log(aws, "q-1")
    events = fetch_history(arn("q-1"), since=START, redact=["$.a"], **there)
    assert events[0]["executionStartedEventDetails"]["input"] == '{"a":"***"}'
    (row,) = fetch_executions(QUICK, since=START, redact=["$.a"], progress=False, **there)
    assert row.events == events


def test_a_full_answer_is_asked_for_in_halves_and_nothing_is_lost_or_doubled(
    aws: FakeAws, there: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(express, "_MOST_ROWS", 20)
    for number in range(40):
        log(aws, f"q-{number:02}", START + timedelta(seconds=7 * number), states=2)
    batch = fetch_executions(QUICK, since=START, progress=False, now=START + timedelta(hours=1), **there)
    assert [row.name for row in batch] == [f"q-{number:02}" for number in reversed(range(40))]
    assert all(row.notice is None and len(row.events) == 6 for row in batch)
    assert aws.calls["StartQuery"] > 12


def test_a_second_with_more_records_than_an_answer_holds_gives_what_there_is(
    aws: FakeAws, there: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(express, "_MOST_ROWS", 4)
    log(aws, "q-1")
    (row,) = fetch_executions(QUICK, since=START, progress=False, now=START + timedelta(seconds=9), **there)
    assert (len(row.events), row.status, row.notice, row.closed) == (4, "RUNNING", GAPS, False)


def test_records_below_level_all_are_kept_and_said(aws: FakeAws, there: dict[str, Any]) -> None:
    log(aws, "q-1", end="Failed")
    aws.world.logs = [(at, text) for at, text in aws.world.logs if "ExecutionFailed" in text]
    found = fetch_recording(arn("q-1"), since=START, **there)
    assert (found.status, len(found.events), found.notice) == ("FAILED", 1, ERROR_ONLY)


def test_ctrl_c_keeps_what_was_read_and_stops_the_query(
    aws: FakeAws, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(express, "_MOST_ROWS", 20)
    for number in range(40):
        log(aws, f"q-{number:02}", START + timedelta(seconds=7 * number))
    logs = Caller(connect(endpoint_url=aws.url, region="eu-west-1"), "logs", clock)
    sleep = clock.sleep
    done: list[int] = []

    def interrupted(seconds: float) -> None:
        if len(done) > 3:
            raise KeyboardInterrupt
        sleep(seconds)

    monkeypatch.setattr(clock, "sleep", interrupted)
    group = "/aws/vendedlogs/states/quick"
    batch = express_recordings(logs, group, arn_of(QUICK), START, START + timedelta(hours=1), done.append)
    assert batch.stopped == "interrupted"
    assert 1 <= len(batch) < 40
    assert aws.calls["StopQuery"] == 1


def test_without_a_log_the_message_says_how_to_get_one(aws: FakeAws, there: dict[str, Any]) -> None:
    aws.world.machines[QUICK]["loggingConfiguration"] = {"level": "OFF", "destinations": []}
    with pytest.raises(CallFailed, match=r'"quick" is an Express state machine that writes no log, .* turn on logging'):
        fetch_executions(QUICK, progress=False, **there)


def test_no_records_says_where_was_looked_and_from_when(aws: FakeAws, there: dict[str, Any]) -> None:
    with pytest.raises(
        CallFailed, match=r"no records of .* in log group /aws/vendedlogs/states/quick since 2026-03-01 12:00 UTC"
    ):
        fetch_history(arn("q-1"), since=START, **there)


def test_a_log_group_that_is_given_spares_asking_for_it(aws: FakeAws, there: dict[str, Any]) -> None:
    log(aws, "q-1")
    fetch_history(arn("q-1"), since=START, log_group="/aws/vendedlogs/states/quick", **there)
    assert aws.calls["DescribeStateMachine"] == 0
    with pytest.raises(CallFailed, match="not found by StartQuery of /wrong"):
        fetch_history(arn("q-1"), since=START, log_group="/wrong", **there)


def test_a_query_that_fails_is_an_error(aws: FakeAws, there: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    log(aws, "q-1")
    aws.fail("StartQuery", "LimitExceededException", "too many queries", times=5)
    assert fetch_history(arn("q-1"), since=START, **there)
    aws.fail("GetQueryResults", "AccessDeniedException", "no")
    with pytest.raises(CallFailed, match="must allow logs:GetQueryResults"):
        fetch_history(arn("q-1"), since=START, **there)
    assert aws.calls["StopQuery"] == 1


def test_the_definition_of_an_express_execution_is_todays(aws: FakeAws, there: dict[str, Any]) -> None:
    found = fetch_definition(arn("q-1"), **there)
    assert (found.text, found.type, found.as_ran) == ("{}", "EXPRESS", False)
