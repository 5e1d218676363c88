import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfn_notebook.errors import Json, RunError
from sfn_notebook.sim.storage import storage_of
from sfn_notebook.sim.writers import WriterFailure, chunks, record, try_writing, write_results

RUN = "arn:aws:states:us-east-1:123456789012:mapRun:orders/each:0c1f2a3b-0000-4000-8000-000000000001"
FOLDER = "out/0c1f2a3b-0000-4000-8000-000000000001"
PUT = "arn:aws:states:::s3:putObject"


def child(index: int, status: str = "SUCCEEDED", **more: Json) -> dict[str, Json]:
    return {
        "index": index,
        "name": f"child-{index}",
        "arn": f"arn:aws:states:us-east-1:123456789012:execution:orders/each:child-{index}",
        "machine": "arn:aws:states:us-east-1:123456789012:stateMachine:orders/each",
        "status": status,
        "input": {"n": index},
        "output": None,
        "error": None,
        "cause": None,
        "start": 1_700_000_000_000,
        "stop": 1_700_000_000_250,
        **more,
    }


def call(config: Json = None, prefix: Json = "out") -> dict[str, Json]:
    return {
        "Resource": PUT,
        "Arguments": {"Bucket": "b", "Prefix": prefix},
        "WriterConfig": config,
        "MapRunArn": RUN,
    }


def written(children: list[dict[str, Json]], config: Json = None, **options: Any) -> dict[str, Json]:
    s3: dict[str, dict[str, bytes]] = {"b": {}}
    write_results(call(config), storage_of(s3), children, **options)
    return {key.removeprefix(FOLDER + "/"): data.decode() for key, data in s3["b"].items()}


def test_the_state_returns_where_the_manifest_is() -> None:
    assert write_results(call(), storage_of({"b": {}}), []) == {
        "MapRunArn": RUN,
        "ResultWriterDetails": {"Bucket": "b", "Key": f"{FOLDER}/manifest.json"},
    }


def test_one_file_per_status_that_occurs_and_a_manifest_that_lists_them_with_their_sizes() -> None:
    children = [
        child(0),
        child(1, "FAILED", error="Boom"),
        child(2, "PENDING", stop=None),
        child(3),
        child(4, "TIMED_OUT"),
    ]
    files = written(children)
    assert sorted(files) == ["FAILED_0.json", "PENDING_0.json", "SUCCEEDED_0.json", "manifest.json"]
    names = {name: [item["Name"] for item in json.loads(files[name])] for name in sorted(files)[:3]}
    assert names == {
        "FAILED_0.json": ["child-1", "child-4"],
        "PENDING_0.json": ["child-2"],
        "SUCCEEDED_0.json": ["child-0", "child-3"],
    }
    assert json.loads(files["manifest.json"]) == {
        "DestinationBucket": "b",
        "MapRunArn": RUN,
        "ResultFiles": {
            status: [{"Key": f"{FOLDER}/{status}_0.json", "Size": len(files[f"{status}_0.json"].encode())}]
            for status in ("FAILED", "PENDING", "SUCCEEDED")
        },
    }


def test_a_status_that_does_not_occur_has_an_empty_list() -> None:
    files = written([child(0)])
    assert sorted(files) == ["SUCCEEDED_0.json", "manifest.json"]
    assert json.loads(files["manifest.json"])["ResultFiles"]["FAILED"] == []


@pytest.mark.parametrize(("prefix", "folder"), [("a/b", "a/b/"), ("a/b/", "a/b/"), ("", ""), (None, "")])
def test_the_files_lie_below_the_prefix_and_the_id_of_the_map_run(prefix: Json, folder: str) -> None:
    s3: dict[str, dict[str, bytes]] = {"b": {}}
    write_results(call(prefix=prefix), storage_of(s3), [])
    assert list(s3["b"]) == [f"{folder}0c1f2a3b-0000-4000-8000-000000000001/manifest.json"]


def test_the_record_of_a_child_that_succeeded() -> None:
    assert list(record(child(7, output={"é": [1]})).items()) == [
        ("ExecutionArn", "arn:aws:states:us-east-1:123456789012:execution:orders/each:child-7"),
        ("Input", '{"n":7}'),
        ("InputDetails", {"Included": True}),
        ("Name", "child-7"),
        ("Output", '{"é":[1]}'),
        ("OutputDetails", {"Included": True}),
        ("RedriveCount", 0),
        ("RedriveStatus", "NOT_REDRIVABLE"),
        ("RedriveStatusReason", "Execution is SUCCEEDED and cannot be redriven"),
        ("StartDate", "2023-11-14T22:13:20.000Z"),
        ("StateMachineArn", "arn:aws:states:us-east-1:123456789012:stateMachine:orders/each"),
        ("Status", "SUCCEEDED"),
        ("StopDate", "2023-11-14T22:13:20.250Z"),
    ]


def test_the_record_of_a_child_that_failed_has_error_and_cause_and_no_output() -> None:
    found = record(child(7, "FAILED", error="Boom", cause="it blew up"))
    assert (found["Error"], found["Cause"], found["RedriveStatus"]) == ("Boom", "it blew up", "REDRIVABLE")
    assert not {"Output", "OutputDetails", "RedriveStatusReason"} & set(found)


def test_the_record_of_a_child_that_never_started_has_no_dates() -> None:
    assert not {"StartDate", "StopDate", "Error"} & set(record(child(7, "PENDING", start=None, stop=None)))


