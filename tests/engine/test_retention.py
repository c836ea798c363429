"""Retention: what goes, what stays, and that a crash in the middle loses nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sm_cli.asl.text.source import parse
from sm_cli.engine.engine import Engine, prepare
from sm_cli.engine.retention import CLOSED, Portion, Pruned, count_prunable, delete_execution, delete_leftovers, prune
from sm_cli.errors import Conflict, NotFound, TaskError
from sm_cli.handlers.handler import Handler
from sm_cli.jsonvalue import Json
from sm_cli.store.filters import ExecutionFilter
from sm_cli.store.protocol import Store
from sm_cli.store.records import Execution, Status
from sm_cli.store.sqlite.database import SqliteStore
from sm_cli.testing import FakeClock, Simulation
from sm_cli.testing.crash import Crash, crash_points
from sm_cli.views.upkeep import database_problems
from sm_cli.worker.retaining import retaining, sweep
from sm_cli.worker.worker import Worker
from tests.engine.workers import soon
from tests.store.asking import asked

SECOND = 1_000_000
#: Kept once, whoever refers to it.
LARGE: dict[str, Json] = {"text": "x" * 9000}
ORDER = """
StartAt: Work
States:
  Work: {Type: Task, Resource: work, ResultPath: $.done, Next: Both}
  Both:
    Type: Parallel
    Branches:
      - {StartAt: Left, States: {Left: {Type: Pass, End: true}}}
      - {StartAt: Right, States: {Right: {Type: Pass, End: true}}}
    End: true
"""
EACH = """  Each:
    Type: Map
    ItemsPath: $.items
    ItemProcessor:
      ProcessorConfig: {Mode: DISTRIBUTED, ExecutionType: STANDARD}
      StartAt: Work
      States: {Work: {Type: Task, Resource: work, End: true}}
    End: true
"""
BATCH = f"StartAt: Each\nStates:\n{EACH}"
WAITS = """
StartAt: W
States: {W: {Type: Message, CorrelationKey: k, CorrelationValue: 1, TimeoutSeconds: 9000000, End: true}}
"""
PARENT = """
StartAt: First
States:
  First:
    Type: Task
    Resource: arn:aws:states:::states:startExecution.sync
    Parameters: {StateMachineArn: order, Input: {n: 1}}
    ResultPath: null
    Next: Then
  Then: {Type: Message, CorrelationKey: k, CorrelationValue: 2, End: true}
