"""The eighteen intrinsic functions themselves, on plain values.

Owns the table `INTRINSICS`: name -> number of arguments and function; a new function is one entry. A function takes JSON
values, gives a new JSON value, and raises `InvalidArguments` where AWS fails. It knows nothing of syntax or paths.

What AWS showed and its documents do not say: `MathAdd` rounds half up (-1.5 becomes -1), while `ArrayPartition`, `ArrayRange`
and `MathRandom` cut fractions off; `StringSplit` takes its delimiter as a set of characters and drops empty parts; `Format`
prints an object as Java does.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
import random
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from sfn_notebook.errors import Json
from sfn_notebook.lang.environment import Environment, compact
from sfn_notebook.lang.values import is_number, java_text, json_equal

MAX_TEXT = 10_000
MAX_RANGE = 1_000


class InvalidArguments(Exception):
    """The arguments do not suit the function; a text replaces AWS's usual one."""


@dataclass(frozen=True, slots=True)
class Intrinsic:
    """A function of the table.

    Attributes:
        least: the smallest number of arguments.
        most: the largest, or None for any number.
        function: takes the arguments; the environment before them where `random` is set.
        random: whether the function needs the environment's source of randomness.
        size: the largest number of bytes of a result, where one is known.
    """

    least: int
    most: int | None
    function: Callable[..., Json]
    random: bool = False
    size: int | None = None


def _need(condition: object) -> None:
    if not condition:
        raise InvalidArguments


def _text(value: Json) -> str:
    _need(isinstance(value, str) and len(value) <= MAX_TEXT)
    return str(value)


def _list(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise InvalidArguments
    return value


def _whole(value: Json) -> int:
    """Cut the fraction off, as AWS does everywhere but in MathAdd."""
    _need(is_number(value))
    return int(value)


def _rounded(value: Json) -> int:
    if value.__class__ is int:
        return int(value)
    _need(is_number(value))
    below = math.floor(value)
    return int(below + 1) if value - below >= 0.5 else int(below)


_TEMPLATE_PART = re.compile(r"\\(.)|\$\{[\w.:-]+\}|\{\}|[{}]", re.DOTALL)


def template_pieces(template: str) -> list[str]:
    """Split a template at its `{}`; escapes are resolved in the pieces.

    A placeholder of a deployment tool such as `${Bucket}` stays as it is: definitions live in repositories with them.
    """
    pieces = [""]
    position = 0
    for match in _TEMPLATE_PART.finditer(template):
        pieces[-1] += template[position : match.start()]
        position = match.end()
        if match[0] == "{}":
            pieces.append("")
        elif match[0] == "{":
            raise InvalidArguments("Invalid template in States.Format: matching '}' not found for '{'")
        elif match[0] == "}":
            raise InvalidArguments("Invalid template in States.Format: matching '{' not found for '}'")
        elif match[0].startswith("$"):
            pieces[-1] += match[0]
        else:
            pieces[-1] += match[1] if match[1] in "'{}\\" else match[0]
    pieces[-1] += template[position:]
    return pieces


def _format(template: Json, *values: Json) -> Json:
    _need(isinstance(template, str))
    first, *others = template_pieces(template)
    _need(len(others) == len(values))
    try:
        return first + "".join(java_text(value) + piece for value, piece in zip(values, others, strict=True))
    except RecursionError:
        raise InvalidArguments from None


def _string_to_json(text: Json) -> Json:
    if not isinstance(text, str):
        raise InvalidArguments
    if not text.strip():
        return None
    try:
        return json.loads(text, parse_constant=_not_json, parse_float=_finite)
    except (ValueError, RecursionError):
        raise InvalidArguments from None


def _not_json(_constant: str) -> Json:
    raise InvalidArguments


def _finite(text: str) -> float:
    number = float(text)
    _need(math.isfinite(number))
    return number


def _json_to_string(value: Json) -> Json:
    try:
        return compact(value)
    except RecursionError:
        raise InvalidArguments from None


def _array(*values: Json) -> Json:
    return list(values)


def _array_partition(values: Json, size: Json) -> Json:
    items, length = _list(values), _whole(size)
    _need(length > 0)
    return [items[start : start + length] for start in range(0, len(items), length)]


def _array_contains(values: Json, wanted: Json) -> Json:
    return any(json_equal(value, wanted) for value in _list(values))


def _array_range(start: Json, end: Json, step: Json) -> Json:
    first, last, by = _whole(start), _whole(end), _whole(step)
    _need(by)
    numbers = range(first, last + (1 if by > 0 else -1), by)
    _need(-(2**62) < first < 2**62 and -(2**62) < last < 2**62 and -(2**62) < by < 2**62)
    _need(len(numbers) <= MAX_RANGE)
    return list(numbers)


def _array_get_item(values: Json, index: Json) -> Json:
    items, position = _list(values), _whole(index)
    _need(0 <= position < len(items))
    return items[position]


def _array_length(values: Json) -> Json:
    return len(_list(values))


def _array_unique(values: Json) -> Json:
    seen: dict[str, list[Json]] = {}
    unique = []
    for value in _list(values):
        alike = seen.setdefault(_bucket(value), [])
        if not any(json_equal(value, other) for other in alike):
            alike.append(value)
            unique.append(value)
    return unique


def _bucket(value: Json) -> str:
    """Give equal values the same text, so that only values with the same text are compared."""
    if is_number(value):
        return str(hash(value))
    return json.dumps(value) if isinstance(value, str | bool | None) else f"{type(value).__name__}{len(value)}"


def _base64_encode(text: Json) -> Json:
    return base64.b64encode(_bytes(_text(text))).decode("ascii")


def _base64_decode(text: Json) -> Json:
    encoded = _text(text)
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        raise InvalidArguments from None


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


_ALGORITHMS: dict[Json, Callable[[bytes], str]] = {
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False).hexdigest(),
    "SHA-1": lambda data: hashlib.sha1(data, usedforsecurity=False).hexdigest(),
    "SHA-256": lambda data: hashlib.sha256(data).hexdigest(),
    "SHA-384": lambda data: hashlib.sha384(data).hexdigest(),
    "SHA-512": lambda data: hashlib.sha512(data).hexdigest(),
}


