"""Tab completion in magics: verbs, options, machines and variables after `%sfn`, and ASL itself in `%%sfn` cells.

A matcher in IPython's own API (version 2) that answers only where a magic of ours is being written and leaves everything else, file
names included, to IPython. Verbs and options come from the parsers, ASL from `asl_completion`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sfn_notebook.notebook import cells
from sfn_notebook.notebook.arguments import Parser
from sfn_notebook.notebook.commands import VERBS
from sfn_notebook.notebook.session import Session

if TYPE_CHECKING:
    from IPython.core.completer import CompletionContext

_LINE = re.compile(r"\s*(?:[\w.\[\]\"', ]+=\s*)?%sfn\s+(.*)", re.DOTALL)
_CELL = re.compile(r"%%sfn\s+(.*)", re.DOTALL)
_ASSIGNMENT = re.compile(r"\w+\s*<<\s*")
_LAST_WORD = re.compile(r"\S*$")
_MACHINES = ("machine", "first", "second", "name")
_DATA = ("input", "handlers")

Matcher = Callable[["CompletionContext"], Any]


def make_matcher(session: Session) -> Matcher:
    """Make the matcher of a session."""
    from IPython.core.completer import SimpleCompletion, context_matcher

    @context_matcher(identifier="sfn_notebook")  # type: ignore[untyped-decorator]  # IPython has no annotation here
    def sfn_matcher(context: CompletionContext) -> Any:
        fragment, items = complete(context.full_text, _offset(context), session)
        found = [SimpleCompletion(text=text, type=kind) for text, kind in items]
        return {"completions": found, "matched_fragment": fragment, "suppress": bool(found), "ordered": True}

    made: Matcher = sfn_matcher
    return made


def _offset(context: CompletionContext) -> int:
    lines = context.full_text.split("\n")
    return sum(len(line) + 1 for line in lines[: context.cursor_line]) + context.cursor_position


def complete(text: str, offset: int, session: Session) -> tuple[str, list[tuple[str, str]]]:
    """Complete a cell's text at an offset; give (what stands there already, [(text, kind)])."""
    start = text.rfind("\n", 0, offset) + 1
    line = text[start:offset]
    magic = _magic_line(text)
    if magic is not None and magic[1] <= offset:
        return _in_definition(text[magic[1] :], offset - magic[1])
    if magic is not None and magic[0] == start and (match := _CELL.match(line.lstrip())):
        return _after(_ASSIGNMENT.sub("", match[1], count=1), cells.parser(), session)
    match = _LINE.fullmatch(line)
    return _in_line(_ASSIGNMENT.sub("", match[1], count=1), session) if match else ("", [])


def _magic_line(text: str) -> tuple[int, int] | None:
    """Find the `%%sfn` line of a cell: (its start, the start of the next line)."""
    at = 0
    for line in text.splitlines(keepends=True):
        at += len(line)
        if line.lstrip().startswith("%%sfn"):
            return at - len(line), at if line.endswith("\n") else at + 1
        if line.strip() and not line.lstrip().startswith("%%"):
            return None
    return None


def _in_definition(text: str, offset: int) -> tuple[str, list[tuple[str, str]]]:
    from sfn_notebook.notebook.asl_completion import propose

    proposals = propose(text, offset)
    return proposals.fragment, [(proposal.text, proposal.doc) for proposal in proposals.items]


def _in_line(rest: str, session: Session) -> tuple[str, list[tuple[str, str]]]:
    verb, space, more = rest.partition(" ")
    if not space:
        return verb, [(name, "verb") for name in (*VERBS, "--help") if name.startswith(verb)]
    return _after(more, VERBS[verb].parser(verb), session) if verb in VERBS else ("", [])


def _after(rest: str, parser: Parser, session: Session) -> tuple[str, list[tuple[str, str]]]:
    """Complete what stands after a verb, or after `%%sfn`."""
    found = _LAST_WORD.search(rest)
    fragment = found[0] if found else ""
    before = rest[: len(rest) - len(fragment)].split()
    action = parser.expected(before, fragment)
    if fragment.startswith("-"):
        names = [(option, "option") for option in parser.options()]
    elif action is None:
        names = []
    elif action.choices:
        names = [(str(choice), "value") for choice in action.choices]
    elif action.dest in _DATA:
        names = [(name, "variable") for name in _variables(session, only_mappings=action.dest == "handlers")]
    elif action.dest in _MACHINES and not action.option_strings:
        names = [(name, "machine") for name in session.names()]
    else:
        names = []
    return fragment, [name for name in names if name[0].startswith(fragment)]


def _variables(session: Session, *, only_mappings: bool) -> list[str]:
    """List the user's variables that can be data: no functions, classes, modules, nor what IPython keeps there."""
    hidden = ("In", "Out", "exit", "quit", "get_ipython", "open")
    held = sorted(session.variables.items())
    return [
        name
        for name, value in held
        if not name.startswith("_")
        and name not in hidden
        and not callable(value)
        and not hasattr(value, "__spec__")
        and (isinstance(value, Mapping) or not only_mappings)
    ]
