"""The loop: answers in the order of the commands, only when nothing is ready, all waiting ones together."""

from collections.abc import Sequence
from typing import Any

from sfn_notebook.engine import log
from sfn_notebook.engine.execution import Engine
from sfn_notebook.engine.frames import Outcome
from sfn_notebook.engine.limits import Limits, Names
from sfn_notebook.engine.program import compile_program
from sfn_notebook.engine.task import TaskCall
from sfn_notebook.sim.driver import drive

QUEUE = "arn:aws:states:::sqs:sendMessage"
START = 1_735_689_600_000
OK = Outcome("succeeded", {})


class Scripted:
    """Answers by state name and keeps the batches that it was asked."""

    def __init__(self, **answers: tuple[Outcome | None, float]) -> None:
        self.answers = answers
        self.batches: list[list[str]] = []

    def respond(self, calls: Sequence[TaskCall]) -> list[tuple[Outcome | None, float]]:
        self.batches.append([call.state for call in calls])
        return [self.answers.get(call.state, (OK, 0)) for call in calls]


def engine(states: dict[str, Any]) -> Engine:
    program = compile_program({"StartAt": next(iter(states)), "States": states})
    return Engine(program, {}, Names("m", "r"), Limits(), START, 1)


def branches(*names: str, **fields: Any) -> dict[str, Any]:
    task = {"Type": "Task", "Resource": QUEUE, "End": True, **fields}
    scopes = [{"StartAt": name, "States": {name: task}} for name in names]
    return {"P": {"Type": "Parallel", "Branches": scopes, "End": True}}


def test_commands_that_wait_together_are_answered_together_in_their_order() -> None:
    found, responder = engine(branches("A", "B", "C")), Scripted()
    drive(found, responder)
    assert found.status == "SUCCEEDED"
    assert responder.batches == [["A", "B", "C"]]


def test_delays_decide_who_is_first() -> None:
    found = engine(branches("A", "B", "C"))
    drive(found, Scripted(A=(OK, 3), B=(OK, 1), C=(OK, 2)))
    exits = [
        event["stateExitedEventDetails"]["name"]
        for event in log.events(found.log)
        if event["type"] == "TaskStateExited"
    ]
    assert exits == ["B", "C", "A"]


def test_a_task_left_to_the_outside_stops_the_loop_and_others_go_on() -> None:
    found = engine(branches("A", "B"))
    drive(found, Scripted(A=(None, 0), B=(OK, 5)))
    assert found.status == "RUNNING"
    assert [frame.state.name for frame in found.tasks.values()] == ["A"]
    assert [event["type"] for event in log.events(found.log)].count("TaskSucceeded") == 1


def test_time_runs_up_to_the_given_moment_and_no_further() -> None:
    found = engine(branches("A", TimeoutSeconds=60))
    responder = Scripted(A=(None, 0))
    drive(found, responder, START + 59_000)
    assert found.status == "RUNNING"
    drive(found, responder, START + 60_000)
    assert found.status == "FAILED"
    assert responder.batches == [["A"]]


def test_a_watcher_sees_the_engine_after_every_batch() -> None:
    states = {name: {"Type": "Task", "Resource": QUEUE, "Next": after} for name, after in (("A", "B"), ("B", "C"))}
    seen: list[int] = []
    drive(
        engine(states | {"C": {"Type": "Succeed"}}),
        Scripted(),
        watch=lambda found: seen.append(len(found.log) // log.STRIDE),
    )
    assert seen == [4, 9]
