"""Memory and SQLite answer alike, whatever is written and asked in whatever order."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sm_cli.errors import SmError
from sm_cli.interpreter.frame import Frame, FrameStatus, Join
from sm_cli.interpreter.timers import TimerKind
from sm_cli.store.changes import Changes
from sm_cli.store.messages import (
    Consumed,
    Late,
    MessageFilter,
    MessageStatus,
    WaitEnd,
    WaitFilter,
)
from sm_cli.store.protocol import Store
from sm_cli.store.records import (
    ExecutionFilter,
    HistoryEvent,
    MapRun,
    Parent,
    Status,
    Waking,
    WorkerRecord,
)
from sm_cli.store.sql.transaction import Transaction
from sm_cli.store.sqlite.database import SqliteStore
from sm_cli.store.sqlite.memory import MemoryStore
from tests.store.asking import asked
from tests.store.samples import T0, definition, execution, frame, job, message, subscription, timer

Answer = TypeVar("Answer")

SMALL = st.integers(1, 6)
TIMES = st.integers(T0, T0 + 20)
KEYS_OF = ("k1", "k2")
KEYS = st.sampled_from(KEYS_OF)
VALUES_OF = ('"A"', '"a"', ' "A"', "7")
DAY = 86_400 * 1_000_000
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.integers(-(2**63), 2**64 - 1), st.text(max_size=5), st.just({}), st.just({"big": "x" * 3000})
)
OBJECTS: st.SearchStrategy[Any] = st.one_of(
    st.just({}), st.dictionaries(st.text(max_size=3), st.integers(0, 9), max_size=2), st.just({"v": "y" * 3000})
)
FRAMES = st.fixed_dictionaries(
    {
        "status": st.sampled_from(FrameStatus), "state": st.sampled_from("ABC"), "seq": st.integers(0, 9),
        "retries": st.sampled_from([(), (1,), (0, 2)]), "join": st.sampled_from([None, Join(3), Join(3, started=2)]),
        "item": VALUES, "vars": OBJECTS, "input": VALUES, "output": VALUES, "wake": VALUES,
    }
)  # fmt: skip

MESSAGES = st.fixed_dictionaries(
    {
        "kind": st.sampled_from("sn"), "strict": st.booleans(), "execution": st.none() | st.integers(0, 2),
        "status": st.sampled_from(MessageStatus), "consumed": st.none() | TIMES, "count": st.integers(0, 3),
        "later": st.integers(0, 1), "receivers": st.lists(st.integers(1, 9), max_size=2).map(tuple),
        "late": st.lists(st.builds(Late, st.integers(1, 9), TIMES, st.just("timeout")), max_size=2).map(tuple),
    }
)  # fmt: skip


class Alike(RuleBasedStateMachine):
    """Each rule is one transaction on both stores; the questions are asked after each."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "sm.db"
        self.stores: list[Store] = [MemoryStore(), SqliteStore(self.path, sync="normal")]
        self.frames: list[Frame] = []
        self.history: dict[int, int] = {}
        #: What frames belong to stands there before them; some of it has the same tree.
        self.executions = list(range(1, 7))
        above = [execution(id, workflow="trees", tree=1 + id % 2) for id in self.executions]
        self.both(lambda _: Changes(new_executions=above))
        self.number = len(self.executions)

    def teardown(self) -> None:
        for store in self.stores:
            store.close()
        self.folder.cleanup()

    def next(self) -> int:
        self.number += 1
        return self.number

    def both(self, make: Callable[[Transaction], Changes]) -> None:
        """One transaction on each store; each must take it, or each must refuse it."""
        outcomes = []
        for store in self.stores:
            try:
                with store.write() as tx:
                    tx.apply(make(tx))
                outcomes.append("written")
            except SmError as e:
                outcomes.append(type(e).__name__)
        assert outcomes[0] == outcomes[1]

    def agree(self, ask: Callable[[Transaction], Answer]) -> Answer:
        answers = []
        for store in self.stores:
            with store.write() as tx:
                answers.append(ask(tx))
        assert answers[0] == answers[1]
        return answers[0]

    @rule(
        workflow=KEYS,
        name=st.sampled_from("abcd"),
        status=st.sampled_from(Status),
        deadline=st.none() | TIMES,
        value=VALUES,
        tree=st.integers(0, 2),
        parent=st.none() | st.builds(Parent, st.integers(1, 2), st.integers(1, 2), SMALL, SMALL, st.none() | SMALL),
    )
    def start(
        self, workflow: str, name: str, status: Status, deadline: int | None, value: Any, tree: int,
        parent: Parent | None,
    ) -> None:  # fmt: skip
        id = self.next()
        if parent is not None:
            parent = parent._replace(number=id)
        new = execution(
            id, workflow=workflow, name=name, status=status, deadline=deadline, input=value, output=value, tree=tree,
            parent=parent,
        )  # fmt: skip
        self.both(lambda _: Changes(new_executions=[new], new_definitions=[definition(f"d{id % 3}", workflow, id)]))
        if asked(self.stores[0]).execution(id) is not None:
            self.executions.append(id)

    @precondition(lambda self: self.executions)
    @rule(pick=st.integers(0), events=st.integers(0, 3), status=st.sampled_from(Status), tags=OBJECTS, output=VALUES)
    def update_execution(self, pick: int, events: int, status: Status, tags: Any, output: Any) -> None:
        id = self.executions[pick % len(self.executions)]

        def make(tx: Transaction) -> Changes:
            changed = tx.executions([id])[id]
            changed.events, changed.status, changed.tags, changed.output = events, status, tags, output
            return Changes(executions={id: changed})

        self.both(make)

    @rule(frame=SMALL, status=st.sampled_from(Status), join=st.sampled_from([Join(3), Join(3, 1, mark="m")]))
    def run(self, frame: int, status: Status, join: Join) -> None:
        id = self.next()
        new = MapRun(id, f"run-{id}", id % 3, frame, id, "M", "order/M", "STANDARD", status, T0, join)
        self.both(lambda _: Changes(new_map_runs=[new]))
        changed = replace(new, status=Status.ABORTED, closed=T0 + 1, redrives=2)
        if id % 2:
            self.both(lambda _: Changes(map_runs=[changed]))

    @rule(execution=SMALL, parent=st.integers(0), activation=st.integers(1, 2), given=FRAMES)
    def fork(self, execution: int, parent: int, activation: int, given: dict[str, Any]) -> None:
        new = frame(self.next(), execution, **given)
        if self.frames and parent % 3:
            above = self.frames[parent % len(self.frames)]
            new.parent, new.activation, new.execution, new.index = above.id, activation, above.execution, new.id
        self.frames.append(new)
        self.both(lambda _: Changes(new_frames={new.id: new}))

    @precondition(lambda self: self.frames)
    @rule(
        pick=st.integers(0), given=FRAMES, keep=st.sets(st.sampled_from(["status", "item", "vars", "input", "output"]))
    )
    def step(self, pick: int, given: dict[str, Any], keep: set[str]) -> None:
        id = self.frames[pick % len(self.frames)].id

        def make(tx: Transaction) -> Changes:
            changed = tx.frames([id])[id].copy()
            for name, value in given.items():
                if name not in keep:
                    setattr(changed, name, value)
            return Changes(frames={id: changed})

        self.both(make)

    @rule(ids=st.lists(SMALL, max_size=3), gone=st.lists(SMALL, max_size=3), again=st.booleans())
    def wait(self, ids: list[int], gone: list[int], again: bool) -> None:
        kinds = list(TimerKind)
        new = [timer(f, T0 + (self.next() * 7) % 20, kinds[f % 4], execution=f % 3) for f in ids]
        opened = [
            subscription(f, T0 + f % 2, KEYS_OF[f % 2], VALUES_OF[self.next() % 4], f % 3, "sn"[f % 2])
            for f in set(ids)
        ]
        leaving = list({*gone, *ids})
        ended = [WaitEnd(f, T0 + self.next() % 7, "timeout") for f in leaving if f % 3]
        self.both(
            lambda _: Changes(
                timers=new, timers_gone=gone, new_subscriptions=opened, subscriptions_gone=leaving, waits_ended=ended
            )
        )

    @rule(age=st.integers(0, 9 * DAY), limit=st.integers(1, 3))
    def forget(self, age: int, limit: int) -> None:
        def make(tx: Transaction) -> Changes:
            stale = tx.stale(T0 + age, limit)
            return Changes(messages_expired=stale.expired, messages_gone=stale.messages, waits_forgotten=stale.waits)

        self.both(make)

    @rule(pick=st.sets(st.integers(0, 9), max_size=3), wake=VALUES)
    def wake(self, pick: set[int], wake: Any) -> None:
        ids = [self.frames[n % len(self.frames)].id for n in pick if self.frames]
        self.both(lambda _: Changes(waking=[Waking(sorted(set(ids)), wake)]))

    @rule(frame_id=SMALL, priority=st.integers(-1, 1), queue=KEYS, resource=KEYS, available=TIMES, value=VALUES)
    def enqueue(self, frame_id: int, priority: int, queue: str, resource: str, available: int, value: Any) -> None:
        new = job(
            self.next(), frame_id, frame_id % 3, priority=priority, queue=queue, resource=resource, available=available,
            input=value,
        )  # fmt: skip
        self.both(lambda _: Changes(new_jobs=[new]))

    @rule(now=TIMES, until=st.none() | TIMES, worker=KEYS, only=st.none() | st.integers(0, 2), queue=st.none() | KEYS)
    def lease(self, now: int, until: int | None, worker: str, only: int | None, queue: str | None) -> None:
        def make(tx: Transaction) -> Changes:
            found = tx.claimable(now, 2, tree=only, queue=queue, resources=frozenset({"k1"}))
            found += [job for job in tx.lost(now, 1, only) if job not in found]
            for taken in found:
                taken.leased_until, taken.worker, taken.deliveries = until, worker, taken.deliveries + 1
                taken.repeatable = taken.id % 2 == 0
            return Changes(leased=found)

        self.both(make)

    @rule(id=KEYS, seen=TIMES, gone=st.none() | KEYS)
    def see(self, id: str, seen: int, gone: str | None) -> None:
        worker = WorkerRecord(id, id, "host", 1, "//", T0, seen)
        self.both(lambda _: Changes(workers=[worker], workers_gone=[] if gone is None else [gone]))

    @rule(gone=st.lists(SMALL, min_size=1, max_size=3))
    def finish_jobs(self, gone: list[int]) -> None:
        self.both(lambda _: Changes(jobs_gone=gone))

    @rule(
        key=KEYS,
        value=st.sampled_from(VALUES_OF),
        body=VALUES,
        expires=TIMES,
        message_id=st.none() | KEYS,
        consumed=st.lists(st.integers(1, 40), max_size=4),
        more=MESSAGES,
    )
    def send(
        self, key: str, value: str, body: Any, expires: int, message_id: str | None, consumed: list[int],
        more: dict[str, Any],
    ) -> None:  # fmt: skip
        new = message(self.next(), key=key, value=value, body=body, expires=expires, message_id=message_id, **more)
        taken = [Consumed(id, id % 3, T0 + id) for id in consumed]
        self.both(lambda _: Changes(new_messages=[new], messages_consumed=taken))

    @rule(execution=SMALL, count=st.integers(1, 4), value=VALUES)
    def record(self, execution: int, count: int, value: Any) -> None:
        first = self.history.get(execution, 0) + 1
        self.history[execution] = first + count - 1
        lines = [HistoryEvent(execution, n, n - 1, 1, T0, "T", {"v": value}) for n in range(first, first + count)]
        self.both(lambda _: Changes(history=lines))

    @rule()
    def lose(self) -> None:
        """A transaction that breaks off; SQLite forgets what it knew and reads everything again."""
        for store in self.stores:
            try:
                with store.write() as tx:
                    tx.apply(
                        Changes(
                            jobs_gone=[1, 2, 3], timers_gone=[1, 2, 3], history=[HistoryEvent(1, 99, 0, 1, 0, "T", {})]
                        )
                    )
                    raise ZeroDivisionError
            except ZeroDivisionError:
                lost = True
            assert lost

    @rule()
    def reopen(self) -> None:
        self.stores[1].close()
        self.stores[1] = SqliteStore(self.path, sync="normal")

    @invariant()
    def the_same_answers(self) -> None:
        def ask(tx: Transaction) -> list[Any]:
            ids = [f.id for f in self.frames]
            return [
                tx.frames(ids), tx.executions(self.executions), tx.ready_frames(3), tx.due_timers(T0 + 10, 3),
                tx.overdue(T0 + 10, 3), tx.claimable(T0 + 10, 3), tx.claimable(T0 + 10, 3, tree=1),
                tx.lost(T0 + 10, 3), tx.lost(T0 + 10, 3, 1), tx.held("k1"), tx.leases("k2", range(40)), tx.queues(),
                tx.workers(), tx.due_timers(T0 + 10, 3, None, "k1"), tx.due_timers(T0 + 10, 3, 1, "k2"),
                tx.claimable(T0, 3, queue="k1"), [tx.ready_frames(3, n) for n in range(1, 4)],
                [tx.due_timers(T0 + 10, 3, n) for n in range(3)],
                [tx.descendants(id) for id in ids], [tx.outputs(id, 1) for id in ids],
                [tx.pending_children(id, 1, 3, 2) for id in ids], tx.jobs(list(range(1, self.number + 1))),
                [
                    [tx.buffered_message(key, value, T0 + 10), tx.subscriptions(key, value),
                     tx.buffered_message(key, value, T0 + 10, (1, 2, 3), kind="n", execution=1),
                     tx.subscriptions(key, value, kind="n", limit=1),
                     [tx.message_sent(key, value, sent) for sent in KEYS_OF]]
                    for key in KEYS_OF for value in VALUES_OF
                ],
                [tx.near_subscriptions(key, '"a"', 2) for key in KEYS_OF],
                [tx.near_messages(key, '"a"', 3) for key in KEYS_OF],
                [tx.past_waits(key, '"a"', 3) for key in KEYS_OF], tx.refs(range(9)),
                [tx.stale(T0 + days * DAY, 2) for days in range(9)], tx.message(3),
                [tx.subscriptions_of(n) for n in range(3)], [tx.newest(name) for name in KEYS_OF],
                [[tx.pending_executions(n, m, 3, 2), tx.failed_executions(n, m), tx.executions_outputs(n, m),
                  tx.map_run(n, m)] for n in range(3) for m in range(9)],
                [tx.open_executions(n) for n in range(3)],
            ]  # fmt: skip

        self.agree(ask)
        answers = [outside(store) for store in self.stores]
        assert answers[0] == answers[1]


