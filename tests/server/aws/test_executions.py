"""Executions by boto3: started, described, stopped, redriven, listed; and their histories."""

from __future__ import annotations

import json
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from sm_cli.engine.engine import Engine
from sm_cli.engine.retention import delete_execution
from sm_cli.engine.workflows.redriving import redrive_once
from sm_cli.handlers.registry import Registry
from sm_cli.store.open import open_store
from sm_cli.store.particulars import ResourceKind
from sm_cli.testing import FakeClock
from tests.engine.workers import SECOND, soon, workflow
from tests.server.aws.calling import FAIL, PASS, WAIT, client, ended, machine, post, refused, start
from tests.server.aws.world import MAP
from tests.server.conftest import Serve
from tests.server.serving import Served, served
from tests.store.asking import asked
from tests.stores import database

TASK = {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "work", "End": True}}}


def names(answer: Any) -> list[str]:
    return [each["name"] for each in answer["executions"]]


def test_an_execution_runs_from_start_to_end(here: Served, aws_here: Any) -> None:
    arn = machine(aws_here, "order", TASK)
    execution = start(aws_here, arn, {"n": 1}, name="first")
    assert execution == "arn:aws:states:us-east-1:000000000000:execution:order:first"
    before = aws_here.describe_execution(executionArn=execution)
    assert (before["status"], before["input"], "stopDate" in before) == ("RUNNING", '{"n":1}', False)
    with here.worker(Registry.of({"work": lambda input, context: {"done": input["n"]}})):
        after = ended(aws_here, execution)
    assert (after["status"], after["output"], after["stateMachineArn"]) == ("SUCCEEDED", '{"done":1}', arn)
    assert after["outputDetails"] == {"included": True}
    assert after["startDate"] <= after["stopDate"]


def test_a_failed_one_has_error_and_cause(on_file: Served, aws: Any) -> None:
    execution = start(aws, machine(aws, "order", FAIL))
    with on_file.worker():
        end = ended(aws, execution)
    assert (end["status"], end["error"], end["cause"]) == ("FAILED", "Broken", "on purpose")
    assert "output" not in end and end["redriveStatus"] == "REDRIVABLE"
    metadata = aws.describe_execution(executionArn=execution, includedData="METADATA_ONLY")
    assert "input" not in metadata and metadata["inputDetails"] == {"included": False}


def test_the_same_name_and_input_is_the_same_execution_while_it_runs(aws: Any) -> None:
    arn = machine(aws, "order", WAIT)
    first = aws.start_execution(stateMachineArn=arn, name="n", input='{"a": 1, "b": 2}')
    again = aws.start_execution(stateMachineArn=arn, name="n", input='{"b":2,"a":1}')
    assert (again["executionArn"], again["startDate"]) == (first["executionArn"], first["startDate"])
    code, message = refused(aws.start_execution, stateMachineArn=arn, name="n", input="{}")
    assert (code, message) == ("ExecutionAlreadyExists", f"Execution Already Exists: '{first['executionArn']}'")
    aws.stop_execution(executionArn=first["executionArn"])
    assert refused(aws.start_execution, stateMachineArn=arn, name="n", input='{"a":1,"b":2}')[0] == code


@pytest.mark.parametrize("input", ["", "{", "nonsense", '{"a": NaN}', '{"a":1,"a":2}', "[" * 3000 + "]" * 3000])
def test_an_input_that_is_no_json_is_refused(aws: Any, input: str) -> None:
    arn = machine(aws, "order")
    code, message = refused(aws.start_execution, stateMachineArn=arn, input=input)
    assert code == "InvalidExecutionInput"
    assert message.startswith("Invalid State Machine Execution Input: '")
    assert aws.list_executions(stateMachineArn=arn)["executions"] == []


def test_an_input_beyond_the_limit_of_aws_is_refused(aws: Any) -> None:
    arn = machine(aws, "order")
    code, message = refused(aws.start_execution, stateMachineArn=arn, input=json.dumps("x" * 262_144))
    assert (code, message) == (
        "ValidationException",
        "1 validation error detected: Value at 'input' failed to satisfy constraint: "
        "Member must have length less than or equal to 262144",
    )


@pytest.mark.parametrize("name", ["a b", "a:b", "a" * 81])
def test_a_name_that_aws_refuses_is_refused(aws: Any, name: str) -> None:
    code, _ = refused(aws.start_execution, stateMachineArn=machine(aws, "order"), name=name)
    assert code == ("ValidationException" if len(name) > 80 else "InvalidName")


