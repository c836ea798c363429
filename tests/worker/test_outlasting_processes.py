"""A worker outlasts whoever holds the database, in processes of their own: it says so once and loses nothing."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from sm_cli.engine.engine import Engine
from sm_cli.store.open import open_store
from sm_cli.store.protocol import Store
from sm_cli.store.records import Execution
from sm_cli.store.waiting import TELL_AFTER, Holder, LockWait, Patience
from tests.engine.workers import one_task
from tests.store.asking import asked

CHECKOUT = Path(__file__).resolve().parents[2]

#: A worker whose handler notes its runs, and ends when the file `go` is there.
WORKER = """
import os, sys, time
from pathlib import Path
from sm_cli.engine.engine import Engine
from sm_cli.handlers.handler import Handler
from sm_cli.worker.worker import Worker
from sm_cli.store.open import open_store

here = Path(sys.argv[1])

def work(input):
    child = os.fork() if sys.argv[2] == "fork" else 0
    if child == 0 and sys.argv[2] == "fork":
        time.sleep(600)
        os._exit(0)
    with (here / "runs").open("a") as runs:
        runs.write(f"{os.getpid()} {child}\\n")
    while not (here / "go").exists():
        time.sleep(0.002)
    return "done"

Worker(Engine(open_store(str(here / "sm.db"))), {"work": Handler("work", work)}).run(lambda: False)
"""


def soon(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


@contextmanager
def worker(here: Path, kind: str, log: str = "log") -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", WORKER, str(here), kind]
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    with (here / log).open("w") as err, subprocess.Popen(command, stderr=err, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(str(tmp_path / "sm.db"))) as made:
        yield made


def runs(here: Path) -> list[list[int]]:
    """For each run of the handler: the worker's pid and that of the handler's child."""
    file = here / "runs"
    return [[int(part) for part in line.split()] for line in file.read_text().splitlines()] if file.exists() else []


def closed(store: Store, execution: Execution) -> bool:
    found = asked(store).execution(execution.id)
    return found is not None and found.closed is not None


@pytest.mark.parametrize("whose", ["a stranger's", "ours"])
def test_a_worker_outlasts_a_holder_says_who_it_is_and_keeps_the_result(
    tmp_path: Path, store: Store, whose: str
) -> None:
    execution, *_ = Engine(store).start(one_task(), None)
    with worker(tmp_path, "plain") as process:
        soon(lambda: len(runs(tmp_path)) == 1)
        with holding(tmp_path / "sm.db", store, whose):
            (tmp_path / "go").touch()
            soon(lambda: "has held the database since" in (tmp_path / "log").read_text())
            assert process.poll() is None
            assert not closed(store, execution)
        soon(lambda: closed(store, execution))
    found = asked(store).execution(execution.id)
    assert found is not None
    assert found.output == "done"
    assert len(runs(tmp_path)) == 1
    (line,) = (tmp_path / "log").read_text().splitlines()
    assert ("another program" if whose == "a stranger's" else f"process {os.getpid()}") in line


@contextmanager
def holding(path: Path, store: Store, whose: str) -> Iterator[None]:
    if whose == "ours":
        with store.write():
            yield
        return
    stranger = sqlite3.connect(path, isolation_level=None, timeout=60)
    stranger.execute("BEGIN IMMEDIATE")
    yield
    stranger.close()


def test_a_killed_workers_forked_child_holds_up_nobody(tmp_path: Path, store: Store) -> None:
    execution, *_ = Engine(store).start(one_task(), None)
    with worker(tmp_path, "fork") as first:
        soon(lambda: len(runs(tmp_path)) == 1)
        first.kill()
    ((_, child),) = runs(tmp_path)
    try:
        with worker(tmp_path, "plain", "second"):
            (tmp_path / "go").touch()
            soon(lambda: closed(store, execution))
        os.kill(child, 0)  # it still lives
        assert runs(tmp_path)[0][0] == first.pid
    finally:
        os.kill(child, signal.SIGKILL)


def test_a_long_wait_is_told_once_and_ends_at_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    told: list[Holder] = []
    monkeypatch.setattr(time, "monotonic", lambda: now)
    wait = LockWait(Patience(lambda: 5.0, told.append), lambda: Holder(7, "sm worker", 1))
    assert wait.time_left() <= 5
    assert told == []
    now = TELL_AFTER
    for _ in range(3):
        assert 0 < wait.time_left() <= 3
    assert [str(holder) for holder in told] == ["process 7 (sm worker)"]
    now = 5.0
    with pytest.raises(TimeoutError):
        wait.time_left()
