"""What one history and many executions have in common: their frames, and the answers that are asked of them.

`Analysed` is inherited by `History` and `Executions`. They say what their visits are, a list or a mapping execution -> visits, and every
function of `history` takes either, so nothing here asks which. Whoever gets a frame gets the accessor `df.sfn` with it. Answers show
themselves as text in a notebook, by the subclasses at the end; they stay what `history` made them in all other respects.
"""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sfn_notebook.api.reports import Shown
from sfn_notebook.history.compare import Difference
from sfn_notebook.history.cost import PRICES, Cost, Prices
from sfn_notebook.history.events import Event
from sfn_notebook.history.failure import Failure
from sfn_notebook.history.frames import OneOrMany
from sfn_notebook.history.records import Visit
from sfn_notebook.history.redact import Redaction
from sfn_notebook.history.trend import Trend

if TYPE_CHECKING:
    import pandas as pd

    from sfn_notebook.render.chart import Chart

REDACT: Final = "SFN_NOTEBOOK_REDACT"
"""Environment variable: paths of payload fields that are masked in all that is fetched or read, separated by spaces or commas."""

OURS: Final = "sfn_notebook"
"""Attribute of the frames that come from here."""
T = TypeVar("T")


class Analysed(ABC):
    """Frames and answers over state visits. Frames are made once; whoever changes one changes it for all."""

    @abstractmethod
    def _given_visits(self) -> OneOrMany[Visit]:
        """Give the visits of one history, or a mapping execution -> visits."""

    @abstractmethod
    def _given_events(self) -> OneOrMany[Event]:
        """Give the events of one history, or a mapping execution -> events."""

    @property
    @abstractmethod
    def title(self) -> str:
        """What pictures call it."""

    # ---- frames; those of many executions have the column `execution` in front

    @cached_property
    def events(self) -> pd.DataFrame:
        """One row an event; columns in `history.frames.events_frame`."""
        from sfn_notebook.history.frames import events_frame

        return framed(events_frame(self._given_events()))

    @cached_property
    def states(self) -> pd.DataFrame:
        """One row a state visit; columns in `history.frames.states_frame`."""
        from sfn_notebook.history.frames import states_frame

        return framed(states_frame(self._given_visits()))

    @cached_property
    def attempts(self) -> pd.DataFrame:
        """One row a task attempt; columns in `history.frames.attempts_frame`."""
        from sfn_notebook.history.frames import attempts_frame

        return framed(attempts_frame(self._given_visits()))

    @cached_property
    def iterations(self) -> pd.DataFrame:
        """One row a Map iteration; columns in `history.frames.iterations_frame`."""
        from sfn_notebook.history.frames import iterations_frame

        return framed(iterations_frame(self._given_visits()))

    @cached_property
    def transitions(self) -> pd.DataFrame:
        """One row a transition between states; columns in `history.frames.transitions_frame`."""
        from sfn_notebook.history.frames import transitions_frame

        return framed(transitions_frame(self._given_visits()))

    # ---- answers

    def summary(self) -> pd.DataFrame:
        """Sum up each state, a row each: visits, p50, p95, max, failure and retry rates, share of the wall time.

        The columns are in `history.analysis.summary`.
        """
        from sfn_notebook.history.analysis import summary

        return framed(summary(self._given_visits()))

    def quotas(self) -> pd.DataFrame:
        """Say how near the quotas it came, events of 25,000 and payloads of 256 KiB; columns in `history.analysis.quotas`."""
        from sfn_notebook.history.analysis import quotas

        events = self._given_events()
        counts = (
            {key: len(list(rows)) for key, rows in events.items()} if isinstance(events, dict) else len(list(events))
        )
        return framed(quotas(self._given_visits(), counts))

    def cost(
        self,
        *,
        type: str | None = None,
        definition_bytes: int | None = None,
        prices: Prices = PRICES,
    ) -> Cost:
        """Compute what it costs, as Standard and as Express; `cost().table` has a row an execution.

        Args:
            type: what it really is, "STANDARD" or "EXPRESS"; by default what its ARN says.
            definition_bytes: size of the definition, which the memory of an Express execution grows with.
            prices: the price list.

        Raises:
            CommandError: there is no such type.
        """
        from sfn_notebook.history.cost import cost

        size = self._definition_bytes() if definition_bytes is None else definition_bytes
        return shown(cost(self._given_visits(), type=type or self._type(), definition_bytes=size, prices=prices))

    def durations(self, *, title: str | None = None, theme: str = "auto") -> Chart:
        """Show how the durations of each state are distributed, the slowest state first.

        Args:
            title: heading.
            theme: "auto" (follows the page), "light" or "dark".
        """
        from sfn_notebook.api.pictures import chosen_theme
        from sfn_notebook.render.charts import durations

        look = chosen_theme(theme)
        return durations(self._given_visits(), title=title or f"durations: {self.title}", theme=look)

    def _type(self) -> str:
        return "STANDARD"

    def _definition_bytes(self) -> int:
        return 0


def framed(frame: pd.DataFrame) -> pd.DataFrame:
    """Hand out a frame that shows its texts as they are, and see that `df.sfn` works on it."""
    from sfn_notebook.history.accessor import register
    from sfn_notebook.render.charts import timeline

    register(timeline)
    frame.attrs[OURS] = True
    return frame


def kind_of(arn: str) -> str:
    """Say by its ARN what type of execution it is."""
    return "EXPRESS" if ":express:" in arn else "STANDARD"


def redaction_paths(given: Sequence[str] | str | None) -> tuple[str, ...]:
    """Give the paths of fields to mask: what the caller says, else what the environment variable `SFN_NOTEBOOK_REDACT` says.

    Raises:
        ExpressionError: one cannot be read.
    """
    if given is None:
        given = re.findall(r"(?:\[[^\]]*\]|[^\s,\[])+", os.environ.get(REDACT, ""))
    return Redaction(given).paths


# ---- answers that show themselves


def shown(answer: T) -> T:
    """Give an answer a form that a notebook shows as text instead of as its fields; None stays None."""
    made = _SHOWN.get(type(answer))
    if made is None:
        return answer
    values: Any = {field.name: getattr(answer, field.name) for field in fields(answer)}  # type: ignore[arg-type]  # all are dataclasses
    found: T = made(**values)
    return found


class _Told(Shown):
    @property
    def text(self) -> str:
        return str(self)


class CostAnswer(Cost, _Told):
    """A `Cost` that shows itself."""


class DifferenceAnswer(Difference, _Told):
    """A `Difference` that shows itself."""


class TrendAnswer(Trend, _Told):
    """A `Trend` that shows itself."""


class FailureAnswer(Failure, _Told):
    """A `Failure` that shows itself."""


_SHOWN: Final[dict[type, Callable[..., Any]]] = {
    Cost: CostAnswer,
    Difference: DifferenceAnswer,
    Trend: TrendAnswer,
    Failure: FailureAnswer,
}


def names_of(found: Iterable[str], most: int = 3) -> str:
    """Write some names, and how many more there are."""
    every = list(found)
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(every[:most]) + more
