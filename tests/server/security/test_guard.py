"""What a request has to be before a route sees it: for this server, of nobody's page, with the token, not too long."""

from __future__ import annotations

import hmac
import re
import socket
import time

import httpx
import pytest

from sm_cli.server.problems import Refusal
from sm_cli.server.security.hosts import check_host, host_names
from sm_cli.server.security.tokens import SESSION_SECONDS, has_token, is_session, new_session
from sm_cli.server.settings import ServerSettings, address_at, names_of
from tests.server.conftest import Serve
from tests.server.serving import Served

TOKEN = "correct-horse-battery-staple"


@pytest.mark.parametrize("host", ["localhost:80@evil.example", "localhost/x", "localhost:8:8", "localhost:x", "[::1"])
def test_what_is_no_host_is_refused(on_file: Served, host: str) -> None:
    assert on_file.get("/healthz", 403, headers={"Host": host})["code"] == "ForeignHost"


def test_several_hosts_are_refused(on_file: Served) -> None:
    for hosts in (("localhost", "evil.example"), ("evil.example", "localhost"), ("localhost", "localhost")):
        headers = [("Host", host) for host in hosts]
        with pytest.raises(Refusal):
            check_host([host for _, host in headers], host_names(ServerSettings()))
    name, port = on_file.address.removeprefix("http://").split(":")
    with socket.create_connection((name, int(port)), timeout=30) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8083", "127.0.0.1.evil.example", "", "[::2]:80"])
def test_a_foreign_host_is_refused(on_file: Served, host: str) -> None:
    assert on_file.get("/healthz", 403, headers={"Host": host})["code"] == "ForeignHost"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:8083", "[::1]:8083", "sync-localhost:8083"])
def test_names_of_this_machine_are_taken(on_file: Served, host: str) -> None:
    on_file.get("/healthz", headers={"Host": host})


def test_a_name_that_was_allowed_is_taken(serve: Serve) -> None:
    here = serve(hosts=("board.example",))
    here.get("/healthz", headers={"Host": "board.example:443"})
    here.get("/healthz", 403, headers={"Host": "other.example"})


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "[2001:db8::7]"])
def test_beside_the_names_that_were_allowed_those_that_are_printed_are_taken(host: str) -> None:
    names = host_names(ServerSettings(host, token="t" * 16, hosts=("board.example",)))
    assert names is not None
    for name in ("board.example", "localhost", *names_of(host)):
        check_host([address_at(name.strip("[]"), 8083).removeprefix("http://")], names)
    with pytest.raises(Refusal):
        check_host(["other.example:8083"], names)
    assert host_names(ServerSettings(host, token="t" * 16)) is None, "each request carries the token"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:3000"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_page_of_another_origin_changes_nothing(on_file: Served, headers: dict[str, str]) -> None:
    assert on_file.post("/", status=403, headers=headers)["code"] == "ForeignOrigin"
    on_file.get("/healthz", headers=headers)  # and what changes nothing it may ask; its browser shows it nothing


def test_our_own_pages_and_programs_may_change_something(on_file: Served) -> None:
    for headers in ({"Origin": on_file.address}, {"Sec-Fetch-Site": "same-origin"}, {}):
        assert on_file.post("/", status=400, headers=headers)["__type"] == "UnknownOperationException"


def test_only_an_origin_that_was_named_may_read(serve: Serve) -> None:
    here = serve(origins=("https://board.example",))
    board, evil = {"Origin": "https://board.example"}, {"Origin": "https://evil.example"}
    assert here.ask("GET", "/healthz", 200, headers=board).headers["access-control-allow-origin"] == board["Origin"]
    assert "access-control-allow-origin" not in here.ask("GET", "/healthz", 200, headers=evil).headers
    assert here.ask("POST", "/", 400, headers=board).headers["access-control-allow-origin"] == board["Origin"]
    preflight = {**board, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    assert here.ask("OPTIONS", "/", 200, headers=preflight).headers["access-control-allow-origin"] == board["Origin"]


def test_no_origin_may_read_unless_it_was_named(on_file: Served) -> None:
    headers = {"Origin": "https://board.example"}
    assert "access-control-allow-origin" not in on_file.ask("GET", "/healthz", 200, headers=headers).headers


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "Bearer",
        "Bearer wrong",
        f"Bearer {TOKEN}x",
        f"Basic {TOKEN}",
        TOKEN,
        "Bearer \u00e9",
        "AWS4-HMAC-SHA256 Credential=AKIA/20260131/eu-west-1/states/aws4_request, SignedHeaders=host, Signature=0",
    ],
)
def test_without_the_token_nothing_is_answered(serve: Serve, authorization: str | None) -> None:
    here = serve(token=TOKEN)
    headers = {} if authorization is None else {"Authorization": authorization.encode()}
    response = here.ask("GET", "/api/v1/openapi.json", 401, headers=headers)
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.json()["code"] == "Unauthorized"
    assert TOKEN not in response.text


def test_with_the_token_all_is_answered(serve: Serve) -> None:
    here = serve(token=TOKEN)
    here.get("/api/v1/openapi.json", headers={"Authorization": f"Bearer {TOKEN}"})
    here.get("/api/v1/openapi.json", headers={"Authorization": f"bearer {TOKEN}"})


