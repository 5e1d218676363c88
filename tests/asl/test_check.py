import copy
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sfn_notebook.asl.check import RULES, check
from sfn_notebook.asl.fields import OBJECTS
from sfn_notebook.asl.rule import Hints, Machine, Problem, near
from sfn_notebook.asl.source import from_value, parse
from sfn_notebook.errors import Json, Severity

Place = tuple[Any, ...]

VALID: dict[str, Any] = {
    "Comment": "every state type",
    "StartAt": "Prepare",
    "TimeoutSeconds": 600,
    "States": {
        "Prepare": {"Type": "Pass", "Result": {"n": 1}, "ResultPath": "$.prepared", "Next": "Work"},
        "Work": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": "f", "Payload.$": "$"},
            "ResultSelector": {"body.$": "$.Payload"},
            "ResultPath": "$.answer",
            "TimeoutSeconds": 30,
            "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 2, "MaxAttempts": 3, "BackoffRate": 2.0}],
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Failed"}],
            "Next": "Pick",
        },
        "Pick": {
            "Type": "Choice",
            "Choices": [
                {
                    "And": [
                        {"Variable": "$.n", "NumericGreaterThan": 1},
                        {"Not": {"Variable": "$.off", "BooleanEquals": True}},
                    ],
                    "Next": "Both",
                },
                {"Variable": "$.n", "IsNull": True, "Next": "Pause"},
            ],
            "Default": "Each",
        },
        "Both": {
            "Type": "Parallel",
            "Branches": [
                {"StartAt": "Left", "States": {"Left": {"Type": "Pass", "End": True}}},
                {"StartAt": "Right", "States": {"Right": {"Type": "Succeed"}}},
            ],
            "ResultPath": "$.both",
            "Next": "Each",
        },
        "Each": {
            "Type": "Map",
            "ItemsPath": "$.items",
            "MaxConcurrency": 2,
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "INLINE"},
                "StartAt": "One",
                "States": {
                    "One": {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $states.input %}", "End": True}
                },
            },
            "Next": "Pause",
        },
        "Pause": {"Type": "Wait", "Seconds": 5, "Next": "Done"},
        "Done": {"Type": "Succeed"},
        "Failed": {"Type": "Fail", "Error": "Oops", "CausePath": "$.error.Cause"},
    },
}


def places(value: Json, path: Place = ()) -> Iterator[Place]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key)
            yield from places(inner, (*path, key))
    if isinstance(value, list):
        for i, inner in enumerate(value):
            yield (*path, i)
            yield from places(inner, (*path, i))


PLACES = list(places(VALID))
FIELDS = [place for place in PLACES if isinstance(place[-1], str)]
JUNK: st.SearchStrategy[Json] = st.sampled_from(
    [
        None,
        True,
        0,
        -1,
        1.5,
        "",
        "x",
        "$",
        "$.",
        "{% 1 %}",
        "${X}",
        [],
        [1],
        {},
        {"a": 1},
        [[]],
        {"Type": "Pass"},
        "\u2603" * 90,
    ]
)


def changed(path: Place, change: Callable[[Json, Any], object]) -> Json:
    value = copy.deepcopy(VALID)
    holder: Json = value
    for step in path[:-1]:
        holder = holder[step]
    change(holder, path[-1])
    return value


def test_the_example_is_clean() -> None:
    assert [str(d) for d in check(from_value(VALID))] == []


@given(st.sampled_from(PLACES), JUNK)
def test_any_value_anywhere_never_crashes_and_has_a_place(path: Place, junk: Json) -> None:
    document = from_value(changed(path, lambda holder, key: holder.__setitem__(key, junk)))
    for diagnostic in check(document):
        assert 1 <= diagnostic.line <= document.text.count("\n") + 1
        assert diagnostic.column >= 1
        assert diagnostic.message


@given(st.lists(st.sampled_from(FIELDS), min_size=1, max_size=3), JUNK)
def test_several_mutations_never_crash(paths: list[Place], junk: Json) -> None:
    value = copy.deepcopy(VALID)
    for path in paths:
        holder: Json = value
        for step in path[:-1]:
            holder = holder.get(step, {}) if isinstance(holder, dict) else holder[step] if holder else {}
        if isinstance(holder, dict):
            holder.pop(path[-1], None)
            holder[path[-1] + "x"] = copy.deepcopy(junk)
    check(from_value(value))


FREE = {"FunctionName", "Payload.$", "body.$", "n"}


@given(st.sampled_from([path for path in FIELDS if path[-1] not in FREE]))
def test_a_misspelt_field_is_always_told(path: Place) -> None:
    value = changed(path, lambda holder, key: holder.__setitem__(key + "x", holder.pop(key)))
    assert any(diagnostic.severity is Severity.ERROR for diagnostic in check(from_value(value)))


REQUIRED = {
    "StartAt",
    "States",
    "Type",
    "Resource",
    "Choices",
    "Branches",
    "ItemProcessor",
    "ErrorEquals",
    "Next",
    "End",
    "Variable",
    "Seconds",
}


