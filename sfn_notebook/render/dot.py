"""A machine, plain or with a run laid over it, as DOT text.

Owns the look of the graph: shapes per state type, what a node and an edge say, which marks a run leaves. It reads the machine
through `flow` and puts words together through `labels`; drawing the text is the business of `graphviz_engine`, following the
page's theme that of `svg`.

How the parts move: a state is a node; a Map or Parallel is a node inside a cluster, followed by the clusters of its scopes and
a bar where their ways meet again. Names from a definition only ever enter through `_text` (HTML-like labels) and `_quoted`
(attributes). Each node has the SVG id `node_id(pointer)`, each edge `edge_id(...)`; they depend on the definition alone.
The output is the same, byte for byte, for the same input.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import quote

from sfn_notebook.errors import Json
from sfn_notebook.render import labels
from sfn_notebook.render.flow import Edge, Node, Scope, read
from sfn_notebook.render.overlay import Overlay, StateOverlay
from sfn_notebook.render.theme import AUTO, DARK, LIGHT, MARKS, RETRIED, Status, Theme

__all__ = ["AUTO", "DARK", "LIGHT", "Theme", "dot_source", "edge_id", "node_id"]

FONT = "Arial"  # the engines measure one name well; a list of names falls back to Times

_CHIPS_FROM = 5
"""From so many Catch edges into one state, all but the last end at a chip with its name instead of crossing the picture."""

_SHAPES: dict[str, dict[str, str]] = {
    "Task": {"shape": "box", "style": "rounded,filled"},
    "Choice": {"shape": "diamond", "style": "filled", "margin": "0.01,0.01"},
    "Map": {"shape": "box", "style": "filled", "peripheries": "2"},
    "Parallel": {"shape": "plain", "style": ""},
    "Wait": {"shape": "ellipse", "style": "filled", "margin": "0.04,0.02"},
    "Pass": {"shape": "box", "style": "filled"},
    "Succeed": {"shape": "ellipse", "style": "filled", "peripheries": "2", "margin": "0.04,0.02"},
    "Fail": {"shape": "octagon", "style": "filled", "margin": "0.08,0.03"},
    "missing": {"shape": "box", "style": "filled,dashed"},
}
_UNKNOWN = {"shape": "box", "style": "filled,dotted"}

_SIGNS = {"Wait": "◷ ", "Succeed": "✔ ", "Fail": "✖ ", "missing": "✖ ", "Choice": ""}
"""Stand before a name where no run's mark does."""


def node_id(pointer: str) -> str:
    """Give the SVG id of the state at `pointer`: `state-` and the pointer, percent-encoded where XML ids need it."""
    return "state-" + quote(pointer, safe="/~")


def edge_id(source: str, kind: str, target: str) -> str:
    """Give the SVG id of the edge of this kind between the states at two pointers ("" is the start or the end mark)."""
    return f"edge-{kind}-{quote(source, safe='/~')}--{quote(target, safe='/~')}"


def dot_source(
    definition: Json,
    overlay: Overlay | None = None,
    *,
    theme: Theme = AUTO,
    title: str | None = None,
    direction: str = "TB",
) -> str:
    """Write the machine as DOT.

    Args:
        definition: the machine, which may be half-broken: a way to nowhere ends at a red node.
        overlay: what a run did; the picture then shows status instead of types by hue.
        theme: palette of the DOT text itself; SVG made by `digraph` from `AUTO` follows the page.
        title: heading above the graph.
        direction: "TB", from top to bottom, or "LR".
    """
    return _Drawing(overlay, theme, direction).draw(read(definition), title)


