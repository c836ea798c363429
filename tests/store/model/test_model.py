"""A store on disk, one in memory, and an oracle answer alike, whatever is written and asked in whatever order.

The two stores ask the same SQL of different connections; what the answers mean, the oracle knows.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sm_cli.errors import Conflict
from sm_cli.interpreter.frame import FrameStatus, Join
from sm_cli.interpreter.timers import TimerKind
from sm_cli.store.changes import Changes
from sm_cli.store.filters import ExecutionFilter, ExecutionPage, Order, SortKey
from sm_cli.store.messages import Consumed, Late, MessageFilter, MessageStatus, WaitEnd, WaitFilter
from sm_cli.store.protocol import Store
from sm_cli.store.records import HANDED_OVER, HistoryEvent, MapRun, Parent, Status, Waking, WorkerRecord
from sm_cli.store.sql.questions import Questions
from sm_cli.store.sql.transaction import Transaction
from sm_cli.store.sqlite.database import SqliteStore
from sm_cli.store.sqlite.memory import MemoryStore
from sm_cli.store.versions import Alias
from tests.store.model.oracle import Oracle
from tests.store.samples import (
    T0,
    execution,
    frame,
    job,
    message,
    registering,
    subscription,
    timer,
    version,
)

#: Whoever answers: a store, in or outside a writing transaction, or the oracle.
Asked: TypeAlias = Questions | Oracle

#: Executions, frames and jobs that rules refer to; 0 and the last ones are often not there.
SMALL = st.integers(1, 6)
TREES = (None, 0, 1, 2)
#: Few, so that what is due at the very instant that is asked for is met.
TIMES = st.integers(T0, T0 + 6)
KEYS_OF = ("k1", "k2")
KEYS = st.sampled_from(KEYS_OF)
VALUES_OF = ('"A"', '"a"', ' "A"', "7")
MESSAGE_VALUES = st.sampled_from([*VALUES_OF, '"A"', '"A"', '"A"', '"A"'])
NAMES = st.sampled_from(["a", "b_1", "B%1", "bx1", "É", "ref-000002"])
DAY = 86_400 * 1_000_000
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.integers(-(2**63), 2**64 - 1), st.text(max_size=5), st.just({}), st.just({"big": "x" * 3000})
)
TAGS = st.dictionaries(st.sampled_from("abc"), st.sampled_from(["x", "1"]), max_size=2)
OBJECTS: st.SearchStrategy[Any] = st.one_of(
    st.just({}), st.dictionaries(st.text(max_size=3), st.integers(0, 9), max_size=2), st.just({"v": "y" * 3000})
)
#: Often open: what is closed is seldom asked for.
FRAME_STATUS = st.sampled_from([*FrameStatus, FrameStatus.PENDING, FrameStatus.READY, FrameStatus.SUCCEEDED])
FRAMES = st.fixed_dictionaries(
    {
        "status": FRAME_STATUS, "state": st.sampled_from("ABC"), "seq": st.integers(0, 9),
        "retries": st.sampled_from([(), (1,), (0, 2)]), "join": st.sampled_from([None, Join(3), Join(3, started=2)]),
        "item": VALUES, "vars": OBJECTS, "input": VALUES, "output": VALUES, "wake": VALUES,
    }
)  # fmt: skip
MESSAGES = st.fixed_dictionaries(
    {
        "key": KEYS, "value": MESSAGE_VALUES, "body": VALUES, "expires": TIMES, "message_id": st.none() | KEYS,
        "kind": st.sampled_from("sn"), "strict": st.booleans(), "execution": st.none() | st.integers(0, 2),
        "consumed": st.none() | TIMES, "count": st.integers(0, 3),
        "status": st.sampled_from([*MessageStatus, MessageStatus.BUFFERED, MessageStatus.BUFFERED]),
        "later": st.integers(0, 1), "receivers": st.lists(st.integers(1, 9), max_size=2).map(tuple),
        "late": st.lists(st.builds(Late, st.integers(1, 9), TIMES, st.just("timeout")), max_size=2).map(tuple),
    }
)  # fmt: skip
JOBS = st.fixed_dictionaries(
    {
        "frame": SMALL, "priority": st.integers(-1, 1), "queue": KEYS, "resource": KEYS, "available": TIMES,
        "input": VALUES,
    }
)  # fmt: skip
#: Map run 2 is a batch's.
PARENTS = st.none() | st.builds(
    lambda frame, activation, items, run: Parent(frame, activation, 0, items, run, run == 2),
    st.integers(1, 2), st.integers(1, 2), SMALL, st.none() | st.integers(1, 2),
)  # fmt: skip


class Model(RuleBasedStateMachine):
    """Each rule is one transaction on both stores and on the oracle; the questions are asked after each."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "sm.db"
        self.stores: list[Store] = [MemoryStore(), SqliteStore(self.path, sync="normal")]
        self.oracle = Oracle()
        self.last: dict[str, int] = {}
        self.steps = 0
        # Frames, jobs and timers belong to these; some have the same tree.
        above = [execution(self.next("execution"), workflow="k1", tree=1 + n % 2) for n in range(1, 4)]
        self.apply(lambda _: Changes(new_executions=above))

    def teardown(self) -> None:
        for store in self.stores:
            store.close()
        self.folder.cleanup()

    def next(self, table: str) -> int:
        self.last[table] = self.last.get(table, 0) + 1
        return self.last[table]

    def apply(self, make: Callable[[Transaction], Changes]) -> None:
        """One transaction on each store and on the oracle; all take it, or all refuse it."""
        refused, changes = [], Changes()
        for store in self.stores:
            try:
                with store.write() as tx:
                    changes = make(tx)
                    tx.apply(changes)
                refused.append(False)
            except Conflict:
                refused.append(True)
        try:
            self.oracle.apply(changes)
            refused.append(False)
        except Conflict:
            refused.append(True)
        assert len(set(refused)) == 1, refused

    # -- executions and map runs -----------------------------------------------------------------

    @rule(workflow=KEYS, name=NAMES, status=st.sampled_from([*Status, Status.RUNNING, Status.PENDING]), started=TIMES,
          deadline=st.none() | TIMES, value=VALUES, tree=st.integers(0, 2), parent=PARENTS, tags=TAGS)  # fmt: skip
    def start(
        self, workflow: str, name: str, status: Status, started: int, deadline: int | None, value: Any, tree: int,
        parent: Parent | None, tags: dict[str, str],
    ) -> None:  # fmt: skip
        id = self.next("execution")
        if parent is not None:
            parent = parent._replace(number=id)
            name = name if parent.run is None else f"{name}-{id}"  # those of a map run have names of their own
        new = execution(
            id, workflow=workflow, name=name, status=status, deadline=deadline, input=value, output=value, tree=tree,
            parent=parent, started=started, tags=tags, digest=f"d{id % 3}", version=id % 3,
            qualifier="prod" if id % 2 else None, starter=id // 2 if id % 3 == 0 and parent is None else None,
        )  # fmt: skip
        made = registering(version(id % 3, f"d{id % 3}", workflow, id))
        self.apply(lambda _: Changes(new_executions=[new], **made))

    @rule(workflow=KEYS, number=st.integers(0, 2), at=TIMES)
    def delete_version(self, workflow: str, number: int, at: int) -> None:
        def make(tx: Transaction) -> Changes:
            gone = tx.version(workflow, number)
            there = [each.number for each in tx.versions(workflow) if each.number != number]
            if gone is None or gone.deleted is not None:
                return Changes()
            current = (workflow, there[0] if there else None)
            return Changes(versions_gone=[gone._replace(deleted=at)], current_versions=[current])

        self.apply(make)

    @rule(workflow=KEYS, name=NAMES, share=st.integers(0, 100), at=TIMES)
    def set_alias(self, workflow: str, name: str, share: int, at: int) -> None:
        alias = Alias(workflow, name, ((1, share), (2, 100 - share)), at, at)
        self.apply(lambda _: Changes(aliases=[alias]))

    @rule(workflow=KEYS, name=NAMES)
    def delete_alias(self, workflow: str, name: str) -> None:
        self.apply(lambda _: Changes(aliases_gone=[(workflow, name)]))

    @rule(pick=st.integers(0), events=st.integers(0, 3), status=st.sampled_from(Status), tags=TAGS, output=VALUES,
          closed=st.none() | TIMES, error=st.sampled_from([None, "E", "F"]))  # fmt: skip
    def update_execution(
        self, pick: int, events: int, status: Status, tags: dict[str, str], output: Any, closed: int | None,
        error: str | None,
    ) -> None:  # fmt: skip
        id = sorted(self.oracle.all_executions)[pick % len(self.oracle.all_executions)]

        def make(tx: Transaction) -> Changes:
            changed = tx.executions([id])[id]
            changed.events, changed.status, changed.tags, changed.output = events, status, tags, output
            changed.closed, changed.error = closed, error
            return Changes(executions={id: changed})

        self.apply(make)

    @rule(
        frame=SMALL,
        status=st.sampled_from([*Status, Status.RUNNING, Status.RUNNING]),
        join=st.sampled_from([Join(3), Join(3, 1, mark="m")]),
    )
    def run(self, frame: int, status: Status, join: Join) -> None:
        id = self.next("map run")
        forked = [f.id for f in self.oracle.all_frames.values() if f.join is not None] or [frame]
        frame = forked[frame % len(forked)]
        new = MapRun(id, f"run-{id}", id % 3, frame, id, "M", "order/M", "STANDARD", status, T0, join)
        self.apply(lambda _: Changes(new_map_runs=[new]))
        changed = replace(new, status=Status.ABORTED, closed=T0 + 1, redrives=2)
        if id % 3 == 0:
            self.apply(lambda _: Changes(map_runs=[changed]))

    @rule(execution=SMALL, count=st.integers(1, 4), value=VALUES)
    def record(self, execution: int, count: int, value: Any) -> None:
        numbers = [self.next(f"history of {execution}") for _ in range(count)]
        lines = [HistoryEvent(execution, n, n - 1, 1, T0, "T", {"v": value, "input": value}) for n in numbers]
        self.apply(lambda _: Changes(history=lines))

    # -- frames ----------------------------------------------------------------------------------

    @rule(execution=st.integers(1, 3), activation=st.integers(1, 2),
          given=st.lists(st.tuples(st.none() | st.integers(0, 9), FRAMES), min_size=1, max_size=5))  # fmt: skip
    def fork(self, execution: int, activation: int, given: list[tuple[int | None, dict[str, Any]]]) -> None:
        made = dict(self.oracle.all_frames)
        first = len(made) + 1
        for parent, values in given:
            new = frame(self.next("frame"), execution, **values)
            if parent is not None and made:
                above = made[1 + parent % len(made)]
                new.parent, new.activation, new.execution, new.index = above.id, activation, above.execution, new.id
            made[new.id] = new
        self.apply(lambda _: Changes(new_frames={id: made[id] for id in range(first, len(made) + 1)}))

    @precondition(lambda self: self.oracle.all_frames)
    @rule(pick=st.integers(0), given=FRAMES,
          keep=st.sets(st.sampled_from(["status", "item", "vars", "input", "output"])))  # fmt: skip
    def step(self, pick: int, given: dict[str, Any], keep: set[str]) -> None:
        id = 1 + pick % len(self.oracle.all_frames)

        def make(tx: Transaction) -> Changes:
            changed = tx.frames([id])[id].copy()
            for name, value in given.items():
                if name not in keep:
                    setattr(changed, name, value)
            return Changes(frames={id: changed})

        self.apply(make)

    @rule(pick=st.sets(SMALL, max_size=3), wake=VALUES)
    def wake(self, pick: set[int], wake: Any) -> None:
        ids = sorted(pick & self.oracle.all_frames.keys())
        self.apply(lambda _: Changes(waking=[Waking(ids, wake)]))

    @rule(ids=st.lists(SMALL, max_size=3, unique=True), gone=st.lists(SMALL, max_size=3), due=TIMES,
          kind=st.sampled_from(TimerKind), value=MESSAGE_VALUES, key=KEYS)  # fmt: skip
    def wait(self, ids: list[int], gone: list[int], due: int, kind: TimerKind, value: str, key: str) -> None:
        new = [timer(f, due + f % 2, kind, execution=f % 4) for f in ids]
        opened = [subscription(f, T0 + f % 2, key, value, f % 4, "sn"[f % 2]) for f in ids]
        leaving = sorted({*gone, *ids})
        ended = [WaitEnd(f, due, "timeout") for f in leaving if f % 3]
        self.apply(
            lambda _: Changes(
                timers=new, timers_gone=gone, new_subscriptions=opened, subscriptions_gone=leaving, waits_ended=ended
            )
        )

    # -- jobs and workers ------------------------------------------------------------------------

    @rule(new=st.lists(JOBS, min_size=1, max_size=4))
    def enqueue(self, new: list[dict[str, Any]]) -> None:
        jobs = [job(self.next("job"), execution=given["frame"] % 4, **given) for given in new]
        self.apply(lambda _: Changes(new_jobs=jobs))

    @rule(now=TIMES, until=st.none() | TIMES | st.just(HANDED_OVER), worker=KEYS, tree=st.sampled_from(TREES),
          queue=st.none() | KEYS, resources=st.none() | st.frozensets(KEYS))  # fmt: skip
    def lease(
        self, now: int, until: int | None, worker: str, tree: int | None, queue: str | None,
        resources: frozenset[str] | None,
    ) -> None:  # fmt: skip
        def make(tx: Transaction) -> Changes:
            found = tx.claimable(now, 2, tree=tree, queue=queue, resources=resources)
            found += [job for job in tx.lapsed_jobs(now, 1, tree) if job not in found]
            for taken in found:
                taken.leased_until, taken.deliveries = until, taken.deliveries + 1
                taken.worker = None if until in (None, HANDED_OVER) else worker
                taken.repeatable = taken.id % 2 == 0
            return Changes(leased_jobs=found)

        self.apply(make)

    @rule(gone=st.lists(SMALL, min_size=1, max_size=3))
    def finish_jobs(self, gone: list[int]) -> None:
        self.apply(lambda _: Changes(jobs_gone=gone))

    @rule(id=KEYS, seen=TIMES, gone=st.none() | KEYS)
    def see(self, id: str, seen: int, gone: str | None) -> None:
        worker = WorkerRecord(id, id, "host", 1, "//", seen, seen)
        self.apply(lambda _: Changes(workers=[worker], workers_gone=[] if gone is None else [gone]))

    # -- messages --------------------------------------------------------------------------------

    @rule(new=st.lists(MESSAGES, min_size=1, max_size=5), consumed=st.lists(SMALL, max_size=2))
    def send(self, new: list[dict[str, Any]], consumed: list[int]) -> None:
        messages = [message(self.next("message"), **given) for given in new]
        taken = [Consumed(id, id % 3, T0 + id) for id in consumed]
        self.apply(lambda _: Changes(new_messages=messages, messages_consumed=taken))

    @rule(age=st.integers(0, 9 * DAY), limit=st.integers(1, 3))
    def forget(self, age: int, limit: int) -> None:
        def make(tx: Transaction) -> Changes:
            stale = tx.stale(T0 + age, limit)
            return Changes(
                messages_expired=stale.expired_messages, messages_gone=stale.messages, waits_forgotten=stale.waits
            )

        self.apply(make)

    # -- accidents -------------------------------------------------------------------------------

    @rule()
    def break_off(self) -> None:
        """A transaction that breaks off: what a store remembers of rows has to go with it."""
        for store in self.stores:
            with pytest.raises(ZeroDivisionError), store.write() as tx:
                woken = Waking(sorted(self.oracle.all_frames), {"lost": 1})
                line = HistoryEvent(1, 99, 0, 1, 0, "T", {})
                tx.apply(Changes(jobs_gone=[1, 2, 3], timers_gone=[1, 2, 3], waking=[woken], history=[line]))
                raise ZeroDivisionError

    @rule()
    def reopen(self) -> None:
        self.stores[1].close()
        self.stores[1] = SqliteStore(self.path, sync="normal")

    # -- questions -------------------------------------------------------------------------------

    @invariant()
    def every_answer_is_the_oracle_s(self) -> None:
        self.steps += 1
        expected = self.answers(self.oracle)
        for store in self.stores:
            with store.write() as tx:
                compare(self.answers(tx), expected)
        with self.stores[1].read() as questions:
            compare(self.answers(questions), expected)

    def answers(self, ask: Asked) -> dict[str, object]:
        executions, frames = list(range(8)), sorted(self.oracle.all_frames)
        lists = LISTED[self.steps % PARTS :: PARTS]
        return (
            executions_asked(ask, executions, lists) | frames_asked(ask, frames) | work_asked(ask) | messages_asked(ask)
        )


