"""The debugger's commands: where they stop, what they show, what they change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sfn_notebook import After, CommandError, History, Outcomes, RunError, StateMachine, TaskError
from sfn_notebook.api.debugger import Debugger, debug

LAMBDA = "arn:aws:states:::lambda:invoke"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
SQS = "arn:aws:states:::sqs:sendMessage"
CALLBACK = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
ORDER = {
    "StartAt": "Price",
    "States": {
        "Price": {
            "Type": "Pass",
            "Parameters": {"id.$": "$.id", "total.$": "States.MathAdd($.net, $.tax)"},
            "ResultPath": "$.order",
            "Assign": {"id.$": "$.id"},
            "Next": "Pay",
        },
        "Pay": {
            "Type": "Task",
            "Resource": LAMBDA,
            "Parameters": {"FunctionName": "pay", "Payload.$": "$.order"},
            "ResultSelector": {"receipt.$": "$.Payload.receipt"},
            "ResultPath": "$.paid",
            "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 7}],
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Give up"}],
            "Next": "Pack",
        },
        "Pack": {
            "Type": "Map",
            "ItemsPath": "$.items",
            "ItemProcessor": {
                "StartAt": "Wrap",
                "States": {
                    "Wrap": {"Type": "Pass", "Result": "paper", "ResultPath": "$.in", "Next": "Rest"},
                    "Rest": {"Type": "Wait", "Seconds": 5, "End": True},
                },
            },
            "ResultPath": "$.parcels",
            "Next": "Done",
        },
        "Done": {"Type": "Succeed"},
        "Give up": {"Type": "Fail", "Error": "NotPaid"},
    },
}
INPUT = {"id": 7, "net": 3, "tax": 2, "items": [{"k": 1}, {"k": 2}]}


class Pay:
    def __init__(self, *outcomes: Any) -> None:
        self.outcomes = list(outcomes) or [{"receipt": "r"}]
        self.inputs: list[Any] = []

    def __call__(self, data: Any) -> Any:
        self.inputs.append(data)
        print("paying", data["total"])
        found = self.outcomes[min(len(self.inputs), len(self.outcomes)) - 1]
        if isinstance(found, BaseException):
            raise found
        return found


def start(pay: Any = None, definition: Any = ORDER, data: Any = INPUT, **more: Any) -> Debugger:
    handlers = None if pay is None else {"Pay": pay}
    return debug(StateMachine.load(definition), data, handlers, seed=1, **more)


def here(debugger: Debugger) -> str:
    where = debugger.where()
    kind = where.event["type"] if where.event else ""
    return f"{where.position} {kind} {where.path + '/' if where.path else ''}{where.state or ''}".rstrip()


# ---- stepping


def test_step_is_one_event_and_runs_no_further_than_needed() -> None:
    pay = Pay()
    debugger = start(pay)
    assert here(debugger) == "1 ExecutionStarted"
    stops = [here(debugger.step()) for _ in range(6)]
    assert stops == [
        "2 PassStateEntered Price", "3 PassStateExited Price", "4 TaskStateEntered Pay", "5 TaskScheduled Pay", "6 TaskStarted Pay",
        "7 TaskSucceeded Pay",
    ]  # fmt: skip
    assert len(pay.inputs) == 1
    debugger.seek(6)
    assert pay.inputs == [{"id": 7, "total": 5}]


def test_step_until_state_goes_to_the_end_of_each_visit_and_into_a_map() -> None:
    debugger = start(Pay())
    stops = [here(debugger.step(until="state")) for _ in range(6)]
    assert stops == [
        "3 PassStateExited Price", "8 TaskStateExited Pay", "9 MapStateEntered Pack", "14 PassStateExited Pack[0]/Wrap",
        "17 PassStateExited Pack[1]/Wrap", "19 WaitStateExited Pack[0]/Rest",
    ]  # fmt: skip


def test_step_over_takes_a_whole_retried_task_and_a_whole_map() -> None:
    debugger = start(Pay(TaskError("Busy", ""), {"receipt": 1}))
    assert here(debugger.step_over()) == "3 PassStateExited Price"
    assert here(debugger.step_over()) == "11 TaskStateExited Pay"
    assert here(debugger.step_over()).endswith("MapStateExited Pack")
    assert here(debugger.step_over()).endswith("SucceedStateExited Done")
    assert not debugger.finished
    assert debugger.step().finished


def test_step_over_inside_an_iteration_stays_in_it() -> None:
    debugger = start(Pay()).run_to("Wrap")
    assert here(debugger) == "13 PassStateEntered Pack[0]/Wrap"
    assert here(debugger.step_over()) == "14 PassStateExited Pack[0]/Wrap"
    assert here(debugger.step_over()) == "19 WaitStateExited Pack[0]/Rest"


def test_step_out_ends_the_map_then_the_run() -> None:
    debugger = start(Pay()).run_to("Rest")
    assert here(debugger.step_out()).endswith("MapStateExited Pack")
    assert debugger.step_out().finished


def test_steps_at_the_end_change_nothing() -> None:
    debugger = start(Pay()).run_to()
    position = debugger.position
    assert debugger.finished
    assert (debugger.step().position, debugger.reason) == (position, "ended")


def test_a_step_takes_only_known_units() -> None:
    with pytest.raises(CommandError, match="a step is one event"):
        start().step("map")


def test_run_to_stops_at_states_conditions_predicates_and_events() -> None:
    debugger = start(Pay())
    assert here(debugger.run_to("Pay")) == "4 TaskStateEntered Pay"
    assert here(debugger.run_to("$.paid.receipt = 'r'")) == "8 TaskStateExited Pay"
    assert here(debugger.run_to(lambda view: len(view.active) == 3)) == "16 PassStateEntered Pack[1]/Wrap"
    assert debugger.run_to(20).position == 20
    assert debugger.run_to(3).position == 3
    with pytest.raises(CommandError, match='no state "Pai"; did you mean "Pay"'):
        debugger.run_to("Pai")


def test_breakpoints_stop_everything_but_plain_steps() -> None:
    debugger = start(Pay(TaskError("Busy", ""), TaskError("Fatal", "no")))
    debugger.breakpoints.add("Pack")
    debugger.breakpoints.add(error="Fatal")
    debugger.run_to()
    assert (debugger.reason, str(debugger.hit)) == ("breakpoint", "2: error Fatal")
    assert debugger.event is not None
    assert debugger.event["type"] == "TaskFailed"
    debugger.breakpoints.clear()
    assert debugger.run_to().execution.error == "NotPaid"


def test_back_by_event_and_by_state() -> None:
    debugger = start(Pay()).run_to("Pack")
    assert here(debugger.back()) == "8 TaskStateExited Pay"
    assert here(debugger.back("state")) == "4 TaskStateEntered Pay"
    assert here(debugger.back("state")) == "2 PassStateEntered Price"
    assert debugger.back().back().position == 0
    assert debugger.view().status == "RUNNING"
    assert debugger.back().position == 0


def test_seek_knows_only_recorded_events() -> None:
    debugger = start(Pay()).run_to("Pay")
    assert debugger.seek(-1).position == debugger.length
    with pytest.raises(CommandError, match="there is no event 99: 6 are recorded so far"):
        debugger.seek(99)


# ---- what a stop shows


def test_a_stop_shows_each_stage_with_what_it_changed() -> None:
    debugger = start(Pay()).run_to(8)
    stages = {stage.name: stage for stage in debugger.stages()}
    assert list(stages) == [
        "input", "afterInputPath", "afterParameters", "result", "afterResultSelector", "afterResultPath", "output", "variables",
    ]  # fmt: skip
    assert stages["afterParameters"].value == {"FunctionName": "pay", "Payload": {"id": 7, "total": 5}}
    assert [str(change) for change in stages["afterResultPath"].changes] == ['$.paid added: {"receipt": "r"}']
    assert stages["afterResultPath"].against == "input"
    assert stages["variables"].value == {"id": 7}


def test_a_stop_shows_the_state_its_lines_and_its_context() -> None:
    machine = StateMachine.load(
        '{\n  "StartAt": "A",\n  "States": {\n    "A": {\n      "Type": "Wait",\n      "Seconds": 9,\n      "End": true\n    }\n  }\n}'
    )
    debugger = debug(machine, {"x": 1}, seed=1).step()
    where = debugger.where()
    assert (where.state, where.type, where.phase, where.attempt) == ("A", "Wait", "entered", 1)
    assert where.lines is not None
    assert (where.lines.line, where.lines.end_line) == (4, 8)
    assert where.source.split("\n")[1].strip() == '"Type": "Wait",'
    assert where.context["State"] == {"Name": "A", "EnteredTime": "2025-01-01T00:00:00Z"}
    assert [(timer.what, timer.state, f"{timer.time:%S}") for timer in where.timers] == [("wake", "A", "09")]
    assert debugger.view().timers == where.timers


def test_a_task_shows_its_attempt_its_pending_call_and_its_timers() -> None:
    debugger = start(Pay(TaskError("Busy", ""), {"receipt": 1})).run_to(7)
    assert [(timer.what, f"{timer.time:%S}") for timer in debugger.where().timers] == [("retry", "07")]
    where = debugger.run_to(9).where()
    assert (where.attempt, where.phase) == (2, "started")
    assert [(task.state, task.attempt, task.outside) for task in where.pending] == [("Pay", 2, False)]
    assert [(a.name, a.phase) for a in debugger.view().pending] == [("Pay", "started")]


def test_the_bug_of_a_handler_is_shown_where_it_happened() -> None:
    def buggy(data: Any) -> Any:
        print("about to fail")
        return undefined_name  # type: ignore[name-defined]  # noqa: F821 - the bug

    debugger = start(buggy).run_to("Give up").back("state")
    where = debugger.run_to(7).where()
    assert (where.state, where.error) == ("Pay", "NameError")
    (call,) = where.calls
    assert call.printed == "about to fail\n"
    assert "return undefined_name" in call.traceback
    assert "NameError: name 'undefined_name' is not defined" in str(where)


def test_the_result_of_a_map_and_of_a_parallel_is_a_stage() -> None:
    debugger = start(Pay()).run_to("Pack").step_over()
    stages = {stage.name: stage.value for stage in debugger.stages()}
    assert stages["result"] == [{"k": 1, "in": "paper"}, {"k": 2, "in": "paper"}]
    branch = {"StartAt": "X", "States": {"X": {"Type": "Pass", "Result": 1, "End": True}}}
    parallel = {"StartAt": "P", "States": {"P": {"Type": "Parallel", "Branches": [branch], "End": True}}}
    other = start(None, parallel).step_over()
    assert {stage.name: stage.value for stage in other.stages()}["result"] == [1]


def test_the_result_of_a_distributed_map_is_a_stage() -> None:
    inner = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "X",
        "States": {"X": {"Type": "Pass", "End": True}},
    }
    machine = {
        "StartAt": "D",
        "States": {"D": {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": inner, "End": True}},
    }
    debugger = start(None, machine).step_over()
    assert {stage.name: stage.value for stage in debugger.stages()}["result"] == INPUT["items"]


def test_a_stage_that_fails_says_why() -> None:
    machine = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Parameters": {"x.$": "$.gone"}, "End": True}}}
    debugger = start(None, machine).run_to(2)
    last = debugger.stages()[-1]
    assert last.name == "error"
    assert last.error is not None
    assert "could not be found in the input" in last.error


# ---- asking


def test_a_task_without_handler_asks_and_can_be_answered() -> None:
    debugger = start().run_to()
    assert (debugger.reason, here(debugger)) == ("asked", "6 TaskStarted Pay")
    (task,) = debugger.pending
    assert (task.state, task.resource, task.input) == (
        "Pay",
        LAMBDA,
        {"FunctionName": "pay", "Payload": {"id": 7, "total": 5}},
    )
    assert debugger.step().reason == "waiting"
    debugger.answer({"receipt": "by hand"}).run_to()
    assert debugger.finished
    assert debugger.execution.output["paid"] == {"receipt": "by hand"}


def test_a_task_can_fail_by_hand() -> None:
    debugger = start().run_to().fail("Busy", "come back").run_to()
    assert (debugger.reason, debugger.where().attempt) == ("asked", 2)
    assert debugger.fail("Fatal").run_to().execution.error == "NotPaid"


def test_an_answer_may_come_before_the_handler_is_called() -> None:
    pay = Pay()
    debugger = start(pay).run_to(6).answer({"receipt": "mine"}).run_to()
    assert (pay.inputs, debugger.execution.output["paid"]) == ([], {"receipt": "mine"})


def test_an_answer_in_the_past_gives_up_what_came_after() -> None:
    pay = Pay()
    debugger = start(pay).run_to()
    debugger.seek(6).answer({"receipt": "other"}).run_to()
    assert debugger.execution.output["paid"] == {"receipt": "other"}
    assert len(pay.inputs) == 1
    assert debugger.history.raw == debugger.execution.history.raw
    (branch,) = debugger.branches
    assert branch.debugger.execution.output["paid"] == {"receipt": "r"}


def test_where_several_tasks_wait_one_must_be_named() -> None:
    branches = [
        {"StartAt": name, "States": {name: {"Type": "Task", "Resource": CALLBACK, "End": True}}} for name in "AB"
    ]
    debugger = start(None, {"StartAt": "P", "States": {"P": {"Type": "Parallel", "Branches": branches, "End": True}}})
    debugger.run_to()
    with pytest.raises(CommandError, match="no task waits for an answer at event 3"):
        debugger.seek(3).answer(1)
    debugger.seek(-1)
    with pytest.raises(CommandError, match=r"which task is meant\? waiting at event 11: P.0./A .*; P.1./B "):
        debugger.answer(1, "C")
    first, second = debugger.pending
    debugger.answer("b", "B").answer("a", first.token).run_to()
    assert debugger.execution.output == ["a", "b"]
    assert second.state == "B"


def test_nothing_to_answer_is_said() -> None:
    with pytest.raises(CommandError, match="no task waits for an answer at event 1"):
        start().answer(1)


def test_a_callback_can_be_kept_alive_and_times_out_when_time_passes() -> None:
    wait = {"Type": "Task", "Resource": CALLBACK, "HeartbeatSeconds": 10, "End": True}
    debugger = start(None, {"StartAt": "C", "States": {"C": wait}}).run_to()
    assert (debugger.run_to().reason, debugger.status) == ("waiting", "RUNNING")
    debugger.advance(8).heartbeat().advance(8)
    assert debugger.status == "RUNNING"
    debugger.advance(3)
    assert debugger.execution.error == "States.Timeout"
    assert debugger.finished


def test_a_wait_can_be_skipped_so_that_no_time_passes() -> None:
    machine = {
        "StartAt": "W",
        "States": {"W": {"Type": "Wait", "Seconds": 50, "Next": "X"}, "X": {"Type": "Pass", "End": True}},
    }
    debugger = start(None, machine).step().skip_wait().run_to()
    assert debugger.finished
    assert {event["timestamp"].second for event in debugger.events} == {0}
    with pytest.raises(CommandError, match="but found none"):
        debugger.skip_wait()


def test_the_delay_before_a_retry_can_be_skipped() -> None:
    debugger = start(Pay(TaskError("Busy", ""), {"receipt": 1})).run_to(7).skip_wait().run_to(8)
    assert debugger.event is not None
    assert debugger.event["timestamp"].second == 0


# ---- editing


def test_an_edit_changes_the_input_of_the_state_at_hand() -> None:
    pay = Pay()
    debugger = start(pay).run_to("Pay")
    debugger.edit(input={"order": {"id": 1, "total": 99}, "items": []})
    assert (debugger.position, debugger.view().data["order"]["total"]) == (3, 99)
    debugger.run_to()
    assert pay.inputs == [{"id": 1, "total": 99}]
    assert debugger.execution.output["order"]["total"] == 99


def test_an_edit_between_states_holds_for_the_next() -> None:
    debugger = start(Pay()).run_to(3).edit(input={"order": {"total": 1}, "items": []})
    assert debugger.position == 3
    assert debugger.step().where().input == {"order": {"total": 1}, "items": []}


def test_an_edit_before_the_first_state_changes_its_input_only() -> None:
    debugger = start(Pay()).edit(input={**INPUT, "net": 10}).run_to()
    assert debugger.execution.output["order"]["total"] == 12
    assert debugger.execution.input == INPUT


def test_variables_and_context_can_be_edited() -> None:
    machine = {
        "StartAt": "A",
        "States": {
            "A": {"Type": "Pass", "Assign": {"x": 1, "y": 2}, "Next": "B"},
            "B": {"Type": "Pass", "Parameters": {"x.$": "$x", "y.$": "$y", "who.$": "$$.Execution.Name"}, "End": True},
        },
    }
    debugger = start(None, machine).run_to("B").edit(variables={"x": 7}, context={"Execution": {"Name": "me"}})
    assert debugger.view().variables == {"x": 7, "y": 2}
    assert debugger.step().view().variables == {"x": 7, "y": 2}
    assert debugger.where().context["Execution"]["Name"] == "me"
    assert debugger.run_to().execution.output == {"x": 7, "y": 2, "who": "me"}


def test_an_iteration_can_be_edited_alone() -> None:
    debugger = start(Pay()).run_to("Wrap")
    debugger.edit(input={"k": "edited"}).run_to()
    assert debugger.execution.output["parcels"] == [{"k": "edited", "in": "paper"}, {"k": 2, "in": "paper"}]


def test_two_edits_at_the_same_place_add_up() -> None:
    debugger = start(Pay()).run_to("Pay").edit(variables={"a": 1}).edit(input={"order": {"total": 0}, "items": []})
    where = debugger.step().where()
    assert (where.input["order"], where.variables["a"]) == ({"total": 0}, 1)


def test_before_a_handler_is_called_again_the_debugger_asks() -> None:
    pay = Pay({"receipt": 1}, {"receipt": 2})
    debugger = start(pay).run_to().seek(4)
    debugger.edit(input={"order": {"id": 0, "total": 0}, "items": []})
    assert [(call["state"], call["attempt"]) for call in debugger.again] == [("Pay", 1)]
    debugger.run_to()
    assert (debugger.reason, len(pay.inputs)) == ("asked", 1)
    (task,) = debugger.pending
    assert task.earlier is not None
    other = debugger.fork()
    debugger.reuse().run_to()
    assert (debugger.execution.output["paid"], len(pay.inputs)) == ({"receipt": 1}, 1)
    other.call_handler().run_to()
    assert (other.execution.output["paid"], len(pay.inputs)) == ({"receipt": 2}, 2)
    assert other.again == []


def test_with_confirm_handlers_are_called_again_without_asking() -> None:
    pay = Pay()
    debugger = start(pay, confirm=True).run_to().seek(4).edit(input={"order": {"total": 0}, "items": []}).run_to()
    assert debugger.finished
    assert len(pay.inputs) == 2


def test_where_no_state_begins_nothing_can_be_edited() -> None:
    debugger = start(Pay()).run_to()
    with pytest.raises(CommandError, match="no state begins at event"):
        debugger.edit(input={})
    assert debugger.finished
    with pytest.raises(RunError, match="the input"):
        debugger.seek(2).edit(input={1, 2})


def test_an_input_above_the_payload_limit_is_refused() -> None:
    with pytest.raises(CommandError, match="above the payload limit"):
        start(Pay()).edit(input="x" * 300_000)
    assert start(Pay(), limits=False).edit(input="x" * 300_000).view().data == "x" * 300_000


def test_outcomes_begin_anew_where_an_edit_sets_them_back() -> None:
    debugger = start(Outcomes([TaskError("Busy", ""), {"receipt": "second"}])).run_to()
    length = debugger.length
    debugger.seek(4).edit(input={"order": {"total": 0}, "items": INPUT["items"]}).run_to()
    assert (debugger.length, debugger.execution.output["paid"]) == (length, {"receipt": "second"})


# ---- lines of a run


def test_a_fork_leaves_the_original_untouched() -> None:
    debugger = start(Pay()).run_to("Pack")
    before, length = debugger.view(), debugger.length
    fork = debugger.fork("what if")
    fork.edit(input={"items": [{"k": 9}]}).run_to()
    assert (debugger.view(), debugger.length) == (before, length)
    assert [branch.name for branch in debugger.branches] == ["what if"]
    assert debugger.branches is fork.branches
    assert debugger.run_to().execution.output["parcels"] != fork.execution.output["parcels"]


def test_the_execution_is_a_copy() -> None:
    debugger = start().run_to()
    execution = debugger.execution
    assert execution is debugger.execution
    assert execution.status == "RUNNING"
    execution.advance(5)
    assert debugger.length == 6
    assert debugger.run_to().reason == "waiting"


def test_a_debugger_is_saved_and_loaded_in_mid_run(tmp_path: Path) -> None:
    pay = Pay(After(3, {"receipt": "x"}))
    debugger = start(pay).run_to("Rest")
    debugger.breakpoints.add("Done", when="$.id")
    debugger.edit(variables={"mine": 1})
    debugger.save(tmp_path / "run.json")
    loaded = Debugger.load(tmp_path / "run.json", {"Pay": pay})
    assert len(pay.inputs) == 1
    assert loaded.view() == debugger.view()
    assert loaded.machine.definition == ORDER
    loaded.run_to()
    assert str(loaded.hit) == "1: state Done when $.id"
    assert loaded.run_to().execution.output == debugger.run_to().run_to().execution.output


def test_a_file_that_is_no_debugger_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("[]")
    with pytest.raises(RunError, match="is no saved debugger"):
        Debugger.load(tmp_path / "x.json")
    with pytest.raises(RunError, match="is no saved debugger"):
        Debugger.load(tmp_path / "gone.json")


def test_the_repr_says_where_and_why() -> None:
    debugger = start().run_to()
    assert repr(debugger) == (
        "<Debugger 'StateMachine': event 6 of 6, TaskStarted of \"Pay\"; RUNNING; a task asks for an answer>"
    )


# ---- a recorded history


def test_a_debugger_of_a_history_travels_through_it_and_goes_on_live_after_an_edit() -> None:
    pay = Pay({"receipt": "recorded"})
    machine = StateMachine.load(ORDER)
    history = machine.run(INPUT, {"Pay": pay}, seed=1).history
    debugger = Debugger.of(history, machine, {"Pay": pay})
    assert (debugger.position, debugger.length, len(pay.inputs)) == (1, len(history), 1)
    assert debugger.seek(-1).execution.output["paid"] == {"receipt": "recorded"}
    debugger.seek(2).edit(input={**INPUT, "items": []}).run_to()
    assert debugger.execution.output["paid"] == {"receipt": "recorded"}
    assert len(pay.inputs) == 1


TWO = {
    "StartAt": "Price",
    "States": {
        "Price": {"Type": "Task", "Resource": FUNCTION, "ResultPath": "$.price", "Next": "Ship"},
        "Ship": {"Type": "Task", "Resource": FUNCTION, "InputPath": "$.address", "ResultPath": "$.sent", "End": True},
    },
}


def broken(event: Any) -> Any:
    raise TaskError("NoPrice", f"not for {event}")


def test_after_an_edit_only_tasks_that_are_given_the_same_answer_as_recorded() -> None:
    machine = StateMachine.load(TWO)
    asked: list[Any] = []

    def answer(event: Any) -> int:
        asked.append(event)
        return 2

    execution = machine.run({"sku": "a", "address": "x"}, {"Price": 1, "Ship": "sent"}, seed=1)
    debugger = (
        Debugger.of(execution, machine, {"*": answer}, confirm=True)
        .seek(2)
        .edit(input={"sku": "b", "address": "x"})
        .run_to()
    )
    assert debugger.execution.output == {"sku": "b", "address": "x", "price": 2, "sent": "sent"}
    assert asked == [{"sku": "b", "address": "x"}]


def test_a_handler_is_not_called_unasked_for_what_the_history_has_answered() -> None:
    machine = StateMachine.load(TWO)
    execution = machine.run({"sku": "a", "address": "x"}, {"Price": 1, "Ship": "sent"}, seed=1)
    asked: list[Any] = []
    debugger = Debugger.of(execution, machine, {"*": asked.append}).seek(2).edit(input={"sku": "b", "address": "x"})
    assert (debugger.run_to().reason, asked) == ("asked", [])
    assert debugger.fork().reuse().run_to().execution.output["price"] == 1
    assert debugger.call_handler().run_to().execution.output["price"] is None
    assert asked == [{"sku": "b", "address": "x"}]


def test_a_failure_of_the_past_is_mended_by_changing_the_data() -> None:
    machine = StateMachine.load(TWO)
    failed = machine.run({"sku": "a", "address": "x"}, {"Price": broken, "Ship": "sent"}, seed=1)
    debugger = Debugger.of(failed.history, machine).seek(2).edit(input={"sku": "b", "address": "x"}).run_to()
    assert (debugger.reason, here(debugger)) == ("asked", "4 LambdaFunctionStarted Price")
    earlier = debugger.pending[0].earlier
    assert earlier is not None
    assert (earlier.kind, earlier.error, earlier.cause) == ("failed", "NoPrice", failed.cause)
    assert debugger.fork().reuse().run_to().status == "FAILED"
    assert debugger.answer(5).run_to().reason == "asked"  # the failed run never came to Ship
    assert debugger.answer("sent").run_to().execution.output["price"] == 5


def test_a_task_token_alone_makes_no_other_request() -> None:
    token = {
        "Type": "Task",
        "Resource": f"{SQS}.waitForTaskToken",
        "Parameters": {"MessageBody": {"t.$": "$$.Task.Token"}},
    }
    machine = StateMachine.load({"StartAt": "Ask", "States": {"Ask": {**token, "End": True}}})
    execution = machine.run({"a": 1})
    execution.send_task_success(execution.pending[0].token, "yes")
    debugger = Debugger.of(History.from_events(execution.history.raw), machine).seek(2).edit(input={"a": 2}).run_to()
    assert debugger.execution.output == "yes"


def test_a_task_token_is_the_one_that_was_issued_and_only_a_callback_has_one() -> None:
    ask = {"Type": "Task", "Resource": CALLBACK, "Parameters": {"MessageBody": {"t.$": "$$.Task.Token"}}, "Next": "P"}
    retried = {**ask, "Retry": [{"ErrorEquals": ["Again"]}]}
    machine = StateMachine.load({"StartAt": "Ask", "States": {"Ask": retried, "P": {"Type": "Pass", "End": True}}})
    debugger = debug(machine, {}).run_to()
    token = debugger.pending[0].token
    assert debugger.where().context["Task"] == {"Token": token}
    given = {stage.name: stage.value for stage in debugger.seek(2).stages()}["afterParameters"]
    assert given == {"MessageBody": {"t": token}}
    second = debugger.seek(-1).fail("Again").run_to().pending[0].token
    assert second != token
    debugger.answer(1).run_to()
    assert [debugger.seek(k).where().context["Task"]["Token"] for k in (2, 6, 8, 11)] == [token, token, second, second]
    assert debugger.event is not None
    assert "Task" not in debugger.seek(-2).where().context
    assert "Task" not in debugger.seek(-3).where().context


def test_branches_are_saved_with_the_debugger(tmp_path: Path) -> None:
    debugger = start(Pay()).run_to()
    debugger.seek(5).edit(input={**INPUT, "net": 9}).fork("mine")
    debugger.save(tmp_path / "d.json")
    loaded = Debugger.load(tmp_path / "d.json", {"Pay": Pay()})
    assert [(b.name, b.position) for b in loaded.branches] == [(b.name, b.position) for b in debugger.branches]
    kept = loaded.branches[0].debugger
    assert (kept.status, kept.length) == ("SUCCEEDED", debugger.branches[0].debugger.length)
    assert kept.seek(-1).execution.output == debugger.branches[0].debugger.seek(-1).execution.output
    assert kept.branches is loaded.branches
    kept.fork()
    assert len(loaded.branches) == 3


@pytest.mark.parametrize("wrong", ["x", 1.5, True, None])
def test_a_place_that_is_no_number_is_refused_and_nothing_moves(wrong: Any) -> None:
    debugger = start(Pay()).run_to().seek(3)
    with pytest.raises(CommandError, match="an event's number is a whole number, but found"):
        debugger.seek(wrong)
    assert debugger.position == 3


def test_what_is_no_history_is_refused() -> None:
    machine = StateMachine.load(ORDER)
    for wrong in ("foo", [{"type": "ExecutionStarted"}], None):
        with pytest.raises(CommandError, match=r"a History or an Execution is expected, but found .*from_events"):
            Debugger.of(wrong, machine)
    with pytest.raises(CommandError, match=r"the variables are an object, by name, but found \[1\]"):
        start().edit(variables=[1])  # type: ignore[arg-type]


def test_recorded_outcomes_are_saved_with_the_debugger(tmp_path: Path) -> None:
    machine = StateMachine.load(TWO)
    execution = machine.run({"sku": "a", "address": "x"}, {"Price": 1, "Ship": "sent"}, seed=1)
    debugger = Debugger.of(execution.history, machine).seek(2).edit(variables={"v": 1})
    debugger.save(tmp_path / "d.json")
    loaded = Debugger.load(tmp_path / "d.json").run_to()
    assert loaded.execution.output == debugger.run_to().execution.output == execution.output


def test_a_history_with_an_arn_gives_its_names_to_the_context_object() -> None:
    machine = StateMachine.load(ORDER)
    history = machine.run(INPUT, {"Pay": 1}, seed=1).history
    arn = "arn:aws-cn:states:cn-north-1:999999999999:execution:orders:o-1"
    known = History.of_recording(history.recording("o-1", arn))
    context = Debugger.of(known, machine).seek(3).where().context
    assert (context["Execution"]["Id"], context["Execution"]["Name"]) == (arn, "o-1")
    assert context["StateMachine"]["Id"] == "arn:aws-cn:states:cn-north-1:999999999999:stateMachine:orders"
    assert Debugger.of(history, machine).seek(3).where().context["Execution"]["Name"] == "replay"


def test_a_debugger_of_an_unfinished_history_asks_where_it_ends() -> None:
    machine = StateMachine.load(ORDER)
    whole = machine.run(INPUT, {"Pay": {"receipt": 1}}, seed=1).history
    debugger = Debugger.of(type(whole).from_events(whole.raw[:6]), machine).run_to()
    assert (debugger.reason, here(debugger)) == ("waiting", "6 TaskStarted Pay")
    assert debugger.answer({"receipt": "now"}).run_to().finished


# ---- one truth, whichever way one came to it


def task(name: str, following: str | None = None, **more: Any) -> dict[str, Any]:
    way = {"Next": following} if following else {"End": True}
    return {"Type": "Task", "Resource": f"arn:aws:lambda:us-east-1:123456789012:function:{name}", **way, **more}


def distributed(states: dict[str, Any], start_at: str, **more: Any) -> dict[str, Any]:
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    return {"Type": "Map", "ItemProcessor": {"ProcessorConfig": config, "StartAt": start_at, "States": states}, **more}


def test_a_saved_debugger_keeps_what_was_filled_in(tmp_path: Path) -> None:
    text = '{"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": ${S}, "Next": "B"}, "B": {"Type": "Pass", "Result": "${X}", "End": true}}}'
    machine = StateMachine.load(text, name="y", substitutions={"X": "hello", "S": 1})
    debugger = debug(machine, {}).run_to()
    debugger.save(tmp_path / "d.json")
    assert Debugger.load(tmp_path / "d.json").view().output == debugger.view().output == "hello"


def test_a_task_after_a_map_run_is_pending_however_the_debugger_was_made(tmp_path: Path) -> None:
    load = distributed({"A": {"Type": "Pass", "End": True}}, "A", Next="B")
    machine = StateMachine.load({"StartAt": "L", "States": {"L": load, "B": task("b")}})
    handlers = {"B": lambda data: data}
    stepped = debug(machine, [1], handlers, seed=1).run_to()
    stepped.save(tmp_path / "d.json")
    execution = machine.run([1], handlers, seed=1)
    others = (
        Debugger.of(execution, machine),
        Debugger.of(execution.history, machine),
        Debugger.load(tmp_path / "d.json"),
    )
    for position in range(1, stepped.length + 1):
        expected = [one.state for one in stepped.seek(position).pending]
        assert [[one.state for one in other.seek(position).pending] for other in others] == [expected] * 3
    begun = next(event["id"] for event in stepped.events if event["type"] == "LambdaFunctionStarted")
    assert others[0].seek(begun).answer("new").run_to().execution.output == "new"


def test_timers_at_the_head_know_what_has_been_told_there() -> None:
    waits = StateMachine.load({"StartAt": "A", "States": {"A": task("a", TimeoutSeconds=60, HeartbeatSeconds=10)}})
    debugger = debug(waits, {}, seed=1).run_to()
    before = {timer.what: timer.time for timer in debugger.view().timers}
    debugger.advance(5).heartbeat()
    after = {timer.what: timer.time for timer in debugger.view().timers}
    assert (after["heartbeat"] - before["heartbeat"]).total_seconds() == 5
    inner = {"A": task("a", "W"), "W": {"Type": "Wait", "Seconds": 7, "End": True}}
    machine = StateMachine.load({"StartAt": "L", "States": {"L": distributed(inner, "A", End=True)}})
    debugger = debug(machine, [1], seed=1).run_to().answer(3).advance(1)
    assert [timer.what for timer in debugger.view().timers] == ["wake"]
    assert debugger.skip_wait().run_to().status == "SUCCEEDED"


def test_the_execution_is_that_of_the_last_change() -> None:
    first = {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "End": True}}
    debugger = debug(StateMachine.load({"StartAt": "A", "States": first}), {}).run_to("B")
    for value in (1, 2, 3):
        debugger.seek(1).edit(input={"v": value}).run_to()
        assert debugger.execution.output == debugger.view().output == {"v": value}


def test_a_fork_knows_what_handlers_printed_and_a_given_up_call_is_forgotten() -> None:
    def hello(data: Any) -> Any:
        print("hello", data)
        return data

    machine = StateMachine.load({"StartAt": "A", "States": {"A": task("a")}})
    debugger = debug(machine, {"n": 1}, {"A": hello}).run_to()
    printed = [call.printed for call in debugger.seek(5).where().calls]
    assert printed == ["hello {'n': 1}\n"]
    assert debugger.fork().where() == debugger.where()
    debugger.seek(2).edit(input={"n": 2}).run_to().answer("by hand").run_to()
    assert debugger.seek(5).where().calls == ()
    kept = debugger.branches[-1].debugger
    assert [call.printed for call in kept.seek(5).where().calls] == printed


def test_what_a_history_has_answered_is_named_where_a_handler_may_repeat_it() -> None:
    machine = StateMachine.load({"StartAt": "A", "States": {"A": task("a")}})
    execution = machine.run({"n": 1}, {"A": 1}, seed=1)
    assert Debugger.of(execution, machine, {"A": 2}).edit(input={"n": 2}).again == []  # a constant repeats nothing
    debugger = Debugger.of(execution, machine, {"A": len}).edit(input={"n": 2})
    assert [call["state"] for call in debugger.again] == ["A"]
    assert debugger.run_to().reason == "asked"


def test_what_is_no_saved_debugger_is_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "d.json"
    start(Pay()).run_to().save(path)
    saved = json.loads(path.read_text())
    for line in (
        {"start": 99},
        {"position": 10**6},
        {"breakpoints": [{"state": "Nowhere", "error": None, "when": None}]},
    ):
        path.write_text(json.dumps({**saved, "lines": [{**saved["lines"][0], **line}]}))
        with pytest.raises(RunError, match="is no saved debugger"):
            Debugger.load(path)
    path.write_text(json.dumps({**saved, "definition": {}, "source": "{"}))
    with pytest.raises(RunError, match="is no saved debugger"):
        Debugger.load(path)
