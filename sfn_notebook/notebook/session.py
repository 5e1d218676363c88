"""The machines that a notebook knows: those defined by `%%sfn` cells and `%sfn load`, and those in Python variables.

A machine has a name, under which the verbs find it, and where the name can be a Python variable it is one too. A variable that holds
something else is never overwritten, nor is a builtin hidden: the machine is then known by its name alone, and a note says so. A name
always means the variable's machine where there is one, so that Python code and magics see the same.

`Session` belongs to one loaded extension; it holds the user's namespace and no other state of IPython.
"""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from sfn_notebook.errors import CommandError
from sfn_notebook.notebook.arguments import did_you_mean
from sfn_notebook.notebook.values import read_variable

if TYPE_CHECKING:
    from sfn_notebook.api.machine import StateMachine

_FILE_ENDINGS = (".json", ".yaml", ".yml", ".asl")


class Session:
    """The machines of a notebook by name, and the user's variables."""

    def __init__(self, variables: dict[str, Any]) -> None:
        self.variables = variables
        self.machines: dict[str, StateMachine] = {}

    def add(self, name: str, machine: StateMachine) -> str | None:
        """Register a machine and bind the variable of its name; give a note where that cannot be."""
        self.machines[name] = machine
        reason = self.bind(name, machine)
        if reason is None:
            return None
        return f"the machine is known as {name} to %sfn, but it is no variable: {reason}"

    def bind(self, variable: str, value: Any) -> str | None:
        """Set a variable that is free or holds a machine; give the reason where it is left alone."""
        if not variable.isidentifier() or keyword.iskeyword(variable):
            return f"{variable!r} is no Python name"
        if hasattr(builtins, variable) and variable not in self.variables:
            return f"{variable!r} is a builtin of Python"
        if variable in self.variables and not is_machine(self.variables[variable]):
            kind = type(self.variables[variable]).__name__
            return f"{variable!r} already holds a value of type {kind}; del it, or choose another name"
        self.variables[variable] = value
        return None

    def assign(self, variable: str, value: Any) -> None:
        """Set the variable of `variable << …`, as an assignment does.

        Raises:
            CommandError: it is no Python name.
        """
        if not variable.isidentifier() or keyword.iskeyword(variable):
            raise CommandError(f"before << stands the name of a variable, but found {variable!r}")
        self.variables[variable] = value

    def find(self, word: str) -> StateMachine:
        """Give the machine that a word means: a variable, a registered name, or a file.

        Raises:
            CommandError: there is none; the message names the nearest.
            DefinitionError: the file cannot be read.
        """
        held = self.variables.get(word)
        if is_machine(held):
            return held
        if word in self.machines:
            return self.machines[word]
        if not word.isidentifier():
            found = self._expression(word)
            if found is not None:
                return found
            if _is_file(word):
                from sfn_notebook.api.machine import StateMachine

                return StateMachine.load(Path(word).expanduser())
        raise CommandError(self._unknown(word, held))

    def names(self) -> list[str]:
        """Give every name that means a machine, in alphabetical order."""
        held = [name for name, value in self.variables.items() if not name.startswith("_") and is_machine(value)]
        return sorted({*self.machines, *held})

    def rows(self) -> Iterator[dict[str, Any]]:
        """Describe each machine, for a list."""
        from sfn_notebook.asl.topology import topology

        for name in self.names():
            machine = self.find(name)
            yield {
                "name": name,
                "variable": name if self.variables.get(name) is machine else None,
                "states": len(topology(machine.definition).nodes),
                "errors": len(machine.errors),
                "warnings": len(machine.diagnostics) - len(machine.errors),
            }

    def _expression(self, word: str) -> StateMachine | None:
        try:
            found = read_variable(word, self.variables, "NAME")
        except CommandError:
            return None
        return found if is_machine(found) else None

    def _unknown(self, word: str, held: Any) -> str:
        known = self.names()
        if word in self.variables:
            what = f"{word} is a {type(held).__name__}, not a state machine"
        else:
            what = f"there is no machine {word!r}{did_you_mean(word, known)}"
        there = (
            f"known are {', '.join(known)}"
            if known
            else "none is defined yet: start a cell with %%sfn NAME, or %sfn load FILE"
        )
        return f"{what}; {there}"


def is_machine(value: Any) -> TypeGuard[StateMachine]:
    """Say whether a value is a StateMachine, without importing what defines it."""
    kind = type(value)
    return kind.__name__ == "StateMachine" and kind.__module__ == "sfn_notebook.api.machine"


def _is_file(word: str) -> bool:
    return word.lower().endswith(_FILE_ENDINGS) or "/" in word or Path(word).is_file()
