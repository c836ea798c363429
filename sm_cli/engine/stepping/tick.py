"""A tick: steps everything one transaction has to step, and carries out what each step asks for.

Rule: the table below says what each command of the interpreter means; a command that is not here cannot happen. Nothing
that a tick does is visible, and no handler starts, before its unit of work is committed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from sm_cli.engine.stepping import awaiting, forks, map_runs, nested_executions, redrive, tasks
from sm_cli.engine.stepping import sfn_actions as sfn
from sm_cli.engine.stepping.bugs import contain, contained
from sm_cli.engine.stepping.closing import end, finish, leave
from sm_cli.engine.stepping.unit_of_work import UnitOfWork
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
    TaskSucceeded,
)
from sm_cli.interpreter.frame import Frame, FrameStatus, Opens
from sm_cli.interpreter.step import Step
from sm_cli.interpreter.timers import TimerKind
from sm_cli.jsonvalue import Json
from sm_cli.store.messages import WaitEnding
from sm_cli.store.records import (
    HANDED_OVER,
    Execution,
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
#: Timers that a handler's result or heartbeat can be earlier than.
_OF_TASKS = (TimerKind.DEADLINE, TimerKind.HEARTBEAT)


#: Called with the unit of work, execution, frame and command; True when the commands after it no longer count.
Meaning: TypeAlias = Callable[[UnitOfWork, Execution, Frame, Any], "bool | None"]


def start_timer(unit: UnitOfWork, execution: Execution, frame: Frame, command: StartTimer) -> None:
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
    # -- what may happen -------------------------------------------------------------------------

    def returned(self, job: Job, result: Json, *, final: bool = False) -> None:
        """A handler returned: its task has succeeded, or (with a task token) it now waits for a callback, unless what
        the handler returned is `final`: nobody will call."""
        self.load([job.frame])
        frame = self.frames.get(job.frame)
        if frame is None or frame.seq != job.seq or frame.status.closed:
            self.ignored.append((job.frame, TaskSucceeded(job.seq, result)))
            return
        execution = self.execution(frame.execution)
        with contained(self, execution):
            program = self.program_of(execution.digest)
            if not awaits_token(program, frame):
                self.deliver(job.frame, TaskSucceeded(job.seq, result))
                return
            self.put(execution, submitted(program, frame, result, self.env(execution)))
            if final:
                self.deliver(job.frame, TaskSucceeded(job.seq, result))
                return
            self.changes.leased.append(replace(job, worker=None, leased_until=HANDED_OVER))

    def fire(self, timer: Timer) -> None:
        """Step what the timer was set for, unless this tick has moved it, or will deliver what came before it."""
        moved, arrived = self.timers.get((timer.frame, timer.kind)), self.arrived.get(timer.frame)
        if moved is not None and moved.seq == timer.seq and moved.due > self.now:
            return
        if arrived is not None and arrived <= timer.due and timer.kind in _OF_TASKS:
            return
        self.missed.setdefault(timer.frame, timer.due)
        self.agenda.append((timer.frame, _TIMER_EVENTS[timer.kind](timer.seq)))

    def due(self, limit: int = 500, only: int | None = None) -> None:
        """Everything that time has brought: deadlines of executions, timers, frames left READY."""
        self.times(limit, only, self.now, None if self.taker is None else self.taker.worker)
        ready = self.tx.ready_frames(limit, only)
        self.adopt(ready)
        for frame in ready:
            if self.frames[frame.id] is frame:
                with contained(self, self.execution(frame.execution)):
                    self.wake(frame)

    def times(self, limit: int, only: int | None, until: int, worker: str | None) -> bool:
        """Deadlines of executions and timers that were due until this time; whether these were all. With
        `worker`, without the timers of jobs that another one has leased: they are that one's."""
        overdue = self.tx.overdue(until, limit, only)
        for execution in overdue:
            current = self.execution(execution.id)
            if current.status is Status.RUNNING:
                end(self, current, Status.TIMED_OUT)
        timers = self.tx.due_timers(until, limit, only, worker)
        for timer in timers:
            if self.timers.get((timer.frame, timer.kind), timer).due <= until:  # else it was set anew in this tick
                self.fire(timer)
        return len(overdue) < limit and len(timers) < limit

    # -- stepping --------------------------------------------------------------------------------

    def run(self) -> None:
        """Step until nothing is left to do in this transaction."""
        self.load({frame for frame, _ in self.agenda})
        while self.agenda or self.ended or self.again:
            self.follow_up()
            if not self.agenda:
                continue
            id, event = self.agenda.popleft()
            frame = self.frames.get(id)
            self.steps += 1
            if frame is None or self.execution(frame.execution).status is not Status.RUNNING:
                self.ignored.append((id, event))
                continue
            execution = self.executions[frame.execution]
            try:
                self.step(execution, frame, event)
            except Exception as e:
                contain(self, execution, e)

    def follow_up(self) -> None:
        """What the last step left to be done: tell who waits for what it closed, go on with what it began anew."""
        while self.ended or self.again:
            while self.ended:
                child = self.ended.popleft()
                assert child.parent is not None
                settle = nested_executions.nested_closed if child.parent.run is None else map_runs.child_closed
                self.load([child.parent.frame])
                with contained(self, self.execution(self.frames[child.parent.frame].execution)):
                    settle(self, child, child.parent)
            while self.again:
                child, root = self.again.popleft()
                with contained(self, child):
                    redrive.child_again(self, child, root)

    def step(self, execution: Execution, frame: Frame, event: Event) -> None:
        step = advance(self.program_of(execution.digest), frame, event, self.env(execution))
        if step.ignored:
            self.ignored.append((frame.id, event))
            return
        if frame.opens & Opens.SUBSCRIPTION:
            self.endings.setdefault(frame.id, _ENDINGS.get(type(event), "aborted"))
        self.keep(execution, frame, step)

    def keep(self, execution: Execution, before: Frame, step: Step) -> None:
        frame = step.frame
        if before.opens:
            self.shut(before)
        self.put(execution, step)
        for command in step.commands:
            if MEANINGS[type(command)](self, execution, frame, command):
                break
        # EXECUTIONS is the highest bit: compared as a number, for a flag's own & costs a microsecond a step.
        if before.opens >= Opens.EXECUTIONS and self.frames[frame.id].opens < Opens.EXECUTIONS:
            aborted = frame.status is FrameStatus.ABORTED
            leave(self, before, Status.ABORTED if aborted else Status.FAILED)
