"""Masking chosen fields of payloads before anybody sees or stores them.

`redact(events, ["$..password"])` gives new events in which the value of every matching field is "***", at any depth, in inputs,
outputs, parameters and variables. Paths are the part of JSONPath that names fields: keys, `..`, `*` and indices. They are applied to
each payload from its own root; variables count as one object, so `$.token` is the variable `token`.

A secret also hides in text, so three more places are searched: JSON inside strings (a message body, the cause of a failed child
execution), JSON and `name=value` inside error texts, and every copy of a masked value in error texts. A payload that was cut, and so cannot be read as
JSON, is masked as a whole: what cannot be searched must not be shown. Values are never changed in place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from sfn_notebook.errors import ExpressionError, Json
from sfn_notebook.history.events import Event

MASK: Final = "***"

_PAYLOADS: Final = ("input", "output", "parameters")
_TEXTS: Final = ("cause", "error")
_SHORTEST: Final = 4
"""A masked value with fewer characters is not looked for in error texts: it would hit by chance."""

Step: TypeAlias = tuple[bool, frozenset[str | int] | None]
"""(at any depth below, names and indices that match; None for all)"""

_STEP: Final = re.compile(
    r"""(?P<deep>\.\.)?
        (?: \.?(?P<star>\*) | \.?\[\s*(?P<all>\*)\s*\]
          | \[\s*(?P<names>(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|-?\d+)(?:\s*,\s*(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|-?\d+))*)\s*\]
          | \.?(?P<name>[^\s.\[\](){}'",*?@$]+) )""",
    re.VERBOSE,
)
_NAME: Final = re.compile(r"""'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|(-?\d+)""")


def redact(events: Iterable[Event], paths: Sequence[str] | Redaction, mask: str = MASK) -> list[dict[str, Any]]:
    """Mask fields in the payloads of events.

    Raises:
        ExpressionError: a path is not one of keys, `..`, `*` and indices.

    >>> redact([{"type": "X", "executionStartedEventDetails": {"input": '{"pin": 1234}'}}], ["$..pin"])
    [{'type': 'X', 'executionStartedEventDetails': {'input': '{"pin":"***"}'}}]
    """
    redaction = paths if isinstance(paths, Redaction) else Redaction(paths, mask)
    return redaction.events(events)


class Redaction:
    """Paths, compiled. `name` tells two redactions apart: what was stored under one must not be given out under another."""

    def __init__(self, paths: Iterable[str], mask: str = MASK) -> None:
        found = [paths] if isinstance(paths, str) else list(paths)
        self.paths = tuple(dict.fromkeys(found))
        self.mask = mask
        self._steps = [_compile(path) for path in self.paths]
        names = [key for steps in self._steps for key in (steps[-1][1] or {0})]
        self._words = [key for key in names if isinstance(key, str)]
        self._any = len(self._words) < len(names)
        """Whether a path ends in `*` or an index: then no word tells where it could match."""
        either = "|".join(map(re.escape, self._words))
        self._assigned = re.compile("" if self._any else rf"""(?:{either})\\*["']?\s*[:=]""")
        """Finds a field with a value in what is no JSON."""
        self._plain = re.compile(rf"""((?:{either})\\*["']?\s*[:=]\s*\\*["']?)[^\s,;&"'\\]+""") if self._words else None
        """Finds them in plain text, as in `password=abcd`."""

    def __bool__(self) -> bool:
        return bool(self._steps)

    @property
    def name(self) -> str:
        """The paths and the mask as one text, the same for the same redaction."""
        return json.dumps([sorted(self.paths), self.mask]) if self._steps else ""

    def events(self, events: Iterable[Event]) -> list[dict[str, Any]]:
        """Mask a whole history: what is masked anywhere is also looked for in all its error texts."""
        if not self._steps:
            return [dict(event) for event in events]
        secrets: set[str] = set()
        masked = [self._event(event, secrets) for event in events]
        return [_without(event, secrets, self.mask) for event in masked] if secrets else masked

    def value(self, value: Json) -> Json:
        """Mask a payload that is already parsed."""
        try:
            return self._value(value, set())
        except RecursionError:
            return self.mask

    def text(self, text: str) -> str:
        """Mask a payload that is JSON text; a text that is no JSON is masked as a whole."""
        return self._payload(text, set())

    def _event(self, event: Event, secrets: set[str]) -> dict[str, Any]:
        return {
            key: self._details(value, secrets) if key.endswith("EventDetails") and isinstance(value, Mapping) else value
            for key, value in event.items()
        }

    def _details(self, detail: Mapping[str, Any], secrets: set[str]) -> dict[str, Any]:
        found = dict(detail)
        for key in _PAYLOADS:
            if found.get(key) is not None:
                given = found[key]
                found[key] = self._payload(given, secrets) if isinstance(given, str) else self._value(given, secrets)
        variables = found.get("assignedVariables")
        if isinstance(variables, Mapping):
            found["assignedVariables"] = self._variables(variables, secrets)
        for key in _TEXTS:
            if isinstance(found.get(key), str):
                found[key] = self._loose(found[key], secrets)
        return found

    def _payload(self, text: str, secrets: set[str]) -> str:
        if not self._may_hold(text):
            return text
        try:
            value = json.loads(text)
            masked = self._value(value, secrets)
        except (ValueError, RecursionError):
            return json.dumps(self.mask)
        return text if masked is value else _dump(masked)

    def _variables(self, variables: Mapping[str, Any], secrets: set[str]) -> dict[str, Any]:
        """Mask variables, whose values are JSON text, as the one object that they are together."""
        parsed = {name: _parse(text) for name, text in variables.items()}
        try:
            masked = self._value({name: value for name, (value, _) in parsed.items()}, secrets)
        except RecursionError:
            return dict.fromkeys(variables, json.dumps(self.mask))
        result = {}
        for name, text in variables.items():
            value, whole = parsed[name]
            if not whole:
                result[name] = json.dumps(self.mask)
            else:
                result[name] = text if masked[name] is value else _dump(masked[name])
        return result

    def _value(self, value: Json, secrets: set[str]) -> Json:
        for steps in self._steps:
            value = _apply(steps, 0, value, lambda hit: self._hide(hit, secrets))
        return self._inner(value, secrets)

    def _hide(self, hit: Json, secrets: set[str]) -> str:
        _collect(hit, secrets)
        return self.mask

    def _inner(self, value: Json, secrets: set[str]) -> Json:
        """Mask JSON that stands as text inside a value."""
        if isinstance(value, str):
            return self._nested(value, secrets)
        if isinstance(value, dict):
            return _copied(value, {key: self._inner(item, secrets) for key, item in value.items()})
        if isinstance(value, list):
            items = [self._inner(item, secrets) for item in value]
            return value if all(a is b for a, b in zip(items, value, strict=True)) else items
        return value

    def _nested(self, text: str, secrets: set[str]) -> str:
        if text[:1] not in ("{", "[", '"') or not self._may_hold(text):
            return text
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return self._loose(text, secrets)
        masked = self._value(value, secrets)
        return text if masked is value else _dump(masked)

    def _loose(self, text: str, secrets: set[str]) -> str:
        """Mask in JSON objects and lists that stand somewhere in a text; the rest of the text where one is cut or no JSON."""
        if not self._may_hold(text):
            return text
        parts: list[str] = []
        at = 0
        while (start := _next_bracket(text, at)) >= 0:
            try:
                value, end = _DECODER.raw_decode(text, start)
                masked = self._value(value, secrets)
            except (ValueError, RecursionError):
                if self._assigned.search(text, start):
                    return "".join(parts) + text[at:start] + self.mask
                parts.append(text[at : start + 1])
                at = start + 1
                continue
            parts += [self._said(text[at:start]), text[start:end] if masked is value else _dump(masked)]
            at = end
        return "".join(parts) + self._said(text[at:])

    def _said(self, text: str) -> str:
        """Mask the values that plain text gives to fields, as in `password=abcd`."""
        return self._plain.sub(lambda match: match[1] + self.mask, text) if self._plain else text

    def _may_hold(self, text: str) -> bool:
        """Whether any path could match in a JSON text: a cheap test that spares most payloads the parsing."""
        return self._any or "\\" in text or any(word in text for word in self._words)


_DECODER: Final = json.JSONDecoder()


def _compile(path: str) -> tuple[Step, ...]:
    if not isinstance(path, str) or not path.startswith("$"):
        raise ExpressionError(
            f'a path to redact starts with "$", as in "$..password", but found {path!r:.80}', str(path), 0
        )
    steps: list[Step] = []
    at = 1
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None:
            raise ExpressionError(
                f'a path to redact is made of keys, "..", "*" and indices, but "{path}" is not from character {at + 1} on',
                path,
                at,
            )
        steps.append((match["deep"] is not None, _keys(match)))
        at = match.end()
    if not steps:
        raise ExpressionError('a path to redact names a field, as in "$..password", but found "$"', path, 0)
    return tuple(steps)


def _keys(match: re.Match[str]) -> frozenset[str | int] | None:
    if match["star"] or match["all"]:
        return None
    if match["name"]:
        return frozenset({match["name"]})
    found: set[str | int] = set()
    for single, double, index in _NAME.findall(match["names"]):
        found.add(int(index) if index else re.sub(r"\\(.)", r"\1", single or double))
    return frozenset(found)


def _apply(steps: tuple[Step, ...], at: int, value: Json, hide: Callable[[Json], str]) -> Json:
    """Mask what the steps from `at` on match; the value itself is returned where nothing matches."""
    if not isinstance(value, dict | list):
        return value
    deep, keys = steps[at]
    last = at + 1 == len(steps)
    pairs = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
    size = len(value)
    changed: dict[Any, Json] = {}
    for key, item in pairs:
        hit = keys is None or key in keys or (isinstance(key, int) and isinstance(value, list) and key - size in keys)
        new = item
        if hit:
            new = hide(item) if last else _apply(steps, at + 1, item, hide)
        if deep and not (hit and last):
            new = _apply(steps, at, new, hide)
        if new is not item:
            changed[key] = new
    if not changed:
        return value
    if isinstance(value, dict):
        return {**value, **changed}
    return [changed.get(index, item) for index, item in enumerate(value)]


def _copied(before: dict[str, Json], after: dict[str, Json]) -> dict[str, Json]:
    return before if all(after[key] is item for key, item in before.items()) else after


def _collect(value: Json, secrets: set[str]) -> None:
    """Note the scalars of a masked value, to find their copies in error texts."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            _collect(item, secrets)
    elif isinstance(value, str | int | float) and not isinstance(value, bool) and len(str(value)) >= _SHORTEST:
        secrets.add(str(value))
        if isinstance(value, str):
            secrets.add(json.dumps(value)[1:-1])


def _without(event: dict[str, Any], secrets: set[str], mask: str) -> dict[str, Any]:
    """Mask copies of secrets in the error texts of an event."""
    for member, detail in event.items():
        if member.endswith("EventDetails") and isinstance(detail, dict):
            for key in _TEXTS:
                text = detail.get(key)
                if isinstance(text, str):
                    for secret in sorted(secrets, key=len, reverse=True):
                        text = text.replace(secret, mask)
                    detail[key] = text
    return event


def _next_bracket(text: str, at: int) -> int:
    found = [place for place in (text.find("{", at), text.find("[", at)) if place >= 0]
    return min(found, default=-1)


def _parse(text: Any) -> tuple[Json, bool]:
    if not isinstance(text, str):
        return text, True
    try:
        return json.loads(text), True
    except (ValueError, RecursionError):
        return None, False


def _dump(value: Json) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
