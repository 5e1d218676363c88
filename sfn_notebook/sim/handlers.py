"""Answering tasks with Python: who is bound to a task, how it is called, what becomes of its answer.

A `Responder` belongs to one run. It finds the handler of a `TaskCall`, gives it its own copy of the input, captures what it prints
and what it raises, and turns the answer into an `Outcome` with the delay on the virtual clock. Data that crosses this border is
copied and made strict JSON, here and nowhere else. It knows the engine only by `TaskCall` and `Outcome`.
"""

from __future__ import annotations

import fnmatch
import inspect
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from sfn_notebook.engine.frames import Outcome
from sfn_notebook.engine.task import Service, TaskCall
from sfn_notebook.errors import Json, RunError
from sfn_notebook.sim.calling import Answer, Caller, Job
from sfn_notebook.sim.outcomes import After, Outcomes, Pending, Raw, TaskError
from sfn_notebook.sim.readers import ReaderFailure, read_items
from sfn_notebook.sim.storage import storage_of
from sfn_notebook.sim.writers import WriterFailure, write_results
from sfn_notebook.strictjson import NotJson, copy_json, json_text


@dataclass(slots=True)
class CallRecord:
    """What happened when a handler was called for one attempt.

    Attributes:
        task: id of the Scheduled event of the attempt.
        execution: name of the execution; that of a child execution inside a Distributed Map.
        printed: what the handler wrote to standard output and standard error.
        exception: what it raised, or None.
        traceback: its traceback as Python prints it, from the handler's first line on; "" when nothing was raised.
    """

    task: int
    state: str
    attempt: int
    execution: str = ""
    printed: str = ""
    exception: BaseException | None = None
    traceback: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a task will be answered: at once with `outcome`, or by running `job`; `whole` binds the service's whole response."""

    call: TaskCall
    record: CallRecord | None = None
    outcome: Outcome | None = None
    job: Job | None = None
    whole: bool = False
    delay: float = 0


class Unbound(RunError):
    """A task has no handler; the message shows the line that binds one."""


