"""Starting processes, all from one thread that lives as long as the worker.

A process is a new program, never a fork of the worker: it inherits its socket, stdout and stderr and nothing
else, so no database, no lock, no thread. `__main__` is not run again. On Linux a process dies with the thread that
started it, so that thread must not end before the worker does.
"""

from __future__ import annotations

import os
import queue
import socket
import subprocess
import sys
import threading
from concurrent.futures import Future
from pathlib import Path

from sm_cli.handlers.loading import import_paths

#: Run by the new interpreter: it takes over the paths for imports, which come first over its socket.
_BEGIN = (
    "import os, sys; fd, size, parent = map(int, sys.argv[1:4]); "
    "sys.path[:] = os.read(fd, size).decode('utf-8', 'surrogateescape').split('\\0'); "
    "from sm_cli.worker.processes.child import serve; serve(fd, parent)"
)

_Order = tuple[list[str], int, "Future[subprocess.Popen[bytes]]"]


class _Spawner:
    """The thread, and what it was asked for."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self.orders: queue.SimpleQueue[_Order] = queue.SimpleQueue()
        threading.Thread(target=self._work, name="sm-spawner", daemon=True).start()

    def _work(self) -> None:
        while True:
            command, descriptor, answer = self.orders.get()
            try:
                answer.set_result(
                    subprocess.Popen(  # noqa: S603 - this interpreter, with what stands above
                        command, stdin=subprocess.DEVNULL, pass_fds=[descriptor], process_group=0
                    )
                )
            except BaseException as e:
                answer.set_exception(e)


_lock = threading.Lock()
_spawner: _Spawner | None = None


def spawn_process(directory: Path) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Start a process that will load the handlers of this directory when it is asked to: the leader of a process group
    of its own, which Ctrl-C in a terminal does not reach. Returns it with our end of its connection.

    Raises OSError when the system starts no process.
    """
    ours, theirs = socket.socketpair()
    try:
        paths = "\0".join(import_paths()).encode("utf-8", "surrogateescape")
        ours.sendall(paths)
        # Warnings, -X and -O as here: what multiprocessing hands on, too.
        flags: list[str] = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
        numbers = map(str, (theirs.fileno(), len(paths), os.getpid()))
        command = [sys.executable, *flags, "-c", _BEGIN, *numbers, f"sm: {directory}"]
        answer: Future[subprocess.Popen[bytes]] = Future()
        _running().orders.put((command, theirs.fileno(), answer))
        return answer.result(), ours
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()


def _running() -> _Spawner:
    global _spawner
    with _lock:
        if _spawner is None or _spawner.process != os.getpid():
            _spawner = _Spawner()
        return _spawner
