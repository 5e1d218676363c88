"""The intrinsic functions, `States.Format('{}', $.name)` and seventeen more: parsed once, compiled to closures.

Owns the grammar of a call, its escapes, and the table `INTRINSICS`: name -> number of arguments and function; a new function is
one entry. Functions get plain values and raise `_Invalid`; the outermost call turns that into the failure that quotes the
whole expression, as the service does.

What AWS showed and its documents do not say: `MathAdd` rounds half up (-1.5 becomes -1), while `ArrayPartition`, `ArrayRange`
and `MathRandom` cut fractions off; `StringSplit` takes its delimiter as a set of characters and drops empty parts; `Format`
prints an object as Java does.
"""

from __future__ import annotations

import base64
import binascii
import difflib
import hashlib
import json
import math
import random
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from sfn_notebook.errors import ExpressionError, Json
from sfn_notebook.lang.environment import Environment, Evaluate, EvaluationFailure, IntrinsicFailure, compact
from sfn_notebook.lang.jsonpath import chain, compile_path
from sfn_notebook.lang.values import is_number, java_text, json_equal

MAX_NESTING = 10
MAX_TEXT = 10_000
MAX_RANGE = 1_000

Growth = tuple[int, int]


class _Invalid(Exception):  # noqa: N818 - never leaves this module
    """The arguments do not suit the function; the text replaces AWS's usual one."""


@dataclass(frozen=True, slots=True)
class Intrinsic:
    """A function of the table.

    Attributes:
        least: the smallest number of arguments.
        most: the largest, or None for any number.
        function: takes the arguments; the environment before them where `random` is set.
        random: whether the function needs the environment's source of randomness.
        size: the largest number of bytes of a result, where one is known.
    """

    least: int
    most: int | None
    function: Callable[..., Json]
    random: bool = False
    size: int | None = None


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
        except _Invalid as invalid:
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
            self._expect(",")

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
        if begin < len(self.text) and _NAME.match(self.text, begin) is None:
            raise self._error(f'an argument cannot start with "{self.text[begin]}"', begin)
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
            places = len(_pieces(template)) - 1
        except _Invalid as invalid:
            raise self._error(str(invalid), begin) from None
        if places != values:
            raise self._error(f'the template of "States.Format" has {places} "{{}}" for {values} values', begin)

    def _name(self) -> str:
        self._blank()
        match = _NAME.match(self.text, self.position)
        if match is None:
            found = f'found "{self.text[self.position]}"' if self.position < len(self.text) else "the text ends"
            raise self._error(f"a function or value is missing, {found}", self.position)
        self.position = match.end()
        return match[0]

    def _expect(self, character: str) -> None:
        self._blank()
        if not self._at(character):
            found = f'found "{self.text[self.position]}"' if self.position < len(self.text) else "the text ends"
            raise self._error(f'"{character}" is missing, {found}', self.position)
        self.position += 1

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

    def evaluate(data: Json, environment: Environment) -> Json:
        given = [value(data, environment) for value in values]
        try:
            return function(environment, *given) if needs else function(*given)
        except _Invalid as failure:
            raise _Invalid(str(failure) or invalid) from None

    return evaluate, _growth(name, intrinsic, arguments)


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


# The functions


def _need(condition: object) -> None:
    if not condition:
        raise _Invalid


def _text(value: Json) -> str:
    _need(isinstance(value, str) and len(value) <= MAX_TEXT)
    return str(value)


