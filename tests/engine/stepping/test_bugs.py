"""A bug of ours fails the one execution it is met in; the worker and everybody else go on."""

from __future__ import annotations

import dataclasses
import logging
from typing import Any

import pytest

from sm_cli.asl.model import Pass, Program
from sm_cli.engine.engine import Workflow
from sm_cli.errors import DatabaseError
from sm_cli.handlers.handler import Handler
from sm_cli.interpreter.events import Joined
from sm_cli.jsonvalue import Json
from sm_cli.store.records import Status
from sm_cli.testing import simulate
from sm_cli.worker import passes
from tests.engine.workers import Yard, workflow
from tests.store.asking import asked

TASK = {"Type": "Task", "Resource": "work"}
FAN: dict[str, Any] = {
    "StartAt": "Fan",
    "States": {
        "Fan": {
            "Type": "Parallel",
            "Branches": [
                {"StartAt": "A", "States": {"A": {**TASK, "Next": "Odd"}, "Odd": {"Type": "Pass", "End": True}}},
                {"StartAt": "B", "States": {"B": {"Type": "Wait", "Seconds": 99, "End": True}}},
                {
                    "StartAt": "M",
                    "States": {
                        "M": {"Type": "Message", "CorrelationKey": "k", "CorrelationValuePath": "$.v", "End": True},
                    },
                },
            ],
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "After"}],
            "Retry": [{"ErrorEquals": ["States.ALL"]}],
            "Next": "After",
        },
        "After": {"Type": "Pass", "End": True},
    },
}
ONE: dict[str, Any] = {"StartAt": "T", "States": {"T": {**TASK, "End": True}}}
MODE = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
WORK = {"work": Handler("work", lambda input: "done")}


def broken(program: Program, state: str) -> Program:
    """The program with a Pass state whose Parameters raise what no template should."""

    def raises(scope: object) -> Json:
        raise ZeroDivisionError("a bug of ours")

    machines = dict(program.machines)
    for pointer, machine in machines.items():
        if state in machine.states:
            found = machine.states[state]
            assert isinstance(found, Pass)
            odd = dataclasses.replace(found, parameters=raises, is_identity=False)
            machines[pointer] = dataclasses.replace(machine, states={**machine.states, state: odd})
    return dataclasses.replace(program, machines=machines)


def spoilt(definition: Workflow, text: str) -> Workflow:
    """Compiled as it is, and stored with another text, which whoever reads it from the store cannot compile."""
    return dataclasses.replace(definition, document=dataclasses.replace(definition.document, text=text))


