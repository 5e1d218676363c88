"""Who answers a task, what crosses the border, what is kept of every call."""

import asyncio
import copy
import json
import math
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from sfn_notebook import PENDING, After, Execution, Outcomes, Raw, RunError, StateMachine, TaskError
from sfn_notebook.sim.handlers import Responder, Unbound, takes_context

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:price"
OTHER = "arn:aws:lambda:us-east-1:123456789012:function:other"
INVOKE = "arn:aws:states:::lambda:invoke"
QUEUE = "arn:aws:states:::sqs:sendMessage"


def run(handlers: Any, data: Any = None, resource: str = QUEUE, **fields: Any) -> Execution:
    states: dict[str, Any] = {"T": {"Type": "Task", "Resource": resource, "End": True, **fields}}
    if "Catch" in fields:
        states["Caught"] = {"Type": "Pass", "End": True}
    return StateMachine.load({"StartAt": "T", "States": states}).run(data, handlers, seed=1)


# ---- which handler


@pytest.mark.parametrize(
    ("handlers", "who"),
    [
        ({"T": "state", FUNCTION: "arn", "arn:aws:lambda:*": "pattern", "*": "star"}, "state"),
        ({FUNCTION: "arn", "arn:aws:lambda:*": "pattern", "*": "star"}, "arn"),
        ({"*": "star", "arn:aws:lambda:*": "pattern"}, "pattern"),
        ({"*": "star", "*:function:price": "pattern"}, "pattern"),
        ({"*": "star", "arn:aws:states:*": "no"}, "star"),
        ({"t": "no", OTHER: "no", "*": "star"}, "star"),
    ],
)
def test_the_most_specific_handler_answers(handlers: dict[str, Any], who: str) -> None:
    assert run(handlers, resource=FUNCTION).output == who


def test_a_state_name_with_a_star_is_that_state_first() -> None:
    states = {"a*": {"Type": "Task", "Resource": FUNCTION, "End": True}}
    machine = StateMachine.load({"StartAt": "a*", "States": states})
    assert machine.run(None, {"a*": "state", "*": "star"}, seed=1).output == "state"


@pytest.mark.parametrize("resource", [QUEUE, FUNCTION, INVOKE])
def test_an_unbound_task_says_which_state_and_shows_the_line_that_binds_it(resource: str) -> None:
    with pytest.raises(Unbound) as caught:
        run({"Other": 1}, resource=resource)
    message = str(caught.value)
    assert message.startswith(f'state "T" needs a handler for {resource}')
    line = message.splitlines()[-1].strip()
    assert line == 'handlers={"T": lambda input: {}}'
    handlers = eval(line.removeprefix("handlers="))
    assert run(handlers, resource=resource).status == "SUCCEEDED"
    assert isinstance(caught.value, RunError)


@pytest.mark.parametrize("handlers", [
    [1], "T", 5, {1: "x"},
    {None: "x"},
])  # fmt: skip
def test_handlers_that_are_no_mapping_from_names_are_refused(handlers: Any) -> None:
    with pytest.raises(RunError, match="handlers must be"):
        Responder(handlers)


# ---- what a handler may be


@pytest.mark.parametrize(
    "constant", [None, 0, False, "", "text", 1.5, [], [1, [2]], {}, {"a": {"b": None}}, ["TaskError"]]
)
def test_a_json_value_is_a_constant_lists_included(constant: Any) -> None:
    assert run({"T": constant}).output == constant


def test_a_constant_is_copied_for_every_answer() -> None:
    constant: dict[str, Any] = {"list": [1]}
    execution = run({"T": constant})
    constant["list"].append(2)
    assert execution.output == {"list": [1]}


@pytest.mark.parametrize("error", [TaskError("E", "c"), TaskError("E", None), TaskError("E")])
def test_a_task_error_fails_the_task_whether_bound_raised_or_returned(error: TaskError) -> None:
    def raising(value: Any) -> Any:
        raise error

    for handler in (error, raising, lambda value: error):
        execution = run({"T": handler})
        assert (execution.status, execution.error, execution.cause) == ("FAILED", "E", error.cause)


def test_an_exception_fails_the_task_with_the_name_of_its_class() -> None:
    class ValidationError(Exception):
        pass

    def handler(value: Any) -> Any:
        raise ValidationError("no items")

    for bound in (handler, ValidationError("no items")):
        execution = run({"T": bound})
        assert (execution.error, execution.cause) == ("ValidationError", "no items")
    assert run({"T": ValidationError}).error == "ValidationError"


