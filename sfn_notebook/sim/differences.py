"""Where a re-run differs from the history that it repeats: per branch, event by event, field by field.

Events are compared within their branch (a Map iteration, a Parallel branch, the top), because the service interleaves branches as it
likes. Ids, times and what stands for them (task tokens, ARNs of Map Runs, roles) do not count.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from sfn_notebook.errors import Json
from sfn_notebook.history.compare import Change, json_diff
from sfn_notebook.history.events import Event, details, parse
from sfn_notebook.history.places import Branches, Chain, Place, Scope, place_text, scope_of

PAYLOADS = frozenset({"input", "output", "parameters"})
UNIMPORTANT = frozenset(
    {
        "inputDetails", "outputDetails", "assignedVariablesDetails", "roleArn", "stateMachineAliasArn", "stateMachineVersionArn",
        "mapRunArn", "workerName", "name", "region",
    }
)  # fmt: skip
"""Members of details that are not compared; a state's name is compared as part of the way."""
_EVENT_ID = re.compile(r"(entered at the event id #)\d+")
_ALIGNED = 2000
"""Sequences up to this length are aligned where they differ; of longer ones only the common beginning and end."""


@dataclass(frozen=True, slots=True)
class EventDifference:
    """One difference.

    Attributes:
        place: the branch.
        kind: "missing" (only recorded), "extra" (only in the re-run) or "changed".
        type: the event's type.
        state: name of the state, where the event names one or lies in one.
        recorded: id of the recorded event, None for "extra".
        replayed: id of the event of the re-run, None for "missing".
        field: the member of the details that changed, such as "output".
        change: how, with a JSONPath into it.
    """

    place: Place
    kind: str
    type: str
    state: str | None = None
    recorded: int | None = None
    replayed: int | None = None
    field: str = ""
    change: Change | None = None

    def __str__(self) -> str:
        where = f"{place_text(self.place)}: " if self.place else ""
        state = f" of {self.state}" if self.state else ""
        if self.change is None:
            return f"{where}{self.kind} {self.type}{state}"
        return f"{where}{self.type}{state}, {self.field} {self.change}"


@dataclass(frozen=True, slots=True)
class _Step:
    id: int
    type: str
    state: str | None
    fields: dict[str, Json]


def differences(
    recorded: Iterable[Event],
    replayed: Iterable[Event],
    branches: Branches,
    *,
    ignore: Collection[str] = (),
    tokens: Collection[str] = (),
) -> list[EventDifference]:
    """Compare two histories of the same machine, or of an edited one.

    Args:
        recorded: the events of the history.
        replayed: those of the re-run.
        branches: fixes the numbers of Parallel branches.
        ignore: payload keys that do not count, wherever they occur.
        tokens: task tokens of the re-run: where one stands, the recorded one is expected to be another.
    """
    before, after = _by_place(recorded, branches), _by_place(replayed, branches)
    found: list[EventDifference] = []
    for place in sorted({**before, **after}, key=lambda place: (len(place), place)):
        found += _compare(place, before.get(place, []), after.get(place, []), frozenset(ignore), frozenset(tokens))
    return found


def _by_place(events: Iterable[Event], branches: Branches) -> dict[Place, list[_Step]]:
    chain = Chain(branches)
    found: dict[Place, list[_Step]] = {}
    for event in events:
        here = chain.follow(event)
        detail = details(event)
        state = detail.get("name") or detail.get("state")
        if state is None and not isinstance(here, Scope):
            state = here.name
        step = _Step(event.get("id", 0), event["type"], state, dict(_fields(detail)))
        found.setdefault(scope_of(here).place, []).append(step)
    return found


def _fields(detail: Any) -> Iterator[tuple[str, Json]]:
    for name, value in detail.items():
        if name in UNIMPORTANT:
            continue
        if name in PAYLOADS and isinstance(value, str):
            yield name, parse(value)
        elif name == "assignedVariables":
            yield name, {key: parse(text) for key, text in value.items()}
        elif isinstance(value, str):
            yield name, _EVENT_ID.sub(r"\1", value)
        else:
            yield name, value


def _compare(
    place: Place, before: list[_Step], after: list[_Step], ignore: frozenset[str], tokens: frozenset[str]
) -> Iterator[EventDifference]:
    for tag, i1, i2, j1, j2 in _blocks([(s.type, s.state) for s in before], [(s.type, s.state) for s in after]):
        if tag == "equal":
            for one, other in zip(before[i1:i2], after[j1:j2], strict=True):
                yield from _changed(place, one, other, ignore, tokens)
        else:
            yield from (EventDifference(place, "missing", s.type, s.state, recorded=s.id) for s in before[i1:i2])
            yield from (EventDifference(place, "extra", s.type, s.state, replayed=s.id) for s in after[j1:j2])


def _blocks(before: list[Any], after: list[Any]) -> list[tuple[str, int, int, int, int]]:
    if before == after:
        return [("equal", 0, len(before), 0, len(after))]
    if max(len(before), len(after)) <= _ALIGNED:
        return SequenceMatcher(None, before, after, autojunk=False).get_opcodes()  # type: ignore[return-value]
    short = min(len(before), len(after))
    head = next((at for at in range(short) if before[at] != after[at]), short)
    tail = next((at for at in range(short - head) if before[-1 - at] != after[-1 - at]), short - head)
    return [
        ("equal", 0, head, 0, head),
        ("replace", head, len(before) - tail, head, len(after) - tail),
        ("equal", len(before) - tail, len(before), len(after) - tail, len(after)),
    ]


def _changed(
    place: Place, one: _Step, other: _Step, ignore: frozenset[str], tokens: frozenset[str]
) -> Iterator[EventDifference]:
    if one.fields == other.fields:
        return
    for name in {**one.fields, **other.fields}:
        here, there = name in one.fields, name in other.fields
        if here and there:
            found = json_diff(one.fields[name], other.fields[name], ignore)
        else:
            kind = "removed" if here else "added"
            found = [Change("$", kind, one.fields.get(name), other.fields.get(name))]
        for change in found:
            if not is_token(change, tokens):
                yield EventDifference(place, "changed", one.type, one.state, one.id, other.id, name, change)


def is_token(change: Change, tokens: Collection[str]) -> bool:
    """Say whether a change is only that of one task token for another; `tokens` are the new ones."""
    return isinstance(change.a, str) and isinstance(change.b, str) and any(token in change.b for token in tokens)
