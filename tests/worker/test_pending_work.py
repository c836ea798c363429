"""What a worker sees of the work that there is, without writing."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.handlers.registry import Registry
from sm_cli.interpreter.frame import FrameStatus
from sm_cli.store.records import HANDED_OVER
from sm_cli.worker.pending_work import PendingWork
from tests.store.samples import SECOND, T0, frame, job, timer
from tests.views.rows import Rows

ECHO = Registry.of({"echo": lambda data: data})


def looked(
    rows: Rows, handlers: Registry = ECHO, tree: int | None = None, queues: frozenset[str] | None = None
) -> PendingWork:
    work = PendingWork(rows.store, "w")
    work.look(T0, handlers, tree, queues)
    return work


def test_of_an_empty_store_there_is_nothing_to_do() -> None:
    work = looked(Rows())
    assert (work.ready, work.due, work.free) == (False, None, False)


@pytest.mark.parametrize(("status", "ready"), [(FrameStatus.READY, True), (FrameStatus.BLOCKED, False),
                                               (FrameStatus.PENDING, False), (FrameStatus.FAILED, False)])  # fmt: skip
def test_frames_that_can_go_on_are_work(status: FrameStatus, ready: bool) -> None:
    rows = Rows()
    rows.execution(1)
    rows.put(new_frames=[frame(11, status=status)])
    assert looked(rows).ready is ready


def test_the_earliest_time_is_told_also_when_it_has_passed() -> None:
    rows = Rows()
    rows.execution(1)
    rows.put(new_frames=[frame(11), frame(12)], timers=[timer(11, T0 + 9 * SECOND), timer(12, T0 - SECOND)])
    assert looked(rows).due == T0 - SECOND


@pytest.mark.parametrize(
    ("more", "handlers", "free"),
    [
        ({}, ECHO, True),
        ({"resource": "other"}, ECHO, False),
        ({"resource": "other"}, Registry.of({"*": print}), True),
        ({"resource": "s3:get"}, Registry.of({"s3:*": print}), True),
        ({"resource": "s3:get"}, Registry.of({"sqs:*": print}), False),
        ({}, Registry(), False),
        ({"available": T0 + 1}, ECHO, False),
        ({"leased_until": T0 + SECOND, "worker": "other"}, ECHO, False),
        ({"leased_until": HANDED_OVER}, ECHO, False),
    ],
)
def test_a_job_is_work_for_who_has_a_handler(more: dict[str, Any], handlers: Registry, free: bool) -> None:
    rows = Rows()
    rows.execution(1)
    rows.put(new_frames=[frame(11)], new_jobs=[job(1, 11, **more)])
    assert looked(rows, handlers).free is free


@pytest.mark.parametrize(
    ("tree", "queues", "free"),
    [
        (None, None, True),
        (1, None, True),
        (2, None, False),
        (None, frozenset({"default"}), True),
        (None, frozenset({"bulk"}), False),
        (None, frozenset({"bulk", "default"}), True),
    ],
)
def test_only_work_of_its_tree_and_its_queues_counts(
    tree: int | None, queues: frozenset[str] | None, free: bool
) -> None:
    rows = Rows()
    rows.execution(1)
    rows.put(new_frames=[frame(11)], new_jobs=[job(1, 11)])
    assert looked(rows, tree=tree, queues=queues).free is free


def test_a_look_is_stale_as_soon_as_something_was_written() -> None:
    rows = Rows()
    work = looked(rows)
    assert not work.notice()
    rows.execution(1)
    assert work.notice() and work.stale
    work.look(T0, ECHO, None, None)
    assert not work.notice()
