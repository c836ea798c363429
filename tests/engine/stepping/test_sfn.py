"""Step Functions' own API as tasks: carried out by the engine, once, without a handler."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sm_cli.asl.resources import SFN_ACTIONS, SFN_REFUSED
from sm_cli.asl.text.source import from_value
from sm_cli.asl.validation.validate import express_problems, validate
from sm_cli.engine.stepping.sfn.calls import _ACTIONS
from sm_cli.errors import HandlerLoadError, UsageError
from sm_cli.express import run_express
from sm_cli.handlers.needs import check_handlers, needed_handlers, nested_workflows
from sm_cli.interpreter.tokens import make_token
from sm_cli.jsonvalue import Json
from sm_cli.store.filters import ExecutionFilter
from sm_cli.store.records import Execution
from sm_cli.store.sqlite.memory import MemoryStore
from sm_cli.store.versions import Alias
from sm_cli.testing import FakeClock, Outcome, Simulation, crash_points
from tests.engine.workers import SECOND, Yard, workflow
from tests.store.asking import asked
from tests.store.samples import apply

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


#: Waits for its token in a child, beside a branch that fails after 5 s.
BESIDE: dict[str, Any] = {
    "Type": "Parallel", "End": True, "Branches": [one(C=PARENT),
        one(W={"Type": "Wait", "Seconds": 5, "Next": "F"}, F={"Type": "Fail", "Error": "Beside"})],
}  # fmt: skip
SYNC: dict[str, Any] = {
    "Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2", "End": True,
    "Parameters": {"StateMachineArn": "arn:aws:states:us-east-1:111111111111:stateMachine:middle"},
}  # fmt: skip


@pytest.mark.parametrize("by", ["a command", "a worker"])
@pytest.mark.parametrize(
    ("parent", "status"),
    [
        ({**one(S=BESIDE), "TimeoutSeconds": 99}, "FAILED"),
        ({**one(S=SYNC), "TimeoutSeconds": 5}, "TIMED_OUT"),
        ({**one(S={**BESIDE, "Branches": [one(C=SYNC)]}), "TimeoutSeconds": 5}, "TIMED_OUT"),
    ],
    ids=["a sibling's timer", "an ancestor's deadline", "a deadline above a Parallel"],
)
def test_what_was_due_beside_and_above_a_token_goes_before_its_answer(
    by: str, parent: dict[str, Any], status: str
) -> None:
    yard = Yard()
    middle, child = one(S=PARENT), one(C={"Type": "Wait", "Seconds": 99, "End": True})
    yard.engine.programs.library = {"middle": workflow(middle, "middle"), "child": workflow(child, "child")}.get
    late = {"W": {"Type": "Wait", "Seconds": 7, "Next": "L"}}
    if by == "a worker":  # it has nothing to do for the tree of the token before that of the answer
        early = yard.start(workflow({"StartAt": "W", "States": {**late, "L": {"Type": "Succeed"}}}, "early"))
    execution = yard.start(workflow(parent, "parent"))
    (job,) = asked(yard.store).handed_over()
    answer = sfn(
        "sendTaskSuccess", TaskToken=make_token(yard.engine.settings.token_key, job.frame, job.seq), Output="1"
    )
    if by == "a worker":
        caller = yard.start(workflow({"StartAt": "W", "States": {**late, "L": answer}}, "late"))
        yard.later(8)
        yard.worker({}).tick()
        assert yard.now(early).status == "SUCCEEDED"
    else:
        yard.later(8)
        caller = yard.start(workflow(one(L=answer), "late"))
    assert yard.now(caller).error == "Sfn.TaskTimedOutException"
    assert yard.now(execution).status == status
    assert yard.left_over(execution) == []
    yard.close()


def test_what_is_told_of_an_execution_is_how_it_stands_now() -> None:
    yard = Yard()
    yard.engine.programs.library = {"child": workflow(one(C={"Type": "Wait", "Seconds": 5, "End": True}), "child")}.get
    begun = yard.start(workflow(one(B=sfn("startExecution", StateMachineArn=MACHINE, Name="n")), "begins"))
    assert yard.now(begun).status == "SUCCEEDED"
    yard.later(6)
    arn = f"{MACHINE.replace('stateMachine', 'execution')}:n"
    told = yard.start(workflow(one(D=sfn("describeExecution", ExecutionArn=arn)), "asks"))
    output = yard.now(told).output
    assert isinstance(output, dict)
    assert output["Status"] == "SUCCEEDED"
    yard.close()


def test_a_call_whose_own_execution_is_over_time_is_not_made() -> None:
    """The parent's deadline has passed before its child asks to stop another execution of the same tree."""
    yard = Yard()
    target = f"{MACHINE.replace('stateMachine', 'execution')}:t"
    waits = {"Type": "Wait", "Seconds": 99, "End": True}
    stop = sfn("stopExecution", ExecutionArn=target, Error="Stopped")
    library = {
        "child": one(C=waits),
        "middle": {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 7, "Next": "S"}, "S": stop}},
    }
    yard.engine.programs.library = {name: workflow(each, name) for name, each in library.items()}.get
    begin = {**sfn("startExecution", StateMachineArn=MACHINE, Name="t"), "Next": "S"}
    del begin["End"]
    parent = yard.start(workflow({**one(B=begin, S=SYNC), "TimeoutSeconds": 5}, "parent"))
    yard.later(8)
    yard.worker({}).tick()
    assert yard.now(parent).status == "TIMED_OUT"
    child = asked(yard.store).find_execution("child", "t")
    assert child is not None
    assert yard.now(child).status == "RUNNING"
    yard.close()


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


