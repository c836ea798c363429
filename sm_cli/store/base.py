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
from typing import Literal, NamedTuple, Protocol, TypeAlias

from sm_cli.interpreter.commands import TimerKind
from sm_cli.interpreter.frame import Frame
from sm_cli.jsonvalue import Json

__all__ = [
    "Changes", "Definition", "Execution", "ExecutionFilter", "FrameSeq", "HistoryEvent", "Job", "MessageStatus",
    "Reserved", "Status", "Store", "StoredMessage", "Subscription", "Timer", "TimerKind", "Transaction",
]  # fmt: skip


class Status(StrEnum):
    """An execution's status; AWS's words."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    ABORTED = "ABORTED"


class MessageStatus(StrEnum):
    BUFFERED = "buffered"
    CONSUMED = "consumed"


#: Tables whose ids the engine reserves before it writes.
Reserved: TypeAlias = Literal["executions", "frames", "jobs", "messages"]


@dataclass(frozen=True, slots=True)
class Definition:
    """A workflow's text, immutable, under the sha256 of its canonical JSON."""

    digest: str
    name: str
    text: str
    format: str
    created: int


@dataclass(slots=True)
class Execution:
    """One run of a definition.

    ref: the public id, sorts by time. name: unique within its workflow. events: how many history events it
    has; the next one's number is one more. deadline: when it times out. error, cause: of a FAILED one.
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


@dataclass(slots=True)
class Job:
    """One leased attempt at a task. `(frame, seq)` is the address its result goes back to.

    resource: the handler's name. input: what the handler gets. attempt: 1 for the first try of this visit.
    timeout, heartbeat: seconds, counted from when it is leased. leased_until: None while nobody has it.
    deliveries: how often it was leased.
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


@dataclass(frozen=True, slots=True)
class Timer:
    execution: int
    frame: int
    seq: int
    kind: TimerKind
    due: int


@dataclass(frozen=True, slots=True)
class Subscription:
    """A Message state that waits. `value` is the correlation value's `jsonvalue.scalar_text`."""

    execution: int
    frame: int
    seq: int
    key: str
    value: str
    since: int
    deadline: int | None = None


@dataclass(frozen=True, slots=True)
class StoredMessage:
    id: int
    key: str
    value: str
    message_id: str | None
    received: int
    expires: int
    status: MessageStatus
    body: Json


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


class FrameSeq(NamedTuple):
    frame: int
    seq: int


@dataclass(slots=True)
class Changes:
    """Everything one tick wants written. Applied whole or not at all.

    A frame or execution in `new_*` is inserted, in `frames`/`executions` updated. `gone` names frames whose
    jobs, timers and subscriptions (of any seq) go away; it is applied before the new ones are inserted, so a
    frame may stand in `gone` and get a new timer in the same tick. `leased` are existing jobs with their new
    lease (worker, leased_until, deliveries); `timers` replace an older one of the same frame and kind.
    """

    new_definitions: list[Definition] = field(default_factory=list)
    new_executions: list[Execution] = field(default_factory=list)
    executions: dict[int, Execution] = field(default_factory=dict)
    new_frames: dict[int, Frame] = field(default_factory=dict)
    frames: dict[int, Frame] = field(default_factory=dict)
    jobs_gone: list[int] = field(default_factory=list)  # frame ids
    timers_gone: list[int] = field(default_factory=list)  # frame ids
    subscriptions_gone: list[int] = field(default_factory=list)  # frame ids
    new_jobs: list[Job] = field(default_factory=list)
    leased: list[Job] = field(default_factory=list)
    timers: list[Timer] = field(default_factory=list)
    new_subscriptions: list[Subscription] = field(default_factory=list)
    new_messages: list[StoredMessage] = field(default_factory=list)
    messages_consumed: list[int] = field(default_factory=list)
    history: list[HistoryEvent] = field(default_factory=list)

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in self.__dataclass_fields__)


