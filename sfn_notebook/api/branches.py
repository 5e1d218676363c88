"""The lines of a run beside the one that is debugged: forks, what a change gave up, and child executions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sfn_notebook.api.debugger import Debugger
    from sfn_notebook.engine.distributed import MapRun


@dataclass(frozen=True, slots=True)
class Branch:
    """A line of the run: made by `fork`, or kept when a change in the past gave it up.

    Attributes:
        name: what it is called.
        position: where it parted.
        debugger: a debugger of it.
        made_by: "fork", "change" (a change in the past gave it up), or "child" (a child execution was looked into, or its run kept).
    """

    name: str
    position: int
    debugger: Debugger
    made_by: str = "fork"

    def __repr__(self) -> str:
        return (
            f"<Branch {self.name!r} from event {self.position}: {self.debugger.status}, {self.debugger.length} events>"
        )


@dataclass(frozen=True, slots=True)
class ChildOf:
    """Which child execution a debugger is for.

    Attributes:
        parent: the debugger of the execution with the Distributed Map.
        run: the Map Run.
        index: which of its children.
        events: how many events the child had when it was looked into.
    """

    parent: Debugger
    run: MapRun
    index: int
    events: int
