"""The loop between an engine and whoever answers its tasks.

`drive` runs until the execution has ended or waits for an answer from outside. Commands are answered only when nothing is ready,
all that are waiting together and in the order in which they were issued, so that a run, its resumption, and a run on an executor
give the same history.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from sfn_notebook.engine.execution import Engine
from sfn_notebook.engine.frames import Frame, Outcome
from sfn_notebook.engine.task import TaskCall


class Responds(Protocol):
    """Answers tasks."""

    def respond(self, calls: Sequence[TaskCall]) -> list[tuple[Outcome | None, float]]:
        """Give, for each task in order, (outcome or None for "from outside", seconds of virtual time until it comes)."""


class RealTime:
    """Lets virtual time pass no faster than real time, in which handlers run too."""

    def __init__(self, now: int) -> None:
        """Begin when virtual time is `now` (milliseconds since 1970)."""
        self.start(now)

    def start(self, now: int) -> None:
        """Take this moment for `now`."""
        self._began = now / 1000 - time.monotonic()

    def reach(self, moment: int) -> None:
        """Sleep until real time has come to a moment of virtual time."""
        time.sleep(max(0.0, moment / 1000 - self._began - time.monotonic()))


def drive(
    engine: Engine,
    responder: Responds,
    until: int | None = None,
    watch: Callable[[Engine], None] | None = None,
    pace: Callable[[int], None] | None = None,
) -> None:
    """Run an engine as far as it goes.

    Args:
        engine: the execution.
        responder: answers its tasks.
        until: let time run up to this moment (milliseconds since 1970) even where only timeouts of outside tasks are left.
        watch: called after each batch of answers, to show progress.
        pace: called with the moment (milliseconds since 1970) to which virtual time is about to advance.
    """
    while engine.status == "RUNNING":
        engine.drain()
        calls = engine.take_calls()
        if calls:
            for call, (outcome, delay) in zip(calls, responder.respond(calls), strict=True):
                if outcome is None:
                    leave_outside(call.frame)
                else:
                    call.frame.engine.answer(call.task, outcome, delay)
            if watch is not None:
                watch(engine)
        elif engine.status == "RUNNING" and not engine.ready:
            timer = engine.upcoming(until) if pace is not None else None
            if pace is not None and timer is not None:
                pace(timer.time)
            if not engine.tick(until):
                return


def leave_outside(frame: Frame) -> None:
    """Let a task wait for an answer from outside; every such task has a token to answer it by."""
    engine = frame.engine
    frame.outside = True
    if not frame.token:
        frame.token = engine.new_token()
    engine.submitted(frame)
