"""The file as a power cut leaves it: copied at random moments under load, with and without its torn end, it is
consistent, and every execution in it goes on to the right outcome.

All writers are stopped (SIGSTOP) while the copy is made, so that it is what the disk held at one instant. A power
cut may also tear what was being written: the frames of the last transaction (SQLite's file format, "WAL File
Format": a frame counts only with its checksum), as long as none of them has been copied into the database.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sm_cli.engine.engine import Engine
from sm_cli.engine.send_message import send as send_to
from sm_cli.handlers.handler import Handler
from sm_cli.store.filters import ExecutionFilter, ExecutionPage
from sm_cli.store.open import open_store
from sm_cli.store.protocol import Store
from sm_cli.store.records import Status
from sm_cli.worker.worker import Worker
from tests.engine.workers import workflow
from tests.store.asking import asked

CHECKOUT = Path(__file__).resolve().parents[3]
MINUTE = 60_000_000

DEFINITION = {
    "StartAt": "Charge",
    "States": {
        "Charge": {"Type": "Task", "Resource": "charge", "ResultPath": "$.charge", "Next": "Both",
                   "Retry": [{"ErrorEquals": ["ValueError"], "IntervalSeconds": 1}]},
        "Both": {"Type": "Parallel", "ResultPath": "$.both", "Next": "Answer", "Branches": [
            {"StartAt": "Pause", "States": {"Pause": {"Type": "Wait", "Seconds": 1, "End": True}}},
            {"StartAt": "Each", "States": {"Each": {
                "Type": "Map", "ItemsPath": "$.items", "MaxConcurrency": 2, "End": True,
                "ItemProcessor": {"StartAt": "Item", "States": {
                    "Item": {"Type": "Task", "Resource": "square", "End": True}}}}}}]},
        "Answer": {"Type": "Message", "CorrelationKey": "n", "CorrelationValuePath": "$.n", "ResultPath": "$.answer",
                   "TimeoutSeconds": 60, "Next": "Last"},
        "Last": {"Type": "Task", "Resource": "square", "Parameters": 3, "ResultPath": "$.last", "End": True},
    },
}  # fmt: skip

HANDLERS = """
from sm_cli import handler

@handler
def charge(order, context):
    if order["n"] % 3 == 0 and context.attempt == 1:
        raise ValueError("not yet")
    return "x" * 3000

@handler
def square(n):
    return n * n
"""


def charge(order: Any, context: Any) -> str:
    if order["n"] % 3 == 0 and context.attempt == 1:
        raise ValueError("not yet")
    return "x" * 3000


def square(n: int) -> int:
    return n * n


LOCAL = {"charge": Handler("charge", charge), "square": Handler("square", square)}


def given(n: int) -> dict[str, Any]:
    return {"n": n, "items": [n, n + 1, n + 2]}


def right(n: int) -> dict[str, Any]:
    """What the execution with this number comes to, whatever happens to it."""
    order = {**given(n), "charge": "x" * 3000}
    squares = [i * i for i in order["items"]]
    return {**order, "both": [order, squares], "answer": {"paid": n}, "last": 9}


def send(engine: Engine, n: int) -> None:
    engine.transact(
        lambda tick: send_to(tick, "n", n, {"paid": n}, ttl=MINUTE, message_id=f"m{n}"),
    )


@contextmanager
def workers(folder: Path, count: int) -> Iterator[list[subprocess.Popen[str]]]:
    (folder / "handlers").mkdir()
    (folder / "handlers" / "all.py").write_text(HANDLERS)
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    logs = [folder / f"w{n}.log" for n in range(count)]  # no pipe: nobody empties it while they work
    started = []
    for log in logs:
        with log.open("w") as stderr:
            line = [sys.executable, "-m", "sm_cli", "worker", "--name", log.stem, "--db", "sm.db"]
            started.append(subprocess.Popen(line, cwd=folder, env=environment, text=True, stderr=stderr))
    try:
        for log, process in zip(logs, started, strict=True):
            while not log.read_text().startswith("worker w"):
                assert process.poll() is None, log.read_text()
                time.sleep(0.01)
        yield started
    finally:
        for process in started:
            process.kill()
            process.wait()


def copied(path: Path, target: Path, processes: list[subprocess.Popen[str]]) -> None:
    """The file and its log as they are at one instant."""
    target.mkdir()
    for process in processes:
        process.send_signal(signal.SIGSTOP)
    for process in processes:
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        if (path.parent / name).exists():
            shutil.copyfile(path.parent / name, target / name)
    for process in processes:
        process.send_signal(signal.SIGCONT)


def tear(database: Path, chance: random.Random) -> bool:
    """Lose a part of the last transaction's frames, or garble it; False when they are in the database already."""
    wal, shm = Path(f"{database}-wal"), Path(f"{database}-shm")
    if not wal.exists() or wal.stat().st_size <= 32:
        return False
    (page,) = struct.unpack(">I", wal.read_bytes()[8:12])
    index = shm.read_bytes()
    (last,) = struct.unpack("=I", index[16:20])  # mxFrame: the frames that count
    (safe,) = struct.unpack("=I", index[96:100])  # nBackfill: those that are in the database
    content = bytearray(wal.read_bytes()[: 32 + last * (page + 24)])
    first = last  # of the last transaction: the frame after the commit before it
    while first > 1 and struct.unpack(">I", content[32 + (first - 2) * (page + 24) + 4 :][:4])[0] == 0:
        first -= 1
    if safe >= first or last == 0:
        return False
    cut = chance.randrange(32 + (first - 1) * (page + 24), len(content))
    if chance.random() < 0.5:
        content[cut:] = chance.randbytes(len(content) - cut)
    else:
        del content[cut:]
    wal.write_bytes(content)
    return True


