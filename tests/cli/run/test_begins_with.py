"""Every kind of state may stand first, in every way of starting: what is started may start others at once."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import pytest

from sm_cli.asl.text.source import from_value
from sm_cli.cli.project.workflows import Library
from sm_cli.engine.engine import Engine, Workflow, prepare
from sm_cli.engine.settings import JobTaker
from sm_cli.errors import InvalidDefinition, UsageError
from sm_cli.express import run_express
from sm_cli.handlers.handler import Handler
from sm_cli.jsonvalue import Json
from sm_cli.store.open import open_store
from sm_cli.testing import FakeClock, simulate
from tests.cli.conftest import Project
from tests.store.asking import asked

INPUT: dict[str, Json] = {"n": 1, "items": [1, 2, 3]}
TASK: dict[str, Any] = {"Type": "Task", "Resource": "work", "End": True}


def machine(first: dict[str, Any], **others: dict[str, Any]) -> dict[str, Any]:
    return {"StartAt": "First", "States": {"First": first, **others}}


def mapped(**more: Any) -> dict[str, Any]:
    return {"Type": "Map", "ItemProcessor": {**machine(TASK), **more}, "ItemsPath": "$.items", "End": True}


def nested(child: str, how: str = "sync:2") -> dict[str, Any]:
    return {"Type": "Task", "Resource": f"arn:aws:states:::states:startExecution.{how}", "End": True,
            "Parameters": {"StateMachineArn": child, "Input": INPUT}}  # fmt: skip


def distinct(written: dict[str, Any], mark: str = "") -> dict[str, Any]:
    """The machine with names that are unique in the whole definition."""
    states = {}
    for name, state in written["States"].items():
        named = {**state}
        for field in ("Next", "Default"):
            if field in named:
                named[field] += mark
        if "Choices" in named:
            named["Choices"] = [{**rule, "Next": rule["Next"] + mark} for rule in named["Choices"]]
        if "Branches" in named:
            named["Branches"] = [distinct(b, f"{mark}-{name}{i}") for i, b in enumerate(named["Branches"])]
        if "ItemProcessor" in named:
            named["ItemProcessor"] = distinct(named["ItemProcessor"], f"{mark}-{name}")
        states[name + mark] = named
    return {**written, "StartAt": written["StartAt"] + mark, "States": states}


PASS = {"Type": "Pass", "Next": "Then"}
CHOICE = {"Type": "Choice", "Choices": [{"Variable": "$.n", "IsPresent": True, "Next": "Then"}], "Default": "Then"}
DISTRIBUTED = mapped(ProcessorConfig={"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"})

#: What the nested executions run, by name.
CHILDREN = {
    "c-task": machine(TASK),
    "c-pass": machine(PASS, Then=TASK),
    "c-choice": machine(CHOICE, Then=TASK),
    "c-parallel": machine({"Type": "Parallel", "Branches": [machine(TASK), machine(PASS, Then=TASK)], "End": True}),
    "c-map": machine(mapped()),
    "c-distributed": machine(DISTRIBUTED),
    "c-nested": machine(nested("c-task")),
}
CHILDREN = {name: distinct(written) for name, written in CHILDREN.items()}

#: Every kind of state that may stand first, alone or behind one that is left at once.
FIRST: dict[str, dict[str, Any]] = {
    "pass": machine({"Type": "Pass", "End": True}),
    "task": machine(TASK),
    "choice": machine(CHOICE, Then=TASK),
    "wait": machine({"Type": "Wait", "Seconds": 0, "Next": "Then"}, Then=TASK),
    "succeed": machine({"Type": "Succeed"}),
    "parallel": CHILDREN["c-parallel"],
    "map": machine(mapped()),
    "distributed": machine(DISTRIBUTED),
    "pass, distributed": machine(PASS, Then=DISTRIBUTED),
    "parallel, distributed and task": machine(
        {"Type": "Parallel", "Branches": [machine(DISTRIBUTED), machine(TASK)], "End": True}
    ),
    **{f"nested {child}": machine(nested(child)) for child in CHILDREN},
    "nested behind a pass": machine(PASS, Then=nested("c-task")),
    "nested in branches": machine(
        {"Type": "Parallel", "Branches": [machine(nested("c-task")), machine(nested("c-pass"))], "End": True}
    ),
}
#: These start another execution or a map run, which an express execution may not.
NOT_EXPRESS = {name for name in FIRST if "nested" in name or "distributed" in name}
#: These wait for no task before the first tick has ended.
BEGIN_WITHOUT_JOBS = {"pass", "succeed", "wait"}
FIRST = {name: distinct(written) for name, written in FIRST.items()}


@pytest.fixture(params=sorted(FIRST))
def first(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def shop(project: Project, first: str) -> Project:
    """A project with the workflow `main`, and all those that others start."""
    for name, definition in {"main": FIRST[first], **CHILDREN}.items():
        project.write(f"workflows/{name}.json", json.dumps(definition))
    project.handlers('@handler("work")\ndef work(input):\n    return {"did": 1}\n')
    return project


def _status(project: Project) -> str:
    found = project.sm("show", "@last", "--json").json
    return str(found["status"])


def test_run_to_the_end(shop: Project) -> None:
    ran = shop.sm("run", "main", "--input", json.dumps(INPUT))
    assert (ran.code, _all_closed(shop)) == (0, True), ran.err


def test_start_detached_and_let_a_worker_do_it(shop: Project) -> None:
    ran = shop.sm("run", "main", "--detach", "--input", json.dumps(INPUT))
    assert ran.code == 0, ran.err
    worked = shop.sm("worker", "--drain")
    assert worked.code == 0, worked.err
    assert shop.sm("show", ran.out.strip(), "--json").json["status"] == "SUCCEEDED"
    assert _all_closed(shop)


def test_redrive_from_the_first_state_and_run_on(shop: Project) -> None:
    """A failing handler the first time; what is redriven starts its children's tasks in one stroke, too."""
    shop.handlers('@handler("work")\ndef work(input):\n    raise TaskError("Broken", "not yet")\n')
    ran = shop.sm("run", "main", "--name", "again", "--input", json.dumps(INPUT))
    if ran.code == 0:
        return  # it has no task
    assert ran.code == 1, ran.err
    shop.handlers('@handler("work")\ndef work(input):\n    return {"did": 1}\n')
    redriven = shop.sm("redrive", "again")
    assert redriven.code == 0, redriven.err
    assert shop.sm("worker", "--drain").code == 0
    assert shop.sm("show", "again", "--json").json["status"] == "SUCCEEDED"


