"""Whatever a client sends, it gets one sentence, and nothing of ours breaks or is lost."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.engine.workers import soon
from tests.postgres.server import Server
from tests.server.serving import MESSAGE, PASS, Served, served

API = "/api/v1"
JSON = {"Content-Type": "application/json"}


def refused(here: Served, content: bytes | str, status: int = 400, headers: dict[str, str] | None = None) -> Any:
    """The problem that a start with this body is answered with; it has started nothing."""
    response = here.ask(
        "POST", f"{API}/executions", status, content=content, headers=JSON if headers is None else headers
    )
    assert response.headers["content-type"] == "application/problem+json"
    assert here.get(f"{API}/executions/count") == {"count": 0}
    problem = response.json()
    assert set(problem) >= {"type", "title", "status", "detail", "code"}
    assert "\n" not in problem["detail"]
    assert "Traceback" not in response.text
    return problem


@pytest.mark.parametrize(
    "body",
    ["{", "", "nonsense", "[1, 2", '{"input": NaN}', '{"input": 1e999}', '{"name": "a", "name": "b"}', "\ufeff{]"],
)
def test_what_is_not_json_says_where(on_file: Served, body: str) -> None:
    problem = refused(on_file, body)
    assert problem["code"] == ("InvalidJson" if body else "UsageError")


def test_what_is_not_utf8_is_not_json(on_file: Served) -> None:
    assert refused(on_file, b'{"name": "\xff"}')["code"] == "InvalidJson"


def test_a_number_that_cannot_be_kept_exactly_is_refused(on_file: Served) -> None:
    assert "64 bits" in refused(on_file, '{"workflow": "w", "input": 123456789012345678901234567890}')["detail"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_body_of_another_kind_is_refused(on_file: Served, kind: str) -> None:
    body = json.dumps({"definition": PASS})
    assert refused(on_file, body, 415, {"Content-Type": kind})["code"] == "UnsupportedMediaType"


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"workflow": "w", "inputt": {}}, "inputt"),
        ({"workflow": 7}, "workflow"),
        ({"workflow": "w", "timeout": "soon"}, "timeout"),
        ({"workflow": "w", "timeout": -1}, "timeout"),
        ({"definition": PASS, "timeout": 1e300}, "99,999,999 seconds"),
        ({"workflow": "w", "tags": {"a": 1}}, "tags/a"),
        ({"workflow": "w", "queue": "a queue"}, "queue"),
        ({"workflow": "w", "inputt": {}}, "there is no such member"),
        ([], "body: it has to be a JSON object"),
        ("text", "body"),
    ],
)
def test_a_member_that_there_is_not_or_of_another_type_is_named(on_file: Served, body: Any, place: str) -> None:
    problem = refused(on_file, json.dumps(body))
    assert problem["code"] == "UsageError"
    assert place in problem["detail"]


def test_a_request_without_a_body_has_an_object_without_members(on_file: Served) -> None:
    execution = on_file.start(MESSAGE, {"id": 1}).ref
    address = f"{API}/executions/{execution}"
    assert on_file.ask("POST", f"{address}/stop", 200).json()["status"] == "ABORTED"
    assert on_file.ask("POST", f"{address}/redrive", 200, headers=JSON).json()["again"][0]["state"] == "M"
    problem = on_file.ask("POST", f"{API}/messages", 400).json()
    assert problem["detail"] == "body key: it is missing; body value: it is missing"
    assert "/docs" in problem["hint"]


@pytest.mark.parametrize(
    ("method", "path", "hint"),
    [
        ("GET", "/executions?statsu=FAILED", "did you mean 'status'?"),
        ("POST", "/executions/stop?status=RUNNING&wrkflow=w", "did you mean 'workflow'?"),
        ("POST", "/executions/@last/stop?force=1", "/docs shows every request with what it takes: it takes none."),
    ],
)
def test_a_parameter_that_there_is_not_is_refused(on_file: Served, method: str, path: str, hint: str) -> None:
    execution = on_file.start(MESSAGE, {"id": 1}).ref
    problem = on_file.ask(method, f"{API}{path}", 400).json()
    assert (problem["code"], problem["hint"]) == ("UsageError", hint)
    assert on_file.get(f"{API}/executions/{execution}")["status"] == "RUNNING"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/executions?workflow=a&workflow=b", "workflow"),
        ("/executions?limit=1&limit=2", "limit"),
        ("/statistics?since=1h&since=2h", "since"),
        ("/executions/@last/events?after=1&after=2", "after"),
    ],
)
def test_a_parameter_that_is_given_twice_is_refused(on_file: Served, path: str, name: str) -> None:
    on_file.start(PASS)
    problem = on_file.get(f"{API}{path}", 400)
    assert problem["detail"] == f"query {name}: it takes one value, and 2 are given"
    assert on_file.get(f"{API}/executions?status=RUNNING&status=SUCCEEDED&tag=a=1&tag=b=2")["items"] == []


def test_a_value_of_several_kinds_that_is_of_none_gets_one_sentence(on_file: Served) -> None:
    values: tuple[Any, ...] = (None, {}, [])
    for value in values:
        problem = on_file.post(f"{API}/messages", {"key": "k", "value": value}, 400)
        kinds = "a text or a whole number or a number or true or false"
        assert problem["detail"] == f"body value: it has to be {kinds}"


def test_a_text_that_no_name_contains_is_refused(here: Served) -> None:
    for path in ("/executions", "/executions/count", "/statistics"):
        problem = here.get(f"{API}{path}", 400, params={"name": "x" * 10_001})
        assert problem["detail"] == "no name contains a text of 10,001 characters; 10,000 are the most"
        here.get(f"{API}{path}", params={"name": "x" * 10_000})


def test_a_batch_of_nothing_is_refused(on_file: Served) -> None:
    on_file.write("order.json", json.dumps(PASS))
    problem = on_file.post(f"{API}/batches", {"workflow": "order", "items": []}, 400)
    assert problem["detail"] == "items is empty: a batch works through one item at least"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "has 1 to 80 characters; this one has 0"),
        ("x" * 81, "has 1 to 80 characters; this one has 81"),
        ("a:b", "a colon stands before a version or an alias"),
        ("a/b", "its name is one part of a path and of an address"),
        (".", "its name is one part of a path"),
        ("..", "its name is one part of a path"),
        (" a", "a blank at an end"),
        (" ", "a blank at an end"),
        ("a\nb", "a sign that cannot be seen"),
    ],
)
def test_a_workflow_that_could_not_be_asked_for_is_not_registered(on_file: Served, name: str, why: str) -> None:
    problem = on_file.post(f"{API}/workflows", {"name": name, "definition": PASS}, 400)
    assert why in problem["detail"]
    assert on_file.get(f"{API}/workflows")["items"] == []


@pytest.mark.parametrize("name", ["a b", "<b>", "é", "{x}", "%00", "a.b", "..a", "a\\b", "?", "#", "&"])
def test_a_workflow_of_any_other_name_is_found_by_it(on_file: Served, name: str) -> None:
    location = on_file.ask("POST", f"{API}/workflows", 201, json={"name": name, "definition": PASS}).headers["location"]
    assert on_file.get(location)["workflow"] == name
    assert on_file.ask("GET", f"/workflows/{quote(name, safe='')}", 200)


def test_an_address_that_there_is_not_leads_to_those_that_there_are(on_file: Served) -> None:
    assert "/docs" in on_file.get(f"{API}/nothing", 404)["hint"]
    response = on_file.ask("PUT", f"{API}/executions", 405)
    assert "/docs" in response.json()["hint"] and response.headers["allow"]


@pytest.mark.parametrize(
    "body", [{}, {"workflow": "w", "definition": PASS}, {"workflow": "w", "workflow_name": "x"}, {"definition": {}}]
)
def test_a_start_of_nothing_or_of_two_things_is_refused(on_file: Served, body: Any) -> None:
    refused(on_file, json.dumps(body))


@pytest.mark.parametrize("depth", [201, 5_000, 100_000])
def test_a_body_that_is_nested_deep_is_refused(on_file: Served, depth: int) -> None:
    body = '{"workflow": "w", "input": ' + "[" * depth + "]" * depth + "}"
    assert refused(on_file, body)["code"] == "InvalidJson"


def test_a_body_of_more_than_ten_megabytes_is_refused(on_file: Served) -> None:
    body = b'{"workflow": "w", "input": "' + b"x" * 10_000_000 + b'"}'
    assert refused(on_file, body, 413)["code"] == "TooLarge"


def test_a_body_of_nearly_ten_megabytes_is_kept_whole(on_file: Served) -> None:
    text = "x" * 9_000_000
    ref = on_file.post(f"{API}/executions", {"definition": PASS, "input": text}, 201)["id"]
    assert on_file.get(f"{API}/executions/{ref}/output") == text


@pytest.mark.parametrize("name", ["a b/c", "x" * 81, "", "<b>", "a\nb"])
def test_a_name_that_aws_would_refuse_is_refused(on_file: Served, name: str) -> None:
    refused(on_file, json.dumps({"definition": PASS, "name": name}))


@pytest.mark.parametrize(
    "ref", ["nothing", "..%2f..%2fetc", "%00", "'; DROP TABLE executions; --", "é" * 300, "*", "%"]
)
def test_an_unknown_id_is_not_found(on_file: Served, ref: str) -> None:
    on_file.start(PASS)
    assert on_file.get(f"{API}/executions/{ref}", 404)["code"] == "NotFound"
    assert on_file.get(f"{API}/executions/count") == {"count": 1}


def test_a_database_that_is_locked_is_told_and_back_by_itself(tmp_path: Path, on_file: Served) -> None:
    on_file.backend.store.patience = on_file.backend.store.patience._replace(limit=lambda: 0.05)
    body = {"definition": PASS}
    with closing(sqlite3.connect(tmp_path / "sm.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        response = on_file.ask("POST", f"{API}/executions", 503, json=body)
        assert response.json()["code"] == "DatabaseBusy"
        assert response.headers["retry-after"] == "1"
        on_file.get("/readyz")  # a read never waits for who writes
        assert on_file.get(f"{API}/executions")["items"] == []
        other.execute("ROLLBACK")
    on_file.post(f"{API}/executions", body, 201)


def test_a_read_never_waits_for_the_writer(tmp_path: Path, on_file: Served) -> None:
    with closing(sqlite3.connect(tmp_path / "sm.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answers: list[int] = []

        def start() -> None:
            answers.append(on_file.http.post(f"{API}/executions", json={"definition": PASS}).status_code)

        threads = [threading.Thread(target=start) for _ in range(12)]  # more than there are threads that read
        for thread in threads:
            thread.start()
        for _ in range(20):
            on_file.get(f"{API}/executions")
        assert answers == []
        other.execute("ROLLBACK")
    for thread in threads:
        thread.join()
    assert answers == [201] * 12


def test_a_database_that_is_gone_is_told(tmp_path: Path, on_file: Served) -> None:
    on_file.start(MESSAGE, {"id": 1})
    for file in tmp_path.glob("sm.db*"):
        file.unlink()
    soon(lambda: on_file.http.get("/readyz").status_code == 503)
    problem = on_file.get("/readyz", 503)
    assert problem["code"].startswith("Database")
    on_file.get("/healthz")


def test_a_database_that_was_moved_away_is_told_and_found_again_when_it_is_back(
    tmp_path: Path, on_file: Served
) -> None:  # fmt: skip
    on_file.post(f"{API}/executions", {"definition": PASS}, 201)
    (tmp_path / "sm.db").rename(tmp_path / "away.db")
    soon(lambda: on_file.http.get("/readyz").status_code == 503)
    response = on_file.ask("POST", f"{API}/executions", 503, json={"definition": PASS})
    assert response.headers["content-type"] == "application/problem+json"
    (tmp_path / "away.db").rename(tmp_path / "sm.db")
    soon(lambda: on_file.http.get("/readyz").status_code == 200)
    on_file.post(f"{API}/executions", {"definition": PASS}, 201)
    assert on_file.get(f"{API}/executions/count") == {"count": 2}


def test_a_server_of_postgres_that_is_killed_is_told_and_found_again_when_it_is_back(tmp_path: Path) -> None:
    postgres = Server(quick=False)
    key = {"Idempotency-Key": "k1"}
    try:
        with served(f"{postgres.url}&schema=rest", tmp_path) as here:
            first = here.post(f"{API}/executions", {"definition": MESSAGE, "input": {"id": 1}}, 201, headers=key)
            postgres.kill()
            for method, path in (("GET", "/executions"), ("POST", "/executions"), ("GET", "/executions/count")):
                response = here.ask(
                    method, f"{API}{path}", 503, json={"definition": PASS} if method == "POST" else None
                )
                assert (response.json()["code"], response.headers["retry-after"]) == ("DatabaseAway", "1")
            here.get("/readyz", 503)
            here.get("/healthz")
            postgres.start()
            soon(lambda: here.http.get("/readyz").status_code == 200)
            again = here.post(f"{API}/executions", {"definition": MESSAGE, "input": {"id": 1}}, 201, headers=key)
            assert again == first
            here.post(f"{API}/executions", {"definition": PASS}, 201)
            assert here.get(f"{API}/executions/count") == {"count": 2}
    finally:
        postgres.stop()


@pytest.mark.parametrize(
    ("method", "path", "place"),
    [
        ("GET", "/executions?since=999999999d", "since"),
        ("GET", "/executions?until=99999999d", "until"),
        ("GET", "/statistics?since=99999999d", "since"),
        ("GET", "/executions/@last/history?limit=99999999999999999999999", "limit"),
        ("GET", "/executions/@last/events?limit=99999999999999999999999", "limit"),
        ("DELETE", "/workflows/w/versions/99999999999999999999999", "version"),
    ],
)
def test_a_number_beyond_all_bounds_is_named(on_file: Served, method: str, path: str, place: str) -> None:
    on_file.start(PASS)
    problem = on_file.ask(method, f"{API}{path}", 400).json()
    assert (problem["code"], place in problem["detail"]) == ("UsageError", True)


def test_a_body_without_its_length_is_limited_too(on_file: Served) -> None:
    portion = b"x" * 1_000_000

    def body() -> Iterator[bytes]:
        yield b'{"workflow": "w", "input": "'
        for _ in range(11):
            yield portion

    response = on_file.http.post(f"{API}/executions", content=body(), headers=JSON)
    assert (response.status_code, response.json()["code"]) == (413, "TooLarge")
    on_file.get("/readyz")
