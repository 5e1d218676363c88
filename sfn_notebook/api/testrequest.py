"""What a test of one state asks for, checked and refused as the service's TestState does.

`read_request` turns the arguments of `try_state` into a `StateTest` that is ready to be evaluated, or raises `RequestError` with the
code and the text of the service. The order of the checks is the service's, as far as recordings show it: parameters, definition,
state, mock, context. Texts that no recording shows are ours and say the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sfn_notebook.api.testcontext import context_problems, has_type
from sfn_notebook.aws.shapes import MODES, misfit
from sfn_notebook.engine.frames import Failure
from sfn_notebook.engine.inspect import MISSING, WITH_RESULT
from sfn_notebook.engine.task import parse_resource
from sfn_notebook.errors import CommandError, Diagnostic, Json
from sfn_notebook.strictjson import copy_json, json_size, json_text

if TYPE_CHECKING:
    from sfn_notebook.api.machine import StateMachine
    from sfn_notebook.engine.model import State

LEVELS = ("INFO", "DEBUG", "TRACE")
MOST_BYTES = 262_144
LONE_STATE = "StateName"
"""What the service calls a state that is tested without a machine around it."""

_PARAMETERS: Mapping[str, Mapping[str, type]] = {
    "mock": {"result": object, "errorOutput": dict, "fieldValidationMode": str},
    "mock.errorOutput": {"error": str, "cause": str},
    "stateConfiguration": {
        "retrierRetryCount": int, "errorCausedByState": str, "mapIterationFailureCount": int, "mapItemReaderData": object,
    },
}  # fmt: skip
"""Members of the structures of a request and their types."""


class RequestError(CommandError):
    """The service would refuse the request; `code` and `message` are what it answers."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(f"{message} ({code})")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.code, self.message)


@dataclass(frozen=True, slots=True)
class StateTest:
    """A request that may be evaluated.

    Attributes:
        data: the state's input.
        context: the mocked context object, or None.
        result: the mocked result, or MISSING.
        failure: the mocked error, or None.
        source: the content of what an ItemReader reads, or None.
        failed_iterations: how many iterations of a Map have failed, or None.
        retries: how often the state has been retried.
    """

    machine: StateMachine
    state: State
    data: Json
    variables: dict[str, Json]
    context: dict[str, Json] | None
    result: Json
    failure: Failure | None
    source: str | None
    failed_iterations: int | None
    retries: int
    level: str
    role_arn: str | None


def machine_of_state(definition: Mapping[str, Json]) -> dict[str, Json]:
    """Give the definition of a machine around one state, as the service puts it: the state is called `StateName`.

    States that it leads to are added as Succeed states, so that the machine can be loaded.
    """
    states: dict[str, Json] = {LONE_STATE: dict(definition)}
    for name in _targets(definition):
        states.setdefault(name, {"Type": "Succeed"})
    return {"StartAt": LONE_STATE, "States": states}


def _targets(definition: Mapping[str, Json]) -> Iterator[str]:
    rules = [*(definition.get("Choices") or ()), *(definition.get("Catch") or ())]
    found = [definition.get("Next"), definition.get("Default"), *(r.get("Next") for r in rules if isinstance(r, dict))]
    return (name for name in found if isinstance(name, str))


def read_request(
    machine: StateMachine,
    name: str | None,
    data: Any,
    mock: Mapping[str, Any] | None,
    context: Any,
    variables: Any,
    configuration: Mapping[str, Any] | None,
    level: str,
    role_arn: str | None,
) -> StateTest:
    """Check a request.

    Raises:
        RequestError: the service would refuse it.
    """
    mock = None if mock is None else dict(mock)
    configuration = dict(configuration or {})
    _check_parameters(name, mock, configuration)
    _check_values(mock, level)
    value = _json({} if data is None else data, "InvalidExecutionInput", "Invalid State Machine Execution Input")
    if json_size(value) > MOST_BYTES:
        raise _invalid(
            f"Value at 'input' failed to satisfy constraint: Member must have length less than or equal to {MOST_BYTES}"
        )
    held = _json({} if variables is None else variables, "ValidationException", "Invalid variables")
    if not isinstance(held, dict):
        raise RequestError("ValidationException", "Invalid variables: a JSON object is expected")
    state = _state(machine, name)
    result, failure = _mocked(state, mock, role_arn)
    _check_cause(state, configuration.get("errorCausedByState"))
    return StateTest(
        machine,
        state,
        value,
        held,
        _context(state, context, mocked=mock is not None),
        result,
        failure,
        _source(state, configuration.get("mapItemReaderData")),
        configuration.get("mapIterationFailureCount"),
        configuration.get("retrierRetryCount") or 0,
        level,
        role_arn,
    )


