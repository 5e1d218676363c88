"""The text of a path that is more than a chain of keys, read with jsonpath-ng.

Owns the tokens of such a text: what is none is refused with its position, and every name is put between quotes, so that
jsonpath-ng reads names in any script. It has neither regular expressions with Jayway's meaning nor lists in filters; both
travel through its parser as a string with a mark (IN, NOT_IN, MATCHES) behind `=~`.

jsonpath-ng is imported when the first such path is read.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from sfn_notebook.errors import ExpressionError, Json

MAX_TOKENS = 1_000
MAX_PARENTHESES = 50
IN, NOT_IN, MATCHES = "\x01in", "\x01nin", "\x01matches"

_NAME = r"[^\s.\[\](){}'\",*?@&|<>=!\\$`]+"
_STRING = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_NUMBER = r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,2})?"
_LITERAL = rf"{_STRING}|{_NUMBER}|true\b|false\b|null\b"
_TOKEN = re.compile(
    rf"""(?P<space>\s+)
      | (?P<function>\.(?P<called>[A-Za-z]\w*)\(\s*\))
      | (?P<name>\.\.?{_NAME}(?!\())
      | (?P<dots>\.\.(?=[\[*]))
      | (?P<dot>\.(?=\[))
      | (?P<wild>\.(?=\*))
      | (?P<pattern>=~\s*/(?P<regex>(?:[^/\\]|\\.)+)/(?P<flags>[a-z]*))
      | (?P<string>{_STRING})
      | (?P<member>(?P<not>n?)in\s*(?P<list>\[(?:\s*(?:{_LITERAL})\s*(?:,|(?=\])))*\s*\]))
      | (?P<number>{_NUMBER})
      | (?P<word>(?:true|false|null)\b)
      | (?P<bare>(?:(?<=[=<>])|(?<=[=<>]\s))[^\W\d]\w*)
      | (?P<operator>&&|\|\||==|!=|<=|>=|[<>!\[\](),:?@$*])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_WORD = re.compile(r"[^\W\d]\w*")
_EACH_LITERAL = re.compile(_LITERAL, re.DOTALL)


def unescape(text: str) -> str:
    """Resolve the backslash escapes of a quoted name or literal in a path."""
    return _ESCAPE.sub(_unescaped, text) if "\\" in text else text


def read_path(text: str, start: int) -> tuple[Any, bool]:
    """Read what follows the root of the path `text`, from offset `start`.

    Returns:
        jsonpath-ng's tree, and whether the path ended with `.length()`, which the tree does not hold.

    Raises:
        ExpressionError: the text is no path.
    """
    spelled, measured = _respell(text, start)
    return _parse(text, start, spelled), measured


def _respell(text: str, start: int) -> tuple[str, bool]:
    """Write the path in jsonpath-ng's spelling, and tell whether it ended with `.length()`."""
    pieces = ["$"]
    position, open_parentheses = start, 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _unexpected(text, position)
        if match["function"] is not None:
            _check_function(text, match)
            return "".join(pieces), True
        pieces.append(_SPELLING.get(_kind(match), _as_written)(match))
        position = match.end()
        open_parentheses += (match[0] == "(") - (match[0] == ")")
        if open_parentheses > MAX_PARENTHESES:
            raise ExpressionError(f"more than {MAX_PARENTHESES} parentheses are open", text, position)
        if len(pieces) > MAX_TOKENS:
            raise ExpressionError(f"a path of more than {MAX_TOKENS} tokens", text, position)
    return "".join(pieces), False


def _kind(match: re.Match[str]) -> str:
    return match.lastgroup or ""


def _as_written(match: re.Match[str]) -> str:
    return match[0]


def _spell_name(match: re.Match[str]) -> str:
    name = match["name"].lstrip(".")
    return match["name"][: -len(name)] + _quoted(name)


def _spell_string(match: re.Match[str]) -> str:
    return _quoted(unescape(match["string"][1:-1]))


def _spell_bare(match: re.Match[str]) -> str:
    """Take a word without quotes behind a comparison as text: published workflows write that."""
    return _quoted(match[0])


def _spell_number(match: re.Match[str]) -> str:
    number = match["number"]
    return format(Decimal(number), "f") if "e" in number.lower() else number


def _spell_pattern(match: re.Match[str]) -> str:
    flags = "".join(sorted(set(match["flags"]) & set("imsx")))
    pattern = match["regex"].replace("\\/", "/")
    return "=~ " + _quoted(MATCHES + (f"(?{flags})" if flags else "") + pattern)


def _spell_member(match: re.Match[str]) -> str:
    values = [_literal(item) for item in _EACH_LITERAL.findall(match["list"])]
    return " =~ " + _quoted((NOT_IN if match["not"] else IN) + json.dumps(values))


def _literal(text: str) -> Json:
    return unescape(text[1:-1]) if text[0] in "'\"" else float(text) if text[0] in "-0123456789" else json.loads(text)


_SPELLING: dict[str, Callable[[re.Match[str]], str]] = {
    "space": lambda _match: " ",
    "dot": lambda _match: "",
    "name": _spell_name,
    "string": _spell_string,
    "bare": _spell_bare,
    "number": _spell_number,
    "pattern": _spell_pattern,
    "member": _spell_member,
}


def _quoted(name: str) -> str:
    return "'" + name.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    return chr(int(code[1:], 16)) if len(code) == 5 else _ESCAPED.get(code, code)


def _check_function(text: str, match: re.Match[str]) -> None:
    if match["called"] != "length":
        raise ExpressionError(f'paths have no function "{match["called"]}()"', text, match.start() + 1)
    if match.end() != len(text):
        raise ExpressionError('"length()" ends a path, found more behind it', text, match.end())


def _unexpected(text: str, position: int) -> ExpressionError:
    word = _WORD.match(text, position)
    if word is not None:
        return ExpressionError(f'unexpected word "{word[0][:40]}"; text goes between quotes', text, position)
    if text[position] == ".":
        return ExpressionError('no name follows the "."', text, position)
    if text[position] in "'\"":
        return ExpressionError("this quoted text does not end", text, position)
    return ExpressionError(f'unexpected "{text[position]}" in the path', text, position)


def _parse(text: str, start: int, spelled: str) -> Any:
    from jsonpath_ng.ext.parser import parse

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return parse(spelled)
    except Exception as error:  # noqa: BLE001 - its parser raises several kinds, bare Exception among them
        raise ExpressionError(f"not a path: {_without_position(str(error))}", text, start) from None


def _without_position(message: str) -> str:
    """Drop a position in our spelling, which nobody has seen."""
    return re.sub(r"^Parse error at \d+:\d+ ", "unexpected text ", message)
