"""From the tree of an expression to one closure: everything except paths, which `paths` compiles.

Each node becomes `node(item, frame, depth)`: `item` is the context item (`$`), `frame` the scope. Undefined is `UNDEFINED`.
What can be decided from the tree is decided here once. Children are evaluated at `depth + 1`; a node that has children
refuses to go deeper than the service does, and steps are counted where something can repeat. The semantics are those of
JSONata 2.0.6 with the service's arithmetic: `1/0` is a number here and the text "Infinity" in the result.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from sfn_notebook.lang.jsonata.failures import JsonataError
from sfn_notebook.lang.jsonata.runtime import DEPTH, Call, Frame, Lambda, Native, Node, Thunk, apply, too_deep
from sfn_notebook.lang.jsonata.syntax import Tree, signature
from sfn_notebook.lang.jsonata.values import (
    UNDEFINED, Array, Function, Sequence, Value, double, equal, is_number, less, number, stringify,
    truthy, unwrap,
)  # fmt: skip

Compile = Callable[[Tree], Node]


class Compiler:
    """Compiles trees; `builtins` are the functions that every expression sees, unless a variable hides them."""

    def __init__(self, builtins: Mapping[str, Native]) -> None:
        from sfn_notebook.lang.jsonata.paths import Paths  # the two call each other

        self.builtins = builtins
        self.paths = Paths(self)
        self._kinds: dict[str, Compile] = {
            "path": self.paths.path,
            "name": self.paths.name,
            "wildcard": self.paths.wildcard,
            "descendant": self.paths.descendants,
            "parent": self.paths.parent,
            "string": self._literal,
            "number": self._literal,
            "value": self._literal,
            "regex": self._literal,
            "variable": self._variable,
            "binary": self._binary,
            "unary": self._unary,
            "condition": self._condition,
            "block": self._block,
            "bind": self._bind,
            "function": self._function,
            "lambda": self._lambda,
            "partial": self._partial,
            "apply": self._chain,
            "transform": self._transform,
        }

    def compile(self, tree: Tree) -> Node:
        """Compile one node with what hangs on it: predicates, grouping, and the unwrapping of its result."""
        node = self._kinds[tree.type](tree)
        filters = [self.paths.filter(stage.expr) for stage in tree.predicate or ()]
        group = self.paths.group(tree.group) if tree.group is not None and tree.type != "path" else None
        if not filters and group is None:
            return node if tree.type in _PLAIN else _unwrapping(node, keep=bool(tree.keep_array))

        def decorated(item: Value, frame: Frame, depth: int) -> Value:
            value = node(item, frame, depth)
            for keep_if in filters:
                value = keep_if(value, frame, depth)
            return value if group is None else group(value, frame, depth)

        return _unwrapping(decorated, keep=bool(tree.keep_array))

    def _literal(self, tree: Tree) -> Node:
        value = tree.value
        return lambda item, frame, depth: value

    def _variable(self, tree: Tree) -> Node:
        name = str(tree.value)
        if not name:
            return lambda item, frame, depth: item
        fallback = self.builtins.get(name, UNDEFINED)

        def look_up(item: Value, frame: Frame, depth: int) -> Value:
            scope: Frame | None = frame
            while scope is not None:
                names = scope.names
                if name in names:
                    return names[name]
                scope = scope.parent
            return fallback

        return look_up

    def _binary(self, tree: Tree) -> Node:
        symbol = str(tree.value)
        left, right = self.compile(tree.lhs), self.compile(tree.rhs)
        if symbol in {"and", "or"}:
            return _logical(symbol, left, right)
        if symbol == "..":
            return _range(left, right)
        work = _OPERATORS[symbol]

        def node(item: Value, frame: Frame, depth: int) -> Value:
            if depth >= DEPTH:
                too_deep()
            return work(left(item, frame, depth + 1), right(item, frame, depth + 1), frame)

        return node

    def _unary(self, tree: Tree) -> Node:
        if tree.value == "[":
            return self._array(tree)
        if tree.value == "{":
            return self.paths.object(tree)
        operand = self.compile(tree.expression)

        def negate(item: Value, frame: Frame, depth: int) -> Value:
            if depth >= DEPTH:
                too_deep()
            value = operand(item, frame, depth + 1)
            if value is UNDEFINED:
                return UNDEFINED
            if not is_number(value):
                raise JsonataError("D1002", token="-", value=value)
            return number(-value)

        return negate

    def _array(self, tree: Tree) -> Node:
        parts = [(self.compile(part), str(part.value) == "[") for part in tree.expressions]
        cons = bool(tree.consarray)

        def array(item: Value, frame: Frame, depth: int) -> Value:
            if depth >= DEPTH and parts:
                too_deep()
            result = Array()
            for node, nested in parts:
                value = node(item, frame, depth + 1)
                if value is UNDEFINED:
                    continue
                if nested or not isinstance(value, list):
                    result.append(value)
                else:
                    result.extend(value)
            frame.run.hold(8 * len(result))
            if cons:
                result.cons = True
            return result

        return array

    def _condition(self, tree: Tree) -> Node:
        test, then = self.compile(tree.condition), self.compile(tree.then)
        otherwise = self.compile(tree._else) if tree._else is not None else None  # noqa: SLF001 - the library's name

        def condition(item: Value, frame: Frame, depth: int) -> Value:
            if depth >= DEPTH:
                too_deep()
            if truthy(test(item, frame, depth + 1)):
                return then(item, frame, depth + 1)
            return UNDEFINED if otherwise is None else otherwise(item, frame, depth + 1)

        return condition

    def _block(self, tree: Tree) -> Node:
        parts = [self.compile(part) for part in tree.expressions]

        def block(item: Value, frame: Frame, depth: int) -> Value:
            if depth >= DEPTH:
                too_deep()
            scope = frame.inner({})
            result: Value = UNDEFINED
            for part in parts:
                result = part(item, scope, depth + 1)
            return result

        return block

    def _bind(self, tree: Tree) -> Node:
        name, source = str(tree.lhs.value), self.compile(tree.rhs)

        def bind(item: Value, frame: Frame, depth: int) -> Value:
            if depth >= DEPTH:
                too_deep()
            value = frame.names[name] = source(item, frame, depth + 1)
            return value

        return bind

    def _call(self, tree: Tree) -> Callable[[Value, Frame, int, list[Value]], Value]:
        """Compile a call; the last argument of the result holds values to pass before the written ones."""
        procedure = self.compile(tree.procedure)
        arguments = [self.compile(argument) for argument in tree.arguments]
        name = _called_name(tree.procedure)
        bare = self._variable(tree.procedure.steps[0]) if tree.procedure.type == "path" else None

        def call(item: Value, frame: Frame, depth: int, first: list[Value]) -> Value:
            if depth >= DEPTH:
                too_deep()
            function = procedure(item, frame, depth + 1)
            if function is UNDEFINED and bare is not None and bare(item, frame, depth) is not UNDEFINED:
                raise JsonataError("T1005", token=name)
            values = first + [argument(item, frame, depth + 1) for argument in arguments]
            try:
                return apply(function, values, item, frame.run, depth)
            except JsonataError as error:
                if error.token is None:
                    error.token = name
                raise

        return call

    def _function(self, tree: Tree) -> Node:
        call = self._call(tree)
        return lambda item, frame, depth: call(item, frame, depth, [])

    def _chain(self, tree: Tree) -> Node:
        source = self.compile(tree.lhs)
        if tree.rhs.type == "function":
            call = self._call(tree.rhs)

            def pass_first(item: Value, frame: Frame, depth: int) -> Value:
                if depth >= DEPTH:
                    too_deep()
                return call(item, frame, depth, [source(item, frame, depth + 1)])

            return pass_first
        target = self.compile(tree.rhs)

        def chain(item: Value, frame: Frame, depth: int) -> Value:
            if depth >= DEPTH:
                too_deep()
            value = source(item, frame, depth + 1)
            function = target(item, frame, depth + 1)
            if not isinstance(function, Function):
                raise JsonataError("T2006")
            if isinstance(value, Function):
                return Native(partial(_compose, value, function), "x", needs_call=True)
            return apply(function, [value], UNDEFINED, frame.run, depth)

        return chain

    def _lambda(self, tree: Tree) -> Node:
        if tree.thunk:
            procedure = self.compile(tree.body.procedure)
            arguments = [self.compile(argument) for argument in tree.body.arguments]
            return lambda item, frame, depth: Thunk(procedure, arguments, item, frame)
        names = [str(argument.value) for argument in tree.arguments]
        body, declared = self.compile(tree.body), signature(tree)
        return lambda item, frame, depth: Lambda(names, body, item, frame, declared)

    def _partial(self, tree: Tree) -> Node:
        procedure, name = self.compile(tree.procedure), _called_name(tree.procedure)
        bare = self._variable(tree.procedure.steps[0]) if tree.procedure.type == "path" else None
        parts = [None if part.type == "operator" else self.compile(part) for part in tree.arguments]

        def apply_partially(item: Value, frame: Frame, depth: int) -> Value:
            if depth >= DEPTH:
                too_deep()
            given = [_HOLE if part is None else part(item, frame, depth + 1) for part in parts]
            function = procedure(item, frame, depth + 1)
            if isinstance(function, Function):
                return _fix(function, given)
            if function is UNDEFINED and bare is not None and bare(item, frame, depth) is not UNDEFINED:
                raise JsonataError("T1007", token=name)
            raise JsonataError("T1008", token=name)

        return apply_partially

    def _transform(self, tree: Tree) -> Node:
        pattern, update = self.compile(tree.pattern), self.compile(tree.update)
        delete = self.compile(tree.delete) if tree.delete is not None else None
        clone = self._variable(_CLONE)

        def transform(item: Value, frame: Frame, depth: int) -> Value:
            def work(call: Call, data: Value) -> Value:
                if data is UNDEFINED:
                    return UNDEFINED
                copier = clone(item, frame, depth)
                if not isinstance(copier, Function):
                    raise JsonataError("T2013")
                result = call.apply(copier, [data])
                for match in _listed(pattern(result, frame, call.depth + 1)):
                    changes = update(match, frame, call.depth + 1)
                    _merge(match, changes)
                    if delete is not None:
                        _delete(match, delete(match, frame, call.depth + 1))
                return result

            return Native(work, "(oa)", needs_call=True)

        return transform


class _CloneName:
    value = "clone"


_CLONE = _CloneName()
_HOLE = object()
_PLAIN = frozenset({"string", "number", "value", "regex", "unary", "lambda", "transform"})


def _unwrapping(node: Node, *, keep: bool) -> Node:
    def unwrapped(item: Value, frame: Frame, depth: int) -> Value:
        value = node(item, frame, depth)
        return unwrap(value, keep=keep) if type(value) is Sequence else value

    return unwrapped


def _called_name(procedure: Tree) -> str | None:
    name = procedure.steps[0].value if procedure.type == "path" else procedure.value
    return name if isinstance(name, str) else None


def _compose(first: Function, second: Function, call: Call, value: Value) -> Value:
    return call.apply(second, [call.apply(first, [value])])


def _fix(function: Function, given: list[Value]) -> Function:
    """Fix some arguments of a function; the holes stay arguments of the result."""
    width = len(function.names) if isinstance(function, Lambda) else function.arity
    given = (given + [UNDEFINED] * width)[:width]

    def fixed(call: Call, *rest: Value) -> Value:
        values = iter(rest)
        filled = [next(values, UNDEFINED) if value is _HOLE else value for value in given]
        return call.apply(function, filled)

    return Native(fixed, None, arity=sum(value is _HOLE for value in given), needs_call=True)


def _listed(value: Value) -> list[Value]:
    if value is UNDEFINED:
        return []
    return value if isinstance(value, list) else [value]


def _merge(match: Value, changes: Value) -> None:
    """Write the changes into an object of a copy that $clone made."""
    if changes is UNDEFINED:
        return
    if not isinstance(changes, dict):
        raise JsonataError("T2011", value=changes)
    if isinstance(match, dict):
        match.update(changes)


def _delete(match: Value, names: Value) -> None:
    if names is UNDEFINED:
        return
    listed = names if isinstance(names, list) else [names]
    if not all(isinstance(name, str) for name in listed):
        raise JsonataError("T2012", value=names)
    if isinstance(match, dict):
        for name in listed:
            match.pop(name, None)


def _logical(symbol: str, left: Node, right: Node) -> Node:
    decisive = symbol == "or"

    def node(item: Value, frame: Frame, depth: int) -> Value:
        if depth >= DEPTH:
            too_deep()
        try:
            if truthy(left(item, frame, depth + 1)) is decisive:
                return decisive
            return truthy(right(item, frame, depth + 1))
        except JsonataError as error:
            error.token = error.token or symbol
            raise

    return node


def _range(left: Node, right: Node) -> Node:
    def node(item: Value, frame: Frame, depth: int) -> Value:
        if depth >= DEPTH:
            too_deep()
        start, end = left(item, frame, depth + 1), right(item, frame, depth + 1)
        for value, code in ((start, "T2003"), (end, "T2004")):
            if value is not UNDEFINED and not (is_number(value) and number(value) == math.floor(value)):
                raise JsonataError(code, value=value)
        if start is UNDEFINED or end is UNDEFINED or start > end:
            return UNDEFINED
        size = int(end) - int(start) + 1
        if size > 10_000_000:
            raise JsonataError("D2014", value=size)
        frame.run.hold(8 * size)
        frame.run.spend(size // 10)
        return Sequence(range(int(start), int(end) + 1))

    return node


def _arithmetic(symbol: str, work: Callable[[Any, Any], Any]) -> Callable[[Value, Value, Frame], Value]:
    def node(left: Value, right: Value, frame: Frame) -> Value:
        if left is not UNDEFINED and not is_number(left):
            raise JsonataError("T2001", token=symbol, value=left)
        if right is not UNDEFINED and not is_number(right):
            raise JsonataError("T2002", token=symbol, value=right)
        if left is UNDEFINED or right is UNDEFINED:
            return UNDEFINED
        return work(left, right)

    return node


_EXACT = 2**53


def _exactly(work: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Do it with ints while the result is exact as a double, and with doubles beyond."""

    def calculate(left: float, right: float) -> float:
        result = work(left, right)
        if type(result) is int:
            return result if -_EXACT <= result <= _EXACT else number(work(double(left), double(right)))
        return number(result)

    return calculate


