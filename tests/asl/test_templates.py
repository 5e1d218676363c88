import json
from collections.abc import Callable
from pathlib import Path

import pytest

from sfn_notebook.asl.check import check
from sfn_notebook.asl.source import ELSEWHERE, Document, documents, logical_ids, parse, read
from sfn_notebook.errors import DefinitionError, Diagnostic, Severity, caret

SAM = """\
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: {Type: String}
Resources:
  Work:
    Type: AWS::Serverless::Function
    Properties: {Handler: app.handler}
  Inline:
    Type: AWS::Serverless::StateMachine
    Properties:
      Name: !Sub "inline-${Stage}"
      DefinitionSubstitutions:
        Seconds: 5
        Table: !Ref Stage
      Definition:
        StartAt: Pause
        States:
          Pause: {Type: Wait, Seconds: "${Seconds}", Next: Call}
          Call:
            Type: Task
            Resource: !GetAtt Work.Arn
            Parameters:
              Table: ${Table}
              Stack: !Sub "${AWS::StackName}-x"
              Mode: !If [IsProd, a, b]
            Catch: [{ErrorEquals: [E], Next: Nowhere}]
            End: true
  Text:
    Type: AWS::StepFunctions::StateMachine
    Properties:
      DefinitionString: !Sub |
        {
          "StartAt": "A",
          "States": {
            "A": {"Type": "Task", "Resource": "${Work.Arn}",
                  "TimeoutSeconds": "x", "End": true}
          }
        }
  Listed:
    Type: AWS::StepFunctions::StateMachine
    Properties:
      DefinitionString: !Sub
        - '{"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "${f}", "Netx": "B", "End": true}}}'
        - f: !GetAtt Work.Arn
  Elsewhere:
    Type: AWS::Serverless::StateMachine
    Properties:
      DefinitionUri: machines/one.asl.json
      DefinitionSubstitutions: {Wait: 7}
  Far:
    Type: AWS::Serverless::StateMachine
    Properties: {DefinitionUri: "s3://bucket/key"}
  Empty:
    Type: AWS::Serverless::StateMachine
    Properties: {Name: empty}
"""


def errors(document: Document) -> list[Diagnostic]:
    return [d for d in check(document) if d.severity is Severity.ERROR]


def shown(document: Document, diagnostic: Diagnostic) -> str:
    """Give what the caret underlines."""
    line = document.text.split("\n")[diagnostic.line - 1]
    assert caret(document.text, diagnostic.line, diagnostic.column)
    return line[diagnostic.column - 1 : diagnostic.column - 1 + diagnostic.length]


def refusal(call: Callable[[], object]) -> Diagnostic:
    with pytest.raises(DefinitionError) as caught:
        call()
    (found,) = caught.value.diagnostics
    return found


def test_the_machines_of_a_template_are_listed_in_order() -> None:
    assert logical_ids(SAM) == ("Inline", "Text", "Listed", "Elsewhere", "Far", "Empty")
    assert logical_ids('{"StartAt": "A", "States": {}}') == ()


def test_an_object_keeps_its_places_and_calls_become_placeholders() -> None:
    document = parse(SAM, logical_id="Inline")
    assert document.logical_id == "Inline"
    assert document.value["States"]["Pause"]["Seconds"] == 5
    assert document.value["States"]["Call"]["Resource"] == "${Work.Arn}"
    assert document.value["States"]["Call"]["Parameters"] == {
        "Table": "${Table}",
        "Stack": "${AWS::StackName}-x",
        "Mode": "${Fn::If}",
    }
    assert [(shown(document, d), d.pointer) for d in errors(document)] == [("Nowhere", "/States/Call/Catch/0/Next")]
    assert [d for d in check(document) if d.code == "UNRESOLVED_PLACEHOLDER"] == []


def test_a_text_in_a_block_keeps_its_places() -> None:
    document = parse(SAM, logical_id="Text")
    (found,) = errors(document)
    assert (shown(document, found), found.pointer) == ('"x"', "/States/A/TimeoutSeconds")
    assert document.text.split("\n")[found.line - 1].strip().startswith('"TimeoutSeconds"')


