"""`Debugger`: step through a run, look, go back, change, go on.

A position is a number of events. Going forward past the last recorded event lets the engine run just far enough for one more; going
back only moves the position, and never calls a handler. `edit`, `answer`, `fail` and `skip_wait` in the past set the run back to the
position first; the line that is given up by that stays as a branch. This module owns the position, the breakpoints and the branches:
the run with its past is `sim.line`'s business, what there is to see at a stop `api.stops`'s, and the file of a saved debugger
`api.debugger_saving`'s.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sfn_notebook.api import debugger_saving, stops
from sfn_notebook.api.branches import Branch, ChildOf
from sfn_notebook.api.children import why_without
from sfn_notebook.api.execution import Execution
from sfn_notebook.api.history import History
from sfn_notebook.api.stops import Stage, Where
from sfn_notebook.engine.distributed import MapRun
from sfn_notebook.engine.frames import Frame, Outcome
from sfn_notebook.engine.freeze import freeze, thaw
from sfn_notebook.engine.log import STRIDE
from sfn_notebook.errors import CommandError, Json
from sfn_notebook.history.events import ENTERED, EXITED, Event, details
from sfn_notebook.history.places import scope_of
from sfn_notebook.history.snapshot import Snapshot
from sfn_notebook.sim.answering import Answering, Confirm, Recorded
from sfn_notebook.sim.breakpoints import Breakpoint, Breakpoints, Holds
from sfn_notebook.sim.handlers import Responder
from sfn_notebook.sim.line import Line, PendingTask, is_of, visit_at
from sfn_notebook.sim.recording import Recording
from sfn_notebook.sim.tape import call_of
from sfn_notebook.strictjson import copy_json

if TYPE_CHECKING:
    from sfn_notebook.api.machine import StateMachine

_KEEP: Any = object()
"""Stands for "leave it as it is" where null is a value."""
_ENDS = frozenset(EXITED) | {"FailStateEntered"}
_FAN = frozenset({"MapStateEntered", "ParallelStateEntered"})
_WHY = {"asked": "a task asks for an answer", "waiting": "it waits for an answer from outside"}

Stop = Callable[[Event], bool]


class Debugger:
    """Steps through a run.

    Attributes:
        machine: the machine that runs.
        position: number of events so far; the last of them is what the debugger stands at.
        reason: why the last command stopped: "" (it did what it was told), "breakpoint", "asked" (a task wants an answer), "waiting"
            (only an answer from outside brings the run further), "ended".
        hit: the breakpoint at which it stopped.
        breakpoints: where to stop.
        branches: other lines of this run, shared by all its debuggers.
        child_of: for a child execution of a Distributed Map (see `child`), which one it is.
    """

    def __init__(self, machine: StateMachine, line: Line) -> None:
        """Use `debug`, `Debugger.of` or `Debugger.load`."""
        self.machine = machine
        self.line = line
        line.given_up = self._keep_branch
        self.position = 1
        self._reached = line.length
        self._asked = False
        self.reason = ""
        self.hit: Breakpoint | None = None
        self._states = [state.name for state in machine.program.states]
        self.breakpoints = Breakpoints(self._states)
        self.branches: list[Branch] = []
        self.child_of: ChildOf | None = None
        self._execution: tuple[tuple[int, int, int], Execution] | None = None

    @classmethod
    def of(
        cls,
        history: Any,
        machine: StateMachine,
        handlers: Mapping[str, Any] | None = None,
        *,
        confirm: Confirm = None,
        **options: Any,
    ) -> Debugger:
        """Debug a recorded history, local or from AWS: its tasks answer as they did, and no handler is called.

        Args:
            history: a `History`, or an `Execution`.
            machine: the machine, as it was or edited.
            handlers: who answers the tasks that the history does not answer, after an edit or past its end.
            confirm: as for `debug`.
            options: as for `replay`.

        Returns:
            A debugger at the first event, with everything recorded ahead of it.

        Raises:
            RunError: the history does not begin with ExecutionStarted.
        """
        from sfn_notebook.api.replay import rerun

        return cls(machine, Line(rerun(machine, history, handlers, confirm=confirm, **options)))

    # ---- where it stands

    @property
    def length(self) -> int:
        """The number of events recorded so far."""
        return self.line.length

    @property
    def status(self) -> str:
        """The status of the run as far as it has been recorded."""
        return self.line.status

    @property
    def finished(self) -> bool:
        """Whether the position is the last event of a run that has ended."""
        return self.position >= self.length and self.status != "RUNNING"

    @property
    def event(self) -> Event | None:
        """The event that the debugger stands at."""
        return self.line.events[self.position - 1] if self.position else None

    @property
    def events(self) -> list[Event]:
        """The events up to the position, as boto3 gives them."""
        return self.line.events[: self.position]

    @property
    def history(self) -> History:
        """The events up to the position, as a History."""
        return History.from_events(dict(event) for event in self.events)

    @property
    def execution(self) -> Execution:
        """The run as far as it has been recorded, as `StateMachine.run` gives it; a copy, the debugger does not follow it."""
        recording = self.line.recording
        key = (recording.length, len(recording.tape), recording.cuts)
        if self._execution is None or self._execution[0] != key:
            frozen = freeze(recording.head.engine)
            responder = recording.answering.responder.twin()
            responder.records.extend(recording.answering.responder.records)
            self._execution = key, Execution(self.machine, lambda: thaw(recording.program, frozen), responder)
        return self._execution[1]

    def view(self) -> Snapshot:
        """Give the state of affairs at the position: active states with data, variables and attempts, pending tasks, timers.

        Two views are equal when they describe the same.
        """
        return self.line.view(self.position)

    def where(self) -> Where:
        """Describe the position: state, path, attempt, stages of the data flow, variables, context, definition, tasks, timers."""
        return stops.where(self.machine, self.line, self.position)

    def stages(self) -> tuple[Stage, ...]:
        """Give the stages of the data flow of the state at the position, each with what it changed."""
        visit = self.line.visit(self.position)
        return () if visit is None else stops.stages_of(self.line.recording, visit)

    @property
    def pending(self) -> list[PendingTask]:
        """The tasks that wait for an answer at the position; those whose handler will be called by going on are not `outside`."""
        return self.line.pending(self.position)

    @property
    def again(self) -> list[dict[str, Json]]:
        """The handler calls of given-up parts of the run that going on may repeat: state, path, attempt."""
        return self.line.recording.answering.again()

    # ---- forward

    def step(self, until: str | None = None) -> Debugger:
        """Go on by one event, or with `until="state"` to the end of the state at hand (a Map or Parallel is entered)."""
        _check_until(until)
        if until is None:
            self.reason, self.hit = "", None
            self._next()
            return self
        visit = self.line.visit(self.position)
        if visit is not None and visit.status == "RUNNING" and visit.type not in ("Map", "Parallel"):
            return self._until(self._left(visit.id), breaks=False)
        return self._until(lambda event: event["type"] in _ENDS or event["type"] in _FAN, breaks=False)

    def step_over(self) -> Debugger:
        """Go on to the end of the state at hand, or of the next one here: a whole Map or Parallel, with all retries."""
        fold = self.line.fold(self.position)
        visit, place = visit_at(fold), scope_of(fold.here).place
        if visit is not None and visit.status == "RUNNING":
            return self._until(self._left(visit.id))

        def over(_event: Event) -> bool:
            fold = self.line.fold(self.position)
            visit = visit_at(fold)
            if visit is not None and visit.place == place:
                return visit.status != "RUNNING"
            return len(scope_of(fold.here).place) < len(place)

        return self._until(over)

    def step_out(self) -> Debugger:
        """Go on to the end of the Map or Parallel around the state at hand; at the top to the end of the run."""
        owner = scope_of(self.line.fold(self.position).here).owner
        return self._until(_never if owner is None else self._left(owner.id))

    def run_to(self, where: str | int | Holds | None = None) -> Debugger:
        """Go on to a state, a condition or an event; without one to the next breakpoint, the next question, or the end.

        Args:
            where: name of a state (stops where it is entered), text of a condition (JSONPath or JSONata), predicate `f(snapshot)`,
                or an event's number.

        Raises:
            CommandError: there is no such state, or the condition cannot be read.
        """
        if where is None:
            return self._until(_never)
        if isinstance(where, int):
            return self._until(lambda event: event["id"] >= where) if where > self.position else self.seek(where)
        wanted = Breakpoints(self._states)
        wanted.add(where)
        return self._until(lambda event: wanted.hit(event, self._snapshot, self._context) is not None)

    def _next(self) -> Event | None:
        """Go one event on, letting the engine run as far as that needs."""
        if self.position >= self.length:
            reason = "asked" if self._asked else self.line.recording.advance(self.position + 1)
            self._asked = (
                reason == "asked" and self.position < self.length
            )  # first the event that comes with the question
            if self.position >= self.length:
                self.reason = reason
                return None
        self.position += 1
        self._reached = max(self._reached, self.position)
        return self.line.events[self.position - 1]

    def _until(self, stop: Stop, *, breaks: bool = True) -> Debugger:
        self.reason, self.hit = "", None
        while (event := self._next()) is not None:
            if breaks and (hit := self.breakpoints.hit(event, self._snapshot, self._context)) is not None:
                self.reason, self.hit = "breakpoint", hit
                break
            if stop(event):
                break
        return self

    def _left(self, visit: int) -> Stop:
        """Give what says whether a visit has ended."""

        def left(_event: Event) -> bool:
            found = self.line.fold(self.position).visit(visit)
            return found is None or found.status != "RUNNING"

        return left

    def _snapshot(self) -> Snapshot:
        return self.line.snapshot(self.position)

    def _context(self) -> dict[str, Json]:
        visit = self.line.visit(self.position)
        return {} if visit is None else stops.context_of(self.line.recording, self.position, visit)

    # ---- back

    def back(self, until: str | None = None) -> Debugger:
        """Go back by one event, or with `until="state"` to where the last state before the position was entered."""
        _check_until(until)
        position = self.position - 1
        while until == "state" and position > 1 and self.line.events[position - 1]["type"] not in ENTERED:
            position -= 1
        return self.seek(max(0, position))

    def seek(self, position: int) -> Debugger:
        """Go to any recorded event; a negative number counts from the last one, which is -1. No handler is called.

        Raises:
            CommandError: there is no such event yet.
        """
        if isinstance(position, bool) or not isinstance(position, int):
            raise CommandError(f"an event's number is a whole number, but found {position!r:.80}")
        wanted = position if position >= 0 else self.length + 1 + position
        if not 0 <= wanted <= self.length:
            raise CommandError(
                f"there is no event {position}: {self.length} are recorded so far, and going on records more"
            )
        self.position = wanted
        self.reason, self.hit = "", None
        return self

    # ---- changing

    def edit(
        self,
        *,
        input: Any = _KEEP,
        variables: Mapping[str, Any] | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> Debugger:
        """Change what the state at the position sees, and go on from where it begins.

        In a state that is under way, the position becomes the event before it was entered; between two states the change holds for
        the next one. What was recorded up to there stays; what came after is given up, and kept as a branch. `again` then names the
        handler calls that going on may repeat; the debugger stops and asks before it does (see `confirm` of `debug`).

        Args:
            input: the input of the state.
            variables: values of variables by name; others stay.
            context: members of the context object, merged into it: `{"Execution": {"Name": "x"}}`.

        Raises:
            CommandError: no state begins here, the input is above the payload limit, or variables or context are no object.
            RunError: a value is no JSON.
        """
        changes: dict[str, Json] = {}
        if input is not _KEEP:
            changes["input"] = copy_json(input, "the input")
        for name, value in (("variables", variables), ("context", context)):
            if value is not None:
                if not isinstance(value, Mapping):
                    raise CommandError(f"the {name} are an object, by name, but found {value!r:.80}")
                changes[name] = copy_json(dict(value), f"the {name}")
        self.position = self.line.edit(self.position, changes)
        return self._done()

    def answer(self, result: Any = None, task: Any = None) -> Debugger:
        """Answer a task in place of its handler: for a Lambda function by its payload, else by the service's response.

        Args:
            result: any JSON value.
            task: which one, where several wait: a `PendingTask`, its state's name or its token.

        Raises:
            CommandError: no task waits, or several do.
            RunError: the result is no JSON.
        """
        value = copy_json(result, "the result")

        def outcome(frame: Frame) -> Outcome:
            call = call_of(frame)
            if call.service.outside or call.purpose != "task":
                return Outcome("succeeded", value)
            return self.line.recording.answering.responder.outcome_of(value, call)

        return self._settle(self._choose(task), outcome)

    def fail(self, error: str, cause: str = "", task: Any = None) -> Debugger:
        """Let a task fail; `task` as for `answer`."""
        return self._settle(self._choose(task), lambda _: Outcome("failed", error=error, cause=cause))

    def reuse(self, task: Any = None) -> Debugger:
        """Answer a task as its handler did before an edit, without calling it again.

        Raises:
            CommandError: it has no earlier outcome, no task waits, or several do.
        """
        chosen = self._choose(task)
        earlier = chosen.earlier
        if earlier is None:
            raise CommandError(
                f'the task of "{chosen.state}" has no earlier outcome: answer it, let it fail, or call its handler'
            )
        return self._settle(chosen, lambda _: earlier)

    def call_handler(self, task: Any = None) -> Debugger:
        """Call the handler of a task that asks before it is called again.

        Raises:
            CommandError: no task waits, or several do.
            RunError: none is bound, or its answer is no JSON.
        """
        self.line.call_handler(self.position, self._choose(task))
        return self._done()

    def heartbeat(self, task: Any = None) -> Debugger:
        """Report that a task is alive: its HeartbeatSeconds start anew."""
        self.line.heartbeat(self.position, self._choose(task))
        return self._done()

    def skip_wait(self) -> Debugger:
        """End a wait, or the delay before a retry, at once: no time passes for it.

        Raises:
            CommandError: nothing waits, or several states do and none of them is the one at the position.
        """
        self.line.skip_wait(self.position)
        return self._done()

    def advance(self, seconds: float) -> Debugger:
        """Let virtual time pass, timeouts of waiting tasks included, and go to what has happened by then."""
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < float("inf"):
            raise CommandError(f"advance needs a number of seconds from 0, but found {seconds!r}")
        reason = self.line.pass_time(self.position, seconds)
        self.seek(-1)
        self._reached, self.reason = self.position, reason
        return self

    def _choose(self, task: Any) -> PendingTask:
        pending = self.pending
        if task is not None:
            key = getattr(task, "key", None)
            found = [one for one in pending if task in (one.state, one.token) or one.key == key]
        else:
            visit = self.line.visit(self.position)
            found = [one for one in pending if is_of(one, visit)] or pending
        if len(found) == 1:
            return found[0]
        if not pending:
            raise CommandError(f"no task waits for an answer at event {self.position}")
        names = "; ".join(str(one) for one in (found or pending))
        raise CommandError(f"which task is meant? waiting at event {self.position}: {names}")

    def _settle(self, task: PendingTask, outcome: Callable[[Frame], Outcome]) -> Debugger:
        self.line.settle(self.position, task, outcome)
        return self._done()

    def _done(self) -> Debugger:
        """Stand where something was changed: nothing after it has been seen yet."""
        self.reason, self.hit = "", None
        self._reached, self._asked = self.position, False
        return self

    # ---- other lines

    def child(self, index: int, state: str | None = None) -> Debugger:
        """Give a debugger of a child execution of a Distributed Map, with everything recorded of it ahead; no handler is called.

        It is an execution of its own: its positions count its own events, its context object is its own, and what is changed in it does
        not reach this run. It is listed in `branches`, and found there when it is asked for again.

        Args:
            index: which one, from 0; with an ItemBatcher a child has several items.
            state: name of the Map state; by default the one that has been started last by the position. In a child without one,
                its siblings are meant.

        Raises:
            CommandError: there is no such child, or its history was not kept.
        """
        if isinstance(index, bool) or not isinstance(index, int):
            raise CommandError(f"a child's number is a whole number from 0, but found {index!r:.80}")
        parent, run = self._map_run(state)
        name = f"{run.plan.state.name}[{index}]"
        engine = {**run.children, **run.active}.get(index)
        if engine is None:
            raise CommandError(f"{name} cannot be looked into: {why_without(run, index)}")
        this = ChildOf(parent, run, index, len(engine.log) // STRIDE)
        known = next((branch.debugger for branch in self.branches if branch.debugger.child_of == this), None)
        if known is not None:
            return known
        from sfn_notebook.api.replay import repeat_child

        recording = repeat_child(self.machine, parent.line.recording, engine)
        new = Debugger(self.machine, Line(recording))
        new.breakpoints, new.branches, new.child_of = self.breakpoints.copy(), self.branches, this
        self.branches.append(Branch(name, parent.position, new, "child"))
        return new

    def _map_run(self, state: str | None) -> tuple[Debugger, MapRun]:
        """Find the Map Run that was started last by the position; that of the siblings where a child has none of its own."""
        arns = [details(event)["mapRunArn"] for event in self.events if event["type"] == "MapRunStarted"]
        runs = {run.arn: run for run in self.line.recording.head.engine.map_runs}
        found = [runs[arn] for arn in arns if arn in runs and state in (None, runs[arn].plan.state.name)]
        if found:
            return self, found[-1]
        if self.child_of is not None and state in (None, self.child_of.run.plan.state.name):
            return self.child_of.parent, self.child_of.run
        what = "no Distributed Map" if state is None else f'no Distributed Map "{state}"'
        raise CommandError(f"{what} with children at hand has been started by event {self.position}")

    def fork(self, name: str | None = None) -> Debugger:
        """Give a debugger of its own that stands here and knows all that this one has recorded; this one stays as it is."""
        return self._fork(name or f"fork {len(self.branches) + 1}", "fork")

    def _fork(self, name: str, made_by: str) -> Debugger:
        new = Debugger(self.machine, self.line.fork())
        new.position, new.reason, new._reached = self.position, self.reason, self._reached
        new.breakpoints = self.breakpoints.copy()
        new.branches, new.child_of = self.branches, self.child_of
        self.branches.append(Branch(name, self.position, new, made_by))
        return new

    def _keep_branch(self, position: int, told: bool) -> None:  # noqa: FBT001 - called by the line
        if told or self._reached > self.position:
            self._fork(f"before the change at event {position}", "change")

    # ---- saving

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write this line of the run and its branches, with positions and breakpoints, as JSON; handlers and Python predicates are not part of it.

        Raises:
            RunError: the file cannot be written.
        """
        debugger_saving.save(self, path)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        handlers: Mapping[str, Any] | None = None,
        *,
        confirm: Confirm = None,
        s3: Any = None,
        executor: Any = None,
    ) -> Debugger:
        """Read a saved debugger; nothing is called for that. `handlers` answer further tasks.

        Raises:
            RunError: the file is no saved debugger.
        """
        return debugger_saving.load(cls, path, Responder(handlers, s3, executor), confirm)

    def __repr__(self) -> str:
        visit = self.line.visit(self.position)
        kind = self.event["type"] if self.event else "before the start"
        state = f' of "{visit.name}"' if visit is not None else ""
        why = f"; {_WHY[self.reason]}" if self.reason in _WHY else f"; breakpoint {self.hit}" if self.hit else ""
        at = f"event {self.position} of {self.length}, {kind}{state}"
        status = self.status if self.finished or self.status == "RUNNING" else f"RUNNING, later {self.status}"
        return f"<Debugger {self.machine.name!r}: {at}; {status}{why}>"


def debug(
    machine: StateMachine,
    input: Any = None,
    handlers: Any = None,
    *,
    confirm: Confirm = None,
    recorded: Recorded | None = None,
    **options: Any,
) -> Debugger:
    """Start a run and stand before its first state.

    Args:
        machine: the machine.
        input: as for `StateMachine.run`.
        handlers: likewise; a task without one stops the debugger, which then asks for `answer` or `fail`.
        confirm: what to do when a handler would be called again for a task that it has answered before an edit: None to stop and ask
            (`call_handler`, `reuse`, `answer`, `fail`), True to call it, or `f(task, earlier outcome) -> bool`.
        recorded: outcomes of an earlier run, which come before the handlers.
        options: further arguments of `StateMachine.run`.

    Raises:
        DefinitionError: the definition has errors.
        RunError: the input is no JSON.
    """
    execution = machine.begin(input, handlers, **options)
    answering = Answering(execution.responder, recorded, confirm)
    return Debugger(machine, Line(Recording(machine.program, execution.engine, answering)))


def _never(_event: Event) -> bool:
    return False


def _check_until(until: str | None) -> None:
    if until not in (None, "state"):
        raise CommandError(f'a step is one event, or until="state", but found {until!r}')
