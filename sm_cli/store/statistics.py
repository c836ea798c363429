"""What statistics are asked for, and what the database answers: counts, and the durations themselves."""

# No annotations from __future__ here: a NamedTuple compiles each one that is text, and every command waits for it.

from enum import StrEnum
from typing import NamedTuple, TypeAlias


class By(StrEnum):
    """What executions are grouped by."""

    #: Their status.
    STATUS = "status"
    #: Their workflow.
    WORKFLOW = "workflow"
    #: Their workflow and the number of the version that they run.
    VERSION = "version"
    #: The error name that they ended with; one without is in no group.
    ERROR = "error"
    #: The hour, of UTC, in which they were started.
    HOUR = "hour"


#: What the executions of a group have in common: a status, a workflow, (workflow, version), an error name, or an hour
#: (hours since 1970 UTC).
GroupKey: TypeAlias = tuple[str | int | None, ...]


class Measured(NamedTuple):
    """A group of executions."""

    #: Its own among the groups.
    key: GroupKey
    #: How many there are.
    executions: int
    #: How many of them are FAILED or TIMED_OUT.
    failures: int
    #: When the first of them was started, microseconds since 1970 UTC.
    first: int
    #: When the last of them was started.
    last: int
    #: From start to end, of those that are closed; microseconds, in no order.
    durations: list[int]
