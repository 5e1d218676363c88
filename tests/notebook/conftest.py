"""A plain IPython shell without history, with the extension loaded, and what a cell in it said and gave."""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

HELLO = '{"StartAt": "Hello", "States": {"Hello": {"Type": "Pass", "Result": "hi", "End": true}}}\n'
TASK = '{"StartAt": "Work", "States": {"Work": {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:1:function:w", "End": true}}}\n'


@dataclass
class Said:
    """What a cell did.

    Attributes:
        value: its result, as `Out` keeps it.
        text: all that it printed, errors included.
        shown: text/plain of what it displayed besides its result.
        error: the exception that ended it, or None.
    """

    value: Any
    text: str
    shown: list[str]
    error: BaseException | None


@dataclass
class Notebook:
    """A shell that is fed cells."""

    shell: InteractiveShell

    def cell(self, text: str) -> Said:
        with capture_output() as captured:
            result = self.shell.run_cell(text, store_history=False)  # type: ignore[no-untyped-call]
        shown = [output.data["text/plain"] for output in captured.outputs]
        return Said(
            result.result, captured.stdout + captured.stderr, shown, result.error_in_exec or result.error_before_exec
        )

    def good(self, text: str) -> Any:
        said = self.cell(text)
        assert said.error is None, said.text
        return said.value

    def bad(self, text: str) -> str:
        """Run a cell that must fail with one of our errors, and no traceback; give what it printed."""
        from sfn_notebook import SfnError

        said = self.cell(text)
        assert isinstance(said.error, SfnError), (said.error, said.text)
        assert "Traceback" not in said.text
        assert "--->" not in said.text
        return said.text.strip()

    def __getitem__(self, name: str) -> Any:
        return self.shell.user_ns[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self.shell.user_ns[name] = value

    def __contains__(self, name: str) -> bool:
        return name in self.shell.user_ns


@pytest.fixture
def bare() -> Iterator[Notebook]:
    """A shell without the extension."""
    InteractiveShell.clear_instance()
    settings = Config()
    settings.HistoryManager.enabled = False
    settings.InteractiveShell.colors = "nocolor"
    shell = InteractiveShell.instance(config=settings)
    yield Notebook(shell)
    atexit.unregister(shell.atexit_operations)  # hundreds of shells that each collect garbage at the end take minutes
    InteractiveShell.clear_instance()


@pytest.fixture
def nb(bare: Notebook) -> Notebook:
    """A shell with the extension."""
    bare.good("%load_ext sfn_notebook")
    return bare
