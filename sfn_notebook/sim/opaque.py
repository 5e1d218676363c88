"""A Distributed Map performed as it was recorded, without its children.

The history of an execution does not hold what happened in the child executions of a Distributed Map. To run it again, the whole state
is taken as one step: it starts, takes the time that it took, and ends with the output, or the error, that it had. Only the state's
`run` is replaced, in a program of its own; retries and catches stay the engine's.
"""

from __future__ import annotations

from sfn_notebook.engine import log as kinds
from sfn_notebook.engine.execution import Engine
from sfn_notebook.engine.frames import BUSY, ENTER, RESUME, Failure, Frame
from sfn_notebook.engine.model import Program, Run, State
from sfn_notebook.engine.program import compile_program
from sfn_notebook.errors import Json
from sfn_notebook.history.places import Branches, Chain, Place, scope_of
from sfn_notebook.sim.past import Past, PastRun, PastVisit


def opaque_program(definition: dict[str, Json], past: Past, branches: Branches) -> Program:
    """Compile a definition whose Distributed Maps do again what they did in the past, where that is known."""
    program = compile_program(definition)
    for state in program.states:
        if state.plan is not None:
            state.run = _opaque(state, state.run, past, branches)
    return program


class _Gone:
    """Stands for the Map Run of an opaque state, so that aborting the state is told as AWS tells it."""

    number = -1

    def abort(self) -> None:
        """Do nothing: no child is under way."""


def _opaque(state: State, real: Run, past: Past, branches: Branches) -> Run:
    def run(engine: Engine, frame: Frame) -> bool:
        if engine.owner is not None:
            return real(engine, frame)
        if frame.phase == ENTER:
            visit = past.visit(engine.path(frame), state.name, _visits_before(engine, frame, branches))
            if visit is None or not visit.runs:
                return real(engine, frame)
            engine.enter(frame)
            frame.attempt = 0
        elif frame.attempt == 0:
            return real(engine, frame)
        else:
            visit = past.visit(engine.path(frame), state.name, _visits_before(engine, frame, branches) - 1)
        assert visit is not None
        if frame.phase != RESUME:
            frame.attempt += 1
        recorded = visit.runs[min(frame.attempt, len(visit.runs)) - 1]
        if frame.phase != RESUME:
            _begin(engine, frame, recorded)
            if not recorded.at_once:
                return False
        return _end(engine, frame, visit, recorded)

    return run


def _visits_before(engine: Engine, frame: Frame, branches: Branches) -> int:
    """Count the entries of the frame's state at its place so far."""
    chain, path = Chain(branches), engine.path(frame)
    found = 0
    for event in kinds.events(engine.log):
        here = chain.follow(event)
        if event["type"] == "MapStateEntered" and event["stateEnteredEventDetails"]["name"] == frame.state.name:
            place: Place = scope_of(here).place
            found += place == path
    return found


def _begin(engine: Engine, frame: Frame, recorded: PastRun) -> None:
    engine.write(frame, kinds.STARTED["Map"], None, recorded.length)
    engine.write(frame, kinds.MAP_RUN_STARTED, {"mapRunArn": recorded.arn}, None)
    frame.phase = BUSY
    frame.map_run = _Gone()  # type: ignore[assignment]  # all that is asked of it is to abort
    frame.stamp += 1
    if recorded.status in ("SUCCEEDED", "FAILED") and not recorded.at_once:
        engine.wake_at(engine.now + max(0, recorded.ended - recorded.started), frame)


def _end(engine: Engine, frame: Frame, visit: PastVisit, recorded: PastRun) -> bool:
    frame.map_run = None
    if recorded.status == "FAILED":
        error, cause = recorded.failure
        engine.write(frame, kinds.MAP_RUN_FAILED, Failure(error, cause).details(), None)
        raise Failure(error, cause)
    engine.write(frame, kinds.MAP_RUN_SUCCEEDED, None, None)
    engine.append(frame.prev, kinds.SUCCEEDED["Map"], None, None)
    if recorded.broken or recorded is not visit.runs[-1] or not visit.exited:
        return engine.complete(frame, [None] * recorded.length)  # its result is not known: something about it failed
    if frame.state.flow.complete is None:
        return engine.complete(frame, visit.output)
    return engine.leave(frame, visit.output, assigned=visit.assigned)
