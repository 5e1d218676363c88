"""Calling an API within its quotas.

AWS meters each operation of an account and region with a token bucket: `capacity` calls at once, `rate` more a second. `Caller` holds
the same buckets on this side, so that thousands of calls are spaced out before AWS has to refuse any. Others use the quota too, so a
refused call empties the bucket, waits, and is tried again, on whatever session; botocore's own retries come first.

Time is a `Clock`, which tests replace. `Clock.stop` wakes everybody who sleeps: that is how Ctrl-C ends the threads of a batch.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sfn_notebook.aws.problems import CallFailed, problem
from sfn_notebook.aws.session import Access

QUOTAS: Final[Mapping[str, tuple[float, float]]] = {
    "GetExecutionHistory": (400, 20),
    "DescribeExecution": (250, 10),
    "ListExecutions": (100, 2),
    "ListMapRuns": (100, 1),
    "DescribeMapRun": (200, 1),
    "DescribeStateMachineForExecution": (200, 1),
    "DescribeStateMachine": (200, 20),
    "StartQuery": (5, 5),
    "GetQueryResults": (5, 5),
}
"""Operation -> bucket and refill per second. Where regions differ, the smaller: an account's region is not asked."""

_UNKNOWN: Final = (10.0, 1.0)
_TRIES: Final = {"throttled": 6, "malformed": 3}
"""Kind of failure -> how often a call is made in all; other kinds are not tried again here."""

_LONGEST_PAUSE: Final = 20.0


class Stopped(Exception):
    """The batch was ended while this call was waiting."""


class Clock:
    """Real time, with sleeps that `stop` ends."""

    def __init__(self) -> None:
        self._stop = threading.Event()

    def now(self) -> float:
        """Give the seconds of a clock that never goes back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait; raise Stopped when, or as soon as, `stop` was called."""
        if self._stop.wait(seconds):
            raise Stopped

    def stop(self) -> None:
        """End all sleeps, now and later."""
        self._stop.set()

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stop.is_set()


class Bucket:
    """A token bucket. `take` books a token at once and sleeps until it has come, so that threads are served in turn."""

    def __init__(self, capacity: float, rate: float, clock: Clock) -> None:
        self._capacity = capacity
        self._rate = rate
        self._clock = clock
        self._tokens = capacity
        self._at = clock.now()
        self._lock = threading.Lock()

    def take(self) -> None:
        """Take one token, waiting for it if there is none."""
        with self._lock:
            self._refill()
            self._tokens -= 1
            wait = -self._tokens / self._rate
        if wait > 0:
            self._clock.sleep(wait)

    def drain(self) -> None:
        """Forget the tokens that are left: AWS has none."""
        with self._lock:
            self._refill()
            self._tokens = min(self._tokens, 0.0)

    def _refill(self) -> None:
        now = self._clock.now()
        self._tokens = min(self._capacity, self._tokens + (now - self._at) * self._rate)
        self._at = now


class Caller:
    """A client of one service whose calls keep to the quotas and fail with `CallFailed`. Threads may share it."""

    def __init__(self, access: Access, service: str = "stepfunctions", clock: Clock | None = None) -> None:
        from botocore import xform_name

        self.access = access
        self.clock = clock or Clock()
        self._client = access.client(service)
        self._methods = {
            name: getattr(self._client, xform_name(name)) for name in self._client.meta.service_model.operation_names
        }
        self._buckets = {name: Bucket(*QUOTAS.get(name, _UNKNOWN), self.clock) for name in self._methods}

    @property
    def connections(self) -> int:
        """How many calls can be under way at once without waiting for a connection."""
        return int(self._client.meta.config.max_pool_connections)

    def call(self, operation: str, needs: str | None = None, subject: str = "", **arguments: Any) -> dict[str, Any]:
        """Call an operation.

        Args:
            operation: its name in the API, such as "ListExecutions".
            needs: a key that the answer must have: botocore makes an empty one of a body that is no JSON.
            subject: what messages name; the default is the first argument.
            arguments: the request.

        Raises:
            CallFailed: AWS refused, or could not be reached.
            Stopped: the clock was stopped.
        """
        tries = 0
        while True:
            if self.clock.stopped:
                raise Stopped
            self._buckets[operation].take()
            failure = self._once(operation, needs, subject, arguments)
            if isinstance(failure, dict):
                return failure
            tries += 1
            if tries >= _TRIES.get(failure.kind, 1):
                raise failure
            self._buckets[operation].drain()
            self.clock.sleep(min(_LONGEST_PAUSE, 0.5 * 2**tries))

    def _once(
        self, operation: str, needs: str | None, subject: str, arguments: dict[str, Any]
    ) -> dict[str, Any] | CallFailed:
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        about = subject or str(next(iter(arguments.values()), ""))
        try:
            answer: dict[str, Any] = self._methods[operation](**arguments)
        except (BotoCoreError, ClientError, ResponseParserError, OSError) as error:
            failure = problem(error, operation, about, self.access.where, self.access.region)
            failure.__cause__ = error
            return failure
        if needs is not None and needs not in answer:
            text = f"an answer without {needs} came from {operation} of {about} in {self.access.where}"
            return CallFailed(f"{text}; repeat the call, and check endpoint_url= if one is set", "malformed")
        return answer

    def pages(self, operation: str, key: str, **arguments: Any) -> Iterator[list[dict[str, Any]]]:
        """Yield the list under `key` of each page.

        Raises:
            CallFailed: as `call`; also when the service gives the same page twice, which would never end.
        """
        seen: set[str] = set()
        while True:
            answer = self.call(operation, key, **arguments)
            yield answer[key]
            token = answer.get("nextToken")
            if not token:
                return
            if token in seen:
                raise CallFailed(f"{operation} in {self.access.where} gave the same page twice", "malformed")
            seen.add(token)
            arguments["nextToken"] = token
