"""Paths of an expression as closures: steps, predicates, order-by, grouping, and the bindings `@`, `#` and `%`.

A path maps each step over the items that the step before gave and flattens what comes out. Paths of names, by far the most
common, go down dicts directly and leave that rule to the general way only where a list turns up. When a step binds a
variable, the items become tuples: dicts from variable name to value, with the item itself under "@".
"""

# ruff: noqa: ARG001, ARG002, ARG005 - every node takes the same three arguments

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from sfn_notebook.lang.jsonata.failures import JsonataError
from sfn_notebook.lang.jsonata.runtime import DEPTH, Frame, Node, Run, too_deep
from sfn_notebook.lang.jsonata.steps import (
    Tuple,
    all_values,
    at,
    compare,
    field,
    flattened,
    inside,
    joined,
    kept,
    merge_sorted,
    selected,
    together,
)
from sfn_notebook.lang.jsonata.syntax import Tree
from sfn_notebook.lang.jsonata.values import UNDEFINED, Array, Object, Sequence, Value

if TYPE_CHECKING:
    from sfn_notebook.lang.jsonata.compiler import Compiler

Stage = Callable[[Value, Frame, int], Value]


class Paths:
    """The part of the compiler that knows paths."""

    def __init__(self, compiler: Compiler) -> None:
        self.compiler = compiler

    def name(self, tree: Tree) -> Node:
        """Compile a step that is a name."""
        key = str(tree.value)
        return lambda item, frame, depth: field(item, key)

    def wildcard(self, tree: Tree) -> Node:
        """Compile `*`: all values of an object."""
        return lambda item, frame, depth: all_values(item, frame.run)

    def descendants(self, tree: Tree) -> Node:
        """Compile `**`: the item and everything inside it."""

        def node(item: Value, frame: Frame, depth: int) -> Value:
            found = Sequence() if item is UNDEFINED else Sequence(inside(item, frame.run))
            return found[0] if len(found) == 1 else found

        return node

    def parent(self, tree: Tree) -> Node:
        """Compile `%`: a variable that the step before the parent bound."""
        return self.compiler.variable(_Named(tree.slot.label))

    def path(self, tree: Tree) -> Node:
        """Compile a whole path."""
        if any(step.tuple is not None for step in tree.steps):
            general = self._tuple_path(tree)
        else:
            general = self._plain_path(tree)
        group = self.group(tree.group) if tree.group is not None else None
        keep = bool(tree.keep_singleton_array)
        if not keep and group is None:
            return general

        def path(item: Value, frame: Frame, depth: int) -> Value:
            result = general(item, frame, depth)
            if keep:
                result = kept(result)
            return result if group is None else group(result, frame, depth)

        return path

    def _plain_path(self, tree: Tree) -> Node:
        steps = [self._step(step) for step in tree.steps]
        keys = [str(step.value) for step in tree.steps[1:] if _is_plain_name(step)]
        names_only = len(keys) == len(tree.steps) - 1 and _is_plain_variable(tree.steps[0])
        if names_only and self.compiler.shortcuts:
            return _chain(self.compiler.compile(tree.steps[0]), keys)
        cons = bool(tree.steps[0].consarray)
        first = self.compiler.compile(tree.steps[0]) if cons else None
        absolute = tree.steps[0].type == "variable"
        last = len(steps) - 1

        def path(item: Value, frame: Frame, depth: int) -> Value:
            if depth >= DEPTH:
                too_deep()
            items: Any = item if isinstance(item, list) and not absolute else (item,)
            result: Value = UNDEFINED
            for index, step in enumerate(steps):
                if index == 0 and first is not None:
                    result = first(item, frame, depth + 1)
                    items = result if isinstance(result, list) else (result,)
                else:
                    result = items = step(items, frame, depth, index == last)
                if result is UNDEFINED or (isinstance(result, list) and not result):
                    break
            return result

        return path

    def _step(self, tree: Tree) -> Callable[[Iterable[Value], Frame, int, bool], list[Value]]:
        """Compile a step: items in, a flat list of results out."""
        stages = [self.filter(stage.expr) for stage in tree.stages or () if stage.type == "filter"]
        if tree.type == "sort":
            order = self.sort(tree)

            def sort(items: Iterable[Value], frame: Frame, depth: int, last: bool) -> list[Value]:  # noqa: FBT001
                result: Value = order(Sequence(items), frame, depth)
                for stage in stages:
                    result = stage(result, frame, depth)
                return result if isinstance(result, list) else Sequence([result])

            return sort
        node = self.compiler.compile(tree)

        def step(items: Iterable[Value], frame: Frame, depth: int, last: bool) -> list[Value]:  # noqa: FBT001
            results = []
            run = frame.run
            for item in items:
                run.steps -= 1
                value = node(item, frame, depth + 1)
                for stage in stages:
                    value = stage(value, frame, depth)
                if value is not UNDEFINED:
                    results.append(value)
            run.spend(0)
            return flattened(results, run, last=last)

        return step

    def filter(self, tree: Tree) -> Stage:
        """Compile a predicate: a position, or a condition for each item."""
        if tree.type == "number":
            position = math.floor(tree.value)
            return lambda value, frame, depth: at(value, position)
        condition = self.compiler.compile(tree)

        def keep_if(value: Value, frame: Frame, depth: int) -> Value:
            if value is UNDEFINED:
                return UNDEFINED
            items = value if isinstance(value, list) else Sequence([value])
            tuples = isinstance(items, Sequence) and items.tuples
            results = Sequence()
            results.tuples = tuples
            run = frame.run
            for index, item in enumerate(items):
                run.spend(2)
                context, scope = (item["@"], frame.inner(item)) if tuples else (item, frame)
                if selected(condition(context, scope, depth + 1), index, len(items), results, item):
                    results.append(item)
            return results

        return keep_if

    def sort(self, tree: Tree) -> Callable[[list[Value], Frame, int], list[Value]]:
        """Compile `^(…)`: a stable sort by one or more terms."""
        terms = [(self.compiler.compile(term.expression), bool(term.descending)) for term in tree.terms]

        def order(items: list[Value], frame: Frame, depth: int) -> list[Value]:
            if len(items) <= 1:
                return items
            tuples = isinstance(items, Sequence) and items.tuples

            def after(a: Value, b: Value) -> bool:
                frame.run.spend(2 * len(terms))
                for term, descending in terms:
                    left = term(a["@"], frame.inner(a), depth + 1) if tuples else term(a, frame, depth + 1)
                    right = term(b["@"], frame.inner(b), depth + 1) if tuples else term(b, frame, depth + 1)
                    comparison = compare(left, right)
                    if comparison:
                        undefined = left is UNDEFINED or right is UNDEFINED
                        return (comparison > 0) != (descending and not undefined)
                return False

            result = Sequence(merge_sorted(items, after)) if tuples else Array(merge_sorted(items, after))
            if isinstance(result, Sequence):
                result.tuples = True
            return result

        return order

    def group(self, tree: Tree) -> Stage:
        """Compile `{key: value}` behind a value: objects from groups of items."""
        pairs = [(self.compiler.compile(key), self.compiler.compile(value)) for key, value in tree.lhs_object]

        def group(value: Value, frame: Frame, depth: int) -> Value:
            items = value if isinstance(value, list) else [value]
            tuples = isinstance(value, Sequence) and value.tuples
            return grouped(pairs, items or [UNDEFINED], frame, depth, tuples=tuples)

        return group

    def object(self, tree: Tree) -> Node:
        """Compile `{key: value}` standing alone."""
        group = self.group(tree)
        keys = {str(key.value) for key, _ in tree.lhs_object if key.type == "string"}
        if len(keys) < len(tree.lhs_object) or not self.compiler.shortcuts:
            return group
        pairs = [(str(key.value), self.compiler.compile(value)) for key, value in tree.lhs_object]

        def build(item: Value, frame: Frame, depth: int) -> Value:
            if isinstance(item, list) and len(item) != 1:
                return group(item, frame, depth)
            if depth >= DEPTH and pairs:
                too_deep()
            item = item[0] if isinstance(item, list) else item
            result = Object()
            for key, node in pairs:
                value = node(item, frame, depth + 1)
                if value is not UNDEFINED:
                    result[key] = value
            return result

        return build

    def _tuple_path(self, tree: Tree) -> Node:
        steps = [self._tuple_step(step) for step in tree.steps]
        plain = [self._step(step) for step in tree.steps]
        starts = next(index for index, step in enumerate(tree.steps) if step.tuple is not None)
        absolute = tree.steps[0].type == "variable"
        carries = tree.tuple is not None

        def path(item: Value, frame: Frame, depth: int) -> Value:
            if depth >= DEPTH:
                too_deep()
            items: Any = item if isinstance(item, list) and not absolute else Sequence([item])
            for index in range(starts):
                items = plain[index](items, frame, depth, False)  # noqa: FBT003
                if not items:
                    return items
            stream = [{"@": each} for each in items]
            for step in steps[starts:]:
                stream = step(stream, frame, depth)
            if carries or tree.group is not None:
                result = Sequence(stream)
                result.tuples = True
                return result
            return Sequence(each["@"] for each in stream)

        return path

    def _tuple_step(self, tree: Tree) -> Callable[[list[Tuple], Frame, int], list[Tuple]]:
        if tree.type == "sort":
            order = self.sort(tree)
            stages = self._tuple_stages(tree)

            def sort(stream: list[Tuple], frame: Frame, depth: int) -> list[Tuple]:
                items = order(_stream(stream), frame, depth)
                if tree.index is not None:
                    items = [{**each, str(tree.index): index} for index, each in enumerate(items)]
                return stages(items, frame, depth)

            return sort
        node, stages = self.compiler.compile(tree), self._tuple_stages(tree)
        bind = _binder(tree)

        def step(stream: list[Tuple], frame: Frame, depth: int) -> list[Tuple]:
            result: list[Tuple] = []
            for each in stream:
                frame.run.spend(2)
                value = node(each["@"], frame.inner(each), depth + 1)
                if value is UNDEFINED:
                    continue
                if isinstance(value, Sequence) and value.tuples:
                    result.extend({**each, **inner} for inner in value)
                else:
                    values = value if isinstance(value, list) else (value,)
                    result.extend(bind(each, found, index) for index, found in enumerate(values))
                frame.run.hold(8 * len(result))
            return stages(result, frame, depth)

        return step

    def _tuple_stages(self, tree: Tree) -> Callable[[list[Tuple], Frame, int], list[Tuple]]:
        stages = [
            (self.filter(stage.expr), "") if stage.type == "filter" else (None, str(stage.value))
            for stage in tree.stages or ()
        ]

        def apply_stages(stream: list[Tuple], frame: Frame, depth: int) -> list[Tuple]:
            for keep_if, name in stages:
                if keep_if is None:
                    stream = [{**each, name: index} for index, each in enumerate(stream)]
                else:
                    kept = keep_if(_stream(stream), frame, depth)
                    stream = kept if isinstance(kept, list) else [kept]
            return stream

        return apply_stages


