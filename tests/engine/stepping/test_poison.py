"""A task that kills its workers is stopped after a bounded number of them, and what runs beside it comes through."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from sm_cli.handlers.handler import Handler
from sm_cli.interpreter.timers import TimerKind
from sm_cli.jsonvalue import Json
from sm_cli.store.changes import Changes
from sm_cli.store.records import Company, Execution, Status
from sm_cli.views.why import why
from sm_cli.worker.quarantine import PATIENCE
from sm_cli.worker.worker import Worker
from tests.engine.workers import SECOND, Yard, caught, died, one_task, soon
from tests.store.asking import asked

WAITS = PATIENCE / SECOND + 0.1


class Handlers:
    """A handler that stays in its call until its execution may end; `begun` holds the ids of executions, in order."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self._gates: dict[str, threading.Event] = {}
        self.handlers = {"work": Handler("work", self.work)}

    def work(self, input: Json, context: Any) -> Json:
        gate = self._gates.setdefault(context.execution_id, threading.Event())
        self.begun.append(context.execution_id)
        assert gate.wait(60)
        return input

    def end(self, *executions: Execution) -> None:
        for execution in executions:
            self._gates.setdefault(execution.ref, threading.Event()).set()

    def end_all(self) -> None:
        for gate in self._gates.values():
            gate.set()


@pytest.fixture
def work() -> Iterator[Handlers]:
    handlers = Handlers()
    yield handlers
    handlers.end_all()


def go(here: Yard, work: Handlers, name: str, **more: Any) -> Worker:
    """A new worker that has taken what it takes, and whose handlers have begun."""
    loop = here.worker(work.handlers, name=name, **more)
    before = len(work.begun)
    loop.tick()
    soon(lambda: len(work.begun) == before + loop.quarantine.at_work)
    return loop


def executions_of(here: Yard, loop: Worker) -> set[int]:
    return {job.execution for job in asked(here.store).leased_to(loop.worker.id)}


def tell(here: Yard, execution: Execution) -> str:
    (reason,) = why(here.engine, execution, time_text=lambda at: f"+{(at - execution.started) / SECOND:g}")
    return reason.text


def suspect_of(here: Yard, work: Handlers, losses: int = 5) -> Execution:
    """An execution whose task has lost so many workers, with another task on each of them."""
    suspect = here.start(caught(TimeoutSeconds=60))
    for n in range(losses):
        other = here.start(one_task())
        loop = go(here, work, f"lost{n}", concurrency=2)
        assert executions_of(here, loop) == {suspect.id, other.id}
        died(loop)
        here.worker({}).tick()
        here.engine.stop(other)
    assert (here.job(suspect).deliveries, here.job(suspect).company) == (losses, Company.SOME)
    return suspect


@pytest.mark.parametrize("place", [0, 3, 7])
def test_poison_among_innocents_is_found_and_they_all_come_through(here: Yard, work: Handlers, place: int) -> None:
    all_of_them = [here.start(caught(), n) for n in range(8)]
    poison = all_of_them[place]
    kills = 0
    while any(here.now(each).closed is None for each in all_of_them):
        loop = go(here, work, f"w{kills}", concurrency=8)
        if poison.id in executions_of(here, loop):
            died(loop)
            kills += 1
            assert kills <= 10
            continue
        taken = [each for each in all_of_them if each.id in executions_of(here, loop)]
        work.end(*taken)
        loop.run(lambda taken=taken: all(here.now(each).closed is not None for each in taken))  # type: ignore[misc]
        loop.let_go()
    assert kills == 10
    for n, each in enumerate(all_of_them):
        assert here.now(each).status is Status.SUCCEEDED
        expected: Json = n
        if each is poison:
            cause = "The worker was lost 10 times while it ran this task, the last 5 times with nothing beside it."
            expected = {"Error": "States.TaskFailed", "Cause": cause}
        assert here.now(each).output == expected
        assert here.left_over(each) == []


def test_poison_whose_workers_only_fall_silent_runs_alone_too_and_is_stopped(here: Yard, work: Handlers) -> None:
    """Of a worker on another machine nothing is known but that its lease ran out."""
    poison = here.start(caught())
    for n in range(10):
        assert here.now(poison).closed is None
        loop = go(here, work, f"w{n}", concurrency=8)
        assert executions_of(here, loop) == {poison.id}
        here.later(10.1)
    here.worker({}).tick()
    output: Any = here.now(poison).output
    assert output["Cause"].startswith("The worker was lost 10 times while it ran this task, the last 5 times")


def test_how_many_workers_a_task_may_cost_is_a_setting(here: Yard, work: Handlers) -> None:
    here.engine.settings.most_lost = 1
    alone = here.start(caught())
    died(go(here, work, "w1"))
    here.worker({}).tick()
    output: Any = here.now(alone).output
    assert output["Cause"] == "The worker was lost 1 time while it ran this task and nothing else."
    suspect = suspect_of(here, work, 1)
    died(go(here, work, "w2"))
    here.worker({}).tick()
    output = here.now(suspect).output
    cause = "The worker was lost 2 times while it ran this task, the last time with nothing beside it."
    assert output["Cause"] == cause


