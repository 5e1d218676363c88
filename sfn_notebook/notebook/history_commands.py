"""The verbs about executions on AWS: `%sfn history`, `%sfn executions`, `%sfn watch`.

Each is a parser and a function for the table in `commands`: it reads its arguments, calls one function of `api`, and returns an object,
which IPython shows or a variable keeps. An ARN or an endpoint may also stand in a variable. Nothing heavy is imported before a verb runs.
"""

from __future__ import annotations

import argparse
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sfn_notebook.errors import CommandError, SfnError
from sfn_notebook.notebook.arguments import Parser, add_access_arguments, as_written, did_you_mean, is_quoted, unquoted
from sfn_notebook.notebook.session import Session
from sfn_notebook.notebook.values import read_variable

if TYPE_CHECKING:
    from sfn_notebook.api.watching import Watch
    from sfn_notebook.notebook.commands import Settings

STATUSES = ("RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE")
FORMS = ("runs", "table", "summary", "failures")

EPILOG = """\
ARN is an ARN, the address of the execution's page in the AWS console, or a variable that holds one.
Keys come from where boto3 finds them: profiles, environment variables, a role; AWS_ENDPOINT_URL counts too.
What SFN_NOTEBOOK_REDACT lists (paths such as $..password) is masked in all that is fetched."""

EXECUTIONS_EPILOG = f"""\
ARN is the ARN of a state machine or of a Map Run, its page in the AWS console, or a variable that holds one.
Ctrl-C (in a notebook ■) ends the fetching and keeps what is there. With a variable, xs = %sfn executions …,
there is more: xs.process_map(), xs.failures(), xs.cost(), xs.trend(), xs.to_parquet(folder).
{EPILOG.partition(chr(10))[2]}"""

WATCH_EPILOG = f"""\
The display goes on changing while other cells run. `%sfn watch --stop` ends all watches, with an ARN that one.
{EPILOG}"""


def _access_arguments(parser: Parser) -> None:
    add_access_arguments(parser)
    parser.add_argument(
        "--redact", metavar="PATH", action="append", help="mask payload fields: $..password; may stand several times"
    )


def _arn_argument(parser: Parser, what: str, **more: Any) -> None:
    parser.add_argument("arn", metavar="ARN", type=as_written, help=f"{what}, or a variable that holds its ARN", **more)


def _access(session: Session, given: argparse.Namespace) -> dict[str, Any]:
    endpoint = given.endpoint_url
    if endpoint is not None and "://" not in endpoint:
        endpoint = str(read_variable(endpoint, session.variables, "--endpoint-url"))
    return {"profile": given.profile, "region": given.region, "endpoint_url": endpoint, "redact": given.redact}


def _arn(session: Session, word: str) -> str:
    """Give the ARN that a word stands for.

    Raises:
        CommandError: there is no variable of that name, or it holds something else.
    """
    text = unquoted(word)
    if is_quoted(word) or text.startswith("arn:") or "://" in text:
        return text
    if not text.isidentifier() and ":" in text:
        raise CommandError(f'an ARN starts with "arn:aws:states:", but found {text:.100}')
    try:
        found = read_variable(text, session.variables, "ARN")
    except CommandError as error:
        raise CommandError(f'{error}; an ARN starts with "arn:aws:states:"') from None
    arn = found if isinstance(found, str) else getattr(found, "arn", None)
    if not isinstance(arn, str):
        raise CommandError(f"ARN: {text} is a {type(found).__name__}; it takes text with an ARN in it")
    return arn


# --- history -------------------------------------------------------------------------------------------------------------


def history_arguments(parser: Parser) -> None:
    """Declare the arguments of `%sfn history`."""
    _arn_argument(parser, "an execution")
    parser.add_argument(
        "--cache", action="store_true", help="keep closed executions on this machine, and look there first"
    )
    parser.add_argument(
        "--since", metavar="AGE", help="for Express: how far back its log is read, such as 3d; a day by default"
    )
    parser.add_argument("--log-group", metavar="NAME", help="for Express: its log group, to spare asking for it")
    _access_arguments(parser)


