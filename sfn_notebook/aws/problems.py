"""What went wrong in a call to AWS, as one sentence: what, where, and what to do.

Turns the exceptions of botocore into `CallFailed`, an `AwsError` with a `kind`, by two tables: error codes of the services and
classes of botocore. The kinds are what the callers decide by: `throttled` is tried again, those of `HOPELESS` end a batch at once
because every further call would fail the same way, all others concern one execution.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, Final

from sfn_notebook.errors import AwsError

HOPELESS: Final = frozenset({"credentials", "expired", "region"})
"""Kinds after which no other call can succeed either."""

_CODES: Final = {
    "ExpiredToken": "expired",
    "ExpiredTokenException": "expired",
    "RequestExpired": "expired",
    "UnrecognizedClientException": "credentials",
    "InvalidClientTokenId": "credentials",
    "MissingAuthenticationToken": "credentials",
    "InvalidSignatureException": "credentials",
    "SignatureDoesNotMatch": "credentials",
    "IncompleteSignature": "credentials",
    "AccessDeniedException": "permission",
    "AccessDenied": "permission",
    "UnauthorizedOperation": "permission",
    "KmsAccessDeniedException": "permission",
    "ExecutionDoesNotExist": "missing",
    "StateMachineDoesNotExist": "missing",
    "ResourceNotFound": "missing",
    "ResourceNotFoundException": "missing",
    "StateMachineTypeNotSupported": "unsupported",
    "ThrottlingException": "throttled",
    "Throttling": "throttled",
    "TooManyRequestsException": "throttled",
    "RequestLimitExceeded": "throttled",
    "LimitExceededException": "throttled",
    "KmsThrottlingException": "throttled",
    "InternalFailure": "service",
    "InternalServerError": "service",
    "ServiceUnavailable": "service",
    "ServiceUnavailableException": "service",
}
"""Error code of a service -> kind."""

_CLASSES: Final = {
    "NoCredentialsError": "credentials",
    "PartialCredentialsError": "credentials",
    "CredentialRetrievalError": "credentials",
    "ProfileNotFound": "credentials",
    "SSOTokenLoadError": "expired",
    "UnauthorizedSSOTokenError": "expired",
    "TokenRetrievalError": "expired",
    "LoginRefreshRequired": "expired",
    "NoRegionError": "region",
    "InvalidRegionError": "region",
    "HTTPClientError": "connection",
    "ConnectionError": "connection",
    "ResponseStreamingError": "connection",
    "IncompleteReadError": "connection",
    "ResponseParserError": "malformed",
}
"""Class of botocore (or a base of it) -> kind."""

_HINTS: Final = {
    "credentials": "run `aws configure` or `aws sso login`, or give session= or profile= with valid keys",
    "expired": "sign in again (`aws sso login`, or new temporary keys) and repeat the call: what was fetched is not lost",
    "throttled": "other callers use up the quota of this account and region: repeat later, or with a smaller concurrency=",
    "connection": "check the network, a proxy (HTTPS_PROXY), region= and endpoint_url=",
    "region": "give region=, or set it with `aws configure` or AWS_DEFAULT_REGION",
    "service": "repeat the call later",
    "malformed": "repeat the call; check endpoint_url= if one is set",
}
"""Kind -> what to do."""


class CallFailed(AwsError):
    """A call that AWS refused or that never reached it. `kind` says what sort of failure it is."""

    def __init__(self, message: str, kind: str = "other") -> None:
        super().__init__(message)
        self.kind = kind

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.kind)


def kind_of(error: BaseException) -> str:
    """Say what sort of failure an exception of botocore is."""
    response = getattr(error, "response", None)
    if isinstance(response, dict) and "Error" in response:
        code = str(response["Error"].get("Code", ""))
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return _CODES.get(code) or ("service" if status >= 500 else "other")
    return next((_CLASSES[cls.__name__] for cls in type(error).__mro__ if cls.__name__ in _CLASSES), "other")


def problem(
    error: BaseException, call: str, subject: str = "", where: str = "", region: str | None = None
) -> CallFailed:
    """Make the one message for a failed call.

    Args:
        error: what botocore raised.
        call: the API operation.
        subject: what it was about, mostly an ARN.
        where: region and profile, as `Access.where` writes them.
        region: the region alone, to tell an unknown one from a network that is down.
    """
    kind = kind_of(error)
    response = getattr(error, "response", None) or {}
    said = str(response.get("Error", {}).get("Message") or response.get("message") or error).strip().rstrip(".")
    code = str(response.get("Error", {}).get("Code", ""))
    about = f"{call}{f' of {subject}' if subject else ''}{f' in {where}' if where else ''}"
    hint = _HINTS.get(kind)
    if kind == "connection" and region:
        known = _known_regions()
        if known and region not in known:
            close = get_close_matches(region, known, n=1)
            kind = "region"
            hint = f'"{region}" is no region that boto3 knows{f", did you mean {close[0]}" if close else ""}'
    if code == "ExecutionDoesNotExist":
        hint = "Step Functions keeps an execution for 90 days after it closed; check name, region and account"
    elif kind == "permission":
        service = "logs" if call in ("StartQuery", "GetQueryResults", "StopQuery") else "states"
        hint = f"the policy of the caller must allow {service}:{call}"
        if code.startswith("Kms"):
            hint = "the policy of the caller must allow kms:Decrypt with the key of the state machine"
    head = {
        "credentials": "no valid AWS credentials for",
        "expired": "the AWS session has expired:",
        "permission": "no permission for",
        "missing": "not found by",
        "throttled": "too many requests for",
        "connection": "AWS cannot be reached for",
        "region": "no usable region for",
        "service": "AWS failed in",
        "malformed": "an answer that cannot be read from",
        "unsupported": "not supported:",
    }.get(kind, "AWS refused")
    found = f"{code}: {said}" if code and code not in said else said
    return CallFailed(f"{head} {about} ({found}){f'; {hint}' if hint else ''}", kind)


def _known_regions() -> list[str]:
    import botocore.session

    core = botocore.session.Session()
    return [
        region
        for partition in core.get_available_partitions()
        for region in core.get_available_regions("stepfunctions", partition)
    ]
