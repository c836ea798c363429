"""The store's protocol, in the domain's words; SQLite, memory and later Postgres keep the same contract.

Rule: a writing transaction reads first and writes once. Everything a tick decides is gathered in one
Changes and handed to `Transaction.apply`; leaving the `with` block commits it, an exception loses all of it.
Times are integer microseconds since 1970 UTC. JSON values are handed over as values, not as text.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, TypeAlias

from sm_cli.interpreter.frame import Frame, Join
from sm_cli.interpreter.timers import TimerKind
from sm_cli.jsonvalue import Json
from sm_cli.store.mail import (
    Consumed,
    MessageFilter,
    MessageStatus,
    OpenWait,
    PastWait,
    Stale,
    StoredMessage,
    Subscription,
    WaitEnd,
    WaitFilter,
)

if TYPE_CHECKING:
    from sm_cli.store.beacons import Beacons
    from sm_cli.store.changes import Changes

__all__ = [
    "Consumed", "Definition", "Execution", "ExecutionFilter", "FrameSeq", "HistoryEvent", "Job",
    "MapRun", "MessageFilter", "MessageStatus", "OpenWait", "Parent", "PastWait", "Reserved", "Stale", "Status",
    "Store", "StoredMessage", "Subscription", "Timer", "TimerKind", "Transaction", "WaitEnd", "WaitFilter", "Waking",
    "Worker",
]  # fmt: skip


class Status(StrEnum):
    """An execution's status; AWS's words, and PENDING: a child of a map run that waits for its turn."""

    PENDING = "PENDING"

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    ABORTED = "ABORTED"


#: Tables whose ids the engine reserves before it writes.
Reserved: TypeAlias = Literal["executions", "frames", "jobs", "map_runs", "messages"]


class Definition(NamedTuple):
    """A workflow's text, immutable, under the sha256 of its canonical JSON."""

    digest: str
    name: str
    text: str
    format: str
    created: int


class Parent(NamedTuple):
    """Who started an execution and is told of its end: a frame, at the seq (of its fork, for a map run) that it had.

    run: the map run that it is a child of; then `number` counts it from 0 and `items` how many items it works on.
    """

    frame: int
    activation: int
    number: int = 0
    items: int = 1
    run: int | None = None


@dataclass(slots=True)
class Execution:
    """One run of a definition, or of a distributed Map's processor.

    ref: the public id, sorts by time. name: unique within its workflow. events: how many history events it
    has; the next one's number is one more. deadline: when it times out. error, cause: of a FAILED one.
    redrives, redriven: how often it was redriven, and when last. tree: the execution at the top of those that started
    it, itself unless one did. machine: the pointer of what it runs in the Program. limits: whether AWS's hold.
    """

    id: int
    ref: str
    name: str
    workflow: str
    digest: str
    type: str
    status: Status
    started: int
    input: Json
    deadline: int | None = None
    closed: int | None = None
    error: str | None = None
    cause: str | None = None
    output: Json = None
    events: int = 0
    queue: str = "default"
    priority: int = 0
    tags: dict[str, Json] = field(default_factory=dict)
    redrives: int = 0
    redriven: int | None = None
    tree: int = 0
    machine: str = ""
    limits: bool = False
    parent: Parent | None = None

    def __post_init__(self) -> None:
        self.tree = self.tree or self.id


@dataclass(slots=True)
class MapRun:
    """The children of one distributed Map, seen as one. AWS's MapRun.

    ref: its public id. execution, frame, activation: the fork that it is. workflow: what its children's is called.
    type: of its children. join: its counts when it was closed; while it runs, its frame has them.
    """

    id: int
    ref: str
    execution: int
    frame: int
    activation: int
    state: str
    workflow: str
    type: str
    status: Status
    started: int
    join: Join
    closed: int | None = None
    redrives: int = 0


