"""One execution in memory, in virtual time; what `simulate` does."""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from sm_cli.asl.resources import INTERNAL
from sm_cli.engine.aws_history import aws_events
from sm_cli.engine.engine import Engine, Workflow
from sm_cli.engine.map_items import bucket_jobs
from sm_cli.engine.send_message import send
from sm_cli.engine.settings import JobTaker, Settings
from sm_cli.engine.stepping.tasks import lease_jobs
from sm_cli.engine.stepping.tick import Tick
from sm_cli.engine.stepping.unit_of_work import UnitOfWork
from sm_cli.errors import StillRunning
from sm_cli.handlers.handler import Failure, Success, run_async, run_handler
from sm_cli.handlers.registry import Registry
from sm_cli.handlers.starts import StartRequest
from sm_cli.interpreter.advance import awaits_token
from sm_cli.interpreter.events import Event, TaskFailed
from sm_cli.interpreter.timers import TimerKind
from sm_cli.jsonvalue import Json, as_json
from sm_cli.project.reading import DefinitionReader
from sm_cli.store.protocol import Store
from sm_cli.store.records import (
    HANDED_OVER,
    Execution,
    Job,
    Status,
    Timer,
)
from sm_cli.store.sql.questions import Questions
from sm_cli.store.sqlite.memory import MemoryStore
from sm_cli.testing.answers import (
    DueCallback,
    Stubbed,
    answers_engine,
    missing_handler,
    nobody_waits,
    refuse_used_up,
    stand_ins,
)
from sm_cli.testing.clock import FakeClock
from sm_cli.testing.sources import Definitions, library_of
from sm_cli.testing.virtual_time import Overslept, VirtualTime, current
from sm_cli.timestamps import MICROSECONDS
from sm_cli.views.failures import failure_place, readable_cause
from sm_cli.worker.contexts import context_of
from sm_cli.worker.starts import start_by_handler