CHILDREN = [child(0, output=[1, [2]]), child(1, "FAILED", error="Boom"), child(2, output={"a": 1}), child(3, output=[])]


@pytest.mark.parametrize(
    ("transformation", "expected"),
    [
        ("NONE", [record(item) for item in CHILDREN]),
        ("COMPACT", [[1, [2]], record(CHILDREN[1]), {"a": 1}, []]),
        ("FLATTEN", [1, [2], record(CHILDREN[1]), {"a": 1}]),
    ],
)
def test_a_writer_without_resource_gives_the_transformed_results_in_order(transformation: str, expected: Json) -> None:
    writer = {"WriterConfig": {"Transformation": transformation, "OutputType": "JSON"}, "MapRunArn": RUN}
    assert write_results(writer, storage_of(None), CHILDREN) == expected


@pytest.mark.parametrize(
    ("transformation", "expected"), [("COMPACT", [[1, [2]], {"a": 1}, []]), ("FLATTEN", [1, [2], {"a": 1}])]
)
def test_transformed_results_are_written_too_and_failed_children_keep_their_record(
    transformation: str, expected: Json
) -> None:
    files = written(CHILDREN, {"Transformation": transformation})
    assert json.loads(files["SUCCEEDED_0.json"]) == expected
    assert json.loads(files["FAILED_0.json"]) == [record(CHILDREN[1])]


def test_json_lines_have_one_result_a_line_and_keep_the_name() -> None:
    files = written(
        [child(0, output="é\n"), child(1, output={"a": 1})], {"Transformation": "COMPACT", "OutputType": "JSONL"}
    )
    assert files["SUCCEEDED_0.json"] == '"é\\n"\n{"a":1}\n'


def test_a_file_that_has_grown_large_is_followed_by_another() -> None:
    children = [child(index, output="x" * 10) for index in range(5)]
    files = written(children, {"Transformation": "COMPACT"}, largest=25)
    parts = [json.loads(files[f"SUCCEEDED_{number}.json"]) for number in range(3)]
    assert [len(part) for part in parts] == [2, 2, 1]
    listed = json.loads(files["manifest.json"])["ResultFiles"]["SUCCEEDED"]
    assert [entry["Key"].rpartition("/")[2] for entry in listed] == [f"SUCCEEDED_{number}.json" for number in range(3)]


@given(
    st.lists(st.text(max_size=8) | st.integers() | st.lists(st.none(), max_size=3)), st.integers(1, 60), st.booleans()
)
def test_chunks_put_together_are_the_results_whatever_the_size(results: list[Json], largest: int, lines: bool) -> None:
    found: list[Json] = []
    for data in chunks(results, largest, lines=lines):
        part = [json.loads(line) for line in data.splitlines()] if lines else json.loads(data)
        assert part
        found += part
    assert found == results


@pytest.mark.parametrize(
    ("writer", "cause"),
    [
        ({"MapRunArn": RUN}, "the ResultWriter is empty"),
        (
            {**call(), "Resource": "arn:aws:states:::s3:getObject"},
            "must be s3:putObject, but found 'arn:aws:states:::s3:getObject'",
        ),
        ({**call(), "Arguments": {"Prefix": "x"}}, "needs Bucket as text, but found null"),
        (
            call({"Transformation": "SQUEEZE"}),
            "Transformation must be one of NONE, COMPACT, FLATTEN, but found 'SQUEEZE'",
        ),
        (call({"OutputType": "CSV"}), "OutputType must be one of JSON, JSONL, but found 'CSV'"),
        (
            {**call(), "Arguments": {"Bucket": "gone"}},
            "The specified bucket does not exist (Service: Amazon S3; Error Code: NoSuchBucket)",
        ),
    ],
)
def test_what_cannot_be_written_fails_the_writer(writer: dict[str, Json], cause: str) -> None:
    with pytest.raises(WriterFailure) as caught:
        write_results(writer, storage_of({"b": {}}), [child(0)])
    assert caught.value.error == "States.ResultWriterFailed"
    assert cause in caught.value.cause
    assert str(caught.value).startswith("States.ResultWriterFailed: ")


def test_an_empty_manifest_is_tried_before_the_run() -> None:
    s3: dict[str, dict[str, bytes]] = {"b": {}}
    try_writing(call(), storage_of(s3))
    assert json.loads(s3["b"][f"{FOLDER}/manifest.json"])["ResultFiles"] == {
        "FAILED": [],
        "PENDING": [],
        "SUCCEEDED": [],
    }


def test_a_bucket_that_cannot_be_written_to_fails_with_the_text_of_aws() -> None:
    with pytest.raises(WriterFailure, match=r"Failed to write a test manifest into the specified output bucket\."):
        try_writing(call(), storage_of({}))


def test_nothing_is_tried_without_a_resource() -> None:
    try_writing({"WriterConfig": {"Transformation": "NONE"}, "MapRunArn": RUN}, storage_of(None))
    with pytest.raises(WriterFailure, match="is empty"):
        try_writing({"MapRunArn": RUN}, storage_of(None))


def test_without_s3_the_caller_is_told_how_to_bind_it() -> None:
    with pytest.raises(RunError, match=r"bytes to s3://b/out/0c1f2a3b"):
        write_results(call(), storage_of(None), [])
