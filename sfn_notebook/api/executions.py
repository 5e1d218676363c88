"""`Executions`: many executions as one thing: a table, the states of all of them, what failed.

They come from `StateMachine.run_many` or from any runs and histories at hand; nothing here asks which. `run_all` runs a machine on many
inputs, here or on an executor; a run in another process comes back frozen and is thawed, so that what the caller holds is the same.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, as_completed
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, overload

from sfn_notebook.api.execution import Execution
from sfn_notebook.api.history import History
from sfn_notebook.engine.freeze import freeze, thaw
from sfn_notebook.errors import Json, RunError, SfnError
from sfn_notebook.sim.calling import dumps
from sfn_notebook.sim.handlers import Responder

if TYPE_CHECKING:
    import pandas as pd

    from sfn_notebook.api.machine import StateMachine

INTERRUPTED = "KeyboardInterrupt"


class Executions(Sequence[Any]):
    """A sequence of executions (or histories) with frames over all of them."""

    def __init__(self, items: Iterable[Execution | History]) -> None:
        """Use `Executions.of` or `StateMachine.run_many`."""
        self._items = list(items)

    @classmethod
    def of(cls, items: Iterable[Execution | History]) -> Executions:
        """Collect runs and histories.

        Raises:
            RunError: an element is neither.
        """
        found = list(items)
        for index, item in enumerate(found):
            if not isinstance(item, Execution | History):
                raise RunError(f"element {index} is neither an Execution nor a History, but {item!r:.80}")
        return cls(found)

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, index: int) -> Execution | History: ...
    @overload
    def __getitem__(self, index: slice) -> Executions: ...
    def __getitem__(self, index: int | slice) -> Execution | History | Executions:
        return Executions(self._items[index]) if isinstance(index, slice) else self._items[index]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items)

    @property
    def histories(self) -> list[History]:
        """The history of each."""
        return [_history(item) for item in self._items]

    def with_status(self, *statuses: str) -> Executions:
        """Give those with one of these statuses, such as "FAILED"."""
        return Executions(item for item in self._items if _history(item).overview.status in statuses)

    @cached_property
    def by_name(self) -> dict[str, History]:
        """The histories by the name of the execution; a name that comes again gets a number."""
        found: dict[str, History] = {}
        for index, item in enumerate(self._items):
            name = item.name if isinstance(item, Execution) else str(index)
            found[name if name not in found else f"{name} ({index})"] = _history(item)
        return found

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row an execution; columns in `history.overview.executions_frame`."""
        from sfn_notebook.history.overview import executions_frame

        return executions_frame({name: history.overview for name, history in self.by_name.items()})

    @cached_property
    def states(self) -> pd.DataFrame:
        """One row a state visit, with the column `execution` in front; columns in `history.frames.states_frame`."""
        from sfn_notebook.history.frames import states_frame

        return states_frame({name: history.visits for name, history in self.by_name.items()})

    @cached_property
    def attempts(self) -> pd.DataFrame:
        """One row a task attempt, with the column `execution` in front; columns in `history.frames.attempts_frame`."""
        from sfn_notebook.history.frames import attempts_frame

        return attempts_frame({name: history.visits for name, history in self.by_name.items()})

    def __repr__(self) -> str:
        counts: dict[str, int] = {}
        for history in self.histories:
            counts[history.overview.status] = counts.get(history.overview.status, 0) + 1
        shown = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
        return f"<Executions: {len(self)}{': ' if shown else ''}{shown}>"

    def _repr_html_(self) -> str:
        from html import escape

        return f"<p>{escape(repr(self)[1:-1])}</p>{self.table.to_html(max_rows=20, escape=True, notebook=True)}"


def _history(item: Execution | History) -> History:
    return item.history if isinstance(item, Execution) else item


def run_all(
    machine: StateMachine,
    inputs: Any,
    handlers: Mapping[str, Any] | None,
    executor: Executor | str | None,
    options: dict[str, Any],
    *,
    progress: bool,
) -> Executions:
    """Run a machine on many inputs; see `StateMachine.run_many`."""
    from tqdm.auto import tqdm

    rows = list_of(inputs)
    seed = options.pop("seed", None)
    seeds = [None if seed is None else seed + index for index in range(len(rows))]
    with tqdm(total=len(rows), desc=machine.name, unit="run", disable=not progress or len(rows) < 2, delay=0.3) as bar:
        done = _here(machine, rows, seeds, handlers, options, bar) if executor is None else None
        if done is None:
            done = _on_executor(machine, rows, seeds, handlers, options, bar, executor)
    return Executions(done)


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
