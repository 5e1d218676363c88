"""One evaluation while it runs: its budget, its scopes, and how functions are called.

A `Run` belongs to one call of `Expression.evaluate` and to one thread. It counts steps and bytes, so that the bounds of the
service (a second, a memory limit, 100 levels) hold here in a way that does not depend on the machine. A `Frame` is a scope
of variables. Every compiled node is a closure `node(item, frame, depth)`; `depth` is the number of evaluations around it, as
the service counts them, and stays so small that Python's own stack is never in danger.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from collections.abc import Sequence as Many
from types import MappingProxyType
from typing import Final, NoReturn, TypeAlias

from sfn_notebook.lang.jsonata.failures import (
    DEPTH_LIMIT,
    MEMORY_LIMIT,
    TIME_LIMIT,
    InternalError,
    JsonataError,
    LimitReached,
)
from sfn_notebook.lang.jsonata.regexes import Allowance, Match, Regex
from sfn_notebook.lang.jsonata.signature import Signature
from sfn_notebook.lang.jsonata.values import MEMORY, UNDEFINED, Array, Function, Object, Value

DEPTH: Final = 100
"""The service accepts an evaluation that is nested 100 deep and refuses one of 101, whatever the nesting is made of."""
STEPS: Final = 400_000
"""Evaluations that a run may make; stands for the service's one second, and takes about half of one here."""
TOTAL: Final = 16 * MEMORY
"""Bytes that all large values of a run may take together."""
SMALL: Final = 1024
"""Values below this size are not counted: the number of steps bounds them."""


class Run:
    """What one evaluation may still spend, and what it knows of the world."""

    __slots__ = ("_generator", "_random", "allowance", "bytes", "now", "steps")

    def __init__(self, generator: Callable[[], random.Random], now: float) -> None:
        self.steps = STEPS
        self.bytes = TOTAL
        self.allowance = Allowance()
        self.now = now
        self._generator = generator
        self._random: random.Random | None = None

    def spend(self, steps: int) -> None:
        """Count `steps` evaluations."""
        self.steps -= steps
        if self.steps < 0:
            raise LimitReached(TIME_LIMIT)

    def hold(self, size: int) -> None:
        """Count a value of `size` bytes before it is built."""
        if size > SMALL:
            self.bytes -= size
            if size > MEMORY or self.bytes < 0:
                raise LimitReached(MEMORY_LIMIT)

    @property
    def random(self) -> random.Random:
        """Give the generator of this evaluation."""
        if self._random is None:
            self._random = self._generator()
        return self._random


class Frame:
    """A scope: names bound here, the scope around it, and the run."""

    __slots__ = ("names", "parent", "run")

    def __init__(self, names: dict[str, Value], parent: Frame | None, run: Run) -> None:
        self.names = names
        self.parent = parent
        self.run = run

    def inner(self, names: dict[str, Value]) -> Frame:
        """Give a scope inside this one."""
        return Frame(names, self, self.run)


Node: TypeAlias = Callable[[Value, Frame, int], Value]


class Lambda(Function):
    """A function that the expression defines, with the scope and the context item of its definition."""

    __slots__ = ("body", "frame", "item", "names", "signature")

    def __init__(self, names: Many[str], body: Node, item: Value, frame: Frame, signature: Signature | None) -> None:
        super().__init__(len(names))
        self.names = names
        self.body = body
        self.item = item
        self.frame = frame
        self.signature = signature


class Thunk(Function):
    """A call in tail position, not made yet: `apply` makes it, so that tail recursion needs no stack."""

    __slots__ = ("arguments", "frame", "item", "procedure")

    def __init__(self, procedure: Node, arguments: Many[Node], item: Value, frame: Frame) -> None:
        super().__init__(0)
        self.procedure = procedure
        self.arguments = arguments
        self.item = item
        self.frame = frame


class Call:
    """What a built-in function may use besides its arguments."""

    __slots__ = ("depth", "run")

    def __init__(self, run: Run, depth: int) -> None:
        self.run = run
        self.depth = depth

    def apply(self, function: Value, arguments: list[Value]) -> Value:
        """Call a function that was given as an argument."""
        return apply(function, arguments, UNDEFINED, self.run, self.depth)

    def visit(self, function: Function, *arguments: Value) -> Value:
        """Call `function` with as many of the arguments as it wants, at least one."""
        return self.apply(function, list(arguments[: max(1, function.arity)]))


class Native(Function):
    """A built-in function: called as `body(*arguments)`, or `body(call, *arguments)` if it needs the run."""

    __slots__ = ("body", "needs_call", "signature")

    def __init__(
        self, body: Callable[..., Value], signature: str | None, *, arity: int = -1, needs_call: bool = False
    ) -> None:
        self.signature = Signature.of(signature) if signature is not None else None
        self.body = body
        self.needs_call = needs_call
        super().__init__(arity if arity >= 0 else len(self.signature.parameters) if self.signature else 1)


NOTHING: Mapping[str, Value] = MappingProxyType({})


def too_deep() -> NoReturn:
    """Stop an evaluation that nests too deeply."""
    raise LimitReached(DEPTH_LIMIT)


def apply(function: Value, arguments: list[Value], item: Value, run: Run, depth: int) -> Value:
    """Call a function, and the calls in tail position that it ends with.

    Raises:
        JsonataError: T1006 if `function` is none, T0410 to T0412 if the arguments do not fit.
    """
    result = _apply_once(function, arguments, item, run, depth)
    while type(result) is Thunk:
        following = result.procedure(result.item, result.frame, depth + 1)
        values = [argument(result.item, result.frame, depth + 1) for argument in result.arguments]
        result = _apply_once(following, values, item, run, depth)
    return result


def _apply_once(function: Value, arguments: list[Value], item: Value, run: Run, depth: int) -> Value:
    run.steps -= 2
    if run.steps < 0:
        raise LimitReached(TIME_LIMIT)
    kind = type(function)
    if kind is Lambda:
        if function.signature is not None:
            arguments = function.signature.validate(arguments, item)
        missing = len(function.names) - len(arguments)
        if missing > 0:
            arguments = arguments + [UNDEFINED] * missing
        names = dict(zip(function.names, arguments, strict=False))
        return function.body(function.item, Frame(names, function.frame, run), depth + 1)
    if kind is Native:
        if function.signature is not None:
            arguments = function.signature.validate(arguments, item)
        try:
            if function.needs_call:
                return function.body(Call(run, depth), *arguments)
            return function.body(*arguments)
        except (ArithmeticError, ValueError):  # infinity as a position, a date beyond all calendars …
            raise InternalError from None
    if kind is Regex:
        return _first_match(function, arguments, run)
    raise JsonataError("T1006")


def _first_match(pattern: Regex, arguments: list[Value], run: Run) -> Value:
    """Give what a regular expression returns when it is called: its first match, with a function for the next one."""
    if not arguments or not isinstance(arguments[0], str):
        return UNDEFINED
    found = pattern.matches(arguments[0], run.allowance)

    def following() -> Value:
        match = next(found, None)
        return UNDEFINED if match is None else as_object(match, following)

    return following()


def as_object(match: Match, following: Callable[[], Value]) -> Object:
    """Give a match the shape that matcher functions have."""
    groups = Array(match.groups)
    return Object(
        match=match.text, start=match.start, end=match.end, groups=groups, next=Native(following, None, arity=0)
    )
