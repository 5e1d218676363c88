"""Open a debugger where it is: as a widget in a notebook, as a text debugger in a terminal.

Decides which, and keeps the imports of both out of everybody else's way: `anywidget` is imported when a widget is opened. Whether there
is a page to show a widget in is asked of the shell: a kernel has a front end, a terminal has none. Knows nothing of how either works.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeGuard

from sfn_notebook.errors import CommandError

if TYPE_CHECKING:
    from sfn_notebook.api.debugger import Debugger


def has_page() -> bool:
    """Say whether there is a front end that shows widgets, and what it needs is installed."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    return getattr(shell, "kernel", None) is not None and find_spec("anywidget") is not None


def open_debugger(debugger: Debugger, *, text: bool = False, **picture: Any) -> Any:
    """Give what shows a debugger and drives it.

    Args:
        debugger: the debugger.
        text: run the text debugger even where a widget could be shown.
        picture: theme, direction and timeout of the graph.

    Returns:
        The widget; or, when the user has left the text debugger, the debugger that was shown last.
    """
    if text or not has_page():
        from sfn_notebook.notebook.textdebugger import TextDebugger

        return TextDebugger(debugger, ask=_ask).run()
    from sfn_notebook.notebook.stepper import Stepper

    return Stepper(debugger, **picture)


def _ask(prompt: str) -> str:
    """Read a line; a front end that has none to give, as when a notebook is run headless, ends the debugger."""
    try:
        return input(prompt)
    except NotImplementedError:
        raise EOFError from None


def show_debugger(debugger: Debugger) -> None:
    """Display a debugger that ends a cell; the formatter of the type."""
    if not has_page():
        print(repr(debugger))  # noqa: T201 - a formatter that displays by itself is the only output here
        return
    open_debugger(debugger)._ipython_display_()


def recorded_debugger(found: Any, machine: Any, handlers: Any) -> Debugger:
    """Debug a history or an execution that is over, with what its handlers printed and raised where that is known.

    Raises:
        CommandError: `found` is neither.
    """
    from sfn_notebook.api.debugger import Debugger
    from sfn_notebook.api.execution import Execution
    from sfn_notebook.api.history import History

    if not isinstance(found, History | Execution):
        raise CommandError(f"--history takes a run or a history, but found a {type(found).__name__}")
    return Debugger.of(found, machine, handlers)


def is_debugger(value: Any) -> TypeGuard[Debugger]:
    """Say whether a value is a Debugger, without importing what defines it."""
    kind = type(value)
    return kind.__name__ == "Debugger" and kind.__module__ == "sfn_notebook.api.debugger"
