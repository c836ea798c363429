"""Leases: a lost worker's jobs are taken over, counted, and never run twice where that is forbidden."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from sm_cli.errors import DatabaseError
from sm_cli.store.records import Execution
from sm_cli.store.sql.transaction import Transaction
from sm_cli.store.sqlite.memory import MemoryStore
from sm_cli.worker.worker import Worker
from tests.engine.workers import Gate, Yard, caught, died, one_task, soon, workflow, yard
from tests.store.asking import asked

RETRY = [{"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 1, "MaxAttempts": 1}]


def at_work(here: Yard, definition: Any, gate: Gate, **more: Any) -> tuple[Worker, Execution]:
    """A worker whose handler is in the gate."""
    execution = here.start(definition)
    loop = here.worker(gate.handlers, **more)
    before = len(gate.calls)
    assert loop.tick()
    soon(lambda: len(gate.calls) > before)
    return loop, execution


def finish(here: Yard, loop: Worker, execution: Execution) -> None:
    loop.run(lambda: here.now(execution).closed is not None)


def test_a_lost_workers_job_is_taken_over_when_its_lease_has_run_out(here: Yard) -> None:
    gate = here.gate()
    _, execution = at_work(here, one_task(), gate)
    other = here.worker(gate.handlers, name="other")
    other.tick()
    here.later(9.9)
    other.tick()
    assert len(gate.calls) == 1
    here.later(0.2)
    other.tick()
    soon(lambda: len(gate.calls) == 2)
    assert (here.job(execution).worker, here.job(execution).deliveries) == (other.worker.id, 2)
    first, second = gate.calls
    assert first.idempotency_key == second.idempotency_key
    gate.open.set()
    finish(here, other, execution)
    assert here.now(execution).output == "done"
    assert here.history(execution).count("TaskSucceeded") == 1
    assert here.left_over(execution) == []


def test_the_jobs_of_a_worker_that_is_certainly_dead_are_taken_over_at_once(here: Yard) -> None:
    gate = here.gate()
    dead, execution = at_work(here, one_task(), gate, name="w1")
    died(dead)
    again = here.worker(gate.handlers, name="w1")
    again.tick()
    soon(lambda: len(gate.calls) == 2)
    assert here.job(execution).worker == again.worker.id
    assert [worker.id for worker in asked(here.store).workers()] == [again.worker.id]


def test_a_living_worker_notices_within_a_second_that_another_one_has_died(here: Yard) -> None:
    gate = here.gate()
    dead, execution = at_work(here, one_task(), gate)
    other = here.worker(gate.handlers, name="other")
    other.tick()
    died(dead)
    here.later(1.1)
    other.tick()
    assert here.job(execution).worker == other.worker.id


def test_a_worker_for_one_execution_frees_the_other_jobs_of_the_dead_for_others(here: Yard) -> None:
    gate = here.gate()
    dead, execution = at_work(here, one_task(), gate)
    died(dead)
    own = here.start(one_task())
    here.worker(gate.handlers, name="run", tree=own.id).tick()
    assert len(asked(here.store).workers()) == 1
    other = here.worker(gate.handlers, name="other")
    other.tick()
    assert here.job(execution).worker == other.worker.id


def test_two_living_workers_of_one_name_do_not_steal_from_each_other(here: Yard) -> None:
    gate = here.gate()
    first, execution = at_work(here, one_task(), gate, name="twin")
    second = here.worker(gate.handlers, name="twin")
    for _ in range(3):
        second.tick()
        here.later(1.1)
    assert here.job(execution).worker == first.worker.id
    assert len(gate.calls) == 1
    assert {worker.name for worker in asked(here.store).workers()} == {"twin"}


def lose(here: Yard, gate: Gate, execution: Execution, times: int) -> None:
    """So many workers take the execution's job and die."""

    def began(calls: int) -> None:
        soon(lambda: len(gate.calls) == calls)

    for n in range(times):
        loop = here.worker(gate.handlers, name=f"doomed{n}")
        loop.tick()
        assert here.job(execution).worker == loop.worker.id
        began(n + 1)
        died(loop)