def compare(found: dict[str, object], expected: dict[str, object]) -> None:
    wrong = {question: (found[question], answer) for question, answer in expected.items() if found[question] != answer}
    assert wrong == {}


FILTERS = [
    ExecutionFilter(), ExecutionFilter(statuses=(Status.RUNNING,)), ExecutionFilter(since=T0 + 2, until=T0 + 5),
    ExecutionFilter(statuses=(Status.FAILED,), workflow="k2"), ExecutionFilter(workflow="k1"),
    ExecutionFilter(statuses=(Status.SUCCEEDED,), workflow="k1"),
    ExecutionFilter(statuses=(Status.ABORTED, Status.FAILED)), ExecutionFilter(error="E", since=T0 + 1),
    ExecutionFilter(error="E", statuses=(Status.FAILED,)), ExecutionFilter(tags=(("b", "1"),)),
    ExecutionFilter(tags=(("b", "1"), ("a", "x")), workflow="k1"), ExecutionFilter(tags=(("a", "y"),)),
    ExecutionFilter(name_contains="B", since=T0 + 2, until=T0 + 9), ExecutionFilter(name_contains="_1"),
    ExecutionFilter(name_contains="%", workflow="k1"), ExecutionFilter(name_contains="é"),
    ExecutionFilter(run=1), ExecutionFilter(run=2, statuses=(Status.RUNNING,), name_contains="b"),
]  # fmt: skip
ORDERS = [Order(key, descending) for key in SortKey for descending in (False, True)]
#: Every filter in every order; whole, and a part from the middle.
LISTED = [
    (wanted, ExecutionPage(limit, order, after))
    for wanted in FILTERS
    for order in ORDERS
    for limit, after in (
        (50, None), (2, ("a", "k1") if order.key is SortKey.NAME else (2, 3) if order.key is SortKey.DURATION
                     else (2 if wanted.run else T0 + 3, 4)),
    )
]  # fmt: skip