def test_a_substitution_with_names_of_its_own() -> None:
    document = parse(SAM, logical_id="Listed")
    assert document.value["States"]["A"]["Resource"] == "${Work.Arn}"
    assert [shown(document, d) for d in errors(document)] == ['"Netx"']


def test_values_given_by_the_user_win() -> None:
    document = parse(SAM, logical_id="Inline", substitutions={"Work.Arn": "arn:aws:lambda:::function:f", "Seconds": 9})
    assert document.value["States"]["Call"]["Resource"] == "arn:aws:lambda:::function:f"
    assert document.value["States"]["Pause"]["Seconds"] == 9


def test_a_file_that_the_template_names_is_read_beside_it(tmp_path: Path) -> None:
    (tmp_path / "machines").mkdir()
    template = tmp_path / "template.yaml"
    template.write_text(SAM)
    missing = refusal(lambda: read(template, logical_id="Elsewhere"))
    assert "no file" in missing.message
    text = '{"StartAt": "A",\n "States": {"A": {"Type": "Wait", "Seconds": ${Wait}, "Nxt": "B", "End": true}}}'
    (tmp_path / "machines/one.asl.json").write_text(text)
    document = read(template, logical_id="Elsewhere")
    assert document.value["States"]["A"]["Seconds"] == 7
    assert document.text == text
    assert [(d.line, shown(document, d)) for d in errors(document)] == [(2, '"Nxt"')]


@pytest.mark.parametrize(
    ("logical_id", "message"),
    [
        (None, "6 state machines"),
        ("Far", "in S3"),
        ("Empty", "has no definition"),
        ("Elsewhere", "in another file"),
        ("Nope", 'no state machine "Nope"'),
    ],
)
def test_what_cannot_be_read_says_why(logical_id: str | None, message: str) -> None:
    found = refusal(lambda: parse(SAM, logical_id=logical_id))
    assert message in found.message
    assert found.line > 0
    assert found.hint


CDK = {
    "Resources": {
        "Machine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "DefinitionString": {
                    "Fn::Join": [
                        "",
                        [
                            '{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"arn:',
                            {"Ref": "AWS::Partition"},
                            ':states:::lambda:invoke","Parameters":{"FunctionName":"',
                            {"Fn::GetAtt": ["Work", "Arn"]},
                            '"},"TimeoutSeconds":"x","End":true}}}',
                        ],
                    ]
                }
            },
        }
    }
}


@pytest.mark.parametrize("indent", [None, 1])
def test_what_cdk_synth_writes_is_joined_and_keeps_its_places(indent: int | None) -> None:
    document = parse(json.dumps(CDK, indent=indent))
    assert document.value["States"]["A"]["Parameters"] == {"FunctionName": "${Work.Arn}"}
    (found,) = errors(document)
    assert shown(document, found) == '\\"x\\"'
    assert read(CDK).value == document.value


def test_a_cdk_asset_is_read_from_the_output_folder(tmp_path: Path) -> None:
    location = {"Bucket": {"Fn::Sub": "cdk-assets"}, "Key": "abc123.json"}
    resource = {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"DefinitionS3Location": location}}
    (tmp_path / "Stack.template.json").write_text(json.dumps({"Resources": {"M": resource}}))
    assert "in S3" in refusal(lambda: read(tmp_path / "Stack.template.json")).message
    (tmp_path / "asset.abc123.json").write_text('{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}')
    assert errors(read(tmp_path / "Stack.template.json")) == []


def test_a_broken_text_inside_a_template_is_shown_in_the_template() -> None:
    text = 'Resources:\n  M:\n    Type: AWS::StepFunctions::StateMachine\n    Properties:\n      DefinitionString: |\n        {"StartAt": "A",,\n'
    found = refusal(lambda: parse(text))
    assert (found.line, found.column, found.message) == (6, 25, "found a second comma")


