import json
import pickle
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfn_notebook.asl.source import Document, from_value, parse, read
from sfn_notebook.errors import CommandError, DefinitionError, Json, Span

KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | KEYS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=15,
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=5)


def slice_at(text: str, span: Span) -> str:
    lines = text.split("\n")
    if span.line == span.end_line:
        return lines[span.line - 1][span.column - 1 : span.end_column - 1]
    inner = lines[span.line : span.end_line - 1]
    return "\n".join([lines[span.line - 1][span.column - 1 :], *inner, lines[span.end_line - 1][: span.end_column - 1]])


def at(value: Json, pointer: str) -> Json:
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value


def pointers(value: Json, pointer: str = "") -> Iterator[str]:
    yield pointer
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from pointers(inner, f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}")
    if isinstance(value, list):
        for i, inner in enumerate(value):
            yield from pointers(inner, f"{pointer}/{i}")


@given(OBJECTS, st.sampled_from([None, 0, 1, 4]), st.booleans())
def test_the_text_at_every_span_is_the_json_of_that_value(value: Json, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    document = parse(text)
    assert document.value == value
    assert set(document.spans) == set(pointers(value))
    for pointer, span in document.spans.items():
        assert json.loads(slice_at(text, span)) == at(value, pointer)
    assert set(document.key_spans) == {
        p for p in pointers(value) if p and isinstance(at(value, p.rpartition("/")[0]), dict)
    }
    for pointer, span in document.key_spans.items():
        key = pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~")
        assert json.loads(slice_at(text, span)) == key


FEW_KEYS = st.sampled_from(["a", "b", "a b", "a/b", "1", "é", '"', '"a', "a\\", ":", "\\u0061"])
NESTED = st.recursive(
    FEW_KEYS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FEW_KEYS, inner, max_size=4), max_leaves=12
)


