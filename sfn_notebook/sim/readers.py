"""The items of a Distributed Map that an `ItemReader` names: listings, and files of every format.

`read_items` takes the reader with all its fields evaluated and a `Storage`, and gives a list of items. What a format is stands in one
table, `FORMATS`; a manifest is a file that names files, and `LOAD_AND_FLATTEN` a listing whose objects are files. Nothing here knows
the engine. What AWS would refuse raises `ReaderFailure`, a failure inside the workflow; a package that is missing here is the caller's
affair (`MissingExtra`).
"""

from __future__ import annotations

import csv
import gzip
import importlib
import io
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from sfn_notebook.errors import Json, MissingExtra
from sfn_notebook.sim.storage import Storage, StorageFailure
from sfn_notebook.strictjson import NotJson, copy_json, parse_json

MOST_ITEMS = 100_000_000
"""A larger MaxItems counts as this one."""
_LONGEST_FIELD = 8 * 1024 * 1024
"""An item has at most 8 MB, so no field of a CSV file has more."""

DELIMITERS = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}

Config = Mapping[str, Json]
Items = Iterator[Json]


class ReaderFailure(Exception):
    """The reader of a Map failed, as AWS names it.

    Attributes:
        error: the error name that Retry and Catch rules match.
        cause: the text; AWS's own where it is known.
    """

    def __init__(self, cause: str, error: str = "States.ItemReaderFailed") -> None:
        super().__init__(error, cause)
        self.error = error
        self.cause = cause

    def __str__(self) -> str:
        return f"{self.error}: {self.cause}"


def read_items(call: Mapping[str, Json], storage: Storage) -> list[Json]:
    """Read the items of a Map.

    Args:
        call: the ItemReader with evaluated fields: `Resource`, `Arguments` (or `Parameters`) and `ReaderConfig`.
        storage: where its buckets are.

    Raises:
        ReaderFailure: when AWS would fail the Map with States.ItemReaderFailed.
        MissingExtra: when the format needs a package that is not installed.
        RunError: when nothing is bound to the bucket.
    """
    config: Config = call.get("ReaderConfig") or {}
    arguments = call.get("Arguments") or call.get("Parameters") or {}
    limit = max_items(config.get("MaxItems"))
    action = str(call.get("Resource", "")).rpartition(":")[2]
    try:
        if action == "listObjectsV2":
            found = _listing(arguments, config, storage)
        elif action == "getObject":
            found = _object(arguments, config, storage)
        else:
            raise ReaderFailure(
                f"the ItemReader's Resource must be s3:getObject or s3:listObjectsV2, but found {action!r}"
            )
        return list(islice(found, limit))
    except StorageFailure as failure:
        raise ReaderFailure(f"{failure.message} (Service: Amazon S3; Error Code: {failure.code})") from failure


def max_items(value: Json) -> int | None:
    """Give the greatest number of items to read; None where there is no limit.

    A path may also give the number as text (recorded for other fields with a path).
    """
    if value is None:
        return None
    number = value
    if isinstance(value, str):
        try:
            number = int(value)
        except ValueError:
            number = None
    if isinstance(number, bool) or not isinstance(number, int | float) or number != number // 1:
        raise ReaderFailure(f"field MaxItems must be an integer, but found: {json.dumps(value, ensure_ascii=False)}")
    if number <= 0:
        raise ReaderFailure("field MaxItems must be positive")
    return min(int(number), MOST_ITEMS)


# ---- what a resource names


def _object(arguments: Config, config: Config, storage: Storage) -> Items:
    bucket, key = _text(arguments, "Bucket"), _text(arguments, "Key")
    kind = config.get("ManifestType")
    if kind == "ATHENA_DATA":
        return _athena(bucket, key, config, storage)
    if config.get("InputType") == "MANIFEST" or kind == "S3_INVENTORY":
        return _inventory(bucket, key, storage)
    return _file(storage, bucket, key, config)


def _listing(arguments: Config, config: Config, storage: Storage) -> Items:
    bucket, prefix = _text(arguments, "Bucket"), arguments.get("Prefix") or ""
    objects = storage.list(bucket, prefix)
    transformation = config.get("Transformation") or "NONE"
    if transformation == "NONE":
        return objects
    if transformation != "LOAD_AND_FLATTEN":
        raise ReaderFailure(f"Transformation must be NONE or LOAD_AND_FLATTEN, but found {transformation!r}")
    return (
        item
        for found in objects
        if not (found["Size"] == 0 and found["Key"].endswith("/"))  # a folder holds no records
        for item in _file(storage, bucket, found["Key"], config)
    )


