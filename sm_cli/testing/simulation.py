"""One execution in memory, in virtual time; what `simulate` does."""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sm_cli.asl.text.source import Document, from_value
from sm_cli.asl.text.source import parse as parse_source
from sm_cli.engine.aws_history import aws_events
from sm_cli.engine.engine import Engine, Workflow, prepare
from sm_cli.engine.send_message import send
from sm_cli.engine.settings import JobTaker, Settings
from sm_cli.engine.stepping.tasks import lease_jobs
from sm_cli.engine.stepping.tick import Tick
from sm_cli.errors import InvalidDefinition
from sm_cli.handlers.handler import Context, Failure, Success, run_async, run_handler
from sm_cli.handlers.registry import Registry
from sm_cli.handlers.stub import Stub
from sm_cli.interpreter.events import Event, TaskFailed
from sm_cli.interpreter.timers import TimerKind
from sm_cli.interpreter.tokens import make_token
from sm_cli.jsonvalue import Json, as_json
from sm_cli.store.protocol import Store
from sm_cli.store.records import (
    Execution,
    Job,
    Status,
    Timer,
)
from sm_cli.store.sqlite.memory import MemoryStore
from sm_cli.testing.clock import _EPOCH, FakeClock
from sm_cli.timestamps import MICROSECONDS

