from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfn_notebook.asl.topology import summarise_condition, topology
from sfn_notebook.errors import Json

PASS = {"Type": "Pass", "End": True}
NESTED: dict[str, Any] = {
    "StartAt": "Both",
    "States": {
        "Both": {
            "Type": "Parallel",
            "Branches": [
                {"StartAt": "L", "States": {"L": PASS}},
                {"StartAt": "R", "States": {"R": {**PASS, "QueryLanguage": "JSONata"}}},
            ],
            "Catch": [{"ErrorEquals": ["A", "B"], "Next": "Bad"}, {"ErrorEquals": ["States.ALL"], "Next": "Gone"}],
            "Next": "Each",
        },
        "Each": {
            "Type": "Map",
            "ItemProcessor": {"StartAt": "In", "States": {"In": {"Type": "Task", "Resource": "arn:x", "End": True}}},
            "Next": "Pick",
        },
        "Pick": {
            "Type": "Choice",
            "Choices": [
                {"Variable": "$.x", "IsPresent": True, "Next": "Good"},
                {"Condition": "{% $x %}", "Next": "Each"},
            ],
            "Default": "Bad",
        },
        "Good": {"Type": "Succeed"},
        "Bad": {"Type": "Fail"},
        "a/b": {"Type": "Wait", "Next": "Good"},
    },
}


def test_nodes_come_in_the_order_of_the_text_inner_ones_after_their_owner() -> None:
    graph = topology(NESTED)
    assert [node.name for node in graph.nodes] == ["Both", "L", "R", "Each", "In", "Pick", "Good", "Bad", "a/b"]
    assert graph.by_name["In"].pointer == "/States/Each/ItemProcessor/States/In"
    assert graph.by_name["In"].resource == "arn:x"
    assert graph.by_name["a/b"].pointer == "/States/a~1b"
    assert [graph.by_name[name].query_language for name in ("L", "R")] == ["JSONPath", "JSONata"]
    assert {node.name for node in graph.nodes if node.terminal} == {"L", "R", "In", "Good", "Bad"}


def test_scopes_form_a_tree_with_starts() -> None:
    graph = topology(NESTED)
    assert [(s.pointer, s.kind, s.owner, s.index, s.start) for s in graph.scopes] == [
        ("", "top", None, None, "Both"),
        ("/States/Both/Branches/0", "branch", "/States/Both", 0, "L"),
        ("/States/Both/Branches/1", "branch", "/States/Both", 1, "R"),
        ("/States/Each/ItemProcessor", "processor", "/States/Each", None, "In"),
    ]
    assert [s.start for s in graph.scopes_of("/States/Both")] == ["L", "R"]
    assert graph.scopes_of("/States/Good") == ()
    assert [n.name for n in graph.nodes_of(graph.scopes[1])] == ["L"]


def test_edges_say_what_they_are() -> None:
    graph = topology(NESTED)
    found = [(e.source, e.target, e.kind, e.index, e.errors, e.pointer) for e in graph.edges]
    assert found == [
        ("Both", "Each", "next", None, (), "/States/Both/Next"),
        ("Both", "Bad", "catch", 0, ("A", "B"), "/States/Both/Catch/0/Next"),
        ("Both", "Gone", "catch", 1, ("States.ALL",), "/States/Both/Catch/1/Next"),
        ("Each", "Pick", "next", None, (), "/States/Each/Next"),
        ("Pick", "Good", "choice", 0, (), "/States/Pick/Choices/0/Next"),
        ("Pick", "Each", "choice", 1, (), "/States/Pick/Choices/1/Next"),
        ("Pick", "Bad", "default", None, (), "/States/Pick/Default"),
        ("a/b", "Good", "next", None, (), "/States/a~1b/Next"),
    ]
    assert [e.target_pointer for e in graph.edges_from("/States/Both")] == ["/States/Each", "/States/Bad", None]
    conditions = [e.condition for e in graph.edges_from("/States/Pick")]
    assert conditions == [NESTED["States"]["Pick"]["Choices"][0], "{% $x %}", None]


