"""How the conformance scorer drives this package: `run(case)` gives the events of one recorded case, or None where it is not supported.

Knows the scorer's protocol only: a case is a dict with a definition, an input and, for executions, `replay.call(...)`, which gives the
outcomes that tasks had on AWS. Where the recordings lie is the scorer's business.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from sfn_notebook import DefinitionError, StateMachine
from sfn_notebook.api.testrequest import RequestError, machine_of_state
from sfn_notebook.api.teststate import try_state
from sfn_notebook.asl.check import check
from sfn_notebook.asl.source import parse
from sfn_notebook.asl.variables import variable_references
from sfn_notebook.engine import log
from sfn_notebook.engine.clock import read_iso
from sfn_notebook.engine.execution import Engine
from sfn_notebook.engine.frames import Outcome
from sfn_notebook.engine.limits import Limits, Names
from sfn_notebook.engine.task import TaskCall
from sfn_notebook.errors import CommandError, Diagnostic, Json, Severity
from sfn_notebook.sim.driver import drive
from sfn_notebook.sim.handlers import Responder

START = "2025-01-01T00:00:00Z"
Answer = tuple[Outcome | None, float]


def run(case: dict[str, Any]) -> Any:
    """Answer one case of any kind; None means "not supported"."""
    answer = ANSWERS.get(case["kind"])
    return None if answer is None else answer(case)


def run_execution(case: dict[str, Any]) -> Any:
    """Run a definition with the outcomes that its tasks had on AWS, and give the events."""
    source = case["definition"] if case.get("definition") is not None else case.get("definition_raw")
    if source is None:
        return {"skip": "the case has no definition"}
    kind = case.get("type", "STANDARD")
    try:
        program = StateMachine.load(source, name="conformance").program
    except DefinitionError as error:
        return {"status": "REFUSED", "error": "InvalidDefinition", "cause": str(error), "events": []}
    start = read_iso(case.get("clock") or START)
    assert start is not None
    names = Names("conformance", "recorded", kind)
    engine = Engine(program, copy.deepcopy(case.get("input")), names, Limits.of(kind), start, 0)
    if "external-stop" in (case.get("needs") or ()):
        run_until_time_would_pass(engine, Recorded(case))
        engine.abort()
    else:
        drive(engine, Recorded(case))
    return list(log.events(engine.log))


def run_validation(case: dict[str, Any]) -> Any:
    """Check a definition and answer as ValidateStateMachineDefinition does, or as CreateStateMachine refuses it."""
    source = case["definition_raw"] if case.get("definition") is None else json.dumps(case["definition"])
    whole = "/"
    try:
        found: Sequence[Diagnostic] = check(parse(source or ""), workflow_type=case.get("type") or "STANDARD")
    except DefinitionError as error:
        found, whole = error.diagnostics, ""  # recorded: what cannot be read has no location
    errors = [d for d in found if d.severity is Severity.ERROR]
    shown = [{"code": d.code, "location": location_of(d) or whole, "message": d.message} for d in errors]
    message = "; ".join(f"{d['code']}: {d['message']} at {d['location']}" for d in shown)
    return {
        "result": "FAIL" if errors else "OK",
        "diagnostics": shown,
        "message": f"Invalid State Machine Definition: '{message}'",
    }


def location_of(diagnostic: Diagnostic) -> str:
    """Write a JSON Pointer as the service does: array positions in brackets."""
    return re.sub(r"/(\d+)(?=/|$)", r"[\1]", diagnostic.pointer)


def run_until_time_would_pass(engine: Engine, recorded: Recorded) -> None:
    """Run what needs no time: somebody stopped the execution while it waited."""
    engine.drain()
    while calls := engine.take_calls():
        for call, (outcome, delay) in zip(calls, recorded.respond(calls), strict=True):
            if outcome is not None:
                call.frame.engine.answer(call.task, outcome, delay)
        engine.drain()


class Recorded:
    """Answers tasks with what they got on AWS, and item readers with the objects that were there."""

    def __init__(self, case: dict[str, Any]) -> None:
        self.replay = case["replay"]
        self.attempts = [attempt for task in case.get("tasks") or () for attempt in task.get("attempts") or ()]
        buckets: dict[str, dict[str, Any]] = {}
        for found in case.get("s3_objects") or ():
            buckets.setdefault(found["bucket"], {})[found["key"]] = found["body"]
        self.storage = Responder(s3=buckets)

    def respond(self, calls: Sequence[TaskCall]) -> list[Answer]:
        """Answer each call in order."""
        return [self._task(call) if call.purpose == "task" else self.storage.respond([call])[0] for call in calls]

    def _task(self, call: TaskCall) -> Answer:
        """Give the recorded outcome; a task without one was aborted on AWS and never completes."""
        found = self.replay.call(call.state, input=call.frame.data, attempt=call.attempt, parameters=call.input)
        if found is None:
            return Outcome("never"), 0
        texts = {name: found.get(name) for name in ("error", "cause", "event")}
        return Outcome(found["kind"], found.get("output"), **texts, submitted=self._submitted(found)), 0

    def _submitted(self, found: dict[str, Json]) -> Json:
        """Give what TaskSubmitted showed for this outcome; the replayer does not hand it out.

        Its answer names the Scheduled event of the attempt, so the first attempt with the same one that is not used up is meant.
        """
        for attempt in self.attempts:
            if _same(attempt, found):
                self.attempts.remove(attempt)
                return attempt.get("submitted")
        return None


def _same(attempt: dict[str, Json], found: dict[str, Json]) -> bool:
    outcome = attempt.get("outcome") or {}
    alike = all(outcome.get(name) == found.get(name) for name in ("kind", "event", "error", "output"))
    return alike and attempt.get("scheduled") == found.get("scheduled")


def run_test_state(case: dict[str, Any]) -> Any:
    """Build the call from the recorded request; a request that really called a service is not answered."""
    request = case["request"]
    definition = case["definition"] if "stateName" in request else machine_of_state(case["definition"])
    arguments: dict[str, Any] = {
        "input": _sent_text(request, "input"),
        "mock": _mock(request.get("mock")),
        "context": _sent_text(request, "context"),
        "variables": _sent_text(request, "variables"),
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


def _sent_text(request: dict[str, Json], member: str) -> str | None:
    """Give a member as the JSON text that was sent."""
    return json.dumps(request[member]) if member in request else None


def _mock(mock: dict[str, Json] | None) -> dict[str, Json] | None:
    if mock is None:
        return None
    sent = {name: value for name, value in mock.items() if name != "result_raw"}
    return {**sent, "result": mock["result_raw"]} if "result_raw" in mock else sent


ANSWERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "execution": run_execution,
    "test_state": run_test_state,
    "validation": run_validation,
    "variable_references": lambda case: variable_references(case["definition"]),
}
"""Kind of case -> what answers it."""
