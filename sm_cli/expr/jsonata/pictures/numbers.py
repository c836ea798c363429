"""Numbers by a picture: `$formatNumber`, whose pictures are those of XPath's format-number.

A picture that breaks a rule raises the error of JSONata 2.0.6 (D3080 to D3093); where it breaks several, the last
one in the order of the codes. XPath and XQuery Functions 3.1, section 4.7; JSONata, "Numeric functions".
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from functools import reduce
from typing import Any

from jsonata.jexception import JException  # type: ignore[import-untyped]  # the package ships no types

from sm_cli.expr.jsonata.text import as_string

_SIGNS = {
    "decimal-separator": ".",
    "grouping-separator": ",",
    "exponent-separator": "e",
    "minus-sign": "-",
    "percent": "%",
    "per-mille": "\u2030",
    "zero-digit": "0",
    "digit": "#",
    "pattern-separator": ";",
}
#: Digits of the widest number that is written out: JavaScript's toFixed goes no further either.
_CONTEXT = Context(prec=450)
_MOST_PLACES = 100


@dataclass(frozen=True, slots=True)
class _Signs:
    """The characters that mean something in a picture."""

    #: The decimal separator, in the picture and in the result.
    point: str
    #: The grouping separator, likewise.
    comma: str
    #: The exponent separator, likewise.
    power: str
    #: What stands before a negative number and a negative exponent.
    minus: str
    #: The sign of a number times 100.
    percent: str
    #: The sign of a number times 1000.
    per_mille: str
    #: A digit that may be left out.
    optional: str
    #: What separates the picture of negative numbers from that of others.
    pattern: str
    #: The ten digits, from zero.
    family: tuple[str, ...]

    def active(self, sign: str) -> bool:
        return sign in self.family or sign in (self.point, self.comma, self.power, self.optional, self.pattern)

    def digits(self, text: str, optional: bool = False) -> int:
        """How many digits stand in `text`; with `optional`, those that may be left out too."""
        return sum(sign in self.family or (optional and sign == self.optional) for sign in text)


@dataclass(frozen=True, slots=True)
class _Picture:
    """One half of a picture, cut into its parts."""

    #: The half as it is written.
    whole: str
    #: What stands before the number.
    prefix: str
    #: What stands behind it.
    suffix: str
    #: From the first active character to the last.
    active: str
    #: The active part before the exponent separator.
    mantissa: str
    #: The part before the decimal separator.
    integer: str
    #: The part behind it.
    fraction: str
    #: The part behind the exponent separator; None without one.
    exponent: str | None


def format_number(value: float, picture: str, options: dict[str, Any] | None = None) -> str:
    """`value` by `picture`. Raises JException with JSONata's code for a picture, without one for options."""
    signs = _signs(options or {})
    halves = picture.split(signs.pattern) if signs.pattern else list(picture)
    if len(halves) > 2:
        raise JException("D3080", -1)
    cut = [_cut(half, signs) for half in halves]
    for half in cut:
        _check(half, signs)
    negative = value < 0
    prefix = signs.minus if negative and len(cut) == 1 else ""
    picture_part = cut[-1] if negative else cut[0]
    return f"{prefix}{picture_part.prefix}{_number(float(value), picture_part, signs)}{picture_part.suffix}"


def _signs(options: dict[str, Any]) -> _Signs:
    signs = {name: options.get(name, sign) for name, sign in _SIGNS.items()}
    for name, sign in signs.items():
        scalar = not isinstance(sign, (dict, list)) and (isinstance(sign, str) or name != "zero-digit")
        if not scalar or (sign == "" and name in ("zero-digit", "digit", "pattern-separator")):
            raise JException(f"the option {name} of $formatNumber must be a text of one character", -1)
        signs[name] = as_string(sign)
    zero = ord(signs["zero-digit"][0])
    return _Signs(
        point=signs["decimal-separator"],
        comma=signs["grouping-separator"],
        power=signs["exponent-separator"],
        minus=signs["minus-sign"],
        percent=signs["percent"],
        per_mille=signs["per-mille"],
        optional=signs["digit"],
        pattern=signs["pattern-separator"],
        family=tuple(chr(min(zero + i, 0x10FFFF)) for i in range(10)),
    )


def _cut(whole: str, signs: _Signs) -> _Picture:
    places = [at for at, sign in enumerate(whole) if signs.active(sign) and sign != signs.power]
    if not places:
        raise JException("D3085", -1)
    first, behind = places[0], places[-1] + 1
    active, suffix = whole[first:behind], whole[behind:]
    mantissa, exponent = active, None
    at = whole.find(signs.power, first)
    if 0 <= at <= behind:
        # The offset is that in the whole half, as JSONata 2.0.6 has it, also where something stands before the number.
        mantissa, exponent = active[:at], active[at + 1 :]
    point = mantissa.find(signs.point)
    integer, fraction = (mantissa, suffix) if point < 0 else (mantissa[:point], mantissa[point + 1 :])
    return _Picture(whole, whole[:first], suffix, active, mantissa, integer, fraction, exponent)


