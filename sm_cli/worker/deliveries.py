"""What handlers have brought, on its way into a tick.

What was due goes before what came from handlers, unless that came earlier and had to wait for this tick; each in
the turn of its execution, and what has no turn is delivered by a later tick, as of the time at which it came.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from sm_cli.engine.stepping.arrivals import before_results
from sm_cli.engine.stepping.tick import Tick
from sm_cli.handlers.handler import Success
from sm_cli.interpreter.events import TaskFailed
from sm_cli.store.records import Job, Timer
from sm_cli.timestamps import MICROSECONDS
from sm_cli.worker.pool import Done

#: So many due timers, overdue executions and READY frames a tick looks at.
BATCH = 500


def deliver_all(
    tick: Tick, results: list[Done], beats: list[Timer], jobs: Mapping[tuple[int, int], Job], tree: int | None,
    monotonic: int,
) -> None:  # fmt: skip
    """Offer what was due before now, then these results; set the timers of those who have beaten anew. jobs: the
    worker's jobs, by (frame, seq); those that are not among the results run on. monotonic: what the pool's clock says
    now, in microseconds: how long ago a result came does not change when the wall clock is set. What comes for an
    execution that another worker is at stands in `agenda.keepers`, as what there is no time for."""
    within = tick.reachable({result.job.execution for result in results} | {timer.execution for timer in beats})
    for execution, thing in [*((each.job.execution, each) for each in results), *((t.execution, t) for t in beats)]:
        if execution not in within:
            tick.agenda.leave(tick.shares.places.get(execution, 0), thing)
    results = [result for result in results if result.job.execution in within]
    beats = [timer for timer in beats if timer.execution in within]
    for timer in beats:
        span = jobs[timer.frame, timer.seq].heartbeat or 0.0
        tick.arrival_times[timer.frame] = timer.due - round(span * MICROSECONDS)
    tick.arrival_times.update((result.job.frame, tick.now - (monotonic - result.at)) for result in results)
    tick.suspects.busy = len(jobs) > len(results)
    tick.judged_all = tick.offer_due(tick.now - 1, BATCH, tree)
    before_results(tick, [result.job for result in results])
    for timer in beats:
        if timer.frame not in tick.first_due_times:  # else it came too late, or the task is over time
            tick.rearm(timer)
    for result in results:
        tick.arrives(result.job, partial(deliver, tick, result), result)


def about(results: list[Done]) -> set[int]:
    """The executions that these results are for."""
    return {result.job.execution for result in results}


def deliver(tick: Tick, result: Done) -> None:
    """Hand over what a handler ended with."""
    job, outcome = result.job, result.outcome
    if isinstance(outcome, Success):
        tick.handler_returned(job, outcome.result, final=outcome.final)
    else:
        tick.deliver(job.frame, TaskFailed(job.seq, outcome.error, outcome.cause, outcome.stack, outcome.traceback))
