"""Rules on numbers that must fit together, and on what a workflow type cannot do.

Express restrictions hold for an Express machine and, inside a Standard one, for the child executions of a Distributed Map whose
ExecutionType is EXPRESS. Values that are expressions or placeholders are not judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeGuard

from sfn_notebook.asl.fields import JSONPATH
from sfn_notebook.asl.jsontext import escape
from sfn_notebook.asl.rule import Machine, Problem, Thing, at, quoted
from sfn_notebook.asl.rules_maps import mode_of
from sfn_notebook.asl.rules_text import MISSING_ARGUMENT
from sfn_notebook.asl.substitutions import has_placeholder
from sfn_notebook.asl.topology import Scope
from sfn_notebook.errors import Json, Severity

_PATTERNS = re.compile(r"(\.sync|\.waitForTaskToken)(?::\d+)?$")
_ACTIVITY = re.compile(r"arn:[^:]*:states:[^:]*:[^:]*:activity:")
INVALID_VARIABLE = "INVALID_VARIABLE_NAME"
RESERVED_VARIABLE = "RESERVED_VARIABLE_NAME"
EXPRESS_SECONDS = 300
MAX_VARIABLE_NAME = 80


def heartbeats(machine: Machine) -> Iterator[Problem]:
    """A task's heartbeat is shorter than its timeout."""
    for thing in machine.of("Task"):
        heartbeat, timeout = thing.body.get("HeartbeatSeconds"), thing.body.get("TimeoutSeconds")
        if _whole(heartbeat) and _whole(timeout) and heartbeat >= timeout:
            message = f"HeartbeatSeconds ({heartbeat}) must be smaller than TimeoutSeconds ({timeout})"
            yield Problem(
                at(thing, "HeartbeatSeconds"), message, hint="a task that may stay silent so long times out first"
            )


def _whole(value: Json) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def credentials(machine: Machine) -> Iterator[Problem]:
    """Credentials name the role, and stand only where a service is called."""
    for thing in machine.of("Task"):
        if "Credentials" not in thing.body:
            continue
        given, resource, pointer = thing.body["Credentials"], thing.body.get("Resource"), at(thing, "Credentials")
        if isinstance(resource, str) and _ACTIVITY.match(resource):
            hint = "an activity's worker uses its own credentials; remove the field"
            yield Problem(pointer, "Credentials are not supported for activities", key=True, hint=hint)
        elif isinstance(given, dict) and not given.keys() & _ROLES[thing.language == JSONPATH]:
            message = "The field 'RoleArn' is required but was missing"
            hint = "AWS refuses credentials that do not name the role to call with"
            yield Problem(pointer, message, MISSING_ARGUMENT, Severity.WARNING, key=True, hint=hint)


_ROLES = (frozenset({"RoleArn"}), frozenset({"RoleArn", "RoleArn.$"}))
"""How the role may be given in JSONata and in JSONPath."""


def retry_delays(machine: Machine) -> Iterator[Problem]:
    """A Retry's longest delay is not shorter than its first one."""
    for thing in machine.of("Retrier"):
        first, most = thing.body.get("IntervalSeconds", 1), thing.body.get("MaxDelaySeconds")
        if _whole(first) and _whole(most) and most < first:
            message = f"MaxDelaySeconds ({most}) is smaller than IntervalSeconds ({first})"
            yield Problem(
                at(thing, "MaxDelaySeconds"), message, "NO_EFFECT", Severity.WARNING, hint="every wait is cut to it"
            )


def express(machine: Machine) -> Iterator[Problem]:
    """An Express workflow waits for nothing outside: no .sync, no task token, no activity, no Distributed Map."""
    inside = _express_scopes(machine)
    for thing in machine.of("Task", "Map") if inside else ():
        node = machine.graph.by_pointer[thing.pointer]
        if node.scope not in inside:
            continue
        if thing.kind == "Map":
            if mode_of(thing.body) == "DISTRIBUTED":
                name = "ItemProcessor" if "ItemProcessor" in thing.body else "Iterator"
                message = "The field 'Mode' with value 'DISTRIBUTED' is not supported inside 'EXPRESS' state machines"
                hint = "use a Standard workflow, or an inline Map"
                yield Problem(f"{at(thing, name)}/ProcessorConfig/Mode", message, hint=hint)
            continue
        yield from _express_task(thing)


def _express_task(thing: Thing) -> Iterator[Problem]:
    resource, pointer = thing.body.get("Resource"), at(thing, "Resource")
    if not isinstance(resource, str):
        return
    hint = "use a Standard workflow, or plain request and response"
    match = _PATTERNS.search(resource)
    if match is not None and resource.startswith("arn:"):
        # AWS writes two spaces before the "at" that follows in the second text.
        space = " " if match.group(1) == ".waitForTaskToken" else ""
        message = f"Express state machine does not support '{match.group(1)}' service integration{space}"
        yield Problem(pointer, message, offset=match.start(1), hint=hint)
    elif _ACTIVITY.match(resource):
        yield Problem(pointer, "Express state machine does not support activities", hint=hint)


