"""The outcomes that a history recorded, to be given again: keyed by branch path, state, visit and attempt.

A `Past` reads a history once. `PastOutcomes` answers the tasks of a re-run from it, with the delays that they had. Where the history
knows how a task ended, the engine's own timers for it are not needed: they are voided, unless the definition's limits were changed,
because then the timers decide. The children of a Distributed Map have histories of their own; where they are not at hand, `sim.opaque`
performs the whole Map as it was recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sfn_notebook.engine.execution import Engine
from sfn_notebook.engine.frames import Outcome
from sfn_notebook.engine.log import STRIDE, events
from sfn_notebook.engine.task import TaskCall
from sfn_notebook.errors import Json, RunError
from sfn_notebook.history.compare import json_diff
from sfn_notebook.history.events import (
    ENTERED,
    FAILED,
    SCHEDULED,
    SUCCEEDED,
    TERMINAL,
    TIMED_OUT,
    Event,
    details,
    ordered,
    parse,
)
from sfn_notebook.history.places import Branches, Chain, Place, Stay
from sfn_notebook.sim.differences import is_token
from sfn_notebook.sim.tape import Key, key_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LIMITS = ("timeoutInSeconds", "heartbeatInSeconds")


@dataclass(slots=True)
class PastAttempt:
    """How one attempt of a task went.

    Attributes:
        scheduled: when, in milliseconds since 1970.
        limits: its timeouts in seconds.
        request: what the task was given, as JSON text; None where the history does not tell.
        outcome: None where it had none.
        ended: when it had its outcome.
        submitted: what the service answered that took the task.
        worker: name of the activity's worker.
    """

    scheduled: int
    limits: tuple[Json, ...]
    request: str | None = None
    outcome: Outcome | None = None
    ended: int = 0
    submitted: Json = None
    worker: str | None = None


@dataclass(slots=True)
class PastRun:
    """One attempt of a Distributed Map: `failure` is (error, cause) of a MapRunFailed event; `broken`: its result was of no use; `event`: its start."""

    arn: str
    length: int
    started: int
    status: str = "RUNNING"
    failure: tuple[str | None, str | None] = (None, None)
    ended: int = 0
    broken: bool = False
    event: int = 0
    at_once: bool = False


@dataclass(slots=True)
class PastVisit:
    """One visit of a Task or a Distributed Map."""

    attempts: list[PastAttempt] = field(default_factory=list)
    runs: list[PastRun] = field(default_factory=list)
    length: int = 0
    output: Json = None
    assigned: dict[str, Json] | None = None
    exited: bool = False
    waiting: bool = False


class Past:
    """What a history tells of an execution.

    Attributes:
        input: the execution's input.
        started: when it began, in milliseconds since 1970.
        ended: when its last event was.
        status: RUNNING, or how it ended.
        error, cause: of its end.
        first: name of the first state that was entered, None where there is none.
        visits: visits of Tasks and Distributed Maps, by (path, state).
        children: the same of a Distributed Map's child executions, by (number of the Map Run, index).
        runs: of how many Map Runs all children that ended by themselves are among them.
        whole: Distributed Maps are to be repeated as a whole, because their children are not at hand.
    """

    def __init__(
        self,
        history: Iterable[Event],
        branches: Branches | None = None,
        children: Mapping[tuple[int, int], Past] | None = None,
        runs: int = 0,
    ) -> None:
        """Read a history.

        Raises:
            RunError: it does not begin with ExecutionStarted.
        """
        self.events = ordered(history)
        if not self.events or self.events[0]["type"] != "ExecutionStarted":
            raise RunError("a history to run again must begin with the event ExecutionStarted")
        self.children = dict(children or {})
        self.runs = runs
        self.whole = False
        self.input: Json = parse(details(self.events[0]).get("input"))
        self.started = milliseconds(self.events[0].get("timestamp"))
        self.ended = milliseconds(self.events[-1].get("timestamp"))
        self.status = TERMINAL.get(self.events[-1]["type"], "RUNNING")
        last = details(self.events[-1]) if self.status != "RUNNING" else {}
        self.error: str | None = last.get("error")
        self.cause: str | None = last.get("cause")
        entered = (details(event).get("name") for event in self.events if event["type"] in ENTERED)
        self.first: str | None = next(entered, None)
        self.visits: dict[tuple[Place, str], list[PastVisit]] = {}
        self._read(branches)

    def _read(self, branches: Branches | None) -> None:
        chain = Chain(branches)
        open_: dict[int, PastVisit] = {}
        for event in self.events:
            here = chain.follow(event)
            if not isinstance(here, Stay):
                continue
            kind = event["type"]
            if kind in ("TaskStateEntered", "MapStateEntered"):
                visit = open_[here.id] = PastVisit()
                self.visits.setdefault((here.scope.place, here.name), []).append(visit)
            elif here.id in open_:
                _take(open_[here.id], event, details(event), milliseconds(event.get("timestamp")))
        for stay in chain.active():
            if stay.id in open_:
                open_[stay.id].waiting = True

    def to_json(self) -> dict[str, Json]:
        """Give what `from_json` reads: the events as JSON, and the same of the children."""
        return {
            "events": [{**event, "timestamp": _iso(event.get("timestamp"))} for event in self.events],
            "children": [[*key, child.to_json()] for key, child in self.children.items()],
            "runs": self.runs,
            "whole": self.whole,
        }

    @classmethod
    def from_json(cls, saved: dict[str, Any], branches: Branches | None = None) -> Past:
        """Read what `to_json` gave."""
        events = ({**event, "timestamp": _moment(event["timestamp"])} for event in saved["events"])
        children = {(run, index): cls.from_json(child, branches) for run, index, child in saved["children"]}
        past = cls(events, branches, children, saved["runs"])
        past.whole = saved["whole"]
        return past

    def visit(self, place: Place, state: str, number: int) -> PastVisit | None:
        """Give a visit by its number at a place, from 0."""
        found = self.visits.get((place, state), ())
        return found[number] if number < len(found) else None

    def child(self, key: Key) -> Past | None:
        """Give what is known of a child execution; of the execution itself for ()."""
        past: Past | None = self
        for step in key:
            past = past.children.get(step) if past is not None else None
        return past


def _take(visit: PastVisit, event: Event, detail: Mapping[str, Any], now: int) -> None:
    """Take note of an event of a visit."""
    kind, number = event["type"], event.get("id", 0)
    attempt = visit.attempts[-1] if visit.attempts else None
    if kind in SCHEDULED:
        if attempt is not None and attempt.outcome is not None and attempt.outcome.kind == "failed":
            attempt.outcome = replace(attempt.outcome, retry_after=(now - attempt.ended) / 1000)
        visit.attempts.append(PastAttempt(now, tuple(detail.get(limit) for limit in LIMITS), _request(detail)))
    elif kind == "ActivityStarted" and attempt is not None:
        attempt.worker = detail.get("workerName")
    elif kind == "TaskSubmitted" and attempt is not None:
        attempt.submitted = parse(detail.get("output"))
    elif kind in SUCCEEDED or kind in FAILED or kind in TIMED_OUT:
        if attempt is None:  # it failed before it was scheduled
            attempt = PastAttempt(now, ())
            visit.attempts.append(attempt)
        ended = "succeeded" if kind in SUCCEEDED else "timed_out" if kind in TIMED_OUT else "failed"
        texts = {
            "error": detail.get("error"),
            "cause": detail.get("cause"),
            "event": None if kind in SUCCEEDED else kind,
        }
        attempt.outcome = Outcome(
            ended, parse(detail.get("output")), **texts, submitted=attempt.submitted, worker=attempt.worker
        )
        attempt.ended = now
    elif kind == "MapStateStarted":
        visit.length = detail.get("length", 0)
    elif kind == "MapRunStarted":
        visit.runs.append(PastRun(detail.get("mapRunArn", ""), visit.length, now, event=number))
    elif kind in ("MapRunSucceeded", "MapRunFailed") and visit.runs:  # MapRunAborted may belong to a sibling
        run = visit.runs[-1]
        run.status, run.ended = kind[len("MapRun") :].upper(), now
        run.failure = (detail.get("error"), detail.get("cause"))
        run.at_once = number == run.event + 1 and now == run.started
    elif kind == "MapStateFailed" and visit.runs:
        visit.runs[-1].broken = True
    elif kind.endswith("StateExited"):
        assigned = detail.get("assignedVariables")
        visit.output, visit.exited = parse(detail.get("output")), True
        visit.assigned = {name: parse(text) for name, text in assigned.items()} if assigned else None


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _request(detail: Mapping[str, Any]) -> str | None:
    """Give what a task was given; None where it is not told, or was too long to be told whole."""
    cut = any((detail.get(f"{name}Details") or {}).get("truncated") for name in ("parameters", "input"))
    return None if cut else detail.get("parameters", detail.get("input"))


def milliseconds(moment: datetime | None) -> int:
    """Give a moment in milliseconds since 1970; a naive one counts as UTC, a missing one as 1970."""
    if moment is None:
        return 0
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - EPOCH) // timedelta(milliseconds=1)


class PastOutcomes:
    """Answers the tasks of a re-run as they were answered.

    Attributes:
        past: the history.
        tokens: the task tokens of the re-run.
    """

    def __init__(self, past: Past) -> None:
        self.past = past
        self.tokens: set[str] = set()

    def find(self, call: TaskCall, visit: int, *, exactly: bool) -> dict[str, Json] | None:
        """Give outcome, delay and whether timers shall be voided; None where the history knows nothing.

        Args:
            call: the task.
            visit: how often the state was visited there before.
            exactly: only where the task was given the same; task tokens need not be.
        """
        if call.token:
            self.tokens.add(call.token)
        key = key_of(call.frame.engine)
        past = self.past.child(key)
        if past is None and key and key[0][0] < self.past.runs:  # a child that was aborted: its history is not kept
            return {"outcome": Outcome("never").to_json(), "delay": 0}
        if past is None or call.purpose != "task":
            return None
        found = past.visit(call.path, call.state, visit)
        if found is None or call.attempt > len(found.attempts):
            return None
        attempt = found.attempts[call.attempt - 1]
        if exactly and attempt.request is not None and not self._same(parse(attempt.request), call.input):
            return None
        return _again(attempt, call, waiting=found.waiting)

    def _same(self, recorded: Json, given: Json) -> bool:
        return all(is_token(change, self.tokens) for change in json_diff(recorded, given))


def _again(attempt: PastAttempt, call: TaskCall, *, waiting: bool) -> dict[str, Json]:
    never = {"outcome": Outcome("never").to_json(), "delay": 0, "submitted": attempt.submitted}
    if attempt.outcome is None:  # it was aborted, or it is still waiting: for somebody outside, or for its service
        outside = waiting and (call.service.pattern != "token" or attempt.submitted is not None)
        return {"outcome": None, "delay": 0} if outside else never
    engine = call.frame.engine
    now = engine.log[(call.task - 1) * STRIDE + 3]
    limits = tuple(now.get(limit) for limit in LIMITS)
    took = attempt.ended - attempt.scheduled
    same = not attempt.limits or limits == attempt.limits
    if same and attempt.outcome.kind == "timed_out" and took in [round(x * 1000) for x in limits if x is not None]:
        return never
    return {"outcome": attempt.outcome.to_json(), "delay": max(took, 0) / 1000, "untimed": same}


def children_of(engine: Engine, branches: Branches) -> dict[tuple[int, int], Past]:
    """Read what an engine holds of its Map Runs' child executions."""
    found: dict[tuple[int, int], Past] = {}
    for run in engine.map_runs:
        for index, child in {**run.children, **run.active}.items():
            inner = children_of(child, branches)
            found[run.number, index] = Past(list(events(child.log)), branches, inner, len(child.map_runs))
    return found


def children_kept(engine: Engine) -> bool:
    """Say whether an engine still has all child executions that have ended by themselves."""
    return all(
        len(run.children) >= sum(run.executions[name] for name in ("succeeded", "failed", "timedOut"))
        and all(children_kept(child) for child in run.children.values())
        for run in engine.map_runs
    )
