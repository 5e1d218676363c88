"""Data between states: paths, templates, intrinsic functions and the context object, as whole states show them; nothing is shared."""

import copy
import re
from typing import Any

import pytest

from sfn_notebook import Execution, StateMachine

DATA = {"a": {"b": [1, 2, {"c": 3}]}, "n": 5, "s": "text", "none": None, "list": [{"k": 1}, {"k": 2}]}


def run(*states: dict[str, Any], data: Any = DATA, **options: Any) -> Execution:
    named = {f"S{n}": {**state, "Next": f"S{n + 1}"} for n, state in enumerate(states)}
    machine = StateMachine.load(
        {"StartAt": "S0", "States": {**named, f"S{len(states)}": {"Type": "Succeed"}}}, name="orders"
    )
    return machine.run(data, seed=1, name="run-1", **options)


def output(state: dict[str, Any], data: Any = DATA) -> Any:
    execution = run({"Type": "Pass", **state}, data=data)
    assert execution.status == "SUCCEEDED", execution.cause
    return execution.output


# ---- paths


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$", DATA),
        (None, {}),
        ("$.a.b[2].c", 3),
        ("$['a']['b'][0]", 1),
        ("$.none", None),
        ("$.list[*].k", [1, 2]),
        ("$.a.b[0:2]", [1, 2]),
        ("$.list[?(@.k > 1)]", [{"k": 2}]),
        ("$..k", [1, 2]),
        ("$.absent[*]", []),
        ("$$.Execution.Input.n", 5),
        ("$$.State.Name", "S0"),
    ],
)
def test_input_path_and_output_path_give_the_value_or_all_that_match(path: str | None, value: Any) -> None:
    assert output({"InputPath": path}) == value
    assert output({"OutputPath": path}) == value


@pytest.mark.parametrize(
    ("data", "path", "expected"),
    [
        ({"k": 1}, "$", "R"),
        ({"k": 1}, None, {"k": 1}),
        ({"k": 1}, "$.r", {"k": 1, "r": "R"}),
        ({"k": 1}, "$.k", {"k": "R"}),
        ({"k": 1}, "$.x.y.z", {"k": 1, "x": {"y": {"z": "R"}}}),
        ({"k": {"l": 1}}, "$.k.m", {"k": {"l": 1, "m": "R"}}),
        ({"k": {"l": 1}}, "$['k']['m n']", {"k": {"l": 1, "m n": "R"}}),
        ({"k": [1, 2]}, "$.k[0]", {"k": ["R", 2]}),
        ({}, "$.k", {"k": "R"}),
    ],
)
def test_result_path_writes_into_the_input_or_replaces_it(data: Any, path: str | None, expected: Any) -> None:
    assert output({"Result": "R", "ResultPath": path}, data) == expected


@pytest.mark.parametrize("data", [5, "text", [1], True])
def test_result_path_onto_an_input_that_is_no_object_is_refused(data: Any) -> None:
    execution = run({"Type": "Pass", "Result": 1, "ResultPath": "$.r"}, data=data)
    assert (execution.status, execution.error) == ("FAILED", "States.ReferencePathConflict")


def test_the_order_is_input_path_parameters_result_path_output_path() -> None:
    state = {"InputPath": "$.a", "Parameters": {"all.$": "$.b[0]"}, "ResultPath": "$.r", "OutputPath": "$.r.all"}
    assert output(state) == 1


# ---- templates


def test_templates_copy_what_is_literal_and_fill_what_ends_in_dollar() -> None:
    template = {"v.$": "$.n", "deep": [{"w.$": "$.s"}, "$.n", {"x": "$.n"}], "$": "$.n", "t": {"u": None}}
    assert output({"Parameters": template}) == {
        "v": 5, "deep": [{"w": "text"}, "$.n", {"x": "$.n"}], "$": "$.n", "t": {"u": None},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("States.Format('{}-{}', $.s, $.n)", "text-5"),
        ("States.StringToJson('{\"a\":[1]}')", {"a": [1]}),
        ("States.JsonToString($.a)", '{"b":[1,2,{"c":3}]}'),
        ("States.Array($.n, 'x', null, true)", [5, "x", None, True]),
        ("States.ArrayPartition(States.Array(1,2,3), 2)", [[1, 2], [3]]),
        ("States.ArrayContains($.a.b, 2)", True),
        ("States.ArrayRange(1, 9, 4)", [1, 5, 9]),
        ("States.ArrayGetItem($.a.b, 1)", 2),
        ("States.ArrayLength($.a.b)", 3),
        ("States.ArrayUnique(States.Array(1,1,2))", [1, 2]),
        ("States.Base64Encode('abc')", "YWJj"),
        ("States.Base64Decode('YWJj')", "abc"),
        ("States.Hash('abc', 'MD5')", "900150983cd24fb0d6963f7d28e17f72"),
        ("States.JsonMerge($.list[0], $.list[1], false)", {"k": 2}),
        ("States.MathAdd($.n, -7)", -2),
        ("States.StringSplit('a,b', ',')", ["a", "b"]),
        ("States.Format('{}', States.ArrayLength(States.Array(1, 2)))", "2"),
    ],
)
def test_intrinsic_functions_work_in_templates(expression: str, value: Any) -> None:
    assert output({"Parameters": {"v.$": expression}}) == {"v": value}


def test_random_intrinsics_depend_on_the_seed_alone_and_differ_from_call_to_call() -> None:
    state = {
        "Type": "Pass",
        "Parameters": {"ids.$": "States.Array(States.UUID(), States.UUID())", "n.$": "States.MathRandom(1, 1000000)"},
    }
    first, again = run(state).output, run(state).output
    assert first == again
    assert len(set(first["ids"])) == 2
    for found in first["ids"]:
        assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", found)
    assert 1 <= first["n"] < 1_000_000


