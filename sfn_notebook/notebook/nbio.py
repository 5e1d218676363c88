"""Notebooks as files: exporting their `%%sfn` cells, and running them from top to bottom.

A cell's definition is exported byte for byte as `%%sfn` reads it: the text below the magic line, ending in one newline, found by
IPython's own steps of taking a cell apart. Cells tagged `raises-exception` are meant to fail and are left out; where a name is defined
several times the last one counts, as after running the notebook. nbformat and nbclient are imported when they are used.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sfn_notebook.errors import CommandError, Json, MissingExtra, SfnError
from sfn_notebook.notebook.arguments import HelpRequested
from sfn_notebook.notebook.cells import read_line

MAGIC = "%%sfn"
_WRAPPERS = ("%%time", "%%capture")
"""Cell magics that run the rest of their cell as a cell."""


# --- export --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Exported:
    """What became of one definition.

    Attributes:
        name: of the machine.
        path: of its file.
        cell: number of the cell in the notebook, from 1.
        status: "written" or "unchanged"; when checking "unchanged", "missing" or "different".
    """

    name: str
    path: Path
    cell: int
    status: str

    @property
    def ok(self) -> bool:
        """Say whether file and cell agree."""
        return self.status in ("written", "unchanged")


def export(notebook: str | Path, folder: str | Path, *, check: bool = False) -> list[Exported]:
    """Write each `%%sfn` cell of a notebook as `NAME.asl.json` or `NAME.asl.yaml`, by what its text is.

    Args:
        notebook: the notebook's file.
        folder: where the files go; made where it is missing.
        check: compare only, and write nothing.

    Raises:
        CommandError: the notebook cannot be read, a magic line makes no sense, or a file cannot be written.
    """
    from sfn_notebook.api.verbs import write_bytes

    done = []
    for name, (cell, text) in definitions(notebook).items():
        kind = "json" if text.lstrip("\ufeff \t\r\n")[:1] in ("{", "[") else "yaml"
        path = Path(folder) / f"{name}.asl.{kind}"
        data = text.encode()
        held = path.read_bytes() if path.is_file() else None
        if held == data:
            status = "unchanged"
        elif check:
            status = "missing" if held is None else "different"
        else:
            write_bytes(path, data)
            status = "written"
        done.append(Exported(name, path, cell, status))
    return done


def definitions(notebook: str | Path) -> dict[str, tuple[int, str]]:
    """Give the definitions of a notebook: name -> (number of the cell, text).

    Raises:
        CommandError: the notebook cannot be read, or a magic line makes no sense.
    """
    found = dict[str, tuple[int, str]]()
    for number, source in _code_cells(notebook):
        parts = magic_cell(source)
        if parts is None:
            continue
        try:
            name = read_line(parts[0]).name
        except HelpRequested:
            continue
        except SfnError as error:
            raise CommandError(f"{notebook}, cell {number}: {error}") from None
        found[name] = number, parts[1]
    return found


def magic_cell(source: str) -> tuple[str, str] | None:
    """Take a `%%sfn` cell apart: (rest of the magic line, text below), None for another cell."""
    lines = _cleaned(source)
    while lines and lines[0].split(maxsplit=1)[:1] and lines[0].split(maxsplit=1)[0] in _WRAPPERS:
        lines = lines[1:]
    if not lines or lines[0].split(maxsplit=1)[:1] != [MAGIC]:
        return None
    return lines[0].strip()[len(MAGIC) :].strip(), "".join(lines[1:])


def _cleaned(source: str) -> list[str]:
    """Clean a cell as IPython does before it looks for a cell magic."""
    from IPython.core import inputtransformer2 as steps

    lines = (source if source.endswith("\n") else source + "\n").splitlines(keepends=True)
    for step in (steps.leading_empty_lines, steps.leading_indent, steps.classic_prompt, steps.ipython_prompt):
        lines = step(lines)  # type: ignore[no-untyped-call]  # IPython has no annotations here
    return lines


def _code_cells(notebook: str | Path) -> Iterator[tuple[int, str]]:
    for number, cell in enumerate(read_notebook(notebook).cells, 1):
        if cell.cell_type == "code" and "raises-exception" not in cell.metadata.get("tags", ()):
            yield number, cell.source


def read_notebook(path: str | Path) -> Any:
    """Read a notebook, of any version, as nbformat's own object of version 4.

    Raises:
        CommandError: there is none, or the file is no notebook.
    """
    import nbformat

    try:
        text = Path(path).read_text(encoding="utf-8")
        return nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]  # nbformat has no annotations here
    except FileNotFoundError:
        raise CommandError(f"there is no notebook {path}") from None
    except OSError as error:
        raise CommandError(f"cannot read {path}: {error.strerror or error}") from None
    except Exception as error:  # noqa: BLE001 - nbformat has no common base for what it raises on a broken file
        first = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise CommandError(f"{path} is no notebook: {first}") from None


# --- run -----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NotebookRun:
    """How running a notebook ended.

    Attributes:
        path: of the notebook.
        cell: number of the cell that failed, from 1; None where all went well.
        first_line: of that cell.
        reason: what it raised.
    """

    path: Path
    cell: int | None = None
    first_line: str = ""
    reason: str = ""

    @property
    def ok(self) -> bool:
        """Say whether all cells ran."""
        return not self.reason

    def __str__(self) -> str:
        if self.ok:
            return f"✔ {self.path.name}"
        where = f", cell {self.cell} ({self.first_line})" if self.cell else ""
        return f"✖ {self.path.name}{where}: {self.reason}"


def run_notebook(path: Path, folder: Path, timeout: float = 300) -> NotebookRun:
    """Run all cells of a notebook in a fresh kernel of this very Python, with `folder` as its working directory.

    Raises:
        MissingExtra: nbclient or ipykernel is not installed.
        CommandError: the file is no notebook.
    """
    notebook = read_notebook(path)
    reason = execute(notebook, folder, timeout)
    return NotebookRun(path) if reason is None else _failed(path, notebook, reason)


def execute(notebook: Any, folder: Path, timeout: float = 300) -> str | None:
    """Run a notebook's cells and keep their outputs in it; give the reason where it did not get through.

    Raises:
        MissingExtra: nbclient or ipykernel is not installed.
    """
    try:
        from jupyter_client.kernelspec import KernelSpecManager
        from jupyter_client.manager import AsyncKernelManager
        from nbclient import NotebookClient
        from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
    except ImportError as error:
        raise MissingExtra(f"running notebooks needs {error.name}: pip install 'sfn-notebook[lab]'") from None
    with tempfile.TemporaryDirectory() as place:
        _write_kernel(Path(place))
        specs = KernelSpecManager(kernel_dirs=[place], ensure_native_kernel=False)
        manager = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=specs)
        client = NotebookClient(notebook, km=manager, timeout=timeout, resources={"metadata": {"path": str(folder)}})
        try:
            asyncio.run(client.async_execute(cleanup_kc=True, env=dict(kernel_environment())))
        except CellExecutionError as error:
            return f"{error.ename}: {error.evalue}"
        except CellTimeoutError:
            return f"took more than {timeout:g} s"
        except DeadKernelError as error:
            return f"the kernel died: {error}"
    return None


def _write_kernel(place: Path) -> None:
    """Describe a kernel that is this Python: what is called python3 elsewhere may be another environment."""
    spec: Json = {
        "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=ERROR"],
        "display_name": "Python 3",
        "language": "python",
    }
    (place / "python3").mkdir()
    (place / "python3" / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")


def kernel_environment() -> Mapping[str, str]:
    """Give the environment in which a kernel finds this very package, installed or not."""
    import os

    import sfn_notebook

    home = str(Path(sfn_notebook.__file__).resolve().parents[1])
    before = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": home + (os.pathsep + before if before else "")}


def _failed(path: Path, notebook: Any, reason: str) -> NotebookRun:
    """Find the cell that failed: the last one with an error, else the last one that was started."""
    code = [(number, cell) for number, cell in enumerate(notebook.cells, 1) if cell.cell_type == "code"]
    broken = [
        (number, cell)
        for number, cell in code
        if "raises-exception" not in cell.metadata.get("tags", ())
        and any(output.output_type == "error" for output in cell.outputs)
    ]
    started = [(number, cell) for number, cell in code if cell.execution_count is not None]
    found = (broken or started)[-1:]
    if not found:
        return NotebookRun(path, None, "", reason)
    number, cell = found[0]
    first = next((line for line in cell.source.splitlines() if line.strip()), "")
    return NotebookRun(path, number, first[:60], reason)
