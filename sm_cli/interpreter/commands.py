"""What the interpreter asks for. The engine carries commands out in the transaction that writes the frame."""

from __future__ import annotations

from typing import TypeAlias

from sm_cli.immutable import immutable
from sm_cli.interpreter.frame import Join
from sm_cli.interpreter.timers import TimerKind as TimerKind
from sm_cli.jsonvalue import Json


@immutable
class RunTask:
    """Make a job. `timeout` and `heartbeat` are seconds, counted from the moment a worker takes it."""

    #: The name that a handler is registered under.
    handler: str
    #: What the handler gets.
    input: Json
    #: 1 for the first try of this visit of the state.
    attempt: int
    timeout: float | None
    heartbeat: float | None


@immutable
class StartTimer:
    """Start a timer, in place of an older one of the same kind."""

    #: Which event it brings; a frame has one timer of each kind.
    kind: TimerKind
    #: Microseconds since 1970 UTC.
    due: int


@immutable
class AwaitMessage:
    """Take the oldest buffered message with this key and value, or open a subscription."""

    #: The correlation key.
    key: str
    #: The correlation value: text, a number or a boolean.
    value: Json
    #: Microseconds since 1970 UTC; None: it waits as long as the execution runs.
    deadline: int | None


@immutable
class Child:
    """One child to be started: a branch, an iteration, or a part of a map run."""

    #: The pointer of its machine in the Program.
    machine: str
    #: The branch's or iteration's number, from 0.
    index: int
    #: The input of its first state.
    input: Json
    #: Map.Item of the context object; None outside a Map.
    item: Json = None
    #: How many items it works on.
    items: int = 1
    #: Why its item cannot be worked on: it fails when its turn comes. None: it can.
    refusal: str | None = None
    #: Whose data its input is, as [id, public id, workflow] of an execution; None: nobody's.
    origin: Json = None


@immutable
class Fork:
    """Start children; at most `join.limit` at once (0: all)."""

    #: In the order in which they start; their outputs are joined by index.
    children: list[Child]
    #: The frame's side of it, with no child started.
    join: Join


@immutable
class StartRun:
    """A map run begins, with the frame's join. ref: its public id. label: of the Map, for the name of what its children
    run. type: of its children, STANDARD or EXPRESS."""

    ref: str
    #: The name of the Map state.
    state: str
    label: str
    type: str
    #: The frame's side of it: counts of items and children.
    join: Join


@immutable
class Spawn:
    """More children of the frame's map run, each an execution of its own; as many begin as the join's limit lets."""

    #: In the order in which they begin.
    children: list[Child]


@immutable
class EndRun:
    """The map run with this join is over; whichever of its children is still open is closed."""

    #: Whether few enough of its items failed.
    succeeded: bool
    #: The counts that it ended with.
    join: Join


@immutable
class StartExecution:
    """Start a workflow by its name. pattern: "" to go on at once, "sync" or "sync:2" to wait for its end,
    "waitForTaskToken" for a callback. timeout, heartbeat: seconds from now."""

    #: The name of the workflow.
    workflow: str
    #: The name of the execution; None: one is made for it.
    name: str | None
    #: The input of the execution.
    input: Json
    pattern: str
    timeout: float | None
    heartbeat: float | None
    #: All that the task was given, as a handler in the engine's place gets it.
    arguments: Json = None
    #: The version or alias that it asks for; None: the workflow as it is.
    qualifier: str | None = None


@immutable
class CallSfn:
    """Carry out an action of Step Functions' own API. parameters: checked, in AWS's names. pattern: "" or
    "waitForTaskToken" for a callback after it. timeout, heartbeat: seconds from now."""

    #: In AWS's spelling, such as sendTaskSuccess.
    action: str
    parameters: dict[str, Json]
    pattern: str
    timeout: float | None
    heartbeat: float | None


@immutable
class Close:
    """The frame is closed. `error` is None for a frame that succeeded or failed without a name.

    `tail` is the event that the parent's history goes on from when this child was the last one to succeed.
    """

    #: Whether it reached its end; False: it failed.
    succeeded: bool
    #: What it ended with; for a failed one its error output.
    output: Json
    error: str | None
    #: AWS's text for people; None when there is none.
    cause: str | None
    tail: int


Command: TypeAlias = (
    RunTask | StartTimer | AwaitMessage | Fork | StartRun | Spawn | EndRun | StartExecution | CallSfn | Close
)
