"""The Map Runs of a local run, and the histories of their child executions, in the shapes in which AWS gives them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sfn_notebook.api.history import History
from sfn_notebook.engine.distributed import MapRun
from sfn_notebook.engine.execution import Engine
from sfn_notebook.engine.log import timestamp
from sfn_notebook.history.recording import Recording


def described(run: MapRun) -> dict[str, Any]:
    """Describe a Map Run as boto3's `describe_map_run` does; nothing is ever redriven here."""
    found = run.describe()
    stopped = found.pop("stopDate")
    found["startDate"] = timestamp(run.started)
    return {**found, **({} if stopped is None else {"stopDate": timestamp(stopped)}), "redriveCount": 0}


def histories(run: MapRun) -> Iterator[History]:
    """Give the history of each child execution that has been kept or is under way, by index."""
    for index, child in sorted({**run.children, **run.active}.items()):
        yield _history(run, index, child)


def _history(run: MapRun, index: int, child: Engine) -> History:
    names = child.names
    known = Recording(
        names.execution_arn,
        names.execution,
        child.status,
        machine_arn=names.machine_arn,
        started=timestamp(child.start),
        ended=None if child.status == "RUNNING" else timestamp(child.now),
        map_run_arn=run.arn,
        item_count=1 if run.sizes is None else run.sizes[index],
    )
    return History.of_log(child.log, known)


def why_without(run: MapRun, index: int) -> str:
    """Say why a child execution is not at hand."""
    if not 0 <= index < len(run.letters):
        return f"there are {len(run.letters)} child executions, counted from 0"
    return (
        "it has not been started" if run.letters[index] == ord(".") else "its history was not kept (see keep_children)"
    )
