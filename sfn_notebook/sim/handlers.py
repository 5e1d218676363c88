"""Answering tasks with Python: who is bound to a task, how it is called, what becomes of its answer.

A `Responder` belongs to one run. It finds the handler of a `TaskCall`, gives it its own copy of the input, captures what it prints
and what it raises, and turns the answer into an `Outcome` with the delay on the virtual clock. Data that crosses this border is
copied and made strict JSON, here and nowhere else. It knows the engine only by `TaskCall` and `Outcome`.
"""

from __future__ import annotations

import asyncio
import contextlib
import fnmatch
import inspect
import io
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sfn_notebook.engine.frames import Outcome
from sfn_notebook.engine.task import Service, TaskCall
from sfn_notebook.errors import Json, RunError
from sfn_notebook.sim.outcomes import After, Outcomes, Pending, Raw, TaskError
from sfn_notebook.sim.readers import ReaderFailure, read_items
from sfn_notebook.sim.storage import storage_of
from sfn_notebook.strictjson import NotJson, copy_json, json_text

LAMBDA_INVOKE = "arn:aws:states:::lambda:invoke"


@dataclass(slots=True)
class CallRecord:
    """What happened when a handler was called for one attempt.

    Attributes:
        task: id of the Scheduled event of the attempt.
        printed: what the handler wrote to standard output and standard error.
        exception: what it raised, with its traceback, or None.
    """

    task: int
    state: str
    attempt: int
    printed: str = ""
    exception: BaseException | None = None

    @property
    def traceback(self) -> str:
        """Give the traceback as Python would print it, from the handler's first line on; "" when nothing was raised."""
        if self.exception is None:
            return ""
        return "".join(traceback.format_exception(self.exception))


class Unbound(RunError):
    """A task has no handler; the message shows the line that binds one."""


class Responder:
    """Answers the tasks of one run from a mapping of handlers."""

    def __init__(self, handlers: Mapping[str, Any] | None = None, s3: Any = None) -> None:
        self.handlers = dict(handlers or {})
        self.storage = storage_of(s3)
        self.records: list[CallRecord] = []
        self._used: dict[int, int] = {}
        bad = next((key for key in self.handlers if not isinstance(key, str)), None)
        if bad is not None:
            raise RunError(f"handlers must be bound to state names or resource ARNs, but found the key {bad!r}")

    def find(self, state: str, resource: str) -> tuple[bool, Any]:
        """Find the most specific handler: (whether there is one, the handler)."""
        for key in (state, resource):
            if key in self.handlers:
                return True, self.handlers[key]
        for key, handler in self.handlers.items():
            if key != "*" and "*" in key and fnmatch.fnmatchcase(resource, key):
                return True, handler
        return "*" in self.handlers, self.handlers.get("*")

    def respond(self, call: TaskCall) -> tuple[Outcome | None, float]:
        """Answer a task: (outcome or None for "from outside", seconds of virtual time until it comes).

        Raises:
            Unbound: nothing is bound to the task.
        """
        if call.purpose != "task":
            return self._storage(call), 0
        found, handler = self.find(call.state, call.service.arn)
        if not found:
            if call.service.outside:
                return None, 0
            raise Unbound(unbound_text(call))
        record = CallRecord(call.task, call.state, call.attempt)
        self.records.append(record)
        return self._outcome(handler, call, record, 0)

    def _storage(self, call: TaskCall) -> Outcome:
        """Read the items or write the results of a Distributed Map."""
        try:
            if call.purpose == "read":
                return Outcome("succeeded", read_items(call.input, self.storage))
            from sfn_notebook.sim.writers import write_results

            return Outcome("succeeded", write_results(call.input, self.storage, call.input["Children"]))
        except ReaderFailure as failure:
            return Outcome("failed", error=failure.error, cause=failure.cause)

    def _outcome(self, handler: Any, call: TaskCall, record: CallRecord, delay: float) -> tuple[Outcome | None, float]:
        if isinstance(handler, After):
            return self._outcome(handler.outcome, call, record, delay + handler.seconds)
        if isinstance(handler, Outcomes):
            used = self._used.get(id(handler), 0)
            self._used[id(handler)] = used + 1
            return self._outcome(handler.outcomes[min(used, len(handler.outcomes) - 1)], call, record, delay)
        if isinstance(handler, Pending):
            return None, delay
        if isinstance(handler, Outcome):
            return handler, delay
        if isinstance(handler, TaskError):
            return Outcome("failed", error=handler.error, cause=handler.cause), delay
        if isinstance(handler, BaseException) or (isinstance(handler, type) and issubclass(handler, BaseException)):
            record.exception = handler() if isinstance(handler, type) else handler
            return failed(record.exception, call), delay
        if isinstance(handler, Raw):
            return self._call(handler.function, call, record, delay, whole=True)
        if callable(handler):
            return self._call(handler, call, record, delay, whole=False)
        return self._result(handler, call, whole=False), delay

    def _call(
        self, function: Callable[..., Any], call: TaskCall, record: CallRecord, delay: float, *, whole: bool
    ) -> tuple[Outcome | None, float]:
        data = call.input
        if not whole and unwraps(call.service) and isinstance(data, dict):
            data = data.get("Payload", {})
        arguments: tuple[Any, ...] = (copy_json(data),)
        if takes_context(function):
            arguments += (call_context(call),)
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
                answer = function(*arguments)
                if inspect.isawaitable(answer):
                    answer = wait_for(answer)
        except TaskError as error:
            record.exception = error
            return Outcome("failed", error=error.error, cause=error.cause), delay
        except Exception as error:  # noqa: BLE001 - whatever a handler raises fails its task, as it would fail a Lambda function
            record.exception = error
            return failed(error, call), delay
        finally:
            record.printed += printed.getvalue()
        if isinstance(answer, After | Outcomes | Pending | Outcome | TaskError):
            return self._outcome(answer, call, record, delay)
        return self._result(answer, call, whole=whole), delay

    def _result(self, answer: Any, call: TaskCall, *, whole: bool) -> Outcome:
        try:
            output = copy_json(answer, f'what the handler of state "{call.state}" returned')
        except NotJson as error:
            raise RunError(str(error)) from error
        if not whole and unwraps(call.service):
            output = wrapped(output, call)
        submitted: Json = {} if call.service.pattern != "request" else None
        return Outcome("succeeded", output, submitted=submitted)


