"""The store's protocol, in the domain's words; SQLite, memory and later Postgres keep the same contract.

Rule: a writing transaction reads first and writes once. Everything a tick decides is gathered in one
Changes and handed to `Transaction.apply`; leaving the `with` block commits it, an exception loses all of it.
Times are integer microseconds since 1970 UTC. JSON values are handed over as values, not as text.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, NamedTuple, Protocol

from sm_cli.interpreter.frame import Frame
from sm_cli.interpreter.timers import TimerKind
from sm_cli.jsonvalue import Json
from sm_cli.store.messages import (
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
from sm_cli.store.records import (
    HANDED_OVER,
    Definition,
    Execution,
    FrameSeq,
    HistoryEvent,
    Job,
    MapRun,
    Parent,
    Reserved,
    Status,
    Timer,
    Waking,
    WorkerRecord,
)

if TYPE_CHECKING:
    from sm_cli.store.changes import Changes
    from sm_cli.store.liveness import Liveness

__all__ = [
    "HANDED_OVER", "Consumed", "Definition", "Execution", "ExecutionFilter", "FrameSeq", "HistoryEvent", "Job",
    "MapRun", "MessageFilter", "MessageStatus", "OpenWait", "Parent", "PastWait", "Reserved", "Stale", "Status",
    "Store", "StoredMessage", "Subscription", "Timer", "TimerKind", "Transaction", "WaitEnd", "WaitFilter", "Waking",
    "WorkerRecord",
]  # fmt: skip


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

    def workers(self) -> list[WorkerRecord]:
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

    def workers(self) -> list[WorkerRecord]:
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

    def beacons(self) -> Liveness | None:
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
