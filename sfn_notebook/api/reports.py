"""What verbs answer with, besides machines and executions: help and notes, lists of machines, checks, differences.

Plain data with a `text/plain` and a `text/html` form, so that a notebook shows them, Python code can read them, and the command line
prints them. Texts come from definitions and are escaped. Nothing here reads files or runs anything.
"""

from __future__ import annotations

import difflib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sfn_notebook.errors import CommandError, Diagnostic, Json, Severity, caret
from sfn_notebook.render.html import as_written, escape

if TYPE_CHECKING:
    import pandas as pd

    from sfn_notebook.api.machine import StateMachine
    from sfn_notebook.asl.rule_entry import Entry

_PRE = "white-space:pre;overflow-x:auto;line-height:1.35;margin:.4em 0"
_WRAPPED = (
    "white-space:pre-wrap;font-family:var(--jp-code-font-family,monospace);font-size:var(--jp-code-font-size,13px)"
)
_DIFF_COLOURS = {"+": "var(--jp-success-color1,#008a64)", "-": "var(--jp-error-color1,#cc5500)"}


class Shown(ABC):
    """Something that shows itself as text, and as HTML where a page can show that."""

    @property
    @abstractmethod
    def text(self) -> str:
        """Give the plain text."""

    @property
    def html(self) -> str:
        """Give the HTML."""
        return f'<pre style="{_PRE}">{escape(self.text)}</pre>'

    def __str__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, **_kinds: Any) -> dict[str, str]:
        return {"text/plain": self.text, "text/html": as_written(self.html)}


@dataclass(frozen=True)
class Text(Shown):
    """A help text or a note."""

    content: str

    @property
    def text(self) -> str:
        """Give the text itself."""
        return self.content


@dataclass(frozen=True)
class MachineList(Shown):
    """Machines by name.

    Attributes:
        rows: one object a machine: name, variable, states, errors, warnings.
    """

    rows: tuple[dict[str, Json], ...]

    HEADS = ("name", "variable", "states", "errors", "warnings")

    def __iter__(self) -> Iterator[dict[str, Json]]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def _cells(self) -> list[list[str]]:
        return [["" if row[head] is None else str(row[head]) for head in self.HEADS] for row in self.rows]

    @property
    def text(self) -> str:
        """Give an aligned table."""
        if not self.rows:
            return "no machines yet: define one with %%sfn NAME, or load one with %sfn load FILE"
        cells = [list(self.HEADS), *self._cells()]
        sizes = [max(len(row[column]) for row in cells) for column in range(len(self.HEADS))]
        return "\n".join(
            "  ".join(f"{cell:{size}}" for cell, size in zip(row, sizes, strict=True)).rstrip() for row in cells
        )

    @property
    def html(self) -> str:
        """Give a table."""
        if not self.rows:
            return super().html
        heads = "".join(f"<th>{head}</th>" for head in self.HEADS)
        rows = ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in self._cells()]
        return (
            f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(f'<tr>{row}</tr>' for row in rows)}</tbody></table>"
        )