def _express_scopes(machine: Machine) -> set[str]:
    """Give the pointers of the scopes that run as Express."""
    found: set[str] = set()
    for scope in machine.graph.scopes:
        parent = machine.graph.by_pointer[scope.owner].scope if scope.owner is not None else None
        if parent is None:
            is_express = machine.workflow_type == "EXPRESS"
        else:
            is_express = parent in found or _express_children(scope)
        if is_express:
            found.add(scope.pointer)
    return found


def _express_children(scope: Scope) -> bool:
    config = scope.definition.get("ProcessorConfig")
    return isinstance(config, dict) and config.get("Mode") == "DISTRIBUTED" and config.get("ExecutionType") == "EXPRESS"


def express_timeouts(machine: Machine) -> Iterator[Problem]:
    """No wait of an Express workflow is longer than the five minutes that it may take."""
    inside = _express_scopes(machine)
    for thing in machine.of("Wait"):
        seconds = thing.body.get("Seconds")
        node = machine.graph.by_pointer[thing.pointer]
        if node.scope in inside and _whole(seconds) and seconds >= EXPRESS_SECONDS:
            message = f"this waits {seconds:,} s, but an Express execution ends after {EXPRESS_SECONDS} s"
            yield Problem(
                at(thing, "Seconds"), message, "EXPRESS_DURATION", Severity.WARNING, hint="use a Standard workflow"
            )


def variable_names(machine: Machine) -> Iterator[Problem]:
    """The names of variables are identifiers of at most 80 characters, and none is `states`."""
    for thing in machine.things:
        assign = thing.body.get("Assign")
        if not isinstance(assign, dict):
            continue
        for key in assign:
            name = key.removesuffix(".$") if thing.language == JSONPATH else key
            pointer = f"{at(thing, 'Assign')}/{escape(key)}"
            if has_placeholder(name):
                continue
            if name == "states":
                message = 'the variable name "states" is reserved'
                yield Problem(pointer, message, RESERVED_VARIABLE, key=True, hint="choose another name")
            elif len(name) > MAX_VARIABLE_NAME:
                message = f"the name of a variable may have {MAX_VARIABLE_NAME} characters, this one has {len(name)}"
                yield Problem(pointer, message, INVALID_VARIABLE, key=True)
            elif not name.isidentifier():
                message = f"{quoted(name)} is no name of a variable"
                yield Problem(pointer, message, INVALID_VARIABLE, key=True, hint=_name_hint(name))


def _name_hint(name: str) -> str:
    bare = name.lstrip("$")
    if bare != name and bare.isidentifier():
        return f"write {bare}; the dollar sign is for reading it"
    if "." in name or "[" in name:
        return "a variable is assigned as a whole; assign an object to change a part"
    return "a letter or _ first, then letters, digits and _"


def delimiters(machine: Machine) -> Iterator[Problem]:
    """A JSONata expression opens with {% and closes with %}."""
    for thing in machine.things:
        if thing.language == JSONPATH:
            continue
        for name in ("Arguments", "Output", "Assign", "Condition", "Items", "ItemSelector", "Seconds", "Error", "Cause",
                     "TimeoutSeconds", "HeartbeatSeconds", "MaxConcurrency"):  # fmt: skip
            if name in thing.body:
                yield from _delimiters(at(thing, name), thing.body[name])


_DELIMITED = "JSONata string must start with {% and end with %}"


def _delimiters(pointer: str, tree: Json) -> Iterator[Problem]:
    waiting = [(pointer, tree)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, str):
            yield from _half_open(place, value)
        elif isinstance(value, dict | list):
            children = value.items() if isinstance(value, dict) else enumerate(value)
            waiting.extend([(f"{place}/{escape(str(key))}", item) for key, item in children if _is_unclear(item)])


def _is_unclear(value: Json) -> bool:
    if isinstance(value, str):
        return "%" in value and not (value.startswith("{%") and value.endswith("%}"))
    return isinstance(value, dict | list)


def _half_open(place: str, value: str) -> Iterator[Problem]:
    opens, closes = value.startswith("{%"), value.endswith("%}")
    if opens and closes:
        return
    if opens and "%}" not in value[2:]:
        yield Problem(place, f"{_DELIMITED}: this one does not close", hint="end the string with %}")
    elif closes and "{%" not in value:
        yield Problem(place, f"{_DELIMITED}: this one does not open", hint="start the string with {%")
    elif "{%" in value:
        message = "this is taken as plain text: an expression fills the whole string"
        hint = 'remove what stands outside of {% %}, blanks too; join texts inside, as in {% "a" & $b %}'
        yield Problem(place, message, "NOT_EVALUATED", Severity.WARNING, hint=hint)
