"""One line of a recorded run, as a debugger needs it: the view of any position, the tasks that wait there, and what can be changed.

A position is a number of events. Looking costs a fold of the events (`history.scrubber`) and, for timers and tasks, the engine set back
to the position (`sim.recording`); no handler is called for it. Changing something in the past takes the engine at that position as the
head; `given_up` is called before what came after it is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from sfn_notebook.engine import log as engine_log
from sfn_notebook.engine.execution import Engine
from sfn_notebook.engine.frames import DEAD, ENTER, Frame, Outcome
from sfn_notebook.errors import CommandError, Json
from sfn_notebook.history.events import Event
from sfn_notebook.history.places import Place, Stay, place_text
from sfn_notebook.history.records import Visit
from sfn_notebook.history.scrubber import Scrubber
from sfn_notebook.history.snapshot import Alarm, Snapshot
from sfn_notebook.history.visits import Fold
from sfn_notebook.sim.answering import describe
from sfn_notebook.sim.recording import Recording
from sfn_notebook.sim.tape import Key, call_of, engines, frames, key_of, number_of
from sfn_notebook.strictjson import copy_json, json_size, json_text


@dataclass(frozen=True, slots=True)
class PendingTask:
    """A task that waits for an answer.

    Attributes:
        state: name of the state.
        place: the way to it through Map and Parallel states.
        resource: its Resource; "" for reading the items or writing the results of a Distributed Map.
        input: what the task was given.
        attempt: number of the attempt, from 1.
        token: its task token, "" where it has none.
        outside: nobody will answer it by itself: it is a callback, has no handler, or asks before its handler is called again.
        earlier: the outcome that a handler gave to it before an edit; None where there is none.
        key: names it within the run.
    """

    state: str
    place: Place
    resource: str
    input: Json
    attempt: int
    token: str
    outside: bool
    earlier: Outcome | None
    key: tuple[Key, int]

    def __str__(self) -> str:
        place = f"{place_text(self.place)}/" if self.place else ""
        note = "" if self.outside else ", its handler has not been called yet"
        earlier = f"; its handler was called before, the task {self.earlier.kind}" if self.earlier else ""
        return f"{place}{self.state} ({self.resource or 'storage'}), attempt {self.attempt}{note}{earlier}"


class Line:
    """One line of a run.

    Attributes:
        recording: the run.
        given_up: called with a position before what was recorded after it is forgotten, and with whether the run was told something
            after it (answers, time) that is forgotten too.
    """

    def __init__(self, recording: Recording, events: list[Event] | None = None) -> None:
        """Look at a recording; `events` are those that somebody has already made of its log."""
        self.recording = recording
        self.given_up: Callable[[int, bool], None] = lambda position, told: None  # noqa: ARG005 - a line alone keeps nothing
        self._events = events or []
        self._views: Scrubber | None = None

    @property
    def length(self) -> int:
        """The number of events so far."""
        return self.recording.length

    @property
    def status(self) -> str:
        """The status of the run so far."""
        return self.recording.head.engine.status

    # ---- looking

    @property
    def events(self) -> list[Event]:
        """All events so far, as boto3 gives them; not to be changed."""
        return self._scrubber().events

    def fold(self, position: int) -> Fold:
        """Give the fold of the first `position` events, to be read at once: the next call may move it."""
        return self._scrubber().fold_at(position)

    def visit(self, position: int) -> Visit | None:
        """Give the visit that the event at a position belongs to."""
        return visit_at(self.fold(position))

    def snapshot(self, position: int) -> Snapshot:
        """Give what the events tell of a position."""
        return self._scrubber().at(position)

    def view(self, position: int) -> Snapshot:
        """Give the state of affairs at a position, with timers, and with edits that no event shows yet."""
        found = replace(self.snapshot(position), timers=alarms(self.recording, position))
        for entry in self.recording.edits:
            if entry.length == position:
                found = _edited(found, entry.data)
        return found

    def pending(self, position: int) -> list[PendingTask]:
        """Give the tasks that wait at a position."""
        return [self._pending(frame) for frame in waiting(self.recording, position)]

    def children(self, position: int, arn: str) -> str:
        """Give one letter per child execution of a Map Run at a position, as `MapRun.letters` has them; "" where they are not at hand."""
        root = engine_at(self.recording, position)
        return next((run.letters.decode("ascii") for run in root.map_runs if run.arn == arn), "")

    def _pending(self, frame: Frame) -> PendingTask:
        call = call_of(frame)
        earlier = self.recording.answering.earlier(call, self.recording.tape)
        key = (key_of(frame.engine), call.task)
        place, data = place_of(frame), copy_json(call.input)
        outside = frame.outside or not self.recording.answering.will_answer(call)
        return PendingTask(call.state, place, call.service.arn, data, call.attempt, call.token, outside, earlier, key)

    def _scrubber(self) -> Scrubber:
        if self._views is None:
            states = self.recording.program.states
            self._views = Scrubber({s.name: [start.name for start in s.starts] for s in states if s.type == "Parallel"})
            for entry in self.recording.edits:
                self._assign(entry.length, entry.data)
            self._views.extend(self._events)
            self._events = []
        if len(self._views.events) < self.length:
            self._views.extend(engine_log.events(self.recording.log, len(self._views.events) + 1))
        return self._views

    # ---- changing

    def take_over(self, position: int) -> None:
        """Make the engine at a position the one that goes on."""
        recording = self.recording
        if position >= recording.length:
            return
        player = recording.at(position)
        if player.length >= recording.length and player.at >= len(recording.tape):
            return
        self.given_up(position, player.at < len(recording.tape))
        recording.cut(player)
        if self._views is not None:
            self._views.cut(player.length)

    def edit(self, position: int, changes: dict[str, Json]) -> int:
        """Change `input`, `variables` or `context` for the state at a position; give the position from which that holds.

        Raises:
            CommandError: no state begins there, or the input is above the payload limit.
        """
        if json_size(changes.get("input")) > self.recording.head.engine.payload_limit:
            raise CommandError("the input is above the payload limit of the run (limits=False lifts it)")
        length, state = self._boundary(position)
        self._standing(position, length, state)
        self.take_over(length)
        frame = self._standing(position, length, state)
        data = {**changes, "frame": number_of(frame), "previous": frame.prev, "state": frame.state.name}
        self.recording.act("edit", data)
        if self._views is not None:
            self._assign(length, data)
        return length

    def _boundary(self, position: int) -> tuple[int, str | None]:
        """Find where an edit holds: (number of events, name of the state that begins there)."""
        if position <= 1:
            return 1, None
        visit = self.visit(position)
        if visit is not None and visit.status == "RUNNING":
            return visit.id - 1, visit.name
        return position, None

    def _standing(self, position: int, length: int, state: str | None) -> Frame:
        """Find the frame that is about to begin a state."""
        player = self.recording.at(length)
        found = None
        if player.length == length and state is not None:
            ready = (frame for frame in player.engine.ready if frame.phase != DEAD)
            found = next((f for f in ready if f.phase == ENTER and f.state.name == state), None)
        elif player.length == length:
            live = (frame for frame in frames(player.engine.root) if frame.phase == ENTER)
            found = next((f for f in live if f.prev == length or length == 1), None)
        if found is None or player.engine.status != "RUNNING":
            raise CommandError(
                f"no state begins at event {position}: go to an event of the state whose data shall be changed"
            )
        return found

    def _assign(self, length: int, data: dict[str, Json]) -> None:
        assert self._views is not None
        self._views.cut(length)
        texts = {name: json_text(value) for name, value in data.get("variables", {}).items()}
        if texts:
            self._views.set_variables(length, data["previous"], data["state"], texts)

    def settle(self, position: int, task: PendingTask, outcome: Callable[[Frame], Outcome]) -> None:
        """Answer a task that waits at a position."""
        self.take_over(position)
        frame = self._frame(task)
        self._give(frame, outcome(frame), 0, "hand")

    def call_handler(self, position: int, task: PendingTask) -> None:
        """Answer a task by calling its handler now."""
        self.take_over(position)
        frame = self._frame(task)
        outcome, delay = self.recording.answering.call_now(call_of(frame))
        if outcome is not None:
            self._give(frame, outcome, delay, "handler")

    def heartbeat(self, position: int, task: PendingTask) -> None:
        """Report that a task is alive."""
        self.take_over(position)
        self.recording.act("heartbeat", {"engine": _listed(task.key[0]), "task": task.key[1]})

    def skip_wait(self, position: int) -> None:
        """End the wait, or the delay before a retry, of the state at a position, or of the only one that waits."""
        timers = engine_at(self.recording, position).world.timers
        found = [t.frame for t in timers if t.what in ("wake", "retry") and not t.stale and t.frame is not None]
        visit = self.visit(position)
        here = [f for f in found if visit is not None and f.entered == visit.id and f.engine.owner is None] or found
        if len(here) != 1:
            names = ", ".join(sorted({frame.state.name for frame in found})) or "none"
            raise CommandError(
                f"one state that waits can be let go on at a time, but found {names}; go to an event of it"
            )
        data = {"engine": _listed(key_of(here[0].engine)), "frame": number_of(here[0])}
        self.take_over(position)
        self.recording.act("skip", data)

    def pass_time(self, position: int, seconds: float) -> str:
        """Let time pass, and run what it brings; say why that came to an end, as `Recording.advance` does."""
        self.take_over(position)
        until = self.recording.head.engine.world.now + round(seconds * 1000)
        reason = self.recording.advance(2**60, until)
        if self.status == "RUNNING" and reason == "waiting":
            self.recording.act("pass", until)
        return reason

    def _frame(self, task: PendingTask) -> Frame:
        frames_ = waiting(self.recording, self.length)
        return next(frame for frame in frames_ if (key_of(frame.engine), frame.task) == task.key)

    def _give(self, frame: Frame, outcome: Outcome, delay: float, by: str) -> None:
        described = describe(call_of(frame))
        if frame.outside:  # the service that took the task has answered already
            outcome = replace(outcome, submitted=None)
        data = {"by": by, "outcome": outcome.to_json(), "delay": delay}
        if frame.outside:
            where = {"engine": described["engine"], "task": described["task"], "call": described}
            self.recording.act("answer", {**data, **where})
        else:
            self.recording.answering.given[key_of(frame.engine), frame.task] = data

    def fork(self) -> Line:
        """Give a line of its own that has all that this one has."""
        events = self._events if self._views is None else self._views.events
        return Line(self.recording.fork(), events[: self.length])


def _edited(found: Snapshot, data: dict[str, Json]) -> Snapshot:
    """Show an edit at the very place where it was made; from the next event on the events show it."""
    if "input" in data:
        found = replace(found, data_text=json_text(data["input"]))
    texts = {name: json_text(value) for name, value in data.get("variables", {}).items()}
    return replace(found, variables_text={**found.variables_text, **texts}) if texts else found


def _listed(key: Key) -> list[list[int]]:
    return [list(step) for step in key]


# ---- what the engine tells of a position


def visit_at(fold: Fold) -> Visit | None:
    """Give the visit that the last event of a fold belongs to."""
    return fold.visit(fold.here.id) if isinstance(fold.here, Stay) else None


def engine_at(recording: Recording, position: int) -> Engine:
    """Give the engine at a position, to be read at once: the head where the run has come no further, with all that it was told there."""
    return recording.head.engine if position >= recording.length else recording.at(position).engine


def waiting(recording: Recording, position: int) -> Iterator[Frame]:
    """Yield the frames whose task waits for an answer at a position: not answered, and not about to be."""
    root = engine_at(recording, position)
    called = {id(call.frame) for call in root.waiting_calls()}
    for engine in engines(root):
        for frame in engine.tasks.values():
            if frame.outside or id(frame) in called:
                yield frame


def alarms(recording: Recording, position: int) -> tuple[Alarm, ...]:
    """Give the timers that are set at a position, in the order of time; the end of the execution's life is not among them."""
    root = engine_at(recording, position)
    live = sorted(timer for timer in root.world.timers if not timer.stale)
    return tuple(
        Alarm(timer.what, timer.frame.state.name, place_of(timer.frame), engine_log.timestamp(timer.time))
        for timer in live
        if timer.frame is not None
    )


def place_of(frame: Frame) -> Place:
    """Give the place of a frame; in a child execution it begins with the Map Run's."""
    engine = frame.engine
    inner = engine.path(frame)
    if engine.owner is None:
        return inner
    parent = engine.owner.frame
    return (*place_of(parent), (parent.state.name, engine.index), *inner)


def beginning(recording: Recording, visit: int, name: str) -> Frame | None:
    """Give the frame that is about to enter a state, in an engine that is set back to that moment."""
    player = recording.at(visit - 1)
    ready = next((frame for frame in player.engine.ready if frame.phase != DEAD), None)
    if player.length != visit - 1 or ready is None or ready.phase != ENTER or ready.state.name != name:
        return None
    return ready


def inside(recording: Recording, position: int, visit: int) -> Frame | None:
    """Give the frame that is in a visit at a position; None when it has left it by the next stop."""
    root = recording.at(position).engine.root
    return next((frame for frame in frames(root) if frame.entered == visit), None)


def is_of(task: PendingTask, visit: Visit | None) -> bool:
    """Say whether a task is one of a visit's."""
    attempts: list[Any] = visit.task_attempts if visit is not None else []
    return task.key[0] == () and any(attempt.event == task.key[1] for attempt in attempts)
