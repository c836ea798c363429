"""A beacon shines as long as a process that has it, into every other one, and is never guessed at."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sm_cli.store.liveness import Liveness

pytestmark = pytest.mark.skipif(not hasattr(fcntl, "F_OFD_SETLK"), reason="this system has no locks of open files")

LIGHT = """
import sys
from pathlib import Path
from sm_cli.store.liveness import Liveness
lit = Liveness(Path(sys.argv[1]))
print(lit.light(sys.argv[2]), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "sm.db"


def test_a_beacon_is_seen_until_it_is_put_out(database: Path) -> None:
    mine, other = Liveness(database), Liveness(database)
    mark = mine.light("w/1")
    assert other.is_out("w/1", mark) is False
    assert other.is_out("w/2", mark) is True
    mine.close()
    assert other.is_out("w/1", mark) is True
    other.close()


def test_the_end_of_a_process_puts_its_beacon_out(database: Path) -> None:
    command = [sys.executable, "-c", LIGHT, str(database), "w/1"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    mark, seen = process.stdout.readline().strip(), Liveness(database)
    assert seen.is_out("w/1", mark) is False
    process.kill()
    process.communicate()
    assert seen.is_out("w/1", mark) is True
    seen.close()


def test_a_beacon_outlives_what_else_the_process_closes(database: Path) -> None:
    lit, other = Liveness(database), Liveness(database)
    mark = lit.light("w/1")
    os.close(os.open(f"{database}.workers", os.O_RDWR))  # this would drop a lock of the process
    assert other.is_out("w/1", mark) is False
    lit.close()
    other.close()


def test_of_a_beacon_in_a_file_that_is_gone_nothing_is_known(database: Path, tmp_path: Path) -> None:
    lit = Liveness(database)
    mark = lit.light("w/1")
    shutil.copy(f"{database}.workers", tmp_path / "copy.db.workers")
    copied = Liveness(tmp_path / "copy.db")
    assert copied.is_out("w/1", mark) is None
    Path(f"{database}.workers").unlink()
    anew = Liveness(database)
    assert anew.is_out("w/1", mark) is None
    for each in (lit, copied, anew):
        each.close()


def test_without_a_mark_nothing_is_known(database: Path) -> None:
    assert Liveness(database).is_out("w/1", "") is None


def test_where_no_file_can_be_made_there_is_no_beacon(tmp_path: Path) -> None:
    nowhere = Liveness(tmp_path / "nowhere" / "sm.db")
    assert nowhere.light("w/1") == ""
    assert nowhere.is_out("w/1", "17") is None


FORKING = """
import os, sys, time
from pathlib import Path
from sm_cli.store.liveness import Liveness
lit = Liveness(Path(sys.argv[1]))
mark = lit.light("w/1")
child = os.fork()
if child:
    print(mark, child, flush=True)
time.sleep(600)
"""


def test_a_forked_child_does_not_keep_its_dead_parents_beacon_lit(database: Path) -> None:
    command = [sys.executable, "-c", FORKING, str(database)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        mark, child = parent.stdout.readline().split()
        seen = Liveness(database)
        try:
            assert seen.is_out("w/1", mark) is False
            parent.kill()
            parent.wait()
            end = time.monotonic() + 60  # the child closes it as soon as it has begun to run
            while seen.is_out("w/1", mark) is False:
                assert time.monotonic() < end
                time.sleep(0.002)
            os.kill(int(child), 0)  # it lives
        finally:
            os.kill(int(child), signal.SIGKILL)
            seen.close()
