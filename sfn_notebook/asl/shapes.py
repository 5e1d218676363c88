"""What can be known of JSON without running anything: shapes, and looking a path up in one.

A shape is `Unknown` (any value), an `Object` whose other fields are ruled out unless it has a `rest`, a `Listing` of known or alike
items, a `Scalar`, or `Either` of several, one for each way in which data may arrive. What rules a field out is remembered as a
`Maker`: the state and what it does to the data, for the message. A task's result is unknown, but it remembers what the task was
given: a field that its input had lost can come back only if the task brings it back.

`depth` and `size` (the least number of bytes of its JSON) come with every shape.

No states and no expressions are known here. Shapes are never changed (their classes are not frozen, because that doubles the time to make one); big ones are cut to `Unknown`, so that every analysis ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from sfn_notebook.errors import Json

Keys: TypeAlias = tuple[str | int, ...]
MAX_WAYS = 6
MAX_DEPTH = 8
MAX_ITEMS = 64
MAX_FIELDS = 40


@dataclass(slots=True, unsafe_hash=True)
class Maker:
    """Who made a value so that nothing else can be in it.

    Attributes:
        state: pointer of the state.
        does: what it does to the data, for a message.
        advice: what to do about it.
        lossy: data was lost on the way, which nobody chose; a constant or a template is chosen.
    """

    state: str
    does: str
    advice: str | None = None
    lossy: bool = True


@dataclass(slots=True, unsafe_hash=True)
class Unknown:
    """Any value; `task` is the pointer of the state that returned it, `given` what that one had to work with."""

    task: str | None = None
    given: Shape | None = None
    depth: int = field(init=False, compare=False, default=0)
    size: int = field(init=False, compare=False, default=1)

    def __post_init__(self) -> None:
        if self.given is not None:
            self.depth = self.given.depth + 1


@dataclass(slots=True, init=False, eq=False)
class Object:
    """An object; without `rest` it has no other fields. `setters` are the states that wrote its fields into other data."""

    fields: Mapping[str, Shape]
    rest: Shape | None
    maker: Maker | None
    setters: Mapping[str, str] | None
    depth: int
    size: int

    def __init__(
        self,
        fields: Mapping[str, Shape],
        rest: Shape | None = None,
        maker: Maker | None = None,
        setters: Mapping[str, str] | None = None,
        *,
        measured: tuple[int, int] | None = None,
    ) -> None:
        """Make one; `measured` is the depth and the size of its fields where they are known already."""
        deepest, size = measured or measure(fields)
        if rest is not None:
            deepest, size = max(deepest, rest.depth - 1), max(size, rest.size)
        self.fields = fields
        self.rest = rest
        self.maker = maker
        self.setters = setters
        self.depth = deepest + 1
        self.size = size

    def __eq__(self, other: object) -> bool:  # what tells most objects apart comes first
        return self is other or (
            isinstance(other, Object)
            and self.size == other.size
            and self.setters == other.setters
            and self.maker == other.maker
            and self.rest == other.rest
            and self.fields == other.fields
        )


def measure(fields: Mapping[str, Shape]) -> tuple[int, int]:
    """Give the depth and the least size of an object's fields."""
    deepest, size = 0, 1
    for key, shape in fields.items():
        size += shape.size + len(key) + 4
        if shape.depth > deepest:
            deepest = shape.depth
    return deepest, size


@dataclass(slots=True, unsafe_hash=True)
class Listing:
    """An array: of exactly these items, or of any number that are like `each`; `length` is the least number of items."""

    items: tuple[Shape, ...] | None = None
    each: Shape = field(default_factory=Unknown)
    length: int | None = None
    maker: Maker | None = None
    depth: int = field(init=False, compare=False, default=0)
    size: int = field(init=False, compare=False, default=2)

    def __post_init__(self) -> None:
        inner = self.items if self.items is not None else (self.each,)
        self.depth = 1 + max([shape.depth for shape in inner], default=0)
        if self.items is not None:
            self.size = max(2, 1 + sum([1 + shape.size for shape in self.items]))
        else:
            self.size = max(2, 1 + (self.length or 0) * (1 + self.each.size))


@dataclass(slots=True, unsafe_hash=True)
class Scalar:
    """Null, a boolean, a number or a string; `size` is how many bytes its JSON has at least."""

    size: int = 1
    maker: Maker | None = None
    depth: int = field(init=False, compare=False, default=0)


