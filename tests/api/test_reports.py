import copy
from typing import Any

import pytest

from sfn_notebook import StateMachine
from sfn_notebook.api.reports import CheckReport, MachineList, Text, diff_machines
from sfn_notebook.errors import Diagnostic, Severity

BASE: dict[str, Any] = {
    "StartAt": "A",
    "States": {
        "A": {"Type": "Pass", "Next": "M"},
        "M": {
            "Type": "Map", "End": True,
            "ItemProcessor": {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": True}}},
        },
    },
}  # fmt: skip
ERROR = Diagnostic("CODE", Severity.ERROR, "it is wrong", "/a", 2, 3, "mend it", 4)
WARNING = Diagnostic("OTHER", Severity.WARNING, "it is odd: a, b\nand c", "/b")


def load(definition: Any, name: str = "m") -> StateMachine:
    return StateMachine.load(definition, name=name)


def test_equal_meaning_is_no_difference() -> None:
    reordered = {"States": dict(reversed(BASE["States"].items())), "StartAt": "A"}
    diff = diff_machines(load(BASE, "a"), load(reordered, "b"))
    assert not diff
    assert diff.text == "a and b mean the same"
    assert (diff.added, diff.removed, diff.changed) == ((), (), ())


def test_added_removed_and_changed_states_are_named_by_their_place() -> None:
    changed = copy.deepcopy(BASE)
    changed["States"]["A"]["Comment"] = "new"
    inner = changed["States"]["M"]["ItemProcessor"]
    inner["States"]["J"] = inner["States"].pop("I")
    inner["StartAt"] = "J"
    diff = diff_machines(load(BASE, "a"), load(changed, "b"))
    assert diff
    assert diff.added == ("/States/M/ItemProcessor/States/J",)
    assert diff.removed == ("/States/M/ItemProcessor/States/I",)
    assert diff.changed == ("/States/A", "/States/M")
    assert diff.summary == ("+ added: M › J", "- removed: M › I", "~ changed: A, M")
    assert diff.lines[:2] == ("--- a", "+++ b")
    assert '+      "Comment": "new",' in diff.lines


def test_a_state_inside_another_changes_alone() -> None:
    changed = copy.deepcopy(BASE)
    changed["States"]["M"]["ItemProcessor"]["States"]["I"]["Comment"] = "new"
    assert diff_machines(load(BASE), load(changed)).changed == ("/States/M/ItemProcessor/States/I",)


def test_a_state_that_is_called_states_is_named() -> None:
    named = {"StartAt": "States", "States": {"States": {"Type": "Succeed"}}}
    other = {"StartAt": "States", "States": {"States": {"Type": "Succeed", "Comment": "x"}}}
    assert diff_machines(load(named), load(other)).summary == ("~ changed: States",)


def test_a_machine_field_alone_is_told() -> None:
    diff = diff_machines(load(BASE), load({**BASE, "Comment": "x"}))
    assert diff.summary == ("no state differs, only fields of the machine itself",)


def test_a_difference_in_html_is_escaped_and_coloured() -> None:
    diff = diff_machines(load(BASE), load({**BASE, "Comment": "<b>&"}))
    assert "<b>&" not in diff.html
    assert "&lt;b&gt;&amp;" in diff.html
    assert '<span style="color:var(--jp-success-color1' in diff.html


def test_a_report_shows_each_problem_with_its_line() -> None:
    report = CheckReport("f.json", (ERROR, WARNING), "{\n  wrong\n}")
    assert report.text.splitlines()[:3] == [
        "f.json:2:3: error: it is wrong (mend it) [CODE]",
        "2 |   wrong",
        "  |   ^^^^",
    ]
    assert report.text.splitlines()[-1] == "✖ f.json: 1 error, 1 warning"
    assert (report.errors, report.warnings, report.ok, bool(report)) == (1, 1, False, False)


@pytest.mark.parametrize(("strict", "ok"), [(False, True), (True, False)])
def test_warnings_count_when_strict(strict: bool, ok: bool) -> None:
    assert CheckReport("f", (WARNING,), None, strict).ok is ok


def test_a_clean_report_says_so() -> None:
    report = CheckReport("f", ())
    assert (report.text, report.ok) == ("✔ f: no problems found", True)


def test_a_report_is_plain_data_and_annotations_too() -> None:
    report = CheckReport("a,b:c.json", (ERROR, WARNING))
    assert report.as_json()["diagnostics"][0] == {
        "code": "CODE", "severity": "ERROR", "message": "it is wrong", "pointer": "/a", "line": 2, "column": 3, "hint": "mend it",
    }  # fmt: skip
    assert report.as_github().splitlines() == [
        "::error file=a%2Cb%3Ac.json,line=2,col=3,title=CODE::it is wrong (mend it)",
        "::warning file=a%2Cb%3Ac.json,title=OTHER::it is odd: a, b%0Aand c",
    ]


def test_everything_has_text_and_html_and_is_escaped() -> None:
    row = {"name": "<b>", "variable": None, "states": 1, "errors": 0, "warnings": 0}
    for shown in (
        Text("<b>"),
        MachineList((row,)),
        CheckReport("<b>", (ERROR,)),
        diff_machines(load(BASE, "<b>"), load(BASE)),
    ):
        bundle = shown._repr_mimebundle_(include=None, exclude=None)
        assert set(bundle) == {"text/plain", "text/html"}
        assert bundle["text/plain"] == str(shown)
        assert "<b>" in bundle["text/plain"]
        assert "<b>" not in bundle["text/html"]


def test_an_empty_list_says_how_to_begin() -> None:
    assert "%%sfn NAME" in MachineList(()).html
