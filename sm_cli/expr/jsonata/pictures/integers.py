"""Whole numbers by a picture: `$formatInteger` and `$parseInteger`, and the numbers in the pictures of dates.

XPath and XQuery Functions 3.1, section 4.6, as JSONata 2.0.6 reads it. A number may be NaN: a date that is none has
such parts.
"""

from __future__ import annotations

import functools
import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from jsonata.jexception import JException  # type: ignore[import-untyped]  # the package ships no types

from sm_cli.expr.jsonata.pictures.numerals import (
    WORD_VALUES,
    from_letters,
    from_roman,
    from_words,
    letters,
    roman,
    words,
)
from sm_cli.expr.jsonata.text import check_length

Kind = Literal["letters", "roman", "words", "decimal", "sequence"]
Case = Literal["lower", "upper", "title"]

_KINDS: dict[str, tuple[Kind, Case]] = {
    "a": ("letters", "lower"),
    "A": ("letters", "upper"),
    "i": ("roman", "lower"),
    "I": ("roman", "upper"),
    "w": ("words", "lower"),
    "W": ("words", "upper"),
    "Ww": ("words", "title"),
}
#: The zeros of the families of ten digits that a picture may be written in.
_ZEROS = (
    *(0x30, 0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0DE6),
    *(0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40),
    *(0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10),
)
_ZERO_OF = {chr(zero + digit): zero for zero in _ZEROS for digit in range(10)}
_ENDINGS = {"1": "st", "2": "nd", "3": "rd"}
#: What JavaScript's parseInt reads at the beginning of a text.
_LEADING = re.compile(r"[\s\ufeff]*([+-]?)(?:0[xX]([0-9a-fA-F]+)|([0-9]+))")


@dataclass(frozen=True, slots=True)
class IntegerPicture:
    """A picture of whole numbers, read."""

    #: How numbers are written; a sequence is one that JSONata has not.
    kind: Kind
    #: How letters are written.
    case: Case
    #: "1st", "first".
    ordinal: bool
    #: The picture without what stands behind the semicolon.
    primary: str
    #: The code point of the digit zero.
    zero: int = 0x30
    #: The fewest digits; None of what has no digits, NaN where a date's width is no number.
    least: float | None = None
    #: How many more digits the picture shows.
    optional: int = 0
    #: (digits to the right, character) of each separator, from the right.
    separators: tuple[tuple[int, str], ...] = ()
    #: The digits between two of the same separators that repeat; 0 where they do not.
    step: int = 0


def leading_integer(text: str) -> float:
    """The whole number that a text begins with, as JavaScript's parseInt reads it; NaN where there is none."""
    match = _LEADING.match(text)
    if match is None:
        return math.nan
    sign, hexadecimal, decimal = match.groups()
    number = float.fromhex(hexadecimal) if hexadecimal else float(decimal)
    return -number if sign == "-" else number


def format_integer(value: float, picture: str) -> str:
    """The greatest whole number that is not above `value`. Raises JException D3130 or D3131 for a picture."""
    number = float(value)
    return write_integer(math.floor(number) if math.isfinite(number) else number, read_picture(picture))


def parse_integer(text: str, picture: str) -> float:
    """The number that `text` shows by the picture; NaN where it shows none. Raises as `format_integer`."""
    return read_integer(text, read_picture(picture))


@functools.lru_cache(maxsize=256)
def read_picture(picture: str) -> IntegerPicture:
    """Raises JException D3131 where the digits are of several families."""
    primary, semicolon, modifier = picture.rpartition(";")
    if not semicolon:
        primary, modifier = picture, ""
    ordinal = modifier.startswith("o")
    if primary in _KINDS:
        return IntegerPicture(*_KINDS[primary], ordinal, primary)
    zero: int | None = None
    least = optional = place = 0
    separators: list[tuple[int, str]] = []
    for sign in reversed(primary):
        family = _ZERO_OF.get(sign)
        if family is not None and zero not in (None, family):
            raise JException("D3131", -1)
        if family is None and sign != "#":
            separators.append((place, sign))
            continue
        place += 1
        if family is None:
            optional += 1
        else:
            zero, least = family, least + 1
    if zero is None:
        return IntegerPicture("sequence", "lower", ordinal, primary)
    step = _step(separators)
    return IntegerPicture("decimal", "lower", ordinal, primary, zero, least, optional, tuple(separators), step)


