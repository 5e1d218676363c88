"""A debugger's stop as plain JSON, for the widget: what the graph, the data panel and the scrubber show.

`machine_model` is sent once, `track_model` when the line has grown, `view_model` at each stop. Large payloads stay here: a value is sent
as JSON text (so that 1.0 and large numbers arrive as they were written) up to `INLINE` characters, else as a preview with the name
under which the widget can ask for the rest; `Texts` keeps those of the last stop. Nothing here moves the debugger.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sfn_notebook.api import stops
from sfn_notebook.api.debugger import Debugger
from sfn_notebook.api.stops import Stage, Where
from sfn_notebook.engine.frames import DEAD, ENTER
from sfn_notebook.errors import CommandError, Json, SfnError
from sfn_notebook.history.compare import Change
from sfn_notebook.history.events import Event, details, parse
from sfn_notebook.history.places import Place, place_text
from sfn_notebook.notebook.stepper_trail import Trail
from sfn_notebook.render import labels
from sfn_notebook.sim.breakpoints import Breakpoint
from sfn_notebook.sim.handlers import CallRecord
from sfn_notebook.sim.line import PendingTask, beginning
from sfn_notebook.sim.outcomes import TaskError
from sfn_notebook.sim.tape import engines, frames
from sfn_notebook.strictjson import json_text

INLINE = 16_000
"""Characters of JSON that are sent without being asked for."""
PREVIEW = 160
CHANGES = 60
ITEMS = 10_000
EVENTS = 60
TASKS = 20
CALLBACK = ".waitForTaskToken"
ACTIVITY = ":activity:"
DELAYS = ("wake", "retry")
"""Timers that somebody may skip."""

BUGS = (NameError, AttributeError, TypeError, SyntaxError, ImportError, AssertionError, RecursionError, LookupError)
"""Exceptions that are mistakes in a handler more often than errors that a workflow should see."""


@dataclass
class Texts:
    """JSON texts of one stop, by the names under which the widget asks for them."""

    held: dict[str, str] = field(default_factory=dict)

    def put(self, name: str, value: Json) -> dict[str, Json]:
        """Give a value as the widget gets it."""
        return self.put_text(name, json_text(value))

    def put_text(self, name: str, text: str) -> dict[str, Json]:
        """Give a value, written as JSON, as the widget gets it."""
        short = text if len(text) <= PREVIEW else text[: PREVIEW - 1] + "…"
        if len(text) <= INLINE:
            return {"name": name, "text": text, "preview": short, "size": len(text)}
        self.held[name] = text
        return {"name": name, "text": None, "preview": short, "size": len(text)}


@dataclass
class Look:
    """What somebody looks at: the debugger, and where it is not the position, an event of it.

    Attributes:
        debugger: the debugger.
        trail: all that its line has recorded.
        event: the event looked at; None for the position.
        followed: the iteration that steps stay in.
        within: id of the visit of its Map.
        unit: what a step is: "state" or "event".
    """

    debugger: Debugger
    trail: Trail
    event: int | None = None
    followed: Place | None = None
    within: int = 0
    unit: str = "state"

    @property
    def position(self) -> int:
        """Where to look: the event chosen, else the position, and at the end of a run that failed the state that failed."""
        here = self.debugger.position
        if self.event is not None:
            return min(self.event, here)
        culprit = self.debugger.line.fold(here).culprit if self.debugger.finished else None
        return here if culprit is None else self.trail.last_event(culprit.id, here)


# ---- once, and when the line has grown


def machine_model(debugger: Debugger, trail: Trail) -> dict[str, Json]:
    """Describe the machine: name and states in the order of the text."""
    states = [
        {
            "name": s.name,
            "type": s.type,
            "pointer": s.pointer,
            "drawn": labels.visible(s.pointer),
            "depth": s.pointer.count("/States/") - 1,
        }
        for s in trail.states.values()
    ]
    return {"name": debugger.machine.name, "states": states}


def track_model(trail: Trail) -> dict[str, Json]:
    """Describe the scrubber."""
    return {"length": len(trail.owners), "segments": trail.segments(), "ticks": trail.shown_ticks()}


# ---- at each stop


def view_model(look: Look, texts: Texts, lines: list[dict[str, Json]]) -> dict[str, Json]:
    """Describe a stop."""
    debugger, trail = look.debugger, look.trail
    now = debugger.where()
    seen = now if look.position == debugger.position else stops.where(debugger.machine, debugger.line, look.position)
    detail = _detail(seen, debugger, texts)
    detail |= _told_later(seen, now, trail)
    if look.event is None and seen is not now:
        detail |= {"error": now.error, "cause": _readable(now.cause), "status": now.status}
    return {
        **_head(look, now),
        "lines": lines,
        "nodes": _nodes(debugger, trail, now),
        "edges": trail.edges(debugger.position),
        "here": None if seen.state is None or (now.state is None and look.event is not None) else (seen if now.state is None else now).pointer,
        "active": _active(debugger, trail),
        "breakpoints": [_breakpoint(one) for one in debugger.breakpoints],
        "detail": detail,
        "looking": None if look.event is None else look.position,
        "pending": [_task(debugger, task, texts, number) for number, task in enumerate(waiting_tasks(now)[:TASKS])],
        "unsettled": len(now.pending),
        "stuck": _stuck(debugger, now),
        "timers": [{"what": t.what, "state": t.state, "path": place_text(t.place), "at": _clock(t.time)} for t in now.timers[:TASKS]],
        "map": _map(look, seen),
        "followed": None if look.followed is None else place_text(look.followed),
        "edits": _edits(debugger, texts),
        "bugs": _bugs(debugger, trail),
        "events": events_model(debugger, max(1, look.position - EVENTS + 1), look.position, trail),
        "output": texts.put_text("output", now.event["executionSucceededEventDetails"]["output"])
        if now.event and now.event["type"] == "ExecutionSucceeded"
        else None,
    }  # fmt: skip


def _told_later(seen: Where, now: Where, trail: Trail) -> dict[str, Json]:
    """Give what is known of a state that is under way before its events say so."""
    if seen.status != "RUNNING" or seen.visit is None:
        return {}
    if seen.type == "Fail":  # its error comes with the event that fails what is around it
        visit = trail.visit(seen.visit)
        assert visit is not None
        return {"status": "FAILED", "error": visit.error, "cause": visit.cause}
    asks = seen is now and any(t.outside and (t.place, t.state) == (seen.place, seen.state) for t in now.pending)
    return {"status": "WAITING"} if asks or seen.type == "Wait" else {}


def _stuck(debugger: Debugger, now: Where) -> bool:
    """Say whether only an answer, or time that somebody lets pass, brings the run further."""
    if debugger.position < debugger.length or debugger.status != "RUNNING" or not now.pending:
        return False
    if not all(task.outside for task in now.pending):
        return False
    root = debugger.line.recording.head.engine
    if root.waiting_calls() or any(frame.phase != DEAD for engine in engines(root) for frame in engine.ready):
        return False
    asked = {(task.place, task.state) for task in now.pending}
    first = next(iter(now.timers), None)
    return first is None or (first.what not in (*DELAYS, "outcome") and (first.place, first.state) in asked)


def _head(look: Look, now: Where) -> dict[str, Json]:
    debugger = look.debugger
    first = debugger.line.events[0].get("timestamp") if debugger.length else None
    again = Counter(f"{call['state']}, attempt {call['attempt']}" for call in debugger.again)
    elapsed = (now.time - first).total_seconds() if now.time and first else 0.0
    return {
        "status": "RUNNING" if debugger.position < debugger.length else debugger.status,
        "final": debugger.status,
        "position": debugger.position,
        "length": debugger.length,
        "elapsed": elapsed,
        "time": None if now.time is None else now.time.isoformat(),
        "event": None if now.event is None else now.event["type"],
        "reason": debugger.reason,
        "hit": None if debugger.hit is None else str(debugger.hit),
        "finished": debugger.finished,
        "unit": look.unit,
        "again": [f"{what} ×{count}" if count > 1 else what for what, count in again.most_common(10)],
    }


_RANK = ("ABORTED", "SUCCEEDED", "CAUGHT", "TIMED_OUT", "FAILED", "WAITING", "RUNNING")
"""The status that speaks for several visits is the last of these; that some were aborted says nothing of the state itself."""

_NAMES = {("Wait", "RUNNING"): "WAITING", ("Fail", "RUNNING"): "FAILED"}
"""What the visits of a type are called before their events say more."""


def _nodes(debugger: Debugger, trail: Trail, now: Where) -> dict[str, Json]:
    """Give [status, visits, retries] by pointer, for the states that have been entered, and where visits differ their counts by status."""
    found: dict[str, Json] = {}
    asked = {task.state for task in now.pending if task.outside}
    for name, counts in debugger.line.snapshot(debugger.position).counts.items():
        state = trail.states.get(name)
        if state is None or not any(counts.values()):
            continue
        named: Counter[str] = Counter()
        for status, count in counts.items():
            named[_NAMES.get((state.type, status), status)] += count
        named = +named  # without those that have become none
        if name in asked and "RUNNING" in named:
            named["WAITING"] = named.pop("RUNNING")
        about: list[Json] = [max(named, key=_RANK.index), sum(named.values()), trail.retries(name, debugger.position)]
        found[state.pointer] = about if len(named) == 1 else [*about, dict(named)]
    return found


def _active(debugger: Debugger, trail: Trail) -> list[str]:
    active = debugger.line.snapshot(debugger.position).active
    return [p for p in dict.fromkeys(trail.states[a.name].pointer for a in active if a.name in trail.states)]  # noqa: C416 - keeps the order


def _breakpoint(one: Breakpoint) -> dict[str, Json]:
    return {"number": one.number, "state": one.state, "text": str(one).partition(": ")[2], "plain": one.when is None and one.error is None}  # fmt: skip


def _detail(where: Where, debugger: Debugger, texts: Texts) -> dict[str, Json]:
    found: dict[str, Json] = {
        "position": where.position,
        "event": None if where.event is None else where.event["type"],
        "status": where.status,
        "path": where.path,
        "error": where.error,
        "cause": _readable(where.cause),
        "variables": texts.put("variables", where.variables),
        "data": texts.put("data", where.data),
        "state": where.state,
        "visit": where.visit,
        "stages": [_stage(stage, texts) for stage in where.stages],
        "calls": [_call(call) for call in where.calls],
    }
    if where.state is None:
        return found
    service = where.definition.get("Resource")
    return found | {
        "type": where.type,
        "service": labels.service(service) if isinstance(service, str) else "",
        "pointer": where.pointer,
        "phase": where.phase,
        "attempt": where.attempt,
        "input": texts.put("input", where.input),
        "context": texts.put("context", dict(where.context)),
        "source": where.source or json_text(dict(where.definition)),
        "line": None if where.lines is None else where.lines.line,
        "language": _language(debugger, where.state),
    }


def _language(debugger: Debugger, name: str) -> str:
    return next((s.language for s in debugger.machine.program.states if s.name == name), "JSONPath")


def _stage(stage: Stage, texts: Texts) -> dict[str, Json]:
    same = bool(stage.against) and not stage.changes and stage.error is None
    value = {"name": f"stage {stage.name}", "size": 0} if same else texts.put(f"stage {stage.name}", stage.value)
    return {
        "name": stage.name,
        "against": stage.against,
        "same": same,
        "value": value,
        "changes": [_change(change) for change in stage.changes[:CHANGES]],
        "changed": len(stage.changes),
        "error": stage.error,
    }


def _change(change: Change) -> dict[str, Json]:
    a, b = (json_text(value) for value in (change.a, change.b))
    return {"path": change.path, "kind": change.kind, "a": a[:200], "b": b[:200]}


def _call(call: CallRecord) -> dict[str, Json]:
    raised = call.exception
    return {
        "attempt": call.attempt,
        "printed": call.printed[-20_000:],
        "traceback": "" if isinstance(raised, TaskError) else call.traceback[-20_000:],
        "raised": "" if raised is None else f"{type(raised).__name__}: {raised}"[:500],
        "bug": isinstance(raised, BUGS),
    }


def _task(debugger: Debugger, task: PendingTask, texts: Texts, number: int) -> dict[str, Json]:
    earlier = task.earlier
    return {
        "number": number,
        "state": task.state,
        "path": place_text(task.place),
        "resource": task.resource,
        "bound": not task.resource or debugger.line.recording.answering.responder.find(task.state, task.resource)[0],
        "attempt": task.attempt,
        "outside": task.outside,
        "callback": task.outside and task.resource.endswith(CALLBACK),
        "activity": task.outside and ACTIVITY in task.resource,
        "token": task.token,
        "input": texts.put(f"task {number}", task.input),
        "earlier": None
        if earlier is None
        else {"kind": earlier.kind, "text": json_text(earlier.output)[:2000], "error": earlier.error, "cause": earlier.cause},
    }  # fmt: skip


def _edits(debugger: Debugger, texts: Texts) -> list[Json]:
    """Name the changes that hold from the position on, which no event shows yet."""
    found: dict[tuple[str, str], Any] = {}
    for entry in debugger.line.recording.edits:
        if entry.length != debugger.position:
            continue
        for what in ("input", "variables", "context"):
            if what in entry.data:
                key, value = (entry.data["state"], what), entry.data[what]
                found[key] = value if what == "input" else {**found.get(key, {}), **value}
    return [
        {"state": state, "what": what, "value": texts.put(f"edit {number}", value)}
        for number, ((state, what), value) in enumerate(found.items())
    ]


@dataclass(frozen=True, slots=True)
class Editable:
    """What a change of data at a position would change: what this state is about to see."""

    state: str
    input: Json
    variables: dict[str, Json]
    context: dict[str, Json]


def editable(debugger: Debugger, position: int) -> Editable:
    """Give what can be changed at a position: of the state that is under way there, or else of the one that begins next.

    Raises:
        CommandError: no state is under way there, and none begins.
    """
    recording = debugger.line.recording
    visit = debugger.line.visit(position)
    if visit is not None and visit.status == "RUNNING":
        frame = beginning(recording, visit.id, visit.name)
    else:
        standing = (frame for frame in frames(recording.at(position).engine.root) if frame.phase == ENTER)
        frame = next((frame for frame in standing if frame.prev == position or position <= 1), None)
    if frame is None:
        raise CommandError(
            f"no state begins at event {position}: go to an event of the state whose data shall be changed"
        )
    state, data, variables, context = frame.state.name, frame.data, dict(frame.variables), frame.context()
    if visit is not None and visit.status == "RUNNING":
        context = stops.context_of(recording, position, visit)
    return Editable(state, data, variables, context)


def waiting_tasks(where: Where) -> list[PendingTask]:
    """Give the tasks that wait at a position, that of the state at the position first."""
    return sorted(where.pending, key=lambda task: (task.place, task.state) != (where.place, where.state))


def _map(look: Look, seen: Where) -> Json:
    visit = look.trail.map_around(seen.visit) if seen.visit else None
    if visit is None and seen.place:  # between two states of an iteration
        owner = look.trail.last_visit(seen.place[-1][0], look.position)
        visit = None if owner is None else look.trail.map_around(owner)
    if visit is None or visit.id > look.debugger.position:
        return _siblings(look)
    if visit.map_run_arn is None:
        letters = look.trail.iterations(visit, look.debugger.position)
    else:
        letters = _children(look.debugger, visit.id)
    inside = [index for name, index in seen.place[len(visit.place) :] if name == visit.name]
    return _strip(look, visit.name, letters, visit.id, place_text(visit.place), inside[0] if inside else None)


def _children(debugger: Debugger, visit: int) -> str:
    """Give the letters of a Distributed Map's children at the position."""
    found = debugger.line.fold(debugger.position).visit(visit)
    arn = None if found is None else found.map_run_arn
    return "" if arn is None else debugger.line.children(debugger.position, arn)


