"""Results as HTML: a status line, the graph, and a table of state visits that unfolds.

Owns the markup and its style. Everything that comes from a definition, a payload, a handler or an error is text: it enters only
through `escape`. There is no script; unfolding is `<details>`. Colours come from JupyterLab's variables, with fallbacks for
pages that lack them, and a status always has a mark and a word.
"""

from __future__ import annotations

import html as _html
from collections.abc import Iterator

from sfn_notebook.render import summary as _summary
from sfn_notebook.render.labels import visible
from sfn_notebook.render.overlay import status_of
from sfn_notebook.render.summary import AttemptRow, RunSummary, VisitRow
from sfn_notebook.render.theme import DARK, LIGHT, RETRIED, Status, Theme

__all__ = [
    "AS_WRITTEN",
    "AttemptRow",
    "RunSummary",
    "VisitRow",
    "as_written",
    "escape",
    "graph_html",
    "message_html",
    "run_html",
]

DARK_PAGES = (
    '[data-jp-theme-light="false"]',
    ".vscode-dark",
    ".vscode-high-contrast",
    'html[theme="dark"]',
    'html[data-theme="dark"]',
)
"""Marks of a dark page: JupyterLab, VS Code, Colab, Sphinx themes."""

AS_WRITTEN = "mathjax_ignore"
"""Class of what a page may not typeset: between two dollar signs, JSONPaths and prices look like formulas."""

_LEFT = ' style="text-align:left"'
"""JupyterLab aligns cells to the right unless told otherwise, also where it strips our style sheet."""

_ROLES = {
    Status.SUCCEEDED: "succeeded",
    Status.FAILED: "failed",
    Status.CAUGHT: "caught",
    Status.RUNNING: "running",
    Status.WAITING: "waiting",
    Status.ABORTED: "aborted",
    Status.NOT_REACHED: "not-reached",
}

_STYLE = """
.sfn-run{color:var(--jp-content-font-color1,var(--sfn-text));font-family:var(--jp-content-font-family,system-ui,sans-serif);
font-size:var(--jp-content-font-size1,14px);line-height:1.4;max-width:100%}
.sfn-run .sfn-head{display:flex;flex-wrap:wrap;align-items:baseline;gap:.3em .8em;margin:.2em 0 .5em}
.sfn-run .sfn-badge{border:1px solid;border-radius:3px;padding:0 .5em;font-weight:600;white-space:nowrap;color:var(--sfn-text)}
.sfn-run .sfn-name{font-weight:600;unicode-bidi:isolate;overflow-wrap:anywhere}
.sfn-run .sfn-meta{color:var(--jp-content-font-color2,var(--sfn-muted))}
.sfn-run .sfn-error{border-left:3px solid var(--sfn-failed-line);padding:.2em .7em;margin:.4em 0;overflow-wrap:anywhere}
.sfn-run .sfn-note{border-left:3px solid var(--sfn-running-line);padding:.2em .7em;margin:.4em 0;overflow-wrap:anywhere}
.sfn-run pre.sfn-pre{font-family:var(--jp-code-font-family,monospace);font-size:12px;line-height:1.35;white-space:pre-wrap;
overflow-wrap:anywhere;max-height:22em;overflow:auto;margin:.3em 0;padding:.4em .6em;color:inherit;text-align:left;
background:var(--jp-layout-color2,var(--sfn-pass-fill));border-radius:3px}
.sfn-run .sfn-scroll{overflow-x:auto;max-width:100%}
.sfn-run table.sfn-visits{border-collapse:collapse;margin:.5em 0;font-size:12px;width:auto;min-width:60%;table-layout:auto;border:0}
.sfn-run table.sfn-visits th,.sfn-run table.sfn-visits td{text-align:left;vertical-align:top;padding:.25em .5em .25em .3em;max-width:none;
white-space:normal;border:0;border-bottom:1px solid var(--jp-border-color2,var(--sfn-branch-line));background:transparent;color:inherit}
.sfn-run table.sfn-visits tr{background:transparent}
.sfn-run table.sfn-visits th{font-weight:600;color:var(--jp-content-font-color2,var(--sfn-muted));white-space:nowrap}
.sfn-run table.sfn-visits td.sfn-number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.sfn-run table.sfn-visits td.sfn-word{white-space:nowrap}
.sfn-run table.sfn-visits td.sfn-what{unicode-bidi:isolate;overflow-wrap:break-word}
.sfn-run table.sfn-visits td.sfn-where{max-width:9em;min-width:6em;overflow-wrap:anywhere;font-size:.92em}
.sfn-run table.sfn-visits td.sfn-payload{min-width:8em;max-width:24em}
.sfn-run summary{cursor:pointer}
.sfn-run td summary{font-family:var(--jp-code-font-family,monospace);white-space:nowrap}
.sfn-run .sfn-dot{display:inline-block;min-width:1.3em;text-align:center;border-radius:3px;border:1px solid;margin-right:.1em;color:var(--sfn-text)}
"""

