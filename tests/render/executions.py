"""Visits for the tests of charts, written by hand, second by second."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sfn_notebook.history.records import Attempt, Iteration, Visit

START = datetime(2026, 3, 1, 10, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def visit(number: int, name: str, start: float, end: float | None, **more: Any) -> Visit:
    place = more.pop("place", ())
    values: dict[str, Any] = {"type": "Task", "parent": 0, "run": 1, "iteration": None, "input_text": "{}"}
    values |= {"status": "SUCCEEDED" if end is not None else "RUNNING", **more}
    exited = None if end is None else at(end)
    return Visit(id=number, name=name, place=place, entered=at(start), exited=exited, **values)


def attempt(number: int, start: float, end: float, status: str = "SUCCEEDED", error: str | None = None) -> Attempt:
    return Attempt(number, 1, "Task", number, at(start), started=at(start), ended=at(end), status=status, error=error)


def retried() -> list[Visit]:
    """A task that failed once, then a choice that took no time, then a failure."""
    first = visit(1, "Call", 0, 6, next=2)
    first.task_attempts = [attempt(1, 0, 2, "FAILED", "Busy"), attempt(2, 4, 6)]
    return [
        first,
        visit(2, "Which?", 6, 6, type="Choice", next=3),
        visit(3, "Broken", 6, 8, status="FAILED", error="Boom", cause="it did"),
    ]


def fanned(items: int, length: float = 2, width: int = 4) -> list[Visit]:
    """A Map of many items, `width` at a time; every tenth fails and is caught."""
    end = length * (-(-items // width))
    around = visit(1, "Each", 0, end, type="Map", runs=1)
    rows = [around]
    for index in range(items):
        start = length * (index // width)
        place = (("Each", index),)
        status = "CAUGHT" if index % 10 == 9 else "SUCCEEDED"
        rows.append(
            visit(2 + index, "Work", start, start + length, place=place, parent=1, iteration=index, status=status)
        )
        around.iterations.append(
            Iteration("Each", index, 1, 1, place, 2 + index, at(start), at(start + length), 0, "SUCCEEDED")
        )
    return rows
