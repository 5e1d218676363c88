"""What a result display needs to know of a run: plain data, made by `api`, shown by `html` and `text`.

Owns the three dataclasses and the few decisions that both forms share: which rows of a long table are shown, how a payload is
cut, how a duration is written. Payloads are JSON text as histories hold them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sfn_notebook.render.labels import one_line, shorten, visible
from sfn_notebook.render.overlay import status_of
from sfn_notebook.render.theme import MARKS, Status

FIRST_ROWS, LAST_ROWS, TELLING_ROWS = 100, 30, 50
"""How many visits of a long run are shown: the first, the last, and failed or caught ones between."""


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One attempt of a state's work. `printed` is what the handler printed, `exception` its traceback."""

    number: int
    status: str = "SUCCEEDED"
    duration: float | None = None
    error: str | None = None
    cause: str | None = None
    printed: str = ""
    exception: str = ""


@dataclass(frozen=True, slots=True)
class VisitRow:
    """One visit of a state. `place` is the path of iterations and branches, `duration` in seconds, payloads are JSON text."""

    name: str
    type: str
    status: str
    place: str = ""
    duration: float | None = None
    attempts: Sequence[AttemptRow] = ()
    tries: int = 1
    input: str | None = None
    output: str | None = None
    error: str | None = None
    cause: str | None = None
    id: int = 0


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run as its result display shows it.

    Attributes:
        status: RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED.
        name: of the machine.
        started: when it began, on its own clock.
        ended: when it ended, None while it runs.
        error: error name of a run that failed.
        cause: the text that goes with it.
        output: the result as JSON text.
        visits: rows, in order of entering.
        events: number of events in the history.
        graph_svg: inline SVG of the graph with the run laid over it.
        graph_text: what stands for the graph where SVG cannot be shown.
        messages: what the user should know besides, such as what the run waits for.
    """

    status: str
    name: str
    started: datetime | None = None
    ended: datetime | None = None
    error: str | None = None
    cause: str | None = None
    output: str | None = None
    visits: Sequence[VisitRow] = ()
    events: int = 0
    graph_svg: str | None = None
    graph_text: str | None = None
    messages: Sequence[str] = field(default_factory=tuple)

    @property
    def duration(self) -> float | None:
        """Seconds from start to end, None while it runs."""
        return (self.ended - self.started).total_seconds() if self.started and self.ended else None


def shown_rows(visits: Sequence[VisitRow]) -> list[VisitRow | int]:
    """Choose the rows to show; a number stands for as many rows left out."""
    if len(visits) <= FIRST_ROWS + LAST_ROWS:
        return list(visits)
    middle = range(FIRST_ROWS, len(visits) - LAST_ROWS)
    telling = [i for i in middle if status_of(visits[i].status) in {Status.FAILED, Status.CAUGHT}][:TELLING_ROWS]
    keep = [*range(FIRST_ROWS), *telling, *range(len(visits) - LAST_ROWS, len(visits))]
    rows: list[VisitRow | int] = []
    previous = -1
    for index in keep:
        if index - previous > 1:
            rows.append(index - previous - 1)
        rows.append(visits[index])
        previous = index
    return rows


def left_out(count: int) -> str:
    """Say that rows are missing, and where they are."""
    return f"… {count:,} visit{'s' if count > 1 else ''} not shown; history.states has them all"


def mark(status: str) -> str:
    """Give the mark of a status word of AWS."""
    return MARKS[status_of(status)]


def duration_text(seconds: float | None) -> str:
    """Write a duration exactly enough to add up: `0 ms`, `1.25 s`, `2 min 5 s`, `1 h 1 min`, `3 d 2 h`."""
    if seconds is None:
        return ""
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms"
    if seconds < 60:
        return f"{seconds:.3g} s"
    whole = round(seconds)
    for size, unit, part, part_unit in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // part
            return f"{whole // size:,} {unit}" + (f" {rest} {part_unit}" if rest else "")
    return f"{whole} s"


def size_text(length: int) -> str:
    """Write a number of characters of JSON as a size."""
    return (
        f"{length} B"
        if length < 1024
        else f"{length / 1024:.1f} KiB"
        if length < 1024 * 1024
        else f"{length / 1048576:.1f} MiB"
    )


def preview(payload: str | None, width: int) -> str:
    """Give the beginning of a payload in one line."""
    if payload is None:
        return ""
    start = one_line(payload[: width * 4])
    return shorten(start if len(payload) <= width * 4 else start + "…", width)


def pretty(payload: str, limit: int) -> str:
    """Indent a payload where it is JSON, and cut it to `limit` characters, saying how long it is."""
    text = payload
    if len(payload) <= limit * 2:
        try:
            text = json.dumps(json.loads(payload), indent=2, ensure_ascii=False)
        except ValueError:
            text = payload
    if len(text) > limit:
        text = f"{text[:limit]}\n… cut; {size_text(len(payload))} in all"
    return visible(text)
