"""`History`: the events of one execution, wherever they came from.

Events of a local run stay in the engine's compact log until somebody asks for them; from then on everything works on the list of
dicts that boto3 gives. What is derived (visits, frames, failure) is computed once, by `history`; frames and answers that many executions
have too are in `analysis`. A history that was fetched also knows its ARN and name, why something is missing, and the way back to AWS.
"""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfn_notebook.api.analysis import Analysed, framed, kind_of, names_of, redaction_paths, shown
from sfn_notebook.engine import log as engine_log
from sfn_notebook.errors import CommandError, Json, RunError
from sfn_notebook.history.compare import Difference
from sfn_notebook.history.failure import Failure, failure
from sfn_notebook.history.overview import Overview, overview
from sfn_notebook.history.recording import Recording, recording_of
from sfn_notebook.history.records import Visit
from sfn_notebook.history.redact import Redaction
from sfn_notebook.history.snapshot import Snapshot, snapshot
from sfn_notebook.history.visits import fold

if TYPE_CHECKING:
    import pandas as pd

    from sfn_notebook.api.execution import Execution
    from sfn_notebook.api.machine import StateMachine
    from sfn_notebook.render.chart import Chart


class History(Analysed):
    """The event history of one execution.

    `len(history)` is its number of events; iterating gives them one by one.
    """

    def __init__(
        self,
        events: list[dict[str, Any]] | None = None,
        log: list[Json] | None = None,
        recording: Recording | None = None,
        access: Mapping[str, Any] | None = None,
    ) -> None:
        """Use `from_aws`, `from_events`, `from_json`, `from_logs`, or the `history` of an execution."""
        self._events = events
        self._log = log
        self._recording = recording
        self._access = access
        self._machine: StateMachine | None = None

    # ---- where histories come from

    @classmethod
    def from_aws(
        cls,
        arn: str,
        session: Any = None,
        *,
        profile: str | None = None,
        region: str | None = None,
        endpoint_url: str | None = None,
        payloads: bool = True,
        redact: Sequence[str] | str | None = None,
        cache: Any = None,
        since: Any = None,
        log_group: str | None = None,
        config: Any = None,
        clock: Any = None,
    ) -> History:
        """Fetch one execution with all pages of its history.

        Args:
            arn: ARN or console URL of an execution, Standard or Express, or of a Map Run's child.
            session: a boto3 session, used as it is; else we make one of our own.
            profile: a profile for a session of our own.
            region: the default is that of the ARN.
            endpoint_url: another endpoint than AWS.
            payloads: whether to fetch inputs and outputs.
            redact: paths of payload fields to mask, such as "$..password"; by default what `SFN_NOTEBOOK_REDACT` says.
            cache: a directory, True for the user's, None for what `SFN_NOTEBOOK_CACHE` says; closed Standard executions are kept there.
            since: for Express: how far back to look, such as "3d"; the default is a day.
            log_group: for Express: the log group, to spare asking the state machine for it.
            config: a `botocore.config.Config` over our settings.
            clock: time, for tests.

        Raises:
            AwsError: with what, where, and what to do.
        """
        from sfn_notebook.aws.fetch import fetch_recording

        access = access_of(session, profile, region, endpoint_url, config, clock)
        found = fetch_recording(
            arn,
            payloads=payloads,
            redact=redaction_paths(redact),
            cache=cache,
            since=since,
            log_group=log_group,
            **access,
        )
        return cls.of_recording(found, access)

    @classmethod
    def from_logs(
        cls,
        source: str | os.PathLike[str] | Iterable[str | Mapping[str, Any]],
        *,
        redact: Sequence[str] | str | None = None,
    ) -> History:
        """Read the log records of one Express execution.

        Args:
            source: the records as `Executions.from_logs` takes them.
            redact: paths of payload fields to mask, such as "$..password".

        Raises:
            RunError: there are none, or they belong to several executions.
        """
        found = recordings_of_logs(source, redact)
        if len(found) != 1:
            names = names_of(row.name for row in found)
            raise RunError(
                f"these log records belong to {len(found)} executions ({names}); Executions.from_logs reads them all"
                if found
                else "there are no log records of Step Functions in it"
            )
        return cls.of_recording(found[0])

    @classmethod
    def of_recording(cls, recording: Recording, access: Mapping[str, Any] | None = None) -> History:
        """Wrap a recorded execution; `access` is what leads back to AWS, as keyword arguments of `aws.fetch`."""
        return cls(recording.events, recording=recording, access=access)

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
    def of_log(cls, log: list[Json], recording: Recording | None = None) -> History:
        """Wrap the log of a local run as it stands now; `recording` is what is known of the run besides."""
        return cls(log=log[:], recording=recording)

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
            with collector_paused():
                self._events = list(engine_log.events(self._log))
        return self._events

    def __len__(self) -> int:
        return len(self._events) if self._events is not None else len(self._log or ()) // engine_log.STRIDE

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.raw)

    # ---- what it is

    @property
    def arn(self) -> str:
        """The execution's ARN; "" where it is not known."""
        return self._recording.arn if self._recording else ""

    @property
    def name(self) -> str:
        """The execution's name; "" where it is not known."""
        return self._recording.name if self._recording else ""

    @property
    def notice(self) -> str | None:
        """Why events are missing or incomplete; None when they are all there."""
        return self._recording.notice if self._recording else None

    @property
    def status(self) -> str:
        """RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED or PENDING_REDRIVE."""
        return self.overview.status

    @property
    def title(self) -> str:
        """What pictures call it."""
        return self.name or "one execution"

    def recording(self, name: str = "", arn: str = "") -> Recording:
        """Give the execution as plain data, as the cache and Parquet keep it; name and ARN for a history without its own."""
        if self._recording is None:
            return recording_of(self.raw, arn, name)
        if self._log is not None and not self._recording.events:
            self._recording = replace(self._recording, events=self.raw)
        return self._recording

    @property
    def knows_machine(self) -> bool:
        """Whether `machine_as_ran` can tell the machine."""
        return self._machine is not None or self._access is not None

    @property
    def known_machine(self) -> StateMachine | None:
        """The machine as it ran, if it was fetched already."""
        return self._machine

    def machine_as_ran(self) -> StateMachine:
        """Fetch the machine as this execution ran it, which may have changed since.

        Raises:
            CommandError: the history was not fetched from AWS.
            AwsError: with what, where, and what to do.
        """
        if self._machine is None:
            if self._access is None:
                raise CommandError(
                    "this history was not fetched from AWS, so its machine is not known: load it with StateMachine.load"
                )
            from sfn_notebook.api.machine import StateMachine
            from sfn_notebook.aws.fetch import fetch_definition

            found = fetch_definition(self.arn, **self._access)
            self._machine = StateMachine.load(found.text, name=found.name or None)
        return self._machine

    def map_runs(self) -> list[dict[str, Any]]:
        """Describe the Map Runs of this execution as AWS's DescribeMapRun does, oldest first.

        Their children come with `Executions.from_aws(run["mapRunArn"])`.

        Raises:
            CommandError: the history was not fetched from AWS.
            AwsError: with what, where, and what to do.
        """
        if self._access is None:
            raise CommandError(
                "this history was not fetched from AWS, so its Map Runs cannot be asked for; an Execution of a local run has map_runs() too"
            )
        from sfn_notebook.aws.fetch import fetch_map_runs

        return fetch_map_runs(self.arn, **self._access)

    def continued(self, recording: Recording) -> History:
        """Give the same execution, further on."""
        found = History.of_recording(recording, self._access)
        found._machine = self._machine
        return found

    def redact(self, paths: Sequence[str] | str) -> History:
        """Give the same history with payload fields masked: `h.redact(["$..password"])`.

        Raises:
            ExpressionError: a path is not one of keys, `..`, `*` and indices.
        """
        events = Redaction(paths).events(self.raw)
        if self._recording:
            return self.continued(replace(self._recording, events=events))
        return History(events, access=self._access)

    # ---- what is derived

    @cached_property
    def visits(self) -> list[Visit]:
        """The state visits, in order of entering."""
        return fold(self.raw)

    def _given_visits(self) -> list[Visit]:
        return self.visits

    def _given_events(self) -> list[dict[str, Any]]:
        return self.raw

    def _type(self) -> str:
        return kind_of(self.arn)

    @cached_property
    def failure(self) -> Failure | None:
        """Root failure, terminal failure and handled ones; None where nothing failed."""
        return shown(failure(self.raw))

    @cached_property
    def overview(self) -> Overview:
        """The execution at a glance: status, started, ended, duration, events, error, cause, input, output."""
        return self.recording().overview if self._recording else overview(self.raw)

    def critical_path(self) -> pd.DataFrame:
        """Say which states the execution was waiting for, a row a leg in the order of time; columns in `history.critical.critical_path`."""
        from sfn_notebook.history.critical import critical_path

        return framed(critical_path(self.visits))

    def diff(self, other: History | Execution, ignore: Collection[str] = ()) -> Difference:
        """Compare with another execution: where the ways part, which payload fields differ (`.fields`), what got slower (`.states`).

        Args:
            other: another history or run.
            ignore: payload keys that do not count, wherever they occur: timestamps, request ids.

        Raises:
            CommandError: `other` is neither.
        """
        from sfn_notebook.history.compare import diff

        found = getattr(other, "history", other)
        if not isinstance(found, History):
            raise CommandError(f"diff takes another History or Execution, but found {other!r:.80}")
        return shown(diff(self.visits, found.visits, (ignore,) if isinstance(ignore, str) else ignore))

    def timeline(self, *, title: str | None = None, theme: str = "auto") -> Chart:
        """Show the execution over time: a row a state, a bar a visit, attempts inside.

        Args:
            title: heading.
            theme: "auto" (follows the page), "light" or "dark".
        """
        from sfn_notebook.api.pictures import chosen_theme
        from sfn_notebook.render.charts import timeline

        return timeline(self.visits, title=title or f"timeline: {self.title}", theme=chosen_theme(theme))

    def at(self, position: int) -> Snapshot:
        """Give the state of affairs after the event with this id; 0 is before the first."""
        return snapshot(self.raw, position)

    def __repr__(self) -> str:
        last = self.raw[-1]["type"] if len(self) else "empty"
        named = f" of {self.name!r}" if self.name else ""
        return f"<History{named}: {len(self)} events, last {last}{f'; {self.notice}' if self.notice else ''}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:  # noqa: ARG002 - IPython's signature
        from sfn_notebook.api.showing import history_bundle

        return history_bundle(self, self._machine, include)


