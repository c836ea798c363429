"""What the interpreter asks for. The engine carries commands out in the transaction that writes the frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from sm_cli.interpreter.frame import Join
from sm_cli.interpreter.timers import TimerKind as TimerKind
from sm_cli.jsonvalue import Json


@dataclass(frozen=True, slots=True)
class RunTask:
    """Make a job. `timeout` and `heartbeat` are seconds, counted from the moment a worker takes it."""

    handler: str
    input: Json
    attempt: int
    timeout: float | None
    heartbeat: float | None


@dataclass(frozen=True, slots=True)
class StartTimer:
    kind: TimerKind
    due: int


@dataclass(frozen=True, slots=True)
class AwaitMessage:
    """Take the oldest buffered message with this key and value, or open a subscription."""

    key: str
    value: Json
    deadline: int | None


@dataclass(frozen=True, slots=True)
class Child:
    machine: str
    index: int
    input: Json
    item: Json = None


@dataclass(frozen=True, slots=True)
class Fork:
    """Start children; at most `join.limit` at once (0: all)."""

    children: list[Child]
    join: Join


@dataclass(frozen=True, slots=True)
class Close:
    """The frame is closed. `error` is None for a frame that succeeded or failed without a name.

    `tail` is the event that the parent's history goes on from when this child was the last one to succeed.
    """

    succeeded: bool
    output: Json
    error: str | None
    cause: str | None
    tail: int


Command: TypeAlias = RunTask | StartTimer | AwaitMessage | Fork | Close
