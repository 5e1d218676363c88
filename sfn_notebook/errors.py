"""What can go wrong, as data first and text second.

Owns the one alias for JSON values, positions in a source text, `Diagnostic`, the caret picture below a source line, and the
tree of exceptions that users may meet. It knows nothing of ASL, the engine or Jupyter.

Who is at fault shows in the type: the definition (`DefinitionError`), an expression inside it (`ExpressionError`), the data or
the handlers given to a run (`RunError`), how a command was used (`CommandError`), a missing optional package (`MissingExtra`)
or AWS (`AwsError`). IPython shows any of them as its message alone, without a traceback.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

Json: TypeAlias = Any
"""A JSON value: dict with str keys, list, str, int, float, bool or None. A recursive alias would need a cast at each index."""


class Severity(StrEnum):
    """How bad a diagnostic is: an ERROR is what AWS refuses, a WARNING what it accepts and you will regret."""

    ERROR = "ERROR"
    WARNING = "WARNING"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Where something stands in a source text. Lines and columns start at 1; the end is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem of a definition.

    Attributes:
        code: AWS's code where ValidateStateMachineDefinition has one (`SCHEMA_VALIDATION_FAILED` ...), ours otherwise.
        severity: ERROR or WARNING.
        message: what is wrong, where, and what was found.
        pointer: JSON Pointer (RFC 6901) of the key's value; "" is the whole definition.
        line: line in the source text, from 1; 0 where there is no source text.
        column: column in that line, from 1; 0 where there is no source text.
        hint: what to do, or None.
        length: how many characters the caret underlines.
    """

    code: str
    severity: Severity
    message: str
    pointer: str = ""
    line: int = 0
    column: int = 0
    hint: str | None = None
    length: int = 1

    def __str__(self) -> str:
        where = f"{self.line}:{self.column}: " if self.line else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{where}{self.severity.value.lower()}: {self.message}{hint} [{self.code}]"


def caret(text: str, line: int, column: int, length: int = 1, width: int = 100) -> str:
    """Draw the source line `line` of `text` with carets below `column`; empty when there is no such line.

    A line longer than `width` is cut around the column, so that one long line of minified JSON stays readable.
    """
    lines = text.split("\n")
    if not 1 <= line <= len(lines):
        return ""
    shown = lines[line - 1].rstrip("\r").expandtabs(1)
    start = max(0, column - 1 - width // 2) if len(shown) > width else 0
    piece = shown[start : start + width]
    piece = ("…" + piece[1:] if start else piece) + ("…" if start + width < len(shown) else "")
    under = " " * (column - 1 - start) + "^" * max(1, min(length, len(piece) - (column - 1 - start)))
    gutter = str(line)
    return f"{gutter} | {piece}\n{' ' * len(gutter)} | {under}"


class SfnError(Exception):
    """Base of every error that a user of the package can cause or meet."""

    def _render_traceback_(self) -> list[str]:
        """Give IPython the message in place of a traceback (its documented hook)."""
        return [f"{type(self).__name__}: {self}"]


class DefinitionError(SfnError):
    """The definition is wrong; `diagnostics` says what and where, `source` is the text that it was read from."""

    def __init__(self, diagnostics: Iterable[Diagnostic], source: str | None = None, name: str | None = None) -> None:
        self.diagnostics = tuple(diagnostics)
        self.source = source
        self.name = name
        super().__init__(self._text())

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.diagnostics, self.source, self.name)

    def _text(self) -> str:
        shown = [d for d in self.diagnostics if d.severity is Severity.ERROR] or list(self.diagnostics)
        parts = []
        for diagnostic in shown[:20]:
            picture = caret(self.source, diagnostic.line, diagnostic.column, diagnostic.length) if self.source else ""
            parts.append(f"{diagnostic}\n{picture}" if picture else str(diagnostic))
        if len(shown) > 20:
            parts.append(f"… and {len(shown) - 20} more")
        head = f"{self.name}: " if self.name else ""
        return head + "\n".join(parts)


class ExpressionError(SfnError):
    """A path, intrinsic or JSONata expression cannot be read. `position` is the offset of the offending character, from 0."""

    def __init__(self, message: str, expression: str = "", position: int = 0) -> None:
        self.message = message
        self.expression = expression
        self.position = position
        super().__init__(message)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.message, self.expression, self.position)


class RunError(SfnError):
    """A run cannot start or go on for a reason that lies outside the workflow: its input, its handlers, a budget."""


class CommandError(SfnError):
    """A command or function was called in a way that it does not understand."""


class AwsError(SfnError):
    """AWS refused or could not be reached; the message says which call and why."""


class MissingExtra(SfnError):
    """A package that this feature needs is not installed; the message gives the command that installs it."""
