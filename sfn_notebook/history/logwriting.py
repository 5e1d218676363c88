"""History events as log records of Step Functions: what an Express execution leaves in CloudWatch Logs; the reverse of `logrecords`.

The levels are those of the service's LoggingConfiguration. ERROR keeps what went wrong, FATAL only how the execution failed; payloads
are there only with `include_execution_data`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from sfn_notebook.errors import CommandError, Json
from sfn_notebook.history.events import Event, details

LEVELS: Final = ("ALL", "ERROR", "FATAL", "OFF")
_FATAL: Final = frozenset({"ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted"})
_WRONG: Final = re.compile(r"(Failed|TimedOut|Aborted)$")
_DATA: Final = frozenset({"input", "output", "parameters", "assignedVariables"})
_CAPITAL: Final = re.compile(r"(?<=[a-z0-9])([A-Z])")


def log_records(
    events: Iterable[Event],
    execution_arn: str,
    *,
    level: str = "ALL",
    include_execution_data: bool = True,
    redrive_count: int = 0,
) -> Iterator[dict[str, Json]]:
    """Yield one log record per event that the level keeps; ids, times and counts are text, names snake_case, as the service has them.

    Raises:
        CommandError: there is no such level.
    """
    if level not in LEVELS:
        raise CommandError(f"level is one of {', '.join(LEVELS)}, but found {level!r}")
    for event in events:
        if _kept(str(event["type"]), level):
            yield {
                "id": str(event["id"]),
                "type": event["type"],
                "details": _details(details(event), data=include_execution_data),
                "previous_event_id": str(event.get("previousEventId", 0)),
                "event_timestamp": str(round(event["timestamp"].timestamp() * 1000)),
                "execution_arn": execution_arn,
                "redrive_count": str(redrive_count),
            }


def _kept(kind: str, level: str) -> bool:
    if level == "ALL":
        return True
    if level == "ERROR":
        return bool(_WRONG.search(kind))
    return level == "FATAL" and kind in _FATAL


def _details(found: Mapping[str, Any], *, data: bool) -> dict[str, Json]:
    return {_snake(key): value for key, value in found.items() if data or key not in _DATA}


def _snake(name: str) -> str:
    return _CAPITAL.sub(lambda match: f"_{match[1].lower()}", name)
