"""Express: an execution in memory, at most once, that ends before the call returns; AWS's type EXPRESS.

    result = run_express(workflow, {"orderId": "ORD-1"}, {"process:order": process_order})
    assert result.status == "SUCCEEDED"

The engine and the loop of `sm run`, over a store that nobody else sees. Nothing is written to a disk and nothing
outlives the process; what an express execution would have to wait for from outside is refused before its first state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sm_cli.asl.model import Task
from sm_cli.asl.validation.validate import express_problems
from sm_cli.engine.aws_history import aws_events
from sm_cli.engine.engine import Engine, Workflow
from sm_cli.engine.settings import Settings
from sm_cli.engine.stepping.starting import copy_closed
from sm_cli.engine.stepping.tick import Tick
from sm_cli.errors import Conflict, HandlerLoadError, InvalidDefinition, UsageError
from sm_cli.handlers.builtin import builtins
from sm_cli.handlers.handler import Handler
from sm_cli.handlers.needs import needed_handlers
from sm_cli.handlers.registry import Registry
from sm_cli.interpreter.env import ACCOUNT, REGION
from sm_cli.interpreter.events import TaskFailed
from sm_cli.jsonvalue import MAX_PAYLOAD, Json, as_json
from sm_cli.store.protocol import Store
from sm_cli.store.records import Execution, FailedAttempt, HistoryEvent
from sm_cli.store.sqlite.memory import MemoryStore
from sm_cli.store.statistics import StateTimes
from sm_cli.views.failures import failure_place
from sm_cli.worker.worker import Worker

#: Seconds that an express execution may take; AWS's limit.
TIME_LIMIT = 300.0
#: More than any execution has.
_ALL = 2**31


@dataclass(frozen=True, slots=True)
class ExpressResult:
    """How an express execution ended.

    status: SUCCEEDED, FAILED or TIMED_OUT. history: events as AWS's GetExecutionHistory gives them, None unless they
    were asked for.
    """

    status: str
    #: Of one that succeeded; None otherwise.
    output: Any
    #: The error name; None when it succeeded or has none.
    error: str | None
    #: Text for people; None when there is none.
    cause: str | None
    history: list[dict[str, Any]] | None = field(default=None, repr=False)
    #: What the handler raised that made it FAILED, in Python's form; None when none did.
    traceback: str | None = field(default=None, repr=False, compare=False)


def run_express(
    workflow: Workflow,
    input: Json,
    handlers: Mapping[str, Callable[..., Any] | Handler],
    *,
    name: str | None = None,
    timeout: float | None = None,
    history: bool = False,
    concurrency: int = 8,
) -> ExpressResult:
    """Run a workflow to its end, here and now, as AWS's StartSyncExecution does.

    workflow: from `sm_cli.engine.engine.prepare`. input: any JSON value. handlers: resource, or name of a Lambda
    function, to what is called; `sm`'s own are below them. name: the execution's, in the context object. timeout:
    seconds, 300 at most and unless given; a shorter TimeoutSeconds of the definition holds. history: whether events
    are recorded. concurrency: how many handlers run at once. From any thread; several may run side by side.

    Raises InvalidDefinition (SM607) for a workflow that waits for an activity, a job, a task token or a message, or
    has a distributed Map; HandlerLoadError for a Task without a handler; UsageError for a name or timeout that AWS
    would refuse, for an input that is not JSON, and for a workflow that starts others. A handler that still runs when
    the time is up is told so by `context.cancelled`, and not waited for.
    """
    registry = Registry.of({**builtins(), **handlers})
    needs = needed_handlers(workflow.program, workflow.document.value)
    missing = sorted(name for name in needs if registry.find(name) is None)
    if missing:
        raise HandlerLoadError(f"no handler is given for {', '.join(map(repr, missing))}")
    own_input, problem = as_json(input)
    if problem is not None:
        raise UsageError(f"the input is not JSON: {problem}")
    with Express(workflow, registry, history=history, concurrency=concurrency) as express:
        express.start(own_input, name=name, timeout=timeout)
        express.run(lambda: express.current().closed is not None)
        closed = express.current()
        events = aws_events(express.events()) if history else None
        raised = express.raised()
    return ExpressResult(closed.status.value, closed.output, closed.error, closed.cause, events, raised)


class Express:
    """One express execution under way. Leaving the `with` block tells the handlers that still run that nobody waits."""

    def __init__(
        self, workflow: Workflow, handlers: Mapping[str, Handler], *, history: bool = False, concurrency: int = 8,
        limits: bool = False, max_payload: int = MAX_PAYLOAD, account: str = ACCOUNT, region: str = REGION,
        answers: Callable[[str], bool] = lambda _: False,
    ) -> None:  # fmt: skip
        """answers: whether the handlers have one for a resource that starts or asks for executions, which nothing here
        could. account, region: of the ARNs that it sees. Raises InvalidDefinition, UsageError."""
        problems = express_problems(workflow.document)
        if problems:
            raise InvalidDefinition(problems)
        starter = _starts_others(workflow, answers)
        if starter is not None:
            raise UsageError(
                f"{starter} starts or asks for other executions; an express execution has no database that has any",
                topic="express",
            )
        self.workflow = workflow
        settings = Settings(
            history=history, limits=limits, max_payload=max_payload, account=account, region=region,
            has_handler=answers,
        )  # fmt: skip
        self.engine = Engine(MemoryStore(), settings=settings, observers=())
        self.loop = Worker(self.engine, handlers, concurrency=concurrency, name="express")

    def __enter__(self) -> Express:
        return self

    def __exit__(self, *details: object) -> None:
        self.loop.pool.cancel_all()
        self.loop.pool.close()

    def start(
        self, input: Json, *, name: str | None = None, timeout: float | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> Execution:  # fmt: skip
        """Start it, once. Raises UsageError for a bad name, or a timeout beyond AWS's limit."""
        if timeout is not None and timeout > TIME_LIMIT:
            raise UsageError(f"an express execution ends after {TIME_LIMIT:g} s; a timeout of {timeout:g} s is longer")
        limit = TIME_LIMIT if timeout is None else timeout
        text = replace(self.workflow, version=None, qualifier=None)  # the database in memory has no other version
        self.execution, _ = self.loop.start(text, input, name=name, type="EXPRESS", timeout=limit, tags=tags)
        return self.execution

    def run(self, until: Callable[[], bool]) -> None:
        """Work on it until `until()`."""
        self.loop.run(lambda: until() or self._fail_what_nobody_does())

    def current(self) -> Execution:
        """The execution as it stands in memory now."""
        with self.engine.store.read() as questions:
            found = questions.execution(self.execution.id)
        assert found is not None
        return replace(found, version=None)  # its number is that of the database in memory

    def events(self) -> list[HistoryEvent]:
        """What has happened, in order; none without history."""
        with self.engine.store.read() as questions:
            return questions.history(self.execution.id)

    def raised(self) -> str | None:
        """The traceback of the handler that made it fail, if one did."""
        ended = self.current()
        with self.engine.store.read() as questions:
            failure = failure_place(questions, ended)
        return None if failure is None or failure.traceback is None else failure.traceback.text

    def state_times(self) -> list[StateTimes]:
        """What it has spent in its states; several times where it was in one several times."""
        with self.engine.store.read() as questions:
            return questions.state_times(self.execution.id)

    def failed_attempts(self) -> list[FailedAttempt]:
        """Where handlers failed."""
        with self.engine.store.read() as questions:
            return questions.failed_attempts(self.execution.id, _ALL)

    def _fail_what_nobody_does(self) -> bool:
        """A FunctionName that was computed may lead to no handler, and no other worker will come; always False."""
        if self.loop.jobs:
            return False
        with self.engine.store.read() as questions:
            free = questions.jobs_of(self.execution.id)
        unserved = [job for job in free if job.worker is None and job.resource not in self.loop.handlers]
        if unserved:

            def work(tick: Tick) -> None:
                for job in unserved:
                    cause = f"No handler is registered for {job.resource!r}."
                    tick.deliver(job.frame, TaskFailed(job.seq, "States.TaskFailed", cause))

            self.engine.transact(work)
            self.loop.take(True)  # it has to look anew
        return False


