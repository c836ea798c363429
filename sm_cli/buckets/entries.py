"""What stands in a result file about one child execution, and what a WriterConfig makes of it.

The shapes are those of AWS's developer guide, "ResultWriter (Map)". A child that did not succeed is written
unchanged, whatever the transformation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from sm_cli.buckets.failures import ResultWriterFailed
from sm_cli.jsonvalue import Json, dumps

ChildStatus = Literal["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "PENDING"]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TRANSFORMATIONS = ("NONE", "COMPACT", "FLATTEN")
_OUTPUT_TYPES = ("JSON", "JSONL")


@dataclass(frozen=True, slots=True)
class ChildResult:
    """One child execution of a Map Run, closed or never started (PENDING). Times in microseconds since 1970."""

    #: Of the execution.
    arn: str
    #: The execution's own.
    name: str
    #: Of what AWS would call the state machine.
    machine_arn: str
    #: How it ended; PENDING: it was never started.
    status: ChildStatus
    #: Its item, or its batch of items.
    input: Json
    #: None when it did not succeed, too.
    output: Json = None
    #: The error name; None: it did not fail.
    error: str | None = None
    #: The error in words; None: it did not fail.
    cause: str | None = None
    #: None: it was never started.
    started: int | None = None
    #: None: it was never started.
    closed: int | None = None
    #: How often it was redriven.
    redrives: int = 0


@dataclass(frozen=True, slots=True)
class RunFacts:
    """The Map Run: its ARN, and the last part of it, which names the directory of its results."""

    #: Of the Map Run.
    map_run_arn: str
    #: The last part of the ARN.
    uuid: str


@dataclass(frozen=True, slots=True)
class Shape:
    """A WriterConfig, checked: what becomes of each result, and how the file is written."""

    #: NONE, COMPACT or FLATTEN.
    transformation: str
    #: Whether each value is a line of its own (JSONL), not an array of them all.
    lines: bool


def shape_of(config: dict[str, Json], default: str = "NONE") -> Shape:
    """The `Shape` of a WriterConfig; without one, `default` and JSON. Raises ResultWriterFailed."""
    transformation, kind = config.get("Transformation", default), config.get("OutputType", "JSON")
    if transformation not in _TRANSFORMATIONS:
        raise ResultWriterFailed(f"Transformation must be NONE, COMPACT or FLATTEN, not {dumps(transformation)}")
    if kind not in _OUTPUT_TYPES:
        raise ResultWriterFailed(f"OutputType must be JSON or JSONL, not {dumps(kind)}")
    return Shape(str(transformation), kind == "JSONL")


def transform(results: Iterable[ChildResult], config: dict[str, Json]) -> Json:
    """The result of a Map whose ResultWriter has a WriterConfig and no Resource: an array; with JSONL, text of lines.

    An empty config is COMPACT, as without ResultWriter.
    """
    shape = shape_of(config, "COMPACT")
    values = [value for result in results for value in values_of(result, shape)]
    return "".join(f"{dumps(value)}\n" for value in values) if shape.lines else values


def values_of(result: ChildResult, shape: Shape) -> Iterator[Json]:
    """What a result adds to its file: one value, with FLATTEN each element of an output that is an array."""
    if shape.transformation == "NONE" or result.status != "SUCCEEDED":
        yield result_entry(result)
    elif shape.transformation == "FLATTEN" and isinstance(result.output, list):
        yield from result.output
    else:
        yield result.output


def result_entry(result: ChildResult) -> dict[str, Json]:
    """The execution with its metadata, in the order of the names; members that it does not have are left out."""
    success = result.status == "SUCCEEDED"
    members: dict[str, Json] = {
        "Cause": result.cause,
        "Error": result.error,
        "ExecutionArn": result.arn,
        "Input": dumps(result.input),
        "InputDetails": {"Included": True},
        "Name": result.name,
        "Output": dumps(result.output) if success else None,
        "OutputDetails": {"Included": True},
        "RedriveCount": result.redrives,
        "RedriveStatus": "NOT_REDRIVABLE" if success else "REDRIVABLE_BY_MAP_RUN",
        "RedriveStatusReason": "Execution is SUCCEEDED and cannot be redriven" if success else None,
        "StartDate": _moment(result.started),
        "StateMachineArn": result.machine_arn,
        "Status": result.status,
        "StopDate": _moment(result.closed),
    }
    return {name: member for name, member in members.items() if member is not None}


def _moment(microseconds: int | None) -> str | None:
    if microseconds is None:
        return None
    moment = _EPOCH + timedelta(microseconds=microseconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
