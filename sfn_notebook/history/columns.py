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
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from sfn_notebook.history.events import as_text

if TYPE_CHECKING:
    import pandas as pd

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_FLOATS_TELL_MICROSECONDS: Final = 2.0**32
"""Up to this many seconds after 1970 (the year 2106) a float still tells microseconds apart."""

Array: TypeAlias = Any
"""A pandas array or index of the kind's dtype."""


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

    try:
        seconds = np.fromiter((value.timestamp() for value in values), "f8", len(values))  # type: ignore[union-attr]
        naive = any(value.tzinfo is None for value in values)  # type: ignore[union-attr]
    except AttributeError:  # a missing one
        naive, seconds = True, np.empty(0)
    if naive or (len(seconds) and abs(seconds).max() >= _FLOATS_TELL_MICROSECONDS):
        ticks = np.array([_ticks(value) for value in values], dtype="M8[us]")
    else:
        ticks = np.rint(seconds * 1e6).astype("i8").view("M8[us]")
    return pd.DatetimeIndex(ticks).tz_localize("UTC")


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

    gaps = np.fromiter((value is None for value in values), "?", len(values))
    filled = np.fromiter((value or 0 for value in values), "i8", len(values))
    return pd.arrays.IntegerArray(filled, gaps)


def flag(values: Sequence[bool | None]) -> Array:
    """Build a column of truth values with gaps."""
    import numpy as np
    import pandas as pd

    gaps = np.fromiter((value is None for value in values), "?", len(values))
    return pd.arrays.BooleanArray(np.fromiter((bool(value) for value in values), "?", len(values)), gaps)


def value(values: Sequence[Any]) -> Array:
    """Build a column of parsed JSON values."""
    import numpy as np

    column = np.empty(len(values), dtype=object)
    for row, item in enumerate(values):  # a slice assignment would spread lists over rows
        column[row] = item
    return column


def category(known: Sequence[str]) -> Callable[[Sequence[str | None]], Array]:
    """Return the builder of a category column; values that are not `known` become further categories."""

    def build(values: Sequence[str | None]) -> Array:
        import pandas as pd

        codes = {name: code for code, name in enumerate(known)}
        found = [-1 if value is None else codes.setdefault(value, len(codes)) for value in values]
        return pd.Categorical.from_codes(found, categories=pd.Index(list(codes), dtype=object))

    return build


def frame(columns: Mapping[str, Array]) -> pd.DataFrame:
    """Put columns together."""
    import pandas as pd

    return pd.DataFrame(dict(columns), copy=False)


Builder: TypeAlias = Callable[[Sequence[Any]], Array]
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