@pytest.mark.parametrize("resource", [FUNCTION, INVOKE])
def test_an_exception_of_a_lambda_function_has_lambda_s_cause(resource: str) -> None:
    def handler(event: Any) -> Any:
        raise ValueError("bad ü")

    execution = run({"T": handler}, resource=resource)
    assert execution.cause is not None
    cause = json.loads(execution.cause)
    assert set(cause) == {"errorMessage", "errorType", "requestId", "stackTrace"}
    assert (cause["errorMessage"], cause["errorType"]) == ("bad ü", "ValueError")
    assert len(cause["stackTrace"]) == 1
    assert "in handler" in cause["stackTrace"][0]
    assert ('{"errorMessage": ' in execution.cause) is (resource == FUNCTION)


def test_outcomes_give_one_answer_per_attempt_and_repeat_the_last() -> None:
    retry = [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 9}]
    assert run({"T": Outcomes([TaskError("A"), TaskError("B"), {"ok": 1}])}, Retry=retry).output == {"ok": 1}
    execution = run({"T": Outcomes([TaskError("A"), TaskError("B")])}, Retry=retry)
    assert execution.error == "B"
    assert len(execution.calls) == 10


def test_outcomes_may_hold_callables_delays_and_lists() -> None:
    retry = [{"ErrorEquals": ["Late"], "IntervalSeconds": 1}]
    seen: list[Any] = []

    def fail(value: Any) -> Any:
        seen.append(value)
        raise TaskError("Late")

    execution = run({"T": Outcomes([fail, After(5, [1, 2])])}, {"k": 1}, Retry=retry)
    assert execution.output == [1, 2]
    assert seen == [{"k": 1}]
    raw = execution.history.raw
    assert (raw[-1]["timestamp"] - raw[0]["timestamp"]).total_seconds() == 6


def test_outcomes_begin_anew_in_every_run() -> None:
    outcomes = Outcomes([1, 2])
    assert [run({"T": outcomes}).output for _ in range(2)] == [1, 1]


def test_a_callable_may_answer_with_a_delay_an_error_or_nobody() -> None:
    assert run({"T": lambda value: After(9, {"ok": 1})}, TimeoutSeconds=10).output == {"ok": 1}
    assert run({"T": lambda value: After(11, {"ok": 1})}, TimeoutSeconds=10).error == "States.Timeout"
    assert run({"T": lambda value: PENDING}).status == "RUNNING"
    assert run({"T": lambda value: After(2, TaskError("E"))}).error == "E"


def test_delays_inside_delays_add_up() -> None:
    raw = run({"T": After(2, lambda value: After(3, 1))}).history.raw
    assert (raw[-1]["timestamp"] - raw[0]["timestamp"]).total_seconds() == 5


@pytest.mark.parametrize("seconds", [-1, math.nan, math.inf, "5", None, True])
def test_a_delay_is_a_number_of_seconds(seconds: Any) -> None:
    with pytest.raises(ValueError, match="After needs a number of seconds"):
        After(seconds)


def test_no_outcomes_are_no_outcomes() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Outcomes([])


def test_what_users_write_reads_back_in_a_repr() -> None:
    assert repr(Outcomes([1, After(2, {"a": 1})])) == "Outcomes([1, After(2, {'a': 1})])"
    assert repr(PENDING) == "PENDING"


# ---- arguments


def test_a_handler_gets_the_context_where_it_asks_for_it() -> None:
    seen: list[Any] = []

    def handler(value: Any, context: Any) -> Any:
        seen.append(context)
        return value

    run({"T": handler}, {"k": 1})
    (context,) = seen
    assert context["State"]["Name"] == "T"
    assert context["Execution"]["Input"] == {"k": 1}
    assert (context["Attempt"], context["Path"], context["Resource"]) == (1, [], QUEUE)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda value: 1, False),
        (lambda value, context: 1, True),
        (lambda value, context=None: 1, True),
        (lambda value, factor=2: 1, False),
        (lambda value, *, key=1: 1, False),
        (lambda *values: 1, False),
        (dict, False),
    ],
)
def test_only_a_second_parameter_that_is_needed_or_called_context_gets_it(function: Any, expected: bool) -> None:
    assert takes_context(function) is expected


def test_methods_partials_and_callable_objects_are_callables() -> None:
    from functools import partial

    class Shop:
        def price(self, value: Any) -> Any:
            return {"price": value["n"]}

        def __call__(self, value: Any, context: Any) -> Any:
            return context["Attempt"]

    assert run({"T": Shop().price}, {"n": 3}).output == {"price": 3}
    assert run({"T": Shop()}).output == 1
    assert run({"T": partial(lambda factor, value: factor * value["n"], 2)}, {"n": 3}).output == 6


