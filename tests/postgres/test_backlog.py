"""What a worker asks before each step costs no more with a backlog, whatever the server has last counted of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import psycopg
import pytest
from psycopg import sql

from sm_cli.engine.engine import Engine
from sm_cli.engine.stepping.tick import Tick
from sm_cli.handlers.handler import Handler
from sm_cli.store.open import open_store
from sm_cli.store.postgres import dialect
from sm_cli.store.postgres.writing.claims import claim_of
from sm_cli.store.sql.parameters import name_list
from sm_cli.worker.worker import Worker
from tests.engine.workers import one_task
from tests.postgres.server import own_schema

WAITING, OTHERS, TIMERS = 5_000, 10, 2_000
_JOBS = """
INSERT INTO jobs (id, execution, tree, frame, seq, state, resource, input, attempt, queue, priority, available,
    deliveries, repeatable)
SELECT i, i, i, i, 1, 'T', 'work', 'null', 1, CASE WHEN i <= %s THEN 'critical' ELSE 'default' END, 0, 0, 0, 1
FROM generate_series(1, %s) AS i
"""
_TIMERS = """
INSERT INTO timers (execution, tree, frame, seq, kind, due)
SELECT 100000 + i, 100000 + i, 100000 + i, 1, 'delay', 9000000 + i FROM generate_series(1, %s) AS i
"""


def fill(connection: psycopg.Connection) -> None:
    connection.execute(_JOBS, (OTHERS, WAITING))
    connection.execute(_TIMERS, (TIMERS,))


@pytest.fixture(scope="module", params=["not counted", "counted", "counted when it was empty", "emptied"])
def connection(request: pytest.FixtureRequest) -> Iterator[psycopg.Connection]:
    """A database with a backlog, and what the server knows of it."""
    with own_schema() as url, closing(open_store(url)) as store, store.read() as questions:
        connection = questions.session.connection
        connection.execute("END")
        connection.execute("ALTER TABLE jobs SET (autovacuum_enabled = off)")
        connection.execute("ALTER TABLE timers SET (autovacuum_enabled = off)")
        if request.param == "counted when it was empty":
            connection.execute("VACUUM ANALYZE jobs, timers")
        if request.param == "emptied":  # its pages are there, and however many they are, it is taken for empty
            fill(connection)
            connection.execute("DELETE FROM jobs")
            connection.execute("DELETE FROM timers")
            connection.execute("VACUUM (ANALYZE, TRUNCATE off) jobs, timers")
        fill(connection)
        if request.param == "counted":
            connection.execute("VACUUM ANALYZE jobs, timers")
        yield connection


def rows_read(node: dict[str, Any]) -> int:
    """How many rows a plan and all below it have looked at in tables."""
    own = 0
    if "Relation Name" in node:
        own = round((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])
    return own + sum(map(rows_read, node.get("Plans", [])))


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize("queues", [None, ["default"], ["critical"], ["another"]])
@pytest.mark.parametrize("name", ["has_free", "outlook_with_jobs"])
def test_a_look_reads_a_few_rows_of_a_backlog(
    connection: psycopg.Connection, name: str, queues: list[str] | None, mode: str
) -> None:
    statement = dialect.statement_of(name)
    served = None if queues is None else name_list(frozenset(queues))
    resources = name_list(frozenset(["work", "others", "nobody"]))
    arguments = statement.arguments(
        {"now": 1, "worker": "w", "resources": resources, "queues": served, "newest": None, "tree": None}
    )
    assert rows_read_by(connection, statement, arguments, mode) <= 20


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
def test_a_claim_reads_a_few_rows_of_a_backlog(connection: psycopg.Connection, mode: str) -> None:
    name = "take_free_in_queue"
    statement = dialect.statement_of(name)
    parameters = {"now": 1, "tree": None, "queue": "default", "resources": name_list(frozenset(["work"]))}
    arguments = statement.arguments(claim_of(name, parameters, 8)[1])
    settings = ("sm.writer", "1"), ("enable_hashjoin", "off"), ("enable_mergejoin", "off")
    assert rows_read_by(connection, statement, arguments, mode, *settings) <= 20


def rows_read_by(
    connection: psycopg.Connection, statement: dialect.Statement, arguments: Sequence[object], mode: str,
    *settings: tuple[str, str],
) -> int:  # fmt: skip
    """How many rows it looks at in tables with this plan_cache_mode and these settings."""
    with connection.transaction():
        for setting in (("plan_cache_mode", mode), *settings):
            connection.execute("SELECT set_config(%s, %s, true)", setting)
        connection.execute(f"PREPARE look AS {statement.text}".encode())
        try:
            values = sql.SQL(", ").join(map(sql.Literal, arguments))
            row = connection.execute(
                sql.SQL("EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE look ({})").format(values)
            ).fetchone()
        finally:
            connection.execute("DEALLOCATE look")
    assert row is not None
    return rows_read(row[0][0]["Plan"])


_READ = """
SELECT relname, seq_tup_read FROM pg_stat_xact_user_tables
WHERE schemaname = current_schema() AND seq_tup_read > 0
    AND relname IN ('executions', 'execution_data', 'frames', 'jobs', 'history')
"""


def test_a_step_reads_no_table_from_its_beginning() -> None:
    """With a table of this size, and no statistics of it, a join would."""
    steps: list[list[tuple[str, int]]] = []  # (table, how many of its rows were read so) of each

    def count(tick: Tick) -> None:
        steps.append(tick.tx.session.connection.execute(_READ).fetchall())

    with own_schema() as url, closing(open_store(url)) as store:
        engine = Engine(store)
        for _ in range(5):
            engine.start_several([engine.new_execution(one_task()) for _ in range(200)])
        engine.inside = count
        worker = Worker(engine, {"work": Handler("work", lambda input: input)}, concurrency=8)
        try:
            worker.run(lambda: len(steps) >= 20)
            engine.inside = None
            worker.let_go()
        finally:
            worker.pool.close()
    assert [tables for tables in steps if tables] == []
