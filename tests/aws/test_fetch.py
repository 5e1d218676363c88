"""One execution: its history, its definition, its Map Runs; and what can go wrong with it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from sfn_notebook.api.history import History
from sfn_notebook.aws.fetch import fetch_definition, fetch_history, fetch_map_runs, fetch_recording
from sfn_notebook.aws.problems import CallFailed
from sfn_notebook.errors import AwsError
from sfn_notebook.history.frames import events_frame
from sfn_notebook.history.visits import fold

from .conftest import FakeClock
from .fake_service import BASE, CUT, DROP, GARBAGE, MACHINE, FakeAws, World, execution

ARN = f"{BASE}:execution:orders:o-1"


def test_all_pages_come_in_order_a_thousand_events_each(aws: FakeAws, there: dict[str, Any]) -> None:
    aws.world.add(execution("o-1", steps=1100))
    events = fetch_history(ARN, **there)
    assert [event["id"] for event in events] == list(range(1, 2205))
    assert aws.calls["GetExecutionHistory"] == 3
    assert {request["maxResults"] for _, request in aws.requests} == {1000}


def test_an_execution_that_runs_is_fetched_as_far_as_it_is(aws: FakeAws, there: dict[str, Any]) -> None:
    aws.world.add(execution("o-1", end=""))
    found = fetch_recording(ARN, **there)
    assert (found.status, found.ended, len(found.events), found.closed) == ("RUNNING", None, 5, False)


@pytest.mark.parametrize(
    ("end", "status"),
    [("Succeeded", "SUCCEEDED"), ("Failed", "FAILED"), ("TimedOut", "TIMED_OUT"), ("Aborted", "ABORTED")],
)
def test_what_is_known_of_an_execution_comes_from_its_events(
    aws: FakeAws, there: dict[str, Any], end: str, status: str
) -> None:
    aws.world.add(execution("o-1", end=end))
    found = fetch_recording(ARN, **there)
    assert (found.name, found.status, found.machine_arn, found.closed) == ("o-1", status, MACHINE, True)
    assert found.started == found.events[0]["timestamp"]
    assert found.ended == found.events[-1]["timestamp"]


def test_payloads_can_stay_where_they_are(aws: FakeAws, there: dict[str, Any]) -> None:
    aws.world.add(execution("o-1"))
    events = fetch_history(ARN, payloads=False, **there)
    assert events[1]["stateEnteredEventDetails"] == {"name": "Loop"}


def test_chosen_fields_are_masked(aws: FakeAws, there: dict[str, Any]) -> None:
    aws.world.add(execution("o-1"))
    events = fetch_history(ARN, redact=["$.order"], **there)
    assert events[0]["executionStartedEventDetails"]["input"] == '{"order":"***"}'


@pytest.mark.parametrize("fault", [DROP, CUT, GARBAGE])
def test_pages_that_break_are_asked_for_again_and_nothing_is_lost_or_doubled(
    aws: FakeAws, there: dict[str, Any], fault: str
) -> None:
    aws.world.add(execution("o-1", steps=2100))
    aws.fail("GetExecutionHistory", fault, when=lambda number: number in (2, 3, 5))
    events = fetch_history(ARN, **there)
    assert [event["id"] for event in events] == list(range(1, 4205))


@pytest.mark.parametrize("fault", [CUT, GARBAGE])
def test_answers_that_stay_broken_are_an_error_on_any_session(aws: FakeAws, there: dict[str, Any], fault: str) -> None:
    aws.world.add(execution("o-1"))
    aws.fail("GetExecutionHistory", fault)
    for session in (None, boto3.Session()):
        with pytest.raises(AwsError, match=r"GetExecutionHistory of arn:aws:states:"):
            fetch_history(ARN, session, **there)


def test_an_execution_that_is_gone_is_explained(aws: FakeAws, there: dict[str, Any]) -> None:
    with pytest.raises(CallFailed) as caught:
        fetch_history(ARN, **there)
    assert caught.value.kind == "missing"
    assert str(caught.value).startswith(f"not found by GetExecutionHistory of {ARN} in eu-west-1")
    assert "90 days" in str(caught.value)


def test_a_token_that_expires_between_two_pages_is_explained(aws: FakeAws, there: dict[str, Any]) -> None:
    aws.world.add(execution("o-1", steps=600))
    aws.fail(
        "GetExecutionHistory",
        "ExpiredTokenException",
        "The security token included in the request is expired",
        when=lambda n: n > 1,
    )
    with pytest.raises(CallFailed) as caught:
        fetch_history(ARN, **there)
    assert caught.value.kind == "expired"
    assert "sign in again" in str(caught.value)


@pytest.mark.parametrize(
    "arn", ["arn:aws:sqs:eu-west-1:123456789012:queue", MACHINE, f"{BASE}:mapRun:orders/Each:1", "o-1"]
)
def test_other_arns_are_refused_without_a_call(aws: FakeAws, there: dict[str, Any], arn: str) -> None:
    with pytest.raises(AwsError, match=r"^the ARN of an execution or an Express execution is expected"):
        fetch_history(arn, **there)
    assert not aws.calls


# ---- events that this version does not know


@pytest.fixture
def tomorrow() -> Iterator[FakeAws]:
    """A service that has moved on: a new kind of event, new members, a payload that it cut, an event without a time."""
    made = execution("o-1")
    made["events"][2:2] = [
        {
            "timestamp": 1.5e9,
            "type": "TeaStateEntered",
            "id": 900,
            "previousEventId": 2,
            "teaStateEnteredEventDetails": {"name": "Tea"},
        },
        {"type": "Whatever", "id": 901, "previousEventId": 900, "new": [1, {"a": None}]},
    ]
    made["events"][0]["executionStartedEventDetails"].update(
        input='{"order": "o-', inputDetails={"truncated": True, "size": 1}
    )
    with FakeAws(World().add(made), future=True) as found:
        yield found


def test_unknown_events_and_cut_payloads_are_kept(tomorrow: FakeAws, clock: FakeClock) -> None:
    events = fetch_history(ARN, endpoint_url=tomorrow.url, clock=clock)
    assert len(events) == 8
    assert events[2]["teaStateEnteredEventDetails"] == {"name": "Tea"}
    assert events[3] == {
        "timestamp": None,
        "type": "Whatever",
        "id": 901,
        "previousEventId": 900,
        "new": [1, {"a": None}],
    }
    assert events[0]["executionStartedEventDetails"]["inputDetails"] == {"truncated": True, "size": 1}
    assert len(events_frame(events)) == 8
    assert fold(events)


def test_unknown_events_are_kept_on_the_users_session_too(tomorrow: FakeAws, clock: FakeClock) -> None:
    events = fetch_history(ARN, boto3.Session(), endpoint_url=tomorrow.url, clock=clock)
    assert [event["type"] for event in events][2:4] == ["TeaStateEntered", "Whatever"]


def test_a_lone_surrogate_in_a_payload_costs_nothing(aws: FakeAws, there: dict[str, Any]) -> None:
    made = execution("o-1")
    made["events"][0]["executionStartedEventDetails"]["input"] = '"\ud800"'
    aws.world.add(made)
    assert fetch_history(ARN, **there)[0]["executionStartedEventDetails"]["input"] == '"\ud800"'


# ---- the definition, Map Runs


def test_the_definition_is_that_of_the_execution(aws: FakeAws, there: dict[str, Any]) -> None:
    aws.world.add(execution("o-1"))
    aws.world.machines[MACHINE] = {
        "name": "orders",
        "definition": '{"StartAt": "Loop"}\n',
        "roleArn": "r",
        "type": "STANDARD",
    }
    ran = fetch_definition(ARN, **there)
    assert (ran.text, ran.name, ran.arn, ran.as_ran, ran.revision) == (
        '{"StartAt": "Loop"}\n',
        "orders",
        MACHINE,
        True,
        "r-1",
    )
    today = fetch_definition(MACHINE, **there)
    assert (today.text, today.type, today.as_ran) == ('{"StartAt": "Loop"}\n', "STANDARD", False)
    assert aws.calls == {"DescribeStateMachineForExecution": 1, "DescribeStateMachine": 1}


def test_map_runs_are_listed_on_all_pages_and_described(aws: FakeAws, there: dict[str, Any]) -> None:
    aws.world.add(execution("o-1"))
    for number in range(3):
        arn = f"{BASE}:mapRun:orders/Each:{number}"
        aws.world.map_runs[arn] = {
            "mapRunArn": arn,
            "executionArn": ARN,
            "status": "SUCCEEDED",
            "startDate": 1.7e9 - number,
            "maxConcurrency": 5,
            "itemCounts": {
                "pending": 0,
                "running": 0,
                "succeeded": 7,
                "failed": 0,
                "timedOut": 0,
                "aborted": 0,
                "total": 7,
                "resultsWritten": 0,
            },
        }
    found = fetch_map_runs(ARN, **there)
    assert [run["mapRunArn"][-1] for run in found] == ["2", "1", "0"]
    assert found[0]["itemCounts"]["succeeded"] == 7
    assert History.from_aws(ARN, **there).map_runs() == found
    assert "ResponseMetadata" not in found[0]
    assert fetch_map_runs(found[1]["mapRunArn"], **there) == [found[1]]


def test_an_execution_without_map_runs_has_none(aws: FakeAws, there: dict[str, Any]) -> None:
    aws.world.add(execution("o-1"))
    assert fetch_map_runs(ARN, **there) == []


# ---- the cache


def test_a_closed_execution_is_fetched_once(aws: FakeAws, there: dict[str, Any], tmp_path: Path) -> None:
    aws.world.add(execution("o-1"))
    first = fetch_recording(ARN, cache=tmp_path, **there)
    second = fetch_recording(ARN, cache=tmp_path, **there)
    assert first == second
    assert (aws.calls["GetExecutionHistory"], aws.calls["DescribeExecution"]) == (1, 2)


def test_a_redriven_execution_is_fetched_again(aws: FakeAws, there: dict[str, Any], tmp_path: Path) -> None:
    made = execution("o-1", end="Failed")
    aws.world.add(made)
    fetch_recording(ARN, cache=tmp_path, **there)
    after = execution("o-1", end="Succeeded")["events"][-1]
    made["events"] += [
        {
            "timestamp": 1.9e9,
            "type": "ExecutionRedriven",
            "id": 7,
            "previousEventId": 6,
            "executionRedrivenEventDetails": {"redriveCount": 1},
        },
        {**after, "timestamp": 1.91e9, "id": 8, "previousEventId": 7},
    ]
    made["row"].update(redriveCount=1, status="SUCCEEDED", stopDate=1.91e9)
    found = fetch_recording(ARN, cache=tmp_path, **there)
    assert (found.redrive_count, found.status, len(found.events)) == (1, "SUCCEEDED", 8)
    assert fetch_recording(ARN, cache=tmp_path, **there) == found
    assert aws.calls["GetExecutionHistory"] == 2


def test_importing_the_fetching_modules_loads_neither_boto3_nor_pandas() -> None:
    code = (
        "import sys, sfn_notebook.aws.executions, sfn_notebook.aws.fetch, sfn_notebook.history.parquet\n"
        "assert not {'boto3', 'botocore', 'pandas', 'pyarrow', 'tqdm'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
