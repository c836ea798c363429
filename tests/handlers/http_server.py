"""A real HTTP server on 127.0.0.1 that answers as a test wants and keeps what it was asked."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]


class Answering(BaseHTTPRequestHandler):
    """One request. `server.site` decides what it is answered."""

    protocol_version = "HTTP/1.1"

    def answer(self, status: int, body: bytes | str = b"", *, reason: str | None = None, **headers: str) -> None:
        content = body if isinstance(body, bytes) else body.encode()
        self.send_response(status, reason)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers and status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def json(self, value: Any, status: int = 200) -> None:
        self.answer(status, json.dumps(value), Content_Type="application/json")

    def handle_any(self) -> None:
        site: Site = self.server.site  # type: ignore[attr-defined]
        length = int(self.headers.get("Content-Length", 0))
        asked = Asked(self.command, self.path, list(self.headers.items()), self.rfile.read(length))
        site.asked.append(asked)
        site.pages[self.path.partition("?")[0]](self)

    def __getattr__(self, name: str) -> Callable[[], None]:
        """The base class looks for do_GET and its kin."""
        if name.startswith("do_"):
            return self.handle_any
        raise AttributeError(name)

    def log_message(self, format: str, *args: Any) -> None:
        return


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    site: Site

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has left is no news."""


@dataclass
class Site:
    """pages: path to what answers it. asked: every request that came, in order. open: set when the test is over."""

    host: str = ""
    asked: list[Asked] = field(default_factory=list)
    pages: dict[str, Callable[[Answering], None]] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def last(self) -> Asked:
        return self.asked[-1]


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[Site]:
    server = _Server(("127.0.0.1", 0), Answering)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.site = Site(f"127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.site
    finally:
        server.site.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
