"""Rules that look inside strings: paths, reference paths, intrinsic functions, timestamps, resource ARNs, placeholders.

A problem here names the offending character, so that the caret stands below it and not below the whole string. A string with an
unresolved `${Name}` is not judged: what it will say is not known yet.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sfn_notebook.asl.fields import JSONPATH, fields_of
from sfn_notebook.asl.integrations import INTEGRATIONS, JOB_AS_JSON, NO_JOB, NO_TOKEN, REQUIRED
from sfn_notebook.asl.jsontext import escape
from sfn_notebook.asl.rule import Machine, Problem, Thing, at, near, quoted
from sfn_notebook.asl.substitutions import has_placeholder, leaves_open
from sfn_notebook.errors import ExpressionError, Severity
from sfn_notebook.lang.jsonata import (
    UnsupportedExpression,
    compile_jsonata,
    compile_tree,
    strip_expression,
    unsupported,
)
from sfn_notebook.lang.jsonpath import Path, compile_reference, several
from sfn_notebook.lang.template import compile_expression

BAD_EXPRESSION = "SCHEMA_VALIDATION_FAILED"
INVALID_JSONATA = "INVALID_JSONATA_EXPRESSION"
UNSUPPORTED_JSONATA = "UNSUPPORTED_JSONATA_EXPRESSION"


def expressions(machine: Machine) -> Iterator[Problem]:
    """Every JSONPath, reference path and intrinsic function can be read."""
    known: dict[tuple[str, str], ExpressionError | None] = {}
    for found in machine.texts:
        kind, text = found.kind, found.text
        if kind == "jsonata":
            continue
        if not isinstance(text, str):
            if kind == "expression":
                message = f"the field '{found.name}' ends in .$, so that its value must be a path or an intrinsic function in a string"
                yield Problem(found.pointer, message, hint="drop the .$ for a constant")
            continue
        if "${" in text and has_placeholder(text):
            continue
        if kind == "path" or (kind == "expression" and text.startswith("$")):
            path = machine.path(text)
            error = path if isinstance(path, ExpressionError) else None
        elif kind in ("single", "items"):
            error = _not_single(machine.path(text), kind)
        else:
            if (kind, text) not in known:
                known[kind, text] = _failure(kind, text)
            error = known[kind, text]
        if error is not None:
            message = f"{found.name}: {error.message}"
            yield Problem(found.pointer, message, BAD_EXPRESSION, offset=error.position, hint=_path_hint(text))


def _failure(kind: str, text: str) -> ExpressionError | None:
    try:
        if kind == "reference":
            compile_reference(text)
        else:
            compile_expression(text, "expression")
    except ExpressionError as error:
        return error
    except RecursionError:
        return ExpressionError("the expression is nested too deeply", text)
    return None


def _not_single(path: Path | ExpressionError, kind: str) -> ExpressionError | None:
    if isinstance(path, ExpressionError):
        return path
    if path.root == "$$" and kind == "single":
        return ExpressionError("this field cannot read the context object", path.text, 0)
    return several(path)


def _path_hint(text: str) -> str | None:
    if text.startswith("{%"):
        return 'a {% … %} expression needs "QueryLanguage": "JSONata"'
    return f'did you mean "$.{text}"?' if text.isidentifier() else None


def jsonata(machine: Machine) -> Iterator[Problem]:
    """Every JSONata expression can be read, and uses only what the service supports."""
    known: dict[str, Sequence[ExpressionError]] = {}
    for found in machine.texts:
        if found.kind != "jsonata" or leaves_open(found.text):
            continue
        if found.text not in known:
            known[found.text] = _jsonata_errors(found.text)
        for error in known[found.text]:
            code = UNSUPPORTED_JSONATA if isinstance(error, UnsupportedExpression) else INVALID_JSONATA
            yield Problem(found.pointer, error.message, code, offset=error.position)


def _jsonata_errors(text: str) -> Sequence[ExpressionError]:
    """Give what is wrong with an expression; where it reads names that there are not, each of them."""
    try:
        compile_jsonata(strip_expression(text))
    except ExpressionError:
        return _jsonata_errors_of(text)
    return ()


def _jsonata_errors_of(text: str) -> Sequence[ExpressionError]:
    """Compile once more, for the places in the whole string."""
    try:
        compile_tree(text, "expression")
    except UnsupportedExpression:
        expression = strip_expression(text)
        before = text.index(expression, 2)
        return [UnsupportedExpression(each.message, text, each.position + before) for each in unsupported(expression)]
    except ExpressionError as error:
        return (error,)
    return ()


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
_SDK_CALL = re.compile(r"arn:[^:]*:states:[^:]*:[^:]*:(aws-sdk):([^:]+:[^:.]+)(\.[^:]+)?(:\d+)?")
_NO_ARN = re.compile(r"(?!arn:[^:]*:[^:]+:[^:]*:[^:]*:)", re.DOTALL)
_LAMBDA_VERSION = re.compile(r":lambda:[^:]*:[^:]*:function:[^:]+(:(?![\w$<>{}-]+$)[^:]*$)", re.DOTALL)
MISSING_ARGUMENT = "MISSING_ARGUMENT"
SDK_SPELLING = "SDK_SPELLING"


_SURE = frozenset(f"arn:aws:states:::{service}:{action}" for service, found in INTEGRATIONS.items() for action in found)
"""What most tasks name; all others are looked at."""


def resources(machine: Machine) -> Iterator[Problem]:
    """A Task's resource is an ARN; an optimised integration exists. Account, region and partition are never judged."""
    for thing in machine.of("Task"):
        resource = thing.body.get("Resource")
        if not isinstance(resource, str) or "${" in resource or not resource or resource in _SURE:
            continue
        if _NO_ARN.match(resource):
            hint = f"found {quoted(resource)}; an ARN looks like arn:aws:states:::lambda:invoke"
            yield Problem(at(thing, "Resource"), "Value is not a valid resource ARN", hint=hint)
            continue
        version = _LAMBDA_VERSION.search(resource) if ":lambda:" in resource else None
        if version is not None:
            message, hint = (
                "Value is not a valid resource ARN",
                "behind the function stands a version or an alias, or nothing",
            )
            yield Problem(at(thing, "Resource"), message, offset=version.start(1), hint=hint)
            continue
        match = _INTEGRATION.fullmatch(resource) if ":states:" in resource else None
        if match is None:
            match = _SDK_CALL.fullmatch(resource) if ":aws-sdk:" in resource else None
        elif match.group(1) in ("activity", "aws-sdk"):
            continue
        else:
            yield from _integration(thing, resource, match, machine)
        if match is not None and (match.group(3) or match.group(4)):
            yield from _call_pattern(thing, resource, match)


