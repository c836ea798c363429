"""What a worker does beside going on for ever: one pass over what is due, or until nothing is left to do now.

Rule: what a pass has begun it ends: its handlers run to their end and their results are committed.
"""

from __future__ import annotations

from collections.abc import Callable

from sm_cli.engine.stepping.leases import ANY_TIME
from sm_cli.worker.worker import Worker


def once(loop: Worker, told_to_stop: Callable[[], bool]) -> None:
    """One pass: everything that is due when it starts is stepped, then the handlers of all jobs that wait after
    that are run and their results committed. What those make runnable is for the next pass."""
    begun = loop.engine.clock.now()
    loop.take(False)
    loop.tick()
    loop.run(lambda: told_to_stop() or _stepped(loop, begun))
    horizon = loop.engine.clock.now()
    loop.take(True, horizon)
    loop.run(lambda: told_to_stop() or (not _at_work(loop, horizon) and _stepped(loop, begun)))


def drain(loop: Worker, told_to_stop: Callable[[], bool]) -> None:
    """Until there is nothing that this worker could do now: no timer is due, no job waits for a handler it has."""

    def nothing_left() -> bool:
        now = loop.engine.clock.now()
        return not _at_work(loop, ANY_TIME) and _stepped(loop, now)

    loop.tick()
    loop.run(lambda: told_to_stop() or nothing_left())


def _stepped(loop: Worker, until: int) -> bool:
    """Whether everything that was due at that time is stepped."""
    with loop.engine.store.read() as questions:
        due = questions.next_due(loop.only, loop.worker.id)
        return not questions.has_ready(loop.only) and (due is None or due > until)


def _at_work(loop: Worker, until: int) -> bool:
    """Whether handlers run, or jobs that came until that time wait for one."""
    if loop.leased:
        return True
    with loop.engine.store.read() as questions:
        resources = loop.handlers.resources(questions.waiting_resources)
        return questions.has_free(until, resources, tree=loop.only, queues=loop.rota.only)
