"""The fold: a history becomes visits of states, attempts of tasks and iterations of Maps.

`Fold.advance` takes one event; `fold` takes them all. `Chain` (module `places`) says where an event happened, the table at
the end of this module says what it means there. Nothing is ever looked up by adjacency, so interleaved iterations, loops and
retries come out right, and folding in pieces gives the same as folding at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final, TypeAlias

from sfn_notebook.history.events import (
    ENTERED,
    EXITED,
    FAILED,
    MEMBERS,
    SCHEDULED,
    STARTED,
    SUCCEEDED,
    TERMINAL,
    TIMED_OUT,
    Event,
    as_text,
    details,
    ordered,
)
from sfn_notebook.history.places import Branches, Chain, Context, Scope, Stay, scope_of
from sfn_notebook.history.records import ATTEMPT_STATUSES, Attempt, Iteration, Visit

__all__ = ["Attempt", "Fold", "Iteration", "Visit", "fold"]

_ENTERED_AT: Final = re.compile(r"\(entered at the event id #(\d+)\)")
_CUT_SHORT: Final = {"ExecutionTimedOut": "TIMED_OUT", "ExecutionAborted": "ABORTED"}
"""Ends of an execution that hit whatever is open, also what was waiting for a retry."""


class Fold:
    """The state of affairs after the events given so far. Events must come by ascending id."""

    def __init__(self, branches: Branches | None = None) -> None:
        self.chain = Chain(branches)
        self.visits: list[Visit] = []
        """Every visit so far, by entry."""
        self.counts: dict[str, dict[str, int]] = {}
        """State name -> visit status -> number of visits."""
        self.position = 0
        """How many events have been taken."""
        self.event: Event | None = None
        self.here: Context = self.chain.root
        self.status = "RUNNING"
        self.started: datetime | None = None
        self.time: datetime | None = None
        self.data_text: str | None = None
        """The payload seen last."""
        self.output_text: str | None = None
        self.error: str | None = None
        self.cause: str | None = None
        self.culprit: Visit | None = None
        """The visit that a closed execution failed of, or was in when it was stopped."""
        self.retried: list[tuple[Visit, Event]] = []
        """Failure events that the same visit was tried again after."""
        self._visits: dict[int, Visit] = {}
        self._iterations: dict[Scope, Iteration] = {}
        self._failures: dict[int, Event] = {}
        self._condemned: set[int] = set()

    def advance(self, event: Event) -> None:
        """Take one more event."""
        here = self.here = self.chain.follow(event)
        self.position += 1
        self.event = event
        self.time = event.get("timestamp") or self.time
        event_type = event.get("type", "")
        meaning = _MEANINGS.get(event_type) or _guess(event_type)
        if meaning is not None:
            visit = self._visits.get(here.id) if isinstance(here, Stay) else None
            meaning(self, visit, event, details(event))
        if self.chain.lost:
            self._close_lost(event)

    def extend(self, events: Iterable[Event]) -> Fold:
        """Take several events and return the fold itself."""
        for event in events:
            self.advance(event)
        return self

    def visit(self, event_id: int) -> Visit | None:
        """Return the visit whose `...StateEntered` event has this id."""
        return self._visits.get(event_id)

    def visit_at(self, event_id: int) -> Visit | None:
        """Return the visit that an event left us in: the state it belongs to, or the one that is open in its sequence."""
        context = self.chain.at(event_id)
        stay = context if isinstance(context, Stay) else context.current or context.last
        return self._visits.get(stay.id) if stay else None

    def add(self, stay: Stay, event: Event, input_text: str | None) -> None:
        """Open the visit of a state that was just entered."""
        scope = stay.scope
        visit = Visit(
            id=stay.id,
            name=stay.name,
            type=stay.type,
            place=scope.place,
            parent=scope.owner.id if scope.owner else 0,
            run=scope.run,
            iteration=self._iteration_index(scope),
            entered=event.get("timestamp"),
            input_text=input_text,
        )
        self.visits.append(visit)
        self._visits[stay.id] = visit
        self._count(visit, 1)
        if scope.previous is not None:
            self._visits[scope.previous].next = stay.id
            scope.previous = None

    def fail(self, visit: Visit, event: Event, error: str | None, cause: str | None) -> None:
        """Note a failure of a visit, which may yet be retried or caught."""
        visit.failure = event.get("id")
        visit.error, visit.cause = error, cause
        self._failures[visit.id] = event

    def recover(self, visit: Visit) -> None:
        """Forget the failure of a visit that is tried again, and reopen it when it was closed (redrive)."""
        if visit.failure is not None:
            event = self._failures.pop(visit.id, None)
            if event is not None and event.get("type") not in TERMINAL:
                self.retried.append((visit, event))
            visit.failure = visit.because = visit.error = visit.cause = None
        if visit.status != "RUNNING":
            self._set_status(visit, "RUNNING")
            visit.exited = visit.end_event = None

    def end(self, visit: Visit, event: Event, status: str) -> None:
        """Close a visit with what is still open in it."""
        self._set_status(visit, status)
        visit.exited = event.get("timestamp")
        visit.end_event = event.get("id")
        attempt = visit.task_attempts[-1] if visit.task_attempts else None
        if attempt is not None and attempt.status == "RUNNING":
            _end_attempt(attempt, event, status if status in ATTEMPT_STATUSES else "ABORTED")
        if visit.iterations:
            self.end_iterations(visit, event, status if status in ("SUCCEEDED", "TIMED_OUT") else "ABORTED")

    def end_iterations(self, visit: Visit, event: Event, status: str) -> None:
        """Close the iterations of a Map's last run that have no end of their own."""
        for iteration in reversed(visit.iterations):
            if iteration.run != visit.runs:
                break
            if iteration.status == "RUNNING":
                iteration.status = status
                iteration.ended, iteration.end_event = event.get("timestamp"), event.get("id")

    def failed(self, visit: Visit) -> bool:
        """Whether the last thing that happened to a visit is a failure."""
        return visit.id in self._failures

    def blame(self, visit: Visit, error: str | None, cause: str | None) -> None:
        """Tell error and cause to a visit and the ones inside whose failure became its own, where no event told them."""
        at: Visit | None = visit
        while at is not None:
            if at.error is None and at.cause is None:
                at.error, at.cause = error, cause
            at = self._visits.get(at.because) if at.because is not None else None

    def surrounding(self, visit: Visit) -> Iterable[Visit]:
        """Yield the Map and Parallel visits around a visit, innermost first."""
        at = self._visits.get(visit.parent)
        while at is not None:
            yield at
            at = self._visits.get(at.parent)

    def iteration(self, scope: Scope) -> Iteration | None:
        """Return the record of the iteration that a sequence of states is."""
        return self._iterations.get(scope)

    def add_iteration(self, scope: Scope, iteration: Iteration) -> None:
        """Keep the record of a new iteration."""
        self._iterations[scope] = iteration

    def _iteration_index(self, scope: Scope) -> int | None:
        if scope.owner is None:
            return scope.key if scope.place else None
        return scope.key if scope.owner.type == "Map" else self._visits[scope.owner.id].iteration

    def _close_lost(self, event: Event) -> None:
        event_type = event.get("type", "")
        cut = _CUT_SHORT.get(event_type)
        gone_on = (
            event_type.endswith(("Succeeded", "StateExited", "StateEntered")) and event_type != "ExecutionSucceeded"
        )
        for stay in self.chain.lost:
            visit = self._visits[stay.id]
            if visit.status != "RUNNING":
                continue
            failure = self._failures.get(visit.id)
            if cut is not None:
                self.end(visit, event, cut)
            elif gone_on:  # its exit event is missing
                self.end(visit, event, "CAUGHT" if failure else "SUCCEEDED")
            elif failure is not None and self._blamed(visit, event):
                self.end(visit, failure, "TIMED_OUT" if failure.get("type") in TIMED_OUT else "FAILED")
            else:
                self.end(visit, event, "FAILED" if visit.type == "Fail" else "ABORTED")

    def _blamed(self, visit: Visit, event: Event) -> bool:
        """Whether an event ended a visit for the visit's own failure; else the visit only waited for a retry, and was aborted."""
        blamed = (event.get("previousEventId"), event.get("id"))
        at: Visit | None = visit
        while at is not None:
            if at.failure in blamed or at.id in self._condemned:
                return True
            at = self._visits.get(at.because) if at.because is not None else None
        return False

    def condemn(self, visit: Visit, event: Event) -> None:
        """Let a visit fail together with the execution."""
        self._condemned.add(visit.id)
        if visit.status == "RUNNING" and not self.failed(visit):
            self.fail(visit, event, self.error, self.cause)
        self.blame(visit, self.error, self.cause)

    def _set_status(self, visit: Visit, status: str) -> None:
        self._count(visit, -1)
        visit.status = status
        self._count(visit, 1)

    def _count(self, visit: Visit, by: int) -> None:
        counts = self.counts.setdefault(visit.name, {})
        counts[visit.status] = counts.get(visit.status, 0) + by


