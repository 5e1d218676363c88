"""Travel in a long history: the snapshot after any event in a few milliseconds, however long the history is.

A fold cannot run backwards, and folding 25,000 events takes longer than a hand that drags a slider waits. So a `Scrubber` keeps marks:
copies of the fold every so many events, reduced to what the events up to the next mark can reach (the states that are open, and what
those events point at). Going somewhere copies the nearest mark and folds the rest.

Events may be added at the end and cut off there; a debugger does both. It also sets variables by hand, which no event tells:
`set_variables` says where they begin to hold.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sfn_notebook.errors import CommandError
from sfn_notebook.history.events import ENTERED, Event, details
from sfn_notebook.history.places import Branches, Chain, Context, Scope, Stay, scope_of
from sfn_notebook.history.records import Iteration, Visit
from sfn_notebook.history.snapshot import Snapshot, take
from sfn_notebook.history.visits import Fold

Texts = Mapping[str, str]
"""Variables by name, as JSON text."""


class Scrubber:
    """The snapshots of one history that may grow.

    Args:
        branches: fixes the numbers of Parallel branches, see `places.Branches`.
        every: how many events lie between marks.
    """

    def __init__(self, branches: Branches | None = None, every: int = 1000) -> None:
        self.branches = branches
        self.every = every
        self.events: list[Event] = []
        self._marks: list[Fold] = [Fold(branches)]
        self._trail = Fold(branches)
        self._fold = Fold(branches)
        self._reach = 0
        """How far `_fold` knows all that the events point at."""
        self._assignments: list[_Assignment] = []
        self._waiting = False
        self._set: dict[int, Texts] = {}

    def extend(self, events: Iterable[Event]) -> None:
        """Add events at the end; their ids go on from what is there."""
        for event in events:
            previous = event.get("previousEventId", 0)
            known = previous > self._fold.position or previous in self._fold.chain._after
            if known and self._reach == len(self.events):
                self._reach += 1
            self.events.append(event)
            if self._waiting:
                self._match(event)
        while len(self.events) >= self._trail.position + 2 * self.every:
            start = self._trail.position + self.every
            self._advance(self._trail, start)
            self._marks.append(_Copy(self._trail, self._needed(start, start + self.every)).fold)

    def cut(self, length: int) -> None:
        """Forget the events after the first `length`."""
        if length >= len(self.events):
            return
        del self.events[length:]
        self._set = {event: texts for event, texts in self._set.items() if event <= length}
        self._assignments = [one for one in self._assignments if one.position <= length]
        for one in self._assignments:
            one.event = one.event if one.event <= length else 0
        self._waiting = any(not one.event for one in self._assignments)
        self._marks = [mark for mark in self._marks if mark.position + self.every <= length] or [Fold(self.branches)]
        if self._trail.position > self._marks[-1].position:
            self._trail = Fold(self.branches)
            self._advance(self._trail, self._marks[-1].position)
        self._reach = min(self._reach, length)
        if self._fold.position > length:
            self._fold, self._reach = Fold(self.branches), length

    def set_variables(self, position: int, previous: int, state: str, texts: Texts) -> None:
        """Let variables hold from the next entry of `state` after `position` whose previous event is `previous`."""
        self._assignments.append(_Assignment(position, previous, state, texts))
        self._waiting = True

    def fold_at(self, position: int) -> Fold:
        """Give a fold of the first `position` events, to be read only; it knows the visits that matter there, not all."""
        if not 0 <= position <= len(self.events):
            raise CommandError(f"no event {position}: the history has {len(self.events)} events")
        if not self._fold.position <= position <= self._reach or position - self._fold.position > self.every:
            self._fold, self._reach = self._nearest(position)
        return self._advance(self._fold, position)

    def _nearest(self, position: int) -> tuple[Fold, int]:
        """Copy the nearest fold before a position; say how far the copy can be taken."""
        mark = self._marks[min(position // self.every, len(self._marks) - 1)]
        if position <= mark.position + self.every:
            return _Copy(mark, None).fold, min(mark.position + self.every, len(self.events))
        return _Copy(self._trail, self._needed(self._trail.position, len(self.events))).fold, len(self.events)

    def _needed(self, start: int, end: int) -> set[int]:
        return {0, *(event.get("previousEventId", 0) for event in self.events[start:end])}

    def at(self, position: int) -> Snapshot:
        """Give the snapshot after the first `position` events.

        Raises:
            CommandError: there are not that many.
        """
        return take(self.fold_at(position))

    def _advance(self, fold: Fold, position: int) -> Fold:
        if not self._set:
            return fold.extend(self.events[fold.position : position])
        for event in self.events[fold.position : position]:
            fold.advance(event)
            texts = self._set.get(event["id"])
            if texts is not None:
                scope = scope_of(fold.here)
                scope.variables = {**scope.variables, **texts}
        return fold

    def _match(self, event: Event) -> None:
        """Find the entry from which variables hold that were set by hand."""
        if event["type"] not in ENTERED:
            return
        for one in self._assignments:
            if (one.event, one.previous, one.state) == (0, event["previousEventId"], details(event).get("name")):
                one.event = event["id"]
                self._set[one.event] = {**self._set.get(one.event, {}), **one.texts}
        self._waiting = any(not one.event for one in self._assignments)


@dataclass(slots=True)
class _Assignment:
    """Variables that were set by hand; `event` is the entry from which they hold, 0 before it is known."""

    position: int
    previous: int
    state: str
    texts: Texts
    event: int = 0


class _Copy:
    """Copies a fold with what can be reached from the events `kept`; all that the fold has where that is None."""

    def __init__(self, fold: Fold, kept: set[int] | None) -> None:
        self.memo: dict[int, Context] = {}
        self.scopes: list[tuple[Scope, Scope]] = []
        self.stays: set[int] = set()
        self.fold = new = Fold.__new__(Fold)
        chain = fold.chain
        after = chain._after if kept is None else {one: chain._after[one] for one in kept if one in chain._after}
        new.chain = self._chain(chain, after)
        new.here = self._context(fold.here)
        for name in ("position", "event", "status", "started", "time", "data_text", "output_text", "error", "cause"):
            setattr(new, name, getattr(fold, name))
        new.counts = {name: dict(counts) for name, counts in fold.counts.items()}
        new.visits, new.retried = [], []
        self.iterations: dict[int, Iteration] = {}
        self._visits(fold, new)

    def _chain(self, chain: Chain, after: Mapping[int, Context]) -> Chain:
        new = Chain.__new__(Chain)
        new.root = self._scope(chain.root)
        new.lost = []
        new._loose = [self._scope(scope) for scope in chain._loose]
        new._after = {event: self._context(context) for event, context in after.items()}
        new._numbers = {name: dict(numbers) for name, numbers in chain._numbers.items()}
        return new

    def _context(self, context: Context) -> Context:
        return self._stay(context) if isinstance(context, Stay) else self._scope(context)

    def _scope(self, scope: Scope) -> Scope:
        found = self.memo.get(id(scope))
        if isinstance(found, Scope):
            return found
        self.memo[id(scope)] = new = Scope.__new__(Scope)
        self.scopes.append((scope, new))
        for name in ("place", "key", "run", "previous", "variables"):
            setattr(new, name, getattr(scope, name))
        for name in ("owner", "current", "last"):
            stay = getattr(scope, name)
            setattr(new, name, None if stay is None else self._stay(stay))
        return new

    def _stay(self, stay: Stay) -> Stay:
        found = self.memo.get(id(stay))
        if isinstance(found, Stay):
            return found
        self.memo[id(stay)] = new = Stay.__new__(Stay)
        self.stays.add(stay.id)
        for name in ("id", "name", "type", "run", "broken", "acknowledged"):
            setattr(new, name, getattr(stay, name))
        new.scope = self._scope(stay.scope)
        new.inner = {key: self._scope(scope) for key, scope in stay.inner.items()} if stay.inner else stay.inner
        if stay.inner == {} and stay.type in ("Map", "Parallel"):
            new.inner = {}
        new.owed = None if stay.owed is None else deque(self._stay(one) for one in stay.owed)
        return new

    def _visits(self, fold: Fold, new: Fold) -> None:
        ids = self.stays | {scope.previous for scope, _ in self.scopes if scope.previous is not None}
        if fold.culprit is not None:
            ids.add(fold.culprit.id)
        more = list(ids)
        while more:
            visit = fold._visits.get(more.pop())
            if visit is not None and visit.because is not None and visit.because not in ids:
                ids.add(visit.because)
                more.append(visit.because)
        new._visits = {one: self._visit(fold._visits[one]) for one in ids if one in fold._visits}
        new.culprit = None if fold.culprit is None else new._visits[fold.culprit.id]
        new._failures = {one: event for one, event in fold._failures.items() if one in ids}
        new._condemned = fold._condemned & ids
        new._iterations = {}
        for old, scope in self.scopes:
            iteration = fold._iterations.get(old)
            if iteration is not None:
                new._iterations[scope] = self.iterations.get(id(iteration)) or copy.copy(iteration)

    def _visit(self, visit: Visit) -> Visit:
        new = copy.copy(visit)
        new.task_attempts = [copy.copy(attempt) for attempt in visit.task_attempts]
        new.iterations = []
        for iteration in visit.iterations:
            if iteration.status == "RUNNING":
                twin = copy.copy(iteration)
                self.iterations[id(iteration)] = twin
                new.iterations.append(twin)
        return new
