"""What a `ResultWriter` makes of the children of a Distributed Map: files in a bucket, or the transformed results.

`write_results` takes the writer with all its fields evaluated and the children in the order of their items. With a `Resource` it
writes one file per status (SUCCEEDED, FAILED, PENDING; a new one after 5 GB) and `manifest.json` below `Prefix/<id of the map run>/` and
gives what the state then returns; without one it gives the results themselves. Records have the members that AWS exports. Nothing
here knows the engine; what AWS would refuse raises `WriterFailure`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sfn_notebook.errors import Json
from sfn_notebook.sim.storage import Storage, StorageFailure
from sfn_notebook.strictjson import json_text

STATUSES = ("FAILED", "PENDING", "SUCCEEDED")
TRANSFORMATIONS = ("NONE", "COMPACT", "FLATTEN")
OUTPUT_TYPES = ("JSON", "JSONL")
LARGEST_FILE = 5 * 1024**3
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class WriterFailure(Exception):
    """The writer of a Map failed, as AWS names it.

    Attributes:
        error: the error name that Retry and Catch rules match.
        cause: the text.
    """

    def __init__(self, cause: str, error: str = "States.ResultWriterFailed") -> None:
        super().__init__(error, cause)
        self.error = error
        self.cause = cause

    def __str__(self) -> str:
        return f"{self.error}: {self.cause}"


def write_results(
    call: Mapping[str, Json],
    storage: Storage,
    children: Sequence[Mapping[str, Json]],
    *,
    largest: int = LARGEST_FILE,
) -> Json:
    """Write or transform the results of a map run.

    Args:
        call: the ResultWriter with evaluated fields: `Resource` and `Arguments` (or `Parameters`), `WriterConfig`, and the `MapRunArn`.
        storage: where its bucket is.
        children: one mapping per child, in the order of the items: `name`, `arn`, `machine`, `status`, `input`, `output` (succeeded),
            `error` and `cause` (failed), `start` and `stop` (milliseconds since 1970, None where there is none).
        largest: a file that has grown to this many bytes is closed and a new one begun.

    Returns:
        `{"MapRunArn", "ResultWriterDetails"}` with a `Resource`, else the list of results.

    Raises:
        WriterFailure: when AWS would fail the Map with States.ResultWriterFailed.
        RunError: when nothing is bound to the bucket.
    """
    transformation, output_type = _config(call)
    if not call.get("Resource"):
        return list(transformed(children, transformation))
    export = _Export(call, storage, output_type, largest)
    try:
        for status in STATUSES:
            chosen = [child for child in children if _file_status(child) == status]
            export.write(status, transformed(chosen, transformation))
        return export.finish()
    except StorageFailure as failure:
        text = f"{failure.message} (Service: Amazon S3; Error Code: {failure.code})"
        raise WriterFailure(text) from failure


def try_writing(call: Mapping[str, Json], storage: Storage) -> None:
    """Write an empty manifest, as AWS does before the first child starts; the real one takes its place later.

    Args:
        call: as for `write_results`.
        storage: where its bucket is.

    Raises:
        WriterFailure: when the bucket cannot be written to, or the writer is not well formed.
    """
    _, output_type = _config(call)
    if not call.get("Resource"):
        return
    try:
        _Export(call, storage, output_type, LARGEST_FILE).finish()
    except StorageFailure as failure:
        text = f"Failed to write a test manifest into the specified output bucket. | Message from S3: {failure.message}"
        raise WriterFailure(text) from failure


class _Export:
    """The files of one map run while they are written."""

    def __init__(self, call: Mapping[str, Json], storage: Storage, output_type: str, largest: int) -> None:
        action = str(call["Resource"]).rpartition(":")[2]
        if action != "putObject":
            raise WriterFailure(f"the ResultWriter's Resource must be s3:putObject, but found {call['Resource']!r}")
        arguments = call.get("Arguments") or call.get("Parameters") or {}
        self.storage = storage
        self.map_run = str(call["MapRunArn"])
        bucket = arguments.get("Bucket")
        if not isinstance(bucket, str) or not bucket:
            raise WriterFailure(f"the ResultWriter needs Bucket as text, but found {json_text(bucket)}")
        self.bucket = bucket
        prefix = str(arguments.get("Prefix") or "").removesuffix("/")
        self.folder = "/".join([*([prefix] if prefix else []), self.map_run.rpartition(":")[2]])
        self.lines = output_type == "JSONL"
        self.largest = largest
        self.files: dict[str, list[Json]] = {status: [] for status in STATUSES}

    def write(self, status: str, results: Iterable[Json]) -> None:
        """Write the results of one status; none at all make no file."""
        for number, data in enumerate(chunks(results, self.largest, lines=self.lines)):
            key = f"{self.folder}/{status}_{number}.json"  # AWS keeps the ending for JSON Lines too
            self.storage.put(self.bucket, key, data)
            self.files[status].append({"Key": key, "Size": len(data)})

    def finish(self) -> Json:
        """Write the manifest; give what the state returns."""
        manifest = {"DestinationBucket": self.bucket, "MapRunArn": self.map_run, "ResultFiles": self.files}
        key = f"{self.folder}/manifest.json"
        self.storage.put(self.bucket, key, json_text(manifest).encode())
        return {"MapRunArn": self.map_run, "ResultWriterDetails": {"Bucket": self.bucket, "Key": key}}


def transformed(children: Iterable[Mapping[str, Json]], transformation: str) -> Iterator[Json]:
    """Give the results of children: whole records (NONE), outputs (COMPACT), outputs with their lists taken apart (FLATTEN).

    A child that has not succeeded has no output and gives its record in any case.
    """
    for child in children:
        if transformation == "NONE" or child["status"] != "SUCCEEDED":
            yield record(child)
        elif transformation == "FLATTEN" and isinstance(child.get("output"), list):
            yield from child["output"]
        else:
            yield child.get("output")


def record(child: Mapping[str, Json]) -> dict[str, Json]:
    """Describe a child as AWS exports it; members that do not apply to its status are left out."""
    status = child["status"]
    found: dict[str, Json] = {
        "ExecutionArn": child["arn"],
        "Input": json_text(child.get("input")),
        "InputDetails": {"Included": True},
        "Name": child["name"],
        "RedriveCount": 0,
        "StateMachineArn": child["machine"],
        "Status": status,
        **_redrive(status),
    }
    if status == "SUCCEEDED":
        found["Output"] = json_text(child.get("output"))
        found["OutputDetails"] = {"Included": True}
    for member, name in (("Error", "error"), ("Cause", "cause")):
        if child.get(name) is not None:
            found[member] = child[name]
    for member, name in (("StartDate", "start"), ("StopDate", "stop")):
        if child.get(name) is not None:
            found[member] = moment(child[name])
    return dict(sorted(found.items()))


def chunks(results: Iterable[Json], largest: int, *, lines: bool) -> Iterator[bytes]:
    """Write results as documents: JSON arrays, or JSON Lines; each ends with the result that brings it to `largest` bytes."""
    parts: list[bytes] = []
    size = 0
    for result in results:
        text = json_text(result).encode("utf-8", "surrogatepass")
        parts.append(text)
        size += len(text) + 1
        if size >= largest:
            yield _document(parts, lines=lines)
            parts, size = [], 0
    if parts:
        yield _document(parts, lines=lines)


def moment(milliseconds: int) -> str:
    """Write a moment as the exported records show it: ISO-8601, UTC, always with milliseconds."""
    return (_EPOCH + timedelta(milliseconds=milliseconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _document(parts: list[bytes], *, lines: bool) -> bytes:
    return b"\n".join(parts) + b"\n" if lines else b"[" + b",".join(parts) + b"]"


def _redrive(status: str) -> dict[str, Json]:
    if status in ("FAILED", "TIMED_OUT", "ABORTED"):
        return {"RedriveStatus": "REDRIVABLE"}
    return {"RedriveStatus": "NOT_REDRIVABLE", "RedriveStatusReason": f"Execution is {status} and cannot be redriven"}


def _file_status(child: Mapping[str, Json]) -> str:
    """Say which file a child goes to: what was never started is PENDING, what ended otherwise than well is FAILED."""
    status = child["status"]
    return status if status in STATUSES else "FAILED"


def _config(call: Mapping[str, Json]) -> tuple[str, str]:
    """Give the transformation and the output type of a writer."""
    config = call.get("WriterConfig") or {}
    if not call.get("Resource") and not config:
        raise WriterFailure("the ResultWriter is empty: it needs a Resource, a WriterConfig, or both")
    return _one_of(config, "Transformation", TRANSFORMATIONS), _one_of(config, "OutputType", OUTPUT_TYPES)


def _one_of(config: Mapping[str, Json], field: str, allowed: Sequence[str]) -> str:
    value = config.get(field) or allowed[0]
    if value not in allowed:
        raise WriterFailure(f"the WriterConfig's {field} must be one of {', '.join(allowed)}, but found {value!r}")
    return str(value)
