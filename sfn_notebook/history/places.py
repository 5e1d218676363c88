"""Where each event happened: its path of Map iterations and Parallel branches.

Only the `previousEventId` chain decides, never adjacency: the service interleaves iterations and branches as it likes. But the
chain alone is not enough, because it jumps: `MapStateExited` points into an iteration, iteration k+1 of a Map with
MaxConcurrency 1 points into iteration k, a retried Map starts again from the event that failed, `EvaluationFailed` points at
what came *before* its state, and `...StateAborted` of a sibling points at the failure in another branch.

So each event leaves a *context* for those that point at it: a `Stay` (in a state, its inside not entered) or a `Scope` (a
sequence of states: the execution, an iteration, a branch). `Chain.follow` reads the context of the previous event, climbs
outwards to what the event names, and stores the context that it leaves. One pass, each step as deep as the nesting.

A scope runs one state at a time, so `Scope.current` is enough to know what is open. States that end without an event of
their own (aborted siblings, the states inside a failed Map) are reported in `Chain.lost`. This module knows no payloads.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from sfn_notebook.history.events import (
    ENTERED,
    EXITED,
    MEMBERS,
    SCHEDULED,
    STATE_ABORTED,
    TERMINAL,
    Event,
    details,
    entered_type,
    ordered,
)

Place: TypeAlias = tuple[tuple[str, int], ...]
"""Outermost first: (Map state, iteration index) or (Parallel state, branch number). Empty at the top of the execution."""

Branches: TypeAlias = Mapping[str, Sequence[str]]
"""Parallel state -> the first states of its branches, in the definition's order."""

_FAN_OUT: Final = frozenset({"Map", "Parallel"})
_NOTHING_INSIDE: Final[dict[int, Scope]] = {}  # shared by all states that run nothing inside: never written to


def place_text(place: Place) -> str:
    """Write a place for people: `Orders[3]/Checks[0]`; empty at the top."""
    return "/".join(f"{name}[{number}]" for name, number in place)


class Scope:
    """A sequence of states that runs one state at a time: the execution, one Map iteration, one Parallel branch."""

    __slots__ = ("current", "key", "last", "owner", "place", "previous", "run", "variables")

    def __init__(self, place: Place, owner: Stay | None, key: int = 0) -> None:
        self.place = place
        self.owner = owner
        self.key = key
        self.run = owner.run if owner else 1
        self.current: Stay | None = None
        self.last: Stay | None = None
        """The state that was open here when something around it ended."""
        self.previous: int | None = None
        """Id of the visit that exited last, until the next state is entered."""
        self.variables: Mapping[str, str] = {}

    def visible(self) -> Mapping[str, str]:
        """Return the variables that a state here can read, as JSON text: the inner scope's hide the outer one's."""
        outer = self.owner.scope.visible() if self.owner else {}
        return {**outer, **self.variables} if self.variables and outer else self.variables or outer


class Stay:
    """One stay in a state, from its `...StateEntered` event on."""

    __slots__ = ("acknowledged", "broken", "id", "inner", "name", "owed", "run", "scope", "type")

    def __init__(self, event_id: int, name: str, kind: str, scope: Scope) -> None:
        self.id = event_id
        self.name = name
        self.type = kind
        self.scope = scope
        self.run = 0
        """How often a Map or Parallel state has started."""
        self.broken = False
        """Whether its last failure event has been seen: the next one that names no state means an outer one."""
        self.acknowledged = False
        self.inner: dict[int, Scope] = {} if kind in _FAN_OUT else _NOTHING_INSIDE
        """Iterations or branches that are still open."""
        self.owed: deque[Stay] | None = None
        """Stays that were lost below this one and may still get a `...StateAborted` event."""


Context: TypeAlias = Stay | Scope


def scope_of(context: Context) -> Scope:
    """Return the sequence of states that a context belongs to."""
    return context.scope if isinstance(context, Stay) else context


