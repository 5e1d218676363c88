from dataclasses import dataclass

import pytest

from sfn_notebook.history.visits import fold
from sfn_notebook.render.overlay import overlay_from_visits, status_of
from sfn_notebook.render.theme import Status


def test_a_state_shows_its_most_telling_status() -> None:
    rows = [{"name": "A", "status": status} for status in ("SUCCEEDED", "CAUGHT", "FAILED", "SUCCEEDED")]
    assert overlay_from_visits(rows).of("A").status is Status.FAILED
    assert overlay_from_visits([*rows, {"name": "A", "status": "RUNNING"}]).of("A").status is Status.RUNNING
    assert overlay_from_visits(rows).of("A").visits == 4


def test_a_state_without_visits_was_not_reached() -> None:
    assert overlay_from_visits([]).of("A").status is Status.NOT_REACHED


def test_retries_are_attempts_beyond_the_first() -> None:
    rows = [{"name": "A", "status": "SUCCEEDED", "attempts": n} for n in (3, 1, 2)]
    assert overlay_from_visits(rows).of("A").retries == 3


def test_each_error_is_kept_once() -> None:
    rows = [{"name": "A", "status": "FAILED", "error": error} for error in ("E1", "E2", "E1", None, float("nan"))]
    assert overlay_from_visits(rows).of("A").errors == ("E1", "E2")


def test_iterations_are_counted_from_objects_or_from_numbers() -> None:
    @dataclass
    class Iteration:
        status: str

    items = [Iteration("SUCCEEDED"), Iteration("FAILED"), Iteration("RUNNING")]
    for row in ({"iterations": items, "length": 5}, {"succeeded": 1, "failed": 1, "total": 5}):
        state = overlay_from_visits([{"name": "M", "status": "FAILED", **row}]).of("M")
        assert (state.iterations_succeeded, state.iterations_failed, state.iterations_total) == (1, 1, 5)


def test_edges_follow_the_visits_own_next() -> None:
    rows = [
        {"id": 1, "name": "M", "status": "SUCCEEDED", "next": 9},
        {"id": 2, "name": "A", "status": "SUCCEEDED", "next": 4},
        {"id": 3, "name": "A", "status": "CAUGHT", "next": 5},
        {"id": 4, "name": "B", "status": "SUCCEEDED", "next": None},
        {"id": 5, "name": "B", "status": "SUCCEEDED", "next": None},
        {"id": 9, "name": "C", "status": "SUCCEEDED", "next": None},
    ]
    overlay = overlay_from_visits(rows)
    assert overlay.edges == {("", "M"): 1, ("M", "C"): 1, ("", "A"): 2, ("A", "B"): 2}
    assert (overlay.taken("A", "B"), overlay.taken("A", "B", caught=True)) == (1, 1)


def test_without_next_visits_of_a_place_follow_each_other() -> None:
    rows = [
        {"name": name, "status": "SUCCEEDED", "place": place}
        for name, place in (("M", ""), ("A", "M[0]"), ("A", "M[1]"), ("B", "M[0]"), ("C", ""))
    ]
    assert overlay_from_visits(rows).edges == {("", "M"): 1, ("M", "C"): 1, ("", "A"): 2, ("A", "B"): 1}


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("SUCCEEDED", Status.SUCCEEDED),
        ("TIMED_OUT", Status.FAILED),
        ("not reached", Status.NOT_REACHED),
        (Status.CAUGHT, Status.CAUGHT),
        (None, Status.RUNNING),
        ("something new", Status.RUNNING),
    ],
)
def test_status_words_are_read_as_aws_and_as_we_write_them(word: object, status: Status) -> None:
    assert status_of(word) is status


def test_a_running_wait_is_waiting() -> None:
    assert overlay_from_visits([{"name": "W", "type": "Wait", "status": "RUNNING"}]).of("W").status is Status.WAITING


def test_visits_of_a_folded_history_fit() -> None:
    events = [
        {"id": 1, "previousEventId": 0, "type": "ExecutionStarted", "executionStartedEventDetails": {"input": "{}"}},
        {
            "id": 2,
            "previousEventId": 0,
            "type": "PassStateEntered",
            "stateEnteredEventDetails": {"name": "A", "input": "{}"},
        },
        {
            "id": 3,
            "previousEventId": 2,
            "type": "PassStateExited",
            "stateExitedEventDetails": {"name": "A", "output": "{}"},
        },
        {
            "id": 4,
            "previousEventId": 3,
            "type": "WaitStateEntered",
            "stateEnteredEventDetails": {"name": "B", "input": "{}"},
        },
    ]
    overlay = overlay_from_visits(fold(events), status="RUNNING")
    assert overlay.edges == {("", "A"): 1, ("A", "B"): 1}
    assert (overlay.of("A").status, overlay.of("B").status) == (Status.SUCCEEDED, Status.WAITING)
    assert overlay.status is Status.RUNNING
