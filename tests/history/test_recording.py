"""Recordings and batches: what is known of executions whose histories are whole, missing or old."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sfn_notebook.history.recording import Batch, Recording, recording_of, redrives

START = datetime(2026, 3, 1, tzinfo=UTC)
ARN = "arn:aws:states:eu-west-1:123456789012:execution:orders:o-1"


def events(*kinds: str) -> list[dict[str, Any]]:
    return [
        {
            "timestamp": START + timedelta(seconds=number),
            "type": kind,
            "id": number,
            "previousEventId": max(0, number - 1),
        }
        for number, kind in enumerate(kinds, 1)
    ]


def test_a_bare_history_tells_most_of_a_recording() -> None:
    found = recording_of(events("ExecutionStarted", "ExecutionFailed", "ExecutionRedriven", "ExecutionSucceeded"), ARN)
    assert (found.name, found.status, found.redrive_count, found.closed) == ("o-1", "SUCCEEDED", 1, True)
    assert (found.started, found.ended) == (START + timedelta(seconds=1), START + timedelta(seconds=4))
    assert found.key == (ARN, 1)


def test_an_empty_history_is_an_open_execution() -> None:
    found = recording_of([], ARN)
    assert (found.status, found.closed, found.started) == ("RUNNING", False, None)


def test_events_know_better_than_an_older_list() -> None:
    listed = Recording(ARN, "o-1", "RUNNING", started=START)
    closed = listed.with_events(events("ExecutionStarted", "ExecutionTimedOut"))
    assert (closed.status, closed.ended, closed.started) == ("TIMED_OUT", START + timedelta(seconds=2), START)
    again = closed.with_events(events("ExecutionStarted", "ExecutionTimedOut", "ExecutionRedriven"))
    assert (again.redrive_count, again.closed) == (1, False)


def test_a_list_that_says_more_exactly_when_it_ended_is_kept() -> None:
    listed = Recording(ARN, "o-1", "FAILED", started=START, ended=START + timedelta(seconds=9))
    assert listed.with_events(events("ExecutionStarted", "ExecutionFailed")).ended == START + timedelta(seconds=9)


def test_an_execution_without_its_history_still_has_an_overview() -> None:
    row = replace(Recording(ARN, "o-1", "FAILED", started=START, ended=START), notice="gone")
    assert (row.overview.status, row.overview.started, row.overview.cause, row.overview.events) == (
        "FAILED",
        START,
        "gone",
        0,
    )
    assert not row.closed


@pytest.mark.parametrize("count", [1, 3, 5])
def test_a_batch_says_once_what_is_missing_and_why(count: int) -> None:
    rows = [Recording(f"{ARN}{n}", f"o-{n}", "FAILED", notice=f"not found by X of {ARN}{n}") for n in range(count)]
    batch = Batch([*rows, recording_of(events("ExecutionStarted"), ARN)])
    names = ", ".join(f"o-{n}" for n in range(min(count, 3)))
    assert batch.message == f"{names}{' and 2 more' if count == 5 else ''}: not found by X of …"
    assert not batch.complete
    assert (len(batch), batch[0], batch[:1], list(batch)[-1].name) == (count + 1, rows[0], rows[:1], "o-1")


def test_a_whole_batch_says_nothing() -> None:
    assert (Batch([]).message, Batch([]).complete) == (None, True)
    assert Batch([], ["a"]).complete is False
    assert Batch([], stopped="interrupted", notices=["a file"]).message == "interrupted\na file"


def test_redrives_are_counted() -> None:
    assert redrives(events("ExecutionStarted", "ExecutionRedriven", "ExecutionRedriven")) == 2
