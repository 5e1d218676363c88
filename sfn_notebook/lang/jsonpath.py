"""Paths into JSON: compiled once to closures, with the semantics of the service.

Owns the grammar of paths (`$.a[0]`, `$$.Execution.Id`, `$variable.b`), their evaluation and the reference paths that write.
It knows nothing of fields and states. The service reads paths with Jayway's JsonPath, and so do we: a definite path gives the
one value or fails with Jayway's reason; an indefinite one (`..`, `*`, slices, filters, several indices) gives a list, which is
empty where there is nothing.

Nearly every path is a chain of keys and indices; a small scanner reads those and they become one closure of subscripts. The
others are cut into tokens, so that a mistake has a position, handed to jsonpath-ng in a spelling that it understands, and its
tree is turned into closures over lists of nodes: `jsonpath_nodes`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from sfn_notebook.errors import ExpressionError, Json
from sfn_notebook.lang.environment import (
    Environment,
    Evaluate,
    EvaluationFailure,
    PathFailure,
    ReferencePathFailure,
    compact,
)
from sfn_notebook.lang.jsonpath_nodes import compile_nodes
from sfn_notebook.lang.jsonpath_syntax import unescape

Keys: TypeAlias = tuple[str | int, ...]
Fail: TypeAlias = Callable[[Json, str], EvaluationFailure]
"""`(data, reason) -> failure`: what to raise where nothing is found; templates and functions have their own texts."""

MAX_PATH_LENGTH = 20_000

_ROOT = re.compile(r"\$(?:\$|[^\W\d]\w*)?")
_STEP = re.compile(
    r"""\.(?P<name>[^\s.\[\](){}'",*?@&|<>=!\\$`]+)(?!\()
      | \.?\[\s*(?:'(?P<single>(?:[^'\\]|\\.)*)'|"(?P<double>(?:[^"\\]|\\.)*)"|(?P<index>-?\d{1,9}))\s*\]""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Path:
    """A compiled path.

    Attributes:
        text: the path as written.
        definite: whether it names one node; otherwise it gives a list.
        root: `$`, `$$`, or the name of a state variable with its dollar sign.
        evaluate: gives the value, or raises PathFailure.
        keys: the keys and indices where the path is a plain chain, else None.
        bind: makes an `evaluate` that raises what the given function returns.
    """

    text: str
    definite: bool
    root: str
    evaluate: Evaluate
    keys: Keys | None
    bind: Callable[[Fail], Evaluate]

    @property
    def variable(self) -> str | None:
        """Give the name of the state variable that the path starts at, without the dollar sign."""
        return self.root[1:] if self.root not in ("$", "$$") else None


@dataclass(frozen=True, slots=True)
class ReferencePath:
    """A path that names exactly one node of the data, to read it and to write it.

    Attributes:
        text: the path as written.
        keys: its keys and indices.
        evaluate: gives the value, or raises PathFailure.
        put: `(base, value) -> base with value at the path`; copies along the path and changes nothing.
    """

    text: str
    keys: Keys
    evaluate: Evaluate
    put: Callable[[Json, Json], Json]


def compile_path(text: str) -> Path:
    """Compile a path of any kind.

    Raises:
        ExpressionError: the text is no path; `position` is where it stops being one.

    >>> compile_path("$.order.items[-1]").keys
    ('order', 'items', -1)
    """
    root, start = _root(text)
    keys = _scan_chain(text, start)
    if keys is not None:
        return _finish(text, root, _chain_binder(keys, root), keys)
    definite, select = compile_nodes(text, start)
    return _finish(text, root, _nodes_binder(select, root), None, definite=definite)


def compile_reference(text: str) -> ReferencePath:
    """Compile a path that may be written to, as in `ResultPath`.

    Raises:
        ExpressionError: the text is no path, or it could name several nodes, or it starts at a variable or the context.
    """
    path = compile_path(text)
    if path.root != "$":
        raise ExpressionError(f'a reference path starts with "$." or is "$", found "{text}"', text, 0)
    if path.keys is None or any(isinstance(key, int) and key < 0 for key in path.keys):
        position = _first_unusual(text)
        raise ExpressionError(
            f'a reference path names exactly one node with keys and indices from 0, found "{text}"', text, position
        )
    return ReferencePath(text, path.keys, path.evaluate, _putter(text, path.keys))


def several(path: Path) -> ExpressionError | None:
    """Give the error of a path that may name several nodes where only one can be meant; None where it names one."""
    if path.definite:
        return None
    message = f'a reference path names exactly one node, found "{_shown(path.text)}"'
    return ExpressionError(message, path.text, _first_unusual(path.text))


def chain(path: Path) -> Keys | None:
    """Give the keys of a plain chain below `$`, else None; such a path can be followed by subscripts alone."""
    return path.keys if path.root == "$" else None


def normal(keys: Keys) -> str:
    """Write keys the way that the service quotes paths: `$['a'][0]`."""
    return "$" + "".join(f"[{key}]" if isinstance(key, int) else f"['{key}']" for key in keys)


def _root(text: str) -> tuple[str, int]:
    if not isinstance(text, str):
        raise ExpressionError(f"a path is a text that starts with $, found {type(text).__name__}")
    if len(text) > MAX_PATH_LENGTH:
        raise ExpressionError(
            f"a path of {len(text)} characters is longer than {MAX_PATH_LENGTH}", text, MAX_PATH_LENGTH
        )
    match = _ROOT.match(text)
    if match is None:
        raise ExpressionError(f'a path starts with $, found "{_shown(text)}"', text, 0)
    return match[0], match.end()


def _scan_chain(text: str, position: int) -> Keys | None:
    keys: list[str | int] = []
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None:
            return None
        position = match.end()
        if match["name"] is not None:
            keys.append(match["name"])
        elif match["index"] is not None:
            keys.append(int(match["index"]))
        else:
            keys.append(unescape(match["single"] if match["single"] is not None else match["double"]))
    return tuple(keys)


def _first_unusual(text: str) -> int:
    position = _root(text)[1]
    while (match := _STEP.match(text, position)) and not (match["index"] or "").startswith("-"):
        position = match.end()
    return position


def _shown(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"


def _finish(
    text: str, root: str, bind: Callable[[Fail], Evaluate], keys: Keys | None, *, definite: bool = True
) -> Path:
    def fail(_data: Json, reason: str) -> PathFailure:
        return PathFailure(text, reason)

    return Path(text, definite, root, bind(fail), keys, bind)


# Reading


def _chain_binder(keys: Keys, root: str) -> Callable[[Fail], Evaluate]:
    def bind(fail: Fail) -> Evaluate:
        if root == "$":
            return _chain_from_data(keys, fail)
        if root == "$$":
            return _chain_from_context(keys, fail)
        return _chain_from_variable(root[1:], keys, fail)

    return bind


def _chain_from_data(keys: Keys, fail: Fail) -> Evaluate:
    if not keys:
        return _whole
    if all(isinstance(key, str) for key in keys):
        if len(keys) == 1:
            return _one_key(keys[0], fail)
        if len(keys) == 2:
            return _two_keys(keys[0], keys[1], fail)
        return _names(keys, fail)
    return _many_keys(keys, fail)


def _whole(data: Json, _environment: Environment) -> Json:
    return data


def _one_key(key: Json, fail: Fail) -> Evaluate:
    def evaluate(data: Json, _environment: Environment) -> Json:
        try:
            return data[key]
        except (KeyError, TypeError):
            raise fail(data, _reason((key,), data)) from None

    return evaluate


def _two_keys(first: Json, second: Json, fail: Fail) -> Evaluate:
    def evaluate(data: Json, _environment: Environment) -> Json:
        try:
            return data[first][second]
        except (KeyError, TypeError):
            raise fail(data, _reason((first, second), data)) from None

    return evaluate


def _names(keys: Keys, fail: Fail) -> Evaluate:
    def evaluate(data: Json, _environment: Environment) -> Json:
        value = data
        try:
            for key in keys:
                value = value[key]
        except (KeyError, TypeError):
            raise fail(data, _reason(keys, data)) from None
        return value

    return evaluate


def _many_keys(keys: Keys, fail: Fail) -> Evaluate:
    def evaluate(data: Json, _environment: Environment) -> Json:
        try:
            return _follow(keys, data)
        except (LookupError, TypeError):
            raise fail(data, _reason(keys, data)) from None

    return evaluate


def _chain_from_context(keys: Keys, fail: Fail) -> Evaluate:
    def evaluate(data: Json, environment: Environment) -> Json:
        context = environment.context()
        try:
            return _follow(keys, context)
        except (LookupError, TypeError):
            raise fail(data, _reason(keys, context)) from None

    return evaluate


def _chain_from_variable(name: str, keys: Keys, fail: Fail) -> Evaluate:
    def evaluate(data: Json, environment: Environment) -> Json:
        variables = environment.variables
        if name not in variables:
            raise fail(data, f"No results for path: {normal((name,))}")
        value = variables[name]
        try:
            return _follow(keys, value)
        except (LookupError, TypeError):
            raise fail(data, _reason(keys, value)) from None

    return evaluate


def _follow(keys: Keys, value: Json) -> Json:
    for key in keys:
        if key.__class__ is int and not isinstance(value, list):
            raise TypeError
        value = value[key]
    return value


def _reason(keys: Keys, value: Json) -> str:
    """Say in Jayway's words why the chain `keys` finds nothing in `value`."""
    for depth, key in enumerate(keys):
        if isinstance(key, int):
            if value is None:
                return f"The path {normal(keys[:depth])} is null"
            if not isinstance(value, list):
                return f"Filter: [{key}] can only be applied to arrays. Current context is: {compact(value)}"
            if not -len(value) <= key < len(value):
                break
        elif not isinstance(value, dict):
            return (
                f"Expected to find an object with property ['{key}'] in path {normal(keys[:depth])} but found"
                f" '{_java_class(value)}'. This is not a json object according to the JsonProvider:"
                " 'com.jayway.jsonpath.spi.json.JacksonJsonProvider'."
            )
        elif key not in value:
            missing_parent = depth + 1 < len(keys)
            return f"Missing property in path {normal(keys[: depth + 1])}" if missing_parent else _no_results(keys)
        value = value[key]
    return _no_results(keys)


def _no_results(keys: Keys) -> str:
    return f"No results for path: {normal(keys)}"


def _java_class(value: Json) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "java.lang.Boolean"
    if isinstance(value, int):
        return "java.lang.Integer" if -(2**31) <= value < 2**31 else "java.lang.Long"
    return {float: "java.lang.Double", str: "java.lang.String"}.get(type(value), "java.util.ArrayList")


def _nodes_binder(select: Callable[[Json], Json], root: str) -> Callable[[Fail], Evaluate]:
    """Bind an evaluator of jsonpath_nodes, which raises LookupError with the reason where a definite path finds nothing."""
    origin = _chain_binder((), root)

    def bind(fail: Fail) -> Evaluate:
        start = origin(fail)

        def evaluate(data: Json, environment: Environment) -> Json:
            try:
                return select(start(data, environment))
            except LookupError as missing:
                raise fail(data, str(missing.args[0])) from None

        return evaluate

    return bind


# Writing


def _putter(text: str, keys: Keys) -> Callable[[Json, Json], Json]:
    if not keys:
        return lambda _base, value: value
    if len(keys) == 1 and isinstance(keys[0], str):
        return _put_one(text, keys[0])
    if len(keys) == 2 and isinstance(keys[0], str) and isinstance(keys[1], str):
        return _put_two(text, keys[0], keys[1])
    return _put_many(text, keys)


def _put_one(text: str, key: str) -> Callable[[Json, Json], Json]:
    def put(base: Json, value: Json) -> Json:
        if not isinstance(base, dict):
            raise _conflict(text, base)
        written = base.copy()
        written[key] = value
        return written

    return put


def _put_two(text: str, first: str, second: str) -> Callable[[Json, Json], Json]:
    def put(base: Json, value: Json) -> Json:
        if not isinstance(base, dict):
            raise _conflict(text, base)
        inner = base.get(first, _NOTHING)
        if not isinstance(inner, dict):
            raise _conflict(text, base)
        written, below = base.copy(), inner.copy()
        below[second] = value
        written[first] = below
        return written

    return put


_NOTHING: dict[str, Json] = {}


def _put_many(text: str, keys: Keys) -> Callable[[Json, Json], Json]:
    def put(base: Json, value: Json) -> Json:
        parents: list[Json] = []
        node: Json = base
        for key in keys:
            if isinstance(key, str) and isinstance(node, dict):
                parents.append(node)
                node = node.get(key, _NOTHING)
            elif isinstance(key, int) and isinstance(node, list) and key < len(node):
                parents.append(node)
                node = node[key]
            else:
                raise _conflict(text, base)
        for parent, key in zip(reversed(parents), reversed(keys), strict=True):
            written = parent.copy()
            written[key] = value
            value = written
        return value

    return put


def _conflict(text: str, base: Json) -> ReferencePathFailure:
    return ReferencePathFailure(text, f"Unable to apply ReferencePath {text} to input {compact(base)}")