def errors(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_a_transition_that_raises_fails_its_execution_and_no_other(
    here: Yard, caplog: pytest.LogCaptureFixture
) -> None:
    fan, one = workflow(FAN, "fan"), workflow(ONE, "one")
    bad, good = here.start(fan, {"v": "v"}), here.start(one)
    here.engine.programs._programs[fan.program.digest] = broken(fan.program, "Odd")
    loop = here.worker(WORK)

    loop.run(lambda: here.now(bad).closed is not None and here.now(good).closed is not None)

    assert (here.now(good).status, here.now(good).output) == (Status.SUCCEEDED, "done")
    now = here.now(bad)
    assert (now.status, now.error) == (Status.FAILED, "States.Runtime")
    assert now.cause is not None
    assert "a bug in sm" in now.cause
    assert "ZeroDivisionError: a bug of ours" in now.cause
    assert here.left_over(bad) == []
    assert here.history(bad)[-1] == "ExecutionFailed"
    (record,) = errors(caplog)
    assert record.name == "sm.engine"
    assert now.ref in record.getMessage()
    assert record.exc_info is not None

    here.engine.programs._programs[fan.program.digest] = fan.program  # the upgrade
    here.engine.redrive(now)
    here.engine.publish("k", "v", "answer")
    loop.run(lambda: not asked(here.store).jobs_of(bad.id))
    here.later(100)
    loop.run(lambda: here.now(bad).closed is not None)
    assert here.now(bad).status is Status.SUCCEEDED


def test_an_event_that_the_table_has_no_row_for_fails_its_execution(
    here: Yard, caplog: pytest.LogCaptureFixture
) -> None:
    bad = here.start(workflow(ONE, "one"))
    job = here.job(bad)
    here.engine.transact(lambda tick: tick.deliver(job.frame, Joined(job.seq, [], 0)))
    assert here.now(bad).error == "States.Runtime"
    assert "IllegalTransition" in (here.now(bad).cause or "")
    assert here.left_over(bad) == []
    assert len(errors(caplog)) == 1


@pytest.mark.parametrize("text", ['{"StartAt": "T"}', "{", '{"StartAt": "T", "States": {"T": {"Type": "Gone"}}}'])
def test_a_stored_definition_that_is_damaged_ends_no_worker_and_fails_nothing(
    here: Yard, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    bad = here.start(spoilt(workflow({**ONE, "Comment": text}, "one"), text))
    good = here.start(workflow(ONE, "other"))
    here.engine.programs._programs.clear()
    loop = here.worker(WORK)

    loop.run(lambda: here.now(good).closed is not None)
    loop.tick()

    assert here.now(good).status is Status.SUCCEEDED
    assert here.now(bad).status is Status.RUNNING
    assert len(errors(caplog)) == 1


@pytest.mark.parametrize("how", ["stop", "deadline"])
def test_what_no_longer_compiles_can_still_be_ended(here: Yard, how: str) -> None:
    bad = here.start(spoilt(workflow({**FAN, "TimeoutSeconds": 60}, "fan"), "{}"), {"v": "v"})
    here.engine.programs._programs.clear()
    if how == "stop":
        here.engine.stop(bad)
    else:
        here.later(61)
        here.worker({}).tick()
    assert here.now(bad).status is (Status.ABORTED if how == "stop" else Status.TIMED_OUT)
    assert here.left_over(bad) == []


def test_what_the_database_refuses_is_no_bug_of_an_execution(here: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    one = workflow(ONE, "one")
    execution = here.start(one)
    here.engine.programs._programs.clear()

    def full(*_: object) -> Program:
        raise DatabaseError("no room")

    monkeypatch.setattr(here.engine.programs, "of", full)
    with pytest.raises(DatabaseError, match="no room"):
        here.worker(WORK).tick()
    assert here.now(execution).status is Status.RUNNING


def test_a_simulation_shows_our_bugs(monkeypatch: pytest.MonkeyPatch) -> None:
    odd = broken(workflow(FAN).program, "After")
    monkeypatch.setattr("sm_cli.engine.programs.compile_program", lambda definition: odd)
    with pytest.raises(ZeroDivisionError):
        simulate(FAN, {"v": "v"}, handlers={"work": lambda input: 1}, messages=[(1, "k", "v", 1)])


def test_a_bug_met_while_a_parent_is_told_of_its_childs_end_is_the_parents(
    here: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raises(*_: object) -> None:
        raise ZeroDivisionError("a bug of ours")

    monkeypatch.setattr("sm_cli.engine.stepping.map_runs.settle", raises)
    child = {"StartAt": "T", "States": {"T": {**TASK, "End": True}}, "ProcessorConfig": MODE}
    each = {"Type": "Map", "ItemProcessor": child, "MaxConcurrency": 1, "End": True}
    parent = here.start(workflow({"StartAt": "Each", "States": {"Each": each}}), [1, 2])
    other = here.start(workflow(ONE), None)
    passes.drain(here.worker(WORK), lambda: False)
    assert here.now(other).status is Status.SUCCEEDED
    failed = here.now(parent)
    assert (failed.status, failed.error) == (Status.FAILED, "States.Runtime")
    assert "a bug of ours" in (failed.cause or "")
    (run,) = asked(here.store).map_runs(parent.id)
    ended = [child.status for child in asked(here.store).run_results(run.id, -1, 10)]
    assert ended == [Status.SUCCEEDED, Status.ABORTED]
