"""Retry and Catch: which rule matches, how long it waits, what the next state receives."""

from itertools import pairwise
from typing import Any

import pytest

from sfn_notebook import After, Execution, Outcomes, StateMachine, TaskError
from sfn_notebook.engine.frames import Failure
from sfn_notebook.engine.retry import Retrier, compile_retriers, matches

RESOURCE = "arn:aws:states:::sqs:sendMessage"


def task(retry: list[Any] | None = None, catch: list[Any] | None = None, **fields: Any) -> dict[str, Any]:
    state = {"Type": "Task", "Resource": RESOURCE, "End": True, **fields}
    if retry is not None:
        state["Retry"] = retry
    if catch is not None:
        state["Catch"] = catch
    return state


def run(state: dict[str, Any], *outcomes: Any, data: Any = None, seed: int = 1, **more: Any) -> Execution:
    states = {"T": state, "Caught": {"Type": "Pass", "End": True}, "Other": {"Type": "Pass", "End": True}, **more}
    reachable = {rule["Next"] for rule in state.get("Catch", ())}
    states = {name: body for name, body in states.items() if name == "T" or name in reachable or name in more}
    machine = StateMachine.load({"StartAt": "T", "States": states})
    return machine.run(data, {"T": Outcomes(outcomes)}, seed=seed)


def scheduled_at(execution: Execution) -> list[float]:
    """Give the seconds from the start at which each attempt was scheduled."""
    raw = execution.history.raw
    return [(e["timestamp"] - raw[0]["timestamp"]).total_seconds() for e in raw if e["type"] == "TaskScheduled"]


def types(execution: Execution) -> list[str]:
    return [event["type"] for event in execution.history.raw]


BUSY = TaskError("Busy", "try again")


# ---- Retry


def test_a_retry_is_scheduled_again_behind_the_failure_without_entering_the_state_anew() -> None:
    execution = run(task([{"ErrorEquals": ["Busy"]}]), BUSY, {"ok": 1})
    assert [(e["id"], e["previousEventId"], e["type"]) for e in execution.history.raw] == [
        (1, 0, "ExecutionStarted"),
        (2, 0, "TaskStateEntered"),
        (3, 2, "TaskScheduled"),
        (4, 3, "TaskStarted"),
        (5, 4, "TaskFailed"),
        (6, 5, "TaskScheduled"),
        (7, 6, "TaskStarted"),
        (8, 7, "TaskSucceeded"),
        (9, 8, "TaskStateExited"),
        (10, 9, "ExecutionSucceeded"),
    ]
    assert execution.history.raw[4]["taskFailedEventDetails"] == {
        "resourceType": "sqs", "resource": "sendMessage", "error": "Busy", "cause": "try again",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("retrier", "moments"),
    [
        ({}, [0, 1, 3, 7]),
        ({"IntervalSeconds": 2}, [0, 2, 6, 14]),
        ({"IntervalSeconds": 0}, [0, 0, 0, 0]),
        ({"IntervalSeconds": 10, "BackoffRate": 1}, [0, 10, 20, 30]),
        ({"IntervalSeconds": 1, "BackoffRate": 1.5}, [0, 1, 2.5, 4.75]),
        ({"IntervalSeconds": 1, "BackoffRate": 10, "MaxDelaySeconds": 15}, [0, 1, 11, 26]),
        ({"IntervalSeconds": 100, "MaxDelaySeconds": 3}, [0, 3, 6, 9]),
        ({"MaxAttempts": 1}, [0, 1]),
        ({"MaxAttempts": 0}, [0]),
        ({"MaxAttempts": 5}, [0, 1, 3, 7, 15, 31]),
    ],
)
def test_attempts_come_when_interval_rate_and_bounds_say(retrier: dict[str, Any], moments: list[float]) -> None:
    execution = run(task([{"ErrorEquals": ["States.ALL"], **retrier}]), BUSY)
    assert scheduled_at(execution) == moments
    assert (execution.status, execution.error, execution.cause) == ("FAILED", "Busy", "try again")


def test_only_the_first_retrier_that_names_the_error_counts() -> None:
    first = {"ErrorEquals": ["Busy"], "MaxAttempts": 1}
    second = {"ErrorEquals": ["States.ALL"], "MaxAttempts": 5}
    assert len(scheduled_at(run(task([first, second]), BUSY))) == 2
    assert len(scheduled_at(run(task([{**first, "MaxAttempts": 0}, second]), BUSY))) == 1


def test_each_retrier_counts_its_own_retries_whatever_the_errors_were() -> None:
    rules = [
        {"ErrorEquals": ["A", "B"], "MaxAttempts": 2, "IntervalSeconds": 1, "BackoffRate": 2},
        {"ErrorEquals": ["States.ALL"], "MaxAttempts": 2, "IntervalSeconds": 100, "BackoffRate": 2},
    ]
    a, b, c = TaskError("A"), TaskError("B"), TaskError("C")
    execution = run(task(rules), a, c, b, c, {"ok": 1})
    assert execution.status == "SUCCEEDED"
    assert scheduled_at(execution) == [0, 1, 101, 103, 303]
    assert run(task(rules), a, b, a).error == "A"
    assert len(scheduled_at(run(task(rules), a, b, a))) == 3


