"""Heartbeats on their way to the store: how many of those that were given are written."""

from __future__ import annotations

import pytest

from sm_cli.interpreter.timers import TimerKind
from sm_cli.store.records import Timer
from sm_cli.worker.heartbeats import Heartbeats
from tests.store.samples import SECOND, T0, job

HELD = {(1, 1), (2, 1)}


def due_at(frame: int, due: int, execution: int = 1) -> Timer:
    return Timer(execution, frame, 1, TimerKind.HEARTBEAT, due)


def test_without_a_heartbeat_there_is_no_timer() -> None:
    assert Heartbeats().due(T0, HELD) == []


def test_a_heartbeat_sets_the_timer_a_whole_span_after_it_was_given() -> None:
    beats = Heartbeats()
    beats.say(job(1, heartbeat=10.0), T0)
    assert beats.due(T0 + SECOND, HELD) == [due_at(1, T0 + 10 * SECOND)]


def test_of_several_the_last_counts_and_none_is_written_twice() -> None:
    beats, one = Heartbeats(), job(1, heartbeat=10.0)
    for second in range(4):
        beats.say(one, T0 + second * SECOND)
    assert beats.due(T0 + 4 * SECOND, HELD) == [due_at(1, T0 + 13 * SECOND)]
    assert beats.due(T0 + 9 * SECOND, HELD) == []


@pytest.mark.parametrize(("later", "written"), [(999_999, False), (1_000_000, True)])
def test_no_more_than_ten_are_written_in_a_span(later: int, written: bool) -> None:
    beats, one = Heartbeats(), job(1, heartbeat=10.0)
    beats.say(one, T0)
    beats.due(T0, HELD)
    beats.say(one, T0 + later)
    assert bool(beats.due(T0 + later, HELD)) is written


def test_one_that_came_too_soon_is_written_later_without_another() -> None:
    beats, one = Heartbeats(), job(1, heartbeat=10.0)
    beats.say(one, T0)
    beats.due(T0, HELD)
    beats.say(one, T0 + 5)
    assert beats.due(T0 + 6, HELD) == []
    assert beats.due(T0 + 2 * SECOND, HELD) == [due_at(1, T0 + 5 + 10 * SECOND)]


def test_a_job_without_heartbeat_seconds_says_nothing() -> None:
    beats = Heartbeats()
    beats.say(job(1), T0)
    assert beats.due(T0 + SECOND, HELD) == []


def test_what_is_not_held_any_more_is_forgotten_for_good() -> None:
    beats = Heartbeats()
    beats.say(job(1, heartbeat=10.0), T0)
    beats.say(job(2, frame=2, heartbeat=4.0), T0)
    assert beats.due(T0 + SECOND, {(2, 1)}) == [due_at(2, T0 + 4 * SECOND)]
    assert beats.due(T0 + 2 * SECOND, HELD) == []


def test_a_later_attempt_of_the_same_frame_has_beats_of_its_own() -> None:
    beats = Heartbeats()
    beats.say(job(1, heartbeat=10.0), T0)
    beats.say(job(1, seq=3, heartbeat=10.0), T0 + SECOND)
    (timer,) = beats.due(T0 + 2 * SECOND, {(1, 3)})
    assert (timer.seq, timer.due) == (3, T0 + 11 * SECOND)


@pytest.mark.parametrize("apart", [0, 3600 * SECOND, -3600 * SECOND])
def test_a_timer_is_due_by_the_wall_clock_wherever_that_stands_now(apart: int) -> None:
    beats, one = Heartbeats(), job(1, heartbeat=10.0)
    beats.say(one, 5 * SECOND)
    assert beats.due(6 * SECOND, HELD, T0 + apart) == [due_at(1, T0 + apart + 15 * SECOND)]
    beats.say(one, 7 * SECOND)
    assert beats.due(8 * SECOND, HELD, T0) == [due_at(1, T0 + 17 * SECOND)]


def test_what_is_put_back_is_due_again_as_long_as_its_job_is_held() -> None:
    beats = Heartbeats()
    beats.say(job(1, heartbeat=10.0), T0)
    due = beats.due(T0 + SECOND, HELD)
    beats.put_back(due)
    assert beats.due(T0 + SECOND, HELD) == due
    assert beats.due(T0 + SECOND, HELD) == []
    beats.put_back(due)
    assert beats.due(T0 + SECOND, {(2, 1)}) == []
