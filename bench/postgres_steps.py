"""Durable steps on Postgres with what it commits on disk, beside DBOS and a bare script on the same server.

DBOS (`pip install dbos`) runs in a process of its own, as it is shipped, with 8 threads for what is in flight.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from bench.engines import started, tasks_in_a_row
from bench.report import Figure
from sm_cli.engine.engine import Engine
from sm_cli.handlers.handler import Handler
from sm_cli.store.open import open_store
from sm_cli.store.records import Status
from sm_cli.worker.worker import Worker
from tests.postgres.server import Server

STEPS, ALONE, IN_FLIGHT, ROUNDS = 10, 100, 100, 3
#: Ten trivial steps, one workflow after the other, and then many over 8 threads; the two rates as JSON.
_DBOS = """
import json, sys, time
from concurrent.futures import ThreadPoolExecutor
from dbos import DBOS
url, steps, alone, many = sys.argv[1], *map(int, sys.argv[2:])
DBOS(config={"name": "bench", "system_database_url": url, "log_level": "ERROR", "run_admin_server": False})

@DBOS.step()
def step(n): return n

@DBOS.workflow()
def chain(n):
    for _ in range(steps): step(n)
    return n

DBOS.launch()
chain(0)
begun = time.perf_counter()
for n in range(alone): chain(n)
one = alone * steps / (time.perf_counter() - begun)
with ThreadPoolExecutor(8) as pool:
    list(pool.map(chain, range(8)))
    begun = time.perf_counter()
    list(pool.map(chain, range(many)))
    both = many * steps / (time.perf_counter() - begun)
print(json.dumps([one, both]))
DBOS.destroy()
"""


def bare(url: str, commits: int, group: int) -> float:
    """Pairs of an insert and an update a second by nothing but psycopg, `group` of them a commit, in a pipeline."""
    with psycopg.connect(url, autocommit=True) as connection, connection.pipeline() as pipeline:
        connection.execute("DROP TABLE IF EXISTS bare")
        connection.execute("CREATE TABLE bare (id bigint PRIMARY KEY, v text)")
        pipeline.sync()
        begun = time.perf_counter()
        for n in range(commits):
            ids = range(n * group + 1, n * group + group + 1)
            connection.execute("BEGIN")
            with connection.cursor() as cursor:
                cursor.executemany("INSERT INTO bare VALUES (%s, %s)", [(i, f"a{i}" * 20) for i in ids])
                cursor.executemany("UPDATE bare SET v = %s WHERE id = %s", [(f"b{i}" * 20, i) for i in ids])
            connection.execute("COMMIT")
            pipeline.sync()
        return commits * group / (time.perf_counter() - begun)


def dbos(url: str) -> tuple[float, float]:
    """Its steps a second: one workflow at a time, and many over 8 threads."""
    numbers = (STEPS, ALONE, IN_FLIGHT * ROUNDS)
    done = subprocess.run(
        [sys.executable, "-c", _DBOS, url, *map(str, numbers)], capture_output=True, text=True, check=True
    )
    one, many = json.loads(done.stdout.splitlines()[-1])
    return one, many


@contextmanager
def working(url: str, concurrency: int) -> Iterator[tuple[Worker, Callable[[list[int]], None]]]:
    """A worker, and what lets it work until these executions have succeeded. What has ended it says itself: DBOS is not
    interrupted by questions either."""
    store = open_store(url)
    worker = Worker(Engine(store), {"echo": Handler("echo", lambda input: input)}, concurrency=concurrency)
    statuses: dict[int, Status] = {}
    worker.engine.observe(lambda tick: statuses.update((e.id, e.status) for e in tick.closed_executions))

    def finish(ids: list[int]) -> None:
        left = list(ids)

        def done() -> bool:
            while left and left[-1] in statuses:
                assert statuses[left.pop()] is Status.SUCCEEDED
            return not left

        worker.run(done)

    try:
        yield worker, finish
    finally:
        worker.pool.close()
        store.close()


def ours(url: str) -> tuple[float, float]:
    """The same of ours, with one worker that runs as many handlers at once as there are executions in flight."""
    workflow = tasks_in_a_row(STEPS)
    with working(f"{url}&schema=one", 8) as (worker, finish):
        finish([started(worker, workflow, 0)])
        begun = time.perf_counter()
        for n in range(ALONE):
            finish([started(worker, workflow, n)])
        one = ALONE * STEPS / (time.perf_counter() - begun)
    with working(f"{url}&schema=many", IN_FLIGHT) as (worker, finish):
        finish([started(worker, workflow, 0)])
        seconds = 0.0
        for _ in range(ROUNDS):
            ids = [started(worker, workflow, n) for n in range(IN_FLIGHT)]
            begun = time.perf_counter()
            finish(ids)
            seconds += time.perf_counter() - begun
    return one, ROUNDS * IN_FLIGHT * STEPS / seconds


def run(folder: Path) -> Iterator[Figure]:
    server = Server(quick=False)
    try:
        alone, grouped = bare(server.url, 1000, 1), bare(server.url, 100, 100)
        one, many = ours(server.url)
        their_one, their_many = dbos(server.url)
    finally:
        server.stop()
    yield Figure("Postgres, one at a time: durable steps", one, "a second")
    yield Figure("  against DBOS", one / their_one, "x", ">= 6")
    yield Figure("  of what a bare script commits one at a time", one / alone, "x")
    yield Figure("Postgres, 100 in flight: durable steps", many, "a second")
    yield Figure("  against DBOS with 8 threads", many / their_many, "x", ">= 20")
    yield Figure("  of what a bare script commits in groups of 100", many / grouped, "x", ">= 0.5")
    yield Figure("  (DBOS: one at a time)", their_one, "a second")
    yield Figure("  (DBOS: 8 threads)", their_many, "a second")
    yield Figure("  (bare: one at a time)", alone, "a second")
    yield Figure("  (bare: groups of 100)", grouped, "a second")
