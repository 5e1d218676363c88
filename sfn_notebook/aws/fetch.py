"""Fetching one execution: its history, its definition as it ran, its Map Runs.

`fetch_history` gives all events of an execution, `fetch_recording` those with what else is known of it, in the shape of boto3's `get_execution_history`, with UTC timestamps, whatever the kind:
Standard ones come from the history API in pages of 1,000, Express ones from CloudWatch Logs. Everything takes the same options for
access (`session`, or `profile`, `region`, `endpoint_url`), and fails with one `AwsError` that says what, where and what to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any, Final

from sfn_notebook.aws.arns import Arn, arn_of
from sfn_notebook.aws.cache import CacheOption, cache_of
from sfn_notebook.aws.express import WINDOW, express_recordings, log_group_of
from sfn_notebook.aws.problems import CallFailed
from sfn_notebook.aws.quota import Caller, Clock
from sfn_notebook.aws.session import connect
from sfn_notebook.aws.times import Moment, moment
from sfn_notebook.history.recording import Recording
from sfn_notebook.history.redact import Redaction

PAGE: Final = 1000
"""The most that the service puts on a page."""


@dataclass(frozen=True, slots=True)
class Definition:
    """A state machine as AWS has it, or as an execution ran it.

    Attributes:
        text: the definition, byte for byte.
        name: name of the state machine.
        arn: its ARN.
        type: STANDARD or EXPRESS; None where the service does not say.
        role_arn: the role it runs with.
        revision: id of the revision, None for the first.
        updated: since when this revision is in force.
        as_ran: whether it is what the execution ran; else it is today's, which may be newer.
        label: of the Map whose children ran it, None for a whole machine.
    """

    text: str
    name: str
    arn: str
    type: str | None = None
    role_arn: str | None = None
    revision: str | None = None
    updated: datetime | None = None
    as_ran: bool = True
    label: str | None = None


def fetch_history(arn: str, session: Any = None, **options: Any) -> list[dict[str, Any]]:
    """Fetch all events of an execution, in the shape of boto3's `get_execution_history`; options as `fetch_recording` takes them.

    Raises:
        AwsError: with what, where, and what to do.
    """
    return fetch_recording(arn, session, **options).events


def fetch_recording(
    arn: str,
    session: Any = None,
    *,
    profile: str | None = None,
    region: str | None = None,
    endpoint_url: str | None = None,
    payloads: bool = True,
    redact: Sequence[str] = (),
    cache: CacheOption = None,
    since: Moment | None = None,
    log_group: str | None = None,
    config: Any = None,
    clock: Clock | None = None,
) -> Recording:
    """Fetch one execution with all pages of its history.

    Args:
        arn: ARN or console URL of a Standard or Express execution, or of a Map Run's child.
        session: a boto3 session, used as it is; else we make one of our own.
        profile: a profile for a session of our own.
        region: the default is that of the ARN.
        endpoint_url: another endpoint than AWS.
        payloads: whether to fetch inputs and outputs.
        redact: paths of payload fields to mask, as `history.redact` reads them; what is stored is masked too.
        cache: a directory, True for the user's, None for what `SFN_NOTEBOOK_CACHE` says; Standard executions only.
        since: for Express: how far back to look; the default is a day.
        log_group: for Express: the log group, to spare asking the state machine for it.
        config: a `botocore.config.Config` over our settings.
        clock: time, for tests.

    Raises:
        AwsError: with what, where, and what to do.
    """
    found = arn_of(arn, "execution", "express")
    access = connect(session, profile=profile, region=region, endpoint_url=endpoint_url, arn=found, config=config)
    redaction = Redaction(redact)
    caller = Caller(access, "stepfunctions", clock)
    if found.kind == "express":
        return _fetch_express(caller, found, redaction, since, log_group)
    store = cache_of(cache, variant(payloads=payloads, redaction=redaction))
    wanted = described(caller, found) if store else bare(found)
    known = store.get(wanted) if store else None
    if known is not None:
        return known
    recording = fetch_one(caller, wanted, payloads=payloads, redaction=redaction)
    if store:
        store.put(recording)
    return recording


def fetch_definition(
    arn: str,
    session: Any = None,
    *,
    profile: str | None = None,
    region: str | None = None,
    endpoint_url: str | None = None,
    config: Any = None,
    clock: Clock | None = None,
) -> Definition:
    """Fetch the definition that an execution ran, or today's of a state machine (or version, or alias).

    Raises:
        AwsError: with what, where, and what to do.
    """
    found = arn_of(arn, "execution", "express", "stateMachine")
    access = connect(session, profile=profile, region=region, endpoint_url=endpoint_url, arn=found, config=config)
    caller = Caller(access, "stepfunctions", clock)
    if found.kind == "execution":
        return _definition(
            caller.call("DescribeStateMachineForExecution", "definition", executionArn=found.text), as_ran=True
        )
    machine = found.text if found.kind == "stateMachine" else found.machine_arn
    return _definition(caller.call("DescribeStateMachine", "definition", stateMachineArn=machine), as_ran=False)


def fetch_map_runs(
    arn: str,
    session: Any = None,
    *,
    profile: str | None = None,
    region: str | None = None,
    endpoint_url: str | None = None,
    config: Any = None,
    clock: Clock | None = None,
) -> list[dict[str, Any]]:
    """Describe the Map Runs of an execution, or one Map Run: as `describe_map_run` does, oldest first.

    The executions of a Map Run come with `fetch_executions(map_run_arn)`.

    Raises:
        AwsError: with what, where, and what to do.
    """
    found = arn_of(arn, "execution", "mapRun")
    access = connect(session, profile=profile, region=region, endpoint_url=endpoint_url, arn=found, config=config)
    caller = Caller(access, "stepfunctions", clock)
    if found.kind == "mapRun":
        arns = [found.text]
    else:
        pages = caller.pages("ListMapRuns", "mapRuns", executionArn=found.text, maxResults=PAGE)
        arns = [run["mapRunArn"] for page in pages for run in page]
    runs = [caller.call("DescribeMapRun", "mapRunArn", mapRunArn=text) for text in arns]
    rows = [{key: value for key, value in run.items() if key != "ResponseMetadata"} for run in runs]
    return sorted(rows, key=lambda run: run.get("startDate") or datetime.max.replace(tzinfo=UTC))


# ---- the parts, shared with fetching many


def variant(*, payloads: bool, redaction: Redaction) -> list[str]:
    """Say what makes two stored histories of one execution differ."""
    return [*([] if payloads else ["no payloads"]), *([redaction.name] if redaction else [])]


def bare(arn: Arn) -> Recording:
    """Make the row of an execution of which only the ARN is known."""
    return Recording(arn.text, arn.name, "RUNNING", machine_arn=arn.machine_arn)


def described(caller: Caller, arn: Arn) -> Recording:
    """Make the row of an execution from DescribeExecution: its redrive count tells whether a stored history is the latest."""
    return row_of(caller.call("DescribeExecution", "executionArn", executionArn=arn.text))


def row_of(item: dict[str, Any]) -> Recording:
    """Make a row from an element of ListExecutions, or from the answer of DescribeExecution."""
    return Recording(
        item["executionArn"],
        item.get("name") or item["executionArn"].rpartition(":")[2],
        item.get("status") or "RUNNING",
        machine_arn=item.get("stateMachineArn"),
        started=_utc(item.get("startDate")),
        ended=_utc(item.get("stopDate")),
        redrive_count=item.get("redriveCount") or 0,
        map_run_arn=item.get("mapRunArn"),
        item_count=item.get("itemCount"),
        version_arn=item.get("stateMachineVersionArn"),
        alias_arn=item.get("stateMachineAliasArn"),
    )


def fetch_one(caller: Caller, wanted: Recording, *, payloads: bool, redaction: Redaction) -> Recording:
    """Fetch the history of a Standard execution."""
    arguments: dict[str, Any] = {"executionArn": wanted.arn, "maxResults": PAGE}
    if not payloads:
        arguments["includeExecutionData"] = False
    events: list[dict[str, Any]] = []
    for page in caller.pages("GetExecutionHistory", "events", **arguments):
        events += page
    return _with(wanted, _ready(caller, events, redaction))


def newer(caller: Caller, known: Recording, redaction: Redaction, page_size: int = 100) -> Recording:
    """Fetch what has happened since, from the newest event backwards.

    Stand-ins for AWS may ignore `reverseOrder`: then all pages are read, and the events come into order here.
    """
    last = known.events[-1]["id"] if known.events else 0
    fresh: list[dict[str, Any]] = []
    arguments = {"executionArn": known.arn, "maxResults": page_size, "reverseOrder": True}
    for page in caller.pages("GetExecutionHistory", "events", **arguments):
        fresh += [event for event in page if event["id"] > last]
        if page and page[-1]["id"] <= last + 1 and page[-1]["id"] <= page[0]["id"]:
            break
    fresh.sort(key=itemgetter("id"))
    return _with(known, [*known.events, *_ready(caller, fresh, redaction)]) if fresh else known


def _ready(caller: Caller, events: list[dict[str, Any]], redaction: Redaction) -> list[dict[str, Any]]:
    """Give events with UTC timestamps, which only our own session reads so, and masked."""
    if not caller.access.own:
        events = [{**event, "timestamp": _utc(event.get("timestamp"))} for event in events]
    return redaction.events(events) if redaction else events


def _with(row: Recording, events: list[dict[str, Any]]) -> Recording:
    found = row.with_events(events)
    return replace(found, started=events[0].get("timestamp")) if found.started is None and events else found


def _fetch_express(
    caller: Caller, arn: Arn, redaction: Redaction, since: Moment | None, log_group: str | None
) -> Recording:
    now = datetime.now(UTC)
    start = moment(since, now) or now - WINDOW
    group = log_group or log_group_of(caller, arn)
    found = express_recordings(Caller(caller.access, "logs", caller.clock), group, arn, start, now)
    if not found:
        raise CallFailed(
            f'there are no records of the Express execution "{arn.text}" in log group {group} since {start:%Y-%m-%d %H:%M} UTC; records '
            "come some minutes late, older ones need since=, and the machine's log level must be ALL",
            "missing",
        )
    return masked(found[0], redaction)


def masked(recording: Recording, redaction: Redaction) -> Recording:
    """Give a recording whose payloads are masked."""
    return replace(recording, events=redaction.events(recording.events)) if redaction else recording


def _definition(answer: dict[str, Any], *, as_ran: bool) -> Definition:
    return Definition(
        answer["definition"],
        answer.get("name", ""),
        answer.get("stateMachineArn", ""),
        answer.get("type"),
        answer.get("roleArn"),
        answer.get("revisionId"),
        _utc(answer.get("updateDate") or answer.get("creationDate")),
        as_ran,
        answer.get("label"),
    )


def _utc(value: datetime | None) -> datetime | None:
    return value.astimezone(UTC) if isinstance(value, datetime) else None


def merged(rows: Iterable[Recording]) -> dict[tuple[str, int], Recording]:
    """Index whole histories by ARN and redrive count: what need not be fetched again."""
    return {row.key: row for row in rows if row.closed and row.notice is None}
