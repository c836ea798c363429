"""The bodies of requests. A member that a body does not have is an error, and so is a value of another type."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Body(BaseModel):
    """What all bodies have in common."""

    model_config = ConfigDict(extra="forbid", strict=True)


class StartBody(Body):
    """An execution to start."""

    workflow: str | None = Field(default=None, description="A name, order:3, order:prod, or an ARN.")
    definition: dict[str, Any] | None = Field(default=None, description="A definition in place of a name.")
    workflow_name: str | None = Field(default=None, description="What a definition is called; inline unless given.")
    input: Any = Field(default=None, description="Any JSON value; null means {}.")
    name: str | None = Field(default=None, description="Unique within the workflow; the id unless given.")
    timeout: float | None = Field(default=None, gt=0, description="Seconds until it ends as TIMED_OUT.")
    queue: str | None = Field(default=None, description="The queue of its tasks.", pattern=r"^[A-Za-z0-9_.-]{1,40}$")
    tags: dict[str, str] = Field(default={}, description="Names and values to find it by.")
    source: str | None = Field(default=None, description="EXECUTION or EXECUTION:STATE, whose output is the input.")
    transform: str | None = Field(default=None, description="JSONata over $states.input that makes the input.")
    allow_failed: bool = Field(default=False, description="Whether a source that failed will do.")
    unique: bool = Field(default=False, description="Whether a source that led to this workflow before is refused.")


class StopBody(Body):
    """How an execution is stopped."""

    error: str | None = Field(default=None, description="The error name to record.")
    cause: str | None = Field(default=None, description="The cause to record.")


class RedriveBody(Body):
    """How an execution goes on."""

    state: str | None = Field(default=None, description="From this state; from where it failed unless given.")
    input: Any = Field(default=None, description="The input of that state; what it last had unless given.")
    version: int | None = Field(default=None, description="Go on with this version of its workflow.")
    definition: dict[str, Any] | None = Field(default=None, description="Go on with this text, as a new version.")
    dry_run: bool = Field(default=False, description="Only tell what would run again.")


class SeveralBody(Body):
    """Many executions at once: those that the query chooses."""

    error: str | None = Field(default=None, description="Of a stop: the error name to record.")
    cause: str | None = Field(default=None, description="Of a stop: the cause to record.")
    dry_run: bool = Field(default=False, description="Only tell which would be meant.")


class RegisterBody(Body):
    """A text to register as a version of its workflow."""

    name: str = Field(description="The workflow's name.")
    definition: dict[str, Any] | str = Field(description="The definition, or its text in JSON or YAML.")
    alias: str | None = Field(default=None, description="Let this alias mean the version from now on.")


class DefinitionBody(Body):
    """A definition to look at."""

    definition: dict[str, Any] | str = Field(description="The definition, or its text in JSON or YAML.")
    handlers: list[str] | None = Field(default=None, description="Names: a task without a handler gets a warning.")
    express: bool = Field(default=False, description="Whether it is meant to run as EXPRESS.")


class AliasBody(Body):
    """What an alias means."""

    versions: dict[str, int] = Field(description="Number of a version to its share in percent; one or two.")


class RollbackBody(Body):
    """Which older version is meant again."""

    alias: str | None = Field(default=None, description="The alias that goes back; the bare name unless given.")
    to: int | None = Field(default=None, description="The number; the one before unless given.")


class MessageBody(Body):
    """A message."""

    key: str = Field(description="The correlation key.")
    value: str | int | float | bool = Field(description="The correlation value.")
    data: Any = Field(default=None, description="What who waits gets; null means {}.")
    message_id: str | None = Field(default=None, description="With the same key, value and id it is sent once.")
    ttl: float = Field(default=3600.0, ge=0, description="Seconds that it is kept for a wait that begins later.")
    to: Literal["all", "one"] = Field(default="all", description="Everybody who waits, or who has waited longest.")
    strict_type: bool = Field(default=False, description="Whether text 42 is another value than the number 42.")
    require_match: bool = Field(default=False, description="Whether nothing is kept when nobody waits.")
    execution: str | None = Field(default=None, description="Only this execution may receive it.")


class SuccessBody(Body):
    """A task that is done."""

    token: str
    output: Any = Field(default=None, description="Its result; null means {}.")


class FailureBody(Body):
    """A task that went wrong."""

    token: str
    error: str = "States.TaskFailed"
    cause: str | None = None


class HeartbeatBody(Body):
    """A task that is still worked on."""

    token: str


class SourcesBody(Body):
    """Executions whose outputs are the items of a batch."""

    workflow: str | None = None
    status: list[Literal["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"]] = ["SUCCEEDED"]
    since: str | None = None
    until: str | None = None
    name: str | None = None
    reached: str | None = Field(default=None, description="Only those that were in this state.")
    limit: int | None = Field(default=None, ge=1)
    state: str | None = Field(default=None, description="The state whose output it is.")
    transform: str | None = Field(default=None, description="JSONata over $states.input.")
    allow_failed: bool = False
    unique: bool = False


class BucketBody(Body):
    """An object of the directory that stands for S3."""

    bucket: str
    key: str


class BatchBody(Body):
    """A batch: a workflow, and one of items, object and executions."""

    workflow: str
    items: list[Any] | None = Field(default=None, description="The inputs.")
    object: BucketBody | None = None
    executions: SourcesBody | None = None
    name_prefix: str | None = None
    concurrency: int = Field(default=1000, ge=0)
    stop_on_error: bool = False
    max_failure_rate: float | None = Field(default=None, description="Percent.")
    min_samples: int = Field(default=0, ge=0)
    micro_batch: int = Field(default=0, ge=0)
    pause_at: float | None = Field(default=None, description="Percent.")
    fail_at: float | None = Field(default=None, description="Percent.")
    queue: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_.-]{1,40}$")


class LimitsBody(Body):
    """Other limits for a batch that runs."""

    concurrency: int | None = Field(default=None, ge=0)
    tolerated_failures: int | None = Field(default=None, ge=0, description="How many items may fail.")
    max_failure_rate: float | None = Field(default=None, description="Percent.")


class ScheduleBody(Body):
    """A schedule: one of cron, every and at says when."""

    name: str
    workflow: str
    input: Any = Field(default=None, description="null means {}.")
    cron: str | None = None
    zone: str = "UTC"
    every: float | None = Field(default=None, gt=0, description="Seconds.")
    at: str | None = Field(default=None, description="RFC 3339.")
    overlap: Literal["skip", "queue", "allow"] = "skip"
    catch_up: Literal["none", "last", "all"] = "last"
    jitter: float = Field(default=0, ge=0, description="Seconds.")
    queue: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_.-]{1,40}$")