def _athena(bucket: str, key: str, config: Config, storage: Storage) -> Items:
    """Read every file that the manifest of an Athena UNLOAD names, one `s3://` address a line."""
    for line in text_of(storage.get(bucket, key), address(bucket, key)).splitlines():
        place = line.strip().strip('"')
        if not place:
            continue
        scheme, _, rest = place.partition("://")
        holder, _, name = rest.partition("/")
        if scheme not in ("s3", "s3a", "s3n") or not holder or not name:
            raise ReaderFailure(
                f"the Athena manifest {address(bucket, key)} names {place!r}, which is no s3:// address"
            )
        yield from _file(storage, holder, name, config)


def _inventory(bucket: str, key: str, storage: Storage) -> Items:
    """Read the rows of an S3 inventory in CSV; the manifest gives the names of the columns."""
    where = address(bucket, key)
    manifest = _document(storage.get(bucket, key), where)
    files = manifest.get("files") if isinstance(manifest, dict) else None
    if not isinstance(files, list) or not all(
        isinstance(file, dict) and isinstance(file.get("key"), str) for file in files
    ):
        raise ReaderFailure(f"{where} is no manifest of an S3 inventory: it has no list of files with a key each")
    form = manifest.get("fileFormat", "CSV")
    if form != "CSV":
        raise ReaderFailure(f"the S3 inventory {where} has the format {form}, but only CSV can be read")
    columns = [name.strip() for name in str(manifest.get("fileSchema", "")).split(",")]
    holder = str(manifest.get("destinationBucket") or bucket).rpartition(":")[2]
    config = {"InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": columns}
    for file in files:
        yield from _file(storage, holder, file["key"], config)


def _file(storage: Storage, bucket: str, key: str, config: Config) -> Items:
    """Read the items of one file."""
    kind = config.get("InputType") or "JSON"
    if kind not in FORMATS:
        raise ReaderFailure(f"the ItemReader's InputType must be one of {', '.join(FORMATS)}, but found {kind!r}")
    where = address(bucket, key)
    data = storage.get(bucket, key)
    return FORMATS[kind](data if kind == "PARQUET" else unpacked(data, key, where), config, where)


# ---- the formats


def read_csv(data: bytes, config: Config, where: str) -> Items:
    """Read delimited text: every value is text, a short row is filled up with "", what a long row has too much is dropped."""
    rows = csv_rows(text_of(data, where), str(config.get("CSVDelimiter") or "COMMA"), where)
    if config.get("CSVHeaderLocation", "FIRST_ROW") == "FIRST_ROW":
        header = next(rows, [])
    else:
        header = [str(name) for name in config.get("CSVHeaders") or ()]
        if not header:
            raise ReaderFailure("CSVHeaderLocation GIVEN needs CSVHeaders, but found none")
    if len(set(header)) != len(header):
        raise ReaderFailure("CSV headers cannot contain duplicates.")
    width = len(header)
    for row in rows:
        missing = width - len(row)
        yield dict(zip(header, row + [""] * missing if missing > 0 else row, strict=False))


def csv_rows(text: str, delimiter: str, where: str = "the file") -> Iterator[list[str]]:
    """Split delimited text into rows of fields; lines without any character are no rows.

    As AWS describes it: quotation marks enclose fields with delimiters and line ends, doubled ones stand for themselves, and a backslash
    takes the meaning from the character after it and is removed.
    """
    if delimiter not in DELIMITERS:
        raise ReaderFailure(f"CSVDelimiter must be one of {', '.join(DELIMITERS)}, but found {delimiter!r}")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=DELIMITERS[delimiter], escapechar="\\")
    while True:
        before = csv.field_size_limit(_LONGEST_FIELD)  # a setting of the whole process, so it is put back at once
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise ReaderFailure(f"{where} is no delimited text: {error} in line {reader.line_num}") from error
        finally:
            csv.field_size_limit(before)
        if row is None:
            return
        if row:
            yield row


