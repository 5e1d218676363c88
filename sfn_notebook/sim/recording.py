"""A run that remembers all that it was told, so that any moment of it can be had again without calling anybody.

A `Recording` owns the tape (`sim.tape`), the head (the engine as far as the run has come) and checkpoints of it. `at(k)` gives a
player at event k: the nearest checkpoint, thawed and played on; a handler is never called for that. `cut` makes such a player the new
head: what came after is forgotten, except which handlers were called there, because calling them again may do harm. Who answers the
tasks of the head is `sim.answering`'s business.
"""

from __future__ import annotations

import copy
from typing import Any

from sfn_notebook.engine.distributed import MapRun
from sfn_notebook.engine.execution import Engine
from sfn_notebook.engine.freeze import freeze, release, thaw
from sfn_notebook.engine.log import STRIDE
from sfn_notebook.engine.model import Program
from sfn_notebook.errors import Json
from sfn_notebook.sim.answering import Answering
from sfn_notebook.sim.tape import Entry, Player

EVERY = 500
"""Events between checkpoints."""


class Checkpoint:
    """An execution, frozen after so many events and tape entries; its log is the beginning of the recording's."""

    __slots__ = ("at", "length", "saved")

    def __init__(self, player: Player) -> None:
        self.length = player.length
        self.at = player.at
        self.saved: dict[str, Json] = freeze(player.engine, ended=False)
        self.saved["engines"][0]["log"] = None

    def thaw(self, program: Program, log: list[Json], tape: list[Entry]) -> Player:
        """Give a player that stands here."""
        first, *others = self.saved["engines"]
        engines = [{**first, "log": log[: self.length * STRIDE]}, *others]
        return Player(thaw(program, {**self.saved, "engines": engines}), tape, self.at)


