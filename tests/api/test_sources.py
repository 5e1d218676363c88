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
