import csv
import gzip
import io
import json
import sys
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sfn_notebook.errors import Json, MissingExtra, RunError
from sfn_notebook.sim.readers import DELIMITERS, ReaderFailure, csv_rows, max_items, pointed, read_items
from sfn_notebook.sim.storage import storage_of

GET = "arn:aws:states:::s3:getObject"
LIST = "arn:aws:states:::s3:listObjectsV2"

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab~/01", max_size=3), inner, max_size=4),
    max_leaves=12,
)
tables = st.lists(
    st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6), min_size=3, max_size=3),
    max_size=6,
)


def read(objects: dict[str, Any], key: str = "in", **config: Json) -> list[Json]:
    call = {"Resource": GET, "Arguments": {"Bucket": "b", "Key": key}, "ReaderConfig": config}
    return read_items(call, storage_of({"b": objects, "other": {"x": '[{"from": "other"}]'}}))


def read_one(content: Any, **config: Json) -> list[Json]:
    return read({"in": content}, **config)


def listing(objects: dict[str, Any], prefix: str | None = None, **config: Json) -> list[Json]:
    arguments = {"Bucket": "b"} | ({} if prefix is None else {"Prefix": prefix})
    return read_items({"Resource": LIST, "Arguments": arguments, "ReaderConfig": config}, storage_of({"b": objects}))


def cause_of(content: Any, **config: Json) -> str:
    with pytest.raises(ReaderFailure) as caught:
        read_one(content, **config)
    assert caught.value.error == "States.ItemReaderFailed"
    return caught.value.cause


# ---- CSV


def test_every_csv_value_is_text_and_the_first_row_names_them() -> None:
    assert read_one("n,flag,o\n1,true,{}\n,null,\n", InputType="CSV", CSVHeaderLocation="FIRST_ROW") == [
        {"n": "1", "flag": "true", "o": "{}"},
        {"n": "", "flag": "null", "o": ""},
    ]


def test_given_headers_make_the_first_row_an_item() -> None:
    given_headers = {"CSVHeaderLocation": "GIVEN", "CSVHeaders": ["x", "y"]}
    assert read_one("1,2\n3,4", InputType="CSV", **given_headers) == [{"x": "1", "y": "2"}, {"x": "3", "y": "4"}]


def test_short_rows_are_filled_up_and_long_ones_cut() -> None:
    assert read_one("a,b\n1\n1,2,3\n  \n", InputType="CSV") == [
        {"a": "1", "b": ""},
        {"a": "1", "b": "2"},
        {"a": "  ", "b": ""},
    ]


def test_an_empty_header_is_a_name_like_any_other() -> None:
    assert read_one("a,\n1,2\n", InputType="CSV") == [{"a": "1", "": "2"}]


@pytest.mark.parametrize(
    ("content", "config"),
    [("a,b,a\n1,2,3\n", {}), ("1,2\n", {"CSVHeaderLocation": "GIVEN", "CSVHeaders": ["a", "a"]}), ("a,,\n", {})],
)
def test_duplicate_headers_fail_with_the_text_of_aws(content: str, config: dict[str, Json]) -> None:
    assert cause_of(content, InputType="CSV", **config) == "CSV headers cannot contain duplicates."


@pytest.mark.parametrize(("name", "sign"), DELIMITERS.items())
def test_each_delimiter_separates_and_the_others_do_not(name: str, sign: str) -> None:
    others = "".join(other for other in DELIMITERS.values() if other != sign)
    assert read_one(f"a{sign}b\n{others}{sign}2\n", InputType="CSV", CSVDelimiter=name) == [{"a": others, "b": "2"}]


def test_quotes_enclose_delimiters_and_line_ends_and_double_to_themselves() -> None:
    text = 'a,b\n"1,""x""\r\n2",\'y\'\n'
    assert read_one(text, InputType="CSV") == [{"a": '1,"x"\r\n2', "b": "'y'"}]