def test_after_five_lost_workers_the_task_fails_and_can_be_caught(here: Yard) -> None:
    gate = here.gate()
    execution = here.start(caught())
    lose(here, gate, execution, 5)
    here.worker(gate.handlers).tick()
    assert here.now(execution).output == {
        "Error": "States.TaskFailed",
        "Cause": "The worker was lost 5 times while it ran this task and nothing else.",
    }
    assert here.left_over(execution) == []


def test_after_five_lost_workers_a_retrier_may_try_again_with_another_key(here: Yard) -> None:
    gate = here.gate()
    execution = here.start(one_task(Retry=RETRY))
    lose(here, gate, execution, 5)
    other = here.worker(gate.handlers)
    other.tick()
    here.later(1.1)
    gate.open.set()
    finish(here, other, execution)
    assert here.now(execution).output == "done"
    keys = [context.idempotency_key for context in gate.calls]
    assert len(keys) == 6
    assert len(set(keys[:5])) == 1
    assert keys[5] not in keys[:5]
    assert gate.calls[5].attempt == 2


def test_a_handler_that_may_not_run_again_fails_when_its_lease_has_run_out(here: Yard) -> None:
    gate = here.gate(repeatable=False)
    late, execution = at_work(here, caught(), gate)
    here.later(10.1)
    # Whoever notices it needs neither the handler nor a free slot.
    here.worker({}).tick()
    assert here.now(execution).output == {
        "Error": "States.TaskFailed",
        "Cause": "The worker was lost while it ran this task, and its handler is not repeatable.",
    }
    gate.open.set()
    soon(lambda: late.pool.free == late.pool.size)
    late.tick()
    assert len(gate.calls) == 1
    assert here.history(execution).count("TaskSucceeded") == 0


def test_a_lost_job_is_free_for_all_when_who_notices_it_cannot_run_it(here: Yard) -> None:
    gate = here.gate()
    _, execution = at_work(here, one_task(TimeoutSeconds=60), gate)
    here.later(10.1)
    here.worker({}).tick()
    job = here.job(execution)
    assert (job.worker, job.leased_until, job.deliveries) == (None, None, 1)
    assert asked(here.store).timers_of(execution.id) == []


def test_a_timeout_does_not_beat_the_takeover_of_a_lost_job_and_counts_anew(here: Yard) -> None:
    gate = here.gate()
    _, execution = at_work(here, one_task(TimeoutSeconds=5, HeartbeatSeconds=4), gate)
    other = here.worker(gate.handlers, name="other")
    other.tick()
    for seconds in (4.5, 1.0, 4.4):  # past the heartbeat, past the timeout, just before the end of the lease
        here.later(seconds)
        other.tick()
        assert here.history(execution)[-1] == "TaskStarted"
    here.later(0.2)
    other.tick()
    begun = here.clock.now()
    assert {timer.kind: timer.due - begun for timer in asked(here.store).timers_of(execution.id)} == {
        "deadline": 5_000_000, "heartbeat": 4_000_000,
    }  # fmt: skip
    gate.open.set()
    finish(here, other, execution)
    assert here.now(execution).output == "done"


def test_the_worker_that_has_the_job_says_that_its_task_is_late(here: Yard) -> None:
    gate = here.gate()
    loop, execution = at_work(here, caught(TimeoutSeconds=5), gate)
    here.later(5.1)
    loop.tick()
    assert here.now(execution).output == {"Error": "States.Timeout", "Cause": ""}
    assert gate.calls[0].cancelled.is_set()


