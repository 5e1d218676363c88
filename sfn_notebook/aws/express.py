"""Express executions: read from CloudWatch Logs with Logs Insights, because no history API has them.

The log group is that of the state machine's logging configuration. One query reads a window of time; when its answer is full, the window
is halved, down to a second. What is in the log becomes events in module `history.logrecords`, which also says what is not in it. A query
costs by the gigabytes that it scans, so the default window is short. Ctrl-C stops the query on AWS's side too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

from sfn_notebook.aws.arns import Arn
from sfn_notebook.aws.problems import CallFailed
from sfn_notebook.aws.quota import Caller, Stopped
from sfn_notebook.history.logrecords import recordings_of_log
from sfn_notebook.history.recording import Batch

WINDOW: Final = timedelta(days=1)
"""How far back executions are looked for if nobody says."""

LONGEST: Final = timedelta(minutes=5)
"""An Express execution ends by then."""

_MOST_ROWS: Final = 10_000
_LATE: Final = timedelta(minutes=5)
"""How long after an event its record may be stamped."""

_DONE: Final = frozenset({"Complete", "Failed", "Cancelled", "Timeout"})


def log_group_of(states: Caller, arn: Arn) -> str:
    """Give the log group of an Express state machine.

    Raises:
        CallFailed: it does not log.
    """
    machine = states.call("DescribeStateMachine", "stateMachineArn", stateMachineArn=arn.machine_arn)
    logging = machine.get("loggingConfiguration") or {}
    for destination in logging.get("destinations") or ():
        found = str((destination.get("cloudWatchLogsLogGroup") or {}).get("logGroupArn") or "")
        if ":log-group:" in found and logging.get("level") != "OFF":
            return found.partition(":log-group:")[2].removesuffix(":*")
    raise CallFailed(
        f'"{arn.machine}" is an Express state machine that writes no log, so its executions cannot be read; turn on logging to '
        "CloudWatch Logs (level ALL, with execution data), which counts from the next execution on",
        "unsupported",
    )


def express_recordings(
    logs: Caller,
    group: str,
    arn: Arn,
    since: datetime,
    until: datetime,
    told: Callable[[int], object] = lambda _rows: None,
) -> Batch:
    """Read the Express executions of a machine that started in a window, or one execution, newest first.

    Args:
        logs: a caller of the service "logs".
        group: the log group.
        arn: of an Express execution, or of the machine.
        since: when the window begins.
        until: when it ends.
        told: called with the number of rows of each answer.

    Returns:
        A batch. Ctrl-C and a failure end it early; what was read until then is kept, the last executions with a notice of gaps.

    Raises:
        CallFailed: nothing could be read.
    """
    one = arn.kind == "express"
    test = f'execution_arn = "{arn.text}"' if one else f'execution_arn like "{_prefix(arn)}"'
    query = f"fields @timestamp, @message | filter {test} | sort @timestamp asc | limit {_MOST_ROWS}"
    start = int((since - (timedelta() if one else LONGEST)).timestamp())
    end = int((until + LONGEST + _LATE).timestamp()) + 1
    rows: list[Any] = []
    stopped = None
    try:
        for found in _windows(logs, group, query, start, end):
            rows += found
            told(len(found))
    except KeyboardInterrupt:
        stopped = "interrupted"
    except CallFailed as error:
        if not rows:
            raise
        stopped = str(error)
    recordings = recordings_of_log(rows)
    if not one:
        recordings = [r for r in recordings if r.started is not None and since <= r.started <= until]
    return Batch(recordings, stopped=stopped)


def _prefix(arn: Arn) -> str:
    return f"arn:{arn.partition}:states:{arn.region}:{arn.account}:express:{arn.machine}:"


def _windows(logs: Caller, group: str, query: str, start: int, end: int) -> Iterator[list[Any]]:
    """Query a window of seconds, both ends included, in as many parts as it takes that no answer is full."""
    todo = [(start, end)]
    while todo:
        first, last = todo.pop()
        found = _query(logs, group, query, first, last)
        if len(found) >= _MOST_ROWS and last > first:
            middle = (first + last) // 2
            todo += [(middle + 1, last), (first, middle)]
        else:
            yield found


def _query(logs: Caller, group: str, query: str, start: int, end: int) -> list[Any]:
    arguments = {"logGroupName": group, "startTime": start, "endTime": end, "queryString": query}
    number = logs.call("StartQuery", "queryId", subject=group, **arguments)["queryId"]
    pause = 0.25
    try:
        while True:
            answer = logs.call("GetQueryResults", "results", subject=group, queryId=number)
            status = answer.get("status")
            if status in _DONE:
                break
            logs.clock.sleep(pause)
            pause = min(2.0, pause * 1.5)
    except BaseException:
        _give_up(logs, number)
        raise
    if status != "Complete":
        raise CallFailed(
            f"the query of log group {group} ended as {status}; repeat it with a shorter time between since= and until=",
            "service",
        )
    return list(answer["results"])


def _give_up(logs: Caller, number: str) -> None:
    """Stop a query that nobody waits for any more; AWS would go on scanning."""
    with suppress(CallFailed, Stopped):
        logs.call("StopQuery", queryId=number)
