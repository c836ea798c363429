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
    ended: int
    failed: int


class BatchAnswer(AnswerBody):
    """A batch."""

    id: str
    workflow: str
    digest: str = Field(description="Of the text of the definition.")
    name_prefix: str
    source: dict[str, Any]
    status: str
    started: str
    ended: str | None
    paused_since: str | None
    paused_by: str | None
    error: str | None
    cause: str | None
    item_counts: BatchCountsAnswer
    concurrency: int
    max_failure_rate: float | None = Field(description="Percent.")
    min_samples: int
    round: RoundAnswer | None
    pause_at: float | None = Field(description="Percent.")
    fail_at: float | None = Field(description="Percent.")
    redrive_count: int


class ItemResultAnswer(AnswerBody):
    """What became of an item of a batch."""

    index: int
    name: str
    execution_id: str | None
    status: str
    existing: bool
    input: Any
    output: Any
    error: str | None
    cause: str | None
    started: str | None
    ended: str | None


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
    execution_id: str
    state: str
    workflow: str
    type: str
    status: StatusName
    started: str
    ended: str | None
    concurrency: int
    tolerated_failures: int | None
    redrive_count: int
    item_counts: ItemCountsAnswer
    execution_counts: ExecutionCountsAnswer


class FiringAnswer(AnswerBody):
    """What became of one time of a schedule."""

    time: str
    at: str
    outcome: str
    execution_id: str | None
    execution_status: StatusName | None
    reason: str | None


class ScheduleAnswer(AnswerBody):
    """A schedule."""

    name: str
    workflow: str
    status: str
    cron: str | None
    zone: str | None
    every: int | None = Field(description="Seconds.")
    at: str | None
    overlap: str
    catch_up: str
    jitter: int = Field(description="Seconds.")
    queue: str
    next_times: list[str]
    due: str | None
    waiting: int
    last_firing: FiringAnswer | None


class WholeScheduleAnswer(ScheduleAnswer):
    """A schedule with its input and what became of its newest times."""

    created: str
    paused_since: str | None
    waiting_times: list[str]
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
    failed: int
    ended: int
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
    oldest_age: float | None = Field(description="Seconds that the oldest pending task waits; null: none does.")
    succeeded: int
    failed: int
    counted_since: str


class WorkerAnswer(AnswerBody):
    """A worker; queues is null for all, handlers and concurrency null when an older one did not say."""

    name: str
    id: str
    status: str = Field(description="running, silent or dead.")
    host: str
    pid: int
    started: str
    seen: str
    tasks: int
    concurrency: int | None
    queues: Any
    handlers: list[str] | None
    only_execution: bool


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
    started: str


class DatabaseAnswer(AnswerBody):
    """The database, with what is known of its kind."""

    model_config = ConfigDict(extra="allow")

    bytes: int
    schema_: int = Field(alias="schema")
    execution_counts: dict[str, int] = Field(description="By status.")
    map_run_children: int
    bytes_per_execution: int | None
    oldest_open: OldestOpenAnswer | None
    tables: dict[str, int]
