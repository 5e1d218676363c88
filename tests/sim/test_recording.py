"""Recordings: any moment again, exactly, and nobody is called for it."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest

from sfn_notebook import After, Outcomes, RunError, StateMachine, TaskError
from sfn_notebook.sim.answering import Answering
from sfn_notebook.sim.handlers import Responder
from sfn_notebook.sim.recording import EVERY, Recording

SQS = "arn:aws:states:::sqs:sendMessage"
LOOP = {
    "StartAt": "A",
    "States": {
        "A": {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.n, 1)"}, "Next": "B"},
        "B": {"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericLessThan": 1000, "Next": "A"}], "Default": "C"},
        "C": {"Type": "Succeed"},
    },
}
MAP = {
    "StartAt": "M",
    "States": {
        "M": {
            "Type": "Map", "End": True, "MaxConcurrency": 3,
            "ItemProcessor": {
                "StartAt": "T",
                "States": {
                    "T": {
                        "Type": "Task", "Resource": SQS, "TimeoutSeconds": 100, "Next": "W",
                        "Retry": [{"ErrorEquals": ["Busy"], "JitterStrategy": "FULL"}],
                    },
                    "W": {"Type": "Wait", "Seconds": 2, "End": True},
                },
            },
        }
    },
}  # fmt: skip
DISTRIBUTED = {
    "StartAt": "D",
    "States": {
        "D": {
            "Type": "Map", "Next": "P", "MaxConcurrency": 2,
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, "StartAt": "T",
                "States": {"T": {"Type": "Task", "Resource": SQS, "End": True}},
            },
        },
        "P": {"Type": "Parallel", "End": True, "Branches": [
            {"StartAt": "X", "States": {"X": {"Type": "Task", "Resource": SQS, "End": True}}},
            {"StartAt": "Y", "States": {"Y": {"Type": "Wait", "Seconds": 1, "End": True}}},
        ]},
    },
}  # fmt: skip


class Handler:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self, data: Any) -> Any:
        self.count += 1
        if self.count % 3 == 0:
            raise TaskError("Busy", "")
        return After(self.count % 5, {"n": self.count})


def record(definition: dict[str, Any], data: Any, handlers: Any = None, **more: Any) -> Recording:
    machine = StateMachine.load(definition)
    execution = machine.begin(data, handlers, seed=1)
    return Recording(machine.program, execution.engine, Answering(execution.responder, **more))


@pytest.mark.parametrize(
    ("definition", "data"), [(LOOP, {"n": 0}), (MAP, list(range(60))), (DISTRIBUTED, list(range(5)))]
)
def test_every_position_can_be_had_again_without_calling_anybody(definition: dict[str, Any], data: Any) -> None:
    handler = Handler()
    recording = record(definition, data, {"*": handler})
    assert recording.advance(10**6) == "ended"
    count, total = handler.count, recording.length
    for position in [*range(1, min(total, 80)), *range(80, total + 1, 97), 1, total, 3]:
        player = recording.at(position)
        assert position <= player.length <= position + 12
        assert player.engine.log == recording.log[: 5 * player.length]
    assert handler.count == count


def test_a_player_runs_on_as_the_original_did() -> None:
    handler = Handler()
    recording = record(MAP, list(range(20)), {"*": handler})
    recording.advance(10**6)
    count, log = handler.count, list(recording.log)
    player = recording.at(17)
    assert player.run(10**6) == "ended"
    assert player.engine.log == log
    assert handler.count == count


def test_stopping_at_every_event_changes_nothing() -> None:
    whole = record(DISTRIBUTED, list(range(6)), {"*": Handler()})
    whole.advance(10**6)
    steps = record(DISTRIBUTED, list(range(6)), {"*": Handler()})
    while steps.advance(steps.length + 1) == "":
        pass
    assert steps.log == whole.log


def test_checkpoints_are_made_on_the_way() -> None:
    recording = record(LOOP, {"n": 0})
    recording.advance(10**6)
    lengths = [point.length for point in recording.checkpoints]
    assert lengths[0] == 1
    assert len(lengths) == recording.length // EVERY + 1
    assert all(later - earlier < EVERY + 10 for earlier, later in pairwise(lengths))


def test_handlers_are_called_only_as_far_as_needed() -> None:
    handler = Handler()
    recording = record(MAP, [1, 2], {"*": handler})
    recording.advance(11)
    assert handler.count == 0
    recording.advance(12)
    assert handler.count == 2


def test_a_task_without_handler_is_asked_once_and_then_waits() -> None:
    recording = record(MAP, [1], {})
    assert recording.advance(10**6) == "asked"
    assert recording.advance(10**6) == "waiting"
    frame = next(iter(recording.head.engine.tasks.values()))
    assert frame.outside


def test_cutting_gives_up_what_came_after_and_remembers_the_calls() -> None:
    handler = Handler()
    recording = record(MAP, [1, 2], {"*": handler}, confirm=None)
    recording.advance(10**6)
    recording.cut(recording.at(3))
    assert recording.length < 10
    assert [call["path"] for call in recording.answering.again()][:2] == [[["M", 0]], [["M", 1]]]
    count = handler.count
    assert recording.advance(10**6) == "asked"
    assert handler.count == count


def test_a_confirm_function_decides_whether_a_handler_is_called_again() -> None:
    handler, seen = Handler(), []

    def confirm(call: Any, earlier: Any) -> bool:
        seen.append((call.path, earlier.kind))
        return True

    recording = record(MAP, [1], {"*": handler}, confirm=confirm)
    recording.advance(10**6)
    recording.cut(recording.at(3))
    recording.advance(10**6)
    assert (handler.count, seen) == (2, [((("M", 0),), "succeeded")])


def test_constants_are_given_again_without_asking() -> None:
    recording = record(MAP, [1], {"*": Outcomes([TaskError("Busy", ""), {"ok": 1}])})
    recording.advance(10**6)
    log = list(recording.log)
    recording.cut(recording.at(3))
    assert recording.advance(10**6) == "ended"
    assert recording.log == log


def test_what_other_handlers_answered_is_kept_when_one_answers_no_json() -> None:
    calls = []

    def good(data: Any) -> Any:
        calls.append("good")
        return 1

    machine = StateMachine.load(
        {
            "StartAt": "P",
            "States": {
                "P": {
                    "Type": "Parallel", "End": True,
                    "Branches": [
                        {"StartAt": name, "States": {name: {"Type": "Task", "Resource": SQS, "End": True}}} for name in "AB"
                    ],
                }
            },
        }
    )  # fmt: skip
    execution = machine.begin({}, {"A": good, "B": lambda data: {1, 2}}, seed=1)
    recording = Recording(machine.program, execution.engine, Answering(execution.responder))
    with pytest.raises(RunError, match='the handler of state "B" returned'):
        recording.advance(10**6)
    recording.answering.responder = Responder({"A": good, "B": 2})
    assert recording.advance(10**6) == "ended"
    assert calls == ["good"]


def test_a_fork_goes_on_by_itself() -> None:
    recording = record(MAP, [1, 2, 3], {"*": Handler()})
    recording.advance(20)
    fork = recording.fork()
    recording.advance(10**6)
    assert fork.length < recording.length
    fork.advance(10**6)
    assert fork.log[: 5 * 14] == recording.log[: 5 * 14]
    assert fork.head.engine.status == "SUCCEEDED"


@pytest.mark.parametrize("until", [1, 5, 13, 14, 22, 10**6])
def test_a_recording_survives_being_json(until: int) -> None:
    handlers = {"*": Outcomes([After(3, {"a": 1}), TaskError("Busy", ""), {"b": 2}])}
    recording = record(MAP, [1, 2], handlers)
    recording.advance(until)
    saved = json.loads(json.dumps(recording.to_json()))
    machine = StateMachine.load(MAP)
    again = Recording.from_json(machine.program, saved, Answering(Responder(handlers)))
    assert again.log == recording.log
    assert [entry.to_json() for entry in again.tape] == [entry.to_json() for entry in recording.tape]
    assert (again.advance(10**6), recording.advance(10**6)) == ("ended", "ended")
    assert again.log == recording.log


def test_children_that_have_ended_are_still_there_after_a_cut_and_in_a_fork() -> None:
    recording = record(DISTRIBUTED, list(range(5)), {"*": 1})
    recording.advance(10**6)
    fork = recording.fork()
    recording.cut(recording.at(recording.length - 3))
    for one in (recording, fork):
        (run,) = one.head.engine.map_runs
        assert sorted(run.children) == [0, 1, 2, 3, 4]
        assert {child.status for child in run.children.values()} == {"SUCCEEDED"}
    recording.cut(recording.at(3))
    recording.advance(10**6)
    assert len(recording.head.engine.map_runs[0].children) == 5
