"""A message against its timeout, against a crash, and against itself five times: one path each, one handler run."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sm_cli.engine.engine import Engine
from sm_cli.engine.send_message import SendOutcome, send
from sm_cli.engine.settings import Settings
from sm_cli.engine.stepping.tick import Tick
from sm_cli.jsonvalue import folded_text
from sm_cli.store.messages import MessageFilter, MessageStatus
from sm_cli.store.open import open_store
from sm_cli.store.protocol import Store
from sm_cli.store.records import Execution, Status
from sm_cli.store.sqlite.memory import MemoryStore
from sm_cli.testing import Crash, FakeClock, crash_points
from tests.engine.waiting import now, order, rest, start, ticked, work
from tests.postgres.server import stores
from tests.store.asking import asked
from tests.stores import database

SECOND = 1_000_000
T0 = FakeClock().now()
DUE = T0 + 60 * SECOND
COUNT, COPIES = 100, 5


def one_path_each(store: Store, waiting: list[Execution], runs: list[str]) -> Counter[str]:
    """Every execution has ended on exactly one of its two paths, with one run of one handler."""
    assert len(runs) == len(set(runs)) == len(waiting)
    paths: Counter[str] = Counter()
    for e in waiting:
        ended = now(store, e)
        assert ended.status is Status.SUCCEEDED
        assert isinstance(ended.output, dict)
        path = str(ended.output["by"])
        paths[path] += 1
        events = asked(store).history(e.id)
        assert [event.number for event in events] == list(range(1, len(events) + 1))
        seen = Counter(event.type for event in events)
        received, timed_out = (1, 0) if path == "paid" else (0, 1)
        assert (seen["MessageReceived"], seen["MessageTimedOut"]) == (received, timed_out)
        assert seen["MessageStateExited"] == seen["TaskSucceeded"] == seen["ExecutionSucceeded"] == 1
        assert ("approved" in ended.output) == (path == "paid")
        assert rest(store, e) == []
    return paths


def accounted_for(store: Store, waiting: list[Execution], *, named: bool) -> None:
    """Every copy of every message was consumed by its execution, or is kept, and says what it came too late for."""
    per_value: dict[str, list[MessageStatus]] = {}
    for m in asked(store).list_messages(MessageFilter(DUE, limit=10_000)):
        per_value.setdefault(m.value, []).append(m.status)
        copies = asked(store).near_messages("orderId", folded_text(m.value), 9)
        if not any(copy.receivers for copy in copies):
            assert [late.how for late in m.late] == ["timeout"]
    assert len(per_value) == len(waiting)
    for statuses in per_value.values():
        assert len(statuses) == (1 if named else COPIES)
        assert statuses.count(MessageStatus.CONSUMED) <= 1


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("together", [True, False])
def test_37_a_message_and_its_due_timeout_take_one_path(store: Store, named: bool, together: bool) -> None:
    clock = FakeClock()
    engine = Engine(store, clock=clock)
    waiting = [start(engine, order(), {"orderId": f"O-{n}"}) for n in range(COUNT)]
    clock.advance_to(DUE)
    chance = random.Random(37)
    for n, e in enumerate(waiting):
        timers = asked(store).timers_of(e.id)
        assert [t.due for t in timers] == [DUE]

        def message(tick: Tick, n: int = n) -> None:
            send(tick, "orderId", f"O-{n}", {"approved": True}, ttl=9 * SECOND, message_id="m" if named else None)

        def timeout(tick: Tick, e: Execution = e) -> None:
            tick.due(tree=e.id)

        happens: list[Callable[[Tick], None]] = [message] * COPIES + [timeout] * 2
        chance.shuffle(happens)

        def all_of_it(tick: Tick, happens: list[Callable[[Tick], None]] = happens) -> None:
            for what in happens:
                what(tick)

        for what in [all_of_it] if together else happens:
            engine.transact(what)
    runs: list[str] = []
    work(engine, runs)
    paths = one_path_each(store, waiting, runs)
    assert paths["paid"] > 0
    assert paths["late"] > 0
    accounted_for(store, waiting, named=named)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with database(request.param, tmp_path) as made:
        yield made


@pytest.mark.parametrize("named", [True, False])
def test_37_three_engines_on_one_database_take_one_path(url: str, named: bool) -> None:
    clock = FakeClock()
    with stores(url, 3) as opened:
        engines = [Engine(store, clock=clock, settings=Settings(fanout=3)) for store in opened]
        waiting = [start(engines[0], order(), {"orderId": f"O-{n}"}) for n in range(COUNT)]
        clock.advance_to(DUE)
        begin = threading.Barrier(3)
        runs: list[str] = []
        failed: list[BaseException] = []

        def alone(doing: Callable[[], object]) -> None:
            try:
                begin.wait()
                doing()
            except BaseException as e:  # told to the test below
                failed.append(e)

        def send() -> None:
            for n in random.Random(1).sample(range(COUNT), COUNT):
                for _ in range(COPIES):
                    engines[0].publish("orderId", f"O-{n}", {"approved": True}, message_id="m" if named else None)

        def fire(engine: Engine, name: str) -> None:
            while any(
                asked(store).timers_of(e.id) or asked(store).jobs_of(e.id) for store in opened[:1] for e in waiting
            ):
                engine.transact(lambda tick: tick.due(limit=2))
                work(engine, runs, name)

        threads = [
            threading.Thread(target=alone, args=(doing,))
            for doing in (send, lambda: fire(engines[1], "one"), lambda: fire(engines[2], "two"))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == []
        work(engines[0], runs)
        one_path_each(opened[0], waiting, runs)
        accounted_for(opened[0], waiting, named=named)


# -- crashes ---------------------------------------------------------------------------------------


class Files:
    """One store that outlives its processes."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.store: Store = MemoryStore() if path is None else open_store(f"sqlite:{path}?sync=normal")

    def again(self) -> Store:
        if self.path is not None:
            self.store.close()
            self.store = open_store(f"sqlite:{self.path}?sync=normal")
        return self.store


