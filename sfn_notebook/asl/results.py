"""What tasks, functions and ranges yield, as shapes: the facts that the analysis of the data flow starts from.

What an integration answers is the table `asl.answers`; of what a function returns nothing is known, but what it no longer saw.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from sfn_notebook.asl import shapes
from sfn_notebook.asl.answers import ANSWERS
from sfn_notebook.asl.shapes import ANYTHING, Listing, Maker, Object, Scalar, Shape, Unknown, either, look_up
from sfn_notebook.asl.substitutions import has_placeholder
from sfn_notebook.asl.topology import StateNode


def each(items: Shape) -> Shape:
    """Give the shape of one item of a list."""
    if isinstance(items, Listing):
        return either(items.items) if items.items else items.each
    if isinstance(items, shapes.Either):
        return either(each(way) for way in items.ways)
    return ANYTHING


_SCALARS = (
    "Format",
    "JsonToString",
    "UUID",
    "Base64Encode",
    "Base64Decode",
    "Hash",
    "MathAdd",
    "MathRandom",
    "ArrayLength",
)
_RANGE = re.compile(r"States\.ArrayRange\(\s*(-?\d+)\s*,\s*(-?\d+)\s*,\s*(-?\d+)\s*\)")
_DOTS = re.compile(r"\{%\s*\[\s*(-?\d+)\s*\.\.\s*(-?\d+)\s*\]\s*%\}")


_FIELDS: Mapping[str, Mapping[str, Shape]] = {
    action: dict.fromkeys(names, ANYTHING) for action, names in ANSWERS.items()
}
_MEASURES = {action: shapes.measure(fields) for action, fields in _FIELDS.items()}


def task_result(node: StateNode, given: Shape, payload: Shape | None) -> Shape:
    """Give what a task yields: for what it is given, or for what lambda:invoke is told to hand on."""
    resource = node.resource or ""
    if has_placeholder(resource) or ".waitForTaskToken" in resource:
        return ANYTHING if ".waitForTaskToken" in resource else _returned(node, given)
    action = resource.split(":states:::", 1)[1] if ":states:::" in resource else None
    if action is None:
        return _returned(node, given) if ":function:" in resource or ":activity:" in resource else ANYTHING
    if action not in ANSWERS:
        return ANYTHING
    fields, (depth, size) = _FIELDS[action], _MEASURES[action]
    does, advice = f'{action} in "{node.name}" answers with its own fields only', None
    if action == "lambda:invoke":
        if payload is None:
            payload = look_up(given, ("Payload",)).shape if isinstance(given, Object) else ANYTHING
        returned = _returned(node, payload)
        fields, depth = {**fields, "Payload": returned}, returned.depth
        does = f'lambda:invoke in "{node.name}" wraps what the function returns in Payload'
        advice = 'read $.Payload …, or unwrap it with "OutputPath": "$.Payload"'
    else:
        advice = 'keep the input with a ResultPath such as "$.answer", or null'
    return Object(fields, None, Maker(node.pointer, does, advice), measured=(depth, size))


def _returned(node: StateNode, given: Shape) -> Shape:
    """Give what a function returns: anything, but it remembers what data it no longer saw."""
    return Unknown(node.pointer, given) if shapes.is_lossy(given) else Unknown(node.pointer)


def intrinsic(text: str) -> Shape:
    """Give what an intrinsic function yields; a range of numbers that stand there is measured."""
    match = _RANGE.fullmatch(text)
    if match is not None:
        first, last, step = (int(part) for part in match.groups())
        return Listing(None, Scalar(), len(range(first, last + (1 if step > 0 else -1), step)) if step else 0)
    name = text[len("States.") :].partition("(")[0]
    if name in _SCALARS:
        return Scalar()
    return Listing() if name in ("Array", "ArrayPartition", "ArrayRange", "ArrayUnique", "StringSplit") else ANYTHING


def jsonata_range(text: str) -> Shape:
    """Give what a JSONata expression yields that is only a range of numbers; anything for another one."""
    match = _DOTS.fullmatch(text)
    if match is None:
        return ANYTHING
    first, last = int(match.group(1)), int(match.group(2))
    return Listing(None, Scalar(), max(0, last - first + 1))
