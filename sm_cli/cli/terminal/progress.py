"""What is under way, in a few words that fit the terminal: bars, waits, what is tried again.

Of what does not fit the least goes first: the bar becomes short, then the rate and the time left go.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from sm_cli.cli.terminal import tables
from sm_cli.cli.terminal.region import Painted
from sm_cli.timestamps import MICROSECONDS
from sm_cli.views.records import Opens, TimerKind

if TYPE_CHECKING:
    from sm_cli.views.records import Join
    from sm_cli.views.watch import Progress

#: A rate is that of the last so many microseconds.
_WINDOW = 5 * MICROSECONDS
#: A wait that ends sooner than in so many seconds is told as a span, else as a time.
_SOON = 120
#: Cells of a bar.
_SHORTEST, _LONGEST = 5, 40
CYAN, RED, DIM = "36", "31", "2"


class Rates:
    """How quickly Maps get on: of each, how many items have ended at several moments."""

    def __init__(self) -> None:
        self._points: dict[tuple[int, int], deque[tuple[int, int]]] = {}

    def note(self, frame: int, join: Join | None, now: int) -> None:
        """What the join of a frame (its id) says at this moment, microseconds since 1970 UTC."""
        if join is None:
            return
        points = self._points.setdefault((frame, join.activation), deque())
        points.append((now, join.settled_items))
        while len(points) > 2 and points[1][0] <= now - _WINDOW:
            points.popleft()

    def of(self, frame: int, join: Join) -> float | None:
        """Items a second; None when nothing is known yet."""
        points = self._points.get((frame, join.activation))
        if not points or points[-1][0] - points[0][0] < MICROSECONDS // 2:
            return None
        return (points[-1][1] - points[0][1]) * MICROSECONDS / (points[-1][0] - points[0][0])


def bar(count: int, total: int, cells: int) -> list[Painted]:
    """`━━━━━╸────`."""
    halves = 2 * cells if count >= total else 2 * cells * count // total
    full = "━" * (halves // 2) + ("╸" if halves % 2 else "")
    return [Painted(full, CYAN), Painted("─" * (cells - len(full)), DIM)]


def map_words(join: Join, rate: float | None, room: int | None, *, opens: int = 0) -> list[Painted]:
    """How far a Map is: `━━━━━╸ 205/1000 · 410/s · 2 s left · 1 failed`, in at most `room` cells; None: no bar. opens:
    what its frame has open, if that is known."""
    if join.total == 0:
        return [Painted("reads its items" if opens & Opens.JOB else "begins")]
    if join.settled_items == join.total and opens & Opens.JOB:
        return [Painted("writes its results")]
    count = f"{join.settled_items}/{tables.total(join.item_count)}"
    failures = [Painted(" · "), Painted(f"{join.failed_items} failed", RED)] if join.failed_items else []
    speed = _speed(join, rate)
    if room is None:
        return [Painted(" · ".join((count, *speed))), *failures]
    width = len(count) + sum(len(part.text) for part in failures) + 1 + _SHORTEST
    while speed and width + sum(3 + len(word) for word in speed) > room:
        speed.pop(0)
    cells = min(_LONGEST, room - width - sum(3 + len(word) for word in speed) + _SHORTEST)
    is_drawn = cells >= _SHORTEST and join.item_count is not None
    drawing = [*bar(join.settled_items, join.total, cells), Painted(" ")] if is_drawn else []
    return [*drawing, Painted(" · ".join((count, *speed))), *failures]


def _speed(join: Join, rate: float | None) -> list[str]:
    """`410/s` and `2 s left`."""
    if rate is None or rate <= 0:
        return []
    often = f"{rate:,.0f}/s" if rate >= 1 else f"{rate * 60:.0f}/min" if rate * 60 >= 1 else f"{rate * 3600:.0f}/h"
    if join.item_count is None:
        return [often]
    time_left = tables.rough_duration(round((join.total - join.settled_items) / rate * MICROSECONDS))
    return [often, f"{time_left} left"]


def wait_words(progress: Progress | None, error: str | None, now: int) -> str:
    """What a state waits for that time brings: `until 02:00`, `tried again in 3 s (attempt 3 of 5): Error`."""
    timer = None if progress is None else progress.timer
    if progress is None or timer is None:
        return ""
    seconds = max(0, timer.due - now) / MICROSECONDS
    soon, at = f"in {seconds:.0f} s" if seconds < _SOON else "", clock_time(timer.due, now)
    if timer.kind is TimerKind.BACKOFF:
        number, most = progress.attempts(error)
        attempt = f"attempt {number}" if most is None else f"attempt {number} of {most}"
        return f"tried again {soon or f'at {at}'} ({attempt}){f': {error}' if error else ''}"
    if timer.kind is TimerKind.DELAY:
        return f"goes on {soon}" if soon else f"until {at}"
    return ""


def deadline_words(progress: Progress | None, now: int) -> str:
    """` until 02:00`, or `, 3 s left`, of what ends by itself then; "" for what does not."""
    timer = None if progress is None else progress.timer
    if timer is None or timer.kind is not TimerKind.DEADLINE:
        return ""
    seconds = max(0, timer.due - now) / MICROSECONDS
    return f", {seconds:.0f} s left" if seconds < _SOON else f" until {clock_time(timer.due, now)}"


def clock_time(moment: int, now: int) -> str:
    """`02:00` of what is within twelve hours, else with its date; local time."""
    form = "%H:%M" if abs(moment - now) < 12 * 3600 * MICROSECONDS else "%Y-%m-%d %H:%M"
    return time.strftime(form, time.localtime(moment / MICROSECONDS))
