import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfn_notebook import StateMachine
from sfn_notebook.errors import Json, RunError
from sfn_notebook.sim.mockfile import MockFile, MockFileError, load_mock_file, outcomes
from sfn_notebook.sim.outcomes import Outcomes, Raw, TaskError
from sfn_notebook.strictjson import NotJson

INVOKE = "arn:aws:states:::lambda:invoke"


def ok(value: Json) -> dict[str, Json]:
    return {"Return": value}


def throw(error: str, cause: str = "why") -> dict[str, Json]:
    return {"Throw": {"Error": error, "Cause": cause}}


def file_of(responses: dict[str, Json], case: dict[str, Json] | None = None) -> dict[str, Json]:
    states = {name: name for name in responses} if case is None else case
    return {"StateMachines": {"Orders": {"TestCases": {"Happy": states}}}, "MockedResponses": responses}


FILE = file_of(
    {
        "Charge": {
            "0": throw("Lambda.TooManyRequestsException"),
            "1-2": throw("Busy"),
            "3": ok({"StatusCode": 200, "Payload": "paid"}),
        }
    }
)


def charge(resource: str = INVOKE, **fields: Json) -> dict[str, Json]:
    return {
        "StartAt": "Charge",
        "States": {"Charge": {"Type": "Task", "Resource": resource, "Parameters": {}, "End": True, **fields}},
    }


RETRY = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 5}]


def run(definition: Json, mocks: dict[str, Json], data: Json = None) -> Any:
    handlers = load_mock_file(mocks, "Orders", "Happy")
    return StateMachine.load(definition, name="Orders").run({} if data is None else data, handlers)


def text_of(use: Any) -> str:
    with pytest.raises(MockFileError) as caught:
        use()
    assert isinstance(caught.value, RunError)
    return str(caught.value)


# ---- what a run makes of a test case


def test_attempts_take_the_responses_in_turn_and_the_answer_is_not_wrapped_again() -> None:
    ex = run(charge(Retry=RETRY), FILE)
    assert ex.output == {"StatusCode": 200, "Payload": "paid"}
    errors = [event["taskFailedEventDetails"]["error"] for event in ex.history.raw if event["type"] == "TaskFailed"]
    assert errors == ["Lambda.TooManyRequestsException", "Busy", "Busy"]


@pytest.mark.parametrize("value", [None, 5, "text", [1], {"a": {"b": []}}])
def test_return_may_be_any_json_value(value: Json) -> None:
    assert (
        run(charge("arn:aws:lambda:us-east-1:123456789012:function:f"), file_of({"Charge": {"0": ok(value)}})).output
        == value
    )


def test_a_thrown_error_has_error_and_cause() -> None:
    ex = run(charge(), file_of({"Charge": {"0": throw("Boom", "it blew up")}}))
    assert (ex.status, ex.error, ex.cause) == ("FAILED", "Boom", "it blew up")


def test_a_task_that_waits_for_a_token_is_submitted_before_it_is_answered() -> None:
    ex = run(charge("arn:aws:states:::sqs:sendMessage.waitForTaskToken"), file_of({"Charge": {"0": ok("answer")}}))
    assert ex.output == "answer"
    assert [event["type"] for event in ex.history.raw][2:6] == [
        "TaskScheduled",
        "TaskStarted",
        "TaskSubmitted",
        "TaskSucceeded",
    ]


def test_the_numbers_go_on_over_the_iterations_of_a_map() -> None:
    inner = charge(Retry=RETRY)
    definition = {
        "StartAt": "Each",
        "States": {"Each": {"Type": "Map", "MaxConcurrency": 1, "ItemProcessor": inner, "End": True}},
    }
    mocks = file_of({"Charge": {"0": throw("Busy"), "1": ok("first"), "2": ok("second")}})
    assert run(definition, mocks, [0, 0]).output == ["first", "second"]


