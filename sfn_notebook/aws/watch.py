"""Following an execution while it runs: a recording after each look, until it has closed.

Only what is new is fetched: the history backwards, in short pages, down to the last event that is known. `clock.stop()` from another
thread ends the following at once, also in the middle of a pause; that is how a button or a magic stops it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sfn_notebook.aws.arns import arn_of
from sfn_notebook.aws.fetch import bare, fetch_one, newer
from sfn_notebook.aws.quota import Caller, Clock, Stopped
from sfn_notebook.aws.session import connect
from sfn_notebook.history.recording import Recording
from sfn_notebook.history.redact import Redaction

INTERVAL: Final = 2.0
"""Seconds between two looks: half a call a second of the twenty that an account has."""


def watch_history(
    arn: str,
    session: Any = None,
    *,
    profile: str | None = None,
    region: str | None = None,
    endpoint_url: str | None = None,
    interval: float = INTERVAL,
    redact: Sequence[str] = (),
    config: Any = None,
    clock: Clock | None = None,
) -> Iterator[Recording]:
    """Yield a Standard execution as it stands, and again whenever events have come, until it has closed or the clock is stopped.

    Args:
        arn: ARN or console URL of a Standard execution.
        session: a boto3 session, used as it is; else we make one of our own.
        profile: a profile for a session of our own.
        region: the default is that of the ARN.
        endpoint_url: another endpoint than AWS.
        interval: seconds between two looks.
        redact: paths of payload fields to mask.
        config: a `botocore.config.Config` over our settings.
        clock: `stop()` on it ends the following.

    Raises:
        AwsError: with what, where, and what to do.
    """
    found = arn_of(arn, "execution")
    access = connect(session, profile=profile, region=region, endpoint_url=endpoint_url, arn=found, config=config)
    caller = Caller(access, "stepfunctions", clock)
    redaction = Redaction(redact)
    try:
        recording = fetch_one(caller, bare(found), payloads=True, redaction=redaction)
        yield recording
        while not recording.closed:
            caller.clock.sleep(interval)
            before = len(recording.events)
            recording = newer(caller, recording, redaction)
            if len(recording.events) > before:
                yield recording
    except Stopped:
        return
