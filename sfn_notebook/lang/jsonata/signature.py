"""Signatures of functions, such as `<s-nn?:s>`: which arguments a function takes, and what happens to those it gets.

A signature matches the kinds of the arguments, one letter each, like a regular expression matches a text. Missing arguments
marked `-` are taken from the context; a value where an array is due becomes an array of one; `a<n>` looks into the array.
What goes wrong has the codes T0410 to T0412. Nothing here knows the functions themselves.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass

from sfn_notebook.lang.jsonata.failures import JsonataError
from sfn_notebook.lang.jsonata.values import UNDEFINED, Array, Function, Object, Sequence, Undefined, Value

_LETTERS: dict[type, str] = {
    str: "s", int: "n", float: "n", bool: "b", type(None): "l", list: "a", Array: "a", Sequence: "a",
    dict: "o", Object: "o", Undefined: "m",
}  # fmt: skip
_PATTERNS = {"a": "[asnblfom]", "f": "f", "j": "[asnblom]", "x": "[asnblfom]"}
_PLURALS = {"a": "arrays", "b": "booleans", "f": "functions", "n": "numbers", "o": "objects", "s": "strings"}
_PARAMETER = re.compile(r"(\([a-z]+\)|[a-z])(?:<((?:[^<>]|<[^<>]*>)*)>)?([-?+]?)")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: a regular expression for its letter, `-`, `?`, `+` or "" behind it, and the type of array items."""

    letters: str
    mark: str
    is_array: bool
    item: str | None = None


def letter(value: Value) -> str:
    """Give the letter of the kind of `value`: m is missing."""
    found = _LETTERS.get(type(value))
    if found:
        return found
    if isinstance(value, Function):
        return "f"
    return (
        "a" if isinstance(value, list) else "o" if isinstance(value, dict) else "s" if isinstance(value, str) else "n"
    )


class Signature:
    """A compiled signature; immutable."""

    __slots__ = ("_groups", "parameters")

    def __init__(self, parameters: Iterable[Parameter]) -> None:
        self.parameters = tuple(parameters)
        pattern = re.compile("".join(f"({p.letters}{_quantifier(p.mark)})" for p in self.parameters))

        @functools.lru_cache(maxsize=32)
        def groups(letters: str) -> tuple[str, ...] | None:
            found = pattern.fullmatch(letters)
            return found.groups("") if found else None

        self._groups = groups

    @classmethod
    def of(cls, text: str) -> Signature:
        """Read a signature without its angle brackets and result, such as `s-nn?`."""
        return cls(_parameter(*found) for found in _PARAMETER.findall(text))

    def validate(self, arguments: list[Value], context: Value) -> list[Value]:
        """Give the arguments as the function wants them, one for each parameter."""
        groups = self._groups("".join(map(letter, arguments)))
        if groups is None:
            raise JsonataError("T0410", index=self._first_wrong(arguments) + 1)
        result: list[Value] = []
        position = 0
        for parameter, group in zip(self.parameters, groups, strict=True):
            if not group and parameter.mark == "-":
                if not re.fullmatch(parameter.letters, letter(context)):
                    raise JsonataError("T0411", index=position + 1)
                result.append(context)
                continue
            for kind in group or "m":
                value = arguments[position] if position < len(arguments) else UNDEFINED
                result.append(_array(parameter, kind, group, value, position) if parameter.is_array else value)
                position += 1
        return result

    def _first_wrong(self, arguments: list[Value]) -> int:
        """Give the index of the argument where the signature stops to match."""
        letters = "".join(map(letter, arguments))
        pattern, good = "", 0
        for parameter in self.parameters:
            pattern += parameter.letters + _quantifier(parameter.mark)
            found = re.match(pattern, letters)
            if found is None:
                return good
            good = found.end()
        return good


def _quantifier(mark: str) -> str:
    return "?" if mark == "-" else mark


def _parameter(kind: str, item: str, mark: str) -> Parameter:
    letters = f"[{kind[1:-1]}m]" if kind[0] == "(" else _PATTERNS.get(kind, f"[{kind}m]")
    return Parameter(letters, mark, kind == "a", item or None)


def _array(parameter: Parameter, kind: str, group: str, value: Value, position: int) -> Value:
    """Check the items of an argument that must be an array, and make an array of a single value."""
    if kind == "m":
        return UNDEFINED
    if parameter.item is not None:
        if kind == "a":
            wanted = parameter.item[0]
            fits = all(letter(item) == wanted for item in value)
        else:
            fits = group == parameter.item
        if not fits:
            raise JsonataError("T0412", index=position + 1, type=_PLURALS.get(parameter.item[0], parameter.item))
    return value if kind == "a" else Array([value])
