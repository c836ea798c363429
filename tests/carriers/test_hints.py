"""Hints: when a worker with a carrier claims, whom it tells of the rest, and what a lost hint costs."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from sm_cli.carriers.hints import CarriedHints, announce_inside, ready_queues
from sm_cli.engine.engine import Engine
from sm_cli.engine.settings import JobTaker
from sm_cli.engine.stepping.tick import Tick
from sm_cli.handlers.handler import Handler
from sm_cli.store.locks import Contended
from sm_cli.store.sqlite.memory import MemoryStore
from sm_cli.worker.worker import Worker
from tests.carriers.local import LocalCarrier, Post
from tests.engine.workers import Yard, one_task, soon, workflow, yard
from tests.store.asking import asked

FAR = 1e9


@pytest.fixture
def here() -> Iterator[Yard]:
    with yard() as made:
        yield made


class Time:
    """Seconds that a test moves on."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class Ends:
    """A worker's hints in a test's hands: what it announced, and hints that the test makes."""

    def __init__(self, sweep: float = FAR) -> None:
        self.post, self.time = Post(), Time()
        self.hints = CarriedHints(LocalCarrier(self.post), now=self.time, sweep=sweep)
        self.hints.comes_up()
        self.hints.none_left()

    def announced(self) -> list[str]:
        """What the worker put into its outbox since the last call."""
        queues, self.hints._outbox._queues = self.hints._outbox._queues, {}
        return list(queues)


def handlers(done: list[Any]) -> dict[str, Handler]:
    return {"work": Handler("work", done.append)}


def test_a_worker_that_heard_nothing_claims_nothing_and_tells_others(here: Yard) -> None:
    ends, done = Ends(), list[Any]()
    loop = here.worker(handlers(done), hints=ends.hints)
    loop.tick()
    here.start(one_task(), 1, "critical")
    here.start(one_task(), 2, "low")
    loop.tick()
    assert ends.announced() == ["critical", "low"]
    assert (done, asked(here.store).leased_to(loop.worker.id)) == ([], [])


def test_only_queues_and_resources_that_it_serves_are_announced(here: Yard) -> None:
    ends = Ends()
    loop = here.worker(handlers([]), hints=ends.hints)
    loop.tick()
    here.start(one_task(Resource="nobody's"), 1, "critical")
    here.start(one_task(), 2, "low")
    loop.tick()
    assert ends.announced() == ["low"]


def test_a_hint_wakes_it_and_it_claims_of_every_queue_until_none_are_left(here: Yard) -> None:
    ends, done = Ends(), list[Any]()
    loop = here.worker(handlers(done), hints=ends.hints, concurrency=2)
    loop.tick()
    for n in range(5):
        here.start(one_task(), n, "critical" if n % 2 else "low")
    ends.hints.hear("critical")
    loop.run(lambda: len(done) == 5 and not loop.jobs)
    loop.tick()
    assert not ends.hints.is_awake()
    here.start(one_task(), 5)
    loop.tick()
    assert len(done) == 5


@pytest.mark.parametrize("wakes", ["hint", "sweep"])
def test_a_claim_that_others_were_in_the_way_of_is_made_again_at_once(here: Yard, wakes: str) -> None:
    ends = Ends(sweep=1.0)
    gate = here.gate()
    loop = here.worker(gate.handlers, hints=ends.hints)
    loop.tick()
    execution = here.start(one_task(), 1)
    if wakes == "hint":
        ends.hints.hear("default")
    else:
        ends.time.seconds = 1.5
    attempts: list[list[Any]] = []

    def be_in_the_way_once(tick: Tick) -> None:
        attempts.append(tick.taken_jobs())
        if len(attempts) == 1:
            raise Contended

    here.engine.inside = be_in_the_way_once
    loop.tick()
    assert [len(jobs) for jobs in attempts] == [1, 1]
    assert asked(here.store).jobs_of(execution.id)[0].worker == loop.worker.id
    gate.open.set()


def test_one_with_more_work_than_slots_wakes_another_one(here: Yard) -> None:
    ends = Ends()
    gate = here.gate()
    loop = here.worker(gate.handlers, hints=ends.hints, concurrency=2)
    loop.tick()
    ends.announced()
    for n in range(3):
        here.start(one_task(), n)
    ends.hints.hear("default")
    loop.tick()
    assert len(loop.jobs) == 2
    loop.tick()
    assert ends.announced() == ["default"]