class Responder:
    """Answers the tasks of one run from a mapping of handlers."""

    def __init__(
        self, handlers: Mapping[str, Any] | None = None, s3: Any = None, executor: Executor | str | None = None
    ) -> None:
        """Bind the handlers.

        Args:
            handlers: state name, resource ARN, ARN pattern or "*" -> handler.
            s3: where Distributed Maps read and write; see `storage.storage_of`.
            executor: where callables run; see `calling.Caller`.

        Raises:
            RunError: a key is no text, or `s3` or `executor` is of no known kind.
        """
        if handlers is not None and not isinstance(handlers, Mapping):
            raise RunError(
                f"handlers must be a mapping from state name or resource to handler, but found {handlers!r:.80}"
            )
        self.caller = Caller(executor)
        self.handlers = dict(handlers or {})
        self.storage = storage_of(s3)
        self.records: list[CallRecord] = []
        self._used: dict[int, tuple[Outcomes, int]] = {}
        bad = [key for key in self.handlers if not isinstance(key, str)]
        if bad:
            raise RunError(f"handlers must be bound to state names or resource ARNs, but found the key {bad[0]!r}")

    def find(self, state: str, resource: str) -> tuple[bool, Any]:
        """Find the most specific handler: (whether there is one, the handler)."""
        for key in (state, resource):
            if key in self.handlers:
                return True, self.handlers[key]
        for key, handler in self.handlers.items():
            if key != "*" and "*" in key and fnmatch.fnmatchcase(resource, key):
                return True, handler
        return "*" in self.handlers, self.handlers.get("*")

    def calls_code(self, state: str, resource: str) -> bool:
        """Say whether answering such a task runs somebody's Python, which may have side effects."""
        return any(_is_code(part) for part in _parts(self.find(state, resource)[1]))

    def progress(self) -> dict[str, int]:
        """Give how many outcomes of each `Outcomes` have been used, by the key that it is bound to."""
        return {label: self._used[id(one)][1] for label, one in self._sequences() if id(one) in self._used}

    def restore(self, progress: Mapping[str, int]) -> None:
        """Go on with the `Outcomes` from where `progress` says."""
        self._used = {id(one): (one, progress[label]) for label, one in self._sequences() if label in progress}

    def _sequences(self) -> Iterator[tuple[str, Outcomes]]:
        for key, handler in self.handlers.items():
            for number, part in enumerate(_parts(handler)):
                if isinstance(part, Outcomes):
                    yield f"{key}/{number}", part

    def bound(self, handlers: Mapping[str, Any]) -> Responder:
        """Give a responder with other handlers and the same storage."""
        new = Responder(handlers, None, self.caller.executor)
        new.storage = self.storage
        return new

    def twin(self) -> Responder:
        """Give a responder with the same handlers and storage for another run."""
        return self.bound(self.handlers)

    def outcome_of(self, answer: Any, call: TaskCall) -> Outcome:
        """Give the outcome of a task for an answer that somebody gives in place of a handler.

        Raises:
            RunError: the answer is no JSON.
        """
        return self._result(answer, call, whole=False)

    def respond(self, calls: Sequence[TaskCall]) -> list[tuple[Outcome | None, float]]:
        """Answer a batch of tasks: for each, in order, (outcome or None for "from outside", seconds of virtual time until it comes).

        Raises:
            Unbound: nothing is bound to one of the tasks; then none of them was called.
            RunError: a handler's answer is no JSON.
        """
        plans = [self._plan(call) for call in calls]
        answers = iter(self.caller.run([plan.job for plan in plans if plan.job is not None]))
        return [
            self._answered(plan, next(answers)) if plan.job is not None else (plan.outcome, plan.delay)
            for plan in plans
        ]

    def close(self) -> None:
        """Let go of what was started for the run."""
        self.caller.close()

    def _plan(self, call: TaskCall) -> Plan:
        if call.purpose != "task":
            return Plan(call, outcome=self._storage(call))
        found, handler = self.find(call.state, call.service.arn)
        if not found:
            if call.service.outside:
                return Plan(call)
            raise Unbound(unbound_text(call))
        record = CallRecord(call.task, call.state, call.attempt, call.frame.engine.names.execution)
        self.records.append(record)
        return self._resolve(handler, call, record, 0)

    def _storage(self, call: TaskCall) -> Outcome:
        """Read the items or write the results of a Distributed Map."""
        try:
            if call.purpose == "read":
                return Outcome("succeeded", read_items(call.input, self.storage))
            return Outcome("succeeded", write_results(call.input, self.storage, call.input["Children"]))
        except (ReaderFailure, WriterFailure) as failure:
            return Outcome("failed", error=failure.error, cause=failure.cause)

    def _resolve(self, handler: Any, call: TaskCall, record: CallRecord, delay: float) -> Plan:
        """Follow a handler to what will answer: an outcome, a callable, or nobody."""
        if isinstance(handler, After):
            return self._resolve(handler.outcome, call, record, delay + handler.seconds)
        if isinstance(handler, Outcomes):
            used = self._used.get(id(handler), (handler, 0))[1]
            self._used[id(handler)] = handler, used + 1  # the object is kept, so that no other one gets its id
            return self._resolve(handler.outcomes[min(used, len(handler.outcomes) - 1)], call, record, delay)
        if isinstance(handler, Pending):
            return Plan(call, record, delay=delay)
        if isinstance(handler, Outcome):
            return Plan(call, record, handler, delay=delay)
        if isinstance(handler, BaseException) or (isinstance(handler, type) and issubclass(handler, BaseException)):
            error = handler() if isinstance(handler, type) else handler
            record.exception = error
            return Plan(call, record, failed(Answer(exception=error), call), delay=delay)
        if isinstance(handler, Raw) or callable(handler):
            whole = isinstance(handler, Raw)
            job = self._job(handler.function if isinstance(handler, Raw) else handler, call, whole=whole)
            return Plan(call, record, job=job, whole=whole, delay=delay)
        return Plan(call, record, self._result(handler, call, whole=False), delay=delay)

    def _job(self, function: Callable[..., Any], call: TaskCall, *, whole: bool) -> Job:
        data = call.input
        if not whole and unwraps(call.service) and isinstance(data, dict):
            data = data.get("Payload", {})
        arguments: tuple[Any, ...] = (copy_json(data),)
        return Job(function, (*arguments, call_context(call)) if takes_context(function) else arguments)

    def _answered(self, plan: Plan, answer: Answer) -> tuple[Outcome | None, float]:
        record, call = plan.record, plan.call
        assert record is not None
        record.printed, record.exception, record.traceback = answer.printed, answer.exception, answer.traceback
        if isinstance(answer.exception, RunError):  # of a run inside the handler: no failure of the workflow
            raise answer.exception
        if answer.exception is not None:
            return failed(answer, call), plan.delay
        if isinstance(answer.value, After | Outcomes | Pending | Outcome | BaseException):
            further = self._resolve(answer.value, call, record, plan.delay)
            if further.job is not None:
                return self._answered(further, self.caller.run([further.job])[0])
            return further.outcome, further.delay
        return self._result(answer.value, call, whole=plan.whole), plan.delay

    def _result(self, answer: Any, call: TaskCall, *, whole: bool) -> Outcome:
        try:
            output = copy_json(answer, f'what the handler of state "{call.state}" returned')
        except NotJson as error:
            raise RunError(str(error)) from error
        if not whole and unwraps(call.service):
            output = wrapped(output, call)
        submitted: Json = {} if call.service.pattern != "request" else None
        return Outcome("succeeded", output, submitted=submitted)


def _parts(handler: Any) -> Iterator[Any]:
    """Yield a handler and what it is made of."""
    yield handler
    if isinstance(handler, After):
        yield from _parts(handler.outcome)
    elif isinstance(handler, Outcomes):
        for outcome in handler.outcomes:
            yield from _parts(outcome)


def _is_code(handler: Any) -> bool:
    if isinstance(handler, type) and issubclass(handler, BaseException):
        return False
    function = handler.function if isinstance(handler, Raw) else handler
    return callable(function) and not getattr(function, "pure", False)


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


def failed(answer: Answer, call: TaskCall) -> Outcome:
    """Turn an exception into a failed task: its class names the error; the cause is Lambda's JSON for functions, else its text."""
    error = answer.exception
    if isinstance(error, TaskError):
        return Outcome("failed", error=error.error, cause=error.cause)
    name = type(error).__name__
    service = call.service
    if service.family != "lambda" and not unwraps(service):
        return Outcome("failed", error=name, cause=str(error))
    cause = {
        "errorMessage": str(error),
        "errorType": name,
        "requestId": request_id(call),
        "stackTrace": list(answer.stack),
    }
    # recorded: a function called by its ARN keeps its own spaced JSON, the optimised integration writes it compactly
    text = json.dumps(cause, ensure_ascii=False) if service.family == "lambda" else json_text(cause)
    return Outcome("failed", error=name, cause=text)


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


def unbound_text(call: TaskCall) -> str:
    """Say that a task has no handler, with the line that binds one."""
    resource = call.service.arn
    return (
        f'state "{call.state}" needs a handler for {resource}; bind one by state name or resource, for example\n'
        f'    handlers={{"{call.state}": lambda input: {{}}}}'
    )
