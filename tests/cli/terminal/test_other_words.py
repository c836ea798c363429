"""Ways to ask for help and for the version, and words that people type for commands of another name."""

from __future__ import annotations

from typing import Any

import pytest
from typer.main import get_command

import sm_cli
from sm_cli.cli.app import build
from sm_cli.cli.commands import COMMANDS
from sm_cli.cli.other_words import MEANT, first_word
from tests.cli.conftest import Project

ASKED = ("ps", "logs", "status", "rm", "ls", "start", "exec", "kill", "cancel", "resume", "retry", "send", "events",
         "describe", "inspect")  # fmt: skip


@pytest.mark.parametrize("word", [*MEANT])
def test_a_word_that_is_no_command_names_the_one_that_is_meant(project: Project, word: str) -> None:
    result = project.sm(word)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"sm: error: there is no command {word!r}; what is meant is `sm ")
    assert result.err.count("\n") == 1
    assert not project.path.joinpath(".sm").exists()


def test_the_words_of_other_programs_are_among_them() -> None:
    assert set(ASKED) <= set(MEANT)
    assert not set(MEANT) & set(COMMANDS)


@pytest.mark.parametrize("meant", sorted({command for commands in MEANT.values() for command in commands}))
def test_what_is_meant_is_a_command_with_these_options(meant: str) -> None:
    command: Any = get_command(build([*dict.fromkeys(COMMANDS.values())]))
    words = meant.split()
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("-")} <= options


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (["kill", "01kg"], "`sm stop 01kg`"),
        (["kill", "a b"], "`sm stop 'a b'`"),
        (["kill", "--force", "x"], "`sm stop EXECUTION`"),
        (["kill", "x" * 201], "`sm stop EXECUTION`"),
        (["kill", "\x1b[2J"], "`sm stop '\\u001b[2J'`"),
        (["status"], "`sm show EXECUTION`, `sm why EXECUTION` or `sm list`"),
        (["-v", "ps"], "`sm list --status RUNNING`"),
        (["--log-format", "json", "ps"], "`sm list --status RUNNING`"),
        (["help", "ps"], "`sm list --status RUNNING`"),
        (["send", "orderId=1"], "`sm send-message orderId=1`"),
    ],
)
def test_what_was_typed_stands_in_the_command_that_is_meant(project: Project, line: list[str], told: str) -> None:
    result = project.sm(*line)
    assert result.code == 2
    assert result.err.rstrip().endswith(f"what is meant is {told}")


@pytest.mark.parametrize(
    ("line", "at"),
    [
        ([], None), (["-v"], None), (["list"], 0), (["-v", "list"], 1), (["--log-format", "json", "list"], 2),
        (["--log-format=json", "list"], 1), (["--log-format"], None),
    ],
)  # fmt: skip
def test_the_command_is_the_first_word_that_belongs_to_no_option(line: list[str], at: int | None) -> None:
    assert first_word(line) == at


@pytest.mark.parametrize(
    ("line", "same"),
    [
        (["-h"], ["--help"]),
        (["help"], ["--help"]),
        (["help", "run"], ["run", "--help"]),
        (["run", "-h"], ["run", "--help"]),
        (["-v", "help", "run"], ["run", "--help"]),
        (["help", "task", "list"], ["task", "list", "--help"]),
        (["task", "-h"], ["task", "--help"]),
        (["task", "list", "-h"], ["task", "list", "--help"]),
        (["-V"], ["--version"]),
        (["version"], ["--version"]),
        (["-v", "version"], ["--version"]),
        (["version", "-h"], ["--version"]),
    ],
)
def test_help_and_version_are_asked_for_in_every_usual_way(project: Project, line: list[str], same: list[str]) -> None:
    result = project.sm(*line)
    assert (result.code, result.out, result.err) == (0, project.sm(*same).out, "")
    assert result.out.startswith(("Usage: sm ", f"sm {sm_cli.__version__}"))


def test_help_of_what_is_no_command_says_so(project: Project) -> None:
    result = project.sm("help", "lst")
    assert result.code == 2
    assert "No such command 'lst'" in result.err
