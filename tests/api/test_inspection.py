"""`inspect_visit` on histories of local runs, and on the same events as AWS would hand them out."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from sfn_notebook import CommandError, History, StateMachine, TaskError
from sfn_notebook.api.inspection import inspect_visit

LAMBDA = "arn:aws:states:::lambda:invoke"


def run(states: dict[str, Any], data: Any, handlers: Any = None, **top: Any) -> tuple[StateMachine, History]:
    machine = StateMachine.load({"StartAt": next(iter(states)), "States": states, **top})
    return machine, machine.run(data, handlers, seed=1).history


def visit_of(history: History, name: str, number: int = 0) -> int:
    return [visit.id for visit in history.visits if visit.name == name][number]


def test_a_task_is_shown_with_its_answer_and_its_variables() -> None:
    states = {
        "First": {"Type": "Pass", "Assign": {"who": "me"}, "Next": "Ask"},
        "Ask": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage",
            "Parameters": {"MessageBody.$": "$who", "n.$": "$.n"},
            "ResultPath": "$.r",
            "Assign": {"id.$": "$.MessageId"},
            "End": True,
        },
    }
    machine, history = run(states, {"n": 1}, {"Ask": {"MessageId": "m"}})
    assert inspect_visit(history, machine, visit_of(history, "Ask")) == {
        "input": {"n": 1},
        "afterInputPath": {"n": 1},
        "afterParameters": {"MessageBody": "me", "n": 1},
        "result": {"MessageId": "m"},
        "afterResultSelector": {"MessageId": "m"},
        "afterResultPath": {"n": 1, "r": {"MessageId": "m"}},
        "variables": {"who": "me", "id": "m"},
    }


def test_a_visit_can_be_named_in_several_ways() -> None:
    machine, history = run({"P": {"Type": "Pass", "End": True}}, 5)
    expected = inspect_visit(history, machine, history.visits[0].id)
    frame = history.states
    for visit in (history.visits[0], frame.iloc[0], next(frame.itertuples()), {"visit": history.visits[0].id}):
        assert inspect_visit(history, machine, visit) == expected


@pytest.mark.parametrize("visit", [99, "P", None])
def test_a_visit_that_is_none_is_refused(visit: Any) -> None:
    machine, history = run({"P": {"Type": "Pass", "End": True}}, 5)
    with pytest.raises(CommandError, match=r"StateEntered|the visits of this history are 2"):
        inspect_visit(history, machine, visit)


def test_a_state_that_the_machine_does_not_have_is_named() -> None:
    _, history = run({"P": {"Type": "Pass", "End": True}}, 5)
    other = StateMachine.load({"StartAt": "Q", "States": {"Q": {"Type": "Pass", "End": True}}}, name="other")
    with pytest.raises(CommandError, match='machine "other" has no Pass state "P"'):
        inspect_visit(history, other, 2)


def test_each_turn_of_a_loop_has_its_own_data() -> None:
    states = {
        "Count": {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.n, 1)"}, "Next": "Again"},
        "Again": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.n", "NumericLessThan": 3, "Next": "Count"}],
            "Default": "End",
        },
        "End": {"Type": "Succeed"},
    }
    machine, history = run(states, {"n": 0})
    seen = [
        inspect_visit(history, machine, visit_of(history, "Count", turn))["afterParameters"]["n"] for turn in range(3)
    ]
    assert seen == [1, 2, 3]
    assert inspect_visit(history, machine, visit_of(history, "Again", 1)) == {
        "input": {"n": 2},
        "afterInputPath": {"n": 2},
    }


def test_a_map_gets_the_outputs_of_its_iterations_in_order() -> None:
    inner = {
        "StartAt": "Wait",
        "States": {"Wait": {"Type": "Wait", "SecondsPath": "$", "Next": "Out"}, "Out": {"Type": "Pass", "End": True}},
    }
    states = {"M": {"Type": "Map", "ItemProcessor": inner, "ResultPath": "$[0]", "End": True}}
    machine, history = run({**states, "M": {**states["M"], "ResultPath": "$"}}, [3, 1, 2])
    data = inspect_visit(history, machine, visit_of(history, "M"))
    assert data["result"] == [3, 1, 2]
    assert data["afterItemsPath"] == [3, 1, 2]


def test_a_parallel_gets_the_outputs_of_its_branches_in_order() -> None:
    def branch(name: str, seconds: int) -> dict[str, Any]:
        wait = {"Type": "Wait", "Seconds": seconds, "Next": f"{name}2"}
        return {"StartAt": name, "States": {name: wait, f"{name}2": {"Type": "Pass", "Result": name, "End": True}}}

    machine, history = run({"P": {"Type": "Parallel", "Branches": [branch("A", 5), branch("B", 1)], "End": True}}, {})
    assert inspect_visit(history, machine, visit_of(history, "P"))["result"] == ["A", "B"]


def test_branches_count_as_in_the_definition_whoever_came_first() -> None:
    inner = [{"StartAt": name, "States": {name: {"Type": "Pass", "Result": name, "End": True}}} for name in "AB"]
    machine = StateMachine.load({"StartAt": "P", "States": {"P": {"Type": "Parallel", "Branches": inner, "End": True}}})

    def event(number: int, previous: int, kind: str, name: str = "", **texts: str) -> dict[str, Any]:
        member = "stateEnteredEventDetails" if "input" in texts else "stateExitedEventDetails"
        details = {member: {"name": name, **texts}} if name else {}
        return {
            "id": number,
            "previousEventId": previous,
            "type": kind,
            "timestamp": datetime(2025, 1, 1, tzinfo=UTC),
            **details,
        }

    history = History.from_events(
        [
            event(1, 0, "ExecutionStarted"),
            event(2, 0, "ParallelStateEntered", "P", input="{}"),
            event(3, 2, "ParallelStateStarted"),
            event(4, 3, "PassStateEntered", "B", input="{}"),
            event(5, 3, "PassStateEntered", "A", input="{}"),
            event(6, 4, "PassStateExited", "B", output='"B"'),
            event(7, 5, "PassStateExited", "A", output='"A"'),
            event(8, 7, "ParallelStateSucceeded"),
            event(9, 7, "ParallelStateExited", "P", output='["A","B"]'),
        ]
    )
    assert inspect_visit(history, machine, 2)["result"] == ["A", "B"]


def test_a_caught_error_says_by_which_rule() -> None:
    catch = [{"ErrorEquals": ["Other"], "Next": "H"}, {"ErrorEquals": ["Mine"], "Next": "H"}]
    states = {
        "T": {"Type": "Task", "Resource": LAMBDA, "Catch": catch, "End": True},
        "H": {"Type": "Pass", "End": True},
    }

    def fail(_: Any) -> None:
        raise TaskError("Mine", "why")

    machine, history = run(states, {"a": 1}, {"T": fail})
    data = inspect_visit(history, machine, visit_of(history, "T"))
    assert data["errorDetails"] == {"catchIndex": 1}
    assert "result" not in data


def test_what_a_task_was_given_is_what_was_recorded() -> None:
    states = {
        "T": {"Type": "Task", "Resource": LAMBDA, "Parameters": {"Payload": {"id.$": "States.UUID()"}}, "End": True}
    }
    machine, history = run(states, {}, {"T": {"ok": True}})
    attempt = history.visits[0].task_attempts[0]
    assert inspect_visit(history, machine, 2)["afterParameters"] == attempt.parameters


def test_the_last_attempt_gives_the_result() -> None:
    answers = iter([TaskError("E"), {"ok": 1}])

    def answer(_: Any) -> Any:
        found = next(answers)
        if isinstance(found, TaskError):
            raise found
        return found

    states = {
        "T": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage",
            "Retry": [{"ErrorEquals": ["E"]}],
            "End": True,
        }
    }
    machine, history = run(states, {}, {"T": answer})
    assert inspect_visit(history, machine, 2)["result"] == {"ok": 1}


def test_events_of_aws_give_the_same_as_those_of_a_local_run() -> None:
    states = {"T": {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "ResultPath": "$.r", "End": True}}
    machine, history = run(states, {"a": 1}, {"T": {"MessageId": "m"}})
    told = History.from_events(
        json.loads(json.dumps(event, default=str)) | {"timestamp": event["timestamp"]} for event in history.raw
    )
    assert inspect_visit(told, machine, 2) == inspect_visit(history, machine, 2)


def test_stages_of_jsonata_states_see_context_and_input() -> None:
    states = {
        "P": {
            "Type": "Task",
            "Resource": LAMBDA,
            "Arguments": {"Payload": "{% $states.context.Execution.Input.a %}"},
            "End": True,
        }
    }
    machine, history = run(states, {"a": 1}, {"P": 2}, QueryLanguage="JSONata")
    data = inspect_visit(history, machine, 2)
    assert data["afterArguments"]["Payload"] == 1
    assert data["result"]["Payload"] == 2
