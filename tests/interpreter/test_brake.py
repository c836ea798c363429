"""The brake of a batch: limits at their very edge, rounds, pause and lift_pause."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from sm_cli.engine.batches.options import rate_of
from sm_cli.interpreter.brake import (
    WHOLE,
    after_child,
    excess_text,
    fails,
    is_above,
    lift_pause,
    most_to_start,
    round_counts,
)
from sm_cli.interpreter.frame import UNKNOWN, Brake, Join
from sm_cli.interpreter.join import Verdict, settle, to_start, verdict

NOW = 1_700_000_000_000_000
limits = st.integers(0, WHOLE)
counts = st.integers(0, 10_000)


def batch(total: int = UNKNOWN, **brake: int | None) -> Join:
    """A batch of which nothing has begun, with all children made."""
    given = Brake(ceiling=brake.get("round_size") or 0, **brake)  # type: ignore[arg-type]  # names of fields
    return Join(total, 10, UNKNOWN, made_children=10_000, brake=given)


def brake_of(join: Join) -> Brake:
    assert join.brake is not None
    return join.brake


@given(counts, counts, limits)
def test_above_is_strictly_above_and_exact(part: int, more: int, limit: int) -> None:
    whole = part + more
    exact = whole > 0 and Fraction(part, whole) > Fraction(limit, WHOLE)
    assert is_above(part, whole, limit) is exact


@given(st.integers(1, 1_000), st.integers(0, 100))
def test_exactly_the_rate_is_not_above_it_and_one_more_is(hundreds: int, percent: int) -> None:
    whole, limit = hundreds * 100, rate_of(f"{percent}%", "rate")
    assert not is_above(hundreds * percent, whole, limit)
    if percent < 100:
        assert is_above(hundreds * percent + 1, whole, limit)


def test_a_third_of_a_hundred_is_judged_without_rounding() -> None:
    assert not is_above(333, 1000, rate_of("33.3%", "rate"))
    assert is_above(334, 1000, rate_of("33.3%", "rate"))
    assert rate_of("33.3", "rate") == rate_of(33.3, "rate") == 333_000


@given(st.lists(st.booleans(), max_size=60), limits, st.integers(0, 30))
def test_a_rate_ends_the_batch_at_the_first_item_that_takes_it_above(
    outcomes: list[bool], limit: int, samples: int
) -> None:
    join = batch(rate_above=limit, min_samples=samples)
    for number, is_success in enumerate(outcomes, 1):
        join = join._replace(started=join.started + 1)
        join, result = settle(join, is_success)
        failed = outcomes[:number].count(False)
        expected = number >= samples and Fraction(failed, number) > Fraction(limit, WHOLE)
        assert (result is Verdict.FAIL) is expected
        if expected:
            assert "which is above" in excess_text(join, brake_of(join))
            return


@given(st.lists(st.booleans(), min_size=1, max_size=90), st.integers(1, 20), limits, limits)
def test_rounds_begin_when_all_of_the_last_have_ended_and_the_brake_agrees(
    outcomes: list[bool], size: int, pause: int, fail: int
) -> None:
    """A model of the whole: children one after the other, a person who resumes whenever it pauses."""
    join = batch(len(outcomes), round_size=size, pause_above=pause, fail_above=fail)
    join = join._replace(made_children=len(outcomes), limit=1)
    for begin in range(0, len(outcomes), size):
        one_round = outcomes[begin : begin + size]
        for is_success in one_round:
            assert to_start(join) == 1
            join, result = settle(join._replace(started=join.started + 1), is_success)
            if result is Verdict.WAIT:
                join = after_child(join, NOW)
        rate = Fraction(one_round.count(False), len(one_round))
        if rate > Fraction(fail, WHOLE):
            assert result is Verdict.FAIL
            return
        if begin + size >= len(outcomes):
            assert result is Verdict.COMPLETE
            return
        assert result is Verdict.WAIT
        assert bool(brake_of(join).paused_since) is (rate > Fraction(pause, WHOLE))
        if brake_of(join).paused_since:
            assert to_start(join) == 0
            join = lift_pause(join)
        assert brake_of(join).round == begin // size + 2
        assert round_counts(join, brake_of(join)) == (0, 0)


def test_nothing_of_the_next_round_begins_while_one_of_this_round_runs() -> None:
    join = batch(60, round_size=20)
    assert to_start(join) == 10
    join = join._replace(started=20)
    for _ in range(19):
        join = after_child(settle(join, True)[0], NOW)
        assert to_start(join) == 0
    join = after_child(settle(join, True)[0], NOW)
    assert to_start(join) == 10
    assert brake_of(join).ceiling == 40


def test_what_was_there_before_is_not_judged() -> None:
    join = batch(10, rate_above=100_000)._replace(started=1, settled_items=9)
    join = join._replace(brake=brake_of(join)._replace(existing=9))
    assert fails(settle(join, False)[0], brake_of(join))
    join, result = settle(join, True)
    assert result is Verdict.COMPLETE


def test_a_pause_in_the_middle_of_a_round_lets_the_round_go_on_later() -> None:
    join = batch(60, round_size=20)._replace(started=5, succeeded=5, settled_items=5)
    paused = join._replace(brake=brake_of(join)._replace(paused_since=NOW))
    assert (to_start(paused), most_to_start(paused, brake_of(paused), 50)) == (0, 0)
    again = lift_pause(paused)
    assert brake_of(again) == brake_of(join)
    assert to_start(again) == 10


def test_a_round_that_fails_while_a_person_has_paused_stays_paused_since_then() -> None:
    join = batch(60, round_size=2, pause_above=0)._replace(started=2, succeeded=1, settled_items=1)
    join = join._replace(brake=brake_of(join)._replace(paused_since=NOW))
    join, _ = settle(join, False)
    join = after_child(join, NOW + 5)
    assert (brake_of(join).paused_since, brake_of(join).by_failures) == (NOW, 1)
    assert brake_of(lift_pause(join)).ceiling == 4


def test_a_fork_without_a_brake_is_judged_as_before() -> None:
    join = Join(2, made_children=2)
    assert after_child(join, NOW) is join
    assert verdict(join) is Verdict.WAIT
