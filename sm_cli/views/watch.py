"""What happens to an execution, as it happens, whoever does it: what every live picture and every follower uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sm_cli.store.records import Execution, HistoryEvent, MapRun

if TYPE_CHECKING:
    from sm_cli.engine.engine import Engine

#: So many map runs under way are looked at.
_RUNS = 9


class Look(NamedTuple):
    """What one snapshot showed."""

    #: As it is now, without its data; None when it is gone.
    execution: Execution | None
    #: New since the look before, in order.
    events: list[HistoryEvent]
    #: Map runs that are under way.
    runs: list[MapRun]


class Watch:
    """Looks at one execution, each time at what is new."""

    def __init__(self, engine: Engine, execution: Execution) -> None:
        self.engine = engine
        self.id = execution.id
        self.seen = 0

    def look(self, *, events: bool = True, runs: bool = False) -> Look:
        """One snapshot. Without `events` only the execution is read, with `runs` its open map runs too."""
        with self.engine.store.read() as questions:
            found = questions.short_execution(self.id)
            new = questions.history(self.id, after=self.seen) if events else []
            under_way = questions.map_runs(self.id, _RUNS) if runs else []
        if new:
            self.seen = new[-1].number
        return Look(found, new, [run for run in under_way if run.closed is None])
