"""A machine as Mermaid flowchart text, for places that draw Mermaid themselves.

Owns ids (`s0`, `s1` ... in the order of the definition) and the escaping of labels: every character that Mermaid or HTML could
read as syntax becomes an entity code, so a name is always text.
"""

from __future__ import annotations

from collections.abc import Iterator

from sfn_notebook.asl.topology import Edge, Scope, StateNode, Topology, summarise_condition, topology
from sfn_notebook.errors import Json
from sfn_notebook.render import labels
from sfn_notebook.render.overlay import Overlay
from sfn_notebook.render.theme import LIGHT, MARKS, RETRIED, Status

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
_PLAIN = frozenset(" abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.,+·→↻×✔✖⚠▶⏸■◌…")
_DEEPEST = 40


def mermaid_source(definition: Json, overlay: Overlay | None = None, *, direction: str = "TB") -> str:
    """Write the machine as a Mermaid flowchart."""
    machine = topology(definition)
    top = machine.scopes[0]
    drawing = _Drawing(machine, {node.pointer: f"s{number}" for number, node in enumerate(machine.nodes)}, overlay)
    lines = [f"flowchart {'LR' if direction == 'LR' else 'TB'}"]
    if top.start is not None:
        lines += ["    start((start))", f"    start --> {drawing.target(top.start, top.start_pointer)}"]
    if any(node.terminal and node.type != "Fail" for node in machine.nodes_of(top)):
        lines.append("    finish(((end)))")
    lines += drawing.scope(top, "    ", "finish", 0)
    lines += drawing.missing
    if overlay is not None:
        lines += [*_classes(), *drawing.marked()]
    return "\n".join([*lines, ""])


def escape_label(text: str) -> str:
    """Write plain text so that it can stand in a quoted Mermaid label."""
    return "".join(
        char if char in _PLAIN or (char.isalnum() and ord(char) > 127) else _code(char) for char in labels.visible(text)
    )


def _code(char: str) -> str:
    return "<br/>" if char == "\n" else f"#{ord(char)};"


class _Drawing:
    def __init__(self, machine: Topology, ids: dict[str, str], overlay: Overlay | None) -> None:
        self.machine = machine
        self.ids = ids
        self.overlay = overlay
        self.missing: list[str] = []

    def target(self, name: str, pointer: str | None) -> str:
        """Give the id of a state, making a node for one that does not exist."""
        if pointer is not None:
            return self.ids[pointer]
        identity = f"missing{len(self.missing)}"
        self.missing.append(f'    {identity}["{escape_label(f"✖ {name} (no such state)")}"]')
        return identity

    def scope(self, scope: Scope, indent: str, leave: str | None, depth: int) -> Iterator[str]:
        nodes = self.machine.nodes_of(scope)
        for node in nodes:
            yield from self.state(node, indent, depth)
        for node in nodes:
            yield from (indent + self.edge(edge) for edge in self.machine.edges_from(node.pointer))
            if node.terminal and node.type != "Fail" and leave:
                yield f"{indent}{self.ids[node.pointer]} --> {leave}"

    def state(self, node: StateNode, indent: str, depth: int) -> Iterator[str]:
        opening, closing = _SHAPES.get(node.type, ("[", "]"))
        own = self.ids[node.pointer]
        yield f'{indent}{own}{opening}"{escape_label(chr(10).join(self.words(node)))}"{closing}'
        for number, inner in enumerate(self.machine.scopes_of(node.pointer) if depth < _DEEPEST else ()):
            if not inner.states:
                continue
            caption = f"branch {number + 1}" if inner.kind == "branch" else "for each item"
            yield f'{indent}subgraph {own}_{number}["{caption}"]'
            yield from self.scope(inner, indent + "    ", None, depth + 1)
            yield f"{indent}end"
            if inner.start is not None:
                yield f"{indent}{own} --> {self.target(inner.start, inner.start_pointer)}"

    def words(self, node: StateNode) -> Iterator[str]:
        name = labels.one_line(node.name) or f'"{node.name}"'
        if self.overlay is not None:
            seen = self.overlay.of(node.name)
            visits = f" ×{seen.visits}" if seen.visits > 1 else ""
            name = f"{MARKS[seen.status]} {name}{visits}" + (f" {RETRIED}{seen.retries}" if seen.retries else "")
        yield name
        wait = labels.wait_line(node.definition) if node.type == "Wait" else ""
        yield from (part for part in (labels.service(node.resource), wait, labels.retry_line(node.definition)) if part)

    def edge(self, edge: Edge) -> str:
        source, target = self.ids[edge.source_pointer], self.target(edge.target, edge.target_pointer)
        if edge.kind == "catch":
            return f'{source} -. "{escape_label(labels.errors_line(edge.errors))}" .-> {target}'
        if edge.kind == "next":
            return f"{source} --> {target}"
        text = summarise_condition(edge.condition) if edge.kind == "choice" else "otherwise"
        return f'{source} -- "{escape_label(text)}" --> {target}'

    def marked(self) -> Iterator[str]:
        assert self.overlay is not None
        for node in self.machine.nodes:
            yield f"    class {self.ids[node.pointer]} {_class(self.overlay.of(node.name).status)}"


def _class(status: Status) -> str:
    return status.value.replace(" ", "_")


def _classes() -> Iterator[str]:
    for status in Status:
        role = status.value.replace(" ", "-")
        yield f"    classDef {_class(status)} fill:{LIGHT[role + '-fill']},stroke:{LIGHT[role + '-line']},color:{LIGHT['text']}"
