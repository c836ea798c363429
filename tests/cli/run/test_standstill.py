"""`sm run` says why nothing moves: one line on stderr for each reason, and stdout stays the result."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from sm_cli.cli.terminal.live import Nobody
from sm_cli.views.actions import Action, Do
from sm_cli.views.why import Reason
from tests.cli.conftest import Project, ended
from tests.cli.definitions import CALLBACK, INVOKE, MESSAGE, WAIT

HELD = """
StartAt: A
States:
  A: {Type: Task, Resource: held, End: true}
"""
HANDLERS = """
import pathlib, time
@handler
def work(x): return x
@handler
def held(x, context):
    while pathlib.Path("hold").exists() and not context.cancelled.is_set():
        time.sleep(0.01)
    return "done"
"""


@pytest.fixture
def shop(project: Project) -> Project:
    project.handlers(HANDLERS)
    for name, text in (
        ("invoke", INVOKE), ("wait", WAIT), ("message", MESSAGE), ("callback", CALLBACK), ("held", HELD),
    ):  # fmt: skip
        project.workflow(text, f"{name}.yaml")
    return project


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    return process.stderr.readline()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ["invoke", "function=absent"],
            r"  … A waits for a worker with the handler 'absent', and no handler of that name is there; write one with "
            r"@handler\('absent'\)\.",
        ),
        (["wait"], r"  … A waits for its time and goes on at [\d: -]+\."),
        (["callback"], r"  … A has handed its work over and waits for the callback with its task token: sm task list"),
    ],
)
def test_a_run_that_stands_still_says_why_and_says_it_once(shop: Project, arguments: list[str], line: str) -> None:
    process = shop.start("run", *arguments)
    assert re.fullmatch(line, first_line(process).rstrip("\n"))
    process.terminate()
    result = ended(process)
    assert (result.code, result.out) == (143, "")
    assert "…" not in result.err


def test_a_message_is_asked_for_and_the_output_is_all_that_is_on_stdout(shop: Project) -> None:
    process = shop.start("run", "message")
    assert re.fullmatch(r"  … A has waited since .* for the message k=v: sm send-message k=v\n", first_line(process))
    assert shop.sm("send-message", "k=v", "--data", '{"by":"post"}').code == 0
    result = ended(process)
    assert (result.code, json.loads(result.out)) == (0, {"by": "post"})


def test_with_v_a_message_is_asked_for_once_and_that_of_a_child_too(shop: Project) -> None:
    shop.workflow(
        "StartAt: P\nStates:\n  P: {Type: Task, Resource: 'arn:aws:states:::states:startExecution.sync', "
        "Parameters: {StateMachineArn: message, Input: {}}, ResultPath: null, Next: M}\n"
        "  M: {Type: Message, CorrelationKey: k, CorrelationValue: w, End: true}\n",
        "parent.yaml",
    )
    process = shop.start("run", "parent", "-v")
    assert re.fullmatch(
        r"  … In message \S+: A has waited since .* for the message k=v: sm send-message k=v\n", told(process)
    )
    assert shop.sm("send-message", "k=v").code == 0
    assert told(process) == "  … M waits for a message; send it with: sm send-message k=w\n"
    assert shop.sm("send-message", "k=w").code == 0
    assert "…" not in ended(process).err


def told(process: subprocess.Popen[str]) -> str:
    """The next line that says what is waited for."""
    while not (line := first_line(process)).startswith("  …"):
        assert process.poll() is None
    return line


def test_what_another_worker_does_is_told(shop: Project) -> None:
    shop.write("hold", "")
    assert shop.sm("run", "held", "--name", "n1", "--detach").code == 0
    worker = shop.start("worker", "--name", "w1")
    while "RUNNING" not in shop.sm("history", "n1").out or "w1" not in shop.sm("why", "n1").out:
        assert worker.poll() is None
    process = shop.start("run", "held", "--name", "n1")
    assert first_line(process).startswith("  … A is at work: w1 ")
    (shop.path / "hold").unlink()
    result = ended(process)
    assert (result.code, json.loads(result.out)) == (0, "done")


def test_a_reason_is_told_once_though_its_words_change_and_each_retry_is_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    nobody = Nobody()
    for seconds in (3, 2, 1):
        wait = Reason("timer", f"A goes on in {seconds} s.", state="A", until=3)
        nobody.stands_still([wait, Reason("retry", f"B is tried again in {seconds} s.", state="B", until=9)])
    nobody.stands_still([])
    nobody.stands_still([Reason("retry", "B is tried again in 6 s.", state="B", until=15)])
    message = Reason("message", "M has waited for k=\x1b[2J.", Action(Do.SEND_MESSAGE, ("k", "v")), "M")
    nobody.stands_still([message, message])
    assert capsys.readouterr().err.splitlines() == [
        "  … A goes on in 3 s.",
        "  … B is tried again in 3 s.",
        "  … B is tried again in 6 s.",
        "  … M has waited for k=\\u001b[2J: sm send-message k=v",
    ]
