"""The rule table: every kind of finding with its rule and its examples, and the page that documents it.

The examples are the rules' tests as well. A rule that is in no entry is never run.
"""

from __future__ import annotations

from collections.abc import Iterable

from sfn_notebook.asl.rule_entry import Entry
from sfn_notebook.asl.rulebook_content import CONTENT
from sfn_notebook.asl.rulebook_structure import STRUCTURE
from sfn_notebook.errors import Severity, caret

BOOK: tuple[Entry, ...] = STRUCTURE + CONTENT
_WIDTH = 120


HEADS = {
    Severity.ERROR: ("Errors", "AWS refuses a definition with one of these."),
    Severity.WARNING: ("Warnings", "AWS accepts these, and the workflow does something else than was meant."),
}


def rules_page(entries: Iterable[Entry] = BOOK) -> str:
    """Write the rule table as a page of Markdown: what AWS refuses first, then what it accepts and you will regret."""
    parts = [
        "# What the checker finds",
        "",
        "Each entry shows a definition that has the problem, and one that has not.",
        "",
    ]
    table = list(entries)
    for severity, (head, about) in HEADS.items():
        found = [entry for entry in table if entry.severity is severity]
        parts += [f"## {head}", "", about, ""] if found else []
        for entry in found:
            parts += _section(entry)
    return "\n".join(parts).rstrip() + "\n"


def summary(entry: Entry) -> str:
    """Say in a line what the rule of an entry asks for."""
    kind = "Express workflows: " if entry.workflow_type == "EXPRESS" else ""
    return kind + (entry.rule.__doc__ or "").strip().split("\n")[0]


def shown_wrong(entry: Entry) -> str:
    """Give the wrong example with its line numbers and a caret at the place."""
    line, column = entry.place
    shown = [f"{i} | {_cut(text)}" for i, text in enumerate(entry.wrong_text.split("\n"), 1)]
    shown[line - 1] = caret(entry.wrong_text, line, column, width=_WIDTH)
    return "\n".join(shown)


def _section(entry: Entry) -> list[str]:
    head = [f"### {entry.title}", "", f"`{entry.code}`: {summary(entry)}", ""]
    wrong = ["Wrong:", "", "```text", shown_wrong(entry), "```", ""]
    return [*head, *wrong, "Right:", "", "```json", *(_cut(text) for text in entry.right.split("\n")), "```", ""]


def _cut(line: str) -> str:
    return line if len(line) <= _WIDTH + 40 else line[:_WIDTH] + "…"
