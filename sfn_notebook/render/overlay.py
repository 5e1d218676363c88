"""What a run did, as a drawing needs it: per state and per edge, as plain counts.

Owns the reduction of state visits to one status per state. It takes plain rows, so it needs neither pandas nor the history
package: whoever holds visits (a frame, a fold of events, a test) passes dicts or objects with the same names.

A state that was visited several times shows the most telling status: what is still open before a failure, a failure before an
abort, that before a caught error, and success last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sfn_notebook.render.theme import Status

_WORDS: Mapping[str, Status] = {
    "SUCCEEDED": Status.SUCCEEDED,
    "OK": Status.SUCCEEDED,
    "EXITED": Status.SUCCEEDED,
    "FAILED": Status.FAILED,
    "TIMED_OUT": Status.FAILED,
    "CAUGHT": Status.CAUGHT,
    "RUNNING": Status.RUNNING,
    "ENTERED": Status.RUNNING,
    "WAITING": Status.WAITING,
    "ABORTED": Status.ABORTED,
    "NOT REACHED": Status.NOT_REACHED,
}

_RANK = (
    Status.NOT_REACHED,
    Status.SUCCEEDED,
    Status.CAUGHT,
    Status.ABORTED,
    Status.FAILED,
    Status.WAITING,
    Status.RUNNING,
)


_ABSENT = object()


@dataclass(slots=True)
class StateOverlay:
    """What happened to one state over all its visits.

    Attributes:
        status: the status shown; NOT_REACHED when it was never entered.
        visits: how often it was entered.
        retries: attempts beyond the first, over all visits.
        iterations_succeeded: iterations of a Map that ended well.
        iterations_failed: iterations of a Map that failed.
        iterations_total: items of a Map, 0 where unknown.
        errors: names of errors seen, in order, each once.
        notes: lines to show in place of what one run would say of retries, items and errors.
        shade: palette role ("heat-3") in place of the status's; no status mark is shown then.
    """

    status: Status = Status.NOT_REACHED
    visits: int = 0
    retries: int = 0
    iterations_succeeded: int = 0
    iterations_failed: int = 0
    iterations_total: int = 0
    errors: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    shade: str | None = None


@dataclass(slots=True)
class Overlay:
    """A run laid over a machine.

    Attributes:
        states: state name -> what happened there; an absent name was not reached.
        edges: (source name, target name) -> how often it was taken; the source "" is the start of the scope.
        caught: the part of `edges` that was a Catch.
        status: of the whole run, or None.
        many: whether this sums up many runs: each way then tells its number, and the more it was taken the wider it is.
        ends: state name -> how often its scope ended there; only of many runs.
    """

    states: dict[str, StateOverlay] = field(default_factory=dict)
    edges: dict[tuple[str, str], int] = field(default_factory=dict)
    caught: dict[tuple[str, str], int] = field(default_factory=dict)
    status: Status | None = None
    many: bool = False
    ends: dict[str, int] = field(default_factory=dict)

    def of(self, name: str) -> StateOverlay:
        """Give what happened to the state `name`."""
        return self.states.get(name) or StateOverlay()

    def taken(self, source: str, target: str, *, caught: bool = False) -> int:
        """Give how often the run went from `source` to `target` in the ordinary way, or by a Catch."""
        by_catch = self.caught.get((source, target), 0)
        return by_catch if caught else self.edges.get((source, target), 0) - by_catch

    def leaving(self, source: str) -> int:
        """Give how often any way out of `source` was taken, its end included; of "" how often the scope began."""
        return sum(count for (begin, _), count in self.edges.items() if begin == source) + self.ends.get(source, 0)


def status_of(word: object) -> Status:
    """Read a status word as AWS or our frames write it; an unknown word counts as running."""
    if isinstance(word, Status):
        return word
    text = str(getattr(word, "value", word)).upper().replace("_", " ") if word is not None else "RUNNING"
    return _WORDS.get(text.replace(" ", "_")) or _WORDS.get(text) or Status.RUNNING


def overlay_from_visits(visits: Iterable[Any], *, status: object = None) -> Overlay:
    """Fold visits, in order of entering, into an overlay.

    Args:
        visits: dicts or objects with `name` and `status`, and where known `type`, `attempts` (number), `error`; `id` and `next`
            (id of the visit that followed) for edges, or else `place` (or `path`: visits with an equal one follow each other);
            for a Map `iterations` (objects with a `status`) and `length`, or the numbers `succeeded`, `failed` and `total`.
        status: status of the whole run.
    """
    rows = list(visits)
    overlay = Overlay(status=None if status is None else status_of(status))
    for visit in rows:
        _count(overlay.states.setdefault(str(_get(visit, "name", "")), StateOverlay()), visit)
    known = any(_get(visit, "next", _ABSENT) is not _ABSENT for visit in rows)
    for edge, caught in _followed(rows) if known else _in_order(rows):
        overlay.edges[edge] = overlay.edges.get(edge, 0) + 1
        if caught:
            overlay.caught[edge] = overlay.caught.get(edge, 0) + 1
    return overlay


def _followed(rows: list[Any]) -> Iterator[tuple[tuple[str, str], bool]]:
    """Give the edges that the visits' own `next` tells; a visit that follows none began its scope."""
    names = {_get(visit, "id", None): str(_get(visit, "name", "")) for visit in rows}
    followers = {_get(visit, "next", None) for visit in rows}
    for visit in rows:
        name, following = str(_get(visit, "name", "")), _get(visit, "next", None)
        if _get(visit, "id", None) not in followers:
            yield ("", name), False
        if following in names:
            yield (name, names[following]), _was_caught(visit)


def _in_order(rows: list[Any]) -> Iterator[tuple[tuple[str, str], bool]]:
    last: dict[str, tuple[str, bool]] = {}
    for visit in rows:
        name, place = str(_get(visit, "name", "")), str(_get(visit, "place", None) or _get(visit, "path", None) or "")
        source, caught = last.get(place, ("", False))
        yield (source, name), caught
        last[place] = name, _was_caught(visit)


def _was_caught(visit: object) -> bool:
    return status_of(_get(visit, "status", None)) is Status.CAUGHT


def _count(state: StateOverlay, visit: object) -> None:
    seen = status_of(_get(visit, "status", None))
    if seen is Status.RUNNING and _get(visit, "type", "") == "Wait":
        seen = Status.WAITING
    state.visits += 1
    state.retries += max(0, _number(_get(visit, "attempts", 1)) - 1)
    _count_iterations(state, visit)
    state.status = max(state.status, seen, key=_RANK.index)
    error = _get(visit, "error", None)
    if isinstance(error, str) and error and error not in state.errors:
        state.errors = (*state.errors, error)


def _count_iterations(state: StateOverlay, visit: object) -> None:
    iterations = _get(visit, "iterations", None)
    ends = (
        [status_of(_get(item, "status", None)) for item in iterations] if isinstance(iterations, (list, tuple)) else []
    )
    state.iterations_succeeded += ends.count(Status.SUCCEEDED) + _number(_get(visit, "succeeded", 0))
    state.iterations_failed += ends.count(Status.FAILED) + _number(_get(visit, "failed", 0))
    state.iterations_total += _number(_get(visit, "total", 0)) or _number(_get(visit, "length", 0)) or len(ends)


def _get(visit: object, key: str, default: object) -> Any:
    if isinstance(visit, Mapping):
        return visit.get(key, default)
    return getattr(visit, key, default)


def _number(value: object) -> int:
    if isinstance(value, (list, tuple)):
        return len(value)
    return int(value) if isinstance(value, (int, float)) and value == value else 0
