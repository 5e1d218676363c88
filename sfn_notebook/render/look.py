"""How one state looks in the graph: shape, hues, words.

Owns the table of shapes per state type and what a node says, plain or with a run laid over it. It gives attributes for one DOT
node at a time and knows nothing of edges, clusters or the text around them. Names from a definition only ever enter DOT
through `text` (HTML-like labels) and `tooltip` (attributes).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import quote

from sfn_notebook.asl.topology import StateNode
from sfn_notebook.render import labels
from sfn_notebook.render.overlay import Overlay, StateOverlay
from sfn_notebook.render.theme import MARKS, RETRIED, Status, Theme

MISSING = "missing"
"""The type of a node that stands for a state that does not exist."""

JOINER = "\u2060"
"""Stands after a backslash: the engines expand `\\N` and its like even in text that was escaped. `svg` takes it out again."""

_SHAPES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "Task": {"shape": "box", "style": "rounded,filled"},
        "Choice": {"shape": "diamond", "style": "filled", "margin": "0.02,0.03"},
        "Map": {"shape": "box", "style": "filled", "peripheries": "2"},
        "Parallel": {"shape": "plain"},
        "Wait": {"shape": "ellipse", "style": "filled", "margin": "0.04,0.02"},
        "Pass": {"shape": "box", "style": "filled"},
        "Succeed": {"shape": "ellipse", "style": "filled", "peripheries": "2", "margin": "0.04,0.02"},
        "Fail": {"shape": "octagon", "style": "filled", "margin": "0.06,0.03"},
        MISSING: {"shape": "box", "style": "filled,dashed"},
    }
)
_UNKNOWN = {"shape": "box", "style": "filled,dotted"}
_LONG_CHOICE = {"shape": "hexagon", "style": "filled", "margin": "0.02,0.03"}
"""A diamond around more than two lines would be four times their size."""

_SIGNS = {"Wait": "◷ ", "Succeed": "✔ ", "Fail": "✖ ", MISSING: "✖ "}
"""Stand before a name where no mark of a run does."""


def node_id(pointer: str) -> str:
    """Give the SVG id of the state at `pointer`: `state-` and the pointer, percent-encoded where an id needs it."""
    return "state-" + encoded(pointer)


def encoded(pointer: str) -> str:
    """Percent-encode a pointer for use in an id."""
    return quote(pointer, safe="/~", errors="surrogatepass")


def kind(node: StateNode) -> str:
    """Give the word for a state's type in class names and palette roles."""
    return node.type.lower() if node.type in _SHAPES else "unknown"


def seen_of(node: StateNode, overlay: Overlay | None) -> StateOverlay | None:
    """Give what happened to a state, or None in a plain picture."""
    return None if overlay is None or node.type == MISSING else overlay.of(node.name)


def hue(node: StateNode, part: str, theme: Theme, seen: StateOverlay | None) -> str:
    """Give the colour of a state's "fill" or "line"."""
    return theme[f"{kind(node) if seen is None else seen.shade or role(seen.status)}-{part}"]


def role(status: Status) -> str:
    """Give the word for a status in class names and palette roles."""
    return status.value.replace(" ", "-")


@dataclass(frozen=True, slots=True)
class Findings:
    """What the checker finds in one state: the messages of its errors and of its warnings."""

    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """Count them, for the node."""
        counts = ((len(self.errors), "✖", "error"), (len(self.warnings), "⚠", "warning"))
        return " ".join(f"{mark} {count} {word}{'s' if count > 1 else ''}" for count, mark, word in counts if count)

    @property
    def role(self) -> str:
        """Give the word of the palette."""
        return "failed" if self.errors else "caught"


def node_attributes(
    node: StateNode, theme: Theme, overlay: Overlay | None, found: Findings | None = None
) -> dict[str, str]:
    """Give the DOT attributes of one state."""
    seen = seen_of(node, overlay)
    name, details = list(_name_lines(node, seen)), list(dict.fromkeys(row for row in _details(node, seen) if row))
    shape = dict(_SHAPES.get(node.type, _UNKNOWN) if node.type != "Choice" or len(name) < 3 else _LONG_CHOICE)
    classes = f"sfn-state sfn-{kind(node)}" + (f" sfn-{role(seen.status)}" if seen else "")
    muted = theme[
        "not-reached-text" if seen and seen.status is Status.NOT_REACHED else "text" if seen and seen.notes else "muted"
    ]
    small = (f'<FONT POINT-SIZE="9" COLOR="{muted}">{text(row)}</FONT>' for row in details)
    body = "<BR/>".join([*(f"<B>{text(row)}</B>" for row in name), *small])
    told = _tip(node, seen)
    line, fill = hue(node, "line", theme, seen), hue(node, "fill", theme, seen)
    if found is not None:
        classes += " sfn-has-errors" if found.errors else " sfn-has-warnings"
        line = theme[f"{found.role}-line"]
        details.append(found.line)
        body += f'<BR/><FONT POINT-SIZE="9" COLOR="{theme["text"]}"><B>{text(found.line)}</B></FONT>'
        told = "\n".join([told, *(labels.shorten(labels.one_line(one), 200) for one in found.errors + found.warnings)])
    values = {"id": node_id(node.pointer), "class": classes, **shape, "tooltip": tooltip(told)}
    if node.type == "Parallel":
        values["label"] = _bars(body, line, fill)
    else:
        values |= {"label": f"<{body}>", "color": line, "fillcolor": fill}
    if seen and seen.status is Status.NOT_REACHED:
        values |= {"fontcolor": muted} | ({"style": shape["style"] + ",dashed"} if "style" in shape else {})
    elif found is not None or (seen and seen.status is not Status.SUCCEEDED):
        values["penwidth"] = "2"
    return values | _room(name + details)


