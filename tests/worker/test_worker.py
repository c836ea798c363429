"""The loop: what it takes and in which order, what it leaves alone, and how it learns of what others do."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sm_cli.engine.send_message import send
from sm_cli.engine.stepping.queues import Rota
from sm_cli.handlers.handler import Handler
from sm_cli.store.open import open_store
from sm_cli.store.sqlite.database import SqliteStore
from sm_cli.store.sqlite.memory import MemoryStore
from sm_cli.worker import passes
from sm_cli.worker.worker import Worker
from tests.engine.workers import Gate, Yard, caught, one_task, soon, workflow, yard
from tests.store.asking import asked

TWO = workflow({
    "StartAt": "A",
    "States": {
        "A": {"Type": "Task", "Resource": "work", "Next": "B"},
        "B": {"Type": "Task", "Resource": "work", "End": True},
    },
})  # fmt: skip
WAIT = workflow({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 5, "End": True}}})
MESSAGE = workflow({
    "StartAt": "M",
    "States": {"M": {"Type": "Message", "CorrelationKey": "k", "CorrelationValuePath": "$.v", "End": True}},
})  # fmt: skip


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Yard, SqliteStore]]:
    """A yard, and the same file as another process has it open."""
    path = tmp_path / "sm.db"
    with yard(open_store(str(path))) as made:
        other = SqliteStore(path)
        yield made, other
        other.close()


class Recorder:
    """A handler that notes the inputs it gets, in order, and takes some of a yard's time."""

    def __init__(self, here: Yard | None = None) -> None:
        self.inputs: list[Any] = []
        self.here = here
        self.handlers = {"work": Handler("work", self.work)}

    def work(self, input: Any) -> Any:
        self.inputs.append(input)
        if self.here is not None:
            self.here.later(0.001)
        return input


def ended(here: Yard, loop: Worker, *executions: Any) -> None:
    loop.run(lambda: all(here.now(execution).closed is not None for execution in executions))


# Queues


def test_one_worker_serves_three_queues_in_the_ratio_of_their_weights(here: Yard) -> None:
    for n in range(30):
        for queue in ("low", "default", "critical"):
            here.start(one_task(), {"queue": queue, "n": n}, queue)
    recorder = Recorder()
    loop = here.worker(recorder.handlers, concurrency=1)
    loop.run(lambda: len(recorder.inputs) >= 50)
    order = [input["queue"] for input in recorder.inputs]
    for first in range(40):
        assert Counter(order[first : first + 10]) == {"critical": 6, "default": 3, "low": 1}
    for queue in set(order):
        taken = [input["n"] for input in recorder.inputs if input["queue"] == queue]
        assert taken == sorted(taken)


def test_the_tasks_that_an_execution_goes_on_to_wait_behind_what_waits_already(here: Yard) -> None:
    executions = [here.start(TWO, n) for n in range(4)]
    recorder = Recorder()
    ended(here, here.worker(recorder.handlers, concurrency=1), *executions)
    assert recorder.inputs == [0, 1, 2, 3, 0, 1, 2, 3]


def test_strict_order_and_named_queues_hold_for_the_worker(here: Yard) -> None:
    for queue in ("other", "b", "a", "b", "a"):
        here.start(one_task(), queue, queue)
    recorder = Recorder()
    loop = here.worker(recorder.handlers, concurrency=1, rota=Rota({"a": 1, "b": 5}, strict=True))
    passes.drain(loop, lambda: False)
    assert recorder.inputs == ["a", "a", "b", "b"]


def test_a_task_of_a_queue_that_is_not_served_is_not_taken_in_the_step_that_makes_it(here: Yard) -> None:
    recorder = Recorder()
    loop = here.worker(recorder.handlers, rota=Rota({"a": 1}))
    loop.start(one_task(), "b", queue="b")
    loop.start(one_task(), "a", queue="a")
    passes.drain(loop, lambda: False)
    assert recorder.inputs == ["a"]


# One pass, or until nothing is left


def test_once_takes_each_execution_as_far_as_it_goes_without_waiting(here: Yard) -> None:
    due, later = here.start(workflow({"StartAt": "W", "States": {
        "W": {"Type": "Wait", "Seconds": 5, "Next": "T"}, "T": {"Type": "Task", "Resource": "work", "End": True},
    }}), "due"), here.start(WAIT)  # fmt: skip
    executions = [here.start(TWO, n) for n in range(5)]
    here.later(5)
    fresh = here.start(WAIT)
    recorder = Recorder(here)
    loop = here.worker(recorder.handlers, concurrency=2)
    passes.once(loop, lambda: False)
    assert sorted(map(str, recorder.inputs)) == sorted([*"0123401234", "due"])
    assert here.now(due).status == here.now(later).status == "SUCCEEDED"
    assert here.now(fresh).status == "RUNNING"
    assert {here.now(execution).status for execution in executions} == {"SUCCEEDED"}
    assert not loop.jobs