def access_of(
    session: Any, profile: str | None, region: str | None, endpoint_url: str | None, config: Any, clock: Any
) -> dict[str, Any]:
    """Put together the options of access that every call to AWS takes."""
    return {
        "session": session,
        "profile": profile,
        "region": region,
        "endpoint_url": endpoint_url,
        "config": config,
        "clock": clock,
    }


@contextmanager
def collector_paused() -> Iterator[None]:
    """Work without a look for cycles in between: where many objects are made that all stay, it would take half of the time."""
    ours = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if ours:
            gc.enable()


def recordings_of_logs(
    source: str | os.PathLike[str] | Iterable[str | Mapping[str, Any]], redact: Sequence[str] | str | None
) -> list[Recording]:
    """Read log records, masked; a text without a brace is the path of a file.

    Raises:
        RunError: the file cannot be read, or there are no records of Step Functions.
    """
    from sfn_notebook.history.logrecords import lines_of, recordings_of_log

    if isinstance(source, os.PathLike) or (isinstance(source, str) and "{" not in source):
        try:
            source = Path(source).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise RunError(f"{source} cannot be read as log records: {error}") from error
    redaction = Redaction(redaction_paths(redact))
    found = recordings_of_log(lines_of(source) if isinstance(source, str) else source)
    return [replace(row, events=redaction.events(row.events)) for row in found] if redaction else found


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
