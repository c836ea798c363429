"""Fair turns between the processes that write to one file.

Rule: whoever wants to write first takes the turn (an advisory lock on `FILE.lock`), then waits for the
database's own lock, and gives the turn back as soon as it has that. So one process at a time waits at the
database, and the one that has just written cannot step in front of it: it has to take the turn again.
Both waits are polled, because neither lock can be waited for with a limit; both end with the process.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Seconds between two attempts, at first and at most. A transaction takes less than a millisecond.
_SHORTEST, _LONGEST = 0.0001, 0.001


class Turn:
    """The lock file beside one database; shared by the threads of nobody: the writer's own lock guards it.

    Raises OSError from the constructor when the file cannot be made.
    """

    def __init__(self, database: Path) -> None:
        self._file = os.open(f"{database}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @contextmanager
    def taken(self, deadline: float) -> Iterator[None]:
        """Hold the turn. Raises TimeoutError when it is not free before `deadline` (time.monotonic)."""
        poll(self._try, deadline)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        os.close(self._file)

    def _try(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def poll(attempt: Callable[[], bool], deadline: float) -> None:
    """Call `attempt` until it answers True. Raises TimeoutError after `deadline` (time.monotonic)."""
    pause = _SHORTEST
    while not attempt():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(pause)
        pause = min(pause * 1.5, _LONGEST)
