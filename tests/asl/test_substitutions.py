import json

from hypothesis import given
from hypothesis import strategies as st

from sfn_notebook.asl.substitutions import has_placeholder, substitute, unresolved
from sfn_notebook.errors import Json, Span


def test_known_names_are_filled_in_and_others_stay() -> None:
    assert (
        substitute('"${A}-${B.Arn}-${AWS::Region}"', {"A": "x", "AWS::Region": "eu-west-1"}) == '"x-${B.Arn}-eu-west-1"'
    )


def test_what_is_no_string_is_written_as_json() -> None:
    assert substitute('{"Seconds": ${S}, "x": ${T}}', {"S": 5, "T": True}) == '{"Seconds": 5, "x": true}'


def test_literals_and_format_braces_are_left_alone() -> None:
    text = "${!Literal} States.Format('${}', $.x) $${"
    assert substitute(text, {"Literal": "no", "": "no"}) == text
    assert unresolved(text) == ()


@given(st.text())
def test_an_escaped_value_fits_into_a_json_string(value: Json) -> None:
    assert json.loads(substitute('"${A}"', {"A": value}, escape=True)) == value


def test_a_value_is_not_substituted_again() -> None:
    assert substitute("${A}", {"A": "${B}", "B": "no"}) == "${B}"


def test_unresolved_names_have_places() -> None:
    found = unresolved('{"a": "${A}",\n "b": "x${B.c}"}')
    assert [(u.name, u.span) for u in found] == [("A", Span(1, 8, 1, 12)), ("B.c", Span(2, 9, 2, 15))]


def test_only_strings_have_placeholders() -> None:
    assert has_placeholder("arn:${A}")
    assert has_placeholder("${A,B.c}")
    assert not any(map(has_placeholder, ["${A,}", "${A,,}", "${,A}"]))
    assert not any(map(has_placeholder, ["${}", "$A", "${a b}", 5, None, ["${A}"]]))
