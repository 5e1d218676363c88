"""Warnings on data: references that cannot exist or are not guaranteed, payloads and histories that must outgrow their limits.

What is known comes from `asl.dataflow`; here it becomes messages that show the way by which the data was lost. AWS accepts all of
this and fails the execution later, so nothing here is an error.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from sfn_notebook.asl import shapes
from sfn_notebook.asl.dataflow import Flow, Miss, analyse
from sfn_notebook.asl.routes import route
from sfn_notebook.asl.rule import Machine, Problem
from sfn_notebook.asl.rules_maps import mode_of
from sfn_notebook.asl.topology import Edge, Scope, StateNode
from sfn_notebook.errors import Severity

CANNOT_EXIST = "DATA_CANNOT_EXIST"
NOT_GUARANTEED = "DATA_NOT_GUARANTEED"
PAYLOAD_LIMIT = "PAYLOAD_LIMIT"
EVENT_LIMIT = "EVENT_LIMIT"
MAX_PAYLOAD = 262_144
MAX_EVENTS = 25_000


def flow_of(machine: Machine) -> Flow:
    """Analyse a machine once."""
    if "flow" not in machine.memo:
        machine.memo["flow"] = analyse(machine)
    flow: Flow = machine.memo["flow"]
    return flow


def data_exists(machine: Machine) -> Iterator[Problem]:
    """What a path reads is there on every way that leads to its state."""
    told: set[tuple[str, str, int]] = set()
    for miss in flow_of(machine).misses:
        place = (miss.pointer, miss.path, miss.offset)
        if place not in told:
            told.add(place)
            yield _missed(miss, machine)


def _missed(miss: Miss, machine: Machine) -> Problem:
    state = machine.graph.by_pointer[miss.state].name
    certain = miss.found.status == "missing"
    if miss.writes:
        message = f'ResultPath {miss.path} cannot be written in state "{state}": its data is no object there'
    else:
        doubt = "cannot exist" if certain else "is not guaranteed to exist"
        message = f'{miss.path} {doubt} in state "{state}"'
    code = CANNOT_EXIST if certain else NOT_GUARANTEED
    hint = _reason(miss, machine)
    return Problem(miss.pointer, message, code, Severity.WARNING, offset=miss.offset, hint=hint)


def _reason(miss: Miss, machine: Machine) -> str | None:
    found, graph = miss.found, machine.graph
    if found.setter is not None:
        setter = found.setter

        def sets(edge: Edge) -> bool:
            return edge.source_pointer == setter

        way = route(graph, None, miss.state, avoid=sets)
        name = graph.by_pointer[setter].name
        return f'only "{name}" sets it; not set on the way {way}' if way else f'only "{name}" sets it'
    maker = found.maker
    if maker is None:
        return None
    parts = [maker.does]
    if found.tasks:
        names = [f'"{graph.by_pointer[task].name}"' for task in dict.fromkeys(found.tasks)]
        parts.append(f"it exists only if {' or '.join(names)} returns it")
    if maker.state and maker.state != miss.state:
        way = route(graph, maker.state, miss.state)
        if way and " → " in way:
            parts.append(f"on the way {way}")
    if maker.advice:
        parts.append(maker.advice)
    return "; ".join(parts)


def payload_limit(machine: Machine) -> Iterator[Problem]:
    """No state yields more than 256 KiB."""
    for pointer, shape in flow_of(machine).left.items():
        size = shape.size
        if size > MAX_PAYLOAD:
            node = machine.graph.by_pointer[pointer]
            before = flow_of(machine).entered[pointer].size
            if before > MAX_PAYLOAD:
                continue  # told where it began
            message = f'the output of state "{node.name}" has at least {size:,} bytes; AWS takes {MAX_PAYLOAD:,}'
            hint = "the execution would fail with States.DataLimitExceeded; keep large data in S3 and pass its key"
            yield Problem(pointer, message, PAYLOAD_LIMIT, Severity.WARNING, key=True, hint=hint)


def event_limit(machine: Machine) -> Iterator[Problem]:
    """A run without failures has at most 25,000 events; Express workflows have no such limit."""
    if machine.workflow_type == "EXPRESS":
        return
    flow, states = flow_of(machine), len(machine.graph.nodes)
    if states * _MOST + 2 <= MAX_EVENTS and not any(map(shapes.least_length, flow.items.values())):
        return  # each state is passed once on the shortest way
    counter = _Events(machine, flow)
    total = counter.scope(machine.graph.scopes[0])
    if total is None or total + 2 <= MAX_EVENTS:
        return
    pointer, share = max(counter.maps.items(), key=lambda item: item[1], default=("", 0))
    if pointer:
        name = machine.graph.by_pointer[pointer].name
        message = f"this Map alone makes at least {share:,} events; a Standard execution may have {MAX_EVENTS:,}"
        if share <= MAX_EVENTS:
            message = (
                f'a run has at least {total + 2:,} events, {share:,} of them in "{name}"; {MAX_EVENTS:,} are allowed'
            )
        hint = "a Distributed Map gives each child execution a history of its own"
        yield Problem(pointer, message, EVENT_LIMIT, Severity.WARNING, key=True, hint=hint)
    else:
        message = f"a run has at least {total + 2:,} events; a Standard execution may have {MAX_EVENTS:,}"
        yield Problem("", message, EVENT_LIMIT, Severity.WARNING, hint="start other executions for parts of the work")


_COSTS = {"Task": 5, "Fail": 1}
_MOST = 5
"""No state by itself has more events."""


class _Events:
    """Counts the fewest events of a run in which nothing fails."""

    def __init__(self, machine: Machine, flow: Flow) -> None:
        self.graph = machine.graph
        self.flow = flow
        self.maps: dict[str, int] = {}

    def scope(self, scope: Scope) -> int | None:
        """Give the fewest events from the start to an end; None where no way is known."""
        if scope.start_pointer is None:
            return None
        waiting = [(self.state(scope.start_pointer), scope.start_pointer)]
        done: set[str] = set()
        while waiting:
            cost, pointer = heapq.heappop(waiting)
            if pointer in done:
                continue
            done.add(pointer)
            node = self.graph.by_pointer[pointer]
            if node.terminal and node.type != "Fail":
                return cost
            for edge in self.graph.edges_from(pointer):
                target = edge.target_pointer
                if target is not None and target not in done and edge.kind != "catch":
                    heapq.heappush(waiting, (cost + self.state(target), target))
        return None

    def state(self, pointer: str) -> int:
        """Give the fewest events of one state."""
        node = self.graph.by_pointer[pointer]
        if node.type == "Parallel":
            return 4 + sum(self.scope(scope) or 0 for scope in self.graph.scopes_of(pointer))
        if node.type == "Map":
            return self._map(node)
        return _COSTS.get(node.type, 2)

    def _map(self, node: StateNode) -> int:
        if mode_of(node.definition) != "INLINE":
            return 5
        items = self.flow.items.get(node.pointer)
        count = shapes.least_length(items) if items is not None else 0
        inside = sum(2 + (self.scope(scope) or 0) for scope in self.graph.scopes_of(node.pointer)) if count else 0
        cost = 4 + count * inside
        if count:
            self.maps[node.pointer] = cost
        return cost
