"""Which process this is, and which workers are certainly dead.

"dead" is said only of a process that this machine knows to have ended: there is none with its pid, it is another
one that has the pid now, or (in another container) the kernel has put its beacon out. Of a process on another machine
nothing is known here; its leases run out. Names decide nothing: two workers may live under one.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from sm_cli.engine.stepping.queues import Rota
from sm_cli.jsonvalue import Json
from sm_cli.store.liveness import Liveness
from sm_cli.store.records import WorkerRecord

log = logging.getLogger("sm.engine")


def make_worker_record(name: str, ref: str, now: int, beacons: Liveness | None = None) -> WorkerRecord:
    """This process as a worker; `ref` makes its id unique. Its beacon is lit."""
    id, pid = f"{name}/{ref}", os.getpid()
    lit = "" if beacons is None else beacons.light(id)
    return WorkerRecord(id, name, os.uname().nodename, pid, _mark(pid, lit), now, now)


def serving_of(handlers: Mapping[str, object], rota: Rota, concurrency: int, tree: int | None) -> Json:
    """What a worker says of itself in `WorkerRecord.serves`. handlers: by name."""
    queues: dict[str, Json] | None = None if rota.queue_names is None else {**rota.weights}
    return {"queues": queues, "concurrency": concurrency, "handlers": [*sorted(handlers)], "tree": tree}


def name_of(worker: str) -> str:
    """The name that a `WorkerRecord.id` begins with."""
    return worker.rpartition("/")[0] or worker


def is_dead(worker: WorkerRecord, beacons: Liveness | None = None) -> bool:
    """Whether it is certain that the worker's process has ended; False when it cannot be known from here."""
    boot, place, birth = worker.process.split("/")
    space, _, lit = place.partition("+")
    if boot and boot == _boot() and beacons is not None and beacons.is_out(worker.id, lit):
        return True  # the same kernel, so that its locks are seen here; one that is held may be a child's that it left
    if worker.host != os.uname().nodename:
        return False
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
    return status is not None and (status[0] == "Z" or status[19] != birth)


def is_alive(worker: WorkerRecord, beacons: Liveness | None = None) -> bool:
    """Whether this machine knows that the process has not ended, silent or stopped; False if nothing is known."""
    boot, place, birth = worker.process.split("/")
    if not boot or boot != _boot():
        return False
    space, _, lit = place.partition("+")
    if beacons is not None and beacons.is_out(worker.id, lit) is False:
        return True
    if worker.host != os.uname().nodename or space != _space():
        return False
    status = _status(worker.pid)
    return status is not None and status[0] not in "ZX" and status[19] == birth


def find_dead(workers: Iterable[WorkerRecord], beacons: Liveness | None, since: int | None) -> list[WorkerRecord]:
    """Those of these that are certainly dead, or were not seen `since` this time, microseconds since 1970 UTC, and are
    not known to live."""
    return [
        worker for worker in workers
        if is_dead(worker, beacons) or (since is not None and worker.seen < since and not is_alive(worker, beacons))
    ]  # fmt: skip


def _mark(pid: int, lit: str) -> str:
    status = _status(pid)
    place = f"{_space()}+{lit}" if lit else _space()
    return f"{_boot()}/{place}/{status[19] if status else ''}"


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
