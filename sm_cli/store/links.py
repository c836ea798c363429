"""Links between executions: which one was started with the data of which other one.

Values only. Times are integer microseconds since 1970 UTC. What may be asked about them stands in `sql`.
"""

# No annotations from __future__ here: a NamedTuple compiles each one that is text, and every command waits for it.

from typing import NamedTuple

from sm_cli.store.records import Status


class Link(NamedTuple):
    """That an execution, the target, was started with the data of another one, its source.

    It stays as long as one of the two is there, so that what was started once is known after the target was deleted.
    """

    #: The id of the execution that was started; it has one source.
    target: int
    #: The public id of the target.
    target_ref: str
    #: The name of the target's workflow.
    target_workflow: str
    #: The id of the execution whose data it is.
    source: int
    #: The public id of the source.
    source_ref: str
    #: The name of the source's workflow.
    source_workflow: str
    #: When the target was started.
    at: int
    #: The state of the source whose output it is; None: the output of the source itself.
    state: str | None = None
    #: What was made of the output, in short; None: nothing.
    transform: str | None = None
    #: Whether it was to be the first link of this source to this workflow, or none at all.
    unique: bool = False


class LinkEnds(NamedTuple):
    """A link, and what its two executions are called now; None for one that was deleted."""

    #: What was written with the start.
    link: Link
    #: The name of the source.
    source_name: str | None
    #: AWS's word.
    source_status: Status | None
    #: The name of the target.
    target_name: str | None
    #: AWS's word.
    target_status: Status | None


class LinkFilter(NamedTuple):
    """Which links are meant. None means no limit on that field."""

    #: Only those from or to the execution of this id.
    execution: int | None = None
    #: Only those from executions of this workflow.
    source_workflow: str | None = None
    #: Only those to executions of this workflow.
    target_workflow: str | None = None
    #: Only those with the output of a state of this name.
    state: str | None = None
    #: Only those made at or after this time.
    since: int | None = None
    #: At most so many.
    limit: int = 50
    #: Only those whose target has a smaller id: the page after the one that ended with it.
    before: int | None = None
