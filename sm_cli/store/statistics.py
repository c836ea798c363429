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
    #: States that they were in, by the workflow's name; a line counts visits, and not executions.
    STATE = "state"
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


#: A state: its name, the workflow, and the digest of the definition that its executions run.
StateKey: TypeAlias = tuple[str, str, str]

#: What an execution has spent in a state: which one, and (when the execution was started, its id, visits that have
#: ended, how many of them by an error, how often it was tried again, all visits together, the longest, for how long
#: workers had its tasks). Times in microseconds since 1970 UTC, spans in microseconds. No NamedTuple, for each step
#: makes one.
StateTimes: TypeAlias = tuple[StateKey, tuple[int, ...]]


class StateMeasured(NamedTuple):
    """A state, over the executions that are meant; spans in microseconds."""

    #: The executions'.
    workflow: str
    #: The state's name.
    state: str
    #: How many visits have ended.
    visits: int
    #: How many of them by an error.
    failures: int
    #: How often it was tried again.
    retries: int
    #: For how long workers had its tasks, over all visits.
    working: int
    #: When the first of the executions was started, microseconds since 1970 UTC.
    first: int
    #: When the last of them was started.
    last: int
    #: How long each visit took, in no order. Of an execution with several visits the longest is known, and the mean of
    #: the others.
    durations: list[int]
