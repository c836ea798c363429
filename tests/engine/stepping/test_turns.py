"""A tick is bounded in time and bytes, and executions take turns: nobody is late because another one is slow."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.engine.agenda import Agenda, Shares
from sm_cli.engine.settings import Settings
from sm_cli.engine.stepping import tick as ticks
from sm_cli.handlers.handler import Handler
from sm_cli.interpreter.advance import advance
from sm_cli.interpreter.events import Entered
from sm_cli.interpreter.step import Step
from sm_cli.jsonvalue import Json
from sm_cli.store.changes import Changes
from sm_cli.store.records import Status
from sm_cli.store.sql.session import Session
from sm_cli.store.sql.transaction import Transaction
from tests.engine.workers import SECOND, Gate, Yard, one_task, soon, workflow, yard
from tests.store.asking import asked

SLOW = SECOND // 2


def mapped(items: int, first: dict[str, Any] | None = None) -> Any:
    inner = {"StartAt": "Slow", "States": {"Slow": {"Type": "Pass", "End": True}}}
    states = {"M": {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": inner, "End": True}}
    if first is None:
        return workflow({"StartAt": "M", "States": states}, "greedy")
    return workflow({"StartAt": "W", "States": {"W": {**first, "Next": "M"}, **states}}, "greedy")


def waiting_task(name: str, **more: Any) -> Any:
    task = {"Type": "Task", "Resource": "work", "End": True, **more}
    return workflow({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1, "Next": "T"}, "T": task}}, name)


def slowly(monkeypatch: pytest.MonkeyPatch, here: Yard, state: str = "Slow") -> None:
    """Stepping a frame in this state takes half a second."""

    def slow(program: Any, frame: Any, event: Any, env: Any) -> Step:
        if frame.state == state:
            here.clock.advance_to(here.clock.now() + SLOW)
        return advance(program, frame, event, env)

    monkeypatch.setattr(ticks, "advance", slow)


def test_a_slow_map_leaves_the_tasks_beside_it_on_time(monkeypatch: pytest.MonkeyPatch) -> None:
    with yard() as here:
        slowly(monkeypatch, here)
        greedy = here.start(mapped(40, {"Type": "Wait", "Seconds": 1}), {"items": list(range(40))})
        beside = [
            here.start(waiting_task("a", TimeoutSeconds=10)),
            here.start(waiting_task("b", HeartbeatSeconds=10)),
        ]
        gate: Gate = here.gate()
        loop = here.worker(gate.handlers)
        here.later(1)
        begun = here.clock.now()
        while any(here.now(e).closed is None for e in beside):
            loop.tick()
            if len(gate.calls) == 2 and here.clock.now() - begun >= SECOND and not gate.open.is_set():
                gate.open.set()
                soon(lambda: loop.pool.free == loop.pool.size)  # both results are there
            assert here.clock.now() - begun < 60 * SECOND
            here.later(0.01)
        assert [here.now(e).status for e in beside] == [Status.SUCCEEDED, Status.SUCCEEDED]
        assert here.now(greedy).status is Status.RUNNING
        while loop.tick():
            pass
        assert here.now(greedy).status is Status.SUCCEEDED


def test_a_tick_steps_one_slow_frame_and_leaves_the_others_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    with yard() as here:
        slowly(monkeypatch, here)
        loop = here.worker({})
        begun = here.clock.now()
        greedy = here.start(mapped(5), {"items": [1, 2, 3, 4, 5]})
        rounds = 0
        while here.now(greedy).closed is None:
            before = here.clock.now()
            assert loop.tick()
            rounds += 1
            assert here.clock.now() - before <= SLOW
        assert here.clock.now() - begun == 5 * SLOW and rounds >= 4


def test_states_in_a_row_are_bounded_in_bytes() -> None:
    made: dict[str, Any] = {"Type": "Pass", "ResultPath": "$.n"}
    states: dict[str, Any] = {f"P{i}": {**made, "Result": i, "Next": f"P{i + 1}"} for i in range(60)}
    states["P60"] = {"Type": "Succeed"}
    large = "x" * (1 << 20)
    with yard() as here:
        here.engine.settings.tick_time = 10**12  # however slow this machine is
        execution = here.start(workflow({"StartAt": "P0", "States": states}), {"large": large})
        loop = here.worker({})
        written, rounds = len(here.history(execution)), 1
        while here.now(execution).closed is None:
            assert loop.tick()
            now = len(here.history(execution))
            assert now - written <= 12, "some 5 MB in one transaction"
            written, rounds = now, rounds + 1
        assert rounds >= 10 and here.now(execution).output == {"large": large, "n": 59}


def test_a_payload_that_states_hand_on_does_not_end_a_tick() -> None:
    states: dict[str, Any] = {f"P{i}": {"Type": "Pass", "Next": f"P{i + 1}"} for i in range(60)}
    states["P60"] = {"Type": "Succeed"}
    with yard() as here:
        here.engine.settings.tick_time = 10**12
        large: Json = {"large": "x" * (6 << 20)}
        execution = here.start(workflow({"StartAt": "P0", "States": states}), large)
        assert here.now(execution).output == large  # it is stored once, and events refer to it


BIG = 1 << 20


def greedy(kind: str) -> Any:
    """Thirty times a megabyte is made after a second; of the last two kinds hardly anything stands in a history."""
    if kind == "states":
        states: dict[str, Any] = {
            f"P{i}": {"Type": "Pass", "Result": i, "ResultPath": "$.n", "Next": f"P{i + 1}"} for i in range(30)
        }
        after: dict[str, Any] = {**states, "P30": {"Type": "Succeed"}}
        return workflow({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1, "Next": "P0"}, **after}}, "g")
    both = {"n.$": "$$.Map.Item.Value", "large.$": "$.large"}
    made = {"Type": "Pass", "Parameters": {"n.$": "$.n", "more.$": "States.Format('{}{}', $.large, $.n)"}, "End": True}
    inner: dict[str, Any] = {"StartAt": "P", "States": {"P": made}}
    if kind == "express children":
        inner["ProcessorConfig"] = {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}
    mapped = {
        "Type": "Map", "ItemsPath": "$.items", "ItemSelector": both, "ItemProcessor": inner, "ResultPath": None,
        "End": True,
    }  # fmt: skip
    return workflow({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1, "Next": "M"}, "M": mapped}}, "g")


@pytest.mark.parametrize("kind", ["states", "iterations", "express children"])
def test_a_tick_ends_after_some_megabytes_whatever_rows_they_are_for(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    written: list[int] = []
    insert = Session.insert_blob

    def counted(session: Session, id: int, body: bytes) -> None:
        written[-1] += len(body)
        insert(session, id, body)

    with yard() as here:
        here.engine.settings.tick_time = 10**12  # only bytes bound a tick
        loop = here.worker({})
        large = here.start(greedy(kind), {"n": 0, "items": list(range(30)), "large": "x" * BIG})
        beside = {"W": {"Type": "Wait", "Seconds": 1, "Next": "P"}, "P": {"Type": "Pass", "End": True}}
        modest = [here.start(workflow({"StartAt": "W", "States": beside}, "modest")) for _ in range(5)]
        monkeypatch.setattr(Session, "insert_blob", counted)
        here.later(1.5)
        late = 0
        while here.now(large).closed is None:
            written.append(0)
            assert loop.tick()
            late += any(here.now(execution).closed is None for execution in modest)
        assert here.now(large).status is Status.SUCCEEDED
    assert len(written) >= 6
    # One fork may exceed it: what it makes for its children.
    assert sum(size > 6 * BIG for size in written) <= (kind != "states")
    assert late <= 2


def test_states_in_a_row_are_bounded_in_time() -> None:
    states: dict[str, Any] = {f"P{i}": {"Type": "Pass", "Next": f"P{i + 1}"} for i in range(20)}
    states["P20"] = {"Type": "Succeed"}
    with yard() as here:
        monotonic = here.clock.monotonic
        calls = iter(range(10**9))
        here.clock.monotonic = lambda: monotonic() + next(calls) * 20_000  # type: ignore[method-assign]
        execution = here.start(workflow({"StartAt": "P0", "States": states}))
        assert here.now(execution).status is Status.RUNNING
        loop = here.worker({})
        rounds = 0
        while here.now(execution).closed is None:
            assert loop.tick()
            rounds += 1
        assert rounds >= 5
        assert here.now(execution).status is Status.SUCCEEDED


def test_results_that_a_tick_has_no_time_for_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    after = {
        "StartAt": "T",
        "States": {"T": {"Type": "Task", "Resource": "work", "Next": "Slow"}, "Slow": {"Type": "Pass", "End": True}},
    }
    with yard() as here:
        slowly(monkeypatch, here, "T")
        executions = [here.start(workflow(after, f"w{i}")) for i in range(4)]
        loop = here.worker({"work": Handler("work", lambda input: input)})
        loop.tick()
        while any(here.now(e).closed is None for e in executions):
            soon(
                lambda: (
                    asked(here.store).has_ready() or bool(loop._results_to_deliver) or loop._bell.wait_for_ring(0.01)
                )
            )
            before = here.clock.now()
            loop.tick()
            assert here.clock.now() - before <= SLOW
        assert {here.now(e).status for e in executions} == {Status.SUCCEEDED}
        assert loop.jobs == {}


def test_a_message_for_many_slow_waits_wakes_the_rest_later(monkeypatch: pytest.MonkeyPatch) -> None:
    wait = {
        "Type": "Message",
        "CorrelationKey": "k",
        "CorrelationValue": "v",
        "TimeoutSeconds": 60,
        "TimeoutPath": "Late",
    }
    states = {"Slow": {**wait, "Next": "End"}, "Late": {"Type": "Fail"}, "End": {"Type": "Succeed"}}
    with yard() as here:
        executions = [here.start(workflow({"StartAt": "Slow", "States": states})) for _ in range(6)]
        slowly(monkeypatch, here)
        before = here.clock.now()
        sent = here.engine.publish("k", "v", 1)
        assert here.clock.now() - before == SLOW
        assert len(sent.executions) == 6
        loop = here.worker({})
        while loop.tick():
            pass
        assert {here.now(e).status for e in executions} == {Status.SUCCEEDED}


def test_more_ready_frames_than_a_tick_reads_hide_nobody() -> None:
    with yard() as here:
        settings: Settings = here.engine.settings
        settings.chunk = 0
        many = here.start(mapped(30), {"items": list(range(30))})
        few = here.start(mapped(1), {"items": [1]})
        here.engine.transact(lambda tick: tick.due(limit=4))
        assert here.now(few).status is Status.SUCCEEDED
        assert here.now(many).status is Status.RUNNING


def test_more_due_timers_than_a_tick_reads_hide_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    inner = {"StartAt": "Slow", "States": {"Slow": {"Type": "Wait", "Seconds": 1, "End": True}}}
    many = {"StartAt": "M", "States": {"M": {"Type": "Map", "ItemProcessor": inner, "End": True}}}
    one = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 2, "End": True}}}
    with yard() as here:
        here.start(workflow(many, "greedy"), list(range(30)))
        modest = here.start(workflow(one, "modest"))
        slowly(monkeypatch, here)
        here.later(3)
        for _ in range(12):
            here.engine.transact(lambda tick: tick.due(limit=4))
        assert here.now(modest).status is Status.SUCCEEDED
        assert asked(here.store).next_due() is not None, "the slow one is not through yet"


def test_who_has_had_less_goes_first() -> None:
    shares = Shares()
    agenda = Agenda(shares)
    for tree in (1, 2):
        agenda.offer(tree, tree, Entered(0))
        agenda.offer(tree, tree, Entered(1))
    entry = agenda.next()
    assert entry is not None and entry[0] == 1
    agenda.charge(5000)
    agenda.close()
    agenda.settle()
    agenda = Agenda(shares)
    order = []
    for tree in (1, 2, 3):
        agenda.offer(tree, tree, Entered(0))
    while (entry := agenda.next()) is not None:
        order.append(entry[0])
    assert order[-1] == 1


def test_what_is_read_ahead_is_what_has_its_turn_next() -> None:
    shares = Shares()
    shares.stepping_times = {1: 40, 2: 10, 3: 30}
    agenda = Agenda(shares)
    for tree, frame in ((1, 11), (2, 21), (3, 31), (2, 22), (1, 12)):
        agenda.offer(tree, frame, Entered(0))
    expected = [frame for frame, _, _ in agenda.upcoming()]
    done = []
    while (entry := agenda.next()) is not None:
        done.append(entry[0])
        assert [frame for frame, _, _ in agenda.upcoming()] == expected[len(done) :]
    assert done == expected == [21, 22, 31, 11, 12]


def test_what_nobody_keeps_is_done_after_the_tick_has_had_its_time() -> None:
    agenda = Agenda(Shares())
    keeper = object()
    agenda.append((1, Entered(0)))
    agenda.wake(2, Entered(0))
    agenda.offer(7, 3, Entered(0), keeper)
    agenda.close()
    agenda.append((4, Entered(0)))
    agenda.wake(5, Entered(0))
    done = []
    while (entry := agenda.next()) is not None:
        done.append(entry[0])
    assert done == [1, 4] and agenda.keepers == [keeper]


def test_seconds_of_a_task_count_from_the_commit_that_lets_it_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """The steps beside it in the same transaction took two seconds."""
    with yard() as here:
        slowly(monkeypatch, here, "W")
        here.engine.settings.tick_time = 60 * SECOND
        executions = [here.start(waiting_task(f"t{i}", TimeoutSeconds=10, HeartbeatSeconds=5)) for i in range(4)]
        gate = here.gate()
        loop = here.worker(gate.handlers)
        here.later(1)
        loop.tick()
        now = here.clock.now()
        for execution in executions:
            assert sorted(timer.due - now for timer in asked(here.store).timers_of(execution.id)) == [
                5 * SECOND,
                10 * SECOND,
            ]
            assert here.job(execution).leased_until == now + here.engine.settings.lease


def test_a_commit_that_takes_long_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    with yard() as here:
        execution = here.start(one_task(TimeoutSeconds=10, HeartbeatSeconds=5))
        gate = here.gate()
        loop = here.worker(gate.handlers)
        slow = [8]
        apply = Transaction.finish

        def finish(tx: Transaction) -> None:
            here.later(slow.pop() if slow else 0)
            apply(tx)

        monkeypatch.setattr(Transaction, "finish", finish)
        loop.tick()
        now = here.clock.now()
        assert not slow
        assert sorted(timer.due - now for timer in asked(here.store).timers_of(execution.id)) == [
            5 * SECOND,
            10 * SECOND,
        ]
        assert here.job(execution).leased_until == now + here.engine.settings.lease
        soon(lambda: len(gate.calls) == 1)


def test_a_job_that_was_lost_while_its_commit_lasted_is_not_started(monkeypatch: pytest.MonkeyPatch) -> None:
    with yard() as here:
        execution = here.start(one_task())
        gate = here.gate()
        loop = here.worker(gate.handlers)
        begin_again = loop.engine._begin_again

        def lost(taker: Any) -> None:
            job = here.job(execution)
            job.worker = "another"
            with here.store.write() as tx:
                tx.apply(Changes(leased_jobs=[job]))
            begin_again(taker)

        monkeypatch.setattr(loop.engine, "_begin_again", lost)
        slow = [30]
        apply = Transaction.finish

        def finish(tx: Transaction) -> None:
            here.later(slow.pop() if slow else 0)
            apply(tx)

        monkeypatch.setattr(Transaction, "finish", finish)
        loop.tick()
        assert loop.jobs == {} and here.job(execution).worker == "another"


def test_a_heartbeat_that_arrives_with_its_timer_keeps_the_task() -> None:
    with yard() as here:
        execution = here.start(one_task(HeartbeatSeconds=5))
        gate = here.gate()
        loop = here.worker(gate.handlers)
        loop.tick()
        soon(lambda: len(gate.calls) == 1)
        here.later(4)
        gate.calls[0].heartbeat()
        here.later(2)
        loop.tick()
        assert here.now(execution).status is Status.RUNNING
        (timer,) = asked(here.store).timers_of(execution.id)
        assert timer.due > here.clock.now()


def test_a_result_that_came_in_time_is_in_time_in_whatever_tick_it_has_its_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with yard() as here:
        executions = [here.start(one_task(TimeoutSeconds=10)) for _ in range(4)]
        gate = here.gate()
        loop = here.worker(gate.handlers)
        loop.tick()
        soon(lambda: len(gate.calls) == 4)
        here.later(9)
        gate.open.set()
        soon(lambda: loop.pool._results.qsize() == 4)
        here.later(3)
        slowly(monkeypatch, here, asked(here.store).open_frames(executions[0].id)[0].state)
        rounds = 0
        while any(here.now(e).closed is None for e in executions):
            assert loop.tick()
            rounds += 1
        assert rounds >= 4
        assert {here.now(e).status for e in executions} == {Status.SUCCEEDED}
