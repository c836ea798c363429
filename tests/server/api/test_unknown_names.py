"""A name that there is not: what was meant, if there is one that is spelt alike, and where those are that there are."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.server.serving import MESSAGE, PASS, Served

API = "/api/v1"


@pytest.mark.parametrize("rest", ["", "/versions", "/diff", "/graph", "/aliases"])
def test_a_file_that_was_never_started_is_said_to_have_no_version(on_file: Served, rest: str) -> None:
    """Lists have it, and it can be started: it is not that there is none."""
    on_file.write("fresh.json", json.dumps(PASS))
    assert [each["name"] for each in on_file.get(f"{API}/workflows")["items"]] == ["fresh"]
    answer = on_file.get(f"{API}/workflows/fresh{rest}", 404)
    assert answer["detail"].startswith("the workflow 'fresh' has no version yet: ")
    on_file.post(f"{API}/executions", {"workflow": "fresh"}, 201)
    on_file.get(f"{API}/workflows/fresh")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("ordr", "did you mean 'order'? GET /api/v1/workflows shows what there is."),
        ("Order", "did you mean 'order'? GET /api/v1/workflows shows what there is."),
        ("ordr:1", "did you mean 'order'? GET /api/v1/workflows shows what there is."),
        ("frsh", "did you mean 'fresh'? GET /api/v1/workflows shows what there is."),  # a file that was never run
        ("xyz", "GET /api/v1/workflows shows what there is."),
        ("order:prd", "GET /api/v1/workflows/{workflow}/aliases shows what there is."),
        ("order:7", "GET /api/v1/workflows/{workflow}/versions shows what there is."),
    ],
)
def test_a_start_of_an_unknown_workflow_says_what_may_be_meant(here: Served, name: str, hint: str) -> None:
    here.post(f"{API}/workflows", {"name": "order", "definition": PASS, "alias": "prod"}, 201)
    here.write("fresh.json", json.dumps(PASS))
    problem = here.post(f"{API}/executions", {"workflow": name}, 404)
    assert (problem["code"], problem["hint"]) == ("NotFound", hint)


@pytest.mark.parametrize(
    ("method", "path", "detail", "hint"),
    [
        ("GET", "/workflows/ordr", "there is no workflow 'ordr'", "did you mean 'order'? "),
        ("GET", "/workflows/order/versions/prd", "the workflow order has no alias 'prd'; it has prod", ""),
        ("GET", "/workflows/order/versions/9", "the workflow order has no version 9; it has 1", ""),
        ("DELETE", "/workflows/order/aliases/prd", "the workflow order has no alias 'prd'; it has prod", ""),
        ("POST", "/workflows/ordr/rollback", "there is no workflow 'ordr'", "did you mean 'order'? "),
        ("GET", "/schedules/nightli", "there is no schedule 'nightli'", "did you mean 'nightly'? "),
        ("POST", "/schedules/nightli/pause", "there is no schedule 'nightli'", "did you mean 'nightly'? "),
        ("DELETE", "/schedules/nightli", "there is no schedule 'nightli'", "did you mean 'nightly'? "),
        ("GET", "/batches/b", "no batch is named 'b'", ""),
        ("GET", "/map-runs/m", "no map run and no execution is named 'm'", ""),
        ("GET", "/messages/77", "there is no message '77'", ""),
        ("GET", "/executions/e", "no execution is named 'e'", ""),
        ("POST", "/executions/e/redrive", "no execution is named 'e'", ""),
    ],
)
def test_an_unknown_name_says_where_those_are_that_there_are(
    here: Served, method: str, path: str, detail: str, hint: str
) -> None:  # fmt: skip
    here.post(f"{API}/workflows", {"name": "order", "definition": PASS, "alias": "prod"}, 201)
    here.post(f"{API}/schedules", {"name": "nightly", "workflow": "order", "cron": "0 2 * * *"}, 201)
    problem = here.ask(method, f"{API}{path}", 404).json()
    assert problem["detail"] == detail
    lists = problem["hint"].removeprefix(hint)
    assert lists.startswith("GET /api/v1/") and lists.endswith(" shows what there is.")


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("/executions?status=FAILD", "did you mean 'FAILED'?"),
        ("/executions?status=failed", "did you mean 'FAILED'?"),
        ("/messages?status=bufferd", "did you mean 'buffered'?"),
        ("/statistics?by=workflw", "did you mean 'workflow'?"),
        ("/batches/b/results?status=SKIPED", "did you mean 'SKIPPED'?"),
        ("/batches/b/results?status=x", "/docs shows every request with what it takes."),
    ],
)
def test_a_word_that_a_filter_does_not_know_is_no_empty_list(on_file: Served, path: str, hint: str) -> None:
    problem = on_file.get(f"{API}{path}", 400)
    assert (problem["code"], problem["hint"]) == ("UsageError", hint)
    assert "Input should be '" in problem["detail"]


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ({"name": "n", "workflow": "w", "every": 60, "overlap": "skp"}, "did you mean 'skip'?"),
        ({"name": "n", "workflow": "w", "every": 60, "overlap": 7}, "/docs shows every request with what it takes."),
    ],
)
def test_a_word_that_a_member_does_not_know_is_told_with_the_one_that_is_meant(
    on_file: Served, body: Any, hint: str
) -> None:  # fmt: skip
    assert on_file.post(f"{API}/schedules", body, 400)["hint"] == hint


def test_any_queue_will_do_and_is_shown_as_it_was_given(on_file: Served) -> None:
    ref = on_file.post(f"{API}/executions", {"definition": MESSAGE, "input": {"id": 1}, "queue": "nobodys"}, 201)["id"]
    assert on_file.get(f"{API}/executions/{ref}")["status"] == "RUNNING"
