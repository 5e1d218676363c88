"""What the page of a stepper may ask for: a table of commands, and one of questions.

A command is a function of the shell and the message that the page sent; it moves the debugger, or what is looked at, and the shell then
shows the stop. A question is answered with a message and changes nothing. A new command is a function and one entry, here and in the
script. Text that comes from the page is read as strict JSON, and whatever is wrong is an `SfnError`, which the page shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sfn_notebook.errors import CommandError, Json
from sfn_notebook.history.places import Place
from sfn_notebook.notebook.stepper_view import DELAYS, editable, event_text, events_model
from sfn_notebook.sim.line import PendingTask
from sfn_notebook.strictjson import json_text, parse_json

if TYPE_CHECKING:
    from sfn_notebook.notebook.stepper import Stepper

FOLLOW_AT_MOST = 20_000
"""Events that a command goes on at most before it gives the word back."""

Do = Callable[["Stepper", Mapping[str, Any]], None]


def _step(stepper: Stepper, content: Mapping[str, Any]) -> None:
    unit = content.get("unit") or stepper.look.unit
    stepper.follow(lambda d: d.step(None if unit == "event" else "state"))


def _back(stepper: Stepper, content: Mapping[str, Any]) -> None:
    unit = content.get("unit") or stepper.look.unit
    stepper.go(lambda d: d.back(None if unit == "event" else "state") if d.position > 1 else d)


def _unit(stepper: Stepper, content: Mapping[str, Any]) -> None:
    stepper.look.unit = "event" if content.get("unit") == "event" else "state"


def _seek(stepper: Stepper, content: Mapping[str, Any]) -> None:
    debugger = stepper.debugger
    stepper.go(lambda d: d.seek(max(1, min(int(content["to"]), debugger.length))))


def _fork(stepper: Stepper, _content: Mapping[str, Any]) -> None:
    stepper.switch(stepper.debugger.fork())


def _branch(stepper: Stepper, content: Mapping[str, Any]) -> None:
    stepper.switch(stepper.branches()[int(content["to"])].debugger)


def _inspect(stepper: Stepper, content: Mapping[str, Any]) -> None:
    """Look at the last visit of a state."""
    look, pointer = stepper.look, content["pointer"]
    name = next((s.name for s in look.trail.states.values() if s.pointer == pointer), None)
    visit = None if name is None else look.trail.last_visit(name, stepper.debugger.position)
    if visit is None:
        raise CommandError(f'the state "{name or pointer}" has not been reached')
    look.event = look.trail.last_event(visit, stepper.debugger.position)


def _watch(stepper: Stepper, content: Mapping[str, Any]) -> None:
    """Look at an event without going there; without one, look at the position again."""
    stepper.look.event = content.get("event")


def _gutter(stepper: Stepper, content: Mapping[str, Any]) -> None:
    """Set a plain breakpoint on a state, or take away whatever stops there."""
    name = next(s.name for s in stepper.look.trail.states.values() if s.pointer == content["pointer"])
    points = stepper.debugger.breakpoints
    if name in points:
        points.remove(name)
    else:
        points.add(name)


def _break(stepper: Stepper, content: Mapping[str, Any]) -> None:
    points = stepper.debugger.breakpoints
    if content.get("remove"):
        points.remove(int(content["remove"]))
    else:
        points.add(content.get("state") or None, error=content.get("error") or None, when=content.get("when") or None)


def _edit(stepper: Stepper, content: Mapping[str, Any]) -> None:
    changes = {
        key: parse_json(content[key], f"the {key}") for key in ("input", "variables", "context") if key in content
    }
    for key in ("variables", "context"):
        if not isinstance(changes.get(key, {}), dict):
            raise CommandError(f"the {key} are an object, but found {content[key][:40]}")
    if "context" in changes:
        now = editable(stepper.debugger, stepper.look.position).context
        changes["context"] = _altered(now, changes["context"])
        if not changes["context"]:
            raise CommandError("nothing of the context has been changed; members that are left out stay as they are")
    stepper.edit(changes)


def _altered(before: Mapping[str, Json], after: Mapping[str, Json]) -> dict[str, Json]:
    """Give the members that are not as before: a change of the context holds for all states to come, so that it names nothing else."""
    found: dict[str, Json] = {}
    for key, value in after.items():
        old = before.get(key)
        if isinstance(value, dict) and isinstance(old, dict):
            inner = _altered(old, value)
            if inner:
                found[key] = inner
        elif key not in before or json_text(old) != json_text(value):
            found[key] = value
    return found


def _handler(stepper: Stepper, content: Mapping[str, Any]) -> None:
    task = stepper.task(content)
    if task.outside:
        stepper.go(lambda d: d.call_handler(task))
    _after(stepper, task)


def _answer(stepper: Stepper, content: Mapping[str, Any]) -> None:
    result = parse_json(content["text"], "the answer")
    task = stepper.task(content)
    stepper.go(lambda d: d.answer(result, task))
    _after(stepper, task)


def _fail(stepper: Stepper, content: Mapping[str, Any]) -> None:
    error = str(content.get("error") or "")
    if not error.strip():
        raise CommandError("a failure needs the name of an error")
    task = stepper.task(content)
    stepper.go(lambda d: d.fail(error, str(content.get("cause") or ""), task))
    _after(stepper, task)


def _reuse(stepper: Stepper, content: Mapping[str, Any]) -> None:
    task = stepper.task(content)
    stepper.go(lambda d: d.reuse(task))
    _after(stepper, task)


def _after(stepper: Stepper, task: PendingTask) -> None:
    """Go on until the answer of a task shows, or something else asks."""
    under_way = ("Entered", "Scheduled", "Started", "Submitted")
    _until_at(stepper, task.place, task.state, lambda kind: not kind.endswith(under_way))


def _until_at(stepper: Stepper, place: Place, state: str, shows: Callable[[str], bool]) -> None:
    """Go on to an event of a state that shows what is looked for, or until something else asks."""
    debugger = stepper.debugger
    for _ in range(FOLLOW_AT_MOST):
        at = debugger.position
        trail = stepper.look.trail
        if debugger.step().position == at:
            return
        trail.update()
        owner = trail.visit(trail.owners[debugger.position - 1])
        kind = debugger.event["type"] if debugger.event else ""
        if owner is not None and (owner.place, owner.name) == (place, state) and shows(kind):
            return


def _skip(stepper: Stepper, _content: Mapping[str, Any]) -> None:
    """End a wait, or the delay before a retry, and go on until that shows."""
    where = stepper.debugger.where()
    waits = [timer for timer in where.timers if timer.what in DELAYS]
    here = [timer for timer in waits if (timer.place, timer.state) == (where.place, where.state)] or waits
    stepper.go(lambda d: d.skip_wait())
    if here:
        _until_at(stepper, here[0].place, here[0].state, lambda _kind: True)


def _heartbeat(stepper: Stepper, content: Mapping[str, Any]) -> None:
    task = stepper.task(content)
    stepper.go(lambda d: d.heartbeat(task))


def _advance(stepper: Stepper, content: Mapping[str, Any]) -> None:
    stepper.go(lambda d: d.advance(float(content["seconds"])))


def _iteration(stepper: Stepper, content: Mapping[str, Any]) -> None:
    """Follow an iteration; a child execution of a Distributed Map is another line of events, shown from its end."""
    if content.get("children"):
        stepper.switch(stepper.debugger.child(int(content["index"]), content.get("name")).seek(-1))
        return
    visit = stepper.look.trail.visit(int(content["visit"]))
    if visit is None:
        raise CommandError("there is no such Map")
    stepper.follow_place((*visit.place, (visit.name, int(content["index"]))), visit.id)


def _unfollow(stepper: Stepper, _content: Mapping[str, Any]) -> None:
    stepper.look.followed = None


COMMANDS: dict[str, Do] = {
    "step": _step,
    "back": _back,
    "over": lambda stepper, _: stepper.follow(lambda d: d.step_over()),
    "out": lambda stepper, _: stepper.go(lambda d: d.step_out()),
    "run": lambda stepper, _: stepper.go(lambda d: d.run_to()),
    "restart": lambda stepper, _: stepper.go(lambda d: d.seek(1)),
    "unit": _unit,
    "seek": _seek,
    "fork": _fork,
    "branch": _branch,
    "inspect": _inspect,
    "watch": _watch,
    "gutter": _gutter,
    "break": _break,
    "edit": _edit,
    "handler": _handler,
    "answer": _answer,
    "fail": _fail,
    "reuse": _reuse,
    "heartbeat": _heartbeat,
    "skip": _skip,
    "advance": _advance,
    "iteration": _iteration,
    "unfollow": _unfollow,
}
"""What the page may ask for."""


def command(name: str) -> Do:
    """Find a command.

    Raises:
        CommandError: there is none of this name.
    """
    found = COMMANDS.get(name)
    if found is None:
        raise CommandError(f"the stepper knows no command {name!r}")
    return found


def _load(stepper: Stepper, content: Mapping[str, Any]) -> dict[str, Any]:
    return {"text": stepper.long_text(content.get("name", ""))}


def _events(stepper: Stepper, content: Mapping[str, Any]) -> dict[str, Any]:
    last = min(int(content["last"]), stepper.debugger.length)
    return {"rows": events_model(stepper.debugger, max(1, last - 199), last, stepper.look.trail)}


def _event(stepper: Stepper, content: Mapping[str, Any]) -> dict[str, Any]:
    return {"text": event_text(stepper.debugger, int(content["event"]))}


def _editable(stepper: Stepper, _content: Mapping[str, Any]) -> dict[str, Any]:
    found = editable(stepper.debugger, stepper.look.position)
    parts = {"input": found.input, "variables": found.variables, "context": found.context}
    return {"state": found.state, **{name: json_text(value) for name, value in parts.items()}}


QUESTIONS: dict[str, Callable[[Stepper, Mapping[str, Any]], dict[str, Any]]] = {
    "load": _load,
    "events": _events,
    "event": _event,
    "editable": _editable,
}
"""What the page may want to know."""
