"""The stepper without a browser: commands in, plain JSON traits out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from sfn_notebook import StateMachine
from sfn_notebook.api.debugger import Debugger, debug
from sfn_notebook.asl.topology import topology
from sfn_notebook.notebook import stepping
from sfn_notebook.notebook.stepper import Stepper
from sfn_notebook.notebook.stepper_commands import COMMANDS
from sfn_notebook.notebook.stepper_static import still_bundle
from sfn_notebook.notebook.stepper_trail import SEGMENTS, Trail
from sfn_notebook.notebook.stepper_view import INLINE
from tests.notebook.conftest import TASK, Notebook

LAMBDA = "arn:aws:lambda:us-east-1:123456789012:function:"
DEFINITION: dict[str, Any] = {
    "StartAt": "Each",
    "States": {
        "Each": {
            "Type": "Map",
            "ItemsPath": "$.items",
            "ItemProcessor": {
                "StartAt": "Price",
                "States": {
                    "Price": {
                        "Type": "Task",
                        "Resource": f"{LAMBDA}price",
                        "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 5}],
                        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Unpriced"}],
                        "End": True,
                    },
                    "Unpriced": {"Type": "Pass", "Result": 0, "End": True},
                },
            },
            "ResultPath": "$.prices",
            "Next": "Approve",
        },
        "Approve": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Parameters": {"MessageBody": {"token.$": "$$.Task.Token"}},
            "HeartbeatSeconds": 60,
            "ResultPath": "$.approval",
            "Next": "Done",
        },
        "Done": {"Type": "Succeed"},
    },
}
PRICE = "/States/Each/ItemProcessor/States/Price"


class Busy(Exception):
    pass


@pytest.fixture
def calls() -> list[Any]:
    return []


@pytest.fixture
def price(calls: list[Any]) -> Callable[[Any], Any]:
    def price(item: Any) -> Any:
        calls.append(item)
        print("pricing", item)
        if item == "bug":
            raise NameError("name 'pirce' is not defined")
        if item == "busy" and calls.count(item) == 1:
            raise Busy("later")
        return 10

    return price


@pytest.fixture
def stepper(price: Callable[[Any], Any]) -> Stepper:
    return Stepper(debug(machine(), {"items": ["a", "busy", "bug"]}, {"Price": price}, seed=1))


def machine(definition: Any = DEFINITION) -> StateMachine:
    return StateMachine.load(definition, name="orders")


def do(stepper: Stepper, command: str, **more: Any) -> dict[str, Any]:
    stepper.receive({"do": command, "n": 7, **more})
    view: dict[str, Any] = json.loads(json.dumps(stepper.view))  # plain JSON, or this fails
    assert view["answered"] == 7
    return view


def good(stepper: Stepper, command: str, **more: Any) -> dict[str, Any]:
    view = do(stepper, command, **more)
    assert view["problem"] is None, view["problem"]
    return view


def stage(view: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in view["detail"]["stages"] if one["name"] == name)
    return found


# --- what is sent


def test_it_begins_before_the_first_state_with_picture_and_states(stepper: Stepper) -> None:
    assert 'data-pointer="/States/Each"' in stepper.svg
    assert [state["name"] for state in stepper.machine["states"]] == ["Each", "Price", "Unpriced", "Approve", "Done"]
    assert stepper.machine["states"][1]["depth"] == 1
    assert (stepper.view["position"], stepper.view["length"], stepper.view["nodes"]) == (1, 1, {})
    assert stepper.track == {"length": 1, "segments": [[1, ""]], "ticks": []}


def test_script_and_style_are_in_the_package_and_name_no_other_machine(stepper: Stepper) -> None:
    assert "export default" in stepper._esm
    assert "--sfnd-failed-fill" in stepper._css
    for text in (stepper._esm, stepper._css):
        assert "https://" not in text
        assert "import " not in text.replace("important ", "").replace("@import ", "import ")
        assert "innerHTML" not in text
        assert "eval(" not in text


def test_each_colour_that_the_style_uses_is_in_the_palette(stepper: Stepper) -> None:
    used = set(re.findall(r"var\((--sfnd-[a-z-]+)\)", stepper._css))
    assert used
    assert used <= set(re.findall(r"(--sfnd-[a-z-]+):#", stepper._css))


def test_a_machine_that_cannot_be_drawn_is_still_listed(price: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from sfn_notebook.errors import SfnError

    def broken(*_: Any, **__: Any) -> Any:
        raise SfnError("no engine")

    monkeypatch.setattr("sfn_notebook.notebook.stepper.machine_graph", broken)
    stepper = Stepper(debug(machine(), {"items": []}, {"Price": price}))
    assert stepper.svg == ""
    assert len(stepper.machine["states"]) == 5


def test_a_stop_tells_each_stage_and_what_it_changed(stepper: Stepper) -> None:
    view = good(stepper, "run")
    view = good(stepper, "inspect", pointer="/States/Each")
    found = stage(view, "afterResultPath")
    assert found["changes"] == [{"path": "$.prices", "kind": "added", "a": "null", "b": "[10,10,0]"}]
    assert json.loads(found["value"]["text"])["prices"] == [10, 10, 0]
    assert stage(view, "afterInputPath")["same"]
    assert view["detail"]["line"] == 4
    assert '"Type": "Map"' in view["detail"]["source"]


def test_numbers_arrive_as_they_were_written() -> None:
    one = StateMachine.load({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
    view = good(Stepper(debug(one, {"n": 12345678901234567890, "f": 1.0})), "step")
    assert stage(view, "input")["value"]["text"] == '{"n":12345678901234567890,"f":1.0}'


def test_a_long_payload_is_sent_when_it_is_asked_for() -> None:
    one = StateMachine.load({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
    stepper = Stepper(debug(one, {"long": "x" * 200_000}))
    view = good(stepper, "step")
    value = stage(view, "input")["value"]
    assert value["text"] is None
    assert value["size"] > INLINE
    assert len(json.dumps(view)) < 20_000
    sent: list[Any] = []
    stepper.send = lambda content, buffers=None: sent.append(content)
    stepper.receive({"do": "load", "n": 8, "name": value["name"]})
    assert json.loads(sent[0]["text"]) == {"long": "x" * 200_000}
    assert sent[0]["asked"]["n"] == 8


def test_traits_change_together(stepper: Stepper) -> None:
    sent: list[set[str]] = []
    stepper.send_state = lambda key=None: sent.append({key} if isinstance(key, str) else set(key or ()))
    good(stepper, "step")
    assert sent == [{"track", "view"}]


# --- graph and scrubber


def test_the_graph_shows_status_visits_retries_and_the_way(stepper: Stepper) -> None:
    view = good(stepper, "run")
    assert view["nodes"]["/States/Each"] == ["SUCCEEDED", 1, 0]
    assert view["nodes"][PRICE] == ["CAUGHT", 3, 1, {"SUCCEEDED": 2, "CAUGHT": 1}]
    assert view["nodes"]["/States/Approve"] == ["WAITING", 1, 0]
    assert view["here"] == "/States/Approve"
    assert "edge-start:start:/States/Each" in view["edges"]
    assert f"edge-catch:{PRICE}:{PRICE.replace('Price', 'Unpriced')}" in view["edges"]
    assert all(f'id="{edge}"' in stepper.svg for edge in view["edges"])
    view = good(stepper, "seek", to=2)
    assert view["nodes"] == {"/States/Each": ["RUNNING", 1, 0]}
    assert view["edges"] == ["edge-start:start:/States/Each"]


def test_the_scrubber_has_names_errors_and_retries(stepper: Stepper) -> None:
    good(stepper, "run")
    names = [name for _, name in stepper.track["segments"]]
    assert names[:2] == ["", "Each"]
    assert names[-1] == "Approve"
    kinds = [(kind, text) for _, kind, text in stepper.track["ticks"]]
    assert ("error", "Price: Busy") in kinds
    assert ("error", "Price: NameError") in kinds
    assert ("retry", "Price") in kinds


def test_the_scrubber_of_a_long_run_has_no_more_pieces_than_fit() -> None:
    definition = {
        "StartAt": "A",
        "States": {
            "A": {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.n, 1)"}, "Next": "B"},
            "B": {"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericLessThan": 400, "Next": "A"}], "Default": "C"},
            "C": {"Type": "Succeed"},
        },
    }  # fmt: skip
    stepper = Stepper(debug(StateMachine.load(definition), {"n": 0}))
    good(stepper, "run")
    assert stepper.track["length"] > 1600
    assert len(stepper.track["segments"]) == SEGMENTS
    firsts = [first for first, _ in stepper.track["segments"]]
    assert firsts == sorted(set(firsts))


def test_a_trail_that_follows_a_growing_run_knows_what_one_made_at_the_end_does(stepper: Stepper) -> None:
    debugger = stepper.debugger
    graph = topology(debugger.machine.definition)
    follower = Trail(debugger.line, graph)
    while debugger.step().reason == "":
        follower.update()
    whole = Trail(debugger.line, graph).update()
    for known in (follower.update(), stepper.look.trail.update()):
        assert (known.owners, known.places, known.ticks) == (whole.owners, whole.places, whole.ticks)
        assert known.segments() == whole.segments()
        for position in range(debugger.length + 1):
            assert known.edges(position) == whole.edges(position)


# --- moving


def test_steps_go_by_state_or_by_event_and_back_without_calling_anybody(stepper: Stepper, calls: list[Any]) -> None:
    view = good(stepper, "step")
    assert view["event"] == "MapStateEntered"
    view = good(stepper, "step", unit="event")
    assert view["event"] == "MapStateStarted"
    view = good(stepper, "run")
    assert (view["reason"], view["detail"]["state"]) == ("waiting", "Approve")
    before = list(calls)
    for command in ("back", "back", "restart"):
        view = good(stepper, command)
    assert view["position"] == 1
    assert good(stepper, "back")["position"] == 1
    view = good(stepper, "seek", to=view["length"])
    assert view["detail"]["state"] == "Approve"
    assert good(stepper, "seek", to=10**9)["position"] == view["length"]
    good(stepper, "restart")
    assert good(stepper, "over")["event"] == "MapStateExited"
    assert calls == before
    view = good(stepper, "unit", unit="event")
    at = view["position"]
    assert good(stepper, "step")["position"] == at + 1


def test_stepping_out_of_a_map(stepper: Stepper) -> None:
    good(stepper, "step")
    good(stepper, "step")
    view = good(stepper, "out")
    assert (view["event"], view["detail"]["state"]) == ("MapStateExited", "Each")


def test_a_node_shows_its_last_visit_and_the_run_stays(stepper: Stepper) -> None:
    at = good(stepper, "run")["position"]
    view = good(stepper, "inspect", pointer=PRICE)
    assert view["position"] == at
    assert (view["detail"]["state"], view["detail"]["path"]) == ("Price", "Each[2]")
    assert view["looking"] == view["detail"]["position"] < at
    assert good(stepper, "watch")["looking"] is None
    view = do(stepper, "inspect", pointer="/States/Done")
    assert view["problem"] == 'the state "Done" has not been reached'


def test_breakpoints_are_toggled_added_and_removed(stepper: Stepper) -> None:
    view = good(stepper, "gutter", pointer="/States/Approve")
    assert view["breakpoints"] == [{"number": 1, "state": "Approve", "text": "state Approve", "plain": True}]
    view = good(stepper, "run")
    assert (view["reason"], view["hit"]) == ("breakpoint", "1: state Approve")
    assert good(stepper, "gutter", pointer="/States/Approve")["breakpoints"] == []
    view = good(stepper, "break", when="$.items[0]", error="")
    assert view["breakpoints"][0]["text"] == "when $.items[0]"
    good(stepper, "break", error="*")
    assert [one["number"] for one in good(stepper, "break", remove=2)["breakpoints"]] == [3]
    assert "cannot be read" in do(stepper, "break", when="$.items[")["problem"]


# --- a Map


def test_iterations_are_one_letter_each_and_one_can_be_followed(stepper: Stepper) -> None:
    view = good(stepper, "step")
    assert view["map"]["items"] == "..."
    view = good(stepper, "step")
    assert view["map"]["items"] == "RRR"
    view = good(stepper, "run")
    view = good(stepper, "inspect", pointer=PRICE)
    assert (view["map"]["items"], view["map"]["name"], view["map"]["current"]) == ("SSS", "Each", 2)
    view = good(stepper, "iteration", visit=view["map"]["visit"], index=2)
    assert (view["detail"]["state"], view["followed"]) == ("Unpriced", "Each[2]")
    good(stepper, "restart")
    seen = []
    while (view := good(stepper, "step"))["followed"] is not None:
        seen.append(view["detail"]["path"])
    assert set(seen) == {"Each[2]"}
    assert view["event"] == "MapStateExited"


def test_an_iteration_that_has_not_begun_says_so(price: Any) -> None:
    one = json.loads(json.dumps(DEFINITION))
    one["States"]["Each"]["MaxConcurrency"] = 1
    stepper = Stepper(debug(machine(one), {"items": ["a", "b"]}, {"Price": price}))
    good(stepper, "step")
    view = good(stepper, "step")
    assert view["map"]["items"] in ("R.", "S.")
    assert (
        "nothing has happened in Each[1] yet"
        in do(stepper, "iteration", visit=view["map"]["visit"], index=1)["problem"]
    )


def distributed() -> StateMachine:
    definition = json.loads(json.dumps(DEFINITION))
    each = definition["States"]["Each"]
    each["ItemProcessor"]["ProcessorConfig"] = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    return machine(definition)


def test_children_of_a_distributed_map_are_a_strip_and_one_opens_its_own_history(price: Any, calls: list[Any]) -> None:
    stepper = Stepper(debug(distributed(), {"items": ["a", "busy", "bug"]}, {"Price": price}, seed=1))
    view = good(stepper, "run")
    view = good(stepper, "inspect", pointer="/States/Each")
    strip = view["map"]
    assert (strip["items"], strip["name"], strip["children"], strip["current"]) == ("SSS", "Each", True, None)
    assert [(bug["child"], bug["state"]) for bug in view["bugs"]] == [({"name": "Each", "index": 2}, "Price")]
    called = len(calls)
    view = good(stepper, "iteration", index=2, name="Each", children=True)
    assert [line["name"] for line in view["lines"]] == ["main", "Each[2]"]
    assert [(line["chosen"], line["parent"]) for line in view["lines"]] == [(False, True), (True, False)]
    assert (view["map"]["items"], view["map"]["current"], view["finished"]) == ("SSS", 2, True)
    assert view["nodes"][PRICE][0] == "CAUGHT"
    view = good(stepper, "inspect", pointer=PRICE)
    assert view["detail"]["calls"][0]["raised"].startswith("NameError")
    view = good(stepper, "iteration", index=0, name="Each", children=True)
    assert (view["output"]["text"], view["map"]["current"]) == ("10", 0)
    good(stepper, "branch", to=0)
    assert good(stepper, "inspect", pointer="/States/Each")["map"] == strip
    assert len(calls) == called
    assert "Each[3] cannot be looked into" in do(stepper, "iteration", index=3, name="Each", children=True)["problem"]


def test_the_strip_of_a_distributed_map_follows_the_position(price: Any) -> None:
    stepper = Stepper(debug(distributed(), {"items": ["a", "b", "c"]}, {}, seed=1))
    good(stepper, "run")
    assert stepper.view["map"]["items"] == "RRR"
    view = good(stepper, "answer", task=1, text="1")
    assert view["map"]["items"] == "RSR"
    assert good(stepper, "seek", to=2)["map"]["items"] == ""


# --- tasks


def to_task(stepper: Stepper) -> dict[str, Any]:
    good(stepper, "unit", unit="event")
    view = good(stepper, "step")
    while not view["pending"]:
        view = good(stepper, "step")
    return view


def test_a_task_is_run_answered_or_failed_by_hand(price: Any, calls: list[Any]) -> None:
    stepper = Stepper(debug(machine(), {"items": ["a"]}, {"Price": price}, seed=1))
    view = to_task(stepper)
    assert (view["pending"][0]["state"], view["pending"][0]["outside"], calls) == ("Price", False, [])
    view = good(stepper, "answer", text="99")
    assert view["detail"]["stages"][-1]["value"]["text"] == "99"
    assert "a" not in calls
    good(stepper, "restart")
    view = to_task(stepper)
    view = good(stepper, "fail", error="Custom", cause="because")
    assert (view["detail"]["error"], view["detail"]["cause"]) == ("Custom", "because")
    assert len(view["lines"]) >= 2, "what was given up is kept"
    assert "needs the name" in do(stepper, "fail", error=" ")["problem"]
    assert "not JSON" in do(stepper, "answer", text="{,}")["problem"]


def test_a_handler_runs_from_the_entry_of_its_state(price: Any, calls: list[Any]) -> None:
    one = StateMachine.load(json.loads(TASK))
    stepper = Stepper(debug(one, "item", {"Work": price}))
    view = good(stepper, "step", unit="event")
    assert (view["event"], view["pending"][0]["state"]) == ("TaskStateEntered", "Work")
    view = good(stepper, "handler")
    assert (view["event"], calls) == ("LambdaFunctionSucceeded", ["item"])


def test_a_callback_is_approved_after_a_heartbeat_or_rejected(stepper: Stepper) -> None:
    view = good(stepper, "run")
    task = view["pending"][0]
    assert task["callback"]
    assert task["token"]
    assert view["detail"]["status"] == "WAITING"
    good(stepper, "heartbeat")
    good(stepper, "fork")
    good(stepper, "answer", text='{"by": "Ada"}')
    view = good(stepper, "run")
    assert view["finished"]
    assert json.loads(view["output"]["text"])["approval"] == {"by": "Ada"}
    view = good(stepper, "branch", to=0)
    assert view["length"] < stepper.debugger.branches[0].debugger.length
    view = good(stepper, "fail", error="Rejected", cause="too much")
    assert view["detail"]["error"] == "Rejected"


def test_time_passes_on_request(stepper: Stepper) -> None:
    good(stepper, "run")
    view = good(stepper, "advance", seconds=61)
    assert view["final"] == "FAILED"
    assert view["detail"]["error"].startswith("States.")
    assert view["detail"]["state"] == "Approve", "the end of a failed run shows the state that failed"


def test_a_wait_is_skipped_and_its_end_shows() -> None:
    one = StateMachine.load({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 3600, "End": True}}})
    stepper = Stepper(debug(one, {}))
    view = good(stepper, "step", unit="event")
    assert view["timers"][0]["what"] == "wake"
    assert view["detail"]["status"] == view["nodes"]["/States/W"][0] == "WAITING"
    view = good(stepper, "skip")
    assert (view["event"], view["timers"], view["nodes"]["/States/W"][0]) == ("WaitStateExited", [], "SUCCEEDED")
    view = good(stepper, "run")
    assert view["elapsed"] == 0


def test_an_edit_keeps_the_old_line_and_asks_before_a_handler_is_called_again(
    stepper: Stepper, calls: list[Any]
) -> None:
    end = good(stepper, "run")["length"]
    before = len(calls)
    good(stepper, "restart")
    view = good(stepper, "edit", input='{"items": ["busy"]}')
    assert [line["length"] for line in view["lines"]] == [1, end]
    assert view["again"]
    view = good(stepper, "run")
    assert view["reason"] == "asked"
    assert view["pending"][0]["earlier"] is not None
    assert len(calls) == before
    good(stepper, "reuse")
    good(stepper, "run")
    view = good(stepper, "handler") if stepper.view["pending"][0]["state"] == "Price" else stepper.view
    view = good(stepper, "branch", to=1)
    assert view["length"] == end
    assert "not JSON" in do(stepper, "edit", input="{")["problem"]
    assert "are an object" in do(stepper, "edit", variables="[1]")["problem"]


def test_the_handlers_own_bug_is_told_with_its_traceback_though_a_catch_took_it(stepper: Stepper) -> None:
    view = good(stepper, "run")
    (bug,) = view["bugs"]
    assert bug["text"] == "NameError: name 'pirce' is not defined"
    view = good(stepper, "watch", event=bug["event"])
    call = view["detail"]["calls"][-1]
    assert call["bug"]
    assert "in price" in call["traceback"]
    assert call["printed"] == "pricing bug\n"
    assert view["detail"]["error"] == "NameError"


def test_the_children_of_a_distributed_map_are_answered_like_any_task(price: Any) -> None:
    one = json.loads(json.dumps(DEFINITION))
    one["States"]["Each"]["ItemProcessor"]["ProcessorConfig"] = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    stepper = Stepper(debug(machine(one), {"items": ["a", "b"]}))
    view = good(stepper, "run")
    assert [(task["state"], task["path"]) for task in view["pending"]] == [("Price", "Each[0]"), ("Price", "Each[1]")]
    good(stepper, "answer", text="1", task=1)
    view = good(stepper, "answer", text="2", task=0)
    view = good(stepper, "run")
    assert view["detail"]["state"] == "Approve"
    assert json.loads(view["detail"]["input"]["text"])["prices"] == [2, 1]


# --- questions and mistakes


def test_events_and_single_events_are_given_on_request(stepper: Stepper) -> None:
    good(stepper, "run")
    sent: list[Any] = []
    stepper.send = lambda content, buffers=None: sent.append(content)
    stepper.receive({"do": "events", "n": 1, "last": 10})
    stepper.receive({"do": "event", "n": 2, "event": 1})
    assert [row[0] for row in sent[0]["rows"]] == list(range(1, 11))
    assert json.loads(sent[1]["text"])["executionStartedEventDetails"]["input"] == {"items": ["a", "busy", "bug"]}


def test_a_command_that_goes_wrong_is_answered(stepper: Stepper) -> None:
    assert "no command 'dance'" in do(stepper, "dance")["problem"]
    assert "no task waits" in do(stepper, "answer", text="1")["problem"]

    def broken(_snapshot: Any) -> bool:
        raise KeyError("oops")

    stepper.debugger.breakpoints.add(when=broken)
    assert do(stepper, "run")["problem"] == "KeyError: 'oops'"


def test_each_command_is_one_that_the_script_sends_or_has_a_use_for(stepper: Stepper) -> None:
    unused = {name for name in COMMANDS if f'"{name}"' not in stepper._esm and f'do: "{name}"' not in stepper._esm}
    assert unused == set()


def test_refresh_shows_what_another_cell_did(stepper: Stepper) -> None:
    stepper.debugger.run_to("Approve")
    assert stepper.view["position"] == 1
    assert stepper.refresh().view["detail"]["state"] == "Approve"


# --- the still picture


def test_the_still_picture_tells_where_it_stopped_and_escapes_everything() -> None:
    name = "<img src=x onerror=alert(1)>"
    one = StateMachine.load({"StartAt": name, "States": {name: {"Type": "Pass", "End": True}}}, name="bad")
    debugger = debug(one, {"<b>": "</script>"}).step("state")
    bundle = still_bundle(debugger)
    assert "<img" not in bundle["text/html"]
    assert "</script>" not in bundle["text/html"]
    assert "&lt;/script&gt;" in bundle["text/html"]
    assert "<svg" in bundle["text/html"]
    assert "event 3 of 4" in bundle["text/html"]
    assert "PassStateExited" in bundle["text/plain"]


def test_a_stepper_displays_itself_and_beside_it_the_still_picture(nb: Notebook) -> None:
    nb.good("from tests.notebook.test_stepper import machine, Stepper, debug")
    said = nb.cell("s = Stepper(debug(machine(), {'items': []}))\ns")
    assert said.error is None, said.text
    assert said.value is nb["s"]
    assert len(said.shown) == 2
    assert said.shown[0].startswith("Stepper of orders"), (
        "what a page without a kernel shows says nothing of a position"
    )
    assert "event" not in said.shown[0]
    assert "before the first state" in said.shown[1]


# --- the verb


def test_the_verb_opens_a_stepper_with_input_handlers_and_breakpoints(
    nb: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stepping, "has_page", lambda: True)
    nb.good("%%sfn work\n" + TASK)
    nb["handlers"] = {"Work": lambda value: value + 1}
    stepper = nb.good("s = %sfn step work --input 41 --break Work --at 1\ns.debugger")
    assert isinstance(stepper, Debugger)
    assert isinstance(nb["s"], Stepper)
    assert [one.state for one in stepper.breakpoints] == ["Work"]
    assert stepper.run_to().event["type"] == "TaskStateEntered"  # type: ignore[index]
    assert stepper.run_to().execution.output == 42


def test_the_verb_takes_a_run_that_is_over_and_a_debugger(nb: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stepping, "has_page", lambda: True)
    nb.good("%%sfn work\n" + TASK)
    nb.good("def Work(value):\n    print('working')\n    return missing\n")
    nb.good("ex = %sfn run work --input 1")
    nb.good("s = %sfn step work --history ex --at -1")
    assert nb["s"].view["final"] == "FAILED"
    assert nb["s"].view["bugs"][0]["text"].startswith("NameError")
    nb.good("d = s.debugger\nagain = %sfn step d")
    assert nb["again"].debugger is nb["d"]
    assert "takes a run or a history" in nb.bad("x = 1\n%sfn step work --history x")
    assert "no state" in nb.bad("%sfn step work --break Nowhere")


def test_in_a_terminal_the_verb_is_the_text_debugger(nb: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = iter(["n", "q"])
    monkeypatch.setattr("builtins.input", lambda prompt: next(lines))
    nb.good("%%sfn work\n" + TASK)
    said = nb.cell("%sfn step work --input 1")
    assert said.error is None, said.text
    assert isinstance(said.value, Debugger)
    assert "Work" in said.text


def test_where_nobody_can_be_asked_the_text_debugger_ends(nb: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(prompt: str) -> str:
        raise NotImplementedError

    monkeypatch.setattr("builtins.input", refuse)
    nb.good("%%sfn work\n" + TASK)
    assert isinstance(nb.good("%sfn step work --text"), Debugger)
