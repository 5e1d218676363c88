"""The verbs that the magics and the command line share: load, check, render, write, and what they take from files.

Each is one function from plain arguments to an object of `api`; it neither prints nor knows who asked. Names of machines follow the
rules of AWS, so that what is tried here can be deployed there. What goes wrong is a `SfnError` with a message of its own.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sfn_notebook.api.machine import StateMachine
from sfn_notebook.api.pictures import machine_graph
from sfn_notebook.api.reports import CheckReport
from sfn_notebook.asl import source as asl_source
from sfn_notebook.asl.check import check
from sfn_notebook.asl.rule import NO_SAMPLE
from sfn_notebook.errors import CommandError, DefinitionError, Diagnostic, Json, RunError, Severity
from sfn_notebook.strictjson import parse_json

PICTURES = {
    ".svg": "svg",
    ".png": "png",
    ".pdf": "pdf",
    ".dot": "dot",
    ".gv": "dot",
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
}
"""Endings of picture files and what is written into them."""

_BAD_IN_NAME = re.compile(r"[\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]")


def check_name(name: str) -> str:
    """Give the name back when AWS would take it as the name of a state machine.

    Raises:
        CommandError: it is empty, too long, or holds a character that is not allowed.
    """
    if not name:
        raise CommandError("the name of a machine must not be empty")
    bad = _BAD_IN_NAME.search(name)
    if bad is not None:
        raise CommandError(
            f"the name of a machine must not hold {bad[0]!r}, as AWS does not allow it, but found {name[:100]!r}"
        )
    if len(name) > 80:
        raise CommandError(f"the name of a machine has at most 80 characters, but {name[:20]!r}… has {len(name)}")
    return name


def load(
    source: str | Path | dict[str, Json],
    name: str | None = None,
    substitutions: Mapping[str, Any] | None = None,
    *,
    strict: bool = False,
) -> StateMachine:
    """Load a definition and refuse it when it has errors.

    Args:
        source: text, path or dict.
        name: of the machine.
        substitutions: values for `${…}` placeholders.
        strict: refuse it for warnings too, and for placeholders that nothing fills in.

    Raises:
        DefinitionError: with every problem that it is refused for.
    """
    machine = StateMachine.load(source, name=name, substitutions=substitutions)
    return _accepted(machine, str(source) if isinstance(source, Path) else machine.name, strict=strict)


def load_text(
    text: str, name: str, substitutions: Mapping[str, Any] | None = None, *, strict: bool = False, lines_above: int = 0
) -> StateMachine:
    """Load a definition that stands below other lines: as `load`, with every position counted from the top of those.

    The machine's `source` is the text alone.
    """
    document = asl_source.parse("\n" * lines_above + text, name=name, substitutions=substitutions)
    return _accepted(StateMachine(document, name, text), name, strict=strict)


def draft_of(text: str, name: str, substitutions: Mapping[str, Any] | None = None) -> StateMachine | None:
    """Read a definition that may have errors, to show them on its graph; None where the text cannot be read at all."""
    try:
        return StateMachine(asl_source.parse(text, name=name, substitutions=substitutions), name, text)
    except DefinitionError:
        return None


def _accepted(machine: StateMachine, called: str, *, strict: bool) -> StateMachine:
    refused = machine.errors
    if strict:
        refused = [replace(diagnostic, severity=Severity.ERROR) for diagnostic in problems(machine, strict=True)]
    if refused:
        raise DefinitionError(refused, machine.document.text, called)
    return machine


def problems(
    machine: StateMachine, *, strict: bool = False, workflow_type: str | None = None, sample: Json = NO_SAMPLE
) -> list[Diagnostic]:
    """Give the diagnostics of a machine.

    Args:
        machine: the machine.
        strict: a placeholder that nothing fills in is an error.
        workflow_type: STANDARD or EXPRESS; by default what the template says, else STANDARD.
        sample: an input from which the data is followed; without it the input may hold anything.
    """
    document = machine.document
    if not strict and workflow_type in (None, document.workflow_type) and sample is NO_SAMPLE:
        return machine.diagnostics
    kind = workflow_type or document.workflow_type or "STANDARD"
    return list(check(document, strict=strict, workflow_type=kind, sample=sample))


def check_machine(
    machine: StateMachine,
    name: str | None = None,
    *,
    strict: bool = False,
    workflow_type: str | None = None,
    sample: Json = NO_SAMPLE,
) -> CheckReport:
    """Report on a machine that was loaded; the arguments are those of `problems`."""
    found = tuple(problems(machine, strict=strict, workflow_type=workflow_type, sample=sample))
    return CheckReport(name or machine.name, found, machine.document.text, strict)


def check_file(
    path: str,
    *,
    strict: bool = False,
    aws: Mapping[str, Any] | None = None,
    workflow_type: str | None = None,
    sample: Json = NO_SAMPLE,
) -> list[CheckReport]:
    """Report on each definition in a file, of which a template may hold several.

    What cannot be read is one error, and the other machines are checked all the same; a definition that only a deployment knows is
    a warning.

    Args:
        path: of a definition, a template or a notebook.
        strict: warnings and placeholders that nothing fills in count as errors.
        aws: how to reach AWS (`profile`, `region`, `endpoint_url`), to let the service validate it too
            (ValidateStateMachineDefinition) and merge both lists; None for not asking.
        workflow_type: STANDARD or EXPRESS; by default what a template says, else STANDARD.
        sample: an input from which the data is followed.
    """
    try:
        found = asl_source.documents(Path(path))
    except DefinitionError as error:
        return [CheckReport(path, error.diagnostics, error.source, strict)]
    lines = asl_source.notebook_lines(Path(path)) if path.endswith(".ipynb") else None
    reports = []
    for one, document in found:
        if isinstance(document, DefinitionError):
            report = CheckReport("", _out_of_reach(document), document.source, strict)
        else:
            machine = StateMachine(document, one or Path(path).stem, document.text)
            report = check_machine(machine, strict=strict, workflow_type=workflow_type, sample=sample)
            report = report if aws is None else with_aws(report, machine, workflow_type, **aws)
        reports.append(_located(report, path, document.name, one if len(found) > 1 else None, lines))
    return reports


def _out_of_reach(error: DefinitionError) -> tuple[Diagnostic, ...]:
    """Give the problems of a definition that cannot be read; that only a deployment knows it is none that AWS refuses."""
    return tuple(
        replace(found, severity=Severity.WARNING) if found.code == asl_source.ELSEWHERE else found
        for found in error.diagnostics
    )


def _located(
    report: CheckReport,
    path: str,
    called: str | None,
    machine: str | None,
    lines: Mapping[str, tuple[int, ...]] | None,
) -> CheckReport:
    """Name the report by the file, or the one that the file names, and the machine."""
    name = path if called in (None, str(Path(path).expanduser())) else str(called)
    file = name if lines is None else path
    shown = name if machine is None else f"{name} ({machine})"
    in_file = None if lines is None else lines.get(machine or next(iter(lines), ""), ())
    return replace(report, name=shown, path=file, machine=machine, lines=in_file)


def with_aws(
    report: CheckReport, machine: StateMachine, workflow_type: str | None = None, session: Any = None, **access: Any
) -> CheckReport:
    """Add what AWS says about the machine; each message then names who said it.

    Args:
        report: what our own check says.
        machine: the machine.
        workflow_type: STANDARD or EXPRESS; by default what the template says, else STANDARD.
        session: a boto3 session; one of our own by default.
        access: `profile`, `region` and `endpoint_url` for a session of our own.

    Raises:
        AwsError: AWS cannot be asked.
    """
    from sfn_notebook.aws.validate import ask, merge

    kind = workflow_type or machine.document.workflow_type or "STANDARD"
    judged = merge(
        list(report.diagnostics), list(ask(machine.document, session, workflow_type=kind, **access).diagnostics)
    )
    marked = tuple(
        replace(one.diagnostic, message=f"[{' + '.join(one.by)}] {one.diagnostic.message}") for one in judged
    )
    return replace(report, diagnostics=marked)


def render_file(
    machine: StateMachine, path: str, *, theme: str = "auto", direction: str = "TB", history: Any = None
) -> Path:
    """Write a machine's graph into a file; the ending decides the format: svg, png, pdf, dot or mmd.

    Raises:
        CommandError: the ending is unknown, or the file cannot be written.
        RenderError: the graph cannot be drawn.
    """
    target = Path(path).expanduser()
    kind = PICTURES.get(target.suffix.lower())
    if kind is None:
        endings = ", ".join(PICTURES)
        raise CommandError(f"{path!r} must end in one of {endings}, which decides what is drawn")
    graph = machine_graph(machine, history, theme, direction)
    if kind == "mermaid":
        from sfn_notebook.render.mermaid import mermaid_source

        data = mermaid_source(machine.definition, direction=direction).encode()
    elif kind == "dot":
        data = graph.source.encode()
    else:
        data = graph.pipe(kind)
    return write_bytes(target, data)


def write_bytes(target: Path, data: bytes) -> Path:
    """Write a file, and make its folder where it is missing.

    Raises:
        CommandError: the system refuses.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    except OSError as error:
        raise CommandError(f"cannot write {target}: {error.strerror or error}") from None
    return target


