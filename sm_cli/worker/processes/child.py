"""What a process for handlers does: it loads them, runs one task at a time as the worker would, and ends with it.

Nothing runs on unseen. The process ends when its connection does, and on Linux with the thread that started it
(prctl(2), PR_SET_PDEATHSIG), also while a handler lets nothing else run. Ctrl-C and SIGTERM are the worker's affair: it
says here what they mean.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from queue import SimpleQueue
from types import FrameType
from typing import Any

from sm_cli import errors
from sm_cli.errors import HandlerLoadError, SmError, UsageError
from sm_cli.handlers.handler import Context, Failure, Success
from sm_cli.handlers.loading import load_handlers
from sm_cli.handlers.registry import Registry
from sm_cli.handlers.starts import StartRequest
from sm_cli.jsonvalue import as_json
from sm_cli.store.records import Job
from sm_cli.worker.pool import Pool
from sm_cli.worker.processes.frames import WorkerSocket
from sm_cli.worker.processes.logs import forward

_DIES_WITH_ITS_PARENT = 1  # PR_SET_PDEATHSIG of <linux/prctl.h>


def serve(descriptor: int, parent: int) -> None:
    """Serve the worker whose pid is `parent` over the socket with this descriptor, until it ends the connection."""
    _die_with(parent)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _Deaf())
    for number in (signal.SIGTTIN, signal.SIGTTOU):  # it is in the background: else it would be stopped in silence
        signal.signal(number, signal.SIG_IGN)
    if not faulthandler.is_enabled() and sys.stderr is not None:
        faulthandler.enable()  # where it crashed, in Python, goes to stderr
    # A worker that is gone wants no word about it.
    with socket.socket(fileno=descriptor) as connection, suppress(ConnectionError):
        connection.set_inheritable(False)
        _load_and_serve(WorkerSocket(connection))


def _load_and_serve(line: WorkerSocket) -> None:
    message = line.receive()
    if message is None:
        return
    settings = message[1]
    sys.argv = settings["arguments"]
    forward(line.send, settings["logging"])
    try:
        registry = load_handlers(Path(settings["directory"]))
    except HandlerLoadError as e:
        line.send("refused", {"message": e.message, "hint": e.hint, "topic": e.topic})
        return
    finally:
        _flush()
    line.send("ready", [{"name": each.name, "repeatable": each.repeatable} for each in registry.values()])
    _Serving(line, registry).serve()


def _die_with(parent: int) -> None:
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_DIES_WITH_ITS_PARENT, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)  # it died before this was asked for


class _Deaf:
    """Hears a signal and does nothing. Unlike SIG_IGN it is not handed on to the programs that a handler starts, nor
    to children that it forks."""

    def __init__(self) -> None:
        self._process = os.getpid()

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        if os.getpid() != self._process:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)


class _Serving:
    """One task at a time, in a pool of the same kind as the worker's."""

    def __init__(self, line: WorkerSocket, registry: Registry) -> None:
        self._line = line
        self._registry = registry
        self._pool = Pool(1, self._pool_has_results)
        self._answers: SimpleQueue[dict[str, str | None]] = SimpleQueue()

    def serve(self) -> None:
        """Until the worker wants nothing more; a task that is under way then ends the process at once."""
        while (message := self._line.receive()) is not None:
            kind, body = message
            if kind == "cancel":
                self._pool.cancel(0, 0)
            elif kind == "answer":
                self._answers.put(body)
            else:
                self._begin(body)
        if not self._pool.free:
            os._exit(0)

    def _begin(self, task: dict[str, Any]) -> None:
        facts = task["context"]
        handler = self._registry.find(facts["resource"])
        if handler is None:
            cause = f"the files that were read again have no handler for {facts['resource']!r}"
            self._line.send("failure", asdict(Failure("HandlerLoadError", cause)))
            return
        self._line.send("begun", None)
        job = Job(0, 0, 0, 0, facts["state"], facts["resource"], task["input"])
        self._pool.submit(
            job, handler, lambda: Context(**facts, beat=lambda: self._line.send("beat", None), starter=self._start)
        )

    def _start(self, request: StartRequest) -> str:
        """From the handler's thread: the worker starts it. Raises what it answers with."""
        body = asdict(request)
        body["input"], problem = as_json(request.input)
        if problem is not None:
            raise UsageError(f"the input is not JSON: {problem}")
        self._line.send("start", body)
        answer = self._answers.get()
        ref = answer.get("id")
        if ref is None:
            kind: type[SmError] = getattr(errors, answer["error"] or "", SmError)
            raise kind(answer["message"] or "", hint=answer["hint"])
        return ref

    def _pool_has_results(self) -> None:
        """From the handler's thread, when it has ended."""
        try:
            _flush()
            results = self._pool.drain()
            if not results:
                self._line.send("dropped", None)
            for result in results:
                self._answer(result.outcome)
        except OSError:
            os._exit(0)  # the worker is gone

    def _answer(self, outcome: Success | Failure) -> None:
        if isinstance(outcome, Success):
            self._line.send("success", outcome.result)
        else:
            trace = outcome.traceback
            self._line.send("failure", {**asdict(outcome), "traceback": None if trace is None else trace._asdict()})


def _flush() -> None:
    """What was printed is seen before the result is."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # closed, or replaced by what has nothing to flush
            stream.flush()
