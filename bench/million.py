"""A database of many executions, inserted in bulk: what a year of use leaves, in a minute."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sm_cli.engine.clock import make_ref
from sm_cli.store.records import Execution, Status
from sm_cli.store.sql import rows
from sm_cli.store.sql.queries import query_text
from sm_cli.store.sql.rows import tag_rows
from sm_cli.store.sqlite.database import SqliteStore

#: 2026-06-01T00:00:00Z in microseconds, and a day.
END, DAY = 1_780_272_000_000_000, 86_400_000_000
WORKFLOWS = ("order", "payment", "refund", "shipment", "invoice", "nightly-report", "import", "export")
ERRORS = ("States.Timeout", "PaymentDeclined", "OutOfStock", "States.TaskFailed")
PORTION = 20_000


def build(path: Path, count: int, span: int = 30 * DAY, seed: int = 7) -> None:
    """Make a database with so many executions, started evenly over `span` microseconds up to END: 94 % succeeded, 4 %
    failed, 1 % timed out or aborted, 1 % running. Each has the tag `team`, one of ten, and one in 10,000 has `rare`.
    Closed ones were in three states, one of a hundred in a fourth."""
    SqliteStore(path, sync="normal").close()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous=OFF")
    chance = random.Random(seed)
    for first in range(1, count + 1, PORTION):
        portion = [*_executions(first, min(PORTION, count + 1 - first), count, span, chance)]
        connection.execute("BEGIN")
        connection.executemany(query_text("insert_execution"), map(rows.execution_row, portion))
        connection.executemany(query_text("insert_execution_data"), [(e.id, None, '{"n":1}') for e in portion])
        tags = [tag for e in portion for tag in tag_rows(e)]
        connection.executemany(query_text("insert_tag"), tags)
        connection.execute("COMMIT")
    connection.execute(query_text("set_next_id"), (count + 1, "executions"))
    _visit_states(connection)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _executions(first: int, number: int, count: int, span: int, chance: random.Random) -> Iterator[Execution]:
    for id in range(first, first + number):
        started = END - span + span * id // count
        ref = make_ref(started // 1000, chance.getrandbits(80))
        more: dict[str, Any] = {"tags": {"team": f"t{chance.randrange(10)}"}}
        if id % 10_000 == 0:
            more["tags"]["rare"] = "yes"
        status = _status(chance.random())
        if status is not Status.RUNNING:
            more["closed"] = started + round(chance.lognormvariate(0, 1.5) * 1_000_000)
        if status is Status.FAILED:
            more |= {"error": chance.choice(ERRORS), "cause": "it did not work"}
        elif status is Status.TIMED_OUT:
            more["error"] = "States.Timeout"
        workflow = WORKFLOWS[min(int(chance.expovariate(0.5)), len(WORKFLOWS) - 1)]
        yield Execution(
            id, ref, f"{workflow}-{id}", workflow, f"{workflow:0<64}", "STANDARD", status, started, None, **more
        )


#: What every closed execution was in; one of a hundred was in the last of them.
STATES = ("Check", "Charge", "Ship", "Apologize")


def _visit_states(connection: sqlite3.Connection) -> None:
    """Three states for each closed execution, and a fourth for one of a hundred, a third of its time in each."""
    connection.execute("BEGIN")
    for name in STATES:
        connection.execute(
            "INSERT INTO states (name, workflow, digest) SELECT DISTINCT ?, workflow, digest FROM executions", (name,)
        )
        connection.execute(
            "INSERT INTO state_times (state, started, execution, visits, failures, retries, duration, longest, working)"
            " SELECT s.id, e.started, e.id, 1, e.error IS NOT NULL, e.id % 50 = 0, d, d, d / 2"
            " FROM (SELECT id, started, workflow, digest, error, (closed - started) / 3 AS d FROM executions) e"
            " CROSS JOIN states s ON s.name = ?1 AND s.workflow = e.workflow AND s.digest = e.digest"
            " WHERE d IS NOT NULL AND (?1 <> ?2 OR e.id % 100 = 0) ORDER BY 1, 2, 3",
            (name, STATES[-1]),
        )
    connection.execute("COMMIT")


def _status(drawn: float) -> Status:
    if drawn < 0.94:
        return Status.SUCCEEDED
    if drawn < 0.98:
        return Status.FAILED
    return Status.RUNNING if drawn < 0.99 else Status.TIMED_OUT if drawn < 0.995 else Status.ABORTED
