"""Connections: what one client may hold, so that many slow ones do not hold up the others.

Uvicorn waits for a request's headers and for a reader of its answer as long as the client likes. Here both have a time,
and the connections have a number, which is no limit of what runs: a stream that is followed all day is one connection.
"""

from __future__ import annotations

import asyncio
import logging
import resource
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

log = logging.getLogger("sm.server")

#: Files that the process needs beside its connections: databases, handlers' pipes, logs.
_OTHER_FILES = 128
#: Connections that a server takes however few files it may open.
_FEWEST = 32
_LATE = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_FULL = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What connections may take."""

    #: Connections at once.
    most: int = 1000
    #: Seconds from the first byte of a request, or from the connection's beginning, to the end of its headers.
    header_seconds: float = 10.0
    #: Seconds for which a client may take nothing of what was written for it.
    stalled_seconds: float = 30.0
    #: Bytes of headers of a request, or behind its body, that are kept before they have ended.
    header_bytes: int = 65_536


class Connection(HttpToolsProtocol):
    """One connection, within limits."""

    def __init__(self, *args: Any, limits: ConnectionLimits, **named: Any) -> None:
        super().__init__(*args, **named)
        self._limits = limits
        self._headers_due: asyncio.TimerHandle | None = None
        self._header_bytes = 0
        self._stalled: asyncio.TimerHandle | None = None
        self._unsent = 0

    @property
    def is_idle(self) -> bool:
        """Whether it has answered a request and waits for the next one, of which nothing has come."""
        return self.cycle is not None and self.cycle.response_complete and self._headers_due is None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has come: it is taken, if need be in the place of one that waits for nothing."""
        super().connection_made(transport)
        if len(self.connections) > self._limits.most and not self._displace():
            transport.write(_FULL)
            transport.close()
            return
        self._expect_headers()

    def _displace(self) -> bool:
        """Close a connection that is kept alive between two requests. Whether there was one."""
        others = (each for each in self.connections if isinstance(each, Connection) and each is not self)
        idle = next((each for each in others if each.is_idle), None)
        if idle is not None:
            self.connections.discard(idle)  # it goes with the loop's next turn
            idle.transport.close()
        return idle is not None

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone."""
        self._have_headers()
        self._forget_stall()
        super().connection_lost(exc)

    # -- headers: in time, and not without end -----------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """What comes between two requests begins the next one, even if it is an empty line."""
        if self._headers_due is None and (self.cycle is None or self.cycle.response_complete):
            self._expect_headers()
        self._header_bytes += len(data)
        super().data_received(data)
        if self._header_bytes > self._limits.header_bytes:
            self._have_headers()
            self._refuse(_LONG)

    def on_headers_complete(self) -> None:
        """The body has a time of its own."""
        self._have_headers()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """What follows without being a body is headers again, those that may stand behind one."""
        self._header_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._header_bytes = 0
        super().on_message_complete()

    def _expect_headers(self) -> None:
        self._headers_due = self.loop.call_later(self._limits.header_seconds, self._give_up)

    def _have_headers(self) -> None:
        self._header_bytes = 0
        if self._headers_due is not None:
            self._headers_due.cancel()
            self._headers_due = None

    def _give_up(self) -> None:
        self._headers_due = None
        self._refuse(_LATE)

    def _refuse(self, answer: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(answer)
            self.transport.close()

    # -- answers: taken ----------------------------------------------------------------------------

    def pause_writing(self) -> None:
        """The client takes less than is written: it is looked at whether it takes anything."""
        super().pause_writing()
        self._forget_stall()
        self._unsent = self.transport.get_write_buffer_size()
        self._stalled = self.loop.call_later(self._limits.stalled_seconds, self._look)

    def resume_writing(self) -> None:
        """It has caught up."""
        self._forget_stall()
        super().resume_writing()

    def _look(self) -> None:
        unsent = self.transport.get_write_buffer_size()
        if unsent >= self._unsent:
            log.info("a client that took nothing for %g s was let go", self._limits.stalled_seconds)
            self.transport.abort()
            return
        self._unsent = unsent
        self._stalled = self.loop.call_later(self._limits.stalled_seconds, self._look)

    def _forget_stall(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None


def connections_within(limits: ConnectionLimits) -> type[asyncio.Protocol]:
    """What uvicorn makes of each client that comes."""
    return cast("type[asyncio.Protocol]", partial(Connection, limits=limits))


def open_files() -> int:
    """How many files the process may have open."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def affordable(most: int, files: Callable[[], int] = open_files) -> int:
    """So many connections at most as the process may open files for."""
    soft = files()
    return most if soft == resource.RLIM_INFINITY else min(most, max(_FEWEST, soft - _OTHER_FILES))
