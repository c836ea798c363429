"""One call of AWS's API on its way: what it is given, and what it may use."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from sm_cli.engine.engine import Engine
from sm_cli.handlers.handler import Handler
from sm_cli.jsonvalue import Json
from sm_cli.server.aws.arns import Arns
from sm_cli.server.aws.refusals import CallRefused

#: What a call gives: its members, or that there are none yet.
Answer: TypeAlias = "dict[str, Json] | Pending"


def at_once(work: Callable[[], Answer]) -> Answer:
    """Do it in the caller's thread, now."""
    return work()


def _default_queue(workflow: str) -> str:  # noqa: ARG001 - as all that say which
    return "default"


def _nobody(operation: str, _parameters: Mapping[str, Any]) -> dict[str, Json]:
    raise CallRefused("UnknownOperationException", f"nobody carries out {operation} here")


@dataclass(frozen=True, slots=True)
class Door:
    """What the operations work on."""

    #: Of the database.
    engine: Engine
    #: For what runs within a call: StartSyncExecution and TestState.
    handlers: Mapping[str, Handler] = field(default_factory=dict)
    #: The account's number in ARNs.
    account: str = "000000000000"
    #: Whether AWS's limits hold for executions.
    limits: bool = False
    #: The names of the workflows that are files of the project.
    files: Callable[[], Iterable[str]] = tuple
    #: The queue of a workflow's executions.
    queue_of: Callable[[str], str] = _default_queue
    #: Does, from any thread, what changes something, in its turn among all that do.
    in_turn: Callable[[Callable[[], Answer]], Answer] = at_once
    #: Set when nobody waits any more for what runs within the call.
    stop: threading.Event = field(default_factory=threading.Event)


class ApiCall(NamedTuple):
    """One call, whose parameters fit its operation."""

    #: What it works on.
    door: Door
    #: The operation's name.
    operation: str
    #: By AWS's names, without those that are null.
    parameters: Mapping[str, Any]
    #: Makes the ARNs of the answer.
    arns: Arns
    #: Carries out another call for this one, by operation and parameters, with its region; raises CallRefused.
    ask: Callable[[str, Mapping[str, Any]], dict[str, Json]] = _nobody
    #: How many calls wait for this one that runs within them.
    depth: int = 0

    @property
    def engine(self) -> Engine:
        """The engine of the door."""
        return self.door.engine

    def text(self, name: str) -> str:
        """A text that the call must have."""
        return str(self.parameters[name])

    def get(self, name: str) -> Any:
        """A parameter; None when the call has none."""
        return self.parameters.get(name)


@dataclass(frozen=True, slots=True)
class Pending:
    """An answer that there is not yet. After each commit `is_ready` is asked, and when there may be one, `take` gives
    it: None, when somebody else was quicker."""

    #: Whether it is worth a `take`; only reads.
    is_ready: Callable[[], bool]
    #: Changes something, if it gives an answer.
    take: Callable[[], dict[str, Json] | None]
    #: What is answered when the time is up.
    late: dict[str, Json]
    #: For so long the caller waits.
    seconds: float


def epoch_seconds(at: int) -> float:
    """Microseconds since 1970 UTC as AWS's JSON has a time: seconds, to the millisecond."""
    return round(at / 1_000_000, 3)
