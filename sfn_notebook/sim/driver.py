"""The loop between an engine and whoever answers its tasks.

`drive` runs until the execution has ended or waits for an answer from outside. Commands are answered only when nothing is ready,
in the order in which they were issued, so that a run and its resumption give the same history.
"""

from __future__ import annotations

from typing import Protocol

from sfn_notebook.engine.execution import Engine
from sfn_notebook.engine.frames import Outcome
from sfn_notebook.engine.task import TaskCall


class Responds(Protocol):
    """Answers a task: (outcome or None for "from outside", seconds of virtual time until it comes)."""

    def respond(self, call: TaskCall) -> tuple[Outcome | None, float]:
        """Answer one task."""


def drive(engine: Engine, responder: Responds, until: int | None = None) -> None:
    """Run an engine as far as it goes.

    Args:
        engine: the execution.
        responder: answers its tasks.
        until: let time run up to this moment (milliseconds since 1970) even where only timeouts of outside tasks are left.
    """
    while engine.status == "RUNNING":
        engine.drain()
        calls = engine.take_calls()
        if calls:
            for call in calls:
                outcome, delay = responder.respond(call)
                if outcome is None:
                    call.frame.outside = True
                else:
                    call.frame.engine.answer(call.task, outcome, delay)
        elif engine.status == "RUNNING" and not engine.ready and not engine.tick(until):
            return
