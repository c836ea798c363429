"""What a callback costs with 4,000 tasks waiting in one execution, against 100.

A Map hands all of its items over; then one after the other is answered with its token, on both files in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.engines import prepared
from bench.report import Figure
from bench.waiting import medians
from sm_cli.engine.engine import Engine
from sm_cli.engine.settings import JobTaker
from sm_cli.engine.stepping.tick import Tick
from sm_cli.interpreter.tokens import make_token
from sm_cli.store.open import open_store
from tests.store.asking import asked

FEW, MANY = 100, 4_000
_ROUNDS = 90


def waiting(engine: Engine, count: int) -> list[str]:
    """The tokens of so many tasks of one execution that wait."""
    task = {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "End": True}
    item = {"StartAt": "T", "States": {"T": {**task, "TimeoutSeconds": 86_400}}}
    definition: dict[str, Any] = {
        "StartAt": "M", "States": {"M": {"Type": "Map", "ItemProcessor": item, "End": True}},
    }  # fmt: skip
    taker = JobTaker("bench", count)
    _, _, jobs = engine.start(prepared(definition), list(range(count)), taker=taker)

    def accepted(tick: Tick) -> None:
        for job in jobs:
            tick.handler_returned(job, {})

    engine.transact(accepted)
    while asked(engine.store).has_ready():
        taker = JobTaker("bench", count)
        _, tick = engine.transact(Tick.due, taker)
        jobs = tick.taken_jobs()
        engine.transact(accepted)
    found = asked(engine.store).handed_over(count)
    assert len(found) == count
    return [make_token(engine.settings.token_key, job.frame, job.seq) for job in found]


def answering(engine: Engine, tokens: list[str], answer: str) -> Callable[[], object]:
    left = iter(tokens)
    if answer == "heartbeat":
        return lambda: engine.task_beat(next(left))
    return lambda: engine.task_succeeded(next(left), {"n": 1})


def run(folder: Path) -> Iterator[Figure]:
    engines = [Engine(open_store(str(folder / f"{count}.db"))) for count in (FEW, MANY)]
    tokens = [waiting(engine, count) for engine, count in zip(engines, (FEW, MANY), strict=True)]
    for answer in ("heartbeat", "success"):
        few, many = (answering(engine, mine, answer) for engine, mine in zip(engines, tokens, strict=True))
        small, large = medians((few, many), _ROUNDS)
        yield Figure(f"task {answer}, 100 wait", small, "us")
        yield Figure(f"task {answer}, 4,000 wait", large, "us")
        yield Figure("  growth", large / small, "x", "<= 1.5")
    for engine in engines:
        engine.store.close()
