"""http:invoke in the commands: the configuration decides, the user's own handler wins, no secret is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Project
from tests.handlers.http_server import Answering, Site, serving

SECRET = "Bearer s3cret-0123456789"


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as made:
        made.pages["/orders"] = lambda page: page.json({"id": 7})
        yield made


@pytest.fixture
def calling(project: Project, site: Site) -> Project:
    """One Task that posts its input; there is no handlers directory."""
    project.workflow(f"""
        StartAt: Call
        States:
          Call:
            Type: Task
            Resource: arn:aws:states:::http:invoke
            Parameters:
              ApiEndpoint: http://{site.host}/orders
              Method: POST
              RequestBody.$: $
              InvocationConfig: {{ConnectionArn: 'arn:aws:events:eu-west-1:1:connection/shop/0-1'}}
            ResultSelector: {{id.$: $.ResponseBody.id, status.$: $.StatusCode}}
            End: true
        """)
    project.write(
        "sm.toml",
        f"""
        http_allow = ["{site.host}"]

        [http_connections.shop]
        headers = {{ Authorization = "env:SHOP_KEY", X-Version = "2" }}
        """,
    )
    return project


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_KEY", SECRET)


def test_a_run_calls_the_host_that_the_configuration_allows(calling: Project, site: Site, key: None) -> None:
    result = calling.sm("run", "a=1")
    assert (result.code, result.json) == (0, {"id": 7, "status": 200})
    assert (json.loads(site.last.body), site.last.header("Authorization")) == ({"a": 1}, [SECRET])


def test_nothing_says_that_a_handler_is_missing(calling: Project) -> None:
    calling.handlers("@handler\ndef other(x): return x\n")
    assert calling.sm("validate", "--strict").out == "workflows/order.yaml: OK\n"


def test_without_the_configuration_the_run_fails_with_the_key_to_set(calling: Project, site: Site, key: None) -> None:
    (calling.path / "sm.toml").unlink()
    result = calling.sm("run", "a=1")
    assert result.code == 1
    assert "error: States.Permissions" in result.err
    assert f"add '{site.host}' to http_allow in sm.toml or [tool.sm], or to SM_HTTP_ALLOW" in result.err
    assert site.asked == []


def test_the_variable_wins_over_the_file(
    calling: Project, site: Site, key: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SM_HTTP_ALLOW", "api.example.com")
    assert "States.Permissions" in calling.sm("run", "a=1").err
    monkeypatch.setenv("SM_HTTP_ALLOW", f"api.example.com, {site.host}")
    assert calling.sm("run", "a=1").code == 0
    monkeypatch.setenv("SM_HTTP_ALLOW", "https://api.example.com")
    result = calling.sm("run", "a=1")
    assert result.code == 7
    assert result.err.startswith("sm: error: SM_HTTP_ALLOW: 'https://api.example.com' in http_allow is no host")


def test_a_connection_that_is_none_is_said_with_its_place_and_without_its_value(calling: Project, site: Site) -> None:
    calling.write("sm.toml", f'[http_connections.shop]\nAuthorization = "{SECRET}"\n')
    result = calling.sm("run", "a=1")
    assert result.code == 7
    assert "sm.toml:1: http_connections.shop is a table with headers and nothing else" in result.err
    assert SECRET not in result.err


def test_a_worker_calls_too(calling: Project, site: Site, key: None) -> None:
    ref = calling.sm("run", "--detach", "a=1").out.strip()
    assert calling.sm("worker", "--drain").code == 0
    assert calling.sm("output", ref).json == {"id": 7, "status": 200}
    assert site.last.header("Idempotency-Key")[0].startswith(ref)


def test_a_state_is_tested_with_the_real_call(calling: Project, site: Site, key: None) -> None:
    result = calling.sm("test-state", "order", "Call", "--input", '{"a": 1}')
    assert (result.code, result.json) == (0, {"id": 7, "status": 200})


def test_the_users_own_handler_wins(calling: Project, site: Site) -> None:
    calling.handlers("""
        @handler("http:invoke")
        def own(request):
            return {"ResponseBody": {"id": "own"}, "StatusCode": 299}
        """)
    own = {"id": "own", "status": 299}
    assert calling.sm("run", "a=1").json == own
    assert calling.sm("test-state", "order", "Call").json == own
    ref = calling.sm("run", "--detach", "a=1").out.strip()
    assert calling.sm("worker", "--drain").code == 0
    assert calling.sm("output", ref).json == own
    assert site.asked == []


def test_no_secret_is_in_what_is_told_or_kept(calling: Project, site: Site, key: None) -> None:
    def echo(answering: Answering) -> None:
        answering.answer(500, f"you said {answering.headers['Authorization']}")

    site.pages["/orders"] = echo
    result = calling.sm("run", "-v", "--log-format", "json", "a=1", "--name", "told")
    assert result.code == 1
    assert "cause: you said [hidden]" in result.err
    shown = calling.sm("history", "told", "--json")
    assert "States.Http.StatusCode.500" in shown.out
    assert "0123456789" not in result.err + shown.out
    files = [file for file in Path(calling.path, ".sm").iterdir() if file.is_file()]
    assert files
    assert not [file for file in files if b"0123456789" in file.read_bytes()]
    assert site.last.header("Authorization") == [SECRET]