@dataclass(slots=True, unsafe_hash=True)
class Either:
    """One of several shapes."""

    ways: tuple[Shape, ...]
    depth: int = field(init=False, compare=False, default=0)
    size: int = field(init=False, compare=False, default=1)

    def __post_init__(self) -> None:
        self.depth = max([way.depth for way in self.ways])
        self.size = min([way.size for way in self.ways])


Shape: TypeAlias = Unknown | Object | Listing | Scalar | Either
ANYTHING = Unknown()
EMPTY = Object({})
INPUT = Unknown("")
"""The workflow's own input."""


class Found(NamedTuple):
    """What a path gives.

    Attributes:
        status: "there", "open" (it may well be there), "unsure" (something speaks against it) or "missing".
        shape: what is there.
        maker: who ruled it out.
        tasks: pointers of the tasks that alone could bring it back.
        setter: the state that sets it on another way, where the reason is that this way does not pass it.
    """

    status: str
    shape: Shape = ANYTHING
    maker: Maker | None = None
    tasks: tuple[str, ...] = ()
    setter: str | None = None


_OPEN = Found("open")


def of_value(value: Json, maker: Maker | None = None, depth: int = 0) -> Shape:
    """Give the shape of a value that is known."""
    if depth > MAX_DEPTH:
        return ANYTHING
    if isinstance(value, str):
        return Scalar(len(value.encode("utf-8", "replace")) + 2, maker)
    if isinstance(value, dict):
        return Object({key: of_value(inner, maker, depth + 1) for key, inner in value.items()}, None, maker)
    if isinstance(value, list):
        if len(value) <= MAX_ITEMS:
            return Listing(tuple(of_value(item, maker, depth + 1) for item in value), length=len(value), maker=maker)
        return Listing(None, either(of_value(item, maker, depth + 1) for item in value[:MAX_WAYS]), len(value), maker)
    return Scalar(1, maker)


def either(shapes: Iterable[Shape]) -> Shape:
    """Join shapes into one."""
    ways: list[Shape] = []
    for shape in shapes:
        if shape.__class__ is not Either:
            if shape not in ways:
                ways.append(shape)
        elif not ways:
            ways.extend(shape.ways)
        else:
            ways.extend([way for way in shape.ways if way not in ways])
        if len(ways) > MAX_WAYS:
            return ANYTHING
    if not ways:
        return ANYTHING
    return ways[0] if len(ways) == 1 else Either(tuple(ways))


def joined(shape: Shape, other: Shape) -> Shape:
    """Join two shapes; the first one itself where the other brings nothing new."""
    ways = shape.ways if isinstance(shape, Either) else (shape,)
    new = [way for way in (other.ways if isinstance(other, Either) else (other,)) if way not in ways]
    if not new:
        return shape
    return Either((*ways, *new)) if len(ways) + len(new) <= MAX_WAYS else ANYTHING


def look_up(shape: Shape, keys: Keys, *, spread: bool = False) -> Found:
    """Follow keys into a shape.

    Args:
        shape: where to start.
        keys: names and indices.
        spread: as JSONata does, a name goes into the items of a list, and an index on no list is that value.
    """
    at = 0
    while isinstance(shape, Object) and at < len(keys):  # as far as it is a plain way through objects
        key = keys[at]
        if isinstance(key, int):
            break
        if key in shape.fields:
            shape = shape.fields[key]
            at += 1
        elif shape.rest is not None:
            shape = shape.rest
        else:
            return Found("missing", maker=shape.maker)
    keys = keys[at:]
    if isinstance(shape, Either):
        return _joined(shape.ways, keys, spread=spread)
    if not keys:
        return Found("there", shape)
    if isinstance(shape, Unknown):
        return _OPEN if shape.given is None else _in_result(shape, keys, spread=spread)
    if isinstance(shape, Object):
        return _at_index(shape, keys, spread=spread)
    if isinstance(shape, Listing):
        return _in_listing(shape, keys, spread=spread)
    if spread and isinstance(keys[0], int):
        return look_up(shape, keys[1:], spread=spread) if keys[0] == 0 else Found("missing", maker=shape.maker)
    return Found("missing", maker=shape.maker)


def _in_result(shape: Unknown, keys: Keys, *, spread: bool) -> Found:
    """Look into what a task returned: nothing speaks against a field unless the task's own input had lost it."""
    if shape.given is None or not shape.task:
        return _OPEN
    before = look_up(shape.given, keys, spread=spread)
    if before.status in ("missing", "unsure") and before.maker is not None:
        return Found("unsure", ANYTHING, before.maker, (*before.tasks, shape.task))
    return _OPEN


