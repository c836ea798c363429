"""How often a worker waits for the server: over a network that is what a step costs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import psycopg
import pytest
from psycopg.pq import Trace

from bench.engines import started, tasks_in_a_row
from sm_cli.engine.engine import Engine
from sm_cli.handlers.handler import Handler
from sm_cli.store.postgres.database import PostgresStore
from sm_cli.store.postgres.url import parse_url
from sm_cli.worker.worker import Worker

STEPS = 50
#: Begin and take the tree; write and commit. Beside that, a share of the start and
#: of what is done once a second.
MOST = 3


@pytest.fixture
def traces(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[BinaryIO]]:
    """What connections of stores send (F) and hear (B), a message a line."""
    files: list[BinaryIO] = []
    connect = PostgresStore.connect

    def traced(store: PostgresStore) -> psycopg.Connection:
        connection = connect(store)
        files.append((tmp_path / str(len(files))).open("w+b", buffering=0))
        connection.pgconn.trace(files[-1].fileno())
        connection.pgconn.set_trace_flags(Trace.SUPPRESS_TIMESTAMPS | Trace.REGRESS_MODE)
        return connection

    monkeypatch.setattr(PostgresStore, "connect", traced)
    yield files
    for file in files:
        file.close()


def waits(files: list[BinaryIO]) -> int:
    """How often something was sent, and then an answer waited for."""
    count = 0
    for file in files:
        file.seek(0)
        count += sum(sent.startswith(b"F") and heard.startswith(b"B") for sent, heard in pairwise(file))
    return count


def test_a_step_of_a_lonely_execution_waits_for_the_server_a_few_times(url: str, traces: list[BinaryIO]) -> None:
    with closing(PostgresStore(parse_url(url))) as store:
        worker = Worker(Engine(store), {"echo": Handler("echo", lambda input: input)})
        left: set[int] = set()
        worker.engine.observe(lambda tick: left.difference_update(each.id for each in tick.closed_executions))
        before = 0
        for _ in range(2):  # of the first one all is new
            before = waits(traces)
            left.add(started(worker, tasks_in_a_row(STEPS), None))
            worker.run(lambda: not left)
        worker.pool.close()
        assert STEPS * 2 < waits(traces) - before < STEPS * MOST


def test_what_is_prepared_stays_so_after_transactions_that_are_undone_and_reads(url: str) -> None:
    with closing(PostgresStore(parse_url(url))) as store:
        count = "SELECT count(*) FROM pg_prepared_statements"
        with store.write() as transaction:
            transaction.executions([1])
            connection = transaction.session.connection
            before = connection.execute(count).fetchone()
        with pytest.raises(ZeroDivisionError), store.write():
            raise ZeroDivisionError
        with store.write() as transaction:
            assert transaction.session.connection is connection
            assert connection.execute(count).fetchone() == before != (0,)
        for _ in range(2):
            with store.read() as questions:
                questions.execution(1)
                reader = questions.session.connection
        assert reader.execute(count).fetchone() == (1,)
