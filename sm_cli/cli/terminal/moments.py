"""Points in time that a person writes."""

from __future__ import annotations

from datetime import datetime

from sm_cli.cli.terminal.options import seconds
from sm_cli.engine.clock import SystemClock
from sm_cli.errors import UsageError


def microseconds_of(text: str, option: str) -> int:
    """`2h` ago, or an ISO 8601 date or time (local unless it says otherwise), in microseconds since 1970 UTC. Raises
    UsageError for what is neither."""
    if text[:1].isdigit() and text[-1:] in "smhd":
        return SystemClock().now() - round(seconds(text, option) * 1_000_000)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option} takes a span like 2h or a date like 2026-01-31T12:00, not {text!r}") from None
    try:
        return round(moment.timestamp() * 1_000_000)
    except (ValueError, OverflowError, OSError):  # a local time whose UTC is in no year
        raise UsageError(f"{option} takes a date from the year 2 on, not {text!r}") from None