def _integration(thing: Thing, resource: str, match: re.Match[str], machine: Machine) -> Iterator[Problem]:
    service, action = match.group(1), match.group(2)
    pointer = at(thing, "Resource")
    if service not in INTEGRATIONS:
        hint = (
            machine.hints.did_you_mean(service, INTEGRATIONS)
            or f"for any AWS API use arn:aws:states:::aws-sdk:{service}:{action}"
        )
        yield Problem(pointer, f'no optimised integration with "{service}" is known', "UNKNOWN_INTEGRATION", Severity.WARNING,
                      offset=match.start(1), hint=hint)  # fmt: skip
    elif action not in INTEGRATIONS[service]:
        hint = (
            machine.hints.did_you_mean(action, INTEGRATIONS[service])
            or f"for any AWS API use arn:aws:states:::aws-sdk:{service}:{action}"
        )
        yield Problem(pointer, _unrecognized(resource), offset=match.start(2), hint=hint)


def _unrecognized(resource: str) -> str:
    return (
        f"The resource provided {resource} is not recognized. The value is not a valid resource ARN, or the resource is not "
        "available in this region."
    )


_SUFFIXES = (".sync", ".waitForTaskToken")


def _call_pattern(thing: Thing, resource: str, match: re.Match[str]) -> Iterator[Problem]:
    """Tell of a suffix that the service does not have; one that nobody knows may be new, and is left alone."""
    service, action, suffix, version = match.groups()
    hint = None
    if suffix == ".sync" and service in NO_JOB:
        hint = f"{service} has no job that .sync could wait for; leave it out"
    elif suffix == ".waitForTaskToken" and service in NO_TOKEN:
        hint = f"{service} takes no task token; leave .waitForTaskToken out"
    elif suffix is not None and suffix not in _SUFFIXES:
        meant = near(suffix, _SUFFIXES)
        hint = f'did you mean "{meant}"?' if meant else None
    if hint is not None:
        yield Problem(at(thing, "Resource"), _unrecognized(resource), offset=match.start(3), hint=hint)
    elif version is not None and service in INTEGRATIONS and f"{service}:{action}" not in JOB_AS_JSON:
        hint = f"only {' and '.join(JOB_AS_JSON)} has .sync:2"
        yield Problem(at(thing, "Resource"), _unrecognized(resource), offset=match.start(4), hint=hint)


