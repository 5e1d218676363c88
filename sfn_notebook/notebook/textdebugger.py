"""The debugger in a terminal: one line in, a few lines out.

`TextDebugger.run` reads commands with `ask` and shows answers with `tell`, which tests replace. `COMMANDS` is the whole list: the loop
and the help read it; adding a command is a function and one entry. All that is known and done is the `Debugger`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

from sfn_notebook.api.branches import Branch
from sfn_notebook.api.debugger import Debugger
from sfn_notebook.api.stops import Where
from sfn_notebook.errors import CommandError, ExpressionError, Json, SfnError
from sfn_notebook.history.events import Event, details
from sfn_notebook.history.places import place_text
from sfn_notebook.lang.environment import EvaluationFailure
from sfn_notebook.lang.jsonpath import compile_reference
from sfn_notebook.sim.breakpoints import compile_condition
from sfn_notebook.strictjson import json_text, parse_json

PROMPT = "sfn> "
SHOWN = 400
"""Characters of a payload that a stop shows; `p` shows all."""


class TextDebugger:
    """A debugger driven by lines of text.

    Attributes:
        debugger: the debugger; another one after `switch`.
    """

    def __init__(
        self, debugger: Debugger, ask: Callable[[str], str] = input, tell: Callable[[str], None] | None = None
    ) -> None:
        """Drive a debugger.

        Args:
            debugger: the debugger.
            ask: gives a line for a prompt; EOFError ends the loop.
            tell: shows text; standard output by default.
        """
        self.debugger = debugger
        self.ask = ask
        self.tell = tell or _write
        self._last = "n"

    def run(self) -> Debugger:
        """Read and do commands until `q` or the end of the input; give the debugger."""
        self.tell(short(self.debugger))
        while True:
            try:
                line = self.ask(PROMPT).strip()
            except (EOFError, KeyboardInterrupt):
                return self.debugger
            if line.partition(" ")[0] in ("q", "quit", "exit"):
                return self.debugger
            self.tell(self.do(line or self._last))

    def do(self, line: str) -> str:
        """Do one command and give what it has to say."""
        name, _, argument = line.partition(" ")
        command = COMMANDS.get(name) or COMMANDS.get(ALIASES.get(name, ""))
        if command is None:
            return f'no command "{name}"; ? lists them'
        self._last = line if command.repeats else self._last
        try:
            return command.do(self, argument.strip())
        except SfnError as error:
            return f"! {error}"
        except KeyboardInterrupt:
            return f"! interrupted\n{short(self.debugger)}"
        except Exception as error:  # noqa: BLE001 - a user's predicate may raise anything, and the session must go on
            return f"! {type(error).__name__}: {error}"


def _write(text: str) -> None:
    import sys

    sys.stdout.write(text + "\n")


@dataclass(frozen=True, slots=True)
class Command:
    """A command: what it does, its help, and whether an empty line repeats it."""

    do: Callable[[TextDebugger, str], str]
    usage: str
    help: str
    repeats: bool = False


# ---- showing


def short(debugger: Debugger) -> str:
    """Describe a stop in a few lines."""
    return "\n".join(_short(debugger))


def _short(debugger: Debugger) -> Iterator[str]:
    where = debugger.where()
    kind = where.event["type"] if where.event else "before the start"
    yield f"[{where.position}/{debugger.length}] {kind}{_place(where)}"
    if debugger.hit is not None:
        yield f"  breakpoint {debugger.hit}"
    if where.error is not None:
        yield f"  ! {where.error}: {_cut(where.cause or '')}"
    yield f"  data {_cut(json_text(where.data))}"
    for call in where.calls[-1:]:
        if call.printed:
            yield f"  printed {_cut(call.printed.rstrip())}"
        if call.traceback:
            yield call.traceback.rstrip()
    asked = [task for task in where.pending if task.outside]
    for task in asked:
        yield f"  asks: {task}"
    if asked and debugger.position == debugger.length:
        more = ", call (the handler), reuse" if any(task.earlier for task in asked) else ""
        yield f"  answer JSON, fail ERROR [CAUSE]{more}"
    if debugger.finished:
        yield f"  the run has ended: {debugger.status}"


def _place(where: Where) -> str:
    if where.state is None:
        return f" in {where.path}" if where.path else ""
    attempt = f", attempt {where.attempt}" if where.attempt > 1 else ""
    return f" {where.path + '/' if where.path else ''}{where.state} ({where.type}){attempt}"


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}… ({len(text):,} characters)"


def _moving(move: Callable[[Debugger, str], Any]) -> Callable[[TextDebugger, str], str]:
    """Make a command of something that moves or changes the debugger."""

    def do(shell: TextDebugger, argument: str) -> str:
        before = shell.debugger.position
        move(shell.debugger, argument)
        stuck = shell.debugger.position == before and shell.debugger.reason in ("waiting", "asked")
        note = "\n  it can go on only with an answer" if stuck and not shell.debugger.pending else ""
        return short(shell.debugger) + note

    return do


# ---- commands


def _run_to(debugger: Debugger, argument: str) -> None:
    debugger.run_to(int(argument) if argument.isdigit() else argument or None)


def _jump(debugger: Debugger, argument: str) -> None:
    debugger.seek(_number(argument, "an event"))


def _number(text: str, what: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise CommandError(f"{what} is a number, but found {text!r}") from None


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise CommandError(f"the time is a number of seconds, but found {text!r}") from None


def _break(shell: TextDebugger, argument: str) -> str:
    points = shell.debugger.breakpoints
    if not argument:
        return "\n".join(map(str, points)) or "no breakpoints"
    target, condition = _divided(argument, {state.name for state in shell.debugger.machine.program.states})
    when = condition.strip() or None
    if target.startswith("!"):
        return f"set {points.add(error=target[1:].strip() or True, when=when)}"
    return f"set {points.add(target.strip(), when=when)}"


def _divided(text: str, states: Collection[str]) -> tuple[str, str]:
    """Part `STATE if CONDITION`; names of states may hold " if " themselves."""
    if text in states:
        return text, ""
    words = text.split(" if ")
    parts = [(" if ".join(words[:at]), " if ".join(words[at:])) for at in range(len(words), 0, -1)]
    return next((part for part in parts if part[0].strip() in states), parts[-1])


def _clear(shell: TextDebugger, argument: str) -> str:
    if not argument:
        shell.debugger.breakpoints.clear()
        return "no breakpoints"
    shell.debugger.breakpoints.remove(int(argument) if argument.isdigit() else argument)
    return _break(shell, "")


def _print(shell: TextDebugger, argument: str) -> str:
    where = shell.debugger.where()
    if not argument:
        return _pretty(where.data)
    try:
        return _pretty(compile_condition(argument)(where.data, where.variables, lambda: dict(where.context)))
    except (ExpressionError, EvaluationFailure) as error:
        raise CommandError(str(error)) from error


def _pretty(value: Json) -> str:
    import json

    return json.dumps(value, indent=2, ensure_ascii=False)


def _variables(shell: TextDebugger, _argument: str) -> str:
    found = shell.debugger.where().variables
    return "\n".join(f"${name} = {_cut(json_text(value))}" for name, value in found.items()) or "no variables"


def _back_trace(shell: TextDebugger, _argument: str) -> str:
    active = shell.debugger.view().active
    rows = [f"{place_text(a.place) or 'top'}: {a.name} ({a.type}), {a.phase}, attempt {a.attempts}" for a in active]
    return "\n".join(rows) or "no state is active"


def _list(shell: TextDebugger, _argument: str) -> str:
    where = shell.debugger.where()
    if where.lines is None:
        return "no state here"
    rows = where.source.split("\n")
    return "\n".join(f"{where.lines.line + at:>5} | {row}" for at, row in enumerate(rows))


def _events(shell: TextDebugger, argument: str) -> str:
    count = _number(argument, "the number of events") if argument else 10
    events = shell.debugger.events[-count:] if count > 0 else []
    return "\n".join(f"{event['id']:>6} {event['type']} {_name(event)}".rstrip() for event in events)


def _name(event: Event) -> str:
    found = details(event)
    return str(found.get("name") or found.get("error") or "")


def _edit(debugger: Debugger, argument: str) -> None:
    what, _, text = argument.partition(" ")
    if not argument:
        raise CommandError(
            "edit needs what to change: edit JSON, edit $.path JSON, edit $variable JSON or edit context JSON"
        )
    if what.startswith(("$.", "$[")):
        where = debugger.where()
        value = parse_json(text.removeprefix("=").strip(), "the value")
        try:
            inside = where.state is not None and where.status == "RUNNING"
            debugger.edit(input=compile_reference(what).put(where.input if inside else where.data, value))
        except (ExpressionError, EvaluationFailure) as error:
            raise CommandError(str(error)) from error
    elif what.startswith("$") and what not in ("$", "$$"):
        debugger.edit(variables={what[1:]: parse_json(text.removeprefix("=").strip(), "the value")})
    elif what == "context":
        debugger.edit(context=parse_json(text, "the context"))
    else:
        debugger.edit(input=parse_json(text if what == "input" else argument, "the input"))


def _fail(debugger: Debugger, argument: str) -> None:
    error, _, cause = argument.partition(" ")
    if not error:
        raise CommandError("fail needs the name of an error")
    debugger.fail(error, cause)


def _fork(shell: TextDebugger, argument: str) -> str:
    shell.debugger.fork(argument or None)
    return _branches(shell, "")


def _branches(shell: TextDebugger, _argument: str) -> str:
    branches = shell.debugger.branches
    return "\n".join(f"{number}: {branch}" for number, branch in enumerate(branches, 1)) or "no branches"


def _switch(shell: TextDebugger, argument: str) -> str:
    branches = shell.debugger.branches
    number = _number(argument, "a branch")
    if not 1 <= number <= len(branches):
        raise CommandError(f"there is no branch {number}; there are {len(branches)}")
    current = shell.debugger
    shell.debugger = branches[number - 1].debugger
    branches[number - 1] = Branch(_called(current), current.position, current)
    return short(shell.debugger)


def _child(shell: TextDebugger, argument: str) -> str:
    """Go over to a child execution, keeping the line it is a child of among the branches; without a number tell how they stand."""
    if not argument:
        return _children(shell.debugger)
    child = shell.debugger.child(_number(argument, "a child"))
    branches = shell.debugger.branches
    return _switch(shell, str(next(at for at, branch in enumerate(branches, 1) if branch.debugger is child)))


def _children(debugger: Debugger) -> str:
    runs = debugger.execution.map_runs()
    rows = [f"{run['mapRunArn'].rpartition('/')[2]}: {_counted(run['executionCounts'])}" for run in runs]
    return "\n".join(rows) or "no child executions"


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count or name == "total")


def _called(debugger: Debugger) -> str:
    child = debugger.child_of
    return "the line before the switch" if child is None else f"{child.run.plan.state.name}[{child.index}]"


def _save(shell: TextDebugger, argument: str) -> str:
    if not argument:
        raise CommandError("save needs the path of a file")
    shell.debugger.save(argument)
    return f"saved to {argument}"


def _help(_shell: TextDebugger, argument: str) -> str:
    if argument in COMMANDS:
        return f"{COMMANDS[argument].usage}: {COMMANDS[argument].help}"
    width = max(len(command.usage) for command in COMMANDS.values())
    rows = [f"{command.usage:<{width}}  {command.help}" for command in COMMANDS.values()]
    return "\n".join([*rows, f"{'q':<{width}}  leave; an empty line repeats the last step"])


COMMANDS: dict[str, Command] = {
    "n": Command(_moving(lambda d, _: d.step()), "n", "next event", repeats=True),
    "s": Command(_moving(lambda d, _: d.step("state")), "s", "to the end of the state", repeats=True),
    "o": Command(_moving(lambda d, _: d.step_over()), "o", "over a whole Map, Parallel or retried task", repeats=True),
    "u": Command(_moving(lambda d, _: d.step_out()), "u", "out of the Map or Parallel around", repeats=True),
    "c": Command(
        _moving(_run_to), "c [STATE | CONDITION | N]", "go on, to a state, a condition or event N", repeats=True
    ),
    "k": Command(_moving(lambda d, _: d.back()), "k", "back by one event", repeats=True),
    "ks": Command(_moving(lambda d, _: d.back("state")), "ks", "back to where a state was entered", repeats=True),
    "j": Command(_moving(_jump), "j N", "jump to a recorded event; -1 is the last"),
    "b": Command(
        _break, "b [STATE | CONDITION | !ERROR] [if CONDITION]", "set a breakpoint, or list them; ! alone is any error"
    ),
    "cl": Command(_clear, "cl [N | STATE]", "take a breakpoint away, or all"),
    "p": Command(_print, "p [PATH | EXPRESSION]", "print data: $.a, $$.State (context), $variable, JSONata"),
    "v": Command(_variables, "v", "the variables"),
    "w": Command(lambda shell, _: str(shell.debugger.where()), "w", "where: stages of the data flow, tasks, timers"),
    "bt": Command(_back_trace, "bt", "the active states, from the outside in"),
    "l": Command(_list, "l", "the state's definition, with its lines"),
    "ev": Command(_events, "ev [N]", "the last events"),
    "edit": Command(
        _moving(_edit),
        "edit [input] JSON | edit $.PATH JSON | edit $VAR JSON | edit context JSON",
        "change data and go on from there",
    ),
    "answer": Command(
        _moving(lambda d, text: d.answer(parse_json(text, "the answer"))),
        "answer JSON",
        "answer a task; n goes on with it",
    ),
    "fail": Command(_moving(_fail), "fail ERROR [CAUSE]", "let a task fail"),
    "call": Command(_moving(lambda d, _: d.call_handler()), "call", "call the handler of a task that asks"),
    "reuse": Command(_moving(lambda d, _: d.reuse()), "reuse", "answer a task as its handler did before an edit"),
    "beat": Command(_moving(lambda d, _: d.heartbeat()), "beat", "send a heartbeat for a task"),
    "skip": Command(_moving(lambda d, _: d.skip_wait()), "skip", "end a wait at once"),
    "t": Command(_moving(lambda d, text: d.advance(_seconds(text))), "t SECONDS", "let time pass, timeouts included"),
    "fork": Command(_fork, "fork [NAME]", "keep this line of the run as a branch"),
    "branches": Command(_branches, "branches", "the branches"),
    "switch": Command(_switch, "switch N", "go over to a branch"),
    "child": Command(_child, "child [N]", "look into a Distributed Map's child execution, or count them"),
    "save": Command(_save, "save FILE", "save the debugger"),
    "?": Command(_help, "? [COMMAND]", "this help"),
}
"""The commands by name."""

ALIASES = {
    "next": "n", "step": "s", "over": "o", "out": "u", "continue": "c", "r": "c", "back": "k", "seek": "j", "break": "b",
    "clear": "cl", "print": "p", "vars": "v", "where": "w", "list": "l", "events": "ev", "h": "?", "help": "?",
}  # fmt: skip
