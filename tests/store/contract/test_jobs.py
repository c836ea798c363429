"""The contract of `sm_cli.store.protocol`: jobs and who has them: claims, leases, workers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sm_cli.store.protocol import Store
from sm_cli.store.records import HANDED_OVER, WorkerRecord
from tests.store.asking import asked
from tests.store.samples import T0, apply, job, timer


def test_a_job_comes_back_as_it_was(store: Store) -> None:
    whole = job(
        1, frame=2, execution=3, seq=4, state="Ä", resource="r", input="x" * 5000, attempt=2, queue="low", priority=-1,
        available=T0, timeout=1.5, heartbeat=0.25, leased_until=T0 + 1, worker="w", deliveries=7, repeatable=False,
    )  # fmt: skip
    apply(store, new_jobs=[whole, job(2, execution=3, timeout=3.0)])
    assert asked(store).jobs_of(3) == [whole, job(2, execution=3, timeout=3.0)]
    with store.write() as tx:
        assert tx.jobs([1, 5]) == {1: whole}
        assert tx.jobs([]) == {}


def claimed(store: Store, now: int = T0, limit: int = 10, **wanted: Any) -> list[int]:
    with store.write() as tx:
        return [j.id for j in tx.claimable(now, limit, **wanted)]


def test_jobs_are_claimed_by_priority_and_then_by_age(store: Store) -> None:
    apply(store, new_jobs=[job(1, 1), job(2, 2, priority=5), job(3, 3, priority=-5), job(4, 4, priority=5), job(5, 5)])
    assert claimed(store) == [2, 4, 1, 5, 3]
    assert claimed(store, limit=3) == [2, 4, 1]


def test_a_job_can_be_claimed_when_it_is_available(store: Store) -> None:
    apply(store, new_jobs=[job(1, available=T0 + 10), job(2, 2)])
    assert claimed(store, T0 + 9) == [2]
    assert claimed(store, T0 + 10) == [1, 2]


def lost(store: Store, now: int, limit: int = 10, tree: int | None = None) -> list[int]:
    with store.write() as tx:
        return [j.id for j in tx.lapsed_jobs(now, limit, tree)]


def test_a_leased_job_is_not_claimed_until_it_is_given_back(store: Store) -> None:
    apply(store, new_jobs=[job(1), job(2, 2), job(3, 3)])
    leased = job(1, leased_until=T0 + 10, worker="w1", deliveries=1, repeatable=False)
    apply(store, leased_jobs=[leased])
    assert claimed(store, T0 + 99) == [2, 3]
    assert asked(store).jobs_of(1)[0] == leased
    apply(store, leased_jobs=[job(1, leased_until=T0 + 30, worker="w2", deliveries=2)])
    assert asked(store).jobs_of(1)[0] == job(1, leased_until=T0 + 30, worker="w2", deliveries=2)
    apply(store, leased_jobs=[job(1, deliveries=2)])
    assert claimed(store) == [1, 2, 3]


def test_jobs_are_lost_when_their_lease_ran_out_earliest_first(store: Store) -> None:
    apply(
        store,
        new_jobs=[
            job(1, 1, leased_until=T0 + 10, worker="a"), job(2, 2, leased_until=T0 + 5, worker="b", execution=2),
            job(3, 3, leased_until=T0 + 10, worker="a"), job(4, 4), job(5, 5, leased_until=HANDED_OVER),
        ],
    )  # fmt: skip
    assert lost(store, T0 + 4) == []
    assert lost(store, T0 + 5) == [2]
    assert lost(store, T0 + 10) == [2, 1, 3]
    assert lost(store, T0 + 10, limit=2) == [2, 1]
    assert lost(store, T0 + 10, tree=1) == [1, 3]
    apply(store, leased_jobs=[job(2, 2, execution=2), job(1, 1, leased_until=T0 + 99, worker="a")])
    assert lost(store, T0 + 10) == [3]


def test_what_a_worker_holds_is_known_by_its_id(store: Store) -> None:
    apply(
        store,
        new_jobs=[job(n, n, leased_until=T0 + n, worker=w) for n, w in ((1, "a"), (2, "b"), (3, "a"))]
        + [job(4, 4), job(5, 5, leased_until=HANDED_OVER)],
    )
    with store.write() as tx:
        assert [j.id for j in tx.leased_to("a")] == [1, 3]
        assert [j.id for j in tx.leased_to("c")] == []
        assert tx.leases("a", [1, 2, 3, 9]) == {1, 3}
    assert asked(store).leases("b", [1, 2, 3]) == {2}
    assert asked(store).leases("b", []) == set()


def test_a_queue_is_named_while_it_has_a_job_that_nobody_has(store: Store) -> None:
    def queues() -> list[str]:
        with store.write() as tx:
            return tx.queues()

    assert queues() == []
    apply(
        store,
        new_jobs=[
            job(1, 1, queue="low"), job(2, 2, queue="b"), job(3, 3, queue="b"), job(4, 4, queue="a"),
            job(5, 5, queue="taken", leased_until=T0, worker="w"),
        ],
    )  # fmt: skip
    assert queues() == ["a", "b", "low"]
    apply(store, jobs_gone=[2, 4], leased_jobs=[job(1, 1, queue="low", leased_until=T0, worker="w")])
    assert queues() == ["b"]


def test_a_resource_waits_while_it_has_a_job_that_nobody_has(store: Store) -> None:
    def waiting() -> list[str]:
        with store.write() as tx:
            found = tx.waiting_resources()
        assert asked(store).waiting_resources() == found
        return found

    assert waiting() == []
    apply(
        store,
        new_jobs=[
            job(1, 1, resource="pay"), job(2, 2, resource="b"), job(3, 3, resource="b", execution=2, queue="low"),
            job(4, 4, resource="a", available=T0 + 5), job(5, 5, resource="taken", leased_until=T0, worker="w"),
            job(6, 6, resource="handed", leased_until=HANDED_OVER),
        ],
    )  # fmt: skip
    assert waiting() == ["a", "b", "pay"]
    taken = job(1, 1, resource="pay", leased_until=T0, worker="w")
    apply(store, jobs_gone=[2, 4], leased_jobs=[taken])
    assert waiting() == ["b"]
    apply(store, jobs_gone=[3], leased_jobs=[job(1, 1, resource="pay")])
    assert waiting() == ["pay"]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"resources": {"echo"}}, True),
        ({"resources": {"pay"}}, True),
        ({"resources": {"none"}}, False),
        ({"resources": set()}, False),
        ({"resources": {"late"}}, False),
        ({"resources": {"late"}, "now": T0 + 5}, True),
        ({"resources": {"taken"}}, False),
        ({"resources": {"echo", "pay"}, "queues": {"low"}}, True),
        ({"resources": {"echo"}, "queues": {"low"}}, False),
        ({"resources": {"echo"}, "tree": 1}, True),
        ({"resources": {"pay"}, "tree": 1}, False),
        ({"resources": {"pay"}, "tree": 2, "queues": {"low"}}, True),
        ({"resources": {"pay"}, "tree": 2, "queues": {"default"}}, False),
    ],
)
def test_a_read_says_whether_a_job_is_claimable(store: Store, wanted: dict[str, Any], expected: bool) -> None:
    apply(
        store,
        new_jobs=[
            job(1, 1), job(2, 2, execution=2, resource="pay", queue="low"),
            job(3, 3, resource="late", available=T0 + 5), job(4, 4, resource="taken", leased_until=T0, worker="w"),
        ],
    )  # fmt: skip
    queues = frozenset(wanted["queues"]) if "queues" in wanted else None
    resources = frozenset(wanted["resources"])
    assert asked(store).has_free(wanted.get("now", T0), resources, tree=wanted.get("tree"), queues=queues) is expected


def test_a_worker_is_written_down_seen_and_struck_off(store: Store) -> None:
    first = WorkerRecord("a/1", "a", "host", 12, "boot/space/7", T0, T0)
    second = WorkerRecord("a/2", "a", "host", 13, "boot/space/8", T0 - 5, T0)
    apply(store, workers=[first, second])
    assert asked(store).workers() == [second, first]
    apply(store, workers=[replace(first, seen=T0 + 9)])
    with store.write() as tx:
        assert tx.workers() == [second, replace(first, seen=T0 + 9)]
    apply(store, workers_gone=["a/2", "b/1"])
    assert [worker.id for worker in asked(store).workers()] == ["a/1"]


def test_a_timer_of_a_job_that_another_worker_has_is_not_ours_to_fire(store: Store) -> None:
    apply(
        store,
        timers=[timer(1, T0 + 1), timer(2, T0 + 2), timer(3, T0 + 3), timer(4, T0 + 4)],
        new_jobs=[job(1, 1, leased_until=T0, worker="a"), job(2, 2, leased_until=T0, worker="b"), job(3, 3)],
    )

    def due(worker: str | None, tree: int | None = None) -> list[int]:
        with store.write() as tx:
            return [t.frame for t in tx.due_timers(T0 + 9, 10, tree, worker)]

    for tree in (None, 1):
        assert due(None, tree) == [1, 2, 3, 4]
        assert due("a", tree) == [1, 3, 4]
        assert due("b", tree) == [2, 3, 4]
        assert due("c", tree) == [3, 4]
    apply(store, leased_jobs=[job(n, n, leased_until=T0 + 99, worker="a") for n in (1, 2)])
    for tree in (None, 1):
        assert [asked(store).next_due(tree, worker) for worker in (None, "a", "b")] == [T0 + 1, T0 + 1, T0 + 3]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"tree": 1}, [1, 2, 5, 6]),
        ({"tree": 2}, [3, 4]),
        ({"queue": "low"}, [2, 4, 6]),
        ({"queue": "none"}, []),
        ({"tree": 1, "queue": "low"}, [2, 6]),
        ({"resources": frozenset({"echo"})}, [1, 2, 3, 5]),
        ({"resources": frozenset({"pay", "x"})}, [4, 6]),
        ({"resources": frozenset()}, []),
        ({"tree": 1, "queue": "low", "resources": frozenset({"pay"})}, [6]),
        ({"limit": 3}, [1, 2, 3]),
        ({"limit": 100}, [1, 2, 3, 4, 5, 6]),
    ],
)
def test_each_limit_of_a_claim_holds(store: Store, wanted: dict[str, Any], expected: list[int]) -> None:
    apply(
        store,
        new_jobs=[
            job(1, 1), job(2, 2, queue="low"), job(3, 3, execution=2),
            job(4, 4, execution=2, queue="low", resource="pay"), job(5, 5), job(6, 6, queue="low", resource="pay"),
            job(7, 7, leased_until=T0, worker="w"), job(8, 8, leased_until=T0 + 1, worker="mine"),
        ],
    )  # fmt: skip
    assert claimed(store, **wanted) == expected


def test_reading_claimable_jobs_leases_nothing(store: Store) -> None:
    apply(store, new_jobs=[job(1)])
    with store.write() as tx:
        tx.claimable(T0, 10)[0].worker = "w"
        tx.jobs([1])[1].worker = "w"
    assert asked(store).jobs_of(1) == [job(1)]


def test_a_job_given_to_the_store_may_be_changed_afterwards(store: Store) -> None:
    given = job(1)
    apply(store, new_jobs=[given])
    given.worker = "w"
    assert asked(store).jobs_of(1) == [job(1)]
