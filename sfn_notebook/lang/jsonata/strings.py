"""The string functions of JSONata, as the service evaluates them.

$substring and the empty separator of $split count UTF-16 units, so they can cut a character in two; $length and $pad count
characters [measured]. Functions that take a pattern take a string, a regular expression or a matcher function.
"""

from __future__ import annotations

import base64
import binascii
import re
import urllib.parse
from collections.abc import Iterator

from sfn_notebook.errors import Json
from sfn_notebook.lang.jsonata.failures import InternalError, JsonataError
from sfn_notebook.lang.jsonata.regexes import Match, Regex
from sfn_notebook.lang.jsonata.runtime import Call, Native
from sfn_notebook.lang.jsonata.values import (
    UNDEFINED,
    Array,
    Function,
    Object,
    Sequence,
    Value,
    from_utf16,
    number,
    stringify,
    utf16,
    well_formed,
)  # fmt: skip


def string(call: Call, value: Value, pretty: Value) -> Value:
    """$string."""
    if value is UNDEFINED:
        return UNDEFINED
    text = stringify(value, pretty=pretty is True)
    call.run.hold(len(text))
    return text


def substring(text: Value, start: Value, length: Value) -> Value:
    """$substring: positions and lengths in UTF-16 units; a start before the beginning is the beginning."""
    if text is UNDEFINED:
        return UNDEFINED
    if start is UNDEFINED:
        return text if length is UNDEFINED else ""
    units = utf16(text)
    size = len(units) // 2
    if size + start < 0:
        start = 0
    first = int(start) if start >= 0 else size + int(start)
    end = size
    if length is not UNDEFINED:
        if length <= 0:
            return ""
        end = int(start + length) if start >= 0 else int(size + start + length)
    return from_utf16(units[2 * first : 2 * max(end, 0)])


def substring_before(text: Value, mark: Value) -> Value:
    """$substringBefore."""
    if text is UNDEFINED:
        return UNDEFINED
    before, found, _ = (text, "", "") if mark is UNDEFINED else text.partition(mark) if mark else ("", mark, "")
    return before if found or mark == "" else text


def substring_after(text: Value, mark: Value) -> Value:
    """$substringAfter."""
    if text is UNDEFINED or mark is UNDEFINED or not mark:
        return text
    _, found, after = text.partition(mark)
    return after if found else text


def lowercase(text: Value) -> Value:
    """$lowercase."""
    return text if text is UNDEFINED else text.lower()


def uppercase(text: Value) -> Value:
    """$uppercase."""
    return text if text is UNDEFINED else text.upper()


def length(text: Value) -> Value:
    """$length: the number of characters [measured: code points]."""
    return text if text is UNDEFINED else len(well_formed(text))


def trim(text: Value) -> Value:
    """$trim: runs of blanks become one, at the ends none."""
    return text if text is UNDEFINED else re.sub(r"[ \t\n\r]+", " ", text).strip(" ")