@given(st.sampled_from([path for path in FIELDS if path[-1] in REQUIRED]))
def test_a_required_field_that_is_missing_is_always_told(path: Place) -> None:
    value = changed(path, lambda holder, key: holder.pop(key))
    assert any(diagnostic.severity is Severity.ERROR for diagnostic in check(from_value(value)))


@given(st.sampled_from([path for path in FIELDS if path[-1] not in FREE | {"Result", "Parameters", "ResultSelector"}]))
def test_a_value_of_the_wrong_type_is_always_told(path: Place) -> None:
    wrong: Json = (
        []
        if path[-1]
        in {name for fields in OBJECTS.values() for name, f in fields.items() if f.kind not in ("array", "strings")}
        else 5
    )
    value = changed(path, lambda holder, key: holder.__setitem__(key, wrong))
    if path[-1] in {"Retry", "Catch", "Output"} and wrong == []:
        return
    assert any(diagnostic.severity is Severity.ERROR for diagnostic in check(from_value(value)))


@given(st.sampled_from(FIELDS))
def test_a_repeated_key_is_always_told(path: Place) -> None:
    text = json.dumps(VALID, indent=1)
    document = parse(text)
    pointer = "".join("/" + str(step) for step in path)
    key, end = document.key_spans[pointer], document.spans[pointer]
    lines = text.split("\n")
    again = (
        "\n".join([lines[key.line - 1][key.column - 1 :], *lines[key.line : end.end_line]])
        if key.line != end.end_line
        else lines[key.line - 1][key.column - 1 :]
    )
    doubled = "\n".join([*lines[: key.line - 1], again.rstrip().rstrip(",") + ",", *lines[key.line - 1 :]])
    assert any("stands twice" in diagnostic.message for diagnostic in check(parse(doubled)))


def test_diagnostics_come_in_the_order_of_the_text() -> None:
    value = {
        "StartAt": "Z",
        "States": {"A": {"Type": "Pass", "Nope": 1}, "B": {"Type": "Wait", "Seconds": "x"}, "C": 5},
        "Extra": 1,
    }
    found = check(from_value(value))
    assert [(d.line, d.column) for d in found] == sorted((d.line, d.column) for d in found)
    assert len(found) > 5


def test_yaml_gets_the_same_findings_as_json() -> None:
    text = "StartAt: A\nStates:\n  A:\n    Type: Pass\n    Netx: A\n    Seconds: 5\n"
    found = check(parse(text))
    assert [(d.line, d.column, d.message) for d in found] == [
        (5, 5, "Field 'Netx' is not supported"),
        (6, 5, "Field 'Seconds' is not supported"),
    ]


def test_every_rule_is_listed_once_and_says_what_must_hold() -> None:
    assert len(set(RULES)) == len(RULES)
    assert all(rule.__doc__ and rule.__doc__.endswith(".") for rule in RULES)


def test_a_rule_of_ones_own_is_one_function() -> None:
    def shouting(machine: Machine) -> Iterator[Problem]:
        """Write names in capitals."""
        for node in machine.graph.nodes:
            if not node.name.isupper():
                yield Problem(node.pointer, f'"{node.name}" is too quiet', "TOO_QUIET", Severity.WARNING, key=True)

    found = check(parse('{"StartAt": "a",\n "States": {"a": {"Type": "Succeed"}}}'), rules=[shouting])
    assert [str(d) for d in found] == ['2:13: warning: "a" is too quiet [TOO_QUIET]']


def test_thousands_of_slips_are_found_in_seconds() -> None:
    slips = {f"State number {i}": {"Type": "Pass", "Next": f"State numbr {i + 1}"} for i in range(3000)}
    started = time.perf_counter()
    found = check(from_value({"StartAt": "State number 0", "States": slips}))
    assert len(found) == 3000 + 1  # each target, and no end
    assert time.perf_counter() - started < 10


def test_a_near_name_is_at_most_two_letters_away() -> None:
    assert near("Resouce", ["Resource", "Type"]) == "Resource"
    assert near("Neext", ["Next"]) == "Next"
    assert near("Nexxxt", ["Next"]) is None
    assert near("resource", ["Resource"]) == "Resource"
    assert near("TimeoutSecondsPath", ["TimeoutSeconds"]) is None


def test_hints_stop_when_their_budget_is_spent() -> None:
    hints = Hints(comparisons=3)
    assert hints.did_you_mean("Tesk", ["Task", "Pass"]) == 'did you mean "Task"?'
    assert hints.did_you_mean("Tesk", ["Task", "Pass"]) is None


@settings(max_examples=200)
@given(
    st.recursive(
        JUNK,
        lambda inner: st.dictionaries(
            st.sampled_from(["StartAt", "States", "A", "Type", "Choices", "Catch", "Retry", "Next"]), inner
        ),
        max_leaves=20,
    )
)
def test_any_object_is_checked_without_a_crash(value: Json) -> None:
    if isinstance(value, dict):
        check(from_value(value))
