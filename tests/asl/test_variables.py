"""Which variables states refer to, in both query languages."""

from __future__ import annotations

from typing import Any

import pytest

from sfn_notebook.asl.variables import variable_references


def references(state: dict[str, Any], **top: Any) -> list[str]:
    return variable_references({"StartAt": "S", "States": {"S": state}, **top}).get("S", [])


@pytest.mark.parametrize(
    "field",
    ["InputPath", "OutputPath", "ItemsPath", "SecondsPath", "MaxConcurrencyPath", "CausePath", "TimeoutSecondsPath"],
)
def test_every_field_that_ends_in_path_may_hold_a_variable(field: str) -> None:
    assert references({"Type": "Pass", field: "$held.deep[0]"}) == ["held"]


@pytest.mark.parametrize("path", ["$", "$.a", "$$", "$$.Execution.Id", "no path", None, 5])
def test_paths_into_the_input_or_the_context_object_are_no_references(path: Any) -> None:
    assert references({"Type": "Pass", "InputPath": path}) == []


def test_a_result_path_names_a_place_and_no_variable() -> None:
    assert references({"Type": "Task", "ResultPath": "$place.a"}) == []


def test_only_keys_that_end_in_dollar_refer_to_variables_in_a_template() -> None:
    template = {
        "a.$": "$one",
        "b": "$literal",
        "c": [{"d.$": "States.Format('{} {}', $two, $.x)"}],
        "ResultPath.$": "$three",
    }
    assert references({"Type": "Pass", "Parameters": template}) == ["one", "three", "two"]


def test_result_and_comment_are_data() -> None:
    assert references({"Type": "Pass", "Result": {"a.$": "$no", "InputPath": "$no"}, "Comment": "$no"}) == []


def test_rules_of_a_choice_count_however_deep_they_are() -> None:
    rule = {
        "And": [{"Not": {"Variable": "$left", "IsPresent": True}}, {"Variable": "$.x", "StringEqualsPath": "$right"}]
    }
    assert references({"Type": "Choice", "Choices": [{**rule, "Next": "S", "Assign": {"n.$": "$n"}}]}) == [
        "left",
        "n",
        "right",
    ]


def test_catchers_readers_and_batchers_count() -> None:
    state = {
        "Type": "Map",
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "S", "ResultPath": "$.error", "Assign": {"e.$": "$caught"}}],
        "ItemReader": {"ReaderConfig": {"MaxItemsPath": "$most"}, "Parameters": {"Bucket.$": "$bucket"}},
        "ItemBatcher": {"BatchInput": {"k.$": "$shared"}, "MaxItemsPerBatchPath": "$size"},
    }
    assert references(state) == ["bucket", "caught", "most", "shared", "size"]


def test_states_inside_stand_for_themselves() -> None:
    inner = {"StartAt": "In", "States": {"In": {"Type": "Pass", "InputPath": "$outer", "End": True}}}
    definition = {
        "StartAt": "P",
        "States": {
            "P": {"Type": "Parallel", "Branches": [inner]},
            "M": {"Type": "Map", "Iterator": {"States": {"Deep": {"InputPath": "$d"}}}},
        },
    }
    assert variable_references(definition) == {"In": ["outer"], "Deep": ["d"]}


def test_expressions_of_a_jsonata_state_count_wherever_they_stand() -> None:
    state = {
        "Type": "Task",
        "Arguments": {
            "a": ["{% $list[0].x %}", "$text"],
            "b": "{% ($own := 1; $own + $count($states.input) + $sum) %}",
        },
        "TimeoutSeconds": "{% $seconds %}",
        "Catch": [{"ErrorEquals": ["States.ALL"], "Output": "{% $states.errorOutput.Cause & $suffix %}", "Next": "S"}],
    }
    assert references(state, QueryLanguage="JSONata") == ["list", "seconds", "suffix"]


def test_the_language_of_a_map_is_not_that_of_the_states_inside() -> None:
    inner = {"StartAt": "In", "States": {"In": {"Type": "Pass", "InputPath": "$path", "Output": "{% $no %}"}}}
    state = {"Type": "Map", "QueryLanguage": "JSONata", "Items": "{% $items %}", "ItemProcessor": inner}
    assert variable_references({"StartAt": "S", "States": {"S": state}}) == {"S": ["items"], "In": ["path"]}


@pytest.mark.parametrize(
    "definition", [{}, {"States": []}, {"States": {"S": None}}, {"States": {"S": {"Branches": 5, "Iterator": []}}}]
)
def test_what_is_no_definition_has_no_references(definition: dict[str, Any]) -> None:
    assert variable_references(definition) == {}


def test_an_expression_that_cannot_be_read_counts_for_nothing() -> None:
    assert references({"Type": "Pass", "InputPath": "$[", "OutputPath": "$ok"}) == ["ok"]
    assert references({"Type": "Pass", "Output": "{% $a + %}"}, QueryLanguage="JSONata") == []
