"""Laws of the debugger, for random machines and random walks: what is seen at a position is always the same, and looking calls nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sfn_notebook import After, CommandError, Outcomes, StateMachine, TaskError
from sfn_notebook.api.debugger import Debugger, debug
from sfn_notebook.history.snapshot import Snapshot, snapshot

SQS = "arn:aws:states:::sqs:sendMessage"
CALLBACK = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
LAMBDA = "arn:aws:states:::lambda:invoke"
INPUT = {"items": [1, 2, 3], "n": 2}
RETRY = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 2, "MaxAttempts": 2, "JitterStrategy": "FULL"}]


class Writer:
    """Draws a machine that always ends; names are unique over all scopes."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self.draw = draw
        self.names = 0

    def scope(self, depth: int) -> dict[str, Any]:
        count = self.draw(st.integers(1, 3))
        names = [f"S{self.names + index}" for index in range(count)]
        self.names += count
        states = {name: self.state(names[index + 1 :], depth) for index, name in enumerate(names)}
        return {"StartAt": names[0], "States": states}

    def state(self, later: list[str], depth: int) -> dict[str, Any]:
        inner = ["Map", "Parallel", "Distributed"] if depth else []
        kind = self.draw(st.sampled_from(["Pass", "Task", "Task", "Wait", *inner, *([] if later else ["Fail"])]))
        state: dict[str, Any] = {"Type": kind, **getattr(self, kind.lower())(depth)}
        if kind == "Fail":
            return state
        if kind != "Wait" and self.draw(st.booleans()):
            state["Assign"] = {f"seen{depth}.$": "$", f"by{depth}.$": "$$.State.Name"}
        if state["Type"] in ("Task", "Map", "Parallel"):
            state |= {"Retry": RETRY} if self.draw(st.booleans()) else {}
            state |= (
                {"Catch": [{"ErrorEquals": ["A"], "Next": later[-1]}]} if later and self.draw(st.booleans()) else {}
            )
        return state | ({"Next": later[0]} if later else {"End": True})

    def task(self, depth: int) -> dict[str, Any]:
        resource = self.draw(st.sampled_from([SQS, LAMBDA, CALLBACK]))
        more: dict[str, Any] = {"TimeoutSeconds": 20} if self.draw(st.booleans()) else {}
        if resource == CALLBACK:
            more["Parameters"] = {"token.$": "$$.Task.Token"}
        if self.draw(st.booleans()):
            more["ResultPath"] = None
        return {"Resource": resource, **more}

    def wait(self, depth: int) -> dict[str, Any]:
        return {"Seconds": self.draw(st.integers(0, 5))}

    def fail(self, depth: int) -> dict[str, Any]:
        return {"Error": self.draw(st.sampled_from(["A", "B"]))}

    def pass_(self, depth: int) -> dict[str, Any]:
        return self.draw(st.sampled_from([{}, {"Parameters": {"of.$": "$", "id.$": "States.UUID()"}}, {"Result": [1]}]))  # type: ignore[no-any-return]

    def map(self, depth: int) -> dict[str, Any]:
        more = {"MaxConcurrency": 1} if self.draw(st.booleans()) else {}
        return {"ItemsPath": "$$.Execution.Input.items", "ItemProcessor": self.scope(depth - 1), **more}

    def distributed(self, depth: int) -> dict[str, Any]:
        processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **self.scope(0)}
        return {
            "Type": "Map",
            "ItemsPath": "$$.Execution.Input.items",
            "ItemProcessor": processor,
            "ToleratedFailureCount": 1,
        }

    def parallel(self, depth: int) -> dict[str, Any]:
        return {"Branches": [self.scope(depth - 1) for _ in range(2)]}


setattr(Writer, "pass", Writer.pass_)


@st.composite
def machines(draw: Callable[[st.SearchStrategy[Any]], Any]) -> StateMachine:
    return StateMachine.load(Writer(draw).scope(2))


OUTCOMES = [{"ok": 1}, After(3, {"late": True}), After(30, 1), TaskError("A", "a"), TaskError("B", "b")]


class Calls:
    """A handler that counts its calls; it answers by what it is given, so that every line of a run gets the same answers."""

    def __init__(self, picks: list[int]) -> None:
        self.picks = picks
        self.count = 0

    def __call__(self, data: Any, context: dict[str, Any]) -> Any:
        self.count += 1
        pick = self.picks[(len(context["State"]["Name"]) + context["Attempt"] + len(context["Path"])) % len(self.picks)]
        found = OUTCOMES[pick]
        if isinstance(found, TaskError):
            raise found
        return found


PICKS = st.lists(st.integers(0, len(OUTCOMES) - 1), min_size=1, max_size=4)
MOVES = st.lists(
    st.tuples(
        st.sampled_from(["step", "state", "over", "out", "back", "seek", "fork", "edit", "variables", "answer", "fail", "skip", "save"]),
        st.integers(0, 60),
    ),
    min_size=3, max_size=14,
)  # fmt: skip


