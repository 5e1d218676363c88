"""The stepper without a browser, where somebody gets in the way: edits that are pending or refused, interrupts, waits, failures."""

from __future__ import annotations

import asyncio
import json
import signal
import threading
from collections.abc import Callable
from typing import Any

from sfn_notebook import StateMachine
from sfn_notebook.api.debugger import debug
from sfn_notebook.notebook.stepper import Stepper
from sfn_notebook.notebook.stepper_static import still_bundle
from tests.notebook.test_stepper import LAMBDA, PRICE, Busy, calls, do, good, machine, price, stepper, to_task

__all__ = ["calls", "price", "stepper"]  # fixtures


def test_the_delay_before_a_retry_is_skipped_without_calling_the_handler_yet(
    price: Callable[[Any], Any], calls: list[Any]
) -> None:
    stepper = Stepper(debug(machine(), {"items": ["busy"]}, {"Price": price}))
    while not [timer for timer in stepper.view["timers"] if timer["what"] == "retry"]:
        good(stepper, "step", unit="event")
    view = good(stepper, "skip")
    assert (view["event"], view["detail"]["attempt"], calls) == ("LambdaFunctionScheduled", 2, ["busy"])
    assert view["elapsed"] == 0


def test_what_is_stuck_without_an_answer_says_so_however_it_got_there(stepper: Stepper) -> None:
    stuck = []
    while (view := good(stepper, "step", unit="event"))["event"] != "TaskSubmitted":
        stuck.append(view["stuck"])
    assert not any(stuck)
    assert (view["stuck"], view["reason"]) == (True, "")
    assert good(stepper, "step", unit="event")["reason"] == "waiting"
    assert not good(stepper, "back", unit="event")["stuck"]
    view = good(stepper, "answer", text="1")
    assert not view["stuck"]
    assert not good(stepper, "run")["stuck"]


def test_where_a_wait_ends_by_itself_nothing_is_stuck() -> None:
    ask = {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "Parameters": {"MessageBody": {"t.$": "$$.Task.Token"}}, "End": True}  # fmt: skip
    wait = {"Type": "Wait", "Seconds": 60, "End": True}
    branches = [{"StartAt": "Ask", "States": {"Ask": ask}}, {"StartAt": "W", "States": {"W": wait}}]
    one = StateMachine.load({"StartAt": "P", "States": {"P": {"Type": "Parallel", "Branches": branches, "End": True}}})
    stepper = Stepper(debug(one, {}))
    while (view := good(stepper, "step", unit="event"))["event"] != "TaskSubmitted":
        assert not view["stuck"]
    assert (view["stuck"], [timer["what"] for timer in view["timers"]]) == (False, ["wake"])
    assert good(stepper, "run")["stuck"]


def test_a_task_without_a_handler_offers_none_and_an_activity_is_a_matter_of_its_worker(price: Any) -> None:
    human = {"Type": "Task", "Resource": "arn:aws:states:us-east-1:123456789012:activity:human", "HeartbeatSeconds": 300, "End": True}  # fmt: skip
    other = {"Type": "Task", "Resource": f"{LAMBDA}other", "Next": "Human"}
    one = StateMachine.load({"StartAt": "Other", "States": {"Other": other, "Human": human}})
    stepper = Stepper(debug(one, {}))
    (task,) = good(stepper, "run")["pending"]
    assert (task["state"], task["bound"], task["callback"], task["activity"]) == ("Other", False, False, False)
    good(stepper, "answer", text="{}")
    (task,) = good(stepper, "run")["pending"]
    assert (task["state"], task["bound"], task["activity"]) == ("Human", False, True)
    assert task["token"]
    good(stepper, "heartbeat")
    good(stepper, "answer", text='{"ok": true}')
    assert good(stepper, "run")["output"]["text"] == '{"ok":true}'
    stepper = Stepper(debug(machine(), {"items": ["a"]}, {"Price": price}))
    assert to_task(stepper)["pending"][0]["bound"]


def failing_items() -> StateMachine:
    inner = {"P": {"Type": "Pass", "Next": "Q"}, "Q": {"Type": "Fail", "Error": "Bad", "Cause": "no"}}
    each = {"Type": "Map", "ItemProcessor": {"StartAt": "P", "States": inner}, "End": True}
    return StateMachine.load({"StartAt": "M", "States": {"M": each}})