def test_a_backslash_escapes_itself_quotes_and_delimiters_and_is_else_removed() -> None:
    text = 'path,size\nC:\\\\Program Files\\\\x.exe,1\\,5\n\\"q\\",\\n\n'
    assert read_one(text, InputType="CSV") == [
        {"path": "C:\\Program Files\\x.exe", "size": "1,5"},
        {"path": '"q"', "size": "n"},
    ]


def test_byte_order_mark_windows_line_ends_and_empty_lines_leave_no_trace() -> None:
    assert read_one("\ufeffa,b\r\n\r\n1,2\r\n\r\n".encode(), InputType="CSV") == [{"a": "1", "b": "2"}]


@pytest.mark.parametrize("content", ["", "a,b", "a,b\n"])
def test_a_csv_without_rows_has_no_items(content: str) -> None:
    assert read_one(content, InputType="CSV") == []


def test_a_long_field_is_read_and_the_limit_of_the_csv_module_stays() -> None:
    before = csv.field_size_limit()
    long = "x" * 200_000
    assert read_one(f"a\n{long}\n", InputType="CSV") == [{"a": long}]
    assert csv.field_size_limit() == before


def test_csv_settings_that_do_not_exist_are_named() -> None:
    assert "CSVDelimiter must be one of COMMA, PIPE" in cause_of("a", InputType="CSV", CSVDelimiter="COLON")
    assert (
        cause_of("a", InputType="CSV", CSVHeaderLocation="GIVEN")
        == "CSVHeaderLocation GIVEN needs CSVHeaders, but found none"
    )


@given(tables, st.sampled_from(sorted(DELIMITERS)), st.sampled_from(["\n", "\r\n"]))
@example([["a\\b", '"', ",;"]], "COMMA", "\n")
def test_what_pythons_csv_writes_is_read_back(table: list[list[str]], delimiter: str, end: str) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=DELIMITERS[delimiter], lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([[field.replace("\\", "\\\\") for field in row] for row in table])
    assert list(csv_rows(text.getvalue(), delimiter)) == table


