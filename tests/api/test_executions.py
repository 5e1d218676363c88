"""Many executions: run_many here and elsewhere, and the frames over them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest

from sfn_notebook import Executions, History, RunError, StateMachine, TaskError

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
