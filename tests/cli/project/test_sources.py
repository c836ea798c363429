"""A wrong setting is told with the place that it came from: an option, a variable, a line of the configuration."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Project

ONE = "StartAt: A\nStates:\n  A: {Type: Succeed}\n"


@pytest.fixture
def made(project: Project) -> Project:
    project.write("workflows/order.yaml", ONE)
    project.handlers("")
    project.database()
    return project


@pytest.mark.parametrize(
    ("variable", "value", "command", "code", "sentence"),
    [
        ("SM_CONCURRENCY", "abc", "worker --once", 2, "SM_CONCURRENCY takes a whole number from 1 on, not 'abc'"),
        ("SM_CONCURRENCY", "0", "run", 2, "SM_CONCURRENCY takes a whole number from 1 on, not '0'"),
        ("SM_QUEUES", "a b", "worker --once", 2, "SM_QUEUES takes a queue's name"),
        ("SM_QUEUES", "a,a", "worker --once", 2, "SM_QUEUES names 'a' twice"),
        ("SM_LOCK_TIMEOUT", "soon", "list", 2, "SM_LOCK_TIMEOUT takes seconds or a span"),
        ("SM_LOG_FORMAT", "xml", "run", 2, "SM_LOG_FORMAT takes text or json, not 'xml'"),
        ("SM_MAX_PAYLOAD", "much", "run", 7, "SM_MAX_PAYLOAD is a number of bytes"),
        ("SM_EVALUATION_SECONDS", "0", "run", 7, "SM_EVALUATION_SECONDS is a number of seconds"),
        ("SM_WORKFLOW", "nope", "run", 3, "SM_WORKFLOW: there is no file 'nope'"),
        ("SM_DATABASE_URL", "mysql://h/d", "list", 7, "SM_DATABASE_URL: 'mysql://h/d' is not a database"),
        ("SM_HANDLERS", "nope", "worker --once", 8, "there is no handlers directory at nope"),
        ("SM_HTTP_ALLOW", "a b", "worker --once", 7, "SM_HTTP_ALLOW: 'a b' in http_allow is no host"),
    ],
)  # fmt: skip
def test_a_variable_is_named(
    made: Project, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, command: str, code: int, sentence: str
) -> None:
    monkeypatch.setenv(variable, value)
    result = made.sm(*command.split())
    assert sentence in result.err.splitlines()[0]
    assert (result.code, result.out) == (code, "")


@pytest.mark.parametrize(
    ("line", "command", "code", "sentence"),
    [
        ("concurrency = 0", "worker --once", 2, "sm.toml:3: concurrency takes a whole number from 1 on, not '0'"),
        ("concurrency = 'four'", "list", 7, "sm.toml:3: concurrency is a whole number, not 'four'"),
        ("queues = 'a:b'", "worker --once", 2, "sm.toml:3: queues takes a whole number from 1 on, not 'b'"),
        ("lock_timeout = 'soon'", "list", 2, "sm.toml:3: lock_timeout takes seconds or a span"),
        ("max_payload = 0", "run", 7, "sm.toml:3: max_payload is a number of bytes from 1 to"),
        ("evaluation_seconds = 4000", "run", 7, "sm.toml:3: evaluation_seconds is a number of seconds"),
        ("account = '12'", "run", 7, "sm.toml:3: account is an account: twelve digits, as text, not '12'"),
        ("account = 12", "run", 7, "sm.toml:3: account is text of twelve digits, not 12"),
        ("region = 'EU west'", "run", 7, "sm.toml:3: region is a region like eu-west-1, not 'EU west'"),
        ("silence_seconds = 0", "run", 7, "sm.toml:3: silence_seconds is a number of seconds"),
        ("workflow = 'nope'", "run", 3, "sm.toml:3: workflow: there is no file 'nope'"),
        ("database = 'mysql://h/d'", "list", 7, "sm.toml:3: database: 'mysql://h/d' is not a database"),
        ("handlers = 'nope'", "worker --once", 8, "sm.toml:3: handlers: there is no directory nope"),
        ("http_allow = ['a b']", "worker --once", 7, "sm.toml:3: 'a b' in http_allow is no host"),
        ("[http_connections.x]\nurl = 1", "worker --once", 7, "sm.toml:3: "),
        ("'worklow' = 'x'", "list", 7, "sm.toml:3 sets 'worklow', which sm does not know"),
        ("workflow = [", "list", 7, "sm.toml is not TOML: Invalid value (at "),
    ],
)  # fmt: skip
@pytest.mark.parametrize("bom", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_line_of_the_configuration_is_named(
    made: Project, line: str, command: str, code: int, sentence: str, bom: str, end: str
) -> None:
    made.write("sm.toml", f"{bom}# settings\n\n{line}\n".replace("\n", end).encode())
    result = made.sm(*command.split())
    assert sentence in result.err.splitlines()[0]
    assert (result.code, result.out) == (code, "")


def test_a_line_of_pyproject_is_named_below_its_own_table(made: Project) -> None:
    made.write("pyproject.toml", "[tool.other]\nconcurrency = 1\n\n[tool.sm]\nconcurrency = 0\n")
    result = made.sm("worker", "--once")
    assert result.err.startswith("sm: error: pyproject.toml:5: concurrency takes a whole number from 1 on, not '0'\n")


def test_what_the_command_line_says_wins_and_is_named(made: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    made.write("sm.toml", "concurrency = 0\n")
    monkeypatch.setenv("SM_CONCURRENCY", "abc")
    assert made.sm("worker", "--once", "--concurrency", "2").code == 0
    said = made.sm("worker", "--once", "--concurrency", "x").err
    assert said.startswith("sm: error: --concurrency takes a whole number from 1 on, not 'x'\n")
