"""Real processes: a handler that kills its worker is stopped after so many of them, and nothing beside it fails."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sm_cli.engine.engine import Engine
from sm_cli.store.open import open_store
from sm_cli.store.records import Status
from tests.engine.workers import one_task
from tests.store.asking import asked
from tests.stores import database

#: A worker that goes on until nothing is left to do. Its handler `poison` kills it when all beside it have begun, and
#: `good` ends only where no poison is.
WORKER = """
import os, signal, sys, threading, time
from sm_cli.engine.engine import Engine
from sm_cli.handlers.handler import Handler
from sm_cli.store.open import open_store
from sm_cli.worker.passes import drain
from sm_cli.worker.worker import Worker

store = open_store(sys.argv[1])
begun = []

def resources():
    with store.read() as questions:
        return [job.resource for job in questions.leased_to(loop.worker.id)]

def good(input):
    begun.append(input)
    if "poison" in resources():
        threading.Event().wait()
    return input

def poison(input):
    while len(begun) < len(resources()) - 1:
        time.sleep(0.001)
    os.kill(os.getpid(), signal.SIGKILL)

handlers = {f.__name__: Handler(f.__name__, f) for f in (good, poison)}
loop = Worker(Engine(store), handlers, concurrency=8, name="w")
drain(loop, lambda: False)
loop.let_go()
loop.pool.close()
store.close()
"""


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database that processes share."""
    with database(request.param, tmp_path) as made:
        yield made


@pytest.mark.parametrize(("innocents", "kills"), [(0, 5), (7, 10)])
def test_poison_ends_a_bounded_number_of_workers_and_no_other_task_fails(url: str, innocents: int, kills: int) -> None:
    store = open_store(url)
    engine = Engine(store)
    good = [engine.start(one_task(Resource="good"), n)[0] for n in range(innocents)]
    poison = engine.start(one_task(Resource="poison"), "ate")[0]
    ends = []
    for _ in range(kills + 1):
        ended = subprocess.run([sys.executable, "-c", WORKER, url], capture_output=True, timeout=120)
        ends.append(ended.returncode)
        assert ended.stderr == b""
    assert ends == [-signal.SIGKILL] * kills + [0]
    for execution in good:
        found = asked(store).execution(execution.id)
        assert found is not None
        assert (found.status, found.output) == (Status.SUCCEEDED, execution.input)
    failed = asked(store).execution(poison.id)
    assert failed is not None
    assert (failed.status, failed.error) == (Status.FAILED, "States.TaskFailed")
    rest = "the last 5 times with nothing beside it" if innocents else "and nothing else"
    assert failed.cause is not None
    assert failed.cause.startswith(f"The worker was lost {kills} times while it ran this task")
    assert failed.cause.endswith(f"{rest}.")
    store.close()
