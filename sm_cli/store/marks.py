"""Marks: which frames a worker is stepping, where others find it after the worker was killed.

Each worker has a slot of `FILE.workers`, mapped into memory: a mark costs two stores, and the kernel keeps it
however the process ends. A slot is locked as long as its process lives; one that is not locked and not empty names
what its last owner did not survive.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
from array import array
from collections.abc import Collection
from pathlib import Path

_FLOCK = struct.Struct("hhqqi4x")
_SET = getattr(fcntl, "F_OFD_SETLK", None)
#: Bytes of a slot: a count and frame ids, each of 8; its last word only makes the file long enough.
_SLOT = 1 << 15
_MOST = _SLOT // 8 - 2
_SLOTS = 1 << 14


class Marks:
    """One worker's marks. Raises OSError where files cannot be locked or mapped."""

    def __init__(self, database: Path) -> None:
        if _SET is None or struct.calcsize("l") != 8:
            raise OSError("this system has no locks of open files")
        self._file = os.open(f"{database}.workers", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._slot = next(slot for slot in range(_SLOTS) if self._take(slot))
            os.pwrite(self._file, bytes(8), (self._slot + 1) * _SLOT - 8)
            self._own_losses = self._read(self._slot)
            self._map = mmap.mmap(self._file, _SLOT, offset=self._slot * _SLOT)
            self._words = memoryview(self._map).cast("q")
        except (OSError, StopIteration) as e:
            os.close(self._file)
            raise OSError("this worker cannot mark what it steps") from e

    def one(self, frame: int) -> None:
        """This frame is being stepped."""
        words = self._words
        words[1] = frame
        words[0] = 1

    def many(self, frames: Collection[int]) -> None:
        """These are being read or written."""
        ids = array("q", list(frames)[:_MOST])
        self._words[0] = 0
        self._words[1 : 1 + len(ids)] = memoryview(ids)
        self._words[0] = len(ids)

    def clear(self) -> None:
        """Nothing is being stepped."""
        self._words[0] = 0

    def find_lost(self) -> list[tuple[int, list[int]]]:
        """(slot, frames) of workers that ended while they had marks. Nobody else gets a slot before `forget_lost`."""
        if self._own_losses:
            return [(self._slot, self._own_losses)]
        slots = []
        for slot in range(os.fstat(self._file).st_size // _SLOT):
            if slot != self._slot and self._take(slot):
                frames = self._read(slot)
                if frames:
                    slots.append((slot, frames))
                else:
                    self._give(slot)
        return slots

    def forget_lost(self, slot: int) -> None:
        """What `find_lost` returned for this slot is counted."""
        os.pwrite(self._file, bytes(8), slot * _SLOT)
        if slot == self._slot:
            self._own_losses = []
        else:
            self._give(slot)

    def close(self) -> None:
        """Give the slot back."""
        if self._map.closed:
            return
        self._words.release()
        self._map.close()  # it holds the file, and with it the lock, too
        os.close(self._file)

    def _read(self, slot: int) -> list[int]:
        words = array("q", os.pread(self._file, _SLOT, slot * _SLOT))
        return list(words[1 : 1 + min(max(words[0], 0), _MOST)])

    def _take(self, slot: int) -> bool:
        try:
            self._lock(fcntl.F_WRLCK, slot)
        except (BlockingIOError, PermissionError):
            return False
        return True

    def _give(self, slot: int) -> None:
        self._lock(fcntl.F_UNLCK, slot)

    def _lock(self, kind: int, slot: int) -> None:
        assert _SET is not None
        fcntl.fcntl(self._file, _SET, _FLOCK.pack(kind, os.SEEK_SET, slot * _SLOT, 1, 0))
