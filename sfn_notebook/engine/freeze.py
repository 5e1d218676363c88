"""A whole execution as one JSON value, and back.

Engines (the execution and the children of its Distributed Maps), frames, joins and Map Runs refer to each other; in the saved form
each has a number and refers by it. Payloads are saved where they stand, so the value is plain JSON: it can be written to a file, read
in another process, stepped and forked. `thaw(program, freeze(engine))` goes on exactly as `engine` would have. Freezing copies no
payload: it may also serve as a checkpoint in memory.
"""

from __future__ import annotations

import heapq
from dataclasses import asdict
from typing import Any

from sfn_notebook.engine.distributed import MapRun
from sfn_notebook.engine.execution import Engine
from sfn_notebook.engine.frames import DEAD, Failure, Frame, Join, Outcome
from sfn_notebook.engine.limits import Limits, Names
from sfn_notebook.engine.model import Program
from sfn_notebook.engine.task import NO_SERVICE, TaskCall, parse_resource
from sfn_notebook.engine.world import Timer
from sfn_notebook.errors import Json

FRAME = (
    "data", "variables", "prev", "bound", "phase", "stamp", "before", "entered", "entered_at", "retries", "attempt", "task", "token",
    "outside", "index", "item", "request",
)  # fmt: skip
"""Slots of a frame that are JSON as they stand; the other tuples likewise."""
ENGINE = (
    "input",
    "start",
    "now",
    "seed",
    "drawn",
    "status",
    "output",
    "moved_at",
    "index",
    "keep_children",
    "assigned_bytes",
    "context_edits",
)
JOIN = ("items", "limit", "next", "live", "started")
MAP_RUN = (
    "arn", "stage", "status", "started", "stopped", "number", "uuid", "inputs", "keys", "sizes", "source", "total", "next", "limit",
    "tolerated_count", "tolerated_percentage", "records",
)  # fmt: skip


class _Numbers:
    """The numbers by which saved things refer to each other."""

    def __init__(self, root: Engine, *, ended: bool) -> None:
        self.ended = ended
        self.engines: list[Engine] = []
        self.frames: dict[int, int] = {}
        self.joins: dict[int, int] = {}
        self.engine_of: dict[int, int] = {}
        self._add(root)

    def _add(self, engine: Engine) -> None:
        self.engine_of[id(engine)] = len(self.engines)
        self.engines.append(engine)
        for run in engine.map_runs:
            for child in {**(run.children if self.ended else {}), **run.active}.values():
                self._add(child)

    def parts(self, engine: Engine) -> tuple[list[Frame], list[Join]]:
        """Number the frames and joins of one engine."""
        frames: list[Frame] = []
        joins: list[Join] = []
        _collect(engine.root, frames, joins)
        self.frames.update((id(frame), number) for number, frame in enumerate(frames))
        self.joins.update((id(join), number) for number, join in enumerate(joins))
        return frames, joins


def _collect(frame: Frame, frames: list[Frame], joins: list[Join]) -> None:
    frames.append(frame)
    if frame.fan is not None:
        joins.append(frame.fan)
        for child in frame.fan.children:
            _collect(child, frames, joins)


def freeze(engine: Engine, *, ended: bool = True) -> dict[str, Json]:
    """Give the execution as a JSON value; payloads are shared with it, so nobody may change them.

    Args:
        engine: the execution.
        ended: with the child executions that have ended and whose histories are kept; nothing that follows depends on them.
    """
    numbers = _Numbers(engine, ended=ended)
    engines = [_engine(one, numbers) for one in numbers.engines]
    world = engine.world
    return {
        "engines": engines,
        "now": world.now,
        "sequence": world.sequence,
        "awake": [numbers.engine_of[id(one)] for one in world.awake if id(one) in numbers.engine_of],
        "calls": [_call(call, numbers) for call in engine.waiting_calls()],
        "timers": [_timer(timer, numbers) for timer in sorted(world.timers) if not timer.stale],
    }


def _engine(engine: Engine, numbers: _Numbers) -> dict[str, Json]:
    frames, joins = numbers.parts(engine)
    limits = {name: (None if value == float("inf") else value) for name, value in asdict(engine.limits).items()}
    owner = engine.owner
    return {
        **{name: getattr(engine, name) for name in ENGINE},
        "names": asdict(engine.names),
        "limits": limits,
        "log": list(engine.log),
        "failure": [engine.failure.error, engine.failure.cause] if engine.failure else None,
        "frames": [_frame(frame, numbers) for frame in frames],
        "joins": [_join(join, numbers) for join in joins],
        "ready": [numbers.frames[id(frame)] for frame in engine.ready if frame.phase != DEAD],
        "tasks": [[task, numbers.frames[id(frame)]] for task, frame in engine.tasks.items()],
        "owner": None if owner is None else [numbers.engine_of[id(owner.engine)], owner.number],
        "map_runs": [_map_run(run, numbers) for run in engine.map_runs],
    }