_FOREVER = 10**9 * MICROSECONDS


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a simulated execution ended.

    status: SUCCEEDED, FAILED, TIMED_OUT, or RUNNING when it waits for something that will never come.
    history: events as AWS's GetExecutionHistory gives them.
    """

    status: str
    #: Of one that succeeded; None otherwise.
    output: Any
    #: The error name; None when it succeeded or has none.
    error: str | None
    #: Text for people; None when there is none.
    cause: str | None
    history: list[dict[str, Any]] = field(default_factory=list, repr=False)


class _Overslept(BaseException):
    """Ends a simulated handler whose timeout or heartbeat has passed while it slept."""


class _Virtual:
    """The virtual time of one handler call: how long it has slept, and when it has to have ended or beaten."""

    def __init__(self, job: Job) -> None:
        self.slept = 0.0
        self.timeout = job.timeout
        self.heartbeat = job.heartbeat
        self.beaten: float | None = None

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        if self.timeout is not None and self.slept > self.timeout:
            raise _Overslept
        if self.heartbeat is not None and self.slept - (self.beaten or 0.0) > self.heartbeat:
            raise _Overslept

    def beat(self) -> None:
        self.beaten = self.slept


_virtual: contextvars.ContextVar[_Virtual | None] = contextvars.ContextVar("sm_virtual", default=None)


def sleep(seconds: float) -> None:
    """Let virtual time pass inside a simulated handler; it runs into its timeout at once.

    Outside of `simulate` this is an error: a handler that really waits uses time.sleep.
    Raises RuntimeError outside of one.
    """
    virtual = _virtual.get()
    if virtual is None:
        raise RuntimeError("sm_cli.testing.sleep is for handlers that simulate() calls")
    virtual.sleep(seconds)


def simulate(
    definition: dict[str, Any] | str | bytes,
    input: Json = None,
    *,
    handlers: Mapping[str, Callable[..., Any]] | None = None,
    type: str = "STANDARD",
    now: datetime | None = None,
    aws_limits: bool = False,
    messages: Sequence[tuple[float, str, Json, Json]] = (),
    workflows: Mapping[str, dict[str, Any] | str | bytes] | None = None,
    buckets: str | os.PathLike[str] = "buckets",
    stub: bool = False,
) -> Outcome:
    """Run a definition to its end, in memory and in virtual time.

    definition: a dict, or YAML or JSON text. input: any JSON value ({} when None is given and meant as AWS's
    default is for the caller to write). handlers: resource, or Lambda function name, to a callable taking
    (input) or (input, context), sync or async; `dynamodb:*` and `*` stand for what no other one is named for. type:
    STANDARD or EXPRESS. now: when it starts. aws_limits: AWS's 256 KiB and its kin. messages: (seconds after the
    start, key, value, data). workflows: definitions by name, for tasks that are executions of other workflows
    (states:startExecution). buckets: the directory that stands for S3. stub: every task without a handler has the
    result {}.

    Raises InvalidDefinition (with `.diagnostics`), and TypeError when the input or a message is not JSON. Without
    `stub` a task without a handler fails with States.TaskFailed.
    """
    own_input, problem = as_json(input)
    if problem is not None:
        raise TypeError(f"the input is not JSON: {problem}")
    workflow = prepare(_document(definition), "simulated")
    start = _EPOCH if now is None else round(_aware(now).timestamp() * MICROSECONDS)
    simulation = Simulation(
        workflow, handlers or {}, FakeClock(start), limits=aws_limits, workflows=workflows or {},
        buckets=Path(buckets), stub=stub,
    )  # fmt: skip
    for at, key, value, data in messages:
        simulation.post(start + round(at * MICROSECONDS), key, value, data)
    return simulation.run(own_input, type)


def load_handlers(directory: str | os.PathLike[str]) -> dict[str, Callable[..., Any]]:
    """The handlers of a directory by name, as `sm run` finds them, for `simulate(handlers=…)`.

    Raises HandlerLoadError when the directory is not there or a file in it does not import.
    """
    from sm_cli.handlers.loading import load_handlers as load

    return {name: handler.function for name, handler in load(Path(directory)).items()}


def _document(definition: dict[str, Any] | str | bytes) -> Document:
    parsed = parse_source(definition) if isinstance(definition, (str, bytes)) else from_value(definition)
    if parsed.document is None:
        raise InvalidDefinition(parsed.diagnostics)
    return parsed.document


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class Simulation:
    """One simulated execution: an engine, a fake clock, and what is still to come, by time."""

    def __init__(
        self,
        workflow: Workflow,
        handlers: Mapping[str, Callable[..., Any]],
        clock: FakeClock,
        *,
        limits: bool = False,
        store: Store | None = None,
        history: bool = True,
        workflows: Mapping[str, dict[str, Any] | str | bytes] = MappingProxyType({}),
        buckets: Path = Path("buckets"),
        stub: bool = False,
    ) -> None:
        self.workflow = workflow
        self.clock = clock
        self.store = store or MemoryStore()
        settings = Settings(lease=_FOREVER, limits=limits, history=history, contain=False)
        self.workflows = {name: prepare(_document(definition), name) for name, definition in workflows.items()}
        self.engine = Engine(
            self.store, clock=clock, settings=settings, library=self.workflows.get, buckets=buckets, observers=()
        )
        own = Registry.of({**self.engine.builtin, **handlers})
        self.handlers = Stub().under(own) if stub else own
        self.coming: list[tuple[int, int, Callable[[Tick], object]]] = []
        self.count = 0
        self.todo: list[Job] = []

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
                current = questions.execution(execution.id)
            assert current is not None
            if current.status is not Status.RUNNING or not self.move():
                break
        with self.store.read() as questions:
            history = aws_events(questions.history(execution.id))
        return Outcome(current.status.value, current.output, current.error, current.cause, history)

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
        """Do what is to be done now, or let time pass until something is; False when nothing ever will be."""
        if self.todo:
            jobs, self.todo = self.todo, []
            for job in jobs:
                self.perform(job)
            return True
        now = self.clock.now()
        with self.store.read() as questions:
            due = questions.next_due()
        if not self.ready() and not (self.coming and self.coming[0][0] <= now) and (due is None or due > now):
            times = [time for time in (due, self.coming[0][0] if self.coming else None) if time is not None]
            # A lease of "forever" is not something to wait for.
            if not times or min(times) - now > _FOREVER // 2:
                return False
            self.clock.advance_to(min(times))
        self.tick()
        return True

    def tick(self) -> None:
        """Whatever is due now: results and messages first, then timers."""
        now = self.clock.now()
        arrived = []
        while self.coming and self.coming[0][0] <= now:
            arrived.append(heapq.heappop(self.coming)[2])

        def work(tick: Tick) -> None:
            for what in arrived:
                what(tick)
            tick.run()
            tick.due()

        _, tick = self.engine.transact(work, self.taker())
        self.todo.extend(tick.taken_jobs())

    def taker(self) -> JobTaker:
        """Takes every job."""
        return JobTaker("simulate", 1_000_000)

    def perform(self, job: Job) -> None:
        """Call the handler now; its result arrives when it has slept what it slept."""
        handler = self.handlers.find(job.resource)
        started = self.clock.now()
        if handler is None:
            missing = TaskFailed(job.seq, "States.TaskFailed", f"No handler is registered for {job.resource!r}.")
            self.later(started, lambda tick: tick.deliver(job.frame, missing))
            return
        virtual = _Virtual(job)
        with self.store.read() as questions:
            execution = questions.execution(job.execution)
        assert execution is not None
        context = Context(
            execution_id=execution.ref,
            execution_name=execution.name,
            workflow=execution.workflow,
            state=job.state,
            attempt=job.attempt,
            idempotency_key=f"{execution.ref}-{job.frame}-{job.seq}",
            task_token=make_token(self.engine.settings.token_key, job.frame, job.seq),
            resource=job.resource,
            beat=virtual.beat,
        )
        token = _virtual.set(virtual)
        try:
            outcome: Success | Failure = (
                asyncio.run(run_async(handler, job.input, context))
                if handler.is_async
                else run_handler(handler, job.input, context)
            )
        finally:
            _virtual.reset(token)
        if virtual.beaten is not None and job.heartbeat is not None:
            due = started + round((virtual.beaten + job.heartbeat) * MICROSECONDS)
            timer = Timer(job.execution, job.frame, job.seq, TimerKind.HEARTBEAT, due)
            self.engine.transact(lambda tick: tick.rearm(timer))
        if not (isinstance(outcome, Failure) and outcome.error == _Overslept.__name__):
            at = started + round(virtual.slept * MICROSECONDS)
            if isinstance(outcome, Success):
                result, final = outcome.result, outcome.final
                self.later(at, lambda tick: tick.handler_returned(job, result, final=final))
            else:
                event = _failure_event(job, outcome)
                self.later(at, lambda tick: tick.deliver(job.frame, event))


def _failure_event(job: Job, failure: Failure) -> Event:
    return TaskFailed(job.seq, failure.error, failure.cause, failure.stack, failure.traceback)
