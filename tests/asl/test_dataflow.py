import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfn_notebook.asl import shapes
from sfn_notebook.asl.check import check
from sfn_notebook.asl.rule import NO_SAMPLE
from sfn_notebook.asl.rule_entry import Entry
from sfn_notebook.asl.rulebook import BOOK
from sfn_notebook.asl.shapes import Found, Listing, Object, Scalar, look_up, of_value
from sfn_notebook.asl.source import from_value, parse
from sfn_notebook.errors import Json

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
INVOKE = "arn:aws:states:::lambda:invoke"
CODES = ("DATA_CANNOT_EXIST", "DATA_NOT_GUARANTEED", "PAYLOAD_LIMIT", "EVENT_LIMIT")


def branch(name: str, state: dict[str, Json]) -> dict[str, Json]:
    return {"StartAt": name, "States": {name: {**state, "End": True}}}


def chain(*states: dict[str, Json], **more: dict[str, Json]) -> dict[str, Json]:
    """Make a machine of states A, B, C … one behind the other, and others by name."""
    names = [chr(ord("A") + i) for i in range(len(states))]
    made: dict[str, Json] = {}
    for i, state in enumerate(states):
        goes = (
            {}
            if state["Type"] in ("Choice", "Fail", "Succeed")
            else {"Next": names[i + 1]}
            if i + 1 < len(names)
            else {"End": True}
        )
        made[names[i]] = {**state, **goes}
    return {"StartAt": "A", "States": {**made, **more}}


def found(machine: Json, sample: Any = NO_SAMPLE) -> list[tuple[str, str]]:
    """Give the data findings as (code, message)."""
    diagnostics = check(from_value(machine), sample=sample)
    return [(d.code, d.message) for d in diagnostics if d.code in CODES]


TASK = {"Type": "Task", "Resource": FUNCTION}
READ = {"Type": "Pass", "InputPath": "$.orderId"}
PARALLEL = {"Type": "Parallel", "Branches": [branch("X", {"Type": "Pass"}), branch("Y", {"Type": "Pass"})]}
MISSING = [("DATA_CANNOT_EXIST", '$.orderId cannot exist in state "B"')]


def test_a_parallel_yields_a_list() -> None:
    assert found(chain(PARALLEL, READ)) == MISSING
    assert found(chain(PARALLEL, {"Type": "Pass", "InputPath": "$[1].orderId"})) == []
    assert found(chain(PARALLEL, {"Type": "Pass", "InputPath": "$[2]"})) == [
        ("DATA_CANNOT_EXIST", '$[2] cannot exist in state "B"')
    ]
    assert found(chain({**PARALLEL, "ResultPath": "$.both"}, READ)) == []
    assert found(chain({**PARALLEL, "ResultSelector": {"orderId.$": "$[0].orderId"}}, READ)) == []


def test_a_function_may_bring_back_what_was_lost_and_the_way_is_shown() -> None:
    machine = chain(PARALLEL, TASK, {"Type": "Pass", "Parameters": {"id.$": "States.Format('{}', $.orderId)"}})
    (diagnostic,) = [d for d in check(from_value(machine)) if d.code in CODES]
    assert diagnostic.message == '$.orderId is not guaranteed to exist in state "C"'
    assert diagnostic.hint is not None
    assert 'exists only if "B" returns it' in diagnostic.hint
    assert "A → B → C" in diagnostic.hint
    assert found(chain(TASK, TASK, {"Type": "Pass", "InputPath": "$.orderId"})) == []


def test_a_second_function_hears_of_what_the_first_one_lost() -> None:
    machine = chain(PARALLEL, TASK, TASK, {"Type": "Pass", "InputPath": "$.orderId"})
    (diagnostic,) = [d for d in check(from_value(machine)) if d.code in CODES]
    assert diagnostic.hint is not None
    assert '"B" or "C" returns it' in diagnostic.hint


def test_lambda_invoke_wraps_what_the_function_returns() -> None:
    call = {"Type": "Task", "Resource": INVOKE, "Parameters": {"FunctionName": "f", "Payload.$": "$"}}
    assert found(chain(call, READ)) == MISSING
    assert found(chain(call, {"Type": "Pass", "InputPath": "$.Payload.orderId"})) == []
    assert found(chain({**call, "OutputPath": "$.Payload"}, READ)) == []
    assert found(chain({**call, "ResultSelector": {"orderId.$": "$.orderId"}}, READ)) == [
        ("DATA_CANNOT_EXIST", '$.orderId cannot exist in state "A"')
    ]


def test_an_answer_replaces_the_data_unless_a_result_path_keeps_it() -> None:
    send = {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "Parameters": {"TopicArn": "t", "Message": "m"}}
    assert found(chain(send, READ)) == MISSING
    assert found(chain({**send, "ResultPath": None}, READ)) == []
    assert found(chain({**send, "ResultPath": "$.sent"}, READ)) == []
    assert found(chain({**send, "ResultPath": "$.sent"}, {"Type": "Pass", "InputPath": "$.sent.Nope"})) == [
        ("DATA_CANNOT_EXIST", '$.sent.Nope cannot exist in state "B"')
    ]


