"""How `sm worker --once` and `--drain` end: the summary, the exit code, and how far a pass goes."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from itertools import pairwise

import pytest

from tests.cli.conftest import Project, ended
from tests.cli.definitions import CALLBACK, INVOKE, MESSAGE, WAIT

ONE = "StartAt: A\nStates:\n  A: {Type: Task, Resource: work, End: true}\n"
PARENT = """
StartAt: P
States:
  P:
    Type: Task
    Resource: arn:aws:states:::states:startExecution.sync
    Parameters: {StateMachineArn: child, Input: {}}
    Catch: [{ErrorEquals: [States.ALL], Next: Z}]
    Next: Z
  Z: {Type: Task, Resource: work, End: true}
"""
HANDLERS = """
import pathlib, time
@handler
def work(x): return x
@handler
def broken(x): raise TaskError("Refused", "no")
@handler
def held(x, context):
    pathlib.Path("begun").touch()
    while pathlib.Path("hold").exists() and not context.cancelled.is_set():
        time.sleep(0.01)
    return x
"""


def chain(length: int) -> str:
    names = [f"S{i}" for i in range(length)]
    lines = [f"  {a}: {{Type: Task, Resource: work, Next: {b}}}\n" for a, b in pairwise(names)]
    return f"StartAt: S0\nStates:\n{''.join(lines)}  {names[-1]}: {{Type: Task, Resource: work, End: true}}\n"


@pytest.fixture
def shop(project: Project) -> Project:
    project.handlers(HANDLERS)
    for name, text in (
        ("one", ONE), ("invoke", INVOKE), ("wait", WAIT), ("message", MESSAGE),
        ("callback", CALLBACK), ("parent", PARENT), ("child", ONE.replace("work", "broken")), ("chain", chain(30)),
        ("held", ONE.replace("work", "held")),
    ):  # fmt: skip
        project.workflow(text, f"{name}.yaml")
    return project


def soon(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def end_of(project: Project, *arguments: str) -> tuple[int, str]:
    """(exit code, the last line)."""
    result = project.sm("worker", *arguments)
    return result.code, result.err.splitlines()[-1]


@pytest.mark.parametrize("how", ["--once", "--drain"])
def test_an_execution_that_failed_is_exit_code_1(shop: Project, how: str) -> None:
    for workflow in ("one", "child", "invoke"):
        shop.sm("run", workflow, "function=nobody", "--detach")
    summary = "2 ended: 1 SUCCEEDED, 1 FAILED; 1 still waits: no handler for 'nobody'"
    assert end_of(shop, how) == (1, summary)
    assert end_of(shop, how) == (6, "nothing ended; 1 still waits: no handler for 'nobody'")
    assert end_of(shop, how, "--ok-to-leave") == (0, "nothing ended; 1 still waits: no handler for 'nobody'")


@pytest.mark.parametrize("how", ["--once", "--drain"])
def test_nothing_to_do_is_exit_code_0(shop: Project, how: str) -> None:
    assert shop.sm("run", "one").code == 0
    assert end_of(shop, how) == (0, "nothing ended; nothing is left")


@pytest.mark.parametrize("how", ["--once", "--drain"])
def test_the_future_is_no_failure(shop: Project, how: str) -> None:
    for workflow in ("wait", "wait", "message", "callback"):
        shop.sm("run", workflow, "--detach")
    code, summary = end_of(shop, how)
    assert code == 0
    told = "nothing ended; 4 still wait: 1 for a callback, 1 for a message, 2 for a time (the first at "
    assert summary.startswith(told)


@pytest.mark.parametrize(("how", "code"), [("--once", 0), ("--drain", 6), ("--drain --ok-to-leave", 0)])
def test_a_retry_is_left_to_the_next_pass_and_to_nobody_after_a_drain(shop: Project, how: str, code: int) -> None:
    retried = "Retry: [{ErrorEquals: [States.ALL], IntervalSeconds: 600}], End: true"
    shop.workflow(ONE.replace("work", "broken").replace("End: true", retried), "retried.yaml")
    shop.sm("run", "retried", "--detach")
    ends, summary = end_of(shop, *how.split())
    assert ends == code
    assert summary.startswith("nothing ended; 1 still waits: for a retry (at ")


def test_a_handler_whose_name_is_in_the_input_is_missed_by_name(shop: Project) -> None:
    shop.sm("run", "invoke", "function=absent", "--detach")
    assert end_of(shop, "--drain") == (6, "nothing ended; 1 still waits: no handler for 'absent'")


def test_a_child_that_failed_and_was_caught_is_no_failure(shop: Project) -> None:
    shop.sm("run", "parent", "--detach")
    assert end_of(shop, "--once") == (0, "1 ended: 1 SUCCEEDED; nothing is left")


def test_a_queue_that_is_left_on_purpose_is_told_and_no_failure(shop: Project) -> None:
    shop.sm("run", "one", "--priority", "low", "--detach")
    expected = (0, "nothing ended; 1 still waits: queue 'low' is not served here")
    assert end_of(shop, "--drain", "--queues", "critical") == expected


def test_one_pass_goes_down_a_chain_of_thirty_tasks(shop: Project) -> None:
    for name in ("n1", "n2", "n3"):
        shop.sm("run", "chain", "--name", name, "--detach")
    assert end_of(shop, "--once", "--concurrency", "2") == (0, "3 ended: 3 SUCCEEDED; nothing is left")


def test_a_pass_is_not_held_up_by_what_comes_after_it(shop: Project) -> None:
    # Each execution starts the next one, and so on for ever.
    shop.workflow(
        "StartAt: A\nStates:\n  A: {Type: Task, Resource: next, Next: B}\n"
        "  B: {Type: Task, Resource: work, End: true}\n",
        "endless.yaml",
    )
    shop.handlers(
        "import subprocess, sys\n@handler\ndef next(x):\n"
        "    subprocess.run([sys.executable, '-m', 'sm_cli', 'run', 'endless', '--detach'], check=True)\n",
        "endless.py",
    )
    shop.sm("run", "endless", "--name", "n1", "--detach")
    result = shop.process("worker", "--once")
    assert result.code == 0
    assert shop.sm("show", "n1", "--json").json["status"] == "SUCCEEDED"
    assert re.search(r"still waits?: for the next pass$", result.err.strip())


def test_what_another_worker_does_is_left_to_it_and_two_passes_do_no_harm(shop: Project) -> None:
    shop.write("hold", "")
    shop.sm("run", "held", "--name", "n1", "--detach")
    first = shop.start("worker", "--once", "--name", "w1")
    soon((shop.path / "begun").exists)
    assert end_of(shop, "--once") == (6, "nothing ended; 1 still waits: at work elsewhere (w1)")
    assert end_of(shop, "--once", "--ok-to-leave")[0] == 0
    (shop.path / "hold").unlink()
    result = ended(first)
    assert (result.code, result.err.splitlines()[-1]) == (0, "1 ended: 1 SUCCEEDED; nothing is left")
    assert [each["status"] for each in shop.sm("list", "--json").json] == ["SUCCEEDED"]


def test_an_option_for_the_end_needs_an_end(shop: Project) -> None:
    result = shop.sm("worker", "--ok-to-leave")
    assert (result.code, result.out) == (2, "")
    assert "--ok-to-leave says how --once or --drain ends" in result.err


@pytest.mark.parametrize("how", ["deleted", "replaced"])
def test_a_worker_whose_database_goes_away_ends_by_itself_and_says_so(shop: Project, how: str) -> None:
    file = shop.database()
    shop.sm("run", "wait", "--name", "asleep", "--detach")
    shop.sm("run", "one", "--name", "begun", "--detach")
    worker = shop.start("worker", "--name", "w1")
    soon(lambda: shop.sm("show", "begun", "--json").json["status"] == "SUCCEEDED")
    other = shop.path / "other.db"
    assert shop.sm("run", "wait", "--detach", "--db", str(other)).code == 0
    file.unlink() if how == "deleted" else other.replace(file)
    result = ended(worker)
    assert result.code == 7
    assert ("deleted or moved" if how == "deleted" else "replaced") in result.err
    assert "Traceback" not in result.err
