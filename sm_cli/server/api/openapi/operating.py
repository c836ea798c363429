"""What requests about batches, map runs, schedules and the system as a whole are answered with."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from sm_cli.server.api.openapi.parts import ActionAnswer, AnswerBody, StatusName


class StartedBatchAnswer(AnswerBody):
    """A batch that was started."""

    id: str
    name: str


class BatchCountsAnswer(AnswerBody):
    """Items of a batch; total and skipped are null while they are not known."""

    total: int | None
    succeeded: int
    failed: int
    existing: int
    running: int
    skipped: int | None


class RoundAnswer(AnswerBody):
    """The round of a batch that works in micro-batches."""

    number: int
    size: int
    closed: int
    failed: int


class BatchAnswer(AnswerBody):
    """A batch."""

    id: str
    workflow: str
    definition: str
    namePrefix: str  # noqa: N815 - the names of members are those of the answers
    source: dict[str, Any]
    status: str
    started: str
    closed: str | None
    pausedSince: str | None  # noqa: N815
    pausedBy: str | None  # noqa: N815
    error: str | None
    cause: str | None
    itemCounts: BatchCountsAnswer  # noqa: N815
    concurrency: int
    maxFailureRate: str | None = Field(description="Percent.")  # noqa: N815
    minSamples: int  # noqa: N815
    round: RoundAnswer | None
    pauseAt: str | None  # noqa: N815
    failAt: str | None  # noqa: N815
    redriveCount: int  # noqa: N815


class ItemResultAnswer(AnswerBody):
    """What became of an item of a batch."""

    index: int
    name: str
    executionId: str | None  # noqa: N815
    status: str
    existing: bool
    input: Any
    output: Any
    error: str | None
    cause: str | None
    started: str | None
    closed: str | None


class ItemCountsAnswer(AnswerBody):
    """Items of a map run; total and pending are null while they are not known."""

    total: int | None
    succeeded: int
    failed: int
    pending: int | None


class ExecutionCountsAnswer(AnswerBody):
    """Executions of a map run."""

    total: int
    running: int
    pending: int
    succeeded: int
    failed: int


class MapRunAnswer(AnswerBody):
    """A map run."""

    id: str
    executionId: str  # noqa: N815
    state: str
    workflow: str
    type: str
    status: StatusName
    started: str
    closed: str | None
    maxConcurrency: int  # noqa: N815
    toleratedFailures: int | None  # noqa: N815
    redriveCount: int  # noqa: N815
    itemCounts: ItemCountsAnswer  # noqa: N815
    executionCounts: ExecutionCountsAnswer  # noqa: N815


class FiringAnswer(AnswerBody):
    """What became of one time of a schedule."""

    time: str
    at: str
    outcome: str
    executionId: str | None  # noqa: N815
    executionStatus: StatusName | None  # noqa: N815
    reason: str | None


class ScheduleAnswer(AnswerBody):
    """A schedule."""

    name: str
    workflow: str
    status: str
    cron: str | None
    zone: str | None
    everySeconds: int | None  # noqa: N815
    at: str | None
    overlap: str
    catchUp: str  # noqa: N815
    jitterSeconds: int  # noqa: N815
    queue: str
    next: list[str]
    due: str | None
    waiting: int
    last: FiringAnswer | None


class WholeScheduleAnswer(ScheduleAnswer):
    """A schedule with its input and what became of its newest times."""

    created: str
    pausedAt: str | None  # noqa: N815
    waitingTimes: list[str]  # noqa: N815
    input: Any
    firings: list[FiringAnswer]


class ScheduleReasonAnswer(AnswerBody):
    """Why a schedule does not fire."""

    text: str
    action: ActionAnswer | None


class ScheduleReasonsAnswer(AnswerBody):
    """Why a schedule does not fire."""

    schedule: str
    reasons: list[ScheduleReasonAnswer]


class DeletedNamesAnswer(AnswerBody):
    """Names of what is gone."""

    deleted: list[str]


class NumbersAnswer(AnswerBody):
    """Of the executions of a group; durations in seconds, null when none is closed."""

    model_config = ConfigDict(extra="allow")

    count: int
    rate_per_hour: float
    failures: int
    closed: int
    average: float | None
    p50: float | None
    p95: float | None
    p99: float | None
    max: float | None
    first: str | None
    last: str | None


class StatisticsAnswer(AnswerBody):
    """Numbers by group, each with the members that `by` names, and all together."""

    by: str
    since: str
    until: str
    groups: list[NumbersAnswer]
    total: NumbersAnswer


class QueueAnswer(AnswerBody):
    """The tasks of a queue."""

    queue: str
    pending: int
    active: int
    callbacks: int
    retrying: int
    timed: int
    oldestSeconds: float | None  # noqa: N815
    succeeded: int
    failed: int
    countedSince: str  # noqa: N815


class WorkerAnswer(AnswerBody):
    """A worker; queues is null for all, handlers and concurrency null when an older one did not say."""

    name: str
    id: str
    state: str
    host: str
    pid: int
    startDate: str  # noqa: N815
    seenDate: str  # noqa: N815
    tasks: int
    concurrency: int | None
    queues: Any
    handlers: list[str] | None
    onlyExecution: bool  # noqa: N815


class FindingAnswer(AnswerBody):
    """What was looked at, and how it is."""

    check: str
    severity: str
    text: str
    action: ActionAnswer | None


class FindingsAnswer(AnswerBody):
    """All that was looked at."""

    ok: bool
    findings: list[FindingAnswer]


class OldestOpenAnswer(AnswerBody):
    """The execution that has run for longest."""

    id: str
    name: str
    workflow: str
    startDate: str  # noqa: N815


class DatabaseAnswer(AnswerBody):
    """The database, with what is known of its kind."""

    model_config = ConfigDict(extra="allow")

    bytes: int
    schema_: int = Field(alias="schema")
    executions: dict[str, int]
    mapRunChildren: int  # noqa: N815
    bytesPerExecution: int | None  # noqa: N815
    oldestOpen: OldestOpenAnswer | None  # noqa: N815
    tables: dict[str, int]