class Chain:
    """Follows the chain of events one by one. `branches` fixes the numbers of Parallel branches; else the order of entering does."""

    def __init__(self, branches: Branches | None = None) -> None:
        self.root = Scope((), None)
        self.lost: list[Stay] = []
        """Stays that the last event ended although none of their own events did; innermost first."""
        self._after: dict[int, Context] = {0: self.root}
        self._loose: list[Scope] = []
        self._numbers = {
            name: {first: n for n, first in enumerate(firsts)} for name, firsts in (branches or {}).items()
        }

    def follow(self, event: Event) -> Context:
        """Take the next event and return where it happened; the events must come by ascending id."""
        previous = event.get("previousEventId", 0)
        before = self._after.get(previous)
        if before is None:
            before = self._detached(previous)
        if self.lost:
            self.lost = []
        event_type = event.get("type", "")
        rule = _RULES.get(event_type) or _guess(event_type)
        here, self._after[event.get("id", 0) or -1] = rule(self, event, before)
        return here

    def at(self, event_id: int) -> Context:
        """Return the context that an event has left; the execution itself for an unknown one."""
        return self._after.get(event_id, self.root)

    def active(self) -> Iterator[Stay]:
        """Yield every state that is open, each Map or Parallel before what runs inside it."""
        for scope in (self.root, *self._loose):
            yield from _open(scope)

    def _detached(self, event_id: int) -> Scope:
        """Begin a scope for the events that continue one which this history does not hold (it is cut at the front)."""
        scope = Scope((), None)
        self._loose.append(scope)
        self._after[event_id] = scope
        return scope

    def _named(self, context: Context, name: str | None) -> Stay | None:
        """Climb to the stay in the state `name`; state names are unique in a machine."""
        node: Context | None = context
        while node is not None:
            if isinstance(node, Scope):
                node = node.owner
            elif node.name == name:
                return node
            else:
                node = node.scope
        return None

    def _enclosing(self, context: Context, kind: str) -> Stay | None:
        """Climb to the innermost Map or Parallel state that has not failed for good, for events that name no state."""
        node: Context | None = context
        broken = None
        while node is not None:
            if isinstance(node, Scope):
                node = node.owner
                continue
            if node.type == kind:
                if not node.broken:
                    return node
                broken = broken or node
            node = node.scope
        return broken

    def _drop(self, scope: Scope, into: Stay | None) -> None:
        """End what is open in a scope; `into` is the Map or Parallel state that will be told of aborted states."""
        stay = scope.current
        if stay is None:
            return
        self._drop_inner(stay, into or stay)
        scope.current = None
        scope.last = stay
        self.lost.append(stay)
        if into is not None:
            into.owed = into.owed or deque()
            into.owed.append(stay)

    def _drop_inner(self, stay: Stay, into: Stay) -> None:
        if stay.inner:
            for scope in stay.inner.values():
                self._drop(scope, into)
            stay.inner = {}

    def _revive(self, stay: Stay) -> None:
        """Open a stay again that was lost or failed: a redriven execution goes on where it stopped."""
        node: Stay | None = stay
        while node is not None and node.scope.current is not node:
            node.broken = node.acknowledged = False
            node.scope.current = node
            owner = node.scope.owner
            if owner is not None:
                owner.inner[node.scope.key] = node.scope
            node = owner

    def _inside(self, stay: Stay, first: str) -> Scope:
        """Open a branch of a Parallel state, numbered by its first state so that retries agree."""
        if stay.type == "Parallel":
            numbers = self._numbers.setdefault(stay.name, {})
            key = numbers.setdefault(first, len(numbers))
        else:
            key = len(stay.inner)  # an iteration whose MapIterationStarted is missing
        scope = Scope((*stay.scope.place, (stay.name, key)), stay, key)
        stay.inner[key] = scope
        return scope


def _open(scope: Scope) -> Iterator[Stay]:
    stay = scope.current
    if stay is not None:
        yield stay
        for inner in stay.inner.values():
            yield from _open(inner)


Rule: TypeAlias = Callable[[Chain, Event, Context], tuple[Context, Context]]
"""(chain, event, context of the previous event) -> (where the event happened, context that it leaves)"""


def _entered(chain: Chain, event: Event, before: Context) -> tuple[Context, Context]:
    name = details(event).get("name") or ""
    if isinstance(before, Scope):
        scope = before
    elif before.type in _FAN_OUT:
        scope = chain._inside(before, name)
    else:
        scope = before.scope
    chain._drop(scope, None)  # its exit event is missing
    stay = Stay(event.get("id", 0), name, entered_type(event["type"]) or "", scope)
    scope.current = stay
    return stay, stay


def _exited(chain: Chain, event: Event, before: Context) -> tuple[Context, Context]:
    stay = chain._named(before, details(event).get("name"))
    if stay is None:
        scope = scope_of(before)
        return scope, scope
    if stay.inner:
        chain._drop_inner(stay, stay)
    if stay.scope.current is stay:
        stay.scope.current = None
    return stay, stay.scope


def _fan_started(chain: Chain, event: Event, before: Context) -> tuple[Context, Context]:
    stay = chain._enclosing(before, "Map" if event["type"] == "MapStateStarted" else "Parallel")
    if stay is None:
        return before, before
    if stay.scope.current is not stay:
        chain._revive(stay)
    chain._drop_inner(stay, stay)
    stay.run += 1
    stay.broken = False
    return stay, stay


def _fan_ended(chain: Chain, event: Event, before: Context) -> tuple[Context, Context]:
    stay = chain._enclosing(before, "Map" if event["type"].startswith("Map") else "Parallel")
    if stay is None:
        return before, before
    chain._drop_inner(stay, stay)
    stay.broken = event["type"].endswith("Failed")
    return stay, stay


def _iteration_started(chain: Chain, event: Event, before: Context) -> tuple[Context, Context]:
    detail = details(event)
    name, index = detail.get("name") or "", detail.get("index") or 0
    stay = chain._named(before, name)
    if stay is None:
        scope = Scope(_beside(scope_of(before).place, name, index), None, index)
        chain._loose.append(scope)
        return scope, scope
    if stay.scope.current is not stay:
        chain._revive(stay)
    scope = Scope((*stay.scope.place, (stay.name, index)), stay, index)
    stay.inner[index] = scope
    return scope, scope


