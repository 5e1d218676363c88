"""A machine and a run as text for a terminal.

Owns every `text/plain`. A machine is an indented outline with arrows: states stand in the order of the definition, each line has
the name, what the state is and where it goes, and scopes of Map and Parallel are indented below. A run is a status line and an
aligned table of visits, cut to a width.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from sfn_notebook.asl.topology import Edge, Scope, StateNode, Topology, summarise_condition, topology
from sfn_notebook.errors import Json
from sfn_notebook.render import labels
from sfn_notebook.render import summary as _summary
from sfn_notebook.render.overlay import Overlay
from sfn_notebook.render.summary import RunSummary, VisitRow
from sfn_notebook.render.theme import MARKS, RETRIED

_DEEPEST = 40


def outline(definition: Json, overlay: Overlay | None = None, *, title: str | None = None, width: int = 100) -> str:
    """Write the machine as an indented outline, at most `width` columns wide."""
    machine = topology(definition)
    lines = [labels.one_line(title)] if title else []
    lines += _scope(machine, machine.scopes[0], "", overlay, 0)
    return "\n".join(labels.shorten(labels.visible(line).replace("\n", " "), width) for line in lines)


def _scope(machine: Topology, scope: Scope, indent: str, overlay: Overlay | None, depth: int) -> Iterator[str]:
    if not scope.states:
        yield f"{indent}(no states)"
    if scope.start is not None and scope.start_pointer is None:
        yield f"{indent}● {_shown(scope.start)} (no such state)"
    for node in machine.nodes_of(scope):
        edges = machine.edges_from(node.pointer)
        inline = bool(edges) and edges[0].kind == "next"
        way = f" → {_target(edges[0])}" if inline else " ■" if node.terminal else ""
        yield indent + ("● " if node.pointer == scope.start_pointer else "  ") + _state(node, overlay) + way
        yield from (f"{indent}    {_edge(edge)}" for edge in edges[inline:])
        if depth < _DEEPEST:
            yield from _inside(machine, node, indent + "    ", overlay, depth + 1)


def _inside(machine: Topology, node: StateNode, indent: str, overlay: Overlay | None, depth: int) -> Iterator[str]:
    for inner in machine.scopes_of(node.pointer):
        if inner.kind == "branch":
            yield f"{indent}branch {(inner.index or 0) + 1}"
        yield from _scope(machine, inner, indent + "│ ", overlay, depth)


def _state(node: StateNode, overlay: Overlay | None) -> str:
    name = _shown(node.name)
    if overlay is not None:
        seen = overlay.of(node.name)
        visits = f" ×{seen.visits}" if seen.visits > 1 else ""
        name = f"{MARKS[seen.status]} {name}{visits}" + (f" {RETRIED}{seen.retries}" if seen.retries else "")
    wait = labels.wait_line(node.definition) if node.type == "Wait" else ""
    details = (node.type or "no Type", labels.service(node.resource), wait, labels.retry_line(node.definition))
    return f"{name}  [{' · '.join(part for part in details if part)}]"


def _shown(name: str) -> str:
    return labels.one_line(name) or f'"{name}"'


def _target(edge: Edge) -> str:
    return _shown(edge.target) + ("" if edge.target_pointer is not None else " (no such state)")


def _edge(edge: Edge) -> str:
    if edge.kind == "catch":
        return f"⚠ {labels.errors_line(edge.errors)} ⇢ {_target(edge)}"
    if edge.kind == "choice":
        return f"◇ {summarise_condition(edge.condition)} → {_target(edge)}"
    return f"◇ otherwise → {_target(edge)}" if edge.kind == "default" else f"→ {_target(edge)}"


# --- a run ---------------------------------------------------------------------------------------------------------------


def run_text(run: RunSummary, *, width: int = 100) -> str:
    """Show a run in a terminal: status line, error, messages, an aligned table of visits with what handlers printed, the output."""
    lines = [_status_line(run)]
    if run.error or run.cause:
        lines += textwrap.wrap(
            f"{run.error or 'no error name'}: {labels.visible(run.cause or '')[:1000]}",
            width,
            initial_indent="  ",
            subsequent_indent="  ",
        )
    lines += [f"  {message}" for message in run.messages]
    if run.visits:
        lines += ["", *_visit_lines(run, width)]
    if run.output is not None:
        lines += ["", "output: " + _summary.preview(run.output, max(20, width - 8))]
    return labels.visible("\n".join(lines))


def _status_line(run: RunSummary) -> str:
    count = len(run.visits)
    meta = [
        run.name,
        f"{count:,} state visit{'' if count == 1 else 's'}",
        f"{run.events:,} events" if run.events else "",
        _summary.duration_text(run.duration),
    ]
    return f"{_summary.mark(run.status)} {run.status}  " + " · ".join(labels.one_line(part) for part in meta if part)


def _visit_lines(run: RunSummary, width: int) -> Iterator[str]:
    rows = _summary.shown_rows(run.visits)
    numbers = {id(visit): number for number, visit in enumerate(run.visits, 1)}
    placed = any(visit.place for visit in run.visits)
    table = [_cells(row, numbers[id(row)], placed=placed) for row in rows if not isinstance(row, int)]
    heads = ["#", "state", *(["in"] if placed else []), "status", "duration", "tries"]
    sizes = [max(labels.width_of(row[column]) for row in [heads, *table]) for column in range(len(heads))]
    rest = width - sum(sizes) - 2 * len(sizes)
    yield labels.shorten(_aligned(heads, sizes) + ("  output" if rest > 12 else ""), width)
    cells = iter(table)
    for row in rows:
        if isinstance(row, int):
            yield f"  {_summary.left_out(row)}"
            continue
        told = labels.one_line(row.error) if row.error else _summary.preview(row.output, max(1, rest))
        line = _aligned(next(cells), sizes) + (f"  {labels.shorten(told, rest)}" if rest > 12 and told else "")
        yield labels.shorten(line.rstrip(), width)
        yield from _handler_lines(row, width)


def _cells(visit: VisitRow, number: int, *, placed: bool) -> list[str]:
    word = f"{_summary.mark(visit.status)} {visit.status.lower().replace('_', ' ')}"
    tries = f"{RETRIED} {visit.tries}" if visit.tries > 1 else ""
    place = [labels.shorten(labels.one_line(visit.place), 24)] if placed else []
    return [
        str(number),
        labels.shorten(_shown(visit.name), 32),
        *place,
        word,
        _summary.duration_text(visit.duration),
        tries,
    ]


def _aligned(cells: list[str], sizes: list[int]) -> str:
    return "  ".join(cell + " " * (size - labels.width_of(cell)) for cell, size in zip(cells, sizes, strict=True))


def _handler_lines(visit: VisitRow, width: int) -> Iterator[str]:
    for attempt in visit.attempts:
        for kind, text in (("printed", attempt.printed), ("raised", attempt.exception)):
            shown = labels.visible(text).rstrip().split("\n") if text.strip() else []
            if kind == "raised":
                shown = shown[-1:]
            for line in shown[:10]:
                yield labels.shorten(f"      attempt {attempt.number} {kind}: {line}", width)
            if len(shown) > 10:
                yield f"      … {len(shown) - 10} more lines"
