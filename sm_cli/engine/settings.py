"""What an engine is set to, and who takes jobs in a tick."""

from __future__ import annotations

from collections.abc import Callable

from sm_cli.expr.limits import DEFAULT, Limits
from sm_cli.handlers.registry import Registry
from sm_cli.interpreter.env import ACCOUNT, REGION
from sm_cli.jsonvalue import MAX_PAYLOAD
from sm_cli.store.records import Execution, Job, WorkerRecord
from sm_cli.timestamps import MICROSECONDS

#: Forty times what AWS lets an execution have.
MAX_EVENTS = 1_000_000


class Settings:
    """What holds for every tick of an engine.

    lease: microseconds that a job is leased for. silence: microseconds that a worker may say nothing before a task
    without TimeoutSeconds and HeartbeatSeconds is taken from it, although its process lives. most_lost: so many workers
    may be lost over a task before it runs with nothing beside it, and so many more before it fails.
    chunk: children of one fork that are stepped in the tick that forks them; steps: after so many, children whose
    turn comes stay READY too: the next tick goes on with them, so that no transaction grows with the size of a Map.
    tick_time: microseconds of stepping, tick_bytes: bytes made to be written, after which a tick commits and leaves
    the rest to the next one; one evaluation may exceed them.
    fanout: so many waits receive a message in the tick that brings it, the others in later ticks. history: whether
    events are kept. limits: AWS's. contain: whether a bug of ours fails the execution it is met in, or is raised.
    max_payload: bytes of JSON text that an input, a result, an output, a message may have. evaluation: the bounds of
    one JSONata evaluation (AWS's, where its limits hold). max_events: history events after which an execution fails:
    an endless loop must not fill the disk. has_handler: which resources of tasks that
    the engine would carry out itself (`states:startExecution`, `aws-sdk:sfn:stopExecution`) are left to a handler;
    None: none. has_stub: whether a task that starts a workflow which is not there is left to a handler. draw_seed: what
    weighted aliases draw by, together with the public id of the execution that is started. account, region: where the
    ARNs lie that executions see, in their context object and in answers of Step Functions' own API.
    """

    def __init__(
        self,
        *,
        lease: int = 10 * MICROSECONDS,
        silence: int = 600 * MICROSECONDS,
        most_lost: int = 5,
        chunk: int = 256,
        fanout: int = 500,
        steps: int = 1000,
        tick_time: int = 50_000,
        tick_bytes: int = 4 << 20,
        history: bool = True,
        limits: bool = False,
        contain: bool = True,
        token_key: bytes = b"",
        max_payload: int = MAX_PAYLOAD,
        evaluation: Limits = DEFAULT,
        max_events: int = MAX_EVENTS,
        has_handler: Callable[[str], bool] | None = None,
        has_stub: bool = False,
        draw_seed: str = "",
        account: str = ACCOUNT,
        region: str = REGION,
    ) -> None:
        self.has_handler = has_handler
        self.has_stub = has_stub
        self.draw_seed = draw_seed
        self.account = account
        self.region = region
        self.token_key = token_key
        self.max_payload = max_payload
        self.evaluation = evaluation
        self.max_events = max_events
        self.lease = lease
        self.silence = silence
        self.most_lost = most_lost
        self.chunk = chunk
        self.fanout = fanout
        self.steps = steps
        self.tick_time = tick_time
        self.tick_bytes = tick_bytes
        self.history = history
        self.limits = limits
        self.contain = contain


class JobTaker:
    """Who takes jobs in this tick: a worker's id, how many it can run, and which handlers it has (None: any).

    serves: whether it takes from a queue. at_once: whether it takes jobs in the step that makes them. arriving: its
    row, written with whatever else is. choose_suspect: which of these jobs, over which workers were lost, it sees to
    now, and whether it begins it at once; None: none.
    """

    def __init__(
        self, worker: str, slots: int, handlers: Registry | None = None, *,
        serves: Callable[[str], bool] | None = None, at_once: bool = True, arriving: WorkerRecord | None = None,
        choose_suspect: Callable[[list[Job]], tuple[Job, bool] | None] = lambda _: None,
    ) -> None:  # fmt: skip
        self.worker = worker
        self.slots = slots
        self.handlers = handlers
        self.serves = serves
        self.at_once = at_once
        self.arriving = arriving
        self.choose_suspect = choose_suspect
        self.jobs: list[Job] = []
        #: The job that it runs with nothing beside it: one of `jobs`, or one that it keeps until its others have ended.
        self.suspect: Job | None = None
        #: Those that the taken jobs belong to, by id: what is started may start others, and their tasks are taken too.
        self.executions: dict[int, Execution] = {}

    def begin_again(self, slots: int) -> None:
        """What it took was undone: it can run so many jobs."""
        self.slots, self.jobs, self.suspect = slots, [], None
        self.executions.clear()

    def knows(self, job: Job) -> bool:
        """Whether it has a handler for the job."""
        return self.handlers is None or self.handlers.find(job.resource) is not None

    def repeats(self, job: Job) -> bool:
        """Whether the job's handler may run again after a lost worker."""
        handler = None if self.handlers is None else self.handlers.find(job.resource)
        return handler is None or handler.repeatable

    def takes(self, job: Job) -> bool:
        """Whether it takes the job in the step that makes it."""
        if not self.at_once or self.slots <= 0 or not self.knows(job):
            return False
        return self.serves is None or self.serves(job.queue)
