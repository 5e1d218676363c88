"""The process map: the machine's graph with many executions on it.

Every way carries how often it was taken and what share that is of all ways out of its state, every state how long it takes (median
and 95th percentile) and how often it fails. The darker a state, the larger its share of the wall time: where a faster state would
make executions faster. The graph itself is that of `dot`; this module only says what stands on it.

Numbers come from `history.analysis.summary`. A definition may be newer than the executions: states and ways that it no longer
has are left out of the picture, and `missing` names them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sfn_notebook.asl.topology import topology
from sfn_notebook.errors import Json
from sfn_notebook.history.analysis import summary
from sfn_notebook.history.records import Visit
from sfn_notebook.history.trend import words
from sfn_notebook.render.dot import dot_source
from sfn_notebook.render.overlay import Overlay, StateOverlay
from sfn_notebook.render.theme import AUTO, MARKS, RETRIED, Status, Theme

_SHADES: Final = (0.02, 0.10, 0.25, 0.50)
"""Shares of the wall time from which a state is drawn one shade darker."""


def process_overlay(histories: Mapping[str, Iterable[Visit]]) -> Overlay:
    """Sum up executions, a mapping execution -> visits, to what a drawing shows of them."""
    groups = [list(visits) for visits in histories.values()]
    overlay = Overlay(many=True)
    for visits in groups:
        _count_ways(visits, overlay)
    for row in summary(dict(enumerate(groups))).to_dict("records"):  # type: ignore[arg-type]
        overlay.states[row["state"]] = _state(row)
    return overlay


def _count_ways(visits: list[Visit], overlay: Overlay) -> None:
    names = {visit.id: visit.name for visit in visits}
    followers = {visit.next for visit in visits}
    for visit in visits:
        if visit.id not in followers:
            _add(overlay.edges, ("", visit.name))
        if visit.next in names:
            way = visit.name, names[visit.next]
            _add(overlay.edges, way)
            if visit.status == "CAUGHT":
                _add(overlay.caught, way)
        elif visit.status == "SUCCEEDED":
            _add(overlay.ends, visit.name)


def _add(counts: dict[Any, int], key: Any) -> None:
    counts[key] = counts.get(key, 0) + 1


def _state(row: Mapping[Any, Any]) -> StateOverlay:
    shade = sum(row["share"] >= limit for limit in _SHADES)
    return StateOverlay(
        status=Status.SUCCEEDED,
        visits=int(row["visits"]),
        retries=int(row["retries"]),
        notes=tuple(_notes(row)),
        shade=f"heat-{shade}",
    )


def _notes(row: Mapping[Any, Any]) -> Iterable[str]:
    if row["p95"] == row["p95"] and row["max"].total_seconds() > 0:  # neither still running nor instant
        middle, high = words(row["p50"]), words(row["p95"])
        yield f"{middle} each time" if row["p50"] == row["max"] else f"p50 {middle} · p95 {high}"
    if row["share"] >= _SHADES[0]:
        yield f"{row['share']:.0%} of the time"
    if row["failed"] and row["type"] != "Fail":
        yield f"{MARKS[Status.FAILED]} {percent(row['failure_rate'])} failed" + (
            f", {'all' if row['caught'] == row['failed'] else row['caught']} caught" if row["caught"] else ""
        )
    if row["retries"]:
        yield f"{RETRIED} {percent(row['retry_rate'])} retried"


def percent(share: float) -> str:
    """Write a rate; what happened at all is never 0 %."""
    return f"{share:.1%}" if 0.001 <= share < 0.0995 else "<0.1%" if 0 < share < 0.001 else f"{share:.0%}"


def process_map_dot(
    definition: Json,
    histories: Mapping[str, Iterable[Visit]],
    *,
    theme: Theme = AUTO,
    title: str | None = None,
    direction: str = "TB",
) -> str:
    """Write the process map as DOT, for `digraph.make_digraph`.

    Args:
        definition: the machine that the executions ran.
        histories: execution -> its visits.
        theme: palette; `AUTO` follows the page.
        title: heading above the graph.
        direction: "TB", from top to bottom, or "LR".
    """
    return dot_source(definition, process_overlay(histories), theme=theme, title=title, direction=direction)


def missing(definition: Json, histories: Mapping[str, Iterable[Visit]]) -> list[str]:
    """Name the states that executions visited and the definition does not have, because it has changed since."""
    known = {node.name for node in topology(definition).nodes}
    seen = dict.fromkeys(visit.name for visits in histories.values() for visit in visits)
    return [name for name in seen if name not in known]


def process_outline(histories: Mapping[str, Iterable[Visit]], title: str = "process map") -> str:
    """Write the process map as text: each state with its numbers and the ways out of it, by how often they were taken."""
    overlay = process_overlay(histories)
    lines = [f"{title}: {len(histories):,} executions"]
    for name, state in overlay.states.items():
        lines.append(" · ".join([f"{name} ×{state.visits:,}", *state.notes]))
        total = overlay.leaving(name)
        ways = sorted(((b, n) for (a, b), n in overlay.edges.items() if a == name), key=lambda way: -way[1])
        ways += [("end", overlay.ends[name])] if name in overlay.ends else []
        for target, count in ways:
            caught = overlay.caught.get((name, target), 0)
            by_catch = f", {caught:,} by a catcher" if caught else ""
            lines.append(f"    → {target}  {count:,} ({percent(count / total)}{by_catch})")
    return "\n".join(lines)
