"""A machine as Mermaid flowchart text, for places that draw Mermaid themselves.

Owns ids (`s0`, `s1` ... in the order of the definition) and the escaping of labels: every character that Mermaid or HTML could
read as syntax becomes an entity code, so a name is always text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sfn_notebook.errors import Json
from sfn_notebook.render import labels
from sfn_notebook.render.flow import Edge, Node, Scope, read
from sfn_notebook.render.overlay import Overlay
from sfn_notebook.render.theme import LIGHT, MARKS, Status

_SHAPES = {
    "Task": ("(", ")"),
    "Choice": ("{", "}"),
    "Map": ("[[", "]]"),
    "Parallel": ("[/", "/]"),
    "Wait": ("([", "])"),
    "Pass": ("[", "]"),
    "Succeed": ("(((", ")))"),
    "Fail": ("{{", "}}"),
}
_PLAIN = frozenset(" abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.,/=+$@'·→↻×✔✖⚠▶⏸■◌…")


def mermaid_source(definition: Json, overlay: Overlay | None = None, *, direction: str = "TB") -> str:
    """Write the machine as a Mermaid flowchart."""
    top = read(definition)
    ids: dict[str, str] = {}
    for node in _walk(top):
        ids[node.key] = f"s{len(ids)}"
    drawing = _Drawing(ids, overlay)
    lines = [f"flowchart {'LR' if direction == 'LR' else 'TB'}"]
    if top.start:
        lines += ["    start((start))", f"    start --> {ids[top.start]}"]
    if any(node.ends for node in top.nodes):
        lines.append("    finish(((end)))")
    lines += drawing.scope(top, "    ", "finish")
    if overlay is not None:
        lines += [*_classes(), *drawing.marked(top)]
    return "\n".join([*lines, ""])


def escape_label(text: str) -> str:
    """Write plain text as a quoted Mermaid label."""
    shown = labels.visible(text)
    return "".join(char if char in _PLAIN or (char.isalnum() and ord(char) > 127) else _code(char) for char in shown)


def _code(char: str) -> str:
    return "<br/>" if char == "\n" else f"#{ord(char)};"


@dataclass(slots=True)
class _Drawing:
    ids: dict[str, str]
    overlay: Overlay | None

    def scope(self, scope: Scope, indent: str, leave: str | None) -> Iterator[str]:
        for node in scope.nodes:
            yield from self.state(node, indent)
        for node in scope.missing:
            yield f'{indent}{self.ids[node.key]}["{escape_label("✖ " + node.name + " (no such state)")}"]'
        for node in scope.nodes:
            for edge in node.edges:
                yield indent + self.edge(edge)
            if node.ends and leave:
                yield f"{indent}{self.ids[node.key]} --> {leave}"

    def state(self, node: Node, indent: str) -> Iterator[str]:
        opening, closing = _SHAPES.get(node.type, ("[", "]"))
        label = escape_label("\n".join(self.words(node)))
        yield f'{indent}{self.ids[node.key]}{opening}"{label}"{closing}'
        for index, inner in enumerate(node.scopes):
            name = f"{self.ids[node.key]}_{index}"
            caption = f"branch {index + 1}" if len(node.scopes) > 1 else "for each item" if node.type == "Map" else "branch"
            yield f'{indent}subgraph {name}["{caption}"]'
            yield from self.scope(inner, indent + "    ", None)
            yield f"{indent}end"
            if inner.start:
                yield f"{indent}{self.ids[node.key]} --> {self.ids[inner.start]}"

    def words(self, node: Node) -> Iterator[str]:
        name = labels.one_line(node.name) or f'"{node.name}"'
        if self.overlay is None:
            yield name
        else:
            seen = self.overlay.of(node.name)
            yield f"{MARKS[seen.status]} {name}" + (f" ×{seen.visits}" if seen.visits > 1 else "") + (f" ↻{seen.retries}" if seen.retries else "")
        for detail in (labels.service(node.state.get("Resource")), labels.wait_line(node.state) if node.type == "Wait" else "", labels.retry_line(node.state)):
            if detail:
                yield detail

    def edge(self, edge: Edge) -> str:
        source, target = self.ids[edge.source], self.ids[edge.target]
        if edge.kind == "catch":
            return f'{source} -. "{escape_label(labels.errors_line(edge.errors))}" .-> {target}'
        text = labels.shorten(labels.one_line(edge.condition), 60) if edge.kind == "choice" else "otherwise" if edge.kind == "default" else ""
        return f'{source} -- "{escape_label(text)}" --> {target}' if text else f"{source} --> {target}"

    def marked(self, top: Scope) -> Iterator[str]:
        assert self.overlay is not None
        for node in _walk(top):
            if node.type != "missing":
                yield f"    class {self.ids[node.key]} {_class(self.overlay.of(node.name).status)}"


def _walk(scope: Scope) -> Iterator[Node]:
    for node in scope.nodes:
        yield node
        for inner in node.scopes:
            yield from _walk(inner)
    yield from scope.missing


def _class(status: Status) -> str:
    return status.value.replace(" ", "_")


def _classes() -> Iterator[str]:
    for status in Status:
        role = status.value.replace(" ", "-")
        yield f"    classDef {_class(status)} fill:{LIGHT[role + '-fill']},stroke:{LIGHT[role + '-line']},color:{LIGHT['text']}"