def test_simulate(first: str) -> None:
    outcome = simulate(FIRST[first], INPUT, handlers={"work": lambda input: input}, workflows=CHILDREN)
    assert outcome.status == "SUCCEEDED", outcome.cause


def test_express(first: str) -> None:
    handlers = {"work": Handler("work", lambda input: input)}
    if first in NOT_EXPRESS:
        with pytest.raises((InvalidDefinition, UsageError)):
            run_express(_prepared(first), INPUT, handlers)
        return
    assert run_express(_prepared(first), INPUT, handlers).status == "SUCCEEDED"


def _prepared(first: str) -> Workflow:
    document = from_value(FIRST[first]).document
    assert document is not None
    return prepare(document, "main")


def _all_closed(project: Project) -> bool:
    found = project.sm("list", "--json").json
    return bool(found) and all(row["status"] == "SUCCEEDED" for row in found)


def test_one_state_alone(shop: Project, first: str) -> None:
    """What AWS tests only with a mock asks for one; everything else runs."""
    start = FIRST[first]["StartAt"]
    state = FIRST[first]["States"][start]
    mocked = state["Type"] in ("Parallel", "Map") or "sync:2" in state.get("Resource", "")
    tested = shop.sm("test-state", "main", start, "--input", json.dumps(INPUT))
    assert tested.code == (2 if mocked else 0), tested.err
    assert ("A mock stands in" if mocked else "SUCCEEDED") in tested.err


def test_start_by_who_takes_jobs(shop: Project, first: str) -> None:
    """Every job that is taken in the start is handed over, whichever execution it belongs to."""
    with closing(open_store("memory:")) as store:
        engine = Engine(store, clock=FakeClock(), library=Library(shop.path / "workflows"))  # a tick is never late
        _, made, jobs = engine.start(_prepared(first), INPUT, taker=JobTaker("w", 99))
        assert made
        there = asked(store).jobs([*range(1, 100)])  # all of this new database
        assert {job.id for job in there.values() if job.worker == "w"} == {job.id for job in jobs}
        assert jobs or first in BEGIN_WITHOUT_JOBS
