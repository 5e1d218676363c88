"""What a handler may be, and what it may answer.

`handlers` is one mapping, most specific key first: state name, resource ARN, ARN pattern with `*`, `"*"`. A value is a callable, a
JSON constant, `Outcomes` (one per attempt), `After` (an answer that takes virtual time) or `Raw` (the whole request and response of
a service). `TaskError` fails the task with an error name and a cause of the caller's choice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sfn_notebook.strictjson import copy_json, json_text


class TaskError(Exception):
    """Fail a task with this error name and cause, as a Lambda function or a service would.

    Args:
        error: the error name that Retry and Catch rules match, such as "ServiceException".
        cause: the text that the history and the error output show; anything but text becomes JSON text.
    """

    def __init__(self, error: str = "TaskError", cause: str | None = "") -> None:
        self.error = error if isinstance(error, str) else str(error)
        self.cause = cause if cause is None or isinstance(cause, str) else json_text(copy_json(cause, "the cause"))
        super().__init__(self.error, self.cause)


class Outcomes:
    """Answer the attempts of a task one after the other: `Outcomes([TaskError("Busy", ""), {"ok": True}])`.

    An element is what a handler itself may be (a callable is called). Once all are used the last one is repeated. The position counts
    the calls of one run, over all visits of the states that are bound to it.
    """

    def __init__(self, outcomes: Iterable[Any]) -> None:
        self.outcomes = tuple(outcomes)
        if not self.outcomes:
            raise ValueError("Outcomes needs at least one outcome")

    def __repr__(self) -> str:
        return f"Outcomes({list(self.outcomes)!r})"


class After:
    """Let an answer come after `seconds` of virtual time: `After(90, {"ok": True})`. A handler takes no virtual time otherwise."""

    def __init__(self, seconds: float, outcome: Any = None) -> None:
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < float("inf"):
            raise ValueError(f"After needs a number of seconds from 0, but got {seconds!r}")
        self.seconds = seconds
        self.outcome = outcome

    def __repr__(self) -> str:
        return f"After({self.seconds!r}, {self.outcome!r})"


class Raw:
    """Bind a callable to the whole request and response of a service, where a plain one sees only a Lambda function's payload."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function


class Pending:
    """Answer that there is no answer yet: it will come from outside, through `send_task_success` or `send_task_failure`."""

    def __repr__(self) -> str:
        return "PENDING"


PENDING = Pending()
