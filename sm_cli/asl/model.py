"""The compiled definition: immutable, shared by every execution of it, addressed by its digest.

ChoiceRule: whatever can be decided from the text alone is decided here, once; the interpreter only calls what
it finds. Fields carry the States Language's own names in snake case; a field that a definition leaves out
is None or holds the language's default.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from sm_cli.asl.resources import Resource as Resource
from sm_cli.expr.jsonpath.path import Path
from sm_cli.expr.scope import Scope
from sm_cli.jsonvalue import Json

#: An expression that is ready to run: a template, a path, an intrinsic call, later a JSONata text.
Evaluate: TypeAlias = Callable[[Scope], Json]
Predicate: TypeAlias = Callable[[Scope], bool]


class QueryLanguage(Enum):
    """What the expressions of a state are written in."""

    JSONPATH = "JSONPath"
    JSONATA = "JSONata"


class Jitter(Enum):
    """Whether the pause before a retry is a random part of what it would be."""

    NONE = "NONE"
    FULL = "FULL"


class Nothing(Enum):
    """A path field that is written as null: `InputPath: null` is not the same as no InputPath."""

    NULL = None


@dataclass(frozen=True, slots=True)
class Retrier:
    """States Language, "Retrying after error"."""

    #: Error names that it retries; States.ALL is any.
    error_equals: tuple[str, ...]
    #: Seconds before the first retry.
    interval_seconds: float = 1
    #: How many retries there are; 0: the error is not retried.
    max_attempts: int = 3
    #: What the interval is multiplied by from one retry to the next.
    backoff_rate: float = 2.0
    #: The longest pause in seconds; None: there is no limit.
    max_delay_seconds: float | None = None
    #: Whether a pause is the computed one or a random part of it.
    jitter: Jitter = Jitter.NONE


@dataclass(frozen=True, slots=True)
class Catcher:
    """States Language, "Fallback states"."""

    #: Error names that it catches; States.ALL is any.
    error_equals: tuple[str, ...]
    #: The state to go on with, of the same machine.
    next: str
    #: Where the Error Output goes in the raw input; Nothing.NULL drops it; None is `$`.
    result_path: Path | Nothing | None = None
    #: Evaluates to the variables that it sets; None: it sets none.
    assign: Evaluate | None = None
    #: JSONata's Output; None: the Error Output itself.
    output: Evaluate | None = None


@dataclass(frozen=True, slots=True)
class State:
    """What every state has. `next` is None exactly when the state ends its machine."""

    #: Its key in States.
    name: str
    next: str | None
    #: Its own query language, or the workflow's.
    language: QueryLanguage
    #: What it takes of its raw input; Nothing.NULL: `{}`; None: all.
    input_path: Path | Nothing | None
    #: What it passes on of its output; Nothing.NULL: `{}`; None: all.
    output_path: Path | Nothing | None
    #: Evaluates to the object of the variables that the state sets.
    assign: Evaluate | None
    #: JSONata's Output.
    output: Evaluate | None

    @property
    def type(self) -> str:
        """The word that AWS's event types begin with: TaskStateEntered, MapStateExited."""
        return type(self).__name__


@dataclass(frozen=True, slots=True)
class Resulting(State):
    """A state with a result of its own: where it goes, and what is made of it first."""

    #: Parameters or Arguments; None: the effective input.
    parameters: Evaluate | None
    #: What is made of the result; None: the result itself.
    result_selector: Evaluate | None
    #: Where the result goes in the raw input; Nothing.NULL: nowhere; None: in its place.
    result_path: Path | Nothing | None
    #: Retriers in the order in which they are asked.
    retry: tuple[Retrier, ...]
    #: Catchers in the order in which they are asked.
    catch: tuple[Catcher, ...]


@dataclass(frozen=True, slots=True)
class Seconds:
    """A time span: a constant, a path to it, or (JSONata) an expression. At most one of them is set."""

    #: In seconds.
    constant: float | None = None
    #: Leads to a number of seconds.
    path: Path | None = None
    #: Evaluates to a number of seconds.
    expression: Evaluate | None = None

    def __bool__(self) -> bool:
        return self.constant is not None or self.path is not None or self.expression is not None


@dataclass(frozen=True, slots=True)
class Task(Resulting):
    """A state that a handler, a service or somebody with its token does the work of."""

    #: What does the work.
    resource: Resource
    #: How long an attempt may take.
    timeout: Seconds
    #: How long its handler may be silent.
    heartbeat: Seconds


@dataclass(frozen=True, slots=True)
class Pass(Resulting):
    """A state that passes its input on, or puts data into it."""

    #: Whether `Result` was written; `result` itself may be null.
    has_result: bool
    #: The constant of `Result`, in JSONPath.
    result: Json
    #: True when input is output and nothing is evaluated: the most common Pass state.
    is_identity: bool


@dataclass(frozen=True, slots=True)
class ChoiceRule:
    """One entry of Choices."""

    #: Whether the rule applies.
    when: Predicate
    #: The state to go on with, of the same machine.
    next: str
    #: Evaluates to the variables that it sets; None: it sets none.
    assign: Evaluate | None = None
    #: JSONata's Output; None: the state's input leaves (the state's own Output is for Default alone).
    output: Evaluate | None = None


@dataclass(frozen=True, slots=True)
class Choice(State):
    """A state that decides which one follows."""

    #: In the order in which they are asked; the first that applies decides.
    rules: tuple[ChoiceRule, ...]
    #: The state to go on with when no rule applies; None: the state fails then.
    default: str | None


