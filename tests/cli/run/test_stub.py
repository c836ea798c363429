"""`--stub`: a definition runs without a handler, and stderr says what was answered in their place."""

from __future__ import annotations

import os
import select
import time

from tests.cli.conftest import Project, Result, ended
from tests.engine.workers import soon

AWS = """
StartAt: Put
States:
  Put: {Type: Task, Resource: 'arn:aws:states:::dynamodb:putItem', ResultPath: $.put, Next: Each}
  Each:
    Type: Map
    ItemsPath: $.items
    ResultPath: $.each
    ItemProcessor:
      StartAt: Charge
      States:
        Charge: {Type: Task, Resource: 'arn:aws:lambda:eu-west-1:123456789012:function:charge', End: true}
    Next: Ask
  Ask: {Type: Task, Resource: 'arn:aws:states:::sqs:sendMessage.waitForTaskToken', ResultPath: $.asked, End: true}
"""
INPUT = '{"items":[1,2]}'
OUTPUT = {"items": [1, 2], "put": {}, "each": [{}, {}], "asked": {}}
STUBBED = "stubbed, each answered with {}: dynamodb:putItem, charge, sqs:sendMessage"
CHARGE = '@handler("charge")\ndef charge(n):\n    return n\n'
WILD = '@handler("dynamodb:*")\ndef items(given, context):\n    return context.resource\n'


def stubbed(result: Result) -> list[str]:
    return [line for line in result.err.splitlines() if line.startswith("stubbed")]


def test_a_definition_runs_without_a_line_of_python(project: Project) -> None:
    project.workflow(AWS)
    result = project.sm("run", "--stub", "--input", INPUT)
    assert (result.code, result.json, stubbed(result)) == (0, OUTPUT, [STUBBED])


def test_what_has_a_handler_is_not_stubbed_nor_named(project: Project) -> None:
    project.workflow(AWS)
    project.handlers(CHARGE + WILD)
    result = project.sm("run", "--stub", "--input", INPUT)
    assert result.json == {**OUTPUT, "put": "dynamodb:putItem", "each": [1, 2]}
    assert stubbed(result) == ["stubbed, each answered with {}: sqs:sendMessage"]


def test_a_run_that_needs_no_stub_says_nothing_of_one(project: Project) -> None:
    project.workflow("{StartAt: A, States: {A: {Type: Pass, End: true}}}")
    assert stubbed(project.sm("run", "--stub")) == []


def test_a_directory_that_somebody_named_has_to_be_there(project: Project) -> None:
    project.workflow(AWS)
    result = project.sm("run", "--stub", "--handlers", "nowhere")
    assert result.code == 8
    assert "there is no handlers directory at nowhere" in result.err


def test_without_a_stub_the_wildcards_are_counted_before_the_first_state(project: Project) -> None:
    project.workflow(AWS)
    project.handlers(CHARGE + WILD)
    result = project.sm("run", "--input", INPUT)
    assert (result.code, result.out) == (8, "")
    assert "no handler is registered as 'sqs:sendMessage' for the state 'Ask'" in result.err
    assert "putItem" not in result.err
    assert "No handler is registered as 'sqs:sendMessage'" in (told := project.sm("validate").out)
    assert "putItem" not in told
    project.handlers('@handler("*")\ndef rest(given, context):\n    return context.resource\n', "rest.py")
    assert "SM606" not in project.sm("validate").out
    detached = project.sm("run", "--input", '{"items":[]}', "--detach").out.strip()
    assert project.sm("worker", "--drain").code == 0
    assert "waits for the callback" in project.sm("why", detached).out


def test_a_worker_with_a_stub_answers_what_waits_and_names_each_resource_once(project: Project) -> None:
    project.workflow(AWS)
    refs = [project.sm("run", "--stub", "--input", INPUT, "--detach").out.strip() for _ in range(2)]
    result = project.sm("worker", "--stub", "--drain", "--name", "w1")
    assert result.code == 0
    first, *told, summary = (line for line in result.err.splitlines() if " SUCCEEDED  " not in line)
    assert first == "worker w1: 0 handlers from handlers/ (and {} for every other task), 8 at once, on .sm/sm.db"
    assert sorted(told) == [
        f"worker w1: '{resource}' has no handler and is answered with {{}}"
        for resource in ("charge", "dynamodb:putItem", "sqs:sendMessage")
    ]
    assert summary == "2 ended: 2 SUCCEEDED; nothing is left"
    assert [project.sm("output", ref).json for ref in refs] == [OUTPUT, OUTPUT]