"""


def work(given: Any) -> Any:
    if isinstance(given, dict) and given.get("fail"):
        raise TaskError("Broken", "it is")
    return {"given": given, "own": "y" * 5000}


class Shop:
    """A database with executions of four workflows, and a clock that is moved by hand."""

    def __init__(self, path: Path) -> None:
        self.store = SqliteStore(path, sync="normal")
        self.clock = FakeClock()
        self.engine = Engine(self.store, clock=self.clock)

    def start(self, text: str, input: Any, name: str, workflow: str = "order") -> Execution:
        document = parse(text).document
        assert document is not None
        sim = Simulation(
            prepare(document, workflow), {"work": work}, self.clock, store=self.store, workflows={"order": ORDER}
        )
        found, _, jobs = sim.engine.start(sim.workflow, input, name=name, taker=sim.taker())
        sim.todo.extend(jobs)
        while sim.todo or sim.ready() or (sim.coming and sim.coming[0][0] <= self.clock.now()):
            sim.move()
        return self.engine.find(found.ref)

    def names(self) -> set[str]:
        return {execution.name for execution in asked(self.store).list_executions(ExecutionFilter())}

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """What is left, but for the numbers that were given out."""
        with self.store.read() as questions:
            connection = questions.session.connection
            tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
            return {t: sorted(connection.execute(f"SELECT * FROM {t}"), key=repr) for t in tables if t != "ids"}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = fill(tmp_path / "sm.db")
    yield made
    made.store.close()


def fill(path: Path) -> Shop:
    """Old: `ok` and `bad` and `batch` of five children. A day later: `new`, and `waits`, which runs."""
    shop = Shop(path)
    assert shop.start(WAITS, LARGE, "waits", "waits").status is Status.RUNNING
    assert shop.start(ORDER, LARGE, "ok").status is Status.SUCCEEDED
    assert shop.start(ORDER, {"fail": True, **LARGE}, "bad").status is Status.FAILED
    items = [{"n": n, **LARGE} for n in range(5)]
    assert shop.start(BATCH, {"items": items}, "batch", "batch").status is Status.SUCCEEDED
    shop.engine.publish("k", 9, LARGE, ttl=900_000)
    shop.clock.advance_to(shop.clock.now() + 86_400 * SECOND)
    assert shop.start(ORDER, LARGE, "new").status is Status.SUCCEEDED
    assert database_problems(shop.store) == []
    return shop


def a_while_ago(shop: Shop) -> int:
    return shop.clock.now() - 3600 * SECOND


def test_what_is_old_and_closed_goes_with_all_that_is_its_own(shop: Shop) -> None:
    before = a_while_ago(shop)
    counted = count_prunable(shop.store, before)
    assert (counted.executions, counted.children) == (3, 5)
    assert prune(shop.store, before) == counted
    assert shop.names() == {"new", "waits"}
    assert database_problems(shop.store) == []
    rows = shop.rows()
    left = {row[0] for row in rows["executions"]}
    assert len(left) == 2
    assert {row[0] for row in rows["execution_data"]} == {row[1] for row in rows["frames"]} == left
    assert {row[1] for row in rows["history"]} == left
    assert rows["map_runs"] == []
    assert count_prunable(shop.store, before) == prune(shop.store, before) == Pruned()


def test_a_worker_deletes_a_little_at_a_time(shop: Shop) -> None:
    over = threading.Event()
    commits = shop.store.commits
    total = sweep(shop.engine, 3600 * SECOND, over)
    assert (total.executions, total.children) == (3, 5)
    assert shop.store.commits - commits > 3
    assert shop.names() == {"new", "waits"}
    assert sweep(shop.engine, 3600 * SECOND, over) == Pruned()
    assert database_problems(shop.store) == []


def test_a_worker_that_ends_leaves_the_rest(shop: Shop) -> None:
    over = threading.Event()
    over.set()
    assert sweep(shop.engine, 3600 * SECOND, over).children == 0
    assert database_problems(shop.store) == []
    with retaining(shop.engine, 3600 * SECOND):
        soon(lambda: shop.names() == {"new", "waits"})
    assert database_problems(shop.store) == []


def test_only_one_workflow_is_pruned(shop: Shop) -> None:
    before = a_while_ago(shop)
    assert count_prunable(shop.store, before, workflow="batch") == prune(shop.store, before, workflow="batch")
    assert shop.names() == {"ok", "bad", "new", "waits"}
    assert database_problems(shop.store) == []


def test_one_execution_is_deleted_by_itself(shop: Shop) -> None:
    batch = shop.engine.find("batch")
    with shop.store.read() as questions:
        (run,) = questions.map_runs(batch.id)
        child = questions.list_executions(ExecutionFilter(run=run.id))[0]
    with pytest.raises(Conflict, match="child of a map run"):
        delete_execution(shop.store, child)
    total = delete_execution(shop.store, batch)
    assert (total.executions, total.children) == (1, 5)
    with pytest.raises(NotFound, match="not there any more"):
        delete_execution(shop.store, batch)
    with pytest.raises(Conflict, match="is RUNNING"):
        delete_execution(shop.store, shop.engine.find("waits"))
    assert shop.names() == {"ok", "bad", "new", "waits"}
    assert database_problems(shop.store) == []


def test_who_does_something_with_an_execution_that_was_deleted_meanwhile_is_told(shop: Shop) -> None:
    bad, engine = shop.engine.find("bad"), shop.engine
    delete_execution(shop.store, bad)
    for act in (engine.redrive, engine.stop, lambda gone: engine.publish("k", 9, execution=gone)):
        with pytest.raises(NotFound, match="not there any more"):
            act(bad)
    assert database_problems(shop.store) == []


def test_no_table_keeps_anything_of_an_execution_that_went(shop: Shop) -> None:
    prune(shop.store, a_while_ago(shop))
    with shop.store.read() as questions:
        connection = questions.session.connection
        for (table,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
            columns = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
            if "execution" in columns:
                strays = f"SELECT count(*) FROM {table} WHERE execution NOT IN (SELECT id FROM executions)"
                assert connection.execute(strays).fetchone() == (0,), table


def test_large_values_that_others_refer_to_stay(shop: Shop) -> None:
    prune(shop.store, a_while_ago(shop))
    waits = asked(shop.store).find("waits")[0]
    assert waits.input == LARGE
    assert asked(shop.store).find("new")[0].input == LARGE
    assert len(shop.rows()["blobs"]) < 6
    shop.clock.advance_to(shop.clock.now() + 86_400 * SECOND)
    prune(shop.store, a_while_ago(shop))
    assert shop.names() == {"waits"}
    assert asked(shop.store).find("waits")[0].input == LARGE
    shop.engine.stop(waits)
    with shop.store.write() as tx:
        for (id,) in tx.session.connection.execute("SELECT id FROM messages").fetchall():
            tx.session.connection.execute("UPDATE messages SET expires = 1, forgotten = 1 WHERE id = ?", (id,))
    shop.clock.advance_to(shop.clock.now() + 86_400 * SECOND)
    prune(shop.store, a_while_ago(shop))
    assert shop.names() == set()
    assert database_problems(shop.store) == []


def test_only_those_of_the_statuses_that_are_named_go(shop: Shop) -> None:
    assert prune(shop.store, a_while_ago(shop), (Status.FAILED,)).executions == 1
    assert shop.names() == {"ok", "batch", "new", "waits"}


def test_a_dry_count_changes_nothing(shop: Shop) -> None:
    before = shop.rows()
    count_prunable(shop.store, a_while_ago(shop))
    assert shop.rows() == before


def test_what_a_running_parent_refers_to_stays(shop: Shop) -> None:
    parent = shop.start(PARENT, {}, "parent", "parent")
    assert parent.status is Status.RUNNING
    shop.clock.advance_to(shop.clock.now() + 86_400 * SECOND)
    children = shop.names()
    prune(shop.store, a_while_ago(shop))
    left = shop.names()
    assert {"parent", "waits"} < left
    (child,) = left - {"parent", "waits"}
    assert child in children
    assert asked(shop.store).find(child)[0].status is Status.SUCCEEDED
    shop.engine.publish("k", 2)
    shop.clock.advance_to(shop.clock.now() + 86_400 * SECOND)
    prune(shop.store, a_while_ago(shop))
    assert shop.names() == {"waits"}


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_at_any_commit_loses_nothing_and_the_next_call_goes_on(tmp_path: Path, after: bool) -> None:
    calm = fill(tmp_path / "calm.db")
    prune(calm.store, a_while_ago(calm))
    wanted = {table: len(rows) for table, rows in calm.rows().items()}
    calm.store.close()
    commits = 0
    for commit in range(1, 40):
        shop = fill(tmp_path / f"{commit}.db")
        doomed: Store
        with crash_points(shop.store) as crashes:
            doomed = crashes.at(commit, after=after)
            died = dies(doomed, a_while_ago(shop))
        assert {"new", "waits"} <= shop.names()
        assert database_problems(shop.store) == []
        assert asked(shop.store).find("new")[0].input == LARGE
        prune(shop.store, a_while_ago(shop))
        assert {table: len(rows) for table, rows in shop.rows().items()} == wanted
        assert database_problems(shop.store) == []
        shop.store.close()
        if not died:
            break
        commits += 1
    assert commits == 9  # three executions, five children, their run


#: It waits for a message, then runs a map.
GRAND = f"""
StartAt: Wait
States:
  Wait: {{Type: Message, CorrelationKey: k, CorrelationValue: 7, ResultPath: $.message, Next: Each}}
{EACH}    ResultPath: $.done
"""


def fill_grand(path: Path) -> Shop:
    """As `fill`, with one that has all that an execution can have."""
    shop = fill(path)
    items: list[Json] = [{"n": n, **LARGE} for n in range(3)]
    grand = shop.start(GRAND, {"items": items, **LARGE}, "grand", "grand")
    shop.engine.publish("k", 7, LARGE)
    worker = Worker(shop.engine, {"work": Handler("work", work)})
    soon(lambda: not worker.tick() and shop.engine.find(grand.ref).closed)
    worker.let_go()
    assert shop.engine.find(grand.ref).status is Status.SUCCEEDED
    return shop


@pytest.mark.parametrize("after", [False, True])
def test_a_deletion_that_is_killed_at_any_commit_leaves_all_or_nothing_and_is_repeated(
    tmp_path: Path, after: bool
) -> None:
    commits, died = 0, True
    while died:
        assert commits < 20
        shop = fill_grand(tmp_path / f"{commits}.db")
        with closing(shop.store):
            with crash_points(shop.store) as crashes:
                died = deletion_dies(crashes.at(commits + 1, after=after), shop.engine.find("grand"))
            check_deletion(shop.store)
            repeat_deletion(shop.store, shop.engine)
        commits += died
    assert commits >= 4  # the execution, its children, the map run, its past wait


def deletion_dies(store: Store, execution: Execution) -> bool:
    try:
        delete_execution(store, execution)
    except Crash:
        return True
    return False


def check_deletion(store: Store) -> None:
    """All of the execution is there, or nothing but what is known to be left over."""
    assert database_problems(store) == []
    with store.read() as questions:
        found = questions.find("grand")
        if found:
            (grand,) = found
            assert grand.status is Status.SUCCEEDED
            assert grand.input is not None
            (run,) = questions.map_runs(grand.id)
            children = questions.list_executions(ExecutionFilter(run=run.id))
            assert [child.status for child in children] == [Status.SUCCEEDED] * 3
            assert len(questions.history(grand.id)) == grand.events
        else:
            assert questions.list_executions(ExecutionFilter(workflow="grand")) == []


def repeat_deletion(store: Store, engine: Engine) -> None:
    """As `sm delete` does, whatever the one before has left."""
    try:
        delete_execution(store, engine.find("grand"))
    except NotFound:
        delete_leftovers(store)
    with pytest.raises(NotFound):
        engine.find("grand")
    assert database_problems(store) == []
    with store.read() as questions:
        assert questions.orphan_runs(0, 10) == []
        assert questions.strays(10) == ([], [])
        assert {each.name for each in questions.list_executions(ExecutionFilter())} >= {"ok", "bad", "batch", "waits"}


def dies(store: Store, before: int) -> bool:
    try:
        prune(store, before, CLOSED, portion=Portion(executions=1))
    except Crash:
        return True
    return False


def test_what_goes_on_is_not_disturbed(shop: Shop) -> None:
    prune(shop.store, a_while_ago(shop))
    shop.engine.publish("k", 1, {"it": "came"})
    assert shop.engine.find("waits").status is Status.SUCCEEDED
    assert shop.start(ORDER, {}, "ok").status is Status.SUCCEEDED  # the name is free again
    assert database_problems(shop.store) == []