@pytest.mark.parametrize(
    ("child", "reason"),
    [
        (one(C={"Type": "Task", "Resource": "work.waitForTaskToken", "End": True}), "uses .waitForTaskToken"),
        (one(C={**SYNC, "Resource": "arn:aws:states:::states:startExecution.sync"}), "its state 'C' uses .sync"),
        (one(C={"Type": "Message", "CorrelationKey": "k", "CorrelationValue": "v", "End": True}), "a message"),
        (one(C={"Type": "Task", "Resource": "arn:aws:states:us-east-1:1:activity:a", "End": True}), "for an activity"),
        (one(P={"Type": "Map", "End": True, "ItemProcessor": {"ProcessorConfig": {
            "Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}, **one(C={"Type": "Pass", "End": True})}}),
            "is a distributed Map"),
    ],
)  # fmt: skip
def test_start_sync_execution_refuses_what_cannot_be_express(child: dict[str, Any], reason: str) -> None:
    document = from_value(child).document
    assert document is not None
    assert express_problems(document) != []
    outcome, sim = run(sfn("startSyncExecution", StateMachineArn=MACHINE), child)
    assert outcome.error == "Sfn.StateMachineTypeNotSupportedException"
    assert reason in (outcome.cause or "")
    assert [e.workflow for e in asked(sim.store).list_executions(ExecutionFilter())] == ["parent"]


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
    child, _, _ = sim.engine.start(workflow(waits, "child"), {"order": "ORD-1"})
    assert [row["Status"] for row in sim.run({}).output["Executions"]] == ["RUNNING"]
    assert sim.finish(child).output == {"input": {"order": "ORD-1"}}


def test_lists_of_executions_and_machines() -> None:
    outcome, _ = run(sfn("listStateMachines"))
    assert [row["Name"] for row in outcome.output["StateMachines"]] == []
    sim = simulation(sfn("listExecutions", StateMachineArn=MACHINE, StatusFilter="SUCCEEDED", MaxResults=2))
    for _ in range(3):
        sim.engine.start(workflow(one(C={"Type": "Pass", "End": True}), "child"), {})
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


#: Step Functions' API, all of it.
API = """
CreateActivity CreateStateMachine CreateStateMachineAlias DeleteActivity DeleteStateMachine DeleteStateMachineAlias
DeleteStateMachineVersion DescribeActivity DescribeExecution DescribeMapRun DescribeStateMachine
DescribeStateMachineAlias DescribeStateMachineForExecution GetActivityTask GetExecutionHistory ListActivities
ListExecutions ListMapRuns ListStateMachineAliases ListStateMachines ListStateMachineVersions ListTagsForResource
PublishStateMachineVersion RedriveExecution SendTaskFailure SendTaskHeartbeat SendTaskSuccess StartExecution
StartSyncExecution StopExecution TagResource TestState UntagResource UpdateMapRun UpdateStateMachine
UpdateStateMachineAlias ValidateStateMachineDefinition
"""


def test_every_action_of_the_api_is_carried_out_or_refused_with_a_reason() -> None:
    names = {name[:1].lower() + name[1:] for name in API.split()}
    assert set(SFN_ACTIONS) | set(SFN_REFUSED) == names
    assert set(SFN_ACTIONS) & set(SFN_REFUSED) == set()
    assert set(_ACTIONS) | {"startExecution", "startSyncExecution"} == set(SFN_ACTIONS)


@pytest.mark.parametrize("action", SFN_REFUSED)
def test_what_is_not_carried_out_needs_a_handler_and_the_reason_is_the_hint(action: str, tmp_path: Path) -> None:
    written = one(S=sfn(action))
    document = from_value(written).document
    assert document is not None
    (found,) = [d for d in validate(document, handlers=frozenset({"other"})) if d.code == "SM606"]
    assert found.hint == SFN_REFUSED[action]
    needs = needed_handlers(workflow(written).program, written)
    with pytest.raises(HandlerLoadError) as refused:
        check_handlers(needs, {}, tmp_path)
    assert refused.value.hint is not None
    assert SFN_REFUSED[action] in refused.value.hint


EACH: dict[str, Any] = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}


def mapping(**more: Any) -> dict[str, Any]:
    """A distributed Map whose items wait for an hour."""
    each = {**EACH, **one(W={"Type": "Wait", "Seconds": 3600, "End": True})}
    return one(M={"Type": "Map", "ItemProcessor": each, "Label": "L", "MaxConcurrency": 2, "End": True, **more})


def asked_of(yard: Yard, action: str, **parameters: Any) -> Any:
    """The answer to a call, or the error that it fails with."""
    ended = yard.now(yard.start(workflow(one(S=sfn(action, **parameters)), f"calls-{action}")))
    return ended.error or ended.output


def test_map_runs_are_listed_described_and_given_other_limits() -> None:
    yard = Yard()
    parent = yard.start(workflow(mapping(), "maps"), [1, 2, 3, 4, 5])
    arn = f"arn:aws:states:us-east-1:111111111111:execution:maps:{parent.name}"
    (listed,) = asked_of(yard, "listMapRuns", ExecutionArn=arn)["MapRuns"]
    assert set(listed) == {"ExecutionArn", "MapRunArn", "StartDate", "StateMachineArn"}
    run = {"MapRunArn": listed["MapRunArn"]}
    assert ":mapRun:maps/L:" in run["MapRunArn"]
    told = asked_of(yard, "describeMapRun", **run)
    counts = {"Total": 5, "Pending": 3, "Running": 2, "Succeeded": 0, "Failed": 0, "TimedOut": 0, "Aborted": 0}
    assert (told["Status"], told["MaxConcurrency"], told["ExecutionArn"]) == ("RUNNING", 2, arn)
    assert told["ItemCounts"] == told["ExecutionCounts"] == counts
    assert asked_of(yard, "updateMapRun", **run, MaxConcurrency=4, ToleratedFailurePercentage=50) == {}
    told = asked_of(yard, "describeMapRun", **run)
    assert (told["MaxConcurrency"], told["ToleratedFailureCount"]) == (4, 2)
    assert told["ExecutionCounts"] == {**counts, "Pending": 1, "Running": 4}
    assert asked_of(yard, "updateMapRun", **run, MaxConcurrency=-1) == "Sfn.ValidationException"
    assert asked_of(yard, "stopExecution", ExecutionArn=arn).keys() == {"StopDate"}
    told = asked_of(yard, "describeMapRun", **run)
    assert (told["Status"], told["ItemCounts"]["Aborted"], told["ItemCounts"]["Running"]) == ("ABORTED", 5, 0)
    assert asked_of(yard, "updateMapRun", **run, MaxConcurrency=1) == "Sfn.ValidationException"
    assert asked_of(yard, "describeMapRun", MapRunArn="x") == "Sfn.InvalidArnException"
    assert asked_of(yard, "describeMapRun", MapRunArn=f"{run['MapRunArn']}x") == "Sfn.ResourceNotFoundException"
    assert asked_of(yard, "listMapRuns", ExecutionArn=f"{arn}x") == "Sfn.ExecutionDoesNotExistException"
    yard.close()


def test_more_children_of_a_map_run_succeed_than_could_run_before() -> None:
    yard = Yard()
    parent = yard.start(workflow(mapping(), "maps"), [1, 2, 3])
    (run,) = asked(yard.store).map_runs(parent.id)
    arn = f"arn:aws:states:us-east-1:111111111111:mapRun:maps/L:{run.ref}"
    assert asked_of(yard, "updateMapRun", MapRunArn=arn, MaxConcurrency=0) == {}
    yard.later(3601)
    worker = yard.worker({})
    for _ in range(3):
        worker.tick()
    assert yard.now(parent).output == [1, 2, 3]
    yard.close()


def test_a_task_of_an_activity_is_handed_out_once_and_ends_by_its_token() -> None:
    yard = Yard()
    activity = "arn:aws:states:us-east-1:111111111111:activity:pick"
    state = {"Type": "Task", "Resource": activity, "TimeoutSeconds": 10, "End": True}
    assert asked_of(yard, "getActivityTask", ActivityArn=activity) == {}
    first, second = (yard.start(workflow(one(A=state), f"picks{i}"), {"n": i}) for i in range(2))
    given = asked_of(yard, "getActivityTask", ActivityArn=activity, WorkerName="w")
    assert given["Input"] == '{"n":0}'
    assert yard.history(first)[-1] == "ActivityStarted"
    yard.later(9)
    assert asked_of(yard, "sendTaskSuccess", TaskToken=given["TaskToken"], Output='"done"') == {}
    assert yard.now(first).output == "done"
    given = asked_of(yard, "getActivityTask", ActivityArn=activity)
    yard.later(11)
    assert asked_of(yard, "sendTaskSuccess", TaskToken=given["TaskToken"], Output="1") == "Sfn.TaskTimedOutException"
    assert yard.now(second).error == "States.Timeout"
    assert asked_of(yard, "getActivityTask", ActivityArn=activity) == {}
    assert asked_of(yard, "getActivityTask", ActivityArn="pick") == "Sfn.InvalidArnException"
    yard.close()


@pytest.mark.parametrize("waiting", [0, 3])
def test_a_failed_execution_is_redriven_also_in_the_transaction_in_which_it_failed(waiting: float) -> None:
    """The child fails until it has been redriven once."""
    count = "{% $states.context.Execution.RedriveCount > 0 ? $states.input : $error('not yet') %}"
    each = one(I={"Type": "Pass", "QueryLanguage": "JSONata", "Output": count, "End": True})
    child = one(
        P={"Type": "Pass", "Next": "C"},
        C={"Type": "Map", "ItemsPath": "$.items", "End": True, "ItemProcessor": each},
    )
    begin = sfn("startExecution", StateMachineArn=MACHINE, Name="n", Input={"items": [1, 2]})
    steps = after(
        begin, {**sfn("redriveExecution", **{"ExecutionArn.$": "$.ExecutionArn"}), "ResultPath": "$.r"}, waiting
    )
    del steps["States"]["B"]["End"]
    steps["States"]["B"]["Next"] = "D"
    steps["States"]["D"] = sfn("redriveExecution", **{"ExecutionArn.$": "$.ExecutionArn"})
    if not waiting:
        steps["States"]["A"]["Next"] = "B"
    sim = Simulation(workflow(steps, "parent"), {}, FakeClock(), workflows={"child": child})
    outcome = sim.run({})
    ended = named(sim, "child")
    assert (ended.status, ended.redrives, ended.output) == ("SUCCEEDED", 1, [1, 2])
    assert outcome.error == "Sfn.ExecutionNotRedrivableException"
    assert asked(sim.store).open_frames(ended.id) == []


def test_the_definition_of_an_execution_is_the_one_that_it_runs() -> None:
    yard = Yard()
    old = yard.start(workflow(one(W={"Type": "Wait", "Seconds": 9, "End": True}), "changes"))
    yard.start(workflow(one(P={"Type": "Pass", "End": True}), "changes"))
    arn = f"arn:aws:states:us-east-1:111111111111:execution:changes:{old.name}"
    told = asked_of(yard, "describeStateMachineForExecution", ExecutionArn=arn)
    assert json.loads(told["Definition"])["StartAt"] == "W"
    assert (told["Name"], "MapRunArn" in told) == ("changes", False)
    parent = yard.start(workflow(mapping(), "maps"), [1])
    (root,) = asked(yard.store).roots([parent.id])
    (child,) = asked(yard.store).open_executions(root.id)
    arn = f"arn:aws:states:us-east-1:111111111111:execution:maps/L:{child.name}"
    told = asked_of(yard, "describeStateMachineForExecution", ExecutionArn=arn)
    assert (told["Name"], told["Label"], told["MapRunArn"].split(":")[-2]) == ("maps", "L", "maps/L")
    yard.close()


def test_every_registered_text_is_a_version_and_aliases_are_described() -> None:
    yard = Yard()
    for n in (1, 2):
        yard.start(workflow(one(P={"Type": "Pass", "Result": n, "End": True}), "child"))
    at = yard.clock.now()
    apply(yard.store, aliases=[Alias("child", "prod", ((2, 90), (1, 10)), at, at)])
    versions = asked_of(yard, "listStateMachineVersions", StateMachineArn=MACHINE)["StateMachineVersions"]
    assert [each["StateMachineVersionArn"] for each in versions] == [f"{MACHINE}:2", f"{MACHINE}:1"]
    first = asked_of(yard, "describeStateMachine", StateMachineArn=f"{MACHINE}:1")
    assert (first["StateMachineArn"], json.loads(first["Definition"])["States"]["P"]["Result"]) == (f"{MACHINE}:1", 1)
    aliases = asked_of(yard, "listStateMachineAliases", StateMachineArn=MACHINE)["StateMachineAliases"]
    assert [each["StateMachineAliasArn"] for each in aliases] == [f"{MACHINE}:prod"]
    prod = asked_of(yard, "describeStateMachineAlias", StateMachineAliasArn=f"{MACHINE}:prod")
    assert [(each["StateMachineVersionArn"], each["Weight"]) for each in prod["RoutingConfiguration"]] == [
        (f"{MACHINE}:2", 90), (f"{MACHINE}:1", 10),
    ]  # fmt: skip
    unknown = asked_of(yard, "describeStateMachineAlias", StateMachineAliasArn=f"{MACHINE}:blue")
    assert unknown == "Sfn.ResourceNotFoundException"
    assert asked_of(yard, "describeStateMachine", StateMachineArn=f"{MACHINE}:9").startswith("Sfn.StateMachineDoes")
    yard.close()


def test_definitions_are_validated() -> None:
    yard = Yard()
    unknown = asked_of(yard, "listStateMachineVersions", StateMachineArn="nobody")
    assert unknown == "Sfn.StateMachineDoesNotExistException"
    good = json.dumps(one(P={"Type": "Pass", "End": True}))
    told = asked_of(yard, "validateStateMachineDefinition", Definition=good)
    assert told == {"Result": "OK", "Diagnostics": [], "Truncated": False}
    told = asked_of(yard, "validateStateMachineDefinition", Definition=json.dumps(one(P={"Type": "Pass", "Next": "Q"})))
    assert (told["Result"], told["Diagnostics"][0]["Severity"]) == ("FAIL", "ERROR")
    assert told["Diagnostics"][0]["Location"] == "/States/P/Next"
    assert asked_of(yard, "validateStateMachineDefinition", Definition=good, Type="X") == "Sfn.ValidationException"
    yard.close()
