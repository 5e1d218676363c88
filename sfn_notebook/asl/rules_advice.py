"""Warnings that teach: what AWS accepts and its owner will regret.

Each is told once for a machine, at the first state that it is about, with the names of the others, so that advice never drowns
what is wrong. Their codes are `ADVICE`.
"""

from __future__ import annotations

from collections.abc import Iterator

from sfn_notebook.asl.rule import Machine, Problem, Thing, at
from sfn_notebook.asl.substitutions import has_placeholder
from sfn_notebook.asl.topology import StateNode
from sfn_notebook.errors import Severity

NO_TIMEOUT = "NO_TIMEOUT"
NO_RETRY = "NO_RETRY"
NO_DEFAULT = "NO_DEFAULT"
SWALLOWED = "ERRORS_SWALLOWED"
ADVICE = frozenset({NO_TIMEOUT, NO_RETRY, NO_DEFAULT, SWALLOWED})
"""The codes of advice: true of many working machines, and worth a thought once."""

_SHOWN = 5


def task_timeouts(machine: Machine) -> Iterator[Problem]:
    """A task that waits for something outside has a time limit."""
    if "TimeoutSeconds" in machine.definition or machine.workflow_type == "EXPRESS":
        return
    found = [node for node in _tasks(machine) if _waits(node) and not _limited(node)]
    if found:
        what = "waits for an answer" if len(found) == 1 else "wait for answers"
        message = f"{_named(found)} {what} without a time limit"
        hint = "a token, activity or job that is never answered keeps the execution open for a year: set TimeoutSeconds"
        yield Problem(found[0].pointer, message, NO_TIMEOUT, Severity.WARNING, key=True, hint=hint)


def _tasks(machine: Machine) -> Iterator[StateNode]:
    return (node for node in machine.graph.nodes if node.type == "Task")


def _waits(node: StateNode) -> bool:
    resource = node.resource or ""
    return ".waitForTaskToken" in resource or ".sync" in resource or ":activity:" in resource


def _limited(node: StateNode) -> bool:
    names = ("TimeoutSeconds", "TimeoutSecondsPath", "HeartbeatSeconds", "HeartbeatSecondsPath")
    return any(name in node.definition for name in names)


def task_retries(machine: Machine) -> Iterator[Problem]:
    """A call to a Lambda function is tried again when the service is busy."""
    found = [node for node in _tasks(machine) if _is_lambda(node) and not _protected(node, machine)]
    if found:
        verb = "calls" if len(found) == 1 else "call"
        message = f"{_named(found)} {verb} Lambda without a Retry"
        hint = (
            "a passing fault of the service fails the execution: retry Lambda.ServiceException, Lambda.AWSLambdaException, "
            "Lambda.SdkClientException and Lambda.TooManyRequestsException"
        )
        yield Problem(found[0].pointer, message, NO_RETRY, Severity.WARNING, key=True, hint=hint)


def _is_lambda(node: StateNode) -> bool:
    resource = node.resource or ""
    return not has_placeholder(resource) and (
        "lambda:invoke" in resource or (":lambda:" in resource and ":function:" in resource)
    )


def _protected(node: StateNode, machine: Machine) -> bool:
    """Tell whether the state, or one around it, retries or catches."""
    while True:
        if node.definition.get("Retry") or node.definition.get("Catch"):
            return True
        owner = machine.graph.scope_by_pointer[node.scope].owner
        if owner is None:
            return False
        node = machine.graph.by_pointer[owner]


def choice_defaults(machine: Machine) -> Iterator[Problem]:
    """A Choice has a Default, for what nobody thought of."""
    found = [node for node in machine.graph.nodes if node.type == "Choice" and "Default" not in node.definition]
    found = [node for node in found if not _is_complete(node)]
    if found:
        verb = "has" if len(found) == 1 else "have"
        message = f"{_named(found)} {verb} no Default"
        hint = "where no rule matches, the execution fails with States.NoChoiceMatched, which nothing catches here"
        yield Problem(found[0].pointer, message, NO_DEFAULT, Severity.WARNING, key=True, hint=hint)


def _is_complete(node: StateNode) -> bool:
    """Tell whether two rules ask the same question and its opposite."""
    rules = node.definition.get("Choices")
    if not isinstance(rules, list):
        return True
    asked = []
    for rule in rules:
        if not isinstance(rule, dict) or rule.get("Condition") in (True, "{% true %}"):
            return True
        asked.append({key: value for key, value in rule.items() if key not in ("Next", "Assign", "Output", "Comment")})
    opposites = [_opposite(test) for test in asked]
    return any(opposite in asked for opposite in opposites if opposite is not None)


def _opposite(test: dict[str, object]) -> dict[str, object] | None:
    if set(test) == {"Not"} and isinstance(test["Not"], dict):
        return test["Not"]
    for key, value in test.items():
        if isinstance(value, bool):
            return {**test, key: not value}
    return None


def swallowed_errors(machine: Machine) -> Iterator[Problem]:
    """A Catch of everything does not hide the error."""
    found: list[Thing] = []
    for thing in machine.of("Catcher"):
        names = thing.body.get("ErrorEquals")
        if isinstance(names, list) and "States.ALL" in names and _hides(thing, machine):
            found.append(thing)
    if found:
        nodes = [machine.graph.by_pointer[thing.state or ""] for thing in found]
        verb = "catches" if len(nodes) == 1 else "catch"
        message = f"{_named(nodes)} {verb} States.ALL and goes on as if nothing had happened"
        if len(nodes) > 1:
            message = message.replace("and goes on", "and go on")
        hint = "mistakes such as a missing field end here too: catch what you expect by name, or keep the error with ResultPath"
        yield Problem(at(found[0], "ErrorEquals"), message, SWALLOWED, Severity.WARNING, hint=hint)


def _hides(thing: Thing, machine: Machine) -> bool:
    """Tell whether a catcher throws the error away, or goes where the state goes when all is well."""
    node = machine.graph.by_pointer[thing.state or ""]
    if "Assign" in thing.body or "Output" in thing.body:
        return False
    if "ResultPath" in thing.body and thing.body["ResultPath"] is None:
        target = machine.graph.scope_by_pointer[node.scope].states.get(str(thing.body.get("Next")))
        return target is None or machine.graph.by_pointer[target].type != "Fail"
    return "Next" in node.definition and node.definition["Next"] == thing.body.get("Next")


def _named(nodes: list[StateNode]) -> str:
    names = list(dict.fromkeys(f'"{node.name}"' for node in nodes))
    shown = ", ".join(names[:_SHOWN])
    more = len(names) - _SHOWN
    word = "state" if len(names) == 1 else "states"
    return f"{word} {shown}" + (f" and {more} more" if more > 0 else "")
