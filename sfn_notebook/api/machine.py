"""`StateMachine`: a definition that can be looked at, checked, drawn and run.

A thin facade: reading and checking is `asl`'s, compiling and running is `engine`'s and `sim`'s, drawing is `render`'s. A machine is
immutable; what has been compiled once serves all its runs.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import Executor
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from secrets import randbits
from typing import TYPE_CHECKING, Any

from sfn_notebook.api.execution import Execution
from sfn_notebook.api.nested import bind_machines
from sfn_notebook.api.teststate import try_state
from sfn_notebook.asl import source as asl_source
from sfn_notebook.asl.check import check
from sfn_notebook.asl.rule import NO_SAMPLE
from sfn_notebook.asl.variables import variable_references
from sfn_notebook.asl.writing import to_json, to_yaml
from sfn_notebook.engine.clock import read_iso
from sfn_notebook.engine.execution import Engine
from sfn_notebook.engine.limits import Limits, Names
from sfn_notebook.engine.model import Program
from sfn_notebook.engine.program import compile_program
from sfn_notebook.errors import CommandError, DefinitionError, Diagnostic, Json, RunError, Severity
from sfn_notebook.sim.handlers import Responder
from sfn_notebook.sim.mockfile import MockFile
from sfn_notebook.strictjson import copy_json

if TYPE_CHECKING:
    import pandas as pd

    from sfn_notebook.api.debugger import Debugger
    from sfn_notebook.api.executions import Executions
    from sfn_notebook.api.history import History
    from sfn_notebook.api.replay import Replay
    from sfn_notebook.api.reports import CheckReport
    from sfn_notebook.render.digraph import StateGraph

SEEDED_START = datetime(2025, 1, 1, tzinfo=UTC)
"""When a run with a seed starts unless told otherwise, so that the same seed gives the same history."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_FORBIDDEN = '<>{}[]?*"#%\\^|~`$&,;:/'
_NAME = re.compile(rf"[^\s\x00-\x1f\x7f-\x9f{re.escape(_FORBIDDEN)}]{{1,80}}")
"""What StartExecution accepts as a name."""