def _at_index(shape: Object, keys: Keys, *, spread: bool) -> Found:
    """Look up an index in an object."""
    if spread:
        return look_up(shape, keys[1:], spread=spread) if keys[0] == 0 else Found("missing", maker=shape.maker)
    return Found("missing", maker=shape.maker) if shape.rest is None else _OPEN


def _in_listing(shape: Listing, keys: Keys, *, spread: bool) -> Found:
    key = keys[0]
    if isinstance(key, str):
        if not spread:
            return Found("missing", maker=shape.maker)
        items = shape.items if shape.items is not None else (shape.each,)
        found = [look_up(item, keys, spread=spread) for item in items]
        if found and all(each.status == "missing" for each in found):
            return Found("missing", maker=shape.maker or found[0].maker)
        return _OPEN
    if shape.length is not None and not -shape.length <= key < shape.length:
        return Found("missing", maker=shape.maker)
    item = shape.items[key] if shape.items is not None else shape.each
    return look_up(item, keys[1:], spread=spread)


def _joined(ways: tuple[Shape, ...], keys: Keys, *, spread: bool) -> Found:
    found = [look_up(way, keys, spread=spread) for way in ways]
    statuses = {each.status for each in found}
    if len(statuses) == 1 and "missing" in statuses:
        return found[0]
    shape = either([each.shape for each in found if each.status != "missing"])
    if "missing" in statuses or "unsure" in statuses:
        against = next(each for each in found if each.status in ("missing", "unsure"))
        return Found("unsure", shape, against.maker, against.tasks)
    setter = _set_elsewhere(ways, keys) if keys and "open" in statuses else None
    if setter is not None:
        return Found("unsure", shape, setter=setter)
    return Found("open" if "open" in statuses else "there", shape)


def _set_elsewhere(ways: tuple[Shape, ...], keys: Keys) -> str | None:
    """Give the state that sets a field on one way while another one leaves it as it came with the workflow's input."""
    setters: dict[str, str] = {}
    untouched = False
    for way in ways:
        inner: Shape | None = way
        while isinstance(inner, Object) and keys[0] not in inner.fields:
            inner = inner.rest
        if isinstance(inner, Object) and isinstance(way, Object):
            setters.update(way.setters or {})
        elif inner is INPUT:
            untouched = True
    return setters.get(str(keys[0])) if untouched else None


def put(shape: Shape, keys: Keys, value: Shape, setter: str) -> Shape | None:
    """Write a value at a reference path, as ResultPath does; None where the data cannot take it."""
    if not keys:
        return value
    if isinstance(shape, Either):
        ways = [put(way, keys, value, setter) for way in shape.ways]
        kept = [way for way in ways if way is not None]
        return either(kept) if kept else None
    key, below = keys[0], keys[1:]
    if isinstance(shape, Unknown):
        if isinstance(key, int):
            return ANYTHING
        inner = put(ANYTHING, below, value, setter) if below else value
        return ANYTHING if inner is None else Object({key: inner}, shape, None, {key: setter})
    if isinstance(shape, Object) and isinstance(key, str):
        inner = put(shape.fields.get(key, EMPTY), below, value, setter) if below else value
        if inner is None:
            return None
        if len(shape.fields) >= MAX_FIELDS:
            return Object({key: inner}, ANYTHING, shape.maker, {key: setter})
        setters = {**shape.setters, key: setter} if shape.setters else {key: setter}
        return Object({**shape.fields, key: inner}, shape.rest, shape.maker, setters)
    if isinstance(shape, Listing) and isinstance(key, int):
        return Listing(None, ANYTHING, None, shape.maker)
    return None


def least_length(shape: Shape) -> int:
    """Give how many items a list of this shape has at least."""
    if isinstance(shape, Listing):
        return shape.length or (len(shape.items) if shape.items else 0)
    return min((least_length(way) for way in shape.ways), default=0) if isinstance(shape, Either) else 0


def names_of(shape: Shape) -> tuple[str, ...]:
    """Give the fields that an object is known to have."""
    if isinstance(shape, Object):
        return (*shape.fields, *(names_of(shape.rest) if shape.rest is not None else ()))
    return ()


def is_lossy(shape: Shape) -> bool:
    """Tell whether data has been lost that a task which gets this cannot see any more."""
    if isinstance(shape, Either):
        return any(is_lossy(way) for way in shape.ways)
    if isinstance(shape, Unknown):
        return shape.given is not None
    if isinstance(shape, Object) and shape.rest is not None:
        return is_lossy(shape.rest)
    return shape.maker is not None and shape.maker.lossy
