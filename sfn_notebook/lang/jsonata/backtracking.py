"""How long a backtracking engine would search: the reason why the service fails on `/^(a+)+$/`.

The engine that matches here is cleverer than the service's and finds at once that `aaaa…b` does not match; the service tries
all the ways to divide the letters among the loops, and its time is up. So the search is counted, without doing it: the steps
from a place of the pattern at a place of the text are always the same, so one pass from the end of the text adds them up.
Counted are patterns in which a loop holds a choice; others cannot explode. Lookarounds, back references, and possessive or
very long patterns are left to the time limit in `regexes`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

STEPS: Final = 30_000_000
"""Steps that the service finds the time for; estimated, since each letter doubles them the exact number hardly matters."""
_PLACES = 150
_CELLS = 200_000

Test: TypeAlias = Callable[[str], bool]
Guard: TypeAlias = Callable[[str, int], bool]


class _Uncountable(Exception):
    pass


@dataclass(slots=True)
class _Place:
    """A place of a pattern: it takes a character, checks a guard, or goes on at one or two other places.

    At the `head` of a loop the first place inside belongs to a new round; at its `tail` the round is over, and another one
    begins only if this one took a character: `following` is then the head and what comes behind the loop.
    """

    test: Test | None = None
    guard: Guard | None = None
    following: tuple[int, ...] = ()
    head: int = -1
    tail: bool = False


Result: TypeAlias = tuple[bool, int]
"""Whether a place leads to a match, and in how many steps that is known."""


@dataclass(slots=True)
class Program:
    """A pattern as places; the last one is the end. `explosive` tells whether counting is worth it."""

    places: list[_Place] = field(default_factory=list)
    explosive: bool = False

    def exceeds(self, text: str) -> bool:
        """Tell whether the search for a match in `text` takes more than `STEPS` steps."""
        if not self.explosive or len(text) * len(self.places) > _CELLS:
            return False
        starts: list[Result] = []
        after: list[Result] = []
        for position in range(len(text), -1, -1):
            after = _Row(self.places, text, position, after).results()
            starts.append(after[0])
        total = 0
        for found, steps in reversed(starts):
            total += steps
            if found:
                break
        return total > STEPS


class _Row:
    """The results of all places at one position of the text; `after` are those at the next position."""

    def __init__(self, places: list[_Place], text: str, position: int, after: list[Result]) -> None:
        self.places = places
        self.text = text
        self.position = position
        self.after = after
        self.known: dict[tuple[int, bool], Result] = {}

    def results(self) -> list[Result]:
        """Give the result of each place, reached with a character just taken."""
        return [self._count(index, fresh=False) for index in range(len(self.places))]

    def _count(self, index: int, *, fresh: bool) -> Result:
        """Count from a place; `fresh` means that the round of the loop around it has not taken a character yet."""
        found = self.known.get((index, fresh))
        if found is None:
            found = self.known[index, fresh] = self._search(index, fresh=fresh)
        return found

    def _search(self, index: int, *, fresh: bool) -> Result:
        place = self.places[index]
        if index == len(self.places) - 1:
            return True, 1
        if place.test is not None:
            if self.position < len(self.text) and place.test(self.text[self.position]):
                success, steps = self.after[place.following[0]]
                return success, steps + 1
            return False, 1
        if place.guard is not None and not place.guard(self.text, self.position):
            return False, 1
        total = 1
        for following in place.following[int(fresh) :][:1] if place.tail else place.following:
            success, steps = self._count(following, fresh=fresh or following == place.head)
            total += steps
            if success:
                return True, total
        return False, total


def program(pattern: str, *, ignore_case: bool, multiline: bool) -> Program:
    """Read a pattern; one that cannot be counted gives a program that is not explosive."""
    import regex  # type: ignore[import-untyped]  # here: few expressions have a pattern

    flags = regex.V0 | regex.ASCII | (regex.IGNORECASE if ignore_case else 0)
    reader = _Reader(pattern, flags, multiline=multiline)
    try:
        reader.read()
    except (_Uncountable, regex.error, RecursionError):
        return Program()
    return reader.program


class _Reader:
    """Reads a pattern from left to right and writes its places; every part starts where the one before ended."""

    def __init__(self, pattern: str, flags: int, *, multiline: bool) -> None:
        self.pattern = pattern
        self.flags = flags
        self.multiline = multiline
        self.position = 0
        self.program = Program()

    def read(self) -> None:
        self._choice()
        if self.position < len(self.pattern):
            raise _Uncountable
        self._add(_Place())

    def _add(self, place: _Place) -> int:
        if len(self.program.places) >= _PLACES:
            raise _Uncountable
        self.program.places.append(place)
        return len(self.program.places) - 1

    def _next(self) -> str:
        return self.pattern[self.position : self.position + 1]

    def _choice(self) -> bool:
        """Read alternatives up to the end or a closing parenthesis; tell whether there is anything to choose inside."""
        fork = self._add(_Place())
        choosy = self._sequence()
        branches, ends = [fork + 1], []
        while self._next() == "|":
            self.position += 1
            choosy = True
            ends.append(self._add(_Place()))
            branches.append(len(self.program.places))
            self._sequence()
        self.program.places[fork].following = tuple(branches)
        for end in ends:
            self.program.places[end].following = (len(self.program.places),)
        return choosy

    def _sequence(self) -> bool:
        choosy = False
        while self._next() and self._next() not in "|)":
            choosy |= self._repeated()
        return choosy

    def _repeated(self) -> bool:
        """Read one part with its quantifier."""
        begin = self.position
        entry = self._add(_Place())
        choosy = self._part()
        bounds = self._quantifier()
        if bounds is None:
            self.program.places[entry].following = (entry + 1,)
            return choosy
        least, most, lazy = bounds
        finish = self.position
        del self.program.places[entry:]
        for _ in range(least):
            self._again(begin)
        if most is None:
            self.program.explosive |= choosy
            loop = self._add(_Place())
            self.program.places[loop].head = loop + 1
            self._again(begin)
            tail = self._add(_Place(tail=True))
            self.program.places[tail].following = (loop, tail + 1)
            self._fork(loop, lazy=lazy)
        else:
            forks = []
            for _ in range(most - least):
                forks.append(self._add(_Place()))
                self._again(begin)
            for fork in forks:
                self._fork(fork, lazy=lazy)
        self.position = finish
        return True

    def _again(self, begin: int) -> None:
        self.position = begin
        self._part()

    def _fork(self, index: int, *, lazy: bool) -> None:
        inside, behind = index + 1, len(self.program.places)
        self.program.places[index].following = (behind, inside) if lazy else (inside, behind)

    def _quantifier(self) -> tuple[int, int | None, bool] | None:
        found = re.compile(r"(?:([*+?])|\{(\d+)(,?)(\d*)\})(\??)(?!\+)").match(self.pattern, self.position)
        if found is None:
            if re.compile(r"[*+?]\+|\{\d+,?\d*\}\+").match(self.pattern, self.position):
                raise _Uncountable
            return None
        self.position = found.end()
        if found[1]:
            return int(found[1] == "+"), 1 if found[1] == "?" else None, bool(found[5])
        most = int(found[4]) if found[4] else None if found[3] else int(found[2])
        return int(found[2]), most, bool(found[5])

    def _part(self) -> bool:
        """Read a group, a guard, or something that takes one character."""
        if self._next() == "(":
            return self._group()
        atom = self._atom()
        guard = self._guard(atom)
        place = self._add(_Place(guard=guard) if guard else _Place(test=self._test(atom)))
        self.program.places[place].following = (place + 1,)
        return False

    def _group(self) -> bool:
        opening = re.compile(r"\((?:\?:|\?P?<[A-Za-z]\w*>|(?!\?))").match(self.pattern, self.position)
        if opening is None:
            raise _Uncountable
        self.position = opening.end()
        choosy = self._choice()
        if self._next() != ")":
            raise _Uncountable
        self.position += 1
        return choosy

    def _atom(self) -> str:
        found = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]|\\[^1-9kgpPxuN0]|[^\\\[]", re.DOTALL).match(
            self.pattern, self.position
        )
        if found is None:
            raise _Uncountable
        self.position = found.end()
        return found[0]

    def _test(self, atom: str) -> Test:
        import regex

        known: dict[str, bool] = {}
        matches = regex.compile(atom if len(atom) > 1 or atom == "." else regex.escape(atom), self.flags).fullmatch

        def test(char: str) -> bool:
            if char not in known:
                known[char] = matches(char) is not None
            return known[char]

        return test

    def _guard(self, atom: str) -> Guard | None:
        guards: dict[str, str] = {"^": "^", "$": "$", "\\b": r"\b", "\\B": r"\B", "\\A": r"\A", "\\Z": r"\Z"}
        if atom not in guards:
            return None
        import regex

        matches = regex.compile(guards[atom], self.flags | (regex.MULTILINE if self.multiline else 0)).match
        return lambda text, position: matches(text, position) is not None
