"""Places to stop: states, errors, conditions over the data.

A condition is written as people write paths and expressions in definitions: `{% $states.input.total > 5 %}` is JSONata as in a state,
`$.orders[?(@.total > 5)]` is JSONPath (it holds when it finds something other than null, false and an empty list), and anything else
that starts with `$` is JSONata over the data, such as `$.total > 5`. State variables are known by name, and `$$` (or
`$states.context`) is the context object. A Python predicate gets the `Snapshot`. Conditions are looked at where a state is entered or
exited, or at the error that they go with; what is not there does not hold, and what cannot be evaluated is told with the breakpoint.
"""

from __future__ import annotations

import difflib
import random
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field

from sfn_notebook.errors import CommandError, ExpressionError, Json
from sfn_notebook.history.events import ENTERED, EXITED, FAILED, TIMED_OUT, Event, details
from sfn_notebook.history.snapshot import Snapshot
from sfn_notebook.lang.environment import EvaluationFailure, PathFailure
from sfn_notebook.lang.jsonata import compile_jsonata, is_expression, strip_expression
from sfn_notebook.lang.jsonata.failures import QueryEvaluationFailure
from sfn_notebook.lang.jsonata.syntax import parse
from sfn_notebook.lang.jsonpath import compile_path

ERRORS = (
    FAILED
    | TIMED_OUT
    | {"EvaluationFailed", "MapStateFailed", "ParallelStateFailed", "MapRunFailed", "FailStateEntered"}
)
ENDS = frozenset({"ExecutionFailed", "ExecutionTimedOut"})
Holds = Callable[[Snapshot], bool]
Context = Callable[[], dict[str, Json]]
"""Gives the context object, which takes longer than all else and is seldom asked for."""


class Absent(EvaluationFailure):
    """An expression gives nothing, because what it asks for is not there."""


@dataclass(slots=True, eq=False)
class Breakpoint:
    """A place to stop.

    Attributes:
        number: what `Breakpoints.remove` takes.
        state: stop where this state is entered.
        error: stop where a task or state fails with this error; "*" for any.
        when: stop only where this holds: the text of a condition, or a predicate over the Snapshot.
        enabled: whether it counts.
        problem: why the condition could not be evaluated where it was looked at last.
    """

    number: int
    state: str | None = None
    error: str | None = None
    when: str | Holds | None = None
    enabled: bool = True
    problem: str | None = None
    _holds: Condition | None = field(default=None, repr=False)

    @property
    def needs_data(self) -> bool:
        """Say whether it looks at more than the event."""
        return self._holds is not None or (self.error is not None and self.state is not None)

    def matches(self, event: Event) -> bool:
        """Say whether an event is of the kind at which this stops."""
        kind = event["type"]
        if self.error is not None:
            if kind not in ERRORS and kind not in ENDS:
                return False
            return self.error == "*" or details(event).get("error") == self.error
        if self.state is not None:
            return kind in ENTERED and details(event).get("name") == self.state
        return kind in ENTERED or kind in EXITED

    def holds(self, snapshot: Snapshot, context: Context) -> bool:
        """Say whether the condition holds, and whether an error is one of the state's."""
        if self.error is not None and self.state is not None:
            here = next((one.name for one in snapshot.active if one.visit == snapshot.here), None)
            if here != self.state:
                return False
        if self._holds is None:
            return True
        try:
            held, self.problem = self._holds(snapshot, context), None
        except (Absent, PathFailure):
            held, self.problem = False, None
        except EvaluationFailure as failure:
            held, self.problem = False, failure.message
        return held

    def __str__(self) -> str:
        parts = [f"state {self.state}"] if self.state is not None else []
        if self.error is not None:
            parts.append("any error" if self.error == "*" else f"error {self.error}")
        if self.when is not None:
            parts.append(
                f"when {self.when if isinstance(self.when, str) else getattr(self.when, '__name__', 'predicate')}"
            )
        if self.problem is not None:
            parts.append(f"(cannot be evaluated: {self.problem})")
        return f"{self.number}: {' '.join(parts)}{'' if self.enabled else ' (off)'}"

    def to_json(self) -> Json:
        """Give the breakpoint as JSON; None for one with a Python predicate, which cannot be saved."""
        if callable(self.when):
            return None
        return {"state": self.state, "error": self.error, "when": self.when, "enabled": self.enabled}