# ---- parameters


def _check_parameters(name: str | None, mock: Mapping[str, Any] | None, configuration: Mapping[str, Any]) -> None:
    """Refuse what a client refuses before it sends anything, in boto3's words."""
    problems = []
    if name is not None and not isinstance(name, str):
        problems.append(_wrong_type("stateName", name, str))
    elif name == "":
        problems.append("Invalid length for parameter stateName, value: 0, valid min length: 1")
    if mock is not None:
        problems += _members("mock", mock)
        if isinstance(mock.get("errorOutput"), Mapping):
            problems += _members("mock.errorOutput", mock["errorOutput"])
    problems += _members("stateConfiguration", configuration)
    if configuration.get("errorCausedByState") == "":
        problems.append(
            "Invalid length for parameter stateConfiguration.errorCausedByState, value: 0, valid min length: 1"
        )
    if problems:
        raise RequestError("ParamValidationError", "\n".join(["Parameter validation failed:", *problems]))


def _members(where: str, given: Mapping[str, Any]) -> Iterator[str]:
    known = _PARAMETERS[where]
    for key, value in given.items():
        if key not in known:
            yield f'Unknown parameter in {where}: "{key}", must be one of: {", ".join(known)}'
        elif not has_type(value, known[key]):
            yield _wrong_type(f"{where}.{key}", value, known[key])
        elif isinstance(value, int) and known[key] is int and value < 0:
            yield f"Invalid value for parameter {where}.{key}, value: {value}, valid min value: 0"


def _wrong_type(where: str, value: Any, expected: type) -> str:
    return f"Invalid type for parameter {where}, value: {value}, type: {type(value)}, valid types: {expected}"


def _check_values(mock: Mapping[str, Any] | None, level: str) -> None:
    """Refuse what the service refuses by its API model."""
    mode = (mock or {}).get("fieldValidationMode", "STRICT")
    for value, where, allowed in ((level, "inspectionLevel", LEVELS), (mode, "mock.fieldValidationMode", MODES)):
        if value not in allowed:
            constraint = f"Member must satisfy enum value set: [{', '.join(allowed)}]"
            raise _invalid(f"Value '{value}' at '{where}' failed to satisfy constraint: {constraint}")


def _invalid(text: str) -> RequestError:
    return RequestError("ValidationException", f"1 validation error detected: {text}")


def _json(value: Any, code: str, what: str) -> Json:
    """Read a value: a str is JSON text, as in the API; anything else stands for itself and is copied."""
    if not isinstance(value, str):
        return copy_json(value)
    try:
        return json.loads(value, parse_constant=_no_constant)
    except ValueError as error:
        raise RequestError(code, f"{what}: '{error}'") from None


def _no_constant(name: str) -> Json:
    raise ValueError(f"{name} is no JSON value")


# ---- definition and state


def _state(machine: StateMachine, name: str | None) -> State:
    """Find the state under test; without a name it is the first one."""
    if machine.errors:
        raise RequestError(
            "InvalidDefinition", f"Invalid State Machine Definition: '{', '.join(map(_line, machine.errors))}'"
        )
    program = machine.program
    if name is None:
        return program.start
    for state in program.states:
        if state.name == name:
            return state
    raise RequestError("ValidationException", "State not found in definition")


def _line(diagnostic: Diagnostic) -> str:
    where = re.sub(r"(?<=[A-Za-z])/(\d+)(?=/|$)", r"[\1]", diagnostic.pointer)
    return f"{diagnostic.code}: {diagnostic.message} at {where or '/'}"


# ---- mock


