"""Liveness: a worker shows, to every process on this kernel that opens the file, that its process has not ended.

A beacon is a lock on one byte of `FILE.workers`, and the kernel puts it out when the last process that holds it
ends, however it ends. It shines into other containers too, where pids and names of hosts mean nothing. What cannot be
seen (no such locks on this system, another file by now) is answered with None, never with a guess.
"""

from __future__ import annotations

import fcntl
import os
import struct
from pathlib import Path

from sm_cli.store.inherited import not_inherited
from sm_cli.store.marks import Marks

#: struct flock: what kind, from where, start, length, pid. Locks of the open file, not of the process: a second one in
#: this process sees them, and closing another descriptor does not drop them.
_FLOCK = struct.Struct("hhqqi4x")
_SET, _GET = (getattr(fcntl, f"F_OFD_{what}", None) for what in ("SETLK", "GETLK"))


class Liveness:
    """The beacons of the workers of one database. Not to be shared by two workers of one process."""

    def __init__(self, database: Path) -> None:
        self._path = f"{database}.workers"
        self._file: int | None = None
        self._marks: Marks | None = None
        not_inherited(self)

    def light(self, worker: str) -> str:
        """Show that this worker is alive, until `close` or the end of the process. Returns the mark by which others
        find its beacon; "" where there is none."""
        if _SET is None or struct.calcsize("l") != 8:
            return ""
        try:
            file = self._open()
            fcntl.fcntl(file, _SET, _byte(fcntl.F_WRLCK, worker))
            return str(os.fstat(file).st_ino)
        except OSError:
            return ""  # a file system without such locks: leases have to do

    def is_out(self, worker: str, mark: str) -> bool | None:
        """Whether a beacon that was lit under this mark has gone out; None when that cannot be seen from here."""
        if _GET is None or not mark:
            return None
        try:
            file = self._open()
            if str(os.fstat(file).st_ino) != mark:
                return None  # the file was deleted and made again, or the database copied, since it was lit
            lock = fcntl.fcntl(file, _GET, _byte(fcntl.F_WRLCK, worker))
        except OSError:
            return None
        return bool(_FLOCK.unpack(lock)[0] == fcntl.F_UNLCK)

    def marks(self) -> Marks | None:
        """Where the worker says what it is stepping, closed with its beacon; None where there are no such locks."""
        if self._marks is None:
            try:
                self._marks = Marks(Path(self._path.removesuffix(".workers")))
            except OSError:
                return None
        return self._marks

    def close(self) -> None:
        """Put out what was lit here."""
        if self._marks is not None:
            self._marks.close()
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def forget(self) -> None:
        """In a forked child: the beacon and the marks are the parent's, and go with it."""
        self.close()

    def _open(self) -> int:
        if self._file is None:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return self._file


def _byte(kind: int, worker: str) -> bytes:
    """The worker's own byte, by its id: far beyond the end of the file, where locks need no data."""
    from hashlib import sha256

    start = int.from_bytes(sha256(worker.encode(errors="replace")).digest()[:7], "big")
    return _FLOCK.pack(kind, os.SEEK_SET, start, 1, 0)
