"""Histories of closed executions on the local disk: they never change until they are redriven.

One file per execution, compressed JSON that people can read, in a directory of the user's own (mode 700). The name is a hash of what
makes a history unchanging: the ARN, the redrive count, and how it was fetched (with or without payloads, which fields were masked),
so that what was stored unmasked is never given to somebody who asked for masking, nor the reverse. An execution's name may be used again
90 days after it closed, therefore its start is stored and compared. A file appears whole or not at all; one that cannot be read counts as
missing and is fetched again.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import sys
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeAlias

from sfn_notebook.errors import AwsError
from sfn_notebook.history.recording import Recording

SETTING: Final = "SFN_NOTEBOOK_CACHE"
"""Environment variable: the directory of the cache, or "off"."""

_NAME_LENGTH: Final = 38 + len(".json.gz")
_SAME_START: Final = timedelta(seconds=1)


def cache_folder() -> Path:
    """Give the directory that the platform has for caches of the user."""
    named = os.environ.get(SETTING)
    if named and named.lower() not in ("on", "off", "1", "0"):
        return Path(named).expanduser()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or "~/AppData/Local")
    elif sys.platform == "darwin":
        base = Path("~/Library/Caches")
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    return base.expanduser() / "sfn_notebook" / "histories"


def cache_of(given: CacheOption, variant: Iterable[str] = ()) -> Cache | None:
    """Make a cache from what a user gives as `cache=`.

    Args:
        given: a directory; True for the user's cache directory; False for none; None for what the environment variable
            `SFN_NOTEBOOK_CACHE` says (a directory, "on" or "off"), by default none.
        variant: what else makes two histories of one execution differ.
    """
    if given is None:
        given = os.environ.get(SETTING, "off").lower() not in ("off", "0", "")
    if given is False:
        return None
    if isinstance(given, Cache):
        return Cache(given.folder, (*given.variant, *variant))
    return Cache(cache_folder() if given is True else Path(given).expanduser(), tuple(variant))


class Cache:
    """A directory of histories. Threads and processes may share it."""

    def __init__(self, folder: str | os.PathLike[str], variant: Iterable[str] = ()) -> None:
        self.folder = Path(folder)
        self.variant = tuple(variant)

    def get(self, wanted: Recording) -> Recording | None:
        """Give a closed execution with its history; None when it is not stored, or stored before it was redriven."""
        import orjson

        try:
            stored = orjson.loads(gzip.decompress(self._path(wanted.key).read_bytes()))
            events: list[dict[str, Any]] = stored["events"]
            for event in events:
                event["timestamp"] = datetime.fromisoformat(event["timestamp"])
            started = datetime.fromisoformat(stored["started"])
        except (OSError, EOFError, ValueError, KeyError, TypeError):
            return None
        if stored["arn"] != wanted.arn or (wanted.started and abs(wanted.started - started) > _SAME_START):
            return None
        found = wanted.with_events(events)
        return found if found.closed else None

    def put(self, recording: Recording) -> bool:
        """Store an execution if its history can no longer change; say whether it was.

        Raises:
            AwsError: the directory cannot be written.
        """
        started = recording.started or (recording.events[0].get("timestamp") if recording.events else None)
        if not recording.closed or recording.notice is not None or not isinstance(started, datetime):
            return False
        import orjson

        record = {"arn": recording.arn, "started": started.astimezone(UTC), "events": recording.events}
        try:
            data = gzip.compress(orjson.dumps(record), compresslevel=1, mtime=0)
        except TypeError:  # a value that JSON does not have: only strange services send one
            return False
        path = self._path(recording.key)
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.parent.mkdir(exist_ok=True)
            handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(name).replace(path)
        except OSError as error:
            raise AwsError(
                f"the cache {self.folder} cannot be written: {error}; give another directory with cache=, or cache=False"
            ) from error
        return True

    def clear(self) -> int:
        """Delete what is stored, of all variants; give the number of histories."""
        found = [path for path in self.folder.glob("??/*.json.gz") if len(path.name) == _NAME_LENGTH]
        for path in found:
            path.unlink(missing_ok=True)
        return len(found)

    def _path(self, key: tuple[str, int]) -> Path:
        name = hashlib.sha256("\n".join((key[0], str(key[1]), *self.variant)).encode()).hexdigest()
        return self.folder / name[:2] / f"{name[2:40]}.json.gz"


CacheOption: TypeAlias = Cache | str | os.PathLike[str] | bool | None
"""What `cache=` takes: a directory, True for the user's, False for none, None for what `SFN_NOTEBOOK_CACHE` says."""
