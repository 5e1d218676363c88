"""What executions cost, and what they would have cost as the other type of state machine.

Standard machines are billed by transition: each state entered, and each further attempt of a task, a Map or a Parallel, whether a
retry or a redrive made it. Express machines are billed by request and by memory over time. Both are computed for every execution
from the same visits, so that local runs and recorded histories can be asked alike.

Prices are data with a date (`PRICES`): the service's list price, without tax, discounts or free tier. The services that a machine
calls are not included, nor the children of a Distributed Map, which are executions of their own. The memory of an Express
execution is an estimate by the service's own rule of thumb: 50 MB, the definition, and the payload for each parallel step.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from sfn_notebook.errors import CommandError
from sfn_notebook.history import columns as c
from sfn_notebook.history.analysis import size_of
from sfn_notebook.history.critical import spans_of, wall
from sfn_notebook.history.frames import OneOrMany
from sfn_notebook.history.records import Visit

if TYPE_CHECKING:
    import pandas as pd

_MEGABYTE: Final = 1024 * 1024
_EXPRESS_LONGEST: Final = 300
"""Seconds that an Express execution may take."""


@dataclass(frozen=True, slots=True)
class Prices:
    """A price list in US dollars.

    Attributes:
        asked: the day on which these prices were looked up.
        region: where they hold.
        transition: of one transition of a Standard machine.
        free_transitions: Standard transitions a month that cost nothing.
        request: of one start of an Express machine.
        gigabyte_seconds: (up to so many GB-seconds a month, price of one), the cheapest last.
    """

    asked: date
    region: str
    transition: float
    free_transitions: int
    request: float
    gigabyte_seconds: tuple[tuple[float, float], ...]

    def memory(self, gigabyte_seconds: float) -> float:
        """Give the price of so much memory over time in one month."""
        total = below = 0.0
        for limit, price in self.gigabyte_seconds:
            total += max(0.0, min(gigabyte_seconds, limit) - below) * price
            below = limit
        return total


PRICES: Final = Prices(
    asked=date(2026, 11, 22),
    region="us-east-1",
    transition=0.000025,
    free_transitions=4000,
    request=1.00e-6,
    gigabyte_seconds=((1000 * 3600, 0.06 / 3600), (5000 * 3600, 0.03 / 3600), (math.inf, 0.01642 / 3600)),
)


@dataclass(frozen=True, slots=True)
class Cost:
    """What executions cost as Standard and as Express.

    Attributes:
        type: what they really are, "STANDARD" or "EXPRESS".
        executions: how many.
        transitions: Standard: states entered and further attempts.
        gigabyte_seconds: Express: memory over billed time.
        standard, express: US dollars at the first tier's price, without free tier.
        obstacles: why some of them could not be Express, with how many.
        prices: the list that was used.
        table: one row per execution.
    """

    type: str
    executions: int
    transitions: int
    gigabyte_seconds: float
    standard: float
    express: float
    obstacles: Mapping[str, int]
    prices: Prices
    table: pd.DataFrame = field(repr=False, compare=False)

    @property
    def total(self) -> float:
        """What they cost as what they are."""
        return self.standard if self.type == "STANDARD" else self.express

    def __str__(self) -> str:
        own, other = ("standard", "express") if self.type == "STANDARD" else ("express", "standard")
        price = {"standard": self.standard, "express": self.express}
        count = f"{self.executions} execution{'s'[: self.executions != 1]}"
        lines = [
            f"{count} as {own.capitalize()}: {dollars(price[own])}, {dollars(price[own] * 1000 / max(1, self.executions))} per 1,000",
            f"as {other.capitalize()}: {dollars(price[other])}{_compared(price[own], price[other])}",
            f"{self.transitions:,} transitions; {self.executions:,} requests and {self.gigabyte_seconds:,.3g} GB-seconds",
        ]
        lines += [
            f"not possible as Express: {why} ({number} of {self.executions})" for why, number in self.obstacles.items()
        ]
        lines.append(
            f"list prices of {self.prices.asked}, {self.prices.region}, without free tier; called services not included"
        )
        return "\n".join(lines)


def _compared(own: float, other: float) -> str:
    if not own or not other:
        return ""
    factor = other / own
    return f", {factor:.3g} times as much" if factor >= 1 else f", {1 / factor:.3g} times less"


def dollars(amount: float) -> str:
    """Write an amount with as many digits as it takes to see it."""
    if amount == 0:
        return "$0"
    if amount >= 1:
        return f"${amount:,.2f}"
    return f"${amount:.{max(2, 1 - math.floor(math.log10(amount)))}f}"


def transitions(visits: Iterable[Visit]) -> int:
    """Count what a Standard machine is billed for: every state entered, and every further attempt at its work."""
    return sum(visit.attempts for visit in visits)


def cost(
    visits: OneOrMany[Visit],
    *,
    type: str = "STANDARD",
    definition_bytes: int = 0,
    prices: Prices = PRICES,
) -> Cost:
    """Compute what executions cost.

    Args:
        visits: of one history, or a mapping execution -> visits.
        type: what they really are, "STANDARD" or "EXPRESS".
        definition_bytes: size of the definition, which Express memory grows with.
        prices: the price list.

    The table has one row per execution: `execution` (if a mapping is given), `transitions`, `billed_ms`, `memory_mb`,
    `gigabyte_seconds`, `standard`, `express` (US dollars).

    Raises:
        CommandError: there is no such type.
    """
    if type not in ("STANDARD", "EXPRESS"):
        raise CommandError(f'type is "STANDARD" or "EXPRESS", but found {type!r}')
    groups = {str(k): list(v) for k, v in visits.items()} if isinstance(visits, Mapping) else {"": list(visits)}
    counts = [transitions(group) for group in groups.values()]
    lengths = [_billed(group) for group in groups.values()]
    sizes = [_memory(group, definition_bytes) for group in groups.values()]
    table = _table(list(groups) if isinstance(visits, Mapping) else None, counts, lengths, sizes, prices)
    used = float(table["gigabyte_seconds"].sum())
    return Cost(
        type=type,
        executions=len(groups),
        transitions=sum(counts),
        gigabyte_seconds=used,
        standard=sum(counts) * prices.transition,
        express=len(groups) * prices.request + prices.memory(used),
        obstacles=_obstacles(groups.values()),
        prices=prices,
        table=table,
    )


def _table(names: list[str] | None, counts: list[int], lengths: list[int], sizes: list[int], prices: Prices) -> Any:
    import numpy as np

    gigabyte_seconds = np.array(lengths, dtype="f8") / 1000 * np.array(sizes, dtype="f8") / 1024
    return c.frame(
        {
            **({"execution": c.text(names)} if names is not None else {}),
            "transitions": c.integer(counts),
            "billed_ms": c.integer(lengths),
            "memory_mb": c.integer(sizes),
            "gigabyte_seconds": gigabyte_seconds,
            "standard": np.array(counts, dtype="f8") * prices.transition,
            "express": prices.request + gigabyte_seconds * prices.gigabyte_seconds[0][1],
        }
    )


def _billed(visits: list[Visit]) -> int:
    """Give the milliseconds that an Express execution is billed for: at least 100, in steps of 100."""
    return max(1, math.ceil(wall(spans_of(visits)) / 100_000)) * 100


def _memory(visits: list[Visit], definition_bytes: int) -> int:
    """Estimate the megabytes of an Express execution, in steps of 64."""
    payload = max((max(size_of(v.input_text), size_of(v.output_text)) for v in visits), default=0)
    beside = max((_width(v) for v in visits), default=1)
    megabytes = 50 + (definition_bytes + payload * beside) / _MEGABYTE
    return math.ceil(megabytes / 64) * 64


def _width(visit: Visit) -> int:
    """Give the number of steps that a Map or Parallel runs beside each other, as far as the history tells."""
    return max(1, len(visit.iterations) or visit.length or 1)


def _obstacles(groups: Iterable[list[Visit]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for visits in groups:
        for why in dict.fromkeys(_reasons(visits)):
            found[why] = found.get(why, 0) + 1
    return found


def _reasons(visits: list[Visit]) -> Iterable[str]:
    if wall(spans_of(visits)) > _EXPRESS_LONGEST * 1_000_000:
        yield "took longer than 5 minutes"
    for visit in visits:
        if visit.map_run_arn is not None:
            yield "has a Distributed Map"
        for attempt in visit.task_attempts:
            resource = attempt.resource or ""
            if attempt.kind == "Activity":
                yield "has an activity"
            elif resource.endswith(".waitForTaskToken"):
                yield "waits for a task token"
            elif ".sync" in resource:
                yield "waits for a job to end (.sync)"
