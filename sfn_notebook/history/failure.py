"""What went wrong: where it began, what the execution died of, and what was handled on the way.

These are three different things. The *terminal* failure is the state at the top of the execution and the error that
`ExecutionFailed` reports: often a Map, or a Fail state of an error path. The *root* failure is where that began: the task
inside the Map, or the task whose catcher led to the Fail state. *Handled* failures were retried away or caught and had no
such end.

A Fail state counts as the end of an error path when a catcher leads there with no Choice in between: a Choice decides by data,
so what it decides is a beginning of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from sfn_notebook.history.events import Event, details, ordered
from sfn_notebook.history.places import Branches, Place, place_text
from sfn_notebook.history.records import Visit
from sfn_notebook.history.visits import Fold


@dataclass(frozen=True, slots=True)
class Fault:
    """One failure: the event that tells it, the state it happened in, and who handled it how."""

    event: int
    event_type: str
    time: datetime | None
    visit: int | None
    state: str | None
    state_type: str | None
    place: Place
    error: str | None
    cause: str | None
    attempt: int | None = None
    handling: str | None = None
    """"retried", "caught" or None."""
    handler: str | None = None
    """Name of the state that retried or caught it."""

    def __str__(self) -> str:
        where = "/".join(filter(None, (place_text(self.place), self.state))) or "the execution"
        what = self.error or "an error without a name"
        how = f" ({self.handling} by {self.handler})" if self.handling else ""
        return f"{where}: {what}{how}"


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong in an execution. `root` and `terminal` are None when it goes on or succeeded all the same."""

    status: str
    root: Fault | None
    terminal: Fault | None
    handled: tuple[Fault, ...]

    def __str__(self) -> str:
        lines = [f"{self.status}: {self.root}" if self.root else self.status]
        if self.terminal and self.root and self.terminal.visit != self.root.visit:
            lines.append(f"ended in {self.terminal}")
        lines += [f"handled: {fault}" for fault in self.handled]
        return "\n".join(lines)


def failure(events: Iterable[Event], branches: Branches | None = None) -> Failure | None:
    """Return what went wrong, None if nothing did."""
    rows = ordered(events)
    return _Inquiry(Fold(branches).extend(rows), {event.get("id", 0): event for event in rows}).report()


class _Inquiry:
    """Answers from one finished fold; `events` is by id."""

    def __init__(self, fold: Fold, events: dict[int, Event]) -> None:
        self.fold = fold
        self.events = events
        self.before = {visit.next: visit for visit in fold.visits if visit.next is not None}

    def report(self) -> Failure | None:
        root = terminal = None
        excused: set[int] = set()
        if self.fold.status in ("FAILED", "TIMED_OUT", "ABORTED"):
            terminal = self.terminal()
            root = self.root(excused) or terminal
        handled = tuple(sorted(self.handled(excused), key=lambda fault: fault.event))
        return Failure(self.fold.status, root, terminal, handled) if terminal or handled else None

    def terminal(self) -> Fault:
        event = self.fold.event or {}
        around = list(self.fold.surrounding(self.fold.culprit)) if self.fold.culprit else []
        top = around[-1] if around else self.fold.culprit
        return replace(self.fault(event, top), error=self.fold.error, cause=self.fold.cause)

    def root(self, excused: set[int]) -> Fault | None:
        """Walk from the culprit inwards, and from a Fail state back to the catcher that led there."""
        if self.fold.culprit is None:
            return None
        visit = self.origin(self.fold.culprit)
        while visit.type == "Fail" and (catcher := self.catcher(visit)) is not None:
            excused.add(catcher.id)
            visit = self.origin(catcher)
        return self.of(visit) if visit.failure is not None or visit.type == "Fail" else None

    def origin(self, visit: Visit) -> Visit:
        """Follow a failure of a Map or Parallel to the state inside where it began."""
        while visit.because is not None and (inner := self.fold.visit(visit.because)) is not None:
            visit = inner
        return visit

    def catcher(self, visit: Visit) -> Visit | None:
        """Return the visit whose catcher led here, if data did not decide the way since."""
        at = self.before.get(visit.id)
        while at is not None and at.type != "Choice":
            if at.status == "CAUGHT":
                return at
            at = self.before.get(at.id)
        return None

    def handled(self, excused: set[int]) -> Iterator[Fault]:
        for visit, event in self.fold.retried:
            yield replace(self.fault(event, visit), handling="retried", handler=visit.name)
        for visit in self.fold.visits:
            if visit.status == "CAUGHT" and visit.id not in excused:
                yield replace(self.of(self.origin(visit)), handling="caught", handler=visit.name)
            elif visit.status in ("FAILED", "TIMED_OUT") and visit.because is None:
                retrier = self.retrier(visit)
                if retrier is not None:
                    yield replace(self.of(visit), handling="retried", handler=retrier.name)

    def retrier(self, visit: Visit) -> Visit | None:
        """Return the Map or Parallel around a failed visit that was started again since."""
        inner = visit
        for around in self.fold.surrounding(visit):
            if around.runs > inner.run:
                return around
            if around.status == "CAUGHT":
                return None
            inner = around
        return None

    def of(self, visit: Visit) -> Fault:
        """Describe the failure that a visit ended with. A Fail state fails by being entered."""
        told = self.events.get(visit.id if visit.type == "Fail" else visit.failure or visit.id, {})
        return replace(self.fault(told, visit), error=visit.error, cause=visit.cause)

    def fault(self, event: Event, visit: Visit | None) -> Fault:
        detail = details(event)
        attempts = visit.task_attempts if visit else []
        return Fault(
            event=event.get("id", 0),
            event_type=event.get("type", ""),
            time=event.get("timestamp"),
            visit=visit.id if visit else None,
            state=visit.name if visit else None,
            state_type=visit.type if visit else None,
            place=visit.place if visit else (),
            error=detail.get("error"),
            cause=detail.get("cause"),
            attempt=next((a.number for a in attempts if a.end_event == event.get("id")), None),
        )
