"""Executions that frames started: their trees, their turns, their map runs. Every store's contract."""

from __future__ import annotations

from typing import Any

from sm_cli.interpreter.frame import FrameStatus, Join
from sm_cli.store.changes import Changes
from sm_cli.store.filters import Cursor, ExecutionFilter, ExecutionPage
from sm_cli.store.protocol import Store
from sm_cli.store.records import Execution, MapRun, Parent, Status
from tests.store.asking import asked
from tests.store.samples import T0, apply, execution, frame, job, timer


def child(id: int, number: int, status: Status, *, activation: int = 3, run: int | None = 1, **more: Any) -> Execution:
    given: dict[str, Any] = {"tree": 1, "machine": "/States/M/ItemProcessor"}
    return execution(id, status=status, parent=Parent(10, activation, number, 2, run), **(given | more))


def run(id: int = 1, **more: Any) -> MapRun:
    given: dict[str, Any] = {
        "ref": f"run-{id}", "execution": 1, "frame": 10, "activation": 3, "state": "M", "workflow": "order/M",
        "type": "STANDARD", "status": Status.RUNNING, "started": T0, "join": Join(9, 2, activation=3),
    }  # fmt: skip
    return MapRun(id, **(given | more))


def test_an_execution_keeps_who_started_it_and_its_tree(store: Store) -> None:
    first = child(2, 5, Status.PENDING, limits=True, input={"n": 1})
    apply(store, new_executions=[execution(1), first])
    assert asked(store).execution(2) == first
    assert asked(store).execution(1) == execution(1, tree=1)
    with store.write() as tx:
        begun = tx.executions([2])[2]
        begun.status, begun.started = Status.RUNNING, T0 + 99
        tx.apply(Changes(executions={2: begun}))
    assert asked(store).execution(2) == child(2, 5, Status.RUNNING, limits=True, input={"n": 1}, started=T0 + 99)


def test_children_are_found_by_their_parent_and_what_they_are(store: Store) -> None:
    apply(
        store,
        new_executions=[
            execution(1), child(2, 3, Status.PENDING), child(3, 1, Status.PENDING), child(4, 2, Status.RUNNING),
            child(5, 0, Status.SUCCEEDED, output="a"), child(6, 4, Status.SUCCEEDED, output=None),
            child(7, 5, Status.FAILED), child(8, 6, Status.ABORTED), child(9, 7, Status.PENDING, activation=4),
            execution(10, parent=Parent(11, 3)),
        ],
    )  # fmt: skip
    with store.write() as tx:
        assert [e.id for e in tx.pending_executions(10, 3, 0, 9)] == [3, 2]
        assert [e.id for e in tx.pending_executions(10, 3, 2, 9)] == [2]
        assert [e.id for e in tx.pending_executions(10, 3, 0, 1)] == [3]
        assert [e.id for e in tx.open_executions(10)] == [3, 4, 2, 9]
        assert [e.id for e in tx.failed_executions(10, 3)] == [7, 8]
        assert tx.executions_outputs(10, 3) == [(0, "a"), (4, None)]
        assert tx.open_executions(99) == []
    assert [e.id for e in asked(store).open_executions(11)] == [10]
    assert [e.id for e in asked(store).run_results(1, -1, 3)] == [5, 3, 4]
    assert [(e.id, e.input) for e in asked(store).run_results(1, 5, 3)] == [(8, {"n": 8}), (9, {"n": 9})]


def test_a_list_shows_no_children_of_map_runs_unless_it_is_asked_for_those_of_one(store: Store) -> None:
    nested = execution(5, parent=Parent(3, 1), tree=1)
    others = [child(2, 0, Status.RUNNING), child(3, 1, Status.FAILED), child(4, 0, Status.RUNNING, run=2)]
    apply(store, new_executions=[execution(1), *others, nested])

    def listed(limit: int = 50, after: Cursor | None = None, **wanted: Any) -> list[int]:
        return [
            e.id for e in asked(store).list_executions(ExecutionFilter(**wanted), ExecutionPage(limit, after=after))
        ]

    assert listed() == [5, 1]
    assert listed(statuses=(Status.RUNNING,)) == [5, 1]
    assert listed(workflow="order", limit=1) == [5]
    assert listed(statuses=(Status.FAILED,)) == []
    assert listed(run=1) == [3, 2]
    assert listed(run=1, statuses=(Status.FAILED,)) == [3]
    assert listed(run=1, after=(1, 3)) == [2]
    assert listed(run=9) == []


