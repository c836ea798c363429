"""`sm serve` as a process: what it says, what it refuses, how it ends, and that one command is a whole system."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest

from tests.cli.conftest import Project, ended
from tests.engine.workers import soon

ONE = "StartAt: A\nStates:\n  A: {Type: Task, Resource: add, End: true}\n"
ADD = """
@handler
def add(x):
    return {"sum": x["a"] + x["b"]}
"""
GATE = """
import pathlib, time
@handler
def add(x):
    pathlib.Path("begun").touch()
    while not pathlib.Path("gate").exists():
        time.sleep(0.01)
    return "done"
"""
WAITS = {
    "StartAt": "M",
    "States": {"M": {"Type": "Message", "CorrelationKey": "order", "CorrelationValue": 1, "End": True}},
}
TOKEN = "correct-horse-battery-staple"


@pytest.fixture(autouse=True)
def no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SM_TOKEN", "SM_TOKEN_FILE", "SM_HOST", "SM_PORT"):
        monkeypatch.delenv(name, raising=False)


@contextmanager
def serving(project: Project, *arguments: str, **environment: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """(its address, the process) of a server on a free port."""
    process = project.start("serve", "--port", "0", "--create", "--log-format", "json", *arguments, **environment)
    assert process.stderr is not None
    started = json.loads(process.stderr.readline())
    assert started["event"] == "server.started", started
    yield started["address"], process
    if process.poll() is None:
        process.terminate()
        ended(process)


def test_a_server_says_where_it_is_and_drains_on_sigterm(project: Project) -> None:
    process = project.start("serve", "--port", "0", "--create")
    assert process.stderr is not None
    first, *more = [process.stderr.readline() for _ in range(4)]
    address = first.partition(" at ")[2].partition(",")[0]
    assert first == f"serving .sm/sm.db at {address}, with 1 worker in this process; nobody needs a token\n"
    assert more == [
        f"REST: {address}/api/v1\n", f"dashboard: {address}/\n", f"AWS's clients: AWS_ENDPOINT_URL_SFN={address}\n",
    ]  # fmt: skip
    assert httpx.get(f"{address}/readyz", trust_env=False).json() == {"status": "ok"}
    process.terminate()
    result = ended(process)
    assert (result.code, result.out, result.err) == (0, "", "server stopped\n")


def test_sigterm_lets_requests_streams_and_handlers_come_to_their_end(project: Project) -> None:
    project.workflow(ONE)
    project.handlers(GATE)
    follower: list[str] = []
    with serving(project) as (address, process), httpx.Client(base_url=address, trust_env=False, timeout=60) as http:
        waiting = http.post("/api/v1/executions", json={"definition": WAITS}).json()["id"]
        ref = http.post("/api/v1/executions", json={"workflow": "order"}).json()["id"]
        soon((project.path / "begun").exists)  # the handler is at work

        def follow() -> None:
            with httpx.stream("GET", f"{address}/api/v1/executions/{waiting}/events/stream", timeout=60,
                              trust_env=False) as stream:  # fmt: skip
                follower.extend(stream.iter_lines())
            follower.append("closed")

        with ThreadPoolExecutor(2) as pool:
            following = pool.submit(follow)
            waits = pool.submit(httpx.get, f"{address}/api/v1/executions/{ref}/wait?timeout=60s", timeout=60,
                                trust_env=False)  # fmt: skip
            soon(lambda: "sm_streams 1.0" in http.get("/metrics").text)
            process.terminate()
            following.result(60)
            assert waits.result(60).status_code == 202  # it is answered, with what there is
        assert process.poll() is None  # it waits for the handler
        project.write("gate", "")
        result = ended(process)
    assert result.code == 0
    assert follower[-1] == "closed"  # as HTTP ends a stream, not as a line breaks
    assert project.sm("output", ref).json == "done"  # the handler's result is kept


def test_ctrl_c_ends_it_with_its_own_code(project: Project) -> None:
    with serving(project) as (_, process):
        process.send_signal(signal.SIGINT)
        assert ended(process).code == 130


def test_one_command_is_a_whole_system(project: Project) -> None:
    project.workflow(ONE)
    project.handlers(ADD)
    with serving(project):
        project.sm("run", "order", "a=1", "b=2", "--name", "n1", "--detach")
        soon(lambda: project.sm("output", "n1").code == 0)
        assert project.sm("output", "n1").json == {"sum": 3}


def test_a_database_that_was_moved_away_is_worked_on_again_when_it_is_back(project: Project) -> None:
    project.workflow(ONE, "one.yaml")
    project.handlers(ADD)
    with serving(project) as (address, process), httpx.Client(base_url=address, timeout=60, trust_env=False) as http:
        body = {"workflow": "one", "input": {"a": 1, "b": 2}}
        assert http.post("/api/v1/executions?wait=60s", json=body).json()["output"] == {"sum": 3}
        (project.path / ".sm/sm.db").rename(project.path / ".sm/away.db")
        soon(lambda: http.get("/readyz").status_code == 503)
        assert http.post("/api/v1/executions", json=body).status_code == 503
        (project.path / ".sm/away.db").rename(project.path / ".sm/sm.db")
        soon(lambda: http.get("/readyz").status_code == 200)
        assert http.post("/api/v1/executions?wait=60s", json=body).json()["output"] == {"sum": 3}
        process.terminate()
        result = ended(process)
    assert result.code == 0, result.err
    assert "Traceback" not in result.err


def test_without_workers_others_work(project: Project) -> None:
    project.workflow(ONE)
    project.handlers(ADD)
    with serving(project, "--workers", "0"):
        project.sm("run", "order", "a=1", "b=2", "--name", "n1", "--detach")
        assert project.sm("workers", "--json").json == []
        assert project.sm("worker", "--drain").code == 0
        assert project.sm("output", "n1").json == {"sum": 3}


@pytest.mark.parametrize("way", ["file", "variable"])
def test_a_token_is_needed_once_there_is_one(project: Project, way: str) -> None:
    file = project.write("token", f"{TOKEN}\n")
    arguments = ("--token-file", str(file)) if way == "file" else ()
    environment = {"SM_TOKEN": TOKEN} if way == "variable" else {}
    with serving(project, *arguments, **environment) as (address, _):
        url = f"{address}/api/v1/openapi.json"
        assert httpx.get(url, trust_env=False).status_code == 401
        assert httpx.get(url, trust_env=False, headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_what_was_left_out_is_not_served(project: Project) -> None:
    with serving(project, "--no-aws", "--no-ui") as (address, _):
        assert httpx.post(f"{address}/", trust_env=False).status_code == 404
        assert httpx.get(f"{address}/login", trust_env=False).status_code == 404
        assert httpx.get(f"{address}/healthz", trust_env=False).status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com"])
def test_others_are_not_let_in_without_a_token(project: Project, host: str) -> None:
    result = project.sm("serve", "--host", host, "--create")
    assert result.code == 7
    assert "can be reached from other machines, and there is no token" in result.err


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_a_server_at_all_addresses_says_what_can_be_opened(project: Project, host: str) -> None:
    if host == "::" and not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    process = project.start("serve", "--port", "0", "--create", "--host", host, SM_TOKEN=TOKEN)
    assert process.stderr is not None
    first, *more = [process.stderr.readline() for _ in range(5)]
    address = first.partition(" at ")[2].partition(",")[0]
    assert address.startswith("http://localhost:") and first.endswith("every request needs the token\n")
    assert more[-1] == f"from other machines: {address.replace('localhost', socket.gethostname().lower())}\n"
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert httpx.get(f"{address}/api/v1/executions", headers=headers, trust_env=False).status_code == 200
    assert httpx.get(f"{address}/api/v1/executions", trust_env=False).status_code == 401
    process.terminate()
    assert ended(process).code == 0


@pytest.mark.parametrize(
    "sent",
    [b"open-sesame\r\n\r\n", b"\x16\x03\x01\x02\x00open-sesame", b"GET / HTTP/1.1\r\nX: open-sesame\x00\r\n\r\n"],
)
def test_what_is_no_http_is_refused_and_in_no_log(project: Project, sent: bytes) -> None:
    with serving(project, "--verbose", "--workers", "0") as (address, process):
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=30) as client:
            client.sendall(sent)
            received = b"".join(iter(lambda: client.recv(4096), b""))
        assert received.startswith(b"HTTP/1.1 400 ") and b"open-sesame" not in received
        assert httpx.get(f"{address}/healthz", trust_env=False).status_code == 200
        process.terminate()
        result = ended(process)
    assert "open-sesame" not in result.out + result.err and "Traceback" not in result.err


def test_a_port_that_is_taken_is_one_sentence(project: Project) -> None:
    project.database()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = project.sm("serve", "--port", str(port))
    message = f"sm: error: port {port} of 127.0.0.1 is taken by another program\n"
    assert (result.code, result.err) == (7, f"{message}  hint: Choose another port; 0 takes one that is free.\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--port", "x"], "--port takes a whole number from 0 to 65535, not 'x'"),
        (["--port", "65536"], "--port takes a whole number"),
        (["--workers", "-1"], "--workers takes a whole number"),
        (["--followers", "many"], "--followers takes a whole number from 0 to 100000, not 'many'"),
        (["--connections", "1000000"], "--connections takes a whole number from 0 to 100000, not '1000000'"),
        (["--account", "12"], "--account takes twelve digits"),
        (["--allow-origin", "board.example"], "--allow-origin takes an origin like"),
        (["--allow-host", "http://sm.example"], "--allow-host takes the name of a host like"),
        (["--allow-host", ""], "--allow-host takes the name of a host like"),
        (["--grace", "soon"], "--grace takes seconds"),
    ],
)
def test_an_option_that_makes_no_sense_is_one_sentence(project: Project, arguments: list[str], sentence: str) -> None:
    project.database()
    result = project.sm("serve", *arguments)
    assert result.code == 2
    assert sentence in result.err


@pytest.mark.parametrize("token", ["short", "a token with blanks in it", "with-a-letter-é-in-it", ""])
def test_a_token_that_is_none_is_not_shown(project: Project, token: str) -> None:
    project.database()
    file = project.write("token", token)
    result = project.sm("serve", "--token-file", str(file))
    assert result.code == 2
    assert not token or token not in result.err


def test_a_token_file_that_is_not_there_is_one_sentence(project: Project) -> None:
    project.database()
    result = project.sm("serve", "--token-file", "nowhere")
    assert (result.code, result.err) == (7, "sm: error: --token-file nowhere: No such file or directory\n")


def test_a_database_that_is_not_there_is_not_made_in_silence(project: Project) -> None:
    assert project.sm("serve").code == 7


def test_a_handler_that_cannot_be_loaded_is_told_at_once(project: Project) -> None:
    project.database()
    project.write("handlers/bad.py", "import nothing_of_this_name\n")
    assert project.sm("serve", "--port", "0").code == 8


def test_a_server_that_is_killed_before_its_answer_has_done_it_once(project: Project) -> None:
    project.workflow('{"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 3600, "End": true}}}', "wait.json")
    headers = {"Idempotency-Key": "k1"}
    with serving(project, "--workers", "0") as (address, process):
        host, port = address.removeprefix("http://").split(":")
        body = b'{"workflow": "wait"}'
        with socket.create_connection((host, int(port)), timeout=30) as client:
            client.sendall(
                b"POST /api/v1/executions?wait=60 HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: k1\r\n"
                b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
            )
            soon(lambda: len(project.sm("list", "--json").json) == 1)  # committed, and not answered: it waits
            process.kill()
            process.wait(30)
    with serving(project, "--workers", "0") as (address, _):
        again = httpx.post(f"{address}/api/v1/executions", json={"workflow": "wait"}, headers=headers, trust_env=False)
    (started,) = project.sm("list", "--json").json
    assert (again.status_code, again.json()["id"]) == (201, started["id"])
    assert again.headers["idempotency-replayed"] == "true"
