r"""Regular expressions of JSONata as the service runs them, with a way to stop them.

The service's patterns mean what Java's mean by default: `\s`, `\d`, `\w` and case-insensitivity know ASCII only. Matching
backtracks, so a hostile pattern takes exponential time; the `regex` package can be told to give up, and what it may spend
is one allowance for the whole evaluation. That allowance is the only clock in this package: it decides when a hopeless
match ends, never what a match finds.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from sfn_notebook.lang.jsonata.backtracking import program
from sfn_notebook.lang.jsonata.failures import TIME_LIMIT, JsonataError, LimitReached
from sfn_notebook.lang.jsonata.values import Function

SECONDS = 1.0
"""What all matches of one evaluation may take: the service's limit for the evaluation."""


class Match(NamedTuple):
    """One match: its text, where it starts and ends, and its groups; a group that took no part is an empty string."""

    text: str
    start: int
    end: int
    groups: tuple[str, ...]


class Allowance:
    """The seconds that the matches of one evaluation have left."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = SECONDS


class BadPattern(ValueError):
    """A pattern cannot be read; the text says why."""


class Regex(Function):
    """A compiled pattern; called as a function it gives its first match in the argument."""

    __slots__ = ("pattern", "places", "source")

    def __init__(self, source: str, *, ignore_case: bool = False, multiline: bool = False) -> None:
        import regex  # type: ignore[import-untyped]  # here: few expressions have a pattern

        super().__init__(2)
        flags = regex.V0 | regex.ASCII
        flags |= regex.IGNORECASE if ignore_case else 0
        flags |= regex.MULTILINE if multiline else 0
        self.source = source
        try:
            self.pattern = regex.compile(source, flags)
        except regex.error as error:
            raise BadPattern(str(error)) from None
        self.places = program(source, ignore_case=ignore_case, multiline=multiline)

    def matches(self, text: str, allowance: Allowance) -> Iterator[Match]:
        """Find the matches one after the other.

        Raises:
            LimitReached: matching takes too long.
            JsonataError: D1004, a match after the first one is empty, so that the search would never end.
        """
        if self.places.exceeds(text):
            raise LimitReached(TIME_LIMIT)
        position, first = 0, True
        while first or position < len(text):
            found = self._search(text, position, allowance)
            if found is None:
                return
            if not first and found.end() == found.start():
                raise JsonataError("D1004", value=self.source)
            yield Match(found[0], found.start(), found.end(), tuple(found.groups("")))
            position, first = found.end(), False

    def _search(self, text: str, position: int, allowance: Allowance) -> Any:
        started = time.monotonic()
        try:
            return self.pattern.search(text, position, timeout=max(allowance.left, 0.001), concurrent=True)
        except TimeoutError:
            raise LimitReached(TIME_LIMIT) from None
        finally:
            allowance.left -= time.monotonic() - started
