import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfn_notebook.asl.source import parse
from sfn_notebook.asl.writing import to_json, to_yaml
from sfn_notebook.errors import Json

KEYS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=6)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(KEYS.filter(lambda key: key != "<<"), VALUES, min_size=1, max_size=5)


@given(OBJECTS)
def test_json_and_yaml_both_read_back_as_the_same_value_in_the_same_order(value: dict[str, Json]) -> None:
    for text in (to_json(value), to_yaml(value)):
        found = parse(text).value
        assert json.dumps(found) == json.dumps(value)


@given(OBJECTS)
def test_going_from_json_to_yaml_and_back_changes_nothing(value: dict[str, Json]) -> None:
    assert to_json(parse(to_yaml(parse(to_json(value)).value)).value) == to_json(value)


@pytest.mark.parametrize(
    "text",
    [
        "1e3",
        "012",
        "0x1F",
        "1_000",
        "12:30:45",
        "yes",
        "on",
        "null",
        "~",
        "2024-01-01",
        ".5",
        "-",
        "=",
        "${X}",
        "{% $a %}",
    ],
)
def test_strings_that_look_like_something_else_stay_strings(text: str) -> None:
    import yaml

    written = to_yaml({"a": text, text: 1})
    assert parse(written).value == {"a": text, text: 1}
    assert yaml.safe_load(written) == {"a": text, text: 1}


def test_yaml_is_written_for_people() -> None:
    value = {"StartAt": "A", "States": {"A": {"Type": "Choice", "Choices": [{"Next": "B"}], "Comment": "one\ntwo\n"}}}
    assert to_yaml(value) == (
        "StartAt: A\nStates:\n  A:\n    Type: Choice\n    Choices:\n      - Next: B\n    Comment: |\n      one\n      two\n"
    )
