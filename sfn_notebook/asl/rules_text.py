"""Rules that look inside strings: paths, reference paths, intrinsic functions, timestamps, resource ARNs, placeholders.

A problem here names the offending character, so that the caret stands below it and not below the whole string. A string with an
unresolved `${Name}` is not judged: what it will say is not known yet.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from sfn_notebook.asl.fields import JSONPATH, fields_of
from sfn_notebook.asl.integrations import INTEGRATIONS, READERS
from sfn_notebook.asl.jsontext import escape
from sfn_notebook.asl.rule import Machine, Problem, Thing, at, quoted
from sfn_notebook.asl.substitutions import PLACEHOLDER, has_placeholder
from sfn_notebook.errors import ExpressionError, Json, Severity
from sfn_notebook.lang.jsonata import UnsupportedExpression, compile_tree, is_expression
from sfn_notebook.lang.jsonpath import compile_path, compile_reference
from sfn_notebook.lang.template import compile_expression

BAD_EXPRESSION = "SCHEMA_VALIDATION_FAILED"
INVALID_JSONATA = "INVALID_JSONATA_EXPRESSION"
UNSUPPORTED_JSONATA = "UNSUPPORTED_JSONATA_EXPRESSION"
PLACEHOLDER_CODE = "UNRESOLVED_PLACEHOLDER"


def expressions(machine: Machine) -> Iterator[Problem]:
    """Every JSONPath, reference path and intrinsic function can be read."""
    known: dict[tuple[str, str], ExpressionError | None] = {}
    for thing in machine.things:
        if thing.language != JSONPATH:
            continue
        allowed = fields_of(thing.kind, JSONPATH)
        for name, value in thing.body.items():
            field = allowed.get(name)
            if field is None:
                continue
            if field.kind in _COMPILERS and isinstance(value, str):
                yield from _compiled(at(thing, name), field.kind, value, known, name)
            elif field.kind == "template" and isinstance(value, dict):
                yield from _template(at(thing, name), value, known)


_COMPILERS: dict[str, Callable[[str], object]] = {
    "path": compile_path,
    "reference": compile_reference,
    "expression": lambda text: compile_expression(text, "expression"),
}


def _compiled(
    pointer: str, kind: str, text: str, known: dict[tuple[str, str], ExpressionError | None], name: str
) -> Iterator[Problem]:
    if has_placeholder(text):
        return
    if (kind, text) not in known:
        known[kind, text] = _failure(kind, text)
    error = known[kind, text]
    if error is not None:
        yield Problem(pointer, f"{name}: {error.message}", BAD_EXPRESSION, offset=error.position, hint=_path_hint(text))


def _failure(kind: str, text: str) -> ExpressionError | None:
    try:
        _COMPILERS[kind](text)
    except ExpressionError as error:
        return error
    except RecursionError:
        return ExpressionError("the expression is nested too deeply", text)
    return None


def _path_hint(text: str) -> str | None:
    if text.startswith("{%"):
        return 'a {% … %} expression needs "QueryLanguage": "JSONata"'
    return f'did you mean "$.{text}"?' if text.isidentifier() else None


def _template(pointer: str, template: Json, known: dict[tuple[str, str], ExpressionError | None]) -> Iterator[Problem]:
    """Check the `.$` fields of a payload template at any depth."""
    waiting = [(pointer, template)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, list):
            waiting.extend((f"{place}/{i}", item) for i, item in enumerate(value))
        if not isinstance(value, dict):
            continue
        for key, inner in value.items():
            here = f"{place}/{escape(key)}"
            if not key.endswith(".$"):
                waiting.append((here, inner))
            elif isinstance(inner, str):
                yield from _compiled(here, "expression", inner, known, key)
            else:
                message = f"the field '{key}' ends in .$, so that its value must be a path or an intrinsic function in a string"
                yield Problem(here, message, hint="drop the .$ for a constant")


_TREES = ("any", "template")


def jsonata(machine: Machine) -> Iterator[Problem]:
    """Every JSONata expression can be read, and uses only what the service supports."""
    known: dict[str, ExpressionError | None] = {}
    for thing in machine.things:
        if thing.language == JSONPATH:
            continue
        allowed = fields_of(thing.kind, thing.language)
        for name, value in thing.body.items():
            if name in allowed and (allowed[name].expression or allowed[name].kind in _TREES):
                yield from _jsonata_tree(at(thing, name), value, known)


def _jsonata_tree(pointer: str, tree: Json, known: dict[str, ExpressionError | None]) -> Iterator[Problem]:
    waiting = [(pointer, tree)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, list):
            waiting.extend((f"{place}/{i}", item) for i, item in enumerate(value))
        elif isinstance(value, dict):
            waiting.extend((f"{place}/{escape(key)}", item) for key, item in value.items())
        elif is_expression(value) and not has_placeholder(value):
            if value not in known:
                known[value] = _jsonata_error(value)
            error = known[value]
            if error is not None:
                code = UNSUPPORTED_JSONATA if isinstance(error, UnsupportedExpression) else INVALID_JSONATA
                yield Problem(place, error.message, code, offset=error.position)


def _jsonata_error(text: str) -> ExpressionError | None:
    try:
        compile_tree(text, "expression")
    except ExpressionError as error:
        return error
    return None


# --- timestamps ----------------------------------------------------------------------------------------------------------

_RFC3339 = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)")
_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def timestamps(machine: Machine) -> Iterator[Problem]:
    """A constant timestamp is one by RFC 3339."""
    for thing in machine.of("Wait", "ChoiceRule"):
        allowed = fields_of(thing.kind, thing.language)
        for name, value in thing.body.items():
            if (
                name not in allowed
                or allowed[name].kind != "timestamp"
                or not isinstance(value, str)
                or has_placeholder(value)
            ):
                continue
            if thing.language != JSONPATH and value.startswith("{%"):
                continue
            if not is_timestamp(value):
                hint = "write it as 2024-08-18T17:33:00Z, with T, seconds and a zone"
                yield Problem(at(thing, name), "String does not match RFC3339 timestamp", hint=hint)


def is_timestamp(text: str) -> bool:
    """Tell whether `text` is an RFC 3339 timestamp that exists, to the nanosecond."""
    match = _RFC3339.fullmatch(text)
    if match is None:
        return False
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    if not (1 <= month <= 12 and hour <= 23 and minute <= 59 and second <= 59):
        return False
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 1 <= day <= (28 if month == 2 and not leap else _MONTHS[month - 1])


# --- resources -----------------------------------------------------------------------------------------------------------

_INTEGRATION = re.compile(r"arn:[^:]*:states:[^:]*:[^:]*:([^:]+):([^:.]+)(\.[^:]+)?(:\d+)?")
_PATTERNS = (".sync", ".waitForTaskToken")


def resources(machine: Machine) -> Iterator[Problem]:
    """A Task's resource is an ARN; an optimised integration exists. Account, region and partition are never judged."""
    for thing in machine.of("Task"):
        resource = thing.body.get("Resource")
        if not isinstance(resource, str) or has_placeholder(resource) or not resource:
            continue
        if not resource.startswith("arn:") or resource.count(":") < 5:
            hint = f"found {quoted(resource)}; an ARN looks like arn:aws:states:::lambda:invoke"
            yield Problem(at(thing, "Resource"), "Value is not a valid resource ARN", hint=hint)
            continue
        match = _INTEGRATION.fullmatch(resource)
        if match is not None and match.group(1) not in ("activity", "aws-sdk"):
            yield from _integration(thing, resource, match, machine)


