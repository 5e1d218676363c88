"""What a scrubber, a graph and a strip of iterations need to know of a whole line at once: who owns which event, and what came when.

A `Trail` folds all recorded events of a `Line` once and follows it as it grows; when the line was cut (an edit in the past), it begins
anew. Every answer then is for a position and costs little, however long the line is: an edge is drawn as taken from its first arrival
on, a retry counts from its event on. It is plain data from events; it moves nothing and calls nobody.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

from sfn_notebook.asl.topology import Topology
from sfn_notebook.engine.model import State
from sfn_notebook.history.events import ENTERED, SCHEDULED, Event, details
from sfn_notebook.history.places import Place, Stay, scope_of
from sfn_notebook.history.records import Iteration, Visit
from sfn_notebook.history.visits import Fold
from sfn_notebook.render.dot import edge_id
from sfn_notebook.render.look import encoded
from sfn_notebook.sim.breakpoints import ENDS, ERRORS
from sfn_notebook.sim.line import Line

SEGMENTS = 240
"""Most pieces of a scrubber: more could be neither seen nor hit."""
TICKS = 300


class Trail:
    """The whole of one line.

    Attributes:
        owners: for each event, the id of the visit that it belongs to; 0 for the execution and for iterations.
        places: for each event, its way through Map and Parallel states.
        ticks: (event, "error" or "retry", name) in order.
        version: another number whenever something has changed.
    """

    def __init__(self, line: Line, machine: Topology) -> None:
        self.line = line
        self._machine = machine
        self.version = 0
        self.states: dict[str, State] = {state.name: state for state in line.recording.program.states}
        self._begin()

    def _begin(self) -> None:
        states = self.states.values()
        self._fold = Fold({s.name: [start.name for start in s.starts] for s in states if s.type == "Parallel"})
        self._last: Event | None = None
        self._pieces: list[list[Any]] = []
        self.owners: list[int] = []
        self.places: list[Place] = []
        self.ticks: list[tuple[int, str, str]] = []
        self._edges: dict[str, int] = {}
        self._visits: dict[str, list[int]] = {}
        self._retries: dict[str, list[int]] = {}
        self._open: dict[tuple[int, int, Place], Visit] = {}

    def update(self) -> Trail:
        """Take in what the line has recorded since."""
        events = self.line.events
        known = len(self.owners)
        if known > len(events) or (known and events[known - 1] is not self._last):
            self._begin()
            known = 0
        for event in events[known:]:
            self._take(event)
            self.version += 1
        return self

    def _take(self, event: Event) -> None:
        fold = self._fold
        fold.advance(event)
        self._last = event
        here = fold.here
        self.places.append(scope_of(here).place)
        visit = fold.visit(here.id) if isinstance(here, Stay) else None
        self.owners.append(0 if visit is None else visit.id)
        name = "" if visit is None else visit.name
        if not self._pieces or self._pieces[-1][1] != name:
            self._pieces.append([len(self.owners), name])
        if visit is None:
            self._take_loose(event)
            return
        if event["type"] in ENTERED:
            self._enter(visit)
        elif visit.attempts > 1 and (event["type"] in SCHEDULED or event["type"].endswith("StateStarted")):
            self._retries.setdefault(visit.name, []).append(event["id"])
            self.ticks.append((event["id"], "retry", visit.name))
        if event["type"] in ERRORS:
            self.ticks.append((event["id"], "error", f"{visit.name}: {details(event).get('error') or event['type']}"))

    def _take_loose(self, event: Event) -> None:
        if event["type"] in ERRORS or event["type"] in ENDS:
            self.ticks.append((event["id"], "error", details(event).get("error") or event["type"]))
        elif event["type"] == "ExecutionSucceeded" and ((0, 1, ()) in self._open):
            self._arrive(f"edge-end:{encoded(self._pointer(self._open[0, 1, ()].name))}:end", event["id"])

    def _enter(self, visit: Visit) -> None:
        self._visits.setdefault(visit.name, []).append(visit.id)
        key = (visit.parent, visit.run, visit.place)
        before, self._open[key] = self._open.get(key), visit
        target = self._pointer(visit.name)
        if before is None:
            parent = self._fold.visit(visit.parent)
            self._arrive(edge_id(self._pointer(parent.name) if parent else "start", "start", target), visit.id)
            return
        for edge in self._machine.edges_from(self._pointer(before.name)):
            if edge.target_pointer == target and (edge.kind == "catch") == (before.status == "CAUGHT"):
                self._arrive(edge_id(edge.source_pointer, edge.kind, target), visit.id)
                return

    def _arrive(self, edge: str, event: int) -> None:
        self._edges.setdefault(edge, event)

    def _pointer(self, name: str) -> str:
        state = self.states.get(name)
        return "" if state is None else state.pointer

    # ---- asking

    def edges(self, position: int) -> list[str]:
        """Give the SVG ids of the edges that have been taken by a position."""
        return [edge for edge, event in self._edges.items() if event <= position]

    def retries(self, name: str, position: int) -> int:
        """Count the attempts of a state beyond the first of each visit, by a position."""
        return bisect_right(self._retries.get(name, ()), position)

    def visit(self, visit_id: int) -> Visit | None:
        """Give a visit as it is at the end of the line."""
        return self._fold.visit(visit_id)

    def last_visit(self, name: str, position: int) -> int | None:
        """Give the id of the last visit of a state by a position."""
        ids = self._visits.get(name, [])
        at = bisect_right(ids, position)
        return ids[at - 1] if at else None

    def last_event(self, visit_id: int, position: int) -> int:
        """Give the last event of a visit by a position."""
        visit = self.visit(visit_id)
        end = position if visit is None or visit.end_event is None else min(position, visit.end_event)
        for at in range(end, visit_id, -1):
            if self.owners[at - 1] == visit_id:
                return at
        return visit_id

    def last_inside(self, place: Place, position: int) -> int | None:
        """Give the last event by a position that happened in a state at a place or below it."""
        depth = len(place)
        for at in range(position, 0, -1):
            if self.places[at - 1][:depth] == place and self.owners[at - 1]:
                return at
        return None

    def map_around(self, visit_id: int) -> Visit | None:
        """Give the innermost Map visit with iterations or child executions of its own: the visit itself, or one around it."""
        visit = self.visit(visit_id)
        while visit is not None and not (visit.type == "Map" and (visit.iterations or visit.map_run_arn)):
            visit = self.visit(visit.parent)
        return visit

    def iterations(self, visit: Visit, position: int) -> str:
        """Give one letter per item of a Map: S, F, A, T as the statuses begin, R running, "." not started."""
        started = {i.index: i for i in visit.iterations if i.event <= position}
        total = max(visit.length or 0, max(started, default=-1) + 1)
        letters = ["."] * total
        for index, iteration in started.items():
            letters[index] = _letter(iteration, position)
        return "".join(letters)

    def segments(self) -> list[list[Any]]:
        """Give the pieces of the scrubber: [first event, name of the state], at most `SEGMENTS`."""
        if len(self._pieces) <= SEGMENTS:
            return [list(piece) for piece in self._pieces]
        width = len(self.owners) / SEGMENTS
        firsts = [int(at * width) for at in range(SEGMENTS)]
        return [[first + 1, self._name(first)] for first in firsts]

    def _name(self, at: int) -> str:
        visit = self._fold.visit(self.owners[at])
        return "" if visit is None else visit.name

    def shown_ticks(self) -> list[list[Any]]:
        """Give the ticks, errors first where there are too many."""
        if len(self.ticks) <= TICKS:
            return [list(tick) for tick in self.ticks]
        errors = [tick for tick in self.ticks if tick[1] == "error"]
        kept = errors[:: -(-len(errors) // TICKS)] if errors else self.ticks[:: -(-len(self.ticks) // TICKS)]
        return [list(tick) for tick in kept]


def _letter(iteration: Iteration, position: int) -> str:
    ended = iteration.end_event is not None and iteration.end_event <= position
    return iteration.status[0] if ended else "R"
