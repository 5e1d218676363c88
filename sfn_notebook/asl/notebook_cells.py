"""The definitions in a notebook: its code cells that start with `%%sfn NAME`.

A notebook is JSON; its cells are read from the parsed value, without nbformat, so that a check in CI needs no Jupyter.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sfn_notebook.errors import Json

_MAGIC = re.compile(r"%%sfn\b[ \t]*(.*)")
_NAME = re.compile(r"[A-Za-z0-9_.\-]+$")


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell with a definition: the machine's name, the cell's number from 1, and its text with the magic's line."""

    name: str
    number: int
    source: str


def is_notebook(value: Json) -> bool:
    """Tell whether a parsed text is a notebook."""
    return isinstance(value, dict) and "nbformat" in value and isinstance(value.get("cells"), list)


def cells(notebook: Json) -> tuple[Cell, ...]:
    """List the cells that define machines, in order."""
    found = []
    for number, cell in enumerate(notebook["cells"], 1):
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        source = cell.get("source")
        text = "".join(source) if isinstance(source, list) else source
        match = _MAGIC.match(text) if isinstance(text, str) else None
        if match is not None:
            words = [word for word in match.group(1).split() if _NAME.match(word) and not word.startswith("-")]
            found.append(Cell(words[0] if words else f"cell{number}", number, str(text)))
    return tuple(found)


def cell_lines(source: Json, lines: Sequence[int]) -> tuple[int, ...]:
    """Give, for each line of a cell, the line of the file that it stands in.

    Args:
        source: the cell's source as the notebook holds it: a text, or a list of pieces of it.
        lines: the line of the file of each piece.
    """
    pieces = source if isinstance(source, list) else [source]
    found: list[int] = []
    is_open = False
    for piece, line in zip(pieces, lines, strict=False):
        for text in str(piece).splitlines(keepends=True):
            if not is_open:
                found.append(line)
            is_open = not text.endswith("\n")
    return tuple(found)
