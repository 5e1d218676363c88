"""CloudFormation placeholders in a definition: `${Name}`, filled in by DefinitionSubstitutions or Fn::Sub.

`substitute` fills in what a mapping gives and leaves the rest; `unresolved` lists what is left, with its place. `${!Literal}` stands
for the text `${Literal}` and is left as CloudFormation leaves it in a DefinitionString. The module works on text, so it knows
nothing of JSON beyond one thing: a value that lands inside a JSON string must be escaped, which is the caller's choice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from sfn_notebook.asl.jsontext import Lines
from sfn_notebook.errors import Json, Span

_ONE = r"[A-Za-z0-9_][A-Za-z0-9_.:\-]*"
_NAME = rf"({_ONE}(?:,{_ONE})*)\}}"
PLACEHOLDER = re.compile(r"\$\{" + _NAME)
"""A well-formed placeholder: a name, with the dots and colons of `Resource.Arn` and `AWS::Region`, or several with commas."""

NO_PLACEHOLDER = re.compile(rf"\$(?: \{{|\{{(?!{_NAME}))")
"""What begins like a placeholder and is none."""


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A placeholder that nothing has filled in."""

    name: str
    span: Span


def substitute(text: str, mapping: Mapping[str, Json], *, escape: bool = False) -> str:
    """Fill in the `${Name}` placeholders that `mapping` knows.

    Args:
        text: the definition's text.
        mapping: values by name; what is no string is written as JSON, so that `"${Seconds}"` needs no quotes of its own.
        escape: write string values as they must stand inside a JSON string.

    Example:
        >>> substitute('"Resource": "${Arn}"', {"Arn": "arn:aws:lambda:…"})
        '"Resource": "arn:aws:lambda:…"'
    """

    def fill(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in mapping:
            return match.group()
        value = mapping[name]
        if not isinstance(value, str):
            return json.dumps(value)
        return json.dumps(value, ensure_ascii=False)[1:-1] if escape else value

    return PLACEHOLDER.sub(fill, text)


def unresolved(text: str) -> tuple[Unresolved, ...]:
    """List the placeholders of `text`, in order, each with its place."""
    lines = Lines(text)
    return tuple(Unresolved(match.group(1), lines.span(*match.span())) for match in PLACEHOLDER.finditer(text))


def has_placeholder(value: Json) -> bool:
    """Tell whether `value` is a string that holds a well-formed placeholder, so that its final text is not known yet."""
    return isinstance(value, str) and "${" in value and PLACEHOLDER.search(value) is not None


def leaves_open(expression: str) -> bool:
    """Tell whether a JSONata expression has a placeholder outside of its strings, so that its meaning is not known yet.

    A slash may begin a regular expression with quotes in it; then any placeholder counts.
    """
    if not has_placeholder(expression):
        return False
    bare = _STRING.sub("", expression)
    return "/" in bare or has_placeholder(bare)


_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'', re.DOTALL)