def test_once_ends_although_newcomers_keep_coming(here: Yard) -> None:
    newcomers = [here.start(TWO, 0)]

    def work(value: Any) -> Any:
        newcomers.append(here.start(TWO, value))
        return value

    loop = here.worker({"work": Handler("work", work)}, concurrency=2)
    passes.once(loop, lambda: False)
    assert here.now(newcomers[0]).status == "SUCCEEDED"
    assert "RUNNING" in {here.now(execution).status for execution in newcomers}
    assert not loop.jobs


def test_once_with_nothing_due_ends(here: Yard) -> None:
    here.start(WAIT)
    passes.once(here.worker({}), lambda: False)


def test_drain_goes_on_until_nothing_is_left_to_do_now(here: Yard) -> None:
    executions = [here.start(TWO, n) for n in range(5)]
    waiting = here.start(WAIT)
    unknown = here.start(one_task(Resource="nobody:has:it"))
    passes.drain(here.worker(Recorder().handlers, concurrency=2), lambda: False)
    assert {here.now(execution).status for execution in executions} == {"SUCCEEDED"}
    assert {here.now(execution).status for execution in (waiting, unknown)} == {"RUNNING"}
    here.later(5)
    passes.drain(here.worker({}), lambda: False)
    assert here.now(waiting).status == "SUCCEEDED"


# What others do


def test_an_execution_stopped_elsewhere_cancels_its_handler(pair: tuple[Yard, SqliteStore]) -> None:
    here, other = pair
    gate = here.gate()
    execution = here.start(one_task())
    loop = here.worker(gate.handlers)
    loop.tick()
    soon(lambda: len(gate.calls) == 1)
    here.worker({}, store=other).engine.stop(execution)
    loop.tick()
    assert gate.calls[0].cancelled.is_set()
    assert not loop.jobs
    gate.open.set()
    soon(lambda: loop.pool.free == loop.pool.size)
    loop.tick()
    assert here.now(execution).status == "ABORTED"
    assert here.left_over(execution) == []


def test_a_failed_sibling_cancels_the_handlers_of_the_other_branches(here: Yard) -> None:
    gate, failing = here.gate(), threading.Event()

    def fail(input: Any) -> None:
        failing.wait(60)
        raise ValueError("no")

    branches = [
        {"StartAt": name, "States": {name: {"Type": "Task", "Resource": name, "End": True}}}
        for name in ("work", "fail")
    ]
    execution = here.start(workflow({"StartAt": "P", "States": {
        "P": {"Type": "Parallel", "Branches": branches, "End": True}}}))  # fmt: skip
    loop = here.worker({**gate.handlers, "fail": Handler("fail", fail)})
    loop.tick()
    soon(lambda: len(gate.calls) == 1)
    failing.set()
    ended(here, loop, execution)
    assert here.now(execution).error == "ValueError"
    assert gate.calls[0].cancelled.is_set()


def test_a_late_task_cancels_an_async_handler(here: Yard) -> None:
    seen: list[str] = []

    async def work(input: Any) -> None:
        try:
            seen.append("begun")
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    execution = here.start(caught(TimeoutSeconds=5))
    loop = here.worker({"work": Handler("work", work)})
    loop.tick()
    soon(lambda: seen == ["begun"])
    here.later(6)
    loop.tick()
    soon(lambda: seen == ["begun", "cancelled"])
    soon(lambda: loop.pool.free == loop.pool.size)
    assert here.now(execution).output == {"Error": "States.Timeout", "Cause": ""}


def test_a_result_that_comes_after_the_timeout_is_dropped(here: Yard) -> None:
    gate = here.gate()
    execution = here.start(caught(TimeoutSeconds=5))
    loop = here.worker(gate.handlers)
    loop.tick()
    soon(lambda: len(gate.calls) == 1)
    here.later(6)
    loop.tick()
    gate.open.set()
    soon(lambda: loop.pool.free == loop.pool.size)
    loop.tick()
    assert here.history(execution).count("TaskSucceeded") == 0
    assert here.now(execution).status == "SUCCEEDED"