def test_counters_start_anew_when_the_state_is_entered_again() -> None:
    states: dict[str, Any] = {
        "T": {
            "Type": "Task",
            "Resource": RESOURCE,
            "Retry": [{"ErrorEquals": ["Busy"], "MaxAttempts": 1}],
            "Next": "Again?",
        },
        "Again?": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.again", "BooleanEquals": True, "Next": "T"}],
            "Default": "End",
        },
        "End": {"Type": "Succeed"},
    }
    outcomes = Outcomes([BUSY, {"again": True}, BUSY, {"again": False}])
    execution = StateMachine.load({"StartAt": "T", "States": states}).run(None, {"T": outcomes}, seed=1)
    assert execution.status == "SUCCEEDED"
    assert scheduled_at(execution) == [0, 1, 1, 2]


def test_the_context_counts_retries_and_every_attempt_is_evaluated_anew() -> None:
    state = task([{"ErrorEquals": ["States.ALL"]}], Parameters={"n.$": "$$.State.RetryCount"})
    seen: list[Any] = []

    def handler(value: Any) -> Any:
        seen.append(value["n"])
        raise TaskError("Busy")

    StateMachine.load({"StartAt": "T", "States": {"T": state}}).run(None, {"T": handler}, seed=1)
    assert seen == [0, 1, 2, 3]


def test_full_jitter_stays_between_zero_and_the_delay_and_depends_on_the_seed_alone() -> None:
    rule = {
        "ErrorEquals": ["Busy"],
        "IntervalSeconds": 10,
        "BackoffRate": 1,
        "MaxAttempts": 30,
        "JitterStrategy": "FULL",
    }
    moments = scheduled_at(run(task([rule]), BUSY, seed=5))
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert all(0 <= gap <= 10 for gap in gaps)
    assert len(set(gaps)) > 20
    assert max(gaps) > 7
    assert min(gaps) < 3
    assert scheduled_at(run(task([rule]), BUSY, seed=5)) == moments
    assert scheduled_at(run(task([rule]), BUSY, seed=6)) != moments


def test_jitter_none_is_no_jitter() -> None:
    assert scheduled_at(run(task([{"ErrorEquals": ["Busy"], "JitterStrategy": "NONE"}]), BUSY)) == [0, 1, 3, 7]


def test_very_many_attempts_with_a_huge_rate_end_at_the_limit_of_the_service() -> None:
    rule = {"ErrorEquals": ["States.ALL"], "MaxAttempts": 99_999_999, "BackoffRate": 1e9}
    execution = run(task([rule]), BUSY)
    assert (execution.status, execution.error) == ("TIMED_OUT", "States.Timeout")
    steady = run(task([{**rule, "BackoffRate": 1}]), BUSY)
    assert (steady.status, steady.error) == ("FAILED", "States.Runtime")
    assert len(steady.history) == 25_000


def test_delays_do_not_overflow() -> None:
    retrier = Retrier(frozenset({"E"}), 1, 5, 1e300, None, full_jitter=False)
    assert retrier.delay(1) == 1
    assert retrier.delay(3) == 99_999_999


def test_defaults_of_a_retrier_are_those_of_the_language() -> None:
    (retrier,) = compile_retriers([{"ErrorEquals": ["E"]}])
    assert (retrier.interval, retrier.attempts, retrier.rate, retrier.max_delay, retrier.full_jitter) == (
        1,
        3,
        2.0,
        None,
        False,
    )


# ---- which rule matches


@pytest.mark.parametrize(
    ("names", "error", "expected"),
    [
        (["Busy"], "Busy", True),
        (["busy"], "Busy", False),
        (["A", "Busy"], "Busy", True),
        (["States.ALL"], "Busy", True),
        (["States.ALL"], "States.Timeout", True),
        (["States.ALL"], None, True),
        (["States.ALL"], "States.DataLimitExceeded", True),
        (["States.TaskFailed"], "Busy", True),
        (["States.TaskFailed"], None, True),
        (["States.TaskFailed"], "States.TaskFailed", True),
        (["States.TaskFailed"], "States.Timeout", False),
        (["States.TaskFailed"], "States.HeartbeatTimeout", False),
        (["States.Timeout"], "States.Timeout", True),
        (["States.Timeout"], "States.HeartbeatTimeout", True),
        (["States.HeartbeatTimeout"], "States.Timeout", False),
    ],
)
def test_names_and_wildcards(names: list[str], error: str | None, expected: bool) -> None:
    assert matches(frozenset(names), Failure(error, None)) is expected


def test_nothing_matches_a_fatal_failure() -> None:
    everything = frozenset({"States.ALL", "States.Runtime", "States.TaskFailed"})
    assert not matches(everything, Failure("States.Runtime", "", fatal=True))


