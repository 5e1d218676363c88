"""Where events happened: one test for each way in which the chain of the service jumps."""

from __future__ import annotations

from typing import Any

from sfn_notebook.history.places import place_text, places


def _by_type(events: Any, wanted: str) -> list[Any]:
    return [place for event, place in zip(events, places(events), strict=True) if event["type"] == wanted]


def test_the_first_state_points_at_nothing_and_is_at_the_top(new_writer: Any) -> None:
    w = new_writer()
    w.add("ExecutionStarted", 0)
    w.add("PassStateEntered", 0, name="A")
    assert places(w.events) == [(), ()]


def test_iterations_that_interleave_are_told_apart(new_writer: Any) -> None:
    w = new_writer()
    started = w.chain(w.add("MapStateEntered", 0, name="M"), "MapStateStarted", length=2)
    first = w.add("MapIterationStarted", started, name="M", index=0)
    second = w.add("MapIterationStarted", started, name="M", index=1)
    a = w.add("PassStateEntered", second, name="A")
    b = w.add("PassStateEntered", first, name="A")
    w.add("PassStateExited", b, name="A")
    w.add("PassStateExited", a, name="A")
    assert places(w.events)[4:] == [(("M", 1),), (("M", 0),), (("M", 0),), (("M", 1),)]


def test_with_concurrency_one_an_iteration_starts_from_inside_the_one_before(new_writer: Any) -> None:
    w = new_writer()
    started = w.chain(w.add("MapStateEntered", 0, name="M"), "MapStateStarted", length=2)
    i0 = w.add("MapIterationStarted", started, name="M", index=0)
    e0 = w.chain(i0, "PassStateEntered", "PassStateExited", name="A")
    w.add("MapIterationSucceeded", e0, name="M", index=0)
    i1 = w.add("MapIterationStarted", e0, name="M", index=1)
    w.add("PassStateEntered", i1, name="A")
    assert places(w.events)[-2:] == [(("M", 1),), (("M", 1),)]


def test_a_map_exits_from_inside_its_last_iteration(new_writer: Any) -> None:
    w = new_writer()
    started = w.chain(w.add("MapStateEntered", 0, name="M"), "MapStateStarted", length=1)
    i0 = w.add("MapIterationStarted", started, name="M", index=0)
    ended = w.add(
        "MapIterationSucceeded", w.chain(i0, "PassStateEntered", "PassStateExited", name="A"), name="M", index=0
    )
    w.add("MapStateSucceeded", ended)
    w.add("PassStateEntered", w.add("MapStateExited", ended, name="M"), name="B")
    assert places(w.events)[-3:] == [(), (), ()]


def test_nested_maps_climb_to_the_right_one(new_writer: Any) -> None:
    w = new_writer()
    outer = w.add(
        "MapIterationStarted", w.chain(w.add("MapStateEntered", 0, name="O"), "MapStateStarted"), name="O", index=4
    )
    inner = w.chain(w.add("MapStateEntered", outer, name="I"), "MapStateStarted")
    last = w.add("MapIterationSucceeded", w.add("MapIterationStarted", inner, name="I", index=2), name="I", index=2)
    w.add("MapStateSucceeded", last)
    w.add("MapIterationSucceeded", w.add("MapStateExited", last, name="I"), name="O", index=4)
    assert places(w.events)[-4:] == [(("O", 4), ("I", 2)), (("O", 4),), (("O", 4),), (("O", 4),)]


def test_a_retried_map_starts_again_from_the_failure_inside(new_writer: Any) -> None:
    w = new_writer()
    started = w.chain(w.add("MapStateEntered", 0, name="M"), "MapStateStarted")
    failed = w.add("FailStateEntered", w.add("MapIterationStarted", started, name="M", index=0), name="F")
    w.add("MapIterationFailed", failed, name="M", index=0)
    again = w.add("MapStateStarted", failed, length=1)
    w.add("MapIterationStarted", again, name="M", index=0)
    assert places(w.events)[-3:] == [(("M", 0),), (), (("M", 0),)]