def test_a_handler_has_its_own_copy_of_its_input_and_its_result_is_copied() -> None:
    data = {"list": [1], "deep": {"k": [2]}}
    kept = copy.deepcopy(data)
    result: dict[str, Any] = {"mine": [0]}

    def handler(value: Any) -> Any:
        value["list"].append(99)
        value["deep"].clear()
        return result

    states: dict[str, Any] = {
        "T": {"Type": "Task", "Resource": QUEUE, "ResultPath": "$.r", "Next": "U"},
        "U": {"Type": "Task", "Resource": QUEUE, "ResultPath": "$.r.mine[0]", "End": True},
    }
    execution = StateMachine.load({"StartAt": "T", "States": states}).run(data, {"T": handler, "U": "u"}, seed=1)
    assert data == kept
    assert result == {"mine": [0]}
    result["mine"].append(1)
    assert execution.output == {**kept, "r": {"mine": ["u"]}}
    assert execution.history.raw[1]["stateEnteredEventDetails"]["input"] == json.dumps(kept, separators=(",", ":"))


def test_handlers_of_parallel_branches_do_not_share_their_input() -> None:
    def handler(value: Any) -> Any:
        value["list"].append(len(value["list"]))
        return value["list"]

    branches = [{"StartAt": name, "States": {name: {"Type": "Task", "Resource": QUEUE, "End": True}}} for name in "AB"]
    definition = {"StartAt": "P", "States": {"P": {"Type": "Parallel", "Branches": branches, "End": True}}}
    assert StateMachine.load(definition).run({"list": []}, {"*": handler}, seed=1).output == [[0], [0]]


# ---- async


def test_an_async_handler_runs_without_and_within_a_running_loop() -> None:
    async def handler(value: Any, context: Any) -> Any:
        await asyncio.sleep(0)
        return {"twice": value["n"] * 2, "attempt": context["Attempt"]}

    async def cell() -> Any:
        return run({"T": handler}, {"n": 4}).output

    expected = {"twice": 8, "attempt": 1}
    assert run({"T": handler}, {"n": 4}).output == expected
    assert asyncio.run(cell()) == expected
    assert run({"T": lambda value: handler(value, {"Attempt": 1})}, {"n": 4}).output == expected


def test_an_async_handler_that_raises_fails_its_task_and_keeps_its_exception() -> None:
    async def handler(value: Any) -> Any:
        await asyncio.sleep(0)
        raise KeyError("k")

    execution = run({"T": handler})
    assert execution.error == "KeyError"
    assert isinstance(execution.calls[0].exception, KeyError)
    assert "in handler" in execution.calls[0].traceback


# ---- what is kept of a call


def test_what_a_handler_prints_is_kept_with_its_attempt_and_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    import sys

    def handler(value: Any, context: Any) -> Any:
        print("attempt", context["Attempt"])
        print("oops", file=sys.stderr)
        if context["Attempt"] == 1:
            raise TaskError("Again")
        return 1

    execution = run({"T": handler}, Retry=[{"ErrorEquals": ["Again"]}])
    assert [(call.state, call.attempt, call.printed) for call in execution.calls] == [
        ("T", 1, "attempt 1\noops\n"),
        ("T", 2, "attempt 2\noops\n"),
    ]
    assert capsys.readouterr() == ("", "")


def test_a_bug_in_a_handler_keeps_its_exception_and_traceback_although_states_all_caught_it() -> None:
    def handler(value: Any) -> Any:
        return value["n"] + no_such_name  # type: ignore[name-defined]  # noqa: F821 - the bug

    catch = [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]
    execution = run({"T": handler}, {"n": 1}, Catch=catch)
    assert execution.status == "SUCCEEDED"
    assert execution.output["Error"] == "NameError"
    (call,) = execution.calls
    assert isinstance(call.exception, NameError)
    assert "no_such_name" in call.traceback
    assert "the bug" in call.traceback
    assert "sfn_notebook" not in call.traceback.split("Traceback")[1].split("\n")[1]


def test_records_are_there_for_constants_and_errors_too() -> None:
    execution = run({"T": Outcomes([TaskError("E"), 5])}, Retry=[{"ErrorEquals": ["E"]}])
    assert [(call.state, call.attempt, call.printed, call.traceback) for call in execution.calls] == [
        ("T", 1, "", ""), ("T", 2, "", ""),
    ]  # fmt: skip
    assert len({call.task for call in execution.calls}) == 2


