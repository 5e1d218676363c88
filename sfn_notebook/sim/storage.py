"""Where a Distributed Map finds its objects: buckets that are folders, mappings in memory, or a boto3 S3 client.

Owns the `Storage` protocol (get, list, put), the three kinds of bucket and `storage_of`, which turns what a caller gave as `s3=` into
one of them. It must not know what the bytes mean; that is the business of `readers` and `writers`.

A bucket that does not exist, a missing key and the like raise `StorageFailure` with S3's error code, because a workflow may catch what
becomes of them; what only the caller can put right (nothing is bound at all) is a `RunError`. A folder never gives or takes anything
outside itself: keys are split into names, each name is checked, and links that lead out are refused.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from sfn_notebook.errors import Json, RunError
from sfn_notebook.strictjson import copy_json, json_text

HINT = '    run(..., s3={"bucket-name": "path/to/a/folder/"})'
MEMORY_TIME = 1_577_836_800
"""LastModified of objects in memory, 2020-01-01: a run must not depend on when it runs."""
_HASHED = 8 * 1024 * 1024
"""Files above this get a multipart ETag, as boto3 and the AWS CLI upload them; that is no hash of the content."""


class StorageFailure(Exception):
    """S3 refused a request.

    Attributes:
        code: S3's error code, such as "NoSuchKey".
        message: S3's text.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


@runtime_checkable
class Storage(Protocol):
    """What readers and writers need of S3."""

    def get(self, bucket: str, key: str) -> bytes:
        """Give the content of an object."""

    def list(self, bucket: str, prefix: str) -> Iterator[dict[str, Json]]:
        """Give every object below a prefix in the order of their keys, each as a Map gets it: Etag, Key, LastModified, Size, StorageClass.

        LastModified is in seconds since 1970. "Folders" (objects without content whose key ends with a slash) are listed too.
        """

    def put(self, bucket: str, key: str, data: bytes) -> None:
        """Write an object."""


class Bucket(Protocol):
    """One bucket of a `Buckets` storage."""

    def get(self, key: str) -> bytes:
        """Give the content of an object."""

    def list(self, prefix: str) -> Iterator[dict[str, Json]]:
        """Give every object below a prefix."""

    def put(self, key: str, data: bytes) -> None:
        """Write an object."""


def storage_of(s3: Any) -> Storage:
    """Make a storage of what a caller gave as `s3=`.

    Args:
        s3: None; a mapping from bucket names to folders (text or Path), to mappings from keys to bytes, text, Path or JSON values, or to
            boto3 S3 clients; one boto3 S3 client for all buckets; or a `Storage`. A plain dict of objects is written to in place, so that
            `s3["bucket"]` shows what a run wrote.

    Raises:
        RunError: for anything else, and for a folder that does not exist.
    """
    if s3 is None:
        return Unbound()
    if _is_client(s3):
        return Buckets(lambda name: ClientBucket(s3, name))
    if isinstance(s3, Mapping):
        return Buckets({_name(name): _bucket(name, value) for name, value in s3.items()}.get)
    if isinstance(s3, Storage):
        return s3
    raise RunError(
        f"s3 must map bucket names to folders or to objects, or be a boto3 S3 client, but found {type(s3).__name__}; "
        f"for example\n{HINT}"
    )


class Unbound:
    """The storage of a run that was given none: every use says how to bind one."""

    def get(self, bucket: str, key: str) -> bytes:
        """Refuse."""
        raise self._refusal(f"read s3://{bucket}/{key}", bucket)

    def list(self, bucket: str, prefix: str) -> Iterator[dict[str, Json]]:
        """Refuse."""
        raise self._refusal(f"list s3://{bucket}/{prefix}", bucket)

    def put(self, bucket: str, key: str, data: bytes) -> None:
        """Refuse."""
        raise self._refusal(f"write {len(data):,} bytes to s3://{bucket}/{key}", bucket)

    @staticmethod
    def _refusal(what: str, bucket: str) -> RunError:
        bound = HINT.replace("bucket-name", bucket)
        return RunError(
            f"the run wants to {what}, but no S3 is bound; bind a folder, objects or a boto3 client\n{bound}"
        )


