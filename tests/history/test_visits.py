"""What a history folds into."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sfn_notebook.history.visits import Fold, fold


def test_a_visit_has_its_times_its_data_and_what_followed(new_writer: Any) -> None:
    w = new_writer()
    entered = w.add("PassStateEntered", 0, name="A", input='{"n":1}')
    exited = w.add("PassStateExited", entered, name="A", output="[2]", assignedVariables={"x": '{"y":3}'})
    follower = w.add("SucceedStateEntered", exited, name="B")
    visit = fold(w.events)[0]
    assert (visit.name, visit.type, visit.status, visit.attempts) == ("A", "Pass", "SUCCEEDED", 1)
    assert (visit.input, visit.output, visit.assigned) == ({"n": 1}, [2], {"x": {"y": 3}})
    assert (visit.duration, visit.end_event, visit.next) == (timedelta(seconds=1), exited, follower)


def test_a_retry_is_a_new_schedule_that_points_at_the_failure(new_writer: Any) -> None:
    w = new_writer()
    failed = w.chain(w.add("TaskStateEntered", 0, name="T"), "TaskScheduled", "TaskStarted", "TaskFailed", error="E")
    good = w.chain(w.add("TaskScheduled", failed, parameters='{"a":1}'), "TaskStarted", "TaskSucceeded", output="7")
    w.add("TaskStateExited", good, name="T")
    (visit,) = fold(w.events)
    first: Any
    second: Any
    assert (visit.status, visit.attempts, visit.error, visit.failure) == ("SUCCEEDED", 2, None, None)
    first, second = visit.task_attempts
    assert (first.number, first.status, first.error) == (1, "FAILED", "E")
    assert (second.number, second.status, second.parameters, second.output) == (2, "SUCCEEDED", {"a": 1}, 7)
    assert first.scheduled < first.started < first.ended < second.scheduled


@pytest.mark.parametrize(
    ("kinds", "kind"),
    [
        (("TaskScheduled", "TaskStarted", "TaskFailed"), "Task"),
        (("TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskFailed"), "Task"),
        (("TaskScheduled", "TaskStartFailed"), "Task"),
        (("LambdaFunctionScheduled", "LambdaFunctionStarted", "LambdaFunctionFailed"), "LambdaFunction"),
        (("LambdaFunctionScheduleFailed",), "LambdaFunction"),
        (("ActivityScheduled", "ActivityFailed"), "Activity"),
    ],
)
def test_a_caught_failure_exits_and_is_no_success(new_writer: Any, kinds: Any, kind: Any) -> None:
    w = new_writer()
    failed = w.chain(w.add("TaskStateEntered", 0, name="T"), *kinds, error="E", cause="c")
    w.add("TaskStateExited", failed, name="T", output='{"Error":"E"}')
    (visit,) = fold(w.events)
    assert (visit.status, visit.error, visit.cause, visit.failure) == ("CAUGHT", "E", "c", failed)
    assert [(a.kind, a.status) for a in visit.task_attempts] == [(kind, "FAILED")]


def test_an_uncaught_failure_ends_its_visit_when_it_happened(new_writer: Any) -> None:
    w = new_writer()
    failed = w.chain(w.add("TaskStateEntered", 0, name="T"), "TaskScheduled", "TaskTimedOut", error="States.Timeout")
    w.add("ExecutionFailed", failed, error="States.Timeout")
    (visit,) = fold(w.events)
    assert (visit.status, visit.end_event) == ("TIMED_OUT", failed)


def test_a_runtime_error_without_an_event_is_found_by_the_text_of_its_cause(new_writer: Any) -> None:
    w = new_writer()
    started = w.chain(w.add("MapStateEntered", 0, name="M"), "MapStateStarted")
    starts = [w.add("MapIterationStarted", started, name="M", index=n) for n in range(2)]
    inside = [w.add("PassStateEntered", start, name="A") for start in starts]
    cause = f"An error occurred while executing the state 'A' (entered at the event id #{inside[1]}). Invalid path"
    w.add("ExecutionFailed", starts[0], error="States.Runtime", cause=cause)
    map_visit, first, second = fold(w.events)
    assert (map_visit.status, map_visit.error, map_visit.because) == ("FAILED", "States.Runtime", second.id)
    assert (first.status, second.status, second.cause) == ("ABORTED", "FAILED", cause)
    assert [i.status for i in map_visit.iterations] == ["ABORTED", "FAILED"]


def test_a_fail_state_is_never_exited_and_fails_with_what_the_execution_reports(new_writer: Any) -> None:
    w = new_writer()
    w.add("ExecutionFailed", w.add("FailStateEntered", 0, name="F"), error="Broken", cause="so it is")
    (visit,) = fold(w.events)
    assert (visit.status, visit.error, visit.cause, visit.output_text) == ("FAILED", "Broken", "so it is", None)


def test_a_fail_state_without_error_has_none(new_writer: Any) -> None:
    w = new_writer()
    w.add("ExecutionFailed", w.add("FailStateEntered", 0, name="F"))
    (visit,) = fold(w.events)
    assert (visit.status, visit.error, visit.cause) == ("FAILED", None, None)


def test_a_failed_evaluation_fails_the_state_that_it_names(new_writer: Any) -> None:
    w = new_writer()
    done = w.chain(0, "PassStateEntered", "PassStateExited", name="A")
    w.add("PassStateEntered", done, name="B")
    failed = w.add(
        "EvaluationFailed", done, state="B", error="States.QueryEvaluationError", cause="c", location="Output/x"
    )
    w.add("ExecutionFailed", failed, error="States.QueryEvaluationError", cause="c")
    first, second = fold(w.events)
    assert (first.status, second.status, second.error) == ("SUCCEEDED", "FAILED", "States.QueryEvaluationError")


def test_a_caught_map_takes_its_error_from_the_state_inside(new_writer: Any) -> None:
    w = new_writer()
    started = w.chain(w.add("MapStateEntered", 0, name="M"), "MapStateStarted", length=1)
    task = w.add("TaskStateEntered", w.add("MapIterationStarted", started, name="M", index=0), name="T")
    failed = w.chain(task, "TaskScheduled", "TaskFailed", error="E", cause="c")
    w.add("MapIterationFailed", failed, name="M", index=0)
    w.add("MapStateExited", w.add("MapStateFailed", failed), name="M")
    map_visit, inner = fold(w.events)
    assert (map_visit.status, map_visit.error, map_visit.because) == ("CAUGHT", "E", inner.id)
    assert (inner.status, inner.iteration, inner.parent) == ("FAILED", 0, map_visit.id)
    (iteration,) = map_visit.iterations
    assert (iteration.status, iteration.error, iteration.cause) == ("FAILED", "E", "c")


def test_a_caught_fail_state_inside_a_map_is_named_by_what_the_catcher_was_given(new_writer: Any) -> None:
    w = new_writer()
    started = w.chain(w.add("MapStateEntered", 0, name="M"), "MapStateStarted", length=1)
    failed = w.add("FailStateEntered", w.add("MapIterationStarted", started, name="M", index=0), name="F")
    w.add("MapStateExited", w.add("MapStateFailed", failed), name="M", output='{"Error":"E","Cause":"c"}')
    assert [(v.status, v.error, v.cause) for v in fold(w.events)] == [("CAUGHT", "E", "c"), ("FAILED", "E", "c")]


def test_runs_of_a_retried_map_are_told_apart(new_writer: Any) -> None:
    w = new_writer()
    before = w.add("MapStateEntered", 0, name="M")
    for _ in range(2):
        before = w.add("MapStateStarted", before, length=1)
        before = w.add("FailStateEntered", w.add("MapIterationStarted", before, name="M", index=0), name="F")
        w.add("MapIterationFailed", before, name="M", index=0)
    w.add("ExecutionFailed", w.add("MapStateFailed", before), error="E")
    map_visit, first, second = fold(w.events)
    assert (map_visit.attempts, map_visit.length, first.run, second.run) == (2, 1, 1, 2)
    assert [(i.run, i.index, i.status) for i in map_visit.iterations] == [(1, 0, "FAILED"), (2, 0, "FAILED")]


def test_a_sibling_that_waits_for_its_retry_is_aborted_and_keeps_its_error(new_writer: Any) -> None:
    w = new_writer()
    started = w.chain(w.add("ParallelStateEntered", 0, name="P"), "ParallelStateStarted")
    waiting = w.chain(w.add("TaskStateEntered", started, name="A"), "TaskScheduled", "TaskFailed", error="First")
    failed = w.add("FailStateEntered", started, name="B")
    w.add("TaskStateAborted", failed)
    w.add("ExecutionFailed", w.add("ParallelStateFailed", failed), error="E")
    _, sibling, culprit = fold(w.events)
    assert (sibling.status, sibling.error, sibling.failure) == ("ABORTED", "First", waiting)
    assert culprit.status == "FAILED"


def test_a_distributed_map_has_no_iterations_here_and_exits_from_its_run(new_writer: Any) -> None:
    w = new_writer()
    started = w.chain(w.add("MapStateEntered", 0, name="D"), "MapStateStarted", length=9)
    run = w.add("MapRunStarted", started, mapRunArn="arn:run")
    w.add("MapStateSucceeded", w.add("MapRunSucceeded", run))
    w.add("MapStateExited", run, name="D")
    (visit,) = fold(w.events)
    assert (visit.status, visit.map_run_arn, visit.length, visit.iterations) == ("SUCCEEDED", "arn:run", 9, [])


def test_a_failed_map_run_tells_the_error_of_its_state(new_writer: Any) -> None:
    w = new_writer()
    run = w.chain(w.add("MapStateEntered", 0, name="D"), "MapStateStarted", "MapRunStarted")
    failed = w.add("MapRunFailed", run, error="States.ItemReaderFailed", cause="c")
    w.add("ExecutionFailed", w.add("MapStateFailed", failed), error="States.ItemReaderFailed", cause="c")
    (visit,) = fold(w.events)
    assert (visit.status, visit.error, visit.cause) == ("FAILED", "States.ItemReaderFailed", "c")


@pytest.mark.parametrize(("end", "status"), [("ExecutionAborted", "ABORTED"), ("ExecutionTimedOut", "TIMED_OUT")])
def test_what_is_open_when_the_execution_is_stopped_ends_with_it(new_writer: Any, end: Any, status: Any) -> None:
    w = new_writer()
    w.chain(w.add("TaskStateEntered", 0, name="T"), "TaskScheduled", "TaskStarted")
    w.add(end, 0)
    (visit,) = fold(w.events)
    assert (visit.status, visit.task_attempts[0].status, visit.end_event) == (status, status, 4)


def test_a_state_that_failed_before_is_blamed_when_the_end_names_it(new_writer: Any) -> None:
    w = new_writer()
    entered = w.add("TaskStateEntered", 0, name="T")
    failed = w.chain(entered, "TaskScheduled", "TaskFailed", error="E", cause="c")
    cause = f"An error occurred while executing the state 'T' (entered at the event id #{entered}). Oh"
    w.add("ExecutionFailed", 0, error="States.Runtime", cause=cause)
    (visit,) = fold(w.events)
    assert (visit.status, visit.end_event, visit.error) == ("FAILED", failed, "E")


def test_a_state_whose_exit_is_missing_ended_when_the_next_one_began(new_writer: Any) -> None:
    w = new_writer()
    following = w.add("PassStateEntered", w.add("PassStateEntered", 0, name="A"), name="B")
    first, second = fold(w.events)
    assert (first.status, first.end_event, second.status) == ("SUCCEEDED", following, "RUNNING")


def test_an_unfinished_history_leaves_its_states_running(new_writer: Any) -> None:
    w = new_writer()
    w.chain(w.add("TaskStateEntered", 0, name="T"), "TaskScheduled", "TaskStarted")
    (visit,) = fold(w.events)
    assert (visit.status, visit.exited, visit.duration, visit.task_attempts[0].status) == (
        "RUNNING",
        None,
        None,
        "RUNNING",
    )


def test_a_redriven_execution_goes_on_with_the_same_visit(new_writer: Any) -> None:
    w = new_writer()
    failed = w.chain(w.add("TaskStateEntered", 0, name="T"), "TaskScheduled", "TaskFailed", error="E")
    redriven = w.add("ExecutionRedriven", w.add("ExecutionFailed", failed, error="E"), redriveCount=1)
    good = w.chain(redriven, "TaskScheduled", "TaskSucceeded")
    f = Fold().extend(w.events)
    (visit,) = f.visits
    assert (f.status, visit.status, visit.exited, visit.attempts) == ("RUNNING", "RUNNING", None, 2)
    w.add("ExecutionSucceeded", w.add("TaskStateExited", good, name="T"), output="1")
    f.extend(w.events[-2:])
    assert (f.status, visit.status, visit.error, f.counts) == (
        "SUCCEEDED",
        "SUCCEEDED",
        None,
        {"T": {"RUNNING": 0, "FAILED": 0, "SUCCEEDED": 1}},
    )


def test_a_loop_visits_a_state_many_times(new_writer: Any) -> None:
    w = new_writer()
    previous = 0
    for _ in range(3):
        previous = w.chain(previous, "PassStateEntered", "PassStateExited", name="A")
        previous = w.chain(previous, "ChoiceStateEntered", "ChoiceStateExited", name="Again?")
    visits = fold(w.events)
    assert [v.name for v in visits] == ["A", "Again?"] * 3
    assert [v.next for v in visits] == [3, 5, 7, 9, 11, None]


def test_a_state_type_of_the_future_is_visited_like_any_other(new_writer: Any) -> None:
    w = new_writer()
    entered = w.add("DreamStateEntered", 0, name="D")
    exited = w.add("DreamStateExited", w.add("DreamStateDrifted", entered), name="D", output="1")
    w.add("PassStateEntered", exited, name="A")
    dream, after = fold(w.events)
    assert (dream.type, dream.status, dream.output, dream.next) == ("Dream", "SUCCEEDED", 1, after.id)
