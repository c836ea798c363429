"""A relay between a client and a Postgres server that cuts the line at a chosen moment."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


class Proxy:
    """Relays loopback connections to a server's socket. `judge` sees each piece that a client sends, and says what
    happens: "pass", "cut" (the line breaks and the server never sees it), "swallow" (the server sees it, the line
    breaks before the client has the answer)."""

    def __init__(self, target: str) -> None:
        self._target = target
        self.judge: Callable[[bytes], str] = lambda piece: "pass"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = [self._listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, database: str = "postgres") -> str:
        """Of the database, through this relay."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}?sslmode=disable&gssencmode=disable"

    def close(self) -> None:
        """Break every line."""
        for end in self._open:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._target)
            except OSError:
                return
            self._open += [client, server]
            threading.Thread(target=self._relay, args=(client, server), daemon=True).start()
            threading.Thread(target=self._copy, args=(server, client), daemon=True).start()

    def _relay(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while piece := client.recv(1 << 16):
                verdict = self.judge(piece)
                if verdict == "swallow":
                    client.shutdown(socket.SHUT_RDWR)  # first, so that no answer can pass
                    server.sendall(piece)
                    server.recv(1 << 16)
                if verdict != "pass":
                    break
                server.sendall(piece)
        for end in (client, server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _copy(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while piece := server.recv(1 << 16):
                client.sendall(piece)
        for end in (client, server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def relay(target: str) -> Iterator[Proxy]:
    """A relay to this socket, closed at the end."""
    proxy = Proxy(target)
    try:
        yield proxy
    finally:
        proxy.close()