class _Named:
    """A variable that the parser invented."""

    def __init__(self, value: str) -> None:
        self.value = value


def _is_plain_name(step: Tree) -> bool:
    return step.type == "name" and not step.stages and step.group is None and not step.keep_array


def _is_plain_variable(step: Tree) -> bool:
    decorated = step.stages or step.predicate or step.group is not None or step.keep_array
    return step.type == "variable" and bool(step.value) and not decorated


def _chain(variable: Node, keys: list[str]) -> Node:
    """Compile `$variable.key.key`: dicts all the way down need no sequences."""
    count = len(keys)

    def chain(item: Value, frame: Frame, depth: int) -> Value:
        if depth >= DEPTH:
            too_deep()
        value = variable(item, frame, depth + 1)
        for index in range(count):
            if isinstance(value, dict):
                value = value.get(keys[index], UNDEFINED)
                if value is UNDEFINED:
                    return UNDEFINED
            elif isinstance(value, list):
                return _chain_list(value, keys[index:], frame.run)
            else:
                return UNDEFINED
        return value

    return chain


def _chain_list(items: list[Value], keys: list[str], run: Run) -> Value:
    """Follow `keys` from each of the items, as the steps of a path do."""
    for index, key in enumerate(keys):
        run.spend(len(items))
        found = [field(item, key) for item in items]
        items = flattened([value for value in found if value is not UNDEFINED], run, last=index == len(keys) - 1)
    return items


