"""What a store keeps, in the domain's words: executions, map runs, jobs, timers, workers, history.

Values only; no store, no SQL. Times are integer microseconds since 1970 UTC. What belongs to messages stands in
`messages`, a frame in `interpreter.frame`. `mutable` says how a new one is written, for every command waits for it.
"""

# No annotations from __future__ here: a NamedTuple compiles each one that is text, and every command waits for it.

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from sm_cli.history_event import HistoryEvent as HistoryEvent
from sm_cli.jsonvalue import Json
from sm_cli.mutable import Mutable

if TYPE_CHECKING:  # who lists executions waits for no frame
    from sm_cli.interpreter.frame import Join
    from sm_cli.interpreter.timers import TimerKind
    from sm_cli.interpreter.traceback import Traceback


class Status(StrEnum):
    """An execution's status; AWS's words, and PENDING: a child of a map run that waits for its turn."""

    PENDING = "PENDING"

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    ABORTED = "ABORTED"


class Company(IntEnum):
    """What else the workers had that were lost over a job: whether one of those may have been what killed them."""

    #: Nothing, or none was lost.
    NONE = 0
    #: Other jobs, one of them at least; or that is not known.
    SOME = 1
    #: As SOME; and the worker that has it now begins it when its other jobs have ended.
    IN_THE_WAY = 2


#: Tables whose ids the engine reserves before it writes.
Reserved: TypeAlias = Literal["executions", "frames", "jobs", "map_runs", "messages", "schedules"]


class Parent(NamedTuple):
    """Who started an execution and learns of its end: a frame, at the seq (of its fork, for a map run) that it had.

    run: the map run that it is a child of; then `number` counts it from 0 and `items` how many items it works on.
    is_listed: a child of a batch is an execution of a workflow of its own, and lists show it among all others.
    """

    #: The id of the frame.
    frame: int
    #: The seq that the frame had when it started this one, or forked.
    activation: int
    number: int = 0
    items: int = 1
    run: int | None = None
    is_listed: bool = False


@dataclass(slots=True, eq=False, repr=False)
class Execution(Mutable):
    """One run of a definition, or of a distributed Map's processor.

    ref: the public id, sorts by time. name: unique within its workflow. events: how many history events it
    has; the next one's number is one more. deadline: when it times out. error, cause: of a FAILED one.
    redrives, redriven: how often it was redriven, and when last. tree: the execution at the top of those that started
    it, itself unless one did. part: what is held of that tree to change this execution: the nearest child of a map run
    at or above it, else the tree. machine: the pointer of what it runs in the Program. limits: whether AWS's hold.
    version: of its workflow; None where an older sm did not keep it. qualifier: what stood behind the workflow's name
    when it was started, an alias or a number; None: nothing. starter: the execution whose state started it and did not
    wait for it; None: none did.
    """

    #: Given by the store, unique in it and never used twice.
    id: int
    ref: str
    name: str
    #: The workflow's name.
    workflow: str
    #: The `Definition.digest` that it runs.
    digest: str
    #: STANDARD or EXPRESS.
    type: str
    #: AWS's word, or PENDING.
    status: Status
    #: Microseconds since 1970 UTC.
    started: int
    #: As it was given.
    input: Json
    deadline: int | None = None
    #: Microseconds since 1970 UTC; None while it runs.
    closed: int | None = None
    error: str | None = None
    cause: str | None = None
    #: Of one that succeeded; None otherwise.
    output: Json = None
    events: int = 0
    #: The queue that its jobs stand in.
    queue: str = "default"
    #: Of its jobs; a higher one goes first.
    priority: int = 0
    #: Name to value, as whoever started it gave them; nothing in the engine reads them.
    tags: dict[str, str] = field(default_factory=dict)
    redrives: int = 0
    redriven: int | None = None
    tree: int = 0
    machine: str = ""
    limits: bool = False
    #: Who learns of its end; None: nobody.
    parent: Parent | None = None
    version: int | None = None
    qualifier: str | None = None
    part: int = 0
    starter: int | None = None

    def __post_init__(self) -> None:
        self.tree = self.tree or self.id
        self.part = self.part or self.tree

    @property
    def alias(self) -> str | None:
        """The alias that it was started by; None when it was by none."""
        return None if self.qualifier is None or self.qualifier.isdecimal() else self.qualifier


@dataclass(slots=True, eq=False, repr=False)
class MapRun(Mutable):
    """The children of one distributed Map, seen as one. AWS's MapRun.

    ref: its public id. execution, frame, activation: the fork that it is. workflow: what its children's is called.
    type: of its children. join: its counts when it was closed; while it runs, its frame has them.
    """

    #: Given by the store, unique in it and never used twice.
    id: int
    ref: str
    execution: int
    frame: int
    activation: int
    #: The name of the Map state.
    state: str
    workflow: str
    type: str
    #: AWS's word.
    status: Status
    #: Microseconds since 1970 UTC.
    started: int
    join: "Join"
    #: Microseconds since 1970 UTC; None while it runs.
    closed: int | None = None
    #: How often it was redriven.
    redrives: int = 0


