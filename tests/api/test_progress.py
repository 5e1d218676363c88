"""The progress of one run, counted from its log."""

from __future__ import annotations

from typing import Any

import pytest

from sfn_notebook import StateMachine, TaskError
from sfn_notebook.api.progress import Counts

TASK = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f", "End": True}


def mapped(mode: str) -> StateMachine:
    config = {"Mode": mode, **({"ExecutionType": "STANDARD"} if mode == "DISTRIBUTED" else {})}
    processor = {"ProcessorConfig": config, "StartAt": "T", "States": {"T": TASK}}
    return StateMachine.load({"StartAt": "M", "States": {"M": {"Type": "Map", "ItemProcessor": processor, "End": True,
                              "ToleratedFailurePercentage": 50} if mode == "DISTRIBUTED" else
                              {"Type": "Map", "ItemProcessor": processor, "End": True}}})  # fmt: skip


@pytest.mark.parametrize("mode", ["INLINE", "DISTRIBUTED"])
def test_all_is_done_at_the_end(mode: str) -> None:
    execution = mapped(mode).run([1, 2, 3], {"T": lambda n: n})
    counts = Counts()
    counts.update(execution.engine)
    total, done, failed = counts.with_children(execution.engine)
    assert (done, failed) == (total, 0)


def test_failed_items_of_a_distributed_map_are_counted() -> None:
    def odd(n: int) -> int:
        if n == 2:
            raise TaskError("Even")
        return n

    execution = mapped("DISTRIBUTED").run([1, 2, 3], {"T": odd})
    counts = Counts()
    counts.update(execution.engine)
    assert counts.with_children(execution.engine) == (3, 2, 1)


def test_the_log_is_read_once_however_often_it_is_looked_at() -> None:
    execution = mapped("INLINE").run([1, 2], {"T": lambda n: n})
    counts = Counts()
    counts.update(execution.engine)
    first = (counts.total, counts.done)
    counts.update(execution.engine)
    assert (counts.total, counts.done) == first


def test_a_bar_is_shown_for_a_run_that_takes_long(capsys: pytest.CaptureFixture[str]) -> None:
    def slow(n: Any) -> Any:
        import time

        time.sleep(0.12)
        return n

    execution = mapped("INLINE").run([1, 2, 3, 4], {"T": slow}, progress=True)
    assert execution.output == [1, 2, 3, 4]
    assert "8/8" in capsys.readouterr().err