@dataclass(slots=True)
class Job:
    """One leased attempt at a task. `(frame, seq)` is the address its result goes back to.

    resource: the handler's name. input: what the handler gets. attempt: 1 for the first try of this visit.
    timeout, heartbeat: seconds, counted from when it is leased. leased_until: None while nobody has it.
    worker: the `Worker.id` of who leased it. repeatable: whether its handler may run again after a worker was
    lost, as the handler said when it was leased. deliveries: how often it was leased and not given back.
    """

    id: int
    execution: int
    frame: int
    seq: int
    state: str
    resource: str
    input: Json
    attempt: int = 1
    queue: str = "default"
    priority: int = 0
    available: int = 0
    timeout: float | None = None
    heartbeat: float | None = None
    leased_until: int | None = None
    worker: str | None = None
    deliveries: int = 0
    repeatable: bool = True


@dataclass(slots=True)
class Worker:
    """A process that takes jobs.

    id: its own, never used twice; begins with the name. name: what a person calls it; a restarted worker has it
    again. host, pid, process: which process it is; `process` tells it from others with the same pid. seen: when
    it last said that it works.
    """

    id: str
    name: str
    host: str
    pid: int
    process: str
    started: int
    seen: int


class Timer(NamedTuple):
    execution: int
    frame: int
    seq: int
    kind: TimerKind
    due: int


class Waking(NamedTuple):
    """Frames that a later tick steps: READY, with this event, and waiting for nothing any more."""

    frames: list[int]
    wake: Json


class HistoryEvent(NamedTuple):
    """One audit line. `number` counts from 1 in its execution; `previous` is AWS's previousEventId.

    `detail` holds JSON values (AWS's own form, with payloads as text, is made when it is read).
    """

    execution: int
    number: int
    previous: int
    frame: int
    at: int
    type: str
    detail: dict[str, Json]


#: The lease of a job whose handler handed the work over: nobody runs it, a callback with its token ends it.
HANDED_OVER = 2**62


class FrameSeq(NamedTuple):
    frame: int
    seq: int


