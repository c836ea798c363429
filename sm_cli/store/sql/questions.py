"""The questions that may be asked of a database, inside a writing transaction or outside.

Rule: nothing here writes. What a question means stands in `base`; how it is asked stands in `sql/`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import orjson

from sm_cli.interpreter.frame import Frame
from sm_cli.jsonvalue import Json, folded_text
from sm_cli.store.messages import (
    WAITS_KEPT,
    MessageFilter,
    OpenWait,
    PastWait,
    Stale,
    StoredMessage,
    Subscription,
    WaitFilter,
)
from sm_cli.store.protocol import (
    HANDED_OVER,
    Definition,
    Execution,
    ExecutionFilter,
    HistoryEvent,
    Job,
    MapRun,
    Timer,
    WorkerRecord,
)
from sm_cli.store.sql import rows
from sm_cli.store.sql.session import Parameters, Session

_BEYOND = 2**63 - 1


class Reads:
    def __init__(self, session: Session, value: rows.Decode) -> None:
        self.session = session
        self.value = value

    def definition(self, digest: str) -> Definition | None:
        row = self.session.one("definition", (digest,))
        return None if row is None else rows.definition(row)

    def newest(self, name: str) -> Definition | None:
        row = self.session.one("newest_definition", (name,))
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

    def refs(self, ids: Collection[int]) -> dict[int, str]:
        return dict(self.session.all("refs", (_ids(ids),))) if ids else {}

    def execution_named(self, workflow: str, name: str) -> Execution | None:
        return next(iter(self._executions("execution_named", (name, workflow))), None)

    def overdue(self, now: int, limit: int, only: int | None = None) -> list[Execution]:
        if only is None:
            return self._executions("overdue", (now, limit))
        return self._executions("overdue_in_tree", (only, now, limit))

    def pending_executions(self, frame: int, activation: int, from_index: int, limit: int) -> list[Execution]:
        return self._executions("pending_executions", (frame, activation, from_index, limit))

    def open_executions(self, frame: int) -> list[Execution]:
        return self._executions("open_executions", (frame,))

    def failed_executions(self, frame: int, activation: int) -> list[Execution]:
        return self._executions("failed_executions", (frame, activation))

    def executions_outputs(self, frame: int, activation: int) -> list[tuple[int, Json]]:
        return [(i, self.value(text)) for i, text in self.session.all("executions_outputs", (frame, activation))]

    def run_results(self, run: int, after: int, limit: int) -> list[Execution]:
        return self._executions("run_results", (run, after, limit))

    def map_run(self, frame: int, activation: int) -> MapRun | None:
        row = self.session.one("map_run", (frame, activation))
        return None if row is None else rows.map_run(row)

    def map_runs(self, execution: int | None = None, limit: int = 50) -> list[MapRun]:
        if execution is None:
            return [rows.map_run(row) for row in self.session.all("map_runs", (_BEYOND, limit))]
        return [rows.map_run(row) for row in self.session.all("map_runs_of_execution", (execution, limit))]

    def find_map_run(self, ref: str) -> list[MapRun]:
        found = self.session.all("map_runs_by_ref", (ref,))
        found = found or self.session.all("map_runs_by_prefix", (ref, f"{ref}\U0010ffff", 10))
        return [rows.map_run(row) for row in found]

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
        if filter.run is not None:
            status = None if filter.status is None else filter.status.value
            return self._executions("list_executions_of_run", wanted | {"run": filter.run, "status": status})
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
        return self._frames("ready_frames_in_tree", (only, limit))

    def has_ready(self, only: int | None = None) -> bool:
        if only is None:
            return self.session.one("has_ready") is not None
        return self.session.one("has_ready_in_tree", (only,)) is not None

    def pending_children(self, parent: int, activation: int, from_index: int, limit: int) -> list[Frame]:
        return self._frames("pending_children", (parent, activation, from_index, limit))

    def root(self, execution: int) -> Frame:
        return self._frames("root_frame", (execution,))[0]

    def roots(self, executions: Collection[int]) -> list[Frame]:
        return self._frames("root_frames", (_ids(executions),)) if executions else []

    def children(self, parent: int, activation: int) -> list[Frame]:
        return self._frames("children", (parent, activation))

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

    def handed_over(self, limit: int = 50) -> list[Job]:
        return self._jobs("handed_over", (HANDED_OVER, limit))

    def jobs_of(self, execution: int) -> list[Job]:
        return self._jobs("jobs_of_execution", (execution,))

    def claimable(
        self, now: int, limit: int, *, only: int | None = None, resources: frozenset[str] | None = None,
        queue: str | None = None,
    ) -> list[Job]:  # fmt: skip
        wanted = {"now": now, "limit": limit, "only": only, "queue": queue, "resources": _names(resources)}
        if only is not None:
            return self._jobs("free_jobs_in_tree", wanted)
        return self._jobs("free_jobs" if queue is None else "free_jobs_in_queue", wanted)

    def has_free(
        self, now: int, resources: frozenset[str], *, only: int | None = None, queues: frozenset[str] | None = None
    ) -> bool:
        wanted = {"now": now, "only": only, "resources": _names(resources), "queues": _names(queues)}
        return self.session.one("has_free" if only is None else "has_free_in_tree", wanted) is not None

    def queues(self) -> list[str]:
        return [name for (name,) in self.session.all("queues")]

    def waiting_resources(self) -> list[str]:
        return [name for (name,) in self.session.all("waiting_resources")]

    def lost(self, now: int, limit: int, only: int | None = None) -> list[Job]:
        if only is None:
            return self._jobs("lost_jobs", (now, limit))
        return self._jobs("lost_jobs_in_tree", (now, only, limit))

    def held(self, worker: str) -> list[Job]:
        return self._jobs("held_jobs", (HANDED_OVER, worker))

    def leases(self, worker: str, jobs: Collection[int]) -> set[int]:
        return {id for (id,) in self.session.all("leases", (_ids(jobs), worker))}

    def workers(self) -> list[WorkerRecord]:
        return [WorkerRecord(*row) for row in self.session.all("workers")]

    # Timers, subscriptions, messages

    def due_timers(self, now: int, limit: int, only: int | None = None, worker: str | None = None) -> list[Timer]:
        wanted = {"now": now, "limit": limit, "only": only, "worker": worker}
        return self._timers("due_timers" if only is None else "due_timers_in_tree", wanted)

    def timers_of(self, execution: int) -> list[Timer]:
        return self._timers("timers_of_execution", (execution,))

    def next_due(self, only: int | None = None, worker: str | None = None) -> int | None:
        if only is None:
            found = [self.session.one("first_due", {"worker": worker})]
            found += [self.session.one(name) for name in ("first_deadline", "first_lease_end")]
        else:
            found = [self.session.one("first_due_in_tree", {"only": only, "worker": worker})]
            found += [self.session.one(name, (only,)) for name in ("first_deadline_in_tree", "first_lease_end_in_tree")]
        return min((row[0] for row in found if row is not None and row[0] is not None), default=None)

    def subscriptions(
        self, key: str, value: str, *, kind: str | None = None, limit: int | None = None
    ) -> list[Subscription]:
        wanted = (key, value, kind, -1 if limit is None else limit)
        return [rows.subscription(row) for row in self.session.all("subscriptions", wanted)]

    def near_subscriptions(self, key: str, folded: str, limit: int) -> list[Subscription]:
        return [rows.subscription(row) for row in self.session.all("near_subscriptions", (key, folded, limit))]

    def subscriptions_of(self, execution: int) -> list[Subscription]:
        return [rows.subscription(row) for row in self.session.all("subscriptions_of_execution", (execution,))]

    def open_waits(self, filter: WaitFilter) -> list[OpenWait]:
        wanted: dict[str, object] = {"after": filter.after, "limit": filter.limit}
        if filter.workflow is not None:
            name = "open_waits_of_workflow"
            wanted |= {"workflow": filter.workflow, "key": filter.key, "value": filter.value}
        elif filter.key is None:
            name = "open_waits"
        elif filter.value is None:
            name, wanted["key"] = "open_waits_for_key", filter.key
        else:
            name = "open_waits_for_value"
            wanted |= {"key": filter.key, "value": filter.value}
        return [rows.open_wait(row) for row in self.session.all(name, wanted)]

    def past_waits(self, key: str, folded: str, limit: int) -> list[PastWait]:
        return [rows.past_wait(row) for row in self.session.all("past_waits", (key, folded, limit))]

    def buffered_message(
        self, key: str, value: str, now: int, skip: Collection[int] = (), *, kind: str | None = None,
        execution: int | None = None,
    ) -> StoredMessage | None:  # fmt: skip
        wanted = {
            "key": key, "value": value, "now": now, "skip": _ids(skip), "kind": kind, "execution": execution,
        }  # fmt: skip
        return next(iter(self._messages("buffered_message", wanted)), None)

    def message(self, id: int) -> StoredMessage | None:
        return next(iter(self._messages("message", (id,))), None)

    def message_sent(self, key: str, value: str, message_id: str) -> StoredMessage | None:
        return next(iter(self._messages("message_sent", (message_id, key, value))), None)

    def messages_named(self, message_id: str, limit: int = 10) -> list[StoredMessage]:
        return self._messages("messages_named", (message_id, limit))

    def near_messages(self, key: str, folded: str, limit: int) -> list[StoredMessage]:
        return self._messages("near_messages", (key, folded, limit))

    def list_messages(self, filter: MessageFilter) -> list[StoredMessage]:
        wanted: dict[str, object] = {
            "before": _BEYOND if filter.before_id is None else filter.before_id,
            "key": filter.key,
            "value": filter.value,
            "status": None if filter.status is None else filter.status.value,
            "now": filter.now,
            "limit": filter.limit,
        }
        if filter.key is None or filter.value is None:
            return self._messages("list_messages", wanted)
        return self._messages("list_messages_for_value", wanted | {"folded": folded_text(filter.value)})

    def stale(self, now: int, limit: int) -> Stale:
        expired = self.session.all("expiring_messages", (now, limit))
        forgotten = self.session.all("forgotten_messages", (now, limit))
        waits = self.session.all("stale_waits", (now - WAITS_KEPT, limit))
        return Stale([id for (id,) in expired], [id for (id,) in forgotten], [rows.past_wait(row) for row in waits])

    # Rows to values; a transaction overrides the first two to remember what it read.

    def _executions(self, name: str, parameters: Parameters) -> list[Execution]:
        return [rows.execution(row, self.value) for row in self.session.all(name, parameters)]

    def _frames(self, name: str, parameters: Parameters) -> list[Frame]:
        return [rows.frame(row, self.value) for row in self.session.all(name, parameters)]

    def _jobs(self, name: str, parameters: Parameters) -> list[Job]:
        return [rows.job(row, self.value) for row in self.session.all(name, parameters)]

    def _messages(self, name: str, parameters: Parameters) -> list[StoredMessage]:
        return [rows.message(row) for row in self.session.all(name, parameters)]

    def _timers(self, name: str, parameters: Parameters) -> list[Timer]:
        return [rows.timer(row) for row in self.session.all(name, parameters)]


def _ids(ids: Iterable[int]) -> str:
    return orjson.dumps(list(ids)).decode()


def _names(names: Iterable[str] | None) -> str | None:
    return None if names is None else orjson.dumps(sorted(names)).decode()


def _containing(text: str) -> str:
    for special in "\\%_":
        text = text.replace(special, f"\\{special}")
    return f"%{text}%"
