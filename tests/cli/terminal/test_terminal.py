"""On a terminal: the states as they pass, the output in colour; NO_COLOR is obeyed."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys

from tests.cli.conftest import Project

WORKFLOW = """
StartAt: First
States:
  First: {Type: Task, Resource: work, Retry: [{ErrorEquals: [Again], JitterStrategy: FULL}], Next: Each}
  Each:
    Type: Map
    ItemProcessor: {StartAt: Inner, States: {Inner: {Type: Pass, End: true}}}
    Next: Last
  Last: {Type: Message, CorrelationKey: k, CorrelationValue: v w, TimeoutSeconds: 1, TimeoutPath: End, Next: End}
  End: {Type: Pass, Result: {"a": ["text", 1, null]}, End: true}
"""
HANDLERS = """
CALLS = []
@handler
def work(x):
    CALLS.append(x)
    if len(CALLS) == 1:
        raise TaskError("Again")
    return [1, 2]
"""


def _on_a_terminal(project: Project, *arguments: str, workflow: str = WORKFLOW, **environment: str) -> tuple[int, str]:
    """The command with stdin, stdout and stderr on one terminal: exit code and all that appeared."""
    project.workflow(workflow)
    project.handlers(HANDLERS)
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "sm_cli", *arguments], cwd=project.path, stdin=theirs, stdout=theirs, stderr=theirs,
        env={**project.environment(), "TERM": "xterm-256color", "COLUMNS": "100", **environment},
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux: the last one has closed the terminal
            break
        if not part:
            break
        shown += part
    os.close(ours)
    return process.wait(), shown.decode().replace("\r\n", "\n")


def _plain(shown: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", shown)


def test_the_states_pass_alive_and_the_output_is_coloured(project: Project) -> None:
    code, shown = _on_a_terminal(project, "run")
    assert code == 0, shown
    text = _plain(shown)
    assert re.search(r"✓ First  \S+ m?s, 1 retry\n", text)
    assert re.search(r"✓ Each  \d+ ms\n", text)
    assert "Inner" not in re.findall(r"✓ (\w+)", text)
    assert "… Last waits for a message; send it with: sm send-message 'k=v w'" in text
    assert re.search(r"↷ Last  1\.\d s  States\.Timeout", text)
    assert "✓ End" in text
    assert text.endswith('{\n  "a": [\n    "text",\n    1,\n    null\n  ]\n}\n')
    assert '\x1b[34m"a"\x1b[0m: [' in shown


def test_the_picture_says_why_nothing_moves(project: Project) -> None:
    waits = "StartAt: Pause\nStates:\n  Pause: {Type: Wait, Seconds: 3, End: true}\n"
    code, shown = _on_a_terminal(project, "run", workflow=waits)
    assert code == 0, shown
    assert re.search(r"Pause  \S+ m?s  goes on in [123] s", _plain(shown))


def test_the_picture_says_what_nobody_here_can_do(project: Project) -> None:
    invoke = "Resource: arn:aws:states:::lambda:invoke, Parameters: {FunctionName.$: $.function}"
    tasks = f"StartAt: Pay\nStates:\n  Pay: {{Type: Task, {invoke}, End: true}}\n"
    arguments = ("run", "function=absent", "--timeout", "3")
    code, shown = _on_a_terminal(project, *arguments, workflow=tasks, COLUMNS="60")
    assert code == 1, shown
    text = _plain(shown)
    assert re.search(r"Pay  \S+ m?s  waits for a worker", text)
    sentence = "  … Pay waits for a worker with the handler 'absent', and no"
    assert sentence[:59].rpartition(" ")[0] in text


def test_no_color_is_obeyed(project: Project) -> None:
    code, shown = _on_a_terminal(project, "run", NO_COLOR="1")
    assert code == 0, shown
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", shown)
    assert '"text"' in shown


def test_verbose_shows_the_iterations_too(project: Project) -> None:
    _, shown = _on_a_terminal(project, "run", "-v")
    assert "✓ 0: Inner" in _plain(shown)


def test_a_dumb_terminal_gets_no_picture(project: Project) -> None:
    code, shown = _on_a_terminal(project, "run", TERM="dumb")
    assert code == 0
    assert "\x1b" not in shown
    assert "✓" not in shown


def test_an_express_execution_is_alive_too(project: Project) -> None:
    code, shown = _on_a_terminal(
        project, "run", "--express", workflow=WORKFLOW.partition("    Next: Last")[0] + "    End: true"
    )
    assert code == 0, shown
    text = _plain(shown)
    assert re.search(r"✓ First  \S+ m?s, 1 retry\n", text)
    assert re.search(r"✓ Each  \d+ ms\n", text)
    assert "SUCCEEDED in" in text
