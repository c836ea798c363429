"""A loop that begins finds what waits for it; one that ends leaves nothing locked; one without work rests."""

from __future__ import annotations

import threading

import pytest

from sm_cli.asl.text.source import parse
from sm_cli.engine.engine import Engine, Workflow, prepare
from sm_cli.engine.settings import JobTaker
from sm_cli.handlers.handler import Handler
from sm_cli.jsonvalue import Json
from sm_cli.store.records import Execution, Status
from sm_cli.store.sqlite.memory import MemoryStore
from sm_cli.testing import FakeClock
from sm_cli.worker.worker import Worker
from tests.store.asking import asked


def _workflow() -> Workflow:
    document = parse("{StartAt: A, States: {A: {Type: Task, Resource: work, End: true}}}").document
    assert document is not None
    return prepare(document, "w")


@pytest.fixture
def engine() -> Engine:
    return Engine(MemoryStore(), clock=FakeClock())


def _status(engine: Engine, execution: Execution) -> Status:
    found = asked(engine.store).execution(execution.id)
    assert found is not None
    return found.status


def _loop(engine: Engine, name: str = "w1", **handlers: object) -> Worker:
    return Worker(engine, {key: Handler(key, value) for key, value in handlers.items()}, name=name)  # type: ignore[arg-type]


def _returns(value: Json) -> Json:
    return value


def test_a_new_loop_takes_jobs_that_were_free_before_it_began(engine: Engine) -> None:
    execution, _, _ = engine.start(_workflow(), 1)
    loop = _loop(engine, work=_returns)
    loop.run(lambda: _status(engine, execution) is not Status.RUNNING)
    assert _status(engine, execution) is Status.SUCCEEDED


def test_a_lost_job_of_a_handler_that_it_lacks_does_not_keep_a_loop_busy(engine: Engine) -> None:
    execution, _, _ = engine.start(_workflow(), 1, taker=JobTaker("lost", 1))
    clock = engine.clock
    assert isinstance(clock, FakeClock)
    clock.advance_to(clock.now() + 60_000_000)
    loop = _loop(engine, other=_returns)
    loop.tick()  # it enters itself in the list of workers
    assert not loop.tick()
    assert _status(engine, execution) is Status.RUNNING


def test_a_loop_that_ends_gives_back_what_others_may_take_at_once(engine: Engine) -> None:
    hold = threading.Event()

    def work(value: Json) -> Json:
        if value == "slow":
            hold.wait()
        return value

    loop = _loop(engine, work=work)
    slow, _ = loop.start(_workflow(), "slow")
    quick, _ = loop.start(_workflow(), "quick")
    loop.run(lambda: _status(engine, quick) is not Status.RUNNING)
    loop.let_go()
    hold.set()
    [job] = asked(engine.store).jobs_of(slow.id)
    assert (job.worker, job.leased_until) == (None, None)
    other = _loop(engine, "w2", work=_returns)
    other.run(lambda: _status(engine, slow) is not Status.RUNNING)
    assert _status(engine, slow) is Status.SUCCEEDED