def test_a_stopped_one_keeps_how_it_ended(aws: Any) -> None:
    execution = start(aws, machine(aws, "order", WAIT))
    first = aws.stop_execution(executionArn=execution, error="Enough", cause="of this")
    again = aws.stop_execution(executionArn=execution, error="Other")
    assert again["stopDate"] == first["stopDate"]
    end = aws.describe_execution(executionArn=execution)
    assert (end["status"], end["error"], end["cause"]) == ("ABORTED", "Enough", "of this")


def test_a_failed_one_goes_on_when_it_is_redriven(on_file: Served, aws: Any) -> None:
    calls: list[int] = []

    def work(input: Any, context: Any) -> Any:
        calls.append(1)
        if len(calls) == 1:
            raise ValueError("not yet")
        return "now"

    execution = start(aws, machine(aws, "order", TASK))
    with on_file.worker(Registry.of({"work": work})):
        assert ended(aws, execution)["status"] == "FAILED"
        redriven = aws.redrive_execution(executionArn=execution)
        soon(lambda: aws.describe_execution(executionArn=execution)["status"] == "SUCCEEDED")
    end = aws.describe_execution(executionArn=execution)
    assert (end["redriveCount"], end["redriveDate"], end["output"]) == (1, redriven["redriveDate"], '"now"')
    assert refused(aws.redrive_execution, executionArn=execution)[0] == "ExecutionNotRedrivable"


def test_a_redrive_that_is_asked_for_again_is_answered_as_before(here: Served, aws_here: Any) -> None:
    aws, gate = aws_here, threading.Event()

    def work(input: Any, context: Any) -> Any:
        gate.wait(30)
        raise ValueError("no")

    execution = start(aws, machine(aws, "order", TASK))
    gate.set()
    with here.worker(Registry.of({"work": work})):
        assert ended(aws, execution)["status"] == "FAILED"
        gate.clear()
        first = aws.redrive_execution(executionArn=execution, clientToken="one")["redriveDate"]
        assert aws.redrive_execution(executionArn=execution, clientToken="one")["redriveDate"] == first
        assert refused(aws.redrive_execution, executionArn=execution, clientToken="two")[0] == "ExecutionNotRedrivable"
        gate.set()
        assert ended(aws, execution)["status"] == "FAILED"
        assert aws.redrive_execution(executionArn=execution, clientToken="one")["redriveDate"] == first
        assert aws.describe_execution(executionArn=execution)["redriveCount"] == 1
        again = aws.redrive_execution(executionArn=execution, clientToken="two")["redriveDate"]
    assert again > first
    assert aws.describe_execution(executionArn=execution)["redriveCount"] == 2


def test_a_token_of_a_redrive_is_forgotten_after_fifteen_minutes_or_ten_others(tmp_path: Path) -> None:
    clock = FakeClock()
    with database("sqlite", tmp_path) as url, closing(open_store(url)) as store:
        engine = Engine(store, clock=clock)
        failing = engine.start(workflow(FAIL), {})[0]

        def pass_time(seconds: int) -> None:
            clock.advance_to(clock.now() + seconds * SECOND)

        def redriven(token: str) -> int:
            engine.transact(lambda tick: tick.ready(10, None))
            at = redrive_once(engine, failing, token)
            engine.transact(lambda tick: tick.ready(10, None))
            return at

        first = redriven("a")
        pass_time(14 * 60)
        assert redriven("a") == first
        pass_time(61)
        second = redriven("a")
        assert second > first
        for number in range(10):
            pass_time(1)
            redriven(f"t{number}")
        assert redriven("t0") < clock.now()
        assert redriven("a") == clock.now()


def test_a_trace_header_is_given_back(here: Served, aws_here: Any) -> None:
    arn = machine(aws_here, "order", WAIT)
    traced = start(aws_here, arn, traceHeader="Root=1-5759e988-bd862e3fe1be46a994272793")
    plain = start(aws_here, arn)
    described = aws_here.describe_execution(executionArn=traced)
    assert described["traceHeader"] == "Root=1-5759e988-bd862e3fe1be46a994272793"
    assert "traceHeader" not in aws_here.describe_execution(executionArn=plain)
    request = {"stateMachineArn": arn, "traceHeader": "Root=body"}
    _, answer = post(here, "StartExecution", request, {"X-Amzn-Trace-Id": "Root=header"})
    assert aws_here.describe_execution(executionArn=answer["executionArn"])["traceHeader"] == "Root=header"


