"""Frames: their columns and dtypes do not depend on the data, and their values are right."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any

import pandas as pd
import pytest

from sfn_notebook.history import columns, frames
from sfn_notebook.history.visits import fold


@pytest.fixture
def events(new_writer: Any) -> Any:
    w = new_writer()
    w.add("ExecutionStarted", 0, input='{"n":1}', roleArn="arn:role", inputDetails={"truncated": True})
    started = w.chain(w.add("MapStateEntered", 0, name="M"), "MapStateStarted", length=2)
    starts = [w.add("MapIterationStarted", started, name="M", index=n) for n in range(2)]
    tasks = [w.add("TaskStateEntered", start, name="T", input='"é"') for start in starts]
    failed = w.chain(tasks[1], "TaskScheduled", "TaskStarted", "TaskFailed", resource="invoke", error="E")
    scheduled = w.add("TaskScheduled", tasks[0], resource="invoke", parameters='{"p":1}', timeoutInSeconds=60)
    good = w.chain(scheduled, "TaskStarted", "TaskSucceeded", resource="invoke", output="[1]")
    caught = w.add("TaskStateExited", failed, name="T", output="{}")
    w.add("MapIterationSucceeded", w.add("TaskStateExited", good, name="T", output="[1]"), name="M", index=0)
    last = w.chain(
        w.add("PassStateEntered", caught, name="Fix"), "PassStateExited", name="Fix", assignedVariables={"v": "5"}
    )
    last = w.add("MapIterationSucceeded", last, name="M", index=1)
    w.add("MapStateSucceeded", last)
    w.add("ExecutionSucceeded", w.add("MapStateExited", last, name="M"), output="[]")
    return w.events


BUILDERS = [frames.states_frame, frames.attempts_frame, frames.iterations_frame, frames.transitions_frame]


def _dtypes(frame: Any) -> dict[str, str]:
    return {name: str(dtype) for name, dtype in frame.dtypes.items()}


@pytest.mark.parametrize("build", BUILDERS)
def test_an_empty_history_has_the_same_columns_and_dtypes(build: Any, events: Any) -> None:
    assert _dtypes(build([])) == _dtypes(build(fold(events)))


def test_an_empty_events_frame_has_the_same_columns_and_dtypes(events: Any) -> None:
    assert _dtypes(frames.events_frame([])) == _dtypes(frames.events_frame(events))
    assert len(frames.durations(frames.events_frame([]))) == 0


@pytest.mark.parametrize("build", [*BUILDERS, frames.events_frame])
def test_the_documented_columns_are_the_columns_in_order(build: Any) -> None:
    table = [line.split("|")[1] for line in (build.__doc__ or "").splitlines() if line.strip().startswith("|")][2:]
    documented = [name.strip() for cell in table for name in cell.split(",")]
    assert sorted(documented) == sorted(build([]).columns)


def test_events_carry_their_state_visit_and_path(events: Any) -> None:
    frame: Any = frames.events_frame(events).set_index("id")
    assert frame.loc[1, ["state", "visit", "path"]].isna().tolist() == [True, True, False]
    assert frame.loc[8, ["state", "visit", "path"]].tolist() == ["T", 7, "M[1]"]
    assert frame.loc[4, ["state", "visit", "path", "index"]].tolist() == ["M", 2, "M[0]", 0]
    assert frame["input_truncated"].iloc[:3].tolist() == [True, False, pd.NA]
    assert frame.loc[11, ["parameters", "timeout_in_seconds"]].tolist() == ['{"p":1}', 60]
    assert frame["assigned_variables"].dropna().tolist() == ['{"v":"5"}']


def test_an_unknown_event_type_is_a_kept_row_with_its_fields(events: Any) -> None:
    future = {"id": 99, "previousEventId": 2, "type": "MapStatePaused", "timestamp": events[-1]["timestamp"]}
    frame = frames.events_frame([*events, {**future, "mapStatePausedEventDetails": {"name": "M", "until": [1]}}])
    assert frame.iloc[-1][["type", "name", "other"]].tolist() == ["MapStatePaused", "M", '{"until":[1]}']
    assert frame["other"].iloc[:-1].isna().all()


def test_durations_pair_interleaved_iterations_by_the_chain(events: Any) -> None:
    pairs = frames.durations(frames.events_frame(events))
    assert pairs[["state", "entered", "exited"]].to_numpy().tolist() == [
        ["T", 7, 14],
        ["T", 6, 15],
        ["Fix", 17, 18],
        ["M", 2, 21],
    ]
    assert pairs["duration"].tolist() == [pd.Timedelta(seconds=s) for s in (7, 9, 1, 19)]


def test_durations_survive_filtering_sorting_and_many_executions(events: Any) -> None:
    frame = frames.events_frame({"one": events, "two": events[:18]})
    pairs = frames.durations(frame)
    assert pairs.groupby("execution").size().to_dict() == {"one": 4, "two": 3}
    backwards = frames.durations(frame.iloc[::-1])
    key = ["execution", "exited"]
    pd.testing.assert_frame_equal(
        backwards.sort_values(key, ignore_index=True), pairs.sort_values(key, ignore_index=True)
    )
    assert len(frames.durations(frame[frame["type"] != "TaskStateEntered"])) == 3


def test_states_have_one_row_per_visit_with_parsed_payloads(events: Any) -> None:
    frame: Any = frames.states_frame(fold(events)).set_index("visit")
    assert frame["name"].tolist() == ["M", "T", "T", "Fix"]
    assert frame["status"].tolist() == ["SUCCEEDED", "SUCCEEDED", "CAUGHT", "SUCCEEDED"]
    assert frame["iteration"].tolist() == [pd.NA, 0, 1, 1]
    assert frame.loc[6, ["input", "output", "input_bytes", "output_bytes"]].tolist() == ["é", [1], 4, 3]
    assert frame.loc[17, "variables"] == {"v": 5}
    assert frame.loc[7, ["path", "error", "next"]].tolist() == ["M[1]", "E", 17]


def test_payloads_stay_objects_even_if_all_of_them_are_texts(new_writer: Any) -> None:
    w = new_writer()
    entered = w.add("PassStateEntered", 0, name="A", input='"x"')
    w.add("PassStateExited", entered, name="A", output='"y"')
    frame = frames.states_frame(fold(w.events))
    assert _dtypes(frame[["input", "output", "variables"]]) == dict.fromkeys(("input", "output", "variables"), "object")
    assert frame["output"].tolist() == ["y"]


def test_attempts_tell_waiting_from_running(events: Any) -> None:
    frame = frames.attempts_frame(fold(events))
    assert frame[["visit", "attempt", "status"]].to_numpy().tolist() == [[6, 1, "SUCCEEDED"], [7, 1, "FAILED"]]
    assert frame["queued"].tolist() == [pd.Timedelta(seconds=1)] * 2
    assert (frame["queued"] + frame["ran"] == frame["duration"]).all()
    assert frame.loc[0, "parameters"] == {"p": 1}


def test_iterations_and_transitions(events: Any) -> None:
    visits = fold(events)
    iterations = frames.iterations_frame(visits)
    assert iterations[["path", "index", "status"]].to_numpy().tolist() == [
        ["M[0]", 0, "SUCCEEDED"],
        ["M[1]", 1, "SUCCEEDED"],
    ]
    ways = frames.transitions_frame(visits)
    assert ways[["kind", "target"]].to_numpy().tolist() == [
        ["start", "M"],
        ["start", "T"],
        ["start", "T"],
        ["catch", "Fix"],
    ]
    assert ways["source"].tolist() == [pd.NA, pd.NA, pd.NA, "T"]


@pytest.mark.parametrize("build", BUILDERS)
def test_many_executions_give_one_frame_with_the_execution_first(build: Any, events: Any) -> None:
    visits = fold(events)
    both = build({"a": visits, "b": visits})
    assert both.columns[0] == "execution"
    assert both["execution"].tolist() == ["a"] * len(build(visits)) + ["b"] * len(build(visits))
    pd.testing.assert_frame_equal(both[both["execution"] == "a"].drop(columns="execution"), build(visits))


class _Summer(tzinfo):
    """One hour ahead until 2026-10-25T01:00Z, then none: what a local zone object does."""

    def utcoffset(self, when: datetime | None) -> timedelta:
        assert when is not None
        return timedelta(hours=1) if when.replace(tzinfo=None) < datetime(2026, 10, 25, 2) else timedelta(0)

    def dst(self, when: datetime | None) -> timedelta:
        return self.utcoffset(when)

    def tzname(self, when: datetime | None) -> str:
        return "summer" if self.utcoffset(when) else "winter"


SUMMER = _Summer()


@pytest.mark.parametrize(
    "values",
    [
        [datetime(2026, 1, 1, 12, 0, 0, 123457, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=5)))],
        [datetime(2026, 10, 25, 0, 30, tzinfo=SUMMER), datetime(2026, 10, 25, 3, 30, tzinfo=SUMMER)],
        [datetime(2026, 6, 1, tzinfo=SUMMER), datetime(2026, 12, 1, 0, 0, 0, 1, tzinfo=SUMMER)],
        [datetime(1970, 1, 1, tzinfo=UTC), datetime(9998, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)],
    ],
)
def test_times_become_utc_to_the_microsecond_across_zones_and_centuries(values: Any) -> None:
    column = pd.Series(columns.time(values))
    assert str(column.dtype) == "datetime64[us, UTC]"
    assert column.tolist() == [value.astimezone(UTC) for value in values]


def test_missing_times_are_gaps_and_naive_ones_are_utc() -> None:
    naive = datetime(2026, 1, 1)
    column = pd.Series(columns.time([naive, None]))
    assert column.tolist() == [naive.replace(tzinfo=UTC), pd.NaT]
    assert pd.Series(columns.time([None, naive]))[1] == naive.replace(tzinfo=UTC)
    assert str(columns.time([None]).dtype) == "datetime64[us, UTC]"


def test_categories_are_fixed_and_grow_only_by_unknown_values() -> None:
    build = columns.category(("A", "B"))
    assert list(build(["B", None]).categories) == ["A", "B"]
    assert list(build(["B", "Z"])) == ["B", "Z"]
    assert list(build(["Z"]).categories) == ["A", "B", "Z"]


def test_a_payload_that_is_already_parsed_becomes_text_again() -> None:
    row = {
        "id": 1,
        "previousEventId": 0,
        "type": "ExecutionStarted",
        "executionStartedEventDetails": {"input": {"a": 1}},
    }
    assert frames.events_frame([row])["input"].tolist() == ['{"a":1}']