def test_a_definition_that_only_a_deployment_knows() -> None:
    resource = {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"DefinitionString": {"Ref": "Definition"}}}
    assert "not in this template" in refusal(lambda: read({"Resources": {"M": resource}})).message


CONDITION = """\
Resources:
  M:
    Type: AWS::StepFunctions::StateMachine
    Properties:
      DefinitionString: !If
        - IsProduction
        - '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}'
        - !If
          - IsTest
          - !Sub '{"StartAt": "B", "States": {"A": {"Type": "Succeed"}}}'
          - !Ref AWS::NoValue
"""


def test_a_definition_that_depends_on_a_condition_is_read_in_each_form(tmp_path: Path) -> None:
    found = refusal(lambda: parse(CONDITION))
    assert "depends on a condition" in found.message
    assert found.line == 5
    path = tmp_path / "template.yaml"
    path.write_text(CONDITION)
    (one, good), (other, bad) = documents(path)
    assert (one, other) == ("M", "M")
    assert isinstance(good, Document)
    assert isinstance(bad, Document)
    assert errors(good) == []
    assert next((d.line, shown(bad, d)) for d in errors(bad)) == (10, '"B"')


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ("DefinitionS3Location: {Bucket: b, Key: k}", ELSEWHERE),
        ("DefinitionUri: {Bucket: b, Key: k}", ELSEWHERE),
        ("DefinitionString: !ImportValue shared", ELSEWHERE),
        ("DefinitionString: !Sub '${Definition}'", ELSEWHERE),
        ("Definition: {'Fn::Transform': {Name: 'AWS::Include', Parameters: {Location: s3://b/k}}}", ELSEWHERE),
        ("DefinitionString: !If [Some, !Ref AWS::NoValue, !ImportValue shared]", ELSEWHERE),
        ("DefinitionString: hello", "NO_STATE_MACHINE"),
        ("DefinitionString: 5", "NO_STATE_MACHINE"),
        ("DefinitionUri: 5", "NO_STATE_MACHINE"),
        ("Definition: []", "NO_STATE_MACHINE"),
        ("RoleArn: r", "NO_STATE_MACHINE"),
    ],
)
def test_what_only_a_deployment_knows_is_told_apart_from_what_is_wrong(
    tmp_path: Path, properties: str, code: str
) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(
        f"Resources:\n  M:\n    Type: AWS::StepFunctions::StateMachine\n    Properties:\n      {properties}\n"
    )
    ((one, found),) = documents(path)
    assert one == "M"
    assert isinstance(found, DefinitionError)
    assert [d.code for d in found.diagnostics] == [code]


def test_the_workflow_type_of_a_template_is_known() -> None:
    body = "Definition: {StartAt: A, States: {A: {Type: Succeed}}}"
    for kind, name, wanted in [
        ("AWS::StepFunctions::StateMachine", "StateMachineType", "EXPRESS"),
        ("AWS::Serverless::StateMachine", "Type", "EXPRESS"),
        ("AWS::Serverless::StateMachine", "Other", None),
    ]:
        text = f"Resources:\n  M:\n    Type: {kind}\n    Properties:\n      {name}: EXPRESS\n      {body}\n"
        assert parse(text).workflow_type == wanted
    serverless = f"stepFunctions:\n  stateMachines:\n    m:\n      type: express\n      {body.replace('Definition', 'definition')}\n"
    assert parse(serverless).workflow_type == "EXPRESS"


def test_a_template_without_machines_and_tags_in_a_plain_definition() -> None:
    assert "no state machine" in refusal(lambda: parse("Resources:\n  A: {Type: AWS::S3::Bucket}\n")).message
    assert "!Sub" in refusal(lambda: parse("StartAt: !Sub x\nStates: {}\n")).message


def test_serverless_framework() -> None:
    text = (
        "service: shop\nstepFunctions:\n  stateMachines:\n    hello:\n      definition:\n        StartAt: A\n        States:\n"
        "          A:\n            Type: Task\n            Resource:\n              Fn::GetAtt: [work, Arn]\n            Nxt: B\n"
        "            End: true\n"
    )
    document = parse(text)
    assert document.logical_id == "hello"
    assert [(d.line, shown(document, d)) for d in errors(document)] == [(12, "Nxt")]