def test_the_timeout_of_a_job_that_nobody_has_any_more_is_anybodys(here: Yard) -> None:
    definition = one_task(Resource="arn:aws:states:::work:it.waitForTaskToken", TimeoutSeconds=60)
    gate = here.gate()
    gate.open.set()
    loop = here.worker({"work:it": gate.handlers["work"]})
    execution = here.start(definition)
    loop.run(lambda: "TaskSubmitted" in here.history(execution))
    here.later(61)
    here.worker({}).tick()
    assert here.now(execution).error == "States.Timeout"


def test_a_lease_is_renewed_when_half_of_it_is_over(here: Yard) -> None:
    gate = here.gate()
    loop, execution = at_work(here, one_task(), gate)
    until = here.job(execution).leased_until
    here.later(4.9)
    loop.tick()
    assert here.job(execution).leased_until == until
    for _ in range(4):
        here.later(2.6)
        loop.tick()
        left = here.job(execution).leased_until
        assert left is not None
        assert left - here.clock.now() >= 5_000_000
    assert here.job(execution).deliveries == 1


class Slow(MemoryStore):
    """A store whose transactions begin late, last long (microseconds), or fail."""

    def __init__(self) -> None:
        super().__init__()
        self.clock: Any = None
        self.before = self.inside = 0
        self.failing = False

    @contextmanager
    def write(self, locks: Any = None, executions: Any = (), jobs: int = 0) -> Iterator[Any]:
        if self.failing:
            raise DatabaseError("there is no room left")
        self.clock.advance_to(self.clock.now() + self.before)
        with super().write(locks, executions, jobs) as tx:
            yield Inside(tx, self)


class Inside:
    """The transaction of a Slow store: reading what is due takes its time."""

    def __init__(self, tx: Transaction, store: Slow) -> None:
        self._tx = tx
        self._store = store

    def __getattr__(self, name: str) -> Any:
        if name == "due_timers":
            self._store.clock.advance_to(self._store.clock.now() + self._store.inside)
        return getattr(self._tx, name)


@pytest.fixture
def slow() -> Iterator[tuple[Yard, Slow]]:
    store = Slow()
    with yard(store) as made:
        store.clock = made.clock
        yield made, store


def test_leases_are_renewed_at_the_end_of_a_round_that_took_long(slow: tuple[Yard, Slow]) -> None:
    here, store = slow
    gate = here.gate()
    loop, execution = at_work(here, one_task(), gate)
    here.start(workflow({"StartAt": "P", "States": {"P": {"Type": "Wait", "Seconds": 1, "End": True}}}))
    here.later(4)
    store.inside = 30_000_000
    loop.tick()
    store.inside = 0
    left = here.job(execution).leased_until
    assert left is not None
    assert left - here.clock.now() == 10_000_000


def test_who_had_to_wait_for_the_database_takes_over_nothing_in_that_round(slow: tuple[Yard, Slow]) -> None:
    here, store = slow
    gate = here.gate()
    holder, execution = at_work(here, one_task(), gate)
    other = here.worker(gate.handlers, name="other")
    other.tick()
    here.later(10.1)
    # A third process wrote for two seconds: the holder could not renew its lease meanwhile.
    store.before = 2_000_000
    other.tick()
    store.before = 0
    assert here.job(execution).worker == holder.worker.id
    holder.tick()
    other.tick()
    assert here.job(execution).worker == holder.worker.id
    assert len(gate.calls) == 1


def test_a_worker_that_slept_and_lost_its_lease_cancels_its_handler(here: Yard) -> None:
    gate = here.gate()
    asleep, execution = at_work(here, one_task(), gate)
    here.later(10.1)
    other = here.worker(gate.handlers, name="other")
    other.tick()
    soon(lambda: len(gate.calls) == 2)
    here.later(6)
    asleep.tick()
    assert gate.calls[0].cancelled.is_set()
    assert not gate.calls[1].cancelled.is_set()
    assert here.job(execution).worker == other.worker.id
    assert not asleep.jobs