@given(tables, st.lists(st.text("abc", min_size=1), min_size=1, max_size=5, unique=True))
def test_each_row_becomes_an_item_with_exactly_the_given_headers(table: list[list[str]], headers: list[str]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([[f.replace("\\", "\\\\") for f in row] for row in table])
    items = read_one(text.getvalue(), InputType="CSV", CSVHeaderLocation="GIVEN", CSVHeaders=headers)
    assert [list(item) for item in items] == [headers] * len(table)
    assert [list(item.values()) for item in items] == [[*row, "", ""][: len(headers)] for row in table]


# ---- JSON, JSON Lines


def test_a_json_array_gives_its_items_and_json_is_the_default() -> None:
    assert read_one("[1, [2], {}, null]", InputType="JSON") == [1, [2], {}, None]
    assert read_one(b"\xef\xbb\xbf[1]") == [1]


def test_a_json_object_gives_key_and_value_of_each_member() -> None:
    assert read_one('{"b": 1, "a": [2]}', InputType="JSON") == [{"Key": "b", "Value": 1}, {"Key": "a", "Value": [2]}]


@pytest.mark.parametrize("content", ["5", '"text"', "null", "true"])
def test_what_is_neither_array_nor_object_cannot_be_mapped_over(content: str) -> None:
    assert cause_of(content, InputType="JSON") == "Attempting to map over non-iterable node."


def test_a_file_that_is_no_json_is_named_with_the_place() -> None:
    assert cause_of("[1,\n 2,]", InputType="JSON").startswith("s3://b/in is not JSON: ")
    assert "at line 2, column" in cause_of("[1,\n 2;]", InputType="JSON")
    assert "\n" not in cause_of("[NaN]", InputType="JSON")


def test_items_pointer_finds_an_array_or_object_inside() -> None:
    content = {"a/b": {"~x": [[1], [2, 3]]}, "": {"k": 5}}
    assert read_one(content, ItemsPointer="/a~1b/~0x") == [[1], [2, 3]]
    assert read_one(content, ItemsPointer="/a~1b/~0x/1") == [2, 3]
    assert read_one(content, ItemsPointer="/") == [{"Key": "k", "Value": 5}]
    assert read_one([1], ItemsPointer="") == [1]


@pytest.mark.parametrize("pointer", ["/b", "/a/2", "/a/-1", "/a/01", "/a/-", "/a/0/x", "/a/x", "/a/²"])
def test_a_pointer_that_finds_nothing_says_what_there_is_not(pointer: str) -> None:
    missing = "x" if pointer.endswith("x") else pointer.rpartition("/")[2]
    assert (
        cause_of({"a": [1, 2]}, ItemsPointer=pointer)
        == f'the ItemsPointer "{pointer}" finds nothing in s3://b/in: there is no "{missing}"'
    )


def test_a_path_in_place_of_a_pointer_is_refused() -> None:
    assert "must be a JSON Pointer" in cause_of({"a": []}, ItemsPointer="$.a")


def places(value: Json) -> list[tuple[str, Json]]:
    found = [("", value)]
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in members:
        step = "/" + str(key).replace("~", "~0").replace("/", "~1")
        found += [(step + rest, inner) for rest, inner in places(item)]
    return found


@given(values)
@example({"~1": {"/": [1]}})
def test_every_place_of_a_document_is_found_by_its_pointer(value: Json) -> None:
    for pointer, expected in places(value):
        if pointer:
            assert pointed(value, pointer) is expected


@given(st.lists(values, max_size=5), st.sampled_from(["\n", "\r\n", "\n\n"]))
def test_json_lines_give_one_item_a_line(items: list[Json], end: str) -> None:
    content = "".join(json.dumps(item) + end for item in items)
    assert read_one(content, InputType="JSONL") == items


def test_json_lines_keep_line_separators_of_unicode_inside_texts() -> None:
    assert read_one('{"a": "x\u2028y\x85"}\n2', InputType="JSONL") == [{"a": "x\u2028y\x85"}, 2]


def test_a_line_that_is_no_json_is_named() -> None:
    assert cause_of('{"a": 1}\n\n{"a": \n', InputType="JSONL").startswith("line 3 of s3://b/in is not JSON")


def test_bytes_that_are_no_utf8_are_located() -> None:
    assert cause_of(b"a,b\n\xff\xfe,2", InputType="CSV") == "s3://b/in is not UTF-8 text: byte 0xff at offset 4"


# ---- compression, Parquet


@pytest.mark.parametrize("ending", ["gz", "GZ", "gzip"])
def test_gzip_is_undone_by_the_ending_of_the_key(ending: str) -> None:
    assert read({f"in.json.{ending}": gzip.compress(b"[1]")}, f"in.json.{ending}") == [1]


@pytest.mark.parametrize("data", [b"plain", b"\x1f\x8b\x08", gzip.compress(b"[1, 2, 3]")[:-4], b""])
def test_what_is_not_compressed_as_its_name_says_fails(data: bytes) -> None:
    with pytest.raises(ReaderFailure, match=r"s3://b/in\.gz is not compressed as its name says|is not JSON"):
        read({"in.gz": data}, "in.gz")


def test_zstd_is_undone_by_the_ending_of_the_key() -> None:
    zstandard = pytest.importorskip("zstandard")
    packed = zstandard.ZstdCompressor().compress(b"[1,") + zstandard.ZstdCompressor().compress(b"2]")
    assert read({"in.json.zst": packed}, "in.json.zst") == [1, 2]
    with pytest.raises(ReaderFailure, match="is not compressed as its name says"):
        read({"in.zst": b"plain"}, "in.zst")


def test_parquet_gives_one_object_a_row() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    from datetime import datetime
    from decimal import Decimal

    rows = [
        {
            "n": 1,
            "f": 0.5,
            "s": "é",
            "l": [1, 2],
            "o": {"x": None},
            "t": datetime(2024, 1, 2, 3),
            "d": Decimal("1.50"),
            "b": b"x",
        },
        {"n": None, "f": float("nan"), "s": "", "l": [], "o": {"x": "y"}, "t": None, "d": None, "b": None},
    ]
    buffer = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(rows), buffer, compression="gzip")
    assert read_one(buffer.getvalue(), InputType="PARQUET") == [
        {"n": 1, "f": 0.5, "s": "é", "l": [1, 2], "o": {"x": None}, "t": "2024-01-02T03:00:00", "d": 1.5, "b": "x"},
        {"n": None, "f": None, "s": "", "l": [], "o": {"x": "y"}, "t": None, "d": None, "b": None},
    ]
    assert "s3://b/in is no Parquet file" in cause_of(b"nothing of the kind", InputType="PARQUET")


