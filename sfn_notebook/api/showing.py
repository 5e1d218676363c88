"""How histories and batches of executions show themselves.

A history is shown like a run: status line, picture, table of visits. The picture is the graph with the history laid over it where the
machine is known, else the timeline. Many executions are a line that counts them, what went wrong in getting them, and a table. What a
picture costs never costs the result: without one the rest is shown, with the reason.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from sfn_notebook.api import pictures
from sfn_notebook.errors import SfnError
from sfn_notebook.history.trend import words
from sfn_notebook.render import html, text
from sfn_notebook.render.canvas import utc

if TYPE_CHECKING:
    from sfn_notebook.api.execution import Execution
    from sfn_notebook.api.executions import Executions
    from sfn_notebook.api.history import History
    from sfn_notebook.api.machine import StateMachine

MOST_ROWS = 10
"""Executions that a table shows; `table` has them all."""


@dataclass(frozen=True)
class _Named:
    name: str


@dataclass(frozen=True)
class _LikeARun:
    """A history in the place of the run that it tells of: nothing waits, and no handler was called here."""

    history: History
    machine: _Named
    calls: Sequence[Any] = ()

    @property
    def status(self) -> str:
        return self.history.status if len(self.history) or self.history.status != "SUCCEEDED" else "RUNNING"

    @property
    def error(self) -> str | None:
        return self.history.overview.error

    @property
    def cause(self) -> str | None:
        return self.history.overview.cause


def history_bundle(
    history: History,
    machine: StateMachine | None = None,
    kinds: Collection[str] | None = None,
    *,
    theme: str = "auto",
    note: str | None = None,
) -> dict[str, str]:
    """Show a history.

    Args:
        history: the history.
        machine: the machine that it is laid over; without one the timeline is drawn.
        kinds: mime types wanted; all by default.
        theme: "auto", "light" or "dark".
        note: what the reader should know besides.
    """
    wanted = kinds or pictures.ALL_KINDS
    messages = [message for message in (history.notice, note) if message]
    bundle, svg, instead = dict[str, str](), None, None
    if set(wanted) - set(pictures.TEXT_ONLY) and history.visits:
        try:
            drawn: Any = (
                history.timeline(theme=theme) if machine is None else pictures.machine_graph(machine, history, theme)
            )
            svg, instead = drawn.svg(inline=True), getattr(drawn, "text", "") or getattr(drawn, "outline", "")
            if "image/svg+xml" in wanted:
                bundle["image/svg+xml"] = drawn.svg()
        except SfnError as error:
            messages.append(f"the picture is missing: {error}")
    name = " · ".join(filter(None, (machine.name if machine else "", history.name))) or "an execution"
    run = pictures.run_summary(cast("Execution", _LikeARun(history, _Named(name))), svg, messages)
    if "text/html" in wanted:
        bundle["text/html"] = html.run_html(run if instead is None else _with_text(run, instead))
    if "text/plain" in wanted:
        bundle["text/plain"] = text.run_text(run)
    return bundle


def _with_text(run: Any, instead: str) -> Any:
    from dataclasses import replace

    return replace(run, graph_text=instead)


def executions_bundle(executions: Executions, kinds: Collection[str] | None = None) -> dict[str, str]:
    """Show many executions: how many ended how, what is missing, and the first ones as a table."""
    wanted = kinds or ("text/plain", "text/html")
    bundle = dict[str, str]()
    frame = _frame(list(executions.by_name.items())[:MOST_ROWS])
    rest = len(executions) - MOST_ROWS
    more = f"… and {rest:,} more; .table has them all" if rest > 0 else ""
    if "text/plain" in wanted:
        shown = f"\n{frame.to_string(index=False)}" if len(frame) else ""
        bundle["text/plain"] = "\n".join(filter(None, (executions.headline, executions.message, shown, more)))
    if "text/html" in wanted:
        bundle["text/html"] = html.as_written("".join(_html(executions, frame, more)))
    return bundle


def _frame(histories: list[tuple[str, History]]) -> Any:
    """Write the rows as a reader wants them; `Executions.table` has the values."""
    import pandas as pd

    glances = [history.overview for _, history in histories]
    columns: dict[str, list[Any]] = {
        "execution": [name for name, _ in histories],
        "status": [glance.status for glance in glances],
        "started (UTC)": [f"{utc(glance.started):%Y-%m-%d %H:%M:%S}" if glance.started else "" for glance in glances],
        "duration": [words(glance.duration) if glance.duration is not None else "" for glance in glances],
        "events": [glance.events for glance in glances],
        "error": [glance.error or "" for glance in glances],
    }
    if not any(columns["error"]):
        del columns["error"]
    return pd.DataFrame(columns)


def _html(executions: Executions, frame: Any, more: str) -> Iterable[str]:
    yield f"<p><b>{html.escape(executions.headline)}</b></p>"
    if executions.message:
        yield f'<p style="white-space:pre-wrap">⚠ {html.escape(executions.message)}</p>'
    if len(frame):
        yield frame.to_html(index=False, escape=True, notebook=True, border=0)
    if more:
        yield f"<p>{html.escape(more)}</p>"
