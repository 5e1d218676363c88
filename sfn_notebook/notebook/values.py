"""What a data argument of a magic stands for: a Python variable, the content of a file, or JSON.

Without quotes: `@file` is the JSON in a file; `{…}`, `[…]`, a number, `true`, `false` and `null` are JSON; anything else is a Python
variable, also `order.items[0]` or `orders["o-1"]`. In quotes: an object, an array or `@file` is read as if there were no quotes, as
in a shell; anything else is text. Variables are looked up, never evaluated: no calls, no operators.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any

from sfn_notebook.errors import CommandError, RunError
from sfn_notebook.notebook.arguments import did_you_mean, is_quoted, unquoted

_JSON_WORDS = {"None": "null", "True": "true", "False": "false"}
_JSON_START = re.compile(r"[{\[\"]|-?\d|(?:true|false|null)$|-?(?:NaN|Infinity)$")


def read_value(word: str, variables: Mapping[str, Any], option: str = "--input") -> Any:
    """Give the value that a data argument stands for.

    Args:
        word: the argument as it was written, with its quotes.
        variables: the user's namespace.
        option: how to name the argument in messages.

    Raises:
        CommandError: no variable of that name, or no JSON.
        RunError: a file cannot be read, or what should be JSON is not.
    """
    from sfn_notebook.api.verbs import read_data
    from sfn_notebook.strictjson import parse_json

    content = unquoted(word)
    if is_quoted(word):
        if content[:1] not in ("{", "[", "@", '"'):
            return content
        if content[:1] == '"':
            return parse_json(content, option)
    if content.startswith("@"):
        return read_data(content, option)
    if not _JSON_START.match(content):
        return read_variable(content, variables, option)
    try:
        return parse_json(content, option)
    except RunError as error:
        raise RunError(f"{error}{_json_hint(content, str(error), option)}") from None


def _json_hint(content: str, message: str, option: str) -> str:
    """Help with what looks like Python."""
    try:
        ast.literal_eval(content)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        if "'" not in content and "property name" not in message:
            return ""
        return (
            f"\nJSON needs double quotes around names and texts; a Python value goes into a variable: {option} VARIABLE"
        )
    return f"\nthis is Python, not JSON: put it into a variable and give its name, as in {option} VARIABLE"


def read_variable(expression: str, variables: Mapping[str, Any], option: str) -> Any:
    """Look up `name`, `name.attribute`, `name[0]` or `name["key"]`, in any depth.

    Raises:
        CommandError: it is something else, or there is no such thing.
    """
    try:
        tree = ast.parse(expression, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise CommandError(f"{option} {_wanted(expression)}") from None
    try:
        return _looked_up(tree, variables, option)
    except (AttributeError, LookupError, TypeError) as error:
        raise CommandError(f"{option}: {expression} leads nowhere: {type(error).__name__}: {error}") from None


def _wanted(expression: str) -> str:
    return (
        f"takes a Python variable, @file or JSON, but found {expression[:100]!r}; "
        "for a text write it in quotes, for a calculated value assign it to a variable first"
    )


def _looked_up(tree: ast.expr, variables: Mapping[str, Any], option: str) -> Any:
    if isinstance(tree, ast.Name):
        if tree.id in variables:
            return variables[tree.id]
        known = [name for name in variables if not name.startswith("_")]
        close = did_you_mean(tree.id, known)
        raise CommandError(f"{option}: there is no variable {tree.id!r}{close}; JSON, @file or text in quotes work too")
    if isinstance(tree, ast.Attribute):
        return getattr(_looked_up(tree.value, variables, option), tree.attr)
    if isinstance(tree, ast.Subscript):
        return _looked_up(tree.value, variables, option)[_constant(tree.slice, option)]
    if isinstance(tree, ast.Constant) and str(tree.value) in _JSON_WORDS:
        raise CommandError(f"{option}: JSON writes {tree.value!r} as {_JSON_WORDS[str(tree.value)]}")
    raise CommandError(f"{option} {_wanted(ast.unparse(tree))}")


def _constant(tree: ast.expr, option: str) -> Any:
    try:
        return ast.literal_eval(tree)
    except ValueError:
        raise CommandError(f"{option} {_wanted(ast.unparse(tree))}") from None
