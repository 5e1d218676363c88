"""The states that need nobody: their events, id by id, and what they do with data."""

from typing import Any

import pytest

from sfn_notebook import Execution, StateMachine

NO_TIMESTAMP = (
    "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format string:"
)
Told = list[tuple[int, int, str, dict[str, Any] | None]]


def run(states: dict[str, Any], data: Any = None, **options: Any) -> Execution:
    return StateMachine.load({"StartAt": next(iter(states)), "States": states}).run(data, seed=1, **options)


def told(execution: Execution) -> Told:
    """Give (id, previousEventId, type, details) of every event; details without the marks for cut payloads."""
    rows: Told = []
    for event in execution.history.raw:
        details = next((value for key, value in event.items() if key.endswith("EventDetails")), None)
        if details is not None:
            details = {key: value for key, value in details.items() if not key.endswith("Details") and key != "roleArn"}
        rows.append((event["id"], event["previousEventId"], event["type"], details))
    return rows


def seconds(execution: Execution) -> float:
    raw = execution.history.raw
    return float((raw[-1]["timestamp"] - raw[0]["timestamp"]).total_seconds())


# ---- Pass


def test_pass_hands_its_input_on_and_the_first_entry_points_at_nothing() -> None:
    states = {
        "A": {"Type": "Pass", "Next": "B"},
        "B": {"Type": "Pass", "Result": {"x": 1}, "ResultPath": "$.r", "End": True},
    }
    assert told(run(states, {"k": "v"})) == [
        (1, 0, "ExecutionStarted", {"input": '{"k":"v"}'}),
        (2, 0, "PassStateEntered", {"name": "A", "input": '{"k":"v"}'}),
        (3, 2, "PassStateExited", {"name": "A", "output": '{"k":"v"}'}),
        (4, 3, "PassStateEntered", {"name": "B", "input": '{"k":"v"}'}),
        (5, 4, "PassStateExited", {"name": "B", "output": '{"k":"v","r":{"x":1}}'}),
        (6, 5, "ExecutionSucceeded", {"output": '{"k":"v","r":{"x":1}}'}),
    ]


@pytest.mark.parametrize("result", [None, 0, False, "", [], {}, "$.k", {"x.$": "$.k"}, ["$$.State.Name"]])
def test_a_result_is_literal_whatever_it_holds(result: Any) -> None:
    assert run({"A": {"Type": "Pass", "Result": result, "End": True}}, {"k": 1}).output == result


def test_a_pass_with_result_and_parameters_gives_the_result() -> None:
    state = {"Type": "Pass", "Parameters": {"p": 1}, "Result": {"r": 2}, "ResultPath": "$.out", "End": True}
    assert run({"A": state}, {"k": 1}).output == {"k": 1, "out": {"r": 2}}


# ---- Choice


def choice(*rules: dict[str, Any], default: str | None = None, **fields: Any) -> dict[str, Any]:
    state: dict[str, Any] = {"Type": "Choice", "Choices": list(rules), **fields}
    if default:
        state["Default"] = default
    return {"C": state, "Yes": {"Type": "Succeed"}, "No": {"Type": "Succeed"}}


def test_choice_goes_to_the_first_rule_that_holds() -> None:
    rules = (
        {"Variable": "$.n", "NumericGreaterThan": 5, "Next": "No"},
        {"Variable": "$.n", "NumericEquals": 5, "Next": "Yes"},
        {"Variable": "$.n", "IsPresent": True, "Next": "No"},
    )
    assert told(run(choice(*rules), {"n": 5})) == [
        (1, 0, "ExecutionStarted", {"input": '{"n":5}'}),
        (2, 0, "ChoiceStateEntered", {"name": "C", "input": '{"n":5}'}),
        (3, 2, "ChoiceStateExited", {"name": "C", "output": '{"n":5}'}),
        (4, 3, "SucceedStateEntered", {"name": "Yes", "input": '{"n":5}'}),
        (5, 4, "SucceedStateExited", {"name": "Yes", "output": '{"n":5}'}),
        (6, 5, "ExecutionSucceeded", {"output": '{"n":5}'}),
    ]


def test_choice_without_a_match_takes_the_default() -> None:
    states = choice({"Variable": "$.n", "NumericEquals": 1, "Next": "Yes"}, default="No")
    assert [row[3] for row in told(run(states, {"n": 5}))][3] == {"name": "No", "input": '{"n":5}'}


