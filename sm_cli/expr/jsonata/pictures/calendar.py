"""Moments in parts, as JavaScript's dates in UTC have them, over all years: the proleptic Gregorian calendar.

A moment is milliseconds since 1970; NaN is a date that is none, and its parts are NaN.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

DAY = 86_400_000
#: The furthest moments that JavaScript has, in milliseconds from 1970.
_FURTHEST = 8.64e15
#: The calendar repeats every 400 years, so that one such cycle, which Python's dates hold, serves them all.
_CYCLE_YEARS, _CYCLE_DAYS = 400, 146_097
_EPOCH = date(1970, 1, 1).toordinal()
_CYCLE_START = date(2000, 1, 1).toordinal() - _EPOCH


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment in UTC, cut into its parts."""

    #: The year; 0 is the one before the year 1.
    year: int
    #: The month from 0, as JavaScript counts.
    month: int
    #: The day of the month from 1.
    day: int
    #: Monday is 1, Sunday 7.
    weekday: int
    #: Milliseconds since midnight.
    rest: int


def moment_of(millis: float) -> Moment | None:
    """None where JavaScript has no such date. A part of a millisecond is left out, towards 1970."""
    if not abs(millis) <= _FURTHEST:
        return None
    days, rest = divmod(int(millis), DAY)
    cycle, within = divmod(days - _CYCLE_START, _CYCLE_DAYS)
    day = date.fromordinal(within + _CYCLE_START + _EPOCH)
    return Moment(day.year + cycle * _CYCLE_YEARS, day.month - 1, day.day, day.isoweekday(), rest)


def utc(year: float, month: float, day: float = 1, rest: float = 0) -> float:
    """The moment of a day, months from 0 and days from 1, each of any size; `rest` in milliseconds.

    As JavaScript's Date.UTC: years 0 to 99 are of the twentieth century, and NaN is what lies too far away.
    """
    if not all(map(math.isfinite, (year, month, day, rest))):
        return math.nan
    whole = int(year)
    if 0 <= whole <= 99:
        whole += 1900
    if abs(whole) > 400_000 or abs(month) > 5_000_000 or abs(day) > 200_000_000:
        return math.nan
    years, months = divmod(int(month), 12)
    cycle, within = divmod(whole + years, _CYCLE_YEARS)
    first = date(2000 + within, months + 1, 1).toordinal() - _EPOCH + (cycle - 5) * _CYCLE_DAYS
    millis = (first + int(day) - 1) * DAY + int(rest)
    return millis if abs(millis) <= _FURTHEST else math.nan


def part(millis: float, letter: str) -> float | str | None:
    """A part of a moment by its letter in a picture; None of a letter that is no part of a date.

    Months, weekdays and months by weeks count from 1.
    """
    if letter in "CE":
        return "ISO"
    moment = moment_of(millis)
    if letter == "P":
        return "pm" if moment is not None and moment.rest >= DAY // 2 else "am"
    if letter not in "YMDdFWwXxHhmsf":
        return None
    return math.nan if moment is None else _number(moment, letter)


def _number(moment: Moment, letter: str) -> float:
    match letter:
        case "Y":
            return moment.year
        case "M":
            return moment.month + 1
        case "D":
            return moment.day
        case "d":
            return (utc(moment.year, moment.month, moment.day) - utc(moment.year, 0)) // DAY + 1
        case "F":
            return moment.weekday
        case "H":
            return moment.rest // 3_600_000
        case "h":
            return (moment.rest // 3_600_000 + 11) % 12 + 1
        case "m":
            return moment.rest // 60_000 % 60
        case "s":
            return moment.rest // 1000 % 60
        case "f":
            return moment.rest % 1000
    return _by_weeks(moment, letter)


def _by_weeks(moment: Moment, letter: str) -> float:
    """Weeks belong to the year or month that has their Thursday."""
    span = 12 if letter in "WX" else 1
    start = (moment.year, 0 if span == 12 else moment.month)
    today = utc(moment.year, moment.month, moment.day)
    first, following = _first_week(*start), _first_week(start[0], start[1] + span)
    if letter in "Ww":
        week = (today - first) / (7 * DAY) + 1
        if week > (52 if span == 12 else 4) and today >= following:
            return 1
        if week < 1:
            week = (today - _first_week(start[0], start[1] - span)) / (7 * DAY) + 1
        return week if math.isnan(week) else math.floor(week)
    # The moment itself here, which in the years 0 to 99 lies before all that Date.UTC gives.
    now = utc(moment.year + 400, moment.month, moment.day, moment.rest) - _CYCLE_DAYS * DAY
    shift = -1 if now < first else 1 if now >= following else 0
    return moment.year + shift if letter == "X" else (moment.month + shift) % 12 + 1


def _first_week(year: int, month: int) -> float:
    """The Monday of the first week of a month."""
    year, month = year + month // 12, month % 12
    first = utc(year, month)
    moment = moment_of(first)
    if moment is None:
        return math.nan
    return first + (8 - moment.weekday if moment.weekday > 4 else 1 - moment.weekday) * DAY
