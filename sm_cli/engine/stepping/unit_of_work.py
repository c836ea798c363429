"""A unit of work: everything one transaction has read, holds in its newest version, and wants written.

It reads through its transaction, keeps the newest version of what it touched, and writes once, in `flush`. It
steps nothing and decides nothing: what a command means stands in the modules of the commands, and `tick` runs them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from sm_cli.asl.model import Program
from sm_cli.engine.agenda import Agenda, Shares
from sm_cli.engine.allowance import Allowance
from sm_cli.engine.attempts import Attempt
from sm_cli.engine.clock import processor_seconds
from sm_cli.engine.programs import Programs
from sm_cli.engine.settings import JobTaker, Settings
from sm_cli.engine.stepping.fork_children import ForkChildren
from sm_cli.engine.stepping.map_run_children import MapRunChildren
from sm_cli.errors import NotFound
from sm_cli.interpreter.advance import started, wake_event
from sm_cli.interpreter.env import Env, Facts
from sm_cli.interpreter.events import Event, MessageReceived
from sm_cli.interpreter.frame import Frame, FrameStatus, Opens
from sm_cli.interpreter.state_times import Times, note_times
from sm_cli.interpreter.step import Step
from sm_cli.interpreter.timers import TimerKind
from sm_cli.jsonvalue import Json
from sm_cli.store.changes import Changes
from sm_cli.store.messages import Subscription, WaitEnd, WaitEnding
from sm_cli.store.records import (
    Execution,
    HistoryEvent,
    Job,
    Timer,
)
from sm_cli.store.schedules import Firing, Schedule
from sm_cli.store.sql.transaction import Transaction
from sm_cli.store.statistics import StateTimes


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a step brings to other executions: it comes after what was due there before."""

    #: The execution whose step it is.
    caller: int
    #: Executions that it is for; what is due in their trees goes first.
    executions: list[int]
    #: Frames that it is for, also those whose jobs another worker has leased.
    frames: list[int]
    #: Does it.
    what: Callable[[], None]