def history(session: Session, _settings: Settings, given: argparse.Namespace) -> Any:
    """Fetch one execution, and the machine as it ran where the caller may see that."""
    from sfn_notebook.api.history import History

    found = History.from_aws(
        _arn(session, given.arn),
        cache=given.cache or None,
        since=given.since,
        log_group=given.log_group,
        **_access(session, given),
    )
    with suppress(SfnError):  # without the definition there is the timeline
        found.machine_as_ran()
    return found


# --- executions ----------------------------------------------------------------------------------------------------------


def executions_arguments(parser: Parser) -> None:
    """Declare the arguments of `%sfn executions`."""
    _arn_argument(parser, "a state machine or a Map Run")
    parser.add_argument(
        "--status", choices=STATUSES, type=_upper, action="append", help="only these; may stand several times"
    )
    parser.add_argument("--since", metavar="T", help="only those that started since: 7d, 12h, 2026-01-31")
    parser.add_argument("--until", metavar="T", help="only those that started before")
    parser.add_argument("--limit", metavar="N", type=int, help="only the newest so many")
    parser.add_argument(
        "--as", dest="form", choices=FORMS, default="runs", help="give the executions, or one frame; runs by default"
    )
    parser.add_argument(
        "--cache", action="store_true", help="keep closed executions on this machine, and look there first"
    )
    _access_arguments(parser)


def _upper(word: str) -> str:
    return unquoted(word).upper()


def executions(session: Session, _settings: Settings, given: argparse.Namespace) -> Any:
    """Fetch executions of a state machine."""
    from sfn_notebook.api.executions import Executions

    found = Executions.from_aws(
        _arn(session, given.arn),
        given.status,
        given.since,
        given.until,
        given.limit,
        cache=given.cache or None,
        **_access(session, given),
    )
    if given.form == "table":
        return found.table
    if given.form == "summary":
        return found.summary()
    return found.failures() if given.form == "failures" else found


# --- watch ---------------------------------------------------------------------------------------------------------------


def watch_arguments(parser: Parser) -> None:
    """Declare the arguments of `%sfn watch`."""
    _arn_argument(parser, "an execution", nargs="?")
    parser.add_argument("--stop", action="store_true", help="end the watching")
    parser.add_argument("--interval", metavar="SECONDS", type=float, help="time between two looks, 2 by default")
    _access_arguments(parser)


def watch(session: Session, settings: Settings, given: argparse.Namespace) -> Any:
    """Watch an execution in the background, or stop doing so."""
    from sfn_notebook.api import watching

    if given.stop:
        return _stopped(None if given.arn is None else _arn(session, given.arn))
    if given.arn is None:
        raise CommandError("%sfn watch: missing: ARN; see %sfn watch --help")
    if given.interval is not None and not 0 < given.interval < 86_400:
        raise CommandError(f"--interval takes seconds, more than 0, but found {given.interval:g}")
    return watching.watch(
        _arn(session, given.arn), interval=given.interval, theme=settings.theme, **_access(session, given)
    )


def _stopped(arn: str | None) -> Any:
    from sfn_notebook.api.reports import Text
    from sfn_notebook.api.watching import watches

    every = watches()
    found = [watch for watch in every if arn in (None, watch.arn, watch.history.arn)]
    if arn is not None and not found:
        names = [watch.history.arn for watch in every]
        raise CommandError(f"{arn} is not being watched{did_you_mean(arn, names)}")
    for watch in found:
        watch.stop()
        watch.join(2)
    return Text(_told(found))


def _told(stopped: list[Watch]) -> str:
    if not stopped:
        return "nothing is being watched"
    return "\n".join(
        f"stopped watching {watch.history.name}: {watch.status}, {len(watch.history)} events" for watch in stopped
    )
