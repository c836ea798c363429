"""No-op jobs with hints by Celery against Celery alone on the same Valkey: how many a second one worker does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.commands import CHECKOUT, Project
from bench.engines import prepared
from bench.queue import NO_OP, TASK, finished
from bench.report import Figure
from sm_cli.engine.engine import Engine
from sm_cli.store.open import open_store
from tests.carriers.valkey import Broker, broker
from tests.postgres.server import schema
from tests.store.asking import asked

#: Jobs that wait when a worker begins; the first of them are not counted, for they are done while it still begins.
JOBS, WARM = 6_000, 600
#: Celery's own: a task that does nothing, results ignored, everything else as it is unless said otherwise.
_ALONE = """
import os
from celery import Celery
app = Celery(broker=os.environ["BROKER"])
app.conf.task_ignore_result = True
@app.task
def no_op(): return None
"""
#: What Celery does beside its work, which it need not do here.
_QUIET = ("--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "error")
_POOLS = (("prefork", "2"), ("threads", "8"))


def celery_alone(folder: Path, server: Broker, pool: str, concurrency: str) -> float:
    """Its jobs a second, seen by the length of its queue, which nobody else asks for."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "alone.py").write_text(_ALONE, encoding="utf-8")
    environment = {**os.environ, "BROKER": server.url, "PYTHONPATH": str(CHECKOUT)}
    send = f"from alone import no_op\nfor _ in range({JOBS}): no_op.delay()"
    subprocess.run([sys.executable, "-c", send], cwd=folder, env=environment, check=True)
    worker = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "alone", "worker", "-P", pool, "-c", concurrency, *_QUIET],
        cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    client = server.client()

    def left() -> int:
        assert worker.poll() is None
        return int(client.llen("celery")) + int(client.hlen("unacked"))

    while (first := left()) > JOBS - WARM:
        time.sleep(0.005)
    start = time.monotonic()
    while left():
        time.sleep(0.005)
    seconds = time.monotonic() - start
    worker.terminate()
    worker.wait()
    return first / seconds


def with_hints(folder: Path, server: Broker, concurrency: int) -> float:
    """Ours on Postgres: executions of one no-op Task, done by `sm worker --engine celery`."""
    project = Project(folder)
    project.write("workflows/one.json", json.dumps(TASK))
    project.write("handlers/no_op.py", NO_OP)
    with schema() as url:
        project.url = url
        store, workflow = open_store(url), prepared(TASK)
        engine = Engine(store)
        ids = [engine.start(workflow, None)[0].id for _ in range(JOBS)]
        options = ("--engine", "celery", "--broker", server.url, "--concurrency", str(concurrency))
        worker = project.worker("w1", *options)
        finished(store, ids, worker)
        ends = sorted(each.closed or 0 for each in map(asked(store).execution, ids) if each is not None)
        said = project.end(worker, "w1")
        store.close()
    assert len(ends) == JOBS
    assert "error" not in said, said
    return (JOBS - WARM) / ((ends[-1] - ends[WARM - 1]) / 1e6)


def run(folder: Path) -> Iterator[Figure]:
    with broker() as server:
        best = 0.0
        for pool, concurrency in _POOLS:
            rate = celery_alone(folder / pool, server, pool, concurrency)
            best = max(best, rate)
            yield Figure(f"no-op jobs, Celery alone, {pool} of {concurrency}", rate, "a second")
        ours = with_hints(folder / "ours", server, 64)
        yield Figure("no-op jobs, sm worker with hints by Celery, 64 at once", ours, "a second")
        yield Figure("against Celery alone, its better pool", ours / best, "times", ">= 2")
