"""HEAD is answered as GET is, without a body, and ends what would have made one."""

from __future__ import annotations

import httpx
import pytest

from tests.engine.workers import soon
from tests.server.conftest import Serve
from tests.server.serving import MESSAGE, Served

API = "/api/v1"


def head(here: Served, path: str, **more: str) -> httpx.Response:
    # Without the client of the test, which holds answers against a document that has no HEAD.
    return httpx.head(f"{here.address}{path}", headers=more, timeout=60, trust_env=False)


@pytest.mark.parametrize(
    "path", ["/", "/healthz", "/docs", f"{API}/executions", f"{API}/workflows", "/static/dash.css", "/metrics"]
)
def test_a_head_is_that_of_the_answer_to_get(on_file: Served, path: str) -> None:
    on_file.start(MESSAGE, {"id": 1})
    whole, answer = httpx.get(f"{on_file.address}{path}", trust_env=False), head(on_file, path)
    assert (answer.status_code, answer.content) == (whole.status_code, b"") == (200, b"")
    for name in ("content-type", "content-security-policy", "x-content-type-options"):
        assert answer.headers.get(name) == whole.headers.get(name)


def test_a_head_of_what_is_not_there_or_takes_no_get_says_so(on_file: Served) -> None:
    assert head(on_file, f"{API}/executions/nobody").status_code == 404
    assert head(on_file, "/nothing").status_code == 404
    assert head(on_file, f"{API}/tasks/success").status_code == 405


def test_a_head_of_a_stream_ends_it(on_file: Served) -> None:
    execution = on_file.start(MESSAGE, {"id": 1})
    for path in (f"{API}/executions/{execution.ref}/events/stream", "/live"):
        answer = head(on_file, path)
        assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, "text/event-stream")
    soon(lambda: on_file.backend.places.taken == 0 and on_file.backend.feed.followers == 0)
    assert on_file.get(f"{API}/executions/{execution.ref}")["status"] == "RUNNING"


def test_a_head_needs_the_token_too(serve: Serve) -> None:
    here = serve(token="correct-horse-battery-staple")
    assert head(here, f"{API}/executions").status_code == 401
    assert head(here, f"{API}/executions", Authorization="Bearer correct-horse-battery-staple").status_code == 200


@pytest.mark.parametrize(("path", "allow"), [
    (f"{API}/executions", "GET, HEAD, OPTIONS, POST"), (f"{API}/executions/x", "DELETE, GET, HEAD, OPTIONS"),
    (f"{API}/workflows/w/aliases/a", "DELETE, OPTIONS, PUT"), ("/", "GET, HEAD, OPTIONS, POST"),
    ("/healthz", "GET, HEAD, OPTIONS"),
])  # fmt: skip
def test_an_address_says_all_that_it_takes(on_file: Served, path: str, allow: str) -> None:
    """Whatever route of it was looked at first; OPTIONS asks for nothing else."""
    refusal = httpx.request("TRACE", f"{on_file.address}{path}", trust_env=False)
    answer = httpx.options(f"{on_file.address}{path}", trust_env=False)
    assert (refusal.status_code, refusal.headers["allow"]) == (405, allow)
    assert (answer.status_code, answer.headers["allow"], answer.content) == (204, allow, b"")
    assert httpx.options(f"{on_file.address}/nothing", trust_env=False).status_code == 404