@dataclass(frozen=True)
class CheckReport(Shown):
    """What is wrong with a definition.

    Attributes:
        name: of the machine or file.
        diagnostics: sorted by position.
        source: the text that the positions refer to, or None.
        strict: warnings count as errors.
        path: of the file, where it is not the name.
        machine: which one of the file it is, where it holds several.
        lines: the line of the file for each line of the source, where they differ; then columns differ too.
    """

    name: str
    diagnostics: tuple[Diagnostic, ...]
    source: str | None = field(default=None, repr=False)
    strict: bool = False
    path: str | None = None
    machine: str | None = None
    lines: tuple[int, ...] | None = field(default=None, repr=False)

    @property
    def errors(self) -> int:
        """Count the errors."""
        return sum(d.severity is Severity.ERROR for d in self.diagnostics)

    @property
    def warnings(self) -> int:
        """Count the warnings."""
        return len(self.diagnostics) - self.errors

    @property
    def ok(self) -> bool:
        """Say whether AWS would take the definition (strictly: whether nothing at all was found)."""
        return not (self.diagnostics if self.strict else self.errors)

    def __bool__(self) -> bool:
        return self.ok

    @property
    def text(self) -> str:
        """Give each problem with the line that it is in, and a last line that counts."""
        told = (f"{head}\n{picture}" if picture else head for head, picture in self._told())
        return "\n".join([*told, self.summary])

    @property
    def html(self) -> str:
        """Give the same; long messages are broken, lines of the definition are not."""
        shown = (
            f'<div style="{_WRAPPED}">{escape(head)}</div>'
            + (f'<pre style="{_PRE}">{escape(picture)}</pre>' if picture else "")
            for head, picture in self._told()
        )
        return "".join([*shown, f'<div style="{_WRAPPED}">{escape(self.summary)}</div>'])

    def _told(self) -> Iterator[tuple[str, str]]:
        """Give each problem in a line, and the line that it is in with a caret."""
        for diagnostic in self.diagnostics:
            place = f"{diagnostic.line}:{diagnostic.column}: " if diagnostic.line else ""
            about = str(diagnostic).removeprefix(place)
            picture = caret(self.source, diagnostic.line, diagnostic.column, diagnostic.length) if self.source else ""
            yield f"{self.name}:{place or ' '}{about}", picture

    @property
    def summary(self) -> str:
        """Give one line that counts what was found."""
        if not self.diagnostics:
            return f"✔ {self.name}: no problems found"
        counts = [_count(self.errors, "error"), _count(self.warnings, "warning")]
        return f"{'✔' if self.ok else '✖'} {self.name}: {', '.join(count for count in counts if count)}"

    @property
    def frame(self) -> pd.DataFrame:
        """The problems, one row each, sorted by position: severity, code, message, hint, line, column, pointer."""
        import pandas as pd

        from sfn_notebook.api.analysis import OURS

        names = ["severity", "code", "message", "hint", "line", "column", "pointer"]
        found = pd.DataFrame([diagnostic_json(d) for d in self.diagnostics], columns=names)
        found = found.astype({"line": "Int64", "column": "Int64"})
        found.attrs[OURS] = True
        return found

    def as_json(self) -> dict[str, Json]:
        """Give plain data."""
        return {"name": self.name, "ok": self.ok, "diagnostics": [diagnostic_json(d) for d in self.diagnostics]}

    def as_github(self) -> str:
        """Give the workflow commands that annotate a pull request on GitHub."""
        return "\n".join(self._annotation(diagnostic) for diagnostic in self.diagnostics)

    def _annotation(self, found: Diagnostic) -> str:
        kind = "error" if found.severity is Severity.ERROR else "warning"
        message = found.message + (f" ({found.hint})" if found.hint else "")
        title = found.code if self.machine is None else f"{found.code} in {self.machine}"
        file = _property(self.path or self.name)
        return f"::{kind} file={file}{self._place(found)},title={_property(title)}::{_data(message)}"

    def _place(self, found: Diagnostic) -> str:
        if not found.line:
            return ""
        if self.lines is None:
            return f",line={found.line},col={found.column}"
        return f",line={self.lines[found.line - 1]}" if found.line <= len(self.lines) else ""


@dataclass(frozen=True)
class RuleList(Shown):
    """Rules of the checker, each with a definition that has the problem and one that has not."""

    entries: tuple[Entry, ...] = field(repr=False)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def text(self) -> str:
        """Give a page of Markdown."""
        from sfn_notebook.asl.rulebook import rules_page

        return rules_page(self.entries)

    @property
    def html(self) -> str:
        """Give a list that unfolds."""
        return "".join(self._sections())

    def _sections(self) -> Iterator[str]:
        from sfn_notebook.asl.rulebook import HEADS, shown_wrong, summary

        for severity, (head, about) in HEADS.items():
            entries = [entry for entry in self.entries if entry.severity is severity]
            if not entries:
                continue
            yield f"<p><b>{head}</b> ({len(entries)}): {escape(about)}</p>"
            for entry in entries:
                yield f"<details><summary>{escape(entry.title)} <code>{escape(entry.code)}</code></summary><p>{escape(summary(entry))}</p>"
                yield f'<p>Wrong:</p><pre style="{_PRE}">{escape(shown_wrong(entry))}</pre>'
                yield f'<p>Right:</p><pre style="{_PRE}">{escape(entry.right)}</pre></details>'


