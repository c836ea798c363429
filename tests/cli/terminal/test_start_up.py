"""Starting up costs little: what a command does not use, it does not import."""

from __future__ import annotations

import subprocess
import sys

import pytest

import sm_cli
from sm_cli.cli.commands import COMMANDS, SUMMARIES
from tests.cli.conftest import Project

#: What must not be imported by the commands that have to answer at once.
HEAVY = (
    "rich", "yaml", "jsonschema", "asyncio", "pydantic", "logging", "sm_cli.engine", "sm_cli.asl", "jsonpath_ng",
    "queue", "shlex", "secrets", "sm_cli.store.sqlite.write_lock", "sm_cli.interpreter", "sm_cli.store.messages",
    "sm_cli.store.versions", "sm_cli.store.schedules", "sm_cli.store.links", "sm_cli.store.statistics",
)  # fmt: skip
SHOW_MODULES = (
    "import sys; from sm_cli.__main__ import main; main(sys.argv[1:]); print(*sys.modules, sep='\\n', file=sys.stderr)"
)
#: What of ours a command has waited for that Python makes out of text, at each start.
SHOW_MADE_OF_TEXT = """
import sys
from sm_cli.__main__ import main
main(sys.argv[1:])
import dataclasses, re, typing
for module in [each for name, each in sys.modules.items() if name.startswith("sm_cli.")]:
    for name, value in vars(module).items():
        found = None
        if isinstance(value, re.Pattern):
            found = "a pattern: re.match(TEXT, ...) compiles it when it is first used"
        elif isinstance(value, type) and value.__module__ == module.__name__:
            types = [*vars(value).get("__annotations__", {}).values()]
            if types and all(isinstance(each, typing.ForwardRef) for each in types):
                found = "a NamedTuple in a module with annotations from __future__"
            elif dataclasses.is_dataclass(value) and {"__eq__", "__repr__"} & set(vars(value)):
                found = "a dataclass with comparison and text of its own: sm_cli.mutable says how else"
        if found is not None:
            print(f"{module.__name__}.{name} is {found}", file=sys.stderr)
"""


def _imported(project: Project, *arguments: str) -> set[str]:
    process = subprocess.run(
        [sys.executable, "-c", SHOW_MODULES, *arguments], cwd=project.path, env=project.environment(),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(process.stderr.splitlines())


def test_version_imports_nothing_but_the_version(project: Project) -> None:
    plain = set(
        subprocess.run(
            [sys.executable, "-c", "import sys; print(*sys.modules, sep='\\n')"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
    )
    assert _imported(project, "--version") - plain <= {
        "sm_cli",
        "sm_cli._version",
        "sm_cli.__main__",
        "__future__",
        "gc",
    }


@pytest.mark.parametrize("arguments", [("--help",), ("list",)])
def test_help_and_list_import_nothing_heavy(project: Project, arguments: tuple[str, ...]) -> None:
    project.workflow("{StartAt: S, States: {S: {Type: Succeed}}}")
    assert project.sm("run").code == 0
    imported = _imported(project, *arguments)
    assert "typer" in imported
    assert not {name for name in imported if name.startswith(HEAVY)}


@pytest.mark.parametrize("arguments", [("--help",), ("list",)])
def test_help_and_list_make_nothing_out_of_text_that_they_do_not_use(
    project: Project, arguments: tuple[str, ...]
) -> None:
    project.workflow("{StartAt: S, States: {S: {Type: Succeed}}}")
    assert project.sm("run").code == 0
    process = subprocess.run(
        [sys.executable, "-c", SHOW_MADE_OF_TEXT, *arguments], cwd=project.path, env=project.environment(),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert process.stderr == ""


def test_importing_the_package_imports_nothing_heavy(project: Project) -> None:
    process = subprocess.run(
        [sys.executable, "-c", "import sm_cli, sys; print([m for m in sys.modules if m.startswith('sm_cli')])"],
        env=project.environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert process.stdout == "['sm_cli._version', 'sm_cli']\n"


def test_the_public_names_are_what_they_promise() -> None:
    assert sm_cli.validate("{StartAt: A, States: {A: {Type: Succeed}}}") == []
    assert [d.code[:2] for d in sm_cli.validate({"States": {}})][:1] == ["SM"]
    assert sm_cli.simulate({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}, 1).output == 1
    assert issubclass(sm_cli.TaskError, Exception)
    assert set(sm_cli.__all__) <= set(dir(sm_cli))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = sm_cli.nothing


def test_python_m_works_and_so_do_version_and_help(project: Project) -> None:
    version = project.process("--version")
    assert (version.code, version.out) == (0, f"sm {sm_cli.__version__}\n")
    assert project.sm("-v", "--version").out == version.out
    help = project.process("--help")
    assert help.code == 0
    commands = help.out.partition("Commands:\n")[2].partition("\n\n")[0]
    assert [line.split()[0] for line in commands.splitlines()] == list(COMMANDS) == list(SUMMARIES)
    assert "..." not in commands


@pytest.mark.parametrize("command", list(COMMANDS))
def test_every_command_has_help(project: Project, command: str) -> None:
    result = project.sm(command, "--help")
    assert result.code == 0
    assert result.out.startswith(f"Usage: sm {command} [OPTIONS]")


def test_no_command_shows_the_help(project: Project) -> None:
    assert project.sm().out == project.sm("--help").out


def test_a_reader_that_leaves_is_no_failure_to_talk_about(project: Project) -> None:
    project.workflow("{StartAt: S, States: {S: {Type: Succeed}}}")
    assert project.sm("run", "text=" + "x" * 200_000).code == 0
    command = f'"{sys.executable}" -m sm_cli show @last | head -c 10'
    process = subprocess.run(
        command, shell=True, cwd=project.path, env=project.environment(), capture_output=True, text=True, check=False
    )
    assert process.stderr == ""
    assert len(process.stdout) == 10


def test_the_shell_is_told_how_to_complete(project: Project) -> None:
    process = subprocess.run(
        [sys.executable, "-m", "sm_cli"], cwd=project.path, capture_output=True, text=True, check=False,
        env={**project.environment(), "_SM_COMPLETE": "complete_bash", "COMP_WORDS": "sm hi", "COMP_CWORD": "1"},
    )  # fmt: skip
    assert process.stdout.split() == ["history"]
