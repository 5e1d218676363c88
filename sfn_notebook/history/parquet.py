"""A Parquet data set of executions: a directory that grows by one batch per call, for pandas, DuckDB, Dask, Athena, and for us.

    orders/executions/<batch>.parquet     one row an execution   (columns in `tables.executions_table`)
    orders/events/<batch>.parquet         one row an event       (columns in `tables.events_table`)

A closed execution is written once. The exception is one that has changed since, by a redrive or by masking: it moves to the new
batch, and its old file is written again without it. Executions that are still open, or whose events could not be had, are in the batch
`open`, which is replaced each time. So no row is ever there twice, whoever reads. Files appear whole or not at all; one that cannot be
read costs its own executions only.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from sfn_notebook.errors import RunError
from sfn_notebook.history.recording import Batch, Recording, epoch
from sfn_notebook.history.tables import (
    Table,
    arrow,
    digest,
    events_table,
    executions_table,
    identities,
    identity,
    recordings_of,
)

OPEN: Final = "open"
"""The batch of executions whose history can still change."""

Stored: TypeAlias = dict[tuple[str, int | None], tuple[str, str]]
"""Identity of an execution -> its batch and digest."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a call of `write_parquet` did.

    Attributes:
        folder: the data set.
        written: executions that were written.
        unchanged: executions that were there already.
        files: files that are new or were replaced.
        notices: files that cannot be read; what they held was written again as far as it was given.
    """

    folder: Path
    written: int
    unchanged: int
    files: list[Path] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


def write_parquet(folder: str | os.PathLike[str], recordings: Iterable[Recording]) -> Written:
    """Add executions to a data set, which is made if it is not there.

    Raises:
        MissingExtra: pyarrow is not installed.
        RunError: the directory cannot be written.
    """
    arrow()
    root = Path(folder)
    given = {identity(recording): recording for recording in recordings}
    stored, notices = _index(root)
    fresh = {key: r for key, r in given.items() if r.closed and _is_new(stored.get(key), r)}
    pending = {key: r for key, r in given.items() if not r.closed and stored.get(key, (OPEN, ""))[0] == OPEN}
    try:
        files = _save(root, _batch_name(fresh.values()), list(fresh.values())) if fresh else []
        for batch in {stored[key][0] for key in fresh if key in stored} - {OPEN}:
            files += _save(root, batch, [row for row in _read(root, batch) if identity(row) not in fresh])
        if pending or any(batch == OPEN for batch, _ in stored.values()):
            kept = (
                [row for row in _read(root, OPEN) if identity(row) not in given]
                if (root / "events" / f"{OPEN}.parquet").exists()
                else []
            )
            files += _save(root, OPEN, [*kept, *pending.values()])
    except OSError as error:
        raise RunError(f"the Parquet data set {folder} cannot be written: {error}") from error
    done = len(fresh) + len(pending)
    return Written(root, done, len(given) - done, files, notices)


def _is_new(known: tuple[str, str] | None, recording: Recording) -> bool:
    return known is None or known[0] == OPEN or known[1] != digest(recording)


def read_parquet(folder: str | os.PathLike[str]) -> Batch:
    """Read a data set, newest execution first. A file that cannot be read is named in the batch's notices.

    Raises:
        MissingExtra: pyarrow is not installed.
        RunError: there is no data set, or nothing in it can be read.
    """
    arrow()
    root = Path(folder)
    batches = sorted(path.stem for path in (root / "executions").glob("*.parquet"))
    if not batches:
        raise RunError(
            f'there is no Parquet data set in {folder}: it has a directory "executions" with *.parquet files'
        )
    best: dict[tuple[str, int | None], Recording] = {}
    notices = []
    for batch in batches:
        try:
            rows = _read(root, batch)
        except RunError as error:
            notices.append(str(error))
            continue
        for row in rows:
            known = best.get(identity(row))
            if known is None or _rank(known) < _rank(row):
                best[identity(row)] = row
    if len(notices) == len(batches):
        raise RunError("\n".join(notices))
    return Batch(sorted(best.values(), key=epoch, reverse=True), notices=notices)


def _rank(row: Recording) -> tuple[bool, int, int]:
    """Order two records of one execution, which only a crash between two writes can leave behind."""
    return row.closed, row.redrive_count, len(row.events)


# ---- files


def _index(root: Path) -> tuple[Stored, list[str]]:
    """Say for each execution that is stored in which batch; a batch that cannot be read counts as empty."""
    pa = arrow()
    found: Stored = {}
    notices = []
    for path in sorted((root / "executions").glob("*.parquet")):
        try:
            signs = identities(_table(path))
            pa.parquet.read_metadata(root / "events" / path.name)
        except RunError as error:
            notices.append(str(error))
        except (OSError, ValueError) as error:
            notices.append(_unreadable(root / "events" / path.name, error))
        else:
            found.update({key: (path.stem, sign) for key, sign in signs.items()})
    return found, notices


def _read(root: Path, batch: str) -> list[Recording]:
    tables = [root / name / f"{batch}.parquet" for name in ("executions", "events")]
    try:
        return recordings_of(*(_table(path) for path in tables))
    except (KeyError, TypeError, ValueError) as error:  # other columns, or other types in them
        raise RunError(f"{tables[1]} is not of a data set that sfn_notebook wrote: {error}") from error


def _table(path: Path) -> Table:
    try:
        return arrow().parquet.ParquetFile(path).read()
    except (OSError, ValueError) as error:  # pyarrow's own exceptions are of these two
        raise RunError(_unreadable(path, error)) from error


def _unreadable(path: Path, error: Exception) -> str:
    return f"{path} cannot be read as Parquet: {str(error).splitlines()[0] if str(error) else type(error).__name__}"


def _save(root: Path, batch: str, rows: Sequence[Recording]) -> list[Path]:
    """Write or replace the two files of a batch, or delete them when nothing is left. Names that begin with a dot are not read."""
    paths = []
    for name, table_of in (("events", events_table), ("executions", executions_table)):
        path = root / name / f"{batch}.parquet"
        if not rows:
            path.unlink(missing_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        arrow().parquet.write_table(table_of(rows), part, compression="zstd")
        part.replace(path)
        paths.append(path)
    return paths


def _batch_name(rows: Iterable[Recording]) -> str:
    """Name a batch by its oldest execution and by all of them, so that the same executions give the same name."""
    found = sorted(rows, key=epoch)
    sign = hashlib.blake2b("\n".join(f"{row.arn} {digest(row)}" for row in found).encode(), digest_size=5).hexdigest()
    first = found[0].started
    return f"{first:%Y%m%dT%H%M%S}-{sign}" if first else sign