def fold(events: Iterable[Event], branches: Branches | None = None) -> list[Visit]:
    """Return the visits of a history, by entry. `branches` fixes the numbers of Parallel branches (see `places.Branches`)."""
    return Fold(branches).extend(ordered(events)).visits


Meaning: TypeAlias = Callable[[Fold, Visit | None, Event, Mapping[str, Any]], None]
"""(fold, visit that the event belongs to, event, its detail member)"""


def _entered(f: Fold, _visit: Visit | None, event: Event, detail: Mapping[str, Any]) -> None:
    f.data_text = as_text(detail.get("input"))
    if isinstance(f.here, Stay):
        f.add(f.here, event, f.data_text)


def _exited(f: Fold, visit: Visit | None, event: Event, detail: Mapping[str, Any]) -> None:
    f.data_text = text = as_text(detail.get("output"))
    assigned = detail.get("assignedVariables")
    scope = scope_of(f.here)
    if isinstance(assigned, Mapping) and assigned:
        texts = {name: as_text(value) or "null" for name, value in assigned.items()}
        scope.variables = {**scope.variables, **texts}
    else:
        texts = None
    if visit is None:
        return
    scope.previous = visit.id
    visit.output_text, visit.assigned_text = text, texts
    caught = f.failed(visit)
    if caught and visit.error is None:
        _blame_by_output(f, visit)
    f.end(visit, event, "CAUGHT" if caught else "SUCCEEDED")


