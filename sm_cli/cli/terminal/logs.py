"""Logging of the command line: `sm.*` to stderr, only when asked for.

Without `-v` nothing below a warning is written, but for what a worker tells (`tell`); `--log-format json` is one
JSON object a line.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Sequence
from typing import Any

from sm_cli.cli.escaping import escape, mark_lines
from sm_cli.cli.terminal.failures import say
from sm_cli.cli.terminal.output import is_coloured
from sm_cli.errors import UsageError

_LOGGER = logging.getLogger("sm")
#: What a worker logs of its work.
_WORKER = logging.getLogger("sm.worker")
_OFF = "\x1b[0m"


def more() -> None:
    """`-v`: everything."""
    _handler()
    _LOGGER.setLevel(logging.DEBUG)


def is_verbose() -> bool:
    """Whether debug lines are shown."""
    return _LOGGER.level == logging.DEBUG


def use_format(name: str, source: str) -> None:
    """`text` or `json`. source: who says so. Raises UsageError for another name."""
    if name not in ("text", "json"):
        raise UsageError(f"{source} takes text or json, not {name!r}")
    _handler().setFormatter(_JsonLines() if name == "json" else _plain())


def tell_work(quiet: bool) -> None:
    """From now on `tell` is heard; with `quiet` only warnings are."""
    _handler()
    _WORKER.setLevel(logging.WARNING if quiet else logging.NOTSET if is_verbose() else logging.INFO)


def is_told(level: int) -> bool:
    """Whether `tell` is heard at this level: what nobody hears need not be put into words."""
    return _WORKER.isEnabledFor(level)


def tell(
    event: str, text: str, facts: dict[str, Any], *, level: int = logging.INFO, below: Sequence[str] = (),
    paint: str | None = None,
) -> None:  # fmt: skip
    """Something has happened: a line of text, or an object with `event` and the facts. below: lines that follow the
    text, escaped. paint: how a terminal colours the line's first word, as an escape sequence."""
    _WORKER.log(level, "%s", text, extra={"facts": {"event": event, **facts}, "below": below, "paint": paint})


def tell_state(event: str, text: str, facts: dict[str, Any], *, level: int = logging.INFO) -> None:
    """As `tell`, of the worker itself: as text it is a line like those of other commands, without time."""
    if any(isinstance(handler.formatter, _JsonLines) for handler in _LOGGER.handlers):
        tell(event, text, facts, level=level)
    elif _WORKER.isEnabledFor(level):
        say(text)


class _Stderr(logging.StreamHandler):  # type: ignore[type-arg]  # generic only in the stubs of some versions
    """Writes to what sys.stderr is at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def escape_the_rest() -> None:
    """What is logged and nobody handles (a handler's file has loggers of its own) is written as logging does it, its
    warnings and errors, but one line each, with nothing in it that a terminal obeys."""
    handler = _Stderr(logging.WARNING)
    handler.setFormatter(_Message())
    logging.lastResort = handler  # any handler will do, says logging.callHandlers


def _handler() -> logging.Handler:
    for each in _LOGGER.handlers:
        if isinstance(each, _Stderr):
            return each
    handler = _Stderr()
    handler.setFormatter(_plain())
    _LOGGER.addHandler(handler)
    _LOGGER.propagate = False
    return handler


def _plain() -> logging.Formatter:
    return _TextLines("%(asctime)s %(name)s: %(message)s", "%H:%M:%S")


class _TextLines(logging.Formatter):
    """What is logged stays one line, and a traceback its own lines. What a worker tells needs no logger's name, and
    where no person looks on, a date."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        if getattr(record, "facts", None) is None:
            return escape(super().formatMessage(record))
        date = "" if sys.stderr.isatty() else "%Y-%m-%d "
        word, blank, rest = escape(record.getMessage()).partition(" ")
        if (paint := getattr(record, "paint", None)) is not None and is_coloured(sys.stderr):
            word = f"{paint}{word}{_OFF}"
        first = f"{self.formatTime(record, f'{date}%H:%M:%S')} {word}{blank}{rest}"
        return "\n".join([first, *getattr(record, "below", ())])

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the library's name
        return mark_lines(super().formatException(ei))


class _Message(logging.Formatter):
    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        return escape(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the library's name
        return mark_lines(super().formatException(ei))


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return escape(json.dumps(line, ensure_ascii=False))
