"""What a shell is offered for a word that is not finished."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Project


def offers(project: Project, line: str) -> list[str]:
    """What bash is offered for the last word of a line, which may be empty."""
    process = subprocess.run(
        [sys.executable, "-m", "sm_cli"], cwd=project.path, capture_output=True, text=True, check=False,
        env={**project.environment(), "_SM_COMPLETE": "complete_bash", "COMP_WORDS": line,
             "COMP_CWORD": str(len(line.split(" ")) - 1)},
    )  # fmt: skip
    assert process.stderr == ""
    return process.stdout.split()


@pytest.fixture
def two(project: Project) -> Project:
    project.workflow("{StartAt: First, States: {First: {Type: Pass, Next: Second}, Second: {Type: Succeed}}}")
    project.workflow("{StartAt: S, States: {S: {Type: Fail}}}", "other.asl.json")
    assert project.sm("run", "order", "--name", "Mine").code == 0
    assert project.sm("workflow", "alias", "order", "prod=1").code == 0
    return project


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("sm run o", ["order", "other"]),
        ("sm run or", ["order"]),
        ("sm graph ot", ["other"]),
        ("sm show m", ["Mine"]),
        ("sm show @", ["@last", "@failed", "@running"]),
        ("sm wait @l", ["@last"]),
        ("sm list --status F", ["FAILED"]),
        ("sm list --status f", ["FAILED"]),
        ("sm test-state order ", ["First", "Second"]),
        ("sm redrive Mine --from S", ["Second"]),
        ("sm redrive nobody --from S", []),
        ("sm show Mine -o y", ["yaml"]),
        ("sm wai", ["wait", "waits"]),
        ("sm workflow rollback o", ["order", "order:1", "order:prod"]),
        ("sm workflow diff order:1 order:", ["order:1", "order:prod"]),
    ],
)
def test_a_shell_is_offered_what_there_is(two: Project, line: str, offered: list[str]) -> None:
    assert sorted(offers(two, line)) == sorted(offered)


def test_ids_are_offered_in_small_letters_too(two: Project) -> None:
    id = two.sm("show", "Mine", "--json").json["id"]
    assert offers(two, f"sm why {id[:6].lower()}") == [id]


@pytest.mark.parametrize("line", ["sm show ", "sm redrive x --from ", "sm run ", "sm test-state nothing "])
def test_where_there_is_nothing_nothing_is_said_and_nothing_made(project: Project, line: str) -> None:
    assert offers(project, line) == []
    assert [*Path(project.path).iterdir()] == []


def test_a_damaged_database_offers_nothing(project: Project) -> None:
    project.write(".sm/sm.db", "this is no database" * 1000)
    assert offers(project, "sm show ") == []