def _blame_by_output(f: Fold, visit: Visit) -> None:
    """Name a caught failure that no event names (a Fail state inside a Map) by what the catcher was given."""
    output = visit.output
    if isinstance(output, dict) and output and output.keys() <= {"Error", "Cause"}:
        f.blame(visit, output.get("Error"), output.get("Cause"))


def _scheduled(f: Fold, visit: Visit | None, event: Event, detail: Mapping[str, Any]) -> None:
    if visit is None:
        return
    f.recover(visit)
    _add_attempt(visit, event, detail).scheduled = event.get("timestamp")


def _add_attempt(visit: Visit, event: Event, detail: Mapping[str, Any]) -> Attempt:
    event_type = event.get("type", "")
    kind = next((k for k in ("LambdaFunction", "Activity") if event_type.startswith(k)), "Task")
    attempt = Attempt(
        number=len(visit.task_attempts) + 1,
        visit=visit.id,
        kind=kind,
        event=event.get("id", 0),
        scheduled=None,
        resource=detail.get("resource"),
        resource_type=detail.get("resourceType"),
        parameters_text=as_text(detail["parameters"] if "parameters" in detail else detail.get("input")),
    )
    visit.task_attempts.append(attempt)
    return attempt


def _open_attempt(visit: Visit, event: Event, detail: Mapping[str, Any]) -> Attempt:
    """Return the attempt that an event tells of; a new one where its Scheduled event is missing or never came."""
    attempts = visit.task_attempts
    return attempts[-1] if attempts and attempts[-1].status == "RUNNING" else _add_attempt(visit, event, detail)


