"""What Celery's monitors see: each run of a handler as a task that is called by its resource.

The hint itself sends no events. Inputs, results and causes may hold what is nobody's business; they are not sent.
"""

from __future__ import annotations

import logging
import mmap
import os
import socket
import time
from typing import TYPE_CHECKING, Any

from sm_cli.carriers.celery import failures_of
from sm_cli.handlers.handler import Failure

if TYPE_CHECKING:
    from celery import Celery

    from sm_cli.handlers.handler import Success
    from sm_cli.views.records import Execution, Job

log = logging.getLogger("sm.worker")


class Monitor:
    """Sends events as `hostname`, as long as somebody wants them. The switch is memory that processes which are forked
    later share, for it is the parent that hears whether monitors are there."""

    def __init__(self, app: Celery, hostname: str) -> None:
        self.app = app
        self.hostname = hostname
        self._switch = mmap.mmap(-1, 1)
        self._starts: dict[str, float] = {}

    def turn(self, on: bool) -> None:
        """Send events from now on, or none."""
        self._switch[0] = int(on)

    def begins(self, job: Job, execution: Execution) -> None:
        """The job's handler begins."""
        if not self._switch[0]:
            return
        uuid = run_id(job)
        self._starts[uuid] = time.monotonic()
        retries = max(0, job.deliveries - 1)
        what = f"({execution.name!r},)"
        self._send("task-received", uuid, name=job.resource, args=what, kwargs="{}", retries=retries, eta=None)
        self._send("task-started", uuid)

    def ends(self, job: Job, outcome: Success | Failure) -> None:
        """The job's handler has ended, and what it brought is committed."""
        uuid = run_id(job)
        start = self._starts.pop(uuid, None)
        if start is None or not self._switch[0]:
            return
        if isinstance(outcome, Failure):
            self._send("task-failed", uuid, exception=outcome.error, traceback=None)
        else:
            self._send("task-succeeded", uuid, result="", runtime=time.monotonic() - start)

    def _send(self, kind: str, uuid: str, **fields: Any) -> None:
        try:
            with self.app.events.default_dispatcher(hostname=self.hostname) as dispatcher:
                dispatcher.send(kind, uuid=uuid, pid_of_handler=os.getpid(), **fields)
        except failures_of(self.app) as e:  # a monitor that sees less; the broker's absence is told elsewhere
            log.debug("an event was not sent: %s", type(e).__name__)


def run_id(job: Job) -> str:
    """What a monitor calls one run of a job's handler: another run has another one."""
    return f"sm-{socket.gethostname()}-{job.id}-{job.deliveries}"