def test_the_access_key_of_an_aws_client_is_the_token(serve: Serve) -> None:
    here = serve(token=TOKEN)
    scope = "20260131/eu-west-1/states/aws4_request, SignedHeaders=host, Signature=0"
    target = {"X-Amz-Target": "AWSStepFunctions.Nothing"}
    right = {**target, "Authorization": f"AWS4-HMAC-SHA256 Credential={TOKEN}/{scope}"}
    wrong = {**target, "Authorization": f"AWS4-HMAC-SHA256 Credential=AKIA/{scope}"}
    assert here.post("/", status=400, headers=right)["__type"] == "UnknownOperationException"
    assert here.post("/", status=401, headers=wrong)["__type"] == "UnrecognizedClientException"


def test_a_body_that_is_too_long_is_refused_before_it_is_read(on_file: Served) -> None:
    most = on_file.settings.most_body
    assert on_file.ask("POST", "/", 413, content=b" " * (most + 1)).json()["code"] == "TooLarge"
    assert on_file.ask("POST", "/", 413, content=iter([b" " * most, b" "])).json()["code"] == "TooLarge"
    on_file.ask("POST", "/", 400, content=b" " * most)


def test_a_client_that_sends_slowly_is_told_and_holds_nobody_up(serve: Serve) -> None:
    here = serve(body_seconds=0.2)
    host, port = here.address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as slow:
        slow.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
        here.get("/healthz")
        answer = slow.recv(65536)
    assert answer.startswith(b"HTTP/1.1 408")


def test_a_client_that_goes_away_in_its_request_is_forgotten(on_file: Served) -> None:
    host, port = on_file.address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as gone:
        gone.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
    on_file.get("/healthz")


def test_every_answer_has_the_headers_that_protect_browsers(on_file: Served) -> None:
    for path, status in (("/healthz", 200), ("/nothing", 404), ("/login", 200)):
        headers = on_file.ask("GET", path, status).headers
        policy = headers["content-security-policy"]
        assert policy.startswith(("default-src 'self'", "default-src 'none'"))  # of documents, of the dashboard's pages
        assert not re.search(r"(default|script)-src[^;]*unsafe", policy)
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
    assert "server" not in on_file.ask("GET", "/healthz", 200).headers


def test_a_browser_is_led_to_the_door_and_let_in_by_it(serve: Serve) -> None:
    here = serve(token=TOKEN)
    page = here.ask("GET", "/api/v1/openapi.json", 303, headers={"Accept": "text/html"})
    assert page.headers["location"] == "/login?next=/api/v1/openapi.json"
    refused = here.ask("POST", "/login", 401, data={"token": "wrong", "next": "/healthz"})
    assert "not the token" in refused.text
    welcome = here.ask("POST", "/login", 303, data={"token": TOKEN, "next": "/healthz"})
    assert welcome.headers["location"] == "/healthz"
    cookie = welcome.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert TOKEN not in cookie
    here.get("/api/v1/openapi.json")  # the client keeps the cookie
    here.ask("POST", "/logout", 303)
    here.get("/api/v1/openapi.json", 401)


@pytest.mark.parametrize("elsewhere", ["//evil.example/x", "https://evil.example", "/\\evil.example", "\t//x"])
def test_the_door_leads_nowhere_else(serve: Serve, elsewhere: str) -> None:
    here = serve(token=TOKEN)
    assert here.ask("POST", "/login", 303, data={"token": TOKEN, "next": elsewhere}).headers["location"] == "/"


def test_a_next_page_is_data_on_the_page_of_the_door(on_file: Served) -> None:
    page = on_file.ask("GET", "/login", 200, params={"next": '/"><script>alert(1)</script>'})
    assert "<script>" not in page.text


def test_a_wrong_token_takes_as_long_as_the_right_one_to_compare(monkeypatch: pytest.MonkeyPatch) -> None:
    """By what it does, for a clock would lie: digests of one length are compared, whatever was sent."""
    compared: list[tuple[int, int]] = []
    compare = hmac.compare_digest

    def note(one: bytes, two: bytes) -> bool:
        compared.append((len(one), len(two)))
        return compare(one, two)

    monkeypatch.setattr(hmac, "compare_digest", note)
    for sent in ("", "x", TOKEN, "x" * 10_000):
        has_token({"authorization": f"Bearer {sent}"}, TOKEN)
    assert compared == [(32, 32)] * 4


def test_a_session_ends() -> None:
    now = time.time()
    session = new_session(TOKEN, now)
    assert is_session(session, TOKEN, now)
    assert not is_session(session, TOKEN, now + SESSION_SECONDS + 1)
    assert not is_session(session, "another-token-of-length", now)
    assert not is_session(f"{int(now) + 10**9}.{session.partition('.')[2]}", TOKEN, now)
    assert not is_session("", TOKEN, now)


def test_nothing_of_a_request_is_logged(on_file: Served, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG", logger="sm.server"):
        on_file.ask("POST", "/", 400, content=b'{"card": "4111"}', params={"who": "ORD-77"})
        on_file.ask("GET", "/ORD-78", 404)
    assert caplog.messages
    assert not any(data in "".join(caplog.messages) for data in ("4111", "ORD-77", "ORD-78"))


def test_a_bug_is_told_without_its_data_and_logged(
    on_file: Served, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_question: object) -> None:
        raise ZeroDivisionError("secret of the request")

    monkeypatch.setattr(on_file.backend, "read", fail)
    response: httpx.Response = on_file.ask("GET", "/readyz", 500)
    assert response.json()["code"] == "Bug"
    assert "secret" not in response.text
    assert any(record.exc_info for record in caplog.records)
