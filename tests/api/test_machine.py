"""`StateMachine.load` and `run` as users call them: defaults, seeds, starts, names, errors, and the order-processing workflow."""

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from sfn_notebook import CommandError, DefinitionError, Outcomes, RunError, StateMachine, TaskError
from sfn_notebook.errors import Severity

HELLO: dict[str, Any] = {
    "StartAt": "Hello",
    "States": {"Hello": {"Type": "Pass", "Result": {"greeting": "hi"}, "End": True}},
}
RANDOM = {
    "StartAt": "R",
    "States": {
        "R": {
            "Type": "Pass",
            "Parameters": {"id.$": "States.UUID()", "n.$": "States.MathRandom(0, 100000)"},
            "End": True,
        }
    },
}

ORDERS: dict[str, Any] = {
    "Comment": "Validate an order, charge and reserve side by side, confirm or say sorry",
    "StartAt": "Validate",
    "States": {
        "Validate": {
            "Type": "Task",
            "Resource": "arn:aws:lambda:us-east-1:123456789012:function:validate",
            "Retry": [{"ErrorEquals": ["ServiceException"], "IntervalSeconds": 2, "MaxAttempts": 3, "BackoffRate": 2}],
            "Catch": [{"ErrorEquals": ["ValidationError"], "ResultPath": "$.error", "Next": "Invalid"}],
            "ResultPath": "$.validation",
            "Next": "Both",
        },
        "Both": {
            "Type": "Parallel",
            "Branches": [
                {"StartAt": "Charge", "States": {"Charge": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": "charge", "Payload.$": "$"}, "OutputPath": "$.Payload", "End": True}}},
                {"StartAt": "Reserve", "States": {"Reserve": {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "End": True}}},
            ],
            "ResultPath": "$.results",
            "Next": "Fine?",
        },
        "Fine?": {
            "Type": "Choice",
            "Choices": [
                {
                    "And": [
                        {"Variable": "$.results[0].status", "StringEquals": "CHARGED"},
                        {"Variable": "$.results[1].status", "StringEquals": "RESERVED"},
                    ],
                    "Next": "Confirm",
                }
            ],
            "Default": "Sorry",
        },
        "Confirm": {"Type": "Pass", "Result": "confirmed", "ResultPath": "$.mail", "End": True},
        "Sorry": {"Type": "Pass", "Result": "sorry", "ResultPath": "$.mail", "End": True},
        "Invalid": {"Type": "Fail", "Error": "OrderInvalid", "Cause": "see the order"},
    },
}  # fmt: skip
HANDLERS: dict[str, Any] = {
    "Validate": lambda order: {"ok": True},
    "Charge": lambda order: {"status": "CHARGED"},
    "Reserve": {"status": "RESERVED"},
}


# ---- the main job


def test_an_order_that_is_fine_is_confirmed() -> None:
    execution = StateMachine.load(ORDERS, name="orders").run({"id": 1}, HANDLERS, seed=1)
    assert execution.status == "SUCCEEDED"
    assert execution.output["mail"] == "confirmed"
    names = [visit.name for visit in execution.history.visits]
    assert sorted(names) == sorted(["Validate", "Both", "Charge", "Reserve", "Fine?", "Confirm"])
    assert names[-2:] == ["Fine?", "Confirm"]


def test_an_invalid_order_fails_with_the_error_of_the_fail_state() -> None:
    class ValidationError(Exception):
        pass

    def refuse(order: Any) -> Any:
        raise ValidationError("no items")

    execution = StateMachine.load(ORDERS).run({"id": 1}, {**HANDLERS, "Validate": refuse}, seed=1)
    assert (execution.status, execution.error, execution.cause) == ("FAILED", "OrderInvalid", "see the order")
    assert execution.output is None


def test_a_service_that_fails_twice_is_tried_again_after_two_and_four_seconds() -> None:
    validate = Outcomes([TaskError("ServiceException"), TaskError("ServiceException"), {"ok": True}])
    execution = StateMachine.load(ORDERS).run({"id": 1}, {**HANDLERS, "Validate": validate}, seed=1)
    raw = execution.history.raw
    moments = [
        (event["timestamp"] - raw[0]["timestamp"]).total_seconds()
        for event in raw
        if event["type"] == "LambdaFunctionScheduled"
    ]
    assert moments == [0, 2, 6]
    assert execution.status == "SUCCEEDED"


def test_goods_that_are_not_there_lead_to_an_apology() -> None:
    execution = StateMachine.load(ORDERS).run({"id": 1}, {**HANDLERS, "Reserve": {"status": "SOLD OUT"}}, seed=1)
    assert execution.output["mail"] == "sorry"


# ---- load


@pytest.mark.parametrize(
    "source",
    [
        HELLO,
        json.dumps(HELLO),
        json.dumps(HELLO, indent=2),
        "StartAt: Hello\nStates:\n  Hello:\n    Type: Pass\n    Result: {greeting: hi}\n    End: true\n",
    ],
    ids=["dict", "one line", "JSON", "YAML"],
)
def test_a_definition_is_read_from_a_dict_json_or_yaml(source: Any) -> None:
    machine = StateMachine.load(source)
    assert machine.name == "StateMachine"
    assert machine.definition == HELLO
    assert machine.run(seed=1).output == {"greeting": "hi"}


@pytest.mark.parametrize(("file", "name"), [("hello.asl.json", "hello"), ("hello.yaml", "hello"), ("a b.json", "a-b")])
def test_a_definition_is_read_from_a_path_and_named_after_it(tmp_path: Path, file: str, name: str) -> None:
    path = tmp_path / file
    text = json.dumps(HELLO, indent=1)
    path.write_text(text)
    for source in (path, str(path)):
        machine = StateMachine.load(source)
        assert (machine.name, machine.source, machine.definition) == (name, text, HELLO)
    assert StateMachine.load(path, name="mine").name == "mine"


def test_the_source_text_is_kept_byte_for_byte() -> None:
    text = '{ "StartAt" : "Hello",\n\t"States":{"Hello":{"Type":"Succeed"}}}\n\n'
    assert StateMachine.load(text).source == text


def test_substitutions_fill_placeholders_and_the_source_keeps_them() -> None:
    text = json.dumps(HELLO).replace('"hi"', '"${Greeting}"')
    machine = StateMachine.load(text, substitutions={"Greeting": "moin"})
    assert machine.run(seed=1).output == {"greeting": "moin"}
    assert machine.source == text


def test_a_text_that_cannot_be_read_is_refused_with_line_column_and_caret() -> None:
    with pytest.raises(DefinitionError) as caught:
        StateMachine.load('{\n  "StartAt": "A",\n  "States": {,}\n}')
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.line, diagnostic.column, diagnostic.severity) == (3, 14, Severity.ERROR)
    assert '3 |   "States": {,}\n  |              ^' in str(caught.value)


def test_a_machine_with_errors_is_given_but_does_not_run() -> None:
    machine = StateMachine.load({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "Nowhere"}}})
    assert "/States/A/Next" in [diagnostic.pointer for diagnostic in machine.errors]
    with pytest.raises(DefinitionError, match="Nowhere"):
        machine.run()
    assert repr(machine) == f"<StateMachine 'StateMachine': 1 states, {len(machine.errors)} errors>"


