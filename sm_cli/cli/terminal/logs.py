"""Logging of the command line: `sm.*` to stderr, only when asked for.

Rule: without `-v` nothing below a warning is written; `--log-format json` is one JSON object a line.
"""

from __future__ import annotations

import json
import logging
import sys

from sm_cli.errors import UsageError

_LOGGER = logging.getLogger("sm")


def more() -> None:
    """`-v`: everything."""
    _handler()
    _LOGGER.setLevel(logging.DEBUG)


def is_verbose() -> bool:
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
    return logging.Formatter("%(asctime)s %(name)s: %(message)s", "%H:%M:%S")


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
        return json.dumps(line, ensure_ascii=False)
