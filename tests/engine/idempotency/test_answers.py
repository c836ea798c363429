"""What a request with a key does and its answer are committed together, whenever the process ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sm_cli.engine.engine import Engine
from sm_cli.engine.idempotency.answers import (
    KeptAnswer,
    KeyedRequest,
    check_idempotency_key,
    digest_of,
    find_answer,
    perform_once,
)
from sm_cli.errors import Conflict, DatabaseBusy, KeyReused, UsageError
from sm_cli.store.locks import Contended
from sm_cli.store.protocol import Store
from sm_cli.testing.crash import Crash, crash_points
from tests.engine.workers import workflow
from tests.store.asking import listed_ids
from tests.stores import KINDS, opened

REQUEST = KeyedRequest("k1", "POST /executions", digest_of(b"POST", b"one"))
PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with opened(request.param, tmp_path) as made:
        yield made


def two_starts(engine: Engine) -> KeptAnswer:
    """An act of two transactions."""
    refs = [engine.start(workflow(PASS, f"w{n}"), {"n": n})[0].ref for n in range(2)]
    return KeptAnswer(201, {"Location": refs[0]}, ",".join(refs))


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_process_that_ends_at_a_commit_has_done_all_or_nothing(store: Store, *, after: bool) -> None:
    commit, done = 1, False
    while not done:
        engine = Engine(crash_points(store).at(commit, after=after))
        ids = listed_ids(store)
        try:
            perform_once(engine, REQUEST, lambda engine=engine: two_starts(engine))  # type: ignore[misc]
            done = True
        except Crash:
            kept = find_answer(Engine(store), REQUEST)
            assert len(listed_ids(store)) - len(ids) == (0 if kept is None else 2)
            done = kept is not None
        commit += 1
    answer, is_repeat = perform_once(Engine(store), REQUEST, lambda: two_starts(Engine(store)))
    assert is_repeat
    assert len(answer.body.split(",")) == len(listed_ids(store)) == 2


def test_an_act_that_fails_midway_has_done_nothing(store: Store) -> None:
    engine = Engine(store)

    def fail() -> KeptAnswer:
        two_starts(engine)
        raise Conflict("the third is refused")

    with pytest.raises(Conflict, match="third"):
        perform_once(engine, REQUEST, fail)
    assert listed_ids(store) == []
    assert find_answer(engine, REQUEST) is None
    assert perform_once(engine, REQUEST, lambda: two_starts(engine))[1] is False
    assert len(listed_ids(store)) == 2


def test_another_request_with_its_key_is_refused(store: Store) -> None:
    engine = Engine(store)
    perform_once(engine, REQUEST, lambda: two_starts(engine))
    for other in (REQUEST._replace(digest=digest_of(b"x")), KeyedRequest("k1", "POST /messages", digest_of(b"y"))):
        with pytest.raises(KeyReused):
            perform_once(engine, other, lambda: two_starts(engine))
        with pytest.raises(KeyReused):
            find_answer(engine, other)
    assert len(listed_ids(store)) == 2


def test_an_act_that_others_are_always_in_the_way_of_ends(store: Store) -> None:
    def contend() -> KeptAnswer:
        raise Contended

    with pytest.raises(DatabaseBusy, match="nothing was changed"):
        perform_once(Engine(store), REQUEST, contend)


def test_parts_of_a_request_are_told_apart() -> None:
    assert digest_of(b"ab", b"c") != digest_of(b"a", b"bc")


@pytest.mark.parametrize("key", ["", "k" * 256, "é", "a\nb", "a\x00"])
def test_a_key_that_is_none_is_one_sentence(key: str) -> None:
    with pytest.raises(UsageError, match="idempotency key"):
        check_idempotency_key(key)