@settings(max_examples=400)
@given(st.dictionaries(FEW_KEYS, NESTED), st.sampled_from([None, 1]), st.booleans(), st.data())
def test_a_single_place_is_that_of_the_whole_scan(
    value: Json, indent: int | None, ascii_only: bool, data: st.DataObject
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    whole, document = parse(text), parse(text)
    for pointer in data.draw(st.permutations(list(pointers(value)))):
        assert document.locate(pointer) == whole.spans[pointer]
        assert document.locate(pointer, key=True) == whole.key_spans.get(pointer, whole.spans[pointer])
        assert document.locate(pointer + "/zz") == whole.spans[pointer]
        assert document.locate(pointer + "/zz", key=True) == whole.spans[pointer]


@given(OBJECTS)
def test_json_as_yaml_text_has_the_same_value_and_pointers(value: Json) -> None:
    import yaml

    text = yaml.safe_dump(value, sort_keys=False, default_style='"', allow_unicode=True)
    if not value:
        return
    # Every scalar of this dump is quoted, so that all of them come back as strings.
    document = parse(text)
    assert document.format == "yaml"
    assert set(document.spans) == set(pointers(document.value))
    for pointer, span in document.spans.items():
        if isinstance(at(document.value, pointer), str):
            assert yaml.safe_load(slice_at(text, span)) == at(document.value, pointer)


def outcome(text: str) -> Document | DefinitionError:
    try:
        return parse(text)
    except DefinitionError as error:
        return error


@given(st.text(max_size=80))
def test_parse_raises_nothing_but_definition_errors(text: str) -> None:
    found = outcome(text)
    if isinstance(found, DefinitionError):
        assert len(found.diagnostics) == 1
        assert str(pickle.loads(pickle.dumps(found))) == str(found)
    else:
        assert isinstance(found.value, dict)


@settings(max_examples=300)
@given(
    st.text(alphabet="{}[]:,\"'ab1-.eE \n\t&*!|>#?\\u", max_size=60), st.sampled_from(["", "{", "a: ", "- ", '{"a": '])
)
def test_parse_raises_nothing_but_definition_errors_on_nearly_json_and_nearly_yaml(text: str, start: str) -> None:
    found = outcome(start + text)
    if isinstance(found, DefinitionError):
        assert len(found.diagnostics) == 1
    else:
        assert all(found.locate(pointer).line >= 1 for pointer in pointers(found.value))


BROKEN = {
    "missing comma": ('{"StartAt": "A"\n »"States": {}}', 'a comma is missing before "States"'),
    "trailing comma": ('{"StartAt": "A"»,\n}', "trailing comma"),
    "trailing comma in a list": ('{"a": [1»,]}', "trailing comma"),
    "two commas": ('{"a": 1,»,"b": 2}', "second comma"),
    "single quotes": ("{»'StartAt': 'A'}", "single quote"),
    "typographic quotes": ("{»“StartAt”: 1}", "typographic quote"),
    "bare key": ('{»StartAt: "A"}', "expected a key in double quotes"),
    "unclosed string": ('{"StartAt": »"A,\n "States": {}}', "not closed before the end of its line"),
    "unclosed last string": ('{"StartAt": »"A', "never closed"),
    "unclosed brace": ('{"a": {"b": 1»', "the { of line 1, column 7 is never closed"),
    "wrong bracket": ('{"a": [1»}', "the [ of line 1, column 7 wants ]"),
    "comment and more": ('{// what\n"a": »}', "expected a value"),
    "open block comment": ('{"a": 1, »/* what "b": 2}', "no comments"),
    "hash comment": ('{"a": 1 »# what\n}', "no comments"),
    "python word": ('{"a": »True}', "True is no JSON value"),
    "not a number": ('{"a": "NaN", "b": [»NaN]}', "NaN is no JSON value"),
    "infinity": ('{"a": »-Infinity}', "-Infinity is no JSON value"),
    "too large": ('{"a": »1e999}', "too large"),
    "leading zero": ('{"a": »01}', "01 is no JSON value"),
    "too many digits": ('{"a": »' + "1" * 5000 + "}", "more digits"),
    "no value": ('{"a": »}', "expected a value"),
    "no colon": ('{"a" »1}', "expected : after the key"),
    "two values": ('{"a": "b"»: "c"}', "expected , or } after the value"),
    "bad escape": ('{"a": "»\\x"}', "no escape"),
    "tab in a string": ('{"a": "»\t"}', "a tab inside a string"),
    "text after the end": ('{"a": 1} »}', "ends before this"),
    "half a surrogate pair": ('{"a": "»\\ud800"}', "surrogate pair"),
    "the other half": ('{"a": "\\ud83d\\ude00»\\udc00"}', "surrogate pair"),
    "replacement character": ('{"a": »\ufffd}', "another encoding"),
    "list": ("»[1]", "Definition must be a valid JSON object"),
    "number": ("»42", "Definition must be a valid JSON object"),
    "word": ("»hello", "Definition must be a valid JSON object"),
    "nothing": ("» \n", "Definition must be a valid JSON object"),
    "yaml tag": ("a: »!Sub x", "the YAML tag !Sub"),
    "yaml python tag": ("a: »!!python/name:os.system", "the YAML tag !!python"),
    "yaml number key": ("a:\n  »1: x", "the key 1 is not a string"),
    "yaml list key": ("? »[a]\n: b", "a key is a mapping or a list"),
    "yaml second document": ("a: 1\n»---\nb: 2", "second YAML document"),
    "yaml tab": ("a:\n»\tb: 1", "a tab where YAML wants spaces"),
    "yaml not a number": ("a: ».nan", ".nan is not a JSON number"),
    "yaml unknown alias": ("a: »*x", "no anchor &x"),
    "yaml alias to itself": ("a: &x\n  b: »*x", "refers to itself"),
    "yaml colon": ("a: b»: c", "mapping values are not allowed"),
    "yaml only comments": ("»# nothing", "Definition must be a valid JSON object"),
}


@pytest.mark.parametrize(("marked", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_text_gives_one_message_at_the_right_place(
    unmark: Callable[[str], tuple[str, int, int]], marked: str, message: str
) -> None:
    text, line, column = unmark(marked)
    with pytest.raises(DefinitionError) as caught:
        parse(text)
    (diagnostic,) = caught.value.diagnostics
    assert message in diagnostic.message
    assert (diagnostic.line, diagnostic.column) == (line, column)
    assert "^" in str(caught.value)


def test_the_codes_tell_syntax_from_shape() -> None:
    with pytest.raises(DefinitionError) as syntax:
        parse("{")
    with pytest.raises(DefinitionError) as shape:
        parse("[]")
    assert syntax.value.diagnostics[0].code == "INVALID_JSON_DESCRIPTION"
    assert shape.value.diagnostics[0].code == "SCHEMA_VALIDATION_FAILED"


HOPELESS = {
    "json lists": ("[" * 10_000, "nested deeper"),
    "json objects": ('{"a":' * 10_000 + "1" + "}" * 10_000, "nested deeper"),
    "json inside a definition": ('{"a": ' + "[" * 10_000 + "]" * 10_000 + "}", "nested deeper"),
    "yaml flow": ("a: " + "[" * 10_000, "nested deeper"),
    "yaml block": ("- " * 10_000, "nested deeper"),
    "20 MiB of json": ('{"a": "' + "x" * (20 << 20) + '"}', "20.0 MiB"),
    "20 MiB of yaml": ("a: " + "x" * (20 << 20), "20.0 MiB"),
    "binary": ("\x7fELF\x00\x01", "binary"),
    "lone surrogate": ('{"a": "\ud800"}', "lone surrogate"),
    "yaml bomb": (
        "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 64)),
        "aliases",
    ),
    "yaml deep aliases": (
        "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [[[[*a{i - 1}]]]]\n" for i in range(1, 99)),
        "aliases nest",
    ),
}


@pytest.mark.parametrize(("text", "message"), HOPELESS.values(), ids=HOPELESS)
def test_a_hopeless_text_is_refused_fast_and_clearly(text: str, message: str) -> None:
    started = time.perf_counter()
    with pytest.raises(DefinitionError, match=message) as caught:
        parse(text)
    assert time.perf_counter() - started < 2
    assert len(str(caught.value)) < 1000


def test_the_pure_python_yaml_parser_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    import yaml

    text = "a: &x [1, ~, 'y']\nb: *x\nc: {<<: {d: 1}, e: 2021-01-01}\n"
    expected = parse(text)
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    found = parse(text)
    assert found.value == expected.value == {"a": [1, None, "y"], "b": [1, None, "y"], "c": {"d": 1, "e": "2021-01-01"}}
    assert dict(found.spans) == dict(expected.spans)


def test_yaml_scalars_follow_json_and_nothing_else() -> None:
    text = "\n".join(
        f"- {scalar}"
        for scalar in [
            "2024-01-01",
            "12:30:00",
            "yes",
            "on",
            "010",
            "0x1F",
            "1_000",
            "+1",
            "1.",
            "1",
            "-2.5",
            "1e3",
            "true",
            "null",
            "~",
            "",
            '"1"',
            "'true'",
            "!!str 1",
        ]
    )
    assert parse("a:\n" + text).value["a"] == [
        "2024-01-01", "12:30:00", "yes", "on", "010", "0x1F", "1_000", "+1", "1.", 1, -2.5, 1000.0, True, None, None, None, "1", "true", "1",
    ]  # fmt: skip


def test_yaml_words_may_be_keys() -> None:
    assert parse("on: 1\nyes: 2\n'1': 3").value == {"on": 1, "yes": 2, "1": 3}


def test_positions_in_yaml_blocks_end_with_their_last_value() -> None:
    document = parse("States:\n  Wait:\n    Type: Wait\n\n# end\nStartAt: Wait\n")
    assert document.spans["/States/Wait"] == Span(3, 5, 3, 15)
    assert document.key_spans["/States/Wait"] == Span(2, 3, 2, 7)


def test_a_byte_order_mark_is_kept_in_the_text_and_not_in_the_way() -> None:
    for text in ('\ufeff{"a": 1}', "\ufeffa: 1"):
        document = parse(text)
        assert document.text == text
        assert document.value == {"a": 1}
        assert slice_at(text, document.spans["/a"]) == "1"


def test_repeated_keys_are_listed_and_the_last_one_counts() -> None:
    for text in ('{"a": {"x": 1},\n "b": 2,\n "a": {"y": 3}}', "a: {x: 1}\nb: 2\na: {y: 3}"):
        document = parse(text)
        assert document.value == {"a": {"y": 3}, "b": 2}
        assert [(d.pointer, d.span.line) for d in document.duplicates] == [("/a", 3)]
        assert set(document.spans) == {"", "/a", "/a/y", "/b"}
        assert document.key_spans["/a"].line == 3


def test_a_text_without_repeated_keys_has_no_duplicates() -> None:
    assert parse('{"a": {"a": 1}}').duplicates == ()


@pytest.mark.parametrize(
    "marked",
    [
        '{"a": "x»y"}',
        r'{"a": "\"»y"}',
        r'{"a": "\u0041»y"}',
        r'{"a": "\ud83d\ude00»y"}',
        "a: x»y",
        "a: 'x»y'",
        'a: "x»y"',
    ],
)
def test_a_character_inside_a_string_is_found_through_quotes_and_escapes(
    unmark: Callable[[str], tuple[str, int, int]], marked: str
) -> None:
    text, line, column = unmark(marked)
    span = parse(text).locate_inside("/a", 1)
    assert (span.line, span.column) == (line, column)


def test_a_place_that_is_not_in_the_text_is_located_at_what_holds_it() -> None:
    document = parse("a: &x {b: 1}\nc: *x")
    assert document.locate("/c/b").line == 2
    assert document.locate("/c/zzz", key=True).line == 2


def test_a_dict_gets_the_text_that_it_would_be_written_as() -> None:
    document = from_value({"a": [1]})
    assert document.text == '{\n  "a": [\n    1\n  ]\n}'
    assert document.spans["/a/0"] == Span(3, 5, 3, 6)
    assert document.duplicates == ()


def loop() -> Json:
    value: dict[str, Json] = {}
    value["a"] = value
    return value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([1], "valid JSON object"),
        (None, "valid JSON object"),
        ({"a": {1, 2}}, 'a set is no JSON value at "/a"'),
        ({"a": [float("nan")]}, 'nan is no JSON value at "/a/0"'),
        ({1: 2}, "the key 1 is not a string"),
        ({"a": "\ud800"}, "lone surrogate"),
        (loop(), "nested deeper"),
    ],
)
def test_a_value_that_json_cannot_say_is_refused(value: Json, message: str) -> None:
    with pytest.raises(DefinitionError, match=message):
        from_value(value)


