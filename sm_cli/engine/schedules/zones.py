"""Time zones by their IANA names, from the machine's own data or the package tzdata."""

from __future__ import annotations

import os
from datetime import UTC, tzinfo
from pathlib import Path

from sm_cli.errors import UsageError

#: Needs no data.
UTC_NAME = "UTC"
_LOCAL = Path("/etc/localtime")


def find_zone(name: str) -> tzinfo:
    """The zone of this name. Raises UsageError for one that does not exist, and where there is no data of zones."""
    if name == UTC_NAME:
        return UTC
    from zoneinfo import ZoneInfo  # only who has schedules waits for the import

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # also a name that is a folder of the data, or leads out of it
        raise _unknown_zone(name) from None


def _unknown_zone(name: str) -> UsageError:
    from zoneinfo import available_timezones

    names = available_timezones()
    if len(names) < 2:  # the package zoneinfo may know its own UTC
        return UsageError(
            f"this machine has no data of time zones, so {name!r} means nothing here",
            hint="Install the operating system's tzdata or the Python package tzdata, or use UTC.",
        )
    return UsageError(f"there is no time zone {name!r}", hint=_near_zone(name, names))


def _near_zone(name: str, names: set[str]) -> str:
    from difflib import get_close_matches

    by_folded = {each.casefold(): each for each in sorted(names)}
    cities = {
        each.rpartition("/")[2].casefold(): each for each in sorted(names, key=lambda each: (each.count("/"), each))
    }
    text = name.casefold().replace(" ", "_")
    near = by_folded.get(text) or cities.get(text)
    if near is None:
        near = next((by_folded[each] for each in get_close_matches(text, by_folded, 1, 0.75)), None)
    return f"Did you mean {near!r}?" if near else "A zone is named as in Europe/Berlin."


def local_zone() -> str:
    """The name of this machine's own zone: what TZ says, else what /etc/localtime leads to; UTC where neither tells."""
    variable = os.environ.get("TZ", "").removeprefix(":")
    for name in (variable, os.path.realpath(_LOCAL).rpartition("/zoneinfo/")[2] if not variable else ""):
        if name in ("Etc/UTC", "Etc/UCT", "UCT", "Zulu", "GMT"):
            return UTC_NAME
        if name and not name.startswith("/"):
            try:
                find_zone(name)
            except UsageError:
                continue
            return name
    return UTC_NAME
