"""Calling a handler, here or elsewhere, and bringing back what it gave, printed and raised.

`call` runs a function in the current thread; `Caller` runs a batch of jobs: one after the other, on a `concurrent.futures.Executor`
(functions travel by cloudpickle where they leave the process), or, for async functions, together on an event loop of our own, because a
notebook's thread already runs one. Answers come back in the order of the jobs, whatever finished first.

What handlers print is kept apart per call by a context variable, which threads and asyncio tasks each have their own of; while no
call is under way, `sys.stdout` and `sys.stderr` are untouched.
"""

from __future__ import annotations

import asyncio
import inspect
import io
import pickle
import sys
import threading
import traceback
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TextIO

from sfn_notebook.errors import RunError

_BUFFER: ContextVar[io.StringIO | None] = ContextVar("sfn_notebook_printed", default=None)


@dataclass(slots=True)
class Answer:
    """What came of one call.

    Attributes:
        value: what the function returned.
        exception: what it raised, or None.
        printed: what it wrote to standard output and standard error.
        traceback: the traceback as Python prints it, "" without an exception.
        stack: its frames from the handler on, as a Lambda function reports them in `stackTrace`.
    """

    value: Any = None
    exception: BaseException | None = None
    printed: str = ""
    traceback: str = ""
    stack: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """A function and its arguments."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]


class _Router(io.TextIOBase):
    """Stands in for a standard stream: what a handler writes goes to its own buffer, everything else to the stream itself."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        buffer = _BUFFER.get()
        return (self.stream if buffer is None else buffer).write(text)

    def flush(self) -> None:
        if _BUFFER.get() is None:
            self.stream.flush()

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


