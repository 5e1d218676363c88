"""What the tests of asl share: a definition with a mark where the diagnostic must stand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sfn_notebook.asl.check import check
from sfn_notebook.asl.source import parse
from sfn_notebook.errors import Diagnostic, Severity

MARK = "»"


def place_of(marked: str) -> tuple[str, int, int]:
    """Take the mark out of a text; give the text and the line and column where it stood."""
    before, found, after = marked.partition(MARK)
    assert found, "the text needs a mark"
    return before + after, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


@pytest.fixture
def unmark() -> Callable[[str], tuple[str, int, int]]:
    """Take the mark out of a text; give the text and the line and column where it stood."""
    return place_of


@pytest.fixture
def expect() -> Callable[..., Diagnostic]:
    """Check a marked definition: exactly one diagnostic apart from advice, at the mark, with this code and text."""

    def run(marked: str, code: str, message: str, severity: Severity = Severity.ERROR, **options: Any) -> Diagnostic:
        text, line, column = place_of(marked)
        found = check(parse(text), **{"advice": False, **options})
        assert [(d.line, d.column, d.code, d.severity) for d in found] == [(line, column, code, severity)], list(
            map(str, found)
        )
        assert message in found[0].message
        return found[0]

    return run


@pytest.fixture
def clean() -> Callable[..., None]:
    """Check a definition that has nothing wrong with it."""

    def run(text: str, ignore: str = "", **options: Any) -> None:
        found = check(parse(text), **{"advice": False, **options})
        assert [d for d in found if d.code != ignore] == []

    return run
