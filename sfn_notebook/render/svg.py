"""The engine's SVG made fit for a page: themed, scoped, accessible, and with nothing in it that could run.

Owns the way from a Graphviz SVG to the one that is shown. The engine's XML is parsed and written anew from a list of allowed
elements and attributes, so that no script, style, image or foreign link can pass, whatever a definition or a user put in.

Two forms. Standalone (`image/svg+xml`, files): paints its own background and follows `prefers-color-scheme`, because a page's
variables do not reach into an image. Inline (`text/html`): transparent, follows JupyterLab's (and VS Code's, Colab's) theme.
In both, each palette colour is swapped for the CSS variable of its role by a rule on the attribute, scoped to a class made
from the content, so that two graphs in a page do not meet.
"""

from __future__ import annotations

import hashlib
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from html import escape, unescape
from urllib.parse import unquote

from sfn_notebook.render.dot import FONT
from sfn_notebook.render.graphviz_engine import RenderError
from sfn_notebook.render.html import DARK_PAGES
from sfn_notebook.render.labels import visible
from sfn_notebook.render.look import JOINER
from sfn_notebook.render.theme import AUTO, DARK, LIGHT, Theme

_ELEMENTS = frozenset({"g", "path", "polygon", "polyline", "ellipse", "circle", "rect", "line", "text", "tspan"})
_ATTRIBUTES = (
    "id", "class", "transform", "fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "points", "d",
    "x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx", "ry", "width", "height", "text-anchor", "font-size", "font-weight",
    "font-style", "text-decoration", "baseline-shift", "opacity",
)  # fmt: skip
_LINK = "{http://www.w3.org/1999/xlink}title"
_FONTS = f'{FONT},Arimo,"Liberation Sans",Helvetica,"DejaVu Sans Condensed",sans-serif'

_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")
_XML_ENTITIES = frozenset({"amp", "lt", "gt", "quot", "apos"})

_SCALE = 1.2
"""Pixels per point: names come out at 13 px, a little smaller than the text of a page."""

_PAGE_VARIABLES = {"text": "--jp-content-font-color1"}
"""Roles that take JupyterLab's own colour where the page has it; the others keep their palette so that contrast is certain."""


def themed_svg(raw: bytes | str, *, title: str = "state machine", inline: bool = False, theme: Theme = AUTO) -> str:
    """Rewrite an engine's SVG.

    Args:
        raw: what the engine wrote.
        title: what the picture shows, for screen readers.
        inline: for putting into an HTML page, otherwise a document of its own.
        theme: `AUTO` follows the page or the system; `LIGHT` and `DARK` keep the colours of the DOT text.

    Raises:
        RenderError: when `raw` is no SVG.
    """
    try:
        text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
        root = ET.fromstring(_ENTITY.sub(_resolve, text).encode())  # noqa: S314 - our own engine's output; entities are not resolved by this parser beyond XML's five
    except ET.ParseError as error:
        raise RenderError(f"the engine's SVG cannot be read: {error}") from None
    body = "".join(piece for child in root for piece in _write(child))
    width, height = _points(root.get("width")), _points(root.get("height"))
    scope = "sfn-" + hashlib.sha256(body.encode()).hexdigest()[:10]
    style = _style(scope, body, theme, inline=inline)
    fit = "max-width:100%;height:auto" + (_room(width, height) if inline else "")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="sfn-svg {scope}" width="{width}" height="{height}" '
        f'viewBox="{escape(root.get("viewBox") or "")}" preserveAspectRatio="xMinYMin" role="img" aria-label="{_attribute(title)}" style="{fit}">'
        f"<title>{escape(visible(title))}</title><style>{style}</style>{body}</svg>"
    )


def _room(width: int, height: int) -> str:
    """Let a picture shrink to fit a page, but not so far that it cannot be read; the box around it scrolls then."""
    return f";max-height:max(80vh,{height * 17 // 20}px);min-width:{min(width, max(280, width * 6 // 10))}px"


def _resolve(entity: re.Match[str]) -> str:
    """Write an entity of HTML, which the engines let through, as XML knows it."""
    name = entity[1]
    return entity[0] if name in _XML_ENTITIES else escape(unescape(entity[0]))


def _points(text: str | None) -> int:
    """Read a length in points and give it in pixels."""
    match = re.match(r"[\d.]+", text or "")
    return round(float(match[0]) * _SCALE) if match else 0


def _write(element: ET.Element) -> Iterator[str]:
    name = element.tag.rpartition("}")[2]
    if name == "a":  # the engine's way to give a tooltip
        tip = element.get(_LINK)
        if tip:
            yield f"<title>{escape(_clean(tip), quote=False)}</title>"
        yield from (piece for child in element for piece in _write(child))
        return
    if name == "g" and (element.get("id") or "").startswith("a_"):
        yield from (piece for child in element for piece in _write(child))
        return
    if name not in _ELEMENTS:
        return
    attributes = "".join(
        f' {key}="{_attribute(value)}"' for key in _ATTRIBUTES if (value := element.get(key)) is not None
    )
    pointer = _pointer(element.get("id") or "")
    if pointer:
        attributes += f' data-pointer="{_attribute(pointer)}"'
    yield f"<{name}{attributes}>"
    if name in {"text", "tspan"} and element.text:
        yield escape(_clean(element.text), quote=False)
    yield from (piece for child in element for piece in _write(child))
    yield f"</{name}>"


def _pointer(identity: str) -> str:
    """Give the JSON pointer of the state whose node has this id, "" for other ids."""
    return unquote(identity.removeprefix("state-")) if identity.startswith("state-") else ""


def _clean(text: str) -> str:
    return text.replace("\\" + JOINER, "\\").replace("\u00a0", " ")


def _attribute(text: str) -> str:
    return escape(visible(text)).replace("\n", "&#10;")


def _style(scope: str, body: str, theme: Theme, *, inline: bool) -> str:
    rules = [f".{scope} text{{font-family:{_FONTS};white-space:pre}}"]
    if theme.name != "auto":
        return "".join(rules)
    used = [role for role, colour in LIGHT.colours.items() if f'"{colour}"' in body]
    for role in used:
        colour = LIGHT[role]
        rules += [
            f'.{scope} [{key}="{colour}"]{{{key}:var(--sfn-{role})}}'
            for key in ("fill", "stroke")
            if f'{key}="{colour}"' in body
        ]
    rules.append(f".{scope}{{{_variables(LIGHT, used, inline=inline)}}}")
    dark = _variables(DARK, used, inline=inline)
    if inline:
        rules.append(",".join(f"{page} .{scope}" for page in DARK_PAGES) + f"{{{dark}}}")
    else:
        rules.append(f"@media (prefers-color-scheme:dark){{.{scope}{{{dark}}}}}")
    return "".join(rules)


def _variables(theme: Theme, used: list[str], *, inline: bool) -> str:
    return ";".join(f"--sfn-{role}:{_value(theme, role, inline=inline)}" for role in used)


def _value(theme: Theme, role: str, *, inline: bool) -> str:
    if inline and role == "surface":
        return "transparent"
    if inline and role in _PAGE_VARIABLES:
        return f"var({_PAGE_VARIABLES[role]},{theme[role]})"
    return theme[role]
