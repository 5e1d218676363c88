"""Log records as events."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from typing import Any

import pytest

from sfn_notebook.errors import RunError
from sfn_notebook.history.logrecords import ERROR_ONLY, GAPS, NO_DATA, lines_of, recordings_of_log

ARN = "arn:aws:states:eu-west-1:123456789012:express:quick:q-1:0000-1111"
CUT = "the log service cut events that were too long"


def record(number: int, kind: str, previous: int | None = None, arn: str = ARN, **details: Any) -> dict[str, Any]:
    return {
        "id": str(number),
        "type": kind,
        "details": details,
        "previous_event_id": str(number - 1 if previous is None else previous),
        "event_timestamp": str(1772366400000 + number),
        "execution_arn": arn,
        "redrive_count": "0",
    }


def run(arn: str = ARN) -> list[dict[str, Any]]:
    return [
        record(1, "ExecutionStarted", 0, arn, input='{"a":1}', inputDetails={"truncated": False}, roleArn="r"),
        record(2, "TaskStateEntered", 0, arn, name="A", input="{}", inputDetails={"truncated": False}),
        record(
            3,
            "TaskScheduled",
            None,
            arn,
            resource="invoke",
            resourceType="lambda",
            region="r",
            parameters="{}",
            timeoutInSeconds="60",
        ),
        record(4, "TaskSucceeded", None, arn, resource="invoke", resourceType="lambda", output="5"),
        record(5, "TaskStateExited", None, arn, name="A", output="5", assignedVariables={"x": "1", "y": {"z": 2}}),
        record(6, "ExecutionSucceeded", None, arn, output="5"),
    ]


def test_records_in_any_order_and_some_twice_become_one_history() -> None:
    records = [*run(), *run()[:3]]
    random.Random(1).shuffle(records)
    (found,) = recordings_of_log(json.dumps(r) for r in records)
    assert [event["id"] for event in found.events] == [1, 2, 3, 4, 5, 6]
    assert [event["previousEventId"] for event in found.events] == [0, 0, 2, 3, 4, 5]
    assert found.events[2] == {
        "timestamp": datetime(2026, 3, 1, 12, 0, 0, 3000, tzinfo=UTC),
        "type": "TaskScheduled",
        "id": 3,
        "previousEventId": 2,
        "taskScheduledEventDetails": {
            "resource": "invoke",
            "resourceType": "lambda",
            "region": "r",
            "parameters": "{}",
            "timeoutInSeconds": 60,
        },
    }
    assert found.events[4]["stateExitedEventDetails"]["assignedVariables"] == {"x": "1", "y": '{"z":2}'}
    assert (found.name, found.status, found.notice, found.closed) == ("q-1", "SUCCEEDED", None, True)
    assert found.machine_arn == "arn:aws:states:eu-west-1:123456789012:stateMachine:quick"


def test_executions_are_told_apart_newest_first() -> None:
    other = ARN.replace("q-1", "q-2")
    late = [{**r, "event_timestamp": str(int(r["event_timestamp"]) + 5000)} for r in run(other)]
    assert [row.name for row in recordings_of_log([*run(), *late])] == ["q-2", "q-1"]


@pytest.mark.parametrize(
    "wrap",
    [
        lambda r: r,
        json.dumps,
        lambda r: {"message": json.dumps(r), "timestamp": 1, "logStreamName": "s"},
        lambda r: {"@message": json.dumps(r), "@timestamp": "t"},
        lambda r: [{"field": "@ptr", "value": "p"}, {"field": "@message", "value": json.dumps(r)}],
    ],
)
def test_records_are_found_in_what_holds_them(wrap: Any) -> None:
    assert recordings_of_log(map(wrap, run())) == recordings_of_log(run())


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(json.dumps(r) for r in run()) + "\n\n",
        json.dumps(run()),
        json.dumps({"results": [[{"field": "@message", "value": json.dumps(r)}] for r in run()], "status": "Complete"}),
        json.dumps({"events": [{"message": json.dumps(r)} for r in run()], "nextToken": "t"}),
    ],
)
def test_files_of_records_are_read_in_each_usual_form(text: str) -> None:
    assert recordings_of_log(lines_of(text)) == recordings_of_log(run())


def test_a_single_record_is_a_file_too() -> None:
    (found,) = recordings_of_log(lines_of(json.dumps(run()[5])))
    assert found.status == "SUCCEEDED"


@pytest.mark.parametrize(
    ("kept", "notice", "status"),
    [
        ([0, 1, 2, 3, 4, 5], None, "SUCCEEDED"),
        ([5], ERROR_ONLY, "SUCCEEDED"),
        ([0, 1, 2, 4, 5], GAPS, "SUCCEEDED"),
        ([1, 2, 3, 4, 5], GAPS, "SUCCEEDED"),
        ([0, 1, 2], GAPS, "RUNNING"),
    ],
)
def test_what_is_missing_is_said(kept: list[int], notice: str | None, status: str) -> None:
    (found,) = recordings_of_log(run()[index] for index in kept)
    assert (found.notice, found.status, len(found.events)) == (notice, status, len(kept))


def test_a_log_without_execution_data_says_so() -> None:
    payloads = ("input", "output", "parameters")
    bare = [{**r, "details": {k: v for k, v in r["details"].items() if k not in payloads}} for r in run()]
    (found,) = recordings_of_log(bare)
    assert found.notice == NO_DATA


def test_records_that_were_cut_are_kept_without_what_was_lost() -> None:
    records = [json.dumps(r) for r in run()]
    tail = {key: value for key, value in run()[3].items() if key != "details"}
    records[3] = json.dumps({**tail, "details": {"output": "x" * 50}})[:-30]
    (found,) = recordings_of_log(records)
    assert found.events[3] == {
        "timestamp": found.events[3]["timestamp"],
        "type": "TaskSucceeded",
        "id": 4,
        "previousEventId": 3,
    }
    assert (len(found.events), found.notice) == (6, CUT)
    flagged = run()
    flagged[0]["details"]["inputDetails"]["truncated"] = True
    assert recordings_of_log(flagged)[0].notice == CUT


def test_a_whole_record_beats_a_cut_copy_of_it() -> None:
    records = [json.dumps(r) for r in run()]
    records.append(
        json.dumps({k: v for k, v in run()[3].items() if k != "details"} | {"details": {"output": "x"}})[:-15]
    )
    assert recordings_of_log(records)[0].events == recordings_of_log(run())[0].events


def test_unknown_kinds_snake_case_and_odd_values_are_kept() -> None:
    records = [
        *run(),
        record(7, "TeaBrewed", 6, tea_kind="green", length="3", timeoutInSeconds="soon", output={"a": 1}),
    ]
    records[6]["event_timestamp"] = "2026-03-01T12:00:01Z"
    (found,) = recordings_of_log(records)
    assert found.events[6] == {
        "timestamp": datetime(2026, 3, 1, 12, 0, 1, tzinfo=UTC),
        "type": "TeaBrewed",
        "id": 7,
        "previousEventId": 6,
        "teaBrewedEventDetails": {"teaKind": "green", "length": 3, "timeoutInSeconds": "soon", "output": '{"a":1}'},
    }


def test_lines_of_others_are_left_out_but_not_all_of_them() -> None:
    noise = ["START RequestId: 1", '{"level": "info"}', "[1]", '{"id": "x", "type": "A", "execution_arn": "a"}']
    assert recordings_of_log([*noise, *run()]) == recordings_of_log(run())
    with pytest.raises(RunError, match="none of 4 log records is one of Step Functions"):
        recordings_of_log(noise)
    assert recordings_of_log([]) == []
