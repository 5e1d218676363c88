"""Calling handlers here, on threads, in processes and on event loops: answers in order, prints apart, streams untouched."""

import asyncio
import gc
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from sfn_notebook import RunError
from sfn_notebook.sim.calling import Caller, Job


def shout(value: str) -> str:
    print(value)
    return value.upper()


def refuse(value: str) -> str:
    print("before", value)
    raise ValueError(value)


async def whisper(value: str) -> str:
    print(value)
    await asyncio.sleep(0)
    print(value, "again")
    return value.lower()


JOBS = [Job(shout, ("a",)), Job(refuse, ("b",)), Job(whisper, ("C",)), Job(shout, ("d",))]


def summary(executor: Any) -> list[tuple[Any, str, str]]:
    caller = Caller(executor)
    try:
        return [(answer.value, type(answer.exception).__name__, answer.printed) for answer in caller.run(JOBS)]
    finally:
        caller.close()


EXPECTED = [
    ("A", "NoneType", "a\n"),
    (None, "ValueError", "before b\n"),
    ("c", "NoneType", "C\nC again\n"),
    ("D", "NoneType", "d\n"),
]


@pytest.mark.parametrize("executor", [None, "threads"])
def test_answers_come_in_the_order_of_the_jobs_with_what_each_printed(executor: str | None) -> None:
    assert summary(executor) == EXPECTED


def test_an_executor_of_the_caller_s_own_is_used_and_not_closed() -> None:
    with ThreadPoolExecutor(2) as pool:
        assert summary(pool) == EXPECTED
        assert pool.submit(lambda: 1).result() == 1


def test_jobs_on_threads_run_at_the_same_time() -> None:
    barrier = threading.Barrier(3, timeout=10)
    caller = Caller("threads")
    answers = caller.run([Job(lambda n: (barrier.wait(), n)[1], (n,)) for n in range(3)])
    caller.close()
    assert [answer.value for answer in answers] == [0, 1, 2]


def test_async_jobs_run_at_the_same_time_even_without_an_executor() -> None:
    arrived: list[int] = []

    async def meet(number: int) -> int:
        arrived.append(number)
        while len(arrived) < 3:
            await asyncio.sleep(0)
        return number

    assert [answer.value for answer in Caller().run([Job(meet, (n,)) for n in range(3)])] == [0, 1, 2]


def test_streams_are_untouched_afterwards_whatever_happened() -> None:
    before = sys.stdout, sys.stderr
    summary(None)
    summary("threads")
    assert (sys.stdout, sys.stderr) == before


def test_a_traceback_begins_with_the_handler() -> None:
    (answer,) = Caller().run([Job(refuse, ("b",))])
    lines = answer.traceback.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1].endswith("in refuse")
    assert lines[-1] == "ValueError: b"
    assert len(answer.stack) == 1


class Held:
    """Something large that a handler has in its hands when it fails."""


def test_what_a_failed_handler_held_is_let_go() -> None:
    seen: list[weakref.ref[Held]] = []

    def inner() -> None:
        held = Held()
        seen.append(weakref.ref(held))
        raise KeyError("k")

    def outer() -> None:
        held = Held()
        seen.append(weakref.ref(held))
        try:
            inner()
        except KeyError as error:
            raise ValueError("v") from error

    (answer,) = Caller(None).run([Job(outer, ())])
    assert isinstance(answer.exception, ValueError)
    assert isinstance(answer.exception.__cause__, KeyError)
    assert "in inner" in answer.traceback
    assert "in outer" in answer.traceback
    gc.collect()
    assert [ref() for ref in seen] == [None, None]


def test_system_exit_fails_the_task_and_not_the_kernel_but_ctrl_c_goes_through() -> None:
    (answer,) = Caller().run([Job(sys.exit, ("stop",))])
    assert isinstance(answer.exception, SystemExit)

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Caller().run([Job(interrupt, ())])


@pytest.mark.parametrize("executor", ["thread", 5, object()])
def test_an_executor_of_no_known_kind_is_refused(executor: Any) -> None:
    with pytest.raises(RunError, match="executor is None"):
        Caller(executor)


def test_no_jobs_are_no_work() -> None:
    assert Caller().run([]) == []
