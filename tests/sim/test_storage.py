import hashlib
import io
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfn_notebook.errors import RunError
from sfn_notebook.sim.storage import MEMORY_TIME, Storage, StorageFailure, storage_of
from sfn_notebook.strictjson import NotJson

names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=6)
keys = st.lists(
    st.sampled_from(["a", "b", "..", ".", "", "~", "c:", "a\\..\\b", "é", "\0"]) | names, min_size=1, max_size=5
).map("/".join)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "bucket"
    for name, text in (("a.txt", "A"), ("logs/2.json", "[2]"), ("logs/10.json", "[10]"), ("logs/old/1.json", "[1]")):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        os.utime(path, (1_700_000_000.75, 1_700_000_000.75))
    (root / "logs" / "empty").mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    return root


class RefusedByS3(Exception):
    """What botocore's ClientError looks like."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.response = {"Error": {"Code": code, "Message": message}}


class FakeClient:
    """A boto3 S3 client with one bucket and pages of two objects."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        self.objects = objects
        self.pages = 0

    def get_object(self, **call: str) -> dict[str, Any]:
        self._check(call["Bucket"])
        if call["Key"] not in self.objects:
            raise RefusedByS3("NoSuchKey", "The specified key does not exist.")
        return {"Body": io.BytesIO(self.objects[call["Key"]])}

    def put_object(self, **call: Any) -> None:
        self._check(call["Bucket"])
        self.objects[call["Key"]] = call["Body"]

    def get_paginator(self, operation: str) -> "FakeClient":
        assert operation == "list_objects_v2"
        return self

    def paginate(self, **call: str) -> Iterator[dict[str, Any]]:
        self._check(call["Bucket"])
        found = sorted(key for key in self.objects if key.startswith(call["Prefix"]))
        for start in range(0, len(found), 2):
            self.pages += 1
            yield {"Contents": [self._described(key) for key in found[start : start + 2]]}
        yield {}

    def _described(self, key: str) -> dict[str, Any]:
        moment = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
        size = len(self.objects[key])
        return {"Key": key, "Size": size, "ETag": '"tag"', "LastModified": moment, "StorageClass": "GLACIER"}

    @staticmethod
    def _check(bucket: str) -> None:
        if bucket == "offline":
            raise OSError("no route to host")
        if bucket != "b":
            raise RefusedByS3("NoSuchBucket", "The specified bucket does not exist")


def listed_keys(storage: Storage, bucket: str = "b", prefix: str = "") -> list[str]:
    return [found["Key"] for found in storage.list(bucket, prefix)]


def failure_code(use: Any) -> str:
    with pytest.raises(StorageFailure) as caught:
        use()
    return caught.value.code


@pytest.mark.parametrize(
    ("use", "what"),
    [
        (lambda s: s.get("orders", "in.csv"), "read s3://orders/in.csv"),
        (lambda s: s.list("orders", "in/"), "list s3://orders/in/"),
        (lambda s: s.put("orders", "out", b"1234"), "write 4 bytes to s3://orders/out"),
    ],
)
def test_without_s3_every_use_shows_how_to_bind_the_bucket(use: Any, what: str) -> None:
    with pytest.raises(RunError) as caught:
        use(storage_of(None))
    assert what in str(caught.value)
    assert 'run(..., s3={"orders": "path/to/a/folder/"})' in str(caught.value)


@pytest.mark.parametrize("kind", ["text", "path"])
def test_a_folder_gives_its_files(folder: Path, kind: str) -> None:
    storage = storage_of({"b": str(folder) if kind == "text" else folder})
    assert storage.get("b", "logs/old/1.json") == b"[1]"
    assert storage.get("b", "logs/empty/") == b""


def test_a_folder_lists_as_s3_does_in_the_order_of_bytes_with_empty_folders(folder: Path) -> None:
    storage = storage_of({"b": folder})
    assert listed_keys(storage) == ["a.txt", "logs/10.json", "logs/2.json", "logs/empty/", "logs/old/1.json"]
    assert listed_keys(storage, prefix="logs/o") == ["logs/old/1.json"]
    assert listed_keys(storage, prefix="logs/empty/") == ["logs/empty/"]
    assert listed_keys(storage, prefix="lo") == ["logs/10.json", "logs/2.json", "logs/empty/", "logs/old/1.json"]
    assert listed_keys(storage, prefix="nowhere/x") == []
    assert listed_keys(storage, prefix="../") == []


def test_a_listed_file_has_the_members_that_a_map_gets(folder: Path) -> None:
    tag = hashlib.md5(b"[2]", usedforsecurity=False).hexdigest()
    assert list(storage_of({"b": folder}).list("b", "logs/2")) == [
        {"Etag": f'"{tag}"', "Key": "logs/2.json", "LastModified": 1_700_000_000, "Size": 3, "StorageClass": "STANDARD"}
    ]


