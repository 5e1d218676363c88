"""Strict JSON at the borders: what is copied as it is, what is converted, what is refused and how the message helps."""

import json
import math
from collections import OrderedDict, UserDict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import PurePosixPath
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfn_notebook.errors import RunError
from sfn_notebook.strictjson import NotJson, copy_json, json_size, json_text, parse_json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


class Colour(Enum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


class Point(NamedTuple):
    x: int
    y: int


@dataclass
class Order:
    id: str
    total: Decimal


class Text(str):
    __slots__ = ()


class Whole(int):
    pass


class NoJson:
    pass


def same(a: Any, b: Any) -> bool:
    """Compare values and their exact types."""
    return json.dumps(a) == json.dumps(b)


@given(JSON)
def test_a_copy_of_json_is_equal_and_shares_nothing_that_can_change(value: Any) -> None:
    copy = copy_json(value)
    assert same(copy, value)
    if isinstance(value, list | dict):
        assert copy is not value


@given(JSON)
def test_text_reads_back_and_its_size_is_counted_in_utf8_bytes(value: Any) -> None:
    text = json_text(value)
    assert same(json.loads(text), value) or "\\ud" in text.lower() or any(0xD800 <= ord(c) <= 0xDFFF for c in text)
    assert json_size(value) == len(text.encode("utf-8", "surrogatepass"))


@given(JSON)
def test_parse_is_the_inverse_of_text(value: Any) -> None:
    assert same(parse_json(json_text(value)), value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": [1, 2.5, "ü", None, True]}, '{"a":[1,2.5,"ü",null,true]}'),
        (10**30, "1" + "0" * 30),
        ("\u2028", '"\u2028"'),
        ("\ud800", '"\ud800"'),
    ],
)
def test_text_is_compact_and_keeps_non_ascii(value: Any, text: str) -> None:
    assert json_text(value) == text


@pytest.mark.parametrize(
    ("value", "copy"),
    [
        ((1, (2, 3)), [1, [2, 3]]),
        (Point(1, 2), [1, 2]),
        (OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
        (UserDict({"a": (1,)}), {"a": [1]}),
        (Colour.RED, "red"),
        (Level.HIGH, 3),
        (Text("t"), "t"),
        (Whole(7), 7),
        (Decimal(2), 2),
        (Decimal("2.50"), 2.5),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05+00:00"),
        (date(2026, 1, 2), "2026-01-02"),
        (time(3, 4), "03:04:00"),
        (UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        (PurePosixPath("/a/b"), "/a/b"),
        (Order("o", Decimal("1.5")), {"id": "o", "total": 1.5}),
        ({"deep": [{"when": date(2026, 1, 2)}]}, {"deep": [{"when": "2026-01-02"}]}),
        (10**30, 10**30),
        ([None, float(2**60)], [None, float(2**60)]),
    ],
    ids=repr,
)
def test_what_python_has_beyond_json_is_converted_as_documented(value: Any, copy: Any) -> None:
    found = copy_json(value)
    assert found == copy
    assert json.dumps(found) == json.dumps(copy)


def test_numpy_and_pandas_scalars_and_arrays_become_plain_numbers() -> None:
    numpy = pytest.importorskip("numpy")
    pandas = pytest.importorskip("pandas")
    value = {
        "i": numpy.int64(3), "f": numpy.float32(0.5), "b": numpy.bool_(True), "a": numpy.array([[1, 2], [3, 4]]),
        "s": pandas.Series([1, 2]), "t": pandas.Timestamp("2026-01-02T03:04:05Z"),
    }  # fmt: skip
    assert copy_json(value) == {
        "i": 3, "f": 0.5, "b": True, "a": [[1, 2], [3, 4]], "s": [1, 2], "t": "2026-01-02T03:04:05+00:00",
    }  # fmt: skip


def test_nan_inside_an_array_of_numpy_is_refused_too() -> None:
    numpy = pytest.importorskip("numpy")
    with pytest.raises(NotJson, match=r"nan at \$\.a\[1\]"):
        copy_json({"a": numpy.array([1.0, math.nan])})


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": [1, math.nan]}, r"the result holds nan at \$\.a\[1\], .* use None"),
        ([math.inf], r"holds inf at \$\[0\]"),
        (-math.inf, r"holds -inf at \$"),
        (Decimal("NaN"), "holds nan"),
        ({"a": {1, 2}}, r"a set at \$\.a, and JSON has no sets; convert it with sorted"),
        (frozenset([1]), "a frozenset"),
        (b"x", r"bytes at \$; convert them with \.decode\(\) or base64"),
        (bytearray(b"x"), "bytes"),
        ({1: "a"}, r"the key 1 of type int at \$; .* str\(key\)"),
        ({"a": {None: 1}}, r"the key None of type NoneType at \$\.a"),
        ([NoJson()], r"NoJson at \$\[0\], which is not JSON"),
        (NoJson, "which is not JSON"),
        (lambda: 1, "which is not JSON"),
        (iter([1]), "which is not JSON"),
        (1 + 2j, "complex"),
    ],
    ids=repr,
)
def test_what_json_cannot_say_is_refused_with_the_place_and_the_way_out(value: Any, message: str) -> None:
    with pytest.raises(NotJson, match=message) as caught:
        copy_json(value, "the result")
    assert str(caught.value).startswith("the result holds") or str(caught.value).startswith("the result has")
    assert isinstance(caught.value, RunError)


def test_a_data_frame_is_refused_with_the_call_that_converts_it() -> None:
    pandas = pytest.importorskip("pandas")
    with pytest.raises(NotJson, match=r"a DataFrame at \$\.rows; convert it with df\.to_dict\('records'\)"):
        copy_json({"rows": pandas.DataFrame({"a": [1]})})


def test_a_value_that_contains_itself_is_refused() -> None:
    loop: list[Any] = []
    loop.append({"again": loop})
    with pytest.raises(NotJson, match="contains itself"):
        copy_json(loop)


def test_nesting_beyond_reason_is_refused_and_reasonable_nesting_is_not() -> None:
    def nested(depth: int) -> Any:
        value: Any = 1
        for _ in range(depth):
            value = [value]
        return value

    assert copy_json(nested(200)) == nested(200)
    with pytest.raises(NotJson, match="nested deeper"):
        copy_json(nested(5000))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": }', r"the input is not JSON: expecting value at line 1, column 7\n1 \| {\"a\": }\n  \|       \^"),
        ('{\n "a": 1,\n}', "line [23]"),
        ("", "line 1, column 1"),
        ("[NaN]", "NaN is no JSON value; use null"),
        ("[Infinity, -Infinity]", "Infinity is no JSON value"),
        ("nope", "expecting value"),
        ("[" * 100_000, "nested too deeply"),
        (b"\xff\xfe\x00", "not JSON"),
        ("{} {}", "extra data at line 1, column 4"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_text_that_is_not_json_is_refused_with_line_column_and_caret(text: str | bytes, message: str) -> None:
    with pytest.raises(NotJson, match=message):
        parse_json(text)


def test_numbers_of_text_keep_their_kind() -> None:
    assert json_text(parse_json("[1, 1.0, 123456789012345678901]")) == "[1,1.0,123456789012345678901]"
