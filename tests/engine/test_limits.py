"""What the service limits: payloads, events, durations, transitions, names; and what lifts the limits."""

from typing import Any

import pytest

from sfn_notebook import Execution, RunError, SfnError, StateMachine
from sfn_notebook.engine import log
from sfn_notebook.engine.execution import BudgetExceeded, Engine
from sfn_notebook.engine.limits import Limits, Names
from sfn_notebook.engine.program import compile_program

LIMIT = 262_144
QUEUE = "arn:aws:states:::sqs:sendMessage"
LOOP: dict[str, Any] = {
    "A": {"Type": "Pass", "Next": "C"},
    "C": {"Type": "Choice", "Choices": [{"Variable": "$", "IsPresent": True, "Next": "A"}], "Default": "E"},
    "E": {"Type": "Succeed"},
}


def machine(states: dict[str, Any]) -> StateMachine:
    return StateMachine.load({"StartAt": next(iter(states)), "States": states})


def text_of(size: int) -> str:
    """Give text whose JSON is `size` bytes."""
    return "x" * (size - 2)


def task(**fields: Any) -> dict[str, Any]:
    return {"T": {"Type": "Task", "Resource": QUEUE, "End": True, **fields}}


# ---- payload


def test_an_input_of_exactly_256_kib_is_taken_and_one_byte_more_is_not() -> None:
    states = {"P": {"Type": "Pass", "End": True}}
    assert machine(states).run(text_of(LIMIT), seed=1).status == "SUCCEEDED"
    with pytest.raises(RunError, match=r"the input has 262,145 bytes of JSON; an execution takes at most 262,144"):
        machine(states).run(text_of(LIMIT + 1), seed=1)