def test_a_worker_without_work_takes_a_suspect_before_all_else_and_nothing_beside_it(
    here: Yard, work: Handlers
) -> None:
    suspect = suspect_of(here, work)
    others = [here.start(one_task()) for _ in range(3)]
    assert tell(here, suspect).endswith(" 5 workers were lost over it, so whoever takes it runs nothing beside it.")
    loop = go(here, work, "w", concurrency=4)
    others.append(here.start(one_task()))
    loop.tick()
    assert executions_of(here, loop) == {suspect.id}
    assert here.job(suspect).deliveries == 6
    assert tell(here, suspect).endswith(" 5 workers were lost over it, so nothing runs beside it.")
    work.end(suspect, *others)
    loop.run(lambda: all(here.now(each).closed is not None for each in (suspect, *others)))
    assert here.now(suspect).status is Status.SUCCEEDED


def test_a_worker_at_work_leaves_a_suspect_to_others_for_a_while_and_then_makes_room(
    here: Yard, work: Handlers
) -> None:
    other = here.start(one_task())
    loop = go(here, work, "w", concurrency=4)
    suspect = suspect_of(here, work)
    more = here.start(one_task())
    loop.tick()
    soon(lambda: len(loop.jobs) == 2)
    assert executions_of(here, loop) == {other.id, more.id}
    here.later(WAITS)
    loop.tick()
    late = here.start(one_task())
    loop.tick()
    assert executions_of(here, loop) == {other.id, more.id, suspect.id}
    job, last = here.job(suspect), here.history(suspect)[-1]
    assert (job.deliveries, job.company, last) == (5, Company.IN_THE_WAY, "TaskStarted")
    assert asked(here.store).timers_of(suspect.id) == []  # its seconds count from its beginning
    assert tell(here, suspect).startswith(
        "T waits until w has nothing else: it runs the handler 'work' then, its lease"
    )
    started = here.history(suspect).count("TaskStarted")
    work.end(other, more)
    loop.run(lambda: here.job(suspect).deliveries == 6)
    assert here.history(suspect).count("TaskStarted") == started + 1
    assert [timer.kind for timer in asked(here.store).timers_of(suspect.id)] == [TimerKind.DEADLINE]
    assert executions_of(here, loop) == {suspect.id}
    work.end(suspect, late)
    loop.run(lambda: all(here.now(each).closed is not None for each in (suspect, late)))


def keeping(here: Yard, work: Handlers) -> tuple[Worker, Execution, Execution]:
    """A worker that keeps a suspect, the suspect, and what runs in the way."""
    other = here.start(one_task())
    loop = go(here, work, "w", concurrency=4)
    suspect = suspect_of(here, work)
    loop.tick()
    here.later(WAITS)
    loop.tick()
    assert here.job(suspect).company is Company.IN_THE_WAY
    return loop, suspect, other


def test_a_suspect_that_has_not_begun_costs_no_worker(here: Yard, work: Handlers) -> None:
    loop, suspect, _ = keeping(here, work)
    died(loop)
    here.worker({}).tick()
    job = here.job(suspect)
    assert (job.worker, job.deliveries, job.company) == (None, 5, Company.SOME)


def test_a_worker_that_stops_gives_back_what_it_keeps_and_does_not_wait_for_it(here: Yard, work: Handlers) -> None:
    loop, suspect, other = keeping(here, work)
    work.end(other)
    loop.finish(grace=60)
    job = here.job(suspect)
    assert (job.worker, job.deliveries, job.company) == (None, 5, Company.SOME)
    assert here.now(other).status is Status.SUCCEEDED
    assert [job.execution for job in loop.given_back] == [suspect.id]


def test_a_suspect_that_is_stopped_while_it_is_kept_is_in_nobodys_way(here: Yard, work: Handlers) -> None:
    loop, suspect, other = keeping(here, work)
    here.engine.stop(suspect)
    next_one = here.start(one_task())
    work.end(other, next_one)
    loop.run(lambda: here.now(next_one).closed is not None)
    assert here.left_over(suspect) == []
    assert not loop.jobs


def test_a_suspect_whose_lease_ran_out_while_it_was_kept_is_another_workers(here: Yard, work: Handlers) -> None:
    loop, suspect, other = keeping(here, work)
    here.later(10.1)
    second = go(here, work, "second")
    here.worker({}).tick()
    while suspect.id not in executions_of(here, second):
        second.tick()
        work.end(*(e for e in (other,) if e.id in executions_of(here, second)))
    loop.tick()
    assert not loop.jobs
    work.end(suspect)
    second.run(lambda: here.now(suspect).closed is not None)
    assert here.history(suspect).count("TaskSucceeded") == 1


def test_of_a_worker_that_is_struck_off_already_it_is_not_known_what_else_it_had(here: Yard, work: Handlers) -> None:
    execution = here.start(one_task())
    loop = go(here, work, "w")
    died(loop)
    (dead,) = (worker for worker in asked(here.store).workers() if worker.id.endswith("+dead"))
    other = here.worker({})
    census = other.census(here.clock.now())
    assert [worker.id for worker in census] == [dead.id]
    with here.store.write() as tx:
        tx.apply(Changes(workers_gone=[dead.id]))
    here.engine.transact(lambda tick: other.reap(tick, census))
    assert (here.job(execution).deliveries, here.job(execution).company) == (1, Company.SOME)


def test_a_record_of_a_job_keeps_what_else_its_workers_had(here: Yard, work: Handlers) -> None:
    execution = here.start(one_task())
    for company in Company:
        with here.store.write() as tx:
            tx.apply(Changes(leased_jobs=[replace(here.job(execution), company=company)]))
        assert here.job(execution).company is company
