"""Handlers in processes of their own: as many as run at once, started when they are needed, used again, replaced.

A process has one task at a time. What ends it (a crash, `os._exit`, a kill) ends this attempt, as an error that
Retry and Catch see, and nothing else; a task that nobody waits for ends within the patience of the pool.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import fields
from pathlib import Path
from typing import Any, Never

from sm_cli.errors import HandlerLoadError, SmError
from sm_cli.handlers.display import display_path
from sm_cli.handlers.handler import Context, Failure, Handler, Success, error_text
from sm_cli.handlers.registry import Registry
from sm_cli.handlers.starts import StartRequest
from sm_cli.interpreter.traceback import Traceback
from sm_cli.jsonvalue import Json
from sm_cli.worker.pool import PATIENCE
from sm_cli.worker.processes.logs import replay
from sm_cli.worker.processes.process import Process, ProcessEnded

log = logging.getLogger("sm.engine")

#: The members of a Context that are data: all but those that mean this process.
_OWN = ("cancelled", "beat", "on_cancel", "starter", "_starts")
_TOLD = tuple(f.name for f in fields(Context) if f.name not in _OWN)
_NOBODY_WAITS = Failure("Cancelled", "Nobody waits for the handler any more.")
#: So many processes are tried for a task when one after the other dies before it takes it.
_ATTEMPTS = 3
#: Seconds in which an idle process ends by itself when it is not needed any more.
_FAREWELL = 2.0


class Processes:
    """Processes for the handlers of one directory, at most as many as tasks run at once.

    keep: so many are started ahead of the tasks, and started anew when one ends. recycle_after: so many tasks a process
    does before another one takes its place; None: any number. patience: seconds from telling a handler that nobody
    waits for it to its end.

    Leave the `with` block, or call `close`, when it is not needed any more.
    """

    def __init__(
        self, directory: Path, *, keep: int = 0, recycle_after: int | None = None, patience: float = PATIENCE
    ) -> None:
        self.directory = directory.resolve()
        self.keep = keep
        self.recycle_after = recycle_after
        self.patience = patience
        self._lock = threading.Lock()
        self._idle: list[Process] = []
        self._ending: list[tuple[Process, float]] = []
        self._busy: dict[int, Process] = {}  # by the identity of the context
        self._closing = False

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()

    def load(self) -> Registry:
        """The handlers, loaded by the first process and by no other: nothing of theirs is imported here.

        Raises HandlerLoadError as `load_handlers` does, and when the process does not outlive it.
        """
        try:
            process = Process(self.directory)
        except OSError as e:
            raise HandlerLoadError(f"no process for handlers can be started: {e.strerror}") from None
        try:
            while process.handlers is None:
                message = process.receive()
                if message is not None:
                    _hear_loading(process, message)
        except ProcessEnded as e:
            process.close()
            raise HandlerLoadError(
                f"the process that loads the handlers in {display_path(self.directory)} {e}"
            ) from None
        except BaseException:
            process.kill()
            process.close()
            raise
        with self._lock:
            self._idle.append(process)
        self._refill()
        return Registry(
            {
                each["name"]: Handler(each["name"], _not_here, each["repeatable"], elsewhere=self)
                for each in process.handlers
            }
        )

    # -- what the pool calls -----------------------------------------------------------------------

    def run(self, handler: Handler, input: Json, context: Context) -> Success | Failure:
        """Run the handler of `context.resource` in a process; from a thread that may wait."""
        for attempt in range(_ATTEMPTS):
            try:
                process = self._take(context)
            except OSError as e:
                return Failure("Runtime.ExitError", f"no process for the handler could be started: {e.strerror}", [])
            context.on_cancel = process.wake
            try:
                return self._outcome(process, handler, input, context)
            except ProcessEnded as e:
                idle = process.handlers is not None and not process.has_begun
                if not idle or attempt + 1 == _ATTEMPTS:
                    return Failure("Runtime.ExitError", f"the handler's process {e}", [])
            except BaseException:
                process.kill()  # what it would say next is not known
                raise
            finally:
                context.on_cancel = None
                self._give_back(process, context)
        raise AssertionError("the last attempt returns")

    def kill(self, context: Context) -> None:
        """End at once whatever runs for this context; from any thread."""
        with self._lock:
            process = self._busy.get(id(context))
        if process is not None:
            process.kill()

    # -- from whoever made it ----------------------------------------------------------------------

    def retire(self) -> None:
        """Others do the work from now on: idle processes end, those at work when they are done."""
        with self._lock:
            self._closing = True
            idle, self._idle = self._idle, []
        for process in idle:
            self._dismiss(process)

    def close(self) -> None:
        """End all of them, those at work at once and idle ones by themselves within two seconds, and wait for that."""
        self.retire()
        with self._lock:
            busy = list(self._busy.values())
        for process in busy:
            process.kill()
        end = time.monotonic() + 2 * _FAREWELL
        while (self._busy or self._ending) and time.monotonic() < end:
            self._sweep()
            time.sleep(0.002)

    # -- one task ----------------------------------------------------------------------------------

    def _outcome(self, process: Process, handler: Handler, input: Json, context: Context) -> Success | Failure:
        while process.handlers is None and not context.cancelled.is_set():
            message = process.receive()
            if message is not None:
                try:
                    _hear_loading(process, message)
                except HandlerLoadError as e:
                    return Failure("HandlerLoadError", error_text(e.message), [])
        if context.cancelled.is_set():
            return _NOBODY_WAITS
        process.tasks += 1
        process.has_begun = False
        process.send("task", {"context": {name: getattr(context, name) for name in _TOLD}, "input": input})
        killed_at: float | None = None
        while True:
            if context.cancelled.is_set() and killed_at is None:
                process.send("cancel", None)
                killed_at = time.monotonic() + self.patience
            message = process.receive(killed_at)
            if message is not None:
                process.has_begun |= message[0] == "begun"
                if message[0] == "start":
                    process.send("answer", _start(message[1], context))
                outcome = _outcome_of(message, handler, context)
                if outcome is not None:
                    return outcome
            elif killed_at is not None and time.monotonic() >= killed_at:
                log.warning(
                    "the handler %r went on although its task was cancelled %g s ago; its process was ended",
                    context.resource, self.patience,
                )  # fmt: skip
                process.kill()
                killed_at = None
                while True:  # until ProcessEnded says so
                    process.receive()

    # -- processes come and go ---------------------------------------------------------------------

    def _take(self, context: Context) -> Process:
        """A process that lives, loading or idle. Raises OSError when none can be started."""
        while True:
            with self._lock:
                # One that has loaded goes before one that has not, and the last that worked before those that rest.
                self._idle.sort(key=lambda process: process.handlers is not None)
                process = self._idle.pop() if self._idle else None
            if process is None:
                process = Process(self.directory)
            elif not process.lives():
                process.close()
                continue
            with self._lock:
                self._busy[id(context)] = process
            return process

    def _give_back(self, process: Process, context: Context) -> None:
        with self._lock:
            del self._busy[id(context)]
            is_worn = self.recycle_after is not None and process.tasks >= self.recycle_after
            stays = process.lives() and not (is_worn or self._closing)
            if stays:
                self._idle.append(process)
        if not stays:
            self._dismiss(process)
            self._refill()
        self._sweep()

    def _dismiss(self, process: Process) -> None:
        process.dismiss()
        with self._lock:
            self._ending.append((process, time.monotonic() + _FAREWELL))
        self._sweep()

    def _sweep(self) -> None:
        """Close those that have ended, and kill those that do not end."""
        with self._lock:
            ending, self._ending = self._ending, []
            for process, until in ending:
                if not process.lives():
                    process.close()
                    continue
                if time.monotonic() >= until:
                    process.kill()
                self._ending.append((process, until))

    def _refill(self) -> None:
        """Start what is missing, and do not wait until it has loaded."""
        while True:
            with self._lock:
                if self._closing or len(self._idle) + len(self._busy) >= self.keep:
                    return
            try:
                process = Process(self.directory)
            except OSError as e:
                log.warning("no process for handlers can be started ahead: %s", e.strerror)
                return
            with self._lock:
                self._idle.append(process)


def _not_here(*_arguments: Any) -> Never:
    """What stands for the function of a handler that only its processes have."""
    raise AssertionError("this handler is loaded in processes of its own")


def _hear_loading(process: Process, message: tuple[str, Any]) -> None:
    """What a process says before it is ready. Raises HandlerLoadError when it cannot load its handlers."""
    kind, body = message
    if kind == "ready":
        process.handlers = body
    elif kind == "refused":
        raise HandlerLoadError(body["message"], hint=body["hint"], topic=body["topic"])
    elif kind == "log":
        replay(body)


def _start(request: dict[str, Any], context: Context) -> dict[str, str | None]:
    """What becomes of an execution that a handler wants started: its id, or the error to raise there."""
    assert context.starter is not None, "a worker has made this context"
    try:
        return {"id": context.starter(StartRequest(**request))}
    except SmError as e:
        return {"error": type(e).__name__, "message": e.message, "hint": e.hint}


def _outcome_of(message: tuple[str, Any], handler: Handler, context: Context) -> Success | Failure | None:
    """What a process says while it has a task; what came of the task at its end."""
    kind, body = message
    if kind == "success":
        return Success(body, handler.final)
    if kind == "failure":
        trace = body["traceback"]
        body["traceback"] = None if trace is None else Traceback(tuple(trace["places"]), trace["text"])
        return Failure(**body)
    if kind == "dropped":
        return _NOBODY_WAITS
    if kind == "beat":
        context.heartbeat()
    elif kind == "log":
        replay(body)
    return None
