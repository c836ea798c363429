"""Executions are created in one place, one by one or many in one unit of work."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

import sm_cli
from sm_cli.engine.engine import Engine
from sm_cli.engine.stepping.starting import begin
from sm_cli.engine.stepping.tick import Tick
from sm_cli.engine.workflows.new_executions import NewExecution
from sm_cli.errors import SmError
from sm_cli.store.locks import Contended
from sm_cli.store.protocol import Store
from sm_cli.store.records import Execution, Parent, Status
from sm_cli.store.sqlite.memory import MemoryStore
from tests.engine.workers import SECOND, workflow
from tests.store.asking import asked

PASS = workflow({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}})
OTHER = workflow({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}, "other")
SLOW = workflow({"StartAt": "W", "TimeoutSeconds": 60, "States": {"W": {"Type": "Wait", "Seconds": 90, "End": True}}})


def test_only_the_room_that_starts_executions_builds_a_new_row() -> None:
    package = Path(sm_cli.__file__).parent
    builders = set()
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Execution":
                builders.add(path.relative_to(package).as_posix())
    # `rows` reads what is stored; `describe` matches on the type, which is no call.
    assert builders == {"engine/stepping/starting.py", "store/sql/rows.py"}


def test_a_batch_is_begun_in_a_loop_inside_one_transaction() -> None:
    store = MemoryStore()
    engine = Engine(store)

    def work(tick: Tick) -> list[Execution]:
        version = engine.programs.version_to_start(PASS, tick.tx, tick.changes, tick.now)
        return [begin(tick, version, {"n": n}, ref=f"r{n:04}", name=f"n{n}") for n in range(300)]

    before = store.commits
    begun, _ = engine.transact(work)
    assert store.commits == before + 1
    assert [asked(store).root(e.id).input for e in begun] == [{"n": n} for n in range(300)]
    assert {asked(store).history(e.id, limit=1)[0].type for e in begun} == {"ExecutionStarted"}
    ended = [asked(store).execution(e.id) for e in begun]
    assert [(e.status, e.output) for e in ended if e] == [(Status.SUCCEEDED, {"n": n}) for n in range(300)]


def test_an_execution_that_another_one_starts_takes_its_tree_queue_priority_and_limits() -> None:
    store = MemoryStore()
    engine = Engine(store)

    def work(tick: Tick) -> tuple[Execution, Execution]:
        version = engine.programs.version_to_start(SLOW, tick.tx, tick.changes, tick.now)
        above = begin(tick, version, 1, ref="r1", name="n1", queue="slow", limits=True)
        above.priority = 7
        below = begin(tick, version, 2, ref="r2", name="n2", queue="other", starter=above, parent=Parent(9, 3))
        return above, below

    (above, below), _ = engine.transact(work)
    stored = asked(store).execution(below.id)
    assert stored is not None
    assert (stored.tree, stored.queue, stored.priority, stored.limits) == (above.id, "slow", 7, True)
    assert (stored.parent, above.parent) == (Parent(9, 3), None)


@pytest.mark.parametrize(("timeout", "seconds"), [(None, 60), (20.5, 20.5), (600, 60)])
def test_the_shorter_of_the_timeout_and_the_definition_s_holds(timeout: float | None, seconds: float) -> None:
    engine = Engine(MemoryStore())

    def work(tick: Tick) -> Execution:
        version = engine.programs.version_to_start(SLOW, tick.tx, tick.changes, tick.now)
        return begin(tick, version, None, ref="r1", name="n1", timeout=timeout)

    execution, tick = engine.transact(work)
    assert execution.deadline == tick.now + round(seconds * SECOND)


def test_several_that_are_started_together_share_a_commit_and_not_a_refusal(store: Store) -> None:
    engine = Engine(store)
    engine.start(SLOW, {"n": 0}, name="running")
    engine.start(PASS, {"n": 0}, name="over")
    wanted = [
        engine.new_execution(PASS, {"n": 1}, name="a"),
        engine.new_execution(PASS, {"n": 1}, name="over"),  # taken by one that has ended
        engine.new_execution(SLOW, {"n": 0}, name="running"),  # the running one
        engine.new_execution(SLOW, {"n": 7}, name="b", tags={"team": "blue"}),
        engine.new_execution(SLOW, {"n": 7}, name="b"),  # the one of this transaction
        engine.new_execution(SLOW, {"n": 8}, name="b"),
        engine.new_execution(OTHER, {"n": 7}, name="b"),  # of another workflow
    ]
    before = store.commits
    outcomes = engine.start_several(wanted)
    assert store.commits == before + 1
    shown = [type(each).__name__ if isinstance(each, SmError) else (each[0].name, each[1]) for each in outcomes]
    assert shown == [
        ("a", True), "Conflict", ("running", False), ("b", True), ("b", False), "Conflict", ("b", True),
    ]  # fmt: skip
    first, last = outcomes[3], outcomes[6]
    assert isinstance(first, tuple) and isinstance(last, tuple)
    assert (first[0].tags, first[0].deadline is not None) == ({"team": "blue"}, True)
    assert {e.workflow for e in (first[0], last[0])} == {"w", "other"}
    stored = asked(store).find_execution("w", "a")
    assert stored is not None and stored.status is Status.SUCCEEDED  # stepped, in the same transaction
    assert asked(store).count_by_workflow() == {
        ("w", "SUCCEEDED"): 2, ("w", "RUNNING"): 2, ("other", "SUCCEEDED"): 1,
    }  # fmt: skip


def test_several_of_a_new_text_register_it_once(store: Store) -> None:
    engine = Engine(store)
    outcomes = engine.start_several([engine.new_execution(PASS, {"n": n}) for n in range(200)])
    assert all(isinstance(each, tuple) and each[1] for each in outcomes)
    assert [version.number for version in asked(store).versions("w")] == [1]
    while asked(store).has_ready():
        engine.transact(lambda tick: tick.ready(1000, None))
    assert asked(store).count_by_workflow() == {("w", "SUCCEEDED"): 200}


def test_several_that_others_are_in_the_way_of_are_started_by_the_next_attempt(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, attempts = Engine(store), []
    start_in = NewExecution.start_in

    def contend(new: NewExecution, *arguments: Any) -> Any:
        attempts.append(new.name)
        if attempts == ["a", "b"]:
            raise Contended
        return start_in(new, *arguments)

    monkeypatch.setattr(NewExecution, "start_in", contend)
    outcomes = engine.start_several([engine.new_execution(PASS, {}, name=name) for name in ("a", "b")])
    assert attempts[:4] == ["a", "b", "a", "b"]
    assert [isinstance(each, tuple) and each[1] for each in outcomes] == [True, True]
    assert asked(store).count_by_workflow() == {("w", "SUCCEEDED"): 2}
