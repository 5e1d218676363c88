"""Histories on the disk."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sfn_notebook.aws.cache import Cache, cache_folder, cache_of
from sfn_notebook.errors import AwsError
from sfn_notebook.history.recording import Recording, recording_of

from .fake_service import BASE, execution

ARN = f"{BASE}:execution:orders:o-1"


def recording(**options: Any) -> Recording:
    events = [
        {**event, "timestamp": datetime.fromtimestamp(event["timestamp"], UTC)}
        for event in execution("o-1", **options)["events"]
    ]
    return recording_of(events, ARN)


def listed(found: Recording) -> Recording:
    return Recording(
        found.arn, found.name, found.status, started=found.started, ended=found.ended, redrive_count=found.redrive_count
    )


def test_what_is_stored_comes_back_the_same(tmp_path: Path) -> None:
    found = recording(steps=5)
    assert Cache(tmp_path).put(found)
    assert Cache(tmp_path).get(listed(found)) == found


def test_only_closed_executions_with_a_whole_history_are_stored(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "new")
    assert not cache.put(recording(end=""))
    assert not cache.put(recording().with_events([]))
    assert not cache.put(recording().with_events(recording().events, notice="cut"))
    assert not (tmp_path / "new").exists()


def test_another_redrive_count_start_or_way_of_fetching_is_another_history(tmp_path: Path) -> None:
    found = recording()
    Cache(tmp_path, ["masked"]).put(found)
    assert Cache(tmp_path).get(listed(found)) is None
    Cache(tmp_path).put(found)
    wanted = listed(found)
    assert Cache(tmp_path).get(wanted) is not None
    assert found.started is not None
    later = Recording(wanted.arn, wanted.name, wanted.status, started=found.started + timedelta(days=91))
    assert Cache(tmp_path).get(later) is None
    assert (
        Cache(tmp_path).get(Recording(wanted.arn, wanted.name, "FAILED", started=found.started, redrive_count=1))
        is None
    )


@pytest.mark.parametrize(
    "damage", [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: data[:-9] + b"x" * 9]
)
def test_a_damaged_file_counts_as_missing(tmp_path: Path, damage: Any) -> None:
    found = recording()
    Cache(tmp_path).put(found)
    (path,) = tmp_path.glob("*/*.json.gz")
    path.write_bytes(damage(path.read_bytes()))
    assert Cache(tmp_path).get(listed(found)) is None
    Cache(tmp_path).put(found)
    assert Cache(tmp_path).get(listed(found)) == found


@pytest.mark.skipif(os.name == "nt", reason="POSIX modes")
def test_nobody_else_may_read_what_is_stored(tmp_path: Path) -> None:
    Cache(tmp_path / "cache").put(recording())
    (path,) = tmp_path.glob("cache/*/*.json.gz")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700


def test_clearing_deletes_histories_and_nothing_else(tmp_path: Path) -> None:
    Cache(tmp_path).put(recording())
    (tmp_path / "ab").mkdir(exist_ok=True)
    (tmp_path / "ab" / "mine.json.gz").write_text("keep")
    assert Cache(tmp_path).clear() == 1
    assert [path.name for path in tmp_path.glob("*/*")] == ["mine.json.gz"]


def test_a_directory_that_cannot_be_written_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AwsError, match=r"cannot be written: .*; give another directory with cache=, or cache=False"):
        Cache(tmp_path / "file" / "cache").put(recording())


def test_where_the_cache_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_of(None) is None
    assert cache_of(given=False) is None
    found = cache_of(tmp_path, ["a"])
    assert found is not None
    assert (found.folder, found.variant) == (tmp_path, ("a",))
    monkeypatch.setenv("SFN_NOTEBOOK_CACHE", str(tmp_path / "set"))
    found = cache_of(None)
    assert found is not None
    assert found.folder == tmp_path / "set"
    assert cache_of(given=False) is None
    monkeypatch.setenv("SFN_NOTEBOOK_CACHE", "off")
    assert cache_of(None) is None
    monkeypatch.setenv("SFN_NOTEBOOK_CACHE", "on")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setattr("sys.platform", "linux")
    found = cache_of(None)
    assert found is not None
    assert found.folder == cache_folder() == tmp_path / "xdg" / "sfn_notebook" / "histories"
