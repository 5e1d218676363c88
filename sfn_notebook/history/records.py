"""The records that a history folds into: a visit of a state, an attempt of a task, an iteration of a Map.

Plain data with no behaviour beyond reading itself: payloads stay JSON text (`input_text`), the property without `_text` parses
it each time it is asked for. Module `visits` fills them; frames, failure and snapshots only read.

How a visit ends: by its `...StateExited` event (SUCCEEDED, or CAUGHT when a failure led there: "exited" is not "succeeded"),
by a failure that nobody handled (FAILED, TIMED_OUT; `exited` is then the time of the failing event), or because something
around it ended (ABORTED, TIMED_OUT). In an unfinished history it is RUNNING and has no `exited`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sfn_notebook.errors import Json
from sfn_notebook.history.events import parse
from sfn_notebook.history.places import Place

VISIT_STATUSES: Final = ("SUCCEEDED", "FAILED", "CAUGHT", "ABORTED", "TIMED_OUT", "RUNNING")
ATTEMPT_STATUSES: Final = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "RUNNING")
ITERATION_STATUSES: Final = ("SUCCEEDED", "FAILED", "ABORTED", "TIMED_OUT", "RUNNING")


@dataclass(slots=True)
class Attempt:
    """One attempt of a Task: from `...Scheduled` to its outcome. `number` starts at 1."""

    number: int
    visit: int
    kind: str
    event: int
    scheduled: datetime | None
    started: datetime | None = None
    submitted: datetime | None = None
    ended: datetime | None = None
    end_event: int | None = None
    status: str = "RUNNING"
    resource: str | None = None
    resource_type: str | None = None
    parameters_text: str | None = None
    output_text: str | None = None
    error: str | None = None
    cause: str | None = None

    @property
    def parameters(self) -> Json:
        """What the task was called with: `parameters` of an integration, `input` of a function or activity."""
        return parse(self.parameters_text)

    @property
    def output(self) -> Json:
        """What the task answered; for `.sync` and callbacks before the outcome, the answer to the submission."""
        return parse(self.output_text)


@dataclass(slots=True)
class Iteration:
    """One iteration of a Map in the same history (not those of a Distributed Map). `run` counts the Map's own attempts."""

    name: str
    index: int
    visit: int
    run: int
    place: Place
    event: int
    started: datetime | None
    ended: datetime | None = None
    end_event: int | None = None
    status: str = "RUNNING"
    error: str | None = None
    cause: str | None = None

    @property
    def duration(self) -> timedelta | None:
        """Time from start to end, None while running."""
        return self.ended - self.started if self.ended and self.started else None


@dataclass(slots=True)
class Visit:
    """One stay in a state. `id` is that of its `...StateEntered` event; `parent` that of the Map or Parallel around it, or 0."""

    id: int
    name: str
    type: str
    place: Place
    parent: int
    run: int
    """Which run of that Map or Parallel it belongs to, from 1: a retry starts all of it again."""
    iteration: int | None
    """Index of the innermost Map iteration around it."""
    entered: datetime | None
    input_text: str | None
    exited: datetime | None = None
    end_event: int | None = None
    status: str = "RUNNING"
    output_text: str | None = None
    error: str | None = None
    cause: str | None = None
    assigned_text: Mapping[str, str] | None = None
    next: int | None = None
    """Id of the visit that followed in the same scope."""
    failure: int | None = None
    """Id of the last failure event that was not retried."""
    because: int | None = None
    """Id of the visit inside this Map or Parallel whose failure became its own."""
    runs: int = 0
    """How often a Map or Parallel has started."""
    length: int | None = None
    """Number of items, as MapStateStarted says."""
    map_run_arn: str | None = None
    task_attempts: list[Attempt] = field(default_factory=list)
    iterations: list[Iteration] = field(default_factory=list)

    @property
    def attempts(self) -> int:
        """How often the state's work was tried, at least 1."""
        return max(1, len(self.task_attempts), self.runs)

    @property
    def duration(self) -> timedelta | None:
        """Time from entry to exit, None while running."""
        return self.exited - self.entered if self.exited and self.entered else None

    @property
    def input(self) -> Json:
        """The state's input."""
        return parse(self.input_text)

    @property
    def output(self) -> Json:
        """The state's output, None where it has none."""
        return parse(self.output_text)

    @property
    def assigned(self) -> dict[str, Json] | None:
        """The variables that the state assigned."""
        return None if self.assigned_text is None else {name: parse(text) for name, text in self.assigned_text.items()}