def _outcome(outcome: Any) -> Json:
    return outcome.to_json() if isinstance(outcome, Outcome) else None


def _frame(frame: Frame, numbers: _Numbers) -> dict[str, Json]:
    saved = {name: getattr(frame, name) for name in FRAME}
    saved["state"] = frame.state.id
    saved["outcome"] = _outcome(frame.outcome)
    saved["join"] = numbers.joins.get(id(frame.join)) if frame.join else None
    saved["fan"] = numbers.joins.get(id(frame.fan)) if frame.fan else None
    saved["map_run"] = frame.map_run.number if frame.map_run else None
    return saved


def _join(join: Join, numbers: _Numbers) -> dict[str, Json]:
    saved = {name: getattr(join, name) for name in JOIN}
    saved["results"] = list(join.results)
    saved["parent"] = numbers.frames[id(join.parent)]
    saved["children"] = [numbers.frames[id(child)] for child in join.children]
    return saved


def _map_run(run: MapRun, numbers: _Numbers) -> dict[str, Json]:
    saved = {name: getattr(run, name) for name in MAP_RUN}
    saved |= {"counts": dict(run.counts), "executions": dict(run.executions), "results": list(run.results)}
    saved["records"], saved["letters"] = list(run.records), run.letters.decode("ascii")
    saved["failure"] = run.failure.to_json() if run.failure else None
    saved["state"] = run.plan.state.id
    saved["active"] = [[index, numbers.engine_of[id(child)]] for index, child in run.active.items()]
    saved["children"] = [
        [index, numbers.engine_of[id(child)]] for index, child in run.children.items() if numbers.ended
    ]
    return saved


def _call(call: TaskCall, numbers: _Numbers) -> dict[str, Json]:
    return {
        "task": call.task, "state": call.state, "resource": call.service.arn, "input": call.input, "attempt": call.attempt,
        "path": [list(step) for step in call.path], "token": call.token, "timeout": call.timeout, "purpose": call.purpose,
        "engine": numbers.engine_of[id(call.frame.engine)], "frame": numbers.frames[id(call.frame)],
    }  # fmt: skip


def _timer(timer: Timer, numbers: _Numbers) -> list[Json]:
    frame = None if timer.frame is None else numbers.frames[id(timer.frame)]
    engine = numbers.engine_of[id(timer.engine)]
    return [timer.time, timer.sequence, timer.what, engine, frame, timer.stamp, _outcome(timer.outcome)]


# ---- and back


def thaw(program: Program, saved: dict[str, Json]) -> Engine:
    """Build the engine that `saved` was frozen from; `program` is compiled from the same definition."""
    engines: list[Engine] = []
    frames: list[list[Frame]] = []
    for one in saved["engines"]:
        engine = _thaw_engine(program, one, engines)
        engines.append(engine)
        frames.append(_thaw_frames(engine, program, one))
    for engine, one in zip(engines, saved["engines"], strict=True):
        for run, kept in zip(engine.map_runs, one["map_runs"], strict=True):
            run.active = {index: engines[number] for index, number in kept["active"]}
            run.children = {index: engines[number] for index, number in kept["children"]}
    root, world = engines[0], engines[0].world
    world.now, world.sequence = saved["now"], saved["sequence"]
    world.awake.clear()
    world.awake.extend(engines[number] for number in saved["awake"])
    world.calls[:] = [_thaw_call(frames, call) for call in saved["calls"]]
    world.timers[:] = [_thaw_timer(engines, frames, timer) for timer in saved["timers"]]
    heapq.heapify(world.timers)
    return root


def _thaw_engine(program: Program, saved: dict[str, Json], engines: list[Engine]) -> Engine:
    bounds: dict[str, Any] = {name: float("inf") if value is None else value for name, value in saved["limits"].items()}
    owner = None if saved["owner"] is None else engines[saved["owner"][0]].map_runs[saved["owner"][1]]
    own = program if owner is None else owner.plan.program
    engine = Engine(
        own, saved["input"], Names(**saved["names"]), Limits(**bounds), saved["start"], saved["seed"], owner
    )
    for name in ENGINE:
        setattr(engine, name, saved[name])
    engine.log[:] = saved["log"]
    engine.failure = Failure(*saved["failure"]) if saved["failure"] else None
    engine.reset_fence()
    return engine