def test_an_iteration_that_ended_in_a_fail_state_is_shown_as_failed() -> None:
    stepper = Stepper(debug(failing_items(), [1]))
    view = good(stepper, "run")
    assert view["final"] == "FAILED"
    view = good(stepper, "inspect", pointer="/States/M")
    view = good(stepper, "iteration", visit=view["map"]["visit"], index=0)
    assert (view["detail"]["state"], view["detail"]["status"]) == ("Q", "FAILED")
    assert (view["detail"]["error"], view["detail"]["cause"]) == ("Bad", "no")
    view = good(stepper, "seek", to=view["detail"]["position"])
    assert (view["event"], view["detail"]["status"]) == ("FailStateEntered", "FAILED")
    assert view["nodes"]["/States/M/ItemProcessor/States/Q"][0] == "FAILED"


def test_a_state_whose_visits_went_differently_gives_the_worst_and_counts_all() -> None:
    def odd(item: int) -> int:
        if item == 2:
            raise Busy("no")
        return item

    task = {"Type": "Task", "Resource": f"{LAMBDA}odd", "End": True}
    each = {"Type": "Map", "MaxConcurrency": 2, "ItemProcessor": {"StartAt": "P", "States": {"P": task}}, "End": True}
    one = StateMachine.load({"StartAt": "M", "States": {"M": each}})
    stepper = Stepper(debug(one, [0, 1, 2, 3], {"P": odd}))
    view = good(stepper, "run")
    status, visits, _retries, counts = view["nodes"]["/States/M/ItemProcessor/States/P"]
    assert status == "FAILED"
    assert sum(counts.values()) == visits
    assert counts["SUCCEEDED"] == 2


def two_states() -> StateMachine:
    first = {"Type": "Pass", "Assign": {"v": 1}, "Next": "B"}
    second = {"Type": "Pass", "Parameters": {"name.$": "$$.Execution.Name", "got.$": "$"}, "End": True}
    return StateMachine.load({"StartAt": "A", "States": {"A": first, "B": second}})


def ask(stepper: Stepper, question: str, **more: Any) -> dict[str, Any]:
    sent: list[Any] = []
    stepper.send = lambda content, buffers=None: sent.append(content)
    stepper.receive({"do": question, "n": 9, **more})
    assert sent[0]["asked"]["n"] == 9
    found: dict[str, Any] = json.loads(json.dumps(sent[0]))
    return found


def test_a_change_is_shown_until_the_state_that_it_is_for_begins() -> None:
    stepper = Stepper(debug(two_states(), {"n": 1}))
    good(stepper, "step")
    assert good(stepper, "step", unit="event")["edits"] == []
    view = good(stepper, "edit", input='{"n": 2}')
    (edit,) = view["edits"]
    assert (edit["state"], edit["what"], edit["value"]["text"]) == ("B", "input", '{"n":2}')
    good(stepper, "edit", variables='{"v": 5}')
    view = good(stepper, "edit", variables='{"w": 6}')
    assert [(edit["what"], edit["value"]["text"]) for edit in view["edits"]] == [
        ("input", '{"n":2}'),
        ("variables", '{"v":5,"w":6}'),
    ]
    assert good(stepper, "step")["edits"] == []
    assert good(stepper, "back", unit="event")["edits"] == []
    assert len(good(stepper, "back", unit="event")["edits"]) == 2


def test_what_can_be_edited_is_what_the_state_is_about_to_see() -> None:
    stepper = Stepper(debug(two_states(), {"n": 1}))
    assert json.loads(ask(stepper, "editable")["input"]) == {"n": 1}
    good(stepper, "step")
    found = ask(stepper, "editable")
    assert (found["state"], json.loads(found["variables"])) == ("B", {"v": 1})
    context = json.loads(found["context"])
    assert "Name" in context["Execution"]
    good(stepper, "step", unit="event")
    found = ask(stepper, "editable")
    assert json.loads(found["context"])["State"]["Name"] == "B"
    good(stepper, "run")
    assert "no state begins at event" in ask(stepper, "editable")["problem"]


def test_of_an_edited_context_only_what_was_changed_is_sent_on() -> None:
    stepper = Stepper(debug(two_states(), {"n": 1}))
    good(stepper, "step")
    good(stepper, "step", unit="event")
    context = json.loads(ask(stepper, "editable")["context"])
    assert "nothing of the context" in do(stepper, "edit", context=json.dumps(context))["problem"]
    context["Execution"]["Name"] = "other"
    view = good(stepper, "edit", context=json.dumps(context))
    assert [json.loads(edit["value"]["text"]) for edit in view["edits"]] == [{"Execution": {"Name": "other"}}]
    view = good(stepper, "run")
    assert json.loads(view["output"]["text"])["name"] == "other"


