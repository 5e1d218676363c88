"""The intrinsic functions, `States.Format('{}', $.name)` and seventeen more: parsed once, compiled to closures.

Owns the grammar of a call, its escapes, and how calls become closures; the functions are in `functions`. An error in the text
has a position. Functions raise `InvalidArguments`; the outermost call turns that into the failure that quotes the whole
expression, as the service does.
"""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from sfn_notebook.errors import ExpressionError, Json
from sfn_notebook.lang.environment import Environment, Evaluate, EvaluationFailure, IntrinsicFailure, compact
from sfn_notebook.lang.functions import INTRINSICS, Intrinsic, InvalidArguments, template_pieces
from sfn_notebook.lang.jsonpath import chain, compile_path

MAX_NESTING = 10

Growth = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Call:
    """A compiled call: its text, its closure, the state variables it names, and a bound of its result (see Template)."""

    text: str
    evaluate: Evaluate
    variables: frozenset[str]
    growth: Growth | None


def compile_intrinsic(text: str) -> Call:
    """Compile a call such as `States.MathAdd($.count, 1)`.

    Raises:
        ExpressionError: bad syntax, an unknown function or a wrong number of arguments.
    """
    parser = _Parser(text)
    inner, growth = parser.call(depth=1)
    parser.end()

    def evaluate(data: Json, environment: Environment) -> Json:
        try:
            return inner(data, environment)
        except InvalidArguments as invalid:
            raise IntrinsicFailure(text, str(invalid)) from None

    return Call(text, evaluate, frozenset(parser.variables), growth)


# Reading

_BLANK = re.compile(r"\s*")
_NAME = re.compile(r"[A-Za-z_][\w.]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![\w.])")
_STRING = re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_PATH_PART = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^'",\s()\[\]]+|\s+|.""", re.DOTALL)
_CONSTANTS: dict[str, Json] = {"true": True, "false": False, "null": None}

Argument = tuple[Evaluate, Growth | None]


@dataclass(slots=True)
class _Parser:
    """Read one expression from left to right; every method leaves `position` behind what it read."""

    text: str
    position: int = 0
    variables: set[str] = field(default_factory=set)

    def call(self, depth: int) -> Argument:
        begin = self.position
        name = self._name()
        intrinsic = INTRINSICS.get(name.removeprefix("States.")) if name.startswith("States.") else None
        if intrinsic is None:
            raise self._error(f'there is no function "{name}"{_did_you_mean(name)}', begin)
        if depth > MAX_NESTING:
            raise self._error(f"functions are nested more than {MAX_NESTING} deep", begin)
        self._expect("(")
        arguments, literal = self._arguments(depth, name)
        _check_arity(intrinsic, name, len(arguments), self.text, begin)
        if name == "States.Format" and literal is not None:
            self._check_template(literal, len(arguments) - 1, begin)
        return _compile_call(name, intrinsic, arguments)

    def end(self) -> None:
        self._blank()
        if self.position < len(self.text):
            raise self._error(f'unexpected "{self.text[self.position]}" behind the call', self.position)

    def _arguments(self, depth: int, name: str) -> tuple[list[Argument], str | None]:
        """Read up to the closing parenthesis; also give the first argument where it is a literal text."""
        arguments: list[Argument] = []
        literal: str | None = None
        self._blank()
        if self._at(")"):
            self.position += 1
            return arguments, literal
        while True:
            self._blank()
            if not arguments and self._at("'"):
                literal = self._string(keep_braces=name == "States.Format")
                arguments.append(_constant(literal))
            else:
                arguments.append(self._argument(depth))
            self._blank()
            if self._at(")"):
                self.position += 1
                return arguments, literal
            self._expect(",", '")" or ","')

    def _argument(self, depth: int) -> Argument:
        if self._at("'"):
            return _constant(self._string(keep_braces=False))
        if self._at("$"):
            return self._path()
        match = _NUMBER.match(self.text, self.position)
        if match is not None:
            self.position = match.end()
            return _constant(self._number(match[0]))
        begin = self.position
        name = self._name()
        if name in _CONSTANTS:
            return _constant(_CONSTANTS[name])
        self.position = begin
        if name.startswith("States."):
            return self.call(depth + 1)
        raise self._error(f'unexpected word "{name[:40]}"; text goes between single quotes', begin)

    def _number(self, text: str) -> Json:
        if len(text) > 400 or not math.isfinite(float(text)):
            raise self._error("this number is too large", self.position - len(text))
        return json.loads(text)

    def _string(self, *, keep_braces: bool) -> str:
        match = _STRING.match(self.text, self.position)
        if match is None:
            raise self._error("this text has no closing quote", self.position)
        for escape in _ESCAPE.finditer(match[1]):
            if escape[1] not in "'{}\\":
                raise self._error(
                    f'unknown escape "{escape[0]}"; only \\\' \\{{ \\}} \\\\ are known', match.start(1) + escape.start()
                )
        self.position = match.end()
        return match[1] if keep_braces else _unescape(match[1])

    def _path(self) -> Argument:
        begin = self.position
        self._skip_path()
        written = self.text[begin : self.position]
        try:
            path = compile_path(written)
        except ExpressionError as error:
            raise self._error(error.message, begin + error.position) from None
        if path.variable is not None:
            self.variables.add(path.variable)
        whole = self.text

        def fail(data: Json, _reason: str) -> EvaluationFailure:
            return IntrinsicFailure(
                whole,
                f"The JsonPath argument for the field '{written}' could not be found in the input '{compact(data)}'",
            )

        return path.bind(fail), (1, 0) if chain(path) is not None else None

    def _skip_path(self) -> None:
        """Go to the comma, blank or parenthesis that ends a path; those inside brackets do not."""
        depth = 0
        while match := _PATH_PART.match(self.text, self.position):
            part = match[0]
            if depth == 0 and (part in (",", ")") or part.isspace()):
                return
            depth += (part in ("(", "[")) - (part in (")", "]"))
            self.position = match.end()

    def _check_template(self, template: str, values: int, begin: int) -> None:
        try:
            places = len(template_pieces(template)) - 1
        except InvalidArguments as invalid:
            raise self._error(str(invalid), begin) from None
        if places != values:
            raise self._error(f'the template of "States.Format" has {places} "{{}}" for {values} values', begin)

    def _name(self) -> str:
        self._blank()
        match = _NAME.match(self.text, self.position)
        if match is None:
            raise self._error(f"a function or value is missing, {self._found()}", self.position)
        self.position = match.end()
        return match[0]

    def _expect(self, character: str, wanted: str = "") -> None:
        self._blank()
        if not self._at(character):
            wanted = wanted or f'"{character}"'
            raise self._error(f"{wanted} is missing, {self._found()}", self.position)
        self.position += 1

    def _found(self) -> str:
        return f'found "{self.text[self.position]}"' if self.position < len(self.text) else "the text ends"

    def _at(self, character: str) -> bool:
        return self.text.startswith(character, self.position)

    def _blank(self) -> None:
        match = _BLANK.match(self.text, self.position)
        self.position = match.end() if match else self.position

    def _error(self, message: str, position: int) -> ExpressionError:
        return ExpressionError(message, self.text, position)


