"""A receiver that notes what it hears, in a thread, as a worker receives."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from sm_cli.carriers.port import Carrier
from sm_cli.carriers.procrastinate import TASK
from sm_cli.errors import CarrierAway
from sm_cli.store.postgres.url import parse_url
from tests.engine.workers import soon


class Ear:
    """A receiver that notes what it hears."""

    def __init__(self) -> None:
        self.room = True
        self.heard: list[str] = []
        #: How often it said that it has no room.
        self.refusals = 0
        self.ups = 0
        self.errors: list[CarrierAway] = []

    def hear(self, queue: str) -> None:
        self.heard.append(queue)

    def has_room(self) -> bool:
        self.refusals += not self.room
        return self.room

    def comes_up(self) -> None:
        self.ups += 1


@contextmanager
def receiving(carrier: Carrier) -> Iterator[Ear]:
    """In the block the carrier is received from, again and again."""
    ear, over = Ear(), threading.Event()

    def receive() -> None:
        while not over.is_set():
            try:
                carrier.receive(ear)
                return
            except CarrierAway as e:
                ear.errors.append(e)
                over.wait(0.05)

    thread = threading.Thread(target=receive, daemon=True, name="test-ear")
    thread.start()
    soon(lambda: ear.ups or ear.errors)
    try:
        yield ear
    finally:
        over.set()
        carrier.stop()
        thread.join(30)
        assert not thread.is_alive()


def hints(url: str) -> list[tuple[str, str]]:
    """(queue, status) of all hints of Procrastinate that stand there."""
    place = parse_url(url)
    with psycopg.connect(place.conninfo, options=f"-c search_path={place.schema}") as connection:
        rows = connection.execute("SELECT queue_name, status FROM procrastinate_jobs WHERE task_name = %s", (TASK,))
        return sorted(rows.fetchall())
