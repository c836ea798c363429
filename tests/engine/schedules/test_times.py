"""Which times a schedule has: cron over changes of the clock, spans, jitter, and what has passed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_cli.engine.schedules.times import LATE, MOST, check_cron, due_of, find_due, next_time, next_times, smallest_gap
from sm_cli.errors import UsageError
from sm_cli.store.schedules import CatchUp, Schedule
from sm_cli.timestamps import MICROSECONDS
from tests.engine.schedules.fixtures import microseconds, schedule, time_text

HOUR = 3600 * MICROSECONDS


def times(made: Schedule, after: str, count: int) -> list[str]:
    return [time_text(time) for time in next_times(made, microseconds(after), count)]


@pytest.mark.parametrize(
    ("cron", "after", "expected"),
    [
        # 2026-03-29: from 02:00 +01:00 the clock is set to 03:00 +02:00.
        ("30 2 * * *", "2026-03-27T12:00Z", ["2026-03-28T01:30Z", "2026-03-29T01:00Z", "2026-03-30T00:30Z"]),
        ("0 3 * * *", "2026-03-28T12:00Z", ["2026-03-29T01:00Z", "2026-03-30T01:00Z"]),
        ("0,30 2 * * *", "2026-03-28T12:00Z", ["2026-03-29T01:00Z", "2026-03-30T00:00Z"]),
        ("0 * * * *", "2026-03-28T23:30Z", ["2026-03-29T00:00Z", "2026-03-29T01:00Z", "2026-03-29T02:00Z"]),
        ("*/30 * * * *", "2026-03-29T00:15Z", ["2026-03-29T00:30Z", "2026-03-29T01:00Z", "2026-03-29T01:30Z"]),
        # 2026-10-25: from 03:00 +02:00 the clock is set to 02:00 +01:00.
        ("30 2 * * *", "2026-10-23T12:00Z", ["2026-10-24T00:30Z", "2026-10-25T00:30Z", "2026-10-26T01:30Z"]),
        ("0 * * * *", "2026-10-24T23:30Z", ["2026-10-25T00:00Z", "2026-10-25T01:00Z", "2026-10-25T02:00Z"]),
        ("0 2 * * 1-5", "2026-10-23T12:00Z", ["2026-10-26T01:00Z", "2026-10-27T01:00Z"]),
        # Between the two: half past two by the clock on the wall, and the time that fires lies before.
        ("30 2 * * *", "2026-10-25T01:15Z", ["2026-10-26T01:30Z"]),
        ("15,45 * * * *", "2026-10-25T00:30Z", ["2026-10-25T00:45Z", "2026-10-25T01:15Z", "2026-10-25T01:45Z"]),
        # Six fields: seconds first.
        ("30 0 12 * * *", "2026-07-01T12:00Z", ["2026-07-02T10:00:30Z"]),
    ],
)
def test_cron_goes_by_the_clock_on_the_wall(cron: str, after: str, expected: list[str]) -> None:
    assert times(schedule(cron=cron), after, len(expected)) == expected


def test_a_span_goes_on_by_elapsed_time_from_where_it_began() -> None:
    made = schedule(cron=None, every=HOUR, anchor=microseconds("2026-03-29T00:20:05Z"))
    assert times(made, "2026-03-29T00:20:05Z", 2) == ["2026-03-29T01:20:05Z", "2026-03-29T02:20:05Z"]
    assert times(made, "2026-03-29T01:20:04Z", 1) == ["2026-03-29T01:20:05Z"]
    assert times(made, "2026-03-28T00:00Z", 1) == ["2026-03-29T01:20:05Z"]  # a clock that was set back


def test_a_single_time_comes_once() -> None:
    made = schedule(cron=None, anchor=microseconds("2026-06-01T00:00Z"))
    assert times(made, "2026-05-01T00:00Z", 3) == ["2026-06-01T00:00Z"]
    assert next_time(made, made.anchor) is None


def test_nothing_is_planned_beyond_the_years_that_can_be_written() -> None:
    begin = microseconds("9998-06-01T00:00Z")
    assert next_time(schedule(cron=None, every=366 * 24 * HOUR, anchor=begin), begin) is None
    assert next_time(schedule(cron="0 0 29 2 *", zone="UTC"), microseconds("9998-06-01T00:00Z")) is None
    assert next_time(schedule(cron="0 0 1 6 *", zone="UTC"), microseconds("9998-07-01T00:00Z")) is None


# -- what is due -----------------------------------------------------------------------------------


def due(made: Schedule, now: str) -> tuple[list[str], tuple[str, str] | None, str | None]:
    found = find_due(made, microseconds(now))
    missed = (
        None if found.missed_times is None else (time_text(found.missed_times[0]), time_text(found.missed_times[1]))
    )
    return [*map(time_text, found.times)], missed, None if found.then is None else time_text(found.then)


def hourly(catch_up: CatchUp, **change: Any) -> Schedule:
    planned = microseconds("2026-05-01T10:00Z")
    return schedule(cron="0 * * * *", catch_up=catch_up, next=planned, due=planned, **change)


@pytest.mark.parametrize("catch_up", list(CatchUp))
@pytest.mark.parametrize("now", ["2026-05-01T10:00Z", "2026-05-01T10:00:30Z", "2026-05-01T10:01Z"])
def test_a_time_that_is_up_to_a_minute_ago_is_no_missed_one(catch_up: CatchUp, now: str) -> None:
    assert due(hourly(catch_up), now) == (["2026-05-01T10:00Z"], None, "2026-05-01T11:00Z")


@pytest.mark.parametrize(
    ("catch_up", "now", "expected"),
    [
        (CatchUp.NONE, "10:01:01", ([], ("10:00", "10:00"), "11:00")),
        (CatchUp.LAST, "10:01:01", (["10:00"], None, "11:00")),
        (CatchUp.NONE, "14:30:00", ([], ("10:00", "14:00"), "15:00")),
        (CatchUp.NONE, "14:00:30", (["14:00"], ("10:00", "13:00"), "15:00")),
        (CatchUp.LAST, "14:30:00", (["14:00"], ("10:00", "13:00"), "15:00")),
        (CatchUp.LAST, "14:00:30", (["14:00"], ("10:00", "13:00"), "15:00")),
        (CatchUp.ALL, "14:30:00", (["10:00", "11:00", "12:00", "13:00", "14:00"], None, "15:00")),
    ],
)
def test_what_passed_while_nobody_was_there_is_caught_up_with(
    catch_up: CatchUp, now: str, expected: tuple[list[str], tuple[str, str] | None, str]
) -> None:
    times, missed, following = expected

    def day(text: str) -> str:
        return f"2026-05-01T{text}Z"

    passed = None if missed is None else (day(missed[0]), day(missed[1]))
    assert due(hourly(catch_up), day(now)) == ([*map(day, times)], passed, day(following))


def test_all_that_passed_is_taken_up_in_portions() -> None:
    found = find_due(hourly(CatchUp.ALL), microseconds("2026-06-01T10:00Z"))
    assert (len(found.times), found.then) == (MOST, hourly(CatchUp.ALL).next + MOST * HOUR)  # type: ignore[operator]


def test_years_that_passed_cost_no_walk() -> None:
    begin = microseconds("1990-01-01T00:00Z")
    made = schedule(cron=None, every=MICROSECONDS, anchor=begin, next=begin + MICROSECONDS)
    times, missed, following = due(made, "2026-05-01T10:00Z")
    assert (times[-1], following) == ("2026-05-01T10:00Z", "2026-05-01T10:00:01Z")
    assert len(times) == 61
    assert missed == ("1990-01-01T00:00:01Z", "2026-05-01T09:58:59Z")


def test_a_missed_time_in_the_hour_that_comes_twice_is_still_the_last() -> None:
    made = schedule(next=microseconds("2026-10-24T00:30Z"))
    # 02:10 by the clock on the wall, for the second time; it fired at 02:30, the first time.
    assert due(made, "2026-10-25T01:10Z") == (
        ["2026-10-25T00:30Z"], ("2026-10-24T00:30Z", "2026-10-24T00:30Z"), "2026-10-26T01:30Z",
    )  # fmt: skip


@given(
    jitter=st.integers(0, 3599), asleep=st.integers(0, 50_000), catch_up=st.sampled_from(list(CatchUp)),
    name=st.sampled_from(["a", "b", "nightly"]), wakes=st.lists(st.integers(1, 9000), min_size=1, max_size=8),
)  # fmt: skip
def test_no_time_is_fired_twice_and_none_that_somebody_was_there_for_is_lost(
    jitter: int, asleep: int, catch_up: CatchUp, name: str, wakes: list[int]
) -> None:
    begin = microseconds("2026-10-24T20:20Z")
    made = schedule(name=name, cron="0 * * * *", catch_up=catch_up, jitter=jitter * MICROSECONDS)
    made.next = next_time(made, begin)
    fired: list[int] = []
    now = begin + asleep * MICROSECONDS
    for wake in wakes:
        while made.next is not None and due_of(made, made.next) <= now:
            found = find_due(made, now)
            fired += found.times
            made.next = found.then
        now += wake * MICROSECONDS
    end = now - wakes[-1] * MICROSECONDS
    assert fired == sorted(set(fired))
    have_come = [time for time in next_times(made, begin, 200) if due_of(made, time) <= end]
    assert set(fired) <= set(have_come)
    if catch_up is CatchUp.ALL:
        assert fired == have_come
    if catch_up is CatchUp.LAST and have_come:
        assert have_come[-1] in fired
    looks = [begin + asleep * MICROSECONDS]
    for wake in wakes[:-1]:
        looks.append(looks[-1] + wake * MICROSECONDS)
    seen = [t for t in have_come if any(0 <= look - due_of(made, t) <= LATE for look in looks)]
    assert set(seen) <= set(fired)


# -- jitter ----------------------------------------------------------------------------------------


def test_jitter_is_derived_from_name_and_time() -> None:
    one, other = schedule(jitter=300 * MICROSECONDS), schedule(name="other", jitter=300 * MICROSECONDS)
    times = next_times(one, 0, 200)
    late = [due_of(one, time) - time for time in times]
    assert late == [due_of(one, time) - time for time in times]
    assert all(0 <= each < 300 * MICROSECONDS for each in late)
    assert late != [due_of(other, time) - time for time in times]
    assert min(late) < 30 * MICROSECONDS < 270 * MICROSECONDS < max(late)
    assert due_of(schedule(), times[0]) == times[0]


def test_the_smallest_gap_is_that_of_the_clock_s_changes_too() -> None:
    begin = microseconds("2026-03-01T00:00Z")
    assert smallest_gap(schedule(cron="0 1,3 * * *"), begin) == HOUR
    assert smallest_gap(schedule(cron=None, every=HOUR), begin) == HOUR
    assert smallest_gap(schedule(cron=None, anchor=begin + HOUR), begin) is None


# -- what is no cron expression --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("0 0 30 2 *", "never fires"),
        ("0 0 31 2,4,6,9,11 *", "never fires"),
        ("0 0 */31 2 1#5", "never fires"),
        ("0 0 30 13 *", "bad month"),
        ("0 0 32 * *", "bad day-of-month"),
        ("", "wrong number of fields"),
        ("* * * *", "wrong number of fields"),
        ("* * * * * * *", "wrong number of fields"),
        ("61 * * * *", "bad minute"),
        ("* 24 * * *", "bad hour"),
        ("* * * * MONDAY", "bad day-of-week"),
        ("@daily", "wrong number of fields"),
        ("²* * * *", "wrong number of fields"),
        ("² * * * *", "bad minute"),
        (f"{'9' * 5000} * * * *", "at most 200 characters"),
        ("*/0 * * * *", "bad minute"),
        ("5-1 * * * *", "bad minute"),
        ("\ud800 * * * *", "bad minute"),
    ],
)
def test_what_is_no_cron_expression_or_never_fires_is_refused(expression: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        check_cron(expression, "Europe/Berlin", microseconds("2026-01-01T00:00Z"))


@given(st.text("0123456789*/-,#LWMONJA ²", max_size=30))
def test_any_text_is_a_cron_expression_or_refused(expression: str) -> None:
    begin = microseconds("2026-01-01T00:00Z")
    try:
        check_cron(expression, "Europe/Berlin", begin)
    except UsageError:
        return
    found = next_time(schedule(cron=expression), begin)
    assert found is not None and found > begin and found % MICROSECONDS == 0


def test_the_rare_fires_when_it_does() -> None:
    check_cron("0 0 29 2 *", "UTC", microseconds("2026-01-01T00:00Z"))
    assert times(schedule(cron="0 0 * 2 MON#5", zone="UTC"), "2026-01-01T00:00Z", 1) == ["2044-02-29T00:00Z"]
