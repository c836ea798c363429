"""What passes between a worker and a process for its handlers: JSON, each message behind its length.

Nothing of a person's is pickled. A message is an object with one member, whose name says what it is: `task` and
`cancel` go to the process; `ready` or `refused`, then `beat`, `log`, and for each task `begun` and one of `success`,
`failure` and `dropped` come back. A handler that starts an execution says `start` and waits for `answer`.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import threading
from typing import Any

import orjson

#: Bytes of a message, as an unsigned integer of 8 bytes in the network's order, come before it.
_LENGTH = struct.Struct("!Q")
#: Bytes that are asked for at once.
_PORTION = 1 << 18


def pack(kind: str, body: Any) -> bytes:
    """A message as bytes, its length before it. Raises TypeError for what is not JSON.

    Texts may hold what UTF-8 cannot, as names of files do: such a message is written by `json`, with escapes.
    """
    try:
        text = orjson.dumps({kind: body})
    except TypeError:
        text = json.dumps({kind: body}, allow_nan=False).encode()
    return _LENGTH.pack(len(text)) + text


def _unpack(text: bytearray) -> tuple[str, Any]:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:  # half of a surrogate pair, escaped
        value = json.loads(text)
    ((kind, body),) = value.items()
    return kind, body


class Assembly:
    """Puts messages together from the bytes in which they come."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._body: bytearray | None = None
        self._size = 0

    def read(self, connection: socket.socket) -> tuple[str, Any] | None:
        """Take what is there, at most to the end of one message; (kind, body) when that is reached, else None.

        Raises EOFError when nothing more will come, and BlockingIOError as the socket does.
        """
        if self._body is None:
            part = connection.recv(_LENGTH.size - len(self._head))
            if not part:
                raise EOFError
            self._head += part
            if len(self._head) < _LENGTH.size:
                return None
            self._body, self._size = bytearray(_LENGTH.unpack(self._head)[0]), 0
            self._head.clear()
        space = memoryview(self._body)[self._size : self._size + _PORTION]
        count = connection.recv_into(space)
        if not count:
            raise EOFError
        self._size += count
        if self._size < len(self._body):
            return None
        body, self._body = self._body, None
        return _unpack(body)


class WorkerSocket:
    """The process's end of the connection: one thread receives, any thread sends."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._assembly = Assembly()
        self._sending = threading.Lock()
        self._process = os.getpid()

    def receive(self) -> tuple[str, Any] | None:
        """Wait for the next message; None when the worker is gone or wants nothing more."""
        try:
            while (message := self._assembly.read(self._connection)) is None:
                pass
        except (EOFError, ConnectionError):
            return None
        return message

    def send(self, kind: str, body: Any) -> None:
        """Send a message, whole. A child that a handler forked says nothing: it is not the one that was asked.

        Raises TypeError for what is not JSON, OSError when the worker is gone."""
        if os.getpid() != self._process:
            return
        message = pack(kind, body)
        with self._sending:
            self._connection.sendall(message)
