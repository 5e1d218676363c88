"""The verbs of `%sfn`: one table with each verb's arguments, help and function.

A verb is a parser and a function that takes the session, the settings and the parsed arguments, calls one function of `api`, and
returns an object, which IPython shows. `VERBS` is the whole list: dispatch, `--help`, `%sfn?` and completion read it. Adding a verb is
writing two functions and one entry. Nothing heavy is imported before a verb runs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from sfn_notebook.errors import CommandError, DefinitionError, RunError
from sfn_notebook.notebook import history_commands as executed
from sfn_notebook.notebook.arguments import (
    HelpRequested,
    Parser,
    access_of,
    add_check_arguments,
    add_outside_arguments,
    as_written,
    did_you_mean,
    split,
    unquoted,
)
from sfn_notebook.notebook.session import Session
from sfn_notebook.notebook.values import read_value, read_variable

if TYPE_CHECKING:
    from sfn_notebook.api.machine import StateMachine

DIRECTIONS = ("TB", "LR")
THEMES = ("auto", "light", "dark")


class Settings(Protocol):
    """What `%config SfnMagics` sets."""

    theme: str
    direction: str
    handlers: str
    timeout: float


@dataclass(frozen=True)
class Verb:
    """A verb of `%sfn`: what it is for, its parser, and its function."""

    summary: str
    arguments: Callable[[Parser], None]
    run: Callable[[Session, Settings, argparse.Namespace], Any]
    epilog: str | None = None

    def parser(self, name: str) -> Parser:
        """Make the parser."""
        parser = Parser(f"%sfn {name}", self.summary, epilog=self.epilog)
        self.arguments(parser)
        return parser


# --- show, list, load ----------------------------------------------------------------------------------------------------


def _machine_argument(parser: Parser, text: str = "a machine's name or variable, or a file") -> None:
    parser.add_argument("machine", metavar="NAME", help=text)


def _look_arguments(parser: Parser) -> None:
    parser.add_argument("--theme", choices=THEMES, help="colours; auto follows the page")
    parser.add_argument("--direction", choices=DIRECTIONS, help="from top to bottom, or from left to right")


def _show_arguments(parser: Parser) -> None:
    _machine_argument(parser)
    _look_arguments(parser)


def _show(session: Session, settings: Settings, given: argparse.Namespace) -> Any:
    machine = session.find(given.machine)
    if given.theme is None and given.direction is None:
        return machine
    from sfn_notebook.api.pictures import machine_graph

    return machine_graph(
        machine, None, given.theme or settings.theme, given.direction or settings.direction, settings.timeout
    )


def _no_arguments(_parser: Parser) -> None:
    pass


def _list(session: Session, _settings: Settings, _given: argparse.Namespace) -> Any:
    from sfn_notebook.api.reports import MachineList

    return MachineList(tuple(session.rows()))


def _load_arguments(parser: Parser) -> None:
    parser.add_argument("file", metavar="FILE", help="a definition in JSON or YAML")
    parser.add_argument("--name", metavar="NAME", help="the machine's name; that of the file by default")
    add_definition_options(parser)


def add_definition_options(parser: Parser) -> None:
    """Add the options that decide how a definition is read."""
    parser.add_argument(
        "--sub",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        type=as_written,
        help="fill in the placeholder ${KEY}; {VARIABLE} as VALUE stands for its text; may stand several times",
    )
    parser.add_argument("--strict", action="store_true", help="refuse warnings and open placeholders too")


def _load(session: Session, _settings: Settings, given: argparse.Namespace) -> Any:
    from sfn_notebook.api import verbs

    machine = verbs.load(
        Path(given.file).expanduser(),
        None if given.name is None else verbs.check_name(given.name),
        substitutions(given.sub, session),
        strict=given.strict,
    )
    note = session.add(machine.name, machine)
    return Noted(machine, note) if note else machine


@dataclass(frozen=True)
class Noted:
    """A result that comes with a note for the user."""

    value: Any
    note: str


def substitutions(words: list[str], session: Session) -> dict[str, str]:
    """Read `KEY=VALUE` words; a value in braces, `{variable}`, is that variable's text.

    Raises:
        CommandError: a word has no `=`.
    """
    found = dict[str, str]()
    for word in words:
        key, equals, value = unquoted(word).partition("=")
        if not equals or not key:
            raise CommandError(f"--sub takes KEY=VALUE, but found {word!r}")
        text = unquoted(value)
        if text == value and value.startswith("{") and value.endswith("}") and value[1:-1].isidentifier():
            text = str(read_variable(value[1:-1], session.variables, "--sub"))
        found[key] = text
    return found


# --- run -----------------------------------------------------------------------------------------------------------------

_RUN_EPILOG = """\
X is a Python variable (order, order.lines[0], orders["o-1"]), @file with JSON in it, JSON, or text in quotes.
Without --handlers, tasks are answered by the dict in the variable `handlers`, if there is one, and then by
functions of the notebook that are named like the state. VAR may also be a module or an object: its functions
named like states are bound."""


def _run_arguments(parser: Parser) -> None:
    _machine_argument(parser)
    parser.add_argument("--input", "-i", metavar="X", type=as_written, help="the input, {} by default")
    parser.add_argument("--handlers", metavar="VAR", help="who answers the tasks: a dict by state name or resource ARN")
    parser.add_argument("--name", metavar="N", dest="execution", help="the execution's name")
    parser.add_argument(
        "--type", choices=("STANDARD", "EXPRESS"), type=str.upper, default="STANDARD", help="kind of workflow"
    )
    parser.add_argument("--seed", metavar="N", type=int, help="the same seed gives the same history")
    parser.add_argument("--start", metavar="ISO", help="when it starts, such as 2026-01-31T12:00:00Z")
    parser.add_argument(
        "--no-limits", action="store_true", help="lift the service's limits on sizes, events and duration"
    )
    parser.add_argument("--max-transitions", metavar="N", type=int, help="stop a loop after so many transitions")
    add_outside_arguments(parser)


def _run(session: Session, settings: Settings, given: argparse.Namespace) -> Any:
    from sfn_notebook.api import verbs

    machine = session.find(given.machine)
    data = None if given.input is None else read_value(given.input, session.variables)
    handlers = choose_handlers(machine, given.handlers, settings.handlers, session)
    if given.mock:
        handlers = {**handlers, **verbs.mock_handlers(machine, given.mock, given.test_case)}
    try:
        return machine.run(
            {} if given.input is None else data,
            handlers,
            type=given.type,
            name=given.execution,
            start=given.start,
            seed=given.seed,
            limits=not given.no_limits,
            max_transitions=given.max_transitions,
            s3=verbs.buckets(given.s3),
            executor=given.executor,
        )
    except RunError as error:
        raise _explained(error) from None


def _explained(error: RunError) -> RunError:
    """Add what helps in a notebook, keeping all that the error holds."""
    from sfn_notebook.sim.handlers import Unbound

    if isinstance(error, Unbound):
        error.args = (f"{error}\nor define a function with the name of the state; see %sfn run --help",)
    elif getattr(error, "execution", None) is not None:
        error.args = (f"{error}\nthe run so far is in sys.last_value.execution",)
    return error


def choose_handlers(machine: StateMachine, given: str | None, default: str, session: Session) -> dict[str, Any]:
    """Find who answers the tasks: what the user names, else the default variable and functions named like states.

    Raises:
        CommandError: the user names something that holds no handlers.
    """
    from sfn_notebook.api.verbs import state_handlers

    if given is None:
        held = session.variables.get(default)
        explicit = dict(held) if isinstance(held, Mapping) else {}
        return {**state_handlers(machine, session.variables), **explicit}
    found = read_variable(given, session.variables, "--handlers")
    if isinstance(found, Mapping):
        return dict(found)
    members = {name: getattr(found, name) for name in dir(found) if not name.startswith("_")}
    bound = state_handlers(machine, members)
    if not bound:
        raise CommandError(
            f"--handlers takes a dict by state name or resource ARN, or an object with functions named like states, "
            f"but {given} is a {type(found).__name__}"
        )
    return bound


# --- step ----------------------------------------------------------------------------------------------------------------

_STEP_EPILOG = """\
NAME may also be a variable that holds a Debugger. Without --handlers, tasks are answered as by %sfn run; a task that
nothing answers stops the debugger, which asks. --break takes the name of a state, or a condition such as
'$.total > 100'; it may stand several times. In a terminal, or with --text, it is a debugger of text commands."""


def _step_arguments(parser: Parser) -> None:
    _machine_argument(parser)
    parser.add_argument("--input", "-i", metavar="X", type=as_written, help="the input, {} by default")
    parser.add_argument("--handlers", metavar="VAR", help="who answers the tasks: a dict by state name or resource ARN")
    parser.add_argument("--history", metavar="VAR", help="a run or a history: its tasks answer as they did")
    parser.add_argument(
        "--break", metavar="WHERE", dest="breaks", action="append", default=[], type=as_written, help="a breakpoint"
    )
    parser.add_argument("--at", metavar="N", type=int, help="the event to stand at; -1 is the last one recorded")
    parser.add_argument("--seed", metavar="N", type=int, help="the same seed gives the same history")
    parser.add_argument("--start", metavar="ISO", help="when it starts, such as 2026-01-31T12:00:00Z")
    parser.add_argument("--text", action="store_true", help="text commands instead of a widget")


def _step(session: Session, settings: Settings, given: argparse.Namespace) -> Any:
    from sfn_notebook.notebook import stepping

    held = session.variables.get(given.machine)
    debugger = held if stepping.is_debugger(held) else _new_debugger(session, settings, given)
    for where in given.breaks:
        debugger.breakpoints.add(unquoted(where))
    if given.at is not None:
        debugger.seek(given.at)
    return stepping.open_debugger(
        debugger, text=given.text, theme=settings.theme, direction=settings.direction, timeout=settings.timeout
    )


def _new_debugger(session: Session, settings: Settings, given: argparse.Namespace) -> Any:
    from sfn_notebook.api.debugger import debug
    from sfn_notebook.notebook import stepping

    machine = session.find(given.machine)
    handlers = choose_handlers(machine, given.handlers, settings.handlers, session)
    if given.history is not None:
        return stepping.recorded_debugger(
            read_variable(given.history, session.variables, "--history"), machine, handlers
        )
    data = {} if given.input is None else read_value(given.input, session.variables)
    return debug(machine, data, handlers, start=given.start, seed=given.seed)


# --- check, render, diff -------------------------------------------------------------------------------------------------


def _check_arguments(parser: Parser) -> None:
    _machine_argument(parser)
    parser.add_argument("--input", "-i", metavar="X", type=as_written, help="a sample input, to follow the data from")
    add_check_arguments(parser)


def _check(session: Session, _settings: Settings, given: argparse.Namespace) -> Any:
    from sfn_notebook.api import verbs
    from sfn_notebook.api.reports import CheckReport

    try:
        machine = session.find(given.machine)
    except DefinitionError as error:
        return CheckReport(given.machine, error.diagnostics, error.source, given.strict)
    options: dict[str, Any] = {"strict": given.strict, "workflow_type": given.type}
    if given.input is not None:
        options["sample"] = read_value(given.input, session.variables)
    report = verbs.check_machine(machine, given.machine, **options)
    return verbs.with_aws(report, machine, given.type, **access_of(given)) if given.aws else report


def _rules_arguments(parser: Parser) -> None:
    parser.add_argument(
        "word", metavar="WORD", nargs="?", default="", help="only the rules that have it in code or title"
    )


def _rules(_session: Session, _settings: Settings, given: argparse.Namespace) -> Any:
    from sfn_notebook.api.reports import rules

    return rules(given.word)


def _render_arguments(parser: Parser) -> None:
    _machine_argument(parser)
    parser.add_argument("-o", "--output", metavar="FILE", required=True, help="ends in .svg, .png, .pdf, .dot or .mmd")
    _look_arguments(parser)


def _render(session: Session, settings: Settings, given: argparse.Namespace) -> Any:
    from sfn_notebook.api import verbs

    return verbs.render_file(
        session.find(given.machine),
        given.output,
        theme=given.theme or settings.theme,
        direction=given.direction or settings.direction,
    )


def _diff_arguments(parser: Parser) -> None:
    parser.add_argument("first", metavar="A", help="a machine's name or variable, or a file")
    parser.add_argument("second", metavar="B", help="another one")


def _diff(session: Session, _settings: Settings, given: argparse.Namespace) -> Any:
    from sfn_notebook.api.reports import diff_machines

    machines = session.find(given.first), session.find(given.second)
    return diff_machines(*machines, names=(given.first, given.second))


VERBS: Mapping[str, Verb] = {
    "show": Verb("Draw a machine.", _show_arguments, _show),
    "run": Verb("Run a machine on the virtual clock.", _run_arguments, _run, _RUN_EPILOG),
    "step": Verb("Step through a run: look, go back, change, go on.", _step_arguments, _step, _STEP_EPILOG),
    "list": Verb("List the machines that are known.", _no_arguments, _list),
    "load": Verb("Load a definition from a file.", _load_arguments, _load),
    "check": Verb("Report what is wrong with a definition.", _check_arguments, _check),
    "rules": Verb("Tell what the checker finds, with examples.", _rules_arguments, _rules),
    "render": Verb("Draw a machine into a file.", _render_arguments, _render),
    "diff": Verb("Compare two machines by what they mean.", _diff_arguments, _diff),
    "history": Verb("Fetch one execution from AWS.", executed.history_arguments, executed.history, executed.EPILOG),
    "executions": Verb(
        "Fetch many executions of a machine on AWS.",
        executed.executions_arguments,
        executed.executions,
        executed.EXECUTIONS_EPILOG,
    ),
    "watch": Verb(
        "Watch an execution on AWS while it runs.", executed.watch_arguments, executed.watch, executed.WATCH_EPILOG
    ),
}
"""Every verb of `%sfn`."""


# --- the line magic ------------------------------------------------------------------------------------------------------


def usage() -> str:
    """Give the text of `%sfn --help`."""
    lines = [f"  {name:12}{verb.summary}" for name, verb in VERBS.items()]
    return "\n".join(
        [
            "usage: %sfn VERB …                   one of the verbs below",
            "       x = %sfn VERB …               keep the result instead of showing it",
            "       %sfn x << VERB …              the same",
            "",
            *lines,
            "",
            "`%sfn VERB --help` tells more; `%%sfn?` tells how to define a machine in a cell.",
        ]
    )


def line_help() -> str:
    """Give the help on every verb in one text, as the magic's docstring."""
    return "\n\n".join([usage(), *(verb.parser(name).format_help().rstrip() for name, verb in VERBS.items())])


