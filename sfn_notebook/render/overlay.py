"""What a run did, as a drawing needs it: per state and per edge, as plain counts.

Owns the reduction of state visits to one status per state. It takes plain rows, so it needs neither pandas nor the history
package: whoever holds visits (a frame, a fold of events, a test) passes dicts or objects with the same names.

Each visit has a `status`; the state's status is the one of its last visit, except that anything still open wins and that a
failure is shown wherever one happened.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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

_RANK = (Status.NOT_REACHED, Status.SUCCEEDED, Status.CAUGHT, Status.ABORTED, Status.FAILED, Status.WAITING, Status.RUNNING)


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
    """

    status: Status = Status.NOT_REACHED
    visits: int = 0
    retries: int = 0
    iterations_succeeded: int = 0
    iterations_failed: int = 0
    iterations_total: int = 0
    errors: tuple[str, ...] = ()


@dataclass(slots=True)
class Overlay:
    """A run laid over a machine.

    Attributes:
        states: state name -> what happened there; an absent name was not reached.
        edges: (source name, target name) -> how often it was taken; "" as source is the start mark, as target the end mark.
        status: of the whole run, or None.
    """

    states: dict[str, StateOverlay] = field(default_factory=dict)
    edges: dict[tuple[str, str], int] = field(default_factory=dict)
    status: Status | None = None

    def of(self, name: str) -> StateOverlay:
        """Give what happened to the state `name`."""
        return self.states.get(name) or StateOverlay()

    def taken(self, source: str, target: str) -> int:
        """Give how often the run went from `source` to `target`."""
        return self.edges.get((source, target), 0)


def status_of(word: object) -> Status:
    """Read a status word as AWS or our frames write it; an unknown word counts as running."""
    if isinstance(word, Status):
        return word
    text = str(getattr(word, "value", word)).upper().replace("_", " ") if word is not None else "RUNNING"
    return _WORDS.get(text.replace(" ", "_")) or _WORDS.get(text) or Status.RUNNING


def overlay_from_visits(visits: Iterable[Any], *, status: object = None) -> Overlay:
    """Fold visits, in order of entering, into an overlay.

    Args:
        visits: dicts or objects with `name` and `status`, and where known `attempts` (number), `path` (where it ran: visits
            with an equal path follow each other), `error`, `next` (name of the state it went to, "" for the end),
            `succeeded`, `failed` and `total` (iterations of a Map).
        status: status of the whole run.

    Returns:
        The overlay. Where rows have no `next`, edges are taken from the order of visits with the same path.
    """
    overlay = Overlay(status=None if status is None else status_of(status))
    last: dict[object, str] = {}
    for visit in visits:
        name = str(_get(visit, "name", ""))
        _count(overlay.states.setdefault(name, StateOverlay()), visit)
        path = _hashable(_get(visit, "path", ""))
        following = _get(visit, "next", None)
        if following is not None:
            _take(overlay, name, str(following))
        if path not in last:
            _take(overlay, "", name)
        elif last[path]:
            _take(overlay, last[path], name)
        last[path] = "" if following is not None else name
    return overlay


def _count(state: StateOverlay, visit: object) -> None:
    seen = status_of(_get(visit, "status", None))
    state.visits += 1
    state.retries += max(0, _number(_get(visit, "attempts", 1)) - 1)
    state.iterations_succeeded += _number(_get(visit, "succeeded", 0))
    state.iterations_failed += _number(_get(visit, "failed", 0))
    state.iterations_total += _number(_get(visit, "total", 0))
    state.status = max(state.status, seen, key=_RANK.index)
    error = _get(visit, "error", None)
    if isinstance(error, str) and error and error not in state.errors:
        state.errors = (*state.errors, error)


def _take(overlay: Overlay, source: str, target: str) -> None:
    overlay.edges[source, target] = overlay.edges.get((source, target), 0) + 1


def _get(visit: object, key: str, default: object) -> Any:
    if isinstance(visit, Mapping):
        return visit.get(key, default)
    return getattr(visit, key, default)


def _number(value: object) -> int:
    if isinstance(value, (list, tuple)):
        return len(value)
    return int(value) if isinstance(value, (int, float)) and value == value else 0  # noqa: PLR0124 - NaN is not itself


def _hashable(value: object) -> object:
    return tuple(map(str, value)) if isinstance(value, list) else str(value)