class Breakpoints:
    """The breakpoints of a debugger, in the order in which they were set."""

    def __init__(self, states: Collection[str]) -> None:
        self._states = states
        self._all: dict[int, Breakpoint] = {}
        self._next = 1

    def add(
        self, state: str | Holds | None = None, *, error: str | bool | None = None, when: str | Holds | None = None
    ) -> Breakpoint:
        """Set a breakpoint.

        Args:
            state: name of a state; a condition's text or a predicate is taken as `when`.
            error: name of an error, or True for any.
            when: a condition: text (JSONPath or JSONata) or `f(snapshot) -> bool`.

        Raises:
            CommandError: there is no such state, or the condition cannot be read.

        Example: `add("Pay")`, `add(error=True)`, `add("Pay", when="$.total > 100")`.
        """
        if state is not None and not (callable(state) or isinstance(state, str)):
            raise CommandError(
                f"a breakpoint is on a state's name, a condition or a predicate, but found {state!r:.80}"
            )
        if state is not None and (callable(state) or (state not in self._states and state.lstrip()[:1] in ("$", "{"))):
            state, when = None, state if when is None else when
        if isinstance(state, str):
            self.check_state(state)
        if state is None and error is None and when is None:
            raise CommandError("a breakpoint needs a state, an error or a condition")
        error_name = "*" if error is True else None if error is False or error is None else error
        found = Breakpoint(self._next, state, error_name, when, _holds=None if when is None else condition(when))
        self._all[self._next] = found
        self._next += 1
        return found

    def check_state(self, name: str) -> None:
        """Refuse a name that no state has."""
        if name not in self._states:
            near = difflib.get_close_matches(name, list(self._states), n=1)
            hint = f'; did you mean "{near[0]}"?' if near else f"; there are: {', '.join(list(self._states)[:20])}"
            raise CommandError(f'there is no state "{name}"{hint}')

    def toggle(self, state: str) -> bool:
        """Set a plain breakpoint on a state, or take it away; say whether there is one now."""
        for one in list(self):
            if one.state == state and one.when is None and one.error is None:
                self.remove(one.number)
                return False
        self.add(state)
        return True

    def remove(self, which: int | str | Breakpoint) -> None:
        """Take a breakpoint away, by number, by state, or itself.

        Raises:
            CommandError: there is none.
        """
        number = which.number if isinstance(which, Breakpoint) else which
        found = [one.number for one in self if number in (one.number, one.state)]
        if not found:
            raise CommandError(f"there is no breakpoint {number!r}; set are: {', '.join(map(str, self)) or 'none'}")
        for one in found:
            del self._all[one]

    def clear(self) -> None:
        """Take all breakpoints away."""
        self._all.clear()

    def hit(self, event: Event, snapshot: Callable[[], Snapshot], context: Context = dict) -> Breakpoint | None:
        """Give the first breakpoint at which an event is to stop; `snapshot` and `context` are asked only where a condition needs them."""
        for one in self._all.values():
            if one.enabled and one.matches(event) and (not one.needs_data or one.holds(snapshot(), context)):
                return one
        return None

    def copy(self) -> Breakpoints:
        """Give the same breakpoints, to be changed apart."""
        new = Breakpoints(self._states)
        new._next = self._next
        for number, one in self._all.items():
            new._all[number] = Breakpoint(number, one.state, one.error, one.when, one.enabled, one.problem, one._holds)
        return new

    def to_json(self) -> list[Json]:
        """Give the breakpoints as JSON, but for those with Python predicates."""
        return [saved for one in self if (saved := one.to_json()) is not None]

    def load(self, saved: list[Json]) -> None:
        """Set the breakpoints that `to_json` gave."""
        for one in saved:
            self.add(one["state"], error=one["error"], when=one["when"]).enabled = one["enabled"]

    def __iter__(self) -> Iterator[Breakpoint]:
        return iter(self._all.values())

    def __len__(self) -> int:
        return len(self._all)

    def __contains__(self, state: object) -> bool:
        return any(one.state == state for one in self)

    def __repr__(self) -> str:
        return f"<Breakpoints: {', '.join(map(str, self)) or 'none'}>"


Condition = Callable[[Snapshot, Context], bool]


def condition(when: str | Holds) -> Condition:
    """Compile a condition; what it gives raises `EvaluationFailure` where it cannot be evaluated.

    Raises:
        CommandError: the text is neither a JSONPath nor a JSONata expression.
    """
    if callable(when):
        return lambda snapshot, _context: bool(when(snapshot))
    try:
        evaluate = compile_condition(when)
    except ExpressionError as error:
        hint = "; JSONata compares with =" if "==" in when else ""
        raise CommandError(f"the condition {when!r} cannot be read: {error}{hint}") from error
    return lambda snapshot, context: truth(evaluate(snapshot.data, snapshot.variables, context))


Evaluate = Callable[[Json, Mapping[str, Json], Context], Json]
"""(data, variables, context object) -> value"""


def compile_condition(text: str) -> Evaluate:
    """Compile a path or an expression over data, variables and context object; the module's docstring says which is which.

    Raises:
        ExpressionError: the text is neither.
    """
    text = text.strip()
    if is_expression(text):
        return _jsonata(strip_expression(text))
    if not text.startswith("$"):
        return _jsonata(text)
    try:
        path = compile_path(text)
    except ExpressionError:
        return _jsonata(text)
    return lambda data, variables, context: path.evaluate(data, _Surroundings(variables, context))


_CONTEXT = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)|\$\$""")
"""A string or a quoted name, which stays as it is, or the context object."""


def _jsonata(text: str) -> Evaluate:
    """Compile JSONata; `$` is the data, `$states.input` too, as in definitions; `$$` is the context object, as in paths."""
    parse(text)  # so that a mistake is told of the text as it was written
    inner = compile_jsonata(f"($_here).({_CONTEXT.sub(lambda found: found[1] or '$states.context', text)})")
    asks = "$$" in text or "$states.context" in text

    def evaluate(data: Json, variables: Mapping[str, Json], context: Context) -> Json:
        here = [data] if isinstance(data, list) else data  # a step goes over the items of an array
        states = {"input": data, "result": data, "context": context() if asks else {}}
        try:
            return inner.evaluate({**variables, "_here": here, "states": states}, lambda: random.Random(0), 0.0)
        except QueryEvaluationFailure as failure:
            if failure.kind == "undefined":
                raise Absent(f"{text} gives nothing here") from None
            raise EvaluationFailure(f"{text}: {failure.reason}") from None

    return evaluate


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What a path may refer to besides the data."""

    variables: Mapping[str, Json]
    context: Context

    def random(self) -> random.Random:
        return random.Random(0)


def truth(value: Json) -> bool:
    """Say whether a value counts as true: not null, not false, not 0, and not empty."""
    return bool(value)
