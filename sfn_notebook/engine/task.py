"""The Task state: what it schedules, how an outcome becomes events and a result.

A task is a command to whoever drives the engine (`TaskCall`) and, later, an `Outcome` back. Three families of resources differ in
the events that they write: Lambda functions by ARN, activities, and everything else (`arn:aws:states:::SERVICE:ACTION`, with the
suffixes `.sync`, `.sync:2` and `.waitForTaskToken`). Timers for TimeoutSeconds and HeartbeatSeconds run on the virtual clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sfn_notebook.engine import log as kinds
from sfn_notebook.engine.dataflow import Value, compile_value
from sfn_notebook.engine.flow_jsonata import compile_credentials as jsonata_credentials
from sfn_notebook.engine.flow_jsonpath import compile_credentials as jsonpath_credentials
from sfn_notebook.engine.frames import BUSY, ENTER, RESUME, Failure, Outcome
from sfn_notebook.engine.numbers import unresolved
from sfn_notebook.errors import Json
from sfn_notebook.lang.environment import EvaluationFailure

if TYPE_CHECKING:
    from sfn_notebook.engine.execution import Engine
    from sfn_notebook.engine.frames import Frame
    from sfn_notebook.engine.model import Run, State


@dataclass(frozen=True, slots=True)
class Service:
    """What a `Resource` names.

    Attributes:
        family: "lambda" (a function's ARN), "activity" or "task".
        resource_type: `resourceType` of the events, such as "sqs" or "aws-sdk:dynamodb"; "" for Lambda ARNs and activities.
        action: `resource` of the events, such as "sendMessage.waitForTaskToken".
        pattern: "request", "sync" or "token".
    """

    arn: str
    family: str
    resource_type: str = ""
    action: str = ""
    pattern: str = "request"

    @property
    def outside(self) -> bool:
        """Say whether the answer comes from somebody else than the called service."""
        return self.pattern == "token" or self.family == "activity"


@dataclass(frozen=True, slots=True)
class Events:
    """The kinds of event of one family of resources."""

    succeeded: int
    failed: int
    timed_out: int


EVENTS = {
    "lambda": Events(kinds.LAMBDA_SUCCEEDED, kinds.LAMBDA_FAILED, kinds.LAMBDA_TIMED_OUT),
    "activity": Events(kinds.ACTIVITY_SUCCEEDED, kinds.ACTIVITY_FAILED, kinds.ACTIVITY_TIMED_OUT),
    "task": Events(kinds.TASK_SUCCEEDED, kinds.TASK_FAILED, kinds.TASK_TIMED_OUT),
}


@dataclass(frozen=True, slots=True)
class TaskCall:
    """A command: run this task and give its outcome to `Engine.answer`.

    Attributes:
        task: id of the Scheduled event; unique within the execution.
        state: name of the Task state.
        input: what the task receives (Parameters or Arguments, else the effective input). Nobody may change it.
        attempt: number of this attempt of the state, from 1.
        path: where the state runs: (Map or Parallel state, index) from the outside in.
        token: the task token, "" where the pattern has none.
        timeout: seconds, or None.
        purpose: "task", or "read" and "write" for the items and results of a Map Run.
    """

    task: int
    state: str
    service: Service
    input: Json
    attempt: int
    path: tuple[tuple[str, int], ...]
    frame: Frame
    token: str = ""
    timeout: float | None = None
    purpose: str = "task"


NO_SERVICE = Service("", "io")


def parse_resource(resource: str) -> Service:
    """Read a `Resource`; anything unknown counts as a service task, so that placeholders and future services can be mocked."""
    parts = resource.split(":")
    if len(parts) >= 6 and parts[2] == "lambda":
        return Service(resource, "lambda")
    if len(parts) >= 7 and parts[2] == "states" and parts[5] == "activity":
        return Service(resource, "activity")
    if len(parts) >= 7 and parts[2] == "states" and not parts[3] and not parts[4]:
        rest = parts[5:]
        sync2 = rest[-1] == "2" and rest[-2].endswith(".sync") if len(rest) > 2 else False
        action = ":".join(rest[-2:]) if sync2 else rest[-1]
        kind = ":".join(rest[: -2 if sync2 else -1])
        pattern = "token" if action.endswith(".waitForTaskToken") else "sync" if ".sync" in action else "request"
        return Service(resource, "task", kind, action, pattern)
    return Service(resource, "task", "", resource)


def compile_task(state: State, here: dict[str, State]) -> Run:
    """Compile a Task state."""
    start = _starter(state, parse_resource(state.definition["Resource"]))

    def run(engine: Engine, frame: Frame) -> bool:
        if frame.phase == RESUME:
            return _settle(engine, frame, frame.outcome)
        if frame.phase == ENTER:
            engine.enter(frame)
        start(engine, frame)
        return False

    return run


def _starter(state: State, service: Service) -> Callable[[Engine, Frame], None]:
    """Give the closure that schedules one attempt: evaluates the fields, writes the events, issues the command, sets the timers."""
    definition = state.definition
    view, effective = state.flow.view, state.flow.effective
    timeout = compile_value(definition, "TimeoutSeconds", state.language)
    heartbeat = compile_value(definition, "HeartbeatSeconds", state.language)
    make = jsonata_credentials if state.language == "JSONata" else jsonpath_credentials
    credentials = make(definition["Credentials"]) if "Credentials" in definition else None
    schedule = _schedulers(service)

    def start(engine: Engine, frame: Frame) -> None:
        data = frame.data
        frame.attempt += 1
        frame.token = engine.new_token() if service.pattern != "request" or service.outside else ""
        value = data
        if effective is not None:
            value = effective(data, frame)
            engine.measure(value, frame)
        details: dict[str, Json] = {}
        seen = data if view is None else view(data, frame)
        limit = _seconds(timeout, "TimeoutSeconds", seen, frame, details, "timeoutInSeconds")
        beat = _seconds(heartbeat, "HeartbeatSeconds", seen, frame, details, "heartbeatInSeconds")
        if credentials is not None:
            details["taskCredentials"] = credentials(seen, frame)
        frame.task = schedule(engine, frame, value, details)
        frame.phase = BUSY
        frame.outside = False
        frame.request = value
        path = engine.path(frame)
        engine.issue(TaskCall(frame.task, state.name, service, value, frame.attempt, path, frame, frame.token, limit))
        if limit is not None:
            engine.timer(limit, frame, "timeout")
        if beat is not None:
            engine.timer(beat, frame, "heartbeat")

    return start


def _seconds(
    value: Value | None, field: str, data: Json, frame: Frame, details: dict[str, Json], member: str
) -> float | None:
    if value is None:
        return None
    found = value(data, frame)
    if isinstance(found, str) and "${" in found:
        raise unresolved(found, field, frame.state.name)
    if isinstance(found, bool) or not isinstance(found, int | float) or found <= 0:
        raise EvaluationFailure(f"The {field} must be a positive number of seconds, but found: {found!r}")
    details[member] = found
    return found


def _schedulers(service: Service) -> Callable[[Engine, Frame, Json, dict[str, Json]], int]:
    """Give what writes the Scheduled and Started events of a family and returns the id of the former."""
    if service.family == "activity":

        def schedule_activity(engine: Engine, frame: Frame, value: Json, details: dict[str, Json]) -> int:
            return engine.write(frame, kinds.ACTIVITY_SCHEDULED, {"resource": service.arn, **details}, value)

        return schedule_activity
    if service.family == "lambda":
        scheduled, started = kinds.LAMBDA_SCHEDULED, kinds.LAMBDA_STARTED
        named: dict[str, Json] = {"resource": service.arn}
        begun = None
    else:
        scheduled, started = kinds.TASK_SCHEDULED, kinds.TASK_STARTED
        named = {"resourceType": service.resource_type, "resource": service.action}
        begun = named

    def schedule(engine: Engine, frame: Frame, value: Json, details: dict[str, Json]) -> int:
        extra = {**named, **details, "region": engine.names.region} if begun is not None else {**named, **details}
        event = engine.write(frame, scheduled, extra, value)
        engine.write(frame, started, begun, None)
        return event

    return schedule


def _settle(engine: Engine, frame: Frame, outcome: Outcome) -> bool:
    """Write the events of an outcome; go on with the result, or raise the failure."""
    state = frame.state
    service = parse_resource(state.definition["Resource"])
    events = EVENTS[service.family]
    named = {"resourceType": service.resource_type, "resource": service.action} if service.family == "task" else {}
    if (service.family == "activity" and outcome.kind != "timed_out") or outcome.worker is not None:
        engine.write(frame, kinds.ACTIVITY_STARTED, {"workerName": outcome.worker} if outcome.worker else None, None)
    if outcome.submitted is not None:
        engine.write(frame, kinds.TASK_SUBMITTED, named, outcome.submitted)
    if outcome.kind == "succeeded":
        if engine.too_large(outcome.output):
            failure = Failure("States.DataLimitExceeded", too_large_text(service.resource_type or service.arn))
            engine.write(frame, events.failed, {**named, **failure.details()}, None)
            raise failure
        engine.write(frame, events.succeeded, named, outcome.output)
        return engine.complete(frame, outcome.output)
    timed_out = outcome.kind == "timed_out"
    error = outcome.error or ("States.Timeout" if timed_out else None)
    failure = Failure(error, outcome.cause, fatal=error == "States.Runtime")
    kind = kinds.KIND_OF_TYPE.get(outcome.event or "", events.timed_out if timed_out else events.failed)
    engine.write(frame, kind, {**named, **failure.details()}, None)
    raise failure


def too_large_text(name: str) -> str:
    """Give AWS's text for a result above the payload limit."""
    return f"The state/task '{name}' returned a result with a size exceeding the maximum number of bytes service limit."