def read_data(argument: str, what: str = "the input") -> Json:
    """Read data given as JSON text, or as `@file` with JSON in it.

    Raises:
        RunError: it is not JSON, or the file cannot be read.
    """
    if argument.startswith("@"):
        if argument == "@":
            raise RunError(f"{what}: after @ stands the name of a file")
        path = Path(argument[1:]).expanduser()
        return parse_json(_text(read_bytes(path, what), f"{what} in {path}"), f"{what} in {path}")
    return parse_json(argument, what)


def _text(data: bytes, what: str) -> str:
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        byte = data[error.start]
        raise RunError(
            f"{what} is no text: the byte 0x{byte:02X} at offset {error.start} is not {error.encoding.upper()}"
        ) from None


def read_bytes(path: Path, what: str) -> bytes:
    """Read a file.

    Raises:
        RunError: there is no such file, or it cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        names = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        close = difflib.get_close_matches(path.name, names, n=1)
        hint = f"; did you mean {path.parent / close[0]}?" if close else ""
        raise RunError(f"{what}: there is no file {path}{hint}") from None
    except OSError as error:
        raise RunError(f"{what}: cannot read {path}: {error.strerror or error}") from None


def state_handlers(machine: StateMachine, functions: Mapping[str, Any]) -> dict[str, Any]:
    """Choose the functions that are named like a Task state of the machine."""
    from inspect import isroutine

    from sfn_notebook.asl.topology import topology

    tasks = {node.name for node in topology(machine.definition).nodes if node.type == "Task"}
    return {name: functions[name] for name in tasks if name in functions and isroutine(functions[name])}


def mock_handlers(machine: StateMachine, file: str, test_case: str | None) -> dict[str, Any]:
    """Read the handlers of a test case from a mock configuration file of Step Functions Local.

    Args:
        machine: the machine to run; a file with a single machine serves it whatever its name.
        file: path of the file.
        test_case: name of the test case; None where there is only one.

    Raises:
        CommandError: no test case is named and there are several.
        RunError: the file cannot be read, or has no such machine or test case.
    """
    from sfn_notebook.sim.mockfile import MockFile

    mock = MockFile(file, test_case or "")
    machines = mock.content.get("StateMachines") or {}
    name = machine.name if machine.name in machines or len(machines) != 1 else next(iter(machines))
    if test_case is None:
        cases = list((machines.get(name) or {}).get("TestCases") or ())
        if len(cases) != 1:
            raise CommandError(f"--test-case is needed: {file} has {', '.join(cases) or 'none'} for {name}")
        mock = MockFile(file, cases[0])
    return mock.handlers_for(name, {state.name for state in machine.program.states})


def buckets(given: Sequence[str] | None) -> dict[str, str] | None:
    """Read `BUCKET=FOLDER` options.

    Raises:
        CommandError: one of them is not of that form, or its folder does not exist.
    """
    if not given:
        return None
    found = {}
    for item in given:
        bucket, equals, folder = item.partition("=")
        if not equals or not bucket or not Path(folder).expanduser().is_dir():
            raise CommandError(f"--s3 takes BUCKET=FOLDER with a folder that exists, but found {item!r}")
        found[bucket] = str(Path(folder).expanduser())
    return found
