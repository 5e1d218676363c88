"""Numbers per state over many executions, and how near the quotas they came."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfn_notebook.errors import CommandError
from sfn_notebook.history.analysis import quotas, size_of, summary
from sfn_notebook.history.frames import states_frame
from sfn_notebook.history.visits import fold


def _seconds(value: Any) -> float:
    return float(value.total_seconds())


def _execution(new_writer: Any, *durations: int, fate: str = "ok") -> Any:
    """A history of one task T after another, each as long as told."""
    w = new_writer()
    previous = 0
    for duration in durations:
        previous = w.chain(w.add("TaskStateEntered", previous, name="T"), "TaskScheduled")
        for _ in range(duration - 2):
            previous = w.chain(previous, "TaskFailed", "TaskScheduled", error="E") if fate == "retried" else previous
            w.add("TaskStarted", previous)
        if fate == "caught":
            previous = w.add("TaskFailed", previous, error="E")
        previous = w.add("TaskStateExited", previous, name="T")
    return fold(w.events)


def test_durations_counts_and_rates_of_one_state(new_writer: Any) -> None:
    visits = {"a": _execution(new_writer, 4, 6), "b": _execution(new_writer, 8)}
    row = summary(visits).iloc[0]
    assert (row["state"], row["type"], row["visits"], row["executions"]) == ("T", "Task", 3, 2)
    assert [_seconds(row[name]) for name in ("p50", "max", "total")] == [6, 8, 18]
    assert _seconds(row["p95"]) == pytest.approx(7.8)
    assert (row["failed"], row["failure_rate"], row["retries"], row["retry_rate"]) == (0, 0, 0, 0)


def test_a_caught_failure_is_a_failure_and_a_retried_one_a_retry(new_writer: Any) -> None:
    visits = {"a": _execution(new_writer, 4), "b": _execution(new_writer, 4, fate="caught")}
    row = summary(visits).iloc[0]
    assert (row["failed"], row["caught"], row["failure_rate"], row["retries"]) == (1, 1, 0.5, 0)
    row = summary({"a": _execution(new_writer, 4), "b": _execution(new_writer, 4, fate="retried")}).iloc[0]
    assert (row["failed"], row["retries"], row["retry_rate"]) == (0, 2, 0.5)


def test_what_is_running_or_was_aborted_does_not_count_as_ended_well_or_badly(new_writer: Any) -> None:
    w = new_writer()
    w.chain(w.add("TaskStateEntered", 0, name="T"), "TaskScheduled", "TaskStarted")
    running = fold(w.events)
    w.add("ExecutionAborted", 3)
    aborted = fold(w.events)
    row = summary({"a": running, "b": aborted}).iloc[0]
    assert (row["visits"], row["failed"], row["failure_rate"]) == (2, 0, 0)
    assert _seconds(row["max"]) == 3  # of the aborted one: what is running has no duration
    assert pd.isna(summary(running).iloc[0]["p50"])


def test_shares_are_of_the_wall_time_and_the_largest_comes_first(new_writer: Any) -> None:
    w = new_writer()
    entered = w.add("ParallelStateEntered", 0, name="P")
    w.add("ParallelStateStarted", entered)
    short, long = w.add("PassStateEntered", 2, name="Short"), w.add("PassStateEntered", 2, name="Long")
    w.add("PassStateExited", short, name="Short")
    for _ in range(10):
        w.add("TaskStarted", long)
    end = w.add("PassStateExited", long, name="Long")
    w.add("ParallelStateSucceeded", end)
    w.add("ParallelStateExited", end, name="P")
    found = summary(fold(w.events)).set_index("state")
    assert found.index.tolist() == ["Long", "P", "Short"]
    assert [_seconds(value) for value in found["critical"]] == [12, 5, 0]
    assert found["share"].sum() == pytest.approx(1)


def test_a_frame_gives_what_its_visits_give_and_may_be_filtered(new_writer: Any) -> None:
    visits = {"a": _execution(new_writer, 4, 6, fate="retried"), "b": _execution(new_writer, 8, fate="caught")}
    frame = states_frame(visits)
    pd.testing.assert_frame_equal(summary(frame), summary(visits))
    assert summary(frame[frame["execution"] == "b"])["visits"].tolist() == [1]
    assert summary(states_frame(visits["a"]))["visits"].tolist() == [2]


def test_without_visits_the_columns_keep_their_dtypes(new_writer: Any) -> None:
    usual = summary(_execution(new_writer, 4)).dtypes.astype(str).to_dict()
    nothing: list[Any] = [[], {}, states_frame([]), states_frame({})]
    for empty in nothing:
        assert summary(empty).dtypes.astype(str).to_dict() == usual


def test_a_frame_of_something_else_is_refused_by_name() -> None:
    with pytest.raises(CommandError, match=r"a summary of states needs the columns name, type, .* but found a"):
        summary(pd.DataFrame({"a": [1]}))


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=4), st.sampled_from([1, 40]))
def test_numbers_add_up_on_any_history(new_synthesiser: Any, seeds: list[int], width: int) -> None:
    plan = [("task", 1, "caught"), ("map", [("task", 1, "flaky"), ("plain",)], 3, width, 1, True), ("plain",)]
    visits: dict[str, Any] = {str(n): fold(new_synthesiser(seed).play(plan)) for n, seed in enumerate(seeds)}
    found: Any = summary(visits)
    assert found["visits"].sum() == sum(map(len, visits.values()))
    assert found["retries"].sum() == sum(v.attempts - 1 for group in visits.values() for v in group)
    assert found["share"].sum() <= 1 + 1e-9
    assert (found["p50"] <= found["p95"]).all()
    assert (found["p95"] <= found["max"]).all()
    assert found[["failure_rate", "retry_rate"]].max().max() <= 1
    assert (found["caught"] <= found["failed"]).all()
    assert found["total"].sum() == sum((v.duration for g in visits.values() for v in g), timedelta())


def test_quotas_name_the_largest_payload_and_the_nearest_execution_comes_first(new_writer: Any) -> None:
    w = new_writer()
    previous = w.chain(w.add("TaskStateEntered", 0, name="T", input='"é"'), "TaskScheduled", parameters="x" * 2621)
    w.add("TaskStateExited", w.add("TaskSucceeded", previous, output="y" * 10), name="T")
    found = quotas({"small": _execution(new_writer, 4), "large": fold(w.events)}, {"small": 10, "large": 100})
    assert found["execution"].tolist() == ["large", "small"]
    first = found.iloc[0]
    assert (first["events"], first["payload"], first["state"], first["field"]) == (100, 2621, "T", "parameters")
    assert first["events_share"] == 0.004
    assert first["payload_share"] == pytest.approx(0.01, rel=1e-3)
    assert "execution" not in quotas([], 0)
    assert quotas({}, {}).dtypes.astype(str).to_dict() == found.dtypes.astype(str).to_dict()


def test_sizes_are_bytes_of_utf_8() -> None:
    assert [size_of(text) for text in (None, "", "abc", "é", "\ud800")] == [0, 0, 3, 2, 3]
