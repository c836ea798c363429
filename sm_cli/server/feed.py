"""The feed: one thread notices what is committed, whoever commits it, and tells all who follow.

Followers wait in the event loop and ask nothing. The thread looks whether anything was written, and only when
it was does it read what is new, once for each execution that somebody follows, however many do.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from sm_cli.errors import DatabaseError
from sm_cli.server.streams import StreamLine, lines_of

if TYPE_CHECKING:
    from sm_cli.views.records import Execution, Store

log = logging.getLogger("sm.server")

#: Seconds between two looks whether anything was written, and between two readings while much is.
_LOOK, _READING = 0.01, 0.04
#: A reading may take so much of one processor, until followers would hear too late.
_SHARE, _LONGEST = 0.1, 0.12
#: News that wait for one follower.
_MOST_UNREAD = 100
#: Seconds after which a database that did not answer is asked again.
_AWAY = 0.5


class News(NamedTuple):
    """What became of an execution since its followers heard of it last."""

    #: New events, in order, as they stand in a stream: written once for all; none where no follower wants any.
    lines: list[StreamLine]
    #: Whether it is closed now, or gone.
    is_closed: bool
    #: Whether something that came before is not here: the follower was too slow, and has to read it.
    has_gap: bool = False
    #: The lines as they go over the line, put together once for all followers.
    text: bytes = b""


class Topic:
    """An execution that somebody follows. last: the number of the last event that was told."""

    def __init__(self, execution: Execution) -> None:
        self.id = execution.id
        self.last = execution.events
        self.is_closed = execution.closed is not None
        self.queues: set[asyncio.Queue[News | None]] = set()
        self.event_followers = 0


class Feed:
    """Tells followers of the event loop that it was started in what the thread reads.

    store: a connection of its own, which alone asks whether anything was written.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._topics: dict[int, Topic] = {}
        self._bells: set[asyncio.Event] = set()
        self._lock = threading.Lock()
        self._wanted, self._over = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._commits = store.commits

    def start(self) -> None:
        """Begin; called in the event loop."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="sm-feed", daemon=True)
        self._thread.start()

    def drain(self) -> None:
        """Let every follower end; called in the event loop. Who comes later ends at once."""
        self._over.set()
        for topic in [*self._topics.values()]:
            for queue in topic.queues:
                queue.put_nowait(None)
        for bell in self._bells:
            bell.set()

    def close(self) -> None:
        """End the thread."""
        self._over.set()
        self._wanted.set()
        if self._thread is not None:
            self._thread.join()

    @property
    def followers(self) -> int:
        """How many follow something now."""
        return sum(len(topic.queues) for topic in self._topics.values()) + len(self._bells)

    # -- following: in the event loop ------------------------------------------------------------

    @contextmanager
    def following(self, execution: Execution, *, events: bool = True) -> Iterator[asyncio.Queue[News | None]]:
        """A queue of what is new of the execution from here on: whatever was written after it was read; None: the
        server ends. Without `events` only its end is told."""
        queue: asyncio.Queue[News | None] = asyncio.Queue()
        with self._lock:
            topic = self._topics.get(execution.id)
            if topic is None:
                topic = self._topics[execution.id] = Topic(execution)
            topic.queues.add(queue)
            topic.event_followers += events
        if self._over.is_set():
            queue.put_nowait(None)
        self._wanted.set()
        try:
            yield queue
        finally:
            with self._lock:
                topic.queues.discard(queue)
                topic.event_followers -= events
                if not topic.queues:
                    self._topics.pop(topic.id, None)

    async def changes(self, every: float = 0.25) -> AsyncGenerator[None]:
        """Once for each time that anything was written, but no more often than `every` so many seconds; ends with the
        server."""
        bell = asyncio.Event()
        self._bells.add(bell)
        self._wanted.set()
        try:
            while not self._over.is_set():
                await bell.wait()
                bell.clear()
                if self._over.is_set():
                    return
                yield
                await asyncio.sleep(every)
        finally:
            self._bells.discard(bell)

    # -- noticing: in the thread -------------------------------------------------------------------

    def _run(self) -> None:
        is_first = True
        while not self._over.is_set():
            if not self._topics and not self._bells:
                self._wanted.clear()
                if not self._topics and not self._bells and not self._over.is_set():
                    self._wanted.wait()
                is_first = True  # what was written while nobody listened
            try:
                if self._notice() or is_first or self._has_newcomer():
                    is_first = False
                    begin = time.monotonic()
                    self._read()
                    self._over.wait(min(_LONGEST, max(_READING, (time.monotonic() - begin) / _SHARE)))
                else:
                    self._over.wait(_LOOK)
            except DatabaseError as e:
                log.warning("followers wait: %s", e.message)
                self._over.wait(_AWAY)
                is_first = True

    def _has_newcomer(self) -> bool:
        """Whether somebody came since the last reading: what was written before is theirs, too."""
        if self._wanted.is_set():
            self._wanted.clear()
            return True
        return False

    def _notice(self) -> bool:
        changed = self._store.changed()
        before, self._commits = self._commits, self._store.commits
        return changed or before != self._commits

    def _read(self) -> None:
        """Read what is new, from one snapshot, and hand it to the event loop in one call."""
        with self._lock:
            topics = [*self._topics.values()]
        news: list[tuple[Topic, News]] = []
        if topics:
            with self._store.read() as questions:
                executions = questions.short_executions([topic.id for topic in topics])
                for topic in topics:
                    execution = executions.get(topic.id)
                    last = topic.last if execution is None else execution.events
                    is_closed = execution is None or execution.closed is not None
                    if last == topic.last and is_closed == topic.is_closed:
                        continue
                    new = questions.history(topic.id, after=topic.last) if topic.event_followers else []
                    lines = lines_of([event for event in new if event.number <= last])
                    news.append((topic, News(lines, is_closed, text=b"".join(line.text for line in lines))))
                    topic.last, topic.is_closed = last, is_closed
        assert self._loop is not None
        try:
            self._loop.call_soon_threadsafe(self._tell, news)
        except RuntimeError:  # the loop has ended, and nobody listens
            self._over.set()

    def _tell(self, news: list[tuple[Topic, News]]) -> None:
        for topic, new in news:
            for queue in topic.queues:
                _put(queue, new)
        for bell in self._bells:
            bell.set()


def _put(queue: asyncio.Queue[News | None], news: News) -> None:
    """Hand it over. Who has not read for long gets one word that it is behind, in the place of all that waits: the
    database has the rest, and memory does not grow by who does not read."""
    if queue.qsize() >= _MOST_UNREAD:
        is_ending = False
        while not queue.empty():
            is_ending = queue.get_nowait() is None or is_ending
        news = News([], news.is_closed, has_gap=True)
        if is_ending:
            queue.put_nowait(None)
    queue.put_nowait(news)


async def wait_for_end(feed: Feed, execution: Execution, seconds: float) -> bool:
    """Wait until the execution is closed, at most so long; False when it was not, or the server ends."""
    end = time.monotonic() + seconds
    with feed.following(execution, events=False) as queue:
        while (remaining := end - time.monotonic()) > 0:
            try:
                async with asyncio.timeout(remaining):
                    news = await queue.get()
            except TimeoutError:
                return False
            if news is None:
                return False
            if news.is_closed:
                return True
    return False