def test_a_large_file_has_the_tag_of_a_multipart_upload(folder: Path) -> None:
    with (folder / "big").open("wb") as file:
        file.truncate(8 * 1024 * 1024 + 1)
    found = next(storage_of({"b": folder}).list("b", "big"))
    assert found["Etag"].endswith('-2"')


@pytest.mark.parametrize("key", ["nowhere", "logs", "a.txt/x", "logs/2.json/", "/a.txt", "logs//2.json", "", "./a.txt"])
def test_a_key_that_no_file_has_is_no_such_key(folder: Path, key: str) -> None:
    assert failure_code(lambda: storage_of({"b": folder}).get("b", key)) == "NoSuchKey"


@pytest.mark.parametrize(
    "key", ["../secret.txt", "logs/../../secret.txt", "/etc/passwd", "..\\secret.txt", "a\0b", ".."]
)
def test_no_key_leads_out_of_the_folder(folder: Path, key: str) -> None:
    storage = storage_of({"b": folder})
    assert failure_code(lambda: storage.get("b", key)) == "NoSuchKey"
    assert failure_code(lambda: storage.put("b", key, b"x")) == "InvalidArgument"
    assert (folder.parent / "secret.txt").read_text() == "secret"


def test_links_that_lead_out_of_the_folder_are_refused_and_not_listed(folder: Path) -> None:
    (folder / "link.txt").symlink_to(folder.parent / "secret.txt")
    (folder / "up").symlink_to(folder.parent)
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "inside.txt").symlink_to(folder / "a.txt")
    storage = storage_of({"b": folder})
    assert failure_code(lambda: storage.get("b", "link.txt")) == "AccessDenied"
    assert failure_code(lambda: storage.put("b", "link.txt", b"x")) == "AccessDenied"
    assert failure_code(lambda: storage.put("b", "up/new.txt", b"x")) == "AccessDenied"
    assert failure_code(lambda: list(storage.list("b", "up/"))) == "AccessDenied"
    assert failure_code(lambda: storage.get("b", "loop")) in ("NoSuchKey", "AccessDenied")
    assert storage.get("b", "inside.txt") == b"A"
    assert listed_keys(storage, prefix="l") == ["logs/10.json", "logs/2.json", "logs/empty/", "logs/old/1.json"]
    assert (folder.parent / "secret.txt").read_text() == "secret"
    assert sorted(path.name for path in folder.parent.iterdir()) == ["bucket", "secret.txt"]


@given(keys)
def test_whatever_the_key_nothing_is_written_outside_the_folder(
    tmp_path_factory: pytest.TempPathFactory, key: str
) -> None:
    outer = tmp_path_factory.mktemp("outer")
    (outer / "bucket").mkdir()
    storage = storage_of({"b": outer / "bucket"})
    try:
        storage.put("b", key, b"data")
    except StorageFailure:
        assert failure_code(lambda: storage.get("b", key)) in ("NoSuchKey", "AccessDenied")
    else:
        assert storage.get("b", key) == (b"" if key.endswith("/") else b"data")
        assert key in listed_keys(storage, prefix=key)
    assert [path.name for path in outer.iterdir()] == ["bucket"]


def test_a_folder_takes_new_files_and_folders(tmp_path: Path) -> None:
    storage = storage_of({"b": tmp_path})
    storage.put("b", "x/y/z.json", b"{}")
    storage.put("b", "x/marker/", b"")
    assert (tmp_path / "x" / "y" / "z.json").read_bytes() == b"{}"
    assert listed_keys(storage) == ["x/marker/", "x/y/z.json"]
    assert failure_code(lambda: storage.put("b", "x/y/z.json/below", b"")) == "AccessDenied"


def test_a_folder_that_does_not_exist_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r'the bucket "b" is bound to .*nowhere, which is no folder'):
        storage_of({"b": tmp_path / "nowhere"})


def test_objects_in_memory_are_bytes_text_files_or_json(tmp_path: Path) -> None:
    (tmp_path / "f.txt").write_bytes(b"file")
    objects = {
        "bytes": b"\xff",
        "text": "é",
        "json": [{"a": 1.5}, None],
        "path": tmp_path / "f.txt",
        "gone": tmp_path / "no",
    }
    storage = storage_of({"b": objects})
    found = {key: storage.get("b", key) for key in ("bytes", "text", "json", "path")}
    assert found == {"bytes": b"\xff", "text": "é".encode(), "json": b'[{"a":1.5},null]', "path": b"file"}
    assert failure_code(lambda: storage.get("b", "gone")) == "NoSuchKey"
    assert failure_code(lambda: storage.get("b", "other")) == "NoSuchKey"
    assert failure_code(lambda: storage.get("other", "x")) == "NoSuchBucket"


