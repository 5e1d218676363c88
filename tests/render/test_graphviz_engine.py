import sys
import time
from pathlib import Path

import pytest

from sfn_notebook.render import graphviz_engine
from sfn_notebook.render.graphviz_engine import RenderError, bundled_program, programs, render_dot

SOURCE = "digraph { a -> b }"


def engine(folder: Path, body: str) -> str:
    """Write a program that stands for Graphviz."""
    path = folder / "engine"
    path.write_text(f"#!{sys.executable}\nimport sys, time\nsource = sys.stdin.read()\n{body}\n")
    path.chmod(0o755)
    return str(path)


def test_the_bundled_engine_is_found_and_draws() -> None:
    assert bundled_program() is not None
    assert b"<svg" in render_dot(SOURCE, "svg")
    assert render_dot(SOURCE, "png").startswith(b"\x89PNG")


def test_the_order_is_the_users_choice_then_the_bundled_engine_then_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = engine(tmp_path, "")
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}" if name == "dot" else own)
    assert programs() == [bundled_program(), "/bin/dot"]
    monkeypatch.setenv("SFN_NOTEBOOK_DOT", "/some/dot")
    assert programs() == [own]
    monkeypatch.setattr("shutil.which", lambda name: name)
    assert programs("mine") == ["mine"]
    assert programs() == ["/some/dot"]


def test_a_chosen_program_that_is_not_there_is_named() -> None:
    with pytest.raises(RenderError, match="no program '/nowhere/dot'"):
        render_dot(SOURCE, program="/nowhere/dot")


def test_without_any_engine_the_error_carries_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphviz_engine, "bundled_program", lambda: None)
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(RenderError, match="pip install graphviz-pure") as found:
        render_dot(SOURCE)
    assert found.value.source == SOURCE


def test_a_warning_is_no_failure_when_the_picture_is_complete(tmp_path: Path) -> None:
    assert render_dot(SOURCE, program=engine(tmp_path, "print('<svg></svg>'); sys.exit(1)")).strip() == b"<svg></svg>"


@pytest.mark.parametrize("body", ["print('<svg><g>')", "print('<svg></svg>'); sys.exit(2)", "sys.exit(1)"])
def test_an_incomplete_picture_is_a_failure(tmp_path: Path, body: str) -> None:
    with pytest.raises(RenderError, match="cannot draw as svg"):
        render_dot(SOURCE, program=engine(tmp_path, body))


def test_the_engines_own_words_are_passed_on(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match="syntax error in line 1"):
        render_dot(
            "digraph {", program=engine(tmp_path, "sys.stderr.write('syntax error in line 1\\nmore'); sys.exit(1)")
        )


def test_an_engine_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(RenderError, match=r"took more than 0.2 s and was stopped") as found:
        render_dot(SOURCE, program=engine(tmp_path, "time.sleep(30)"), timeout=0.2)
    assert time.monotonic() - began < 10
    assert found.value.source == SOURCE


def test_the_next_engine_is_tried_when_one_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "broken"
    broken.write_text("no program")
    broken.chmod(0o755)
    monkeypatch.setattr(
        graphviz_engine, "programs", lambda chosen: [str(broken), engine(tmp_path, "print('<svg></svg>')")]
    )
    assert render_dot(SOURCE).strip() == b"<svg></svg>"


def test_an_unknown_format_is_refused_with_those_there_are() -> None:
    with pytest.raises(RenderError, match="formats are svg, png"):
        render_dot(SOURCE, "gif")


def test_pdf_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphviz_engine, "programs", lambda chosen: [bundled_program()])
    with pytest.raises(RenderError, match="needs a Graphviz installation"):
        render_dot(SOURCE, "pdf")


def test_the_error_survives_pickling() -> None:
    import pickle

    copy = pickle.loads(pickle.dumps(RenderError("no", SOURCE)))
    assert (str(copy), copy.source) == ("no", SOURCE)
