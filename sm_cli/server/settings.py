"""What a server is told once: where it listens, who may ask, and what it serves."""

from __future__ import annotations

import ipaddress
import socket
from contextlib import suppress
from dataclasses import dataclass

from sm_cli.engine.workflows.account import DATABASE_ACCOUNT
from sm_cli.errors import UsageError

#: Where it listens unless it is told otherwise.
HOST, PORT = "127.0.0.1", 8083
#: Bytes that the body of a request may have.
MOST_BODY = 10_000_000
#: Connections, and streams among them, at once.
CONNECTIONS, FOLLOWERS = 1000, 500
#: A shorter token can be guessed.
_SHORTEST_TOKEN = 16


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """What holds for one server, from its start to its end."""

    #: The address that it listens at: an IP address, or a name.
    host: str = HOST
    #: The port; 0: one that is free.
    port: int = PORT
    #: What a request has to carry; None: anybody on this machine may ask.
    token: str | None = None
    #: Names that a request may give for this server beside its own, without ports.
    hosts: tuple[str, ...] = ()
    #: Origins (`https://board.example.org`) of pages that may ask from a browser.
    origins: tuple[str, ...] = ()
    #: The account of ARNs, twelve digits.
    account: str = DATABASE_ACCOUNT
    #: Whether AWS's protocol is served.
    has_aws: bool = True
    #: Whether the dashboard is served.
    has_ui: bool = True
    #: Bytes that the body of a request may have.
    most_body: int = MOST_BODY
    #: Seconds that a client may take to send a request's body.
    body_seconds: float = 60.0
    #: Seconds that a client may take to send a request's headers.
    header_seconds: float = 10.0
    #: Seconds for which a client may take nothing of what was written for it.
    stalled_seconds: float = 30.0
    #: Connections at once.
    most_connections: int = CONNECTIONS
    #: Streams of events that are followed at once; fewer than connections, so that requests find one.
    most_followers: int = FOLLOWERS

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def names_of(host: str) -> tuple[str, ...]:
    """What clients write for an address that a server listens at. One that stands for all addresses of the machine
    cannot be opened: it is `localhost` here, and the machine's own name for others."""
    with suppress(ValueError):
        if ipaddress.ip_address(host.strip("[]")).is_unspecified:
            return tuple(dict.fromkeys(("localhost", socket.gethostname().lower())))
    return (host,)


def address_at(name: str, port: int) -> str:
    """`http://127.0.0.1:8083`, as a client writes it."""
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def check_token(token: str, source: str) -> str:
    """The token, when it can be one. source: where it comes from. Raises UsageError, which does not show it."""
    if len(token) < _SHORTEST_TOKEN:
        raise UsageError(f"{source} has a token of {len(token)} characters; it needs {_SHORTEST_TOKEN} or more")
    if not token.isascii() or not token.isprintable() or any(sign in token for sign in ' "\\/,;'):
        raise UsageError(f"{source} has a token with blanks or signs that a header cannot carry")
    return token


def read_origin(origin: str, source: str) -> str:
    """`https://host[:port]`, in small letters. Raises UsageError for what is none."""
    from urllib.parse import urlsplit

    parts = urlsplit(origin)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query or parts.username:
        raise UsageError(f"{source} takes an origin like https://board.example.org, not {origin!r}")
    return origin.lower()
