"""A compiled machine: its states, linked to each other, and nothing of any run.

`program` makes them; everything else in this package only reads them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sfn_notebook.engine.dataflow import Flow
from sfn_notebook.errors import Json

if TYPE_CHECKING:
    from sfn_notebook.engine.distributed import Plan
    from sfn_notebook.engine.execution import Engine
    from sfn_notebook.engine.frames import Frame, Join
    from sfn_notebook.engine.retry import Catcher, Retrier

Run = Callable[["Engine", "Frame"], bool]
"""Performs one state for one frame: True when the frame stands before its next state, False when it waits or is done."""

Take = Callable[["Engine", "Join", "Frame"], None]
"""Gives a child of a Map its next item."""


def not_compiled(engine: Engine, frame: Frame) -> bool:
    """Stand in for what a state does until it is compiled."""
    raise AssertionError(frame.state.name)


def not_a_map(engine: Engine, join: Join, child: Frame) -> None:
    """Stand in for the item hand-out of states that have no items."""
    raise AssertionError(join.parent.state.name)


@dataclass(slots=True, eq=False)
class State:
    """One state of a definition, compiled.

    Attributes:
        id: position among all states of the machine, in the order of the text.
        pointer: JSON Pointer of the state in the definition.
        next: the state that follows, None where the state ends its scope.
        starts: first states of the scopes inside it: one per Parallel branch, one for a Map's processor.
    """

    id: int
    name: str
    type: str
    pointer: str
    definition: dict[str, Json]
    language: str
    flow: Flow = field(default_factory=Flow)
    next: State | None = None
    starts: tuple[State, ...] = ()
    retriers: tuple[Retrier, ...] = ()
    catchers: tuple[Catcher, ...] = ()
    run: Run = not_compiled
    take: Take = not_a_map
    plan: Plan | None = None
    """What a Distributed Map was compiled to."""


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled machine: all its states, the first one, and the limits that it sets itself."""

    definition: dict[str, Json]
    states: tuple[State, ...]
    start: State
    timeout_seconds: int | None

    def beginning(self, number: int) -> Program:
        """Give the program that begins at the state of that number: that of a Distributed Map's child executions."""
        return self if number == self.start.id else Program(self.definition, self.states, self.states[number], None)