def sdk_spelling(machine: Machine) -> Iterator[Problem]:
    """A call of the AWS SDK is spelt as the service wants it: `s3:getObject` with `Bucket`."""
    for thing in machine.of("Task"):
        resource = thing.body.get("Resource")
        match = _SDK_CALL.fullmatch(resource) if isinstance(resource, str) and ":aws-sdk:" in resource else None
        if match is None or has_placeholder(resource):
            continue
        service, _, action = match.group(2).partition(":")
        right = f"{service.lower()}:{action[0].lower()}{action[1:]}"
        if right != match.group(2):
            message = f"the SDK integration {match.group(2)} is not known"
            hint = f"services are in lower case, actions in camel case: {right}"
            yield Problem(
                at(thing, "Resource"), message, SDK_SPELLING, Severity.WARNING, offset=match.start(2), hint=hint
            )
        yield from _sdk_keys(thing)


def _sdk_keys(thing: Thing) -> Iterator[Problem]:
    field = "Parameters" if thing.language == JSONPATH else "Arguments"
    given = thing.body.get(field)
    for key in given if isinstance(given, dict) else ():
        if key[:1].islower():
            message = f'the SDK integration has no parameter "{key}"'
            hint = f"parameters begin with a capital letter, whatever the service calls them: {key[0].upper()}{key[1:]}"
            pointer = f"{at(thing, field)}/{escape(key)}"
            yield Problem(pointer, message, SDK_SPELLING, Severity.WARNING, key=True, hint=hint)


def arguments(machine: Machine) -> Iterator[Problem]:
    """A call of an optimised integration has the arguments that AWS does not take it without."""
    for thing in machine.of("Task"):
        resource = thing.body.get("Resource")
        if isinstance(resource, str) and ":states:::" in resource:
            call = resource.partition(":states:::")[2].partition(".")[0]
            if call in REQUIRED:
                yield from _arguments(thing, REQUIRED[call])


def _arguments(thing: Thing, required: tuple[str, ...]) -> Iterator[Problem]:
    field = "Parameters" if thing.language == JSONPATH else "Arguments"
    if field not in thing.body:
        message = f"{field} field is required for resource ARN: {thing.body['Resource']}"
        hint = f"AWS refuses the call without {' and '.join(required)}"
        yield Problem(at(thing, "Resource"), message, MISSING_ARGUMENT, Severity.WARNING, hint=hint)
        return
    given = thing.body[field]
    if not isinstance(given, dict):
        return
    missing = [
        name for name in required if name not in given and not (thing.language == JSONPATH and f"{name}.$" in given)
    ]
    for name in missing:
        message = f"The field '{name}' is required but was missing"
        hint = "AWS refuses the call without it"
        close = near(name, given)
        if close is not None:
            hint = f'"{close}" looks like it'
        yield Problem(at(thing, field), message, MISSING_ARGUMENT, Severity.WARNING, key=True, hint=hint)