#: After each step one part of the lists is asked for, and the next one after the next: 350 steps ask for each 70 times.
#: It shares no divisor with the numbers of filters, orders and pages, so that each part has something of all of them.
PARTS = 5


def executions_asked(
    ask: Asked, ids: list[int], lists: list[tuple[ExecutionFilter, ExecutionPage]]
) -> dict[str, object]:
    forks = [(frame, activation) for frame in (1, 2) for activation in (1, 2)]
    found: dict[str, object] = {
        f"list_executions {wanted} {page}": ask.list_executions(wanted, page) for wanted, page in lists
    }
    found |= {f"count {wanted}": ask.count_matching(wanted) for wanted in FILTERS}
    found |= {f"ids {wanted}": ask.matching_executions(wanted) for wanted in FILTERS}
    found |= {f"find {text}": ask.find(text, 3) for text in ("a", "ref-00000", "ref-000002", "")}  # fmt: skip
    return found | {
        "executions": ask.executions(ids),
        "execution": [ask.execution(id) for id in ids],
        "refs": ask.refs(ids),
        "execution_named": [ask.find_execution(workflow, "a") for workflow in KEYS_OF],
        "latest": ask.latest(),
        "current_definition": [ask.current_definition(name) for name in KEYS_OF],
        "workflows": ask.workflows(),
        "versions": [ask.versions(name) for name in KEYS_OF],
        "version_of_text": [ask.version_of_text(name, f"d{n}") for name in KEYS_OF for n in range(3)],
        "newest_number": [ask.newest_number(name) for name in KEYS_OF],
        "aliases": [ask.aliases(name) for name in KEYS_OF],
        "running_on_version": [ask.running_on_version(version(n, f"d{n}", name)) for name in KEYS_OF for n in range(3)],
        "overdue": [ask.overdue(T0 + 3, 3, tree) for tree in TREES],
        "pending_executions": [ask.pending_executions(*fork, 5, 2) for fork in forks],
        "failed_executions": [ask.failed_executions(*fork) for fork in forks],
        "executions_outputs": [ask.executions_outputs(*fork) for fork in forks],
        "open_executions": [ask.open_executions(frame) for frame in (1, 2)],
        "run_results": [ask.run_results(run, 4, 2) for run in (1, 2)],
        "map_run": [ask.map_run(frame, activation) for frame in (1, 2) for activation in (1, 2, 3)],
        "map_runs": [ask.map_runs(), ask.map_runs(1, 2)],
        "find_map_run": [ask.find_map_run("run-1"), ask.find_map_run("run-")],
        "history": [(ask.history(id), ask.history(id, 2, 3)) for id in ids],
    }