# ---- run


def test_without_arguments_a_run_has_an_empty_input_a_name_and_a_start_of_now() -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    execution = StateMachine.load(HELLO).run()
    assert execution.input == {}
    assert execution.name.startswith("run-")
    assert before <= execution.history.raw[0]["timestamp"] <= datetime.now(UTC) + timedelta(seconds=1)
    assert execution.history.raw[0]["timestamp"].microsecond % 1000 == 0
    assert execution.arn == f"arn:aws:states:us-east-1:123456789012:execution:StateMachine:{execution.name}"


def test_the_same_seed_gives_the_same_history_and_another_another() -> None:
    machine = StateMachine.load(RANDOM)
    first, again, other = (machine.run(seed=seed) for seed in (1, 1, 2))
    assert first.history.raw == again.history.raw
    assert first.output != other.output
    assert first.seed == 1


def test_the_seed_of_a_run_without_one_repeats_it() -> None:
    machine = StateMachine.load(RANDOM)
    first = machine.run()
    start = first.history.raw[0]["timestamp"]
    assert machine.run(seed=first.seed, start=start).history.raw == first.history.raw
    assert machine.run().output != first.output


@pytest.mark.parametrize(
    "start",
    [
        "2026-03-01T12:00:00Z",
        "2026-03-01T14:00:00+02:00",
        datetime(2026, 3, 1, 12, tzinfo=UTC),
        datetime(2026, 3, 1, 13, tzinfo=timezone(timedelta(hours=1))),
    ],
    ids=str,
)
def test_a_run_starts_when_it_is_told_to(start: Any) -> None:
    raw = StateMachine.load(HELLO).run(start=start).history.raw
    assert raw[0]["timestamp"] == datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "message"),
    [
        ("tomorrow", "start must be an ISO-8601"),
        ("2026-03-01", "start must be"),
        (datetime(2026, 3, 1), "must have a time zone"),
    ],
    ids=str,
)
def test_a_start_that_is_no_moment_is_refused(start: Any, message: str) -> None:
    with pytest.raises(RunError, match=message):
        StateMachine.load(HELLO).run(start=start)


