"""What one tick may take: time that is measured, large values that are weighed, small ones that are sampled."""

from __future__ import annotations

import pytest

from sm_cli.engine.allowance import Allowance
from sm_cli.history_event import HistoryEvent
from sm_cli.jsonvalue import Json


class Watch:
    def __init__(self) -> None:
        self.time = 1000

    def __call__(self) -> int:
        return self.time


def record(size: int) -> HistoryEvent:
    """An event whose detail is so many bytes of JSON."""
    return HistoryEvent(1, 1, 0, 1, 0, "PassStateExited", {"x": "y" * (size - len('{"x":""}'))})


def test_time_is_over_after_its_end_and_not_at_it() -> None:
    watch = Watch()
    allowance = Allowance(watch, 50, 10**9)
    watch.time = 1050
    assert not allowance.enough([])
    watch.time = 1051
    assert allowance.enough([])


def test_the_time_before_the_tick_goes_on_to_step_is_not_counted() -> None:
    watch = Watch()
    allowance = Allowance(watch, 50, 10**9)
    watch.time = 1030
    allowance.lap()
    watch.time = 1530
    allowance.resume()
    assert allowance.lap() == 0
    watch.time = 1550
    assert not allowance.enough([])
    watch.time = 1551
    assert allowance.enough([])


def test_every_seventh_state_stands_for_the_others() -> None:
    allowance = Allowance(Watch(), 10**9, 7 * 2 * 100 * 2)
    seen = [allowance.enough([record(100)]) for _ in range(15)]
    assert seen == [False] * 14 + [True], "7 x 200 bytes with the 1st, the 8th and the 15th state"


def test_a_record_with_a_large_value_is_no_sample_for_it_was_weighed() -> None:
    allowance = Allowance(Watch(), 10**9, 1000)
    assert not any(allowance.enough([record(10_000)]) for _ in range(15))


def test_states_between_the_samples_are_not_looked_at() -> None:
    allowance = Allowance(Watch(), 10**9, 1000)
    assert not allowance.enough([record(20)])
    assert not any(allowance.enough([record(200)]) for _ in range(6))
    assert allowance.enough([record(200)])


def test_a_large_value_counts_once_whatever_row_it_is_for() -> None:
    allowance = Allowance(Watch(), 10**9, 1000)
    value: Json = ["x" * 600]
    for _ in range(3):
        allowance.weigh(value, 604)
    assert not allowance.enough([])
    allowance.weigh(["x" * 600], 604)
    assert allowance.enough([]), "one that is equal is another one"


def test_a_large_value_of_exactly_what_there_is_fits() -> None:
    allowance = Allowance(Watch(), 10**9, 1000)
    allowance.weigh("x", 1000)
    assert not allowance.enough([])
    allowance.weigh("y", 1)
    assert allowance.enough([])


@pytest.mark.parametrize(("made", "laps"), [([], [5, 5]), ([4000], [25, 5]), ([199], [5, 5]), ([200, 800], [10, 5])])
def test_a_lap_pays_for_the_commit_of_what_was_made_since_once(made: list[int], laps: list[int]) -> None:
    watch = Watch()
    allowance = Allowance(watch, 10**9, 10**9)
    values: list[Json] = [[n] for n in made]  # each an object of its own
    for value, size in zip(values, made, strict=True):
        allowance.weigh(value, size)
    found = []
    for _ in range(2):
        watch.time += 5
        found.append(allowance.lap())
    assert found == laps


def test_a_state_without_records_weighs_nothing() -> None:
    allowance = Allowance(Watch(), 10**9, 0)
    assert not any(allowance.enough([]) for _ in range(20))


def test_of_several_records_the_last_is_weighed() -> None:
    allowance = Allowance(Watch(), 10**9, 7 * 2 * 100)
    assert not allowance.enough([record(5000), record(100)])
    assert not allowance.over


@pytest.mark.parametrize(("passed", "over"), [([10, 20], False), ([10, 41], True), ([51], True)])
def test_what_was_spent_is_counted_between_two_questions(passed: list[int], over: bool) -> None:
    watch = Watch()
    allowance = Allowance(watch, 50, 10**9)
    spent = []
    for microseconds in passed:
        watch.time += microseconds
        spent.append(allowance.lap())
    assert (spent, allowance.over) == (passed, over)


def test_bytes_make_it_over_too_and_it_stays_over() -> None:
    allowance = Allowance(Watch(), 10**9, 100)
    assert allowance.enough([record(100)])
    assert not allowance.over, "as of the last look"
    assert allowance.lap() == 1400 // 200
    assert allowance.over
    assert allowance.lap() == 0