def _starts_others(workflow: Workflow, answers: Callable[[str], bool]) -> str | None:
    """The first state that starts an execution of another workflow, or asks for one, for which there is no handler."""
    for machine in workflow.program.machines.values():
        for state in machine.states.values():
            if isinstance(state, Task) and state.resource.needs_no_handler and not answers(state.resource.handler):
                return state.name
    return None


def keep(express: Express, store: Store) -> Execution:
    """Write a closed express execution with its history into a database, in one transaction.

    Raises Conflict when its workflow has an execution of that name there. It cannot be redriven, as on AWS.
    """
    closed, events, attempts = express.current(), express.events(), express.failed_attempts()
    times = express.state_times()
    target = Engine(store)

    def work(tick: Tick) -> Execution:
        if tick.tx.find_execution(closed.workflow, closed.name) is not None:
            raise name_conflict(closed.name)
        version = target.programs.version_to_start(express.workflow, tick.tx, tick.changes, tick.now)
        frames = tick.tx.reserve("frames", 1 + max((event.frame for event in events), default=0))
        copy = copy_closed(tick, closed, version)
        tick.changes.failed_attempts.extend(
            attempt._replace(execution=copy.id, frame=frames + attempt.frame) for attempt in attempts
        )
        tick.changes.history.extend(
            event._replace(execution=copy.id, frame=event.frame and frames + event.frame) for event in events
        )
        tick.executions[copy.id] = copy
        for (state, _, _), (_, _, *counts) in times:
            before = tick.state_times.get((copy.id, state), [0] * 6)
            longest = max(before[4], counts[4])
            sums = [a + b for a, b in zip(before, counts, strict=True)]
            tick.state_times[copy.id, state] = [*sums[:4], longest, sums[5]]
        return copy

    return target.transact(work)[0]


def name_conflict(name: str) -> Conflict:
    """An execution of this name exists."""
    return Conflict(f"the name {name!r} is taken by another execution; use another name")
