"""What a Client answers with: values that never change and hold nothing open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeAlias

from sm_cli.jsonvalue import Json
from sm_cli.timestamps import MICROSECONDS
from sm_cli.views.chaining.links import Link
from sm_cli.views.records import Execution, Status

#: AWS's words, and PENDING for a child of a map run that has not begun.
StatusName: TypeAlias = Literal["PENDING", "RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"]
OutcomeName: TypeAlias = Literal["delivered", "buffered", "duplicate", "not delivered"]


@dataclass(frozen=True, slots=True)
class ExecutionSummary:
    """What a list tells of an execution."""

    #: The public id, which every method takes; ids sort by the time of their start.
    id: str
    #: Unique within its workflow; the id unless one was given.
    name: str
    #: The workflow's name.
    workflow: str
    #: RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED; PENDING is a child of a map run that has not begun.
    status: StatusName
    #: When it began, in UTC.
    started: datetime
    #: When it ended, in UTC; None while it runs.
    ended: datetime | None
    #: The error name of one that failed; None when it has none.
    error: str | None
    #: What is said of that error; None when nothing is.
    cause: str | None
    #: Name to value, as it was started with.
    tags: Mapping[str, str]

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self.ended is None

    @property
    def duration(self) -> timedelta | None:
        """From its start to its end; None while it runs."""
        return None if self.ended is None else self.ended - self.started


@dataclass(frozen=True, slots=True)
class ExecutionDescription(ExecutionSummary):
    """An execution with its data."""

    #: As it was given.
    input: Json
    #: Of one that succeeded; None otherwise.
    output: Json


@dataclass(frozen=True, slots=True)
class ExecutionLink:
    """That an execution was started with the data of another one."""

    #: The id of the execution whose data it is; it may have been deleted.
    source: str
    #: The name of its workflow.
    source_workflow: str
    #: The state whose output it is; None: the output of the source.
    state: str | None
    #: The id of the execution that was started; it may have been deleted.
    target: str
    #: The name of its workflow.
    target_workflow: str
    #: When it was started, in UTC.
    at: datetime
    #: What made the input of the output, in short; None: nothing.
    transform: str | None


@dataclass(frozen=True, slots=True)
class MessageReceipt:
    """What became of a message."""

    #: "delivered" to who waited; "buffered" for a wait that begins later; "duplicate" of one with the same message id,
    #: and nothing has changed; "not delivered": nothing was kept.
    outcome: OutcomeName
    #: Ids of the executions that received it.
    executions: tuple[str, ...]
    #: Until when a buffered one is kept, in UTC; None for another one.
    until: datetime | None
    #: Sentences about what it just missed, such as a value that differs in case.
    near: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WaitingTask:
    """A task that waits for somebody outside to end it."""

    #: The id of its execution.
    execution: str
    #: The name of that execution's workflow.
    workflow: str
    #: The name of the state that waits.
    state: str
    #: What the work was handed to: the name of a handler or an activity.
    resource: str
    #: What ends it: `Client.task_succeeded(token, …)`.
    token: str


def utc_time(microseconds: int) -> datetime:
    """A time of the database, in UTC."""
    seconds, rest = divmod(microseconds, MICROSECONDS)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)


def summary_of(execution: Execution) -> ExecutionSummary:
    """What a list tells of it."""
    return ExecutionSummary(*_facts(execution))


def description_of(execution: Execution) -> ExecutionDescription:
    """All of it."""
    output = execution.output if execution.status is Status.SUCCEEDED else None
    return ExecutionDescription(*_facts(execution), execution.input, output)


def link_of(link: Link) -> ExecutionLink:
    """What a list of links tells of it."""
    return ExecutionLink(
        link.source_ref, link.source_workflow, link.state, link.target_ref, link.target_workflow, utc_time(link.at),
        link.transform,
    )  # fmt: skip


def receipt_from(document: Any) -> MessageReceipt:
    """What a sender is told. document: outcome, executions, until in microseconds since 1970 UTC, and near misses."""
    outcome, executions, until, near = document
    return MessageReceipt(outcome, tuple(executions), None if until is None else utc_time(until), tuple(near))


def _facts(
    e: Execution,
) -> tuple[str, str, str, StatusName, datetime, datetime | None, str | None, str | None, Mapping[str, str]]:
    end = None if e.closed is None else utc_time(e.closed)
    return e.ref, e.name, e.workflow, e.status.value, utc_time(e.started), end, e.error, e.cause, e.tags