def grouped(pairs: list[tuple[Node, Node]], items: list[Value], frame: Frame, depth: int, *, tuples: bool) -> Object:
    """Collect the items by key, then give each key its value."""
    groups: dict[str, tuple[int, list[Value]]] = {}
    for item in items:
        frame.run.spend(len(pairs))
        context, scope = (item["@"], frame.inner(item)) if tuples else (item, frame)
        for index, (key_of, _) in enumerate(pairs):
            key = key_of(context, scope, depth + 1)
            if key is UNDEFINED:
                continue
            if not isinstance(key, str):
                raise JsonataError("T1003", value=key)
            if key not in groups:
                groups[key] = (index, [item])
            elif groups[key][0] != index:
                raise JsonataError("D1009", value=key)
            else:
                groups[key][1].append(item)
    result = Object()
    for key, (index, members) in groups.items():
        context, scope = together(members), frame
        if tuples:
            names = joined(members)
            context = names.pop("@")
            scope = frame.inner(names)
        value = pairs[index][1](context, scope, depth + 1)
        if value is not UNDEFINED:
            result[key] = value
    return result


def _stream(stream: list[Tuple]) -> Sequence:
    result = Sequence(stream)
    result.tuples = True
    return result


def _binder(tree: Tree) -> Callable[[Tuple, Value, int], Tuple]:
    """Give the function that extends a tuple by one result of a step."""
    focus, index_name = tree.focus, tree.index
    label = tree.ancestor.label if tree.ancestor is not None else None

    def bind(each: Tuple, value: Value, index: int) -> Tuple:
        extended = dict(each)
        extended["@" if focus is None else str(focus)] = value
        if index_name is not None:
            extended[str(index_name)] = index
        if label is not None:
            extended[label] = each["@"]
        return extended

    return bind
