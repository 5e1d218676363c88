"""`Execution`: one run of a machine, finished or waiting for an answer from outside.

Holds the engine and the handlers' side of the story (what they printed and raised); everything about states and data is read from
the history, which has the same shape for a local run and for one on AWS.
"""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfn_notebook.api.children import described, histories
from sfn_notebook.api.history import History
from sfn_notebook.api.inspection import inspect_visit
from sfn_notebook.api.progress import shown
from sfn_notebook.engine.execution import BudgetExceeded, Engine
from sfn_notebook.engine.frames import Outcome
from sfn_notebook.engine.freeze import freeze, thaw
from sfn_notebook.engine.task import TaskCall
from sfn_notebook.errors import CommandError, Json, RunError
from sfn_notebook.history.logwriting import log_records
from sfn_notebook.sim.driver import RealTime, drive
from sfn_notebook.sim.handlers import CallRecord, Responder
from sfn_notebook.strictjson import copy_json

if TYPE_CHECKING:
    from sfn_notebook.api.executions import Executions
    from sfn_notebook.api.machine import StateMachine

FORMAT = 1
Answered = tuple[Outcome | None, float]
"""The outcome of a task (None: it comes from outside) and the seconds until it comes."""


@dataclass(frozen=True, slots=True)
class PendingTask:
    """A task whose answer comes from outside: a callback, an activity, a human.

    Attributes:
        token: what `send_task_success` and its siblings take.
        state: name of the Task state.
        input: what the task was given.
    """

    token: str
    state: str
    resource: str
    input: Json


class Journal:
    """Keeps what a responder answered, so that the same answers can be given again without asking it."""

    def __init__(self, responder: Responder, given: Iterable[list[Answered]] = ()) -> None:
        self.responder = responder
        self.answers = list(given)
        self._again = deque(self.answers)

    def respond(self, calls: Sequence[TaskCall]) -> list[Answered]:
        """Answer a batch: as before while there are answers of before, then by the responder."""
        if self._again:
            return self._again.popleft()
        self.answers.append(self.responder.respond(calls))
        return self.answers[-1]