@dataclass(slots=True)
class _Drawing:
    overlay: Overlay | None
    theme: Theme
    direction: str
    lines: list[str] = field(default_factory=list)
    edges: list[str] = field(default_factory=list)
    nodes: dict[str, Node] = field(default_factory=dict)

    def draw(self, top: Scope, title: str | None) -> str:
        theme = self.theme
        self.nodes = {node.key: node for node in _walk(top)}
        head = {"id": "sfn-graph", "class": "sfn-graph", "rankdir": "LR" if self.direction == "LR" else "TB"}
        head |= {"bgcolor": theme["surface"], "fontname": FONT, "fontsize": "10", "fontcolor": theme["text"]}
        head |= {"nodesep": "0.28", "ranksep": "0.32", "pad": "0.12", "newrank": "false"}
        if title:
            head |= {"label": f"<<B>{_text(labels.shorten(labels.one_line(title), 80))}</B>>", "labelloc": "t", "labeljust": "l"}
        node = {"fontname": FONT, "fontsize": "11", "fontcolor": theme["text"], "height": "0.36", "width": "0.5", "margin": "0.11,0.05"}
        edge = {"fontname": FONT, "fontsize": "9", "fontcolor": theme["choice-text"], "color": theme["edge"], "arrowsize": "0.65"}
        self.lines = ["digraph {", *(f"  {kind}{_attributes(values)}" for kind, values in (("graph", head), ("node", node), ("edge", edge)))]
        if top.start:
            self._marks(top)
        self._scope(top, "  ", "mark:start", "mark:end")
        return "\n".join([*self.lines, *self.edges, "}", ""])

    def _marks(self, top: Scope) -> None:
        mark = {"label": "", "fixedsize": "true", "color": self.theme["mark"], "fillcolor": self.theme["mark"], "style": "filled"}
        self.lines.append(f'  "mark:start"{_attributes({"id": "mark-start", "class": "sfn-mark", "shape": "circle", "width": "0.2", "height": "0.2", "tooltip": "start", **mark})}')
        if any(node.ends for node in top.nodes):
            self.lines.append(f'  "mark:end"{_attributes({"id": "mark-end", "class": "sfn-mark", "shape": "doublecircle", "width": "0.16", "height": "0.16", "tooltip": "end", **mark})}')

    def _scope(self, scope: Scope, indent: str, entry: str, leave: str) -> None:
        for node in scope.nodes:
            self._state(node, indent)
        for node in scope.missing:
            self.lines.append(f"{indent}{_quoted(node.key)}{_attributes(self._node_attributes(node))}")
        if scope.start:
            self._edge(entry, scope.start, "start", "", self._taken("", scope.start))
        chips = self._chips(scope)
        for node in scope.nodes:
            out = _join(node) if _has_join(node) else node.key
            for group in _merged(node.edges):
                self._way(node, out, group, chips, indent)
            if node.ends:
                self._edge(out, leave, "end", "", self._taken_end(node))

    def _state(self, node: Node, indent: str) -> None:
        own = f"{_quoted(node.key)}{_attributes(self._node_attributes(node))}"
        if not any(scope.nodes for scope in node.scopes):
            self.lines.append(indent + own)
            return
        inner = indent + "  "
        self.lines += [f"{indent}subgraph {_quoted('cluster_' + node.key)} {{", f"{inner}graph{_attributes(self._group(node))}", inner + own]
        join = _join(node)
        branches = len(node.scopes) > 1
        for index, scope in enumerate(node.scopes):
            if branches:
                self.lines += [f"{inner}subgraph {_quoted('cluster_' + scope.pointer)} {{", f"{inner}  graph{_attributes(self._branch(index))}"]
            self._scope(scope, inner + "  " if branches else inner, node.key, join)
            if branches:
                self.lines.append(inner + "}")
        if _has_join(node):
            self.lines.append(f"{inner}{_quoted(join)}{_attributes(self._bar(node))}")
        self.lines.append(indent + "}")

    def _group(self, node: Node) -> dict[str, str]:
        style = "rounded,filled,bold" if _distributed(node) else "rounded,filled"
        line = self.theme["map-line" if _distributed(node) else "group-line"]
        return {"id": "group-" + quote(node.key, safe="/~"), "class": "sfn-group", "label": "", "style": style, "color": line, "fillcolor": self.theme["group-fill"], "margin": "9"}

    def _branch(self, index: int) -> dict[str, str]:
        text = f'<<FONT POINT-SIZE="8" COLOR="{self.theme["muted"]}">branch {index + 1}</FONT>>'
        return {"class": "sfn-branch", "label": text, "labeljust": "l", "style": "rounded,dashed", "color": self.theme["branch-line"], "margin": "7"}

    def _bar(self, node: Node) -> dict[str, str]:
        line = self._hue(node, "line")
        return {"class": "sfn-join", "label": "", "shape": "box", "style": "filled", "fixedsize": "true", "width": "0.7", "height": "0.05", "color": line, "fillcolor": line, "tooltip": "all done" if node.type == "Map" else "all branches done"}

    # nodes

    def _seen(self, node: Node) -> StateOverlay | None:
        return self.overlay.of(node.name) if self.overlay is not None and node.type != "missing" else None

    def _hue(self, node: Node, part: str) -> str:
        seen = self._seen(node)
        if seen is not None:
            return self.theme[f"{seen.status.value.replace(' ', '-')}-{part}"]
        kind = node.type.lower() if node.type in _SHAPES else "unknown"
        return self.theme[f"{kind}-{part}"]

    def _node_attributes(self, node: Node) -> dict[str, str]:
        seen = self._seen(node)
        shape = dict(_SHAPES.get(node.type, _UNKNOWN))
        kind = node.type.lower() if node.type in _SHAPES else "unknown"
        classes = f"sfn-state sfn-{kind}" + (f" sfn-{seen.status.value.replace(' ', '-')}" if seen else "")
        values = {"id": node_id(node.key), "class": classes, **shape, "tooltip": _quotable(self._tooltip(node, seen))}
        lines = list(self._words(node, seen))
        muted = self.theme["not-reached-text" if seen and seen.status is Status.NOT_REACHED else "muted"]
        body = "<BR/>".join(_line(text, strong, muted) for text, strong in lines)
        if shape["shape"] == "plain":
            values["label"] = self._bars(node, body)
        else:
            values |= {"label": f"<{body}>", "color": self._hue(node, "line"), "fillcolor": self._hue(node, "fill")}
        if seen and seen.status is Status.NOT_REACHED:
            values |= {"fontcolor": muted, "style": shape["style"] + ",dashed"}
        elif seen and seen.status is not Status.SUCCEEDED:
            values["penwidth"] = "2"
        wide = max((labels.width_of(text) for text, _ in lines if any(labels.width_of(char) == 2 for char in text)), default=0)
        if wide:  # the engines measure wide characters as narrow ones
            values["width"] = f"{wide * 0.095 + 0.3:.2f}"
        return values

    def _bars(self, node: Node, body: str) -> str:
        bar = f'BORDER="3" SIDES="TB" COLOR="{self._hue(node, "line")}" BGCOLOR="{self._hue(node, "fill")}"'
        return f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="6"><TR><TD {bar}>{body}</TD></TR></TABLE>>'

    def _tooltip(self, node: Node, seen: StateOverlay | None) -> str:
        if node.type == "missing":
            return f"there is no state named {node.name}"
        parts = [f"{node.name} · {node.type}", labels.service(node.state.get("Resource"))]
        comment = node.state.get("Comment")
        parts.append(labels.shorten(labels.one_line(comment), 200) if isinstance(comment, str) else "")
        parts.append(f"{seen.status.value}, {_times(seen.visits)}" + "".join(f", {error}" for error in seen.errors) if seen else "")
        return "\n".join(part for part in parts if part)

    def _words(self, node: Node, seen: StateOverlay | None) -> Iterator[tuple[str, bool]]:
        narrow = node.type in {"Choice", "Wait", "Succeed"}
        name = node.name if node.name.strip() else f'"{node.name}"'
        rows = labels.wrap(name, 18 if narrow else 26)
        sign = f"{MARKS[seen.status]} " if seen else _SIGNS.get(node.type, "")
        rows[0] = sign + rows[0]
        if seen and seen.visits > 1:
            rows[-1] += f" ×{seen.visits}"
        yield from ((row, True) for row in rows)
        yield from ((row, False) for row in self._details(node, seen) if row)

    def _details(self, node: Node, seen: StateOverlay | None) -> Iterator[str]:
        state = node.state
        if node.type == "missing":
            yield "no such state"
        elif node.type == "Task":
            yield labels.service(state.get("Resource"))
            yield labels.function_name(state)
        elif node.type == "Wait":
            yield labels.wait_line(state)
        elif node.type == "Fail":
            yield labels.expression(state.get("Error", ""), 32)
        elif node.type == "Map":
            yield _map_line(node)
        elif node.type not in _SHAPES:
            yield "no Type" if node.type == "unknown" else f"unknown Type {labels.shorten(node.type, 20)}"
        if seen is None:
            yield labels.retry_line(state)
            return
        if seen.retries:
            yield f"{RETRIED} retried {_times(seen.retries)}"
        if seen.iterations_total or seen.iterations_succeeded or seen.iterations_failed:
            yield _iterations(seen)
        if seen.errors and seen.status in {Status.FAILED, Status.CAUGHT}:
            yield labels.shorten(("caught " if seen.status is Status.CAUGHT else "") + seen.errors[-1], 34)

    # edges

    def _chips(self, scope: Scope) -> dict[str, str]:
        """Map each target of many Catch edges to the one source that keeps its edge."""
        pairs = {(edge.source, edge.target): None for node in scope.nodes for edge in node.edges if edge.kind == "catch"}
        counts = Counter(target for _, target in pairs)
        return {target: source for source, target in pairs if counts[target] >= _CHIPS_FROM}

    def _way(self, node: Node, out: str, group: list[Edge], chips: dict[str, str], indent: str) -> None:
        first = group[0]
        taken = self._taken(node.name, first.target)
        target = self.nodes[first.target]
        if first.kind != "catch":
            self._edge(out, first.target, first.kind, self._edge_label(group), taken, source=node.key)
            return
        end = first.target
        if chips.get(end, node.key) != node.key:
            end = f"chip:{node.key}:{first.target}"
            self.lines.append(f"{indent}{_quoted(end)}{_attributes(self._chip(target))}")
        self._edge(node.key, end, "catch", self._edge_label(group), taken, target=first.target)

    def _chip(self, target: Node) -> dict[str, str]:
        text = labels.shorten(labels.one_line(labels.visible(target.name)), 22)
        label = f'<<FONT POINT-SIZE="9" COLOR="{self.theme["catch-text"]}">→ {_text(text)}</FONT>>'
        return {"class": "sfn-chip", "label": label, "shape": "box", "style": "dashed,rounded", "color": self.theme["catch-line"], "height": "0.2", "margin": "0.06,0.02", "tooltip": _quotable(f"goes on with {target.name}")}

    def _edge_label(self, group: list[Edge]) -> str:
        first = group[0]
        rows: list[str] = []
        if first.kind == "choice":
            for edge in group[:3]:
                rows += labels.wrap(labels.shorten(labels.one_line(edge.condition), 78), 28, 3)
        elif first.kind == "catch":
            rows = [labels.errors_line(edge.errors, 30) for edge in group[:3]]
        elif first.kind == "default":
            rows = ["otherwise"]
        return "<BR ALIGN=\"LEFT\"/>".join(" " + _text(row) + " " for row in rows + (["…"] if len(group) > 3 else []))

    def _taken(self, source: str, target: str) -> int | None:
        return None if self.overlay is None else self.overlay.taken(source, self.nodes[target].name)

    def _taken_end(self, node: Node) -> int | None:
        if self.overlay is None:
            return None
        seen = self.overlay.of(node.name)
        return self.overlay.taken(node.name, "") or (seen.visits if seen.status is Status.SUCCEEDED else 0)

    def _edge(self, tail: str, head: str, kind: str, label: str, taken: int | None, *, source: str = "", target: str = "") -> None:
        values = {"id": edge_id(source or ("" if tail.startswith("mark:") else tail), kind, target or ("" if head.startswith("mark:") else head)), "class": f"sfn-edge sfn-{kind}"}
        count = f" ×{taken} " if taken and taken > 1 else ""
        if label or count:
            values["label"] = f'<{label}{"<BR/>" if label and count else ""}{count}<BR ALIGN="LEFT"/>>' if label else f"<{count}>"
        if kind == "catch":
            values |= {"style": "dashed", "color": self.theme["catch-line"], "fontcolor": self.theme["catch-text"], "weight": "0"}
        else:
            values["weight"] = "4" if kind in {"next", "start"} else "2"
        if taken is not None:
            values["class"] += " sfn-taken" if taken else " sfn-untaken"
            values |= self._run_look(kind, taken)
        self.edges.append(f"  {_quoted(tail)} -> {_quoted(head)}{_attributes(values)}")

    def _run_look(self, kind: str, taken: int) -> dict[str, str]:
        if not taken:
            return {"color": self.theme["not-reached-edge"], "fontcolor": self.theme["not-reached-text"]}
        return {"penwidth": "1.8", **({} if kind == "catch" else {"color": self.theme["taken-edge"]})}