def test_who_works_for_one_execution_works_for_those_below_it(store: Store) -> None:
    below = child(2, 0, Status.RUNNING, deadline=T0 + 5)
    apply(
        store,
        new_executions=[execution(1), below, execution(3, deadline=T0 + 1)],
        new_frames=[frame(1), frame(2, execution=2), frame(3, execution=3)],
        new_jobs=[job(2, 2, 2), job(3, 3, 3)],
        timers=[timer(2, T0 + 7, execution=2), timer(3, T0 + 2, execution=3)],
    )
    with store.write() as tx:
        assert [f.id for f in tx.ready_frames(9, 1)] == [1, 2]
        assert [f.id for f in tx.ready_frames(9, 2)] == []
        assert [j.id for j in tx.claimable(T0 + 9, 9, tree=1)] == [2]
        assert [t.frame for t in tx.due_timers(T0 + 9, 9, 1)] == [2]
        assert [e.id for e in tx.overdue(T0 + 9, 9, 1)] == [2]
        assert [e.id for e in tx.overdue(T0 + 9, 9)] == [3, 2]
    assert (asked(store).next_due(1), asked(store).next_due(3)) == (T0 + 5, T0 + 1)
    assert asked(store).has_ready(1)
    assert asked(store).has_free(T0 + 9, frozenset({"echo"}), tree=1)
    assert [j.id for j in asked(store).jobs_of(1)] == []


def test_a_map_run_has_the_counts_of_its_frame_while_it_is_open(store: Store) -> None:
    now = Join(9, 2, activation=3, started=4, succeeded=3)
    apply(store, new_executions=[execution(1)], new_frames=[frame(10, join=now)], new_map_runs=[run()])
    assert asked(store).map_runs(1) == [run(join=now)]
    assert asked(store).find_map_run("run-1") == [run(join=now)]
    last = Join(9, 2, activation=3, started=9, succeeded=9)
    closed = run(status=Status.SUCCEEDED, closed=T0 + 9, join=last, redrives=1)
    apply(store, map_runs=[closed], frames=[frame(10, join=None)])
    assert asked(store).map_runs() == [closed]
    with store.write() as tx:
        assert tx.map_run(10, 3) == closed
        assert tx.map_run(10, 4) is None


def test_map_runs_are_listed_newest_first_and_found_by_the_beginning_of_their_names(store: Store) -> None:
    runs = [run(n, frame=n, ref=f"R{n}" if n < 3 else "S1", execution=n % 2) for n in range(1, 4)]
    apply(store, new_map_runs=runs)
    assert [r.id for r in asked(store).map_runs()] == [3, 2, 1]
    assert [r.id for r in asked(store).map_runs(limit=2)] == [3, 2]
    assert [r.id for r in asked(store).map_runs(1)] == [3, 1]
    assert [r.id for r in asked(store).find_map_run("R")] == [1, 2]
    assert [r.id for r in asked(store).find_map_run("R2")] == [2]
    assert asked(store).find_map_run("T") == []


def test_root_frames_are_found_whatever_became_of_them(store: Store) -> None:
    closed = FrameStatus.SUCCEEDED
    below = frame(3, execution=1, parent=1, activation=1, index=0, status=closed)
    apply(store, new_frames=[frame(1), frame(2, execution=2, status=closed), below])
    with store.write() as tx:
        assert sorted(f.id for f in tx.roots([1, 2])) == [1, 2]
        assert tx.roots([]) == []
