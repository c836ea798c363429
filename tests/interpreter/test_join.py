"""Fan-in: what a child's end means for the fork, and how many may begin."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_cli.interpreter.frame import Join
from sm_cli.interpreter.join import Verdict, settle, to_start


def test_the_last_child_completes_the_join() -> None:
    join, verdict = settle(Join(2), True)
    assert (join.succeeded, join.settled_items, verdict) == (1, 1, Verdict.WAIT)
    join, verdict = settle(join, True)
    assert (join.succeeded, join.failed, join.settled_items, verdict) == (2, 0, 2, Verdict.COMPLETE)


def test_one_failure_more_than_is_tolerated_fails_at_once() -> None:
    join, verdict = settle(Join(5, tolerated=1), False)
    assert verdict is Verdict.WAIT
    join, verdict = settle(join, False)
    assert (join.failed, join.failed_items, verdict) == (2, 2, Verdict.FAIL)


def test_a_tolerated_failure_may_be_the_one_that_completes() -> None:
    join, _ = settle(Join(2, tolerated=1), True)
    assert settle(join, False)[1] is Verdict.COMPLETE


def test_a_batch_counts_its_items_and_not_itself() -> None:
    join, verdict = settle(Join(7, tolerated=3), False, items=3)
    assert (join.failed, join.failed_items, join.settled_items, verdict) == (1, 3, 3, Verdict.WAIT)
    assert settle(join, True, items=4)[1] is Verdict.COMPLETE
    assert settle(join, False, items=4)[1] is Verdict.FAIL


@given(st.lists(st.booleans(), min_size=1, max_size=40), st.integers(0, 40))
def test_the_verdict_is_the_same_in_every_order(ends: list[bool], tolerated: int) -> None:
    def last(order: list[bool]) -> Verdict:
        join = Join(len(order), tolerated=tolerated)
        for succeeded in order:
            join, verdict = settle(join, succeeded)
            if verdict is not Verdict.WAIT:
                return verdict
        raise AssertionError("a join whose children are all closed is over")

    expected = Verdict.FAIL if ends.count(False) > tolerated else Verdict.COMPLETE
    assert last(ends) is last(sorted(ends)) is last(sorted(ends, reverse=True)) is expected


@pytest.mark.parametrize(
    ("join", "number"),
    [
        (Join(9, limit=0, made_children=9), 9),
        (Join(9, limit=0, made_children=9, started=4), 5),
        (Join(9, limit=3, made_children=9), 3),
        (Join(9, limit=3, made_children=9, started=3), 0),
        (Join(9, limit=3, made_children=9, started=3, succeeded=1, failed=1), 2),
        (Join(9, limit=3, made_children=4, started=3, succeeded=3), 1),
        (Join(9, limit=1, made_children=9, started=3), 0),
    ],
)
def test_as_many_begin_as_the_limit_lets(join: Join, number: int) -> None:
    assert to_start(join) == number
