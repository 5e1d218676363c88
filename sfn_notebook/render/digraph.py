"""The graph object that users hold: a `graphviz.Digraph` that draws through our chain of engines.

Owns the meeting of the `graphviz` package (imported here only) with `graphviz_engine` and `svg`. Everything else that a
Digraph can do, such as `node`, `edge`, `attr`, `subgraph` and `source`, works as its manual says, so that a user can style and
extend the picture. No setting of the package is changed, so other Digraphs of the same process keep their own ways.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import graphviz

from sfn_notebook.render import html
from sfn_notebook.render.graphviz_engine import TIMEOUT, RenderError, render_dot
from sfn_notebook.render.svg import themed_svg
from sfn_notebook.render.theme import AUTO, Theme


class StateGraph(graphviz.Digraph):  # type: ignore[misc]  # the package ships no types
    """A state machine as a `graphviz.Digraph`.

    Attributes:
        title: what the picture shows, for screen readers.
        outline: text shown where no picture can be.
        theme: palette; `AUTO` follows the page.
        program: Graphviz program to use instead of the chain, or None.
        timeout: seconds after which drawing is given up.
    """

    title: str = "state machine"
    outline: str = ""
    theme: Theme = AUTO
    program: str | None = None
    timeout: float = TIMEOUT

    def pipe(
        self,
        format: str | None = None,  # noqa: A002 - overrides the package's own
        renderer: str | None = None,
        formatter: str | None = None,
        neato_no_op: bool | int | None = None,  # noqa: FBT001 - overrides the package's own
        quiet: bool = False,  # noqa: FBT001, FBT002 - overrides the package's own
        *,
        engine: str | None = None,
        encoding: str | None = None,
    ) -> Any:
        """Draw and give the bytes, or text when an encoding is given. SVG comes themed; the other options are dot's own."""
        del renderer, formatter, neato_no_op, quiet, engine
        kind = (format or self.format or "svg").lower()
        data = self.svg().encode() if kind == "svg" else self._draw(kind)
        return data.decode(encoding) if encoding else data

    def svg(self, *, inline: bool = False) -> str:
        """Draw as SVG: a document of its own, or a piece for an HTML page."""
        return themed_svg(self._draw("svg"), title=self.title, inline=inline, theme=self.theme)

    def render(
        self,
        filename: str | os.PathLike[str] | None = None,
        directory: str | os.PathLike[str] | None = None,
        view: bool = False,  # noqa: FBT001, FBT002 - overrides the package's own
        cleanup: bool = False,  # noqa: FBT001, FBT002 - overrides the package's own
        format: str | None = None,  # noqa: A002 - overrides the package's own
        renderer: str | None = None,
        formatter: str | None = None,
        neato_no_op: bool | int | None = None,  # noqa: FBT001 - overrides the package's own
        quiet: bool = False,  # noqa: FBT001, FBT002 - overrides the package's own
        quiet_view: bool = False,  # noqa: FBT001, FBT002 - overrides the package's own
        *,
        outfile: str | os.PathLike[str] | None = None,
        engine: str | None = None,
        raise_if_result_exists: bool = False,
        overwrite_source: bool = False,
    ) -> str:
        """Draw into a file and give its path: `outfile`, or `filename` with the format as its ending, beside the DOT text."""
        del renderer, formatter, neato_no_op, quiet, engine, overwrite_source
        kind = (format or (Path(outfile).suffix[1:] if outfile else "") or self.format or "svg").lower()
        source = Path(self.save(filename, directory=directory)) if outfile is None else None
        target = Path(outfile) if outfile is not None else Path(f"{source}.{kind}")
        if raise_if_result_exists and target.exists():
            raise graphviz.FileExistsError(f"output file exists: {str(target)!r}")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(self.pipe(kind))
        if cleanup and source is not None:
            source.unlink()
        if view or quiet_view:
            self._view(str(target), format=kind, quiet=quiet_view)
        return str(target)

    def _repr_mimebundle_(
        self, include: Iterable[str] | None = None, exclude: Iterable[str] | None = None, **_: Any
    ) -> dict[str, str]:
        bundle = {"text/plain": self.outline or self.source}
        try:
            raw = self._draw("svg")
            bundle["image/svg+xml"] = themed_svg(raw, title=self.title, theme=self.theme)
            inline = themed_svg(raw, title=self.title, inline=True, theme=self.theme)
            bundle["text/html"] = html.graph_html(inline, bundle["text/plain"])
        except RenderError as error:
            bundle["text/html"] = html.message_html(str(error), bundle["text/plain"])
            bundle["text/plain"] = f"{error}\n{bundle['text/plain']}"
        wanted = set(include) if include else set(bundle)
        return {kind: data for kind, data in bundle.items() if kind in wanted - set(exclude or ())}

    def _draw(self, kind: str) -> bytes:
        return render_dot(self.source, kind, program=self.program, timeout=self.timeout)


def make_digraph(
    source: str,
    *,
    title: str = "state machine",
    outline: str = "",
    theme: Theme = AUTO,
    program: str | os.PathLike[str] | None = None,
    timeout: float = TIMEOUT,
) -> StateGraph:
    """Make the graph of a DOT text that `dot.dot_source` wrote; `outline` is its `text/plain`."""
    graph = StateGraph(format="svg")
    graph.body = [line + "\n" for line in source.splitlines()[1:-1]]
    graph.title, graph.outline, graph.theme = title, outline, theme
    graph.program, graph.timeout = os.fspath(program) if program else None, timeout
    return graph
