"""The rule table: every kind of finding with its rule and its examples, and the page that documents it.

The examples are the rules' tests as well. A rule that is in no entry is never run.
"""

from __future__ import annotations

from sfn_notebook.asl.rule_entry import Entry
from sfn_notebook.asl.rulebook_content import CONTENT
from sfn_notebook.asl.rulebook_structure import STRUCTURE
from sfn_notebook.errors import Severity, caret

BOOK: tuple[Entry, ...] = STRUCTURE + CONTENT
_WIDTH = 120


def rules_page() -> str:
    """Write the rule table as a page of Markdown: what AWS refuses first, then what it accepts and you will regret."""
    parts = [
        "# What the checker finds",
        "",
        "Each entry shows a definition that has the problem, and one that has not.",
        "",
    ]
    heads = {
        Severity.ERROR: ("Errors", "AWS refuses a definition with one of these."),
        Severity.WARNING: ("Warnings", "AWS accepts these, and the workflow does something else than was meant."),
    }
    for severity, (head, text) in heads.items():
        parts += [f"## {head}", "", text, ""]
        for entry in BOOK:
            if entry.severity is severity:
                parts += _section(entry)
    return "\n".join(parts).rstrip() + "\n"


def _section(entry: Entry) -> list[str]:
    line, column = entry.place
    docs = (entry.rule.__doc__ or "").strip().split("\n")[0]
    kind = " (Express workflows)" if entry.workflow_type == "EXPRESS" else ""
    picture = caret(entry.wrong_text, line, column, width=_WIDTH)
    shown = [f"{i} | {_cut(text)}" for i, text in enumerate(entry.wrong_text.split("\n"), 1)]
    shown[line - 1] = picture
    parts = [f"### {entry.title}{kind}", "", f"`{entry.code}`: {docs}", "", "Wrong:", "", "```text", *shown, "```", ""]
    return [*parts, "Right:", "", "```json", *(_cut(text) for text in entry.right.split("\n")), "```", ""]


def _cut(line: str) -> str:
    return line if len(line) <= _WIDTH + 40 else line[:_WIDTH] + "…"
