"""`sm run --express`: what `sm run` prints, without a database, unless its history is to be kept."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Project, ended
from tests.cli.terminal.test_start_up import SHOW_MODULES

ORDER = """
StartAt: Process
States:
  Process: {Type: Task, Resource: 'process:order', ResultPath: $.done, Next: Tell}
  Tell: {Type: Pass, Parameters: {done.$: $.done, of.$: $$.Execution.Id}, End: true}
"""
HANDLERS = """
@handler("process:order")
def process(order):
    print("noise")
    if order.get("bad"):
        raise TaskError("BadOrder", "it is bad")
    return order["n"]
"""


@pytest.fixture
def order(project: Project) -> Project:
    project.workflow(ORDER)
    project.handlers(HANDLERS)
    return project


def test_the_output_is_printed_and_no_database_is_touched(order: Project) -> None:
    result = order.sm("run", "--express", "--name", "mine", "n=1")
    assert result.code == 0
    assert result.json["done"] == 1
    assert result.json["of"].startswith("arn:aws:states:us-east-1:000000000000:express:order:mine:")
    assert " SUCCEEDED in " in result.err
    assert "noise" in result.err
    assert not (order.path / ".sm").exists()


def test_a_name_may_be_used_again_when_nothing_is_kept(order: Project) -> None:
    assert [order.sm("run", "--express", "--name", "mine", "n=1").code for _ in range(2)] == [0, 0]


def test_no_store_on_disk_is_imported(order: Project) -> None:
    process = subprocess.run(
        [sys.executable, "-c", SHOW_MODULES, "run", "--express", "n=1"], cwd=order.path, env=order.environment(),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    modules = set(process.stderr.splitlines())
    assert "sm_cli.store.sqlite.memory" in modules
    assert not {"sm_cli.store.sqlite.database", "sm_cli.store.sqlite.write_lock"} & modules


def test_a_failure_names_state_error_and_cause(order: Project) -> None:
    result = order.sm("run", "--express", "n=1", "bad=true")
    assert (result.code, result.out) == (1, "")
    assert " FAILED in " in result.err
    assert "  state: Process\n  error: BadOrder\n  cause: it is bad\n" in result.err
    assert not (order.path / ".sm").exists()


def test_verbose_shows_each_state(order: Project) -> None:
    result = order.sm("run", "--express", "-v", "n=1")
    assert "✓ Process" in result.err
    assert "✓ Tell" in result.err


def test_a_kept_history_is_there_for_the_other_commands(order: Project) -> None:
    result = order.sm("run", "--express", "--keep-history", "--name", "kept", "n=5")
    assert result.json["done"] == 5
    (listed,) = order.sm("list", "--json").json
    assert (listed["name"], listed["status"], listed["workflow"]) == ("kept", "SUCCEEDED", "order")
    assert order.sm("output", "kept").json == result.json
    assert order.sm("show", "kept", "--json").json["type"] == "EXPRESS"
    told = order.sm("history", "kept")
    assert told.code == 0
    assert "Process" in told.out
    assert "Tell" in told.out
    assert order.sm("worker", "--drain").code == 0
    assert order.sm("run", "n=6").code == 0  # the file goes on as before


def test_a_failed_one_is_kept_too_and_cannot_be_redriven(order: Project) -> None:
    assert order.sm("run", "--express", "--keep-history", "--name", "lost", "n=1", "bad=true").code == 1
    (listed,) = order.sm("list", "--json").json
    assert (listed["status"], listed["error"]) == ("FAILED", "BadOrder")
    assert "sm redrive" not in order.sm("why", "lost").out
    result = order.sm("redrive", "lost")
    assert result.code == 4
    assert "is EXPRESS: only STANDARD ones can be redriven" in result.err


def test_a_name_that_is_taken_is_refused_before_anything_runs(order: Project) -> None:
    assert order.sm("run", "--name", "one", "n=1").code == 0
    result = order.sm("run", "--express", "--keep-history", "--name", "one", "n=1")
    assert (result.code, result.out) == (4, "")
    assert "the name 'one' is taken" in result.err
    assert "noise" not in result.err
    order.workflow(ORDER, "other.yaml")
    assert order.sm("run", "other", "--express", "--keep-history", "--name", "one", "n=1").code == 0


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("{Type: Message, CorrelationKey: k, CorrelationValue: v, End: true}", "cannot wait for a message"),
        ("{Type: Task, Resource: approve.waitForTaskToken, End: true}", "cannot use .waitForTaskToken"),
        ("{Type: Task, Resource: 'arn:aws:states:eu-west-1:1:activity:a', End: true}", "cannot use an activity"),
    ],
)
def test_what_waits_for_something_outside_is_refused(project: Project, state: str, said: str) -> None:
    project.workflow(f"StartAt: A\nStates:\n  A: {state}\n")
    project.handlers("@handler\ndef approve(x): return x\n")
    result = project.sm("run", "--express")
    assert (result.code, result.out) == (1, "")
    assert f"An express workflow {said}" in result.err
    assert "SM607" in result.err
    assert result.err.startswith("workflows/order.yaml:3:")


def test_a_missing_handler_is_said_as_for_any_run(order: Project) -> None:
    order.handlers("")
    result = order.sm("run", "--express", "n=1")
    assert result.code == 8
    assert "no handler is registered as 'process:order'" in result.err


def test_time_is_up(project: Project) -> None:
    project.workflow("{StartAt: A, States: {A: {Type: Wait, Seconds: 3600, End: true}}}")
    result = project.sm("run", "--express", "--timeout", "0.05s")
    assert (result.code, result.out) == (1, "")
    assert " TIMED_OUT in " in result.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--keep-history"], "--keep-history says what becomes of an --express execution"),
        (["--express", "--detach"], "--express runs at once and to the end"),
        (["--express", "--detach-on-wait"], "--express runs at once and to the end"),
        (["--express", "--priority", "low"], "--express runs at once and to the end"),
        (["--express", "--timeout", "6m"], "ends after 300 s; a timeout of 360 s is longer"),
        (["--express", "--name", "a b"], "which a name may not"),
    ],
)
def test_options_that_say_nothing_together_are_refused(order: Project, options: list[str], said: str) -> None:
    result = order.sm("run", *options, "n=1")
    assert result.code == 2
    assert said in result.err
    assert not (order.path / ".sm").exists()


@pytest.mark.parametrize("keep", [False, True])
def test_a_signal_ends_it_as_aborted(project: Project, keep: bool) -> None:
    project.workflow("{StartAt: A, States: {A: {Type: Task, Resource: long, End: true}}}")
    project.handlers("""
        @handler
        def long(x, context):
            print("begun", flush=True)
            context.cancelled.wait(60)
        """)
    process = project.start("run", "--express", *(["--keep-history"] if keep else []))
    assert process.stderr is not None
    assert process.stderr.readline() == "begun\n"
    process.send_signal(signal.SIGINT)
    result = ended(process)
    assert (result.code, result.out) == (130, "")
    assert " ABORTED in " in result.err
    assert Path(project.path, ".sm").exists() is keep
    if keep:
        assert [each["status"] for each in project.sm("list", "--json").json] == ["ABORTED"]


def test_the_input_comes_as_for_any_run(order: Project) -> None:
    assert order.sm("run", "--express", "-i", "-", stdin=json.dumps({"n": [1]})).json["done"] == [1]


def test_what_starts_other_executions_is_refused_before_the_first_state(project: Project) -> None:
    project.workflow(
        """
        StartAt: Nest
        States:
          Nest: {Type: Task, Resource: "arn:aws:states:::states:startExecution", End: true, Parameters: {
            StateMachineArn: "arn:aws:states:us-east-1:123456789012:stateMachine:kid"}}
        """
    )
    found = project.sm("run", "--express")
    assert (found.code, found.out) == (2, "")
    assert "Nest starts or asks for other executions; an express execution has no database that has any" in found.err


def test_a_name_is_taken_only_by_an_execution_that_has_it(project: Project) -> None:
    project.workflow("{StartAt: S, States: {S: {Type: Succeed}}}", "order.yaml")
    kept = ["run", "order", "--express", "--keep-history", "--name"]
    assert project.sm(*kept, "first").code == 0
    id = project.sm("list", "-o", "json").json[0]["id"]
    assert project.sm(*kept, "first").code == 4
    assert project.sm(*kept, id[:6]).code == 0, "the beginning of an id is a name like others"
