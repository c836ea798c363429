"""http:invoke against a real server: what is sent, what comes back, what is refused before a socket is opened."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from sm_cli.asl.resources import BUILT_IN
from sm_cli.express import run_express
from sm_cli.handlers.builtin import builtins
from sm_cli.handlers.handler import Context, Failure, Success, run_handler
from sm_cli.handlers.http.invoke import http_invoke
from sm_cli.handlers.http.settings import HttpSettings, read_settings
from sm_cli.jsonvalue import Json
from sm_cli.test_state import run as single
from tests.engine.workers import soon, workflow
from tests.handlers.http_server import Answering, Site, serving

SECRET = "s3cret-Token-0123456789"


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as made:
        made.pages["/json"] = lambda page: page.json({"a": [1, 2.5, None]})
        yield made


def settings(*allow: str, **connections: dict[str, str]) -> HttpSettings:
    tables = {name: {"headers": headers} for name, headers in connections.items()}
    return read_settings(list(allow), tables, where="sm.toml", connections_where="sm.toml")


def context() -> Context:
    return Context("ref", "name", "w", "Call", 1, "ref-1-1")


def call(
    site: Site, path: str = "/json", method: str = "GET", *, using: HttpSettings | None = None, **more: Any
) -> Any:
    """The result of one call, or (error, cause)."""
    parameters = {"ApiEndpoint": f"http://{site.host}{path}", "Method": method, **more}
    outcome = run_handler(http_invoke(using or settings(site.host)), parameters, context())
    return outcome.result if isinstance(outcome, Success) else (outcome.error, outcome.cause)


def test_every_name_that_the_validator_takes_for_built_in_is() -> None:
    assert builtins().keys() == BUILT_IN


def test_the_result_has_the_shape_of_awss(site: Site) -> None:
    found = call(site)
    assert found.keys() == {"Headers", "ResponseBody", "StatusCode", "StatusText"}
    assert (found["ResponseBody"], found["StatusCode"], found["StatusText"]) == ({"a": [1, 2.5, None]}, 200, "OK")
    assert found["Headers"]["content-type"] == ["application/json"]
    assert (site.last.method, site.last.path, site.last.body) == ("GET", "/json", b"")
    assert site.last.header("Host") == [site.host]
    assert site.last.header("User-Agent")[0].startswith("sm/")


def test_a_header_that_comes_twice_has_two_values(site: Site) -> None:
    def page(answering: Answering) -> None:
        answering.send_response(200)
        for value in ("a=1", "b=2"):
            answering.send_header("Set-Cookie", value)
        answering.send_header("Content-Length", "0")
        answering.end_headers()

    site.pages["/"] = page
    assert call(site, "")["Headers"]["set-cookie"] == ["a=1", "b=2"]


@pytest.mark.parametrize(
    ("kind", "sent", "read"),
    [
        ("application/json; charset=utf-8", b'{"x": 1}', {"x": 1}),
        ("application/problem+json", b"[1]", [1]),
        ("application/json", b"not json", "not json"),
        ("text/plain", b'{"x": 1}', '{"x": 1}'),
        ("text/plain; charset=latin-1", b"caf\xe9", "café"),
        ("text/html", "¡olé!".encode(), "¡olé!"),
        ("application/json", b"", ""),
    ],
)
def test_a_body_is_json_when_the_server_says_so_and_it_is_else_text(
    site: Site, kind: str, sent: bytes, read: Any
) -> None:
    site.pages["/b"] = lambda page: page.answer(200, sent, Content_Type=kind)
    assert call(site, "/b")["ResponseBody"] == read


def test_a_body_without_a_type_is_json_when_it_can_be(site: Site) -> None:
    site.pages["/b"] = lambda page: page.answer(200, b"[true]")
    site.pages["/n"] = lambda page: page.answer(204)
    assert call(site, "/b")["ResponseBody"] == [True]
    empty = call(site, "/n", "DELETE")
    assert empty == {
        "Headers": empty["Headers"], "ResponseBody": "", "StatusCode": 204, "StatusText": "No Content",
    }  # fmt: skip
    assert set(empty["Headers"]) == {"server", "date"}


@pytest.mark.parametrize("kind", ["image/png", "application/octet-stream", "text/plain"])
def test_what_is_not_text_fails(site: Site, kind: str) -> None:
    site.pages["/b"] = lambda page: page.answer(200, b"\x89PNG\xff", Content_Type=kind)
    error, cause = call(site, "/b")
    assert (error, kind in cause) == ("States.Runtime", True)


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
def test_an_error_of_the_server_has_its_status_in_its_name_and_the_body_as_cause(site: Site, status: int) -> None:
    site.pages["/e"] = lambda page: page.json({"error": "x"}, status)
    assert call(site, "/e") == (f"States.Http.StatusCode.{status}", '{"error": "x"}')


def test_an_error_without_a_text_is_its_status_line_and_a_long_one_is_cut(site: Site) -> None:
    site.pages["/e"] = lambda page: page.answer(404)
    site.pages["/b"] = lambda page: page.answer(500, b"\xff\xfe", Content_Type="image/png")
    site.pages["/l"] = lambda page: page.answer(500, "x" * 100_000)
    assert call(site, "/e") == ("States.Http.StatusCode.404", "404 Not Found")
    assert call(site, "/e", "HEAD") == ("States.Http.StatusCode.404", "404 Not Found")
    assert call(site, "/b")[1] == "500 Internal Server Error"
    assert len(call(site, "/l")[1]) == 32_768


# -- what is sent ----------------------------------------------------------------------------------------------


def test_query_parameters_come_after_those_of_the_url(site: Site) -> None:
    call(site, "/json?a=%20b&c", QueryParameters={"q": "x y&z", "n": 5, "t": True, "l": ["1", "2"], "ü": "ö"})
    path, _, query = site.last.path.partition("?")
    assert (path, query[:8]) == ("/json", "a=%20b&c")
    expected = {"a": [" b"], "q": ["x y&z"], "n": ["5"], "t": ["true"], "l": ["1", "2"], "ü": ["ö"], "c": [""]}
    assert parse_qs(query, keep_blank_values=True) == expected


def test_a_path_is_encoded_once(site: Site) -> None:
    site.pages["/a%20b/%C3%BC"] = lambda page: page.json(1)
    assert call(site, "/a%20b/ü#fragment")["ResponseBody"] == 1


def test_a_body_is_json_unless_the_content_type_says_otherwise(site: Site) -> None:
    call(site, method="POST", RequestBody={"a": "ü"})
    assert (json.loads(site.last.body), site.last.header("Content-Type")) == ({"a": "ü"}, ["application/json"])
    call(site, method="POST", RequestBody="text")
    assert site.last.body == b'"text"'
    call(site, method="PUT", RequestBody="<a/>", Headers={"content-type": "text/xml"})
    assert (site.last.body, site.last.header("Content-Type")) == (b"<a/>", ["text/xml"])
    call(site, method="POST")
    assert (site.last.body, site.last.header("Content-Length")) == (b"", ["0"])


FORM = {"array": ["a", "b c"], "n": 1, "o": {"k": "v&"}}


@pytest.mark.parametrize(
    ("format", "sent"),
    [
        ("INDICES", "array[0]=a&array[1]=b+c"),
        ("REPEAT", "array=a&array=b+c"),
        ("COMMAS", "array=a,b+c"),
        ("BRACKETS", "array[]=a&array[]=b+c"),
        ("NONE", "array=%5B%22a%22%2C%22b+c%22%5D"),
        (None, "array[0]=a&array[1]=b+c"),
    ],
)
def test_a_form_is_encoded_in_the_format_that_is_asked_for(site: Site, format: str | None, sent: str) -> None:
    options = {} if format is None else {"RequestEncodingOptions": {"ArrayFormat": format}}
    call(site, method="POST", RequestBody=FORM, Transform={"RequestBodyEncoding": "URL_ENCODED", **options})
    assert site.last.body.decode() == f"{sent}&n=1&o[k]=v%26"
    assert site.last.header("Content-Type") == ["application/x-www-form-urlencoded"]


def test_headers_are_sent_a_list_as_several(site: Site) -> None:
    call(site, Headers={"X-One": "1", "X-Two": ["a", "b"], "X-Number": 7, "User-Agent": "mine", "X-Text": "grüß"})
    asked = site.last
    assert [asked.header(name) for name in ("X-One", "X-Two", "X-Number", "User-Agent")] == [
        ["1"], ["a", "b"], ["7"], ["mine"],
    ]  # fmt: skip
    assert asked.header("X-Text")[0].encode("latin-1").decode() == "grüß"


def test_what_may_be_done_twice_by_a_crash_carries_the_idempotency_key(site: Site) -> None:
    call(site, method="POST")
    assert site.last.header("Idempotency-Key") == ["ref-1-1"]
    call(site, method="POST", Headers={"idempotency-key": "own"})
    assert site.last.header("Idempotency-Key") == ["own"]
    call(site)
    assert site.last.header("Idempotency-Key") == []


# -- what is refused -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"Headers": {"Host": "x"}},
        {"Headers": {"authorization": "Bearer x"}},
        {"Headers": {"X-Forwarded-For": "x"}},
        {"Headers": {"x-amzn-trace-id": "x"}},
        {"Headers": {"Content-Length": "3"}},
        {"Headers": {"Transfer-Encoding": "chunked"}},
        {"Headers": {"X-A": "1\r\nX-B: 2"}},
        {"Headers": {"X-A": "1\n"}},
        {"Headers": {"X-A\r\nX-B": "1"}},
        {"Headers": {"X A": "1"}},
        {"Headers": {"X-A": {"b": 1}}},
        {"Headers": "X-A: 1"},
        {"QueryParameters": {"a": {"b": 1}}},
        {"QueryParameters": {"a": None}},
        {"Method": "get"},
        {"Method": "TRACE"},
        {"Method": "GET / HTTP/1.1\r\nX: "},
        {"Methode": "GET"},
        {"InvocationConfig": {"Arn": "x"}},
        {"Transform": {"RequestBodyEncoding": "XML"}},
        {"Transform": {"RequestBodyEncoding": "URL_ENCODED", "RequestEncodingOptions": {"ArrayFormat": "X"}}},
        {"RequestBody": [1], "Transform": {"RequestBodyEncoding": "URL_ENCODED"}},
        {"ApiEndpoint": None},
        {"ApiEndpoint": "api.example.com/x"},
        {"ApiEndpoint": "ftp://127.0.0.1/"},
        {"ApiEndpoint": "file:///etc/passwd"},
        {"ApiEndpoint": "http:///x"},
        {"ApiEndpoint": "http://127.0.0.1:99999/"},
        {"ApiEndpoint": "http://a..b/"},
        {"ApiEndpoint": "http://[::1/"},
        {"ApiEndpoint": "http://127.0.0.1/a b"},
        {"ApiEndpoint": "http://127.0.0.1/a\r\nX-B:1"},
        {"ApiEndpoint": "http://user:password@127.0.0.1/"},
    ],
    ids=str,
)
def test_a_request_that_cannot_be_sent_is_refused_before_it_is(site: Site, change: dict[str, Any]) -> None:
    error, cause = call(site, **{"ApiEndpoint": f"http://{site.host}/json", "Method": "GET", **change})
    assert error == "States.Runtime"
    assert cause
    assert "password" not in cause
    assert site.asked == []


@pytest.mark.parametrize(
    ("url", "entry"),
    [
        ("https://api.example.com/x", "'api.example.com'"),
        ("https://API.Example.com:8443/x", "'api.example.com:8443'"),
        ("http://127.0.0.1:8080/", "'127.0.0.1:8080'"),
        ("http://[::1]:8080/", "'[::1]:8080'"),
        ("https://bücher.example/", "'xn--bcher-kva.example'"),
    ],
)
def test_nothing_is_allowed_by_default_and_the_sentence_says_what_to_add(url: str, entry: str) -> None:
    outcome = run_handler(builtins()["http:invoke"], {"ApiEndpoint": url, "Method": "GET"}, context())
    assert isinstance(outcome, Failure)
    assert outcome.error == "States.Permissions"
    assert f"add {entry} to http_allow in sm.toml or [tool.sm], or to SM_HTTP_ALLOW" in outcome.cause


@pytest.mark.parametrize(
    ("entry", "url", "allowed"),
    [
        ("api.example.com", "https://api.example.com", True),
        ("api.example.com", "http://API.example.com.:80", True),
        ("api.example.com", "https://api.example.com:8443", False),
        ("api.example.com", "http://api.example.com:443", False),
        ("api.example.com", "https://evil-api.example.com", False),
        ("api.example.com", "https://api.example.com.evil.net", False),
        ("127.0.0.1:8080", "http://127.0.0.1:8080", True),
        ("127.0.0.1:8080", "http://127.0.0.1", False),
        ("*.internal.example", "https://a.b.internal.example", True),
        ("*.internal.example", "https://internal.example", False),
        ("*.internal.example", "https://xinternal.example", False),
        ("bücher.example", "https://xn--bcher-kva.example", True),
        ("[::1]:80", "http://[0:0::1]", True),
    ],
)
def test_an_entry_allows_its_host_at_its_port_and_no_other(entry: str, url: str, allowed: bool) -> None:
    from sm_cli.handlers.http.request import read_address

    address = read_address(url, "it is")
    hosts = settings(entry).allow
    assert any(host.covers(address.scheme, address.host, address.port) for host in hosts) is allowed


# -- connections -----------------------------------------------------------------------------------------------

ARN = "arn:aws:events:us-east-2:123456789012:connection/stripe/81210c42-8af1-456b-9c4a-6ff02fc664ac"


@pytest.mark.parametrize("config", [{"InvocationConfig": {"ConnectionArn": ARN}},
                                    {"Authentication": {"ConnectionArn": "stripe"}}])  # fmt: skip
def test_a_connection_adds_its_headers_and_wins(
    site: Site, config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIPE", f"Bearer {SECRET}\n")
    using = settings(site.host, stripe={"Authorization": "env:STRIPE", "X-Version": "7"})
    call(site, using=using, Headers={"x-version": "1"}, **config)
    assert site.last.header("Authorization") == [f"Bearer {SECRET}"]
    assert site.last.header("X-Version") == ["7"]


def test_an_unknown_connection_and_an_unset_variable_fail_before_any_request(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STRIPE", raising=False)
    using = settings(site.host, stripe={"Authorization": "env:STRIPE"})
    assert call(site, using=using, InvocationConfig={"ConnectionArn": "other"}) == (
        "Events.ConnectionResource.ResourceNotFound",
        "there is no connection 'other': add [http_connections.other] to sm.toml or [tool.sm]",
    )
    error, cause = call(site, using=using, InvocationConfig={"ConnectionArn": "stripe"})
    assert error == "Events.ConnectionResource.InvalidConnectionState"
    assert "from the variable STRIPE, which is not set" in cause
    monkeypatch.setenv("STRIPE", f"{SECRET}\r\nX-Evil: 1")
    error, cause = call(site, using=using, InvocationConfig={"ConnectionArn": "stripe"})
    assert "holds a control character" in cause
    assert SECRET not in cause
    assert site.asked == []


def test_a_secret_that_the_server_sends_back_is_hidden(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE", f"Bearer {SECRET}")
    using = settings(site.host, stripe={"Authorization": "env:STRIPE"})

    def echo(status: int, kind: str) -> Any:
        def page(answering: Answering) -> None:
            given = answering.headers["Authorization"]
            body = json.dumps({"you sent": given, given: [given.split()[1]]})
            answering.answer(status, body, Content_Type=kind, X_Echo=given)

        return page

    for path, status, kind in (("/j", 200, "application/json"), ("/t", 200, "text/plain"), ("/e", 401, "text/plain")):
        site.pages[path] = echo(status, kind)
        found = json.dumps(call(site, path, using=using, InvocationConfig={"ConnectionArn": "stripe"}))
        assert SECRET not in found
        assert "[hidden]" in found
    assert SECRET not in repr(using)


@pytest.mark.parametrize(
    "entry",
    [
        "https://api.example.com",
        "user@host",
        "*",
        "a.*.b",
        "",
        "host:",
        "host:x",
        "host:70000",
        "a b",
        "a..b",
        5,
        "*.*.a",
    ],
)
def test_an_entry_that_is_no_host_is_a_mistake_in_the_configuration(entry: Any) -> None:
    from sm_cli.errors import ConfigurationError

    with pytest.raises(ConfigurationError, match=r"sm\.toml: .*http_allow"):
        settings(entry)


@pytest.mark.parametrize(
    "table",
    [{}, {"headers": 1}, {"headers": {}, "other": 1}, {"headers": {"A": 1}}, {"headers": {"A b": "x"}},
     {"headers": {"Host": "x"}}, {"headers": {"A": f"{SECRET}\n"}}, {"headers": {"A": "env:"}}, 5],
    ids=str,
)  # fmt: skip
def test_a_connection_that_is_none_is_a_mistake_in_the_configuration(table: Any) -> None:
    from sm_cli.errors import ConfigurationError

    with pytest.raises(ConfigurationError, match=r"sm\.toml: http_connections\.c") as caught:
        read_settings([], {"c": table}, where="sm.toml", connections_where="sm.toml")
    assert SECRET not in str(caught.value)


# -- redirects -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "method", "then"),
    [(301, "POST", "GET"), (302, "POST", "GET"), (303, "PUT", "GET"), (307, "POST", "POST"), (308, "PUT", "PUT")],
)
def test_a_redirect_to_an_allowed_host_is_followed(site: Site, status: int, method: str, then: str) -> None:
    site.pages["/from"] = lambda page: page.answer(status, Location="json?x=1")
    assert call(site, "/from", method, RequestBody={"b": 1})["StatusCode"] == 200
    assert (site.last.method, site.last.path) == (then, "/json?x=1")
    assert (site.last.body == b'{"b":1}') is (then != "GET")


def test_a_redirect_to_a_host_that_is_not_allowed_is_refused(site: Site) -> None:
    with serving() as other:
        other.pages["/x"] = lambda page: page.json(1)
        site.pages["/from"] = lambda page: page.answer(302, Location=f"http://{other.host}/x")
        error, cause = call(site, "/from")
        assert (error, f"add {other.host!r} to http_allow" in cause) == ("States.Permissions", True)
        assert other.asked == []


def test_a_connections_headers_do_not_follow_to_another_origin(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE", SECRET)
    with serving() as other:
        other.pages["/x"] = lambda page: page.json(1)
        site.pages["/from"] = lambda page: page.answer(307, Location=f"http://{other.host}/x")
        using = settings(site.host, other.host, stripe={"Authorization": "env:STRIPE"})
        assert call(site, "/from", using=using, InvocationConfig={"ConnectionArn": "stripe"})["ResponseBody"] == 1
        assert (site.last.header("Authorization"), other.last.header("Authorization")) == ([SECRET], [])


def test_redirects_in_a_circle_end(site: Site) -> None:
    site.pages["/from"] = lambda page: page.answer(302, Location="/from")
    error, cause = call(site, "/from")
    assert error == "States.Http.StatusCode.302"
    assert cause.startswith("redirected more than 5 times")
    assert len(site.asked) == 6


# -- sockets ---------------------------------------------------------------------------------------------------


def test_nobody_listening_is_a_socket_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        host = f"127.0.0.1:{taken.getsockname()[1]}"
    assert call(Site(host)) == ("States.Http.Socket", f"http://{host} closed or refused the connection")


def test_a_name_that_does_not_exist_is_a_socket_error() -> None:
    error, cause = call(Site("nowhere.invalid"))
    assert error == "States.Http.Socket"
    assert "nowhere.invalid" in cause


@pytest.mark.parametrize(
    "said",
    [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
     b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
     b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n"],
)  # fmt: skip
def test_an_answer_that_is_none_or_not_whole_is_a_socket_error(said: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            accepted, _ = server.accept()
            with accepted:
                accepted.recv(65_536)
                accepted.sendall(said)

        thread = threading.Thread(target=answer)
        thread.start()
        error, cause = call(Site(f"127.0.0.1:{server.getsockname()[1]}"))
        thread.join()
    assert error == "States.Http.Socket"
    assert "nonsense" not in cause


def test_a_server_that_keeps_sending_a_little_is_cut_when_the_time_is_up(site: Site) -> None:
    def drip(answering: Answering) -> None:
        answering.send_response(200)
        answering.end_headers()
        with suppress(OSError):
            while not site.over.wait(0.01):
                answering.wfile.write(b"x")

    site.pages["/drip"] = drip
    hurried = http_invoke(settings(site.host), time_limit=0.2)
    outcome = run_handler(hurried, {"ApiEndpoint": f"http://{site.host}/drip", "Method": "GET"}, context())
    assert isinstance(outcome, Failure)
    assert outcome.error == "States.Http.Socket"
    assert outcome.cause == f"http://{site.host} did not answer within 0.2 seconds"


def test_a_call_that_nobody_waits_for_ends(site: Site) -> None:
    def silent(answering: Answering) -> None:
        site.over.wait(60)

    site.pages["/silent"] = silent
    waiting, outcomes = context(), list[Success | Failure]()
    parameters: Json = {"ApiEndpoint": f"http://{site.host}/silent", "Method": "GET"}
    calling = http_invoke(settings(site.host))
    thread = threading.Thread(target=lambda: outcomes.append(run_handler(calling, parameters, waiting)))
    thread.start()
    soon(lambda: bool(site.asked))
    waiting.cancelled.set()
    thread.join(30)
    assert [outcome.error for outcome in outcomes if isinstance(outcome, Failure)] == ["Cancelled"]


def test_a_long_answer_is_refused_whether_or_not_it_says_how_long_it_is(site: Site) -> None:
    site.pages["/told"] = lambda page: page.answer(200, b"x" * 1001)

    def untold(answering: Answering) -> None:
        answering.protocol_version = "HTTP/1.0"
        answering.send_response(200)
        answering.end_headers()
        answering.wfile.write(b"x" * 1001)
        answering.close_connection = True

    site.pages["/untold"] = untold
    site.pages["/fits"] = lambda page: page.answer(200, b"x" * 1000)
    small = http_invoke(settings(site.host), size_limit=1000)
    for path in ("/told", "/untold"):
        outcome = run_handler(small, {"ApiEndpoint": f"http://{site.host}{path}", "Method": "GET"}, context())
        assert outcome == Failure("States.DataLimitExceeded", "the answer is longer than 1,000 bytes")
    assert isinstance(
        run_handler(small, {"ApiEndpoint": f"http://{site.host}/fits", "Method": "GET"}, context()), Success
    )


@pytest.fixture
def certified(tmp_path: Path) -> Iterator[tuple[Site, Path]]:
    """A site with a certificate for 127.0.0.1 that is signed by itself."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl to make a certificate with")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    serving_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving_side.load_cert_chain(certificate, key)
    with serving(serving_side) as site:
        site.pages["/json"] = lambda page: page.json("over TLS")
        yield site, certificate


