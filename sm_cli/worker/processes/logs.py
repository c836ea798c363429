"""Logging of handlers in a process of their own: what nobody there takes is logged by the worker.

A handler's file that configures logging gets what it configured; everything else is the worker's affair.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

#: The logger above all of ours.
_OURS = "sm"


def levels() -> dict[str, Any]:
    """What a process has to know of the worker's logging: levels, and whether our loggers have handlers there."""
    ours = logging.getLogger(_OURS)
    return {
        "root": logging.getLogger().level,
        "ours": ours.level,
        "handled": bool(ours.handlers),
        "propagates": ours.propagate,
    }


class ProcessTraceback(Exception):
    """An exception that was logged in another process; its text is the traceback."""


def replay(record: dict[str, Any]) -> None:
    """In the worker: log what a process sent."""
    logger = logging.getLogger(record["name"])
    entry = logging.LogRecord(
        record["name"], record["level"], record["file"], record["line"], record["message"], (), None, record["function"]
    )
    entry.created, entry.msecs = record["created"], record["created"] % 1 * 1000
    entry.threadName, entry.process, entry.processName = record["thread"], record["process"], "sm-handlers"
    if record["traceback"]:
        text = ProcessTraceback(f"\n{record['traceback']}")
        entry.exc_info = (ProcessTraceback, text, None)
    if logger.isEnabledFor(entry.levelno):
        logger.handle(entry)


class _Forward(logging.Handler):
    def __init__(self, send: Callable[[str, Any], None]) -> None:
        super().__init__(logging.NOTSET)
        self._send = send

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._send("log", _as_json(record))
        except Exception:
            self.handleError(record)  # logging's own way: it goes to stderr


def _as_json(record: logging.LogRecord) -> dict[str, Any]:
    trace = logging.Formatter().formatException(record.exc_info) if record.exc_info else record.exc_text
    return {
        "name": _text(record.name),
        "level": record.levelno,
        "message": _text(record.getMessage()),
        "traceback": _text(trace or ""),
        "created": record.created,
        "file": _text(record.pathname),
        "line": record.lineno,
        "function": _text(record.funcName or ""),
        "thread": _text(record.threadName or ""),
        "process": record.process,
    }


def _text(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def forward(send: Callable[[str, Any], None], levels_of_worker: dict[str, Any]) -> None:
    """In the process: send what no handler here takes. `levels_of_worker` is what `levels` gave in the worker."""
    forwarding = _Forward(send)
    logging.lastResort = forwarding  # any handler will do, says logging.callHandlers
    logging.getLogger().setLevel(levels_of_worker["root"])
    ours = logging.getLogger(_OURS)
    ours.setLevel(levels_of_worker["ours"])
    if levels_of_worker["handled"]:
        ours.addHandler(forwarding)
        ours.propagate = levels_of_worker["propagates"]