def test_reachability_stays_in_the_scope() -> None:
    graph = topology(NESTED)
    unreached = set(graph.scopes[0].states.values()) - graph.reachable(graph.scopes[0])
    assert unreached == {"/States/a~1b"}


def test_a_machine_in_jsonata_passes_its_language_on_but_a_map_does_not() -> None:
    inner = {"StartAt": "In", "States": {"In": PASS}}
    machine = {
        "StartAt": "M",
        "States": {"M": {"Type": "Map", "QueryLanguage": "JSONata", "ItemProcessor": inner, "End": True}},
    }
    assert topology(machine).by_name["In"].query_language == "JSONPath"
    assert topology({**machine, "QueryLanguage": "JSONata"}).by_name["In"].query_language == "JSONata"


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["A", "B", "Pass", "Choice", "Map", "Parallel", "Task", "$.x"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["StartAt", "States", "A", "B", "Type", "Next", "Default", "Choices", "Catch", "ErrorEquals", "Branches", "ItemProcessor",
             "Iterator", "QueryLanguage", "And", "Not", "Variable", "NumericEquals", "Condition", "End", "Resource"]
        ),
        inner,
        max_size=5,
    ),
    max_leaves=30,
)  # fmt: skip


@given(JUNK)
def test_nothing_raises_on_broken_definitions(value: Json) -> None:
    graph = topology(value)
    for edge in graph.edges:
        assert edge.source_pointer in graph.by_pointer
        assert edge.target_pointer is None or edge.target_pointer in graph.by_pointer
        summarise_condition(edge.condition)
    for scope in graph.scopes:
        assert graph.reachable(scope) <= graph.by_pointer.keys()


@given(JUNK)
def test_a_summary_is_one_short_line_of_anything(value: Json) -> None:
    text = summarise_condition(value, 30)
    assert len(text) <= 30
    assert "\n" not in text


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ({"Variable": "$.total", "NumericGreaterThan": 100, "Next": "X"}, "total > 100"),
        ({"Variable": "$.a", "StringEquals": "x"}, 'a == "x"'),
        ({"Variable": "$.a", "StringLessThanEqualsPath": "$.b"}, "a ≤ b"),
        ({"Variable": "$.a", "StringMatches": "x*"}, 'a matches "x*"'),
        ({"Variable": "$.vip", "BooleanEquals": True}, "vip"),
        ({"Variable": "$.vip", "BooleanEquals": False}, "not vip"),
        ({"Variable": "$.a", "IsPresent": True}, "a is present"),
        ({"Variable": "$.a", "IsNull": False}, "a is not null"),
        ({"Variable": "$", "IsString": True}, "$ is a string"),
        ({"Not": {"Variable": "$.a", "NumericEquals": 1}}, "not (a == 1)"),
        ({"And": [{"Variable": "$.total", "NumericGreaterThan": 100}, {"Variable": "$.vip", "BooleanEquals": True}]}, "total > 100 and vip"),
        (
            {"Or": [{"And": [{"Variable": "$.a", "BooleanEquals": True}, {"Variable": "$.b", "BooleanEquals": True}]}, {"Variable": "$.c", "IsNull": True}]},
            "(a and b) or c is null",
        ),
        ({"Condition": "{% $states.input.total > 100 %}", "Next": "X"}, "$states.input.total > 100"),
        ("{%\n  $a\n  and $b %}", "$a and $b"),
        ({"Next": "X"}, "…"),
    ],
)  # fmt: skip
def test_a_condition_is_said_in_short(rule: str, text: str) -> None:
    assert summarise_condition(rule) == text


def test_a_long_condition_is_cut() -> None:
    assert summarise_condition({"Variable": "$." + "x" * 100, "IsNull": True}, 20) == "x" * 19 + "…"
