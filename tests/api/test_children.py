"""Child executions of Distributed Maps: their Map Runs as AWS describes them, their histories, and a debugger of one."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sfn_notebook import After, History, StateMachine
from sfn_notebook.api.debugger import Debugger, debug
from sfn_notebook.errors import CommandError

START = datetime(2025, 1, 1, tzinfo=UTC)
STATES: dict[str, Any] = {
    "Clean": {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": "clean", "Payload.$": "$"},
        "OutputPath": "$.Payload",
        "Next": "Check",
    },
    "Check": {
        "Type": "Choice",
        "Choices": [{"Variable": "$.x", "NumericGreaterThan": 3, "Next": "Bad"}],
        "Default": "Good",
    },
    "Bad": {"Type": "Fail", "Error": "TooBig"},
    "Good": {"Type": "Wait", "Seconds": 2, "End": True},
}


def machine(**more: Any) -> StateMachine:
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    processor = {"ProcessorConfig": config, "StartAt": "Clean", "States": STATES}
    load = {"Type": "Map", "ItemProcessor": processor, "ToleratedFailurePercentage": 100, "End": True, **more}
    return StateMachine.load({"StartAt": "Load", "States": {"Load": load}}, name="etl")


ITEMS = [{"x": number} for number in range(6)]


def clean(event: dict[str, Any]) -> dict[str, Any]:
    print("cleaning", event["x"])
    return event


def test_map_runs_are_described_as_aws_describes_them() -> None:
    execution = machine().run(ITEMS, {"Clean": clean}, seed=1)
    (run,) = execution.map_runs()
    zero = {"pending": 0, "running": 0, "timedOut": 0, "aborted": 0, "resultsWritten": 0}
    assert run["mapRunArn"].startswith("arn:aws:states:us-east-1:123456789012:mapRun:etl/Load:")
    assert (run["executionArn"], run["status"], run["redriveCount"]) == (execution.arn, "SUCCEEDED", 0)
    assert run["itemCounts"] == {**zero, "succeeded": 4, "failed": 2, "total": 6}
    assert run["executionCounts"] == run["itemCounts"]
    assert run["startDate"] == START
    assert (run["stopDate"] - run["startDate"]).total_seconds() == 2


def test_a_map_run_under_way_has_not_stopped() -> None:
    definition = machine().definition
    definition["States"]["Load"]["ItemProcessor"]["States"]["Clean"]["Resource"] += ".waitForTaskToken"
    definition["States"]["Load"]["ItemProcessor"]["States"]["Clean"]["Parameters"]["Payload"] = {
        "token.$": "$$.Task.Token"
    }
    del definition["States"]["Load"]["ItemProcessor"]["States"]["Clean"]["Parameters"]["Payload.$"]
    execution = StateMachine.load(definition).run(ITEMS)
    (run,) = execution.map_runs()
    assert (run["status"], run["executionCounts"]["running"], "stopDate" in run) == ("RUNNING", 6, False)
    assert {child.status for child in execution.children()} == {"RUNNING"}


def test_children_are_histories_like_those_that_aws_gives() -> None:
    execution = machine().run(ITEMS, {"Clean": clean}, seed=1)
    children = execution.children()
    (run,) = execution.map_runs()
    assert [child.status for child in children] == ["SUCCEEDED"] * 4 + ["FAILED"] * 2
    assert len({child.arn for child in children}) == 6
    child: Any = children[4]
    assert ":execution:etl/Load:" in child.arn
    assert child.recording().map_run_arn == run["mapRunArn"]
    assert (child.recording().item_count, child.overview.error, child.overview.input) == (1, "TooBig", {"x": 4})
    assert len(child.recording().events) == len(child)
    failures = children.failures()
    assert [(row.state, row.error, row.executions) for row in failures.itertuples()] == [("Bad", "TooBig", 2)]
    assert len(execution.children(run["mapRunArn"])) == 6
    with pytest.raises(CommandError, match=r"no Map Run 'arn:x': map_runs\(\) lists them"):
        execution.children("arn:x")


def test_children_survive_parquet(tmp_path: Path) -> None:
    children = machine().run(ITEMS, {"Clean": clean}, seed=1).children()
    pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    children.to_parquet(tmp_path / "children")
    again = type(children).from_parquet(tmp_path / "children")
    assert sorted(child.arn for child in again) == sorted(child.arn for child in children)


def test_only_what_was_kept_can_be_had() -> None:
    failed = machine().run(ITEMS, {"Clean": clean}, keep_children="failed")
    assert [child.status for child in failed.children()] == ["FAILED", "FAILED"]
    none = machine().run(ITEMS, {"Clean": clean}, keep_children="none")
    assert len(none.children()) == 0
    assert none.map_runs()[0]["itemCounts"]["failed"] == 2


def test_children_that_were_aborted_with_their_map_run_are_kept_too() -> None:
    slow = machine(ToleratedFailurePercentage=0)
    execution = slow.run([{"x": 9}, {"x": 1}, {"x": 2}], {"Clean": lambda event: After(9 - event["x"], event)}, seed=1)
    assert execution.error == "States.ExceedToleratedFailureThreshold"
    children: Any = execution.children()
    assert [child.status for child in children] == ["FAILED", "ABORTED", "ABORTED"]
    assert [child.raw[-1]["type"] for child in children] == ["ExecutionFailed", "ExecutionAborted", "ExecutionAborted"]
    assert slow.replay(execution).same
    assert Debugger.of(execution, slow).seek(-1).child(1).seek(-1).status == "ABORTED"


def test_a_child_says_how_many_items_it_had() -> None:
    batched = machine(ItemBatcher={"MaxItemsPerBatch": 4})
    states = batched.definition["States"]["Load"]["ItemProcessor"]
    states["States"] = {"Clean": {"Type": "Pass", "End": True}}
    execution = StateMachine.load(batched.definition).run(ITEMS)
    assert [child.recording().item_count for child in execution.children()] == [4, 2]


def test_the_history_of_a_child_is_replayed_on_the_whole_machine() -> None:
    etl = machine()
    children = etl.run(ITEMS, {"Clean": clean}, seed=1).children()
    assert set(etl.backtest(children)["verdict"]) == {"same"}
    definition = machine().definition
    del definition["States"]["Load"]["ItemProcessor"]["States"]["Check"]["Choices"][0]["NumericGreaterThan"]
    definition["States"]["Load"]["ItemProcessor"]["States"]["Check"]["Choices"][0]["NumericGreaterThan"] = 4
    verdicts = StateMachine.load(definition).backtest(children)["verdict"]
    assert list(verdicts) == ["same"] * 4 + ["fixed", "same"]
    child: Any = children[4]
    bare = History.from_events(child.raw)
    debugger = Debugger.of(bare, etl).run_to("Check")
    assert debugger.where().pointer == "/States/Load/ItemProcessor/States/Check"


# ---- a debugger of one


def stepped() -> Debugger:
    return debug(machine(), ITEMS, {"Clean": clean}, seed=1).run_to()


def test_a_child_can_be_stepped_through_without_calling_anybody() -> None:
    called: list[Any] = []

    def counted(event: dict[str, Any]) -> dict[str, Any]:
        called.append(event)
        return event

    debugger = debug(machine(), ITEMS, {"Clean": counted}, seed=1).run_to()
    assert len(called) == 6
    child = debugger.child(4)
    assert (child.position, child.status) == (1, "FAILED")
    assert child.run_to("Check").where().data == {"x": 4}
    assert child.where().context["Execution"]["Id"] != debugger.seek(2).where().context["Execution"]["Id"]
    assert child.seek(-1).view().error == "TooBig"
    assert len(called) == 6


def test_what_a_childs_handler_printed_is_shown_in_it() -> None:
    child = stepped().child(2)
    assert [call.printed for call in child.step("state").where().calls] == ["cleaning 2\n"]


def test_children_are_branches_and_found_again() -> None:
    debugger = stepped()
    child = debugger.child(4)
    assert [branch.name for branch in debugger.branches] == ["Load[4]"]
    assert debugger.child(4) is child
    assert child.child(5) is debugger.child(5, "Load")
    assert [branch.name for branch in child.branches] == ["Load[4]", "Load[5]"]


def test_a_child_with_changed_data_goes_its_own_way() -> None:
    debugger = stepped()
    child = debugger.child(4).run_to("Check")
    assert child.edit(input={"x": 1}).run_to().status == "SUCCEEDED"
    assert debugger.execution.map_runs()[0]["itemCounts"]["failed"] == 2


def test_a_debugger_of_a_child_can_be_saved(tmp_path: Path) -> None:
    child = stepped().child(4).run_to("Check")
    child.save(tmp_path / "child.json")
    again = Debugger.load(tmp_path / "child.json")
    assert again.view() == child.view()
    assert again.seek(2).edit(input={"x": 1}).view() == child.seek(2).edit(input={"x": 1}).view()


def test_a_saved_run_knows_its_children_again(tmp_path: Path) -> None:
    debugger = stepped()
    debugger.child(4).seek(5)
    debugger.save(tmp_path / "run.json")
    again = Debugger.load(tmp_path / "run.json")
    (branch,) = again.branches
    assert again.child(4) is branch.debugger
    assert branch.debugger.position == 5
    branch.debugger.save(tmp_path / "child.json")
    child = Debugger.load(tmp_path / "child.json")
    assert child.child_of is not None
    assert child.child_of.parent is child.branches[0].debugger
    assert child.child(5).status == "FAILED"


def test_children_under_way_are_as_far_after_loading(tmp_path: Path) -> None:
    states = {
        "A": {"Type": "Choice", "Choices": [{"Variable": "$", "NumericEquals": 1, "Next": "T"}], "Default": "H"},
        "T": {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:t", "End": True},
        "H": {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:h", "End": True},
    }
    definition = machine().definition
    definition["States"]["Load"]["ItemProcessor"] |= {"StartAt": "A", "States": states}
    handlers = {"H": lambda data: After(3, data)}
    debugger = debug(StateMachine.load(definition), [1, 2], handlers, seed=1).run_to().run_to()
    debugger.save(tmp_path / "run.json")
    loaded = Debugger.load(tmp_path / "run.json", handlers)
    assert [child.status for child in loaded.execution.children()] == [
        child.status for child in debugger.execution.children()
    ]
    assert loaded.view() == debugger.view()


def test_what_is_no_child_is_said() -> None:
    debugger = stepped()
    with pytest.raises(CommandError, match=r"Load\[6\] cannot be looked into: there are 6 child executions"):
        debugger.child(6)
    for wrong in ("0", None, True, 1.0):
        with pytest.raises(CommandError, match="a child's number is a whole number from 0, but found"):
            debugger.child(wrong)  # type: ignore[arg-type]
    with pytest.raises(CommandError, match="no Distributed Map with children at hand has been started by event 1"):
        debugger.seek(1).child(0)
    with pytest.raises(CommandError, match='no Distributed Map "Clean"'):
        debugger.seek(-1).child(0, "Clean")
    dropped = debug(machine(), ITEMS, {"Clean": clean}, keep_children="none").run_to()
    with pytest.raises(CommandError, match=r"its history was not kept"):
        dropped.child(0)
    waiting = debug(machine(MaxConcurrency=1), ITEMS).run_to()
    with pytest.raises(CommandError, match=r"Load\[5\] cannot be looked into: it has not been started"):
        waiting.child(5)


def test_children_under_way_are_told_by_letters() -> None:
    debugger = debug(machine(MaxConcurrency=2), ITEMS).run_to()
    arn = debugger.execution.map_runs()[0]["mapRunArn"]
    assert debugger.line.children(debugger.position, arn) == "RR...."
    debugger.fail("Broken", task=debugger.pending[0])
    debugger.run_to()
    assert debugger.line.children(debugger.position, arn) == "FRR..."
    assert debugger.child(0).seek(-1).view().error == "Broken"


def test_children_inside_children_are_reached_step_by_step() -> None:
    inner = machine().definition["States"]["Load"]
    outer = {
        "Type": "Map",
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "Load",
            "States": {"Load": inner},
        },
        "End": True,
    }
    whole = StateMachine.load({"StartAt": "Outer", "States": {"Outer": outer}})
    debugger = debug(whole, [ITEMS, ITEMS], {"Clean": clean}, seed=1).run_to()
    child = debugger.child(1).seek(-1).child(5)
    assert child.seek(-1).view().error == "TooBig"
    assert [branch.name for branch in debugger.branches] == ["Outer[1]", "Load[5]"]
