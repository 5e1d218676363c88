"""`%sfn` and `%%sfn`: the magics, their settings, and how results are shown while the extension is loaded.

A magic parses its line, calls one function and returns an object; IPython shows it in its one display call, `x = %sfn …` keeps it
instead. Machines and executions are shown by formatters registered by name, so that `%config SfnMagics.theme = "dark"` holds for
them wherever they appear, and nothing is imported before there is something to show. In a terminal only text is made. Mistakes are
`SfnError`s, which IPython shows without a traceback.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from IPython.core.magic import Magics, cell_magic, line_magic, magics_class, no_var_expand, output_can_be_silenced
from traitlets import Enum, Float, Unicode

from sfn_notebook.errors import SfnError
from sfn_notebook.notebook import cells, commands
from sfn_notebook.notebook.arguments import HelpRequested
from sfn_notebook.notebook.commands import DIRECTIONS, THEMES, Noted
from sfn_notebook.notebook.completion import make_matcher
from sfn_notebook.notebook.session import Session

if TYPE_CHECKING:
    from IPython.core.interactiveshell import ExecutionInfo, InteractiveShell

    from sfn_notebook.api.machine import StateMachine

_Method = TypeVar("_Method", bound=Callable[..., Any])
_DEBUGGER = "sfn_notebook.api.debugger", "Debugger"
_PANDAS = ("pandas", "pandas.core.frame")
"""Where pandas says that its DataFrame lives: since version 3, and before."""
_SHOWN = (
    ("sfn_notebook.api.machine", "StateMachine"),
    ("sfn_notebook.api.execution", "Execution"),
    ("sfn_notebook.api.history", "History"),
)


def _documented(help_text: str) -> Callable[[_Method], _Method]:
    """Append a parser's help to a docstring, so that `%sfn?` is always right."""

    def append(method: _Method) -> _Method:
        method.__doc__ = f"{method.__doc__}\n\n{help_text}\n"
        return method

    return append


@magics_class
class SfnMagics(Magics):
    """Define, look at, run and check AWS Step Functions workflows."""

    theme = Enum(THEMES, "auto", help="colours of graphs: auto (follows the page), light or dark").tag(config=True)
    direction = Enum(DIRECTIONS, "TB", help="direction of graphs: TB (from top to bottom) or LR").tag(config=True)
    handlers = Unicode("handlers", help="the variable that %sfn run takes handlers from by default").tag(config=True)
    timeout = Float(20.0, min=0.1, help="seconds after which drawing a graph is given up").tag(config=True)

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self._shell = shell
        self.session = Session(shell.user_ns)
        self.matcher = make_matcher(self.session)
        self._typed: str | None = None

    def remember_cell(self, info: ExecutionInfo) -> None:
        """Keep the cell as it was typed, to count its lines; called by IPython before each cell."""
        self._typed = info.raw_cell

    @no_var_expand
    @output_can_be_silenced
    @line_magic("sfn")  # type: ignore[arg-type]  # IPython's annotation leaves the method's type open
    @_documented(commands.line_help())
    def line(self, line: str) -> Any:
        """Work with state machines."""
        return self._answer(lambda: commands.run_line(_without_semicolon(line), self.session, self))

    @no_var_expand
    @output_can_be_silenced
    @cell_magic("sfn")  # type: ignore[arg-type]  # as above
    @_documented(cells.parser().format_help())
    def cell(self, line: str, cell: str) -> Any:
        """Define a state machine in a cell."""
        offset = cells.line_offset(self._typed, cell)
        return self._answer(
            lambda: (None, cells.define(_without_semicolon(line), cell, self.session, offset, self._draw))
        )

    def _answer(self, work: Callable[[], tuple[str | None, Any]]) -> Any:
        """Do the work of a magic; give what IPython is to show."""
        try:
            variable, result = work()
        except HelpRequested as request:
            from sfn_notebook.api.reports import Text

            return Text(request.text)
        if isinstance(result, Noted):
            self._note(result.note)
            result = result.value
        if variable is None:
            return result
        self.session.assign(variable, result)
        return None

    def _note(self, note: str) -> None:
        from sfn_notebook.api.reports import Text

        self._shell.display_pub.publish(Text(note)._repr_mimebundle_())

    def _draw(self, machine: StateMachine) -> None:
        """Show the graph of a machine that is refused, where pages are shown; its mistakes are told in the error that follows."""
        from sfn_notebook.api.pictures import machine_graph

        formatter = self._shell.display_formatter
        if formatter is None or "text/html" not in formatter.active_types:
            return
        with suppress(SfnError):  # the picture is an extra: what is wrong is said in words
            graph = machine_graph(machine, None, self.theme, self.direction, self.timeout, marks=True)
            self._shell.display_pub.publish(graph._repr_mimebundle_())

    def show(self, value: Any) -> dict[str, str]:
        """Make the mime bundle of a machine, an execution or a history, by the settings."""
        from sfn_notebook.api import pictures, showing

        formatter = self._shell.display_formatter
        kinds = pictures.ALL_KINDS if formatter and "text/html" in formatter.active_types else pictures.TEXT_ONLY
        if type(value).__name__ == "History":
            return showing.history_bundle(value, value.known_machine, kinds, theme=self.theme)
        bundle: Any = pictures.execution_bundle if type(value).__name__ == "Execution" else pictures.machine_bundle
        try:
            made: dict[str, str] = bundle(
                value, theme=self.theme, direction=self.direction, timeout=self.timeout, kinds=kinds
            )
            return made
        except SfnError as error:  # a formatter that raises costs the reader a traceback and shows nothing
            return {"text/plain": f"{value!r}\n{error}"}


