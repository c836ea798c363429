"""What a command does with a stdin that is closed and a stdout that knows few characters."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.cli.conftest import CHECKOUT, Project

LOUD = "StartAt: Größe\nStates:\n  Größe: {Type: Pass, Result: {ä: ö😀}, End: true}\n"


def shell(project: Project, line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """One line of a shell, in which `sm` is this one."""
    command = f'sm() {{ {sys.executable} -m sm_cli "$@"; }}; {line}'
    variables = {**project.environment(), "PYTHONPATH": str(CHECKOUT), **environment}
    return subprocess.run(["sh", "-c", command], cwd=project.path, env=variables, capture_output=True, text=True)


@pytest.mark.parametrize(
    "line",
    ["sm run -", "sm validate -", "sm graph -", "sm run w.yaml --input -", "sm send-message a=b --data -"],
)  # fmt: skip
def test_a_closed_stdin_is_a_sentence(project: Project, line: str) -> None:
    project.write("w.yaml", LOUD)
    project.database()
    done = shell(project, f"{line} <&-")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "sm: error: stdin is closed, so nothing can be read from it\n"


@pytest.mark.parametrize("command", ["list", "show @last", "history @last", "why @last", "list -o yaml"])
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1251"])
def test_names_beyond_what_stdout_can_say_are_escaped(project: Project, command: str, encoding: str) -> None:
    project.write("grün.yaml", LOUD)
    assert project.sm("run", "grün.yaml").code == 0
    done = subprocess.run(
        [sys.executable, "-m", "sm_cli", *command.split()], cwd=project.path, capture_output=True,
        env={**project.environment(), "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    shown = "ü" if encoding == "latin-1" else "\\u00fc"
    assert (f"gr{shown}n" if "history" not in command else "e") in done.stdout.decode(encoding)


def test_a_document_stays_json_on_a_stdout_of_few_characters(project: Project) -> None:
    project.write("grün.yaml", LOUD)
    assert project.sm("run", "grün.yaml").code == 0
    done = shell(project, "sm history @last --json", PYTHONIOENCODING="ascii")
    assert os.fsencode(done.stdout).isascii()
    assert json.loads(done.stdout)["output"] == {"ä": "ö😀"}
    assert json.loads(done.stdout)["workflow"] == "grün"