def test_a_catch_without_result_path_leaves_only_the_error() -> None:
    def machine(catcher: dict[str, Json]) -> Json:
        caught = {**TASK, "Catch": [{"ErrorEquals": ["E"], "Next": "Handler", **catcher}]}
        return chain(caught, Handler={**READ, "End": True})

    assert found(machine({})) == [("DATA_CANNOT_EXIST", '$.orderId cannot exist in state "Handler"')]
    assert found(machine({"ResultPath": "$.error"})) == []


def test_a_field_that_only_one_way_sets_is_not_guaranteed() -> None:
    rule = {"Variable": "$.kind", "StringEquals": "a", "Next": "Set"}
    setting = {**TASK, "ResultPath": "$.extra", "Next": "Read"}
    reading = {"Type": "Pass", "InputPath": "$.extra", "End": True}
    machine = chain({"Type": "Choice", "Choices": [rule], "Default": "Read"}, Set=setting, Read=reading)
    (diagnostic,) = [d for d in check(from_value(machine)) if d.code in CODES]
    assert diagnostic.code == "DATA_NOT_GUARANTEED"
    assert diagnostic.hint == 'only "Set" sets it; not set on the way A → Read'
    guard = {"Variable": "$.extra", "IsPresent": True, "Next": "Set"}
    machine["States"]["A"]["Choices"].append(guard)
    assert found(machine) == []


def test_a_loop_that_sets_a_field_before_it_reads_it_is_fine() -> None:
    machine = chain(
        {"Type": "Pass", "Result": 0, "ResultPath": "$.n"},
        {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.n, 1)"}},
        {"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericLessThan": 5, "Next": "B"}], "Default": "Z"},
        Z={"Type": "Succeed"},
    )
    assert found(machine) == []


def test_a_result_cannot_be_written_into_a_list() -> None:
    assert found(chain(PARALLEL, {**TASK, "ResultPath": "$.more"})) == [
        ("DATA_CANNOT_EXIST", 'ResultPath $.more cannot be written in state "B": its data is no object there')
    ]


def test_a_map_hands_on_items_and_yields_a_list() -> None:
    def each(inner: dict[str, Json], **fields: Json) -> dict[str, Json]:
        return {"Type": "Map", "ItemsPath": "$.rows", "ItemProcessor": branch("I", inner), **fields}

    rows = {"Type": "Pass", "Result": {"rows": [{"id": 1}, {"id": 2}]}}
    assert found(chain(rows, each({"Type": "Pass", "InputPath": "$.id"}))) == []
    assert found(chain(rows, each({"Type": "Pass", "InputPath": "$.name"}))) == [
        ("DATA_CANNOT_EXIST", '$.name cannot exist in state "I"')
    ]
    selector = {"name.$": "$$.Map.Item.Value.id"}
    assert found(chain(rows, each({"Type": "Pass", "InputPath": "$.name"}, ItemSelector=selector))) == []
    assert (
        found(chain(rows, each({"Type": "Pass"}), {"Type": "Pass", "InputPath": "$.rows"}))[0][0] == "DATA_CANNOT_EXIST"
    )


def test_jsonata_chains_are_followed_and_other_expressions_are_not() -> None:
    def machine(expression: str) -> Json:
        reading = {"Type": "Pass", "Output": {"id": f"{{% {expression} %}}"}}
        return {**chain(PARALLEL, reading), "QueryLanguage": "JSONata"}

    machine_constant = {
        **chain({"Type": "Pass", "Output": {"a": 1}}, {"Type": "Pass", "Output": "{% $states.input.b %}"}),
        "QueryLanguage": "JSONata",
    }
    assert found(machine("$states.input.orderId")) == []  # goes into the items of the list
    assert found(machine("$exists($states.input.a) ? 1 : 2")) == []
    assert found(machine_constant) == [("DATA_CANNOT_EXIST", '$states.input.b cannot exist in state "B"')]


def test_a_sample_input_rules_out_what_it_does_not_have() -> None:
    machine = chain(READ)
    assert found(machine) == []
    assert found(machine, {"orderId": 1}) == []
    assert found(machine, {"order": 1}) == [("DATA_CANNOT_EXIST", '$.orderId cannot exist in state "A"')]


def test_nothing_is_said_of_what_cannot_be_known() -> None:
    assert found(chain({"Type": "Pass", "InputPath": "$.a[*]"}, READ)) == []
    assert found(chain({"Type": "Task", "Resource": "${Fn}"}, READ)) == []
    assert found(chain({"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:s3:listBuckets"}, READ)) == []
    assert found(chain(TASK, {"Type": "Pass", "InputPath": "$$.Execution.Id"})) == []


