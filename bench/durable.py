"""Durable steps on SQLite, synchronous=FULL: one execution at a time, and 100 in flight.

Beside them, in the same run, a bare script that commits the same number of rows, alone and in groups: what the
disk of this machine gives.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from bench.engines import finish, looping, started, tasks_in_a_row
from bench.report import Figure

STEPS = 10


def bare(path: Path, commits: int, group: int) -> float:
    """Rows inserted and updated a second by nothing but sqlite3, `group` of them a commit."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)"
    )
    begun = time.perf_counter()
    for n in range(commits):
        connection.execute("BEGIN IMMEDIATE")
        rows = range(n * group + 1, n * group + group + 1)
        connection.executemany("INSERT INTO t VALUES (?, ?)", [(i, f"a{i}" * 20) for i in rows])
        connection.executemany("UPDATE t SET v = ? WHERE id = ?", [(f"b{i}" * 20, i) for i in rows])
        connection.execute("COMMIT")
    rate = commits * group / (time.perf_counter() - begun)
    connection.close()
    return rate


def run(folder: Path) -> Iterator[Figure]:
    workflow = tasks_in_a_row(STEPS)
    alone = bare(folder / "bare1.db", 2000, 1)
    grouped = bare(folder / "bare100.db", 100, 100)
    with looping(folder / "one.db") as (loop, store):
        finish(loop, store, [started(loop, workflow, {"n": 0})])
        before, begun, count = store.commits, time.perf_counter(), 100
        for n in range(count):
            finish(loop, store, [started(loop, workflow, {"n": n})])
        took = time.perf_counter() - begun
        rate = count * STEPS / took
        yield Figure(
            "one execution at a time: commits a task", (store.commits - before) / (count * STEPS), "", "<= 1.15"
        )
        yield Figure("one execution at a time: durable steps", rate, "a second")
        yield Figure("  of what a bare script commits one at a time", rate / alone, "x")
    with looping(folder / "many.db") as (loop, store):
        finish(loop, store, [started(loop, workflow, {"n": 0})])
        took, commits, rounds = 0.0, 0, 5
        for _ in range(rounds):
            # Starting is one commit each and not what is measured: their first tasks wait in the pool meanwhile.
            ids = [started(loop, workflow, {"n": n}) for n in range(100)]
            before, begun = store.commits, time.perf_counter()
            finish(loop, store, ids)
            took += time.perf_counter() - begun
            commits += store.commits - before
        steps = rounds * 100 * STEPS
        yield Figure("100 in flight: commits a step", commits / steps, "", "<= 0.2")
        yield Figure("100 in flight: durable steps", steps / took, "a second", ">= 3000")
        yield Figure("  of what a bare script commits in groups of 100", steps / took / grouped, "x")
