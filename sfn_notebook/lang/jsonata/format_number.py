"""$formatNumber: numbers in the pictures of XPath, with the service's rounding.

A picture such as `#,##0.00;(#)` is read once into a `Picture` and kept for the next number. The rules and their order are
those of JSONata, the last broken rule gives the error; the rounding is half to even on the digits that the number is written
with, so 0.125 in two places is 0.12 [measured].
"""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import dataclass, replace

from sfn_notebook.lang.jsonata.failures import InternalError, JsonataError
from sfn_notebook.lang.jsonata.numeric import half_even
from sfn_notebook.lang.jsonata.runtime import Call, Native
from sfn_notebook.lang.jsonata.values import UNDEFINED, Value, double

_DEFAULTS = {
    "decimal-separator": ".", "grouping-separator": ",", "exponent-separator": "e", "infinity": "Infinity",
    "minus-sign": "-", "NaN": "NaN", "percent": "%", "per-mille": "\u2030", "zero-digit": "0", "digit": "#",
    "pattern-separator": ";",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Symbols:
    """The characters that mean something in a picture."""

    point: str
    comma: str
    exponent: str
    minus: str
    percent: str
    per_mille: str
    digits: str
    optional: str
    separator: str

    @classmethod
    def of(cls, options: dict[str, str]) -> Symbols:
        """Take the defaults with `options` over them."""
        found = {**_DEFAULTS, **options}
        zero = ord(found["zero-digit"][:1] or "0")
        digits = "".join(chr(zero + index) for index in range(10))
        return cls(
            found["decimal-separator"], found["grouping-separator"], found["exponent-separator"], found["minus-sign"],
            found["percent"], found["per-mille"], digits, found["digit"], found["pattern-separator"],
        )  # fmt: skip

    def places(self, part: str) -> int:
        """Count the places for digits in a part."""
        return sum(char in self.digits or char == self.optional for char in part)

    def required(self, part: str) -> int:
        """Count the places that are always written."""
        return sum(char in self.digits for char in part)

    @property
    def active(self) -> str:
        """Give all characters that are no plain text inside a picture."""
        return self.digits + self.point + self.exponent + self.comma + self.optional + self.separator


@dataclass(frozen=True, slots=True)
class Picture:
    """One half of a picture, taken apart."""

    text: str
    prefix: str
    suffix: str
    mantissa: str
    exponent: str | None
    integer: str
    fraction: str


def format_number(call: Call, value: Value, picture: Value, options: Value) -> Value:
    """$formatNumber."""
    if value is UNDEFINED:
        return UNDEFINED
    if picture is UNDEFINED:
        raise InternalError
    given = {} if options is UNDEFINED else {key: str(item) for key, item in options.items()}
    symbols = Symbols.of(given)
    pictures = _read(picture, symbols)
    positive = value >= 0 or value != value
    chosen = pictures[0] if positive else pictures[1]
    text = _format(double(value), chosen, symbols)
    call.run.hold(len(text))
    return text


@functools.lru_cache(maxsize=64)
def _read(text: str, symbols: Symbols) -> tuple[Picture, Picture]:
    halves = text.split(symbols.separator) if symbols.separator else [text]
    if len(halves) > 2:
        raise JsonataError("D3080")
    pictures = [_split(half, symbols) for half in halves]
    for picture in pictures:
        _check(picture, symbols)
    if len(pictures) == 1:
        pictures.append(replace(pictures[0], prefix=symbols.minus + pictures[0].prefix))
    return pictures[0], pictures[1]


def _split(text: str, symbols: Symbols) -> Picture:
    framing = symbols.active.replace(symbols.exponent, "") if symbols.exponent else symbols.active
    active = [index for index, char in enumerate(text) if char in framing]
    if not active:
        raise JsonataError("D3086")
    prefix, body, suffix = text[: active[0]], text[active[0] : active[-1] + 1], text[active[-1] + 1 :]
    at = body.find(symbols.exponent)
    mantissa, exponent = (body, None) if at < 0 else (body[:at], body[at + 1 :])
    integer, _, fraction = mantissa.partition(symbols.point)
    return Picture(text, prefix, suffix, mantissa, exponent, integer, fraction)


def _check(picture: Picture, symbols: Symbols) -> None:
    """Raise the error of the last rule that the picture breaks."""
    text, integer, fraction, exponent = picture.text, picture.integer, picture.fraction, picture.exponent
    body = text[len(picture.prefix) : len(text) - len(picture.suffix)]
    point = text.find(symbols.point)
    beside = text[max(point - 1, 0) : point] + text[point + 1 : point + 2] if point >= 0 else ""
    scaled = symbols.percent in text or symbols.per_mille in text
    optional_integer, optional_fraction = integer.find(symbols.optional), fraction.rfind(symbols.optional)
    rules = (
        ("D3081", text.count(symbols.point) > 1),
        ("D3082", text.count(symbols.percent) > 1),
        ("D3083", text.count(symbols.per_mille) > 1),
        ("D3084", symbols.percent in text and symbols.per_mille in text),
        ("D3085", not symbols.places(picture.mantissa)),
        ("D3086", any(char not in symbols.active for char in body)),
        ("D3087", symbols.comma in beside and bool(beside)),
        ("D3088", point < 0 and integer.endswith(symbols.comma)),
        ("D3089", symbols.comma * 2 in text),
        ("D3090", optional_integer >= 0 and symbols.required(integer[:optional_integer]) > 0),
        ("D3091", optional_fraction >= 0 and symbols.required(fraction[optional_fraction:]) > 0),
        ("D3092", bool(exponent) and scaled),
        ("D3093", exponent is not None and (not exponent or symbols.required(exponent) < len(exponent))),
    )
    broken = [code for code, wrong in rules if wrong]
    if broken:
        raise JsonataError(broken[-1])


def _sizes(picture: Picture, symbols: Symbols) -> tuple[int, int, int]:
    """Give the least integer places, and the least and most fraction places."""
    least_integer = symbols.required(picture.integer)
    least, most = symbols.required(picture.fraction), symbols.places(picture.fraction)
    if least_integer == 0 and most == 0:
        if picture.exponent is not None:
            least = most = 1
        else:
            least_integer = 1
    if picture.exponent is not None and least_integer == 0 and symbols.optional in picture.integer:
        least_integer = 1
    if least_integer == 0 and least == 0:
        least = 1
    return least_integer, least, most


def _format(value: float, picture: Picture, symbols: Symbols) -> str:
    if not math.isfinite(value):
        name = "NaN" if value != value else "Infinity"
        return picture.prefix + name + picture.suffix
    scale = 100 if symbols.percent in picture.text else 1000 if symbols.per_mille in picture.text else 1
    mantissa, power = value * scale, 0
    if picture.exponent is not None:
        mantissa, power = _scaled(mantissa, symbols.required(picture.integer))
    least_integer, least, most = _sizes(picture, symbols)
    integer, _, fraction = f"{abs(half_even(mantissa, most)):f}".partition(".")
    integer = integer.lstrip("0").rjust(least_integer, "0")
    fraction = fraction.rstrip("0").ljust(least, "0")
    text = _grouped_integer(integer, picture, symbols)
    if fraction:
        text += symbols.point + _grouped_fraction(fraction, picture, symbols)
    if picture.exponent is not None:
        digits = str(abs(power)).rjust(symbols.required(picture.exponent), "0")
        text += symbols.exponent + (symbols.minus if power < 0 else "") + digits
    if symbols.digits[0] != "0":
        text = text.translate({ord("0") + index: char for index, char in enumerate(symbols.digits)})
    return picture.prefix + text + picture.suffix


def _scaled(value: float, places: int) -> tuple[float, int]:
    """Give a mantissa with `places` digits before the point, and the power of ten that belongs to it."""
    power = 0
    if value <= 0:  # as JSONata: a negative mantissa is never scaled up, and zero not at all
        return value, 0
    while value < 10.0 ** (places - 1):
        value *= 10
        power -= 1
    while value > 10.0**places:
        value /= 10
        power += 1
    return value, power


def _grouped_integer(digits: str, picture: Picture, symbols: Symbols) -> str:
    parts = picture.integer.split(symbols.comma)
    positions = [symbols.places("".join(parts[index:])) for index in range(1, len(parts))]
    if not positions:
        return digits
    width = math.gcd(*positions)
    regular = sorted(positions) == [width * (index + 1) for index in range(len(positions))]
    wanted = range(width, len(digits), width) if regular and width else sorted(p for p in positions if p < len(digits))
    cuts = [len(digits) - position for position in wanted]
    edges = [0, *sorted(cuts), len(digits)]
    return symbols.comma.join(digits[start:end] for start, end in itertools.pairwise(edges))


def _grouped_fraction(digits: str, picture: Picture, symbols: Symbols) -> str:
    parts = picture.fraction.split(symbols.comma)
    positions = [symbols.places("".join(parts[:index])) for index in range(1, len(parts))]
    for position in sorted((p for p in positions if p < len(digits)), reverse=True):
        digits = digits[:position] + symbols.comma + digits[position:]
    return digits


FUNCTIONS = {"formatNumber": Native(format_number, "n-so?", needs_call=True)}