class Buckets:
    """A storage of buckets that a function finds by name; None for those that do not exist."""

    def __init__(self, find: Callable[[str], Bucket | None]) -> None:
        self.find = find

    def get(self, bucket: str, key: str) -> bytes:
        """Give the content of an object."""
        return self._of(bucket).get(key)

    def list(self, bucket: str, prefix: str) -> Iterator[dict[str, Json]]:
        """Give every object below a prefix."""
        return self._of(bucket).list(prefix)

    def put(self, bucket: str, key: str, data: bytes) -> None:
        """Write an object."""
        self._of(bucket).put(key, data)

    def _of(self, name: str) -> Bucket:
        bucket = self.find(name)
        if bucket is None:
            raise StorageFailure("NoSuchBucket", "The specified bucket does not exist")
        return bucket


class MemoryBucket:
    """Objects in a mapping of the caller's: bytes as they are, text as UTF-8, a Path as that file, anything else as JSON."""

    def __init__(self, objects: Mapping[str, Any]) -> None:
        self.objects = objects

    def get(self, key: str) -> bytes:
        """Give the content of an object."""
        if key not in self.objects:
            raise no_such_key()
        value = self.objects[key]
        if isinstance(value, bytes | bytearray | memoryview):
            return bytes(value)
        if isinstance(value, str):
            return value.encode("utf-8", "surrogatepass")
        if isinstance(value, os.PathLike):
            return _content(Path(value))
        return json_text(copy_json(value, f'the object "{key}"')).encode("utf-8", "surrogatepass")

    def list(self, prefix: str) -> Iterator[dict[str, Json]]:
        """Give every object below a prefix."""
        for key in sorted((key for key in self.objects if key.startswith(prefix)), key=key_order):
            data = self.get(key)
            yield listed(key, len(data), MEMORY_TIME, md5(data))

    def put(self, key: str, data: bytes) -> None:
        """Write an object into the caller's mapping."""
        if not isinstance(self.objects, MutableMapping):
            raise StorageFailure("AccessDenied", "Access Denied")
        self.objects[key] = data


class FolderBucket:
    """The files below a folder; an empty folder inside it is a "folder" of S3."""

    def __init__(self, folder: Path) -> None:
        self.root = folder.resolve()

    def get(self, key: str) -> bytes:
        """Give the content of a file."""
        path = self._path(key)
        if path is None:
            raise no_such_key()
        if key.endswith("/"):
            if path.is_dir():
                return b""
            raise no_such_key()
        return _content(path)

    def list(self, prefix: str) -> Iterator[dict[str, Json]]:
        """Give every file below a prefix."""
        for key in sorted((key for key in self._keys(prefix) if key.startswith(prefix)), key=key_order):
            path = self._path(key)
            if path is None:
                continue
            stat = path.stat()
            size = 0 if key.endswith("/") else stat.st_size
            yield listed(key, size, int(stat.st_mtime), self._etag(path, size, stat.st_mtime_ns))

    def put(self, key: str, data: bytes) -> None:
        """Write a file, and the folders that it lies in."""
        path = self._path(key)
        if path is None:
            raise StorageFailure("InvalidArgument", f'the key "{key}" cannot be a file below {self.root}')
        try:
            if key.endswith("/"):
                path.mkdir(parents=True, exist_ok=True)
                return
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        except OSError as error:
            raise StorageFailure("AccessDenied", f"Access Denied ({error.strerror}: {path})") from error

    def _path(self, key: str) -> Path | None:
        """Give the path of a key below the folder; None for a key that no file below it can have."""
        names = key.removesuffix("/").split("/")
        if any(name in ("", ".", "..") or not _plain(name) for name in names):
            return None
        path = self.root.joinpath(*names)
        try:
            inside = path.resolve().is_relative_to(self.root)
        except (OSError, RuntimeError):  # a loop of links, or a name that is too long
            return None
        if not inside:
            raise StorageFailure("AccessDenied", f'Access Denied (the key "{key}" leads out of {self.root})')
        return path

    def _keys(self, prefix: str) -> Iterator[str]:
        """Walk the folder that a prefix names, without following links to folders."""
        above = prefix.rpartition("/")[0]
        start = self._path(above) if above else self.root
        for folder, folders, files in os.walk(start) if start is not None else ():
            place = Path(folder)
            for name in files:
                path = place / name
                if path.is_file() and path.resolve().is_relative_to(self.root):
                    yield path.relative_to(self.root).as_posix()
            if not folders and not files and place != self.root:
                yield place.relative_to(self.root).as_posix() + "/"

    @staticmethod
    def _etag(path: Path, size: int, modified: int) -> str:
        if size > _HASHED:
            return f"{md5(f'{size} {modified}'.encode())}-{-(-size // _HASHED)}"
        return md5(b"" if path.is_dir() else path.read_bytes())