@pytest.mark.parametrize("start", [5, 1.5, ["x"]])
def test_a_start_of_another_type_is_refused_with_a_message(start: Any) -> None:
    with pytest.raises((RunError, CommandError), match="start"):
        StateMachine.load(HELLO).run(start=start)


def test_type_and_name_are_those_of_the_run() -> None:
    execution = StateMachine.load(HELLO, name="orders").run(type="EXPRESS", name="o-1", seed=1)
    assert execution.arn.startswith("arn:aws:states:us-east-1:123456789012:express:orders:o-1:")
    with pytest.raises(CommandError, match='"STANDARD" or "EXPRESS"'):
        StateMachine.load(HELLO).run(type="FAST")


@pytest.mark.parametrize("data", [None, 0, "text", [], [1], {"a": 1}, True])
def test_any_json_value_is_an_input_and_none_stands_for_an_empty_object(data: Any) -> None:
    machine = StateMachine.load({"StartAt": "S", "States": {"S": {"Type": "Succeed"}}})
    assert machine.run(data, seed=1).output == ({} if data is None else data)


@pytest.mark.parametrize(
    ("data", "message"),
    [({1}, "the input holds a set"), ({"a": float("nan")}, r"nan at \$\.a"), (object(), "not JSON")],
)
def test_an_input_that_is_no_json_is_refused(data: Any, message: str) -> None:
    with pytest.raises(RunError, match=message):
        StateMachine.load(HELLO).run(data)


def test_runs_of_one_machine_do_not_know_of_each_other() -> None:
    machine = StateMachine.load(ORDERS)
    outcomes = Outcomes([TaskError("ServiceException"), {"ok": True}])
    runs = [machine.run({"id": n}, {**HANDLERS, "Validate": outcomes}, seed=n) for n in range(3)]
    assert [run.status for run in runs] == ["SUCCEEDED"] * 3
    assert [len(run.history) for run in runs] == [len(runs[0].history)] * 3
    assert [run.output["id"] for run in runs] == [0, 1, 2]


def test_reprs_are_one_line_that_says_what_it_is() -> None:
    machine = StateMachine.load(HELLO, name="orders")
    execution = machine.run(seed=1)
    assert repr(machine) == "<StateMachine 'orders': 1 states, 0 errors>"
    assert repr(execution) == "<Execution 'run-000000000001' of 'orders': SUCCEEDED, 4 events>"
    failed = StateMachine.load({"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "E"}}}).run(seed=1)
    assert repr(failed).endswith("FAILED, 3 events error='E'>")
