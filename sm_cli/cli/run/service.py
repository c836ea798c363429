"""A service manager that wants to be told that this process is ready, works, and stops: systemd's sd_notify.

The protocol is one datagram a message, to the socket that NOTIFY_SOCKET names: sd_notify(3), sd_watchdog_enabled(3).
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import MutableMapping

from sm_cli.cli.terminal.failures import shorten_path, warn

_VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")


class Service:
    """Nobody is told anything where no NOTIFY_SOCKET is in the environment, which the processes that handlers start do
    not get."""

    def __init__(self, environment: MutableMapping[str, str] | None = None) -> None:
        variables = {name: (os.environ if environment is None else environment).pop(name, "") for name in _VARIABLES}
        self.address = _address(variables["NOTIFY_SOCKET"])
        #: Seconds between two signs of life; None when none are wanted.
        self.every = _interval(variables["WATCHDOG_USEC"], variables["WATCHDOG_PID"])
        self._next = 0.0  # time.monotonic
        self._has_warned = False

    def ready(self) -> None:
        """The work begins."""
        self._send("READY=1")

    def alive(self) -> None:
        """The loop goes round; told no more often than is needed."""
        if self.every is not None and (now := time.monotonic()) >= self._next:
            self._next = now + self.every
            self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """The work ends."""
        self._send("STOPPING=1")

    def _send(self, message: str) -> None:
        if self.address is None:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as notify:
                notify.setblocking(False)
                notify.sendto(message.encode(), self.address)
        except BlockingIOError:
            return  # it has enough to read; the next sign of life will do
        except OSError as error:
            if not self._has_warned:
                self._has_warned = True
                where = shorten_path(self.address.replace("\0", "@", 1))
                warn(
                    f"the service manager cannot be told anything at NOTIFY_SOCKET {where!r}: {error.strerror or error}"
                )


def _address(text: str) -> str | None:
    """A path, or a name in the abstract namespace, which is written with an @; None for what this is not."""
    if text.startswith("@"):
        return f"\0{text[1:]}"
    return text if text.startswith("/") else None


def _interval(microseconds: str, pid: str) -> float | None:
    """Half of what the manager waits, as sd_watchdog_enabled(3) advises; None when it waits for nothing of us."""
    if not microseconds.isascii() or not microseconds.isdigit() or int(microseconds) == 0:
        return None
    if pid and pid != str(os.getpid()):
        return None
    return int(microseconds) / 2_000_000
