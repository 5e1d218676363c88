"""Token buckets on a clock that does not wait, and calls that are refused."""

from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfn_notebook.aws.problems import CallFailed
from sfn_notebook.aws.quota import QUOTAS, Bucket, Caller, Clock, Stopped
from sfn_notebook.aws.session import connect

from .conftest import FakeClock
from .fake_service import CUT, DROP, GARBAGE, MACHINE, FakeAws, execution

ARN = "arn:aws:states:eu-west-1:123456789012:execution:orders:o-1"


def test_a_full_bucket_gives_all_its_tokens_at_once_and_then_one_at_a_time(clock: FakeClock) -> None:
    bucket = Bucket(3, 2, clock)
    for _ in range(5):
        bucket.take()
    assert clock.slept == [0.5, 0.5]


def test_tokens_come_back_while_nobody_asks_but_never_more_than_the_bucket_holds(clock: FakeClock) -> None:
    bucket = Bucket(2, 1, clock)
    bucket.take()
    clock.time += 1000
    for _ in range(3):
        bucket.take()
    assert clock.slept == [1.0]


def test_a_drained_bucket_makes_the_next_wait_for_a_token(clock: FakeClock) -> None:
    bucket = Bucket(400, 20, clock)
    bucket.drain()
    bucket.take()
    assert clock.slept == [0.05]


@given(st.integers(1, 50), st.floats(0.5, 100), st.lists(st.floats(0, 3), min_size=1, max_size=200))
def test_never_more_calls_than_the_quota_allows_whatever_the_pauses(
    size: int, rate: float, pauses: list[float]
) -> None:
    clock = FakeClock()
    bucket = Bucket(size, rate, clock)
    times = []
    for pause in pauses:
        clock.time += pause
        bucket.take()
        times.append(clock.time)
    for first in range(len(times)):
        for last in range(first, len(times)):
            assert last - first + 1 <= size + rate * (times[last] - times[first]) + 1e-6


def test_five_hundred_histories_take_five_seconds_of_quota(clock: FakeClock) -> None:
    bucket = Bucket(*QUOTAS["GetExecutionHistory"], clock)
    for _ in range(500):
        bucket.take()
    assert clock.time == pytest.approx(5.0)


def test_stopping_the_clock_wakes_those_who_sleep() -> None:
    clock = Clock()
    ended: list[float] = []

    def sleeper() -> None:
        began = time.monotonic()
        with pytest.raises(Stopped):
            clock.sleep(60)
        ended.append(time.monotonic() - began)

    thread = threading.Thread(target=sleeper)
    thread.start()
    clock.stop()
    thread.join(10)
    assert ended[0] < 10
    with pytest.raises(Stopped):
        clock.sleep(0)


# ---- calls


@pytest.fixture
def caller(aws: FakeAws, clock: FakeClock) -> Caller:
    aws.world.add(execution("o-1", steps=2))
    return Caller(connect(endpoint_url=aws.url, region="eu-west-1"), clock=clock)


def test_a_throttled_call_is_tried_again_after_a_pause_that_grows(
    aws: FakeAws, caller: Caller, clock: FakeClock
) -> None:
    aws.fail("DescribeExecution", "ThrottlingException", "Rate exceeded", times=17)
    assert caller.call("DescribeExecution", executionArn=ARN)["name"] == "o-1"
    assert aws.refused["DescribeExecution"] == 17
    assert [pause for pause in clock.slept if pause >= 1] == [1.0, 2.0]


def test_throttling_without_end_is_given_up_with_what_to_do(aws: FakeAws, caller: Caller, clock: FakeClock) -> None:
    aws.fail("DescribeExecution", "ThrottlingException", "Rate exceeded")
    with pytest.raises(CallFailed) as caught:
        caller.call("DescribeExecution", executionArn=ARN)
    assert caught.value.kind == "throttled"
    assert "ThrottlingException: Rate exceeded" in str(caught.value)
    assert "smaller concurrency=" in str(caught.value)
    assert clock.time < 60


@pytest.mark.parametrize("fault", [DROP, CUT, GARBAGE, "InternalServerError"])
def test_a_broken_connection_or_answer_is_tried_again(aws: FakeAws, caller: Caller, fault: str) -> None:
    aws.fail("GetExecutionHistory", fault, times=2)
    answer = caller.call("GetExecutionHistory", "events", executionArn=ARN)
    assert [event["id"] for event in answer["events"]] == list(range(1, 9))
    assert aws.calls["GetExecutionHistory"] == 3


@pytest.mark.parametrize(
    ("fault", "kind", "told"),
    [
        (DROP, "connection", "AWS cannot be reached for DescribeExecution of arn:aws:states:"),
        (GARBAGE, "malformed", "an answer without executionArn came from DescribeExecution of arn:aws:states:"),
        ("InternalServerError", "service", "AWS failed in DescribeExecution of arn:aws:states:"),
        ("AccessDeniedException", "permission", "the policy of the caller must allow states:DescribeExecution"),
        ("KmsAccessDeniedException", "permission", "must allow kms:Decrypt with the key of the state machine"),
        ("ExpiredTokenException", "expired", "the AWS session has expired: DescribeExecution of arn:aws:states:"),
        ("UnrecognizedClientException", "credentials", "no valid AWS credentials for DescribeExecution"),
        ("SomethingNew", "other", "AWS refused DescribeExecution of arn:aws:states:"),
    ],
)
def test_a_failure_that_stays_says_what_where_and_why(
    aws: FakeAws, caller: Caller, fault: str, kind: str, told: str
) -> None:
    aws.fail("DescribeExecution", fault, "because")
    with pytest.raises(CallFailed) as caught:
        caller.call("DescribeExecution", "executionArn", executionArn=ARN)
    assert caught.value.kind == kind
    assert told in str(caught.value)
    assert f"in eu-west-1 at {aws.url}" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_page_that_comes_twice_ends_with_an_error_and_not_never(
    aws: FakeAws, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        caller, "call", lambda operation, needs, **arguments: {"executions": [], "nextToken": "same"}, raising=True
    )
    with pytest.raises(CallFailed, match="gave the same page twice"):
        list(caller.pages("ListExecutions", "executions", stateMachineArn=MACHINE))


def test_a_stopped_clock_ends_calls_before_they_are_made(aws: FakeAws, caller: Caller, clock: FakeClock) -> None:
    clock.stop()
    with pytest.raises(Stopped):
        caller.call("DescribeExecution", executionArn=ARN)
    assert aws.calls["DescribeExecution"] == 0
