"""The output of the last time that a state ended: in loops, after a redrive, in branches, in Maps, behind catchers."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.engine.chaining.source import Source
from sm_cli.engine.engine import Engine
from sm_cli.errors import NotFound, TaskError
from sm_cli.jsonvalue import Json
from sm_cli.store.filters import ExecutionFilter
from sm_cli.store.records import Execution
from sm_cli.store.sqlite.memory import MemoryStore
from sm_cli.testing import FakeClock, Simulation
from tests.engine.chaining.chains import now
from tests.engine.workers import workflow
from tests.store.asking import asked

SECOND = 1_000_000


class Ran:
    """One execution of a definition, worked on to its end."""

    def __init__(self, states: dict[str, Any], work: Any = None, input: Json = None, **options: Any) -> None:
        self.sim = Simulation(
            workflow({"StartAt": next(iter(states)), "States": states}, "A"), {"work": work or (lambda given: given)},
            FakeClock(), store=MemoryStore(), **options,
        )  # fmt: skip
        self.sim.run({} if input is None else input)

    @property
    def engine(self) -> Engine:
        return self.sim.engine

    @property
    def execution(self) -> Execution:
        found = asked(self.sim.store).latest()
        assert found is not None
        return found

    def output(self, state: str, **asked_for: Any) -> Json:
        return self.engine.source_input(Source(self.execution, state, **asked_for))


def task(**more: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": "work", **(more if "Next" in more else {"End": True} | more)}


def test_in_a_loop_it_is_that_of_the_last_round() -> None:
    ran = Ran({
        "Count": {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.n, 1)"}, "Next": "More"},
        "More": {"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericLessThan": 400, "Next": "Count"}],
                 "Default": "Done"},
        "Done": {"Type": "Pass", "Result": "done", "End": True},
    }, input={"n": 0})  # fmt: skip
    assert (ran.output("Count"), ran.output("Done"), ran.output("More")) == ({"n": 400}, "done", {"n": 400})


def test_after_a_redrive_the_newest_life_that_came_so_far_counts() -> None:
    calls: list[Json] = []

    def work(given: Any) -> Json:
        calls.append(given)
        if len(calls) == 2:
            raise TaskError("Once", "only")
        return {"call": len(calls)}

    ran = Ran({"First": task(Next="Second"), "Second": task(Next="Third"), "Third": task()}, work)
    assert ran.output("First", allow_failed=True) == {"call": 1}
    with pytest.raises(NotFound, match=r"state 'Second' never ended in execution"):
        ran.output("Second", allow_failed=True)
    ran.engine.redrive(ran.execution, state="First", input={"again": True})
    ran.sim.resume(ran.execution)
    assert (ran.output("First"), ran.output("Second"), ran.output("Third")) == ({"call": 3}, {"call": 4}, {"call": 5})


def test_in_branches_it_is_found_by_its_name() -> None:
    def branch(name: str, n: int) -> dict[str, Any]:
        return {"StartAt": name, "States": {name: {"Type": "Pass", "Result": n, "End": True}}}

    ran = Ran({"Both": {"Type": "Parallel", "Branches": [branch("L", 1), branch("R", 2)], "End": True}})
    assert (ran.output("L"), ran.output("R"), ran.output("Both")) == (1, 2, [1, 2])


def test_in_a_map_it_is_that_of_the_iteration_that_left_it_last() -> None:
    ran = Ran({
        "Each": {"Type": "Map", "ItemsPath": "$.items", "End": True, "ItemProcessor": {"StartAt": "Pause", "States": {
            "Pause": {"Type": "Wait", "SecondsPath": "$", "Next": "Item"},
            "Item": {"Type": "Pass", "End": True},
        }}},
    }, input={"items": [1, 3, 2]})  # fmt: skip
    assert (ran.output("Item"), ran.output("Each")) == (3, [1, 3, 2])


def test_a_visit_that_a_catcher_ended_has_ended() -> None:
    def fail(given: Any) -> Json:
        raise TaskError("Bad", "it is")

    catch = [{"ErrorEquals": ["Bad"], "ResultPath": "$.error", "Next": "Rest"}]
    ran = Ran({"Try": task(Catch=catch), "Rest": {"Type": "Pass", "End": True}}, fail, {"n": 1})
    assert ran.output("Try") == {"n": 1, "error": {"Error": "Bad", "Cause": "it is"}}


def test_a_visit_that_failed_or_was_cut_off_has_left_nothing() -> None:
    def fail(given: Any) -> Json:
        raise TaskError("Bad", "it is")

    slow = {"StartAt": "Slow", "States": {"Slow": {"Type": "Wait", "Seconds": 9, "End": True}}}
    quick = {"StartAt": "Quick", "States": {"Quick": task()}}
    ran = Ran({"Both": {"Type": "Parallel", "Branches": [slow, quick], "End": True}}, fail)
    for state in ("Slow", "Quick", "Both"):
        with pytest.raises(NotFound, match=f"state '{state}' never ended in execution {ran.execution.name}$"):
            ran.output(state, allow_failed=True)


def test_what_runs_inside_a_distributed_map_is_a_source_of_its_own() -> None:
    ran = Ran({
        "Each": {"Type": "Map", "ItemsPath": "$.items", "End": True, "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, "StartAt": "Item",
            "States": {"Item": {"Type": "Pass", "End": True}}}},
    }, input={"items": [7, 8]})  # fmt: skip
    with pytest.raises(NotFound, match=r"state 'Item' did not run in execution .* itself") as refusal:
        ran.output("Item")
    assert refusal.value.hint is not None and "distributed Map" in refusal.value.hint
    (run,) = asked(ran.sim.store).map_runs()
    children = asked(ran.sim.store).list_executions(ExecutionFilter(run=run.id))
    outputs = [ran.engine.source_input(Source(child, "Item")) for child in children]
    assert outputs == [8, 7]
    with pytest.raises(NotFound, match=r"did not run in execution .* itself"):
        ran.engine.source_input(Source(children[0], "Each"))


def test_a_large_output_is_read_whole() -> None:
    large = {"text": "x" * 100_000}
    ran = Ran({"Big": {"Type": "Pass", "Result": large, "Next": "Small"},
                   "Small": {"Type": "Pass", "Result": 1, "End": True}})  # fmt: skip
    assert ran.output("Big") == large
    b, _, _ = ran.engine.start(ran.sim.workflow, source=Source(ran.execution, "Big"))
    assert now(ran.engine, b).input == large


def test_an_execution_without_a_history_says_so() -> None:
    ran = Ran({"P": {"Type": "Pass", "End": True}}, history=False)
    with pytest.raises(NotFound, match=r"no history of execution .* was kept"):
        ran.output("P")
    assert ran.engine.source_input(Source(ran.execution)) == {}
