"""Masking fields of payloads, and everywhere else where their values hide."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfn_notebook.errors import ExpressionError
from sfn_notebook.history.redact import MASK, Redaction, redact

SECRET = 'hunter2-äöü"x'


def event(member: str = "stateEnteredEventDetails", **detail: Any) -> dict[str, Any]:
    return {"type": "PassStateEntered", "id": 2, "previousEventId": 0, member: detail}


def masked(value: Any, *paths: str) -> Any:
    return Redaction(paths).value(value)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$.a", {"a": MASK, "b": [{"a": 2}, {"c": {"a": 3}}], "d e": 4}),
        ("$..a", {"a": MASK, "b": [{"a": MASK}, {"c": {"a": MASK}}], "d e": 4}),
        ("$.b[*].a", {"a": {"a": 1}, "b": [{"a": MASK}, {"c": {"a": 3}}], "d e": 4}),
        ("$.b[0]", {"a": {"a": 1}, "b": [MASK, {"c": {"a": 3}}], "d e": 4}),
        ("$.b[-1].c", {"a": {"a": 1}, "b": [{"a": 2}, {"c": MASK}], "d e": 4}),
        ("$['d e']", {"a": {"a": 1}, "b": [{"a": 2}, {"c": {"a": 3}}], "d e": MASK}),
        ("$[\"d e\", 'a']", {"a": MASK, "b": [{"a": 2}, {"c": {"a": 3}}], "d e": MASK}),
        ("$.*", {"a": MASK, "b": MASK, "d e": MASK}),
        ("$..*", {"a": MASK, "b": MASK, "d e": MASK}),
        ("$.a.a", {"a": {"a": MASK}, "b": [{"a": 2}, {"c": {"a": 3}}], "d e": 4}),
        ("$..c.a", {"a": {"a": 1}, "b": [{"a": 2}, {"c": {"a": MASK}}], "d e": 4}),
        ("$..[1]", {"a": {"a": 1}, "b": [{"a": 2}, MASK], "d e": 4}),
        ("$.x..a", {"a": {"a": 1}, "b": [{"a": 2}, {"c": {"a": 3}}], "d e": 4}),
        ("$.A", {"a": {"a": 1}, "b": [{"a": 2}, {"c": {"a": 3}}], "d e": 4}),
    ],
)
def test_each_form_of_path_masks_what_it_names(path: str, expected: Any) -> None:
    value = {"a": {"a": 1}, "b": [{"a": 2}, {"c": {"a": 3}}], "d e": 4}
    before = copy.deepcopy(value)
    assert masked(value, path) == expected
    assert value == before


@pytest.mark.parametrize(
    ("path", "position"),
    [
        ("a.b", 0),
        ("", 0),
        ("$", 0),
        ("$.", 1),
        ("$.a..", 3),
        ("$.a[?(@.b == 1)]", 3),
        ("$.a[0:2]", 3),
        ("$.a[", 3),
        ("$.a b", 3),
    ],
)
def test_a_path_that_is_none_is_refused_where_it_goes_wrong(path: str, position: int) -> None:
    with pytest.raises(ExpressionError, match=r"^a path to redact") as caught:
        Redaction([path])
    assert caught.value.position == position


def test_all_payloads_of_an_event_are_masked_and_what_has_no_secret_stays_as_it_was_written() -> None:
    given = event(input='{"password": 1, "b": 2}', output='{ "b":  2 }', parameters='[{"password": null}]')
    assert redact([given], ["$..password"]) == [
        event(input='{"password":"***","b":2}', output='{ "b":  2 }', parameters='[{"password":"***"}]')
    ]


def test_variables_are_one_object() -> None:
    given = event(
        "stateExitedEventDetails",
        name="A",
        assignedVariables={"token": '"abcd"', "user": '{"token":1,"n":2}', "n": " 1"},
    )
    assert redact([given], ["$.token"]) == [
        event(
            "stateExitedEventDetails",
            name="A",
            assignedVariables={"token": '"***"', "user": '{"token":1,"n":2}', "n": " 1"},
        )
    ]
    (deep,) = redact([given], ["$..token"])
    assert deep["stateExitedEventDetails"]["assignedVariables"] == {
        "token": '"***"',
        "user": '{"token":"***","n":2}',
        "n": " 1",
    }


def test_json_in_strings_is_masked_however_deep() -> None:
    body = json.dumps({"Message": json.dumps({"password": SECRET, "n": 1})})
    given = event(
        input=json.dumps({"Records": [{"body": body}]}), cause=json.dumps({"Input": json.dumps({"password": SECRET})})
    )
    (found,) = redact([given], ["$..password"])
    assert SECRET not in json.dumps(found, ensure_ascii=False).replace("\\", "")
    detail = found["stateEnteredEventDetails"]
    assert json.loads(json.loads(json.loads(detail["input"])["Records"][0]["body"])["Message"]) == {
        "password": MASK,
        "n": 1,
    }
    assert json.loads(json.loads(detail["cause"])["Input"]) == {"password": MASK}


def test_copies_in_error_texts_are_masked_in_all_events() -> None:
    events = [
        event(cause="the login of ann with hunter2 failed", error="Bad4711"),
        event(input='{"password":"hunter2","pin":4711,"no":12}'),
    ]
    found = redact(events, ["$.password", "$.pin", "$.no"])
    assert found[0] == event(cause="the login of ann with *** failed", error="Bad***")


def test_error_texts_that_quote_json_lose_only_the_secret() -> None:
    text = 'The JSONPath \'$.x\' could not be found in the input \'{"password": "abcd", "b": [1]}\' (entered at #4)'
    (found,) = redact([event("executionFailedEventDetails", cause=text)], ["$..password"])
    assert found["executionFailedEventDetails"]["cause"] == (
        'The JSONPath \'$.x\' could not be found in the input \'{"password":"***","b":[1]}\' (entered at #4)'
    )


@pytest.mark.parametrize(
    "text",
    [
        'found in {"a": 1, "password": "abcd',
        "found in {a=1, password=abcd}",
        'found in {"a": {"password": \'abcd\'}}',
        'in [{\\"password\\": \\"abcd\\"',
    ],
)
def test_error_texts_that_quote_something_cut_or_foreign_lose_all_of_it(text: str) -> None:
    (found,) = redact([event("executionFailedEventDetails", cause=text)], ["$..password"])
    cause = found["executionFailedEventDetails"]["cause"]
    assert "abcd" not in cause
    assert cause.endswith(" ***")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GET /x?password=abcd&b=1 failed", "GET /x?password=***&b=1 failed"),
        ("password: abcd", "password: ***"),
        ("password = 'abcd', b", "password = '***', b"),
        ('wrong {"a": 1} with password=abcd', 'wrong {"a": 1} with password=***'),
    ],
)
def test_values_that_plain_text_gives_to_the_field_are_masked(text: str, expected: str) -> None:
    (found,) = redact([event("executionFailedEventDetails", cause=text)], ["$..password"])
    assert found["executionFailedEventDetails"]["cause"] == expected


def test_error_texts_that_only_speak_of_the_field_stay() -> None:
    text = "[ERROR] KeyError: 'password' is not in {a, b}"
    (found,) = redact([event("executionFailedEventDetails", cause=text)], ["$..password"])
    assert found["executionFailedEventDetails"]["cause"] == text


def test_a_cut_payload_is_masked_as_a_whole_if_the_secret_may_be_in_it() -> None:
    given = event(input='{"password": "abcd", "b', output='{"b": "abcd', inputDetails={"truncated": True})
    assert redact([given], ["$..password"]) == [
        event(input='"***"', output='{"b": "abcd', inputDetails={"truncated": True})
    ]
    assert redact([given], ["$..*"]) == [event(input='"***"', output='"***"', inputDetails={"truncated": True})]


def test_a_payload_too_deep_to_read_is_masked_as_a_whole() -> None:
    for depth in (600, 5000):  # too deep for the walk; for the parser
        deep = "[" * depth + '{"password":"abcd"}' + "]" * depth
        (found,) = redact([event(input=deep, output=deep, assignedVariables={"v": deep}, cause=deep)], ["$..password"])
        assert "abcd" not in str(found)
    assert found["stateEnteredEventDetails"]["input"] == '"***"'
    value: Any = {"password": "abcd"}
    for _ in range(5000):
        value = [value]
    assert Redaction(["$..password"]).value(value) == MASK


def test_a_name_spelled_with_escapes_is_the_same_name() -> None:
    (found,) = redact([event(input='{"p\\u0061ssword":"abcd"}')], ["$.password"])
    assert found["stateEnteredEventDetails"]["input"] == '{"password":"***"}'


def test_events_without_payloads_and_unknown_ones_stay() -> None:
    events: list[dict[str, Any]] = [
        {"type": "MapStateSucceeded", "id": 1},
        {"type": "New", "newEventDetails": {"input": '{"a":1}', "x": 1}},
        {"type": "Odd", "details": 5},
    ]
    assert redact(events, ["$.b"]) == events
    assert redact(events, ["$.a"])[1] == {"type": "New", "newEventDetails": {"input": '{"a":"***"}', "x": 1}}


def test_parsed_payloads_are_masked_too() -> None:
    assert redact([event(input={"a": 1, "b": 2})], ["$.a"]) == [event(input={"a": MASK, "b": 2})]


def test_without_paths_nothing_changes_and_the_mask_can_be_chosen() -> None:
    given = [event(input='{"a":1}')]
    assert redact(given, []) == given
    assert redact(given, ["$.a"], mask="(hidden)") == [event(input='{"a":"(hidden)"}')]
    assert redact(given, "$.a") == [event(input='{"a":"***"}')]
    assert not Redaction([])
    assert Redaction(["$.a", "$.b"]).name == Redaction(["$.b", "$.a", "$.a"]).name != Redaction(["$.a"]).name


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["secret", "a", "b c"]), inner, max_size=3)
    ),
    max_leaves=20,
)


def secrets_in(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [item for key, item in value.items() if key == "secret"] + [
            s for item in value.values() for s in secrets_in(item)
        ]
    return [s for item in value for s in secrets_in(item)] if isinstance(value, list) else []


@given(JSON)
def test_nothing_is_left_under_the_name_nothing_else_changes_and_twice_is_once(value: Any) -> None:
    redaction = Redaction(["$..secret"])
    once = redaction.value(value)
    assert all(secret == MASK for secret in secrets_in(once))
    assert redaction.value(once) == once
    if not secrets_in(value):
        assert once is value or once == value
    assert json.loads(redaction.text(json.dumps(value))) == once
