"""A machine as text for a terminal: an indented outline with arrows.

Owns the `text/plain` of a graph. States stand in the order of the definition; each line has the name, what the state is, and
where it goes; scopes of Map and Parallel are indented below.
"""

from __future__ import annotations

from collections.abc import Iterator

from sfn_notebook.errors import Json
from sfn_notebook.render import labels
from sfn_notebook.render.flow import Edge, Node, Scope, read
from sfn_notebook.render.overlay import Overlay
from sfn_notebook.render.theme import MARKS, RETRIED


def outline(definition: Json, overlay: Overlay | None = None, *, title: str | None = None, width: int = 100) -> str:
    """Write the machine as an indented outline, at most `width` columns wide."""
    lines = [title] if title else []
    lines += list(_scope(read(definition), "", overlay))
    return "\n".join(labels.shorten(line, width) for line in lines)


def _scope(scope: Scope, indent: str, overlay: Overlay | None) -> Iterator[str]:
    names = {node.key: node.name for node in (*scope.nodes, *scope.missing)}
    lost = {node.key for node in scope.missing}
    if not scope.nodes:
        yield f"{indent}(no states)"
    for node in scope.nodes:
        start = "● " if node.key == scope.start else "  "
        yield indent + start + _state(node, overlay, names, lost)
        for edge in node.edges[1:] if _inline(node) else node.edges:
            yield f"{indent}    {_edge(edge, names, lost)}"
        for index, inner in enumerate(node.scopes):
            if len(node.scopes) > 1:
                yield f"{indent}    branch {index + 1}"
            yield from _scope(inner, indent + "    │ ", overlay)


def _state(node: Node, overlay: Overlay | None, names: dict[str, str], lost: set[str]) -> str:
    text = labels.one_line(labels.visible(node.name)) or f'"{node.name}"'
    if overlay is not None:
        seen = overlay.of(node.name)
        text = f"{MARKS[seen.status]} {text}" + (f" ×{seen.visits}" if seen.visits > 1 else "") + (f" {RETRIED}{seen.retries}" if seen.retries else "")
    detail = " · ".join(part for part in (node.type, labels.service(node.state.get("Resource")), labels.retry_line(node.state)) if part)
    way = " → " + _target(node.edges[0], names, lost) if _inline(node) else " ■" if node.ends or node.type == "Fail" else ""
    return f"{text}  [{detail}]{way}"


def _inline(node: Node) -> bool:
    return bool(node.edges) and node.edges[0].kind == "next"


def _target(edge: Edge, names: dict[str, str], lost: set[str]) -> str:
    name = labels.one_line(labels.visible(names[edge.target]))
    return f"{name} (no such state)" if edge.target in lost else name


def _edge(edge: Edge, names: dict[str, str], lost: set[str]) -> str:
    target = _target(edge, names, lost)
    if edge.kind == "catch":
        return f"⚠ {labels.errors_line(edge.errors)} ⇢ {target}"
    if edge.kind == "choice":
        return f"◇ {labels.shorten(labels.one_line(edge.condition), 60)} → {target}"
    return f"{'◇ otherwise ' if edge.kind == 'default' else ''}→ {target}"
