"""Many executions: listed, fetched, throttled, interrupted, resumed; nothing lost, nothing doubled."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from sfn_notebook.aws.executions import fetch_executions
from sfn_notebook.aws.problems import CallFailed
from sfn_notebook.aws.quota import QUOTAS
from sfn_notebook.errors import AwsError, CommandError
from sfn_notebook.history.recording import Batch

from .conftest import FakeClock
from .fake_service import BASE, CUT, DROP, MACHINE, START, FakeAws, execution

ENDS = ("Succeeded", "Failed", "Succeeded", "TimedOut", "Aborted")


class Bar:
    """A progress bar that interrupts, as Ctrl-C does, when so many executions are there."""

    def __init__(self, interrupt_at: int | None = None) -> None:
        self.interrupt_at = interrupt_at
        self.total = 0
        self.n = 0

    def __call__(self, **options: Any) -> Bar:
        self.options = options
        return self

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    def update(self, count: int) -> None:
        self.n += count
        if self.interrupt_at is not None and self.n >= self.interrupt_at:
            raise KeyboardInterrupt


def fill(aws: FakeAws, count: int = 300) -> dict[str, list[int]]:
    """Give the fake so many executions, a minute apart; returns name -> ids of its events."""
    for number in range(count):
        steps = 600 if number % 100 == 7 else number % 9
        aws.world.add(execution(f"o-{number:03}", steps, ENDS[number % 5], START + timedelta(minutes=number)))
    return {found["row"]["name"]: [event["id"] for event in found["events"]] for found in aws.world.executions}


def later(options: dict[str, Any]) -> dict[str, Any]:
    """Give options for another call: a clock that was stopped stays so."""
    return {**options, "clock": FakeClock()}


def shown(batch: Batch) -> dict[str, list[int]]:
    assert max(Counter(row.arn for row in batch).values(), default=1) == 1
    return {row.name: [event["id"] for event in row.events] for row in batch}


@pytest.fixture
def quiet(there: dict[str, Any]) -> dict[str, Any]:
    return {**there, "progress": False}


def test_three_hundred_executions_come_whole_newest_first(aws: FakeAws, quiet: dict[str, Any]) -> None:
    truth = fill(aws)
    batch = fetch_executions(MACHINE, **quiet)
    assert shown(batch) == truth
    assert batch.complete
    assert batch.message is None
    assert [row.name for row in batch] == sorted(truth, reverse=True)
    assert aws.calls == {"ListExecutions": 1, "GetExecutionHistory": 303}
    assert Counter(row.status for row in batch) == {"SUCCEEDED": 120, "FAILED": 60, "TIMED_OUT": 60, "ABORTED": 60}


def test_throttled_cut_off_and_dropped_calls_lose_and_double_nothing(aws: FakeAws, quiet: dict[str, Any]) -> None:
    truth = fill(aws)
    aws.fail("GetExecutionHistory", "ThrottlingException", "Rate exceeded", when=lambda number: number % 3 == 0)
    aws.fail("GetExecutionHistory", DROP, when=lambda number: number % 50 == 10)
    aws.fail("GetExecutionHistory", CUT, when=lambda number: number % 50 == 20)
    aws.fail("GetExecutionHistory", "InternalServerError", when=lambda number: number % 50 == 25)
    aws.fail("ListExecutions", "ThrottlingException", "Rate exceeded", times=6)
    batch = fetch_executions(MACHINE, **quiet)
    assert aws.refused["GetExecutionHistory"] > 100
    assert shown(batch) == truth
    assert batch.complete


def test_calls_keep_to_the_quota_of_the_account(
    aws: FakeAws, quiet: dict[str, Any], clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(QUOTAS, "GetExecutionHistory", (20, 4))
    fill(aws, 60)
    aws.most = 5
    fetch_executions(MACHINE, limit=30, **quiet)
    calls = aws.calls["GetExecutionHistory"]
    assert calls > 60
    assert sum(clock.slept) >= (calls - 20) / 4 - 0.3


def test_an_interrupted_batch_keeps_what_it_has_and_goes_on_from_there(aws: FakeAws, quiet: dict[str, Any]) -> None:
    # GIVEN three hundred executions and a service that refuses every fourth call
    truth = fill(aws)
    aws.fail("GetExecutionHistory", "ThrottlingException", "Rate exceeded", when=lambda number: number % 4 == 0)
    # WHEN the user stops it after 120, and then asks for the rest
    first = fetch_executions(MACHINE, **{**quiet, "progress": Bar(interrupt_at=120)})
    aws.requests.clear()
    second = fetch_executions(MACHINE, resume=first, **later(quiet))
    # THEN the first part is whole, and nothing of it was asked for again
    assert 120 <= len(first) < 300
    assert all(shown(first)[name] == truth[name] for name in shown(first))
    assert len(first) + len(first.missing) == 300
    assert first.stopped == f"stopped after {len(first)} of 300 executions: interrupted"
    assert not first.complete
    again = {r["executionArn"] for name, r in aws.requests if name == "GetExecutionHistory"}
    assert again == set(first.missing)
    assert shown(second) == truth
    assert second.complete


def test_a_cache_resumes_too_and_after_that_only_the_list_is_asked_for(
    aws: FakeAws, quiet: dict[str, Any], tmp_path: Path
) -> None:
    truth = fill(aws, 60)
    first = fetch_executions(MACHINE, cache=tmp_path, **{**quiet, "progress": Bar(interrupt_at=20)})
    assert 20 <= len(first) < 60
    second = fetch_executions(MACHINE, cache=tmp_path, **later(quiet))
    aws.calls.clear()
    third = fetch_executions(MACHINE, cache=tmp_path, **later(quiet))
    assert shown(second) == shown(third) == truth
    assert list(second) == list(third)
    assert aws.calls == {"ListExecutions": 1}


@pytest.mark.skipif(threading.current_thread() is not threading.main_thread(), reason="signals reach the main thread")
def test_a_real_interrupt_ends_the_batch_soon_even_while_threads_wait(aws: FakeAws) -> None:
    def refuse(number: int) -> bool:
        if number == 40:
            os.kill(os.getpid(), signal.SIGINT)
        return number > 25

    fill(aws, 40)
    aws.fail("GetExecutionHistory", "ThrottlingException", when=refuse)
    batch = fetch_executions(MACHINE, endpoint_url=aws.url, progress=False)  # on real time
    assert 1 <= len(batch) < 40
    assert batch.stopped is not None
    assert "interrupted" in batch.stopped


def test_a_token_that_expires_ends_the_batch_and_keeps_it(aws: FakeAws, quiet: dict[str, Any]) -> None:
    truth = fill(aws, 80)
    aws.fail(
        "GetExecutionHistory", "ExpiredTokenException", "The security token is expired", when=lambda number: number > 40
    )
    first = fetch_executions(MACHINE, **quiet)
    assert 25 <= len(first) <= 40
    assert all(row.notice is None for row in first)
    assert first.stopped is not None
    assert "the AWS session has expired" in first.stopped
    assert aws.calls["GetExecutionHistory"] <= 40 + 2 * 10
    aws.heal()
    assert shown(fetch_executions(MACHINE, resume=first, **later(quiet))) == truth


def test_one_execution_that_cannot_be_had_is_a_row_with_a_notice(aws: FakeAws, quiet: dict[str, Any]) -> None:
    truth = fill(aws, 20)
    gone = aws.world.executions[7]
    find = aws.world.find
    aws.world.find = lambda arn: find(arn if arn != gone["row"]["executionArn"] else "gone")  # type: ignore[method-assign]
    batch = fetch_executions(MACHINE, **quiet)
    assert shown(batch) == {**truth, "o-007": []}
    (row,) = [row for row in batch if row.notice]
    assert (row.name, row.status, row.overview.status) == ("o-007", "SUCCEEDED", "SUCCEEDED")
    assert not batch.complete
    assert batch.message is not None
    assert batch.message.startswith("o-007: not found by GetExecutionHistory")


def test_failures_in_a_row_end_the_batch(aws: FakeAws, quiet: dict[str, Any]) -> None:
    fill(aws, 100)
    aws.fail("GetExecutionHistory", "AccessDeniedException", "no", when=lambda number: number > 20)
    batch = fetch_executions(MACHINE, concurrency=2, **quiet)
    assert batch.stopped is not None
    assert "must allow states:GetExecutionHistory" in batch.stopped
    assert aws.calls["GetExecutionHistory"] < 40
    assert len(batch.missing) > 60


def test_a_batch_of_which_nothing_can_be_had_is_an_error(aws: FakeAws, quiet: dict[str, Any]) -> None:
    fill(aws, 5)
    aws.fail("GetExecutionHistory", "AccessDeniedException", "not authorized")
    with pytest.raises(
        CallFailed, match=r"no permission for GetExecutionHistory of .*; the policy of the caller must allow"
    ):
        fetch_executions(MACHINE, **quiet)
    aws.fail("ListExecutions", "AccessDeniedException", "not authorized")
    with pytest.raises(CallFailed, match=r"no permission for ListExecutions"):
        fetch_executions(MACHINE, **quiet)


def test_a_list_that_breaks_off_gives_what_was_listed(aws: FakeAws, quiet: dict[str, Any]) -> None:
    fill(aws, 32)
    aws.most = 12
    aws.fail("ListExecutions", "AccessDeniedException", "no", when=lambda number: number > 2)
    batch = fetch_executions(MACHINE, **quiet)
    assert names(batch) == [f"o-{number:03}" for number in range(31, 7, -1)]
    assert batch.stopped is not None
    assert batch.stopped.startswith("stopped after 24 of 24 executions: no permission for ListExecutions")


# ---- what is chosen


def names(batch: Batch) -> list[str]:
    return [row.name for row in batch]


def test_statuses_are_asked_of_the_service_and_merged_newest_first(aws: FakeAws, quiet: dict[str, Any]) -> None:
    fill(aws, 20)
    assert names(fetch_executions(MACHINE, "failed", **quiet)) == ["o-016", "o-011", "o-006", "o-001"]
    both = fetch_executions(MACHINE, ["FAILED", "ABORTED"], limit=3, **quiet)
    assert names(both) == ["o-019", "o-016", "o-014"]
    assert [r.get("statusFilter") for name, r in aws.requests if name == "ListExecutions"] == [
        "FAILED",
        "FAILED",
        "ABORTED",
    ]
    with pytest.raises(
        CommandError, match=r'there is no status "BROKEN"; status= is one or several of RUNNING, SUCCEEDED'
    ):
        fetch_executions(MACHINE, "broken", **quiet)


def test_a_window_of_time_takes_datetimes_text_and_ages(aws: FakeAws, quiet: dict[str, Any]) -> None:
    fill(aws, 20)
    now = START + timedelta(minutes=20)
    assert names(fetch_executions(MACHINE, since="3m", now=now, **quiet)) == ["o-019", "o-018", "o-017"]
    assert names(fetch_executions(MACHINE, since="2026-03-01T12:17", until="2026-03-01T12:18:30Z", **quiet)) == [
        "o-018",
        "o-017",
    ]
    assert names(fetch_executions(MACHINE, until=START + timedelta(seconds=90), **quiet)) == ["o-001", "o-000"]
    assert len(fetch_executions(MACHINE, since="7d", now=now, limit=5, **quiet)) == 5


def test_the_list_is_read_no_further_than_needed(aws: FakeAws, quiet: dict[str, Any]) -> None:
    fill(aws, 50)
    aws.most = 10
    fetch_executions(MACHINE, limit=10, **quiet)
    assert aws.calls["ListExecutions"] == 1
    assert len(fetch_executions(MACHINE, since=START + timedelta(minutes=35), **quiet)) == 15
    assert aws.calls["ListExecutions"] == 1 + 2


def test_the_children_of_a_map_run_come_by_its_arn(aws: FakeAws, quiet: dict[str, Any]) -> None:
    run = f"{BASE}:mapRun:orders/Each:11111111"
    for number in range(4):
        child = execution(f"child-{number}", machine="orders/Each")
        child["row"].update(mapRunArn=run, itemCount=10)
        aws.world.add(child)
    batch = fetch_executions(run, since="2000-01-01", **quiet)
    assert sorted(names(batch)) == ["child-0", "child-1", "child-2", "child-3"]
    assert {(row.map_run_arn, row.item_count, row.machine_arn) for row in batch} == {(run, 10, MACHINE)}


def test_a_machine_without_executions_gives_an_empty_batch(aws: FakeAws, quiet: dict[str, Any]) -> None:
    aws.world.machines[MACHINE] = {}
    batch = fetch_executions(MACHINE, **quiet)
    assert (list(batch), batch.message) == ([], None)


def test_what_cannot_be_understood_is_refused_before_any_call(aws: FakeAws, quiet: dict[str, Any]) -> None:
    with pytest.raises(AwsError, match=r"one execution comes with History.from_aws"):
        fetch_executions(f"{BASE}:execution:orders:o-1", **quiet)
    with pytest.raises(CommandError, match=r"limit= and concurrency= are 1 or more"):
        fetch_executions(MACHINE, limit=0, **quiet)
    with pytest.raises(CommandError, match=r"since= takes"):
        fetch_executions(MACHINE, since="last week", **quiet)
    assert not aws.calls


# ---- redrives, open executions, masks


def test_open_and_redriven_executions_are_fetched_again(aws: FakeAws, quiet: dict[str, Any], tmp_path: Path) -> None:
    aws.world.add(execution("open", end=""), execution("bad", end="Failed"), execution("good"))
    first = fetch_executions(MACHINE, cache=tmp_path, **quiet)
    bad = aws.world.executions[1]
    bad["row"].update(redriveCount=1, status="RUNNING")
    del bad["row"]["stopDate"]
    bad["events"].append({"timestamp": 1.9e9, "type": "ExecutionRedriven", "id": 7, "previousEventId": 6})
    aws.requests.clear()
    for options in ({"cache": tmp_path}, {"resume": first}):
        second = {row.name: row for row in fetch_executions(MACHINE, **options, **quiet)}
        assert (second["bad"].status, len(second["bad"].events), second["bad"].closed) == ("RUNNING", 7, False)
    asked = Counter(r["executionArn"].rpartition(":")[2] for name, r in aws.requests if name == "GetExecutionHistory")
    assert asked == {"open": 2, "bad": 2}


def test_a_name_that_is_used_again_is_another_execution(aws: FakeAws, quiet: dict[str, Any], tmp_path: Path) -> None:
    aws.world.add(execution("o-1", steps=1))
    first = fetch_executions(MACHINE, cache=tmp_path, **quiet)
    aws.world.executions[:] = [execution("o-1", steps=3, start=START + timedelta(days=120))]
    for options in ({"cache": tmp_path}, {"resume": first}):
        (second,) = fetch_executions(MACHINE, **options, **quiet)
        assert len(second.events) == 10


def test_masked_histories_are_masked_on_the_disk_and_when_resumed(
    aws: FakeAws, quiet: dict[str, Any], tmp_path: Path
) -> None:
    fill(aws, 3)
    plain = fetch_executions(MACHINE, cache=tmp_path, **quiet)
    masked = fetch_executions(MACHINE, cache=tmp_path, redact=["$.order"], **quiet)
    resumed = fetch_executions(MACHINE, resume=plain, redact=["$.order"], **quiet)
    inputs = [
        [row.events[0]["executionStartedEventDetails"]["input"] for row in batch] for batch in (plain, masked, resumed)
    ]
    assert inputs[0][0] == '{"order": "o-002"}'
    assert inputs[1] == inputs[2] == ['{"order":"***"}'] * 3
    assert fetch_executions(MACHINE, cache=tmp_path, **quiet)[0] == plain[0]


def test_a_cache_that_cannot_be_written_is_told_and_costs_nothing(
    aws: FakeAws, quiet: dict[str, Any], tmp_path: Path
) -> None:
    truth = fill(aws, 5)
    (tmp_path / "file").write_text("")
    batch = fetch_executions(MACHINE, cache=tmp_path / "file" / "x", **quiet)
    assert shown(batch) == truth
    assert batch.message is not None
    assert "cannot be written" in batch.message


# ---- threads, progress, the user's session


def test_the_bar_counts_executions_to_the_end(aws: FakeAws, there: dict[str, Any]) -> None:
    fill(aws, 30)
    bar = Bar()
    fetch_executions(MACHINE, progress=bar, **there)
    assert (bar.n, bar.total, bar.options["desc"], bar.options["unit"]) == (30, 30, "orders", "execution")


def test_tqdms_own_bar_works(aws: FakeAws, there: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    fill(aws, 3)
    assert len(fetch_executions(MACHINE, **there)) == 3
    assert capsys.readouterr().out == ""


def test_the_users_session_does_it_all_too(aws: FakeAws, quiet: dict[str, Any]) -> None:
    truth = fill(aws, 60)
    aws.fail("GetExecutionHistory", "ThrottlingException", "Rate exceeded", when=lambda number: number % 3 == 0)
    session = boto3.Session()
    assert shown(fetch_executions(MACHINE, session=session, concurrency=30, **quiet)) == truth
    assert all(
        row.started == datetime.fromtimestamp(f["row"]["startDate"], UTC)
        for row, f in zip(
            fetch_executions(MACHINE, session=session, **quiet), reversed(aws.world.executions), strict=True
        )
    )
