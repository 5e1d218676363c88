from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfn_notebook.errors import CommandError
from sfn_notebook.notebook.cells import line_offset, read_line
from sfn_notebook.notebook.session import Session, is_machine


@given(st.lists(st.text(st.characters(exclude_characters="\n\r"), max_size=5), max_size=4), st.booleans())
def test_the_lines_above_the_text_are_counted(above: list[str], ends_with_newline: bool) -> None:
    body = '{"StartAt": 1}\n'
    typed = "\n".join([*above, "%%sfn x", body])
    assert line_offset(typed if ends_with_newline else typed[:-1], body) == len(above) + 1


@pytest.mark.parametrize("typed", [None, "", "print(1)", "run_cell_magic('sfn', 'x', '{}')"])
def test_a_text_that_was_not_typed_has_one_line_above(typed: str | None) -> None:
    assert line_offset(typed, '{"a": 1}\n') == 1


def test_windows_line_ends_count_as_one() -> None:
    assert line_offset("\r\n%%sfn x\r\n{}\r\n", "{}\n") == 2


def test_the_first_line_is_read() -> None:
    read = read_line('keep << orders --save "my file.json" --sub A=1 --sub "B=two words" -q')
    assert (read.name, read.variable) == ("orders", "keep")
    assert (read.options.save, read.options.sub, read.options.quiet) == ("my file.json", ["A=1", '"B=two words"'], True)


def test_a_session_binds_free_names_only() -> None:
    machine: Any = SimpleNamespace()
    session = Session({"taken": 1})
    assert session.add("free", machine) is None
    assert session.variables["free"] is machine
    assert "already holds a value of type int" in str(session.add("taken", machine))
    assert "is a builtin of Python" in str(session.add("print", machine))
    assert "is no Python name" in str(session.add("for", machine))
    assert set(session.variables) == {"taken", "free"}
    assert set(session.machines) == {"free", "taken", "print", "for"}


def test_only_a_state_machine_is_one() -> None:
    from sfn_notebook import StateMachine

    assert is_machine(StateMachine.load({"StartAt": "A", "States": {}}))
    assert not is_machine({"StartAt": "A"})
    assert not is_machine(StateMachine)


def test_an_unknown_machine_is_told_what_to_do() -> None:
    with pytest.raises(CommandError, match=r"none is defined yet: start a cell with %%sfn NAME"):
        Session({}).find("orders")
