"""Children of one map run are stepped by several workers side by side, each held by itself."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sm_cli.engine.batches.control import cancel, pause, resume
from sm_cli.engine.batches.options import BatchOptions
from sm_cli.engine.engine import Engine, Workflow
from sm_cli.errors import Conflict
from sm_cli.handlers.handler import Handler
from sm_cli.jsonvalue import Json
from sm_cli.store.locks import NOTHING
from sm_cli.store.postgres.writing.transaction import PostgresTransaction
from sm_cli.store.protocol import Store
from sm_cli.store.records import Execution, MapRun, Status
from sm_cli.store.sql.transaction import Transaction
from sm_cli.store.sqlite.memory import MemoryStore
from sm_cli.testing import FakeClock, Simulation, crash_points
from sm_cli.views.operating.copying import copy_database
from sm_cli.views.upkeep import database_problems
from sm_cli.worker.worker import Worker
from tests.engine.waiting import now
from tests.engine.workers import Gate, soon, workflow
from tests.postgres.server import schema, stores
from tests.store.asking import asked


class Refused(Exception):
    """What a handler raises for some items: its name is the error's."""


class Again(Exception):
    """What is tried again."""


class Work:
    """Echoes its item; of some items the first attempt fails, and of some every attempt."""

    def __init__(self, refuses: Callable[[int], bool] = lambda _: False) -> None:
        self.refuses = refuses
        self.calls: Counter[int] = Counter()
        self._lock = threading.Lock()

    def __call__(self, item: Any, context: Any) -> Json:
        with self._lock:
            self.calls[item] += 1
        if self.refuses(item):
            raise Refused(f"no {item}")
        if item % 7 == 3 and context.attempt == 1:
            raise Again
        return {"item": item}

    @property
    def handlers(self) -> dict[str, Handler]:
        return {"work": Handler("work", self, True)}


RETRY = [{"ErrorEquals": ["Again"], "IntervalSeconds": 0, "MaxAttempts": 2}]


def mapped(name: str = "mapped", *, then: dict[str, Any] | None = None, **more: Any) -> Workflow:
    states: dict[str, Any] = {
        "M": {
            "Type": "Map", **({"End": True} if then is None else {"Next": "Then"}),
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, "StartAt": "T",
                "States": {"T": {"Type": "Task", "Resource": "work", "End": True, "Retry": RETRY}},
            }, **more,
        }
    }  # fmt: skip
    return workflow({"StartAt": "M", "States": states if then is None else {**states, "Then": then}}, name)


EACH = workflow(
    {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "work", "End": True, "Retry": RETRY}}}, "each"
)


@contextmanager
def working(stores: list[Store], handlers: dict[str, Handler]) -> Iterator[list[Worker]]:
    """A worker over each of these, each in a thread of its own."""
    workers = [Worker(Engine(store), handlers, name=f"w{n}") for n, store in enumerate(stores)]
    threads = [threading.Thread(target=worker.run, args=(lambda: False,)) for worker in workers]
    for thread in threads:
        thread.start()
    try:
        yield workers
    finally:
        for worker in workers:
            worker.stop()
        for thread in threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in threads), "they wait for each other"
        for worker in workers:
            worker.let_go()


def numbers(count: int) -> list[Json]:
    return list(range(count))


def run_of(store: Store, parent: Execution) -> MapRun:
    (run,) = asked(store).map_runs(parent.id)
    return run


def children_of(store: Store, parent: Execution) -> list[Execution]:
    return asked(store).run_results(run_of(store, parent).id, -1, 10_000)


def shape(store: Store, parent: Execution) -> dict[str, Any]:
    """What must not depend on who does the work, and on how many."""
    current, run = now(store, parent), run_of(store, parent)
    return {
        "parent": (current.status, current.output, current.error, current.cause),
        "history": [(e.number, e.previous, e.type) for e in asked(store).history(parent.id)],
        "run": (run.status, run.join._replace(activation=0)),
        "children": [(child.status, child.output, child.error) for child in children_of(store, parent)],
    }


def calm(definition: Workflow, items: list[Json], work: Work) -> dict[str, Any]:
    """The same by one worker on SQLite."""
    store = MemoryStore()
    engine = Engine(store)
    parent = engine.start(definition, items)[0]
    with working([store], work.handlers):
        soon(lambda: now(store, parent).closed is not None)
    return shape(store, parent)


def is_sound(store: Store) -> bool:
    return database_problems(store) == [] and asked(store).ended_children(10) == []


@contextmanager
def held(store: Store, execution: Execution) -> Iterator[Transaction]:
    """Somebody is in the middle of a transaction that holds this execution."""
    with store.write(NOTHING) as tx:
        assert tx.hold([execution.id]) == {execution.id}
        yield tx


