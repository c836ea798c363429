"""The bell that wakes the loop."""

from __future__ import annotations

import threading

import pytest

from sm_cli.worker.wakeup import Wakeup


def test_a_ring_before_the_sleep_ends_it_at_once_and_is_heard_once() -> None:
    bell = Wakeup()
    bell.ring()
    assert bell.wait_for_ring(60)
    assert not bell.wait_for_ring(0)


@pytest.mark.parametrize("rings", [2, 9])
def test_many_rings_are_one(rings: int) -> None:
    bell = Wakeup()
    for _ in range(rings):
        bell.ring()
    assert [bell.wait_for_ring(0), bell.wait_for_ring(0)] == [True, False]


def test_without_a_ring_the_sleep_ends_by_itself() -> None:
    assert not Wakeup().wait_for_ring(0.001)


def test_a_ring_that_is_hushed_is_not_heard_and_the_next_one_is() -> None:
    bell = Wakeup()
    bell.wait_for_ring(0)
    bell.ring()
    bell.wait_for_ring(0)
    assert not bell.wait_for_ring(0)
    bell.ring()
    assert bell.wait_for_ring(0)


def test_another_thread_wakes_the_sleeper() -> None:
    bell, heard = Wakeup(), threading.Event()

    def sleep() -> None:
        if bell.wait_for_ring(60):
            heard.set()

    sleeper = threading.Thread(target=sleep)
    sleeper.start()
    bell.ring()
    assert heard.wait(60)
    sleeper.join(60)


def test_no_ring_of_many_threads_is_lost() -> None:
    bell, rounds = Wakeup(), 200
    turn = threading.Semaphore(0)

    def ring() -> None:
        for _ in range(rounds):
            assert turn.acquire(timeout=60)
            bell.ring()

    ringer = threading.Thread(target=ring)
    ringer.start()
    for _ in range(rounds):
        turn.release()
        assert bell.wait_for_ring(60)
    ringer.join(60)
    assert not bell.wait_for_ring(0)


def test_who_listens_is_woken_by_any_of_many_who_ring() -> None:
    bell, count = Wakeup(), 8
    heard = threading.Semaphore(0)

    def ring() -> None:
        for _ in range(500):
            bell.ring()
        heard.release()

    threads = [threading.Thread(target=ring) for _ in range(count)]
    for thread in threads:
        thread.start()
    assert bell.wait_for_ring(60)
    for thread in threads:
        assert heard.acquire(timeout=60)
        thread.join()
    bell.ring()
    assert bell.wait_for_ring(0)
