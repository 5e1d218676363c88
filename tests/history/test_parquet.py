"""Executions in Parquet: written once, read back the same, readable by others."""

from __future__ import annotations

import copy
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfn_notebook.errors import MissingExtra, RunError
from sfn_notebook.history.events import EVENT_TYPES, MEMBERS
from sfn_notebook.history.frames import events_frame
from sfn_notebook.history.parquet import read_parquet, write_parquet
from sfn_notebook.history.recording import Recording, recording_of
from sfn_notebook.history.redact import redact

pq = pytest.importorskip("pyarrow.parquet")

from sfn_notebook.history.tables import events_table, executions_table, recordings_of  # noqa: E402 - needs pyarrow

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
BASE = "arn:aws:states:eu-west-1:123456789012"


def history(number: int, *middle: dict[str, Any], end: str | None = "ExecutionSucceeded") -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = [
        {
            "type": "ExecutionStarted",
            "executionStartedEventDetails": {
                "input": f'{{"n":{number}}}',
                "inputDetails": {"truncated": False},
                "roleArn": "r",
            },
        },
        {
            "type": "TaskStateEntered",
            "stateEnteredEventDetails": {"name": "Pay", "input": "{}", "inputDetails": {"truncated": True}},
        },
        {
            "type": "TaskScheduled",
            "taskScheduledEventDetails": {
                "resource": "invoke",
                "resourceType": "lambda",
                "region": "r",
                "parameters": "{}",
                "timeoutInSeconds": 9,
            },
        },
        {
            "type": "TaskFailed",
            "taskFailedEventDetails": {"resource": "invoke", "resourceType": "lambda", "error": "E", "cause": "ü"},
        },
        {
            "type": "TaskStateExited",
            "stateExitedEventDetails": {"name": "Pay", "output": "5", "assignedVariables": {"x": "1"}},
        },
        *copy.deepcopy(middle),
    ]
    if end:
        events.append({"type": end})
    for index, event in enumerate(events):
        start = START + timedelta(minutes=number)
        event.update(
            id=index + 1, previousEventId=0 if index < 2 else index, timestamp=start + timedelta(milliseconds=index)
        )
    return events


def recording(number: int, *middle: dict[str, Any], end: str | None = "ExecutionSucceeded") -> Recording:
    return recording_of(
        history(number, *middle, end=end),
        f"{BASE}:execution:orders:o-{number}",
        machine_arn=f"{BASE}:stateMachine:orders",
    )