class Recording:
    """One line of a run.

    Attributes:
        head: the run as far as it has come.
        tape: all that it was told.
        answering: who answers its tasks.
        edits: the entries of the tape that are edits of data.
        cuts: how often a part was given up.
    """

    def __init__(self, program: Program, engine: Engine, answering: Answering) -> None:
        """Begin a recording of an engine that has not run yet."""
        self.program = program
        self.answering = answering
        self.tape: list[Entry] = []
        self.edits: list[Entry] = []
        self.head = Player(engine, self.tape, 0)
        self.checkpoints = [Checkpoint(self.head)]
        self._probe: Player | None = None
        self._probed = 0
        self._runs = 0
        self.cuts = 0

    @property
    def length(self) -> int:
        """Give the number of events so far."""
        return self.head.length

    @property
    def log(self) -> list[Json]:
        """Give the engine's log of all events so far."""
        return self.head.engine.log

    # ---- forward

    def advance(self, target: int, until: int | None = None, limit: float = float("inf")) -> str:
        """Run until there are `target` events.

        Args:
            target: number of events.
            until: let time run up to this moment (milliseconds since 1970), timeouts of tasks that wait for the outside included.
            limit: let time not run beyond this moment; it passes as ever before.

        Returns:
            "" when there are, else why there are not: "ended", "asked" (a task wants an answer), "waiting" (only an answer from
            outside can bring it further).

        Raises:
            RunError: a handler's answer is no JSON, or an endless loop was stopped.
        """
        return self.head.run(target, lambda: self._more(until, limit), self._pause)

    def _more(self, until: int | None, limit: float) -> str:
        """Answer the tasks that wait, or let time pass."""
        head = self.head
        calls = head.engine.waiting_calls()
        if calls:
            answers = self.answering.answers(calls)
            data: dict[str, Json] = {"answers": [answer.to_json() for answer in answers]}
            progress = self.answering.responder.progress()
            head.add(Entry("answers", {**data, "used": progress} if progress else data, head.length))
            return "asked" if any(answer.by == "asked" for answer in answers) else ""
        length, timer = head.length, head.engine.world.next_timer()
        if timer is None or timer.time > limit or not head.engine.tick(until):
            return "waiting"
        self.tape.append(Entry("tick", until, length))
        head.at += 1
        return ""

    def _pause(self) -> int:
        """Make a checkpoint when it is time for one; give the number of events at which to stop for the next."""
        last = self.checkpoints[-1]
        closed = sum(run.status != "RUNNING" for run in self.head.engine.map_runs)
        if self.head.length >= last.length + EVERY or (closed > self._runs and self.head.length > last.length):
            self.checkpoints.append(Checkpoint(self.head))
            last = self.checkpoints[-1]
        self._runs = closed
        return last.length + EVERY

    def act(self, kind: str, data: Json) -> None:
        """Do something to the head from outside; see `tape.ACTS`."""
        self.answering.changed |= kind != "abort"
        self.head.act(kind, data)
        if kind == "edit":
            self.edits.append(self.tape[-1])

    # ---- back

    def at(self, length: int) -> Player:
        """Give a player at the first stop with at least `length` events, before anything was told there.

        It is for looking: pass it to `cut` to go on from there. The next call moves it, or takes it apart: keep nothing of its engine.
        """
        probe = self._probe
        near = next(point for point in reversed(self.checkpoints) if self._is_before(point, max(length, 1)))
        if probe is None or self._probed > length or probe.length < near.length:
            if probe is not None:
                release(probe.engine)
            probe = near.thaw(self.program, self.log, self.tape)
        probe.run(length)
        self._probe, self._probed = probe, length
        return probe

    def _is_before(self, point: Checkpoint, length: int) -> bool:
        """Say whether a checkpoint lies at or before the first stop with so many events: it may know an answer that was given there."""
        told = point.at > 0 and self.tape[point.at - 1].length == length
        return point.length < length or (point.length == length and not told)

    def cut(self, player: Player) -> None:
        """Let the run go on from a player that `at` gave; what was recorded after it is forgotten."""
        self.answering.changed = True
        self.answering.forget(self.tape[: player.at], self.tape[player.at :])
        _take_children(player.engine, self.head.engine)
        del self.tape[player.at :]
        self.edits = [entry for entry in self.tape if entry.kind == "edit"]
        self.head = player
        self.checkpoints = [
            point for point in self.checkpoints if point.length <= player.length and point.at <= player.at
        ]
        self._probe = None
        self._runs = 0
        self.cuts += 1

    def fork(self) -> Recording:
        """Give a recording of its own that has all that this one has."""
        new = Recording.__new__(Recording)
        new.program = self.program
        new.tape, new.edits = list(self.tape), list(self.edits)
        new.answering = self.answering.fork(new.tape)
        engine = thaw(self.program, freeze(self.head.engine, ended=False))
        _take_children(engine, self.head.engine)
        new.head = Player(engine, new.tape, self.head.at)
        new.checkpoints = list(self.checkpoints)
        new._probe, new._probed = None, 0
        new._runs, new.cuts = self._runs, self.cuts
        return new

    # ---- saving

    def to_json(self) -> dict[str, Json]:
        """Give the recording as JSON: where it began, and what it was told."""
        first = self.checkpoints[0]
        saved = freeze(first.thaw(self.program, self.log, self.tape).engine)
        return {
            "first": saved,
            "tape": [entry.to_json() for entry in self.tape],
            "length": self.length,
            "drained": self.head.drained,
            "answering": self.answering.to_json(),
        }

    @classmethod
    def from_json(cls, program: Program, saved: dict[str, Any], answering: Answering) -> Recording:
        """Build the recording that `to_json` gave."""
        recording = cls(program, thaw(program, saved["first"]), answering)
        recording.tape.extend(Entry(*entry) for entry in saved["tape"])
        recording.edits.extend(entry for entry in recording.tape if entry.kind == "edit")
        recording.head.run(saved["length"], lambda: "end of tape", recording._pause)
        recording.head.catch_up(drain=saved["drained"])
        answering.load(saved["answering"], recording.tape)
        return recording


def _take_children(engine: Engine, later: Engine) -> None:
    """Give an engine the ended child executions that checkpoints leave out, from the same execution at a later time."""
    for run, other in zip(engine.map_runs, later.map_runs, strict=False):
        for index, child in other.children.items():
            if index < run.next and index not in run.active:
                run.children[index] = _adopted(child, run)
        for index, child in run.active.items():
            same = other.active.get(index) or other.children.get(index)
            if same is not None:
                _take_children(child, same)


def _adopted(child: Engine, run: MapRun) -> Engine:
    """Copy a child execution that has ended, for another line of the run."""
    new = copy.copy(child)
    new.owner = run
    new.map_runs = []
    for inner in child.map_runs:
        twin = copy.copy(inner)
        twin.engine = new
        twin.children = {index: _adopted(one, twin) for index, one in inner.children.items()}
        new.map_runs.append(twin)
    return new