def test_a_failure_of_an_inner_map_lets_the_outer_one_fail_next(new_writer: Any) -> None:
    w = new_writer()
    outer = w.add(
        "MapIterationStarted", w.chain(w.add("MapStateEntered", 0, name="O"), "MapStateStarted"), name="O", index=0
    )
    inner = w.chain(w.add("MapStateEntered", outer, name="I"), "MapStateStarted")
    failed = w.add("FailStateEntered", w.add("MapIterationStarted", inner, name="I", index=0), name="F")
    inner_failed = w.add("MapStateFailed", failed)
    w.add("MapIterationFailed", inner_failed, name="O", index=0)
    w.add("MapStateFailed", inner_failed)
    assert _by_type(w.events, "MapStateFailed") == [(("O", 0),), ()]


def test_branches_are_numbered_by_entry_and_keep_their_number_in_a_retry(new_writer: Any) -> None:
    w = new_writer()
    started = w.chain(w.add("ParallelStateEntered", 0, name="P"), "ParallelStateStarted")
    w.add("PassStateEntered", started, name="B")
    failed = w.add("FailStateEntered", started, name="A")
    again = w.add("ParallelStateStarted", failed)
    w.add("FailStateEntered", again, name="A")
    w.add("PassStateEntered", again, name="B")
    assert places(w.events)[2:] == [(("P", 0),), (("P", 1),), (), (("P", 1),), (("P", 0),)]


def test_the_definition_can_fix_the_numbers_of_branches(new_writer: Any) -> None:
    w = new_writer()
    started = w.chain(w.add("ParallelStateEntered", 0, name="P"), "ParallelStateStarted")
    w.add("PassStateEntered", started, name="B")
    w.add("PassStateEntered", started, name="A")
    assert places(w.events, {"P": ["A", "B"]})[2:] == [(("P", 1),), (("P", 0),)]


def test_a_failed_evaluation_points_before_its_state_yet_belongs_to_its_branch(new_writer: Any) -> None:
    w = new_writer()
    started = w.chain(w.add("ParallelStateEntered", 0, name="P"), "ParallelStateStarted")
    w.add("PassStateEntered", started, name="A")
    w.add("PassStateEntered", started, name="B")
    w.add("EvaluationFailed", started, state="B", error="States.QueryEvaluationError")
    assert places(w.events)[-1] == (("P", 1),)


def test_an_aborted_iteration_points_at_the_sibling_that_failed(new_writer: Any) -> None:
    w = new_writer()
    started = w.chain(w.add("MapStateEntered", 0, name="M"), "MapStateStarted")
    starts = [w.add("MapIterationStarted", started, name="M", index=n) for n in range(3)]
    tasks = [w.add("TaskStateEntered", start, name="T") for start in starts]
    timed_out = w.chain(tasks[0], "TaskScheduled", "TaskStarted", "TaskTimedOut", error="States.Timeout")
    w.add("MapIterationFailed", timed_out, name="M", index=0)
    w.add("TaskStateAborted", timed_out)
    for index in (1, 2):
        w.add("MapIterationAborted", timed_out, name="M", index=index)
        w.add("TaskStateAborted", timed_out)
    w.add("MapStateFailed", timed_out)
    found = [place[0][1] if place else None for place in places(w.events)[-7:]]
    assert found == [0, 0, 1, 1, 2, 2, None]


def test_an_iteration_whose_map_is_not_in_the_history_still_has_its_place(new_writer: Any) -> None:
    w = new_writer()
    w.add("PassStateEntered", w.add("MapIterationStarted", 500, name="M", index=7), name="A")
    exited = w.add("PassStateExited", 2, name="A")
    w.add("MapIterationStarted", exited, name="M", index=8)
    assert places(w.events) == [(("M", 7),), (("M", 7),), (("M", 7),), (("M", 8),)]


def test_places_read_as_paths() -> None:
    assert place_text((("Orders", 3), ("Checks", 0))) == "Orders[3]/Checks[0]"
    assert place_text(()) == ""
