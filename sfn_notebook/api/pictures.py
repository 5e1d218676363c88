"""What machines and executions look like: graphs, run summaries and the mime bundles of the rich displays.

Joins history and render: visits of a history become the overlay of a graph and the rows of a table, the records of handler calls
become what each attempt printed and raised. It decides nothing about looks, which is `render`'s, and nothing about what happened,
which is `history`'s. A graph that cannot be drawn never costs the result: everything else is shown, with the reason.

A bundle holds `text/plain`, `text/html` (follows the page's theme) and `image/svg+xml` (for places that show only images). Where
only text is wanted, as in a terminal, nothing is drawn.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sfn_notebook.asl.rules_advice import ADVICE
from sfn_notebook.errors import CommandError, Diagnostic, Json, Severity, SfnError
from sfn_notebook.history.events import TERMINAL, details
from sfn_notebook.history.places import place_text
from sfn_notebook.history.records import Attempt, Visit
from sfn_notebook.render import html, text
from sfn_notebook.render.dot import dot_source
from sfn_notebook.render.graphviz_engine import TIMEOUT, render_dot
from sfn_notebook.render.look import Findings
from sfn_notebook.render.overlay import Overlay, overlay_from_visits
from sfn_notebook.render.summary import AttemptRow, RunSummary, VisitRow
from sfn_notebook.render.svg import themed_svg
from sfn_notebook.render.theme import AUTO, DARK, LIGHT, Theme
from sfn_notebook.sim.handlers import CallRecord
from sfn_notebook.sim.outcomes import TaskError
from sfn_notebook.strictjson import json_text

if TYPE_CHECKING:
    from sfn_notebook.api.execution import Execution
    from sfn_notebook.api.history import History
    from sfn_notebook.api.machine import StateMachine
    from sfn_notebook.render.digraph import StateGraph

THEMES = {"auto": AUTO, "light": LIGHT, "dark": DARK}
DIRECTIONS = ("TB", "LR")
ALL_KINDS = ("text/plain", "text/html", "image/svg+xml")
TEXT_ONLY = ("text/plain",)

_BUGS = (NameError, AttributeError, TypeError, SyntaxError, ImportError, AssertionError, RecursionError)
"""Exceptions that are mistakes in a handler more often than simulated failures."""


# --- graphs --------------------------------------------------------------------------------------------------------------


def machine_graph(
    machine: StateMachine,
    history: History | None = None,
    theme: str = "auto",
    direction: str = "TB",
    timeout: float = TIMEOUT,
    *,
    marks: bool = False,
) -> StateGraph:
    """Draw a machine, with a run laid over it where a history is given, or with `marks` on the states in which the checker finds something.

    Raises:
        CommandError: there is no such theme or direction.
    """
    from sfn_notebook.render.digraph import make_digraph

    look = chosen_theme(theme)
    way = _chosen(direction, DIRECTIONS, "direction")
    overlay = None if history is None else run_overlay(history)
    title = f"state machine {machine.name}" + ("" if history is None else f", a run that is {_status(history)}")
    return make_digraph(
        dot_source(machine.definition, overlay, theme=look, direction=way, found=findings(machine) if marks else None),
        title=title,
        outline=text.outline(machine.definition, overlay, title=machine.name),
        theme=look,
        timeout=timeout,
    )


def findings(machine: StateMachine) -> dict[str, Findings]:
    """Give what the checker finds, without general advice, by the pointer of the innermost state in which it is."""
    from sfn_notebook.asl.topology import topology

    states = topology(machine.definition).by_pointer
    found: dict[str, list[list[str]]] = {}
    for diagnostic in machine.diagnostics:
        pointer = diagnostic.pointer
        while pointer and pointer not in states:
            pointer = pointer.rpartition("/")[0]
        if pointer and diagnostic.code not in ADVICE:
            found.setdefault(pointer, [[], []])[diagnostic.severity is not Severity.ERROR].append(diagnostic.message)
    return {pointer: Findings(tuple(errors), tuple(warnings)) for pointer, (errors, warnings) in found.items()}


def run_overlay(history: History) -> Overlay:
    """Reduce a history to what a drawing shows of it."""
    return overlay_from_visits(history.visits, status=_status(history))


def chosen_theme(name: str) -> Theme:
    """Give the theme of this name, or say which there are."""
    return THEMES[_chosen(name, tuple(THEMES), "theme")]


def _chosen(value: str, known: Sequence[str], what: str) -> str:
    if value in known:
        return value
    close = difflib.get_close_matches(str(value), known, n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    raise CommandError(f"{what} is one of {', '.join(map(repr, known))}, but found {value!r}{hint}")


def _status(history: History) -> str:
    return TERMINAL.get(history.raw[-1].get("type", ""), "RUNNING") if len(history) else "RUNNING"


# --- machines ------------------------------------------------------------------------------------------------------------


def machine_bundle(
    machine: StateMachine,
    *,
    theme: str = "auto",
    direction: str = "TB",
    timeout: float = TIMEOUT,
    kinds: Collection[str] = ALL_KINDS,
) -> dict[str, str]:
    """Show a machine: its diagnostics in one line each, then its graph.

    Args:
        machine: the machine.
        theme: "auto", "light" or "dark".
        direction: "TB" or "LR".
        timeout: seconds after which drawing is given up.
        kinds: mime types wanted.
    """
    lines = diagnostic_lines(machine.diagnostics)
    if not set(kinds) - set(TEXT_ONLY):
        outline = text.outline(machine.definition, title=machine.name)
        return {"text/plain": "\n".join([*lines, outline])}
    graph = machine_graph(machine, None, theme, direction, timeout, marks=True)
    bundle = graph._repr_mimebundle_(include=kinds)
    if lines and "text/plain" in bundle:
        bundle["text/plain"] = "\n".join([*lines, bundle["text/plain"]])
    if lines and "text/html" in bundle:
        bundle["text/html"] = f"<pre>{html.escape(chr(10).join(lines))}</pre>{bundle['text/html']}"
    return bundle


def diagnostic_lines(diagnostics: Sequence[Diagnostic], limit: int = 10) -> list[str]:
    """Write diagnostics compactly, a line each, errors first; general advice is only counted."""
    told = [d for d in diagnostics if d.code not in ADVICE]
    ordered = sorted(told, key=lambda diagnostic: diagnostic.severity is not Severity.ERROR)
    lines = [f"{'✖' if d.severity is Severity.ERROR else '⚠'} {d}" for d in ordered[:limit]]
    if len(ordered) > limit:
        lines.append(f"… and {len(ordered) - limit} more")
    if advice := len(diagnostics) - len(told):
        lines.append(f"ⓘ {advice} {'piece' if advice == 1 else 'pieces'} of advice: %sfn check NAME tells")
    return lines


# --- runs ----------------------------------------------------------------------------------------------------------------


def execution_bundle(
    execution: Execution,
    *,
    theme: str = "auto",
    direction: str = "TB",
    timeout: float = TIMEOUT,
    kinds: Collection[str] = ALL_KINDS,
) -> dict[str, str]:
    """Show a run: status line, graph with the run laid over it, table of visits with what handlers printed and raised.

    Args:
        execution: the run.
        theme: "auto", "light" or "dark".
        direction: "TB" or "LR".
        timeout: seconds after which drawing the graph is given up; the rest is shown all the same.
        kinds: mime types wanted.
    """
    messages = list(_messages(execution))
    bundle, svg = dict[str, str](), None
    if set(kinds) - set(TEXT_ONLY):
        try:
            graph = machine_graph(execution.machine, execution.history, theme, direction, timeout)
            raw = render_dot(graph.source, "svg", timeout=timeout)
            svg = themed_svg(raw, title=graph.title, inline=True, theme=graph.theme)
            if "image/svg+xml" in kinds:
                bundle["image/svg+xml"] = themed_svg(raw, title=graph.title, theme=graph.theme)
        except SfnError as error:
            messages.append(f"the graph is missing: {error}")
    summary = run_summary(execution, svg, messages)
    if "text/html" in kinds:
        bundle["text/html"] = html.run_html(summary)
    if "text/plain" in kinds:
        bundle["text/plain"] = text.run_text(summary)
    return bundle


def run_summary(execution: Execution, graph_svg: str | None = None, messages: Sequence[str] = ()) -> RunSummary:
    """Collect what the display of a run shows, as plain data."""
    history = execution.history
    visits = history.visits
    calls: dict[int, list[CallRecord]] = {}
    for record in execution.calls:
        calls.setdefault(record.task, []).append(record)
    ended = execution.status != "RUNNING"
    return RunSummary(
        status=execution.status,
        name=execution.machine.name,
        started=history.raw[0].get("timestamp") if len(history) else None,
        ended=history.raw[-1].get("timestamp") if ended and len(history) else None,
        error=execution.error,
        cause=execution.cause,
        output=_payload_text(history) if execution.status == "SUCCEEDED" else None,
        visits=[_visit_row(visit, calls) for visit in visits],
        events=len(history),
        graph_svg=graph_svg,
        messages=tuple(messages),
    )


def _payload_text(history: History) -> str | None:
    found: Any = details(history.raw[-1]).get("output")
    return found if found is None or isinstance(found, str) else json_text(found)


def _visit_row(visit: Visit, calls: dict[int, list[CallRecord]]) -> VisitRow:
    return VisitRow(
        name=visit.name,
        type=visit.type,
        status=visit.status,
        place=place_text(visit.place),
        duration=None if visit.duration is None else visit.duration.total_seconds(),
        attempts=[_attempt_row(attempt, calls.get(attempt.event, ())) for attempt in visit.task_attempts],
        tries=visit.attempts,
        input=visit.input_text,
        output=visit.output_text,
        error=visit.error,
        cause=visit.cause,
        id=visit.id,
    )


def _attempt_row(attempt: Attempt, records: Sequence[CallRecord]) -> AttemptRow:
    span = attempt.ended - attempt.scheduled if attempt.ended and attempt.scheduled else None
    return AttemptRow(
        number=attempt.number,
        status=attempt.status,
        duration=None if span is None else span.total_seconds(),
        error=attempt.error,
        cause=_readable(attempt.cause),
        printed="".join(record.printed for record in records),
        # a TaskError was meant: its error and cause tell all, a traceback would only frighten
        exception="".join(r.traceback for r in records if r.exception and not isinstance(r.exception, TaskError)),
    )


def _readable(cause: str | None) -> str | None:
    """Give the message inside the JSON that Lambda writes as the cause of a function's error."""
    if cause and cause.startswith("{") and '"errorMessage"' in cause:
        found = _object(cause).get("errorMessage")
        return found if isinstance(found, str) else cause
    return cause


def _object(source: str) -> dict[str, Json]:
    import json

    try:
        found = json.loads(source)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _messages(execution: Execution) -> Iterator[str]:
    """Say what the run waits for, and which handlers look broken though the workflow dealt with it."""
    for task in execution.pending[:3]:
        yield (
            f'state "{task.state}" waits for an answer from outside: send_task_success({task.token!r}, output), '
            "send_task_failure(token, error, cause), or advance(seconds) until it times out"
        )
    if len(execution.pending) > 3:
        yield f"… and {len(execution.pending) - 3} more tasks wait; see .pending"
    seen = dict.fromkeys(
        f'the handler of state "{record.state}" raised {type(record.exception).__name__}: {record.exception}'
        for record in execution.calls
        if isinstance(record.exception, _BUGS) and type(record.exception).__name__ != execution.error
    )
    yield from list(seen)[:3]
