"""What a step may know beside its frame: the time, the execution's facts, a seed."""

# No annotations from __future__ here: a NamedTuple compiles each one that is text, and every command waits for it.

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sm_cli.expr.limits import DEFAULT, Limits
from sm_cli.history_event import HistoryEvent
from sm_cli.jsonvalue import MAX_PAYLOAD, Json

#: Where ARNs lie unless somebody says otherwise: the region, and the account's number.
REGION, ACCOUNT = "us-east-1", "111111111111"
#: More events than any execution has.
NO_LIMIT = 2**62


class Facts(NamedTuple):
    """What the context object shows of an execution."""

    #: The public id.
    ref: str
    #: Unique within its workflow.
    name: str
    #: The name of the workflow.
    workflow: str
    #: STANDARD or EXPRESS.
    type: str
    #: The execution's raw input.
    input: Json
    #: Microseconds since 1970 UTC.
    started: int
    #: The region in ARNs.
    region: str = REGION
    #: The account's number in ARNs.
    account: str = ACCOUNT
    #: How often it was redriven.
    redrive_count: int = 0
    #: When it was redriven last, microseconds since 1970 UTC; None: never.
    redriven: int | None = None
    #: The number of the workflow's version; None where it is not known.
    version: int | None = None
    #: What stood behind the workflow's name when it was started: an alias, or a number; None: nothing.
    qualifier: str | None = None

    @property
    def role(self) -> str:
        """The role's ARN in the context object."""
        return f"arn:aws:iam::{self.account}:role/sm-local"

    @property
    def execution_arn(self) -> str:
        """The execution's ARN, in AWS's form for its type."""
        if self.type == "EXPRESS":
            return f"arn:aws:states:{self.region}:{self.account}:express:{self.workflow}:{self.name}:{self.ref}"
        return f"arn:aws:states:{self.region}:{self.account}:execution:{self.workflow}:{self.name}"

    def map_run_arn(self, label: str, run: str) -> str:
        """The ARN of the map run with this public id. label: the Map's."""
        return f"arn:aws:states:{self.region}:{self.account}:mapRun:{self.workflow}/{label}:{run}"

    @property
    def machine_arn(self) -> str:
        """The workflow's ARN."""
        return f"arn:aws:states:{self.region}:{self.account}:stateMachine:{self.workflow}"

    @property
    def version_arns(self) -> dict[str, Json]:
        """The ARN of the version, and of the alias, under AWS's names. As on AWS there is none unless who started the
        execution named a version or an alias."""
        if self.qualifier is None or self.version is None:
            return {}
        arns: dict[str, Json] = {"stateMachineVersionArn": f"{self.machine_arn}:{self.version}"}
        if not self.qualifier.isdecimal():
            arns["stateMachineAliasArn"] = f"{self.machine_arn}:{self.qualifier}"
        return dict(sorted(arns.items()))


@dataclass(slots=True)
class Probe:
    """What a state that is tested alone is given, and what it reports.

    stages: what its data flow comes by, in the names of AWS's InspectionData. failure: the error and cause that were
    retried or caught. context: the context object, instead of the execution's. items: what a Map works on, instead of
    what it would find. is_mock: a Task's result is the service's whole answer, with nothing to be wrapped around it.
    """

    context: dict[str, Json] | None = None
    items: list[Json] | dict[str, Json] | None = None
    is_mock: bool = False
    stages: dict[str, Json] = field(default_factory=dict)
    failure: tuple[str | None, str | None] = (None, None)


@dataclass(slots=True)
class Env:
    """The arguments of a step: no other clock, randomness or setting reaches the interpreter.

    now: microseconds since 1970 UTC. events: how many history events the execution has so far.

    history: whether events are recorded. limits: whether AWS's limits hold (256 KiB payloads).
    budget: how many states one step may pass through before it yields. enough: asked between two states, with the
    records so far: whether the step is to yield. weigh: called for each large value that is made to be kept, with the
    bytes of its JSON text. token_key: what task tokens are signed with.
    probe: only when a state is tested alone. clock: seconds of processor time, which bound one evaluation.
    max_payload: bytes of JSON text that a value may have. evaluation: the bounds of one JSONata evaluation.
    max_events: history events that the execution may have, its last one among them.
    """

    now: int
    #: What the context object shows of the execution.
    facts: Facts
    events: int = 0
    history: bool = True
    limits: bool = False
    budget: int = 10_000
    token_key: bytes = b""
    enough: Callable[[Sequence[HistoryEvent]], bool] | None = None
    weigh: Callable[[Json, int], None] | None = None
    probe: Probe | None = None
    clock: Callable[[], float] | None = None
    max_payload: int = MAX_PAYLOAD
    evaluation: Limits = DEFAULT
    max_events: int = NO_LIMIT
