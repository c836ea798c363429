"""100 greedy executions beside 100 modest ones on one worker: how late a modest step is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.engines import looping, prepared
from bench.report import Figure
from sm_cli.store.records import Status
from sm_cli.timestamps import MICROSECONDS
from tests.store.asking import asked

EXECUTIONS, WAITS, ITEMS = 100, 8, 1000
#: Seconds in which all of them are started; then they begin together.
FIRST = 5
#: Some 25 ms each.
SLOW = "{% $count($filter([1..4000], function($v) { $v % 2 = 0 })) %}"


def greedy() -> Any:
    """More slow items than it can step in the time of the bench."""
    inner = {"StartAt": "P", "States": {"P": {"Type": "Pass", "Output": SLOW, "End": True}}}
    wait = {"Type": "Wait", "Seconds": FIRST, "Next": "M"}
    states = {"W": wait, "M": {"Type": "Map", "ItemProcessor": inner, "End": True}}
    return prepared({"QueryLanguage": "JSONata", "StartAt": "W", "States": states}, "greedy")


def modest() -> Any:
    """Waits of a second in a row: each is a step at a time that is known."""
    states: dict[str, Any] = {
        f"W{i}": {"Type": "Wait", "Seconds": 1 if i else FIRST, "Next": f"W{i + 1}"} for i in range(WAITS)
    }
    states[f"W{WAITS}"] = {"Type": "Succeed"}
    return prepared({"StartAt": "W0", "States": states}, "modest")


def run(folder: Path) -> Iterator[Figure]:
    with looping(folder / "fairness.db") as (loop, store):
        big = [loop.engine.start(greedy(), list(range(ITEMS)))[0].id for _ in range(EXECUTIONS)]
        small = [loop.engine.start(modest(), None)[0].id for _ in range(EXECUTIONS)]
        begun = time.perf_counter()

        def done() -> bool:
            found = [asked(store).execution(id) for id in small]
            return all(e is not None and e.closed is not None for e in found)

        loop.run(done)
        seconds = time.perf_counter() - begun
        late: list[int] = []
        for id in small:
            events = asked(store).history(id)
            entered = [event.at for event in events if event.type == "WaitStateEntered"]
            exited = [event.at for event in events if event.type == "WaitStateExited"]
            spans = [FIRST] + [1] * (WAITS - 1)
            late += [out - into - span * MICROSECONDS for into, out, span in zip(entered, exited, spans, strict=True)]
            ended = asked(store).execution(id)
            assert ended is not None and ended.status is Status.SUCCEEDED
        late.sort()
        left = [asked(store).execution(id) for id in big]
        running = sum(e is not None and e.status is Status.RUNNING for e in left)
        yield Figure("time until the modest ones were through", seconds, "s")
        yield Figure("greedy executions that still had work then", running, "")
        yield Figure(f"a modest step among {len(late)}: median", late[len(late) // 2] / 1000, "ms late")
        yield Figure("a modest step: p99", late[len(late) * 99 // 100] / 1000, "ms late", "<= 250")
        yield Figure("a modest step: latest", late[-1] / 1000, "ms late")
