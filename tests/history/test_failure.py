"""Root, terminal and handled failures told apart."""

from __future__ import annotations

from typing import Any

from sfn_notebook.history.failure import failure


def _report(w: Any) -> Any:
    return failure(w.events)


def _task(w: Any, previous: int, *kinds: str, name: str = "T", **detail: Any) -> Any:
    return w.chain(w.add("TaskStateEntered", previous, name=name), "TaskScheduled", *kinds, **detail)


def test_nothing_went_wrong(new_writer: Any) -> None:
    w = new_writer()
    w.add("ExecutionSucceeded", w.chain(0, "PassStateEntered", "PassStateExited", name="A"))
    assert _report(w) is None


def test_the_root_is_the_task_inside_and_the_end_is_the_map(new_writer: Any) -> None:
    w = new_writer()
    started = w.chain(w.add("MapStateEntered", 0, name="M"), "MapStateStarted")
    failed = _task(w, w.add("MapIterationStarted", started, name="M", index=2), "TaskFailed", error="E", cause="c")
    w.add("MapIterationFailed", failed, name="M", index=2)
    end = w.add("ExecutionFailed", w.add("MapStateFailed", failed), error="E", cause="c")
    found = _report(w)
    assert (found.root.event, found.root.state, found.root.place, found.root.error) == (failed, "T", (("M", 2),), "E")
    assert (found.root.event_type, found.root.attempt, found.root.state_type) == ("TaskFailed", 1, "Task")
    assert (found.terminal.event, found.terminal.state, found.terminal.error) == (end, "M", "E")
    assert found.handled == ()
    assert str(found) == "FAILED: M[2]/T: E\nended in M: E"


def test_a_catcher_that_leads_to_a_fail_state_did_not_handle(new_writer: Any) -> None:
    w = new_writer()
    failed = _task(w, 0, "TaskFailed", error="ServiceException")
    notify = w.chain(w.add("TaskStateExited", failed, name="T"), "PassStateEntered", "PassStateExited", name="Notify")
    w.add("ExecutionFailed", w.add("FailStateEntered", notify, name="Stop"), error="OrderFailed")
    found = _report(w)
    assert (found.root.state, found.root.error, found.root.event) == ("T", "ServiceException", failed)
    assert (found.terminal.state, found.terminal.error) == ("Stop", "OrderFailed")
    assert found.handled == ()


def test_a_choice_after_a_catcher_is_a_new_beginning(new_writer: Any) -> None:
    w = new_writer()
    failed = _task(w, 0, "TaskFailed", error="E")
    choice = w.chain(w.add("TaskStateExited", failed, name="T"), "ChoiceStateEntered", "ChoiceStateExited", name="C")
    w.add("ExecutionFailed", w.add("FailStateEntered", choice, name="Stop"), error="TooOld")
    found = _report(w)
    assert (found.root.state, found.root.error) == ("Stop", "TooOld")
    assert [(f.state, f.handling, f.handler) for f in found.handled] == [("T", "caught", "T")]


def test_failures_that_were_retried_or_caught_are_listed_in_order(new_writer: Any) -> None:
    w = new_writer()
    first = _task(w, 0, "TaskFailed", error="E1")
    second = w.chain(first, "TaskScheduled", "TaskTimedOut", error="E2")
    w.add("ExecutionSucceeded", w.add("TaskStateExited", second, name="T"))
    found = _report(w)
    assert (found.status, found.root, found.terminal) == ("SUCCEEDED", None, None)
    assert [(f.event, f.error, f.attempt, f.handling) for f in found.handled] == [
        (first, "E1", 1, "retried"),
        (second, "E2", 2, "caught"),
    ]


def test_a_failure_retried_away_by_the_map_around_it_names_the_map(new_writer: Any) -> None:
    w = new_writer()
    started = w.chain(w.add("MapStateEntered", 0, name="M"), "MapStateStarted")
    failed = _task(w, w.add("MapIterationStarted", started, name="M", index=0), "TaskFailed", error="E")
    w.add("MapIterationFailed", failed, name="M", index=0)
    again = w.add("MapStateStarted", failed)
    w.add("MapStateExited", again, name="M")
    (fault,) = _report(w).handled
    assert (fault.state, fault.error, fault.handling, fault.handler) == ("T", "E", "retried", "M")


def test_the_last_run_of_a_retried_map_was_not_handled(new_writer: Any) -> None:
    w = new_writer()
    before = w.add("MapStateEntered", 0, name="M")
    for _ in range(2):
        start = w.add("MapIterationStarted", w.add("MapStateStarted", before), name="M", index=0)
        before = _task(w, start, "TaskFailed", error="E")
        w.add("MapIterationFailed", before, name="M", index=0)
    w.add("ExecutionFailed", w.add("MapStateFailed", before), error="E")
    found = _report(w)
    assert (found.root.event, [f.event for f in found.handled]) == (before, [6])


def test_a_runtime_error_began_in_the_state_that_its_cause_names(new_writer: Any) -> None:
    w = new_writer()
    entered = w.add("WaitStateEntered", 0, name="W")
    cause = f"An error occurred while executing the state 'W' (entered at the event id #{entered}). Oh"
    w.add("ExecutionFailed", entered, error="States.Runtime", cause=cause)
    found = _report(w)
    assert (found.root.state, found.root.error, found.root.event_type) == ("W", "States.Runtime", "ExecutionFailed")


def test_a_stopped_execution_says_where_it_was(new_writer: Any) -> None:
    w = new_writer()
    w.add("WaitStateEntered", 0, name="W")
    w.add("ExecutionAborted", 0, error="Stopped", cause="by hand")
    found = _report(w)
    assert (found.status, found.root.state, found.terminal.error) == ("ABORTED", "W", "Stopped")
    assert str(found) == "ABORTED: W: Stopped"