def _started(_f: Fold, visit: Visit | None, event: Event, detail: Mapping[str, Any]) -> None:
    if visit is not None:
        _open_attempt(visit, event, detail).started = event.get("timestamp")


def _submitted(f: Fold, visit: Visit | None, event: Event, detail: Mapping[str, Any]) -> None:
    if visit is not None:
        attempt = _open_attempt(visit, event, detail)
        attempt.submitted = event.get("timestamp")
        attempt.output_text = f.data_text = as_text(detail.get("output"))


def _succeeded(f: Fold, visit: Visit | None, event: Event, detail: Mapping[str, Any]) -> None:
    f.data_text = as_text(detail.get("output"))
    if visit is not None:
        attempt = _open_attempt(visit, event, detail)
        attempt.output_text = f.data_text
        _end_attempt(attempt, event, "SUCCEEDED")


def _attempt_failed(f: Fold, visit: Visit | None, event: Event, detail: Mapping[str, Any]) -> None:
    if visit is None:
        return
    attempt = _open_attempt(visit, event, detail)
    attempt.error, attempt.cause = detail.get("error"), detail.get("cause")
    _end_attempt(attempt, event, "TIMED_OUT" if event.get("type") in TIMED_OUT else "FAILED")
    f.fail(visit, event, attempt.error, attempt.cause)


def _end_attempt(attempt: Attempt, event: Event, status: str) -> None:
    attempt.status = status
    attempt.ended, attempt.end_event = event.get("timestamp"), event.get("id")


def _failed(f: Fold, visit: Visit | None, event: Event, detail: Mapping[str, Any]) -> None:
    """A field could not be evaluated, or a Map Run failed."""
    if visit is not None:
        f.fail(visit, event, detail.get("error"), detail.get("cause"))


def _fan_started(f: Fold, visit: Visit | None, event: Event, detail: Mapping[str, Any]) -> None:
    if visit is None:
        return
    f.end_iterations(visit, event, "ABORTED")
    f.recover(visit)
    visit.runs += 1
    visit.length = detail.get("length", visit.length)


def _fan_succeeded(f: Fold, visit: Visit | None, event: Event, _detail: Mapping[str, Any]) -> None:
    if visit is not None:
        f.end_iterations(visit, event, "SUCCEEDED")


def _fan_failed(f: Fold, visit: Visit | None, event: Event, detail: Mapping[str, Any]) -> None:
    """A Map or Parallel failed: what failed inside it is where the chain points."""
    if visit is None:
        return
    inner = f.visit_at(event.get("previousEventId", 0))
    if inner is None or visit not in f.surrounding(inner):
        f.fail(visit, event, detail.get("error", visit.error), detail.get("cause", visit.cause))
    else:
        f.fail(visit, event, inner.error, inner.cause)
        visit.because = inner.id
    f.end_iterations(visit, event, "ABORTED")


def _map_run_started(_f: Fold, visit: Visit | None, _event: Event, detail: Mapping[str, Any]) -> None:
    if visit is not None:
        visit.map_run_arn = detail.get("mapRunArn")


def _iteration_started(f: Fold, _visit: Visit | None, event: Event, _detail: Mapping[str, Any]) -> None:
    scope = f.here
    visit = f.visit(scope.owner.id) if isinstance(scope, Scope) and scope.owner else None
    if visit is None or not isinstance(scope, Scope):
        return
    if visit.status != "RUNNING":
        f.recover(visit)
    place, when = scope.place, event.get("timestamp")
    iteration = Iteration(visit.name, scope.key, visit.id, visit.runs, place, event.get("id", 0), when)
    visit.iterations.append(iteration)
    f.add_iteration(scope, iteration)


