"""One thread notices what is committed, whoever commits it, and tells all who follow."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from sm_cli.engine.engine import Engine
from sm_cli.server.feed import Feed, News, wait_for_end
from sm_cli.store.open import open_store
from sm_cli.store.records import Execution
from tests.engine.workers import workflow
from tests.server.serving import MESSAGE


class Followed:
    """An execution that waits, a feed over its database, and an engine of another process."""

    def __init__(self, engine: Engine, feed: Feed, execution: Execution) -> None:
        self.engine = engine
        self.feed = feed
        self.execution = execution

    async def end(self) -> None:
        await asyncio.to_thread(self.engine.stop, self.execution)


def follow(url: str, work: Callable[[Followed], Awaitable[Any]]) -> Any:
    other, watched = open_store(url), open_store(url)
    engine, feed = Engine(other), Feed(watched)
    execution = engine.start(workflow(MESSAGE), {"id": 1})[0]

    async def main() -> Any:
        feed.start()
        try:
            async with asyncio.timeout(30):
                return await work(Followed(engine, feed, execution))
        finally:
            feed.close()

    try:
        return asyncio.run(main())
    finally:
        other.close()
        watched.close()


def test_every_follower_hears_of_what_another_process_did(url: str) -> None:
    async def work(here: Followed) -> None:
        feed, execution = here.feed, here.execution
        with feed.following(execution) as one, feed.following(execution) as two:
            assert feed.followers == 2
            await here.end()
            for queue in (one, two):
                news = await queue.get()
                assert news is not None
                assert [b"ExecutionAborted" in line.text for line in news.lines] == [True]
                assert news.is_closed
        assert feed.followers == 0

    follow(url, work)


def test_what_was_written_between_reading_and_following_is_told(url: str) -> None:
    async def work(here: Followed) -> None:
        await here.end()
        with here.feed.following(here.execution) as queue:
            news = await queue.get()
        assert news is not None
        assert news.is_closed

    follow(url, work)


def test_who_wants_no_events_gets_none(url: str) -> None:
    async def work(here: Followed) -> News | None:
        with here.feed.following(here.execution, events=False) as queue:
            await here.end()
            return await queue.get()

    assert follow(url, work) == News([], True)


@pytest.mark.parametrize("ends", [True, False])
def test_who_waits_for_an_end_is_told_whether_it_came(url: str, ends: bool) -> None:
    async def work(here: Followed) -> bool:
        waiting = asyncio.create_task(wait_for_end(here.feed, here.execution, 30 if ends else 0.05))
        if ends:
            await here.end()
        return await waiting

    assert follow(url, work) is ends


def test_any_change_rings_for_who_wants_to_know(url: str) -> None:
    async def work(here: Followed) -> None:
        changes = here.feed.changes(every=0)
        await anext(changes)  # the first look shows what is there
        await here.end()
        await anext(changes)
        await changes.aclose()

    follow(url, work)


def test_a_feed_that_drains_lets_everybody_go(url: str) -> None:
    async def work(here: Followed) -> None:
        with here.feed.following(here.execution) as queue:
            here.feed.drain()
            assert await queue.get() is None
        assert not await wait_for_end(here.feed, here.execution, 30)
        assert [each async for each in here.feed.changes()] == []

    follow(url, work)
