"""Workers in processes of their own, on one Postgres and one Valkey, and executions whose outcome is known."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sm_cli.engine.engine import Engine
from sm_cli.store.open import open_store
from tests.carriers.valkey import Broker, broker
from tests.engine.workers import workflow
from tests.postgres.server import schema
from tests.store.asking import asked

CHECKOUT = Path(__file__).resolve().parents[2]
ITEMS = 12
HANDLERS = """
import time
from pathlib import Path
from sm_cli import handler

@handler("double")
def double(n):
    while Path("hold").exists():
        time.sleep(0.01)
    return 2 * n

@handler("add up")
def add_up(numbers):
    return sum(numbers)
"""
DEFINITION: dict[str, Any] = {
    "StartAt": "Each",
    "States": {
        "Each": {
            "Type": "Map",
            "ItemProcessor": {
                "StartAt": "Double",
                "States": {"Double": {"Type": "Task", "Resource": "double", "End": True}},
            },
            "Next": "Breathe",
        },
        "Breathe": {"Type": "Wait", "Seconds": 1, "Next": "Sum"},
        "Sum": {"Type": "Task", "Resource": "add up", "End": True},
    },
}


def soon(condition: Callable[[], object]) -> None:
    """Wait for what other processes are about to do, on a machine that may be busy."""
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


class Fleet:
    """Processes that work, and an engine that only starts executions and knows of no carrier."""

    def __init__(self, folder: Path, url: str, broker: Broker) -> None:
        self.folder = folder
        self.broker = broker
        self.environment = {
            **os.environ, "PYTHONPATH": str(CHECKOUT), "SM_DATABASE_URL": url, "SM_CELERY_BROKER_URL": broker.url,
            "XDG_STATE_HOME": str(folder),
        }  # fmt: skip
        (folder / "handlers").mkdir()
        (folder / "handlers" / "handlers.py").write_text(HANDLERS)
        self.store = open_store(url)
        self.engine = Engine(self.store)
        self.processes: list[subprocess.Popen[bytes]] = []
        self._ids: list[int] = []

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """A process of its own group: `python -m` this. What it says goes to a file `N.log`."""
        with (self.folder / f"{len(self.processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", *command], cwd=self.folder, env=self.environment,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def log(self, number: int) -> str:
        """What a process has said."""
        return (self.folder / f"{number}.log").read_text()

    def worker(self, *options: str) -> subprocess.Popen[bytes]:
        """A worker of ours that has begun."""
        process = self.start("sm_cli", "worker", "--engine", "celery", "--concurrency", "2", *options)
        number = len(self.processes) - 1
        soon(lambda: "with hints from" in self.log(number) or process.poll() is not None)
        assert process.poll() is None, self.log(number)
        return process

    def celery(self, *options: str) -> subprocess.Popen[bytes]:
        """A worker of Celery that has begun."""
        name = f"c{len(self.processes)}@here"
        process = self.start("celery", "-A", "sm_cli.celery.app", "worker", "-l", "info", "-n", name, *options)
        number = len(self.processes) - 1
        soon(lambda: " ready." in self.log(number) or process.poll() is not None)
        assert process.poll() is None, self.log(number)
        return process

    def begin(self, count: int, queue: str = "default") -> None:
        """Start so many executions."""
        for _ in range(count):
            execution = self.engine.start(workflow(DEFINITION), [*range(ITEMS)], queue=queue)[0]
            self._ids.append(execution.id)

    def hold(self) -> None:
        """Handlers that begin from now on do not end."""
        (self.folder / "hold").touch()

    def release(self) -> None:
        """They do."""
        (self.folder / "hold").unlink()

    def leases(self) -> int:
        """How many tasks are being done."""
        with self.store.read() as questions:
            return sum(questions.jobs_by_worker().values())

    def ended(self) -> list[tuple[str, Any]]:
        """Status and output of the executions that are closed."""
        with self.store.read() as questions:
            found = [questions.execution(id) for id in self._ids]
        return [(str(each.status), each.output) for each in found if each is not None and each.closed is not None]

    def are_closed(self) -> bool:
        """Whether every execution is."""
        return len(self.ended()) == len(self._ids)

    def calm(self) -> None:
        """Wait for the outcome of a calm run: every execution with the right sum, and nothing left."""
        soon(self.are_closed)
        assert self.ended() == [("SUCCEEDED", 2 * sum(range(ITEMS)))] * len(self._ids)
        for id in self._ids:
            assert asked(self.store).jobs_of(id) == []

    def close(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(30)
        self.store.close()


@contextmanager
def fleet(folder: Path) -> Iterator[Fleet]:
    """Whose processes are gone after the block."""
    with schema() as url, broker() as own:
        made = Fleet(folder, url, own)
        try:
            yield made
        finally:
            made.close()


__all__ = ["Fleet", "fleet", "soon"]
