import copy
from typing import Any

import pytest

from sfn_notebook import StateMachine
from sfn_notebook.api.reports import CheckReport, MachineList, Text, diff_machines, rules
from sfn_notebook.errors import CommandError, Diagnostic, Severity

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


# --- checks and rules


BROKEN = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Parameters": {"a": "$.b"}, "Next": "Gone"}}}


def test_a_check_can_be_read_as_a_frame() -> None:
    report = StateMachine.load(BROKEN).check()
    frame = report.frame
    assert list(frame.columns) == ["severity", "code", "message", "hint", "line", "column", "pointer"]
    assert list(frame["code"]) == [diagnostic.code for diagnostic in report.diagnostics]
    assert list(frame["code"]) == ["MISSING_END_STATE", "NO_DOLLAR", "MISSING_TRANSITION_TARGET"]
    assert str(frame["line"].dtype) == "Int64"
    assert frame["line"].is_monotonic_increasing
    empty = StateMachine.load({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}).check().frame
    assert (len(empty), list(empty.columns)) == (0, list(frame.columns))


def test_a_machine_is_checked_as_what_it_shall_be() -> None:
    sync = {
        "Type": "Task",
        "Resource": "arn:aws:states:::ecs:runTask.sync",
        "Parameters": {"TaskDefinition": "t"},
        "End": True,
    }
    machine = StateMachine.load({"StartAt": "A", "States": {"A": sync}})
    assert machine.check().ok
    assert not machine.check(type="EXPRESS").ok
    assert not machine.check(strict=True).ok  # it lacks a Retry, which is advice


def test_aws_is_asked_with_the_session_and_says_who_said_what(monkeypatch: pytest.MonkeyPatch) -> None:
    from sfn_notebook.aws import validate

    asked: list[Any] = []

    def answer(_document: Any, session: Any = None, **more: Any) -> validate.Verdict:
        asked.append((session, more))
        return validate.Verdict(True, ())

    monkeypatch.setattr(validate, "ask", answer)
    report = StateMachine.load(BROKEN).check(aws=True, session="mine", region="eu-west-1")
    assert asked == [("mine", {"workflow_type": "STANDARD", "region": "eu-west-1"})]
    assert all(diagnostic.message.startswith("[") for diagnostic in report.diagnostics)


def test_rules_are_found_by_a_word_and_shown_with_both_examples() -> None:
    everything = rules()
    assert len(everything) == len(list(everything)) > 70
    found = rules("no_dollar")
    (entry,) = found
    assert entry.code == "NO_DOLLAR"
    assert "### " + entry.title in found.text
    assert "Right:" in found.html
    assert "<details>" in found.html
    assert entry.right.split("\n")[0].replace('"', "&quot;") in found.html
    assert found.html.count("<details>") == 1
    with pytest.raises(CommandError, match="no rule has 'nodollar' in its code or title; did you mean NO_DOLLAR"):
        rules("nodollar")


def test_a_sample_input_tells_what_cannot_be_found() -> None:
    reads = {"Type": "Pass", "InputPath": "$.order.id", "End": True}
    machine = StateMachine.load({"StartAt": "A", "States": {"A": reads}})
    assert machine.check().text.endswith("no problems found")
    (found,) = machine.check(sample={"order": {"number": 1}}).diagnostics
    assert (found.code, found.pointer) == ("DATA_CANNOT_EXIST", "/States/A/InputPath")
    assert machine.check(sample={"order": {"id": 1}}).text.endswith("no problems found")
    assert machine.check(sample=None).diagnostics


def test_a_report_breaks_messages_and_keeps_lines_of_the_definition_whole() -> None:
    report = StateMachine.load(BROKEN).check()
    assert report.html.count("pre-wrap") == len(report.diagnostics) + 1
    assert report.html.count("<pre") == len(report.diagnostics)
    assert "&quot;$.b&quot;" in report.html
