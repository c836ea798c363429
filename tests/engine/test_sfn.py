"""Step Functions' own API as tasks: carried out by the engine, once, without a handler."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sm_cli.asl.resources import SFN_ACTIONS
from sm_cli.asl.text.source import from_value
from sm_cli.asl.validation.validate import validate
from sm_cli.errors import UsageError
from sm_cli.express import run_express
from sm_cli.handlers.needs import needed_handlers, nested_workflows
from sm_cli.interpreter.tokens import make_token
from sm_cli.jsonvalue import Json
from sm_cli.store.records import Execution, ExecutionFilter
from sm_cli.store.sqlite.memory import MemoryStore
from sm_cli.testing import FakeClock, Outcome, Simulation, crash_points
from tests.engine.workers import SECOND, Yard, workflow
from tests.store.asking import asked

MACHINE = "arn:aws:states:us-east-1:111111111111:stateMachine:child"
PARENT: dict[str, Any] = {
    "Type": "Task", "Resource": "arn:aws:states:::states:startExecution.waitForTaskToken", "TimeoutSeconds": 60,
    "Parameters": {"StateMachineArn": MACHINE, "Name": "the-child", "Input": {"token.$": "$$.Task.Token"}}, "End": True,
}  # fmt: skip


def sfn(action: str, **parameters: Any) -> dict[str, Any]:
    resource = f"arn:aws:states:::aws-sdk:sfn:{action}"
    return {"Type": "Task", "Resource": resource, "Parameters": parameters, "End": True}


def one(**states: dict[str, Any]) -> dict[str, Any]:
    return {"StartAt": next(iter(states)), "States": states}


def simulation(state: dict[str, Any], child: dict[str, Any] | None = None, store: Any = None) -> Simulation:
    children = {"child": child or one(C={"Type": "Pass", "End": True})}
    return Simulation(workflow(one(S=state), "parent"), {}, FakeClock(), store=store, workflows=children)


def run(state: dict[str, Any], child: dict[str, Any] | None = None, input: Json = None) -> tuple[Outcome, Simulation]:
    sim = simulation(state, child)
    return sim.run(input), sim


def named(sim: Simulation, workflow: str) -> Execution:
    (found,) = (e for e in asked(sim.store).list_executions(ExecutionFilter()) if e.workflow == workflow)
    whole = asked(sim.store).execution(found.id)
    assert whole is not None
    return whole


@pytest.mark.parametrize("output", [{"approved": True}, '{"approved": true}'])
def test_a_child_answers_its_parents_token(output: Json) -> None:
    success = sfn("sendTaskSuccess", **{"TaskToken.$": "$.token", "Output": output})
    outcome, sim = run(PARENT, one(C=success))
    assert (outcome.status, outcome.output) == ("SUCCEEDED", {"approved": True})
    child = named(sim, "child")
    assert (child.status, child.output) == ("SUCCEEDED", {})
    types = [event.type for event in asked(sim.store).history(child.id)]
    assert types[1:5] == ["TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskSucceeded"]
    assert asked(sim.store).history(child.id)[2].detail["resourceType"] == "aws-sdk:sfn"
    assert asked(sim.store).jobs_of(1) == []


def test_a_worker_and_its_child_need_no_handler() -> None:
    yard = Yard()
    success = sfn("sendTaskSuccess", **{"TaskToken.$": "$.token", "Output": "1"})
    yard.engine.programs.library = {"child": workflow(one(C={"Type": "Wait", "Seconds": 1, "Next": "D"}, D=success),
                                                      "child")}.get  # fmt: skip
    worker = yard.worker({})
    execution = yard.start(workflow(one(S=PARENT), "parent"))
    worker.tick()
    yard.later(1)
    worker.tick()
    assert yard.now(execution).output == 1
    yard.close()


def test_a_child_fails_its_parents_task_and_beats_for_it() -> None:
    failure = sfn("sendTaskFailure", **{"TaskToken.$": "$.token", "Error": "Refused", "Cause": {"why": 1}})
    outcome, _ = run(PARENT, one(C=failure))
    assert (outcome.error, outcome.cause) == ("Refused", '{"why":1}')
    beat = {**sfn("sendTaskHeartbeat", **{"TaskToken.$": "$.token"}), "ResultPath": None}
    steps: dict[str, Any] = {}
    for i in range(3):
        steps[f"W{i}"] = {"Type": "Wait", "Seconds": 8, "Next": f"B{i}"}
        steps[f"B{i}"] = {**beat, "Next": f"W{i + 1}" if i < 2 else "C"}
        del steps[f"B{i}"]["End"]
    steps["C"] = sfn("sendTaskSuccess", **{"TaskToken.$": "$.token", "Output": "{}"})
    outcome, _ = run({**PARENT, "HeartbeatSeconds": 10}, one(**steps))
    assert outcome.status == "SUCCEEDED"


@pytest.mark.parametrize("action", ["sendTaskSuccess", "sendTaskFailure", "sendTaskHeartbeat"])
def test_what_is_wrong_with_a_token_has_awss_error(action: str) -> None:
    more = {"Output": "1"} if action == "sendTaskSuccess" else {}
    outcome, _ = run(sfn(action, TaskToken="forged", **more))
    assert outcome.error == "Sfn.InvalidTokenException"
    assert "(Service: Sfn, Status Code: 400, Request ID: " in (outcome.cause or "")
    sim = simulation(sfn(action, TaskToken=make_token(b"", 1, 0), **more))
    unknown = make_token(sim.engine.settings.token_key, 999, 1)
    sim = simulation(sfn(action, TaskToken=unknown, **more), store=sim.store)
    assert sim.run({}).error == "Sfn.TaskDoesNotExistException"
    answered = [sfn("sendTaskSuccess", **{"TaskToken.$": "$.token", "Output": "1"}), sfn(action, **{
        "TaskToken.$": "$.token", **more,
    })]  # fmt: skip
    first, second = answered
    child = one(A={**first, "ResultPath": None, "Next": "B"}, B=second)
    del child["States"]["A"]["End"]
    outcome, sim = run(PARENT, child)
    assert outcome.output == 1
    assert named(sim, "child").error == "Sfn.TaskTimedOutException"


@pytest.mark.parametrize("limit", ["TimeoutSeconds", "HeartbeatSeconds"])
def test_a_token_that_is_answered_too_late_has_timed_out(limit: str) -> None:
    store = MemoryStore()
    parent = {**PARENT, limit: 10}
    sim = simulation(parent, one(C={"Type": "Wait", "Seconds": 99, "End": True}), store)
    execution = sim.run_now({})
    (job,) = asked(store).handed_over()
    token = make_token(sim.engine.settings.token_key, job.frame, job.seq)
    sim.clock.advance_to(sim.clock.now() + 12 * SECOND)
    late = workflow(one(L=sfn("sendTaskSuccess", TaskToken=token, Output="1")), "late")
    answered = sim.engine.start(late, {})[0]
    ended, parent_now = asked(store).execution(answered.id), asked(store).execution(execution.id)
    assert ended is not None
    assert parent_now is not None
    assert (ended.error, parent_now.error) == ("Sfn.TaskTimedOutException", "States.Timeout")


def test_start_execution_goes_on_and_start_sync_execution_waits() -> None:
    wait = one(W={"Type": "Wait", "Seconds": 5, "Next": "P"}, P={"Type": "Pass", "Result": 7, "End": True})
    outcome, sim = run(sfn("startExecution", StateMachineArn=MACHINE, Input={"x": 1}), wait)
    assert set(outcome.output) == {"ExecutionArn", "StartDate"}
    assert named(sim, "child").input == {"x": 1}
    outcome, sim = run(sfn("startSyncExecution", StateMachineArn=MACHINE, Input='{"x": 1}'), wait)
    assert (outcome.output["Status"], outcome.output["Output"]) == ("SUCCEEDED", "7")
    assert named(sim, "child").type == "EXPRESS"
    outcome, _ = run(sfn("startSyncExecution", StateMachineArn=MACHINE), one(F={"Type": "Fail", "Error": "Bad"}))
    assert (outcome.status, outcome.output["Status"], outcome.output["Error"]) == ("SUCCEEDED", "FAILED", "Bad")
    outcome, _ = run(sfn("startExecution", StateMachineArn="nobody"))
    assert outcome.error == "Sfn.StateMachineDoesNotExistException"
    outcome, _ = run(sfn("startExecution", StateMachineArn=MACHINE, Input="{"))
    assert outcome.error == "Sfn.InvalidExecutionInputException"


def after(first: dict[str, Any], second: dict[str, Any], waiting: float = 0) -> dict[str, Any]:
    """The child is started; after a wait the other action is called with its ARN as `$.ExecutionArn`."""
    begun = {name: value for name, value in first.items() if name != "End"}
    return one(A={**begun, "Next": "W"}, W={"Type": "Wait", "Seconds": waiting, "Next": "B"}, B=second)


@pytest.mark.parametrize("waiting", [0, 3])
def test_an_execution_is_described_stopped_and_its_history_read(waiting: float) -> None:
    child = one(W={"Type": "Wait", "Seconds": 99, "End": True})
    begin = sfn("startExecution", StateMachineArn=MACHINE, Name="n", Input={"x": 1})
    arn = {"ExecutionArn.$": "$.ExecutionArn"}

    def then(action: str, **more: Any) -> Any:
        sim = Simulation(
            workflow(after(begin, sfn(action, **arn, **more), waiting), "parent"), {}, FakeClock(),
            workflows={"child": child},
        )  # fmt: skip
        outcome = sim.run({})
        assert outcome.status == "SUCCEEDED", outcome.cause
        return outcome.output, named(sim, "child")

    told, _ = then("describeExecution")
    assert (told["Status"], told["Name"], told["Input"], told["RedriveCount"]) == ("RUNNING", "n", '{"x":1}', 0)
    assert "StopDate" not in told
    assert told["StartDate"].endswith("Z")
    told, stopped = then("stopExecution", Error="E", Cause="C")
    assert list(told) == ["StopDate"]
    assert (stopped.status, stopped.error, stopped.cause) == ("ABORTED", "E", "C")
    told, _ = then("getExecutionHistory")
    assert [event["Type"] for event in told["Events"]] == ["ExecutionStarted", "WaitStateEntered"]
    assert told["Events"][1]["StateEnteredEventDetails"]["Name"] == "W"
    told, _ = then("getExecutionHistory", MaxResults=1, ReverseOrder=True)
    assert [event["Id"] for event in told["Events"]] == [2]
    assert told["NextToken"] == "1"


def test_an_execution_that_was_listed_goes_on_with_its_input() -> None:
    given = {"Type": "Pass", "Parameters": {"input.$": "$$.Execution.Input"}, "End": True}
    waits = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 5, "Next": "P"}, "P": given}}
    sim = simulation(sfn("listExecutions", StateMachineArn=MACHINE), waits)
    child, _, _ = sim.engine.start(sim.workflows["child"], {"order": "ORD-1"})
    assert [row["Status"] for row in sim.run({}).output["Executions"]] == ["RUNNING"]
    assert sim.finish(child).output == {"input": {"order": "ORD-1"}}


def test_lists_of_executions_and_machines() -> None:
    outcome, _ = run(sfn("listStateMachines"))
    assert [row["Name"] for row in outcome.output["StateMachines"]] == []
    sim = simulation(sfn("listExecutions", StateMachineArn=MACHINE, StatusFilter="SUCCEEDED", MaxResults=2))
    for _ in range(3):
        sim.engine.start(sim.workflows["child"], {})
    told = sim.run({}).output
    assert [row["Status"] for row in told["Executions"]] == ["SUCCEEDED"] * 2
    assert told["NextToken"].isdigit()
    begin = sfn("startExecution", StateMachineArn=MACHINE)
    described = sfn("describeStateMachine", StateMachineArn=MACHINE)
    told = Simulation(
        workflow(after(begin, described), "parent"), {}, FakeClock(),
        workflows={"child": one(C={"Type": "Pass", "End": True})},
    ).run({}).output  # fmt: skip
    assert (told["Name"], json.loads(told["Definition"])["StartAt"]) == ("child", "C")
    assert told["CreationDate"].endswith("Z")
    outcome, _ = run(sfn("describeStateMachine", StateMachineArn="nobody"))
    assert outcome.error == "Sfn.StateMachineDoesNotExistException"


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (sfn("sendTaskSuccess", TaskToken="x"), 'The field "Output" is required'),
        (sfn("sendTaskSuccess", taskToken="x", output="1"), 'The field "TaskToken" is required'),
        (sfn("sendTaskHeartbeat", TaskToken="x", Odd=1), 'The field "Odd" is not supported'),
        (sfn("sendTaskHeartbeat", TaskToken=1), 'The value for the field "TaskToken" must be a STRING'),
    ],
)
def test_wrong_parameters_are_a_runtime_error(state: dict[str, Any], sentence: str) -> None:
    outcome, _ = run(state)
    assert outcome.error == "States.Runtime"
    assert sentence in (outcome.cause or "")


def test_errors_can_be_caught_by_name_and_arns_are_checked() -> None:
    for arn, error in (("x", "Sfn.InvalidArnException"),
                       ("arn:aws:states:us-east-1:1:execution:w:n", "Sfn.ExecutionDoesNotExistException")):  # fmt: skip
        state = sfn("describeExecution", ExecutionArn=arn)
        caught = {**state, "Catch": [{"ErrorEquals": [error], "Next": "H"}]}
        sim = Simulation(workflow(one(S=caught, H={"Type": "Succeed"}), "parent"), {}, FakeClock())
        assert sim.run({}).output["Error"] == error


@pytest.mark.parametrize("after_commit", [False, True])
def test_an_answer_is_given_once_whenever_the_process_dies(after_commit: bool) -> None:
    steps = {"W": {"Type": "Wait", "Seconds": 2, "Next": "C"},
             "C": sfn("sendTaskSuccess", **{"TaskToken.$": "$.token", "Output": "5"})}  # fmt: skip
    for commit in range(1, 5):
        store = MemoryStore()
        with crash_points(store) as points:
            simulation(PARENT, one(**steps), points.at(commit, after=after_commit)).run({})
        sim = simulation(PARENT, one(**steps), store)
        if asked(store).latest() is None:
            continue
        outcome = sim.resume_last()
        assert outcome.output == 5
        assert [event["type"] for event in outcome.history].count("TaskSucceeded") == 1


@pytest.mark.parametrize("action", SFN_ACTIONS)
def test_no_handler_is_asked_for(action: str) -> None:
    written = one(S=sfn(action, **dict.fromkeys(SFN_ACTIONS[action][0], "x")))
    document = from_value(written).document
    assert document is not None
    assert [d for d in validate(document, handlers=frozenset({"other"})) if d.code == "SM606"] == []
    definition = workflow(written)
    assert needed_handlers(definition.program, written) == {}
    assert nested_workflows(definition.program, written) == (["x"] if action.startswith("start") else [])
    with pytest.raises(UsageError, match="an express execution has no database"):
        run_express(definition, {}, {})