def test_read_tells_paths_from_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("machine.asl.json").write_text('{"a": 1}')
    Path("plain").write_bytes(b"\xef\xbb\xbfa: 1")
    Path("wide.yaml").write_text("a: 1", encoding="utf-16")
    for form in (
        "machine.asl.json",
        Path("machine.asl.json"),
        "plain",
        "wide.yaml",
        '{"a": 1}',
        "a: 1",
        b"a: 1",
        {"a": 1},
    ):
        assert read(form).value == {"a": 1}
    assert read("machine.asl.json").name == "machine.asl.json"


def test_read_says_what_is_wrong_with_a_file(tmp_path: Path) -> None:
    (tmp_path / "order.asl.json").write_text("{")
    (tmp_path / "latin.yaml").write_bytes("a: 1\nb: é".encode("latin-1"))
    (tmp_path / "picture.json").write_bytes(b"\x89PNG\x00\xff")
    with (tmp_path / "large.json").open("wb") as file:
        file.truncate(100 << 20)
    with pytest.raises(
        DefinitionError, match=r"there is no file .*ordr\.asl\.json \(did you mean .*order\.asl\.json\?\)"
    ):
        read(str(tmp_path / "ordr.asl.json"))
    with pytest.raises(DefinitionError, match="there is no folder"):
        read(tmp_path / "no" / "x.json")
    with pytest.raises(DefinitionError, match="is a directory"):
        read(tmp_path)
    with pytest.raises(DefinitionError, match=r"latin\.yaml: 2:4: error: the byte 0xE9 is no UTF-8"):
        read(tmp_path / "latin.yaml")
    with pytest.raises(DefinitionError, match="binary"):
        read(tmp_path / "picture.json")
    with pytest.raises(DefinitionError, match=r"100\.0 MiB"):
        read(tmp_path / "large.json")


