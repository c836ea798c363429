"""A process may die at any commit of a schedule: each time starts one execution, once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sm_cli.engine.engine import Engine
from sm_cli.errors import Conflict, NotFound
from sm_cli.store.filters import ExecutionFilter, ExecutionPage
from sm_cli.store.open import open_store
from sm_cli.store.protocol import Store
from sm_cli.store.schedules import CatchUp, FiringOutcome, Overlap
from sm_cli.testing import Crash, FakeClock, crash_points
from sm_cli.timestamps import MICROSECONDS
from sm_cli.worker.worker import Worker
from tests.engine.schedules.fixtures import OPEN, microseconds, time_text
from tests.engine.workers import workflow
from tests.store.asking import asked

BEGIN, END = microseconds("2026-03-28T22:30Z"), microseconds("2026-03-29T05:00Z")
STEP = 900 * MICROSECONDS
#: It runs for an hour and a half.
LONG = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 5400, "End": True}}}


def live(store: Store, clock: FakeClock) -> None:
    """A worker is there until END, but for two hours in the night; it fires schedules and stops at a Crash."""
    worker = Worker(Engine(store, clock=clock), {})
    try:
        while clock.now() < END:
            while worker.tick():
                pass
            slept = clock.now() == microseconds("2026-03-29T01:30Z")
            clock.advance_to(clock.now() + (2 * 3600 * MICROSECONDS if slept else STEP))
    finally:
        worker.pool.close()


def prepare(store: Store, overlap: Overlap, catch_up: CatchUp) -> FakeClock:
    clock = FakeClock(BEGIN)
    schedules = Engine(store, clock=clock).schedules
    said: dict[str, Any] = {"cron": "0 * * * *", "zone": "Europe/Berlin", "overlap": overlap, "catch_up": catch_up}
    schedules.add("hourly", workflow(LONG, "w"), {"n": 1}, jitter=1200, **said)
    schedules.add("once", workflow(LONG, "w"), at=BEGIN + 5400 * MICROSECONDS)
    return clock


def shape(store: Store) -> Any:
    """What must not depend on crashes."""
    executions = asked(store).list_executions(ExecutionFilter(), ExecutionPage(limit=1000))
    schedules = asked(store).schedules()
    firings = [(s.name, time_text(f.time), f.outcome.value, f.reason) for s in schedules for f in s.firings]
    return sorted((e.name, e.started, e.status.value) for e in executions), firings, [s.next for s in schedules]


@pytest.mark.parametrize(
    ("overlap", "catch_up"),
    [(Overlap.SKIP, CatchUp.LAST), (Overlap.QUEUE, CatchUp.ALL), (Overlap.ALLOW, CatchUp.NONE)],
)
def test_a_crash_at_any_commit_fires_every_time_once(tmp_path: Path, overlap: Overlap, catch_up: CatchUp) -> None:
    calm = open_store(f"sqlite:{tmp_path}/calm.db?sync=normal")
    clock = prepare(calm, overlap, catch_up)
    before = calm.commits
    live(calm, clock)
    commits, wanted = calm.commits - before, shape(calm)
    calm.close()
    assert commits > 10
    assert {outcome for _, _, outcome, _ in wanted[1]} > {"started"}
    for commit in range(1, commits + 1):
        for after in (False, True):
            with closing(open_store(f"sqlite:{tmp_path}/{commit}{after}.db?sync=normal")) as store:
                clock = prepare(store, overlap, catch_up)
                with crash_points(store) as points:
                    live(points.at(commit, after=after), clock)
                live(store, clock)
                assert shape(store) == wanted, f"commit {commit}, {'after' if after else 'before'}"


Act = Callable[[Engine], object]
ACTS: dict[str, Act] = {
    "add": lambda engine: engine.schedules.add("new", workflow(OPEN, "w"), {"n": 1}, every=60),
    "add large": lambda engine: engine.schedules.add("new", workflow(OPEN, "w"), {"n": "x" * 100_000}, every=60),
    "pause": lambda engine: engine.schedules.pause("old"),
    "resume": lambda engine: engine.schedules.resume("asleep"),
    "remove": lambda engine: engine.schedules.remove("old"),
    "run_now": lambda engine: engine.schedules.run_now("old"),
}


def household(store: Store) -> Engine:
    engine = Engine(store, clock=FakeClock(BEGIN))
    engine.schedules.add("old", workflow(OPEN, "w"), {"n": "y" * 100_000}, every=3600)
    engine.schedules.add("asleep", workflow(OPEN, "w"), every=3600)
    engine.schedules.pause("asleep")
    return engine


def state(store: Store) -> Any:
    executions = asked(store).list_executions(ExecutionFilter(), ExecutionPage())
    with store.read() as questions:
        uses = questions.session.connection.execute("SELECT id, uses FROM blob_uses ORDER BY id").fetchall()
    return asked(store).schedules(), [execution.name for execution in executions], uses


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("after", [False, True])
def test_a_command_that_dies_at_its_commit_has_done_all_or_nothing(tmp_path: Path, act: str, after: bool) -> None:
    with closing(open_store(str(tmp_path / "sm.db"))) as store:
        household(store)
        untouched = state(store)
        doomed = Engine(crash_points(store).at(1, after=after), clock=FakeClock(BEGIN))
        with pytest.raises(Crash):
            ACTS[act](doomed)
        store.close()
        with closing(open_store(str(tmp_path / "calm.db"))) as calm:
            household(calm)
            store = open_store(str(tmp_path / "sm.db"))
            if not after:
                assert state(store) == untouched
                ACTS[act](Engine(store, clock=FakeClock(BEGIN)))
            ACTS[act](Engine(calm, clock=FakeClock(BEGIN)))
            assert state(store) == state(calm)


def test_a_command_that_is_given_again_after_a_crash_does_it_no_second_time(tmp_path: Path) -> None:
    with closing(open_store(str(tmp_path / "sm.db"))) as store:
        engine = household(store)
        for act in ("add", "pause", "resume", "remove", "run_now"):
            doomed = Engine(crash_points(store).at(1, after=True), clock=FakeClock(BEGIN))
            if act == "run_now":
                ACTS["add"](engine)
                with pytest.raises(Crash):
                    doomed.schedules.run_now("new")
                with pytest.raises(Conflict, match="still runs"):
                    engine.schedules.run_now("new")
                continue
            with pytest.raises(Crash):
                ACTS[act](doomed)
            once = state(store)
            if act == "remove":
                with pytest.raises(NotFound):
                    ACTS[act](engine)
            else:
                ACTS[act](engine)
            assert state(store) == once
        (only,) = asked(store).list_executions(ExecutionFilter(), ExecutionPage())
        assert engine.schedules.find("new").firings[-1].outcome is FiringOutcome.STARTED
        assert engine.schedules.find("new").firings[-1].execution == only.ref
