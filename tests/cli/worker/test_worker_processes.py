"""`--processes`: what handlers do to their processes leaves the worker, its neighbours and the database alone."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.cli.conftest import Project, ended

CATCH = """
StartAt: A
States:
  A:
    Type: Task
    Resource: work
    Catch: [{ErrorEquals: [States.TaskFailed], ResultPath: $.error, Next: B}]
    End: true
  B: {Type: Succeed}
"""
TIMED = """
StartAt: A
States:
  A:
    Type: Task
    Resource: work
    TimeoutSeconds: 1
    Catch: [{ErrorEquals: [States.Timeout], ResultPath: $.error, Next: B}]
    End: true
  B: {Type: Succeed}
"""
CRASH = "import signal\n@handler\ndef work(x):\n    signal.raise_signal(signal.SIGSEGV)\n"
#: Says its pid, and lets nothing else run in its process.
HOG = """
import ctypes, os, pathlib
@handler
def work(x):
    pathlib.Path("part").write_text(str(os.getpid()))
    pathlib.Path("part").rename("pid")
    ctypes.PyDLL(None).sleep(3600)
"""
#: Says its pid, and waits for a gate.
GATE = """
import os, pathlib
@handler
def work(x):
    pathlib.Path("part").write_text(str(os.getpid()))
    pathlib.Path("part").rename("pid")
    return pathlib.Path("gate").read_text()
