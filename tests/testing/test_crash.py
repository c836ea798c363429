"""A store that dies at a chosen commit."""

from __future__ import annotations

import pytest

from sm_cli.store.changes import Changes
from sm_cli.store.protocol import Store
from sm_cli.store.sqlite.memory import MemoryStore
from sm_cli.testing import Crash, crash_points
from tests.store.samples import definition


def write(store: Store, digest: str) -> None:
    with store.write() as tx:
        tx.apply(Changes(new_definitions=[definition(digest)]))


def kept(store: Store) -> set[str]:
    with store.read() as questions:
        return {digest for digest in ("d1", "d2", "d3") if questions.definition(digest) is not None}


@pytest.mark.parametrize(("after", "left"), [(False, {"d1"}), (True, {"d1", "d2"})])
def test_the_commit_at_which_the_store_dies_is_lost_or_kept(after: bool, left: set[str]) -> None:
    store = MemoryStore()
    with crash_points(store) as points:
        doomed = points.at(2, after=after)
        write(doomed, "d1")
        write(doomed, "d2")
        write(doomed, "d3")
        raise AssertionError("it went on after its death")
    assert kept(store) == left


def test_a_store_that_is_not_used_so_often_lives() -> None:
    store = MemoryStore()
    with crash_points(store) as points:
        write(points.at(3), "d1")
    assert kept(store) == {"d1"}


def test_only_a_crash_is_kept_from_the_test() -> None:
    with pytest.raises(ValueError, match="of the test"), crash_points(MemoryStore()):
        raise ValueError("of the test")


def test_a_crash_is_none_of_the_errors_that_are_caught() -> None:
    assert not issubclass(Crash, Exception)
