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
    items: int = 1


@dataclass(frozen=True, slots=True)
class Fork:
    """Start children; at most `join.limit` at once (0: all)."""

    children: list[Child]
    join: Join


@dataclass(frozen=True, slots=True)
class StartRun:
    """A map run begins, with the frame's join. ref: its public id. label: of the Map, for the name of what its children
    run. type: of its children, STANDARD or EXPRESS."""

    ref: str
    state: str
    label: str
    type: str
    join: Join


@dataclass(frozen=True, slots=True)
class Spawn:
    """More children of the frame's map run, each an execution of its own; as many begin as the join's limit lets."""

    children: list[Child]


@dataclass(frozen=True, slots=True)
class EndRun:
    """The map run with this join is over; whichever of its children is still open is closed."""

    succeeded: bool
    join: Join


@dataclass(frozen=True, slots=True)
class StartExecution:
    """Start a workflow by its name. pattern: "" to go on at once, "sync" or "sync:2" to wait for its end,
    "waitForTaskToken" for a callback. timeout, heartbeat: seconds from now."""

    workflow: str
    name: str | None
    input: Json
    pattern: str
    timeout: float | None
    heartbeat: float | None


@dataclass(frozen=True, slots=True)
class CallSfn:
    """Carry out an action of Step Functions' own API. parameters: checked, in AWS's names. pattern: "" or
    "waitForTaskToken" for a callback after it. timeout, heartbeat: seconds from now."""

    action: str
    parameters: dict[str, Json]
    pattern: str
    timeout: float | None
    heartbeat: float | None


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


Command: TypeAlias = (
    RunTask | StartTimer | AwaitMessage | Fork | StartRun | Spawn | EndRun | StartExecution | CallSfn | Close
)
