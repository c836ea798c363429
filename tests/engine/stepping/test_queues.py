"""Queues are served in the ratio of their weights, smoothly, and only those that have work."""

from __future__ import annotations

from collections import Counter
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_cli.engine.stepping.queues import Rota


def served(rota: Rota, names: list[str], picks: int, at_once: int = 1) -> list[str]:
    """The queues that are picked from when each of `names` always has work."""
    found: list[str] = []
    while len(found) < picks:
        found += rota.pick({name: [name] * at_once for name in names}, at_once)
    return found


@pytest.mark.parametrize("at_once", [1, 3, 10])
def test_of_any_ten_jobs_six_three_and_one_are_taken(at_once: int) -> None:
    order = served(Rota(), ["low", "default", "critical"], 100, at_once)
    for first in range(90):
        assert Counter(order[first : first + 10]) == {"critical": 6, "default": 3, "low": 1}


def test_the_order_is_mixed_and_not_one_queue_after_the_other() -> None:
    order = served(Rota({"a": 5, "b": 1, "c": 1}), ["a", "b", "c"], 7)
    assert "".join(order) == "aabacaa"


def test_a_queue_that_was_empty_has_saved_nothing_up() -> None:
    rota = Rota({"a": 1, "b": 1})
    served(rota, ["a"], 50)
    assert Counter(served(rota, ["a", "b"], 10)) == {"a": 5, "b": 5}


def test_strict_serves_a_queue_only_when_the_ones_before_it_are_empty() -> None:
    rota = Rota({"z": 1, "a": 9}, strict=True)
    assert rota.pick({"a": [1, 2, 3], "z": [4, 5]}, 4) == [4, 5, 1, 2]


def test_only_the_named_queues_are_served() -> None:
    rota = Rota({"a": 1})
    assert rota.pick({"a": [1], "b": [2]}, 5) == [1]
    assert (rota.serves("a"), rota.serves("b")) == (True, False)
    assert Rota().serves("anything")


def test_without_weights_an_unknown_queue_weighs_as_the_default_one_does() -> None:
    assert Counter(served(Rota(), ["default", "mine"], 10)) == {"default": 5, "mine": 5}


@given(
    st.dictionaries(st.sampled_from("abcd"), st.integers(1, 9), min_size=1),
    st.lists(st.sampled_from("abcd")),
    st.data(),
)
def test_all_that_waits_is_picked_once_and_each_queue_in_its_order(
    weights: dict[str, int], jobs: list[str], data: st.DataObject
) -> None:
    rota = Rota(weights, strict=data.draw(st.booleans()))
    numbers = count()
    waiting: dict[str, list[tuple[str, int]]] = {}
    for queue in jobs:
        waiting.setdefault(queue, []).append((queue, next(numbers)))
    left = {queue: list(line) for queue, line in waiting.items()}
    picked: list[tuple[str, int]] = []
    while any(left.get(queue) for queue in weights):
        some = rota.pick(left, data.draw(st.integers(1, 4)))
        assert some
        for queue, number in some:
            left[queue].remove((queue, number))
        picked += some
    for queue in weights:
        assert [job for job in picked if job[0] == queue] == waiting.get(queue, [])
    assert {queue for queue, _ in picked} <= weights.keys()
