"""What goes wrong, for people: a page with a way on; programs get their documents as before."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sm_cli.errors import DatabaseAway
from sm_cli.server.pages.executions import listing
from tests.engine.workers import soon
from tests.server.conftest import Serve
from tests.server.serving import TASK, Served

AS_BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize(
    ("path", "back"),
    [
        ("/nowhere", "/"), ("/executions/a/b/c/d", "/"), ("/workflows/a/b/c", "/workflows"),
        ("/map-runs/nobody", "/batches"),
        ("/batches/nobody", "/batches"), ("/messages/999", "/waiting"), ("/workflows/nobody", "/workflows"),
        ("/executions/nobody", "/"), ("/schedules/nobody", "/schedules"), ("/executions/@last?view=nothing", "/"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_a_page_with_a_way_back(world: Served, path: str, back: str) -> None:
    answer = world.ask("GET", path, 404, headers=AS_BROWSER)
    assert "There is nothing here" in answer.text
    assert f'<a class="button" href="{back}">' in answer.text
    assert "unsafe" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize("body", [b"\xff\xfe", b"key=\xe4", b"&".join(b"f%d=" % n for n in range(1001))])
def test_a_form_that_cannot_be_read_is_refused_in_a_sentence(world: Served, body: bytes) -> None:
    kind = {"content-type": "application/x-www-form-urlencoded"}
    for path in ("/messages", "/tasks", "/save-workflow", "/workflows/w/start", "/new-schedule"):
        answer = world.ask("POST", path, 400, content=body, headers={**AS_BROWSER, **kind})
        assert "a form in UTF-8, with 1,000 fields at most" in answer.text


def test_an_address_that_takes_a_form_says_so(world: Served) -> None:
    answer = world.ask("GET", "/executions/x/stop", 405, headers=AS_BROWSER)
    assert "takes what a form of another page sends" in answer.text
    assert answer.headers["allow"] == "OPTIONS, POST"


@pytest.mark.parametrize("path", ["/workflows/w?version=x", "/workflows/w/versions?a=x", "/executions/x/state?visit=x"])
def test_a_parameter_of_the_wrong_kind_is_a_page(world: Served, path: str) -> None:
    assert "That did not work" in world.ask("GET", path, 400, headers=AS_BROWSER).text


@pytest.mark.parametrize("path", ["/nowhere", "/api/v1/nowhere"])
def test_a_program_gets_a_document(world: Served, path: str) -> None:
    assert world.get(path, 404)["code"] == "NotFound"
    assert world.get("/api/v1/nowhere", 404, headers=AS_BROWSER)["code"] == "NotFound"
    assert world.ask("POST", "/", 400, headers=AS_BROWSER).headers["content-type"].startswith("application/x-amz-json")


def test_without_pages_everybody_gets_a_document(serve: Serve) -> None:
    assert serve(has_ui=False).get("/nowhere", 404, headers=AS_BROWSER)["code"] == "NotFound"


def test_a_database_that_is_away_is_a_page_that_tries_again(world: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> None:
        raise DatabaseAway("the database cannot be reached", hint="nothing was lost")

    monkeypatch.setattr(listing, "workflow_names", away)
    answer = world.ask("GET", "/?workflow=w&status=FAILED&status=ABORTED", 503, headers=AS_BROWSER)
    assert answer.headers["retry-after"] == "1"
    assert "the database cannot be reached" in answer.text
    assert "nothing was lost" in answer.text
    assert 'href="/?workflow=w&amp;status=FAILED&amp;status=ABORTED">Try again' in answer.text


def test_a_database_that_is_locked_is_a_page(tmp_path: Path, on_file: Served) -> None:
    execution = on_file.start(TASK)
    on_file.backend.store.patience = on_file.backend.store.patience._replace(limit=lambda: 0.05)
    with closing(sqlite3.connect(tmp_path / "sm.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = on_file.ask("POST", f"/executions/{execution.ref}/stop", 503, headers=AS_BROWSER)
        assert "The database does not answer" in answer.text
        assert answer.headers["retry-after"] == "1"
        assert execution.ref in on_file.ask("GET", "/", 200, headers=AS_BROWSER).text, (
            "a read never waits for the writer"
        )
        other.execute("ROLLBACK")
    assert "is stopped" in on_file.ask("POST", f"/executions/{execution.ref}/stop", 200, headers=AS_BROWSER).text


def test_a_database_that_is_gone_is_a_page(tmp_path: Path, on_file: Served) -> None:
    on_file.start(TASK)
    for file in tmp_path.glob("sm.db*"):
        file.unlink()
    soon(lambda: on_file.http.get("/").status_code == 503)
    assert "Try again" in on_file.ask("GET", "/", 503, headers=AS_BROWSER).text


def test_a_bug_of_ours_is_a_page_without_its_data(world: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def bug(*_: Any) -> None:
        raise TypeError("secret data")

    monkeypatch.setattr(listing, "workflow_names", bug)
    answer = world.ask("GET", "/", 500, headers=AS_BROWSER)
    assert "this is a bug in sm: TypeError" in answer.text
    assert "secret data" not in answer.text


def test_a_view_that_was_asked_for_before_the_token_is_led_to_after_it(serve: Serve) -> None:
    here = serve(token="a-token-long-enough-for-this")
    answer = here.ask("GET", "/?workflow=w&status=FAILED", 303, headers=AS_BROWSER)
    assert answer.headers["location"] == "/login?next=/%3Fworkflow%3Dw%26status%3DFAILED"
    assert 'value="/?workflow=w&amp;status=FAILED"' in here.ask("GET", answer.headers["location"], 200).text


@pytest.mark.parametrize(("cut", "place"), [("/executions", "/"), ("/map-runs", "/batches"), ("/messages", "/waiting")])
def test_who_cuts_the_end_off_an_address_comes_to_the_list(on_file: Served, cut: str, place: str) -> None:
    answer = on_file.ask("GET", f"{cut}?status=FAILED", 307)
    assert answer.headers["location"] == f"{place}?status=FAILED"
    on_file.ask("GET", cut, 200, follow_redirects=True)
