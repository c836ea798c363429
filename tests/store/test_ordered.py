"""Ordered answers as a sorted set does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sm_cli.store.ordered import Ordered

STEPS = st.lists(st.tuples(st.sampled_from(["add", "discard", "first", "until"]), st.integers(0, 60)), max_size=300)


@given(STEPS)
def test_ordered_answers_as_a_sorted_set_does(steps: list[tuple[str, int]]) -> None:
    ordered: Ordered[int] = Ordered()
    model: set[int] = set()
    for step, n in steps:
        if step == "add":
            ordered.add(n)
            model.add(n)
        elif step == "discard":
            ordered.discard(n)
            model.discard(n)
        elif step == "first":
            assert ordered.first(n % 7) == sorted(model)[: n % 7]
            assert ordered.first(3, lambda key: key % 2 == 0) == sorted(key for key in model if key % 2 == 0)[:3]
        else:
            assert ordered.until(n, 4) == sorted(key for key in model if key < n)[:4]
        assert len(ordered) == len(model)
    assert ordered.all() == sorted(model)


def test_what_was_removed_does_not_pile_up() -> None:
    ordered: Ordered[int] = Ordered()
    for n in range(10_000):
        ordered.add(n)
        ordered.discard(n)
    assert len(ordered._heap) < 100
    assert ordered.first(1) == []
