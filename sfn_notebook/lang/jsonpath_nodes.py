"""Paths that are more than a chain of keys: `..`, `*`, slices, several keys, filters.

Owns the way from jsonpath-ng's tree to closures over lists of nodes. jsonpath-ng is never asked to evaluate: its semantics
differ from Jayway's (a filter applies to an object too, several keys at the end give one merged object), and a closure is many
times faster.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from sfn_notebook.errors import ExpressionError, Json
from sfn_notebook.lang.jsonpath_syntax import IN, MATCHES, NOT_IN, read_path
from sfn_notebook.lang.values import is_number, json_equal

Nodes: TypeAlias = list[Json]
Step: TypeAlias = Callable[[Nodes, Json], Nodes]
Test: TypeAlias = Callable[[Json, Json], bool]
Select: TypeAlias = Callable[[Json], Json]

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def compile_nodes(text: str, start: int) -> tuple[bool, Select]:
    """Compile what follows the root of the path `text`, from offset `start`.

    Returns:
        Whether the path is definite, and `root -> value`, which raises LookupError with the reason where a definite path
        finds nothing.

    Raises:
        ExpressionError: the text is no path.
    """
    tree, measured = read_path(text, start)
    try:
        definite, select = _compile(tree, text, start)
    except RecursionError:
        raise ExpressionError("this path is nested too deeply", text, start) from None
    if not measured:
        return definite, select
    if not definite:
        raise ExpressionError('"length()" needs a path to one array', text, start)
    return True, _measure(select)


# From the tree to closures


def _compile(tree: Any, text: str, start: int) -> tuple[bool, Select]:
    """Compile a path that starts at the root of the data."""
    origin, links = _links(tree, text, start)
    if origin != "Root":
        raise ExpressionError("a path starts with $", text, start)
    definite = all(_is_definite(link, last=link is links[-1]) for link in links)
    steps = [_step(kind, node, text, start, last=node is links[-1][1]) for kind, node in links]

    def select(root: Json) -> Json:
        nodes = [root]
        for step in steps:
            nodes = step(nodes, root)
        if not definite:
            return nodes
        if not nodes:
            raise LookupError(f"No results for path: ${text[start:]}")
        return nodes[0]

    return definite, select


Link: TypeAlias = tuple[str, Any]
"""How a node of the tree hangs on the one before it (`Child` or `Descendants`), and the node."""


def _links(tree: Any, text: str, start: int) -> tuple[str, list[Link]]:
    links: list[Link] = []
    while (kind := type(tree).__name__) in ("Child", "Descendants"):
        links.append((kind, tree.right))
        tree = tree.left
    if kind not in ("Root", "This"):
        raise ExpressionError("a path in a filter starts with @ or $ and stands left of the operator", text, start)
    return kind, links[::-1]


def _is_definite(link: Link, *, last: bool) -> bool:
    kind, node = link
    if kind != "Child":
        return False
    match type(node).__name__:
        case "Fields":
            return node.fields != ("*",) and (last or len(node.fields) == 1)
        case "Index":
            return len(_indices(node)) == 1
    return False


def _indices(node: Any) -> tuple[int, ...]:
    return tuple(node.indices) if hasattr(node, "indices") else (node.index,)


def _step(kind: str, node: Any, text: str, start: int, *, last: bool) -> Step:
    name = type(node).__name__
    everywhere = kind == "Descendants"
    step: Step
    if name == "Wildcard" or (name == "Fields" and node.fields == ("*",)):
        step = _children
    elif name == "Fields" and len(node.fields) == 1:
        step = _field(node.fields[0])
    elif name == "Fields":
        step = _merged(tuple(node.fields)) if last else _not_a_leaf(tuple(node.fields))
    elif name == "Index":
        step = _items(_indices(node))
    elif name == "Slice":
        if node.step == 0:
            raise ExpressionError("the step of a slice is not 0", text, start)
        step = _slice(slice(node.start, node.end, node.step))
    elif name == "Filter":
        test = _all([_test(expression, text, start) for expression in node.expressions])
        step = _filter(test, lists=not everywhere)
    else:
        raise ExpressionError(f'paths have no "{name}"', text, start)
    return _everywhere(step) if everywhere else step


def _children(nodes: Nodes, _root: Json) -> Nodes:
    found: Nodes = []
    for node in nodes:
        if isinstance(node, dict):
            found.extend(node.values())
        elif isinstance(node, list):
            found.extend(node)
    return found


def _field(name: str) -> Step:
    return lambda nodes, _root: [node[name] for node in nodes if isinstance(node, dict) and name in node]


def _merged(names: tuple[str, ...]) -> Step:
    return lambda nodes, _root: [
        {name: node[name] for name in names if name in node} for node in nodes if isinstance(node, dict)
    ]


def _not_a_leaf(names: tuple[str, ...]) -> Step:
    quoted = ", ".join(f"'{name}'" for name in names)

    def step(_nodes: Nodes, _root: Json) -> Nodes:
        raise LookupError(f"Multi properties can only be used as path leafs: $[{quoted}]")

    return step


def _items(indices: tuple[int, ...]) -> Step:
    return lambda nodes, _root: [
        node[index] for node in nodes if isinstance(node, list) for index in indices if -len(node) <= index < len(node)
    ]


def _slice(part: slice) -> Step:
    return lambda nodes, _root: [item for node in nodes if isinstance(node, list) for item in node[part]]


def _filter(test: Test, *, lists: bool) -> Step:
    """Keep what passes: the items of a list, or an object itself, as Jayway does."""

    def step(nodes: Nodes, root: Json) -> Nodes:
        found: Nodes = []
        for node in nodes:
            if isinstance(node, dict):
                if test(node, root):
                    found.append(node)
            elif lists and isinstance(node, list):
                found.extend(item for item in node if test(item, root))
        return found

    return step


def _everywhere(step: Step) -> Step:
    return lambda nodes, root: [found for node in nodes for below in _walk(node) for found in step([below], root)]


def _walk(node: Json) -> Iterator[Json]:
    """Give the containers at and below `node`, each before what it holds."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting.extend(reversed(node.values()))
        elif isinstance(node, list):
            yield node
            waiting.extend(reversed(node))