def outside(store: Store) -> list[Any]:
    ask = asked(store)
    wanted = [
        ExecutionFilter(), ExecutionFilter(status=Status.RUNNING, limit=2), ExecutionFilter(workflow="k1", before_id=9),
        ExecutionFilter(status=Status.FAILED, workflow="k2"),
        ExecutionFilter(name_contains="A", since=T0 + 2, until=T0 + 9), ExecutionFilter(run=1),
        ExecutionFilter(run=2, status=Status.RUNNING, before_id=9, name_contains="a"),
    ]  # fmt: skip
    waits = [
        WaitFilter(), WaitFilter(limit=2, after=2), WaitFilter("k1"), WaitFilter("k2", '"a"'),
        WaitFilter(workflow="k1"), WaitFilter("k1", '"A"', "k2"),
    ]  # fmt: skip
    mail = [
        MessageFilter(T0 + 10), MessageFilter(T0 + 10, "k1"), MessageFilter(T0 + 10, "k2", '"A"', limit=1),
        MessageFilter(T0, status=MessageStatus.EXPIRED), MessageFilter(T0 + 15, status=MessageStatus.BUFFERED),
        MessageFilter(T0, "k1", '"a"', MessageStatus.CONSUMED, before_id=20),
    ]  # fmt: skip
    return [
        [ask.open_waits(f) for f in waits], [ask.list_messages(f) for f in mail],
        [ask.messages_named(name) for name in KEYS_OF], [ask.message(n) for n in range(9)],
        [ask.near_messages(key, '"a"', 3) for key in KEYS_OF], ask.refs([1, 2, 3, 99]),
        ask.next_due(), ask.has_ready(), ask.workflows(), ask.latest(), ask.workers(),
        ask.next_due(None, "k1"), ask.next_due(1, "k2"), ask.leases("k1", range(40)),
        [ask.has_free(T0 + n, frozenset(KEYS_OF[:n]), tree=only) for n in range(3) for only in (None, 1)],
        ask.has_free(T0 + 10, frozenset(KEYS_OF), queues=frozenset(["k2"])),
        ask.map_runs(), ask.map_runs(1, 2), ask.find_map_run("run-1"), ask.run_results(1, 3, 2),
        [ask.list_executions(f) for f in wanted], [ask.find(text) for text in ("a", "ref-00000", "ref-000002", "")],
        [
            [ask.next_due(n), ask.has_ready(n), ask.execution(n), ask.open_frames(n), ask.jobs_of(n),
             ask.timers_of(n), ask.subscriptions_of(n), ask.history(n), ask.history(n, 2, 3)]
            for n in range(7)
        ],
    ]  # fmt: skip


TestAlike = Alike.TestCase
TestAlike.settings = settings(
    max_examples=20, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
