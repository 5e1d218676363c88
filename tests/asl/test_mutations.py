"""Every field of a few valid definitions, deleted, renamed, retyped or repeated: what the field table refuses is always told."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfn_notebook.asl.check import check
from sfn_notebook.asl.fields import Field, fields_of
from sfn_notebook.asl.rule import Machine
from sfn_notebook.asl.rulebook import BOOK
from sfn_notebook.asl.source import from_value, parse
from sfn_notebook.errors import Json, Severity

DISTRIBUTED: dict[str, Any] = {
    "Comment": "a Distributed Map with everything",
    "StartAt": "Each",
    "Version": "1.0",
    "States": {
        "Each": {
            "Type": "Map",
            "Label": "rows",
            "MaxConcurrency": 10,
            "ToleratedFailurePercentage": 5,
            "ItemReader": {
                "Resource": "arn:aws:states:::s3:getObject",
                "Parameters": {"Bucket": "b", "Key.$": "$.key"},
                "ReaderConfig": {
                    "InputType": "CSV",
                    "CSVHeaderLocation": "GIVEN",
                    "CSVHeaders": ["a", "b"],
                    "CSVDelimiter": "PIPE",
                    "MaxItems": 100,
                },
            },
            "ItemSelector": {"row.$": "$$.Map.Item.Value"},
            "ItemBatcher": {"MaxItemsPerBatch": 10, "BatchInput": {"a": 1}},
            "ResultWriter": {
                "Resource": "arn:aws:states:::s3:putObject",
                "Parameters": {"Bucket": "b", "Prefix": "p"},
                "WriterConfig": {"Transformation": "COMPACT", "OutputType": "JSONL"},
            },
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                "StartAt": "One",
                "States": {"One": {"Type": "Wait", "TimestampPath": "$.until", "End": True}},
            },
            "Retry": [{"ErrorEquals": ["E"], "MaxDelaySeconds": 60, "JitterStrategy": "FULL"}],
            "ResultPath": "$.out",
            "Next": "Stop",
        },
        "Stop": {"Type": "Fail", "ErrorPath": "$.e", "Cause": "c"},
    },
}
JSONATA: dict[str, Any] = {
    "QueryLanguage": "JSONata",
    "StartAt": "Call",
    "States": {
        "Call": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage",
            "Arguments": {"QueueUrl": "q", "MessageBody": "{% $states.input.body %}"},
            "Assign": {"id": "{% $states.result.MessageId %}"},
            "Output": "{% $states.input %}",
            "TimeoutSeconds": "{% 5 + 5 %}",
            "HeartbeatSeconds": 5,
            "Catch": [{"ErrorEquals": ["States.ALL"], "Output": "{% $states.errorOutput %}", "Next": "Pick"}],
            "Next": "Pick",
        },
        "Pick": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $states.input.n = 1 %}", "Next": "Both", "Assign": {"n": 1}}],
            "Default": "Each",
        },
        "Both": {
            "Type": "Parallel",
            "Arguments": {"a": 1},
            "Branches": [{"StartAt": "In", "States": {"In": {"Type": "Succeed", "Output": 1}}}],
            "Output": {"items": []},
            "Next": "Each",
        },
        "Each": {
            "Type": "Map",
            "Items": "{% $states.input.items %}",
            "ItemSelector": {"v": "{% $states.context.Map.Item.Value %}"},
            "ItemProcessor": {"StartAt": "One", "States": {"One": {"Type": "Wait", "Seconds": "{% 1 %}", "End": True}}},
            "Output": {"all": "{% $states.result %}"},
            "End": True,
        },
    },
}
VALID = {"distributed": DISTRIBUTED, "jsonata": JSONATA}
WRONG: dict[str, Json] = {
    "string": 5, "boolean": "x", "integer": 1.5, "number": "x", "object": [], "array": {}, "collection": 5, "state": 5,
    "path": 5, "reference": 5, "single": 5, "items": 5, "expression": 5, "template": [], "payload": None, "timestamp": 5, "strings": {},
}  # fmt: skip
"""A value that no field of that kind takes."""


def fields() -> Iterator[tuple[str, str, str, Field]]:
    """Give every known field that is set: which definition, pointer of its holder, kind of that, the field."""
    for name, value in VALID.items():
        for thing in Machine(from_value(value)).things:
            for key in thing.body:
                yield name, thing.pointer, thing.kind, fields_of(thing.kind, thing.language)[key]


FIELDS = list(fields())
EVERY = pytest.mark.parametrize(
    ("name", "holder", "kind", "field"), FIELDS, ids=[f"{n}{p}/{f.name}" for n, p, _, f in FIELDS]
)


def holder_of(value: Json, pointer: str) -> Any:
    for step in pointer.split("/")[1:]:
        value = value[int(step)] if isinstance(value, list) else value[step.replace("~1", "/").replace("~0", "~")]
    return value


def test_the_definitions_are_valid() -> None:
    assert {name: [str(d) for d in check(from_value(value))] for name, value in VALID.items()} == {
        "distributed": [],
        "jsonata": [],
    }


@EVERY
def test_a_field_that_is_missing_is_told_where_the_table_needs_it(
    name: str, holder: str, kind: str, field: Field
) -> None:
    value = copy.deepcopy(VALID[name])
    del holder_of(value, holder)[field.name]
    found = [d for d in check(from_value(value)) if d.severity is Severity.ERROR]
    if field.required:
        assert any(d.pointer == holder and f"[{field.name}]" in d.message for d in found)


@EVERY
def test_a_field_that_is_renamed_is_told_at_its_new_name(name: str, holder: str, kind: str, field: Field) -> None:
    value = copy.deepcopy(VALID[name])
    body = holder_of(value, holder)
    body[field.name + "x"] = body.pop(field.name)
    found = check(from_value(value))
    wanted = holder if field.name == "Type" else f"{holder}/{field.name}x"
    assert any(d.pointer == wanted for d in found)
    assert any(d.severity is Severity.ERROR for d in found)


@EVERY
def test_a_value_of_another_type_is_told_at_its_place(name: str, holder: str, kind: str, field: Field) -> None:
    if field.kind == "any":
        return
    value = copy.deepcopy(VALID[name])
    holder_of(value, holder)[field.name] = WRONG[field.kind]
    found = [d for d in check(from_value(value)) if d.severity is Severity.ERROR]
    assert any(d.pointer == f"{holder}/{field.name}" for d in found)


@EVERY
def test_a_field_that_stands_twice_is_told(name: str, holder: str, kind: str, field: Field) -> None:
    document = from_value(VALID[name])
    place = document.key_spans[f"{holder}/{field.name}"]
    lines = document.text.split("\n")
    lines[place.line - 1] = lines[place.line - 1].replace(f'"{field.name}"', f'"{field.name}": 5, "{field.name}"', 1)
    found = check(parse("\n".join(lines)))
    assert any("stands twice" in d.message and d.pointer == f"{holder}/{field.name}" for d in found)


@settings(max_examples=150)
@given(st.data())
def test_no_example_of_the_table_crashes_when_any_value_in_it_is_swapped_for_another(data: st.DataObject) -> None:
    entry = data.draw(st.sampled_from([entry for entry in BOOK if len(entry.right) < 5000]))
    value = json.loads(entry.right)
    places = list(_places(value))
    holder, key = data.draw(st.sampled_from(places))
    other_holder, other_key = data.draw(st.sampled_from(places))
    holder[key] = copy.deepcopy(other_holder[other_key])
    document = from_value(value)
    for found in check(document, workflow_type=entry.workflow_type):
        assert 1 <= found.line <= document.text.count("\n") + 1


def _places(value: Json) -> Iterator[tuple[Any, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(items):
        yield value, key
        yield from _places(inner)
