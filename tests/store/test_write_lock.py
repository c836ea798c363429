"""Turns: in the order of asking, limited in time, and never left with somebody who no longer waits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sm_cli.store.sqlite.write_lock import WriteLock

LOCKS = Path("/proc/locks")


@pytest.fixture
def turns(tmp_path: Path) -> Iterator[Callable[[], WriteLock]]:
    made: list[WriteLock] = []

    def make() -> WriteLock:
        made.append(WriteLock(tmp_path / "sm.db"))
        return made[-1]

    yield make
    for turn in made:
        turn.close()


def within(seconds: float) -> Callable[[], float]:
    """To wait so long and no longer."""
    end = time.monotonic() + seconds

    def left() -> float:
        if time.monotonic() >= end:
            raise TimeoutError
        return end - time.monotonic()

    return left


def forever() -> float:
    return 60


def waiting(tmp_path: Path) -> int:
    """How many wait for the lock in the kernel."""
    inode = (tmp_path / "sm.db.lock").stat().st_ino
    return sum("->" in line and f":{inode} " in line for line in LOCKS.read_text().splitlines())


def soon(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


@pytest.mark.skipif(not LOCKS.exists(), reason="only /proc/locks tells who waits")
def test_turns_are_given_in_the_order_of_asking(turns: Callable[[], WriteLock], tmp_path: Path) -> None:
    first, order = turns(), []
    first.take(within(0))

    def ask(turn: WriteLock, name: int) -> None:
        with turn.hold(forever):
            order.append(name)

    threads = [threading.Thread(target=ask, args=(turns(), name)) for name in range(5)]
    for number, thread in enumerate(threads):
        thread.start()
        soon(lambda number=number: waiting(tmp_path) == number + 1)  # type: ignore[misc]
    first.give()
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]


def test_who_waits_too_long_is_told_and_leaves_the_turn_to_others(turns: Callable[[], WriteLock]) -> None:
    holder, late = turns(), turns()
    for _ in range(3):
        with holder.hold(forever):
            for _ in range(3):
                with pytest.raises(TimeoutError):
                    late.take(within(0.01))
        with late.hold(forever), pytest.raises(TimeoutError):
            holder.take(within(0.01))
        with holder.hold(forever):
            pass


@pytest.mark.parametrize("granted", [False, True])
def test_who_is_interrupted_while_waiting_leaves_the_turn_to_others(
    turns: Callable[[], WriteLock], monkeypatch: pytest.MonkeyPatch, granted: bool
) -> None:
    holder, interrupted = turns(), turns()

    class Interrupting(threading.Semaphore):
        def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
            if granted:
                holder.give()
                super().acquire(timeout=60)
            raise KeyboardInterrupt

    holder.take(within(0))
    with monkeypatch.context() as patch:
        patch.setattr(threading, "Semaphore", Interrupting)
        with pytest.raises(KeyboardInterrupt):
            interrupted.take(forever)
    holder.give()
    with holder.hold(forever):
        pass


def test_giving_back_what_one_has_not_changes_nothing(turns: Callable[[], WriteLock]) -> None:
    holder, other = turns(), turns()
    other.give()
    with holder.hold(within(0)):
        other.give()
        with pytest.raises(TimeoutError):
            other.take(within(0))


def test_who_waits_reads_who_holds_the_turn_and_whom_they_wait_for(turns: Callable[[], WriteLock]) -> None:
    holder, other = turns(), turns()
    assert other.holder() is None
    with holder.hold(forever):
        found = other.holder()
        assert found is not None
        assert found.pid == os.getpid()
        assert str(os.getpid()) in str(found)
        assert abs(found.since / 1e6 - time.time()) < 60
        holder.note("waits")
        found = other.holder()
        assert found is not None
        assert (found.pid, str(found)) == (None, "another program")


def test_a_forked_child_does_not_keep_the_turn_of_its_parent(turns: Callable[[], WriteLock], tmp_path: Path) -> None:
    command = [sys.executable, "-c", FORKING, str(tmp_path / "sm.db")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        other = turns()
        try:
            with pytest.raises(TimeoutError):
                other.take(within(0.01))
            parent.kill()
            parent.wait()
            other.take(within(60))
            os.kill(child, 0)  # it lives
        finally:
            os.kill(child, signal.SIGKILL)


@pytest.mark.skipif(not LOCKS.exists(), reason="only /proc/locks says who holds it")
def test_a_note_that_its_successor_could_not_replace_yet_accuses_nobody(
    turns: Callable[[], WriteLock], tmp_path: Path
) -> None:
    holder, other = turns(), turns()
    with holder.hold(forever):
        (tmp_path / "sm.db.lock").write_text(f"writes {os.getppid()} 1000000 sm run\n")
        found = other.holder()
        assert found is not None
        assert found.pid == os.getpid()


FORKING = """
import os, sys, time
from pathlib import Path
from sm_cli.store.sqlite.write_lock import WriteLock
turn = WriteLock(Path(sys.argv[1]))
turn.take(lambda: 1)
child = os.fork()
if child:
    print(child, flush=True)
time.sleep(600)
"""
