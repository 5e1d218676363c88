"""Definitions in files: which strings name a file, and how its bytes become text, with an error that helps where they do not."""

from __future__ import annotations

import difflib
from pathlib import Path

from sfn_notebook.asl.jsontext import Complaint
from sfn_notebook.asl.reading import MAX_LENGTH, SHAPE, SYNTAX, definition_error

SUFFIXES = (".json", ".yaml", ".yml", ".asl", ".ipynb", ".template")


def names_a_file(line: str) -> bool:
    """Tell whether a line of text is meant as the path of a definition."""
    if not line or line[0] in "{[" or len(line) > 1000 or "\0" in line:
        return False
    if line.lower().endswith(SUFFIXES):
        return True
    try:
        return Path(line).expanduser().exists()
    except (OSError, ValueError, RuntimeError):
        return False


def read_file(path: Path, name: str | None) -> str:
    """Give the text of a file."""
    shown = name or str(path)
    try:
        path = path.expanduser()
        if path.is_dir():
            raise definition_error(
                "", None, Complaint(f"{path} is a directory, not a definition", 0, _inside(path)), "FILE_NOT_READABLE"
            )
        size = path.stat().st_size
        if size > 4 * MAX_LENGTH:
            _refuse_size(size, shown)
        data = path.read_bytes()
    except FileNotFoundError:
        raise definition_error(
            "", None, Complaint(f"there is no file {path}", 0, _near(path)), "FILE_NOT_FOUND"
        ) from None
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise definition_error("", None, Complaint(f"cannot read {path}: {reason}", 0), "FILE_NOT_READABLE") from None
    return decode(data, shown)


def _refuse_size(size: int, name: str) -> None:
    complaint = Complaint(f"the file has {size / 2**20:.1f} MiB; a definition may have 1 MiB", 0)
    raise definition_error("", name, complaint, SHAPE)


def decode(data: bytes, name: str | None) -> str:
    """Read bytes as UTF-8, or UTF-16 with a byte order mark."""
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        if b"\0" in data[:8192]:
            raise definition_error("", name, Complaint("the file is binary, not a definition", 0), SYNTAX) from None
        good = data[: error.start].decode(encoding, "replace")
        text = data.decode(encoding, "replace")
        complaint = Complaint(
            f"the byte 0x{data[error.start]:02X} is no {encoding.upper()}", len(good), "save the file as UTF-8"
        )
        raise definition_error(text, name, complaint, SYNTAX) from None


def _near(path: Path) -> str | None:
    folder = path.parent
    if not folder.is_dir():
        return f"there is no folder {folder} either"
    names = _names(folder)
    close = difflib.get_close_matches(path.name, names, n=3, cutoff=0.6)
    if close:
        return "did you mean " + " or ".join(str(folder / name) for name in close) + "?"
    return _inside(folder)


def _names(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in folder.iterdir())
    except OSError:
        return []


def _inside(folder: Path) -> str | None:
    names = [name for name in _names(folder) if name.lower().endswith(SUFFIXES)]
    return f"{folder} holds {', '.join(names[:5])}" if names else f"{folder} holds no .json, .yaml, .yml or .asl file"