def rows(folder: Path, table: str) -> list[dict[str, Any]]:
    return [row for path in sorted((folder / table).glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


def test_what_is_written_is_read_back_the_same_newest_first(tmp_path: Path) -> None:
    given_ones = [
        recording(number, end=("ExecutionFailed", None, "ExecutionSucceeded")[number % 3]) for number in range(7)
    ]
    done = write_parquet(tmp_path / "orders", given_ones)
    assert (done.written, done.unchanged, len(done.files), done.notices) == (7, 0, 4, [])
    batch = read_parquet(tmp_path / "orders")
    assert list(batch) == given_ones[::-1]
    assert batch.complete


def test_all_that_is_known_of_an_execution_is_kept(tmp_path: Path) -> None:
    row = Recording(
        f"{BASE}:execution:orders/Each:c",
        "c",
        "PENDING_REDRIVE",
        [],
        f"{BASE}:stateMachine:orders",
        START,
        None,
        3,
        "run",
        10,
        "v",
        "a",
        "gone",
    )
    write_parquet(tmp_path, [row])
    assert list(read_parquet(tmp_path)) == [row]


def test_closed_executions_are_never_written_twice(tmp_path: Path) -> None:
    first = write_parquet(tmp_path, [recording(1), recording(2)])
    times = {path: path.stat().st_mtime_ns for path in first.files}
    second = write_parquet(tmp_path, [recording(2), recording(3), recording(3)])
    third = write_parquet(tmp_path, [recording(number) for number in (1, 2, 3)])
    assert (second.written, second.unchanged, third.written, third.unchanged, third.files) == (1, 1, 0, 3, [])
    assert {path: path.stat().st_mtime_ns for path in first.files} == times
    assert Counter(row["execution"] for row in rows(tmp_path, "executions")) == {"o-1": 1, "o-2": 1, "o-3": 1}
    assert Counter(row["execution"] for row in rows(tmp_path, "events")) == {"o-1": 6, "o-2": 6, "o-3": 6}


def test_open_executions_are_replaced_until_they_are_closed(tmp_path: Path) -> None:
    write_parquet(tmp_path, [recording(1, end=None), recording(2, end=None), recording(3)])
    write_parquet(tmp_path, [recording(1)])
    assert [(r.name, r.status) for r in read_parquet(tmp_path)] == [
        ("o-3", "SUCCEEDED"),
        ("o-2", "RUNNING"),
        ("o-1", "SUCCEEDED"),
    ]
    write_parquet(tmp_path, [recording(2, {"type": "PassStateEntered"}, end=None)])
    assert Counter(row["execution"] for row in rows(tmp_path, "events")) == {"o-1": 6, "o-2": 6, "o-3": 6}
    write_parquet(tmp_path, [recording(2)])
    assert all(row.closed for row in read_parquet(tmp_path))
    assert not list(tmp_path.glob("*/open.parquet"))
    assert Counter(row["execution"] for row in rows(tmp_path, "executions")) == {"o-1": 1, "o-2": 1, "o-3": 1}


def test_a_redriven_execution_replaces_its_older_self(tmp_path: Path) -> None:
    failed = recording(1, end="ExecutionFailed")
    write_parquet(tmp_path, [failed, recording(2)])
    more: list[dict[str, Any]] = [
        {"type": "ExecutionFailed"},
        {"type": "ExecutionRedriven", "executionRedrivenEventDetails": {"redriveCount": 1}},
    ]
    running, done = recording(1, *more, end=None), recording(1, *more)
    assert write_parquet(tmp_path, [running]).written == 0  # what is closed stays until it is closed again
    assert write_parquet(tmp_path, [done]).written == 1
    assert list(read_parquet(tmp_path)) == [recording(2), done]
    assert Counter(row["execution"] for row in rows(tmp_path, "events")) == {"o-1": 8, "o-2": 6}
    assert write_parquet(tmp_path, [done, recording(2)]).written == 0


def test_a_name_that_is_used_again_is_another_execution(tmp_path: Path) -> None:
    old = recording(1)
    new = recording_of(history(99), old.arn, machine_arn=old.machine_arn)
    write_parquet(tmp_path, [old, new])
    assert list(read_parquet(tmp_path)) == [new, old]


def test_masking_later_takes_the_secret_out_of_the_files(tmp_path: Path) -> None:
    plain = recording(1)
    write_parquet(tmp_path, [plain, recording(2)])
    masked = recording_of(redact(plain.events, ["$.n"]), plain.arn, machine_arn=plain.machine_arn)
    write_parquet(tmp_path, [masked])
    inputs = {row["execution"]: row["input"] for row in rows(tmp_path, "events") if row["id"] == 1}
    assert inputs == {"o-1": '{"n":"***"}', "o-2": '{"n":2}'}
    assert len(rows(tmp_path, "events")) == 12


def test_columns_of_events_are_named_as_in_the_frame_and_say_the_same(tmp_path: Path) -> None:
    one = recording(1)
    write_parquet(tmp_path, [one])
    frame = events_frame(one.events)
    table = pq.read_table(next((tmp_path / "events").glob("*.parquet")))
    assert table.column_names[:3] == ["execution_arn", "execution", "execution_started"]
    assert set(table.column_names[3:]) == set(frame.columns)
    assert table["state"].to_pylist() == [None, "Pay", "Pay", "Pay", "Pay", None]
    for name in (
        "id",
        "previous_id",
        "visit",
        "path",
        "name",
        "input",
        "error",
        "resource",
        "timeout_in_seconds",
        "input_truncated",
    ):
        expected = [
            None if value is None or value != value else value
            for value in frame[name].astype(object).where(frame[name].notna(), None)
        ]
        assert table[name].to_pylist() == expected
    assert [value.timestamp() for value in table["timestamp"].to_pylist()] == [
        value.timestamp() for value in frame["timestamp"]
    ]


@pytest.mark.parametrize(
    "odd",
    [
        {"type": "TeaBrewed", "teaBrewedEventDetails": {"kind": "green", "n": [1, {"a": None}]}},
        {
            "type": "PassStateEntered",
            "stateEnteredEventDetails": {"name": "A", "inputDetails": {"truncated": False, "included": True}},
        },
        {"type": "PassStateEntered", "stateEnteredEventDetails": {}},
        {"type": "PassStateEntered", "stateEnteredEventDetails": None},
        {
            "type": "PassStateEntered",
            "stateEnteredEventDetails": {"name": None, "input": {"parsed": 1}, "index": "three"},
        },
        {"type": "PassStateEntered", "stateEnteredEventDetails": {"name": "A", "input": '"\ud800"'}},
        {"type": "MapStateStarted", "mapStateStartedEventDetails": {"length": 2**70}},
        {"type": "MapStateStarted", "mapStateStartedEventDetails": {"length": True}},
        {
            "type": "MapStateStarted",
            "mapStateStartedEventDetails": {"length": 3},
            "passing": {"by": 1},
            "details": {"x": 1},
        },
        {"type": "TaskScheduled", "taskScheduledEventDetails": {"taskCredentials": {"roleArn": "r"}, "parameters": ""}},
        {"type": "PassStateExited", "stateExitedEventDetails": {"name": "A", "assignedVariables": {}}},
        {
            "type": "EvaluationFailed",
            "evaluationFailedEventDetails": {"state": "A", "location": "Output", "error": "E", "cause": "c"},
        },
    ],
)
def test_unknown_cut_and_odd_events_come_back_as_they_were(tmp_path: Path, odd: dict[str, Any]) -> None:
    one = recording(1, odd)
    write_parquet(tmp_path, [one])
    (found,) = read_parquet(tmp_path)
    assert found == one
    assert found.events[5].keys() == one.events[5].keys()


def test_an_event_without_a_time_or_a_predecessor_comes_back_so(tmp_path: Path) -> None:
    one = recording(1)
    del one.events[3]["timestamp"], one.events[3]["previousEventId"]
    one.events[4]["timestamp"] = None
    write_parquet(tmp_path, [one])
    (found,) = read_parquet(tmp_path)
    assert found.events == one.events


DETAIL = st.dictionaries(
    st.sampled_from(["name", "input", "error", "length", "index", "inputDetails", "assignedVariables", "brandNew"]),
    st.none()
    | st.text(max_size=4)
    | st.integers()
    | st.booleans()
    | st.dictionaries(st.sampled_from(["truncated", "b"]), st.booleans() | st.text(max_size=3)),
    max_size=4,
)


@given(st.lists(st.tuples(st.sampled_from(EVENT_TYPES), DETAIL), max_size=6))
def test_any_details_survive_the_tables(kinds: list[tuple[str, dict[str, Any]]]) -> None:
    odd = [{"type": kind, MEMBERS[kind] or "extra": detail} for kind, detail in kinds]
    both = [recording(1, *odd), recording(2, *odd, end=None)]
    assert recordings_of(executions_table(both), events_table(both)) == both


# ---- trouble


def test_a_broken_file_costs_its_own_executions_only(tmp_path: Path) -> None:
    first = write_parquet(tmp_path, [recording(1)])
    write_parquet(tmp_path, [recording(2)])
    first.files[0].write_bytes(b"PAR1 and no more")
    batch = read_parquet(tmp_path)
    assert [row.name for row in batch] == ["o-2"]
    assert batch.message == batch.notices[0]
    assert f"{first.files[0]} cannot be read as Parquet: " in batch.message
    assert "\n" not in batch.message
    again = write_parquet(tmp_path, [recording(1), recording(2)])
    assert (again.written, again.unchanged, len(again.notices)) == (1, 1, 1)
    assert read_parquet(tmp_path).complete


@pytest.mark.parametrize("table", ["events", "executions"])
def test_nothing_readable_at_all_is_an_error(tmp_path: Path, table: str) -> None:
    for path in write_parquet(tmp_path, [recording(1)]).files:
        if path.parent.name == table:
            path.write_bytes(b"")
    with pytest.raises(RunError, match=rf"{table}.* cannot be read as Parquet"):
        read_parquet(tmp_path)


def test_a_file_of_another_program_is_named(tmp_path: Path) -> None:
    pa = sys.modules["pyarrow"]
    for name in ("events", "executions"):
        (tmp_path / name).mkdir()
        pq.write_table(pa.table({"a": [1]}), tmp_path / name / "x.parquet")
    with pytest.raises(RunError, match="is not of a data set that sfn_notebook wrote"):
        read_parquet(tmp_path)
    assert len(write_parquet(tmp_path, [recording(1)]).notices) == 1
    assert [row.name for row in read_parquet(tmp_path)] == ["o-1"]


def test_a_directory_that_is_no_data_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="there is no Parquet data set in"):
        read_parquet(tmp_path / "nowhere")
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot be written"):
        write_parquet(tmp_path / "file", [recording(1)])


def test_events_that_are_missing_from_their_file_are_told(tmp_path: Path) -> None:
    done = write_parquet(tmp_path, [recording(1), recording(2)])
    table = pq.read_table(done.files[0])
    pq.write_table(table.slice(0, 8), done.files[0])
    batch = read_parquet(tmp_path)
    assert [row.notice for row in batch] == ["2 of its 6 events are in the data set", None]


def test_without_pyarrow_the_message_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    for call in (lambda: write_parquet(tmp_path, []), lambda: read_parquet(tmp_path)):
        with pytest.raises(MissingExtra, match=r"Parquet needs pyarrow: pip install 'sfn-notebook\[parquet\]'"):
            call()


def test_pandas_and_duckdb_read_the_files(tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas")
    write_parquet(tmp_path, [recording(number) for number in range(3)])
    write_parquet(tmp_path, [recording(number, end=None) for number in range(3, 5)])
    frame = pd.read_parquet(tmp_path / "events")
    assert len(frame) == 3 * 6 + 2 * 5
    assert str(frame["timestamp"].dtype) == "datetime64[us, UTC]"
    duckdb = pytest.importorskip("duckdb")
    sql = f"select state, count(*) from '{tmp_path}/events/*.parquet' where type = 'TaskFailed' group by state"
    assert duckdb.connect().execute(sql).fetchall() == [("Pay", 5)]
    both = f"select count(*) from '{tmp_path}/executions/*.parquet' x join '{tmp_path}/events/*.parquet' e using (execution_arn, execution_started)"
    assert duckdb.connect().execute(both).fetchall() == [(28,)]
