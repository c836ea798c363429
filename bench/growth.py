"""What a claim, a list and a message cost at 1,000,000 executions against 10,000, on SQLite and on Postgres."""

from __future__ import annotations

import gc
import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import psycopg

from bench.engines import prepared
from bench.report import Figure
from sm_cli.engine.engine import Engine
from sm_cli.engine.settings import JobTaker
from sm_cli.engine.stepping import leases
from sm_cli.engine.stepping.queues import Rota
from sm_cli.engine.stepping.starting import begin
from sm_cli.engine.stepping.tick import Tick
from sm_cli.handlers.handler import Handler
from sm_cli.handlers.registry import Registry
from sm_cli.jsonvalue import Json
from sm_cli.store.filters import ExecutionFilter
from sm_cli.store.open import open_store
from sm_cli.store.postgres.database import PostgresStore
from sm_cli.store.protocol import Store
from sm_cli.store.records import Execution, Status
from sm_cli.store.sqlite.database import SqliteStore
from sm_cli.store.sqlite.tables import read_layout
from sm_cli.views.listing import list_executions
from sm_cli.worker.worker import Worker
from tests.postgres.server import Server
from tests.store.asking import asked

SMALL, LARGE = 10_000, 1_000_000
#: One of so many executions is open: every other one of them has a free job, the others wait for a message.
OPEN = 100
ROUNDS = 400
#: Rows of one statement, and executions of one transaction.
_PORTION, _STARTED = 50_000, 500
#: Ids of rows that the engine made itself lie below.
_BASE = 10_000
_WAIT: dict[str, Json] = {
    "Type": "Message",
    "CorrelationKey": "orderId",
    "CorrelationValuePath": "$.id",
    "ResultPath": None,
}
ORDER = prepared(
    {
        "StartAt": "Pay",
        "States": {
            "Pay": {"Type": "Task", "Resource": "pay", "Next": "Paid"},
            "Paid": {**_WAIT, "Next": "Ship"},
            "Ship": {"Type": "Task", "Resource": "pay", "End": True},
        },
    },
    "order",
)
FREE = prepared({"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "idle", "End": True}}}, "free")
#: Waits again when its message has come, so that there are always as many who wait.
WAITING = prepared(
    {
        "StartAt": "M",
        "States": {
            "M": {**_WAIT, "Next": "C"},
            "C": {"Type": "Choice", "Choices": [{"Variable": "$.end", "IsPresent": True, "Next": "S"}], "Default": "M"},
            "S": {"Type": "Succeed"},
        },
    },
    "waiting",
)

_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT CAST({first} AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {end})"
#: By table: the column that says which execution a row is of.
_OF_EXECUTION = {
    "executions": "id", "execution_data": "execution", "frames": "execution", "history": "execution",
    "state_times": "execution", "past_waits": "execution", "execution_tags": "execution",
}  # fmt: skip
#: What a column of a copied row has; others are as they were. `i` counts the copies.
_COPIED = {
    ("executions", "id"): "{base} + i", ("executions", "tree"): "{base} + i",
    ("executions", "ref"): "substr(t.ref, 1, 9) || substr(CAST(100000000000000000 + i AS TEXT), 2)",
    ("executions", "name"): "'order-' || CAST(i AS TEXT)",
    ("executions", "started"): "t.started - ({count} - i) * {gap}",
    ("executions", "closed"): "t.closed - ({count} - i) * {gap}",
    ("state_times", "started"): "t.started - ({count} - i) * {gap}",
    ("frames", "id"): "{base} + i", ("frames", "tree"): "{base} + i",
    ("past_waits", "frame"): "{base} + i", ("past_waits", "value"): "CAST(i AS TEXT)",
    ("past_waits", "folded"): "CAST(i AS TEXT)",
}  # fmt: skip
#: Microseconds between the starts of two copies.
_GAP = 2_000_000


def run(folder: Path) -> Iterator[Figure]:
    yield from growth(f"sqlite:{folder}/small.db", f"sqlite:{folder}/large.db", "SQLite")
    server = Server(quick=False)
    try:
        yield from growth(f"{server.url}&schema=small", f"{server.url}&schema=large", "Postgres")
    finally:
        server.stop()


def growth(small: str, large: str, kind: str, counts: tuple[int, int] = (SMALL, LARGE)) -> Iterator[Figure]:
    """The figures of one kind of database."""
    fill(small, counts[0])
    begun = time.perf_counter()
    fill(large, counts[1])
    yield Figure(f"{kind}: {counts[1]:,} executions made in", time.perf_counter() - begun, "s")
    with operations(small, counts[0]) as at_small, operations(large, counts[1]) as at_large:
        for name in at_small:
            few, many = side_by_side(at_small[name], at_large[name])
            yield Figure(f"{kind}: {name} at {counts[0]:,}", few * 1000, "ms")
            yield Figure(f"{kind}: {name} at {counts[1]:,}", many * 1000, "ms")
            yield Figure(f"{kind}: {name}, how much more", many / few, "x", "<= 1.5")


def side_by_side(one: Callable[[int], float], other: Callable[[int], float]) -> tuple[float, float]:
    """The medians of both, in seconds, measured in turns."""
    spans: tuple[list[float], list[float]] = ([], [])
    gc.collect()
    gc.disable()
    try:
        for number in range(ROUNDS):
            for each, span in zip((one, other), spans, strict=True):
                span.append(each(number))
    finally:
        gc.enable()
    warm = ROUNDS // 10
    return statistics.median(spans[0][warm:]), statistics.median(spans[1][warm:])


# -- what is measured


@contextmanager
def operations(url: str, count: int) -> Iterator[dict[str, Callable[[int], float]]]:
    """What is measured, by name; each returns seconds."""
    store = open_store(url)
    engine = Engine(store)
    waiting = count // OPEN // 2
    running = ExecutionFilter((Status.RUNNING,), workflow=WAITING.name)
    yield {
        "a claim": lambda _: claim(engine),
        "a page of the newest": lambda _: timed(lambda: list_executions(store, ExecutionFilter())),
        "a page of the running": lambda _: timed(lambda: list_executions(store, running)),
        "a message": lambda number: timed(lambda: engine.publish("orderId", f"w{number % waiting}")),
    }
    store.close()


def claim(engine: Engine) -> float:
    """Seconds that the taking of a job lasts; it is given back."""
    taker = JobTaker("bench", 1, Registry({"idle": Handler("idle", idle)}))

    def take(tick: Tick) -> None:
        leases.claim(tick, Rota())

    seconds = timed(lambda: engine.transact(take, taker))
    (job,) = taker.jobs
    engine.transact(lambda tick: leases.give_back(tick, job))
    return seconds


def timed(act: Callable[[], object]) -> float:
    """Seconds."""
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def idle(input: Json) -> Json:
    return input


# -- what it is measured on


def fill(url: str, count: int) -> None:
    """So many executions: of a hundred 99 have ended, an hour before the others, and one is open."""
    store = open_store(url)
    end_one(store)
    with store.read() as questions:
        first = questions.latest()
    assert first is not None
    for begin_at in range(1, count - count // OPEN + 1, _PORTION):
        copy(store, first, range(begin_at, min(begin_at + _PORTION, count - count // OPEN + 1)), count)
    with store.write() as tx:
        for name in ("executions", "frames", "messages"):
            tx.session.connection.execute(f"UPDATE ids SET next = {_BASE + count} WHERE name = '{name}'")
    store.close()
    store = open_store(url)
    start_open(Engine(store), count // OPEN)
    store.close()
    settle(url)


def end_one(store: Store) -> None:
    """One order from its beginning to its end, by a worker."""
    worker = Worker(Engine(store), {"pay": Handler("pay", idle)}, concurrency=1)
    worker.start(ORDER, {"id": "0", "items": ["a", "b"], "customer": "somebody"})
    worker.engine.publish("orderId", "0")
    worker.run(lambda: asked(store).count_matching(ExecutionFilter((Status.RUNNING,))) == 0)
    worker.let_go()


def copy(store: Store, first: Execution, numbers: range, count: int) -> None:
    """So many more of the first execution, with all that is its own."""
    layout = {table.name: table.columns for table in read_layout()}
    with store.write() as tx:
        for name, column in _OF_EXECUTION.items():
            columns = [each for each in layout[name] if (name, each) != ("history", "id")]
            values = [
                _COPIED.get((name, each), "{base} + i" if each == column else f"t.{each}").format(
                    base=_BASE, count=count, gap=_GAP
                )
                for each in columns
            ]
            tx.session.connection.execute(
                f"{_NUMBERS.format(first=numbers.start, end=numbers.stop)}"
                f" INSERT INTO {name} ({', '.join(columns)}) SELECT {', '.join(values)}"
                f" FROM n CROSS JOIN {name} t WHERE t.{column} = {first.id}"
            )


def start_open(engine: Engine, count: int) -> None:
    """Executions that are open, half of them with a free job."""

    def start(tick: Tick, numbers: range) -> None:
        for number in numbers:
            workflow = FREE if number % 2 else WAITING
            version = engine.programs.version_to_start(workflow, tx=tick.tx, changes=tick.changes, now=tick.now)
            ref = engine.clock.new_ref()
            begin(tick, version, {"id": f"w{number // 2}"}, ref=ref, name=ref)

    for first in range(0, count, _STARTED):
        engine.transact(partial(start, numbers=range(first, min(first + _STARTED, count))))
    worker = Worker(engine, {}, concurrency=1)
    worker.run(lambda: not asked(engine.store).has_ready())  # what one transaction had no time for
    worker.let_go()


def settle(url: str) -> None:
    """What a database that has grown slowly has had: statistics of its tables, or an empty log."""
    store = open_store(url)
    if isinstance(store, PostgresStore):
        with psycopg.connect(store.url.driver_text(), autocommit=True) as connection:
            connection.execute("VACUUM (ANALYZE)")
    elif isinstance(store, SqliteStore):
        with closing(sqlite3.connect(store.path)) as file:
            file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