def test_a_serverless_definition_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "serverless.yml").write_text(
        "stepFunctions:\n  stateMachines:\n    m:\n      definition: ${file(m.yml)}\n"
    )
    (tmp_path / "m.yml").write_text("StartAt: A\nStates:\n  A: {Type: Succeed}\n")
    assert read(tmp_path / "serverless.yml").value["StartAt"] == "A"


def test_keys_given_twice_are_told_in_the_template_too() -> None:
    text = (
        "Resources:\n  M:\n    Type: AWS::Serverless::StateMachine\n    Properties:\n      Definition:\n        StartAt: A\n"
        "        StartAt: A\n        States:\n          A: {Type: Succeed}\n"
    )
    assert [(d.line, d.column, d.code) for d in check(parse(text))] == [(7, 9, "DUPLICATE_KEY")]


# --- notebooks ---


def notebook(*sources: object) -> str:
    cells = [{"cell_type": "code", "source": source} for source in sources]
    return json.dumps(
        {"nbformat": 4, "metadata": {}, "cells": [{"cell_type": "markdown", "source": "%%sfn no"}, *cells]}
    )


def test_the_cells_of_a_notebook_are_machines_with_lines_of_the_cell() -> None:
    text = notebook("x = 1", ["%%sfn one --strict\n", '{"StartAt": "B",\n', ' "States": {"A": {"Type": "Succeed"}}}'])
    assert logical_ids(text) == ("one",)
    document = parse(text, name="book.ipynb")
    assert document.name == "book.ipynb, cell 3"
    assert next((d.line, shown(document, d)) for d in errors(document)) == (2, '"B"')


def test_the_last_cell_of_a_name_counts_and_several_need_a_choice() -> None:
    text = notebook('%%sfn one\n{"StartAt": 1}', "%%sfn two\nStartAt: A", '%%sfn one\n{"StartAt": 2}')
    assert parse(text, logical_id="one").value == {"StartAt": 2}
    assert parse(text, logical_id="two").value == {"StartAt": "A"}
    assert "2 machines" in refusal(lambda: parse(text)).message
    assert 'no state machine "three"' in refusal(lambda: parse(text, logical_id="three")).message
    assert "no %%sfn cell" in refusal(lambda: parse(notebook("x"))).message


# --- one definition with more than JSON in it ---


def test_comments_are_a_warning_and_leave_every_place_as_it_is() -> None:
    text = '{// one\n"StartAt": "A", /* two\n */ "States": {"A": {"Type": "Wait", "Seconds": "x", "End": true}}, "Comment": "// no"}'
    document = parse(text)
    assert document.value["Comment"] == "// no"
    assert [(d.line, d.column, d.code) for d in check(document)] == [
        (1, 2, "JSON_COMMENT"),
        (3, text.split("\n")[2].index('"x"') + 1, "SCHEMA_VALIDATION_FAILED"),
    ]


def test_bare_placeholders_are_placeholders_until_they_are_filled_in() -> None:
    text = '{"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": ${Seconds}, "End": true}}}'
    assert [(d.code, d.column) for d in check(parse(text))] == [("UNRESOLVED_PLACEHOLDER", text.index("${") + 1)]
    document = parse(text, substitutions={"Seconds": -1})
    assert document.text == text
    assert [(d.column, d.message) for d in check(document)] == [
        (text.index("${") + 1, "Seconds must be at least 0, found -1")
    ]


def test_a_number_takes_the_place_of_a_quoted_placeholder() -> None:
    text = '{"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": "${S}", "Comment": "${S} s", "Nxt": 1, "End": true}}}'
    document = parse(text, substitutions={"S": 10})
    assert document.value["States"]["A"]["Seconds"] == 10
    assert document.value["States"]["A"]["Comment"] == "10 s"
    assert [d.column for d in check(document)] == [text.index('"Nxt"') + 1]
