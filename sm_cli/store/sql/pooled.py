"""A store's questions outside of transactions: each is asked of a reader that nobody else uses, in one snapshot.

Rule: nothing but handing on; what a question means stands in `base`, how it is asked in `reads`.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from sm_cli.interpreter.frame import Frame
    from sm_cli.store.protocol import (
        Definition,
        Execution,
        ExecutionFilter,
        HistoryEvent,
        Job,
        MapRun,
        MessageFilter,
        OpenWait,
        StoredMessage,
        Subscription,
        Timer,
        WaitFilter,
        WorkerRecord,
    )
    from sm_cli.store.sql.questions import Reads


class PooledReads:
    def _read(self) -> AbstractContextManager[Reads]:
        raise NotImplementedError

    def definition(self, digest: str) -> Definition | None:
        with self._read() as reads:
            return reads.definition(digest)

    def workflows(self) -> list[Definition]:
        with self._read() as reads:
            return reads.workflows()

    def execution(self, id: int) -> Execution | None:
        with self._read() as reads:
            return reads.execution(id)

    def find(self, text: str, limit: int = 10) -> list[Execution]:
        with self._read() as reads:
            return reads.find(text, limit)

    def latest(self) -> Execution | None:
        with self._read() as reads:
            return reads.latest()

    def list_executions(self, filter: ExecutionFilter) -> list[Execution]:
        with self._read() as reads:
            return reads.list_executions(filter)

    def open_executions(self, frame: int) -> list[Execution]:
        with self._read() as reads:
            return reads.open_executions(frame)

    def map_runs(self, execution: int | None = None, limit: int = 50) -> list[MapRun]:
        with self._read() as reads:
            return reads.map_runs(execution, limit)

    def find_map_run(self, ref: str) -> list[MapRun]:
        with self._read() as reads:
            return reads.find_map_run(ref)

    def run_results(self, run: int, after: int, limit: int) -> list[Execution]:
        with self._read() as reads:
            return reads.run_results(run, after, limit)

    def history(self, execution: int, after: int = 0, limit: int | None = None) -> list[HistoryEvent]:
        with self._read() as reads:
            return reads.history(execution, after, limit)

    def frames_of(self, execution: int) -> list[Frame]:
        with self._read() as reads:
            return reads.open_frames(execution)

    def jobs_of(self, execution: int) -> list[Job]:
        with self._read() as reads:
            return reads.jobs_of(execution)

    def handed_over(self, limit: int = 50) -> list[Job]:
        with self._read() as reads:
            return reads.handed_over(limit)

    def timers_of(self, execution: int) -> list[Timer]:
        with self._read() as reads:
            return reads.timers_of(execution)

    def subscriptions_of(self, execution: int) -> list[Subscription]:
        with self._read() as reads:
            return reads.subscriptions_of(execution)

    def open_waits(self, filter: WaitFilter) -> list[OpenWait]:
        with self._read() as reads:
            return reads.open_waits(filter)

    def message(self, id: int) -> StoredMessage | None:
        with self._read() as reads:
            return reads.message(id)

    def messages_named(self, message_id: str, limit: int = 10) -> list[StoredMessage]:
        with self._read() as reads:
            return reads.messages_named(message_id, limit)

    def near_messages(self, key: str, folded: str, limit: int) -> list[StoredMessage]:
        with self._read() as reads:
            return reads.near_messages(key, folded, limit)

    def list_messages(self, filter: MessageFilter) -> list[StoredMessage]:
        with self._read() as reads:
            return reads.list_messages(filter)

    def refs(self, ids: Collection[int]) -> dict[int, str]:
        with self._read() as reads:
            return reads.refs(ids)

    def next_due(self, only: int | None = None, worker: str | None = None) -> int | None:
        with self._read() as reads:
            return reads.next_due(only, worker)

    def has_free(
        self, now: int, resources: frozenset[str], *, only: int | None = None, queues: frozenset[str] | None = None
    ) -> bool:
        with self._read() as reads:
            return reads.has_free(now, resources, only=only, queues=queues)

    def waiting_resources(self) -> list[str]:
        with self._read() as reads:
            return reads.waiting_resources()

    def leases(self, worker: str, jobs: Collection[int]) -> set[int]:
        with self._read() as reads:
            return reads.leases(worker, jobs)

    def workers(self) -> list[WorkerRecord]:
        with self._read() as reads:
            return reads.workers()

    def has_ready(self, only: int | None = None) -> bool:
        with self._read() as reads:
            return reads.has_ready(only)