def test_an_intrinsic_that_fails_ends_the_execution_with_its_text() -> None:
    execution = run({"Type": "Pass", "Parameters": {"v.$": "States.ArrayGetItem($.a.b, 99)"}})
    assert execution.status == "FAILED"
    assert execution.cause is not None
    assert execution.cause.startswith("An error occurred while executing the state 'S0' (entered at the event id #2). ")


# ---- context


def test_the_context_object_in_a_pass_state() -> None:
    execution = run({"Type": "Pass", "Parameters": {"c.$": "$$"}}, data={"k": 1})
    assert execution.output["c"] == {
        "Execution": {
            "Id": "arn:aws:states:us-east-1:123456789012:execution:orders:run-1",
            "Input": {"k": 1},
            "StartTime": "2025-01-01T00:00:00Z",
            "Name": "run-1",
            "RoleArn": "arn:aws:iam::123456789012:role/sfn-notebook",
            "RedriveCount": 0,
        },
        "StateMachine": {"Id": "arn:aws:states:us-east-1:123456789012:stateMachine:orders", "Name": "orders"},
        "State": {"Name": "S0", "EnteredTime": "2025-01-01T00:00:00Z"},
    }


def test_entered_time_moves_with_the_clock_and_the_execution_input_stays() -> None:
    show = {"Type": "Pass", "Parameters": {"at.$": "$$.State.EnteredTime", "in.$": "$$.Execution.Input.n"}}
    assert run({"Type": "Wait", "Seconds": 61}, show).output == {"at": "2025-01-01T00:01:01Z", "in": 5}


# ---- variables


def test_variables_are_read_by_later_states_and_assigned_together() -> None:
    first = {"Type": "Pass", "Assign": {"x.$": "$.n", "y": [1]}}
    swap = {"Type": "Pass", "Assign": {"x.$": "$y", "y.$": "$x"}}
    show = {"Type": "Pass", "Parameters": {"x.$": "$x", "y.$": "$y", "deep.$": "$x[0]"}}
    assert run(first, swap, show).output == {"x": [1], "y": 5, "deep": 1}


def test_a_state_does_not_see_what_it_assigns_itself() -> None:
    states = ({"Type": "Pass", "Assign": {"x": 1}}, {"Type": "Pass", "Assign": {"x": 2}, "Parameters": {"x.$": "$x"}})
    assert run(*states).output == {"x": 1}


def test_an_unknown_variable_fails_the_execution() -> None:
    execution = run({"Type": "Pass", "Parameters": {"x.$": "$nobody"}})
    assert execution.status == "FAILED"


# ---- nothing is shared


def test_neither_input_nor_definition_changes_and_the_output_is_the_caller_s_own() -> None:
    data, definition = copy.deepcopy(DATA), {
        "StartAt": "P",
        "States": {"P": {"Type": "Pass", "Result": {"r": [1]}, "ResultPath": "$.a.r", "End": True}},
    }  # fmt: skip
    kept = copy.deepcopy(definition)
    execution = StateMachine.load(definition).run(data, seed=1)
    execution.output["a"]["r"]["r"].append("mine")
    execution.output["a"]["b"].clear()
    assert data == DATA
    assert definition == kept
    assert execution.history.raw[2]["stateExitedEventDetails"]["output"].endswith(
        '"r":{"r":[1]}},"n":5,"s":"text","none":null,"list":[{"k":1},{"k":2}]}'
    )


def test_changing_a_definition_or_an_input_after_loading_does_not_reach_the_machine() -> None:
    definition: dict[str, Any] = {"StartAt": "P", "States": {"P": {"Type": "Pass", "Result": {"r": [1]}, "End": True}}}
    machine = StateMachine.load(definition)
    definition["States"]["P"]["Result"]["r"].append(2)
    assert machine.run(seed=1).output == {"r": [1]}


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("$.n", "$.n"),
        (7, 7),
        ([{"n.$": "$.n"}, "x", {"name.$": "$$.Execution.Name"}], [{"n": 5}, "x", {"name": "run-1"}]),
    ],
)
def test_a_payload_template_that_is_no_object_is_its_own_value(template: Any, value: Any) -> None:
    assert output({"Parameters": template}) == value
    branch = {"StartAt": "B", "States": {"B": {"Type": "Pass", "End": True}}}
    constant = {"Type": "Parallel", "Branches": [branch], "ResultSelector": ["x", 1], "Parameters": template}
    assert run(constant, data=DATA).output == ["x", 1]
    task = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f", "Parameters": template}
    assert run(task, data=DATA, handlers={"*": lambda given: [given]}).output == [value]
    invoked = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": template}
    assert run(invoked, data=DATA, handlers={"*": 1}).status == "SUCCEEDED"


def test_an_item_selector_that_is_no_object_is_what_each_iteration_gets() -> None:
    inner = {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": True}}}
    each = {"Type": "Map", "ItemsPath": "$.list", "ItemProcessor": inner}
    assert run({**each, "ItemSelector": ["x", {"k.$": "$$.Map.Item.Value.k"}]}).output == [
        ["x", {"k": 1}],
        ["x", {"k": 2}],
    ]
    assert run({**each, "ItemSelector": "x"}).output == ["x", "x"]
    config = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    batched = {
        **each,
        "ItemProcessor": {**inner, **config},
        "ItemBatcher": {"MaxItemsPerBatch": 2, "BatchInput": ["b"]},
    }
    assert run(batched).output == [{"BatchInput": ["b"], "Items": DATA["list"]}]
