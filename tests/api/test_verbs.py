import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfn_notebook import CommandError, DefinitionError, StateMachine
from sfn_notebook.api import verbs

GOOD = '{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}'


@pytest.mark.parametrize("name", ["a", "my-flow_1.2", "Bestellung-ä", "x" * 80])
def test_a_name_that_aws_takes_is_taken(name: str) -> None:
    assert verbs.check_name(name) == name


@given(st.sampled_from(' \t\n<>{}[]?*"#%\\^|~`$&,;:/\x00\x1f\x7f\x85'))
def test_a_character_that_aws_does_not_take_is_refused(char: str) -> None:
    with pytest.raises(CommandError, match="must not hold"):
        verbs.check_name(f"a{char}b")


@pytest.mark.parametrize(("name", "message"), [("", "must not be empty"), ("x" * 81, "at most 80 characters")])
def test_a_name_of_a_wrong_length_is_refused(name: str, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        verbs.check_name(name)


def test_loading_refuses_errors_and_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text(GOOD.replace("Pass", "Pas"))
    with pytest.raises(DefinitionError, match=rf"^{tmp_path}/bad.json: 1:"):
        verbs.load(tmp_path / "bad.json")


def test_loading_strictly_refuses_warnings_as_errors() -> None:
    text = GOOD.replace('"End"', '"Comment": "${Open}", "End"')
    assert verbs.load(text).diagnostics
    with pytest.raises(DefinitionError, match=r"error: .*Open"):
        verbs.load(text, strict=True)
    assert verbs.load(text, None, {"Open": "x"}, strict=True).definition["States"]["A"]["Comment"] == "x"


@pytest.mark.parametrize("text", [GOOD, "StartAt: A\nStates:\n  A: {Type: Pass, End: true}\n"])
@pytest.mark.parametrize("above", [0, 1, 5])
def test_text_below_other_lines_counts_them_and_stays_as_it_is(text: str, above: int) -> None:
    machine = verbs.load_text(text, "m", lines_above=above)
    assert machine.source == text
    assert machine.run(1).output == 1
    plain = StateMachine.load(text.replace("Pass", "Pas")).errors
    with pytest.raises(DefinitionError) as caught:
        verbs.load_text(text.replace("Pass", "Pas"), "m", lines_above=above)
    assert [d.line for d in caught.value.diagnostics] == [d.line + above for d in plain]


def test_a_file_that_cannot_be_read_is_a_report(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{")
    for name in ("broken.json", "missing.json"):
        (report,) = verbs.check_file(str(tmp_path / name))
        assert (report.ok, report.errors) == (False, 1)


def test_pictures_are_written_by_ending(tmp_path: Path) -> None:
    machine = StateMachine.load(GOOD)
    history = machine.run({}).history
    assert verbs.render_file(machine, f"{tmp_path}/a.SVG").read_text().startswith("<svg")
    assert "✔" in verbs.render_file(machine, f"{tmp_path}/b.dot", history=history).read_text()
    assert verbs.render_file(machine, f"{tmp_path}/c.mmd", direction="LR").read_text().startswith("flowchart LR")
    with pytest.raises(CommandError, match="must end in one of"):
        verbs.render_file(machine, f"{tmp_path}/noending")
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="cannot write"):
        verbs.render_file(machine, f"{tmp_path}/file/x.svg")


def test_functions_named_like_task_states_are_handlers() -> None:
    definition = json.loads(GOOD)
    definition["States"]["Work"] = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:1:function:w", "End": True}
    machine = StateMachine.load(definition)

    def work() -> None: ...

    assert verbs.state_handlers(machine, {"Work": work, "A": work, "other": work}) == {"Work": work}
    assert verbs.state_handlers(machine, {"Work": int}) == {}
    assert verbs.state_handlers(machine, {"Work": 5}) == {}