def _divide(left: float, right: float) -> float:
    if right == 0:
        return math.nan if left == 0 else math.copysign(math.inf, left) * math.copysign(1, right)
    return number(double(left) / double(right))


def _remainder(left: float, right: float) -> float:
    return math.nan if right == 0 else number(math.fmod(double(left), double(right)))


def _comparison(symbol: str, work: Callable[[Any, Any], bool]) -> Callable[[Value, Value, Frame], Value]:
    strict = symbol in {"<", ">"}
    upwards = symbol in {"<", "<="}

    def node(left: Value, right: Value, frame: Frame) -> Value:
        left_kind, right_kind = _comparable(left), _comparable(right)
        if not left_kind or not right_kind:
            raise JsonataError("T2010", token=symbol, value=right if left_kind in {"s", "n"} else left)
        if left is UNDEFINED or right is UNDEFINED:
            return UNDEFINED
        if left_kind != right_kind:
            raise JsonataError("T2009", token=symbol, value=left, value2=right)
        if left_kind == "n":
            return work(left, right)
        if strict:
            return less(left, right) if upwards else less(right, left)
        return not (less(right, left) if upwards else less(left, right))

    return node


def _comparable(value: Value) -> str:
    if isinstance(value, str):
        return "s"
    if type(value) is int or type(value) is float:
        return "n"
    return "u" if value is UNDEFINED else ""


