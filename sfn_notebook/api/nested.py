"""State machines that start each other: `states:startExecution` answered by another loaded machine.

A `StateMachine` among the handlers is bound like any other handler, by state name or resource, or by its own ARN or name, which then
answers every `startExecution` task that asks for it. The child runs at the moment of the parent's task, on the same virtual time, with
the parent's handlers; what the task gives back, and when, depends on the pattern (`request`, `.sync`, `.sync:2`), as recorded on AWS.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sfn_notebook.engine.frames import Outcome
from sfn_notebook.errors import Json, RunError
from sfn_notebook.sim.outcomes import After, TaskError
from sfn_notebook.strictjson import copy_json, json_text, parse_json

if TYPE_CHECKING:
    from sfn_notebook.api.execution import Execution
    from sfn_notebook.api.machine import StateMachine

START = "arn:aws:states:::states:startExecution"
_PATTERNS = (START, f"{START}.sync", f"{START}.sync:2")
DEEPEST = 10
"""Machines that start machines: so many levels, against one that starts itself for ever."""


def bind_machines(handlers: Mapping[str, Any], started: list[Execution], depth: int = 0) -> dict[str, Any]:
    """Replace the machines among the handlers by functions that run them.

    Args:
        handlers: as `StateMachine.run` takes them.
        started: gets every child execution, in the order of starting.
        depth: how many machines stand above.
    """
    from sfn_notebook.api.machine import StateMachine

    machines = {key: value for key, value in handlers.items() if isinstance(value, StateMachine)}
    if not machines:
        return dict(handlers)
    bound = {**handlers, **{key: _Starter(machine, handlers, started, depth) for key, machine in machines.items()}}
    known = {**{machine.name: machine for machine in machines.values()}, **machines}
    for resource in _PATTERNS:
        bound.setdefault(resource, _Starter(None, handlers, started, depth, known))
    return bound


class _Starter:
    """Answers one `startExecution` task by running a machine."""

    def __init__(
        self,
        machine: StateMachine | None,
        handlers: Mapping[str, Any],
        started: list[Execution],
        depth: int,
        known: Mapping[str, StateMachine] | None = None,
    ) -> None:
        self.machine = machine
        self.handlers = handlers
        self.started = started
        self.depth = depth
        self.known = known or {}

    def __call__(self, request: Json, context: dict[str, Json]) -> Any:
        """Run the machine that the request names and give the task's outcome."""
        arn = str(request.get("StateMachineArn", "")) if isinstance(request, dict) else ""
        machine = self.machine or self.known.get(arn) or self.known.get(arn.rpartition(":")[2])
        if machine is None:
            raise TaskError("StepFunctions.StateMachineDoesNotExistException", f"State Machine Does Not Exist: '{arn}'")
        if self.depth >= DEEPEST:
            raise RunError(f'machines start each other more than {DEEPEST} levels deep, last "{machine.name}"')
        child = self._run(machine, request, context)
        self.started.append(child)
        return _answer(child, str(context["Resource"]), arn or child.engine.names.machine_arn)

    def _run(self, machine: StateMachine, request: dict[str, Json], context: dict[str, Json]) -> Execution:
        given = request.get("Input", {})
        data = parse_json(given, "the Input of startExecution") if isinstance(given, str) else given
        identity = f"{context['Execution']['Id']}/{context['State']['Name']}/{context['Path']}/{len(self.started)}"
        seed = int.from_bytes(hashlib.sha256(identity.encode()).digest()[:6], "big")
        child = machine.begin(data, None, start=context["State"]["EnteredTime"], seed=seed, name=request.get("Name"))
        child.bind(bind_machines(self.handlers, self.started, self.depth + 1))
        child.go_on()
        if child.status == "RUNNING":
            waiting = ", ".join(task.state for task in child.pending)
            raise RunError(
                f'the nested machine "{machine.name}" waits for an answer from outside in {waiting}; bind a handler there'
            )
        return child


def _answer(child: Execution, resource: str, arn: str) -> Any:
    """Give what the service's task gives: the start alone, or the described execution, as text or parsed."""
    started = {
        "ExecutionArn": child.arn,
        "SdkHttpMetadata": {"HttpStatusCode": 200},
        "SdkResponseMetadata": {"RequestId": f"{child.name}-start"},
        "StartDate": child.engine.start,
    }
    if ".sync" not in resource:
        return started
    seconds = (child.engine.now - child.engine.start) / 1000
    parsed = resource.endswith(":2")
    described: dict[str, Json] = {
        "ExecutionArn": child.arn,
        "Input": child.input if parsed else json_text(child.input),
        "InputDetails": {"Included": True},
        "Name": child.name,
        "StartDate": child.engine.start,
        "StateMachineArn": arn,
        "Status": child.status,
        "StopDate": child.engine.now,
    }
    if child.status == "SUCCEEDED":
        output = copy_json(child.output) if parsed else json_text(child.output)
        described |= {"Output": output, "OutputDetails": {"Included": True}}
        return After(seconds, Outcome("succeeded", described, submitted=started))
    described |= {key: value for key, value in (("Error", child.error), ("Cause", child.cause)) if value is not None}
    cause = json_text(dict(sorted(described.items())))
    return After(seconds, Outcome("failed", error="States.TaskFailed", cause=cause, submitted=started))
