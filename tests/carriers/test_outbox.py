"""The outbox: what is announced after a commit, how often, and what becomes of it while nobody can be reached."""

from __future__ import annotations

import threading

from sm_cli.carriers.outbox import Outbox
from sm_cli.errors import CarrierAway
from tests.engine.workers import soon


def test_a_burst_of_commits_makes_few_hints() -> None:
    sent: list[str] = []
    outbox = Outbox(sent.append, lambda _: 0.0, pause=0.2)
    for _ in range(1000):
        outbox.put(["default"])
    outbox.put(["critical"])
    outbox.start()
    soon(lambda: len(sent) == 2)
    assert sent == ["default", "critical"]
    outbox.close()


def test_what_comes_while_it_pauses_is_sent_afterwards() -> None:
    sent: list[str] = []
    outbox = Outbox(sent.append, lambda _: 0.0, pause=0.05)
    outbox.start()
    outbox.put(["default"])
    soon(lambda: sent == ["default"])
    for _ in range(100):
        outbox.put(["default"])
    soon(lambda: len(sent) >= 2)
    assert len(sent) < 50
    outbox.close()


def test_what_cannot_be_sent_stays_in_and_is_sent_later() -> None:
    sent: list[str] = []
    failures: list[str] = []
    works = threading.Event()

    def send(queue: str) -> None:
        if not works.is_set():
            raise CarrierAway("nobody there")
        sent.append(queue)

    def away(error: CarrierAway) -> float:
        failures.append(error.message)
        return 0.001

    outbox = Outbox(send, away, pause=0.001)
    outbox.start()
    outbox.put(["low", "default"])
    soon(lambda: len(failures) >= 3)
    outbox.put(["critical"])
    works.set()
    soon(lambda: sorted(sent) == ["critical", "default", "low"])
    outbox.close()


def test_it_goes_on_whatever_a_library_raises_and_tells_when_it_works_again() -> None:
    sent: list[str] = []
    told: list[str] = []
    works = threading.Event()

    def send(queue: str) -> None:
        if not works.is_set():
            raise ZeroDivisionError
        sent.append(queue)

    def away(error: CarrierAway) -> float:
        told.append(error.message)
        return 0.001

    outbox = Outbox(send, away, lambda: told.append("back"), pause=0.001)
    outbox.start()
    outbox.put(["default"])
    soon(lambda: len(told) >= 2)
    assert outbox.is_stuck
    works.set()
    soon(lambda: told[-1] == "back")
    assert (sent, outbox.is_stuck) == (["default"], False)
    assert set(told) == {"what carries hints has failed (ZeroDivisionError)", "back"}
    outbox.close()


def test_an_outbox_that_is_closed_sends_nothing_more() -> None:
    sent: list[str] = []
    outbox = Outbox(sent.append, lambda _: 0.0)
    outbox.close()
    outbox.put(["default"])
    outbox.start()
    outbox._thread.join(30)
    assert not outbox._thread.is_alive()
    assert sent == []
