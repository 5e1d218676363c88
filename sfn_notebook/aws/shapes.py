"""What services answer, by their API models: checks a mocked result the way TestState does.

Reads the models that come with botocore, so nothing is sent anywhere. A `Resource` is brought to an operation, whose response shape
says which members there are, of which type and size; Step Functions writes their names with a capital first letter. Members that the
model does not know are let through, as the service does. A resource without a model (a Lambda function by its ARN, an activity, an
HTTP call) and the patterns `.sync` and `.waitForTaskToken`, whose result is not the response of the call, are not checked.

Modes are TestState's: STRICT (required members must be there, and what is there must fit), PRESENT (what is there must fit), NONE.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfn_notebook.engine.task import parse_resource
from sfn_notebook.errors import Json

if TYPE_CHECKING:
    from botocore.model import ServiceModel, Shape

MODES = ("STRICT", "PRESENT", "NONE")

_OPTIMISED = {"states": "stepfunctions", "elasticmapreduce": "emr", "bedrock": "bedrock-runtime"}
"""Optimised integrations whose name is not botocore's."""

_FREE = frozenset({("lambda", "Payload"), ("bedrock-runtime", "Body")})
"""Members that optimised integrations turn from bytes into JSON."""

_HEAD = 2000
"""Bytes at the start of a model file in which its `serviceId` stands."""

_NUMBERS = frozenset({"integer", "long", "float", "double", "bigdecimal", "biginteger"})


def misfit(resource: str, result: Json, mode: str = "STRICT") -> str | None:
    """Say in AWS's words why a mocked result cannot be the answer of a resource; None when it can.

    >>> misfit("arn:aws:states:::sqs:sendMessage", {"MessageId": 5})
    "Field 'MessageId' must be a string"
    """
    if mode == "NONE":
        return None
    found = response_shape(resource)
    if found is None:
        return None
    shape, free = found
    if not isinstance(result, dict):
        return "The mocked result must be a JSON object"
    return next(_problems(shape, result, strict=mode == "STRICT", free=free), None)


def response_shape(resource: str) -> tuple[Shape, frozenset[str]] | None:
    """Give the response shape behind a `Resource` and the top-level members that hold any JSON; None where there is no model."""
    service = parse_resource(resource)
    if service.family != "task" or service.pattern != "request" or not service.resource_type:
        return None
    sdk = service.resource_type.startswith("aws-sdk:")
    name = service.resource_type.removeprefix("aws-sdk:")
    client = _client_of_sdk(name) if sdk else _OPTIMISED.get(name, name)
    model = _model(client) if client else None
    if model is None:
        return None
    operation = next((n for n in model.operation_names if n.lower() == service.action.lower()), None)
    shape = model.operation_model(operation).output_shape if operation else None
    if shape is None:
        return None
    return shape, frozenset() if sdk else frozenset(member for owner, member in _FREE if owner == client)


@lru_cache(maxsize=16)
def _model(client: str) -> ServiceModel | None:
    from botocore.exceptions import UnknownServiceError
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    try:
        return ServiceModel(Loader().load_service_model(client, "service-2"), client)
    except UnknownServiceError:
        return None


def _client_of_sdk(name: str) -> str | None:
    """Give botocore's name of the service that `aws-sdk:<name>` calls, such as "cognito-idp" for "cognitoidentityprovider"."""
    wanted = name.lower()
    return wanted if _service_id(wanted) == wanted else _services().get(wanted)


@lru_cache(maxsize=1)
def _services() -> dict[str, str]:
    """Map service ids, as the SDK for Java writes them in package names, to botocore's names."""
    from botocore.loaders import Loader

    return {_service_id(client): client for client in Loader().list_available_services("service-2")}


@lru_cache(maxsize=1024)
def _service_id(client: str) -> str:
    """Read the service id of one model without parsing the megabytes of it; "" when there is none."""
    from botocore.loaders import Loader

    for root in Loader().search_paths:
        for path in sorted(Path(root, client).glob("*/service-2.json*"), reverse=True):
            with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
                match = re.search(rb'"serviceId"\s*:\s*"([^"]*)"', file.read(_HEAD))
            if match:
                return re.sub(r"[\s-]", "", match[1].decode()).lower()
    return ""


# ---- values against shapes


def _problems(shape: Any, value: dict[str, Json], *, strict: bool, free: frozenset[str] = frozenset()) -> Iterator[str]:
    """Yield what is wrong with an object, in the order of the model."""
    given = {_capital(name): item for name, item in value.items() if _capital(name) == name}
    required = {_capital(name) for name in shape.required_members}
    for member, inner in shape.members.items():
        name = _capital(member)
        if name in given:
            if name not in free:
                yield from _fits(inner, given[name], name, strict)
        elif strict and name in required:
            yield f"Required field '{name}' is missing"


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def _fits(shape: Any, value: Json, name: str, strict: bool) -> Iterator[str]:  # noqa: FBT001 - handed through
    """Yield what is wrong with a value; `name` is the member's, for elements of a list that of the list."""
    kind = shape.type_name
    noun, test = _TYPES.get(kind, _NUMBER if kind in _NUMBERS else _TEXT)
    if not test(value):
        yield f"Field '{name}' must be {noun}"
    elif kind == "structure":
        if not getattr(shape, "is_document_type", False):
            yield from _problems(shape, value, strict=strict)
    elif kind == "list":
        yield from _size(shape, len(value), name)
        for item in value:
            yield from _fits(shape.member, item, name, strict)
    elif kind == "map":
        for key, item in value.items():
            yield from _fits(shape.value, item, key, strict)
    elif kind in ("string", "blob"):
        yield from _size(shape, len(value), name)
    elif kind in _NUMBERS:
        yield from _range(shape, value, name)


def _size(shape: Any, length: int, name: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and length < low:
        yield f"Field '{name}' is smaller than the minimum length"
    if high is not None and length > high:
        yield f"Field '{name}' exceeds the maximum length"


def _range(shape: Any, value: float, name: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and value < low:
        yield f"Field '{name}' is smaller than the minimum value"
    if high is not None and value > high:
        yield f"Field '{name}' exceeds the maximum value"


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is(kind: type) -> Callable[[Json], bool]:
    return lambda value: isinstance(value, kind)


_NUMBER = ("a number", _is_number)
_TEXT = ("a string", _is(str))
_TYPES: dict[str, tuple[str, Callable[[Json], bool]]] = {
    "structure": ("an object", _is(dict)),
    "map": ("an object", _is(dict)),
    "list": ("an array", _is(list)),
    "boolean": ("a boolean", _is(bool)),
}
"""Type of a shape -> how texts call it, and its test; all others are numbers, or text as timestamps and blobs are."""
