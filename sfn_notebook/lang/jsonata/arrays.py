"""The functions of JSONata on arrays, objects and functions, and those on single values of any kind."""

from __future__ import annotations

from sfn_notebook.lang.jsonata.failures import TIME_LIMIT, JsonataError, LimitReached
from sfn_notebook.lang.jsonata.runtime import Call, Native
from sfn_notebook.lang.jsonata.steps import field, merge_sorted
from sfn_notebook.lang.jsonata.values import (
    UNDEFINED,
    Array,
    Function,
    Object,
    Sequence,
    Value,
    equal,
    is_number,
    less,
    truthy,
)  # fmt: skip


def count(items: Value) -> Value:
    """$count: undefined counts as none."""
    return 0 if items is UNDEFINED else len(items)


def append(call: Call, left: Value, right: Value) -> Value:
    """$append."""
    if left is UNDEFINED or right is UNDEFINED:
        return right if left is UNDEFINED else left
    result = Array(left if isinstance(left, list) else [left])
    result.extend(right if isinstance(right, list) else [right])
    call.run.hold(8 * len(result))
    return result


def mapped(call: Call, items: Value, function: Function) -> Value:
    """$map."""
    if items is UNDEFINED:
        return UNDEFINED
    results = (call.visit(function, item, index, items) for index, item in enumerate(items))
    return Sequence(result for result in results if result is not UNDEFINED)


def filtered(call: Call, items: Value, function: Function) -> Value:
    """$filter."""
    if items is UNDEFINED:
        return UNDEFINED
    return Sequence(item for index, item in enumerate(items) if truthy(call.visit(function, item, index, items)))


def single(call: Call, items: Value, function: Value) -> Value:
    """$single: the one item that the function accepts."""
    if items is UNDEFINED:
        return UNDEFINED
    found = [
        item
        for index, item in enumerate(items)
        if function is UNDEFINED or truthy(call.visit(function, item, index, items))
    ]
    if len(found) != 1:
        raise JsonataError("D3138" if found else "D3139")
    return found[0]


def reduced(call: Call, items: Value, function: Function, start: Value) -> Value:
    """$reduce."""
    if items is UNDEFINED:
        return UNDEFINED
    if function.arity < 2:
        raise JsonataError("D3050")
    first = 1 if start is UNDEFINED and items else 0
    result = items[0] if first else start
    for index in range(first, len(items)):
        result = call.apply(function, [result, items[index], index, items][: function.arity])
    return result


def zipped(*lists: Value) -> Value:
    """$zip."""
    if not all(isinstance(each, list) for each in lists):
        return Array()
    return Array(Array(group) for group in zip(*lists, strict=False))


def reverse(items: Value) -> Value:
    """$reverse."""
    return items if items is UNDEFINED or len(items) <= 1 else Array(reversed(items))


def shuffle(call: Call, items: Value) -> Value:
    """$shuffle."""
    if items is UNDEFINED or len(items) <= 1:
        return items
    result = Array(items)
    call.run.random.shuffle(result)
    return result


def sort(call: Call, items: Value, function: Value) -> Value:
    """$sort: numbers or strings without a function; with one, items that it calls equal keep their order."""
    if items is UNDEFINED or len(items) <= 1:
        return items
    call.run.spend(len(items))
    if function is not UNDEFINED:
        return Array(merge_sorted(items, lambda a, b: _accepts(call.apply(function, [a, b]))))
    if all(is_number(item) for item in items):
        return Array(sorted(items))
    if all(isinstance(item, str) for item in items):
        return Array(merge_sorted(items, lambda a, b: less(b, a)))
    raise JsonataError("D3070")


def _accepts(answer: Value) -> bool:
    """Read the answer of a comparison as JavaScript does: any list or object is true."""
    return isinstance(answer, list | dict | Function) or truthy(answer)


def distinct(call: Call, items: Value) -> Value:
    """$distinct: the first of equal values."""
    if not isinstance(items, list) or len(items) <= 1:
        return items
    result = Sequence() if isinstance(items, Sequence) else Array()
    seen: set[tuple[type, Value]] = set()
    compared: list[Value] = []
    for item in items:
        if isinstance(item, str | int | float) or item is None:
            key = (bool if isinstance(item, bool) else str if isinstance(item, str) else float, item)
            if key in seen:
                continue
            seen.add(key)
        else:
            call.run.spend(len(compared))
            if any(equal(item, other) for other in compared):
                continue
            compared.append(item)
        result.append(item)
    return result


