"""The plan of a batch: what its parent execution was given to do.

A batch is a distributed Map in an execution of one definition that is the same for all batches. What is to be done
stands in that execution's input, so a batch needs no table of its own: its counts, and its brake, are the map run's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from sm_cli.asl.text.source import Document
from sm_cli.asl.text.source import parse as parse_source
from sm_cli.interpreter.brake import WHOLE
from sm_cli.interpreter.frame import UNKNOWN, Brake, Join
from sm_cli.jsonvalue import Json
from sm_cli.store.records import Execution

#: What parents of batches are called as a workflow. No file of a user's gives this name.
WORKFLOW = "sm:batch"
#: The ItemReader of a batch. Only this definition has it: those of users are validated, and it is not valid there.
READER = "batch:items"
#: The error of an item that cannot be worked on: nothing of it ever begins.
REFUSED = "States.ItemReaderFailed"
#: So many characters a name may have.
_NAME_LIMIT = 80

_DEFINITION = """{
  "Comment": "A batch: one execution of the workflow that the input names for each item. Made by sm.",
  "StartAt": "Items",
  "States": {
    "Items": {
      "Type": "Map",
      "Label": "batch",
      "ItemReader": {
        "Resource": "arn:aws:states:::batch:items",
        "Parameters": {"Source.$": "$.source", "Mark.$": "$.mark"}
      },
      "ItemProcessor": {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Item",
        "States": {"Item": {"Type": "Pass", "End": true}}
      },
      "ResultPath": null,
      "End": true
    }
  }
}
"""


def parent_document() -> Document:
    """The definition of every batch's parent."""
    definition = parse_source(_DEFINITION, file=WORKFLOW).document
    assert definition is not None
    return definition


#: The digest of that definition, as a constant: every command would wait for it to be computed.
DIGEST = "96e63412ffb1a92ad88342db0af6bf4d5ea866549e29b8f9c2b4cc629878d3a4"


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """What holds a batch back, or ends it. Rates are millionths of the items; None: no such limit."""

    #: Children that run at once.
    concurrency: int
    #: How many items may fail; None: any number.
    tolerated: int | None = None
    #: More of all items so far.
    rate_above: int | None = None
    #: Before so many items have ended, `rate_above` judges nothing.
    min_samples: int = 0
    #: Children of a round; 0: no rounds.
    round_size: int = 0
    #: More of a round pause it.
    pause_above: int | None = None
    #: More of a round end it.
    fail_above: int | None = None

    def join(self, activation: int, total: int | None) -> Join:
        """The counts of a batch that begins. total: how many items it has, None: not known."""
        brake = Brake(
            round_size=self.round_size, ceiling=self.round_size, pause_above=self.pause_above,
            fail_above=self.fail_above, rate_above=self.rate_above, min_samples=self.min_samples,
        )  # fmt: skip
        tolerated = UNKNOWN if self.tolerated is None else self.tolerated
        total = UNKNOWN if total is None else total
        return Join(total, self.concurrency, tolerated, activation=activation, brake=brake)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a batch does: an execution of `workflow` at `digest` for each item of `source`.

    source: what the reader of items takes; mark: a fingerprint of it, so that a change is noticed. total: how many
    items it has, None when it was not read to its end. prefix: of the executions' names, PREFIX-0, PREFIX-1, ….
    """

    workflow: str
    digest: str
    source: dict[str, Json]
    mark: str
    prefix: str
    #: What holds it back, or ends it.
    limits: BatchLimits
    total: int | None = None
    #: The alias or number that stood behind the workflow's name; None: nothing.
    qualifier: str | None = None

    def name(self, number: int) -> str:
        """The name of the execution for the item with this number, from 0."""
        return f"{self.prefix}-{number}"

    def is_too_long(self, number: int) -> bool:
        """Whether that name has more characters than a name may have."""
        return len(self.name(number)) > _NAME_LIMIT

    def as_input(self) -> dict[str, Json]:
        """The input of the parent execution."""
        limits = self.limits
        return {
            "workflow": self.workflow,
            "definition": self.digest,
            "qualifier": self.qualifier,
            "source": self.source,
            "mark": self.mark,
            "items": self.total,
            "namePrefix": self.prefix,
            "concurrency": limits.concurrency,
            "toleratedFailures": limits.tolerated,
            "maxFailureRate": _rate(limits.rate_above),
            "minSamples": limits.min_samples,
            "microBatch": limits.round_size,
            "pauseAt": _rate(limits.pause_above),
            "failAt": _rate(limits.fail_above),
        }


def plan_of(execution: Execution) -> Plan | None:
    """The plan of a batch's parent; None for every other execution. The execution has its input."""
    if execution.digest != DIGEST:
        return None
    facts = cast("dict[str, Any]", execution.input)
    limits = BatchLimits(
        facts["concurrency"], facts["toleratedFailures"], _millionths(facts["maxFailureRate"]), facts["minSamples"],
        facts["microBatch"], _millionths(facts["pauseAt"]), _millionths(facts["failAt"]),
    )  # fmt: skip
    return Plan(
        facts["workflow"], facts["definition"], facts["source"], facts["mark"], facts["namePrefix"], limits,
        facts["items"], facts["qualifier"],
    )  # fmt: skip


def _rate(millionths: int | None) -> float | None:
    """Of a hundred items, for people who read the input."""
    return None if millionths is None else millionths * 100 / WHOLE


def _millionths(rate: float | None) -> int | None:
    return None if rate is None else round(rate * WHOLE / 100)
