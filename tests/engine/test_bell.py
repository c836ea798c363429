"""The bell that wakes the loop."""

from __future__ import annotations

import threading

from sm_cli.worker.wakeup import Wakeup


def test_a_ring_is_heard_once_also_when_nobody_listened_yet() -> None:
    bell = Wakeup()
    assert not bell.wait_for_ring(0)
    bell.ring()
    bell.ring()
    assert bell.wait_for_ring(0)
    assert not bell.wait_for_ring(0)
    bell.ring()
    bell.hush()
    bell.hush()
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