def test_a_message_sent_by_another_process_is_noticed(pair: tuple[Yard, SqliteStore]) -> None:
    here, other = pair
    execution = here.start(MESSAGE, {"v": 1})
    loop = here.worker({})
    loop.tick()
    here.worker({}, store=other).engine.transact(lambda tick: send(tick, "k", 1, {"paid": True}, ttl=10**9))
    ended(here, loop, execution)
    assert here.now(execution).output == {"v": 1, "paid": True}


def test_what_this_process_sends_beside_the_loop_is_noticed_too(here: Yard) -> None:
    execution = here.start(MESSAGE, {"v": 1})
    loop = here.worker({})
    while loop.tick():
        continue
    here.engine.transact(lambda tick: send(tick, "k", 1, {"paid": True}, ttl=10**9))
    ended(here, loop, execution)
    assert here.now(execution).output == {"v": 1, "paid": True}


class Counting(SqliteStore):
    """Counts how often the write lock is taken."""

    writes = 0

    @contextmanager
    def write(self, locks: Any = None, executions: Any = (), jobs: int = 0) -> Iterator[Any]:
        self.writes += 1
        with super().write(locks, executions, jobs) as tx:
            yield tx


def test_an_idle_worker_only_reads_when_others_write(tmp_path: Path) -> None:
    path = tmp_path / "sm.db"
    store = Counting(path)
    with yard(open_store(str(path))) as here:
        idle = here.worker(Recorder().handlers, store=store)
        idle.tick()
        before = store.writes
        for definition in (WAIT, MESSAGE, one_task(Resource="nobody:has:it")):
            here.start(definition, {"v": 1})
            assert not idle.tick()
        busy = here.worker({"nobody:has:it": here.gate().handlers["work"]})
        busy.tick()
        assert not idle.tick()
        assert store.writes == before
        here.start(one_task())
        assert idle.tick()
        assert store.writes == before + 1
    store.close()


def test_a_worker_without_a_free_slot_writes_nothing_for_what_waits(here: Yard) -> None:
    gate = here.gate()
    first = here.start(one_task())
    loop = here.worker(gate.handlers, concurrency=1)
    loop.tick()
    here.start(one_task())
    commits = here.store.commits
    assert not loop.tick()
    assert here.store.commits == commits
    gate.open.set()
    ended(here, loop, first)


# Handlers that are loaded again


def test_handlers_are_exchanged_between_two_rounds(here: Yard) -> None:
    loop = here.worker({})
    execution = here.start(one_task(), "x")
    loop.tick()
    recorder = Recorder()
    loop.reload(recorder.handlers)
    ended(here, loop, execution)
    assert recorder.inputs == ["x"]
    loop.reload({})
    waiting = here.start(one_task(), "y")
    loop.tick()
    assert here.job(waiting).worker is None


# Heartbeats


def test_a_heartbeat_begins_the_time_anew_and_silence_is_noticed(here: Yard) -> None:
    gate = here.gate()
    execution = here.start(caught(HeartbeatSeconds=10))
    loop = here.worker(gate.handlers)
    loop.tick()
    soon(lambda: len(gate.calls) == 1)
    for _ in range(5):
        here.later(9)
        gate.calls[0].heartbeat()
        loop.tick()
        (timer,) = asked(here.store).timers_of(execution.id)
        assert timer.due == here.clock.now() + 10_000_000
    here.later(9.9)
    loop.tick()
    assert here.now(execution).status == "RUNNING"
    here.later(0.2)
    loop.tick()
    assert here.now(execution).output == {"Error": "States.Timeout", "Cause": ""}


def test_heartbeats_are_written_a_few_times_and_the_last_one_always_is(here: Yard) -> None:
    gate = here.gate()
    execution = here.start(one_task(HeartbeatSeconds=10))
    loop = here.worker(gate.handlers)
    loop.tick()
    soon(lambda: len(gate.calls) == 1)
    here.later(1)
    commits = here.store.commits
    for _ in range(200):
        gate.calls[0].heartbeat()
        loop.tick()
        here.later(0.001)
    last = here.clock.now() - 1000
    assert here.store.commits == commits + 1
    here.later(1)
    loop.tick()
    (timer,) = asked(here.store).timers_of(execution.id)
    assert timer.due == last + 10_000_000
    assert here.store.commits == commits + 2


def test_a_handler_without_heartbeat_seconds_may_send_heartbeats_for_nothing() -> None:
    store = MemoryStore()
    with yard(store) as here:
        gate: Gate = here.gate()
        here.start(one_task())
        loop = here.worker(gate.handlers)
        loop.tick()
        soon(lambda: len(gate.calls) == 1)
        commits = store.commits
        gate.calls[0].heartbeat()
        assert not loop.tick()
        assert store.commits == commits
