"""A machine, plain or with a run laid over it, as DOT text.

Owns the graph: marks for start and end, clusters, edges and their labels. It reads the machine through `asl.topology`; how a
single state looks is the business of `look`, drawing the text that of `graphviz_engine`, following the page's theme that of `svg`.

How the parts move: a state is a node named by its JSON pointer. A Map or Parallel is a node inside a cluster, followed by its
scopes and a bar where their ways meet again; what leaves it starts at the bar, what it catches at the cluster. Each node has
the SVG id `node_id(pointer)`, each edge `edge_id(...)`: they depend on the definition alone, so a run can be shown on a finished
picture. The text is the same, byte for byte, for the same input.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from sfn_notebook.asl.topology import Edge, Scope, StateNode, Topology, summarise_condition, topology
from sfn_notebook.errors import Json
from sfn_notebook.render import labels, look
from sfn_notebook.render.look import node_id
from sfn_notebook.render.overlay import Overlay
from sfn_notebook.render.theme import AUTO, DARK, LIGHT, Status, Theme

__all__ = ["AUTO", "DARK", "LIGHT", "Theme", "dot_source", "edge_id", "node_id"]

FONT = "Arial"
"""The engines measure one name well; a list of names falls back to Times."""

_CHIPS_FROM = 4
"""From so many Catch edges into one state, all but the last are drawn as a note beside the state instead of across the picture."""

_MANY_EDGES = 150

_DEEPEST = 40
"""Scopes nested deeper are not drawn: nobody could read them, and drawing must not run out of stack."""

_START, _END = "start", "end"


def edge_id(source: str, kind: str, target: str) -> str:
    """Give the SVG id of the edge of this kind between the states at two pointers ("start" and "end" are the marks)."""
    return f"edge-{kind}:{look.encoded(source)}:{look.encoded(target)}"


def dot_source(
    definition: Json,
    overlay: Overlay | None = None,
    *,
    theme: Theme = AUTO,
    title: str | None = None,
    direction: str = "TB",
    found: Mapping[str, look.Findings] | None = None,
) -> str:
    """Write the machine as DOT.

    Args:
        definition: the machine, which may be half-broken: a way to nowhere ends at a red node.
        overlay: what a run did; the picture then shows status instead of types by hue.
        theme: palette of the DOT text itself; SVG made by `digraph` from `AUTO` follows the page.
        title: heading above the graph.
        direction: "TB", from top to bottom, or "LR".
        found: what the checker finds in states, by their pointers: they are marked.
    """
    return _Drawing(topology(definition), overlay, theme, found or {}).draw(title, direction)


@dataclass(slots=True)
class _Drawing:
    machine: Topology
    overlay: Overlay | None
    theme: Theme
    found: Mapping[str, look.Findings]
    lines: list[str] = field(default_factory=list)
    edges: list[str] = field(default_factory=list)
    grouped: set[str] = field(default_factory=set)

    def draw(self, title: str | None, direction: str) -> str:
        top = self.machine.scopes[0]
        self.lines = ["digraph {", *self._defaults(title, direction)]
        if top.states:
            self._mark(_START, "circle", "0.2")
        if any(self._ends(node) for node in self.machine.nodes_of(top)):
            self._mark(_END, "doublecircle", "0.16")
        self._scope(top, "  ", _START, _END, 0)
        return "\n".join([*self.lines, *self.edges, "}", ""])

    def _defaults(self, title: str | None, direction: str) -> Iterator[str]:
        theme = self.theme
        graph = {
            "id": "sfn-graph",
            "class": "sfn-graph",
            "rankdir": direction,
            "compound": "true",
            "newrank": "true",
            "bgcolor": theme["surface"],
        }
        graph |= {
            "fontname": FONT,
            "fontsize": "11",
            "fontcolor": theme["text"],
            "nodesep": "0.28",
            "ranksep": "0.32",
            "pad": "0.12",
        }
        graph |= self._effort()
        if title:
            heading = look.text(labels.shorten(labels.one_line(title), 80))
            graph |= {"label": f"<<B>{heading}</B>>", "labelloc": "t", "labeljust": "l"}
        yield f"  graph{_attributes(graph)}"
        size = {"height": "0.36", "width": "0.5", "margin": "0.11,0.05"}
        yield f"  node{_attributes({'fontname': FONT, 'fontsize': '11', 'fontcolor': theme['text'], **size})}"
        line = {"color": theme["edge"], "arrowsize": "0.65"}
        yield f"  edge{_attributes({'fontname': FONT, 'fontsize': '9', 'fontcolor': theme['choice-text'], **line})}"

    def _effort(self) -> dict[str, str]:
        """Draw dense machines with straight lines and a quick layout, because the engines would need minutes for curves."""
        count = len(self.machine.edges)
        dense = count > _MANY_EDGES and count > 2 * len(self.machine.nodes)
        return {"splines": "line", "nslimit": "1", "nslimit1": "1", "mclimit": "0.1"} if dense else {}

    def _mark(self, name: str, shape: str, size: str) -> None:
        mark = {
            "id": f"mark-{name}",
            "class": "sfn-mark",
            "shape": shape,
            "style": "filled",
            "label": "",
            "tooltip": name,
        }
        mark |= {
            "fixedsize": "true",
            "width": size,
            "height": size,
            "color": self.theme["mark"],
            "fillcolor": self.theme["mark"],
        }
        self.lines.append(f"  {name}{_attributes(mark)}")

    # scopes

    def _scope(self, scope: Scope, indent: str, entry: str, leave: str, depth: int) -> None:
        nodes = self.machine.nodes_of(scope)
        for node in nodes:
            self._state(node, indent, depth)
        for missing in self._missing(scope, nodes):
            self._node(missing, indent)
        if scope.start is not None:
            self._start(scope, entry)
        chips = self._chips(scope, nodes)
        for node in nodes:
            self._ways(node, leave, chips, indent)

    def _state(self, node: StateNode, indent: str, depth: int) -> None:
        scopes = [scope for scope in self.machine.scopes_of(node.pointer) if scope.states] if depth < _DEEPEST else []
        if not scopes:
            self._node(node, indent)
            return
        self.grouped.add(node.pointer)
        inner = indent + "  "
        self._open(f"cluster_{node.pointer}", self._group(node), indent)
        self._node(node, inner)
        for number, scope in enumerate(scopes):
            if scope.kind == "branch" and len(scopes) > 1:
                self._open(f"cluster_{scope.pointer}", self._branch(scope, left=number * 2 < len(scopes) - 1), inner)
                self._scope(scope, inner + "  ", node.pointer, _join(node), depth + 1)
                self.lines.append(inner + "}")
            else:
                self._scope(scope, inner, node.pointer, _join(node), depth + 1)
        if self._joined(node):
            self.lines.append(f"{inner}{_quoted(_join(node))}{_attributes(self._bar(node))}")
        self.lines.append(indent + "}")

    def _node(self, node: StateNode, indent: str) -> None:
        attributes = look.node_attributes(node, self.theme, self.overlay, self.found.get(node.pointer))
        self.lines.append(f"{indent}{_quoted(node.pointer)}{_attributes(attributes)}")

    def _open(self, name: str, values: dict[str, str], indent: str) -> None:
        self.lines += [f"{indent}subgraph {_quoted(name)} {{", f"{indent}  graph{_attributes(values)}"]

    def _group(self, node: StateNode) -> dict[str, str]:
        far = look.distributed(node)
        values = {
            "id": "group-" + look.encoded(node.pointer),
            "class": "sfn-group",
            "label": "",
            "margin": "9",
            "tooltip": "",
        }
        values |= {"style": "rounded,filled,bold" if far else "rounded,filled", "fillcolor": self.theme["group-fill"]}
        return values | {"color": self.theme["map-line" if far else "group-line"]}

    def _branch(self, scope: Scope, *, left: bool) -> dict[str, str]:
        label = f'<<FONT POINT-SIZE="8" COLOR="{self.theme["muted"]}">branch {(scope.index or 0) + 1}</FONT>>'
        frame = {
            "style": "rounded,dashed",
            "color": self.theme["branch-line"],
            "bgcolor": self.theme["branch-fill"],
            "margin": "7",
        }
        own = "branch-" + look.encoded(scope.pointer)
        return {"id": own, "class": "sfn-branch", "label": label, "labeljust": "l" if left else "r", **frame}

    def _bar(self, node: StateNode) -> dict[str, str]:
        line = look.hue(node, "line", self.theme, look.seen_of(node, self.overlay))
        size = {"fixedsize": "true", "width": "0.7", "height": "0.05"}
        tip = "all items done" if node.type == "Map" else "all branches done"
        return {
            "class": "sfn-join",
            "label": "",
            "shape": "box",
            "style": "filled",
            "color": line,
            "fillcolor": line,
            "tooltip": tip,
            **size,
        }

    def _ends(self, node: StateNode) -> bool:
        return node.terminal and node.type != "Fail"

    def _joined(self, node: StateNode) -> bool:
        """Say whether any way through the scopes of a state comes to an end."""
        scopes = self.machine.scopes_of(node.pointer) if node.pointer in self.grouped else ()
        return any(self._ends(inner) for scope in scopes for inner in self.machine.nodes_of(scope))

    def _missing(self, scope: Scope, nodes: Iterable[StateNode]) -> list[StateNode]:
        edges = (edge for node in nodes for edge in self.machine.edges_from(node.pointer))
        names = [edge.target for edge in edges if edge.target_pointer is None]
        if scope.start is not None and scope.start_pointer is None:
            names.insert(0, scope.start)
        return [
            StateNode(name, look.MISSING, _nowhere(scope.pointer, name), scope.pointer, "JSONPath")
            for name in dict.fromkeys(names)
        ]

    # edges

    def _start(self, scope: Scope, entry: str) -> None:
        assert scope.start is not None
        head = scope.start_pointer or _nowhere(scope.pointer, scope.start)
        taken = None if self.overlay is None else self.overlay.taken("", scope.start)
        self._edge(entry, head, "start", (entry, head), "", taken, {"weight": "4"})

    def _ways(self, node: StateNode, leave: str, chips: dict[str, str], indent: str) -> None:
        tail = _join(node) if self._joined(node) else node.pointer
        begin = {} if self._joined(node) else self._from_group(node)
        for group in _merged(self.machine.edges_from(node.pointer)):
            kind, name = group[0].kind, group[0].target
            head = group[0].target_pointer or _nowhere(node.scope, name)
            taken = None if self.overlay is None else self.overlay.taken(node.name, name, caught=kind == "catch")
            ends = (node.pointer, head)
            if kind != "catch":
                weight = {"weight": "4" if kind == "next" else "2"}
                self._edge(tail, head, kind, ends, self._label(group), taken, weight | begin)
            elif chips.get(head, node.pointer) == node.pointer:
                self._edge(node.pointer, head, kind, ends, self._label(group), taken, self._catch_look(node))
            else:
                self._chip(node, group, ends, taken, indent)
        if self._ends(node):
            self._edge(tail, leave, "end", (node.pointer, leave), "", self._taken_end(node), {"weight": "2"} | begin)

    def _catch_look(self, node: StateNode) -> dict[str, str]:
        values = {
            "style": "dashed",
            "color": self.theme["catch-line"],
            "fontcolor": self.theme["catch-text"],
            "weight": "0",
        }
        return values | self._from_group(node)

    def _from_group(self, node: StateNode) -> dict[str, str]:
        """Let an edge begin at the frame around a Map or Parallel instead of at its heading."""
        return {"ltail": _quotable(f"cluster_{node.pointer}")} if node.pointer in self.grouped else {}

    def _chips(self, scope: Scope, nodes: Iterable[StateNode]) -> dict[str, str]:
        """Map each target of many Catch edges to the one source that keeps its edge."""
        edges = (edge for node in nodes for edge in self.machine.edges_from(node.pointer) if edge.kind == "catch")
        pairs = {
            (edge.source_pointer, edge.target_pointer or _nowhere(scope.pointer, edge.target)): None for edge in edges
        }
        counts = Counter(target for _, target in pairs)
        return {target: source for source, target in pairs if counts[target] >= _CHIPS_FROM}

    def _chip(self, node: StateNode, group: list[Edge], ends: tuple[str, str], taken: int | None, indent: str) -> None:
        """Draw a Catch as a small note beside the state, in place of an edge across the picture."""
        errors = ", ".join(labels.errors_line(edge.errors, 22) for edge in group[:2]) + (" …" if len(group) > 2 else "")
        target = labels.shorten(labels.one_line(group[0].target), 22)
        untaken = taken == 0
        hue = self.theme["not-reached-text" if untaken else "catch-text"]
        rows = "<BR/>".join(
            [look.text(errors), f"→ {look.text(target)}" + (f" ×{taken}" if taken and taken > 1 else "")]
        )
        values = {"class": "sfn-chip", "label": f'<<FONT POINT-SIZE="8.5" COLOR="{hue}">{rows}</FONT>>', "shape": "box"}
        values |= {"style": "dashed,rounded", "color": self.theme["not-reached-edge" if untaken else "catch-line"]}
        values |= {"height": "0.2", "margin": "0.05,0.02", "tooltip": look.tooltip(f"goes on with {group[0].target}")}
        name = _quoted(f"chip:{ends[0]}:{ends[1]}")
        self.lines.append(f"{indent}{{ rank=same {_quoted(node.pointer)} {name}{_attributes(values)} }}")
        self._edge(
            node.pointer,
            f"chip:{ends[0]}:{ends[1]}",
            "catch",
            ends,
            "",
            taken,
            self._catch_look(node) | {"constraint": "false"},
            count=False,
        )

    def _label(self, group: list[Edge]) -> str:
        kind, rows = group[0].kind, list[str]()
        if kind == "choice":
            for edge in group[:3]:
                rows += labels.condition_lines(summarise_condition(edge.condition, 300))
        elif kind == "catch":
            rows = [labels.errors_line(edge.errors, 30) for edge in group[:3]]
        elif kind == "default":
            rows = ["otherwise"]
        rows += ["…"] if len(group) > 3 else []
        return "".join(f' {look.text(row)} <BR ALIGN="LEFT"/>' for row in rows)

    def _taken_end(self, node: StateNode) -> int | None:
        if self.overlay is None:
            return None
        if self.overlay.many:
            return self.overlay.ends.get(node.name, 0)
        seen = self.overlay.of(node.name)
        return seen.visits if seen.status is Status.SUCCEEDED else 0

    def _edge(
        self,
        tail: str,
        head: str,
        kind: str,
        ends: tuple[str, str],
        label: str,
        taken: int | None,
        more: dict[str, str],
        *,
        count: bool = True,
    ) -> None:
        values = {"id": edge_id(ends[0], kind, ends[1]), "class": f"sfn-edge sfn-{kind}", **more}
        if taken is not None:
            values["class"] += " sfn-taken" if taken else " sfn-untaken"
            values |= self._run_look(kind, taken)
            label += self._count(kind, ends[0], taken, "" if label else "&#160;&#160;") if count else ""
        if label:
            values["label"] = f"<{label}>"
        self.edges.append(f"  {_quoted(tail)} -> {_quoted(head)}{_attributes(values)}")

    def _count(self, kind: str, source: str, taken: int, gap: str) -> str:
        """Say how often a way was taken; of many runs also its share of all ways out of the state."""
        assert self.overlay is not None
        if not self.overlay.many:
            return f' ×{taken} <BR ALIGN="LEFT"/>' if taken > 1 else ""
        if not taken:
            return ""
        names = [node.name for node in self.machine.nodes if node.pointer == source]
        total = self.overlay.leaving(names[0]) if names and kind != "start" else taken
        share = f" · {_percent(taken / total)}" if taken < total else ""
        return f'{gap or " "}{taken:,}{share} <BR ALIGN="LEFT"/>'

    def _run_look(self, kind: str, taken: int) -> dict[str, str]:
        if not taken:
            return {"color": self.theme["not-reached-edge"], "fontcolor": self.theme["not-reached-text"]}
        if self.overlay is not None and self.overlay.many:
            most = max(self.overlay.edges.values(), default=taken)
            width = {"penwidth": f"{1 + 3 * math.sqrt(taken / max(most, taken)):.1f}"}
            return width | ({} if kind == "catch" else {"color": self.theme["edge"]})
        return {"penwidth": "1.8", **({} if kind == "catch" else {"color": self.theme["taken-edge"]})}


def _percent(share: float) -> str:
    """Write a share so that what happened is never 0 % and what was missed never 100 %."""
    percent = share * 100
    if percent < 1:
        return f"{percent:.1f} %" if percent >= 0.1 else "<0.1 %"
    return f"{min(percent, 99):.0f} %" if percent < 99.05 else f"{min(percent, 99.9):.1f} %"


def _merged(edges: Iterable[Edge]) -> list[list[Edge]]:
    """Group the edges of one state that differ only in their condition or errors."""
    groups: dict[tuple[str, str], list[Edge]] = {}
    for edge in edges:
        groups.setdefault((edge.kind, edge.target), []).append(edge)
    return list(groups.values())


def _join(node: StateNode) -> str:
    return node.pointer + "/join"


def _nowhere(scope: str, name: str) -> str:
    """Name the node that stands for a state that does not exist."""
    return f"{scope}/missing/{name}"


def _quotable(name: str) -> str:
    """Write a name so that it can stand between quotes in DOT; a backslash must not swallow the closing one."""
    return labels.visible(name).replace("\n", "␊").replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')


def _quoted(name: str) -> str:
    return f'"{_quotable(name)}"'


def _attributes(values: dict[str, str]) -> str:
    shown = (
        f"{key}={value}" if key == "label" and value.startswith("<") else f'{key}="{value}"'
        for key, value in values.items()
    )
    return f" [{' '.join(shown)}]"
