"""Handlers that would take a worker down with them, were it theirs."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from sm_cli import handler
from sm_cli.handlers.handler import Context


@handler
def ends(input: str) -> None:
    """End the process: by a signal's name, or by a number as its exit code."""
    if input.isdecimal():
        os._exit(int(input))
    signal.raise_signal(signal.Signals[input])
    threading.Event().wait()


@handler
def hogs(input: dict[str, str]) -> None:
    """Keep the interpreter's lock: nothing else of this process runs any more."""
    Path(input["begun"]).write_text(str(os.getpid()), encoding="utf-8")
    ctypes.PyDLL(None).sleep(3600)


@handler
def starts_others(input: dict[str, str]) -> None:
    """A program and a forked child, which both would live for an hour, and then no end."""
    program = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
    child = os.fork()
    if not child:
        threading.Event().wait(3600)
    Path(f"{input['begun']}.part").write_text(f"{os.getpid()} {program.pid} {child}", encoding="utf-8")
    Path(f"{input['begun']}.part").rename(input["begun"])
    threading.Event().wait(3600)


@handler
def leaves_a_child(input: str) -> None:
    """A forked child holds everything open that this process has, which then writes its pid and ends."""
    child = os.fork()
    if not child:
        threading.Event().wait(3600)
    Path(input).write_text(str(child), encoding="utf-8")
    os._exit(5)


@handler
def closes_everything(input: Any) -> str:
    os.closerange(3, 1000)
    return "all closed"


@handler
def descriptors(input: Any) -> list[str]:
    """What this process has open."""
    found = []
    for link in Path("/proc/self/fd").iterdir():
        try:
            found.append(str(link.readlink()))
        except OSError:
            continue  # of the listing itself
    return found


@handler
def signals(input: Any) -> list[str | int]:
    """What a program gets that a handler starts: the signals that it ignores, and whether SIGTERM ends it."""
    program = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
    status = Path(f"/proc/{program.pid}/status").read_text(encoding="utf-8")
    program.terminate()
    ignored = next(line.split()[1] for line in status.splitlines() if line.startswith("SigIgn"))
    return [ignored, program.wait()]


@handler
def terminal(input: Any) -> str:
    """Write to the terminal, and read from it; the name of what that raises."""
    with Path("/dev/tty").open("w", encoding="utf-8") as screen:
        screen.write("written to the terminal\n")
    try:
        with Path("/dev/tty").open(encoding="utf-8") as keyboard:
            return keyboard.readline()
    except OSError as e:
        return type(e).__name__


@handler
def modules(input: str) -> bool:
    return input in sys.modules


@handler
def talks_afterwards(input: Any, context: Context) -> None:
    """A forked child says what only the handler may say."""
    child = os.fork()
    if not child:
        for _ in range(100):
            context.heartbeat()
        os._exit(0)
    os.waitpid(child, 0)


@handler
def main_module(input: Any) -> Any:
    return [sys.argv[1:], socket.gethostname() != "", "PYTEST_CURRENT_TEST" in os.environ]
