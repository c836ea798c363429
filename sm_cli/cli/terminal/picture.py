"""The live picture of an execution on a terminal: what has ended as lines, and below them, alive, what is under way.

Iterations are folded: of those in the same state there is one line, and a Map has a bar.
"""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from sm_cli.cli.terminal import tables
from sm_cli.cli.terminal.live import MARKS, LiveLines, Nobody, Watcher, line_of, standstill
from sm_cli.cli.terminal.progress import CYAN, RED, deadline_words, map_words, wait_words
from sm_cli.cli.terminal.region import Line, Painted, Region
from sm_cli.jsonvalue import scalar_text
from sm_cli.timestamps import MICROSECONDS

if TYPE_CHECKING:
    from sm_cli.views.records import HistoryEvent
    from sm_cli.views.state_visits import StateVisit
    from sm_cli.views.watch import Progress
    from sm_cli.views.why import Reason

_GREEN, _YELLOW = "32", "33"
_COLOURS = {"SUCCEEDED": _GREEN, "FAILED": RED, "TIMED_OUT": RED, "CAUGHT": _YELLOW, "ABORTED": _YELLOW}
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
#: How many lines the picture has at most; other states under way are counted.
_SHOWN = 12
#: Of so many iterations that failed there is a line; the others are counted.
_FAILURES = 5
#: Microseconds between two questions how far the frames under way are.
_ASK = 250_000
#: What the picture says beside a state need not be said below it again.
_SAID = ("timer", "retry")

#: Where a visit is (names of Maps and Parallels, outermost first), and its state.
_Place = tuple[str, ...]


def watcher(verbose: bool) -> Watcher:
    """The one that fits stderr: a picture in a terminal, lines when they are asked for, else the fewest."""
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        return Picture(verbose)
    return LiveLines() if verbose else Nobody()


