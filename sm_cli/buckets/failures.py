"""How reading items and writing results fail.

Whatever is wrong with a bucket, a key or a file leaves this room as one of two failures of the state, with one
plain sentence; never as an OSError.

    TaskError
    ├── ItemReaderFailed      States.ItemReaderFailed
    └── ResultWriterFailed    States.ResultWriterFailed

    Refused                   a name or a file that cannot be used; becomes one of the two above
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sm_cli.errors import TaskError


class ItemReaderFailed(TaskError):
    """The items of a distributed Map could not be read: States.ItemReaderFailed with this cause."""

    def __init__(self, cause: str) -> None:
        super().__init__("States.ItemReaderFailed", cause)


class ResultWriterFailed(TaskError):
    """The results of a distributed Map could not be written: States.ResultWriterFailed with this cause."""

    def __init__(self, cause: str) -> None:
        super().__init__("States.ResultWriterFailed", cause)


class Refused(Exception):
    """A bucket, a key or a file that cannot be used; the message is the sentence."""


@contextmanager
def failing(failure: type[ItemReaderFailed | ResultWriterFailed], doing: str) -> Iterator[None]:
    """What goes wrong inside becomes `failure`; `doing` says what was tried, for errors of the system."""
    try:
        yield
    except Refused as e:
        raise failure(str(e)) from None
    except OSError as e:
        where = f" {e.filename}" if e.filename else ""
        raise failure(f"{doing} failed:{where} {e.strerror or e}") from None