@dataclass(slots=True, eq=False, repr=False)
class Job(Mutable):
    """One leased attempt at a task. `(frame, seq)` is the address its result goes back to.

    resource: the handler's name. input: what the handler gets. attempt: 1 for the first try of this visit.
    timeout, heartbeat: seconds, counted from when it is leased. leased_until: None while nobody has it.
    worker: the `WorkerRecord.id` of who leased it. repeatable: whether its handler may run again after a worker was
    lost, as the handler said when it was leased. deliveries: how often it was leased and not given back.
    company: what else the workers had that were lost over it.
    """

    #: Given by the store, unique in it and never used twice.
    id: int
    #: The id of its execution.
    execution: int
    #: The id of the frame that waits for its result.
    frame: int
    #: The frame's seq when it asked.
    seq: int
    #: The name of the Task state.
    state: str
    resource: str
    input: Json
    attempt: int = 1
    #: The queue that it stands in.
    queue: str = "default"
    #: A higher one goes first.
    priority: int = 0
    #: When it may be taken, microseconds since 1970 UTC.
    available: int = 0
    timeout: float | None = None
    heartbeat: float | None = None
    leased_until: int | None = None
    worker: str | None = None
    deliveries: int = 0
    repeatable: bool = True
    company: Company = Company.NONE


@dataclass(slots=True, eq=False, repr=False)
class WorkerRecord(Mutable):
    """A process that takes jobs.

    id: its own, never used twice; begins with the name. name: what a person calls it; a restarted worker has it
    again. host, pid, process: which process it is; `process` distinguishes it from others with the same pid. seen: when
    it last said that it works.
    """

    id: str
    name: str
    host: str
    pid: int
    process: str
    #: Microseconds since 1970 UTC.
    started: int
    seen: int
    #: {"queues": weights by queue or None for all, "concurrency": handlers at once, "handlers": their names, "tree":
    #: the number of the only execution that it works for, or None}; None: an older sm did not say.
    serves: Json = None


class Timer(NamedTuple):
    """Something that is due for a frame at a moment."""

    #: The id of its execution.
    execution: int
    #: The id of the frame that it is for.
    frame: int
    #: The frame's seq that it was started at.
    seq: int
    #: Which event it brings; a frame has one timer of each kind.
    kind: "TimerKind"
    #: Microseconds since 1970 UTC.
    due: int


class Waking(NamedTuple):
    """Frames that a later tick steps: READY, with this event, and waiting for nothing any more."""

    #: Their ids.
    frames: list[int]
    #: The event to step them with, as JSON.
    wake: Json


class KeptItems(NamedTuple):
    """Some items of a batch, kept until they have been read. In the order of the columns of `batch_items`."""

    #: The public id of the batch's parent execution, which need not have been started yet.
    batch: str
    #: The number of the first of them, from 0.
    first: int
    #: How many there are.
    item_count: int
    #: When they were kept, microseconds since 1970 UTC.
    created: int
    #: A line of text for each.
    lines: bytes


class EndedChild(NamedTuple):
    """A child of a map run that is closed, and that the counts of its run do not have yet."""

    #: The id of the execution at the top of its tree.
    tree: int
    #: The id of the frame that waits for it.
    frame: int
    #: The child's own id.
    child: int
    #: The seq that the frame forked at.
    activation: int
    #: How many items it worked on.
    items: int
    #: Whether it SUCCEEDED; 0 or 1, as the database has it.
    succeeded: int


class FailedAttempt(NamedTuple):
    """Where the newest attempt at a state, in one frame, failed that a handler's exception ended."""

    #: The id of its execution.
    execution: int
    #: The id of the frame.
    frame: int
    #: The name of the Task state.
    state: str
    #: The number of the event of the history that says so.
    number: int
    #: The error name.
    error: str
    #: What the handler raised.
    traceback: "Traceback"


#: The lease of a job whose handler handed the work over: nobody runs it, a callback with its token ends it.
HANDED_OVER = 2**62


class FrameSeq(NamedTuple):
    """The address of a frame at one of its steps."""

    #: The frame's id.
    frame: int
    #: Its seq.
    seq: int


class Prunable(NamedTuple):
    """A closed execution that is old enough to go."""

    #: Its id.
    id: int
    #: The id of the execution at the top of its tree.
    tree: int
    #: How many its history has.
    events: int
    #: Microseconds since 1970 UTC.
    started: int
    #: Its workflow's name.
    workflow: str