def test_what_is_no_json_in_memory_is_refused_with_its_name() -> None:
    with pytest.raises(NotJson, match='the object "k" holds a set'):
        storage_of({"b": {"k": {1}}}).get("b", "k")


def test_memory_lists_in_the_order_of_utf8_bytes_at_a_fixed_moment() -> None:
    storage = storage_of({"b": {"\U0001f600": "", "\ufb01": "x", "a/": "", "a/b": "12"}})
    assert listed_keys(storage) == [
        "a/",
        "a/b",
        "\ufb01",
        "\U0001f600",
    ]  # UTF-16 would have the last two the other way round
    assert [(o["Size"], o["LastModified"]) for o in storage.list("b", "a/")] == [(0, MEMORY_TIME), (2, MEMORY_TIME)]


def test_what_a_run_writes_shows_in_the_callers_own_dict() -> None:
    s3: dict[str, dict[str, Any]] = {"b": {"old": "1"}}
    storage_of(s3).put("b", "new", b"2")
    assert s3 == {"b": {"old": "1", "new": b"2"}}


def test_a_mapping_that_cannot_be_changed_denies_access() -> None:
    storage = storage_of({"b": MappingProxyType({"k": "1"})})
    assert storage.get("b", "k") == b"1"
    assert failure_code(lambda: storage.put("b", "k", b"2")) == "AccessDenied"


def test_a_boto3_client_is_read_page_by_page() -> None:
    client = FakeClient({"a/1": b"x", "a/2": b"yy", "a/3": b"", "b": b""})
    storage = storage_of(client)
    assert listed_keys(storage, prefix="a/") == ["a/1", "a/2", "a/3"]
    assert client.pages == 2
    assert next(storage.list("b", "a/2")) == {
        "Etag": '"tag"', "Key": "a/2", "LastModified": 1_704_164_645, "Size": 2, "StorageClass": "GLACIER",
    }  # fmt: skip
    storage.put("b", "new", b"n")
    assert storage.get("b", "new") == b"n"


def test_what_s3_refuses_becomes_a_failure_and_no_network_a_run_error() -> None:
    storage = storage_of(FakeClient({}))
    assert failure_code(lambda: storage.get("b", "x")) == "NoSuchKey"
    assert failure_code(lambda: storage.put("other", "x", b"")) == "NoSuchBucket"
    assert failure_code(lambda: list(storage.list("other", ""))) == "NoSuchBucket"
    with pytest.raises(RunError, match="S3 could not be reached: no route to host"):
        storage.get("offline", "x")


def test_a_real_boto3_client_lists_more_than_one_page() -> None:
    boto3 = pytest.importorskip("boto3")
    moto = pytest.importorskip("moto")
    with moto.mock_aws():
        client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
        client.create_bucket(Bucket="real")
        storage = storage_of(client)
        for number in range(1003):
            storage.put("real", f"many/{number:04}", b"x")
        storage.put("real", "folder/", b"")
        assert listed_keys(storage, "real", prefix="many/") == [f"many/{number:04}" for number in range(1003)]
        tag = hashlib.md5(b"x", usedforsecurity=False).hexdigest()
        found = next(storage.list("real", "many/"))
        assert isinstance(found.pop("LastModified"), int)
        assert found == {"Etag": f'"{tag}"', "Key": "many/0000", "Size": 1, "StorageClass": "STANDARD"}
        assert listed_keys(storage, "real", prefix="folder") == ["folder/"]
        assert storage.get("real", "many/0000") == b"x"
        assert failure_code(lambda: storage.get("real", "nowhere")) == "NoSuchKey"
        assert failure_code(lambda: list(storage.list("other", ""))) == "NoSuchBucket"


def test_buckets_of_all_kinds_go_together(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"folder")
    storage = storage_of({"f": tmp_path, "m": {"f": "memory"}, "b": FakeClient({"f": b"client"})})
    assert [storage.get(bucket, "f") for bucket in "fmb"] == [b"folder", b"memory", b"client"]
    assert storage_of(storage) is storage


@pytest.mark.parametrize(
    ("s3", "text"),
    [
        (5, "but found int"),
        ("folder", "but found str"),
        ({1: "x"}, "but found the key 1"),
        ({"b": 5}, 'the bucket "b" must be bound to a folder, a mapping .* but found int'),
    ],
)
def test_anything_else_is_refused(s3: Any, text: str) -> None:
    with pytest.raises(RunError, match=text):
        storage_of(s3)
