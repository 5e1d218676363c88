"""A chart that shows itself, wherever notebooks are shown.

As SVG of our own with tooltips, and as text in a terminal: that needs no script and no package, so it looks the same in JupyterLab
without a network, on GitHub, in an export and in an e-mail. For zooming and panning there is `Chart.interactive()`: a Vega-Lite
specification (`Chart.spec`) that JupyterLab draws itself, offline. It is version 5 because that is the latest one JupyterLab
knows; Altair is not needed for it (and writes a later version), but `Chart.altair()` hands the same chart to it, for those who
want to go on from there.

It must not know what charts show: that is the business of `charts`, `failure_chart` and `gantt`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from sfn_notebook.errors import Json, MissingExtra
from sfn_notebook.render import html
from sfn_notebook.render.svg import themed_svg
from sfn_notebook.render.theme import AUTO, LIGHT, Status, Theme

VEGA_LITE: Final = "application/vnd.vegalite.v5+json"
_SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v5.json"
"""Names the version of the language; nobody fetches it."""

MOST_POINTS: Final = 4000
"""Data points in a specification, which travels with the notebook."""


@dataclass(frozen=True)
class Chart:
    """A picture that shows itself in notebooks.

    Attributes:
        title: what it shows.
        text: its form in a terminal.
        paint: draws it in a theme, as an engine would write SVG.
        make_spec: gives the Vega-Lite specification.
        theme: `AUTO` follows the page.
    """

    title: str
    text: str
    paint: Callable[[Theme], str]
    make_spec: Callable[[], dict[str, Json]]
    theme: Theme = AUTO

    def svg(self, *, inline: bool = False) -> str:
        """Draw as SVG: a document of its own, or a piece for an HTML page."""
        return themed_svg(self.paint(self.theme), title=self.title, inline=inline, theme=self.theme)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture into an SVG file."""
        Path(path).write_text(self.svg(), encoding="utf-8")

    @property
    def spec(self) -> dict[str, Json]:
        """The chart as a Vega-Lite 5 specification with its data."""
        return {"$schema": _SCHEMA, "title": self.title, **self.make_spec()}

    def interactive(self) -> InteractiveChart:
        """Give the chart in a form that can be zoomed and panned where Vega-Lite is drawn, as in JupyterLab."""
        return InteractiveChart(self)

    def altair(self) -> Any:
        """Give the chart as an `altair.Chart`, to go on from there.

        Raises:
            MissingExtra: Altair is not installed.
        """
        try:
            module = import_module("altair")
        except ImportError as error:
            raise MissingExtra("this needs Altair: pip install altair") from error
        return module.Chart.from_dict({key: value for key, value in self.spec.items() if key != "$schema"})

    def __str__(self) -> str:
        return self.text

    def _repr_mimebundle_(
        self, include: Iterable[str] | None = None, exclude: Iterable[str] | None = None, **_: Any
    ) -> dict[str, str]:
        wanted = set(include or ("text/plain", "text/html", "image/svg+xml")) - set(exclude or ())
        makers: dict[str, Callable[[], str]] = {
            "text/plain": lambda: self.text,
            "image/svg+xml": self.svg,
            "text/html": lambda: html.graph_html(self.svg(inline=True), self.text),
        }
        return {kind: make() for kind, make in makers.items() if kind in wanted}


@dataclass(frozen=True)
class InteractiveChart:
    """A chart that is shown by whatever draws Vega-Lite, with its picture and text for places that do not."""

    chart: Chart

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Json]:
        return {VEGA_LITE: self.chart.spec, "image/svg+xml": self.chart.svg(), "text/plain": self.chart.text}


def status_colours(statuses: Iterable[Status]) -> dict[str, Json]:
    """Give the colour channel of a specification for these statuses."""
    shown = list(dict.fromkeys(statuses))
    return {
        "field": "status",
        "type": "nominal",
        "scale": {
            "domain": [status.value for status in shown],
            "range": [LIGHT[f"{status.value.replace(' ', '-')}-line"] for status in shown],
        },
    }