def _mocked(state: State, mock: Mapping[str, Any] | None, role_arn: str | None) -> tuple[Json, Failure | None]:
    """Give the mocked result and error."""
    if mock is None:
        _check_unmocked(state, role_arn)
        return MISSING, None
    if state.type not in WITH_RESULT:
        raise RequestError(
            "ValidationException", f"State type '{state.type}' is not supported when a mock is specified"
        )
    given = [field for field in ("result", "errorOutput") if mock.get(field) is not None]
    if len(given) > 1:
        text = "A test mock should have only one of the following fields: [result, errorOutput]."
        raise RequestError("ValidationException", text)
    if "errorOutput" in given:
        output = mock["errorOutput"]
        if output.get("error") is None:
            raise RequestError(
                "ValidationException", "The field 'error' must be specified in the errorOutput of a mock"
            )
        return MISSING, Failure(output["error"], output.get("cause"))
    if "result" not in mock:
        text = "A test mock should have one of the following fields: [result, errorOutput]."
        raise RequestError("ValidationException", text)
    result = _json(mock["result"], "ValidationException", "Mocked result must be a valid JSON")
    _check_result(state, result, mock.get("fieldValidationMode", "STRICT"))
    return result, None


def _check_unmocked(state: State, role_arn: str | None) -> None:
    if state.type in ("Map", "Parallel"):
        text = (
            "TestState API does not support Map or Parallel states. "
            "Supported state types include: [Task, Wait, Pass, Succeed, Fail, Choice]"
        )
        raise RequestError("InvalidDefinition", text)
    if state.type != "Task":
        return
    service = parse_resource(state.definition["Resource"])
    if service.family == "activity" or service.pattern != "request":
        text = "TestState API does not support Activity tasks, or the '.sync' and '.waitForTaskToken' service integration patterns"
        raise RequestError("InvalidDefinition", f"{text}, when no mock is specified")
    if role_arn is None:
        raise RequestError("ValidationException", "RoleArn must be specified when testing a Task state")
    raise CommandError(
        f'state "{state.name}" calls {service.arn}, and a local test calls nobody; '
        'give its answer with mock={"result": ...} or mock={"errorOutput": {"error": ..., "cause": ...}}'
    )


def _check_result(state: State, result: Json, mode: str) -> None:
    if state.type == "Task":
        problem = misfit(state.definition["Resource"], result, mode)
        if problem is not None:
            raise RequestError("ValidationException", f"Mock result schema validation error: {problem}")
    elif state.plan is not None and "Resource" in state.definition.get("ResultWriter", ()):  # inline, it does nothing
        if not isinstance(result, dict):
            raise RequestError("ValidationException", "Mocked result must be a JSON object.")
    elif not isinstance(result, list):
        raise RequestError("ValidationException", "Mocked result must be an array.")


def _check_cause(state: State, name: str | None) -> None:
    if name is None or state.type not in ("Map", "Parallel"):
        return
    if name not in _names_inside(state.definition):
        text = f"State '{name}', which causes the error, is not a state inside the {state.type} state"
        raise RequestError("ValidationException", text)


def _names_inside(definition: Mapping[str, Json]) -> Iterator[str]:
    scopes = [*(definition.get("Branches") or ()), definition.get("ItemProcessor"), definition.get("Iterator")]
    for scope in scopes:
        for name, inner in ((scope or {}).get("States") or {}).items():
            yield name
            yield from _names_inside(inner)


def _source(state: State, data: Any) -> str | None:
    """Give the content of the source of an ItemReader as text."""
    if data is None or "ItemReader" not in state.definition:
        return None
    return data if isinstance(data, str) else json_text(copy_json(data))


# ---- context object


def _context(state: State, context: Any, *, mocked: bool) -> dict[str, Json] | None:
    """Check a mocked context object."""
    if context is None:
        return None
    what = "Invalid Context object provided"
    if not mocked:
        raise RequestError(
            "ValidationException", f"{what}: a Context object may only be specified when a mock is specified"
        )
    value = _json(context, "ValidationException", what)
    waits = state.type == "Task" and parse_resource(state.definition["Resource"]).pattern != "request"
    for problem in context_problems(value, waits=waits):
        raise RequestError("ValidationException", f"{what}: {problem}")
    found: dict[str, Json] = value
    return found