def test_handlers_that_are_loaded_again_keep_the_stub_beside_them(project: Project) -> None:
    project.workflow(AWS)
    file = project.handlers(CHARGE)
    project.database()
    worker = project.start("worker", "--stub", "--reload", "--name", "w1")
    assert worker.stderr is not None
    assert worker.stderr.readline().startswith("worker w1: 1 handlers")
    pipe, said = worker.stderr.fileno(), b""

    def loaded_again() -> bool:
        # Before the watch has begun no change is noticed: it is made again until one is.
        nonlocal said
        file.write_text(f"from sm_cli import handler\n{CHARGE}{WILD}# {time.monotonic()}\n")
        if select.select([pipe], [], [], 1)[0]:
            said += os.read(pipe, 65536)
        return b"2 handlers loaded again" in said

    soon(loaded_again)
    ref = project.sm("run", "--stub", "--input", INPUT, "--detach").out.strip()
    assert project.sm("history", ref, "--follow").code == 0
    assert project.sm("output", ref).json == {**OUTPUT, "put": "dynamodb:putItem", "each": [1, 2]}
    worker.terminate()
    assert worker.wait(60) == 0


def test_an_interrupted_run_says_how_to_go_on_with_the_stub(project: Project) -> None:
    project.workflow(
        "StartAt: A\nStates:\n  A: {Type: Task, Resource: work, ResultPath: null, Next: M}\n"
        "  M: {Type: Message, CorrelationKey: k, CorrelationValue: v, End: true}\n"
    )
    run = project.start("run", "--stub", "-v")
    assert run.stderr is not None
    while "waits for a message" not in run.stderr.readline():
        assert run.poll() is None
    run.terminate()
    result = ended(run)
    assert result.code == 143
    assert "goes on with: sm worker --stub" in result.err
    assert "stubbed, each answered with {}: work" in result.err


def test_one_state_alone_is_stubbed_whatever_it_would_wait_for(project: Project) -> None:
    project.workflow(AWS)
    for state, resource in (("Put", "dynamodb:putItem"), ("Charge", "charge"), ("Ask", "sqs:sendMessage")):
        result = project.sm("test-state", "order", state, "--stub", "--input", "{}")
        assert (result.code, stubbed(result)) == (0, [f"stubbed, each answered with {{}}: {resource}"])
    project.handlers(WILD)
    result = project.sm("test-state", "order", "Put", "--stub", "--input", "{}")
    assert (result.json, stubbed(result)) == ({"put": "dynamodb:putItem"}, [])
    assert project.sm("test-state", "order", "Ask", "--input", "{}").code == 2


def test_a_mock_leaves_the_stub_nothing_to_do(project: Project) -> None:
    project.workflow(AWS)
    result = project.sm("test-state", "order", "Put", "--stub", "--mock", "7", "--input", "{}")
    assert (result.json, stubbed(result)) == ({"put": 7}, [])


def test_a_workflow_that_is_not_there_is_stubbed_and_one_that_is_there_runs(project: Project) -> None:
    start = "arn:aws:states:::states:startExecution.sync:2"
    task = "{Type: Task, Resource: '%s', Parameters: {StateMachineArn: %s}, ResultPath: $.%s, %s}"
    there, gone = task % (start, "there", "there", "Next: B"), task % (start, "gone", "gone", "End: true")
    project.workflow(f"{{StartAt: A, States: {{A: {there}, B: {gone}}}}}")
    project.workflow("{StartAt: P, States: {P: {Type: Pass, Result: 1, End: true}}}", "there.yaml")
    result = project.sm("run", "order", "--stub")
    assert (result.code, result.json["gone"], result.json["there"]["Output"]) == (0, {}, 1)
    assert stubbed(result) == ["stubbed, each answered with {}: states:startExecution"]
    detached = project.sm("run", "order", "--stub", "--detach").out.strip()
    assert project.sm("worker", "--stub", "--drain").code == 0
    assert '"gone":{}' in project.sm("output", detached).out.replace(" ", "")
    refused = project.sm("run", "order")
    assert (refused.code, "StateMachineDoesNotExistException" in refused.err) == (1, True)
