"""How often a worker waits for the server: over a network that is what a step costs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import BinaryIO

import psycopg
import pytest
from psycopg.pq import Trace

from bench.engines import started, tasks_in_a_row
from sm_cli.engine.engine import Engine
from sm_cli.handlers.handler import Handler
from sm_cli.store.postgres.database import PostgresStore
from sm_cli.store.postgres.url import parse_url
from sm_cli.store.postgres.writing.ids import Ids
from sm_cli.store.postgres.writing.offers import ANYTHING
from sm_cli.store.postgres.writing.own import Own
from sm_cli.testing import FakeClock
from sm_cli.worker.worker import Worker
from tests.engine.workers import soon

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


@pytest.mark.parametrize("count", [1, 2])
def test_a_tick_of_results_and_new_claims_waits_for_the_server_twice(
    url: str, traces: list[BinaryIO], count: int
) -> None:
    """Also of what another worker has written last, whose rows have to be read."""
    with ExitStack() as stack:
        handlers, clock = {"echo": Handler("echo", lambda input: input)}, FakeClock()
        stores = [stack.enter_context(closing(PostgresStore(parse_url(url)))) for _ in range(count)]
        workers = [Worker(Engine(store, clock=clock), handlers, concurrency=2) for store in stores]
        for n in range(6):
            started(workers[0], tasks_in_a_row(STEPS), n)
        waits_of_ticks: list[int] = []
        while len(waits_of_ticks) < 20:
            for worker in workers:
                soon(lambda worker=worker: worker.pool.free == 2)  # type: ignore[misc]
                before = waits(traces)
                worker.tick()
                if len(worker.jobs) == 2:
                    waits_of_ticks.append(waits(traces) - before)
        for worker in workers:
            worker.let_go()
    # Of a new state the first tick asks for its number, and once a second a worker looks who else is there.
    assert min(waits_of_ticks) == 2
    assert median(waits_of_ticks) <= 3


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


def nowhere() -> psycopg.Connection:
    raise AssertionError("nothing is asked of a server here")


def own_of_who_saw_work() -> Own:
    own = Own("sm", 1, Ids(nowhere, "sm"))
    own.last_offers = ANYTHING
    own.places = {7: 7}
    own.last_claims = [("take_free_in_queue", {"queue": "default"})]
    return own


def test_who_takes_jobs_of_any_tree_takes_all_that_waits() -> None:
    names = [name for name, _ in own_of_who_saw_work().questions_of([7], 8)]
    taken_rows = ["taken_jobs", "taken_frames", "taken_executions"]
    assert names == ["take_parts", "take_ended", "queues", "take_free_in_queue", *taken_rows, "take_ready"]


def test_who_works_for_one_execution_takes_nothing_of_others() -> None:
    assert [name for name, _ in own_of_who_saw_work().questions_of([7], 0)] == ["take_parts"]
    assert own_of_who_saw_work().questions_of([], 0) == []


def test_two_claims_of_the_last_time_are_not_asked_ahead_for_one_would_be_taken_for_the_other() -> None:
    own = own_of_who_saw_work()
    own.last_claims *= 2
    assert [name for name, _ in own.questions_of([7], 8)] == ["take_parts", "take_ended", "queues", "take_ready"]
