import re
from collections.abc import Callable

import pytest

from sfn_notebook.render.mermaid import escape_label, mermaid_source
from sfn_notebook.render.overlay import overlay_from_visits

from .machines import HOSTILE, MACHINES, ORDERS, around

LINE = re.compile(
    r"""flowchart\ (TB|LR)
      | \s*(start\(\(start\)\)|finish\(\(\(end\)\)\)|end)
      | \s*\w+(\(|\{|\[\[|\[/|\[|\(\[|\(\(\(|\{\{)"[^"\n]*"(\)|\}|\]\]|/\]|\]|\]\)|\)\)\)|\}\})
      | \s*subgraph\ \w+\["[^"\n]*"\]
      | \s*\w+\ (-->|--\ "[^"\n]*"\ -->|-\.\ "[^"\n]*"\ \.->)\ \w+
      | \s*classDef\ \w+\ [\w:#,]+
      | \s*class\ \w+\ \w+""",
    re.VERBOSE,
)


@pytest.mark.parametrize("name", ["orders", "nested", "half_written"])
def test_each_machine_reads_as_it_was_reviewed(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"{name}.mmd", mermaid_source(MACHINES[name]))


@pytest.mark.parametrize("name", [*MACHINES])
def test_every_line_is_of_a_known_form(name: str) -> None:
    overlay = overlay_from_visits([{"name": "Validate", "status": "FAILED"}])
    for text in (mermaid_source(MACHINES[name]), mermaid_source(MACHINES[name], overlay)):
        assert [line for line in text.splitlines() if not LINE.fullmatch(line)] == []


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_add_no_syntax(name: str) -> None:
    text, plain = mermaid_source(around(name)), mermaid_source(around("plain"))
    text.encode()
    assert [line for line in text.split("\n")[:-1] if not LINE.fullmatch(line)] == []
    assert len(text.split("\n")) == len(plain.split("\n"))


@pytest.mark.parametrize("name", HOSTILE)
def test_labels_hold_only_letters_digits_and_codes(name: str) -> None:
    rest = re.sub(r"#\d+;|<br/>", "", escape_label(name))
    assert not set(rest) & set('"<>&#;|[]{}()`%\\')


def test_a_status_has_a_mark_and_a_class() -> None:
    text = mermaid_source(ORDERS, overlay_from_visits([{"name": "Validate", "status": "FAILED", "attempts": 3}]))
    assert "✖ Validate ↻2" in text
    assert "class s0 failed" in text
    assert "not_reached" in text
