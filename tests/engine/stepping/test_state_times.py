"""What executions spend in their states: visits that ended, work and waiting, each counted once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sm_cli.engine.retention import prune
from sm_cli.engine.send_message import send
from sm_cli.express import Express, keep
from sm_cli.handlers.handler import Context
from sm_cli.handlers.registry import Registry
from sm_cli.interpreter.events import TaskSucceeded
from sm_cli.jsonvalue import Json
from sm_cli.store.filters import ExecutionFilter
from sm_cli.store.protocol import Store
from sm_cli.store.records import Execution
from sm_cli.store.sql.upkeep import state_log
from sm_cli.store.sqlite.database import SqliteStore
from sm_cli.store.sqlite.memory import MemoryStore
from sm_cli.testing import FakeClock, Simulation, sleep
from sm_cli.testing.answers import DueCallback
from sm_cli.views.numbers.statistics import By, Work, statistics
from sm_cli.views.state_visits import state_visits
from tests.engine.workers import SECOND, workflow
from tests.store.asking import asked
from tests.test_scenarios import machine, task

Numbers = dict[str, list[int]]
#: The places of these in what is noted.
VISITS, FAILURES, RETRIES, DURATION, LONGEST, WORKING = range(6)


def work(input: Any, context: Context) -> Any:
    sleep(2)
    if isinstance(input, dict) and context.attempt <= input.get("failures", 0):
        raise ValueError("not yet")
    return input


def noted(store: Store, execution: Execution) -> Numbers:
    """State to its numbers, over the table and the log."""
    states: Numbers = defaultdict(lambda: [0] * 6)
    for (state, name, digest), (started, id, *counts) in asked(store).state_times(execution.id):
        assert (name, digest, started, id) == (execution.workflow, execution.digest, execution.started, execution.id)
        before = states[state]
        states[state] = [a + b for a, b in zip(before, counts, strict=True)]
        states[state][LONGEST] = max(before[LONGEST], counts[LONGEST])
    return dict(states)


def run(definition: dict[str, Any], input: Json, *steps: Callable[[Simulation], None]) -> tuple[Simulation, Execution]:
    simulation = Simulation(workflow(definition, "w"), {"do": work}, FakeClock())
    for step in steps:
        step(simulation)
    simulation.run(input)
    execution = asked(simulation.store).latest()
    assert execution is not None
    return simulation, execution


def by_history(store: Store, execution: Execution) -> dict[str, list[int]]:
    """State to [visits that ended, all of them together, the longest], as the history has it."""
    states: dict[str, list[int]] = {}
    for visit in state_visits(asked(store).history(execution.id)):
        if visit.end is not None:
            count, duration, longest = states.get(visit.name, [0, 0, 0])
            span = visit.end - visit.start
            states[visit.name] = [count + 1, duration + span, max(longest, span)]
    return states


RETRY = {"Retry": [{"ErrorEquals": ["ValueError"], "IntervalSeconds": 3, "MaxAttempts": 2, "BackoffRate": 1}]}
CATCH = {"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]}


def each() -> dict[str, Any]:
    return {"Type": "Map", "ItemsPath": "$.list", "ItemProcessor": machine(Item=task())}


def both() -> dict[str, Any]:
    return {"Type": "Parallel", "Branches": [machine(Slow={"Type": "Wait", "Seconds": 9}), machine(Quick=task())]}


LOOP = {
    "StartAt": "Again",
    "States": {
        "Again": {"Type": "Pass", "Result": {"more": False}, "Next": "More"},
        "More": {"Type": "Choice", "Choices": [{"Variable": "$.more", "BooleanEquals": True, "Next": "Again"}],
                 "Default": "Done"},
        "Done": {"Type": "Succeed"},
    },
}  # fmt: skip

CASES: list[tuple[dict[str, Any], Json, Numbers]] = [
    (machine(A={"Type": "Pass"}), {}, {"A": [1, 0, 0, 0, 0, 0]}),
    (machine(A={"Type": "Wait", "Seconds": 5}), {}, {"A": [1, 0, 0, 5, 5, 0]}),
    (machine(A=task()), {}, {"A": [1, 0, 0, 2, 2, 2]}),
    (machine(A={**task(), **RETRY}), {"failures": 2}, {"A": [1, 0, 2, 12, 12, 6]}),
    (machine(A={**task(), **RETRY}), {"failures": 9}, {"A": [1, 1, 2, 12, 12, 6]}),
    (machine(A={**task(), **CATCH}, Caught={"Type": "Pass"}), {"failures": 9},
     {"A": [1, 1, 0, 2, 2, 2], "Caught": [1, 0, 0, 0, 0, 0]}),
    (machine(A={"Type": "Fail", "Error": "E"}), {}, {"A": [1, 1, 0, 0, 0, 0]}),
    (LOOP, {}, {"Again": [1, 0, 0, 0, 0, 0], "More": [1, 0, 0, 0, 0, 0], "Done": [1, 0, 0, 0, 0, 0]}),
    (machine(E=each()), {"list": [1, 2, 3]}, {"E": [1, 0, 0, 2, 2, 0], "Item": [3, 0, 0, 6, 2, 6]}),
    (machine(B=both()), {}, {"B": [1, 0, 0, 9, 9, 0], "Slow": [1, 0, 0, 9, 9, 0], "Quick": [1, 0, 0, 2, 2, 2]}),
    (machine(B=both()), {"failures": 9},
     {"B": [1, 1, 0, 2, 2, 0], "Slow": [1, 0, 0, 2, 2, 0], "Quick": [1, 1, 0, 2, 2, 2]}),
]  # fmt: skip


@pytest.mark.parametrize(("definition", "input", "seconds"), CASES)
def test_visits_and_their_spans_are_noted(definition: dict[str, Any], input: Json, seconds: Numbers) -> None:
    simulation, execution = run(definition, input)
    expected = {state: [*n[:3], *(span * SECOND for span in n[3:])] for state, n in seconds.items()}
    found = noted(simulation.store, execution)
    assert found == expected
    of_history = by_history(simulation.store, execution)
    assert {s: [n[VISITS], n[DURATION], n[LONGEST]] for s, n in found.items()} == of_history


def test_a_message_is_waited_for() -> None:
    def post(simulation: Simulation) -> None:
        simulation.later(simulation.start + 7 * SECOND, lambda tick: send(tick, "n", "1", {}, ttl=60))

    state = {"Type": "Message", "CorrelationKey": "n", "CorrelationValuePath": "$.n"}
    simulation, execution = run(machine(M=state), {"n": "1"}, post)
    assert noted(simulation.store, execution) == {"M": [1, 0, 0, 7 * SECOND, 7 * SECOND, 0]}


def test_work_ends_where_a_handler_has_handed_it_over() -> None:
    state = task("arn:aws:states:::do.waitForTaskToken", Parameters={"t.$": "$$.Task.Token"})
    clock = FakeClock()
    answer = DueCallback(clock.now() + 10 * SECOND, 0, "T", lambda seq: TaskSucceeded(seq, {}))
    simulation = Simulation(workflow(machine(T=state), "w"), {"do": work}, clock, callbacks=[answer])
    assert simulation.run({}).status == "SUCCEEDED"
    execution = asked(simulation.store).latest()
    assert execution is not None
    # Until a callback ends the task, what a simulated handler sleeps is not waited for.
    assert noted(simulation.store, execution) == {"T": [1, 0, 0, 10 * SECOND, 10 * SECOND, 0]}


def test_an_execution_that_is_stopped_has_left_its_state() -> None:
    simulation = Simulation(workflow(machine(W={"Type": "Wait", "Seconds": 60}), "w"), {}, FakeClock())
    execution = simulation.run_now({})
    assert noted(simulation.store, execution) == {}
    simulation.clock.advance_to(simulation.start + 4 * SECOND)
    simulation.engine.stop(execution)
    assert noted(simulation.store, execution) == {"W": [1, 0, 0, 4 * SECOND, 4 * SECOND, 0]}


def test_a_state_that_is_redriven_counts_again_from_the_redrive() -> None:
    calls = [1, 0]

    def sometimes(input: Json) -> Json:
        sleep(2)
        return 1 // 0 if calls.pop(0) else input

    simulation = Simulation(workflow(machine(A=task()), "w"), {"do": sometimes}, FakeClock())
    simulation.run({})
    execution = asked(simulation.store).latest()
    assert execution is not None
    assert noted(simulation.store, execution) == {"A": [1, 1, 0, 2 * SECOND, 2 * SECOND, 2 * SECOND]}
    simulation.clock.advance_to(simulation.clock.now() + 3600 * SECOND)
    simulation.engine.redrive(execution)
    assert simulation.resume_last().status == "SUCCEEDED"
    assert noted(simulation.store, execution) == {"A": [2, 1, 0, 4 * SECOND, 2 * SECOND, 4 * SECOND]}


@pytest.mark.parametrize("rows", [1, 2, 5, 10**6])
def test_it_makes_no_difference_when_the_log_is_folded(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    monkeypatch.setattr(state_log, "_ROWS", rows)
    definition = machine(A={**task(), **RETRY}, E=each(), B=both())
    simulation, execution = run(definition, {"failures": 1, "list": [{}, {}, {}]})
    found = noted(simulation.store, execution)
    assert found["A"] == [1, 0, 1, 7 * SECOND, 7 * SECOND, 4 * SECOND]
    assert {state: numbers[VISITS] for state, numbers in found.items()} == {
        "A": 1, "E": 1, "Item": 3, "B": 1, "Slow": 1, "Quick": 1,
    }  # fmt: skip
    result = statistics(simulation.store, ExecutionFilter(), By.STATE, simulation.clock.now())
    groups = {group.key[1]: group for group in result.groups}
    assert {state: group.count for state, group in groups.items()} == {s: n[VISITS] for s, n in found.items()}
    assert groups["A"].work == Work(1, 4 * SECOND, 3 * SECOND)
    assert groups["Item"].durations is not None and groups["Item"].durations.max == 2 * SECOND
    for state in ("Item", "A", "Slow"):
        assert asked(simulation.store).matching_executions(ExecutionFilter(state=state)) == [execution.id]
    assert asked(simulation.store).matching_executions(ExecutionFilter(state="Nowhere")) == []
    other = ExecutionFilter(state="A", workflow="other")
    assert asked(simulation.store).count_matching(other) == 0


@pytest.mark.parametrize("rows", [1, 10**6])
def test_prune_takes_them_along(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, rows: int) -> None:
    monkeypatch.setattr(state_log, "_ROWS", rows)
    store = SqliteStore(tmp_path / "sm.db", sync="normal")
    simulation = Simulation(workflow(machine(A=task()), "w"), {"do": work}, FakeClock(), store=store)
    simulation.run({})
    prune(store, simulation.clock.now() + 1)
    with store.read() as questions:
        assert questions.session.all("state_log") == []
        assert questions.measure_states(ExecutionFilter()) == []
    store.close()


def test_children_of_a_distributed_map_count_with_their_workflow() -> None:
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **machine(Item=task())}
    definition = machine(M={**each(), "ItemProcessor": processor})
    simulation, _ = run(definition, {"list": [1, 2, 3, 4]})
    now = simulation.clock.now()
    for filter in (ExecutionFilter(), ExecutionFilter(workflow="w"), ExecutionFilter(since=simulation.start)):
        result = statistics(simulation.store, filter, By.STATE, now)
        assert {group.key[1]: group.count for group in result.groups} == {"M": 1, "Item": 4}
    assert statistics(simulation.store, ExecutionFilter(workflow="x"), By.STATE, now).groups == []
    assert statistics(simulation.store, ExecutionFilter(since=now + 1), By.STATE, now).groups == []


def test_what_is_kept_of_an_express_execution_has_them_too() -> None:
    target = MemoryStore()
    with Express(workflow(machine(A={"Type": "Pass"}, B={"Type": "Pass"}), "w"), Registry(), history=True) as express:
        express.start({})
        express.run(lambda: express.current().closed is not None)
        copy = keep(express, target)
    found = noted(target, copy)
    assert {state: numbers[VISITS] for state, numbers in found.items()} == {"A": 1, "B": 1}
