"""Answers over many executions: what each state costs in time and failures, and how near the quotas they came.

`summary` takes visits (of one history, or a mapping execution -> visits) or a states frame: both become the same few columns of
numbers first, without touching a payload, and everything after that is the same. It must not know where histories come from.

What counts as what: a visit *fails* when its work failed for good, caught or not (FAILED, TIMED_OUT, CAUGHT); a failure that a
retry mended is a *retry*. The *share of wall time* is the share of the critical path (module `critical`), so that states that
run beside each other are not counted twice and the shares add up to at most 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, cast

from sfn_notebook.errors import CommandError
from sfn_notebook.history import columns as c
from sfn_notebook.history.critical import Span, ticks, walk, wall
from sfn_notebook.history.events import STATE_TYPES
from sfn_notebook.history.frames import OneOrMany
from sfn_notebook.history.records import Visit

if TYPE_CHECKING:
    import pandas as pd

EVENT_QUOTA: Final = 25_000
"""Events in the history of one Standard execution."""

PAYLOAD_QUOTA: Final = 262_144
"""Bytes of UTF-8 in one payload."""

_FAILED: Final = ("FAILED", "TIMED_OUT", "CAUGHT")

STATE_COLUMNS: Final = (
    "name",
    "type",
    "path",
    "entered",
    "exited",
    "status",
    "attempts",
    "visit",
    "parent",
    "run",
)
"""Columns of a states frame that `summary` needs."""


def is_frame(given: object) -> bool:
    """Say whether something is a DataFrame, without importing pandas."""
    return hasattr(given, "columns") and hasattr(given, "iloc")


def need(frame: pd.DataFrame, names: Iterable[str], what: str) -> None:
    """Check that a frame has the columns that something needs.

    Raises:
        CommandError: some are missing.
    """
    missing = [name for name in names if name not in frame.columns]
    if missing:
        found = ", ".join(map(str, list(frame.columns)[:8])) or "no columns"
        raise CommandError(f"{what} needs the column{'s'[: len(missing) > 1]} {', '.join(missing)}, but found {found}")


def summary(given: OneOrMany[Visit] | pd.DataFrame) -> pd.DataFrame:
    """Return one row per state over all executions, the one that took most of the wall time first.

    | column | kind | meaning |
    |---|---|---|
    | state | text | |
    | type | category | |
    | visits | integer | how often it was entered |
    | executions | integer | in how many executions |
    | p50, p95, max | span | of the duration of visits that have ended |
    | total | span | their sum; visits that ran beside each other count each |
    | failed | integer | visits whose work failed for good: FAILED, TIMED_OUT or CAUGHT |
    | failure_rate | float | `failed` of those that have ended otherwise than ABORTED |
    | caught | integer | those of `failed` that a catcher took over |
    | retries | integer | attempts beyond the first |
    | retry_rate | float | share of visits that needed more than one attempt |
    | critical | span | its time on the critical paths |
    | share | float | `critical` of the wall time of all executions; shares add up to at most 1 |
    """
    rows = rows_of(given)
    critical, total = _critical(rows)
    found = _aggregate(rows, critical, total)
    return found.sort_values(["share", "total"], ascending=False, kind="stable", ignore_index=True)


def rows_of(given: OneOrMany[Visit] | pd.DataFrame) -> pd.DataFrame:
    """Reduce what is given to columns of numbers and categories, sorted by execution."""
    import pandas as pd

    if is_frame(given):
        rows = pd.DataFrame(_columns_of_frame(cast("pd.DataFrame", given)))
    else:
        rows = pd.DataFrame(_columns_of_visits(cast("OneOrMany[Visit]", given)))
    times = rows[["start", "end"]].max(axis=1)
    latest = times.groupby(rows["execution"]).transform("max")
    rows["start"] = rows["start"].fillna(latest).fillna(0).astype("i8")
    rows["ended"] = rows["end"].notna() & (rows["status"] != "RUNNING")
    rows["end"] = rows["end"].fillna(latest).fillna(0).astype("i8")
    return rows


def _columns_of_visits(given: OneOrMany[Visit]) -> dict[str, Any]:
    import numpy as np
    import pandas as pd

    groups: list[Iterable[Visit]] = list(given.values()) if isinstance(given, Mapping) else [given]
    pairs = [(number, visit) for number, group in enumerate(groups) for visit in group]
    visits = [visit for _, visit in pairs]
    return {
        "execution": np.array([number for number, _ in pairs], dtype="i8"),
        "state": pd.Categorical([v.name for v in visits]),
        "type": [v.type for v in visits],
        "status": pd.Categorical([v.status for v in visits]),
        "start": pd.array(ticks([v.entered for v in visits]), dtype="Int64"),
        "end": pd.array(ticks([v.exited for v in visits]), dtype="Int64"),
        "attempts": np.array([v.attempts for v in visits], dtype="i8"),
        "id": np.array([v.id for v in visits], dtype="i8"),
        "parent": np.array([v.parent for v in visits], dtype="i8"),
        "scope": pd.Series([(v.run, v.place) for v in visits], dtype=object),
        "last": np.array([v.end_event or v.id for v in visits], dtype="i8"),
    }


def _columns_of_frame(states: pd.DataFrame) -> dict[str, Any]:
    import numpy as np
    import pandas as pd

    need(states, STATE_COLUMNS, "a summary of states")
    states = states.sort_values("execution", kind="stable") if "execution" in states else states
    execution = pd.factorize(states["execution"])[0] if "execution" in states else np.zeros(len(states), dtype="i8")
    return {
        "execution": execution,
        "state": pd.Categorical(states["name"].astype(object)),
        "type": states["type"].astype(object).array,
        "status": pd.Categorical(states["status"].astype(object)),
        "start": _frame_ticks(states["entered"]),
        "end": _frame_ticks(states["exited"]),
        "attempts": states["attempts"].to_numpy(dtype="i8"),
        "id": states["visit"].to_numpy(dtype="i8"),
        "parent": states["parent"].to_numpy(dtype="i8"),
        "scope": pd.Series(list(zip(states["run"], states["path"], strict=True)), dtype=object),
        "last": states["visit"].to_numpy(dtype="i8"),
    }


def _frame_ticks(times: pd.Series[Any]) -> Any:
    import pandas as pd

    ticks_ = times.astype("datetime64[us, UTC]").array.asi8  # type: ignore[attr-defined]
    return pd.arrays.IntegerArray(ticks_.copy(), times.isna().to_numpy())


def _critical(rows: pd.DataFrame) -> tuple[dict[str, int], int]:
    """Add up the critical paths: microseconds per state, and the wall time of all executions."""
    found: dict[str, int] = {}
    total = 0
    for names, spans in _spans(rows):
        total += wall(spans)
        for leg in walk(spans):
            name = names[leg.id]
            found[name] = found.get(name, 0) + leg.end - leg.start
    return found, total


def _spans(rows: pd.DataFrame) -> Iterator[tuple[dict[int, str], list[Span]]]:
    columns = [rows[name].tolist() for name in ("execution", "state", "id", "scope", "parent", "start", "end", "last")]
    aborted = (rows["status"] == "ABORTED").tolist()
    for _, group in groupby(zip(*columns, aborted, strict=True), key=itemgetter(0)):
        members = list(group)
        yield {row[2]: row[1] for row in members}, [Span(*row[2:]) for row in members]


def _aggregate(rows: pd.DataFrame, critical: Mapping[str, int], total: int) -> pd.DataFrame:
    import numpy as np

    rows["duration"] = (rows["end"] - rows["start"]).where(rows["ended"])
    rows["failed"] = rows["status"].isin(_FAILED)
    rows["caught"] = rows["status"] == "CAUGHT"
    rows["decided"] = rows["ended"] & (rows["status"] != "ABORTED")
    rows["retries"] = rows["attempts"] - 1
    rows["retried"] = rows["attempts"] > 1
    groups = rows.groupby("state", observed=True, sort=False)
    sums = groups[["duration", "failed", "caught", "decided", "retries", "retried"]].sum()
    visits = groups.size()
    names = [str(name) for name in sums.index]
    on_path = np.array([critical.get(name, 0) for name in names], dtype="i8")
    decided = sums["decided"].to_numpy(dtype="f8")
    return c.frame(
        {
            "state": c.text(names),
            "type": c.category(STATE_TYPES)(groups["type"].first().tolist()),
            "visits": c.integer(visits.tolist()),
            "executions": c.integer(groups["execution"].nunique().tolist()),
            "p50": _timedeltas(groups["duration"].quantile(0.5)),
            "p95": _timedeltas(groups["duration"].quantile(0.95)),
            "max": _timedeltas(groups["duration"].max()),
            "total": _timedeltas(sums["duration"]),
            "failed": c.integer(sums["failed"].tolist()),
            "failure_rate": np.divide(sums["failed"], decided, out=np.zeros(len(names)), where=decided > 0),
            "caught": c.integer(sums["caught"].tolist()),
            "retries": c.integer(sums["retries"].tolist()),
            "retry_rate": sums["retried"].to_numpy(dtype="f8") / visits.to_numpy(dtype="f8"),
            "critical": on_path.astype("m8[us]"),
            "share": on_path / total if total else np.zeros(len(names)),
        }
    )


def _timedeltas(values: pd.Series[Any]) -> Any:
    import numpy as np

    numbers = values.to_numpy(dtype="f8")
    missing = np.isnan(numbers)
    spans = np.rint(np.where(missing, 0, numbers)).astype("m8[us]")
    spans[missing] = np.timedelta64("NaT")
    return spans


def quotas(visits: OneOrMany[Visit], events: Mapping[str, int] | int) -> pd.DataFrame:
    """Return how near each execution came to the quotas of the service, the nearest first.

    | column | kind | meaning |
    |---|---|---|
    | execution | text | only if a mapping is given |
    | events | integer | length of the history |
    | events_share | float | of the 25,000 that a Standard execution may have |
    | payload | integer | bytes of the largest payload |
    | payload_share | float | of 256 KiB |
    | state | text | where that payload was seen |
    | field | category | input, output, variables, parameters or result (what a task answered) |

    Args:
        visits: of one history, or a mapping execution -> visits.
        events: the number of events of the history, or a mapping execution -> number.
    """
    import numpy as np

    many = isinstance(visits, Mapping)
    groups = dict(visits) if isinstance(visits, Mapping) else {"": visits}
    counts = dict(events) if isinstance(events, Mapping) else dict.fromkeys(groups, events)
    largest = [max(_payloads(group), default=(0, None, None), key=itemgetter(0)) for group in groups.values()]
    lengths = np.array([counts.get(key, 0) for key in groups], dtype="i8")
    sizes = np.array([size for size, _, _ in largest], dtype="i8")
    found = c.frame(
        {
            **({"execution": c.text([str(key) for key in groups])} if many else {}),
            "events": lengths,
            "events_share": lengths / EVENT_QUOTA,
            "payload": sizes,
            "payload_share": sizes / PAYLOAD_QUOTA,
            "state": c.text([state for _, state, _ in largest]),
            "field": c.category(("input", "output", "variables", "parameters", "result"))([f for _, _, f in largest]),
        }
    )
    nearest = -np.maximum(found["events_share"].to_numpy(), found["payload_share"].to_numpy())
    return found.iloc[np.argsort(nearest, kind="stable")].reset_index(drop=True)


def _payloads(visits: Iterable[Visit]) -> Iterator[tuple[int, str | None, str | None]]:
    for visit in visits:
        yield size_of(visit.input_text), visit.name, "input"
        yield size_of(visit.output_text), visit.name, "output"
        for text in (visit.assigned_text or {}).values():
            yield size_of(text), visit.name, "variables"
        for attempt in visit.task_attempts:
            yield size_of(attempt.parameters_text), visit.name, "parameters"
            yield size_of(attempt.output_text), visit.name, "result"


def size_of(text: str | None) -> int:
    """Give the bytes of a text in UTF-8, 0 for none."""
    if text is None:
        return 0
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