# ---- the border


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"v": math.nan}, r"holds nan at \$\.v"),
        ([math.inf], r"holds inf at \$\[0\]"),
        ({"v": {1}}, r"a set at \$\.v, and JSON has no sets"),
        (b"x", "holds bytes at"),
        ({1: 2}, "the key 1 of type int"),
        (object(), "which is not JSON"),
    ],
)
def test_an_answer_that_is_no_json_stops_the_run_with_state_place_and_way_out(answer: Any, message: str) -> None:
    for handler in (lambda value: answer, answer):
        with pytest.raises(RunError, match=message) as caught:
            run({"T": handler}, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Caught"}])
        assert 'what the handler of state "T" returned' in str(caught.value)


def test_a_data_frame_is_refused_with_the_call_that_converts_it() -> None:
    pandas = pytest.importorskip("pandas")
    with pytest.raises(RunError, match=r"holds a DataFrame at \$; convert it with df\.to_dict\('records'\)"):
        run({"T": lambda value: pandas.DataFrame({"a": [1]})})


def test_an_answer_that_contains_itself_stops_the_run() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(RunError, match="contains itself"):
        run({"T": lambda value: loop})


def test_numbers_times_and_the_like_become_json() -> None:
    numpy = pytest.importorskip("numpy")
    answer = {
        "n": numpy.int64(3), "a": numpy.arange(2), "d": Decimal("1.5"), "i": Decimal(2), "t": datetime(2026, 1, 2, tzinfo=UTC),
        "day": date(2026, 1, 2), "tuple": (1, 2),
    }  # fmt: skip
    assert run({"T": lambda value: answer}).output == {
        "n": 3, "a": [0, 1], "d": 1.5, "i": 2, "t": "2026-01-02T00:00:00+00:00", "day": "2026-01-02", "tuple": [1, 2],
    }  # fmt: skip


# ---- lambda:invoke


def test_a_handler_of_lambda_invoke_sees_the_payload_and_its_answer_is_wrapped() -> None:
    seen: list[Any] = []

    def handler(event: Any) -> Any:
        seen.append(event)
        return {"price": 3}

    parameters = {"FunctionName": "price", "Payload.$": "$.order"}
    execution = run({"T": handler}, {"order": {"sku": "a"}}, INVOKE, Parameters=parameters)
    assert seen == [{"sku": "a"}]
    assert execution.output["Payload"] == {"price": 3}
    assert (execution.output["StatusCode"], execution.output["ExecutedVersion"]) == (200, "$LATEST")
    assert set(execution.output) >= {"SdkHttpMetadata", "SdkResponseMetadata"}


def test_a_constant_of_lambda_invoke_is_wrapped_too_and_a_missing_payload_is_empty() -> None:
    assert run({"T": [1]}, None, INVOKE, Parameters={"FunctionName": "f"}).output["Payload"] == [1]
    seen: list[Any] = []
    run({"T": lambda event: seen.append(event)}, {"k": 1}, INVOKE, Parameters={"FunctionName": "f"})
    assert seen == [{}]


def test_raw_binds_the_whole_request_and_response() -> None:
    execution = run(
        {"T": Raw(lambda request: {"echo": request})}, None, INVOKE, Parameters={"FunctionName": "f", "Payload": 1}
    )
    assert execution.output == {"echo": {"FunctionName": "f", "Payload": 1}}


def test_the_answer_of_a_callback_is_not_wrapped() -> None:
    parameters = {"FunctionName": "f", "Payload": {"token.$": "$$.Task.Token"}}
    execution = run(
        {"T": lambda event: {"seen": len(event["token"]) > 0}},
        None,
        f"{INVOKE}.waitForTaskToken",
        Parameters=parameters,
    )
    assert execution.output == {"seen": True}


def test_a_function_by_arn_is_not_wrapped() -> None:
    assert run({"T": lambda event: {"echo": event}}, {"Payload": 1}, FUNCTION).output == {"echo": {"Payload": 1}}


# ---- traps


def test_a_fresh_list_of_outcomes_at_every_attempt_begins_with_its_first() -> None:
    """Identity is no name: an object that is gone may have lent its address to the next one."""
    retry = [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 300, "BackoffRate": 1}]
    execution = run({"T": lambda value: Outcomes([TaskError("First"), "second"])}, Retry=retry)
    assert (execution.status, execution.error) == ("FAILED", "First")


def test_an_interrupted_run_is_aborted_and_keeps_its_history() -> None:
    def handler(value: Any) -> Any:
        raise KeyboardInterrupt

    execution = run({"T": handler})
    assert execution.status == "ABORTED"
    assert execution.history.raw[-1]["type"] == "ExecutionAborted"
