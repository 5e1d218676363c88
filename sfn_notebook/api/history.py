"""`History`: the events of one execution, wherever they came from.

Events of a local run stay in the engine's compact log until somebody asks for them; from then on everything works on the list of
dicts that boto3 gives. What is derived (visits, frames, failure) is computed once, by `history`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfn_notebook.engine import log as engine_log
from sfn_notebook.errors import Json, RunError
from sfn_notebook.history.failure import Failure, failure
from sfn_notebook.history.overview import Overview, overview
from sfn_notebook.history.records import Visit
from sfn_notebook.history.snapshot import Snapshot, snapshot
from sfn_notebook.history.visits import fold

if TYPE_CHECKING:
    import pandas as pd


class History:
    """The event history of one execution.

    `len(history)` is its number of events; iterating gives them one by one.
    """

    def __init__(self, events: list[dict[str, Any]] | None = None, log: list[Json] | None = None) -> None:
        """Use `from_events`, `from_json`, or the `history` of an execution."""
        self._events = events
        self._log = log

    @classmethod
    def from_events(cls, events: Iterable[dict[str, Any]]) -> History:
        """Wrap events in the shape of boto3's `get_execution_history` (the list under its key `events`).

        Raises:
            RunError: an element is no event.
        """
        found = list(events)
        for index, event in enumerate(found):
            if not isinstance(event, dict) or "type" not in event or "id" not in event:
                raise RunError(
                    f"element {index} is no history event: it needs at least type and id, but found {str(event)[:80]}"
                )
        return cls(found)

    @classmethod
    def from_json(cls, path: str | os.PathLike[str]) -> History:
        """Read a JSON file: a list of events, or the answer of `aws stepfunctions get-execution-history`.

        Raises:
            RunError: the file cannot be read or holds no events.
        """
        try:
            found = json.loads(Path(path).read_bytes().decode("utf-8", "surrogatepass"))
        except (OSError, ValueError) as error:
            raise RunError(f"{path} cannot be read as a history: {error}") from error
        events = found.get("events") if isinstance(found, dict) else found
        if not isinstance(events, list):
            raise RunError(f'{path} holds no history: expected a list of events, or an object with the key "events"')
        return cls.from_events(_with_datetime(event) for event in events)

    @classmethod
    def of_log(cls, log: list[Json]) -> History:
        """Wrap the log of a local run as it stands now."""
        return cls(log=log[:])

    def to_json(self, path: str | os.PathLike[str]) -> None:
        """Write the events as a JSON list that `from_json` reads; timestamps as ISO-8601 text."""
        try:
            text = json.dumps(self.raw, default=_iso, ensure_ascii=False, indent=1)
            Path(path).write_bytes(text.encode("utf-8", "surrogatepass"))
        except OSError as error:
            raise RunError(f"the history cannot be written to {path}: {error.strerror}") from error

    @property
    def raw(self) -> list[dict[str, Any]]:
        """The events exactly in the shape of boto3's `get_execution_history`."""
        if self._events is None:
            assert self._log is not None
            self._events = list(engine_log.events(self._log))
        return self._events

    def __len__(self) -> int:
        return len(self._events) if self._events is not None else len(self._log or ()) // engine_log.STRIDE

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.raw)

    @cached_property
    def visits(self) -> list[Visit]:
        """The state visits, in order of entering."""
        return fold(self.raw)

    @cached_property
    def events(self) -> pd.DataFrame:
        """One row an event; columns in `history.frames.events_frame`."""
        from sfn_notebook.history.frames import events_frame

        return events_frame(self.raw)

    @cached_property
    def states(self) -> pd.DataFrame:
        """One row a state visit; columns in `history.frames.states_frame`."""
        from sfn_notebook.history.frames import states_frame

        return states_frame(self.visits)

    @cached_property
    def attempts(self) -> pd.DataFrame:
        """One row a task attempt; columns in `history.frames.attempts_frame`."""
        from sfn_notebook.history.frames import attempts_frame

        return attempts_frame(self.visits)

    @cached_property
    def iterations(self) -> pd.DataFrame:
        """One row a Map iteration; columns in `history.frames.iterations_frame`."""
        from sfn_notebook.history.frames import iterations_frame

        return iterations_frame(self.visits)

    @cached_property
    def transitions(self) -> pd.DataFrame:
        """One row a transition between states; columns in `history.frames.transitions_frame`."""
        from sfn_notebook.history.frames import transitions_frame

        return transitions_frame(self.visits)

    @cached_property
    def failure(self) -> Failure | None:
        """Root failure, terminal failure and handled ones; None where nothing failed."""
        return failure(self.raw)

    @cached_property
    def overview(self) -> Overview:
        """The execution at a glance: status, started, ended, duration, events, error, cause, input, output."""
        return overview(self.raw)

    def at(self, position: int) -> Snapshot:
        """Give the state of affairs after the event with this id; 0 is before the first."""
        return snapshot(self.raw, position)

    def __repr__(self) -> str:
        last = self.raw[-1]["type"] if len(self) else "empty"
        return f"<History: {len(self)} events, last {last}>"


def _with_datetime(event: Any) -> Any:
    if isinstance(event, dict) and isinstance(event.get("timestamp"), str):
        try:
            return {**event, "timestamp": datetime.fromisoformat(event["timestamp"])}
        except ValueError:
            raise RunError(
                f"event {event.get('id')} has the timestamp {event['timestamp']!r}, which is no ISO-8601 date-time"
            ) from None
    if isinstance(event, dict) and isinstance(event.get("timestamp"), int | float):
        return {**event, "timestamp": engine_log.timestamp(round(event["timestamp"] * 1000))}
    return event


def _iso(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    raise TypeError(f"{type(value).__name__} is not JSON")