def test_what_is_kept_of_an_execution_goes_with_it(here: Served, aws_here: Any) -> None:
    traced = start(aws_here, machine(aws_here, "order", WAIT), name="a", traceHeader="Root=1")
    aws_here.stop_execution(executionArn=traced)
    kept = here.engine.find("a")
    assert asked(here.store).particulars(ResourceKind.EXECUTION, kept.ref) is not None
    delete_execution(here.store, kept)
    assert asked(here.store).particulars(ResourceKind.EXECUTION, kept.ref) is None


def test_an_execution_sees_the_arns_that_its_callers_see(serve: Serve) -> None:
    own = {"StartAt": "P", "States": {"P": {"Type": "Pass", "Parameters": {
        "me.$": "$$.Execution.Id", "machine.$": "$$.StateMachine.Id", "role.$": "$$.Execution.RoleArn",
    }, "End": True}}}  # fmt: skip
    here = serve(account="210987654321")
    aws = client(here.address)
    arn = machine(aws, "order", own)
    quick = machine(aws, "quick", own, type="EXPRESS")
    with here.worker():
        execution = start(aws, arn)
        seen = json.loads(ended(aws, execution)["output"])
    assert execution.split(":")[3:5] == ["us-east-1", "210987654321"]
    assert seen == {"me": execution, "machine": arn, "role": "arn:aws:iam::210987654321:role/sm-local"}
    answer = aws.start_sync_execution(stateMachineArn=quick)
    assert json.loads(answer["output"])["me"] == answer["executionArn"]


def test_a_region_that_is_set_is_that_of_every_arn(on_file: Served) -> None:
    own = {"StartAt": "P", "States": {"P": {"Type": "Pass", "Parameters": {"me.$": "$$.Execution.Id"}, "End": True}}}
    on_file.backend.project.settings["region"] = "eu-west-3"
    on_file.backend.engine.settings.region = "eu-west-3"  # as a project that says so has it from the start
    aws = client(on_file.address, region="us-west-2")
    with on_file.worker():
        execution = start(aws, machine(aws, "order", own))
        assert json.loads(ended(aws, execution)["output"]) == {"me": execution}
    assert execution.split(":")[3] == "eu-west-3"


