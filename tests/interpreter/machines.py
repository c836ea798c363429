"""One small definition for each state type, and a frame that stands in it."""

from __future__ import annotations

from typing import Any, TypeVar

from sm_cli.asl.compile import compile_program
from sm_cli.asl.model import Program
from sm_cli.interpreter.advance import advance
from sm_cli.interpreter.commands import Close
from sm_cli.interpreter.env import Env, Facts
from sm_cli.interpreter.events import Entered, Event
from sm_cli.interpreter.frame import Frame, Join
from sm_cli.interpreter.step import Step
from sm_cli.jsonvalue import Json

RETRY = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 2, "MaxAttempts": 1}]
INNER = {"StartAt": "In", "States": {"In": {"Type": "Pass", "End": True}}}
APART = {**INNER, "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}

#: state type -> a state of that type, as written
STATES: dict[str, dict[str, Any]] = {
    "Pass": {"Type": "Pass", "End": True},
    "Choice": {"Type": "Choice", "Choices": [{"Variable": "$.a", "NumericEquals": 1, "Next": "Z"}], "Default": "Z"},
    "Succeed": {"Type": "Succeed"},
    "Fail": {"Type": "Fail", "Error": "E", "Cause": "c"},
    "Wait": {"Type": "Wait", "Seconds": 5, "End": True},
    "Task": {"Type": "Task", "Resource": "do:it", "TimeoutSeconds": 9, "Retry": RETRY, "End": True},
    "Parallel": {"Type": "Parallel", "Branches": [INNER, INNER], "Retry": RETRY, "End": True},
    "Map": {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": INNER, "Retry": RETRY, "End": True},
    "DistributedMap": {
        "Type": "Map", "ItemsPath": "$.items", "ItemProcessor": APART, "Retry": RETRY, "End": True,
    },
    "Message": {
        "Type": "Message", "CorrelationKey": "orderId", "CorrelationValuePath": "$.a", "TimeoutSeconds": 60,
        "Retry": RETRY, "End": True,
    },
}  # fmt: skip

#: A frame in one of these has a map run that is open.
RUN = Join(3, 9, 0, started=2, activation=0, made_children=2, read_items=2)

#: 2026-01-01T00:00:00.000Z.
STARTED = 1_767_225_600_000_000

INPUT: Json = {"a": 1, "items": [10, 20]}


def program(state: dict[str, Any]) -> Program:
    return compile_program({"StartAt": "S", "States": {"S": state, "Z": {"Type": "Pass", "End": True}}})


def frame(input: Json = INPUT) -> Frame:
    return Frame(1, 1, None, 0, 0, "", "S", input=input)


def env(now: int = 0, **options: Any) -> Env:
    return Env(now, Facts("REF", "name", "workflow", "STANDARD", INPUT, STARTED), **options)


def enter(state: dict[str, Any], input: Json = INPUT, now: int = 0) -> tuple[Program, Step]:
    compiled = program(state)
    return compiled, advance(compiled, frame(input), Entered(0), env(now))


def follow(compiled: Program, step: Step, event: Event, now: int = 0) -> Step:
    return advance(compiled, step.frame, event, env(now, events=step.events))


CommandT = TypeVar("CommandT")


def only(step: Step, kind: type[CommandT]) -> CommandT:
    """The one command that the step gave, which is of this kind."""
    (command,) = step.commands
    assert isinstance(command, kind), command
    return command


def failure(step: Step) -> tuple[str | None, str | None]:
    """(error, cause) that the frame was closed with."""
    (close,) = [command for command in step.commands if isinstance(command, Close)]
    assert not close.succeeded
    return close.error, close.cause


def types(step: Step) -> list[str]:
    """The types of the events that the step recorded."""
    return [record.type for record in step.records]


def details(step: Step, type: str) -> dict[str, Json]:
    """The details of the one event of this type that the step recorded."""
    (record,) = [record for record in step.records if record.type == type]
    return record.detail