def pad(call: Call, text: Value, width: Value, fill: Value) -> Value:
    """$pad: on the right for a positive width, on the left for a negative one."""
    if text is UNDEFINED or width is UNDEFINED:
        return text
    missing = int(abs(width)) - len(text)
    if missing <= 0:
        return text
    call.run.hold(missing + len(text))
    fill = " " if fill is UNDEFINED or not fill else fill
    padding = (fill * (missing // len(fill) + 1))[:missing]
    return text + padding if width > 0 else padding + text


def _matches(call: Call, matcher: Function, text: str) -> Iterator[Match]:
    """Find the matches of a regular expression or of a matcher function."""
    if isinstance(matcher, Regex):
        for match in matcher.matches(text, call.run.allowance):
            call.run.spend(1)
            yield match
        return
    found = call.apply(matcher, [text])
    while found is not UNDEFINED:
        if not isinstance(found, dict) or not isinstance(found.get("next"), Function) or "start" not in found:
            raise JsonataError("T1010")
        groups = tuple(str(group) for group in found.get("groups", ()))
        yield Match(str(found.get("match", "")), int(found["start"]), int(found.get("end", 0)), groups)
        found = call.apply(found["next"], [])


def contains(call: Call, text: Value, token: Value) -> Value:
    """$contains."""
    if text is UNDEFINED:
        return UNDEFINED
    if isinstance(token, Function):
        return next(_matches(call, token, text), None) is not None
    return token is not UNDEFINED and token in text


def match(call: Call, text: Value, pattern: Value, limit: Value) -> Value:
    """$match: what the pattern matches, where, and its groups."""
    if text is UNDEFINED:
        return UNDEFINED
    if limit is not UNDEFINED and limit < 0:
        raise JsonataError("D3040", value=limit)
    found = Sequence()
    for each in _first(_matches(call, pattern, text), limit):
        start = len(utf16(text[: each.start])) // 2
        found.append(Object(match=each.text, index=start, groups=Array(each.groups)))
    return found


def _first(matches: Iterator[Match], limit: Value) -> Iterator[Match]:
    """Give at most `limit` matches, without looking for one more."""
    count = 0
    while limit is UNDEFINED or count < limit:
        found = next(matches, None)
        if found is None:
            return
        yield found
        count += 1


def replace(call: Call, text: Value, pattern: Value, replacement: Value, limit: Value) -> Value:
    """$replace: a string pattern is replaced literally, `$1` counts with a regular expression only."""
    if text is UNDEFINED:
        return UNDEFINED
    if pattern == "" and isinstance(pattern, str):
        raise JsonataError("D3010")
    if limit is not UNDEFINED and limit < 0:
        raise JsonataError("D3011", value=limit)
    if pattern is UNDEFINED or replacement is UNDEFINED:
        raise InternalError
    if not isinstance(pattern, Function):
        count = -1 if limit is UNDEFINED else int(limit)
        new = stringify(replacement)
        call.run.hold(len(text) + text.count(pattern) * len(new))
        return text.replace(pattern, new, count)
    parts, position = [], 0
    for found in _first(_matches(call, pattern, text), limit):
        new = _filled(replacement, found) if isinstance(replacement, str) else _computed(call, replacement, found)
        parts += [text[position : found.start], new]
        call.run.hold(len(text) + sum(map(len, parts)) if len(parts) % 512 == 0 else len(new))
        position = found.start + len(found.text)
    parts.append(text[position:])
    call.run.hold(sum(map(len, parts)))
    return "".join(parts)


def _computed(call: Call, function: Value, found: Match) -> str:
    new = call.apply(function, [Object(match=found.text, start=found.start, end=found.end, groups=Array(found.groups))])
    if not isinstance(new, str):
        raise JsonataError("D3012", value=new)
    return new


def _filled(template: str, found: Match) -> str:
    """Put the groups into a replacement: `$$` is a dollar, `$0` the match, `$12` group 12 if there are that many, else 1."""
    digits = len(str(max(1, len(found.groups))))

    def fill(reference: re.Match[str]) -> str:
        name = reference[1]
        if name == "$":
            return "$"
        if name[0] == "0":
            return found.text + name[1:]
        if int(name) > len(found.groups) and len(name) > 1:
            return _group(found, name[:-1]) + name[-1]
        return _group(found, name)

    return re.sub(rf"\$(\$|0|[0-9]{{1,{digits}}})", fill, template)


def _group(found: Match, name: str) -> str:
    index = int(name)
    return found.groups[index - 1] if 0 < index <= len(found.groups) else ""


def split(call: Call, text: Value, separator: Value, limit: Value) -> Value:
    """$split: an empty separator splits into UTF-16 units."""
    if text is UNDEFINED:
        return UNDEFINED
    if limit is not UNDEFINED and limit < 0:
        raise JsonataError("D3020", value=limit)
    if isinstance(separator, Function):
        parts, start = [], 0
        for found in _first(_matches(call, separator, text), limit):
            parts.append(text[start : found.start])
            start = found.end
        if limit is UNDEFINED or len(parts) < limit:
            parts.append(text[start:])
        return Array(parts)
    if separator is UNDEFINED:
        parts = [text]
    elif separator:
        parts = text.split(separator)
    else:
        units = utf16(text)
        parts = [from_utf16(units[index : index + 2]) for index in range(0, len(units), 2)]
    call.run.hold(8 * len(parts))
    return Array(parts if limit is UNDEFINED else parts[: int(limit)])


def join(call: Call, parts: Value, separator: Value) -> Value:
    """$join."""
    if parts is UNDEFINED:
        return UNDEFINED
    between = "" if separator is UNDEFINED else separator
    call.run.hold(sum(map(len, parts)) + len(between) * len(parts))
    return between.join(parts)


def base64_encode(text: Value) -> Value:
    """$base64encode: of the UTF-8 bytes."""
    return text if text is UNDEFINED else base64.b64encode(well_formed(text).encode()).decode()


def base64_decode(text: Value) -> Value:
    """$base64decode: missing padding is forgiven, foreign characters are not [measured]."""
    if text is UNDEFINED:
        return UNDEFINED
    try:
        data = base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise InternalError from None
    return data.decode("utf-8", "replace")


def encode_url_component(text: Value) -> Value:
    """$encodeUrlComponent."""
    return _encode(text, "-_.!~*'()", "encodeUrlComponent")


def encode_url(text: Value) -> Value:
    """$encodeUrl."""
    return _encode(text, "-_.!~*'();/?:@&=+$,#", "encodeUrl")


def _encode(text: Value, safe: str, name: str) -> Value:
    if text is UNDEFINED:
        return UNDEFINED
    try:
        return urllib.parse.quote(text, safe=safe)
    except UnicodeEncodeError:
        raise JsonataError("D3140", name=name, value=text) from None


def decode_url_component(text: Value) -> Value:
    """$decodeUrlComponent: `+` is a blank, and broken UTF-8 is U+FFFD [measured]."""
    return _decode(text, "decodeUrlComponent")


def decode_url(text: Value) -> Value:
    """$decodeUrl."""
    return _decode(text, "decodeUrl")


def _decode(text: Value, name: str) -> Json:
    if text is UNDEFINED:
        return UNDEFINED
    if re.search(r"%(?![0-9A-Fa-f]{2})", text):
        raise JsonataError("D3140", name=name, value=text)
    return urllib.parse.unquote_plus(text)


def cast(value: Value) -> Value:
    """$number: of a number, a boolean, or a text that is written like a number."""
    if value is UNDEFINED or type(value) is int or type(value) is float:
        return value
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?([Ee][-+]?[0-9]+)?", value, re.ASCII):
            result = float(value)
            if result - result == 0:
                return number(result)
        elif re.fullmatch(r"0[xX][0-9A-Fa-f]+|0[oO][0-7]+|0[bB][01]+", value):
            return number(float(int(value, 0)))
    raise JsonataError("D3030", value=value)


FUNCTIONS = {
    "string": Native(string, "x-b?", arity=1, needs_call=True),
    "substring": Native(substring, "s-nn?"),
    "substringBefore": Native(substring_before, "s-s"),
    "substringAfter": Native(substring_after, "s-s"),
    "lowercase": Native(lowercase, "s-"),
    "uppercase": Native(uppercase, "s-"),
    "length": Native(length, "s-"),
    "trim": Native(trim, "s-"),
    "pad": Native(pad, "s-ns?", needs_call=True),
    "match": Native(match, "s-f<s:o>n?", needs_call=True),
    "contains": Native(contains, "s-(sf)", needs_call=True),
    "replace": Native(replace, "s-(sf)(sf)n?", needs_call=True),
    "split": Native(split, "s-(sf)n?", needs_call=True),
    "join": Native(join, "a<s>s?", needs_call=True),
    "base64encode": Native(base64_encode, "s-"),
    "base64decode": Native(base64_decode, "s-"),
    "encodeUrlComponent": Native(encode_url_component, "s-"),
    "encodeUrl": Native(encode_url, "s-"),
    "decodeUrlComponent": Native(decode_url_component, "s-"),
    "decodeUrl": Native(decode_url, "s-"),
    "number": Native(cast, "(nsb)-"),
}
