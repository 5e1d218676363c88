"""Stages of one visit: which there are, and that they agree with what a run does."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfn_notebook.engine.execution import Engine
from sfn_notebook.engine.frames import Frame
from sfn_notebook.engine.inspect import MISSING, Inspection, inspect_state
from sfn_notebook.engine.limits import Limits, Names
from sfn_notebook.engine.program import compile_program
from sfn_notebook.lang.environment import EvaluationFailure

LAMBDA = "arn:aws:states:::lambda:invoke"
PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}


def frame_for(state: dict[str, Any], data: Any, **variables: Any) -> Frame:
    program = compile_program({"StartAt": "S", "States": {"S": {"End": True, **state}}})
    engine = Engine(program, data, Names("m", "e"), Limits.of("STANDARD"), 1_735_689_600_000, 1)
    engine.root.variables = variables
    return engine.root


def look(state: dict[str, Any], data: Any, result: Any = MISSING, read: Any = None, **variables: Any) -> Inspection:
    frame = frame_for(state, data, **variables)
    return inspect_state(frame.state, frame, result, read=read)


def test_a_task_shows_every_stage_in_order() -> None:
    state = {
        "Type": "Task",
        "Resource": LAMBDA,
        "InputPath": "$.in",
        "Parameters": {"x.$": "$.v", "held.$": "$held"},
        "ResultSelector": {"y.$": "$.Payload"},
        "ResultPath": "$.got",
        "OutputPath": "$.got.y",
    }
    found = look(state, {"in": {"v": 1}}, {"Payload": [2], "StatusCode": 200}, held="h")
    assert list(found.stages.items()) == [
        ("input", {"in": {"v": 1}}),
        ("afterInputPath", {"v": 1}),
        ("afterParameters", {"x": 1, "held": "h"}),
        ("result", {"Payload": [2], "StatusCode": 200}),
        ("afterResultSelector", {"y": [2]}),
        ("afterResultPath", {"in": {"v": 1}, "got": {"y": [2]}}),
    ]
    assert found.output == [2]
    assert found.raised is None


def test_a_task_without_a_result_stops_before_it() -> None:
    found = look({"Type": "Task", "Resource": LAMBDA, "Parameters": {"a": 1}}, {})
    assert found.stages == {"input": {}, "afterInputPath": {}, "afterParameters": {"a": 1}}
    assert found.output is MISSING


def test_a_literal_result_of_a_pass_state_leaves_out_the_input_side() -> None:
    found = look({"Type": "Pass", "InputPath": "$.not.there", "Result": {"r": 1}, "ResultPath": "$.at"}, {"a": 0})
    assert found.stages == {
        "input": {"a": 0},
        "result": {"r": 1},
        "afterResultSelector": {"r": 1},
        "afterResultPath": {"a": 0, "at": {"r": 1}},
    }


def test_null_paths_give_an_empty_object_and_drop_the_result() -> None:
    found = look({"Type": "Pass", "InputPath": None, "ResultPath": None, "OutputPath": None}, {"a": 0})
    assert found.stages["afterInputPath"] == {}
    assert found.stages["afterResultPath"] == {"a": 0}
    assert found.output == {}


def test_a_stage_that_fails_ends_the_list_and_says_why() -> None:
    found = look(
        {"Type": "Task", "Resource": LAMBDA, "InputPath": "$.a", "Parameters": {"x.$": "$.none"}}, {"a": {}}, {"r": 1}
    )
    assert found.stages == {"input": {"a": {}}, "afterInputPath": {}}
    assert isinstance(found.raised, EvaluationFailure)
    assert "$.none" in found.raised.message


@pytest.mark.parametrize("kind", ["Succeed", "Fail"])
def test_states_that_end_show_their_input_path(kind: str) -> None:
    assert look({"Type": kind}, 5).stages == {"input": 5, "afterInputPath": 5}


def test_a_jsonata_task_shows_its_arguments() -> None:
    state = {
        "Type": "Task",
        "QueryLanguage": "JSONata",
        "Resource": LAMBDA,
        "Arguments": {"x": "{% $states.input.v + $held %}"},
        "Output": "{% $states.result.Payload * 2 %}",
    }
    found = look(state, {"v": 1}, {"Payload": 21}, held=2)
    assert found.stages == {"input": {"v": 1}, "afterArguments": {"x": 3}, "result": {"Payload": 21}}
    assert found.output == 42


def test_a_jsonata_failure_names_its_field() -> None:
    found = look({"Type": "Pass", "QueryLanguage": "JSONata", "Output": {"a": "{% $none %}"}}, {})
    assert found.stages == {"input": {}}
    assert isinstance(found.raised, EvaluationFailure)
    assert "'Output/a'" in found.raised.message


# ---- Map


def map_state(**fields: Any) -> dict[str, Any]:
    return {"Type": "Map", "ItemProcessor": {**PASS, **fields.pop("processor", {})}, **fields}


DISTRIBUTED = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}


@pytest.mark.parametrize("processor", [{}, DISTRIBUTED])
def test_a_map_shows_items_selected_inputs_and_its_numbers(processor: dict[str, Any]) -> None:
    state = map_state(
        processor=processor,
        ItemsPath="$.list",
        ItemSelector={"n.$": "$$.Map.Item.Index", "v.$": "$$.Map.Item.Value", "k.$": "$.k"},
        MaxConcurrencyPath="$.most",
    )
    found = look(state, {"list": ["a", "b"], "k": 7, "most": "3"}, ["x", "y"])
    assert found.stages["afterItemsPath"] == ["a", "b"]
    assert found.stages["afterItemSelector"] == [{"n": 0, "v": "a", "k": 7}, {"n": 1, "v": "b", "k": 7}]
    assert found.stages["maxConcurrency"] == 3
    assert found.iterations == 2
    assert found.output == ["x", "y"]


def test_items_that_are_no_array_end_the_list() -> None:
    found = look(map_state(ItemsPath="$.x"), {"x": 1})
    assert found.stages == {"input": {"x": 1}, "afterInputPath": {"x": 1}}
    assert isinstance(found.raised, EvaluationFailure)


def test_a_distributed_map_tolerates_and_batches() -> None:
    state = map_state(
        processor=DISTRIBUTED,
        ItemBatcher={"MaxItemsPerBatch": 2, "BatchInput": {"shared.$": "$.s"}},
        ItemsPath="$.list",
        ToleratedFailureCount=1,
        ToleratedFailurePercentage=50,
    )
    found = look(state, {"list": [1, 2, 3], "s": "k"})
    assert found.stages["afterItemBatcher"] == [
        {"BatchInput": {"shared": "k"}, "Items": [1, 2]},
        {"BatchInput": {"shared": "k"}, "Items": [3]},
    ]
    assert found.stages["toleratedFailureCount"] == 1
    assert found.stages["toleratedFailurePercentage"] == 50
    assert found.iterations == 3


def test_what_a_reader_finds_is_asked_for_with_its_fields_evaluated() -> None:
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "Parameters": {"Bucket.$": "$.bucket"},
        "ReaderConfig": {"InputType": "JSON", "ItemsPointer": "/a", "MaxItemsPath": "$.most"},
    }
    state = map_state(processor=DISTRIBUTED, ItemReader=reader, ItemSelector={"v.$": "$$.Map.Item.Value"})
    calls: list[Any] = []

    def read(call: dict[str, Any]) -> list[Any]:
        calls.append(call)
        return [1, 2]

    found = look(state, {"bucket": "b", "most": 5}, read=read)
    assert calls[0]["Arguments"] == {"Bucket": "b"}
    assert calls[0]["ReaderConfig"]["MaxItems"] == 5
    assert found.stages["afterItemsPointer"] == [1, 2]
    assert found.stages["afterItemSelector"] == [{"v": 1}, {"v": 2}]
    assert found.iterations == 2
    assert "afterItemsPath" not in found.stages


def test_a_reader_that_nobody_answers_leaves_the_items_unknown() -> None:
    reader = {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "JSON"}}
    found = look(map_state(processor=DISTRIBUTED, ItemReader=reader, MaxConcurrency=2), {})
    assert found.iterations is None
    assert found.stages == {"input": {}, "afterInputPath": {}, "maxConcurrency": 2}


# ---- laws

PLACES = st.sampled_from(["$", "$.a", "$.a.b", "$.new", "$.a.new.deep", None])
READS = st.sampled_from(["$", "$.a", "$.a.b", "$.c[0]", "$.c[*]", "$held", None])
TEMPLATES = st.sampled_from([{"k.$": "$.a", "l": 1}, {"m.$": "States.Array($.a, $held)"}, {"n.$": "$"}, {}, 5])
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "InputPath": READS,
        "OutputPath": READS,
        "ResultPath": PLACES,
        "Parameters": TEMPLATES,
        "Result": TEMPLATES,
    },
)
DATA = st.fixed_dictionaries({"a": st.fixed_dictionaries({"b": st.integers()}), "c": st.lists(st.text(), max_size=2)})


@given(fields=FIELDS, data=DATA)
def test_the_inspection_of_a_pass_state_ends_where_a_run_ends(fields: dict[str, Any], data: Any) -> None:
    state = {"Type": "Pass", **fields}
    found = look(state, data, held={"h": 1})
    frame = frame_for(state, data, held={"h": 1})
    frame.engine.drain()
    if found.raised is None:
        assert (frame.engine.status, frame.engine.output) == ("SUCCEEDED", found.output)
    else:
        assert frame.engine.status == "FAILED"