def _bars(body: str, line: str, fill: str) -> str:
    cell = f'BORDER="3" SIDES="TB" COLOR="{line}" BGCOLOR="{fill}"'
    return f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="6"><TR><TD {cell}>{body}</TD></TR></TABLE>>'


def _room(rows: list[str]) -> dict[str, str]:
    """Ask for more width where a line has wide characters, which the engines measure as narrow ones."""
    wide = max((labels.width_of(row) for row in rows if labels.width_of(row) > len(row)), default=0)
    return {"width": f"{wide * 0.095 + 0.3:.2f}"} if wide else {}


def _tip(node: StateNode, seen: StateOverlay | None) -> str:
    if node.type == MISSING:
        return f"there is no state named {node.name}"
    comment = node.definition.get("Comment")
    parts = [f"{node.name} · {node.type or 'no Type'}", labels.service(node.resource)]
    parts.append(labels.shorten(labels.one_line(comment), 200) if isinstance(comment, str) else "")
    if seen:
        often = f", {_times(seen.visits)}" if seen.visits else ""
        status = "visited" if seen.shade else seen.status.value
        parts.append(status + often + "".join(f", {error}" for error in seen.errors))
    return "\n".join(part for part in parts if part)


def _name_lines(node: StateNode, seen: StateOverlay | None) -> Iterator[str]:
    name = node.name if node.name.strip() else f'"{node.name}"'
    rows = labels.wrap(name, 20 if node.type in {"Choice", "Wait", "Succeed"} else 26)
    sign = f"{MARKS[seen.status]} " if seen and not seen.shade else _SIGNS.get(node.type, "")
    count = f" ×{seen.visits}" if seen and seen.visits > 1 else ""
    yield from [
        sign + rows[0] + (count if len(rows) == 1 else ""),
        *rows[1:-1],
        *([rows[-1] + count] if len(rows) > 1 else []),
    ]


def _details(node: StateNode, seen: StateOverlay | None) -> Iterator[str]:
    if seen and seen.notes:
        yield from seen.notes
        return
    yield from _own_details(node)
    if seen is None:
        yield labels.retry_line(node.definition)
        return
    if seen.retries:
        yield f"{RETRIED} retried {_times(seen.retries)}"
    if seen.iterations_total or seen.iterations_succeeded or seen.iterations_failed:
        yield _iterations(seen)
    if seen.errors and seen.status in {Status.FAILED, Status.CAUGHT}:
        yield labels.shorten(("caught " if seen.status is Status.CAUGHT else "") + seen.errors[-1], 34)


def _own_details(node: StateNode) -> Iterator[str]:
    state = node.definition
    if node.type == "Task":
        yield labels.service(node.resource)
        yield labels.function_name(state)
    elif node.type == "Wait":
        yield labels.wait_line(state)
    elif node.type == "Fail":
        error = labels.expression(state.get("Error", ""), 32)
        yield error if error != node.name else ""
    elif node.type == "Map":
        yield _map_line(node)
    elif node.type == MISSING:
        yield "no such state"
    elif node.type not in _SHAPES:
        yield f"unknown Type {labels.shorten(node.type, 20)}" if node.type else "no Type"


def distributed(node: StateNode) -> bool:
    """Say whether a Map runs each item as an execution of its own."""
    processor = node.definition.get("ItemProcessor")
    config = processor.get("ProcessorConfig") if isinstance(processor, dict) else None
    return isinstance(config, dict) and config.get("Mode") == "DISTRIBUTED"


def _map_line(node: StateNode) -> str:
    limit = node.definition.get("MaxConcurrency")
    at_once = f" · {limit} at once" if isinstance(limit, int) and limit > 0 else ""
    return ("Distributed Map" if distributed(node) else "for each item") + at_once


def _iterations(seen: StateOverlay) -> str:
    done = (
        f"{seen.iterations_succeeded} of {seen.iterations_total}"
        if seen.iterations_total
        else str(seen.iterations_succeeded)
    )
    return f"✔ {done} items" + (f" · ✖ {seen.iterations_failed}" if seen.iterations_failed else "")


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def text(plain: str) -> str:
    """Escape plain text for an HTML-like label."""
    shown = labels.visible(plain).replace("\n", " ")
    escaped = shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    return escaped.replace("\\", f"&#92;{JOINER}")


def tooltip(plain: str) -> str:
    """Escape plain text for an attribute in which the engines look for entities, then undouble backslashes, then expand escapes."""
    return "&#10;".join(text(row).replace("&#92;", "&#92;&#92;") for row in plain.split("\n"))
