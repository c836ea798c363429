"""The contract of `sm_cli.store.protocol`: timers and what is due, lost workers and failed attempts of a frame."""

from __future__ import annotations

from sm_cli.interpreter.timers import TimerKind
from sm_cli.interpreter.traceback import Traceback
from sm_cli.store.protocol import Store
from sm_cli.store.records import Execution, FailedAttempt, Parent, Status
from tests.store.asking import asked
from tests.store.samples import T0, apply, execution, frame, job, timer


def test_due_timers_come_earliest_first_at_or_before_now(store: Store) -> None:
    apply(store, timers=[timer(1, T0 + 30), timer(2, T0 + 10, execution=2), timer(3, T0 + 20), timer(4, T0 + 20)])

    def due(now: int, limit: int = 10, tree: int | None = None) -> list[int]:
        with store.write() as tx:
            return [t.frame for t in tx.due_timers(now, limit, tree)]

    assert due(T0 + 9) == []
    assert due(T0 + 10) == [2]
    assert due(T0 + 29) == [2, 3, 4]
    assert due(T0 + 99, limit=2) == [2, 3]
    assert due(T0 + 99, tree=1) == [3, 4, 1]
    assert due(T0 + 29, tree=1, limit=1) == [3]
    assert due(T0 + 99, tree=9) == []


def test_a_timer_replaces_the_one_of_its_frame_and_kind(store: Store) -> None:
    apply(store, timers=[timer(1, T0 + 10), timer(1, T0 + 5, TimerKind.HEARTBEAT)])
    apply(store, timers=[timer(1, T0 + 90, seq=4)])
    assert asked(store).timers_of(1) == [timer(1, T0 + 5, TimerKind.HEARTBEAT), timer(1, T0 + 90, seq=4)]
    with store.write() as tx:
        assert tx.due_timers(T0 + 50, 10) == [timer(1, T0 + 5, TimerKind.HEARTBEAT)]


def test_something_is_due_when_a_timer_or_a_running_execution_s_deadline_is(store: Store) -> None:
    def due(now: int, tree: int | None = None) -> bool:
        return asked(store).has_due(now, tree)

    assert not due(2**62)
    assert not due(2**62, 1)
    apply(store, new_executions=[execution(1, deadline=T0 + 50), execution(2, deadline=T0 + 1, status=Status.FAILED)])
    assert [due(T0 + 49), due(T0 + 50), due(T0 + 49, 1), due(T0 + 50, 1), due(T0 + 50, 2)] == [
        False, True, False, True, False,
    ]  # fmt: skip
    apply(store, timers=[timer(2, T0 + 20, execution=2)])
    assert [due(T0 + 19), due(T0 + 20), due(T0 + 19, 2), due(T0 + 20, 2), due(T0 + 20, 1)] == [
        False, True, False, True, False,
    ]  # fmt: skip


def test_lost_workers_are_counted_until_their_frame_moves_on(store: Store) -> None:
    def losses() -> dict[int, int]:
        with store.write() as tx:
            return tx.losses()

    apply(store, new_executions=[execution(1)], new_frames=[frame(1), frame(2)])
    assert losses() == losses() == {}
    apply(store, losses=[(1, 1), (2, 0), (7, 1)])
    assert losses() == losses() == {1: 1, 2: 0}
    apply(store, losses=[(1, 1)])
    assert losses() == {1: 2, 2: 0}
    apply(store, frames=[frame(1, seq=1), frame(2, seq=1)])
    assert losses() == losses() == {}
    apply(store, losses=[(1, 1)])
    assert losses() == {1: 1}


def test_of_each_state_of_a_frame_the_newest_failed_attempt_is_kept(store: Store) -> None:
    def attempt(number: int, state: str = "A", frame: int = 1, execution: int = 1) -> FailedAttempt:
        return FailedAttempt(execution, frame, state, number, "E", Traceback((f"/x.py:{number} in f",), "text\n"))

    apply(store, failed_attempts=[attempt(3), attempt(5, "B"), attempt(4, frame=2), attempt(9, execution=2)])
    apply(store, failed_attempts=[attempt(7)])
    assert asked(store).failed_attempt(1, 1, "A") == attempt(7)
    assert asked(store).failed_attempt(1, 2, "A") == attempt(4, frame=2)
    assert asked(store).failed_attempt(1, 2, "B") is None
    assert asked(store).failed_attempts(1, 2) == [attempt(7), attempt(5, "B")]


def test_the_execution_that_failed_first_is_one_of_the_last_time_that_its_frame_started_any(store: Store) -> None:
    def closed(id: int, activation: int, at: int, status: Status = Status.FAILED) -> Execution:
        return execution(id, parent=Parent(1, activation), status=status, closed=T0 + at)

    assert asked(store).first_failed_execution(1) is None
    apply(store, new_executions=[closed(2, 4, 1), closed(3, 7, 5), closed(4, 7, 3), closed(5, 7, 2, Status.ABORTED)])
    found = asked(store).first_failed_execution(1)
    assert found is not None
    assert (found.id, found.input) == (4, None)
    of_forks = [asked(store).first_failed_execution(1, activation) for activation in (4, 7, 9)]
    assert [each and each.id for each in of_forks] == [2, 4, None]


def test_next_due_is_the_earliest_timer_deadline_or_end_of_a_lease(store: Store) -> None:
    assert asked(store).next_due() is None
    apply(store, new_executions=[execution(1, deadline=T0 + 50), execution(2, deadline=T0 + 1, status=Status.FAILED)])
    assert asked(store).next_due() == T0 + 50
    apply(
        store,
        new_jobs=[
            job(1, leased_until=T0 + 40, worker="w"),
            job(2, frame=2),
            job(3, 3, execution=3, leased_until=T0 + 45),
        ],
    )
    assert asked(store).next_due() == T0 + 40
    apply(store, timers=[timer(1, T0 + 30), timer(2, T0 + 20, execution=2)])
    assert asked(store).next_due() == T0 + 20
    assert [asked(store).next_due(id) for id in (1, 2, 3, 4)] == [T0 + 30, T0 + 20, T0 + 45, None]
    apply(store, timers_gone=[1, 2])
    assert [asked(store).next_due(id) for id in (1, 2)] == [T0 + 40, None]
    apply(store, jobs_gone=[1])
    assert [asked(store).next_due(), asked(store).next_due(1)] == [T0 + 45, T0 + 50]
