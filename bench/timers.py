"""10,000 timers due over 10 seconds: how late each fires; and a message, from the sender to the handler."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from bench.commands import Project, end
from bench.engines import prepared
from bench.report import Figure
from sm_cli.engine.engine import Engine, Workflow
from sm_cli.engine.loop import Loop
from sm_cli.interpreter.env import MICROSECONDS, rfc3339
from sm_cli.store.base import HistoryEvent
from sm_cli.store.open import open_store

TIMERS, SECONDS, MESSAGES = 10_000, 10, 60

WAIT = {"StartAt": "W", "States": {"W": {"Type": "Wait", "TimestampPath": "$.at", "End": True}}}
MESSAGE = """
StartAt: M
States:
  M: {Type: Message, CorrelationKey: n, CorrelationValuePath: $.n, Next: T}
  T: {Type: Task, Resource: note, End: true}
"""
NOTE = """
import time
from sm_cli import handler
@handler
def note(input):
    return time.time()
"""


class Watch:
    """Notes when each Wait was left, and when that was committed."""

    def __init__(self) -> None:
        self.left: dict[int, tuple[int, int]] = {}
        self.fired = 0

    def __call__(self, events: list[HistoryEvent]) -> None:
        now = time.time_ns() // 1000
        for event in events:
            if event.type == "WaitStateExited":
                self.left[event.execution] = (event.at, now)
                self.fired += 1


def timers(folder: Path) -> Iterator[Figure]:
    store = open_store(str(folder / "timers.db"))
    engine, workflow, due = Engine(store), prepared(WAIT), {}
    first = time.time_ns() // MICROSECONDS * 1000 + 60_000_000
    for n in range(TIMERS):
        # RFC 3339 with milliseconds: the time that the timer is set to, exactly.
        at = first // 1000 * 1000 + n * SECONDS * MICROSECONDS // TIMERS // 1000 * 1000
        due[engine.start(workflow, {"at": rfc3339(at)})[0].id] = at
        assert time.time_ns() // 1000 < first, "starting them took longer than a minute"
    watch = Watch()
    loop = Loop(engine, {}, observe=watch)
    commits = store.commits
    loop.run(lambda: len(watch.left) == TIMERS)
    commits = store.commits - commits
    late = sorted(watch.left[id][0] - at for id, at in due.items())
    committed = sorted(watch.left[id][1] - at for id, at in due.items())
    yield Figure("timers lost", TIMERS - len(watch.left), "", "<= 0")
    yield Figure("timers fired twice", watch.fired - TIMERS, "", "<= 0")
    yield Figure("timers fired early", sum(each < 0 for each in late), "", "<= 0")
    for name, found, target in (("firing", late, "<= 20"), ("firing and its commit", committed, None)):
        yield Figure(f"lateness of the {name}: p50", statistics.median(found) / 1000, "ms")
        yield Figure(f"lateness of the {name}: p99", found[len(found) * 99 // 100] / 1000, "ms", target)
        yield Figure(f"lateness of the {name}: longest", found[-1] / 1000, "ms")
    yield Figure("commits a timer", commits / TIMERS, "")
    store.close()


def messages(folder: Path) -> Iterator[Figure]:
    """The sender is this process, the worker another one."""
    project = Project(folder)
    project.write("workflows/message.yaml", MESSAGE)
    project.write("handlers/note.py", NOTE)
    workflow: Workflow = prepared(_parsed())
    store = open_store(str(project.database))
    engine = Engine(store)
    worker = project.worker("w1")
    ids = [engine.start(workflow, {"n": n})[0].id for n in range(MESSAGES)]
    sending, beginning = [], []
    for n, id in enumerate(ids):
        time.sleep(0.05)  # the worker is idle again
        before = time.time()
        engine.transact(lambda tick, n=n: tick.publish("n", n, {}, ttl=0))  # type: ignore[misc]
        sending.append(time.time() - before)
        while (execution := store.execution(id)) is None or execution.closed is None:
            time.sleep(0.001)
        assert isinstance(execution.output, float), execution
        beginning.append(execution.output - before)
    said = end(worker)
    store.close()
    assert "error" not in said, said
    yield Figure("a message, sent and committed: p50", statistics.median(sending) * 1000, "ms")
    yield Figure("from sending to the handler, in another process: p50", statistics.median(beginning) * 1000, "ms", "<= 30")
    yield Figure("from sending to the handler: longest", max(beginning) * 1000, "ms")


def _parsed() -> dict[str, object]:
    import yaml

    parsed: dict[str, object] = yaml.safe_load(MESSAGE)
    return parsed


def run(folder: Path) -> Iterator[Figure]:
    yield from messages(folder)
    yield from timers(folder)
