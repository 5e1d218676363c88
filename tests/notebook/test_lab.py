import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sfn_notebook.errors import CommandError
from sfn_notebook.notebook import lab


def installed(tmp_path: Path) -> Path:
    """Make a package with the notebooks inside, as the wheel has them."""
    package = tmp_path / "site" / "sfn_notebook"
    (package / "notebooks" / "data").mkdir(parents=True)
    (package / "notebooks" / "01.ipynb").write_text("{}")
    (package / "notebooks" / "data" / "in.json").write_text("[]")
    return package


def test_a_source_checkout_works_in_its_own_notebooks() -> None:
    assert lab.notebook_source() == lab.PACKAGE.parent / "notebooks"
    assert lab.working_folder(None) == lab.PACKAGE.parent / "notebooks"


def test_an_installed_package_gets_a_new_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = lab.working_folder(None, installed(tmp_path))
    assert folder == tmp_path / "sfn-notebooks"
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*")) == [
        "01.ipynb",
        "data",
        "data/in.json",
    ]


def test_a_file_that_is_there_already_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "01.ipynb").write_text("mine")
    folder = lab.working_folder(str(tmp_path / "mine"), installed(tmp_path))
    assert (folder / "01.ipynb").read_text() == "mine"
    assert (folder / "data" / "in.json").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match=r"cannot work in .*/file: .*; name a folder with --dir"):
        lab.working_folder(str(tmp_path / "file"), installed(tmp_path))


def test_a_package_without_notebooks_says_so(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="the tutorial notebooks are missing from"):
        lab.notebook_source(tmp_path / "nowhere" / "sfn_notebook")


def test_jupyterlab_opens_the_first_notebook_and_ctrl_c_is_left_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # GIVEN a process that is interrupted once before it ends
    started: list[list[str]] = []

    class Process:
        def __init__(self, command: list[str], **_: Any) -> None:
            started.append(command)
            self.waits = 0

        def wait(self) -> int:
            self.waits += 1
            if self.waits == 1:
                raise KeyboardInterrupt
            return 0

    monkeypatch.setattr(subprocess, "Popen", Process)
    monkeypatch.setattr(lab, "runs_as_root", lambda: False)
    (tmp_path / "02.ipynb").write_text("{}")
    (tmp_path / "01.ipynb").write_text("{}")

    # WHEN JupyterLab is opened
    code = lab.open_lab(tmp_path, browser=False)

    # THEN it was waited for to its end
    assert code == 0
    assert started == [
        [
            sys.executable,
            "-m",
            "jupyterlab",
            f"--ServerApp.root_dir={tmp_path}",
            str(tmp_path / "01.ipynb"),
            "--no-browser",
        ]
    ]


def test_root_is_allowed_where_it_would_be_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []

    class Process:
        def __init__(self, command: list[str], **_: Any) -> None:
            started.append(command)

        def wait(self) -> int:
            return 0

    monkeypatch.setattr(subprocess, "Popen", Process)
    for root in (True, False):
        monkeypatch.setattr(lab, "runs_as_root", lambda root=root: root)
        lab.open_lab(tmp_path)
    assert ["--allow-root" in command for command in started] == [True, False]
