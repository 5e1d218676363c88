"""The state of affairs after each event."""

from __future__ import annotations

from typing import Any

import pytest

from sfn_notebook import StateMachine
from sfn_notebook.errors import CommandError
from sfn_notebook.history.snapshot import Cursor, snapshot


@pytest.fixture
def nested(new_writer: Any) -> Any:
    w = new_writer()
    w.add("ExecutionStarted", 0, input='{"n":1}')
    done = w.add(
        "PassStateExited", w.add("PassStateEntered", 0, name="A"), name="A", assignedVariables={"x": "1", "y": "2"}
    )
    started = w.chain(w.add("MapStateEntered", done, name="M"), "MapStateStarted", length=1)
    iteration = w.add("MapIterationStarted", started, name="M", index=0)
    inner = w.add("PassStateEntered", iteration, name="B")
    inner = w.add("PassStateExited", inner, name="B", assignedVariables={"z": "3"})
    task = w.add("TaskStateEntered", inner, name="T", input='{"i":0}')
    failed = w.chain(task, "TaskScheduled", "TaskStarted", "TaskFailed", error="E")
    good = w.chain(failed, "TaskScheduled", "TaskSucceeded", output='{"ok":true}')
    last = w.add("MapIterationSucceeded", w.add("TaskStateExited", good, name="T"), name="M", index=0)
    w.add("MapStateSucceeded", last)
    w.add("ExecutionSucceeded", w.add("MapStateExited", last, name="M", output="[]"), output="[9]")
    return w.events


def test_before_the_first_event_nothing_is_active() -> None:
    shot = snapshot([], 0)
    assert (shot.position, shot.event, shot.status, shot.active, shot.current) == (0, None, "RUNNING", (), None)


def test_a_state_inside_a_map_is_active_together_with_the_map(nested: Any) -> None:
    shot = snapshot(nested, 9)
    assert [(a.name, a.place) for a in shot.active] == [("M", ()), ("T", (("M", 0),))]
    assert shot.current is not None
    assert (shot.current.name, shot.current.phase, shot.current.input) == ("T", "entered", {"i": 0})
    assert shot.place == (("M", 0),)


def test_variables_of_outer_states_are_visible_inside_and_inner_ones_are_not_outside(nested: Any) -> None:
    assert snapshot(nested, 9).variables == {"x": 1, "y": 2, "z": 3}
    assert snapshot(nested, 9).active[0].variables == {"x": 1, "y": 2}
    assert snapshot(nested).variables == {"x": 1, "y": 2}


def test_the_phase_follows_the_attempts(nested: Any) -> None:
    shown: list[Any] = [snapshot(nested, k).current for k in range(9, 15)]
    phases = [(active.phase, active.attempts, active.error) for active in shown]
    assert phases == [
        ("entered", 1, None),
        ("scheduled", 1, None),
        ("started", 1, None),
        ("failed", 1, "E"),
        ("scheduled", 2, None),
        ("succeeded", 2, None),
    ]


def test_data_is_what_was_seen_last(nested: Any) -> None:
    assert snapshot(nested, 1).data == {"n": 1}
    assert snapshot(nested, 14).data == {"ok": True}
    assert (snapshot(nested).data, snapshot(nested).output, snapshot(nested).status) == ([9], [9], "SUCCEEDED")


def test_states_are_counted_by_status(nested: Any) -> None:
    assert snapshot(nested, 9).counts == {
        "A": {"SUCCEEDED": 1},
        "M": {"RUNNING": 1},
        "B": {"SUCCEEDED": 1},
        "T": {"RUNNING": 1},
    }


def test_going_back_gives_what_was_seen_going_forward(nested: Any) -> None:
    cursor = Cursor(nested)
    seen = [cursor.at(k) for k in range(len(nested) + 1)]
    assert [cursor.at(k) for k in reversed(range(len(nested) + 1))] == seen[::-1]
    assert len({repr(shot) for shot in seen}) == len(seen)


def test_a_snapshot_does_not_change_when_the_cursor_goes_on(nested: Any) -> None:
    cursor = Cursor(nested)
    shot = cursor.at(9)
    before = repr(shot)
    cursor.at(-1)
    assert repr(shot) == before


def test_a_position_outside_the_history_is_refused(nested: Any) -> None:
    total = len(nested)
    assert snapshot(nested, -1).position == snapshot(nested, total).position == total
    for k in (total + 1, -total - 2):
        with pytest.raises(CommandError, match=f"no event {k}: the history has {total} events"):
            snapshot(nested, k)


def test_the_data_is_that_of_the_state_at_hand_whatever_goes_on_beside_it() -> None:
    item = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:t", "End": True}
    each = {"Type": "Map", "ItemProcessor": {"StartAt": "T", "States": {"T": item}}, "End": True}

    def handler(value: str) -> str:
        if value == "bad":
            raise ValueError
        return value.upper()

    events = StateMachine.load({"StartAt": "M", "States": {"M": each}}).run(["a", "bad"], {"T": handler}).history.raw
    seen = {event["id"]: snapshot(events, event["id"]) for event in events}
    failed = next(event["id"] for event in events if event["type"] == "LambdaFunctionFailed")
    assert (seen[failed].data, seen[failed].place) == ("bad", (("M", 1),))
    began = [event["id"] for event in events if event["type"] == "MapIterationStarted"]
    assert [seen[event].data for event in began] == [["a", "bad"]] * 2
    answered = next(event["id"] for event in events if event["type"] == "LambdaFunctionSucceeded")
    assert seen[answered].data == "A"
    done = next(event["id"] for event in events if event["type"] == "MapIterationSucceeded")
    assert seen[done].data == "A"