def read_json(data: bytes, config: Config, where: str) -> Items:
    """Read a JSON document: the items of its array, or Key and Value of each member of its object."""
    value = _document(data, where)
    pointer = config.get("ItemsPointer")
    if pointer:
        value = pointed(value, pointer, where)
    if isinstance(value, dict):
        return ({"Key": key, "Value": item} for key, item in value.items())
    if not isinstance(value, list):
        raise ReaderFailure("Attempting to map over non-iterable node.")
    return iter(value)


def read_jsonl(data: bytes, config: Config, where: str) -> Items:  # noqa: ARG001 - all formats are called alike
    """Read JSON Lines: one item a line; empty lines are none."""
    for number, line in enumerate(text_of(data, where).split("\n"), 1):
        if line.strip():
            yield _parsed(line, f"line {number} of {where}")


def read_parquet(data: bytes, config: Config, where: str) -> Items:  # noqa: ARG001 - all formats are called alike
    """Read a Parquet file: one object per row."""
    parquet = optional("pyarrow.parquet", where)
    try:
        for batch in parquet.ParquetFile(io.BytesIO(data)).iter_batches():
            for row in batch.to_pylist():
                yield copy_json(_plain(row), where)
    except (optional("pyarrow", where).ArrowException, OSError) as error:
        raise ReaderFailure(f"{where} is no Parquet file: {error}") from error


FORMATS: dict[str, Callable[[bytes, Config, str], Items]] = {
    "CSV": read_csv,
    "JSON": read_json,
    "JSONL": read_jsonl,
    "PARQUET": read_parquet,
}


# ---- bytes, text, values


def unpacked(data: bytes, key: str, where: str) -> bytes:
    """Undo the compression that the key's ending names."""
    ending = key.lower().rpartition(".")[2]
    try:
        if ending in ("gz", "gzip"):
            return gzip.decompress(data)
        if ending in ("zst", "zstd"):
            return _unpack_zstd(data, where)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise ReaderFailure(f"{where} is not compressed as its name says: {error}") from error
    return data


def _unpack_zstd(data: bytes, where: str) -> bytes:
    zstandard = optional("zstandard", where)
    try:
        with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data), read_across_frames=True) as stream:
            return bytes(stream.read())
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from error


def optional(module: str, where: str) -> Any:
    """Import a module that only some files need.

    Raises:
        MissingExtra: when it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        package = module.partition(".")[0]
        text = f"reading {where} needs the package {package}, which is not installed: pip install {package}"
        raise MissingExtra(text) from None


def text_of(data: bytes, where: str) -> str:
    """Read bytes as UTF-8, without the byte order mark that spreadsheets put in front."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ReaderFailure(
            f"{where} is not UTF-8 text: byte 0x{data[error.start]:02x} at offset {error.start}"
        ) from error


def pointed(value: Json, pointer: Json, where: str = "the file") -> Json:
    """Follow a JSON Pointer (RFC 6901)."""
    if not isinstance(pointer, str) or not pointer.startswith("/"):
        raise ReaderFailure(f'ItemsPointer must be a JSON Pointer, which starts with "/", but found {pointer!r}')
    for part in pointer[1:].split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and _is_index(name) and int(name) < len(value):
            value = value[int(name)]
        else:
            raise ReaderFailure(f'the ItemsPointer "{pointer}" finds nothing in {where}: there is no "{name}"')
    return value


def address(bucket: str, key: str) -> str:
    """Name an object in a message."""
    return f"s3://{bucket}/{key}"


def _is_index(name: str) -> bool:
    return name.isascii() and name.isdigit() and (name == "0" or name[0] != "0") and len(name) < 12


def _document(data: bytes, where: str) -> Json:
    return _parsed(text_of(data, where), where)


def _parsed(text: str, where: str) -> Json:
    try:
        return parse_json(text, where)
    except NotJson as error:
        raise ReaderFailure(str(error).partition("\n")[0]) from error


def _text(arguments: Config, name: str) -> str:
    value = arguments.get(name)
    if isinstance(value, str) and value:
        return value
    raise ReaderFailure(f"the ItemReader needs {name} as text, but found {json.dumps(value, ensure_ascii=False)}")


def _plain(value: Any) -> Any:
    """Replace what a Parquet file can hold and JSON cannot: bytes become text, a number that is none becomes null."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value