class Transaction(Protocol):
    """A writing transaction: sees a consistent state that nobody else changes until it ends.

    `only` limits a question to one execution (for `sm run`, a worker for its own execution).
    """

    def reserve(self, table: Reserved, count: int) -> int:
        """The first of `count` consecutive unused ids."""

    def definition(self, digest: str) -> Definition | None: ...

    def executions(self, ids: list[int]) -> dict[int, Execution]: ...

    def execution_named(self, workflow: str, name: str) -> Execution | None: ...

    def frames(self, ids: list[int]) -> dict[int, Frame]: ...

    def ready_frames(self, limit: int, only: int | None = None) -> list[Frame]:
        """Oldest id first."""

    def pending_children(self, parent: int, activation: int, from_index: int, limit: int) -> list[Frame]:
        """PENDING children with index >= `from_index`, lowest index first."""

    def outputs(self, parent: int, activation: int) -> list[tuple[int, Json]]:
        """(index, output) of the children that SUCCEEDED, lowest index first."""

    def descendants(self, frame: int) -> list[Frame]:
        """All frames below this one that are not closed, at any depth, lowest id first."""

    def open_frames(self, execution: int) -> list[Frame]: ...

    def due_timers(self, now: int, limit: int, only: int | None = None) -> list[Timer]:
        """Due at or before `now`, earliest first."""

    def overdue(self, now: int, limit: int, only: int | None = None) -> list[Execution]:
        """RUNNING executions whose deadline is at or before `now`."""

    def claimable(
        self, now: int, limit: int, *, only: int | None = None, worker: str | None = None,
        resources: frozenset[str] | None = None, queue: str | None = None,
    ) -> list[Job]:  # fmt: skip
        """Jobs that may be leased: free and available, or with a lease that ran out at or before `now`, or (when
        `worker` is named) leased to that worker. Highest priority first, then lowest id. `resources`, when
        given, are the handler names that the caller can run. Reading them leases nothing: put them in
        `Changes.leased`."""

    def jobs(self, ids: list[int]) -> dict[int, Job]: ...

    def buffered_message(self, key: str, value: str, now: int, skip: Collection[int] = ()) -> StoredMessage | None:
        """The oldest buffered message with this key and value that has not expired at `now` (`expires` > now)
        and whose id is not in `skip`: what this tick consumed already."""

    def message_sent(self, key: str, value: str, message_id: str) -> StoredMessage | None:
        """The newest message with this key, value and sender's id, buffered or consumed: how a repeat is known."""

    def subscriptions(self, key: str, value: str) -> list[Subscription]:
        """Open ones, oldest first."""

    def apply(self, changes: Changes) -> None: ...


@dataclass(frozen=True, slots=True)
class ExecutionFilter:
    """`before_id` is the keyset cursor: the smallest id of the page before. None means no limit on that field."""

    status: Status | None = None
    workflow: str | None = None
    since: int | None = None
    until: int | None = None
    name_contains: str | None = None
    before_id: int | None = None
    limit: int = 50


class Store(Protocol):
    """`write` for a tick; everything else is a short read of its own.

    `commits` counts the transactions committed through this object.
    """

    commits: int

    def write(self) -> AbstractContextManager[Transaction]: ...

    def changed(self) -> bool:
        """Whether another connection has committed since the last call."""

    def next_due(self, only: int | None = None) -> int | None:
        """When time alone next gives something to do: the earliest timer, deadline or end of a lease."""

    def has_ready(self, only: int | None = None) -> bool: ...

    def definition(self, digest: str) -> Definition | None: ...

    def workflows(self) -> list[Definition]:
        """The newest definition of each workflow name."""

    def execution(self, id: int) -> Execution | None: ...

    def find(self, text: str, limit: int = 10) -> list[Execution]:
        """Executions that this text may name: the exact ref, else the exact name (newest first), else refs
        that begin with it (newest first)."""

    def latest(self) -> Execution | None: ...

    def list_executions(self, filter: ExecutionFilter) -> list[Execution]:
        """Newest first, without input and output (both None)."""

    def history(self, execution: int, after: int = 0, limit: int | None = None) -> list[HistoryEvent]:
        """Events with number > after, in order."""

    def frames_of(self, execution: int) -> list[Frame]:
        """Open frames, lowest id first."""

    def jobs_of(self, execution: int) -> list[Job]: ...

    def timers_of(self, execution: int) -> list[Timer]: ...

    def subscriptions_of(self, execution: int) -> list[Subscription]: ...

    def close(self) -> None: ...