@pytest.mark.parametrize(
    ("key", "config", "package"),
    [("in", {"InputType": "PARQUET"}, "pyarrow"), ("in.zst", {"InputType": "JSON"}, "zstandard")],
)
def test_a_missing_package_is_named_with_the_command(
    key: str, config: dict[str, Json], package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setitem(sys.modules, f"{package}.parquet", None)
    with pytest.raises(MissingExtra, match=f"s3://b/{key} needs the package {package}.*pip install {package}"):
        read({key: b"x"}, key, **config)


# ---- listings, manifests


def test_a_listing_gives_the_description_of_every_object_folders_included() -> None:
    items = listing({"in/": "", "in/a": "12", "out/b": "3"}, "in/")
    assert [(item["Key"], item["Size"]) for item in items] == [("in/", 0), ("in/a", 2)]
    assert set(items[0]) == {"Etag", "Key", "LastModified", "Size", "StorageClass"}


def test_a_listing_without_prefix_or_objects() -> None:
    assert [item["Key"] for item in listing({"b": "", "a": ""})] == ["a", "b"]
    assert listing({"b": ""}, "nowhere/") == []


def test_load_and_flatten_gives_the_items_of_all_files_in_the_order_of_their_keys() -> None:
    objects = {"in/": "", "in/b.json": "[3]", "in/a.json.gz": gzip.compress(b"[1, [2]]"), "out/c.json": "[4]"}
    assert listing(objects, "in/", InputType="JSON", Transformation="LOAD_AND_FLATTEN") == [1, [2], 3]
    assert listing(objects, "in/", InputType="JSON", Transformation="LOAD_AND_FLATTEN", MaxItems=2) == [1, [2]]
    assert len(listing(objects, "in/", Transformation="NONE")) == 3


def test_load_and_flatten_takes_the_header_of_each_csv_file() -> None:
    objects = {"1.csv": "a,b\n1,2\n", "2.csv": "b,a\n3,4\n"}
    items = listing(objects, InputType="CSV", CSVHeaderLocation="FIRST_ROW", Transformation="LOAD_AND_FLATTEN")
    assert items == [{"a": "1", "b": "2"}, {"b": "3", "a": "4"}]


def test_a_transformation_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ReaderFailure, match="Transformation must be NONE or LOAD_AND_FLATTEN, but found 'FLATTEN'"):
        listing({}, Transformation="FLATTEN")


@pytest.mark.parametrize(
    "config", [{"InputType": "MANIFEST"}, {"InputType": "MANIFEST", "ManifestType": "S3_INVENTORY"}]
)
def test_an_s3_inventory_gives_the_rows_of_its_files_named_by_the_schema(config: dict[str, Json]) -> None:
    objects = {
        "manifest.json": {
            "destinationBucket": "arn:aws:s3:::b",
            "fileFormat": "CSV",
            "fileSchema": "Bucket, Key, Size",
            "files": [{"key": "data/1.csv.gz", "size": 1, "MD5checksum": "x"}, {"key": "data/2.csv.gz"}],
        },
        "data/1.csv.gz": gzip.compress(b'"src","a%20b.txt","5"\n"src","c","6"\n'),
        "data/2.csv.gz": gzip.compress(b'"src","d","7"\n'),
    }
    assert read(objects, "manifest.json", **config) == [
        {"Bucket": "src", "Key": "a%20b.txt", "Size": "5"},
        {"Bucket": "src", "Key": "c", "Size": "6"},
        {"Bucket": "src", "Key": "d", "Size": "7"},
    ]