def _walk(scope: Scope) -> Iterator[Node]:
    yield from scope.missing
    for node in scope.nodes:
        yield node
        for inner in node.scopes:
            yield from _walk(inner)


def _merged(edges: Iterable[Edge]) -> list[list[Edge]]:
    """Group the edges of one state that differ only in their condition or errors."""
    groups: dict[tuple[str, str], list[Edge]] = {}
    for edge in edges:
        groups.setdefault((edge.kind, edge.target), []).append(edge)
    return list(groups.values())


def _has_join(node: Node) -> bool:
    return any(inner.ends for scope in node.scopes for inner in scope.nodes)


def _join(node: Node) -> str:
    return node.key + "/join"


def _distributed(node: Node) -> bool:
    processor = node.state.get("ItemProcessor")
    config = processor.get("ProcessorConfig") if isinstance(processor, dict) else None
    return isinstance(config, dict) and config.get("Mode") == "DISTRIBUTED"


def _map_line(node: Node) -> str:
    limit = node.state.get("MaxConcurrency")
    at_once = f" · {limit} at once" if isinstance(limit, int) and limit > 0 else ""
    return ("Distributed Map" if _distributed(node) else "for each item") + at_once


def _iterations(seen: StateOverlay) -> str:
    done = f"{seen.iterations_succeeded} of {seen.iterations_total}" if seen.iterations_total else str(seen.iterations_succeeded)
    return f"✔ {done} items" + (f" · ✖ {seen.iterations_failed}" if seen.iterations_failed else "")


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _line(text: str, strong: bool, muted: str) -> str:  # noqa: FBT001 - one private caller
    return f"<B>{_text(text)}</B>" if strong else f'<FONT POINT-SIZE="9" COLOR="{muted}">{_text(text)}</FONT>'


JOINER = "\u2060"
"""Stands after a backslash: the engines expand `\\N` and its like even in text that was escaped. `svg` takes it out again."""


def _text(text: str) -> str:
    """Escape plain text for an HTML-like label."""
    shown = labels.visible(text).replace("\n", " ")
    escaped = shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    return escaped.replace("\\", f"&#92;{JOINER}")


def _quotable(text: str) -> str:
    """Prepare text for an attribute in which the engines look for entities and escapes, as in a tooltip."""
    return _text(text.replace("\n", "\r")).replace("␍", "&#10;")


def _quoted(text: str) -> str:
    """Quote an id of DOT; a backslash stays in it as it is, but must not swallow the closing quote."""
    return '"' + labels.visible(text).replace("\n", "␊").replace("\\", "\\\\").replace('"', '\\"') + '"'


def _attributes(values: dict[str, str]) -> str:
    shown = (f"{key}={value}" if value.startswith("<") and key == "label" else f'{key}="{value}"' for key, value in values.items())
    return " [" + " ".join(shown) + "]"
