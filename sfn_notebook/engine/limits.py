"""What the service limits, and the names that an execution goes by.

Sources: the quotas page of the Step Functions developer guide; the error names and texts are recorded ones where there are recordings.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from sfn_notebook.engine.frames import Failure
from sfn_notebook.errors import Json
from sfn_notebook.strictjson import json_size

PAYLOAD_BYTES = 262_144
VARIABLES_BYTES = 10 * 1024 * 1024
HISTORY_EVENTS = 25_000
STANDARD_SECONDS = 365 * 24 * 3600
EXPRESS_SECONDS = 300
TRANSITIONS = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run enforces; infinity lifts a limit.

    Attributes:
        payload: bytes of JSON of any input, output or result.
        events: events of a history (Express workflows have no such limit).
        duration: seconds from start to end.
        transitions: transitions without any virtual time passing, against endless loops; never lifted.
    """

    payload: float = PAYLOAD_BYTES
    events: float = HISTORY_EVENTS
    duration: float = STANDARD_SECONDS
    transitions: int = TRANSITIONS

    @classmethod
    def of(cls, kind: str, *, enforced: bool = True, transitions: int | None = None) -> Limits:
        """Give the limits of a STANDARD or EXPRESS workflow."""
        budget = TRANSITIONS if transitions is None else transitions
        if not enforced:
            return cls(inf, inf, inf, budget)
        if kind == "EXPRESS":
            return cls(PAYLOAD_BYTES, inf, EXPRESS_SECONDS, budget)
        return cls(transitions=budget)


def check_variables(held: dict[str, Json], assigned: dict[str, Json], limits: Limits, so_far: int) -> int:
    """Check the limits of variables before an assignment; give its size in bytes.

    Args:
        held: the variables in scope.
        assigned: the ones to assign.
        limits: what is enforced.
        so_far: bytes assigned earlier, an upper bound of what the variables hold together.

    Raises:
        Failure: States.DataLimitExceeded.
    """
    if limits.payload == inf:
        return 0
    size = json_size(assigned)
    if size > limits.payload:
        raise Failure(
            "States.DataLimitExceeded",
            f"The size of {', '.join(assigned)} in Assign exceeds {int(limits.payload)} bytes.",
        )
    if so_far + size > VARIABLES_BYTES and json_size({**held, **assigned}) > VARIABLES_BYTES:
        raise Failure("States.DataLimitExceeded", f"The total size of all variables exceeds {VARIABLES_BYTES} bytes.")
    return size


@dataclass(frozen=True, slots=True)
class Names:
    """Names and ARNs of a machine and its execution, as the context object and the history show them."""

    machine: str
    execution: str
    kind: str = "STANDARD"
    region: str = "us-east-1"
    account: str = "123456789012"
    partition: str = "aws"

    @property
    def role_arn(self) -> str:
        """Give the ARN of the role that a local run pretends to have."""
        return f"arn:{self.partition}:iam::{self.account}:role/sfn-notebook"

    @property
    def machine_arn(self) -> str:
        """Give the ARN of the machine."""
        return f"arn:{self.partition}:states:{self.region}:{self.account}:stateMachine:{self.machine}"

    @property
    def execution_arn(self) -> str:
        """Give the ARN of the execution; Express ones end in a further id."""
        base = f"arn:{self.partition}:states:{self.region}:{self.account}"
        if self.kind == "EXPRESS":
            return f"{base}:express:{self.machine}:{self.execution}:{self.execution}"
        return f"{base}:execution:{self.machine}:{self.execution}"
