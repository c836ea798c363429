"""What can happen to a frame. Each event is addressed by the seq that it was made for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from sm_cli.jsonvalue import Json


@dataclass(frozen=True, slots=True)
class Entered:
    """The frame stands before its state and may begin."""

    seq: int


@dataclass(frozen=True, slots=True)
class TaskSucceeded:
    seq: int
    result: Json


@dataclass(frozen=True, slots=True)
class TaskFailed:
    """`trace` is the traceback's lines when the handler raised; None when it named error and cause itself."""

    seq: int
    error: str
    cause: str | None
    trace: list[str] | None = None


@dataclass(frozen=True, slots=True)
class DelayElapsed:
    """A Wait state's time has come."""

    seq: int


@dataclass(frozen=True, slots=True)
class BackoffElapsed:
    """The pause before a retry is over."""

    seq: int


@dataclass(frozen=True, slots=True)
class DeadlinePassed:
    """TimeoutSeconds of a Task or Message have passed."""

    seq: int


@dataclass(frozen=True, slots=True)
class HeartbeatMissed:
    seq: int


@dataclass(frozen=True, slots=True)
class MessageReceived:
    seq: int
    data: Json


@dataclass(frozen=True, slots=True)
class ItemsWanted:
    """Few children of a map run wait for their turn, and there are items that no child was made for yet."""

    seq: int


@dataclass(frozen=True, slots=True)
class Joined:
    """All children are closed and few enough failed. `last` is the event that the history goes on from."""

    seq: int
    outputs: list[Json]
    last: int


@dataclass(frozen=True, slots=True)
class JoinFailed:
    """A child failed, and with it the fork. `last` is the event that the history goes on from."""

    seq: int
    error: str | None
    cause: str | None
    last: int


Event: TypeAlias = (
    Entered
    | TaskSucceeded
    | TaskFailed
    | DelayElapsed
    | BackoffElapsed
    | DeadlinePassed
    | HeartbeatMissed
    | MessageReceived
    | ItemsWanted
    | Joined
    | JoinFailed
)
