import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfn_notebook.errors import CommandError
from sfn_notebook.notebook.arguments import (
    HelpRequested,
    Parser,
    as_written,
    did_you_mean,
    is_quoted,
    split,
    unquoted,
)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", []),
        ("   ", []),
        ("run orders", ["run", "orders"]),
        ('--input {"a": [1, 2]} --seed 1', ["--input", '{"a": [1, 2]}', "--seed", "1"]),
        ("--input '{\"a\": 1}'", ["--input", "'{\"a\": 1}'"]),
        ('--input="two words"', ['--input="two words"']),
        ('orders["o 1"].x', ['orders["o 1"].x']),
        ("it's fine", ["it's", "fine"]),
        ('{"brace in text": "}"} x', ['{"brace in text": "}"}', "x"]),
        ('{"quote": "\\""} x', ['{"quote": "\\""}', "x"]),
        ('{"a": } x', ['{"a": }', "x"]),
        ('{"a": 1 --seed 2', ['{"a": 1 --seed 2']),
    ],
)
def test_words_end_at_spaces_outside_quotes_and_brackets(line: str, words: list[str]) -> None:
    assert split(line) == words


@pytest.mark.parametrize("line", ['run "orders', "--input 'x", '{"a: 1}'])
def test_a_quote_that_is_never_closed_is_named_with_its_column(line: str) -> None:
    column = min(at for at in (line.find('"'), line.find("'")) if at >= 0) + 1
    with pytest.raises(CommandError, match=rf"at column {column} is never closed"):
        split(line)


@given(st.lists(st.text(st.characters(exclude_characters="\"'\\", exclude_categories=["Cs"]), min_size=1)))
def test_quoted_words_come_back_as_they_were(texts: list[str]) -> None:
    line = " ".join(f'"{text}"' for text in texts)
    assert [unquoted(word) for word in split(line)] == texts


def test_quotes_come_off_with_their_escapes() -> None:
    assert unquoted(r'"say \"hi\" \\ \n"') == r'say "hi" \ \n'
    assert unquoted(r"'as \n it is'") == r"as \n it is"
    assert unquoted("bare") == "bare"
    assert not is_quoted('"')


def make_parser() -> Parser:
    parser = Parser("%demo", "Show how.")
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--input", type=as_written)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--type", choices=("STANDARD", "EXPRESS"))
    return parser


def test_arguments_lose_their_quotes_unless_they_are_data() -> None:
    found = make_parser().read(split('"two words" --input "text" --type "EXPRESS"'))
    assert (found.name, found.input, found.type) == ("two words", '"text"', "EXPRESS")


def test_a_negative_number_is_a_value() -> None:
    assert make_parser().read(["x", "--seed", "-5"]).seed == -5
    assert make_parser().read(["x", "--seed=-5"]).seed == -5


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "x --inptu 1",
            r"%demo: there is no option --inptu \(did you mean --input\?\); the options are --help, --input",
        ),
        ("x --inptu=1", r"no option --inptu \(did you mean --input\?\)"),
        ("x --inp 1", r"no option --inp \(did you mean --input\?\)"),
        ("x --zzzz", r"no option --zzzz; the options"),
        ("x y", r"'y' is one argument too many after NAME"),
        ("", r"%demo: missing: NAME; see %demo --help"),
        ("x --seed many", r"--seed: invalid int value: 'many'"),
        ("x --type EXPRES", r"--type is one of STANDARD, EXPRESS, but found 'EXPRES' \(did you mean EXPRESS\?\)"),
        ("x --seed", r"--seed: expected one argument"),
    ],
)
def test_a_mistake_is_one_message_that_names_what_is_right(line: str, message: str) -> None:
    with pytest.raises(CommandError, match=message) as caught:
        make_parser().read(split(line))
    assert "\n" not in str(caught.value)


def test_help_comes_even_where_arguments_are_missing() -> None:
    with pytest.raises(HelpRequested) as caught:
        make_parser().read(["--help"])
    assert caught.value.text.startswith("usage: %demo [-h] [--input INPUT]")
    assert re.search(r"--type \{STANDARD,EXPRESS\}", caught.value.text)


def test_nothing_is_suggested_where_nothing_is_near() -> None:
    assert did_you_mean("xyzzy", ["run", "show"]) == ""
    assert did_you_mean("RUN", ["run", "show"]) == " (did you mean run?)"


@pytest.mark.parametrize(
    ("before", "word", "dest"),
    [
        ([], "", "name"),
        (["x"], "", None),
        (["--seed"], "", "seed"),
        (["--seed", "1"], "", "name"),
        (["x", "--type"], "E", "type"),
        ([], "--s", None),
    ],
)
def test_a_parser_knows_what_the_next_word_is_for(before: list[str], word: str, dest: str | None) -> None:
    action = make_parser().expected(before, word)
    assert (action.dest if action else None) == dest
