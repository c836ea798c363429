"""Files that appear whole or not at all.

A file is written under a name that no listing shows, flushed to the disk, and only then given its own name; the
directory is flushed after that. Files have mode 0600 and directories 0700, as whatever holds data in this project.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from sm_cli.buckets.failures import Refused

_SUFFIX = ".sm-part"


def is_draft(name: str) -> bool:
    """Whether a file of this name is one that is still being written."""
    return name.startswith(".") and name.endswith(_SUFFIX)


class Draft:
    """A file that is being written. `size` counts bytes. Its lock says that its writer is alive."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.size = 0
        self._path, file = _lock(target)
        self._file = os.fdopen(file, "wb", buffering=1 << 16)

    def write(self, data: bytes) -> None:
        """Append bytes."""
        self._file.write(data)
        self.size += len(data)

    def flush(self) -> None:
        """Bring it to the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def publish(self) -> None:
        """Give the file its own name. The caller flushes the directory."""
        os.replace(self._path, self.target)  # noqa: PTH105 -- os.fsync and os.open stand beside it
        self._file.close()

    def discard(self) -> None:
        """Delete it."""
        self._path.unlink(missing_ok=True)
        with suppress(OSError):  # what could not be written is not wanted any more
            self._file.close()


def _lock(target: Path) -> tuple[Path, int]:
    while True:
        path = target.with_name(f".{target.name}.{os.getpid()}-{os.urandom(4).hex()}{_SUFFIX}")
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file).st_nlink:
            return path, file
        os.close(file)  # a sweep met it before its lock was there


def sweep_drafts(directory: Path) -> None:
    """Remove the drafts of writers that are gone."""
    for path in directory.iterdir():
        if is_draft(path.name):
            # Its writer is alive, or has just given it its own name.
            with suppress(BlockingIOError, FileNotFoundError), path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()


def make_directories(path: Path) -> None:
    """The directory and those above it, so that they survive a power cut. Raises Refused where a file is."""
    missing = []
    while not path.is_dir():
        if path.exists():
            raise Refused(f"{path} is a file, so no directory can be there")
        missing.append(path)
        path = path.parent
    for directory in reversed(missing):
        directory.mkdir(mode=0o700, exist_ok=True)
        flush_directory(directory.parent)


def flush_directory(path: Path) -> None:
    """Bring a directory's names to the disk."""
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
