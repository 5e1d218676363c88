"""`%%sfn` cells: their first line, what they do, and where their text stands.

Lines are counted as JupyterLab counts them: the first line of the cell is line 1, so that the definition's first line below `%%sfn NAME`
is line 2 (or later, under `%%time` or empty lines). `line_offset` finds that out from the cell as it was typed. A machine's `source` is
the text below the magic line, byte for byte as IPython hands it over, which ends in one newline. Export uses the same parser.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfn_notebook.errors import CommandError, DefinitionError
from sfn_notebook.notebook.arguments import Parser, split
from sfn_notebook.notebook.commands import VERBS, Noted, add_definition_options, assignment, substitutions
from sfn_notebook.notebook.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from sfn_notebook.api.machine import StateMachine

_EPILOG = """\
The cell below this line is the definition, in JSON or YAML. The machine is kept under NAME for %sfn, and bound to the
variable NAME where that is a free Python name. A definition with errors is refused, and the last good machine stays.
Lines in messages are counted from the top of the cell, this line being line 1. `%%sfn x << NAME` binds the variable x
instead and shows nothing."""


@dataclass(frozen=True)
class CellLine:
    """The first line of a `%%sfn` cell, read.

    Attributes:
        name: the machine's name.
        variable: of `variable << NAME`, or None.
        options: what else it says.
    """

    name: str
    variable: str | None
    options: argparse.Namespace


def parser() -> Parser:
    """Make the parser of a cell's first line."""
    made = Parser("%%sfn", "Define a state machine in a cell.", epilog=_EPILOG)
    made.add_argument("name", metavar="NAME", help="the machine's name")
    made.add_argument("--save", metavar="FILE", help="also write the definition into a file, byte for byte")
    add_definition_options(made)
    made.add_argument("--quiet", "-q", action="store_true", help="show problems only, no graph")
    return made


def read_line(line: str) -> CellLine:
    """Read what stands after `%%sfn`.

    Raises:
        CommandError: it makes no sense.
        HelpRequested: it asks for help.
    """
    from sfn_notebook.api.verbs import check_name

    variable, words = assignment(split(line))
    try:
        options = parser().read(words)
    except CommandError as error:
        if len(words) > 1 and words[0] in VERBS:
            raise CommandError(f"{error}\n{words[0]} is a verb of the line magic: %sfn {' '.join(words)}") from None
        raise
    return CellLine(check_name(options.name), variable, options)


def define(
    line: str, cell: str, session: Session, offset: int, draw: Callable[[StateMachine], None] | None = None
) -> Any:
    """Do what a `%%sfn` cell says; give the machine, None where nothing is to be shown.

    Args:
        line: what stands after `%%sfn`.
        cell: the text below.
        session: where the machine is kept.
        offset: lines of the cell above that text.
        draw: shows a machine that is refused, with its mistakes marked.

    Raises:
        SfnError: the line or the definition is wrong; nothing has changed then.
    """
    from sfn_notebook.api import verbs
    from sfn_notebook.api.pictures import diagnostic_lines

    read = read_line(line)
    given = read.options
    if not cell.strip():
        raise CommandError(
            f"the cell is empty: the definition of {read.name} goes below the %%sfn line, as JSON or YAML"
        )
    try:
        machine = verbs.load_text(
            cell, read.name, substitutions(given.sub, session), strict=given.strict, lines_above=offset
        )
    except DefinitionError as error:
        draft = verbs.draft_of(cell, read.name, substitutions(given.sub, session))
        if draw is not None and draft is not None and not given.quiet:
            draw(draft)
        raise _with_last_good(error, read.name, session) from None
    if given.save:
        verbs.write_bytes(Path(given.save).expanduser(), cell.encode())
    note = _keep(read, machine, session)
    if given.quiet or read.variable:
        note = "\n".join([*([note] if note else []), *diagnostic_lines(machine.diagnostics)])
        return Noted(None, note) if note else None
    return Noted(machine, note) if note else machine


def _keep(read: CellLine, machine: StateMachine, session: Session) -> str | None:
    if read.variable is None:
        return session.add(read.name, machine)
    session.assign(read.variable, machine)
    session.machines[read.name] = machine
    return None


def _with_last_good(error: DefinitionError, name: str, session: Session) -> DefinitionError:
    """Tell that the machine of before is still there."""
    if name not in session.names():
        return error
    kept = DefinitionError(error.diagnostics, error.source, error.name)
    kept.args = (f"{error}\nthe last good version of {name} is still the one in use",)
    return kept


def line_offset(raw_cell: str | None, body: str) -> int:
    """Count the lines above a `%%sfn` cell's text in the cell as it was typed; 1 where that is not known."""
    typed = (raw_cell or "").replace("\r\n", "\n")
    for text in (body, body.removesuffix("\n")):
        if text.strip() and typed.endswith(text):
            return max(1, typed[: len(typed) - len(text)].count("\n"))
    return 1
