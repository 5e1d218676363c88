"""One recorded execution: its events with what is known of it besides, and a batch of many.

This is what fetching gives, what the cache and Parquet keep, and what the public classes are made of. The events are a list in the
shape of boto3's `get_execution_history`. An execution whose history could not be had is still a row: no events, and a `notice`
that says why. Plain data: nothing here knows where a recording came from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final, overload

from sfn_notebook.history.events import TERMINAL, Event, details
from sfn_notebook.history.overview import Overview, overview

OPEN: Final = frozenset({"RUNNING", "PENDING_REDRIVE"})
"""Statuses after which events may still come, without a redrive."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One execution.

    Attributes:
        arn: its ARN; of a Map Run's child too.
        name: its name.
        status: RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED or PENDING_REDRIVE.
        events: its history by ascending id; empty when it could not be had.
        machine_arn: the state machine.
        started: when it started.
        ended: when it closed.
        redrive_count: how often it was redriven.
        map_run_arn: the Map Run whose child it is.
        item_count: items of a Map Run's child.
        version_arn: the version of the state machine that ran, if one was named.
        alias_arn: the alias through which it was started.
        notice: why its events are missing or incomplete, None when they are all there.
    """

    arn: str
    name: str
    status: str
    events: list[dict[str, Any]] = field(default_factory=list)
    machine_arn: str | None = None
    started: datetime | None = None
    ended: datetime | None = None
    redrive_count: int = 0
    map_run_arn: str | None = None
    item_count: int | None = None
    version_arn: str | None = None
    alias_arn: str | None = None
    notice: str | None = None

    @property
    def closed(self) -> bool:
        """Whether its history has ended and can only change by a redrive."""
        return bool(self.events) and self.events[-1].get("type") in TERMINAL

    @property
    def key(self) -> tuple[str, int]:
        """Its ARN and redrive count: together they name one unchanging history of a closed execution."""
        return self.arn, self.redrive_count

    @property
    def overview(self) -> Overview:
        """The execution at a glance; from the service's list where events are missing."""
        if self.events and self.notice is None:
            return overview(self.events)
        found = overview(self.events)
        return replace(
            found,
            status=self.status,
            started=self.started or found.started,
            ended=self.ended or found.ended,
            cause=found.cause or self.notice,
        )

    def with_events(self, events: list[dict[str, Any]], notice: str | None = None) -> Recording:
        """Give the same execution with a history, and with what the history knows better than an older list."""
        if not events or notice is not None:
            return replace(self, events=events, notice=notice)
        status = TERMINAL.get(events[-1].get("type", ""), self.status)
        ended = events[-1].get("timestamp") if status != self.status or self.ended is None else self.ended
        return replace(
            self,
            events=events,
            status=status,
            ended=None if status in OPEN else ended,
            redrive_count=redrives(events),
            notice=None,
        )


def recording_of(events: Iterable[Event], arn: str = "", name: str = "", machine_arn: str | None = None) -> Recording:
    """Make a recording of a bare history, such as that of a local run."""
    found = [dict(event) for event in events]
    glance = overview(found)
    first: Mapping[str, Any] = details(found[0]) if found else {}
    return Recording(
        arn,
        name or arn.rpartition(":")[2],
        glance.status,
        found,
        machine_arn,
        glance.started,
        glance.ended,
        redrives(found),
        version_arn=first.get("stateMachineVersionArn"),
        alias_arn=first.get("stateMachineAliasArn"),
    )


def redrives(events: Sequence[Event]) -> int:
    """Count the redrives that a history shows."""
    return sum(1 for event in events if event.get("type") == "ExecutionRedriven")


@dataclass(frozen=True, slots=True)
class Batch(Sequence[Recording]):
    """What came of fetching or reading many executions.

    Attributes:
        recordings: one for every execution that was tried, newest first; see `Recording.notice`.
        missing: ARNs of those that were listed and not tried any more.
        stopped: why it ended early, None when it did not.
        notices: what went wrong beside single executions, such as a file that cannot be read.
    """

    recordings: list[Recording]
    missing: list[str] = field(default_factory=list)
    stopped: str | None = None
    notices: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.recordings)

    @overload
    def __getitem__(self, index: int) -> Recording: ...
    @overload
    def __getitem__(self, index: slice) -> list[Recording]: ...
    def __getitem__(self, index: int | slice) -> Recording | list[Recording]:
        return self.recordings[index]

    def __iter__(self) -> Iterator[Recording]:
        return iter(self.recordings)

    @property
    def complete(self) -> bool:
        """Whether every execution that was asked for is there with its whole history."""
        return (
            self.stopped is None
            and not self.missing
            and not self.notices
            and all(r.notice is None for r in self.recordings)
        )

    @property
    def message(self) -> str | None:
        """What is missing and why in one text, None when nothing is."""
        lines = [] if self.stopped is None else [self.stopped]
        lines += self.notices
        by_notice: dict[str, list[str]] = {}
        for recording in self.recordings:
            if recording.notice is not None:
                by_notice.setdefault(
                    recording.notice.replace(recording.arn, "…") if recording.arn else recording.notice, []
                ).append(recording.name)
        for notice, names in by_notice.items():
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            lines.append(f"{', '.join(names[:3])}{more}: {notice}")
        return "\n".join(lines) or None


def epoch(recording: Recording) -> datetime:
    """Give when a recording started, for sorting; one that does not say counts as the oldest."""
    return recording.started or datetime.min.replace(tzinfo=UTC)