def test_one_that_has_slots_for_them_asks_for_no_queues_to_announce(here: Yard) -> None:
    ends = Ends()
    gate = here.gate()
    loop = here.worker(gate.handlers, hints=ends.hints, concurrency=2)
    loop.tick()
    for n in range(3):
        here.start(one_task(), n)
    ends.hints.hear("default")
    loop.tick()
    assert loop._pending.queues == []
    loop.tick()
    assert loop._pending.queues == ["default"]
    gate.open.set()


def test_jobs_that_its_own_steps_make_it_takes_without_a_hint(here: Yard) -> None:
    ends, done = Ends(), list[Any]()
    two = workflow({
        "StartAt": "A",
        "States": {
            "A": {"Type": "Task", "Resource": "work", "Next": "B"},
            "B": {"Type": "Task", "Resource": "work", "End": True},
        },
    })  # fmt: skip
    loop = here.worker(handlers(done), hints=ends.hints, concurrency=1)
    loop.tick()
    execution, _ = loop.start(two, {})
    loop.run(lambda: here.now(execution).closed is not None)
    assert len(done) == 2
    assert ends.announced() == []


def test_without_any_hint_it_claims_when_the_time_of_a_sweep_has_come(here: Yard) -> None:
    ends, done = Ends(sweep=1.0), list[Any]()
    loop = here.worker(handlers(done), hints=ends.hints)
    loop.tick()
    execution = here.start(one_task(), 1)
    loop.tick()
    assert not loop.jobs
    ends.time.seconds += 1.0
    loop.run(lambda: here.now(execution).closed is not None)
    assert done == [1]


def test_a_hint_that_comes_after_the_store_was_asked_is_not_used_up_by_what_that_found() -> None:
    ends = Ends()
    ends.hints.hear("default")
    assert ends.hints.has_news()
    ends.hints.hear("default")
    ends.hints.none_left()
    assert ends.hints.is_awake()
    assert ends.hints.has_news()
    ends.hints.none_left()
    assert not ends.hints.is_awake()


def test_a_claim_that_others_were_quicker_in_leaves_it_awake_until_none_are_left(here: Yard) -> None:
    ends, done = Ends(), list[Any]()
    loop = here.worker(handlers(done), hints=ends.hints, concurrency=9)
    loop.tick()
    for n in range(3):
        here.start(one_task(), n)
    ends.hints.hear("default")
    ends.hints.claim(lambda: None)
    assert ends.hints.is_awake()
    loop.run(lambda: len(done) == 3 and not loop.jobs)
    loop.tick()
    assert not ends.hints.is_awake()


def test_one_that_is_awake_passes_on_no_more_often_than_it_must(here: Yard) -> None:
    ends = Ends()
    ends.hints.hear("default")
    assert ends.hints.announces
    ends.hints.announce(["default"])
    assert not ends.hints.announces
    ends.time.seconds += 0.1
    assert ends.hints.announces


def test_one_that_is_awake_hears_a_hint_a_second_and_leaves_the_others_to_others(here: Yard) -> None:
    ends = Ends()
    here.worker(handlers([]), hints=ends.hints)
    assert ends.hints.has_room()
    ends.hints.hear("default")
    assert not ends.hints.has_room()
    ends.time.seconds += 1.0
    assert ends.hints.has_room()
    ends.hints.hear("default")
    assert not ends.hints.has_room()
    assert ends.hints.has_news()
    ends.hints.none_left()
    assert ends.hints.has_room()


def test_a_hint_makes_it_ask_the_store_again_once() -> None:
    ends = Ends(sweep=5.0)
    assert ends.hints.has_news()
    assert not ends.hints.has_news()
    ends.hints.hear("low")
    assert [ends.hints.has_news(), ends.hints.has_news()] == [True, False]
    ends.time.seconds += 5.0
    assert [ends.hints.has_news(), ends.hints.has_news()] == [True, False]


