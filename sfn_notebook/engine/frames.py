"""The moving parts of a run: frames, joins, failures, outcomes.

A `Frame` is one live thread of control: the execution itself, a Parallel branch or a Map iteration. It holds where it is (state and
phase), its data and variables by reference, and how its history is chained (previous event). A `Join` stands between a Map or
Parallel state and the frames that it started. Frames and joins hold only JSON values, numbers and each other, so that a run can be
saved at any step; what a state *does* stands in `states`, `task` and `fanout`, never here.

Phases of a frame: `ENTER` (about to enter its state), `BUSY` (a task, a wait or children are under way), `RESUME` (what it waited for
has come, in `outcome`), `RETRY` (the delay before a further attempt is over or running), `DEAD` (finished or aborted).
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sfn_notebook.errors import Json

if TYPE_CHECKING:
    from sfn_notebook.engine.distributed import MapRun
    from sfn_notebook.engine.execution import Engine
    from sfn_notebook.engine.model import State

ENTER, BUSY, RESUME, RETRY, DEAD = range(5)


class Failure(Exception):
    """An error inside the workflow, on its way to the Retry and Catch rules.

    Attributes:
        error: the error name, or None where a task failed without one.
        cause: the cause text, or None.
        fatal: no Retry or Catch may match (`States.Runtime`).
        evaluation: a JSONata evaluation failed; makes an `EvaluationFailed` event.
        location: field path of that evaluation (`Output/result`), where there is one.
        inside: that evaluation came after the state was entered, as the history shows it (`Timestamp` of a Wait state).
        own: the state itself found it, so that the cause shall begin with the sentence that names the state.
    """

    def __init__(
        self,
        error: str | None,
        cause: str | None,
        *,
        fatal: bool = False,
        evaluation: bool = False,
        location: str | None = None,
        own: bool = False,
        inside: bool = False,
    ) -> None:
        self.error = error
        self.cause = cause
        self.fatal = fatal
        self.evaluation = evaluation
        self.location = location
        self.own = own
        self.inside = inside
        super().__init__(error, cause)

    def to_json(self) -> dict[str, Json]:
        """Give the failure as a JSON object; `Failure(**value)` reads it back."""
        return dict(vars(self))

    def details(self) -> dict[str, Json]:
        """Give error and cause as the details of an event; what is absent is left out."""
        return {k: v for k, v in (("error", self.error), ("cause", self.cause)) if v is not None}

    def output(self) -> dict[str, Json]:
        """Give the error output that a Catch rule works on."""
        if self.error is None:  # recorded: SendTaskFailure without an error gives null for both
            return {"Error": None, "Cause": self.cause}
        return {"Error": self.error, "Cause": self.cause if self.cause is not None else ""}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a task attempt ended.

    Attributes:
        kind: "succeeded", "failed", "timed_out", or "never" (no answer will come; timers decide).
        output: the task's result, for "succeeded".
        error: error name.
        cause: cause text.
        event: event type where it is not the usual one (`LambdaFunctionScheduleFailed`, `TaskSubmitFailed`, ...).
        submitted: the answer of the service that started a `.sync` or `.waitForTaskToken` task; makes a `TaskSubmitted` event.
        worker: name of the activity worker.
        retry_after: seconds until the next attempt, where a history has recorded them; they count in place of a random delay.
    """

    kind: str
    output: Json = None
    error: str | None = None
    cause: str | None = None
    event: str | None = None
    submitted: Json = None
    worker: str | None = None
    retry_after: float | None = None

    def to_json(self) -> dict[str, Json]:
        """Give the outcome as a JSON object; `Outcome(**value)` reads it back."""
        return {
            name: getattr(self, name) for name in self.__slots__ if getattr(self, name) is not None or name == "output"
        }


class Frame:
    """One live thread of control of a run."""

    __slots__ = (
        "attempt", "before", "bound", "data", "engine", "entered", "entered_at", "fan", "index", "item", "join", "map_run", "outcome",
        "outside",
        "phase", "prev", "request", "retries", "stamp", "state", "task", "token", "variables",
    )  # fmt: skip

    def __init__(
        self, engine: Engine, state: State, data: Json, variables: dict[str, Json], prev: int, bound: int
    ) -> None:
        self.engine = engine
        self.state = state
        self.data = data
        self.variables = variables
        self.prev = prev
        """Id of the event that the next one is chained to."""
        self.bound = bound
        """Upper bound of the JSON size of `data`, in bytes."""
        self.phase = ENTER
        self.stamp = 0
        """Grows whenever what the frame waits for changes; timers with an older stamp are stale."""
        self.before = 0
        """What `prev` was before the current state was entered."""
        self.entered = 0
        """Id of the StateEntered event of the current state; 0 while a state that takes no time runs."""
        self.entered_at = 0
        self.retries: list[int] | None = None
        """Retries used so far, one counter per retrier of the current state."""
        self.attempt = 0
        self.task = 0
        """Id of the Scheduled event of the task under way, else 0."""
        self.token = ""
        self.request: Json = None
        """What the task under way was given."""
        self.outside = False
        """The task under way is answered from outside: time does not jump to its timeout."""
        self.outcome: Json = None
        self.join: Join | None = None
        """The join that this frame is a child of."""
        self.index = 0
        self.item: Json = None
        """`Map.Item` of the context object, while a Map selects its items."""
        self.fan: Join | None = None
        """The join that this frame waits for."""
        self.map_run: MapRun | None = None
        """The Map Run that this frame waits for."""

    def context(self) -> dict[str, Json]:
        """Build the context object (`$$`, `$states.context`) as this frame sees it now."""
        return self.engine.context(self)

    def random(self) -> random.Random:
        """Give a generator that depends on the seed of the run and on how many were drawn before, on nothing else."""
        return self.engine.draw()


class Join:
    """The children of one Map or Parallel state that is under way."""

    __slots__ = ("children", "items", "limit", "live", "next", "parent", "results", "started")

    def __init__(self, parent: Frame, items: list[Json], limit: int) -> None:
        self.parent = parent
        self.items = items
        self.limit = limit
        """How many children may run at once."""
        self.next = 0
        """Index of the next item that no child has taken."""
        self.live = 0
        self.results: list[Json] = [None] * len(items)
        self.children: list[Frame] = []
        self.started = 0
        """Id of the MapStateStarted or ParallelStateStarted event."""
