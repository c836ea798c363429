"""Machines whose clocks are wrong: all workers of a server go by its time."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from sm_cli.engine.clock import ServerClock, clock_of
from sm_cli.engine.engine import Engine
from sm_cli.store.postgres.database import PostgresStore
from sm_cli.store.postgres.url import parse_url
from sm_cli.store.sqlite.memory import MemoryStore
from sm_cli.testing import FakeClock
from sm_cli.worker.jumps import Jumps
from sm_cli.worker.worker import Worker
from tests.engine.workers import SECOND, Yard, one_task, soon, workflow
from tests.postgres.server import schema

HOUR = 3600 * SECOND


class Server:
    """A server's clock. slow: microseconds that each answer takes there and back, of which `there` pass before it is
    made."""

    def __init__(self, *machines: FakeClock) -> None:
        self.clock = FakeClock()
        self.machines = machines
        self.trips: list[tuple[int, int]] = []
        self.asked = 0

    def pass_time(self, microseconds: int) -> None:
        for clock in (self.clock, *self.machines):
            clock.advance_to(clock.now() + microseconds)

    def time(self) -> int:
        self.asked += 1
        there, back = self.trips.pop(0) if self.trips else (0, 0)
        self.pass_time(there)
        answer = self.clock.now()
        self.pass_time(back)
        return answer


def machine(apart: int) -> FakeClock:
    return FakeClock(FakeClock().now() + apart)


@pytest.mark.parametrize("apart", [0, HOUR, -HOUR, 3 * SECOND, -SECOND // 4])
def test_a_machine_s_skew_is_taken_off(apart: int) -> None:
    here = machine(apart)
    server = Server(here)
    server.trips = [(4000, 4000)] * 5
    clock = ServerClock(here, server.time)
    assert (clock.ahead, clock.within) == (-apart, 4000)
    assert clock.now() == server.clock.now()
    server.pass_time(5 * SECOND)
    assert clock.now() == server.clock.now()
    assert clock.monotonic() == here.monotonic()
    assert clock.new_ref() < ServerClock(here, lambda: server.clock.now() + SECOND).new_ref()


def test_a_skew_that_the_round_trip_may_have_made_is_none_and_asked_for_once() -> None:
    here = machine(0)
    server = Server(here)
    server.trips = [(50_000, 0)]
    clock = ServerClock(here, server.time)
    assert (clock.ahead, clock.within, server.asked) == (0, 25_000, 1)


def test_of_a_large_skew_the_quickest_answer_is_believed() -> None:
    here = machine(-HOUR)
    server = Server(here)
    server.trips = [(0, 900_000), (700_000, 0), (1000, 1000), (0, 500_000), (300_000, 0)]
    clock = ServerClock(here, server.time)
    assert (clock.ahead, clock.within, server.asked) == (HOUR, 1000, 5)


def test_a_database_without_a_clock_of_its_own_leaves_the_machine_s() -> None:
    assert not isinstance(clock_of(MemoryStore()), ServerClock)


# Jumps


def test_a_machine_whose_clock_is_set_right_has_not_jumped() -> None:
    here = machine(-HOUR)
    server = Server(here)
    clock = ServerClock(here, server.time)
    jumps = Jumps(clock)
    here.jump(HOUR)
    assert [jumps.look(), jumps.look()] == [0, 0]
    assert clock.now() == server.clock.now()
    assert clock.ahead == 0


def test_a_machine_that_slept_has_jumped() -> None:
    here = machine(-HOUR)
    server = Server(here)
    clock = ServerClock(here, server.time)
    jumps = Jumps(clock)
    server.clock.jump(100 * SECOND)
    here.jump(100 * SECOND)
    assert [jumps.look(), jumps.look()] == [100 * SECOND, 0]
    assert clock.now() == server.clock.now()


def test_a_jump_that_could_not_be_measured_is_seen_again() -> None:
    here = machine(0)
    server = Server(here)
    clock = ServerClock(here, server.time)
    jumps = Jumps(clock)
    here.jump(HOUR)
    server.trips = [(1, "not a time")]  # type: ignore[list-item]
    with pytest.raises(TypeError):
        jumps.look()
    assert jumps.look() == 0
    assert clock.now() == server.clock.now()


@pytest.mark.parametrize(("apart", "says"), [(-2 * SECOND, "2.0 s behind"), (90 * SECOND, "90.0 s ahead of"),
                                             (SECOND, None), (0, None)])  # fmt: skip
def test_a_worker_warns_once_of_more_than_a_second(
    apart: int, says: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    here = machine(apart)
    server = Server(here)
    engine = Engine(MemoryStore(), clock=ServerClock(here, server.time))
    worker = Worker(engine, {})
    worker.tick()
    worker.pool.close()
    texts = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert texts == ([] if says is None else [
        f"the clock of this machine is {says} that of the database's server; leases and timers go by the server's"
    ])  # fmt: skip


# Leases and timers


@pytest.fixture
def here() -> Iterator[Yard]:
    made = Yard()
    yield made
    made.close()


def second(here: Yard, wrong: FakeClock, server: Server, handlers: object) -> Worker:
    """A worker of another machine whose clock is wrong."""
    engine = Engine(here.store, clock=ServerClock(wrong, server.time))
    loop = Worker(engine, handlers, name="wrong")  # type: ignore[arg-type]
    here.loops.append(loop)
    return loop


@pytest.mark.parametrize("apart", [HOUR, -HOUR])
def test_nobody_takes_a_job_because_its_own_clock_is_wrong(here: Yard, apart: int) -> None:
    wrong = machine(apart)
    server = Server(wrong, here.clock)
    gate, execution = here.gate(), here.start(one_task())
    right = here.worker(gate.handlers)
    assert right.tick()
    soon(lambda: len(gate.calls) == 1)
    other = second(here, wrong, server, gate.handlers)
    for _ in range(12):  # a lease is 30 s: it is renewed in time
        server.pass_time(5 * SECOND)
        right.tick()
        other.tick()
    assert (here.job(execution).worker, here.job(execution).deliveries) == (right.worker.id, 1)
    gate.open.set()
    right.run(lambda: here.now(execution).closed is not None)
    assert len(gate.calls) == 1


@pytest.mark.parametrize("apart", [HOUR, -HOUR])
def test_a_job_of_a_worker_whose_clock_is_wrong_stays_its_own_while_it_renews(here: Yard, apart: int) -> None:
    wrong = machine(apart)
    server = Server(wrong, here.clock)
    gate, execution = here.gate(), here.start(one_task())
    other = second(here, wrong, server, gate.handlers)
    assert other.tick()
    soon(lambda: len(gate.calls) == 1)
    right = here.worker(gate.handlers)
    for _ in range(12):
        server.pass_time(5 * SECOND)
        other.tick()
        right.tick()
    assert here.job(execution).worker == other.worker.id
    leased_until = here.job(execution).leased_until
    assert leased_until is not None
    assert 0 < leased_until - server.clock.now() <= 30 * SECOND


@pytest.mark.parametrize("apart", [HOUR, -HOUR])
def test_a_wait_is_over_when_the_server_says_so(here: Yard, apart: int) -> None:
    wrong = machine(apart)
    server = Server(wrong, here.clock)
    execution = here.start(workflow({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 60, "End": True}}}))
    other = second(here, wrong, server, {})
    other.tick()
    server.pass_time(59 * SECOND)
    other.tick()
    assert here.now(execution).closed is None
    server.pass_time(SECOND)
    other.tick()
    assert here.now(execution).closed == server.clock.now()


# A server


def test_postgres_says_what_time_it_is() -> None:
    with schema() as url:
        store = PostgresStore(parse_url(url))
        clock = clock_of(store)
        assert isinstance(clock, ServerClock)
        first, then = store.server_time(), store.server_time()
        assert FakeClock().now() < first < then
        assert abs(clock.now() - then) < HOUR
        store.close()
