"""What AWS Step Functions adds to JSONata: $partition, $range, $hash, $random, $uuid and $parse.

Arguments that are no whole numbers are cut towards zero. An argument too many or of the wrong type is T0410; an argument
whose value cannot be used is D3137 with a text of the service's own [measured].
"""

# ruff: noqa: ARG001 - every function takes the call

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable
from typing import Any, NoReturn

from sfn_notebook.errors import Json
from sfn_notebook.lang.jsonata.failures import JsonataError
from sfn_notebook.lang.jsonata.runtime import Call, Native
from sfn_notebook.lang.jsonata.values import UNDEFINED, Array, Value, double, number

_HASHES = ("SHA-1", "SHA-384", "SHA-256", "SHA-512", "MD5")


def _arguments(given: tuple[Value, ...], most: int) -> list[Value]:
    """Give `most` arguments, undefined where there are fewer."""
    if len(given) > most:
        raise JsonataError("T0410", index=most + 1)
    return [*given, *[UNDEFINED] * (most - len(given))]


def _whole(value: Value, index: int) -> int:
    if type(value) is not int and (type(value) is not float or value - value != 0):
        raise JsonataError("T0410", index=index)
    return int(value)


def partition(call: Call, *given: Value) -> Value:
    """$partition(array, size): arrays of `size` items; nothing for an empty array or the size 0."""
    items, size = _arguments(given, 2)
    if items is UNDEFINED or items == []:
        return UNDEFINED
    if not isinstance(items, list):
        raise JsonataError("T0412", index=1)
    if size is UNDEFINED:
        return Array([items])
    width = _whole(size, 2)
    if width < 0:
        raise JsonataError("D3137", message="Second argument must be zero or greater")
    if width == 0:
        return UNDEFINED
    return Array(Array(items[start : start + width]) for start in range(0, len(items), width))


def steps(call: Call, *given: Value) -> Value:
    """$range(start, end, step): the numbers from start to end, one alone as itself, none as nothing."""
    first, last, step = _arguments(given, 3)
    start, end = _whole(first, 1), _whole(last, 2)
    if step is UNDEFINED:
        return UNDEFINED
    width = _whole(step, 3)
    if width == 0:
        return UNDEFINED
    found = range(start, end + (1 if width > 0 else -1), width)
    if not found:
        return UNDEFINED
    size = (found[-1] - start) // width + 1
    call.run.hold(8 * size)
    call.run.spend(size // 10)
    return Array(found) if size > 1 else start


def digest(call: Call, *given: Value) -> Value:
    """$hash(text, algorithm): the digest of the UTF-8 text in lower-case hex."""
    text, algorithm = _arguments(given, 2)
    if not isinstance(text, str):
        raise JsonataError("T0410", index=1)
    if algorithm is UNDEFINED:
        return UNDEFINED
    if not isinstance(algorithm, str):
        raise JsonataError("T0410", index=2)
    if algorithm not in _HASHES:
        allowed = ", ".join(_HASHES)
        raise JsonataError("D3137", message=f"Hash algorithm '{algorithm}' must be one of {allowed}")
    return hashlib.new(algorithm.replace("-", ""), text.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()


def random_number(call: Call, *given: Value) -> Value:
    """$random([seed]): with a seed, the first number of `java.util.Random` with that seed."""
    (seed,) = _arguments(given, 1)
    if seed is UNDEFINED:
        return call.run.random.random()
    return java_random(_whole(seed, 1))


def java_random(seed: int) -> float:
    """Give `new java.util.Random(seed).nextDouble()`.

    >>> java_random(42)
    0.7275636800328681
    """
    mask = (1 << 48) - 1
    state = (seed ^ 0x5DEECE66D) & mask
    bits = []
    for width in (26, 27):
        state = (state * 0x5DEECE66D + 0xB) & mask
        bits.append(state >> (48 - width))
    return ((bits[0] << 27) + bits[1]) * 2.0**-53


def unique(call: Call, *given: Value) -> Value:
    """$uuid(): a random one of version 4."""
    _arguments(given, 0)
    return str(uuid.UUID(int=call.run.random.getrandbits(128), version=4))


def parse(call: Call, *given: Value) -> Value:
    """$parse(text): the value of a JSON text; single quotes are accepted, NaN and repeated keys are not."""
    (text,) = _arguments(given, 1)
    if text is UNDEFINED:
        return UNDEFINED
    if not isinstance(text, str):
        raise JsonataError("T0410", index=1)
    try:
        return _DECODER.decode(text)
    except ValueError:
        pass
    try:
        return _DECODER.decode(_double_quoted(text))
    except ValueError:
        raise JsonataError("D3137", message="Invalid JSON") from None


def _double_quoted(text: str) -> str:
    """Write strings in single quotes with double ones."""
    result, position = [], 0
    while position < len(text):
        quote = text[position]
        end = position + 1
        if quote in "\"'":
            while end < len(text) and text[end] != quote:
                end += 2 if text[end] == "\\" else 1
            end += 1
        piece = text[position:end]
        if quote == "'":
            piece = '"' + piece[1:-1].replace("\\'", "'").replace('"', '\\"').replace('\\\\"', '\\"') + '"'
        result.append(piece)
        position = end
    return "".join(result)


def _refuse(_: str) -> NoReturn:
    raise ValueError


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Json]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError
    return result


def _float(text: str) -> float:
    value = float(text)
    if value - value != 0:
        raise ValueError
    return number(value)


def _int(text: str) -> float:
    value = int(text) if len(text) < 20 else _float(text)
    return number(double(value)) if not -(2**63) <= value < 2**63 else value


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_float, parse_int=_int, parse_constant=_refuse)

_BODIES: dict[str, tuple[Callable[..., Value], int]] = {
    "partition": (partition, 2),
    "range": (steps, 3),
    "hash": (digest, 2),
    "random": (random_number, 1),
    "uuid": (unique, 0),
    "parse": (parse, 1),
}
FUNCTIONS = {name: Native(body, None, arity=arity, needs_call=True) for name, (body, arity) in _BODIES.items()}
