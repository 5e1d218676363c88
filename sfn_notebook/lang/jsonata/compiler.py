"""From the tree of an expression to one closure: everything except paths, which `paths` compiles.

Each node becomes `node(item, frame, depth)`: `item` is the context item (`$`), `frame` the scope. Undefined is `UNDEFINED`.
What can be decided from the tree is decided here once. Children are evaluated at `depth + 1`; a node that has children
refuses to go deeper than the service does, and steps are counted where something can repeat. The semantics are those of
JSONata 2.0.6; `operators` has the service's arithmetic.
"""

# ruff: noqa: ARG001, ARG005 - every node takes the same three arguments

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from sfn_notebook.lang.jsonata.failures import JsonataError
from sfn_notebook.lang.jsonata.operators import OPERATORS, logical, span
from sfn_notebook.lang.jsonata.paths import Paths
from sfn_notebook.lang.jsonata.runtime import DEPTH, Call, Frame, Lambda, Native, Node, Thunk, apply, too_deep
from sfn_notebook.lang.jsonata.syntax import Tree, signature
from sfn_notebook.lang.jsonata.values import (  # fmt: skip
    UNDEFINED,
    Array,
    Function,
    Sequence,
    Value,
    is_number,
    number,
    truthy,
    unwrap,
)

Compile = Callable[[Tree], Node]


class Compiler:
    """Compiles trees.

    Attributes:
        builtins: the functions that every expression sees, unless a variable hides them.
        shortcuts: compile the most common forms to something faster that gives the same.
    """

    def __init__(self, builtins: Mapping[str, Native], *, shortcuts: bool = True) -> None:
        self.builtins = builtins
        self.shortcuts = shortcuts
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
            "variable": self.variable,
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

    def variable(self, tree: Tree) -> Node:
        """Compile a reference to a variable, or to the context item if it has no name."""
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
            return logical(symbol, left, right)
        if symbol == "..":
            return span(left, right)
        work = OPERATORS[symbol]

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
                raise JsonataError("D1002", token=str(tree.value), value=value)
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
        otherwise = self.compile(tree._else) if tree._else is not None else None

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
        bare = self.variable(tree.procedure.steps[0]) if tree.procedure.type == "path" else None

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
        target, name = self.compile(tree.rhs), _called_name(tree.rhs)

        def chain(item: Value, frame: Frame, depth: int) -> Value:
            if depth >= DEPTH:
                too_deep()
            value = source(item, frame, depth + 1)
            function = target(item, frame, depth + 1)
            if not isinstance(function, Function):
                raise JsonataError("T2006")
            if isinstance(value, Function):
                return Native(partial(_compose, value, function), "x", needs_call=True)
            try:
                return apply(function, [value], UNDEFINED, frame.run, depth)
            except JsonataError as error:
                error.token = error.token or name
                raise

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
        bare = self.variable(tree.procedure.steps[0]) if tree.procedure.type == "path" else None
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
        clone = self.variable(_CLONE)

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
