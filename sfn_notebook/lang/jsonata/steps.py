"""What the steps of a path do with values: look up, flatten, select, order and group. Plain functions, no syntax.

A step gives a `Sequence`, in which lists are dissolved once; a list that the last step gives alone is itself the result.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from sfn_notebook.lang.jsonata.failures import JsonataError
from sfn_notebook.lang.jsonata.runtime import Run
from sfn_notebook.lang.jsonata.values import UNDEFINED, Array, Sequence, Value, is_number, less, truthy, unwrap

Tuple = dict[str, Value]


def field(item: Value, key: str) -> Value:
    """Look a name up in an object, or in each object of a list."""
    if isinstance(item, dict):
        return item.get(key, UNDEFINED)
    if isinstance(item, list):
        found = Sequence()
        for each in item:
            value = field(each, key)
            if isinstance(value, list):
                found.extend(value)
            elif value is not UNDEFINED:
                found.append(value)
        return unwrap(found)
    return UNDEFINED


def flattened(results: list[Value], run: Run, *, last: bool) -> list[Value]:
    """Join the results of a step; a single list as the result of the last step stays what it is."""
    if last and len(results) == 1 and isinstance(results[0], list) and not isinstance(results[0], Sequence):
        return results[0]
    flat = Sequence()
    for value in results:
        if isinstance(value, list) and not (isinstance(value, Array) and value.cons):
            flat.extend(value)
        else:
            flat.append(value)
    run.hold(8 * len(flat))
    return flat


def all_values(item: Value, run: Run) -> Value:
    """Give all values of an object or a list, lists among them flattened completely."""
    values = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
    found: list[Value] = Sequence()
    for value in values:
        if isinstance(value, list):
            found = Array(found)  # joining with a list makes a list of it, which stands for nothing but itself
            found.extend(_leaves(value, run))
        else:
            found.append(value)
    run.hold(8 * len(found))
    return found


def _leaves(value: list[Value], run: Run) -> Iterable[Value]:
    run.spend(len(value))
    for item in value:
        if isinstance(item, list):
            yield from _leaves(item, run)
        else:
            yield item


def inside(item: Value, run: Run) -> Iterable[Value]:
    """Give the item and everything inside it; lists only stand for their items."""
    run.spend(1)
    if isinstance(item, list):
        for each in item:
            yield from inside(each, run)
    else:
        yield item
        if isinstance(item, dict):
            for each in item.values():
                yield from inside(each, run)


def kept(result: Value) -> Value:
    """Mark a result so that one item stays a list."""
    if result is UNDEFINED:
        return result
    if isinstance(result, Array) and result.cons and not isinstance(result, Sequence):
        kept = Sequence([result])
    elif isinstance(result, list):
        kept = result if isinstance(result, Sequence) else Sequence(result)
    else:
        return result
    kept.keep = True
    return kept


def at(value: Value, position: int) -> Value:
    """Give the item at a position, counted from the end if negative."""
    items = value if isinstance(value, list) else [value]
    if position < 0:
        position += len(items)
    results = Sequence()
    results.tuples = isinstance(items, Sequence) and items.tuples
    if 0 <= position < len(items):
        item = items[position]
        if isinstance(item, list):
            return item
        if item is not UNDEFINED:
            results.append(item)
    return results


def selected(answer: Value, index: int, size: int, results: list[Value], item: Value) -> bool:
    """Tell whether a predicate keeps the item at `index`; a list of positions may keep it several times."""
    kind = type(answer)
    if kind is bool:
        return bool(answer)
    if (kind is int or kind is float) and is_number(answer):
        answer = [answer]
    if isinstance(answer, list) and all(is_number(each) for each in answer):
        for position in answer:
            wanted = math.floor(position)
            if (wanted + size if wanted < 0 else wanted) == index:
                results.append(item)
        return False
    return truthy(answer)


def compare(left: Value, right: Value) -> int:
    """Compare two values of a sort term; undefined comes last."""
    if left is UNDEFINED or right is UNDEFINED:
        return (left is UNDEFINED) - (right is UNDEFINED)
    kinds = ["s" if isinstance(each, str) else "n" if type(each) in {int, float} else "" for each in (left, right)]
    if not all(kinds):
        raise JsonataError("T2008", value=right if kinds[0] else left)
    if kinds[0] != kinds[1]:
        raise JsonataError("T2007", value=left, value2=right)
    if left == right:
        return 0
    if kinds[0] == "s":
        return -1 if less(left, right) else 1
    return -1 if left < right else 1


def merge_sorted(items: list[Value], after: Callable[[Value, Value], bool]) -> list[Value]:
    """Sort by merging: `after(a, b)` says that a belongs behind b. Equal items keep their order."""
    width = 1
    result = list(items)
    while width < len(result):
        merged: list[Value] = []
        for start in range(0, len(result), 2 * width):
            middle, end = min(start + width, len(result)), min(start + 2 * width, len(result))
            left, right = start, middle
            while left < middle and right < end:
                if after(result[left], result[right]):
                    merged.append(result[right])
                    right += 1
                else:
                    merged.append(result[left])
                    left += 1
            merged.extend(result[left:middle])
            merged.extend(result[right:end])
        result = merged
        width *= 2
    return result


def together(values: list[Value]) -> Value:
    """Give one value as it is and several as one list, lists among them flattened once, as $append does."""
    if len(values) == 1:
        return values[0]
    result = Array()
    for value in values:
        if isinstance(value, list):
            result.extend(value)
        elif value is not UNDEFINED:
            result.append(value)
    return result


def joined(stream: list[Tuple]) -> Tuple:
    """Make one tuple of several: each variable holds what it held in all of them."""
    names = dict.fromkeys(name for each in stream for name in each)
    return {name: together([each[name] for each in stream if name in each]) for name in names}
