"""Fair turns between the processes that write to one file.

Rule: whoever wants to write takes the turn (an advisory lock on `FILE.lock`), keeps it until it has committed, and
only then another one begins. Who finds the turn taken waits for it in the kernel, which wakes one waiter at a time in
the order in which they came; so nobody polls, and nobody steps in front of who waits. SQLite's own lock is for
programs that do not know of turns; it can only be polled. Both locks end with the process.
"""

from __future__ import annotations

import fcntl
import os
import queue
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Seconds between two attempts at SQLite's lock, at first and at most.
_SHORTEST, _LONGEST = 0.0001, 0.001


class _Wait:
    """Somebody waits for the turn: `granted` by the waiting thread, or `over` because the time is up."""

    def __init__(self) -> None:
        self.granted = self.over = False
        self.ready = threading.Semaphore(0)


class WriteLock:
    """The lock file beside one database; the writer's own lock keeps its threads apart.

    A lock that is waited for cannot be given up, so a thread of its own waits for it, on a descriptor of its own.
    Raises OSError from the constructor when the file cannot be made.
    """

    def __init__(self, database: Path) -> None:
        self._path = f"{database}.lock"
        self._file = self._open()
        self._held: int | None = None
        self._asked: queue.SimpleQueue[_Wait | None] = queue.SimpleQueue()
        self._mutex = threading.Lock()
        self._waiting: int | None = None

    def _open(self) -> int:
        return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @contextmanager
    def taken(self, deadline: float) -> Iterator[None]:
        """Hold the turn. Raises TimeoutError when it is not free before `deadline` (time.monotonic)."""
        self.take(deadline)
        try:
            yield
        finally:
            self.give()

    def take(self, deadline: float) -> None:
        self._held = self._file if self._try() else self._wait(deadline)

    def give(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            fcntl.flock(held, fcntl.LOCK_UN)

    def close(self) -> None:
        os.close(self._file)
        self._asked.put(None)

    def _try(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _wait(self, deadline: float) -> int:
        if self._waiting is None:
            self._waiting = self._open()
            threading.Thread(target=self._stand_in_line, args=(self._waiting,), name="sm-turn", daemon=True).start()
        wait = _Wait()
        self._asked.put(wait)
        try:
            wait.ready.acquire(timeout=max(0.0, deadline - time.monotonic()))
        except BaseException:  # Ctrl-C
            if self._ended(wait):
                fcntl.flock(self._waiting, fcntl.LOCK_UN)
            raise
        if not self._ended(wait):
            raise TimeoutError
        return self._waiting

    def _ended(self, wait: _Wait) -> bool:
        """Nobody waits any more; whether the turn was granted before."""
        with self._mutex:
            wait.over = not wait.granted
            return wait.granted

    def _stand_in_line(self, file: int) -> None:
        while (wait := self._asked.get()) is not None:
            fcntl.flock(file, fcntl.LOCK_EX)
            with self._mutex:
                wait.granted = not wait.over
            if wait.granted:
                wait.ready.release()
            else:
                fcntl.flock(file, fcntl.LOCK_UN)
        os.close(file)


def poll(attempt: Callable[[], bool], deadline: float) -> None:
    """Call `attempt` until it answers True. Raises TimeoutError after `deadline` (time.monotonic)."""
    pause = _SHORTEST
    while not attempt():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(pause)
        pause = min(pause * 1.5, _LONGEST)
