"""What a person, or a program, can do about what a view shows: a fact, not a command.

The command line writes a command of it, the API a link. Nothing here names either.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class Do(Enum):
    """What a person can do; the arguments that each takes are in brackets."""

    SEND_MESSAGE = auto()  # key, value
    COMPLETE_TASK = auto()  # task token
    LIST_TASKS = auto()
    START_WORKER = auto()
    POLL_ACTIVITY = auto()  # activity's ARN
    REDRIVE = auto()  # execution
    SHOW_OUTPUT = auto()  # execution
    SHOW_EXECUTION = auto()  # execution
    SHOW_REASONS = auto()  # execution
    SHOW_MAP_RUNS = auto()  # map run
    SHOW_SCHEDULE = auto()  # schedule
    RESUME_SCHEDULE = auto()  # schedule
    SHOW_BATCH = auto()  # execution
    RESUME_BATCH = auto()  # execution
    RETRY_BATCH = auto()  # execution


@dataclass(frozen=True, slots=True)
class Action:
    """What a person or program can do about it; a front end writes it as a command or a link."""

    #: What to do.
    do: Do
    #: What it is done with, as `Do` says: ids, or a message's key and value as `scalar_text` writes it.
    arguments: tuple[str, ...] = ()