_FOREVER = 10**9 * MICROSECONDS
#: States that a simulation enters before it gives up, in all its executions together.
MAX_STATES = 25_000
#: A task that is handed over is looked for among so many.
_MOST_WAITING = 100_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a simulated execution ended.

    status: SUCCEEDED, FAILED, TIMED_OUT, or RUNNING when it waits for something that will never come.
    history: events as AWS's GetExecutionHistory gives them. written: what its Maps wrote, by `BUCKET/KEY`: the value of
    the JSON, of JSON Lines the list of their values.
    """

    status: str
    #: Of one that succeeded; None otherwise.
    output: Any
    #: The error name; None when it succeeded or has none.
    error: str | None
    #: Text for people; None when there is none.
    cause: str | None
    history: list[dict[str, Any]] = field(default_factory=list, repr=False)
    written: dict[str, Any] = field(default_factory=dict, repr=False)
    #: What the handler raised that made it FAILED, in Python's form; None when none did.
    traceback: str | None = field(default=None, repr=False, compare=False)
    #: The lines of a person's own code in it, innermost first: `handlers/x.py:12 in charge`.
    places: tuple[str, ...] = field(default=(), compare=False)
    #: How often handlers and stubs were called, by the resource that they served.
    calls: Mapping[str, int] = field(default_factory=dict, repr=False, compare=False)

    def result(self) -> Any:
        """The output. Raises AssertionError, with error, cause and traceback, unless it SUCCEEDED."""
        if self.status != Status.SUCCEEDED:
            raise AssertionError(self.explain())
        return self.output

    def explain(self) -> str:
        """How it ended, in a few lines: for the message of an assertion."""
        error_text = ": ".join(filter(None, (self.error, self.cause and readable_cause(self.cause))))
        first = f"the execution is {self.status}{f' with {error_text}' if error_text else ''}"
        lines = [first, *(f"  at {place}" for place in self.places)]
        return "\n".join(lines if self.traceback is None else [*lines, "", self.traceback.rstrip()])


class Simulation:
    """One simulated execution: an engine, a fake clock, and what is still to come, by time.

    results: where Maps write; None: into `buckets`. callbacks: in the order in which they come. max_states: so many
    states may be entered before StillRunning is raised; None: any number.
    """

    def __init__(
        self,
        workflow: Workflow,
        handlers: Mapping[str, Callable[..., Any]],
        clock: FakeClock,
        *,
        limits: bool = False,
        store: Store | None = None,
        history: bool = True,
        workflows: Definitions | None = None,
        library: Callable[[str], Workflow | None] | None = None,
        buckets: Path = Path("buckets"),
        results: Path | None = None,
        stub: Stubbed = False,
        callbacks: list[DueCallback] | None = None,
        max_states: int | None = None,
    ) -> None:
        self.workflow = workflow
        self.clock = clock
        self.start = clock.now()
        self.store = store or MemoryStore()
        functions = Registry.of({**bucket_jobs(self.store, buckets, results), **handlers})
        self.handlers = stand_ins(stub, functions)
        settings = Settings(
            lease=_FOREVER, limits=limits, history=history, contain=False, has_stub="*" in self.handlers and bool(stub),
            has_handler=answers_engine(self.handlers),
        )  # fmt: skip
        self.engine = Engine(
            self.store, clock=clock, settings=settings, buckets=buckets, observers=(self.count_states,),
            library=library or library_of(workflows, {}, DefinitionReader()),
        )  # fmt: skip
        self.coming: list[tuple[int, int, Callable[[Tick], object]]] = []
        self.count = 0
        self.todo: list[Job] = []
        self.callbacks = callbacks or []
        self.states_called_back = frozenset(answer.state for answer in self.callbacks)
        #: Tasks that were begun and that a callback may end, before or after their handler has returned.
        self.open_tasks: list[Job] = []
        self.max_states = max_states
        #: How often each state was entered.
        self.visits: Counter[str] = Counter()
        #: How often handlers and stubs were called, by the resource that they served.
        self.calls: Counter[str] = Counter()

    def count_states(self, tick: UnitOfWork) -> None:
        """Observes the engine."""
        names = (e.detail["name"] for e in tick.changes.history if e.type.endswith("StateEntered"))
        self.visits.update(str(name) for name in names)

    def give_up(self) -> None:
        """Raises StillRunning when more states were entered than may be."""
        total = self.visits.total()
        if self.max_states is None or total <= self.max_states:
            return
        often = ", ".join(f"{name!r} {times:,} times" for name, times in self.visits.most_common(3))
        duration = (self.clock.now() - self.start) / MICROSECONDS
        raise StillRunning(
            f"the simulation ends after {total:,} states and {duration:,.0f} s of virtual time, and "
            f"{self.workflow.name!r} still runs: it entered {often} (max_states={self.max_states} is its bound)"
        )

    def post(self, at: int, key: str, value: Json, data: Json) -> None:
        """Send a message at this time. Raises TypeError when its data is not JSON."""
        body, problem = as_json(data)
        if problem is not None:
            raise TypeError(f"the message {key} is not JSON: {problem}")
        self.later(at, lambda tick: send(tick, key, value, body, ttl=3600 * MICROSECONDS))

    def later(self, at: int, what: Callable[[Tick], object]) -> None:
        """Do something in a tick at this time, in microseconds since 1970 UTC."""
        self.count += 1
        heapq.heappush(self.coming, (at, self.count, what))

    def run(self, input: Json, type: str = "STANDARD") -> Outcome:
        """Start the workflow and go on until it is closed, or waits for what will never come."""
        execution, _, jobs = self.engine.start(self.workflow, input, type=type, taker=self.taker())
        self.todo.extend(jobs)
        return self.finish(execution)

    def resume(self, execution: Execution) -> Outcome:
        """Go on with an execution that another simulation over the same store left behind, crashed or not."""

        def take_back(tick: Tick) -> None:
            lease_jobs(tick, [*tick.tx.leased_to("simulate"), *tick.tx.claimable(tick.now, 1_000_000)])

        _, tick = self.engine.transact(take_back, self.taker())
        self.todo.extend(tick.taken_jobs())
        return self.finish(execution)

    def resume_last(self) -> Outcome:
        """`resume` the newest execution of the store."""
        with self.store.read() as questions:
            latest = questions.latest()
        assert latest is not None, "nothing was started"
        return self.resume(latest)

    def finish(self, execution: Execution) -> Outcome:
        """Go on until the execution is closed or nothing will ever happen again."""
        while True:
            with self.store.read() as questions:
                record = questions.execution(execution.id)
            assert record is not None
            if record.status is not Status.RUNNING or not self.move():
                break
            self.give_up()
        with self.store.read() as questions:
            history = aws_events(questions.history(execution.id))
            failure = failure_place(questions, record)
        inner = None if failure is None else failure.innermost
        return Outcome(
            record.status.value, record.output, record.error, record.cause, history,
            traceback=None if inner is None or inner.traceback is None else inner.traceback.text,
            places=() if inner is None else tuple(place.removeprefix(f"{Path.cwd()}/") for place in inner.places),
            calls={**self.calls},
        )  # fmt: skip

    def run_now(self, input: Json, type: str = "STANDARD") -> Execution:
        """Start, and do all that can be done before time passes."""
        execution, _, jobs = self.engine.start(self.workflow, input, type=type, taker=self.taker())
        self.todo.extend(jobs)
        while self.todo or self.ready() or (self.coming and self.coming[0][0] <= self.clock.now()):
            self.move()
        return execution

    def ready(self) -> bool:
        """Whether something can be stepped without time passing."""
        with self.store.read() as questions:
            return questions.has_ready()

    def move(self) -> bool:
        """Do what is to be done now, or let time pass until something is; False when nothing ever will be. Raises
        UsageError for a callback of whose state no task has begun."""
        if self.todo:
            jobs, self.todo = self.todo, []
            for job in jobs:
                self.perform(job)
            return True
        now = self.clock.now()
        with self.store.read() as questions:
            due = questions.next_due()
            waiting = self.waiting(questions) if self.is_called(now) else []
        if not self.ready() and not self.is_called(now, waiting) and self.next_of(due) > now:
            if self.is_called(now):
                self.drop_late(waiting)
                return True
            # A lease of "forever" is not something to wait for.
            if self.next_of(due) - now > _FOREVER // 2:
                return False
            self.clock.advance_to(self.next_of(due))
        self.tick()
        return True

    def next_of(self, due: int | None) -> int:
        """When something happens next, in microseconds since 1970 UTC. due: that of the store's timers."""
        times = [due, self.coming[0][0] if self.coming else None, self.next_callback()]
        return min((time for time in times if time is not None), default=2 * _FOREVER + self.clock.now())

    def next_callback(self) -> int | None:
        """When the next callback comes that has not come yet."""
        return next((answer.at for answer in self.callbacks if answer.at > self.clock.now()), None)

    def is_called(self, now: int, waiting: list[Job] | None = None) -> bool:
        """Whether a callback has come, and (with `waiting`) one of these tasks waits for it."""
        come = {answer.state for answer in self.callbacks if answer.at <= now}
        return bool(come) if waiting is None else any(job.state in come for job in waiting)

    def waiting(self, questions: Questions) -> list[Job]:
        """The tasks that a callback may end, the one that waits longest first."""
        jobs = {job.id: job for job in questions.handed_over(_MOST_WAITING)}
        for job in self.open_tasks:
            now = questions.job_of(job.frame)
            if now is not None and now.seq == job.seq:
                jobs[job.id] = job
        return [jobs[id] for id in sorted(jobs)]

    def drop_late(self, waiting: list[Job]) -> None:
        """Callbacks that have come for tasks that have ended. Raises UsageError when none has begun."""
        late, now = [answer for answer in self.callbacks if answer.at <= self.clock.now()], self.clock.now()
        for answer in late:
            if not self.visits[answer.state]:
                states = sorted({job.state for job in waiting})
                raise nobody_waits(answer, self.start, states, self.workflow.program)
        self.callbacks = [answer for answer in self.callbacks if answer.at > now]

    def tick(self) -> None:
        """Whatever is due now: results, messages and callbacks first, then timers."""
        now = self.clock.now()
        arrivals = []
        while self.coming and self.coming[0][0] <= now:
            arrivals.append(heapq.heappop(self.coming)[2])

        def work(tick: Tick) -> None:
            for what in arrivals:
                what(tick)
            self.call_back(tick)
            tick.run()
            tick.due()

        _, tick = self.engine.transact(work, self.taker())
        self.todo.extend(tick.taken_jobs())

    def call_back(self, tick: Tick) -> None:
        """Hand the callbacks that have come to the tasks that wait for them, each to the one that waits longest."""
        if not self.is_called(tick.now):
            return
        waiting, rest = self.waiting(tick.tx), []
        for answer in self.callbacks:
            job = next((job for job in waiting if job.state == answer.state), None) if answer.at <= tick.now else None
            if job is None:
                rest.append(answer)
            else:
                waiting.remove(job)
                tick.deliver(job.frame, answer.event(job.seq))
        self.callbacks = rest

    def taker(self) -> JobTaker:
        """Takes every job."""
        return JobTaker("simulate", 1_000_000)

    def start_from_handler(self, request: StartRequest, job: Job, execution: Execution) -> str:
        """What a handler starts runs in the same simulation."""
        ref, jobs = start_by_handler(self.engine, request, job, execution, self.taker())
        self.todo.extend(jobs)
        return ref

    def perform(self, job: Job) -> None:
        """Call the handler now; its result arrives when it has slept what it slept. Raises HandlerLoadError for a task
        that nothing answers, UsageError for one that has more calls than its stub has answers."""
        if job.state in self.states_called_back:
            self.open_tasks.append(job)
        start = self.clock.now()
        handler = self.handlers.find(job.resource)
        if handler is None:
            if job.state not in self.states_called_back:
                raise missing_handler(job, self.workflow.name, self.handlers)
            self.later(start, lambda tick: leave_to_callback(tick, job))
            return
        if not job.resource.startswith(INTERNAL):
            self.calls[job.resource] += 1
        virtual = VirtualTime(job)
        with self.store.read() as questions:
            execution = questions.execution(job.execution)
        assert execution is not None
        starter = partial(self.start_from_handler, job=job, execution=execution)
        context = context_of(job, execution, self.engine.settings.token_key, virtual.beat, starter)
        token = current.set(virtual)
        try:
            outcome: Success | Failure = (
                asyncio.run(run_async(handler, job.input, context))
                if handler.is_async
                else run_handler(handler, job.input, context)
            )
        finally:
            current.reset(token)
        refuse_used_up(handler, job)
        if virtual.last_beat is not None and job.heartbeat is not None:
            due = start + round((virtual.last_beat + job.heartbeat) * MICROSECONDS)
            timer = Timer(job.execution, job.frame, job.seq, TimerKind.HEARTBEAT, due)
            self.engine.transact(lambda tick: tick.rearm(timer))
        if not (isinstance(outcome, Failure) and outcome.error == Overslept.__name__):
            at = start + round(virtual.sleep_time * MICROSECONDS)
            if isinstance(outcome, Success):
                result, final = outcome.result, outcome.final and job.state not in self.states_called_back
                self.later(at, lambda tick: tick.handler_returned(job, result, final=final))
            else:
                event = _failure_event(job, outcome)
                self.later(at, lambda tick: tick.deliver(job.frame, event))


def leave_to_callback(tick: Tick, job: Job) -> None:
    """Somebody else does the work of this task, and calls back."""
    tick.load([job.frame])
    frame = tick.frames[job.frame]
    if awaits_token(tick.program_of(tick.execution(frame.execution).digest), frame):
        tick.handler_returned(job, {})
    elif frame.seq == job.seq and not frame.status.closed:  # of an activity
        tick.changes.leased_jobs.append(replace(job, worker=None, leased_until=HANDED_OVER))


def _failure_event(job: Job, failure: Failure) -> Event:
    return TaskFailed(job.seq, failure.error, failure.cause, failure.stack, failure.traceback)