def test_while_one_worker_holds_the_parent_another_finishes_its_children(url: str) -> None:
    with stores(url, 3) as (mine, held_up, going):
        work, items = Work(), numbers(40)
        parent = Engine(mine).start(mapped(), items)[0]
        with held(held_up, parent), working([going], work.handlers):
            soon(lambda: all(child.closed for child in children_of(mine, parent)))
            assert now(mine, parent).status is Status.RUNNING
            assert len(asked(mine).ended_children(100)) == 40
        with working([going], work.handlers):
            soon(lambda: now(mine, parent).closed is not None)
        assert shape(mine, parent) == calm(mapped(), items, Work())
        assert sum(work.calls.values()) == 40 + len([item for item in range(40) if item % 7 == 3])
        assert is_sound(mine)


def test_while_a_child_is_held_the_others_and_their_parent_go_on(url: str) -> None:
    with stores(url, 3) as (mine, held_up, going):
        parent = Engine(mine).start(mapped(), [0, 1, 2])[0]
        slow = children_of(mine, parent)[1]
        with held(held_up, slow), working([going], Work().handlers):
            soon(lambda: run_of(mine, parent).join.closed == 2)
            assert now(mine, slow).status is Status.RUNNING
        with working([going], Work().handlers):
            soon(lambda: now(mine, parent).closed is not None)
        assert now(mine, parent).output == [{"item": item} for item in range(3)]


@pytest.mark.parametrize("limit", [0, 7])
def test_three_workers_on_one_map_end_as_one_does(url: str, limit: int) -> None:
    """With failures that are tolerated, and with retries."""
    definition = mapped(MaxConcurrency=limit, ToleratedFailurePercentage=20)
    items = numbers(300)

    def refuses(item: int) -> bool:
        return item % 11 == 5

    with stores(url, 4) as (mine, *theirs):
        work = Work(refuses)
        parent = Engine(mine).start(definition, items)[0]
        with working(theirs, work.handlers):
            soon(lambda: now(mine, parent).closed is not None, 60)
        assert shape(mine, parent) == calm(definition, items, Work(refuses))
        assert max(work.calls.values()) == 2
        assert is_sound(mine)


def test_a_map_that_fails_under_three_workers_is_counted_to_the_last_child(url: str) -> None:
    """What ended elsewhere while the run failed is in its counts, so a redrive runs only the rest."""
    definition = mapped(ToleratedFailureCount=3, then={"Type": "Pass", "End": True})
    refusing = threading.Event()
    refusing.set()

    def refuses(item: int) -> bool:
        return refusing.is_set() and item % 20 == 19

    with stores(url, 4) as (mine, *theirs):
        engine, work = Engine(mine), Work(refuses)
        parent = engine.start(definition, numbers(200))[0]
        with working(theirs, work.handlers):
            soon(lambda: now(mine, parent).closed is not None, 60)
            assert now(mine, parent).error == "States.ExceedToleratedFailureThreshold"
            statuses = Counter(child.status for child in children_of(mine, parent))
            join = run_of(mine, parent).join
            assert (join.succeeded, join.failed) == (statuses[Status.SUCCEEDED], statuses[Status.FAILED])
            assert join.failed > 3
            assert is_sound(mine)
            refusing.clear()
            before = work.calls.copy()
            engine.redrive(now(mine, parent))
            soon(lambda: now(mine, parent).closed is not None, 60)
        assert now(mine, parent).output == [{"item": item} for item in range(200)]
        again = (work.calls - before).total()
        assert again <= 2 * (200 - join.succeeded)
        assert is_sound(mine)


@pytest.mark.parametrize("items", [20, 1200])
def test_a_map_is_stopped_while_three_workers_are_at_it(url: str, items: int) -> None:
    with stores(url, 4) as (mine, *theirs):
        engine, work = Engine(mine), Work()
        parent = engine.start(mapped(), numbers(items))[0]
        with working(theirs, work.handlers):
            soon(lambda: work.calls.total() >= 10)
            engine.stop(now(mine, parent))
            statuses = Counter(child.status for child in children_of(mine, parent))
            assert statuses.keys() <= {Status.SUCCEEDED, Status.ABORTED}
        assert now(mine, parent).status is Status.ABORTED
        join = run_of(mine, parent).join
        assert (join.succeeded, join.failed) == (statuses[Status.SUCCEEDED], 0)
        assert Counter(child.status for child in children_of(mine, parent)) == statuses, "one went on after the stop"
        assert is_sound(mine)


def test_what_is_lost_between_a_childs_end_and_its_being_counted_is_neither_lost_nor_doubled(url: str) -> None:
    with stores(url, 3) as (mine, held_up, going):
        parent = Engine(mine).start(mapped(), numbers(30))[0]
        with held(held_up, parent), working([going], Work().handlers):
            soon(lambda: all(child.closed for child in children_of(mine, parent)))
        for after in (False, True):
            doomed = crash_points(going).at(1, after=after)
            dying = Worker(Engine(doomed), Work().handlers, name="dying")
            with crash_points(going):
                dying.run(lambda: False)
            assert (now(mine, parent).closed is not None) is after
            assert asked(mine).ended_children(100) == [] if after else len(asked(mine).ended_children(100)) == 30
        assert shape(mine, parent) == calm(mapped(), numbers(30), Work())
        assert is_sound(mine)


