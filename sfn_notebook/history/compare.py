"""Two executions side by side: where their ways part, and which payload fields differ.

Visits are matched sequence by sequence: the execution itself, then each Map iteration with the one of the same index, each
Parallel branch with the one that begins with the same state. Inside a sequence states are matched in order by name, so that two
ways which part may meet again. Of a Map or Parallel that was retried, its last run counts.

Payloads are compared as JSON, field by field. A difference in the input of an execution turns up again in every payload that
carries the field; `new` tells where a pair of values is met for the first time, and the text shows only those.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from difflib import SequenceMatcher
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from sfn_notebook.errors import Json
from sfn_notebook.history import columns as c
from sfn_notebook.history.events import STATE_TYPES
from sfn_notebook.history.places import Place, place_text
from sfn_notebook.history.records import VISIT_STATUSES, Visit
from sfn_notebook.history.trend import words

if TYPE_CHECKING:
    import pandas as pd

_WHERE: Final = ("input", "output", "variables")
_MATCHED_AT_MOST: Final = 2000
"""Visits that are aligned by their names; of longer sequences that differ only the common beginning and end are matched."""

_SHOWN: Final = 8


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two JSON values; `path` is written as a JSONPath from `$`."""

    path: str
    kind: str
    """"changed", "added" (only in the second) or "removed" (only in the first)."""
    a: Json = None
    b: Json = None

    def __str__(self) -> str:
        if self.kind == "added":
            return f"{self.path} added: {_short(self.b)}"
        if self.kind == "removed":
            return f"{self.path} removed: {_short(self.a)}"
        return f"{self.path}: {_short(self.a)} → {_short(self.b)}"


def json_diff(a: Json, b: Json, ignore: Collection[str] = ()) -> list[Change]:
    """Return how two JSON values differ, in the order of the first; equal numbers are equal, whether written 1 or 1.0.

    Args:
        a: a JSON value.
        b: another one.
        ignore: keys that do not count, wherever they occur, such as "requestId".
    """
    found: list[Change] = []
    stack = [("$", a, b)]
    while stack:  # not recursion: payloads may be nested deeply
        path, left, right = stack.pop()
        if isinstance(left, dict) and isinstance(right, dict):
            stack += reversed([(_step(path, k), left[k], right[k]) for k in left if k in right and k not in ignore])
            found += [Change(_step(path, k), "removed", left[k]) for k in left if k not in right and k not in ignore]
            found += [Change(_step(path, k), "added", b=right[k]) for k in right if k not in left and k not in ignore]
        elif isinstance(left, list) and isinstance(right, list):
            stack += reversed(list(_items(path, left, right, found)))
        elif not _equal(left, right):
            found.append(Change(path, "changed", left, right))
    return found


def _step(path: str, key: str) -> str:
    return f"{path}.{key}" if key.isidentifier() else f"{path}[{json.dumps(key, ensure_ascii=False)}]"


def _equal(a: Json, b: Json) -> bool:
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    return bool(a == b) or (a != a and b != b)


def _items(path: str, a: list[Json], b: list[Json], found: list[Change]) -> Iterator[tuple[str, Json, Json]]:
    """Match list items: equal ones at the end stay together when the lengths differ, the others go by their place."""
    extra = len(b) - len(a)
    tail = 0
    if extra:
        while tail < min(len(a), len(b)) and not differ(a[-1 - tail], b[-1 - tail]):
            tail += 1
    same = min(len(a), len(b)) - tail
    head = 0
    while extra and head < same and not differ(a[head], b[head]):
        head += 1
    for at in range(head, same):
        yield f"{path}[{at}]", a[at], b[at]
    found += [Change(f"{path}[{at}]", "removed", a[at]) for at in range(same, len(a) - tail)]
    found += [Change(f"{path}[{at}]", "added", b=b[at]) for at in range(same, len(b) - tail)]


