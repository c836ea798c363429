"""Jumps of the wall clock: which are noticed, and that each is noticed once."""

from __future__ import annotations

import pytest

from sm_cli.testing import FakeClock
from sm_cli.worker.jumps import Jumps

SECOND = 1_000_000


@pytest.mark.parametrize(
    ("jump", "noticed"),
    [
        (0, 0),
        (999_999, 0),
        (-999_999, 0),
        (SECOND, SECOND),
        (-SECOND, -SECOND),
        (86_400 * SECOND, 86_400 * SECOND),
    ],
)
def test_a_second_or_more_is_a_jump_in_either_direction(jump: int, noticed: int) -> None:
    clock = FakeClock()
    jumps = Jumps(clock)
    clock.jump(jump)
    assert [jumps.look(), jumps.look()] == [noticed, 0]


def test_time_that_passes_is_no_jump() -> None:
    clock = FakeClock()
    jumps = Jumps(clock)
    clock.advance_to(clock.now() + 10**12)
    assert jumps.look() == 0


def test_a_clock_that_is_adjusted_slowly_never_jumps() -> None:
    clock = FakeClock()
    jumps = Jumps(clock)
    for _ in range(5):
        clock.jump(600_000)
        assert jumps.look() == 0


def test_two_jumps_between_two_looks_are_one() -> None:
    clock = FakeClock()
    jumps = Jumps(clock)
    clock.jump(5 * SECOND)
    clock.jump(-3 * SECOND)
    assert jumps.look() == 2 * SECOND
    clock.jump(5 * SECOND)
    clock.jump(-5 * SECOND)
    assert jumps.look() == 0
