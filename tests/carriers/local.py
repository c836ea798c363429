"""A carrier inside one process: a post that workers of a test share, which a test can lose hints of."""

from __future__ import annotations

import threading
from collections import Counter

from sm_cli.carriers.port import Receiver
from sm_cli.errors import CarrierAway


class Post:
    """What a broker is to carriers: one hint of a queue waits at most."""

    def __init__(self) -> None:
        self.is_away = self.has_bug = False
        self.waiting: dict[str, None] = {}
        self.announced: Counter[str] = Counter()
        self.change = threading.Condition()

    def lose(self) -> None:
        """As a broker that is flushed."""
        with self.change:
            self.waiting.clear()

    def leave(self) -> None:
        with self.change:
            self.is_away = True
            self.waiting.clear()
            self.change.notify_all()

    def come_back(self) -> None:
        with self.change:
            self.is_away = False


class LocalCarrier:
    """One worker's way to a post. deaf: it never receives."""

    name = "the post"

    def __init__(self, post: Post, *, deaf: bool = False) -> None:
        self.post = post
        self.deaf = deaf
        self.over = False
        self.tries = 0

    def _check(self) -> None:
        if self.post.is_away:
            raise CarrierAway("the post is closed")
        if self.post.has_bug:
            raise KeyError("what the post has not thought of")

    def announce(self, queue: str) -> None:
        with self.post.change:
            self._check()
            self.post.announced[queue] += 1
            self.post.waiting[queue] = None
            self.post.change.notify_all()

    def receive(self, receiver: Receiver) -> None:
        with self.post.change:
            self.tries += 1
            self._check()
        receiver.comes_up()
        while not self.over:
            with self.post.change:
                self._check()
                self.post.change.wait_for(lambda: self.post.waiting or self.post.is_away or self.over, timeout=0.01)
                queue = None
                if self.post.waiting and not self.deaf and receiver.has_room():
                    queue = next(iter(self.post.waiting))
                    del self.post.waiting[queue]
            if queue is not None:
                receiver.hear(queue)

    def stop(self) -> None:
        with self.post.change:
            self.over = True
            self.post.change.notify_all()
