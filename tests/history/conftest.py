"""What the tests of history share: a writer of events in the service's shape, and a synthesiser of whole histories.

The synthesiser plays a plan (nested states with their fates) in random interleaving and writes the chain as the service does,
with all its jumps. Beside the events it keeps the truth: what each visit must come out as.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import pytest

Events: TypeAlias = list[dict[str, Any]]
Plan: TypeAlias = list[Any]
START = datetime(2026, 3, 1, tzinfo=UTC)


class Writer:
    """Writes events one by one; each `add` returns the id."""

    def __init__(self) -> None:
        self.events: Events = []

    def add(self, kind: str, previous: int, **detail: Any) -> int:
        number = len(self.events) + 1
        event: dict[str, Any] = {
            "timestamp": START + timedelta(seconds=number),
            "type": kind,
            "id": number,
            "previousEventId": previous,
        }
        if kind.endswith("StateEntered"):
            event["stateEnteredEventDetails"] = {"input": "{}", "inputDetails": {"truncated": False}, **detail}
        elif kind.endswith("StateExited"):
            event["stateExitedEventDetails"] = {"output": "{}", "outputDetails": {"truncated": False}, **detail}
        elif detail:
            event[f"{kind[0].lower()}{kind[1:]}EventDetails"] = detail
        self.events.append(event)
        return number

    def chain(self, previous: int, *kinds: str, **detail: Any) -> int:
        """Add events that each point at the one before; `detail` goes to all of them."""
        for kind in kinds:
            previous = self.add(kind, previous, **detail)
        return previous


@dataclass
class Truth:
    name: str
    place: tuple[tuple[str, int], ...]
    parent: int
    run: int
    type: str
    status: str = "RUNNING"
    end: int | None = None
    attempts: int = 0
    next: int | None = None


@dataclass
class Where:
    """A sequence of states: its place, the visit and run around it, and the visit that exited last."""

    place: tuple[tuple[str, int], ...] = ()
    parent: int = 0
    run: int = 1
    last: int | None = None


Result: TypeAlias = tuple[int, int | None]
"""(last event, failure event or None)"""
Steps: TypeAlias = Generator[None, None, Result]
"""Yields after each event, so that siblings can be interleaved."""


@dataclass
class Child:
    key: int
    steps: Steps
    visits: set[int] = field(default_factory=set)
    result: Result = (0, None)


class Synthesiser:
    """Plays a plan: a list of states, each a tuple of the name of a method below and its arguments."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.writer = Writer()
        self.truth: dict[int, Truth] = {}
        self.tried: Counter[str] = Counter()
        self.branches: dict[str, dict[int, int]] = {}

    def play(self, plan: Plan, rounds: int = 1) -> Events:
        """Run a plan so many times in a row, as a loop does, unless it fails."""
        self.writer.add("ExecutionStarted", 0, input="{}", roleArn="arn:aws:iam::123456789012:role/r")
        top, previous, failure = Where(), 0, None
        for _ in range(rounds):
            if failure is None:
                previous, failure = _exhaust(self.body(plan, "s", top, previous))
        if failure is None:
            self.writer.add("ExecutionSucceeded", previous, output="{}")
        else:
            self.writer.add("ExecutionFailed", failure, error="Boom", cause="it did")
        return self.writer.events

    def body(self, plan: Plan, prefix: str, where: Where, previous: int) -> Steps:
        for number, (kind, *arguments) in enumerate(plan):
            previous, failure = yield from getattr(self, kind)(f"{prefix}.{number}{kind}", where, previous, *arguments)
            if failure is not None:
                return previous, failure
        return previous, None

    def enter(self, kind: str, name: str, where: Where, previous: int) -> int:
        visit = self.writer.add(f"{kind}StateEntered", previous, name=name)
        self.truth[visit] = Truth(name, where.place, where.parent, where.run, kind)
        if where.last is not None:
            self.truth[where.last].next = visit
            where.last = None
        return visit

    def leave(self, visit: int, where: Where, previous: int, status: str = "SUCCEEDED") -> Result:
        truth = self.truth[visit]
        truth.status = status
        truth.end = self.writer.add(f"{truth.type}StateExited", previous, name=truth.name)
        where.last = visit
        return truth.end, None

    def lose(self, visit: int, failure: int) -> Result:
        self.truth[visit].status, self.truth[visit].end = "FAILED", failure
        return failure, failure

    def plain(self, name: str, where: Where, previous: int) -> Steps:
        visit = self.enter("Pass", name, where, previous)
        yield
        result = self.leave(visit, where, visit)
        yield
        return result

    def fail(self, name: str, where: Where, previous: int) -> Steps:
        visit = self.enter("Fail", name, where, previous)
        self.truth[visit].status = "FAILED"
        yield
        return visit, visit

    def undefined(self, name: str, where: Where, previous: int) -> Steps:
        visit = self.enter("Pass", name, where, previous)
        yield
        return self.lose(visit, self.writer.add("EvaluationFailed", previous, state=name, error="E", cause="c"))

    def task(self, name: str, where: Where, previous: int, failures: int, fate: str) -> Steps:
        """`fate`: ok, caught, lost, or flaky (lost the first time, ok from then on)."""
        self.tried[name] += 1
        if fate == "flaky":
            fate = "lost" if self.tried[name] == 1 else "ok"
        visit = previous = self.enter("Task", name, where, previous)
        yield
        for number in range(failures + 1):
            previous = self.writer.add("TaskScheduled", previous, resource="invoke", parameters="{}")
            self.truth[visit].attempts += 1
            yield
            previous = self.writer.add("TaskStarted", previous, resource="invoke")
            yield
            if fate == "ok" and number == failures:
                previous = self.writer.add("TaskSucceeded", previous, resource="invoke", output="{}")
            else:
                previous = self.writer.add("TaskFailed", previous, resource="invoke", error="E", cause=str(number))
            yield
        if fate == "lost":
            return self.lose(visit, previous)
        result = self.leave(visit, where, previous, "SUCCEEDED" if fate == "ok" else "CAUGHT")
        yield
        return result

    def map(
        self, name: str, where: Where, previous: int, body: Plan, items: int, width: int, retries: int, caught: bool
    ) -> Steps:
        visit = previous = self.enter("Map", name, where, previous)
        yield
        for run in range(1, retries + 2):
            if run > 1:
                yield  # the wait before a retry
            self.truth[visit].attempts += 1
            last = previous = self.writer.add("MapStateStarted", previous, length=items)
            yield
            waiting, active, failure = list(range(items)), list[Child](), None
            while (waiting or active) and failure is None:
                while waiting and len(active) < width:
                    index = waiting.pop(0)
                    start = self.writer.add("MapIterationStarted", previous, name=name, index=index)
                    inside = Where((*where.place, (name, index)), visit, run)
                    active.append(Child(index, self.body(body, name, inside, start)))
                    yield
                child = self.random.choice(active)
                if self._advance(child):
                    active.remove(child)
                    previous, failure = child.result
                    outcome = "Succeeded" if failure is None else "Failed"
                    last = self.writer.add(f"MapIteration{outcome}", previous, name=name, index=child.key)
                    if failure is not None:
                        self._abort(active, failure, name)
                        break
                yield
            if failure is None:
                self.writer.add("MapStateSucceeded", last)
                result = self.leave(visit, where, last)
                yield
                return result
            previous = failure
        return (yield from self._failed(visit, where, previous, caught))

    def parallel(self, name: str, where: Where, previous: int, bodies: list[Plan], retries: int, caught: bool) -> Steps:
        visit = previous = self.enter("Parallel", name, where, previous)
        yield
        for run in range(1, retries + 2):
            self.truth[visit].attempts += 1
            started = self.writer.add("ParallelStateStarted", previous)
            yield
            active = [
                Child(n, self._branch(n, name, visit, where, run, body, started)) for n, body in enumerate(bodies)
            ]
            failure = None
            while active and failure is None:
                child = self.random.choice(active)
                if self._advance(child):
                    active.remove(child)
                    previous, failure = child.result
                    if failure is not None:
                        self._abort(active, failure, None)
                        break
                yield
            if failure is None:
                self.writer.add("ParallelStateSucceeded", previous)
                result = self.leave(visit, where, previous)
                yield
                return result
            previous = failure
        return (yield from self._failed(visit, where, previous, caught))

    def _branch(self, key: int, name: str, visit: int, where: Where, run: int, body: Plan, started: int) -> Steps:
        numbers = self.branches.setdefault(name, {})
        number = numbers.setdefault(key, len(numbers))
        inside = Where((*where.place, (name, number)), visit, run)
        return (yield from self.body(body, f"{name}/{key}", inside, started))

    def _failed(self, visit: int, where: Where, failure: int, caught: bool) -> Steps:
        """End a Map or Parallel; what nobody catches goes on outwards at once, so no sibling gets a word in between."""
        failed = self.writer.add(f"{self.truth[visit].type}StateFailed", failure)
        if not caught:
            return self.lose(visit, failed)
        yield
        result = self.leave(visit, where, failed, "CAUGHT")
        yield
        return result

    def _advance(self, child: Child) -> bool:
        """Let a child write its next event; tell whether it has ended."""
        known = set(self.truth)
        try:
            next(child.steps)
        except StopIteration as stop:
            child.result = stop.value
            return True
        finally:
            child.visits |= set(self.truth) - known
        return False

    def _abort(self, children: list[Child], failure: int, map_name: str | None) -> None:
        """End the siblings of a failure: the service points at the failure, not at what it aborts."""
        for child in children:
            child.steps.close()
            if map_name is not None:
                self.writer.add("MapIterationAborted", failure, name=map_name, index=child.key)
            for visit in sorted(child.visits):
                if self.truth[visit].status == "RUNNING":
                    self.truth[visit].status = "ABORTED"
                    if self.truth[visit].type == "Task":
                        self.writer.add("TaskStateAborted", failure)


def _exhaust(steps: Steps) -> Result:
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            result: Result = stop.value
            return result


@pytest.fixture(scope="session")
def new_writer() -> type[Writer]:
    """Writes a history event by event."""
    return Writer


@pytest.fixture(scope="session")
def new_synthesiser() -> type[Synthesiser]:
    """Plays a plan in random order and keeps the truth."""
    return Synthesiser
