"""How long others wait for a commit on Postgres while 10,000 closed executions are deleted beside them."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg

from bench.engines import prepared
from bench.report import Figure
from sm_cli.engine.engine import Engine
from sm_cli.engine.retention import LARGE, SMALL, Portion, prune
from sm_cli.store.open import open_store
from tests.postgres.server import schema, server, with_option

OTHERS, EXECUTIONS, PAUSE = 3, 10_000, 0.02
#: What the others' connections are called.
_NAME = "beside"
_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s AND wait_event_type = 'Lock'"
#: Three states, a value that all executions share, and one of each one's own.
STATES: dict[str, Any] = {
    "StartAt": "A",
    "States": {
        "A": {"Type": "Pass", "ResultPath": "$.a", "Next": "B"},
        "B": {"Type": "Choice", "Choices": [{"Variable": "$.n", "IsPresent": True, "Next": "C"}], "Default": "C"},
        "C": {"Type": "Pass", "OutputPath": "$.shared", "End": True},
    },
}


def execute(engine: Engine, number: int, end: Callable[[], bool]) -> list[float]:
    """The seconds that each execution took to start and to end, both in one transaction; every tenth has large
    values."""
    workflow, waits = prepared(STATES), []
    while not end():
        number += 1
        large = {"shared": "s" * 6000, "own": f"{number}" * 1000} if number % 10 == 0 else {"shared": 1}
        begun = time.monotonic()
        engine.start(workflow, {"n": number, **large})
        waits.append(time.monotonic() - begun)
    return waits


def fill(url: str, count: int) -> None:
    """So many closed executions."""
    store, made = open_store(url), iter(range(count))
    execute(Engine(store), 0, lambda: next(made, None) is None)
    store.close()


def other(url: str, number: int, there: Any, over: Any, answers: Any) -> None:
    """One process that starts executions beside, until it is told to stop."""
    store = open_store(with_option(url, f"application_name={_NAME}"))
    engine = Engine(store)
    execute(engine, number, iter([False, True]).__next__)
    there.wait()
    answers.put(execute(engine, number, over.is_set))
    store.close()


def waits_beside(url: str, work: Callable[[], float]) -> tuple[float, list[float], float]:
    """(what `work` answers, the waits of other processes meanwhile, in order, how often they waited for locks)."""
    context = multiprocessing.get_context("spawn")
    there, over, answers = context.Barrier(OTHERS + 1), context.Event(), context.Queue()
    processes = [
        context.Process(target=other, args=(url, (number + 1) * 10**7, there, over, answers))
        for number in range(OTHERS)
    ]
    for process in processes:
        process.start()
    there.wait()
    with LockWaits() as lock_waits:
        found = work()
    over.set()
    waits = sorted(wait for _ in processes for wait in answers.get(timeout=60))
    for process in processes:
        process.join()
    return found, waits, lock_waits.percent


def delete(url: str, before: int, portion: Portion, pause: float) -> float:
    """Seconds that it took to delete them all."""

    def goes_on() -> bool:
        time.sleep(pause)
        return True

    store, begun = open_store(url), time.monotonic()
    prune(store, before, portion=portion, goes_on=goes_on)
    seconds = time.monotonic() - begun
    store.close()
    return seconds


class LockWaits:
    """How often somebody of the others waits for a lock, looked at every few milliseconds: a busy machine makes commits
    late, too."""

    def __init__(self) -> None:
        self.looks = self.waits = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        with psycopg.connect(server(), autocommit=True) as connection:
            while not self._over.wait(0.003):
                row = connection.execute(_WAITING, (_NAME,)).fetchone()
                self.looks += 1
                self.waits += row is not None and row[0] > 0

    def __enter__(self) -> LockWaits:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def percent(self) -> float:
        return 100 * self.waits / max(1, self.looks)


def idle() -> float:
    time.sleep(5)
    return 5


def run(folder: Path) -> Iterator[Figure]:
    for name, portion, pause in (
        ("nobody deletes", None, 0.0), ("sm db prune", LARGE, 0.0), ("a worker's retention", SMALL, PAUSE),
    ):  # fmt: skip
        with schema() as url:
            fill(url, EXECUTIONS if portion else 1)
            before = time.time_ns() // 1000
            if portion is None:
                seconds, waits, percent = waits_beside(url, idle)
            else:
                seconds, waits, percent = waits_beside(
                    url,
                    lambda: delete(url, before, portion, pause),  # noqa: B023 - called here
                )
                yield Figure(f"{name}: executions deleted", EXECUTIONS / seconds, "a second")
        yield Figure(f"{name}: commits of {OTHERS} processes beside", len(waits) / seconds, "a second")
        for rank in (50, 99):
            yield Figure(f"{name}: p{rank} of their waits", waits[len(waits) * rank // 100] * 1000, "ms")
        yield Figure(f"{name}: their longest wait", waits[-1] * 1000, "ms")
        yield Figure(f"{name}: looks at which one of them waits for a lock", percent, "%", "<= 10")