def frames_asked(ask: Asked, ids: list[int]) -> dict[str, object]:
    forks = [(id, activation) for id in ids for activation in (1, 2)]
    return {
        "frames": ask.frames(ids),
        "ready_frames": [ask.ready_frames(3, tree) for tree in TREES],
        "has_ready": [ask.has_ready(tree) for tree in TREES],
        "roots": sorted(ask.roots([1, 2, 9]), key=lambda frame: frame.id),
        "children": [ask.children(*fork) for fork in forks],
        "pending_children": [ask.pending_children(*fork, 3, 2) for fork in forks],
        "outputs": [ask.outputs(*fork) for fork in forks],
        "descendants": [ask.descendants(id) for id in ids],
        "open_frames": [ask.open_frames(execution) for execution in (1, 2, 3)],
    }


def work_asked(ask: Asked) -> dict[str, object]:
    either = frozenset(KEYS_OF)
    ways = [(tree, worker) for tree in TREES for worker in (None, *KEYS_OF)]
    return {
        "jobs": ask.jobs(list(range(9))),
        "job_of": [ask.job_of(frame) for frame in range(1, 7)],
        "jobs_of": [ask.jobs_of(execution) for execution in range(4)],
        "handed_over": ask.handed_over(2),
        "claimable": [ask.claimable(T0 + 3, 3, tree=tree) for tree in TREES],
        "claimable in a queue": [ask.claimable(T0 + 3, 3, tree=tree, queue="k1") for tree in TREES],
        "claimable by a worker": [
            ask.claimable(T0 + 3, 3, tree=tree, resources=frozenset(names), queue=queue)
            for tree in TREES for names in ([], ["k2"]) for queue in (None, "k2")
        ],
        "has_free": [ask.has_free(T0 + 3, frozenset(KEYS_OF[:n]), tree=tree) for tree in TREES for n in range(3)],
        "has_free in queues": [ask.has_free(T0 + 3, either, tree=t, queues=frozenset(["k2"])) for t in TREES],
        "queues": ask.queues(),
        "waiting_resources": ask.waiting_resources(),
        "lost": [ask.lapsed_jobs(T0 + 3, 2, tree) for tree in TREES],
        "held": [ask.leased_to(worker) for worker in KEYS_OF],
        "leases": [ask.leases(worker, range(40)) for worker in KEYS_OF],
        "workers": ask.workers(),
        "due_timers": [ask.due_timers(T0 + 3, 3, *way) for way in ways],
        "due_timers_of": sorted(ask.due_timers_of([1, 2, 9], T0 + 3)),
        "due_among": sorted(ask.due_among(range(4), T0 + 3)),
        "timers_of": [ask.timers_of(execution) for execution in range(4)],
        "next_due": [ask.next_due(*way) for way in ways],
    }  # fmt: skip