class Execution:
    """A run of a state machine.

    Attributes:
        machine: the machine that runs.
        calls: one record per handler call, in order: what it printed, what it raised.
    """

    def __init__(self, machine: StateMachine, begin: Callable[[], Engine], responder: Responder) -> None:
        """Use `StateMachine.run`; `begin` makes the engine anew, as it stood before anything was answered."""
        self.machine = machine
        self.engine = begin()
        self._begin = begin
        self._responder = responder
        self._journal = Journal(responder)
        self.nested: list[Execution] = []
        """The executions of other machines that were started by it."""
        self.progress = False
        self.realtime = False
        """Whether virtual time passes as slowly as real time."""
        self._waited = 0
        """The moment to which time has passed in the execution that this one resumes."""
        self._told: list[tuple[str, Any]] = []
        """What was asked of the execution so far, in order: to run, to take an answer from outside, to let time pass."""
        self._history: History | None = None
        self._output: tuple[Json] | None = None

    # ---- what it has come to

    @property
    def status(self) -> str:
        """RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED."""
        return self.engine.status

    @property
    def output(self) -> Json:
        """The output of a succeeded execution, else None. It is the caller's own copy."""
        if self._output is None:
            if self.status != "SUCCEEDED":
                return None
            self._output = (copy_json(self.engine.output),)
        return self._output[0]

    @property
    def input(self) -> Json:
        """The input, as the caller's own copy."""
        return copy_json(self.engine.input)

    @property
    def error(self) -> str | None:
        """The error name of a failed execution."""
        return self.engine.failure.error if self.engine.failure else None

    @property
    def cause(self) -> str | None:
        """The cause of a failed execution."""
        return self.engine.failure.cause if self.engine.failure else None

    @property
    def name(self) -> str:
        """The execution's name."""
        return self.engine.names.execution

    @property
    def arn(self) -> str:
        """The ARN that the execution goes by in its history."""
        return self.engine.names.execution_arn

    @property
    def seed(self) -> int:
        """The seed that repeats this run."""
        return int(self.engine.seed)

    @property
    def history(self) -> History:
        """The events so far."""
        if self._history is None or len(self._history) != len(self.engine.log) // 5:
            self._history = History.of_log(self.engine.log)
        return self._history

    @property
    def responder(self) -> Responder:
        """Who answers the tasks."""
        return self._responder

    def log_records(self, *, level: str = "ALL", include_execution_data: bool = True) -> list[dict[str, Json]]:
        """Give the history as CloudWatch Logs has it, which for an Express execution is the only one there is.

        Args:
            level: "ALL", "ERROR", "FATAL" or "OFF", as in the service's LoggingConfiguration.
            include_execution_data: with inputs and outputs.

        Raises:
            CommandError: there is no such level.
        """
        return list(log_records(self.history.raw, self.arn, level=level, include_execution_data=include_execution_data))

    @property
    def calls(self) -> list[CallRecord]:
        """One record per handler call, in order."""
        return self._responder.records

    def inspect(self, visit: Any) -> dict[str, Json]:
        """Give every stage of the data flow of one state visit, with the names of TestState's `inspectionData`.

        Args:
            visit: the id of its StateEntered event, or a row of `history.states`.

        Raises:
            CommandError: there is no such visit.
        """
        return inspect_visit(self.history, self.machine, visit, self.engine.names)

    def map_runs(self) -> list[dict[str, Any]]:
        """Describe the Map Runs of its Distributed Maps as AWS's DescribeMapRun does, oldest first: status, item and execution counts."""
        return [described(run) for run in self.engine.map_runs]

    def children(self, map_run: str | None = None) -> Executions:
        """Give the histories of the child executions of its Distributed Maps, as far as `keep_children` let them be kept.

        They are executions of their own: frames, failures and `StateMachine.replay` take them like those that
        `Executions.from_aws(map_run_arn)` fetches.

        Args:
            map_run: the `mapRunArn` of one of `map_runs`; all of them by default.

        Raises:
            CommandError: there is no such Map Run.
        """
        from sfn_notebook.api.executions import Executions

        runs = [run for run in self.engine.map_runs if map_run in (None, run.arn)]
        if map_run is not None and not runs:
            raise CommandError(f"this execution has no Map Run {map_run!r}: map_runs() lists them")
        return Executions(history for run in runs for history in histories(run))

    # ---- answers from outside

    @property
    def pending(self) -> list[PendingTask]:
        """The tasks that wait for an answer from outside, those of child executions included."""
        waiting = [frame for engine in self._engines() for frame in engine.tasks.values() if frame.outside]
        return [
            PendingTask(f.token, f.state.name, f.state.definition["Resource"], copy_json(f.request)) for f in waiting
        ]

    def _engines(self) -> Iterator[Engine]:
        """Give the engine and those of all child executions under way."""
        engines = [self.engine]
        while engines:
            engine = engines.pop()
            yield engine
            engines.extend(child for run in engine.map_runs for child in run.active.values())

    def send_task_success(self, token: str, output: Any) -> Execution:
        """Answer a pending task with its output (any JSON value) and run on; gives the execution itself.

        Raises:
            RunError: no task waits under this token, or the output is no JSON.
        """
        return self._answer(token, Outcome("succeeded", copy_json(output, "the output")))

    def send_task_failure(self, token: str, error: str | None = None, cause: str | None = None) -> Execution:
        """Fail a pending task and run on; gives the execution itself.

        Raises:
            RunError: no task waits under this token.
        """
        for name, value, most in (("error", error, 256), ("cause", cause, 32_768)):
            if value is not None and (not isinstance(value, str) or len(value) > most):
                raise RunError(f"{name} is text of at most {most:,} characters, but found {value!r:.80}")
        return self._answer(token, Outcome("failed", error=error, cause=cause))

    def send_task_heartbeat(self, token: str) -> Execution:
        """Report that a pending task is alive: its HeartbeatSeconds start anew.

        Raises:
            RunError: no task waits under this token.
        """
        engine, task = self._waiting(token)
        engine.heartbeat(task)
        self._told.append(("heartbeat", token))
        return self

    def advance(self, seconds: float) -> Execution:
        """Let virtual time pass, timeouts of pending tasks included, and run on; gives the execution itself."""
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < float("inf"):
            raise RunError(f"advance needs a number of seconds from 0, but found {seconds!r}")
        until = self.engine.world.now + round(seconds * 1000)
        self._told.append(("advance", until))
        self._advance(until)
        return self

    def _advance(self, until: int) -> None:
        pace = self._pace() if self.realtime else None
        self._drive(until, pace)
        if pace is not None and self.status == "RUNNING":
            pace(until)
        self.engine.pass_time(until)

    def _waiting(self, token: str) -> tuple[Engine, int]:
        for engine in self._engines():
            for task, frame in engine.tasks.items():
                if frame.outside and frame.token == token:
                    return engine, task
        known = ", ".join(task.token[:8] + "…" for task in self.pending) or "none"
        raise RunError(
            f"no task waits for the token {token!r} (it was answered, timed out, or never issued); pending: {known}"
        )

    def _answer(self, token: str, outcome: Outcome) -> Execution:
        engine, task = self._waiting(token)
        self._told.append(("answer", (token, outcome)))
        engine.answer(task, outcome)
        self._drive(None)
        return self

    # ---- going on

    def go_on(self) -> None:
        """Run as far as it goes without an answer from outside."""
        self._told.append(("run", None))
        self._drive(None)

    def bind(self, handlers: Mapping[str, Any]) -> None:
        """Let others answer the tasks from here on."""
        self._responder = self._responder.bound(handlers)
        self._journal.responder = self._responder

    def resume(self, handlers: Mapping[str, Any] | None = None) -> Execution:
        """Go on from where Ctrl-C or the budget of transitions stopped the execution.

        A new execution is run to the same point with the answers that there were, without calling anybody again, and then goes on.
        This one stays as it is.

        Args:
            handlers: who answers the further tasks; those of this execution by default.

        Raises:
            RunError: the execution was not stopped from outside.
        """
        if self.status != "ABORTED":
            raise RunError(f"only an ABORTED execution can be resumed, but this one is {self.status}")
        responder = self._responder if handlers is None else Responder(handlers, self._responder.storage)
        again = Execution(self.machine, self._begin, responder)
        again._journal = Journal(responder, self._journal.answers)
        again.progress, again.realtime, again._waited = self.progress, self.realtime, self.engine.world.now
        for what, data in self._told:
            again._tell(what, data)
        return again

    def _tell(self, what: str, data: Any) -> None:
        """Do once more what was asked of another execution."""
        match what:
            case "run":
                self.go_on()
            case "heartbeat":
                self.send_task_heartbeat(data)
            case "answer":
                self._answer(*data)
            case "advance":
                self._told.append((what, data))
                self._advance(data)

    def _drive(self, until: int | None, pace: Callable[[int], None] | None = None) -> None:
        if self.realtime and pace is None:
            pace = self._pace()
        try:
            if not self.progress:
                drive(self.engine, self._journal, until, pace=pace)
                return
            with shown(self.engine, self.machine.name) as watch:
                drive(self.engine, self._journal, until, watch, pace)
        except BudgetExceeded as error:
            self.engine.abort("BudgetExceeded", str(error))
            error.execution = self
            raise
        except KeyboardInterrupt:
            self.engine.abort("KeyboardInterrupt", "interrupted by the user")
        finally:
            self._responder.close()

    def _pace(self) -> Callable[[int], None]:
        clock = RealTime(self.engine.world.now)

        def pace(moment: int) -> None:
            if moment <= self._waited:
                clock.start(moment)  # what has been waited for once is not waited for again
            else:
                clock.reach(moment)

        return pace

    # ---- saving

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the execution, in whatever state it is, as JSON. Handlers are not part of it.

        Raises:
            RunError: the file cannot be written.
        """
        saved = {
            "format": FORMAT,
            "name": self.machine.name,
            "source": self.machine.source,
            "definition": self.machine.definition,
            "execution": freeze(self.engine),
        }
        try:
            Path(path).write_text(json.dumps(saved, separators=(",", ":")), encoding="ascii")
        except OSError as error:
            raise RunError(f"the execution cannot be written to {path}: {error.strerror}") from error

    @classmethod
    def load(cls, path: str | os.PathLike[str], handlers: Mapping[str, Any] | None = None) -> Execution:
        """Read a saved execution; `handlers` answer its further tasks.

        Raises:
            RunError: the file is no saved execution.
        """
        from sfn_notebook.api.machine import StateMachine

        try:
            saved = json.loads(Path(path).read_text(encoding="utf-8"))
            if saved["format"] != FORMAT:
                raise RunError(f"{path} was saved in format {saved['format']}, but this version reads format {FORMAT}")
            machine = StateMachine.restore(saved["definition"], saved["source"], saved["name"])
            return cls(machine, lambda: thaw(machine.program, saved["execution"]), Responder(handlers))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(f"{path} is no saved execution: {error}") from error

    def __repr__(self) -> str:
        end = f" error={self.error!r}" if self.error else ""
        return f"<Execution {self.name!r} of {self.machine.name!r}: {self.status}, {len(self.history)} events{end}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:  # noqa: ARG002 - IPython's signature
        from sfn_notebook.api.pictures import ALL_KINDS, execution_bundle

        return execution_bundle(self, kinds=include or ALL_KINDS)