class Picture(LiveLines):
    """LiveLines for what has ended, above what is under way. Iterations of a Map that succeeded are only counted
    unless `verbose`: ten thousand lines are no picture."""

    interval: int | None = None

    def __init__(self, verbose: bool) -> None:
        super().__init__()
        self.verbose = verbose
        self.region = Region(sys.stderr, self.lines)
        self.reasons: list[Reason] = []
        self._now, self._at = 0, 0.0  # the newest time that was told, and when by this process's clock
        self._last_question = 0
        self._progress: dict[int, Progress] = {}
        self._groups: dict[_Place, dict[int, StateVisit]] = {}  # those under way, by frame
        self._order: dict[_Place, int] = {}  # places in the order in which they were first seen
        self._newest: dict[int, HistoryEvent] = {}  # of frames under way
        self._failures: dict[_Place, int] = {}

    def __enter__(self) -> Watcher:
        self.region.__enter__()
        return self

    def __exit__(self, *details: object) -> None:
        self.region.__exit__(None, None, None)

    # -- what happens ------------------------------------------------------------------------------

    def see(self, events: list[HistoryEvent], now: int) -> None:
        """Lines for what has ended, and below them what is under way."""
        with self.region.lock:
            self._now, self._at = now, time.monotonic()
            super().see(events, now)
            for event in events:
                if event.frame in self.open and not event.type.endswith("StateEntered"):
                    self._newest[event.frame] = event
            if events:
                self.region.draw()

    def asks(self, now: int) -> list[int]:
        """The frames of what is shown, a few times a second."""
        if now - self._last_question < _ASK:
            return []
        self._last_question = now
        return [next(iter(group)) for _, group in self._groups_on_screen(_SHOWN)]

    def learn(self, progress: dict[int, Progress], now: int) -> None:
        """How far the frames that were asked for are."""
        with self.region.lock:
            self._progress = progress
            for each in progress.values():
                self.rates.note(each.frame.id, each.frame.join, now)

    def stands_still(self, reasons: list[Reason]) -> None:
        """Below the picture, as long as they hold, unless the picture says it beside the state."""
        with self.region.lock:
            beside = {visit.name for visit in self.open.values()} if reasons else set()
            rest = self.not_asked_for(reasons)
            self.reasons = [r for r in rest if r.kind not in _SAID or r.below or r.state not in beside]

    def waits(self, event: HistoryEvent) -> None:
        """Say how to send the message that a state waits for; of iterations only the first."""
        if self.verbose or len(self._groups.get(self._place_of(self.open[event.frame]), ())) <= 1:
            super().waits(event)
        else:
            self.asked_for.add((str(event.detail["correlationKey"]), scalar_text(event.detail["correlationValue"])))

    def begins(self, visit: StateVisit) -> None:
        """One visit that has begun."""
        place = self._place_of(visit)
        self._order.setdefault(place, len(self._order))
        self._groups.setdefault(place, {})[visit.frame] = visit

    def tell(self, visit: StateVisit) -> None:
        """One visit that has ended; of iterations that succeeded nothing, of those that failed the first few."""
        place = self._place_of(visit)
        group = self._groups[place]
        del group[visit.frame]
        if not group:
            del self._groups[place]
        self._newest.pop(visit.frame, None)
        if visit.where and not self.verbose:
            if visit.status == "SUCCEEDED":
                return
            count = self._failures[place] = self._failures.get(place, 0) + 1
            if count == _FAILURES + 1:
                self.line(f"{'  ' * (1 + len(visit.where))}{MARKS[visit.status]} more of {visit.name} are only counted")
            if count > _FAILURES:
                return
        self.line(line_of(visit), _COLOURS.get(visit.status))

    def line(self, text: str, colour: str | None = None) -> None:
        """Write a line above the picture."""
        self.region.above([Painted(text, colour or "")])

    # -- what is drawn -----------------------------------------------------------------------------

    def lines(self, size: os.terminal_size) -> list[Line]:
        """What is under way, and why nothing moves; a line for each state, in the order of the definition's run."""
        now = self._now + round((time.monotonic() - self._at) * MICROSECONDS)
        reasons = [line for reason in self.reasons for line in _paragraph(standstill(reason), size.columns - 1)]
        reasons = reasons[: size.lines // 2]
        most = max(1, min(_SHOWN, size.lines - 2 - len(reasons)))
        spinner = _SPINNER[int(time.monotonic() * len(_SPINNER)) % len(_SPINNER)]
        lines: list[Line] = []
        for place, group in self._groups_on_screen(most):
            head = [Painted(f"{spinner} ", CYAN), Painted("  " * (len(place) - 1))]
            lines.append([*head, *self._state(place[-1], group, now, size.columns - 2 * len(place) - 1)])
        if len(self._groups) > most:
            lines.append([Painted(f"    and {len(self._groups) - most:,} more states")])
        return [*lines, *reasons]

    def _groups_on_screen(self, most: int) -> list[tuple[_Place, dict[int, StateVisit]]]:
        """Those that are shown, a parent above its children."""

        def rank(item: tuple[_Place, object]) -> list[int]:
            return [self._order.get(item[0][: i + 1], 0) for i in range(len(item[0]))]

        return sorted(self._groups.items(), key=rank)[:most]

    def _state(self, name: str, group: dict[int, StateVisit], now: int, room: int) -> Line:
        """One state and how far it is; of several visits how many there are."""
        first = next(iter(group.values()))
        if len(group) > 1:
            return [Painted(f"{name} ×{len(group):,}  {tables.duration(now - first.start)}"), *self._several(group)]
        progress = self._progress.get(first.frame)
        join = None if progress is None else progress.frame.join
        if progress is not None and join is not None and first.type == "Map":
            short_name = tables.cut_to_width(tables.clean(name), max(8, room // 3))
            room -= tables.width(short_name) + 1
            return [
                Painted(f"{short_name} "),
                *map_words(join, self.rates.of(first.frame, join), room, opens=progress.frame.opens),
            ]
        words = self._words(first, progress, now)
        if join is not None:
            words = f"{join.closed}/{join.total} branches done"
        took = tables.duration(now - first.start)
        attempt = f"  attempt {first.retries + 1}" if first.retries and not words else ""
        return [
            Painted(f"{name}  {took}{attempt}"),
            *([Painted(f"  {words}", _YELLOW if first.error else "")] if words else []),
        ]

    def _words(self, visit: StateVisit, progress: Progress | None, now: int) -> str:
        """What one visit waits for, if it does."""
        newest = self._newest.get(visit.frame)
        if newest is not None and newest.type == "MessageSubscribed":
            key, value = newest.detail["correlationKey"], scalar_text(newest.detail["correlationValue"])
            return f"waits for message {key}={value}{deadline_words(progress, now)}"
        if newest is not None and newest.type.endswith("Submitted"):
            return f"waits for its callback{deadline_words(progress, now)}"
        if newest is not None and newest.type.endswith("Scheduled"):
            return "waits for a worker"
        return wait_words(progress, visit.error, now)

    def _several(self, group: dict[int, StateVisit]) -> list[Painted]:
        """What several visits of one state wait for, counted."""
        kinds = {"MessageSubscribed": 0, "Submitted": 0, "Scheduled": 0, "Failed": 0}
        for frame, visit in group.items():
            newest = self._newest.get(frame)
            for kind in kinds:
                if (newest is not None and newest.type.endswith(kind)) or (kind == "Failed" and visit.error):
                    kinds[kind] += 1
                    break
        words = {
            "MessageSubscribed": "for messages", "Submitted": "for callbacks", "Scheduled": "for workers",
            "Failed": "to be tried again",
        }  # fmt: skip
        waits = ", ".join(f"{count:,} {words[kind]}" for kind, count in kinds.items() if count)
        return [Painted(f"  waiting: {waits}")] if waits else []

    @staticmethod
    def _place_of(visit: StateVisit) -> _Place:
        return (*(step.rpartition("[")[0] for step in visit.where), visit.name)


def _paragraph(sentence: str, cells: int) -> list[Line]:
    """A sentence in the picture, broken into lines."""
    lines = tables.wrap(sentence, max(8, cells - 4))
    return [[Painted(f"{'    ' if i else '  … '}{line}", _YELLOW)] for i, line in enumerate(lines)]
