"""A worker at work: from its first line to its exit code.

Whatever it says of itself is said here, as text or as JSON.
"""

from __future__ import annotations

import logging
import signal
from contextlib import ExitStack
from typing import TYPE_CHECKING

from sm_cli.cli.project.engines import carried
from sm_cli.cli.run import work_left
from sm_cli.cli.run.service import Service
from sm_cli.cli.run.signals import Interrupts
from sm_cli.cli.run.work_log import WorkLog
from sm_cli.cli.terminal.logs import tell_state
from sm_cli.views.endings import Endings
from sm_cli.views.left_over import Left, left_over
from sm_cli.worker import passes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Literal, TypeAlias

    from sm_cli.carriers.port import Carrier
    from sm_cli.cli.project.config import Project
    from sm_cli.engine.engine import Engine
    from sm_cli.engine.stepping.queues import Rota
    from sm_cli.handlers.handler import Handler
    from sm_cli.worker.worker import Worker

    #: How far it goes: on for ever, one pass, or until nothing is left to do now.
    Goes: TypeAlias = Literal["on", "once", "drain"]


class Working:
    """Between `begin` and `end`, signals ask the worker to stop, and a service manager is told how it is.

    grace: seconds that handlers have to end after the first signal."""

    def __init__(self, grace: float, project: Project) -> None:
        self.grace = grace
        self.log = WorkLog(project.root)
        self.service = Service()
        self.interrupts = Interrupts()
        self.stack = ExitStack()

    def __enter__(self) -> Working:
        self.stack.enter_context(self.interrupts)
        return self

    def __exit__(self, *details: object) -> None:
        self.stack.close()

    def warn_of_no_handlers(self, directory: Path) -> None:
        """Say what a worker without handlers does."""
        ours = "timers, messages, http:invoke, and reads and writes for Maps"
        text = f"sm: warning: there is no {directory}/: this worker runs {ours}, but no other task"
        tell_state("worker.warning", text, {}, level=logging.WARNING)

    def worker(
        self, engine: Engine, handlers: Mapping[str, Handler], slots: int, name: str, rota: Rota,
        carrier: Carrier | None,
    ) -> Worker:  # fmt: skip
        """The worker that is to work, with hints from the carrier as long as the block goes on."""
        from sm_cli.worker.worker import Worker

        hints = None if carrier is None else self.stack.enter_context(carried(carrier, engine))
        return Worker(engine, handlers, concurrency=slots, name=name, rota=rota, hints=hints)

    def begin(self, loop: Worker, handlers: int, directory: Path, url: str, *, stub: bool, processes: int) -> None:
        """Say who works, with what, on what. processes: how many its handlers have of their own; 0 for threads."""
        from sm_cli.views.database import url_for_people

        self.loop, place = loop, url_for_people(url)
        endings = Endings(loop.engine.store, self.log.attempt, self.log.execution)
        loop.engine.observe(endings.observe)
        slots, rest = loop.pool.size, " (and {} for every other task)" if stub else ""
        where = ", in processes of their own" if processes else ""
        text = f"worker {loop.name}: {handlers} handlers from {directory}/{rest}, {slots} at once{where}, on {place}"
        text += "" if loop.hints.carrier is None else f", with hints from {loop.hints.carrier.name}"
        facts = {
            "worker": loop.name,
            "handlers": handlers,
            "concurrency": slots,
            "processes": processes,
            "database": place,
        }
        if loop.hints.carrier is not None:
            facts["carrier"] = loop.hints.carrier.name
        tell_state("worker.started", text, facts)

    def run(self, goes: Goes) -> None:
        """Work until it is told to stop, or as far as it goes."""
        self.service.ready()
        if goes == "on":
            self.loop.run(self._told_to_stop)
        else:
            {"once": passes.once, "drain": passes.drain}[goes](self.loop, self._told_to_stop)

    def end(self, goes: Goes, *, ok_to_leave: bool, strict: bool) -> int:
        """Let the handlers end, and say how it ended. Returns the exit code."""
        loop, by_signal = self.loop, self.interrupts.signal is not None
        self.service.stopping()
        if by_signal and (handlers := loop.quarantine.at_work):
            running = f"{handlers} handler{'s' if handlers > 1 else ''}"
            text = f"worker {loop.name} waits up to {self.grace:g} s for {running}; a second signal ends it at once"
            tell_state("worker.stopping", text, {"worker": loop.name, "handlers": handlers})
        loop.finish(self.grace, self._is_alive)
        returned_jobs = len(loop.given_back)
        if by_signal:
            rest = f"; {returned_jobs} job{'s' if returned_jobs > 1 else ''} given back" if returned_jobs else ""
            tell_state(
                "worker.stopped",
                f"worker {loop.name} stopped{rest}",
                {"worker": loop.name, "given_back": returned_jobs},
            )
        code = 0
        if goes != "on":
            rest_of_work = left_over(loop)
            code = work_left.exit_code(self.log, rest_of_work, drains=goes == "drain", ok_to_leave=ok_to_leave)
            self._summary(rest_of_work, code)
        if not by_signal:
            return code
        is_drain = self.interrupts.signal == signal.SIGTERM and not returned_jobs and goes == "on"
        return 0 if is_drain and not strict else self.interrupts.exit_code

    def _summary(self, rest: list[Left], code: int) -> None:
        """Heard of a quiet worker too, when it did not go well."""
        level = logging.WARNING if code else logging.INFO
        facts = work_left.facts(self.log, rest, code)
        tell_state(
            "worker.summary", work_left.work_summary(self.log, rest), {"worker": self.loop.name, **facts}, level=level
        )

    def _told_to_stop(self) -> bool:
        self.service.alive()
        return self.interrupts.signal is not None

    def _is_alive(self) -> bool:
        self.service.alive()
        return False