@pytest.fixture
def parents_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if somebody else held the parent each time when a child ends."""
    monkeypatch.setattr(PostgresTransaction, "holds_frame", lambda tx, frame: False)


@pytest.mark.usefixtures("parents_are_held")
def test_a_crash_at_any_commit_leaves_each_child_counted_once(url: str) -> None:
    definition = mapped(MaxConcurrency=3)
    items: list[Json] = [1, 2, 3, 4, 5, 6]
    handlers = {"work": lambda item: item}
    clock = FakeClock()

    def live(death: tuple[int, bool] | None) -> tuple[dict[str, Any], int]:
        clock.advance_to(clock.now() + 1_000_000)
        with stores(url, 1) as (store,):
            before = newest(store)
            if death is not None:
                doomed = crash_points(store).at(death[0], after=death[1])
                with crash_points(store):
                    Simulation(definition, handlers, clock, store=doomed).run(items)
        with stores(url, 1) as (store,):
            simulation, commits = Simulation(definition, handlers, clock, store=store), store.commits
            simulation.run(items) if newest(store) == before else simulation.resume_last()
            parent = asked(store).latest()
            assert parent is not None and parent.id != before
            assert is_sound(store)
            return shape(store, parent), store.commits - commits

    expected, commits = live(None)
    assert expected["parent"][1] == items
    assert commits > 4
    for commit in range(1, commits + 1):
        for after in (False, True):
            assert live((commit, after))[0] == expected, f"commit {commit}, {'after' if after else 'before'}"


def newest(store: Store) -> int | None:
    latest = asked(store).latest()
    return None if latest is None else latest.id


def test_a_childs_result_after_the_deadline_of_its_parent_is_late(url: str) -> None:
    with stores(url, 2) as (mine, going):
        clock, gate = FakeClock(), Gate()
        parent = Engine(mine, clock=clock).start(mapped(), [1], timeout=10)[0]
        worker = Worker(Engine(going, clock=clock), gate.handlers)
        worker.tick()
        soon(lambda: gate.calls)
        clock.advance_to(clock.now() + 11_000_000)
        gate.open.set()
        soon(lambda: worker.tick() and now(mine, parent).closed is not None)
        assert now(mine, parent).status is Status.TIMED_OUT
        assert [child.status for child in children_of(mine, parent)] == [Status.ABORTED]
        worker.let_go()


def test_three_workers_on_one_batch_end_as_one_does(url: str) -> None:
    def refuses(item: int) -> bool:
        return item % 10 == 4

    with stores(url, 4) as (mine, *theirs):
        engine, work = Engine(mine), Work(refuses)
        options = BatchOptions(concurrency=20, micro_batch=40)
        batch = engine.batch(EACH, range(200), name_prefix="b", options=options)
        with working(theirs, work.handlers):
            soon(lambda: work.calls.total() > 5)
            pause(engine, batch)
            soon(lambda: run_of(mine, batch).join.running == 0)
            resume(engine, batch)
            soon(lambda: now(mine, batch).closed is not None, 60)
        assert now(mine, batch).status is Status.SUCCEEDED
        join = run_of(mine, batch).join
        assert (join.succeeded, join.failed, join.settled_items) == (180, 20, 200)
        assert [child.name for child in children_of(mine, batch)] == [f"b-{n}" for n in range(200)]
        assert is_sound(mine)


def test_a_batch_is_cancelled_while_three_workers_are_at_it(url: str) -> None:
    with stores(url, 4) as (mine, *theirs):
        engine, work = Engine(mine), Work()
        batch = engine.batch(EACH, range(300), options=BatchOptions(concurrency=50))
        with working(theirs, work.handlers):
            soon(lambda: work.calls.total() >= 10)
            cancel(engine, batch)
            with pytest.raises(Conflict):
                pause(engine, batch)
        assert {child.status for child in children_of(mine, batch)} <= {Status.SUCCEEDED, Status.ABORTED}
        assert is_sound(mine)


def test_children_that_wait_to_be_counted_are_copied_and_counted_at_the_other_side(url: str, tmp_path: Path) -> None:
    file = f"sqlite:{tmp_path / 'copy.db'}"
    with stores(url, 3) as (mine, held_up, going):
        parent = Engine(mine).start(mapped(), numbers(20))[0]
        with held(held_up, parent), working([going], Work().handlers):
            soon(lambda: all(child.closed for child in children_of(mine, parent)))
        copy_database(url, file, now=0, snapshot=False)
    with schema() as another:
        copy_database(file, another, now=0, snapshot=False)
        for place in (file, another):
            with stores(place, 1) as (store,):
                assert len(asked(store).ended_children(100)) == 20
                with working([store], Work().handlers):
                    soon(lambda store=store: now(store, parent).closed is not None)  # type: ignore[misc]
                assert shape(store, parent) == calm(mapped(), numbers(20), Work())
                assert is_sound(store)
