"""Workers on one store in a test's own time: each is a Worker whose rounds the test calls itself."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import Any

from sm_cli.asl.text.source import from_value
from sm_cli.engine.engine import Engine, Workflow, prepare
from sm_cli.engine.stepping.queues import Rota
from sm_cli.handlers.handler import Handler
from sm_cli.jsonvalue import Json
from sm_cli.store.protocol import Store
from sm_cli.store.records import Execution, Job
from sm_cli.store.sql.transaction import Transaction
from sm_cli.store.sqlite.memory import MemoryStore
from sm_cli.testing import FakeClock
from sm_cli.worker.membership import make_worker_record
from sm_cli.worker.worker import Worker
from tests.store.asking import asked

SECOND = 1_000_000


def workflow(definition: dict[str, Any], name: str = "w") -> Workflow:
    document = from_value(definition).document
    assert document is not None
    return prepare(document, name)


def one_task(**more: Any) -> Workflow:
    return workflow({"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "work", "End": True, **more}}})


def caught(**more: Any) -> Workflow:
    """One Task; what it fails with is the output."""
    catch = [{"ErrorEquals": ["States.TaskFailed", "States.Timeout"], "Next": "Caught"}]
    return workflow(
        {
            "StartAt": "T",
            "States": {
                "T": {"Type": "Task", "Resource": "work", "End": True, "Catch": catch, **more},
                "Caught": {"Type": "Succeed"},
            },
        }
    )


def soon(condition: Callable[[], object], seconds: float = 30) -> None:
    """Wait for something that another thread or process is about to do."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.002)


class Gate:
    """A handler that stays in its first calls until it is opened; `calls` holds the contexts, in order."""

    def __init__(self, *, repeatable: bool = True) -> None:
        self.open = threading.Event()
        self.calls: list[Any] = []
        self.handlers = {"work": Handler("work", self.work, repeatable)}

    def work(self, input: Json, context: Any) -> Json:
        self.calls.append(context)
        assert self.open.wait(60)
        return "done"


class Yard:
    """One store, one clock, any number of workers."""

    def __init__(self, store: Store | None = None, clock: FakeClock | None = None) -> None:
        self.store = store or MemoryStore()
        self.clock = clock or FakeClock()
        self.engine = Engine(self.store, clock=self.clock)
        self.gates: list[Gate] = []
        self.loops: list[Worker] = []

    def gate(self, **more: Any) -> Gate:
        self.gates.append(Gate(**more))
        return self.gates[-1]

    def worker(
        self, handlers: Mapping[str, Handler], name: str = "w", store: Store | None = None, *, alive: bool = False,
        **more: Any,
    ) -> Worker:  # fmt: skip
        """`alive`: this machine sees that its process lives. Else it is on another one, and its leases decide."""
        engine = self.engine if store is None else Engine(store, clock=self.clock)
        loop = Worker(engine, handlers, name=name, **more)
        if not alive:
            loop.worker = replace(loop.worker, host="elsewhere", process="//")
        self.loops.append(loop)
        return self.loops[-1]

    def start(self, definition: Workflow, input: Json = None, queue: str = "default") -> Execution:
        return self.engine.start(definition, input, queue=queue)[0]

    def later(self, seconds: float) -> None:
        self.clock.advance_to(self.clock.now() + round(seconds * SECOND))

    def job(self, execution: Execution) -> Job:
        (job,) = asked(self.store).jobs_of(execution.id)
        return job

    def now(self, execution: Execution) -> Execution:
        found = asked(self.store).execution(execution.id)
        assert found is not None
        return found

    def history(self, execution: Execution) -> list[str]:
        return [event.type for event in asked(self.store).history(execution.id)]

    def left_over(self, execution: Execution) -> list[Any]:
        store, id = self.store, execution.id
        return [
            *asked(store).jobs_of(id),
            *asked(store).timers_of(id),
            *asked(store).subscriptions_of(id),
            *asked(store).open_frames(id),
        ]

    def close(self) -> None:
        for gate in self.gates:
            gate.open.set()
        for loop in self.loops:
            loop.pool.close()
        self.store.close()


@contextmanager
def yard(store: Store | None = None, clock: FakeClock | None = None) -> Iterator[Yard]:
    made = Yard(store, clock)
    try:
        yield made
    finally:
        made.close()


@cache
def _ended() -> int:
    """The pid of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    process.wait()
    return process.pid


def died(loop: Worker) -> None:
    """As if this worker's process had been killed: nobody calls its rounds any more, and its pid is nobody's."""
    here = make_worker_record("dead", "1", 0)
    dead = replace(loop.worker, pid=_ended(), host=here.host, process=here.process)
    with loop.engine.store.write() as tx:
        _rewrite(tx, loop, dead)


def _rewrite(tx: Transaction, loop: Worker, dead: Any) -> None:
    from sm_cli.store.changes import Changes

    renamed = replace(dead, id=f"{dead.id}+dead")
    held = tx.leased_to(loop.worker.id)
    for job in held:
        job.worker = renamed.id
    tx.apply(Changes(workers=[renamed], workers_gone=[dead.id], leased_jobs=held))


__all__ = ["Gate", "Rota", "Yard", "caught", "died", "one_task", "soon", "workflow", "yard"]
