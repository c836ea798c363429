"""A map run that runs is given other limits."""

from __future__ import annotations

from sm_cli.engine.stepping import map_runs
from sm_cli.engine.stepping.arrivals import judge
from sm_cli.engine.stepping.tick import Tick
from sm_cli.engine.transactions import Transactions
from sm_cli.errors import Conflict
from sm_cli.interpreter.join import to_start
from sm_cli.interpreter.states.distributed_map import IN_FLIGHT
from sm_cli.interpreter.states.map import tolerated_failures
from sm_cli.store.records import MapRun


def update_map_run(
    engine: Transactions, run: MapRun, concurrency: int | None, failures: int | None, percentage: float | None
) -> None:
    """Let so many children run at once, and tolerate so many failures: None stays. One threshold replaces both, which
    are one count here. What may start now does. Raises Conflict when the run has ended."""

    def update(tick: Tick) -> None:
        judge(tick, [run.execution], [run.frame])
        tick.load([run.frame])
        frame = tick.frames.get(run.frame)
        join = None if frame is None else frame.join
        if frame is None or join is None or join.activation != run.activation or frame.status.closed:
            raise Conflict(f"the map run {run.ref} has ended", topic="map run")
        if concurrency is not None:
            join = join._replace(limit=min(concurrency or IN_FLIGHT, IN_FLIGHT))
        if failures is not None or percentage is not None:
            join = join._replace(tolerated=tolerated_failures((failures, percentage), join.total))
        frame = tick.touch(frame)
        frame.join = join
        map_runs.start_pending_children(tick, frame, to_start(join))
        map_runs.want_items(tick, frame)

    engine.answer(update)