def _without_semicolon(line: str) -> str:
    """Take off the semicolon that keeps IPython from showing a result."""
    return line.rstrip().removesuffix(";")


def register(shell: Any) -> None:  # Any: half of what a shell has is optional in its annotations
    """Make the magics known to a shell."""
    unregister(shell)
    magics = SfnMagics(shell)
    shell.register_magics(magics)
    shell.events.register("pre_run_cell", magics.remember_cell)
    shell.Completer.custom_matchers.append(magics.matcher)
    for module, name in _SHOWN:
        shell.display_formatter.mimebundle_formatter.for_type_by_name(module, name, magics.show)
    shell.display_formatter.ipython_display_formatter.for_type_by_name(*_DEBUGGER, _step_through)
    for module in _PANDAS:
        shell.display_formatter.formatters["text/html"].for_type_by_name(module, "DataFrame", _frame_html)


def _frame_html(frame: Any) -> str | None:
    """Show a frame as pandas does; in those of ours a dollar sign does not begin a formula."""
    from sfn_notebook.api.analysis import OURS
    from sfn_notebook.render.html import as_written

    found: str | None = frame._repr_html_()
    return as_written(found) if found and frame.attrs.get(OURS) else found


def _step_through(debugger: Any) -> None:
    """Open the stepper for a debugger that ends a cell; what it takes is imported now."""
    from sfn_notebook.notebook.stepping import show_debugger

    show_debugger(debugger)


def unregister(shell: Any) -> None:
    """Take the magics, their settings and their formatters away again; a shell without them stays as it is."""
    magics = shell.magics_manager.registry.pop("SfnMagics", None)
    if magics is None:
        return
    for kind in ("line", "cell"):
        shell.magics_manager.magics[kind].pop("sfn", None)
    shell.configurables = [configurable for configurable in shell.configurables if configurable is not magics]
    shell.events.unregister("pre_run_cell", magics.remember_cell)
    shell.Completer.custom_matchers[:] = [m for m in shell.Completer.custom_matchers if m is not magics.matcher]
    for module, name in _SHOWN:
        shell.display_formatter.mimebundle_formatter.pop(f"{module}.{name}", None)
    shell.display_formatter.ipython_display_formatter.pop(".".join(_DEBUGGER), None)
    for module in _PANDAS:
        shell.display_formatter.formatters["text/html"].pop(f"{module}.DataFrame", None)