def test_an_edit_that_is_refused_moves_nothing() -> None:
    stepper = Stepper(debug(two_states(), {"n": 1}))
    at = good(stepper, "run")["position"]
    good(stepper, "watch", event=2)
    view = do(stepper, "edit", input=json.dumps("x" * 300_000))
    assert "above the payload limit" in view["problem"]
    assert (view["position"], view["looking"], view["reason"]) == (at, 2, "ended")
    view = good(stepper, "edit", input='{"n": 3}')
    assert (view["position"], view["looking"]) == (1, None)
    assert [(line["name"], line["from"]) for line in view["lines"]] == [
        ("main", None),
        ("before the change at event 1", None),
    ]
    assert good(stepper, "fork")["lines"][2]["from"] == 1


def test_an_interrupted_command_is_answered_and_the_run_goes_on_from_there() -> None:
    calls = []

    def slow(value: Any) -> Any:
        calls.append(value)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return 1

    stepper = Stepper(debug(machine(), {"items": ["a"]}, {"Price": slow}))
    view = do(stepper, "run")
    assert view["problem"].startswith("interrupted at event")
    view = good(stepper, "run")
    assert (view["reason"], len(calls)) == ("waiting", 2)


def test_a_message_from_another_thread_is_carried_out_in_the_main_one_where_an_interrupt_reaches_it() -> None:
    seen: list[Any] = []

    def slow(value: Any) -> Any:
        seen.append(threading.current_thread() is threading.main_thread())
        signal.raise_signal(signal.SIGINT)
        return value

    async def kernel() -> Stepper:
        stepper = Stepper(debug(machine(), {"items": ["a"]}, {"Price": slow}))
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a kernel does between two messages
        await asyncio.to_thread(stepper._handle_custom_msg, {"do": "run", "n": 4}, [])
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        return stepper

    before = signal.getsignal(signal.SIGINT)
    try:
        stepper = asyncio.run(kernel())
    finally:
        signal.signal(signal.SIGINT, before)
    assert seen == [True]
    assert stepper.view["answered"] == 4
    assert stepper.view["problem"].startswith("interrupted at event")


def test_breakpoints_come_along_to_another_branch(stepper: Stepper) -> None:
    good(stepper, "step")
    good(stepper, "fork")
    good(stepper, "gutter", pointer="/States/Approve")
    view = good(stepper, "branch", to=0)
    assert [point["state"] for point in view["breakpoints"]] == ["Approve"]
    assert good(stepper, "run")["reason"] == "breakpoint"


def test_the_gutter_takes_away_whatever_stops_at_a_state(stepper: Stepper) -> None:
    good(stepper, "break", state="Approve", when="$.items[0]")
    view = good(stepper, "break", state="Price", error="*")
    assert [point["plain"] for point in view["breakpoints"]] == [False, False]
    assert len(good(stepper, "gutter", pointer="/States/Approve")["breakpoints"]) == 1
    assert good(stepper, "gutter", pointer=PRICE)["breakpoints"] == []
    assert good(stepper, "gutter", pointer=PRICE)["breakpoints"][0]["plain"]


def test_the_still_picture_of_a_failed_run_shows_the_state_that_failed(stepper: Stepper) -> None:
    good(stepper, "run")
    good(stepper, "fail", error="Rejected", cause="too much $x or $y")
    good(stepper, "run")
    for still in (stepper._aim_still().bundle(), still_bundle(stepper.debugger, stepper.look.position)):
        assert "FAILED" in still["text/plain"]
        assert "between states" not in still["text/html"]
        assert "&quot;Approve&quot; (Task)" in still["text/html"] or '"Approve" (Task)' in still["text/html"]
        assert "Rejected: too much $x or $y" in still["text/html"]
        assert "afterParameters" in still["text/html"]
        assert still["text/html"].startswith('<div class="sfnd-still mathjax_ignore">')


def test_the_still_picture_follows_a_debugger_that_another_cell_moved(stepper: Stepper) -> None:
    stepper.debugger.run_to()
    stepper.debugger.fail("Rejected").run_to()
    assert "Approve" in stepper._aim_still().bundle()["text/plain"]
