"""A worker is called dead only when this machine knows that its process has ended."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sm_cli.store.liveness import Liveness
from sm_cli.store.records import WorkerRecord
from sm_cli.worker.membership import is_dead, make_worker_record, name_of

ME = make_worker_record("w", "REF", 5)


def child(*, reaped: bool) -> tuple[WorkerRecord, subprocess.Popen[bytes]]:
    """A worker whose process has ended, and whose parent has been told so or not."""
    process = subprocess.Popen([sys.executable, "-c", "pass"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.read()  # at its end
    if reaped:
        process.wait()
    else:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    process.stdout.close()
    return replace(ME, pid=process.pid), process


def test_this_process_is_alive_under_a_name_and_an_id_of_its_own() -> None:
    assert not is_dead(ME)
    assert (ME.name, ME.pid, ME.started, ME.seen) == ("w", os.getpid(), 5, 5)
    assert name_of(ME.id) == "w"
    assert name_of(make_worker_record("a/b", "REF", 5).id) == "a/b"
    assert make_worker_record("w", "REF2", 5).id != ME.id


def test_a_process_that_ended_is_dead() -> None:
    worker, _ = child(reaped=True)
    assert is_dead(worker)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only /proc tells the processes of one pid apart")
def test_a_process_that_waits_to_be_reaped_is_dead_and_so_is_one_whose_pid_another_one_has() -> None:
    worker, process = child(reaped=False)
    assert is_dead(worker)
    process.wait()
    boot, space, born = ME.process.split("/")
    assert is_dead(replace(ME, process=f"{boot}/{space}/{int(born) - 1}"))
    assert is_dead(replace(ME, process=f"another/{space}/{born}"))


def test_of_a_process_elsewhere_nothing_is_known() -> None:
    gone, _ = child(reaped=True)
    boot, _, born = ME.process.split("/")
    assert not is_dead(replace(gone, host="elsewhere"))
    assert not is_dead(replace(gone, process=f"{boot}/pid:[1]/{born}"))


@pytest.mark.skipif(not hasattr(fcntl, "F_OFD_SETLK"), reason="this system has no locks of open files")
def test_in_another_container_the_liveness_lock_shows_it(tmp_path: Path) -> None:
    mine, theirs = Liveness(tmp_path / "sm.db"), Liveness(tmp_path / "sm.db")
    lit = make_worker_record("w", "REF", 5, theirs)
    boot, place, born = lit.process.split("/")
    _, plus, mark = place.partition("+")
    there = replace(lit, host="container", pid=1, process=f"{boot}/pid:[1]{plus}{mark}/{born}")
    machine = replace(there, process=f"another/pid:[1]{plus}{mark}/{born}")
    assert not is_dead(there, mine)
    theirs.close()
    assert is_dead(there, mine)
    assert not is_dead(there)
    assert not is_dead(machine, mine)
    mine.close()


@pytest.mark.skipif(not hasattr(fcntl, "F_OFD_SETLK"), reason="this system has no locks of open files")
def test_a_child_that_keeps_the_liveness_lock_of_a_dead_process_does_not_keep_it_alive(tmp_path: Path) -> None:
    gone, _ = child(reaped=True)
    mine, theirs = Liveness(tmp_path / "sm.db"), Liveness(tmp_path / "sm.db")
    lit = make_worker_record("w", "REF", 5, theirs)
    assert not is_dead(lit, mine)
    assert is_dead(replace(lit, pid=gone.pid), mine)
    theirs.close()
    mine.close()
