"""Following an execution while it runs."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from sfn_notebook.aws.problems import CallFailed
from sfn_notebook.aws.watch import watch_history
from sfn_notebook.errors import AwsError

from .conftest import FakeClock
from .fake_service import BASE, MACHINE, FakeAws, execution

ARN = f"{BASE}:execution:orders:o-1"


@pytest.fixture
def grows(aws: FakeAws, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """An execution that gets further each time somebody sleeps; gives how far it will have come each time."""
    made = execution("o-1", steps=150)
    whole, stages = made["events"], [3, 3, 4, 250, 304]
    made["events"] = whole[: stages[0]]
    aws.world.add(made)
    sleep, left = clock.sleep, stages[1:]

    def further(seconds: float) -> None:
        sleep(seconds)
        if seconds == 2.0:
            made["events"] = whole[: left.pop(0)]

    monkeypatch.setattr(clock, "sleep", further)
    return stages


@pytest.mark.parametrize("own", [True, False])
def test_each_look_that_brings_events_gives_the_execution_so_far(
    aws: FakeAws, there: dict[str, Any], clock: FakeClock, grows: list[int], own: bool
) -> None:
    session = None if own else boto3.Session()
    seen = list(watch_history(ARN, session, redact=["$.order"], **there))
    assert [len(found.events) for found in seen] == [3, 4, 250, 304]
    assert [found.status for found in seen] == ["RUNNING"] * 3 + ["SUCCEEDED"]
    assert [event["id"] for event in seen[-1].events] == list(range(1, 305))
    assert seen[-1].events[0]["executionStartedEventDetails"]["input"] == '{"order":"***"}'
    assert seen[0].started == seen[-1].started == seen[-1].events[0]["timestamp"]
    assert aws.calls["GetExecutionHistory"] == 1 + 1 + 1 + 3 + 1
    assert clock.slept.count(2.0) == 4


def test_stopping_the_clock_ends_it_quietly(aws: FakeAws, there: dict[str, Any], clock: FakeClock) -> None:
    aws.world.add(execution("o-1", end=""))
    seen = []
    for found in watch_history(ARN, **there):
        seen.append(found.status)
        clock.stop()
    assert seen == ["RUNNING"]


def test_a_closed_execution_is_given_once(aws: FakeAws, there: dict[str, Any]) -> None:
    aws.world.add(execution("o-1"))
    assert [found.status for found in watch_history(ARN, **there)] == ["SUCCEEDED"]


def test_what_cannot_be_watched_is_an_error(aws: FakeAws, there: dict[str, Any]) -> None:
    with pytest.raises(AwsError, match=r"the ARN of an execution is expected"):
        next(watch_history(MACHINE, **there))
    with pytest.raises(CallFailed, match=r"not found by GetExecutionHistory"):
        next(watch_history(ARN, **there))