@pytest.mark.parametrize(
    ("manifest", "text"),
    [
        ([], "is no manifest of an S3 inventory"),
        ({"files": [{"size": 1}]}, "is no manifest of an S3 inventory"),
        ({"files": [], "fileFormat": "Parquet"}, "has the format Parquet, but only CSV can be read"),
    ],
)
def test_what_is_no_inventory_manifest_is_refused(manifest: Json, text: str) -> None:
    assert text in cause_of(manifest, InputType="MANIFEST")


def test_an_athena_manifest_names_files_of_any_bucket() -> None:
    objects = {
        "m.csv": "s3://b/part1.jsonl.gz\n\ns3://b/part2.jsonl\r\n",
        "part1.jsonl.gz": gzip.compress(b"1\n2\n"),
        "part2.jsonl": "3",
    }
    assert read(objects, "m.csv", ManifestType="ATHENA_DATA", InputType="JSONL") == [1, 2, 3]
    assert read({"m": '"s3://other/x"'}, "m", ManifestType="ATHENA_DATA", InputType="JSON") == [{"from": "other"}]
    assert "names 'http://b/x', which is no s3:// address" in cause_of(
        "http://b/x", ManifestType="ATHENA_DATA", InputType="CSV"
    )


# ---- MaxItems, failures


@pytest.mark.parametrize(("value", "items"), [(None, 3), (2, 2), (2.0, 2), ("2", 2), (100_000_001, 3)])
def test_max_items_cuts_the_items(value: Json, items: int) -> None:
    assert len(read_one("[1, 2, 3]", MaxItems=value)) == items


def test_max_items_above_the_greatest_counts_as_the_greatest() -> None:
    assert max_items(10**12) == 100_000_000


@pytest.mark.parametrize("value", [0, -1, "-1", -2.0])
def test_max_items_must_be_positive(value: Json) -> None:
    assert cause_of("[]", MaxItems=value) == "field MaxItems must be positive"


@pytest.mark.parametrize("value", [1.5, True, "x", [], float("inf"), "1.5"])
def test_max_items_must_be_an_integer(value: Json) -> None:
    assert cause_of("[]", MaxItems=value).startswith("field MaxItems must be an integer, but found: ")


def test_parameters_stand_for_arguments() -> None:
    call = {"Resource": GET, "Parameters": {"Bucket": "b", "Key": "k"}, "ReaderConfig": None}
    assert read_items(call, storage_of({"b": {"k": "[1]"}})) == [1]


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (
            {"Resource": "arn:aws:states:::s3:putObject"},
            "must be s3:getObject or s3:listObjectsV2, but found 'putObject'",
        ),
        ({"Arguments": {"Bucket": "b"}}, "the ItemReader needs Key as text, but found null"),
        ({"Arguments": {"Bucket": 5, "Key": "k"}}, "the ItemReader needs Bucket as text, but found 5"),
        (
            {"Arguments": {"Bucket": "b", "Key": "no"}},
            "The specified key does not exist. (Service: Amazon S3; Error Code: NoSuchKey)",
        ),
        ({"Arguments": {"Bucket": "no", "Key": "k"}}, "Error Code: NoSuchBucket"),
        ({"ReaderConfig": {"InputType": "XML"}}, "InputType must be one of CSV, JSON, JSONL, PARQUET, but found 'XML'"),
    ],
)
def test_what_cannot_be_read_fails_the_reader(change: dict[str, Json], cause: str) -> None:
    call = {"Resource": GET, "Arguments": {"Bucket": "b", "Key": "k"}, "ReaderConfig": {}, **change}
    with pytest.raises(ReaderFailure) as caught:
        read_items(call, storage_of({"b": {"k": "[1]"}}))
    assert cause in caught.value.cause
    assert str(caught.value).startswith("States.ItemReaderFailed: ")


def test_without_s3_the_caller_is_told_how_to_bind_it() -> None:
    call = {"Resource": LIST, "Arguments": {"Bucket": "b", "Prefix": "in/"}}
    with pytest.raises(RunError, match=r"list s3://b/in/"):
        read_items(call, storage_of(None))
