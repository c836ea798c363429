"""Dates read by a picture, or by ISO 8601: `$toMillis`.

XPath has no such function; what a picture leaves out, and which parts belong together, is as in JSONata 2.0.6.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable

from jsonata.jexception import JException  # type: ignore[import-untyped]  # the package ships no types

from sm_cli.expr.jsonata.pictures.calendar import DAY, moment_of, part, utc
from sm_cli.expr.jsonata.pictures.dates import Marker, component_names, read_date_picture
from sm_cli.expr.jsonata.pictures.integers import leading_integer, pattern_of, read_integer

_Reader = Callable[[str], float | None]
_ISO = re.compile(
    r"(\d{4})(?:-([01]\d)(?:-([0-3]\d))?)?(?:T([0-2]\d):([0-5]\d):([0-5]\d)(\.\d+)?)?"
    r"(?:Z|([+-])([0-2]\d):?([0-5]\d))?",
    re.ASCII,
)


def read_iso(text: str) -> float:
    """A moment in milliseconds since 1970. Raises JException D3110 for what is no date.

    The thirtieth of February is in March, as in JavaScript, and 24:00:00 is midnight.
    """
    match = _ISO.fullmatch(text)
    if match is None:
        raise JException("D3110", -1, text)
    year, month, day, hour, minute, second, fraction, sign, ahead, beside = match.groups()
    seconds = int(hour or 0) * 3600 + int(minute or 0) * 60 + int(second or 0)
    right = 1 <= int(month or 1) <= 12 and 1 <= int(day or 1) <= 31 and seconds <= 86_400 and int(ahead or 0) < 24
    if not right or (seconds == 86_400 and int(f"{fraction or '.0'}"[1:4])) or (sign and hour is None):
        raise JException("D3110", -1, text)
    millis = seconds * 1000 + int(f"{fraction or '.'}000"[1:4])
    offset = (int(ahead or 0) * 60 + int(beside or 0)) * 60_000
    # A year below 100 is itself here, where Date.UTC has one of the twentieth century: 400 years are one cycle.
    start = utc(int(year) + 400, int(month or 1) - 1, int(day or 1)) - 146_097 * DAY
    return start + millis + (offset if sign == "-" else -offset)


def read_date(text: str, picture: str, now: float) -> float | None:
    """A moment in milliseconds since 1970, None where the text is not as the picture says.

    The parts before the first one that the picture has are those of `now`, in milliseconds since 1970.
    Raises JException D3130 to D3133, D3135, and D3136 for a picture that leaves out a part between others.
    """
    pattern, readers = _compile(picture)
    match = pattern.fullmatch(text)
    if match is None:
        return None
    values: dict[str, float] = {}
    for at, (letter, reader) in enumerate(readers, 1):
        value = reader(match[at])
        if value is None:
            values.pop(letter, None)
        else:
            values[letter] = value
    return _moment(values, now) if readers else None


@functools.lru_cache(maxsize=256)
def _compile(picture: str) -> tuple[re.Pattern[str], tuple[tuple[str, _Reader], ...]]:
    """A regular expression with one group for each reader."""
    pattern, readers = "", []
    for each in read_date_picture(picture):
        if isinstance(each, str):
            pattern += re.escape(each)
            continue
        regex, reader = _reader(each)
        pattern += f"({regex})"
        readers.append((each.letter, reader))
    return re.compile(pattern, re.IGNORECASE), tuple(readers)


def _reader(marker: Marker) -> tuple[str, _Reader]:
    picture = marker.number
    if marker.letter in ("Z", "z") and picture is not None:
        separators = picture.separators[: 1 if picture.step else None]
        separator = separators[0][1] if len(separators) == 1 else ""
        between = re.escape(separator) + "[0-9]+" if separator else ""
        regex = f"{'GMT' if marker.letter == 'z' else ''}[-+][0-9]+{between}"
        start = 3 if marker.letter == "z" else 0
        return regex, lambda text: _offset(text[start:], separator)
    if picture is not None:
        return pattern_of(picture, marker.most), lambda text: read_integer(text, picture)
    if marker.letter == "P":
        return "[a-zA-Z]+", {"am": 0, "AM": 0, "pm": 1, "PM": 1}.get
    longest = None if not marker.longest or math.isnan(marker.longest) else int(marker.longest)
    return "[a-zA-Z]+", {name[:longest]: number for number, name in enumerate(component_names(marker), 1)}.get


def _offset(text: str, separator: str) -> float:
    """In minutes."""
    if separator:
        hours, _, minutes = text.partition(separator)
        return leading_integer(hours) * 60 + leading_integer(minutes)
    if len(text) <= 3:
        return leading_integer(text) * 60
    return leading_integer(text[:3]) * 60 + leading_integer(text[3:])


def _only(values: dict[str, float], letters: str, among: str) -> bool:
    """Whether there is a part, not zero, of these letters, and none of the others."""
    there = {letter for letter in among if values.get(letter)}
    return bool(there) and there <= set(letters)


def _moment(values: dict[str, float], now: float) -> float | None:
    if not values:
        return None
    among = "YXMxWwdD"
    by_day = not _only(values, "YMD", among) and _only(values, "Yd", among)
    by_week = _only(values, "XxwF", among) or _only(values, "XWF", among)
    by_half = not _only(values, "Hmsf", "PHhmsf") and _only(values, "Phmsf", "PHhmsf")
    dates = "Yd" if by_day else "YMD"
    if by_week:
        dates = "XxwF" if _only(values, "XxwF", among) else "XWF"
    _complete(values, dates + ("Phmsf" if by_half else "Hmsf"), now)
    if by_week:
        raise JException("D3136", -1)
    month = max(values.get("M", 0) - 1, 0)
    day = values.get("D", math.nan)
    if by_day:
        date = moment_of(utc(values["Y"], 0) + (values["d"] - 1) * DAY)
        month, day = (date.month, date.day) if date else (math.nan, math.nan)
    hour = values.get("H", math.nan)
    if by_half:
        hour = (0 if values["h"] == 12 else values["h"]) + (12 if values["P"] == 1 else 0)
    rest = ((hour * 60 + values["m"]) * 60 + values["s"]) * 1000 + values["f"]
    zone = values.get("Z") or values.get("z") or 0
    return utc(values["Y"], month, day, rest) - zone * 60_000


def _complete(values: dict[str, float], letters: str, now: float) -> None:
    """Before the first part that is there the parts are those of now; behind the last one they are the least."""
    has_begun = has_ended = False
    for letter in letters:
        if letter in values:
            if has_ended:
                raise JException("D3136", -1)
            has_begun = True
        elif has_begun:
            values[letter] = 1 if letter in "MDd" else 0
            has_ended = True
        else:
            value = part(now, letter)
            values[letter] = math.nan if value is None or isinstance(value, str) else value