def test_each_run_and_each_state_counts_for_itself() -> None:
    mocks = file_of({"Mock": {"0": ok(0), "1": ok(1)}}, {"A": "Mock", "B": "Mock"})
    task = {"Type": "Task", "Resource": INVOKE, "Parameters": {}}
    definition = {"StartAt": "A", "States": {"A": {**task, "Next": "B"}, "B": {**task, "End": True}}}
    machine, handlers = StateMachine.load(definition), load_mock_file(mocks, "Orders", "Happy")
    assert [machine.run({}, handlers).output for _ in range(2)] == [0, 0]


def test_an_invocation_after_the_last_attempt_fails_with_states_runtime() -> None:
    ex = run(charge(Retry=[{"ErrorEquals": ["Busy"]}]), file_of({"Charge": {"0": throw("Busy")}}))
    assert (ex.status, ex.error) == ("FAILED", "States.Runtime")
    assert (
        'mocked response "Charge" of state "Charge" describes 1 attempts, but the state was invoked once more'
        in ex.cause
    )


def test_a_response_without_attempts_fails_only_when_its_state_is_reached() -> None:
    handlers = load_mock_file(file_of({"Charge": {}}), "Orders", "Happy")
    ex = StateMachine.load(charge()).run({}, handlers)
    assert ex.error == "States.Runtime"


# ---- reading


def test_a_file_is_read_from_a_path_too(tmp_path: Path) -> None:
    path = tmp_path / "mocks.json"
    path.write_text(json.dumps(FILE))
    for source in (path, str(path)):
        assert list(load_mock_file(source, "Orders", "Happy")) == ["Charge"]
        assert list(MockFile(source, "Happy").handlers_for("Orders")) == ["Charge"]


def test_states_of_the_case_alone_are_bound_and_other_responses_may_be_broken() -> None:
    mocks = file_of({"Good": {"0": ok(1)}, "Bad": {"x": 5}}, {"Charge": "Good"})
    assert list(load_mock_file(mocks, "Orders", "Happy")) == ["Charge"]


def test_a_machine_of_another_name_is_named_explicitly_or_the_only_one() -> None:
    assert list(MockFile(FILE, "Happy", machine="Orders").handlers_for("my-orders")) == ["Charge"]
    assert list(MockFile(FILE, "Happy").handlers_for(None)) == ["Charge"]
    text = text_of(lambda: MockFile(FILE, "Happy").handlers_for("invoices"))
    assert text == (
        'the mock file has no state machine "invoices"; there is: "Orders" '
        '(MockFile(..., machine="...") takes another name than that of the machine)'
    )


def test_unknown_names_are_answered_with_the_nearest(tmp_path: Path) -> None:
    path = tmp_path / "mocks.json"
    path.write_text(json.dumps(FILE))
    text = text_of(lambda: load_mock_file(path, "Orders", "happy"))
    assert text == f'state machine "Orders" in the mock file {path} has no test case "happy"; did you mean "Happy"?'
    assert 'did you mean "Orders"?' in text_of(lambda: load_mock_file(FILE, "Order", "Happy"))
    broken = file_of({"Charge": {}, "Refund": {}}, {"Charge": "Charg"})
    assert 'has no mocked response "Charg"; did you mean "Charge"?' in text_of(
        lambda: load_mock_file(broken, "Orders", "Happy")
    )
    broken = file_of({"A": {}, "B": {}}, {"Charge": 5})
    assert 'has no mocked response 5; there are: "A", "B"' in text_of(lambda: load_mock_file(broken, "Orders", "Happy"))


def test_a_mocked_state_that_the_machine_lacks_is_refused_when_its_states_are_known() -> None:
    handlers_for = MockFile(FILE, "Happy").handlers_for
    assert list(handlers_for("Orders", ["Charge", "Ship"])) == ["Charge"]
    text = text_of(lambda: handlers_for("Orders", ["Chargé", "Ship"]))
    assert text.startswith('state machine "Orders" has no state "Charge"; did you mean "Chargé"? (test case "Happy"')


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({}, 'the mock file needs an object "StateMachines", but found null'),
        ({"StateMachines": []}, 'needs an object "StateMachines", but found []'),
        (
            {"StateMachines": {"Orders": {}}},
            'state machine "Orders" in the mock file needs an object "TestCases", but found null',
        ),
        ({"StateMachines": {"Orders": {"TestCases": {"Happy": {}}}}}, 'needs an object "MockedResponses"'),
        (
            {"StateMachines": {"Orders": {"TestCases": {"Happy": 1}}}, "MockedResponses": {}},
            "must map state names to mocked responses",
        ),
    ],
)
def test_what_is_not_of_the_format_is_said(content: dict[str, Json], text: str) -> None:
    assert text in text_of(lambda: load_mock_file(content, "Orders", "Happy"))


