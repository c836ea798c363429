"""Which process this is, and which workers are certainly dead.

Rule: "dead" is said only of a process that this machine knows to have ended: there is none with its pid, or it is
another one that has the pid now. Of a process elsewhere (another machine, another container) nothing is
known here; its leases run out.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from sm_cli.store.base import Worker


def enlisted(name: str, ref: str, now: int) -> Worker:
    """This process as a worker; `ref` makes its id unique."""
    pid = os.getpid()
    return Worker(f"{name}/{ref}", name, os.uname().nodename, pid, _mark(pid), now, now)


def name_of(worker: str) -> str:
    """The name that a `Worker.id` begins with."""
    return worker.rpartition("/")[0] or worker


def is_dead(worker: Worker) -> bool:
    if worker.host != os.uname().nodename:
        return False
    boot, space, born = worker.process.split("/")
    if boot != _boot():
        return bool(boot and _boot())  # the machine was started since
    if space != _space():
        return False
    try:
        os.kill(worker.pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False  # somebody else's
    status = _status(worker.pid)
    return status is not None and (status[0] == "Z" or status[19] != born)


def _mark(pid: int) -> str:
    status = _status(pid)
    return f"{_boot()}/{_space()}/{status[19] if status else ''}"


@cache
def _boot() -> str:
    """Another text after each start of the machine; empty where there is none."""
    return _read(Path("/proc/sys/kernel/random/boot_id"))


@cache
def _space() -> str:
    """The namespace that our pids count in: a container has its own."""
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _status(pid: int) -> list[str] | None:
    """What Linux says of a process: its state first, the time of its start at index 19 (proc(5), stat)."""
    fields = _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return fields if len(fields) > 19 else None


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
