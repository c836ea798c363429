"""What can happen to a frame. Each event is addressed by the seq that it was made for."""

from __future__ import annotations

from typing import TypeAlias

from sm_cli.immutable import immutable
from sm_cli.interpreter.traceback import Traceback
from sm_cli.jsonvalue import Json


@immutable
class Entered:
    """The frame stands before its state and may begin."""

    #: The frame's seq that it is for.
    seq: int


@immutable
class TaskSucceeded:
    """A task has its result."""

    #: The frame's seq that it is for.
    seq: int
    #: What the handler returned, or a callback brought.
    result: Json


@immutable
class TaskFailed:
    """`stack` is None when the handler named error and cause itself."""

    #: The frame's seq that it is for.
    seq: int
    #: The error name, which Retry and Catch are asked for.
    error: str
    #: Text for people; None when there is none.
    cause: str | None
    #: The lines that Lambda's cause has as its stackTrace.
    stack: list[str] | None = None
    #: None when no handler raised.
    traceback: Traceback | None = None


@immutable
class DelayElapsed:
    """A Wait state's time has come."""

    #: The frame's seq that it is for.
    seq: int


@immutable
class BackoffElapsed:
    """The pause before a retry is over."""

    #: The frame's seq that it is for.
    seq: int


@immutable
class DeadlinePassed:
    """TimeoutSeconds of a Task or Message have passed."""

    #: The frame's seq that it is for.
    seq: int


@immutable
class HeartbeatMissed:
    """A task's handler was silent for HeartbeatSeconds."""

    #: The frame's seq that it is for.
    seq: int


@immutable
class MessageReceived:
    """The message came that a Message state waits for."""

    #: The frame's seq that it is for.
    seq: int
    #: The message's body.
    data: Json


@immutable
class ItemsWanted:
    """Few children of a map run wait for their turn, and there are items that no child was made for yet."""

    #: The frame's seq that it is for.
    seq: int


@immutable
class Joined:
    """All children are closed and few enough failed. `last` is the event that the history goes on from."""

    #: The frame's seq that it is for.
    seq: int
    #: One for each child, in the order of their index; empty when the state drops its result.
    outputs: list[Json]
    last: int
    #: Whether the outputs are together larger than a value may be; nobody has read them then.
    too_large: bool = False


@immutable
class JoinFailed:
    """A child failed, and with it the fork. `last` is the event that the history goes on from."""

    #: The frame's seq that it is for.
    seq: int
    #: The error name; None when the failed child had none.
    error: str | None
    #: Text for people; None when there is none.
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
