"""The patience of a store while a worker uses it, and of what its handlers ask."""

from __future__ import annotations

import logging
import threading

import pytest

from sm_cli.errors import DatabaseAway, DatabaseBusy, DatabaseError
from sm_cli.store.sqlite.memory import MemoryStore
from sm_cli.store.waiting import Holder, Patience
from sm_cli.worker.outlasting import outlast, outlasting


@pytest.mark.parametrize(("stopping", "limit"), [(False, None), (True, 7.5)])
def test_in_the_block_nothing_limits_a_wait_until_the_worker_is_to_stop(stopping: bool, limit: float | None) -> None:
    store = MemoryStore()
    store.patience = Patience(lambda: 7.5)
    with outlasting(store, lambda: stopping):
        assert store.patience.limit() == limit


def test_the_answer_may_change_while_it_waits() -> None:
    store = MemoryStore()
    store.patience = Patience(lambda: 7.5)
    told: list[bool] = []
    with outlasting(store, lambda: bool(told)):
        assert store.patience.limit() is None
        told.append(True)
        assert store.patience.limit() == 7.5


def test_after_the_block_it_is_as_before_also_when_that_ends_by_an_error() -> None:
    store = MemoryStore()
    before = store.patience
    with pytest.raises(ValueError, match="of the worker"), outlasting(store, lambda: False):
        raise ValueError("of the worker")
    assert store.patience is before


@pytest.mark.parametrize(
    ("holder", "who"),
    [
        (Holder(7, "sm run", 1_767_225_600_000_000), "process 7 (sm run)"),
        (Holder(None, "", 1_767_225_600_999_999), "another program"),
    ],
)
def test_who_is_waited_for_is_told_as_a_warning(caplog: pytest.LogCaptureFixture, holder: Holder, who: str) -> None:
    store = MemoryStore()
    with caplog.at_level(logging.WARNING, "sm.worker"), outlasting(store, lambda: False):
        assert store.patience.tell is not None
        store.patience.tell(holder)
    assert [record.getMessage() for record in caplog.records] == [
        f"{who} has held the database since 2026-01-01T00:00:00+00:00; waiting for it, nothing is lost"
    ]


class AwayFor:
    """An act that finds the database away so many times."""

    def __init__(self, times: int, error: type[DatabaseError] = DatabaseAway) -> None:
        self.times = times
        self.calls = 0
        self.error = error

    def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self.times:
            raise self.error("it is away")
        return "done"


@pytest.mark.parametrize("error", [DatabaseAway, DatabaseBusy])
def test_what_a_handler_asks_is_asked_again_until_the_database_answers(error: type[DatabaseError]) -> None:
    act = AwayFor(2, error)
    assert outlast(act, threading.Event()) == "done"
    assert act.calls == 3


def test_for_whom_nobody_waits_any_more_nothing_is_asked_again() -> None:
    act, cancelled = AwayFor(1000), threading.Event()
    cancelled.set()
    with pytest.raises(DatabaseAway):
        outlast(act, cancelled)
    assert act.calls == 1


def test_what_another_error_ends_is_not_asked_again() -> None:
    act = AwayFor(1, DatabaseError)
    with pytest.raises(DatabaseError):
        outlast(act, threading.Event())
    assert act.calls == 1
