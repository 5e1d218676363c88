"""`try_state`: one state, tried out as the service's TestState does.

A request is checked in the service's order and refused in its words (`RequestError`); then the state is evaluated with a mocked result
or error. What a state does to data comes from `engine.inspect` (Pass, Task, Parallel, Map) or from the state's own closure (Choice,
Wait, Succeed, Fail); Retry and Catch are the engine's. The response has the service's shape: output and data are JSON text.

Recorded peculiarities that are kept: the state is always called `StateName` in the context object and the execution is an Express one;
causes lack the sentence that names the state; a Parallel shows neither its input side nor its result, a Map not its result.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from secrets import randbits
from typing import TYPE_CHECKING, Any

from sfn_notebook.api.testrequest import LONE_STATE, RequestError, StateTest, read_request
from sfn_notebook.engine.clock import read_iso
from sfn_notebook.engine.distributed import EXCEEDED
from sfn_notebook.engine.execution import Engine
from sfn_notebook.engine.failing import named
from sfn_notebook.engine.frames import BUSY, RESUME, Failure, Frame
from sfn_notebook.engine.inspect import WITH_RESULT, Inspection, inspect_state
from sfn_notebook.engine.limits import Limits, Names
from sfn_notebook.engine.retry import find_catcher, matches, next_retry
from sfn_notebook.engine.task import parse_resource
from sfn_notebook.errors import Json
from sfn_notebook.lang.environment import EvaluationFailure
from sfn_notebook.sim.readers import ReaderFailure, read_items
from sfn_notebook.sim.storage import storage_of
from sfn_notebook.strictjson import NotJson, json_text, parse_json

if TYPE_CHECKING:
    from sfn_notebook.api.machine import StateMachine

SEEDED_START = "2025-01-01T00:00:00Z"
"""When a test with a seed takes place, so that the same seed gives the same answer."""

_HIDDEN = {
    "Parallel": frozenset({"afterInputPath", "afterParameters", "afterArguments", "result"}),
    "Map": frozenset({"result"}),
}
"""Stages that take place and that the service does not show (recorded)."""

_PLAIN = frozenset({"maxConcurrency", "toleratedFailureCount", "toleratedFailurePercentage", "errorDetails"})
"""Members of inspectionData that are no JSON text."""


def try_state(
    machine: StateMachine,
    name: str | None = None,
    *,
    input: Any = None,
    mock: Mapping[str, Any] | None = None,
    context: Any = None,
    variables: Any = None,
    state_configuration: Mapping[str, Any] | None = None,
    inspection_level: str = "INFO",
    role_arn: str | None = None,
    seed: int | None = None,
) -> dict[str, Any]:
    """Evaluate one state of a machine as the service's TestState does.

    As in the API, text given for `input`, `context`, `variables` or a mock's `result` is JSON text; any other value stands for itself.

    Args:
        machine: the machine; `machine_of_state` makes the definition of one around a lone state.
        name: the state under test; the first one by default.
        input: the state's input, {} by default.
        mock: {"result": ...} or {"errorOutput": {"error": ..., "cause": ...}}, and "fieldValidationMode" (STRICT, PRESENT, NONE).
        context: the context object; one is made up by default.
        variables: the variables in scope, an object.
        state_configuration: retrierRetryCount, errorCausedByState, mapIterationFailureCount, mapItemReaderData.
        inspection_level: INFO, or DEBUG or TRACE for `inspectionData`.
        role_arn: the role, which a Task without a mock needs; it appears in the context object.
        seed: decides random numbers and UUIDs, and fixes the time.

    Returns:
        The response: status (SUCCEEDED, FAILED, RETRIABLE, CAUGHT_ERROR), output, nextState, error, cause, inspectionData.

    Raises:
        RequestError: the service would refuse the request; `code` and `message` are its answer.
        CommandError: the state would call a service, which is not done here.
    """
    given = (input, mock, context, variables, state_configuration, inspection_level, role_arn)
    test = read_request(machine, name, *given)
    return _Trial(test, seed).respond()


class _Bench(Engine):
    """An engine whose context object is that of a test."""

    test: StateTest | None = None

    def context(self, frame: Frame) -> dict[str, Json]:
        made = super().context(frame)
        if self.test is None:
            return made
        if self.test.context is not None:
            return {**self.test.context, **({"Map": made["Map"]} if "Map" in made else {})}
        execution = {name: value for name, value in made["Execution"].items() if name != "RedriveCount"}
        execution |= {"Id": _execution_arn(self.names), "RoleArn": self.test.role_arn}
        return {**made, "Execution": execution, "State": {**made["State"], "Name": LONE_STATE}}


def _execution_arn(names: Names) -> str:
    return f"{names.machine_arn.replace(':stateMachine:', ':express:')}:{names.execution}"


class _Trial:
    """One test under way: the frame in front of the state, then what became of it."""

    def __init__(self, test: StateTest, seed: int | None) -> None:
        self.test = test
        self.state = test.state
        start = int(time.time() * 1000) if seed is None else read_iso(SEEDED_START)
        assert start is not None
        names = Names(test.machine.name, "test-state", "EXPRESS", account=_account(test.role_arn))
        draw = randbits(48) if seed is None else seed
        self.engine = _Bench(test.machine.program, test.data, names, Limits.of("EXPRESS"), start, draw)
        self.engine.test = test
        self.frame = frame = self.engine.root
        frame.state = test.state
        frame.variables = test.variables
        frame.retries = [test.retries]  # for the context object; `_fail` gives it to the retrier that applies
        if test.state.type == "Task" and parse_resource(test.state.definition["Resource"]).outside:
            frame.token = self.engine.new_token()
        self.inspection = Inspection()
        self.response: dict[str, Any] = {}
        self.details: dict[str, int] = {}

    def respond(self) -> dict[str, Any]:
        """Evaluate the state and give the response."""
        try:
            output, following = self._evaluate()
            self._succeed(output, following)
        except (EvaluationFailure, Failure) as raised:
            self._fail(self._bare(raised))
        if self.test.level != "INFO":
            self.response["inspectionData"] = self._inspection_data()
        return self.response

    # ---- what the state does

    def _evaluate(self) -> tuple[Json, str | None]:
        """Give the output and the next state's name; puts assigned variables in place."""
        state, frame, test = self.state, self.frame, self.test
        read = None if test.source is None else partial(_read, test.source)
        self.inspection = inspect_state(state, frame, test.result, read=read)
        self._check_iterations()
        if self.inspection.raised is not None:
            raise self.inspection.raised
        if state.type not in WITH_RESULT and state.type != "Pass":
            return self._perform()
        if state.type == "Task":
            self._check_schedule()
        failure = test.failure or self._exceeded()
        if failure is not None:
            raise failure
        stages = self.inspection.stages
        result = stages.get("result", stages.get("afterParameters", frame.data))
        assigned = self.engine.assigned(frame, result)
        self.engine.measure(self.inspection.output, frame)
        frame.variables = {**frame.variables, **(assigned or {})}
        return self.inspection.output, state.next.name if state.next else None

    def _perform(self) -> tuple[Json, str | None]:
        """Let a Choice, Wait, Succeed or Fail state do its work on the bench; a wait is over at once."""
        engine, frame = self.engine, self.frame
        self.state.run(engine, frame)
        if frame.phase == BUSY:
            frame.phase = RESUME
            self.state.run(engine, frame)
        return frame.data, frame.state.name if engine.status == "RUNNING" else None

    def _check_schedule(self) -> None:
        """Evaluate what else a Task needs to be scheduled (TimeoutSeconds, Credentials), on a frame of its own."""
        probe = Frame(self.engine, self.state, self.frame.data, self.frame.variables, 0, 0)
        self.state.run(self.engine, probe)

    def _check_iterations(self) -> None:
        failed, total = self.test.failed_iterations, self.inspection.iterations
        if failed is None or self.state.type != "Map":
            return
        if isinstance(self.test.result, list):
            total = len(self.test.result)
        if total is not None and failed > total:
            text = "Map iteration failure count must be less than or equal to the number of Map iterations"
            raise RequestError("ValidationException", text)

    def _exceeded(self) -> Failure | None:
        """Say whether more iterations have failed than the state tolerates; without a threshold nothing is compared (recorded)."""
        failed, stages = self.test.failed_iterations or 0, self.inspection.stages
        total = self.inspection.iterations
        if total is None:
            total = len(self.test.result) if isinstance(self.test.result, list) else 0
        count, share = stages.get("toleratedFailureCount"), stages.get("toleratedFailurePercentage")
        if (count is not None and failed > count) or (share is not None and failed * 100 > share * total):
            return Failure("States.ExceedToleratedFailureThreshold", EXCEEDED)
        return None

    # ---- what becomes of it

    def _succeed(self, output: Json, following: str | None, status: str = "SUCCEEDED") -> None:
        self.response |= {"output": json_text(output), "status": status}
        if following is not None:
            self.response["nextState"] = following

    def _fail(self, failure: Failure) -> None:
        """Bring a failure to Retry, then to Catch."""
        self.response |= {**failure.details(), "status": "FAILED"}
        rules = self.state.retriers
        applies = next((index for index, rule in enumerate(rules) if matches(rule.errors, failure)), None)
        self.frame.retries = [self.test.retries if index == applies else 0 for index in range(len(rules))]
        retry = next_retry(self.frame, failure)
        if retry is not None:
            retrier, number = retry
            self.response["status"] = "RETRIABLE"
            self.details["retryIndex"] = rules.index(retrier)
            self.details["retryBackoffIntervalSeconds"] = int(retrier.delay(number))
            return
        catcher = find_catcher(self.frame, failure)
        if catcher is None:
            return
        error = failure.output()
        try:
            output = catcher.output(self.frame.data, error, self.frame)
            assigned = None if catcher.assign is None else self.engine.assigned(self.frame, error, catcher.assign)
            self.engine.measure(output, self.frame)
        except (EvaluationFailure, Failure) as raised:
            self.response |= self._bare(raised).details()
            return
        self.frame.variables = {**self.frame.variables, **(assigned or {})}
        self.details["catchIndex"] = self.state.catchers.index(catcher)
        self._succeed(output, catcher.next.name, "CAUGHT_ERROR")

    def _bare(self, raised: EvaluationFailure | Failure) -> Failure:
        """Give the failure without the sentence that names the state (recorded)."""
        found = named(self.frame, raised)
        sentence = named(self.frame, Failure(None, "", own=True)).cause or ""
        if found.cause is None or not found.cause.startswith(sentence):
            return found
        cause = found.cause.removeprefix(sentence)
        return Failure(found.error, cause, fatal=found.fatal, evaluation=found.evaluation, location=found.location)

    def _inspection_data(self) -> dict[str, Any]:
        hidden = _HIDDEN.get(self.state.type, frozenset())
        shown = {name: value for name, value in self.inspection.stages.items() if name not in hidden}
        if self.frame.variables:
            shown["variables"] = self.frame.variables
        if self.details:
            shown["errorDetails"] = self.details
        return {name: value if name in _PLAIN else json_text(value) for name, value in shown.items()}


def _read(content: str, call: dict[str, Json]) -> list[Json]:
    """Answer an ItemReader with what the test gives for its source: the content of an object, or the listing itself."""
    try:
        if str(call["Resource"]).endswith(":listObjectsV2"):
            found = parse_json(content, "mapItemReaderData")
            return found if isinstance(found, list) else [found]
        bucket, key = (str(call["Arguments"].get(name, "")) for name in ("Bucket", "Key"))
        return read_items(call, storage_of({bucket or "none": {key: content}}))
    except ReaderFailure as failure:
        raise Failure(failure.error, failure.cause) from failure
    except NotJson as error:
        raise Failure("States.ItemReaderFailed", str(error).partition("\n")[0]) from error


def _account(role_arn: str | None) -> str:
    """Give the account of a role's ARN, for the ARNs of the context object."""
    parts = (role_arn or "").split(":")
    return parts[4] if len(parts) > 5 and parts[4] else "123456789012"