def _same(left: Value, right: Value, frame: Frame) -> Value:
    return left is not UNDEFINED and right is not UNDEFINED and equal(left, right)


def _different(left: Value, right: Value, frame: Frame) -> Value:
    return left is not UNDEFINED and right is not UNDEFINED and not equal(left, right)


def _concatenate(left: Value, right: Value, frame: Frame) -> Value:
    first = "" if left is UNDEFINED else stringify(left)
    second = "" if right is UNDEFINED else stringify(right)
    frame.run.hold(len(first) + len(second))
    return first + second


def _contains(left: Value, right: Value, frame: Frame) -> Value:
    if left is UNDEFINED or right is UNDEFINED:
        return False
    if isinstance(left, list | dict):  # JavaScript compares the identity of those
        return any(left is item for item in _listed(right))
    return any(equal(left, item) for item in _listed(right))


_OPERATORS: dict[str, Callable[[Value, Value, Frame], Value]] = {
    "+": _arithmetic("+", _exactly(operator.add)),
    "-": _arithmetic("-", _exactly(operator.sub)),
    "*": _arithmetic("*", _exactly(operator.mul)),
    "/": _arithmetic("/", _divide),
    "%": _arithmetic("%", _remainder),
    "=": _same,
    "!=": _different,
    "<": _comparison("<", operator.lt),
    "<=": _comparison("<=", operator.le),
    ">": _comparison(">", operator.gt),
    ">=": _comparison(">=", operator.ge),
    "&": _concatenate,
    "in": _contains,
}
