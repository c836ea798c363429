"""One thread notices what is committed, whoever commits it, and tells all who follow."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from sm_cli.engine.engine import Engine
from sm_cli.project.library import Library
from sm_cli.project.project import ProjectSettings
from sm_cli.server import feed as feed_module
from sm_cli.server.api.histories import stream_events
from sm_cli.server.backend import Backend
from sm_cli.server.feed import Feed, News, wait_for_end
from sm_cli.store.open import open_store
from sm_cli.store.records import Execution
from tests.engine.workers import workflow

#: Waits for a message, and then for the next one.
CHOICE = {"Type": "Choice", "Choices": [{"Variable": "$.stop", "IsPresent": True, "Next": "E"}], "Default": "M"}
ROUND = {
    "StartAt": "M",
    "States": {
        "M": {"Type": "Message", "CorrelationKey": "order", "CorrelationValue": 1, "Next": "C"},
        "C": CHOICE,
        "E": {"Type": "Succeed"},
    },
}


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
    execution = engine.start(workflow(ROUND), {})[0]

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


def publish_many(here: Followed, number: int) -> None:
    """So many commits, each with an event of the execution that is followed."""
    for _ in range(number):
        sent = here.engine.publish("order", 1)
        assert sent.outcome == "delivered", "it waits again"


def test_what_a_follower_does_not_take_is_not_kept_for_it(url: str) -> None:
    async def work(here: Followed) -> None:
        feed = here.feed
        with feed.following(here.execution) as deaf, feed.following(here.execution) as awake:
            last = 0
            for _ in range(3 * feed_module._MOST_UNREAD // 2):
                await asyncio.to_thread(publish_many, here, 1)
                news = await awake.get()
                assert news is not None and not news.has_gap
                last = news.lines[-1].number if news.lines else last
                assert deaf.qsize() <= feed_module._MOST_UNREAD
            first = await deaf.get()
            assert first is not None and first.has_gap and first.lines == []
            numbers = [line.number for news in _all_of(deaf) for line in news.lines]
            assert numbers == list(range(numbers[0], last + 1))  # nothing is lost behind the gap

    follow(url, work)


def _all_of(queue: asyncio.Queue[News | None]) -> list[News]:
    found: list[News] = []
    while not queue.empty():
        news = queue.get_nowait()
        assert news is not None
        found.append(news)
    return found


def test_a_server_that_ends_is_heard_by_who_is_behind(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "_MOST_UNREAD", 1)

    async def work(here: Followed) -> None:
        with here.feed.following(here.execution) as deaf:
            here.feed.drain()
            here.feed._tell([(here.feed._topics[here.execution.id], News([], False))])
            heard = [deaf.get_nowait() for _ in range(deaf.qsize())]
        assert None in heard

    follow(url, work)


@pytest.mark.parametrize("unread", [1, 5, 100])
def test_a_stream_that_is_read_slowly_has_every_event_once(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unread: int
) -> None:
    monkeypatch.setattr(feed_module, "_MOST_UNREAD", unread)

    async def work(here: Followed) -> list[int]:
        project = ProjectSettings(tmp_path)
        backend = Backend(here.engine, project, Library(tmp_path / "workflows"), here.feed)
        stream = stream_events(backend, here.execution, 0)
        text = await anext(stream)
        for _ in range(8):
            await asyncio.to_thread(publish_many, here, 2)
            await _told(here)
            text += await anext(stream)
        await here.end()
        async for part in stream:
            text += part
        backend.close()
        assert text.count(b"event: end") == 1
        return [int(number) for number in re.findall(rb"^id: (\d+)$", text, re.MULTILINE)]

    numbers = follow(url, work)
    assert len(numbers) > 32
    assert numbers == list(range(1, len(numbers) + 1))


async def _told(here: Followed) -> None:
    """Wait until the thread has read what is written by now."""
    current = here.engine.find(here.execution.ref)
    topic = here.feed._topics[here.execution.id]
    while topic.last < current.events:
        await asyncio.sleep(0.005)


def test_all_followers_of_an_execution_cost_one_reading(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    readings: list[int] = []
    read = Feed._read

    def count(feed: Feed) -> None:
        readings.append(1)
        read(feed)

    monkeypatch.setattr(Feed, "_read", count)

    async def work(here: Followed) -> None:
        with ExitStack() as stack:
            queues = [stack.enter_context(here.feed.following(here.execution)) for _ in range(200)]
            await asyncio.sleep(0)
            while here.feed._has_newcomer():
                await asyncio.sleep(0.01)
            await here.end()
            news = [await queue.get() for queue in queues]
        assert len({id(each) for each in news}) == 1  # written once, for all
        assert len(readings) <= 3  # of newcomers, and of the end

    follow(url, work)


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
