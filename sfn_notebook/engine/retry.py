"""Retry and Catch: which rule matches an error, and when the next attempt starts.

Rules as AWS applies them (ASL spec, "Errors"; confirmed by recordings): only the first retrier that names the error counts, and when
it is exhausted no later one is tried; each retrier counts its own retries, whatever the errors were; counters are forgotten when the
state is left. `States.ALL` and `States.TaskFailed` are wildcards, the latter not for timeouts; `States.Runtime` matches nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sfn_notebook.engine.dataflow import Assign, compile_catch_assign, compile_catch_output
from sfn_notebook.engine.numbers import unresolved
from sfn_notebook.errors import Json

if TYPE_CHECKING:
    from sfn_notebook.engine.frames import Failure, Frame
    from sfn_notebook.engine.model import State

MOST_SECONDS = 99_999_999
_NUMBERS = ("IntervalSeconds", "MaxAttempts", "BackoffRate", "MaxDelaySeconds")
_NO_TASK_FAILURE = frozenset({"States.Timeout", "States.HeartbeatTimeout", "States.Runtime"})


@dataclass(frozen=True, slots=True)
class Retrier:
    """One rule of `Retry`. Intervals are in seconds."""

    errors: frozenset[str]
    interval: float
    attempts: int
    rate: float
    max_delay: float | None
    full_jitter: bool
    unresolved: tuple[str, str] | None = None
    """A field that is still a placeholder, with its value."""

    def delay(self, retry: int) -> float:
        """Give the seconds before retry number `retry` (from 1), without jitter."""
        try:
            delay = self.interval * self.rate ** (retry - 1)
        except OverflowError:
            delay = float(MOST_SECONDS)
        return min(delay, self.max_delay if self.max_delay is not None else MOST_SECONDS)


@dataclass(frozen=True, slots=True)
class Catcher:
    """One rule of `Catch`: `output(data, error_output, frame)` gives what the next state receives."""

    errors: frozenset[str]
    next: State
    output: Callable[[Json, Json, Frame], Json]
    assign: Assign | None


def matches(errors: frozenset[str], failure: Failure) -> bool:
    """Say whether a rule for these error names covers the failure."""
    if failure.fatal:
        return False
    if "States.ALL" in errors or (failure.error is not None and failure.error in errors):
        return True
    if failure.error == "States.HeartbeatTimeout" and "States.Timeout" in errors:
        return True
    return "States.TaskFailed" in errors and failure.error not in _NO_TASK_FAILURE


def compile_retriers(rules: Iterable[dict[str, Json]]) -> tuple[Retrier, ...]:
    """Compile the rules of a `Retry` field."""
    return tuple(
        Retrier(
            errors=frozenset(rule["ErrorEquals"]),
            interval=rule.get("IntervalSeconds", 1),
            attempts=rule.get("MaxAttempts", 3),
            rate=rule.get("BackoffRate", 2.0),
            max_delay=rule.get("MaxDelaySeconds"),
            full_jitter=rule.get("JitterStrategy") == "FULL",
            unresolved=next(((field, rule[field]) for field in _NUMBERS if isinstance(rule.get(field), str)), None),
        )
        for rule in rules
    )


def compile_catchers(rules: Iterable[dict[str, Json]], language: str, here: dict[str, State]) -> tuple[Catcher, ...]:
    """Compile the rules of a `Catch` field; `here` are the states of the same scope."""
    return tuple(
        Catcher(
            errors=frozenset(rule["ErrorEquals"]),
            next=here[rule["Next"]],
            output=compile_catch_output(rule, language, index),
            assign=compile_catch_assign(rule, language, index),
        )
        for index, rule in enumerate(rules)
    )


def next_retry(frame: Frame, failure: Failure) -> tuple[Retrier, int] | None:
    """Find the retrier that takes this failure and count the retry; None when the state is not retried (any more)."""
    for index, retrier in enumerate(frame.state.retriers):
        if matches(retrier.errors, failure):
            if retrier.unresolved is not None:
                raise unresolved(retrier.unresolved[1], retrier.unresolved[0], frame.state.name)
            used = frame.retries or [0] * len(frame.state.retriers)
            if used[index] >= retrier.attempts:
                return None
            frame.retries = [*used[:index], used[index] + 1, *used[index + 1 :]]
            return retrier, frame.retries[index]
    return None


def find_catcher(frame: Frame, failure: Failure) -> Catcher | None:
    """Find the first catcher that names the failure."""
    return next((catcher for catcher in frame.state.catchers if matches(catcher.errors, failure)), None)
