"""A process may die at any commit of a batch, and whoever goes on ends with one row for each item and no name twice."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sm_cli.engine.batches import control
from sm_cli.engine.stepping.batch.plan import WORKFLOW
from sm_cli.errors import Conflict
from sm_cli.store.filters import ExecutionFilter, ExecutionPage
from sm_cli.store.protocol import Store
from sm_cli.store.records import Execution
from sm_cli.store.sqlite.memory import MemoryStore
from sm_cli.testing import FakeClock, crash_points
from tests.engine.batches.batching import Batching, Work
from tests.store.asking import asked

#: 30 % of each round fail, and then one pauses for a person.
OPTIONS: dict[str, Any] = {"micro_batch": 4, "pause_at": 20, "concurrency": 2}
ITEMS: list[Any] = [{"n": n} for n in range(10)]


def fails(item: Any) -> bool:
    return bool(item["n"] % 4 == 1)


class Story:
    """Somebody's work on a batch, each step of which may be the last of its process: the next one goes on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = MemoryStore()
        self.clock = FakeClock()
        self.work = Work(fails)

    def batches(self, store: Store | None = None) -> Batching:
        return Batching(self.folder, self.work, store=store or self.store, clock=self.clock)

    def batch(self, batches: Batching) -> Execution:
        """The batch, started unless it is there."""
        rows = asked(self.store).list_executions(ExecutionFilter(workflow=WORKFLOW), ExecutionPage(limit=1))
        return rows[0] if rows else batches.start(self.folder / "items.jsonl", **OPTIONS)

    def resumed(self, store: Store | None = None) -> None:
        """Work on it, and resume it as often as it pauses."""
        batches = self.batches(store)
        batch = self.batch(batches)
        while batches.go_on(batch).status == "RUNNING":
            control.resume(batches.engine, batch)

    def cancelled(self, store: Store | None = None) -> None:
        """Work on its first round, pause and cancel it, and then try again all that did not succeed."""
        batches = self.batches(store)
        batch = self.batch(batches)
        if batches.now(batch).execution.redrives == 0:
            if batches.now(batch).execution.closed is None:
                batches.go_on(batch)
                with_conflict(lambda: control.pause(batches.engine, batch))
                control.cancel(batches.engine, batch)
            control.try_again(batches.engine, batch)
        self.resumed(store)


def with_conflict(act: Callable[[], object]) -> None:
    """It may be paused already."""
    try:
        act()
    except Conflict as refusal:
        assert "already" in refusal.message


def rows(story: Story) -> list[tuple[str, str]]:
    batches = story.batches()
    return [(result.name, result.status) for result in batches.results(story.batch(batches))]


def commits_until_calm(folder: Path, work: str) -> Iterator[tuple[int, bool, Story]]:
    """Each commit of the story, lost and kept: the story after its process has died there and another one went on."""
    for commit in itertools.count(1):
        story = Story(folder)
        for after in (False, True):
            story = Story(folder)
            calm = False
            with crash_points(story.store) as crash:
                getattr(story, work)(crash.at(commit, after=after))
                calm = True
            if not calm:
                getattr(story, work)()
            yield commit, after, story
        if calm:
            return


@pytest.mark.parametrize(("work", "least"), [("resumed", 12), ("cancelled", 12)])
def test_whoever_goes_on_after_a_crash_ends_with_one_row_for_each_item(tmp_path: Path, work: str, least: int) -> None:
    Batching(tmp_path).write(ITEMS)
    expected = [(f"P-{n}", "FAILED" if fails({"n": n}) else "SUCCEEDED") for n in range(10)]
    number = 0
    for number, after, story in commits_until_calm(tmp_path, work):
        assert rows(story) == expected, (number, after)
        names = Counter(execution.name for execution in asked(story.store).list_executions(
            ExecutionFilter(workflow="order"), ExecutionPage(limit=100)))  # fmt: skip
        assert names == Counter(f"P-{n}" for n in range(10)), (number, after)
        successes = Counter(call["n"] for call in story.work.calls if not fails(call))
        assert all(successes[n] >= 1 for n in range(10) if not fails({"n": n}))
        batch = story.batches().now(story.batch(story.batches()))
        assert (batch.status, batch.succeeded, batch.join.failed_items, batch.total) == ("SUCCEEDED", 7, 3, 10)
    assert number >= least
