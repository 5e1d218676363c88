"""The state of affairs after an event: what is active and where, with which data, variables and attempts.

A snapshot is a plain value, equal to another one that describes the same; it shares no mutable part with the fold it was
taken from. `snapshot` folds from the start; a `Cursor` keeps its fold, so that going forward costs only the events between.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sfn_notebook.errors import CommandError, Json
from sfn_notebook.history.events import Event, ordered, parse
from sfn_notebook.history.places import Branches, Context, Place, Stay, scope_of
from sfn_notebook.history.records import Visit
from sfn_notebook.history.visits import Fold


@dataclass(frozen=True, slots=True)
class Active:
    """A state that is open: a Map or Parallel too while its iterations or branches run."""

    visit: int
    name: str
    type: str
    place: Place
    entered: datetime | None
    phase: str
    """"entered", "scheduled", "started", "submitted", "succeeded" (not yet exited), or "failed": a retry or a catch may follow."""
    attempts: int
    input_text: str | None
    data_text: str | None
    """What the state has got so far: a task's answer, else its input."""
    error: str | None
    cause: str | None
    variables_text: Mapping[str, str]

    @property
    def input(self) -> Json:
        """The state's input."""
        return parse(self.input_text)

    @property
    def data(self) -> Json:
        """What the state has got so far."""
        return parse(self.data_text)

    @property
    def variables(self) -> dict[str, Json]:
        """The variables that the state can read."""
        return {name: parse(text) for name, text in self.variables_text.items()}


@dataclass(frozen=True, slots=True)
class Alarm:
    """A time at which something will happen by itself: a "wake" from a wait, a "retry", a "timeout", a "heartbeat", a "deadline"."""

    what: str
    state: str
    """"" for the execution itself."""
    place: Place
    time: datetime


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is known after `position` events."""

    position: int
    event: int | None
    event_type: str | None
    time: datetime | None
    status: str
    active: tuple[Active, ...]
    """Each Map or Parallel before what runs inside it."""
    here: int | None
    """Id of the visit that the last event belongs to."""
    place: Place
    data_text: str | None
    variables_text: Mapping[str, str]
    output_text: str | None
    error: str | None
    cause: str | None
    counts: Mapping[str, Mapping[str, int]]
    """State name -> visit status -> number of visits so far."""
    timers: tuple[Alarm, ...] = ()
    """Known to a debugger only: events do not tell them."""

    @property
    def pending(self) -> tuple[Active, ...]:
        """The tasks that were started and have not answered."""
        return tuple(a for a in self.active if a.type == "Task" and a.phase in ("scheduled", "started", "submitted"))

    @property
    def data(self) -> Json:
        """The data where the last event happened: what the state under way has got so far, else the payload seen last."""
        return parse(self.data_text)

    @property
    def variables(self) -> dict[str, Json]:
        """The variables visible where the last event happened."""
        return {name: parse(text) for name, text in self.variables_text.items()}

    @property
    def output(self) -> Json:
        """The execution's output, None before it has succeeded."""
        return parse(self.output_text)

    @property
    def current(self) -> Active | None:
        """The active state that the last event belongs to, else the innermost one that is active."""
        return next((a for a in self.active if a.visit == self.here), self.active[-1] if self.active else None)


def take(fold: Fold) -> Snapshot:
    """Return the snapshot of a fold as far as it has come."""
    event, here = fold.event, fold.here
    scope = scope_of(here)
    inside = here if isinstance(here, Stay) else here.owner
    active = tuple(_active(visit, stay) for stay in fold.chain.active() if (visit := fold.visit(stay.id)))
    return Snapshot(
        position=fold.position,
        event=event.get("id") if event else None,
        event_type=event.get("type") if event else None,
        time=fold.time,
        status=fold.status,
        active=active,
        here=inside.id if inside else None,
        place=scope.place,
        data_text=_data(fold, here),
        variables_text=scope.visible(),
        output_text=fold.output_text,
        error=fold.error,
        cause=fold.cause,
        counts={name: {s: n for s, n in counts.items() if n} for name, counts in fold.counts.items()},
    )


def _data(fold: Fold, here: Context) -> str | None:
    """Give the data of the state, or of the Map or Parallel, that the last event belongs to: beside it, others go on."""
    inside = here if isinstance(here, Stay) else here.owner
    visit = fold.visit(inside.id) if inside else None
    if visit is None or visit.status != "RUNNING":
        return fold.data_text
    if inside is not here and fold.event is not None and fold.event["type"].endswith("Succeeded"):
        return fold.data_text  # what the iteration's last state has just given
    return _held(visit)


def _held(visit: Visit) -> str | None:
    """Give what a state under way has got so far: a task's answer, else its input."""
    answer = visit.task_attempts[-1].output_text if visit.task_attempts else None
    return visit.input_text if answer is None else answer


def _active(visit: Visit, stay: Stay) -> Active:
    return Active(
        visit=visit.id,
        name=visit.name,
        type=visit.type,
        place=visit.place,
        entered=visit.entered,
        phase=_phase(visit),
        attempts=visit.attempts,
        input_text=visit.input_text,
        data_text=_held(visit),
        error=visit.error,
        cause=visit.cause,
        variables_text=stay.scope.visible(),
    )


def _phase(visit: Visit) -> str:
    if visit.failure is not None:
        return "failed"
    if not visit.task_attempts:
        return "started" if visit.runs else "entered"
    attempt = visit.task_attempts[-1]
    if attempt.status == "SUCCEEDED":
        return "succeeded"
    return "submitted" if attempt.submitted else "started" if attempt.started else "scheduled"


class Cursor:
    """Moves through one history: forward by the events between, backward by folding again from the start."""

    def __init__(self, events: Iterable[Event], branches: Branches | None = None) -> None:
        self.events = ordered(events)
        self.branches = branches
        self._fold = Fold(branches)

    def at(self, k: int) -> Snapshot:
        """Return the snapshot after the first `k` events; a negative `k` counts from the end, -1 being after the last event.

        Raises:
            CommandError: the history has not that many events.
        """
        total = len(self.events)
        position = k if k >= 0 else total + 1 + k
        if not 0 <= position <= total:
            raise CommandError(f"no event {k}: the history has {total} events")
        if position < self._fold.position:
            self._fold = Fold(self.branches)
        self._fold.extend(self.events[self._fold.position : position])
        return take(self._fold)


def snapshot(events: Iterable[Event], k: int = -1, branches: Branches | None = None) -> Snapshot:
    """Return the state of affairs after the first `k` events; all of them unless told otherwise."""
    return Cursor(events, branches).at(k)
