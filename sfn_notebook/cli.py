"""The command line, `sfn-notebook`: the verbs of the magics for scripts and CI, and the way into JupyterLab.

Results go to standard output, as JSON where a program may read them; everything else goes to standard error. The exit code is 0 for
success, 1 for a run (or check) that failed, 2 for a bad definition or usage, 130 after Ctrl-C. `COMMANDS` is the whole list of
commands; each is a parser and a function that gives the exit code.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfn_notebook.errors import CommandError, SfnError
from sfn_notebook.notebook.arguments import (
    HelpRequested,
    Parser,
    access_of,
    add_check_arguments,
    add_outside_arguments,
    did_you_mean,
)

if TYPE_CHECKING:
    from sfn_notebook.api.execution import Execution
    from sfn_notebook.api.machine import StateMachine

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
PROGRAM = "sfn-notebook"


@dataclass(frozen=True)
class Command:
    """A command: what it is for, its parser, and its function."""

    summary: str
    arguments: Callable[[Parser], None]
    run: Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; give the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a mark that an old code page lacks must not end a run
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _dispatch(list(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()
    except (
        BrokenPipeError
    ):  # whoever read has enough: leave without a word, and let the interpreter's last flush go nowhere
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        _say("interrupted")
        return INTERRUPTED
    except SfnError as error:
        _say(f"{PROGRAM}: {error}")
        return USAGE
    return code


def _dispatch(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        _out(usage())
        return OK if words else USAGE
    if words[0] in ("--version", "-V"):
        from sfn_notebook import __version__

        _out(f"{PROGRAM} {__version__}")
        return OK
    command = COMMANDS.get(words[0])
    if command is None:
        raise CommandError(f"there is no command {words[0]!r}{did_you_mean(words[0], COMMANDS)}; see {PROGRAM} --help")
    parser = Parser(f"{PROGRAM} {words[0]}", command.summary, words=False)
    command.arguments(parser)
    try:
        given = parser.read(words[1:])
    except HelpRequested as request:
        _out(request.text)
        return OK
    return command.run(given)


def usage() -> str:
    """Give the text of `--help`."""
    lines = [f"  {name:8}{command.summary}" for name, command in COMMANDS.items()]
    head = [f"usage: {PROGRAM} COMMAND …", "", "Write, run and check AWS Step Functions workflows.", ""]
    return "\n".join(
        [*head, *lines, "", f"`{PROGRAM} COMMAND --help` tells more; `{PROGRAM} --version` tells the version."]
    )


def _out(text: str) -> None:
    sys.stdout.write(text + "\n")


def _out_json(value: Any) -> None:
    _out(json.dumps(value, ensure_ascii=False, indent=2))


def _say(text: str) -> None:
    with contextlib.suppress(OSError):
        sys.stderr.write(text + "\n")


# --- run -----------------------------------------------------------------------------------------------------------------


def _run_arguments(parser: Parser) -> None:
    parser.add_argument("file", metavar="FILE", help="a definition in JSON or YAML")
    parser.add_argument("--input", "-i", metavar="JSON", default="{}", help="the input: JSON, or @file; {} by default")
    parser.add_argument(
        "--handlers", metavar="FILE.py", help="Python with a dict `handlers`, or functions named like states"
    )
    parser.add_argument(
        "--type", choices=("STANDARD", "EXPRESS"), type=str.upper, default="STANDARD", help="kind of workflow"
    )
    parser.add_argument("--seed", metavar="N", type=int, help="the same seed gives the same history")
    parser.add_argument("--start", metavar="ISO", help="when it starts, such as 2026-01-31T12:00:00Z")
    parser.add_argument("--name", metavar="N", help="the execution's name")
    parser.add_argument("--no-limits", action="store_true", help="lift the service's limits")
    parser.add_argument("--max-transitions", metavar="N", type=int, help="stop a loop after so many transitions")
    add_outside_arguments(parser)
    parser.add_argument("--history", metavar="FILE", help="also write the events, as JSON")


def _run(given: argparse.Namespace) -> int:
    from sfn_notebook.api import verbs

    machine = verbs.load(Path(given.file).expanduser())
    data = verbs.read_data(given.input, "--input")
    handlers: Any = read_handlers(given.handlers, machine) if given.handlers else None
    if given.mock:
        handlers = {**verbs.mock_handlers(machine, given.mock, given.test_case), **(handlers or {})}
    execution = _ended(
        lambda: machine.run(
            data,
            handlers,
            type=given.type,
            name=given.name,
            start=given.start,
            seed=given.seed,
            limits=not given.no_limits,
            max_transitions=given.max_transitions,
            s3=verbs.buckets(given.s3),
            executor=given.executor,
        )
    )
    _report_calls(execution)
    if given.history:
        _write_history(execution, given.history)
    _out_json(execution_json(execution))
    if execution.error == "KeyboardInterrupt":
        return INTERRUPTED
    return OK if execution.status == "SUCCEEDED" else FAILED


def _ended(run: Callable[[], Execution]) -> Execution:
    """Run; a loop that the budget has stopped is a failed run, with all its history, and no usage error."""
    from sfn_notebook.engine.execution import BudgetExceeded
    from sfn_notebook.sim.handlers import Unbound

    try:
        return run()
    except Unbound as error:
        raise Unbound(f"{error}\nin a Python file that is named with --handlers FILE.py") from None
    except BudgetExceeded as error:
        stopped: Any = error.execution
        if stopped is None:
            raise
        _say(f"{PROGRAM}: {error}")
        return stopped  # type: ignore[no-any-return]  # the engine does not know the facade's type


def _write_history(execution: Execution, path: str) -> None:
    try:
        execution.history.to_json(path)
    except OSError as error:
        raise CommandError(f"cannot write {path}: {error.strerror or error}") from None


def execution_json(execution: Execution) -> dict[str, Any]:
    """Describe an execution with the names that AWS's DescribeExecution uses."""
    events = execution.history.raw
    ended = execution.status != "RUNNING"
    found = {
        "name": execution.name,
        "executionArn": execution.arn,
        "status": execution.status,
        "startDate": events[0]["timestamp"].isoformat(timespec="milliseconds"),
        "stopDate": events[-1]["timestamp"].isoformat(timespec="milliseconds") if ended else None,
        "seed": execution.seed,
        "input": execution.input,
    }
    if execution.status == "SUCCEEDED":
        return {**found, "output": execution.output}
    if execution.status == "RUNNING":
        return {**found, "pending": [{"state": task.state, "token": task.token} for task in execution.pending]}
    return {**found, "error": execution.error, "cause": execution.cause}


