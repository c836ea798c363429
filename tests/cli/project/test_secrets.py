"""What is said of secrets and of task tokens, at the command line."""

from __future__ import annotations

import stat

import pytest

from tests.cli.conftest import Project

_SECRET = "s3cret-0123456789"
_CALLBACK = """
    StartAt: Ask
    States:
      Ask:
        Type: Task
        Resource: ask.waitForTaskToken
        TimeoutSeconds: 100
        Parameters: {PARAMETERS}
        End: true
"""
_HANDED_OUT = '{"token.$": "$$.Task.Token"}'


@pytest.mark.parametrize(
    "text",
    [
        f'[[http_connections]]\nheaders = {{ Authorization = "{_SECRET}" }}\n',
        f'http_connections = "{_SECRET}"\n',
        f'[http_connections]\nshop = "{_SECRET}"\n',
        f'[http_connections.shop]\nheaders = ["{_SECRET}"]\n',
        f'[http_connections.shop]\nheaders = {{ Host = "{_SECRET}" }}\n',
        f'[http_connections.shop]\nheaders = {{ Authorization = ["{_SECRET}"] }}\n',
        f'[http_connections.shop]\nheaders = {{ Authorization = "{_SECRET}\\u0001" }}\n',
        f'database = ["postgres://user:{_SECRET}@host/db"]\n',
        f'database = "mysql://user:{_SECRET}@host/db"\n',
    ],
)
def test_no_sentence_about_the_configuration_shows_a_secret(project: Project, text: str) -> None:
    project.workflow('StartAt: A\nStates:\n  A: {Type: Task, Resource: "work", End: true}\n')
    project.handlers('@handler("work")\ndef work(x): return x\n')
    project.write("sm.toml", text)
    result = project.sm("run", "-v")
    assert result.code == 7
    assert result.err.startswith("sm: error: ")
    assert _SECRET not in result.out + result.err


@pytest.mark.parametrize("scheme", ["mysql", "postgres", "postgresql"])
def test_no_sentence_about_a_database_shows_its_password(project: Project, scheme: str) -> None:
    result = project.sm("list", "--db", f"{scheme}://user:p@/{_SECRET}@host/db")
    assert result.code == 7
    assert _SECRET not in result.out + result.err


@pytest.mark.parametrize("log", ["text", "json"])
@pytest.mark.parametrize("parameters", [_HANDED_OUT, "{}"])
def test_a_token_is_told_where_the_page_says_and_in_no_log(project: Project, parameters: str, log: str) -> None:
    project.workflow(_CALLBACK.replace("{PARAMETERS}", parameters))
    project.handlers('@handler("ask")\ndef ask(input): return None\n')
    assert project.sm("run", "--detach").code == 0
    worked = project.sm("worker", "--drain", "-v", "--log-format", log)
    token = project.sm("task", "list", "--json").json[0]["token"]
    assert token not in worked.out + worked.err
    assert token in project.sm("task", "list").out
    assert token in project.sm("why", "@last").out
    assert (token in project.sm("history", "@last", "--events", "--json").out) == (parameters == _HANDED_OUT)
    answered = project.sm("-v", "--log-format", log, "task", "success", token, "--output", "1")
    assert answered.code == 0, answered.err
    assert token not in answered.out + answered.err


def test_the_files_of_the_database_can_be_read_by_their_owner_only(project: Project) -> None:
    project.workflow("StartAt: A\nStates:\n  A: {Type: Succeed}\n")
    assert project.sm("run").code == 0
    files = [*(project.path / ".sm").iterdir()]
    assert {"sm.db", "sm.db.lock"} <= {file.name for file in files}
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
