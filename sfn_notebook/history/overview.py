"""An execution in one row: how it began, how it ended, and a frame of many such rows.

Works on the first and last events alone, so that ten thousand executions are listed without folding any of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from sfn_notebook.errors import Json
from sfn_notebook.history import columns as c
from sfn_notebook.history.events import Event, details, ordered, parse

if TYPE_CHECKING:
    import pandas as pd

STATUSES: Final = ("RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")
_ENDS: Final = {
    "ExecutionSucceeded": "SUCCEEDED",
    "ExecutionFailed": "FAILED",
    "ExecutionTimedOut": "TIMED_OUT",
    "ExecutionAborted": "ABORTED",
}


@dataclass(frozen=True, slots=True)
class Overview:
    """One execution at a glance."""

    status: str
    started: datetime | None
    ended: datetime | None
    events: int
    error: str | None
    cause: str | None
    input_text: str | None
    output_text: str | None

    @property
    def duration(self) -> timedelta | None:
        """Time from start to end, None while running."""
        return self.ended - self.started if self.started and self.ended else None

    @property
    def input(self) -> Json:
        """The execution's input."""
        return parse(self.input_text)

    @property
    def output(self) -> Json:
        """The execution's output, None where it has none."""
        return parse(self.output_text)


def overview(events: Iterable[Event]) -> Overview:
    """Give an execution at a glance; a redriven one ends with its last run."""
    found = ordered(events)
    if not found:
        return Overview("RUNNING", None, None, 0, None, None, None, None)
    first, last = found[0], found[-1]
    status = _ENDS.get(last["type"], "RUNNING")
    end = details(last) if status != "RUNNING" else {}
    return Overview(
        status,
        first.get("timestamp"),
        last.get("timestamp") if status != "RUNNING" else None,
        len(found),
        end.get("error"),
        end.get("cause"),
        details(first).get("input"),
        end.get("output"),
    )


_TABLE: Final[c.Table] = {
    "execution": (c.text, lambda row: row[0]),
    "status": (c.category(STATUSES), lambda row: row[1].status),
    "started": (c.time, lambda row: row[1].started),
    "ended": (c.time, lambda row: row[1].ended),
    "duration": c.LATER,
    "events": (c.integer, lambda row: row[1].events),
    "error": (c.text, lambda row: row[1].error),
    "cause": (c.text, lambda row: row[1].cause),
    "input": (c.value, lambda row: row[1].input),
    "output": (c.value, lambda row: row[1].output),
}


def executions_frame(overviews: Mapping[str, Overview]) -> pd.DataFrame:
    """Return one row per execution.

    | column | kind | meaning |
    |---|---|---|
    | execution | text | its name |
    | status | category | RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED |
    | started, ended | time | none while running |
    | duration | span | |
    | events | integer | length of the history |
    | error, cause | text | of one that did not succeed |
    | input, output | value | parsed |
    """
    return c.frame(c.build(_TABLE, list(overviews.items()), [("duration", "started", "ended")]))
