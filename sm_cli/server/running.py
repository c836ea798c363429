"""A server from its first request to its last: uvicorn, told when to stop and how to drain."""

from __future__ import annotations

import errno
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from sm_cli.errors import ConfigurationError, UsageError
from sm_cli.server.backend import Backend
from sm_cli.server.connections import ConnectionLimits, affordable, connections_within
from sm_cli.server.settings import ServerSettings, address_at, names_of

#: Seconds that requests have to end after the server was told to stop.
GRACE = 10
#: Connections that wait to be accepted.
_BACKLOG = 2048


class Server(uvicorn.Server):
    """Uvicorn, without its signal handlers: `told_to_stop` is asked ten times a second."""

    def __init__(self, app: FastAPI, told_to_stop: Callable[[], bool], *, grace: int = GRACE) -> None:
        config = uvicorn.Config(
            app, log_config=None, access_log=False, lifespan="on", server_header=False, proxy_headers=False,
            ws="none", timeout_graceful_shutdown=grace, backlog=_BACKLOG,
            http=connections_within(_limits(app.state.settings)),
        )  # fmt: skip
        logging.getLogger("uvicorn").setLevel(logging.CRITICAL)  # what there is to say, this server says
        super().__init__(config)
        self._backend: Backend = app.state.backend
        self._told_to_stop = told_to_stop

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Whoever runs it listens for them."""
        yield

    async def on_tick(self, counter: int) -> bool:
        """Whether it ends now; then followers are told that nothing more comes."""
        ends = await super().on_tick(counter) or self._told_to_stop()
        if ends:
            self._backend.feed.drain()
        return ends


def _limits(settings: ServerSettings) -> ConnectionLimits:
    most = affordable(settings.most_connections)
    return ConnectionLimits(most, settings.header_seconds, settings.stalled_seconds)


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens there. Raises ConfigurationError when the port is taken or not ours, UsageError for an
    address that is none."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError):
        raise UsageError(f"{host!r} is no address that can be listened at") from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except OSError as e:
        listener.close()
        if e.errno == errno.EADDRINUSE:
            hint = "Choose another port; 0 takes one that is free."
            raise ConfigurationError(f"port {port} of {host} is taken by another program", hint=hint) from None
        raise ConfigurationError(f"port {port} of {host} cannot be listened at: {e.strerror}") from None
    return listener


def addresses_of(listener: socket.socket) -> list[str]:
    """`http://127.0.0.1:8083`, as clients write it; of one that listens at all addresses first what is written on this
    machine, then what is on others."""
    host, port = listener.getsockname()[:2]
    return [address_at(name, port) for name in names_of(host)]
