"""Reading single events."""

from __future__ import annotations

from typing import Any

import pytest

from sfn_notebook.history.events import ENTERED, EVENT_TYPES, EXITED, MEMBERS, details, ordered, parse


def test_every_event_type_of_the_service_is_known_once() -> None:
    assert len(EVENT_TYPES) == len(set(EVENT_TYPES)) == 62


def test_a_fail_state_is_entered_and_never_exited() -> None:
    assert "FailStateEntered" in ENTERED
    assert "FailStateExited" not in EXITED


@pytest.mark.parametrize(
    ("event_type", "member"),
    [
        ("ExecutionStarted", "executionStartedEventDetails"),
        ("MapStateEntered", "stateEnteredEventDetails"),
        ("SucceedStateExited", "stateExitedEventDetails"),
        ("LambdaFunctionScheduleFailed", "lambdaFunctionScheduleFailedEventDetails"),
        ("MapStateStarted", "mapStateStartedEventDetails"),
        ("EvaluationFailed", "evaluationFailedEventDetails"),
        ("MapStateFailed", None),
        ("LambdaFunctionStarted", None),
        ("WaitStateAborted", None),
    ],
)
def test_each_type_has_the_detail_member_that_boto3_gives_it(event_type: Any, member: Any) -> None:
    assert MEMBERS[event_type] == member


def test_details_are_found_for_known_and_for_future_types() -> None:
    assert details({"type": "TaskFailed", "taskFailedEventDetails": {"error": "E"}}) == {"error": "E"}
    assert details({"type": "QuantumLeapt", "id": 3, "quantumLeaptEventDetails": {"to": 1985}}) == {"to": 1985}


@pytest.mark.parametrize(
    "event",
    [
        {"type": "TaskFailed"},
        {"type": "MapStateFailed"},
        {"type": "Unheard"},
        {},
        {"type": "TaskFailed", "taskFailedEventDetails": None},
    ],
)
def test_missing_details_are_an_empty_mapping(event: Any) -> None:
    assert details(event) == {}


def test_events_come_by_ascending_id_and_are_not_copied_when_they_do_already() -> None:
    forward = [{"id": 1}, {"id": 2}, {"id": 3}]
    assert ordered(forward) is forward
    assert ordered(forward[::-1]) == forward
    assert ordered(iter(forward)) == forward


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a":[1,2.5,null]}', {"a": [1, 2.5, None]}),
        ("null", None),
        (None, None),
        ('{"a": "cut by the serv', '{"a": "cut by the serv'),
        ("", ""),
        ("[" * 5000, "[" * 5000),
    ],
)
def test_a_payload_that_is_no_json_stays_text(text: Any, value: Any) -> None:
    assert parse(text) == value


def test_a_lone_surrogate_survives_parsing() -> None:
    assert parse('"\\ud800"') == "\ud800"