def test_events_are_counted_along_the_shortest_way() -> None:
    def machine(count: int, states: int) -> Json:
        inner = {
            f"I{i}": {"Type": "Pass", **({"Next": f"I{i + 1}"} if i + 1 < states else {"End": True})}
            for i in range(states)
        }
        items = {"Type": "Pass", "Parameters": {"rows.$": f"States.ArrayRange(1, {count}, 1)"}}
        return chain(items, {"Type": "Map", "ItemsPath": "$.rows", "ItemProcessor": {"StartAt": "I0", "States": inner}})

    assert found(machine(1000, 11)) == []  # 1,000 × 24 events
    assert [code for code, _ in found(machine(1000, 13))] == ["EVENT_LIMIT"]


def test_the_payload_is_measured_where_it_grows() -> None:
    big = {"Type": "Pass", "Result": "x" * 140_000}
    both = {"Type": "Parallel", "Branches": [branch("X", big), branch("Y", big)]}
    assert [message[:33] for _, message in found(chain(both, {"Type": "Pass"}))] == [
        'the output of state "A" has at le'
    ]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=10,
)
KEYS = st.lists(st.sampled_from(["a", "b", "c", 0, 1]), max_size=3).map(tuple)


@given(VALUES, KEYS)
def test_the_shape_of_a_value_knows_exactly_what_is_in_it(value: Json, keys: shapes.Keys) -> None:
    there = True
    inside: Any = value
    for key in keys:
        known = inside if isinstance(inside, dict) else dict(enumerate(inside)) if isinstance(inside, list) else {}
        there, inside = there and key in known, known.get(key)
    assert look_up(of_value(value), keys).status == ("there" if there else "missing")
    assert of_value(value).size <= len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


@settings(max_examples=50)
@given(st.lists(VALUES, min_size=2, max_size=4), KEYS)
def test_one_of_several_is_certain_only_where_all_agree(values: list[Json], keys: shapes.Keys) -> None:
    each = {look_up(of_value(value), keys).status for value in values}
    joined = look_up(shapes.either(of_value(value) for value in values), keys).status
    assert joined == (each.pop() if len(each) == 1 else "unsure")


def test_jsonata_goes_into_lists() -> None:
    rows = Listing((Object({"a": Scalar()}), Object({"b": Scalar()})), length=2)
    assert look_up(rows, ("a",)) == Found("missing")
    assert look_up(rows, ("a",), spread=True).status == "open"
    assert look_up(rows, ("c",), spread=True).status == "missing"
    assert look_up(Object({"a": Scalar()}), (0, "a"), spread=True).status == "there"


@pytest.mark.parametrize("value", [5, [1], "x"])
def test_a_value_that_is_no_object_takes_no_field(value: Json) -> None:
    assert shapes.put(of_value(value), ("a",), Scalar(), "/States/A") is None


def test_loops_inside_loops_end_in_time_without_a_word() -> None:
    def nested(depth: int) -> dict[str, Json]:
        inner = nested(depth - 1) if depth else branch("End", {"Type": "Pass"})
        rule = {"Variable": "$.x", "NumericEquals": 1, "Next": f"P{depth}"}
        states = {
            f"C{depth}": {"Type": "Choice", "Choices": [rule], "Default": f"D{depth}"},
            f"P{depth}": {"Type": "Parallel", "Branches": [inner], "ResultPath": f"$.r{depth}", "Next": f"Q{depth}"},
            f"Q{depth}": {"Type": "Pass", "Parameters": {"x.$": "$.x", "y.$": "$"}, "Next": f"C{depth}"},
            f"D{depth}": {"Type": "Succeed"},
        }
        return {"StartAt": f"C{depth}", "States": states}

    started = time.perf_counter()
    assert found(nested(30)) == []
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize("entry", BOOK, ids=lambda entry: entry.title)
def test_what_nobody_reads_may_be_left_out(entry: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    documents = parse(entry.wrong_text), parse(entry.right)
    before = [check(document, sample=entry.sample) for document in documents]
    monkeypatch.setattr("sfn_notebook.asl.dataflow._Analysis._silent", lambda _: set())
    assert [check(document, sample=entry.sample) for document in documents] == before


def test_the_output_of_a_branch_is_followed_though_nobody_reads_inside() -> None:
    inside = branch(
        "X", {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "Parameters": {"QueueUrl": "q"}}
    )
    machine = chain({"Type": "Parallel", "Branches": [inside]}, {"Type": "Pass", "InputPath": "$[0].orderId"})
    assert found(machine) == [("DATA_CANNOT_EXIST", '$[0].orderId cannot exist in state "B"')]


def test_an_item_selector_that_is_no_object_is_what_iterations_read() -> None:
    inner = branch("I", {"Type": "Pass", "InputPath": "$.orderId"})
    each = {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": inner}
    assert found(chain({**each, "ItemSelector": ["x"]})) == [
        ("DATA_CANNOT_EXIST", '$.orderId cannot exist in state "I"')
    ]
    assert found(chain({**each, "ItemSelector": {"orderId.$": "$$.Map.Item.Value"}})) == []
    jsonata = {"Type": "Map", "QueryLanguage": "JSONata", "ItemSelector": "{% $states.context.Map.Item.Value %}"}
    assert found(chain({**jsonata, "ItemProcessor": inner})) == []
