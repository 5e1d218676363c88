"""What executions cost as either type."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfn_notebook.errors import CommandError
from sfn_notebook.history.cost import PRICES, Prices, cost, dollars, transitions
from sfn_notebook.history.visits import fold


def _task(new_writer: Any, *kinds: str, resource: str = "invoke") -> Any:
    w = new_writer()
    w.add("TaskStateExited", w.chain(w.add("TaskStateEntered", 0, name="T"), *kinds, resource=resource), name="T")
    return fold(w.events)


def test_each_state_and_each_further_attempt_is_a_transition(new_writer: Any) -> None:
    assert transitions(_task(new_writer, "TaskScheduled", "TaskSucceeded")) == 1
    assert transitions(_task(new_writer, "TaskScheduled", "TaskFailed", "TaskScheduled", "TaskSucceeded")) == 2
    assert transitions([]) == 0


def test_a_redrive_is_billed_again(new_writer: Any) -> None:
    w = new_writer()
    failed = w.chain(w.add("TaskStateEntered", 0, name="T"), "TaskScheduled", "TaskFailed")
    redriven = w.add("ExecutionRedriven", w.add("ExecutionFailed", failed), redriveCount=1)
    w.add("TaskStateExited", w.chain(redriven, "TaskScheduled", "TaskSucceeded"), name="T")
    assert transitions(fold(w.events)) == 2


def test_both_prices_of_a_known_execution(new_writer: Any) -> None:
    visits = _task(new_writer, "TaskScheduled", "TaskSucceeded")  # 3 seconds
    found = cost({"a": visits, "b": visits})
    assert (found.executions, found.transitions, found.gigabyte_seconds) == (2, 2, 2 * 3 * 64 / 1024)
    assert found.standard == pytest.approx(2 * 0.000025)
    assert found.express == pytest.approx(2 * 1e-6 + 0.375 * 0.06 / 3600)
    assert found.total == found.standard
    assert cost(visits, type="EXPRESS").total == cost(visits).express
    assert found.table["execution"].tolist() == ["a", "b"]
    assert found.table.iloc[0][["transitions", "billed_ms", "memory_mb"]].tolist() == [1, 3000, 64]
    assert found.table[["standard", "express"]].sum().tolist() == pytest.approx([found.standard, found.express])
    assert "2 executions as Standard: $0.000050, $0.025 per 1,000" in str(found)
    assert "times less" in str(found)
    assert str(PRICES.asked) in str(found)


def test_memory_grows_with_payload_definition_and_what_runs_beside_each_other(new_writer: Any) -> None:
    w = new_writer()
    entered = w.add("MapStateEntered", 0, name="M", input='"' + "x" * 200_000 + '"')
    w.add("MapStateExited", w.add("MapStateStarted", entered, length=100), name="M")
    assert cost(fold(w.events)).table["memory_mb"].tolist() == [128]
    assert cost([], definition_bytes=20 * 1024 * 1024).table["memory_mb"].tolist() == [128]


@pytest.mark.parametrize(
    ("kinds", "resource", "why"),
    [
        (("TaskScheduled", "TaskSucceeded"), "invoke.waitForTaskToken", "waits for a task token"),
        (("TaskScheduled", "TaskSucceeded"), "startExecution.sync:2", "waits for a job to end (.sync)"),
        (("ActivityScheduled", "ActivitySucceeded"), "arn:a", "has an activity"),
    ],
)
def test_what_express_cannot_do_is_named(new_writer: Any, kinds: Any, resource: str, why: str) -> None:
    found = cost({"a": _task(new_writer, *kinds, resource=resource), "b": _task(new_writer, "TaskScheduled")})
    assert found.obstacles == {why: 1}
    assert f"not possible as Express: {why} (1 of 2)" in str(found)


def test_longer_than_five_minutes_and_distributed_maps_are_obstacles(new_writer: Any) -> None:
    w = new_writer()
    run = w.add("MapRunStarted", w.chain(w.add("MapStateEntered", 0, name="M"), "MapStateStarted"), mapRunArn="arn:m")
    for _ in range(300):
        w.add("MapRunRedriven", run, mapRunArn="arn:m")
    w.add("MapStateExited", run, name="M")
    assert set(cost(fold(w.events)).obstacles) == {"took longer than 5 minutes", "has a Distributed Map"}


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(CommandError, match='type is "STANDARD" or "EXPRESS", but found \'standard\''):
        cost([], type="standard")


def test_nothing_costs_nothing() -> None:
    found = cost({})
    assert (found.executions, found.standard, found.express) == (0, 0, 0)
    assert "0 executions" in str(found)


@given(st.floats(0, 1e8), st.floats(0, 1e8))
def test_memory_prices_fall_by_tier_and_never_jump(a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert PRICES.memory(low) <= PRICES.memory(high)
    assert PRICES.memory(high) - PRICES.memory(low) <= (high - low) * PRICES.gigabyte_seconds[0][1] + 1e-9
    flat = Prices(date(2026, 1, 1), "x", 1, 0, 1, ((math.inf, 2.0),))
    assert flat.memory(high) == pytest.approx(2 * high)


def test_amounts_are_written_with_as_many_digits_as_it_takes() -> None:
    assert [dollars(a) for a in (0, 1234.5, 0.5, 0.000025, 0.0123)] == [
        "$0",
        "$1,234.50",
        "$0.50",
        "$0.000025",
        "$0.012",
    ]