class StateMachine:
    """A state machine definition in the Amazon States Language.

    Attributes:
        name: the machine's name.
        source: the text that it was read from, byte for byte.
        definition: the definition as plain JSON; treat it as read-only.
        diagnostics: problems found at loading, sorted by position.
    """

    def __init__(self, document: asl_source.Document, name: str, source: str) -> None:
        """Use `StateMachine.load`; this is its last step."""
        self.name = name
        self.source = source
        self.document = document
        self.definition: dict[str, Json] = document.value
        self.diagnostics: list[Diagnostic] = list(check(document, workflow_type=document.workflow_type or "STANDARD"))

    @classmethod
    def load(
        cls,
        source: dict[str, Json] | str | os.PathLike[str],
        name: str | None = None,
        substitutions: Mapping[str, Any] | None = None,
        logical_id: str | None = None,
        session: Any = None,
    ) -> StateMachine:
        """Load a definition.

        Args:
            source: a dict, JSON or YAML text, the path of a file with either, a CloudFormation, SAM, CDK or Serverless template
                (text or path), or the ARN of a state machine or an execution.
            name: the machine's name; by default that of the file or the logical id, else "StateMachine".
            substitutions: values for placeholders such as `${TableName}`.
            logical_id: which machine of a template that holds several.
            session: the boto3 session to ask for an ARN.

        Returns:
            A machine whose `diagnostics` tell what is wrong with it, whenever the text can be read as an object.

        Raises:
            DefinitionError: the text cannot be read; the message has line, column and the line itself.
            AwsError: the ARN's definition cannot be had.
        """
        document = asl_source.read(
            source,
            name=name,
            logical_id=logical_id,
            substitutions=substitutions,
            fetch=lambda arn: _fetch(arn, session),
        )
        return cls(document, name or document.logical_id or _default_name(source), document.text)

    def to_json(self, indent: int = 2) -> str:
        """Write the definition as JSON, keys in their order."""
        return to_json(self.definition, indent=indent)

    def to_yaml(self) -> str:
        """Write the definition as YAML, keys in their order; reading it gives the same definition."""
        return to_yaml(self.definition)

    @classmethod
    def restore(cls, definition: dict[str, Json], source: str, name: str) -> StateMachine:
        """Make the machine that was saved with its definition and its source text."""
        try:
            document = asl_source.parse(source, name=name)
        except DefinitionError:
            document = asl_source.from_value(definition, name=name)
        if document.value != definition:  # the source holds placeholders that were filled in
            document = asl_source.from_value(definition, name=name)
        return cls(document, name, source)

    def check(
        self,
        *,
        strict: bool = False,
        type: str | None = None,
        sample: Any = NO_SAMPLE,
        aws: bool = False,
        session: Any = None,
        **access: Any,
    ) -> CheckReport:
        """Report what is wrong with the definition, with the lines in question; `.frame` has it as a pandas frame.

        Args:
            strict: warnings and placeholders that nothing fills in count as errors.
            type: "STANDARD" or "EXPRESS"; by default what a template says, else STANDARD.
            sample: an input from which the data is followed through the states; without it the input may hold anything.
            aws: let the service validate it too (ValidateStateMachineDefinition); each message then names who said it.
            session: the boto3 session to ask with.
            access: `profile`, `region` and `endpoint_url` for a session of our own.

        Raises:
            AwsError: AWS cannot be asked.
        """
        from sfn_notebook.api.verbs import check_machine, with_aws

        report = check_machine(self, strict=strict, workflow_type=type, sample=sample)
        return with_aws(report, self, type, session, **access) if aws else report

    @property
    def errors(self) -> list[Diagnostic]:
        """Give the diagnostics that AWS would refuse the definition for."""
        return [d for d in self.diagnostics if d.severity is Severity.ERROR]

    @cached_property
    def program(self) -> Program:
        """Give the compiled machine.

        Raises:
            DefinitionError: the definition has errors.
        """
        if self.errors:
            raise DefinitionError(self.errors, self.document.text, self.name)
        return compile_program(self.definition)

    @cached_property
    def express_program(self) -> Program:
        """Give the compiled machine as an Express workflow.

        Raises:
            DefinitionError: the definition has errors, or uses what Express workflows do not have.
        """
        program = self.program
        found = check(self.document, workflow_type="EXPRESS")
        if errors := [d for d in found if d.severity is Severity.ERROR]:
            raise DefinitionError(errors, self.document.text, self.name)
        return program

    def run(
        self,
        input: Any = None,
        handlers: Mapping[str, Any] | MockFile | None = None,
        *,
        type: str = "STANDARD",
        name: str | None = None,
        start: datetime | str | None = None,
        seed: int | None = None,
        limits: bool = True,
        max_transitions: int | None = None,
        s3: Any = None,
        executor: Executor | str | None = None,
        keep_children: str = "all",
        progress: bool = False,
        realtime: bool = False,
    ) -> Execution:
        """Run the machine on the virtual clock, answering its tasks with `handlers`.

        Args:
            input: any JSON value, {} by default. It is copied.
            handlers: who answers which task, by state name, resource ARN, ARN pattern or "*": a callable `f(input)` or
                `f(input, context)`, a JSON constant, `Outcomes`, `After` or `Raw`; another `StateMachine`, under a name as
                above or its own, answers `startExecution`. A callable's exception fails the task. Or a
                `MockFile`, a test case in the format of Step Functions Local.
            type: "STANDARD" or "EXPRESS".
            name: the execution's name; made from the seed by default.
            start: when the execution starts, an aware datetime or ISO-8601 text; now by default.
            seed: decides jitter, tokens, UUIDs and random numbers. The same seed gives the same history (without `start`, such a
                run starts on 2025-01-01).
            limits: enforce the service's limits (payload, events, duration).
            s3: where a Distributed Map reads items and writes results: a dict from bucket to folder, or to a dict from key to content,
                or a boto3 S3 client.
            executor: where callables run: None for here one after the other, "threads", "processes", or any
                `concurrent.futures.Executor`. What they answer, not when, decides the history.
            progress: show a bar with the items and tasks that are done, failed and running.
            realtime: let waits, retries and timeouts take as long as on AWS; the history is the same.
            keep_children: which histories of a Distributed Map's child executions to keep: "all", "failed" or "none".
            max_transitions: transitions without virtual time passing after which an endless loop is assumed; 1,000,000 by default.

        Returns:
            The execution: SUCCEEDED, FAILED, TIMED_OUT, or RUNNING where it waits for an answer from outside.

        Raises:
            DefinitionError: the definition has errors.
            RunError: the input is no JSON, a task has no handler, a handler's answer is no JSON, or an endless loop was stopped.
        """
        execution = self.begin(
            input, handlers, type=type, name=name, start=start, seed=seed, limits=limits, max_transitions=max_transitions,
            s3=s3, executor=executor, keep_children=keep_children,
        )  # fmt: skip
        execution.progress, execution.realtime = progress, realtime
        execution.go_on()
        return execution

    def begin(
        self,
        input: Any = None,
        handlers: Mapping[str, Any] | MockFile | None = None,
        *,
        type: str = "STANDARD",
        name: str | None = None,
        start: datetime | str | None = None,
        seed: int | None = None,
        limits: bool = True,
        max_transitions: int | None = None,
        s3: Any = None,
        executor: Executor | str | None = None,
        keep_children: str = "all",
    ) -> Execution:
        """Start an execution without taking a step, for whoever drives it; arguments and errors are those of `run`."""
        if type not in ("STANDARD", "EXPRESS"):
            raise CommandError(f'type is "STANDARD" or "EXPRESS", but found {type!r}')
        _check_numbers(seed, max_transitions)
        if name is not None and not (isinstance(name, str) and _NAME.fullmatch(name)):
            raise CommandError(
                f"an execution's name has 1 to 80 characters without spaces and {_FORBIDDEN}, but found {name!r}"
            )
        program = self.program if type == "STANDARD" else self.express_program
        data = copy_json({} if input is None else input, "the input")
        seed_used = randbits(48) if seed is None else seed
        names = Names(self.name, name or f"run-{seed_used & 0xFFFFFFFFFFFF:012x}", type)
        began = _moment(start, seeded=seed is not None)
        bounds = Limits.of(type, enforced=limits, transitions=max_transitions)
        if keep_children not in ("all", "failed", "none"):
            raise CommandError(f'keep_children is "all", "failed" or "none", but found {keep_children!r}')
        if isinstance(handlers, MockFile):
            handlers = handlers.handlers_for(self.name, {state.name for state in program.states})

        def engine() -> Engine:
            made = Engine(program, data, names, bounds, began, seed_used)
            made.keep_children = keep_children
            return made

        nested: list[Execution] = []
        if isinstance(handlers, Mapping):
            handlers = bind_machines(handlers, nested)
        execution = Execution(self, engine, Responder(handlers, s3, executor))
        execution.nested = nested
        return execution

    def run_many(
        self,
        inputs: Any,
        handlers: Mapping[str, Any] | None = None,
        executor: Executor | str | None = None,
        *,
        progress: bool = True,
        **options: Any,
    ) -> Executions:
        """Run the machine once per input.

        Args:
            inputs: a list of inputs, or a DataFrame with a row per input (missing values become null).
            handlers: as for `run`.
            executor: where whole runs go: None for here one after the other, "threads", "processes", or any
                `concurrent.futures.Executor`.
            progress: show a progress bar.
            options: further arguments of `run`; with a `seed`, run number i gets seed + i.

        Returns:
            The executions, in the order of the inputs. Ctrl-C gives those that have ended.

        Raises:
            DefinitionError: the definition has errors.
            RunError: as for `run`; the message begins with the number of the run.
        """
        from sfn_notebook.api.executions import run_all

        return run_all(self, inputs, handlers, executor, options, progress=progress)

    def debug(
        self,
        input: Any = None,
        handlers: Mapping[str, Any] | MockFile | None = None,
        **options: Any,
    ) -> Debugger:
        """Start a run and stand before its first state; arguments, options and errors are those of `api.debugger.debug`."""
        from sfn_notebook.api.debugger import debug

        return debug(self, input, handlers, **options)

    def replay(
        self,
        history: History | Execution,
        handlers: Mapping[str, Any] | None = None,
        *,
        ignore: Collection[str] = (),
        **options: Any,
    ) -> Replay:
        """Run a history again with its recorded task outcomes and compare; see `api.replay.replay`."""
        from sfn_notebook.api.replay import replay

        return replay(self, history, handlers, ignore=ignore, **options)

    def backtest(
        self,
        histories: Iterable[Any],
        handlers: Mapping[str, Any] | None = None,
        *,
        ignore: Collection[str] = (),
        **options: Any,
    ) -> pd.DataFrame:
        """Run many histories again: one row each with the verdict same, changed, fixed, broken or unknown; see `api.replay.backtest`."""
        from sfn_notebook.api.replay import backtest

        return backtest(self, histories, handlers, ignore=ignore, **options)

    def test_state(
        self,
        name: str | None = None,
        *,
        input: Any = None,
        mock: Mapping[str, Any] | None = None,
        context: Any = None,
        variables: Any = None,
        state_configuration: Mapping[str, Any] | None = None,
        inspection_level: str = "INFO",
        role_arn: str | None = None,
        seed: int | None = None,
    ) -> dict[str, Any]:
        """Test one state as AWS's TestState does, with AWS's names in the answer; see `api.teststate.try_state`.

        Args:
            name: the state; the start state by default.
            input: its input. As for `context` and `variables`, text is read as JSON text.
            mock: `{"result": …}` or `{"errorOutput": {"error": …, "cause": …}}`, with `fieldValidationMode` if wanted.
            context: the context object, in place of the default one.
            variables: the state variables.
            state_configuration: retrierRetryCount, errorCausedByState, mapIterationFailureCount, mapItemReaderData.
            inspection_level: "INFO", "DEBUG" or "TRACE".
            role_arn: the role, which AWS demands for tasks without a mock.
            seed: decides random values.

        Returns:
            output, error, cause, nextState, status and inspectionData as AWS gives them.

        Raises:
            CommandError: AWS would refuse the request; its `code` and `message` are AWS's.
        """
        return try_state(
            self, name, input=input, mock=mock, context=context, variables=variables, state_configuration=state_configuration,
            inspection_level=inspection_level, role_arn=role_arn, seed=seed,
        )  # fmt: skip

    def variable_references(self) -> dict[str, list[str]]:
        """Give the variables that each state refers to, as DescribeStateMachine's `variableReferences` does."""
        return variable_references(self.definition)

    def graph(self, history: History | None = None, *, theme: str = "auto", direction: str = "TB") -> StateGraph:
        """Draw the machine.

        Args:
            history: lay this run over it.
            theme: "auto" (follows the page), "light" or "dark".
            direction: "TB" or "LR".

        Returns:
            A `graphviz.Digraph` that shows itself in a notebook; `.pipe(format="png")` and `.render(path)` work without
            Graphviz on the machine.
        """
        from sfn_notebook.api.pictures import machine_graph

        return machine_graph(self, history, theme, direction)

    def __repr__(self) -> str:
        return f"<StateMachine {self.name!r}: {len(self.definition.get('States') or ())} states, {len(self.errors)} errors>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:  # noqa: ARG002 - IPython's signature
        from sfn_notebook.api.pictures import machine_bundle

        return machine_bundle(self)


