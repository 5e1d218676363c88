"""A definition compiled: links, scopes, pointers, languages; what cannot be compiled says where."""

from typing import Any

import pytest

from sfn_notebook import DefinitionError, StateMachine
from sfn_notebook.engine.program import compile_program

PASS = {"Type": "Pass", "End": True}
DEFINITION: dict[str, Any] = {
    "StartAt": "A",
    "TimeoutSeconds": 9,
    "States": {
        "A": {"Type": "Pass", "Next": "M/x~y"},
        "M/x~y": {
            "Type": "Map",
            "ItemProcessor": {"StartAt": "I", "States": {"I": PASS}},
            "Next": "P",
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "A"}],
        },
        "P": {
            "Type": "Parallel",
            "Branches": [{"StartAt": "B0", "States": {"B0": PASS}}, {"StartAt": "B1", "States": {"B1": PASS}}],
            "End": True,
        },
    },
}


def test_states_link_directly_and_are_numbered_in_the_order_of_the_text() -> None:
    program = compile_program(DEFINITION)
    assert [(state.id, state.name) for state in program.states] == list(enumerate(["A", "M/x~y", "I", "P", "B0", "B1"]))
    assert program.start.name == "A"
    assert program.start.next is program.states[1]
    assert [start.name for start in program.states[3].starts] == ["B0", "B1"]
    assert program.states[3].next is None
    assert program.states[1].catchers[0].next is program.start
    assert program.timeout_seconds == 9


def test_every_state_knows_its_pointer() -> None:
    assert [state.pointer for state in compile_program(DEFINITION).states] == [
        "/States/A",
        "/States/M~1x~0y",
        "/States/M~1x~0y/ItemProcessor/States/I",
        "/States/P",
        "/States/P/Branches/0/States/B0",
        "/States/P/Branches/1/States/B1",
    ]


def test_the_language_of_a_map_is_not_that_of_the_states_inside_it() -> None:
    definition = {
        "StartAt": "M",
        "States": {
            "M": {
                "Type": "Map", "QueryLanguage": "JSONata", "End": True,
                "ItemProcessor": {"StartAt": "I", "States": {"I": PASS, "J": {**PASS, "QueryLanguage": "JSONata"}}},
            }
        },
    }  # fmt: skip
    assert [state.language for state in compile_program(definition).states] == ["JSONata", "JSONPath", "JSONata"]
    whole = {**definition, "QueryLanguage": "JSONata"}
    assert [state.language for state in compile_program(whole).states] == ["JSONata"] * 3


def test_a_program_serves_any_number_of_runs() -> None:
    machine = StateMachine.load(
        {"StartAt": "P", "States": {"P": {"Type": "Pass", "Parameters": {"v.$": "$.v"}, "End": True}}}
    )
    assert machine.program is machine.program
    assert [machine.run({"v": n}, seed=1).output for n in range(3)] == [{"v": 0}, {"v": 1}, {"v": 2}]


@pytest.mark.parametrize(
    "fields",
    [
        {"InputPath": "$.a["},
        {"OutputPath": "not a path"},
        {"ResultPath": "$.a[*]"},
        {"Parameters": {"v.$": "States.Nothing(1)"}},
        {"Parameters": {"v.$": "States.Format("}},
    ],
)
def test_what_cannot_be_compiled_is_a_definition_error_that_names_the_state(fields: dict[str, Any]) -> None:
    definition = {"StartAt": "Odd", "States": {"Odd": {"Type": "Pass", "End": True, **fields}}}
    with pytest.raises(DefinitionError, match="Odd") as caught:
        compile_program(definition)
    assert caught.value.diagnostics[0].pointer.startswith("/States/Odd")
    assert StateMachine.load(definition).errors != []


def test_every_type_of_state_has_its_compiler() -> None:
    states: dict[str, Any] = {
        "Pass": PASS,
        "Task": {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "End": True},
        "Choice": {"Type": "Choice", "Choices": [{"Variable": "$.a", "IsPresent": True, "Next": "Pass"}]},
        "Wait": {"Type": "Wait", "Seconds": 1, "End": True},
        "Succeed": {"Type": "Succeed"},
        "Fail": {"Type": "Fail"},
        "Parallel": {"Type": "Parallel", "Branches": [{"StartAt": "X", "States": {"X": PASS}}], "End": True},
        "Map": {"Type": "Map", "ItemProcessor": {"StartAt": "Y", "States": {"Y": PASS}}, "End": True},
    }
    program = compile_program({"StartAt": "Pass", "States": states})
    assert {state.type for state in program.states} == set(states)
    assert len({id(state.run) for state in program.states}) == len(program.states)
