"""One process for handlers, as the worker sees it.

One thread at a time sends it tasks and waits for it, and never longer than it wants to: it is woken by whoever
cancels the task. A process that ended is noticed by its end, not only by that of its connection, which a child that a
handler forked may hold open.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from sm_cli.store.inherited import not_inherited
from sm_cli.worker.processes.frames import Assembly, pack
from sm_cli.worker.processes.logs import levels
from sm_cli.worker.processes.spawning import spawn_process

log = logging.getLogger("sm.engine")

#: Seconds between two looks whether a process lives, where the kernel does not tell (other systems than Linux).
_LOOK = 0.2


class ProcessEnded(Exception):
    """The process is no more; the text says how it ended, as a verb with what follows it."""


class Process:
    """A process that loads the handlers of a directory and then waits for tasks. Raises OSError when none starts."""

    def __init__(self, directory: Path) -> None:
        self._popen, self._connection = spawn_process(directory)
        self._connection.setblocking(False)
        self._lock = threading.Lock()
        self._closed = False
        self._ear, self._bell = os.pipe()
        os.set_blocking(self._bell, False)
        os.set_blocking(self._ear, False)
        self._watch = _watch(self._popen.pid)
        self._out: list[memoryview] = []
        self._assembly = Assembly()
        #: The handlers' names and whether they are repeatable, once it has loaded them.
        self.handlers: list[dict[str, Any]] | None = None
        #: Whether its last task has begun, as far as is known: it says so before it calls the handler.
        self.has_begun = False
        #: How many tasks it was sent.
        self.tasks = 0
        not_inherited(self)
        self.send("load", {"directory": str(directory), "arguments": sys.argv, "logging": levels()})

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._popen.pid

    # -- from any thread ---------------------------------------------------------------------------

    def wake(self) -> None:
        """Let `receive` return."""
        with self._lock:
            if not self._closed:
                with suppress(BlockingIOError):  # it is full of such wishes already
                    os.write(self._bell, b"!")

    def kill(self) -> None:
        """End it and whatever it has started, at once; `receive` then says so."""
        with self._lock:
            if self._popen.returncode is None:  # it is not reaped, so the number is still its own
                with suppress(ProcessLookupError, PermissionError):  # it has left its group
                    os.killpg(self.pid, signal.SIGKILL)
                with suppress(ProcessLookupError, PermissionError):  # it has another user now
                    os.kill(self.pid, signal.SIGKILL)

    # -- from the thread that has it ---------------------------------------------------------------

    def send(self, kind: str, body: Any) -> None:
        """Say something to it, while `receive` waits. Raises TypeError for what is not JSON."""
        self._out.append(memoryview(pack(kind, body)))

    def receive(self, until: float | None = None) -> tuple[str, Any] | None:
        """Wait for its next message; None when woken, or when the monotonic time `until` has come.

        Raises ProcessEnded when it is no more and everything that it said was received.
        """
        while True:
            ready = self._wait(until)
            if self._connection.fileno() in ready:
                try:
                    message = self._assembly.read(self._connection)
                except BlockingIOError:
                    message = None
                except (EOFError, ConnectionError):
                    raise ProcessEnded(self._end()) from None
                if message is not None:
                    return message
            elif self._has_ended(ready):
                raise ProcessEnded(self._end())
            if self._ear in ready:
                with suppress(BlockingIOError):
                    os.read(self._ear, 4096)
                return None
            if until is not None and time.monotonic() >= until:
                return None

    def lives(self) -> bool:
        """Whether it is still there, as far as can be seen without waiting."""
        with self._lock:
            return self._popen.poll() is None

    def dismiss(self) -> None:
        """Nothing more is wanted: an idle process ends by itself."""
        with suppress(OSError):
            self._connection.shutdown(1)  # SHUT_WR

    def close(self) -> None:
        """After its end, which is waited for: give back what it held here."""
        self._reap()
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._connection.close()
        for descriptor in (self._ear, self._bell, self._watch):
            if descriptor is not None:
                os.close(descriptor)

    def forget(self) -> None:
        """In a forked child of the worker: the connection is not its own."""
        self._connection.close()

    # -- waiting -----------------------------------------------------------------------------------

    def _wait(self, until: float | None) -> set[int]:
        """Sends what is to be sent; the descriptors of which there is something to hear."""
        connection = self._connection.fileno()
        poll = select.poll()
        poll.register(connection, select.POLLIN | (select.POLLOUT if self._out else 0))
        poll.register(self._ear, select.POLLIN)
        remaining = None if until is None else max(0.0, until - time.monotonic())
        if self._watch is not None:
            poll.register(self._watch, select.POLLIN)
        else:
            remaining = _LOOK if remaining is None else min(remaining, _LOOK)
        ready = dict(poll.poll(None if remaining is None else remaining * 1000))
        writable = select.POLLOUT | select.POLLERR | select.POLLHUP
        if self._out and ready.get(connection, 0) & writable:
            self._write()
        if not ready.get(connection, 0) & ~select.POLLOUT:
            ready.pop(connection, None)
        return set(ready)

    def _write(self) -> None:
        try:
            while self._out:
                count = self._connection.send(self._out[0])
                self._out[0] = self._out[0][count:]
                if not self._out[0]:
                    del self._out[0]
        except BlockingIOError:
            return
        except OSError:
            self._out.clear()  # it is no more, which its end says

    def _has_ended(self, ready: set[int]) -> bool:
        return self._watch in ready if self._watch is not None else not self.lives()

    def _end(self) -> str:
        """Make sure that it is gone, with what it has started, and say how it ended."""
        self.kill()  # one that has ended keeps its own status
        if self._watch is None:
            # Looking whether it lives has reaped it. Its number is not given out again while its group has members.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        code = self._reap()
        return f"ended with exit code {code}" if code >= 0 else f"ended with signal {-code} ({_signal(-code)})"

    def _reap(self) -> int:
        """Wait for its end, without the lock that others need to wake and kill; its exit status."""
        while self.lives():
            if self._watch is not None:
                poll = select.poll()
                poll.register(self._watch, select.POLLIN)
                poll.poll()
            else:
                time.sleep(_LOOK / 10)
        status = self._popen.returncode
        assert status is not None, "it does not live"
        return status


def _watch(pid: int) -> int | None:
    """A descriptor that is readable when the process has ended; None where the system has none."""
    if sys.platform != "linux":
        return None
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None  # an old kernel, or one that does not let us


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "a signal without a name"
