"""Timestamps of the States Language: RFC3339, with an uppercase T and a zone.

Strict. States Language, "Timestamps": the RFC3339 profile of ISO-8601, "with the further restrictions
that an uppercase T character MUST be used to separate date and time, and an uppercase Z character MUST be
present in the absence of a numeric time zone offset". What is not that is not a timestamp, and never guessed.
"""

# No annotations from __future__ here: a NamedTuple compiles each one that is text, and every command waits for it.

import re
from datetime import date
from typing import NamedTuple

#: As text: `re` compiles it when a timestamp is first read, and who only writes them waits for nothing.
_TIMESTAMP = (
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})"
    r"(?:\.([0-9]{1,9}))?(?:Z|([+-])([0-9]{2}):([0-9]{2}))"
)
_EPOCH_DAY = date(1970, 1, 1).toordinal()

#: Tried in this order on a text that is no timestamp: the first that matches says what is wrong with it.
_MISTAKES = (
    (r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "the time of day is missing: write 2024-01-31T09:30:00Z"),
    (r"[0-9]{4}-[0-9]{2}-[0-9]{2}[^T].*", "an uppercase T must stand between the date and the time"),
    (r"[^Z+]*T[0-9:.]*", "the zone is missing: end it with Z or with an offset such as +02:00"),
    (r".*z", "the Z must be uppercase"),
    (r".*\.[0-9]{10,}.*", "a fraction of a second has at most nine digits"),
    (r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?:Z|[+-].*)", "the seconds are missing"),
    (_TIMESTAMP, "there is no such date or time of day"),
)


class Timestamp(NamedTuple):
    """A moment: `microseconds` since 1970 UTC (rounded down), and `nanoseconds` since then, exact, to order by."""

    microseconds: int
    nanoseconds: int


def parse_timestamp(text: str) -> Timestamp | None:
    """The moment that `text` names, or None when it is not RFC3339 as the States Language wants it."""
    match = re.fullmatch(_TIMESTAMP, text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, sign, zone_hour, zone_minute = match.groups()
    if hour > "23" or minute > "59" or second > "59":
        return None
    try:
        days = date(int(year), int(month), int(day)).toordinal() - _EPOCH_DAY
    except ValueError:
        return None
    seconds = days * 86_400 + int(hour) * 3_600 + int(minute) * 60 + int(second)
    if sign:
        if zone_hour > "23" or zone_minute > "59":
            return None
        offset = int(zone_hour) * 3_600 + int(zone_minute) * 60
        seconds += offset if sign == "-" else -offset
    nanoseconds = seconds * 1_000_000_000 + (int(fraction.ljust(9, "0")) if fraction else 0)
    return Timestamp(nanoseconds // 1_000, nanoseconds)


def why_not_a_timestamp(text: str) -> str | None:
    """What is wrong with a text that should be a timestamp, as a clause for a person; None when nothing is."""
    if parse_timestamp(text) is not None:
        return None
    for mistake, sentence in _MISTAKES:
        if re.fullmatch(mistake, text):
            return sentence
    return "a timestamp is written like 2024-01-31T09:30:00Z"


MICROSECONDS = 1_000_000


def rfc3339(microseconds: int) -> str:
    """`2026-11-22T20:07:12.345Z`, by integer arithmetic alone (days to civil date, proleptic Gregorian)."""
    seconds, micros = divmod(microseconds, MICROSECONDS)
    days, second_of_day = divmod(seconds, 86_400)
    z = days + 719_468
    era, day_of_era = divmod(z, 146_097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * shifted + 2) // 5 + 1
    month = shifted + 3 if shifted < 10 else shifted - 9
    year = year_of_era + era * 400 + (month <= 2)
    hour, rest = divmod(second_of_day, 3600)
    minute, second = divmod(rest, 60)
    return f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}.{micros // 1000:03d}Z"
