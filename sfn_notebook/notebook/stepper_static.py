"""The still form of a debugger's stop: a picture of the run so far and a table of where it stands, as HTML and as text.

It is an output of its own beside the widget, because a saved notebook, nbconvert and GitHub show a widget as nothing. All that comes from
definitions and payloads is escaped, and kept from MathJax, which would take what stands between two `$` for a formula. While the widget
lives in the page, its style sheet hides this output.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sfn_notebook.api import stops
from sfn_notebook.api.debugger import Debugger
from sfn_notebook.api.pictures import machine_graph
from sfn_notebook.api.stops import Where
from sfn_notebook.errors import Json, SfnError
from sfn_notebook.render.html import escape
from sfn_notebook.strictjson import json_text

_LEFT = ' style="text-align:left;vertical-align:top"'
_CODE = ' style="white-space:pre-wrap;overflow-wrap:anywhere;font-family:var(--jp-code-font-family,monospace);unicode-bidi:isolate"'
_WHY = {
    "asked": "a task asks for an answer",
    "waiting": "it waits for an answer from outside",
    "breakpoint": "breakpoint",
}
_SHOWN = 600


class Still:
    """One display output that shows a debugger and can be brought up to date.

    Attributes:
        debugger: the debugger.
        at: the event to show; None for the position.
        shown: whether it is displayed.
    """

    def __init__(self, debugger: Debugger, **picture: Any) -> None:
        """Make one; `picture` is theme, direction and timeout of the graph."""
        self.debugger = debugger
        self.at: int | None = None
        self._picture = picture
        self._handle: Any = None

    @property
    def shown(self) -> bool:
        """Say whether it is displayed."""
        return self._handle is not None

    def bundle(self) -> dict[str, str]:
        """Give the mime bundle."""
        return still_bundle(self.debugger, self.at, **self._picture)

    def show(self) -> None:
        """Display it."""
        from IPython.display import display

        self._handle = display(self.bundle(), raw=True, display_id=True)  # type: ignore[no-untyped-call]  # IPython has no annotations here

    def update(self) -> None:
        """Bring it up to date."""
        if self._handle is not None:
            self._handle.update(self.bundle(), raw=True)


def still_bundle(
    debugger: Debugger, at: int | None = None, *, theme: str = "auto", direction: str = "TB", timeout: float = 20.0
) -> dict[str, str]:
    """Show where a debugger stands, as HTML and text; `at` is the event whose state is shown, where that is not the position."""
    where = debugger.where() if at is None else stops.where(debugger.machine, debugger.line, at)
    try:
        svg = machine_graph(debugger.machine, debugger.history, theme, direction, timeout).svg(inline=True)
    except SfnError as error:
        svg = f"<p>{escape(str(error))}</p>"
    return {"text/html": _html(debugger, where, svg), "text/plain": f"{headline(debugger, where)}\n{where}"}


def headline(debugger: Debugger, where: Where) -> str:
    """Say in one line where a debugger stands."""
    nowhere = (
        "the end" if debugger.finished else "before the first state" if debugger.position <= 1 else "between states"
    )
    at = f'"{where.state}" ({where.type})' if where.state else nowhere
    path = f" in {where.path}" if where.path else ""
    why = _WHY.get(debugger.reason, "")
    parts = [debugger.machine.name, debugger.status if debugger.finished else "stopped"]
    parts += [f"event {debugger.position} of {debugger.length}", at + path]
    return " · ".join([*parts, *([why] if why else [])])


def _html(debugger: Debugger, where: Where, svg: str) -> str:
    rows = "".join(
        f"<tr><th{_LEFT}>{escape(name)}</th><td{_LEFT}><div{_CODE}>{escape(text)}</div></td></tr>"
        for name, text in _rows(where)
    )
    table = f'<table style="display:table"><thead><tr><th{_LEFT}>stage</th><th{_LEFT}>data</th></tr></thead><tbody>{rows}</tbody></table>'
    body = f'<div style="display:flex;flex-wrap:wrap;gap:1em"><div>{svg}</div><div style="flex:1 1 20em;min-width:0">{table}</div></div>'
    return f'<div class="sfnd-still mathjax_ignore"><p><b>{escape(headline(debugger, where))}</b></p>{body}</div>'


def _rows(where: Where) -> Iterator[tuple[str, str]]:
    if where.error is not None:
        yield "error", f"{where.error}: {where.cause or ''}"
    for stage in where.stages:
        yield stage.name, _short(stage.value)
    if not where.stages:
        yield "data", _short(where.data)
    if where.variables:
        yield "variables", _short(where.variables)
    for task in where.pending:
        yield "waits for", str(task)
    for call in where.calls:
        if call.traceback:
            yield "the handler raised", call.traceback
        if call.printed:
            yield "the handler printed", call.printed


def _short(value: Json) -> str:
    text = json_text(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text):,} characters)"
