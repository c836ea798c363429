"""Working on one execution until it is closed, and saying how it ended.

The store tells what happened, so it makes no difference whether this process or another one did it.
"""

from __future__ import annotations

import os
import shlex
from functools import partial
from typing import TYPE_CHECKING

from sm_cli.cli.run.results import print_end, print_left
from sm_cli.cli.run.signals import Interrupts
from sm_cli.cli.run.standstill import Standstill
from sm_cli.cli.show.describe import ending
from sm_cli.cli.show.places import child_failure_lines
from sm_cli.cli.terminal import logs
from sm_cli.cli.terminal.actions import send_command
from sm_cli.cli.terminal.failures import say
from sm_cli.cli.terminal.live import Watcher
from sm_cli.cli.terminal.picture import watcher
from sm_cli.cli.terminal.progress import RED
from sm_cli.cli.terminal.tables import clean, local_time
from sm_cli.errors import StillRunning
from sm_cli.timestamps import MICROSECONDS
from sm_cli.views.executions import execution_now
from sm_cli.views.map_runs import child_failures
from sm_cli.views.stalls import stalls
from sm_cli.views.watch import Watch
from sm_cli.views.why import only_messages_move

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import TextIO

    from sm_cli.engine.engine import Engine
    from sm_cli.handlers.handler import Handler
    from sm_cli.views.records import Execution, HistoryEvent
    from sm_cli.worker.worker import Worker

#: Microseconds between two looks at the store while this process itself notices nothing.
_LOOK = 50_000


def own_name() -> str:
    """What this process is called as a worker, unless a person names it."""
    return f"{os.uname().nodename}:{os.getpid()}"


def worker_for(engine: Engine, registry: Mapping[str, Handler], slots: int) -> Worker:
    """The worker that this process is while it follows an execution. slots: how many handlers at once."""
    from sm_cli.worker.worker import Worker

    return Worker(engine, registry, concurrency=slots, name=own_name())


class Onlooker:
    """Looks at one execution, whoever works on it, as rarely as it can. root: the project's directory."""

    def __init__(
        self, engine: Engine, execution: Execution, watching: Watcher, root: Path, standstill: Standstill
    ) -> None:
        self.engine = engine
        self.id = execution.id
        self.watch = Watch(engine, execution)
        self.watching = watching
        self.last_look = 0
        self.last_report = engine.clock.now()
        self.something = True
        self.root = root
        self.last_question = self.last_report
        self.runs_with_failures: set[int] = set()  # ids of map runs whose first failure was told
        self.standstill = standstill

    def is_closed(self) -> bool:
        """Whether the execution is closed; shows what happened since the last look. Looks only so often."""
        now = self.engine.clock.now()
        if not self.something and now - self.last_look < _LOOK:
            return False
        self.something, self.last_look = False, now
        watching, frames = self.watching, self.watching.asks(now)
        look = self.watch.look(events=watching.looks, frames=frames)
        if watching.looks:
            watching.see(look.events, now)
        if frames:
            watching.learn(look.progress, now)
        if watching.interval is not None and now - self.last_report >= watching.interval:
            self.last_report = now
            watching.report(self.watch.under_way(), now)
        if look.execution is not None:
            self.standstill.look(look.execution)
            self.tell_failures(look.execution, now)
        return look.execution is None or look.execution.closed is not None

    def tell_failures(self, execution: Execution, now: int) -> None:
        """Of map runs under way, as soon as it is seen, the child that failed first."""
        if now - self.last_question < MICROSECONDS or execution.closed is not None:
            return
        self.last_question = now
        for failure in child_failures(self.engine, execution):
            if failure.run.id not in self.runs_with_failures:
                self.runs_with_failures.add(failure.run.id)
                for i, line in enumerate(child_failure_lines(failure, self.root)):
                    self.watching.line(f"    {line}" if i else f"  ✗ {line}", RED)


class Eyes(Onlooker):
    """Looks at one execution for the `until` of the loop that works on it."""

    def __init__(self, loop: Worker, execution: Execution, watching: Watcher, root: Path) -> None:
        reasons = partial(stalls, loop, time_text=local_time)
        super().__init__(loop.engine, execution, watching, root, Standstill(loop.engine, watching, reasons, root))
        loop.observe = self.observe

    def observe(self, events: list[HistoryEvent]) -> None:
        """From the loop, after a commit of its own."""
        if any(event.execution == self.id and event.type.startswith("Execution") for event in events):
            self.something = True

    def waits(self) -> bool:
        """Whether nothing but a message can move the execution."""
        return bool(only_messages_move(self.engine, self.id))


def follow(
    loop: Worker,
    begin: Callable[[], Execution],
    result: TextIO,
    again: list[str],
    *,
    root: Path,
    detach_on_wait: bool = False,
    format: str = "table",
) -> int:
    """Start an execution and work until it is closed or a signal comes; returns the exit code.

    `begin` starts it, when whatever its handlers print has its place. `again` is the command that goes on with it, told
    to who interrupts. `detach_on_wait`: leave it, too, when nothing but a message can move it; its id is the result
    then. root: the project's directory. `format`: how its end is printed; "table": its output.
    """
    engine = loop.engine
    with Interrupts() as interrupts:
        with watcher(logs.is_verbose()) as watching:
            execution = begin()
            loop.tree = execution.tree
            eyes = Eyes(loop, execution, watching, root)
            loop.run(lambda: eyes.is_closed() or interrupts.signal is not None or (detach_on_wait and eyes.waits()))
        current = execution_now(engine, execution.id)
        assert current is not None
        loop.let_go()
        if current.closed is None and interrupts.signal is not None:
            say(f"stopped; execution {execution.name} stays and goes on with: {shlex.join(again)}")
            return print_end(current, result, format, interrupts.exit_code)
    if current.closed is None:
        return _detach(engine, current, result, format)
    for line in ending(engine, current, root, whole=logs.is_verbose()):
        say(line)
    return print_end(current, result, format, 0 if current.status == "SUCCEEDED" else 1)


def _detach(engine: Engine, execution: Execution, result: TextIO, format: str) -> int:
    """Leave an execution that waits for messages: its id, and what would move it."""
    code = print_left(execution, result, format, StillRunning.exit_code)
    for s in only_messages_move(engine, execution.id):
        until = "" if s.deadline is None else f" until {local_time(s.deadline)}"
        advice = clean(f"{s.key}={s.value}{until}: {send_command(s.key, s.value)}")
        say(f"execution {execution.name} waits for the message {advice}")
    return code
