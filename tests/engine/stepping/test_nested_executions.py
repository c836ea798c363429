"""Tasks that are executions of other workflows: states:startExecution in its four forms."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sm_cli.engine.stepping.nested_executions import DEEPEST
from sm_cli.errors import TaskTimedOut
from sm_cli.interpreter.frame import FrameStatus
from sm_cli.jsonvalue import Json
from sm_cli.store.filters import ExecutionFilter, ExecutionPage
from sm_cli.store.open import open_store
from sm_cli.store.protocol import Store
from sm_cli.store.records import Execution, Status
from sm_cli.testing import Crash, FakeClock, Outcome, Simulation, crash_points, simulate
from sm_cli.views.why import only_messages_move
from tests.engine.workers import workflow
from tests.store.asking import asked

ARN = "arn:aws:states:us-east-1:111111111111:stateMachine:child"
CHILD: dict[str, Any] = {
    "StartAt": "Pause",
    "States": {
        "Pause": {"Type": "Wait", "Seconds": 5, "Next": "Work"},
        "Work": {"Type": "Task", "Resource": "work", "End": True},
    },
}


def parent(pattern: str = "", **more: Any) -> dict[str, Any]:
    parameters = {"StateMachineArn": ARN, "Input": {"x.$": "$.x"}, **more.pop("Parameters", {})}
    resource = f"arn:aws:states:::states:startExecution{pattern}"
    task = {"Type": "Task", "Resource": resource, "Parameters": parameters, "End": True, **more}
    return {"StartAt": "Nest", "States": {"Nest": task}}


def simulation(definition: dict[str, Any], store: Store | None = None, handler: Any = None) -> Simulation:
    work = handler or (lambda input: {"got": input})
    return Simulation(
        workflow(definition, "parent"), {"work": work}, FakeClock(), store=store, workflows={"child": CHILD}
    )


def types(outcome: Outcome) -> list[str]:
    return [event["type"] for event in outcome.history]


def executions(sim: Simulation) -> dict[str, Any]:
    return {e.workflow: e for e in asked(sim.store).list_executions(ExecutionFilter())}


def test_without_a_pattern_the_parent_goes_on_at_once() -> None:
    sim = simulation(parent())
    outcome = sim.run({"x": 1})
    assert outcome.status == "SUCCEEDED"
    assert set(outcome.output) == {"ExecutionArn", "StartDate"}
    assert outcome.output["ExecutionArn"].startswith("arn:aws:states:us-east-1:111111111111:execution:child:")
    assert types(outcome)[2:5] == ["TaskScheduled", "TaskStarted", "TaskSucceeded"]
    assert executions(sim)["child"].status is Status.RUNNING
    while sim.move():
        pass
    assert executions(sim)["child"].status is Status.SUCCEEDED


@pytest.mark.parametrize(("pattern", "input", "output"), [
    (".sync", '{"x":1}', '{"got":{"x":1}}'), (".sync:2", {"x": 1}, {"got": {"x": 1}}),
])  # fmt: skip
def test_sync_waits_for_the_end_and_gives_its_description(pattern: str, input: Json, output: Json) -> None:
    sim = simulation(parent(pattern))
    outcome = sim.run({"x": 1})
    assert types(outcome)[2:6] == ["TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded"]
    assert (outcome.output["Input"], outcome.output["Output"]) == (input, output)
    assert (outcome.output["Status"], outcome.output["StateMachineArn"]) == ("SUCCEEDED", ARN)
    assert outcome.output["StopDate"] - outcome.output["StartDate"] == 5000
    child = executions(sim)["child"]
    assert child.tree == executions(sim)["parent"].id


def test_a_child_that_fails_fails_the_task_with_its_description() -> None:
    def broken(input: Json) -> Json:
        raise KeyError("no")

    catch = [{"ErrorEquals": ["States.TaskFailed"], "Next": "Caught"}]
    definition = parent(".sync", Catch=catch)
    definition["States"]["Caught"] = {"Type": "Succeed"}
    outcome = simulation(definition, handler=broken).run({"x": 1})
    assert outcome.output["Error"] == "States.TaskFailed"
    told = json.loads(outcome.output["Cause"])
    assert (told["Status"], told["Error"], told["Input"]) == ("FAILED", "KeyError", '{"x":1}')


def test_a_callback_ends_a_task_that_handed_its_token_to_the_child() -> None:
    tokens: list[str] = []

    def work(input: Any) -> Json:
        tokens.append(input["token"])
        return None

    definition = parent(".waitForTaskToken", Parameters={"Input": {"token.$": "$$.Task.Token"}})
    sim = simulation(definition, handler=work)
    sim.run({})
    assert [e.status for e in executions(sim).values()] == [Status.SUCCEEDED, Status.RUNNING]
    assert [job.state for job in asked(sim.store).handed_over()] == ["Nest"]
    ended = sim.engine.task_succeeded(tokens[0], {"approved": True})
    found = asked(sim.store).execution(ended.id)
    assert found is not None
    assert (found.status, found.output) == (Status.SUCCEEDED, {"approved": True})


def with_token(pattern: str, **more: Any) -> dict[str, Any]:
    """A parent that hands its token on to the child that it waits for."""
    return parent(pattern, Parameters={"Input": {"token.$": "$$.Task.Token", "x.$": "$.x"}}, **more)


def whole(sim: Simulation, name: str) -> Any:
    """The execution of a workflow, with its input and output."""
    return asked(sim.store).execution(executions(sim)[name].id)


def token_of(sim: Simulation) -> str:
    token: str = whole(sim, "child").input["token"]
    return token


@pytest.mark.parametrize("pattern", [".sync", ".sync:2"])
def test_a_callback_ends_a_task_that_waits_for_its_child_and_the_child_lives_on(pattern: str) -> None:
    sim = simulation(with_token(pattern))
    execution = sim.run_now({"x": 1})
    assert [job.state for job in asked(sim.store).handed_over()] == ["Nest"]
    sim.engine.task_succeeded(token_of(sim), {"approved": True})
    outcome = sim.resume(execution)
    assert (outcome.status, outcome.output) == ("SUCCEEDED", {"approved": True})
    assert types(outcome)[2:7] == [
        "TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded", "TaskStateExited",
    ]  # fmt: skip
    assert asked(sim.store).handed_over() == []
    while sim.move():
        pass
    child = whole(sim, "child")
    assert (child.status, child.output["got"]["x"]) == (Status.SUCCEEDED, 1)
    assert whole(sim, "parent").output == {"approved": True}


def test_a_callback_may_fail_a_task_that_waits_for_its_child() -> None:
    sim = simulation(with_token(".sync:2", Retry=[{"ErrorEquals": ["Refused"], "MaxAttempts": 0}]))
    execution = sim.run_now({"x": 1})
    sim.engine.task_failed(token_of(sim), "Refused", "no money")
    outcome = sim.resume(execution)
    assert (outcome.status, outcome.error, outcome.cause) == ("FAILED", "Refused", "no money")
    assert executions(sim)["child"].status is Status.RUNNING


@pytest.mark.parametrize("pattern", [".sync", ".sync:2"])
def test_a_child_that_ends_first_ends_the_task_and_the_token_is_late(pattern: str) -> None:
    sim = simulation(with_token(pattern))
    outcome = sim.run({"x": 1})
    assert (outcome.status, outcome.output["Status"]) == ("SUCCEEDED", "SUCCEEDED")
    with pytest.raises(TaskTimedOut, match="stale"):
        sim.engine.task_succeeded(token_of(sim), {})
    assert asked(sim.store).handed_over() == []


def test_a_child_may_end_its_parent_s_task_by_itself() -> None:
    states = {
        "Call": {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:sfn:sendTaskSuccess", "ResultPath": None,
                 "Parameters": {"TaskToken.$": "$.token", "Output": {"by": "child"}}, "Next": "Pause"},
        "Pause": {"Type": "Wait", "Seconds": 5, "End": True},
    }  # fmt: skip
    child = {"StartAt": "Call", "States": states}
    sim = Simulation(workflow(with_token(".sync:2"), "parent"), {}, FakeClock(), workflows={"child": child})
    outcome = sim.run({"x": 1})
    assert (outcome.status, outcome.output) == ("SUCCEEDED", {"by": "child"})
    assert executions(sim)["child"].status is Status.RUNNING
    while sim.move():
        pass
    assert executions(sim)["child"].status is Status.SUCCEEDED


def test_heartbeats_keep_a_task_alive_that_waits_for_its_child() -> None:
    sim = simulation(with_token(".sync", HeartbeatSeconds=4))
    execution = sim.run_now({"x": 1})
    sim.clock.advance_to(sim.clock.now() + 2_000_000)
    sim.engine.task_beat(token_of(sim))
    assert sim.resume(execution).status == "SUCCEEDED", "the child needs five seconds"
    late = simulation(with_token(".sync", HeartbeatSeconds=4)).run({"x": 1})
    assert (late.status, late.error) == ("FAILED", "States.Timeout")


def test_a_timeout_stops_the_child_of_a_task_whose_token_is_out() -> None:
    sim = simulation(with_token(".sync", TimeoutSeconds=2))
    outcome = sim.run({"x": 1})
    assert (outcome.status, outcome.error) == ("FAILED", "States.Timeout")
    assert executions(sim)["child"].status is Status.ABORTED
    assert asked(sim.store).handed_over() == []


def test_nobody_is_awaited_where_the_token_was_handed_to_nobody() -> None:
    sim = simulation(parent(".sync"))
    sim.run_now({"x": 1})
    assert asked(sim.store).handed_over() == []


def test_stopping_the_parent_stops_the_child() -> None:
    sim = simulation(parent(".sync"))
    execution = sim.run_now({"x": 1})
    sim.engine.stop(execution, cause="enough")
    assert {e.status for e in executions(sim).values()} == {Status.ABORTED}
    child = executions(sim)["child"]
    assert asked(sim.store).timers_of(child.id) == []
    assert asked(sim.store).open_frames(child.id) == []


def test_a_timeout_of_the_task_stops_the_child() -> None:
    sim = simulation(parent(".sync", TimeoutSeconds=2))
    outcome = sim.run({"x": 1})
    assert (outcome.status, outcome.error) == ("FAILED", "States.Timeout")
    assert executions(sim)["child"].status is Status.ABORTED


def test_stopping_the_child_fails_the_task() -> None:
    sim = simulation(parent(".sync"))
    execution = sim.run_now({"x": 1})
    sim.engine.stop(executions(sim)["child"])
    found = asked(sim.store).execution(execution.id)
    assert found is not None
    assert (found.status, found.error) == (Status.FAILED, "States.TaskFailed")
    assert '"Status":"ABORTED"' in (found.cause or "")


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"StateMachineArn": "nobody"}, "StepFunctions.StateMachineDoesNotExistException"),
        ({"Name": "two words"}, "StepFunctions.InvalidNameException"),
    ],
)
def test_what_cannot_be_started_fails_the_task(parameters: dict[str, Json], error: str) -> None:
    outcome = simulation(parent(".sync", Parameters=parameters)).run({"x": 1})
    assert (outcome.status, outcome.error) == ("FAILED", error)


@pytest.mark.parametrize(("second", "error"), [
    ({"x": 1}, None), ({"x": 2}, "StepFunctions.ExecutionAlreadyExistsException"),
])  # fmt: skip
def test_a_name_is_given_once(second: Json, error: str | None) -> None:
    definition = parent(Parameters={"Name": "same"}, Next="Again", ResultPath="$.first")
    del definition["States"]["Nest"]["End"]
    again = parent(Parameters={"Name": "same", "Input": second}, ResultPath="$.second")
    definition["States"]["Again"] = again["States"]["Nest"]
    sim = simulation(definition)
    outcome = sim.run({"x": 1})
    assert outcome.error == error
    if error is None:  # as on AWS: the execution of that name and input runs, and is the answer
        assert outcome.output["first"] == outcome.output["second"]
    (child,) = executions_of("child", sim)
    assert child.name == "same"


@pytest.mark.parametrize("pattern", ["", ".sync"])
def test_the_name_of_a_closed_execution_is_not_given_again(pattern: str) -> None:
    sim = simulation(parent(pattern, Parameters={"Name": "same"}))
    sim.run({"x": 1})
    while sim.move():
        pass
    assert sim.run({"x": 1}).error == "StepFunctions.ExecutionAlreadyExistsException"


def test_without_a_state_machine_arn_nothing_is_started() -> None:
    definition = parent()
    definition["States"]["Nest"]["Parameters"] = {"Name": "n"}
    outcome = simulate(definition, {})
    assert outcome.error == "States.Runtime"
    assert outcome.cause is not None
    assert 'The field "StateMachineArn" is required' in outcome.cause


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("parameters", [{}, {"Input": {"token.$": "$$.Task.Token", "x.$": "$.x"}}])
def test_a_process_may_die_at_any_commit_of_a_nested_execution(
    tmp_path: Path, after: bool, parameters: dict[str, Json]
) -> None:
    definition = parent(".sync:2", Parameters=parameters, ResultSelector={"out.$": "$.Output.got.x"})
    expected = simulation(definition).run({"x": 1})
    assert expected.output == {"out": 1}
    commit = 0
    while True:
        commit += 1
        path = tmp_path / f"{commit}.db"
        store = open_store(str(path), create=True)
        try:
            doomed = simulation(definition, crash_points(store).at(commit, after=after))
            assert doomed.run({"x": 1}).output == expected.output
            break
        except Crash:
            store.close()
        with closing(open_store(str(path))) as store:
            found = [e for e in asked(store).list_executions(ExecutionFilter()) if e.workflow == "parent"]
            if found:
                survivor = simulation(definition, store)
                survivor.clock.refs = 1000  # the names that the dead process gave are taken
                outcome = survivor.resume(found[0])
                assert (outcome.status, outcome.output) == ("SUCCEEDED", expected.output)
                assert types(outcome) == types(expected)
                assert len(asked(store).list_executions(ExecutionFilter())) == 2
    assert commit > 3


SELF = ARN.replace("child", "again")


def itself(pattern: str) -> dict[str, Any]:
    return parent(pattern, Parameters={"StateMachineArn": SELF, "Input": {}})


def test_a_workflow_that_starts_itself_for_ever_leaves_the_worker_to_others() -> None:
    sim = Simulation(workflow(itself(""), "again"), {}, FakeClock(), workflows={"again": itself("")})
    execution, _, _ = sim.engine.start(sim.workflow, {})
    assert execution.status is Status.SUCCEEDED
    made = len(asked(sim.store).list_executions(ExecutionFilter(), ExecutionPage(limit=10_000)))
    assert 100 < made < 2000  # one tick's worth; the last one is left to the next tick
    (last,) = asked(sim.store).list_executions(ExecutionFilter(statuses=(Status.RUNNING,)))
    assert [frame.status for frame in asked(sim.store).open_frames(last.id)] == [FrameStatus.READY]


def test_executions_that_wait_for_one_another_are_only_so_many() -> None:
    sim = Simulation(workflow(itself(".sync"), "again"), {}, FakeClock(), workflows={"again": itself(".sync")})
    outcome = sim.run({})
    found = asked(sim.store).list_executions(ExecutionFilter(), ExecutionPage(limit=1000))
    assert len(found) == DEEPEST
    assert (outcome.status, outcome.error) == ("FAILED", "States.TaskFailed")
    assert found[0].error == "StepFunctions.ExecutionLimitExceededException"
    assert {e.status for e in found} == {Status.FAILED}
    assert len(outcome.cause or "") == 32_768


def test_a_row_of_waiting_executions_is_stopped_with_the_first_of_them() -> None:
    definition = itself(".sync")
    definition["StartAt"] = "Deep"
    definition["States"]["Deep"] = {
        "Type": "Choice", "Default": "Wait",
        "Choices": [{"Variable": "$.n", "NumericLessThan": DEEPEST - 1, "Next": "Nest"}],
    }  # fmt: skip
    definition["States"]["Wait"] = {"Type": "Wait", "Seconds": 60, "End": True}
    input = {"n.$": "States.MathAdd($.n, 1)"}
    definition["States"]["Nest"]["Parameters"]["Input"] = input
    sim = Simulation(workflow(definition, "again"), {}, FakeClock(), workflows={"again": definition})
    execution = sim.run_now({"n": 0})
    assert asked(sim.store).count_matching(ExecutionFilter(statuses=(Status.RUNNING,))) == DEEPEST
    sim.engine.stop(execution)
    found = asked(sim.store).list_executions(ExecutionFilter(), ExecutionPage(limit=1000))
    assert [e.status for e in found] == [Status.ABORTED] * DEEPEST
    assert [
        left for e in found for left in (*asked(sim.store).timers_of(e.id), *asked(sim.store).open_frames(e.id))
    ] == []


def test_an_answer_that_is_too_long_fails_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sm_cli.engine.stepping.nested_executions._LONGEST_ANSWER", 1000)
    outcome = simulation(parent(".sync"), handler=lambda input: "x" * 1000).run({"x": 1})
    assert (outcome.status, outcome.error) == ("FAILED", "States.DataLimitExceeded")


def test_a_redriven_child_outlives_a_later_wait_of_its_parent() -> None:
    definition = parent(".sync", Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Next", "ResultPath": "$.error"}])
    definition["States"]["Next"] = parent(".sync")["States"]["Nest"]
    bad = [True]

    def work(input: Json) -> Json:
        if bad.pop():
            raise KeyError("no")
        return input

    bad[:0] = [False, False]
    sim = simulation(definition, handler=work)
    execution = sim.run_now({"x": 1})
    while len(executions_of("child", sim)) < 2:
        sim.move()
    (first,) = [e for e in executions_of("child", sim) if e.status is Status.FAILED]
    sim.engine.redrive(first)
    sim.engine.stop(execution)
    assert {e.status for e in executions_of("child", sim)} == {Status.RUNNING, Status.ABORTED}
    assert sim.resume(first).status == "SUCCEEDED"


def executions_of(name: str, sim: Simulation) -> list[Execution]:
    return [e for e in asked(sim.store).list_executions(ExecutionFilter()) if e.workflow == name]


def test_a_message_is_not_all_that_moves_who_waits_for_an_execution_beside_it() -> None:
    message = {"Type": "Message", "CorrelationKey": "k", "CorrelationValue": "v", "End": True}
    waits = {"StartAt": "Wait", "States": {"Wait": message}}
    both = {"Type": "Parallel", "Branches": [waits, parent(".sync")], "End": True}
    sim = simulation({"StartAt": "Both", "States": {"Both": both}})
    execution = sim.run_now({"x": 1})
    assert only_messages_move(sim.engine, execution.id) == []
    while sim.move():
        pass
    assert [s.key for s in only_messages_move(sim.engine, execution.id)] == ["k"]