def _siblings(look: Look) -> Json:
    """Describe the children of the Distributed Map whose child is debugged."""
    child = look.debugger.child_of
    if child is None:
        return None
    return _strip(look, child.run.plan.state.name, child.run.letters.decode("ascii"), 0, "", child.index)


def _strip(look: Look, name: str, letters: str, visit: int, path: str, current: int | None) -> Json:
    state = look.trail.states.get(name)
    return {
        "visit": visit,
        "name": name,
        "pointer": "" if state is None else state.pointer,
        "path": path,
        "items": letters[:ITEMS],
        "total": len(letters),
        "current": current,
        "children": state is not None and state.plan is not None,
    }


def _bugs(debugger: Debugger, trail: Trail) -> list[Json]:
    """Name the handlers that look broken in the part of the run up to the position, though the workflow may have dealt with it."""
    engine = debugger.line.recording.head.engine
    begun = (run for run in engine.map_runs if trail.last_visit(run.plan.state.name, debugger.position) is not None)
    runs = {run.uuid[:8]: run.plan.state.name for run in begun}
    at: dict[int, tuple[str, str]] = {}
    found: dict[tuple[str, str], dict[str, Json]] = {}
    for call in debugger.line.recording.answering.responder.records:
        if not isinstance(call.exception, BUGS):
            continue
        text = f"{type(call.exception).__name__}: {call.exception}"[:300]
        run, _, index = call.execution.partition("-")
        if call.execution == engine.names.execution and call.task <= debugger.position:
            at[call.task] = call.state, text
        elif run in runs:
            child = {"name": runs[run], "index": int(index)}
            bug = found.setdefault((call.state, text), {"child": child, "state": call.state, "text": text, "times": 0})
            bug["times"] += 1
    events = debugger.line.events
    for event in sorted(at):
        if "Scheduled" in events[event - 1]["type"]:  # a task may have gone with a part of the run that was given up
            state, text = at[event]
            shown = _end_of(event, debugger, trail)
            bug = found.setdefault(at[event], {"event": shown, "state": state, "text": text, "times": 0})
            bug["times"] += 1
    return list(found.values())[:3]