def _fetch(arn: str, session: Any) -> str:
    from sfn_notebook.aws.fetch import fetch_definition

    return fetch_definition(arn, session).text


def _default_name(source: Any) -> str:
    if isinstance(source, str) and source.startswith("arn:"):
        return re.sub(r"[^\w.-]", "-", source.split(":")[6])[:80] if source.count(":") >= 6 else "StateMachine"
    if isinstance(source, os.PathLike) or (
        isinstance(source, str) and "\n" not in source and not source.lstrip().startswith("{")
    ):
        stem = re.sub(r"(\.asl)?\.(json|ya?ml|asl|txt)$", "", Path(source).name)
        return re.sub(r"[^\w.-]", "-", stem)[:80] or "StateMachine"
    return "StateMachine"


def _check_numbers(seed: Any, max_transitions: Any) -> None:
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int)):
        raise CommandError(f"seed is a whole number, but found {seed!r}")
    good = isinstance(max_transitions, int) and not isinstance(max_transitions, bool) and max_transitions > 0
    if max_transitions is not None and not good:
        raise CommandError(f"max_transitions is a whole number above 0, but found {max_transitions!r}")


def _moment(start: datetime | str | None, *, seeded: bool) -> int:
    """Give the start of a run in milliseconds since 1970."""
    if start is None:
        return int((SEEDED_START - _EPOCH).total_seconds() * 1000) if seeded else int(time.time() * 1000)
    if isinstance(start, str):
        moment = read_iso(start)
        if moment is None:
            raise RunError(
                f"start must be an ISO-8601 date-time with offset, such as 2026-01-31T12:00:00Z, but found {start!r}"
            )
        return moment
    if not isinstance(start, datetime):
        raise RunError(f"start is an aware datetime or ISO-8601 text, but found {start!r}")
    if start.tzinfo is None:
        raise RunError(f"start must have a time zone, but found {start!r}; use datetime(..., tzinfo=timezone.utc)")
    return round((start - _EPOCH).total_seconds() * 1000)