def test_choice_without_match_and_default_fails_with_the_text_of_the_service() -> None:
    execution = run(
        choice(
            {"Variable": "$.n", "NumericEquals": 1, "Next": "Yes"},
            {"Variable": "$.n", "NumericEquals": 2, "Next": "No"},
        ),
        {"n": 5},
    )
    cause = (
        "An error occurred while executing the state 'C' (entered at the event id #2). "
        "Failed to transition out of the state. The state does not point to a next state."
    )
    assert told(execution)[2:] == [(3, 2, "ExecutionFailed", {"error": "States.NoChoiceMatched", "cause": cause})]


def test_choice_reads_after_input_path_and_hands_on_what_output_path_leaves() -> None:
    rule = {"Variable": "$.n", "NumericEquals": 1, "Next": "Yes"}
    execution = run(choice(rule, default="No", InputPath="$.in", OutputPath="$.keep"), {"in": {"n": 1, "keep": [2]}})
    assert execution.output == [2]
    assert execution.history.raw[3]["stateEnteredEventDetails"]["name"] == "Yes"


def test_a_rule_assigns_instead_of_the_state_and_the_state_assigns_on_default() -> None:
    states: dict[str, Any] = {
        "C": {
            "Type": "Choice",
            "Choices": [
                {"Variable": "$.n", "NumericEquals": 1, "Assign": {"who": "rule", "n.$": "$.n"}, "Next": "Show"}
            ],
            "Assign": {"who": "state"},
            "Default": "Show",
        },
        "Show": {"Type": "Pass", "Parameters": {"who.$": "$who"}, "End": True},
    }
    assert run(states, {"n": 1}).output == {"who": "rule"}
    assert run(states, {"n": 2}).output == {"who": "state"}


def test_a_missing_variable_fails_the_execution_uncatchably() -> None:
    execution = run(choice({"Variable": "$.absent", "NumericEquals": 1, "Next": "Yes"}, default="No"), {"n": 5})
    assert (execution.status, execution.error) == ("FAILED", "States.Runtime")
    assert execution.cause == (
        "An error occurred while executing the state 'C' (entered at the event id #2). "
        "Invalid path '$.absent': The choice state's condition path references an invalid value."
    )


# ---- Succeed and Fail


def test_succeed_ends_with_what_its_paths_leave() -> None:
    assert told(run({"S": {"Type": "Succeed", "InputPath": "$.a", "OutputPath": "$.b"}}, {"a": {"b": 1}})) == [
        (1, 0, "ExecutionStarted", {"input": '{"a":{"b":1}}'}),
        (2, 0, "SucceedStateEntered", {"name": "S", "input": '{"a":{"b":1}}'}),
        (3, 2, "SucceedStateExited", {"name": "S", "output": "1"}),
        (4, 3, "ExecutionSucceeded", {"output": "1"}),
    ]


@pytest.mark.parametrize(
    ("fields", "details"),
    [
        ({"Error": "E", "Cause": "because"}, {"error": "E", "cause": "because"}),
        ({"Error": "E"}, {"error": "E"}),
        ({"Cause": "because"}, {"cause": "because"}),
        ({}, {}),
        ({"ErrorPath": "$.e", "CausePath": "$.c"}, {"error": "Oops", "cause": "why"}),
        ({"ErrorPath": "$$.State.Name", "CausePath": "States.Format('{} failed', $.c)"}, {"error": "F", "cause": "why failed"}),
    ],
)  # fmt: skip
def test_fail_has_no_exit_and_absent_error_and_cause_stay_absent(
    fields: dict[str, str], details: dict[str, str]
) -> None:
    execution = run({"F": {"Type": "Fail", **fields}}, {"e": "Oops", "c": "why"})
    assert [row[:3] for row in told(execution)] == [
        (1, 0, "ExecutionStarted"),
        (2, 0, "FailStateEntered"),
        (3, 2, "ExecutionFailed"),
    ]
    assert told(execution)[-1][3] == details
    assert (execution.error, execution.cause) == (details.get("error"), details.get("cause"))


def test_an_error_path_that_finds_nothing_is_a_runtime_error() -> None:
    execution = run({"F": {"Type": "Fail", "ErrorPath": "$.absent"}}, {"a": 1})
    assert execution.error == "States.Runtime"
    assert execution.cause == (
        "An error occurred while executing the state 'F' (entered at the event id #2). "
        "The JSONPath '$.absent' specified for the field 'ErrorPath' could not be found in the input '{\"a\":1}'"
    )


# ---- Wait


