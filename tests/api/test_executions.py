"""Many executions: run_many here and elsewhere, and the frames over them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sfn_notebook import AwsError, CommandError, Executions, History, Outcomes, RunError, StateMachine, TaskError
from tests.api.test_history import records
from tests.aws.conftest import FakeClock, impatient, no_account  # noqa: F401 - fixtures that work by being there
from tests.aws.fake_service import BASE, MACHINE, START, FakeAws, World, execution

TASK = {
    "StartAt": "Work",
    "States": {"Work": {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:1:function:work", "End": True}},
}


def work(event: dict[str, int]) -> int:
    print("seen", event["n"])
    if event["n"] % 3 == 0:
        raise TaskError("Divisible", str(event["n"]))
    return event["n"] * 2


@pytest.fixture
def machine() -> StateMachine:
    return StateMachine.load(TASK, name="doubling")


@pytest.mark.parametrize("executor", [None, "threads", "processes"])
def test_runs_come_back_in_the_order_of_the_inputs_wherever_they_ran(
    machine: StateMachine, executor: str | None
) -> None:
    found = machine.run_many([{"n": n} for n in range(7)], {"Work": work}, executor, seed=5, progress=False)
    assert [execution.output for execution in found] == [None, 2, 4, None, 8, 10, None]
    assert [execution.error for execution in found.with_status("FAILED")] == ["Divisible"] * 3
    assert [record.printed for execution in found for record in execution.calls] == [f"seen {n}\n" for n in range(7)]


def test_the_histories_do_not_depend_on_the_executor(machine: StateMachine) -> None:
    inputs = [{"n": n} for n in range(5)]
    here = machine.run_many(inputs, {"Work": work}, seed=1, progress=False)
    with ThreadPoolExecutor(3) as pool:
        there = machine.run_many(inputs, {"Work": work}, pool, seed=1, progress=False)
    assert [history.raw for history in here.histories] == [history.raw for history in there.histories]
    assert len({execution.name for execution in here}) == 5


def test_a_frame_gives_one_input_per_row_with_missing_values_as_null(machine: StateMachine) -> None:
    frame = pd.DataFrame({"n": [1, 2], "note": ["a", None], "at": [pd.Timestamp("2026-01-01"), pd.NaT]})
    found = machine.run_many(frame, {"Work": lambda event: event}, progress=False)
    assert [execution.output["note"] for execution in found] == ["a", None]
    last, first = [execution.output for execution in found][::-1]
    assert last["at"] is None
    assert first["at"].startswith("2026-01-01T00:00:00")


def test_the_frames_cover_all_executions(machine: StateMachine) -> None:
    found = machine.run_many([{"n": 1}, {"n": 3}], {"Work": work}, seed=1, progress=False)
    assert list(found.table["status"]) == ["SUCCEEDED", "FAILED"]
    assert list(found.table["events"]) == [7, 6]
    assert list(found.states["execution"]) == [execution.name for execution in found]
    assert list(found.attempts["error"].fillna("")) == ["", "Divisible"]
    assert repr(found) == "<Executions: 2: 1 FAILED, 1 SUCCEEDED>"
    assert "Divisible" in found._repr_mimebundle_()["text/html"]


def test_a_name_that_comes_twice_is_told_apart(machine: StateMachine) -> None:
    runs = [machine.run({"n": 1}, {"Work": work}, name="same") for _ in range(2)]
    assert list(Executions.of(runs).by_name) == ["same", "same (1)"]


def test_histories_and_runs_can_be_mixed_and_anything_else_is_refused(machine: StateMachine) -> None:
    run = machine.run({"n": 1}, {"Work": work})
    found = Executions.of([run, History.from_events(run.history.raw)])
    assert list(found.table["status"]) == ["SUCCEEDED", "SUCCEEDED"]
    assert len(found[:1]) == 1
    with pytest.raises(RunError, match="element 1 is neither"):
        Executions.of([run, "text"])  # type: ignore[list-item]


@pytest.mark.parametrize("inputs", ["text", 5, {"n": 1}])
def test_what_is_no_list_of_inputs_is_refused(machine: StateMachine, inputs: object) -> None:
    with pytest.raises(RunError, match="list of inputs or a DataFrame"):
        machine.run_many(inputs, progress=False)


@pytest.mark.parametrize("executor", [None, "threads", "processes"])
def test_an_input_that_is_no_json_is_named_by_its_number(machine: StateMachine, executor: str | None) -> None:
    with pytest.raises(RunError, match=r"run 1: .*NaN|run 1: .*nan"):
        machine.run_many([{"n": 1}, {"n": float("nan")}], {"Work": work}, executor, progress=False)


def test_an_unknown_executor_is_refused(machine: StateMachine) -> None:
    with pytest.raises(RunError, match="executor"):
        machine.run_many([{"n": 1}], {"Work": work}, "cluster", progress=False)


def test_ctrl_c_ends_the_run_in_hand_and_keeps_those_before_it(machine: StateMachine) -> None:
    def interrupted(event: dict[str, int]) -> int:
        if event["n"] == 2:
            raise KeyboardInterrupt
        return event["n"]

    found = machine.run_many([{"n": n} for n in range(1, 6)], {"Work": interrupted}, progress=False)
    assert [execution.status for execution in found] == ["SUCCEEDED", "ABORTED"]
    assert found.histories[1].raw[-1]["type"] == "ExecutionAborted"


# --- answers over many ---------------------------------------------------------------------------------------------------


@pytest.fixture
def runs(machine: StateMachine) -> Executions:
    return machine.run_many(
        [{"n": n, "secret": f"s-{n}"} for n in range(1, 10)], {"Work": work}, seed=1, progress=False
    )


def test_the_answers_over_local_runs(runs: Executions) -> None:
    assert runs.summary()[["state", "visits", "failed"]].values.tolist() == [["Work", 9, 3]]
    assert runs.failures()[["state", "error", "template", "count"]].values.tolist() == [["Work", "Divisible", "<n>", 3]]
    assert list(runs.quotas()["events"]) == [7, 7, 7, 7, 7, 7, 6, 6, 6]
    assert (runs.cost().executions, runs.cost().transitions) == (9, 9)
    assert str(runs.trend()) == runs.trend()._repr_mimebundle_()["text/plain"]  # type: ignore[attr-defined]
    assert "Work" in runs.durations().text
    assert "9" in runs.failures_over_time().title
    assert str(runs.trend("Work")).startswith("cannot tell")
    with pytest.raises(CommandError, match="no visit of state 'Wrok'"):
        runs.trend("Wrok")


def test_the_process_map_of_local_runs_knows_its_machine(runs: Executions) -> None:
    found = runs.process_map()
    assert found.outline.startswith("process map of doubling: 9 executions\nWork ×9")
    assert "doubling, 9 executions" in found.source
    assert "33%" in found.source or "33 %" in found.source


def test_the_process_map_of_bare_histories_asks_for_the_machine(runs: Executions, machine: StateMachine) -> None:
    bare = Executions.of(History.from_events(history.raw) for history in runs.histories)
    with pytest.raises(CommandError, match=r"do not know their machine: give it, as in process_map"):
        bare.process_map()
    for given in (machine, machine.definition):
        assert "9 executions" in bare.process_map(given).outline
    other = {"StartAt": "Other", "States": {"Other": {"Type": "Pass", "End": True}}}
    assert "not in this definition: Work" in bare.process_map(other).title


def test_an_express_run_costs_as_one(machine: StateMachine) -> None:
    found = Executions.of([machine.run({"n": 1}, {"Work": work}, type="EXPRESS")])
    assert found.cost().type == "EXPRESS"


@pytest.mark.parametrize("frame", ["events", "states", "attempts", "iterations", "transitions", "table"])
def test_local_runs_and_the_same_events_give_the_same_frames(runs: Executions, frame: str) -> None:
    other = Executions([History.of_recording(run.history.recording(run.name, run.arn)) for run in runs])
    pd.testing.assert_frame_equal(getattr(runs, frame), getattr(other, frame))
    assert type(getattr(runs, frame).sfn).__name__ == "SfnAccessor"


def test_the_display_shows_the_first_ten_in_words(machine: StateMachine) -> None:
    found = machine.run_many([{"n": 1}] * 12, {"Work": work}, start="2026-03-01T02:00:00Z", progress=False)
    shown = found._repr_mimebundle_()
    assert shown["text/plain"].startswith("Executions: 12: 12 SUCCEEDED\n")
    assert "2026-03-01 02:00:00" in shown["text/plain"]
    assert "… and 2 more; .table has them all" in shown["text/html"]
    assert Executions.of([])._repr_mimebundle_()["text/plain"] == "Executions: 0"


def test_what_comes_from_outside_is_text_on_the_page(machine: StateMachine) -> None:
    hostile = TaskError("<img src=x onerror=alert(1)>", "<script>")
    found = Executions.of([machine.run({}, {"Work": Outcomes([hostile])})])
    assert "<img" not in found._repr_mimebundle_()["text/html"]


# --- Parquet and logs ----------------------------------------------------------------------------------------------------


def test_local_runs_go_to_parquet_and_come_back_the_same(runs: Executions, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    assert runs.to_parquet(tmp_path).written == 9
    assert runs.to_parquet(tmp_path).unchanged == 9
    found = Executions.from_parquet(tmp_path)
    assert sorted(found.by_name) == sorted(runs.by_name)
    assert [found.by_name[name].raw for name in runs.by_name] == [history.raw for history in runs.histories]
    assert found.message is None


def test_secrets_do_not_reach_parquet(runs: Executions, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    runs.to_parquet(tmp_path, redact=["$..secret"])
    found = Executions.from_parquet(tmp_path)
    assert {history.overview.input["secret"] for history in found} == {"***"}
    assert {history.overview.input["n"] for history in Executions.from_parquet(tmp_path, redact="$.n")} == {"***"}


def test_a_broken_parquet_file_costs_its_own_executions_only(runs: Executions, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    runs[:4].to_parquet(tmp_path)
    broken = next((tmp_path / "events").glob("*.parquet"))
    runs[4:].to_parquet(tmp_path)
    broken.write_bytes(b"PAR1 nonsense")
    found = Executions.from_parquet(tmp_path)
    assert len(found) == 5
    assert found.message is not None
    assert "cannot be read as Parquet" in found.message
    assert "cannot be read as Parquet" in found._repr_mimebundle_()["text/html"]


def test_log_records_of_several_executions() -> None:
    found = Executions.from_logs("\n".join(json.dumps(r) for r in [*records(), *records("q-2")]), redact="$.pin")
    assert sorted(found.by_name) == ["q-1", "q-2"]
    assert {history.overview.input["pin"] for history in found} == {"***"}
    assert found.title == "quick, 2 executions"
    assert found.cost().type == "EXPRESS"


# --- AWS -----------------------------------------------------------------------------------------------------------------

LOOP = {"StartAt": "Loop", "States": {"Loop": {"Type": "Pass", "Next": "Loop"}}}


@pytest.fixture
def aws() -> Iterator[FakeAws]:
    with FakeAws(World()) as found:
        for number in range(30):
            end = "Failed" if number % 10 == 0 else "Succeeded"
            found.world.add(execution(f"o-{number}", number % 4, end, START + timedelta(hours=number)))
        found.world.machines[MACHINE] = {
            "name": "orders", "definition": json.dumps(LOOP), "roleArn": "r" * 20, "type": "STANDARD", "creationDate": 1.5e9,
        }  # fmt: skip
        yield found


@pytest.fixture
def there(aws: FakeAws) -> dict[str, Any]:
    return {"endpoint_url": aws.url, "clock": FakeClock()}


def test_executions_from_aws_answer_everything(aws: FakeAws, there: dict[str, Any]) -> None:
    found = Executions.from_aws(MACHINE, progress=False, **there)
    assert (len(found), found.message, found.missing) == (30, None, [])
    assert found.title == "orders, 30 executions"
    assert found.failures()["count"].tolist() == [3]
    assert found.with_status("FAILED").failures()["count"].tolist() == [3]
    assert found.process_map().outline.startswith("process map of orders: 30 executions")
    assert found[:5].process_map().outline.startswith("process map of orders: 5 executions")
    assert aws.requests[-1] == ("DescribeStateMachineForExecution", {"executionArn": f"{BASE}:execution:orders:o-29"})
    assert found.machine() is found.machine()


def test_one_execution_from_aws_knows_name_arn_and_machine(aws: FakeAws, there: dict[str, Any]) -> None:
    found = History.from_aws(f"{BASE}:execution:orders:o-3", redact="$.order", **there)
    assert (found.name, found.arn, found.status) == ("o-3", f"{BASE}:execution:orders:o-3", "SUCCEEDED")
    assert found.overview.input == {"order": "***"}
    assert found.machine_as_ran().definition == LOOP
    assert found.redact("$..step").knows_machine
    assert repr(found) == "<History of 'o-3': 10 events, last ExecutionSucceeded>"
    assert found.timeline().title == "timeline: o-3"


def test_what_was_interrupted_is_kept_said_and_resumed(
    aws: FakeAws, there: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    # GIVEN keys that expire on the way
    aws.fail("GetExecutionHistory", "ExpiredTokenException", when=lambda number: number > 12)
    found = Executions.from_aws(MACHINE, **there, concurrency=1)

    # THEN what came is there, and everybody is told
    assert 0 < len(found) < 30
    assert len(found) + len(found.missing) == 30
    assert found.message is not None
    for text in (found.message, repr(found), found._repr_mimebundle_()["text/html"], capsys.readouterr().out):
        assert "the AWS session has expired" in text.replace("&#x27;", "'")

    # WHEN it goes on, only what is missing is fetched
    aws.heal()
    aws.calls.clear()
    whole = Executions.from_aws(MACHINE, resume=found, progress=False, endpoint_url=aws.url)
    assert aws.calls["GetExecutionHistory"] == 30 - len(found)
    assert whole.message is None
    assert list(whole.by_name) == [f"o-{number}" for number in reversed(range(30))]


def test_an_execution_that_cannot_be_fetched_is_a_row_with_its_status(aws: FakeAws, there: dict[str, Any]) -> None:
    aws.fail("GetExecutionHistory", "AccessDeniedException", when=lambda number: number == 1)
    found = Executions.from_aws(MACHINE, progress=False, concurrency=1, limit=5, **there)
    first = found[0]
    assert isinstance(first, History)
    assert (first.status, len(first)) == ("SUCCEEDED", 0)
    assert first.notice is not None
    assert list(found.table["status"]) == ["SUCCEEDED"] * 5
    assert found.summary()["visits"].sum() > 0
    assert "no permission" in first._repr_mimebundle_()["text/html"]


def test_fetched_executions_go_to_parquet_and_can_be_resumed_from_there(
    aws: FakeAws, there: dict[str, Any], tmp_path: Path
) -> None:
    pytest.importorskip("pyarrow")
    Executions.from_aws(MACHINE, progress=False, limit=20, **there).to_parquet(tmp_path)
    stored = Executions.from_parquet(tmp_path)
    aws.calls.clear()
    whole = Executions.from_aws(MACHINE, progress=False, resume=stored, **there)
    assert (len(whole), aws.calls["GetExecutionHistory"]) == (30, 10)
    with pytest.raises(CommandError, match="an Execution or a History is expected, but found 5"):
        Executions.from_aws(MACHINE, resume=[5], **there)


def test_an_arn_of_something_else_is_one_clear_message() -> None:
    with pytest.raises(AwsError, match="belongs to the service lambda"):
        Executions.from_aws("arn:aws:lambda:eu-west-1:123456789012:function:f")
    with pytest.raises(AwsError, match=r"Executions\.from_aws"):
        History.from_aws(MACHINE)
