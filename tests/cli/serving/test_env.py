"""`sm env`: the variables that lead AWS's clients to a server."""

from __future__ import annotations

import subprocess

import pytest

from tests.cli.conftest import Project

TOKEN = "correct-horse-battery-staple"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SM_TOKEN", "SM_TOKEN_FILE", "SM_HOST", "SM_PORT", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)


def test_a_shell_that_reads_it_has_the_variables(project: Project) -> None:
    lines = project.sm("env", "--port", "9000").out
    shell = subprocess.run(["sh", "-c", f"{lines}\nenv"], capture_output=True, text=True, check=True, env={})
    assert "AWS_ENDPOINT_URL_SFN=http://127.0.0.1:9000" in shell.stdout.splitlines()
    undo = project.sm("env", "--unset").out
    shell = subprocess.run(["sh", "-c", f"{lines}\n{undo}\nenv"], capture_output=True, text=True, check=True, env={})
    assert "AWS_" not in shell.stdout


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_an_address_that_stands_for_all_is_one_that_can_be_asked(project: Project, host: str) -> None:
    assert project.sm("env", "--json", "--host", host).json["AWS_ENDPOINT_URL_SFN"] == "http://localhost:8083"


def test_the_token_is_the_access_key(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SM_TOKEN", TOKEN)
    assert project.sm("env", "--json").json["AWS_ACCESS_KEY_ID"] == TOKEN


def test_a_region_that_is_set_stays(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert project.sm("env", "--json", "--host", "::1").json == {
        "AWS_ENDPOINT_URL_SFN": "http://[::1]:8083",
        "AWS_ACCESS_KEY_ID": "sm",
        "AWS_SECRET_ACCESS_KEY": "sm",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
    }
