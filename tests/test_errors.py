"""Errors as data: carets under the exact text, messages of definition errors, no traceback in notebooks, pickles."""

import pickle

import pytest

from sfn_notebook.errors import (
    AwsError,
    CommandError,
    DefinitionError,
    Diagnostic,
    ExpressionError,
    MissingExtra,
    RunError,
    Severity,
    SfnError,
    caret,
)

TEXT = '{\n  "StartAt": "A",\n  "States": {}\n}'
WRONG = Diagnostic("MISSING_TRANSITION_TARGET", Severity.ERROR, "no such state", "/StartAt", 2, 14, "add it", length=3)
UNUSUAL = Diagnostic("UNUSUAL", Severity.WARNING, "looks odd", "/States", 3, 3)


@pytest.mark.parametrize(
    ("line", "column", "length", "picture"),
    [
        (2, 14, 3, '2 |   "StartAt": "A",\n  |              ^^^'),
        (1, 1, 1, "1 | {\n  | ^"),
        (4, 1, 99, "4 | }\n  | ^"),
        (5, 1, 1, ""),
        (0, 0, 1, ""),
    ],
)
def test_the_caret_stands_under_the_exact_text(line: int, column: int, length: int, picture: str) -> None:
    assert caret(TEXT, line, column, length) == picture


def test_the_caret_line_is_cut_around_the_column_of_minified_text() -> None:
    text = "x" * 5000 + "HERE" + "y" * 5000
    shown, under = caret(text, 1, 5001, 4).split("\n")
    assert len(shown) < 120
    at = under.index("^")
    assert shown[at : at + 4] == "HERE"
    assert under.count("^") == 4
    assert shown.startswith("1 | …")
    assert shown.endswith("…")


def test_a_tab_counts_as_one_column_under_the_caret() -> None:
    shown, under = caret('\t\t"Next": 1', 1, 3, 6).split("\n")
    at = under.index("^")
    assert shown[at : at + 6] == '"Next"'


def test_a_caret_after_the_end_of_a_line_and_windows_line_ends_are_drawn() -> None:
    assert caret("{}\r\n[1,\r\n", 2, 4) == "2 | [1,\n  |    ^"


def test_a_diagnostic_is_one_line_with_position_severity_hint_and_code() -> None:
    assert str(WRONG) == "2:14: error: no such state (add it) [MISSING_TRANSITION_TARGET]"
    assert str(Diagnostic("C", Severity.WARNING, "text")) == "warning: text [C]"


def test_a_severity_is_text() -> None:
    assert Severity.ERROR == "ERROR"
    assert f"{Severity.WARNING}" == "WARNING"


def test_a_definition_error_shows_its_errors_with_carets_and_leaves_warnings_out() -> None:
    error = DefinitionError([UNUSUAL, WRONG], TEXT, "orders")
    text = str(error)
    assert text.startswith("orders: 2:14: error: no such state")
    assert "^^^" in text
    assert "looks odd" not in text
    assert error.diagnostics == (UNUSUAL, WRONG)


def test_a_definition_error_of_warnings_alone_still_says_something() -> None:
    assert "looks odd" in str(DefinitionError([UNUSUAL]))


def test_a_definition_error_of_a_hundred_problems_stays_readable() -> None:
    text = str(DefinitionError([WRONG] * 100, None))
    assert text.count("no such state") == 20
    assert text.endswith("… and 80 more")


@pytest.mark.parametrize(
    "error",
    [
        DefinitionError([WRONG], TEXT, "orders"),
        ExpressionError("unexpected end", "$.a[", 4),
        RunError("no handler"),
        CommandError("no option"),
        AwsError("no access"),
        MissingExtra("pip install it"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_every_error_survives_a_pickle_and_shows_no_traceback_in_notebooks(error: SfnError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)
    assert error._render_traceback_() == [f"{type(error).__name__}: {error}"]
    assert isinstance(error, SfnError)
