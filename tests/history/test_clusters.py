"""Failures put together by state, error and the shape of the cause."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfn_notebook.history.clusters import failures, template
from sfn_notebook.history.failure import failure

CAUSES = {
    "order 17 of 'Jane' not found": "order <n> of <text> not found",
    "Task timed out after 3.00 seconds": "Task timed out after <n> seconds",
    "RequestId: 6f1c2c5e-1111-2222-3333-444455556666 died": "RequestId: <id> died",
    "no arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST here": "no <arn> here",
    "GET https://example.com/a?b=1 said no": "GET <url> said no",
    "at 2026-11-01T10:00:00.123Z it broke": "at <time> it broke",
    "order o-000123, batch job_77, host ip-10-0-0-1": "order <id>, batch <id>, host <id>",
    "write to jane.doe@example.com": "write to <mail>",
    "(Service: S3, Status Code: 404, Request ID: A1B2/c3=)": "(Service: S3, Status Code: <n>, Request ID: <id>)",
    "can't open, don't ask": "can't open, don't ask",
    "Invalid ISO-8601 text": "Invalid ISO-<n> text",
    '{"errorMessage":"no item 5","errorType":"KeyError","stackTrace":["a","b"]}': "no item <n>",
    '{"Entries":[{"ErrorMessage":"full"}]}': "full",
    '{"Failed":[{"Code":"A","Tries":5},{"Code":"B","Tries":6}]}': "{Failed: [{Code: <text>, Tries: <n>}]}",
    "{not json": "{not json",
    "An error occurred while executing the state 'A b' (entered at the event id #27). No x": "No x",
}


@pytest.mark.parametrize(("cause", "shape"), CAUSES.items())
def test_a_cause_is_reduced_to_its_shape(cause: str, shape: str) -> None:
    assert template(cause) == shape


def test_no_cause_has_an_empty_shape() -> None:
    assert template(None) == template("") == template("  ") == ""


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_numbers_never_tell_causes_apart(a: int, b: int) -> None:
    assert template(f"row {a} of table") == template(f"row {b} of table")


@given(st.text(max_size=300))
def test_any_text_has_a_shape_and_any_message_is_found(text: str) -> None:
    shape = template(text)
    assert "  " not in shape
    if text.strip() and not text.lstrip().startswith("{"):
        assert template(json.dumps({"errorMessage": text})) == shape


def _failed(new_writer: Any, error: str, cause: str, *, retried: int = 0, caught: bool = False) -> Any:
    w = new_writer()
    previous = w.add("TaskStateEntered", 0, name="T")
    for _ in range(retried + 1):
        previous = w.chain(w.add("TaskScheduled", previous), "TaskFailed", error=error, cause=cause)
    if caught:
        w.add("ExecutionSucceeded", w.add("TaskStateExited", previous, name="T"))
    else:
        w.add("ExecutionFailed", previous, error=error, cause=cause)
    return failure(w.events)


def test_same_failures_are_one_row_with_their_fates_and_the_latest_examples(new_writer: Any) -> None:
    reports = {f"e{n}": _failed(new_writer, "E", f"order {n} lost", retried=n % 2) for n in range(5)}
    reports["ok"] = None
    reports["kept"] = _failed(new_writer, "E", "order 7 lost", caught=True)
    reports["other"] = _failed(new_writer, "F", "order 7 lost")
    found = failures(reports, examples=2)
    assert found["error"].tolist() == ["E", "F"]
    first = found.iloc[0]
    assert (first["state"], first["template"], first["count"], first["executions"]) == ("T", "order <n> lost", 8, 6)
    assert (first["fatal"], first["caught"], first["retried"]) == (5, 1, 2)
    assert first["examples"] == ["kept", "e4"]
    assert first["first_seen"] < first["last_seen"]
    assert first["cause"] in {"order 1 lost", "order 3 lost"}  # a retried one took longest


def test_what_ended_executions_comes_first(new_writer: Any) -> None:
    reports = {f"c{n}": _failed(new_writer, "Often", "x", caught=True) for n in range(5)}
    reports["f"] = _failed(new_writer, "Fatal", "y")
    assert failures(reports)["error"].tolist() == ["Fatal", "Often"]


def test_an_execution_that_failed_outside_any_state_has_no_state(new_writer: Any) -> None:
    w = new_writer()
    w.add("ExecutionFailed", w.add("ExecutionStarted", 0), error="States.Runtime", cause="no role")
    row = failures({"a": failure(w.events)}).iloc[0]
    assert row.isna()["state"]
    assert (row["error"], row["fatal"]) == ("States.Runtime", 1)


def test_without_failures_the_columns_keep_their_dtypes(new_writer: Any) -> None:
    usual = failures({"a": _failed(new_writer, "E", "x")}).dtypes.astype(str).to_dict()
    assert failures({}).dtypes.astype(str).to_dict() == failures({"a": None}).dtypes.astype(str).to_dict() == usual