_GRAPH_STYLE = (
    ".sfn-graph-box>.sfn-graph{display:block!important;overflow:auto;max-width:100%;max-height:85vh}"
    ".sfn-graph-box>.sfn-instead{display:none!important}@media print{.sfn-graph-box>.sfn-graph{max-height:none}}"
)
"""A picture never takes more than the screen; what does not fit scrolls. Without this style the hidden picture stays hidden."""


def escape(text: object) -> str:
    """Write plain text so that HTML shows it as it is, inside elements and attributes; forbidden characters become visible."""
    return _html.escape(visible(str(text)), quote=True)


def as_written(html: str) -> str:
    """Put HTML into a block in which dollar signs stay dollar signs."""
    return f'<div class="{AS_WRITTEN}">{html}</div>'


def graph_html(svg: str, text: str = "") -> str:
    """Put an inline SVG, as `svg.themed_svg` writes it, into a box that keeps within the cell.

    Where a page strips SVG and style, as JupyterLab does in a notebook that is not trusted, `text` is what remains.
    """
    rest = escape(
        text or "the graph is not shown here, because this page strips pictures; trust the notebook to see it"
    )
    return (
        f'<div class="sfn-graph-box {AS_WRITTEN}"><style>{_GRAPH_STYLE}</style><div class="sfn-graph" hidden="hidden" style="display:none">{svg}</div>'
        f'<pre class="sfn-instead">{rest}</pre></div>'
    )


def message_html(message: str, text: str = "") -> str:
    """Show a message where a picture could not be drawn, with the text that stands for it."""
    detail = f"<pre>{escape(text)}</pre>" if text else ""
    return f'<div class="sfn-message {AS_WRITTEN}"><p>{escape(message)}</p>{detail}</div>'


def run_html(run: RunSummary) -> str:
    """Show a run: status line, error, messages, the overlaid graph, the table of visits, the output."""
    parts = [f'<div class="sfn-run {AS_WRITTEN}"><style>{_style()}</style>', *_head(run)]
    parts += [f'<div class="sfn-note">{_pre_line(message)}</div>' for message in run.messages]
    if run.graph_svg is not None:
        parts.append(graph_html(run.graph_svg, run.graph_text or ""))
    if run.visits:
        parts += _table(run)
    if run.output is not None:
        parts.append(_details(f"output · {_summary.size_text(len(run.output))}", run.output, 20_000))
    return "".join([*parts, "</div>"])


def _head(run: RunSummary) -> Iterator[str]:
    count = len(run.visits)
    meta = [f"{count:,} state visit{'' if count == 1 else 's'}", f"{run.events:,} events" if run.events else ""]
    meta.append(_summary.duration_text(run.duration))
    yield f'<div class="sfn-head">{_badge(run.status)} <span class="sfn-name">{escape(run.name)}</span> '
    yield f'<span class="sfn-meta">{escape(" · ".join(part for part in meta if part))}</span></div>'
    if run.error or run.cause:
        cause = f"<br>{_pre_line(_cut(run.cause))}" if run.cause else ""
        yield f'<div class="sfn-error"><b>{escape(run.error or "no error name")}</b>{cause}</div>'


def _pre_line(text: str) -> str:
    return f'<span style="white-space:pre-wrap">{escape(text)}</span>'


def _cut(text: str, limit: int = 4000) -> str:
    return text if len(text) <= limit else f"{text[:limit]} … cut; {_summary.size_text(len(text))} in all"


def _badge(status: str) -> str:
    role = _ROLES[status_of(status)]
    look = f"background:var(--sfn-{role}-fill);border-color:var(--sfn-{role}-line)"
    return f'<span class="sfn-badge" style="{look}">{_summary.mark(status)} {escape(status)}</span>'