class UnitOfWork:
    """What one transaction has read and what it will write.

    agenda: what the tick steps next, and in whose turn. allowance: what it may take. closed_children: executions
    whose end a parent waits for. again: children of map runs that go on from where they failed. The tick follows up
    both after the step that it is in. arrivals: what a step has for others, after what is due there; the tick delivers
    it when nothing else is left."""

    def __init__(
        self, tx: Transaction, programs: Programs, now: int, settings: Settings, taker: JobTaker | None,
        new_ref: Callable[[], str], shares: Shares, monotonic: Callable[[], int],
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
        self.children = ForkChildren(tx, self.frames)
        self.runs = MapRunChildren(tx)
        self.shares = shares
        self.agenda = Agenda(shares)
        self.allowance = Allowance(monotonic, settings.tick_time, settings.tick_bytes)
        self.closed_children: deque[Execution] = deque()
        self.again: deque[tuple[Execution, Frame]] = deque()
        self.stored_frames: dict[int, Frame] = {}  # frames as they were loaded
        self.jobs: dict[int, Job] = {}
        self.timers: dict[tuple[int, TimerKind], Timer] = {}
        self.awaits: dict[int, Subscription] = {}
        self.bodies: dict[int, Json] = {}  # message -> what later ticks hand over
        self.endings: dict[int, WaitEnding] = {}  # frame -> how its stored subscription ended
        #: Trees whose due timers and deadlines this tick has stepped; see `arrivals`.
        self.judged_trees: set[int] = set()
        self.judged_all = False
        self.has_due: dict[int | None, bool] = {}  # by tree, None for all
        self.stepped_due: set[int] = set()  # trees whose due timers and deadlines were stepped, not offered only
        self.arrivals: deque[Arrival] = deque()
        #: frame -> when what this tick is about to deliver to it arrived: before it, only what was due earlier counts.
        self.arrival_times: dict[int, int] = {}
        #: frame -> when the first of its timers was due that this tick stepped.
        self.first_due_times: dict[int, int] = {}
        self.state_times: Times = {}
        self.steps = 0
        self.closed_executions: list[Execution] = []
        self.attempts: list[Attempt] = []
        #: Deliveries that came too late: (frame, event). The fence dropped them.
        self.late_events: list[tuple[int, Event]] = []
        #: What became of times of schedules: (the schedule as it is now, what).
        self.firings: list[tuple[Schedule, Firing]] = []
        self.long: list[HistoryEvent] = []  # see `Transaction.apply`

    # -- what is known ---------------------------------------------------------------------------

    def program_of(self, digest: str) -> Program:
        """The compiled program of this digest. Raises NotFound."""
        return self.programs.of(digest, self.tx)

    def execution(self, id: int) -> Execution:
        """The newest version of the execution. Raises NotFound for one that was deleted meanwhile."""
        execution = self.execution_if_there(id)
        if execution is None:
            raise NotFound("the execution is not there any more", topic="execution")
        return execution

    def execution_if_there(self, id: int) -> Execution | None:
        """The newest version of the execution; None for one that was deleted after it was found."""
        execution = self.executions.get(id)
        if execution is None:
            execution = self.tx.executions([id]).get(id)
            if execution is not None:
                self.executions[id] = execution
        return execution

    def env(self, execution: Execution) -> Env:
        """The arguments that every step of the execution gets."""
        env = self.envs.get(execution.id)
        if env is None:
            facts = Facts(
                ref=execution.ref,
                name=execution.name,
                workflow=execution.workflow,
                type=execution.type,
                input=execution.input,
                started=execution.started,
                region=self.settings.region,
                account=self.settings.account,
                redrive_count=execution.redrives,
                redriven=execution.redriven,
                version=execution.version,
                qualifier=execution.qualifier,
            )
            settings = self.settings
            # As on AWS, an EXPRESS child of a map run has no history.
            history = settings.history and not (execution.type == "EXPRESS" and execution.parent is not None)
            env = Env(self.now, facts, execution.events, history, settings.limits or execution.limits)
            env.token_key = settings.token_key
            env.clock = processor_seconds
            env.max_payload, env.evaluation = settings.max_payload, settings.evaluation
            env.max_events = settings.max_events
            env.enough, env.weigh = self.allowance.enough, self.allowance.weigh
            self.envs[execution.id] = env
        return env

    def load(self, ids: Iterable[int]) -> None:
        """Read these frames, but for those that are here."""
        missing = [id for id in ids if id not in self.frames]
        if missing:
            self.adopt(self.tx.frames(missing).values())

    def adopt(self, frames: Iterable[Frame]) -> None:
        """Take frames just read from the store, unless this tick has a newer version."""
        for frame in frames:
            if frame.id not in self.frames:
                self.frames[frame.id] = self.stored_frames[frame.id] = frame
        absent = [f.execution for f in frames if f.execution not in self.executions]
        if absent:
            self.executions.update(self.tx.executions(sorted(set(absent))))

    def trees(self, executions: Collection[int]) -> dict[int, int]:
        """The trees that these stored executions belong to."""
        places = self.shares.places
        for execution in executions:
            if execution not in places:
                for id, tree, digest in self.tx.trees({id for id in executions if id not in places}):
                    places[id] = tree
                    self.shares.kinds[tree] = digest
                break
        return places

    def reachable(self, executions: Collection[int]) -> set[int]:
        """Those of these stored executions that this transaction may change: nobody else is at them."""
        places = self.trees(executions)
        return {id for id in self.tx.hold(executions, self.now) if id in places}

    def holds(self, frame: int) -> bool:
        """Whether this transaction may change the execution of this frame: nobody else is at it."""
        return frame in self.frames or self.tx.holds_frame(frame)

    def is_judged(self, executions: Collection[int]) -> bool:
        """Whether nothing is due in the trees of these executions that this transaction has not stepped."""
        return self.stepped_due.issuperset(self.tx.due_among(executions, self.now - 1))

    def still_waits(self, subscription: Subscription) -> bool:
        """Whether the frame still waits for what the subscription was made for."""
        self.load([subscription.frame])
        frame = self.frames.get(subscription.frame)
        return frame is not None and frame.seq == subscription.seq and not frame.status.closed

    # -- what is to be stepped -------------------------------------------------------------------

    def wake(self, frame: Frame) -> None:
        """A READY frame: step it with what it was woken by, if this tick has time for it."""
        self.agenda.wake(frame.id, self.event_of(frame))

    def event_of(self, frame: Frame) -> Event:
        """What a READY frame was woken by."""
        match frame.wake:
            case {"event": "MessageReceived", "message": int(message)}:
                return self.wake_event(frame.id, frame.seq, message)
            case _:
                return wake_event(frame, frame.wake)

    def wake_event(self, frame: int, seq: int, message: int) -> MessageReceived:
        """The event of a frame that an earlier tick woke with a stored message, kept as long as that needs it.
        Raises LookupError when the message is gone."""
        if message not in self.bodies:
            row = self.tx.message(message)
            if row is None:
                raise LookupError(f"frame {frame} was woken with message {message}, which is not there")
            self.bodies[message] = row.body
        return MessageReceived(seq, self.bodies[message])

    def deliver(self, frame: int, event: Event) -> None:
        """Step the frame with this event."""
        self.agenda.append((frame, event))

    def rearm(self, timer: Timer) -> None:
        """Move a timer of a frame that still waits for what it was set for."""
        self.load([timer.frame])
        frame = self.frames.get(timer.frame)
        if frame is not None and frame.seq == timer.seq and not frame.status.closed:
            self.timers[timer.frame, timer.kind] = timer

    # -- new versions ----------------------------------------------------------------------------

    def put(self, execution: Execution, step: Step) -> None:
        """The frame's new version and its events."""
        frame = step.frame
        if step.records:
            note_times(self.state_times, execution.id, execution.redriven, self.frames.get(frame.id), step, self.now)
        self.frames[frame.id] = frame
        target = self.changes.new_frames if frame.id in self.changes.new_frames else self.changes.frames
        target[frame.id] = frame
        if step.events != execution.events:
            execution.events = self.envs[execution.id].events = step.events
            self.changes.executions[execution.id] = execution
        self.changes.history += step.records

    def note(
        self, execution: Execution, number: int, previous: int, frame: int, type: str, detail: dict[str, Json]
    ) -> None:
        """Write an event of the history, where the execution has one."""
        if self.env(execution).history:
            self.changes.history.append(HistoryEvent(execution.id, number, previous, frame, self.now, type, detail))

    def note_started(self, execution: Execution, frame: Frame) -> Frame:
        """Write that a worker took the frame's job, in a version of the frame that this tick may change."""
        env, frame = self.env(execution), self.touch(frame)
        event = started(self.program_of(execution.digest), frame, env)
        if event is not None:
            frame.last = execution.events = env.events = event.number
            self.changes.executions[execution.id] = execution
            if env.history:
                self.changes.history.append(event)
        return frame

    def forget_opened(self, frame: Frame) -> None:
        """The frame moves on: what this tick opened for it is forgotten; `flush` deletes what was stored."""
        self.jobs.pop(frame.id, None)
        self.awaits.pop(frame.id, None)
        if frame.opens & Opens.TIMER:
            for kind in TimerKind:
                self.timers.pop((frame.id, kind), None)

    def touch(self, frame: Frame) -> Frame:
        """A version of the frame that this tick may change without stepping it."""
        if frame.id in self.changes.new_frames or frame.id in self.changes.frames:
            return frame
        frame = self.frames[frame.id] = self.changes.frames[frame.id] = frame.copy()
        return frame

    def reopen(self, frame: Frame, status: FrameStatus = FrameStatus.READY) -> Frame:
        """A closed frame, open again under a new seq, with nothing of its first life but its place and its input."""
        self.adopt([frame])
        frame = self.touch(self.frames[frame.id])
        frame.seq += 1
        frame.status, frame.opens, frame.retries = status, Opens.NOTHING, ()
        frame.output = frame.wake = frame.work_since = None
        return frame

    def leave_waits(self, frames: Iterable[int], how: WaitEnding) -> None:
        """The stored subscriptions of these frames go, and are remembered as past waits."""
        for frame in frames:
            self.changes.subscriptions_gone.append(frame)
            self.changes.waits_ended.append(WaitEnd(frame, self.now, how))

    def taken_jobs(self) -> list[Job]:
        """Jobs that the taker took in this tick and that are still wanted at its end."""
        if self.taker is None:
            return []
        return [job for job in self.taker.jobs if self.frames[job.frame].seq == job.seq]

    def times_to_write(self) -> list[StateTimes]:
        """What this tick has noted of states."""
        result: list[StateTimes] = []
        for (id, state), counts in self.state_times.items():
            e = self.executions[id]
            result.append(((state, e.workflow, e.digest), (e.started, id, *counts)))
        return result

    # -- writing ---------------------------------------------------------------------------------

    def flush(self) -> None:
        """Hand everything to the store."""
        changes = self.changes
        for id, frame in changes.frames.items():
            before = self.stored_frames.get(id)
            if before is None or not before.opens or before.seq == frame.seq:
                continue
            if before.opens & Opens.JOB:
                changes.jobs_gone.append(id)
            if before.opens & Opens.TIMER:
                changes.timers_gone.append(id)
            if before.opens & Opens.SUBSCRIPTION:
                self.leave_waits([id], self.endings.get(id, "aborted"))
        changes.state_times = self.times_to_write()
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