def test_a_certificate_is_verified(certified: tuple[Site, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    site, certificate = certified
    endpoint = f"https://{site.host}/json"
    error, cause = call(site, ApiEndpoint=endpoint)
    assert (error, "cannot be trusted" in cause) == ("States.Http.Socket", True)
    assert site.asked == []
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert call(site, ApiEndpoint=endpoint)["ResponseBody"] == "over TLS"


def test_a_redirect_from_https_to_http_is_not_followed(
    certified: tuple[Site, Path], site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    secure, certificate = certified
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    secure.pages["/from"] = lambda page: page.answer(302, Location=f"http://{site.host}/json")
    error, cause = call(secure, ApiEndpoint=f"https://{secure.host}/from", using=settings(secure.host, site.host))
    assert (error, cause) == ("States.Permissions", f"https://{secure.host} redirects from https to http: not followed")
    assert site.asked == []


def test_a_task_that_is_late_lets_go_of_its_connection(site: Site) -> None:
    left = threading.Event()

    def silent(answering: Answering) -> None:
        answering.connection.settimeout(30)
        if answering.connection.recv(1) == b"":
            left.set()
        answering.close_connection = True

    site.pages["/silent"] = silent
    late = workflow({
        "StartAt": "Call",
        "States": {"Call": {
            "Type": "Task", "Resource": "arn:aws:states:::http:invoke", "TimeoutSeconds": 1, "End": True,
            "Parameters": {"ApiEndpoint": f"http://{site.host}/silent", "Method": "GET"},
        }},
    })  # fmt: skip
    result = run_express(late, {}, builtins(settings(site.host)))
    assert (result.status, result.error) == ("FAILED", "States.Timeout")
    assert left.wait(30)


def test_a_state_that_is_tested_alone_has_it_too() -> None:
    answer = single.test_state({
        "Type": "Task", "Resource": "arn:aws:states:::http:invoke", "End": True,
        "Parameters": {"ApiEndpoint": "https://api.example.com", "Method": "GET"},
    })  # fmt: skip
    assert (answer["status"], answer["error"]) == ("FAILED", "States.Permissions")
