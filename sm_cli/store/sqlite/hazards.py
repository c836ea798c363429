"""What the place of an SQLite file puts at risk: its file system, its disk, its mode, how it journals."""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from sm_cli.store.upkeep.answers import DatabaseState, Hazard

#: File systems that another machine can write to: SQLite's shared memory and its locks hold on one machine only.
_NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "glusterfs", "lustre", "beegfs", "gpfs", "ocfs2"}
) | frozenset({"fuse.sshfs", "fuse.glusterfs", "fuse.s3fs", "fuse.rclone", "fuse.gcsfuse"})
#: Fewer free bytes than this are few.
_FEW_BYTES = 200_000_000
_MOUNTS = Path("/proc/self/mountinfo")


def state_of_file(file: Path, connection: sqlite3.Connection) -> DatabaseState:
    """How it is kept, and what that puts at risk. file: without links."""
    journal = str(connection.execute("PRAGMA journal_mode").fetchone()[0]).lower()
    kind = file_system_of(file, _mounts())
    free = shutil.disk_usage(file.parent).free
    text = f"on {kind or 'a file system'}, journal mode {journal}, {free / 1e9:.1f} GB free"
    return DatabaseState(text, [*_of_journal(journal), *_of_file_system(file, kind), *_of_disk(free), *_of_mode(file)])


def _of_journal(journal: str) -> Iterator[Hazard]:
    if journal != "wal":
        yield Hazard(f"its journal mode is {journal} and not wal, so readers and writers wait for each other; "
                     "`PRAGMA journal_mode = wal` sets it while nobody else has the file open")  # fmt: skip


def _of_file_system(file: Path, kind: str | None) -> Iterator[Hazard]:
    if (problem := lock_problem(file)) is not None:
        yield Hazard(f"its file system cannot lock ({problem}), so two processes may write at once: "
                     "move the file to a disk of this machine", is_broken=True)  # fmt: skip
    if kind in _NETWORK:
        yield Hazard(f"it lies on a network file system ({kind}), where locks do not hold between machines: "
                     "let workers of one machine alone use it, or move it to a disk or to Postgres")  # fmt: skip


def _of_disk(free: int) -> Iterator[Hazard]:
    if free < _FEW_BYTES:
        yield Hazard(f"its disk has {free / 1e6:.0f} MB left: make room before it is full")


def _of_mode(file: Path) -> Iterator[Hazard]:
    mode = file.stat().st_mode & 0o777
    if mode & 0o077:
        yield Hazard(f"others than its owner may use it (mode {mode:04o}); `chmod 600` keeps it to its owner")


def lock_problem(file: Path) -> str | None:
    """Why a file beside this one cannot be locked; None when it can, or when somebody holds it: then locks work."""
    try:
        descriptor = os.open(f"{file}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return None  # nothing can be written there, which is another matter
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return None
    except OSError as e:
        return e.strerror
    finally:
        os.close(descriptor)
    return None


def _mounts() -> str:
    try:
        return _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""  # not a Linux


def file_system_of(file: Path, mounts: str) -> str | None:
    """The kind of file system that a file lies on, by the text of Linux's `mountinfo`; None when it does not say."""
    best: tuple[int, str] | None = None
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) < 5 or not after:
            continue
        place = Path(fields[4].replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\"))
        if file.is_relative_to(place) and (best is None or len(place.parts) >= best[0]):
            best = len(place.parts), after.split(" ")[0]
    return None if best is None else best[1]
