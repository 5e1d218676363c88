"""`inspect_visit`: what a state did to its data in one visit of a history, stage by stage.

The history may be a local run's or come from AWS: only events and the definition are read. Stages are recomputed by `engine.inspect`
from what was recorded: the visit's input, the variables in scope when it was entered, the answer of its last attempt, the outputs of
its iterations or branches. What a task was really given is taken from its Scheduled event, because task tokens and random numbers
cannot be computed again; other stages that use random functions may show other numbers than the run did.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sfn_notebook.engine.execution import Engine
from sfn_notebook.engine.frames import Failure, Frame
from sfn_notebook.engine.inspect import MISSING, inspect_state
from sfn_notebook.engine.limits import Limits, Names
from sfn_notebook.engine.retry import find_catcher
from sfn_notebook.errors import CommandError, Json
from sfn_notebook.history.events import parse
from sfn_notebook.history.visits import fold

if TYPE_CHECKING:
    from datetime import datetime

    from sfn_notebook.api.history import History
    from sfn_notebook.api.machine import StateMachine
    from sfn_notebook.engine.model import State
    from sfn_notebook.history.records import Visit


def inspect_visit(history: History, machine: StateMachine, visit: Any, names: Names | None = None) -> dict[str, Any]:
    """Give the stages of one state visit, named as in TestState's `inspectionData`.

    Args:
        history: the history of a run of `machine`.
        machine: the machine, as it was when it ran.
        visit: the id of a StateEntered event, a row of `history.states`, or an element of `history.visits`.
        names: names of machine and execution, for the context object; made up by default.

    Returns:
        A dict of plain JSON values: input, afterInputPath, afterParameters or afterArguments, result, afterResultSelector,
        afterResultPath, variables (those in scope after the visit), those of a Map, errorDetails of a caught error. Stages that
        were not reached are absent.

    Raises:
        CommandError: there is no such visit, or the machine has no such state.
    """
    found = _find(history.visits, _visit_id(visit))
    state = _state(machine, found)
    variables = _variables(history, found)
    frame = _frame(history, machine, found, state, variables, names)
    stages = inspect_state(state, frame, _result(history, machine, found, state)).stages
    _put_recorded(stages, found)
    held = {**variables, **(found.assigned or {})}
    if held:
        stages["variables"] = held
    caught = _catcher(found, frame) if found.status == "CAUGHT" else None
    if caught is not None:
        stages["errorDetails"] = {"catchIndex": caught}
    return stages


def _visit_id(visit: Any) -> int:
    """Read the id out of whatever names a visit."""
    if isinstance(visit, Mapping) or hasattr(visit, "keys"):  # a dict, a pandas Series
        visit = visit["visit"] if "visit" in visit else visit.get("id")
    for attribute in ("id", "visit"):  # a Visit, a row of itertuples()
        visit = getattr(visit, attribute, visit)
    if hasattr(visit, "__index__"):
        return int(visit)
    raise CommandError(f"a visit is the id of its StateEntered event or a row of history.states, but found {visit!r}")


def _find(visits: Iterable[Visit], number: int) -> Visit:
    ids = []
    for visit in visits:
        if visit.id == number:
            return visit
        ids.append(str(visit.id))
    known = ", ".join(ids[:20]) + (", …" if len(ids) > 20 else "")
    raise CommandError(f"no state was entered by event {number}; the visits of this history are {known or 'none'}")


def _state(machine: StateMachine, visit: Visit) -> State:
    for state in machine.program.states:
        if state.name == visit.name and state.type == visit.type:
            return state
    raise CommandError(
        f'the machine "{machine.name}" has no {visit.type} state "{visit.name}", which the history visits'
    )


def _variables(history: History, visit: Visit) -> dict[str, Json]:
    """Give the variables in scope when the visit began."""
    for active in history.at(visit.id).active:
        if active.visit == visit.id:
            return active.variables
    return {}


def _frame(
    history: History, machine: StateMachine, visit: Visit, state: State, variables: dict[str, Json], names: Names | None
) -> Frame:
    """Build the surroundings of the visit: a frame that stands in the state, at its time."""
    started = next((event for event in history.raw if event["type"] == "ExecutionStarted"), {})
    text = started.get("executionStartedEventDetails", {}).get("input")
    data = parse(text)
    begun = _milliseconds(started.get("timestamp"))
    engine = Engine(
        machine.program, data, names or Names(machine.name, "unknown"), Limits.of("", enforced=False), begun, 0
    )
    engine.now = _milliseconds(visit.entered)
    frame = engine.root
    frame.state, frame.data, frame.variables = state, visit.input, variables
    frame.retries = [visit.attempts - 1]
    frame.token = "token"  # noqa: S105 - stands for the one that was issued; a task's parameters show that one
    return frame


def _milliseconds(moment: datetime | None) -> int:
    return 0 if moment is None else round(moment.timestamp() * 1000)


def _result(history: History, machine: StateMachine, visit: Visit, state: State) -> Json:
    """Give the recorded result: the last attempt's answer, or the outputs of iterations or branches in order."""
    if visit.task_attempts:
        last = visit.task_attempts[-1]
        return last.output if last.status == "SUCCEEDED" else MISSING
    if visit.status != "SUCCEEDED" or visit.type not in ("Map", "Parallel"):
        return MISSING
    if visit.map_run_arn is not None:  # the children's outputs are in other histories
        return visit.output if state.flow.complete is None else MISSING
    last_of: dict[int, Visit] = {}
    for inner in _numbered_visits(history, machine):
        if inner.parent == visit.id and inner.run == visit.runs and inner.next is None:
            last_of[inner.place[-1][1]] = inner
    return [last_of[index].output for index in sorted(last_of)]


def _numbered_visits(history: History, machine: StateMachine) -> list[Visit]:
    """Give the visits with the branches of Parallel states numbered as in the definition, not by who came first."""
    parallels = (state for state in machine.program.states if state.type == "Parallel")
    return fold(history.raw, {state.name: [start.name for start in state.starts] for state in parallels})


def _put_recorded(stages: dict[str, Json], visit: Visit) -> None:
    """Let what a task was really given take the place of what was computed."""
    if not visit.task_attempts or visit.task_attempts[-1].parameters_text is None:
        return
    for stage in ("afterParameters", "afterArguments"):
        if stage in stages:
            stages[stage] = visit.task_attempts[-1].parameters


def _catcher(visit: Visit, frame: Frame) -> int | None:
    catcher = find_catcher(frame, Failure(visit.error, visit.cause))
    return None if catcher is None else frame.state.catchers.index(catcher)
