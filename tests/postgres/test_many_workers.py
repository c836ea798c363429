"""Several workers write side by side, each in the trees that it holds, and none waits for another one in the middle."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import Any

import pytest

from sm_cli.engine import agenda
from sm_cli.engine.engine import Engine
from sm_cli.errors import Conflict
from sm_cli.handlers.handler import Handler
from sm_cli.interpreter.env import Facts
from sm_cli.jsonvalue import Json
from sm_cli.store.changes import Changes
from sm_cli.store.locks import ALONE, NOTHING, Contended, part_lock
from sm_cli.store.postgres.database import PostgresStore
from sm_cli.store.postgres.writing.transaction import PostgresTransaction
from sm_cli.store.protocol import Store
from sm_cli.store.records import Execution, Status
from sm_cli.store.sql.transaction import Transaction
from sm_cli.worker.worker import Worker
from tests.engine.waiting import now, order, start
from tests.engine.workers import Gate, one_task, soon, workflow
from tests.postgres.server import stores
from tests.store.asking import asked
from tests.store.samples import apply, execution, frame


def echo(input: Json, context: object) -> Json:
    return input


ECHO = {name: Handler(name, echo, True) for name in ("work", "paid", "late")}


@contextmanager
def working(stores: list[Store], **more: object) -> Iterator[list[Worker]]:
    """A worker over each of these, each in a thread of its own."""
    workers = [Worker(Engine(store), ECHO, name=f"w{n}", **more) for n, store in enumerate(stores)]  # type: ignore[arg-type]
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
        for worker in workers:
            worker.let_go()


def is_over(store: Store, executions: list[Execution]) -> bool:
    return all(now(store, each).closed is not None for each in executions)


def test_a_step_that_needs_what_another_transaction_has_holds_nothing_else_up(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agenda, "_LONGEST", 10**12)
    stop = {"Resource": "arn:aws:states:::aws-sdk:sfn:stopExecution", "Parameters": {"ExecutionArn.$": "$.arn"}}
    states = {
        "Work": {"Type": "Task", "Resource": "work", "Next": "Stop"},
        "Stop": {"Type": "Task", **stop, "End": True},
    }
    stopper = workflow({"StartAt": "Work", "States": states}, "stopper")
    with stores(url, 3) as (mine, other, third):
        engine = Engine(mine)
        target = engine.start(one_task(Resource="nobody's"), name="t")[0]
        arn = f"arn:aws:states:us-east-1:123456789012:execution:{target.workflow}:{target.name}"
        calling = engine.start(stopper, {"arn": arn})[0]
        others = [engine.start(one_task(), n)[0] for n in range(5)]
        with working([third]):
            with other.write(frozenset([part_lock(target.tree)])):
                soon(lambda: is_over(mine, others))
                more = [engine.start(one_task(), n)[0] for n in range(5)]
                soon(lambda: is_over(mine, more))
                assert now(mine, calling).status is now(mine, target).status is Status.RUNNING
            soon(lambda: is_over(mine, [calling, target]))
        assert (now(mine, calling).status, now(mine, target).status) == (Status.SUCCEEDED, Status.ABORTED)


def test_while_one_worker_is_in_the_middle_of_a_transaction_another_finishes_other_executions(url: str) -> None:
    with stores(url, 3) as (mine, held_up, going):
        engine = Engine(mine)
        first, *others = [engine.start(one_task(), number)[0] for number in range(5)]
        with held_up.write(NOTHING) as tx:
            assert tx.hold([first.tree]) == {first.tree}
            assert tx.frames([asked(mine).root(first.id).id])
            with working([going]):
                soon(lambda: is_over(mine, others))
                assert now(mine, first).status is Status.RUNNING
        with working([going]):
            soon(lambda: is_over(mine, [first]))


def test_a_result_for_a_tree_that_another_holds_is_kept_until_it_is_let_go(url: str) -> None:
    with stores(url, 2) as (mine, held_up):
        engine, gate = Engine(mine), Gate()
        first, second = (engine.start(one_task(), number)[0] for number in range(2))
        worker = Worker(engine, gate.handlers)
        worker.tick()
        with held_up.write(NOTHING) as tx:
            tx.hold([first.tree])
            gate.open.set()
            soon(lambda: worker.tick() and now(mine, second).closed is not None)
            soon(lambda: not worker.tick())
            assert now(mine, first).status is Status.RUNNING
        soon(lambda: worker.tick() or now(mine, first).closed is not None)
        assert now(mine, first).output == "done"
        assert len(gate.calls) == 2, "a handler ran twice"


def test_a_heartbeat_for_a_tree_that_another_holds_is_written_when_it_is_let_go(url: str) -> None:
    with stores(url, 2) as (mine, held_up):
        engine, gate = Engine(mine), Gate()
        beating = engine.start(one_task(HeartbeatSeconds=60), None)[0]
        worker = Worker(engine, gate.handlers)
        worker.tick()
        soon(lambda: gate.calls)
        (before,) = asked(mine).timers_of(beating.id)
        with held_up.write(NOTHING) as tx:
            tx.hold([beating.tree])
            gate.calls[0].heartbeat()
            assert not worker.tick()
            assert asked(mine).timers_of(beating.id) == [before]
        soon(lambda: worker.tick() or asked(mine).timers_of(beating.id) != [before])
        (after,) = asked(mine).timers_of(beating.id)
        assert after.due > before.due
        gate.open.set()


def test_a_transaction_that_stands_still_in_its_commit_holds_up_nobody_who_counts_commits_in_the_same_place(
    url: str,
) -> None:
    with stores(url, 4) as (mine, *theirs):
        apply(
            mine, new_executions=[execution(id) for id in range(1, 5)], new_frames=[frame(id, id) for id in range(1, 5)]
        )
        for each in theirs:
            assert isinstance(each, PostgresStore)
            each._writer.own.number = 7
        with ExitStack() as stack:
            for id, each in enumerate(theirs, 1):
                tx = stack.enter_context(each.write(NOTHING))
                apply_in(tx, frames={id: tx.frames([id])[id].copy()})
                assert isinstance(tx, PostgresTransaction)
                assert tx._counting is not None
            assert is_changed(mine) is False
        assert is_changed(mine)


def is_changed(store: Store) -> bool:
    """Whether others have committed something, without waiting for the next look."""
    assert isinstance(store, PostgresStore)
    store._next_look = 0.0
    return store.changed()


def test_ids_of_one_transaction_ascend_and_those_of_two_never_meet(url: str) -> None:
    with stores(url, 2) as (one, other):
        seen: list[int] = []
        for _ in range(3):
            for store in (one, other):
                with store.write(NOTHING) as tx:
                    executions = tx.reserve("executions", 2)
                    frames = [tx.reserve("frames", count) for count in (1, 1, 5, 200)]
                    assert frames == sorted(frames)
                    assert tx.hold([executions, executions + 1]) == {executions, executions + 1}
                    seen += [
                        id
                        for first, count in zip(frames, (1, 1, 5, 200), strict=True)
                        for id in range(first, first + count)
                    ]
        assert len(seen) == len(set(seen))


def test_a_message_for_a_tree_that_is_held_waits_for_it_and_holds_nothing_meanwhile(url: str) -> None:
    with stores(url, 3) as (mine, held_up, sending):
        engine = Engine(mine)
        waiting = [start(engine, order(), {"orderId": f"O-{n}"}) for n in range(2)]
        done: list[str] = []

        def send() -> None:
            done.extend(Engine(sending).publish("orderId", "O-0", {"approved": True}).executions)

        thread = threading.Thread(target=send)
        with held_up.write(NOTHING) as tx:
            tx.hold([waiting[0].id])
            thread.start()
            sent = engine.publish("orderId", "O-1", {"approved": True})
            assert sent.executions == (waiting[1].ref,)
            assert done == []
        thread.join(60)
        assert done == [waiting[0].ref]


def test_what_another_store_wrote_in_a_tree_is_read_anew_by_who_holds_it_next(url: str) -> None:
    with stores(url, 2) as (one, other):
        apply(one, new_executions=[execution(1)], new_frames=[frame(1)])
        with one.write(NOTHING) as tx:
            before = tx.frames([1])[1]
        with other.write(NOTHING) as tx:
            changed = tx.frames([1])[1].copy()
            changed.seq += 5
            apply_in(tx, frames={1: changed})
        with one.write(NOTHING) as tx:
            assert tx.frames([1])[1].seq == before.seq + 5


def apply_in(tx: Transaction, **changes: Any) -> None:
    tx.apply(Changes(**changes))


def test_what_was_read_before_a_tree_was_held_is_not_written(url: str) -> None:
    with stores(url, 1) as (store,):
        apply(store, new_executions=[execution(1)], new_frames=[frame(1)])
        with pytest.raises(Contended) as missed, store.write(NOTHING) as tx:
            apply_in(tx, frames={1: frame(1)})
        assert missed.value.locks == {part_lock(1)}
        with store.write(missed.value.locks) as tx:
            apply_in(tx, frames={1: tx.frames([1])[1].copy()})


def test_who_reads_a_tree_that_is_held_is_told_what_to_wait_for(url: str) -> None:
    with stores(url, 2) as (one, other):
        apply(one, new_executions=[execution(1)], new_frames=[frame(1)])
        with one.write(NOTHING) as tx:
            assert tx.frames([1])
            questions: list[Callable[[Transaction], object]] = [
                lambda tx: tx.frames([1]), lambda tx: tx.executions([1]), lambda tx: tx.due_among([1], 0),
            ]  # fmt: skip
            for ask in questions:
                with pytest.raises(Contended) as missed, other.write(NOTHING) as theirs:
                    ask(theirs)
                assert missed.value.locks == {part_lock(1)}


def test_what_concerns_all_trees_is_written_alone(url: str) -> None:
    with stores(url, 1) as (store,):
        with pytest.raises(Contended) as missed, store.write(NOTHING) as tx:
            apply_in(tx, aliases_gone=[("w", "prod")])
        assert missed.value.locks == {ALONE}


def test_who_waits_for_a_message_and_who_sends_it_at_once_do_not_miss_each_other(url: str) -> None:
    with stores(url, 3) as (mine, *theirs):
        waiter, sender = map(Engine, theirs)
        start(waiter, order(), {"orderId": "first"})  # registers the definition
        waiting: list[Execution] = []
        for n in range(20):
            together(
                [
                    partial(lambda n: waiting.append(start(waiter, order(), {"orderId": f"M-{n}"})), n),
                    partial(lambda n: sender.publish("orderId", f"M-{n}", {"approved": True}), n),
                ]
            )
        missed = [each for each in waiting if asked(mine).subscriptions_of(each.id)]
        assert missed == [], "a message and a wait missed each other"


def test_a_name_that_two_start_at_once_is_one_execution(url: str) -> None:
    with stores(url, 4) as (mine, *theirs):
        Engine(mine).start(one_task(), None, name="first")
        found: list[tuple[int, bool]] = []

        def begin(engine: Engine, n: int) -> None:
            started, is_new, _ = engine.start(one_task(), n, name=f"e{n}")
            found.append((started.id, is_new))

        engines = [Engine(store) for store in theirs]
        for n in range(10):
            together([partial(begin, engine, n) for engine in engines])
        assert len({id for id, _ in found}) == 10
        assert sum(is_new for _, is_new in found) == 10


def together(calls: list[Callable[[], object]]) -> None:
    """All at once, each in a thread of its own; what one of them raises is raised."""
    begin, failed = threading.Barrier(len(calls)), []

    def do(call: Callable[[], object]) -> None:
        try:
            begin.wait()
            call()
        except BaseException as e:  # raised below
            failed.append(e)

    threads = [threading.Thread(target=do, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not any(thread.is_alive() for thread in threads), "they wait for each other"
    if failed:
        raise failed[0]


LARGE: dict[str, Json] = {"text": "x" * 5000}
NESTED = workflow(
    {
        "StartAt": "N",
        "States": {
            "N": {
                "Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2", "End": True,
                "Parameters": {"StateMachineArn": "below", "Input": LARGE},
            }
        },
    }, "above",
)  # fmt: skip
MAPPED = workflow(
    {
        "StartAt": "M",
        "States": {
            "M": {
                "Type": "Map", "End": True, "MaxConcurrency": 3,
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, "StartAt": "T",
                    "States": {"T": {"Type": "Task", "Resource": "work", "End": True}},
                },
            }
        },
    }, "mapped",
)  # fmt: skip
#: The map runs of a map run's children; one that fails ends the others.
WIDE = workflow(
    {
        "StartAt": "M",
        "States": {
            "M": {
                "Type": "Map", "End": True,
                "ItemSelector": {"items.$": "States.Array(1, 2, States.MathRandom(1, 10), 4)"},
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, "StartAt": "M2",
                    "States": {
                        "M2": {
                            "Type": "Map", "ItemsPath": "$.items", "Next": "T",
                            "ItemProcessor": {
                                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                                "StartAt": "C",
                                "States": {
                                    "C": {"Type": "Task", "Resource": "work", "Next": "D"},
                                    "D": {"Type": "Choice", "Default": "S", "Choices": [
                                        {"Variable": "$", "NumericEquals": 9, "Next": "F"}
                                    ]},
                                    "S": {"Type": "Succeed"}, "F": {"Type": "Fail", "Error": "Nine"},
                                },
                            },
                        },
                        "T": {"Type": "Task", "Resource": "work", "End": True},
                    },
                },
            }
        },
    }, "wide",
)  # fmt: skip
CALLED = workflow(
    {
        "StartAt": "C",
        "States": {
            "C": {
                "Type": "Task", "Resource": "arn:aws:states:::aws-sdk:sfn:stopExecution", "End": True,
                "Parameters": {"ExecutionArn.$": "$.execution", "Cause": "enough"},
                "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Late"}],
            },
            "Late": {"Type": "Succeed"},
        },
    }, "called",
)  # fmt: skip


def test_hunted_for_deadlocks_nobody_finds_one(url: str) -> None:
    """Messages, stops from outside and inside, nested executions, map runs, shared large values, all at once."""
    with stores(url, 7) as (mine, *theirs), working(theirs[:3]):
        below = workflow({"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "work", "End": True}}}, "below")
        engine = Engine(mine)
        all_started: list[Execution] = [engine.start(NESTED, LARGE, targets=(below,))[0]]
        all_started += [engine.start(each, LARGE, targets=())[0] for each in (MAPPED, WIDE, one_task())]
        all_started.append(start(engine, order(), {"orderId": "first"}))

        def hunt(store: Store, seed: int) -> None:
            own, chance = Engine(store), random.Random(seed)
            for n in range(25):
                kind = chance.randrange(6)
                if kind == 0:
                    all_started.append(own.start(NESTED, LARGE)[0])
                elif kind == 1:
                    all_started.append(own.start(chance.choice([MAPPED, WIDE]), [LARGE] * 8)[0])
                elif kind == 2:
                    all_started.append(start(own, order(), {"orderId": f"O-{n % 3}", **LARGE}))
                elif kind == 3:
                    own.publish("orderId", f"O-{n % 3}", {"approved": True, **LARGE})
                elif kind == 4:
                    with suppress(Conflict):  # it is over
                        own.stop(chance.choice(all_started))
                else:
                    target = chance.choice(all_started)
                    all_started.append(own.start(CALLED, {"execution": own_arn(target)})[0])

        together([partial(hunt, store, seed) for seed, store in enumerate(theirs[3:])])
        for value in ("first", "O-0", "O-1", "O-2"):
            soon(partial(is_unawaited, engine, value))
        soon(lambda: is_over(mine, all_started))


def is_unawaited(engine: Engine, value: str) -> bool:
    return engine.publish("orderId", value, {"approved": True}, ttl=0).executions == ()


def own_arn(execution: Execution) -> str:
    facts = Facts(
        ref=execution.ref, name=execution.name, workflow=execution.workflow, type=execution.type, input=None,
        started=execution.started, redrive_count=0, redriven=None, version=None, qualifier=None,
    )  # fmt: skip
    return facts.execution_arn