def _beside(place: Place, name: str, index: int) -> Place:
    """Place an iteration of a Map whose entry is not in the history; `place` may lie in another iteration of it."""
    names = [step[0] for step in place]
    base = place[: names.index(name)] if name in names else place
    return (*base, (name, index))


def _iteration_ended(chain: Chain, event: Event, before: Context) -> tuple[Context, Context]:
    detail = details(event)
    name, index = detail.get("name") or "", detail.get("index")
    node: Scope | None = scope_of(before)
    while node is not None and not (node.place and node.place[-1][0] == name):
        node = node.owner.scope if node.owner else None
    if node is None:
        return before, before
    if index is not None and node.key != index:  # aborted by the failure of the sibling that the chain points at
        place = (*node.place[:-1], (name, index))
        node = (node.owner.inner.get(index) if node.owner else None) or Scope(place, node.owner, index)
    chain._drop(node, node.owner)
    if node.owner is not None and node.owner.inner.get(node.key) is node:
        del node.owner.inner[node.key]
    return node, node


def _state_aborted(chain: Chain, event: Event, before: Context) -> tuple[Context, Context]:
    """Find the aborted state: the chain's own if it fits, else the oldest of its type below the failing Map or Parallel.

    The event names no state, and for siblings the chain points at the failure, so among equals only their order can tell.
    """
    kind = STATE_ABORTED[event["type"]]
    stay = _abortable(before, kind)
    if stay is None:
        return before, before
    stay.acknowledged = True
    if stay.scope.current is stay:
        chain._drop(stay.scope, stay.scope.owner)
    return stay, before


def _abortable(before: Context, kind: str) -> Stay | None:
    own = before if isinstance(before, Stay) else before.current
    fits = own is not None and own.type == kind and not own.acknowledged
    if own is not None and fits and (own.scope.current is own or own.scope.owner is not None):
        return own
    fan = scope_of(before).owner
    while fan is not None:
        owed = fan.owed or deque()
        while owed and owed[0].acknowledged:
            owed.popleft()
        below = (stay for scope in fan.inner.values() for stay in _open(scope))
        found = next(
            (stay for stay in itertools.chain(owed, below) if stay.type == kind and not stay.acknowledged), None
        )
        if found is not None:
            return found
        fan = fan.scope.owner
    return None


def _evaluation_failed(chain: Chain, event: Event, before: Context) -> tuple[Context, Context]:
    """Find the state whose field failed: the chain points at the event before its entry."""
    name = details(event).get("state")
    if isinstance(before, Scope):
        found = before.current if before.current and name in (None, before.current.name) else None
    elif before.name == name:
        found = before
    else:
        found = next((s.current for s in before.inner.values() if s.current and s.current.name == name), None)
    stay = found or chain._named(before, name)
    return (stay, stay) if stay else (before, before)


def _scheduled(chain: Chain, _event: Event, before: Context) -> tuple[Context, Context]:
    stay = before if isinstance(before, Stay) else before.current or before.last
    if stay is None:
        return before, before
    if stay.scope.current is not stay:
        chain._revive(stay)
    return stay, stay


def _execution(chain: Chain, event: Event, before: Context) -> tuple[Context, Context]:
    if event["type"] in TERMINAL:
        for scope in (chain.root, *chain._loose):
            chain._drop(scope, None)
    return chain.root, before  # a redriven execution goes on from the event that failed


def _carried_on(_chain: Chain, _event: Event, before: Context) -> tuple[Context, Context]:
    return before, before


_RULES: Final[Mapping[str, Rule]] = {
    **dict.fromkeys(MEMBERS, _carried_on),
    **dict.fromkeys(ENTERED, _entered),
    **dict.fromkeys(EXITED, _exited),
    **dict.fromkeys(STATE_ABORTED, _state_aborted),
    **dict.fromkeys(SCHEDULED, _scheduled),
    **dict.fromkeys(("MapStateStarted", "ParallelStateStarted"), _fan_started),
    **dict.fromkeys(
        ("MapStateSucceeded", "MapStateFailed", "ParallelStateSucceeded", "ParallelStateFailed"),
        _fan_ended,
    ),
    "MapIterationStarted": _iteration_started,
    **dict.fromkeys(("MapIterationSucceeded", "MapIterationFailed", "MapIterationAborted"), _iteration_ended),
    "EvaluationFailed": _evaluation_failed,
    **dict.fromkeys(("ExecutionStarted", "ExecutionRedriven", *TERMINAL), _execution),
}


def _guess(event_type: str) -> Rule:
    """Find a rule for an event type that this version does not know: a new state type is entered and exited like any other."""
    if event_type.endswith("StateEntered"):
        return _entered
    return _exited if event_type.endswith("StateExited") else _carried_on


def places(events: Iterable[Event], branches: Branches | None = None) -> list[Place]:
    """Return the place of every event, by ascending event id."""
    chain = Chain(branches)
    return [scope_of(chain.follow(event)).place for event in ordered(events)]
