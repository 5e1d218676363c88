"""Map and Parallel: starting children, handing out items, collecting results, aborting siblings.

A `Join` keeps the next index and at most MaxConcurrency child frames; a child that has finished takes the next item in place and goes
to the end of the queue. How events are chained is AWS's, peculiarities included (recorded): an iteration that follows another in the
same child points at the last event *before* `MapIterationSucceeded`; `MapStateSucceeded` and `MapStateExited` point at the same event.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sfn_notebook.engine import log as kinds
from sfn_notebook.engine.dataflow import compile_value
from sfn_notebook.engine.flow_jsonata import compile_items as jsonata_items
from sfn_notebook.engine.flow_jsonata import compile_selector as jsonata_selector
from sfn_notebook.engine.flow_jsonpath import compile_items as jsonpath_items
from sfn_notebook.engine.flow_jsonpath import compile_selector as jsonpath_selector
from sfn_notebook.engine.frames import BUSY, DEAD, ENTER, RESUME, Failure, Frame, Join
from sfn_notebook.engine.numbers import whole
from sfn_notebook.errors import Json
from sfn_notebook.lang.environment import EvaluationFailure

if TYPE_CHECKING:
    from sfn_notebook.engine.execution import Engine
    from sfn_notebook.engine.model import Run, State

INLINE_CONCURRENCY = 40


class InParent(Exception):
    """An expression of a Map state failed while one of its children was in hand."""

    def __init__(self, frame: Frame, failure: Failure | EvaluationFailure) -> None:
        self.frame = frame
        self.failure = failure
        super().__init__(str(failure))


def compile_parallel(state: State, here: dict[str, State]) -> Run:
    """Compile a Parallel state."""
    effective = state.flow.effective

    def run(engine: Engine, frame: Frame) -> bool:
        if frame.phase == RESUME:
            return _collect(engine, frame)
        if frame.phase == ENTER:
            engine.enter(frame)
        data = frame.data if effective is None else effective(frame.data, frame)
        bound = frame.bound if effective is None else engine.measure(data, frame)
        started = engine.write(frame, kinds.STARTED["Parallel"], None, None)
        join = Join(frame, [data] * len(state.starts), len(state.starts))
        join.started, join.next, join.live = started, len(state.starts), len(state.starts)
        _open(frame, join)
        for index, start in enumerate(state.starts):
            child = Frame(engine, start, data, frame.variables, started, bound)
            child.join, child.index = join, index
            join.children.append(child)
        engine.ready.extend(join.children)
        return False

    return run


def compile_map(state: State, here: dict[str, State]) -> Run:
    """Compile a Map state whose iterations run inside the execution (Mode INLINE)."""
    definition = state.definition
    jsonata = state.language == "JSONata"
    items_of = (jsonata_items if jsonata else jsonpath_items)(definition)
    selector = (jsonata_selector if jsonata else jsonpath_selector)(definition)
    concurrency = compile_value(definition, "MaxConcurrency", state.language)
    effective = state.flow.effective

    def run(engine: Engine, frame: Frame) -> bool:
        if frame.phase == RESUME:
            return _collect(engine, frame)
        if frame.phase == ENTER:
            engine.enter(frame)
        data = frame.data if effective is None else effective(frame.data, frame)
        items = items_of(data, frame)
        limit = 0 if concurrency is None else whole(concurrency(data, frame), "MaxConcurrency", definition)
        join = Join(frame, items, limit or INLINE_CONCURRENCY)
        join.started = engine.write(frame, kinds.STARTED["Map"], None, len(items))
        _open(frame, join)
        while join.next < len(items) and len(join.children) < join.limit:
            child = Frame(engine, state.starts[0], None, frame.variables, join.started, frame.bound)
            child.join = join
            join.children.append(child)
            _take(engine, join, child, selector, data)
        join.live = len(join.children)
        engine.ready.extend(join.children)
        return _collect(engine, frame) if not items else False

    def take(engine: Engine, join: Join, child: Frame) -> None:
        parent = join.parent
        _take(engine, join, child, selector, parent.data if effective is None else effective(parent.data, parent))

    state.take = take
    return run


def _open(frame: Frame, join: Join) -> None:
    frame.fan = join
    frame.phase = BUSY
    frame.stamp += 1


def _take(engine: Engine, join: Join, child: Frame, selector: Callable[..., Json] | None, data: Json) -> None:
    """Give a child the next item: its data, and the MapIterationStarted event."""
    parent = join.parent
    index = join.next
    join.next += 1
    child.index = index
    if selector is None:
        child.data = join.items[index]
    else:
        child.data = selector(data, parent, index, join.items[index])
        child.bound = engine.measure(child.data, parent)
    child.state = parent.state.starts[0]
    child.variables = parent.variables
    engine.write(child, kinds.ITERATION_STARTED, parent.state.name, index)


def child_done(engine: Engine, join: Join, child: Frame) -> bool:
    """Take a finished child's output; hand it the next item, or wake the parent after the last one."""
    join.results[child.index] = child.data
    parent = join.parent
    last = child.prev
    if parent.state.type == "Map":
        last = engine.append(child.prev, kinds.ITERATION_SUCCEEDED, parent.state.name, child.index)
        if join.next < len(join.items):
            return _hand_over(engine, join, child)
    child.phase = DEAD
    child.stamp += 1
    join.live -= 1
    if join.live == 0:
        parent.prev = last
        parent.phase = RESUME
        engine.ready.append(parent)
    return False