def _iteration_ended(f: Fold, _visit: Visit | None, event: Event, _detail: Mapping[str, Any]) -> None:
    iteration = f.iteration(f.here) if isinstance(f.here, Scope) else None
    if iteration is None:
        return
    iteration.status = event["type"][len("MapIteration") :].upper()
    iteration.ended, iteration.end_event = event.get("timestamp"), event.get("id")
    if iteration.status == "FAILED":
        inner = f.visit_at(event.get("previousEventId", 0))
        if inner is not None:
            iteration.error, iteration.cause = inner.error, inner.cause


def _execution_started(f: Fold, _visit: Visit | None, event: Event, detail: Mapping[str, Any]) -> None:
    f.started = event.get("timestamp")
    f.data_text = as_text(detail.get("input"))


def _execution_ended(f: Fold, _visit: Visit | None, event: Event, detail: Mapping[str, Any]) -> None:
    f.status = TERMINAL[event["type"]]
    f.error, f.cause = detail.get("error"), detail.get("cause")
    if f.status == "SUCCEEDED":
        f.data_text = f.output_text = as_text(detail.get("output"))
    else:
        f.culprit = _culprit(f, event)
    if f.status == "FAILED" and f.culprit is not None:
        _condemn(f, f.culprit, event)


def _culprit(f: Fold, event: Event) -> Visit | None:
    """Find the visit that an execution failed of: the one that the cause names (runtime errors have no other event), else the chain's."""
    named = _ENTERED_AT.search(f.cause or "")
    visit = f.visit(int(named[1])) if named else None
    return visit or f.visit_at(event.get("previousEventId", 0))


def _condemn(f: Fold, culprit: Visit, event: Event) -> None:
    """Let a visit fail together with all that it ran in."""
    inner = culprit
    for visit in (culprit, *f.surrounding(culprit)):
        if visit is not inner and visit.because is None:
            visit.because = inner.id
            _fail_iteration(visit, inner, event, f)
        f.condemn(visit, event)
        inner = visit


def _fail_iteration(visit: Visit, inner: Visit, event: Event, f: Fold) -> None:
    """Let the open iteration that a culprit lies in fail; no event of its own tells it."""
    for iteration in reversed(visit.iterations):
        if iteration.place == inner.place and iteration.status == "RUNNING":
            iteration.status, iteration.error, iteration.cause = "FAILED", f.error, f.cause
            iteration.ended, iteration.end_event = event.get("timestamp"), event.get("id")
            break


def _redriven(f: Fold, _visit: Visit | None, _event: Event, _detail: Mapping[str, Any]) -> None:
    f.status, f.error, f.cause, f.culprit = "RUNNING", None, None, None
    f._condemned.clear()


def _guess(event_type: str) -> Meaning | None:
    if event_type in MEMBERS:
        return None
    if event_type.endswith("StateEntered"):
        return _entered
    return _exited if event_type.endswith("StateExited") else None


_MEANINGS: Final[Mapping[str, Meaning]] = {
    **dict.fromkeys(ENTERED, _entered),
    **dict.fromkeys(EXITED, _exited),
    **dict.fromkeys(SCHEDULED, _scheduled),
    **dict.fromkeys(STARTED, _started),
    "TaskSubmitted": _submitted,
    **dict.fromkeys(SUCCEEDED, _succeeded),
    **dict.fromkeys((*FAILED, *TIMED_OUT), _attempt_failed),
    **dict.fromkeys(("EvaluationFailed", "MapRunFailed"), _failed),
    **dict.fromkeys(("MapStateStarted", "ParallelStateStarted"), _fan_started),
    **dict.fromkeys(("MapStateSucceeded", "ParallelStateSucceeded"), _fan_succeeded),
    **dict.fromkeys(("MapStateFailed", "ParallelStateFailed"), _fan_failed),
    **dict.fromkeys(("MapRunStarted", "MapRunRedriven"), _map_run_started),
    "MapIterationStarted": _iteration_started,
    **dict.fromkeys(("MapIterationSucceeded", "MapIterationFailed", "MapIterationAborted"), _iteration_ended),
    "ExecutionStarted": _execution_started,
    **dict.fromkeys(TERMINAL, _execution_ended),
    "ExecutionRedriven": _redriven,
}