def test_a_file_that_cannot_be_read_or_is_no_json_is_said(tmp_path: Path) -> None:
    assert "cannot be read: No such file" in text_of(lambda: MockFile(tmp_path / "no.json", "Happy"))
    (tmp_path / "m.json").write_text("[]")
    assert "must be an object" in text_of(lambda: MockFile(tmp_path / "m.json", "Happy"))
    (tmp_path / "m.json").write_text("{,}")
    with pytest.raises(NotJson, match=r"the mock file .*m\.json is not JSON"):
        MockFile(tmp_path / "m.json", "Happy")


# ---- attempts


@pytest.mark.parametrize(
    ("response", "text"),
    [
        ([], "must map attempts to Return or Throw, but found []"),
        ({"0": ok(1), "0-1": ok(2)}, 'describes attempt 0 twice, the second time in "0-1"'),
        ({"0-2": ok(1), "2": ok(2)}, 'describes attempt 2 twice, the second time in "2"'),
        ({"1": ok(1)}, "describes attempt 1, but not 0; attempts are numbered from 0"),
        ({"0": ok(1), "4": ok(1)}, "describes attempt 4, but not 1-3"),
        ({"first": ok(1)}, 'has the attempt "first"; write a number from 0, or a range such as "1-2"'),
        ({"2-1": ok(1)}, 'has the attempt "2-1"'),
        ({"-1": ok(1)}, 'has the attempt "-1"'),
        ({"0-99999999999": ok(1)}, "the greatest number is 1,000,000"),
        ({"0": {}}, 'attempt "0" of mocked response "M" needs either Return or Throw, but has neither'),
        ({"0": {**ok(1), **throw("E")}}, "needs either Return or Throw, but has Return and Throw"),
        ({"0": 5}, "needs either Return or Throw, but has neither"),
        ({"0": {**ok(1), "Delay": 1}}, 'has "Delay" beside Return'),
        ({"0": {"Throw": {"Cause": "x"}}}, "needs Error and Cause as text, but found"),
        ({"0": {"Throw": "E"}}, "needs Error and Cause as text"),
    ],
)
def test_attempts_that_make_no_sense_are_refused(response: Json, text: str) -> None:
    assert text in text_of(lambda: outcomes("M", response, "State"))


@given(st.lists(st.tuples(st.integers(1, 4), st.booleans()), max_size=6), st.randoms())
def test_ranges_in_any_order_give_each_attempt_its_own_answer(parts: list[tuple[int, bool]], random: Any) -> None:
    response: dict[str, Json] = {}
    expected: list[tuple[str, int]] = []
    for number, (count, fails) in enumerate(parts):
        first, last = len(expected), len(expected) + count - 1
        key = f"{first}-{last}" if count > 1 else str(first)
        response[key] = throw(f"E{number}") if fails else ok(number)
        expected += [("throw" if fails else "return", number)] * count
    keys = list(response)
    random.shuffle(keys)
    found = outcomes("M", {key: response[key] for key in keys}, "State")
    assert isinstance(found, Outcomes)
    *answers, after = found.outcomes
    assert [meaning(answer) for answer in answers] == expected
    assert isinstance(after, TaskError)
    assert after.error == "States.Runtime"


def meaning(answer: Any) -> tuple[str, int]:
    if isinstance(answer, TaskError):
        return "throw", int(answer.error[1:])
    assert isinstance(answer, Raw)
    return "return", answer.function({})