def _measure(select: Select) -> Select:
    def length(root: Json) -> Json:
        value = select(root)
        if not isinstance(value, list | dict):
            raise LookupError("length() needs an array")
        return len(value)

    return length


# Filters


def _test(expression: Any, text: str, start: int) -> Test:
    name = type(expression).__name__
    if name in ("And", "Or"):
        tests = [_test(part, text, start) for part in expression.operands]
        return _all(tests) if name == "And" else _any(tests)
    if name != "Expression":
        raise ExpressionError(f'filters have no "{name}"', text, start)
    left = _operand(expression.target, text, start)
    if expression.op is None:
        return lambda node, root: bool(left(node, root))
    if expression.op == "!":
        return lambda node, root: not left(node, root)
    compare = _comparison(expression.op, expression.value, text, start)
    if type(expression.value).__name__ in ("Child", "Descendants", "Root", "This"):
        right = _operand(expression.value, text, start)
        return lambda node, root: compare(left(node, root), right(node, root))
    field = _own_field(expression.target)
    if field is not None:
        return _field_test(
            field, _constant_test(expression.op, expression.value, compare), compare([], [expression.value])
        )
    constant = [expression.value]
    return lambda node, root: compare(left(node, root), constant)


def _own_field(target: Any) -> str | None:
    """Give `name` where the target is `@.name`, the case that filters in practice consist of."""
    if type(target).__name__ != "Child" or type(target.left).__name__ != "This":
        return None
    fields: list[str] = list(target.right.fields) if type(target.right).__name__ == "Fields" else []
    return fields[0] if len(fields) == 1 and fields[0] != "*" else None


def _field_test(name: str, holds: Callable[[Json], bool], if_missing: object) -> Test:
    otherwise = bool(if_missing)

    def test(node: Json, _root: Json) -> bool:
        if isinstance(node, dict) and name in node:
            return holds(node[name])
        return otherwise

    return test


def _constant_test(sign: str, constant: Json, compare: Callable[[Nodes, Nodes], bool]) -> Callable[[Json], bool]:
    if sign == "==" and isinstance(constant, str):
        return lambda value: bool(value == constant)
    if sign == "==" and is_number(constant):
        return lambda value: bool(value == constant) and not isinstance(value, bool)
    constants = [constant]
    return lambda value: compare([value], constants)


def _all(tests: list[Test]) -> Test:
    return tests[0] if len(tests) == 1 else lambda node, root: all(test(node, root) for test in tests)


def _any(tests: list[Test]) -> Test:
    return lambda node, root: any(test(node, root) for test in tests)


def _operand(tree: Any, text: str, start: int) -> Callable[[Json, Json], Nodes]:
    """Compile a path in a filter; it gives one value in a list, or an empty list where a definite path finds nothing."""
    origin, links = _links(tree, text, start)
    definite = all(_is_definite(link, last=link is links[-1]) for link in links)
    steps = [_step(kind, node, text, start, last=node is links[-1][1]) for kind, node in links]
    from_root = origin == "Root"

    def operand(node: Json, root: Json) -> Nodes:
        nodes = [root if from_root else node]
        for step in steps:
            nodes = step(nodes, root)
        return nodes if definite or not nodes else [nodes]

    return operand


def _comparison(sign: str, value: Any, text: str, start: int) -> Callable[[Nodes, Nodes], bool]:
    if sign in ("==", "="):
        return _equal
    if sign == "!=":
        return lambda left, right: not _equal(left, right)
    if sign in _COMPARE:
        return _ordered(_COMPARE[sign])
    if sign == "=~" and isinstance(value, str):
        if value.startswith((IN, NOT_IN)):
            return _member(value)
        return _matching(value.removeprefix(MATCHES), text, start)
    raise ExpressionError(f'filters have no operator "{sign}"', text, start)


def _equal(left: Nodes, right: Nodes) -> bool:
    return bool(left) and bool(right) and json_equal(left[0], right[0])


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Nodes, Nodes], bool]:
    def ordered(left: Nodes, right: Nodes) -> bool:
        if not left or not right:
            return False
        a, b = left[0], right[0]
        return ((is_number(a) and is_number(b)) or (isinstance(a, str) and isinstance(b, str))) and compare(a, b)

    return ordered


def _member(value: str) -> Callable[[Nodes, Nodes], bool]:
    wanted = value.startswith(IN)
    items: Nodes = json.loads(value.removeprefix(IN).removeprefix(NOT_IN))

    def member(left: Nodes, _right: Nodes) -> bool:
        return (bool(left) and any(json_equal(left[0], item) for item in items)) is wanted

    return member


def _matching(pattern: str, text: str, start: int) -> Callable[[Nodes, Nodes], bool]:
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise ExpressionError(f"not a regular expression: {error}", text, start) from None
    return lambda left, _right: bool(left) and isinstance(left[0], str) and compiled.fullmatch(left[0]) is not None