class ClientBucket:
    """A bucket behind a boto3 S3 client."""

    def __init__(self, client: Any, name: str) -> None:
        self.client = client
        self.name = name

    def get(self, key: str) -> bytes:
        """Give the content of an object."""
        try:
            return bytes(self.client.get_object(Bucket=self.name, Key=key)["Body"].read())
        except Exception as error:
            raise _refused(error) from error

    def list(self, prefix: str) -> Iterator[dict[str, Json]]:
        """Give every object below a prefix, page by page."""
        try:
            for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix):
                for found in page.get("Contents", ()):
                    modified = int(found["LastModified"].timestamp())
                    tag = str(found.get("ETag", "")).strip('"')
                    yield listed(found["Key"], found["Size"], modified, tag, found.get("StorageClass", "STANDARD"))
        except Exception as error:
            raise _refused(error) from error

    def put(self, key: str, data: bytes) -> None:
        """Write an object."""
        try:
            self.client.put_object(Bucket=self.name, Key=key, Body=data)
        except Exception as error:
            raise _refused(error) from error


def listed(key: str, size: int, modified: int, tag: str, storage_class: str = "STANDARD") -> dict[str, Json]:
    """Describe an object as a Map over `s3:listObjectsV2` gets it (recorded: the ETag is spelled Etag and keeps its quotes)."""
    return {"Etag": f'"{tag}"', "Key": key, "LastModified": modified, "Size": size, "StorageClass": storage_class}


def key_order(key: str) -> bytes:
    """Order keys as S3 lists them: by their UTF-8 bytes."""
    return key.encode("utf-8", "surrogatepass")


def md5(data: bytes) -> str:
    """Hash a content as S3's ETag does."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def no_such_key() -> StorageFailure:
    """Make S3's answer for a key that does not exist."""
    return StorageFailure("NoSuchKey", "The specified key does not exist.")


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        raise no_such_key() from None
    except OSError as error:
        raise StorageFailure("AccessDenied", f"Access Denied ({error.strerror}: {path})") from error


def _plain(name: str) -> bool:
    """Say whether a part of a key is one name on every system: no separator, drive or NUL in it."""
    return "\0" not in name and "\\" not in name and (os.name != "nt" or ":" not in name)


def _name(name: Any) -> str:
    if isinstance(name, str):
        return name
    raise RunError(
        f"s3 must map bucket names to folders or to objects, but found the key {name!r}; for example\n{HINT}"
    )


def _bucket(name: str, value: Any) -> Bucket:
    if isinstance(value, Mapping):
        return MemoryBucket(value)
    if isinstance(value, str | os.PathLike):
        folder = Path(value).expanduser()
        if not folder.is_dir():
            raise RunError(f'the bucket "{name}" is bound to {folder}, which is no folder')
        return FolderBucket(folder)
    if _is_client(value):
        return ClientBucket(value, name)
    raise RunError(
        f'the bucket "{name}" must be bound to a folder, a mapping from keys to contents, or a boto3 S3 client, '
        f"but found {type(value).__name__}"
    )


def _is_client(value: Any) -> bool:
    return all(callable(getattr(value, name, None)) for name in ("get_object", "put_object", "get_paginator"))


def _refused(error: Exception) -> Exception:
    """Turn botocore's ClientError into a failure; anything else (no network, no credentials) stays the caller's problem."""
    response = getattr(error, "response", None)
    if isinstance(response, Mapping) and isinstance(response.get("Error"), Mapping):
        found = response["Error"]
        return StorageFailure(str(found.get("Code", "Unknown")), str(found.get("Message", error)))
    return error if isinstance(error, StorageFailure) else RunError(f"S3 could not be reached: {error}")