def messages_asked(ask: Asked) -> dict[str, object]:
    waits = [
        WaitFilter(), WaitFilter(limit=2, after=2), WaitFilter("k1"), WaitFilter("k2", '"a"'),
        WaitFilter(workflow="k1"), WaitFilter("k1", '"A"', "k1"), WaitFilter("k1", limit=2, after=1),
    ]  # fmt: skip
    listed = [
        MessageFilter(T0 + 3), MessageFilter(T0 + 3, "k1"), MessageFilter(T0 + 3, "k2", '"A"', limit=1),
        MessageFilter(T0, status=MessageStatus.EXPIRED), MessageFilter(T0 + 3, status=MessageStatus.BUFFERED),
        MessageFilter(T0, "k1", '"a"', MessageStatus.CONSUMED, before_id=4), MessageFilter(T0, limit=2, before_id=4),
    ]  # fmt: skip
    pairs = [(key, value) for key in KEYS_OF for value in VALUES_OF]
    return {
        "subscriptions": [(ask.subscriptions(*p), ask.subscriptions(*p, kind="n", limit=1)) for p in pairs],
        "subscriptions_of": [ask.subscriptions_of(execution) for execution in range(4)],
        "near_subscriptions": [ask.near_subscriptions(key, '"a"', 2) for key in KEYS_OF],
        "open_waits": [ask.open_waits(wanted) for wanted in waits],
        "past_waits": [ask.past_waits(key, '"a"', 3) for key in KEYS_OF],
        "buffered_message": [ask.buffered_message(*pair, T0 + 3) for pair in pairs],
        "buffered_message for a wait": [
            ask.buffered_message(key, '"A"', now, skip, kind=kind, execution=execution)
            for key in KEYS_OF for now in (T0, T0 + 3) for skip in ((), (1, 3)) for kind in "sn" for execution in (1, 2)
        ],
        "message": [ask.message(id) for id in range(6)],
        "message_sent": [ask.find_message(*pair, sent) for pair in pairs for sent in KEYS_OF],
        "messages_named": [ask.find_messages(sent, 2) for sent in KEYS_OF],
        "near_messages": [ask.near_messages(key, '"a"', 3) for key in KEYS_OF],
        "list_messages": [ask.list_messages(wanted) for wanted in listed],
        "stale": [ask.stale(T0 + 3 + days * DAY, limit) for days in (0, 1, 7) for limit in (2, 9)],
    }  # fmt: skip


TestModel = Model.TestCase
TestModel.settings = settings(
    max_examples=14, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
