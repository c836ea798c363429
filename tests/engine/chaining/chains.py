"""Workflows to chain, and a run of them on one store."""

from __future__ import annotations

from typing import Any

from sm_cli.engine.engine import Engine, Workflow
from sm_cli.jsonvalue import Json
from sm_cli.store.filters import ExecutionFilter, ExecutionPage
from sm_cli.store.links import Link, LinkFilter
from sm_cli.store.records import Execution
from tests.engine.workers import workflow
from tests.store.asking import asked


def passing(result: Json, **more: Any) -> dict[str, Any]:
    return {"Type": "Pass", "Result": result, **(more or {"End": True})}


A = workflow({"StartAt": "P1", "States": {"P1": passing({"p1": 1}, Next="P2"), "P2": passing({"p2": 2})}}, "A")
B = workflow({"StartAt": "Same", "States": {"Same": {"Type": "Pass", "End": True}}}, "B")
WAITS = workflow({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 60, "End": True}}}, "waits")
FAILS = workflow(
    {
        "StartAt": "P1",
        "States": {"P1": passing({"p1": 1}, Next="No"), "No": {"Type": "Fail", "Error": "Bad", "Cause": "it is bad"}},
    },
    "fails",
)


def links(engine: Engine, **wanted: Any) -> list[Link]:
    return [ends.link for ends in asked(engine.store).links(LinkFilter(**wanted))]


def count(engine: Engine) -> int:
    return len(asked(engine.store).list_executions(ExecutionFilter(), ExecutionPage(limit=1000)))


def now(engine: Engine, execution: Execution) -> Execution:
    found = asked(engine.store).execution(execution.id)
    assert found is not None
    return found


def run(engine: Engine, wanted: Workflow, input: Json = None, **options: Any) -> Execution:
    """Started, and stepped as far as it goes without a handler."""
    execution, _, _ = engine.start(wanted, input, **options)
    return now(engine, execution)
