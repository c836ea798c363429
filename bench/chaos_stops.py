"""Workers are stopped (SIGSTOP) inside and outside of transactions, their clocks jump, and greedy executions run beside
the others: nobody but the greedy ones may notice. The workflow, and the calm run that says what is right, are those of
`chaos`; nobody is killed, so that no handler may run twice for one attempt. One worker's clock is set by libfaketime
where that is there (Debian: `faketime`), those of the others by an offset of the bench's own (`jumpy_sm`).
"""

from __future__ import annotations

import fcntl
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.chaos import WORKERS, Plan, Run, judged
from bench.commands import CHECKOUT, Project
from bench.jumpy_sm import faked, find_libfaketime
from bench.report import Figure
from sm_cli.store.open import open_store
from sm_cli.store.protocol import Store
from tests.store.asking import asked

#: Half a second of JSONata in each item, as fast as they come.
GREEDY = """
QueryLanguage: JSONata
StartAt: Each
States:
  Each:
    Type: Map
    Items: "{% [1..4] %}"
    End: true
    ItemProcessor:
      StartAt: Count
      States:
        Count: {Type: Pass, Output: "{% $count($filter([1..50000], function($v) { $v % 2 = 0 })) %}", End: true}
"""

#: Seconds by which the workers' clocks are ahead after a jump, and not after the next one. Less than the answered
#: messages may take, because the deadline of a message stays with the wall clock.
AHEAD = 40
#: Seconds that a worker is stopped for: less and more than the second after which who waited judges nobody.
SHORTEST, LONGEST = 0.2, 2.5
#: What a worker may say of all this.
EXPECTED = ("the clock jumped", "has held the database since")


@dataclass
class Stops(Run):
    """kills counts stops. inside: of them, how many within a transaction. jumps: of the clock, of all workers."""

    inside: int = 0
    jumps: int = 0
    greedy: int = 0
    library: str | None = field(default_factory=find_libfaketime)
    chance: random.Random = field(default_factory=lambda: random.Random(7))

    def go(self) -> None:
        self.project.write("clock", "+0")
        self.project.write("workflows/greedy.yaml", GREEDY)
        super().go()

    def start_worker(self, name: str) -> None:
        environment = dict(os.environ)
        if self.library is not None and name == WORKERS[0]:
            environment |= faked(self.library, self.project.folder / "clock")
        with (self.project.folder / f"{name}.log").open("a") as log:
            self.workers[name] = subprocess.Popen(
                [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(CHECKOUT)!r})\n"
                 "import runpy; runpy.run_module('bench.jumpy_sm', run_name='__main__', alter_sys=True)",
                 "worker", "-q", "--name", name, "--concurrency", "4"],
                cwd=self.project.folder, text=True, stderr=log, env=environment,
            )  # fmt: skip

    def agenda(self, pool: ThreadPoolExecutor) -> Iterator[tuple[float, Callable[[], None]]]:
        yield from super().agenda(pool)
        for n in range(max(2, self.plan.executions // 10)):
            self.greedy += 1
            begin = self.plan.seconds * n / max(2, self.plan.executions // 10)
            yield begin, self.later(pool, "run", "greedy", "--detach", "--name", f"g{n}", "--input", "{}")

    def kill(self, name: str) -> None:
        """Not a kill here: stop the worker for a while, every other time in a transaction; now and then jump."""
        worker = self.workers[name]
        assert worker.poll() is None, f"the worker {name} has ended by itself with {worker.returncode}"
        self.kills += 1
        if self.kills % 3 == 0:
            self.jumps += 1
            self.project.write("clock.new", f"+{AHEAD if self.jumps % 2 else 0}")
            (self.project.folder / "clock.new").replace(self.project.folder / "clock")
        tries = 200 if self.kills % 2 else 1
        for _ in range(tries):
            worker.send_signal(signal.SIGSTOP)
            if tries == 1 or self.writes(worker.pid):
                break
            worker.send_signal(signal.SIGCONT)
            time.sleep(self.chance.uniform(0, 0.01))
        self.inside += self.writes(worker.pid)
        time.sleep(self.chance.uniform(SHORTEST, LONGEST))
        worker.send_signal(signal.SIGCONT)

    def writes(self, pid: int) -> bool:
        """Whether this process, which is stopped, has the turn to write."""
        with Path(f"{self.project.database}.lock").open("r+") as lock:
            note = lock.readline().split()
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return len(note) > 1 and note[1] == str(pid)
            return False

    def complaints(self) -> list[str]:
        return [line for line in super().complaints() if not any(said in line for said in EXPECTED)]

    def unclosed(self, store: Store) -> int:
        """Greedy executions that have not ended: all are waited for, however they end."""
        return sum(asked(store).find(f"g{n}")[0].closed is None for n in range(self.greedy))

    def carry_out(self, agenda: list[tuple[float, Callable[[], None]]]) -> None:
        super().carry_out(agenda)
        store, end = open_store(str(self.project.database)), time.monotonic() + 300
        while self.unclosed(store):
            assert time.monotonic() < end, "greedy executions do not come to their end"
            time.sleep(0.1)
        store.close()


def chaos(folder: Path, plan: Plan) -> Iterator[Figure]:
    calm = Run(replace(plan, seconds=min(20, plan.seconds), pause=None), Project(folder / "calm"))
    wild = Stops(plan, Project(folder / "wild"))
    calm.go()
    wild.go()
    yield Figure("stops of a worker inside a transaction", wild.inside, "")
    yield Figure("jumps of the workers' clocks", wild.jumps, "")
    yield Figure("workers whose clock libfaketime sets; an own offset the others'", int(wild.library is not None), "")
    yield Figure("greedy executions", wild.greedy, "")
    for figure in judged(calm, wild):
        if figure.name == "kills of a worker":
            yield Figure("stops of a worker", wild.kills, "")
        elif figure.name.startswith("handler runs beyond one"):
            yield Figure("handler runs beyond one an attempt", figure.value, "", "<= 0")
        else:
            yield figure


def run(folder: Path) -> Iterator[Figure]:
    yield from chaos(folder, Plan(executions=100, seconds=120, pause=2))


def short(folder: Path) -> Iterator[Figure]:
    """The same in a minute."""
    yield from chaos(folder, Plan(executions=6, seconds=4, pause=1.5, timeout=3))