def _check(half: _Picture, signs: _Signs) -> None:
    whole = half.whole
    point = whole.find(signs.point)
    beside = {whole[point - 1 : point], whole[point + 1 : point + 2]} if point >= 0 else set()
    has_percent = signs.percent in whole or signs.per_mille in whole
    before = half.integer.partition(signs.optional)[0] if signs.optional in half.integer else ""
    after = half.fraction.rpartition(signs.optional)[2] if signs.optional in half.fraction else ""
    odd_exponent = half.exponent is not None and signs.digits(half.exponent) < max(1, len(half.exponent))
    faults = {
        "D3081": point != whole.rfind(signs.point),
        "D3082": whole.find(signs.percent) != whole.rfind(signs.percent),
        "D3083": whole.find(signs.per_mille) != whole.rfind(signs.per_mille),
        "D3084": signs.percent in whole and signs.per_mille in whole,
        "D3085": not signs.digits(half.mantissa, optional=True),
        "D3086": not all(map(signs.active, half.active)),
        "D3087": signs.comma in beside,
        "D3088": point < 0 and half.integer[-1:] == signs.comma,
        "D3089": signs.comma * 2 in whole,
        "D3090": signs.digits(before) > 0,
        "D3091": signs.digits(after) > 0,
        "D3092": bool(half.exponent) and has_percent,
        "D3093": odd_exponent,
    }
    for code in reversed(faults):
        if faults[code]:
            raise JException(code, -1)


def _number(value: float, half: _Picture, signs: _Signs) -> str:
    """The digits of |value|, grouped, with its exponent."""
    scaling = signs.digits(half.integer)
    least, least_places, places = _sizes(half, signs)
    scale = 100 if signs.percent in half.whole else 1000 if signs.per_mille in half.whole else 1
    mantissa, power = value * scale, 0
    if half.exponent is not None:
        mantissa, power = _scale(abs(mantissa), scaling)
    if places > _MOST_PLACES or not math.isfinite(mantissa):
        raise JException(f"$formatNumber writes finite numbers with at most {_MOST_PLACES} decimal places", -1)
    whole, _, fraction = _fixed_digits(abs(mantissa), places).partition(".")
    whole = whole.lstrip("0").rjust(least, "0")
    fraction = fraction.rstrip("0").ljust(least_places, "0")
    text = _group(f"{_in(signs, whole)}{signs.point}{_in(signs, fraction)}", half, signs)
    behind = text.find(signs.point) + 1
    for at in _positions(half.fraction, half.integer, signs, left=True):
        text = text[: behind + at] + signs.comma + text[behind + at :]
    if signs.point not in half.whole or text.find(signs.point) == len(text) - 1:
        text = text[:-1]
    if half.exponent is None:
        return text
    digits = _in(signs, str(abs(power)).rjust(len(half.exponent), "0"))
    return f"{text}{signs.power}{signs.minus if power < 0 else ''}{digits}"


def _sizes(half: _Picture, signs: _Signs) -> tuple[int, int, int]:
    """The fewest digits of the whole part, the fewest and the most of the fraction."""
    least, least_places = signs.digits(half.integer), signs.digits(half.fraction)
    places = signs.digits(half.fraction, optional=True)
    if least == 0 and places == 0:
        if half.exponent is None:
            least = 1
        else:
            least_places = places = 1
    if half.exponent is not None and least == 0 and signs.optional in half.integer:
        least = 1
    if least == 0 and least_places == 0:
        least_places = 1
    return least, least_places, places


def _scale(mantissa: float, digits: int) -> tuple[float, int]:
    """With so many digits before the point, and the power of ten that was taken out. Zero stays as it is."""
    power = 0
    if mantissa == 0 or not math.isfinite(mantissa):
        return mantissa, 0
    least, most = math.pow(10, digits - 1), math.pow(10, digits)
    while mantissa < least:
        mantissa, power = mantissa * 10, power - 1
    while mantissa > most:
        mantissa, power = mantissa / 10, power + 1
    return mantissa, power


def _fixed_digits(value: float, places: int) -> str:
    """Rounded half to even as the number is written, then written out as the binary fraction that this gives."""
    unit = Decimal(1).scaleb(-places)
    decimal = float(Decimal(repr(value)).quantize(unit, ROUND_HALF_EVEN, _CONTEXT))
    if decimal >= 1e21:
        return repr(decimal)
    return f"{Decimal(decimal).quantize(unit, ROUND_HALF_UP, _CONTEXT):f}"


def _in(signs: _Signs, digits: str) -> str:
    return digits if signs.family[0] == "0" else "".join(signs.family[int(d)] if d.isdecimal() else d for d in digits)


def _positions(part: str, integer: str, signs: _Signs, left: bool = False) -> list[int]:
    """How many digits stand right of each grouping separator, or left of it in a fraction."""
    counts = []
    at = part.find(signs.comma) if signs.comma else -1
    while at >= 0:
        counts.append(signs.digits(part[:at] if left else part[at:], optional=True))
        # A fraction has one: JSONata 2.0.6 looks for the next one in the whole part.
        at = integer.find(signs.comma, at + 1)
    return counts


def _group(text: str, half: _Picture, signs: _Signs) -> str:
    """Separators in the whole part; one at a place that the number does not reach is counted from its end."""
    end = text.find(signs.point)
    positions = _positions(half.integer, half.integer, signs)
    step = reduce(math.gcd, positions) if positions else 0
    if step and all(step * (i + 1) in positions for i in range(len(positions))):
        for at in range(step, end, step):
            text = text[: end - at] + signs.comma + text[end - at :]
        return text
    for at in positions:
        text = text[: end - at] + signs.comma + text[end - at :]
        end += 1
    return text