def _hash(text: Json, algorithm: Json) -> Json:
    _need(isinstance(algorithm, str) and algorithm in _ALGORITHMS)
    return _ALGORITHMS[algorithm](_bytes(_text(text)))


def _json_merge(first: Json, second: Json, deep: Json) -> Json:
    _need(isinstance(first, dict) and isinstance(second, dict) and deep is False)
    return {**first, **second}


def _math_add(first: Json, second: Json) -> Json:
    return _rounded(first) + _rounded(second)


def _math_random(environment: Environment, start: Json, end: Json, *seeds: Json) -> Json:
    first, last = _whole(start), _whole(end)
    _need(first < last)
    generator = random.Random(_whole(seeds[0])) if seeds else environment.random()
    return generator.randrange(first, last)


def _string_split(text: Json, delimiters: Json) -> Json:
    _need(isinstance(text, str) and isinstance(delimiters, str))
    if not delimiters:
        return [text] if text else []
    one = delimiters[0]
    if len(delimiters) > 1:
        text = text.translate(str.maketrans(dict.fromkeys(delimiters, one)))
    return [part for part in text.split(one) if part]


def _uuid(environment: Environment) -> Json:
    return str(uuid.UUID(int=environment.random().getrandbits(128), version=4))


INTRINSICS: dict[str, Intrinsic] = {
    "Format": Intrinsic(1, None, _format),
    "StringToJson": Intrinsic(1, 1, _string_to_json),
    "JsonToString": Intrinsic(1, 1, _json_to_string),
    "Array": Intrinsic(0, None, _array),
    "ArrayPartition": Intrinsic(2, 2, _array_partition),
    "ArrayContains": Intrinsic(2, 2, _array_contains, size=5),
    "ArrayRange": Intrinsic(3, 3, _array_range),
    "ArrayGetItem": Intrinsic(2, 2, _array_get_item),
    "ArrayLength": Intrinsic(1, 1, _array_length, size=20),
    "ArrayUnique": Intrinsic(1, 1, _array_unique),
    "Base64Encode": Intrinsic(1, 1, _base64_encode),
    "Base64Decode": Intrinsic(1, 1, _base64_decode),
    "Hash": Intrinsic(2, 2, _hash, size=130),
    "JsonMerge": Intrinsic(3, 3, _json_merge),
    "MathRandom": Intrinsic(2, 3, _math_random, random=True),
    "MathAdd": Intrinsic(2, 2, _math_add),
    "StringSplit": Intrinsic(2, 2, _string_split),
    "UUID": Intrinsic(0, 0, _uuid, random=True, size=38),
}
