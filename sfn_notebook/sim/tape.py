"""The tape of a run: all that came from outside, in order, and the player that runs an engine by it.

An engine is deterministic: what it does follows from its start and from what it was told. The tape holds what it was told: batches of
answers, ticks of the clock, answers from outside, edits. An engine that is set back to any checkpoint and plays the tape on goes
through exactly the same events, and nobody is called for it. A tape is plain JSON.

Ticks are entries too, so that an answer from outside finds its place among them. What was done at a stop in the middle of the work
(`drained` false) is done again at that very length of the log, before anything else runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sfn_notebook.engine.execution import Engine, merged
from sfn_notebook.engine.frames import BUSY, ENTER, RESUME, Frame, Outcome
from sfn_notebook.engine.log import STRIDE, TASK_SUBMITTED
from sfn_notebook.engine.task import NO_SERVICE, TaskCall, parse_resource
from sfn_notebook.errors import CommandError, Json
from sfn_notebook.sim.driver import leave_outside
from sfn_notebook.strictjson import json_size

Key = tuple[tuple[int, int], ...]
"""Which engine: () for the execution itself, then (Map Run, child) for each level of Distributed Map."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that came from outside.

    Attributes:
        kind: "answers" to a batch of tasks, "tick", or one of `ACTS`.
        data: its content, plain JSON.
        length: number of events when it came.
        drained: nothing was ready to run then.
    """

    kind: str
    data: Json
    length: int
    drained: bool = True

    def to_json(self) -> list[Json]:
        """Give the entry as JSON; `Entry(*value)` reads it back."""
        return [self.kind, self.data, self.length, self.drained]


class Player:
    """An engine and how much of the tape it has been told.

    Attributes:
        at: number of tape entries that the engine knows.
    """

    def __init__(self, engine: Engine, tape: list[Entry], at: int) -> None:
        self.engine = engine
        self.tape = tape
        self.at = at

    @property
    def length(self) -> int:
        """Give the number of events so far."""
        return len(self.engine.log) // STRIDE

    @property
    def drained(self) -> bool:
        """Say whether nothing is ready to run."""
        return not self.engine.ready and not self.engine.world.awake

    def run(self, target: int, more: Callable[[], str] | None = None, pause: Callable[[], int] | None = None) -> str:
        """Play until the log has at least `target` events.

        Args:
            target: number of events.
            more: called at the end of the tape, when nothing is ready: adds to the tape, or says why it cannot.
            pause: called at each stop; gives the number of events at which to stop next.

        Returns:
            "" when the target is reached, "ended", or what `more` said; "end of tape" without it.
        """
        engine = self.engine
        while True:
            entry = self._due()
            if self.length >= target:
                return ""
            if engine.status != "RUNNING":
                return "ended"
            stop = target if entry is None or entry.drained else min(target, entry.length)
            engine.stop_at = STRIDE * (stop if pause is None else min(stop, pause()))
            engine.reset_fence()
            engine.drain()
            if engine.stopped or engine.status != "RUNNING":
                continue
            if entry is not None and self.at < len(self.tape):
                self.play(entry)
            else:
                reason = "end of tape" if more is None else more()
                if reason:
                    return reason

    def _due(self) -> Entry | None:
        """Do again what was done in the middle of the work, when its place has come; give the next entry."""
        while self.at < len(self.tape):
            entry = self.tape[self.at]
            if entry.drained or entry.length != self.length:
                return entry
            self.play(entry)
        return None

    def play(self, entry: Entry) -> None:
        """Tell the engine one entry."""
        self.at += 1
        if entry.kind == "answers":
            calls = self.engine.take_calls()
            for call, answer in zip(calls, entry.data["answers"], strict=True):
                give(call, answer)
        elif entry.kind == "tick":
            self.engine.tick(entry.data)
        else:
            ACTS[entry.kind](self.engine, entry.data)

    def catch_up(self, *, drain: bool) -> None:
        """Take in the rest of the tape, where it has shown no event yet; `drain` says whether what is ready then had been run."""
        while (entry := self._due()) is not None:
            self._drain()
            self.play(entry)
        if drain:
            self._drain()

    def _drain(self) -> None:
        self.engine.stop_at = 0
        self.engine.reset_fence()
        self.engine.drain()

    def add(self, entry: Entry) -> None:
        """Put an entry at the end of the tape and tell it to the engine."""
        self.tape.append(entry)
        self.play(entry)

    def act(self, kind: str, data: Json) -> None:
        """Do something to the execution from outside, now."""
        self.add(Entry(kind, data, self.length, self.drained))


def give(call: TaskCall, answer: Mapping[str, Json]) -> None:
    """Give a task what it got; without an outcome it waits for an answer from outside."""
    frame = call.frame
    engine = frame.engine
    if answer.get("untimed"):
        for timer in engine.world.timers:
            if timer.frame is frame and timer.what in ("timeout", "heartbeat"):
                timer.what = "void"
    if answer.get("submitted") is not None:
        named = {"resourceType": call.service.resource_type, "resource": call.service.action}
        engine.now = engine.world.now
        engine.write(frame, TASK_SUBMITTED, named, answer["submitted"])
    if answer["outcome"] is not None:
        engine.answer(call.task, Outcome(**answer["outcome"]), answer["delay"])
    elif call.purpose == "task":
        leave_outside(frame)
    else:
        frame.outside = True


# ---- finding things in an engine by numbers that are the same in every run


def key_of(engine: Engine) -> Key:
    """Name an engine by its way down from the execution."""
    steps: list[tuple[int, int]] = []
    while engine.owner is not None:
        steps.append((engine.owner.number, engine.index))
        engine = engine.owner.engine
    return tuple(reversed(steps))


def engine_of(root: Engine, key: Json) -> Engine:
    """Find a child execution that is under way."""
    engine = root
    for run, index in key:
        engine = engine.map_runs[run].active[index]
    return engine


def engines(root: Engine) -> Iterator[Engine]:
    """Yield an execution and all child executions under way."""
    yield root
    for run in root.map_runs:
        for child in list(run.active.values()):
            yield from engines(child)


def frames(frame: Frame) -> Iterator[Frame]:
    """Yield a frame and all below it, in an order that is the same in every run."""
    yield frame
    if frame.fan is not None:
        for child in frame.fan.children:
            yield from frames(child)


def number_of(frame: Frame) -> int:
    """Number a frame among those of its execution."""
    return next(number for number, one in enumerate(frames(frame.engine.root)) if one is frame)


def frame_of(engine: Engine, number: int) -> Frame:
    """Find a frame by its number."""
    return next(one for at, one in enumerate(frames(engine.root)) if at == number)


def call_of(frame: Frame) -> TaskCall:
    """Give the command of the task that a frame waits for, as it was issued."""
    engine = frame.engine
    waiting = next((call for call in engine.world.calls if call.frame is frame and call.task == frame.task), None)
    if waiting is not None:
        return waiting
    path = engine.path(frame)
    if frame.task < 0:
        purpose = "write" if frame.task % 2 else "read"
        return TaskCall(frame.task, frame.state.name, NO_SERVICE, frame.request, 1, path, frame, purpose=purpose)
    service = parse_resource(frame.state.definition["Resource"])
    return TaskCall(frame.task, frame.state.name, service, frame.request, frame.attempt, path, frame, frame.token)


# ---- what can be done from outside


def _answer(root: Engine, data: Json) -> None:
    engine_of(root, data["engine"]).answer(data["task"], Outcome(**data["outcome"]), data["delay"])


def _heartbeat(root: Engine, data: Json) -> None:
    engine_of(root, data["engine"]).heartbeat(data["task"])


def _pass(root: Engine, data: Json) -> None:
    root.pass_time(data)


def _abort(root: Engine, data: Json) -> None:
    root.abort(data["error"], data["cause"])


def _skip(root: Engine, data: Json) -> None:
    """End a wait, or the delay before a retry, now: no time passes for it."""
    engine = engine_of(root, data["engine"])
    frame = frame_of(engine, data["frame"])
    for timer in root.world.timers:
        if timer.frame is frame and timer.what in ("wake", "retry") and not timer.stale:
            timer.what = "void"
    if frame.phase == BUSY:
        frame.phase = RESUME
    engine.make_ready(frame)


def _edit(root: Engine, data: Json) -> None:
    """Change what a frame that stands before a state will see."""
    frame = frame_of(root, data["frame"])
    if frame.phase != ENTER:
        raise CommandError(f'the data can be changed only before a state begins, but "{frame.state.name}" is under way')
    if "input" in data:
        frame.data = data["input"]
        frame.bound = json_size(frame.data)
    if "variables" in data:
        frame.variables = {**frame.variables, **data["variables"]}
    if "context" in data:
        root.context_edits = merged(root.context_edits, data["context"])


ACTS: dict[str, Callable[[Engine, Any], None]] = {
    "answer": _answer,
    "heartbeat": _heartbeat,
    "pass": _pass,
    "abort": _abort,
    "skip": _skip,
    "edit": _edit,
}
"""What can be done from outside, besides answering a batch and letting time pass."""