def _report_calls(execution: Execution) -> None:
    """Pass on what the handlers printed, and where they broke."""
    from sfn_notebook.sim.outcomes import TaskError

    for record in execution.calls:
        for line in record.printed.splitlines():
            _say(f"[{record.state}] {line}")
        if record.exception is not None and not isinstance(record.exception, TaskError):
            _say(f"[{record.state}] {type(record.exception).__name__}: {record.exception}")
    for task in execution.pending:
        _say(f'{PROGRAM}: state "{task.state}" waits for an answer from outside')


def read_handlers(file: str, machine: StateMachine) -> dict[str, Any]:
    """Run a Python file and take its `handlers`, and its functions that are named like states.

    Raises:
        CommandError: the file cannot be run, or holds neither.
    """
    import runpy

    from sfn_notebook.api.verbs import state_handlers

    path = Path(file).expanduser()
    if not path.is_file():
        raise CommandError(f"--handlers: there is no file {path}")
    try:
        with contextlib.redirect_stdout(sys.stderr), _importable(path.parent):
            names = runpy.run_path(str(path))
    except Exception as error:  # a user's file may raise anything
        import traceback

        text = "".join(traceback.format_exception(error)).rstrip()
        raise CommandError(f"--handlers: {path} cannot be run\n{text}") from error
    found = names.get("handlers", {})
    if not isinstance(found, Mapping):
        raise CommandError(f"--handlers: `handlers` in {path} must be a dict, but found {type(found).__name__}")
    bound = {**state_handlers(machine, names), **found}
    if not bound:
        raise CommandError(f"--handlers: {path} has neither a dict `handlers` nor a function named like a Task state")
    return bound


