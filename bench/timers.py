"""10,000 timers due over 10 seconds: how late each fires; and a message, from the sender to the handler."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from bench.commands import Project
from bench.engines import prepared
from bench.report import Figure
from sm_cli.engine.engine import Engine, Workflow
from sm_cli.engine.send_message import send
from sm_cli.engine.stepping.tick import Tick
from sm_cli.store.open import open_store
from sm_cli.store.records import HistoryEvent
from sm_cli.timestamps import MICROSECONDS, rfc3339
from sm_cli.worker.worker import Worker
from tests.store.asking import asked

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
    loop = Worker(engine, {}, observe=watch)
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
    """The sender is this process, the worker another one: one that had work just now, or one that idles."""
    project = Project(folder)
    project.write("workflows/message.yaml", MESSAGE)
    project.write("handlers/note.py", NOTE)
    workflow: Workflow = prepared(_parsed())
    store = open_store(str(project.database))
    engine = Engine(store)
    worker = project.worker("w1")
    for who, count, pause, targets in (
        ("a worker", MESSAGES, 0.05, ("<= 30", None)), ("an idle worker", 20, 1.5, (None, "<= 50")),
    ):  # fmt: skip
        sending, beginning = [], []
        for n in range(count):
            id = engine.start(workflow, {"n": n})[0].id
            time.sleep(pause)
            sent = time.time()
            engine.transact(partial(_send, n))
            sending.append(time.time() - sent)
            while (execution := asked(store).execution(id)) is None or execution.closed is None:
                time.sleep(0.001)
            assert isinstance(execution.output, float), execution
            beginning.append(execution.output - sent)
        yield Figure(f"a message to {who}, sent and committed: p50", statistics.median(sending) * 1000, "ms")
        middle, longest = statistics.median(beginning) * 1000, max(beginning) * 1000
        yield Figure(f"from sending to the handler in {who}: p50", middle, "ms", targets[0])
        yield Figure(f"from sending to the handler in {who}: longest", longest, "ms", targets[1])
    said = project.end(worker, "w1")
    store.close()
    assert "error" not in said, said


def _send(n: int, tick: Tick) -> None:
    send(tick, "n", n, {}, ttl=0)


def _parsed() -> dict[str, object]:
    import yaml

    parsed: dict[str, object] = yaml.safe_load(MESSAGE)
    return parsed


def run(folder: Path) -> Iterator[Figure]:
    yield from messages(folder)
    yield from timers(folder)