def differ(a: Json, b: Json) -> bool:
    """Say whether two JSON values differ at all."""
    return a is not b and bool(json_diff(a, b))


@dataclass(frozen=True, slots=True)
class Parting:
    """A place where the ways part: after the state `after` one went on to `a`, the other to `b`; None where it ended."""

    path: str
    after: str | None
    a: str | None
    b: str | None

    def __str__(self) -> str:
        where = f" in {self.path}" if self.path else ""
        after = f"after {self.after}" if self.after else "at the start"
        return f"{after}{where}: {self.a or 'the end'} | {self.b or 'the end'}"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A payload field that differs. `new`: these values have not been seen in an earlier payload."""

    state: str
    path: str
    payload: str
    change: Change
    visit_a: int
    visit_b: int
    new: bool


@dataclass(frozen=True)
class Difference:
    """How two executions differ.

    Attributes:
        pairs: matched visits in order; None where one has no counterpart.
        partings: where the ways part, the first one first.
        changes: payload fields that differ, by visit.
    """

    pairs: tuple[tuple[Visit | None, Visit | None], ...]
    partings: tuple[Parting, ...]
    changes: tuple[FieldChange, ...]

    @property
    def same(self) -> bool:
        """Whether both went the same way with the same data and outcomes; time does not count."""
        return (
            not self.partings
            and not self.changes
            and all(a and b and _outcome(a) == _outcome(b) for a, b in self.pairs)
        )

    @cached_property
    def states(self) -> pd.DataFrame:
        """One row per matched visit.

        | column | kind | meaning |
        |---|---|---|
        | name, type, path | text, category, text | of the state |
        | status_a, status_b | category | missing where there is no counterpart |
        | attempts_a, attempts_b | maybe | |
        | duration_a, duration_b, slower | span | `slower`: by how much longer the second took |
        | error_a, error_b | text | |
        | fields | integer | number of payload fields that differ |
        | visit_a, visit_b | maybe | ids of the StateEntered events |
        """
        counts: dict[tuple[int, int], int] = {}
        for change in self.changes:
            key = change.visit_a, change.visit_b
            counts[key] = counts.get(key, 0) + 1
        rows = [(a, b, a or b, counts.get((a.id, b.id), 0) if a and b else 0) for a, b in self.pairs]
        found = {
            "name": c.text([v.name if v else None for _, _, v, _ in rows]),
            "type": c.category(STATE_TYPES)([v.type if v else None for _, _, v, _ in rows]),
            "path": c.text([place_text(v.place) if v else None for _, _, v, _ in rows]),
        }
        found |= _side("a", [a for a, *_ in rows]) | _side("b", [b for _, b, *_ in rows])
        found["fields"] = c.integer([count for *_, count in rows])
        found["slower"] = found["duration_b"] - found["duration_a"]
        order = ["name", "type", "path", "status_a", "status_b", "attempts_a", "attempts_b", "duration_a", "duration_b"]
        return c.frame({k: found[k] for k in [*order, "slower", "error_a", "error_b", "fields", "visit_a", "visit_b"]})

    @cached_property
    def fields(self) -> pd.DataFrame:
        """One row per payload field that differs.

        | column | kind | meaning |
        |---|---|---|
        | state, path | text | |
        | payload | category | input, output or variables |
        | field | text | JSONPath from the payload's root |
        | change | category | changed, added, removed |
        | a, b | value | |
        | new | flag | these values have not been seen in an earlier payload |
        | visit_a, visit_b | integer | ids of the StateEntered events |
        """
        rows = self.changes
        return c.frame(
            {
                "state": c.text([r.state for r in rows]),
                "path": c.text([r.path for r in rows]),
                "payload": c.category(_WHERE)([r.payload for r in rows]),
                "field": c.text([r.change.path for r in rows]),
                "change": c.category(("changed", "added", "removed"))([r.change.kind for r in rows]),
                "a": c.value([r.change.a for r in rows]),
                "b": c.value([r.change.b for r in rows]),
                "new": c.flag([r.new for r in rows]),
                "visit_a": c.integer([r.visit_a for r in rows]),
                "visit_b": c.integer([r.visit_b for r in rows]),
            }
        )

    def __str__(self) -> str:
        if self.same:
            return "the same way with the same data" + "".join(f"\n{line}" for line in self._slower())
        lines = [f"the ways part {self.partings[0]}"] if self.partings else ["the same way"]
        lines += [f"and {parting}" for parting in self.partings[1:_SHOWN]]
        lines += _more(len(self.partings) - _SHOWN, "partings")
        lines += [
            f"{_called(a)}: {_outcome_words(a)} | {_outcome_words(b)}"
            for a, b in self.pairs
            if a and b and _outcome(a) != _outcome(b)
        ][:_SHOWN]
        new = [change for change in self.changes if change.new]
        lines += [f"{'/'.join(filter(None, (x.path, x.state)))} {x.payload} {x.change}" for x in new[:_SHOWN]]
        lines += _more(len(new) - _SHOWN, "fields")
        return "\n".join([*lines, *self._slower()])

    def _slower(self) -> list[str]:
        """Name the state whose duration changed most, if it is worth it."""
        found = [
            (b.duration - a.duration, a)
            for a, b in self.pairs
            if a and b and a.duration is not None and b.duration is not None
        ]
        by, visit = max(found, key=lambda row: abs(row[0]), default=(timedelta(0), None))
        if visit is None or visit.duration is None or abs(by) <= max(visit.duration / 5, timedelta(milliseconds=100)):
            return []
        return [f"{_called(visit)} took {words(abs(by))} {'longer' if by > timedelta(0) else 'less'}"]


def _more(count: int, what: str) -> list[str]:
    return [f"… and {count} more {what}"] if count > 0 else []


def _called(visit: Visit) -> str:
    return "/".join(filter(None, (place_text(visit.place), visit.name)))


def _side(side: str, visits: Sequence[Visit | None]) -> dict[str, Any]:
    begun = c.time([v.entered if v else None for v in visits])
    ended = c.time([v.exited if v else None for v in visits])
    return {
        f"status_{side}": c.category(VISIT_STATUSES)([v.status if v else None for v in visits]),
        f"attempts_{side}": c.maybe([v.attempts if v else None for v in visits]),
        f"duration_{side}": ended - begun,
        f"error_{side}": c.text([v.error if v else None for v in visits]),
        f"visit_{side}": c.maybe([v.id if v else None for v in visits]),
    }


def _outcome(visit: Visit) -> tuple[str, str | None, int]:
    return visit.status, visit.error, visit.attempts


def _outcome_words(visit: Visit) -> str:
    tries = f" after {visit.attempts} attempts" if visit.attempts > 1 else ""
    return f"{visit.status}{f' {visit.error}' if visit.error else ''}{tries}"


def _short(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:59] + "…"


def diff(a: Iterable[Visit], b: Iterable[Visit], ignore: Collection[str] = ()) -> Difference:
    """Compare two executions.

    Args:
        a: the visits of one.
        b: the visits of the other.
        ignore: payload keys that do not count, wherever they occur: timestamps, request ids.
    """
    partings: list[Parting] = []
    pairs = tuple(_matched(list(a), list(b), partings))
    seen: set[tuple[str, str]] = set()
    changes = [change for left, right in pairs if left and right for change in _changes(left, right, ignore, seen)]
    return Difference(pairs, tuple(partings), tuple(changes))


def _changes(a: Visit, b: Visit, ignore: Collection[str], seen: set[tuple[str, str]]) -> Iterator[FieldChange]:
    texts = (a.input_text, b.input_text), (a.output_text, b.output_text)
    values = [(a.input, b.input) if texts[0][0] != texts[0][1] else (None, None)]
    values += [(a.output, b.output) if texts[1][0] != texts[1][1] else (None, None)]
    values += [(a.assigned or {}, b.assigned or {})]
    for payload, (left, right) in zip(_WHERE, values, strict=True):
        for change in json_diff(left, right, ignore):
            key = json.dumps(change.a, default=str), json.dumps(change.b, default=str)
            yield FieldChange(a.name, place_text(a.place), payload, change, a.id, b.id, key not in seen)
            seen.add(key)


_Sequences: TypeAlias = dict[int, dict[Any, list[Visit]]]
"""Visit around it, 0 at the top -> what tells its sequences apart -> their visits."""


def _matched(a: list[Visit], b: list[Visit], partings: list[Parting]) -> Iterator[tuple[Visit | None, Visit | None]]:
    """Match the visits of two executions, each Map or Parallel before what runs inside it."""
    left, right = _sequences(a), _sequences(b)
    top = {key: () for found in (left, right) for key in found.get(0, ())}
    work = [_align(left.get(0, {}).get(key, []), right.get(0, {}).get(key, []), (), partings) for key in top]
    while work:
        pair = next(work[-1], None)
        if pair is None:
            work.pop()
            continue
        yield pair
        one, other = pair
        ones, others = left.get(one.id, {}) if one else {}, right.get(other.id, {}) if other else {}
        for key in reversed([*ones, *(key for key in others if key not in ones)]):
            mine, theirs = ones.get(key, []), others.get(key, [])
            place = (mine or theirs)[0].place
            work.append(_align(mine, theirs, place, partings if mine and theirs else []))


def _sequences(visits: list[Visit]) -> _Sequences:
    """Group visits to sequences; of several runs of a Map or Parallel the last one counts."""
    by_id = {visit.id: visit for visit in visits}
    raw: dict[tuple[int, Place], list[Visit]] = {}
    for visit in visits:
        around = by_id.get(visit.parent)
        if around is None or visit.run == max(1, around.runs):
            raw.setdefault((around.id if around else 0, visit.place), []).append(visit)
    found: _Sequences = {}
    for (parent, place), members in raw.items():
        around = by_id.get(parent)
        branch = around is not None and around.type == "Parallel"
        found.setdefault(parent, {}).setdefault(members[0].name if branch else place[-1:], []).extend(members)
    return found


def _align(
    a: list[Visit], b: list[Visit], place: Place, partings: list[Parting]
) -> Iterator[tuple[Visit | None, Visit | None]]:
    """Match the visits of two sequences by name and order, and note where the ways part."""
    for tag, i1, i2, j1, j2 in _blocks([v.name for v in a], [v.name for v in b]):
        if tag != "equal":
            after = a[i1 - 1].name if i1 else None
            partings.append(Parting(place_text(place), after, _name(a, i1), _name(b, j1)))
            yield from ((visit, None) for visit in a[i1:i2])
            yield from ((None, visit) for visit in b[j1:j2])
        else:
            yield from zip(a[i1:i2], b[j1:j2], strict=True)


def _name(visits: list[Visit], at: int) -> str | None:
    return visits[at].name if at < len(visits) else None


def _blocks(a: list[str], b: list[str]) -> Iterable[tuple[str, int, int, int, int]]:
    if a == b:
        return [("equal", 0, len(a), 0, len(b))] if a else []
    if max(len(a), len(b)) <= _MATCHED_AT_MOST:
        return SequenceMatcher(None, a, b, autojunk=False).get_opcodes()
    shorter = min(len(a), len(b))
    head = next((at for at in range(shorter) if a[at] != b[at]), shorter)
    tail = next((at for at in range(shorter - head) if a[-1 - at] != b[-1 - at]), shorter - head)
    ends = len(a) - tail, len(b) - tail
    found = [
        ("equal", 0, head, 0, head),
        ("replace", head, ends[0], head, ends[1]),
        ("equal", ends[0], len(a), ends[1], len(b)),
    ]
    return [block for block in found if block[1] < block[2] or block[3] < block[4]]
