"""What an execution shares with the child executions of its Distributed Maps: the clock, the timers, the commands.

Children are engines of their own, with their own histories, but there is one virtual time and one queue of commands for all of them,
so that the driver sees a single run. An engine that has something ready again is put on `awake`; the root's `drain` runs it.
"""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sfn_notebook.engine.frames import Outcome
from sfn_notebook.errors import RunError

if TYPE_CHECKING:
    from sfn_notebook.engine.execution import Engine
    from sfn_notebook.engine.frames import Frame
    from sfn_notebook.engine.task import TaskCall

LAST_MOMENT = 253_402_300_799_000
"""The last second of the year 9999, in milliseconds since 1970."""


@dataclass(order=True, slots=True)
class Timer:
    """An entry of the timer heap: at `time`, do `what` for a frame (or, without one, for the whole execution)."""

    time: int
    sequence: int
    what: str
    engine: Engine
    frame: Frame | None = None
    stamp: int = 0
    outcome: Outcome | None = None

    @property
    def stale(self) -> bool:
        """Say whether nothing waits for this any more."""
        if self.what == "void" or self.engine.status != "RUNNING":
            return True
        return self.frame is not None and self.frame.stamp != self.stamp


class World:
    """Virtual time and what is under way in it, of one execution with all its children."""

    __slots__ = ("awake", "calls", "now", "sequence", "timers")

    def __init__(self, now: int) -> None:
        self.now = now
        """Milliseconds since 1970, UTC."""
        self.sequence = 0
        self.timers: list[Timer] = []
        self.calls: list[TaskCall] = []
        self.awake: deque[Engine] = deque()

    def push(self, time: int, what: str, engine: Engine, frame: Frame | None, outcome: Outcome | None = None) -> None:
        """Set a timer; ties in time break by the order of setting.

        Raises:
            RunError: the moment lies beyond the year 9999, where no timestamp can be written.
        """
        if time > LAST_MOMENT:
            raise RunError(
                f'the virtual clock would pass the year 9999 while waiting in state "{frame.state.name if frame else ""}"'
            )
        self.sequence += 1
        stamp = 0 if frame is None else frame.stamp
        heapq.heappush(self.timers, Timer(time, self.sequence, what, engine, frame, stamp, outcome))

    def next_timer(self) -> Timer | None:
        """Give the next timer that still means something, without taking it."""
        while self.timers:
            if not self.timers[0].stale:
                return self.timers[0]
            heapq.heappop(self.timers)
        return None

    def pop(self) -> Timer:
        """Take the next timer and let time advance to it."""
        timer = heapq.heappop(self.timers)
        self.now = max(self.now, timer.time)
        return timer