def test_while_the_carrier_is_away_it_claims_without_hints_and_says_so_once(
    here: Yard, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    done, post = list[Any](), Post()
    with connected(here, post, done) as (loop, carrier):
        fall_asleep(loop)
        post.leave()
        soon(loop.hints.is_awake)
        execution = here.start(one_task(), 1)
        loop.run(lambda: here.now(execution).closed is not None)
        tries = carrier.tries
        soon(lambda: carrier.tries > tries + 1)
        post.come_back()
        soon(lambda: "the post answers again; going on" in caplog.messages)
        fall_asleep(loop)
    away = "the post is closed; trying again until it works, nothing is lost"
    assert [m for m in caplog.messages if "post" in m] == [away, "the post answers again; going on"]


def test_a_carrier_that_has_a_bug_costs_hints_and_no_work(here: Yard, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    done, post = list[Any](), Post()
    with connected(here, post, done) as (loop, carrier):
        fall_asleep(loop)
        post.has_bug = True
        soon(loop.hints.is_awake)
        execution = here.start(one_task(), 1)
        loop.run(lambda: here.now(execution).closed is not None)
        tries = carrier.tries
        soon(lambda: carrier.tries > tries)
        post.has_bug = False
        soon(lambda: "the post answers again; going on" in caplog.messages)
        fall_asleep(loop)
    told = [m for m in caplog.messages if "trying again" in m]
    assert told == ["what carries hints has failed (KeyError); trying again until it works, nothing is lost"]


def fall_asleep(loop: Worker) -> None:
    """Round after round until it waits for hints."""

    def sleeps() -> bool:
        loop.tick()
        return not loop.hints.is_awake()

    soon(sleeps)


@contextmanager
def connected(
    here: Yard, post: Post, done: list[Any], sweep: float = FAR, **more: Any
) -> Iterator[tuple[Worker, LocalCarrier]]:
    carrier = LocalCarrier(post)
    hints = CarriedHints(carrier, sweep=sweep)
    loop = here.worker(handlers(done), hints=hints, **more)
    hints.start()
    try:
        yield loop, carrier
    finally:
        hints.stop()


def test_what_somebody_starts_who_knows_of_no_carrier_is_done_by_hints_alone(here: Yard) -> None:
    done, post = list[Any](), Post()
    with connected(here, post, done) as (loop, _):
        fall_asleep(loop)
        executions = [here.start(one_task(), n) for n in range(20)]
        loop.run(lambda: all(here.now(execution).closed is not None for execution in executions))
    assert sorted(done) == list(range(20))
    assert post.announced["default"] >= 1


def test_a_post_that_loses_every_hint_is_healed_by_the_sweep(here: Yard) -> None:
    done, post = list[Any](), Post()
    with connected(here, post, done, sweep=0.05) as (loop, carrier):
        carrier.deaf = True
        fall_asleep(loop)
        execution = here.start(one_task(), 1)

        def ended() -> bool:
            post.lose()
            return here.now(execution).closed is not None

        loop.run(ended)
    assert done == [1]


def test_a_transaction_leaves_ready_what_nobody_took(here: Yard) -> None:
    ready: list[set[str]] = []
    here.engine.observe(lambda tick: ready.append(ready_queues(tick)))
    here.start(one_task(), 1, "low")
    here.engine.start(one_task(), 2, queue="critical", taker=JobTaker("w", 1))
    assert ready == [{"low"}, set()]


class InsidePost(LocalCarrier):
    """A carrier that notes in which transaction it was to write."""

    def __init__(self) -> None:
        super().__init__(Post())
        self.calls: list[tuple[Any, set[str]]] = []

    def announce_inside(self, transaction: Any, queues: Any) -> None:
        self.calls.append((transaction, set(queues)))


def test_a_carrier_that_can_writes_in_the_transaction_that_makes_jobs_ready() -> None:
    store, carrier = MemoryStore(), InsidePost()
    engine = Engine(store)
    announce_inside(engine, CarriedHints(carrier))
    engine.start(one_task(), 1, queue="low")
    engine.start(workflow({"StartAt": "S", "States": {"S": {"Type": "Succeed"}}}), 1)
    assert [queues for _, queues in carrier.calls] == [{"low"}]
    store.close()


def test_what_it_cannot_write_there_undoes_the_transaction() -> None:
    store = MemoryStore()
    engine = Engine(store)

    def refuse(tick: Any) -> None:
        raise RuntimeError("no room for hints")

    engine.inside = refuse
    with pytest.raises(RuntimeError):
        engine.start(one_task(), 1)
    assert asked(store).latest() is None
    store.close()


def test_a_carrier_that_cannot_is_not_asked(here: Yard) -> None:
    announce_inside(here.engine, CarriedHints(LocalCarrier(Post())))
    assert here.engine.inside is None
