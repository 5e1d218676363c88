"""Doing one job for each of many executions: on threads, with a progress bar, and never losing what is done.

The main thread walks the list of executions, hands each to a pool and collects what is ready; so listing and fetching overlap. Three
things end a batch early: Ctrl-C, a failure after which no call can succeed, and many failures in a row. Then what is done is kept, what was
listed is named as missing, and what was waiting is dropped. The failure of one execution is a row with a notice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeAlias

from sfn_notebook.aws.problems import HOPELESS, CallFailed
from sfn_notebook.aws.quota import Clock, Stopped
from sfn_notebook.history.recording import Batch, Recording

Progress: TypeAlias = bool | Callable[..., Any]
"""True for tqdm's bar (its notebook form in a notebook), False for none, or something that makes a bar as tqdm does."""

INTERRUPTED: Final = "interrupted"
_IN_A_ROW: Final = 10
_HEARTBEAT: Final = 0.2
"""Seconds until the main thread looks up: on Windows a wait without end cannot be interrupted."""

_GRACE: Final = 1.0
"""Seconds that calls under way get after an interruption."""


@contextmanager
def bar_of(progress: Progress, title: str, unit: str) -> Iterator[Any]:
    """Open a progress bar whose total grows."""
    from tqdm.auto import tqdm

    make: Any = progress if callable(progress) else partial(tqdm, disable=not progress, delay=0.3)
    with make(total=0, desc=title, unit=unit) as bar:
        yield bar


@dataclass(slots=True)
class _State:
    todo: dict[Future[Recording], int] = field(default_factory=dict)
    ready: SimpleQueue[Future[Recording]] = field(default_factory=SimpleQueue)
    listed: list[Recording] = field(default_factory=list)
    done: dict[int, Recording] = field(default_factory=dict)
    failures: list[CallFailed] = field(default_factory=list)
    in_a_row: int = 0
    stopped: str | None = None


def gather(
    listing: Iterable[Recording],
    job: Callable[[Recording], Recording],
    *,
    clock: Clock,
    workers: int,
    progress: Progress,
    title: str,
) -> Batch:
    """Do a job for each execution of a listing.

    Args:
        listing: the executions, fetched lazily; it may raise CallFailed.
        job: called on threads; gives the execution with its history, or raises CallFailed.
        clock: is stopped when the batch ends early.
        workers: number of threads.
        progress: whether and how to show a bar.
        title: of the bar.

    Raises:
        CallFailed: nothing could be listed or fetched at all.
    """
    state = _State()
    pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="sfn-fetch")
    with bar_of(progress, title, "execution") as bar:
        try:
            try:
                for item in listing:
                    _submit(state, pool, job, item)
                    _collect(state, bar, 0)
            except CallFailed as error:
                if not state.listed:
                    raise
                state.stopped = str(error)
                _note(state, error)
            while state.todo:
                _collect(state, bar, _HEARTBEAT)
        except KeyboardInterrupt:
            state.stopped = INTERRUPTED
        except _Hopeless as reason:
            state.stopped = str(reason)
        finally:
            _finish(state, pool, clock)
    if state.failures and not any(r.notice is None for r in state.done.values()):
        raise state.failures[0]
    return _batch(state)


class _Hopeless(Exception):
    """No further call can succeed."""


def _submit(state: _State, pool: ThreadPoolExecutor, job: Callable[[Recording], Recording], item: Recording) -> None:
    future = pool.submit(job, item)
    state.todo[future] = len(state.listed)
    state.listed.append(item)
    future.add_done_callback(state.ready.put)


def _collect(state: _State, bar: Any, timeout: float) -> None:
    """Take what is ready, waiting at most so long for the first."""
    bar.total = len(state.listed)
    taken = 0
    try:
        future = state.ready.get(timeout=timeout) if timeout else state.ready.get_nowait()
        while True:
            _take(state, future)
            taken += 1
            future = state.ready.get_nowait()
    except Empty:
        pass
    if taken:
        bar.update(taken)


def _take(state: _State, future: Future[Recording]) -> None:
    index = state.todo.pop(future)
    try:
        state.done[index] = future.result()
        state.in_a_row = 0
    except CallFailed as error:
        if error.kind not in HOPELESS:
            state.done[index] = replace(state.listed[index], notice=str(error))
        _note(state, error)


def _note(state: _State, error: CallFailed) -> None:
    """Count a failure; end the batch when it tells that the next calls will fail too."""
    state.failures.append(error)
    state.in_a_row += error.kind != "missing"
    if error.kind in HOPELESS or state.in_a_row >= _IN_A_ROW:
        raise _Hopeless(str(error))


def _finish(state: _State, pool: ThreadPoolExecutor, clock: Clock) -> None:
    """Close the pool; after an early end give calls that are under way a moment, and keep what they bring."""
    if not state.todo:
        pool.shutdown()
        return
    clock.stop()
    pool.shutdown(wait=False, cancel_futures=True)
    wait([future for future in state.todo if not future.cancelled()], _GRACE)
    for future in [future for future in state.todo if future.done() and not future.cancelled()]:
        index = state.todo.pop(future)
        error = future.exception()
        if error is None:
            state.done[index] = future.result()
        elif isinstance(error, CallFailed) and error.kind not in HOPELESS:
            state.done[index] = replace(state.listed[index], notice=str(error))
        elif not isinstance(error, CallFailed | Stopped):
            raise error


def _batch(state: _State) -> Batch:
    recordings = [state.done[index] for index in sorted(state.done)]
    missing = [item.arn for index, item in enumerate(state.listed) if index not in state.done]
    stopped = state.stopped
    if stopped is not None:
        stopped = f"stopped after {len(recordings)} of {len(state.listed)} executions: {stopped}"
    return Batch(recordings, missing, stopped)