class Transaction(Protocol):
    """A writing transaction: sees a consistent state that nobody else changes until it ends.

    `only` limits a question to one execution and those below it, its tree (for `sm run`, a worker for its own).
    """

    def reserve(self, table: Reserved, count: int) -> int:
        """The first of `count` consecutive unused ids."""

    def definition(self, digest: str) -> Definition | None: ...

    def newest(self, name: str) -> Definition | None:
        """The newest definition of a workflow of this name."""

    def executions(self, ids: list[int]) -> dict[int, Execution]: ...

    def refs(self, ids: Collection[int]) -> dict[int, str]:
        """The public ids of these executions."""

    def execution_named(self, workflow: str, name: str) -> Execution | None: ...

    def frames(self, ids: list[int]) -> dict[int, Frame]: ...

    def ready_frames(self, limit: int, only: int | None = None) -> list[Frame]:
        """Oldest id first."""

    def pending_children(self, parent: int, activation: int, from_index: int, limit: int) -> list[Frame]:
        """PENDING children with index >= `from_index`, lowest index first."""

    def root(self, execution: int) -> Frame:
        """The execution's root frame, open or closed."""

    def roots(self, executions: Collection[int]) -> list[Frame]:
        """The root frames of these executions."""

    def pending_executions(self, frame: int, activation: int, from_index: int, limit: int) -> list[Execution]:
        """PENDING ones that this fork made, with index >= `from_index`, lowest index first."""

    def open_executions(self, frame: int) -> list[Execution]:
        """RUNNING and PENDING ones whose parent is this frame, lowest index first."""

    def failed_executions(self, frame: int, activation: int) -> list[Execution]:
        """Those of this fork that are closed and not SUCCEEDED, lowest index first."""

    def executions_outputs(self, frame: int, activation: int) -> list[tuple[int, Json]]:
        """(index, output) of those of this fork that SUCCEEDED, lowest index first."""

    def map_run(self, frame: int, activation: int) -> MapRun | None: ...

    def children(self, parent: int, activation: int) -> list[Frame]:
        """All children of this fork, open and closed, lowest index first."""

    def outputs(self, parent: int, activation: int) -> list[tuple[int, Json]]:
        """(index, output) of the children that SUCCEEDED, lowest index first."""

    def descendants(self, frame: int) -> list[Frame]:
        """All frames below this one that are not closed, at any depth, lowest id first."""

    def open_frames(self, execution: int) -> list[Frame]: ...

    def due_timers(self, now: int, limit: int, only: int | None = None, worker: str | None = None) -> list[Timer]:
        """Due at or before `now`, earliest first. With `worker`, without those of jobs that another one has
        leased: whoever has the lease decides whether its task is late."""

    def overdue(self, now: int, limit: int, only: int | None = None) -> list[Execution]:
        """RUNNING executions whose deadline is at or before `now`."""

    def claimable(
        self, now: int, limit: int, *, only: int | None = None, resources: frozenset[str] | None = None,
        queue: str | None = None,
    ) -> list[Job]:  # fmt: skip
        """Jobs that nobody has and that are available at `now`. Highest priority first, then lowest id.
        `resources`, when given, are the handler names that the caller can run. Reading them leases nothing: put
        them in `Changes.leased`."""

    def queues(self) -> list[str]:
        """The names of the queues with jobs that nobody has, in order."""

    def waiting_resources(self) -> list[str]:
        """The names of the resources of jobs that nobody has, available or not, in order."""

    def lost(self, now: int, limit: int, only: int | None = None) -> list[Job]:
        """Jobs whose lease ran out at or before `now`, earliest first."""

    def held(self, worker: str) -> list[Job]:
        """Jobs leased to this worker, whether or not the lease ran out; lowest id first."""

    def leases(self, worker: str, jobs: Collection[int]) -> set[int]:
        """Those of these jobs that are there and leased to this worker."""

    def workers(self) -> list[Worker]:
        """All that are written down, oldest first."""

    def jobs(self, ids: list[int]) -> dict[int, Job]: ...

    def buffered_message(
        self, key: str, value: str, now: int, skip: Collection[int] = (), *, kind: str | None = None,
        execution: int | None = None,
    ) -> StoredMessage | None:  # fmt: skip
        """The oldest buffered message with this key and value that has not expired at `now` (`expires` > now)
        and whose id is not in `skip`: what this tick consumed already. A strict one only for its own `kind`, one
        for a single execution only for that `execution`."""

    def message(self, id: int) -> StoredMessage | None: ...

    def message_sent(self, key: str, value: str, message_id: str) -> StoredMessage | None:
        """The newest message with this key, value and sender's id, of any status: how a repeat is known."""

    def subscriptions(
        self, key: str, value: str, *, kind: str | None = None, limit: int | None = None
    ) -> list[Subscription]:
        """Open ones, oldest first."""

    def subscriptions_of(self, execution: int) -> list[Subscription]: ...

    def near_subscriptions(self, key: str, folded: str, limit: int) -> list[Subscription]:
        """Open ones whose value is the same when folded (`jsonvalue.folded_text`); any of them, at most `limit`."""

    def near_messages(self, key: str, folded: str, limit: int) -> list[StoredMessage]:
        """Of any status, newest first; `folded` as above."""

    def past_waits(self, key: str, folded: str, limit: int) -> list[PastWait]:
        """Newest first; `folded` as above."""

    def stale(self, now: int, limit: int) -> Stale:
        """At most `limit` of each. A message that READY frames may still need is not among them."""

    def apply(self, changes: Changes) -> list[HistoryEvent]:
        """Returns the events whose JSON text turned out to be long (`rows.HISTORY_ROW`); none when there is no text."""


