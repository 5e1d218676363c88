"""Where a machine may come from: templates with several machines, an ARN; and how it is written again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sfn_notebook import DefinitionError, StateMachine, cli
from sfn_notebook.api import verbs

TEMPLATE = """\
AWSTemplateFormatVersion: "2010-09-09"
Resources:
  Orders:
    Type: AWS::Serverless::StateMachine
    Properties:
      Type: EXPRESS
      DefinitionSubstitutions:
        Target: Done
      Definition:
        StartAt: Begin
        States:
          Begin: {Type: Pass, Next: "${Target}"}
          Done: {Type: Succeed}
  Refunds:
    Type: AWS::StepFunctions::StateMachine
    Properties:
      DefinitionString: !Sub |
        {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "Nowhere"}}}
"""


@pytest.fixture
def template(tmp_path: Path) -> Path:
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE)
    return path


def test_a_machine_of_a_template_is_named_by_its_logical_id(template: Path) -> None:
    machine = StateMachine.load(template, logical_id="Orders")
    assert (machine.name, machine.errors) == ("Orders", [])
    assert machine.source == TEMPLATE
    assert machine.run({"n": 1}).output == {"n": 1}


def test_positions_of_a_machine_in_a_template_point_into_the_template(template: Path) -> None:
    found = StateMachine.load(template, logical_id="Refunds").errors
    assert any(error.code == "MISSING_TRANSITION_TARGET" and error.line == 18 for error in found)


def test_a_template_with_several_machines_asks_which(template: Path) -> None:
    with pytest.raises(DefinitionError, match="Orders"):
        StateMachine.load(template)


def test_check_reports_on_every_machine_of_a_template(template: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reports = verbs.check_file(str(template))
    assert [report.ok for report in reports] == [True, False]
    assert cli.main(["check", str(template), "--format", "json"]) == 2
    assert len(json.loads(capsys.readouterr().out)) == 2


def test_an_arn_is_asked_of_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    from sfn_notebook.aws import fetch

    asked: list[Any] = []

    class Found:
        text = '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}'

    def answer(arn: str, session: Any) -> type[Found]:
        asked.append((arn, session))
        return Found

    monkeypatch.setattr(fetch, "fetch_definition", answer)
    arn = "arn:aws:states:us-east-1:123456789012:stateMachine:orders"
    machine = StateMachine.load(arn, session="mine")
    assert (machine.name, list(machine.definition["States"])) == ("orders", ["A"])
    assert asked == [(arn, "mine")]


def test_what_is_written_as_json_or_yaml_reads_the_same() -> None:
    machine = StateMachine.load(
        {"StartAt": "on", "States": {"on": {"Type": "Wait", "Timestamp": "2026-01-01T00:00:00Z", "End": True}}}
    )
    for text in (machine.to_json(), machine.to_yaml()):
        assert StateMachine.load(text).definition == machine.definition
        assert list(StateMachine.load(text).definition) == ["StartAt", "States"]


SYNC = (
    '{"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "arn:aws:states:::ecs:runTask.sync", "End": true}}}'
)
SEVERAL = """\
Resources:
  Broken:
    Type: AWS::StepFunctions::StateMachine
    Properties:
      DefinitionString: '{"StartAt": }'
  Far:
    Type: AWS::StepFunctions::StateMachine
    Properties:
      DefinitionS3Location: {Bucket: b, Key: k}
  Beside:
    Type: AWS::Serverless::StateMachine
    Properties:
      DefinitionUri: sub/m.asl.yaml
  Wrong:
    Type: AWS::StepFunctions::StateMachine
    Properties:
      DefinitionString: '{"StartAt": "B", "States": {"A": {"Type": "Succeed"}}}'
"""


@pytest.fixture
def several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    Path("sub").mkdir()
    Path("sub/m.asl.yaml").write_text("StartAt: A\nStates:\n  A: {Type: Succed}\n")
    Path("t.yaml").write_text(SEVERAL)
    return "t.yaml"


def test_a_machine_that_cannot_be_read_does_not_hide_the_others(several: str) -> None:
    reports = verbs.check_file(several)
    assert [(report.name, report.errors, report.warnings) for report in reports] == [
        ("t.yaml (Broken)", 1, 0),
        ("t.yaml (Far)", 0, 1),
        ("sub/m.asl.yaml (Beside)", 1, 0),
        ("t.yaml (Wrong)", 2, 0),
    ]
    assert reports[1].ok
    assert "cannot be checked here" in reports[1].text


def test_annotations_name_files_and_machines(several: str) -> None:
    heads = [report.as_github().partition("::")[2].partition("::")[0] for report in verbs.check_file(several)]
    assert heads[0].startswith("error file=t.yaml,line=5,col=")
    assert heads[0].endswith(",title=INVALID_JSON_DESCRIPTION in Broken")
    assert heads[2] == "error file=sub/m.asl.yaml,line=3,col=13,title=SCHEMA_VALIDATION_FAILED in Beside"


@pytest.mark.parametrize("indent", [1, None])
def test_annotations_of_a_notebook_have_the_lines_of_its_file(tmp_path: Path, indent: int | None) -> None:
    one = ["%%sfn one\n", '{"StartAt": "A",\n', ' "States": {"A": {"Type": "Succed"}}}']
    sources = ["x = 1", "%%sfn two\n{", one]
    cells = [{"cell_type": "code", "source": source} for source in sources]
    path = tmp_path / "n.ipynb"
    path.write_text(json.dumps({"nbformat": 4, "cells": cells}, indent=indent))
    lines = path.read_text().split("\n")
    two, first = verbs.check_file(str(path))
    wanted = next(i for i, line in enumerate(lines, 1) if "Succed" in line)
    assert first.as_github().startswith(f"::error file={path},line={wanted},title=SCHEMA_VALIDATION_FAILED in one::")
    wanted = next(i for i, line in enumerate(lines, 1) if "%%sfn two" in line)
    assert two.as_github().startswith(f"::error file={path}")
    assert (first.name, two.name) == (f"{path}, cell 3 (one)", f"{path}, cell 2 (two)")


def test_the_workflow_type_of_a_template_or_of_the_command_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    template = tmp_path / "t.yaml"
    template.write_text(
        "Resources:\n  M:\n    Type: AWS::StepFunctions::StateMachine\n    Properties:\n      StateMachineType: EXPRESS\n"
        f"      DefinitionString: '{SYNC}'\n"
    )
    (report,) = verbs.check_file(str(template))
    assert "does not support '.sync'" in report.text
    assert StateMachine.load(template).errors != []
    assert verbs.check_file(str(template), workflow_type="STANDARD")[0].ok
    plain = tmp_path / "m.json"
    plain.write_text(SYNC)
    assert cli.main(["check", str(plain)]) == 0
    assert cli.main(["check", str(plain), "--type", "express"]) == 2
    assert "does not support '.sync'" in capsys.readouterr().out


def test_aws_is_asked_about_the_workflow_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sfn_notebook.aws import validate

    asked: list[Any] = []

    def answer(_document: Any, _session: Any = None, *, workflow_type: str) -> validate.Verdict:
        asked.append(workflow_type)
        return validate.Verdict(True, ())

    monkeypatch.setattr(validate, "ask", answer)
    path = tmp_path / "m.json"
    path.write_text(SYNC)
    verbs.check_file(str(path), aws={})
    verbs.check_file(str(path), aws={}, workflow_type="EXPRESS")
    assert asked == ["STANDARD", "EXPRESS"]
