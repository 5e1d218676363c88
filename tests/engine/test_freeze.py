"""A frozen execution is plain JSON, small, and goes on as the original would; freezing disturbs nothing."""

import gc
import json
import weakref
from typing import Any

import pytest

from sfn_notebook.engine import log
from sfn_notebook.engine.execution import Engine
from sfn_notebook.engine.frames import Outcome
from sfn_notebook.engine.freeze import freeze, release, thaw
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


WRITER = {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "b", "Prefix": "p"}}


def distributed(**more: Any) -> dict[str, Any]:
    child = {"StartAt": "C", "States": {"C": {"Type": "Wait", "Seconds": 1, "End": True}}}
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    return {"Type": "Map", "ItemProcessor": {"ProcessorConfig": config, **child}, "End": True, **more}


BESIDE = {
    "StartAt": "P",
    "States": {
        "P": {
            "Type": "Parallel",
            "Branches": [{"StartAt": name, "States": {name: distributed(ResultWriter=WRITER)}} for name in "AB"],
            "End": True,
        }
    },
}
SELECTED = {
    "StartAt": "A",
    "States": {
        "A": distributed(
            MaxConcurrency=1,
            ItemSelector={"x.$": "$$.Map.Item.Value.x"},
            Retry=[{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}],
        )
    },
}


@pytest.mark.parametrize("definition", [BESIDE, SELECTED], ids=["two beside each other", "an item that fails"])
def test_a_distributed_map_can_be_frozen_after_any_event(definition: dict[str, Any]) -> None:
    program = compile_program(definition)

    def started() -> Engine:
        return Engine(program, [{"x": 1}, {"y": 2}], Names("m", "r"), Limits(), 0, 7)

    def go_on(engine: Engine) -> None:
        while engine.status == "RUNNING" and not engine.stopped:
            engine.drain()
            if engine.stopped:
                return
            for call in engine.take_calls():
                engine.answer(call.task, Outcome("succeeded", {"of": call.state}), 1)
            engine.tick()

    whole = started()
    go_on(whole)
    assert whole.status == ("SUCCEEDED" if definition is BESIDE else "FAILED")
    if definition is BESIDE:
        assert whole.output == [{"of": "A"}, {"of": "B"}]
    for length in range(1, len(whole.log) // log.STRIDE):
        engine = started()
        engine.stop_at = length * log.STRIDE
        engine.reset_fence()
        go_on(engine)
        again = thaw(program, json.loads(json.dumps(freeze(engine), allow_nan=False)))
        go_on(again)
        assert list(log.events(again.log)) == list(log.events(whole.log)), length


def test_map_runs_that_write_at_the_same_time_are_told_apart() -> None:
    engine = Engine(compile_program(BESIDE), [{"x": 1}], Names("m", "r"), Limits(), 0, 7)
    engine.drain()
    while len(engine.waiting_calls()) < 2:
        assert engine.tick()
        engine.drain()
    calls = engine.take_calls()
    assert len({call.task for call in calls}) == 2
    for call in reversed(calls):
        engine.answer(call.task, Outcome("succeeded", {"of": call.state}), 0)
    while engine.status == "RUNNING":
        engine.drain()
        engine.tick()
    assert engine.output == [{"of": "A"}, {"of": "B"}]


def test_what_is_released_is_free_at_once() -> None:
    engine = begin()
    engine.drain()
    kept = weakref.ref(engine)
    gc.disable()
    try:
        release(engine)
        del engine
        assert kept() is None
    finally:
        gc.enable()
