import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfn_notebook.errors import CommandError, RunError
from sfn_notebook.notebook.arguments import split
from sfn_notebook.notebook.values import read_value, read_variable

VARIABLES: dict[str, Any] = {
    "order": {"lines": [{"sku": "a"}, {"sku": "b"}]},
    "box": SimpleNamespace(size=3),
    "nothing": None,
}

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("order", VARIABLES["order"]),
        ('order["lines"][1]["sku"]', "b"),
        ("order['lines'][-1]['sku']", "b"),
        ("box.size", 3),
        ("nothing", None),
        ('{"a": 1}', {"a": 1}),
        ("'{\"a\": 1}'", {"a": 1}),
        (r'"{\"a\": 1}"', {"a": 1}),
        ("[1, 2]", [1, 2]),
        ("-5", -5),
        ("1.5e3", 1500.0),
        ("true", True),
        ("null", None),
        ('"order"', "order"),
        ("'order'", "order"),
        ("'5'", "5"),
        ("'\"quoted\"'", "quoted"),
        ('""', ""),
    ],
)
def test_a_word_is_a_variable_json_or_text(word: str, value: object) -> None:
    assert read_value(word, VARIABLES) == value


@given(st.dictionaries(st.text(max_size=5), JSON_VALUES, max_size=3))
def test_json_may_stand_bare_on_a_line_or_in_quotes(value: dict[str, Any]) -> None:
    text = json.dumps(value)
    bare = split(f"--input {text} --seed 1")
    assert bare[0::2] == ["--input", "--seed"]
    assert read_value(bare[1], {}) == value
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    assert read_value(split(f'--input "{escaped}"')[1], {}) == value


def test_a_variable_that_is_named_like_the_start_of_json_is_a_variable() -> None:
    assert read_value("trueish", {"trueish": 1}) == 1
    assert read_value("nullable", {"nullable": 2}) == 2


def test_an_at_sign_reads_a_file(tmp_path: Path) -> None:
    (tmp_path / "in put.json").write_text('\ufeff{"é": 1}', encoding="utf-8")
    (tmp_path / "wide.json").write_text('{"é": 1}', encoding="utf-16")
    assert read_value(f'"@{tmp_path}/in put.json"', {}) == {"é": 1}
    assert read_value(f"@{tmp_path}/wide.json", {}) == {"é": 1}


@pytest.mark.parametrize(
    ("word", "error", "message"),
    [
        ("ordr", CommandError, r"there is no variable 'ordr' \(did you mean order\?\)"),
        ("order.lines", CommandError, "order.lines leads nowhere: AttributeError"),
        ("order['x']", CommandError, "leads nowhere: KeyError: 'x'"),
        ("box[0]", CommandError, "leads nowhere: TypeError"),
        ("f(1)", CommandError, r"takes a Python variable, @file or JSON, but found 'f\(1\)'"),
        ("order + box", CommandError, r"takes a Python variable, @file or JSON"),
        ("order[box]", CommandError, r"takes a Python variable, @file or JSON"),
        ("True", CommandError, "JSON writes True as true"),
        ("None", CommandError, "JSON writes None as null"),
        ("<html>", CommandError, "takes a Python variable"),
        ("@", RunError, "after @ stands the name of a file"),
        ("@nowhere.json", RunError, "there is no file nowhere.json"),
        ("@/", RunError, "cannot read /"),
        ('{"a": }', RunError, r"--input is not JSON: .* line 1, column 7\n1 \| \{\"a\": \}\n  \|       \^$"),
        ("{'a': 1}", RunError, "this is Python, not JSON: put it into a variable"),
        ("{a: 1}", RunError, "JSON needs double quotes around names"),
        ("NaN", RunError, "NaN is no JSON value"),
        ("-Infinity", RunError, "-Infinity is no JSON value"),
        ("[" * 100_000, RunError, "nested too deeply"),
    ],
)
def test_what_is_no_data_is_one_clear_error(word: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        read_value(word, VARIABLES)


def test_a_binary_file_is_no_json(tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(bytes(range(128, 256)))
    with pytest.raises(RunError, match=r"is no text: the byte 0x80 at offset 0 is not UTF-8"):
        read_value(f"@{tmp_path}/data", {})


def test_a_missing_file_has_a_near_neighbour(tmp_path: Path) -> None:
    (tmp_path / "order.json").write_text("{}")
    with pytest.raises(RunError, match=r"there is no file .*oder.json; did you mean .*order.json\?"):
        read_value(f"@{tmp_path}/oder.json", {})


def test_an_option_is_named_as_the_user_wrote_it() -> None:
    with pytest.raises(CommandError, match=r"^--handlers: there is no variable 'h'"):
        read_variable("h", {}, "--handlers")
