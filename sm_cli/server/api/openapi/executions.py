"""What requests about executions, their histories and their links are answered with."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from sm_cli.server.api.openapi.parts import (
    ActionAnswer,
    AnswerBody,
    ExecutionAnswer,
    FailureAnswer,
    ProblemAnswer,
    StatusName,
)


class ResultAnswer(AnswerBody):
    """What became of an execution that somebody waited for."""

    id: str
    name: str
    workflow: str
    version: int | None
    alias: str | None
    status: StatusName
    output: Any
    error: str | None
    cause: str | None
    started: str
    ended: str | None = Field(description="null while it runs.")
    duration: float | None = Field(description="Seconds; null while it runs.")


class EndAnswer(AnswerBody):
    """One end of a link; name and status are null of an execution that was deleted."""

    id: str
    name: str | None
    workflow: str
    status: StatusName | None


class LinkAnswer(AnswerBody):
    """That an execution was started with the data of another one."""

    source: EndAnswer
    state: str | None = Field(description="The state whose output it is; null: that of the source.")
    target: EndAnswer
    at: str
    transform: str | None
    unique: bool


class OriginAnswer(EndAnswer):
    """What an execution was started from."""

    state: str | None
    transform: str | None


class TargetAnswer(OriginAnswer):
    """What an execution led to."""

    at: str


class WaitAnswer(AnswerBody):
    """What an execution waits for."""

    state: str | None
    text: str = Field(description="A sentence.")
    action: ActionAnswer | None


class WholeExecutionAnswer(ExecutionAnswer):
    """An execution with its data."""

    digest: str = Field(description="Of the text of its definition.")
    type: str
    part_of: str | None = Field(description="The id of the execution at the top.")
    deadline: str | None
    input: Any
    output: Any
    failure: FailureAnswer | None
    started_from: OriginAnswer | None
    led_to: list[TargetAnswer]
    waits_for: list[WaitAnswer]


class CountAnswer(AnswerBody):
    """How many there are."""

    count: int


class ReasonAnswer(AnswerBody):
    """Why an execution does not go on."""

    kind: str
    text: str
    state: str | None
    action: ActionAnswer | None
    until: str | None
    traceback: str | None


class ReasonsAnswer(AnswerBody):
    """Why an execution does not go on, or where it failed."""

    execution_id: str
    status: StatusName
    failure: FailureAnswer | None
    reasons: list[ReasonAnswer]


class VisitAnswer(AnswerBody):
    """One visit of a state."""

    name: str
    type: str
    status: str
    where: list[str]
    started: str
    ended: str | None
    duration: float | None = Field(description="Seconds; null while it lasts.")
    retries: int
    error: str | None
    cause: str | None
    input: Any
    output: Any


class HistoryAnswer(ExecutionAnswer):
    """An execution state by state."""

    input: Any
    output: Any
    states: list[VisitAnswer]


class EventAnswer(AnswerBody):
    """An event as AWS's GetExecutionHistory gives it, with the details of its kind."""

    model_config = ConfigDict(extra="allow")

    id: int
    previousEventId: int  # noqa: N815
    timestamp: str
    type: str


class EventsAnswer(AnswerBody):
    """Events of an execution."""

    events: list[EventAnswer]
    next: int | None = Field(description="The `after` of the page after it.")


class RerunAnswer(AnswerBody):
    """A state that runs again."""

    state: str
    type: str
    where: list[str]


class RedriveAnswer(AnswerBody):
    """What runs again of an execution."""

    execution_id: str
    dry_run: bool
    version: int | None
    again: list[RerunAnswer]


class StoppedAnswer(ExecutionAnswer):
    """One of many that were to be stopped."""

    problem: ProblemAnswer | None = Field(default=None, description="Why it was not.")


class RedrivenAnswer(ExecutionAnswer):
    """One of many that were to be redriven."""

    again: list[RerunAnswer] | None = None
    problem: ProblemAnswer | None = Field(default=None, description="Why it was not.")


class StopsAnswer(AnswerBody):
    """Many that were to be stopped."""

    count: int
    items: list[StoppedAnswer]


class RedrivesAnswer(AnswerBody):
    """Many that were to be redriven."""

    count: int
    items: list[RedrivenAnswer]


class DeletedExecutionAnswer(AnswerBody):
    """What went with an execution."""

    deleted: list[str]
    map_run_children: int
    event_count: int
