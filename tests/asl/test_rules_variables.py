import json

import pytest

from sfn_notebook.asl.check import check
from sfn_notebook.asl.source import from_value
from sfn_notebook.errors import Diagnostic, Json, Severity

CODES = ("UNDEFINED_VARIABLE", "DUPLICATE_VARIABLE_NAME", "UNSUPPORTED_JSONATA_EXPRESSION")


def found(states: dict[str, Json], language: str = "JSONata") -> list[Diagnostic]:
    machine = {"QueryLanguage": language, "StartAt": "A", "States": states}
    return [d for d in check(from_value(machine)) if d.code in CODES]


def setting(name: str, **more: Json) -> dict[str, Json]:
    return {"Type": "Pass", "Assign": {name: 1}, **more}


def reading(expression: str, **more: Json) -> dict[str, Json]:
    return {"Type": "Pass", "Output": f"{{% {expression} %}}", **more}


def processor(state: dict[str, Json], **more: Json) -> dict[str, Json]:
    return {"StartAt": "I", "States": {"I": {**state, "End": True}}, **more}


DISTRIBUTED = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}


def test_a_variable_that_is_set_before_is_fine() -> None:
    assert found({"A": setting("n", Next="B"), "B": reading("$n", End=True)}) == []


def test_a_state_does_not_see_its_own_assign() -> None:
    (problem,) = found({"A": {**reading("$n"), "Assign": {"n": 1}, "End": True}})
    assert problem.message == 'the variable "n" cannot be set in state "A"'
    assert problem.hint == "a state sees its own Assign only from the next state on"
    assert problem.severity is Severity.WARNING


def test_a_misspelt_variable_has_a_hint() -> None:
    (problem,) = found({"A": setting("orderId", Next="B"), "B": reading("$oderId", End=True)})
    assert problem.hint == 'did you mean "orderId"?'


def test_the_way_that_does_not_set_it_is_shown() -> None:
    states = {
        "A": {"Type": "Choice", "Choices": [{"Condition": "{% true %}", "Next": "Set"}], "Default": "Other"},
        "Set": setting("n", Next="Read"),
        "Other": {"Type": "Pass", "Next": "Read"},
        "Read": reading("$n + 1", End=True),
    }
    (problem,) = found(states)
    assert problem.message == 'the variable "n" is not guaranteed to be set in state "Read"'
    assert problem.hint == "nothing sets it on the way A → Other → Read"
    assert found({**states, "Read": reading("$exists($n) ? $n : 0", End=True)}) == []


def test_rules_and_catchers_set_on_their_own_way_only() -> None:
    rule = {"Condition": "{% true %}", "Next": "Yes", "Assign": {"n": 1}}
    states = {
        "A": {"Type": "Choice", "Choices": [rule], "Default": "No", "Assign": {"m": 1}},
        "Yes": reading("[$n, $m]", End=True),
        "No": reading("[$n, $m]", End=True),
    }
    assert [(d.pointer, d.message.split('"')[1]) for d in found(states)] == [
        ("/States/Yes/Output", "m"),
        ("/States/No/Output", "n"),
    ]
    catcher = {"ErrorEquals": ["E"], "Next": "B", "Assign": {"e": "{% $states.errorOutput %}"}}
    task = {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "Catch": [catcher], "End": True}
    assert found({"A": task, "B": reading("$e", End=True)}) == []


def test_inner_scopes_read_outer_variables_but_a_distributed_map_does_not() -> None:
    def states(config: dict[str, Json]) -> dict[str, Json]:
        each = {"Type": "Map", "ItemProcessor": processor(reading("$n"), **config), "End": True}
        return {"A": setting("n", Next="B"), "B": each}

    assert found(states({})) == []
    (problem,) = found(states(DISTRIBUTED))
    assert problem.hint is not None
    assert "Distributed Map does not see" in problem.hint


def test_a_variable_of_an_inner_scope_ends_with_it() -> None:
    each = {"Type": "Map", "ItemProcessor": processor(setting("n")), "Next": "B"}
    (problem,) = found({"A": each, "B": reading("$n", End=True)})
    assert problem.hint is not None
    assert "scope ends" in problem.hint


def test_an_inner_scope_cannot_take_an_outer_name_unless_it_is_distributed() -> None:
    def states(config: dict[str, Json]) -> dict[str, Json]:
        each = {"Type": "Map", "ItemProcessor": processor(setting("n"), **config), "Next": "B"}
        return {"A": each, "B": setting("n", End=True)}

    (problem,) = found(states({}))
    assert (problem.code, problem.severity) == ("DUPLICATE_VARIABLE_NAME", Severity.ERROR)
    assert problem.pointer.endswith("/I/Assign/n")
    assert found(states(DISTRIBUTED)) == []


def test_siblings_may_use_one_name() -> None:
    branches = [processor(setting("n")), json.loads(json.dumps(processor(setting("n"))).replace('"I"', '"J"'))]
    assert found({"A": {"Type": "Parallel", "Branches": branches, "End": True}}) == []


def test_jsonpath_reads_variables_in_paths_templates_and_functions() -> None:
    state = {"Type": "Pass", "Parameters": {"a.$": "States.Format('$x {}', $m)", "b": "$x", "c.$": "$$.State.Name"}}
    assert [d.message.split('"')[1] for d in found({"A": {**state, "End": True}}, "JSONPath")] == ["m"]


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (reading("$states.result"), "only a Task, Map or Parallel state has a result"),
        (reading("$states.errorOutput"), "only the Assign and Output of a Catch have it"),
        (reading("$states.errorOuput"), "$states has no errorOuput"),
        (
            {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "Arguments": "{% $states.result %}"},
            "Arguments is evaluated before there is a result",
        ),
        (
            {
                "Type": "Task",
                "Resource": "arn:aws:states:::sqs:sendMessage",
                "Catch": [{"ErrorEquals": ["E"], "Next": "B", "Output": "{% $states.result %}"}],
            },
            "a Catch has $states.errorOutput instead",
        ),
    ],
)
def test_what_states_has_where(state: dict[str, Json], message: str) -> None:
    (problem,) = found({"A": {**state, "Next": "B"}, "B": {"Type": "Succeed"}})
    assert message in problem.message


@pytest.mark.parametrize(
    "expression", ["'$states.result'", "1 /* $states.result */", "$states.input.result", "$states.context.x"]
)
def test_what_only_looks_like_the_result_is_left_alone(expression: str) -> None:
    assert found({"A": reading(expression, End=True)}) == []
