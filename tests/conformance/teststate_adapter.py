"""Answers a recorded TestState request: `run_test_state(case)` gives the response, or the error that the request is refused with."""

from __future__ import annotations

import json
from typing import Any

from sfn_notebook import StateMachine
from sfn_notebook.api.testrequest import RequestError, machine_of_state
from sfn_notebook.api.teststate import try_state
from sfn_notebook.errors import CommandError, Json


def run_test_state(case: dict[str, Any]) -> Any:
    """Build the call from the recorded request; a request that really called a service is not answered."""
    request = case["request"]
    definition = case["definition"] if "stateName" in request else machine_of_state(case["definition"])
    arguments: dict[str, Any] = {
        "input": _text(request, "input"),
        "mock": _mock(request.get("mock")),
        "context": _text(request, "context"),
        "variables": _text(request, "variables"),
        "state_configuration": request.get("stateConfiguration"),
        "inspection_level": request.get("inspectionLevel", "INFO"),
        "role_arn": request.get("roleArn"),
    }
    try:
        machine = StateMachine.load(definition, name="conformance")
        return try_state(machine, request.get("stateName"), **arguments)
    except RequestError as error:
        return {"raised": {"code": error.code, "message": error.message}}
    except CommandError as error:
        return {"skip": str(error)}


def _text(request: dict[str, Json], member: str) -> str | None:
    """Give a member as the JSON text that was sent."""
    return json.dumps(request[member]) if member in request else None


def _mock(mock: dict[str, Json] | None) -> dict[str, Json] | None:
    if mock is None:
        return None
    sent = {name: value for name, value in mock.items() if name != "result_raw"}
    return {**sent, "result": mock["result_raw"]} if "result_raw" in mock else sent