def rules(word: str = "") -> RuleList:
    """Give the rules of the checker, or those that have a word in their code, title or message.

    Raises:
        CommandError: no rule has it.
    """
    from sfn_notebook.asl.rulebook import BOOK

    wanted = word.lower()
    found = tuple(e for e in BOOK if wanted in f"{e.code} {e.title} {e.says}".lower())
    if not found:
        near = difflib.get_close_matches(word.upper(), {entry.code for entry in BOOK}, n=1)
        raise CommandError(
            f"no rule has {word!r} in its code or title" + (f"; did you mean {near[0]}?" if near else "")
        )
    return RuleList(found)


def diagnostic_json(diagnostic: Diagnostic) -> dict[str, Json]:
    """Give a diagnostic as plain data."""
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        "pointer": diagnostic.pointer,
        "line": diagnostic.line,
        "column": diagnostic.column,
        "hint": diagnostic.hint,
    }


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number > 1 else ''}" if number else ""


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


@dataclass(frozen=True)
class MachineDiff(Shown):
    """How two machines differ.

    Attributes:
        names: of the two machines.
        lines: the unified diff of the definitions as canonical JSON, without trailing newlines; empty where they are equal.
        added: pointers of states that only the second machine has.
        removed: pointers of states that only the first machine has.
        changed: pointers of states that both have, differently.
    """

    names: tuple[str, str]
    lines: tuple[str, ...] = field(repr=False)
    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.lines)

    @property
    def summary(self) -> tuple[str, ...]:
        """Give a line for each kind of change."""
        if not self.lines:
            return (f"{self.names[0]} and {self.names[1]} mean the same",)
        found = ((self.added, "+ added"), (self.removed, "- removed"), (self.changed, "~ changed"))
        lines = [f"{word}: {', '.join(map(_state_path, pointers))}" for pointers, word in found if pointers]
        return tuple(lines) or ("no state differs, only fields of the machine itself",)

    @property
    def text(self) -> str:
        """Give the summary and the unified diff."""
        return "\n".join([*self.summary, *([""] if self.lines else []), *self.lines])

    @property
    def html(self) -> str:
        """Give the summary and the diff, added and removed lines in colour."""
        summary = "<br>".join(escape(line) for line in self.summary)
        body = "\n".join(self._coloured())
        return f"<div>{summary}</div>" + (f'<pre style="{_PRE}">{body}</pre>' if body else "")

    def _coloured(self) -> Iterator[str]:
        for line in self.lines:
            colour = None if line.startswith(("+++", "---")) else _DIFF_COLOURS.get(line[:1])
            yield f'<span style="color:{colour}">{escape(line)}</span>' if colour else escape(line)


def _state_path(pointer: str) -> str:
    """Write the pointer of a state as its names: `Orders › Check`."""
    steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    names = [
        steps[i + 1] for i in range(len(steps) - 1) if steps[i] == "States" and (i == 0 or steps[i - 1] != "States")
    ]
    return " › ".join(names) or pointer


def diff_machines(first: StateMachine, second: StateMachine, names: tuple[str, str] | None = None) -> MachineDiff:
    """Compare two machines by what they mean: the order of keys and the layout of the text do not count."""
    import difflib

    called = names or (first.name, second.name)
    difference = difflib.unified_diff(_canonical(first.definition), _canonical(second.definition), *called)
    lines = tuple(line.rstrip("\n") for line in difference)
    before, after = _states(first), _states(second)
    return MachineDiff(
        called,
        lines,
        tuple(pointer for pointer in after if pointer not in before),
        tuple(pointer for pointer in before if pointer not in after),
        tuple(pointer for pointer in after if pointer in before and before[pointer] != after[pointer]),
    )


def _canonical(definition: Json) -> list[str]:
    return json.dumps(definition, indent=2, sort_keys=True, ensure_ascii=False).splitlines(keepends=True)


def _states(machine: StateMachine) -> dict[str, str]:
    """Give each state's own part of the definition, without the states inside it, as text by pointer."""
    from sfn_notebook.asl.topology import topology

    return {
        node.pointer: json.dumps(_own(node.definition), sort_keys=True) for node in topology(machine.definition).nodes
    }


def _own(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _own(item) for key, item in value.items() if key != "States"}
    return [_own(item) for item in value] if isinstance(value, list) else value
