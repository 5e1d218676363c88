"""Failures of many executions, put together where they are the same: by state, error and the shape of the cause.

A cause is reduced to a template, so that a thousand texts which differ in a request id are one: numbers, ids, ARNs, times, URLs
and quoted strings become placeholders. Of a cause that is JSON, as Lambda's are, only the message counts, not the stack trace.

What is counted are the failures that began something (module `failure`): the root failure of an execution that did not succeed,
and the ones that were retried or caught. An error path that ends in a Fail state is one failure, not two.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from sfn_notebook.errors import Json
from sfn_notebook.history import columns as c
from sfn_notebook.history.events import parse
from sfn_notebook.history.failure import Failure, Fault

if TYPE_CHECKING:
    import pandas as pd

_LONGEST: Final = 2000
"""Characters of a cause that are looked at; the service allows 32,768."""

_MESSAGES: Final = ("errorMessage", "Message", "message", "ErrorMessage", "Cause", "cause", "Error", "error")
"""Where a cause that is JSON says what happened, in this order."""

_PLACEHOLDERS: Final = (
    (re.compile(r"(?i)(?<=request id: )[^\s,;)]++"), "<id>"),
    (re.compile(r"\barn:[\w-]*:[^\s,;'\"()<>]*"), "<arn>"),
    (re.compile(r"\bhttps?://[^\s'\"<>]+"), "<url>"),
    (re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,64}\.[\w.-]{1,64}"), "<mail>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?"), "<time>"),
    (re.compile(r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b"), "<id>"),
    (re.compile(r"\"[^\"\n]{0,500}\"|(?<!\w)'[^'\n]{0,500}'(?!\w)|`[^`\n]{0,500}`"), "<text>"),
    (
        re.compile(r"\b(?!ISO|RFC|UTF|HTTP|SHA)(?=(?:[A-Za-z_-]{0,40}\d){3})(?=[\d_-]{0,40}[A-Za-z])[\w-]{8,200}\b"),
        "<id>",
    ),
    (re.compile(r"(?<![\w<])(?!ISO|RFC|UTF|HTTP|SHA|MD5)[A-Za-z]{1,6}[-_]?\d{2,40}\b"), "<id>"),
    (re.compile(r"(?<!\w)[+-]?\d(?:\d|[,_](?=\d))*+(?:\.\d++)?(?:[eE][+-]?\d{1,4})?(?=\b|[^\W\d])"), "<n>"),
)
"""What stands for what, in the order of replacing: the longest and most certain things first."""

_PREAMBLE: Final = re.compile(
    r"^An error occurred while executing the state '.{0,200}?' \(entered at the event id #\d+\)\. ?"
)
"""What the service says before every cause of its own; the state has a column."""

_SPACE: Final = re.compile(r"\s+")


def template(cause: str | None) -> str:
    """Reduce a cause to its shape: equal for failures that differ only in numbers, ids, ARNs, times, URLs and quoted texts.

    `template("order 17 of 'Jane' not found")` is `"order <n> of <text> not found"`.
    """
    text = _PREAMBLE.sub("", _message(cause)[:_LONGEST]).strip()
    for pattern, placeholder in _PLACEHOLDERS:
        text = pattern.sub(placeholder, text)
    return _SPACE.sub(" ", text).strip()


def _message(cause: str | None) -> str:
    """Take the message out of a cause that is a JSON object; other causes are their own message."""
    if not cause or not cause.lstrip().startswith("{"):
        return cause or ""
    value = parse(cause)
    found = _found(value)
    return found if found is not None else cause if isinstance(value, str) else _skeleton(value)


def _skeleton(value: Json, depth: int = 0) -> str:
    """Write a JSON value with its keys but without its values."""
    if isinstance(value, dict) and depth < 4:
        return "{" + ", ".join(f"{key}: {_skeleton(inner, depth + 1)}" for key, inner in value.items()) + "}"
    if isinstance(value, list) and depth < 4:
        return "[" + ", ".join(dict.fromkeys(_skeleton(inner, depth + 1) for inner in value)) + "]"
    return "<n>" if isinstance(value, int | float) and not isinstance(value, bool) else "<text>"


def _found(value: Json) -> str | None:
    """Look for a message, in the object itself before what it holds."""
    level, looked_at = [value], 0
    while level and looked_at < 100:
        looked_at += len(level)
        for item in level:
            if isinstance(item, dict):
                found = next((item[key] for key in _MESSAGES if isinstance(item.get(key), str) and item[key]), None)
                if found is not None:
                    return str(found)
        level = [
            inner
            for item in level
            if isinstance(item, dict | list)
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
    return None


@dataclass(slots=True)
class _Cluster:
    state: str | None
    error: str | None
    template: str
    faults: list[Fault] = field(default_factory=list)
    executions: dict[str, None] = field(default_factory=dict)

    def handled(self, how: str | None) -> int:
        return sum(fault.handling == how for fault in self.faults)

    def times(self) -> list[datetime]:
        return sorted(_aware(fault.time) for fault in self.faults if fault.time is not None)


def _aware(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def faults(report: Failure | None) -> Iterator[Fault]:
    """Yield the failures that began something: the root, and the handled ones."""
    if report is None:
        return
    if report.root is not None:
        yield report.root
    yield from report.handled


def failures(reports: Mapping[str, Failure | None], examples: int = 3) -> pd.DataFrame:
    """Return one row per kind of failure over all executions: those that ended executions first, then by count.

    | column | kind | meaning |
    |---|---|---|
    | state | text | where it began; none for the execution itself |
    | error | text | |
    | template | text | the cause with placeholders |
    | count | integer | how often it happened |
    | executions | integer | in how many executions |
    | fatal, caught, retried | integer | how often it ended the execution, a catcher took over, a retry followed |
    | first_seen, last_seen | time | |
    | cause | text | of the latest one, as it was |
    | examples | value | names of the latest executions in which it happened |

    Args:
        reports: execution -> what went wrong in it, as `failure.failure` tells it.
        examples: how many executions to name.
    """
    clusters = sorted(
        _clusters(reports), key=lambda k: (-k.handled(None), -len(k.faults), k.state or "", k.error or "")
    )
    times = [cluster.times() for cluster in clusters]
    return c.frame(
        {
            "state": c.text([k.state for k in clusters]),
            "error": c.text([k.error for k in clusters]),
            "template": c.text([k.template for k in clusters]),
            "count": c.integer([len(k.faults) for k in clusters]),
            "executions": c.integer([len(k.executions) for k in clusters]),
            "fatal": c.integer([k.handled(None) for k in clusters]),
            "caught": c.integer([k.handled("caught") for k in clusters]),
            "retried": c.integer([k.handled("retried") for k in clusters]),
            "first_seen": c.time([found[0] if found else None for found in times]),
            "last_seen": c.time([found[-1] if found else None for found in times]),
            "cause": c.text([_latest(k.faults).cause for k in clusters]),
            "examples": c.value([_examples(k, examples) for k in clusters]),
        }
    )


def _clusters(reports: Mapping[str, Failure | None]) -> Iterable[_Cluster]:
    found: dict[tuple[str | None, str | None, str], _Cluster] = {}
    templates: dict[str | None, str] = {}
    for execution, report in reports.items():
        for fault in faults(report):
            shape = templates.get(fault.cause)
            if shape is None:
                shape = templates[fault.cause] = template(fault.cause)
            key = fault.state, fault.error, shape
            cluster = found.setdefault(key, _Cluster(*key))
            cluster.faults.append(fault)
            cluster.executions.pop(execution, None)
            cluster.executions[execution] = None
    return found.values()


def _latest(found: Sequence[Fault]) -> Fault:
    return max(found, key=lambda fault: _aware(fault.time) if fault.time else datetime.min.replace(tzinfo=UTC))


def _examples(cluster: _Cluster, count: int) -> list[str]:
    latest: dict[str, None] = {}
    names = list(cluster.executions)
    for name in reversed(names):
        if len(latest) == count:
            break
        latest[name] = None
    return list(latest)