def _list(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise _Invalid
    return value


def _whole(value: Json) -> int:
    """Cut the fraction off, as AWS does everywhere but in MathAdd."""
    _need(is_number(value))
    return int(value)


def _rounded(value: Json) -> int:
    _need(is_number(value))
    below = math.floor(value)
    return int(below + 1) if value - below >= 0.5 else int(below)


def _pieces(template: str) -> list[str]:
    """Split a template at its `{}`; escapes are resolved in the pieces."""
    pieces = [""]
    position = 0
    for match in re.finditer(r"\\(.)|\{\}|[{}]", template, re.DOTALL):
        pieces[-1] += template[position : match.start()]
        position = match.end()
        if match[0] == "{}":
            pieces.append("")
        elif match[0] == "{":
            raise _Invalid("Invalid template in States.Format: matching '}' not found for '{'")
        elif match[0] == "}":
            raise _Invalid("Invalid template in States.Format: matching '{' not found for '}'")
        else:
            pieces[-1] += match[1] if match[1] in "'{}\\" else match[0]
    pieces[-1] += template[position:]
    return pieces


def _format(template: Json, *values: Json) -> Json:
    _need(isinstance(template, str))
    first, *others = _pieces(template)
    _need(len(others) == len(values))
    return first + "".join(java_text(value) + piece for value, piece in zip(values, others, strict=True))


def _string_to_json(text: Json) -> Json:
    if not isinstance(text, str):
        raise _Invalid
    if not text.strip():
        return None
    try:
        return json.loads(text, parse_constant=_not_json, parse_float=_finite)
    except (ValueError, RecursionError):
        raise _Invalid from None


def _not_json(_constant: str) -> Json:
    raise _Invalid


def _finite(text: str) -> float:
    number = float(text)
    _need(math.isfinite(number))
    return number


def _json_to_string(value: Json) -> Json:
    return compact(value)


def _array(*values: Json) -> Json:
    return list(values)


def _array_partition(values: Json, size: Json) -> Json:
    items, length = _list(values), _whole(size)
    _need(length > 0)
    return [items[start : start + length] for start in range(0, len(items), length)]


def _array_contains(values: Json, wanted: Json) -> Json:
    return any(json_equal(value, wanted) for value in _list(values))


def _array_range(start: Json, end: Json, step: Json) -> Json:
    first, last, by = _whole(start), _whole(end), _whole(step)
    _need(by)
    numbers = range(first, last + (1 if by > 0 else -1), by)
    _need(-(2**62) < first < 2**62 and -(2**62) < last < 2**62 and -(2**62) < by < 2**62)
    _need(len(numbers) <= MAX_RANGE)
    return list(numbers)


def _array_get_item(values: Json, index: Json) -> Json:
    items, position = _list(values), _whole(index)
    _need(0 <= position < len(items))
    return items[position]


def _array_length(values: Json) -> Json:
    return len(_list(values))


def _array_unique(values: Json) -> Json:
    seen: dict[str, list[Json]] = {}
    unique = []
    for value in _list(values):
        alike = seen.setdefault(_bucket(value), [])
        if not any(json_equal(value, other) for other in alike):
            alike.append(value)
            unique.append(value)
    return unique


def _bucket(value: Json) -> str:
    """Give equal values the same text, so that only values with the same text are compared."""
    if is_number(value):
        return str(hash(value))
    return json.dumps(value) if isinstance(value, str | bool | None) else f"{type(value).__name__}{len(value)}"


def _base64_encode(text: Json) -> Json:
    return base64.b64encode(_bytes(_text(text))).decode("ascii")


def _base64_decode(text: Json) -> Json:
    encoded = _text(text)
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        raise _Invalid from None


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


_ALGORITHMS: dict[Json, Callable[[bytes], str]] = {
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False).hexdigest(),
    "SHA-1": lambda data: hashlib.sha1(data, usedforsecurity=False).hexdigest(),
    "SHA-256": lambda data: hashlib.sha256(data).hexdigest(),
    "SHA-384": lambda data: hashlib.sha384(data).hexdigest(),
    "SHA-512": lambda data: hashlib.sha512(data).hexdigest(),
}


def _hash(text: Json, algorithm: Json) -> Json:
    _need(isinstance(algorithm, str) and algorithm in _ALGORITHMS)
    return _ALGORITHMS[algorithm](_bytes(_text(text)))


def _json_merge(first: Json, second: Json, deep: Json) -> Json:
    _need(isinstance(first, dict) and isinstance(second, dict) and deep is False)
    return {**first, **second}


def _math_add(first: Json, second: Json) -> Json:
    return _rounded(first) + _rounded(second)


def _math_random(environment: Environment, start: Json, end: Json, *seeds: Json) -> Json:
    first, last = _whole(start), _whole(end)
    _need(first < last)
    generator = random.Random(_whole(seeds[0])) if seeds else environment.random()
    return generator.randrange(first, last)


def _string_split(text: Json, delimiters: Json) -> Json:
    _need(isinstance(text, str) and isinstance(delimiters, str))
    if not delimiters:
        return [text] if text else []
    one = delimiters[0]
    if len(delimiters) > 1:
        text = text.translate(str.maketrans(dict.fromkeys(delimiters, one)))
    return [part for part in text.split(one) if part]


def _uuid(environment: Environment) -> Json:
    return str(uuid.UUID(int=environment.random().getrandbits(128), version=4))


INTRINSICS: dict[str, Intrinsic] = {
    "Format": Intrinsic(1, None, _format),
    "StringToJson": Intrinsic(1, 1, _string_to_json),
    "JsonToString": Intrinsic(1, 1, _json_to_string),
    "Array": Intrinsic(0, None, _array),
    "ArrayPartition": Intrinsic(2, 2, _array_partition),
    "ArrayContains": Intrinsic(2, 2, _array_contains, size=5),
    "ArrayRange": Intrinsic(3, 3, _array_range),
    "ArrayGetItem": Intrinsic(2, 2, _array_get_item),
    "ArrayLength": Intrinsic(1, 1, _array_length, size=20),
    "ArrayUnique": Intrinsic(1, 1, _array_unique),
    "Base64Encode": Intrinsic(1, 1, _base64_encode),
    "Base64Decode": Intrinsic(1, 1, _base64_decode),
    "Hash": Intrinsic(2, 2, _hash, size=130),
    "JsonMerge": Intrinsic(3, 3, _json_merge),
    "MathRandom": Intrinsic(2, 3, _math_random, random=True),
    "MathAdd": Intrinsic(2, 2, _math_add),
    "StringSplit": Intrinsic(2, 2, _string_split),
    "UUID": Intrinsic(0, 0, _uuid, random=True, size=38),
}
