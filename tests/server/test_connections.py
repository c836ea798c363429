"""Clients that are slow, or many: each has its time and its place, and the others are answered."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx
import pytest

from sm_cli.server.connections import affordable
from tests.engine.workers import soon
from tests.server.conftest import Serve
from tests.server.serving import MESSAGE, PASS, Served

API = "/api/v1"
MANY = 200


def connect(here: Served, *, buffer: int | None = None) -> socket.socket:
    """A connection of a client that is written by hand. buffer: bytes that it takes without being read."""
    host, port = here.address.removeprefix("http://").split(":")
    client = socket.socket()
    if buffer is not None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    client.settimeout(30)
    client.connect((host, int(port)))
    return client


def ask(client: socket.socket, path: str, *headers: str) -> None:
    """Send a GET of this path, with these headers."""
    lines = [f"GET {path} HTTP/1.1", "Host: localhost", *headers]
    client.sendall("".join(f"{line}\r\n" for line in (*lines, "")).encode())


@contextmanager
def connected(here: Served, number: int) -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        yield [stack.enter_context(connect(here)) for _ in range(number)]


def end_of(client: socket.socket) -> bytes:
    """All that the server still sends, until it closes the connection."""
    received = b""
    while chunk := client.recv(65536):
        received += chunk
    return received


@pytest.mark.parametrize(
    ("begun", "trickle"),
    [(b"", b"GET"), (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ", b"x"), (b"\r\n", b"\r\n")],
)
def test_headers_that_come_byte_by_byte_hold_up_nobody_and_have_an_end(
    serve: Serve, begun: bytes, trickle: bytes
) -> None:
    here = serve(header_seconds=1.5)
    with connected(here, MANY) as slow:
        for client in slow:
            client.sendall(begun)
        for client in slow:
            client.sendall(trickle[:1])  # what comes does not begin the time anew
        assert here.get("/healthz") == {"status": "ok"}
        here.post(f"{API}/executions", {"definition": PASS}, 201)
        for client in slow:
            assert end_of(client).startswith(b"HTTP/1.1 408 ")
    here.get("/healthz")


@pytest.mark.parametrize("begun", [
    b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n",
    b"POST /api/v1/executions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n",
])  # fmt: skip
@pytest.mark.parametrize("line", [b"X: " + b"a" * 1000 + b"\r\n", b"a" * 1000])
def test_headers_without_end_are_not_kept(serve: Serve, begun: bytes, line: bytes) -> None:
    """Also those behind a body, and a single one."""
    here = serve()
    with connect(here) as client:
        client.sendall(begun)
        if not line.endswith(b"\n"):
            client.sendall(b"X: ")
        with pytest.raises(OSError):
            for _ in range(100_000):
                client.sendall(line)
    here.get("/healthz")


def test_headers_that_are_too_long_are_refused_with_their_status(serve: Serve) -> None:
    with connect(serve()) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 65_536)
        assert end_of(client).startswith(b"HTTP/1.1 431 ")


def test_the_next_request_of_a_connection_has_the_same_time(serve: Serve) -> None:
    here = serve(header_seconds=0.3)
    with connect(here) as client:
        for _ in range(2):
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b"200 OK" in client.recv(65536)
        client.sendall(b"GET /healthz HTTP/1.1\r\n")
        assert end_of(client).startswith(b"HTTP/1.1 408 ")


def test_bodies_that_come_slowly_hold_up_nobody_and_have_an_end(serve: Serve) -> None:
    here = serve(body_seconds=1.0)
    head = b"POST /api/v1/executions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with connected(here, MANY) as slow:
        for client in slow:
            client.sendall(head + b"Content-Length: 100\r\n\r\n{")
        here.post(f"{API}/executions", {"definition": PASS}, 201)
        for client in slow:
            assert end_of(client).startswith(b"HTTP/1.1 408 ")
    assert here.get(f"{API}/executions/count") == {"count": 1}


def test_a_request_that_takes_long_is_not_taken_for_slow_headers(serve: Serve) -> None:
    here = serve(header_seconds=0.2)
    ref = here.start(MESSAGE, {"id": 1}).ref
    assert here.get(f"{API}/executions/{ref}/wait", 202, params={"timeout": "0.6s"})["status"] == "RUNNING"


def test_connections_have_a_number_and_those_that_wait_for_nothing_make_room(serve: Serve) -> None:
    here = serve(most_connections=40)
    with connected(here, 40) as first:
        soon(lambda: _is_refused(here))  # each of them may be sending a request
        for client in first[:20]:
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b"200 OK" in client.recv(65536)
        with connected(here, 10) as more:  # in the place of ten of the twenty that were answered
            for client in more:
                client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert b"200 OK" in client.recv(65536)
    soon(lambda: not _is_refused(here))


def _is_refused(here: Served) -> bool:
    try:
        answer = httpx.get(f"{here.address}/healthz", trust_env=False, timeout=30)
    except httpx.TransportError:
        return True  # refused while it was still writing
    assert answer.status_code == 200 or (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    return answer.status_code == 503


def test_connections_leave_files_to_the_rest_of_the_process() -> None:
    assert affordable(1000, lambda: 1024) == 896
    assert affordable(1000, lambda: 65536) == 1000
    assert affordable(1000, lambda: 100) == 32
    assert affordable(1000, lambda: -1) == 1000


def test_followers_have_a_number_and_leave_the_others_alone(serve: Serve) -> None:
    here = serve(most_followers=3)
    ref = here.start(MESSAGE, {"id": 1}).ref
    url = f"{here.address}{API}/executions/{ref}/events/stream"
    with ExitStack() as stack, httpx.Client(trust_env=False, timeout=30) as http:
        streams = [stack.enter_context(http.stream("GET", url)) for _ in range(3)]
        assert [each.status_code for each in streams] == [200] * 3
        refused = here.ask("GET", f"{API}/executions/{ref}/events/stream", 503)
        assert (refused.json()["code"], refused.headers["retry-after"]) == ("TooManyFollowers", "5")
        assert here.ask("GET", "/live", 503).json()["code"] == "TooManyFollowers"
        assert here.get(f"{API}/executions/{ref}")["status"] == "RUNNING"
        text = here.ask("GET", "/metrics", 200).text
        assert "sm_streams 3.0" in text and "sm_streams_refused_total 2.0" in text
        streams[0].close()
        soon(lambda: here.backend.places.taken == 2)
        again = stack.enter_context(http.stream("GET", url))
        assert again.status_code == 200


def test_a_follower_that_does_not_read_is_let_go(serve: Serve) -> None:
    here = serve(stalled_seconds=1.0)
    execution = here.start(PASS, {"text": "x" * 4_000_000})
    with connect(here, buffer=4096) as deaf:
        ask(deaf, f"{API}/executions/{execution.ref}/events/stream")
        soon(lambda: here.backend.places.taken == 1)
        soon(lambda: here.backend.places.taken == 0)
        assert here.backend.feed.followers == 0
    here.get("/healthz")


def test_a_client_that_reads_slowly_gets_its_answer_all_the_same(serve: Serve) -> None:
    here = serve(stalled_seconds=0.02)
    execution = here.start(PASS, {"text": "x" * 4_000_000})
    with connect(here, buffer=65536) as slow:
        ask(slow, f"{API}/executions/{execution.ref}", "Connection: close")
        received = 0
        while chunk := slow.recv(4096):
            received += len(chunk)
    assert received > 8_000_000  # input and output