def run_line(line: str, session: Session, settings: Settings) -> tuple[str | None, Any]:
    """Do what a `%sfn` line says; give (variable of `variable << …`, result).

    Raises:
        SfnError: what the line asks for cannot be done.
        HelpRequested: it asks for help.
    """
    variable, words = assignment(split(line))
    if not words or words[0] in ("-h", "--help", "help"):
        raise HelpRequested(usage())
    verb = VERBS.get(words[0])
    if verb is None:
        raise CommandError(_unknown_verb(words[0], session))
    return variable, verb.run(session, settings, verb.parser(words[0]).read(words[1:]))


def assignment(words: list[str]) -> tuple[str | None, list[str]]:
    """Take `variable <<` off the front.

    Raises:
        CommandError: nothing stands before the `<<`.
    """
    if words[:1] == ["<<"]:
        raise CommandError("before << stands the name of a variable: %sfn x << run NAME")
    return (words[0], words[2:]) if words[1:2] == ["<<"] else (None, words)


def _unknown_verb(word: str, session: Session) -> str:
    if word in session.names():
        return f"%sfn {word}: {word} is a machine, and a verb comes first: %sfn show {word}, %sfn run {word}"
    return f"%sfn: there is no verb {word!r}{did_you_mean(word, VERBS)}; the verbs are {', '.join(VERBS)}"