@pytest.mark.parametrize(
    ("fields", "data", "waited"),
    [
        ({"Seconds": 10}, {}, 10),
        ({"Seconds": 0}, {}, 0),
        ({"SecondsPath": "$.s"}, {"s": 7}, 7),
        ({"SecondsPath": "$.s"}, {"s": 0}, 0),
        ({"SecondsPath": "$.s"}, {"s": 3.0}, 3),
        ({"Timestamp": "2025-01-01T00:01:00Z"}, {}, 60),
        ({"TimestampPath": "$.t"}, {"t": "2025-01-01T02:00:30+02:00"}, 30),
        ({"TimestampPath": "$.t"}, {"t": "2025-01-01T00:00:00.25Z"}, 0.25),
        ({"Timestamp": "2020-01-01T00:00:00Z"}, {}, 0),
        ({"Seconds": 300 * 24 * 3600}, {}, 300 * 24 * 3600),
    ],
)
def test_wait_takes_virtual_time_in_its_four_forms(fields: dict[str, Any], data: Any, waited: float) -> None:
    execution = run({"W": {"Type": "Wait", **fields, "End": True}}, data)
    assert execution.status == "SUCCEEDED"
    assert [row[:3] for row in told(execution)] == [
        (1, 0, "ExecutionStarted"), (2, 0, "WaitStateEntered"), (3, 2, "WaitStateExited"), (4, 3, "ExecutionSucceeded"),
    ]  # fmt: skip
    assert seconds(execution) == waited


@pytest.mark.parametrize(
    ("fields", "data", "cause"),
    [
        ({"SecondsPath": "$.s"}, {"s": -1}, "The SecondsPath parameter references a negative value: $.s == -1"),
        ({"SecondsPath": "$.s"}, {"s": 1.5}, "The SecondsPath parameter cannot be parsed as a long value: $.s == 1.5"),
        ({"SecondsPath": "$.s"}, {"s": "1"}, "The SecondsPath parameter cannot be parsed as a long value: $.s == 1"),
        (
            {"SecondsPath": "$.s"},
            {"s": True},
            "The SecondsPath parameter cannot be parsed as a long value: $.s == true",
        ),
        ({"SecondsPath": "$.s"}, {}, "The SecondsPath parameter does not reference an input value: $.s"),
        (
            {"TimestampPath": "$.t"},
            {"t": "2025-01-01 00:00:00Z"},
            f"{NO_TIMESTAMP} $.t == 2025-01-01 00:00:00Z",
        ),
        (
            {"TimestampPath": "$.t"},
            {"t": "2025-01-01T00:00:00"},
            f"{NO_TIMESTAMP} $.t == 2025-01-01T00:00:00",
        ),
        (
            {"TimestampPath": "$.t"},
            {"t": 5},
            f"{NO_TIMESTAMP} $.t == 5",
        ),
    ],
)
def test_wait_refuses_what_the_service_refuses_with_its_text(fields: dict[str, Any], data: Any, cause: str) -> None:
    execution = run({"W": {"Type": "Wait", **fields, "End": True}}, data)
    prefix = "An error occurred while executing the state 'W' (entered at the event id #2). "
    assert told(execution)[2:] == [(3, 2, "ExecutionFailed", {"error": "States.Runtime", "cause": prefix + cause})]


def test_wait_reads_after_input_path_and_assigns_from_it() -> None:
    states: dict[str, Any] = {
        "W": {
            "Type": "Wait",
            "InputPath": "$.in",
            "SecondsPath": "$.s",
            "Assign": {"waited.$": "$.s"},
            "OutputPath": "$.s",
            "Next": "P",
        },
        "P": {"Type": "Pass", "Parameters": {"waited.$": "$waited", "in.$": "$"}, "End": True},
    }
    execution = run(states, {"in": {"s": 4}})
    assert execution.output == {"waited": 4, "in": 4}
    assert seconds(execution) == 4


def test_a_wait_of_a_year_ends_at_once_and_one_beyond_the_limit_times_out() -> None:
    year = 365 * 24 * 3600
    execution = run({"W": {"Type": "Wait", "Seconds": year - 1, "End": True}})
    assert execution.status == "SUCCEEDED"
    assert seconds(execution) == year - 1
    late = run({"W": {"Type": "Wait", "Seconds": 99_999_999, "End": True}})
    assert (late.status, late.error, late.cause) == ("TIMED_OUT", "States.Timeout", None)
    assert seconds(late) == year
    assert told(late)[-1][2:] == ("ExecutionTimedOut", {"error": "States.Timeout"})


def test_without_limits_a_wait_may_be_as_long_as_the_language_allows() -> None:
    execution = run({"W": {"Type": "Wait", "Seconds": 99_999_999, "End": True}}, limits=False)
    assert execution.status == "SUCCEEDED"
    assert seconds(execution) == 99_999_999


def test_a_false_end_beside_a_next_goes_on() -> None:
    states = {"A": {"Type": "Pass", "End": False, "Next": "B"}, "B": {"Type": "Pass", "Result": 2, "End": True}}
    assert StateMachine.load({"StartAt": "A", "States": states}).run().output == 2
