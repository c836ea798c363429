"""Which process a worker is, and what this machine knows of it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sm_cli.store.liveness import Liveness
from sm_cli.store.records import WorkerRecord
from sm_cli.worker.membership import is_alive, is_dead, make_worker_record, name_of

LINUX = Path("/proc/self/stat").exists()
pytestmark = pytest.mark.skipif(not LINUX, reason="a process tells its start in /proc")


@pytest.fixture
def me() -> WorkerRecord:
    return make_worker_record("w1", "01X", 5)


@pytest.fixture(scope="module")
def ended() -> int:
    """The pid of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def with_process(
    worker: WorkerRecord, boot: str | None = None, place: str | None = None, born: str | None = None
) -> WorkerRecord:
    parts = worker.process.split("/")
    changed = [given if given is not None else part for given, part in zip((boot, place, born), parts, strict=True)]
    return replace(worker, process="/".join(changed))


def test_a_worker_is_this_process_under_a_name_and_an_id_of_its_own(me: WorkerRecord) -> None:
    assert (me.id, me.name, me.pid, me.host) == ("w1/01X", "w1", os.getpid(), os.uname().nodename)
    assert (me.started, me.seen) == (5, 5)
    assert me.process.count("/") == 2
    assert make_worker_record("w1", "02X", 6).id != me.id


@pytest.mark.parametrize(
    ("id", "name"), [("w1/01X", "w1"), ("a/b/01X", "a/b"), ("plain", "plain"), ("/01X", "/01X"), ("", "")]
)
def test_the_name_is_what_stands_before_the_last_slash(id: str, name: str) -> None:
    assert name_of(id) == name


def test_this_process_is_alive_and_not_dead(me: WorkerRecord) -> None:
    assert is_alive(me)
    assert not is_dead(me)


def test_a_process_that_has_ended_is_dead(me: WorkerRecord, ended: int) -> None:
    gone = replace(me, pid=ended)
    assert is_dead(gone)
    assert not is_alive(gone)


def test_a_process_that_has_another_s_pid_is_not_that_one(me: WorkerRecord) -> None:
    other = with_process(me, born="1")
    assert is_dead(other)
    assert not is_alive(other)


def test_before_the_machine_was_started_anew_every_process_has_ended(me: WorkerRecord) -> None:
    earlier = with_process(me, boot="another-boot")
    assert is_dead(earlier)
    assert not is_alive(earlier)


@pytest.mark.parametrize("host", ["elsewhere", ""])
def test_of_another_machine_nothing_is_known(me: WorkerRecord, host: str, ended: int) -> None:
    far = replace(with_process(me, boot="another-boot"), host=host, pid=ended)
    assert not is_dead(far)
    assert not is_alive(far)


def test_of_another_container_nothing_is_known_without_its_beacon(me: WorkerRecord, ended: int) -> None:
    contained = replace(with_process(me, place="pid:[1]"), pid=ended)
    assert not is_dead(contained)
    assert not is_alive(contained)


def test_a_worker_of_a_system_that_tells_nothing_is_neither(me: WorkerRecord, ended: int) -> None:
    unknown = replace(me, process="//", pid=ended)
    assert not is_dead(unknown)
    assert not is_alive(unknown)


def test_a_zombie_is_dead(me: WorkerRecord) -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    try:
        os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
        born = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[19]
        zombie = replace(with_process(me, born=born), pid=child)
        assert is_dead(zombie)
        assert not is_alive(zombie)
    finally:
        os.waitpid(child, 0)


def test_a_beacon_is_seen_from_another_container_as_long_as_it_is_lit(me: WorkerRecord, tmp_path: Path) -> None:
    beacons, others = Liveness(tmp_path / "sm.db"), Liveness(tmp_path / "sm.db")
    lit = make_worker_record("w1", "01X", 5, beacons)
    boot, place, born = lit.process.split("/")
    mark = place.partition("+")[2]
    assert mark
    contained = replace(lit, process=f"{boot}/pid:[1]+{mark}/{born}", host="container")
    assert is_alive(contained, others)
    assert not is_dead(contained, others)
    beacons.close()
    assert is_dead(contained, others)
    assert not is_alive(contained, others)
    others.close()


def test_a_beacon_of_another_file_says_nothing(me: WorkerRecord, tmp_path: Path) -> None:
    beacons, others = Liveness(tmp_path / "one.db"), Liveness(tmp_path / "two.db")
    lit = make_worker_record("w1", "01X", 5, beacons)
    others.light("someone")
    contained = replace(lit, host="container", process=lit.process.replace("pid:", "other:"))
    assert not is_dead(contained, others)
    assert not is_alive(contained, others)
    beacons.close()
    others.close()
