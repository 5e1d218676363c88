"""JSONata states as a whole: what each field sees, how a failing expression shows in the history, who may catch it."""

from typing import Any

import pytest

from sfn_notebook import Execution, StateMachine, TaskError

QUEUE = "arn:aws:states:::sqs:sendMessage"
CATCH = [{"ErrorEquals": ["States.QueryEvaluationError"], "Next": "H"}]


def run(states: dict[str, Any], data: Any = None, handlers: Any = None) -> Execution:
    definition = {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states}
    return StateMachine.load(definition).run(data, handlers, seed=1)


def task(**fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": QUEUE, "End": True, **fields}


def chain(execution: Execution) -> list[tuple[int, int, str]]:
    return [(event["id"], event["previousEventId"], event["type"]) for event in execution.history.raw]


def test_arguments_output_and_assign_see_input_result_context_and_variables() -> None:
    seen: list[Any] = []

    def handler(value: Any) -> Any:
        seen.append(value)
        return {"n": value["n"] * 2}

    states = {
        "T": {
            **task(
                Arguments={"n": "{% $states.input.n + 1 %}", "literal": "$states.input", "who": "{% $states.context.State.Name %}"},
                Assign={"double": "{% $states.result.n %}"},
                Output={"in": "{% $states.input.n %}", "out": "{% $states.result.n %}"},
            ),
            "Next": "P",
        },
        "P": {"Type": "Pass", "Output": {"all": "{% $states.input %}", "double": "{% $double %}"}, "End": True},
    }  # fmt: skip
    states["T"].pop("End")
    execution = run(states, {"n": 4}, {"T": handler})
    assert seen == [{"n": 5, "literal": "$states.input", "who": "T"}]
    assert execution.output == {"all": {"in": 4, "out": 10}, "double": 10}


def test_without_output_the_result_goes_on_and_a_pass_hands_its_input_on() -> None:
    assert run({"T": task()}, {"n": 1}, {"T": [1]}).output == [1]
    assert run({"P": {"Type": "Pass", "End": True}}, {"n": 1}).output == {"n": 1}


def test_a_failed_expression_is_an_event_that_points_before_the_state_and_names_its_field() -> None:
    states = {
        "A": {"Type": "Pass", "Next": "P"},
        "P": {"Type": "Pass", "Output": {"v": "{% $states.input.no %}"}, "End": True},
    }
    execution = run(states, {"n": 1})
    assert chain(execution)[3:] == [(4, 3, "PassStateEntered"), (5, 3, "EvaluationFailed"), (6, 5, "ExecutionFailed")]
    details = execution.history.raw[4]["evaluationFailedEventDetails"]
    assert (details["state"], details["location"], details["error"]) == ("P", "Output/v", "States.QueryEvaluationError")
    assert details["cause"] == execution.cause
    assert execution.cause == (
        "An error occurred while executing the state 'P' (entered at the event id #4). The JSONata expression "
        "'$states.input.no' specified for the field 'Output/v' returned nothing (undefined)."
    )


def test_a_timestamp_that_an_expression_gives_and_that_is_none_points_at_the_entry() -> None:
    states = {"W": {"Type": "Wait", "Timestamp": "{% $states.input.t %}", "End": True}}
    assert chain(run(states, {"t": "2025-01-01T00:00:00"}))[1:] == [
        (2, 0, "WaitStateEntered"),
        (3, 2, "EvaluationFailed"),
        (4, 3, "ExecutionFailed"),
    ]


def test_an_evaluation_error_is_caught_and_retried_like_others() -> None:
    states = {"T": task(Arguments={"v": "{% $states.input.no %}"}, Catch=CATCH), "H": {"Type": "Pass", "End": True}}
    execution = run(states, {}, {"T": 1})
    assert execution.status == "SUCCEEDED"
    assert execution.output["Error"] == "States.QueryEvaluationError"
    retried = run(
        {"T": task(Arguments={"v": "{% $states.input.no %}"}, Retry=[{"ErrorEquals": ["States.ALL"]}])}, {}, {"T": 1}
    )
    assert [row[2] for row in chain(retried)].count("EvaluationFailed") == 4


def test_the_error_output_is_there_in_a_catch() -> None:
    catch = [
        {
            "ErrorEquals": ["Busy"], "Next": "H", "Assign": {"why": "{% $states.errorOutput.Cause %}"},
            "Output": {"in": "{% $states.input.k %}", "error": "{% $states.errorOutput.Error %}"},
        }
    ]  # fmt: skip
    states = {
        "T": task(Catch=catch),
        "H": {"Type": "Pass", "Output": {"in": "{% $states.input %}", "why": "{% $why %}"}, "End": True},
    }
    assert run(states, {"k": 1}, {"T": TaskError("Busy", "full")}).output == {
        "in": {"in": 1, "error": "Busy"},
        "why": "full",
    }


@pytest.mark.parametrize(("n", "output"), [(1, {"rule": 1}), (2, {"state": 2})])
def test_a_choice_uses_output_and_assign_of_the_rule_or_its_own_on_default(n: int, output: Any) -> None:
    states = {
        "C": {
            "Type": "Choice",
            "Choices": [
                {"Condition": "{% $states.input.n = 1 %}", "Next": "E", "Output": {"rule": "{% $states.input.n %}"}}
            ],
            "Default": "E",
            "Output": {"state": "{% $states.input.n %}"},
        },
        "E": {"Type": "Succeed"},
    }
    assert run(states, {"n": n}).output == output


def test_a_condition_that_is_no_boolean_fails() -> None:
    states = {
        "C": {"Type": "Choice", "Choices": [{"Condition": "{% $states.input.n %}", "Next": "E"}], "Default": "E"},
        "E": {"Type": "Succeed"},
    }
    execution = run(states, {"n": 1})
    assert execution.error == "States.QueryEvaluationError"
    assert [row[2] for row in chain(execution)] == [
        "ExecutionStarted",
        "ChoiceStateEntered",
        "EvaluationFailed",
        "ExecutionFailed",
    ]


@pytest.mark.parametrize("items", ["{% $states.input.items %}", [1, 2], ["{% $states.input.items[0] %}", 2]])
def test_items_of_a_map(items: Any) -> None:
    processor = {"StartAt": "P", "States": {"P": {"Type": "Pass", "Output": "{% $states.input.v * 10 %}", "End": True}}}
    selector = {"v": "{% $states.context.Map.Item.Value %}"}
    states = {"M": {"Type": "Map", "Items": items, "ItemSelector": selector, "ItemProcessor": processor, "End": True}}
    assert run(states, {"items": [1, 2]}).output == [10, 20]


def test_items_that_are_no_array_fail_before_the_map_has_started() -> None:
    processor = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
    execution = run(
        {"M": {"Type": "Map", "Items": "{% $states.input %}", "ItemProcessor": processor, "End": True}}, {"a": 1}
    )
    assert [row[2] for row in chain(execution)] == [
        "ExecutionStarted", "MapStateEntered", "EvaluationFailed", "MapStateFailed", "ExecutionFailed",
    ]  # fmt: skip


def test_random_expressions_depend_on_the_seed_alone() -> None:
    states = {"P": {"Type": "Pass", "Output": "{% [$uuid(), $uuid(), $random(), $now(), $millis()] %}", "End": True}}
    first, again = run(states).output, run(states).output
    assert first == again
    assert first[0] != first[1]
    assert first[3].startswith("2025-01-01T00:00:00")
