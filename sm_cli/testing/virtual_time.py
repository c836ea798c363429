"""Virtual time inside of a handler: it passes when the handler says so, and runs into the timeouts of its task."""

from __future__ import annotations

import contextvars

from sm_cli.store.records import Job


class Overslept(BaseException):
    """Ends a simulated handler whose timeout or heartbeat has passed while it slept."""


class VirtualTime:
    """The virtual time of one handler call: how long it has slept, and when it has to have ended or beaten."""

    def __init__(self, job: Job) -> None:
        self.sleep_time = 0.0
        self.timeout = job.timeout
        self.heartbeat = job.heartbeat
        self.last_beat: float | None = None

    def sleep(self, seconds: float) -> None:
        """Let so much pass. Raises Overslept when the task is over by then."""
        self.sleep_time += seconds
        if self.timeout is not None and self.sleep_time > self.timeout:
            raise Overslept
        if self.heartbeat is not None and self.sleep_time - (self.last_beat or 0.0) > self.heartbeat:
            raise Overslept

    def beat(self) -> None:
        """The handler is alive: its HeartbeatSeconds begin anew."""
        self.last_beat = self.sleep_time


current: contextvars.ContextVar[VirtualTime | None] = contextvars.ContextVar("sm_virtual_time", default=None)


def sleep(seconds: float) -> None:
    """Let virtual time pass inside a simulated handler; it runs into its timeout at once.

    Outside of `simulate` this is an error: a handler that really waits uses time.sleep.
    Raises RuntimeError outside of one.
    """
    virtual = current.get()
    if virtual is None:
        raise RuntimeError("sm_cli.testing.sleep is for handlers that simulate() calls")
    virtual.sleep(seconds)