def test_a_locked_database_is_an_exception_that_clients_try_again_after(tmp_path: Path, on_file: Served) -> None:
    impatient = client(on_file.address)
    arn = machine(impatient, "order", WAIT)
    on_file.backend.store.patience = on_file.backend.store.patience._replace(limit=lambda: 0.05)
    with closing(sqlite3.connect(tmp_path / "sm.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        status, document = post(on_file, "StartExecution", {"stateMachineArn": arn})
        assert (status, document["__type"]) == (503, "ServiceUnavailableException")
        assert impatient.list_executions(stateMachineArn=arn)["executions"] == []  # who only reads waits for nobody
        refusals: list[int] = []
        persistent = client(on_file.address, retries={"total_max_attempts": 8})
        persistent.meta.events.register(
            "response-received.sfn.StartExecution",
            lambda response_dict, **_: refusals.append(response_dict["status_code"]),
        )
        with ThreadPoolExecutor(1) as pool:
            patient = pool.submit(start, persistent, arn)
            soon(lambda: 503 in refusals)
            other.execute("ROLLBACK")
            assert patient.result(60).startswith(arn.replace("stateMachine", "execution"))


def test_what_does_not_exist_is_told_so(aws: Any) -> None:
    arn = machine(aws, "order")
    missing = arn.replace("stateMachine", "execution") + ":none"
    for operation in ("describe_execution", "stop_execution", "redrive_execution", "get_execution_history",
                      "list_map_runs", "describe_state_machine_for_execution"):  # fmt: skip
        code, message = refused(getattr(aws, operation), executionArn=missing)
        assert (code, message) == ("ExecutionDoesNotExist", f"Execution Does Not Exist: '{missing}'")
    assert refused(aws.describe_execution, executionArn=arn) == (
        "InvalidArn", "Invalid Arn: 'Resource type not valid in this context: stateMachine'",
    )  # fmt: skip


def test_the_definition_of_an_execution_is_the_one_that_it_runs(aws: Any) -> None:
    arn = machine(aws, "order", WAIT)
    execution = start(aws, arn)
    aws.update_state_machine(stateMachineArn=arn, definition=json.dumps(PASS))
    described = aws.describe_state_machine_for_execution(executionArn=execution)
    assert json.loads(described["definition"]) == WAIT
    assert (described["name"], described["stateMachineArn"]) == ("order", arn)


# -- EXPRESS ---------------------------------------------------------------------------------------------


def test_an_express_machine_answers_within_the_call(on_file: Served, aws: Any) -> None:
    on_file.backend.handlers = Registry.of({"work": lambda input, context: {"seen": input}})
    arn = machine(aws, "quick", TASK, type="EXPRESS")
    answer = aws.start_sync_execution(stateMachineArn=arn, input='{"a":1}', name="x", traceHeader="Root=1")
    assert (answer["status"], answer["output"], answer["name"]) == ("SUCCEEDED", '{"seen":{"a":1}}', "x")
    assert answer["executionArn"].startswith("arn:aws:states:us-east-1:000000000000:express:quick:x:")
    assert answer["billingDetails"]["billedDurationInMilliseconds"] % 100 == 0
    assert (answer["traceHeader"], answer["startDate"] <= answer["stopDate"]) == ("Root=1", True)


def test_a_failure_within_the_call_is_an_answer(aws: Any) -> None:
    arn = machine(aws, "quick", FAIL, type="EXPRESS")
    answer = aws.start_sync_execution(stateMachineArn=arn)
    assert (answer["status"], answer["error"], answer["cause"]) == ("FAILED", "Broken", "on purpose")


def test_a_standard_machine_does_not_answer_within_the_call(aws: Any) -> None:
    code, _ = refused(aws.start_sync_execution, stateMachineArn=machine(aws, "order"))
    assert code == "StateMachineTypeNotSupported"


def test_many_wait_within_their_calls_at_once(on_file: Served, aws: Any) -> None:
    everybody = threading.Barrier(24, timeout=60)
    on_file.backend.handlers = Registry.of({"work": lambda input, context: everybody.wait() >= 0})
    arn = machine(aws, "quick", TASK, type="EXPRESS")
    request = {"stateMachineArn": arn}
    with ThreadPoolExecutor(24) as pool:
        answers = [*pool.map(lambda _: post(on_file, "StartSyncExecution", request), range(24))]
    assert {(status, document["output"]) for status, document in answers} == {(200, "true")}


def test_a_server_that_ends_waits_for_no_execution_within_a_call(tmp_path: Path) -> None:
    begun, answers = threading.Event(), []
    waits = {"T": {"Type": "Task", "Resource": "work", "Next": "W"}, "W": {"Type": "Wait", "Seconds": 200, "End": True}}

    def ask(here: Served, arn: str) -> None:
        try:
            answers.append(post(here, "StartSyncExecution", {"stateMachineArn": arn})[0])
        except httpx.HTTPError:
            answers.append(0)

    with database("sqlite", tmp_path) as url, served(url, tmp_path) as here:
        here.backend.handlers = Registry.of({"work": lambda input, context: begun.set()})
        arn = machine(client(here.address), "quick", {"StartAt": "T", "States": waits}, type="EXPRESS")
        asking = threading.Thread(target=ask, args=(here, arn))
        asking.start()
        assert begun.wait(30)
    asking.join(30)
    assert not asking.is_alive()
    assert answers != [200]
    soon(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("sm-run")])


def test_an_express_execution_can_be_started_and_looked_at(on_file: Served, aws: Any) -> None:
    execution = start(aws, machine(aws, "quick", PASS, type="EXPRESS"), {"a": 1})
    assert ":express:quick:" in execution
    with on_file.worker():
        assert ended(aws, execution)["output"] == '{"a":1}'
    assert refused(aws.redrive_execution, executionArn=execution)[0] == "ExecutionNotRedrivable"


# -- lists -----------------------------------------------------------------------------------------------


def test_executions_are_listed_newest_first_in_pages(aws: Any) -> None:
    arn = machine(aws, "order", WAIT)
    started = [f"n{i}" for i in range(7)]
    for name in started:
        start(aws, arn, name=name)
    pages = [*aws.get_paginator("list_executions").paginate(stateMachineArn=arn, PaginationConfig={"PageSize": 3})]
    assert [names(page) for page in pages] == [["n6", "n5", "n4"], ["n3", "n2", "n1"], ["n0"]]


def test_a_status_chooses_among_them(on_file: Served, aws: Any) -> None:
    arn = machine(aws, "order", WAIT)
    running, stopped = start(aws, arn, name="running"), start(aws, arn, name="stopped")
    aws.stop_execution(executionArn=stopped)
    assert names(aws.list_executions(stateMachineArn=arn, statusFilter="RUNNING")) == ["running"]
    assert names(aws.list_executions(stateMachineArn=arn, statusFilter="ABORTED")) == ["stopped"]
    assert names(aws.list_executions(stateMachineArn=arn, statusFilter="PENDING_REDRIVE")) == []
    row = aws.list_executions(stateMachineArn=arn, statusFilter="RUNNING")["executions"][0]
    assert (row["executionArn"], row["stateMachineArn"]) == (running, arn)


def test_a_version_and_an_alias_choose_what_they_started(aws: Any) -> None:
    arn = machine(aws, "order", WAIT, publish=True)
    routing = [{"stateMachineVersionArn": f"{arn}:1", "weight": 100}]
    alias = aws.create_state_machine_alias(name="prod", routingConfiguration=routing)["stateMachineAliasArn"]
    for target, name in ((arn, "by-name"), (f"{arn}:1", "by-version"), (alias, "by-alias")):
        start(aws, target, name=name)
    assert names(aws.list_executions(stateMachineArn=arn)) == ["by-alias", "by-version", "by-name"]
    assert names(aws.list_executions(stateMachineArn=f"{arn}:1")) == ["by-alias", "by-version"]
    assert names(aws.list_executions(stateMachineArn=alias)) == ["by-alias"]
    # A page that is chosen from others goes on where it ended.
    pages = [
        *aws.get_paginator("list_executions").paginate(stateMachineArn=f"{arn}:1", PaginationConfig={"PageSize": 1})
    ]
    assert [name for page in pages for name in names(page)] == ["by-alias", "by-version"]


def test_a_list_is_of_a_machine_or_of_a_map_run(aws: Any) -> None:
    arn = machine(aws, "order")
    run = "arn:aws:states:us-east-1:000000000000:mapRun:order/Each:none"
    assert refused(aws.list_executions)[0] == "ValidationException"
    assert refused(aws.list_executions, stateMachineArn=arn, mapRunArn=run)[0] == "ValidationException"
    assert refused(aws.list_executions, stateMachineArn=arn, redriveFilter="REDRIVEN")[0] == "ValidationException"
    assert refused(aws.list_executions, mapRunArn=run)[0] == "ResourceNotFound"
    assert refused(aws.list_executions, stateMachineArn=f"{arn}x")[0] == "StateMachineDoesNotExist"


def test_a_token_of_another_list_is_none(aws: Any) -> None:
    arn, other = machine(aws, "order", WAIT), machine(aws, "other", WAIT)
    for _ in range(2):
        start(aws, arn)
    token = aws.list_executions(stateMachineArn=arn, maxResults=1)["nextToken"]
    assert refused(aws.list_executions, stateMachineArn=other, nextToken=token)[0] == "InvalidToken"
    for wrong in ("x", token[:-4], "🙂", "bnVsbA==", "WzEsMl0="):
        assert refused(aws.list_executions, stateMachineArn=arn, nextToken=wrong)[0] == "InvalidToken"


# -- histories -------------------------------------------------------------------------------------------


@pytest.fixture
def history(on_file: Served, aws: Any) -> str:
    """The ARN of an execution with 14 events."""
    states: dict[str, Any] = {f"P{i}": {"Type": "Pass", "Next": f"P{i + 1}"} for i in range(5)}
    states["P5"] = {"Type": "Pass", "End": True}
    execution = start(aws, machine(aws, "order", {"StartAt": "P0", "States": states}), {"a": 1})
    with on_file.worker():
        ended(aws, execution)
    return execution


def test_a_history_is_read_in_pages_either_way(aws: Any, history: str) -> None:
    for reverse, expected in ((False, [*range(1, 15)]), (True, [*range(14, 0, -1)])):
        pages = aws.get_paginator("get_execution_history").paginate(
            executionArn=history, reverseOrder=reverse, PaginationConfig={"PageSize": 4}
        )
        ids = [[event["id"] for event in page["events"]] for page in pages]
        assert [len(page) for page in ids] == [4, 4, 4, 2]
        assert [id for page in ids for id in page] == expected


def test_a_history_comes_without_data_when_it_is_not_wanted(aws: Any, history: str) -> None:
    whole = aws.get_execution_history(executionArn=history)["events"]
    bare = aws.get_execution_history(executionArn=history, includeExecutionData=False)["events"]
    assert whole[0]["executionStartedEventDetails"]["input"] == '{"a":1}'
    assert [event["type"] for event in bare] == [event["type"] for event in whole]
    assert '\\"a\\"' not in json.dumps(bare, default=str)


# -- map runs --------------------------------------------------------------------------------------------


def test_a_map_run_is_described_listed_and_given_other_limits(on_file: Served, aws: Any) -> None:
    execution = start(aws, machine(aws, "mapping", MAP), [1, 2, 3])
    with on_file.worker():
        soon(lambda: aws.list_map_runs(executionArn=execution)["mapRuns"])
        (row,) = aws.list_map_runs(executionArn=execution)["mapRuns"]
        run = row["mapRunArn"]
        soon(lambda: aws.describe_map_run(mapRunArn=run)["executionCounts"]["running"] == 1)
        aws.update_map_run(mapRunArn=run, maxConcurrency=2, toleratedFailureCount=3)
        soon(lambda: aws.describe_map_run(mapRunArn=run)["executionCounts"]["running"] == 2)
        described = aws.describe_map_run(mapRunArn=run)
        children = aws.list_executions(mapRunArn=run)["executions"]
        child = aws.describe_execution(executionArn=children[-1]["executionArn"])
        machine_of_child = aws.describe_state_machine_for_execution(executionArn=children[-1]["executionArn"])
        aws.stop_execution(executionArn=execution)
    assert run.startswith("arn:aws:states:us-east-1:000000000000:mapRun:mapping/Each:")
    assert (row["executionArn"], described["executionArn"]) == (execution, execution)
    assert (described["maxConcurrency"], described["toleratedFailureCount"]) == (2, 3)
    counts = described["itemCounts"]
    assert (counts["total"], counts["running"], counts["pending"], counts["succeeded"]) == (3, 2, 1, 0)
    assert len(children) == 3 and {each["mapRunArn"] for each in children} == {run}
    assert (child["mapRunArn"], child["stateMachineArn"]) == (run, f"{row['stateMachineArn']}/Each")
    assert (machine_of_child["mapRunArn"], machine_of_child["label"]) == (run, "Each")
    assert refused(aws.update_map_run, mapRunArn=run, maxConcurrency=1)[0] == "ValidationException"
    assert aws.describe_map_run(mapRunArn=run)["executionCounts"]["aborted"] == 3
    assert aws.list_executions(mapRunArn=run, redriveFilter="REDRIVEN")["executions"] == []


def test_children_of_a_map_run_are_listed_in_pages(on_file: Served, aws: Any) -> None:
    execution = start(aws, machine(aws, "mapping", MAP), [*range(5)])
    with on_file.worker():
        soon(lambda: aws.list_map_runs(executionArn=execution)["mapRuns"])
        run = aws.list_map_runs(executionArn=execution)["mapRuns"][0]["mapRunArn"]
        soon(lambda: len(aws.list_executions(mapRunArn=run)["executions"]) == 5)
    pages = [*aws.get_paginator("list_executions").paginate(mapRunArn=run, PaginationConfig={"PageSize": 2})]
    all_names = [name for page in pages for name in names(page)]
    assert [len(page["executions"]) for page in pages] == [2, 2, 1]
    assert len({*all_names}) == 5


def test_a_labelled_machine_is_described_and_not_started(on_file: Served, aws: Any) -> None:
    labelled = f"{machine(aws, 'mapping', MAP)}/Each"
    assert aws.describe_state_machine(stateMachineArn=labelled)["label"] == "Each"
    assert refused(aws.start_execution, stateMachineArn=labelled)[0] == "ValidationException"


def test_regions_see_the_same_executions(on_file: Served, aws: Any) -> None:
    execution = start(aws, machine(aws, "order", WAIT), name="n")
    there = client(on_file.address, "eu-central-1").describe_execution(executionArn=execution)
    assert there["executionArn"] == "arn:aws:states:eu-central-1:000000000000:execution:order:n"
