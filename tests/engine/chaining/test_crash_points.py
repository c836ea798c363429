"""A process that starts an execution from another one may die at any commit: the execution and its link are both there,
or neither is."""

from __future__ import annotations

import pytest

from sm_cli.engine.chaining.source import Source
from sm_cli.engine.engine import Engine
from sm_cli.engine.retention import prune
from sm_cli.errors import Conflict
from sm_cli.store.protocol import Store
from sm_cli.store.sqlite.memory import MemoryStore
from sm_cli.testing import FakeClock, crash_points
from tests.engine.chaining.chains import A, B, count, links, run


@pytest.mark.parametrize("after", [False, True], ids=["before the commit", "after the commit"])
@pytest.mark.parametrize("state", [None, "P1"])
def test_the_start_and_its_link_are_one(state: str | None, after: bool) -> None:
    store = MemoryStore()
    clock = FakeClock()
    calm = Engine(store, clock=clock)
    a = run(calm, A)
    with crash_points(store) as crash:
        Engine(crash.at(1, after=after), clock=clock).start(B, source=Source(a, state, unique=True))
    assert (count(calm), [link.state for link in links(calm)]) == ((2, [state]) if after else (1, []))
    if after:
        with pytest.raises(Conflict, match="has led to an execution of workflow B already"):
            calm.start(B, source=Source(a, state, unique=True))
    else:
        calm.start(B, source=Source(a, state, unique=True))
    assert (count(calm), [link.state for link in links(calm)]) == (2, [state])


def deleted(store: Store, clock: FakeClock) -> int:
    """Old executions are; how many are left."""
    prune(store, clock.now())
    return count(Engine(store, clock=clock))


@pytest.mark.parametrize("after", [False, True], ids=["before the commit", "after the commit"])
def test_deleting_executions_leaves_no_link_without_either(after: bool) -> None:
    for commit in range(1, 20):
        store, clock = MemoryStore(), FakeClock()
        engine = Engine(store, clock=clock)
        a = run(engine, A)
        for _ in range(3):
            a = run(engine, B, source=Source(a))
        clock.advance_to(clock.now() + 1_000_000)
        with crash_points(store) as crash:
            deleted(crash.at(commit, after=after), clock)
        left = {link.target for link in links(engine)} | {link.source for link in links(engine)}
        assert (count(engine) > 0) == bool(left)
        assert deleted(store, clock) == 0
        assert links(engine) == []
    assert commit == 19
