"""Sessions and clients: whose they are, and what is set on them.

A session that the user gives is used as it is: their credentials, hooks and settings, and nothing of ours is put on it. Without one we
make a session of our own, from the same profiles and environment (and from `boto3.setup_default_session`, if that was called), and
only there we set adaptive retries, the size of the connection pool, UTC timestamps, and a reader for history pages that skips the walk
through the service model: it takes a fraction of the time and keeps fields that this boto3 does not know.

The region of an ARN wins over the configured one, since nothing of that ARN can be anywhere else.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sfn_notebook.aws.arns import Arn
from sfn_notebook.aws.problems import CallFailed, problem
from sfn_notebook.errors import AwsError, CommandError

POOL: Final = 10
"""Connections of a client, as boto3's own default."""

_TRIES: Final = 8
_PAGE: Final = "GetExecutionHistoryOutput"


@dataclass(frozen=True, slots=True)
class Access:
    """Where to call: a boto3 session (ours or the user's), a region, perhaps another endpoint."""

    session: Any
    region: str | None = None
    endpoint_url: str | None = None
    config: Any = None
    own: bool = True

    @property
    def where(self) -> str:
        """Region, endpoint and profile for messages."""
        profile = getattr(self.session, "profile_name", None)
        named = f" (profile {profile})" if profile and profile != "default" else ""
        return f"{self.region or self.session.region_name or 'no region'}{f' at {self.endpoint_url}' if self.endpoint_url else ''}{named}"

    def client(self, service: str) -> Any:
        """Make a client of a service.

        Raises:
            AwsError: there is no region, or the endpoint is no URL.
        """
        from botocore.exceptions import BotoCoreError

        options = {"region_name": self.region, "endpoint_url": self.endpoint_url, "config": self.config}
        try:
            return self.session.client(service, **{key: value for key, value in options.items() if value is not None})
        except BotoCoreError as error:
            raise problem(error, f"a client of {service}", where=self.where) from error
        except ValueError as error:
            raise AwsError(f"no client of {service} can be made: {str(error)[:1].lower()}{str(error)[1:]}") from error


def connect(
    session: Any = None,
    *,
    profile: str | None = None,
    region: str | None = None,
    endpoint_url: str | None = None,
    arn: Arn | None = None,
    pool: int = POOL,
    config: Any = None,
) -> Access:
    """Decide which session, region and endpoint to use.

    Args:
        session: a boto3 (or botocore) session of the user's; it is used as it is.
        profile: a profile of the AWS configuration, instead of a session.
        region: the region; the default is that of the ARN, then that of the session.
        endpoint_url: another endpoint than AWS, such as an emulator.
        arn: what is asked for.
        pool: connections of a client, on a session of our own.
        config: a `botocore.config.Config` to lay over our settings, or the only one with the user's session.

    Raises:
        AwsError: an unknown profile, or a region that contradicts the ARN.
        CommandError: arguments that exclude each other.
    """
    if session is not None and profile is not None:
        raise CommandError("session= and profile= exclude each other: make the session with profile_name=")
    if arn is not None and arn.region:
        if region not in (None, arn.region):
            raise AwsError(
                f'region="{region}" contradicts the ARN, which is in {arn.region}: "{arn.text}"; leave region= out'
            )
        region = arn.region
    if session is None:
        found = _own_session(profile, region)
        return Access(found, region or found.region_name, endpoint_url, _own_config(pool, config))
    if hasattr(session, "create_client"):
        import boto3

        session = boto3.Session(botocore_session=session)
    if not hasattr(session, "client"):
        raise CommandError(f"session= takes a boto3.Session, but found {type(session).__name__}")
    return Access(session, region or session.region_name, endpoint_url, config, own=False)


def _own_config(pool: int, config: Any) -> Any:
    from botocore.config import Config

    ours = Config(
        retries={"mode": "adaptive", "total_max_attempts": _TRIES},
        max_pool_connections=pool,
        user_agent_extra="sfn-notebook",
    )
    return ours.merge(config) if config is not None else ours


def _own_session(profile: str | None, region: str | None) -> Any:
    """Make a boto3 session on a botocore session that nobody else uses."""
    import boto3
    import botocore.session
    from botocore.exceptions import ProfileNotFound

    base = boto3.DEFAULT_SESSION if profile is None else None
    core = botocore.session.Session(
        profile=profile or (base.profile_name if base and base.profile_name != "default" else None)
    )
    if base is not None:
        core.register_component("credential_provider", _Borrowed(base))
    core.register_component("response_parser_factory", _parsers())
    try:
        return boto3.Session(botocore_session=core, region_name=region or (base.region_name if base else None))
    except ProfileNotFound as error:
        known = ", ".join(core.available_profiles) or "none"
        raise CallFailed(
            f'there is no AWS profile "{profile or core.profile}"; configured are: {known}', "credentials"
        ) from error


class _Borrowed:
    """Gives the credentials of another session, which goes on refreshing them."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def load_credentials(self) -> Any:
        return self._session.get_credentials()


# ---- reading answers


def utc(value: Any) -> datetime | None:
    """Read a timestamp of the wire as UTC: seconds since 1970, or whatever else botocore reads; None for what it does not."""
    if type(value) is float or type(value) is int:
        return datetime.fromtimestamp(value, UTC)
    from botocore.utils import parse_timestamp

    try:
        return parse_timestamp(value).astimezone(UTC)
    except (ValueError, TypeError, AttributeError, OverflowError, RuntimeError):
        return None


def _parsers() -> Any:
    from botocore.parsers import JSONParser, ResponseParserError, ResponseParserFactory

    class Pages(JSONParser):
        """Reads a history page directly; all other answers, and all errors, as botocore does."""

        def parse(self, response: Any, shape: Any) -> Any:
            if shape is None or shape.name != _PAGE or response["status_code"] >= 300:
                return super().parse(response, shape)
            page = _read_page(response["body"])
            if page is None:
                raise ResponseParserError(f"no history page: {bytes(response['body'][:60])!r}")
            headers = {key.lower(): value for key, value in response["headers"].items()}
            page["ResponseMetadata"] = {
                "RequestId": headers.get("x-amzn-requestid", ""),
                "HTTPStatusCode": response["status_code"],
                "HTTPHeaders": headers,
            }
            return page

    class Factory(ResponseParserFactory):
        def create_parser(self, protocol_name: str) -> Any:
            return Pages(timestamp_parser=utc) if protocol_name == "json" else super().create_parser(protocol_name)

    factory = Factory()
    factory.set_parser_defaults(timestamp_parser=utc)
    return factory


def _read_page(body: bytes) -> dict[str, Any] | None:
    """Read the JSON of a history page and its timestamps; None when it is no such page."""
    import orjson

    try:
        page = orjson.loads(body)
    except orjson.JSONDecodeError:
        try:
            page = json.loads(body)  # lone surrogates, which orjson refuses
        except ValueError:
            return None
    events = page.get("events") if isinstance(page, dict) else None
    if not isinstance(events, list):
        return None
    for event in events:
        stamp = event.get("timestamp")
        event["timestamp"] = datetime.fromtimestamp(stamp, UTC) if type(stamp) is float else utc(stamp)
    return page  # type: ignore[no-any-return]
