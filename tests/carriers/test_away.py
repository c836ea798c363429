"""A server that goes and comes: what is said of it, and how long the pauses are."""

from __future__ import annotations

import logging

import pytest

from sm_cli.carriers.away import Away, carrier_away
from sm_cli.errors import CarrierAway, DatabaseAway

GONE = DatabaseAway("nobody there")


class Time:
    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_an_outage_is_said_once_with_pauses_that_grow_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    away = Away("the broker", Time())
    assert [away.pause(GONE) for _ in range(8)] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    away.over()
    away.over()
    assert caplog.messages == [
        "nobody there; trying again until it works, nothing is lost",
        "the broker answers again; going on",
    ]


def test_one_that_was_back_for_a_while_is_tried_soon_again() -> None:
    time = Time()
    away = Away(now=time)
    for _ in range(5):
        away.pause(GONE)
    away.over()
    time.seconds += 6
    assert away.pause(GONE) == 0.1


def test_one_that_answers_and_fails_at_once_does_not_fill_a_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    time = Time()
    away = Away(now=time)
    end = time.seconds + 60
    while time.seconds < end:
        time.seconds += away.pause(GONE)
        away.over()
    assert len(caplog.messages) < 2 * 20


def test_whatever_a_library_raises_is_a_carrier_that_is_away_and_its_text_is_nobody_s_business() -> None:
    known = CarrierAway("the broker cannot be reached")
    assert carrier_away(known) is known
    told = carrier_away(ValueError("redis://me:secret@host"))
    assert told.message == "what carries hints has failed (ValueError)"
