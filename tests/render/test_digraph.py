from pathlib import Path

import graphviz
import pytest

from sfn_notebook.render.digraph import make_digraph
from sfn_notebook.render.dot import dot_source
from sfn_notebook.render.graphviz_engine import RenderError
from sfn_notebook.render.text import outline

from .machines import ORDERS


def graph() -> graphviz.Digraph:
    return make_digraph(dot_source(ORDERS), title="orders", outline=outline(ORDERS))


def test_it_is_a_digraph_with_the_source_that_it_was_made_from() -> None:
    assert isinstance(graph(), graphviz.Digraph)
    assert graph().source == dot_source(ORDERS)


def test_users_can_add_to_it() -> None:
    own = graph()
    own.node("note", "look here", shape="note")
    own.edge("note", "/States/Validate")
    assert "look here" in own.pipe("svg", encoding="utf-8")


def test_pipe_gives_bytes_and_text() -> None:
    assert graph().pipe().startswith(b"<svg")
    assert graph().pipe("svg", encoding="utf-8").startswith("<svg")
    assert graph().pipe("png").startswith(b"\x89PNG")


def test_render_writes_the_file_and_gives_its_path(tmp_path: Path) -> None:
    assert graph().render("orders", directory=tmp_path) == str(tmp_path / "orders.svg")
    assert (tmp_path / "orders").read_text() == dot_source(ORDERS)
    assert graph().render(outfile=tmp_path / "deep" / "orders.png") == str(tmp_path / "deep" / "orders.png")
    assert (tmp_path / "deep" / "orders.png").read_bytes().startswith(b"\x89PNG")
    graph().render("gone", directory=tmp_path, cleanup=True, format="png")
    assert not (tmp_path / "gone").exists()
    assert (tmp_path / "gone.png").exists()


def test_a_notebook_gets_a_page_an_image_and_a_text() -> None:
    bundle = graph()._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", "image/svg+xml"}
    assert bundle["text/plain"] == outline(ORDERS)
    assert "<svg" in bundle["text/html"]
    assert set(graph()._repr_mimebundle_(include=["text/plain"])) == {"text/plain"}
    assert set(graph()._repr_mimebundle_(exclude=["text/html"])) == {"text/plain", "image/svg+xml"}


def test_without_a_picture_the_text_is_shown_with_the_reason() -> None:
    own = make_digraph(dot_source(ORDERS), outline="the <outline>", program="/nowhere/dot")
    bundle = own._repr_mimebundle_()
    assert "image/svg+xml" not in bundle
    assert "no program '/nowhere/dot'" in bundle["text/plain"]
    assert "the &lt;outline&gt;" in bundle["text/html"]
    with pytest.raises(RenderError):
        own.pipe()


def test_other_graphs_of_the_process_keep_their_ways() -> None:
    before = graphviz.backend.dot_command.DOT_BINARY
    graph().pipe()
    assert before == graphviz.backend.dot_command.DOT_BINARY
    assert type(graph()).pipe is not graphviz.Digraph.pipe
