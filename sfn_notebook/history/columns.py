"""Columns of frames: one builder per kind, so that a frame's dtypes depend on its documentation and never on its data.

| kind      | dtype                   | missing |
|-----------|-------------------------|---------|
| text      | `string` (Arrow's where pyarrow is installed) | `<NA>` |
| time      | `datetime64[us, UTC]`   | `NaT`   |
| span      | `timedelta64[us]`       | `NaT`   |
| integer   | `int64`                 | never   |
| maybe     | `Int64`                 | `<NA>`  |
| flag      | `boolean`               | `<NA>`  |
| value     | `object`: parsed JSON   | `None`  |
| category  | `category` with the documented categories, plus unknown ones that occur | `NaN` |

Microseconds, not nanoseconds: a virtual clock runs past the year 2262, where nanoseconds end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from sfn_notebook.history.events import as_text

if TYPE_CHECKING:
    import pandas as pd

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_OFFSET_HOLDS: Final = timedelta(days=7)
"""A zone whose offset is the same at both ends of so short a time did not change in between."""

_FLOATS_HOLD: Final = timedelta(days=36500)
"""Up to a century of seconds, a float tells microseconds apart."""

Array: TypeAlias = Any
"""A pandas array or index of the kind's dtype."""

Builder: TypeAlias = Callable[[Sequence[Any]], Array]


def text(values: Sequence[str | None]) -> Array:
    """Build a text column."""
    import numpy as np
    import pandas as pd

    column = np.empty(len(values), dtype=object)
    column[:] = values
    try:
        return pd.array(column, dtype="string")
    except (TypeError, ValueError):  # a value that is no text, in a history from another source
        column[:] = [as_text(value) for value in values]
        return pd.array(column, dtype="string")


def time(values: Sequence[datetime | None]) -> Array:
    """Build a column of UTC times from aware datetimes; a naive one counts as UTC."""
    import numpy as np
    import pandas as pd

    ticks = _offsets(values)
    if ticks is None:
        ticks = np.array([_ticks(value) for value in values], dtype="M8[us]")
    return pd.DatetimeIndex(ticks).tz_localize("UTC")


def _offsets(values: Sequence[datetime | None]) -> Any:
    """Convert by distance from the first, None where that may be wrong.

    boto3 gives local times, whose UTC offset is slow to ask for. Times of one zone object subtract without asking, which is
    right as long as the offset does not change between them.
    """
    import numpy as np

    first = values[0] if len(values) else None
    if first is None:
        return None
    try:
        deltas = [value - first for value in values]  # type: ignore[operator]
    except TypeError:  # a missing one, or aware and naive ones mixed
        return None
    low, high = first + min(deltas), first + max(deltas)
    if high - low > (_FLOATS_HOLD if isinstance(first.tzinfo, timezone) else _OFFSET_HOLDS):
        return None
    if not first.utcoffset() == low.utcoffset() == high.utcoffset():
        return None
    seconds = np.fromiter(map(timedelta.total_seconds, deltas), "f8", len(deltas))
    return _ticks(first) + np.rint(seconds * 1e6).astype("m8[us]")


def _ticks(value: datetime | None) -> Any:
    import numpy as np

    if value is None:
        return np.datetime64("NaT", "us")
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    return np.datetime64((aware - _EPOCH) // _MICROSECOND, "us")


def integer(values: Sequence[int]) -> Array:
    """Build a column of integers without gaps."""
    import numpy as np

    return np.array(values, dtype="i8")


def maybe(values: Sequence[int | None]) -> Array:
    """Build a column of integers with gaps."""
    import numpy as np
    import pandas as pd

    gaps = np.array([value is None for value in values], dtype="?")
    return pd.arrays.IntegerArray(np.array([value or 0 for value in values], dtype="i8"), gaps)


def flag(values: Sequence[bool | None]) -> Array:
    """Build a column of truth values with gaps."""
    import numpy as np
    import pandas as pd

    gaps = np.array([value is None for value in values], dtype="?")
    return pd.arrays.BooleanArray(np.array([bool(value) for value in values], dtype="?"), gaps)


def value(values: Sequence[Any]) -> Array:
    """Build a column of parsed JSON values: a series, because from a bare array of texts pandas would infer a text column."""
    import numpy as np
    import pandas as pd

    column = np.empty(len(values), dtype=object)
    for row, item in enumerate(values):  # a slice assignment would spread lists over rows
        column[row] = item
    return pd.Series(column, dtype=object)


Part: TypeAlias = tuple[Sequence[int], Sequence[Any]]
"""Rows and their values; what no part names is missing."""


def sparse(kind: Builder, size: int, parts: Sequence[Part]) -> Array:
    """Build a text, maybe or flag column from the rows that have a value: most detail columns are empty for most events."""
    import numpy as np
    import pandas as pd

    if not parts:
        return kind([None]).take(np.full(size, -1), allow_fill=True)
    if kind is text:
        column = np.full(size, None, dtype=object)
        for rows, values in parts:
            column[rows] = values
        return text(column)  # type: ignore[arg-type]
    filled, gaps = np.zeros(size, dtype="i8" if kind is maybe else "?"), np.ones(size, dtype="?")
    for rows, values in parts:
        missing = [value is None for value in values]
        gaps[rows] = missing
        filled[rows] = [value or 0 for value in values]
    return (pd.arrays.IntegerArray if kind is maybe else pd.arrays.BooleanArray)(filled, gaps)


def category(known: Sequence[str]) -> Callable[[Sequence[str | None]], Array]:
    """Return the builder of a category column; values that are not `known` become further categories."""

    def build(values: Sequence[str | None]) -> Array:
        import pandas as pd

        codes = {name: code for code, name in enumerate(known)}
        if None in values or not codes.keys() >= set(values):
            found = [-1 if value is None else codes.setdefault(value, len(codes)) for value in values]
        else:
            found = [codes[value] for value in values if value is not None]
        return pd.Categorical.from_codes(found, categories=pd.Index(list(codes), dtype=object))

    return build


def frame(columns: Mapping[str, Array]) -> pd.DataFrame:
    """Put columns together."""
    import pandas as pd

    return pd.DataFrame(dict(columns), copy=False)


Table: TypeAlias = Mapping[str, tuple[Builder, Callable[[Any], Any]]]
"""Column name -> (builder of its kind, what it takes from a record)"""

LATER: Final[tuple[Builder, Callable[[Any], Any]]] = (value, lambda _record: None)
"""Holds the place of a column that `build` computes from others."""


def build(table: Table, records: Sequence[Any], spans: Iterable[tuple[str, str, str]] = ()) -> dict[str, Array]:
    """Build the columns of a table from records; a span is (column to replace, from column, to column)."""
    columns = {name: kind([take(record) for record in records]) for name, (kind, take) in table.items()}
    for name, start, end in spans:
        columns[name] = columns[end] - columns[start]
    return columns