def keys(value: Value) -> Value:
    """$keys: of an object, or of all objects of a list."""
    found: dict[str, None] = {}
    for each in value if isinstance(value, list) else (value,):
        if isinstance(each, dict):
            found.update(dict.fromkeys(each))
        elif isinstance(each, list):
            inner = keys(each)
            found.update(dict.fromkeys(inner))
    return Sequence(found)


def lookup(value: Value, key: Value) -> Value:
    """$lookup."""
    return UNDEFINED if key is UNDEFINED else field(value, key)


def spread(value: Value) -> Value:
    """$spread: an object for each pair."""
    if isinstance(value, dict):
        return Sequence(Object({key: item}) for key, item in value.items())
    if isinstance(value, list):
        result = Array()
        for each in value:
            inner = spread(each)
            if isinstance(inner, list):
                result.extend(inner)
            else:
                result.append(inner)
        return result or Sequence()
    return value


def merge(items: Value) -> Value:
    """$merge: later pairs win."""
    if items is UNDEFINED:
        return UNDEFINED
    result = Object()
    for item in items:
        result.update(item)
    return result


def each(call: Call, value: Value, function: Function) -> Value:
    """$each: what the function gives for each value and key."""
    pairs = value.items() if isinstance(value, dict) else ()
    results = (call.visit(function, item, key, value) for key, item in pairs)
    return Sequence(result for result in results if result is not UNDEFINED)


def sift(call: Call, value: Value, function: Value) -> Value:
    """$sift: the pairs that the function accepts."""
    pairs = value.items() if isinstance(value, dict) else ()
    kept = Object(
        (key, item)
        for key, item in pairs
        if function is not UNDEFINED and truthy(call.visit(function, item, key, value))
    )
    return kept or UNDEFINED


def clone(call: Call, value: Value) -> Value:
    """$clone: a deep copy."""
    if value is UNDEFINED:
        return UNDEFINED
    return _copy(call, value)


def _copy(call: Call, value: Value) -> Value:
    call.run.steps -= 1
    if call.run.steps < 0:
        raise LimitReached(TIME_LIMIT)
    if isinstance(value, dict):
        return Object((key, _copy(call, item)) for key, item in value.items())
    if isinstance(value, list):
        return Array(_copy(call, item) for item in value)
    return "" if isinstance(value, Function) else value


def boolean(value: Value) -> Value:
    """$boolean."""
    return UNDEFINED if value is UNDEFINED else truthy(value)


def negated(value: Value) -> Value:
    """$not."""
    return UNDEFINED if value is UNDEFINED else not truthy(value)


def exists(value: Value) -> Value:
    """$exists: null exists."""
    return value is not UNDEFINED


def type_of(value: Value) -> Value:
    """$type."""
    if value is UNDEFINED:
        return UNDEFINED
    if isinstance(value, Function):
        return "function"
    return type_name(value)


def type_name(value: Value) -> str:
    """Name the JSON type of a value as JSONata and the service's texts do."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def error(message: Value) -> Value:
    """$error."""
    text = message if isinstance(message, str) and message else "$error() function evaluated"
    raise JsonataError("D3137", message=text)


def assertion(condition: Value, message: Value) -> Value:
    """$assert."""
    if condition is not True:
        text = message if isinstance(message, str) and message else "$assert() statement failed"
        raise JsonataError("D3141", message=text)
    return UNDEFINED


FUNCTIONS = {
    "count": Native(count, "a"),
    "append": Native(append, "xx", needs_call=True),
    "map": Native(mapped, "af", needs_call=True),
    "filter": Native(filtered, "af", needs_call=True),
    "single": Native(single, "af?", needs_call=True),
    "reduce": Native(reduced, "afj?", needs_call=True),
    "zip": Native(zipped, "a+", arity=0),
    "reverse": Native(reverse, "a"),
    "shuffle": Native(shuffle, "a", needs_call=True),
    "sort": Native(sort, "af?", needs_call=True),
    "distinct": Native(distinct, "x", needs_call=True),
    "keys": Native(keys, "x-"),
    "lookup": Native(lookup, "x-s"),
    "spread": Native(spread, "x-"),
    "merge": Native(merge, "a<o>"),
    "each": Native(each, "o-f", needs_call=True),
    "sift": Native(sift, "o-f?", needs_call=True),
    "clone": Native(clone, "(oa)-", needs_call=True),
    "boolean": Native(boolean, "x-"),
    "not": Native(negated, "x-"),
    "exists": Native(exists, "x"),
    "type": Native(type_of, "x"),
    "error": Native(error, "s?"),
    "assert": Native(assertion, "bs?"),
}