def test_a_runtime_error_is_neither_retried_nor_caught() -> None:
    rules = [{"ErrorEquals": ["States.ALL"]}]
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]
    execution = run(task(rules, catch, InputPath="$.absent"), {"ok": 1}, data={})
    assert (execution.status, execution.error) == ("FAILED", "States.Runtime")
    assert types(execution) == ["ExecutionStarted", "TaskStateEntered", "ExecutionFailed"]


# ---- Catch


def caught(catch: list[dict[str, Any]], *outcomes: Any, data: Any = None, **fields: Any) -> Any:
    execution = run(task(None, catch, **fields), *outcomes, data=data)
    assert execution.status == "SUCCEEDED"
    return execution.output


def test_a_caught_failure_still_writes_an_exit_with_the_output_of_the_rule() -> None:
    execution = run(task(None, [{"ErrorEquals": ["Busy"], "Next": "Caught"}]), BUSY, data={"k": 1})
    rows = [(e["id"], e["previousEventId"], e["type"]) for e in execution.history.raw]
    assert rows[3:] == [
        (4, 3, "TaskStarted"),
        (5, 4, "TaskFailed"),
        (6, 5, "TaskStateExited"),
        (7, 6, "PassStateEntered"),
        (8, 7, "PassStateExited"),
        (9, 8, "ExecutionSucceeded"),
    ]
    exited = execution.history.raw[5]["stateExitedEventDetails"]
    assert exited["output"] == '{"Error":"Busy","Cause":"try again"}'


@pytest.mark.parametrize(
    ("result_path", "output"),
    [
        ("$", {"Error": "Busy", "Cause": "try again"}),
        ("$.error", {"k": 1, "error": {"Error": "Busy", "Cause": "try again"}}),
        ("$.deep.er", {"k": 1, "deep": {"er": {"Error": "Busy", "Cause": "try again"}}}),
        (None, {"k": 1}),
    ],
)
def test_result_path_of_a_catch_places_the_error_output(result_path: str | None, output: Any) -> None:
    rule = {"ErrorEquals": ["Busy"], "ResultPath": result_path, "Next": "Caught"}
    assert caught([rule], BUSY, data={"k": 1}) == output


def test_the_paths_of_the_state_itself_do_not_touch_a_caught_error() -> None:
    rule = {"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Caught"}
    fields = {"InputPath": "$.in", "ResultSelector": {"x": 1}, "ResultPath": "$.ignored", "OutputPath": "$.in"}
    expected = {"in": {"a": 1}, "error": {"Error": "Busy", "Cause": "try again"}}
    assert caught([rule], BUSY, data={"in": {"a": 1}}, **fields) == expected


def test_the_first_rule_that_matches_catches() -> None:
    rules = [
        {"ErrorEquals": ["Other"], "Next": "Other"},
        {"ErrorEquals": ["States.TaskFailed"], "Next": "Caught"},
        {"ErrorEquals": ["States.ALL"], "Next": "Other"},
    ]
    execution = run(task(None, rules), BUSY)
    assert execution.history.visits[-1].name == "Caught"
    late = run(task(None, rules, TimeoutSeconds=5), After(10, {}))
    assert late.history.visits[-1].name == "Other"


def test_catch_comes_after_the_last_retry() -> None:
    state = task([{"ErrorEquals": ["Busy"], "MaxAttempts": 2}], [{"ErrorEquals": ["Busy"], "Next": "Caught"}])
    execution = run(state, BUSY)
    assert execution.status == "SUCCEEDED"
    assert types(execution).count("TaskScheduled") == 3


def test_a_missing_cause_is_empty_text_in_the_error_output() -> None:
    assert caught([{"ErrorEquals": ["States.ALL"], "Next": "Caught"}], TaskError("E", None)) == {
        "Error": "E",
        "Cause": "",
    }


def test_a_catch_assigns_from_the_error_output() -> None:
    rule = {"ErrorEquals": ["States.ALL"], "Assign": {"why.$": "$.Cause"}, "ResultPath": None, "Next": "Caught"}
    state = task(None, [rule])
    show = {"Type": "Pass", "Parameters": {"why.$": "$why", "k.$": "$.k"}, "End": True}
    assert run(state, BUSY, data={"k": 1}, Caught=show).output == {"why": "try again", "k": 1}


def test_a_failure_inside_a_catch_rule_is_the_failure_of_the_state() -> None:
    rule = {"ErrorEquals": ["States.ALL"], "Assign": {"x.$": "$.absent"}, "Next": "Caught"}
    execution = run(task(None, [rule]), BUSY)
    assert (execution.status, execution.error) == ("FAILED", "States.Runtime")


def test_the_input_of_a_caught_state_is_not_changed_by_result_path() -> None:
    data = {"k": {"inner": [1]}}
    rule = {"ErrorEquals": ["States.ALL"], "ResultPath": "$.k.error", "Next": "Caught"}
    execution = run(task(None, [rule]), BUSY, data=data)
    assert data == {"k": {"inner": [1]}}
    assert execution.history.raw[1]["stateEnteredEventDetails"]["input"] == '{"k":{"inner":[1]}}'
