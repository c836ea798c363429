"""A tick: steps everything one transaction has to step, and carries out what each step asks for.

The table below says what each command of the interpreter means; a command that is not here cannot happen. Nothing
that a tick does is visible, and no handler starts, before its unit of work is committed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from itertools import islice
from typing import Any, TypeAlias

from sm_cli.engine.attempts import Attempt, attempt_of
from sm_cli.engine.stepping import awaiting, forks, map_runs, nested_executions, redrive, tasks
from sm_cli.engine.stepping.bugs import contain, containing_bugs
from sm_cli.engine.stepping.closing import end, finish, leave, pending_child
from sm_cli.engine.stepping.sfn import calls as sfn
from sm_cli.engine.stepping.turns import due as turns
from sm_cli.engine.stepping.turns.ended_children import offer_ended, settle_child
from sm_cli.engine.stepping.turns.suspects import Suspects, origin
from sm_cli.engine.stepping.unit_of_work import Arrival, UnitOfWork
from sm_cli.errors import StateFailure
from sm_cli.interpreter.advance import advance, awaits_token, submitted
from sm_cli.interpreter.commands import (
    AwaitMessage,
    CallSfn,
    Close,
    Command,
    EndRun,
    Fork,
    RunTask,
    Spawn,
    StartExecution,
    StartRun,
    StartTimer,
)
from sm_cli.interpreter.events import (
    BackoffElapsed,
    DeadlinePassed,
    DelayElapsed,
    Event,
    HeartbeatMissed,
    MessageReceived,
    TaskFailed,
    TaskSucceeded,
)
from sm_cli.interpreter.frame import Frame, FrameStatus, Opens
from sm_cli.interpreter.step import Step
from sm_cli.interpreter.timers import TimerKind
from sm_cli.jsonvalue import Json
from sm_cli.store.marks import Marks
from sm_cli.store.messages import WaitEnding
from sm_cli.store.records import (
    HANDED_OVER,
    Execution,
    FailedAttempt,
    Job,
    Status,
    Timer,
)

#: How a wait for a message ended, by the event that ended it.
_ENDINGS: dict[type[Event], WaitEnding] = {MessageReceived: "message", DeadlinePassed: "timeout"}
_TIMER_EVENTS: dict[TimerKind, Callable[[int], Event]] = {
    TimerKind.DELAY: DelayElapsed,
    TimerKind.DEADLINE: DeadlinePassed,
    TimerKind.BACKOFF: BackoffElapsed,
    TimerKind.HEARTBEAT: HeartbeatMissed,
}
#: What may end an attempt at a task.
_ENDS = frozenset({TaskSucceeded, TaskFailed, DeadlinePassed, HeartbeatMissed})
#: Timers that a handler's result or heartbeat can be earlier than.
_OF_TASKS = (TimerKind.DEADLINE, TimerKind.HEARTBEAT)


#: So many timers and deadlines of one tree are judged at once; those of the frames that something arrives for always.
MOST_JUDGED = 5_000
#: So many frames are read at once, shortly before they are stepped.
_PORTION = 63

#: Called with the unit of work, execution, frame and command; True when the commands after it no longer count.
Meaning: TypeAlias = Callable[[UnitOfWork, Execution, Frame, Any], "bool | None"]


def start_timer(unit: UnitOfWork, execution: Execution, frame: Frame, command: StartTimer) -> None:
    """The frame waits for this time."""
    frame.opens |= Opens.TIMER
    kind = command.kind
    unit.timers[frame.id, kind] = Timer(execution.id, frame.id, frame.seq, kind, command.due)


def close(unit: UnitOfWork, execution: Execution, frame: Frame, command: Close) -> None:
    """A root that closes ends its execution; any other frame is settled with its parent."""
    if frame.parent is None:
        status = Status.SUCCEEDED if command.succeeded else Status.FAILED
        finish(unit, execution, status, command.output, command.error, command.cause, frame)
        return
    unit.load([frame.parent])
    forks.branch_closed(unit, frame, unit.frames[frame.parent], command)


MEANINGS: Mapping[type[Command], Meaning] = {
    RunTask: tasks.run_task,
    StartTimer: start_timer,
    AwaitMessage: awaiting.await_message,
    Fork: forks.fork,
    StartRun: map_runs.start_run,
    Spawn: map_runs.spawn,
    EndRun: map_runs.end_run,
    StartExecution: nested_executions.start_execution,
    CallSfn: sfn.call,
    Close: close,
}


class Tick(UnitOfWork):
    """Steps what is ready in one transaction.

    marks: where it says what it steps; None where nobody would see it."""

    marks: Marks | None = None
    #: The execution whose step something arrives from, while it does; 0: none does.
    caller = 0

    def stepped_tree(self) -> int:
        """The tree that is being stepped; 0 when it is none in particular."""
        return self.executions[self.caller].tree if self.caller in self.executions else self.agenda.tree

    @cached_property
    def suspects(self) -> Suspects:
        """Frames over which workers were lost."""
        return Suspects(self)

    # -- what may happen -------------------------------------------------------------------------

    def handler_returned(self, job: Job, result: Json, *, final: bool = False) -> None:
        """A handler returned: its task has succeeded, or (with a task token) it now waits for a callback, unless what
        the handler returned is `final`: nobody will call."""
        self.load([job.frame])
        frame = self.frames.get(job.frame)
        if frame is None or frame.seq != job.seq or frame.status.closed:
            self.late_events.append((job.frame, TaskSucceeded(job.seq, result)))
            return
        execution = self.execution(frame.execution)
        try:
            program = self.program_of(execution.digest)
            if not awaits_token(program, frame):
                self.deliver(job.frame, TaskSucceeded(job.seq, result))
                return
            try:
                step = submitted(program, frame, result, self.env(execution))
            except StateFailure as too_large:
                self.deliver(job.frame, TaskFailed(job.seq, str(too_large.error), too_large.cause))
                return
            self.put(execution, step)
            if final:
                self.deliver(job.frame, TaskSucceeded(job.seq, result))
                return
            self.changes.leased_jobs.append(replace(job, worker=None, leased_until=HANDED_OVER))
        except Exception as e:
            contain(self, execution, e)

    def fires(self, timer: Timer) -> Event | None:
        """What the timer was set for; None when this tick has moved it, or has heard of it already, or will deliver
        what came before it."""
        id = timer.frame
        newest, arrival = self.timers.get((id, timer.kind)), self.arrival_times.get(id)
        if newest is not None and newest.seq == timer.seq:
            if newest.due > self.now:
                return None
            timer = newest
        if id in self.first_due_times or (arrival is not None and arrival <= timer.due and timer.kind in _OF_TASKS):
            return None
        self.first_due_times[id] = timer.due
        return _TIMER_EVENTS[timer.kind](timer.seq)

    def fire(self, timer: Timer) -> None:
        """Step what the timer was set for, in this tick."""
        event = self.fires(timer)
        if event is not None:
            self.agenda.append((timer.frame, event))

    def due(self, limit: int = 500, tree: int | None = None) -> None:
        """Everything that time has brought, in the turns of its executions: deadlines, timers, frames left READY."""
        self.offer_due(self.now, limit, tree)
        self.ready(limit, tree)

    def offer_due(self, until: int, limit: int, tree: int | None, *, beyond: int | None = None) -> bool:
        """Deadlines of executions and timers that were due until this time (and, with `beyond`, after that one), each
        in the turn of its execution. Whether these were all."""
        self.suspects.fail()
        if not turns.has_due(self, tree):
            return True
        all_ended = self.expire(self.tx.overdue(until, limit, tree), limit)
        timers = turns.timers(self, until, limit, tree, beyond)
        if timers:
            trees = self.trees({timer.execution for timer in timers})
            for timer in timers:
                event = self.fires(timer)
                if event is not None:
                    self.suspects.offer(trees[timer.execution], timer.frame, event)
        return all_ended and len(timers) < limit

    def ready(self, limit: int, tree: int | None) -> None:
        """What earlier ticks left: children to be counted, and READY frames, each in the turn of its execution."""
        offer_ended(self, self.suspects.offer, limit, tree)
        for its_tree, frame in turns.ready(self, limit, tree):
            self.suspects.offer(its_tree, frame, None)

    def arrives(self, job: Job, what: Callable[[], None], keeper: object) -> None:
        """A handler has ended: `what` hands its outcome over in the turn of its execution. When this tick has no time
        for it, `keeper` stands in `agenda.keepers`."""
        tree = self.trees((job.execution,))[job.execution]
        if job.frame in self.suspects.losses:
            self.suspects.offer(tree, job.frame, what, keeper)
        else:
            self.agenda.offer(tree, job.frame, what, keeper)

    def times(self, limit: int, tree: int | None, until: int, worker: str | None) -> None:
        """Deadlines of executions and timers that were due until this time, stepped in this tick whatever it has
        taken: something has arrived for them. With `worker`, without the timers of jobs that another one has leased:
        they are that one's."""
        self.expire(self.tx.overdue(until, limit, tree), limit, within_time=False)
        for timer in self.tx.due_timers(until, limit, tree, worker):
            if self.timers.get((timer.frame, timer.kind), timer).due <= until:  # else it was set again in this tick
                self.fire(timer)

    def expire(self, overdue: list[Execution], limit: int, *, within_time: bool = True) -> bool:
        """These executions are over, as far as this tick has time. Whether they were all."""
        for execution in overdue:
            current = self.execution(execution.id)
            if current.status is Status.RUNNING:
                end(self, current, Status.TIMED_OUT)
            if within_time:
                self.allowance.lap()
                if self.is_over():
                    return False
        return len(overdue) < limit

    # -- stepping --------------------------------------------------------------------------------

    def run(self) -> None:
        """Step until nothing is left to do in this transaction, or it has had its time."""
        agenda, marks, allowance = self.agenda, self.marks, self.allowance
        new, most = self.changes.new_frames, self.settings.steps
        self.suspects.settle()
        allowance.resume()
        while True:
            if self.closed_children or self.again:
                self.follow_up()
            entry = agenda.next()
            if entry is None:
                if not self.arrivals:
                    return
                self.caller = self.arrivals[0].caller
                self.arrive(self.arrivals.popleft())
                self.caller = 0
                continue
            id, what, _ = entry
            if id not in self.frames:
                self.read_ahead(id)
            if marks is not None:
                marks.one(id if id not in new else origin(self, id) or 0)
            if callable(what):
                agenda.first(what)
                continue  # what it asks for is next
            self.steps += 1
            self.one(id, what)
            agenda.turn_time += allowance.lap()
            if not agenda.closed and (allowance.over or len(new) >= most):
                agenda.close()

    def read_ahead(self, id: int) -> None:
        """Read this frame, and with it those whose turn comes soon."""
        frames = self.frames
        soon = (frame for frame, _, _ in self.agenda.upcoming() if frame not in frames)
        portion = {id, *islice(soon, _PORTION)}
        if self.marks is not None:
            self.marks.many(portion)
        self.load(portion)

    def one(self, id: int, what: Event | None) -> None:
        """One entry of the agenda: an event, or None for a READY frame."""
        frame = self.frames.get(id)
        if frame is None or self.execution(frame.execution).status is not Status.RUNNING:
            if what is not None:
                self.late_events.append((id, what))
            return
        execution = self.executions[frame.execution]
        try:
            if what is None:
                if frame.status is not FrameStatus.READY or frame is not self.stored_frames.get(id):
                    return  # this tick has stepped it already
                call = sfn.woken(frame)
                if call is not None:
                    sfn.call_at_last(self, execution, frame, call)
                    return
                child = pending_child(frame)
                if child is not None:
                    self.tell_at_last(self.execution(child))
                    return
                what = self.event_of(frame)
            self.step(execution, frame, what)
        except Exception as e:
            contain(self, execution, e)

    def arrive(self, arrival: Arrival) -> None:
        """Do what a step has for others, unless something was due there before: that is stepped first."""
        before = self.now - 1
        trees = set(self.tx.due_among(arrival.executions, before)) - self.stepped_due
        if not trees:
            with containing_bugs(self, self.execution(arrival.caller)):
                arrival.what()
            return
        self.stepped_due |= trees
        self.arrivals.appendleft(arrival)
        worker = "" if self.taker is None else self.taker.worker
        timers = dict.fromkeys(self.tx.due_timers_of(arrival.frames, before))
        for tree in trees:
            self.expire(self.tx.overdue(before, MOST_JUDGED, tree), MOST_JUDGED, within_time=False)
            timers |= dict.fromkeys(self.tx.due_timers(before, MOST_JUDGED, tree, worker))
        for timer in timers:
            self.load([timer.frame])
            if self.frames[timer.frame].seq == timer.seq and timer.frame not in self.suspects.losses:
                self.first_due_times.pop(timer.frame, None)  # it was offered, and had no turn
                self.fire(timer)

    def tell_at_last(self, child: Execution) -> None:
        """Hand this child's end to the parent that waits for it; that was impossible when it came."""
        assert child.parent is not None
        tell = nested_executions.nested_closed if child.parent.run is None else map_runs.settle_repaired
        tell(self, child, child.parent)

    def settle(self) -> None:
        """The tick is over. Without the circle of both, all that it has read goes with it, not with a collection."""
        self.agenda.settle()
        self.__dict__.pop("suspects", None)

    def stepped_frames(self) -> list[int]:
        """The frames of the store that this tick has stepped."""
        return [id for id in self.changes.frames if id in self.stored_frames]

    def is_over(self) -> bool:
        """Whether this tick has had what it may take; it then steps only what it cannot leave undone."""
        full = len(self.changes.new_frames) >= self.settings.steps
        if (full or self.allowance.over) and not self.agenda.closed:
            self.agenda.close()
        return self.agenda.closed

    def follow_up(self) -> None:
        """What the last step left to be done: settle what it closed with the parents, go on with what it reopened."""
        while self.closed_children or self.again:
            while self.closed_children:
                child = self.closed_children.popleft()
                assert child.parent is not None
                settle_child(self, child, child.parent)
            while self.again:
                child, root = self.again.popleft()
                with containing_bugs(self, child):
                    redrive.child_again(self, child, root)

    def step(self, execution: Execution, frame: Frame, event: Event) -> None:
        """One step of the frame, and what it asks for."""
        step = advance(self.program_of(execution.digest), frame, event, self.env(execution))
        if step.ignored:
            self.late_events.append((frame.id, event))
            return
        if type(event) in _ENDS and (attempt := attempt_of(frame, event, step)) is not None:
            self.attempts.append(attempt)
            self.keep_traceback(execution, attempt)
        if frame.opens & Opens.SUBSCRIPTION:
            self.endings.setdefault(frame.id, _ENDINGS.get(type(event), "aborted"))
        # Only a callback ends a task before the execution that it waits for: that one lives on, nobody has stopped it.
        is_called_back = type(event) in (TaskSucceeded, TaskFailed) and frame.join is None
        self.keep(execution, frame, step, children_live_on=is_called_back)

    def keep_traceback(self, execution: Execution, attempt: Attempt) -> None:
        """Where the handler failed, for later questions; the next event that is recorded says that it did."""
        frame, traceback = attempt.frame, attempt.traceback
        if traceback is not None:
            self.changes.failed_attempts.append(
                FailedAttempt(execution.id, frame.id, frame.state, execution.events + 1, str(attempt.error), traceback)
            )

    def keep(self, execution: Execution, before: Frame, step: Step, *, children_live_on: bool = False) -> None:
        """Keep what a step made of the frame, and carry out its commands. children_live_on: the executions that it
        waited for and waits for no more are not stopped."""
        frame = step.frame
        if before.opens:
            self.forget_opened(before)
        self.put(execution, step)
        for command in step.commands:
            if MEANINGS[type(command)](self, execution, frame, command):
                break
        is_left = before.opens & Opens.EXECUTIONS and not self.frames[frame.id].opens & Opens.EXECUTIONS
        if is_left and not children_live_on:
            is_abort = frame.status is FrameStatus.ABORTED
            leave(self, before, Status.ABORTED if is_abort else Status.FAILED)