class ExecutionFilter(NamedTuple):
    """`before_id` is the keyset cursor: the smallest id of the page before. None means no limit on that field.
    Children of map runs are only listed when `run` asks for those of one, with the `status` at most."""

    status: Status | None = None
    workflow: str | None = None
    since: int | None = None
    until: int | None = None
    name_contains: str | None = None
    before_id: int | None = None
    limit: int = 50
    run: int | None = None


class Store(Protocol):
    """`write` for a tick; everything else is a short read of its own.

    `commits` counts the transactions committed through this object.
    """

    commits: int

    def write(self) -> AbstractContextManager[Transaction]: ...

    def changed(self) -> bool:
        """Whether another connection has committed since the last call."""

    def next_due(self, only: int | None = None, worker: str | None = None) -> int | None:
        """When time alone next gives something to do: the earliest timer, deadline or end of a lease. With
        `worker`, without the timers of jobs that another one has leased."""

    def has_ready(self, only: int | None = None) -> bool: ...

    def has_free(
        self, now: int, resources: frozenset[str], *, only: int | None = None, queues: frozenset[str] | None = None
    ) -> bool:
        """Whether a job for one of these handlers, in one of these queues, is claimable."""

    def waiting_resources(self) -> list[str]:
        """As in a Transaction."""

    def leases(self, worker: str, jobs: Collection[int]) -> set[int]:
        """As in a Transaction."""

    def workers(self) -> list[Worker]:
        """As in a Transaction."""

    def definition(self, digest: str) -> Definition | None: ...

    def workflows(self) -> list[Definition]:
        """The newest definition of each workflow name."""

    def execution(self, id: int) -> Execution | None: ...

    def find(self, text: str, limit: int = 10) -> list[Execution]:
        """Executions that this text may name: the exact ref, else the exact name (newest first), else refs
        that begin with it (newest first)."""

    def latest(self) -> Execution | None:
        """The newest one that no other execution started."""

    def list_executions(self, filter: ExecutionFilter) -> list[Execution]:
        """Newest first, without input and output (both None)."""

    def open_executions(self, frame: int) -> list[Execution]:
        """As in a Transaction."""

    def map_runs(self, execution: int | None = None, limit: int = 50) -> list[MapRun]:
        """Of one execution, or of all; newest first. An open one's `join` is its frame's, as it is now."""

    def find_map_run(self, ref: str) -> list[MapRun]:
        """The map run with this ref, else those whose ref begins with it."""

    def run_results(self, run: int, after: int, limit: int) -> list[Execution]:
        """A map run's children with index > `after`, whole, lowest index first."""

    def history(self, execution: int, after: int = 0, limit: int | None = None) -> list[HistoryEvent]:
        """Events with number > after, in order."""

    def frames_of(self, execution: int) -> list[Frame]:
        """Open frames, lowest id first."""

    def jobs_of(self, execution: int) -> list[Job]: ...

    def handed_over(self, limit: int = 50) -> list[Job]:
        """Jobs that wait for a callback, lowest id first."""

    def secret(self) -> bytes:
        """The key that task tokens are signed with: 32 bytes, made once, kept beside the database."""

    def beacons(self) -> Beacons | None:
        """Where a worker shows that it is alive, closed with the store; None where no other process sees it."""

    def timers_of(self, execution: int) -> list[Timer]: ...

    def subscriptions_of(self, execution: int) -> list[Subscription]: ...

    def open_waits(self, filter: WaitFilter) -> list[OpenWait]:
        """About oldest first: by frame, with a value by age, with a workflow by execution."""

    def message(self, id: int) -> StoredMessage | None: ...

    def messages_named(self, message_id: str, limit: int = 10) -> list[StoredMessage]:
        """Those with this sender's id, newest first, under any key."""

    def list_messages(self, filter: MessageFilter) -> list[StoredMessage]:
        """Newest first, without bodies (all None)."""

    def near_messages(self, key: str, folded: str, limit: int) -> list[StoredMessage]:
        """As in a Transaction."""

    def refs(self, ids: Collection[int]) -> dict[int, str]: ...

    def close(self) -> None: ...
