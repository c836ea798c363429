"""What a worker does beside going on for ever: one pass over what there is, or until nothing is left to do now.

What a pass has begun it ends: its handlers run to their end and their results are committed.
"""

from __future__ import annotations

from collections.abc import Callable

from sm_cli.engine.stepping.leases import ANY_TIME
from sm_cli.store.sql.questions import Questions
from sm_cli.worker.worker import Worker


def once(loop: Worker, told_to_stop: Callable[[], bool]) -> None:
    """One pass: every execution that is there when it begins, as far as it goes without waiting, and everything that
    is due then. What others start meanwhile may be taken too, but nothing of it holds the pass up."""
    start = loop.engine.clock.now()
    loop.tick()  # what schedules start now is part of the pass
    with loop.engine.store.read() as questions:
        latest = questions.latest()
    newest = 0 if latest is None else latest.id

    def as_far_as_it_goes() -> bool:
        with loop.engine.store.read() as questions:
            executions = {job.execution for job in loop.jobs.values()}
            ours = any(tree <= newest for _, tree, _ in questions.trees(executions)) if executions else False
            goes_on = ours or _waits_for_us(loop, questions, newest) or not _is_stepped(loop, questions, start)
        loop.take(goes_on)  # newcomers end what they have begun, and no more
        return not goes_on and not loop.quarantine.at_work

    loop.run(lambda: told_to_stop() or as_far_as_it_goes())


def drain(loop: Worker, told_to_stop: Callable[[], bool]) -> None:
    """Until there is nothing that this worker could do now: no timer is due, no job waits for a handler it has."""

    def nothing_left() -> bool:
        now = loop.engine.clock.now()
        if loop.jobs:
            return False
        with loop.engine.store.read() as questions:
            return not _waits_for_us(loop, questions) and _is_stepped(loop, questions, now)

    loop.tick()
    loop.run(lambda: told_to_stop() or nothing_left())


def _is_stepped(loop: Worker, questions: Questions, until: int) -> bool:
    """Whether everything that was due at that time is stepped."""
    due = questions.next_due(loop.tree, loop.worker.id)
    return not questions.has_ready(loop.tree) and (due is None or due > until)


def _waits_for_us(loop: Worker, questions: Questions, newest: int | None = None) -> bool:
    """Whether jobs, of trees no newer than this one, wait for a handler of this worker."""
    resources = loop.handlers.resources(questions.waiting_resources)
    return questions.has_free(ANY_TIME, resources, tree=loop.tree, queues=loop.rota.queue_names, newest=newest)