def test_a_worker_that_slept_renews_its_lease_when_nobody_took_the_job(here: Yard) -> None:
    gate = here.gate()
    loop, execution = at_work(here, one_task(TimeoutSeconds=60), gate)
    here.later(30)
    loop.tick()
    job = here.job(execution)
    assert (job.worker, job.deliveries) == (loop.worker.id, 1)
    assert job.leased_until == here.clock.now() + 10_000_000


def test_a_job_that_was_leased_but_never_begun_is_taken_again_by_its_own_worker(here: Yard) -> None:
    gate = here.gate()
    loop, execution = at_work(here, one_task(), gate)
    loop.forget(here.job(execution))  # as if the process had failed between its commit and the handler's start
    here.later(10.1)
    loop.tick()
    soon(lambda: len(gate.calls) == 2)
    assert here.job(execution).deliveries == 2


def test_a_result_is_kept_until_a_transaction_has_taken_it(slow: tuple[Yard, Slow]) -> None:
    here, store = slow
    gate = here.gate()
    gate.open.set()
    loop, execution = at_work(here, one_task(), gate)
    soon(lambda: loop.pool.free == loop.pool.size)
    store.failing = True
    with pytest.raises(DatabaseError):
        loop.tick()
    store.failing = False
    loop.tick()
    assert here.now(execution).output == "done"
    assert len(gate.calls) == 1


def test_what_a_stopped_worker_gives_back_counts_as_no_loss(here: Yard) -> None:
    gate = here.gate()
    for n in range(7):
        loop = here.worker(gate.handlers, name=f"w{n}")
        if n == 0:
            execution = here.start(one_task(TimeoutSeconds=60))
        loop.tick()
        assert here.job(execution).worker == loop.worker.id
        loop.let_go()
        assert [job.id for job in loop.given_back] == [here.job(execution).id]
        job = here.job(execution)
        assert (job.worker, job.leased_until, job.deliveries) == (None, None, 0)
        assert asked(here.store).timers_of(execution.id) == []
    assert asked(here.store).workers() == []
    soon(lambda: len(gate.calls) == 7)
    assert all(context.cancelled.is_set() for context in gate.calls)


def test_what_may_not_run_again_is_not_given_back(here: Yard) -> None:
    gate = here.gate(repeatable=False)
    loop, execution = at_work(here, caught(), gate)
    loop.let_go()
    output: Any = here.now(execution).output
    assert output["Cause"] == "The worker was stopped while it ran this task, and its handler is not repeatable."


def test_a_worker_that_ends_takes_nothing_new_and_delivers_what_runs(here: Yard) -> None:
    gate = here.gate()
    loop, execution = at_work(here, one_task(), gate, concurrency=5)
    waiting = here.start(one_task())
    gate.open.set()
    loop.finish(grace=60)
    assert here.now(execution).output == "done"
    assert len(gate.calls) == 1
    assert here.job(waiting).worker is None
    assert asked(here.store).workers() == []


def test_a_worker_says_from_time_to_time_that_it_is_there(here: Yard) -> None:
    loop = here.worker({})
    loop.tick()
    assert [worker.seen for worker in asked(here.store).workers()] == [here.clock.now()]
    begun = here.clock.now()
    here.later(29)
    assert not loop.tick()
    here.later(2)
    assert loop.tick()
    (worker,) = asked(here.store).workers()
    assert (worker.started, worker.seen) == (begun, here.clock.now())


def test_a_worker_elsewhere_that_was_not_seen_for_a_day_is_struck_off(here: Yard) -> None:
    from dataclasses import replace

    from sm_cli.store.changes import Changes

    loop = here.worker({})
    with here.store.write() as tx:
        tx.apply(Changes(workers=[replace(loop.worker, id="old/1", host="elsewhere", process="b/pid:[1]/5")]))
    loop.tick()
    assert len(asked(here.store).workers()) == 2
    here.later(86_402)
    loop.tick()
    assert [worker.id for worker in asked(here.store).workers()] == [loop.worker.id]
