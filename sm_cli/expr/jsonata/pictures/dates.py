"""Pictures of dates, and moments written by them: `$fromMillis` and `$now`.

XPath and XQuery Functions 3.1, section 9.8, as JSONata 2.0.6 reads it; what it makes of a zone or a moment that is
none (NaN, the text "undefined") is kept too.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from dataclasses import dataclass
from typing import Any, Literal

from jsonata.jexception import JException  # type: ignore[import-untyped]  # the package ships no types

from sm_cli.expr.jsonata.pictures.calendar import part
from sm_cli.expr.jsonata.pictures.integers import (
    IntegerPicture,
    format_integer,
    leading_integer,
    read_picture,
    write_integer,
)

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
#: The picture where none is given.
ISO_PICTURE = "[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01].[f001][Z01:01t]"
#: Each component and how it is shown where the picture does not say.
_PRESENTATIONS = {
    **dict.fromkeys("YMDdWwXxHhf", "1"),
    **dict.fromkeys("FPCE", "n"),
    **dict.fromkeys("ms", "01"),
    **dict.fromkeys("Zz", "01:01"),
}
_NUMBERS = "YMDdFWwXxHhmsf"
#: More digits than any date has would only fill memory.
_MOST_DIGITS = 1_000_000


@dataclass(frozen=True, slots=True)
class Marker:
    """One part of a picture in brackets."""

    #: The letter of the component.
    letter: str
    #: How a name is written; None where a number is.
    names: Literal["lower", "upper", "title"] | None
    #: The picture of the number; None of names and of unknown letters.
    number: IntegerPicture | None
    #: The most characters of a name; None without a width.
    longest: float | None
    #: Whether a width is given, of any kind.
    wide: bool
    #: Of years, months and days the most digits that are read, and of years shown, from the right; None for all.
    most: float | None
    #: Whether a zone of nothing is "Z".
    zulu: bool


@functools.lru_cache(maxsize=256)
def read_date_picture(picture: str) -> tuple[str | Marker, ...]:
    """The texts and markers of a picture. Raises JException D3131, D3132, D3135."""
    parts: list[str | Marker] = []
    start = at = 0
    while (at := picture.find("[", at)) >= 0:
        _add_text(parts, picture[start:at])
        if picture[at + 1 : at + 2] == "[":
            parts.append("[")
            start = at = at + 2
            continue
        end = picture.find("]", at)
        if end < 0:
            raise JException("D3135", -1)
        parts.append(_marker("".join(picture[at + 1 : end].split())))
        start = at = end + 1
    _add_text(parts, picture[start:])
    return tuple(parts)


def _add_text(parts: list[str | Marker], text: str) -> None:
    if text:
        parts.append(text.replace("]]", "]"))


def _marker(text: str) -> Marker:
    letter, behind = text[:1], text[1:]
    presentation, comma, width = behind.rpartition(",")
    shortest = longest = None
    if comma:
        least, dash, greatest = width.partition("-")
        shortest, longest = _width(least), _width(greatest) if dash else None
    else:
        presentation = behind
    modifier = ""
    if len(presentation) > 1 and presentation[-1] in "atco":
        presentation, modifier = presentation[:-1], presentation[-1]
    presentation = presentation or _PRESENTATIONS.get(letter, "")
    if not presentation:
        raise JException("D3132", -1, letter)
    names: Literal["lower", "upper", "title"] | None = None
    number, most = None, None
    if presentation[0] in "nN":
        names = "lower" if presentation[0] == "n" else "title" if presentation[1:2] == "n" else "upper"
    elif letter in _NUMBERS:
        number = read_picture(f"{presentation};{modifier}" if modifier else presentation)
        number = dataclasses.replace(number, ordinal=modifier == "o")
        number, most = _width_picture(number, letter, shortest, longest)
    if letter in ("Z", "z"):
        number = read_picture(presentation)
    return Marker(letter, names, number, longest, bool(comma), most, modifier == "t")


def _width(text: str) -> float | None:
    if text == "*":
        return None
    width = leading_integer(text)
    if width > _MOST_DIGITS:
        raise JException(f"the width {text} in the picture of a date is greater than {_MOST_DIGITS}", -1)
    return width


def _width_picture(
    number: IntegerPicture, letter: str, shortest: float | None, longest: float | None
) -> tuple[IntegerPicture, float | None]:
    """With the digits that a width asks for; of years, months and days also the most, None for any number."""
    least = number.least
    if shortest is not None and least is not None and least < shortest:
        number = dataclasses.replace(number, least=shortest)
    if letter not in ("Y", "M", "D"):
        return number, None
    if longest is not None:
        return dataclasses.replace(number, least=longest), longest
    if number.least is not None and number.least + number.optional >= 2:
        return number, number.least + number.optional
    return number, None


def format_date(millis: float, picture: str | None, zone: str | None) -> str:
    """A moment in milliseconds since 1970 by a picture, in a zone as "+0530". Raises JException D3130 to D3135."""
    hours = minutes = 0.0
    if zone is not None:
        offset = leading_integer(zone)
        hours = offset // 100
        minutes = math.fmod(offset, 100) if math.isfinite(offset) else math.nan
    parts = read_date_picture(ISO_PICTURE if picture is None else picture)
    moment = millis + (60 * hours + minutes) * 60_000
    return "".join([each if isinstance(each, str) else _format_part(moment, each, hours, minutes) for each in parts])


def _format_part(moment: float, marker: Marker, hours: float, minutes: float) -> str:
    if marker.letter in ("Z", "z"):
        return _zone(marker, hours, minutes)
    value = part(moment, marker.letter)
    if value is None:
        return "undefined"
    if isinstance(value, str):
        return value.upper() if marker.letter == "P" and marker.names == "upper" else value
    if marker.letter == "Y" and marker.most is not None:
        value = math.fmod(value, 10.0 ** min(marker.most, 300))
    if marker.names is not None and marker.letter != "f":
        return _name(value, marker)
    if marker.number is None:
        raise JException("a fraction of a second has no name", -1)
    return write_integer(value, marker.number)


def _name(value: float, marker: Marker) -> str:
    names = component_names(marker)
    if math.isnan(value):
        if marker.names != "title" or marker.wide:
            raise JException("a date that is none has no names", -1)
        return "undefined"
    name = names[int(value) - 1]
    name = name.upper() if marker.names == "upper" else name.lower() if marker.names == "lower" else name
    return name if marker.longest is None or math.isnan(marker.longest) else name[: max(int(marker.longest), 0)]


def component_names(marker: Marker) -> tuple[str, ...]:
    """The names of months or days. Raises JException D3133 for a component without names."""
    if marker.letter in ("M", "x"):
        return MONTHS
    if marker.letter == "F":
        return DAYS
    raise JException("D3133", -1, marker.letter)


def _zone(marker: Marker, hours: float, minutes: float) -> str:
    offset = hours * 100 + minutes
    picture: Any = marker.number
    if picture.step or picture.least in (3, 4):
        text = write_integer(offset, picture)
    elif picture.least in (1, 2):
        text = write_integer(hours, picture)
        if minutes != 0:
            text += f":{format_integer(minutes, '00')}"
    else:
        raise JException("D3134", -1, picture.least)
    text = f"+{text}" if offset >= 0 else text
    text = f"GMT{text}" if marker.letter == "z" else text
    return "Z" if offset == 0 and marker.zulu else text
