"""A failed execution goes on from where it failed; what succeeded is not done again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sm_cli.asl.text.source import from_value
from sm_cli.engine.engine import Engine, prepare
from sm_cli.errors import Conflict, NotFound
from sm_cli.jsonvalue import Json
from sm_cli.store.records import Execution
from sm_cli.testing import FakeClock, Outcome, Simulation
from tests.store.asking import asked

TASK = {"Type": "Task", "Resource": "work", "End": True}


class Boom(Exception):
    pass


class Broken:
    """A handler that fails for some inputs until it is fixed, and notes every call."""

    def __init__(self, *bad: Json) -> None:
        self.bad = list(bad)
        self.calls: list[Json] = []

    def __call__(self, input: Any) -> Json:
        self.calls.append(input)
        if input in self.bad:
            raise Boom(str(input))
        return {"did": input}


def failed(
    definition: dict[str, Any], input: Json, handler: Callable[..., Any]
) -> tuple[Simulation, Execution, Outcome]:
    document = from_value(definition).document
    assert document is not None
    simulation = Simulation(prepare(document, "redriven"), {"work": handler}, FakeClock())
    outcome = simulation.run(input)
    execution = asked(simulation.store).latest()
    assert execution is not None
    return simulation, execution, outcome


def go_on(
    simulation: Simulation, execution: Execution, **options: Any
) -> tuple[Outcome, list[tuple[str, tuple[str, ...]]]]:
    again = simulation.engine.redrive(execution, **options)
    return simulation.resume(execution), [(a.state, a.where) for a in again]


def types(outcome: Outcome) -> list[str]:
    return [event["type"] for event in outcome.history]


def test_a_task_that_failed_runs_again_with_the_same_input() -> None:
    handler = Broken({"n": 1})
    definition = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}, "B": TASK}}
    simulation, execution, outcome = failed(definition, {"n": 1}, handler)
    assert outcome.status == "FAILED"
    handler.bad.clear()
    outcome, again = go_on(simulation, execution)
    assert (outcome.status, outcome.output, again) == ("SUCCEEDED", {"did": {"n": 1}}, [("B", ())])
    assert types(outcome).count("PassStateEntered") == 1
    assert types(outcome).count("ExecutionRedriven") == 1
    assert [event["id"] for event in outcome.history] == list(range(1, len(outcome.history) + 1))


def test_a_dry_run_shows_and_changes_nothing() -> None:
    simulation, execution, _ = failed({"StartAt": "B", "States": {"B": TASK}}, 1, Broken(1))
    assert [a.state for a in simulation.engine.redrive(execution, dry_run=True)] == ["B"]
    current = asked(simulation.store).execution(execution.id)
    assert current is not None
    assert current.status == "FAILED"
    assert current.redrives == 0


@pytest.mark.parametrize("limit", [0, 1, 2])
def test_a_map_runs_only_the_items_again_that_did_not_succeed(limit: int) -> None:
    handler = Broken(2)
    inner = {"StartAt": "T", "States": {"T": TASK}}
    definition = {
        "StartAt": "M", "States": {"M": {"Type": "Map", "ItemProcessor": inner, "MaxConcurrency": limit, "End": True}}
    }  # fmt: skip
    simulation, execution, outcome = failed(definition, [0, 1, 2, 3, 4], handler)
    assert outcome.status == "FAILED"
    succeeded = {
        e["mapIterationSucceededEventDetails"]["index"] for e in outcome.history if e["type"] == "MapIterationSucceeded"
    }
    handler.bad.clear()
    handler.calls.clear()
    outcome, again = go_on(simulation, execution)
    assert (outcome.status, outcome.output) == ("SUCCEEDED", [{"did": n} for n in range(5)])
    assert sorted(map(str, handler.calls)) == [str(n) for n in range(5) if n not in succeeded]
    assert ("T", ("M[2]",)) in again


def test_a_parallel_runs_only_the_branches_again_that_did_not_succeed_however_deep() -> None:
    handler = Broken("bad")
    each = {
        "Type": "Map", "ItemsPath": "$.items", "End": True, "ItemProcessor": {"StartAt": "T", "States": {"T": TASK}},
    }  # fmt: skip
    definition = {
        "StartAt": "P",
        "States": {
            "P": {
                "Type": "Parallel", "End": True,
                "Branches": [
                    {"StartAt": "One", "States": {"One": {**TASK, "Parameters": {"one": 1}}}},
                    {"StartAt": "Each", "States": {"Each": each}},
                ],
            }
        },
    }  # fmt: skip
    simulation, execution, outcome = failed(definition, {"items": ["good", "bad"]}, handler)
    assert outcome.status == "FAILED"
    handler.bad.clear()
    handler.calls.clear()
    outcome, again = go_on(simulation, execution)
    assert outcome.output == [{"did": {"one": 1}}, [{"did": "good"}, {"did": "bad"}]]
    assert "good" not in handler.calls
    assert again == [("T", ("Each[1]",))]


def test_retry_counters_start_anew() -> None:
    handler = Broken(1)
    retry = [{"ErrorEquals": ["Boom"], "IntervalSeconds": 1, "MaxAttempts": 2}]
    simulation, execution, _ = failed({"StartAt": "B", "States": {"B": {**TASK, "Retry": retry}}}, 1, handler)
    assert len(handler.calls) == 3
    outcome, _ = go_on(simulation, execution)
    assert outcome.status == "FAILED"
    assert len(handler.calls) == 6
    outcome, _ = go_on(simulation, execution)
    assert types(outcome).count("ExecutionRedriven") == 2


def test_a_timed_out_execution_gets_its_time_again() -> None:
    wait = {"Type": "Wait", "Seconds": 90}
    definition = {
        "TimeoutSeconds": 100,
        "StartAt": "A",
        "States": {"A": {**wait, "Next": "B"}, "B": {**wait, "End": True}},
    }
    simulation, execution, outcome = failed(definition, {}, Broken())
    assert outcome.status == "TIMED_OUT"
    outcome, again = go_on(simulation, execution)
    assert (outcome.status, again) == ("SUCCEEDED", [("B", ())])


def test_from_another_state_with_its_last_input_or_a_new_one() -> None:
    handler = Broken({"n": 1, "a": "A"})
    definition = {
        "StartAt": "A",
        "States": {"A": {"Type": "Pass", "Result": "A", "ResultPath": "$.a", "Next": "B"}, "B": TASK},
    }
    simulation, execution, _ = failed(definition, {"n": 1}, handler)
    outcome, again = go_on(simulation, execution, state="A", input={"n": 2})
    assert (outcome.status, outcome.output, again) == ("SUCCEEDED", {"did": {"n": 2, "a": "A"}}, [("A", ())])
    simulation, execution, _ = failed(definition, {"n": 1}, handler)
    handler.bad.clear()
    assert go_on(simulation, execution, state="A")[0].output == {"did": {"n": 1, "a": "A"}}
    simulation, execution, _ = failed(definition, {"n": 1}, Broken({"n": 1, "a": "A"}))
    with pytest.raises(NotFound, match="no state 'Nope'"):
        go_on(simulation, execution, state="Nope", input={})


def test_the_context_object_shows_the_redrive() -> None:
    state = {**TASK, "Parameters": {"count.$": "$$.Execution.RedriveCount"}}
    handler = Broken({"count": 0})
    simulation, execution, _ = failed({"StartAt": "B", "States": {"B": state}}, {}, handler)
    assert go_on(simulation, execution)[0].output == {"did": {"count": 1}}


def test_what_succeeded_or_still_runs_cannot_be_redriven() -> None:
    simulation, execution, _ = failed({"StartAt": "B", "States": {"B": TASK}}, 1, Broken())
    with pytest.raises(Conflict, match="is SUCCEEDED: there is nothing to redrive"):
        simulation.engine.redrive(execution)


def test_a_stopped_execution_goes_on_where_it_was() -> None:
    definition = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 50, "Next": "B"}, "B": TASK}}
    document = from_value(definition).document
    assert document is not None
    simulation = Simulation(prepare(document, "stopped"), {"work": Broken()}, FakeClock())
    engine: Engine = simulation.engine
    execution, _, _ = engine.start(simulation.workflow, 7)
    assert engine.stop(execution, error="Mine").status == "ABORTED"
    outcome, again = go_on(simulation, execution)
    assert (outcome.output, again) == ({"did": 7}, [("W", ())])
