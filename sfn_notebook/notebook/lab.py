"""The tutorial notebooks: where they are, a writable place to work in, JupyterLab on top of it, and running them all headless.

The notebooks lie inside an installed package, and beside the package in a source checkout. A checkout's own folder is worked in
directly; otherwise they are copied, and never over a file that is there already. JupyterLab runs as a process of this very Python.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from sfn_notebook.errors import CommandError, MissingExtra
from sfn_notebook.notebook.nbio import NotebookRun, kernel_environment, run_notebook

PACKAGE = Path(__file__).resolve().parents[1]
FOLDER = "sfn-notebooks"
"""The folder that is made where the user names none."""


def notebook_source(package: Path = PACKAGE) -> Path:
    """Find the tutorial notebooks.

    Raises:
        CommandError: they are in neither place.
    """
    for folder in (package / "notebooks", package.parent / "notebooks"):
        if any(folder.glob("*.ipynb")):
            return folder
    raise CommandError(f"the tutorial notebooks are missing from {package}; name a folder with --dir")


def working_folder(chosen: str | None, package: Path = PACKAGE) -> Path:
    """Give a writable folder with the notebooks: the user's, the checkout's own, or a new one here.

    Raises:
        CommandError: no folder can be written.
    """
    source = notebook_source(package)
    if chosen is None and source.parent == package.parent and os.access(source, os.W_OK):
        return source
    folder = Path(chosen or FOLDER).expanduser().resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(source.rglob("*")):
            target = folder / path.relative_to(source)
            if path.is_dir():
                target.mkdir(exist_ok=True)
            elif not target.exists():
                shutil.copyfile(path, target)
    except OSError as error:
        raise CommandError(f"cannot work in {folder}: {error.strerror or error}; name a folder with --dir") from None
    return folder


def require_jupyterlab() -> None:
    """Make sure that JupyterLab is there before anything is done for it.

    Raises:
        MissingExtra: it is not installed.
    """
    if find_spec("jupyterlab") is None:
        raise MissingExtra("JupyterLab is not installed: pip install 'sfn-notebook[lab]'")


def runs_as_root() -> bool:
    """Say whether this process is root, under which JupyterLab does not start without being told so."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def open_lab(folder: Path, *, browser: bool = True) -> int:
    """Run JupyterLab on a folder until the user stops it; give its exit code."""
    first = sorted(folder.glob("*.ipynb"))[:1]
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder}", *(str(path) for path in first)]
    if not browser:
        command.append("--no-browser")
    if runs_as_root():  # as in a container; the server listens to this machine alone and asks for its token
        command.append("--allow-root")
    process = subprocess.Popen(command, env=dict(kernel_environment()))  # noqa: S603 - our own interpreter and module
    while True:
        try:
            code = process.wait()
            return code if code >= 0 else 128 - code  # ended by a signal, as a shell reports it
        except KeyboardInterrupt:  # JupyterLab got it too, and asks whether to stop
            continue


def check_notebooks(chosen: str | None, timeout: float, tell: Callable[[NotebookRun], None]) -> list[NotebookRun]:
    """Run every notebook of a folder on a copy of it, and tell of each as it ends.

    Raises:
        CommandError: the folder holds no notebooks.
        MissingExtra: what runs notebooks is not installed.
    """
    source = Path(chosen).expanduser() if chosen else notebook_source()
    paths = sorted(source.glob("*.ipynb"))
    if not paths:
        raise CommandError(f"{source} holds no notebooks")
    ended = []
    with tempfile.TemporaryDirectory() as place:
        work = Path(place) / "work"
        shutil.copytree(source, work, ignore=shutil.ignore_patterns(".*"))
        for path in paths:
            ended.append(run_notebook(path, work, timeout))
            tell(ended[-1])
    return ended