"""


def soon(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def at_work(project: Project) -> int:
    """The pid of the process that the handler is in."""
    file = project.path / "pid"
    soon(file.exists)
    return int(file.read_text())


def children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text(encoding="utf-8").split()]
    return found


def test_a_handler_that_crashes_fails_its_task_and_catch_sees_it(project: Project) -> None:
    project.workflow(CATCH)
    project.handlers(CRASH)
    result = project.sm("run", "--processes", "1", "n=1")
    assert result.code == 0
    cause = "the handler's process ended with signal 11 (SIGSEGV)"
    assert result.json == {"n": 1, "error": {"Error": "Runtime.ExitError", "Cause": cause}}


def test_a_failure_says_how_the_process_ended(project: Project) -> None:
    project.workflow("StartAt: A\nStates:\n  A: {Type: Task, Resource: work, End: true}\n")
    project.handlers("import os\n@handler\ndef work(x): os._exit(7)\n")
    result = project.sm("run", "--processes", "2")
    assert (result.code, result.out) == (1, "")
    assert "  error: Runtime.ExitError\n  cause: the handler's process ended with exit code 7\n" in result.err


@pytest.mark.parametrize("express", [(), ("--express",)])
def test_a_handler_over_its_time_is_killed_whatever_it_does(project: Project, express: tuple[str, ...]) -> None:
    project.workflow(TIMED)
    project.handlers(HOG)
    result = project.sm("run", "--processes", "1", *express)
    assert result.code == 0
    assert result.json["error"]["Error"] == "States.Timeout"
    assert gone(at_work(project))


def test_nothing_runs_on_when_the_worker_is_killed(project: Project) -> None:
    project.workflow(CATCH)
    project.handlers(HOG)
    project.sm("run", "--detach")
    worker = project.start("worker", "--processes", "3")
    pid = at_work(project)
    others = children(worker.pid)
    assert pid in others
    worker.kill()
    worker.wait()
    for child in others:
        soon(lambda: gone(child))  # noqa: B023 - waited for here


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_worker_and_all_its_processes_lets_handlers_end(
    project: Project, number: signal.Signals
) -> None:
    """As systemd sends it to all processes of a service."""
    os.mkfifo(project.path / "gate")
    project.workflow(CATCH)
    project.handlers(GATE)
    name = "n1"
    project.sm("run", "--detach", "--name", name)
    worker = project.start("worker", "--processes", "2", "--name", "w1", "--grace", "60")
    at_work(project)
    everyone = [worker.pid, *children(worker.pid)]
    for pid in everyone:
        os.kill(pid, number)
    assert worker.stderr is not None
    while "waits up to" not in (line := worker.stderr.readline()):
        assert line, "the worker ended"
    (project.path / "gate").write_text("open")
    ended(worker)
    assert project.sm("output", name).json == "open"
    assert all(gone(pid) for pid in everyone)


def test_a_worker_that_ends_before_its_handlers_ends_them_and_gives_their_jobs_back(project: Project) -> None:
    project.workflow(CATCH)
    project.handlers(HOG)
    project.sm("run", "--detach", "--name", "n1")
    worker = project.start("worker", "--processes", "2", "--grace", "0")
    pid = at_work(project)
    worker.send_signal(signal.SIGTERM)
    assert "1 job given back" in ended(worker).err
    assert gone(pid)
    project.handlers("@handler\ndef work(x):\n    return 'by another'\n")
    assert project.sm("worker", "--drain").code == 0
    assert project.sm("output", "n1").json == "by another"


def test_handlers_are_not_imported_by_the_worker_itself(project: Project) -> None:
    project.workflow("StartAt: A\nStates:\n  A: {Type: Task, Resource: work, End: true}\n")
    project.handlers(
        "import os\nopen('imported', 'a').write(f'{os.getpid()} ')\n@handler\ndef work(x):\n    return os.getpid()\n"
    )
    result = project.sm("run", "--processes", "1")
    assert (project.path / "imported").read_text().split() == [result.out.strip()]
    assert result.out.strip() != str(os.getpid())


def test_files_that_cannot_be_loaded_end_the_command_as_with_threads(project: Project) -> None:
    project.workflow(CATCH)
    project.handlers("import nothing_of_this_name\n")
    alike = [project.sm("run", *options) for options in ((), ("--processes", "2"))]
    assert [result.code for result in alike] == [8, 8]
    assert alike[0].err == alike[1].err
    project.handlers("import os\nos._exit(3)\n")
    result = project.sm("worker", "--processes", "2", "--drain")
    assert result.code == 8
    assert "the process that loads the handlers in handlers ended with exit code 3" in result.err


def test_processes_are_replaced_after_so_many_tasks(project: Project) -> None:
    project.workflow(
        "StartAt: A\nStates:\n  A: {Type: Task, Resource: work, ResultPath: $.a, Next: B}\n"
        "  B: {Type: Task, Resource: work, ResultPath: $.b, Next: C}\n"
        "  C: {Type: Task, Resource: work, ResultPath: $.c, End: true}\n"
    )
    project.handlers("import os\n@handler\ndef work(x):\n    return os.getpid()\n")
    project.write("sm.toml", "processes = 1\nrecycle_after = 2\n")
    project.sm("run", "--detach", "--name", "n1")
    assert project.sm("worker", "--drain").code == 0
    pids = project.sm("output", "n1").json
    assert pids["a"] == pids["b"] != pids["c"]


@pytest.mark.parametrize(
    ("arguments", "settings", "code", "sentence"),
    [
        (("--processes", "two"), "", 2, "--processes takes a whole number from 0, for threads, to 1024, not 'two'"),
        (("--processes", "-1"), "", 2, "--processes takes a whole number from 0, for threads, to 1024, not '-1'"),
        (("--processes", "99999"), "", 2, "--processes takes a whole number from 0, for threads, to 1024, not '99999'"),
        ((), 'processes = "2"\n', 7, "sm.toml:1: processes is a whole number, not '2'"),
        (("--recycle-after", "0"), "", 2, "--recycle-after takes a whole number from 1 on, not '0'"),
    ],
)
def test_a_wrong_number_is_one_sentence(
    project: Project, arguments: tuple[str, ...], settings: str, code: int, sentence: str
) -> None:
    project.handlers("@handler\ndef work(x):\n    return x\n")
    if settings:
        project.write("sm.toml", settings)
    result = project.sm("worker", "--drain", *arguments)
    assert result.code == code
    assert sentence in result.err
    assert result.err.count("\n") <= 2


@pytest.mark.parametrize(
    ("arguments", "settings", "said"),
    [
        (("--processes", "3"), "concurrency = 8\n", "3 at once, in processes of their own"),
        (("--processes", "3", "--concurrency", "2"), "", "2 at once, in processes of their own"),
        (("--processes", "0"), "processes = 4\n", "8 at once, on"),
        ((), "processes = 4\n", "4 at once, in processes of their own"),
    ],
)
def test_processes_and_concurrency_both_say_how_many_run_at_once(
    project: Project, arguments: tuple[str, ...], settings: str, said: str
) -> None:
    project.handlers("@handler\ndef work(x):\n    return x\n")
    project.write("sm.toml", settings)
    assert said in project.sm("worker", "--drain", "--create", *arguments).err


def test_attempts_in_processes_are_counted_as_all_others(project: Project) -> None:
    project.workflow(CATCH)
    project.handlers("import os\n@handler\ndef work(x):\n    raise ValueError(os.getpid())\n")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    worker = project.start("worker", "--processes", "1", "--metrics-port", str(port), "--create")

    def counted() -> dict[tuple[str, ...], float]:
        try:
            text = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
        except httpx.TransportError:
            return {}
        families = text_string_to_metric_families(text)
        return {(each.name, *each.labels.values()): each.value for family in families for each in family.samples}

    soon(counted)
    assert project.sm("run", "--detach").code == 0
    soon(lambda: counted().get(("sm_handler_seconds_count", "work")) == 1)
    found = counted()
    assert found["sm_handler_failures_total", "ValueError", "work"] == 1
    assert found["sm_executions_ended_total", "SUCCEEDED", "order"] == 1
    assert found["sm_executions", "SUCCEEDED", "order"] == 1
    assert found["sm_workers", "running"] == 1
    worker.terminate()
    assert ended(worker).code == 0