def _hand_over(engine: Engine, join: Join, child: Frame) -> bool:
    """Give a child that has finished the next item; an error of the selector is the Map state's own."""
    try:
        join.parent.state.take(engine, join, child)
    except (Failure, EvaluationFailure) as failure:
        kill(engine, child)
        _abort_children(engine, join, child.prev)
        raise InParent(join.parent, failure) from failure
    engine.ready.append(child)
    return False


def _collect(engine: Engine, frame: Frame) -> bool:
    """Go on with the results of all children."""
    join = frame.fan
    assert join is not None
    frame.fan = None
    engine.append(frame.prev, kinds.SUCCEEDED[frame.state.type], None, None)
    return engine.complete(frame, join.results)


def child_failed(engine: Engine, join: Join, child: Frame) -> None:
    """Close a join whose child has failed: the child's end, then its siblings, in AWS's order."""
    parent, prev = join.parent, child.prev
    mapped = parent.state.type == "Map"
    if mapped:
        engine.append(prev, kinds.ITERATION_FAILED, parent.state.name, child.index)
    if child.state.type in kinds.ABORTED:
        engine.append(prev, kinds.ABORTED[child.state.type], None, None)
    kill(engine, child)
    _abort_children(engine, join, prev)


def _abort_children(engine: Engine, join: Join, prev: int) -> None:
    """Stop all children that still live and close the join."""
    parent = join.parent
    for child in join.children:
        if child.phase != DEAD:
            if parent.state.type == "Map":
                engine.append(prev, kinds.ITERATION_ABORTED, parent.state.name, child.index)
            abort(engine, child, prev)
    parent.fan = None
    parent.prev = prev


def abort(engine: Engine, frame: Frame, prev: int) -> None:
    """Stop a frame and all below it, from the inside out, with the Aborted events of the states that they were in."""
    if frame.fan is not None:
        _abort_children(engine, frame.fan, prev)
    if frame.map_run is not None:
        frame.map_run.abort()
        engine.append(prev, kinds.MAP_RUN_ABORTED, None, None)
    if frame.phase != ENTER and frame.state.type in kinds.ABORTED:
        engine.append(prev, kinds.ABORTED[frame.state.type], None, None)
    kill(engine, frame)


def kill(engine: Engine, frame: Frame) -> None:
    """End a frame: nothing that it waits for will reach it."""
    engine.forget(frame)
    frame.phase = DEAD
    frame.fan = None
    frame.map_run = None
