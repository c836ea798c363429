"""A frame: one thread of control of an execution, as data.

The root, each Parallel branch and each Map iteration is a frame. Frames form a tree and each is a row.
`(id, seq)` is an address and a fence: `seq` grows at every step, and whatever was made for an older
`seq` (a job, a timer, a subscription, a task token) no longer reaches the frame.
"""

# No annotations from __future__ here: a NamedTuple compiles each one that is text, and every command waits for it.

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, NamedTuple

from sm_cli.jsonvalue import Json
from sm_cli.mutable import Mutable


class FrameStatus(IntEnum):
    """What can happen to a frame next; as integers, because each row has one."""

    PENDING = 0  # a child beyond MaxConcurrency: not started
    READY = 1  # has an event to be stepped with: `wake`, or else Entered
    BLOCKED = 2  # waits for a job, a timer, a message or its children
    SUCCEEDED = 3
    FAILED = 4
    ABORTED = 5

    @property
    def closed(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self >= FrameStatus.SUCCEEDED


class Opens:
    """What the frame's last step opened or left open, and what therefore has to be closed with it: bits of an integer.

    No IntFlag: its & and | cost a microsecond, and every step has several."""

    NOTHING: Final = 0
    JOB: Final = 1
    TIMER: Final = 2
    SUBSCRIPTION: Final = 4
    CHILDREN: Final = 8
    EXECUTIONS: Final = 16


class Brake(NamedTuple):
    """What holds a batch back, or ends it: kept with the counts that it judges. Rates are millionths of the items.

    A round is over when so many children are closed as `ceiling` says; `*_before` are the counts when it began.
    """

    #: Since when nothing is started, microseconds since 1970 UTC; 0: it goes on.
    paused_since: int = 0
    #: 1: the failures of a round paused it; 0: a person did.
    by_failures: int = 0
    #: Children of a round; 0: there are no rounds.
    round_size: int = 0
    #: The number of the round, from 1.
    round: int = 1
    #: How many children may have been started when this round ends.
    ceiling: int = 0
    #: How many children were closed when the round began.
    closed_before: int = 0
    #: How many items had failed when the round began.
    failed_before: int = 0
    #: More of a round than this failed: pause. None: never.
    pause_above: int | None = None
    #: More of a round than this failed: the batch fails. None: never.
    fail_above: int | None = None
    #: More than this failed of all items so far: the batch fails. None: never.
    rate_above: int | None = None
    #: Before so many items are settled, `rate_above` judges nothing.
    min_samples: int = 0
    #: Items whose execution was there already, under the name that they would get.
    existing: int = 0


#: How many items a batch has whose source has not been read to its end.
UNKNOWN: Final = 2**53


class Join(NamedTuple):
    """The parent's side of a fork: a few integers, independent of the number of children.

    total, read_items, settled_items and failed_items count items: all there are, those that children were made for,
    those of closed children, those of failed ones. made_children, started, succeeded and failed count children. Both
    counts are the same where a child has one item. `limit` 0 means that all children may run at once. `tolerated` is
    how many items may fail. `activation` is the seq that the parent forked at: a child of another is stale. `mark`
    tells a data set that is read in portions from what it is after a change.
    """

    #: How many items there are.
    total: int
    limit: int = 0
    tolerated: int = 0
    #: How many children were started.
    started: int = 0
    #: How many children succeeded.
    succeeded: int = 0
    #: How many children failed.
    failed: int = 0
    activation: int = 0
    #: How many children were made.
    made_children: int = 0
    #: For how many items a child was made.
    read_items: int = 0
    #: How many items belong to closed children.
    settled_items: int = 0
    #: How many items belong to failed children.
    failed_items: int = 0
    mark: str = ""
    #: Of a batch; None for every other fork.
    brake: Brake | None = None

    @property
    def item_count(self) -> int | None:
        """How many items there are; None while nobody knows."""
        return None if self.total == UNKNOWN else self.total

    @property
    def closed(self) -> int:
        """How many children are closed."""
        return self.succeeded + self.failed

    @property
    def running(self) -> int:
        """How many children are started and not closed."""
        return self.started - self.closed


@dataclass(slots=True, eq=False, repr=False)
class Frame(Mutable):
    """`advance` never changes the frame that it is given: it works on a copy and returns that.

    parent, activation: the parent frame and the seq it forked at (its `join.activation`).
    index: the branch's or iteration's number. machine: the pointer of its machine in the Program.
    retries: retries so far in this visit of the state, one counter a retrier.
    item: Map.Item of the context object, inside a Map. vars: workflow variables.
    input: the state's raw input. output: the frame's, once closed (for a failed one: its error output).
    entered: number of the state's StateEntered event; last: of the frame's newest event.
    entered_at: when the state was entered, microseconds since 1970 UTC.
    wake: the event to step with when READY; None means Entered.
    """

    #: Given by the store, unique in it and never used twice.
    id: int
    #: The id of its execution.
    execution: int
    parent: int | None
    activation: int
    index: int
    machine: str
    #: The name of the state that it is in or stands before.
    state: str
    #: Grows by every step; with the id the address of jobs, timers, subscriptions and tokens.
    seq: int = 0
    #: Whether it can be stepped, waits, or is closed.
    status: FrameStatus = FrameStatus.READY
    #: What has to be closed with it, in bits of Opens.
    opens: int = Opens.NOTHING
    retries: tuple[int, ...] = ()
    #: Its side of the fork that it waits for; None: it did not fork in this visit of the state.
    join: Join | None = None
    item: Json = None
    vars: dict[str, Json] = field(default_factory=dict)
    input: Json = None
    output: Json = None
    entered: int = 0
    last: int = 0
    entered_at: int = 0
    wake: Json = None
    #: Since when a worker has its task, microseconds since 1970 UTC; None: none has one.
    work_since: int | None = None

    def copy(self) -> "Frame":
        """Another frame with the same values; dicts and lists are shared."""
        return Frame(
            self.id, self.execution, self.parent, self.activation, self.index, self.machine, self.state, self.seq,
            self.status, self.opens, self.retries, self.join, self.item, self.vars, self.input, self.output,
            self.entered, self.last, self.entered_at, self.wake, self.work_since,
        )  # fmt: skip
