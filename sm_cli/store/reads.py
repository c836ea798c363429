"""The questions that may be asked of a database, inside a writing transaction or outside.

Rule: nothing here writes. What a question means stands in `base`; how it is asked stands in `sql/`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import orjson

from sm_cli.interpreter.frame import Frame
from sm_cli.jsonvalue import Json
from sm_cli.store import rows
from sm_cli.store.base import (
    Definition,
    Execution,
    ExecutionFilter,
    HistoryEvent,
    Job,
    StoredMessage,
    Subscription,
    Timer,
)
from sm_cli.store.session import Parameters, Session

_BEYOND = 2**63 - 1


class Reads:
    def __init__(self, session: Session, value: rows.Decode) -> None:
        self.session = session
        self.value = value

    def definition(self, digest: str) -> Definition | None:
        row = self.session.one("definition", (digest,))
        return None if row is None else rows.definition(row)

    def workflows(self) -> list[Definition]:
        return [rows.definition(row) for row in self.session.all("workflows")]

    # Executions

    def execution(self, id: int) -> Execution | None:
        return next(iter(self._executions("execution", (id,))), None)

    def executions(self, ids: list[int]) -> dict[int, Execution]:
        if not ids:
            return {}
        return {e.id: e for e in self._executions("executions", (_ids(ids),))}

    def execution_named(self, workflow: str, name: str) -> Execution | None:
        return next(iter(self._executions("execution_named", (name, workflow))), None)

    def overdue(self, now: int, limit: int, only: int | None = None) -> list[Execution]:
        if only is None:
            return self._executions("overdue", (now, limit))
        return self._executions("overdue_one", (now, only))[:limit]

    def find(self, text: str, limit: int = 10) -> list[Execution]:
        return (
            self._executions("execution_by_ref", (text,))[:limit]
            or self._executions("executions_by_name", (text, limit))
            or self._executions("executions_by_prefix", (text, f"{text}\U0010ffff", limit))
        )

    def latest(self) -> Execution | None:
        return next(iter(self._executions("latest_execution", ())), None)

    def list_executions(self, filter: ExecutionFilter) -> list[Execution]:
        wanted: dict[str, object] = {
            "before": _BEYOND if filter.before_id is None else filter.before_id,
            "since": filter.since,
            "until": filter.until,
            "name": None if filter.name_contains is None else _containing(filter.name_contains),
            "limit": filter.limit,
        }
        if filter.status is not None:
            wanted |= {"status": filter.status.value, "workflow": filter.workflow}
            return self._executions("list_executions_by_status", wanted)
        if filter.workflow is not None:
            return self._executions("list_executions_by_workflow", wanted | {"workflow": filter.workflow})
        return self._executions("list_executions", wanted)

    def history(self, execution: int, after: int = 0, limit: int | None = None) -> list[HistoryEvent]:
        # The first row may end before `after`; every other one has an event to give.
        enough = -1 if limit is None else limit + 1
        found = self.session.all("history", {"execution": execution, "first": after + 1, "limit": enough})
        return rows.history_events(execution, found, after, limit)

    # Frames

    def frames(self, ids: list[int]) -> dict[int, Frame]:
        if not ids:
            return {}
        return {f.id: f for f in self._frames("frames", (_ids(ids),))}

    def ready_frames(self, limit: int, only: int | None = None) -> list[Frame]:
        if only is None:
            return self._frames("ready_frames", (limit,))
        return self._frames("ready_frames_of_execution", (only, limit))

    def has_ready(self, only: int | None = None) -> bool:
        if only is None:
            return self.session.one("has_ready") is not None
        return self.session.one("has_ready_of_execution", (only,)) is not None

    def pending_children(self, parent: int, activation: int, from_index: int, limit: int) -> list[Frame]:
        return self._frames("pending_children", (parent, activation, from_index, limit))

    def outputs(self, parent: int, activation: int) -> list[tuple[int, Json]]:
        return [(index, self.value(text)) for index, text in self.session.all("outputs", (parent, activation))]

    def descendants(self, frame: int) -> list[Frame]:
        return self._frames("descendants", (frame,))

    def open_frames(self, execution: int) -> list[Frame]:
        return self._frames("open_frames", (execution,))

    # Jobs

    def jobs(self, ids: list[int]) -> dict[int, Job]:
        if not ids:
            return {}
        return {j.id: j for j in self._jobs("jobs", (_ids(ids),))}

    def jobs_of(self, execution: int) -> list[Job]:
        return self._jobs("jobs_of_execution", (execution,))

    def claimable(
        self, now: int, limit: int, *, only: int | None = None, worker: str | None = None,
        resources: frozenset[str] | None = None, queue: str | None = None,
    ) -> list[Job]:  # fmt: skip
        wanted: dict[str, object] = {
            "now": now, "limit": limit, "only": only, "worker": worker, "queue": queue,
            "resources": None if resources is None else orjson.dumps(sorted(resources)).decode(),
        }  # fmt: skip
        if only is not None:
            found = self._jobs("free_jobs_of_execution", wanted)
        else:
            found = self._jobs("free_jobs" if queue is None else "free_jobs_in_queue", wanted)
        leased = self._jobs("lost_jobs", wanted)
        if worker is not None:
            leased += self._jobs("own_jobs", wanted)
        if leased:
            once = {job.id: job for job in found + leased}
            found = sorted(once.values(), key=lambda job: (-job.priority, job.id))[:limit]
        return found

    # Timers, subscriptions, messages

    def due_timers(self, now: int, limit: int, only: int | None = None) -> list[Timer]:
        if only is None:
            return self._timers("due_timers", (now, limit))
        return self._timers("due_timers_of_execution", (only, now, limit))

    def timers_of(self, execution: int) -> list[Timer]:
        return self._timers("timers_of_execution", (execution,))

    def next_due(self, only: int | None = None) -> int | None:
        if only is None:
            found = [self.session.one(name) for name in ("first_due", "first_deadline", "first_lease_end")]
        else:
            of_execution = ("first_due_of_execution", "deadline_of", "first_lease_end_of_execution")
            found = [self.session.one(name, (only,)) for name in of_execution]
        return min((row[0] for row in found if row is not None and row[0] is not None), default=None)

    def subscriptions(self, key: str, value: str) -> list[Subscription]:
        return [rows.subscription(row) for row in self.session.all("subscriptions", (key, value))]

    def subscriptions_of(self, execution: int) -> list[Subscription]:
        return [rows.subscription(row) for row in self.session.all("subscriptions_of_execution", (execution,))]

    def buffered_message(self, key: str, value: str, now: int, skip: Collection[int] = ()) -> StoredMessage | None:
        row = self.session.one("buffered_message", (key, value, now, _ids(skip)))
        return None if row is None else rows.message(row)

    def message_sent(self, key: str, value: str, message_id: str) -> StoredMessage | None:
        row = self.session.one("message_sent", (key, value, message_id))
        return None if row is None else rows.message(row)

    # Rows to values; a transaction overrides the first two to remember what it read.

    def _executions(self, name: str, parameters: Parameters) -> list[Execution]:
        return [rows.execution(row, self.value) for row in self.session.all(name, parameters)]

    def _frames(self, name: str, parameters: Parameters) -> list[Frame]:
        return [rows.frame(row, self.value) for row in self.session.all(name, parameters)]

    def _jobs(self, name: str, parameters: Parameters) -> list[Job]:
        return [rows.job(row, self.value) for row in self.session.all(name, parameters)]

    def _timers(self, name: str, parameters: Parameters) -> list[Timer]:
        return [rows.timer(row) for row in self.session.all(name, parameters)]


def _ids(ids: Iterable[int]) -> str:
    return orjson.dumps(list(ids)).decode()


def _containing(text: str) -> str:
    for special in "\\%_":
        text = text.replace(special, f"\\{special}")
    return f"%{text}%"