def lived(files: Files, deaths: list[tuple[int, bool]], fanout: int, *, early: bool) -> tuple[int, list[str]]:
    """Two executions wait, one message is sent, tasks run; whoever dies begins again with what it was doing.

    Returns (commits, outcomes that the sender saw).
    """
    clock = FakeClock()
    commits, seen, left = 0, [], list(deaths)

    def doing(what: Callable[[Engine], object]) -> None:
        nonlocal commits
        while True:
            store = files.store
            death = left[0] if left else None
            doomed = store if death is None else crash_points(store).at(max(1, death[0] - commits), after=death[1])
            before = store.commits
            try:
                what(Engine(doomed, clock=clock, settings=Settings(fanout=fanout)))
            except Crash:
                left.pop(0)
                commits += store.commits - before
                files.again()
                continue
            commits += store.commits - before
            return

    def begin(engine: Engine) -> None:
        for n in range(2):
            engine.start(order(), {"orderId": "A"}, name=f"e{n}")

    def send(engine: Engine) -> None:
        seen.append(engine.publish("orderId", "A", {"approved": True}, message_id="m", ttl=600).outcome.value)

    def step(engine: Engine) -> None:
        ticked(engine)
        work(engine)

    def a_minute_later(engine: Engine) -> None:
        """A timeout, and the leases of whoever died, have run out."""
        clock.advance_to(clock.now() + 60 * SECOND)
        step(engine)

    for what in (send, begin, step) if early else (begin, send, step):
        doing(what)
    for _ in range(3):
        doing(a_minute_later)
    return commits, seen


def outcome(store: Store) -> list[object]:
    ended = {e.id: e for e in (asked(store).find(f"e{n}")[0] for n in range(2))}
    (message,) = asked(store).list_messages(MessageFilter(DUE))
    types = [
        [event.type for event in asked(store).history(e.id) if event.type != "TaskStarted"] for e in ended.values()
    ]
    return [
        [(e.status, e.output) for e in ended.values()], types, message.status, message.count,
        [ended[id].name for id in message.receivers], [rest(store, e) for e in ended.values()],
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize(("fanout", "early"), [(500, False), (1, False), (0, False), (500, True)])
def test_a_crash_at_any_commit_of_sending_and_receiving_changes_nothing(
    tmp_path: Path, kind: str, fanout: int, early: bool
) -> None:
    calm_files = Files(tmp_path / "calm.db" if kind == "sqlite" else None)
    commits, seen = lived(calm_files, [], fanout, early=early)
    calm = outcome(calm_files.store)
    assert seen == [SendOutcome.BUFFERED.value if early else SendOutcome.DELIVERED.value]
    assert commits >= 6
    for commit in range(1, commits + 1):
        for after in (False, True):
            files = Files(tmp_path / f"{commit}{after}.db" if kind == "sqlite" else None)
            _, answers = lived(files, [(commit, after)], fanout, early=early)
            assert outcome(files.store) == calm, f"commit {commit}, {'after' if after else 'before'}"
            assert answers[-1] in (*seen, SendOutcome.DUPLICATE.value)
            files.store.close()
    calm_files.store.close()
