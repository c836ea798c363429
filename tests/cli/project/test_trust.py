"""Whose files are obeyed: configuration, database and handlers of another user only with --trust."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from sm_cli.cli import app
from sm_cli.cli.commands import COMMANDS
from sm_cli.cli.project import trust
from sm_cli.project import owners
from tests.cli.conftest import Project

_FLOW = """
    StartAt: Pay
    States:
      Pay: {Type: Task, Resource: "pay", End: true}
"""
_HANDLERS = """
    from pathlib import Path
    Path("executed").touch()

    @handler("pay")
    def pay(order):
        return "paid"
"""
#: No command but these leaves the project alone.
_READ_NO_PROJECT = {"init", "env", "explain", "schema"}
_NOBODY_HAS = 54_321

Give = Callable[[Path, int], None]


@pytest.fixture(params=["owned", "patched"])
def give(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Give:
    """Make another user the owner of a file: on the disk, or in what is seen of it."""
    if request.param == "owned":
        if not hasattr(os, "geteuid") or os.geteuid() != 0:
            pytest.skip("only root gives files away")
        return lambda path, uid: os.chown(path, uid, -1, follow_symlinks=False)
    given: dict[Path, int] = {}
    seen = owners.owners_of

    def owners_of(path: Path) -> tuple[int, ...]:
        other = given.get(Path.cwd() / path)
        return seen(path) if other is None else (other,)

    monkeypatch.setattr(owners, "owners_of", owners_of)
    return lambda path, uid: given.update({Path.cwd() / path: uid})


@pytest.fixture(autouse=True)
def _flow(project: Project) -> None:
    project.workflow(_FLOW)
    project.handlers(_HANDLERS)


def _refused(project: Project, name: str, *arguments: str, owner: str = f"the user with id {_NOBODY_HAS}") -> None:
    result = project.sm(*arguments)
    assert result.code == 7, result
    mode = stat.S_IMODE((Path.cwd() / name).stat().st_mode)
    assert result.err == (
        f"sm: error: {name} belongs to {owner} (mode {mode:04o}), who is neither you nor root, and is not obeyed; "
        "to obey it all the same give --trust or set SM_TRUST=1\n"
    )
    assert result.out == ""


@pytest.mark.parametrize("file", ["sm.toml", "pyproject.toml"])
@pytest.mark.parametrize("command", [["run"], ["validate"], ["list"], ["graph"], ["worker", "--once"],
                                     ["test-state", "order", "Pay"], ["why", "@last"], ["waits"]])  # fmt: skip
def test_a_configuration_of_another_user_is_not_obeyed(
    project: Project, give: Give, file: str, command: list[str]
) -> None:
    give(
        project.write(file, 'handlers = "handlers"' if file == "sm.toml" else "[tool.sm]\nconcurrency = 2\n"),
        _NOBODY_HAS,
    )
    _refused(project, file, *command)
    assert not (project.path / "executed").exists()
    assert not (project.path / ".sm").exists()


def test_a_pyproject_of_another_user_that_says_nothing_for_sm_is_nothing(project: Project, give: Give) -> None:
    give(project.write("pyproject.toml", "[tool.ruff]\nline-length = 100\n"), _NOBODY_HAS)
    assert project.sm("run").out == '"paid"\n'


def test_a_configuration_above_the_current_directory_counts_too(
    project: Project, give: Give, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = project.write("sm.toml", 'workflow = "order"')
    give(file, _NOBODY_HAS)
    (project.path / "below").mkdir()
    monkeypatch.chdir(project.path / "below")
    _refused(project, str(file), "run")


@pytest.mark.parametrize("path", ["handlers", "handlers/orders.py", "handlers/_helper.py", "handlers/deep/er.py"])
@pytest.mark.parametrize(
    "command",
    [["run"], ["worker", "--once"], ["test-state", "order", "Pay"], ["validate", "--import"], ["run", "--stub"]],
)
def test_handlers_of_another_user_are_not_executed(project: Project, give: Give, path: str, command: list[str]) -> None:
    project.handlers("", "_helper.py")
    project.handlers("", "deep/er.py")
    give(project.path / path, _NOBODY_HAS)
    _refused(project, path, *command)
    assert not (project.path / "executed").exists()


def test_handlers_named_by_an_option_are_no_exception(project: Project, give: Give) -> None:
    other = project.write("other/pay.py", "raise SystemExit(1)")
    give(other, _NOBODY_HAS)
    _refused(project, "other/pay.py", "run", "--handlers", "other")


@pytest.mark.parametrize("path", [".sm", ".sm/sm.db", ".sm/sm.db-wal", ".sm/sm.db.key"])
@pytest.mark.parametrize("command", [["run"], ["list"], ["worker", "--once"], ["show", "@last"]])
def test_a_database_of_another_user_is_not_used(project: Project, give: Give, path: str, command: list[str]) -> None:
    assert project.sm("run").code == 0
    (project.path / path).touch()
    give(project.path / path, _NOBODY_HAS)
    _refused(project, path, *command)


@pytest.mark.parametrize("url", ["shared.db", "sqlite:shared.db", "sqlite:shared.db?sync=normal"])
def test_a_database_that_is_named_is_no_exception(project: Project, give: Give, url: str) -> None:
    assert project.sm("run", "--db", url).code == 0
    give(project.path / "shared.db", _NOBODY_HAS)
    _refused(project, "shared.db", "list", "--db", url)


@pytest.mark.parametrize("how", ["option", "variable"])
@pytest.mark.parametrize("path", ["sm.toml", "handlers", "handlers/orders.py", ".sm", ".sm/sm.db"])
def test_with_trust_all_of_it_is_obeyed(
    project: Project, give: Give, path: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("sm.toml", 'workflow = "order"')
    assert project.sm("run").code == 0
    give(project.path / path, _NOBODY_HAS)
    assert project.sm("run").code == 7
    if how == "variable":
        monkeypatch.setenv("SM_TRUST", "1")
    assert project.sm("run", *(["--trust"] if how == "option" else [])).out == '"paid"\n'
    monkeypatch.delenv("SM_TRUST", raising=False)
    assert project.sm("run").code == 7, "trust is of one command"


@pytest.mark.parametrize("mode", [0o700, 0o755])
@pytest.mark.parametrize(
    "command", [["list"], ["run"], ["worker", "--once"], ["send-message", "a=b"], ["show", "@last"]]
)
def test_a_database_that_this_user_may_not_use_is_told_with_owner_and_mode(
    project: Project, mode: int, command: list[str]
) -> None:
    assert project.sm("run").code == 0
    if os.geteuid() != 0:
        (project.path / ".sm").chmod(0o000)
        refused = project.process(*command)
        assert (refused.code, "belongs to" in refused.err) == (7, True)
        (project.path / ".sm").chmod(0o700)
        return
    for path in ((project.path / ".sm"), *(project.path / ".sm").iterdir()):
        os.chown(path, _NOBODY_HAS, -1)
    (project.path / ".sm").chmod(mode)
    # Root without the right to use what belongs to others.
    weak = [
        "setpriv",
        "--bounding-set",
        "-dac_override,-dac_read_search",
        "--inh-caps",
        "-dac_override,-dac_read_search",
    ]
    done = subprocess.run(
        [*weak, sys.executable, "-m", "sm_cli", *command, "--trust"], cwd=project.path, env=project.environment(),
        capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (7, "")
    error, hint = done.stderr.splitlines()
    assert error.startswith("sm: error: .sm/sm.db cannot be ")
    assert hint == f"  hint: .sm belongs to the user with id {_NOBODY_HAS} (mode {mode:04o}); you are root."


def test_the_sentence_names_the_owner(project: Project, give: Give) -> None:
    other = next(user for user in pwd.getpwall() if user.pw_uid not in (0, os.geteuid()))
    give(project.path / "handlers", other.pw_uid)
    _refused(project, "handlers", "run", owner=pwd.getpwuid(other.pw_uid).pw_name)


def test_what_belongs_to_root_or_to_oneself_is_obeyed(
    project: Project, give: Give, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(project.path / "handlers", 0)
    give(project.path / "handlers" / "orders.py", _NOBODY_HAS)
    assert owners.owners_of(project.path / "handlers" / "orders.py") == (_NOBODY_HAS,)
    monkeypatch.setattr(os, "geteuid", lambda: _NOBODY_HAS)
    trust.check_handlers_owner(Path("handlers"))


def test_a_link_counts_as_what_it_leads_to(project: Project, give: Give) -> None:
    target = project.write("elsewhere.py", "")
    (project.path / "handlers" / "link.py").symlink_to(target)
    assert project.sm("run").code == 0
    if os.geteuid() != 0:
        pytest.skip("only root gives files away")
    os.chown(target, _NOBODY_HAS, -1)
    _refused(project, "handlers/link.py", "run")


def test_every_command_that_reads_a_project_takes_the_option() -> None:
    command = get_command(app.build([*dict.fromkeys(COMMANDS.values())]))
    lacking = {name for name, each in _leaves(command, "") if "--trust" not in _options(each)}
    assert lacking == _READ_NO_PROJECT


def _leaves(command: Any, name: str) -> list[tuple[str, Any]]:
    below = getattr(command, "commands", None)
    if not below:
        return [(name, command)]
    return [leaf for word, each in below.items() for leaf in _leaves(each, f"{name} {word}".strip())]


def _options(command: Any) -> set[str]:
    return {option for parameter in command.params for option in parameter.opts}
