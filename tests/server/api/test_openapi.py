"""The OpenAPI document says what requests are answered with; every other test of REST holds its answers against it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from sm_cli.server.api.openapi.answers import ANSWERS
from tests.server.conforming import check_answer, document
from tests.server.serving import PASS, Served

API = "/api/v1"


def operations() -> dict[str, tuple[str, Any]]:
    return {
        operation["operationId"]: (method, operation)
        for item in document()["paths"].values() for method, operation in item.items()
    }  # fmt: skip


def test_every_request_says_what_it_is_answered_with() -> None:
    assert {*operations()} == {*ANSWERS}
    for name, (_, operation) in operations().items():
        answers = {status for status in operation["responses"] if status != "default"}
        assert answers == {str(status) for status in ANSWERS[name]}, name
        problem = operation["responses"]["default"]["content"]["application/problem+json"]["schema"]
        assert problem == {"$ref": "#/components/schemas/ProblemAnswer"}


def test_every_part_that_is_named_is_there() -> None:
    text = json.dumps(document())
    names = {*re.findall(r'"#/components/schemas/([^"]+)"', text)}
    assert names <= {*document()["components"]["schemas"]}
    assert "HTTPValidationError" not in text


def test_whatever_changes_something_takes_a_key() -> None:
    for name, (method, operation) in operations().items():
        takes = "Idempotency-Key" in {each["name"] for each in operation.get("parameters", ())}
        assert takes == (method != "get" and name != "post_validation"), name


def test_a_server_gives_the_same_document(on_file: Served) -> None:
    given = on_file.get(f"{API}/openapi.json")
    assert {path: item for path, item in given["paths"].items() if path.startswith(API)} == document()["paths"]
    probes = {"/healthz", "/readyz", "/metrics"}
    assert {path for path in given["paths"] if not path.startswith(API)} == probes, "pages are for people"
    for name in ("ProblemAnswer", "ExecutionAnswer", "BatchAnswer"):
        assert f"/{name}" in json.dumps(given)


@pytest.mark.parametrize(
    ("status", "media_type", "body"),
    [
        (200, "application/json", {"count": "1"}),
        (200, "application/json", {"count": 1, "more": 1}),
        (200, "application/json", {}),
        (200, "text/plain", {"count": 1}),
        (201, "application/json", {"count": 1}),
        (404, "application/json", {"count": 1}),
        (404, "application/problem+json", {"detail": "x"}),
    ],
)
def test_an_answer_that_the_document_lacks_is_found(status: int, media_type: str, body: Any) -> None:
    check_answer("get_execution_count", 200, "application/json", b'{"count": 1}')
    with pytest.raises(AssertionError):
        check_answer("get_execution_count", status, media_type, json.dumps(body).encode())


def test_a_page_says_with_what_each_request_is_answered(on_file: Served) -> None:
    on_file.start(PASS)
    page = on_file.ask("GET", "/docs", 200).text
    for status in ("201", "202"):
        assert f"<code>{status}</code>" in page
    links = {*re.findall(r'href="#([^"]+)"', page)}
    assert links >= {"ProblemAnswer", "StartBody", "ExecutionAnswer", "ResultAnswer"}
    assert links <= {*re.findall(r'id="([^"]+)"', page)}
