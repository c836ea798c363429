"""Logging of the command line: `sm.*` to stderr, only when asked for.

Rule: without `-v` nothing below a warning is written; `--log-format json` is one JSON object a line.
"""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

from sm_cli.cli.escaping import escaped, framed
from sm_cli.errors import UsageError

_LOGGER = logging.getLogger("sm")


def more() -> None:
    """`-v`: everything."""
    _handler()
    _LOGGER.setLevel(logging.DEBUG)


def is_verbose() -> bool:
    """Whether debug lines are shown."""
    return _LOGGER.level == logging.DEBUG


def use_format(name: str) -> None:
    """`text` or `json`."""
    if name not in ("text", "json"):
        raise UsageError(f"--log-format takes text or json, not {name!r}")
    _handler().setFormatter(_JsonLines() if name == "json" else _plain())


class _Stderr(logging.StreamHandler):  # type: ignore[type-arg]  # generic only in the stubs of some versions
    """Writes to what sys.stderr is at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def _handler() -> logging.Handler:
    for known in _LOGGER.handlers:
        if isinstance(known, _Stderr):
            return known
    made = _Stderr()
    made.setFormatter(_plain())
    _LOGGER.addHandler(made)
    _LOGGER.propagate = False
    return made


def _plain() -> logging.Formatter:
    return _TextLines("%(asctime)s %(name)s: %(message)s", "%H:%M:%S")


class _TextLines(logging.Formatter):
    """What is logged stays one line, and a traceback its own lines."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        return escaped(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the library's name
        return framed(super().formatException(ei))


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return escaped(json.dumps(line, ensure_ascii=False))
