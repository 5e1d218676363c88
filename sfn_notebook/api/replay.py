"""Run a history again: on the same machine (does it do the same?) or on an edited one (would the fix have worked?).

`replay` gives the tasks the outcomes that were recorded, keyed by (branch path, state, visit, attempt), and lists the differences per
branch; `backtest` does it for many histories and says for each whether it is the same, changed, fixed or broken. `rerun` is what both,
and `Debugger.of`, are made of. A Distributed Map whose child executions are not at hand is repeated as a whole (`sim.opaque`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sfn_notebook.api.execution import Execution
from sfn_notebook.api.history import History
from sfn_notebook.aws.arns import arn_of
from sfn_notebook.engine import log as engine_log
from sfn_notebook.engine.execution import Engine
from sfn_notebook.engine.limits import Limits, Names
from sfn_notebook.engine.model import Program
from sfn_notebook.errors import AwsError, CommandError, RunError
from sfn_notebook.history.places import Branches, place_text
from sfn_notebook.sim.answering import Answering, Confirm, answers_on
from sfn_notebook.sim.differences import EventDifference, differences
from sfn_notebook.sim.handlers import Responder
from sfn_notebook.sim.opaque import opaque_program
from sfn_notebook.sim.past import Past, PastOutcomes, children_kept, children_of
from sfn_notebook.sim.recording import Recording

if TYPE_CHECKING:
    import pandas as pd

    from sfn_notebook.api.machine import StateMachine

VERDICTS = ("same", "changed", "fixed", "broken", "unknown")


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of running a history again.

    Attributes:
        execution: the re-run.
        differences: how it differs from the history; empty where it does not.
        missing: tasks that the history has no outcome for, and no handler answered: there the re-run ends.
        before: the status that the history ends with.
        error_before: the error name that it ends with.
    """

    execution: Execution
    differences: tuple[EventDifference, ...]
    missing: tuple[str, ...] = ()
    before: str = "RUNNING"
    error_before: str | None = None

    @property
    def same(self) -> bool:
        """Whether the re-run did what the history tells."""
        return not self.differences and not self.missing

    @property
    def verdict(self) -> str:
        """One of `VERDICTS`; "unknown" where the re-run came to a task that the history has no outcome for."""
        after = self.execution.status
        if self.missing and after == "RUNNING":
            return "unknown"
        if self.before != "SUCCEEDED" and after == "SUCCEEDED":
            return "fixed"
        if self.before == "SUCCEEDED" and after != "SUCCEEDED":
            return "broken"
        return "same" if self.same else "changed"

    @property
    def frame(self) -> pd.DataFrame:
        """The differences, one row each: path, kind, type, state, field, json_path, recorded, replayed, before, after."""
        import pandas as pd

        rows = [
            (place_text(d.place), d.kind, d.type, d.state, d.field, d.change.path if d.change else "", d.recorded, d.replayed,
             d.change.a if d.change else None, d.change.b if d.change else None)
            for d in self.differences
        ]  # fmt: skip
        names = ["path", "kind", "type", "state", "field", "json_path", "recorded", "replayed", "before", "after"]
        found = pd.DataFrame(rows, columns=names)
        return found.astype({"recorded": "Int64", "replayed": "Int64"})

    def __str__(self) -> str:
        head = f"{self.verdict}: {self.before} → {self.execution.status}"
        shown = [f"  {difference}" for difference in self.differences[:20]]
        if len(self.differences) > 20:
            shown.append(f"  … and {len(self.differences) - 20} more")
        return "\n".join([head, *shown, *(f"  no recorded outcome for {task}" for task in self.missing)])

    def __repr__(self) -> str:
        return f"<Replay: {self.verdict}, {len(self.differences)} differences>"


