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
    JSONPATH = "JSONPath"
    JSONATA = "JSONata"


class Jitter(Enum):
    NONE = "NONE"
    FULL = "FULL"


class Nothing(Enum):
    """A path field that is written as null: `InputPath: null` is not the same as no InputPath."""

    NULL = None


@dataclass(frozen=True, slots=True)
class Retrier:
    """States Language, "Retrying after error"."""

    error_equals: tuple[str, ...]
    interval_seconds: float = 1
    max_attempts: int = 3
    backoff_rate: float = 2.0
    max_delay_seconds: float | None = None
    jitter: Jitter = Jitter.NONE


@dataclass(frozen=True, slots=True)
class Catcher:
    """States Language, "Fallback states"."""

    error_equals: tuple[str, ...]
    next: str
    #: Where the Error Output goes in the raw input; Nothing.NULL drops it; None is `$`.
    result_path: Path | Nothing | None = None
    assign: Evaluate | None = None
    output: Evaluate | None = None


@dataclass(frozen=True, slots=True)
class State:
    """What every state has. `next` is None exactly when the state ends its machine."""

    name: str
    next: str | None
    language: QueryLanguage
    input_path: Path | Nothing | None
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

    parameters: Evaluate | None
    result_selector: Evaluate | None
    result_path: Path | Nothing | None
    retry: tuple[Retrier, ...]
    catch: tuple[Catcher, ...]


@dataclass(frozen=True, slots=True)
class Seconds:
    """A time span: a constant, a path to it, or (JSONata) an expression. At most one of them is set."""

    constant: float | None = None
    path: Path | None = None
    expression: Evaluate | None = None

    def __bool__(self) -> bool:
        return self.constant is not None or self.path is not None or self.expression is not None


@dataclass(frozen=True, slots=True)
class Task(Resulting):
    resource: Resource
    timeout: Seconds
    heartbeat: Seconds


@dataclass(frozen=True, slots=True)
class Pass(Resulting):
    #: Whether `Result` was written; `result` itself may be null.
    has_result: bool
    result: Json
    #: True when input is output and nothing is to be evaluated: the commonest Pass state.
    is_identity: bool


@dataclass(frozen=True, slots=True)
class ChoiceRule:
    when: Predicate
    next: str
    assign: Evaluate | None = None
    output: Evaluate | None = None


@dataclass(frozen=True, slots=True)
class Choice(State):
    rules: tuple[ChoiceRule, ...]
    default: str | None


@dataclass(frozen=True, slots=True)
class Wait(State):
    seconds: Seconds
    #: A constant Timestamp, microseconds since 1970 UTC.
    timestamp: int | None
    timestamp_path: Path | None
    timestamp_expression: Evaluate | None


@dataclass(frozen=True, slots=True)
class Succeed(State):
    pass


@dataclass(frozen=True, slots=True)
class Fail(State):
    """`error` and `cause` are constants, or (ErrorPath, CausePath, JSONata) evaluate to the text."""

    error: str | Evaluate | None
    cause: str | Evaluate | None


@dataclass(frozen=True, slots=True)
class Parallel(Resulting):
    branches: tuple[str, ...]  # pointers into Program.machines


@dataclass(frozen=True, slots=True)
class Count:
    """A whole number or a percentage: a constant, a path to it, or (JSONata) an expression."""

    field: str
    constant: float | None = None
    path: Path | None = None
    expression: Evaluate | None = None


@dataclass(frozen=True, slots=True)
class Map(Resulting):
    processor: str  # a pointer into Program.machines
    items_path: Path | None
    items: Evaluate | None
    item_selector: Evaluate | None
    max_concurrency: Count
    tolerated_count: Count
    tolerated_percentage: Count


@dataclass(frozen=True, slots=True)
class ItemReader:
    """Where items come from. `resource` is "s3:getObject" or "s3:listObjectsV2", `config` ReaderConfig as written."""

    resource: str
    arguments: Evaluate | None
    config: Mapping[str, Json]
    max_items: Count


@dataclass(frozen=True, slots=True)
class ItemBatcher:
    max_items: Count
    max_bytes: Count
    input: Evaluate | None


@dataclass(frozen=True, slots=True)
class ResultWriter:
    """Where results go; without a `resource` they are only transformed as `config` (WriterConfig) says."""

    resource: str | None
    arguments: Evaluate | None
    config: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class DistributedMap(Map):
    """A Map whose children are executions of their own, of this type."""

    child_type: str
    label: str
    reader: ItemReader | None
    batcher: ItemBatcher | None
    writer: ResultWriter | None

    @property
    def type(self) -> str:
        return "Map"


@dataclass(frozen=True, slots=True)
class Message(Resulting):
    """Our one extension to ASL: wait for a message with this key and value."""

    correlation_key: str
    correlation_value: Evaluate
    timeout: Seconds
    timeout_path: str | None


class Role(Enum):
    """What a machine is to the one around it. A distributed Map's processor is the ROOT of executions of its own."""

    ROOT = "root"
    BRANCH = "branch"
    ITERATION = "iteration"


@dataclass(frozen=True, slots=True)
class Machine:
    """One StartAt and States: the whole definition, a Parallel branch or a Map's processor."""

    pointer: str
    start_at: str
    states: Mapping[str, State]
    role: Role = Role.ROOT
    #: The name of the Parallel or Map state that this machine belongs to.
    owner: str = ""
    #: Whether any state in it may read `$$`: only then is Map.Item kept with each iteration.
    reads_context: bool = False


@dataclass(frozen=True, slots=True)
class Program:
    """A definition, compiled. `machines` is keyed by JSON pointer; the root machine's is ""."""

    digest: str
    machines: Mapping[str, Machine]
    timeout_seconds: float | None
    comment: str | None

    @property
    def root(self) -> Machine:
        return self.machines[""]
