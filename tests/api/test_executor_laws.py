"""Law: where handlers run never decides what a run gives."""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfn_notebook import After, StateMachine, TaskError
from tests.engine.test_laws import INPUT, machines


@pytest.fixture(scope="module")
def pools() -> Iterator[tuple[Executor, Executor]]:
    with ThreadPoolExecutor(4) as threads, ProcessPoolExecutor(2) as processes:
        yield threads, processes


def answer(value: Any, context: dict[str, Any]) -> Any:
    """Answer a task by its input and place alone, sometimes late, sometimes with an error."""
    chance = random.Random(
        json.dumps([value, context["Path"], context["State"]["Name"], context["Attempt"]], sort_keys=True)
    )
    if chance.random() < 0.25:
        raise TaskError(chance.choice(["A", "B", "States.Timeout"]), "by chance")
    return After(chance.choice([0, 0, 1, 7]), {"answer": value, "by": chance.random()})


async def answer_async(value: Any, context: dict[str, Any]) -> Any:
    await asyncio.sleep(0)
    return answer(value, context)


@settings(max_examples=40)
@given(definition=machines(), seed=st.integers(0, 99))
def test_threads_and_async_handlers_give_the_same_history(
    pools: tuple[Executor, Executor], definition: dict[str, Any], seed: int
) -> None:
    machine = StateMachine.load(definition)
    here = machine.run(INPUT, {"*": answer}, seed=seed)
    assert machine.run(INPUT, {"*": answer}, seed=seed, executor=pools[0]).history.raw == here.history.raw
    assert machine.run(INPUT, {"*": answer_async}, seed=seed).history.raw == here.history.raw


@settings(max_examples=8)
@given(definition=machines(), seed=st.integers(0, 99))
def test_processes_give_the_same_history(
    pools: tuple[Executor, Executor], definition: dict[str, Any], seed: int
) -> None:
    machine = StateMachine.load(definition)
    here = machine.run(INPUT, {"*": answer}, seed=seed)
    there = machine.run(INPUT, {"*": answer}, seed=seed, executor=pools[1])
    assert (there.status, there.output, there.error) == (here.status, here.output, here.error)
    assert there.history.raw == here.history.raw


@pytest.mark.parametrize("mode", ["INLINE", "DISTRIBUTED"])
def test_the_items_of_a_map_are_handled_at_the_same_time(mode: str) -> None:
    together = most = 0
    lock = threading.Lock()

    def handler(item: int) -> int:
        nonlocal together, most
        with lock:
            together += 1
            most = max(most, together)
        time.sleep(0.02)
        with lock:
            together -= 1
        return item

    config = {"Mode": mode, **({"ExecutionType": "STANDARD"} if mode == "DISTRIBUTED" else {})}
    states = {"T": {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f", "End": True}}
    processor = {"ProcessorConfig": config, "StartAt": "T", "States": states}
    machine = StateMachine.load(
        {"StartAt": "M", "States": {"M": {"Type": "Map", "MaxConcurrency": 8, "ItemProcessor": processor, "End": True}}}
    )
    assert machine.run(list(range(24)), {"T": handler}, executor="threads").output == list(range(24))
    assert 4 <= most <= 8