def rerun(
    machine: StateMachine,
    history: History | Execution,
    handlers: Mapping[str, Any] | None = None,
    *,
    confirm: Confirm = None,
    kind: str = "STANDARD",
    name: str | None = None,
    s3: Any = None,
) -> Recording:
    """Record a run of `machine` that gets the outcomes of `history`, as far as it goes.

    Raises:
        CommandError: what was given is neither a History nor an Execution.
        DefinitionError: the definition has errors.
        RunError: the history does not begin with ExecutionStarted.
    """
    if not isinstance(history, History | Execution):
        raise CommandError(
            f"a History or an Execution is expected, but found {history!r:.80}; History.from_events takes a list of events"
        )
    responder = Responder(handlers, s3)
    if isinstance(history, Execution):
        recording = repeat(machine, history.history, responder, confirm, history.engine)
        responder.records[:0] = history.calls
        return recording
    return repeat(machine, history, responder, confirm, kind=kind, name=name)


def repeat(
    machine: StateMachine,
    history: History,
    responder: Responder,
    confirm: Confirm = None,
    known: Engine | None = None,
    *,
    kind: str = "STANDARD",
    name: str | None = None,
) -> Recording:
    """Record a run that gets the outcomes of a history; `known` is the engine that wrote it, where it is at hand.

    The history may be that of a Distributed Map's child: it then begins with the first state of the ItemProcessor.

    Raises:
        DefinitionError: the definition has errors.
        RunError: the history does not begin with ExecutionStarted.
    """
    branches = _branches(machine)
    kept = known is not None and children_kept(known)
    children = children_of(known, branches) if known is not None and kept else {}
    past = Past(history, branches, children, len(known.map_runs) if known is not None and kept else 0)
    past.whole = not kept and any(state.plan is not None for state in machine.program.states)
    program = program_for(machine, past)
    program = program.beginning(_first(program, past))
    if known is None:
        names = _names(history, Names(machine.name, name or "replay", kind))
        engine = Engine(program, past.input, names, Limits.of(names.kind), past.started, 0)
    else:
        engine = Engine(program, past.input, known.names, known.limits, past.started, known.seed)
        engine.keep_children = known.keep_children
    outcomes = PastOutcomes(past)
    recording = Recording(program, engine, Answering(responder, outcomes, confirm))
    limit = past.ended if past.status in ("RUNNING", "ABORTED") else float("inf")
    while recording.advance(2**60, limit=limit) == "asked":
        pass
    if past.status == "ABORTED" and engine.status == "RUNNING":
        recording.act("abort", {"error": past.error, "cause": past.cause})
    return recording


def repeat_child(machine: StateMachine, parent: Recording, child: Engine) -> Recording:
    """Record a run that does what a child execution of another recorded run did; what its handlers printed and raised goes along."""
    answering = parent.answering
    responder = answering.responder.twin()
    found = repeat(machine, History.of_log(child.log), responder, answering.confirm, child)
    own = child.names.execution
    responder.records[:0] = [call for call in answering.responder.records if call.execution == own]
    return found


def program_for(machine: StateMachine, past: Past) -> Program:
    """Give the machine's program, with Distributed Maps that do as a whole what they did where their children are not at hand."""
    return opaque_program(machine.definition, past, _branches(machine)) if past.whole else machine.program


def past_of(machine: StateMachine, saved: dict[str, Any]) -> Past:
    """Read what `Past.to_json` gave."""
    return Past.from_json(saved, _branches(machine))


def _names(history: History, otherwise: Names) -> Names:
    """Read the names of machine and execution off the history's ARN, where it has one."""
    try:
        found = arn_of(history.arn, "execution", "express")
    except AwsError:  # whoever made the history gave it none, or another name
        return otherwise
    machine = found.text.split(":")[6]  # of a Distributed Map's child with the label
    kind = "EXPRESS" if found.kind == "express" else "STANDARD"
    return Names(machine, found.name, kind, found.region, found.account, found.partition)


def _first(program: Program, past: Past) -> int:
    """Give the number of the state at which the execution began: the machine's first one, or that of a Distributed Map's children."""
    starts = [state.starts[0] for state in program.states if state.plan is not None]
    return next((start.id for start in starts if start.name == past.first), program.start.id)


