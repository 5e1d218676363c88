import importlib
import inspect
import pkgutil

import pytest

from sfn_notebook import asl
from sfn_notebook.asl.check import RULES, check
from sfn_notebook.asl.rule_entry import MARK, Entry
from sfn_notebook.asl.rulebook import BOOK, rules_page
from sfn_notebook.asl.source import parse
from sfn_notebook.errors import Severity

ENTRIES = pytest.mark.parametrize("entry", BOOK, ids=lambda entry: entry.title[:60])
MODULES = tuple(
    importlib.import_module(f"{asl.__name__}.{module.name}")
    for module in pkgutil.iter_modules(asl.__path__)
    if module.name.startswith("rules_")
)


@ENTRIES
def test_the_wrong_example_gives_its_finding_at_the_mark_and_nothing_else(entry: Entry) -> None:
    found = check(parse(entry.wrong_text), workflow_type=entry.workflow_type, sample=entry.sample, rules=[entry.rule])
    assert [(d.code, d.severity, d.line, d.column) for d in found] == [(entry.code, entry.severity, *entry.place)]
    assert entry.says in found[0].message


@ENTRIES
def test_the_wrong_example_has_no_error_but_this_one(entry: Entry) -> None:
    found = check(parse(entry.wrong_text), workflow_type=entry.workflow_type, sample=entry.sample)
    errors = [d for d in found if d.severity is Severity.ERROR]
    assert [(d.line, d.column, d.code) for d in errors] == [(*entry.place, entry.code)] * (
        entry.severity is Severity.ERROR
    )


@ENTRIES
def test_the_right_example_is_silent_for_the_rule_and_free_of_errors(entry: Entry) -> None:
    document = parse(entry.right)
    assert check(document, workflow_type=entry.workflow_type, sample=entry.sample, rules=[entry.rule]) == ()
    found = check(document, workflow_type=entry.workflow_type, sample=entry.sample)
    assert [str(d) for d in found if d.severity is Severity.ERROR] == []


def test_every_rule_of_the_modules_is_in_the_table() -> None:
    written = {
        function
        for module in MODULES
        for name, function in inspect.getmembers(module, inspect.isgeneratorfunction)
        if not name.startswith("_")
        and function.__module__ == module.__name__
        and list(inspect.signature(function).parameters) == ["machine"]
    }
    assert len(MODULES) > 8
    assert written == set(RULES)


def test_each_wrong_example_has_one_mark_and_each_right_one_none() -> None:
    assert all(entry.wrong.count(MARK) == 1 and MARK not in entry.right for entry in BOOK)


def test_the_page_shows_every_entry_with_both_examples() -> None:
    page = rules_page()
    for entry in BOOK:
        assert f"### {entry.title}" in page
        assert f"`{entry.code}`" in page
    assert page.count("```json") == len(BOOK)
    assert "^" in page
    assert len(page) < 100_000
