"""A progress bar for one run: how many Map items and tasks are done, failed and running.

Reads the engine's log as it grows, never more than what is new, and shows it with tqdm, whose notebook form appears in notebooks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sfn_notebook.engine import log as kinds
from sfn_notebook.engine.execution import Engine
from sfn_notebook.engine.log import STRIDE

_DONE = {kinds.ITERATION_SUCCEEDED, kinds.TASK_SUCCEEDED, kinds.LAMBDA_SUCCEEDED, kinds.ACTIVITY_SUCCEEDED}
_FAILED = {kinds.TASK_FAILED, kinds.LAMBDA_FAILED, kinds.ACTIVITY_FAILED, kinds.TASK_TIMED_OUT, kinds.LAMBDA_TIMED_OUT}
_BEGUN = {kinds.TASK_SCHEDULED, kinds.LAMBDA_SCHEDULED, kinds.ACTIVITY_SCHEDULED}
MAP_STARTED = kinds.STARTED["Map"]


class Counts:
    """What has happened in a run so far.

    Attributes:
        total: tasks scheduled and Map items announced.
        done: of these, how many have succeeded.
        failed: how many attempts have failed.
    """

    def __init__(self) -> None:
        self.total = self.done = self.failed = 0
        self._read = 0

    def update(self, engine: Engine) -> None:
        """Read what is new in the log; child executions of Distributed Maps count by their Map Runs."""
        log = engine.log
        for kind, payload in zip(log[self._read + 2 :: STRIDE], log[self._read + 4 :: STRIDE], strict=True):
            if kind in _BEGUN:
                self.total += 1
            elif kind in _DONE:
                self.done += 1
            elif kind in _FAILED:
                self.failed += 1
                self.total -= 1
            elif kind == MAP_STARTED:
                self.total += payload
        self._read = len(log)

    def with_children(self, engine: Engine) -> tuple[int, int, int]:
        """Give (total, done, failed) with the items of Distributed Maps."""
        runs = [run.counts for run in engine.map_runs]
        announced = sum(run.total for run in engine.map_runs if run.plan.reader is not None)
        done = sum(counts["succeeded"] for counts in runs)
        failed = sum(counts["failed"] + counts["timedOut"] + counts["aborted"] for counts in runs)
        return self.total + announced, self.done + done, self.failed + failed


@contextmanager
def shown(engine: Engine, name: str) -> Iterator[Any]:
    """Show a bar while a run goes on; gives the function to call after each batch of answers."""
    from tqdm.auto import tqdm

    counts = Counts()
    with tqdm(total=0, desc=name, unit="item", delay=0.3) as bar:

        def watch(engine: Engine) -> None:
            counts.update(engine)
            total, done, failed = counts.with_children(engine)
            bar.total = total
            bar.set_postfix(failed=failed, running=max(0, total - done - failed), refresh=False)
            bar.update(done - bar.n)

        yield watch
        watch(engine)