class _Streams:
    """Puts the routers in place of the standard streams while at least one call is under way."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.users = 0
        self.routers: tuple[_Router, _Router] | None = None

    @contextmanager
    def captured(self) -> Iterator[io.StringIO]:
        with self.lock:
            self.users += 1
            if self.users == 1:
                self.routers = _Router(sys.stdout), _Router(sys.stderr)
                sys.stdout, sys.stderr = self.routers
        buffer = io.StringIO()
        token = _BUFFER.set(buffer)
        try:
            yield buffer
        finally:
            _BUFFER.reset(token)
            with self.lock:
                self.users -= 1
                if self.users == 0 and self.routers is not None:
                    if sys.stdout is self.routers[0]:
                        sys.stdout = self.routers[0].stream
                    if sys.stderr is self.routers[1]:
                        sys.stderr = self.routers[1].stream


_STREAMS = _Streams()


def call(job: Job) -> Answer:
    """Call a function in this thread; whatever it raises, but for Ctrl-C, becomes part of the answer."""
    with _STREAMS.captured() as printed:
        try:
            value = job.function(*job.arguments)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a handler's error fails its task, as it fails a Lambda function
            return _raised(error, printed.getvalue())
        return Answer(value, printed=printed.getvalue())


async def call_async(job: Job) -> Answer:
    """Await an async function."""
    with _STREAMS.captured() as printed:
        try:
            value = await job.function(*job.arguments)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - as in `call`
            return _raised(error, printed.getvalue())
        return Answer(value, printed=printed.getvalue())


def _raised(error: BaseException, printed: str) -> Answer:
    frames = traceback.extract_tb(error.__traceback__)[1:]
    text = "".join(
        traceback.format_exception(type(error), error, error.__traceback__.tb_next if error.__traceback__ else None)
    )
    _let_go(error)
    return Answer(None, error, printed, text, tuple(traceback.format_list(frames)))


def _let_go(error: BaseException | None) -> None:
    """Let go of the stack of an exception, whose text is known: what its functions held would live as long as the record."""
    if error is not None and error.__traceback__ is not None:
        error.__traceback__ = None
        _let_go(error.__cause__)
        _let_go(error.__context__)


def call_pickled(data: bytes) -> bytes:
    """Call a pickled job in another process and pickle the answer; an exception that cannot travel goes as its text."""
    answer = call(pickle.loads(data))  # noqa: S301 - made by this very program
    try:
        return dumps(answer)
    except Exception as error:  # noqa: BLE001 - whatever cannot be pickled is named in the answer
        if answer.exception is not None:
            answer.exception = type(type(answer.exception).__name__, (Exception,), {})(str(answer.exception))
        else:
            answer.value, answer.exception = None, TypeError(f"the handler's answer cannot leave its process: {error}")
        return dumps(answer)


def dumps(value: Any) -> bytes:
    """Pickle a value, by cloudpickle where it is installed: functions of a notebook can travel only so."""
    try:
        import cloudpickle
    except ImportError:
        return pickle.dumps(value)
    data: bytes = cloudpickle.dumps(value)
    return data


class Caller:
    """Runs batches of jobs.

    Args:
        executor: where to run them: None for here, "threads", "processes", or any `concurrent.futures.Executor`.
    """

    def __init__(self, executor: Executor | str | None = None) -> None:
        self.executor = executor
        self._own: Executor | None = None
        if not (executor is None or executor in ("threads", "processes") or hasattr(executor, "submit")):
            raise RunError(
                f'executor is None, "threads", "processes" or a concurrent.futures.Executor, but found {executor!r}'
            )

    def run(self, jobs: Sequence[Job]) -> list[Answer]:
        """Run the jobs and give their answers in the same order."""
        async_jobs = [job for job in jobs if inspect.iscoroutinefunction(job.function)]
        waiting = iter(_gather(async_jobs) if async_jobs else ())
        if self.executor is None:
            return [next(waiting) if inspect.iscoroutinefunction(job.function) else _here(job) for job in jobs]
        futures = [None if inspect.iscoroutinefunction(job.function) else self._submit(job) for job in jobs]
        return [next(waiting) if future is None else _result(future) for future in futures]

    def _submit(self, job: Job) -> Future[Any]:
        executor = self._executor()
        if isinstance(executor, ThreadPoolExecutor):
            return executor.submit(call, job)
        try:
            data = dumps(job)
        except Exception as error:
            name = getattr(job.function, "__name__", repr(job.function))
            raise RunError(f"the handler {name} cannot be sent to another process: {error}") from error
        return executor.submit(call_pickled, data)

    def _executor(self) -> Executor:
        if not isinstance(self.executor, str):
            assert self.executor is not None
            return self.executor
        if self._own is None:
            from concurrent.futures import ProcessPoolExecutor

            self._own = ThreadPoolExecutor(32) if self.executor == "threads" else ProcessPoolExecutor()
        return self._own

    def close(self) -> None:
        """Let go of the pool, where it is our own."""
        if self._own is not None:
            self._own.shutdown(cancel_futures=True)
            self._own = None


def _here(job: Job) -> Answer:
    answer = call(job)
    if inspect.isawaitable(answer.value):  # a plain function that gave a coroutine, such as a lambda around one
        awaitable = answer.value

        async def resume() -> Any:
            return await awaitable

        inner = _gather([Job(resume, ())])[0]
        inner.printed = answer.printed + inner.printed
        return inner
    return answer


def _result(future: Future[Any]) -> Answer:
    found = future.result()
    answer = pickle.loads(found) if isinstance(found, bytes) else found  # noqa: S301 - made by our own worker
    assert isinstance(answer, Answer)
    return answer


def _gather(jobs: Sequence[Job]) -> list[Answer]:
    """Await async jobs together on a loop of our own."""

    async def together() -> list[Answer]:
        return list(await asyncio.gather(*(call_async(job) for job in jobs)))

    return _run(together())


def _run(coroutine: Coroutine[Any, Any, list[Answer]]) -> list[Answer]:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    with ThreadPoolExecutor(1, thread_name_prefix="sfn-notebook-async") as pool:
        return pool.submit(asyncio.run, coroutine).result()