def _table(run: RunSummary) -> Iterator[str]:
    titles = ["#", "state", "type", "in", "status", "duration", "attempts", "input", "output"]
    placed = any(visit.place for visit in run.visits)
    heads = "".join(f"<th>{title}</th>" for title in titles if placed or title != "in")
    yield f'<div class="sfn-scroll"><table class="sfn-visits"><thead><tr>{heads}</tr></thead><tbody>'
    numbers = {id(visit): number for number, visit in enumerate(run.visits, 1)}
    limit = 8_000 if len(run.visits) <= 30 else 2_000
    columns = len(titles) - (not placed)
    for row in _summary.shown_rows(run.visits):
        if isinstance(row, int):
            yield f'<tr><td colspan="{columns}" class="sfn-meta">{escape(_summary.left_out(row))}</td></tr>'
        else:
            yield from _row(row, numbers[id(row)], limit, columns, placed=placed)
    yield "</tbody></table></div>"


def _row(visit: VisitRow, number: int, limit: int, columns: int, *, placed: bool) -> Iterator[str]:
    role = _ROLES[status_of(visit.status)]
    dot = f'<span class="sfn-dot" style="background:var(--sfn-{role}-fill);border-color:var(--sfn-{role}-line)">{_summary.mark(visit.status)}</span>'
    tries = (
        f"{RETRIED} {visit.tries}"
        if visit.tries > 1
        else str(visit.tries)
        if visit.type in {"Task", "Map", "Parallel"}
        else ""
    )
    where = f'<td class="sfn-what sfn-where"{_LEFT}>{escape(visit.place)}</td>' if placed else ""
    yield (
        f'<tr><td class="sfn-number">{number}</td><td class="sfn-what"{_LEFT}><b>{escape(visit.name)}</b></td>'
        f'<td class="sfn-word"{_LEFT}>{escape(visit.type)}</td>{where}<td class="sfn-word"{_LEFT}>{dot} {escape(visit.status.lower().replace("_", " "))}</td>'
        f'<td class="sfn-number">{escape(_summary.duration_text(visit.duration))}</td><td class="sfn-number">{tries}</td>'
        f'<td class="sfn-payload"{_LEFT}>{_payload(visit.input, limit)}</td><td class="sfn-payload"{_LEFT}>{_payload(visit.output, limit)}</td></tr>'
    )
    more = "".join(_happened(visit))
    if more:
        yield f'<tr><td></td><td colspan="{columns - 1}"{_LEFT}>{more}</td></tr>'


def _happened(visit: VisitRow) -> Iterator[str]:
    """Give what the columns have no room for: errors, prints and exceptions, per attempt."""
    if visit.error and not any(attempt.error == visit.error for attempt in visit.attempts):
        yield f"<div><b>{escape(visit.error)}</b> {_pre_line(_cut(visit.cause or '', 600))}</div>"
    for attempt in visit.attempts:
        if not (attempt.error or attempt.printed or attempt.exception):
            continue
        words = [
            f"attempt {attempt.number}",
            f"{_summary.mark(attempt.status)} {attempt.status.lower().replace('_', ' ')}",
        ]
        words += [_summary.duration_text(attempt.duration), attempt.error or ""]
        yield f"<div>{escape(' · '.join(word for word in words if word))} {_pre_line(_cut(attempt.cause or '', 600))}</div>"
        if attempt.printed:
            yield _details("printed", attempt.printed, 8_000, is_open=len(attempt.printed) < 400)
        if attempt.exception:
            yield _details("exception in the handler", attempt.exception, 8_000)


def _payload(payload: str | None, limit: int) -> str:
    if payload is None:
        return ""
    short = _summary.preview(payload, 18)
    if short == payload:
        return f'<span style="font-family:var(--jp-code-font-family,monospace)">{escape(payload)}</span>'
    size = f" · {_summary.size_text(len(payload))}" if len(payload) > 1024 else ""
    return _details(short + size, payload, limit)


def _details(title: str, text: str, limit: int, *, is_open: bool = False) -> str:
    opened = " open" if is_open else ""
    return f'<details{opened}><summary>{escape(title)}</summary><pre class="sfn-pre">{escape(_summary.pretty(text, limit))}</pre></details>'


def _style() -> str:
    dark = ",".join(f"{page} .sfn-run" for page in DARK_PAGES)
    return f".sfn-run{{{_variables(LIGHT)}}}{dark}{{{_variables(DARK)}}}" + _STYLE.replace("\n", "")


def _variables(theme: Theme) -> str:
    roles = ["text", "muted", "pass-fill", "branch-line"] + [
        f"{role}-{part}" for role in _ROLES.values() for part in ("fill", "line")
    ]
    return ";".join(f"--sfn-{role}:{theme[role]}" for role in roles)
