"""Write, run, debug, learn and analyse AWS Step Functions workflows in Jupyter.

The public names are loaded when they are first used, so that importing the package and loading its IPython extension stay fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from sfn_notebook.api.debugger import Debugger
    from sfn_notebook.api.execution import Execution
    from sfn_notebook.api.executions import Executions
    from sfn_notebook.api.history import History
    from sfn_notebook.api.machine import StateMachine
    from sfn_notebook.errors import AwsError, CommandError, DefinitionError, Diagnostic, RunError, SfnError
    from sfn_notebook.sim.mockfile import MockFile
    from sfn_notebook.sim.outcomes import PENDING, After, Outcomes, Raw, TaskError

__version__ = "0.1.0"

__all__ = [
    "PENDING",
    "After",
    "AwsError",
    "CommandError",
    "Debugger",
    "DefinitionError",
    "Diagnostic",
    "Execution",
    "Executions",
    "History",
    "MockFile",
    "Outcomes",
    "Raw",
    "RunError",
    "SfnError",
    "StateMachine",
    "TaskError",
    "__version__",
    "load_ipython_extension",
    "unload_ipython_extension",
]

_HOME = {
    "Debugger": "api.debugger",
    "Execution": "api.execution",
    "Executions": "api.executions",
    "History": "api.history",
    "StateMachine": "api.machine",
    "AwsError": "errors",
    "CommandError": "errors",
    "DefinitionError": "errors",
    "Diagnostic": "errors",
    "RunError": "errors",
    "SfnError": "errors",
    "MockFile": "sim.mockfile",
    "PENDING": "sim.outcomes",
    "After": "sim.outcomes",
    "Outcomes": "sim.outcomes",
    "Raw": "sim.outcomes",
    "TaskError": "sim.outcomes",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register the magics: `%load_ext sfn_notebook`."""
    from sfn_notebook.notebook.magics import register

    register(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take the magics away again: `%unload_ext sfn_notebook`."""
    from sfn_notebook.notebook.magics import unregister

    unregister(shell)
