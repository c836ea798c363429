"""Turns: in the order of asking, limited in time, and never left with somebody who no longer waits."""

from __future__ import annotations

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


def forever() -> float:
    return time.monotonic() + 60


def waiting(tmp_path: Path) -> int:
    """How many wait for the lock in the kernel."""
    inode = (tmp_path / "sm.db.lock").stat().st_ino
    return sum("->" in line and f":{inode} " in line for line in LOCKS.read_text().splitlines())


def soon(condition: Callable[[], bool]) -> None:
    end = forever()
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


@pytest.mark.skipif(not LOCKS.exists(), reason="only /proc/locks tells who waits")
def test_turns_are_given_in_the_order_of_asking(turns: Callable[[], WriteLock], tmp_path: Path) -> None:
    first, order = turns(), []
    first.take(0)

    def ask(turn: WriteLock, name: int) -> None:
        with turn.taken(forever()):
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
        with holder.taken(forever()):
            for _ in range(3):
                with pytest.raises(TimeoutError):
                    late.take(time.monotonic() + 0.01)
        with late.taken(forever()), pytest.raises(TimeoutError):
            holder.take(time.monotonic() + 0.01)
        with holder.taken(forever()):
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

    holder.take(0)
    with monkeypatch.context() as patch:
        patch.setattr(threading, "Semaphore", Interrupting)
        with pytest.raises(KeyboardInterrupt):
            interrupted.take(forever())
    holder.give()
    with holder.taken(forever()):
        pass


def test_giving_back_what_one_has_not_changes_nothing(turns: Callable[[], WriteLock]) -> None:
    holder, other = turns(), turns()
    other.give()
    with holder.taken(0):
        other.give()
        with pytest.raises(TimeoutError):
            other.take(0)