def _end_of(scheduled: int, debugger: Debugger, trail: Trail) -> int:
    """Give the event that ended an attempt, which shows what its handler raised; by the position."""
    visit = trail.visit(trail.owners[scheduled - 1])
    ends = [one.end_event for one in visit.task_attempts if one.event == scheduled] if visit else []
    return ends[0] if ends and ends[0] is not None and ends[0] <= debugger.position else scheduled


def events_model(debugger: Debugger, first: int, last: int, trail: Trail) -> list[Json]:
    """Give the events of a range as rows: id, type, state, place, time, what they tell."""
    rows: list[Json] = []
    for event in debugger.line.events[first - 1 : last]:
        owner = trail.visit(trail.owners[event["id"] - 1])
        place = place_text(trail.places[event["id"] - 1])
        rows.append([event["id"], event["type"], owner.name if owner else "", place, _told(event)])
    return rows


def _told(event: Event) -> str:
    found = details(event)
    error = found.get("error")
    text = (
        f"{error}: {found.get('cause') or ''}"
        if error
        else found.get("input") or found.get("output") or found.get("parameters") or ""
    )
    return text if len(text) <= PREVIEW else text[: PREVIEW - 1] + "…"  # fmt: skip


def _readable(cause: str | None) -> str | None:
    """Give the message inside the JSON that Lambda writes as the cause of a function's error."""
    found = parse(cause) if cause and cause.startswith("{") and '"errorMessage"' in cause else None
    text = found.get("errorMessage") if isinstance(found, Mapping) else None
    return text if isinstance(text, str) else cause


def _clock(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def event_text(debugger: Debugger, number: int) -> str:
    """Give one event as JSON text, payloads unfolded."""
    if not 1 <= number <= debugger.length:
        raise SfnError(f"there is no event {number}")
    return json_text({key: _unfolded(value) for key, value in _plain(debugger.line.events[number - 1])})


def _plain(event: Event) -> Iterator[tuple[str, Any]]:
    for key, value in event.items():
        yield key, value.isoformat() if isinstance(value, datetime) else value


def _unfolded(value: Any) -> Json:
    if not isinstance(value, Mapping):
        return value
    return {key: parse(text) if key in ("input", "output", "parameters") else text for key, text in value.items()}
