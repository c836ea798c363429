"""The chaos of `chaos` on a Postgres server, which is killed too (SIGKILL, and started again after a second or two).

The server is one of our own, from a wheel, with what it commits on disk. Commands that find it gone end with exit code
7 and are tried again, as a script would; workers outlast it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.chaos import Plan, Run, judged
from bench.commands import Project
from bench.report import Figure
from sm_cli.errors import DatabaseAway
from tests.postgres.server import Server, with_option

#: What a worker may say of a server that is away.
EXPECTED = ("trying again until it works", "the database answers again")


@dataclass
class Outages(Run):
    """outages: how often the server was killed. every: kills of workers for each of these."""

    server: Server = field(default_factory=lambda: Server(quick=False))
    outages: int = 0
    every: int = 20
    chance: random.Random = field(default_factory=lambda: random.Random(11))

    def kill(self, name: str) -> None:
        super().kill(name)
        if self.kills % self.every == 0:
            self.server.kill()
            self.outages += 1
            time.sleep(self.chance.uniform(0.2, 2))
            self.server.start()

    def later(self, pool: ThreadPoolExecutor, *arguments: str) -> Callable[[], None]:
        return lambda: self.commands.append(pool.submit(self.insist, *arguments))

    def insist(self, *arguments: str) -> str:
        """The stdout of a command, tried again while the server is away: its name or message id makes it one."""
        end = time.monotonic() + 120
        while True:
            try:
                return self.project.run(*arguments)
            except RuntimeError as e:
                if "ended with 7" not in str(e) or time.monotonic() > end:
                    raise
                time.sleep(0.2)

    def select(self, sql: str) -> list[tuple[object, ...]]:
        while True:
            try:
                return super().select(sql)
            except DatabaseAway:
                time.sleep(0.1)

    def complaints(self) -> list[str]:
        return [line for line in super().complaints() if not any(words in line for words in EXPECTED)]


def chaos(folder: Path, plan: Plan, every: int) -> Iterator[Figure]:
    server = Server(quick=False)
    try:
        calm = Outages(
            replace(plan, seconds=min(20, plan.seconds), pause=None), Project(folder / "calm"), server=server
        )
        wild = Outages(plan, Project(folder / "wild"), server=server, every=every)
        for run, schema in ((calm, "calm"), (wild, "wild")):
            run.project.url = with_option(server.url, f"schema={schema}")
            run.go()
        yield Figure("kills of the server", wild.outages, "")
        yield from judged(calm, wild)
    finally:
        server.stop()


def run(folder: Path) -> Iterator[Figure]:
    yield from chaos(folder, Plan(executions=200, seconds=205, pause=1), every=20)


def short(folder: Path) -> Iterator[Figure]:
    """The same in a minute or two."""
    yield from chaos(folder, Plan(executions=8, seconds=8, pause=0.7, timeout=6), every=4)