def _integration(thing: Thing, resource: str, match: re.Match[str], machine: Machine) -> Iterator[Problem]:
    service, action, pattern = match.group(1), match.group(2), match.group(3)
    pointer = at(thing, "Resource")
    if service not in INTEGRATIONS:
        hint = (
            machine.hints.did_you_mean(service, INTEGRATIONS)
            or f"for any AWS API use arn:aws:states:::aws-sdk:{service}:{action}"
        )
        yield Problem(pointer, f'no optimised integration with "{service}" is known', "UNKNOWN_INTEGRATION", Severity.WARNING,
                      offset=match.start(1), hint=hint)  # fmt: skip
    elif action not in INTEGRATIONS[service]:
        message = (
            f"The resource provided {resource} is not recognized. The value is not a valid resource ARN, or the resource is not "
            "available in this region."
        )
        hint = (
            machine.hints.did_you_mean(action, INTEGRATIONS[service])
            or f"for any AWS API use arn:aws:states:::aws-sdk:{service}:{action}"
        )
        yield Problem(pointer, message, offset=match.start(2), hint=hint)
    if machine.workflow_type == "EXPRESS" and pattern in _PATTERNS:
        # AWS writes two spaces before the "at" that follows in the second text.
        space = " " if pattern == ".waitForTaskToken" else ""
        message = f"Express state machine does not support '{pattern}' service integration{space}"
        yield Problem(
            pointer, message, offset=match.start(3), hint="use a Standard workflow, or plain request and response"
        )


def item_readers(machine: Machine) -> Iterator[Problem]:
    """An ItemReader reads with one of the two S3 actions."""
    for thing in machine.of("ItemReader"):
        resource = thing.body.get("Resource")
        if isinstance(resource, str) and not has_placeholder(resource) and not resource.endswith(READERS):
            yield Problem(
                at(thing, "Resource"), f"an ItemReader cannot read with {resource}", hint="use " + " or ".join(READERS)
            )


# --- placeholders --------------------------------------------------------------------------------------------------------


def placeholders(machine: Machine) -> Iterator[Problem]:
    """Every `${Name}` that nothing has filled in is told once, at its first place; an error when the check is strict."""
    if "${" not in machine.document.text:
        return
    found: dict[str, tuple[str, int, int]] = {}
    waiting: list[tuple[str, Json]] = [("", machine.definition)]
    while waiting:
        pointer, value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend((f"{pointer}/{escape(key)}", inner) for key, inner in reversed(value.items()))
        elif isinstance(value, list):
            waiting.extend((f"{pointer}/{i}", value[i]) for i in reversed(range(len(value))))
        elif has_placeholder(value) and not value.startswith("{%"):
            for match in PLACEHOLDER.finditer(value):
                place, offset, count = found.get(match.group(1), (pointer, match.start(), 0))
                found[match.group(1)] = place, offset, count + 1
    severity = Severity.ERROR if machine.strict else Severity.WARNING
    for name, (pointer, offset, count) in found.items():
        times = "" if count == 1 else f", used {count} times"
        hint = "CloudFormation or SAM fills it in; give substitutions to try it here"
        yield Problem(
            pointer,
            f"the placeholder ${{{name}}} is not filled in{times}",
            PLACEHOLDER_CODE,
            severity,
            offset=offset,
            hint=hint,
        )
