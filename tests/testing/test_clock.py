"""The clock that stands still."""

from __future__ import annotations

from sm_cli.testing import FakeClock


def test_time_passes_when_it_is_told_to_and_never_backwards() -> None:
    clock = FakeClock(1000)
    clock.advance_to(5000)
    clock.advance_to(2000)
    assert (clock.now(), clock.monotonic()) == (5000, 5000)


def test_a_jump_moves_the_wall_clock_only() -> None:
    clock = FakeClock(1000)
    clock.jump(-600)
    assert (clock.now(), clock.monotonic()) == (400, 1000)
    clock.jump(100)
    assert (clock.now(), clock.monotonic()) == (500, 1000)
    clock.advance_to(700)
    assert (clock.now(), clock.monotonic()) == (700, 1200), "what passes after a jump passes on both"


def test_ids_are_different_in_order_and_the_same_in_every_run() -> None:
    first, second = FakeClock(), FakeClock()
    made = [first.new_ref() for _ in range(3)]
    assert made == sorted(set(made))
    assert [second.new_ref() for _ in range(3)] == made
