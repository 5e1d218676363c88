"""Fetching many executions: of a state machine, of a version or alias, or of a Map Run.

The list comes newest first and lazily, so that `since` and `limit` end it early; each execution's history is then fetched on a thread, unless
the caller already has it (`resume`) or the cache does. Standard executions keep to the quotas in module `quota`; those of an Express machine
come out of its log with one query.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

from sfn_notebook.aws.arns import Arn, arn_of
from sfn_notebook.aws.cache import Cache, CacheOption, cache_of
from sfn_notebook.aws.express import WINDOW, express_recordings, log_group_of
from sfn_notebook.aws.fetch import PAGE, fetch_one, masked, merged, row_of, variant
from sfn_notebook.aws.gather import Progress, bar_of, gather
from sfn_notebook.aws.problems import CallFailed
from sfn_notebook.aws.quota import Caller, Clock
from sfn_notebook.aws.session import POOL, connect
from sfn_notebook.aws.times import Moment, moment
from sfn_notebook.errors import AwsError, CommandError
from sfn_notebook.history.recording import Batch, Recording, epoch
from sfn_notebook.history.redact import Redaction

STATUSES: Final = ("RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE")


def fetch_executions(
    machine_arn: str,
    status: str | Iterable[str] | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    limit: int | None = None,
    session: Any = None,
    *,
    profile: str | None = None,
    region: str | None = None,
    endpoint_url: str | None = None,
    cache: CacheOption = None,
    resume: Iterable[Recording] = (),
    progress: Progress = True,
    concurrency: int = POOL,
    payloads: bool = True,
    redact: Sequence[str] = (),
    log_group: str | None = None,
    config: Any = None,
    clock: Clock | None = None,
    now: datetime | None = None,
) -> Batch:
    """Fetch executions with their histories, newest first.

    Args:
        machine_arn: ARN or console URL of a state machine (also a version or alias) or of a Map Run.
        status: only those with this status, or one of these.
        since: only those that started then or later: a datetime, ISO text, or an age such as "7d" or "12h".
        until: only those that started then or before.
        limit: only the newest so many.
        session: a boto3 session, used as it is; else we make one of our own.
        profile: a profile for a session of our own.
        region: the default is that of the ARN.
        endpoint_url: another endpoint than AWS.
        cache: a directory, True for the user's, None for what `SFN_NOTEBOOK_CACHE` says. Closed executions in it are not fetched again.
        resume: what an earlier call gave: closed executions in it are not fetched again.
        progress: whether to show a bar.
        concurrency: calls at once; with the user's session not more than it has connections.
        payloads: whether to fetch inputs and outputs.
        redact: paths of payload fields to mask.
        log_group: for Express: the log group, to spare asking the state machine for it.
        config: a `botocore.config.Config` over our settings.
        clock: time of the quotas, for tests.
        now: what ages are counted back from, for tests.

    Returns:
        A batch. Ctrl-C, an expired token or a lost network end it early and keep what was fetched; see `Batch.message`.

    Raises:
        AwsError: nothing could be fetched at all.
        CommandError: an argument that cannot be understood.
    """
    arn = arn_of(machine_arn, "stateMachine", "mapRun")
    moment_now = now or datetime.now(UTC)
    window = (moment(since, moment_now, "since"), moment(until, moment_now, "until"))
    statuses = _statuses(status)
    if (limit is not None and limit < 1) or concurrency < 1:
        raise CommandError(f"limit= and concurrency= are 1 or more, but found {limit} and {concurrency}")
    access = connect(
        session,
        profile=profile,
        region=region,
        endpoint_url=endpoint_url,
        arn=arn,
        pool=max(concurrency, POOL),
        config=config,
    )
    caller = Caller(access, "stepfunctions", clock)
    redaction = Redaction(redact)
    first, listing = _opened(islice(_listing(caller, arn, statuses, window), limit))
    if first is not None and first.kind == "unsupported" and arn.kind == "stateMachine":
        return _express(caller, arn, statuses, window, limit, redaction, progress, log_group, moment_now)
    if first is not None:
        raise first
    job = _Job(
        caller, cache_of(cache, variant(payloads=payloads, redaction=redaction)), resume, redaction, payloads=payloads
    )
    workers = concurrency if access.own else min(concurrency, caller.connections)
    batch = gather(listing, job, clock=caller.clock, workers=workers, progress=progress, title=arn.machine)
    batch.notices.extend(job.notices)
    return batch


def _statuses(given: str | Iterable[str] | None) -> list[str]:
    if given is None:
        return []
    found = [str(status).upper() for status in ([given] if isinstance(given, str) else given)]
    for status in found:
        if status not in STATUSES:
            raise CommandError(f'there is no status "{status}"; status= is one or several of {", ".join(STATUSES)}')
    return list(dict.fromkeys(found))


# ---- the list


def _listing(
    caller: Caller, arn: Arn, statuses: Sequence[str], window: tuple[datetime | None, datetime | None]
) -> Iterator[Recording]:
    """Yield executions newest first; each once, also when the list moves between two pages."""
    lists = [_one_list(caller, arn, status, window) for status in (*statuses,) or (None,)]
    rows = heapq.merge(*lists, key=epoch, reverse=True) if len(lists) > 1 else lists[0]
    seen: set[str] = set()
    for row in rows:
        if row.arn not in seen:
            seen.add(row.arn)
            yield row


def _one_list(
    caller: Caller, arn: Arn, status: str | None, window: tuple[datetime | None, datetime | None]
) -> Iterator[Recording]:
    since, until = window
    arguments: dict[str, Any] = {
        "mapRunArn" if arn.kind == "mapRun" else "stateMachineArn": arn.text,
        "maxResults": PAGE,
    }
    if status:
        arguments["statusFilter"] = status
    for page in caller.pages("ListExecutions", "executions", **arguments):
        rows = [row_of(item) for item in page]
        yield from (
            row for row in rows if not _before(row, since) and not (until and row.started and row.started > until)
        )
        if arn.kind == "stateMachine" and rows and _before(rows[-1], since):
            return  # the service lists the newest first; of a Map Run's children it promises no order


def _before(row: Recording, since: datetime | None) -> bool:
    return since is not None and row.started is not None and row.started < since


def _opened(listing: Iterator[Recording]) -> tuple[CallFailed | None, Iterator[Recording]]:
    """Ask for the first element, to learn whether the list can be had at all."""
    from itertools import chain

    try:
        head = list(islice(listing, 1))
    except CallFailed as error:
        return error, listing
    return None, chain(head, listing)


# ---- one of many


class _Job:
    """Fetches one listed execution, unless it is known; called on threads."""

    def __init__(
        self, caller: Caller, store: Cache | None, resume: Iterable[Recording], redaction: Redaction, *, payloads: bool
    ) -> None:
        self._caller = caller
        self._store = store
        self._known = merged(resume)
        self._redaction = redaction
        self._payloads = payloads
        self.notices: list[str] = []

    def __call__(self, wanted: Recording) -> Recording:
        known = self._known.get(wanted.key)
        if known is not None and known.started == wanted.started:
            return masked(known, self._redaction)
        stored = self._store.get(wanted) if self._store else None
        if stored is not None:
            return stored
        found = fetch_one(self._caller, wanted, payloads=self._payloads, redaction=self._redaction)
        self._keep(found)
        return found

    def _keep(self, found: Recording) -> None:
        """Store it; a disk that is full must not end the batch."""
        store = self._store
        if store is None:
            return
        try:
            store.put(found)
        except AwsError as error:
            self._store = None
            self.notices[:] = [str(error)]


# ---- Express machines


def _express(
    caller: Caller,
    arn: Arn,
    statuses: Sequence[str],
    window: tuple[datetime | None, datetime | None],
    limit: int | None,
    redaction: Redaction,
    progress: Progress,
    log_group: str | None,
    now: datetime,
) -> Batch:
    until = window[1] or now
    since = window[0] or until - WINDOW
    group = log_group or log_group_of(caller, arn)
    logs = Caller(caller.access, "logs", caller.clock)
    with bar_of(progress, arn.machine, "record") as bar:

        def told(rows: int) -> None:
            bar.total = (bar.total or 0) + rows
            bar.update(rows)

        batch = express_recordings(logs, group, arn, since, until, told)
    wanted = [row for row in batch if not statuses or row.status in statuses]
    return Batch([masked(row, redaction) for row in wanted[:limit]], stopped=batch.stopped)
