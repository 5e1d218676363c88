"""The critical path: which states an execution was waiting for, moment by moment, from its end back to its start.

In a sequence every state counts. At the end of a Map or Parallel stands the iteration or branch that finished last; what it
waited for before it began (with MaxConcurrency, the iteration whose place it took) comes before it, and the rest of the time is
the Map's or Parallel's own: starting up, waiting for a retry. Iterations and branches that were aborted never decide anything as
long as another one did.

The walk works on `Span`s, plain numbers made from visits or from a states frame, so that a thousand executions are walked in
a blink. Spans belong together by their sequence (parent, run and place), never by time. Legs of a path never overlap, so they
never add up to more than the execution took.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from sfn_notebook.history import columns as c
from sfn_notebook.history.events import STATE_TYPES
from sfn_notebook.history.places import place_text
from sfn_notebook.history.records import Visit

if TYPE_CHECKING:
    import pandas as pd


class Span(NamedTuple):
    """What the walk needs of one visit. Times in microseconds; `last` orders ends: an event id."""

    id: int
    scope: Any
    """Equal for the visits of one sequence."""
    parent: int
    start: int
    end: int
    last: int
    aborted: bool


class Leg(NamedTuple):
    """A piece of the path: a visit, or the part of a Map's or Parallel's time in which nothing inside it decided."""

    id: int
    start: int
    end: int
    own: bool


class _Sequence(NamedTuple):
    spans: list[Span]
    start: int
    end: int
    first: int
    last: int
    aborted: bool


_Steps: TypeAlias = "Generator[Leg | _Steps, None, None]"


def walk(spans: Iterable[Span]) -> list[Leg]:
    """Return the critical path of one execution, in the order of time."""
    inner = _sequences(spans)
    stack: list[_Steps] = [_through(inner.get(0, []), inner)]
    legs: list[Leg] = []
    limit = None
    while stack:  # not recursion: nesting is as deep as a definition
        step = next(stack[-1], None)
        if step is None:
            stack.pop()
        elif isinstance(step, Leg):
            end = step.end if limit is None else min(step.end, limit)
            start = limit = min(step.start, end)
            if end > start or not step.own:
                legs.append(Leg(step.id, start, end, step.own))
        else:
            stack.append(step)
    return legs[::-1]


def _sequences(spans: Iterable[Span]) -> dict[int, list[_Sequence]]:
    """Group visits to sequences, and those by the visit that they run inside."""
    found: dict[Any, list[Span]] = {}
    for span in spans:
        found.setdefault((span.parent, span.scope), []).append(span)
    inner: dict[int, list[_Sequence]] = {}
    known = {span.id for members in found.values() for span in members}
    for (parent, _), members in found.items():
        last = members[-1]
        sequence = _Sequence(
            members, members[0].start, max(s.end for s in members), members[0].id, last.last, last.aborted
        )
        inner.setdefault(parent if parent in known else 0, []).append(sequence)
    return inner


def _through(sequences: list[_Sequence], inner: dict[int, list[_Sequence]]) -> _Steps:
    """Go back over the sequences that lie one before the other in time, from the one that ended last."""
    for chosen in _chosen(sequences):
        for span in reversed(chosen.spans):
            if span.id in inner:
                yield _inside(span, inner)
            else:
                yield Leg(span.id, span.start, span.end, own=False)


def _inside(span: Span, inner: dict[int, list[_Sequence]]) -> _Steps:
    end = span.end
    for chosen in _chosen(inner[span.id], end):
        yield Leg(span.id, chosen.end, end, own=True)
        yield _through([chosen], inner)
        end = chosen.start
    yield Leg(span.id, span.start, end, own=True)


def _chosen(sequences: list[_Sequence], end: int | None = None) -> Iterator[_Sequence]:
    """Yield the sequence that ended last, then the one that ended last before that began, and so on."""
    decisive = [s for s in sequences if not s.aborted] or sequences
    before = None
    for sequence in sorted(decisive, key=lambda s: (s.end, s.last), reverse=True):
        if (end is None or sequence.end <= end) and (before is None or sequence.last < before):
            yield sequence
            end, before = sequence.start, sequence.first


def spans_of(visits: Sequence[Visit]) -> list[Span]:
    """Reduce the visits of one execution; what is still running lasts until the last thing that happened."""
    starts, ends = ticks([v.entered for v in visits]), ticks([v.exited for v in visits])
    now = max((t for t in (*starts, *ends) if t is not None), default=0)
    return [
        Span(
            v.id,
            (v.run, v.place),
            v.parent,
            now if start is None else start,
            now if end is None else end,
            v.end_event or v.id,
            v.status == "ABORTED",
        )
        for v, start, end in zip(visits, starts, ends, strict=True)
    ]


def ticks(times: Sequence[datetime | None]) -> list[int | None]:
    """Give times as microseconds, None where one is missing."""
    values = c.time(times)
    return [None if gap else tick for tick, gap in zip(values.asi8.tolist(), values.isna().tolist(), strict=True)]


def critical_path(visits: Iterable[Visit]) -> pd.DataFrame:
    """Return the critical path of one execution, a row for each leg, in the order of time.

    | column | kind | meaning |
    |---|---|---|
    | name | text | of the state |
    | type | category | |
    | path | text | Map iterations and Parallel branches around it, "" at the top |
    | part | category | "state", or "own": time of a Map or Parallel in which nothing inside it decided |
    | start, end | time | |
    | duration | span | |
    | share | float | of the time from the first entry to the last exit; all shares together are at most 1 |
    | visit | integer | id of the StateEntered event |
    """
    import numpy as np

    rows = list(visits)
    spans = spans_of(rows)
    legs = walk(spans)
    by_id = {visit.id: visit for visit in rows}
    total = wall(spans)
    found = [by_id[leg.id] for leg in legs]
    starts = np.array([leg.start for leg in legs], dtype="M8[us]")
    ends = np.array([leg.end for leg in legs], dtype="M8[us]")
    return c.frame(
        {
            "name": c.text([v.name for v in found]),
            "type": c.category(STATE_TYPES)([v.type for v in found]),
            "path": c.text([place_text(v.place) for v in found]),
            "part": c.category(("state", "own"))(["own" if leg.own else "state" for leg in legs]),
            "start": _utc(starts),
            "end": _utc(ends),
            "duration": ends - starts,
            "share": np.array([(leg.end - leg.start) / total if total else 0.0 for leg in legs], dtype="f8"),
            "visit": c.integer([leg.id for leg in legs]),
        }
    )


def wall(spans: Sequence[Span]) -> int:
    """Give the microseconds from the first entry to the last exit."""
    return max((s.end for s in spans), default=0) - min((s.start for s in spans), default=0)


def _utc(times: Any) -> Any:
    import pandas as pd

    return pd.DatetimeIndex(times).tz_localize("UTC")