def unwraps(service: Service) -> bool:
    """Say whether a plain handler sees only the Payload of this service's request and answers with the payload."""
    return service.family == "task" and service.resource_type == "lambda" and service.action.startswith("invoke")


def wrapped(payload: Json, call: TaskCall) -> Json:
    """Wrap a payload as the optimised Lambda integration does; a callback's answer comes as it is."""
    if call.service.pattern == "token":
        return payload
    return {
        "ExecutedVersion": "$LATEST",
        "Payload": payload,
        "SdkHttpMetadata": {"HttpStatusCode": 200},
        "SdkResponseMetadata": {"RequestId": request_id(call)},
        "StatusCode": 200,
    }


def request_id(call: TaskCall) -> str:
    """Make a request id that depends on the task alone."""
    return f"00000000-0000-4000-8000-{call.task:012d}"


def failed(error: BaseException, call: TaskCall) -> Outcome:
    """Turn an exception into a failed task: its class names the error; the cause is Lambda's JSON for functions, else its text."""
    name = type(error).__name__
    service = call.service
    if service.family != "lambda" and not unwraps(service):
        return Outcome("failed", error=name, cause=str(error))
    stack = traceback.format_list(traceback.extract_tb(error.__traceback__)[1:])
    cause = {"errorMessage": str(error), "errorType": name, "requestId": request_id(call), "stackTrace": stack}
    return Outcome("failed", error=name, cause=json_text(cause))


def takes_context(function: Callable[..., Any]) -> bool:
    """Say whether a handler wants the context as its second argument."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    positional = [p for p in parameters if p.kind in kinds]
    return len(positional) >= 2 and (
        positional[1].default is inspect.Parameter.empty or positional[1].name == "context"
    )


def call_context(call: TaskCall) -> dict[str, Json]:
    """Give a handler the context object of its state, with the attempt and the place in Map and Parallel states."""
    context = dict(call.frame.context())
    context["Attempt"] = call.attempt
    context["Path"] = [list(step) for step in call.path]
    context["Resource"] = call.service.arn
    return copy_json(context)  # type: ignore[no-any-return]  # an object stays an object


def wait_for(answer: Any) -> Any:
    """Run an async handler to its end on a loop of its own: in a notebook the calling thread already runs one."""

    async def run() -> Any:
        return await answer

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(run())
    box: dict[str, Any] = {}

    def work() -> None:
        try:
            box["value"] = asyncio.run(run())
        except BaseException as error:  # noqa: BLE001 - handed to the caller's thread
            box["error"] = error

    thread = threading.Thread(target=work, name="sfn-notebook-async-handler")
    thread.start()
    thread.join()
    if "error" in box:
        raise box["error"]
    return box["value"]


def unbound_text(call: TaskCall) -> str:
    """Say that a task has no handler, with the line that binds one."""
    resource = call.service.arn
    return (
        f'state "{call.state}" needs a handler for {resource}; bind one by state name or resource, for example\n'
        f'    handlers={{"{call.state}": lambda input: {{}}}}'
    )
