"""Failures over time."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from sfn_notebook.history.failure import Failure, Fault
from sfn_notebook.history.overview import Overview, executions_frame
from sfn_notebook.render.charts import failures_over_time
from sfn_notebook.render.theme import DARK, LIGHT

from .executions import at


def _table(*statuses: str, hours: float = 1) -> Any:
    def one(number: int, status: str) -> Overview:
        begin = at(number * hours * 3600)
        return Overview(status, begin, begin + timedelta(seconds=5), 10, None, None, None, None)

    return executions_frame({f"e{n}": one(n, status) for n, status in enumerate(statuses)})


def _report(error: str, handling: str | None = None) -> Failure:
    fault = Fault(3, "TaskFailed", at(1), 2, "Pay", "Task", (), error, "order 5 lost", handling=handling)
    return Failure("FAILED", None, None, (fault,)) if handling else Failure("FAILED", fault, fault, ())


def test_executions_are_counted_by_start_and_status() -> None:
    text = str(failures_over_time(_table("SUCCEEDED", "SUCCEEDED", "FAILED", "ABORTED", "TIMED_OUT")))
    lines = text.splitlines()
    assert [line.split("│")[0].strip() for line in lines[1:]] == ["✔ SUCCEEDED", "■ ABORTED", "⏱ TIMED_OUT", "✖ FAILED"]
    assert [line.split("│")[-1].strip() for line in lines[1:]] == ["2", "1", "1", "1"]


def test_each_kind_of_failure_has_a_row_with_its_fates() -> None:
    reports = {"e0": _report("E"), "e1": _report("E", "retried"), "e2": _report("F", "caught"), "e3": None}
    chart = failures_over_time(_table("FAILED", "SUCCEEDED", "SUCCEEDED", "SUCCEEDED"), reports)
    last = str(chart).splitlines()[-2:]
    assert last[0].startswith("Pay: E, order <n> lost")
    assert last[0].endswith("✖ 1 ⚠ 1")
    assert last[1].endswith("│ ⚠ 1")


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_bars_stack_to_the_number_of_executions_and_stay_inside(theme: Any) -> None:
    chart = failures_over_time(_table(*["SUCCEEDED", "FAILED"] * 40, hours=0.01), {"e1": _report("E")}, theme=theme)
    root = ET.fromstring(chart.svg())
    boxes = [e for e in root.iter() if e.tag.endswith("rect")]
    assert all(float(e.get("y", 0)) >= 0 and float(e.get("height", 0)) <= 130 for e in boxes[1:])
    tips = [e.text or "" for e in root.iter() if e.tag.endswith("title")]
    counted = [tip for tip in tips if " of " in tip]
    assert sum(int(tip.splitlines()[1].split()[1]) for tip in counted) == 80
    assert any("1 times Pay: E" in tip for tip in tips)


def test_in_the_specification_boxes_stand_on_each_other() -> None:
    values = failures_over_time(_table(*["SUCCEEDED", "FAILED"] * 40, hours=0.01)).spec["data"]["values"]
    for start in {value["start"] for value in values}:
        boxes = sorted((v["from"], v["to"]) for v in values if v["start"] == start)
        assert boxes[0][0] == 0
        assert all(lower[1] == upper[0] for lower, upper in pairwise(boxes))
    assert sum(value["count"] for value in values) == 80


def test_more_kinds_than_fit_are_counted() -> None:
    reports = {f"e{n}": _report(f"E{n}") for n in range(12)}
    chart = failures_over_time(_table(*["FAILED"] * 12), reports)
    assert "… and 4 more kinds of failure" in chart.svg()


def test_all_at_once_and_none_at_all() -> None:
    at_once = failures_over_time(_table(*["SUCCEEDED"] * 5, hours=0))
    assert at_once.svg().startswith("<svg")
    assert at_once.spec["data"]["values"][0]["count"] == 5
    none = failures_over_time(_table())
    assert str(none) == "failures over time: no execution has started"
    assert "no execution has started" in none.svg()


def test_an_unknown_status_is_counted_too() -> None:
    assert "PENDING_REDRIVE" in str(failures_over_time(_table("PENDING_REDRIVE")))
    assert failures_over_time(_table("PENDING_REDRIVE")).svg().startswith("<svg")
