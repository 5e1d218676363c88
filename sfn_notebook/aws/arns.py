"""ARNs of Step Functions: what a text names, taken apart once.

Owns the kinds of ARN that the service has and the one message for each kind that does not fit. A console URL counts as the ARN that
it holds, because that is what people copy. Nothing here talks to AWS.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from sfn_notebook.errors import AwsError

_ARN = re.compile(
    r"arn:(?P<partition>aws[\w-]*):(?P<service>[\w-]+):(?P<region>[\w-]*):(?P<account>\w*):(?P<rest>[^\s?#&\"']+)"
)

_WHAT = {
    "stateMachine": "a state machine",
    "execution": "an execution",
    "express": "an Express execution",
    "mapRun": "a Map Run",
    "activity": "an activity",
}
"""Kind of ARN -> how messages call it."""

_INSTEAD = {
    "stateMachine": "its executions come with Executions.from_aws",
    "mapRun": "its child executions come with Executions.from_aws",
    "execution": "one execution comes with History.from_aws",
    "express": "one execution comes with History.from_aws",
}


@dataclass(frozen=True, slots=True)
class Arn:
    """An ARN of Step Functions.

    Attributes:
        text: the ARN itself.
        kind: stateMachine, execution, express, mapRun or activity.
        machine: name of the state machine ("" for an activity), for a Map Run and its children without the label.
        name: name of the execution; else that of the machine or activity.
    """

    text: str
    partition: str
    region: str
    account: str
    kind: str
    machine: str
    name: str

    @property
    def machine_arn(self) -> str:
        """The ARN of the state machine that it belongs to, without version or alias."""
        return f"arn:{self.partition}:states:{self.region}:{self.account}:stateMachine:{self.machine}"


def arn_of(text: str, *kinds: str) -> Arn:
    """Take an ARN (or the console URL of one) apart and check that it is of one of these kinds; none given means any.

    Raises:
        AwsError: the text holds no ARN, or one of another service or kind.

    >>> arn_of("arn:aws:states:eu-west-1:123456789012:execution:orders:o-1").name
    'o-1'
    """
    wanted = " or ".join(_WHAT[kind] for kind in kinds) or "something of Step Functions"
    if not isinstance(text, str):
        raise AwsError(f"the ARN of {wanted} is expected, but found {type(text).__name__}")
    match = _ARN.search(text if text.startswith("arn:") else unquote(text))
    if match is None:
        raise AwsError(
            f'the ARN of {wanted} is expected, but found "{text:.120}"; it starts with "arn:aws:states:", and the console '
            "shows it"
        )
    if match["service"] != "states":
        raise AwsError(f'the ARN of {wanted} is expected, but "{match[0]}" belongs to the service {match["service"]}')
    kind, _, rest = match["rest"].partition(":")
    if kind not in _WHAT or not rest:
        raise AwsError(f'the ARN of {wanted} is expected, but "{match[0]}" is not complete')
    if kinds and kind not in kinds:
        hint = f"; {_INSTEAD[kind]}" if kind in _INSTEAD else ""
        raise AwsError(f'the ARN of {wanted} is expected, but "{match[0]}" is that of {_WHAT[kind]}{hint}')
    parts = rest.split(":")
    if kind in ("execution", "express") and len(parts) < 2:
        raise AwsError(f'the ARN of {wanted} is expected, but "{match[0]}" ends before the name of the execution')
    machine = "" if kind == "activity" else parts[0].partition("/")[0]
    name = parts[1] if kind in ("execution", "express") else parts[0]
    return Arn(match[0], match["partition"], match["region"], match["account"], kind, machine, name)
