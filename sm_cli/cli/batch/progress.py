"""How far a batch is, as it goes: a bar on a terminal, else a line now and then. Whoever works on it."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from sm_cli.cli.batch.tables import count_running, status_text
from sm_cli.cli.terminal import tables
from sm_cli.cli.terminal.failures import say
from sm_cli.cli.terminal.progress import RED, Rates, bar
from sm_cli.cli.terminal.region import Line, Painted, Region
from sm_cli.timestamps import MICROSECONDS
from sm_cli.views.batches.batch import batch_now

if TYPE_CHECKING:
    import os

    from sm_cli.engine.engine import Engine
    from sm_cli.engine.stepping.unit_of_work import UnitOfWork
    from sm_cli.views.batches.batch import Batch

#: Microseconds between two looks at the store, and between two lines where there is no terminal.
_LOOK, _SAY = 100_000, 10 * MICROSECONDS
#: Seconds between two looks of who only watches.
_PAUSE = 0.2
_LONGEST, _SHORTEST = 40, 5


class Looking:
    """Looks at a batch now and then, and shows how far it is, while it is entered."""

    def __init__(self, engine: Engine, id: int) -> None:
        self.engine = engine
        self.id = id
        self.batch = batch_now(engine, id)
        self.rates = Rates()
        self._last_look = 0
        self._has_news = True
        self._last_line = engine.clock.now()
        self._region = Region(sys.stderr, self._lines) if sys.stderr.isatty() else None

    def __enter__(self) -> Looking:
        if self._region is not None:
            self._region.__enter__()
        return self

    def __exit__(self, *details: object) -> None:
        if self._region is not None:
            self._region.__exit__(None, None, None)

    def is_over(self) -> bool:
        """Whether the batch is over, or is paused and nothing of it runs. Looks only so often."""
        now = self.engine.clock.now()
        if self._has_news or now - self._last_look >= _LOOK:
            self._last_look, self._has_news = now, False
            self.look(now)
        batch = self.batch
        return batch.execution.closed is not None or (bool(batch.brake.paused_since) and not batch.join.running)

    def observe(self, tick: UnitOfWork) -> None:
        """One of the engine's observers: what this process itself does to the batch is looked at without delay."""
        is_paused = any(
            frame.join.brake.paused_since for frame in tick.changes.frames.values() if frame.join and frame.join.brake
        )
        if is_paused or any(execution.id == self.id for execution in tick.closed_executions):
            self._has_news = True

    def look(self, now: int) -> None:
        """As it is now. now: microseconds since 1970 UTC."""
        batch = batch_now(self.engine, self.id)
        if self._region is not None:
            with self._region.lock:
                self.batch = batch
                self.rates.note(0, batch.join, now)
            return
        self.batch = batch
        self.rates.note(0, batch.join, now)
        if now - self._last_line >= _SAY and batch.execution.closed is None:
            self._last_line = now
            say("".join(part.text for part in progress_line(batch, self.rates.of(0, batch.join), None)))

    def _lines(self, size: os.terminal_size) -> list[Line]:
        return [progress_line(self.batch, self.rates.of(0, self.batch.join), size.columns - 1)]


def progress_line(batch: Batch, rate: float | None, room: int | None) -> list[Painted]:
    """`order ━━━━━╸─── 205/1000 · 410/s · 2 s left · 1 failed`, in at most `room` cells; None: no bar."""
    join = batch.join
    total = batch.total
    words = [f"{join.settled_items:,}/{total:,}" if total is not None else f"{join.settled_items:,}"]
    if rate is not None and rate > 0:
        words.append(f"{rate:,.0f}/s" if rate >= 1 else f"{rate * 60:.0f}/min")
        if total is not None:
            time_left = round((total - join.settled_items) / rate * MICROSECONDS)
            words.append(f"{tables.rough_duration(time_left)} left")
    words += [f"{count_running(batch):,} run"] if count_running(batch) else []
    words += [f"round {batch.brake.round}"] if batch.brake.round_size else []
    words += ["paused"] if batch.brake.paused_since and batch.execution.closed is None else []
    failed = [Painted(" · "), Painted(f"{join.failed_items:,} failed", RED)] if join.failed_items else []
    name, count = f"{batch.plan.workflow} ", " · ".join(words)
    if room is None or total is None or not total:
        return [Painted(name), Painted(count), *failed]
    cells = room - tables.width(name) - len(count) - sum(len(part.text) for part in failed) - 1
    drawing = [*bar(join.settled_items, total, min(cells, _LONGEST)), Painted(" ")] if cells >= _SHORTEST else []
    return [Painted(name), *drawing, Painted(count), *failed]


def follow_batch(engine: Engine, batch: Batch) -> None:
    """Show on stderr how a batch goes on until it is over or paused."""
    with Looking(engine, batch.execution.id) as looking:
        while not looking.is_over():
            time.sleep(_PAUSE)
    say(status_text(looking.batch))
