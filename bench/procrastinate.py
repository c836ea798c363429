"""No-op jobs through `sm worker --engine procrastinate` against Procrastinate alone, on the same Postgres.

Both are one process with eight places on a durable server, with the same number of jobs that wait when it begins, and
both are counted from the first to the last of them. Theirs are coroutines, which cost less than the threads of ours;
ours logs a line for each execution, theirs logs nothing. Rounds of the three take turns, each on a server of its own,
for what else the machine does changes by the minute; the figures are medians.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from bench.commands import Project
from bench.engines import prepared
from bench.queue import NO_OP, TASK, finished
from bench.report import Figure
from sm_cli.carriers.procrastinate import install
from sm_cli.engine.engine import Engine
from sm_cli.store.open import open_store
from tests.postgres.server import Server
from tests.store.asking import asked

JOBS, SLOTS, ROUNDS = 3_000, 8, 3
#: Defers so many jobs, does them all with one worker, and says how many it did a second.
_ALONE = """
import asyncio, sys, time, procrastinate
url, jobs, slots = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url, max_size=slots + 4))

times = []

@app.task(name="no_op")
async def no_op(): times.append(time.perf_counter())

async def main():
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        await no_op.batch_defer_async(*[{} for _ in range(jobs)])
        await app.run_worker_async(concurrency=slots, wait=False, install_signal_handlers=False)
        assert len(times) == jobs
        print((jobs - 1) / (times[-1] - times[0]))

asyncio.run(main())
"""


def alone(url: str) -> float:
    """Its jobs a second."""
    done = subprocess.run(
        [sys.executable, "-c", _ALONE, url, str(JOBS), str(SLOTS)], capture_output=True, text=True, check=True
    )
    return float(done.stdout.split()[-1])


def ours(folder: Path, url: str, *options: str) -> float:
    """Executions of one task a second, by the times of their ends."""
    project = Project(folder)
    project.url = url
    project.write("workflows/one.json", json.dumps(TASK))
    project.write("handlers/no_op.py", NO_OP)
    store, workflow = open_store(url), prepared(TASK)
    install(url)
    engine = Engine(store)
    ids = [engine.start(workflow, None)[0].id for _ in range(JOBS)]
    worker = project.worker("w1", *options, "--concurrency", str(SLOTS))
    finished(store, ids, worker)
    ends = sorted(each.closed or 0 for each in map(asked(store).execution, ids) if each is not None)
    project.end(worker, "w1")
    store.close()
    assert len(ends) == JOBS
    return (JOBS - 1) / ((ends[-1] - ends[0]) / 1e6)


def heard(folder: Path, url: str, rounds: int = 60) -> float:
    """Milliseconds from a message, sent here, to the start of the handler in a worker's process: the median."""
    definition = {
        "StartAt": "W",
        "States": {
            "W": {"Type": "Message", "CorrelationKey": "n", "CorrelationValuePath": "$.n", "Next": "T"},
            "T": {"Type": "Task", "Resource": "note", "End": True},
        },
    }
    project = Project(folder)
    project.url = url
    times = folder / "times.txt"
    project.write(
        "handlers/note.py",
        "import time\nfrom sm_cli import handler\n@handler('note')\ndef note(input):\n"
        f"    with open({str(times)!r}, 'a') as file: file.write(f'{{input[\"n\"]}} {{time.time()}}\\n')\n",
    )
    store, workflow = open_store(url), prepared(definition)
    engine = Engine(store)
    worker = project.worker("w1")
    ids = [engine.start(workflow, {"n": n})[0].id for n in range(rounds)]
    sent = {}
    for n in range(rounds):
        time.sleep(0.05)
        sent[n] = time.time()
        engine.publish("n", n, {})
    finished(store, ids, worker)
    project.end(worker, "w1")
    store.close()
    starts = dict(line.split() for line in times.read_text().splitlines())
    return sorted(1000 * (float(starts[str(n)]) - sent[n]) for n in range(rounds))[rounds // 2]


def take_turns(folder: Path) -> dict[str, float]:
    """The median rate of each."""
    rates: dict[str, list[float]] = {}
    for number in range(ROUNDS):
        each: dict[str, Callable[[str], float]] = {
            "alone": alone,
            "hints": lambda url: ours(folder / "hints", f"{url}&schema=hints", "--engine", "procrastinate"),
            "none": lambda url: ours(folder / "none", f"{url}&schema=none"),
        }
        for name in sorted(each, key=lambda name: (list(each).index(name) + number) % len(each)):
            server = Server(quick=False)
            try:
                rates.setdefault(name, []).append(each[name](server.url))
            finally:
                server.stop()
    return {name: median(several) for name, several in rates.items()}


def run(folder: Path) -> Iterator[Figure]:
    rates = take_turns(folder)
    yield Figure("no-op jobs with hints by Procrastinate, 8 at once", rates["hints"], "a second")
    yield Figure("  against Procrastinate alone, 8 at once", rates["hints"] / rates["alone"], "x", ">= 5")
    yield Figure("  against sm worker without an engine", rates["hints"] / rates["none"], "x", ">= 0.9")
    yield Figure("  (Procrastinate alone)", rates["alone"], "a second")
    server = Server(quick=False)
    try:
        on_server = heard(folder / "server", f"{server.url}&schema=heard")
    finally:
        server.stop()
    yield Figure("message to handler across processes, Postgres: p50", on_server, "ms", "<= 30")
    on_file = heard(folder / "file", str(folder / "heard.db"))
    yield Figure("message to handler across processes, SQLite: p50", on_file, "ms", "<= 30")
