"""What waiting costs: 100,000 executions that wait for a message, against 100.

Each figure is the ratio of two medians, measured in turn on two files: sending to one execution, sending to
nobody, looking for due timers, listing waits; the first and the last also as commands. Then the memory of an idle worker.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

from bench.engines import prepared
from bench.report import Figure
from sm_cli.engine.engine import Engine, Workflow
from sm_cli.engine.messages import Outcome
from sm_cli.engine.tick import Tick
from sm_cli.store.base import Execution, Status, Store, WaitFilter
from sm_cli.store.open import open_store

FEW, MANY = 100, 100_000
_BATCH = 1_000
#: Sent to and taken back again, so that both files keep their number of waits: each visit waits anew.
_ROUNDS, _COMMANDS = 400, 15


def workflow() -> Workflow:
    """Wait, and when a message comes, wait again."""
    wait: dict[str, Any] = {
        "Type": "Message", "CorrelationKey": "orderId", "CorrelationValuePath": "$.orderId",
        "TimeoutSeconds": 86_400, "TimeoutPath": "Late", "ResultPath": "$.last", "Next": "Wait",
    }  # fmt: skip
    definition = {
        "StartAt": "Check",
        "States": {
            "Check": {
                "Type": "Choice", "Default": "Wait",
                "Choices": [{"Variable": "$.done", "IsPresent": True, "Next": "Late"}],
            },
            "Wait": wait | {"Next": "Check"},
            "Late": {"Type": "Succeed"},
        },
    }  # fmt: skip
    return prepared(definition)


def fill(store: Store, count: int) -> None:
    """So many waiting executions, many to a transaction; their timeouts are a day away."""
    engine, waits = Engine(store), workflow()

    def begin(tick: Tick, first: int, last: int) -> None:
        if first == 0:
            engine.define(tick, waits)
        ids = tick.tx.reserve("executions", last - first)
        for n in range(first, last):
            ref = engine.clock.new_ref()
            tick.start(
                Execution(
                    id=ids + n - first, ref=ref, name=ref, workflow=waits.name, digest=waits.program.digest,
                    type="STANDARD", status=Status.RUNNING, started=tick.now, input={"orderId": f"ORD-{n}"},
                ),
                waits.program,
            )  # fmt: skip

    engine.programs[waits.program.digest] = waits.program
    for first in range(0, count, _BATCH):
        last = min(first + _BATCH, count)
        engine.transact(lambda tick, first=first, last=last: begin(tick, first, last))  # type: ignore[misc]


def medians(few: Callable[[], object], many: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Microseconds of each, taken in turn."""
    took: tuple[list[float], list[float]] = ([], [])
    for n in range(rounds):
        for i, what in ((0, few), (1, many)) if n % 2 else ((1, many), (0, few)):
            begun = time.perf_counter()
            what()
            took[i].append(time.perf_counter() - begun)
    return statistics.median(took[0]) * 1e6, statistics.median(took[1]) * 1e6


def sending(engine: Engine, waiting: int, value: str = "ORD-{}") -> Callable[[], object]:
    """Send to one after the other, in an order that jumps about."""
    numbers = count()
    expected = Outcome.DELIVERED if value == "ORD-{}" else Outcome.NOT_DELIVERED

    def send() -> None:
        n = next(numbers) * 7919 % waiting
        sent = engine.publish("orderId", value.format(n), {"approved": True}, ttl=0)
        assert sent.outcome is expected, sent

    return send


def command(*arguments: str) -> Callable[[], object]:
    def run() -> None:
        subprocess.run([sys.executable, "-m", "sm_cli", *arguments], stdout=subprocess.DEVNULL, check=True)

    return run


def resident(path: Path) -> float:
    """MB that an idle worker holds."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sm_cli", "worker", "--db", str(path)], stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        while not process.stderr.readline().startswith("worker "):
            pass
        time.sleep(2)
        status = Path(f"/proc/{process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024
    finally:
        process.terminate()
        process.communicate()


def compared(name: str, few: Callable[[], object], many: Callable[[], object], rounds: int) -> Iterator[Figure]:
    small, large = medians(few, many, rounds)
    yield Figure(f"{name}, 100 wait", small, "us")
    yield Figure(f"{name}, 100,000 wait", large, "us")
    yield Figure("  growth", large / small, "x", "<= 1.3")


def run(folder: Path) -> Iterator[Figure]:
    paths = {waiting: folder / f"{waiting}.db" for waiting in (FEW, MANY)}
    stores = {waiting: open_store(str(path)) for waiting, path in paths.items()}
    begun = time.perf_counter()
    for waiting, store in stores.items():
        fill(store, waiting)
    yield Figure("starting executions that wait", (FEW + MANY) / (time.perf_counter() - begun), "a second")
    few, many = (Engine(store) for store in stores.values())
    yield from compared("publish to one that waits", sending(few, FEW), sending(many, MANY), _ROUNDS)
    value = "ord-{} "
    yield from compared("publish, a near miss", sending(few, FEW, value), sending(many, MANY, value), _ROUNDS)
    scans = [lambda engine=engine: (engine.transact(Tick.due), engine.store.next_due()) for engine in (few, many)]
    yield from compared("look for what is due", *scans, _ROUNDS)
    lists = [lambda store=store: store.open_waits(WaitFilter(limit=20)) for store in stores.values()]
    yield from compared("list 20 waits", *lists, _ROUNDS)
    for store in stores.values():
        store.close()
    for words in (("send-message", "orderId=ORD-3", "--require-match"), ("waits", "--limit", "20")):
        runs = [command(*words, "--db", str(path)) for path in paths.values()]
        yield from compared(f"sm {' '.join(words)}", *runs, _COMMANDS)
    with_few, with_many = (resident(path) for path in paths.values())
    yield Figure("idle worker, 100 wait", with_few, "MB")
    yield Figure("  more with 100,000", with_many - with_few, "MB", "<= 20")
