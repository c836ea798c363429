"""`sm worker` as a service: what a service manager is told, and what signals make of its exit code."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sm_cli.cli.run.service import Service
from tests.cli.conftest import Project, ended

ONE = "StartAt: A\nStates:\n  A: {Type: Task, Resource: held, End: true}\n"
HELD = """
import os, pathlib, time
@handler
def held(x, context):
    pathlib.Path("begun").write_text(os.environ.get("NOTIFY_SOCKET", "none"))
    while pathlib.Path("hold").exists() and not context.cancelled.is_set():
        time.sleep(0.01)
"""


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[socket.socket, str]:
    """(a socket as a service manager has it, its address as it stands in NOTIFY_SOCKET)."""
    if request.param == "abstract" and sys.platform != "linux":
        pytest.skip("only Linux has abstract addresses")
    address = f"@sm-test-{os.getpid()}-{tmp_path.name}" if request.param == "abstract" else str(tmp_path / "notify")
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    bound.bind(address.replace("@", "\0", 1) if address.startswith("@") else address)
    bound.settimeout(60)
    request.addfinalizer(bound.close)
    return bound, address


def soon(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def at_work(project: Project, *arguments: str, **environment: str) -> None:
    """A worker whose handler runs as long as there is a file `hold`."""
    project.workflow(ONE)
    project.handlers(HELD)
    project.write("hold", "")
    project.sm("run", "--name", "n1", "--detach")
    project.start("worker", "--name", "w1", *arguments, **environment)
    soon((project.path / "begun").exists)


def test_a_service_manager_is_told_of_begin_life_and_end(project: Project, manager: tuple[socket.socket, str]) -> None:
    bound, address = manager
    at_work(project, NOTIFY_SOCKET=address, WATCHDOG_USEC="100000")
    assert bound.recv(100) == b"READY=1"
    assert {bound.recv(100) for _ in range(5)} == {b"WATCHDOG=1"}
    project.started[0].send_signal(signal.SIGTERM)
    while (message := bound.recv(100)) == b"WATCHDOG=1":
        pass
    assert message == b"STOPPING=1"
    assert bound.recv(100) == b"WATCHDOG=1"  # while its handler ends
    (project.path / "hold").unlink()
    assert ended(project.started[0]).code == 0
    assert (project.path / "begun").read_text() == "none"


def test_life_is_told_half_as_often_as_it_is_waited_for_and_only_by_who_is_meant() -> None:
    assert Service({"WATCHDOG_USEC": "3000000"}).every == 1.5
    assert Service({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": str(os.getpid())}).every == 1.5
    assert Service({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}).every is None
    for nonsense in ("0", "", "-1", "soon"):
        assert Service({"WATCHDOG_USEC": nonsense}).every is None


def test_a_manager_that_is_not_there_is_warned_of_once(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    service = Service({"NOTIFY_SOCKET": str(tmp_path / "nobody")})
    service.ready()
    service.stopping()
    told = capsys.readouterr().err
    assert told.count("sm: warning: the service manager cannot be told anything at NOTIFY_SOCKET") == 1
    assert Service({"NOTIFY_SOCKET": "vsock:1:2"}).address is None


@pytest.mark.parametrize(
    ("arguments", "number", "code"),
    [
        ([], signal.SIGTERM, 0),
        (["--strict-signals"], signal.SIGTERM, 143),
        ([], signal.SIGINT, 130),
        (["--drain"], signal.SIGTERM, 143),
    ],
)
def test_the_exit_code_after_a_signal_that_let_all_handlers_end(
    project: Project, arguments: list[str], number: signal.Signals, code: int
) -> None:
    at_work(project, *arguments)
    worker = project.started[0]
    worker.send_signal(number)
    assert worker.stderr is not None
    while "waits up to" not in worker.stderr.readline():
        assert worker.poll() is None
    (project.path / "hold").unlink()
    assert ended(worker).code == code


def test_a_worker_that_gave_jobs_back_has_not_drained(project: Project) -> None:
    at_work(project, "--grace", "0.1s")
    project.started[0].send_signal(signal.SIGTERM)
    result = ended(project.started[0])
    assert result.code == 143
    assert result.err.endswith("worker w1 stopped; 1 job given back\n")


def test_a_second_signal_ends_it_at_once(project: Project) -> None:
    at_work(project)
    worker = project.started[0]
    worker.send_signal(signal.SIGTERM)
    assert worker.stderr is not None
    while "a second signal ends it at once" not in worker.stderr.readline():
        assert worker.poll() is None
    worker.send_signal(signal.SIGTERM)
    assert ended(worker).code == 143
    assert project.sm("show", "n1", "--json").json["status"] == "RUNNING"
