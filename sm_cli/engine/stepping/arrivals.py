"""What is due goes before what arrives: time is judged in the transaction that something arrives in.

Every door (a token, a message, a handler's result, a stop, a redrive, a start under a known name, an activity's
worker) asks `judge` before it looks at what waits; what a step has for others waits for it in `Tick.arrive`. So an
answer that comes too late is too late whether or not a worker ran in between. What comes at the very moment of its
deadline is in time.
"""

from __future__ import annotations

from collections.abc import Collection

from sm_cli.engine.stepping.tick import MOST_JUDGED, Tick
from sm_cli.store.records import Job


def judge(tick: Tick, executions: Collection[int], frames: Collection[int] = ()) -> bool:
    """Step what time has brought in the trees of these executions (ids), and what it has brought for these frames,
    also those whose jobs another worker has leased. Returns whether there was anything; one indexed question when there
    was nothing."""
    if tick.judged_all or not executions:
        return False
    before = tick.now - 1
    trees = set(tick.tx.due_among(executions, before)) - tick.judged_trees
    tick.judged_trees |= trees
    for tree in trees:
        tick.times(MOST_JUDGED, tree, before, "" if tick.taker is None else tick.taker.worker)
    if trees and frames:
        for timer in tick.tx.due_timers_of(frames, before):
            tick.fire(timer)
    if trees:
        tick.run()
        tick.stepped_due |= trees
    return bool(trees)


def before_results(tick: Tick, jobs: Collection[Job]) -> None:
    """Before the results of these jobs are offered to the agenda of a worker's tick: what was due before now in their
    trees stands there before them, and so what was due for their frames, also of jobs that another has leased."""
    if not jobs:
        return
    tick.trees({job.execution for job in jobs})
    if tick.judged_all:
        return
    before = tick.now - 1
    for tree in set(tick.tx.due_among({job.execution for job in jobs}, before)) - tick.judged_trees:
        tick.judged_trees.add(tree)
        tick.offer_due(before, MOST_JUDGED, tree, beyond=-1)
    for timer in tick.tx.due_timers_of({job.frame for job in jobs}, before):
        event = tick.fires(timer)
        if event is not None:
            tick.suspects.offer(tick.trees([timer.execution])[timer.execution], timer.frame, event)
