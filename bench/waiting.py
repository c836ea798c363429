"""What waiting costs: 100,000 executions that wait for a message, against 100.

Each growth is the ratio of two medians, measured in turn on two files: sending to one execution, just missing
one, looking for due timers, listing waits; the first and the last also as commands. Then an idle worker's memory.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, TypeAlias

from bench.engines import prepared
from bench.report import Figure
from sm_cli.engine.engine import Engine, Workflow
from sm_cli.engine.send_message import SendOutcome
from sm_cli.engine.stepping import starting
from sm_cli.engine.stepping.tick import Tick
from sm_cli.store.messages import WaitFilter
from sm_cli.store.open import open_store
from sm_cli.store.protocol import Store
from tests.store.asking import asked

#: The same thing to do on the file with few waits and on that with many.
Pair: TypeAlias = tuple[Callable[[], object], Callable[[], object]]

FEW, MANY = 100, 100_000
_BATCH = 1_000
_ROUNDS, _COMMANDS = 400, 15


def workflow() -> Workflow:
    """Wait, and when a message comes, wait again."""
    wait: dict[str, Any] = {
        "Type": "Message", "CorrelationKey": "orderId", "CorrelationValuePath": "$.orderId",
        "TimeoutSeconds": 86_400, "TimeoutPath": "End", "ResultPath": "$.last", "Next": "Again",
    }  # fmt: skip
    over = {"Variable": "$.over", "IsPresent": True, "Next": "End"}
    again = {"Type": "Choice", "Choices": [over], "Default": "Wait"}
    return prepared({"StartAt": "Wait", "States": {"Wait": wait, "Again": again, "End": {"Type": "Succeed"}}})


def fill(store: Store, count: int) -> None:
    """So many waiting executions, many to a transaction; their timeouts are a day away."""
    engine, waits = Engine(store), workflow()

    def begin(tick: Tick, first: int, last: int) -> None:
        version = engine.programs.version_to_start(waits, tick.tx, tick.changes, tick.now)
        for n in range(first, last):
            ref = engine.clock.new_ref()
            starting.begin(tick, version, {"orderId": f"ORD-{n}"}, ref=ref, name=ref)

    for first in range(0, count, _BATCH):
        last = min(first + _BATCH, count)
        engine.transact(lambda tick, first=first, last=last: begin(tick, first, last))  # type: ignore[misc]


def medians(pair: Pair, rounds: int) -> tuple[float, float]:
    """Microseconds of each, taken in turn."""
    took: tuple[list[float], list[float]] = ([], [])
    for n in range(2 * rounds):
        begun = time.perf_counter()
        pair[n % 2]()
        took[n % 2].append(time.perf_counter() - begun)
    return statistics.median(took[0]) * 1e6, statistics.median(took[1]) * 1e6


def sending(engine: Engine, waiting: int, value: str = "ORD-{}") -> Callable[[], object]:
    """Send to one after the other, in an order that jumps about."""
    numbers = count()
    expected = SendOutcome.DELIVERED if value == "ORD-{}" else SendOutcome.NOT_DELIVERED

    def send() -> None:
        n = next(numbers) * 7919 % waiting
        sent = engine.publish("orderId", value.format(n), {"approved": True}, ttl=0)
        assert sent.outcome is expected, sent

    return send


def looking(engine: Engine) -> Callable[[], object]:
    return lambda: (engine.transact(Tick.due), asked(engine.store).next_due())


def listing(store: Store) -> Callable[[], object]:
    return lambda: asked(store).open_waits(WaitFilter(limit=20))


def command(words: str, path: Path) -> Callable[[], object]:
    line = [sys.executable, "-m", "sm_cli", *words.split(), "--db", str(path)]
    return lambda: subprocess.run(line, stdout=subprocess.DEVNULL, check=True)


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


def compared(name: str, pair: Pair, rounds: int = _ROUNDS) -> Iterator[Figure]:
    small, large = medians(pair, rounds)
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
    few, many = Engine(stores[FEW]), Engine(stores[MANY])
    yield from compared("publish to one that waits", (sending(few, FEW), sending(many, MANY)))
    yield from compared("publish, a near miss", (sending(few, FEW, "ord-{} "), sending(many, MANY, "ord-{} ")))
    yield from compared("look for what is due", (looking(few), looking(many)))
    yield from compared("list 20 waits", (listing(stores[FEW]), listing(stores[MANY])))
    for store in stores.values():
        store.close()
    for words in ("send-message orderId=ORD-3 --require-match", "waits --limit 20"):
        pair = command(words, paths[FEW]), command(words, paths[MANY])
        yield from compared(f"sm {words}", pair, _COMMANDS)
    with_few, with_many = resident(paths[FEW]), resident(paths[MANY])
    yield Figure("idle worker, 100 wait", with_few, "MB")
    yield Figure("  more with 100,000", with_many - with_few, "MB", "<= 20")
