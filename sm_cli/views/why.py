"""Why an execution does not go on: what it waits for, since when, and what would move it.

Read only, from one snapshot. Every reason has the action that does something about it, if one can.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal, TypeAlias

from sm_cli.asl.resources import INTERNAL, serving
from sm_cli.engine.engine import Engine
from sm_cli.engine.near_misses import difference
from sm_cli.engine.programs import find_damage
from sm_cli.errors import SmError
from sm_cli.interpreter.frame import Frame, FrameStatus, Opens
from sm_cli.interpreter.step import EVENT_LIMIT
from sm_cli.interpreter.timers import TimerKind
from sm_cli.interpreter.tokens import make_token
from sm_cli.interpreter.traceback import Traceback
from sm_cli.jsonvalue import folded_text
from sm_cli.store.messages import MessageStatus, Subscription
from sm_cli.store.protocol import Store
from sm_cli.store.records import (
    HANDED_OVER,
    Company,
    Execution,
    Job,
    Status,
    Timer,
    WorkerRecord,
)
from sm_cli.store.sql.questions import Questions
from sm_cli.timestamps import MICROSECONDS
from sm_cli.views.actions import Action, Do
from sm_cli.views.attempts import most_attempts, suspect_text
from sm_cli.views.batches.reasons import end_in_batch, pause_text, turn_in_batch
from sm_cli.views.failures import error_line, readable_cause
from sm_cli.views.tasks import doing, need_of, polled_activity
from sm_cli.worker.membership import is_alive, is_dead, name_of

Kind: TypeAlias = Literal[
    "ended",
    "message",
    "job",
    "activity",
    "callback",
    "timer",
    "retry",
    "children",
    "ready",
    "events",
    "deadline",
    "damaged",
    "schedule",
]

#: So many reasons of an execution with many branches are told.
MOST = 12
#: A worker says at least every half minute that it is there; who was silent for longer than this is not counted on.
_SILENT = 90 * MICROSECONDS
_WORKER = Action(Do.START_WORKER)
#: So many of the newest events are looked through for the error of a task that waits to be tried again.
_NEWEST = 200


@dataclass(frozen=True, slots=True)
class Reason:
    """One sentence or more, and what can be done."""

    #: What it waits for, or how it ended.
    kind: Kind
    #: The sentences, without the action.
    text: str
    #: What would move it; None when nothing but time or a worker does.
    action: Action | None = None
    #: The state that waits, where it is one.
    state: str | None = None
    #: When it ends by itself, microseconds since 1970 UTC.
    until: int | None = None
    #: Whether it is of an execution that the one in question waits for.
    below: bool = False
    #: Where the handler failed that is called again; None when none raised.
    traceback: Traceback | None = None


def only_messages_move(engine: Engine, execution: int) -> list[Subscription]:
    """The open waits of an execution that nothing but a message (or its timeout) can move; else none."""
    with engine.store.read() as questions:
        waiting = questions.subscriptions_of(execution)
        if not waiting or questions.jobs_of(execution) or questions.has_ready(execution):
            return []
        if any(frame.opens & Opens.EXECUTIONS for frame in questions.open_frames(execution)):
            return []  # another part of it waits for executions that it started
        frames = {s.frame for s in waiting}
        return waiting if all(timer.frame in frames for timer in questions.timers_of(execution)) else []


def working(engine: Engine) -> list[WorkerRecord]:
    """The workers that are there, as far as this machine knows."""
    with engine.store.read() as questions:
        return _working(engine.store, questions, engine.clock.now())


def _working(store: Store, questions: Questions, now: int) -> list[WorkerRecord]:
    liveness = store.liveness()
    return [w for w in questions.workers() if now - w.seen < _SILENT and not is_dead(w, liveness)]


def why(
    engine: Engine, execution: Execution, *, handlers: Collection[str] | None = None, time_text: Callable[[int], str]
) -> list[Reason]:
    """What the execution waits for, at most MOST reasons. `handlers` are the names of those that there are, when that
    is known; `time_text` makes text of a time in microseconds since 1970 UTC."""
    with engine.store.read() as questions:
        if execution.closed is not None:
            return [_end_reason(questions, execution, time_text)]
        if execution.status is Status.PENDING:
            return [_waits_for_its_turn(questions, execution)]
        damage = find_damage(execution.digest, questions)
        if damage is not None:
            return [Reason("damaged", f"Nothing goes on with it: {damage.message}. {damage.hint}")]
        inquiry = Inquiry(engine, questions, execution, engine.clock.now(), handlers, time_text)
        reasons = list(islice(inquiry.reasons(), MOST))
    if not reasons:
        reasons.append(Reason("ready", "It is being worked on in this very moment."))
    if execution.events >= EVENT_LIMIT:
        reasons.append(_many_events(engine, execution))
    if execution.deadline is not None:
        text = f"Whatever comes, it ends as TIMED_OUT at {time_text(execution.deadline)}."
        reasons.append(Reason("deadline", text, until=execution.deadline))
    return reasons


def _waits_for_its_turn(questions: Questions, execution: Execution) -> Reason:
    """A child of a map run, or an item of a batch, that has not begun."""
    top = questions.refs([execution.tree])[execution.tree]
    if execution.parent is not None and execution.parent.is_listed:
        return Reason("children", *turn_in_batch(questions, execution.parent, top))
    text = "It waits for its turn: as many children of its map run as MaxConcurrency lets are under way."
    return Reason("children", text, Action(Do.SHOW_REASONS, (top,)))


def _many_events(engine: Engine, execution: Execution) -> Reason:
    """How far one that goes round in a circle has come."""
    most = EVENT_LIMIT if execution.limits or engine.settings.limits else engine.settings.max_events
    consequence = f"at {most:,} it fails" if execution.events < most else "it fails with the next one"
    return Reason("events", f"It has {execution.events:,} events already; {consequence} (max_events).")


def _end_reason(questions: Questions, execution: Execution, time_text: Callable[[int], str]) -> Reason:
    assert execution.closed is not None
    text = f"Nothing is left to do: it ended {execution.status} at {time_text(execution.closed)}"
    if execution.status is Status.SUCCEEDED:
        return Reason("ended", f"{text}.", Action(Do.SHOW_OUTPUT, (execution.ref,)))
    cause = None if execution.cause is None else readable_cause(execution.cause)
    outcome = ": ".join(part for part in (execution.error, cause) if part)
    text = f"{text}{f' with {outcome}' if outcome else ''}".removesuffix(".") + "."
    parent = execution.parent
    if parent is None or parent.run is None:
        return Reason("ended", text, Action(Do.REDRIVE, (execution.ref,)) if execution.type == "STANDARD" else None)
    if parent.is_listed:
        rest, action = end_in_batch(questions, parent.frame)
        return Reason("ended", f"{text} {rest}", action)
    text += " It is a child of a map run, which has counted it; only the execution that the Map is in can be redriven"
    above = _redrivable_above(questions, execution)
    if above is None:
        run = questions.map_run(parent.frame, parent.activation)
        assert run is not None, "a child has its run"
        return Reason("ended", f"{text}, once that has failed.", Action(Do.SHOW_MAP_RUNS, (run.ref,)))
    return Reason("ended", f"{text}.", Action(Do.REDRIVE, (above.ref,)))


def _redrivable_above(questions: Questions, execution: Execution) -> Execution | None:
    """The execution whose redrive runs this child of a map run again; None when there is none that can be redriven."""
    while execution.parent is not None and execution.parent.run is not None:
        frame = questions.frames([execution.parent.frame])[execution.parent.frame]
        above = questions.short_execution(frame.execution)
        assert above is not None, "an execution has those that it is part of"
        execution = above
    is_failed = execution.status in (Status.FAILED, Status.TIMED_OUT, Status.ABORTED)
    return execution if is_failed and execution.type == "STANDARD" else None


class Inquiry:
    """An inquiry: what the store knows of the execution, read once. Each method words one reason.

    frames: those that are asked about, by id; None: all that are open."""

    def __init__(
        self, engine: Engine, questions: Questions, execution: Execution, now: int, handlers: Collection[str] | None,
        time_text: Callable[[int], str], frames: dict[int, Frame] | None = None,
    ) -> None:  # fmt: skip
        self.engine, self.store, self.questions = engine, engine.store, questions
        self.execution, self.now, self.handlers, self.time_text = execution, now, handlers, time_text
        if frames is None:
            frames = {frame.id: frame for frame in questions.open_frames(execution.id)}
        self.frames = frames
        self.workers = _working(engine.store, questions, now)

    def reasons(self) -> Iterator[Reason]:
        """All that it waits for: what it started, messages, jobs, timers, turns."""
        jobs = self.questions.jobs_of(self.execution.id)
        waiting = self.questions.subscriptions_of(self.execution.id)
        yield from self.parents()
        yield from map(self.message, waiting)
        yield from map(self.job, jobs)
        frames = {job.frame for job in jobs} | {s.frame for s in waiting}
        for timer in self.questions.timers_of(self.execution.id):
            if timer.frame not in frames:
                yield self.timer(timer)
        yield from self.ready()

    def name(self, frame: int) -> str:
        """The state that a frame is in."""
        return self.frames[frame].state if frame in self.frames else "a state"

    def time_left(self, due: int) -> str:
        """When that is, in seconds or as a time."""
        seconds = max(0, due - self.now) / MICROSECONDS
        return f"in {seconds:.0f} s" if seconds < 120 else f"at {self.time_text(due)}"

    # -- messages ----------------------------------------------------------------------------------

    def message(self, s: Subscription) -> Reason:
        """A wait for a message, with the messages that are almost it."""
        text = f"{self.name(s.frame)} has waited since {self.time_text(s.since)} for the message {s.key}={s.value}"
        text += "" if s.deadline is None else f", until {self.time_text(s.deadline)}"
        for m in self.questions.near_messages(s.key, folded_text(s.value), 3):
            if m.status_at(self.now) is not MessageStatus.BUFFERED:
                continue
            if m.value != s.value:
                differs = difference(m.value, s.value)
                text += f"; message {m.id} is kept for {m.key}={m.value}, which differs in {differs}"
            elif m.execution not in (None, s.execution):
                text += f"; message {m.id} of that value is kept for another execution"
            elif m.strict and m.kind != s.kind:
                text += f"; message {m.id} of that value is kept for a wait of another type"
        return Reason("message", f"{text}.", Action(Do.SEND_MESSAGE, (s.key, s.value)), self.name(s.frame), s.deadline)

    # -- jobs --------------------------------------------------------------------------------------

    def job(self, job: Job) -> Reason:
        """A task: at work, handed over, lost or free."""
        state, attempt = job.state, f" (attempt {job.attempt})" if job.attempt > 1 else ""
        if job.leased_until == HANDED_OVER:
            token = make_token(self.store.token_key(), job.frame, job.seq)
            text = f"{state} has handed its work over{attempt} and waits for the callback with its task token."
            return Reason("callback", text, Action(Do.COMPLETE_TASK, (token,)), state, self.times_out(job))
        if (until := job.leased_until) is None:
            return self.free(job, attempt)
        worker = name_of(job.worker or "?")
        worker_now = {w.id: w for w in self.questions.workers()}.get(job.worker or "")
        lives, lasts = worker_now is not None and is_alive(worker_now, self.store.liveness()), until > self.now
        if lives or (lasts and (worker_now is None or not is_dead(worker_now, self.store.liveness()))):
            how, then = f"is at work{attempt}: {worker}", ""
            if job.company is Company.IN_THE_WAY:
                how, then = f"waits{attempt} until {worker} has nothing else: it", " then"
            end, text = self.time_text(until), f"{state} {how} {doing(job.resource)}{then}, its lease "
            text += f"lasts until {end} and is renewed while it works." if lasts else f"ran out at {end}."
            text += suspect_text(job, self.engine.settings.most_lost)
            if worker_now is not None and lives and (not lasts or self.now - worker_now.seen > _SILENT):
                since = self.time_text(worker_now.seen)
                text += f" Its process lives (pid {worker_now.pid}) and has been silent since {since}."
            return Reason("job", text, None, state, self.times_out(job))
        text = f"{state} was at work{attempt}, and its worker {worker} is gone; another one takes it over"
        return Reason("job", f"{text}{self.who()}.", None if self.workers else _WORKER, state)

    def times_out(self, job: Job) -> int | None:
        """When the task is late, microseconds since 1970 UTC; None when it never is."""
        due = [t.due for t in self.questions.timers_of(job.execution) if t.frame == job.frame]
        return min(due, default=None)

    def free(self, job: Job, attempt: str) -> Reason:
        """A task that nobody has taken."""
        waits = f"{job.state} waits{attempt} for a worker {need_of(job.resource)}"
        ours = job.resource.startswith(INTERNAL)
        is_served = self.handlers is not None and serving(job.resource, self.handlers) is not None
        activity = None if ours or is_served else polled_activity(self.engine, self.questions, job)
        if activity is not None:
            text = f"{job.state} has waited{attempt} since {self.time_text(job.available)}: nobody polls the activity"
            text += f" {job.resource!r} (GetActivityTask) for its tasks"
            text += "." if self.handlers is None else ", and no handler of that name is there."
            return Reason("activity", text, Action(Do.POLL_ACTIVITY, (activity,)), job.state)
        if not ours and self.handlers is not None and not is_served:
            text = f"{waits}, and no handler of that name is there; write one with @handler({job.resource!r})."
            return Reason("job", text, _WORKER, job.state)
        if not self.workers:
            return Reason("job", f"{waits}, and no worker is running.", _WORKER, job.state)
        text = f"{waits}; as soon as it has a free slot, one takes it{self.who()}."
        return Reason("job", f"{text}{suspect_text(job, self.engine.settings.most_lost)}", None, job.state)

    def who(self) -> str:
        """The workers that there are, in brackets."""
        names = [w.name for w in self.workers[:3]]
        more = f" and {len(self.workers) - 3} more" if len(self.workers) > 3 else ""
        return f" (running: {', '.join(names)}{more})" if names else ", as soon as there is one"

    # -- time, children, turns ---------------------------------------------------------------------

    def timer(self, timer: Timer) -> Reason:
        """A wait for a time, or for the next attempt."""
        state, when = self.name(timer.frame), self.time_left(timer.due)
        if timer.kind is TimerKind.BACKOFF:
            attempt = 1 + sum(self.frames[timer.frame].retries) if timer.frame in self.frames else 2
            error_text, trace, error = self.last_failure(timer.frame)
            most = self.most_attempts(timer.frame, error)
            count = f"attempt {attempt}" if most is None else f"attempt {attempt} of {most}"
            text = f"{state} failed{f' with {error_text}' if error_text else ''} and is tried again {when} ({count})"
            return Reason("retry", f"{text}{self.has_to_run()}.", self.run_one(), state, timer.due, traceback=trace)
        text = f"{state} waits for its time and goes on {when}{self.has_to_run()}."
        return Reason("timer", text, self.run_one(), state, timer.due)

    def has_to_run(self) -> str:
        """What is said where no worker runs."""
        return "" if self.workers else "; a worker has to be running then, and none is"

    def run_one(self) -> Action | None:
        """What a person can do when no worker runs."""
        return None if self.workers else _WORKER

    def most_attempts(self, id: int, error: str | None) -> int | None:
        """How many attempts there may be at the state that this frame is in; None when that is not known."""
        frame = self.frames.get(id)
        if frame is None or error is None:
            return None
        try:
            machine = self.engine.programs.of(self.execution.digest, self.questions).machines[frame.machine]
        except SmError:  # a damaged definition; who works on the execution says so
            return None
        return most_attempts(machine.states[frame.state], frame.retries, error)

    def last_failure(self, frame: int) -> tuple[str | None, Traceback | None, str | None]:
        """The error that the frame failed with last, among the newest events: in words, where its handler did, its
        name."""
        after = max(0, self.execution.events - _NEWEST)
        for event in reversed(self.questions.history(self.execution.id, after=after)):
            if event.frame == frame and isinstance(event.detail.get("error"), str):
                attempt = self.questions.failed_attempt(self.execution.id, frame, self.name(frame))
                trace = attempt.traceback if attempt is not None and attempt.number == event.number else None
                cause = event.detail.get("cause")
                error = str(event.detail["error"])
                text = error_line(error, cause if isinstance(cause, str) else None)
                return (f"{text} at {trace.places[0]}" if trace is not None and trace.places else text), trace, error
        return None, None, None

    def parents(self) -> Iterator[Reason]:
        """What waits for children or executions."""
        for frame in self.frames.values():
            if frame.opens & Opens.EXECUTIONS:
                yield self.run(frame) if frame.join is not None else self.nested_execution(frame)
            if frame.join is not None and frame.opens & Opens.CHILDREN:
                yield self.parent(frame)

    def run(self, frame: Frame) -> Reason:
        """A distributed Map."""
        join = frame.join
        assert join is not None
        ref = f"{self.execution.ref}-{frame.id}-{join.activation}"
        if (pause := pause_text(join)) is not None:
            return Reason("children", pause, Action(Do.RESUME_BATCH, (self.execution.ref,)), frame.state)
        if join.total == 0:
            text = f"{frame.state} waits for its items to be read."
        elif join.settled_items == join.total or join.failed_items > join.tolerated:
            text = f"{frame.state} waits for its results to be written."
        else:
            items = "items" if join.item_count is None else f"{join.total} item{'' if join.total == 1 else 's'}"
            text = f"{frame.state} waits for its {items}: {join.settled_items} ended, {join.running} under way."
        return Reason("children", text, Action(Do.SHOW_MAP_RUNS, (ref,)), frame.state)

    def nested_execution(self, frame: Frame) -> Reason:
        """A Task that is an execution of another workflow."""
        child = next(iter(self.questions.open_executions(frame.id)), None)
        if child is None:
            return Reason("children", f"{frame.state} waits for an execution that it started.", None, frame.state)
        text = f"{frame.state} waits for the execution {child.name} of {child.workflow}."
        return Reason("children", text, Action(Do.SHOW_REASONS, (child.ref,)), frame.state)

    def parent(self, frame: Frame) -> Reason:
        """A Parallel or Map."""
        assert frame.join is not None
        total, closed, started = frame.join.total, frame.join.closed, frame.join.started
        progress = f"{started - closed} under way" if started < total else f"{total - closed} to go"
        text = (
            f"{frame.state} waits for its {total} {'child' if total == 1 else 'children'}: {closed} ended, {progress}"
        )
        text += f", {total - started} not begun (its MaxConcurrency is reached)" if started < total else ""
        return Reason("children", f"{text}.", None, frame.state)

    def ready(self) -> Iterator[Reason]:
        """What only needs its turn."""
        ready = [frame for frame in self.frames.values() if frame.status is FrameStatus.READY]
        if ready:
            text = f"{ready[0].state} can go on: a worker does the next step{self.who()}."
            yield Reason("ready", text, self.run_one(), ready[0].state)