def test_an_arn_is_read_with_what_fetches_it_and_not_without() -> None:
    arn = "arn:aws:states:us-east-1:123456789012:stateMachine:orders"
    with pytest.raises(CommandError, match="fetched from AWS"):
        read(arn)
    document = read(arn, fetch={arn: '{"StartAt": "A"}'}.__getitem__)
    assert (document.value, document.name) == ({"StartAt": "A"}, "orders")


def test_positions_are_not_computed_before_somebody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sfn_notebook.asl.jsontext.scan", lambda *_: pytest.fail("scanned"))
    assert parse('{"a": 1}').duplicates == ()


def test_a_long_line_is_placed_in_time() -> None:
    text = '{"a": "' + "x" * 1_000_000 + '", "b": 1}'
    started = time.perf_counter()
    assert parse(text).locate("/b").column == len(text) - 1
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    "head", ["// hi\n", "/* c */ ", "/* a\n b */\n// c\n\n", "\ufeff// hi\n"], ids=["line", "block", "both", "mark"]
)
def test_json_may_begin_with_comments(head: str) -> None:
    document = parse(head + '{"StartAt": "A",\n "States": {"A": {"Type": "Succeed"}}}')
    assert document.format == "json"
    assert [notice.message for notice in document.notices] == ["JSON has no comments"]
    assert document.place(document.notices[0].offset, 2).line == 1
    assert document.locate("/States").line == head.count("\n") + 2


def test_json_behind_comments_has_the_errors_of_json() -> None:
    with pytest.raises(DefinitionError) as caught:
        parse('// hi\n{"StartAt": }')
    found = caught.value.diagnostics[0]
    assert (found.line, found.column, found.message) == (2, 13, "expected a value, found }")


def test_many_slashes_are_refused_fast() -> None:
    started = time.perf_counter()
    for text in ("/" * 50_000 + "\nx", "/**/" * 50_000 + "x", "/*" * 50_000):
        with pytest.raises(DefinitionError):
            parse(text)
    assert time.perf_counter() - started < 5
