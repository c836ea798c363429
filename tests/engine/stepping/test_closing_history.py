"""The history of how an execution ends: every way to end, in every kind of state that it can be in."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.interpreter.step import EVENT_LIMIT
from sm_cli.jsonvalue import Json
from sm_cli.store.filters import ExecutionFilter
from sm_cli.store.records import Execution
from sm_cli.testing import FakeClock, Simulation, simulate
from sm_cli.views.state_visits import state_visits
from tests.engine.workers import workflow
from tests.store.asking import asked

WAIT: dict[str, Any] = {"Type": "Wait", "Seconds": 25, "End": True}
BAD: dict[str, Any] = {"Type": "Pass", "Parameters": {"x.$": "$.missing"}, "End": True}
FAIL: dict[str, Any] = {"Type": "Fail", "Error": "Bad"}
TOKEN = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
MESSAGE: dict[str, Any] = {"Type": "Message", "CorrelationKey": "k", "CorrelationValue": "v", "End": True}
CHILD = "arn:aws:states:::states:startExecution.sync"


def states(**named: dict[str, Any]) -> dict[str, Any]:
    return {"StartAt": next(iter(named)), "States": named}


def parallel(*states_of_branches: dict[str, Any]) -> dict[str, Any]:
    branches = [states(**{f"B{i}": state}) for i, state in enumerate(states_of_branches)]
    return {"Type": "Parallel", "Branches": branches, "End": True}


def each(inner: dict[str, Any], mode: str = "INLINE", **more: Any) -> dict[str, Any]:
    config = {"ProcessorConfig": {"Mode": mode, **({"ExecutionType": "STANDARD"} if mode != "INLINE" else {})}}
    processor = {**states(I=inner), **config}
    return {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": processor, "End": True, **more}


#: The state that the execution is in, the events after ExecutionStarted, and those of a stop before ExecutionAborted.
IN: dict[str, tuple[dict[str, Any], list[str], list[str]]] = {
    "Wait": (WAIT, ["WaitStateEntered"], ["WaitStateAborted"]),
    "Task": (
        {"Type": "Task", "Resource": "slow", "End": True},
        ["TaskStateEntered", "TaskScheduled", "TaskStarted"],
        ["TaskStateAborted"],
    ),
    "Task, handed over": (
        {"Type": "Task", "Resource": TOKEN, "End": True},
        ["TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskSubmitted"],
        ["TaskStateAborted"],
    ),
    "Task, before its retry": (
        {"Type": "Task", "Resource": "bad", "End": True,
         "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 25}]},
        ["TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskFailed"],
        ["TaskStateAborted"],
    ),
    "Message": (MESSAGE, ["MessageStateEntered", "MessageSubscribed"], []),
    "Parallel": (
        parallel(WAIT, WAIT),
        ["ParallelStateEntered", "ParallelStateStarted", "WaitStateEntered", "WaitStateEntered"],
        ["WaitStateAborted", "WaitStateAborted", "ParallelStateAborted"],
    ),
    "Map": (
        each(WAIT, MaxConcurrency=1),
        ["MapStateEntered", "MapStateStarted", "MapIterationStarted", "WaitStateEntered"],
        ["WaitStateAborted", "MapIterationAborted", "MapStateAborted"],
    ),
    "Map in Parallel": (
        parallel(each(WAIT, MaxConcurrency=1)),
        ["ParallelStateEntered", "ParallelStateStarted", "MapStateEntered", "MapStateStarted", "MapIterationStarted",
         "WaitStateEntered"],
        ["WaitStateAborted", "MapIterationAborted", "MapStateAborted", "ParallelStateAborted"],
    ),
    "distributed Map": (
        each(WAIT, "DISTRIBUTED"),
        ["MapStateEntered", "MapStateStarted", "MapRunStarted"],
        ["MapRunAborted", "MapStateAborted"],
    ),
    "nested": (
        {"Type": "Task", "Resource": CHILD, "Parameters": {"StateMachineArn": "child"}, "End": True},
        ["TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskSubmitted"],
        ["TaskStateAborted"],
    ),
}  # fmt: skip


def bad(input: Any) -> Any:
    raise ValueError("no")


class Case(Simulation):
    """An execution of one state, as far as it comes before time passes."""

    def __init__(self, state: dict[str, Any], **more: Any) -> None:
        handlers = {"sqs:sendMessage": lambda input: {}, "bad": bad}
        super().__init__(
            workflow({**states(S=state), **more}), handlers, FakeClock(), workflows={"child": states(W=WAIT)}
        )

    def begin(self) -> Execution:
        self.handlers.resources(list)
        execution, _, jobs = self.engine.start(self.workflow, {"items": [1, 2]}, taker=self.taker())
        self.todo.extend(job for job in jobs if job.resource != "slow")
        while self.todo or asked(self.store).has_ready() or (self.coming and self.coming[0][0] <= self.clock.now()):
            self.move()
        return execution

    def types(self, execution: Execution) -> list[str]:
        return [event.type for event in asked(self.store).history(execution.id)]

    def others(self, execution: Execution) -> list[Execution]:
        found = [
            child for run in asked(self.store).map_runs() for child in asked(self.store).run_results(run.id, -1, 9)
        ]
        found += asked(self.store).list_executions(ExecutionFilter())
        return [other for other in found if other.id != execution.id]


@pytest.mark.parametrize("kind", IN)
def test_a_timeout_ends_a_history_with_one_event(kind: str) -> None:
    state, begun, _ = IN[kind]
    case = Case(state, TimeoutSeconds=3)
    execution = case.begin()
    while asked(case.store).execution(execution.id).status == "RUNNING":  # type: ignore[union-attr]
        case.move()
    assert case.types(execution) == ["ExecutionStarted", *begun, "ExecutionTimedOut"]
    last = asked(case.store).history(execution.id)[-1]
    assert last.detail == {"error": "States.Timeout"}
    closed = asked(case.store).execution(execution.id)
    assert closed is not None
    assert (closed.status, closed.error) == ("TIMED_OUT", None)
    for other in case.others(execution):  # what it waited for is stopped
        assert case.types(other)[-2:] == ["WaitStateAborted", "ExecutionAborted"]
    assert asked(case.store).open_frames(execution.id) == []


@pytest.mark.parametrize("kind", IN)
def test_a_stop_ends_a_history_with_what_it_aborted(kind: str) -> None:
    state, begun, aborted = IN[kind]
    case = Case(state)
    execution = case.begin()
    case.engine.stop(execution, error="Because", cause="I said so")
    assert case.types(execution) == ["ExecutionStarted", *begun, *aborted, "ExecutionAborted"]
    assert asked(case.store).history(execution.id)[-1].detail == {"error": "Because", "cause": "I said so"}
    for other in case.others(execution):
        assert case.types(other)[-2:] == ["WaitStateAborted", "ExecutionAborted"]


#: A state with something in it that fails, and the events after it began: for a runtime error, and for an error.
FAILING: dict[str, tuple[Any, list[str], list[str]]] = {
    "alone": (lambda inner: inner, [], []),
    "a branch": (lambda inner: parallel(inner), [], ["ParallelStateFailed"]),
    "a branch beside others": (
        lambda inner: parallel(WAIT, inner, MESSAGE), [], ["WaitStateAborted", "ParallelStateFailed"],
    ),
    "an iteration": (lambda inner: each(inner, MaxConcurrency=1), [], ["MapIterationFailed", "MapStateFailed"]),
    "an iteration that may fail": (
        lambda inner: each(inner, MaxConcurrency=1, ToleratedFailureCount=1), [],
        ["MapIterationFailed", "MapIterationStarted", "FailStateEntered", "MapIterationFailed", "MapStateFailed"],
    ),
    "an iteration in a branch": (
        lambda inner: parallel(each(inner, MaxConcurrency=1)), [],
        ["MapIterationFailed", "MapStateFailed", "ParallelStateFailed"],
    ),
    "a branch in an iteration": (
        lambda inner: each(parallel(inner), MaxConcurrency=1), [],
        ["ParallelStateFailed", "MapIterationFailed", "MapStateFailed"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("place", FAILING)
@pytest.mark.parametrize("caught", [False, True])
def test_a_runtime_error_ends_the_execution_at_once(place: str, caught: bool) -> None:
    made, after, _ = FAILING[place]
    state = made(BAD)
    if caught and place != "alone":
        state |= {"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "H"}],
                  "Retry": [{"ErrorEquals": ["States.ALL"]}]}  # fmt: skip
    outcome = simulate(states(S=state, H={"Type": "Succeed"}), {"items": [{"a": 1}, {"a": 2}]})
    types = [event["type"] for event in outcome.history]
    failed = len(types) - 1 - types[::-1].index("PassStateEntered")
    assert types[failed + 1 :] == [*after, "ExecutionFailed"]
    assert (outcome.status, outcome.error) == ("FAILED", "States.Runtime")


@pytest.mark.parametrize("place", FAILING)
def test_any_other_error_is_recorded_on_its_way_up(place: str) -> None:
    made, _, after = FAILING[place]
    outcome = simulate(states(S=made(FAIL)), {"items": [{"a": 1}, {"a": 2}]})
    types = [event["type"] for event in outcome.history]
    begun = types[types.index("FailStateEntered") + 1 :]
    assert [t for t in begun if not t.startswith("Message")] == [*after, "ExecutionFailed"]
    assert (outcome.status, outcome.error) == ("FAILED", "Bad")


def test_the_view_by_state_names_the_branch_that_a_runtime_error_was_in() -> None:
    case = Case(parallel(WAIT, BAD))
    execution = case.begin()
    visits = {visit.name: visit for visit in state_visits(asked(case.store).history(execution.id))}
    assert {name: visit.status for name, visit in visits.items()} == {"S": "FAILED", "B0": "ABORTED", "B1": "FAILED"}
    assert visits["B1"].error == "States.Runtime"


def loop(name: str, *body: dict[str, Any]) -> dict[str, Any]:
    """A machine that goes round for ever."""
    over = {"Type": "Choice", "Choices": [{"Variable": "$.over", "IsPresent": True, "Next": f"{name}E"}]}
    names = [*(f"{name}{i}" for i in range(len(body))), f"{name}C"]
    steps = {name: {**state, "Next": after} for name, state, after in zip(names, body, names[1:], strict=False)}
    return {
        "StartAt": names[0],
        "States": {**steps, names[-1]: {**over, "Default": names[0]}, f"{name}E": {"Type": "Succeed"}},
    }


PASS: dict[str, Any] = {"Type": "Pass"}
TASK: dict[str, Any] = {"Type": "Task", "Resource": "do"}
CATCH = {"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "AE"}], "Retry": [{"ErrorEquals": ["States.ALL"]}]}
FULL: dict[str, dict[str, Any]] = {
    "Pass": loop("A", PASS),
    "Task": loop("A", TASK),
    "Task after Pass": loop("A", PASS, TASK),
    "Task that catches": loop("A", {**TASK, **CATCH}),
    "a branch": states(S={"Type": "Parallel", "End": True, "Branches": [loop("A", PASS), loop("B", PASS, TASK)]}),
    "an iteration": states(
        S={"Type": "Map", "ItemsPath": "$.items", "End": True, "ItemProcessor": loop("A", PASS, PASS, TASK)}
    ),
}


@pytest.mark.parametrize("kind", FULL)
def test_with_awss_limits_the_last_event_of_a_full_history_is_its_failure(kind: str) -> None:
    items: Json = [{"a": 1}, {"a": 2}, {"a": 3}]
    outcome = simulate(FULL[kind], {"items": items}, handlers={"do": lambda input: input}, aws_limits=True)
    assert (outcome.status, outcome.error) == ("FAILED", "States.Runtime")
    assert "maximum number of history events (25000)" in (outcome.cause or "")
    assert [event["id"] for event in outcome.history[-2:]] == [EVENT_LIMIT - 1, EVENT_LIMIT]
    assert outcome.history[-1]["type"] == "ExecutionFailed"