def replay(
    machine: StateMachine,
    history: History | Execution,
    handlers: Mapping[str, Any] | None = None,
    *,
    ignore: Collection[str] = (),
    **options: Any,
) -> Replay:
    """Run a history again and compare.

    Args:
        machine: the machine, as it was or edited.
        history: a `History`, or an `Execution`, which also knows the children of its Distributed Maps, its name and its seed. It may
            be that of a Distributed Map's child execution.
        handlers: who answers tasks that the history has no outcome for; without one, such a task is `missing`.
        ignore: payload keys that do not count in the comparison, wherever they occur, such as "requestId".
        options: `kind` ("STANDARD" or "EXPRESS") and `name` of the execution, where the history has no ARN; `s3` for Distributed
            Maps.

    Raises:
        DefinitionError: the definition has errors.
        RunError: the history does not begin with ExecutionStarted.
    """
    recording = rerun(machine, history, handlers, **options)
    events = history.history if isinstance(history, Execution) else history
    engine = recording.head.engine
    outcomes = recording.answering.recorded
    assert isinstance(outcomes, PastOutcomes)
    found = differences(
        events, engine_log.events(engine.log), _branches(machine), ignore=ignore, tokens=outcomes.tokens
    )
    execution = Execution(machine, lambda: engine, recording.answering.responder)
    return Replay(execution, tuple(found), tuple(_missing(recording)), outcomes.past.status, outcomes.past.error)


def backtest(
    machine: StateMachine,
    histories: Iterable[Any],
    handlers: Mapping[str, Any] | None = None,
    *,
    ignore: Collection[str] = (),
    **options: Any,
) -> pd.DataFrame:
    """Run many histories again, on the machine as it is now.

    Args:
        machine: the machine, usually an edited one.
        histories: `Executions`, or any histories and executions.
        handlers: as for `replay`.
        ignore: as for `replay`.
        options: as for `replay`.

    Returns:
        One row each: execution, verdict (same, changed, fixed, broken, unknown), before, after, error_before, error_after,
        differences (their number), first (the first difference as text), missing (the first task without a recorded outcome).

    Raises:
        DefinitionError: the definition has errors.
    """
    import pandas as pd

    rows = list(_rows(machine, histories, handlers, ignore, options))
    names = [
        "execution",
        "verdict",
        "before",
        "after",
        "error_before",
        "error_after",
        "differences",
        "first",
        "missing",
    ]
    found = pd.DataFrame(rows, columns=names)
    found["verdict"] = pd.Categorical(found["verdict"], categories=list(VERDICTS))
    return found


def _rows(
    machine: StateMachine, histories: Iterable[Any], handlers: Any, ignore: Collection[str], options: dict[str, Any]
) -> Iterator[tuple[Any, ...]]:
    _ = machine.program  # errors of the definition are no matter of the first history
    for index, history in enumerate(histories):
        name = getattr(history, "name", None) or str(index)
        try:
            found = replay(machine, history, handlers, ignore=ignore, **options)
        except RunError as error:
            yield name, "unknown", None, None, None, None, 0, str(error), None
            continue
        after = found.execution
        yield (
            name, found.verdict, found.before, after.status, found.error_before, after.error, len(found.differences),
            str(found.differences[0]) if found.differences else None, found.missing[0] if found.missing else None,
        )  # fmt: skip


def _branches(machine: StateMachine) -> Branches:
    states = machine.program.states
    return {state.name: [start.name for start in state.starts] for state in states if state.type == "Parallel"}


def _missing(recording: Recording) -> Iterator[str]:
    """Name the tasks that nobody answered."""
    for answer in answers_on(recording.tape):
        if answer["by"] in ("asked", "outside"):
            call = answer["call"]
            yield "/".join([*(f"{name}[{index}]" for name, index in call["path"]), call["state"]])