def move(debugger: Debugger, what: str, number: int) -> Debugger:
    match what:
        case "step":
            return debugger.step()
        case "state":
            return debugger.step(until="state")
        case "over":
            return debugger.step_over()
        case "out":
            return debugger.step_out()
        case "back":
            return debugger.back()
        case "seek":
            return debugger.seek(number % (debugger.length + 1))
        case "fork":
            return debugger.fork()
        case "edit":
            return debugger.edit(input={"items": [number], "n": 0})
        case "variables":
            return debugger.edit(variables={"seen2": number, "mine": number}, context={"Execution": {"Name": "edited"}})
        case "answer":
            pending = debugger.pending
            return debugger.answer({"by hand": number}, pending[number % len(pending)] if pending else None)
        case "fail":
            return debugger.fail("A", "by hand")
        case _:
            return debugger.skip_wait()


CHANGES = frozenset({"edit", "variables", "answer", "fail", "skip"})


@settings(max_examples=150)
@given(machines(), PICKS, MOVES)
def test_what_is_seen_at_a_position_stays_the_same_until_something_before_it_is_changed(
    tmp_path_factory: Any, machine: StateMachine, picks: list[int], moves: list[tuple[str, int]]
) -> None:
    handler = Calls(picks)
    handlers = {"*": handler} if picks[0] % 2 else {"*": Outcomes([handler, handler]), "S1": TaskError("A", "bound")}
    debugger = debug(machine, INPUT, handlers, seed=1, confirm=True)
    seen: dict[int, Snapshot] = {1: debugger.view()}
    for what, number in moves:
        before = debugger.position
        if what == "save":
            path = tmp_path_factory.getbasetemp() / "walk.json"
            debugger.save(path)
            count = handler.count
            loaded = Debugger.load(path, handlers, confirm=True)
            assert handler.count == count
            assert (loaded.length, loaded.position, loaded.view()) == (
                debugger.length,
                debugger.position,
                debugger.view(),
            )
            assert loaded.line.recording.log == debugger.line.recording.log
            debugger = loaded
            continue
        count = handler.count
        try:
            debugger = move(debugger, what, number)
        except CommandError:
            continue
        if what in CHANGES or what in ("back", "seek", "fork"):
            assert handler.count == count
        if what in CHANGES:
            changed = min(before, debugger.position)
            seen = {k: view for k, view in seen.items() if k < changed}
        here = debugger.view()
        assert seen.setdefault(debugger.position, here) == here
        assert here == debugger.view()
    count, position = handler.count, debugger.position
    for k in sorted(seen, key=lambda k: k * 7 % 11):
        if k <= debugger.length:
            assert debugger.seek(k).view() == seen[k]
            debugger.where()
    assert debugger.seek(position).position == position
    assert handler.count == count
    debugger.save(tmp_path_factory.getbasetemp() / "end.json")
    loaded = Debugger.load(tmp_path_factory.getbasetemp() / "end.json", handlers, confirm=True)
    fork = debugger.fork()
    for k in range(1, debugger.length + 1):
        all_of_it = everything(debugger.seek(k))
        assert everything(fork.seek(k)) == all_of_it
        assert everything(loaded.seek(k)) == all_of_it
    assert handler.count == count


def everything(debugger: Debugger) -> tuple[Any, ...]:
    """Give what there is to see, but for what handlers printed, which is not saved."""
    where = debugger.where()
    return debugger.view(), debugger.pending, where.stages, where.context


def branches(machine: StateMachine) -> dict[str, list[str]]:
    return {s.name: [start.name for start in s.starts] for s in machine.program.states if s.type == "Parallel"}


def to_the_end(debugger: Debugger) -> Debugger:
    """Go on, answering by hand what nobody answers."""
    for _ in range(200):
        debugger.run_to()
        if debugger.finished:
            break
        pending = [task for task in debugger.pending if task.outside]
        if not pending:
            break
        debugger.answer({"n": len(pending)}, pending[0])
    return debugger


@settings(max_examples=80)
@given(machines(), PICKS, st.integers(0, 100))
def test_back_then_forward_is_identity_and_a_fork_ends_as_the_original(
    machine: StateMachine, picks: list[int], number: int
) -> None:
    handler = Calls(picks)
    original = to_the_end(debug(machine, INPUT, {LAMBDA: handler, SQS: handler}, seed=1))
    count, end = handler.count, original.length
    assert original.finished
    original.seek(number % end + 1)
    here = original.view()
    assert original.back().step().view() == here
    fork = original.fork()
    assert to_the_end(fork).finished
    assert fork.line.recording.log == original.line.recording.log
    assert handler.count == count
    assert fork.execution.status == original.execution.status
    assert original.view() == here
    at_end = original.line.snapshot(end)
    assert at_end == snapshot(original.line.events, branches=branches(machine))


@settings(max_examples=80)
@given(machines(), PICKS)
def test_the_debugger_ends_as_a_plain_run_does(machine: StateMachine, picks: list[int]) -> None:
    handlers = {"*": Calls(picks)}
    plain = machine.run(INPUT, handlers, seed=1)
    debugger = debug(machine, INPUT, handlers, seed=1)
    while not debugger.finished:
        before = debugger.position
        debugger.step()
        assert debugger.position == before + 1
    assert debugger.line.recording.log == plain.engine.log
    assert debugger.execution.output == plain.output