def _thaw_frames(engine: Engine, program: Program, saved: dict[str, Json]) -> list[Frame]:
    frames = [_thaw_frame(engine, program, frame) for frame in saved["frames"]]
    joins = [_thaw_join(frames, join) for join in saved["joins"]]
    for frame, kept in zip(frames, saved["frames"], strict=True):
        frame.join = None if kept["join"] is None else joins[kept["join"]]
        frame.fan = None if kept["fan"] is None else joins[kept["fan"]]
    engine.root = frames[0]
    engine.ready.clear()
    engine.ready.extend(frames[number] for number in saved["ready"])
    engine.tasks.update({task: frames[number] for task, number in saved["tasks"]})
    holders = {
        kept["map_run"]: frame
        for frame, kept in zip(frames, saved["frames"], strict=True)
        if kept["map_run"] is not None
    }
    for kept in saved["map_runs"]:
        run = _thaw_map_run(engine, program, holders.get(kept["number"], frames[0]), kept)
        if kept["number"] in holders:
            holders[kept["number"]].map_run = run
        engine.map_runs.append(run)
    return frames


def _thaw_frame(engine: Engine, program: Program, saved: dict[str, Json]) -> Frame:
    frame = Frame(engine, program.states[saved["state"]], None, {}, 0, 0)
    for name in FRAME:
        setattr(frame, name, saved[name])
    frame.outcome = None if saved["outcome"] is None else Outcome(**saved["outcome"])
    return frame


def _thaw_join(frames: list[Frame], saved: dict[str, Json]) -> Join:
    join = Join(frames[saved["parent"]], saved["items"], saved["limit"])
    for name in JOIN:
        setattr(join, name, saved[name])
    join.results = list(saved["results"])
    join.children = [frames[number] for number in saved["children"]]
    return join


def _thaw_map_run(engine: Engine, program: Program, frame: Frame, saved: dict[str, Json]) -> MapRun:
    plan = program.states[saved["state"]].plan
    assert plan is not None
    drawn = engine.drawn
    run = MapRun(engine, frame, plan)
    engine.drawn = drawn
    for name in MAP_RUN:
        setattr(run, name, saved[name])
    run.counts, run.executions = dict(saved["counts"]), dict(saved["executions"])
    run.failure = Failure(**saved["failure"]) if saved["failure"] else None
    run.results, run.records = list(saved["results"]), list(saved["records"])
    run.letters = bytearray(saved["letters"], "ascii")
    return run


def _thaw_call(frames: list[list[Frame]], saved: dict[str, Json]) -> TaskCall:
    path = tuple((name, index) for name, index in saved["path"])
    service = parse_resource(saved["resource"]) if saved["resource"] else NO_SERVICE
    frame = frames[saved["engine"]][saved["frame"]]
    return TaskCall(
        saved["task"], saved["state"], service, saved["input"], saved["attempt"], path, frame, saved["token"], saved["timeout"],
        saved["purpose"],
    )  # fmt: skip


def _thaw_timer(engines: list[Engine], frames: list[list[Frame]], saved: list[Json]) -> Timer:
    time, sequence, what, engine, frame, stamp, outcome = saved
    found = None if frame is None else frames[engine][frame]
    return Timer(time, sequence, what, engines[engine], found, stamp, None if outcome is None else Outcome(**outcome))


# ---- and away


def release(engine: Engine) -> None:
    """Take an execution apart that nobody needs any more.

    Its parts refer to each other; without this their memory is free only when garbage is collected, which costs a debugger that sets
    executions back all the time more than the work itself. Payloads and results stay as they are.
    """
    for one in _Numbers(engine, ended=True).engines:
        frames: list[Frame] = []
        joins: list[Join] = []
        _collect(one.root, frames, joins)
        for frame in frames:
            del frame.engine, frame.join, frame.fan, frame.map_run
        for join in joins:
            del join.parent, join.children
        for run in one.map_runs:
            run.active, run.children = {}, {}
        one.ready.clear()
        one.tasks.clear()
        one.map_runs.clear()
    engine.world.timers.clear()
    engine.world.calls.clear()
    engine.world.awake.clear()
