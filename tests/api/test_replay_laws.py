"""A run's own history, run again, shows no difference; whatever the machine is and whatever its tasks answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sfn_notebook import PENDING, After, History, StateMachine, TaskError
from sfn_notebook.api.debugger import Debugger
from sfn_notebook.api.replay import replay

SQS = "arn:aws:states:::sqs:sendMessage"
CALLBACK = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
LAMBDA = "arn:aws:states:::lambda:invoke"
ACTIVITY = "arn:aws:states:us-east-1:123456789012:activity:a"
INPUT = {"items": [1, 2, 3], "n": 2}
RETRY = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 2, "MaxAttempts": 2}]
OUTCOMES = [{"ok": 1}, After(3, {"late": True}), After(30, 1), TaskError("A", "a"), TaskError("B", None), PENDING]
PICKS = st.lists(st.integers(0, len(OUTCOMES) - 1), min_size=1, max_size=5)


@st.composite
def machines(draw: Callable[[st.SearchStrategy[Any]], Any], alone: bool = False) -> StateMachine:
    """Draw a machine.

    A history alone does not tell in which order things happened beside a Distributed Map in the same millisecond, which matters when
    one of them fails: then it stands only where nothing is beside it.
    """
    names = iter(f"S{number}" for number in range(1000))

    def scope(depth: int) -> dict[str, Any]:
        own = [next(names) for _ in range(draw(st.integers(1, 3)))]
        return {"StartAt": own[0], "States": {name: state(name, own[at + 1 :], depth) for at, name in enumerate(own)}}

    def state(name: str, later: list[str], depth: int) -> dict[str, Any]:
        kind = draw(
            st.sampled_from(["Pass", "Task", "Task", "Wait", *(["Map", "Parallel", "Distributed"] if depth else [])])
        )
        found: dict[str, Any] = {"Type": kind}
        if kind == "Task":
            found["Resource"] = draw(st.sampled_from([SQS, LAMBDA, CALLBACK, ACTIVITY]))
            found |= draw(st.sampled_from([{}, {"TimeoutSeconds": 20}, {"TimeoutSeconds": 20, "HeartbeatSeconds": 2}]))
            found |= {"Parameters": {"token.$": "$$.Task.Token"}} if found["Resource"] == CALLBACK else {}
        elif kind == "Wait":
            found["Seconds"] = draw(st.integers(0, 5))
        elif kind == "Map":
            found |= {"ItemsPath": "$$.Execution.Input.items", "ItemProcessor": scope(depth - 1)}
        elif kind == "Distributed":
            processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **scope(0)}
            more = draw(st.sampled_from([{}, {"ToleratedFailureCount": 3}]))
            found |= {"Type": "Map", "ItemsPath": "$$.Execution.Input.items", "ItemProcessor": processor, **more}
        elif kind == "Parallel":
            found["Branches"] = [scope(depth - 1) for _ in range(2)]
        if found["Type"] in ("Task", "Map", "Parallel"):
            found |= draw(st.sampled_from([{}, {"ResultPath": "$.r"}, {"ResultPath": None}]))
            found |= {"Retry": RETRY} if draw(st.booleans()) else {}
            found |= {"Catch": [{"ErrorEquals": ["A"], "Next": later[-1]}]} if later and draw(st.booleans()) else {}
        return found | ({"Next": later[0]} if later else {"End": True})

    return StateMachine.load(scope(2))


class Handler:
    def __init__(self, picks: list[int]) -> None:
        self.picks = picks
        self.count = 0

    def __call__(self, data: Any) -> Any:
        self.count += 1
        found = OUTCOMES[self.picks[self.count % len(self.picks)]]
        if isinstance(found, TaskError):
            raise found
        return found


def check(machine: StateMachine, picks: list[int], *, waited: bool, alone: bool) -> None:
    handler = Handler(picks)
    execution = machine.run(INPUT, {"*": handler}, seed=1)
    if waited:
        execution.advance(30)
    count = handler.count
    found = replay(machine, History.from_events(execution.history.raw) if alone else execution)
    assert [str(one) for one in found.differences] == []
    assert found.missing == ()
    assert (found.verdict, found.execution.status) == ("same", execution.status)
    assert handler.count == count


@settings(max_examples=50)
@given(machines(), PICKS, st.booleans())
def test_replay_of_an_execution_shows_no_difference(machine: StateMachine, picks: list[int], waited: bool) -> None:
    check(machine, picks, waited=waited, alone=False)


@settings(max_examples=50)
@given(machines(alone=True), PICKS, st.booleans())
def test_replay_of_a_runs_own_history_shows_no_difference(
    machine: StateMachine, picks: list[int], waited: bool
) -> None:
    check(machine, picks, waited=waited, alone=True)


@settings(max_examples=30)
@given(machines(), PICKS)
def test_a_debugger_of_a_history_goes_through_its_events_and_calls_nobody(
    machine: StateMachine, picks: list[int]
) -> None:
    handler = Handler(picks)
    execution = machine.run(INPUT, {"*": handler}, seed=1)
    count = handler.count
    debugger = Debugger.of(execution, machine, {"*": handler})
    assert debugger.position == 1
    assert debugger.length == len(execution.history)
    middle = debugger.seek(debugger.length // 2 + 1).view()
    debugger.seek(0).seek(-1)
    assert debugger.seek(middle.position).view() == middle
    assert handler.count == count