def _step(separators: list[tuple[int, str]]) -> int:
    """The distance of separators that are all the same and stand at each of its multiples."""
    if len({sign for _, sign in separators}) != 1:
        return 0
    places = [place for place, _ in separators]
    step = math.gcd(*places)
    return step if all(step * (at + 1) in places for at in range(len(places))) else 0


def write_integer(value: float, picture: IntegerPicture) -> str:
    """A whole number, or NaN, by a picture that was read. Raises JException D3130 for a sequence."""
    size = abs(value)
    if picture.kind != "decimal" and math.isinf(size):
        raise JException("an endless number is written in digits only", -1)
    if picture.kind == "letters":
        text = letters(size, "A" if picture.case == "upper" else "a")
    elif picture.kind == "roman":
        text = roman(size)
    elif picture.kind == "words":
        text = words(size, picture.ordinal)
    elif picture.kind == "decimal":
        text = _decimal(size, picture)
    else:
        raise JException("D3130", -1, picture.primary)
    if picture.kind in ("roman", "words") and picture.case != "title":
        text = text.upper() if picture.case == "upper" else text.lower()
    return f"-{text}" if value < 0 else text


def _decimal(size: float, picture: IntegerPicture) -> str:
    text = _digits(size)
    if picture.least is not None and picture.least > len(text):
        check_length(int(picture.least))
        text = text.rjust(int(picture.least), "0")
    if picture.zero != 0x30:
        text = "".join(chr(ord(sign) + picture.zero - 0x30) for sign in text)
    if picture.step:
        sign = picture.separators[0][1]
        for end in range((len(text) - 1) // picture.step * picture.step, 0, -picture.step):
            at = len(text) - end
            text = text[:at] + sign + text[at:]
    else:
        for place, sign in reversed(picture.separators):
            at = len(text) - place
            # JavaScript counts a place before the beginning from the end.
            text = text[: max(at, 0)] + sign + text[at:]
    if picture.ordinal:
        teens = len(text) > 1 and text[-2] == "1"
        text += "th" if teens else _ENDINGS.get(text[-1:], "th")
    return text


def _digits(size: float) -> str:
    """As JavaScript writes a whole number: no more digits than tell it from its neighbours, an exponent from 1e21."""
    if math.isnan(size):
        return "NaN"
    if size < 2**53:
        return str(int(size))
    return (
        "Infinity" if math.isinf(size) else repr(float(size)) if size >= 1e21 else f"{Decimal(repr(float(size))):.0f}"
    )


def pattern_of(picture: IntegerPicture, most: float | None = None) -> str:
    """The regular expression of what the picture writes, for dates; with `most` digits, None for any number.

    Raises JException D3130 for a sequence.
    """
    upper = picture.case == "upper"
    if picture.kind == "letters":
        return "[A-Z]+" if upper else "[a-z]+"
    if picture.kind == "roman":
        return "[MDCLXVI]+" if upper else "[mdclxvi]+"
    if picture.kind == "words":
        return f"(?:{'|'.join((*WORD_VALUES, 'and', '[-, ]'))})+"
    if picture.kind == "sequence":
        raise JException("D3130", -1, picture.primary)
    digits = "[0-9]+"
    if most is not None and picture.least is not None and not math.isnan(most + picture.least):
        digits = f"[0-9]{{{int(picture.least)},{int(most)}}}"
    return f"{digits}(?:th|st|nd|rd)" if picture.ordinal else digits


def read_integer(text: str, picture: IntegerPicture) -> float:
    """The number that `text` shows; NaN where it shows none. Raises JException D3130 for a sequence."""
    if picture.kind == "letters":
        return from_letters(text, "A" if picture.case == "upper" else "a")
    if picture.kind == "roman":
        return from_roman(text if picture.case == "upper" else text.upper())
    if picture.kind == "words":
        return from_words(text)
    if picture.kind == "sequence":
        raise JException("D3130", -1, picture.primary)
    digits = text[:-2] if picture.ordinal else text
    # JSONata 2.0.6 takes out commas where the separators repeat, whatever the separator is.
    for sign in {","} if picture.step else {sign for _, sign in picture.separators}:
        digits = digits.replace(sign, "")
    if picture.zero != 0x30:
        codes = [ord(sign) - picture.zero + 0x30 for sign in digits]
        if any(code < 0 for code in codes):
            raise JException(f"the text {text} is not written in the digits of the picture", -1)
        digits = "".join(map(chr, codes))
    return leading_integer(digits)
