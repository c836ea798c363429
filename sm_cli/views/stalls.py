"""What holds an execution up for who works on it: what it waits for beside the work that this worker does itself.

Read only, from one snapshot, and bounded, for it is asked again and again while nothing moves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from sm_cli.interpreter.frame import Opens
from sm_cli.store.records import HANDED_OVER, Execution, Job, Timer
from sm_cli.views.why import Inquiry, Reason

if TYPE_CHECKING:
    from sm_cli.interpreter.frame import Frame
    from sm_cli.store.messages import Subscription
    from sm_cli.store.sql.questions import Questions
    from sm_cli.worker.worker import Worker

#: So many reasons are told, and so many jobs, timers and executions are looked at for them.
MOST, _LOOKED_AT = 5, 200
#: The frames of an execution with a longer history than this are not all read.
_LONG = 10_000


def stalls(worker: Worker, execution: Execution, *, time_text: Callable[[int], str]) -> list[Reason]:
    """What the execution, and what it started and waits for, stand still for; nothing while only handlers of this
    worker are at work. `time_text` makes text of a time in microseconds since 1970 UTC."""
    with worker.engine.store.read() as questions:
        asking = _Stalls(worker, questions, execution, time_text)
        return list(islice(asking.reasons(), MOST)) or list(islice(asking.map_runs(), MOST))


class _Stalls:
    def __init__(
        self, worker: Worker, questions: Questions, execution: Execution, time_text: Callable[[int], str]
    ) -> None:
        self.worker = worker
        self.questions = questions
        self.top = execution
        self.time_text = time_text
        self.now = worker.engine.clock.now()
        self._inquiries: dict[int, Inquiry] = {}
        self._runs: list[Frame] = []  # distributed Maps that wait for their children

    def reasons(self) -> Iterator[Reason]:
        """Messages, jobs, timers."""
        subscriptions = list(islice(self.subscriptions(), _LOOKED_AT))
        for s in subscriptions:
            yield self.with_execution(s, self.inquiry_of(s).message(s))
        jobs = self.questions.lapsed_jobs(HANDED_OVER, _LOOKED_AT, self.top.tree)
        others = [job for job in jobs if job.worker != self.worker.worker.id]
        for job in (*self.jobs_without_worker(), *others):
            yield self.with_execution(job, self.inquiry_of(job).job(job))
        spoken_of = {job.frame for job in jobs} | {s.frame for s in subscriptions}
        for timer in self.questions.due_timers(HANDED_OVER, _LOOKED_AT, self.top.tree):
            if timer.frame not in spoken_of:
                yield self.with_execution(timer, self.inquiry_of(timer).timer(timer))

    def jobs_without_worker(self) -> Iterator[Job]:
        """Jobs that nobody has and that this worker has no handler for."""
        for job in self.questions.claimable(HANDED_OVER, _LOOKED_AT, tree=self.top.tree):
            if self.worker.handlers.find(job.resource) is None:
                yield job

    def subscriptions(self) -> Iterator[Subscription]:
        """Of the execution, and of those that it started and waits for."""
        executions = [self.top]
        for execution in executions:
            yield from self.questions.subscriptions_of(execution.id)
            if execution.events < _LONG and len(executions) < _LOOKED_AT:
                for frame in self.questions.open_frames(execution.id):
                    if frame.opens & Opens.EXECUTIONS and frame.join is not None:
                        self._runs.append(frame)
                    elif frame.opens & Opens.EXECUTIONS:
                        executions += self.questions.open_executions(frame.id)

    def map_runs(self) -> Iterator[Reason]:
        """Of children that wait for what only they know (messages), while nothing is at work here; after `reasons`."""
        for frame in self._runs if not self.worker.jobs else ():
            execution = self.top if frame.execution == self.top.id else self.questions.execution(frame.execution)
            assert execution is not None, "an execution that waits is there"
            yield self._asking(execution).run(frame)

    def inquiry_of(self, waits: Subscription | Job | Timer) -> Inquiry:
        """Who words the reason of what waits."""
        inquiry = self._inquiries.get(waits.execution)
        if inquiry is None:
            execution = self.top if waits.execution == self.top.id else self.questions.execution(waits.execution)
            assert execution is not None, "an execution that waits is there"
            inquiry = self._inquiries[waits.execution] = self._asking(execution)
        inquiry.frames.update(self.questions.frames([waits.frame]))
        return inquiry

    def _asking(self, execution: Execution) -> Inquiry:
        names = [*self.worker.handlers]
        return Inquiry(self.worker.engine, self.questions, execution, self.now, names, self.time_text, {})

    def with_execution(self, waits: Subscription | Job | Timer, reason: Reason) -> Reason:
        """The reason, which says of which execution it is unless that is the one that was asked for."""
        if waits.execution == self.top.id:
            return reason
        below = self._inquiries[waits.execution].execution
        return replace(reason, text=f"In {below.workflow} {below.name}: {reason.text}", below=True)
