import importlib.metadata
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable

import pytest

from sfn_notebook.render.digraph import make_digraph
from sfn_notebook.render.dot import AUTO, DARK, LIGHT, Theme, dot_source, node_id
from sfn_notebook.render.graphviz_engine import RenderError, render_dot
from sfn_notebook.render.labels import visible
from sfn_notebook.render.overlay import Overlay
from sfn_notebook.render.svg import themed_svg

from .machines import HOSTILE, MACHINES, ORDERS, around, machine

SVG = "{http://www.w3.org/2000/svg}"
ALLOWED = {"svg", "title", "style", "g", "path", "polygon", "polyline", "ellipse", "text"}


def drawn(definition: object, *, inline: bool = False, theme: Theme = AUTO) -> str:
    return themed_svg(render_dot(dot_source(definition, theme=theme), "svg"), title="t", inline=inline, theme=theme)


def state(svg: str, name: str) -> ET.Element:
    root = ET.fromstring(svg)
    wanted = node_id("/States/" + name.replace("~", "~0").replace("/", "~1"))
    return next(element for element in root.iter(f"{SVG}g") if element.get("id") == wanted)


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


@pytest.mark.parametrize("inline", [False, True])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text_and_nothing_else(name: str, inline: bool) -> None:
    svg = drawn(around(name), inline=inline)
    root = ET.fromstring(svg)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= ALLOWED
    assert not any(key.lower().startswith("on") or "href" in key for element in root.iter() for key in element.attrib)
    node = state(svg, name)
    bold = [element.text or "" for element in node.iter(f"{SVG}text") if element.get("font-weight") == "bold"]
    assert squeezed("".join(bold)) == (squeezed(visible(name)) or '""')
    tip = node.findtext(f"{SVG}title") or ""
    assert squeezed(tip).startswith(squeezed(visible(name)))


@pytest.mark.parametrize("name", HOSTILE)
def test_html_sees_the_same_elements_as_xml(name: str) -> None:
    svg = drawn(around(name), inline=True)
    assert "<script" not in svg.lower()
    assert "<img" not in svg.lower()
    assert svg.lower().count("</svg>") == 1
    assert svg.count("<style>") == svg.count("</style>") == 1


@pytest.mark.skipif(
    importlib.metadata.version("graphviz-pure") != "0.2.2", reason="layouts were reviewed with graphviz-pure 0.2.2"
)
@pytest.mark.parametrize("name", ["one_pass", "orders", "half_written"])
def test_the_picture_is_as_it_was_reviewed(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"{name}.svg", make_digraph(dot_source(MACHINES[name]), title=name).svg() + "\n")


def test_a_node_carries_the_pointer_of_its_state() -> None:
    assert state(drawn(ORDERS), "Ready?").get("data-pointer") == "/States/Ready?"
    assert state(drawn(machine(**{"a/b~c": {"Type": "Succeed"}})), "a/b~c").get("data-pointer") == "/States/a~1b~0c"


def test_the_picture_is_accessible_and_keeps_within_its_cell() -> None:
    root = ET.fromstring(themed_svg(render_dot(dot_source(ORDERS), "svg"), title='a "run" <of> orders'))
    assert root.get("role") == "img"
    assert root.get("aria-label") == 'a "run" <of> orders'
    assert root.findtext(f"{SVG}title") == 'a "run" <of> orders'
    assert "max-width:100%" in (root.get("style") or "")


def test_inline_pictures_follow_the_page_and_standalone_ones_the_system() -> None:
    inline, standalone = drawn(ORDERS, inline=True), drawn(ORDERS)
    assert '[data-jp-theme-light="false"]' in inline
    assert "--jp-content-font-color1" in inline
    assert "prefers-color-scheme" not in inline
    assert "@media (prefers-color-scheme:dark)" in standalone
    assert "--jp-" not in standalone


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_a_fixed_theme_follows_nothing(theme: Theme) -> None:
    svg = drawn(ORDERS, inline=True, theme=theme)
    assert "var(" not in svg
    assert theme["task-fill"] in svg


def test_every_colour_of_the_picture_has_a_rule() -> None:
    for overlay in (None, Overlay()):
        svg = themed_svg(render_dot(dot_source(ORDERS, overlay), "svg"))
        body = svg.partition("</style>")[2]
        colours = set(re.findall(r'(?:fill|stroke)="(#[0-9a-f]{6}|[a-z]+)"', body)) - {"none", "transparent"}
        assert colours <= set(LIGHT.colours.values())


def test_two_pictures_in_a_page_have_scopes_of_their_own() -> None:
    scopes = [re.findall(r'class="sfn-svg (sfn-[0-9a-f]+)"', drawn(MACHINES[name]))[0] for name in ("orders", "loop")]
    assert scopes[0] != scopes[1]
    assert scopes[0] == re.findall(r'class="sfn-svg (sfn-[0-9a-f]+)"', drawn(MACHINES["orders"], inline=True))[0]
    rules = re.findall(r"<style>(.*?)</style>", drawn(MACHINES["orders"], inline=True), re.DOTALL)[0]
    selectors = [part for rule in rules.split("}") if "{" in rule for part in rule.partition("{")[0].split(",")]
    assert all(scopes[0] in selector for selector in selectors)


def test_what_a_user_adds_cannot_run_either() -> None:
    raw = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="8pt" height="8pt" viewBox="0 0 8 8" onload="x()">'
        '<script>x()</script><g onclick="x()"><a xlink:href="javascript:x()" xlink:title="tip"><text style="x" fill="red">a&nbsp;b</text></a></g>'
        '<image href="file:///etc/passwd"/><foreignObject><body/></foreignObject><style>*{}</style></svg>'
    )
    svg = themed_svg(raw)
    root = ET.fromstring(svg)
    assert [element.tag.removeprefix(SVG) for element in root.iter()] == ["svg", "title", "style", "g", "title", "text"]
    assert "javascript" not in svg
    assert "onclick" not in svg
    assert root.findtext(f".//{SVG}text") == "a b"


def test_what_is_no_svg_is_refused() -> None:
    with pytest.raises(RenderError, match="cannot be read"):
        themed_svg(b"<svg")
