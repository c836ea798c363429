"""Schedules, in the domain's words: what starts executions by the clock, and what became of its times.

Values only; no store, no SQL. Times are integer microseconds since 1970 UTC, spans microseconds.
"""

# No annotations from __future__ here: a NamedTuple compiles each one that is text, and every command waits for it.

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from sm_cli.jsonvalue import Json
from sm_cli.mutable import Mutable

#: So many of the newest firings are remembered.
REMEMBERED = 10


class Overlap(StrEnum):
    """What becomes of a time at which an execution of the same schedule still runs."""

    #: It passes, and the schedule remembers why.
    SKIP = "skip"
    #: Its execution starts when those before it are closed.
    QUEUE = "queue"
    #: Its execution starts beside the other.
    ALLOW = "allow"


class CatchUp(StrEnum):
    """Which of the times start executions that passed while no worker was there."""

    NONE = "none"
    #: The last of them, once.
    LAST = "last"
    ALL = "all"


class FiringOutcome(StrEnum):
    """What became of a time."""

    STARTED = "started"
    QUEUED = "queued"
    SKIPPED = "skipped"
    #: The start failed: the workflow is gone, say.
    REFUSED = "refused"


class Firing(NamedTuple):
    """What became of one time of a schedule."""

    #: The time, as the schedule says it.
    time: int
    #: When that was done.
    at: int
    #: What was done.
    outcome: FiringOutcome
    #: The public id of the execution; None when none was started.
    execution: str | None = None
    #: Why not, in a sentence, or what is to be said of it; None: nothing.
    reason: str | None = None


@dataclass(slots=True, eq=False, repr=False)
class Schedule(Mutable):
    """What starts executions of one workflow by the clock.

    One of cron, every and (when both are None) the single time `anchor` says when. next, due: the time that it fires
    for next, and when that is done; None while it never will.
    """

    #: Given by the store, unique in it and never used twice.
    id: int
    #: Unique; its executions' names begin with it.
    name: str
    #: As it was given; what it leads to is looked up each time.
    workflow: str
    #: A cron expression of five fields, or of six with seconds first; None: not by one.
    cron: str | None
    #: The IANA name of the time zone that `cron` is read in.
    zone: str
    #: Microseconds between two times; None: not by a span.
    every: int | None
    #: What `every` counts from, or the only time; whole seconds.
    anchor: int
    #: Each firing is late by less than so many microseconds, by how many is derived from name and time.
    jitter: int
    #: What becomes of a time at which one of its executions still runs.
    overlap: Overlap
    #: Which of the times that passed while nobody was there start executions.
    catch_up: CatchUp
    #: The queue that the jobs of its executions stand in.
    queue: str
    #: Whether AWS's limits hold for its executions.
    limits: bool
    #: When it was added.
    created: int
    next: int | None
    due: int | None
    #: Since when it is paused; None: it is not.
    paused_at: int | None
    #: Ids of executions that it started and that may run still; not kept where they may overlap.
    running: tuple[int, ...]
    #: Times whose executions start when those are closed.
    waiting: tuple[int, ...]
    #: What became of its times, the newest last.
    firings: tuple[Firing, ...]
    #: What its executions begin with.
    input: Json

    @property
    def is_over(self) -> bool:
        """Whether nothing is left for it to do: none of its times is still to come."""
        return self.next is None and self.paused_at is None and not self.waiting
