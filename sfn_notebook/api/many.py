"""Running a machine on many inputs, here or on an executor.

A run in another process comes back frozen and is thawed, so that what the caller holds is the same wherever it ran.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor, as_completed
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sfn_notebook.api.execution import Execution
from sfn_notebook.engine.freeze import freeze, thaw
from sfn_notebook.errors import Json, RunError, SfnError
from sfn_notebook.sim.calling import dumps
from sfn_notebook.sim.handlers import Responder

if TYPE_CHECKING:
    from sfn_notebook.api.machine import StateMachine

INTERRUPTED = "KeyboardInterrupt"


def run_each(
    machine: StateMachine,
    inputs: Any,
    handlers: Mapping[str, Any] | None,
    executor: Executor | str | None,
    options: dict[str, Any],
    *,
    progress: bool,
) -> list[Execution]:
    """Run a machine on many inputs; see `StateMachine.run_many`."""
    from tqdm.auto import tqdm

    rows = list_of(inputs)
    seed = options.pop("seed", None)
    seeds = [None if seed is None else seed + index for index in range(len(rows))]
    with tqdm(total=len(rows), desc=machine.name, unit="run", disable=not progress or len(rows) < 2, delay=0.3) as bar:
        done = _here(machine, rows, seeds, handlers, options, bar) if executor is None else None
        if done is None:
            done = _on_executor(machine, rows, seeds, handlers, options, bar, executor)
    return done


def list_of(inputs: Any) -> list[Json]:
    """Give the inputs as a list; a DataFrame gives an object per row, with missing values as null."""
    if hasattr(inputs, "to_json") and hasattr(inputs, "columns"):
        import json

        rows: list[Json] = json.loads(inputs.to_json(orient="records", date_format="iso"))
        return rows
    if isinstance(inputs, str | bytes | Mapping) or not isinstance(inputs, Iterable):
        raise RunError(f"run_many takes a list of inputs or a DataFrame, but found {type(inputs).__name__}")
    return list(inputs)


def _numbered(index: int, error: SfnError) -> SfnError:
    error.args = (f"run {index}: {error}", *error.args[1:])
    return error


def _here(
    machine: StateMachine, rows: list[Json], seeds: list[Any], handlers: Any, options: dict[str, Any], bar: Any
) -> list[Execution]:
    """Run one after the other; Ctrl-C ends the run in hand and leaves out the rest."""
    done: list[Execution] = []
    for index, (row, seed) in enumerate(zip(rows, seeds, strict=True)):
        try:
            done.append(machine.run(row, handlers, seed=seed, **options))
        except SfnError as error:
            raise _numbered(index, error) from error
        bar.update()
        if done[-1].status == "ABORTED" and done[-1].error == INTERRUPTED:
            break
    return done


def _on_executor(
    machine: StateMachine,
    rows: list[Json],
    seeds: list[Any],
    handlers: Any,
    options: dict[str, Any],
    bar: Any,
    executor: Any,
) -> list[Execution]:
    own = isinstance(executor, str)
    pool = _pool(executor) if own else executor
    local = isinstance(pool, ThreadPoolExecutor)
    futures: dict[Future[Any], int] = {}
    done: dict[int, Execution] = {}
    try:
        for index, (row, seed) in enumerate(zip(rows, seeds, strict=True)):
            if local:
                futures[pool.submit(machine.run, row, handlers, seed=seed, **options)] = index
            else:
                job = dumps((machine.document.text, machine.name, row, handlers, {**options, "seed": seed}))
                futures[pool.submit(run_elsewhere, job)] = index
        for future in as_completed(futures):
            done[futures[future]] = future.result() if local else _thawed(machine, future.result(), handlers)
            bar.update()
    except KeyboardInterrupt:
        for future in futures:
            future.cancel()
    except SfnError as error:
        raise _numbered(futures[future], error) from error
    finally:
        if own:
            pool.shutdown(cancel_futures=True)
    return [done[index] for index in sorted(done)]


def _pool(kind: str) -> Executor:
    if kind == "threads":
        return ThreadPoolExecutor()
    if kind == "processes":
        from concurrent.futures import ProcessPoolExecutor

        return ProcessPoolExecutor()
    raise RunError(f'executor is None, "threads", "processes" or a concurrent.futures.Executor, but found {kind!r}')


@lru_cache(maxsize=16)
def _machine(text: str, name: str) -> StateMachine:
    from sfn_notebook.api.machine import StateMachine

    return StateMachine.load(text, name=name)


def run_elsewhere(job: bytes) -> bytes:
    """Run one execution in a worker process and give it frozen, with what its handlers printed and raised."""
    text, name, row, handlers, options = pickle.loads(job)  # noqa: S301 - made by our own parent process
    execution = _machine(text, name).run(row, handlers, **options)
    records = execution.calls
    for record in records:
        if record.exception is not None:
            record.exception = RuntimeError(f"{type(record.exception).__name__}: {record.exception}")
    return pickle.dumps((freeze(execution.engine), records))


def _thawed(machine: StateMachine, data: bytes, handlers: Any) -> Execution:
    frozen, records = pickle.loads(data)  # noqa: S301 - made by our own worker process
    responder = Responder(handlers)
    responder.records = records
    return Execution(machine, lambda: thaw(machine.program, frozen), responder)
