"""Workflows that the pages are tried with, and their handlers."""

from __future__ import annotations

import threading
from typing import Any

from sm_cli.errors import TaskError
from sm_cli.handlers.handler import Handler
from sm_cli.jsonvalue import Json


def task(resource: str, **more: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": resource, **more}


#: A text that would run, were it put into a page as it is.
HOSTILE = "</script><img src=x onerror=\"document.title='owned'\">"
ORDER: dict[str, Any] = {
    "StartAt": "Check",
    "States": {
        "Check": task("check", Next="Ship", Retry=[{"ErrorEquals": ["Again"], "IntervalSeconds": 0, "MaxAttempts": 2}]),
        "Ship": {
            "Type": "Parallel",
            "Branches": [
                {"StartAt": "Charge", "States": {"Charge": task("charge", End=True)}},
                {"StartAt": "Pack", "States": {"Pack": {"Type": "Pass", "End": True}}},
            ],
            "ResultPath": "$.done",
            "Catch": [{"ErrorEquals": ["Declined"], "Next": "Sorry"}],
            "Next": "Each",
        },
        "Each": {
            "Type": "Map",
            "ItemsPath": "$.items",
            "ItemProcessor": {"StartAt": "Label", "States": {"Label": {"Type": "Pass", "End": True}}},
            "ResultPath": "$.labels",
            "Next": "Done",
        },
        "Sorry": {"Type": "Fail", "Error": "OrderFailed", "Cause": "the card was declined"},
        "Done": {"Type": "Succeed"},
    },
}
LOOP: dict[str, Any] = {
    "StartAt": "Count",
    "States": {
        "Count": {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.n, 1)"}, "Next": "More"},
        "More": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.n", "NumericLessThan": 4, "Next": "Count"}],
            "Default": "End",
        },
        "End": {"Type": "Succeed"},
    },
}
EVIL: dict[str, Any] = {
    "StartAt": HOSTILE,
    "States": {HOSTILE: task("evil", Catch=[{"ErrorEquals": ["States.ALL"], "Next": "F"}], End=True),
               "F": {"Type": "Fail", "Error": HOSTILE, "Cause": HOSTILE}},
}  # fmt: skip
ASK: dict[str, Any] = {
    "StartAt": "Ask",
    "States": {
        "Ask": task("arn:aws:states:us-east-1:111111111111:activity:boss", Next="Done"),
        "Done": {"Type": "Succeed"},
    },
}


def each_item(resource: str, **more: Any) -> dict[str, Any]:
    """A distributed Map that has this work done for each item."""
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Work",
        "States": {"Work": task(resource, End=True)},
    }
    state = {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": processor, **more, "End": True}
    return {"StartAt": "Each", "States": {"Each": state}}


MANY = each_item("work", ToleratedFailureCount=10)
#: The same, whose items nobody works on.
NOBODY = each_item("nobody", MaxConcurrency=1, ToleratedFailureCount=1)
#: Runs other executions, one after the other, and waits for them: `child` has to be a workflow.
STARTS: dict[str, Any] = {
    "StartAt": "Each",
    "States": {
        "Each": {
            "Type": "Map",
            "ItemsPath": "$.items",
            "MaxConcurrency": 1,
            "ItemProcessor": {
                "StartAt": "Run",
                "States": {
                    "Run": task(
                        "arn:aws:states:::states:startExecution.sync:2",
                        Parameters={
                            "StateMachineArn": "arn:aws:states:us-east-1:000000000000:stateMachine:child",
                            "Input.$": "$",
                        },
                        Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Skip"}],
                        End=True,
                    ),
                    "Skip": {"Type": "Pass", "End": True},
                },
            },
            "End": True,
        }
    },
}  # fmt: skip


class Hands:
    """Handlers: `charge` waits until it is let go; `check` fails once with Again for an input with `again`."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self._again: set[str] = set()

    def check(self, input: Any, _: Any) -> Json:
        if input.get("again") and input["again"] not in self._again:
            self._again.add(input["again"])
            raise TaskError("Again", "not yet")
        given: Json = input
        return given

    def charge(self, input: Any, _: Any) -> Json:
        assert self.gate.wait(60)
        if input.get("declined"):
            raise TaskError("Declined", "no money")
        return "charged"

    def evil(self, _: Any, __: Any) -> Json:
        raise ValueError(HOSTILE)

    def work(self, input: Any, _: Any) -> Json:
        if isinstance(input, dict) and input.get("fails"):
            raise ValueError("this item is broken")
        given: Json = input
        return given

    @property
    def handlers(self) -> dict[str, Handler]:
        """By name."""
        return {name: Handler(name, getattr(self, name)) for name in ("check", "charge", "evil", "work")}
