"""A whole execution as one JSON value, and back.

Frames and joins refer to each other; in the saved form each has a number and refers by it. Payloads are saved where they stand, so the
value is plain JSON: it can be written to a file, read in another process, stepped and forked. `thaw(program, freeze(engine))` goes on
exactly as `engine` would have. Freezing copies no payload: it may also serve as a checkpoint in memory.
"""

from __future__ import annotations

import heapq
from dataclasses import asdict
from typing import Any

from sfn_notebook.engine.execution import Engine, Timer
from sfn_notebook.engine.frames import Failure, Frame, Join, Outcome
from sfn_notebook.engine.limits import Limits, Names
from sfn_notebook.engine.program import Program
from sfn_notebook.engine.task import TaskCall, parse_resource
from sfn_notebook.errors import Json

PLAIN = (
    "data", "variables", "prev", "bound", "phase", "stamp", "before", "entered", "entered_at", "retries", "attempt", "task", "token",
    "outside", "index", "item", "request",
)  # fmt: skip
"""Slots of a frame that are JSON as they stand."""


def freeze(engine: Engine) -> dict[str, Json]:
    """Give the execution as a JSON value; payloads are shared with it, so nobody may change them."""
    frames: list[Frame] = []
    joins: list[Join] = []
    _collect(engine.root, frames, joins)
    for frame in [*engine.ready, *engine.tasks.values()]:
        assert frame in frames
    frame_ids = {id(frame): number for number, frame in enumerate(frames)}
    join_ids = {id(join): number for number, join in enumerate(joins)}
    limits = {name: (None if value == float("inf") else value) for name, value in asdict(engine.limits).items()}
    return {
        "input": engine.input, "names": asdict(engine.names), "limits": limits, "start": engine.start, "now": engine.now,
        "seed": engine.seed, "drawn": engine.drawn, "sequence": engine.sequence, "status": engine.status, "output": engine.output,
        "moved_at": engine.moved_at, "log": list(engine.log),
        "failure": [engine.failure.error, engine.failure.cause] if engine.failure else None,
        "frames": [_frame(frame, frame_ids, join_ids) for frame in frames],
        "joins": [_join(join, frame_ids) for join in joins],
        "ready": [frame_ids[id(frame)] for frame in engine.ready],
        "tasks": [[task, frame_ids[id(frame)]] for task, frame in engine.tasks.items()],
        "calls": [_call(call, frame_ids) for call in engine.take_calls_again()],
        "timers": [_timer(timer, frame_ids) for timer in sorted(engine.timers) if not timer.stale],
    }  # fmt: skip


def _collect(frame: Frame, frames: list[Frame], joins: list[Join]) -> None:
    frames.append(frame)
    if frame.fan is not None:
        joins.append(frame.fan)
        for child in frame.fan.children:
            _collect(child, frames, joins)


def _outcome(outcome: Any) -> Json:
    return outcome.to_json() if isinstance(outcome, Outcome) else outcome


def _frame(frame: Frame, frames: dict[int, int], joins: dict[int, int]) -> dict[str, Json]:
    saved = {name: getattr(frame, name) for name in PLAIN}
    saved["state"] = frame.state.id
    saved["outcome"] = _outcome(frame.outcome)
    saved["join"] = joins.get(id(frame.join)) if frame.join else None
    saved["fan"] = joins.get(id(frame.fan)) if frame.fan else None
    return saved


def _join(join: Join, frames: dict[int, int]) -> dict[str, Json]:
    return {
        "parent": frames[id(join.parent)], "items": join.items, "limit": join.limit, "next": join.next, "live": join.live,
        "results": list(join.results), "children": [frames[id(child)] for child in join.children], "started": join.started,
    }  # fmt: skip


def _call(call: TaskCall, frames: dict[int, int]) -> dict[str, Json]:
    return {
        "task": call.task, "state": call.state, "resource": call.service.arn, "input": call.input, "attempt": call.attempt,
        "path": [list(step) for step in call.path], "frame": frames[id(call.frame)], "token": call.token, "timeout": call.timeout,
    }  # fmt: skip


def _timer(timer: Timer, frames: dict[int, int]) -> list[Json]:
    number = None if timer.frame is None else frames[id(timer.frame)]
    return [timer.time, timer.sequence, timer.what, number, timer.stamp, _outcome(timer.outcome)]


def thaw(program: Program, saved: dict[str, Json]) -> Engine:
    """Build the engine that `saved` was frozen from; `program` is compiled from the same definition."""
    bounds: dict[str, Any] = {name: float("inf") if value is None else value for name, value in saved["limits"].items()}
    limits = Limits(**bounds)
    engine = Engine(program, saved["input"], Names(**saved["names"]), limits, saved["start"], saved["seed"])
    for name in ("now", "drawn", "sequence", "status", "output", "moved_at"):
        setattr(engine, name, saved[name])
    engine.log[:] = saved["log"]
    engine.failure = Failure(*saved["failure"]) if saved["failure"] else None
    frames = [_thaw_frame(engine, program, frame) for frame in saved["frames"]]
    joins = [_thaw_join(frames, join) for join in saved["joins"]]
    for frame, kept in zip(frames, saved["frames"], strict=True):
        frame.join = None if kept["join"] is None else joins[kept["join"]]
        frame.fan = None if kept["fan"] is None else joins[kept["fan"]]
    engine.root = frames[0]
    engine.ready.clear()
    engine.ready.extend(frames[number] for number in saved["ready"])
    engine.tasks.update({task: frames[number] for task, number in saved["tasks"]})
    engine.calls[:] = [_thaw_call(frames, call) for call in saved["calls"]]
    engine.timers[:] = [_thaw_timer(frames, timer) for timer in saved["timers"]]
    heapq.heapify(engine.timers)
    engine.reset_fence()
    return engine


def _thaw_outcome(saved: Json) -> Json:
    return Outcome(**saved) if isinstance(saved, dict) and "kind" in saved else saved


def _thaw_frame(engine: Engine, program: Program, saved: dict[str, Json]) -> Frame:
    frame = Frame(engine, program.states[saved["state"]], None, {}, 0, 0)
    for name in PLAIN:
        setattr(frame, name, saved[name])
    frame.outcome = _thaw_outcome(saved["outcome"])
    return frame


def _thaw_join(frames: list[Frame], saved: dict[str, Json]) -> Join:
    join = Join(frames[saved["parent"]], saved["items"], saved["limit"])
    join.next, join.live, join.started = saved["next"], saved["live"], saved["started"]
    join.results = list(saved["results"])
    join.children = [frames[number] for number in saved["children"]]
    return join


def _thaw_call(frames: list[Frame], saved: dict[str, Json]) -> TaskCall:
    path = tuple((name, index) for name, index in saved["path"])
    service = parse_resource(saved["resource"])
    frame = frames[saved["frame"]]
    return TaskCall(
        saved["task"],
        saved["state"],
        service,
        saved["input"],
        saved["attempt"],
        path,
        frame,
        saved["token"],
        saved["timeout"],
    )


def _thaw_timer(frames: list[Frame], saved: list[Json]) -> Timer:
    time, sequence, what, number, stamp, outcome = saved
    return Timer(time, sequence, what, None if number is None else frames[number], stamp, _thaw_outcome(outcome))