def goes_on(database: Path) -> int:
    """Check a copy and bring everything in it to its end; how many executions it has."""
    Path(f"{database}-shm").unlink(missing_ok=True)
    connection = sqlite3.connect(database)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    store = open_store(f"sqlite:{database}?sync=normal")
    engine = Engine(store)
    loop = Worker(engine, LOCAL, name="after")
    found = asked(store).list_executions(ExecutionFilter(), ExecutionPage(limit=10_000))
    for execution in found:
        send(engine, int(execution.name))  # whoever sends repeats what he has no answer for
    open_ones = [execution.id for execution in found]

    def over() -> bool:
        while open_ones and (each := asked(store).execution(open_ones[-1])) is not None and each.closed is not None:
            open_ones.pop()
        return not open_ones

    loop.run(over)
    for execution in found:
        check(store, execution.id, int(execution.name))
    loop.let_go()
    loop.pool.close()
    store.close()
    return len(found)


def check(store: Store, id: int, n: int) -> None:
    execution = asked(store).execution(id)
    assert execution is not None
    assert (execution.status, execution.output) == (Status.SUCCEEDED, right(n))
    events = asked(store).history(id)
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    assert sum(event.type == "MapIterationSucceeded" for event in events) == 3
    assert sum(event.type == "MessageReceived" for event in events) == 1
    assert [
        *asked(store).jobs_of(id),
        *asked(store).timers_of(id),
        *asked(store).subscriptions_of(id),
        *asked(store).open_frames(id),
    ] == []


@pytest.mark.skipif(sys.platform != "linux", reason="the log's index is read as Linux writes it")
def test_a_copy_made_at_any_moment_under_load_goes_on_to_the_right_outcome(tmp_path: Path) -> None:
    chance = random.Random(7)
    path = tmp_path / "sm.db"
    definition = workflow(DEFINITION, "load")
    copies, torn, number = 0, 0, 0
    open_store(str(path)).close()
    with workers(tmp_path, 2) as processes:
        store = open_store(str(path))
        engine = Engine(store)
        end = time.monotonic() + 60
        while copies < 8 or torn < 4:
            assert time.monotonic() < end, f"{copies} copies, {torn} of them torn"
            for _ in range(chance.randrange(1, 12)):
                engine.start(definition, given(number), name=str(number))
                if number % 2:
                    send(engine, number)
                number += 1
            target = tmp_path / f"copy{copies}"
            copied(path, target, processes)
            torn += copies % 2 == 1 and tear(target / path.name, chance)
            copies += 1
        store.close()
        for process in processes:
            assert process.poll() is None
    sizes = [goes_on(tmp_path / f"copy{copy}" / path.name) for copy in range(copies)]
    assert sizes[-1] > sizes[0]
    assert goes_on(path) == number  # and so does the file whose workers were killed
