"""`df.sfn`: what frames of executions can do beyond a plain DataFrame.

`register` puts the accessor into pandas. It is called when the first frame is made, never by an import, so that a program that
only runs machines does not load pandas. Drawing lies above this layer: whoever registers hands in the function that draws.

It works on any frame with the right columns, also on a filtered one, or one that was read from Parquet.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from sfn_notebook.errors import CommandError, ExpressionError, Json
from sfn_notebook.history.analysis import STATE_COLUMNS, need, summary
from sfn_notebook.history.events import parse

if TYPE_CHECKING:
    import pandas as pd

NAME: Final = "sfn"

PAYLOADS: Final = ("input", "parameters", "output", "variables", "assigned_variables")
"""Columns that hold payloads, parsed or as JSON text, in the order in which `json` looks at them."""

Draw: TypeAlias = "Callable[[pd.DataFrame], Any]"


def register(timeline: Draw | None = None) -> None:
    """Put the accessor `sfn` into pandas; another call replaces it only to bring a `timeline` that it lacked.

    Args:
        timeline: draws a states frame.

    Raises:
        CommandError: another package already has an accessor of this name.
    """
    import pandas as pd

    present = pd.DataFrame.__dict__.get(NAME)
    if present is not None:
        accessor = getattr(present, "_accessor", present)
        if not isinstance(accessor, type) or not issubclass(accessor, SfnAccessor):
            raise CommandError(f"pandas already has an accessor {NAME!r}: {accessor!r}")
        if timeline is None or accessor.draw is not None:
            return
        delattr(pd.DataFrame, NAME)
        pd.DataFrame._accessors.discard(NAME)  # type: ignore[attr-defined]  # else pandas warns of replacing our own
    chosen = type("SfnAccessor", (SfnAccessor,), {"draw": None if timeline is None else staticmethod(timeline)})
    pd.api.extensions.register_dataframe_accessor(NAME)(chosen)


class SfnAccessor:
    """What `df.sfn` offers."""

    draw: Draw | None = None

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    def timeline(self) -> Any:
        """Draw the visits of a states frame over time; of a frame with many executions, one at a time.

        Raises:
            CommandError: the frame is no states frame, or holds several executions.
        """
        need(self._frame, STATE_COLUMNS, "a timeline")
        if "execution" in self._frame and self._frame["execution"].nunique() > 1:
            names = ", ".join(map(repr, self._frame["execution"].unique()[:3]))
            raise CommandError(
                f"a timeline shows one execution, but found {self._frame['execution'].nunique()}: "
                f"choose one with df[df.execution == ...], such as {names}"
            )
        if self.draw is None:
            raise CommandError("nothing that draws is registered")
        return self.draw(self._frame)

    def summary(self) -> pd.DataFrame:
        """Return one row per state of a states frame; columns in `history.analysis.summary`.

        Raises:
            CommandError: the frame is no states frame.
        """
        return summary(self._frame)

    def json(self, path: str, column: str | None = None) -> pd.Series[Any]:
        """Pull a field out of payloads, a value for each row: `df["customer"] = df.sfn.json("$.order.customer")`.

        Args:
            path: a JSONPath; one that can match several fields, such as `$..id`, gives lists.
            column: the payload column; unless given, the first of input, parameters, output and variables that has the field.

        Numbers, texts and truth values come in the fitting dtype, anything else as objects; where nothing is found, missing.

        Raises:
            CommandError: the path cannot be read, or the frame has no such column.
        """
        read = _reader(path)
        columns = [self._column(column)] if column is not None else [n for n in PAYLOADS if n in self._frame.columns]
        if not columns:
            raise CommandError(f"a field needs a payload column ({', '.join(PAYLOADS)}), but the frame has none")
        rows = zip(*(self._frame[name] for name in columns), strict=True)
        found = [next((x for x in map(read, map(_payload, row)) if x is not None and x != []), None) for row in rows]
        return _series(found, self._frame.index, path)

    def _column(self, name: str) -> str:
        need(self._frame, [name], "the field")
        return name


def _payload(value: Any) -> Json:
    return parse(value) if isinstance(value, str) else value


def _reader(path: str) -> Callable[[Json], Json]:
    from sfn_notebook.lang.environment import EvaluationFailure
    from sfn_notebook.lang.jsonpath import compile_path

    try:
        compiled = compile_path(path)
    except ExpressionError as error:
        raise CommandError(f"the path cannot be read: {error}") from error
    if compiled.root != "$":
        raise CommandError(f"a path into payloads starts with $. or $[, but found {path!r}")

    def read(payload: Json) -> Json:
        try:
            return compiled.evaluate(
                payload, cast("Any", None)
            )  # only variables and the context object need an environment
        except EvaluationFailure:
            return None

    return read


def _series(values: list[Json], index: Any, path: str) -> pd.Series[Any]:
    import numpy as np
    import pandas as pd

    column = np.empty(len(values), dtype=object)
    for row, value in enumerate(values):  # a slice assignment would spread lists over rows
        column[row] = value
    series = pd.Series(column, index=index, name=path, dtype=object)
    kinds = {type(value) for value in values if value is not None}
    if kinds and (kinds <= {int, float} or kinds in ({str}, {bool})):
        return series.convert_dtypes()
    return series
