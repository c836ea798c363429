"""Schedules on workers whose clock stands still until a test moves it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sm_cli.engine.engine import Workflow
from sm_cli.jsonvalue import Json
from sm_cli.store.changes import Changes
from sm_cli.store.filters import ExecutionFilter, ExecutionPage
from sm_cli.store.protocol import Store
from sm_cli.store.records import Execution
from sm_cli.store.schedules import CatchUp, Overlap, Schedule
from sm_cli.testing import FakeClock
from sm_cli.timestamps import MICROSECONDS, rfc3339
from sm_cli.worker.worker import Worker
from tests.engine.workers import Yard, workflow
from tests.store.asking import asked

PASS: dict[str, Any] = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
#: It runs until a message comes.
OPEN: dict[str, Any] = {
    "StartAt": "M",
    "States": {
        "M": {"Type": "Message", "CorrelationKey": "go", "CorrelationValuePath": "$$.Execution.Name", "End": True}
    },
}


def microseconds(text: str) -> int:
    """A moment written as ISO 8601 with its offset, in microseconds since 1970 UTC."""
    return round(datetime.fromisoformat(text).timestamp()) * MICROSECONDS


def schedule(**change: Any) -> Schedule:
    """A schedule that is not stored: every day at 2:30 in Berlin, unless said otherwise."""
    facts: dict[str, Any] = {
        "id": 1, "name": "nightly", "workflow": "w", "cron": "30 2 * * *", "zone": "Europe/Berlin", "every": None,
        "anchor": 0, "jitter": 0, "overlap": Overlap.SKIP, "catch_up": CatchUp.LAST, "queue": "default",
        "limits": False, "created": 0, "next": None, "due": None, "paused_at": None, "running": (), "waiting": (),
        "firings": (), "input": None,
    }  # fmt: skip
    return Schedule(**{**facts, **change})


class Night:
    """One store with a schedule or several, a clock, and a worker that the test ticks."""

    def __init__(self, yard: Yard) -> None:
        self.yard = yard
        self.engine = yard.engine
        self.clock = yard.clock
        self.store = yard.store
        self.worker = yard.worker({})

    def add(self, name: str = "nightly", definition: Any = PASS, input: Json = None, **said: Any) -> Schedule:
        """A schedule of this definition, every hour unless said otherwise."""
        made: Workflow = workflow(definition, "w")
        if not {"cron", "every", "at"} & said.keys():
            said["every"] = 3600
        return self.engine.schedules.add(name, made, input, **said)[0]

    def put(self, made: Schedule) -> None:
        """Store a schedule that nobody has checked here: another machine, or a newer sm, has added it."""
        with self.store.write() as tx:
            made.id = tx.reserve("schedules", 1)
            tx.apply(Changes(new_schedules=[made]))

    def until(self, moment: str | int, step: float = 60, worker: Worker | None = None) -> None:
        """Time goes by in steps of so many seconds, and the worker is there."""
        end = microseconds(moment) if isinstance(moment, str) else moment
        while self.clock.now() < end:
            self.clock.advance_to(min(end, self.clock.now() + round(step * MICROSECONDS)))
            self.work(worker)

    def sleep_until(self, moment: str | int) -> None:
        """Time goes by, and no worker is there."""
        self.clock.advance_to(microseconds(moment) if isinstance(moment, str) else moment)

    def work(self, worker: Worker | None = None) -> None:
        """The worker does what there is to do now."""
        while (worker or self.worker).tick():
            pass

    def now(self, name: str = "nightly") -> Schedule:
        """The schedule as it is stored."""
        return self.engine.schedules.find(name)

    def outcomes(self, name: str = "nightly") -> list[tuple[str, str]]:
        """(time, what became of it) of its newest times."""
        return [(time_text(f.time), f.outcome.value) for f in self.now(name).firings]

    def executions(self) -> list[Execution]:
        """Oldest first."""
        return asked(self.store).list_executions(ExecutionFilter(), ExecutionPage(limit=1000))[::-1]

    def names(self) -> list[str]:
        """Of the executions, oldest first."""
        return [execution.name for execution in self.executions()]

    def end(self, execution: Execution) -> None:
        """Let an execution of OPEN end."""
        self.engine.publish("go", execution.name)


def time_text(microseconds: int) -> str:
    """`2026-03-29T01:00Z`, with seconds when there are some."""
    text = rfc3339(microseconds).replace(".000Z", "Z")
    return text.replace(":00Z", "Z") if text.count(":") == 2 else text


@contextmanager
def night(begin: str, store: Store | None = None) -> Iterator[Night]:
    """From this moment on."""
    yard = Yard(store, FakeClock(microseconds(begin)))
    try:
        yield Night(yard)
    finally:
        yard.close()
