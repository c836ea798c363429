"""The bell that wakes the loop."""

from __future__ import annotations

import threading

from sm_cli.worker.wakeup import Bell


def test_a_ring_is_heard_once_also_when_nobody_listened_yet() -> None:
    bell = Bell()
    assert not bell.heard(0)
    bell.ring()
    bell.ring()
    assert bell.heard(0)
    assert not bell.heard(0)
    bell.ring()
    bell.hush()
    bell.hush()
    assert not bell.heard(0)


def test_who_listens_is_woken_by_any_of_many_who_ring() -> None:
    bell, count = Bell(), 8
    heard = threading.Semaphore(0)

    def ring() -> None:
        for _ in range(500):
            bell.ring()
        heard.release()

    threads = [threading.Thread(target=ring) for _ in range(count)]
    for thread in threads:
        thread.start()
    assert bell.heard(60)
    for thread in threads:
        assert heard.acquire(timeout=60)
        thread.join()
    bell.ring()
    assert bell.heard(0)