def _constant(value: Json) -> Argument:
    return (lambda _data, _environment: value), (0, len(compact(value).encode("utf-8", "surrogatepass")))


def _unescape(text: str) -> str:
    return _ESCAPE.sub(lambda match: match[1], text) if "\\" in text else text


def _did_you_mean(name: str) -> str:
    known = [f"States.{known}" for known in INTRINSICS]
    same = [candidate for candidate in known if candidate.lower() == name.lower()]
    close = same or difflib.get_close_matches(name[:80], known, 1, 0.6)
    return f'; did you mean "{close[0]}"?' if close else ""


def _check_arity(intrinsic: Intrinsic, name: str, found: int, text: str, position: int) -> None:
    if found >= intrinsic.least and (intrinsic.most is None or found <= intrinsic.most):
        return
    if intrinsic.most is None:
        wanted = f"at least {intrinsic.least}"
    elif intrinsic.least == intrinsic.most:
        wanted = str(intrinsic.least)
    else:
        wanted = f"{intrinsic.least} to {intrinsic.most}"
    raise ExpressionError(f'"{name}" takes {wanted} arguments, found {found}', text, position)


def _compile_call(name: str, intrinsic: Intrinsic, arguments: list[Argument]) -> Argument:
    function, needs = intrinsic.function, intrinsic.random
    values = [argument for argument, _growth in arguments]
    invalid = f"Invalid arguments in {name}"

    if len(values) == 2 and not needs:
        return _call_with_two(function, values[0], values[1], invalid), _growth(name, intrinsic, arguments)

    def evaluate(data: Json, environment: Environment) -> Json:
        given = [value(data, environment) for value in values]
        try:
            return function(environment, *given) if needs else function(*given)
        except InvalidArguments as failure:
            raise InvalidArguments(str(failure) or invalid) from None

    return evaluate, _growth(name, intrinsic, arguments)


def _call_with_two(function: Callable[..., Json], first: Evaluate, second: Evaluate, invalid: str) -> Evaluate:
    def evaluate(data: Json, environment: Environment) -> Json:
        try:
            return function(first(data, environment), second(data, environment))
        except InvalidArguments as failure:
            raise InvalidArguments(str(failure) or invalid) from None

    return evaluate


def _growth(name: str, intrinsic: Intrinsic, arguments: list[Argument]) -> Growth | None:
    if intrinsic.size is not None:
        return 0, intrinsic.size
    if name != "States.MathAdd":
        return None
    known = [growth for _evaluate, growth in arguments if growth is not None]
    if len(known) < len(arguments):
        return None
    # A sum has at most one digit more than the longer number; 330 covers a double such as 1e308 written out.
    return max(a for a, _b in known), sum(b for _a, b in known) + 330
