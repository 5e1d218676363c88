"""A debugger as a file: its machine as it was filled in, its line of the run, and the lines beside it.

A line is what its recording was told (`sim.recording`), what a history had recorded (`sim.past`), where it stands, and, for a child
execution, whose child it is. Nothing is called when one is read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfn_notebook.api.branches import Branch, ChildOf
from sfn_notebook.errors import CommandError, DefinitionError, Json, RunError
from sfn_notebook.sim.answering import Answering, Confirm
from sfn_notebook.sim.handlers import Responder
from sfn_notebook.sim.line import Line
from sfn_notebook.sim.past import PastOutcomes
from sfn_notebook.sim.recording import Recording

if TYPE_CHECKING:
    from sfn_notebook.api.debugger import Debugger
    from sfn_notebook.api.machine import StateMachine

FORMAT = 2


def save(debugger: Debugger, path: str | os.PathLike[str]) -> None:
    """Write a debugger with its branches, and with the run that it is a child of.

    Raises:
        RunError: the file cannot be written.
    """
    others = [branch for branch in debugger.branches if branch.debugger is not debugger]
    parent = None if debugger.child_of is None else debugger.child_of.parent
    if parent is not None and all(branch.debugger is not parent for branch in others):
        others.append(Branch("the whole run", 0, parent, "child"))
    lines = [debugger, *(branch.debugger for branch in others)]
    saved = {
        "debugger": FORMAT,
        "name": debugger.machine.name,
        "definition": debugger.machine.definition,
        "source": debugger.machine.source,
        "lines": [_line(one, lines) for one in lines],
        "branches": [[branch.name, branch.position, branch.made_by] for branch in others],
    }
    try:
        Path(path).write_text(json.dumps(saved, separators=(",", ":")), encoding="ascii")
    except OSError as error:
        raise RunError(f"the debugger cannot be written to {path}: {error.strerror}") from error


def _line(debugger: Debugger, lines: Sequence[Debugger]) -> dict[str, Json]:
    recording, child = debugger.line.recording, debugger.child_of
    recorded = recording.answering.recorded
    found: dict[str, Json] = {
        "recording": recording.to_json(),
        "start": recording.program.start.id,
        "recorded": recorded.past.to_json() if isinstance(recorded, PastOutcomes) else None,
        "position": debugger.position,
        "breakpoints": debugger.breakpoints.to_json(),
        "child_of": None,
    }
    if child is not None and child.parent in lines:
        found["child_of"] = [lines.index(child.parent), child.run.number, child.index, child.events]
    return found


def load(make: type[Debugger], path: str | os.PathLike[str], responder: Responder, confirm: Confirm = None) -> Debugger:
    """Read what `save` wrote.

    Raises:
        RunError: the file is no saved debugger.
    """
    from sfn_notebook.api.machine import StateMachine

    try:
        saved = json.loads(Path(path).read_text(encoding="utf-8"))
        if saved["debugger"] != FORMAT:
            raise RunError(f"{path} was saved in format {saved['debugger']}, but this version reads {FORMAT}")
        machine = StateMachine.restore(saved["definition"], saved["source"], saved["name"])
        lines = [_read(make, machine, line, responder.twin(), confirm) for line in saved["lines"]]
        for line, kept in zip(lines, saved["lines"], strict=True):
            line.branches = lines[0].branches
            if kept["child_of"] is not None:
                number, run, index, events = kept["child_of"]
                runs = lines[number].line.recording.head.engine.map_runs
                line.child_of = ChildOf(lines[number], runs[run], index, events)
        for (name, position, made_by), line in zip(saved["branches"], lines[1:], strict=True):
            lines[0].branches.append(Branch(name, position, line, made_by))
    except (OSError, ValueError, LookupError, TypeError, DefinitionError, CommandError) as error:
        raise RunError(f"{path} is no saved debugger: {error}") from error
    return lines[0]


def _read(
    make: type[Debugger], machine: StateMachine, saved: dict[str, Any], responder: Responder, confirm: Confirm
) -> Debugger:
    from sfn_notebook.api.replay import past_of, program_for

    past = past_of(machine, saved["recorded"]) if saved["recorded"] else None
    program = (machine.program if past is None else program_for(machine, past)).beginning(saved["start"])
    answering = Answering(responder, None if past is None else PastOutcomes(past), confirm)
    debugger = make(machine, Line(Recording.from_json(program, saved["recording"], answering)))
    debugger.breakpoints.load(saved["breakpoints"])
    return debugger.seek(saved["position"])
