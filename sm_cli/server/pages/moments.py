"""Times and spans, as people write and read them."""

from __future__ import annotations

import re
import time
from datetime import datetime, tzinfo

from sm_cli.errors import UsageError
from sm_cli.timestamps import MICROSECONDS

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def moment_of_text(text: str, what: str) -> int:
    """`2h` ago, or an ISO 8601 date or time (local unless it says otherwise), in microseconds since 1970 UTC. Raises
    UsageError for what is neither."""
    text = text.strip()
    span = re.fullmatch(r"(\d{1,9}(?:\.\d{1,6})?)([smhdw])", text)
    if span is not None:
        return time.time_ns() // 1000 - round(float(span[1]) * _UNITS[span[2]] * MICROSECONDS)
    try:
        return round(datetime.fromisoformat(text).timestamp() * MICROSECONDS)
    except (ValueError, OverflowError, OSError):
        raise UsageError(f"{what} is a span like 2h or a date like 2026-01-31, not {text!r}") from None


def seconds_of_text(text: str, what: str) -> float:
    """`90s`, `15m`, `1h30m`, `2d` in seconds. Raises UsageError for anything else."""
    parts = re.findall(r"(\d{1,9}(?:\.\d{1,6})?)([smhdw])", text.strip())
    if not parts or "".join(map("".join, parts)) != text.strip():
        raise UsageError(f"{what} is a span like 15m or 1h30m, not {text!r}")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def moment_in_zone(text: str, zone: tzinfo, what: str) -> int:
    """An ISO 8601 time, in this zone unless it names another one, in microseconds since 1970 UTC. Raises UsageError."""
    try:
        moment = datetime.fromisoformat(text.strip())
        moment = moment.replace(tzinfo=zone) if moment.tzinfo is None else moment
        return round(moment.timestamp()) * MICROSECONDS
    except (ValueError, OverflowError):
        raise UsageError(f"{what} is a time like 2026-12-24 18:00, not {text!r}") from None


def clock_text(microseconds: int) -> str:
    """The moment in the server's time zone, to the second."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(microseconds // MICROSECONDS))


def span_words(microseconds: int | None) -> str:
    """`12 ms`, `3.4 s`, `2 m 5 s`, `3 h 5 m`, `2 d 3 h`; "" for None."""
    if microseconds is None:
        return ""
    if microseconds < MICROSECONDS:
        return f"{max(0, microseconds) // 1000} ms"
    seconds = microseconds / MICROSECONDS
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for unit, size, below, below_size in (("d", 86_400, "h", 3600), ("h", 3600, "m", 60)):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // below_size} {below}"
    return f"{whole // 60} m {whole % 60} s"
