"""Queues and workers as front ends show them: what waits where, and who is there for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from sm_cli.interpreter.timers import TimerKind
from sm_cli.jsonvalue import Json
from sm_cli.timestamps import MICROSECONDS, rfc3339
from sm_cli.views.why import working
from sm_cli.worker.membership import is_alive, is_dead

if TYPE_CHECKING:
    from sm_cli.engine.engine import Engine
    from sm_cli.store.records import WorkerRecord
    from sm_cli.store.sql.questions import Questions

#: What tasks did in so many microseconds is counted, in at most so many rows of the history, so many at once.
_HOUR, _MOST, _PAGE = 3600 * MICROSECONDS, 100_000, 2000
#: A worker that said nothing for so long is silent: it says something every thirty seconds.
_SILENT = 60 * MICROSECONDS
_DONE = "TaskSucceeded"
_FAILED = frozenset({"TaskFailed", "TaskTimedOut"})


@dataclass(slots=True)
class QueueCounts:
    """One queue, in numbers of tasks."""

    #: Its name.
    name: str
    #: Tasks that any worker may take now.
    pending: int = 0
    #: Tasks that a worker has.
    active: int = 0
    #: Tasks whose handler handed the work over: they wait for a callback.
    callbacks: int = 0
    #: Pauses before a retry.
    retrying: int = 0
    #: What waits for a time: Wait states, and tasks that may not be taken yet.
    on_time: int = 0
    #: Since when the oldest pending one may be taken, microseconds since 1970 UTC; None: there is none.
    oldest: int | None = None
    #: Tasks that succeeded in the last hour.
    successes: int = 0
    #: Tasks that failed or timed out in the last hour, those that are tried again too.
    failures: int = 0


@dataclass(slots=True)
class QueueReport:
    """All queues with work, or with work in the last hour."""

    #: Microseconds since 1970 UTC.
    now: int
    #: Since when successes and failures are counted, microseconds since 1970 UTC: an hour ago, or later when there was
    #: more to count than is looked at.
    since: int
    #: In the order of their names.
    queues: list[QueueCounts] = field(default_factory=list)


def queue_counts(engine: Engine) -> list[QueueCounts]:
    """What stands in which queue now, from one snapshot; nothing of what has ended is counted."""
    counts: dict[str, QueueCounts] = {}
    with engine.store.read() as questions:
        _count_open(questions, engine.clock.now(), counts)
    return sorted(counts.values(), key=lambda queue: queue.name)


def queue_report(engine: Engine) -> QueueReport:
    """What stands in which queue, and what has ended in the last hour, from one snapshot."""
    now = engine.clock.now()
    counts: dict[str, QueueCounts] = {}
    with engine.store.read() as questions:
        _count_open(questions, now, counts)
        since = now - _HOUR
        for name, at, type in _ends(questions, since):
            if at is not None:
                since = at  # no further back than this
                continue
            queue = counts.setdefault(name, QueueCounts(name))
            if type == _DONE:
                queue.successes += 1
            else:
                queue.failures += 1
    return QueueReport(now, since, sorted(counts.values(), key=lambda queue: queue.name))


def _count_open(questions: Questions, now: int, counts: dict[str, QueueCounts]) -> None:
    """Add what has not ended, by queue."""
    for name, pending, later, active, callbacks, oldest in questions.jobs_by_queue(now):
        queue = counts.setdefault(name, QueueCounts(name))
        queue.pending, queue.on_time, queue.active, queue.callbacks = pending, later, active, callbacks
        queue.oldest = oldest
    for name, kind, count in questions.timers_by_queue():
        queue = counts.setdefault(name, QueueCounts(name))
        if kind == TimerKind.BACKOFF:
            queue.retrying = count
        else:
            queue.on_time += count


def _ends(questions: Questions, since: int) -> Any:
    """(queue, None, type) of each task that ended since then, newest first; at last (queue, time, type) of the oldest
    that was looked at, when there are more than are looked at."""
    place: int | None = None
    for _ in range(0, _MOST, _PAGE):
        rows = questions.newest_history(place, _PAGE)
        if not rows:
            return
        for _, queue, text in rows:
            at = since
            if _DONE in text or "TaskFailed" in text or "TaskTimedOut" in text:
                for _, _, at, type, *_ in orjson.loads(text):
                    if at >= since and (type == _DONE or type in _FAILED):
                        yield queue, None, type
        place, oldest = rows[-1][0], orjson.loads(rows[-1][2])[0][2]
        if oldest < since:
            return
    yield "", oldest, ""


def queue_document(report: QueueReport, queue: QueueCounts) -> dict[str, Json]:
    """One queue as a JSON object; `oldest_age` is in seconds, null when nothing is pending."""
    age = None if queue.oldest is None else max(0, report.now - queue.oldest) / MICROSECONDS
    return {
        "queue": queue.name,
        "pending": queue.pending,
        "active": queue.active,
        "callbacks": queue.callbacks,
        "retrying": queue.retrying,
        "timed": queue.on_time,
        "oldest_age": age,
        "succeeded": queue.successes,
        "failed": queue.failures,
        "counted_since": rfc3339(report.since),
    }


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """A worker as it is shown."""

    #: As it is written down.
    record: WorkerRecord
    #: running, silent (it has said nothing for a minute) or dead (this machine knows that its process has ended).
    state: str
    #: How many tasks it has.
    jobs: int


def worker_rows(engine: Engine) -> list[WorkerRow]:
    """Every worker that is written down, oldest first; one that ends strikes itself off."""
    now = engine.clock.now()
    liveness = engine.store.liveness()
    with engine.store.read() as questions:
        records, jobs = questions.workers(), questions.jobs_by_worker()
    rows = []
    for record in records:
        is_silent = now - record.seen > _SILENT and not is_alive(record, liveness)
        state = "dead" if is_dead(record, liveness) else "silent" if is_silent else "running"
        rows.append(WorkerRow(record, state, jobs.get(record.id, 0)))
    return rows


def worker_document(row: WorkerRow) -> dict[str, Json]:
    """One worker as a JSON object; `queues` is null for all, `handlers` null when an older sm did not say."""
    record = row.record
    serves: Any = record.serves or {}
    return {
        "name": record.name,
        "id": record.id,
        "status": row.state,
        "host": record.host,
        "pid": record.pid,
        "started": rfc3339(record.started),
        "seen": rfc3339(record.seen),
        "tasks": row.jobs,
        "concurrency": serves.get("concurrency"),
        "queues": serves.get("queues"),
        "handlers": serves.get("handlers"),
        "only_execution": serves.get("tree") is not None,
    }


def known_handlers(engine: Engine) -> frozenset[str] | None:
    """The names of all handlers that the workers have which are there; None when there is none, or one did not say."""
    names: set[str] = set()
    serving = [worker.serves for worker in working(engine)]
    for each in serving:
        handlers = each.get("handlers") if isinstance(each, dict) else None
        if not isinstance(handlers, list):
            return None
        names.update(str(name) for name in handlers)
    return frozenset(names) if serving else None
