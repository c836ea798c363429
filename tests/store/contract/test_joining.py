"""The contract of `sm_cli.store.protocol`: several transactions of one thread that are one."""

from __future__ import annotations

import threading

import pytest

from sm_cli.errors import Conflict
from sm_cli.store.changes import Changes
from sm_cli.store.joining import Unheld
from sm_cli.store.locks import ALONE, NOTHING, Contended, Lock
from sm_cli.store.messages import ANSWERS_KEPT, KeyedAnswer
from sm_cli.store.particulars import Particulars, ResourceKind
from sm_cli.store.protocol import Store
from tests.store.asking import asked
from tests.store.samples import T0, apply

_ALL = frozenset([ALONE])


def of_machine(name: str) -> Changes:
    return Changes(particulars=[Particulars(ResourceKind.MACHINE, name, T0, T0, {"long": "x" * 5000})])


def known(store: Store) -> list[str]:
    return [each.name for each in asked(store).particulars_of_kind(ResourceKind.MACHINE)]


def answer(key: str, at: int = T0, body: str = "{}") -> KeyedAnswer:
    return KeyedAnswer(key, "POST /x", "digest", 201, {"Location": "/x/1"}, body, at)


def test_steps_are_committed_together_and_see_each_other(store: Store) -> None:
    before = store.commits
    with store.together(_ALL):
        for name in ("a", "b"):
            with store.write() as tx:
                tx.apply(of_machine(name))
        assert known(store) == ["a", "b"]
        assert store.is_joined
    assert not store.is_joined
    assert known(store) == ["a", "b"]
    assert store.commits == before + 1


def test_others_see_nothing_of_it_before_its_end(store: Store) -> None:
    seen: list[list[str]] = []
    with store.together(_ALL):
        with store.write() as tx:
            tx.apply(of_machine("a"))
        if store.liveness() is not None:  # in memory there are no others
            other = threading.Thread(target=lambda: seen.append(known(store)))
            other.start()
            other.join(30)
            assert seen == [[]]


def test_an_error_undoes_all_steps(store: Store) -> None:
    with pytest.raises(Conflict), store.together(_ALL):
        with store.write() as tx:
            tx.apply(of_machine("a"))
        raise Conflict("no")
    assert known(store) == []
    apply(store, particulars=of_machine("b").particulars)
    assert known(store) == ["b"]


def test_a_step_that_raises_before_it_writes_undoes_none_of_the_others(store: Store) -> None:
    with store.together(_ALL):
        with store.write() as tx:
            tx.apply(of_machine("a"))
        with pytest.raises(Conflict), store.write():
            raise Conflict("not this one")
        with store.write() as tx:
            tx.apply(of_machine("c"))
    assert known(store) == ["a", "c"]


def test_a_step_that_was_half_written_spoils_the_whole(store: Store) -> None:
    def half() -> None:
        with pytest.raises(RuntimeError), store.write() as tx:
            tx.broken = True
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"), store.together(_ALL):
        with store.write() as tx:
            tx.apply(of_machine("a"))
        half()
    assert known(store) == []


def test_a_step_that_others_are_in_the_way_of_is_done_again_with_the_whole(store: Store) -> None:
    missed = frozenset([Lock("message", "k")])
    with pytest.raises(Unheld) as unheld, store.together(_ALL):
        with pytest.raises(Contended), store.write(NOTHING):
            raise Contended(missed)
        with store.write(missed):
            raise AssertionError("it goes on")
    assert unheld.value.locks == missed


def test_an_answer_comes_back_whole_until_it_is_old(store: Store) -> None:
    whole = answer("k1", body='{"text":"\\u0000é"}')
    apply(store, answers=[whole])
    assert asked(store).keyed_answer("k1", T0) == whole
    assert asked(store).keyed_answer("k2", T0) is None
    assert asked(store).keyed_answer("k1", T0 + ANSWERS_KEPT) is None
    apply(store, answers=[answer("k1", T0 + ANSWERS_KEPT)])
    assert asked(store).keyed_answer("k1", T0 + ANSWERS_KEPT) is not None


def test_old_answers_are_found_a_few_at_a_time_and_forgotten(store: Store) -> None:
    apply(store, answers=[answer(f"k{n}", T0 + n) for n in range(5)])
    now = T0 + ANSWERS_KEPT + 3
    stale = asked(store).stale(now, 3).answers
    assert stale == [("k0", T0), ("k1", T0 + 1), ("k2", T0 + 2)]
    apply(store, answers_gone=[*stale, ("k4", T0)])  # the last was given anew meanwhile
    assert asked(store).stale(now, 3).answers == [("k3", T0 + 3)]
    assert asked(store).keyed_answer("k4", T0 + 5) is not None
