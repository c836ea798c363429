"""Who looks after the server asks whether it lives, and whether it can work."""

from __future__ import annotations

from tests.server.conftest import Serve
from tests.server.serving import Served


def test_a_server_lives_and_is_ready(here: Served) -> None:
    assert here.get("/healthz") == {"status": "ok"}
    assert here.get("/readyz") == {"status": "ok"}


def test_who_looks_after_a_server_needs_no_token(serve: Serve) -> None:
    here = serve(token="a-token-of-some-length")
    assert here.get("/healthz") == {"status": "ok"}
    assert here.get("/readyz") == {"status": "ok"}
    assert here.get("/api/v1/openapi.json", 401)["code"] == "Unauthorized"


def test_what_is_not_there_is_a_problem_and_no_page(on_file: Served) -> None:
    response = on_file.ask("GET", "/nothing/here", 404)
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == "NotFound"
    assert on_file.ask("DELETE", "/healthz", 405).json()["code"] == "MethodNotAllowed"
