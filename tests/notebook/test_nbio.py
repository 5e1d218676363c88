import json
import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest

from sfn_notebook.errors import CommandError
from sfn_notebook.notebook.nbio import export, magic_cell, run_notebook
from tests.notebook.conftest import HELLO, Notebook

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
YAML = "StartAt: Hello\nStates:\n  Hello: {Type: Succeed}   \n"


def write(path: Path, *sources: str, tags: dict[int, list[str]] | None = None) -> Path:
    cells: list[Any] = []
    for number, source in enumerate(sources):
        cell = nbformat.v4.new_code_cell(source)  # type: ignore[no-untyped-call]
        if tags and number in tags:
            cell.metadata["tags"] = tags[number]
        cells.append(cell)
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)  # type: ignore[no-untyped-call]
    return path


def test_each_cell_becomes_a_file_that_equals_the_source_of_its_machine(nb: Notebook, tmp_path: Path) -> None:
    sources = {"hello": "%%sfn hello\n" + HELLO, "other": "\n  \n%%sfn other --quiet\n" + YAML.rstrip("\n"), "ä-3": '%%time\n%%sfn ä-3\n\n{"StartAt":"A","States":{"A":{"Type":"Succeed"}}}'}  # fmt: skip
    path = write(tmp_path / "a.ipynb", "%load_ext sfn_notebook", *sources.values(), "print(1)")
    done = export(path, tmp_path / "out")
    assert [(entry.name, entry.path.name, entry.cell, entry.status) for entry in done] == [
        ("hello", "hello.asl.json", 2, "written"),
        ("other", "other.asl.yaml", 3, "written"),
        ("ä-3", "ä-3.asl.json", 4, "written"),
    ]
    for entry in done:
        nb.good(sources[entry.name])
        source = nb.good(f"%sfn show {entry.name}").source
        assert entry.path.read_bytes() == source.encode()


def test_exporting_again_changes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ipynb", "%%sfn hello\n" + HELLO)
    export(path, tmp_path)
    before = (tmp_path / "hello.asl.json").stat().st_mtime_ns
    assert [entry.status for entry in export(path, tmp_path)] == ["unchanged"]
    assert (tmp_path / "hello.asl.json").stat().st_mtime_ns == before


def test_checking_writes_nothing_and_tells_what_differs(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ipynb", "%%sfn hello\n" + HELLO, "%%sfn other\n" + YAML, "%%sfn third\n" + HELLO)
    (tmp_path / "hello.asl.json").write_text(HELLO)
    (tmp_path / "other.asl.yaml").write_text(YAML + "\n")
    done = export(path, tmp_path, check=True)
    assert [(entry.status, entry.ok) for entry in done] == [
        ("unchanged", True),
        ("different", False),
        ("missing", False),
    ]
    assert not (tmp_path / "third.asl.json").exists()


def test_the_last_definition_counts_and_cells_that_are_meant_to_fail_do_not(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.ipynb",
        "%%sfn hello\n{}",
        "%%sfn hello\n" + HELLO,
        "%%sfn hello\n{broken",
        tags={2: ["raises-exception"]},
    )
    assert [(entry.cell, entry.path.read_text()) for entry in export(path, tmp_path)] == [(2, HELLO)]


def test_a_wrong_magic_line_is_named_with_its_cell(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ipynb", "print(1)", "%%sfn hello --sav x\n{}")
    with pytest.raises(CommandError, match=r"a.ipynb, cell 2: .*did you mean --save"):
        export(path, tmp_path)


@pytest.mark.parametrize(
    "source", ["", "print(1)", "%sfn list", "# %%sfn x\n", "%%sfnx y\n{}", "%%time\nprint(1)", "%%time"]
)
def test_other_cells_are_none_of_ours(source: str) -> None:
    assert magic_cell(source) is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"a": 1}', b"\xff\xfe\x00"])
def test_what_is_no_notebook_is_one_clear_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.ipynb").write_bytes(content)
    with pytest.raises(CommandError, match=r"a.ipynb is no notebook: ") as caught:
        export(tmp_path / "a.ipynb", tmp_path)
    assert "\n" not in str(caught.value)


def test_a_missing_notebook_and_a_folder_are_errors(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="there is no notebook"):
        export(tmp_path / "a.ipynb", tmp_path)
    with pytest.raises(CommandError, match="cannot read"):
        export(tmp_path, tmp_path)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_export_of_each_notebook_of_ours_is_stable(path: Path, tmp_path: Path) -> None:
    first = {entry.path.name: entry.path.read_bytes() for entry in export(path, tmp_path / "1")}
    second = {entry.path.name: entry.path.read_bytes() for entry in export(path, tmp_path / "2")}
    assert first == second
    assert all(entry.ok for entry in export(path, tmp_path / "1", check=True))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_each_notebook_of_ours_is_stored_without_outputs(path: Path) -> None:
    cells = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    assert cells
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells)


# --- running -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_each_notebook_of_ours_runs(path: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(path.parent, tmp_path / "notebooks")
    assert str(run_notebook(path, folder)) == f"✔ {path.name}"


def test_the_cell_that_fails_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ipynb", "1/0", "\nx = 5\ny = nowhere", "1", tags={0: ["raises-exception"]})
    ended = run_notebook(path, tmp_path)
    assert not ended.ok
    assert str(ended) == "✖ a.ipynb, cell 2 (x = 5): NameError: name 'nowhere' is not defined"


def test_a_cell_that_takes_too_long_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ipynb", "print(1)", "import threading; threading.Event().wait(60)")
    ended = run_notebook(path, tmp_path, timeout=1)
    assert str(ended) == "✖ a.ipynb, cell 2 (import threading; threading.Event().wait(60)): took more than 1 s"