def test_bytes_are_those_of_utf8() -> None:
    states = {"P": {"Type": "Pass", "End": True}}
    assert machine(states).run("ü" * (LIMIT // 2 - 1), seed=1).status == "SUCCEEDED"
    with pytest.raises(RunError):
        machine(states).run("ü" * (LIMIT // 2), seed=1)


@pytest.mark.parametrize(("size", "status"), [(LIMIT, "SUCCEEDED"), (LIMIT + 1, "FAILED")])
def test_a_task_result_is_measured_to_the_byte(size: int, status: str) -> None:
    execution = machine(task()).run({}, {"T": text_of(size)}, seed=1)
    assert execution.status == status
    if status == "FAILED":
        assert execution.error == "States.DataLimitExceeded"
        assert execution.cause == (
            "The state/task 'sqs' returned a result with a size exceeding the maximum number of bytes service limit."
        )
        assert [event["type"] for event in execution.history.raw][-2:] == ["TaskFailed", "ExecutionFailed"]


def test_a_result_that_is_too_large_is_caught_by_states_all() -> None:
    states = task(Catch=[{"ErrorEquals": ["States.ALL"], "Next": "H"}]) | {"H": {"Type": "Pass", "End": True}}
    execution = machine(states).run({}, {"T": text_of(LIMIT + 1)}, seed=1)
    assert execution.status == "SUCCEEDED"
    assert execution.output["Error"] == "States.DataLimitExceeded"


@pytest.mark.parametrize(
    ("state", "grows"),
    [
        ({"Type": "Pass", "Result": text_of(1000), "ResultPath": "$.more", "End": True}, 1009),
        ({"Type": "Pass", "Parameters": {"a.$": "$", "b": text_of(100)}, "End": True}, 111),
        ({"Type": "Pass", "Parameters": {"a.$": "$", "b.$": "$"}, "End": True}, None),
        ({"Type": "Pass", "Parameters": {"s.$": "States.JsonToString($)"}, "End": True}, 8),
        ({"Type": "Pass", "Parameters": {"s.$": "States.Array($, 1)"}, "End": True}, 10),
    ],
)
def test_what_a_pass_state_builds_is_measured_to_the_byte(state: dict[str, Any], grows: int | None) -> None:
    """The bound that is carried along must never let a byte through and never refuse one that fits."""

    def outcome(size: int) -> Execution:
        return machine({"P": state}).run({"k": text_of(size - 6)}, seed=1)

    def output_size(size: int) -> int:
        free = machine({"P": state}).run({"k": text_of(size - 6)}, seed=1, limits=False)
        return len(free.history.raw[2]["stateExitedEventDetails"]["output"].encode())

    low, high = 10, LIMIT
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if output_size(middle) <= LIMIT else (low, middle)
    assert outcome(low).status == "SUCCEEDED"
    refused = outcome(high)
    assert (refused.status, refused.error) == ("FAILED", "States.DataLimitExceeded")
    if grows is not None and state.get("ResultPath"):
        assert LIMIT - low in range(grows - 8, grows + 8)


def test_a_pass_state_that_grows_too_much_has_been_entered() -> None:
    state = {"Type": "Pass", "Parameters": {"a.$": "$", "b.$": "$"}, "End": True}
    raw = machine({"P": state}).run(text_of(200_000), seed=1).history.raw
    assert [(event["previousEventId"], event["type"]) for event in raw] == [
        (0, "ExecutionStarted"), (0, "PassStateEntered"), (2, "ExecutionFailed"),
    ]  # fmt: skip


def test_many_states_that_grow_a_little_hit_the_limit_at_the_right_one() -> None:
    states = {
        f"P{n}": {"Type": "Pass", "Result": text_of(10_000), "ResultPath": f"$.r{n}", "Next": f"P{n + 1}"} for n in range(40)
    } | {"P40": {"Type": "Succeed"}}  # fmt: skip
    execution = machine(states).run({}, seed=1)
    assert (execution.status, execution.error) == ("FAILED", "States.DataLimitExceeded")
    assert execution.cause is not None
    assert "'P26'" in execution.cause


@pytest.mark.parametrize(
    "states",
    [
        {"M": {"Type": "Map", "ItemProcessor": {"StartAt": "T", "States": task()}, "End": True}},
        {"M": {"Type": "Parallel", "Branches": [{"StartAt": f"T{n}", "States": {f"T{n}": task()["T"]}} for n in range(3)], "End": True}},
    ],
    ids=["Map", "Parallel"],
)  # fmt: skip
def test_collected_results_are_measured_together(states: dict[str, Any]) -> None:
    assert machine(states).run([1, 2, 3], {"*": text_of(80_000)}, seed=1).status == "SUCCEEDED"
    execution = machine(states).run([1, 2, 3], {"*": text_of(90_000)}, seed=1)
    assert (execution.status, execution.error) == ("FAILED", "States.DataLimitExceeded")


def test_what_a_task_is_given_is_measured() -> None:
    states = task(Parameters={"a.$": "$", "b.$": "$"})
    execution = machine(states).run(text_of(200_000), {"T": 1}, seed=1)
    assert (execution.status, execution.error) == ("FAILED", "States.DataLimitExceeded")


def test_a_variable_is_limited_like_a_payload() -> None:
    states = {"P": {"Type": "Pass", "Assign": {"v.$": "States.Array($, $)"}, "End": True}}
    assert machine(states).run(text_of(120_000), seed=1).status == "SUCCEEDED"
    execution = machine(states).run(text_of(150_000), seed=1)
    assert (execution.status, execution.error) == ("FAILED", "States.DataLimitExceeded")


def test_without_limits_payloads_may_grow() -> None:
    states = task(ResultPath="$.r")
    execution = machine(states).run({"k": text_of(400_000)}, {"T": text_of(400_000)}, seed=1, limits=False)
    assert execution.status == "SUCCEEDED"
    assert len(execution.output["r"]) == 399_998


# ---- events


def chain_of(count: int, last: str = "Succeed") -> StateMachine:
    """A machine of `count` Pass states; a run has 2 × count + 4 events with a Succeed state behind them."""
    inner = {f"P{n}": {"Type": "Pass", "Next": f"P{n + 1}"} for n in range(count)}
    return machine(inner | {f"P{count}": {"Type": last}})


def test_exactly_25_000_events_are_fine() -> None:
    execution = chain_of(12_498).run(seed=1)
    assert (execution.status, len(execution.history)) == ("SUCCEEDED", 25_000)


@pytest.mark.parametrize("count", [12_499, 12_500, 13_000])
def test_one_event_more_fails_with_the_text_of_the_service_as_event_25_000(count: int) -> None:
    execution = chain_of(count).run(seed=1)
    assert (execution.status, execution.error) == ("FAILED", "States.Runtime")
    assert execution.cause == "The execution reached the maximum number of history events (25000)."
    raw = execution.history.raw
    assert [raw[-1][key] for key in ("id", "previousEventId", "type")] == [25_000, 24_999, "ExecutionFailed"]
    assert execution.output is None


def test_an_endless_loop_in_standard_ends_at_the_limit_of_events() -> None:
    execution = machine(LOOP).run(seed=1)
    assert (execution.status, len(execution.history)) == ("FAILED", 25_000)


def test_an_endless_loop_through_time_ends_at_the_limit_of_events() -> None:
    states = LOOP | {"A": {"Type": "Wait", "Seconds": 1, "Next": "C"}}
    execution = machine(states).run(seed=1)
    assert (execution.status, len(execution.history)) == ("FAILED", 25_000)


def test_a_map_over_very_many_items_ends_at_the_limit_of_events() -> None:
    states = {
        "M": {
            "Type": "Map",
            "ItemProcessor": {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}},
            "End": True,
        }
    }
    execution = machine(states).run(list(range(7000)), seed=1)
    assert (execution.status, execution.error, len(execution.history)) == ("FAILED", "States.Runtime", 25_000)
    assert machine(states).run(list(range(7000)), seed=1, limits=False).status == "SUCCEEDED"


# ---- transitions without time


@pytest.mark.parametrize("options", [{"type": "EXPRESS"}, {"limits": False}, {"type": "EXPRESS", "limits": False}])
def test_a_loop_that_takes_no_time_is_stopped_with_a_message_that_helps(options: dict[str, Any]) -> None:
    with pytest.raises(
        BudgetExceeded, match=r"stopped after 1,000 transitions.* endless loop.*max_transitions"
    ) as caught:
        machine(LOOP).run(seed=1, max_transitions=1000, **options)
    execution = caught.value.execution
    assert isinstance(execution, Execution)
    assert execution.status == "ABORTED"
    assert len(execution.history) >= 2000
    assert isinstance(caught.value, RunError)


def test_the_budget_starts_anew_when_time_passes() -> None:
    states: dict[str, Any] = {
        "A": {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.n, 1)"}, "Next": "W"},
        "W": {"Type": "Wait", "Seconds": 1, "Next": "C"},
        "C": {"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericLessThan": 300, "Next": "A"}], "Default": "E"},
        "E": {"Type": "Succeed"},
    }
    assert machine(states).run({"n": 0}, seed=1, limits=False, max_transitions=50).output == {"n": 300}


def test_the_default_budget_stops_an_endless_loop_in_seconds() -> None:
    with pytest.raises(BudgetExceeded, match="1,000,000 transitions"):
        machine(LOOP).run(seed=1, type="EXPRESS")


# ---- duration


def test_express_ends_after_five_minutes() -> None:
    states = {
        "W": {"Type": "Wait", "Seconds": 299, "Next": "X"},
        "X": {"Type": "Wait", "SecondsPath": "$.s", "End": True},
    }
    assert machine(states).run({"s": 0}, type="EXPRESS", seed=1).status == "SUCCEEDED"
    execution = machine(states).run({"s": 2}, type="EXPRESS", seed=1)
    assert (execution.status, execution.error) == ("TIMED_OUT", "States.Timeout")
    raw = execution.history.raw
    assert (raw[-1]["timestamp"] - raw[0]["timestamp"]).total_seconds() == 300
    assert machine(states).run({"s": 2}, type="EXPRESS", seed=1, limits=False).status == "SUCCEEDED"


def test_express_has_no_limit_of_events() -> None:
    assert len(chain_of(13_000).run(seed=1, type="EXPRESS").history) == 26_004


# ---- names


def test_names_and_arns_of_both_kinds() -> None:
    standard, express = (
        Names("orders", "run-1"),
        Names("orders", "run-1", "EXPRESS", "eu-west-1", "111122223333", "aws-cn"),
    )
    assert standard.machine_arn == "arn:aws:states:us-east-1:123456789012:stateMachine:orders"
    assert standard.execution_arn == "arn:aws:states:us-east-1:123456789012:execution:orders:run-1"
    assert express.execution_arn.startswith("arn:aws-cn:states:eu-west-1:111122223333:express:orders:run-1:")


def test_limits_of_the_two_kinds() -> None:
    assert Limits.of("STANDARD") == Limits(LIMIT, 25_000, 31_536_000, 1_000_000)
    assert Limits.of("EXPRESS").duration == 300
    assert Limits.of("EXPRESS").events == float("inf")
    lifted = Limits.of("STANDARD", enforced=False, transitions=7)
    assert (lifted.payload, lifted.events, lifted.duration, lifted.transitions) == (float("inf"),) * 3 + (7,)


@pytest.mark.parametrize("name", ["", "x" * 81, "a b", "a<b", "a\x00b", 'a"b', "a/b", "a,b"])
def test_a_name_that_the_service_refuses_is_refused(name: str) -> None:
    with pytest.raises(SfnError, match="name"):
        machine({"P": {"Type": "Pass", "End": True}}).run(seed=1, name=name)


@pytest.mark.parametrize("name", ["x" * 80, "a-b_c.d", "Übung"])
def test_a_name_that_the_service_takes_is_taken(name: str) -> None:
    assert machine({"P": {"Type": "Pass", "End": True}}).run(seed=1, name=name).name == name


def test_an_execution_that_waits_at_the_very_limit_has_no_room_left_and_fails() -> None:
    states = {"T": {"Type": "Task", "Resource": QUEUE, "TimeoutSeconds": 600, "End": True}}
    engine = Engine(compile_program({"StartAt": "T", "States": states}), {}, Names("m", "r"), Limits(events=4), 0, 0)
    engine.drain()
    engine.abort("Stopped", "by hand")
    assert len(list(log.events(engine.log))) == 4
    assert engine.status == "FAILED"


def test_a_timeout_of_zero_seconds_is_no_limit_of_its_own() -> None:
    states = {"W": {"Type": "Wait", "Seconds": 1000, "End": True}}
    assert StateMachine.load({"StartAt": "W", "TimeoutSeconds": 0, "States": states}).run().status == "SUCCEEDED"