@contextlib.contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Let a file import its neighbours, as a script can."""
    sys.path.insert(0, str(folder.resolve()))
    try:
        yield
    finally:
        sys.path.remove(str(folder.resolve()))


# --- check, render, export -----------------------------------------------------------------------------------------------


def _check_arguments(parser: Parser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="+", help="definitions in JSON or YAML")
    parser.add_argument("--format", choices=("text", "json", "github"), default="text", help="text by default")
    parser.add_argument("--input", "-i", metavar="JSON", help="a sample input to follow the data from: JSON, or @file")
    add_check_arguments(parser)


def _check(given: argparse.Namespace) -> int:
    from sfn_notebook.api.verbs import check_file, read_data

    access = access_of(given) if given.aws else None
    options: dict[str, Any] = {"strict": given.strict, "aws": access, "workflow_type": given.type}
    if given.input is not None:
        options["sample"] = read_data(given.input, "--input")
    reports = [report for file in given.files for report in check_file(file, **options)]
    if given.format == "json":
        _out_json([report.as_json() for report in reports])
    elif given.format == "github":
        for report in reports:
            if report.diagnostics:
                _out(report.as_github())
            _say(report.summary)
    else:
        for report in reports:
            _out(report.text)
    return OK if all(report.ok for report in reports) else USAGE


def _rules_arguments(parser: Parser) -> None:
    parser.add_argument(
        "word", metavar="WORD", nargs="?", default="", help="only the rules that have it in code or title"
    )


def _rules(given: argparse.Namespace) -> int:
    from sfn_notebook.api.reports import rules

    _out(rules(given.word).text.rstrip())
    return OK


def _render_arguments(parser: Parser) -> None:
    parser.add_argument("file", metavar="FILE", help="a definition in JSON or YAML")
    parser.add_argument("-o", "--output", metavar="OUT", required=True, help="ends in .svg, .png, .pdf, .dot or .mmd")
    parser.add_argument(
        "--theme", choices=("auto", "light", "dark"), default="auto", help="auto follows the reader's system"
    )
    parser.add_argument("--direction", choices=("TB", "LR"), default="TB", help="top to bottom, or left to right")


def _render(given: argparse.Namespace) -> int:
    from sfn_notebook.api.machine import StateMachine
    from sfn_notebook.api.verbs import render_file

    machine = StateMachine.load(Path(given.file).expanduser())
    for diagnostic in machine.errors:
        _say(f"{given.file}:{diagnostic}")
    _out(str(render_file(machine, given.output, theme=given.theme, direction=given.direction)))
    return OK


def _export_arguments(parser: Parser) -> None:
    parser.add_argument("notebook", metavar="NOTEBOOK", help="its %%%%sfn cells are exported")
    parser.add_argument("-o", "--output", metavar="DIR", required=True, help="where NAME.asl.json and NAME.asl.yaml go")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a file is missing or differs")


def _export(given: argparse.Namespace) -> int:
    from sfn_notebook.notebook.nbio import export

    done = export(given.notebook, given.output, check=given.check)
    _out_json([{"name": e.name, "path": str(e.path), "cell": e.cell, "status": e.status} for e in done])
    for entry in done:
        if not entry.ok:
            _say(f"{entry.path} is {entry.status} (cell {entry.cell} of {given.notebook} defines {entry.name})")
    if not done:
        _say(f"{given.notebook} has no %%sfn cells")
    return OK if all(entry.ok for entry in done) else FAILED


# --- lab -----------------------------------------------------------------------------------------------------------------


def _lab_arguments(parser: Parser) -> None:
    parser.add_argument("--check", action="store_true", help="run the notebooks headless instead")
    parser.add_argument("--dir", metavar="DIR", help="where to work; notebooks that are missing there are copied")
    parser.add_argument("--no-browser", action="store_true", help="print the address instead of opening a browser")
    parser.add_argument(
        "--timeout", metavar="S", type=float, default=300, help="with --check: seconds for each cell (300)"
    )


def _lab(given: argparse.Namespace) -> int:
    from sfn_notebook.notebook import lab

    if not given.check:
        lab.require_jupyterlab()
        folder = lab.working_folder(given.dir)
        _say(f"the notebooks are in {folder}; press Ctrl-C twice to stop JupyterLab")
        if lab.runs_as_root():
            _say("you are root, so JupyterLab is started with --allow-root")
        return lab.open_lab(folder, browser=not given.no_browser)
    ended = lab.check_notebooks(given.dir, given.timeout, lambda run: _say(str(run)))
    failed = sum(not run.ok for run in ended)
    _out_json({"notebooks": len(ended), "failed": failed})
    return FAILED if failed else OK


COMMANDS: Mapping[str, Command] = {
    "lab": Command("Open the tutorial in JupyterLab.", _lab_arguments, _lab),
    "run": Command("Run a definition on the virtual clock.", _run_arguments, _run),
    "check": Command("Report what is wrong with definitions.", _check_arguments, _check),
    "rules": Command("Tell what the checker finds, with examples.", _rules_arguments, _rules),
    "render": Command("Draw a definition into a file.", _render_arguments, _render),
    "export": Command("Write the %%sfn cells of a notebook as files.", _export_arguments, _export),
}
"""Every command."""

if __name__ == "__main__":
    raise SystemExit(main())
