"""What kills its workers is set aside: frames over which workers were lost are stepped alone, and fail after five.

A worker marks the frame that it is stepping, or those that it is reading or writing. The one that finds the marks of
a dead one counts them in a transaction that steps nothing: a frame that was alone has cost a worker, several are
suspects. A suspect is stepped by itself, every other tick, and what it makes READY is left to later ticks; so it harms
nobody else, and the next mark names it alone. A frame that moves on is no suspect any more.
"""

from __future__ import annotations

from functools import cached_property
from typing import TypeAlias

from sm_cli.engine.agenda import STORED, What
from sm_cli.engine.stepping.bugs import cause_of
from sm_cli.engine.stepping.closing import end
from sm_cli.engine.stepping.unit_of_work import UnitOfWork
from sm_cli.store.records import Status

#: After so many lost workers the execution fails.
MOST_LOST = 5
CAUSE = "Stepping it ended five workers."

#: Microseconds that a suspect waits for a moment in which its worker runs no handler.
_PATIENCE = 10_000_000

#: (tree, frame, what it is stepped with, who keeps that)
Offer: TypeAlias = tuple[int, int, What, object]


class Suspects:
    """Those of one tick. What is for them is held back until the tick begins to step. busy: whether the worker runs
    handlers for others."""

    def __init__(self, unit: UnitOfWork) -> None:
        self._unit = unit
        self._offers: list[Offer] = []
        self.busy = False

    @cached_property
    def losses(self) -> dict[int, int]:
        """Frames over which workers were lost, and how many."""
        return self._unit.tx.losses()

    def offer(self, tree: int, frame: int, what: What, keeper: object = STORED) -> None:
        """Something to be stepped in the turn of its tree, unless it is a suspect whose turn is not now."""
        if frame in self.losses:
            self._offers.append((tree, frame, what, keeper))
        else:
            self._unit.agenda.offer(tree, frame, what, keeper)

    def fail(self) -> None:
        """The executions of frames that have cost too many workers."""
        for frame, count in self.losses.items():
            if count >= MOST_LOST:
                fail_execution(self._unit, frame, CAUSE)

    def settle(self) -> None:
        """Whether this tick is one suspect's, or everybody else's."""
        offers, self._offers = self._offers, []
        if not offers:
            return
        agenda, shares, now = self._unit.agenda, self._unit.shares, self._unit.now
        suspect = None
        if shares.suspects_since is None:
            shares.suspects_since = now
        # A worker that runs handlers would lose them too: it waits for a moment without, if one comes soon.
        # A tick that has stepped others already would lose that too.
        free = (not self.busy and not agenda.has_results) or now - shares.suspects_since > _PATIENCE
        if free and not self._unit.steps and (shares.alone or not agenda):
            shares.suspects_since = None
            waiting = sorted({frame for _, frame, _, _ in offers})
            suspect = next((frame for frame in waiting if frame > shares.last_suspect), waiting[0])
            shares.last_suspect = suspect
            agenda.close()
        shares.alone = suspect is None
        for tree, frame, what, keeper in offers:
            if frame == suspect:
                agenda.force(tree, frame, what)
            else:
                agenda.leave(tree, keeper)


def fail_execution(unit: UnitOfWork, frame: int, cause: str) -> None:
    """Close the execution of this frame as FAILED with States.Runtime."""
    unit.load([frame])
    if frame in unit.frames:
        execution = unit.execution(unit.frames[frame].execution)
        if execution.status is Status.RUNNING:
            end(unit, execution, Status.FAILED, "States.Runtime", cause)


def count_deaths(unit: UnitOfWork, frames: list[int]) -> None:
    """A worker did not survive these: it was the one, or any of several."""
    unit.changes.losses += [(frame, int(len(frames) == 1)) for frame in frames]


def blame(unit: UnitOfWork, frames: list[int], error: Exception) -> None:
    """These cannot be written: the one fails as by any bug, several are suspects."""
    if len(frames) == 1:
        fail_execution(unit, frames[0], cause_of(error))
    else:
        count_deaths(unit, frames)


def origin(unit: UnitOfWork, id: int) -> int | None:
    """The frame of the store that this frame, or one that this transaction has made, comes from."""
    frame = unit.frames.get(id)
    while frame is not None and frame.id in unit.changes.new_frames:
        parent = unit.executions[frame.execution].parent
        above = frame.parent if frame.parent is not None else None if parent is None else parent.frame
        if above is None:
            return None
        id, frame = above, unit.frames.get(above)
    return id