@dataclass(frozen=True, slots=True)
class Wait(State):
    """A state that waits for some time, or until a moment."""

    #: How long it waits; unset where it waits for a timestamp.
    seconds: Seconds
    #: A constant Timestamp, microseconds since 1970 UTC.
    timestamp: int | None
    #: Leads to a timestamp as text; None: there is no TimestampPath.
    timestamp_path: Path | None
    #: JSONata: evaluates to a timestamp as text; None: there is none.
    timestamp_expression: Evaluate | None


@dataclass(frozen=True, slots=True)
class Succeed(State):
    """A state that ends its machine with success."""


@dataclass(frozen=True, slots=True)
class Fail(State):
    """`error` and `cause` are constants, or (ErrorPath, CausePath, JSONata) evaluate to the text."""

    error: str | Evaluate | None
    cause: str | Evaluate | None


@dataclass(frozen=True, slots=True)
class Parallel(Resulting):
    """A state that runs machines beside each other, all on the same input."""

    #: Keys of Program.machines, in the order of Branches.
    branches: tuple[str, ...]  # pointers into Program.machines


@dataclass(frozen=True, slots=True)
class Count:
    """A whole number or a percentage: a constant, a path to it, or (JSONata) an expression."""

    #: The name of the field, for messages.
    field: str
    #: The number; None: it is not a constant.
    constant: float | None = None
    #: Leads to the number; None: it is not a path.
    path: Path | None = None
    #: Evaluates to the number; None: it is not an expression.
    expression: Evaluate | None = None


@dataclass(frozen=True, slots=True)
class Map(Resulting):
    """A state that runs one machine for each item."""

    #: The key of its processor in Program.machines.
    processor: str  # a pointer into Program.machines
    #: Where the items are in the effective input; None: it is all of it.
    items_path: Path | None
    #: JSONata's Items; None: the input.
    items: Evaluate | None
    #: What is made of an item; None: the item itself.
    item_selector: Evaluate | None
    #: How many iterations run at once; 0: all.
    max_concurrency: Count
    #: How many items may fail.
    tolerated_count: Count
    #: Which part of the items may fail, 0 to 100.
    tolerated_percentage: Count


@dataclass(frozen=True, slots=True)
class ItemReader:
    """Where items come from. `resource` is "s3:getObject" or "s3:listObjectsV2", `config` ReaderConfig as written."""

    resource: str
    #: Parameters or Arguments: bucket, key or prefix; None: there are none.
    arguments: Evaluate | None
    config: Mapping[str, Json]
    #: How many items are read at most.
    max_items: Count


@dataclass(frozen=True, slots=True)
class ItemBatcher:
    """How a distributed Map puts several items into one child's input."""

    #: How many items a batch has at most.
    max_items: Count
    #: How many bytes of JSON a batch has at most.
    max_bytes: Count
    #: BatchInput, which goes to each child beside its items; None: there is none.
    input: Evaluate | None


@dataclass(frozen=True, slots=True)
class ResultWriter:
    """Where results go; without a `resource` they are only transformed as `config` (WriterConfig) says."""

    resource: str | None
    #: Parameters or Arguments: bucket and prefix; None: there are none.
    arguments: Evaluate | None
    config: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class DistributedMap(Map):
    """A Map whose children are executions of their own, of this type."""

    #: STANDARD or EXPRESS.
    child_type: str
    #: Its part of the ARNs of map runs.
    label: str
    #: Where items come from; None: from the input.
    reader: ItemReader | None
    #: How items are put together; None: each is a child of its own.
    batcher: ItemBatcher | None
    #: Where results go; None: into the output.
    writer: ResultWriter | None

    @property
    def type(self) -> str:
        """As a definition spells it."""
        return "Map"


@dataclass(frozen=True, slots=True)
class Message(Resulting):
    """Our one extension to ASL: wait for a message with this key and value."""

    #: The key that the message is sent under.
    correlation_key: str
    #: Evaluates to the value that the message is sent under.
    correlation_value: Evaluate
    #: How long it waits.
    timeout: Seconds
    #: The state to go on with when the time is over; None: it fails with States.Timeout.
    timeout_path: str | None


class Role(Enum):
    """What a machine is to the one around it. A distributed Map's processor is the ROOT of executions of its own."""

    ROOT = "root"
    BRANCH = "branch"
    ITERATION = "iteration"


@dataclass(frozen=True, slots=True)
class Machine:
    """One StartAt and States: the whole definition, a Parallel branch or a Map's processor."""

    #: The JSON pointer of the object that has StartAt; "" for the whole definition.
    pointer: str
    #: The state that it begins with.
    start_at: str
    #: By name.
    states: Mapping[str, State]
    #: What it is to the machine around it.
    role: Role = Role.ROOT
    #: The name of the Parallel or Map state that this machine belongs to.
    owner: str = ""
    #: Whether any state in it may read `$$`: only then is Map.Item kept with each iteration.
    reads_context: bool = False


@dataclass(frozen=True, slots=True)
class Program:
    """A definition, compiled. `machines` is keyed by JSON pointer; the root machine's is ""."""

    #: The sha256 of the definition, in hex.
    digest: str
    machines: Mapping[str, Machine]
    #: The longest that an execution may run, in seconds; None: there is no limit.
    timeout_seconds: float | None
    #: The workflow's own Comment; None: there is none.
    comment: str | None

    @property
    def root(self) -> Machine:
        """The machine of the whole definition."""
        return self.machines[""]
