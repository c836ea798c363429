"""A tick: everything one transaction steps, gathered into one Changes.

Rule: a tick reads through its transaction, keeps the newest version of what it touched, and writes once, at
the end. Nothing it does is visible, and no handler starts, before that write is committed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace

from sm_cli.asl.model import Program
from sm_cli.engine import nested, runs
from sm_cli.engine.children import Children
from sm_cli.engine.contain import closed, contain, contained
from sm_cli.engine.endings import end, finish
from sm_cli.engine.forks import child_closed, fork
from sm_cli.engine.messages import Sending, Sent, publish, take_buffered, woken_by
from sm_cli.engine.programs import Programs
from sm_cli.engine.runs import Runs
from sm_cli.engine.settings import Settings, Taker
from sm_cli.engine.tasks import run_task
from sm_cli.interpreter.advance import Step, advance, awaits_token, submitted, wake_event
from sm_cli.interpreter.commands import (
    AwaitMessage,
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
from sm_cli.interpreter.env import MICROSECONDS, Env, Facts, rfc3339
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
from sm_cli.jsonvalue import Json, scalar_kind, scalar_text
from sm_cli.store.base import (
    HANDED_OVER,
    Execution,
    HistoryEvent,
    Job,
    Parent,
    Status,
    Subscription,
    Timer,
    TimerKind,
    Transaction,
    WaitEnd,
)
from sm_cli.store.changes import Changes
from sm_cli.store.mail import WaitEnding

#: How a wait for a message ended, by the event that ended it.
_ENDINGS: dict[type[Event], WaitEnding] = {MessageReceived: "message", DeadlinePassed: "timeout"}
_TIMER_EVENTS: dict[TimerKind, Callable[[int], Event]] = {
    TimerKind.DELAY: DelayElapsed,
    TimerKind.DEADLINE: DeadlinePassed,
    TimerKind.BACKOFF: BackoffElapsed,
    TimerKind.HEARTBEAT: HeartbeatMissed,
}


class Tick:
    def __init__(
        self, tx: Transaction, programs: Programs, now: int, settings: Settings, taker: Taker | None,
        new_ref: Callable[[], str],
    ) -> None:  # fmt: skip
        self.tx = tx
        self.programs = programs
        self.new_ref = new_ref
        self.now = now
        self.settings = settings
        self.taker = taker
        self.changes = Changes()
        self.executions: dict[int, Execution] = {}
        self.envs: dict[int, Env] = {}
        self.frames: dict[int, Frame] = {}
        self.children = Children(tx, self.frames)
        self.runs = Runs(tx)
        self.agenda: deque[tuple[int, Event]] = deque()
        self.stored: dict[int, Frame] = {}  # frames as they were loaded
        self.jobs: dict[int, Job] = {}
        self.timers: dict[tuple[int, TimerKind], Timer] = {}
        self.awaits: dict[int, Subscription] = {}
        self.bodies: dict[int, Json] = {}  # message -> what later ticks hand over
        self.endings: dict[int, WaitEnding] = {}  # frame -> how its stored subscription ended
        self.steps = 0
        self.closed: list[Execution] = []
        #: Deliveries that came too late: (frame, event). The fence dropped them.
        self.ignored: list[tuple[int, Event]] = []
        self.long: list[HistoryEvent] = []  # see `Transaction.apply`

    # -- what is known ---------------------------------------------------------------------------

    def program_of(self, digest: str) -> Program:
        return self.programs.of(digest, self.tx)

    def execution(self, id: int) -> Execution:
        found = self.executions.get(id)
        if found is None:
            found = self.executions[id] = self.tx.executions([id])[id]
        return found

    def env(self, execution: Execution) -> Env:
        env = self.envs.get(execution.id)
        if env is None:
            facts = Facts(
                ref=execution.ref,
                name=execution.name,
                workflow=execution.workflow,
                type=execution.type,
                input=execution.input,
                started=rfc3339(execution.started),
                redrive_count=execution.redrives,
                redriven=None if execution.redriven is None else rfc3339(execution.redriven),
            )
            settings = self.settings
            # As on AWS, an EXPRESS child of a map run has no history.
            history = settings.history and not (execution.type == "EXPRESS" and execution.parent is not None)
            env = Env(self.now, facts, execution.events, history, settings.limits or execution.limits)
            env.token_key = settings.token_key
            self.envs[execution.id] = env
        return env

    def load(self, ids: Iterable[int]) -> None:
        missing = [id for id in ids if id not in self.frames]
        if missing:
            self.adopt(self.tx.frames(missing).values())

    def adopt(self, frames: Iterable[Frame]) -> None:
        """Take frames just read from the store, unless this tick has a newer version."""
        for frame in frames:
            if frame.id not in self.frames:
                self.frames[frame.id] = self.stored[frame.id] = frame
        absent = [f.execution for f in frames if f.execution not in self.executions]
        if absent:
            self.executions.update(self.tx.executions(sorted(set(absent))))

    # -- what may happen -------------------------------------------------------------------------

    def start(self, execution: Execution, program: Program) -> None:
        """A new execution: its row, its root frame, and (unless this tick has made many steps) its first step."""
        execution.events = 1
        if program.timeout_seconds is not None:
            execution.deadline = self.now + round(program.timeout_seconds * MICROSECONDS)
        self.executions[execution.id] = execution
        self.changes.new_executions.append(execution)
        detail: dict[str, Json] = {"input": execution.input, "roleArn": self.env(execution).facts.role}
        self.note(execution, 1, 0, 0, "ExecutionStarted", detail)
        root = Frame(self.tx.reserve("frames", 1), execution.id, None, 0, 0, "", program.root.start_at)
        root.input = execution.input
        self.changes.new_frames[root.id] = self.frames[root.id] = root
        if self.steps < self.settings.steps:  # else a workflow that starts itself would keep this tick for ever
            self.wake(root)

    def wake(self, frame: Frame) -> None:
        """A READY frame: step it with what it was woken by."""
        match frame.wake:
            case {"event": "MessageReceived", "message": int(message)}:
                self.agenda.append((frame.id, woken_by(self, frame.id, frame.seq, message)))
            case _:
                self.agenda.append((frame.id, wake_event(frame, frame.wake)))

    def deliver(self, frame: int, event: Event) -> None:
        self.agenda.append((frame, event))

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
        self.agenda.append((timer.frame, _TIMER_EVENTS[timer.kind](timer.seq)))

    def due(self, limit: int = 500, only: int | None = None) -> None:
        """Everything that time has brought: deadlines of executions, timers, frames left READY."""
        for execution in self.tx.overdue(self.now, limit, only):
            if self.execution(execution.id).status is Status.RUNNING:
                end(self, execution, Status.TIMED_OUT)
        worker = None if self.taker is None else self.taker.worker
        for timer in self.tx.due_timers(self.now, limit, only, worker):
            self.fire(timer)
        ready = self.tx.ready_frames(limit, only)
        self.adopt(ready)
        for frame in ready:
            if self.frames[frame.id] is frame:
                with contained(self, self.execution(frame.execution)):
                    self.wake(frame)

    def rearm(self, timer: Timer) -> None:
        """Move a timer of a frame that still waits for what it was set for."""
        self.load([timer.frame])
        frame = self.frames.get(timer.frame)
        if frame is not None and frame.seq == timer.seq and not frame.status.closed:
            self.timers[timer.frame, timer.kind] = timer

    def publish(self, key: str, value: Json, body: Json, *, ttl: int, message_id: str | None = None) -> Sent:
        """A message for everybody who waits; `ttl` in microseconds. See `messages`."""
        return publish(self, Sending(key, value, body, ttl, message_id))

    def still_waits(self, subscription: Subscription) -> bool:
        self.load([subscription.frame])
        frame = self.frames.get(subscription.frame)
        return frame is not None and frame.seq == subscription.seq and not frame.status.closed

    def run(self) -> None:
        """Step until nothing is left to do in this transaction."""
        self.load({frame for frame, _ in self.agenda})
        while self.agenda:
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

    def step(self, execution: Execution, frame: Frame, event: Event) -> None:
        step = advance(self.program_of(execution.digest), frame, event, self.env(execution))
        if step.ignored:
            self.ignored.append((frame.id, event))
            return
        if frame.opens & Opens.SUBSCRIPTION:
            self.endings.setdefault(frame.id, _ENDINGS.get(type(event), "aborted"))
        self.keep(execution, frame, step)

    # -- carrying a step out ---------------------------------------------------------------------

    def keep(self, execution: Execution, before: Frame, step: Step) -> None:
        frame = step.frame
        if before.opens:
            self.shut(before)
        self.put(execution, step)
        for command in step.commands:
            if self.obey(execution, frame, command):
                break
        # EXECUTIONS is the highest bit: compared as a number, for a flag's own & costs a microsecond a step.
        if before.opens >= Opens.EXECUTIONS and self.frames[frame.id].opens < Opens.EXECUTIONS:
            aborted = frame.status is FrameStatus.ABORTED
            runs.leave(self, before, Status.ABORTED if aborted else Status.FAILED)

    def put(self, execution: Execution, step: Step) -> None:
        """The frame's new version and its events."""
        frame = step.frame
        self.frames[frame.id] = frame
        target = self.changes.new_frames if frame.id in self.changes.new_frames else self.changes.frames
        target[frame.id] = frame
        if step.events != execution.events:
            execution.events = self.envs[execution.id].events = step.events
            self.changes.executions[execution.id] = execution
        history, id, frame_id, now = self.changes.history, execution.id, frame.id, self.now
        for number, previous, type, detail in step.records:
            history.append(HistoryEvent(id, number, previous, frame_id, now, type, detail))

    def note(
        self, execution: Execution, number: int, previous: int, frame: int, type: str, detail: dict[str, Json]
    ) -> None:
        if self.env(execution).history:
            self.changes.history.append(HistoryEvent(execution.id, number, previous, frame, self.now, type, detail))

    def shut(self, frame: Frame) -> None:
        """The frame moves on: what this tick opened for it is forgotten; `flush` deletes what was stored."""
        self.jobs.pop(frame.id, None)
        self.awaits.pop(frame.id, None)
        if frame.opens & Opens.TIMER:
            for kind in TimerKind:
                self.timers.pop((frame.id, kind), None)

    def obey(self, execution: Execution, frame: Frame, command: Command) -> bool:
        """Carry one command out; True when the commands after it no longer count."""
        match command:
            case RunTask():
                run_task(self, execution, frame, command)
            case StartTimer(kind, due):
                frame.opens |= Opens.TIMER
                self.timers[frame.id, kind] = Timer(execution.id, frame.id, frame.seq, kind, due)
            case AwaitMessage(key, value, deadline):
                return self.await_message(execution, frame, key, value, deadline)
            case Fork():
                fork(self, execution, frame, command)
            case StartRun():
                runs.start_run(self, execution, frame, command)
            case Spawn():
                runs.spawn(self, execution, frame, command)
            case EndRun():
                runs.end_run(self, frame.id, command)
            case StartExecution():
                nested.start_execution(self, execution, frame, command)
            case Close():
                self.closed_frame(execution, frame, command)
        return False

    def await_message(self, execution: Execution, frame: Frame, key: str, value: Json, deadline: int | None) -> bool:
        """A buffered message is received at once; else the frame subscribes."""
        message = take_buffered(self, execution.id, key, value)
        if message is not None:
            self.agenda.append((frame.id, MessageReceived(frame.seq, message.body)))
            return True
        frame.opens |= Opens.SUBSCRIPTION
        self.awaits[frame.id] = Subscription(
            execution.id, frame.id, frame.seq, key, scalar_text(value), self.now, deadline, scalar_kind(value)
        )
        return False

    def leave_waits(self, frames: Iterable[int], how: WaitEnding) -> None:
        """The stored subscriptions of these frames go, and are remembered as past waits."""
        for frame in frames:
            self.changes.subscriptions_gone.append(frame)
            self.changes.waits_ended.append(WaitEnd(frame, self.now, how))

    # -- fork and join ---------------------------------------------------------------------------

    def closed_frame(self, execution: Execution, frame: Frame, command: Close) -> None:
        if frame.parent is None:
            status = Status.SUCCEEDED if command.succeeded else Status.FAILED
            finish(self, execution, status, command.output, command.error, command.cause, frame)
            return
        self.load([frame.parent])
        child_closed(self, frame, self.frames[frame.parent], command)

    def child_ended(self, child: Execution, parent: Parent) -> None:
        """An execution that a frame started is closed."""
        if parent.run is None:
            nested.child_closed(self, child, parent)
        else:
            runs.child_closed(self, child, parent)

    def touch(self, frame: Frame) -> Frame:
        """A version of the frame that this tick may change without stepping it."""
        if frame.id in self.changes.new_frames or frame.id in self.changes.frames:
            return frame
        frame = self.frames[frame.id] = self.changes.frames[frame.id] = frame.copy()
        return frame

    def reopened(self, frame: Frame, status: FrameStatus = FrameStatus.READY) -> Frame:
        """A closed frame, open again under a new seq, with nothing of its first life but its place and its input."""
        self.adopt([frame])
        frame = self.touch(self.frames[frame.id])
        frame.seq += 1
        frame.status, frame.opens, frame.retries = status, Opens.NOTHING, ()
        frame.output = frame.wake = None
        return frame

    def abort(self, frames: Iterable[Frame]) -> None:
        """Close frames because one above them is closed."""
        for frame in frames:
            self.adopt([frame])
            frame = self.frames[frame.id]
            if not frame.status.closed:
                execution = self.execution(frame.execution)
                self.keep(execution, frame, closed(self, execution, frame))

    def taken(self) -> list[Job]:
        """Jobs that the taker took in this tick and that are still wanted at its end."""
        if self.taker is None:
            return []
        return [job for job in self.taker.taken if self.frames[job.frame].seq == job.seq]

    # -- writing ---------------------------------------------------------------------------------

    def flush(self) -> None:
        """Hand everything to the store."""
        changes = self.changes
        for id, frame in changes.frames.items():
            before = self.stored.get(id)
            if before is None or not before.opens or before.seq == frame.seq:
                continue
            if before.opens & Opens.JOB:
                changes.jobs_gone.append(id)
            if before.opens & Opens.TIMER:
                changes.timers_gone.append(id)
            if before.opens & Opens.SUBSCRIPTION:
                self.leave_waits([id], self.endings.get(id, "aborted"))
        changes.new_jobs = list(self.jobs.values())
        changes.timers = list(self.timers.values())
        changes.new_subscriptions = list(self.awaits.values())
        new = {execution.id for execution in changes.new_executions}
        for id in new & changes.executions.keys():
            del changes.executions[id]
        if changes:
            if self.taker is not None and self.taker.arriving is not None:
                changes.workers.append(self.taker.arriving)
            self.long = self.tx.apply(changes)
