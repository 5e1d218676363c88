"""The scrubber: the same snapshots as a fold from the start, wherever one goes, also while the history grows and is cut."""

from __future__ import annotations

import random
from typing import Any

import pytest

from sfn_notebook.errors import CommandError
from sfn_notebook.history.scrubber import Scrubber
from sfn_notebook.history.snapshot import snapshot

BRANCHES = {"P": ["A", "B"]}


def event(number: int, previous: int, kind: str, **details: Any) -> dict[str, Any]:
    member = "stateEnteredEventDetails" if kind.endswith("Entered") else "stateExitedEventDetails"
    if not kind.endswith(("StateEntered", "StateExited")):
        member = f"{kind[0].lower()}{kind[1:]}EventDetails"
    return {
        "id": number,
        "previousEventId": previous,
        "type": kind,
        "timestamp": None,
        **({member: details} if details else {}),
    }


class Writer:
    """Writes a history of many Maps of Parallels, with retries and variables, interleaved at random."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.events: list[dict[str, Any]] = []
        self.add(0, "ExecutionStarted", input="{}")

    def add(self, previous: int, kind: str, **details: Any) -> int:
        self.events.append(event(len(self.events) + 1, previous, kind, **details))
        return len(self.events)

    def state(self, previous: int, name: str) -> Any:
        previous = self.add(previous, "TaskStateEntered", name=name, input=f'"{name}"')
        for attempt in range(self.random.randint(1, 3)):
            previous = self.add(previous, "TaskScheduled", parameters="{}")
            yield
            previous = (
                self.add(previous, "TaskFailed", error="E")
                if attempt < 1
                else self.add(previous, "TaskSucceeded", output="1")
            )
            yield
        assigned = {"x": str(len(self.events))} if self.random.random() < 0.5 else {}
        previous = self.add(previous, "TaskStateExited", name=name, output="2", assignedVariables=assigned)
        return previous

    def iteration(self, started: int, index: int, name: str) -> Any:
        previous = self.add(started, "MapIterationStarted", name=name, index=index)
        previous = yield from self.state(previous, "T")
        entered = self.add(previous, "ParallelStateEntered", name="P", input="{}")
        began = self.add(entered, "ParallelStateStarted")
        ends = yield from together([self.state(began, branch) for branch in "AB"], self.random)
        self.add(began, "ParallelStateSucceeded")
        last = self.add(ends, "ParallelStateExited", name="P", output="[]")
        self.add(last, "MapIterationSucceeded", name=name, index=index)
        return last

    def maps(self, count: int) -> list[dict[str, Any]]:
        previous = 0
        for number in range(count):
            name = f"M{number % 2}"
            entered = self.add(previous, "MapStateEntered", name=name, input="[]")
            started = self.add(entered, "MapStateStarted", length=4)
            work = together([self.iteration(started, index, name) for index in range(4)], self.random)
            try:
                while True:
                    next(work)
            except StopIteration as done:
                previous = done.value
            self.add(previous, "MapStateSucceeded")
            previous = self.add(previous, "MapStateExited", name=name, output="[]")
        self.add(previous, "ExecutionSucceeded", output="{}")
        return self.events


def together(parts: list[Any], chance: random.Random) -> Any:
    last = 0
    while parts:
        part = chance.choice(parts)
        try:
            next(part)
            yield
        except StopIteration as done:
            last = done.value
            parts.remove(part)
    return last


@pytest.fixture(scope="module")
def events() -> list[dict[str, Any]]:
    return Writer(1).maps(8)


def test_every_position_shows_what_a_fold_from_the_start_shows(events: list[dict[str, Any]]) -> None:
    scrubber = Scrubber(BRANCHES, every=40)
    scrubber.extend(events)
    positions = list(range(len(events) + 1))
    random.Random(2).shuffle(positions)
    for position in positions:
        assert scrubber.at(position) == snapshot(events, position, BRANCHES)


def test_a_history_may_grow_and_be_cut_at_any_place(events: list[dict[str, Any]]) -> None:
    chance = random.Random(3)
    scrubber = Scrubber(BRANCHES, every=30)
    at, cuts = 0, 12
    while at < len(events):
        more = chance.randint(1, 9)
        scrubber.extend(events[at : at + more])
        at = min(at + more, len(events))
        assert scrubber.at(at) == snapshot(events, at, BRANCHES)
        position = chance.randint(0, at)
        assert scrubber.at(position) == snapshot(events, position, BRANCHES)
        if chance.random() < 0.1 and cuts:
            cuts -= 1
            at = chance.randint(at // 2, at)
            scrubber.cut(at)


def test_variables_set_by_hand_hold_from_the_entry_that_follows(events: list[dict[str, Any]]) -> None:
    entered = next(
        e for e in events if e["type"] == "TaskStateEntered" and e["stateEnteredEventDetails"]["name"] == "T"
    )
    scrubber = Scrubber(BRANCHES)
    scrubber.set_variables(entered["id"] - 1, entered["previousEventId"], "T", {"mine": "7"})
    scrubber.extend(events)
    assert scrubber.at(entered["id"] - 1).variables == {}
    assert scrubber.at(entered["id"]).variables == {"mine": 7}
    scrubber.cut(entered["id"] - 1)
    scrubber.extend(events[entered["id"] - 1 :])
    assert scrubber.at(entered["id"]).variables == {"mine": 7}
    scrubber.cut(entered["id"] - 2)
    scrubber.extend(events[entered["id"] - 2 :])
    assert scrubber.at(entered["id"]).variables == {}


def test_a_position_that_does_not_exist_is_refused(events: list[dict[str, Any]]) -> None:
    scrubber = Scrubber()
    scrubber.extend(events[:5])
    with pytest.raises(CommandError, match="no event 6: the history has 5 events"):
        scrubber.at(6)


def beside_each_other(turns: str) -> list[dict[str, Any]]:
    """Write a history of two branches, A and B, each a row of Pass states that take turns."""
    events = [
        event(1, 0, "ExecutionStarted", input="{}"), event(2, 0, "ParallelStateEntered", name="P", input="{}"),
        event(3, 2, "ParallelStateStarted"),
    ]  # fmt: skip
    last = {"A": 3, "B": 3}
    for turn in turns:
        number = len(events) + 1
        events.append(event(number, last[turn], "PassStateEntered", name=f"{turn}{number}", input=str(number)))
        events.append(event(number + 1, number, "PassStateExited", name=f"{turn}{number}", output=str(number)))
        last[turn] = number + 1
    return events


def test_after_a_cut_other_events_may_point_further_back() -> None:
    alone, other = beside_each_other("AB" + "A" * 30), beside_each_other("AB" + "A" * 15 + "B" + "A" * 14)
    scrubber = Scrubber(every=10)
    scrubber.extend(alone)
    for position in (33, 36):
        assert scrubber.at(position) == snapshot(alone, position)
    scrubber.cut(37)
    scrubber.extend(other[37:])
    for position in (37, 38, 39, 40, len(other), 12, 38):
        assert scrubber.at(position) == snapshot(other, position)
