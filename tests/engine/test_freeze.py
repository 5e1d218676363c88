"""A frozen execution is plain JSON, small, and goes on as the original would; freezing disturbs nothing."""

import json
from typing import Any

import pytest

from sfn_notebook.engine import log
from sfn_notebook.engine.execution import Engine
from sfn_notebook.engine.frames import Outcome
from sfn_notebook.engine.freeze import freeze, thaw
from sfn_notebook.engine.limits import Limits, Names
from sfn_notebook.engine.model import Program
from sfn_notebook.engine.program import compile_program

QUEUE = "arn:aws:states:::sqs:sendMessage"
TASK = {"Type": "Task", "Resource": QUEUE, "TimeoutSeconds": 50, "HeartbeatSeconds": 20, "End": True}
PROGRAM = compile_program(
    {
        "StartAt": "V",
        "States": {
            "V": {"Type": "Pass", "Assign": {"x": {"y": [1]}}, "Next": "M"},
            "M": {
                "Type": "Map",
                "MaxConcurrency": 2,
                "Retry": [{"ErrorEquals": ["E"], "JitterStrategy": "FULL", "IntervalSeconds": 10}],
                "ItemProcessor": {
                    "StartAt": "P",
                    "States": {
                        "P": {
                            "Type": "Parallel",
                            "Branches": [
                                {"StartAt": "T", "States": {"T": TASK}},
                                {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 30, "End": True}}},
                            ],
                            "End": True,
                        }
                    },
                },
                "End": True,
            },
        },
    }
)


def begin(program: Program = PROGRAM, limits: Limits = Limits()) -> Engine:  # noqa: B008 - frozen
    return Engine(program, [1, 2, 3], Names("m", "r"), limits, 0, 7)


def through_text(engine: Engine) -> Engine:
    return thaw(PROGRAM, json.loads(json.dumps(freeze(engine), allow_nan=False)))


def finish(engine: Engine) -> list[dict[str, Any]]:
    failures = 2
    while engine.status == "RUNNING":
        engine.drain()
        for call in engine.take_calls():
            failures -= 1
            outcome = Outcome("failed", error="E", cause="c") if failures >= 0 else Outcome("succeeded", call.input)
            engine.answer(call.task, outcome, 3)
        engine.tick()
    return list(log.events(engine.log))


def test_a_frozen_execution_goes_on_as_the_original() -> None:
    original = begin()
    original.drain()
    copy = through_text(original)
    assert copy is not original
    assert finish(copy) == finish(original)
    assert original.status == "SUCCEEDED"


def test_freezing_twice_gives_the_same_and_disturbs_nothing() -> None:
    engine = begin()
    engine.drain()
    first = json.dumps(freeze(engine))
    assert json.dumps(freeze(engine)) == first
    assert json.dumps(freeze(through_text(engine))) == first
    assert finish(engine) == finish(begin())


def test_commands_that_nobody_has_taken_are_kept() -> None:
    engine = begin()
    engine.drain()
    copy = through_text(engine)
    ours, theirs = engine.take_calls(), copy.take_calls()
    assert [(c.task, c.state, c.input, c.attempt, c.path, c.token, c.timeout) for c in theirs] == [
        (c.task, c.state, c.input, c.attempt, c.path, c.token, c.timeout) for c in ours
    ]
    assert len(theirs) == 2
    assert {call.path for call in theirs} == {(("M", 0), ("P", 0)), (("M", 1), ("P", 0))}


def test_a_task_that_waits_for_the_outside_still_does() -> None:
    engine = begin()
    engine.drain()
    for call in engine.take_calls():
        call.frame.outside = True
    copy = through_text(engine)
    assert [frame.outside for frame in copy.tasks.values()] == [True, True]
    assert not copy.tick()
    assert copy.tick(20_000)
    assert copy.now == 20_000


def test_a_state_that_is_being_retried_has_not_forgotten_how_often_it_was() -> None:
    state = {**TASK, "Retry": [{"ErrorEquals": ["E"], "MaxAttempts": 2}]}
    program = compile_program({"StartAt": "T", "States": {"T": state}})
    engine, attempts = Engine(program, {}, Names("m", "r"), Limits(), 0, 7), []
    while engine.status == "RUNNING":
        engine.drain()
        for call in engine.take_calls():
            attempts.append(call.attempt)
            engine.answer(call.task, Outcome("failed", error="E"), 1)
        engine = thaw(program, json.loads(json.dumps(freeze(engine))))
        engine.tick()
    assert attempts == [1, 2, 3]


def test_two_copies_go_different_ways() -> None:
    engine = begin()
    engine.drain()
    first, second = through_text(engine), through_text(engine)
    (call, *_) = first.take_calls()
    first.answer(call.task, Outcome("failed", error="Fatal"))
    first.drain()
    assert first.status == "FAILED"
    assert second.status == "RUNNING"
    assert finish(second) == finish(begin())


@pytest.mark.parametrize("status", ["SUCCEEDED", "ABORTED"])
def test_a_finished_execution_can_be_frozen_too(status: str) -> None:
    engine = begin()
    if status == "ABORTED":
        engine.drain()
        engine.abort("Stopped", "why")
    else:
        finish(engine)
    copy = through_text(engine)
    assert (copy.status, copy.output) == (engine.status, engine.output)
    assert copy.status == status
    assert list(log.events(copy.log)) == list(log.events(engine.log))
    assert (copy.failure.details() if copy.failure else None) == (engine.failure.details() if engine.failure else None)


def test_lifted_limits_survive() -> None:
    engine = begin(limits=Limits.of("STANDARD", enforced=False, transitions=99))
    assert through_text(engine).limits == engine.limits
