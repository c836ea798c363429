"""Fair turns between the processes that write to one file.

A process that wants to write takes the turn (an advisory lock on `FILE.lock`) and keeps it until it has committed; only
then another one begins. When the turn is taken, it waits in the kernel, which wakes one waiter at a time in the order
in which they came; so nobody polls, and nobody overtakes a waiter. SQLite's own lock is for
programs that do not know of turns; it can only be polled. Both locks end with the process.
"""

from __future__ import annotations

import fcntl
import os
import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sm_cli.store.inherited import not_inherited
from sm_cli.store.waiting import Holder, TimeLeft, program_name

#: The holder's note has this length, so that a shorter one leaves nothing of a longer one.
_NOTE = 96


class _Wait:
    """Somebody waits for the turn: `granted` by the waiting thread, or `over` because the time is up."""

    def __init__(self) -> None:
        self.granted = self.over = False
        self.ready = threading.Semaphore(0)


class WriteLock:
    """The lock file beside one database; the writer's own lock keeps its threads apart.

    A lock that is waited for cannot be given up, so a thread of its own waits for it, on a descriptor of its own.
    The holder's note in the file says who it is and since when. It is written in every turn, which costs two
    microseconds, and only a process that has waited for seconds reads it. Raises OSError from the constructor when
    the file cannot be made.
    """

    def __init__(self, database: Path) -> None:
        self._path = f"{database}.lock"
        self._file: int | None = self._open()
        self._program = program_name()
        self._held_file: int | None = None
        self._requests: queue.SimpleQueue[_Wait | None] = queue.SimpleQueue()
        self._mutex = threading.Lock()
        self._waiting: int | None = None
        not_inherited(self)

    def _open(self) -> int:
        return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @contextmanager
    def hold(self, time_left: TimeLeft) -> Iterator[None]:
        """Hold the turn. Raises TimeoutError, from `time_left`, when it is not free in time."""
        self.take(time_left)
        try:
            yield
        finally:
            self.give()

    @property
    def is_held(self) -> bool:
        """Whether this object holds it."""
        return self._held_file is not None

    def try_take(self) -> bool:
        """Take the turn if it is free."""
        if self._try():
            self._held_file = self._file
            self.note("writes")
        return self.is_held

    def take(self, time_left: TimeLeft) -> None:
        """Wait for it, in the order of asking. Raises TimeoutError, from `time_left`."""
        if not self.try_take():
            self._held_file = self._wait(time_left)
            self.note("writes")

    def note(self, doing: str) -> None:
        """Note in the file who has the turn: it "writes", or "waits" for a program that takes no turns."""
        if self._held_file is not None:
            text = f"{doing} {os.getpid()} {time.time_ns() // 1000} {self._program}"
            os.pwrite(self._held_file, text.encode(errors="replace")[: _NOTE - 1].ljust(_NOTE - 1) + b"\n", 0)

    def holder(self) -> Holder | None:
        """Who has the turn, or whom they wait for; None when there is no note."""
        if self._file is None:
            return None
        doing, _, rest = os.pread(self._file, _NOTE, 0).decode(errors="replace").strip().partition(" ")
        pid, _, rest = rest.partition(" ")
        since, _, program = rest.partition(" ")
        if not (pid.isdecimal() and since.isdecimal()):
            return None
        holds = _flock_owner(os.fstat(self._file).st_ino)
        if holds is not None and holds != int(pid):
            # It was given the turn and stopped before it could leave its note; the last one is but moments older.
            return Holder(holds, "", int(since))
        return Holder(None, "", int(since)) if doing == "waits" else Holder(int(pid), program, int(since))

    def give(self) -> None:
        """Let the next one have it; nothing when it is not held."""
        file, self._held_file = self._held_file, None
        if file is not None:
            fcntl.flock(file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the file and end the thread that waits."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        self._requests.put(None)

    def forget(self) -> None:
        """In a forked child: the turn is the parent's, and the thread that waits is there."""
        for file in (self._file, self._waiting):
            if file is not None:
                os.close(file)
        self._file = self._held_file = self._waiting = None
        self._requests = queue.SimpleQueue()
        self._mutex = threading.Lock()

    def _try(self) -> bool:
        if self._file is None:
            self._file = self._open()
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _wait(self, time_left: TimeLeft) -> int:
        if self._waiting is None:
            self._waiting = self._open()
            threading.Thread(
                target=self._stand_in_line, args=(self._waiting, self._requests), name="sm-turn", daemon=True
            ).start()
        wait = _Wait()
        self._requests.put(wait)
        try:
            while not wait.ready.acquire(timeout=time_left()):
                pass
        except BaseException as e:  # Ctrl-C, or the time is up
            if self._end_wait(wait):
                if isinstance(e, TimeoutError):
                    return self._waiting
                fcntl.flock(self._waiting, fcntl.LOCK_UN)
            raise
        self._end_wait(wait)
        return self._waiting

    def _end_wait(self, wait: _Wait) -> bool:
        """Nobody waits any more; whether the turn was granted before."""
        with self._mutex:
            wait.over = not wait.granted
            return wait.granted

    def _stand_in_line(self, file: int, requests: queue.SimpleQueue[_Wait | None]) -> None:
        while (wait := requests.get()) is not None:
            fcntl.flock(file, fcntl.LOCK_EX)
            with self._mutex:
                wait.granted = not wait.over
            if wait.granted:
                wait.ready.release()
            else:
                fcntl.flock(file, fcntl.LOCK_UN)
        os.close(file)


def _flock_owner(inode: int) -> int | None:
    """The process that Linux says has the lock on this file; None when it does not say."""
    try:
        lines = Path("/proc/locks").read_text().splitlines()
    except OSError:
        return None
    for fields in map(str.split, lines):
        if len(fields) > 5 and fields[1] == "FLOCK" and fields[5].endswith(f":{inode}"):
            return int(fields[4]) if fields[4].isdecimal() and fields[4] != "0" else None
    return None
